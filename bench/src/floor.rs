//! The floor: the least that a trading program has to do with a frame, in a row and without a pipeline.
//!
//! ```text
//!  frame ─► decode ─► book ─► nine comparisons ─► four journal records ─► one order encoded
//! ```
//!
//! Decoder, book, journal and encoder are ours: the floor moves with them. What it has not is everything that
//! makes a system of them: stages, rings, sequencing, strategies, the portfolio, digests. So it tells what
//! these cost, and no absolute time.

use std::hint::{black_box, spin_loop};
use std::time::Duration;

use fusewire::clock::now_ns;
use fusewire_core::book::{Book, BookConfig, SyncRule, Touch};
use fusewire_core::event::{Body as EventBody, Event};
use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_core::journal::{
    Appender, Journal, JournalConfig, JournalError, Opening, RealDisk, Retention,
};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{FrameOrigin, FrameRef, Lane, Record, RecordKind};
use fusewire_core::latency::Stamp;
use fusewire_core::market::{Body, Decoded, Level, Message};
use fusewire_core::message::{IntentMessage, VerdictMessage};
use fusewire_core::order::{Action, Approved, NewOrder, Side, Verdict};
use fusewire_core::units::{Nanos, ONE, Px, Qty};
use fusewire_io::decode::Decoder;
use fusewire_io::gateway::wire::{OrderEncoder, Request};
use tempfile::TempDir;

use crate::desk::{Desk, two_symbols};
use crate::measure::Subject;
use crate::tape::{Frame, Tape};

/// Different orders of each symbol and side.
const ORDERS: i64 = 8;
const SEGMENT_BYTES: u64 = 16 << 20;
/// Room that each lane has before a frame.
const RESERVE_BYTES: usize = 4_096;

/// The bare program.
pub struct Floor {
    universe: Universe,
    decoder: Decoder,
    out: Decoded,
    books: Vec<Book>,
    limits: Limits,
    orders: Vec<Vec<Approved>>,
    encoder: OrderEncoder,
    request: Request,
    lanes: [Appender; 4],
    seq: u64,
    // Dropped before the folder, which its helper thread writes to.
    _journal: Journal,
    _folder: TempDir,
}

/// What the nine comparisons compare with.
#[derive(Clone, Copy, Debug)]
struct Limits {
    qty: [Qty; 2],
    /// How far from the touch a price may lie.
    band: Px,
    notional: [i128; 2],
    position_max: i128,
    position: i128,
    open: u32,
    open_max: u32,
    age_max: Nanos,
    last: Nanos,
}

impl Floor {
    /// A floor of BTCUSDT and ETHUSDT whose journal lies in the folder for scratch files.
    ///
    /// # Errors
    /// The disk says no.
    pub fn new() -> Result<Self, JournalError> {
        let universe = two_symbols();
        let (folder, journal, lanes) = begin()?;
        let [feed, event, alpha, risk, _] = lanes;
        let book = |(_, instrument): (_, &fusewire_core::instrument::Instrument)| {
            Book::new(SyncRule::Futures, instrument.tick, &BookConfig::default())
        };
        Ok(Self {
            decoder: Decoder::new(Market::UsdM),
            out: Decoded::default(),
            books: universe.iter().map(book).collect(),
            limits: Limits::new(),
            orders: orders(&universe),
            encoder: OrderEncoder::new(&universe).expect("both symbols are short"),
            request: Request::default(),
            lanes: [feed, event, alpha, risk],
            seq: 0,
            universe,
            _journal: journal,
            _folder: folder,
        })
    }

    /// The times of the frames that are asked for by their place, in ns and in order, each from its bytes to
    /// the order's. The others are handled too, for what they do to the books.
    pub fn run(&mut self, tape: &Tape, wanted: impl Fn(usize) -> bool) -> Vec<u64> {
        self.run_after(0, tape, wanted)
    }

