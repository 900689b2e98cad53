//! What a journal on disk holds: how far each lane verifies, what is damaged, and where the cut is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::control::{CONTROL_NAME, ControlPage, Done};
use super::error::{Damage, Fault, JournalError};
use super::layout::{
    HEAD_BYTES, Head, Position, Start, Strand, segment_index, segment_name, segment_path,
};
use super::open::is_open;
use super::reader::{End, LaneReader, find_record};
use crate::lane::{Lane, RecordKind};

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
    /// The last record closes the lane.
    pub closed: bool,
    /// The last event (of the feed lane: frame) that a record names.
    pub last: u64,
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

/// Lanes whose records name events.
pub(super) const CUT_LANES: [Lane; 4] = [Lane::Event, Lane::Alpha, Lane::Risk, Lane::Gateway];

impl View {
    /// Looks at a journal, also at one that is being written.
    ///
    /// # Errors
    /// There is none, or a file can not be read.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        Self::of(dir, is_open(dir))
    }

    /// Looks at a journal whose lock this process holds.
    pub(super) fn of_locked(dir: &Path) -> Result<Self, JournalError> {
        Self::of(dir, false)
    }

    fn of(dir: &Path, live: bool) -> Result<Self, JournalError> {
        if !is_journal(dir) {
            return Err(JournalError::NoJournal { path: dir.to_owned() });
        }
        let failed = || JournalError::io(dir);
        // Before the lanes: what it says of a live journal is then surely there.
        let control = match ControlPage::read(dir) {
            Ok(page) => page,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::Control),
            Err(error) => return Err(failed()(error)),
        };
        let mut damage = Vec::new();
        if !control.as_ref().is_ok_and(ControlPage::is_whole) {
            let fault = control.as_ref().err().copied().unwrap_or(Fault::Control);
            let (file, position) = (CONTROL_NAME.to_owned(), Position::default());
            damage.push(Damage { file, strand: None, position, fault });
        }
        let control = control.ok();
        let mut whole = Vec::with_capacity(Lane::ALL.len());
        for lane in Lane::ALL {
            whole.push(examine(dir, lane, control.as_ref(), live).map_err(failed())?);
        }
        let mut whole = <[LaneState; Lane::ALL.len()]>::try_from(whole).expect("one a lane");
        let closed = whole.iter().any(|lane| lane.closed) && !live;
        if closed {
            whole.iter_mut().for_each(LaneState::miss_close);
        }
        damage.extend(whole.iter().filter_map(|lane| lane.damage.clone()));
        let state = match (closed && damage.is_empty(), live) {
            (true, _) => State::Closed,
            (false, true) => State::Open,
            (false, false) => State::Interrupted,
        };
        let (cut, lanes) = if state == State::Closed {
            (whole[Lane::Event as usize].last, whole.clone())
        } else {
            cut(dir, &whole, control.as_ref()).map_err(failed())?
        };
        Ok(Self { dir: dir.to_owned(), control, state, lanes, cut, damage, whole })
    }

    /// The records of a lane, up to the cut.
    #[must_use]
    pub fn reader(&self, lane: Lane) -> LaneReader {
        let state = &self.lanes[lane as usize];
        LaneReader::new(&self.dir, Strand::Lane(lane), state.first).until(state.end)
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

    /// Segments of all lanes with their bytes, oldest first within a lane.
    pub(super) fn segments(&self) -> impl Iterator<Item = (Lane, u32, u64)> {
        self.lanes.iter().flat_map(|state| {
            (state.first..=state.end.segment()).map(|index| {
                let path = segment_path(&self.dir, Strand::Lane(state.lane), index);
                (state.lane, index, fs::metadata(path).map_or(0, |facts| facts.len()))
            })
        })
    }
}

/// True when a folder holds a journal.
fn is_journal(dir: &Path) -> bool {
    dir.join(CONTROL_NAME).exists()
        || Lane::ALL.iter().any(|lane| !indexes(dir, Strand::Lane(*lane)).is_empty())
}

/// Numbers of the segments of a strand, in order.
pub(super) fn indexes(dir: &Path, strand: Strand) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<u32> = entries
        .filter_map(|entry| segment_index(strand, entry.ok()?.file_name().to_str()?))
        .collect();
    found.sort_unstable();
    found
}

impl LaneState {
    fn strand(&self) -> Strand {
        Strand::Lane(self.lane)
    }

    /// Notes that the lane is damaged from its end on, unless worse is known.
    fn harm(&mut self, fault: Fault) {
        let position = self.end;
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
        | K::Sent
        | K::CancelAll
        | K::Frame
        | K::FrameRef
        | K::Damaged => payload.first_chunk().copied().map(u64::from_le_bytes),
        K::Header | K::Pending | K::Close => None,
    }
}

