//! The folder in which an import is made. It is called `OUT.partial` until everything in it is whole; only then does
//! `OUT` come to be, in one step. What a killed import had finished is found again by the next one of the same files.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ImportError;
use super::manifest::Input;
use super::repair;
use super::sort::{MERGED_PREFIX, RUN_PREFIX};

/// Name of the list of files that are done.
const DONE: &str = "done.jsonl";
/// Name of the file that says which import this is.
const WHICH: &str = "which";
/// Name of the file that one import holds.
const LOCK: &str = "lock";
/// Name of the folder that becomes `OUT`.
const RESULT: &str = "result";
/// Name of the folder in which rows of a file are put in order.
pub(super) const REPAIR: &str = "repair";

/// A file that is done, and the runs that it was sorted into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DoneFile {
    pub(super) input: Input,
    pub(super) runs: Vec<String>,
    /// Name of the tape that a recording becomes; none of files that become one tape together.
    pub(super) tape: Option<String>,
}

/// An open staging folder. No other import has it.
#[derive(Debug)]
pub(super) struct Staging {
    out: PathBuf,
    folder: PathBuf,
    done: Vec<DoneFile>,
    /// Held until the end.
    _lock: File,
}

impl Staging {
    /// Opens the staging folder of `out`. `which` says which import it is: what another one left there is removed.
    ///
    /// Nothing is removed but what an import made: a folder of that name with anything else in it is refused.
    pub(super) fn open(out: &Path, which: &str) -> Result<Self, ImportError> {
        // Without a slash at the end, which would make the folder one inside of `out`.
        let out: PathBuf = out.components().collect();
        let named = |what: &str| ImportError::of_file(&out.display().to_string(), what);
        let mut name = out.file_name().ok_or_else(|| named("names no folder"))?.to_owned();
        if out.exists() {
            return Err(named("exists already"));
        }
        name.push(".partial");
        let folder = out.with_file_name(name);
        let failed = |error: &dyn std::fmt::Display| {
            ImportError::of_file(&folder.display().to_string(), error)
        };
        if is_foreign(&folder).map_err(|error| failed(&error))? {
            return Err(failed(&"is there and was made by no import: remove or rename it"));
        }
        fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
        let lock = File::create(folder.join(LOCK)).map_err(|error| failed(&error))?;
        lock.try_lock().map_err(|_| failed(&"another import is at work there"))?;
        // Another one may have come to its end meanwhile.
        if out.exists() {
            return Err(named("exists already"));
        }
        let known = fs::read_to_string(folder.join(WHICH)).unwrap_or_default();
        let mut done = Vec::new();
        if known == which {
            done = read_done(&folder).map_err(|error| failed(&error))?;
        } else {
            clear(&folder).map_err(|error| failed(&error))?;
            write_synced(&folder.join(WHICH), which.as_bytes()).map_err(|error| failed(&error))?;
        }
        // The result is made anew: what is in it may be of other files.
        let result = folder.join(RESULT);
        if result.exists() {
            fs::remove_dir_all(&result).map_err(|error| failed(&error))?;
        }
        fs::create_dir_all(&result).map_err(|error| failed(&error))?;
        repair::clear(&folder).map_err(|error| failed(&error))?;
        Ok(Self { out, folder, done, _lock: lock })
    }

    /// Where runs go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where what becomes of them goes.
    pub(super) fn result(&self) -> PathBuf {
        self.folder.join(RESULT)
    }

    /// What an earlier import of these files had finished, if its runs are still there.
    pub(super) fn find_done(&self, file: &str, bytes: u64, blake3: &str) -> Option<DoneFile> {
        let is_same = |done: &&DoneFile| {
            let Input { file: name, bytes: length, blake3: hash, .. } = &done.input;
            (name.as_str(), *length, hash.as_str()) == (file, bytes, blake3)
        };
        let found = self.done.iter().find(is_same)?;
        found.runs.iter().all(|run| self.folder.join(run).is_file()).then(|| found.clone())
    }

    /// Number of the next run: none that stands there is written over.
    pub(super) fn next_run(&self) -> u64 {
        let runs = self.done.iter().flat_map(|done| &done.runs);
        let number =
            |run: &String| run.strip_prefix(RUN_PREFIX)?.strip_suffix(".tape")?.parse().ok();
        runs.filter_map(number).max().map_or(0, |last: u64| last + 1)
    }

    /// Notes that a file is done. Its runs are on the disk.
    pub(super) fn note(&mut self, done: DoneFile) -> Result<(), ImportError> {
        let path = self.folder.join(DONE);
        let write = || {
            let mut line = serde_json::to_string(&done)?;
            line.push('\n');
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| ImportError::of_file(&path.display().to_string(), error))?;
        self.done.push(done);
        Ok(())
    }

    /// Gives the result its name.
    pub(super) fn finish(self) -> Result<(), ImportError> {
        let sync = |path: &Path| File::open(path)?.sync_all();
        let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let finish = || {
            sync(&self.result())?;
            fs::rename(self.result(), &self.out)?;
            sync(parent.unwrap_or(Path::new(".")))?;
            fs::remove_dir_all(&self.folder)
        };
        finish().map_err(|error| ImportError::of_file(&self.out.display().to_string(), error))
    }

    /// Leaves nothing behind.
    pub(super) fn discard(self) {
        // What can not be removed now is removed by the next import.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// True for a folder with something in it that no import made.
fn is_foreign(folder: &Path) -> std::io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let is_ours = [WHICH, DONE, LOCK, RESULT, REPAIR].contains(&&*name)
            || name.starts_with(RUN_PREFIX) && name.contains(".tape")
            || name.starts_with(MERGED_PREFIX);
        if !is_ours {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The list of files that are done; a line that was cut by a kill counts as none.
fn read_done(folder: &Path) -> std::io::Result<Vec<DoneFile>> {
    let file = match File::open(folder.join(DONE)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut done = Vec::new();
    for line in BufReader::new(file).lines() {
        match serde_json::from_str(&line?) {
            Ok(one) => done.push(one),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// Removes what another import left in the folder.
fn clear(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if path.file_name().is_none_or(|name| name != LOCK) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
