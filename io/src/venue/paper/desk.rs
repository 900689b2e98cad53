//! The venue's back office: books what happened on the true account and says so, late and in order.

use fusewire_core::contract::FeeSchedule;
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::jitter;
use fusewire_core::message::FeedbackBody;
use fusewire_core::order::{
    Intent, Leg as PositionLeg, Liquidity, OrderId, OrderState, Report, ReportKind, Side, Status,
    StrategyId, VenueReason,
};
use fusewire_core::portfolio::{Execution, Portfolio, PortfolioConfig};
use fusewire_core::units::{Nanos, Px, Qty, Round, Usd};

use super::closed::{ClosedOrder, ClosedOrders};
use super::conditional::Fired;
use super::config::PPM;
use super::latency::Latency;
use super::misbehave::{Amounts, Fate, Mood};
use super::money::Money;
use super::orders::OpenOrder;
use super::{PaperConfig, PaperStats};
use crate::gateway::Feedbacks;

/// The event that the venue is at.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) seq: u64,
    pub(super) ts: Nanos,
}

/// One fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    pub(super) qty: Qty,
    pub(super) price: Px,
    pub(super) liquidity: Liquidity,
    /// The event that paid for it.
    pub(super) payer: u64,
    /// What is known of the market beside it.
    pub(super) seen: Seen,
}

/// What the market showed when something was filled. It changes nothing: it is counted, so that a fill that nobody
/// could have had would show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Best bid and ask, or twice the last price where there is no book; for what took.
    pub(super) touch: Option<(Px, Px)>,
    /// When the bar or trade that paid had opened.
    pub(super) opened: Option<Nanos>,
}

/// What a hash of an order is drawn for. The number makes it another draw for each message of the order.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Leg {
    Request,
    Response,
    Lose,
    Repeat,
    Delay,
}

impl Leg {
    const COUNT: u64 = 5;

    fn of(self, number: u32) -> u64 {
        u64::from(number) * Self::COUNT + self as u64
    }
}

/// Account, memory of finished orders, and the way back.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) config: PaperConfig,
    pub(super) portfolio: Portfolio,
    pub(super) closed: ClosedOrders,
    pub(super) stats: PaperStats,
    pub(super) money: Money,
    pub(super) mood: Mood,
    /// Amounts of an order before the fill that is being told.
    pub(super) before: Amounts,
    /// When the last message falls due: it is one connection, nothing overtakes.
    last_due: Nanos,
}

impl Desk {
    /// A flat account.
    pub(super) fn new(
        config: &PaperConfig,
        universe: &Universe,
        strategies: &[StrategyId],
    ) -> Self {
        let portfolio = Portfolio::new(PortfolioConfig {
            instruments: universe.len(),
            strategies: strategies.to_vec(),
            // And one that the venue sends itself, which is over before the next.
            orders_max: config.orders_max + config.conditional_max + 1,
            closed_max: config.closed_max,
            arrival_max: config.arrival_max,
        });
        Self {
            config: *config,
            portfolio,
            closed: ClosedOrders::new(config.closed_max),
            stats: PaperStats::default(),
            money: Money::new(config.balance, universe.len()),
            mood: Mood::new(&config.misbehaviour, config.orders_max),
            before: Amounts::default(),
            last_due: Nanos(0),
        }
    }

    /// When a request that leaves now gets in.
    pub(super) fn arrival(&self, now: Nanos, intent: &Intent, number: u32) -> Nanos {
        let way = self.config.latencies.there(&intent.action);
        now.after(self.span(way, self.config.order_latency, Leg::Request, intent.order, number))
    }

    /// When the end of all orders gets in that is asked for now. It belongs to no order.
    pub(super) fn arrival_of_all(&self, now: Nanos) -> Nanos {
        let way = self.config.latencies.cancel;
        now.after(self.span(way, self.config.order_latency, Leg::Request, OrderId(0), 0))
    }

