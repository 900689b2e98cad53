//! Scripted books and venues for the taker.

use fusewire_core::book::BookSide;
use fusewire_core::event::{LEVELS_PER_MESSAGE, Levels};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::{Level, Side};
use fusewire_core::order::{Action, Conditional, Intent, StrategyId, TriggerKind, TriggerPrice};
use fusewire_core::units::Bps;

use super::*;
use crate::rig::{BNB, BTC, ETH, Pair, Rig, Scripted, new_order, px, qty};

fn taker() -> Rig<Taker> {
    let mut rig = Rig::new(vec![Taker::new(&TakerConfig::default())]);
    rig.market(BTC, "59999.9", "60000.1");
    rig
}

/// A view of one level a side; returns what it gave rise to.
fn view<S: Strategy>(rig: &mut Rig<S>, id: InstrumentId, [bid, ask]: [&str; 2]) -> Vec<Intent> {
    let mut sent = Vec::new();
    for (side, quantity) in [(BookSide::Bid, bid), (BookSide::Ask, ask)] {
        let mut levels = [Level::default(); LEVELS_PER_MESSAGE];
        levels[0] = Level { price: px("1"), qty: qty(quantity) };
        let piece = Levels { side, first: 0, count: 1, levels };
        sent.extend(rig.event(Some(id), Body::Levels(piece)));
    }
    sent
}

const UP: [&str; 2] = ["9", "1"];
const DOWN: [&str; 2] = ["1", "9"];
const CALM: [&str; 2] = ["5", "5"];

/// Views until something is sent, three at most.
fn confirm(rig: &mut Rig<Taker>, lean: [&str; 2]) -> Vec<Intent> {
    for _ in 0..3 {
        let sent = view(rig, BTC, lean);
        if !sent.is_empty() {
            return sent;
        }
    }
    Vec::new()
}

/// A position of 0.003 that was entered just now.
fn holding(lean: [&str; 2]) -> Rig<Taker> {
    let mut rig = taker();
    let sent = confirm(&mut rig, lean);
    assert!(rig.fill_all(sent[0].order).is_empty());
    rig
}

fn ioc(side: Side, price: &str, quantity: &str, reduce_only: bool) -> Action {
    let (price, qty) = (px(price), qty(quantity));
    Action::New(NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only })
}

#[test]
fn a_confirmed_imbalance_is_followed_at_the_touch_and_a_little_through_it() {
    for (lean, side, price) in [(UP, Side::Buy, "60003.1"), (DOWN, Side::Sell, "59997")] {
        let mut rig = taker();
        assert!(view(&mut rig, BTC, lean).is_empty());
        assert!(view(&mut rig, BTC, lean).is_empty());
        let sent = view(&mut rig, BTC, lean);
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].action, ioc(side, price, "0.003", false));
        // One at a time: neither while it is on its way nor with a position.
        assert!(confirm(&mut rig, lean).is_empty());
        rig.fill_all(sent[0].order);
        assert!(confirm(&mut rig, lean).is_empty());
    }
}

#[test]
fn nothing_is_entered_without_confirmation() {
    let mut rig = taker();
    for lean in [UP, UP, CALM, UP, UP, DOWN, UP, UP] {
        assert!(view(&mut rig, BTC, lean).is_empty());
    }
    // A broken book between views breaks the run too.
    rig.invalid(BTC);
    rig.depth(BTC);
    assert!(view(&mut rig, BTC, UP).is_empty());
    rig.gap();
    rig.depth(BTC);
    assert!(view(&mut rig, BTC, UP).is_empty());
    assert!(view(&mut rig, BTC, UP).is_empty());
    assert_eq!(view(&mut rig, BTC, UP).len(), 1);
}

#[test]
fn nothing_is_entered_without_mark_and_valid_book_and_tradable_symbol() {
    let mut rig = taker();
    rig.pass(10_001);
    assert!(confirm(&mut rig, UP).is_empty(), "the mark is too old");
    rig.mark(BTC, "60000");
    rig.invalid(BTC);
    assert!(confirm(&mut rig, UP).is_empty(), "the book is invalid");
    rig.depth(BTC);
    assert_eq!(view(&mut rig, BTC, UP).len(), 1);
    rig.market(BNB, "600", "600.1");
    for _ in 0..4 {
        assert!(view(&mut rig, BNB, UP).is_empty(), "observed only");
    }
}

