//! The order that leaves a position now: immediate or cancelled, through the touch by so much.
//!
//! As much of it as the account holds the same way only reduces. Where other strategies hold as much the other
//! way, leaving is new risk to the account and needs the level of new risk.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::order::{NewOrder, TimeInForce};
use fusewire_core::units::{Bps, Qty, Round};

use crate::market::Best;
use crate::sizing;
use crate::strategy::View;

/// The order that leaves the strategy's position in a symbol; none when it is flat, nothing may leave, or all of
/// it is on its way.
pub(crate) fn exit(
    id: InstrumentId,
    best: &Best,
    slippage: Bps,
    view: &View<'_>,
) -> Option<NewOrder> {
    let position = view.position_of(id);
    let side = position.reducing_side()?;
    let instrument = view.instrument(id);
    let most = position.size().0.min(i128::from(instrument.lot.max.0));
    let reducible = view.reducible(id, side).0;
    let reduced = sizing::steps(instrument, most.min(reducible), Round::Down)?;
    let (qty, reduce_only) = if reduced > Qty::ZERO {
        (reduced, true)
    } else if view.account_position(id).reducing_side() != Some(side)
        && view.kill_level() == KillLevel::Run
    {
        // Other strategies hold as much the other way: to the account, leaving is new risk.
        (sizing::steps(instrument, most, Round::Down)?, false)
    } else {
        return None;
    };
    let price = sizing::through(best.opposite(side), side, slippage, instrument.tick?)?;
    let new = NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only };
    (qty > Qty::ZERO).then_some(new)
}
