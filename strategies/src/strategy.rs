//! What a strategy is, what it sees, and how it asks for orders.
//!
//! A strategy is a pure reaction: event in, intents out. It sees no clock (time is `event.ts`), shares no
//! state, and is the same in a replay, on paper and on the test network.

use fusewire_core::event::Event;
use fusewire_core::instrument::{Instrument, InstrumentId, Universe};
use fusewire_core::jitter;
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::order::{
    Action, Conditional, Intent, NewOrder, OrderId, Side, Source, StrategyId,
};
use fusewire_core::portfolio::{Order, Portfolio, Position};
use fusewire_core::units::{Px, Qty, QtySum};
use thiserror::Error;

/// Reacts to events with orders.
pub trait Strategy: Send {
    /// Called once, before the first event: the only place to take memory for each symbol.
    fn start(&mut self, _view: &View<'_>) {}

    /// Reacts to one event. The view already holds what the event says. Nothing may be allocated here.
    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>);

    /// Top levels of each side that it wants as `Levels` messages. Another strategy may want more: expect
    /// at least this many where the book has them.
    fn levels(&self) -> u8 {
        0
    }

    /// Bars that it passed over because they are of another length than it was told (X18).
    fn foreign_bars(&self) -> u64 {
        0
    }
}

/// Where a strategy sits: what makes its ids and its jitter its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) session: u16,
    pub(crate) strategy: StrategyId,
    pub(crate) seed: u64,
}

/// What a strategy sees beside the event, all of it folded from the sequenced stream. It does not change
/// while the strategy acts: an order sent now stands in the view of the next event.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(crate) seat: Seat,
    pub(crate) universe: &'a Universe,
    /// By instrument.
    pub(crate) tradable: &'a [bool],
    pub(crate) portfolio: &'a Portfolio,
    pub(crate) kill_level: KillLevel,
}

impl<'a> View<'a> {
    /// The strategy itself.
    #[must_use]
    pub fn strategy(&self) -> StrategyId {
        self.seat.strategy
    }

    /// True for an order of this strategy. Reports and rejections of all orders come by.
    #[must_use]
    pub fn is_own(&self, order: OrderId) -> bool {
        order.strategy() == self.seat.strategy
    }

    /// All instruments of the run.
    #[must_use]
    pub fn universe(&self) -> &'a Universe {
        self.universe
    }

    /// One instrument: tick, lot and filters.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> &'a Instrument {
        self.universe.get(id)
    }

    /// True when orders may be sent on the symbol; all others are observed only.
    #[must_use]
    pub fn is_tradable(&self, id: InstrumentId) -> bool {
        self.tradable.get(id.index()).copied().unwrap_or_default()
    }

    /// The sequenced kill level.
    #[must_use]
    pub fn kill_level(&self) -> KillLevel {
        self.kill_level
    }

    /// This strategy's own position in a symbol: what its own orders executed.
    #[must_use]
    pub fn position_of(&self, id: InstrumentId) -> Position {
        self.portfolio.position_of(self.seat.strategy, id)
    }

    /// The account's position in a symbol, over all strategies.
    #[must_use]
    pub fn account_position(&self, id: InstrumentId) -> &'a Position {
        self.portfolio.position(id)
    }

    /// Quantity that a further reduce-only order of this side may have: the account's position less the
    /// reduce-only orders on their way. Zero when `side` does not reduce.
    #[must_use]
    pub fn reducible(&self, id: InstrumentId, side: Side) -> QtySum {
        self.portfolio.reducible(id, side)
    }

    /// Own orders that are not known to be over, by id; at most `orders_max` of the configuration.
    pub fn orders(&self) -> impl Iterator<Item = &'a Order> {
        let strategy = self.seat.strategy;
        self.portfolio.orders().iter().filter(move |order| order.strategy() == strategy)
    }

    /// An own order that is not known to be over.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&'a Order> {
        self.portfolio.order(id).filter(|_| self.is_own(id))
    }

    /// Own intents that have no answer yet.
    #[must_use]
    pub fn unresolved(&self) -> u32 {
        self.portfolio.unresolved(self.seat.strategy)
    }

    /// A number in 0..`bound` (0 when `bound` is 0): a hash of seed, session, strategy and `leg`, not a
    /// draw from a stream, so that what other strategies do never changes it. `leg` says what it is for.
    #[must_use]
    pub fn jitter(&self, leg: u64, bound: u64) -> u64 {
        // Counters start at 1: the id before the first stands for the strategy itself.
        let first = OrderId::new(self.seat.session, self.seat.strategy, 1);
        jitter::below(self.seat.seed, OrderId(first.0 - 1), leg, bound)
    }
}

