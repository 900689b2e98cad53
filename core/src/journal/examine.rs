//! What a journal on disk holds: how far each lane verifies, what is damaged, and where the cut is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::behind::{Place, Tail};
use super::control::{CONTROL_NAME, ControlPage, Kept};
use super::cut::cut;
use super::disk::open_plain;
use super::error::{Damage, Fault, JournalError};
use super::layout::{HEAD_BYTES, Position, Start, Strand, segment_name, segment_path};
use super::listing::Listing;
use super::open::is_open;
use super::orphans;
use super::reader::{End, LaneReader, read_head};
use crate::lane::{Lane, RecordKind};

/// How often a journal is looked at that changes hands meanwhile.
const LOOKS: usize = 16;

/// Whether a journal is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every lane has its closing record.
    Closed,
    /// Its writer ended without one.
    Interrupted,
    /// Its writer is at work.
    Open,
}

impl State {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Interrupted => "interrupted",
            Self::Open => "open",
        }
    }
}

/// How far one lane verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// The lane.
    pub lane: Lane,
    /// Its first segment.
    pub first: u32,
    /// Behind the last record that verifies, and belongs to the journal.
    pub end: Position,
    /// Records up to there.
    pub records: u64,
    /// Bytes of those records, heads included.
    pub bytes: u64,
    /// Checksum of the last.
    pub(super) crc: u32,
    /// What stood before the first segment.
    pub(super) start: Start,
    /// The session in the head of the first segment, when there is one.
    pub(super) session: Option<u64>,
    /// The last record closes the lane.
    pub closed: bool,
    /// The last record is one that names no event, other than the header.
    pub(super) ends_otherwise: bool,
    /// The last event (of the feed lane: frame) that a record names.
    pub last: u64,
    /// The first event that names a frame which a power failure took from the feed lane.
    pub(super) unfounded: Option<u64>,
    /// What is wrong behind the end.
    pub damage: Option<Damage>,
}

/// A journal as it can be read.
#[derive(Clone, Debug)]
pub struct View {
    /// Its folder.
    pub dir: PathBuf,
    /// The control page, unless it is damaged.
    pub control: Option<ControlPage>,
    /// Whether it is finished.
    pub state: State,
    /// The lanes, up to the cut.
    pub lanes: [LaneState; Lane::ALL.len()],
    /// The last event that every stage has wholly handled.
    pub cut: u64,
    /// Everything that is damaged.
    pub damage: Vec<Damage>,
    /// The lanes before the cut, as far as they verify.
    pub(super) whole: [LaneState; Lane::ALL.len()],
}

