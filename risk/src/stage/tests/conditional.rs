//! Conditional orders at the gate: what they are asked, what they count for, and who ends them.

use std::collections::BTreeSet;

use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Check, Class, Conditional, NewOrder, OrderId, OrderState, ReportKind, Side, Source,
    Status, Trigger, TriggerKind, TriggerPrice, Verdict,
};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Rate, Usd};

use super::{buy, desk, sell, wide};
use crate::limits::Limits;
use crate::testing::{BNB, BTC, Desk, approved, intent, px, qty, reducing, refusal, usd};

fn stop(price: &str) -> Trigger {
    Trigger {
        kind: TriggerKind::Stop,
        by: TriggerPrice::Mark,
        price: px(price),
        callback: Rate::ZERO,
        close_position: false,
    }
}

fn trailing(price: &str, share: &str) -> Trigger {
    let callback = Rate::parse(share.as_bytes()).unwrap();
    Trigger { kind: TriggerKind::Trailing, callback, ..stop(price) }
}

/// Asks for a conditional order on BTC, of which the mark is 1000.
fn ask(desk: &mut Desk, order: NewOrder, trigger: Trigger) -> (OrderId, Verdict) {
    let id = desk.next_id(super::A);
    let action = Action::Conditional(Conditional { order, trigger });
    (id, desk.ask(intent(id, BTC, action)))
}

fn refused(desk: &mut Desk, order: NewOrder, trigger: Trigger) -> Option<Check> {
    refusal(&ask(desk, order, trigger).1)
}

/// Long one coin from 1000.
fn long(change: impl FnOnce(&mut Limits)) -> Desk {
    let mut desk = desk(change);
    desk.fill(BTC, buy("1000", "1"));
    desk
}

fn exit(price: &str, amount: &str) -> NewOrder {
    reducing(sell(price, amount))
}

/// A protective sell of one coin that waits at the venue.
fn protected(desk: &mut Desk) -> OrderId {
    let (id, verdict) = ask(desk, exit("899", "1"), stop("900"));
    assert_eq!(approved(&verdict).1, Class::Reduce);
    desk.report(BTC, ReportKind::Accepted, id, Qty::ZERO);
    id
}

#[test]
fn several_may_protect_one_position_and_none_is_larger() {
    let mut desk = long(|_| {});
    let first = protected(&mut desk);
    let up = Trigger { kind: TriggerKind::TakeProfit, ..stop("1100") };
    assert_eq!(refused(&mut desk, exit("1099", "1"), up), None);
    assert_eq!(refused(&mut desk, exit("990", "1"), trailing("0", "0.01")), None);
    assert_eq!(refused(&mut desk, exit("899", "1.001"), stop("900")), Some(Check::ReduceOnly));
    let other_way = reducing(buy("1101", "1"));
    assert_eq!(refused(&mut desk, other_way, stop("1100")), Some(Check::ReduceOnly));
    let closes = Trigger { close_position: true, ..stop("900") };
    assert_eq!(refused(&mut desk, exit("899", "1"), closes), None);
    assert_eq!(desk.stage.portfolio().waiting(), 4);
    // They leave the position to plain exits.
    let (plain, verdict) = desk.ask_new(BTC, exit("1000", "1"));
    assert_eq!(refusal(&verdict), None);
    desk.report(BTC, ReportKind::Canceled, plain, Qty::ZERO);
    // One that was triggered does not.
    desk.report(BTC, ReportKind::Triggered, first, Qty::ZERO);
    assert_eq!(refusal(&desk.ask_new(BTC, exit("1000", "1")).1), Some(Check::ReduceOnly));
}

#[test]
fn what_a_trigger_says_holds_together_and_lies_near_the_mark() {
    let mut desk = long(|_| {});
    let no = |desk: &mut Desk, order, trigger| refused(desk, order, trigger);
    let why = Some(Check::Trigger);
    assert_eq!(no(&mut desk, exit("499", "1"), stop("499.9")), why);
    assert_eq!(no(&mut desk, exit("500", "1"), stop("500")), None);
    assert_eq!(no(&mut desk, exit("1", "1"), Trigger { price: Px::ZERO, ..stop("1") }), why);
    assert_eq!(no(&mut desk, exit("990", "1"), trailing("0", "0")), why);
    assert_eq!(no(&mut desk, exit("990", "1"), trailing("0", "0.0009")), why);
    assert_eq!(no(&mut desk, exit("890", "1"), trailing("0", "0.1001")), why);
    let closes = Trigger { close_position: true, ..stop("900") };
    assert_eq!(no(&mut desk, sell("899", "1"), closes), why);
    // The limit is measured by the trigger, not by the mark.
    assert_eq!(no(&mut desk, exit("890", "1"), stop("900")), Some(Check::Collar));
    assert_eq!(no(&mut desk, exit("980", "1"), stop("900")), Some(Check::Collar));
    assert_eq!(no(&mut desk, exit("891", "1"), stop("900")), None);
    assert_eq!(no(&mut desk, exit("899.95", "1"), stop("900")), Some(Check::Tick));
    assert_eq!(no(&mut desk, exit("899", "1"), stop("900.05")), Some(Check::Tick));
    assert_eq!(no(&mut desk, exit("899", "0.0005"), stop("900")), Some(Check::Lot));
    let id = desk.next_id(super::A);
    let order = Conditional { order: buy("601", "0.1"), trigger: stop("600") };
    let observed = desk.ask(intent(id, BNB, Action::Conditional(order)));
    assert_eq!(refusal(&observed), Some(Check::Universe));
}

