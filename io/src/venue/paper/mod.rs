//! The paper venue: it plays the exchange, on the far side of the gateway's port.
//!
//! ```text
//!  approved ─► requests (order latency) ─► matching ─► desk (account, response latency) ─► feedback
//!                         tap ─► market (books, ledger) ─┘        trades ─┘
//! ```
//!
//! An order fills only where a counter-party stood: at levels that the folded book showed when the order
//! got in, or by later trades that went through its price or ate the queue before it; without a book see `sparse`. Each fill names the
//! event that paid. Conditional orders wait in a table of their own, see `conditional`. What can not be known is decided against the account. Its clock is `event.ts`; it refuses rather than stop the pipeline.

mod closed;
mod conditional;
mod config;
mod delisting;
mod desk;
mod fees;
mod filter;
mod funding;
mod latency;
mod ledger;
mod liquidation;
mod market;
mod matching;
mod misbehave;
mod money;
#[cfg(test)]
mod naive;
mod orders;
mod queue;
mod requests;
mod self_trade;
mod sparse;
mod stats;
mod take;
#[cfg(test)]
mod tests;

pub use config::{PaperConfig, ReportFaults};
pub use fees::{FeeTier, FeeTiers};
pub use latency::{Latencies, Latency, LatencyHistogram, QuantilePoint};
pub use misbehave::{Misbehaviour, Outage, OutageKind};
pub use queue::{QueueFunction, QueueModel};
pub use self_trade::SelfTrade;
pub use sparse::SparseConfig;
pub use stats::PaperStats;

use fusewire_core::book::BookConfig;
use fusewire_core::event::{Body, Control, Event};
use fusewire_core::instrument::Universe;
use fusewire_core::message::{FeedbackBody, Tap};
use fusewire_core::order::{
    AccountReason, Action, Approved, Intent, NewOrder, ReportKind, StrategyId, TriggerPrice,
    VenueReason,
};
use fusewire_core::portfolio::Portfolio;
use fusewire_core::ring::LevelsConsumer;
use fusewire_core::units::{Nanos, Qty, Rate, Usd, UsdSum};

use crate::gateway::{Feedbacks, Venue};
use conditional::Conditionals;
use delisting::Delistings;
use desk::{At, Desk};
use funding::Funding;
use liquidation::Liquidator;
use market::Market;
use money::Charge;
use orders::{OpenOrder, OpenOrders, Queue};
use requests::{Next, Request, Requests};
use sparse::Sparse;

/// Most messages of one report: it may be repeated on purpose.
const COPIES: usize = 2;

/// An exchange made of recorded market data.
#[derive(Debug)]
pub struct PaperVenue {
    arrival_max: Nanos,
    queue: QueueModel,
    self_trade: SelfTrade,
    universe: Universe,
    market: Market,
    orders: OpenOrders,
    conditionals: Conditionals,
    requests: Requests,
    sparse: Sparse,
    desk: Desk,
    funding: Funding,
    liquidator: Liquidator,
    delistings: Delistings,
    leverage: u32,
    liquidation_fee: Rate,
    /// The boundary at which the account was told last.
    told_at: Nanos,
    /// Of an answer to who asked for the balance: the place in the sums to go on with.
    telling: Option<usize>,
}

impl PaperVenue {
    /// A venue without orders. `tap` brings it the books with all their levels; `books` is what the
    /// sequencer's own books are made with. The account keeps positions for each of `strategies`.
    ///
    /// # Panics
    /// When `config` is not valid.
    #[must_use]
    pub fn new(
        config: &PaperConfig,
        universe: &Universe,
        books: &BookConfig,
        tap: LevelsConsumer<Tap>,
        strategies: &[StrategyId],
    ) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration is checked at start");
        Self {
            arrival_max: config.arrival_max,
            queue: config.queue,
            self_trade: config.self_trade,
            market: Market::new(universe, books, tap, config.consumed_levels_max),
            orders: OpenOrders::new(config.orders_max),
            conditionals: Conditionals::new(universe.len(), config.conditional_max),
            requests: Requests::new(config.requests_max),
            sparse: Sparse::new(config.sparse, universe.len()),
            desk: Desk::new(config, universe, strategies),
            funding: Funding::new(universe.len()),
            liquidator: Liquidator::new(universe),
            delistings: Delistings::new(universe),
            leverage: config.leverage,
            liquidation_fee: config.liquidation_fee,
            told_at: Nanos(0),
            telling: None,
            universe: universe.clone(),
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> &PaperStats {
        &self.desk.stats
    }

    /// The true account: everything is booked when it happens, not when the report of it arrives.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.desk.portfolio
    }

