//! Entries on trends of closed bars, what protects a position, and the ways out.

use fusewire_core::order::{
    Action, Conditional, Intent, ReportKind, StrategyId, TriggerKind, TriggerPrice,
};
use proptest::prelude::*;

use super::trend::tests::bar;
use super::*;
use crate::rig::{BNB, BTC, ETH, Rig, new_order, px, qty};
use crate::stage::AlphaConfig;
use crate::strategy::Refused;

const MINUTE_MS: u64 = 60_000;

fn config() -> SmartTrendConfig {
    SmartTrendConfig { fast_bars: 3, slow_bars: 6, ..SmartTrendConfig::default() }
}

fn rig() -> Rig<SmartTrend> {
    market(Rig::new(vec![SmartTrend::new(&config())]))
}

fn market(mut rig: Rig<SmartTrend>) -> Rig<SmartTrend> {
    rig.market(BTC, "59999.9", "60000.1");
    rig.market(ETH, "2999.9", "3000.1");
    rig
}

/// The bar of a minute in a rise (or a fall) by 60 a bar, from 60000 on; its range is 60.
fn step(minute: u64, side: Side) -> Bar {
    let at = |minutes: u64| {
        let way = minutes * 60;
        let price = match side {
            Side::Buy => 60_000 + way,
            Side::Sell => 60_000 - way,
        };
        Px::parse(price.to_string().as_bytes()).unwrap()
    };
    let (open, close) = (at(minute), at(minute + 1));
    bar(minute, [open, open.max(close), open.min(close), close])
}

/// One bar more.
fn next(rig: &mut Rig<SmartTrend>, minute: u64) -> Vec<Intent> {
    rig.pass(MINUTE_MS).event(Some(BTC), Body::Bar(step(minute, Side::Buy)))
}

/// Bars up to the first entry, which comes with the sixth.
fn entered(rig: &mut Rig<SmartTrend>, side: Side) -> Intent {
    for minute in 0..5 {
        assert!(rig.pass(MINUTE_MS).event(Some(BTC), Body::Bar(step(minute, side))).is_empty());
    }
    let sent = rig.pass(MINUTE_MS).event(Some(BTC), Body::Bar(step(5, side)));
    assert_eq!(sent.len(), 1);
    sent[0]
}

/// A position with its stop and its profit, both taken by the venue.
fn holding(rig: &mut Rig<SmartTrend>, side: Side) -> [Intent; 2] {
    let entry = entered(rig, side);
    rig.report(entry.order, ReportKind::Accepted);
    let mut sent = rig.fill_all(entry.order);
    sent.extend(rig.answer(&sent.clone()));
    rig.answer(&sent[1..]);
    sent.try_into().expect("a stop and a profit")
}

fn stop_of(intent: &Intent) -> Conditional {
    let Action::Conditional(conditional) = intent.action else { panic!("{intent:?}") };
    conditional
}

#[test]
fn a_trend_is_entered_behind_the_close_by_an_order_that_rests() {
    // Half a range of 60 behind closes of 60360 and 59640.
    for (side, price) in [(Side::Buy, "60330"), (Side::Sell, "59670")] {
        let mut rig = rig();
        let new = new_order(&entered(&mut rig, side));
        assert_eq!((new.side, new.price, new.qty), (side, px(price), qty("0.003")));
        assert_eq!((new.tif, new.reduce_only), (TimeInForce::Gtx, false));
        assert!(next(&mut rig, 6).is_empty(), "one order at a time");
    }
}

/// X20: whoever holds something has a stop at the venue, before anything else.
#[test]
fn x20_a_position_has_a_stop_first_and_then_a_profit_that_rests() {
    // One and a half ranges of 60 are 14.91 bp of the close 60360, and 15.09 bp of 59640.
    for (side, [trigger, worst, profit]) in [
        (Side::Buy, ["60240.1", "60179.9", "60419.9"]),
        (Side::Sell, ["59760", "59819.7", "59580"]),
    ] {
        let mut rig = rig();
        let [first, second] = holding(&mut rig, side);
        let Conditional { order: stop, trigger: at } = stop_of(&first);
        assert_eq!((at.kind, at.by), (TriggerKind::Stop, TriggerPrice::Last));
        assert_eq!((at.price, stop.price), (px(trigger), px(worst)), "{side:?}");
        assert_eq!((stop.side, stop.qty, stop.reduce_only), (side.opposite(), qty("0.003"), true));
        let rests = new_order(&second);
        assert_eq!(
            (rests.price, rests.side, rests.tif),
            (px(profit), side.opposite(), TimeInForce::Gtc)
        );
        assert!(rests.reduce_only && rests.qty == qty("0.003"));
        assert!(rig.pass(1_000).tick().is_empty(), "each once");
    }
}

