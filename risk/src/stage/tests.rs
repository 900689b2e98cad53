//! The stage as a whole: which checks each kind of intent passes, and what the stage sends by itself.

mod amends;
mod conditional;
mod halt;
mod protocol;
mod queries;
mod questions;
mod random;
mod symbols;
mod why;

use fusewire_core::book::Invalid;
use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Check, Class, NewOrder, OrderId, RejectedBy, Rejection, ReportKind, Side, StrategyId,
};
use fusewire_core::units::{Bps, Nanos, Px, Qty};

use crate::limits::Limits;
use crate::testing::{
    A, B, BNB, BTC, Desk, ETH, SPOT, approved, config, depth, intent, mark, new_order, px, qty,
    reducing, refusal, report, touch, universe, usd,
};

fn buy(price: &str, amount: &str) -> NewOrder {
    new_order(Side::Buy, price, amount)
}

fn sell(price: &str, amount: &str) -> NewOrder {
    new_order(Side::Sell, price, amount)
}

/// Desks with limits that bind one at a time.
fn desk(change: impl FnOnce(&mut Limits)) -> Desk {
    Desk::open(&config(change))
}

/// A desk of an account that is not held back by money.
fn wide() -> Desk {
    let mut config = config(|limits| {
        (limits.rate_new, limits.rate_symbol) = (400, 400);
        limits.open_max = 400;
        limits.reduce_reserve = 100;
        limits.order_notional_max = usd("10000000");
        limits.position_notional_max = usd("10000000");
        limits.gross_notional_max = usd("10000000");
        limits.duplicate_window = Nanos(1);
    });
    config.balance = usd("10000000");
    Desk::open(&config)
}

fn check_of(desk: &mut Desk, new: NewOrder) -> Option<Check> {
    refusal(&desk.ask_new(BTC, new).1)
}

#[test]
fn a_sound_order_is_approved_as_new_risk() {
    let mut desk = desk(|_| {});
    let (order, verdict) = desk.ask_new(BTC, buy("1000", "1"));
    let (intent, class) = approved(&verdict);
    assert_eq!((intent.order, class), (order, Class::NewRisk));
    assert_eq!(desk.stage.portfolio().orders().len(), 1);
    assert_eq!(desk.stage.mark(BTC), Some(px("1000")));
    assert_eq!(desk.stage.mark(SPOT), None);
}

/// DESIGN 4: the sequenced level, not the word of the moment.
#[test]
fn the_sequenced_level_decides() {
    let mut desk = desk(|_| {});
    desk.kill.raise(Level::Dead);
    assert_eq!(check_of(&mut desk, buy("1000", "1")), None);
    desk.level(Level::NoNewRisk);
    assert_eq!(desk.stage.level(), Level::NoNewRisk);
    assert_eq!(check_of(&mut desk, buy("1000", "0.5")), Some(Check::KillLevel));
    desk.level(Level::Run);
    assert_eq!(check_of(&mut desk, buy("1000", "0.5")), None);
}

#[test]
fn c12_only_tradable_symbols_and_known_strategies() {
    let mut desk = desk(|_| {});
    let refused =
        |desk: &mut Desk, strategy, on| refusal(&desk.ask_new_of(strategy, on, buy("1000", "1")).1);
    assert_eq!(refused(&mut desk, A, SPOT), Some(Check::Universe), "no contract");
    assert_eq!(refused(&mut desk, A, BNB), Some(Check::Universe), "not on the list");
    let nowhere = InstrumentId(99);
    assert_eq!(refused(&mut desk, A, nowhere), Some(Check::Universe));
    for foreign in [StrategyId(7), StrategyId::RISK] {
        assert_eq!(refused(&mut desk, foreign, BTC), Some(Check::Universe));
    }
    assert_eq!(refused(&mut desk, B, BTC), None);
}

