//! Random intents against a venue that loses, repeats, delays and reorders: no limit is ever passed,
//! counting everything in flight; reduces always leave; and once the faults end, the halt ends flat.

use fusewire_core::book::Invalid;
use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level;
use fusewire_core::order::{
    Action, Check, Conditional, Intent, NewOrder, OrderId, Side, TimeInForce, Trigger, TriggerKind,
    TriggerPrice, Verdict,
};
use fusewire_core::units::{Bps, Nanos, ONE, Px, Qty, Rate};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::limits::RiskConfig;
use crate::testing::{A, B, BTC, ETH, Place, World, config, intent, mark as no_mark, refusal, usd};

/// What happens next. Numbers that pick something count modulo how much there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Wait { millis: u64, quiet: bool },
    Move { eth: bool, bps: i64 },
    Blind { eth: bool, mark: bool },
    Ask { count: u8, order: Wish },
    Condition { order: Wish, kind: u8, callback_bps: i64 },
    Reduce { eth: bool, part: i64, amend: Option<u8> },
    Amend { pick: u8, wish: Wish },
    Cancel(u8),
    Query(u8),
    Arrive { pick: u8, heard: bool },
    LoseRequest(u8),
    Block(u8),
    Fill { pick: u8, lots: i64 },
    Expire(u8),
    Hear(u8),
    LoseReport(u8),
    Repeat(u8),
    Level(u8),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    second: bool,
    eth: bool,
    sell: bool,
    reduce_only: bool,
    bps: i64,
    lots: i64,
}

fn wish() -> impl Strategy<Value = Wish> {
    let offset = prop_oneof![8 => -60_i64..60, 1 => -600_i64..600];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    (flags, offset, 40_i64..1_600).prop_map(|((second, eth, sell, reduce_only), bps, lots)| Wish {
        second,
        eth,
        sell,
        reduce_only,
        bps,
        lots,
    })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let pick = any::<u8>;
    prop_oneof![
        10 => (0_u64..4_000, prop::bool::weighted(0.5))
            .prop_map(|(millis, quiet)| Step::Wait { millis, quiet }),
        3 => (any::<bool>(), -80_i64..80).prop_map(|(eth, bps)| Step::Move { eth, bps }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(eth, mark)| Step::Blind { eth, mark }),
        8 => (wish(), 0_u8..3, 5_i64..1_100).prop_map(|(order, kind, callback_bps)| {
            Step::Condition { order, kind, callback_bps }
        }),
        20 => (1_u8..5, wish()).prop_map(|(count, order)| Step::Ask { count, order }),
        6 => (any::<bool>(), 1_i64..=100, prop::option::weighted(0.2, pick()))
            .prop_map(|(eth, part, amend)| Step::Reduce { eth, part, amend }),
        14 => (pick(), wish()).prop_map(|(pick, wish)| Step::Amend { pick, wish }),
        8 => pick().prop_map(Step::Cancel),
        4 => pick().prop_map(Step::Query),
        30 => (pick(), prop::bool::weighted(0.7))
            .prop_map(|(pick, heard)| Step::Arrive { pick, heard }),
        2 => pick().prop_map(Step::LoseRequest),
        1 => pick().prop_map(Step::Block),
        12 => (pick(), 1_i64..2_000).prop_map(|(pick, lots)| Step::Fill { pick, lots }),
        1 => pick().prop_map(Step::Expire),
        25 => pick().prop_map(Step::Hear),
        3 => pick().prop_map(Step::LoseReport),
        6 => pick().prop_map(Step::Repeat),
        1 => (0_u8..10).prop_map(Step::Level),
    ]
}

/// Limits that random orders run into.
fn small() -> RiskConfig {
    let mut config = config(|limits| {
        (limits.open_max, limits.reduce_reserve) = (13, 3);
        (limits.rate_new, limits.rate_symbol, limits.rate_amend) = (14, 8, 3);
        (limits.rate_cancel, limits.rate_reduce, limits.rate_query) = (6, 8, 60);
        limits.rate_window = Nanos(15 * Nanos::SECOND);
        limits.duplicate_window = Nanos(100 * Nanos::MILLI);
        limits.order_qty_max = Some(Qty(10 * ONE));
        limits.order_notional_max = usd("1500");
        limits.position_notional_max = usd("3000");
        limits.gross_notional_max = usd("4500");
        limits.trigger_distance = Bps(5_000_000);
        limits.conditional_max = 5;
    });
    config.balance = usd("800");
    config.reconcile_every = Nanos(4 * Nanos::SECOND);
    config
}

