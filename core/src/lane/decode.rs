//! Records back from their bytes: the inverse of the encoders in `record` and `frames`.
//!
//! It is strict: whatever is accepted is encoded to the same bytes again. `last` of a message is not in
//! its record, because it says how the stages split their work; it is decoded as true.

mod account;
mod history;
#[cfg(test)]
mod tests;

use super::decided::{CloseRecord, Decided, SentRecord, VerdictRecord};
use super::fields::{DecodeError, DecodeFault, FieldReader};
use super::frames::{DAMAGED_TEXT_BYTES_MAX, Damaged, Frame, FrameHead, FrameOrigin, FrameRef};
use super::kind::RecordKind;
use super::record::NOT_BLOCKED;
use crate::alert::{Alert, AlertKind};
use crate::book::{BookSide, Invalid, Touch};
use crate::event::{
    Bar, Body, Depth, Event, EventKind, LEVELS_PER_MESSAGE, Levels, Liquidation, Mark, Origin,
    TouchChange, TouchSource, Trade,
};
use crate::instrument::{InstrumentId, Market};
use crate::kill::Level as KillLevel;
use crate::latency::Stamp;
use crate::market::{Level, Side};
use crate::message::{Feedback, FeedbackBody, FeedbackOrigin, IntentMessage};
use crate::order::{
    Action, Check, Class, Conditional, Intent, Liquidity, NewOrder, OrderId, OrderState,
    RejectedBy, Rejection, Report, ReportKind, Source, Status, TimeInForce, VenueReason,
};
use crate::units::Rate;

/// A record of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Where a frame lies.
    FrameRef(FrameRef),
    /// What could not be read.
    Damaged(Damaged<'a>),
    /// A JSON document, as it stands.
    Header(&'a [u8]),
    /// An event.
    Event(Event),
    /// Feedback that was not due.
    Pending(Feedback),
    /// An intent.
    Intent(IntentMessage),
    /// A verdict.
    Verdict(VerdictRecord),
    /// An alert.
    Alert(Alert),
    /// What the gateway did.
    Sent(SentRecord),
    /// The gateway cancelled everything by itself.
    CancelAll {
        /// `seq` of the event at which it did.
        seq: u64,
    },
    /// The end.
    Close(CloseRecord),
}

/// Reads the payload of a record of any kind.
///
/// # Errors
/// The payload is not what an encoder of this kind makes. The bytes of a header are not looked at.
pub fn decode(kind: RecordKind, payload: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    match kind {
        RecordKind::Frame => frame(payload).map(Decoded::Frame),
        RecordKind::FrameRef => frame_ref(payload).map(Decoded::FrameRef),
        RecordKind::Damaged => damaged(payload).map(Decoded::Damaged),
        RecordKind::Header => Ok(Decoded::Header(payload)),
        RecordKind::Event => event(payload).map(Decoded::Event),
        RecordKind::Pending => pending(payload).map(Decoded::Pending),
        RecordKind::Intent => intent(payload).map(Decoded::Intent),
        RecordKind::Verdict => verdict(payload).map(Decoded::Verdict),
        RecordKind::Alert => alert(payload).map(Decoded::Alert),
        RecordKind::Sent => sent(payload).map(Decoded::Sent),
        RecordKind::CancelAll => cancel_all(payload).map(|seq| Decoded::CancelAll { seq }),
        RecordKind::Close => close(payload).map(Decoded::Close),
    }
}

/// Reads a frame.
///
/// # Errors
/// A field is cut off or has no meaning, or a frame of a stream has an address.
pub fn frame(payload: &[u8]) -> Result<Frame<'_>, DecodeError> {
    whole(payload, |from| {
        let (frame, recv, line) = (from.u64("frame")?, from.nanos("recv")?, from.u64("line")?);
        let source = from.u16("source")?;
        let market = from.one_of("market", &Market::ALL)?;
        let origin = from.one_of("origin", &FrameOrigin::ALL)?;
        let no_address = from.error("address length", DecodeFault::NotZero);
        let address_bytes = usize::from(from.u16("address length")?);
        let url = match origin {
            FrameOrigin::Stream if address_bytes > 0 => return Err(no_address),
            FrameOrigin::Stream => None,
            FrameOrigin::Rest => Some(from.text("address", address_bytes)?),
        };
        let head = FrameHead { frame, recv, line, source, market, url };
        Ok(Frame { head, bytes: from.take_rest() })
    })
}

