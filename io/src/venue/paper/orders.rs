//! Orders that rest at the venue, in the order in which a trade reaches them.

use std::ops::Range;

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{OrderId, Side, TimeInForce, VenueReason};
use fusewire_core::portfolio::side_index;
use fusewire_core::units::{Nanos, Px, Qty, Round, Usd};

/// What of other people stands before an order at its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Queue {
    /// This much.
    Ahead(Qty),
    /// Nobody knows: it is never used up.
    Unknown,
}

/// An order at the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenOrder {
    pub(super) id: OrderId,
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) tif: TimeInForce,
    pub(super) reduce_only: bool,
    pub(super) price: Px,
    pub(super) qty: Qty,
    pub(super) cum_qty: Qty,
    pub(super) cum_quote: Usd,
    pub(super) cum_fee: Usd,
    /// When it, or its last amend, got in: only later trades pay.
    pub(super) since: Nanos,
    pub(super) queue: Queue,
    /// What its level displayed when the book last spoke of it; none before.
    pub(super) shown: Option<Qty>,
    /// What traded at its price since; only kept where the queue model asks.
    pub(super) traded: Qty,
    /// It, or its last amend, got in when nobody could say whether it would take: without a valid book and, where
    /// trades stand in for one, at the last of them or beyond. All its fills since then are a taker's.
    pub(super) blind: bool,
    /// It takes and there is no book: it waits for the next trade or bar. See `sparse`.
    pub(super) waits: bool,
    /// Time priority, given by the table.
    pub(super) place: u64,
    /// Requests that were made of it.
    pub(super) requests: u32,
    /// Reports and statuses that it gave rise to.
    pub(super) answers: u32,
    /// The trigger by which it got into the market; none of a plain order.
    pub(super) path: VenueReason,
}

impl OpenOrder {
    /// What is left to fill.
    pub(super) fn remaining(&self) -> Qty {
        Qty(self.qty.0 - self.cum_qty.0)
    }

    /// True when all of it is filled.
    pub(super) fn is_filled(&self) -> bool {
        self.cum_qty >= self.qty
    }

    /// True when more money stands behind what is left of it.
    pub(super) fn asks_more_than(&self, other: &Self) -> bool {
        let notional = |order: &Self| order.price.notional(order.remaining(), Round::Up);
        notional(self) > notional(other)
    }

    fn key(&self) -> (InstrumentId, usize, i64, u64) {
        // Best price first: prices are above zero, so that the sign can turn.
        let rank = match self.side {
            Side::Buy => -self.price.0,
            Side::Sell => self.price.0,
        };
        (self.instrument, side_index(self.side), rank, self.place)
    }
}

/// Open orders by symbol, side, price and time. Bounded.
#[derive(Debug)]
pub(super) struct OpenOrders {
    orders: Vec<OpenOrder>,
    max: usize,
    next_place: u64,
}

impl OpenOrders {
    /// None; room for `max`.
    pub(super) fn new(max: usize) -> Self {
        Self { orders: Vec::with_capacity(max), max, next_place: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.orders.len() >= self.max
    }

    /// Adds an order behind the others at its price. There must be room.
    pub(super) fn insert(&mut self, mut order: OpenOrder) {
        assert!(!self.is_full(), "who adds an order has looked for room");
        order.place = self.next_place;
        self.next_place += 1;
        let at = self.orders.partition_point(|other| other.key() < order.key());
        self.orders.insert(at, order);
    }

    /// Where an order is.
    pub(super) fn find(&self, id: OrderId) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    pub(super) fn get(&self, index: usize) -> &OpenOrder {
        &self.orders[index]
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut OpenOrder {
        &mut self.orders[index]
    }

    pub(super) fn remove(&mut self, index: usize) -> OpenOrder {
        self.orders.remove(index)
    }

    /// Orders of one symbol and side, best price first, then the oldest.
    pub(super) fn side(&self, id: InstrumentId, side: Side) -> Range<usize> {
        let key = (id, side_index(side));
        let of = |order: &OpenOrder| (order.instrument, side_index(order.side));
        let start = self.orders.partition_point(|order| of(order) < key);
        let end = self.orders.partition_point(|order| of(order) <= key);
        start..end
    }

    /// Number of orders of one symbol.
    pub(super) fn count_of(&self, id: InstrumentId) -> usize {
        self.side(id, Side::Buy).len() + self.side(id, Side::Sell).len()
    }

    /// Own orders that an order at this price would meet.
    pub(super) fn crossing(&self, id: InstrumentId, side: Side, price: Px) -> Range<usize> {
        let range = self.side(id, side.opposite());
        let meets = |order: &OpenOrder| match side {
            Side::Buy => order.price <= price,
            Side::Sell => order.price >= price,
        };
        let count = self.orders[range.clone()].partition_point(meets);
        range.start..range.start + count
    }

    /// The longest queue before an own order at this price: who comes later can not have a shorter one.
    pub(super) fn longest_queue(&self, id: InstrumentId, side: Side, price: Px) -> Option<Queue> {
        let orders = &self.orders[self.side(id, side)];
        orders.iter().filter(|order| order.price == price).map(|order| order.queue).max()
    }
}
