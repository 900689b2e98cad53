//! The halt: it cancels everything, leaves every position, and neither budget nor missing data stops it.

use std::collections::BTreeSet;

use fusewire_core::book::Invalid;
use fusewire_core::event::Body;
use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Check, Class, Intent, NewOrder, OrderId, Report, ReportKind, Source, StrategyId,
    TimeInForce, VenueReason, Verdict,
};
use fusewire_core::units::{Bps, Nanos, Qty};

use super::{buy, desk, sell, wide};
use crate::testing::{
    B, BNB, BTC, Desk, ETH, approved, config, intent, mark, px, qty, reducing, refusal, report,
    touch, universe, usd,
};

fn cancelled(verdicts: &[Verdict]) -> BTreeSet<OrderId> {
    let orders =
        verdicts.iter().map(approved).filter(|(intent, _)| intent.action == Action::Cancel);
    orders.map(|(intent, _)| intent.order).collect()
}

fn reduces(verdicts: &[Verdict]) -> Vec<(Intent, NewOrder)> {
    let new = |verdict| {
        let (intent, class) = approved(verdict);
        let Action::New(new) = intent.action else { return None };
        assert_eq!((intent.source, class), (Source::Risk, Class::HaltReduce));
        assert_eq!((new.tif, new.reduce_only), (TimeInForce::Ioc, true));
        Some((intent, new))
    };
    verdicts.iter().filter_map(new).collect()
}

/// C14, C18: the largest number of orders at once, in one event, beyond every budget.
#[test]
fn c18_the_halt_cancels_a_full_table_at_once() {
    let mut config = config(|limits| {
        (limits.rate_new, limits.rate_symbol) = (400, 400);
        (limits.open_max, limits.reduce_reserve) = (200, 0);
        (limits.rate_cancel, limits.rate_reduce) = (1, 1);
        limits.duplicate_window = Nanos(1);
        limits.position_notional_max = usd("20000");
    });
    config.halt_max = 204;
    let mut desk = Desk::open(&config);
    desk.fill(BTC, buy("1000", "1"));
    desk.fill(ETH, sell("100", "3"));
    let mut open = BTreeSet::new();
    for turn in 0..200 {
        let (on, new) =
            if turn % 2 == 0 { (BTC, buy("1000", "0.05")) } else { (ETH, sell("100", "0.2")) };
        let (order, verdict) = desk.ask_new(on, new);
        desk.wait(Nanos(1));
        approved(&verdict);
        open.insert(order);
    }
    let verdicts = desk.level(Level::Halt);
    assert_eq!(verdicts.len(), 202);
    assert_eq!(cancelled(&verdicts), open);
    let found = reduces(&verdicts);
    let exits: Vec<_> = found.iter().map(|(intent, new)| (intent.instrument, *new)).collect();
    let ioc = |new| NewOrder { tif: TimeInForce::Ioc, ..reducing(new) };
    assert_eq!(exits, [(BTC, ioc(sell("990", "1"))), (ETH, ioc(buy("101", "3")))]);
    for (index, (intent, _)) in (1..).zip(&found) {
        assert_eq!(intent.order, OrderId::new(1, StrategyId::RISK, index));
    }
}

#[test]
fn the_halt_tries_again_until_nothing_is_open_or_held() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    let order = desk.rest(BTC, buy("999", "0.5"));
    let verdicts = desk.level(Level::Halt);
    assert_eq!(cancelled(&verdicts), [order].into());
    let (first, new) = reduces(&verdicts)[0];
    assert_eq!(new.qty, qty("1"));
    // The cancel is refused, and the reduce fills in part.
    desk.report(BTC, ReportKind::CancelRefused, order, Qty::ZERO);
    desk.report(BTC, ReportKind::Expired, first.order, qty("0.4"));
    desk.wait(Nanos(Nanos::SECOND - 1));
    assert_eq!(desk.tick(), []);
    desk.wait(Nanos(1));
    let verdicts = desk.tick();
    assert_eq!(cancelled(&verdicts), [order].into());
    let (second, new) = reduces(&verdicts)[0];
    assert_eq!(new.qty, qty("0.6"));
    desk.report(BTC, ReportKind::Canceled, order, Qty::ZERO);
    desk.report(BTC, ReportKind::Filled, second.order, qty("0.6"));
    for _ in 0..3 {
        desk.wait_seconds(1);
        assert_eq!(desk.tick(), [], "flat, and nothing is open");
    }
}

