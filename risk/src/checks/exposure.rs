//! C1, C11: what a symbol could come to hold in one direction if everything open or in flight filled,
//! valued at the worse of mark and price.

use fusewire_core::order::Check;
use fusewire_core::units::{Px, QtySum, Usd};

use super::{Outcome, amount_at_most, product};

/// `worst` counts the order in question.
#[inline(always)]
pub(crate) fn exposure(worst: QtySum, price: Px, limit: Usd) -> Outcome {
    amount_at_most(Check::Exposure, product(worst, price)?, limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{px, qty, usd};

    #[test]
    fn c11_a_symbol_has_a_worst_case() {
        let at = |amount: &str| exposure(QtySum(qty(amount).0.into()), px("1000"), usd("5000"));
        assert_eq!(numbers(at("5")), Some([500_000_000_000; 2]));
        let fail = at("5.00000001").unwrap_err();
        assert_eq!((fail.check, fail.limit), (Check::Exposure, 500_000_000_000));
        assert_eq!(fail.measured, 500_000_001_000);
        let wide = exposure(QtySum(i128::MAX), px("1000"), usd("5000")).unwrap_err();
        assert_eq!(wide.check, Check::Arithmetic);
    }
}
