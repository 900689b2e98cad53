//! C2: the largest value of one order, at whichever is worse of its price and the mark.

use fusewire_core::order::Check;
use fusewire_core::units::{Px, Qty, Usd};

use super::{Outcome, amount_at_most};

#[inline(always)]
pub(crate) fn order_notional(price: Px, mark: Px, qty: Qty, limit: Usd) -> Outcome {
    let product = i128::from(price.max(mark).0) * i128::from(qty.0);
    amount_at_most(Check::OrderNotional, product, limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{px, qty, usd};

    #[test]
    fn c2_one_order_has_a_largest_value() {
        let at = |price: &str, mark: &str, amount: &str| {
            order_notional(px(price), px(mark), qty(amount), usd("2000"))
        };
        assert_eq!(numbers(at("1000", "1000", "2")), Some([200_000_000_000; 2]));
        let fail = at("1000", "1000", "2.00000001").unwrap_err();
        assert_eq!((fail.check, fail.limit), (Check::OrderNotional, 200_000_000_000));
        assert_eq!(fail.measured, 200_000_001_000);
        // A value between two raw amounts counts as the larger one.
        let raw = |limit| order_notional(px("0.5"), px("0.1"), Qty(3), Usd(limit)).is_ok();
        assert_eq!([1, 2].map(raw), [false, true]);
        assert!(at("1000.5", "1000", "2").is_err(), "the price counts");
        assert!(at("999", "1000.5", "2").is_err(), "the mark counts");
    }
}
