//! Decimal text to scaled integer and back, exactly.

use std::fmt;

use thiserror::Error;

/// Why a decimal text is no value of a unit.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NumberError {
    /// The text is no decimal number of the form `-12.34E-5`.
    #[error("not a decimal number")]
    Syntax,
    /// The value has more decimal places than the unit keeps. Rounding silently would change it.
    #[error("more decimal places than the unit keeps")]
    Inexact,
    /// The value does not fit the unit.
    #[error("out of range")]
    OutOfRange,
}

/// Longest number text that is looked at, in bytes. Exchanges send at most about 30.
const TEXT_BYTES_MAX: usize = 128;
/// Exponents beyond this are refused before any arithmetic; they could only be zero or out of range.
const EXPONENT_MAX: i32 = 1_000;

/// Reads `-?digits(.digits)?([eE][+-]?digits)?` and returns the value times 10^`decimals`, exactly.
///
/// # Errors
/// `Syntax` for any other text, `Inexact` when the value is no multiple of 10^-`decimals`,
/// `OutOfRange` when the result does not fit `i128`.
pub fn parse_fixed(text: &[u8], decimals: u32) -> Result<i128, NumberError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(NumberError::Syntax);
    }
    let (negative, body) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match body.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&body[..at], parse_exponent(&body[at + 1..])?),
        None => (body, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|&b| b == b'.') {
        Some(at) => (&mantissa[..at], digits(&mantissa[at + 1..])?),
        None => (mantissa, &[][..]),
    };
    let whole = digits(whole)?;
    let places = i32::try_from(fraction.len()).map_err(|_| NumberError::Syntax)?;
    let shift = exponent - places + i32::try_from(decimals).map_err(|_| NumberError::OutOfRange)?;
    let magnitude = scale(whole, fraction, shift)?;
    Ok(if negative { -magnitude } else { magnitude })
}

/// The digits of `whole` and `fraction` as one integer, times 10^`shift`.
fn scale(whole: &[u8], fraction: &[u8], shift: i32) -> Result<i128, NumberError> {
    let mut digits = whole.iter().chain(fraction).map(|b| i128::from(b - b'0'));
    let count = whole.len() + fraction.len();
    let dropped = usize::try_from(-shift).unwrap_or(0).min(count);
    let mut value: i128 = 0;
    for digit in digits.by_ref().take(count - dropped) {
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(digit))
            .ok_or(NumberError::OutOfRange)?;
    }
    if digits.any(|digit| digit != 0) {
        return Err(NumberError::Inexact);
    }
    if value == 0 {
        return Ok(0);
    }
    for _ in 0..shift.max(0) {
        value = value.checked_mul(10).ok_or(NumberError::OutOfRange)?;
    }
    Ok(value)
}

fn digits(text: &[u8]) -> Result<&[u8], NumberError> {
    let valid = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if valid { Ok(text) } else { Err(NumberError::Syntax) }
}

fn parse_exponent(text: &[u8]) -> Result<i32, NumberError> {
    let (negative, body) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = digits(body)?.iter().fold(0_i32, |value, b| {
        value.saturating_mul(10).saturating_add(i32::from(b - b'0')).min(EXPONENT_MAX)
    });
    Ok(if negative { -magnitude } else { magnitude })
}

/// Prints without trailing zeros: `61659.7`, `0.00001`, `-3`.
pub(super) fn write_minimal(f: &mut fmt::Formatter<'_>, raw: i128, decimals: u32) -> fmt::Result {
    let unit = 10_u128.pow(decimals);
    let mut fraction = raw.unsigned_abs() % unit;
    let mut places = decimals;
    while places > 0 && fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    write_places(f, raw, decimals, places)
}

