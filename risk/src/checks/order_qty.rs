//! C3: the largest quantity of one order, below the venue's own.

use fusewire_core::order::Check;
use fusewire_core::units::Qty;

use super::{Outcome, at_most};

pub(crate) fn order_qty(qty: Qty, limit: Option<Qty>) -> Outcome {
    let limit = limit.unwrap_or(Qty(i64::MAX));
    at_most(Check::OrderQty, i128::from(qty.0), i128::from(limit.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::qty;

    #[test]
    fn c3_one_order_has_a_largest_quantity() {
        assert_eq!(order_qty(qty("2"), Some(qty("2"))), Ok(()));
        let fail = order_qty(qty("2.00000001"), Some(qty("2"))).unwrap_err();
        assert_eq!(
            (fail.check, fail.measured, fail.limit),
            (Check::OrderQty, 200_000_001, 2 * 100_000_000)
        );
        assert_eq!(order_qty(Qty(i64::MAX), None), Ok(()));
    }
}
