//! Times of single events, as percentiles: exact, because they are few enough to be kept.

use fusewire::clock::now_ns;

/// Pairs of clock reads that the cost of one is the median of.
const PAIRS: usize = 100_001;

/// Times in ns that were measured one by one.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    sorted_ns: Vec<u64>,
}

impl Spread {
    /// Of these times, less the cost of measuring each, see `clock_pair_ns`.
    #[must_use]
    pub fn new(mut times_ns: Vec<u64>, clock_ns: u64) -> Self {
        times_ns.iter_mut().for_each(|ns| *ns = ns.saturating_sub(clock_ns));
        times_ns.sort_unstable();
        Self { sorted_ns: times_ns }
    }

    /// The smallest time that so many in a thousand do not exceed; 0 when nothing was measured.
    #[must_use]
    pub fn per_mille(&self, share: usize) -> u64 {
        let count = self.sorted_ns.len();
        let rank = (count * share).div_ceil(1_000).clamp(1, count.max(1));
        self.sorted_ns.get(rank - 1).copied().unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted_ns.len()
    }

    /// Their mean in ns; 0 when nothing was measured.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sorted_ns.iter().sum::<u64>() as f64 / self.count().max(1) as f64
    }

    /// One line: `p50 p99 p99.9 max count`.
    #[must_use]
    pub fn line(&self) -> String {
        let [p50, p99, p999, most] = [500, 990, 999, 1_000].map(|share| self.per_mille(share));
        let count = self.count();
        format!("p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns, max {most} ns, count {count}")
    }
}

/// What a pair of clock reads with nothing in between takes, in ns: part of every time that is measured
/// with one.
#[must_use]
pub fn clock_pair_ns() -> u64 {
    let pair = |_| {
        let start = now_ns();
        now_ns() - start
    };
    let mut pairs: Vec<u64> = (0..PAIRS).map(pair).collect();
    pairs.sort_unstable();
    pairs[PAIRS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let spread = Spread::new((1..=1_000).rev().collect(), 0);
        let found = [1, 500, 990, 999, 1_000].map(|share| spread.per_mille(share));
        assert_eq!(found, [1, 500, 990, 999, 1_000]);
        assert_eq!(Spread::new(vec![7], 0).per_mille(500), 7);
        assert_eq!((Spread::default().per_mille(500), Spread::default().count()), (0, 0));
    }

    #[test]
    fn the_cost_of_measuring_is_taken_off_and_nothing_falls_below_zero() {
        let spread = Spread::new(vec![10, 30, 200], 25);
        assert_eq!([1, 500, 1_000].map(|share| spread.per_mille(share)), [0, 5, 175]);
        assert_eq!(spread.mean().to_bits(), 60.0_f64.to_bits());
    }
}