fn choose<T: Copy>(from: &[T], pick: u8) -> Option<T> {
    from.get(usize::from(pick).checked_rem(from.len())?).copied()
}

fn symbol(eth: bool) -> InstrumentId {
    if eth { ETH } else { BTC }
}

/// The grid of a symbol: its tick, and a lot of about one USD.
fn grid(on: InstrumentId) -> (i64, i64) {
    if on == ETH { (ONE / 100, ONE / 100) } else { (ONE / 10, ONE / 1_000) }
}

fn order(world: &World, wish: &Wish) -> (InstrumentId, NewOrder) {
    let on = symbol(wish.eth);
    let (tick, lot) = grid(on);
    let mark = world.mark(on).0;
    let price = (mark + mark / 10_000 * wish.bps) / tick * tick;
    let side = if wish.sell { Side::Sell } else { Side::Buy };
    let new = NewOrder {
        side,
        price: Px(price),
        qty: Qty(wish.lots * lot),
        tif: TimeInForce::Gtc,
        reduce_only: wish.reduce_only,
    };
    (on, new)
}

fn ask(world: &mut World, intents: &[Intent]) -> Vec<Verdict> {
    world.run(None, Body::Wake, intents)
}

fn wait(world: &mut World, millis: u64, quiet: bool) {
    let then = world.desk.now.0 + millis * Nanos::MILLI;
    // Nothing arrives later than it may: what would is decided now.
    let arrival_max = world.config.arrival_max.0;
    while let Some(index) = world.requests.iter().position(|(sent, _)| sent.0 + arrival_max < then)
    {
        if index % 2 == 0 {
            arrive(world, index, index % 4 == 0)
        } else {
            world.lose_request(index)
        }
    }
    world.desk.now = Nanos(then);
    if !quiet {
        world.market();
    }
    world.run(None, Body::Tick, &[]);
}

/// What a request gives rise to is heard at once, later or never.
fn arrive(world: &mut World, index: usize, heard: bool) {
    world.arrive(index);
    if heard && let Some(report) = world.reports.pop() {
        world.hear(report);
    }
}

/// An order that waits; half of them may only reduce.
fn conditional(world: &mut World, wish: &Wish, kind: u8, callback_bps: i64) {
    let kind = TriggerKind::ALL[usize::from(kind)];
    let (on, new) = order(world, wish);
    let new = NewOrder { reduce_only: wish.lots % 2 == 0, ..new };
    let trails = kind == TriggerKind::Trailing;
    // A share of 1e-12 is 1e-8 bp.
    let callback = if trails { Rate(callback_bps * 100_000_000) } else { Rate::ZERO };
    let (by, price) = (TriggerPrice::Mark, new.price);
    let trigger = Trigger { kind, by, price, callback, close_position: false };
    // The limit of a trailing one lies where it may come back to.
    let (tick, _) = grid(on);
    let near = trigger.enters_near(new.side, price).unwrap();
    let new = NewOrder { price: Px(near.0 / tick * tick), ..new };
    let strategy = if wish.second { B } else { A };
    let action = Action::Conditional(Conditional { order: new, trigger });
    let asked = intent(world.desk.next_id(strategy), on, action);
    ask(world, &[asked]);
}

