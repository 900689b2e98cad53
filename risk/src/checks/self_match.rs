//! C9: new risk must not meet an own order, of any strategy, at the most aggressive price that it may
//! have. Measured is the price, the limit that of the order which it would meet, or of the nearest one
//! that it would not.

use fusewire_core::order::{Check, Side};
use fusewire_core::portfolio::Order;
use fusewire_core::units::Px;

use super::{Outcome, UNLIMITED, passes};

#[inline(always)]
pub(crate) fn self_match<'a>(
    side: Side,
    price: Px,
    own: impl Iterator<Item = &'a Order>,
) -> Outcome {
    let says = |holds, limit| passes(holds, Check::SelfMatch, i128::from(price.0), limit);
    let mut nearest: Option<Px> = None;
    for at in own.filter(|other| other.side != side).map(Order::most_aggressive_price) {
        let (meets, nearer) = match side {
            Side::Buy => (price >= at, nearest.map_or(at, |nearest| nearest.min(at))),
            Side::Sell => (price <= at, nearest.map_or(at, |nearest| nearest.max(at))),
        };
        if meets {
            return says(false, i128::from(at.0));
        }
        nearest = Some(nearer);
    }
    says(true, nearest.map_or(UNLIMITED, |nearest| i128::from(nearest.0)))
}

#[cfg(test)]
mod tests {
    use fusewire_core::portfolio::PendingAmend;
    use fusewire_core::units::Nanos;

    use super::super::tests::numbers;
    use super::*;
    use crate::testing::{open_order, px, qty};

    #[test]
    fn c9_an_order_does_not_meet_an_own_one() {
        let refused = |side, price: &str, own: Order| {
            let fail = self_match(side, px(price), [own].iter()).err();
            fail.map(|fail| (fail.check, fail.limit))
        };
        let sell = Order { side: Side::Sell, price: px("101"), ..open_order() };
        let buy = Order { side: Side::Buy, price: px("99"), ..open_order() };
        assert_eq!(refused(Side::Buy, "100.9", sell), None);
        assert_eq!(refused(Side::Buy, "101", sell), Some((Check::SelfMatch, px("101").0.into())));
        assert_eq!(refused(Side::Sell, "99.1", buy), None);
        assert_eq!(refused(Side::Sell, "99", buy), Some((Check::SelfMatch, px("99").0.into())));
        assert_eq!(refused(Side::Buy, "200", buy), None, "the same side never meets");
        assert_eq!(refused(Side::Sell, "1", sell), None, "the same side never meets");
    }

    #[test]
    fn an_order_that_meets_none_is_measured_by_the_nearest() {
        let nearest = |side, price: &str, own: &[Order]| {
            let [measured, limit] = numbers(self_match(side, px(price), own.iter())).unwrap();
            assert_eq!(measured, i128::from(px(price).0));
            limit
        };
        let own =
            |side| ["102", "101", "103"].map(|at| Order { side, price: px(at), ..open_order() });
        assert_eq!(nearest(Side::Buy, "100", &own(Side::Sell)), px("101").0.into());
        assert_eq!(nearest(Side::Sell, "104", &own(Side::Buy)), px("103").0.into());
        assert_eq!(nearest(Side::Buy, "100", &own(Side::Buy)), UNLIMITED);
        assert_eq!(nearest(Side::Sell, "100", &[]), UNLIMITED);
    }

    #[test]
    fn c9_an_amend_on_its_way_may_already_hold() {
        let amend = Some(PendingAmend { price: px("100"), qty: qty("1"), since: Nanos(1) });
        let sell = Order { side: Side::Sell, price: px("101"), amend, ..open_order() };
        assert!(self_match(Side::Buy, px("100"), [sell].iter()).is_err());
        assert!(self_match(Side::Buy, px("99.9"), [sell].iter()).is_ok());
    }
}