/// Reads a reference to a frame.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn frame_ref(payload: &[u8]) -> Result<FrameRef, DecodeError> {
    whole(payload, |from| {
        Ok(FrameRef {
            frame: from.u64("frame")?,
            recv: from.nanos("recv")?,
            line: from.u64("line")?,
            source: from.u16("source")?,
            market: from.one_of("market", &Market::ALL)?,
            origin: from.one_of("origin", &FrameOrigin::ALL)?,
            bytes: from.u32("bytes")?,
            crc: from.u32("crc")?,
        })
    })
}

/// Reads what could not be read.
///
/// # Errors
/// The text is longer than `DAMAGED_TEXT_BYTES_MAX` or not UTF-8, or the payload does not end where the
/// record does.
pub fn damaged(payload: &[u8]) -> Result<Damaged<'_>, DecodeError> {
    whole(payload, |from| {
        let (frame, at, line) = (from.u64("frame")?, from.nanos("at")?, from.u64("line")?);
        let source = from.u16("source")?;
        let too_long = from.error("text length", DecodeFault::TooLarge);
        let text_bytes = usize::from(from.u16("text length")?);
        if text_bytes > DAMAGED_TEXT_BYTES_MAX {
            return Err(too_long);
        }
        Ok(Damaged { frame, at, line, source, text: from.text("text", text_bytes)? })
    })
}

/// Reads an event.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn event(payload: &[u8]) -> Result<Event, DecodeError> {
    whole(payload, |from| {
        Ok(Event {
            seq: from.u64("seq")?,
            ts: from.nanos("ts")?,
            recv: from.nanos("recv")?,
            frame: from.u64("frame")?,
            instrument: from.instrument("symbol")?,
            last: true,
            stamp: Stamp::default(),
            body: from.body()?,
        })
    })
}

/// Reads feedback that was not due.
///
/// # Errors
/// A field has no meaning, the kind is none that feedback becomes, or the payload does not end where the
/// record does.
pub fn pending(payload: &[u8]) -> Result<Feedback, DecodeError> {
    whole(payload, |from| {
        Ok(Feedback {
            due: from.nanos("due")?,
            cause_seq: from.u64("cause")?,
            origin: from.one_of("origin", &FeedbackOrigin::ALL)?,
            n: from.u64("number")?,
            instrument: from.instrument("symbol")?,
            body: from.feedback_body()?,
        })
    })
}

/// Reads an intent.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn intent(payload: &[u8]) -> Result<IntentMessage, DecodeError> {
    whole(payload, |from| {
        Ok(IntentMessage { seq: from.u64("seq")?, last: true, intent: from.intent()? })
    })
}

/// Reads a verdict.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn verdict(payload: &[u8]) -> Result<VerdictRecord, DecodeError> {
    whole(payload, |from| {
        let (seq, index) = (from.u64("seq")?, from.u32("index")?);
        let outcome = if from.flag("approved")? {
            let (class, intent) = from.approved()?;
            Decided::Approved { intent, class }
        } else {
            Decided::Rejected(from.rejection()?)
        };
        Ok(VerdictRecord { seq, index, outcome })
    })
}

/// Reads an alert.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn alert(payload: &[u8]) -> Result<Alert, DecodeError> {
    whole(payload, |from| {
        Ok(Alert {
            seq: from.u64("seq")?,
            kind: from.one_of("alert", &AlertKind::ALL)?,
            measured: from.wide("measured")?,
            limit: from.wide("limit")?,
        })
    })
}

/// Reads what the gateway did with an approved intent.
///
/// # Errors
/// A field has no meaning, or the payload does not end where the record does.
pub fn sent(payload: &[u8]) -> Result<SentRecord, DecodeError> {
    whole(payload, |from| {
        let (seq, index) = (from.u64("seq")?, from.u32("index")?);
        let blocked_at = match from.u8("kill level")? {
            NOT_BLOCKED => None,
            number => {
                let level = KillLevel::from_number(number);
                Some(level.ok_or(from.unknown("kill level", number))?)
            }
        };
        let (class, intent) = from.approved()?;
        Ok(SentRecord { seq, index, blocked_at, intent, class })
    })
}

/// Reads the `seq` at which the gateway cancelled everything.
///
/// # Errors
/// The payload is not 8 bytes long.
pub fn cancel_all(payload: &[u8]) -> Result<u64, DecodeError> {
    whole(payload, |from| from.u64("seq"))
}

/// Reads the end of a lane.
///
/// # Errors
/// The payload is not 80 bytes long.
pub fn close(payload: &[u8]) -> Result<CloseRecord, DecodeError> {
    whole(payload, |from| {
        Ok(CloseRecord {
            records: from.u64("records")?,
            last: from.u64("last")?,
            digest: from.array("digest")?,
            header: from.array("header")?,
        })
    })
}