#[test]
fn what_may_open_a_position_counts_whole() {
    let mut desk = wide();
    desk.refresh();
    let mut narrow = super::desk(|limits| {
        (limits.position_notional_max, limits.order_notional_max) = (usd("2500"), usd("9999"));
    });
    let (id, verdict) = ask(&mut narrow, buy("1011", "2"), stop("1010"));
    assert_eq!(approved(&verdict).1, Class::NewRisk);
    assert_eq!(refusal(&narrow.ask_new(BTC, buy("1000", "1")).1), Some(Check::Exposure));
    // It stands in no book: an own order on the other side does not meet it.
    assert_eq!(refusal(&narrow.ask_new(BTC, sell("1000", "1")).1), None);
    let action = Action::Amend { price: px("1012"), qty: qty("2") };
    narrow.report(BTC, ReportKind::Accepted, id, Qty::ZERO);
    assert_eq!(refusal(&narrow.ask(intent(id, BTC, action))), Some(Check::OrderState));
    let large = |limits: &mut Limits| limits.order_notional_max = Usd(1);
    let mut small = super::desk(large);
    assert_eq!(refused(&mut small, buy("1011", "2"), stop("1010")), Some(Check::OrderNotional));
    assert_eq!(refused(&mut small, buy("1011", "0.001"), stop("1010")), Some(Check::MinNotional));
    // The second of two alike is refused, and stale data refuses all of it.
    let (first, second) = (sell("989", "1"), stop("990"));
    assert_eq!(refused(&mut desk, first, second), None);
    assert_eq!(refused(&mut desk, first, second), Some(Check::Duplicate));
    desk.wait_seconds(11);
    assert_eq!(refused(&mut desk, first, second), Some(Check::BookFreshness));
    let far = |limits: &mut Limits| limits.trigger_distance = Bps(10_000);
    assert_eq!(refused(&mut super::desk(far), first, second), Some(Check::Trigger));
}

#[test]
fn each_is_charged_and_their_number_is_bounded() {
    let mut desk = long(|limits| (limits.rate_reduce, limits.conditional_max) = (2, 200));
    for expected in [None, None, Some(Check::RateReduce)] {
        assert_eq!(refused(&mut desk, exit("899", "1"), stop("900")), expected);
    }
    let mut desk = long(|limits| (limits.conditional_max, limits.reduce_reserve) = (2, 1));
    assert_eq!(refused(&mut desk, sell("899", "1"), stop("900")), None);
    let full = Some(Check::Conditionals);
    assert_eq!(refused(&mut desk, sell("898", "1"), stop("899")), full);
    assert_eq!(refused(&mut desk, exit("899", "1"), stop("900")), None);
    assert_eq!(refused(&mut desk, exit("898", "1"), stop("900")), full);
}

#[test]
fn the_kill_level_lets_protection_through_at_one_and_the_halt_cancels_it() {
    let mut desk = long(|_| {});
    desk.level(Level::NoNewRisk);
    assert_eq!(refused(&mut desk, sell("899", "1"), stop("900")), Some(Check::KillLevel));
    let waits = protected(&mut desk);
    let verdicts = desk.level(Level::Halt);
    let asked: BTreeSet<_> = verdicts
        .iter()
        .map(|verdict| approved(verdict).0.action)
        .map(|action| match action {
            Action::Cancel => "cancel",
            Action::New(_) => "reduce",
            Action::Amend { .. } | Action::Query | Action::Conditional(_) => "other",
        })
        .collect();
    assert_eq!(asked, BTreeSet::from(["cancel", "reduce"]));
    let Some(Verdict::Approved(cancel)) = verdicts.first() else { panic!("{verdicts:?}") };
    assert_eq!((cancel.intent().order, cancel.is_on_waiting()), (waits, true));
    assert_eq!((cancel.side(), cancel.intent().source), (Side::Sell, Source::Risk));
    assert_eq!(refused(&mut desk, exit("899", "1"), stop("900")), Some(Check::KillLevel));
}

/// Whoever sends a cancel or a query is told where the order is.
#[test]
fn an_intent_on_an_order_that_waits_says_so() {
    let mut desk = long(|_| {});
    let waits = protected(&mut desk);
    let on_waiting = |desk: &mut Desk, action| {
        let Verdict::Approved(approved) = desk.ask(intent(waits, BTC, action)) else {
            panic!("it is open")
        };
        approved.is_on_waiting()
    };
    assert!(on_waiting(&mut desk, Action::Query));
    desk.report(BTC, ReportKind::Triggered, waits, Qty::ZERO);
    assert!(!on_waiting(&mut desk, Action::Query));
    assert!(!on_waiting(&mut desk, Action::Cancel));
}

/// What was not heard of for long is asked about, as any other order, and an answer that it waits is good.
#[test]
fn what_waits_for_long_is_asked_about() {
    let mut desk = long(|_| {});
    let waits = protected(&mut desk);
    desk.wait_seconds(31);
    let asked: Vec<_> = desk.tick().iter().map(|verdict| approved(verdict).0).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].order, asked[0].action), (waits, Action::Query));
    let status = Status {
        order: waits,
        state: OrderState::Waiting,
        side: Side::Sell,
        reduce_only: true,
        price: px("899"),
        qty: qty("1"),
        cum_qty: Qty::ZERO,
        cum_quote: Usd::ZERO,
        cum_fee: Usd::ZERO,
        at: Nanos(desk.now.0),
    };
    desk.tell(BTC, fusewire_core::event::Body::Status(status));
    assert_eq!(desk.stage.portfolio().waiting(), 1);
    desk.wait_seconds(2);
    assert_eq!(desk.tick(), []);
}
