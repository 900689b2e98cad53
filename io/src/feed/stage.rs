//! The feed stage over recordings: one frame at a time, decoded and pushed to the sequencer.
//!
//! Every frame gives at least one input, so that time moves on with frames that say nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fusewire_core::book::Invalid;
use fusewire_core::instrument::{InstrumentId, Market};
use fusewire_core::journal::crc32c;
use fusewire_core::lane::{
    Damaged, FrameHead, FrameOrigin, FrameRef, Keep, LaneWriter, Record as LaneRecord, RecordKind,
};
use fusewire_core::latency::FeedProbe;
use fusewire_core::market::{Decoded, Level, LevelRange, Message};
use fusewire_core::message::{BookInput, Input, InputBody};
use fusewire_core::ring::LevelsProducer;
use fusewire_core::runner::Source;
use fusewire_core::stage::{Horizon, Stage};
use fusewire_core::units::Nanos;

use super::early::Early;
use super::pace::{Pacer, Release};
use super::{Context, Doubt, Feed, Malformed};
use crate::capture::{CaptureError, Merge, Origin, Record};

/// What an open recording says about its frames.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its name in errors.
    pub path: String,
    /// Market of its frames.
    pub market: Market,
    /// The only symbol of the recording, if it has one.
    pub only_symbol: Option<String>,
    /// The instruments that it feeds.
    pub instruments: Vec<InstrumentId>,
}

impl Recording {
    fn context<'a>(&'a self, record: &Record<'a>) -> Context<'a> {
        let only_symbol = self.only_symbol.as_deref();
        Context { market: self.market, origin: record.origin, only_symbol }
    }
}

/// How a journal keeps frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameStore {
    /// By where in the capture they lie.
    #[default]
    Reference,
    /// Whole.
    Copy,
}

/// What went wrong on the way in and was passed over.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Malformed frames by stream; empty name for frames that name none.
    pub stale_streams: BTreeMap<String, u64>,
    /// Lines and tails that could not be read.
    pub damaged: u64,
}

/// Frames between two progress reports.
const PROGRESS_EVERY: u64 = 4_096;
/// Streams that are listed as stale one by one; the rest share one entry.
const STALE_STREAMS_MAX: usize = 1_024;

/// The feed stage.
pub struct FeedStage {
    merge: Merge,
    recordings: Vec<Recording>,
    feed: Feed,
    outbox: Inputs,
    lane: LaneWriter,
    store: FrameStore,
    /// Receive time of the latest frame: what a damaged line counts as of.
    recv: Nanos,
    faults: Faults,
    /// Told the bytes read so far, now and then.
    progress: Option<Box<dyn FnMut(u64) + Send>>,
    early: Early,
    /// Releases frames by their time; without it they go on at once.
    pacer: Option<Pacer>,
    /// Told when the next frame was received, before that is taken.
    horizon: Option<Horizon>,
    /// The end: all frames read, or an input that can no longer be read.
    ended: Option<Result<(), CaptureError>>,
}

impl FeedStage {
    /// A stage over `merge`, whose readers `recordings` describe in the same order.
    #[must_use]
    pub fn new(
        merge: Merge,
        recordings: Vec<Recording>,
        feed: Feed,
        output: LevelsProducer<Input>,
        keep: Keep,
    ) -> Self {
        assert_eq!(merge.readers().len(), recordings.len(), "each reader is described");
        Self {
            merge,
            recordings,
            feed,
            outbox: Inputs::new(output),
            lane: LaneWriter::new(keep),
            store: FrameStore::default(),
            recv: Nanos(0),
            faults: Faults::default(),
            progress: None,
            early: Early::default(),
            pacer: None,
            horizon: None,
            ended: None,
        }
    }

    /// The same stage, telling the bytes read so far every few thousand frames.
    #[must_use]
    pub fn telling(mut self, progress: Box<dyn FnMut(u64) + Send>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The same stage, which ends when the flag is set: between two frames, as if the capture ended there.
    #[must_use]
    pub fn stopping(mut self, stop: Arc<AtomicBool>) -> Self {
        self.early.stop = Some(stop);
        self
    }

    /// The same stage, which takes no frame received later than this, as if the capture ended before it.
    #[must_use]
    pub fn until(mut self, until: Option<Nanos>) -> Self {
        self.early.until = until;
        self
    }

    /// The same stage, which hands frames on by their time.
    #[must_use]
    pub fn paced(mut self, pacer: Pacer) -> Self {
        self.pacer = Some(pacer);
        self
    }

    /// The same stage, which tells of each frame before it takes it, see `Source::foretell`.
    #[must_use]
    pub fn foretelling(mut self, horizon: Horizon) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Measures with this from here on.
    pub fn measure(&mut self, probe: FeedProbe) {
        self.outbox.probe = probe;
    }

    /// The same stage, keeping frames in a journal in this way.
    #[must_use]
    pub fn storing(mut self, store: FrameStore) -> Self {
        self.store = store;
        self
    }

    /// Decoders and counts.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Bytes read from all recordings so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.merge.readers().iter().map(crate::capture::Reader::bytes_read).sum()
    }

