//! Conditional orders: they wait in a table of their own until a mark price or a trade (a bar where there are no
//! trades), whichever they look at, triggers them, and then enter the market as the limit orders that they carry.
//!
//! The trigger is the doing of the event that shows the price; what the order then finds is the book as it
//! stands at that event. It never fills at its trigger price as such. If the market jumped beyond the limit,
//! it rests or expires by its term, like any other.
//!
//! What can not be known is decided against the account: an order that may only reduce is refused when there
//! is nothing to reduce, and ends with the position, as the exchange does with those that close one.

use fusewire_core::event::Bar;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    Action, Conditional, OrderId, ReportKind, Side, Trigger, TriggerKind, TriggerPrice, VenueReason,
};
use fusewire_core::portfolio::side_index;
use fusewire_core::units::{Nanos, Px, Qty, Rate};

use super::desk::At;
use super::orders::OpenOrder;
use super::requests::Request;
use super::{COPIES, PaperVenue, order_of};
use crate::gateway::Feedbacks;

/// What showed the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fired {
    /// The event.
    pub(super) seq: u64,
    /// The price.
    pub(super) price: Px,
}

/// An order that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) order: OpenOrder,
    trigger: Trigger,
    /// Of a trailing order: the best price since it is active; none before.
    best: Option<Px>,
    /// It was triggered and has found no room for its reports yet.
    fired: Option<Fired>,
}

impl Waiting {
    /// Takes a price that it looks at; true when that triggers it.
    fn sees(&mut self, price: Px) -> bool {
        let (side, trigger) = (self.order.side, &self.trigger);
        match trigger.kind {
            TriggerKind::Stop | TriggerKind::TakeProfit => trigger.is_met(side, price),
            TriggerKind::Trailing => {
                let best = match (self.best, side) {
                    (None, _) if trigger.activates(side, price) => price,
                    (None, _) => return false,
                    (Some(best), Side::Sell) => best.max(price),
                    (Some(best), Side::Buy) => best.min(price),
                };
                self.best = Some(best);
                trigger.trails_to(side, best).is_some_and(|at| match side {
                    Side::Sell => price <= at,
                    Side::Buy => price >= at,
                })
            }
        }
    }
}

/// Orders that wait, the oldest first, and the prices that they look at. Bounded.
#[derive(Debug)]
pub(super) struct Conditionals {
    waiting: Vec<Waiting>,
    max: usize,
    /// By symbol: the last price of each kind.
    last: Vec<[Option<Px>; TriggerPrice::ALL.len()]>,
    /// How many were triggered and have found no room yet.
    fired: usize,
}

