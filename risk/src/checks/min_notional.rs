//! MIN_NOTIONAL: the venue's least order value, in USD. Reduce-only orders are exempt.

use fusewire_core::order::Check;
use fusewire_core::units::{Px, Qty, Round, Usd};

use super::{Fail, Outcome};

pub(crate) fn min_notional(price: Px, qty: Qty, least: Option<Usd>) -> Outcome {
    let measured = price.notional(qty, Round::Down).0;
    let limit = i128::from(least.unwrap_or(Usd::ZERO).0);
    if measured >= limit {
        return Ok(());
    }
    Err(Fail { check: Check::MinNotional, measured, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{px, qty, usd};

    #[test]
    fn an_order_has_a_least_value() {
        let least = Some(usd("50"));
        assert_eq!(min_notional(px("100"), qty("0.5"), least), Ok(()));
        let fail = min_notional(px("100"), qty("0.49999999"), least).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::MinNotional, 4_999_999_900));
        assert_eq!(fail.limit, 5_000_000_000);
        assert_eq!(min_notional(px("1"), qty("0.001"), None), Ok(()));
    }
}
