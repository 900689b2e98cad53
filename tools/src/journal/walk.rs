//! All lanes of a journal as one list: each event after the frame that it came from, then what was made of
//! it, stage by stage.
//!
//! ```text
//!  frame ─► event ─► intents ─► verdicts ─► orders ─► next frame …
//! ```

use std::path::Path;

use fusewire_core::journal::{ControlPage, End, LaneReader, Position, Strand, View, segment_name};
use fusewire_core::lane::decode::{self, Decoded};
use fusewire_core::lane::{DecodeError, Lane, RecordKind};
use fusewire_core::units::Nanos;

use crate::outcome::Failure;

/// A record in its place.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its lane.
    pub lane: Lane,
    /// Where it lies there.
    pub position: Position,
    /// When it was appended, in ns of the machine's clock.
    pub stamp_ns: Option<u64>,
    /// The event that it is, or that caused it; of a frame its number. Zero for the header, the last event
    /// for what stands behind it.
    pub seq: u64,
    /// Logical time of that event; receive time of a frame; zero when it is not known.
    pub ts: Nanos,
    /// What it says.
    pub record: Decoded<'a>,
}

/// The next record of one lane, held until its turn.
struct Slot {
    lane: Lane,
    reader: LaneReader,
    full: bool,
    is_left_out: bool,
    /// Its closing record was given out.
    closed: bool,
    kind: u8,
    payload: Vec<u8>,
    stamp_ns: Option<u64>,
    position: Position,
    /// Event or frame that it names.
    number: u64,
    /// Of an event: its frame.
    frame: u64,
}

/// Goes through the lanes of a journal.
pub struct Walk {
    name: String,
    slots: [Slot; Lane::ALL.len()],
    /// How far a live journal may be read.
    limit: Option<u64>,
    seq: u64,
    ts: Nanos,
}

/// Number of a record that stands behind all events.
const BEHIND: u64 = u64::MAX;

impl Walk {
    /// Over what recovery would keep of a journal.
    #[must_use]
    pub fn new(view: &View) -> Self {
        Self::over(&view.dir, |lane| view.reader(lane))
    }

    /// The same without the feed lane.
    #[must_use]
    pub fn without_frames(view: &View) -> Self {
        let mut walk = Self::new(view);
        walk.leave_out_frames();
        walk
    }

    /// Leaves the feed lane out from here on.
    pub fn leave_out_frames(&mut self) {
        self.slots[Lane::Feed as usize].is_left_out = true;
    }

    /// Over the gateway records that recoveries set aside: their orders may be on the wire. Their events are
    /// gone, and their times with them.
    #[must_use]
    pub fn orphans(dir: &Path) -> Self {
        let mut walk = Self::over(dir, |_| LaneReader::new(dir, Strand::Orphans, 1));
        // Without a recovery there are none. Those whose beginning is lost are damage of the whole journal.
        let are_there = dir.join(segment_name(Strand::Orphans, 1)).exists();
        for slot in &mut walk.slots {
            slot.is_left_out = slot.lane != Lane::Gateway || !are_there;
        }
        walk
    }

    /// Over a journal that may be at work: nothing is given out before every stage is done with its event.
    /// `limit` says how far that is, see [`limit_of`].
    #[must_use]
    pub fn live(dir: &Path, first: [u32; Lane::ALL.len()]) -> Self {
        let mut walk =
            Self::over(dir, |lane| LaneReader::new(dir, Strand::Lane(lane), first[lane as usize]));
        walk.limit = Some(0);
        walk
    }

    fn over(dir: &Path, reader: impl Fn(Lane) -> LaneReader) -> Self {
        let slot = |lane| Slot {
            lane,
            reader: reader(lane),
            full: false,
            is_left_out: false,
            closed: false,
            kind: 0,
            payload: Vec::new(),
            stamp_ns: None,
            position: Position::default(),
            number: 0,
            frame: 0,
        };
        let name = dir.display().to_string();
        Self { name, slots: Lane::ALL.map(slot), limit: None, seq: 0, ts: Nanos(0) }
    }

