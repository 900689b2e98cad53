//! What happens to an order that gets in: it takes from the book, rests, or ends.
//!
//! While the book is not valid nothing is taken from it, and nobody can say what would have been. Then a
//! GTX order, of which it can not be shown that it would not take, expires, and all that later trades pay
//! to a GTC order is charged as a taker's. Where a symbol has no book at all, its last price may show it, see `sparse`.

use fusewire_core::order::{
    Action, Intent, Liquidity, NewOrder, ReportKind, Source, TimeInForce, VenueReason,
};
use fusewire_core::units::{Nanos, Px, Qty};

use super::desk::{At, Fill, Seen};
use super::filter::{Purpose, passes};
use super::orders::{OpenOrder, Queue};
use super::requests::Request;
use super::{COPIES, PaperVenue, order_of};
use crate::gateway::Feedbacks;

impl PaperVenue {
    /// A new order gets in. Nothing is said of one whose id was used before: a report on it would end
    /// the other order in everybody's eyes.
    pub(super) fn enter_new(
        &mut self,
        at: At,
        request: &Request,
        new: &NewOrder,
        out: &mut Feedbacks,
    ) {
        let intent = &request.intent;
        if self.is_known(intent) {
            self.desk.stats.duplicates += 1;
            return;
        }
        let mut order = order_of(intent, new, request.due);
        if let Some(reason) = self.refusal(at, &order) {
            self.desk.refuse(at, &mut order, reason, out);
            return;
        }
        order.blind = self.is_blind(&order);
        if self.desk.portfolio.track(intent, at.ts).is_err() {
            // The account remembers it, or ids so much newer that it can not tell.
            self.desk.stats.duplicates += 1;
            return;
        }
        self.desk.report(at, &mut order, ReportKind::Accepted, VenueReason::None, out);
        self.join(at, order, out);
    }

