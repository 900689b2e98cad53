//! Makes on disk what a reader of an interrupted journal sees: the longest verified prefix, cut to the
//! smallest `done`, with what may be on the wire set aside and what is damaged put into quarantine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::control::{Control, Done};
use super::disk::Disk;
use super::error::{Damage, JournalError};
use super::examine::{LaneState, State, View, indexes, number_of};
use super::layout::{Head, ORPHANS, Start, Strand, segment_path};
use super::open::lock;
use super::reader::LaneReader;
use super::segment::Segment;
use crate::lane::Lane;

/// What a recovery did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last event that every stage has wholly handled.
    pub cut: u64,
    /// Records that were removed, by lane: their events were never acted on.
    pub removed: [u64; Lane::ALL.len()],
    /// Gateway records set aside: their orders may be on the wire.
    pub orphans: u64,
    /// What was damaged.
    pub damage: Vec<Damage>,
    /// Files with what was found behind damage.
    pub quarantined: Vec<String>,
}

/// Recovers an interrupted journal; one that is complete is left alone (`None`).
///
/// # Errors
/// There is no journal, another process writes it, or a file can not be read or changed.
pub fn recover(
    dir: &Path,
    disk: &mut dyn Disk,
    session: u64,
) -> Result<Option<Recovery>, JournalError> {
    if !dir.is_dir() {
        return Err(JournalError::NoJournal { path: dir.to_owned() });
    }
    // Before the lock, which would make a file in a folder that is no journal.
    View::open(dir)?;
    let _lock = lock(dir)?;
    let view = View::of_locked(dir)?;
    if view.state == State::Closed {
        return Ok(None);
    }
    recover_locked(dir, &view, disk, session).map(Some)
}

/// Recovers a journal whose lock this process holds.
pub(super) fn recover_locked(
    dir: &Path,
    view: &View,
    disk: &mut dyn Disk,
    session: u64,
) -> Result<Recovery, JournalError> {
    let failed = || JournalError::io(dir);
    // Nothing is taken from a lane before its copy is on the medium.
    let orphans = save_orphans(view, disk, session).map_err(failed())?;
    let mut quarantined = Vec::new();
    for lane in view.whole.iter().filter(|lane| lane.damage.is_some()) {
        quarantined.extend(quarantine(dir, lane, disk).map_err(failed())?);
    }
    disk.sync_folder(dir).map_err(failed())?;
    // The page before the lanes: a lane that is longer than it says is cut once more.
    let lanes = view.lanes.each_ref().map(|lane| Done {
        seq: view.done_of(lane.lane),
        position: lane.end,
        records: lane.records,
    });
    let first = view.lanes.each_ref().map(|lane| lane.first);
    Control::create(disk, dir, session, &lanes, &first).map_err(failed())?;
    for lane in &view.lanes {
        cut_lane(dir, lane, disk).map_err(failed())?;
    }
    disk.sync_folder(dir).map_err(failed())?;
    let removed = std::array::from_fn(|lane| view.whole[lane].records - view.lanes[lane].records);
    let damage = view.damage.clone();
    Ok(Recovery { cut: view.cut, removed, orphans, damage, quarantined })
}

/// Copies gateway records beyond the cut into a segment of their own.
fn save_orphans(view: &View, disk: &mut dyn Disk, session: u64) -> io::Result<u64> {
    let whole = &view.whole[Lane::Gateway as usize];
    let strand = Strand::Lane(Lane::Gateway);
    let beyond = || LaneReader::new(&view.dir, strand, whole.first).until(whole.end);
    let mut bytes = 0;
    each_beyond(beyond(), view.cut, |_, parts| bytes += parts[0].len() as u64 + 64)?;
    if bytes == 0 {
        return Ok(0);
    }
    let index = indexes(&view.dir, Strand::Orphans).last().map_or(1, |last| last + 1);
    let capacity = (bytes + 4_096).next_multiple_of(4_096);
    let head = Head { strand: ORPHANS, index, session, capacity };
    let path = segment_path(&view.dir, Strand::Orphans, index);
    let mut segment = Segment::create(disk, &path, head)?;
    segment.start(Start::default());
    let mut count = 0;
    each_beyond(beyond(), view.cut, |kind, [payload, trailer]| {
        segment.append(kind, &[payload], trailer);
        count += 1;
    })?;
    let (_, file, used) = segment.finish();
    disk.cut(&file, used)?;
    disk.sync(&file)?;
    Ok(count)
}

fn each_beyond(
    mut reader: LaneReader,
    cut: u64,
    mut take: impl FnMut(u8, [&[u8]; 2]),
) -> io::Result<()> {
    while let Ok(record) = reader.next()? {
        if number_of(record.kind, record.payload).is_some_and(|number| number > cut) {
            take(record.kind, [record.payload, record.trailer]);
        }
    }
    Ok(())
}

/// Copies what stands behind the damage of a lane, later segments included.
fn quarantine(dir: &Path, lane: &LaneState, disk: &mut dyn Disk) -> io::Result<Vec<String>> {
    let strand = Strand::Lane(lane.lane);
    let mut names = Vec::new();
    for index in indexes(dir, strand) {
        if index < lane.end.segment() {
            continue;
        }
        let from = if index == lane.end.segment() { u64::from(lane.end.offset()) } else { 0 };
        let mut file = File::open(segment_path(dir, strand, index))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        let name = format!("quarantine-{strand}-{index:06}-{from:010}.bin");
        let path = dir.join(&name);
        fs::write(&path, &bytes)?;
        disk.sync(&File::open(&path)?)?;
        names.push(name);
    }
    Ok(names)
}

/// Cuts a lane at its end and removes the segments behind it.
fn cut_lane(dir: &Path, lane: &LaneState, disk: &mut dyn Disk) -> io::Result<()> {
    let strand = Strand::Lane(lane.lane);
    for index in indexes(dir, strand) {
        let path = segment_path(dir, strand, index);
        if index > lane.end.segment() {
            disk.remove(&path)?;
        } else if index == lane.end.segment() {
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            let used = u64::from(lane.end.offset());
            if file.metadata()?.len() > used {
                disk.cut(&file, used)?;
                disk.sync(&file)?;
            }
        }
    }
    Ok(())
}
