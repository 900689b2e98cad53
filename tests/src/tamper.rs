//! Changes records of a journal as somebody would who knows the format: the payload is another, and
//! the checksum holds again.
//!
//! The layout stands here once more, on purpose: as `docs/journal.md` gives it, and not as the program
//! computes it.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes before the first record of a segment.
const HEAD_BYTES: usize = 128;
/// Bytes before the payload of a record.
const RECORD_HEAD_BYTES: usize = 16;
/// In place of a length: the lane goes on in the next segment.
const GOES_ON: u32 = u32::MAX;

/// A record where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its file.
    pub file: PathBuf,
    /// Where it begins there.
    pub offset: usize,
    /// Its kind.
    pub kind: u8,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Place {
    /// Bytes of the record with its head, its trailer and what fills it up.
    fn length(&self, bytes: &[u8]) -> usize {
        u32_at(bytes, self.offset) as usize
    }

    /// Puts another payload of the same length in its place, and the checksum that belongs to it.
    ///
    /// # Panics
    /// The length is another, or the file can not be changed.
    pub fn rewrite(&self, payload: &[u8]) {
        assert_eq!(payload.len(), self.payload.len(), "the record keeps its length");
        self.change(|record| {
            record[RECORD_HEAD_BYTES..RECORD_HEAD_BYTES + payload.len()].copy_from_slice(payload);
        });
    }

    /// Puts another trailer in its place, likewise.
    ///
    /// # Panics
    /// The file can not be changed.
    pub fn rewrite_stamp(&self, stamp: u64) {
        let at = RECORD_HEAD_BYTES + self.payload.len();
        self.change(|record| record[at..at + 8].copy_from_slice(&stamp.to_le_bytes()));
    }

    /// Makes it a record of another kind.
    ///
    /// # Panics
    /// The file can not be changed.
    pub fn rewrite_kind(&self, kind: u8) {
        self.change(|record| record[12] = kind);
    }

    fn change(&self, change: impl FnOnce(&mut [u8])) {
        let mut bytes = fs::read(&self.file).expect("the record was read from there");
        let seed = seed(&bytes);
        let length = self.length(&bytes);
        let record = &mut bytes[self.offset..self.offset + length];
        change(record);
        let place = fold(seed ^ ((self.offset as u64) << 32 | length as u64)) as u32;
        let crc = crc32c(&record[8..]) ^ place;
        record[4..8].copy_from_slice(&crc.to_le_bytes());
        fs::write(&self.file, bytes).expect("the journal is the test's own");
    }
}

/// All records of a lane, in order.
///
/// # Panics
/// There is no such lane, or it is not as the format says.
#[must_use]
pub fn records(dir: &Path, lane: &str) -> Vec<Place> {
    let mut records = Vec::new();
    for index in 1.. {
        let file = dir.join(format!("{lane}-{index:06}.seg"));
        let Ok(bytes) = fs::read(&file) else { break };
        if bytes.is_empty() {
            // Its writer died between making the file and giving it a size.
            break;
        }
        let seed = seed(&bytes);
        let mut offset = HEAD_BYTES;
        // Zeros follow where the journal was interrupted.
        while offset < bytes.len() && ![0, GOES_ON].contains(&u32_at(&bytes, offset)) {
            let length = u32_at(&bytes, offset) as usize;
            let record = &bytes[offset..offset + length];
            let place = fold(seed ^ ((offset as u64) << 32 | length as u64)) as u32;
            assert_eq!(u32_at(record, 4), crc32c(&record[8..]) ^ place, "{file:?} at {offset}");
            let end = RECORD_HEAD_BYTES + u32_at(record, 8) as usize;
            let payload = record[RECORD_HEAD_BYTES..end].to_vec();
            records.push(Place { file: file.clone(), offset, kind: record[12], payload });
            offset += length;
        }
    }
    assert!(!records.is_empty(), "{}: no lane {lane}", dir.display());
    records
}

/// Rewrites every record of a lane that `change` says it changed. Returns how many there were.
///
/// # Panics
/// As of `records`.
pub fn rewrite(dir: &Path, lane: &str, mut change: impl FnMut(u8, &mut [u8]) -> bool) -> usize {
    let mut changed = 0;
    for place in records(dir, lane) {
        let mut payload = place.payload.clone();
        if change(place.kind, &mut payload) {
            place.rewrite(&payload);
            changed += 1;
        }
    }
    changed
}

/// What the checksums of a segment are seeded with: session, lane and number from its head.
fn seed(bytes: &[u8]) -> u64 {
    let session = u64::from(u32_at(bytes, 16)) | u64::from(u32_at(bytes, 20)) << 32;
    let segment = u64::from(bytes[10]) << 32 | u64::from(u32_at(bytes, 12));
    fold(fold(session) ^ segment)
}

fn fold(number: u64) -> u64 {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    spread ^ spread >> 32
}

/// CRC32C bit by bit: slow, and nothing to get wrong.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes[at..at + 4].try_into().expect("four bytes were cut out");
    u32::from_le_bytes(four)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_castagnoli_polynomial() {
        // The check value of the catalogue for CRC-32/ISCSI.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