#[test]
fn c13_new_risk_needs_a_book_and_a_mark() {
    let mut desk = Desk::new(&config(|_| {}));
    let order = |n: u32| buy("1000", &format!("0.{n}"));
    assert_eq!(check_of(&mut desk, order(1)), Some(Check::BookFreshness));
    desk.tell(BTC, depth());
    desk.tell(BTC, touch("999.9", "1000.1"));
    assert_eq!(check_of(&mut desk, order(1)), Some(Check::MarkFreshness));
    desk.tell(BTC, mark("1000"));
    assert_eq!(check_of(&mut desk, order(1)), None);
    desk.wait_seconds(5);
    assert_eq!(check_of(&mut desk, order(2)), None);
    desk.wait(Nanos(1));
    assert_eq!(check_of(&mut desk, order(3)), Some(Check::BookFreshness));
    desk.wait_seconds(5);
    desk.tell(BTC, depth());
    assert_eq!(check_of(&mut desk, order(3)), Some(Check::MarkFreshness));
    desk.tell(BTC, mark("1000"));
    assert_eq!(check_of(&mut desk, order(3)), None);
    desk.tell(BTC, Body::BookInvalid(Invalid::Gap));
    assert_eq!(check_of(&mut desk, order(4)), Some(Check::BookFreshness));
    desk.tell(BTC, depth());
    assert_eq!(check_of(&mut desk, order(4)), None);
    desk.tell(BTC, mark("0"));
    assert_eq!(check_of(&mut desk, order(5)), Some(Check::MarkFreshness));
}

#[test]
fn each_filter_and_size_refuses() {
    for (new, check) in [
        (buy("1000.05", "1"), Check::Tick),
        (buy("1000", "1.0005"), Check::Lot),
        (buy("1000", "0.049"), Check::MinNotional),
        (buy("1050.1", "1"), Check::PercentPrice),
        (sell("949.9", "1"), Check::PercentPrice),
        (buy("1010.1", "1"), Check::Collar),
        (sell("989.9", "1"), Check::Collar),
        (buy("949.9", "1"), Check::Collar),
        (sell("1050.1", "1"), Check::Collar),
        (buy("1000", "1.501"), Check::OrderQty),
        (buy("1001", "1.5"), Check::OrderNotional),
    ] {
        let mut desk = desk(|limits| {
            limits.order_qty_max = Some(qty("1.5"));
            limits.order_notional_max = usd("1500");
        });
        assert_eq!(check_of(&mut desk, new), Some(check), "{new:?}");
        assert_eq!(desk.stage.portfolio().orders().len(), 0, "a refused order is not tracked");
        assert_eq!(check_of(&mut desk, buy("1000", "1.5")), None);
    }
}

#[test]
fn c4_mark_and_own_mid_must_agree() {
    let mut desk = desk(|_| {});
    desk.tell(BTC, mark("994.9"));
    assert_eq!(check_of(&mut desk, buy("999", "1")), Some(Check::Collar));
    desk.tell(BTC, mark("996"));
    assert_eq!(check_of(&mut desk, buy("999", "1")), None);
}

#[test]
fn c7_repetitions_and_used_ids_are_refused() {
    let mut desk = desk(|_| {});
    let (first, _) = desk.ask_new(BTC, buy("1000", "0.1"));
    desk.wait(Nanos(499 * Nanos::MILLI));
    assert_eq!(check_of(&mut desk, buy("1000", "0.1")), Some(Check::Duplicate));
    let (_, other) = desk.ask_new_of(B, BTC, buy("1000", "0.1"));
    assert_eq!(refusal(&other), None, "another strategy may think the same");
    desk.wait(Nanos(Nanos::MILLI));
    assert_eq!(check_of(&mut desk, buy("1000", "0.1")), None);
    let again = intent(first, BTC, Action::New(buy("1000", "0.2")));
    assert_eq!(refusal(&desk.ask(again)), Some(Check::Duplicate));
    desk.report(BTC, ReportKind::Canceled, first, Qty::ZERO);
    assert_eq!(refusal(&desk.ask(again)), Some(Check::Duplicate));
}