    /// What a reduce-only order of this side may have now.
    pub(super) fn reducible(&self, id: InstrumentId, side: Side) -> Qty {
        let position = self.portfolio.position(id);
        if position.reducing_side() != Some(side) {
            return Qty::ZERO;
        }
        Qty(i64::try_from(position.size().0).unwrap_or(i64::MAX))
    }

    /// What an order may have now.
    pub(super) fn wanted(&self, order: &OpenOrder) -> Qty {
        if order.reduce_only {
            order.remaining().min(self.reducible(order.instrument, order.side))
        } else {
            order.remaining()
        }
    }

    /// Fills a part of an order; false, and nothing done, when a number would leave its range.
    pub(super) fn fill(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        fill: Fill,
        out: &mut Feedbacks,
    ) -> bool {
        let fees = self.config.fee_tiers.fees(self.config.fees, self.stats.traded());
        let Some(execution) = execution(order.side, &fill, &fees) else { return false };
        let sums = (
            order.cum_qty.checked_add(execution.qty),
            order.cum_quote.checked_add(execution.quote),
            order.cum_fee.checked_add(execution.fee),
        );
        let (Some(cum_qty), Some(cum_quote), Some(cum_fee)) = sums else { return false };
        if !self.portfolio.fits(order.id.strategy(), order.instrument, &execution) {
            return false;
        }
        self.before = (order.cum_qty, order.cum_quote, order.cum_fee);
        (order.cum_qty, order.cum_quote, order.cum_fee) = (cum_qty, cum_quote, cum_fee);
        self.stats.count_fill(fill.liquidity, &execution);
        self.stats.count_seen(&execution, &fill.seen, order.since);
        let kind = if order.is_filled() { ReportKind::Filled } else { ReportKind::PartialFill };
        let mut report = report_of(at, order, kind, order.path);
        (report.last_qty, report.last_price) = (fill.qty, fill.price);
        (report.liquidity, report.payer) = (fill.liquidity, fill.payer);
        self.publish(at, order, report, out);
        true
    }

    /// Reports on an order of the table. A terminal report takes it into the memory of finished ones. What
    /// needs no reason of its own says how the order got in.
    pub(super) fn report(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        kind: ReportKind,
        reason: VenueReason,
        out: &mut Feedbacks,
    ) {
        let reason = if reason == VenueReason::None { order.path } else { reason };
        let report = report_of(at, order, kind, reason);
        self.publish(at, order, report, out);
    }

    /// Reports that an order was triggered. The order is about to enter the market.
    pub(super) fn triggered(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        fired: Fired,
        out: &mut Feedbacks,
    ) {
        let mut report = report_of(at, order, ReportKind::Triggered, order.path);
        (report.payer, report.last_price) = (fired.seq, fired.price);
        self.publish(at, order, report, out);
    }

    fn publish(&mut self, at: At, order: &mut OpenOrder, report: Report, out: &mut Feedbacks) {
        self.portfolio.report(order.instrument, &report, at.ts);
        self.stats.count(report.kind);
        let number = order.answers;
        order.answers = number.saturating_add(1);
        if report.kind.is_terminal() {
            self.closed.insert(ClosedOrder::from(&*order));
        }
        self.send(at, order.instrument, report.order, number, FeedbackBody::Report(report), out);
    }

    /// Refuses a new order, which is over then.
    pub(super) fn refuse(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        reason: VenueReason,
        out: &mut Feedbacks,
    ) {
        // The account never had it, so that the fold is not told.
        self.stats.count(ReportKind::Refused);
        order.answers = 1;
        self.closed.insert(ClosedOrder::from(&*order));
        let report = report_of(at, order, ReportKind::Refused, reason);
        self.send(at, order.instrument, order.id, 0, FeedbackBody::Report(report), out);
    }

