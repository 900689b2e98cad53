//! One side of one symbol: at most one order, moved step by step towards what is wished for.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::market::Side;
use fusewire_core::order::{NewOrder, OrderId, TimeInForce};
use fusewire_core::portfolio::{Order, Phase};
use fusewire_core::units::{Nanos, Px, Qty};

use super::{QuoterConfig, price};
use crate::pacing::Pace;
use crate::sizing;
use crate::strategy::{Amend, Orders, Refused, View};

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A post-only quote.
    Quote,
    /// Reduces at the touch.
    Rest,
    /// Reduces against the other side, at once or not at all.
    Take,
}

/// What a side should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Order { kind: Kind, price: Px, qty: Qty },
}

/// One side of a symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    order: Option<(OrderId, Kind)>,
    /// When it may be changed next.
    change_at: Nanos,
    /// When it may be cancelled next.
    cancel_at: Nanos,
}

/// What a step needs to know.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) now: Nanos,
    pub(super) interval: Nanos,
    pub(super) instrument: InstrumentId,
    pub(super) tick: Px,
    /// No wait after a rejection is under way.
    pub(super) may_send: bool,
    pub(super) config: &'a QuoterConfig,
    pub(super) view: &'a View<'a>,
}

/// An order in a slot, as the fold knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    pub(super) order: &'a Order,
    pub(super) kind: Kind,
}

/// The turn of one side.
pub(super) struct Turn<'a> {
    pub(super) side: Side,
    pub(super) wish: Wish,
    pub(super) standing: Option<Standing<'a>>,
    /// What stands on the other side.
    pub(super) opposite: Option<Standing<'a>>,
}

/// How a side stands after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// For the same wish and the same orders it has nothing to do up to and at this time.
    Settled(Nanos),
    /// It did something, or has yet to.
    Waits,
}

impl Done {
    /// It has what it should, or waits for an event.
    const SETTLED: Self = Self::Settled(Nanos(u64::MAX));
}

/// What is counted a minute.
pub(super) struct Paces<'a> {
    pub(super) quotes: &'a mut Pace,
    pub(super) symbol_quotes: &'a mut Pace,
    pub(super) amends: &'a mut Pace,
}

impl Slot {
    fn order(&self) -> Option<OrderId> {
        self.order.map(|(id, _)| id)
    }

