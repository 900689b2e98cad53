//! What history files tell of a symbol, each figure once: funding as charged, open interest, and sums of depth.

use crate::event;
use crate::market::{DepthBand, Funding, OpenInterest};
use crate::units::{Bps, Nanos};

/// Until when one symbol's history was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History {
    funding: Nanos,
    interest: Nanos,
    /// The last band: when, how far away, and on which side.
    band: (Nanos, u64, Bps),
}

impl History {
    /// What is news of a charge: nothing is charged twice.
    pub(super) fn funding(&mut self, told: &Funding) -> Option<event::Funding> {
        let Funding { at, rate } = *told;
        advance(&mut self.funding, at).then_some(event::Funding { at, rate })
    }

    /// What is news of open interest, which is never below zero.
    pub(super) fn open_interest(&mut self, told: &OpenInterest) -> Option<event::OpenInterest> {
        let OpenInterest { at, qty, notional } = *told;
        let figures = [qty.map(|sum| sum.0), notional.map(|sum| sum.0)];
        let makes_sense =
            figures.iter().flatten().all(|sum| *sum >= 0) && figures.iter().any(Option::is_some);
        if !makes_sense || !advance(&mut self.interest, at) {
            return None;
        }
        let [qty, notional] = figures.map(|sum| sum.map(Into::into));
        Some(event::OpenInterest { at, qty, notional })
    }

    /// What is news of the depth: a later time, or a band of the same time that lies behind the last one.
    pub(super) fn depth_band(&mut self, told: &DepthBand) -> Option<event::DepthBand> {
        let DepthBand { at, distance, qty, notional } = *told;
        let place = (at, distance.0.unsigned_abs(), distance);
        let makes_sense = (1..=Bps::WHOLE).contains(&i128::from(place.1));
        let makes_sense = makes_sense && qty.0 >= 0 && notional.0 >= 0;
        if !makes_sense || place <= self.band {
            return None;
        }
        self.band = place;
        let (qty, notional) = (qty.0.into(), notional.0.into());
        Some(event::DepthBand { at, distance, qty, notional })
    }
}

/// True when this is later than all before it.
fn advance(last: &mut Nanos, at: Nanos) -> bool {
    let is_news = at > *last;
    *last = at.max(*last);
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{QtySum, Rate, UsdSum};

    /// The nearest first, so that a band that is told twice is one that was passed.
    #[test]
    fn each_band_of_a_time_is_told_once() {
        let mut history = History::default();
        let mut told = |at, distance, sums: (i128, i128)| {
            let (qty, notional) = (QtySum(sums.0), UsdSum(sums.1));
            let band = DepthBand { at: Nanos(at), distance: Bps(distance), qty, notional };
            history.depth_band(&band).is_some()
        };
        for (at, distance, is_news) in [
            (5, -20, true),
            (5, 20, true),
            (5, 20, false),
            (5, -20, false),
            (5, -100, true),
            (4, -500, false),
            (6, -20, true),
        ] {
            assert_eq!(told(at, distance, (1, 1)), is_news, "{distance} at {at}");
        }
        assert!(!told(7, 0, (1, 1)), "is on no side");
        assert!(!told(7, 100_000_001, (1, 1)) && !told(7, i64::MIN, (1, 1)), "beyond the price");
        assert!(!told(7, 1, (-1, 1)) && !told(7, 1, (1, -1)));
        assert!(told(7, 1, (0, 0)), "an empty side");
    }

    #[test]
    fn each_charge_and_each_figure_is_told_once() {
        let mut history = History::default();
        let funding = |at| Funding { at: Nanos(at), rate: Rate(-7) };
        let told = event::Funding { at: Nanos(5), rate: Rate(-7) };
        assert_eq!(history.funding(&funding(5)), Some(told));
        assert_eq!(history.funding(&funding(5)), None);
        assert_eq!(history.funding(&funding(4)), None);
        assert!(history.funding(&funding(6)).is_some());

        let interest = |at, qty, notional| OpenInterest { at: Nanos(at), qty, notional };
        let told = event::OpenInterest { at: Nanos(5), qty: Some(3.into()), notional: None };
        let (three, usd) = (Some(QtySum(3)), Some(UsdSum(9)));
        assert_eq!(history.open_interest(&interest(5, three, None)), Some(told));
        assert_eq!(history.open_interest(&interest(5, three, None)), None);
        assert_eq!(history.open_interest(&interest(6, None, None)), None, "says nothing");
        assert_eq!(history.open_interest(&interest(7, Some(QtySum(-1)), usd)), None);
        assert!(history.open_interest(&interest(8, None, usd)).is_some());
    }
}
