//! Digits eight at a time: a word of text, lowest byte first, and what its bytes are.
//!
//! Both quick readers stand on this. A word of text XOR `ZEROS` holds the values of its digits; bytes
//! that are no digits become values above nine.

/// A one in every byte.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
/// The high bit of every byte.
pub(super) const HIGHS: u64 = ONES << 7;
/// Eight times the character `0`.
pub(super) const ZEROS: u64 = ONES * b'0' as u64;

/// Digits that always fit `i64`, whatever they are.
pub(super) const DIGITS_MAX: usize = 18;

/// Powers of ten.
pub(super) const POWERS: [i64; DIGITS_MAX + 1] = {
    let mut table = [1; DIGITS_MAX + 1];
    let mut i = 1;
    while i < table.len() {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// The lowest so many bytes of a word.
pub(super) const LOWEST: [u64; 9] = {
    let mut table = [u64::MAX; 9];
    let mut i = 0;
    while i < 8 {
        table[i] = (1 << (8 * i)) - 1;
        i += 1;
    }
    table
};

/// The high bit of every byte above nine.
///
/// A byte of 0x8A or more carries into the next one, so marks behind the first byte that is neither a
/// digit nor a dot or quote mean nothing. None is missing where all before it are right.
#[inline]
pub(super) fn above_nine(values: u64) -> u64 {
    (values.wrapping_add(ONES * 0x76) | values) & HIGHS
}

/// Number of bytes below the lowest mark: eight when there is none.
#[inline]
pub(super) fn bytes_below(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The number that eight digit values spell, the first in the lowest byte.
#[inline]
pub(super) fn join(values: u64) -> u64 {
    // Pairs, then fours, then all eight; each product leaves its result in the upper half of its lane.
    let pairs = values.wrapping_mul(2_561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> u64 {
        let mut bytes = *b"00000000";
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        u64::from_le_bytes(bytes) ^ ZEROS
    }

    proptest! {
        #[test]
        fn eight_digits_are_joined(number in 0..100_000_000_u64) {
            prop_assert_eq!(join(values(&format!("{number:08}"))), number);
        }

        #[test]
        fn marks_stand_on_the_first_byte_that_is_no_digit_and_on_the_one_behind_a_dot(
            before in "[0-9]{0,7}", after in "[0-9]{0,7}", bytes in any::<[u8; 8]>(),
        ) {
            let marks = above_nine(u64::from_le_bytes(bytes) ^ ZEROS);
            let first = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(8);
            prop_assert_eq!(bytes_below(marks), first);

            let text = format!("{before}.{after}\"{}", String::from_utf8_lossy(&bytes));
            let word = u64::from_le_bytes(text.as_bytes()[..8].try_into().unwrap_or_default());
            let marks = above_nine(word ^ ZEROS);
            let second = (before.len() + 1 + after.len()).min(8);
            prop_assert_eq!(bytes_below(marks), before.len());
            prop_assert_eq!(bytes_below(marks & marks.wrapping_sub(1)), second);
        }
    }
}
