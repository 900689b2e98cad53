//! Conditional orders: does the trigger make sense, and is there room for one more? Distances are measured in
//! raw `Bps`, rounded up.

use fusewire_core::order::{Check, Class, Conditional, TriggerKind};
use fusewire_core::units::{BPS_DECIMALS, Bps, Px, RATE_DECIMALS, Rate};

use super::{Outcome, at_most, passes, share_at_most};

/// Raw units of `Rate` in one of `Bps`.
const RATE_PER_BPS: i64 = 10_i64.pow(RATE_DECIMALS - BPS_DECIMALS - 4);

/// What an order says of its trigger holds together: what closes a position only reduces and does not trail
/// (the exchange has no such order), a callback is that of a trailing order, and only such a one may do
/// without a price. There is nothing to measure.
#[inline(always)]
pub(crate) fn terms(conditional: &Conditional) -> Outcome {
    let Conditional { order, trigger } = conditional;
    let trails = match trigger.kind {
        TriggerKind::Trailing => trigger.callback > Rate::ZERO && trigger.price >= Px::ZERO,
        TriggerKind::Stop | TriggerKind::TakeProfit => {
            trigger.callback == Rate::ZERO && trigger.price > Px::ZERO
        }
    };
    let follows = trigger.kind == TriggerKind::Trailing;
    let closes = !trigger.close_position || (order.reduce_only && !follows);
    passes(trails && closes, Check::Trigger, 0, 0)
}

/// How far a trigger lies from the mark, on either side.
#[inline(always)]
pub(crate) fn trigger_distance(price: Px, mark: Px, limit: Bps) -> Outcome {
    let apart = (i128::from(price.0) - i128::from(mark.0)).abs();
    share_at_most(Check::Trigger, apart, i128::from(mark.0), limit)
}

/// The callback of a trailing order lies within what the exchange takes. The limit is the bound that it
/// breaks, or the largest.
#[inline(always)]
pub(crate) fn callback(callback: Rate, [least, most]: [Bps; 2]) -> Outcome {
    let raw = |bound: Bps| bound.0.saturating_mul(RATE_PER_BPS);
    let measured = i128::from(callback.0.div_euclid(RATE_PER_BPS))
        + i128::from(callback.0.rem_euclid(RATE_PER_BPS) > 0);
    let within = (raw(least)..=raw(most)).contains(&callback.0);
    let bound = if callback.0 < raw(least) { least } else { most };
    passes(within, Check::Trigger, measured, i128::from(bound.0))
}

/// Conditional orders that wait, all symbols. New risk leaves room for protective ones, but at least half of
/// the venue's table is its own.
#[inline(always)]
pub(crate) fn conditionals(waiting: usize, most: u32, class: Class, reserve: u32) -> Outcome {
    let limit = match class {
        Class::NewRisk => most - reserve.min(most / 2),
        Class::Reduce | Class::HaltReduce | Class::Cancel => most,
    };
    at_most(Check::Conditionals, waiting as i128 + 1, i128::from(limit))
}

#[cfg(test)]
mod tests {
    use fusewire_core::order::{Side, Trigger, TriggerPrice};

    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{new_order, px};

    fn bps(text: &str) -> Bps {
        Bps::parse(text.as_bytes()).unwrap()
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_trigger_holds_together() {
        let order = new_order(Side::Sell, "100", "1");
        let (kind, by) = (TriggerKind::Stop, TriggerPrice::Last);
        let stop =
            Trigger { kind, by, price: px("99"), callback: Rate::ZERO, close_position: false };
        let trailing = Trigger { kind: TriggerKind::Trailing, callback: rate("0.01"), ..stop };
        let holds = |trigger| terms(&Conditional { order, trigger }).is_ok();
        assert!(holds(stop) && holds(trailing));
        assert!(holds(Trigger { price: Px::ZERO, ..trailing }), "active at once");
        for broken in [
            Trigger { price: Px::ZERO, ..stop },
            Trigger { callback: rate("0.01"), ..stop },
            Trigger { callback: Rate::ZERO, ..trailing },
            Trigger { price: px("-1"), ..trailing },
            Trigger { close_position: true, ..stop },
        ] {
            assert!(!holds(broken), "{broken:?}");
        }
        let reduces = fusewire_core::order::NewOrder { reduce_only: true, ..order };
        let closes = Trigger { close_position: true, ..stop };
        assert!(terms(&Conditional { order: reduces, trigger: closes }).is_ok());
        let trails = Trigger { close_position: true, ..trailing };
        assert!(terms(&Conditional { order: reduces, trigger: trails }).is_err());
    }

    #[test]
    fn a_trigger_may_be_far_but_not_anywhere() {
        let at = |price| trigger_distance(px(price), px("100"), bps("5000"));
        assert_eq!(numbers(at("50")), Some([50_000_000; 2]));
        assert_eq!(numbers(at("150")), Some([50_000_000; 2]));
        for far in ["49.99999999", "150.00000001"] {
            let fail = at(far).unwrap_err();
            assert_eq!((fail.check, fail.measured), (Check::Trigger, 50_000_001));
        }
    }

    #[test]
    fn a_callback_has_bounds() {
        let at = |share| callback(rate(share), [bps("10"), bps("1000")]);
        assert_eq!(numbers(at("0.001")), Some([100_000, 10_000_000]));
        assert_eq!(numbers(at("0.1")), Some([10_000_000; 2]));
        let fails = ["0.000999999999", "0.100000000001"].map(|share| at(share).unwrap_err());
        assert_eq!(fails.map(|fail| fail.limit), [100_000, 10_000_000]);
        assert_eq!(fails.map(|fail| fail.measured), [100_000, 10_000_001]);
    }

    #[test]
    fn conditional_orders_are_bounded_and_protection_has_a_reserve() {
        for (class, last) in [(Class::NewRisk, 180), (Class::Reduce, 200)] {
            assert_eq!(numbers(conditionals(last - 1, 200, class, 20)), Some([last as i128; 2]));
            let fail = conditionals(last, 200, class, 20).unwrap_err();
            assert_eq!((fail.check, fail.limit), (Check::Conditionals, last as i128));
        }
        assert!(conditionals(1, 3, Class::NewRisk, 20).is_ok());
        assert!(conditionals(2, 3, Class::NewRisk, 20).is_err());
    }
}
