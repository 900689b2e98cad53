//! Whatever happens to reports, what risk believes covers what is true, and comes back to it.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::portfolio::{Order, Portfolio, Position};
use fusewire_core::units::{Nanos, QtySum, Round};
use fusewire_io::venue::paper::ReportFaults;
use proptest::prelude::*;

use super::order::{Whole, faults, jitters, paces, whole, wild};
use super::rig::Setup;
use super::walk::{MARKS, Pace, START};

fn after(millis: u64) -> Nanos {
    Nanos(START.0 + millis * Nanos::MILLI)
}

/// C1, C11: at every event the account could reach no more than risk believes, order by order, and that is
/// within the limits. Marks do not move, so that the limits hold to the cent.
fn check_cover(setup: &Setup, rig: &Whole) {
    let (truth, belief) = (rig.gateway.venue().paper.portfolio(), rig.risk.portfolio());
    let seq = rig.head.seq();
    let mut gross = 0;
    for id in setup.ids() {
        let mark = MARKS[id.index()];
        let mut worst = 0;
        for side in [Side::Buy, Side::Sell] {
            let (real, believed) = (reach(truth, id, side), belief.worst_case(id, side));
            let hidden = unheard(truth, belief, id, side);
            let known = real.0 - hidden;
            assert!(known <= believed.0, "event {seq} {side:?}: {real:?} over {believed:?}");
            // A reduce is cut to the position when it fills, so that it carries none further.
            worst = worst.max(real.0 - truth.open(id, side).reduce_only.0);
        }
        let value = mark.notional(qty(worst), Round::Up).0;
        assert!(value <= i128::from(setup.risk.limits.position_notional_max.0), "event {seq}");
        gross += value;
    }
    assert!(gross <= i128::from(setup.risk.limits.gross_notional_max.0), "event {seq}");
    for order in truth.orders() {
        let known = belief.order(order.id);
        let known = known.unwrap_or_else(|| panic!("event {seq}: {order:?} is open unseen"));
        assert!(order.remaining() <= known.remaining(), "event {seq}: {order:?} and {known:?}");
    }
}

/// How far the position can go by what is in the book. The truth has heard of every fill.
fn reach(truth: &Portfolio, id: InstrumentId, side: Side) -> QtySum {
    let position = i128::from(truth.position(id).qty.0);
    let toward = if side == Side::Buy { position } else { -position };
    QtySum(toward.max(0) + truth.open(id, side).qty.0)
}

/// What was triggered to reduce, and nobody was told so far: it is cut to the position when it fills, so that
/// it opens nothing.
fn unheard(truth: &Portfolio, belief: &Portfolio, id: InstrumentId, side: Side) -> i128 {
    let waits = |order: &&Order| {
        let known = belief.order(order.id).is_some_and(|known| known.trigger.is_some());
        known && order.trigger.is_none() && order.reduce_only && order.side == side
    };
    truth.orders_of(id).filter(waits).map(|order| order.remaining().0).sum()
}

fn qty(sum: i128) -> fusewire_core::units::Qty {
    fusewire_core::units::Qty(i64::try_from(sum).unwrap())
}

/// The same positions and open orders, to the last amount. How the cash divides into cost and profit
/// depends on the order in which fills were heard of.
fn check_same(setup: &Setup, belief: &Portfolio, truth: &Portfolio, whose: &str) {
    let sums = |p: &Position| (p.qty, p.bought, p.sold, p.fees, p.realized.0 - p.cost.0);
    for id in setup.ids() {
        let (believed, real) = (sums(belief.position(id)), sums(truth.position(id)));
        assert_eq!(believed, real, "{whose}: the account");
    }
    let state = |portfolio: &Portfolio| {
        let orders = portfolio.orders().iter();
        orders
            .map(|o| (o.id, o.price, o.qty, o.cum_qty, o.cum_quote, o.cum_fee))
            .collect::<Vec<_>>()
    };
    assert_eq!(state(belief), state(truth), "{whose}: open orders");
}

/// The tests here are worth something only if conditional orders wait, are triggered and trade.
#[test]
fn a_hostile_strategy_has_conditional_orders_triggered() {
    let (mut triggered, mut waited) = (0, 0);
    for seed in 0..8 {
        let setup = Setup::new(2, seed);
        let mut rig = whole(&setup, (Pace::Fast, 1_200, 0), wild(&setup, 3));
        rig.watched(|rig| {
            check_cover(&setup, rig);
            waited = waited.max(rig.gateway.venue().paper.waiting_orders());
        });
        triggered += rig.gateway.venue().paper.stats().triggered;
    }
    assert!(triggered > 20 && waited > 2, "{triggered} triggered, {waited} at a time");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Lost, repeated and late reports of a hostile strategy's orders.
    #[test]
    fn c1_what_is_true_never_passes_what_risk_believes(
        seed in any::<u64>(), symbols in 1_usize..3, pace in paces(), faults in faults(),
        jitter in jitters(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.jitter = jitter;
        setup.paper.faults = faults;
        let frames = match pace { Pace::Fast => 1_200, Pace::Sparse => 250 };
        let mut rig = whole(&setup, (pace, frames, 0), wild(&setup, 3));
        rig.watched(|rig| check_cover(&setup, rig));
        prop_assert!(rig.gateway.venue().paper.stats().fills() > 0);
    }

    /// When the strategy falls silent, queries bring risk and alpha back to the venue's truth.
    #[test]
    fn after_faults_belief_comes_back_to_the_truth(
        seed in any::<u64>(), symbols in 1_usize..3, faults in faults(), jitter in jitters(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.jitter = jitter;
        setup.paper.faults = faults;
        // 1,200 frames last some 42 s; the tail has no trades.
        let rogue = wild(&setup, 3).quiet_at(after(30_000));
        let mut rig = whole(&setup, (Pace::Fast, 1_200, 30), rogue);
        rig.watched(|rig| check_cover(&setup, rig));
        let truth = rig.gateway.venue().paper.portfolio();
        prop_assert!(truth.executions() > 0);
        check_same(&setup, rig.risk.portfolio(), truth, "risk");
        check_same(&setup, rig.alpha.portfolio(), truth, "alpha");
    }

    /// A lost report of a reduce holds its quantity back for a while and not for ever.
    #[test]
    fn reduces_get_through_in_the_end(seed in any::<u64>(), symbols in 1_usize..3) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.faults = ReportFaults { lose_ppm: 300_000, ..ReportFaults::default() };
        let rogue = wild(&setup, 3).leaving_at(after(20_000));
        let mut rig = whole(&setup, (Pace::Fast, 600, 20), rogue);
        let mut held = false;
        rig.watched(|rig| {
            check_cover(&setup, rig);
            let held_now = |id| rig.gateway.venue().paper.portfolio().position(id).reducing_side();
            held |= setup.ids().any(|id| held_now(id).is_some());
        });
        prop_assert!(held, "there was something to leave");
        let truth = rig.gateway.venue().paper.portfolio();
        for id in setup.ids() {
            prop_assert_eq!(truth.position(id).qty.0, 0);
            prop_assert_eq!(rig.risk.portfolio().position(id).qty.0, 0);
        }
        prop_assert!(rig.risk.portfolio().orders().is_empty());
    }
}
