//! How long each way between gateway and venue takes.
//!
//! A span is a function of seed, order and leg, not a draw from a stream: an order more or less elsewhere
//! changes nobody else's.

use fusewire_core::jitter;
use fusewire_core::order::{Action, OrderId};
use fusewire_core::units::Nanos;

/// Parts of a whole in which quantiles are told.
const WHOLE_PPB: u32 = 1_000_000_000;

/// A point of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuantilePoint {
    /// The share that takes no longer, in billionths.
    pub share_ppb: u32,
    /// How long, in us.
    pub span_us: u32,
}

/// A distribution by some of its quantiles, with straight lines between them. Below the first one its span
/// holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyHistogram {
    points: [QuantilePoint; Self::POINTS_MAX],
    len: usize,
}

impl LatencyHistogram {
    /// Most points. Few, so that a configuration is a value that is copied.
    pub const POINTS_MAX: usize = 20;

    /// A distribution from rising points, the last of which is all of it.
    ///
    /// # Errors
    /// What is wrong with the points.
    pub fn new(points: &[QuantilePoint]) -> Result<Self, String> {
        let Some(last) = points.last() else { return Err("it has no points".into()) };
        if points.len() > Self::POINTS_MAX {
            return Err(format!("{} points, at most {}", points.len(), Self::POINTS_MAX));
        }
        if last.share_ppb != WHOLE_PPB {
            return Err("the last quantile is not 1".into());
        }
        if !points.is_sorted_by(|a, b| a.share_ppb < b.share_ppb) {
            return Err("the quantiles do not rise".into());
        }
        if !points.is_sorted_by(|a, b| a.span_us <= b.span_us) {
            return Err("the spans fall".into());
        }
        if points[0].span_us == 0 {
            return Err("a span is zero: what the venue does comes after its cause".into());
        }
        let mut all = [QuantilePoint::default(); Self::POINTS_MAX];
        all[..points.len()].copy_from_slice(points);
        Ok(Self { points: all, len: points.len() })
    }

    fn points(&self) -> &[QuantilePoint] {
        &self.points[..self.len]
    }

    /// The span that this share does not exceed.
    fn at(&self, share_ppb: u64) -> Nanos {
        let mut before: Option<(u64, u64)> = None;
        for point in self.points() {
            let (share, span) = (u64::from(point.share_ppb), micros(point.span_us).0);
            if share_ppb < share {
                let Some((from, least)) = before else { return Nanos(span) };
                // Spans of 32 bits in us and shares below 2^30: no product leaves 128 bits.
                let part = u128::from(span - least) * u128::from(share_ppb - from);
                let more = part / u128::from(share - from);
                return Nanos(least + u64::try_from(more).unwrap_or(span - least));
            }
            before = Some((share, span));
        }
        self.most()
    }

    fn most(&self) -> Nanos {
        self.points().last().map_or(Nanos(0), |point| micros(point.span_us))
    }
}

/// How long one way takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// This long, and the configured jitter.
    Constant(Nanos),
    /// By a distribution.
    Histogram(LatencyHistogram),
}

impl Latency {
    /// What one leg of an order takes; `jitter` comes on top of a constant.
    pub(super) fn draw(&self, seed: u64, id: OrderId, leg: u64, jitter: Nanos) -> Nanos {
        match self {
            Self::Constant(span) => span.after(jitter::span(seed, id, leg, jitter)),
            Self::Histogram(points) => {
                points.at(jitter::below(seed, id, leg, u64::from(WHOLE_PPB)))
            }
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Self::Constant(span) => *span == Nanos(0),
            // Its constructor refuses that.
            Self::Histogram(_) => false,
        }
    }

    fn slowest(&self, jitter: Nanos) -> Option<Nanos> {
        match self {
            Self::Constant(span) => span.0.checked_add(jitter.0).map(Nanos),
            Self::Histogram(points) => Some(points.most()),
        }
    }
}

/// Latencies of their own for some legs; none where the common one of that direction holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// A new order to the venue.
    pub new: Option<Latency>,
    /// An amend to the venue.
    pub amend: Option<Latency>,
    /// A cancel to the venue, and the cancel of everything.
    pub cancel: Option<Latency>,
    /// Back from the venue: every answer but a fill.
    pub ack: Option<Latency>,
    /// A fill back from the venue.
    pub fill: Option<Latency>,
}

