//! Conservation: one verdict for each intent, every fill paid for once, every sum the same wherever it is
//! kept.

use std::collections::BTreeMap;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::message::{BookInput, FeedbackBody, InputBody};
use fusewire_core::order::{Liquidity, OrderId, Report, StrategyId};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig};
use fusewire_core::units::{Nanos, Px, Round};
use fusewire_io::gateway::GatewayCounts;
use proptest::prelude::*;

use super::order::{Whole, faults, jitters, paces, whole, wild};
use super::rig::Setup;
use super::walk::{Fed, Pace, START, market};
use super::watch::Watched;

/// One verdict for each intent, one fate for each verdict.
pub(super) fn check_counts(rig: &Whole) {
    let (risk, gateway) = (rig.risk.counts(), rig.gateway.counts());
    assert_eq!(rig.alpha.counts().intents, risk.intents);
    let rejected: u64 = risk.rejected.iter().sum();
    assert_eq!(risk.intents + risk.own, risk.approved + rejected);
    assert_eq!(rig.risk.lane().records(), risk.approved + rejected);
    let GatewayCounts { new, amends, cancels, queries, blocked, .. } = *gateway;
    assert_eq!(new + amends + cancels + queries + blocked, risk.approved);
    assert_eq!(gateway.rejected, rejected);
    assert_eq!(rig.gateway.lane().records(), risk.approved + gateway.cancel_alls);
}

/// The reports of the venue, with the event during which they were made.
fn reports(rig: &Whole) -> impl Iterator<Item = (u64, InstrumentId, Report)> {
    rig.gateway.venue().said.iter().filter_map(|(seq, feedback)| match feedback.body {
        FeedbackBody::Report(report) => Some((*seq, feedback.instrument?, report)),
        FeedbackBody::Status(_)
        | FeedbackBody::Rejected(_)
        | FeedbackBody::Wake
        | FeedbackBody::Account(_) => None,
    })
}

/// No trade pays more than its quantity, to nobody who could not have met it.
fn check_trades(events: &[Event], fills: &[(u64, InstrumentId, Report)]) -> usize {
    let mut paid: BTreeMap<u64, i64> = BTreeMap::new();
    for (seq, id, report) in fills.iter().filter(|(_, _, r)| r.liquidity == Liquidity::Maker) {
        let event = &events[usize::try_from(report.payer - 1).unwrap()];
        let Body::Trade(trade) = event.body else { panic!("{event:?} pays no maker") };
        assert_eq!((event.seq, event.instrument), (*seq, Some(*id)));
        assert_eq!(report.last_price, report.price);
        let reached = match report.side {
            Side::Buy => trade.price <= report.price,
            Side::Sell => trade.price >= report.price,
        };
        assert!(reached, "{report:?} by {trade:?}");
        let sum = paid.entry(event.seq).or_default();
        *sum += report.last_qty.0;
        assert!(*sum <= trade.qty.0, "event {}: {sum} by {trade:?}", event.seq);
    }
    paid.len()
}

/// A trade pays only orders that got in before its time: at equal times nobody knows which was first.
fn check_arrivals(setup: &Setup, venue: &Watched, fills: &[(u64, InstrumentId, Report)]) {
    let time_of = |seq: u64| venue.events[usize::try_from(seq - 1).unwrap()].ts;
    let sent: BTreeMap<OrderId, Nanos> = venue
        .sent
        .iter()
        .filter(|sent| sent.intent.action.order().is_some())
        .map(|sent| (sent.intent.order, time_of(sent.seq)))
        .collect();
    for (seq, _, report) in fills.iter().filter(|(_, _, r)| r.liquidity == Liquidity::Maker) {
        let least = Nanos(sent[&report.order].0 + setup.paper.order_latency.0);
        assert!(time_of(*seq) > least, "event {seq}: {report:?} had left only at {least:?}");
    }
}