/// New price and quantity of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend {
    /// New limit price.
    pub price: Px,
    /// New total quantity, what is already filled included.
    pub qty: Qty,
}

/// Why the harness does not take an intent. The strategy may try again on a later event.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[repr(u8)]
pub enum Refused {
    /// It has sent `intents_max` on this event.
    #[error("no more intents on this event")]
    IntentsMax,
    /// It has `inflight_max` intents without an answer.
    #[error("too many intents without an answer")]
    InflightMax,
    /// The table of open orders, all strategies together, is full.
    #[error("the table of orders is full")]
    OrdersMax,
    /// The next order id was met in a report before it was given out. It is passed over.
    #[error("the next order id is in use")]
    IdUsed,
    /// For an amend: an amend or cancel of the order is on its way. For a cancel: a cancel is; a cancel
    /// does not wait for an amend.
    #[error("an amend or cancel of the order is on its way")]
    Busy,
    /// No own order of this id is open.
    #[error("no such order is open")]
    NotOpen,
    /// The run is still in its warm-up: everything is seen and nothing may be sent.
    #[error("nothing is sent during the warm-up")]
    WarmUp,
}

impl Refused {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::IntentsMax,
        Self::InflightMax,
        Self::OrdersMax,
        Self::IdUsed,
        Self::Busy,
        Self::NotOpen,
        Self::WarmUp,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntentsMax => "intents_max",
            Self::InflightMax => "inflight_max",
            Self::OrdersMax => "orders_max",
            Self::IdUsed => "id_used",
            Self::Busy => "busy",
            Self::NotOpen => "not_open",
            Self::WarmUp => "warm_up",
        }
    }

    /// True when a later event may well find room, with nothing wrong in what was asked.
    #[must_use]
    pub const fn is_full(self) -> bool {
        matches!(self, Self::IntentsMax | Self::InflightMax | Self::OrdersMax | Self::WarmUp)
    }
}

/// How many intents the harness takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) intents_max: usize,
    pub(crate) inflight_max: u32,
    pub(crate) orders_max: usize,
}

/// Takes a strategy's intents on one event. What it takes, `Portfolio::track` takes too: the rules here
/// are those of the fold, with the intents of this event on top.
#[derive(Debug)]
pub struct Orders<'a> {
    pub(crate) seat: Seat,
    pub(crate) bounds: Bounds,
    /// Nothing is taken.
    pub(crate) is_warming: bool,
    pub(crate) instruments: usize,
    pub(crate) portfolio: &'a Portfolio,
    /// Counter of the last id given out.
    pub(crate) counter: &'a mut u64,
    /// Intents of this event; its memory is taken at start.
    pub(crate) formed: &'a mut Vec<Intent>,
    /// By `Refused`.
    pub(crate) refused: &'a mut [u64; Refused::ALL.len()],
}

