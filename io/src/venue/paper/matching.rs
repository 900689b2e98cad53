//! What a recorded trade does to orders that rest.
//!
//! A trade at a worse price than an order's went through it: it pays, at the order's price. A trade at
//! exactly its price eats the queue before it and pays with what is left. All fills of one trade together
//! are never more than its quantity. A trade pays only orders that got in *before* its time: at equal times
//! nobody knows which was first. It is a maker's fill, unless the order got in blind.

use std::ops::Range;

use fusewire_core::event::Trade;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Liquidity, ReportKind, Side, VenueReason};
use fusewire_core::units::{Nanos, Px, Qty};

use super::desk::{At, Fill, Seen};
use super::orders::{OpenOrder, Queue};
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// How a trade stands to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It went through the order's price.
    Through,
    /// It was at the order's price, against the order's side.
    At,
    /// It does not reach it.
    No,
}

/// What became of one order.
pub(super) struct Matched {
    pub(super) qty: Qty,
    /// It is no longer in the table.
    pub(super) over: bool,
}

impl PaperVenue {
    /// Fills what a trade pays for: best price first, then the oldest.
    pub(super) fn on_trade(
        &mut self,
        at: At,
        id: InstrumentId,
        trade: &Trade,
        out: &mut Feedbacks,
    ) {
        let mut left = trade.qty;
        for side in [Side::Buy, Side::Sell] {
            let Range { start: mut index, mut end } = self.orders.side(id, side);
            while left > Qty::ZERO && index < end {
                let order = self.orders.get(index);
                let reach = reach(order, trade);
                if reach == Reach::No {
                    break;
                }
                if order.since >= at.ts {
                    index += 1;
                    continue;
                }
                if out.room() < 2 * COPIES {
                    self.desk.stats.put_off += 1;
                    return;
                }
                let matched = self.match_order(at, index, (reach, left), out);
                left.0 -= matched.qty.0;
                // One that is over left the table, and the next took its place.
                if matched.over {
                    end -= 1;
                } else {
                    index += 1;
                }
            }
        }
        if left < trade.qty {
            self.expire_useless(at, id, out);
        }
    }

    /// Fills one order with what is left of a trade.
    fn match_order(
        &mut self,
        at: At,
        index: usize,
        (reach, left): (Reach, Qty),
        out: &mut Feedbacks,
    ) -> Matched {
        let order = self.orders.get_mut(index);
        let step = self.universe.get(order.instrument).lot.step;
        let paid = match reach {
            Reach::Through => left,
            Reach::At => eat_queue(order, left, step),
            Reach::No => Qty::ZERO,
        };
        if paid == Qty::ZERO {
            return Matched { qty: Qty::ZERO, over: false };
        }
        self.pay_order(at, index, (paid, None), out)
    }

    /// Fills an order that rests, at its own price, with at most so much of what had opened then.
    pub(super) fn pay_order(
        &mut self,
        at: At,
        index: usize,
        (paid, opened): (Qty, Option<Nanos>),
        out: &mut Feedbacks,
    ) -> Matched {
        let order = self.orders.get_mut(index);
        let wanted = self.desk.wanted(order);
        if wanted == Qty::ZERO {
            self.end(at, index, ReportKind::Expired, VenueReason::ReduceOnly, out);
            return Matched { qty: Qty::ZERO, over: true };
        }
        let qty = paid.min(wanted);
        let liquidity = if order.blind { Liquidity::Taker } else { Liquidity::Maker };
        let seen = Seen { touch: None, opened };
        let fill = Fill { qty, price: order.price, liquidity, payer: at.seq, seen };
        if !self.desk.fill(at, order, fill, out) {
            return Matched { qty: Qty::ZERO, over: false };
        }
        let over = order.is_filled();
        if over {
            self.orders.remove(index);
        }
        Matched { qty, over }
    }

    /// Ends reduce-only orders that have nothing left to reduce, as far as there is room to say so; the
    /// others end when a trade reaches them.
    pub(super) fn expire_useless(&mut self, at: At, id: InstrumentId, out: &mut Feedbacks) {
        for side in [Side::Buy, Side::Sell] {
            if self.desk.reducible(id, side) > Qty::ZERO {
                continue;
            }
            let mut index = self.orders.side(id, side).start;
            while index < self.orders.side(id, side).end && out.room() >= COPIES {
                if self.orders.get(index).reduce_only {
                    self.end(at, index, ReportKind::Expired, VenueReason::ReduceOnly, out);
                } else {
                    index += 1;
                }
            }
            self.expire_waiting(at, id, side, out);
        }
    }
}

fn reach(order: &OpenOrder, trade: &Trade) -> Reach {
    let through = |order_price: Px| match order.side {
        Side::Buy => trade.price < order_price,
        Side::Sell => trade.price > order_price,
    };
    if through(order.price) {
        Reach::Through
    } else if trade.price == order.price && trade.aggressor == order.side.opposite() {
        Reach::At
    } else {
        Reach::No
    }
}

/// A trade at the order's price: who stood before it is paid first. Returns what is left for the order.
/// Every order counts the same others before it, so that what one of them eats the next one eats too; what
/// own orders were paid is no longer in `left`. A part of a lot that a probability left before the order
/// counts as a whole one: nobody's order has less.
pub(super) fn eat_queue(order: &mut OpenOrder, left: Qty, step: Qty) -> Qty {
    match &mut order.queue {
        Queue::Unknown => Qty::ZERO,
        Queue::Ahead(ahead) => {
            let part = if step > Qty::ZERO { ahead.0 % step.0 } else { 0 };
            let missing = if part > 0 { step.0 - part } else { 0 };
            let eaten = left.min(*ahead);
            ahead.0 -= eaten.0;
            Qty((left.0 - eaten.0 - missing).max(0))
        }
    }
}