/// Reads a lane to its end and looks at what is behind.
fn examine(
    dir: &Path,
    lane: Lane,
    control: Option<&ControlPage>,
    live: bool,
) -> io::Result<LaneState> {
    let strand = Strand::Lane(lane);
    let first = control.and_then(|page| page.kept).map_or(1, |kept| kept[lane as usize]);
    let mut reader = LaneReader::new(dir, strand, first);
    let mut state = LaneState {
        lane,
        first,
        end: reader.position(),
        records: 0,
        bytes: 0,
        crc: 0,
        closed: false,
        last: 0,
        damage: None,
    };
    let end = loop {
        match reader.next()? {
            Ok(record) if state.closed => {
                // Only the first is named: nothing behind a closing record counts.
                let _ = record;
                break End::Invalid;
            }
            Ok(record) => {
                state.last = number_of(record.kind, record.payload).unwrap_or(state.last);
                state.closed = record.kind == RecordKind::Close as u8;
            }
            Err(end) => break end,
        }
        state.bytes += bytes_between(state.end, reader.position());
        (state.end, state.records, state.crc) = (reader.position(), reader.records(), reader.crc());
    };
    if !live {
        behind(dir, &mut state, end, control)?;
    }
    Ok(state)
}

fn bytes_between(from: Position, to: Position) -> u64 {
    let start = if from.segment() == to.segment() { from.offset() } else { HEAD_BYTES as u32 };
    u64::from(to.offset() - start)
}

/// Tells an end from damage.
fn behind(
    dir: &Path,
    state: &mut LaneState,
    end: End,
    control: Option<&ControlPage>,
) -> io::Result<()> {
    if let End::Segment(damage) = end {
        state.damage = Some(damage);
        return Ok(());
    }
    if state.closed {
        if end == End::Invalid || has_more(dir, state)? {
            state.harm(Fault::BehindClose);
        }
        return Ok(());
    }
    if has_record_behind(dir, state)? {
        state.harm(Fault::Record);
    }
    let synced = control.and_then(|page| page.synced).map(|lanes| lanes[state.lane as usize]);
    if synced.is_some_and(|synced| synced.position > state.end) {
        state.harm(Fault::Short);
    }
    Ok(())
}

/// True when anything at all stands behind the end of a closed lane.
fn has_more(dir: &Path, state: &LaneState) -> io::Result<bool> {
    let path = segment_path(dir, state.strand(), state.end.segment());
    let longer = fs::metadata(path)?.len() > u64::from(state.end.offset());
    Ok(longer
        || indexes(dir, state.strand()).last().is_some_and(|last| *last > state.end.segment()))
}

/// True when a record verifies behind the end, in this segment or a later one that is in use.
fn has_record_behind(dir: &Path, state: &LaneState) -> io::Result<bool> {
    let strand = state.strand();
    for index in indexes(dir, strand) {
        if index < state.end.segment() {
            continue;
        }
        let bytes = fs::read(segment_path(dir, strand, index))?;
        let Ok(head) = Head::decode(&bytes) else { continue };
        let in_use = Start::decode(&bytes).is_ok_and(|start| start.is_some());
        if index > state.end.segment() {
            if in_use {
                return Ok(true);
            }
            continue;
        }
        // The place itself holds no record; one behind it does, or there is only what was never published.
        let from = state.end.offset() as usize + 8;
        if find_record(&bytes, head.seed(), from).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where an interrupted journal is cut, and its lanes then.
fn cut(
    dir: &Path,
    whole: &[LaneState; Lane::ALL.len()],
    control: Option<&ControlPage>,
) -> io::Result<(u64, [LaneState; Lane::ALL.len()])> {
    let done = |lane: Lane| {
        let state = &whole[lane as usize];
        // The last event that a record names may have had more records.
        let shown = state.last.saturating_sub(1);
        match control.and_then(|page| page.done[lane as usize]) {
            Some(Done { seq, position, .. }) if position <= state.end => seq,
            Some(Done { seq, .. }) => shown.min(seq),
            None => shown,
        }
    };
    let cut = CUT_LANES.into_iter().map(done).min().unwrap_or_default();
    let mut lanes = whole.clone();
    for lane in CUT_LANES {
        let state = &mut lanes[lane as usize];
        if state.last > cut || state.closed {
            shorten(dir, state, cut)?;
        }
    }
    Ok((cut, lanes))
}

/// Takes what names events beyond the cut off a lane, and its closing.
fn shorten(dir: &Path, state: &mut LaneState, cut: u64) -> io::Result<()> {
    let mut reader = LaneReader::new(dir, state.strand(), state.first).until(state.end);
    let mut short =
        LaneState { records: 0, bytes: 0, crc: 0, closed: false, last: 0, ..state.clone() };
    short.end = reader.position();
    while let Ok(record) = reader.next()? {
        let number = number_of(record.kind, record.payload);
        let kept = record.kind == RecordKind::Header as u8 || number.is_some_and(|n| n <= cut);
        if !kept {
            break;
        }
        short.last = number.unwrap_or(short.last);
        short.bytes += bytes_between(short.end, reader.position());
        (short.end, short.records, short.crc) = (reader.position(), reader.records(), reader.crc());
    }
    *state = short;
    Ok(())
}
