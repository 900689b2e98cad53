//! What protects a strategy's position: a stop, a take profit and a trailing stop, each when it is asked
//! for. They wait at the venue, reduce-only, under ids of their own.
//!
//! One of them that is over while the position is not could not be had, or did not fill whole: then the strategy
//! has to leave at once. When the position is flat the others are taken back.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    Conditional, NewOrder, OrderId, TimeInForce, Trigger, TriggerKind, TriggerPrice,
};
use fusewire_core::units::{BPS_DECIMALS, Bps, Nanos, Px, Qty, RATE_DECIMALS, Rate, Round};

use crate::sizing;
use crate::strategy::{Orders, View};

/// Raw units of `Rate` in a raw unit of `Bps`.
const RATE_PER_BPS: i64 = 10_i64.pow(RATE_DECIMALS - BPS_DECIMALS - 4);

/// What is asked for: distances from the average entry, zero for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) stop: Bps,
    pub(crate) take_profit: Bps,
    /// How far the price must come back from its best.
    pub(crate) trailing: Bps,
    /// How far beyond its trigger an order may trade.
    pub(crate) slippage: Bps,
    /// Which price triggers.
    pub(crate) by: TriggerPrice,
}

impl Terms {
    /// How far the protective order of a kind lies from the entry; zero for none.
    const fn distance(&self, kind: TriggerKind) -> Bps {
        match kind {
            TriggerKind::Stop => self.stop,
            TriggerKind::TakeProfit => self.take_profit,
            TriggerKind::Trailing => self.trailing,
        }
    }
}

/// The protective orders of one position, by `TriggerKind`.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    orders: [Option<OrderId>; TriggerKind::ALL.len()],
    /// Each is sent once for a position.
    sent: [bool; TriggerKind::ALL.len()],
    /// One of them is over, and the position is not.
    gone: bool,
    /// No cancel before this.
    cancel_at: Nanos,
}

/// What a position of a symbol is protected by.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) instrument: InstrumentId,
    pub(crate) tick: Px,
    pub(crate) terms: &'a Terms,
}

impl Protection {
    /// True for a protective order that is not known to be over.
    pub(crate) fn has(&self, id: OrderId) -> bool {
        self.orders.contains(&Some(id))
    }

    /// True when no protective order is left of the last position.
    pub(crate) fn is_clear(&self) -> bool {
        self.orders == [None; TriggerKind::ALL.len()]
    }

    /// True when one of them is over and the position must be left.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// True when one is asked for that was not sent so far.
    pub(crate) fn lacks(&self, terms: &Terms) -> bool {
        TriggerKind::ALL.into_iter().any(|kind| self.is_due(kind, terms))
    }

    fn is_due(&self, kind: TriggerKind, terms: &Terms) -> bool {
        !self.gone && !self.sent[kind as usize] && terms.distance(kind) > Bps::ZERO
    }

    /// Looks whether one of them is over while the position is held.
    pub(crate) fn look(&mut self, view: &View<'_>) {
        for place in &mut self.orders {
            if place.is_some_and(|id| view.order(id).is_none()) {
                *place = None;
                self.gone = true;
            }
        }
    }

    /// The position is flat: takes back what is left of them.
    pub(crate) fn clear(
        &mut self,
        now: Nanos,
        view: &View<'_>,
        orders: &mut Orders<'_>,
        retry: Nanos,
    ) {
        (self.sent, self.gone) = ([false; TriggerKind::ALL.len()], false);
        if self.is_clear() {
            return;
        }
        let may = now >= self.cancel_at;
        for place in &mut self.orders {
            let Some(id) = *place else { continue };
            match view.order(id) {
                None => *place = None,
                Some(order) if may && order.cancel_since.is_none() => {
                    // When the harness takes no more, the next event tries again.
                    if orders.cancel(id).is_ok() {
                        self.cancel_at = now.after(retry);
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Sends what is asked for and was not sent.
    pub(crate) fn place(&mut self, wanted: &Wanted<'_>, view: &View<'_>, orders: &mut Orders<'_>) {
        for kind in TriggerKind::ALL {
            if !self.is_due(kind, wanted.terms) {
                continue;
            }
            // Another strategy may hold as much the other way: to the account there is nothing to protect.
            let Some(new) = wanted.order(kind, view) else { continue };
            let Ok(id) = orders.send_conditional(wanted.instrument, new) else { continue };
            self.orders[kind as usize] = Some(id);
            self.sent[kind as usize] = true;
        }
    }
}

impl Wanted<'_> {
    fn order(&self, kind: TriggerKind, view: &View<'_>) -> Option<Conditional> {
        let position = view.position_of(self.instrument);
        let (entry, side) = (position.average_price()?, position.reducing_side()?);
        let account = view.account_position(self.instrument);
        if account.reducing_side() != Some(side) {
            return None;
        }
        let instrument = view.instrument(self.instrument);
        let most = position.size().0.min(account.size().0).min(i128::from(instrument.lot.max.0));
        let qty = sizing::steps(instrument, most, Round::Down).filter(|qty| *qty > Qty::ZERO)?;
        let distance = self.terms.distance(kind);
        // A stop lies where the position loses, a take profit where it wins.
        let toward = match kind {
            TriggerKind::Stop | TriggerKind::Trailing => side,
            TriggerKind::TakeProfit => side.opposite(),
        };
        let near = sizing::through(entry, toward, distance, self.tick)?;
        let price = sizing::through(near, side, self.terms.slippage, self.tick)?;
        let (at, callback) = match kind {
            TriggerKind::Stop | TriggerKind::TakeProfit => (near, Rate::ZERO),
            // Active at once.
            TriggerKind::Trailing => (Px::ZERO, Rate(distance.0 * RATE_PER_BPS)),
        };
        let by = self.terms.by;
        let trigger = Trigger { kind, by, price: at, callback, close_position: false };
        let order = NewOrder { side, price, qty, tif: TimeInForce::Ioc, reduce_only: true };
        Some(Conditional { order, trigger })
    }
}
