//! Begins a journal, goes on with an interrupted one, and closes it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::config::JournalConfig;
use super::control::{CONTROL_NAME, CONTROL_NEW_NAME, Control, Done, Kept};
use super::disk::{Disk, open_plain};
use super::error::{JournalError, Stop};
use super::examine::{State, View, is_journal};
use super::keeper::{Command, Keeper};
use super::layout::{HEAD_BYTES, Position, Strand, segment_name};
use super::listing::Listing;
use super::recover::recover_locked;
use super::repeat::Repeat;
use super::writer::{Appender, Handover, Parts, Tip, Watch};
use crate::kill::KillSwitch;
use crate::lane::Lane;

/// Name of the lock's file.
const LOCK_NAME: &str = "LOCK";

/// Tries to take the lock: some milliseconds.
const LOCK_TRIES: usize = 10_000;

/// What a journal is begun with.
pub struct Opening<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// Sizes and times.
    pub config: &'a JournalConfig,
    /// A number that no other run of a writer has.
    pub session: u64,
    /// The file system.
    pub disk: Box<dyn Disk>,
    /// Raised to its highest level when the journal can not go on.
    pub kill: KillSwitch,
}

/// A journal that is being written. Dropped without `close` it is left interrupted.
#[derive(Debug)]
pub struct Journal {
    watch: Watch,
    commands: Sender<Command>,
    keeper: Option<JoinHandle<()>>,
    /// Held until the end.
    _lock: Arc<Lock>,
}

/// A journal that was begun, and the writing ends of its lanes in their order.
pub type Begun = (Journal, [Appender; Lane::ALL.len()]);

impl Journal {
    /// Begins a journal in an empty or new folder.
    ///
    /// # Errors
    /// The folder holds something, another process writes it, the limits make no sense, or the disk says no.
    pub fn create(mut opening: Opening<'_>) -> Result<Begun, JournalError> {
        opening.config.validate().map_err(JournalError::Config)?;
        let dir = opening.dir;
        make_folder(opening.disk.as_mut(), dir)?;
        refuse_used(dir)?;
        let lock = lock(dir)?;
        // Two processes may both have found it empty.
        refuse_used(dir)?;
        let begun = begin(opening, lock, &[Resumed::default(); Lane::ALL.len()], None);
        if begun.is_err() {
            // A journal that never began is none. What can not be removed is in the way, and says so.
            let _ = fs::remove_file(dir.join(CONTROL_NAME));
            for lane in Lane::ALL {
                let _ = fs::remove_file(dir.join(segment_name(Strand::Lane(lane), 1)));
            }
        }
        begun
    }

    /// Goes on with an interrupted journal: recovers it, and lets each lane meet what it holds before
    /// anything is added.
    ///
    /// # Errors
    /// There is no journal, it is complete or damaged, another process writes it, or the disk says no.
    pub fn resume(mut opening: Opening<'_>) -> Result<Begun, JournalError> {
        opening.config.validate().map_err(JournalError::Config)?;
        let dir = opening.dir;
        if !is_journal(dir, &Listing::of(dir).map_err(JournalError::io(dir))?) {
            return Err(JournalError::NoJournal { path: dir.to_owned() });
        }
        let lock = lock(dir)?;
        let view = View::of_locked(dir)?;
        if view.state == State::Closed {
            return Err(JournalError::Complete { path: dir.to_owned() });
        }
        if let Some(damage) = view.damage.first() {
            let (path, damage) = (dir.to_owned(), damage.clone());
            return Err(JournalError::Damaged { path, damage });
        }
        if view.is_headless() {
            return Err(JournalError::Headless { path: dir.to_owned() });
        }
        recover_locked(dir, &view, opening.disk.as_mut(), opening.session)?;
        let view = View::of_locked(dir)?;
        let lanes = view.lanes.each_ref().map(|lane| Resumed {
            tip: Tip { records: lane.records, crc: lane.crc, done: view.done_of(lane.lane) },
            // A lane whose writer ended before it began has no segment.
            last: lane.session.map(|_| lane.end),
        });
        begin(opening, lock, &lanes, Some(&view))
    }

    /// Whether it still takes records.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Closes the files, every lane having its closing record: cuts them to what they hold and syncs.
    ///
    /// # Errors
    /// The journal stopped before, or the disk says no.
    pub fn close(mut self, lanes: [Appender; Lane::ALL.len()]) -> Result<(), JournalError> {
        if let Some(stopped) = self.watch.stopped() {
            return Err(stopped.clone().into());
        }
        let last = lanes.into_iter().map(Appender::finish);
        let (answer, answered) = channel();
        let gone = || JournalError::Stopped(super::Stopped("its helper thread ended".to_owned()));
        self.commands.send(Command::Close(last.collect(), answer)).map_err(|_| gone())?;
        let closed = answered.recv().map_err(|_| gone())?;
        self.join();
        closed.map_err(|why| JournalError::Stopped(super::Stopped(why)))
    }

    fn join(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has said so on stderr.
            let _ = keeper.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.keeper.is_some() {
            let _ = self.commands.send(Command::Abandon);
            self.join();
        }
    }
}

