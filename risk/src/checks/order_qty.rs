//! C3: the largest quantity of one order, below the venue's own.

use fusewire_core::order::Check;
use fusewire_core::units::Qty;

use super::{Outcome, UNLIMITED, at_most};

#[inline(always)]
pub(crate) fn order_qty(qty: Qty, limit: Option<Qty>) -> Outcome {
    let limit = limit.map_or(UNLIMITED, |limit| i128::from(limit.0));
    at_most(Check::OrderQty, i128::from(qty.0), limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::qty;

    #[test]
    fn c3_one_order_has_a_largest_quantity() {
        let two = i128::from(qty("2").0);
        assert_eq!(numbers(order_qty(qty("2"), Some(qty("2")))), Some([two, two]));
        let fail = order_qty(qty("2.00000001"), Some(qty("2"))).unwrap_err();
        assert_eq!(
            (fail.check, fail.measured, fail.limit),
            (Check::OrderQty, 200_000_001, 2 * 100_000_000)
        );
        let largest = order_qty(Qty(i64::MAX), None);
        assert_eq!(numbers(largest), Some([i128::from(i64::MAX), UNLIMITED]));
    }
}
