//! A recording that is a row of lines: a file, or another input.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;

use super::cryptofeed::{self, Entry, Frame};
use super::error::{CaptureError, Fault, excerpt};
use super::lines::{LineError, Lines};
use super::origin::{market_of_address, market_of_exchange, market_of_name};
use super::rest::{Answer, Held, Placing};
use super::sidecar::Sidecar;
use super::source::{Packing, Source};
use super::time::{Clock, Unit, UnitSource};
use super::{Format, OpenOptions, Origin, Record, collector};

/// Lines looked at for an address that tells the market, unless a frame comes first.
const MARKET_LINES_MAX: u64 = 64;

/// A reader of lines.
pub(super) struct FileReader {
    name: String,
    path: Option<PathBuf>,
    bytes_total: Option<u64>,
    bytes_taken: Arc<AtomicU64>,
    packing: Packing,
    sidecar: Option<Sidecar>,
    layout: Layout,
    market: Option<Market>,
    /// The caller, the sidecar or the name told the market, so addresses have no say.
    market_given: bool,
    lines: Lines,
    rest_limit: usize,
    held: Held,
    /// The frame of the current line, which waits until the answers before it are given out.
    waiting: Option<StreamFrame>,
    current: Current,
    ended: bool,
}

/// How lines are read.
#[derive(Clone, Copy)]
enum Layout {
    Collector(Clock),
    Json,
    Text,
}

struct StreamFrame {
    recv: Nanos,
    frame: Frame,
}

/// What `record` shows.
enum Current {
    Nothing,
    Stream(StreamFrame),
    Rest(Answer),
}

impl FileReader {
    /// Opens a file and reads as far as its format, unit and market show.
    ///
    /// # Errors
    /// The file or its sidecar can not be read, it is empty or no capture, or its first lines are faulty.
    pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Self, CaptureError> {
        let name = path.display().to_string();
        let failed = |error| CaptureError::Open { file: name.clone(), error };
        let file = File::open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        let sidecar = Sidecar::read(path)?;
        let mut reader = Self::start(&name, Box::new(file), options, sidecar)?;
        // A pipe has neither a canonical path nor a length.
        reader.path = path.canonicalize().ok();
        reader.bytes_total = facts.is_file().then_some(facts.len());
        Ok(reader)
    }

    /// Reads from an open input, such as an embedded sample or standard input. `name` stands in errors;
    /// its last part tells market and unit as a file name does. There is no sidecar.
    ///
    /// # Errors
    /// As `open`.
    pub(super) fn from_read(
        name: &str,
        input: Box<dyn Read + Send>,
        options: &OpenOptions,
    ) -> Result<Self, CaptureError> {
        Self::start(name, input, options, None)
    }

