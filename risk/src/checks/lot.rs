//! LOT_SIZE: a quantity lies on the lot grid and within its bounds. Measured is the quantity, the limit
//! the bound that it breaks, or the largest when it breaks none.

use fusewire_core::instrument::LotSize;
use fusewire_core::order::Check;
use fusewire_core::units::Qty;

use super::{Outcome, passes};

#[inline(always)]
pub(crate) fn lot(qty: Qty, lot: &LotSize) -> Outcome {
    let says =
        |holds, bound: Qty| passes(holds, Check::Lot, i128::from(qty.0), i128::from(bound.0));
    if qty <= Qty::ZERO || qty < lot.min {
        return says(false, lot.min);
    }
    if qty > lot.max {
        return says(false, lot.max);
    }
    // The grid begins at the least quantity. A step of zero is no grid that is known.
    let on_grid =
        lot.step > Qty::ZERO && qty.0.abs_diff(lot.min.0).is_multiple_of(lot.step.0.unsigned_abs());
    says(on_grid, if on_grid { lot.max } else { lot.step })
}

#[cfg(test)]
mod tests {
    use super::super::Fail;
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::qty;

    #[test]
    fn c3_quantities_lie_on_the_grid_within_bounds() {
        let size = LotSize { min: qty("0.002"), max: qty("10"), step: qty("0.001") };
        let refused = |text: &str, size: &LotSize| lot(qty(text), size).err();
        for good in ["0.002", "0.003", "10"] {
            assert_eq!(refused(good, &size), None);
        }
        let passed = [qty("0.003"), size.max].map(|qty| i128::from(qty.0));
        assert_eq!(numbers(lot(qty("0.003"), &size)), Some(passed));
        for (bad, limit) in [
            ("0.001", "0.002"),
            ("0", "0.002"),
            ("-1", "0.002"),
            ("10.001", "10"),
            ("0.0025", "0.001"),
        ] {
            let [measured, limit] = [bad, limit].map(|text| i128::from(qty(text).0));
            assert_eq!(refused(bad, &size), Some(Fail { check: Check::Lot, measured, limit }));
        }
        assert!(refused("1", &LotSize { step: Qty::ZERO, ..size }).is_some());
        let odd = LotSize { min: qty("0.0004"), ..size };
        assert_eq!(refused("0.0014", &odd), None, "the grid begins at the least");
        assert!(refused("0.001", &odd).is_some());
        let coarse = LotSize { step: qty("0.003"), ..size };
        let on_grid = ["0.004", "0.005", "0.006"].map(|text| refused(text, &coarse).is_none());
        assert_eq!(on_grid, [false, true, false], "the grid begins at the least quantity");
        let from_zero = LotSize { min: Qty::ZERO, ..size };
        assert!(refused("0", &from_zero).is_some(), "nothing is no quantity");
    }
}