#[test]
fn c5_new_orders_have_a_budget_for_each_symbol_and_one_for_all() {
    let mut desk = desk(|limits| (limits.rate_new, limits.rate_symbol) = (3, 2));
    let refused = |desk: &mut Desk, on, new| refusal(&desk.ask_new(on, new).1);
    assert_eq!(refused(&mut desk, BTC, buy("1000", "0.1")), None);
    assert_eq!(refused(&mut desk, BTC, buy("1000", "0.2")), None);
    assert_eq!(refused(&mut desk, BTC, buy("1000", "0.3")), Some(Check::RateSymbol));
    assert_eq!(refused(&mut desk, ETH, buy("100", "1")), None);
    assert_eq!(refused(&mut desk, ETH, buy("100", "2")), Some(Check::RateNew));
    desk.wait(Nanos(60 * Nanos::SECOND - 1));
    desk.refresh();
    assert_eq!(refused(&mut desk, ETH, buy("100", "2")), Some(Check::RateNew));
    desk.wait(Nanos(1));
    assert_eq!(refused(&mut desk, ETH, buy("100", "2")), None);
}

/// X7: a strategy that used up its new orders can still amend, cancel and reduce, and the other way.
#[test]
fn x7_each_class_has_its_own_budget() {
    let mut desk = desk(|limits| {
        limits.rate_new = 4;
        limits.rate_amend = 1;
        limits.rate_cancel = 1;
        limits.rate_reduce = 2;
        limits.rate_query = 1;
    });
    desk.fill(BTC, buy("1000", "1"));
    let orders = ["0.1", "0.2", "0.3"].map(|amount| desk.rest(BTC, buy("1000", amount)));
    assert_eq!(check_of(&mut desk, buy("1000", "0.4")), Some(Check::RateNew));
    let ask = |desk: &mut Desk, order, action| refusal(&desk.ask(intent(order, BTC, action)));
    let amend = Action::Amend { price: px("1001"), qty: qty("0.1") };
    assert_eq!(ask(&mut desk, orders[0], amend), None);
    assert_eq!(ask(&mut desk, orders[1], amend), Some(Check::RateAmend));
    assert_eq!(ask(&mut desk, orders[1], Action::Cancel), None);
    assert_eq!(ask(&mut desk, orders[2], Action::Cancel), Some(Check::RateCancel));
    assert_eq!(ask(&mut desk, orders[2], Action::Query), None);
    assert_eq!(ask(&mut desk, orders[2], Action::Query), Some(Check::RateQuery));
    let reduce = desk.rest(BTC, reducing(sell("1001", "0.1")));
    let amend = Action::Amend { price: px("1002"), qty: qty("0.1") };
    assert_eq!(ask(&mut desk, reduce, amend), None, "an amend of a reduce is a reduce");
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.1"))), Some(Check::RateReduce));
    assert_eq!(ask(&mut desk, reduce, amend), Some(Check::OrderState));
}

#[test]
fn an_amend_of_a_reduce_pays_from_the_budget_of_reduces() {
    let mut desk = desk(|limits| limits.rate_reduce = 1);
    desk.fill(BTC, buy("1000", "1"));
    let reduce = desk.rest(BTC, reducing(sell("1001", "0.1")));
    let amend = intent(reduce, BTC, Action::Amend { price: px("1002"), qty: qty("0.1") });
    assert_eq!(refusal(&desk.ask(amend)), Some(Check::RateReduce));
}

#[test]
fn c10_new_risk_leaves_room_for_reduces() {
    let mut desk = desk(|limits| (limits.open_max, limits.reduce_reserve) = (4, 2));
    desk.fill(BTC, buy("1000", "1"));
    desk.rest(BTC, buy("1000", "0.1"));
    desk.rest(ETH, buy("100", "1"));
    assert_eq!(check_of(&mut desk, buy("1000", "0.3")), Some(Check::OpenOrders));
    for price in ["1001", "1002"] {
        assert_eq!(check_of(&mut desk, reducing(sell(price, "0.1"))), None);
    }
    assert_eq!(check_of(&mut desk, reducing(sell("1003", "0.1"))), Some(Check::OpenOrders));
}