impl Orders<'_> {
    /// Sends a new order. Its id rises by one with each order of the strategy.
    ///
    /// # Errors
    /// Nothing was sent, see `Refused`.
    ///
    /// # Panics
    /// When the instrument is none of this universe.
    pub fn send(&mut self, instrument: InstrumentId, new: NewOrder) -> Result<OrderId, Refused> {
        self.send_as(instrument, Action::New(new))
    }

    /// Sends an order that waits at the venue for its trigger. It has an id like any other and keeps it when
    /// it gets into the market; until then it can be taken back, but not amended.
    ///
    /// # Errors
    /// Nothing was sent, see `Refused`.
    ///
    /// # Panics
    /// When the instrument is none of this universe.
    pub fn send_conditional(
        &mut self,
        instrument: InstrumentId,
        new: Conditional,
    ) -> Result<OrderId, Refused> {
        self.send_as(instrument, Action::Conditional(new))
    }

    fn send_as(&mut self, instrument: InstrumentId, action: Action) -> Result<OrderId, Refused> {
        assert!(instrument.index() < self.instruments, "an instrument of another universe");
        let id = self.room().and_then(|()| self.next_id());
        let id = self.counted(id)?;
        self.form(id, instrument, action);
        Ok(id)
    }

    /// Changes price and quantity of an own order, which loses its place in the queue.
    ///
    /// # Errors
    /// Nothing was sent, see `Refused`.
    pub fn amend(&mut self, id: OrderId, to: Amend) -> Result<(), Refused> {
        let found = self.room().and_then(|()| self.find(id));
        let idle = found.and_then(|found| {
            let busy = found.amending || found.cancelling;
            if busy { Err(Refused::Busy) } else { Ok(found.instrument) }
        });
        let instrument = self.counted(idle)?;
        self.form(id, instrument, Action::Amend { price: to.price, qty: to.qty });
        Ok(())
    }

    /// Takes an own order back.
    ///
    /// # Errors
    /// Nothing was sent, see `Refused`.
    pub fn cancel(&mut self, id: OrderId) -> Result<(), Refused> {
        let found = self.room().and_then(|()| self.find(id));
        let idle = found.and_then(|found| {
            if found.cancelling { Err(Refused::Busy) } else { Ok(found.instrument) }
        });
        let instrument = self.counted(idle)?;
        self.form(id, instrument, Action::Cancel);
        Ok(())
    }

    fn room(&self) -> Result<(), Refused> {
        if self.is_warming {
            return Err(Refused::WarmUp);
        }
        if self.formed.len() >= self.bounds.intents_max {
            return Err(Refused::IntentsMax);
        }
        let unresolved = self.portfolio.unresolved(self.seat.strategy) as usize;
        if unresolved + self.formed.len() >= self.bounds.inflight_max as usize {
            return Err(Refused::InflightMax);
        }
        Ok(())
    }

    fn next_id(&mut self) -> Result<OrderId, Refused> {
        let new = |intent: &&Intent| intent.action.order().is_some();
        let sent = self.formed.iter().filter(new).count();
        if self.portfolio.orders().len() + sent >= self.bounds.orders_max {
            return Err(Refused::OrdersMax);
        }
        *self.counter += 1;
        let id = OrderId::new(self.seat.session, self.seat.strategy, *self.counter);
        if self.portfolio.is_known(id) { Err(Refused::IdUsed) } else { Ok(id) }
    }

    /// An own order as the fold will know it once the intents of this event are tracked.
    fn find(&self, id: OrderId) -> Result<Found, Refused> {
        if id.strategy() != self.seat.strategy {
            return Err(Refused::NotOpen);
        }
        let mut found = self.portfolio.order(id).map(|order| Found {
            instrument: order.instrument,
            amending: order.amend.is_some(),
            cancelling: order.cancel_since.is_some(),
        });
        for intent in self.formed.iter().filter(|intent| intent.order == id) {
            let known = found.get_or_insert(Found {
                instrument: intent.instrument,
                amending: false,
                cancelling: false,
            });
            match intent.action {
                Action::Amend { .. } => known.amending = true,
                Action::Cancel => known.cancelling = true,
                Action::New(_) | Action::Conditional(_) | Action::Query => {}
            }
        }
        found.ok_or(Refused::NotOpen)
    }

    fn form(&mut self, order: OrderId, instrument: InstrumentId, action: Action) {
        self.formed.push(Intent { order, instrument, source: Source::Alpha, action });
    }

    fn counted<T>(&mut self, outcome: Result<T, Refused>) -> Result<T, Refused> {
        if let Err(refused) = &outcome {
            self.refused[*refused as usize] += 1;
        }
        outcome
    }
}

/// What an amend or cancel must know of its order.
struct Found {
    instrument: InstrumentId,
    amending: bool,
    cancelling: bool,
}

#[cfg(test)]
mod tests;
