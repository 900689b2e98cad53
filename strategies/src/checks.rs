//! What the parameters of strategies have in common.

use fusewire_core::units::Nanos;

/// Counts size tables that are taken at start.
const COUNT_MAX: u32 = 100_000;

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
