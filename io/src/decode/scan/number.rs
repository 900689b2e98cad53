//! Numbers of the scanner: runs of digits, eight at a time. Every other form of a number is odd.

use fusewire_core::units::{DECIMALS, Nanos, Px, Qty, RATE_DECIMALS, Rate};

use super::super::digits::{DIGITS_MAX, POWERS, ZEROS, above_nine, bytes_below, join};
use super::{Odd, Scan, Step};

/// Value and number of the digits at the start of `text`. The value is right for up to `DIGITS_MAX`.
pub(in crate::decode) fn digits(text: &[u8]) -> (i64, usize) {
    let (mut value, mut count) = (0_u64, 0);
    while let Some(chunk) = text.get(count..).and_then(|rest| rest.first_chunk::<8>()) {
        let (part, length) = eight(u64::from_le_bytes(*chunk));
        value = value.wrapping_mul(POWERS[length].cast_unsigned()).wrapping_add(part);
        count += length;
        if length < 8 {
            return (value.cast_signed(), count);
        }
    }
    for byte in &text[count..] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (value.cast_signed(), count)
}

/// Value and number of the leading digits of eight bytes, the first in the lowest byte.
fn eight(word: u64) -> (u64, usize) {
    let values = word ^ ZEROS;
    let length = bytes_below(above_nine(values));
    if length == 0 {
        return (0, 0);
    }
    // Digits move to the end, zeros come before them.
    (join(values << (64 - 8 * length)), length)
}

impl Scan<'_> {
    /// An integer without fraction or exponent; `None` when not said.
    pub(in crate::decode) fn int(&mut self) -> Step<Option<i64>> {
        let (negative, text) = match self.rest {
            [b'-', text @ ..] => (true, text),
            text => (false, text),
        };
        let (value, count) = digits(text);
        let leading_zero = count > 1 && text[0] == b'0';
        if count == 0 || leading_zero {
            return self.unsaid().map(|()| None);
        }
        let after = &text[count..];
        if matches!(after, [b'.' | b'e' | b'E', ..]) {
            return Err(Odd);
        }
        let value = if count <= DIGITS_MAX { value } else { long(&text[..count])? };
        self.rest = after;
        Ok(Some(if negative { -value } else { value }))
    }

    /// Takes a number of any form that JSON allows.
    pub(super) fn skip_number(&mut self) -> Step<()> {
        let _ = self.expect(b'-');
        let zero = self.peek() == b'0';
        let whole = self.skip_digits()?;
        if zero && whole > 1 {
            return Err(Odd);
        }
        if self.expect(b'.').is_ok() {
            self.skip_digits()?;
        }
        if self.expect(b'e').or_else(|Odd| self.expect(b'E')).is_ok() {
            let _ = self.expect(b'-').or_else(|Odd| self.expect(b'+'));
            self.skip_digits()?;
        }
        Ok(())
    }

    /// Takes at least one digit; returns how many.
    fn skip_digits(&mut self) -> Step<usize> {
        let (_, count) = digits(self.rest);
        self.skip_bytes(count);
        if count > 0 { Ok(count) } else { Err(Odd) }
    }

    /// A time in milliseconds.
    pub(in crate::decode) fn time(&mut self) -> Step<Option<Nanos>> {
        match self.int()? {
            None => Ok(None),
            Some(millis) => Nanos::from_millis(millis).ok_or(Odd).map(Some),
        }
    }

    pub(in crate::decode) fn price(&mut self) -> Step<Option<Px>> {
        Ok(self.amount(DECIMALS)?.map(Px))
    }

    pub(in crate::decode) fn qty(&mut self) -> Step<Option<Qty>> {
        Ok(self.amount(DECIMALS)?.map(Qty))
    }

    /// An amount that may exceed one order's range; the larger ones are odd.
    pub(in crate::decode) fn sum(&mut self) -> Step<Option<i128>> {
        Ok(self.amount(DECIMALS)?.map(i128::from))
    }

    pub(in crate::decode) fn rate(&mut self) -> Step<Option<Rate>> {
        if let [b'"', b'-', text @ ..] = self.rest {
            let (value, rest) = decimal(text, RATE_DECIMALS)?;
            self.rest = rest;
            return Ok(Some(Rate(-value)));
        }
        Ok(self.amount(RATE_DECIMALS)?.map(Rate))
    }

    /// A decimal string of zero or more; `None` when not said.
    fn amount(&mut self, decimals: u32) -> Step<Option<i64>> {
        match self.rest {
            [b'"', b'"', ..] | [b'n', ..] => self.unsaid().map(|()| None),
            [b'"', text @ ..] => {
                let (value, rest) = decimal(text, decimals)?;
                self.rest = rest;
                Ok(Some(value))
            }
            _ => Err(Odd),
        }
    }
}

/// Value and number of the digits at the start of `text`, one at a time: for the few of a price this is
/// quicker than eight at a time. The value is right for up to `DIGITS_MAX`.
#[inline]
fn few_digits(text: &[u8]) -> (i64, usize) {
    let mut value = 0_i64;
    for (at, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (value, at);
        }
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    (value, text.len())
}

/// A decimal of zero or more that ends in a quote: its scaled value, and what stands behind the quote.
/// `text` begins behind the opening quote.
#[inline]
pub(in crate::decode) fn decimal(text: &[u8], decimals: u32) -> Step<(i64, &[u8])> {
    let (whole, count) = few_digits(text);
    let (value, places, after) = match &text[count..] {
        [b'.', fraction @ ..] => {
            let (part, places) = few_digits(fraction);
            if places == 0 || count + places > DIGITS_MAX {
                return Err(Odd);
            }
            (whole * POWERS[places] + part, places, &fraction[places..])
        }
        after if count <= DIGITS_MAX => (whole, 0, after),
        _ => return Err(Odd),
    };
    let [b'"', after @ ..] = after else { return Err(Odd) };
    let missing = (decimals as usize).checked_sub(places).ok_or(Odd)?;
    if count == 0 {
        return Err(Odd);
    }
    Ok((value.checked_mul(POWERS[missing]).ok_or(Odd)?, after))
}

/// More digits than the quick way takes: ids may have 19.
#[cold]
fn long(text: &[u8]) -> Step<i64> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Odd)
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::parse_fixed;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_agree_with_a_plain_loop(text in "[0-9]{0,18}[^0-9]{0,9}") {
            let expected: String = text.chars().take_while(char::is_ascii_digit).collect();
            let (value, count) = digits(text.as_bytes());
            prop_assert_eq!(count, expected.len());
            prop_assert_eq!(value, expected.parse().unwrap_or(0));
        }

        #[test]
        fn a_decimal_is_read_as_the_core_reads_it_or_is_odd(
            text in "[0-9]{0,12}(\\.[0-9]{0,10})?", tail in "[,}\\]0-9 ]{0,9}",
        ) {
            let frame = format!("\"{text}\"{tail}");
            let mut scan = Scan::new(frame.as_bytes());
            match scan.amount(DECIMALS) {
                Ok(Some(value)) => {
                    prop_assert_eq!(Ok(i128::from(value)), parse_fixed(text.as_bytes(), DECIMALS));
                    prop_assert_eq!(scan.rest(), tail.as_bytes());
                }
                Ok(None) => prop_assert_eq!(text, ""),
                // Beyond 8 decimals only zeros are exact, and the reference reads those.
                Err(Odd) => prop_assert!(
                    Px::parse(text.as_bytes()).is_err()
                        || text.split_once('.').is_some_and(|(_, places)| places.len() > 8)
                        || text.len() > DIGITS_MAX
                ),
            }
        }
    }
}
