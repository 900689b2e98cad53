//! What `Orders` takes and refuses, and what the view shows.

use std::sync::mpsc;

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::order::{OrderId, ReportKind, Side, StrategyId};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig, TrackError};
use fusewire_core::units::{Nanos, Qty};
use proptest::prelude::{Just, prop, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generator;

use super::*;
use crate::rig::{BNB, BTC, ETH, Rig, Scripted, buy, px, qty, universe};
use crate::stage::AlphaConfig;

#[test]
fn kinds_of_refusal_are_listed_in_order_with_names_of_their_own() {
    for (index, refused) in Refused::ALL.into_iter().enumerate() {
        assert_eq!(refused as usize, index);
    }
    let mut names = Refused::ALL.map(Refused::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Refused::ALL.len());
}

/// One thing that a strategy tries; orders by their counter.
#[derive(Clone, Copy, Debug)]
enum Try {
    Send,
    Amend(u64),
    Cancel(u64),
}

fn tries() -> impl Generator<Value = Vec<Vec<Try>>> {
    let one = prop_oneof![
        Just(Try::Send),
        (1_u64..8).prop_map(Try::Amend),
        (1_u64..8).prop_map(Try::Cancel),
    ];
    prop::collection::vec(prop::collection::vec(one, 0..10), 1..8)
}

fn attempt(orders: &mut Orders<'_>, what: Try) -> Result<(), Refused> {
    let id = |counter| OrderId::new(1, StrategyId(0), counter);
    match what {
        Try::Send => orders.send(BTC, buy()).map(|_| ()),
        Try::Amend(counter) => {
            orders.amend(id(counter), Amend { price: px("60001"), qty: qty("0.004") })
        }
        Try::Cancel(counter) => orders.cancel(id(counter)),
    }
}

/// The fold that tracks at once what the strategy tries, as the rules would have it.
fn expected(model: &mut Portfolio, what: Try, sent: &mut u64) -> Result<(), TrackError> {
    let id = |counter| OrderId::new(1, StrategyId(0), counter);
    let (order, action) = match what {
        Try::Send => (id(*sent + 1), Action::New(buy())),
        Try::Amend(counter) => {
            (id(counter), Action::Amend { price: px("60001"), qty: qty("0.004") })
        }
        Try::Cancel(counter) => (id(counter), Action::Cancel),
    };
    let intent = Intent { order, instrument: BTC, source: Source::Alpha, action };
    model.track(&intent, Nanos(1))?;
    *sent += u64::from(matches!(what, Try::Send));
    Ok(())
}

proptest! {
    /// The harness asserts that the fold tracks what was taken; here its refusals are compared too.
    #[test]
    fn orders_take_what_the_fold_would_track(plan in tries()) {
        let config = AlphaConfig { orders_max: 4, intents_max: 100, ..AlphaConfig::default() };
        let mut model = Portfolio::new(PortfolioConfig {
            instruments: 3,
            strategies: vec![StrategyId(0), StrategyId::RISK],
            orders_max: config.orders_max,
            closed_max: config.closed_max,
            arrival_max: config.arrival_max,
        });
        let (sender, outcomes) = mpsc::channel();
        let mut steps = plan.clone().into_iter();
        let strategy = Scripted::new(move |_, _, orders| {
            for what in steps.next().unwrap_or_default() {
                sender.send(attempt(orders, what)).unwrap();
            }
        });
        let mut rig = Rig::with(&config, vec![strategy], &[BTC], 128);
        let (mut sent, mut refused) = (0, 0);
        for step in plan {
            rig.tick();
            for what in step {
                let expected = expected(&mut model, what, &mut sent);
                let expected = expected.map_err(|error| match error {
                    TrackError::Full => Refused::OrdersMax,
                    TrackError::NotNew => Refused::IdUsed,
                    TrackError::NotOpen => Refused::NotOpen,
                    TrackError::Busy => Refused::Busy,
                });
                refused += u64::from(expected.is_err());
                prop_assert_eq!(outcomes.recv().unwrap(), expected);
            }
        }
        let orders = |fold: &Portfolio| -> Vec<_> {
            fold.orders().iter().map(|o| (o.id, o.amend.is_some(), o.cancel_since.is_some())).collect()
        };
        prop_assert_eq!(orders(rig.stage.portfolio()), orders(&model));
        prop_assert_eq!(rig.stage.counts().refused.iter().sum::<u64>(), refused);
    }
}

#[test]
fn the_view_shows_own_orders_and_positions_apart_from_those_of_the_account() {
    let (sender, seen) = mpsc::channel();
    let first = Scripted::new(|event, _, orders| {
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
        }
    });
    let second = Scripted::new(move |event, view, orders| {
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
            orders.send(ETH, buy()).unwrap();
        }
        let ids: Vec<OrderId> = view.orders().map(|order| order.id).collect();
        let own = view.position_of(BTC).qty;
        let account = view.account_position(BTC).qty;
        let foreign = view.order(OrderId::new(1, StrategyId(0), 1)).is_some();
        sender.send((ids, own, account, view.unresolved(), foreign)).unwrap();
    });
    let mut rig = Rig::new(vec![first, second]);
    let sent = rig.tick();
    let ids: Vec<OrderId> = sent.iter().map(|intent| intent.order).collect();
    assert_eq!(seen.recv().unwrap(), (vec![], Qty::ZERO, Qty::ZERO, 0, false));
    rig.fill(ids[0], "0.003");
    let view = seen.recv().unwrap();
    assert_eq!(view, (ids[1..].to_vec(), Qty::ZERO, qty("0.003"), 2, false));
    rig.fill(ids[1], "0.002");
    let view = seen.recv().unwrap();
    assert_eq!(view, (ids[1..].to_vec(), qty("0.002"), qty("0.005"), 1, false));
}

