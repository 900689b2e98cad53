//! Clock offset between recorder and exchange: receive time minus event time.
//!
//! The 2024 sample recordings of one collector stand 1.27 s *behind* the exchange, so the difference is
//! no latency, and only its changes mean something.

use std::collections::BTreeMap;

use fusewire_core::units::Nanos;
use serde::Serialize;

/// Distinct milliseconds that are kept apart; beyond, whole seconds are.
const BUCKETS_MAX: usize = 65_536;

/// Offsets of one recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    buckets: BTreeMap<i64, u64>,
    count: u64,
}

/// Receive time minus event time, in ms (cut downwards).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OffsetSummary {
    /// Smallest.
    pub min: i64,
    /// Median.
    pub median: i64,
    /// Largest.
    pub max: i64,
}

impl Offsets {
    pub(super) fn add(&mut self, received: Nanos, event: Nanos) {
        let millis = received.since(event).div_euclid(i128::from(Nanos::MILLI));
        let mut key = i64::try_from(millis).unwrap_or(i64::MAX);
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&key) {
            key = key.div_euclid(1_000) * 1_000;
        }
        *self.buckets.entry(key).or_default() += 1;
        self.count += 1;
    }

    pub(super) fn summary(&self) -> Option<OffsetSummary> {
        let (min, max) = (*self.buckets.keys().next()?, *self.buckets.keys().next_back()?);
        let mut before = 0;
        let median = self.buckets.iter().find_map(|(millis, count)| {
            before += count;
            (before * 2 > self.count).then_some(*millis)
        })?;
        Some(OffsetSummary { min, median, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_behind_the_exchange_has_negative_offsets() {
        let mut offsets = Offsets::default();
        assert_eq!(offsets.summary(), None);
        for received in [8_729_500_000, 8_730_000_000, 8_800_000_000] {
            offsets.add(Nanos(received), Nanos(10_000_000_000));
        }
        let summary = OffsetSummary { min: -1_271, median: -1_270, max: -1_200 };
        assert_eq!(offsets.summary(), Some(summary));
    }

    #[test]
    fn memory_is_bounded() {
        let mut offsets = Offsets::default();
        for millis in 0..200_000 {
            offsets.add(Nanos(millis * Nanos::MILLI), Nanos(0));
        }
        // Behind them whole seconds, 66 s to 199 s.
        assert_eq!(offsets.buckets.len(), BUCKETS_MAX + 134);
        let summary = OffsetSummary { min: 0, median: 100_000, max: 199_000 };
        assert_eq!(offsets.summary(), Some(summary));
        // A millisecond that has its place keeps it.
        offsets.add(Nanos(64_999 * Nanos::MILLI), Nanos(0));
        assert_eq!(offsets.buckets[&64_999], 2);
    }

    #[test]
    fn of_two_in_the_middle_the_upper_is_the_median() {
        let mut offsets = Offsets::default();
        for millis in 0..10 {
            offsets.add(Nanos(millis * Nanos::MILLI), Nanos(0));
        }
        assert_eq!(offsets.summary(), Some(OffsetSummary { min: 0, median: 5, max: 9 }));
    }
}
