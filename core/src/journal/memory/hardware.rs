//! CRC32C by the processor's instruction for it, of what is short: a record, a slot of the control page.
//!
//! A record is copied in the same pass. Checksumming it where it was just copied to would wait for the wide
//! stores of the copy, which costs as much again.

use super::super::checksum::crc32c;

/// Bytes of what a record's checksum covers: head, payload, stamp, and zeros up to a multiple of eight.
pub(in super::super) const fn laid_out_bytes(payload: usize) -> usize {
    (8 + payload + 8 + 7) & !7
}

/// Lays out what a record's checksum covers: head, payload, stamp, and zeros up to the end of `to`, which has
/// room for no more than seven of them. Returns its CRC32C.
///
/// # Panics
/// `to` has another length.
pub(in super::super) fn lay_out(to: &mut [u8], head: u64, payload: &[u8], stamp: u64) -> u32 {
    assert!(to.len() == laid_out_bytes(payload.len()), "the record's own length");
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has the instructions that this function is compiled to; it asks for nothing
        // else.
        return unsafe { sse42::lay_out(to, head, payload, stamp) };
    }
    lay_out_anywhere(to, head, payload, stamp)
}

/// CRC32C of some numbers, little endian.
pub(in super::super) fn crc32c_of<const N: usize>(words: &[u64; N]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: as above.
        return unsafe { sse42::crc32c_of(words) };
    }
    crc32c(words.map(u64::to_le_bytes).as_flattened())
}

fn lay_out_anywhere(to: &mut [u8], head: u64, payload: &[u8], stamp: u64) -> u32 {
    let (first, rest) = to.split_at_mut(8);
    first.copy_from_slice(&head.to_le_bytes());
    let (middle, rest) = rest.split_at_mut(payload.len());
    middle.copy_from_slice(payload);
    let (last, zeros) = rest.split_at_mut(8);
    last.copy_from_slice(&stamp.to_le_bytes());
    zeros.fill(0);
    crc32c(to)
}

#[cfg(target_arch = "x86_64")]
mod sse42 {
    use std::arch::x86_64::_mm_crc32_u64;

    /// Before the first byte, and put over the result.
    const ONES: u64 = 0xFFFF_FFFF;

    #[target_feature(enable = "sse4.2")]
    pub(super) fn lay_out(to: &mut [u8], head: u64, payload: &[u8], stamp: u64) -> u32 {
        let (words, odd) = payload.as_chunks::<8>();
        let (to, _) = to.as_chunks_mut::<8>();
        let [first, to @ ..] = to else { return 0 };
        *first = head.to_le_bytes();
        let mut crc = _mm_crc32_u64(ONES, head);
        let (middle, last) = to.split_at_mut(words.len());
        for (to, word) in middle.iter_mut().zip(words) {
            *to = *word;
            crc = _mm_crc32_u64(crc, u64::from_le_bytes(*word));
        }
        // The stamp stands right behind the payload, so that it may lie in two words.
        let odd_bits = 8 * odd.len() as u32;
        let both = u128::from(stamp) << odd_bits | u128::from(last_word(payload, odd.len()));
        for (to, word) in last.iter_mut().zip([both as u64, (both >> 64) as u64]) {
            *to = word.to_le_bytes();
            crc = _mm_crc32_u64(crc, word);
        }
        (crc ^ ONES) as u32
    }

    /// The last bytes, fewer than eight, as the low end of a word.
    fn last_word(payload: &[u8], count: usize) -> u64 {
        match payload.last_chunk() {
            // In two steps, because by 64 no number can be shifted.
            Some(word) => u64::from_le_bytes(*word) >> 8 >> (56 - 8 * count as u32),
            None => payload.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    }

    #[target_feature(enable = "sse4.2")]
    pub(super) fn crc32c_of<const N: usize>(words: &[u64; N]) -> u32 {
        let crc = words.iter().fold(ONES, |crc, word| _mm_crc32_u64(crc, *word));
        (crc ^ ONES) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length of a last word, without random numbers: Miri runs this.
    #[test]
    fn a_payload_of_any_length_is_laid_out() {
        let all: Vec<u8> = (1..=40).collect();
        for length in 0..=all.len() {
            let payload = &all[..length];
            let bytes = laid_out_bytes(length);
            let (mut fast, mut plain) = (vec![0xAA; bytes], vec![0x55; bytes]);
            let crc = lay_out(&mut fast, 1, payload, u64::MAX - 2);
            assert_eq!(crc, lay_out_anywhere(&mut plain, 1, payload, u64::MAX - 2));
            assert_eq!(fast, plain, "{length} bytes");
        }
        assert_eq!(crc32c_of(&[1, 2, 3]), crc32c(&[1_u64, 2, 3].map(u64::to_le_bytes).concat()));
    }

    /// Not under Miri, which would be at it for minutes.
    #[cfg(not(miri))]
    mod any {
        use proptest::collection::vec;
        use proptest::prelude::*;

        use super::super::*;

        proptest! {
            #[test]
            fn both_ways_lay_out_the_same_bytes(
                head in any::<u64>(), payload in vec(any::<u8>(), 0..300), stamp in any::<u64>(),
            ) {
                let bytes = laid_out_bytes(payload.len());
                let (mut fast, mut plain) = (vec![0xAA; bytes], vec![0x55; bytes]);
                let crc = lay_out(&mut fast, head, &payload, stamp);
                prop_assert_eq!(crc, lay_out_anywhere(&mut plain, head, &payload, stamp));
                prop_assert_eq!(&fast, &plain);
                prop_assert_eq!(crc, crc32c(&fast));
            }

            #[test]
            fn words_have_the_checksum_of_their_bytes(words in any::<[u64; 3]>()) {
                let bytes = words.map(u64::to_le_bytes);
                prop_assert_eq!(crc32c_of(&words), crc32c(bytes.as_flattened()));
            }
        }
    }
}
