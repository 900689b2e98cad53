//! A reduce is opposite to the sequenced position of the account and no larger than what the reduces
//! before it leave of it; a flip takes two steps. Measured is the quantity, the limit what is left.

use fusewire_core::order::Check;
use fusewire_core::units::{Qty, QtySum};

use super::{Outcome, at_most};

/// `left` is what the account's position leaves to this side; zero when the side does not reduce.
#[inline(always)]
pub(crate) fn reduce_only(qty: Qty, left: QtySum) -> Outcome {
    at_most(Check::ReduceOnly, i128::from(qty.0), left.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::qty;

    #[test]
    fn a_reduce_stays_within_what_is_left() {
        let left = QtySum(qty("3").0.into());
        assert_eq!(numbers(reduce_only(qty("3"), left)), Some([left.0; 2]));
        let fail = reduce_only(qty("3.00000001"), left).unwrap_err();
        assert_eq!(
            (fail.check, fail.measured, fail.limit),
            (Check::ReduceOnly, 300_000_001, left.0)
        );
        assert!(reduce_only(Qty(1), QtySum::ZERO).is_err());
    }
}
