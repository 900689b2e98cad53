//! The end of a contract (S0-31): at its time the venue ends all orders on it and settles what is held at the last mark.
//! Behind it, and before its listing, it takes no orders.
//!
//! The exchange settles at a mean of the index over the last half hour, which captures do not tell, and a taker's fee is
//! booked, which is not less than it asks.

use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::order::{Liquidity, ReportKind, Side, VenueReason};
use fusewire_core::units::{Nanos, Qty};

use super::desk::{At, Fill, Seen};
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// Ends that are to come.
#[derive(Debug)]
pub(super) struct Delistings {
    /// By time, the earliest last.
    ends: Vec<(Nanos, InstrumentId)>,
}

impl Delistings {
    pub(super) fn new(universe: &Universe) -> Self {
        let end = |(id, one): (InstrumentId, &fusewire_core::instrument::Instrument)| {
            one.life.delisted.map(|at| (at, id))
        };
        let mut ends: Vec<_> = universe.iter().filter_map(end).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        Self { ends }
    }

    /// A contract whose time has come.
    fn due(&self, now: Nanos) -> Option<InstrumentId> {
        self.ends.last().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }
}

impl PaperVenue {
    /// Ends what has come to its end. What finds no room goes on at the next event.
    pub(super) fn delist(&mut self, at: At, out: &mut Feedbacks) {
        while let Some(id) = self.delistings.due(at.ts) {
            if !self.end_all_of(at, id, out) || !self.settle_held(at, id, out) {
                self.desk.stats.put_off += 1;
                return;
            }
            self.delistings.ends.pop();
        }
    }

    /// Ends the orders of a symbol; false when there was no room for all. What waits goes first: it must not be
    /// triggered while the rest has no room.
    fn end_all_of(&mut self, at: At, id: InstrumentId, out: &mut Feedbacks) -> bool {
        let why = (ReportKind::Expired, VenueReason::Delisted);
        let mut index = 0;
        while index < self.conditionals.len() {
            if self.conditionals.get(index).instrument != id {
                index += 1;
            } else if out.room() < COPIES {
                return false;
            } else {
                self.end_waiting(at, index, why, out);
            }
        }
        for side in [Side::Buy, Side::Sell] {
            while !self.orders.side(id, side).is_empty() {
                if out.room() < COPIES {
                    return false;
                }
                let index = self.orders.side(id, side).start;
                self.end(at, index, why.0, why.1, out);
            }
        }
        true
    }

    /// Settles what is held at the last mark; false when there was no room.
    fn settle_held(&mut self, at: At, id: InstrumentId, out: &mut Feedbacks) -> bool {
        let position = *self.desk.portfolio.position(id);
        // Without a mark nobody can tell what it was worth: it stays, and the report shows it.
        let Some((side, price)) = position.reducing_side().zip(self.mark(id)) else { return true };
        if out.room() < 3 * COPIES {
            return false;
        }
        let qty = Qty(position.qty.0.saturating_abs());
        let mut order = self.order_of_venue(at, id, (side, price, qty), VenueReason::Delisted);
        self.desk.report(at, &mut order, ReportKind::Accepted, VenueReason::None, out);
        let fill =
            Fill { qty, price, liquidity: Liquidity::Taker, payer: at.seq, seen: Seen::default() };
        if !self.desk.fill(at, &mut order, fill, out) {
            self.desk.stats.out_of_range += 1;
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::None, out);
        }
        true
    }
}
