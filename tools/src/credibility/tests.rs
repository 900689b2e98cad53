//! Each antipattern alone, planted into an honest result.

use fusewire_core::units::{Bps, Nanos, Rate, UsdSum};

use super::*;
use crate::config::Config;

const HOUR: u64 = 3_600 * Nanos::SECOND;

fn usd(cents: i128) -> UsdSum {
    UsdSum(cents * 1_000_000)
}

fn span(key: &str, last_h: u64) -> SymbolSpan {
    SymbolSpan { key: key.into(), first: Nanos(0), last: Nanos(last_h * HOUR), delisted: None }
}

/// A strategy that loses and hides nothing.
fn honest() -> Facts {
    Facts {
        fills: 120,
        closed: 60,
        wins: 20,
        win_rate: Told::With(Interval::of(20, 60).unwrap()),
        excursions: Some(Excursions { adverse: -9_000, favorable: 4_000 }),
        maker: Some(Volume { fills: 60, quote: usd(1_000_000), fees: usd(200) }),
        taker: Some(Volume { fills: 60, quote: usd(1_000_000), fees: usd(500) }),
        crossing: Some(Crossing { fills: 60, quote: usd(1_000_000), beyond: usd(10) }),
        assumed_spread: Some(Bps(20_000)),
        funding: Some(Funding { held: 3, charged: 3 }),
        leverage: Some(Leverage {
            used: Rate(2_000_000_000_000),
            liquidates: true,
            fee: Bps(1_250_000),
        }),
        bar_crossed: Some(0),
        universe: Some(Universe {
            first: Nanos(0),
            last: Nanos(100 * HOUR),
            chosen: vec![span("A", 100), span("B", 99)],
            left_out: vec![span("C", 98)],
        }),
        price_profit: Some(usd(-5_000)),
        tape_bound: Some(usd(100_000)),
        credited: Some(UsdSum::ZERO),
        past: Some(Past { cuts: 3, difference: None }),
    }
}

fn judged(facts: &Facts) -> Credibility {
    judge(facts, &Config::default().credibility)
}

/// The codes of all findings after one change to an honest result.
fn codes(change: impl FnOnce(&mut Facts)) -> Vec<&'static str> {
    let mut facts = honest();
    change(&mut facts);
    judged(&facts).findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn s0_32_an_honest_losing_strategy_is_believed() {
    let verdict = judged(&honest());
    assert!(verdict.credible, "{:?}", verdict.findings);
    assert_eq!(verdict.count("passed"), Check::ALL.len(), "{:?}", verdict.checks);
    assert_eq!((verdict.note.as_deref(), verdict.stamps().count()), (None, 0));
}

#[test]
fn nothing_traded_is_nothing_to_judge() {
    let verdict = judged(&Facts::default());
    assert!(verdict.credible);
    assert_eq!(verdict.note.as_deref(), Some("nothing to judge: no closed position"));
    assert_eq!(verdict.count("passed") + verdict.count("failed"), 0, "{:?}", verdict.checks);
}

/// What is not told is never a pass.
#[test]
fn a_claim_that_says_little_passes_little() {
    let claim = Facts { fills: 9, closed: 9, wins: 5, ..Facts::default() };
    let verdict = judged(&claim);
    assert_eq!(verdict.count("passed"), 1, "only that some lost: {:?}", verdict.checks);
    assert_eq!(verdict.count("unknown"), 10, "{:?}", verdict.checks);
}

#[test]
fn s0_32_survivors() {
    let dead =
        |facts: &mut Facts| facts.universe.as_mut().unwrap().left_out[0].last = Nanos(80 * HOUR);
    assert_eq!(codes(dead), ["survivorship"]);
    let delisted = |facts: &mut Facts| {
        facts.universe.as_mut().unwrap().left_out[0].delisted = Some(Nanos(50 * HOUR))
    };
    assert_eq!(codes(delisted), ["survivorship"]);
    // Who takes one that ended as well did not choose by it.
    let both = |facts: &mut Facts| {
        dead(facts);
        facts.universe.as_mut().unwrap().chosen[0].last = Nanos(70 * HOUR);
    };
    assert!(codes(both).is_empty());
    // Rarely traded is not dead.
    let quiet =
        |facts: &mut Facts| facts.universe.as_mut().unwrap().left_out[0].last = Nanos(91 * HOUR);
    assert!(codes(quiet).is_empty());
    // Of a recording of two minutes half a minute of silence is nothing.
    let short = |facts: &mut Facts| {
        let universe = facts.universe.as_mut().unwrap();
        universe.last = Nanos(120 * Nanos::SECOND);
        universe.chosen.iter_mut().for_each(|span| span.last = Nanos(120 * Nanos::SECOND));
        universe.left_out[0].last = Nanos(70 * Nanos::SECOND);
    };
    assert!(codes(short).is_empty());
}

#[test]
fn x20_a_past_that_knows_its_future() {
    let difference = Some("alpha differs from record 7 on".to_owned());
    assert_eq!(codes(|facts| facts.past = Some(Past { cuts: 3, difference })), ["look-ahead"]);
}