impl Conditionals {
    /// None; room for `max`, over so many symbols.
    pub(super) fn new(symbols: usize, max: usize) -> Self {
        let last = vec![[None; TriggerPrice::ALL.len()]; symbols];
        Self { waiting: Vec::with_capacity(max), max, last, fired: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Where an order is.
    pub(super) fn find(&self, id: OrderId) -> Option<usize> {
        self.waiting.iter().position(|waiting| waiting.order.id == id)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut OpenOrder {
        &mut self.waiting[index].order
    }

    pub(super) fn get(&self, index: usize) -> &OpenOrder {
        &self.waiting[index].order
    }

    pub(super) fn remove(&mut self, index: usize) -> Waiting {
        let waiting = self.waiting.remove(index);
        self.fired -= usize::from(waiting.fired.is_some());
        waiting
    }

    /// Takes a price; what it triggers is marked.
    fn see(&mut self, seq: u64, id: InstrumentId, by: TriggerPrice, price: Px) {
        self.last[id.index()][by as usize] = Some(price);
        for waiting in &mut self.waiting {
            let looks = waiting.order.instrument == id && waiting.trigger.by == by;
            if looks && waiting.fired.is_none() && waiting.sees(price) {
                waiting.fired = Some(Fired { seq, price });
                self.fired += 1;
            }
        }
    }

    /// Takes a bar of a symbol without trades. An order that got in before it opened sees its highest and lowest
    /// price, the one that is against the account last; any other its close alone. Says by side whether it met
    /// a stop.
    pub(super) fn see_bar(
        &mut self,
        seq: u64,
        id: InstrumentId,
        bar: &Bar,
    ) -> [bool; Side::ALL.len()] {
        let mut stopped = [false; Side::ALL.len()];
        for waiting in &mut self.waiting {
            let order = &waiting.order;
            let looks = order.instrument == id && waiting.trigger.by == TriggerPrice::Last;
            if !looks || waiting.fired.is_some() {
                continue;
            }
            let side = order.side;
            let prices = match (order.since < bar.open_time, side) {
                (true, Side::Sell) => [bar.high, bar.low],
                (true, Side::Buy) => [bar.low, bar.high],
                (false, _) => [bar.close; 2],
            };
            if let Some(price) = prices.into_iter().find(|price| waiting.sees(*price)) {
                waiting.fired = Some(Fired { seq, price });
                self.fired += 1;
                stopped[side_index(side)] |= waiting.trigger.kind != TriggerKind::TakeProfit;
            }
        }
        self.last[id.index()][TriggerPrice::Last as usize] = Some(bar.close);
        stopped
    }

    /// The last price of a kind.
    pub(super) fn last(&self, id: InstrumentId, by: TriggerPrice) -> Option<Px> {
        self.last[id.index()][by as usize]
    }

    /// The oldest that was triggered.
    fn first_fired(&self) -> Option<(usize, Fired)> {
        if self.fired == 0 {
            return None;
        }
        let mut all = self.waiting.iter().enumerate();
        all.find_map(|(index, waiting)| Some((index, waiting.fired?)))
    }

    /// The oldest that may only reduce on this side of a symbol.
    pub(super) fn first_reducing(&self, id: InstrumentId, side: Side) -> Option<usize> {
        self.waiting
            .iter()
            .map(|waiting| &waiting.order)
            .position(|order| (order.instrument, order.side, order.reduce_only) == (id, side, true))
    }
}

impl PaperVenue {
    /// Takes a price that conditional orders may look at. A price that is not above zero is none (S0-04).
    pub(super) fn see_price(
        &mut self,
        at: At,
        id: InstrumentId,
        (by, price): (TriggerPrice, Px),
        out: &mut Feedbacks,
    ) {
        if price > Px::ZERO {
            self.conditionals.see(at.seq, id, by, price);
            self.enter_fired(at, out);
        }
    }

    /// Lets in what was triggered, the oldest first, unless all orders are due to end. What has no room for its reports
    /// waits for the next event.
    pub(super) fn enter_fired(&mut self, at: At, out: &mut Feedbacks) {
        if self.requests.ends_all(at.ts) {
            return;
        }
        while let Some((index, fired)) = self.conditionals.first_fired() {
            let order = self.conditionals.get(index);
            let met = self.orders.crossing(order.instrument, order.side, order.price).len();
            // The trigger, a fill, its end, and the ends of own orders that it meets.
            let fits = out.room() >= COPIES * (met + 3);
            if !fits && !out.is_empty() {
                self.desk.stats.put_off += 1;
                return;
            }
            let Waiting { mut order, trigger, .. } = self.conditionals.remove(index);
            if !fits || self.has_no_room(&order) || self.lacks_margin(&order) {
                let why = (ReportKind::Expired, VenueReason::TriggerReject);
                self.desk.report(at, &mut order, why.0, why.1, out);
                continue;
            }
            let there = self.desk.reducible(order.instrument, order.side);
            if trigger.close_position && there > Qty::ZERO {
                order.qty = there;
            }
            order.since = at.ts;
            order.blind = self.is_blind(&order);
            order.path = trigger.kind.reason();
            self.desk.triggered(at, &mut order, fired, out);
            self.join(at, order, out);
        }
    }

    /// A conditional order gets in.
    pub(super) fn enter_conditional(
        &mut self,
        at: At,
        request: &Request,
        new: &Conditional,
        out: &mut Feedbacks,
    ) {
        let intent = &request.intent;
        if self.is_known(intent) {
            self.desk.stats.duplicates += 1;
            return;
        }
        let mut order = order_of(intent, &new.order, request.due);
        if let Some(reason) = self.conditional_refusal(&order, &new.trigger, at.ts) {
            self.desk.refuse(at, &mut order, reason, out);
            return;
        }
        if self.desk.portfolio.track(intent, at.ts).is_err() {
            // As for a plain order.
            self.desk.stats.duplicates += 1;
            return;
        }
        self.desk.report(at, &mut order, ReportKind::Accepted, VenueReason::None, out);
        // One that is active at once begins with the price of now.
        let at_once = new.trigger.kind == TriggerKind::Trailing && new.trigger.price == Px::ZERO;
        let last = self.conditionals.last(order.instrument, new.trigger.by);
        let best = last.filter(|_| at_once);
        self.conditionals.waiting.push(Waiting { order, trigger: new.trigger, best, fired: None });
    }

    fn conditional_refusal(
        &self,
        order: &OpenOrder,
        trigger: &Trigger,
        now: Nanos,
    ) -> Option<VenueReason> {
        let tick = self.universe.get(order.instrument).tick.unwrap_or(Px::ZERO);
        let on_grid = tick > Px::ZERO && trigger.price.0 % tick.0 == 0;
        let trails = trigger.kind == TriggerKind::Trailing;
        let whole = trails == (trigger.callback > Rate::ZERO)
            && (trigger.price > Px::ZERO || trails && trigger.price == Px::ZERO)
            && (!trigger.close_position || order.reduce_only && !trails);
        if !on_grid || !whole || !self.passes(order, (order.price, order.qty), now) {
            Some(VenueReason::Filter)
        } else if self.conditionals.len() >= self.conditionals.max {
            Some(VenueReason::TooManyConditional)
        } else if order.reduce_only
            && self.desk.reducible(order.instrument, order.side) == Qty::ZERO
        {
            Some(VenueReason::ReduceOnly)
        } else {
            self.would_trigger(order, trigger).then_some(VenueReason::WouldTrigger)
        }
    }

    /// True when it would trigger at the price of now. Of a trailing order that is not active at once, its
    /// activation price must lie ahead.
    fn would_trigger(&self, order: &OpenOrder, trigger: &Trigger) -> bool {
        let last = self.conditionals.last(order.instrument, trigger.by);
        last.is_some_and(|last| match trigger.kind {
            TriggerKind::Stop | TriggerKind::TakeProfit => trigger.is_met(order.side, last),
            TriggerKind::Trailing => {
                trigger.price != Px::ZERO && trigger.activates(order.side, last)
            }
        })
    }

    /// A request on an order that waits. It can not be amended: to whoever amends, there is no such order.
    pub(super) fn enter_on_waiting(
        &mut self,
        at: At,
        request: &Request,
        index: usize,
        out: &mut Feedbacks,
    ) {
        let order = self.conditionals.get_mut(index);
        order.requests = order.requests.saturating_add(1);
        match request.intent.action {
            Action::Cancel => {
                self.end_waiting(at, index, (ReportKind::Canceled, VenueReason::None), out)
            }
            Action::Query => self.desk.answer_waiting(at, order, out),
            Action::Amend { .. } | Action::New(_) | Action::Conditional(_) => {
                let why = (ReportKind::AmendRefused, VenueReason::UnknownOrder);
                self.desk.refuse_open(at, order, why, out);
            }
        }
    }

    /// Ends an order that waits.
    pub(super) fn end_waiting(
        &mut self,
        at: At,
        index: usize,
        (kind, reason): (ReportKind, VenueReason),
        out: &mut Feedbacks,
    ) {
        let mut order = self.conditionals.remove(index).order;
        self.desk.report(at, &mut order, kind, reason, out);
    }

    /// Ends orders that wait to reduce what is no longer there, as far as there is room to say so; the others
    /// end when they are triggered.
    pub(super) fn expire_waiting(
        &mut self,
        at: At,
        id: InstrumentId,
        side: Side,
        out: &mut Feedbacks,
    ) {
        while out.room() >= COPIES
            && let Some(index) = self.conditionals.first_reducing(id, side)
        {
            self.end_waiting(at, index, (ReportKind::Expired, VenueReason::ReduceOnly), out);
        }
    }
}
