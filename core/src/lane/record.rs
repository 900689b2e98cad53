//! Messages as bytes: explicit fields, little endian, no padding.

#[cfg(test)]
mod tests;

use crate::book::BookSide;
use crate::event::{Body, Control, Event, Mark, Origin, TouchSource};
use crate::instrument::InstrumentId;
use crate::market::{Level, Side};
use crate::message::{IntentMessage, VerdictMessage};
use crate::order::{
    Action, Approved, Intent, NewOrder, Rejection, Report, Source, Status, Verdict,
};
use crate::units::{Nanos, Px, Rate, Wide};

/// Longest record, in bytes; a `Bar` event is the longest of today, with 115.
const BYTES_MAX: usize = 192;
/// An absent symbol.
const NO_INSTRUMENT: u16 = u16::MAX;

/// The payload of one lane record.
#[derive(Clone, Debug)]
pub struct Record {
    bytes: [u8; BYTES_MAX],
    len: usize,
}

impl Record {
    /// What a record says.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    const fn empty() -> Self {
        Self { bytes: [0; BYTES_MAX], len: 0 }
    }

    /// An event of the sequenced stream. `last` is left out: it says how the stages split their work.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        let mut record = Self::empty();
        record.u64(event.seq);
        record.nanos(event.ts);
        record.nanos(event.recv);
        record.u64(event.frame);
        record.instrument(event.instrument);
        record.u8(event.body.kind() as u8);
        record.body(&event.body);
        record
    }

    /// An intent of a strategy.
    #[must_use]
    pub fn intent(message: &IntentMessage) -> Self {
        let mut record = Self::empty();
        record.u64(message.seq);
        record.put_intent(&message.intent);
        record
    }

    /// A verdict.
    #[must_use]
    pub fn verdict(message: &VerdictMessage) -> Self {
        let mut record = Self::empty();
        record.u64(message.seq);
        record.u32(message.index);
        match &message.verdict {
            Verdict::Approved(approved) => {
                record.u8(1);
                record.approved(approved);
            }
            Verdict::Rejected(rejection) => {
                record.u8(0);
                record.rejection(rejection);
            }
        }
        record
    }

    /// What the gateway did with an approved intent: sent it, or blocked it at this kill level.
    #[must_use]
    pub fn sent(seq: u64, index: u32, approved: &Approved, blocked_at: Option<u8>) -> Self {
        let mut record = Self::empty();
        record.u64(seq);
        record.u32(index);
        record.u8(blocked_at.unwrap_or(u8::MAX));
        record.approved(approved);
        record
    }

    /// The gateway cancelled everything by itself.
    #[must_use]
    pub fn cancel_all(seq: u64) -> Self {
        let mut record = Self::empty();
        record.u64(seq);
        record
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        self.bytes[self.len..end].copy_from_slice(bytes);
        self.len = end;
    }

    fn u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.put(&number.to_le_bytes());
    }

    fn wide(&mut self, number: Wide) {
        self.put(&number.get().to_le_bytes());
    }

    fn nanos(&mut self, nanos: Nanos) {
        self.u64(nanos.0);
    }

    fn instrument(&mut self, id: Option<InstrumentId>) {
        self.put(&id.map_or(NO_INSTRUMENT, |id| id.0).to_le_bytes());
    }

    fn some(&mut self, number: Option<i64>) {
        self.u8(u8::from(number.is_some()));
        self.i64(number.unwrap_or_default());
    }

    fn level(&mut self, level: Level) {
        self.i64(level.price.0);
        self.i64(level.qty.0);
    }

    fn side(&mut self, side: Side) {
        self.u8(match side {
            Side::Buy => 0,
            Side::Sell => 1,
        });
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Touch(change) => {
                self.u8(match change.source {
                    TouchSource::Book => 0,
                    TouchSource::Ticker => 1,
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
            Body::Control(Control::Raise(level)) => {
                self.u8(0);
                self.u8(*level as u8);
            }
            Body::KillLevel(level) => self.u8(*level as u8),
        }
    }

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

    fn report(&mut self, report: &Report) {
        self.u64(report.order.0);
        self.put(&[report.kind as u8, report.reason as u8]);
        self.side(report.side);
        self.put(&[u8::from(report.reduce_only), report.liquidity as u8]);
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

    fn rejection(&mut self, rejection: &Rejection) {
        self.u64(rejection.order.0);
        self.instrument(Some(rejection.instrument));
        self.action(&rejection.action);
        self.put(&[rejection.by as u8, rejection.check as u8]);
        self.wide(rejection.measured);
        self.wide(rejection.limit);
    }

    fn approved(&mut self, approved: &Approved) {
        self.u8(approved.class() as u8);
        self.put_intent(approved.intent());
    }

    fn put_intent(&mut self, intent: &Intent) {
        self.u64(intent.order.0);
        self.instrument(Some(intent.instrument));
        self.u8(match intent.source {
            Source::Alpha => 0,
            Source::Risk => 1,
        });
        self.action(&intent.action);
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::New(NewOrder { side, price, qty, tif, reduce_only }) => {
                self.u8(0);
                self.side(*side);
                self.i64(price.0);
                self.i64(qty.0);
                self.u8(*tif as u8);
                self.u8(u8::from(*reduce_only));
            }
            Action::Amend { price, qty } => {
                self.u8(1);
                self.i64(price.0);
                self.i64(qty.0);
            }
            Action::Cancel => self.u8(2),
            Action::Query => self.u8(3),
        }
    }
}