/// What `read` makes of the payload, which it must use up.
fn whole<'a, T>(
    payload: &'a [u8],
    read: impl FnOnce(&mut FieldReader<'a>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let mut from = FieldReader::new(payload);
    let value = read(&mut from)?;
    from.end()?;
    Ok(value)
}

/// What is laid out the same in several kinds of records. A struct's fields are read in the order in
/// which they are written here, which is that of the encoder.
impl FieldReader<'_> {
    fn body(&mut self) -> Result<Body, DecodeError> {
        Ok(match self.one_of("kind", &EventKind::ALL)? {
            EventKind::Touch => Body::Touch(self.touch()?),
            EventKind::Depth => Body::Depth(self.depth()?),
            EventKind::Levels => Body::Levels(self.levels()?),
            EventKind::Trade => Body::Trade(self.trade()?),
            EventKind::Mark => Body::Mark(self.mark()?),
            EventKind::Liquidation => Body::Liquidation(self.liquidation()?),
            EventKind::Bar => Body::Bar(self.bar()?),
            EventKind::BookInvalid => Body::BookInvalid(self.one_of("reason", &Invalid::ALL)?),
            EventKind::Tick => Body::Tick,
            EventKind::Gap => Body::Gap,
            EventKind::Wake => Body::Wake,
            EventKind::Report => Body::Report(self.report()?),
            EventKind::Status => Body::Status(self.status()?),
            EventKind::Rejected => Body::Rejected(self.rejection()?),
            EventKind::Control => Body::Control(self.control()?),
            EventKind::KillLevel => Body::KillLevel(self.one_of("level", &KillLevel::ALL)?),
            EventKind::Account => Body::Account(self.account()?),
            EventKind::Funding => Body::Funding(self.funding()?),
            EventKind::OpenInterest => Body::OpenInterest(self.open_interest()?),
            EventKind::DepthBand => Body::DepthBand(self.depth_band()?),
        })
    }

    fn feedback_body(&mut self) -> Result<FeedbackBody, DecodeError> {
        let kind = self.one_of("kind", &EventKind::ALL)?;
        match kind {
            EventKind::Report => self.report().map(FeedbackBody::Report),
            EventKind::Status => self.status().map(FeedbackBody::Status),
            EventKind::Rejected => self.rejection().map(FeedbackBody::Rejected),
            EventKind::Wake => Ok(FeedbackBody::Wake),
            EventKind::Account => self.account().map(FeedbackBody::Account),
            EventKind::Touch
            | EventKind::Depth
            | EventKind::Levels
            | EventKind::Trade
            | EventKind::Mark
            | EventKind::Liquidation
            | EventKind::Bar
            | EventKind::BookInvalid
            | EventKind::Tick
            | EventKind::Gap
            | EventKind::Control
            | EventKind::KillLevel
            | EventKind::Funding
            | EventKind::OpenInterest
            | EventKind::DepthBand => Err(self.unknown("kind", kind as u8)),
        }
    }

    fn touch(&mut self) -> Result<TouchChange, DecodeError> {
        let source = self.one_of("source", &TouchSource::ALL)?;
        let bid = self.optional("bid", Self::level)?;
        let ask = self.optional("ask", Self::level)?;
        Ok(TouchChange { touch: Touch { bid, ask }, source })
    }

    fn depth(&mut self) -> Result<Depth, DecodeError> {
        Ok(Depth {
            imbalance_ppm: self.i32("imbalance")?,
            microprice: self.optional("microprice", Self::px)?,
            bids: [self.wide("bid sum")?, self.wide("bid sum")?],
            asks: [self.wide("ask sum")?, self.wide("ask sum")?],
        })
    }

    fn levels(&mut self) -> Result<Levels, DecodeError> {
        let side = self.one_of("side", &BookSide::ALL)?;
        let first = self.u8("first")?;
        let too_many = self.error("count", DecodeFault::TooLarge);
        let count = self.u8("count")?;
        if usize::from(count) > LEVELS_PER_MESSAGE {
            return Err(too_many);
        }
        let mut levels = [Level::default(); LEVELS_PER_MESSAGE];
        for level in &mut levels {
            *level = self.level("level")?;
        }
        Ok(Levels { side, first, count, levels })
    }

    fn trade(&mut self) -> Result<Trade, DecodeError> {
        Ok(Trade {
            id: self.i64("id")?,
            price: self.px("price")?,
            qty: self.qty("qty")?,
            aggressor: self.one_of("aggressor", &Side::ALL)?,
        })
    }

    fn mark(&mut self) -> Result<Mark, DecodeError> {
        Ok(Mark {
            price: self.px("price")?,
            index: self.optional("index", Self::px)?,
            funding_rate: self.optional("funding rate", Self::i64)?.map(Rate),
            next_funding: self.optional("next funding", Self::nanos)?,
            origin: self.one_of("origin", &Origin::ALL)?,
        })
    }

    fn liquidation(&mut self) -> Result<Liquidation, DecodeError> {
        Ok(Liquidation {
            side: self.one_of("side", &Side::ALL)?,
            price: self.px("price")?,
            qty: self.qty("qty")?,
        })
    }

    fn bar(&mut self) -> Result<Bar, DecodeError> {
        Ok(Bar {
            open_time: self.nanos("open time")?,
            interval_s: self.u32("interval")?,
            trades: self.u32("trades")?,
            open: self.px("open")?,
            high: self.px("high")?,
            low: self.px("low")?,
            close: self.px("close")?,
            volume: self.wide("volume")?,
            quote_volume: self.wide("quote volume")?,
        })
    }

    fn report(&mut self) -> Result<Report, DecodeError> {
        let order = self.u64("order").map(OrderId)?;
        let kind = self.one_of("report kind", &ReportKind::ALL)?;
        let reason = self.one_of("reason", &VenueReason::ALL)?;
        let side = self.one_of("side", &Side::ALL)?;
        let (reduce_only, leg) = self.reduce_only_and_leg()?;
        Ok(Report {
            order,
            kind,
            reason,
            side,
            reduce_only,
            leg,
            liquidity: self.one_of("liquidity", &Liquidity::ALL)?,
            price: self.px("price")?,
            qty: self.qty("qty")?,
            cum_qty: self.qty("cumulative qty")?,
            cum_quote: self.usd("cumulative quote")?,
            cum_fee: self.usd("cumulative fee")?,
            last_qty: self.qty("last qty")?,
            last_price: self.px("last price")?,
            payer: self.u64("payer")?,
            at: self.nanos("at")?,
        })
    }

    fn status(&mut self) -> Result<Status, DecodeError> {
        Ok(Status {
            order: self.u64("order").map(OrderId)?,
            state: self.one_of("state", &OrderState::ALL)?,
            side: self.one_of("side", &Side::ALL)?,
            reduce_only: self.flag("reduce only")?,
            price: self.px("price")?,
            qty: self.qty("qty")?,
            cum_qty: self.qty("cumulative qty")?,
            cum_quote: self.usd("cumulative quote")?,
            cum_fee: self.usd("cumulative fee")?,
            at: self.nanos("at")?,
        })
    }

    fn rejection(&mut self) -> Result<Rejection, DecodeError> {
        Ok(Rejection {
            order: self.u64("order").map(OrderId)?,
            instrument: self.named_instrument()?,
            action: self.action()?,
            by: self.one_of("rejected by", &RejectedBy::ALL)?,
            check: self.one_of("check", &Check::ALL)?,
            measured: self.wide("measured")?,
            limit: self.wide("limit")?,
        })
    }

    fn approved(&mut self) -> Result<(Class, Intent), DecodeError> {
        Ok((self.one_of("class", &Class::ALL)?, self.intent()?))
    }

    fn intent(&mut self) -> Result<Intent, DecodeError> {
        Ok(Intent {
            order: self.u64("order").map(OrderId)?,
            instrument: self.named_instrument()?,
            source: self.one_of("source", &Source::ALL)?,
            action: self.action()?,
        })
    }

    /// The symbol as an intent named it, which may be any number: the check comes behind the record.
    fn named_instrument(&mut self) -> Result<InstrumentId, DecodeError> {
        self.u16("symbol").map(InstrumentId)
    }

    fn action(&mut self) -> Result<Action, DecodeError> {
        match self.u8("action")? {
            0 => self.new_order().map(Action::New),
            1 => Ok(Action::Amend { price: self.px("price")?, qty: self.qty("qty")? }),
            2 => Ok(Action::Cancel),
            3 => Ok(Action::Query),
            4 => Ok(Action::Conditional(Conditional {
                order: self.new_order()?,
                trigger: self.trigger()?,
            })),
            number => Err(self.unknown("action", number)),
        }
    }

    fn new_order(&mut self) -> Result<NewOrder, DecodeError> {
        Ok(NewOrder {
            side: self.one_of("side", &Side::ALL)?,
            price: self.px("price")?,
            qty: self.qty("qty")?,
            tif: self.one_of("time in force", &TimeInForce::ALL)?,
            reduce_only: self.flag("reduce only")?,
        })
    }
}