    /// The true balance of the account, unrealised profit left out.
    #[must_use]
    pub fn wallet(&self) -> UsdSum {
        self.desk.wallet()
    }

    /// Number of orders that rest at the venue.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.orders.len()
    }

    /// Number of conditional orders that wait at the venue.
    #[must_use]
    pub fn waiting_orders(&self) -> usize {
        self.conditionals.len()
    }

    /// A request leaves. A symbol that is not in the universe can not be answered: it is lost.
    fn request(&mut self, at: At, intent: &Intent, out: &mut Feedbacks) {
        if intent.instrument.index() >= self.universe.len() {
            self.desk.stats.lost_requests += 1;
            return;
        }
        let number = self.requests_of(intent);
        if self.requests.is_full() {
            // Too much is on its way.
            self.turn_away(at, intent, number, VenueReason::TooManyOrders, out);
            return;
        }
        let due = self.desk.arrival(at.ts, intent, number);
        self.requests.push(Request { due, sent: at.ts, number, intent: *intent });
        self.wake(at, due, out);
    }

    /// Requests on an order so far: those that got in and those on their way.
    fn requests_of(&self, intent: &Intent) -> u32 {
        let id = intent.order;
        let open = self.orders.find(id).map(|index| self.orders.get(index).requests);
        let waiting = || self.conditionals.find(id).map(|at| self.conditionals.get(at).requests);
        let seen =
            open.or_else(waiting).or_else(|| self.desk.closed.get(id).map(|order| order.requests));
        seen.unwrap_or(0).saturating_add(self.requests.count_of(id))
    }

    /// Asks to be called. Without room it is not asked: the next event will do.
    fn wake(&mut self, at: At, due: Nanos, out: &mut Feedbacks) {
        if !out.push(due, at.seq, None, FeedbackBody::Wake) {
            self.desk.stats.put_off += 1;
        }
    }

    /// Answers a request at once, without doing it. A new order whose id is in use is not answered, because
    /// that would end the other one in everybody's eyes; queries are lost.
    #[cold]
    fn turn_away(
        &mut self,
        at: At,
        intent: &Intent,
        number: u32,
        reason: VenueReason,
        out: &mut Feedbacks,
    ) {
        let kind = match intent.action {
            Action::New(new) => return self.turn_away_new(at, intent, (&new, reason), out),
            Action::Conditional(new) => {
                return self.turn_away_new(at, intent, (&new.order, reason), out);
            }
            Action::Query => {
                self.desk.stats.lost_requests += 1;
                return;
            }
            Action::Amend { .. } => ReportKind::AmendRefused,
            Action::Cancel => ReportKind::CancelRefused,
        };
        let why = (kind, reason);
        if let Some(index) = self.orders.find(intent.order) {
            self.desk.refuse_open(at, self.orders.get_mut(index), why, out);
        } else if let Some(index) = self.conditionals.find(intent.order) {
            self.desk.refuse_open(at, self.conditionals.get_mut(index), why, out);
        } else {
            self.desk.refuse_change(at, intent, number, why, out);
        }
    }

    fn turn_away_new(
        &mut self,
        at: At,
        intent: &Intent,
        (new, reason): (&NewOrder, VenueReason),
        out: &mut Feedbacks,
    ) {
        if self.is_known(intent) || self.requests.has_new(intent.order) {
            self.desk.stats.duplicates += 1;
        } else {
            let mut order = order_of(intent, new, at.ts);
            self.desk.refuse(at, &mut order, reason, out);
        }
    }

    fn is_known(&self, intent: &Intent) -> bool {
        let id = intent.order;
        let waits = || self.conditionals.find(id).is_some();
        self.orders.find(id).is_some() || waits() || self.desk.closed.get(id).is_some()
    }

    /// Lets in what is due, in order. What has no room for its answers waits for the next event.
    fn admit(&mut self, at: At, out: &mut Feedbacks) {
        while let Some(next) = self.requests.peek(at.ts) {
            match next {
                Next::CancelAll => {
                    if !self.cancel_open(at, VenueReason::None, out) {
                        return;
                    }
                    self.requests.all_cancelled();
                }
                Next::Request(request) => {
                    let room = out.room() >= self.room_for(&request) + self.desk.more_room();
                    if !room && !out.is_empty() {
                        self.desk.stats.put_off += 1;
                        return;
                    }
                    self.requests.pop();
                    if at.ts.since(request.sent) > i128::from(self.arrival_max.0) {
                        self.desk.stats.lost_requests += 1;
                    } else if room {
                        if !self.mishandles(at, &request, out) {
                            self.enter(at, &request, out);
                        }
                        self.speak_again();
                    } else {
                        // It would not fit an empty outbox either.
                        let (intent, why) = (&request.intent, VenueReason::TooManyOrders);
                        self.turn_away(at, intent, request.number, why, out);
                    }
                }
            }
        }
    }

    /// Messages that a request needs at least: accepted, one fill and an end, and the end of each own
    /// order that it meets.
    fn room_for(&self, request: &Request) -> usize {
        let intent = &request.intent;
        let met = match intent.action {
            Action::New(new) => self.orders.crossing(intent.instrument, new.side, new.price).len(),
            Action::Amend { price, .. } => self.orders.find(intent.order).map_or(0, |index| {
                let order = self.orders.get(index);
                self.orders.crossing(order.instrument, order.side, price).len()
            }),
            Action::Cancel | Action::Query | Action::Conditional(_) => return COPIES,
        };
        COPIES * (met + 3)
    }

    fn enter(&mut self, at: At, request: &Request, out: &mut Feedbacks) {
        let intent = &request.intent;
        if let Action::New(new) = intent.action {
            self.enter_new(at, request, &new, out);
            return;
        }
        if let Action::Conditional(new) = intent.action {
            self.enter_conditional(at, request, &new, out);
            return;
        }
        let waits = self.conditionals.find(intent.order);
        let of = |index: &usize| self.conditionals.get(*index).instrument;
        if let Some(index) = waits.filter(|index| of(index) == intent.instrument) {
            self.enter_on_waiting(at, request, index, out);
            return;
        }
        let found = self.orders.find(intent.order);
        let open = found.filter(|index| self.orders.get(*index).instrument == intent.instrument);
        let Some(index) = open else {
            self.enter_unknown(at, request, out);
            return;
        };
        let order = self.orders.get_mut(index);
        order.requests = order.requests.saturating_add(1);
        match intent.action {
            Action::New(_) | Action::Conditional(_) => {}
            Action::Amend { price, qty } => self.amend(at, request.due, index, (price, qty), out),
            Action::Cancel => self.end(at, index, ReportKind::Canceled, VenueReason::None, out),
            Action::Query => self.desk.answer_open(at, order, out),
        }
    }

    /// A request on an order that is over or was never seen.
    fn enter_unknown(&mut self, at: At, request: &Request, out: &mut Feedbacks) {
        let (intent, number) = (&request.intent, request.number);
        if let Some(order) = self.desk.closed.get_mut(intent.order) {
            order.requests = order.requests.saturating_add(1);
        }
        let kind = match intent.action {
            Action::Query => {
                self.desk.answer_other(at, intent, number, out);
                return;
            }
            Action::Cancel => ReportKind::CancelRefused,
            Action::New(_) | Action::Conditional(_) | Action::Amend { .. } => {
                ReportKind::AmendRefused
            }
        };
        let why = (kind, VenueReason::UnknownOrder);
        self.desk.refuse_change(at, intent, number, why, out);
    }

    /// Ends an order of the table.
    fn end(
        &mut self,
        at: At,
        index: usize,
        kind: ReportKind,
        reason: VenueReason,
        out: &mut Feedbacks,
    ) {
        let mut order = self.orders.remove(index);
        self.desk.report(at, &mut order, kind, reason, out);
    }

    /// What the account's owner does by other ways than orders.
    fn on_control(&mut self, at: At, control: &Control, out: &mut Feedbacks) {
        match control {
            Control::Raise(_) | Control::GateBreach(_) => {}
            Control::Reconcile => self.telling = Some(0),
            Control::Transfer(amount) => {
                let charge = Charge::of_account(AccountReason::Transfer, *amount, at.ts);
                self.desk.charge(at, &charge, out);
            }
        }
    }

    /// Answers who asked for the balance: every sum that was charged once more, so that news that was lost is made
    /// up for, and the balance behind them. What has no room goes on with the next event.
    fn tell_account(&mut self, at: At, out: &mut Feedbacks) {
        while let Some(from) = self.telling {
            if out.room() < COPIES {
                self.desk.stats.put_off += 1;
                return;
            }
            self.telling = self.desk.tell_again(at, from, out);
            if self.telling.is_none() {
                let balance = Charge::of_account(AccountReason::Snapshot, Usd::ZERO, at.ts);
                self.desk.charge(at, &balance, out);
            }
        }
    }

    /// Cancels every order, those that wait included; false when there was no room for all.
    fn cancel_open(&mut self, at: At, why: VenueReason, out: &mut Feedbacks) -> bool {
        while self.orders.len() + self.conditionals.len() > 0 {
            if out.room() < COPIES {
                self.desk.stats.put_off += 1;
                return false;
            }
            // What waits first: it must not be triggered while the rest has no room.
            if self.conditionals.len() > 0 {
                self.end_waiting(at, 0, (ReportKind::Canceled, why), out);
            } else {
                self.end(at, 0, ReportKind::Canceled, why, out);
            }
        }
        true
    }
}