#[test]
fn the_view_tells_what_may_be_traded_reduced_and_at_which_kill_level() {
    let (sender, seen) = mpsc::channel();
    let strategy = Scripted::new(move |event, view, orders| {
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
        }
        let tradable = [BTC, ETH, BNB, InstrumentId(9)].map(|id| view.is_tradable(id));
        let reducible = [Side::Buy, Side::Sell].map(|side| view.reducible(BTC, side).0);
        sender.send((tradable, reducible, view.kill_level())).unwrap();
        assert_eq!(view.instrument(ETH).symbol, "ETHUSDT");
        assert_eq!(view.universe().len(), universe().len());
    });
    let mut rig = Rig::new(vec![strategy]);
    let sent = rig.tick();
    rig.fill(sent[0].order, "0.002");
    rig.kill(KillLevel::Halt);
    let tradable = [true, true, false, false];
    assert_eq!(seen.recv().unwrap(), (tradable, [0, 0], KillLevel::Run));
    assert_eq!(seen.recv().unwrap(), (tradable, [0, 200_000], KillLevel::Run));
    assert_eq!(seen.recv().unwrap(), (tradable, [0, 200_000], KillLevel::Halt));
}

#[test]
fn nobody_changes_the_orders_of_somebody_else() {
    let (sender, outcomes) = mpsc::channel();
    let first = Scripted::new(|event, _, orders| {
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
        }
    });
    let second = Scripted::new(move |_, _, orders| {
        let id = OrderId::new(1, StrategyId(0), 1);
        let to = Amend { price: px("1"), qty: qty("1") };
        sender.send([orders.cancel(id), orders.amend(id, to)]).unwrap();
    });
    let mut rig = Rig::new(vec![first, second]);
    let id = rig.tick()[0].order;
    rig.report(id, ReportKind::Accepted);
    for outcome in outcomes.try_iter() {
        assert_eq!(outcome, [Err(Refused::NotOpen); 2]);
    }
    assert_eq!(rig.stage.counts().refused[Refused::NotOpen as usize], 4);
}

#[test]
fn an_id_that_a_report_used_before_is_passed_over() {
    let (sender, outcomes) = mpsc::channel();
    let strategy = Scripted::new(move |event, _, orders| {
        if event.body == Body::Tick {
            sender.send(orders.send(BTC, buy())).unwrap();
        }
    });
    let mut rig = Rig::new(vec![strategy]);
    let id = rig.tick()[0].order;
    let mut report = rig.report_on(id, ReportKind::Accepted);
    report.order = OrderId::new(1, StrategyId(0), 2);
    rig.event(Some(BTC), Body::Report(report));
    rig.tick();
    rig.tick();
    let found: Vec<_> = outcomes.try_iter().collect();
    let third = OrderId::new(1, StrategyId(0), 3);
    assert_eq!(found, [Ok(id), Err(Refused::IdUsed), Ok(third)]);
}

#[test]
fn jitter_depends_on_seed_and_seat_and_leg_but_on_no_order() {
    let draw = |seed, bound| {
        let (sender, drawn) = mpsc::channel();
        let strategies = (0..2)
            .map(|_| {
                let sender = sender.clone();
                Scripted::new(move |event, view, orders| {
                    if event.seq == 1 {
                        orders.send(BTC, buy()).unwrap();
                    }
                    sender.send([view.jitter(1, bound), view.jitter(2, bound)]).unwrap();
                })
            })
            .collect();
        let config = AlphaConfig { seed, ..AlphaConfig::default() };
        let mut rig = Rig::with(&config, strategies, &[BTC], 64);
        rig.tick();
        rig.tick();
        drop(rig);
        drop(sender);
        drawn.iter().collect::<Vec<_>>()
    };
    let numbers = draw(42, u64::MAX);
    assert_eq!(numbers[..2], numbers[2..], "the second event draws the same");
    assert_ne!(numbers[0], numbers[1], "seats differ");
    assert_ne!(numbers[0][0], numbers[0][1], "legs differ");
    assert_ne!(numbers, draw(43, u64::MAX), "seeds differ");
    assert!(draw(42, 10).iter().flatten().all(|&number| number < 10));
}
