//! Decimals of a trial's results: exact texts in the registry, whole numbers in the table.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::export::table::Decimal;

/// A decimal with at most so many places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed<const PLACES: u32>(pub i128);

impl<const PLACES: u32> Fixed<PLACES> {
    /// The nearest one; none for what is no number or out of range.
    #[must_use]
    pub fn of_f64(value: f64) -> Option<Self> {
        /// A double beyond this has no places left anyway.
        const LARGEST: f64 = 1e36;
        let scaled = value * 10_i128.pow(PLACES) as f64;
        (scaled.abs() < LARGEST).then(|| Self(scaled.round() as i128))
    }
}

impl<const PLACES: u32> fmt::Display for Fixed<PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { raw: self.0, scale: PLACES }.fmt(f)
    }
}

impl<const PLACES: u32> FromStr for Fixed<PLACES> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no decimal of at most {PLACES} places");
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = places.len() <= PLACES as usize;
        if whole.is_empty() || !fits || !are_digits(whole) || !are_digits(places) {
            return Err(bad());
        }
        let padded = format!("{whole}{places:0<width$}", width = PLACES as usize);
        padded.parse::<i128>().map(|raw| Self(sign * raw)).map_err(|_| bad())
    }
}

impl<const PLACES: u32> Serialize for Fixed<PLACES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const PLACES: u32> Deserialize<'de> for Fixed<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_exactly() {
        for text in ["0", "-0.00000001", "61659.7", "3", "-170141183460469231731687303.5"] {
            assert_eq!(text.parse::<Fixed<8>>().unwrap().to_string(), text);
        }
        assert_eq!("-1.50".parse::<Fixed<4>>(), Ok(Fixed(-15_000)));
        for bad in ["", "-", ".5", "1.123456789", "1e5", "--1", "1.2.3", "+1"] {
            assert!(bad.parse::<Fixed<8>>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_double_becomes_the_nearest_one() {
        assert_eq!(Fixed::<4>::of_f64(-0.000_05), Some(Fixed(-1)));
        assert_eq!(Fixed::<4>::of_f64(1.234_56), Some(Fixed(12_346)));
        assert_eq!(Fixed::<4>::of_f64(f64::NAN), None);
        assert_eq!(Fixed::<15>::of_f64(1e22), None);
    }
}