/// 200 orders of one symbol is the venue's own bound; in-flight ones count.
#[test]
fn c10_the_venue_bounds_the_orders_of_a_symbol() {
    let mut desk = wide();
    desk.fill(BTC, buy("1000", "10"));
    for _ in 0..50 {
        assert_eq!(check_of(&mut desk, buy("1000", "0.1")), None);
        assert_eq!(check_of(&mut desk, sell("1001", "0.1")), None);
        desk.wait(Nanos(1));
    }
    assert_eq!(check_of(&mut desk, sell("1001", "0.1")), Some(Check::MaxOrders));
    for _ in 0..100 {
        assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.1"))), None);
    }
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.1"))), Some(Check::MaxOrders));
    assert_eq!(refusal(&desk.ask_new(ETH, buy("100", "1")).1), None);
}

#[test]
fn c9_strategies_do_not_trade_with_each_other() {
    let mut desk = desk(|_| {});
    let resting = desk.send(BTC, sell("1001", "0.1"));
    let crossing = |desk: &mut Desk, price| refusal(&desk.ask_new_of(B, BTC, buy(price, "0.1")).1);
    assert_eq!(crossing(&mut desk, "1001"), Some(Check::SelfMatch), "in flight counts");
    desk.report(BTC, ReportKind::Accepted, resting, Qty::ZERO);
    assert_eq!(crossing(&mut desk, "1001.1"), Some(Check::SelfMatch));
    assert_eq!(crossing(&mut desk, "1000.9"), None);
    desk.report(BTC, ReportKind::Canceled, resting, Qty::ZERO);
    assert_eq!(crossing(&mut desk, "1001.1"), None);
}

/// C1: counts open orders as if filled, and never nets a position against an order.
#[test]
fn c11_worst_case_of_a_symbol() {
    let limits = |limits: &mut Limits| limits.position_notional_max = usd("3000");
    let mut desk = desk(limits);
    desk.fill(BTC, buy("1000", "1"));
    desk.send(BTC, buy("1000", "1.5"));
    assert_eq!(check_of(&mut desk, buy("1000", "0.501")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, buy("1000", "0.5")), None);
    // A resting reduce gives no room to buy, and the long gives none to sell.
    desk.send(BTC, reducing(sell("1001", "1")));
    assert_eq!(check_of(&mut desk, buy("999", "0.06")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, sell("1010", "1.98")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, sell("1010", "1.97")), None);
}

#[test]
fn c1_worst_case_of_the_account() {
    let mut desk = desk(|limits| limits.gross_notional_max = usd("3001"));
    desk.fill(ETH, sell("100", "20"));
    assert_eq!(check_of(&mut desk, buy("1000", "1.002")), Some(Check::GrossExposure));
    assert_eq!(check_of(&mut desk, buy("1000", "1")), None);
    // The other direction of the same symbol is not added to it.
    assert_eq!(check_of(&mut desk, sell("1001", "0.9")), None);
}

#[test]
fn s0_23_a_position_elsewhere_without_a_fresh_mark_refuses() {
    let mut desk = desk(|_| {});
    desk.fill(ETH, buy("100", "1"));
    desk.wait_seconds(11);
    desk.tell(BTC, depth());
    desk.tell(BTC, mark("1000"));
    assert_eq!(check_of(&mut desk, buy("1000", "0.1")), Some(Check::MarkFreshness));
    desk.tell(ETH, mark("100"));
    assert_eq!(check_of(&mut desk, buy("1000", "0.1")), None);
}

/// S0-07: five times equity, and equity falls with losses.
#[test]
fn s0_07_leverage_counts_what_was_lost() {
    let mut config = config(|_| {});
    config.balance = usd("600");
    let mut desk = Desk::open(&config);
    desk.fill(BTC, buy("1000", "1"));
    // 600 less a fee of one: 2995.
    let (_, over) = desk.ask_new(ETH, buy("100", "19.951"));
    assert_eq!(refusal(&over), Some(Check::Leverage));
    let (_, within) = desk.ask_new(ETH, buy("100", "19.95"));
    assert_eq!(refusal(&within), None);
    let (_, more) = desk.ask_new(BTC, buy("1000", "0.1"));
    assert_eq!(refusal(&more), Some(Check::Leverage));
    desk.tell(BTC, mark("400"));
    desk.tell(BTC, touch("399.9", "400.1"));
    let (_, broke) = desk.ask_new(BTC, buy("400", "0.2"));
    assert_eq!(refusal(&broke), Some(Check::Leverage), "no equity carries nothing");
}