    /// The same, where a pause goes before each frame that is asked for: as a thread that is paced does, it looks
    /// at the clock until so many ns are over.
    pub fn run_after(
        &mut self,
        pause_ns: u64,
        tape: &Tape,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<u64> {
        let mut times = Vec::with_capacity(tape.len());
        for (at, frame) in tape.frames().enumerate() {
            self.make_room();
            if pause_ns > 0 && wanted(at) {
                let start = now_ns();
                while now_ns() - start < pause_ns {
                    spin_loop();
                }
            }
            let taken = now_ns();
            black_box(self.take(&frame, taken));
            let spent = now_ns() - taken;
            if wanted(at) {
                times.push(spent);
            }
        }
        times
    }

    /// The same as a subject, without a clock read between two frames.
    pub fn over<'f>(&'f mut self, tape: &'f Tape) -> impl Subject + 'f {
        Row { floor: self, tape }
    }

    /// Waits for the next segment where a lane has no room for a frame. Not measured.
    fn make_room(&mut self) {
        for lane in &mut self.lanes {
            while !lane.ready() {
                assert_eq!(lane.watch().stopped(), None, "the disk has room");
                std::thread::yield_now();
            }
        }
    }

    /// One frame, taken then; the order's bytes are in `request` afterwards. True when the order passed.
    fn take(&mut self, frame: &Frame<'_>, taken: u64) -> bool {
        self.seq += 1;
        let good = self.decoder.decode(black_box(frame.bytes), &mut self.out).is_ok();
        let (mut touch, mut id) = (Touch::default(), InstrumentId(0));
        for at in 0..self.out.messages.len() {
            let message = self.out.messages[at];
            id = self.symbol(&message, frame);
            touch = self.apply(id, &message).unwrap_or(touch);
        }
        let orders = &self.orders[id.index()];
        let approved = orders[self.seq as usize % orders.len()];
        let Action::New(new) = approved.intent().action else { return false };
        let passed = good && self.limits.pass(&new, touch, frame.recv);
        self.limits.last = frame.recv;
        self.record((frame, taken), id, &approved);
        self.encoder.encode(self.seq, 0, &approved, &mut self.request);
        black_box(self.request.as_bytes());
        passed
    }

    fn symbol(&self, message: &Message, frame: &Frame<'_>) -> InstrumentId {
        let name = message.symbol.of(frame.bytes);
        self.universe.find(Market::UsdM, name).unwrap_or_else(|| self.unnamed(frame))
    }

    /// A snapshot names no symbol: it is that of its stream, or the only one of its recording.
    #[cold]
    fn unnamed(&self, frame: &Frame<'_>) -> InstrumentId {
        let stream = self.out.stream.of(frame.bytes);
        let names = |symbol: &str| {
            let start = stream.get(..symbol.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(symbol.as_bytes()))
        };
        let named = self.universe.iter().find(|(_, instrument)| names(&instrument.symbol));
        named.map_or(InstrumentId(u16::from(frame.source > 0)), |(id, _)| id)
    }

    /// Applies what changes a book; the touch by what this message says.
    fn apply(&mut self, id: InstrumentId, message: &Message) -> Option<Touch> {
        let (book, out) = (&mut self.books[id.index()], &self.out);
        match message.body {
            Body::Depth(depth) => {
                book.on_diff(depth.ids, out.bids(depth.levels), out.asks(depth.levels));
                book.touch().ok()
            }
            Body::Snapshot(snapshot) => {
                let levels = snapshot.levels;
                book.on_snapshot(snapshot.last_id, out.bids(levels), out.asks(levels));
                book.touch().ok()
            }
            Body::BookTicker(ticker) => {
                Some(Touch { bid: Some(ticker.bid), ask: Some(ticker.ask) })
            }
            Body::PartialDepth(_)
            | Body::Trade(_)
            | Body::AggTrade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_)
            | Body::Kline(_)
            | Body::ContractInfo(_) => book.touch().ok(),
        }
    }

    /// What a run writes before an order leaves: the frame, the event, the intent and its verdict.
    fn record(&mut self, (frame, taken): (&Frame<'_>, u64), id: InstrumentId, approved: &Approved) {
        let (seq, recv) = (self.seq, frame.recv);
        let reference = FrameRef {
            frame: seq,
            recv,
            line: seq,
            source: 0,
            market: Market::UsdM,
            origin: FrameOrigin::Stream,
            bytes: frame.bytes.len() as u32,
            crc: 0,
        };
        let (instrument, body) = (Some(id), EventBody::Wake);
        let (stamp, last) = (Stamp::default(), false);
        let event = Event { seq, ts: recv, recv, frame: seq, instrument, last, stamp, body };
        let intent = IntentMessage { seq, last: true, intent: *approved.intent() };
        let verdict = Verdict::Approved(*approved);
        let verdict = VerdictMessage { seq, last: true, index: 0, verdict };
        let records = [
            (RecordKind::FrameRef, Record::frame_ref(&reference)),
            (RecordKind::Event, Record::event(&event)),
            (RecordKind::Intent, Record::intent(&intent)),
            (RecordKind::Verdict, Record::verdict(&verdict)),
        ];
        for (lane, (kind, record)) in self.lanes.iter_mut().zip(&records) {
            lane.append(*kind as u8, &[record.bytes()], taken);
        }
    }
}

impl Limits {
    fn new() -> Self {
        Self {
            qty: [Qty(ONE / 1_000), Qty(1_000 * ONE)],
            band: Px(10_000 * ONE),
            notional: [5, 1_000_000].map(|usd| usd * i128::from(ONE) * i128::from(ONE)),
            position_max: 100 * i128::from(ONE),
            position: i128::from(ONE),
            open: 3,
            open_max: 200,
            age_max: Nanos(5 * Nanos::SECOND),
            last: Nanos(0),
        }
    }

