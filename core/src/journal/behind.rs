//! What stands behind the end of a lane: nothing, the rest of a record that was never published, or signs that
//! the lane went on.

use std::fs::File;
use std::io;
use std::path::Path;

use super::checksum::Seed;
use super::config::JournalConfig;
use super::control::ControlPage;
use super::disk::{open_plain, read_fully};
use super::error::Fault;
use super::examine::LaneState;
use super::layout::{
    END_MARK_BYTES, GOES_ON, HEAD_BYTES, Position, RECORD_HEAD_BYTES, Start, Strand, segment_path,
    u32_at,
};
use super::listing::Listing;
use super::reader::{End, is_length, read_head, verify};

/// Bytes that are looked through at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// How many times over the bytes behind an end are checksummed at most in search of a record.
const SEARCH_ROUNDS: usize = 8;

/// Where a strand ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) strand: Strand,
    pub(super) end: Position,
    /// What a segment that goes on there says.
    pub(super) tip: Start,
    /// The segment that it ends in is one of its own. False only for one that it would begin in.
    pub(super) has_segment: bool,
}

/// Where a lane is looked for.
pub(super) struct Place<'a> {
    pub(super) dir: &'a Path,
    pub(super) listing: &'a Listing,
    pub(super) control: Option<&'a ControlPage>,
}

