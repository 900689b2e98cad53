//! What the stage asks the venue, and that an answer sets free what a lost report held.

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Check, Class, OrderId, OrderState, Report, ReportKind, Status, VenueReason, Verdict,
};
use fusewire_core::units::{Nanos, Qty, Round, Usd};

use super::{buy, check_of, desk, sell, wide};
use crate::testing::{A, BTC, Desk, ETH, approved, config, intent, px, qty, reducing, report, usd};

fn asked(verdicts: &[Verdict]) -> Vec<OrderId> {
    let query = |verdict: &Verdict| {
        let (intent, class) = approved(verdict);
        assert_eq!((intent.action, class), (Action::Query, Class::Cancel));
        intent.order
    };
    verdicts.iter().map(query).collect()
}

fn answer(desk: &mut Desk, on: InstrumentId, order: OrderId, state: OrderState, cum: Qty) {
    let status = status(desk, order, state, cum);
    desk.tell(on, Body::Status(status));
}

fn status(desk: &Desk, order: OrderId, state: OrderState, cum: Qty) -> Status {
    let new = desk.sent[&order];
    Status {
        order,
        state,
        side: new.side,
        reduce_only: new.reduce_only,
        price: new.price,
        qty: new.qty,
        cum_qty: cum,
        cum_quote: new.price.notional(cum, Round::Up).narrow().unwrap(),
        cum_fee: Usd::ZERO,
        at: desk.now,
    }
}

#[test]
fn an_order_without_an_answer_is_asked_about_once_in_a_timeout() {
    let mut desk = desk(|_| {});
    let order = desk.send(BTC, buy("1000", "1"));
    desk.wait(Nanos(Nanos::SECOND - 1));
    assert_eq!(desk.tick(), []);
    desk.wait(Nanos(1));
    assert_eq!(desk.run(None, Body::Wake, &[]).0, [], "at ticks only");
    assert_eq!(asked(&desk.tick()), [order]);
    answer(&mut desk, BTC, order, OrderState::Unknown, Qty::ZERO);
    desk.wait(Nanos(Nanos::SECOND - 1));
    assert_eq!(desk.tick(), [], "an answer that says nothing is no reason to ask faster");
    desk.wait(Nanos(1));
    assert_eq!(asked(&desk.tick()), [order], "an answer that is lost does not stop the asking");
    desk.report(BTC, ReportKind::Accepted, order, Qty::ZERO);
    desk.wait_seconds(1);
    assert_eq!(desk.tick(), []);
    assert_eq!(desk.stage.counts().queries, 2);
}

#[test]
fn a_cancel_without_an_answer_is_asked_about() {
    let mut desk = desk(|_| {});
    let order = desk.rest(BTC, buy("1000", "1"));
    assert!(matches!(desk.ask(intent(order, BTC, Action::Cancel)), Verdict::Approved(_)));
    desk.wait_seconds(1);
    assert_eq!(asked(&desk.tick()), [order]);
    answer(&mut desk, BTC, order, OrderState::Closed, Qty::ZERO);
    assert_eq!(desk.stage.portfolio().orders().len(), 0);
}

#[test]
fn an_order_that_the_venue_denies_is_asked_about_at_once() {
    let mut desk = desk(|_| {});
    let order = desk.rest(BTC, buy("1000", "1"));
    let denied = Report {
        reason: VenueReason::UnknownOrder,
        ..report(ReportKind::CancelRefused, order, &buy("1000", "1"), Qty::ZERO)
    };
    desk.tell(BTC, Body::Report(denied));
    assert_eq!(asked(&desk.tick()), [order]);
    desk.wait(Nanos(Nanos::SECOND - 1));
    assert_eq!(desk.tick(), []);
}

#[test]
fn an_open_order_is_reconciled() {
    let mut desk = desk(|_| {});
    let order = desk.rest(BTC, buy("1000", "1"));
    desk.wait(Nanos(30 * Nanos::SECOND - 1));
    assert_eq!(desk.tick(), []);
    desk.wait(Nanos(1));
    assert_eq!(asked(&desk.tick()), [order]);
    answer(&mut desk, BTC, order, OrderState::Open, qty("0.25"));
    assert_eq!(desk.stage.portfolio().position(BTC).qty, qty("0.25"), "a lost fill is found");
    desk.wait_seconds(29);
    assert_eq!(desk.tick(), []);
    desk.wait_seconds(1);
    assert_eq!(asked(&desk.tick()), [order]);
}

/// Bounded at each tick and by the budget, and every order gets its turn.
#[test]
fn queries_are_bounded_and_take_turns() {
    let mut config = config(|limits| limits.rate_query = 6);
    config.queries_per_event = 2;
    let mut desk = Desk::open(&config);
    let orders: Vec<_> = (1..=5).map(|n| desk.send(BTC, buy("1000", &format!("0.{n}")))).collect();
    desk.wait_seconds(1);
    let rounds: Vec<_> = (0..4)
        .map(|_| {
            desk.wait(Nanos(Nanos::SECOND));
            asked(&desk.tick())
        })
        .collect();
    assert_eq!(rounds[0], orders[..2]);
    assert_eq!(rounds[1], orders[2..4]);
    assert_eq!(rounds[2], [orders[4], orders[0]]);
    assert_eq!(rounds[3], [], "the budget is used up, and no query is formed to be refused");
    assert_eq!(desk.stage.counts().rejected.iter().sum::<u64>(), 0);
    desk.wait_seconds(57);
    assert_eq!(asked(&desk.tick()), orders[1..3], "two have left the window");
}

