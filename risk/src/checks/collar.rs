//! C4: how far a price may lie from the reference. Through it an order costs money at once; far behind
//! it, it is a slip of the finger that waits for a crash. Measured in raw `Bps`, rounded up.

use fusewire_core::order::{Check, Side};
use fusewire_core::units::{Bps, Px};

use super::{Outcome, share_at_most};

#[inline(always)]
pub(crate) fn collar(
    side: Side,
    price: Px,
    reference: Px,
    aggressive: Bps,
    passive: Bps,
) -> Outcome {
    let through = match side {
        Side::Buy => i128::from(price.0) - i128::from(reference.0),
        Side::Sell => i128::from(reference.0) - i128::from(price.0),
    };
    let limit = if through >= 0 { aggressive } else { passive };
    share_at_most(Check::Collar, through.abs(), i128::from(reference.0), limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::px;

    #[test]
    fn c4_a_price_stays_near_the_reference_on_both_sides() {
        let bps = |text: &str| Bps::parse(text.as_bytes()).unwrap();
        let refused = |side, price: &str| {
            let fail = collar(side, px(price), px("100"), bps("100"), bps("500")).err();
            fail.map(|fail| {
                assert_eq!(fail.check, Check::Collar);
                (fail.measured, fail.limit)
            })
        };
        for (side, price) in [
            (Side::Buy, "101"),
            (Side::Buy, "100"),
            (Side::Buy, "95"),
            (Side::Sell, "99"),
            (Side::Sell, "105"),
        ] {
            assert_eq!(refused(side, price), None);
        }
        let (near, far) = (Some((1_000_001, 1_000_000)), Some((5_000_001, 5_000_000)));
        assert_eq!(refused(Side::Buy, "101.00000001"), near);
        assert_eq!(refused(Side::Sell, "98.99999999"), near);
        assert_eq!(refused(Side::Buy, "94.99999999"), far);
        assert_eq!(refused(Side::Sell, "105.00000001"), far);
    }

    #[test]
    fn a_reference_of_zero_refuses() {
        let fail = collar(Side::Buy, px("1"), Px::ZERO, Bps(1), Bps(1)).unwrap_err();
        assert_eq!(fail.check, Check::Arithmetic);
    }
}
