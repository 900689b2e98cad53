//! How long after the close of a bar a strategy decided on it, by event time: how late the feed was. What deciding itself
//! takes is a latency.
//!
//! Below zero where the recorder's clock stood behind the exchange's. The buckets are those of latencies, in
//! microseconds: at most 1.6 % wide.

use fusewire_core::latency::{BUCKETS, bucket_of, highest_in};
use fusewire_core::units::Nanos;

/// Nanoseconds of a microsecond.
const MICRO: i128 = 1_000;

/// Counts of how late decisions were.
#[derive(Clone, Debug)]
pub struct Lateness {
    /// By bucket, of those before the close and of those behind it.
    early: Vec<u64>,
    late: Vec<u64>,
    count: u64,
    /// In microseconds.
    max: i64,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { early: vec![0; BUCKETS], late: vec![0; BUCKETS], count: 0, max: i64::MIN }
    }
}

impl Lateness {
    /// Something was decided now on a bar that closed then.
    pub fn add(&mut self, now: Nanos, close: Nanos) {
        let micros = now.since(close).div_euclid(MICRO);
        let micros = i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX });
        let side = if micros < 0 { &mut self.early } else { &mut self.late };
        side[bucket_of(micros.unsigned_abs())] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latest, in microseconds; none without one.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        (self.count > 0).then_some(self.max)
    }

    /// Half were at most so late, in microseconds; none without one.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let half = self.count.div_ceil(2);
        let micros = |bucket| i64::try_from(highest_in(bucket)).unwrap_or(i64::MAX);
        // From the earliest to the latest.
        let early = self.early.iter().enumerate().rev().map(|(bucket, n)| (-micros(bucket), *n));
        let late = self.late.iter().enumerate().map(|(bucket, n)| (micros(bucket), *n));
        let mut before = 0;
        let found = early.chain(late).find(|(_, n)| {
            before += n;
            *n > 0 && before >= half
        });
        found.map(|(micros, _)| micros.min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: &[i64]) -> Lateness {
        let close = 1_000_000_000_000;
        let mut late = Lateness::default();
        for micros in micros {
            late.add(Nanos(u64::try_from(close + micros * 1_000).unwrap()), Nanos(close as u64));
        }
        late
    }

    #[test]
    fn half_are_at_most_the_median() {
        assert_eq!((of(&[]).median(), of(&[]).max(), of(&[]).count()), (None, None, 0));
        let late = of(&[3, 50, 40, 1, 2]);
        assert_eq!((late.median(), late.max(), late.count()), (Some(3), Some(50), 5));
        // Of two in the middle the lower, and no bucket ends above the latest.
        assert_eq!(of(&[7, 9]).median(), Some(7));
        assert_eq!(of(&[1_000_001]).median(), Some(1_000_001));
        let coarse = of(&[1_000_001, 2_000_000, 2_000_000]).median().unwrap();
        assert_eq!(coarse, 2_000_000);
        let coarse = of(&[1_000_001, 1_000_001, 2_000_000]).median().unwrap();
        assert!((1_000_001..1_016_000).contains(&coarse), "{coarse}");
    }

    /// The collector of the recordings of 2024 stands 1.27 s behind the exchange.
    #[test]
    fn a_recorder_behind_the_exchange_decides_before_the_close() {
        let late = of(&[-30, -20, -10, 5]);
        assert_eq!((late.median(), late.max()), (Some(-20), Some(5)));
        assert_eq!(of(&[-30, -20]).max(), Some(-20));
    }
}