    /// Lets a live journal be read up to this event.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = Some(limit);
    }

    /// The next record; `None` when there is none now.
    ///
    /// # Errors
    /// A lane can not be read or is damaged, or a record says something that this program does not know.
    #[allow(clippy::should_implement_trait)] // It lends, which `Iterator` can not.
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Failure> {
        let name = &self.name;
        let failed = |lane: Lane, what: String| {
            Failure::line(format!("{name}: lane {}: {what}", lane.name()))
        };
        for slot in &mut self.slots {
            slot.fill().map_err(|what| failed(slot.lane, what))?;
        }
        let Some(index) = self.first() else { return Ok(None) };
        let slot = &mut self.slots[index];
        (slot.full, slot.closed) = (false, slot.kind == RecordKind::Close as u8);
        let lane = slot.lane;
        let record = slot.decode().map_err(|error| {
            let place = slot.position.offset();
            failed(lane, format!("segment {} at byte {place}: {error}", slot.position.segment()))
        })?;
        let (seq, ts) = match &record {
            Decoded::Event(event) => {
                (self.seq, self.ts) = (event.seq, event.ts);
                (event.seq, event.ts)
            }
            Decoded::Frame(frame) => (frame.head.frame, frame.head.recv),
            Decoded::FrameRef(frame) => (frame.frame, frame.recv),
            Decoded::Damaged(damaged) => (damaged.frame, damaged.at),
            Decoded::Close(close) => (close.last, self.ts),
            Decoded::Intent(message) => (message.seq, self.ts),
            Decoded::Verdict(verdict) => (verdict.seq, self.ts),
            Decoded::Alert(alert) => (alert.seq, self.ts),
            Decoded::Sent(sent) => (sent.seq, self.ts),
            Decoded::CancelAll { seq } => (*seq, self.ts),
            Decoded::Header(_) | Decoded::Pending(_) => (self.seq, self.ts),
        };
        Ok(Some(Item { lane, position: slot.position, stamp_ns: slot.stamp_ns, seq, ts, record }))
    }

    /// Whether the next record is a header.
    ///
    /// # Errors
    /// As of `next`.
    pub fn peek_is_header(&mut self) -> Result<bool, Failure> {
        let event = &mut self.slots[Lane::Event as usize];
        event.fill().map_err(|what| Failure::line(format!("{}: {what}", self.name)))?;
        Ok(event.full && event.kind == RecordKind::Header as u8)
    }

    /// Which lane's record is next.
    fn first(&self) -> Option<usize> {
        let event = &self.slots[Lane::Event as usize];
        let turn = |slot: &&Slot| {
            let number = if slot.lane == Lane::Feed {
                // Before the event that names it, or a later frame. Without an event, it waits in a live
                // journal, and comes last in one that has ended.
                if event.full && event.frame >= slot.number { event.number } else { BEHIND }
            } else {
                slot.number
            };
            // A frame with the number of its event goes before it.
            (number, slot.lane)
        };
        let slots = self.slots.iter().filter(|slot| slot.full);
        let next = slots.min_by_key(turn)?;
        let is_due = match (self.limit, turn(&next).0) {
            (None, _) => true,
            (Some(_), BEHIND) => self.shows_all_lanes(),
            (Some(limit), number) => number <= limit,
        };
        is_due.then_some(next.lane as usize)
    }

    /// Whether each lane shows what comes next on it. When the next of all stands behind all events, and a lane
    /// shows nothing, then it may still show something whose turn is earlier.
    fn shows_all_lanes(&self) -> bool {
        self.slots.iter().all(|slot| slot.full || slot.closed || slot.is_left_out)
    }
}

impl Slot {
    fn fill(&mut self) -> Result<(), String> {
        if self.full || self.is_left_out || self.closed {
            return Ok(());
        }
        match self.reader.next().map_err(|error| error.to_string())? {
            Ok(record) => {
                self.kind = record.kind;
                self.stamp_ns = record.stamp_ns();
                self.position = record.position;
                self.payload.clear();
                self.payload.extend_from_slice(record.payload);
                self.full = true;
                self.note();
                Ok(())
            }
            // What is behind the last whole record was judged when the journal was opened; a live one comes
            // again.
            Err(End::Unpublished | End::Limit | End::Invalid) => Ok(()),
            Err(End::Segment(damage)) => Err(damage.to_string()),
        }
    }