    /// What went wrong and was passed over.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Frames with more levels than a ring holds: their book is invalidated instead.
    #[must_use]
    pub fn oversized(&self) -> u64 {
        self.outbox.oversized
    }

    /// The feed lane.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.lane
    }

    /// The feed lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.lane
    }

    /// Why the inputs ended before their end, if they did.
    ///
    /// # Errors
    /// An input can no longer be read.
    pub fn finish(&mut self) -> Result<(), CaptureError> {
        self.ended.take().unwrap_or(Ok(()))
    }

    fn may_take(&mut self) -> bool {
        self.outbox.is_empty() && self.ended.is_none() && self.lane.ready()
    }

    /// Takes the next frame, if it is due; false when it is not.
    fn take_due(&mut self) -> bool {
        match self.early.is_over(&mut self.merge) {
            Ok(false) => {}
            Ok(true) => {
                self.ended = Some(Ok(()));
                return true;
            }
            Err(error) => {
                self.fault(error);
                return true;
            }
        }
        let Some(pacer) = &mut self.pacer else {
            self.take_record(None);
            return true;
        };
        match self.merge.peek() {
            Ok(Some(recv)) => match pacer.release(recv) {
                Release::Now(due) => self.take_record(due),
                Release::Later => return false,
            },
            Ok(None) => self.ended = Some(Ok(())),
            Err(error) => self.fault(error),
        }
        true
    }

    /// Takes the next frame, which was due then.
    fn take_record(&mut self, due: Option<u64>) {
        match self.merge.next() {
            Ok(Some(record)) => {
                let recording = &self.recordings[record.source];
                self.recv = record.recv;
                self.lane.stamp(self.outbox.probe.take(due));
                append_frame(&mut self.lane, self.store, recording.market, &record);
                let outbox = &mut self.outbox;
                outbox.begin(record.recv, self.lane.records());
                let context = recording.context(&record);
                let sink = |id, message: &Message, decoded: &Decoded| {
                    outbox.message(id, message, decoded);
                };
                if let Err(malformed) = self.feed.take(record.bytes, &context, sink) {
                    doubt(outbox, recording, &malformed);
                    count_stale(&mut self.faults.stale_streams, malformed.stream);
                }
                outbox.end();
            }
            Ok(None) => self.ended = Some(Ok(())),
            Err(error) => self.fault(error),
        }
    }

    /// Damage is passed over; anything else ends the input.
    #[cold]
    fn fault(&mut self, error: CaptureError) {
        if error.is_damage() {
            self.damage(&error);
        } else {
            self.ended = Some(Err(error));
        }
    }

    #[cold]
    fn tell(&mut self) {
        let bytes = self.bytes_read();
        if let Some(progress) = &mut self.progress {
            progress(bytes);
        }
    }

    /// A line that can not be read may have been any frame of its recording.
    #[cold]
    fn damage(&mut self, error: &CaptureError) {
        self.faults.damaged += 1;
        let source = |path: &String| self.recordings.iter().position(|r| r.path == *path);
        let damaged = Damaged {
            frame: self.lane.records() + 1,
            at: self.recv,
            line: error.line().unwrap_or_default(),
            source: error.file().and_then(source).map_or(u16::MAX, source_number),
            text: &error.to_string(),
        };
        let (head, text) = (damaged.encode(), damaged.kept_text());
        self.lane.append_as(&[b"damaged"], RecordKind::Damaged, &[&head, text]);
        self.outbox.begin(self.recv, self.lane.records());
        let of_file = |recording: &&Recording| error.file() == Some(&recording.path);
        for recording in self.recordings.iter().filter(of_file) {
            self.outbox.invalidate_all(recording);
        }
        self.outbox.end();
    }
}

impl Stage for FeedStage {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn poll(&mut self) -> usize {
        let flushed = self.outbox.flush();
        if self.may_take() && self.take_due() {
            self.lane.done(self.lane.records());
            if self.lane.records().is_multiple_of(PROGRESS_EVERY) {
                self.tell();
            }
            return flushed + 1;
        }
        flushed
    }

    fn rest(&mut self) -> usize {
        self.lane.rest()
    }
}

impl Source for FeedStage {
    fn ended(&self) -> bool {
        self.ended.is_some() && self.outbox.is_empty()
    }

    fn foretell(&mut self) {
        if self.horizon.is_none() || self.early.is_stopped() || !self.may_take() {
            return;
        }
        match (self.merge.peek(), &self.horizon) {
            (Ok(Some(recv)), Some(horizon)) if !self.early.cuts_off(recv) => horizon.advance(recv),
            (Ok(_), _) => {}
            (Err(error), _) => {
                self.fault(error);
                self.lane.done(self.lane.records());
            }
        }
    }
}