    /// Has the rest of the input unpacked by another thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn read_ahead(&mut self) -> Result<(), CaptureError> {
        let line = self.lines.number();
        let failed = |error| CaptureError::Read { file: self.name.clone(), line, error };
        self.lines.read_ahead().map_err(failed)
    }

    /// The name that it was opened by.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How the recording is laid out.
    pub(super) fn format(&self) -> Format {
        match self.layout {
            Layout::Collector(_) => Format::Collector,
            Layout::Json => Format::CryptofeedJson,
            Layout::Text => Format::CryptofeedText,
        }
    }

    /// The market of the frames; `None` if nothing tells it, and then the frames can not be decoded.
    pub(super) fn market(&self) -> Option<Market> {
        self.market
    }

    /// The unit of a collector's receive times; `None` for cryptofeed, which writes seconds.
    pub(super) fn unit(&self) -> Option<Unit> {
        match self.layout {
            Layout::Collector(clock) => Some(clock.unit),
            Layout::Json | Layout::Text => None,
        }
    }

    /// The sidecar beside the file.
    pub(super) fn sidecar(&self) -> Option<&Sidecar> {
        self.sidecar.as_ref()
    }

    /// Bytes of the file read so far, before decompression.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_taken.load(Ordering::Relaxed)
    }

    /// Bytes of the file when it was opened, before decompression; `None` if it has no length.
    pub(super) fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// The canonical path; `None` if it was not opened from a file.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    pub(super) fn advance(&mut self) -> Result<Option<Nanos>, CaptureError> {
        self.current = Current::Nothing;
        if let Layout::Collector(clock) = self.layout
            && self.waiting.is_none()
            && !self.ended
        {
            return self.advance_line(clock);
        }
        self.advance_any()
    }

    /// Every line of a collector is a frame: nothing waits for another.
    fn advance_line(&mut self, clock: Clock) -> Result<Option<Nanos>, CaptureError> {
        if !self.lines.advance().map_err(|error| self.fail(error))? {
            self.ended = true;
            return Ok(None);
        }
        let line = self.lines.line();
        let (recv, offset) = collector::parse(line, clock)
            .map_err(|fault| fault.at(&self.name, self.lines.number(), line))?;
        self.current = Current::Stream(StreamFrame { recv, frame: Frame::Tail(offset) });
        Ok(Some(recv))
    }

    /// The next frame or answer, whichever comes first.
    fn advance_any(&mut self) -> Result<Option<Nanos>, CaptureError> {
        loop {
            let next = self.waiting.as_ref().map(|frame| frame.recv);
            if let Some(answer) = self.held.take_due(next, self.ended) {
                let recv = answer.recv;
                self.current = Current::Rest(answer);
                return Ok(Some(recv));
            }
            if let Some(frame) = self.waiting.take() {
                self.current = Current::Stream(frame);
                return Ok(next);
            }
            if self.ended {
                return Ok(None);
            }
            self.read_line()?;
        }
    }

    /// The record that `advance` moved to.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        match &self.current {
            Current::Nothing => None,
            Current::Stream(StreamFrame { recv, frame }) => {
                let bytes = frame_bytes(frame, self.lines.line());
                let line = self.lines.number();
                Some(Record { recv: *recv, source: 0, line, origin: Origin::Stream, bytes })
            }
            Current::Rest(Answer { recv, line, url, body }) => {
                let origin = Origin::Rest { url };
                Some(Record { recv: *recv, source: 0, line: *line, origin, bytes: body })
            }
        }
    }

    fn start(
        name: &str,
        input: Box<dyn Read + Send>,
        options: &OpenOptions,
        sidecar: Option<Sidecar>,
    ) -> Result<Self, CaptureError> {
        let file = || name.to_owned();
        let source = Source::open(input).map_err(|error| CaptureError::Read {
            file: file(),
            line: 0,
            error,
        })?;
        if source.packing == Packing::Zip {
            return Err(CaptureError::Zip { file: file() });
        }
        let mut lines = Lines::new(source.bytes, options.limits.line_bytes_max);
        if !lines.advance().map_err(|error| line_error(name, source.packing, &lines, error))? {
            return Err(CaptureError::Empty { file: file() });
        }
        let layout = layout(name, options.unit, sidecar.as_ref(), &lines)?;
        let market = options
            .market
            .or_else(|| sidecar.as_ref().and_then(Sidecar::market))
            .or_else(|| market_of_name(name));
        let rest_limit = options.limits.rest_bytes_max;
        let mut reader = Self {
            name: file(),
            path: None,
            bytes_total: None,
            bytes_taken: source.taken,
            packing: source.packing,
            sidecar,
            layout,
            market,
            market_given: market.is_some(),
            lines,
            rest_limit,
            held: Held::new(placing(layout), rest_limit),
            waiting: None,
            current: Current::Nothing,
            ended: false,
        };
        reader.take_line()?;
        reader.look_for_market()?;
        Ok(reader)
    }

    /// Reads ahead to the first address, but never past a frame, so that nothing has to be put back.
    fn look_for_market(&mut self) -> Result<(), CaptureError> {
        while self.market.is_none()
            && self.waiting.is_none()
            && !self.ended
            && self.lines.number() < MARKET_LINES_MAX
        {
            self.read_line()?;
        }
        Ok(())
    }

    fn read_line(&mut self) -> Result<(), CaptureError> {
        match self.lines.advance() {
            Ok(true) => self.take_line(),
            Ok(false) => {
                self.ended = true;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    #[cold]
    fn fail(&mut self, error: LineError) -> CaptureError {
        self.close();
        line_error(&self.name, self.packing, &self.lines, error)
    }

    /// After an error behind which nothing can be trusted: gives out no more, not even held answers.
    fn close(&mut self) {
        self.ended = true;
        self.held = Held::new(placing(self.layout), self.rest_limit);
    }

    /// Takes in the current line.
    fn take_line(&mut self) -> Result<(), CaptureError> {
        let line = self.lines.line();
        let entry = parse(self.layout, line)
            .map_err(|fault| fault.at(&self.name, self.lines.number(), line))?;
        match entry {
            Entry::Stream(recv, frame) => self.waiting = Some(StreamFrame { recv, frame }),
            Entry::Rest(recv, url, body) => self.hold(recv, url, body)?,
            Entry::Address(address) => self.note_market(market_of_address(&address))?,
            Entry::Exchange(exchange) => self.note_market(market_of_exchange(&exchange))?,
            Entry::Nothing => {}
        }
        Ok(())
    }

    fn hold(&mut self, recv: Nanos, url: String, body: Frame) -> Result<(), CaptureError> {
        self.note_market(market_of_address(&url))?;
        let body = match body {
            Frame::Own(bytes) => bytes,
            Frame::Tail(_) => frame_bytes(&body, self.lines.line()).to_vec(),
        };
        let line = self.lines.number();
        if self.held.hold(Answer { recv, line, url, body }) {
            return Ok(());
        }
        self.close();
        Err(CaptureError::RestTooLarge { file: self.name.clone(), line, limit: self.rest_limit })
    }

    fn note_market(&mut self, told: Option<Market>) -> Result<(), CaptureError> {
        if self.market_given {
            return Ok(());
        }
        match (self.market, told) {
            (Some(first), Some(second)) if first != second => {
                self.close();
                let (file, line) = (self.name.clone(), self.lines.number());
                Err(CaptureError::TwoMarkets { file, line, first, second })
            }
            (None, Some(_)) => {
                self.market = told;
                Ok(())
            }
            (_, None) | (Some(_), Some(_)) => Ok(()),
        }
    }
}

/// What the first line shows about all of them.
fn layout(
    name: &str,
    told: Option<Unit>,
    sidecar: Option<&Sidecar>,
    lines: &Lines,
) -> Result<Layout, CaptureError> {
    let line = lines.line();
    if let Some(digits) = collector::receive_digits(line) {
        let clock = match told_clock(name, told, sidecar) {
            Some(clock) => Ok(clock),
            None => Clock::of_first(digits),
        };
        return clock.map(Layout::Collector).map_err(|fault| fault.at(name, lines.number(), line));
    }
    if cryptofeed::is_json_header(line) {
        return Ok(Layout::Json);
    }
    if cryptofeed::is_text(line) {
        return Ok(Layout::Text);
    }
    let (file, line_number) = (name.to_owned(), lines.number());
    Err(CaptureError::NotACapture { file, line: line_number, excerpt: excerpt(line) })
}

fn told_clock(name: &str, told: Option<Unit>, sidecar: Option<&Sidecar>) -> Option<Clock> {
    let by = |unit: Option<Unit>, source| unit.map(|unit| Clock { unit, source });
    by(told, UnitSource::Caller)
        .or_else(|| by(sidecar.and_then(Sidecar::unit), UnitSource::Sidecar))
        .or_else(|| by(Unit::of_name(name), UnitSource::FileName))
}

fn placing(layout: Layout) -> Placing {
    match layout {
        Layout::Json => Placing::ByTime,
        Layout::Collector(_) | Layout::Text => Placing::InPlace,
    }
}

fn parse(layout: Layout, line: &[u8]) -> Result<Entry, Fault> {
    match layout {
        Layout::Collector(clock) => {
            let (recv, offset) = collector::parse(line, clock)?;
            Ok(Entry::Stream(recv, Frame::Tail(offset)))
        }
        Layout::Json => cryptofeed::parse_json(line),
        Layout::Text => cryptofeed::parse_text(line),
    }
}

fn frame_bytes<'a>(frame: &'a Frame, line: &'a [u8]) -> &'a [u8] {
    match frame {
        Frame::Tail(offset) => &line[*offset..],
        Frame::Own(bytes) => bytes,
    }
}

#[cold]
fn line_error(name: &str, packing: Packing, lines: &Lines, error: LineError) -> CaptureError {
    let (file, line) = (name.to_owned(), lines.number());
    let error = match error {
        LineError::TooLong => {
            return CaptureError::LineTooLong { file, line: line + 1, limit: lines.limit() };
        }
        LineError::Read(error) => error,
    };
    // An error with a number comes from the system, one without from the decompressor.
    if packing == Packing::Plain || error.raw_os_error().is_some() {
        return CaptureError::Read { file, line, error };
    }
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return CaptureError::Truncated { file, line };
    }
    CaptureError::Corrupt { file, line, reason: error.to_string() }
}

#[cfg(test)]
mod tests;
