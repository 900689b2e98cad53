//! Times as people read them.

use std::time::{Duration, SystemTime};

use fusewire_core::units::Nanos;

/// RFC 3339 in UTC with nanoseconds.
#[must_use]
pub fn utc(time: Nanos) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(time.0);
    humantime::format_rfc3339_nanos(time).to_string()
}

/// A span in whole milliseconds, cut towards zero.
pub(super) fn millis(span: u64) -> u64 {
    span / Nanos::MILLI
}
