//! The recordings of a sweep, decoded once for all its trials: each becomes a tape in a folder beside the table.
//!
//! A tape counts only with its note, which says what it was made of and what it holds. So nothing that is half-made,
//! changed or from elsewhere is taken for whole, and a sweep that goes on decodes nothing twice.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fusewire_io::capture::{CaptureError, Reader};
use fusewire_io::tape::{Copier, TapeReader};
use serde::{Deserialize, Serialize};

use crate::engine::{Plan, Planned};
use crate::journal::header::content_hash;
use crate::sources::Source;

use super::definition::{CaptureId, Definition};

/// Name of the folder in that of the sweep.
const FOLDER: &str = "decoded";
/// Frames between two looks at whether to stop.
const LOOK_EVERY: u64 = 4_096;

/// The decoded recordings of one sweep.
pub struct Decoded<'a> {
    folder: PathBuf,
    /// `Definition::id`.
    sweep: String,
    /// The recordings in merge order.
    captures: &'a [CaptureId],
}

/// What stands beside a tape.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    /// The sweep that it was made for.
    sweep: String,
    /// What it was made of.
    capture: CaptureId,
    /// Length of the tape.
    bytes: u64,
    /// BLAKE3 of the tape.
    blake3: String,
}

/// What all recordings of a plan have in common while they are decoded.
#[derive(Clone, Copy)]
struct Task<'a> {
    plan: &'a Plan,
    missing: Missing,
    /// There are threads enough that each recording may have another one to unpack it.
    ahead: bool,
    /// Called with the bytes of recordings that were read further.
    told: &'a (dyn Fn(u64) + Sync),
}

/// What to do where there is no tape yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Decode the recording.
    Make,
    /// Leave it: nobody would read it twice.
    Leave,
}

impl<'a> Decoded<'a> {
    /// Those of a sweep, in whose folder they lie.
    #[must_use]
    pub fn of(sweep: &Path, definition: &'a Definition) -> Self {
        Self { folder: sweep.join(FOLDER), sweep: definition.id(), captures: &definition.captures }
    }