    /// The order and what it is for. One that is over is forgotten.
    pub(super) fn standing<'a>(&mut self, view: &View<'a>) -> Option<Standing<'a>> {
        let (id, kind) = self.order?;
        let order = view.order(id);
        if order.is_none() {
            self.order = None;
        }
        Some(Standing { order: order?, kind })
    }

    /// Quantity that an own reducing order in this slot may still execute.
    pub(super) fn reducing(&self, view: &View<'_>) -> i128 {
        let order = self.order().and_then(|id| view.order(id));
        order.filter(|order| order.reduce_only).map_or(0, |order| order.remaining().0)
    }

    /// One step towards the wish.
    pub(super) fn step(
        &mut self,
        step: &Step<'_>,
        turn: &Turn<'_>,
        paces: &mut Paces<'_>,
        orders: &mut Orders<'_>,
    ) -> Result<Done, Refused> {
        match (turn.standing, turn.wish) {
            (None, Wish::Nothing) => Ok(Done::SETTLED),
            (None, Wish::Order { kind, price, qty }) => {
                if let Some(hindered) = self.hindered(step, turn, price) {
                    return Ok(hindered);
                }
                let new = new_order(kind, turn.side, price, qty);
                self.send(step, kind, new, paces, orders)
            }
            // It answers for itself.
            (Some(Standing { kind: Kind::Take, .. }), _) => Ok(Done::Waits),
            (Some(Standing { order, kind: stands }), Wish::Order { kind, price, qty })
                if stands == kind =>
            {
                let to = amended(order, price, qty);
                let instrument = step.view.instrument(step.instrument);
                if kind == Kind::Quote && !sizing::meets_least(instrument, to.price, to.qty) {
                    return self.cancel(step, order, orders);
                }
                if !is_worth_it(order, price, step) || !is_idle(order) {
                    return Ok(Done::SETTLED);
                }
                if let Some(hindered) = self.hindered(step, turn, price) {
                    return Ok(hindered);
                }
                self.amend(step, order.id, to, paces, orders)
            }
            (Some(Standing { order, .. }), _) => self.cancel(step, order, orders),
        }
    }

    /// What keeps the side from changing anything; none when nothing does.
    fn hindered(&self, step: &Step<'_>, turn: &Turn<'_>, price: Px) -> Option<Done> {
        if !step.may_send {
            return Some(Done::Waits);
        }
        if step.now < self.change_at {
            return Some(Done::Settled(Nanos(self.change_at.0 - 1)));
        }
        // Against an own order it would be stopped, by risk at the latest: the other side moves first.
        let meets = |own: Standing<'_>| match turn.side {
            Side::Buy => price >= own.order.most_aggressive_price(),
            Side::Sell => price <= own.order.most_aggressive_price(),
        };
        turn.opposite.is_some_and(meets).then_some(Done::SETTLED)
    }

    fn send(
        &mut self,
        step: &Step<'_>,
        kind: Kind,
        new: NewOrder,
        paces: &mut Paces<'_>,
        orders: &mut Orders<'_>,
    ) -> Result<Done, Refused> {
        // Reducing orders have a budget of their own.
        let is_quote = kind == Kind::Quote;
        let paced = paces.quotes.allows(step.now) && paces.symbol_quotes.allows(step.now);
        if is_quote && !paced {
            return Ok(Done::Waits);
        }
        let id = orders.send(step.instrument, new)?;
        if is_quote {
            paces.quotes.note(step.now);
            paces.symbol_quotes.note(step.now);
        }
        self.order = Some((id, kind));
        self.changed(step);
        Ok(Done::Waits)
    }

    fn amend(
        &mut self,
        step: &Step<'_>,
        id: OrderId,
        to: Amend,
        paces: &mut Paces<'_>,
        orders: &mut Orders<'_>,
    ) -> Result<Done, Refused> {
        if !paces.amends.allows(step.now) {
            return Ok(Done::Waits);
        }
        orders.amend(id, to)?;
        paces.amends.note(step.now);
        self.changed(step);
        Ok(Done::Waits)
    }

    /// Takes the order back, whatever else waits: this is what makes the symbol safe.
    fn cancel(
        &mut self,
        step: &Step<'_>,
        order: &Order,
        orders: &mut Orders<'_>,
    ) -> Result<Done, Refused> {
        // At the last level the gateway itself cancels everything.
        let leaves = step.view.kill_level() < KillLevel::Dead;
        if leaves && order.cancel_since.is_none() && step.now >= self.cancel_at {
            orders.cancel(order.id)?;
            self.cancel_at = step.now.after(step.config.cancel_retry);
        }
        Ok(Done::Waits)
    }

    fn changed(&mut self, step: &Step<'_>) {
        self.change_at = step.now.after(step.interval);
        self.cancel_at = Nanos(0);
    }
}

/// True when the wanted price lies far enough from that of an order.
fn is_worth_it(order: &Order, price: Px, step: &Step<'_>) -> bool {
    let moved = (i128::from(price.0) - i128::from(order.price.0)).abs();
    moved >= price::threshold(price, step.tick, step.config)
}

/// An order that the venue has, with nothing on its way and no doubt about it.
fn is_idle(order: &Order) -> bool {
    order.phase == Phase::Open && order.unresolved() == 0 && !order.in_doubt
}

fn new_order(kind: Kind, side: Side, price: Px, qty: Qty) -> NewOrder {
    let (tif, reduce_only) = match kind {
        Kind::Quote => (TimeInForce::Gtx, false),
        Kind::Rest => (TimeInForce::Gtc, true),
        Kind::Take => (TimeInForce::Ioc, true),
    };
    NewOrder { side, price, qty, tif, reduce_only }
}

/// An untouched order takes the new quantity. One that is filled in part keeps its total: topping it up
/// again and again would let it grow without bound.
fn amended(order: &Order, price: Px, qty: Qty) -> Amend {
    let untouched = order.cum_qty == Qty::ZERO && !order.reduce_only;
    Amend { price, qty: if untouched { qty } else { order.qty } }
}