/// A reduce within what the position leaves is approved whatever else holds, at levels 0 and 1.
fn reduce(world: &mut World, on: InstrumentId, part: i64, amend: Option<u8>) {
    let portfolio = world.desk.stage.portfolio();
    let Some(side) = portfolio.position(on).reducing_side() else { return };
    let (_, lot) = grid(on);
    let left = i64::try_from(portfolio.reducible(on, side).0).unwrap();
    let (limits, price) = (&world.config.limits, world.mark(on));
    let budget = world.recent_reduces() < limits.rate_reduce as usize;
    if !budget || world.desk.stage.level() > Level::NoNewRisk {
        return;
    }
    let resting: Vec<_> = portfolio
        .orders_of(on)
        .filter(|o| o.reduce_only && o.side == side && o.unresolved() == 0 && !World::is_own(o.id))
        .filter(|o| o.trigger.is_none())
        .map(|o| (o.id, o.cum_qty, o.remaining().0, (o.price, o.qty)))
        .collect();
    let resting = amend.and_then(|pick| choose(&resting, pick));
    let intent = if let Some((id, filled, rest, was)) = resting {
        let most = left + i64::try_from(rest).unwrap();
        let qty = Qty(filled.0 + share(most, part, lot));
        // An amend that changes nothing is refused.
        if qty == filled || left == 0 || was == (price, qty) {
            return;
        }
        intent(id, on, Action::Amend { price, qty })
    } else {
        let qty = Qty(share(left, part, lot));
        let room = portfolio.orders().len() < limits.open_max as usize;
        if qty == Qty::ZERO || !room {
            return;
        }
        let new = NewOrder { side, price, qty, tif: TimeInForce::Gtc, reduce_only: true };
        intent(world.desk.next_id(B), on, Action::New(new))
    };
    let verdicts = ask(world, &[intent]);
    assert_eq!(refusal(&verdicts[0]), None, "{:?}", verdicts[0]);
}

fn share(of: i64, part: i64, lot: i64) -> i64 {
    (of / 100 * part) / lot * lot
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Wait { millis, quiet } => wait(world, millis, quiet),
        Step::Move { eth, bps } => {
            let on = symbol(eth);
            let (tick, _) = grid(on);
            let moved = world.mark(on).0 + world.mark(on).0 / 10_000 * bps;
            world.marks[on.index()] = Px(moved / tick * tick);
            world.market();
        }
        Step::Blind { eth, mark } => {
            let body = if mark { no_mark("0") } else { Body::BookInvalid(Invalid::Gap) };
            world.run(Some(symbol(eth)), body, &[]);
        }
        Step::Ask { count, order: wish } => {
            let intents: Vec<_> = (0..i64::from(count))
                .map(|n| {
                    let strategy = if wish.second { B } else { A };
                    let (on, new) = order(world, &Wish { lots: wish.lots + n / 2, ..wish });
                    intent(world.desk.next_id(strategy), on, Action::New(new))
                })
                .collect();
            ask(world, &intents);
        }
        Step::Condition { order: wish, kind, callback_bps } => {
            conditional(world, &wish, kind, callback_bps);
        }
        Step::Reduce { eth, part, amend } => reduce(world, symbol(eth), part, amend),
        Step::Amend { pick, wish } => {
            let Some((id, on)) = known(world, pick) else { return };
            let (_, new) = order(world, &Wish { eth: on == ETH, ..wish });
            let action = Action::Amend { price: new.price, qty: new.qty };
            ask(world, &[intent(id, on, action)]);
        }
        Step::Cancel(pick) => ask_known(world, pick, Action::Cancel),
        Step::Query(pick) => ask_known(world, pick, Action::Query),
        Step::Level(number) => {
            // Mostly run, so that something happens.
            let level = Level::from_number(number).unwrap_or(Level::Run);
            world.run(None, Body::KillLevel(level), &[]);
        }
        Step::Arrive { .. }
        | Step::LoseRequest(_)
        | Step::Block(_)
        | Step::Fill { .. }
        | Step::Expire(_)
        | Step::Hear(_)
        | Step::LoseReport(_)
        | Step::Repeat(_) => take_at_venue(world, step),
    }
}

fn known(world: &World, pick: u8) -> Option<(OrderId, InstrumentId)> {
    let orders = world.desk.stage.portfolio().orders();
    let orders: Vec<_> = orders.iter().map(|order| (order.id, order.instrument)).collect();
    choose(&orders, pick)
}

fn ask_known(world: &mut World, pick: u8, action: Action) {
    if let Some((id, on)) = known(world, pick) {
        ask(world, &[intent(id, on, action)]);
    }
}

