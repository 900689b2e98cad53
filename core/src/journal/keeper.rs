//! The helper thread: it makes segments before they are needed, syncs, drops what is beyond the budget, and
//! closes the files. Nothing on the append path waits for it unless the disk is slower than the run.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::config::{JournalConfig, Retention};
use super::control::{Control, Done, FIRST_TURN, Kept};
use super::disk::Disk;
use super::error::Stop;
use super::examine::Found;
use super::layout::{Head, Position, Strand, segment_name, segment_path};
use super::open::Lock;
use super::segment::Segment;
use super::writer::Handover;
use crate::lane::Lane;

/// How often the keeper looks whether it has something to do.
const POLL: Duration = Duration::from_millis(2);

/// What the keeper is told.
pub(super) enum Command {
    /// Every lane has its closing record: cut, sync, end. The answer is why that failed, if it did.
    Close(Vec<LastSegment>, Sender<Result<(), String>>),
    /// End and leave everything as it is.
    Abandon,
}

/// The segment that a lane ends in.
pub(super) struct LastSegment {
    pub(super) lane: Lane,
    pub(super) index: u32,
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Bytes that it holds.
    pub(super) used: u64,
    /// Held until the file is cut.
    pub(super) _lock: Arc<Lock>,
}

/// A file whose bytes may not be on the medium.
struct Unsynced {
    lane: Lane,
    index: u32,
    file: File,
}

pub(super) struct Keeper {
    pub(super) dir: PathBuf,
    pub(super) config: JournalConfig,
    pub(super) session: u64,
    pub(super) disk: Box<dyn Disk>,
    pub(super) control: Arc<Control>,
    pub(super) handovers: [Handover; Lane::ALL.len()],
    pub(super) stop: Stop,
    state: State,
}

/// What changes while it runs.
struct State {
    /// Number of the segment to be made next, by lane.
    next: [u32; Lane::ALL.len()],
    /// First segment of each lane that is kept.
    kept: [Kept; Lane::ALL.len()],
    /// Full segments that are still on disk, the oldest first.
    full: VecDeque<Found>,
    unsynced: Vec<Unsynced>,
    /// Bytes of all segments.
    bytes: u64,
    synced: [Done; Lane::ALL.len()],
    /// Counts what was said in the control page.
    generation: u64,
    drops: u64,
}

impl State {
    fn new(kept: [Kept; Lane::ALL.len()]) -> Self {
        Self {
            next: [1; Lane::ALL.len()],
            kept,
            full: VecDeque::new(),
            unsynced: Vec::new(),
            bytes: 0,
            synced: [Done::default(); Lane::ALL.len()],
            // The pairs' first turns were taken when the page was made.
            generation: FIRST_TURN - 1,
            drops: FIRST_TURN - 1,
        }
    }
}

impl Keeper {
    #[allow(clippy::too_many_arguments, reason = "once, at start")]
    pub(super) fn new(
        dir: &Path,
        config: &JournalConfig,
        session: u64,
        disk: Box<dyn Disk>,
        control: Arc<Control>,
        handovers: [Handover; Lane::ALL.len()],
        stop: Stop,
        kept: [Kept; Lane::ALL.len()],
    ) -> Self {
        let (dir, config, state) = (dir.to_owned(), config.clone(), State::new(kept));
        Self { dir, config, session, disk, control, handovers, stop, state }
    }

    /// Says what is on disk already: full segments of earlier runs, the oldest first.
    pub(super) fn found(&mut self, full: Vec<Found>) {
        self.state.bytes = full.iter().fold(0, |sum, found| sum.saturating_add(found.bytes));
        self.state.full = full.into();
    }

    /// Makes the segment that a lane begins in.
    ///
    /// # Errors
    /// In words, with the file.
    pub(super) fn first(&mut self, lane: Lane, index: u32) -> Result<Segment, String> {
        self.state.next[lane as usize] = index;
        self.make(lane)
    }

