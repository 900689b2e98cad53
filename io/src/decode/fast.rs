//! The fast decoder: one pass over the frames that the exchange really sends.
//!
//! Hot frames with their keys in the usual order are read by `straight`. For all others it guesses the
//! event from the first key of a row and reads the fields, in any order, into fixed point. Whatever does
//! not fit the guess, malformed frames included, goes to the reference decoder: a change of the wire
//! costs speed and never correctness. `Decoder::scanned` and `Decoder::handed_over` count the good ones
//! of those.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, Message, Span};

use super::rows::{Reading, RowKind};
use super::scan::{Odd, Scan, Step};
use super::stream::StreamKind;
use super::{DecodeError, ROWS_MAX, reference, straight};
use crate::tape;

mod events;
mod field;
mod levels;
mod nested;

/// Decodes frames of one market. Keeps nothing between frames but counts.
#[derive(Clone, Debug)]
pub struct Decoder {
    market: Market,
    scanned: u64,
    handed_over: u64,
}

impl Decoder {
    /// A decoder for frames of `market`.
    #[must_use]
    pub fn new(market: Market) -> Self {
        Self { market, scanned: 0, handed_over: 0 }
    }

    /// Well-formed frames that were read key by key: types that are not hot, and hot ones whose keys do
    /// not stand in the usual order. Many of the latter mean that the wire has changed, and that
    /// decoding takes several times as long as it could.
    #[must_use]
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    /// Well-formed frames that the reference decoder had to read, which takes many times as long again.
    #[must_use]
    pub fn handed_over(&self) -> u64 {
        self.handed_over
    }

    /// Decodes one frame into `out`, which is cleared first.
    ///
    /// # Errors
    /// A typed error with byte offset when the frame is malformed; `out` then holds no messages, but
    /// the stream name if it stood before the fault.
    pub fn decode(&mut self, frame: &[u8], out: &mut Decoded) -> Result<(), DecodeError> {
        if tape::is_tape(frame) {
            return tape::read(frame, out);
        }
        out.clear();
        match straight::read(frame, self.market, out) {
            Ok(()) => Ok(()),
            Err(Odd) => self.scan(frame, out),
        }
    }

    /// Decodes a frame key by key, whatever their order.
    pub(super) fn scan(&mut self, frame: &[u8], out: &mut Decoded) -> Result<(), DecodeError> {
        if tape::is_tape(frame) {
            return tape::read(frame, out);
        }
        // The straight reader leaves behind what it had read when it gave up.
        out.clear();
        let scan = Scan::new(frame);
        let mut pass = Pass { scan, market: self.market, stream: StreamKind::Other };
        match pass.frame(out) {
            Ok(()) => {
                self.scanned += 1;
                Ok(())
            }
            Err(Odd) => self.hand_over(frame, out),
        }
    }

    #[cold]
    fn hand_over(&mut self, frame: &[u8], out: &mut Decoded) -> Result<(), DecodeError> {
        let stream = out.stream;
        let result = reference::decode(frame, self.market, out);
        match result {
            Ok(()) => self.handed_over += 1,
            // A cut frame has no stream for the reference, but it was read before the cut.
            Err(_) if out.stream.is_none() => out.stream = stream,
            Err(_) => {}
        }
        result
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
        if self.scan.rest().starts_with(b"{\"stream\":\"") {
            self.envelope(out)?;
        } else {
            self.payload(out, Position::Top)?;
        }
        self.scan.finish()
    }

    /// `{"stream":"…","data":…}`. Other keys may stand around `data`.
    fn envelope(&mut self, out: &mut Decoded) -> Step<()> {
        let mut lead = b'{';
        let (mut stream, mut data) = (false, false);
        while let Some(key) = self.scan.key(&mut lead)? {
            match key {
                b"stream" if !stream => {
                    stream = true;
                    out.stream = self.scan.word()?.ok_or(Odd)?;
                    self.stream = StreamKind::of(self.scan.bytes_of(out.stream));
                }
                b"data" if !data => {
                    data = true;
                    self.payload(out, Position::Inside)?;
                }
                b"stream" | b"data" => return Err(Odd),
                _ => self.scan.skip()?,
            }
        }
        if data { Ok(()) } else { Err(Odd) }
    }

    fn payload(&mut self, out: &mut Decoded, position: Position) -> Step<()> {
        if self.scan.peek() != b'[' {
            return self.row(out, position);
        }
        let mut lead = b'[';
        let mut rows = 0;
        while self.scan.element(&mut lead)? {
            rows += 1;
            if rows > ROWS_MAX {
                return Err(Odd);
            }
            self.row(out, Position::Inside)?;
        }
        Ok(())
    }

    fn row(&mut self, out: &mut Decoded, position: Position) -> Step<()> {
        if self.stream == StreamKind::RpiDepth {
            return Err(Odd);
        }
        let kind = self.guess()?;
        let levels = out.levels.len();
        match self.read(kind, position, out)? {
            Ok((symbol, body)) => out.messages.push(Message { symbol, body }),
            Err(ignored) => {
                out.levels.truncate(levels);
                out.ignored.push(ignored);
            }
        }
        Ok(())
    }

    /// What the first key of a row announces. Every reader verifies it.
    fn guess(&self) -> Step<RowKind> {
        let rest = self.scan.rest();
        if let Some(named) = rest.strip_prefix(b"{\"e\":\"") {
            let end = named.iter().position(|&b| b == b'"').ok_or(Odd)?;
            // Unknown events need no speed.
            return RowKind::named(&named[..end], self.stream).ok_or(Odd);
        }
        if rest.starts_with(b"{\"u\":") {
            return Ok(RowKind::BookTicker);
        }
        if rest.starts_with(b"{\"lastUpdateId\":") {
            let partial = self.stream == StreamKind::PartialDepth;
            return Ok(if partial { RowKind::PartialSnapshot } else { RowKind::Snapshot });
        }
        Err(Odd)
    }

    fn read(
        &mut self,
        kind: RowKind,
        position: Position,
        out: &mut Decoded,
    ) -> Step<Reading<(Span, Body)>> {
        match kind {
            RowKind::Depth | RowKind::PartialDepth => self.depth(kind, position, out),
            RowKind::Snapshot | RowKind::PartialSnapshot => self.snapshot(kind, position, out),
            RowKind::BookTicker => self.book_ticker(position),
            RowKind::Trade => self.trade(position),
            RowKind::AggTrade => self.agg_trade(position),
            RowKind::Mark => self.mark(position),
            RowKind::Liquidation => self.liquidation(position),
            RowKind::Kline => self.kline(position, out),
            // A few a day: not worth a second implementation.
            RowKind::ContractInfo => Err(Odd),
        }
    }

    /// Skips a field that the event does not read.
    fn unknown(&mut self, key: &[u8], position: Position) -> Step<()> {
        // `stream` beside an event would make the row an envelope, with its payload elsewhere.
        if position == Position::Top && key == b"stream" {
            return Err(Odd);
        }
        self.scan.skip()
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// It is the whole frame.
    Top,
    /// In an envelope or an array.
    Inside,
}