/// Prints exactly `places` decimals; digits beyond are cut.
pub(super) fn write_places(
    f: &mut fmt::Formatter<'_>,
    raw: i128,
    decimals: u32,
    places: u32,
) -> fmt::Result {
    let unit = 10_u128.pow(decimals);
    let magnitude = raw.unsigned_abs();
    let sign = if raw < 0 { "-" } else { "" };
    let whole = magnitude / unit;
    if places == 0 {
        return write!(f, "{sign}{whole}");
    }
    let kept = places.min(decimals);
    let fraction = magnitude % unit / 10_u128.pow(decimals - kept);
    let kept_width = kept as usize;
    write!(f, "{sign}{whole}.{fraction:0kept_width$}")?;
    (kept..places).try_for_each(|_| f.write_str("0"))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::super::{DECIMALS, NumberError, Px, Qty, Rate, Round, UsdSum, div_round};
    use super::*;

    /// The same definition in big integers: strip the dot, shift by the exponent, demand a whole result.
    fn oracle(text: &str, decimals: u32) -> Option<Option<BigInt>> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let shift = exponent + i64::from(decimals) - i64::try_from(fraction.len()).ok()?;
        let power = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).ok()?);
        if shift >= 0 {
            return Some(Some(digits * power));
        }
        Some((&digits % &power == BigInt::ZERO).then(|| digits / power))
    }

    proptest! {
        #[test]
        fn parse_agrees_with_big_integers(
            text in "-?[0-9]{1,25}(\\.[0-9]{1,14})?([eE][+-]?[0-9]{1,2})?",
        ) {
            let expected = oracle(&text, DECIMALS).unwrap();
            match parse_fixed(text.as_bytes(), DECIMALS) {
                Ok(value) => prop_assert_eq!(Some(BigInt::from(value)), expected),
                Err(NumberError::Inexact) => prop_assert_eq!(expected, None),
                Err(NumberError::OutOfRange) => {
                    if let Some(value) = expected {
                        prop_assert!(value.magnitude() > BigInt::from(i128::MAX / 100).magnitude());
                    }
                }
                Err(NumberError::Syntax) => prop_assert!(false, "{} is a decimal", text),
            }
        }

        #[test]
        fn any_bytes_parse_or_fail_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_fixed(&bytes, DECIMALS);
        }

        #[test]
        fn display_round_trips(raw in any::<i64>()) {
            prop_assert_eq!(Px::parse(Px(raw).to_string().as_bytes()), Ok(Px(raw)));
            let long = Px(raw).with_places(10).to_string();
            prop_assert_eq!(Px::parse(long.as_bytes()), Ok(Px(raw)));
        }

        #[test]
        fn div_round_agrees_with_big_integers(n in any::<i128>(), d in any::<i128>()) {
            prop_assume!(d != 0 && n != i128::MIN && d != i128::MIN);
            let (big_n, big_d) = (BigInt::from(n), BigInt::from(d));
            let value = |round| BigInt::from(div_round(n, d, round).unwrap());
            let distance = |quotient: &BigInt| (quotient * &big_d - &big_n).magnitude().clone();
            let (down, up) = (value(Round::Down), value(Round::Up));
            prop_assert!(&up - &down <= BigInt::from(1));
            // Down <= exact <= up, compared without division.
            let sign = BigInt::from(if d > 0 { 1 } else { -1 });
            prop_assert!(&down * &big_d * &sign <= &big_n * &sign);
            prop_assert!(&up * &big_d * &sign >= &big_n * &sign);
            prop_assert_eq!(value(Round::Truncate), &big_n / &big_d);
            let even = value(Round::HalfEven);
            prop_assert!(even == down || even == up);
            let other = if even == down { &up } else { &down };
            prop_assert!(distance(&even) <= distance(other));
            if down != up && distance(&down) == distance(&up) {
                prop_assert_eq!(&even % 2, BigInt::ZERO);
            }
        }

        #[test]
        fn notional_and_fees_agree_with_big_integers(
            price in any::<i64>(), qty in any::<i64>(), rate in -10_i64.pow(10)..10_i64.pow(10),
        ) {
            let exact = BigInt::from(price) * qty;
            let down = BigInt::from(Px(price).notional(Qty(qty), Round::Down).0);
            let up = BigInt::from(Px(price).notional(Qty(qty), Round::Up).0);
            let one = BigInt::from(super::super::ONE);
            prop_assert!(&down * &one <= exact && exact <= &up * &one);
            prop_assert!(&up - &down <= BigInt::from(1));
            let amount = UsdSum(i128::from(price));
            let fee = BigInt::from(amount.times(Rate(rate), Round::Up).unwrap().0);
            let exact_fee = BigInt::from(price) * rate;
            let unit = BigInt::from(10).pow(12);
            prop_assert!(&fee * &unit >= exact_fee && (fee - 1) * unit < exact_fee);
        }
    }

    #[test]
    fn bounds_are_errors_not_wraps() {
        assert_eq!(Px::parse(b"92233720368.54775807"), Ok(Px(i64::MAX)));
        assert_eq!(Px::parse(b"92233720368.54775808"), Err(NumberError::OutOfRange));
        assert_eq!(Px::parse(b"-92233720368.54775808"), Ok(Px(i64::MIN)));
        assert_eq!(Px::parse(b"1E-9"), Err(NumberError::Inexact));
        assert_eq!(Px::parse(b"1.2E-7"), Ok(Px(12)));
        assert_eq!(Px::parse(b"0E-8"), Ok(Px(0)));
        assert_eq!(Px::parse(b"0e999999999999"), Ok(Px(0)));
        assert_eq!(Px::parse(b"1e999999999999"), Err(NumberError::OutOfRange));
        for bad in ["", "-", ".5", "5.", "1e", "1e+", "+1", "1 ", "0x1", "1.2.3", "NaN", "--1"] {
            assert_eq!(Px::parse(bad.as_bytes()), Err(NumberError::Syntax), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_read_up_to_their_bound() {
        let parse = |length| Px::parse("0".repeat(length).as_bytes());
        assert_eq!(parse(TEXT_BYTES_MAX), Ok(Px(0)));
        for length in [TEXT_BYTES_MAX + 1, TEXT_BYTES_MAX + 2] {
            assert_eq!(parse(length), Err(NumberError::Syntax));
        }
    }

    #[test]
    fn text_forms() {
        assert_eq!(Px(6_165_970_000_000).to_string(), "61659.7");
        assert_eq!(Px(6_165_970_000_000).with_places(2).to_string(), "61659.70");
        assert_eq!(Px(-1).to_string(), "-0.00000001");
        assert_eq!(Px(300_000_000).with_places(0).to_string(), "3");
        assert_eq!(Px::ZERO.to_string(), "0");
    }

    /// X17: 3.14 bp is a rate of 0.000314, not 31.4 bp.
    #[test]
    fn x17_basis_points_are_a_unit() {
        let fee = Rate::try_from(super::super::Bps::parse(b"3.14").unwrap());
        assert_eq!(fee, Rate::parse(b"0.000314"));
    }
}