    /// Runs until it is told to end.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let _last_word = LastWord(self.stop.clone());
        let mut since_sync = Duration::ZERO;
        loop {
            self.retire();
            self.prepare();
            if since_sync >= self.config.sync_every {
                since_sync = Duration::ZERO;
                self.sync_or_stop();
            }
            match commands.recv_timeout(POLL) {
                Err(RecvTimeoutError::Timeout) => since_sync += POLL,
                Ok(Command::Close(last, answer)) => {
                    let closed = match self.stop.get() {
                        // What failed once is not tried again: the system would say that all is well.
                        Some(stopped) => Err(stopped.0.clone()),
                        None => self.close(last),
                    };
                    if let Err(why) = &closed {
                        self.stop.set(why.clone());
                    }
                    // A receiver that is gone has nobody left to tell.
                    let _ = answer.send(closed);
                    return;
                }
                Ok(Command::Abandon) | Err(RecvTimeoutError::Disconnected) => {
                    self.retire();
                    return;
                }
            }
        }
    }

    /// Makes the next segment of each lane that has none in hand.
    fn prepare(&mut self) {
        for lane in Lane::ALL {
            let slot = Arc::clone(&self.handovers[lane as usize].prepared);
            if self.stop.is_set() || !slot.is_empty() {
                continue;
            }
            match self.make(lane) {
                Ok(segment) => {
                    let pushed = slot.push(segment);
                    assert!(pushed.is_ok(), "it was empty, and nobody else pushes");
                }
                Err(why) => self.stop.set(why),
            }
        }
    }

    fn make(&mut self, lane: Lane) -> Result<Segment, String> {
        let (index, bytes) = (self.state.next[lane as usize], self.config.bytes_of(lane));
        let path = segment_path(&self.dir, Strand::Lane(lane), index);
        let next =
            index.checked_add(1).ok_or_else(|| format!("{}: the last number", path.display()))?;
        self.make_way(lane, bytes)?;
        let head = Head { strand: lane as u8, index, session: self.session, capacity: bytes };
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let segment = Segment::create(self.disk.as_mut(), &path, head).map_err(failed)?;
        self.disk.sync_folder(&self.dir).map_err(failed)?;
        let file = segment.file().try_clone().map_err(failed)?;
        self.state.unsynced.push(Unsynced { lane, index, file });
        self.state.bytes = self.state.bytes.saturating_add(bytes);
        self.state.next[lane as usize] = next;
        Ok(segment)
    }

    /// Keeps the disk budget: drops old segments, or says why not.
    fn make_way(&mut self, lane: Lane, bytes: u64) -> Result<(), String> {
        while self.state.bytes.saturating_add(bytes) > self.config.disk_max_bytes {
            let over = || {
                let name = segment_name(Strand::Lane(lane), self.state.next[lane as usize]);
                let whole = self.state.bytes.saturating_add(bytes);
                let most = self.config.disk_max_bytes;
                format!(
                    "the next segment, {name}, would take the folder to {whole} bytes, and {most} are allowed \
                     (journal.disk_max_mb)"
                )
            };
            match self.config.retention {
                Retention::Stop => return Err(over()),
                Retention::DropOldest => {
                    let oldest = self.state.full.pop_front().ok_or_else(over)?;
                    self.drop_segment(&oldest)?;
                }
            }
        }
        Ok(())
    }

    /// The page first, and on the medium: a segment that is missing without a word there is damage.
    fn drop_segment(&mut self, oldest: &Found) -> Result<(), String> {
        let Found { lane, index, .. } = *oldest;
        let next = self.state.full.iter().find(|found| found.lane == lane);
        // The one behind the last full segment is this run's.
        let session = next.map_or(self.session, |found| found.session);
        self.state.kept[lane as usize] = Kept { index: index.saturating_add(1), session };
        self.state.drops += 1;
        self.control.write_kept(self.state.drops, &self.state.kept);
        self.disk.sync(self.control.file()).map_err(|error| format!("control: {error}"))?;
        self.state.unsynced.retain(|file| (file.lane, file.index) != (lane, index));
        let path = segment_path(&self.dir, Strand::Lane(lane), index);
        self.disk.remove(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.state.bytes = self.state.bytes.saturating_sub(oldest.bytes);
        Ok(())
    }

    /// Unmaps full segments.
    fn retire(&mut self) {
        for lane in Lane::ALL {
            while let Some(segment) = self.handovers[lane as usize].retired.pop() {
                let (index, bytes) = (segment.index(), self.config.bytes_of(lane));
                self.state.full.push_back(Found { lane, index, session: self.session, bytes });
            }
        }
    }

    fn sync_or_stop(&mut self) {
        if self.stop.is_set() {
            // A system that failed to sync may forget it and say next time that all is well.
            return;
        }
        // The last lane first: what the others are done with then includes the causes of what it holds.
        let mut lanes = [Done::default(); Lane::ALL.len()];
        for lane in Lane::ALL.into_iter().rev() {
            // Somebody was busy with a slot for very long: the next time will do.
            let Some(done) = self.control.done(lane) else { return };
            lanes[lane as usize] = done;
        }
        if lanes != self.state.synced
            && let Err(why) = self.sync(lanes)
        {
            self.stop.set(why);
        }
    }

    /// Brings everything up to `lanes` to the medium, and says so afterwards.
    fn sync(&mut self, lanes: [Done; Lane::ALL.len()]) -> Result<(), String> {
        for Unsynced { lane, index, file } in &self.state.unsynced {
            if *index <= lanes[*lane as usize].position.segment() {
                let name = segment_name(Strand::Lane(*lane), *index);
                self.disk.sync(file).map_err(|error| format!("{name}: {error}"))?;
            }
        }
        let current = |file: &Unsynced| file.index >= lanes[file.lane as usize].position.segment();
        self.state.unsynced.retain(current);
        self.state.generation += 1;
        self.control.write_synced(self.state.generation, &lanes);
        self.state.synced = lanes;
        self.disk.sync(self.control.file()).map_err(|error| format!("control: {error}"))
    }

    /// Cuts the last segments to what they hold, removes those that were prepared, and syncs.
    fn close(&mut self, last: Vec<LastSegment>) -> Result<(), String> {
        self.retire();
        for handover in &self.handovers {
            while let Some(unused) = handover.prepared.pop() {
                let (path, _, _) = unused.finish();
                self.disk.remove(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        for LastSegment { path, file, used, .. } in &last {
            let failed = |error: std::io::Error| format!("{}: {error}", path.display());
            self.disk.cut(file, *used).map_err(failed)?;
            self.disk.sync(file).map_err(failed)?;
        }
        let failed = |error: std::io::Error| format!("{}: {error}", self.dir.display());
        self.disk.sync_folder(&self.dir).map_err(failed)?;
        let mut lanes = Lane::ALL.map(|lane| self.control.done(lane).unwrap_or_default());
        for last in &last {
            // The closing record may lie in a later segment than the last event.
            lanes[last.lane as usize].position = Position::new(last.index, last.used as u32);
        }
        // Twice: now both slots say where the lanes end, and one that is lost later hides nothing.
        self.sync(lanes)?;
        self.sync(lanes)
    }
}

/// Says that the keeper is gone, however it went: who waits for a segment must not wait for ever.
struct LastWord(Stop);

impl Drop for LastWord {
    fn drop(&mut self) {
        let why = "its helper thread ended".to_owned();
        if std::thread::panicking() {
            self.0.set(why);
        } else {
            self.0.end(why);
        }
    }
}