    /// Lets the recordings of a plan be read from their tapes, and says how many are. Tapes that are there are found;
    /// others are made on at most `jobs` threads. What can not become one is left as it is, with a line that says why:
    /// trials then read the recording. `told` is called with the bytes of recordings that were read further.
    pub fn read(
        &self,
        plan: &mut Plan,
        missing: Missing,
        jobs: usize,
        told: &(dyn Fn(u64) + Sync),
    ) -> usize {
        let recordings = plan.planned().len();
        let task = Task { plan: &*plan, missing, ahead: jobs > recordings, told };
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(planned) = task.plan.planned().get(place) else { return mine };
                mine.extend(self.tape(task, planned, place).map(|tape| (place, tape)));
            }
        };
        let tapes: Vec<(usize, PathBuf)> = std::thread::scope(|scope| {
            let threads = jobs.min(recordings);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            let over = workers.into_iter().flat_map(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            over.collect()
        });
        tapes.iter().for_each(|(place, tape)| plan.read_from(*place, tape));
        tapes.len()
    }

    /// Removes what was made here, and nothing else. What can not be removed stays, with a line that says why.
    pub fn remove(&self) {
        if !self.folder.is_dir() {
            return;
        }
        let files = (0..self.captures.len()).flat_map(|at| [self.path(at), self.note_path(at)]);
        for file in files.flat_map(|file| [partial(&file), file]) {
            match fs::remove_file(&file) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, file = %file.display(), "is left"),
            }
        }
        // With somebody else's files in it, it stays as well.
        let _ = fs::remove_dir(&self.folder);
    }

    /// The tape of a recording, found or made; none when the recording itself is to be read.
    fn tape(&self, task: Task<'_>, planned: &Planned, place: usize) -> Option<PathBuf> {
        if is_decoded(planned.source()) || task.is_stopped() {
            return None;
        }
        let tape = self.path(place);
        if self.is_whole(place) {
            (task.told)(planned.source().size());
            return Some(tape);
        }
        if task.missing == Missing::Leave {
            return None;
        }
        let Err(why) = self.make(task, planned, place) else { return Some(tape) };
        let _ = fs::remove_file(partial(&tape));
        if !task.is_stopped() {
            tracing::warn!(recording = planned.name(), why, "decoded again by each trial");
        }
        None
    }

    /// Whether the tape of a recording is there, made of this recording for this sweep, and as it was written.
    fn is_whole(&self, place: usize) -> bool {
        let Ok(text) = fs::read(self.note_path(place)) else { return false };
        let Ok(note) = serde_json::from_slice::<Note>(&text) else { return false };
        note.sweep == self.sweep
            && note.capture == self.captures[place]
            && content_hash(&self.path(place)).is_ok_and(|found| {
                (found.bytes, found.blake3.to_hex().as_str()) == (note.bytes, note.blake3.as_str())
            })
    }

    /// Decodes a recording. Its tape counts from the moment when the note has its name.
    fn make(&self, task: Task<'_>, planned: &Planned, place: usize) -> Result<(), String> {
        fs::create_dir_all(&self.folder)
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let tape = self.path(place);
        let records = task.copy(planned, &tape)?;
        if task.plan.summary(planned).is_none_or(|summary| summary.frames != records) {
            return Err("changed since it was scanned".to_owned());
        }
        let failed = |error: io::Error| format!("{}: {error}", tape.display());
        let content = content_hash(&tape).map_err(failed)?;
        let note = Note {
            sweep: self.sweep.clone(),
            capture: self.captures[place].clone(),
            bytes: content.bytes,
            blake3: content.blake3.to_hex().to_string(),
        };
        let text = serde_json::to_string_pretty(&note).expect("texts and numbers") + "\n";
        write(&self.note_path(place), text.as_bytes()).map_err(failed)
    }

    fn path(&self, place: usize) -> PathBuf {
        self.folder.join(format!("{}.tape", place + 1))
    }

    fn note_path(&self, place: usize) -> PathBuf {
        self.folder.join(format!("{}.json", place + 1))
    }
}

impl Task<'_> {
    fn is_stopped(&self) -> bool {
        self.plan.stop.load(Ordering::Relaxed)
    }

    fn open(&self, planned: &Planned) -> Result<Reader, CaptureError> {
        let reader = self.plan.open_recording(planned)?;
        if self.ahead { reader.unpacking_ahead() } else { Ok(reader) }
    }

    /// Copies the frames of a recording, and says how many there were.
    fn copy(&self, planned: &Planned, tape: &Path) -> Result<u64, String> {
        let mut reader = self.open(planned).map_err(|error| error.to_string())?;
        let market = reader.market().ok_or("nothing tells its market")?;
        let only_symbol = self.plan.summary(planned).and_then(|file| file.only_symbol.clone());
        let copier = Copier::create(tape, market, only_symbol);
        let mut copier = copier.map_err(|error| error.to_string())?;
        let (mut frames, mut bytes) = (0_u64, 0);
        while let Some(record) = reader.next().map_err(|error| error.to_string())? {
            let added = copier.add(&record, &mut |_, _| {});
            added.map_err(|what| format!("line {}: {what}", record.line))?;
            frames += 1;
            if frames.is_multiple_of(LOOK_EVERY) {
                let read = reader.bytes_read();
                (self.told)(read - bytes);
                bytes = read;
                if self.is_stopped() {
                    return Err("stopped".to_owned());
                }
            }
        }
        (self.told)(reader.bytes_read() - bytes);
        copier.finish().map(|summary| summary.records).map_err(|error| error.to_string())
    }
}

/// True for a recording that holds no text.
fn is_decoded(source: &Source) -> bool {
    match source {
        Source::File(path) => TapeReader::is_one(path).unwrap_or(false),
        Source::Sample | Source::Journal(_) => false,
    }
}

/// Whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = partial(path);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}

/// What a file is called until it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}
