//! The fold against worked examples, a naive model, and whatever a network does to reports.

mod conditional;
mod faults;
mod life;
mod memory;
mod model;
mod money;
mod settling;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::book::Invalid;
use crate::order::{
    Check, Conditional, Liquidity, NewOrder, RejectedBy, ReportKind, Source, TimeInForce,
    TriggerKind, TriggerPrice, VenueReason,
};
use crate::units::{ONE, Rate, Usd};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const INSTRUMENTS: [InstrumentId; 2] = [BTC, ETH];
const STRATEGIES: [StrategyId; 4] =
    [StrategyId(0), StrategyId(1), StrategyId::RISK, StrategyId::VENUE];
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
const ORDERS_MAX: usize = 6;
const ARRIVAL_MAX: Nanos = Nanos(5 * Nanos::SECOND);

fn portfolio() -> Portfolio {
    Portfolio::new(PortfolioConfig {
        instruments: INSTRUMENTS.len(),
        strategies: STRATEGIES.to_vec(),
        orders_max: ORDERS_MAX,
        closed_max: 8,
        arrival_max: ARRIVAL_MAX,
    })
}

fn at(second: u64) -> Nanos {
    Nanos(second * Nanos::SECOND)
}

fn id(counter: u64) -> OrderId {
    OrderId::new(1, StrategyId(0), counter)
}

fn px(whole: i64) -> Px {
    Px(whole * ONE)
}

fn qty(whole: i64) -> Qty {
    Qty(whole * ONE)
}

fn usd(whole: i64) -> Usd {
    Usd(whole * ONE)
}

fn sum(whole: i64) -> UsdSum {
    UsdSum(i128::from(whole) * i128::from(ONE))
}

fn qty_sum(whole: i64) -> QtySum {
    QtySum(i128::from(whole) * i128::from(ONE))
}

fn intent(order: OrderId, action: Action) -> Intent {
    Intent { order, instrument: BTC, source: Source::Alpha, action }
}

fn limit(side: Side, price: i64, size: i64) -> NewOrder {
    NewOrder { side, price: px(price), qty: qty(size), tif: TimeInForce::Gtc, reduce_only: false }
}

/// The same order, waiting for a stop at this price.
fn stop(order: NewOrder, trigger: i64) -> Action {
    let (kind, by) = (TriggerKind::Stop, TriggerPrice::Mark);
    let trigger =
        Trigger { kind, by, price: px(trigger), callback: Rate::ZERO, close_position: false };
    Action::Conditional(Conditional { order, trigger })
}

fn amend(price: i64, size: i64) -> Action {
    Action::Amend { price: px(price), qty: qty(size) }
}

/// A buy of 10 at 100 of which nothing is filled.
fn report(order: OrderId, kind: ReportKind) -> Report {
    Report {
        order,
        kind,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: crate::order::Leg::Both,
        liquidity: Liquidity::Maker,
        price: px(100),
        qty: qty(10),
        cum_qty: Qty::ZERO,
        cum_quote: Usd::ZERO,
        cum_fee: Usd::ZERO,
        last_qty: Qty::ZERO,
        last_price: Px::ZERO,
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    }
}

/// The same with `cum` of it filled at 100 for a fee of 1 each.
fn filled(order: OrderId, kind: ReportKind, cum: i64) -> Report {
    Report {
        cum_qty: qty(cum),
        cum_quote: usd(100 * cum),
        cum_fee: usd(cum),
        ..report(order, kind)
    }
}

/// The same as an answer to a query.
fn status(order: OrderId, state: OrderState, looked_at: Nanos) -> Status {
    Status {
        order,
        state,
        side: Side::Buy,
        reduce_only: false,
        price: px(100),
        qty: qty(10),
        cum_qty: Qty::ZERO,
        cum_quote: Usd::ZERO,
        cum_fee: Usd::ZERO,
        at: looked_at,
    }
}

fn rejection(order: OrderId, action: Action) -> Rejection {
    Rejection::new(&intent(order, action), RejectedBy::Risk, Check::Collar, 2, 1)
}

/// A fold with one order, sent at second 1: a buy of 10 at 100.
fn with_order() -> Portfolio {
    let mut fold = portfolio();
    let new = intent(id(1), Action::New(limit(Side::Buy, 100, 10)));
    assert_eq!(fold.track(&new, at(1)), Ok(()));
    fold
}