#[test]
fn s0_32_costs_left_out() {
    let taker = |fees| Some(Volume { fills: 60, quote: usd(1_000_000), fees });
    assert_eq!(codes(|facts| facts.taker = taker(UsdSum::ZERO)), ["no-fee"]);
    // X17: a fee of 5 bp whose decimal point slipped by one place.
    assert_eq!(codes(|facts| facts.taker = taker(usd(50))), ["no-fee"]);
    assert!(codes(|facts| facts.taker = taker(usd(170))).is_empty(), "the highest tier");
    let made = |fees| Some(Volume { fills: 60, quote: usd(1_000_000), fees });
    assert_eq!(codes(|facts| facts.maker = made(UsdSum::ZERO)), ["no-fee"]);
    assert!(codes(|facts| facts.maker = made(usd(-50))).is_empty(), "a rebate is a fee");
    // Most of them free: 0.09 bp on all.
    assert_eq!(codes(|facts| facts.maker = made(usd(9))), ["no-fee"]);
    assert!(codes(|facts| facts.maker = made(usd(10))).is_empty(), "0.1 bp");
    assert_eq!(codes(|facts| facts.maker = made(usd(-9))), ["no-fee"], "next to no rebate");
    let crossing = |beyond| Some(Crossing { fills: 60, quote: usd(1_000_000), beyond });
    assert_eq!(codes(|facts| facts.crossing = crossing(UsdSum::ZERO)), ["no-slippage"]);
    assert_eq!(codes(|facts| facts.crossing = crossing(usd(-1))), ["no-slippage"]);
    assert_eq!(codes(|facts| facts.assumed_spread = Some(Bps::ZERO)), ["no-slippage"]);
    assert!(codes(|facts| facts.assumed_spread = None).is_empty());
    let funding = Some(Funding { held: 3, charged: 2 });
    assert_eq!(codes(|facts| facts.funding = funding), ["no-funding"]);
    let leverage = |liquidates, fee| {
        Some(Leverage { used: Rate(1_000_000_000_001), liquidates, fee: Bps(fee) })
    };
    assert_eq!(codes(|facts| facts.leverage = leverage(false, 1_250_000)), ["no-leverage-cost"]);
    assert_eq!(codes(|facts| facts.leverage = leverage(true, 0)), ["no-leverage-cost"]);
    assert_eq!(codes(|facts| facts.leverage = leverage(true, 99_999)), ["no-leverage-cost"]);
    assert!(codes(|facts| facts.leverage = leverage(true, 100_000)).is_empty(), "10 bp");
    let own = Some(Leverage { used: Rate(1_000_000_000_000), ..Leverage::default() });
    assert!(codes(|facts| facts.leverage = own).is_empty(), "own money is not liquidated");
}

#[test]
fn s0_03_bars_that_pay_what_was_not_there() {
    assert_eq!(codes(|facts| facts.bar_crossed = Some(1)), ["bar-crossing"]);
}

#[test]
fn s0_03_impossible_results() {
    let unbeaten = |closed| {
        move |facts: &mut Facts| {
            (facts.closed, facts.wins) = (closed, closed);
            facts.win_rate = Told::With(Interval::of(closed, closed).unwrap());
        }
    };
    assert!(codes(unbeaten(29)).is_empty());
    assert_eq!(codes(unbeaten(30)), ["no-loss"]);
    assert_eq!(codes(unbeaten(127_471)), ["no-loss"]);
    assert_eq!(codes(|facts| facts.wins = 61), ["no-loss"], "more wins than positions");
    let moved = |adverse, favorable| Some(Excursions { adverse, favorable });
    assert_eq!(codes(|facts| facts.excursions = moved(0, 0)), ["no-excursion"]);
    assert_eq!(codes(|facts| facts.excursions = moved(0, 4)), ["no-excursion"]);
    assert!(codes(|facts| facts.excursions = moved(-4, 0)).is_empty());
    assert_eq!(codes(|facts| facts.price_profit = Some(usd(100_001))), ["beyond-tape"]);
    assert!(codes(|facts| facts.price_profit = Some(usd(100_000))).is_empty());
    // X19: 2,145 trades with 4.24 bp each.
    assert_eq!(codes(|facts| facts.credited = Some(usd(1))), ["unsimulated-edge"]);
    assert_eq!(codes(|facts| facts.win_rate = Told::Alone), ["no-interval"]);
}

#[test]
fn every_finding_is_stamped_with_its_reason() {
    let mut facts = honest();
    (facts.bar_crossed, facts.win_rate) = (Some(7), Told::Alone);
    let stamps: Vec<String> = judged(&facts).stamps().collect();
    assert_eq!(
        stamps,
        [
            "NOT CREDIBLE: 7 of 120 fills were paid by a bar that had opened before their order was in \
             (bar-crossing)",
            "NOT CREDIBLE: a win rate is told without its confidence interval (no-interval)",
        ]
    );
}

/// S0-32: a fee below zero is one that somebody pays, and nobody pays that much.
#[test]
fn s0_32_a_rebate_beyond_what_is_paid_anywhere_is_no_fee() {
    let paid = |cents| codes(|facts| facts.maker.as_mut().unwrap().fees = usd(cents));
    assert_eq!(paid(-100), [""; 0], "1 bp");
    assert_eq!(paid(-101), ["no-fee"]);
}