impl Latencies {
    /// The way of a request. A query goes the common one.
    pub(super) fn there(&self, action: &Action) -> Option<Latency> {
        match action {
            Action::New(_) | Action::Conditional(_) => self.new,
            Action::Amend { .. } => self.amend,
            Action::Cancel => self.cancel,
            Action::Query => None,
        }
    }

    /// Checks that each is above zero and that requests arrive within `arrival_max`.
    pub(super) fn validate(&self, jitter: Nanos, arrival_max: Nanos) -> Result<(), String> {
        for (name, latency) in [("new", self.new), ("amend", self.amend), ("cancel", self.cancel)] {
            let slowest = latency.map(|latency| latency.slowest(jitter));
            if slowest.is_some_and(|slowest| slowest.is_none_or(|most| most > arrival_max)) {
                return Err(format!("{name}_us and jitter pass the receive window: some are lost"));
            }
        }
        for (name, latency) in [
            ("new", self.new),
            ("amend", self.amend),
            ("cancel", self.cancel),
            ("ack", self.ack),
            ("fill", self.fill),
        ] {
            if latency.is_some_and(|latency| latency.is_zero()) {
                return Err(format!(
                    "{name}_us is zero: what the venue does comes after its cause"
                ));
            }
        }
        Ok(())
    }
}

fn micros(us: u32) -> Nanos {
    Nanos(u64::from(us) * Nanos::MICRO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(points: &[(u32, u32)]) -> Result<LatencyHistogram, String> {
        let point = |&(share_ppb, span_us)| QuantilePoint { share_ppb, span_us };
        LatencyHistogram::new(&points.iter().map(point).collect::<Vec<_>>())
    }

    #[test]
    fn between_quantiles_there_are_straight_lines() {
        let drawn = histogram(&[(500_000_000, 4), (900_000_000, 8), (WHOLE_PPB, 20)]).unwrap();
        for (share, ns) in [
            (0, 4_000),
            (499_999_999, 4_000),
            (500_000_000, 4_000),
            (700_000_000, 6_000),
            (900_000_000, 8_000),
            (950_000_000, 14_000),
            (999_999_999, 19_999),
            (1_000_000_000, 20_000),
        ] {
            assert_eq!(drawn.at(share), Nanos(ns), "{share}");
        }
        let widest = histogram(&[(0, 1), (WHOLE_PPB, u32::MAX)]).unwrap();
        assert_eq!(widest.at(1_000_000_000), Nanos(u64::from(u32::MAX) * 1_000));
    }

    #[test]
    fn draws_follow_the_distribution_and_depend_on_nothing_else() {
        let drawn =
            Latency::Histogram(histogram(&[(0, 1), (500_000_000, 2), (WHOLE_PPB, 10)]).unwrap());
        let spans: Vec<u64> =
            (0..10_000).map(|id| drawn.draw(7, OrderId(id), 3, Nanos(5)).0).collect();
        let below = spans.iter().filter(|ns| **ns < 2_000).count();
        assert!((4_800..5_200).contains(&below), "{below}");
        assert!(spans.iter().all(|ns| (1_000..=10_000).contains(ns)));
        let again = drawn.draw(7, OrderId(17), 3, Nanos(0)).0;
        assert_eq!(again, spans[17], "jitter is for constants");
        assert_ne!(again, drawn.draw(8, OrderId(17), 3, Nanos(0)).0);
    }

    #[test]
    fn points_that_are_no_distribution_are_refused() {
        let whole = WHOLE_PPB;
        for (points, part) in [
            (&[][..], "no points"),
            (&[(5, 1)], "not 1"),
            (&[(5, 1), (5, 2), (whole, 3)], "do not rise"),
            (&[(5, 3), (whole, 2)], "fall"),
            (&[(5, 0), (whole, 2)], "zero"),
        ] {
            let found = histogram(points).unwrap_err();
            assert!(found.contains(part), "{found}");
        }
        let many: Vec<_> = (0..21).map(|n| (whole - 20 + n, 1)).collect();
        assert!(histogram(&many).unwrap_err().contains("21 points"));
        assert!(histogram(&many[1..]).is_ok());
    }
}