#[test]
fn an_amend_is_judged_like_a_new_order_of_the_rest() {
    for (price, amount, check) in [
        ("1000.05", "1", Check::Tick),
        ("1000", "1.0005", Check::Lot),
        ("1000", "0", Check::Lot),
        ("1000", "0.049", Check::MinNotional),
        ("1050.1", "1", Check::PercentPrice),
        ("1010.1", "1", Check::Collar),
        ("949.9", "1", Check::Collar),
        ("1000", "1.601", Check::OrderQty),
        ("1001", "1.5", Check::OrderNotional),
        ("1003", "0.5", Check::SelfMatch),
    ] {
        let mut desk = desk(|limits| {
            limits.order_qty_max = Some(qty("1.6"));
            limits.order_notional_max = usd("1501");
        });
        let order = desk.rest(BTC, buy("1000", "1"));
        desk.rest(BTC, sell("1003", "0.1"));
        let ask = |desk: &mut Desk, price, amount| {
            let action = Action::Amend { price: px(price), qty: qty(amount) };
            let verdict = desk.ask(intent(order, BTC, action));
            refusal(&verdict)
        };
        assert_eq!(ask(&mut desk, price, amount), Some(check), "{price} {amount}");
        assert_eq!(ask(&mut desk, "1000.1", "1.5"), None);
    }
}

#[test]
fn an_amend_needs_data_a_level_and_an_order_that_is_open_and_idle() {
    let mut desk = desk(|_| {});
    let amend = |order, on| intent(order, on, Action::Amend { price: px("1001"), qty: qty("0.1") });
    let order = desk.send(BTC, buy("1000", "0.1"));
    let ask = |desk: &mut Desk, order, on| refusal(&desk.ask(amend(order, on)));
    assert_eq!(ask(&mut desk, order, BTC), Some(Check::OrderState), "in flight");
    desk.report(BTC, ReportKind::Accepted, order, Qty::ZERO);
    assert_eq!(ask(&mut desk, OrderId::new(1, A, 9), BTC), Some(Check::OrderState), "unknown");
    assert_eq!(ask(&mut desk, order, ETH), Some(Check::Universe));
    desk.level(Level::NoNewRisk);
    assert_eq!(ask(&mut desk, order, BTC), Some(Check::KillLevel));
    desk.level(Level::Run);
    desk.tell(BTC, Body::BookInvalid(Invalid::Gap));
    assert_eq!(ask(&mut desk, order, BTC), Some(Check::BookFreshness));
    desk.tell(BTC, depth());
    desk.tell(BTC, mark("0"));
    assert_eq!(ask(&mut desk, order, BTC), Some(Check::MarkFreshness));
    desk.refresh();
    assert_eq!(ask(&mut desk, order, BTC), None);
    assert_eq!(ask(&mut desk, order, BTC), Some(Check::OrderState), "an amend is on its way");
}

/// What the venue is sent is the total, what is at risk is the rest.
#[test]
fn c3_the_total_of_an_amend_stays_within_the_lot_too() {
    let mut desk = wide();
    let order = desk.rest(BTC, buy("1000", "900"));
    desk.report(BTC, ReportKind::PartialFill, order, qty("800"));
    let largest = universe().get(BTC).lot.max;
    let amend = |amount| intent(order, BTC, Action::Amend { price: px("1000"), qty: amount });
    let beyond = Qty(largest.0 + qty("0.001").0);
    assert_eq!(refusal(&desk.ask(amend(beyond))), Some(Check::Lot));
    assert_eq!(refusal(&desk.ask(amend(largest))), None);
}

/// Until it is confirmed, the old quantity and the new one may both hold.
#[test]
fn c1_an_amend_counts_the_larger_of_old_and_new() {
    let mut desk = desk(|limits| limits.position_notional_max = usd("3000"));
    let order = desk.rest(BTC, buy("1000", "2"));
    let amend =
        |price, amount| intent(order, BTC, Action::Amend { price: px(price), qty: qty(amount) });
    desk.send(BTC, buy("1000", "0.5"));
    assert_eq!(refusal(&desk.ask(amend("1000", "2.501"))), Some(Check::OrderNotional));
    desk.report(BTC, ReportKind::PartialFill, order, qty("1"));
    assert_eq!(refusal(&desk.ask(amend("1000", "2.501"))), Some(Check::Exposure));
    assert_eq!(refusal(&desk.ask(amend("1000", "1"))), Some(Check::Lot), "nothing is left");
    assert_eq!(refusal(&desk.ask(amend("1000", "1.5"))), None);
    assert_eq!(check_of(&mut desk, buy("999", "0.501")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, buy("999", "0.5")), None);
}

