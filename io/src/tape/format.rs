//! How a tape lies in its file. All numbers are little-endian.
//!
//! ```text
//!  head   "FWTAPE\0\0" | version u32 | market u8 | 0 x 3                              16 bytes
//!  block  "FWBL" | bytes u32 | records u32 | CRC32C of these and the records u32     16 bytes, then records
//!  record bytes u32 | address bytes u32 | receive time ns u64 | address | frame | 0..7 zeros
//!  end    "FWTAPEND" | records u64 | first ns u64 | last ns u64 | bytes before u64 | CRC32C of these u32 | 0 x 4
//! ```

use fusewire_core::instrument::Market;
use fusewire_core::journal::crc32c;

/// First bytes of a tape.
pub const MAGIC: [u8; 8] = *b"FWTAPE\0\0";
/// First bytes of a block.
pub const BLOCK_MAGIC: [u8; 4] = *b"FWBL";
/// First bytes of the end.
pub const END_MAGIC: [u8; 8] = *b"FWTAPEND";
/// The layout that this build reads and writes.
pub const VERSION: u32 = 1;
/// Bytes of the head.
pub const HEAD_BYTES: usize = 16;
/// Bytes of the head of a block.
pub const BLOCK_HEAD_BYTES: usize = 16;
/// Bytes of the head of a record.
pub const RECORD_HEAD_BYTES: usize = 16;
/// Bytes of the end.
pub const END_BYTES: usize = 48;
/// A block is closed at this size, in bytes: small against memory, large against a page. A record that is larger
/// has a block of its own.
pub const BLOCK_BYTES: usize = 1 << 20;
/// Largest block, in bytes: no capture has a line as long.
pub const BLOCK_BYTES_MAX: usize = 1 << 28;

/// Head of a tape of this market.
#[must_use]
pub fn head(market: Market) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[12] = market as u8;
    head
}

/// The market of a tape by its head.
///
/// # Errors
/// What is wrong with the head.
pub fn market_of(head: &[u8; HEAD_BYTES]) -> Result<Market, String> {
    let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if version != VERSION {
        return Err(format!("a tape of version {version}, and this build reads version {VERSION}"));
    }
    let market = [Market::UsdM, Market::CoinM, Market::Spot]
        .into_iter()
        .find(|market| *market as u8 == head[12]);
    market.filter(|_| head[13..] == [0; 3]).ok_or_else(|| "its head is damaged".to_owned())
}

/// Head of a block of these records.
#[must_use]
pub fn block_head(records: u32, block: &[u8]) -> [u8; BLOCK_HEAD_BYTES] {
    let mut head = [0; BLOCK_HEAD_BYTES];
    head[..4].copy_from_slice(&BLOCK_MAGIC);
    let bytes = u32::try_from(block.len()).unwrap_or(u32::MAX);
    for (at, number) in [(4, bytes), (8, records), (12, crc32c(block))] {
        head[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    // The checksum is over the two counts as well.
    let crc = crc32c(&head);
    head[12..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// The end of a tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Records in all blocks.
    pub records: u64,
    /// Receive time of the first, in ns since 1970.
    pub first: u64,
    /// Latest receive time, likewise.
    pub last: u64,
    /// Bytes of the file in front of the end.
    pub before: u64,
}

impl End {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; END_BYTES] {
        let mut end = [0; END_BYTES];
        end[..8].copy_from_slice(&END_MAGIC);
        for (at, number) in (8..).step_by(8).zip([self.records, self.first, self.last, self.before])
        {
            end[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let crc = crc32c(&end[..40]);
        end[40..44].copy_from_slice(&crc.to_le_bytes());
        end
    }

    /// The end that these bytes are; none when they are none, or damaged.
    #[must_use]
    pub fn decode(bytes: &[u8; END_BYTES]) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let end = Self { records: word(8)?, first: word(16)?, last: word(24)?, before: word(32)? };
        (end.encode() == *bytes).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_ends_are_read_back_and_nothing_else_is() {
        for market in [Market::UsdM, Market::CoinM, Market::Spot] {
            assert_eq!(market_of(&head(market)), Ok(market));
        }
        let mut other = head(Market::Spot);
        other[8] = 2;
        assert!(market_of(&other).unwrap_err().contains("version 2"));
        for (at, byte) in [(12, 9), (15, 1)] {
            let mut damaged = head(Market::Spot);
            damaged[at] = byte;
            assert_eq!(market_of(&damaged), Err("its head is damaged".to_owned()));
        }
        let end = End { records: 3, first: 1, last: 9, before: 16 };
        assert_eq!(End::decode(&end.encode()), Some(end));
        for at in 0..END_BYTES {
            let mut damaged = end.encode();
            damaged[at] ^= 1;
            assert_eq!(End::decode(&damaged), None, "byte {at}");
        }
    }
}