/// Puts a frame on the lane. The digest is over the frame as received, however a journal keeps it.
fn append_frame(lane: &mut LaneWriter, store: FrameStore, market: Market, record: &Record<'_>) {
    let (recv, number) = (record.recv.0.to_le_bytes(), [market as u8]);
    let digested: [&[u8]; 3] = [&recv, &number, record.bytes];
    let (frame, source) = (lane.records() + 1, source_number(record.source));
    let url = match record.origin {
        Origin::Stream => None,
        Origin::Rest { url } => Some(url),
    };
    let Record { recv, line, bytes, .. } = *record;
    if store == FrameStore::Copy {
        let head = FrameHead { frame, recv, line, source, market, url };
        if let Some(encoded) = head.encode() {
            let stored: [&[u8]; 3] = [&encoded, head.address(), bytes];
            return lane.append_as(&digested, RecordKind::Frame, &stored);
        }
        // An address too long for a copy (64 KiB) is found again where it came from.
    }
    let origin = if url.is_some() { FrameOrigin::Rest } else { FrameOrigin::Stream };
    // Without a journal nobody asks for the checksum.
    let crc = if lane.watch().is_some() { crc32c(bytes) } else { 0 };
    let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let reference = FrameRef { frame, recv, line, source, market, origin, bytes, crc };
    let stored = LaneRecord::frame_ref(&reference);
    lane.append_as(&digested, RecordKind::FrameRef, &[stored.bytes()]);
}

/// The number of a source in records: a merge has at most `SOURCES_MAX`.
fn source_number(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// A malformed frame may have been a change of a book: unknown is unsafe.
#[cold]
fn doubt(outbox: &mut Inputs, recording: &Recording, malformed: &Malformed) {
    match malformed.doubt {
        Doubt::None => {}
        Doubt::One(id) => outbox.invalidate(id),
        Doubt::All => outbox.invalidate_all(recording),
    }
}

#[cold]
fn count_stale(streams: &mut BTreeMap<String, u64>, stream: String) {
    let room = streams.len() < STALE_STREAMS_MAX || streams.contains_key(&stream);
    *streams.entry(if room { stream } else { "(other)".to_owned() }).or_default() += 1;
}

/// The inputs of one frame on their way to the ring. Most frames go straight through; what finds no room
/// waits here, levels and all. An array frame has at most as many rows as a line of the capture holds.
struct Inputs {
    output: LevelsProducer<Input>,
    waiting: VecDeque<(Input, LevelRange)>,
    levels: Vec<Level>,
    recv: Nanos,
    frame: u64,
    said: bool,
    oversized: u64,
    probe: FeedProbe,
}

impl Inputs {
    fn new(output: LevelsProducer<Input>) -> Self {
        Self {
            output,
            waiting: VecDeque::new(),
            levels: Vec::new(),
            recv: Nanos(0),
            frame: 0,
            said: false,
            oversized: 0,
            probe: FeedProbe::default(),
        }
    }

    fn begin(&mut self, recv: Nanos, frame: u64) {
        (self.recv, self.frame, self.said) = (recv, frame, false);
    }

    fn end(&mut self) {
        if !self.said {
            self.put(InstrumentId(0), &[], &[], || InputBody::Nothing);
        }
    }

    fn message(&mut self, id: InstrumentId, message: &Message, decoded: &Decoded) {
        let levels = InputBody::levels_of(&message.body);
        let (bids, asks) = (decoded.bids(levels), decoded.asks(levels));
        self.put(id, bids, asks, || InputBody::of(&message.body, decoded));
    }

    fn invalidate(&mut self, id: InstrumentId) {
        self.put(id, &[], &[], || InputBody::Book(BookInput::Invalidate(Invalid::Malformed)));
    }

    fn invalidate_all(&mut self, recording: &Recording) {
        for &id in &recording.instruments {
            self.invalidate(id);
        }
    }

    fn put(
        &mut self,
        instrument: InstrumentId,
        bids: &[Level],
        asks: &[Level],
        body: impl Fn() -> InputBody,
    ) {
        if bids.len() + asks.len() > self.output.levels_max() {
            self.oversized += 1;
            return self.invalidate(instrument);
        }
        self.said = true;
        let (recv, frame, stamp) = (self.recv, self.frame, self.probe.pass());
        let input = || Input { recv, frame, instrument, stamp, body: body() };
        if self.waiting.is_empty() && self.output.push_with(input, bids, asks) {
            return;
        }
        let count = |side: &[Level]| u32::try_from(side.len()).unwrap_or(u32::MAX);
        let start = count(&self.levels);
        self.levels.extend_from_slice(bids);
        self.levels.extend_from_slice(asks);
        let range = LevelRange { start, bids: count(bids), asks: count(asks) };
        self.waiting.push_back((input(), range));
    }

    fn flush(&mut self) -> usize {
        let mut moved = 0;
        while let Some((input, range)) = self.waiting.front() {
            let start = range.start as usize;
            let middle = start + range.bids as usize;
            let (bids, asks) =
                (&self.levels[start..middle], &self.levels[middle..middle + range.asks as usize]);
            if !self.output.push(*input, bids, asks) {
                return moved;
            }
            self.waiting.pop_front();
            moved += 1;
        }
        self.levels.clear();
        moved
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
