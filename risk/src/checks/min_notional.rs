//! MIN_NOTIONAL: the venue's least order value, in USD. Reduce-only orders are exempt.

use fusewire_core::order::Check;
use fusewire_core::units::{ONE, Px, Qty, Round, Usd};

use super::{Number, Outcome, passes};

#[inline(always)]
pub(crate) fn min_notional(price: Px, qty: Qty, least: Option<Usd>) -> Outcome {
    let product = i128::from(price.0) * i128::from(qty.0);
    let limit = i128::from(least.unwrap_or(Usd::ZERO).0);
    // Rounded down, an amount reaches the limit when its product does.
    let holds = product >= limit * i128::from(ONE);
    let measured = Number::Quotient(product, i128::from(ONE), Round::Down);
    passes(holds, Check::MinNotional, measured, limit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{px, qty, usd};

    #[test]
    fn an_order_has_a_least_value() {
        let least = Some(usd("50"));
        let enough = min_notional(px("100"), qty("0.5"), least);
        assert_eq!(numbers(enough), Some([5_000_000_000; 2]));
        let fail = min_notional(px("100"), qty("0.49999999"), least).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::MinNotional, 4_999_999_900));
        assert_eq!(fail.limit, 5_000_000_000);
        assert!(min_notional(px("1"), qty("0.001"), None).is_ok());
    }
}
