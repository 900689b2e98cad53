//! Exact numbers in configuration: decimal strings into fixed point, and back.

use std::fmt::{self, Display};

use fusewire_core::units::{Bps, Nanos, NumberError, Qty, Rate, Usd};
use rust_decimal::Decimal;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// A decimal string. A TOML float has already lost digits when it gets here, so it is refused.
pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    Decimal::from_str_exact(&text)
        .map_err(|error| D::Error::custom(format!("\"{text}\" is no decimal: {error}")))
}

/// As [`decimal`], for a key that may be absent.
pub(super) fn decimal_if<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    decimal(deserializer).map(Some)
}

/// An amount of money.
pub(crate) fn usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    fixed(deserializer, Usd::parse)
}

/// A quantity.
pub(super) fn qty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Qty, D::Error> {
    fixed(deserializer, Qty::parse)
}

/// A ratio: `0.0002` is 2 bp.
pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
    fixed(deserializer, Rate::parse)
}

/// Basis points.
pub(super) fn bps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bps, D::Error> {
    fixed(deserializer, Bps::parse)
}

/// A fixed-point number of the core, exact or refused.
fn fixed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: fn(&[u8]) -> Result<T, NumberError>,
) -> Result<T, D::Error> {
    let value = decimal(deserializer)?;
    parse(value.to_string().as_bytes())
        .map_err(|error| D::Error::custom(format!("\"{value}\": {error}")))
}

/// The text of a fixed-point number, which has no more digits than it needs and reads back exactly.
pub(crate) fn text<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// As [`text`], for a decimal, which would keep the zeros that it was written with.
pub(super) fn minimal<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&value.normalize())
}

/// As [`minimal`], for a key that may be absent.
pub(super) fn minimal_if<S: Serializer>(
    value: &Option<Decimal>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => minimal(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// A whole number of 64 bits. The numbers of TOML end at 2^63: from there on it is a string.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Whole)
}

/// What [`whole`] reads.
pub(super) fn whole_text<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*value) {
        Ok(number) => serializer.serialize_i64(number),
        Err(_) => serializer.collect_str(value),
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 2^64 - 1, from 2^63 on as a string")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Milliseconds as a span.
pub(super) fn millis(ms: u32) -> Nanos {
    Nanos(u64::from(ms) * Nanos::MILLI)
}

/// Microseconds as a span.
pub(super) fn micros(us: u32) -> Nanos {
    Nanos(u64::from(us) * Nanos::MICRO)
}
