//! Which orders are over, in bounded memory.
//!
//! Each strategy has a window of counters behind its newest. One list for all would forget the order of
//! a quiet strategy while others trade, and book its next duplicate again.

use std::collections::VecDeque;

use crate::order::{OrderId, StrategyId};

/// The finished orders of all strategies.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    window: usize,
    seats: Vec<Window>,
    /// The last finished orders of strategies without a seat.
    others: VecDeque<OrderId>,
}

#[derive(Clone, Debug)]
struct Window {
    strategy: StrategyId,
    /// Highest counter seen.
    newest: u64,
    /// By counter modulo the window: the finished order of that counter, or 0.
    cells: Vec<OrderId>,
}

impl Closed {
    /// Nothing is over. All memory is taken here.
    ///
    /// # Panics
    /// When the window is 0.
    pub(super) fn new(strategies: &[StrategyId], window: usize) -> Self {
        assert!(window > 0, "without memory every late report would be booked again");
        let seat = |&strategy: &StrategyId| Window {
            strategy,
            newest: 0,
            cells: vec![OrderId(0); window],
        };
        let seats = strategies.iter().map(seat).collect();
        Self { window, seats, others: VecDeque::with_capacity(window) }
    }

    /// True for an order that is over. Whoever asks knows that it is not open.
    pub(super) fn contains(&self, id: OrderId) -> bool {
        match self.seats.iter().find(|seat| seat.strategy == id.strategy()) {
            Some(seat) => seat.is_behind(id) || seat.cells[seat.cell(id)] == id,
            None => self.others.contains(&id),
        }
    }

    /// Moves the window of a strategy up to an order that is open now.
    pub(super) fn open(&mut self, id: OrderId) {
        if let Some(seat) = self.seat_mut(id) {
            seat.newest = seat.newest.max(id.counter());
        }
    }

    /// Remembers an order that is over.
    pub(super) fn insert(&mut self, id: OrderId) {
        if let Some(seat) = self.seat_mut(id) {
            // The cell of an order behind the window belongs to a newer one.
            if !seat.is_behind(id) {
                let cell = seat.cell(id);
                seat.cells[cell] = id;
            }
        } else {
            if self.others.len() == self.window {
                self.others.pop_front();
            }
            self.others.push_back(id);
        }
    }

    fn seat_mut(&mut self, id: OrderId) -> Option<&mut Window> {
        self.seats.iter_mut().find(|seat| seat.strategy == id.strategy())
    }
}

impl Window {
    /// True for an order that lies too far back to be remembered.
    fn is_behind(&self, id: OrderId) -> bool {
        id.counter().saturating_add(self.cells.len() as u64) <= self.newest
    }

    fn cell(&self, id: OrderId) -> usize {
        let cell = id.counter() % self.cells.len() as u64;
        usize::try_from(cell).expect("less than a length")
    }
}
