//! The venue's own filters.

use fusewire_core::instrument::{Instrument, Market};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Round, UsdSum};

/// Whether an order may only reduce, which the least notional is no hurdle for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Any,
    Reduce,
}

/// True when price and quantity of an order pass. Only linear contracts that trade take orders.
pub(super) fn passes(
    instrument: &Instrument,
    (price, qty): (Px, Qty),
    purpose: Purpose,
    now: Nanos,
) -> bool {
    let tick = match instrument.tick {
        Some(tick) => tick > Px::ZERO && price.0 % tick.0 == 0,
        None => false,
    };
    let lot = &instrument.lot;
    let step = lot.step <= Qty::ZERO || qty.0 % lot.step.0 == 0;
    let size = price > Px::ZERO && qty > Qty::ZERO && (lot.min..=lot.max).contains(&qty);
    // As an exact product, so that rounding lets nothing in.
    let exact = i128::from(price.0) * i128::from(qty.0);
    let notional = match instrument.min_notional {
        Some(least) if purpose == Purpose::Any => exact >= i128::from(least.0) * i128::from(ONE),
        Some(_) | None => true,
    };
    let fits = UsdSum(price.notional(qty, Round::Up).0).narrow().is_some();
    let trades =
        instrument.trading && instrument.market == Market::UsdM && instrument.life.holds(now);
    trades && tick && step && size && notional && fits
}