impl View {
    /// Looks at a journal, also at one that is being written.
    ///
    /// # Errors
    /// There is none, or a file can not be read.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let mut looks = 1;
        loop {
            let live = is_open(dir);
            let view = Self::of(dir, live)?;
            if looks == LOOKS || view.still_holds(live) {
                return Ok(view);
            }
            looks += 1;
        }
    }

    /// Looks at a journal whose lock this process holds.
    pub(super) fn of_locked(dir: &Path) -> Result<Self, JournalError> {
        Self::of(dir, false)
    }

    fn of(dir: &Path, live: bool) -> Result<Self, JournalError> {
        let failed = || JournalError::io(dir);
        // Before the lanes: what it says of a live journal is then surely there.
        let control = match ControlPage::read(dir) {
            Ok(page) => page,
            Err(error) if is_nowhere(&error) => Err(Fault::Control),
            Err(error) => return Err(JournalError::io(dir.join(CONTROL_NAME))(error)),
        };
        let listing = Listing::of(dir).map_err(failed())?;
        if !is_journal(dir, &listing) {
            return Err(JournalError::NoJournal { path: dir.to_owned() });
        }
        let mut damage = Vec::new();
        let is_known = control.as_ref().is_ok_and(ControlPage::is_whole);
        if !is_known {
            let fault = control.as_ref().err().copied().unwrap_or(Fault::Control);
            let (file, position) = (CONTROL_NAME.to_owned(), Position::default());
            damage.push(Damage { file, strand: None, position, fault });
        }
        let control = control.ok();
        let place = Place { dir, listing: &listing, control: control.as_ref() };
        let mut whole = Vec::with_capacity(Lane::ALL.len());
        for lane in Lane::ALL {
            let frames = whole.first().filter(|_| lane == Lane::Event && !live);
            whole.push(examine(&place, lane, frames, live).map_err(failed())?);
        }
        let mut whole = <[LaneState; Lane::ALL.len()]>::try_from(whole).expect("one a lane");
        let sound = |lane: &LaneState| lane.closed && lane.damage.is_none();
        let closed = whole.iter().all(sound) && !live;
        if !closed && !is_known && !live && whole.iter().any(|lane| lane.closed) {
            // With the page the watermark would tell a lane that lost its closing record from one that had none.
            whole.iter_mut().for_each(LaneState::miss_close);
        }
        damage.extend(whole.iter().filter_map(|lane| lane.damage.clone()));
        damage.extend(orphans::damage(&place).map_err(failed())?);
        let state = match (closed, live) {
            (true, _) => State::Closed,
            (false, true) => State::Open,
            (false, false) => State::Interrupted,
        };
        let (cut, lanes) = if closed {
            (whole[Lane::Event as usize].last, whole.clone())
        } else {
            cut(dir, &whole, control.as_ref()).map_err(failed())?
        };
        Ok(Self { dir: dir.to_owned(), control, state, lanes, cut, damage, whole })
    }

    /// False when somebody took the journal over, or dropped segments, while it was looked at.
    fn still_holds(&self, live: bool) -> bool {
        let known = |page: &ControlPage| (page.session, page.kept);
        let now = ControlPage::read(&self.dir).ok().and_then(Result::ok);
        is_open(&self.dir) == live && now.as_ref().map(known) == self.control.as_ref().map(known)
    }

    /// The records of a lane, up to the cut.
    #[must_use]
    pub fn reader(&self, lane: Lane) -> LaneReader {
        let state = &self.lanes[lane as usize];
        state.reader(&self.dir)
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> &LaneState {
        &self.lanes[lane as usize]
    }

    /// True when retention dropped the beginning of any lane.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.lanes.iter().any(|lane| lane.first > 1)
    }

    /// How far a lane is done, after the cut.
    pub(super) fn done_of(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Feed => self.lane(lane).last,
            Lane::Event | Lane::Alpha | Lane::Risk | Lane::Gateway => self.cut,
        }
    }

    /// Where each lane begins; one without a segment will begin with one of `session`.
    pub(super) fn kept(&self, session: u64) -> [Kept; Lane::ALL.len()] {
        self.lanes
            .each_ref()
            .map(|lane| Kept { index: lane.first, session: lane.session.unwrap_or(session) })
    }

    /// Segments of all lanes, the oldest first.
    pub(super) fn segments(&self) -> io::Result<Vec<Found>> {
        let mut all = Vec::new();
        for state in self.lanes.iter().filter(|state| state.session.is_some()) {
            let mut changed = (0, 0);
            for index in state.first..=state.end.segment() {
                let found = find(&self.dir, state.strand(), index)?;
                // Within a lane they are in order, whatever was done to the files.
                changed = changed.max(found.0);
                all.push((changed, Found { lane: state.lane, index, ..found.1 }));
            }
        }
        all.sort_by_key(|(changed, _)| *changed);
        Ok(all.into_iter().map(|(_, found)| found).collect())
    }
}

/// A segment on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) lane: Lane,
    pub(super) index: u32,
    pub(super) session: u64,
    pub(super) bytes: u64,
}

/// When a segment was changed last, and what it is.
fn find(dir: &Path, strand: Strand, index: u32) -> io::Result<((i64, i64), Found)> {
    let gone = || io::Error::new(io::ErrorKind::NotFound, segment_name(strand, index));
    let file = open_plain(&segment_path(dir, strand, index))?.ok_or_else(gone)?;
    let session = read_head(&file, strand, index)?.map_or(0, |(head, _)| head.session);
    let facts = file.metadata()?;
    let found = Found { lane: Lane::Feed, index, session, bytes: facts.len() };
    Ok(((facts.mtime(), facts.mtime_nsec()), found))
}

/// True when a folder holds a journal.
pub(super) fn is_journal(dir: &Path, listing: &Listing) -> bool {
    // A link that leads nowhere is a page that can not be read, and not nothing.
    fs::symlink_metadata(dir.join(CONTROL_NAME)).is_ok() || listing.has_lanes()
}

