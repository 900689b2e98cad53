//! Scripted markets and venues for the grid.

use fusewire_core::order::{Action, Intent, StrategyId};

use super::*;
use crate::rig::{BNB, BTC, ETH, Pair, Rig, Scripted, new_order, px, qty, usd};

const ANCHOR: [&str; 2] = ["59999.9", "60000.1"];

fn rig_with(config: &GridConfig) -> Rig<Grid> {
    let mut rig = Rig::new(vec![Grid::new(config)]);
    assert!(rig.market(BTC, ANCHOR[0], ANCHOR[1]).is_empty(), "a touch alone sends nothing");
    rig
}

/// Two rungs a side of 0.003, at 59940, 59880, 60060 and 60120.
fn config() -> GridConfig {
    GridConfig { levels: 2, ..GridConfig::default() }
}

/// The grid with its entries accepted.
fn laid_out() -> (Rig<Grid>, Vec<Intent>) {
    let mut rig = rig_with(&config());
    let sent = rig.pass(100).tick();
    assert!(rig.answer(&sent).is_empty());
    (rig, sent)
}

fn moved(rig: &mut Rig<Grid>, bid: &str, ask: &str) {
    assert!(rig.touch(BTC, bid, ask).is_empty());
    assert!(rig.mark(BTC, bid).is_empty());
}

fn shown(intents: &[Intent]) -> Vec<String> {
    let one = |intent: &Intent| match intent.action {
        Action::New(new) => {
            let NewOrder { side, price, qty, tif, reduce_only } = new;
            assert_eq!(tif, TimeInForce::Gtx, "nothing takes");
            let only = if reduce_only { " reduce" } else { "" };
            format!("{side:?} {qty} at {price}{only}")
        }
        Action::Cancel => format!("cancel {}", intent.order),
        Action::Conditional(_) | Action::Amend { .. } | Action::Query => unreachable!("{intent:?}"),
    };
    intents.iter().map(one).collect()
}

#[test]
fn the_grid_is_laid_out_from_the_inside_and_then_left_alone() {
    let (mut rig, sent) = laid_out();
    let expected =
        ["Buy 0.003 at 59940", "Sell 0.003 at 60060", "Buy 0.003 at 59880", "Sell 0.003 at 60120"];
    assert_eq!(shown(&sent), expected);
    moved(&mut rig, "59950", "59950.1");
    for _ in 0..20 {
        assert!(rig.pass(100).tick().is_empty(), "nothing follows the market");
    }
}

#[test]
fn nothing_is_sent_for_a_symbol_that_is_observed_only_or_has_no_mark() {
    let mut rig = Rig::new(vec![Grid::new(&config())]);
    rig.market(BNB, "600", "600.1");
    rig.depth(BTC);
    rig.touch(BTC, ANCHOR[0], ANCHOR[1]);
    assert!(rig.tick().is_empty());
    rig.mark(BTC, ANCHOR[0]);
    assert_eq!(rig.tick().len(), 4);
}

#[test]
fn a_fill_is_answered_one_step_away_and_the_pair_starts_again() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59940", "59940.1");
    let exit = rig.fill_all(sent[0].order);
    assert_eq!(shown(&exit), ["Sell 0.003 at 60000 reduce"]);
    rig.answer(&exit);
    moved(&mut rig, "60000", "60000.1");
    let again = rig.pass(1_000).fill_all(exit[0].order);
    assert_eq!(shown(&again), ["Buy 0.003 at 59940"]);
    assert_eq!(rig.position(BTC).qty, Qty::ZERO);
}

#[test]
fn a_short_is_paired_below() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "60120", "60120.1");
    let first = rig.fill_all(sent[1].order);
    // The market is above it already: the exit rests where it is, below the market.
    assert_eq!(shown(&first), ["Buy 0.003 at 60000 reduce"]);
    rig.answer(&first);
    let second = rig.fill_all(sent[3].order);
    assert_eq!(shown(&second), ["Buy 0.003 at 60060 reduce"]);
    rig.answer(&second);
    assert!(rig.tick().is_empty());
}