/// No level pays more than it shows, and what was taken of it is only new when the book shows more.
fn check_levels(events: &[Event], fills: &[(u64, InstrumentId, Report)], inputs: &[Fed]) -> usize {
    // An order that got in without a valid book pays as a taker for what trades bring it.
    let of_trade = |seq: u64| {
        let payer = events.iter().find(|event| event.seq == seq);
        payer.is_some_and(|event| matches!(event.body, Body::Trade(_)))
    };
    let took = |r: &Report| r.liquidity == Liquidity::Taker && !of_trade(r.payer);
    let mut fills = fills.iter().filter(|(_, _, report)| took(report)).peekable();
    // By symbol, side and price: shown and taken.
    let mut levels: BTreeMap<(InstrumentId, bool, Px), (i64, i64)> = BTreeMap::new();
    let (mut payers, mut frame, mut count) = (BTreeMap::new(), 0, 0);
    for event in events {
        // What is due gets in before the book changes.
        while let Some((_, id, report)) = fills.next_if(|(seq, ..)| *seq == event.seq) {
            assert_eq!(payers.get(id), Some(&report.payer), "the newest frame pays");
            let taken_from = (*id, report.side == Side::Sell, report.last_price);
            let (shown, taken) = levels.get_mut(&taken_from).expect("a level that is shown");
            *taken += report.last_qty.0;
            assert!(taken <= shown, "event {}: {taken} of {shown}", event.seq);
            count += 1;
        }
        if event.frame <= frame {
            continue;
        }
        frame = event.frame;
        let fed = &inputs[usize::try_from(frame - 1).unwrap()];
        if !matches!(fed.input.body, InputBody::Book(BookInput::Partial { .. })) {
            continue;
        }
        let id = fed.input.instrument;
        payers.insert(id, event.seq);
        for (is_bid, side) in [(true, &fed.bids), (false, &fed.asks)] {
            let last = side.last().unwrap().price;
            for ((_, _, price), level) in
                levels.range_mut((id, is_bid, Px(i64::MIN))..=(id, is_bid, Px(i64::MAX)))
            {
                // Nobody knows of what lies behind the last level that is shown.
                let behind = if is_bid { *price < last } else { *price > last };
                let shown = side.iter().find(|shown| shown.price == *price);
                let qty = shown.map_or(0, |shown| shown.qty.0);
                *level = (qty, if behind { level.1 } else { level.1.min(qty) });
            }
            for shown in side {
                levels.entry((id, is_bid, shown.price)).or_default().0 = shown.qty.0;
            }
        }
    }
    assert!(fills.next().is_none(), "every fill has its event");
    count
}

/// Cash and fees by symbol, from the fills alone: price times quantity, each rounded against the account.
fn check_cash(setup: &Setup, fills: &[(u64, InstrumentId, Report)], account: &Portfolio) {
    for id in setup.ids() {
        let (mut qty, mut cash, mut fees) = (0, 0, 0);
        for (_, _, report) in fills.iter().filter(|(_, on, _)| *on == id) {
            let dear = report.last_price.notional(report.last_qty, Round::Up);
            let rate = match report.liquidity {
                Liquidity::Maker => setup.paper.fees.maker,
                Liquidity::Taker => setup.paper.fees.taker,
            };
            fees += dear.times(rate, Round::Up).unwrap().0;
            match report.side {
                Side::Buy => {
                    qty += report.last_qty.0;
                    cash -= dear.0;
                }
                Side::Sell => {
                    qty -= report.last_qty.0;
                    cash += report.last_price.notional(report.last_qty, Round::Down).0;
                }
            }
        }
        let position = account.position(id);
        assert_eq!((position.qty.0, position.fees.0), (qty, fees), "{id:?}");
        assert_eq!(position.realized.0 - position.cost.0, cash, "{id:?}");
    }
}