#[test]
fn what_an_entry_gets_in_parts_is_first_known_whole() {
    let mut rig = rig();
    let entry = entered(&mut rig, Side::Buy);
    rig.report(entry.order, ReportKind::Accepted);
    let back = rig.fill(entry.order, "0.001");
    assert_eq!((back.len(), back[0].action), (1, Action::Cancel));
    assert!(rig.pass(5_000).tick().is_empty(), "the cancel is on its way");
    let stop = rig.report(entry.order, ReportKind::Canceled);
    assert_eq!(stop_of(&stop[0]).order.qty, qty("0.001"));
}

#[test]
fn an_entry_waits_for_its_bars_and_then_another_may() {
    let mut rig = rig();
    let entry = entered(&mut rig, Side::Buy);
    rig.report(entry.order, ReportKind::Accepted);
    assert!(next(&mut rig, 6).is_empty() && next(&mut rig, 7).is_empty());
    let back = next(&mut rig, 8);
    assert_eq!((back.len(), back[0].order, back[0].action), (1, entry.order, Action::Cancel));
    assert!(rig.report(entry.order, ReportKind::Canceled).is_empty());
    // Two bars of rest, and the next.
    assert!(next(&mut rig, 9).is_empty());
    let again = next(&mut rig, 10);
    assert_eq!(new_order(&again[0]).price, px("60630"));
}

#[test]
fn with_the_profit_taken_the_stop_is_taken_back_and_the_other_way_round() {
    for profit_first in [true, false] {
        let mut rig = rig();
        let [stop, profit] = holding(&mut rig, Side::Buy);
        let (done, left) =
            if profit_first { (profit.order, stop.order) } else { (stop.order, profit.order) };
        if !profit_first {
            assert!(rig.report(done, ReportKind::Triggered).is_empty());
        }
        let back = rig.pass(1_000).fill_all(done);
        assert_eq!((back.len(), back[0].order, back[0].action), (1, left, Action::Cancel));
        // Nothing is entered before it is gone, and two bars passed.
        assert!(next(&mut rig, 6).is_empty() && next(&mut rig, 7).is_empty());
        rig.report(left, ReportKind::Canceled);
        assert_eq!(next(&mut rig, 8).len(), 1);
    }
}

#[test]
fn a_position_is_left_after_its_bars() {
    let config = SmartTrendConfig { hold_bars: 2, ..config() };
    let mut rig = market(Rig::new(vec![SmartTrend::new(&config)]));
    let [stop, profit] = holding(&mut rig, Side::Buy);
    assert!(next(&mut rig, 6).is_empty());
    let back = next(&mut rig, 7);
    assert_eq!((back.len(), back[0].order, back[0].action), (1, profit.order, Action::Cancel));
    assert!(rig.report(profit.order, ReportKind::Canceled).is_empty());
    let exit = rig.pass(1_000).tick();
    let new = new_order(&exit[0]);
    // 10 bp through the bid, against the last touch.
    assert_eq!((new.price, new.tif, new.reduce_only), (px("59940"), TimeInForce::Ioc, true));
    // It got nothing: once more, a second later.
    rig.report(exit[0].order, ReportKind::Expired);
    let exit = rig.pass(1_000).tick();
    let back = rig.fill_all(exit[0].order);
    assert_eq!((back[0].order, back[0].action), (stop.order, Action::Cancel));
}

/// X20: without its stop nothing is held on.
#[test]
fn x20_a_position_whose_stop_is_gone_is_left_at_once() {
    let mut rig = rig();
    let entry = entered(&mut rig, Side::Buy);
    rig.report(entry.order, ReportKind::Accepted);
    let stop = rig.fill_all(entry.order);
    let exit = rig.reject(&stop[0]);
    assert_eq!(new_order(&exit[0]).tif, TimeInForce::Ioc);
    // The venue will not have it: it is tried more and more slowly.
    rig.report(exit[0].order, ReportKind::Refused);
    for wait in [1_000, 2_000, 4_000] {
        assert!(rig.pass(wait - 1).tick().is_empty(), "{wait}");
        let exit = rig.pass(1).tick();
        assert_eq!(exit.len(), 1, "{wait}");
        rig.report(exit[0].order, ReportKind::Refused);
    }
}

#[test]
fn the_kill_level_stops_entries_at_one_and_exits_at_two() {
    let mut one = rig();
    let entry = entered(&mut one, Side::Buy);
    one.report(entry.order, ReportKind::Accepted);
    let back = one.pass(1_000).kill(KillLevel::NoNewRisk);
    assert_eq!((back[0].order, back[0].action), (entry.order, Action::Cancel));
    one.report(entry.order, ReportKind::Canceled);
    assert!((6..12).all(|minute| next(&mut one, minute).is_empty()));
    let mut two = rig();
    let entry = entered(&mut two, Side::Buy);
    two.report(entry.order, ReportKind::Accepted);
    two.kill(KillLevel::Halt);
    assert!(two.fill_all(entry.order).is_empty());
    assert_eq!(two.kill(KillLevel::NoNewRisk).len(), 1, "the stop");
}

