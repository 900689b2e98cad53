//! Checksums of the journal: CRC32C, seeded with the place so that a stale or misplaced record can not pass.

/// Odd, so that multiplying by it loses nothing: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// CRC32C (Castagnoli) of some bytes, by hardware where there is some.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// What checksums within one segment are seeded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(u64);

impl Seed {
    /// The seed of a segment. `lane` is the number in its head.
    pub(super) const fn new(session: u64, lane: u8, segment: u32) -> Self {
        Self(fold(fold(session) ^ ((lane as u64) << 32 | segment as u64)))
    }

    /// What is put over the checksum of `length` bytes at `offset`.
    pub(super) const fn at(self, offset: u32, length: u32) -> u32 {
        fold(self.0 ^ ((offset as u64) << 32 | length as u64)) as u32
    }
}

/// Spreads a number over all its bits; different numbers stay different.
const fn fold(number: u64) -> u64 {
    let spread = number.wrapping_mul(SPREAD);
    spread ^ spread >> 32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_the_castagnoli_polynomial() {
        // The check value of the catalogue for CRC-32/ISCSI.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn each_part_of_a_place_changes_the_seed() {
        let mut seen = BTreeSet::new();
        for session in 1..4 {
            for lane in 0..5 {
                for segment in 1..4 {
                    let seed = Seed::new(session, lane, segment);
                    for offset in (128..640).step_by(8) {
                        seen.insert(seed.at(offset, 64));
                    }
                    for length in (72..200).step_by(8) {
                        seen.insert(seed.at(128, length));
                    }
                }
            }
        }
        assert_eq!(seen.len(), 3 * 5 * 3 * (64 + 16));
    }
}