#[test]
fn a_reduce_stays_within_the_position_of_the_account() {
    let mut desk = desk(|_| {});
    assert_eq!(check_of(&mut desk, reducing(sell("1000", "0.1"))), Some(Check::ReduceOnly));
    desk.fill(BTC, buy("1000", "1"));
    assert_eq!(check_of(&mut desk, reducing(buy("1000", "0.1"))), Some(Check::ReduceOnly));
    assert_eq!(check_of(&mut desk, reducing(sell("1000", "1.001"))), Some(Check::ReduceOnly));
    let (order, verdict) = desk.ask_new_of(B, BTC, reducing(sell("1001", "0.4")));
    assert_eq!(approved(&verdict).1, Class::Reduce, "whoever holds it, the account may leave");
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.601"))), Some(Check::ReduceOnly));
    assert_eq!(check_of(&mut desk, reducing(sell("1001", "0.5"))), None);
    desk.report(BTC, ReportKind::Accepted, order, Qty::ZERO);
    let amend = |amount| intent(order, BTC, Action::Amend { price: px("1001"), qty: qty(amount) });
    assert_eq!(refusal(&desk.ask(amend("0.501"))), Some(Check::ReduceOnly));
    assert_eq!(approved(&desk.ask(amend("0.5"))).1, Class::Reduce);
}

/// DESIGN 4: no failure of data, no exposure and no level below the halt keeps a reduce in.
#[test]
fn a_reduce_leaves_when_everything_else_stands_still() {
    let mut desk = wide();
    desk.fill(BTC, buy("1000", "100"));
    desk.rest(BTC, buy("999", "1"));
    desk.level(Level::NoNewRisk);
    desk.tell(BTC, Body::BookInvalid(Invalid::Gap));
    desk.wait_seconds(3_600);
    // More than one order may be worth, twice the same, far beyond the mark's age, through an own buy.
    for _ in 0..2 {
        assert_eq!(check_of(&mut desk, reducing(sell("990", "40"))), None);
    }
    assert_eq!(check_of(&mut desk, reducing(sell("1000", "0.001"))), None, "below min notional");
    assert_eq!(check_of(&mut desk, reducing(sell("989.9", "1"))), Some(Check::Collar));
    assert_eq!(check_of(&mut desk, reducing(sell("949.9", "1"))), Some(Check::PercentPrice));
    assert_eq!(check_of(&mut desk, reducing(sell("1050.1", "1"))), Some(Check::Collar));
    assert_eq!(check_of(&mut desk, reducing(sell("990.05", "1"))), Some(Check::Tick));
    assert_eq!(check_of(&mut desk, reducing(sell("990", "0.0005"))), Some(Check::Lot));
    desk.level(Level::Halt);
    assert_eq!(check_of(&mut desk, reducing(sell("990", "1"))), Some(Check::KillLevel));
}

#[test]
fn without_any_price_ever_a_reduce_is_refused() {
    let mut desk = Desk::new(&config(|_| {}));
    let foreign = OrderId::new(1, A, 1);
    desk.sent.insert(foreign, buy("1000", "1"));
    desk.report(BTC, ReportKind::Filled, foreign, qty("1"));
    desk.next_id(A);
    assert_eq!(check_of(&mut desk, reducing(sell("1000", "1"))), Some(Check::Collar));
    desk.tell(BTC, mark("1000"));
    assert_eq!(check_of(&mut desk, reducing(sell("1000", "1"))), None);
    assert_eq!(refusal(&desk.ask_new(SPOT, reducing(sell("1000", "1"))).1), Some(Check::Universe));
}