/// Its own orders end by themselves: they are asked about, and never cancelled.
#[test]
fn the_halt_does_not_cancel_its_own_orders() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    let (exit, _) = reduces(&desk.level(Level::Halt))[0];
    desk.wait_seconds(1);
    let actions: Vec<_> = desk.tick().iter().map(|verdict| approved(verdict).0).collect();
    assert_eq!(actions, [Intent { action: Action::Query, ..exit }]);
}

/// Whatever the table holds, one event gives rise to no more than `halt_max`; the rest follows.
#[test]
fn c18_the_halt_keeps_to_its_bound() {
    let mut config = config(|limits| (limits.open_max, limits.reduce_reserve) = (3, 1));
    config.halt_max = 7;
    config.queries_per_event = 7;
    let mut desk = Desk::open(&config);
    desk.fill(BTC, buy("1000", "1"));
    desk.fill(ETH, sell("100", "3"));
    // Orders of another session fill the table to its last place.
    let foreign: BTreeSet<_> = (1..=7).map(|n| OrderId::new(2, B, n)).collect();
    for order in &foreign {
        desk.sent.insert(*order, buy("999", "0.1"));
        desk.report(BTC, ReportKind::Accepted, *order, Qty::ZERO);
    }
    let verdicts = desk.level(Level::Halt);
    assert_eq!((verdicts.len(), cancelled(&verdicts)), (7, foreign.clone()));
    let mut left = foreign.iter();
    for order in left.by_ref().take(3) {
        desk.report(BTC, ReportKind::Canceled, *order, Qty::ZERO);
    }
    for order in left {
        desk.report(BTC, ReportKind::CancelRefused, *order, Qty::ZERO);
    }
    desk.wait_seconds(30);
    desk.refresh();
    // Four cancels, two exits, and of four queries that are due as many as still fit.
    let verdicts = desk.tick();
    let of = |action| verdicts.iter().filter(|v| approved(v).0.action == action).count();
    assert_eq!((verdicts.len(), of(Action::Cancel), of(Action::Query)), (7, 4, 1));
}

/// Its prices are those of the configuration, like everybody's.
#[test]
fn the_halt_keeps_to_the_collar_and_to_the_age_of_the_mark() {
    let mut desk = desk(|limits| {
        limits.collar = Bps::parse(b"10").unwrap();
        limits.mark_age_max = Nanos(2);
    });
    desk.fill(BTC, buy("1000", "1"));
    desk.wait(Nanos(3));
    desk.tell(BTC, touch("1999.9", "2000.1"));
    assert_eq!(reduces(&desk.level(Level::Halt))[0].1.price, px("1998"), "the later mid");
}

/// However much there is to do, one event gives rise to at most `halt_max` intents.
#[test]
fn the_halt_and_its_queries_are_bounded_together() {
    let mut config = config(|limits| (limits.open_max, limits.reduce_reserve) = (5, 0));
    config.halt_max = 9;
    let mut desk = Desk::open(&config);
    desk.fill(BTC, buy("1000", "1"));
    let orders: Vec<_> = (1..=5).map(|n| desk.rest(BTC, buy("1000", &format!("0.{n}")))).collect();
    assert_eq!(cancelled(&desk.level(Level::Halt)).len(), 5);
    for order in orders {
        let denied = Report {
            reason: VenueReason::UnknownOrder,
            ..report(ReportKind::CancelRefused, order, &desk.sent[&order], Qty::ZERO)
        };
        desk.tell(BTC, Body::Report(denied));
    }
    desk.wait_seconds(1);
    let verdicts = desk.tick();
    let count = |action| {
        verdicts.iter().map(approved).filter(|(intent, _)| intent.action == action).count()
    };
    // Five cancels are due, and queries on five orders in doubt and on the first exit.
    assert_eq!((verdicts.len(), count(Action::Cancel), count(Action::Query)), (9, 5, 4));
}

/// What is on its way is not sent twice: neither a cancel, nor more than the position.
#[test]
fn the_halt_counts_what_is_on_its_way() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    let resting = desk.rest(BTC, reducing(sell("1001", "0.7")));
    desk.ask(intent(resting, BTC, Action::Cancel));
    let verdicts = desk.level(Level::Halt);
    assert_eq!(cancelled(&verdicts), BTreeSet::new());
    assert_eq!(reduces(&verdicts)[0].1.qty, qty("0.3"));
    desk.report(BTC, ReportKind::Canceled, resting, Qty::ZERO);
    desk.wait(Nanos(Nanos::SECOND - 1));
    assert_eq!(desk.tick(), []);
    desk.wait(Nanos(1));
    assert_eq!(reduces(&desk.tick())[0].1.qty, qty("0.7"));
}

