//! Finished orders, remembered for queries and against ids that come twice. Bounded: the oldest goes.
//!
//! A ring of records, and an index by id with open addressing that is at most half full.

use fusewire_core::order::{OrderId, Side};
use fusewire_core::units::{Px, Qty, Usd};

use super::orders::OpenOrder;

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClosedOrder {
    pub(super) id: OrderId,
    pub(super) price: Px,
    pub(super) qty: Qty,
    pub(super) cum_qty: Qty,
    pub(super) cum_quote: Usd,
    pub(super) cum_fee: Usd,
    pub(super) side: Side,
    pub(super) reduce_only: bool,
    pub(super) requests: u32,
    pub(super) answers: u32,
}

impl From<&OpenOrder> for ClosedOrder {
    fn from(order: &OpenOrder) -> Self {
        Self {
            id: order.id,
            price: order.price,
            qty: order.qty,
            cum_qty: order.cum_qty,
            cum_quote: order.cum_quote,
            cum_fee: order.cum_fee,
            side: order.side,
            reduce_only: order.reduce_only,
            requests: order.requests,
            answers: order.answers,
        }
    }
}

/// Finished orders.
#[derive(Debug)]
pub(super) struct ClosedOrders {
    ring: Vec<ClosedOrder>,
    max: usize,
    /// The oldest, once the ring is full.
    oldest: usize,
    /// Place in the ring + 1; 0 for an empty slot.
    slots: Vec<u32>,
}

impl ClosedOrders {
    /// None so far; room for `max`.
    pub(super) fn new(max: usize) -> Self {
        let slots = vec![0; (max * 2).next_power_of_two()];
        Self { ring: Vec::with_capacity(max), max, oldest: 0, slots }
    }

    /// A finished order.
    pub(super) fn get(&self, id: OrderId) -> Option<&ClosedOrder> {
        self.place(id).map(|place| &self.ring[place])
    }

    /// As `get`, to count what it is asked and told.
    pub(super) fn get_mut(&mut self, id: OrderId) -> Option<&mut ClosedOrder> {
        self.place(id).map(|place| &mut self.ring[place])
    }

    /// Remembers an order whose id is not remembered yet.
    pub(super) fn insert(&mut self, order: ClosedOrder) {
        let place = if self.ring.len() < self.max {
            self.ring.push(order);
            self.ring.len() - 1
        } else {
            let place = self.oldest;
            self.forget(self.ring[place].id);
            self.ring[place] = order;
            self.oldest = (place + 1) % self.max;
            place
        };
        let slot = self.slot_of(order.id);
        self.slots[slot] = u32::try_from(place + 1).expect("bounded by the configuration");
    }

    fn place(&self, id: OrderId) -> Option<usize> {
        (self.slots[self.slot_of(id)] as usize).checked_sub(1)
    }

    /// The slot of an id, or the empty one where it would go.
    fn slot_of(&self, id: OrderId) -> usize {
        let mut slot = self.home(id);
        while let Some(place) = (self.slots[slot] as usize).checked_sub(1) {
            if self.ring[place].id == id {
                break;
            }
            slot = self.after(slot);
        }
        slot
    }

    /// Empties the slot of an id and moves up what was pushed aside by it.
    fn forget(&mut self, id: OrderId) {
        let mut hole = self.slot_of(id);
        let mut slot = self.after(hole);
        while let Some(place) = (self.slots[slot] as usize).checked_sub(1) {
            let home = self.home(self.ring[place].id);
            // It may move up unless its home lies behind the hole, counted round the table.
            let mask = self.slots.len() - 1;
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[slot];
                hole = slot;
            }
            slot = self.after(slot);
        }
        self.slots[hole] = 0;
    }

    fn home(&self, id: OrderId) -> usize {
        (id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (self.slots.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(id: u64) -> ClosedOrder {
        ClosedOrder {
            id: OrderId(id),
            price: Px(1),
            qty: Qty(id.cast_signed()),
            cum_qty: Qty(0),
            cum_quote: Usd(0),
            cum_fee: Usd(0),
            side: Side::Buy,
            reduce_only: false,
            requests: 0,
            answers: 0,
        }
    }

    proptest! {
        /// Against a plain list of which the last `max` count.
        #[test]
        fn the_newest_are_remembered_and_no_others(
            ids in prop::collection::vec(0_u64..60, 0..200), max in 1_usize..20,
        ) {
            let mut closed = ClosedOrders::new(max);
            let mut list: Vec<u64> = Vec::new();
            for id in ids {
                let known = list.iter().rev().take(max).any(|other| *other == id);
                prop_assert_eq!(closed.get(OrderId(id)).is_some(), known);
                if !known {
                    closed.insert(order(id));
                    list.push(id);
                }
                for id in 0..60 {
                    let known = list.iter().rev().take(max).any(|other| *other == id);
                    let expected = known.then_some(order(id));
                    prop_assert_eq!(closed.get(OrderId(id)), expected.as_ref());
                }
            }
        }
    }
}
