//! Amends: what one may do, and that old and new are both counted until it is answered.

use fusewire_core::event::Body;
use fusewire_core::kill::Level;
use fusewire_core::order::{Action, Check, Intent, NewOrder, OrderId, Report, ReportKind, Verdict};
use fusewire_core::units::{Nanos, Qty};

use super::{buy, check_of, desk, sell, wide};
use crate::limits::Limits;
use crate::testing::{
    A, BTC, Desk, config, depth, intent, mark, px, qty, reducing, refusal, report, touch, universe,
    usd,
};

fn amend(order: OrderId, price: &str, amount: &str) -> Intent {
    intent(order, BTC, Action::Amend { price: px(price), qty: qty(amount) })
}

fn check_of_amend(desk: &mut Desk, order: OrderId, price: &str, amount: &str) -> Option<Check> {
    refusal(&desk.ask(amend(order, price, amount)))
}

/// A desk of an account that money holds back in one symbol only.
fn bounded(position_notional_max: &str) -> Desk {
    let mut config = config(|limits| {
        limits.order_notional_max = usd("10000000");
        limits.gross_notional_max = usd("10000000");
        limits.position_notional_max = usd(position_notional_max);
    });
    config.balance = usd("10000000");
    Desk::open(&config)
}

/// C3: the exchange bounds the total of an order, not only what is left of it.
#[test]
fn c3_the_total_of_an_amend_lies_within_the_lot_bounds() {
    let mut desk = wide();
    let largest = universe().get(BTC).lot.max;
    let order = desk.rest(BTC, NewOrder { qty: largest, ..buy("1000", "1") });
    desk.report(BTC, ReportKind::PartialFill, order, qty("400"));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "1000.001"), Some(Check::Lot));
    assert_eq!(check_of_amend(&mut desk, order, "1000.1", "1000"), None);
}

/// An amend takes no further place in any table of orders.
#[test]
fn c10_an_amend_passes_where_a_new_order_finds_no_room() {
    let mut desk = desk(|limits: &mut Limits| {
        (limits.open_max, limits.reduce_reserve) = (4, 2);
        limits.rate_symbol = 30;
    });
    desk.fill(BTC, buy("1000", "1"));
    let order = desk.rest(BTC, buy("1000", "0.1"));
    desk.rest(BTC, buy("1000", "0.2"));
    let reduce = desk.rest(BTC, reducing(sell("1001", "0.1")));
    desk.rest(BTC, reducing(sell("1002", "0.1")));
    assert_eq!(check_of(&mut desk, buy("1000", "0.3")), Some(Check::OpenOrders));
    assert_eq!(check_of(&mut desk, reducing(sell("1003", "0.1"))), Some(Check::OpenOrders));
    assert_eq!(check_of_amend(&mut desk, order, "999", "0.1"), None);
    assert_eq!(check_of_amend(&mut desk, reduce, "1003", "0.1"), None);
}

#[test]
fn c10_an_amend_passes_where_the_exchange_takes_no_new_order_of_the_symbol() {
    let mut desk = wide();
    desk.fill(BTC, buy("1000", "10"));
    let order = desk.rest(BTC, buy("1000", "0.1"));
    let reduce = desk.rest(BTC, reducing(sell("1001", "0.01")));
    for _ in 0..98 {
        desk.wait(Nanos(1));
        desk.send(BTC, buy("1000", "0.1"));
    }
    desk.wait(Nanos(1));
    assert_eq!(check_of(&mut desk, buy("1000", "0.1")), Some(Check::MaxOrders));
    assert_eq!(check_of_amend(&mut desk, order, "999", "0.1"), None);
    for _ in 0..100 {
        desk.send(BTC, reducing(sell("1001", "0.01")));
    }
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.01"))), Some(Check::MaxOrders));
    assert_eq!(check_of_amend(&mut desk, reduce, "1002", "0.01"), None);
}

/// C1: what an amend adds is what goes beyond the order as it stands: counted once, not twice.
#[test]
fn c1_an_amend_adds_only_what_goes_beyond_the_order() {
    let mut desk = bounded("3000");
    let order = desk.rest(BTC, buy("1000", "2"));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "3.001"), Some(Check::Exposure));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "3"), None);
    assert_eq!(check_of(&mut desk, buy("999", "0.1")), Some(Check::Exposure));
}

/// C1: an amend to less frees nothing before it is confirmed, because the old order may fill first.
#[test]
fn c1_an_amend_to_less_frees_nothing_yet() {
    let mut desk = bounded("3000");
    let order = desk.rest(BTC, buy("1000", "3"));
    desk.tell(BTC, mark("1001"));
    desk.tell(BTC, depth());
    desk.tell(BTC, touch("1000.9", "1001.1"));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "0.5"), Some(Check::Exposure));
    desk.refresh();
    assert_eq!(check_of_amend(&mut desk, order, "1000", "0.5"), None);
    assert_eq!(check_of(&mut desk, buy("999", "0.1")), Some(Check::Exposure), "not confirmed");
    confirm(&mut desk, order, "1000", "0.5");
    assert_eq!(check_of(&mut desk, buy("999", "2.5")), None);
}

fn confirm(desk: &mut Desk, order: OrderId, price: &str, amount: &str) {
    let new = buy(price, amount);
    let amended = Report { ..report(ReportKind::Amended, order, &new, Qty::ZERO) };
    desk.tell(BTC, Body::Report(amended));
}

/// C1: until then the old price may hold too, and the dearer one counts.
#[test]
fn c1_an_amend_is_valued_at_the_dearer_of_both_prices() {
    let mut desk = bounded("3000");
    let order = desk.rest(BTC, buy("1010", "2.97"));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "2.98"), Some(Check::Exposure));
    assert_eq!(check_of_amend(&mut desk, order, "1000", "2.97"), None);
}

/// An order that rests far behind the touch is not amended through the collar, in one step or in two.
#[test]
fn c4_a_passive_order_is_not_amended_through_the_collar() {
    let mut desk = desk(|_| {});
    let order = desk.rest(BTC, buy("951", "0.1"));
    assert_eq!(check_of_amend(&mut desk, order, "1010.1", "0.1"), Some(Check::Collar));
    assert_eq!(check_of_amend(&mut desk, order, "1010", "0.1"), None);
    let verdict = desk.ask(amend(order, "1011", "0.1"));
    assert!(matches!(verdict, Verdict::Rejected(_)), "one amend at a time");
    confirm(&mut desk, order, "1010", "0.1");
    assert_eq!(check_of_amend(&mut desk, order, "1010.1", "0.1"), Some(Check::Collar));
}

/// DESIGN 4: of an order that nobody knows, the worst is assumed.
#[test]
fn an_amend_of_an_unknown_order_counts_as_new_risk() {
    let mut desk = desk(|_| {});
    let unknown = OrderId::new(1, A, 9);
    assert_eq!(check_of_amend(&mut desk, unknown, "1000", "0.1"), Some(Check::OrderState));
    desk.level(Level::NoNewRisk);
    assert_eq!(check_of_amend(&mut desk, unknown, "1000", "0.1"), Some(Check::KillLevel));
}

/// C7 is about orders that add risk: leaving in equal pieces is no fault, and no first one of a pair.
#[test]
fn c7_a_reduce_is_nobodys_duplicate() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.1"))), None);
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.1"))), None);
    assert_eq!(check_of(&mut desk, sell("1001", "0.1")), None);
    assert_eq!(check_of(&mut desk, sell("1001", "0.1")), Some(Check::Duplicate));
}
