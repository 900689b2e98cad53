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
    /// The last finished orders of strategies without a seat, and of sessions before the newest.
    others: VecDeque<OrderId>,
}

#[derive(Clone, Debug)]
struct Window {
    strategy: StrategyId,
    /// Highest id seen: the window lies behind it, within its session.
    newest: OrderId,
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
            newest: OrderId(0),
            cells: vec![OrderId(0); window],
        };
        let seats = strategies.iter().map(seat).collect();
        Self { window, seats, others: VecDeque::with_capacity(window) }
    }

    /// True for an order that is over. Whoever asks knows that it is not open.
    pub(super) fn contains(&self, id: OrderId) -> bool {
        match self.seats.iter().find(|seat| seat.strategy == id.strategy()) {
            Some(seat) if seat.is_behind(id) || seat.cells[seat.cell(id)] == id => true,
            Some(seat) if seat.is_of_session(id) => false,
            // A newer session than any: none of its orders is over.
            Some(seat) if id > seat.newest => false,
            Some(_) | None => self.others.contains(&id),
        }
    }

    /// Moves the window of a strategy up to an order that is open now.
    pub(super) fn open(&mut self, id: OrderId) {
        if let Some(seat) = self.seat_mut(id) {
            seat.newest = seat.newest.max(id);
        }
    }

    /// Remembers an order that is over.
    pub(super) fn insert(&mut self, id: OrderId) {
        match self.seat_mut(id) {
            // The cell of an order behind the window belongs to a newer one.
            Some(seat) if seat.is_behind(id) => {}
            Some(seat) if seat.is_of_session(id) => {
                let cell = seat.cell(id);
                seat.cells[cell] = id;
            }
            Some(_) | None => {
                if self.others.len() == self.window {
                    self.others.pop_front();
                }
                self.others.push_back(id);
            }
        }
    }

    fn seat_mut(&mut self, id: OrderId) -> Option<&mut Window> {
        self.seats.iter_mut().find(|seat| seat.strategy == id.strategy())
    }
}

impl Window {
    /// True for an order that lies too far back to be remembered.
    fn is_behind(&self, id: OrderId) -> bool {
        let end = id.counter().saturating_add(self.cells.len() as u64);
        self.is_of_session(id) && end <= self.newest.counter()
    }

    /// True for an order of the newest session.
    fn is_of_session(&self, id: OrderId) -> bool {
        id.session() == self.newest.session()
    }

    fn cell(&self, id: OrderId) -> usize {
        let cell = id.counter() % self.cells.len() as u64;
        usize::try_from(cell).expect("less than a length")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(session: u16, counter: u64) -> OrderId {
        OrderId::new(session, StrategyId(0), counter)
    }

    /// After a restart counters begin anew, and leftovers of the session before still report.
    #[test]
    fn a_new_session_is_not_behind_the_one_before() {
        let mut closed = Closed::new(&[StrategyId(0)], 4);
        closed.open(id(1, 50));
        closed.insert(id(1, 50));
        assert!(closed.contains(id(1, 50)) && closed.contains(id(1, 46)));
        assert!(!closed.contains(id(2, 1)), "its first order is new");
        closed.open(id(2, 2));
        closed.insert(id(2, 2));
        assert!(closed.contains(id(2, 2)) && !closed.contains(id(2, 3)));
        assert!(!closed.contains(id(1, 51)), "an open order of the old session is not over");
        closed.insert(id(1, 51));
        assert!(closed.contains(id(1, 51)) && closed.contains(id(2, 2)));
    }
}