/// One order is at most one lot maximum; the rest follows.
#[test]
fn the_halt_leaves_a_large_position_in_pieces() {
    let mut desk = wide();
    let largest = universe().get(ETH).lot.max;
    desk.fill(ETH, NewOrder { qty: largest, ..buy("100", "1") });
    desk.fill(ETH, buy("100", "1.5"));
    let (first, new) = reduces(&desk.level(Level::Halt))[0];
    assert_eq!(new.qty, largest);
    desk.report(ETH, ReportKind::Filled, first.order, largest);
    desk.wait_seconds(1);
    assert_eq!(reduces(&desk.tick())[0].1.qty, qty("1.5"));
}

/// DESIGN 4: with a dead book and an old mark the halt prices by the last valid price.
#[test]
fn the_halt_needs_no_fresh_data() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    desk.tell(BTC, Body::BookInvalid(Invalid::Gap));
    desk.wait_seconds(3_600);
    let verdicts = desk.level(Level::Halt);
    assert_eq!(reduces(&verdicts)[0].1.price, px("990"));
}

/// C18, DESIGN 4: a book that has left the mark behind keeps no exit in, the halt's or a strategy's; the
/// exchange's own band does.
#[test]
fn c18_exits_follow_a_book_that_left_the_mark_behind() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    desk.tell(BTC, touch("969.9", "970.1"));
    let check = |desk: &mut Desk, new| refusal(&desk.ask_new(BTC, new).1);
    assert_eq!(check(&mut desk, buy("970", "0.1")), Some(Check::Collar), "they disagree");
    assert_eq!(check(&mut desk, reducing(sell("960.2", "0.1"))), Some(Check::Collar));
    assert_eq!(check(&mut desk, reducing(sell("960.3", "0.1"))), None);
    let exits = reduces(&desk.level(Level::Halt));
    assert_eq!((exits[0].1.price, exits[0].1.qty), (px("960.3"), qty("0.9")));
}

/// What rests near the mark is no slip of the finger because the book fell away from it.
#[test]
fn a_reduce_may_rest_near_the_mark_too() {
    let mut desk = desk(|_| {});
    desk.fill(BTC, buy("1000", "1"));
    desk.tell(BTC, touch("949.9", "950.1"));
    let check = |desk: &mut Desk, new| refusal(&desk.ask_new(BTC, new).1);
    assert_eq!(check(&mut desk, reducing(sell("1000", "0.1"))), None);
    assert_eq!(check(&mut desk, reducing(sell("1050.1", "0.1"))), Some(Check::Collar));
}

#[test]
fn the_halt_prices_by_the_collar_in_force() {
    let mut desk = desk(|limits| limits.collar = Bps::parse(b"20").unwrap());
    desk.fill(BTC, buy("1000", "1"));
    assert_eq!(reduces(&desk.level(Level::Halt))[0].1.price, px("998"));
}

#[test]
fn the_halt_acts_at_level_two_only() {
    for level in [Level::Run, Level::NoNewRisk, Level::Dead] {
        let mut desk = desk(|_| {});
        desk.fill(BTC, buy("1000", "1"));
        desk.rest(BTC, buy("999", "0.5"));
        assert_eq!(desk.level(level), []);
        desk.wait_seconds(2);
        assert_eq!(desk.tick(), []);
    }
}

/// A position that nobody should have is left too; a symbol that is not traded any more keeps it.
#[test]
fn the_halt_leaves_symbols_that_are_only_observed() {
    let mut desk = desk(|_| {});
    desk.tell(BNB, mark("500"));
    let foreign = OrderId::new(1, B, 1);
    desk.sent.insert(foreign, buy("500", "2"));
    desk.report(BNB, ReportKind::Filled, foreign, qty("2"));
    let strategy = desk.ask_new(BNB, reducing(sell("500", "1"))).1;
    assert_eq!(refusal(&strategy), Some(Check::Universe), "not its business");
    let found = reduces(&desk.level(Level::Halt));
    assert_eq!((found[0].0.instrument, found[0].1.qty), (BNB, qty("2")));
}

/// A strategy that goes on sending does not get in between.
#[test]
fn at_the_halt_strategies_may_only_cancel() {
    let mut desk = desk(|_| {});
    let order = desk.send(BTC, buy("1000", "1"));
    let next = desk.next_id(order.strategy());
    let late = intent(next, BTC, Action::New(buy("1000", "0.5")));
    let (own, asked) = desk.run(None, Body::KillLevel(Level::Halt), &[late]);
    assert_eq!(cancelled(&own), [order].into());
    assert!(matches!(asked[0], Verdict::Rejected(_)));
}