#[test]
fn an_exit_that_the_market_has_passed_takes_the_better_price() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "60010", "60010.2");
    assert_eq!(shown(&rig.fill_all(sent[0].order)), ["Sell 0.003 at 60010.1 reduce"]);
}

#[test]
fn a_part_is_waited_for_and_left_when_it_is_all_there_will_be() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59940", "59940.1");
    assert!(rig.fill(sent[0].order, "0.001").is_empty());
    assert!(rig.pass(100).tick().is_empty());
    let exit = rig.report(sent[0].order, ReportKind::Expired);
    assert_eq!(shown(&exit), ["Sell 0.001 at 60000 reduce"]);
    rig.answer(&exit);
    assert_eq!(shown(&rig.pass(1_000).fill_all(exit[0].order)), ["Buy 0.003 at 59940"]);
}

#[test]
fn both_exits_of_one_event_share_what_there_is_to_reduce() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59880", "59880.1");
    let first = rig.fill_all(sent[0].order);
    let second = rig.fill_all(sent[2].order);
    let refused: Vec<Intent> = [first, second].concat();
    assert_eq!(shown(&refused), ["Sell 0.003 at 60000 reduce", "Sell 0.003 at 59940 reduce"]);
    for intent in &refused {
        assert!(rig.reject(intent).is_empty(), "a refusal is waited out");
    }
    assert!(rig.pass(900).tick().is_empty());
    let both = rig.pass(200).tick();
    assert_eq!(shown(&both), ["Sell 0.003 at 60000 reduce", "Sell 0.003 at 59940 reduce"]);
}

#[test]
fn an_entry_that_would_take_waits_for_the_market() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59930", "59930.1");
    assert!(rig.report(sent[0].order, ReportKind::Expired).is_empty());
    assert!(rig.pass(1_000).tick().is_empty());
    moved(&mut rig, "59940", "59940.1");
    assert_eq!(shown(&rig.pass(100).tick()), ["Buy 0.003 at 59940"]);
    // The same order at once would be taken for a mistake.
    let id = rig.stage.portfolio().orders().last().unwrap().id;
    assert!(rig.report(id, ReportKind::Expired).is_empty());
    assert!(rig.pass(900).tick().is_empty());
    assert_eq!(shown(&rig.pass(100).tick()), ["Buy 0.003 at 59940"]);
}

#[test]
fn inventory_is_bounded_at_worst() {
    // 0.003 at 60,000 are 180 USDT, so that a third order in one direction is too much.
    let mut rig = rig_with(&GridConfig { inventory_max: usd("400"), ..GridConfig::default() });
    let sent = rig.tick();
    assert_eq!(sent.iter().filter(|intent| new_order(intent).side == Side::Buy).count(), 2);
    rig.answer(&sent);
    moved(&mut rig, "59940", "59940.1");
    let exit = rig.fill_all(sent[0].order);
    assert_eq!(shown(&exit), ["Sell 0.003 at 60000 reduce"]);
    rig.answer(&exit);
    assert!(rig.tick().is_empty(), "what is held counts");
}

#[test]
fn a_raised_level_takes_entries_back_and_still_lets_exits_go() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59940", "59940.1");
    let canceled = rig.kill(KillLevel::NoNewRisk);
    assert_eq!(canceled.len(), 4);
    assert!(canceled.iter().all(|intent| intent.action == Action::Cancel));
    assert_eq!(shown(&rig.fill_all(sent[0].order)), ["Sell 0.003 at 60000 reduce"]);

    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59940", "59940.1");
    assert_eq!(rig.kill(KillLevel::Halt).len(), 4);
    assert!(rig.fill_all(sent[0].order).is_empty(), "the halt closes what is held");

    let (mut rig, _) = laid_out();
    assert!(rig.kill(KillLevel::Dead).is_empty(), "the gateway cancels by itself");
}

