//! Gateway records beyond the cut: their orders may be on the wire. They are a strand of their own, which each
//! recovery that finds some goes on with.

use std::io;
use std::path::Path;

use super::behind::{Place, Tail};
use super::config::JournalConfig;
use super::disk::Disk;
use super::error::{Damage, JournalError};
use super::examine::{LaneState, number_of};
use super::layout::{
    END_MARK_BYTES, HEAD_BYTES, Head, ORPHANS, Start, Strand, record_length, segment_name,
    segment_path,
};
use super::listing::Listing;
use super::mend::Mender;
use super::reader::{End, LaneReader};
use super::segment::Segment;

const STRAND: Strand = Strand::Orphans;
/// Bytes of a segment of orphans, unless one record needs more.
const SEGMENT_BYTES: u64 = 64 << 20;
const PAGE_BYTES: u64 = 4_096;
const OVERHEAD: u64 = (HEAD_BYTES + END_MARK_BYTES) as u64;

/// Where the strand ends, and why.
fn end(dir: &Path) -> io::Result<(Tail, End)> {
    let mut reader = LaneReader::new(dir, STRAND, 1);
    let end = loop {
        if let Err(end) = reader.next()? {
            break end;
        }
    };
    let tip = Start { records: reader.records(), previous: reader.crc() };
    let has_segment = reader.first().is_some();
    Ok((Tail { strand: STRAND, end: reader.position(), tip, has_segment }, end))
}

/// What is wrong with the strand.
pub(super) fn damage(place: &Place<'_>) -> io::Result<Option<Damage>> {
    if place.listing.indexes(STRAND).next().is_none() {
        return Ok(None);
    }
    let (tail, end) = end(place.dir)?;
    if let End::Segment(damage) = end {
        return Ok(Some(damage));
    }
    let found = place.beyond(&tail)?;
    Ok(found.map(|(position, fault)| {
        let file = segment_name(STRAND, position.segment());
        Damage { file, strand: Some(STRAND), position, fault }
    }))
}

/// Copies what a gateway lane holds beyond the cut behind the orphans that there are; returns how many records
/// that are, and the files with what was damaged.
pub(super) fn save(
    dir: &Path,
    whole: &LaneState,
    cut: u64,
    disk: &mut dyn Disk,
    session: u64,
) -> Result<(u64, Vec<String>), JournalError> {
    let failed = || JournalError::io(dir);
    let (mut count, mut bytes, mut largest) = (0, 0, 0);
    each_beyond(whole.reader(dir), cut, |_, [payload, trailer]| {
        let length = record_length(payload.len() as u64, trailer.len() as u64);
        (count, bytes, largest) = (count + 1, bytes + length, largest.max(length));
        Ok(())
    })
    .map_err(failed())?;
    let quarantined = tidy(dir, disk)?;
    if count == 0 || is_saved(dir, whole, cut, count).map_err(failed())? {
        return Ok((count, quarantined));
    }
    let capacity = (bytes.min(SEGMENT_BYTES.max(largest)) + OVERHEAD)
        .next_multiple_of(PAGE_BYTES)
        .min(JournalConfig::SEGMENT_BYTES_MOST);
    let mut writer = Writer::behind(dir, disk, session, capacity).map_err(failed())?;
    each_beyond(whole.reader(dir), cut, |kind, parts| writer.append(kind, parts))
        .and_then(|()| writer.finish())
        .map_err(JournalError::io(segment_path(dir, STRAND, writer.index)))?;
    Ok((count, quarantined))
}

/// Cuts the strand at its end, so that it can be gone on with. What is damaged is set aside.
fn tidy(dir: &Path, disk: &mut dyn Disk) -> Result<Vec<String>, JournalError> {
    let failed = || JournalError::io(dir);
    let listing = Listing::of(dir).map_err(failed())?;
    if listing.indexes(STRAND).next().is_none() {
        return Ok(Vec::new());
    }
    let place = Place { dir, listing: &listing, control: None };
    let damaged = damage(&place).map_err(failed())?.is_some();
    let (tail, _) = end(dir).map_err(failed())?;
    let mut mender = Mender { dir, disk };
    let quarantined = if damaged { mender.quarantine(&tail)? } else { Vec::new() };
    mender.cut(1, &tail)?;
    Ok(quarantined)
}

/// True when the last orphans are these records: a recovery was interrupted after it had saved them.
fn is_saved(dir: &Path, whole: &LaneState, cut: u64, count: u64) -> io::Result<bool> {
    let (Tail { tip, .. }, _) = end(dir)?;
    let Some(before) = tip.records.checked_sub(count) else { return Ok(false) };
    let mut saved = LaneReader::new(dir, STRAND, 1);
    for _ in 0..before {
        if saved.next()?.is_err() {
            return Ok(false);
        }
    }
    let mut same = true;
    each_beyond(whole.reader(dir), cut, |kind, parts| {
        let found = saved.next()?;
        same &= found.is_ok_and(|old| (old.kind, [old.payload, old.trailer]) == (kind, parts));
        Ok(())
    })?;
    Ok(same)
}

/// Goes through what a reader gives of events beyond the cut.
fn each_beyond(
    mut reader: LaneReader,
    cut: u64,
    mut take: impl FnMut(u8, [&[u8]; 2]) -> io::Result<()>,
) -> io::Result<()> {
    while let Ok(record) = reader.next()? {
        if number_of(record.kind, record.payload).is_some_and(|number| number > cut) {
            take(record.kind, [record.payload, record.trailer])?;
        }
    }
    Ok(())
}

/// Writes behind the end of the strand.
struct Writer<'a> {
    dir: &'a Path,
    disk: &'a mut dyn Disk,
    session: u64,
    capacity: u64,
    /// Number of the segment that is written, or of the one before it.
    index: u32,
    tip: Start,
    segment: Option<Segment>,
}

impl<'a> Writer<'a> {
    fn behind(
        dir: &'a Path,
        disk: &'a mut dyn Disk,
        session: u64,
        capacity: u64,
    ) -> io::Result<Self> {
        let (Tail { end, tip, has_segment, .. }, _) = end(dir)?;
        let index = if has_segment { end.segment() } else { 0 };
        Ok(Self { dir, disk, session, capacity, index, tip, segment: None })
    }

    fn append(&mut self, kind: u8, [payload, trailer]: [&[u8]; 2]) -> io::Result<()> {
        let length = record_length(payload.len() as u64, trailer.len() as u64);
        let mut segment = match self.segment.take() {
            Some(segment) if segment.room() as u64 >= length => segment,
            full => self.next(full)?,
        };
        self.tip.previous = segment.append_parts(kind, &[payload], trailer);
        self.tip.records += 1;
        self.segment = Some(segment);
        Ok(())
    }

    /// Makes the next segment and leaves the full one.
    fn next(&mut self, full: Option<Segment>) -> io::Result<Segment> {
        let beyond = || io::Error::other("there is no number left for a segment");
        self.index = self.index.checked_add(1).ok_or_else(beyond)?;
        let path = segment_path(self.dir, STRAND, self.index);
        let (index, session, capacity) = (self.index, self.session, self.capacity);
        let mut next =
            Segment::create(self.disk, &path, Head { strand: ORPHANS, index, session, capacity })?;
        next.start(self.tip);
        if let Some(mut full) = full {
            full.seal();
            let (_, file, _) = full.finish();
            self.disk.sync(&file)?;
        }
        Ok(next)
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some(segment) = self.segment.take() else { return Ok(()) };
        let (_, file, used) = segment.finish();
        self.disk.cut(&file, used)?;
        self.disk.sync(&file)
    }
}
