//! The fast decoder: one pass over the frames that the exchange really sends.
//!
//! It guesses the event from the first key of a row and reads the fields straight into fixed point.
//! Whatever does not fit the guess is `Odd` and goes to the reference decoder, so a change of the wire
//! costs speed and never correctness; `Decoder::handed_over` counts those frames.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, Message, Span};

use super::rows::{Event, Reading};
use super::scan::{Scan, Step, Stop};
use super::stream::StreamKind;
use super::{DecodeError, DecodeErrorKind, ROWS_MAX, reference};

mod events;
mod field;
mod levels;
mod nested;

/// Decodes frames of one market. Keeps nothing between frames.
#[derive(Clone, Debug)]
pub struct Decoder {
    market: Market,
    handed_over: u64,
}

impl Decoder {
    /// A decoder for frames of `market`.
    #[must_use]
    pub fn new(market: Market) -> Self {
        Self { market, handed_over: 0 }
    }

    /// Frames that went to the reference decoder. Many of them mean that the wire has changed, and
    /// that decoding is several times slower than it could be.
    #[must_use]
    pub fn handed_over(&self) -> u64 {
        self.handed_over
    }

    /// Decodes one frame into `out`, which is cleared first.
    ///
    /// # Errors
    /// A typed error with byte offset when the frame is malformed; `out` then holds no messages, but
    /// the stream name if it was read before the fault.
    pub fn decode(&mut self, frame: &[u8], out: &mut Decoded) -> Result<(), DecodeError> {
        out.clear();
        let mut pass =
            Pass { scan: Scan::new(frame), market: self.market, stream: StreamKind::Other };
        match pass.frame(out) {
            Ok(()) => Ok(()),
            Err(Stop::Bad) => {
                let stream = out.stream;
                out.clear();
                out.stream = stream;
                Err(pass.scan.fault())
            }
            Err(Stop::Odd) => {
                self.handed_over += 1;
                let stream = out.stream;
                let result = reference::decode(frame, self.market, out);
                if result.is_err() && out.stream.is_none() {
                    // A cut frame has no stream for the reference, but it was read before the cut.
                    out.stream = stream;
                }
                result
            }
        }
    }
}

/// One pass over one frame.
struct Pass<'f> {
    scan: Scan<'f>,
    market: Market,
    stream: StreamKind,
}

impl Pass<'_> {
    fn frame(&mut self, out: &mut Decoded) -> Step<()> {
        self.scan.space();
        if self.scan.rest().starts_with(b"{\"stream\":\"") {
            self.envelope(out)?;
        } else {
            self.payload(out, Place::Top)?;
        }
        self.scan.finish()
    }

    /// `{"stream":"…","data":…}`. Other keys may stand around `data`.
    fn envelope(&mut self, out: &mut Decoded) -> Step<()> {
        self.scan.expect(b'{')?;
        let mut first = true;
        let mut data = false;
        while let Some(key) = self.scan.key(&mut first)? {
            match key {
                b"stream" if out.stream.is_none() => {
                    out.stream = self.scan.text("stream")?.ok_or(Stop::Odd)?;
                    self.stream = StreamKind::of(self.scan.bytes_of(out.stream));
                }
                b"stream" => return self.scan.bad(DecodeErrorKind::Duplicate("stream")),
                b"data" if data => return self.scan.bad(DecodeErrorKind::Duplicate("data")),
                b"data" => {
                    data = true;
                    self.payload(out, Place::Inside)?;
                }
                _ => self.scan.skip()?,
            }
        }
        if data { Ok(()) } else { self.scan.bad(DecodeErrorKind::Missing("data")) }
    }

    fn payload(&mut self, out: &mut Decoded, place: Place) -> Step<()> {
        if self.scan.peek() != b'[' {
            return self.row(out, place);
        }
        self.scan.expect(b'[')?;
        let mut first = true;
        let mut rows = 0;
        while self.scan.element(&mut first)? {
            rows += 1;
            if rows > ROWS_MAX {
                return Err(Stop::Odd);
            }
            self.row(out, Place::Inside)?;
        }
        Ok(())
    }

    fn row(&mut self, out: &mut Decoded, place: Place) -> Step<()> {
        if self.scan.peek() != b'{' {
            return self.scan.bad(DecodeErrorKind::NotAFrame);
        }
        if self.stream == StreamKind::RpiDepth {
            return Err(Stop::Odd);
        }
        let event = self.guess()?;
        self.scan.expect(b'{')?;
        let levels = out.levels.len();
        match self.event(event, place, out)? {
            Ok((symbol, body)) => out.messages.push(Message { symbol, body }),
            Err(ignored) => {
                out.levels.truncate(levels);
                out.ignored.push(ignored);
            }
        }
        Ok(())
    }

    /// The event that the first key of a row announces. Every reader verifies it.
    fn guess(&self) -> Step<Event> {
        let rest = self.scan.rest();
        if let Some(named) = rest.strip_prefix(b"{\"e\":\"") {
            let end = named.iter().position(|&b| b == b'"').ok_or(Stop::Odd)?;
            // Unknown events need no speed.
            return Event::named(&named[..end], self.stream).ok_or(Stop::Odd);
        }
        if rest.starts_with(b"{\"u\":") {
            return Ok(Event::BookTicker);
        }
        if rest.starts_with(b"{\"lastUpdateId\":") {
            let partial = self.stream == StreamKind::PartialDepth;
            return Ok(if partial { Event::PartialSnapshot } else { Event::Snapshot });
        }
        Err(Stop::Odd)
    }

    fn event(
        &mut self,
        event: Event,
        place: Place,
        out: &mut Decoded,
    ) -> Step<Reading<(Span, Body)>> {
        match event {
            Event::Depth | Event::PartialDepth => self.depth(event, place, out),
            Event::Snapshot | Event::PartialSnapshot => self.snapshot(event, place, out),
            Event::BookTicker => self.book_ticker(place),
            Event::Trade => self.trade(place),
            Event::AggTrade => self.agg_trade(place),
            Event::Mark => self.mark(place),
            Event::Liquidation => self.liquidation(place),
            Event::Kline => self.kline(place),
            // A few a day: not worth a second implementation.
            Event::ContractInfo => Err(Stop::Odd),
        }
    }

    /// Skips a field that the event does not read.
    fn unknown(&mut self, key: &[u8], place: Place) -> Step<()> {
        // `stream` beside an event would make the row an envelope, with its payload elsewhere.
        if place == Place::Top && key == b"stream" {
            return Err(Stop::Odd);
        }
        self.scan.skip()
    }

    /// True when `st` names another market family. Spot frames have none; absent means ours.
    fn other_market(&self, family: Option<i64>) -> bool {
        match self.market {
            Market::UsdM => family.is_some_and(|family| family != 1),
            Market::CoinM => family.is_some_and(|family| family != 2),
            Market::Spot => false,
        }
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is the whole frame.
    Top,
    /// In an envelope or an array.
    Inside,
}