#[test]
fn each_symbol_is_on_its_own() {
    let mut rig = taker();
    rig.market(ETH, "3000", "3000.01");
    for _ in 0..2 {
        assert!(view(&mut rig, BTC, UP).is_empty());
        assert!(view(&mut rig, ETH, DOWN).is_empty());
    }
    assert_eq!(view(&mut rig, ETH, DOWN)[0].instrument, ETH);
    assert_eq!(view(&mut rig, BTC, UP)[0].instrument, BTC);
}

#[test]
fn a_position_is_left_after_its_time_until_it_is_flat() {
    for (lean, exit) in [
        (UP, ioc(Side::Sell, "59997", "0.003", true)),
        (DOWN, ioc(Side::Buy, "60003.1", "0.003", true)),
    ] {
        let mut rig = holding(lean);
        assert!(rig.pass(9_999).tick().is_empty());
        let sent = rig.pass(1).tick();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].action, exit);
        // While it is on its way it is waited for; what it leaves is tried again half a second later.
        assert!(rig.pass(5_000).tick().is_empty());
        rig.fill(sent[0].order, "0.001");
        assert!(rig.report(sent[0].order, ReportKind::Expired).is_empty());
        assert!(rig.pass(499).tick().is_empty());
        let again = rig.pass(1).tick();
        assert_eq!(new_order(&again[0]).qty, qty("0.002"));
        rig.fill_all(again[0].order);
        assert_eq!(rig.position(BTC).qty, Qty::ZERO);
        assert!(rig.pass(5_000).tick().is_empty());
    }
}

#[test]
fn the_time_runs_from_the_first_fill() {
    let mut rig = taker();
    let sent = confirm(&mut rig, UP);
    rig.pass(2_000).fill(sent[0].order, "0.001");
    // The order is not over so far: nothing is sent against it, however late it is.
    assert!(rig.pass(11_000).tick().is_empty());
    rig.report(sent[0].order, ReportKind::Expired);
    let exit = rig.pass(500).tick();
    assert_eq!(exit[0].action, ioc(Side::Sell, "59997", "0.001", true));
}

#[test]
fn after_an_exit_and_after_an_entry_for_nothing_it_cools_down() {
    let mut rig = holding(UP);
    rig.pass(10_000);
    let exit = rig.tick();
    rig.fill_all(exit[0].order);
    let cooled = |rig: &mut Rig<Taker>| {
        rig.pass(19_999).mark(BTC, "60000");
        let early = confirm(rig, UP);
        rig.pass(1);
        (early.len(), view(rig, BTC, UP))
    };
    let (early, entry) = cooled(&mut rig);
    assert_eq!((early, entry.len()), (0, 1));
    rig.report(entry[0].order, ReportKind::Expired);
    let (early, entry) = cooled(&mut rig);
    assert_eq!((early, entry.len()), (0, 1));
    rig.reject(&entry[0]);
    let (early, entry) = cooled(&mut rig);
    assert_eq!((early, entry.len()), (0, 1));
}

#[test]
fn exits_that_are_rejected_are_tried_more_and_more_slowly() {
    let mut rig = holding(UP);
    let mut exit = rig.pass(10_000).tick();
    for wait in [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
        assert!(rig.reject(&exit[0]).is_empty());
        assert!(rig.pass(wait - 1).tick().is_empty(), "{wait}");
        exit = rig.pass(1).tick();
        assert_eq!(exit.len(), 1, "{wait}");
    }
    assert!(rig.fill(exit[0].order, "0.001").is_empty());
    rig.report(exit[0].order, ReportKind::Expired);
    // A fill forgets the failures. The venue's refusal counts as one.
    for wait in [500, 500, 1_000] {
        assert!(rig.pass(wait - 1).tick().is_empty(), "{wait}");
        let exit = rig.pass(1).tick();
        rig.report(exit[0].order, ReportKind::Refused);
    }
}