impl Place<'_> {
    /// Tells an end from damage.
    pub(super) fn judge(&self, state: &mut LaneState, end: End) -> io::Result<()> {
        if let End::Segment(damage) = end {
            if !self.never_began(state)? {
                state.damage = Some(damage);
            }
            return Ok(());
        }
        let synced = self.synced(state).unwrap_or_default();
        if state.closed {
            self.judge_closed(state, synced)?;
        } else if let Some((position, fault)) = self.beyond(&state.tail())? {
            state.harm_at(position, fault);
        }
        if synced > state.end {
            state.harm(Fault::Short);
        }
        Ok(())
    }

    /// How far a lane is on the medium, as the page says.
    pub(super) fn synced(&self, state: &LaneState) -> Option<Position> {
        self.control?.synced.map(|lanes| lanes[state.lane as usize].position)
    }

    /// True when a lane without a first segment never had a whole one: its writer ended before.
    fn never_began(&self, state: &LaneState) -> io::Result<bool> {
        let start = Position::new(state.first, HEAD_BYTES as u32);
        let done = self.control.and_then(|page| page.done[state.lane as usize]);
        let is_known = self.synced(state).is_some_and(|position| position <= start)
            && done.is_some_and(|done| done.position <= start);
        if !is_known || state.end != start {
            return Ok(false);
        }
        for index in self.listing.indexes(state.strand()).filter(|index| *index >= state.first) {
            if !matches!(self.look(state.strand(), index)?, Later::Unused) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Behind a closing record stand at most the zeros that its writer did not come to cut off.
    fn judge_closed(&self, state: &mut LaneState, synced: Position) -> io::Result<()> {
        let end = state.end;
        // The watermark comes to the end of a lane when everything behind it is cut off.
        let is_cut = synced == end;
        let file = self.open(state.strand(), end.segment())?;
        let from = u64::from(end.offset());
        let mut more = match file {
            Some(file) if is_cut => file.metadata()?.len() > from,
            Some(file) => holds_bytes(&file, from)?,
            None => true,
        };
        for index in self.later(state.strand(), end) {
            let found = self.look(state.strand(), index)?;
            more |= is_cut || !matches!(found, Later::Unused);
        }
        if more {
            state.harm(Fault::BehindClose);
        }
        Ok(())
    }

    /// What stands behind the end of a strand that was not closed, and should not: where, and what.
    pub(super) fn beyond(&self, tail: &Tail) -> io::Result<Option<(Position, Fault)>> {
        let Tail { strand, end, tip, .. } = *tail;
        if let Some(file) = self.open(strand, end.segment())?
            && let Ok((head, _)) = read_head(&file, strand, end.segment())?
            && finds_record(&file, head.seed(), end.offset())?
        {
            return Ok(Some((end, Fault::Record)));
        }
        for index in self.later(strand, end) {
            match self.look(strand, index)? {
                Later::Unused => {}
                // Its writer ended between taking it into use and marking the one before.
                Later::Empty(start) if index - 1 == end.segment() && start == tip => {}
                Later::Empty(_) | Later::Holds => return Ok(Some((end, Fault::Record))),
                Later::Bad(fault) => return Ok(Some((Position::new(index, 0), fault))),
            }
        }
        Ok(None)
    }

    fn later(&self, strand: Strand, end: Position) -> impl Iterator<Item = u32> {
        self.listing.indexes(strand).filter(move |index| *index > end.segment())
    }

    fn open(&self, strand: Strand, index: u32) -> io::Result<Option<File>> {
        open_if_there(&segment_path(self.dir, strand, index))
    }

    fn look(&self, strand: Strand, index: u32) -> io::Result<Later> {
        let Some(file) = open_if_there(&segment_path(self.dir, strand, index))? else {
            return Ok(Later::Bad(Fault::NotASegment));
        };
        let holds = holds_bytes(&file, HEAD_BYTES as u64)?;
        Ok(match (read_head(&file, strand, index)?, holds) {
            (Ok((_, Some(start))), false) => Later::Empty(start),
            (Ok(_), true) => Later::Holds,
            // Its writer ended while it made the segment, or took it into use.
            (Ok((_, None)) | Err(_), false) => Later::Unused,
            (Err(fault), true) => Later::Bad(fault),
        })
    }
}

/// A segment behind the one that a lane ends in.
enum Later {
    /// It was prepared.
    Unused,
    /// It is in use behind these records, and holds none.
    Empty(Start),
    /// Something stands where its records would be.
    Holds,
    /// The same, and its head does not verify.
    Bad(Fault),
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match open_plain(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found,
    }
}

/// True when anything but zeros stands in a file from `from` on. What is longer than any segment is not ours.
pub(super) fn holds_bytes(file: &File, from: u64) -> io::Result<bool> {
    if file.metadata()?.len() > JournalConfig::SEGMENT_BYTES_MOST {
        return Ok(true);
    }
    let (mut bytes, mut at) = (vec![0; CHUNK_BYTES], from);
    loop {
        let read = read_fully(file, &mut bytes, at)?;
        if bytes[..read].iter().any(|byte| *byte != 0) {
            return Ok(true);
        }
        if read < bytes.len() {
            return Ok(false);
        }
        at += read as u64;
    }
}

/// True when a record, or the mark of a segment's end, verifies behind the place `end` of a segment.
fn finds_record(file: &File, seed: Seed, end: u32) -> io::Result<bool> {
    // The place itself holds no record. One behind it does, or there is only what was never published.
    let from = u64::from(end) + END_MARK_BYTES as u64;
    if !holds_bytes(file, from)? {
        return Ok(false);
    }
    let most = JournalConfig::SEGMENT_BYTES_MOST.saturating_sub(from);
    let there = file.metadata()?.len().saturating_sub(from).min(most);
    let mut bytes = vec![0; usize::try_from(there).unwrap_or(0)];
    let read = read_fully(file, &mut bytes, from)?;
    Ok(find_record(&bytes[..read], seed, from as u32).is_some())
}

/// The first place at which a record verifies, or the mark of a segment's end, in bytes that stand at `base`.
///
/// Bytes that look like heads of records all over, so that checking each would take for ever, count as one:
/// no writer leaves such a thing behind its end.
fn find_record(bytes: &[u8], seed: Seed, base: u32) -> Option<usize> {
    let mut left = bytes.len().saturating_mul(SEARCH_ROUNDS);
    let places = (0..bytes.len().saturating_sub(END_MARK_BYTES - 1)).step_by(8);
    places.into_iter().find(|&at| {
        let (length, offset) = (u32_at(bytes, at), base + at as u32);
        if length == GOES_ON {
            return u32_at(bytes, at + 4) == seed.at(offset, GOES_ON);
        }
        let Some(record) = bytes.get(at..at + length as usize) else { return false };
        if !is_length(length) || !looks_whole(record) {
            return false;
        }
        let Some(rest) = left.checked_sub(record.len()) else { return true };
        left = rest;
        verify(record, seed, offset).is_some()
    })
}

/// True when the parts of a record are as long as the record: which costs less to see than its checksum.
fn looks_whole(record: &[u8]) -> bool {
    let head =
        record[8..RECORD_HEAD_BYTES].first_chunk().and_then(super::layout::RecordHead::decode);
    head.is_some_and(|head| head.length() == record.len() as u64)
}
