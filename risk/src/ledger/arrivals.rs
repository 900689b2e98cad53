//! Arrival prices: the mid when each order was decided, until the order is over.

use fusewire_core::order::OrderId;

/// Twice the mid by order. Bounded: the oldest goes.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    /// By id.
    known: Vec<(OrderId, i128)>,
    max: usize,
}

impl Arrivals {
    pub(super) fn new(max: usize) -> Self {
        Self { known: Vec::with_capacity(max), max }
    }

    pub(super) fn insert(&mut self, order: OrderId, twice_mid: i128) {
        if self.known.len() == self.max && self.max > 0 {
            // More orders than can be open: of some the end was never heard.
            self.known.remove(0);
        }
        if self.known.len() < self.max {
            match self.find(order) {
                Ok(index) => self.known[index].1 = twice_mid,
                Err(index) => self.known.insert(index, (order, twice_mid)),
            }
        }
    }

    pub(super) fn get(&self, order: OrderId) -> Option<i128> {
        self.find(order).ok().map(|index| self.known[index].1)
    }

    pub(super) fn remove(&mut self, order: OrderId) {
        if let Ok(index) = self.find(order) {
            self.known.remove(index);
        }
    }

    fn find(&self, order: OrderId) -> Result<usize, usize> {
        self.known.binary_search_by_key(&order, |(order, _)| *order)
    }
}