    /// Refuses an amend or cancel of an open order, which stands as it was.
    pub(super) fn refuse_open(
        &mut self,
        at: At,
        order: &mut OpenOrder,
        (kind, reason): (ReportKind, VenueReason),
        out: &mut Feedbacks,
    ) {
        let report = report_of(at, order, kind, reason);
        self.publish(at, order, report, out);
    }

    /// Refuses an amend or cancel of an order that is not open. What is remembered of the order goes with
    /// it.
    pub(super) fn refuse_change(
        &mut self,
        at: At,
        intent: &Intent,
        number: u32,
        (kind, reason): (ReportKind, VenueReason),
        out: &mut Feedbacks,
    ) {
        self.stats.count(kind);
        let (known, number) = self.recall(intent.order, number);
        let report = Report {
            order: known.id,
            kind,
            reason,
            side: known.side,
            reduce_only: known.reduce_only,
            leg: PositionLeg::Both,
            liquidity: Liquidity::Maker,
            price: known.price,
            qty: known.qty,
            cum_qty: known.cum_qty,
            cum_quote: known.cum_quote,
            cum_fee: known.cum_fee,
            last_qty: Qty::ZERO,
            last_price: Px::ZERO,
            payer: 0,
            at: at.ts,
        };
        let body = FeedbackBody::Report(report);
        self.send(at, intent.instrument, intent.order, number, body, out);
    }

    /// Answers a query on an open order.
    pub(super) fn answer_open(&mut self, at: At, order: &mut OpenOrder, out: &mut Feedbacks) {
        let number = order.answers;
        order.answers = number.saturating_add(1);
        let known = ClosedOrder::from(&*order);
        self.answer(at, order.instrument, &known, (OrderState::Open, number), out);
    }

    /// Answers a query on a conditional order that waits.
    pub(super) fn answer_waiting(&mut self, at: At, order: &mut OpenOrder, out: &mut Feedbacks) {
        let number = order.answers;
        order.answers = number.saturating_add(1);
        let known = ClosedOrder::from(&*order);
        self.answer(at, order.instrument, &known, (OrderState::Waiting, number), out);
    }

    /// Answers a query on an order that is not open.
    pub(super) fn answer_other(
        &mut self,
        at: At,
        intent: &Intent,
        number: u32,
        out: &mut Feedbacks,
    ) {
        let state = match self.closed.get(intent.order) {
            Some(_) => OrderState::Closed,
            None => OrderState::Unknown,
        };
        let (known, number) = self.recall(intent.order, number);
        self.answer(at, intent.instrument, &known, (state, number), out);
    }

    fn answer(
        &mut self,
        at: At,
        instrument: InstrumentId,
        known: &ClosedOrder,
        (state, number): (OrderState, u32),
        out: &mut Feedbacks,
    ) {
        self.stats.statuses += 1;
        let status = Status {
            order: known.id,
            state,
            side: known.side,
            reduce_only: known.reduce_only,
            price: known.price,
            qty: known.qty,
            cum_qty: known.cum_qty,
            cum_quote: known.cum_quote,
            cum_fee: known.cum_fee,
            at: at.ts,
        };
        self.send(at, instrument, known.id, number, FeedbackBody::Status(status), out);
    }

    /// What is remembered of an order that is not open, and the number of the next answer on it: its
    /// own count, or that of the request when nothing is known.
    fn recall(&mut self, id: OrderId, request: u32) -> (ClosedOrder, u32) {
        match self.closed.get_mut(id) {
            Some(order) => {
                let number = order.answers;
                order.answers = number.saturating_add(1);
                (*order, number)
            }
            None => (unknown(id), request),
        }
    }