    /// Where its turn is.
    fn note(&mut self) {
        let number = |at: usize| {
            let eight = self.payload.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            eight.map_or(0, u64::from_le_bytes)
        };
        (self.number, self.frame) = match RecordKind::from_number(self.kind) {
            // Seq, time, receive time, frame.
            Some(RecordKind::Event) => (number(0), number(24)),
            Some(RecordKind::Pending | RecordKind::Close) => (BEHIND, BEHIND),
            Some(RecordKind::Header) => (0, 0),
            Some(
                RecordKind::Frame
                | RecordKind::FrameRef
                | RecordKind::Damaged
                | RecordKind::Intent
                | RecordKind::Verdict
                | RecordKind::Alert
                | RecordKind::Sent
                | RecordKind::CancelAll,
            ) => (number(0), 0),
            None => (0, 0),
        };
    }

    fn decode(&self) -> Result<Decoded<'_>, String> {
        let kind = RecordKind::from_number(self.kind)
            .ok_or_else(|| format!("records of kind {} are not known here", self.kind))?;
        decode::decode(kind, &self.payload).map_err(|error: DecodeError| error.to_string())
    }
}

/// How far every stage of a journal at work is done.
#[must_use]
pub fn limit_of(page: &ControlPage) -> u64 {
    let lanes = [Lane::Event, Lane::Alpha, Lane::Risk, Lane::Gateway];
    let done = lanes.into_iter().map(|lane| page.done[lane as usize].map_or(0, |done| done.seq));
    done.min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fusewire_core::event::{Body, Event};
    use fusewire_core::instrument::Market;
    use fusewire_core::journal::{Appender, Journal, JournalConfig, Opening, RealDisk};
    use fusewire_core::kill::KillSwitch;
    use fusewire_core::lane::{CloseRecord, FrameOrigin, FrameRef, Record};
    use fusewire_core::message::{Feedback, FeedbackBody, FeedbackOrigin};
    use tempfile::TempDir;

    use super::*;

    /// A journal at work whose lanes are filled by hand.
    struct Hand {
        folder: TempDir,
        journal: Journal,
        lanes: [Appender; Lane::ALL.len()],
    }

    impl Hand {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = JournalConfig {
                segment_bytes: 1 << 16,
                feed_segment_bytes: 1 << 16,
                disk_max_bytes: 1 << 24,
                sync_every: Duration::from_secs(1),
                ..JournalConfig::default()
            };
            let opening = Opening {
                dir: folder.path(),
                config: &config,
                session: 7,
                disk: Box::new(RealDisk),
                kill: KillSwitch::new(),
            };
            let (journal, lanes) = Journal::create(opening).unwrap();
            Self { folder, journal, lanes }
        }

        fn put(&mut self, lane: Lane, record: &Record) {
            self.lanes[lane as usize].append(record.kind() as u8, &[record.bytes()], 0);
        }

        fn frame(&mut self, frame: u64) {
            let (recv, origin) = (Nanos(frame), FrameOrigin::Stream);
            let (line, source, market) = (frame, 0, Market::UsdM);
            let known = FrameRef { frame, recv, line, source, market, origin, bytes: 0, crc: 0 };
            self.put(Lane::Feed, &Record::frame_ref(&known));
        }

        /// An event of a frame; of none when that is zero.
        fn event(&mut self, seq: u64, frame: u64) {
            let (ts, recv) = (Nanos(seq), Nanos(seq));
            let event = Event {
                seq,
                ts,
                recv,
                frame,
                instrument: None,
                last: true,
                stamp: Default::default(),
                body: Body::Tick,
            };
            self.put(Lane::Event, &Record::event(&event));
        }

        fn pending(&mut self) {
            let (due, body) = (Nanos(99), FeedbackBody::Wake);
            let (cause_seq, origin, n) = (1, FeedbackOrigin::Venue, 1);
            let feedback = Feedback { due, cause_seq, origin, n, instrument: None, body };
            self.put(Lane::Event, &Record::pending(&feedback));
        }

        fn done(&mut self, seq: u64) {
            self.lanes.iter_mut().for_each(|lane| lane.done(seq));
        }

        fn close(&mut self, lane: Lane) {
            let close = CloseRecord { records: 0, last: 0, digest: [0; 32], header: [0; 32] };
            self.put(lane, &Record::close(&close));
        }

        fn end(self) -> TempDir {
            self.journal.close(self.lanes).unwrap();
            self.folder
        }
    }

    /// What comes next, as far as it goes: `f2` for frame 2, `e3` for event 3, `x1` for what was cancelled at
    /// event 1, `pending`, `close feed`.
    fn all(walk: &mut Walk) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(item) = walk.next().unwrap() {
            found.push(match item.record {
                Decoded::Event(event) => format!("e{}", event.seq),
                Decoded::FrameRef(frame) => format!("f{}", frame.frame),
                Decoded::CancelAll { seq } => format!("x{seq}"),
                Decoded::Pending(_) => "pending".to_owned(),
                Decoded::Close(_) => format!("close {}", item.lane.name()),
                Decoded::Frame(_)
                | Decoded::Damaged(_)
                | Decoded::Header(_)
                | Decoded::Intent(_)
                | Decoded::Verdict(_)
                | Decoded::Alert(_)
                | Decoded::Sent(_) => panic!("none of these was put there"),
            });
        }
        found
    }

    #[test]
    fn a_live_journal_comes_in_the_order_in_which_it_is_going_to_lie() {
        let mut hand = Hand::new();
        let dir = hand.folder.path().to_owned();
        let mut walk = Walk::live(&dir, [1; Lane::ALL.len()]);
        let mut seen = Vec::new();
        let mut look = |expected: &[&str]| {
            let page = ControlPage::read(&dir).unwrap().unwrap();
            walk.set_limit(limit_of(&page));
            let found = all(&mut walk);
            assert_eq!(found, expected);
            seen.extend(found);
        };
        hand.frame(1);
        look(&[]);
        hand.event(1, 1);
        hand.put(Lane::Gateway, &Record::cancel_all(1));
        look(&[]);
        hand.done(1);
        look(&["f1", "e1", "x1"]);
        // A frame without an event waits for the next one that has one: a tick goes before it.
        hand.frame(2);
        look(&[]);
        hand.event(2, 0);
        hand.done(2);
        look(&["e2"]);
        hand.frame(3);
        hand.event(3, 3);
        hand.done(3);
        look(&["f2", "f3", "e3"]);
        // At the end a lane that shows nothing yet may still show something earlier.
        hand.frame(4);
        hand.pending();
        look(&[]);
        for lane in Lane::ALL {
            look(&[]);
            hand.close(lane);
        }
        let closes =
            ["close feed", "pending", "close event", "close alpha", "close risk", "close gateway"];
        look(&[&["f4"][..], &closes].concat());
        look(&[]);
        let folder = hand.end();
        let view = View::open(folder.path()).unwrap();
        assert_eq!(all(&mut Walk::new(&view)), seen);
        let mut closed = Walk::live(folder.path(), [1; Lane::ALL.len()]);
        closed.set_limit(3);
        assert_eq!(all(&mut closed), seen, "the same, however late somebody looks");
        let without: Vec<_> =
            seen.into_iter().filter(|one| !one.starts_with('f') && one != "close feed").collect();
        assert_eq!(all(&mut Walk::without_frames(&view)), without);
    }

    /// A writer that died leaves frames beyond the cut: they are input, and come last.
    #[test]
    fn frames_beyond_the_cut_come_last() {
        let mut hand = Hand::new();
        let dir = hand.folder.path().to_owned();
        (1..=3).for_each(|frame| hand.frame(frame));
        hand.event(1, 1);
        hand.done(1);
        hand.event(2, 2);
        let mut live = Walk::live(&dir, [1; Lane::ALL.len()]);
        live.set_limit(1);
        assert_eq!(all(&mut live), ["f1", "e1"]);
        let Hand { folder, journal, lanes } = hand;
        drop((journal, lanes));
        let view = View::open(folder.path()).unwrap();
        assert_eq!(all(&mut Walk::new(&view)), ["f1", "e1", "f2", "f3"]);
    }
}
