//! What history files tell of a symbol, each figure once: funding as charged, and open interest.

use crate::event;
use crate::market::{Funding, OpenInterest};
use crate::units::Nanos;

/// Until when one symbol's history was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History {
    funding: Nanos,
    interest: Nanos,
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
