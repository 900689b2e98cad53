//! Can this order be changed, cancelled or asked about? There is nothing to measure.

use fusewire_core::order::Check;
use fusewire_core::portfolio::Order;
use fusewire_core::units::{Px, Qty};

use super::{Fail, Number, Outcome, Pass};

/// An order that is not known to be over.
#[inline(always)]
pub(crate) fn known(order: Option<&Order>) -> Outcome<&Order> {
    let check = Check::OrderState;
    let none = Number::Known(0);
    let known = order.map(|value| Pass { check, measured: none, limit: none, value });
    known.ok_or(Fail { check, measured: 0, limit: 0 })
}

/// A known order that no cancel is on its way for.
#[inline(always)]
pub(crate) fn cancellable(order: Option<&Order>) -> Outcome<&Order> {
    known(order.filter(|order| order.cancel_since.is_none()))
}

/// An order that the venue has in its book, that neither amend nor cancel is on its way for, and that these
/// numbers would change: the venue refuses others, and nobody could tell whether one was done. It also
/// refuses to amend a conditional order that waits.
#[inline(always)]
pub(crate) fn amendable(order: Option<&Order>, price: Px, qty: Qty) -> Outcome<&Order> {
    let changes = |order: &&Order| (order.price, order.qty) != (price, qty);
    let in_book = |order: &&Order| order.unresolved() == 0 && order.trigger.is_none();
    known(order.filter(in_book).filter(changes))
}

#[cfg(test)]
mod tests {
    use fusewire_core::portfolio::{PendingAmend, Phase};
    use fusewire_core::units::Nanos;

    use super::*;
    use crate::testing::{open_order, px, qty};

    #[test]
    fn an_amend_changes_something() {
        let open = open_order();
        let amends = |price, qty| amendable(Some(&open), price, qty).is_ok();
        let (more, dearer) = (Qty(open.qty.0 + 1), Px(open.price.0 + 1));
        assert!(amends(open.price, more) && amends(dearer, open.qty));
        assert!(!amends(open.price, open.qty));
    }

    #[test]
    fn only_open_and_idle_orders_are_amended() {
        let open = open_order();
        let amend = Some(PendingAmend { price: px("1"), qty: qty("1"), since: Nanos(1) });
        let cases = [
            // Order, known, cancellable, amendable.
            (None, [false, false, false]),
            (Some(open), [true, true, true]),
            (Some(Order { phase: Phase::Pending, ..open }), [true, true, false]),
            (Some(Order { amend, ..open }), [true, true, false]),
            (Some(Order { cancel_since: Some(Nanos(1)), ..open }), [true, false, false]),
        ];
        for (order, expected) in cases {
            let order = order.as_ref();
            let found = [known(order), cancellable(order), amendable(order, px("1"), qty("1"))];
            assert_eq!(found.map(|outcome| outcome.is_ok()), expected, "{order:?}");
            for fail in found.into_iter().filter_map(Result::err) {
                assert_eq!(fail.check, Check::OrderState);
            }
        }
    }
}