/// Where a lane goes on.
#[derive(Clone, Copy, Debug, Default)]
struct Resumed {
    tip: Tip,
    /// Behind its last record, if there is a segment.
    last: Option<Position>,
}

fn begin(
    opening: Opening<'_>,
    lock: Lock,
    lanes: &[Resumed; Lane::ALL.len()],
    view: Option<&View>,
) -> Result<Begun, JournalError> {
    let Opening { dir, config, session, mut disk, kill } = opening;
    let start = |lane: &Resumed| Done {
        seq: lane.tip.done,
        position: lane.last.unwrap_or(Position::new(1, HEAD_BYTES as u32)),
        records: lane.tip.records,
    };
    let fresh = [Kept { index: 1, session }; Lane::ALL.len()];
    let kept = view.map_or(fresh, |view| view.kept(session));
    let control = Control::create(disk.as_mut(), dir, session, &lanes.each_ref().map(start), &kept)
        .map_err(JournalError::io(dir.join(CONTROL_NAME)))?;
    let (control, lock) = (Arc::new(control), Arc::new(lock));
    let watch = Watch::new(Stop::new(kill));
    let handovers: [Handover; Lane::ALL.len()] = std::array::from_fn(|_| Handover::new());
    let mut keeper = Keeper::new(
        dir,
        config,
        session,
        disk,
        Arc::clone(&control),
        handovers.clone(),
        watch.stop.clone(),
        kept,
    );
    if let Some(view) = view {
        keeper.found(view.segments().map_err(JournalError::io(dir))?);
    }
    let mut appenders = Vec::with_capacity(Lane::ALL.len());
    for (lane, resumed) in Lane::ALL.into_iter().zip(lanes) {
        let index = resumed.last.map_or(1, |last| last.segment().saturating_add(1));
        let segment = keeper.first(lane, index).map_err(super::Stopped)?;
        appenders.push(Appender::new(Parts {
            lane,
            segment,
            handover: handovers[lane as usize].clone(),
            control: Arc::clone(&control),
            watch: watch.clone(),
            reserve: config.reserve[lane as usize],
            tip: resumed.tip,
            repeat: view.map(|view| Repeat::new(lane, view.reader(lane))),
            lock: Arc::clone(&lock),
        }));
    }
    let appenders = <[Appender; Lane::ALL.len()]>::try_from(appenders).expect("one a lane");
    let (commands, received) = channel();
    let thread = std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || keeper.run(&received))
        .map_err(JournalError::io(dir))?;
    Ok((Journal { watch, commands, keeper: Some(thread), _lock: lock }, appenders))
}

/// The lock of a folder, held.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // By word: a process that is just being forked off has the file too, and closing it here would not be
        // enough. What can not be unlocked is unlocked when the last of them closes it.
        let _ = self.0.unlock();
    }
}

/// Takes the lock of a folder.
pub(super) fn lock(dir: &Path) -> Result<Lock, JournalError> {
    let path = dir.join(LOCK_NAME);
    let failed = |error| JournalError::Io { path: path.clone(), error };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    // An observer that looks whether a writer is at work holds the lock for a moment.
    let taken = (0..LOCK_TRIES).find_map(|_| match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            std::thread::yield_now();
            None
        }
        found => Some(found),
    });
    match taken.unwrap_or(Err(TryLockError::WouldBlock)) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder = if holder.is_empty() { holder } else { format!(" ({})", holder.trim()) };
            return Err(JournalError::Locked { path: dir.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    writeln!(file, "process {}", std::process::id()).map_err(failed)?;
    Ok(Lock(file))
}

/// True while another process writes the journal of a folder.
#[must_use]
pub fn is_open(dir: &Path) -> bool {
    let Ok(Some(file)) = open_plain(&dir.join(LOCK_NAME)) else { return false };
    match file.try_lock_shared() {
        Ok(()) => {
            drop(Lock(file));
            false
        }
        Err(error) => matches!(error, TryLockError::WouldBlock),
    }
}

/// Makes a folder and those above it. Their names are on the medium then: what is synced in a folder that has
/// none is lost.
fn make_folder(disk: &mut dyn Disk, dir: &Path) -> Result<(), JournalError> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = dir.ancestors().take_while(is_new).collect();
    fs::create_dir_all(dir).map_err(JournalError::io(dir))?;
    for folder in new {
        let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        disk.sync_folder(above).map_err(JournalError::io(above))?;
    }
    Ok(())
}

/// A journal begins where nothing is.
fn refuse_used(dir: &Path) -> Result<(), JournalError> {
    let entries = fs::read_dir(dir).map_err(JournalError::io(dir))?;
    let names: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name().into()))
        // A process that died here before its journal began left these.
        .filter(|name: &PathBuf| ![LOCK_NAME, CONTROL_NEW_NAME].map(Path::new).contains(&&**name))
        .collect();
    if names.iter().any(|name| name == Path::new(CONTROL_NAME)) {
        return Err(JournalError::Exists { path: dir.to_owned() });
    }
    if names.is_empty() { Ok(()) } else { Err(JournalError::NotEmpty { path: dir.to_owned() }) }
}