#[test]
fn a_cancel_passes_at_the_halt_and_only_once() {
    let mut desk = desk(|limits| limits.rate_cancel = 1);
    let order = desk.send(BTC, buy("1000", "0.1"));
    let ask = |desk: &mut Desk, order, on, action| desk.ask(intent(order, on, action));
    let unknown = OrderId::new(1, A, 9);
    for action in [Action::Cancel, Action::Query] {
        assert_eq!(refusal(&ask(&mut desk, unknown, BTC, action)), Some(Check::OrderState));
        assert_eq!(refusal(&ask(&mut desk, order, ETH, action)), Some(Check::Universe));
    }
    desk.tell(BTC, Body::BookInvalid(Invalid::Gap));
    let verdict = ask(&mut desk, order, BTC, Action::Cancel);
    assert_eq!(approved(&verdict).1, Class::Cancel);
    assert_eq!(refusal(&ask(&mut desk, order, BTC, Action::Cancel)), Some(Check::OrderState));
    assert_eq!(approved(&ask(&mut desk, order, BTC, Action::Query)).1, Class::Cancel);
    desk.level(Level::Dead);
    assert_eq!(refusal(&ask(&mut desk, order, BTC, Action::Cancel)), Some(Check::KillLevel));
}

/// What the gateway stopped is released; what risk refused was never held.
#[test]
fn only_rejections_of_the_gateway_release() {
    let mut desk = desk(|_| {});
    let order = desk.send(BTC, buy("1000", "0.1"));
    let sent = intent(order, BTC, Action::New(buy("1000", "0.1")));
    let by = |by| Body::Rejected(Rejection::new(&sent, by, Check::KillLevel, 1, 0));
    desk.tell(BTC, by(RejectedBy::Risk));
    assert_eq!(desk.stage.portfolio().orders().len(), 1);
    desk.tell(BTC, by(RejectedBy::Gateway));
    assert_eq!(desk.stage.portfolio().orders().len(), 0);
}

/// DESIGN 4: unknown is unsafe. A fill that could not be booked is a position that nobody sees.
#[test]
fn a_fill_that_can_not_be_booked_raises_the_level() {
    let mut desk = desk(|_| {});
    let foreign = |counter, amount| {
        let new = NewOrder { qty: amount, ..buy("1", "1") };
        let mut fill = report(ReportKind::PartialFill, OrderId::new(1, B, counter), &new, Qty(1));
        fill.cum_qty = amount;
        Body::Report(fill)
    };
    desk.tell(BTC, foreign(1, Qty(i64::MAX)));
    assert_eq!(desk.kill.level(), Level::Run);
    desk.tell(BTC, foreign(2, Qty(1)));
    assert_eq!(desk.stage.portfolio().faults().range, 1);
    assert_eq!(desk.kill.level(), Level::NoNewRisk);
    assert_eq!(desk.stage.level(), Level::Run, "until it is sequenced");
}

#[test]
fn a_fill_of_an_order_that_does_not_fit_the_table_raises_the_level() {
    let mut desk = desk(|limits| (limits.open_max, limits.reduce_reserve) = (4, 1));
    for counter in 1..=9 {
        assert_eq!(desk.kill.level(), Level::Run);
        let order = OrderId::new(1, B, counter);
        desk.sent.insert(order, buy("1000", "1"));
        desk.report(BTC, ReportKind::Accepted, order, Qty::ZERO);
    }
    assert_eq!(
        desk.stage.portfolio().faults().overflow,
        1,
        "room for four orders and four symbols"
    );
    assert_eq!(desk.kill.level(), Level::NoNewRisk);
}

#[test]
fn the_collar_is_configured() {
    let narrow = Bps::parse(b"10").unwrap();
    let mut desk = desk(|limits| (limits.collar, limits.collar_passive) = (narrow, narrow));
    assert_eq!(check_of(&mut desk, buy("1001.1", "1")), Some(Check::Collar));
    assert_eq!(check_of(&mut desk, buy("998.9", "1")), Some(Check::Collar));
    assert_eq!(check_of(&mut desk, buy("1001", "1")), None);
    assert_eq!(desk.stage.mark(BTC), Some(Px(100_000_000_000)));
}
