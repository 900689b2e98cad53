//! Makes on disk what a reader of an interrupted journal sees: the longest verified prefix, cut to the
//! smallest `done`, with what may be on the wire set aside and what is damaged put into quarantine.

use std::path::Path;

use super::control::{CONTROL_NAME, Control, Done};
use super::disk::Disk;
use super::error::{Damage, Fault, JournalError};
use super::examine::{State, View};
use super::mend::Mender;
use super::open::lock;
use super::orphans;
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

/// Recovers an interrupted journal, or a damaged one; one that is complete and whole is left alone (`None`).
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
    if view.state == State::Closed && view.damage.is_empty() {
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
    let is_later = |damage: &&Damage| matches!(damage.fault, Fault::Version(_));
    if let Some(damage) = view.damage.iter().find(is_later) {
        // What a later program wrote is not for this one to change.
        return Err(JournalError::Damaged { path: dir.to_owned(), damage: damage.clone() });
    }
    // Nothing is taken from a lane before its copy is on the medium.
    let gateway = &view.whole[Lane::Gateway as usize];
    let (orphans, mut quarantined) = orphans::save(dir, gateway, view.cut, disk, session)?;
    let mut mender = Mender { dir, disk };
    for lane in view.whole.iter().filter(|lane| lane.damage.is_some()) {
        quarantined.extend(mender.quarantine(&lane.tail())?);
    }
    mender.disk.sync_folder(dir).map_err(failed())?;
    // The page says that what it names is on the medium. What an earlier writer left in the page cache is not
    // there yet.
    let synced = view.control.as_ref().and_then(|page| page.synced);
    for lane in &view.lanes {
        let from = synced.map_or(lane.first, |done| done[lane.lane as usize].position.segment());
        mender.sync(from, &lane.tail())?;
    }
    // The page before the lanes: a lane that is longer than it says is cut once more.
    let lanes = view.lanes.each_ref().map(|lane| Done {
        seq: view.done_of(lane.lane),
        position: lane.end,
        records: lane.records,
    });
    Control::create(mender.disk, dir, session, &lanes, &view.kept(session))
        .map_err(JournalError::io(dir.join(CONTROL_NAME)))?;
    for lane in &view.lanes {
        mender.cut(lane.first, &lane.tail())?;
    }
    mender.disk.sync_folder(dir).map_err(failed())?;
    let removed = std::array::from_fn(|lane| view.whole[lane].records - view.lanes[lane].records);
    let damage = view.damage.clone();
    Ok(Recovery { cut: view.cut, removed, orphans, damage, quarantined })
}