#[test]
fn an_exit_waits_for_a_valid_book() {
    let mut rig = holding(UP);
    rig.invalid(BTC);
    assert!(rig.pass(10_000).tick().is_empty());
    // The touch of the book before is not acted on right at the `Depth`.
    assert!(rig.depth(BTC).is_empty());
    let sent = rig.touch(BTC, "58999.9", "59000.1");
    assert_eq!(sent[0].action, ioc(Side::Sell, "58997", "0.003", true));
}

#[test]
fn the_kill_level_stops_entries_at_one_and_exits_at_two() {
    let mut rig = taker();
    rig.kill(KillLevel::NoNewRisk);
    assert!(confirm(&mut rig, UP).is_empty());
    let mut rig = holding(UP);
    rig.kill(KillLevel::NoNewRisk);
    assert_eq!(rig.pass(10_000).tick().len(), 1);
    let mut rig = holding(UP);
    rig.kill(KillLevel::Halt);
    assert!(rig.pass(10_000).tick().is_empty());
    assert_eq!(rig.kill(KillLevel::NoNewRisk).len(), 1);
}

/// The taker long 0.003 and another strategy short as much as given, ten seconds later.
fn against(other_qty: &'static str) -> (Rig<Pair<Taker>>, Vec<Intent>) {
    let other = Scripted::new(move |event, _, orders| {
        if event.seq == 1 {
            let new = NewOrder { side: Side::Sell, qty: qty(other_qty), ..crate::rig::buy() };
            orders.send(BTC, new).unwrap();
            orders.send(BTC, new).unwrap();
            orders.send(BTC, new).unwrap();
        }
    });
    let taker = Taker::new(&TakerConfig::default());
    let mut rig = Rig::new(vec![Pair::Other(other), Pair::Own(Box::new(taker))]);
    let short = rig.tick();
    rig.fill_all(short[0].order);
    rig.market(BTC, "59999.9", "60000.1");
    let mut entry = Vec::new();
    for _ in 0..3 {
        entry = view(&mut rig, BTC, UP);
    }
    rig.fill_all(entry[0].order);
    rig.pass(10_000);
    // What becomes of somebody else's orders delays nothing.
    let exit = rig.reject(&short[1]);
    assert_eq!(exit.len(), 1);
    (rig, exit)
}

#[test]
fn what_the_account_does_not_hold_is_left_as_new_risk_at_level_zero_only() {
    // The account is long 0.002: so much can be reduced, and the rest later.
    let (mut rig, exit) = against("0.001");
    assert_eq!(exit[0].action, ioc(Side::Sell, "59997", "0.002", true));
    rig.fill_all(exit[0].order);
    let foreign = OrderId::new(1, StrategyId(0), 3);
    assert!(rig.pass(400).report(foreign, ReportKind::Refused).is_empty());
    let rest = rig.pass(100).tick();
    assert_eq!(rest[0].action, ioc(Side::Sell, "59997", "0.001", false));
    // The account is flat: reduce-only would be refused.
    let (mut rig, exit) = against("0.003");
    assert_eq!(exit[0].action, ioc(Side::Sell, "59997", "0.003", false));
    rig.report(exit[0].order, ReportKind::Expired);
    rig.kill(KillLevel::NoNewRisk);
    assert!(rig.pass(500).tick().is_empty());
}

/// A taker whose positions are protected.
fn protected(change: impl FnOnce(&mut TakerConfig)) -> Rig<Taker> {
    let mut config = TakerConfig {
        stop: Bps(100_000),
        take_profit: Bps(200_000),
        protect_by: TriggerPrice::Last,
        ..TakerConfig::default()
    };
    change(&mut config);
    let mut rig = Rig::new(vec![Taker::new(&config)]);
    rig.market(BTC, "59999.9", "60000.1");
    rig
}

/// Enters, and returns what protects the position.
fn entered(rig: &mut Rig<Taker>, lean: [&str; 2]) -> Vec<Intent> {
    let sent = confirm(rig, lean);
    let protection = rig.fill_all(sent[0].order);
    rig.answer(&protection);
    protection
}

fn conditional(intent: &Intent) -> Conditional {
    let Action::Conditional(conditional) = intent.action else { panic!("{intent:?}") };
    conditional
}