/// X18: the length of bars is told by configuration, and data of another length is not traded.
#[test]
fn x18_bars_of_another_length_are_no_reason_to_trade() {
    for interval_s in [5, 300] {
        let mut rig = rig();
        for minute in 0..50 {
            let bar = Bar { interval_s, ..step(minute, Side::Buy) };
            assert!(rig.pass(MINUTE_MS).event(Some(BTC), Body::Bar(bar)).is_empty());
        }
        assert_eq!(rig.stage.strategies()[0].foreign_bars, 50);
        // They moved no average either.
        assert_eq!(new_order(&entered(&mut rig, Side::Buy)).price, px("60330"));
        assert_eq!(rig.stage.strategies()[0].foreign_bars, 50);
    }
}

/// X20: what a warm-up refuses is tried at a later bar, by the indicators that it would have had anyway.
#[test]
fn x20_after_a_warm_up_the_next_bar_trades() {
    let alpha = AlphaConfig { warm_up: Nanos(8 * 60 * Nanos::SECOND), ..AlphaConfig::default() };
    let strategies = vec![SmartTrend::new(&config())];
    let mut warm = market(Rig::with(&alpha, strategies, &[BTC, ETH], 64));
    assert!((0..7).all(|minute| next(&mut warm, minute).is_empty()));
    assert_eq!(warm.stage.counts().refused[Refused::WarmUp as usize], 2);
    let sent = next(&mut warm, 7);
    assert_eq!(new_order(&sent[0]).price, px("60450"));
    let mut cold = rig();
    for minute in 0..8 {
        next(&mut cold, minute);
    }
    let averages = |rig: &Rig<SmartTrend>| rig.stage.strategies()[0].symbols[0].averages;
    assert_eq!(averages(&warm), averages(&cold));
}

#[test]
fn symbols_are_apart_and_one_that_is_only_observed_is_left_alone() {
    let mut rig = rig();
    for minute in 0..8 {
        assert!(
            rig.pass(MINUTE_MS).event(Some(BNB), Body::Bar(step(minute, Side::Buy))).is_empty()
        );
    }
    entered(&mut rig, Side::Buy);
    let eth = |minute| step(minute, Side::Sell);
    for minute in 0..5 {
        assert!(rig.event(Some(ETH), Body::Bar(eth(minute))).is_empty());
    }
    let sent = rig.event(Some(ETH), Body::Bar(eth(5)));
    assert_eq!((sent[0].instrument, sent[0].order.strategy()), (ETH, StrategyId(0)));
}

#[test]
fn without_a_book_nothing_is_entered() {
    let mut rig = rig();
    rig.gap();
    assert!((0..9).all(|minute| next(&mut rig, minute).is_empty()));
    rig.depth(BTC);
    assert_eq!(next(&mut rig, 9).len(), 1);
}

proptest! {
    /// Whatever the market and the venue do: never an order that adds to a position, or two entries at once.
    #[test]
    fn one_position_a_symbol(
        moves in prop::collection::vec((-80_i64..80, 0_u8..6), 30..120),
    ) {
        let mut rig = rig();
        let mut close = 60_000_i64;
        for (minute, (way, answer)) in moves.into_iter().enumerate() {
            let open = close;
            close += way;
            let prices = [open, open.max(close) + 3, open.min(close) - 3, close];
            let prices = prices.map(|price| Px(price * fusewire_core::units::ONE));
            let mut todo = rig.pass(MINUTE_MS).event(Some(BTC), Body::Bar(bar(minute as u64, prices)));
            todo.extend(rig.tick());
            while let Some(intent) = todo.pop() {
                let held = rig.position(BTC).qty;
                if let Action::New(new) = intent.action {
                    prop_assert!(new.reduce_only == (held != Qty::ZERO), "{intent:?} with {held}");
                }
                let known = rig.stage.portfolio().order(intent.order).is_some();
                if known {
                    todo.extend(match (intent.action, answer) {
                        (Action::Cancel, _) => rig.report(intent.order, ReportKind::Canceled),
                        (_, 0) => rig.reject(&intent),
                        (Action::New(_), 1 | 2) => rig.fill_all(intent.order),
                        _ => rig.report(intent.order, ReportKind::Accepted),
                    });
                }
            }
            let entries = rig.stage.portfolio().orders().iter().filter(|order| !order.reduce_only);
            prop_assert!(entries.count() <= 1);
        }
    }
}
