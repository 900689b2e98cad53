//! Exact numbers in configuration: decimal strings into fixed point.

use fusewire_core::units::{Bps, Nanos, NumberError, Qty, Rate, Usd};
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

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
pub(super) fn usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
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

/// Milliseconds as a span.
pub(super) fn millis(ms: u32) -> Nanos {
    Nanos(u64::from(ms) * Nanos::MILLI)
}

/// Microseconds as a span.
pub(super) fn micros(us: u32) -> Nanos {
    Nanos(u64::from(us) * Nanos::MICRO)
}