/// Any intent on an order, with few prices and sizes.
fn any_action() -> impl Strategy<Value = Action> {
    let new = (select(&SIDES[..]), 1_i64..5, 1_i64..20, any::<bool>());
    prop_oneof![
        3 => new.clone().prop_map(|(side, price, size, reduce_only)| {
            Action::New(NewOrder { reduce_only, ..limit(side, price, size) })
        }),
        2 => new.prop_map(|(side, price, size, reduce_only)| {
            stop(NewOrder { reduce_only, ..limit(side, price, size) }, price)
        }),
        2 => (1_i64..5, 1_i64..20).prop_map(|(price, size)| amend(price, size)),
        2 => Just(Action::Cancel),
        1 => Just(Action::Query),
    ]
}

fn event(ts: Nanos, instrument: Option<InstrumentId>, body: Body) -> Event {
    Event {
        seq: 1,
        ts,
        recv: ts,
        frame: 0,
        instrument,
        last: true,
        stamp: Default::default(),
        body,
    }
}

/// Everything that is kept but the count of faults.
fn state(fold: &Portfolio) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        fold.orders.clone(),
        fold.open.clone(),
        fold.account.clone(),
        fold.by_strategy.clone(),
        fold.unresolved.clone(),
        fold.waiting,
    )
}

/// All sums as they follow from the orders and positions themselves.
fn check_sums(fold: &Portfolio) -> Result<(), TestCaseError> {
    let orders = fold.orders();
    prop_assert!(orders.len() <= ORDERS_MAX);
    prop_assert!(orders.is_sorted_by(|a, b| a.id < b.id));
    for instrument in INSTRUMENTS {
        let position = i128::from(fold.position(instrument).qty.0);
        for side in SIDES {
            let of_side: Vec<_> =
                fold.orders_of(instrument).filter(|order| order.side == side).collect();
            let total = |pick: fn(&Order) -> bool| -> i128 {
                let size = |order: &&Order| {
                    let most = order.amend.map_or(order.qty, |a| a.qty.max(order.qty));
                    (i128::from(most.0) - i128::from(order.cum_qty.0)).max(0)
                };
                of_side.iter().filter(|order| pick(order)).map(size).sum()
            };
            let open = fold.open(instrument, side);
            prop_assert_eq!(open.orders as usize, of_side.len());
            // What waits and may only reduce opens nothing, and leaves room for others that protect.
            let counts = |order: &Order| !(order.reduce_only && order.trigger.is_some());
            prop_assert_eq!(open.qty.0, total(counts));
            let reduces = |order: &Order| order.reduce_only && order.trigger.is_none();
            prop_assert_eq!(open.reduce_only.0, total(reduces));
            let toward = if side == Side::Buy { position } else { -position };
            let waits = total(|order| order.reduce_only && order.trigger.is_some());
            prop_assert_eq!(open.waiting.0, waits);
            let worst = (toward + waits).max(0) + open.qty.0;
            prop_assert_eq!(fold.worst_case(instrument, side).0, worst);
            let reducible = if toward < 0 { (-toward - open.reduce_only.0).max(0) } else { 0 };
            prop_assert_eq!(fold.reducible(instrument, side).0, reducible);
        }
    }
    let waits = orders.iter().filter(|order| order.trigger.is_some()).count();
    prop_assert_eq!(fold.waiting(), waits);
    for strategy in STRATEGIES {
        let own = orders.iter().filter(|order| order.strategy() == strategy);
        let waiting: usize = own
            .map(|order| {
                [order.phase != Phase::Open, order.amend.is_some(), order.cancel_since.is_some()]
                    .into_iter()
                    .filter(|waits| *waits)
                    .count()
            })
            .sum();
        prop_assert_eq!(fold.unresolved(strategy) as usize, waiting);
    }
    Ok(())
}

/// What risk and the venue closed of which nobody heard that it was held.
fn leftover(fold: &Portfolio, instrument: InstrumentId) -> i128 {
    let seats = STRATEGIES.iter().filter(|seat| seat.acts_for_holders());
    seats.map(|seat| i128::from(fold.position_of(*seat, instrument).qty.0)).sum()
}

/// What risk or the venue closed stands against nobody who holds a position: it would be gone, and still held.
fn check_leftovers(fold: &Portfolio, instrument: InstrumentId) -> Result<(), TestCaseError> {
    let held = |acts: bool, sign: i64| {
        let seats = STRATEGIES.iter().filter(move |seat| seat.acts_for_holders() == acts);
        seats.filter(|seat| fold.position_of(**seat, instrument).qty.0.signum() == sign).count()
    };
    for sign in [1, -1] {
        prop_assert!(held(true, sign) == 0 || held(false, -sign) == 0, "{fold:?}");
    }
    Ok(())
}