    /// Sends a message back, with the faults that are asked for.
    pub(super) fn send(
        &mut self,
        at: At,
        instrument: impl Into<Option<InstrumentId>>,
        id: OrderId,
        number: u32,
        body: FeedbackBody,
        out: &mut Feedbacks,
    ) {
        let way = match body {
            FeedbackBody::Report(report) if report.kind.is_fill() => self.config.latencies.fill,
            FeedbackBody::Report(_)
            | FeedbackBody::Status(_)
            | FeedbackBody::Rejected(_)
            | FeedbackBody::Account(_)
            | FeedbackBody::Wake => self.config.latencies.ack,
        };
        let instrument = instrument.into();
        let span = self.span(way, self.config.response_latency, Leg::Response, id, number);
        let due = at.ts.after(span);
        self.last_due = self.last_due.max(due);
        self.stats.messages += 1;
        let faults = self.config.faults;
        if self.hits(Leg::Lose, id, number, faults.lose_ppm) {
            self.stats.lost += 1;
            return;
        }
        let mut due = self.last_due;
        let body = match self.fate(body, number, instrument) {
            Fate::Told(body) => body,
            Fate::Late(body) => {
                self.stats.delayed += 1;
                due = due.after(self.config.response_latency);
                body
            }
            Fate::Lost => {
                self.stats.lost += 1;
                return;
            }
            Fate::Kept => return,
        };
        if self.hits(Leg::Delay, id, number, faults.delay_ppm) {
            self.stats.delayed += 1;
            due = due.after(faults.delay);
        }
        let mut copies = 1;
        if self.hits(Leg::Repeat, id, number, faults.repeat_ppm) {
            self.stats.repeated += 1;
            copies = 2;
        }
        for _ in 0..copies {
            if !out.push(due, at.seq, instrument, body) {
                self.stats.overflowed += 1;
            }
        }
    }

    /// What a leg takes: by a latency of its own, or by the common one of its direction.
    fn span(
        &self,
        way: Option<Latency>,
        common: Nanos,
        leg: Leg,
        id: OrderId,
        number: u32,
    ) -> Nanos {
        let latency = way.unwrap_or(Latency::Constant(common));
        latency.draw(self.config.seed, id, leg.of(number), self.config.jitter)
    }

    fn hits(&self, leg: Leg, id: OrderId, number: u32, ppm: u32) -> bool {
        jitter::below(self.config.seed, id, leg.of(number), u64::from(PPM)) < u64::from(ppm)
    }
}

/// How what is bought or sold for is rounded.
pub(super) const fn against_account(side: Side) -> Round {
    match side {
        Side::Buy => Round::Up,
        Side::Sell => Round::Down,
    }
}

/// What a fill costs, each amount rounded against the account.
fn execution(side: Side, fill: &Fill, fees: &FeeSchedule) -> Option<Execution> {
    let quote = fill.price.notional(fill.qty, against_account(side));
    let fee = fees.fill_fee(fill.price, fill.qty, fill.liquidity)?;
    Some(Execution { side, qty: fill.qty, quote: quote.narrow()?, fee: fee.narrow()? })
}

fn report_of(at: At, order: &OpenOrder, kind: ReportKind, reason: VenueReason) -> Report {
    Report {
        order: order.id,
        kind,
        reason,
        side: order.side,
        reduce_only: order.reduce_only,
        leg: PositionLeg::Both,
        liquidity: Liquidity::Maker,
        price: order.price,
        qty: order.qty,
        cum_qty: order.cum_qty,
        cum_quote: order.cum_quote,
        cum_fee: order.cum_fee,
        last_qty: Qty::ZERO,
        last_price: Px::ZERO,
        payer: 0,
        at: at.ts,
    }
}

/// An order that the venue has never seen.
fn unknown(id: OrderId) -> ClosedOrder {
    ClosedOrder {
        id,
        price: Px::ZERO,
        qty: Qty::ZERO,
        cum_qty: Qty::ZERO,
        cum_quote: Usd::ZERO,
        cum_fee: Usd::ZERO,
        side: Side::Buy,
        reduce_only: false,
        requests: 0,
        answers: 0,
    }
}