/// A reduce-only fill makes the account's position smaller and never turns it.
fn check_reduces(reports: impl Iterator<Item = (u64, InstrumentId, Report)>) -> usize {
    let (mut positions, mut count) = ([0_i64; 2], 0);
    let mut filled: BTreeMap<OrderId, i64> = BTreeMap::new();
    for (seq, id, report) in reports.filter(|(_, _, report)| report.kind.is_fill()) {
        let before = positions[id.index()];
        let signed = match report.side {
            Side::Buy => report.last_qty.0,
            Side::Sell => -report.last_qty.0,
        };
        let after = before + signed;
        positions[id.index()] = after;
        let sum = filled.entry(report.order).or_default();
        *sum += report.last_qty.0;
        assert_eq!(*sum, report.cum_qty.0);
        assert!(report.cum_qty <= report.qty, "event {seq}: more than was asked for");
        if report.reduce_only {
            let smaller = after.abs() < before.abs() && after.signum() != -before.signum();
            assert!(smaller, "event {seq}: {before} to {after}");
            count += 1;
        }
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_fill_is_paid_for_once_and_booked_once(
        seed in any::<u64>(), symbols in 1_usize..3, jitter in jitters(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.jitter = jitter;
        // The tail has no trades, so that everything is told in the end.
        let frames = (Pace::Fast, 1_500, 5);
        let rogue = wild(&setup, 2).quiet_at(Nanos(START.0 + 50 * Nanos::SECOND));
        let mut rig = whole(&setup, frames, rogue);
        rig.run().unwrap();
        check_counts(&rig);
        let venue = rig.gateway.venue();
        let fills: Vec<_> = reports(&rig).filter(|(_, _, report)| report.kind.is_fill()).collect();
        prop_assert_eq!(fills.len() as u64, venue.paper.stats().fills());
        prop_assert!(check_trades(&venue.events, &fills) > 0);
        check_arrivals(&setup, venue, &fills);
        let inputs = market(&setup.instruments, setup.paper.seed, frames);
        prop_assert!(check_levels(&venue.events, &fills, &inputs) > 0);
        check_reduces(reports(&rig));
        let account = venue.paper.portfolio();
        check_cash(&setup, &fills, account);
        // The fold of all sequenced reports, by somebody who saw nothing else.
        let mut fold = Portfolio::new(PortfolioConfig {
            instruments: symbols,
            strategies: vec![StrategyId(0), StrategyId::RISK],
            orders_max: 256,
            closed_max: 4_096,
            arrival_max: setup.risk.arrival_max,
        });
        // What is said of an order that the venue has not seen yet describes no order.
        let told = |event: &&Event| !matches!(event.body, Body::Report(r) if r.price == Px::ZERO);
        for event in venue.events.iter().filter(told) {
            fold.apply(event);
        }
        for id in setup.ids() {
            for portfolio in [&fold, rig.risk.portfolio(), rig.alpha.portfolio()] {
                prop_assert_eq!(portfolio.position(id), account.position(id));
            }
            let own = account.position_of(StrategyId(0), id);
            prop_assert_eq!(rig.alpha.portfolio().position_of(StrategyId(0), id), own);
        }
        prop_assert_eq!(fold.executions(), fills.len() as u64);
        prop_assert_eq!(account.executions(), fills.len() as u64);
    }

    /// Faults on the way back change nothing of what the counts must keep.
    #[test]
    fn every_intent_has_one_verdict(
        seed in any::<u64>(), symbols in 1_usize..3, pace in paces(), faults in faults(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.faults = faults;
        let mut rig = whole(&setup, (pace, 400, 0), wild(&setup, 2));
        rig.run().unwrap();
        check_counts(&rig);
        prop_assert!(rig.risk.counts().rejected.iter().filter(|count| **count > 0).count() > 5);
    }
}

/// Reduce-only orders do fill in these markets, so that what is said of them is not empty.
#[test]
fn reduce_only_orders_are_cut_to_the_position() {
    let count: usize = (0..8)
        .map(|seed| {
            let setup = Setup::new(2, seed);
            let mut rig = whole(&setup, (Pace::Fast, 1_500, 0), wild(&setup, 2));
            rig.run().unwrap();
            check_reduces(reports(&rig))
        })
        .sum();
    assert!(count > 20, "{count} fills of reduce-only orders");
}
