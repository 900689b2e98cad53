//! A curve in a fixed number of equal spans of time, of each the lowest and the highest value.

use fusewire_core::units::Nanos;

/// One span of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// First value.
    pub first: f64,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
    /// Last value.
    pub last: f64,
}

/// The curve.
#[derive(Clone, Debug)]
pub struct Buckets {
    span: (Nanos, Nanos),
    buckets: Vec<Option<Bucket>>,
}

impl Buckets {
    /// An empty curve of `count` spans between two times.
    #[must_use]
    pub fn new(span: (Nanos, Nanos), count: usize) -> Self {
        Self { span, buckets: vec![None; count.max(1)] }
    }

    /// A value at a time; one from outside of the span counts at its end.
    pub fn push(&mut self, ts: Nanos, value: f64) {
        let count = self.buckets.len();
        let whole = u128::try_from(self.span.1.since(self.span.0)).unwrap_or(0).max(1);
        let since = u128::try_from(ts.since(self.span.0)).unwrap_or(0);
        let at = usize::try_from(since * count as u128 / whole).unwrap_or(count).min(count - 1);
        let bucket = self.buckets[at].get_or_insert(Bucket {
            first: value,
            low: value,
            high: value,
            last: value,
        });
        bucket.low = bucket.low.min(value);
        bucket.high = bucket.high.max(value);
        bucket.last = value;
    }

    /// Spans with a value, and where their middles lie, from 0 to 1.
    pub fn iter(&self) -> impl Iterator<Item = (f64, Bucket)> {
        let count = self.buckets.len() as f64;
        let filled = self.buckets.iter().enumerate();
        filled.filter_map(move |(at, bucket)| Some(((at as f64 + 0.5) / count, (*bucket)?)))
    }

    /// Lowest and highest value of all; none without a value.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        let wider = |(low, high): (f64, f64), (_, bucket): (f64, Bucket)| {
            (low.min(bucket.low), high.max(bucket.high))
        };
        let (_, first) = self.iter().next()?;
        Some(self.iter().fold((first.low, first.high), wider))
    }

    /// Where a time lies, from 0 to 1.
    #[must_use]
    pub fn place(&self, ts: Nanos) -> f64 {
        let whole = self.span.1.since(self.span.0).max(1) as f64;
        (ts.since(self.span.0) as f64 / whole).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_survive_whatever_the_number_of_values() {
        let mut curve = Buckets::new((Nanos(100), Nanos(200)), 4);
        assert_eq!(curve.range(), None);
        for at in 0..10_000_u64 {
            let value = if at == 5_001 { -9.0 } else { 1.0 };
            curve.push(Nanos(100 + at / 100), value);
        }
        curve.push(Nanos(0), 2.0);
        curve.push(Nanos(900), 3.0);
        assert_eq!(curve.iter().count(), 4);
        assert_eq!(curve.range(), Some((-9.0, 3.0)));
        let ends: Vec<(f64, f64)> = curve.iter().map(|(at, bucket)| (at, bucket.last)).collect();
        assert_eq!(ends, [(0.125, 2.0), (0.375, 1.0), (0.625, 1.0), (0.875, 3.0)]);
    }

    #[test]
    fn a_moment_without_length_is_one_span() {
        let mut curve = Buckets::new((Nanos(7), Nanos(7)), 3);
        curve.push(Nanos(7), 1.0);
        assert_eq!((curve.iter().count(), curve.place(Nanos(7))), (1, 0.0));
    }
}