impl Venue for PaperVenue {
    /// What is due gets in before the event does: it was at the exchange first.
    fn on_event(&mut self, event: &Event, out: &mut Feedbacks) {
        let at = At { seq: event.seq, ts: event.ts };
        self.look_at_the_weather(at, out);
        self.settle_funding(at, out);
        self.delist(at, out);
        self.enter_fired(at, out);
        self.admit(at, out);
        self.take_tap(event.seq);
        if let Some(id) = event.instrument {
            self.leave_sparse(at, id, out);
        }
        match (&event.body, event.instrument) {
            (Body::Trade(trade), Some(id)) => {
                self.count_trade(id, trade);
                // What rests was there before what the trade triggers.
                self.on_print(at, id, trade, out);
                self.see_price(at, id, (TriggerPrice::Last, trade.price), out);
            }
            (Body::Mark(mark), Some(id)) => {
                self.funding.note(id, mark);
                self.see_price(at, id, (TriggerPrice::Mark, mark.price), out);
            }
            (Body::Liquidation(forced), Some(id)) => self.deleverage(at, id, forced, out),
            (Body::Funding(charged), Some(id)) => self.charge_funding(at, id, charged, out),
            (Body::Control(control), _) => self.on_control(at, control, out),
            (Body::Bar(bar), Some(id)) => self.on_bar(at, id, bar, out),
            (Body::Touch(change), Some(id)) => {
                self.market.set_touch(id, change);
                self.sparse.see_touch(id, change);
            }
            (Body::DepthBand(band), Some(id)) => self.sparse.see_band(id, band),
            (Body::BookInvalid(why), Some(id)) => self.market.invalidate(id, *why),
            (Body::Gap, _) => {
                self.market.invalidate_all();
                self.sparse.on_gap();
            }
            _ => {}
        }
        let marked = event.instrument.filter(|_| matches!(event.body, Body::Mark(_)));
        self.watch_margin(at, marked, out);
        self.tell_account(at, out);
    }

    fn send(&mut self, seq: u64, ts: Nanos, approved: &Approved, out: &mut Feedbacks) {
        self.request(At { seq, ts }, approved.intent(), out);
    }

    fn cancel_all(&mut self, seq: u64, ts: Nanos, out: &mut Feedbacks) {
        let at = At { seq, ts };
        let due = self.requests.cancel_all(self.desk.arrival_of_all(ts));
        self.wake(at, due, out);
    }
}

fn order_of(intent: &Intent, new: &NewOrder, since: Nanos) -> OpenOrder {
    OpenOrder {
        id: intent.order,
        instrument: intent.instrument,
        side: new.side,
        tif: new.tif,
        reduce_only: new.reduce_only,
        price: new.price,
        qty: new.qty,
        cum_qty: Qty::ZERO,
        cum_quote: Usd::ZERO,
        cum_fee: Usd::ZERO,
        since,
        queue: Queue::Unknown,
        shown: None,
        traded: Qty::ZERO,
        blind: false,
        waits: false,
        place: 0,
        requests: 1,
        answers: 0,
        path: VenueReason::None,
    }
}
