//! Messages as bytes: explicit fields, little endian, no padding.

#[cfg(test)]
mod tests;

use super::decided::{CloseRecord, Decided, SentRecord, VerdictRecord};
use super::fields::FieldWriter;
use super::frames::FrameRef;
use super::kind::RecordKind;
use crate::alert::Alert;
use crate::book::BookSide;
use crate::event::{
    Body, Control, DepthBand, Event, Funding, Mark, OpenInterest, Origin, TouchSource,
};
use crate::market::Side;
use crate::message::{Feedback, IntentMessage, VerdictMessage};
use crate::order::{
    AccountUpdate, Action, Approved, Class, Conditional, Intent, NewOrder, Rejection, Report,
    Source, Status, Trigger,
};
use crate::units::{Px, Rate, Usd};

/// Room for the longest payload, in bytes; an event with a report is the longest of today, with 120.
const BYTES_MAX: usize = 128;
/// In place of a kill level: nothing blocked it.
pub(super) const NOT_BLOCKED: u8 = u8::MAX;

/// The payload of one lane record and what it is.
#[derive(Clone, Debug)]
pub struct Record {
    kind: RecordKind,
    payload: FieldWriter<BYTES_MAX>,
}

impl Record {
    /// What the payload is.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// What a record says.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.payload.bytes()
    }

    const fn empty(kind: RecordKind) -> Self {
        Self { kind, payload: FieldWriter::new() }
    }

    /// A frame that lies in a capture.
    #[must_use]
    pub fn frame_ref(frame: &FrameRef) -> Self {
        let mut record = Self::empty(RecordKind::FrameRef);
        let to = &mut record.payload;
        to.u64(frame.frame);
        to.nanos(frame.recv);
        to.u64(frame.line);
        to.u16(frame.source);
        to.put(&[frame.market as u8, frame.origin as u8]);
        to.u32(frame.bytes);
        to.u32(frame.crc);
        record
    }

    /// An event of the sequenced stream. `last` is left out: it says how the stages split their work.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        let mut record = Self::empty(RecordKind::Event);
        let to = &mut record.payload;
        to.u64(event.seq);
        to.nanos(event.ts);
        to.nanos(event.recv);
        to.u64(event.frame);
        to.instrument(event.instrument);
        to.body(&event.body);
        record
    }

    /// Feedback that waits to be due.
    #[must_use]
    pub fn pending(feedback: &Feedback) -> Self {
        let mut record = Self::empty(RecordKind::Pending);
        let to = &mut record.payload;
        to.nanos(feedback.due);
        to.u64(feedback.cause_seq);
        to.u8(feedback.origin as u8);
        to.u64(feedback.n);
        to.instrument(feedback.instrument);
        to.body(&feedback.body.into());
        record
    }

    /// An intent of a strategy. `last` is left out, as in an event.
    #[must_use]
    pub fn intent(message: &IntentMessage) -> Self {
        let mut record = Self::empty(RecordKind::Intent);
        let to = &mut record.payload;
        to.u64(message.seq);
        to.intent(&message.intent);
        record
    }

    /// A verdict. `last` is left out, as in an event.
    #[must_use]
    pub fn verdict(message: &VerdictMessage) -> Self {
        Self::from(&VerdictRecord::from(message))
    }

    /// An alert.
    #[must_use]
    pub fn alert(alert: &Alert) -> Self {
        let mut record = Self::empty(RecordKind::Alert);
        let to = &mut record.payload;
        to.u64(alert.seq);
        to.u8(alert.kind as u8);
        to.wide(alert.measured);
        to.wide(alert.limit);
        record
    }

    /// What the gateway did with an approved intent: sent it, or blocked it at this kill level.
    #[must_use]
    pub fn sent(seq: u64, index: u32, approved: &Approved, blocked_at: Option<u8>) -> Self {
        let blocked_at = blocked_at.unwrap_or(NOT_BLOCKED);
        Self::handled(seq, index, blocked_at, approved.intent(), approved.class())
    }

    fn handled(seq: u64, index: u32, blocked_at: u8, intent: &Intent, class: Class) -> Self {
        let mut record = Self::empty(RecordKind::Sent);
        let to = &mut record.payload;
        to.u64(seq);
        to.u32(index);
        to.u8(blocked_at);
        to.approved(intent, class);
        record
    }

    /// The gateway cancelled everything by itself.
    #[must_use]
    pub fn cancel_all(seq: u64) -> Self {
        let mut record = Self::empty(RecordKind::CancelAll);
        record.payload.u64(seq);
        record
    }

    /// The orderly end of a lane.
    #[must_use]
    pub fn close(close: &CloseRecord) -> Self {
        let mut record = Self::empty(RecordKind::Close);
        let to = &mut record.payload;
        to.u64(close.records);
        to.u64(close.last);
        to.put(&close.digest);
        to.put(&close.header);
        record
    }
}