fn take_at_venue(world: &mut World, step: Step) {
    let at = |count: usize, pick: u8| usize::from(pick).checked_rem(count);
    let (requests, reports) = (world.requests.len(), world.reports.len());
    match step {
        Step::Arrive { pick, heard } => {
            if let Some(index) = at(requests, pick) {
                arrive(world, index, heard);
            }
        }
        Step::LoseRequest(pick) => {
            if let Some(index) = at(requests, pick) {
                world.lose_request(index);
            }
        }
        Step::Block(pick) => {
            if let Some(index) = at(requests, pick) {
                world.block(index);
            }
        }
        Step::Fill { pick, lots } => {
            if let Some(id) = choose(&world.open(), pick) {
                let (_, lot) = grid(world.orders[&id].on);
                world.fill(id, Qty(lots * lot));
            }
        }
        Step::Expire(pick) => {
            if let Some(id) = choose(&world.open(), pick) {
                world.expire(id);
            }
        }
        Step::Hear(pick) => {
            if let Some(index) = at(reports, pick) {
                let report = world.reports.remove(index);
                world.hear(report);
            }
        }
        Step::LoseReport(pick) => {
            if let Some(index) = at(reports, pick) {
                world.reports.remove(index);
            }
        }
        Step::Repeat(pick) => {
            if let Some(index) = at(reports, pick) {
                world.hear(world.reports[index]);
            }
        }
        Step::Wait { .. }
        | Step::Move { .. }
        | Step::Blind { .. }
        | Step::Ask { .. }
        | Step::Condition { .. }
        | Step::Reduce { .. }
        | Step::Amend { .. }
        | Step::Cancel(_)
        | Step::Query(_)
        | Step::Level(_) => {}
    }
}

/// The faults end and the halt begins: it ends flat, with nothing open, and everybody knows it.
fn end_flat(world: &mut World) {
    world.run(None, Body::KillLevel(Level::Halt), &[]);
    for _ in 0..40 {
        while !world.requests.is_empty() {
            world.arrive(0);
        }
        for id in world.open().into_iter().filter(|id| World::is_own(*id)) {
            world.fill(id, Qty(i64::MAX));
            world.expire(id);
        }
        for report in std::mem::take(&mut world.reports) {
            world.hear(report);
        }
        wait(world, 1_000, false);
    }
    let portfolio = world.desk.stage.portfolio();
    assert_eq!(portfolio.orders(), [], "nothing is open, and nothing is in doubt");
    assert!(world.orders.values().all(|real| real.place == Place::Over));
    for on in [BTC, ETH] {
        assert_eq!(world.position(on), 0, "{on:?} is left");
        assert_eq!(portfolio.position(on).qty, Qty::ZERO);
        for side in [Side::Buy, Side::Buy.opposite()] {
            assert_eq!(portfolio.worst_case(on, side).0, 0);
        }
    }
    assert_eq!((portfolio.faults().range, portfolio.faults().overflow), (0, 0));
}

fn live(steps: &[Step]) -> World {
    live_watched(steps, &[])
}

/// The same with some orders watched.
pub(super) fn live_watched(steps: &[Step], orders: &[OrderId]) -> World {
    let mut world = World::new(small());
    orders.iter().for_each(|order| world.desk.stage.watch(*order));
    for step in steps {
        take(&mut world, *step);
    }
    end_flat(&mut world);
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// C1, C5, C9, C10, C11, S0-07: `World::run` judges every approval.
    #[test]
    fn no_limit_is_ever_passed(steps in prop::collection::vec(step(), 1..250)) {
        live(&steps);
    }
}

/// The test above is worth something only if orders do run into every limit, and reduces leave.
#[test]
fn random_orders_run_into_every_limit() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 250);
    let (mut refused, mut approved) = (std::collections::BTreeMap::new(), 0);
    for _ in 0..60 {
        let world = live(&steps.new_tree(&mut runner).unwrap().current());
        approved += world.desk.stage.counts().approved;
        for (check, count) in world.refused {
            *refused.entry(check).or_insert(0_u32) += count;
        }
    }
    assert!(approved > 4_000, "{approved} approvals");
    let never: Vec<_> = Check::ALL.into_iter().filter(|c| !refused.contains_key(c)).collect();
    // What is left: always on the grid, few for the venue, no number out of range, and a ledger that the venue
    // agrees with; queries never reach their budget.
    let expected =
        [Check::Tick, Check::MaxOrders, Check::RateQuery, Check::Arithmetic, Check::LedgerDrift];
    assert_eq!(never, expected, "{refused:?}");
}