/// Orders that only were not heard of can not use up what an unanswered one needs.
#[test]
fn half_of_the_budget_is_kept_for_what_is_unanswered() {
    let mut desk = desk(|limits| limits.rate_query = 4);
    let resting: Vec<_> = (1..=5).map(|n| desk.rest(BTC, buy("1000", &format!("0.{n}")))).collect();
    desk.wait_seconds(30);
    assert_eq!(asked(&desk.tick()), resting[..2]);
    desk.refresh();
    let silent = desk.send(ETH, buy("100", "1"));
    desk.wait_seconds(1);
    assert_eq!(asked(&desk.tick()), [silent]);
}

#[test]
fn the_dead_ask_nothing() {
    let mut desk = desk(|_| {});
    desk.send(BTC, buy("1000", "1"));
    desk.wait_seconds(1);
    desk.level(Level::Dead);
    assert_eq!(desk.tick(), []);
}

/// Scenario 3, 6: a lost report holds a reduce back only until the venue was asked.
#[test]
fn a_lost_report_blocks_no_reduce_for_ever() {
    for (state, cum, later) in [
        (OrderState::Closed, Qty::ZERO, 0),
        (OrderState::Closed, qty("0.4"), 0),
        // Never seen, and too old to arrive: five seconds after it left.
        (OrderState::Unknown, Qty::ZERO, 5),
    ] {
        let mut desk = wide();
        desk.fill(BTC, buy("1000", "1"));
        let lost = desk.send(BTC, reducing(sell("1000", "1")));
        assert_eq!(check_of(&mut desk, reducing(sell("1000", "0.6"))), Some(Check::ReduceOnly));
        desk.wait_seconds(1);
        assert_eq!(asked(&desk.tick()), [lost]);
        if later > 0 {
            answer(&mut desk, BTC, lost, state, cum);
            let still = check_of(&mut desk, reducing(sell("1000", "0.6")));
            assert_eq!(still, Some(Check::ReduceOnly), "it may still arrive");
            desk.wait_seconds(later);
            assert_eq!(asked(&desk.tick()), [lost]);
        }
        answer(&mut desk, BTC, lost, state, cum);
        assert_eq!(check_of(&mut desk, reducing(sell("1000", "0.6"))), None);
    }
}

#[test]
fn queries_of_strategies_are_remembered_too() {
    let mut desk = desk(|_| {});
    let order = desk.send(BTC, buy("1000", "1"));
    desk.wait_seconds(1);
    desk.ask(intent(order, BTC, Action::Query));
    assert_eq!(desk.tick(), []);
    assert_eq!(order.strategy(), A);
}

/// Found by random steps: answers that overtake each other must not bring an old quantity back.
#[test]
fn c1_a_late_answer_does_not_undo_a_newer_one() {
    let mut desk = desk(|limits| limits.position_notional_max = usd("2000"));
    let order = desk.rest(BTC, buy("1000", "1"));
    let before = status(&desk, order, OrderState::Open, Qty::ZERO);
    desk.wait(Nanos(1));
    amend(&mut desk, order, "1.5");
    desk.wait(Nanos(1));
    // The answer to the amend is lost; one to a query tells of it.
    let after = Status { qty: qty("1.5"), at: desk.now, ..before };
    desk.tell(BTC, Body::Status(after));
    desk.tell(BTC, Body::Status(before));
    assert_eq!(check_of(&mut desk, buy("1000", "0.6")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, buy("1000", "0.5")), None);
}

/// Found by random steps: an amend has not arrived because the order once stood like that.
#[test]
fn c1_an_answer_from_before_an_amend_says_nothing_of_it() {
    let mut desk = desk(|limits| limits.position_notional_max = usd("2000"));
    let order = desk.rest(BTC, buy("1000", "1.5"));
    amend(&mut desk, order, "1");
    let confirmed = report(ReportKind::Amended, order, &buy("1000", "1"), Qty::ZERO);
    desk.wait(Nanos(2));
    desk.tell(BTC, Body::Report(confirmed));
    let before = status(&desk, order, OrderState::Open, Qty::ZERO);
    amend(&mut desk, order, "1.5");
    desk.tell(BTC, Body::Status(before));
    assert_eq!(check_of(&mut desk, buy("1000", "0.6")), Some(Check::Exposure));
    assert_eq!(check_of(&mut desk, buy("1000", "0.5")), None);
}

fn amend(desk: &mut Desk, order: OrderId, amount: &str) {
    let action = Action::Amend { price: px("1000"), qty: qty(amount) };
    approved(&desk.ask(intent(order, BTC, action)));
}