impl From<&VerdictRecord> for Record {
    fn from(verdict: &VerdictRecord) -> Self {
        let mut record = Self::empty(RecordKind::Verdict);
        let to = &mut record.payload;
        to.u64(verdict.seq);
        to.u32(verdict.index);
        match &verdict.outcome {
            Decided::Approved { intent, class } => {
                to.u8(1);
                to.approved(intent, *class);
            }
            Decided::Rejected(rejection) => {
                to.u8(0);
                to.rejection(rejection);
            }
        }
        record
    }
}

impl From<&SentRecord> for Record {
    fn from(sent: &SentRecord) -> Self {
        let blocked_at = sent.blocked_at.map_or(NOT_BLOCKED, |level| level as u8);
        Self::handled(sent.seq, sent.index, blocked_at, &sent.intent, sent.class)
    }
}

/// What is laid out the same in several kinds of records. Inlined, see `FieldWriter::put`.
impl<const N: usize> FieldWriter<N> {
    #[inline(always)]
    fn side(&mut self, side: Side) {
        self.u8(match side {
            Side::Buy => 0,
            Side::Sell => 1,
        });
    }

    /// The kind and what comes with it.
    #[inline(always)]
    fn body(&mut self, body: &Body) {
        self.u8(body.kind() as u8);
        match body {
            Body::Touch(change) => {
                self.u8(match change.source {
                    TouchSource::Book => 0,
                    TouchSource::Ticker => 1,
                    TouchSource::Assumed => 2,
                });
                for side in [change.touch.bid, change.touch.ask] {
                    self.u8(u8::from(side.is_some()));
                    self.level(side.unwrap_or_default());
                }
            }
            Body::Depth(depth) => {
                self.put(&depth.imbalance_ppm.to_le_bytes());
                self.some(depth.microprice.map(|price| price.0));
                for sum in depth.bids.into_iter().chain(depth.asks) {
                    self.wide(sum);
                }
            }
            Body::Levels(levels) => {
                self.u8(match levels.side {
                    BookSide::Bid => 0,
                    BookSide::Ask => 1,
                });
                self.u8(levels.first);
                self.u8(levels.count);
                for level in levels.levels {
                    self.level(level);
                }
            }
            Body::Trade(trade) => {
                self.i64(trade.id);
                self.i64(trade.price.0);
                self.i64(trade.qty.0);
                self.side(trade.aggressor);
            }
            Body::Mark(mark) => self.mark(mark),
            Body::Liquidation(liquidation) => {
                self.side(liquidation.side);
                self.i64(liquidation.price.0);
                self.i64(liquidation.qty.0);
            }
            Body::Bar(bar) => {
                self.nanos(bar.open_time);
                self.u32(bar.interval_s);
                self.u32(bar.trades);
                for price in [bar.open, bar.high, bar.low, bar.close] {
                    self.i64(price.0);
                }
                self.wide(bar.volume);
                self.wide(bar.quote_volume);
            }
            Body::BookInvalid(why) => self.u8(*why as u8),
            Body::Tick | Body::Gap | Body::Wake => {}
            Body::Report(report) => self.report(report),
            Body::Status(status) => self.status(status),
            Body::Rejected(rejection) => self.rejection(rejection),
            Body::Control(control) => self.control(control),
            Body::KillLevel(level) => self.u8(*level as u8),
            Body::Account(update) => self.account(update),
            Body::Funding(funding) => self.funding(funding),
            Body::OpenInterest(interest) => self.open_interest(interest),
            Body::DepthBand(band) => self.depth_band(band),
        }
    }

    fn control(&mut self, control: &Control) {
        match control {
            Control::Raise(level) => self.put(&[0, *level as u8]),
            Control::GateBreach(breach) => {
                self.put(&[1, breach.span as u8]);
                self.nanos(breach.measured);
                self.nanos(breach.budget);
            }
            Control::Reconcile => self.u8(2),
            Control::Transfer(Usd(amount)) => {
                self.u8(3);
                self.i64(*amount);
            }
        }
    }

    fn funding(&mut self, funding: &Funding) {
        self.nanos(funding.at);
        self.i64(funding.rate.0);
    }

