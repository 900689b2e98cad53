//! C7: the same order again within a short time is a fault of its sender. Measured is the age of the
//! first one in ns, unknown when there is none; the limit is the window.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Check, Side, StrategyId};
use fusewire_core::units::{Nanos, Px, Qty};

use super::{Outcome, UNKNOWN, passes};
use crate::rates::LastN;

/// What makes two orders the same. What differs most stands first, and is compared first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) price: Px,
    pub(crate) qty: Qty,
    pub(crate) instrument: InstrumentId,
    pub(crate) strategy: StrategyId,
    pub(crate) side: Side,
}

/// The last new orders that were approved. Its length is the budget of new orders, whose window is no
/// shorter than this one: nothing that counts is forgotten.
pub(crate) type Recent = LastN<(Sent, Nanos)>;

#[inline(always)]
pub(crate) fn duplicate(recent: &Recent, sent: &Sent, now: Nanos, window: Nanos) -> Outcome {
    let limit = i128::from(window.0);
    let ages = recent.newest_first().map(|(other, at)| (other, now.since(*at)));
    let mut within = ages.take_while(|(_, age)| *age < limit);
    let first = within.find(|(other, _)| *other == sent);
    passes(first.is_none(), Check::Duplicate, first.map_or(UNKNOWN, |(_, age)| age), limit)
}

#[cfg(test)]
mod tests {
    use super::super::Fail;
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{px, qty};

    #[test]
    fn c7_the_same_order_within_the_window_is_refused() {
        let first = Sent {
            strategy: StrategyId(0),
            instrument: InstrumentId(0),
            side: Side::Buy,
            price: px("100"),
            qty: qty("1"),
        };
        let mut recent = Recent::new(3);
        recent.push((first, Nanos(1_000)));
        recent.push((Sent { price: px("101"), ..first }, Nanos(1_200)));
        let at = |now, sent: &Sent| duplicate(&recent, sent, Nanos(now), Nanos(500));
        let fail = Fail { check: Check::Duplicate, measured: 499, limit: 500 };
        assert_eq!(at(1_499, &first), Err(fail));
        assert_eq!(numbers(at(1_500, &first)), Some([UNKNOWN, 500]));
        for other in [
            Sent { strategy: StrategyId(1), ..first },
            Sent { instrument: InstrumentId(1), ..first },
            Sent { side: Side::Sell, ..first },
            Sent { price: px("99"), ..first },
            Sent { qty: qty("2"), ..first },
        ] {
            assert!(at(1_300, &other).is_ok());
        }
    }
}
