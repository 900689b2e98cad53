//! Lost, late and repeated answers that would leave exposure too small or a position wrong.

use super::super::*;
use crate::order::{Liquidity, NewOrder, ReportKind, Source, TimeInForce, VenueReason};
use crate::units::Usd;

const BTC: InstrumentId = InstrumentId(0);

fn fold() -> Portfolio {
    Portfolio::new(PortfolioConfig {
        instruments: 1,
        strategies: vec![StrategyId(0), StrategyId::RISK],
        orders_max: 4,
        closed_max: 8,
        arrival_max: Nanos(5),
    })
}

fn id(strategy: StrategyId) -> OrderId {
    OrderId::new(1, strategy, 1)
}

fn track(fold: &mut Portfolio, action: Action, at: u64) {
    let intent =
        Intent { order: id(StrategyId(0)), instrument: BTC, source: Source::Alpha, action };
    assert_eq!(fold.track(&intent, Nanos(at)), Ok(()));
}

/// A buy of 10 at 100 that was accepted.
fn accepted() -> Portfolio {
    let mut fold = fold();
    let new = NewOrder {
        side: Side::Buy,
        price: Px(100),
        qty: Qty(10),
        tif: TimeInForce::Gtc,
        reduce_only: false,
    };
    track(&mut fold, Action::New(new), 1);
    let _ = fold.report(BTC, &report(ReportKind::Accepted), Nanos(2));
    fold
}

fn report(kind: ReportKind) -> Report {
    Report {
        order: id(StrategyId(0)),
        kind,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: crate::order::Leg::Both,
        liquidity: Liquidity::Maker,
        price: Px(100),
        qty: Qty(10),
        cum_qty: Qty(0),
        cum_quote: Usd(0),
        cum_fee: Usd(0),
        last_qty: Qty(0),
        last_price: Px(0),
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    }
}

/// An answer on a sell of 7 by the risk stage, all of it filled.
fn sold(state: OrderState) -> Status {
    Status {
        order: id(StrategyId::RISK),
        state,
        side: Side::Sell,
        reduce_only: true,
        price: Px(100),
        qty: Qty(7),
        cum_qty: Qty(7),
        cum_quote: Usd(7),
        cum_fee: Usd(1),
        at: Nanos(9),
    }
}

fn event(seq: u64, body: Body) -> Event {
    let ts = Nanos(9);
    Event {
        seq,
        ts,
        recv: ts,
        frame: 0,
        instrument: Some(BTC),
        last: true,
        stamp: Default::default(),
        body,
    }
}

/// The strategies' fold does not track what risk sends. When all reports on a reduce of the halt are
/// lost, the answer to risk's query is the only word of it.
#[test]
fn an_order_of_somebody_else_is_met_by_an_answer_too() {
    let mut fold = fold();
    let unknown = sold(OrderState::Unknown);
    assert_eq!(fold.apply(&event(1, Body::Status(unknown))), Change::Nothing);
    assert!(!fold.is_known(unknown.order));
    let closed = event(2, Body::Status(sold(OrderState::Closed)));
    assert!(matches!(fold.apply(&closed), Change::Executed(_)));
    assert_eq!(fold.position(BTC).qty, Qty(-7));
    assert_eq!(fold.position_of(StrategyId::RISK, BTC).qty, Qty(-7));
    assert_eq!(fold.apply(&closed), Change::Nothing, "it is over");
    assert_eq!((fold.position(BTC).qty, fold.orders().len()), (Qty(-7), 0));
}

#[test]
fn an_open_order_of_somebody_else_reserves_what_is_left_of_it() {
    let mut fold = fold();
    let open = Status { cum_qty: Qty(2), ..sold(OrderState::Open) };
    let _ = fold.apply(&event(1, Body::Status(open)));
    assert_eq!(fold.worst_case(BTC, Side::Sell), QtySum(7), "2 sold and 5 open");
    assert_eq!(fold.open(BTC, Side::Sell).reduce_only, QtySum(5));
}

/// "Unknown" of an order that the venue had is no news of how it ended.
#[test]
fn what_was_acknowledged_is_never_released_on_unknown() {
    let mut fold = accepted();
    let unknown = |at| Status {
        order: id(StrategyId(0)),
        at: Nanos(at),
        cum_qty: Qty(0),
        ..sold(OrderState::Unknown)
    };
    let _ = fold.status(&unknown(1_000), Nanos(1_000));
    assert_eq!(fold.worst_case(BTC, Side::Buy), QtySum(10));
    assert!(fold.orders()[0].in_doubt);
    let _ = fold.report(BTC, &report(ReportKind::Canceled), Nanos(1_001));
    assert_eq!(fold.worst_case(BTC, Side::Buy), QtySum::ZERO);
}

/// The strategy amends again as soon as it hears of the refusal, and then hears of it once more.
#[test]
fn a_repeated_refusal_of_an_older_amend_leaves_the_newer_one_reserved() {
    let mut fold = accepted();
    track(&mut fold, Action::Amend { price: Px(101), qty: Qty(11) }, 3);
    let refused = Report { at: Nanos(4), ..report(ReportKind::AmendRefused) };
    let _ = fold.report(BTC, &refused, Nanos(4));
    assert_eq!(fold.worst_case(BTC, Side::Buy), QtySum(10));
    track(&mut fold, Action::Amend { price: Px(102), qty: Qty(30) }, 5);
    let _ = fold.report(BTC, &refused, Nanos(5));
    assert_eq!(fold.worst_case(BTC, Side::Buy), QtySum(30));
    let amended = Report { price: Px(102), qty: Qty(30), ..report(ReportKind::Amended) };
    let _ = fold.report(BTC, &amended, Nanos(6));
    assert_eq!((fold.orders()[0].qty, fold.orders()[0].amend), (Qty(30), None));
}

/// A cancel that overtook its order is refused with a report that knows neither side nor quantity.
#[test]
fn a_refusal_that_knows_nothing_of_its_order_does_not_enter_one() {
    let mut fold = fold();
    let refused = Report {
        order: id(StrategyId::RISK),
        reason: VenueReason::UnknownOrder,
        price: Px(0),
        qty: Qty(0),
        ..report(ReportKind::CancelRefused)
    };
    assert_eq!(fold.report(BTC, &refused, Nanos(1)), Change::Nothing);
    let filled = Report {
        order: id(StrategyId::RISK),
        side: Side::Sell,
        cum_qty: Qty(10),
        ..report(ReportKind::Filled)
    };
    let _ = fold.report(BTC, &filled, Nanos(2));
    assert_eq!(fold.position(BTC).qty, Qty(-10));
}