    /// An order joins the market: a new one, or a conditional one that was triggered.
    pub(super) fn join(&mut self, at: At, mut order: OpenOrder, out: &mut Feedbacks) {
        if order.tif == TimeInForce::Gtx && self.would_take(&order) {
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::WouldTake, out);
            return;
        }
        self.execute(at, order, out);
    }

    fn refusal(&self, at: At, order: &OpenOrder) -> Option<VenueReason> {
        if !self.passes(order, (order.price, order.qty), at.ts) {
            Some(VenueReason::Filter)
        } else if self.has_no_room(order) {
            Some(VenueReason::TooManyOrders)
        } else {
            self.lacks_margin(order).then_some(VenueReason::Margin)
        }
    }

    /// True when the venue's table has no room for one more, or that of its symbol.
    pub(super) fn has_no_room(&self, order: &OpenOrder) -> bool {
        let instrument = self.universe.get(order.instrument);
        let open = self.orders.count_of(order.instrument);
        let most = instrument.max_orders.map_or(usize::MAX, |most| most as usize);
        self.orders.is_full() || open >= most
    }

    pub(super) fn passes(&self, order: &OpenOrder, (price, qty): (Px, Qty), now: Nanos) -> bool {
        let purpose = if order.reduce_only { Purpose::Reduce } else { Purpose::Any };
        passes(self.universe.get(order.instrument), (price, qty), purpose, now)
    }

    /// An amend of an open order gets in.
    pub(super) fn amend(
        &mut self,
        at: At,
        since: Nanos,
        index: usize,
        (price, qty): (Px, Qty),
        out: &mut Feedbacks,
    ) {
        let before = *self.orders.get(index);
        let refused = if (price, qty) == (before.price, before.qty) {
            Some(VenueReason::NoChange)
        } else {
            let after = OpenOrder { price, qty, ..before };
            if !self.passes(&before, (price, qty), at.ts) {
                Some(VenueReason::Filter)
            } else {
                (after.asks_more_than(&before) && self.lacks_margin(&after))
                    .then_some(VenueReason::Margin)
            }
        };
        if let Some(reason) = refused {
            let order = self.orders.get_mut(index);
            let why = (ReportKind::AmendRefused, reason);
            self.desk.refuse_open(at, order, why, out);
            return;
        }
        // It gets in anew: what was not known of it before counts no more.
        let mut order = OpenOrder { price, qty, since, waits: false, ..before };
        order.blind = self.is_blind(&order);
        let ended = if qty <= before.cum_qty {
            Some(VenueReason::AmendedAway)
        } else {
            let takes = order.tif == TimeInForce::Gtx && self.would_take(&order);
            takes.then_some(VenueReason::WouldTake)
        };
        if let Some(reason) = ended {
            self.end(at, index, ReportKind::Canceled, reason, out);
            return;
        }
        self.orders.remove(index);
        let intent = Intent {
            order: order.id,
            instrument: order.instrument,
            source: Source::Alpha,
            action: Action::Amend { price, qty },
        };
        // The fold only takes the new values of an amend that it knows of.
        let tracked = self.desk.portfolio.track(&intent, at.ts);
        assert_eq!(tracked, Ok(()), "an open order without a change on its way");
        self.desk.report(at, &mut order, ReportKind::Amended, VenueReason::None, out);
        self.execute(at, order, out);
    }

    /// True when an order would trade at once, be it with an own one, or may for all that is known.
    fn would_take(&self, order: &OpenOrder) -> bool {
        let crosses = self.market.crosses(order.instrument, order.side, order.price);
        order.blind || crosses || self.meets_own(order) > 0
    }

    /// Own orders that it would meet.
    fn meets_own(&self, order: &OpenOrder) -> usize {
        self.orders.crossing(order.instrument, order.side, order.price).len()
    }

    /// Takes what the order may take; the rest rests or expires. The order is in nobody's table here.
    pub(super) fn execute(&mut self, at: At, mut order: OpenOrder, out: &mut Feedbacks) {
        let wanted = self.desk.wanted(&order);
        if wanted == Qty::ZERO {
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::ReduceOnly, out);
            return;
        }
        if self.waits_for_print(&order) {
            self.orders.insert(OpenOrder { waits: true, ..order });
            return;
        }
        let (id, side, limit) = (order.instrument, order.side, self.take_limit(&order));
        let found = if self.market.crosses(id, side, limit) {
            // Room is left for the ends of the own orders that it meets, and for its own.
            let kept = COPIES * (self.meets_own(&order) + 1);
            let levels_max = out.room().saturating_sub(kept) / COPIES;
            self.market.look(id, side, limit, wanted, levels_max)
        } else {
            Qty::ZERO
        };
        if order.tif == TimeInForce::Fok && found < wanted {
            self.desk.report(at, &mut order, ReportKind::Expired, VenueReason::NotFillable, out);
            return;
        }
        self.expire_met(at, &order, out);
        if found > Qty::ZERO {
            self.take(at, &mut order, out);
        }
        if !order.is_filled() && !self.stop_at_own(at, &mut order, out) {
            self.settle(at, order, out);
        }
        if found > Qty::ZERO {
            self.expire_useless(at, id, out);
        }
    }

    /// Takes what the market was found to offer.
    pub(super) fn take(&mut self, at: At, order: &mut OpenOrder, out: &mut Feedbacks) {
        let payer = self.market.payer(order.instrument);
        let seen = Seen { touch: self.market.touch(order.instrument), opened: None };
        let mut index = 0;
        while let Some(offer) = self.market.offer(index) {
            let fill = Fill {
                qty: offer.qty,
                price: offer.price,
                liquidity: Liquidity::Taker,
                payer,
                seen,
            };
            if !self.desk.fill(at, order, fill, out) {
                return;
            }
            self.market.consume(order.instrument, order.side, offer);
            index += 1;
        }
    }

    /// What becomes of what was not filled.
    pub(super) fn settle(&mut self, at: At, mut order: OpenOrder, out: &mut Feedbacks) {
        let reason = if self.desk.wanted(&order) == Qty::ZERO {
            VenueReason::ReduceOnly
        } else {
            match order.tif {
                TimeInForce::Gtc | TimeInForce::Gtx => {
                    self.rest(order);
                    return;
                }
                TimeInForce::Ioc => VenueReason::ImmediateRest,
                TimeInForce::Fok => VenueReason::NotFillable,
            }
        };
        self.desk.report(at, &mut order, ReportKind::Expired, reason, out);
    }

    /// Rests behind what is displayed, and never before an own order that came earlier.
    fn rest(&mut self, mut order: OpenOrder) {
        let (id, side, price) = (order.instrument, order.side, order.price);
        let (displayed, shown) = self.market.queue(id, side, price);
        (order.shown, order.traded) = (shown, Qty::ZERO);
        let own = self.orders.longest_queue(id, side, price);
        order.queue = own.map_or(displayed, |own: Queue| own.max(displayed));
        self.orders.insert(order);
    }
}