    fn open_interest(&mut self, interest: &OpenInterest) {
        self.nanos(interest.at);
        for sum in [interest.qty, interest.notional] {
            self.u8(u8::from(sum.is_some()));
            self.wide(sum.unwrap_or_default());
        }
    }

    fn depth_band(&mut self, band: &DepthBand) {
        self.nanos(band.at);
        self.i64(band.distance.0);
        self.wide(band.qty);
        self.wide(band.notional);
    }

    fn account(&mut self, update: &AccountUpdate) {
        self.put(&[update.reason as u8, update.leg as u8]);
        self.u64(update.n);
        self.i64(update.total.0);
        self.i64(update.change.0);
        self.i64(update.wallet.0);
        self.i64(update.qty.0);
        self.i64(update.price.0);
        self.i64(update.rate.0);
        self.nanos(update.at);
    }

    #[inline(always)]
    fn mark(&mut self, mark: &Mark) {
        self.i64(mark.price.0);
        self.some(mark.index.map(|Px(price)| price));
        self.some(mark.funding_rate.map(|Rate(rate)| rate));
        self.u8(u8::from(mark.next_funding.is_some()));
        self.nanos(mark.next_funding.unwrap_or_default());
        self.u8(match mark.origin {
            Origin::Real => 0,
            Origin::Assumed => 1,
        });
    }

    #[inline(always)]
    fn report(&mut self, report: &Report) {
        self.u64(report.order.0);
        self.put(&[report.kind as u8, report.reason as u8]);
        self.side(report.side);
        // The leg shares a byte, so that a one-way report has the bytes that it always had.
        let reduce_only = u8::from(report.reduce_only) | (report.leg as u8) << 1;
        self.put(&[reduce_only, report.liquidity as u8]);
        self.i64(report.price.0);
        self.i64(report.qty.0);
        self.i64(report.cum_qty.0);
        self.i64(report.cum_quote.0);
        self.i64(report.cum_fee.0);
        self.i64(report.last_qty.0);
        self.i64(report.last_price.0);
        self.u64(report.payer);
        self.nanos(report.at);
    }

    #[inline(always)]
    fn status(&mut self, status: &Status) {
        self.u64(status.order.0);
        self.u8(status.state as u8);
        self.side(status.side);
        self.u8(u8::from(status.reduce_only));
        self.i64(status.price.0);
        self.i64(status.qty.0);
        self.i64(status.cum_qty.0);
        self.i64(status.cum_quote.0);
        self.i64(status.cum_fee.0);
        self.nanos(status.at);
    }

    #[inline(always)]
    fn rejection(&mut self, rejection: &Rejection) {
        self.u64(rejection.order.0);
        self.instrument(Some(rejection.instrument));
        self.action(&rejection.action);
        self.put(&[rejection.by as u8, rejection.check as u8]);
        self.wide(rejection.measured);
        self.wide(rejection.limit);
    }

    #[inline(always)]
    fn approved(&mut self, intent: &Intent, class: Class) {
        self.u8(class as u8);
        self.intent(intent);
    }

    #[inline(always)]
    fn intent(&mut self, intent: &Intent) {
        self.u64(intent.order.0);
        self.instrument(Some(intent.instrument));
        self.u8(match intent.source {
            Source::Alpha => 0,
            Source::Risk => 1,
        });
        self.action(&intent.action);
    }

    #[inline(always)]
    fn action(&mut self, action: &Action) {
        match action {
            Action::New(new) => {
                self.u8(0);
                self.new_order(new);
            }
            Action::Amend { price, qty } => {
                self.u8(1);
                self.i64(price.0);
                self.i64(qty.0);
            }
            Action::Cancel => self.u8(2),
            Action::Query => self.u8(3),
            Action::Conditional(Conditional { order, trigger }) => {
                self.u8(4);
                self.new_order(order);
                self.trigger(trigger);
            }
        }
    }

    #[inline(always)]
    fn new_order(&mut self, new: &NewOrder) {
        let NewOrder { side, price, qty, tif, reduce_only } = new;
        self.side(*side);
        self.i64(price.0);
        self.i64(qty.0);
        self.u8(*tif as u8);
        self.u8(u8::from(*reduce_only));
    }

    #[inline(always)]
    fn trigger(&mut self, trigger: &Trigger) {
        let Trigger { kind, by, price, callback, close_position } = trigger;
        self.put(&[*kind as u8, *by as u8]);
        self.i64(price.0);
        self.i64(callback.0);
        self.u8(u8::from(*close_position));
    }
}