fn is_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl LaneState {
    /// A lane of which nothing is known yet.
    fn new(lane: Lane, first: u32) -> Self {
        Self {
            lane,
            first,
            end: Position::new(first, HEAD_BYTES as u32),
            records: 0,
            bytes: 0,
            crc: 0,
            start: Start::default(),
            session: None,
            closed: false,
            ends_otherwise: false,
            last: 0,
            unfounded: None,
            damage: None,
        }
    }

    /// The same lane without its records.
    pub(super) fn emptied(&self) -> Self {
        let (start, session, damage) = (self.start, self.session, self.damage.clone());
        let (records, crc) = (start.records, start.previous);
        Self { records, crc, start, session, damage, ..Self::new(self.lane, self.first) }
    }

    pub(super) fn strand(&self) -> Strand {
        Strand::Lane(self.lane)
    }

    /// Its records up to the end.
    pub(super) fn reader(&self, dir: &Path) -> LaneReader {
        LaneReader::new(dir, self.strand(), self.first).until(self.end)
    }

    /// Where it ends.
    pub(super) fn tail(&self) -> Tail {
        let tip = Start { records: self.records, previous: self.crc };
        let has_segment = self.session.is_some();
        Tail { strand: self.strand(), end: self.end, tip, has_segment }
    }

    /// Takes a record into the lane, which the reader has just passed.
    pub(super) fn take(&mut self, kind: u8, number: Option<u64>, reader: &LaneReader) {
        self.last = number.unwrap_or(self.last);
        self.closed = kind == RecordKind::Close as u8;
        self.ends_otherwise = number.is_none() && kind != RecordKind::Header as u8;
        self.bytes += bytes_between(self.end, reader.position());
        self.reach(reader);
    }

    fn reach(&mut self, reader: &LaneReader) {
        (self.end, self.records, self.crc) = (reader.position(), reader.records(), reader.crc());
    }

    /// Notes that the lane is damaged from its end on, unless worse is known.
    pub(super) fn harm(&mut self, fault: Fault) {
        self.harm_at(self.end, fault);
    }

    /// Notes damage at a place behind the end, unless worse is known.
    pub(super) fn harm_at(&mut self, position: Position, fault: Fault) {
        let file = segment_name(self.strand(), position.segment());
        let strand = Some(self.strand());
        self.damage.get_or_insert(Damage { file, strand, position, fault });
    }

    /// Other lanes are closed.
    fn miss_close(&mut self) {
        if !self.closed {
            self.harm(Fault::NotClosed);
        }
    }
}

/// What a record names: an event, or a frame.
pub(super) fn number_of(kind: u8, payload: &[u8]) -> Option<u64> {
    use RecordKind as K;
    match RecordKind::from_number(kind)? {
        K::Event
        | K::Intent
        | K::Verdict
        | K::Alert
        | K::Sent
        | K::CancelAll
        | K::Frame
        | K::FrameRef
        | K::Damaged => payload.first_chunk().copied().map(u64::from_le_bytes),
        K::Header | K::Pending | K::Close => None,
    }
}

/// The frame that an event came from; `None` for other records, and for an event without one.
fn frame_of(kind: u8, payload: &[u8]) -> Option<u64> {
    let frame = payload.get(24..)?.first_chunk().copied().map(u64::from_le_bytes)?;
    (kind == RecordKind::Event as u8 && frame > 0).then_some(frame)
}

/// Reads a lane to its end and looks at what is behind. An event lane is held against its frames.
fn examine(
    place: &Place<'_>,
    lane: Lane,
    frames: Option<&LaneState>,
    live: bool,
) -> io::Result<LaneState> {
    let strand = Strand::Lane(lane);
    let kept = place.control.and_then(|page| page.kept).map(|kept| kept[lane as usize]);
    // Without the page the lane begins with what is there.
    let lowest = || place.listing.indexes(strand).next().unwrap_or(1);
    let first = kept.map_or_else(lowest, |kept| kept.index);
    let mut reader =
        LaneReader::new(place.dir, strand, first).begun_by(kept.map(|kept| kept.session));
    let mut state = LaneState::new(lane, first);
    // What was synced has its frames. When frames are missing that were synced, that is damage, and the events
    // stay.
    let is_sound = |feed: &LaneState| place.synced(feed).is_some_and(|synced| synced <= feed.end);
    let synced = place.synced(&state).filter(|_| frames.is_some_and(is_sound));
    let end = loop {
        let (kind, number) = match reader.next()? {
            Ok(record) => {
                let number = number_of(record.kind, record.payload);
                if let (Some(feed), Some(synced)) = (frames, synced)
                    && record.position >= synced
                    && frame_of(record.kind, record.payload).is_some_and(|frame| frame > feed.last)
                {
                    state.unfounded = state.unfounded.or(number);
                }
                (record.kind, number)
            }
            Err(end) => break end,
        };
        if state.closed {
            // Only the first is named: nothing behind a closing record counts.
            state.harm(Fault::BehindClose);
            break End::Invalid;
        }
        state.take(kind, number, &reader);
    };
    if let Some((start, session)) = reader.first() {
        (state.start, state.session) = (start, Some(session));
        if !state.closed && matches!(end, End::Unpublished | End::Invalid) {
            // It may have gone over to a segment that holds nothing yet.
            state.reach(&reader);
        }
    }
    if !live {
        place.judge(&mut state, end)?;
    }
    Ok(state)
}

fn bytes_between(from: Position, to: Position) -> u64 {
    let start = if from.segment() == to.segment() { from.offset() } else { HEAD_BYTES as u32 };
    u64::from(to.offset().saturating_sub(start))
}
