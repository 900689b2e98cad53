//! Text into a fixed buffer, piece by piece. A piece whose length is not known beforehand is copied as a
//! whole slot, with what happens to lie behind it, because a copy of constant length is a few moves and
//! one of any length is a call.

use fusewire_core::units::ONE;

use super::REQUEST_BYTES;

/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = 32;
/// Longest number: sign, eleven digits, point, eight decimals.
pub(super) const NUMBER_BYTES_MAX: usize = "-92233720368.54775808".len();
/// Digits of the largest integer.
const INTEGER_BYTES_MAX: usize = "18446744073709551615".len();
/// Decimals of a number at 1e-8.
const DECIMALS: usize = 8;
/// Where the point of a number is written. Its digits lie before and behind, and a slot that begins at the
/// first one ends within the array.
const POINT: usize = 24;
const _: () = assert!(NUMBER_BYTES_MAX <= SLOT_BYTES && INTEGER_BYTES_MAX <= POINT);

/// All pairs of digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// A text that grows.
pub(super) struct Text<'a> {
    bytes: &'a mut [u8; REQUEST_BYTES],
    len: usize,
}

impl<'a> Text<'a> {
    /// Empty.
    pub(super) fn new(bytes: &'a mut [u8; REQUEST_BYTES]) -> Self {
        Self { bytes, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn put<const N: usize>(&mut self, piece: &[u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(piece);
        self.len += N;
    }

    /// The first `len` bytes of a slot.
    pub(super) fn put_slot(&mut self, slot: &[u8; SLOT_BYTES], len: usize) {
        self.bytes[self.len..self.len + SLOT_BYTES].copy_from_slice(slot);
        self.len += len;
    }

    /// Sixteen hexadecimal digits.
    pub(super) fn hex(&mut self, number: u64) {
        let halves = [(number >> 32) as u32, number as u32].map(hex_digits);
        self.put(&halves[0]);
        self.put(&halves[1]);
    }

    pub(super) fn integer(&mut self, number: u64) {
        let mut digits = [0; POINT + SLOT_BYTES];
        let start = write_back(&mut digits, number);
        self.put_from(&digits, start, POINT - start);
    }

    /// A number at 1e-8 with so many decimals, or with as many more as it takes to say it exactly.
    pub(super) fn number(&mut self, raw: i64, places: usize) {
        let magnitude = raw.unsigned_abs();
        let (whole, part) = (magnitude / ONE.unsigned_abs(), magnitude % ONE.unsigned_abs());
        let mut digits = [0; POINT + SLOT_BYTES];
        let mut start = write_back(&mut digits, whole);
        if raw < 0 {
            start -= 1;
            digits[start] = b'-';
        }
        digits[POINT] = b'.';
        let decimals = decimal_digits(part as u32);
        digits[POINT + 1..=POINT + DECIMALS].copy_from_slice(&decimals);
        let places = places_of(&decimals, places);
        // Without decimals there is no point either.
        let end = if places == 0 { POINT } else { POINT + 1 + places };
        self.put_from(&digits, start, end - start);
    }

    /// The `len` bytes from `start` on.
    fn put_from(&mut self, digits: &[u8; POINT + SLOT_BYTES], start: usize, len: usize) {
        let slot = &digits[start..start + SLOT_BYTES];
        self.bytes[self.len..self.len + SLOT_BYTES].copy_from_slice(slot);
        self.len += len;
    }
}

/// Writes an integer so that it ends where the point would be; returns where it starts.
fn write_back(digits: &mut [u8; POINT + SLOT_BYTES], number: u64) -> usize {
    let (mut rest, mut start) = (number, POINT);
    while rest >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 || number == 0 {
        start -= 1;
        digits[start] = b'0' + rest as u8;
    }
    start
}

/// The eight digits of a number below 1e8.
fn decimal_digits(part: u32) -> [u8; DECIMALS] {
    let (high, low) = (part / 10_000, part % 10_000);
    let pairs = [high / 100, high % 100, low / 100, low % 100].map(|pair| PAIRS[pair as usize]);
    let [[a, b], [c, d], [e, f], [g, h]] = pairs;
    [a, b, c, d, e, f, g, h]
}

/// `places`, or more when a digit behind them is not zero: an order never leaves at another price than it
/// was approved at.
fn places_of(decimals: &[u8; DECIMALS], places: usize) -> usize {
    // Zeros are the digits' least; with the first digit lowest, what lies behind `places` is the high end.
    let nonzero = u64::from_le_bytes(*decimals) ^ u64::from_le_bytes([b'0'; DECIMALS]);
    let exact = DECIMALS - (nonzero.leading_zeros() / 8) as usize;
    places.max(exact)
}

/// The eight hexadecimal digits of a number, all at once: one nibble a byte, then letters where it takes them.
fn hex_digits(number: u32) -> [u8; 8] {
    let spread = u64::from(number);
    let spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF;
    let spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // Ten and more carry into the high half of their byte when six is added.
    let letters = ((nibbles + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let to_letter = u64::from(b'a' - b'0' - 10);
    (nibbles + 0x3030_3030_3030_3030 + letters * to_letter).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Text<'_>)) -> String {
        let mut bytes = [b'#'; REQUEST_BYTES];
        let mut text = Text::new(&mut bytes);
        text.put(b"<");
        write(&mut text);
        let len = text.len();
        assert_eq!(bytes[0], b'<');
        String::from_utf8(bytes[1..len].to_vec()).unwrap()
    }

    /// Numbers of every length.
    fn any_length() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64_u32).prop_map(|(number, cut)| number >> cut)
    }

    proptest! {
        #[test]
        fn integers_are_written_as_the_standard_library_does(number in any_length()) {
            prop_assert_eq!(written(|text| text.integer(number)), number.to_string());
            prop_assert_eq!(written(|text| text.hex(number)), format!("{number:016x}"));
        }
    }

    #[test]
    fn borders_of_lengths() {
        let powers = (0..20).map(|n| 10_u64.pow(n));
        for number in powers.flat_map(|power| [power - 1, power, power + 1]).chain([u64::MAX]) {
            assert_eq!(written(|text| text.integer(number)), number.to_string());
        }
    }

    #[test]
    fn decimals_are_those_asked_for_or_as_many_as_it_takes() {
        let number = |raw, places| written(|text| text.number(raw, places));
        for (raw, places, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (1, 0, "0.00000001"),
            (10, 2, "0.0000001"),
            (ONE, 0, "1"),
            (12 * ONE + ONE / 10, 2, "12.10"),
            (12 * ONE + ONE / 1_000, 2, "12.001"),
            (12 * ONE + ONE / 10, 0, "12.1"),
            (-ONE / 2, 3, "-0.500"),
            (i64::MAX, 8, "92233720368.54775807"),
            (i64::MIN, 0, "-92233720368.54775808"),
        ] {
            assert_eq!(number(raw, places), expected);
        }
    }
}