#[test]
fn entries_are_taken_back_when_the_market_stays_unknown_and_not_at_once() {
    let (mut rig, _) = laid_out();
    assert!(rig.invalid(BTC).is_empty());
    assert!(rig.tick().is_empty());
    assert!(rig.pass(4_900).tick().is_empty());
    assert_eq!(rig.pass(100).tick().len(), 4);
    assert!(rig.pass(900).tick().is_empty(), "once asked for is enough for a while");

    let (mut rig, _) = laid_out();
    rig.invalid(BTC);
    rig.pass(4_900).tick();
    rig.depth(BTC);
    assert!(rig.tick().is_empty());
    assert!(rig.pass(4_900).tick().is_empty(), "it was known meanwhile");
}

#[test]
fn a_flat_grid_that_the_market_has_left_moves() {
    let (mut rig, _) = laid_out();
    // Three steps of 60 below the anchor are one beyond the outermost rung.
    moved(&mut rig, "59820", "59820.1");
    assert!(rig.pass(100).tick().is_empty());
    moved(&mut rig, "60190", "60190.2");
    let canceled = rig.pass(1_000).tick();
    assert_eq!(canceled.len(), 4);
    let mut laid_anew = Vec::new();
    for intent in &canceled {
        laid_anew = rig.report(intent.order, ReportKind::Canceled);
    }
    assert_eq!(shown(&laid_anew)[..2], ["Buy 0.003 at 60129.9", "Sell 0.003 at 60250.3"]);
}

#[test]
fn a_grid_with_a_position_stays_where_its_pairs_are() {
    let (mut rig, sent) = laid_out();
    moved(&mut rig, "59940", "59940.1");
    let exit = rig.fill_all(sent[0].order);
    rig.answer(&exit);
    moved(&mut rig, "59000", "59000.1");
    assert!(rig.pass(100).tick().is_empty());
}

#[test]
fn the_paces_bound_new_risk_and_not_exits() {
    let config = GridConfig { orders_per_minute: 3, ..config() };
    let mut rig = rig_with(&config);
    let sent = rig.tick();
    assert_eq!(sent.len(), 3);
    rig.answer(&sent);
    moved(&mut rig, "59940", "59940.1");
    assert_eq!(rig.fill_all(sent[0].order).len(), 1);
    moved(&mut rig, ANCHOR[0], ANCHOR[1]);
    assert!(rig.pass(59_000).tick().is_empty());
}

#[test]
fn what_the_harness_does_not_take_is_sent_later() {
    let config = GridConfig { levels: 6, inventory_max: usd("5000"), ..GridConfig::default() };
    let mut rig = rig_with(&config);
    let first = rig.tick();
    assert_eq!(first.len(), 8, "as many as one event takes");
    assert_eq!(rig.pass(100).tick().len(), 4);
}

#[test]
fn what_another_strategy_holds_against_it_makes_leaving_new_risk() {
    let other = StrategyId(0);
    let mut sold = false;
    let seller = Scripted::new(move |event, view, orders| {
        assert_eq!(view.strategy(), other);
        if matches!(event.body, Body::Tick) && !sold {
            sold = true;
            let tif = TimeInForce::Gtc;
            let (price, qty) = (px("60500"), qty("0.003"));
            let new = NewOrder { side: Side::Sell, price, qty, tif, reduce_only: false };
            orders.send(BTC, new).unwrap();
        }
    });
    let grid = Pair::Own(Box::new(Grid::new(&config())));
    let mut rig = Rig::new(vec![Pair::Other(seller), grid]);
    rig.market(BTC, ANCHOR[0], ANCHOR[1]);
    let sent = rig.tick();
    rig.answer(&sent);
    assert!(rig.fill_all(sent[0].order).is_empty());
    rig.touch(BTC, "59940", "59940.1");
    let exit = rig.fill_all(sent[1].order);
    assert_eq!(rig.position(BTC).qty, Qty::ZERO, "to the account nothing is held");
    assert_eq!(shown(&exit), ["Sell 0.003 at 60000"]);
}

#[test]
fn symbols_do_not_touch_each_other() {
    let (mut rig, _) = laid_out();
    rig.market(ETH, "3000", "3000.02");
    let sent = rig.pass(100).tick();
    assert!(sent.len() == 4 && sent.iter().all(|intent| intent.instrument == ETH));
}