#[test]
fn a_position_is_protected_by_what_is_asked_for() {
    // The entry is at 60003.1 and at 59997.
    for (lean, side, [stop, stop_limit], [profit, profit_limit]) in [
        (UP, Side::Sell, ["59943.1", "59940.2"], ["60123.1", "60120.1"]),
        (DOWN, Side::Buy, ["60056.9", "60059.9"], ["59877.1", "59880"]),
    ] {
        let mut rig = protected(|_| {});
        let sent = entered(&mut rig, lean);
        let found: Vec<_> = sent.iter().map(conditional).collect();
        assert_eq!(found.len(), 2);
        for (found, kind, at, price) in [
            (found[0], TriggerKind::Stop, stop, stop_limit),
            (found[1], TriggerKind::TakeProfit, profit, profit_limit),
        ] {
            let (trigger, order) = (found.trigger, found.order);
            assert_eq!((trigger.kind, trigger.by), (kind, TriggerPrice::Last));
            assert_eq!((trigger.price, order.price), (px(at), px(price)), "{lean:?} {kind:?}");
            assert_eq!((order.side, order.qty, order.reduce_only), (side, qty("0.003"), true));
            assert_eq!((order.tif, trigger.close_position), (TimeInForce::Ioc, false));
        }
        // Once for a position, and its time runs on.
        assert!(rig.pass(9_999).tick().is_empty());
        assert_eq!(rig.pass(1).tick().len(), 1);
    }
    let mut rig = protected(|config| {
        (config.stop, config.take_profit, config.trailing) = (Bps(0), Bps(0), Bps(500_000));
    });
    let sent = entered(&mut rig, UP);
    let trailing = conditional(&sent[0]);
    assert_eq!((sent.len(), trailing.trigger.kind), (1, TriggerKind::Trailing));
    // 50 bp.
    assert_eq!((trailing.trigger.price, trailing.trigger.callback.0), (Px::ZERO, 5_000_000_000));
}

#[test]
fn what_is_left_of_the_protection_is_taken_back_when_flat() {
    let mut rig = protected(|_| {});
    let sent = entered(&mut rig, UP);
    rig.report(sent[0].order, ReportKind::Triggered);
    let back = rig.fill_all(sent[0].order);
    assert_eq!(back.len(), 1);
    assert_eq!((back[0].order, back[0].action), (sent[1].order, Action::Cancel));
    // Nothing is entered before it is gone.
    rig.pass(20_000).mark(BTC, "60000");
    assert!(confirm(&mut rig, UP).is_empty());
    rig.report(sent[1].order, ReportKind::Canceled);
    assert!(!confirm(&mut rig, UP).is_empty());
}

#[test]
fn a_position_whose_protection_is_gone_is_left_at_once() {
    for (kind, first) in [
        (ReportKind::Refused, None),
        (ReportKind::Expired, Some(ReportKind::Triggered)),
        (ReportKind::Canceled, None),
    ] {
        let mut rig = protected(|_| {});
        let sent = entered(&mut rig, UP);
        if let Some(first) = first {
            assert!(rig.report(sent[0].order, first).is_empty());
        }
        rig.pass(1_000);
        let exit = rig.report(sent[0].order, kind);
        assert_eq!(exit.len(), 1, "{kind:?}");
        assert_eq!(exit[0].action, ioc(Side::Sell, "59997", "0.003", true));
        let back = rig.fill_all(exit[0].order);
        assert_eq!((back[0].order, back[0].action), (sent[1].order, Action::Cancel));
    }
    let mut rig = protected(|_| {});
    let sent = confirm(&mut rig, UP);
    let protection = rig.fill_all(sent[0].order);
    rig.pass(1_000);
    assert_eq!(rig.reject(&protection[0]).len(), 1, "risk refused it");
}

#[test]
fn a_cancel_that_failed_is_tried_again_later() {
    let mut rig = protected(|config| config.take_profit = Bps(0));
    let sent = entered(&mut rig, UP);
    let exit = rig.pass(10_000).tick();
    let back = rig.fill_all(exit[0].order);
    assert_eq!((back.len(), back[0].order), (1, sent[0].order));
    assert!(rig.report(sent[0].order, ReportKind::CancelRefused).is_empty());
    assert!(rig.pass(499).tick().is_empty());
    assert_eq!(rig.pass(1).tick()[0].action, Action::Cancel);
}