    /// Nine comparisons, all of them made.
    fn pass(&self, new: &NewOrder, touch: Touch, now: Nanos) -> bool {
        let price = |level: Option<Level>| level.map_or(Px::ZERO, |level| level.price);
        let (bid, ask) = (price(touch.bid), price(touch.ask));
        let notional = i128::from(new.price.0) * i128::from(new.qty.0);
        let signed = match new.side {
            Side::Buy => i128::from(new.qty.0),
            Side::Sell => -i128::from(new.qty.0),
        };
        (new.qty >= self.qty[0])
            & (new.qty <= self.qty[1])
            & (new.price.0 <= ask.0.saturating_add(self.band.0))
            & (new.price.0 >= bid.0.saturating_sub(self.band.0))
            & (notional >= self.notional[0])
            & (notional <= self.notional[1])
            & ((self.position + signed).abs() <= self.position_max)
            & (self.open < self.open_max)
            & (now.since(self.last) <= i128::from(self.age_max.0))
    }
}

/// All frames of a tape in a row; waiting for journal segments is in the time.
struct Row<'f> {
    floor: &'f mut Floor,
    tape: &'f Tape,
}

impl Subject for Row<'_> {
    fn units(&self) -> u64 {
        self.tape.len() as u64
    }

    fn pass(&mut self) {
        for frame in self.tape.frames() {
            self.floor.make_room();
            black_box(self.floor.take(&frame, 0));
        }
    }
}

/// Orders of each symbol, as a risk stage let them through.
fn orders(universe: &Universe) -> Vec<Vec<Approved>> {
    let mut desk = Desk::new(universe, &[Px(60_000 * ONE), Px(2_500 * ONE)]);
    let mut of = |id: InstrumentId| -> Vec<Approved> {
        let kinds = (1..=ORDERS).flat_map(|n| Side::ALL.map(|side| (side, 10 + n)));
        kinds
            .map(|(side, distance)| {
                let new = desk.new_order(id, side, distance);
                desk.approve(id, new)
            })
            .collect()
    };
    universe.iter().map(|(id, _)| of(id)).collect()
}

type Begun = (TempDir, Journal, [Appender; Lane::ALL.len()]);

/// A journal in a scratch folder. Nothing is synced while it is measured, as in a replay.
fn begin() -> Result<Begun, JournalError> {
    let folder = tempfile::tempdir()
        .map_err(|error| JournalError::Io { path: std::env::temp_dir(), error })?;
    let config = JournalConfig {
        segment_bytes: SEGMENT_BYTES,
        feed_segment_bytes: SEGMENT_BYTES,
        disk_max_bytes: 32 * SEGMENT_BYTES,
        retention: Retention::DropOldest,
        sync_every: Duration::from_secs(3_600),
        reserve: [RESERVE_BYTES; Lane::ALL.len()],
    };
    let opening = Opening {
        dir: folder.path(),
        config: &config,
        session: 1,
        disk: Box::new(RealDisk),
        kill: KillSwitch::new(),
    };
    let (journal, lanes) = Journal::create(opening)?;
    Ok((folder, journal, lanes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Recordings;

    #[test]
    fn every_frame_of_the_sample_gives_one_order() {
        let tape = Tape::load(&Recordings::sample()).unwrap();
        let mut floor = Floor::new().unwrap();
        let times = floor.run(&tape, |at| at % 2 == 0);
        assert_eq!(times.len(), tape.len().div_ceil(2));
        assert_eq!(floor.seq, tape.len() as u64);
        assert!(floor.books.iter().all(|book| book.touch().is_ok()), "both books are in step");
        let text = std::str::from_utf8(floor.request.as_bytes()).unwrap();
        assert!(text.starts_with(&format!("{{\"id\":\"{}.0\"", tape.len())), "{text}");
        assert_eq!(floor.decoder.handed_over(), 0, "the slow decoder ran");
    }

    #[test]
    fn each_comparison_can_fail() {
        let (limits, now) = (Limits::new(), Nanos(1));
        let level = |price: i64| Some(Level { price: Px(price * ONE), qty: Qty(ONE) });
        let touch = Touch { bid: level(60_000), ask: level(60_001) };
        let new = orders(&two_symbols())[0][0].intent().action;
        let Action::New(new) = new else { panic!("{new:?}") };
        assert!(limits.pass(&new, touch, now));
        let with = |change: &dyn Fn(&mut NewOrder)| {
            let mut other = new;
            change(&mut other);
            limits.pass(&other, touch, now)
        };
        assert!(!with(&|new| new.qty = Qty(1)) && !with(&|new| new.qty = Qty(2_000 * ONE)));
        assert!(!with(&|new| new.price = Px(80_000 * ONE)));
        assert!(!with(&|new| new.price = Px(40_000 * ONE)));
        assert!(!with(&|new| new.qty = Qty(150 * ONE)), "position and notional");
        assert!(!limits.pass(&new, touch, Nanos(10 * Nanos::SECOND)));
        assert!(!Limits { open: 200, ..limits }.pass(&new, touch, now));
        assert!(!Limits { notional: [1 << 100, i128::MAX], ..limits }.pass(&new, touch, now));
    }
}
