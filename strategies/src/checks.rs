//! What the parameters of strategies have in common.

use fusewire_core::units::{Bps, Nanos, Usd};

/// Widest distance, so that every price stays above zero: 10 %.
pub(crate) const DISTANCE_MAX: Bps = Bps(10_000_000);

/// Counts size tables that are taken at start.
const COUNT_MAX: u32 = 100_000;

/// Checks amounts that must be above zero, by name.
pub(crate) fn amounts(amounts: &[(&str, Usd)]) -> Result<(), String> {
    match amounts.iter().find(|(_, value)| *value <= Usd::ZERO) {
        Some((name, value)) => Err(format!("{name} is {value} USD: it must be above zero")),
        None => Ok(()),
    }
}

/// Checks distances from the least of each on, by name.
pub(crate) fn distances(distances: &[(&str, Bps, Bps)]) -> Result<(), String> {
    match distances.iter().find(|(_, value, least)| value < least || *value > DISTANCE_MAX) {
        Some((name, value, least)) => {
            Err(format!("{name} is {value} bp: it must lie in {least}..={DISTANCE_MAX}"))
        }
        None => Ok(()),
    }
}

/// Checks times that must not be zero, by name.
pub(crate) fn take_time(times: &[(&str, Nanos)]) -> Result<(), String> {
    match times.iter().find(|(_, value)| *value == Nanos(0)) {
        Some((name, _)) => Err(format!("{name} is zero: it must take time")),
        None => Ok(()),
    }
}

/// Checks the shortest and the longest of waits that double, by name.
pub(crate) fn grow(
    (shortest, least): (&str, Nanos),
    (longest, most): (&str, Nanos),
) -> Result<(), String> {
    if most < least { Err(format!("{longest} is shorter than {shortest}")) } else { Ok(()) }
}

/// Checks counts, by name.
pub(crate) fn counts(counts: &[(&str, u32)]) -> Result<(), String> {
    match counts.iter().find(|(_, value)| !(1..=COUNT_MAX).contains(value)) {
        Some((name, value)) => Err(format!("{name} is {value}: it must lie in 1..={COUNT_MAX}")),
        None => Ok(()),
    }
}
