//! Decimals of history files. Some were floating-point numbers once and have more places than a price, a quantity or
//! a rate has here: those are rounded, and the caller counts them.

use rust_decimal::{Decimal, RoundingStrategy};

/// A decimal as a whole number at `places` places, and whether it had to be rounded.
///
/// # Errors
/// The text is no number (`NaN` and `None` are none), or out of range.
pub(super) fn fixed(text: &str, places: u32) -> Result<(i128, bool), &'static str> {
    let text = text.trim();
    let parsed =
        if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { text.parse() };
    let exact = parsed.map_err(|_| "is no number")?;
    let rounded = exact.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven);
    let missing = places.checked_sub(rounded.scale()).ok_or("is out of range")?;
    let scaled = 10_i128.checked_pow(missing).and_then(|by| rounded.mantissa().checked_mul(by));
    scaled.map(|raw| (raw, rounded != exact)).ok_or("is out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_rounded_and_said_to_be() {
        assert_eq!(fixed("95505.4", 8), Ok((9_550_540_000_000, false)));
        assert_eq!(fixed(" -0.00012359", 12), Ok((-123_590_000, false)));
        assert_eq!(fixed("1.2500000000000006e-05", 12), Ok((12_500_000, true)));
        assert_eq!(fixed("2.6e-05", 12), Ok((26_000_000, false)));
        assert_eq!(fixed("0.000658153991747989", 12), Ok((658_153_992, true)));
        assert_eq!(fixed("0.0000000050", 8), Ok((0, true)), "half to even");
        assert_eq!(fixed("5", 0), Ok((5, false)));
        for text in ["", "NaN", "None", "inf", "-", "1,5", "0x10", "1e", "1 2", "null"] {
            assert_eq!(fixed(text, 8), Err("is no number"), "{text:?}");
        }
        assert!(fixed(&"9".repeat(60), 8).is_err());
    }
}
