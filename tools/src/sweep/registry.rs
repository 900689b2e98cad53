//! The registry of trials: a file that only grows, one JSON line for each thing that happened. A run is in it before it
//! begins, so that the count misses none that was killed, failed or repeated.
//!
//! Several sweeps may share a file, also at the same time: it is locked while a line is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::outcome::Failure;

use super::results::Results;

/// What happened to a run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    /// It is about to begin.
    Started,
    /// It came to its end.
    Done,
    /// It gave up.
    Failed,
}

/// One line.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// What happened.
    pub event: What,
    /// When, UTC.
    pub at: String,
    /// `Definition::id` of its sweep.
    pub sweep: String,
    /// Its number there, from 1.
    pub trial: u64,
    /// The strategies.
    pub strategy: String,
    /// Hash of its whole configuration, as far as that can change a decision.
    pub config: String,
    /// Hash of its inputs.
    pub captures: String,
    /// Seed of the run.
    pub seed: u64,
    /// What the sweep set, by key.
    pub values: BTreeMap<String, String>,
    /// What came out; of a run that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Results>,
    /// Why it gave up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Wall time, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}

/// How every line begins.
const BEGIN: &[u8] = br#"{"event":"#;
/// How the lines of each kind begin.
const HEADS: [&[u8]; 3] =
    [br#"{"event":"started","at":""#, br#"{"event":"done","at":""#, br#"{"event":"failed","at":""#];

/// What is read between two ends of lines, or between two beginnings of them: who ended in the middle of a line may have
/// been followed by another one on the same.
enum Found {
    /// A line.
    Line(Box<Line>),
    /// The beginning of a line, and enough of it to be nobody else's.
    Torn,
    /// So little of a beginning that it may be anybody's, and nothing behind it that says whose.
    Scrap,
    /// Something else.
    Foreign,
}

impl Found {
    fn of(bytes: &[u8]) -> Self {
        if let Ok(line) = serde_json::from_slice(bytes) {
            return Self::Line(Box::new(line));
        }
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let is_beginning = |head: &&[u8]| head.starts_with(text) || text.starts_with(head);
        let is_whole = serde_json::from_slice::<IgnoredAny>(text).is_ok();
        if is_whole || !HEADS.iter().any(is_beginning) {
            return Self::Foreign;
        }
        // As far as the first letter of what happened.
        let is_far = text.len() > BEGIN.len() + 1;
        match (is_far, text.len() == bytes.len()) {
            (true, _) => Self::Torn,
            (false, true) => Self::Scrap,
            (false, false) => Self::Foreign,
        }
    }
}

/// The parts of what lies between two ends of lines, each up to where the next line begins. Within a line there is no such
/// place: the quotes of a text are escaped.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let next = rest.windows(BEGIN.len()).skip(1).position(|at| at == BEGIN);
        let (part, behind) = rest.split_at(next.map_or(rest.len(), |at| at + 1));
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// What a registry holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Runs that were begun: the number of trials for a deflated Sharpe ratio. A line that can not be read counts as
    /// one, which errs on the side of doubt.
    pub runs: u64,
    /// Runs that came to their end.
    pub done: u64,
    /// Runs that gave up. The others were killed, stopped, or are at work.
    pub failed: u64,
    /// Runs with a configuration and inputs of their own; the others were repeated.
    pub distinct: u64,
    /// Lines that can not be read: a process or a machine ended in the middle of them.
    pub damaged: u64,
    /// Runs by strategy.
    pub by_strategy: BTreeMap<String, u64>,
}

/// A registry that lines are added to.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    file: Mutex<File>,
}

/// Whether a line must be on the disk before anything goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    Now,
    Later,
}

impl Registry {
    /// Opens a registry, or begins one.
    ///
    /// # Errors
    /// The file can not be opened, or holds something else.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::line(format!("{}: {error}", path.display()));
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let registry = Self { path: path.to_owned(), file: Mutex::new(file) };
        let (mut ours, mut foreign) = (false, false);
        registry.read(&mut |line| match line {
            Found::Line(_) | Found::Torn => ours = true,
            Found::Foreign => foreign = true,
            Found::Scrap => {}
        })?;
        if foreign && !ours {
            return Err(Failure::line(format!("{}: is no registry of trials", path.display())));
        }
        Ok(registry)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line.
    pub(super) fn add(&self, line: &Line, sync: Sync) -> Result<(), Failure> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Of other processes; the threads of this one wait at the mutex.
        file.lock().map_err(|error| self.failed(&error))?;
        let written = append(&mut file, line, sync);
        let unlocked = file.unlock();
        written.and(unlocked).map_err(|error| self.failed(&error))
    }

    /// What it holds now.
    ///
    /// # Errors
    /// It can not be read.
    pub fn count(&self) -> Result<Count, Failure> {
        let mut count = Count::default();
        let mut seen = BTreeSet::new();
        self.read(&mut |line| {
            let Found::Line(line) = line else {
                count.damaged += 1;
                count.runs += 1;
                return;
            };
            match line.event {
                What::Started => {
                    count.runs += 1;
                    *count.by_strategy.entry(line.strategy).or_default() += 1;
                    seen.insert((line.config, line.captures));
                }
                What::Done => count.done += 1,
                What::Failed => count.failed += 1,
            }
        })?;
        count.distinct = seen.len() as u64;
        Ok(count)
    }

    /// The results of all trials of a sweep that are done, by number.
    ///
    /// # Errors
    /// It can not be read.
    pub fn done(&self, sweep: &str) -> Result<BTreeMap<u64, Results>, Failure> {
        let mut done = BTreeMap::new();
        self.read(&mut |line| {
            let Found::Line(line) = line else { return };
            if let Line { sweep: of, trial, results: Some(results), .. } = *line
                && of == sweep
            {
                done.insert(trial, results);
            }
        })?;
        Ok(done)
    }

    /// Shows what lies between every two ends of lines, or beginnings of them.
    fn read(&self, show: &mut dyn FnMut(Found)) -> Result<(), Failure> {
        let failed = |error: io::Error| self.failed(&error);
        let mut reader = BufReader::new(File::open(&self.path).map_err(failed)?);
        reader.get_ref().lock_shared().map_err(failed)?;
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
            parts(&bytes).for_each(|part| show(Found::of(part)));
            bytes.clear();
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::line(format!("{}: {error}", self.path.display()))
    }
}

/// A line in one write, behind the end of whatever somebody else began.
fn append(file: &mut File, line: &Line, sync: Sync) -> io::Result<()> {
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            bytes.push(b'\n');
        }
    }
    serde_json::to_writer(&mut bytes, line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)?;
    match sync {
        Sync::Now => file.sync_data(),
        Sync::Later => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(event: What, trial: u64) -> Line {
        Line {
            event,
            at: "2026-01-05T00:00:00Z".to_owned(),
            sweep: "s".to_owned(),
            trial,
            strategy: "quoter".to_owned(),
            config: format!("c{trial}"),
            captures: "k".to_owned(),
            seed: 42,
            values: BTreeMap::from([("quoter.half_spread_bp".to_owned(), "1".to_owned())]),
            results: (event == What::Done).then(Results::example),
            error: (event == What::Failed).then(|| "no room".to_owned()),
            wall_ms: None,
        }
    }

    fn registry(folder: &Path) -> Registry {
        Registry::open(&folder.join("trials.jsonl")).unwrap()
    }

    #[test]
    fn every_run_counts_however_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        assert_eq!(registry.count(), Ok(Count::default()));
        for (event, trial) in [
            (What::Started, 1),
            (What::Done, 1),
            (What::Started, 2),
            (What::Failed, 2),
            // Killed.
            (What::Started, 3),
            // Repeated.
            (What::Started, 3),
            (What::Done, 3),
        ] {
            registry.add(&line(event, trial), Sync::Now).unwrap();
        }
        let by_strategy = BTreeMap::from([("quoter".to_owned(), 4)]);
        let expected = Count { runs: 4, done: 2, failed: 1, distinct: 3, damaged: 0, by_strategy };
        assert_eq!(registry.count(), Ok(expected));
        let done = registry.done("s").unwrap();
        assert_eq!(done.keys().copied().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(done[&1], Results::example());
        assert!(registry.done("another").unwrap().is_empty());
    }

    /// A machine that lost its power in the middle of a line.
    #[test]
    fn a_torn_line_counts_and_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let first = registry(folder.path());
        first.add(&line(What::Started, 1), Sync::Later).unwrap();
        first.add(&line(What::Done, 1), Sync::Later).unwrap();
        let text = fs::read_to_string(first.path()).unwrap();
        fs::write(first.path(), &text[..text.len() - 20]).unwrap();
        let again = registry(folder.path());
        again.add(&line(What::Started, 2), Sync::Later).unwrap();
        let count = again.count().unwrap();
        assert_eq!((count.runs, count.done, count.damaged), (3, 0, 1));
        assert!(again.done("s").unwrap().is_empty());
        // The very first line, cut anywhere.
        let line_end = text.find('\n').unwrap();
        for cut in [1, 5, 20, line_end - 1] {
            fs::write(first.path(), &text[..cut]).unwrap();
            let again = registry(folder.path());
            again.add(&line(What::Started, 2), Sync::Later).unwrap();
            let count = registry(folder.path()).count().unwrap();
            assert_eq!((count.runs, count.damaged), (2, 1), "cut at {cut}");
        }
    }

    /// Two processes that were killed in the middle of a line, one behind the other, and nothing else is there yet.
    #[test]
    fn torn_lines_in_a_row_count_one_by_one_and_the_file_is_not_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = serde_json::to_string(&line(What::Started, 1)).unwrap();
        text.push('\n');
        let path = folder.path().join("trials.jsonl");
        for (first, second) in [(14, 14), (1, 20), (20, 60), (12, 12), (60, text.len() - 2)] {
            let (first, second) = (&text[..first], &text[..second]);
            for between in ["\n", ""] {
                let torn = format!("{first}{between}{second}");
                fs::write(&path, &torn).unwrap();
                let again = registry(folder.path());
                let count = again.count().unwrap();
                assert_eq!((count.runs, count.damaged), (2, 2), "{torn}");
                again.add(&line(What::Started, 2), Sync::Later).unwrap();
                let count = registry(folder.path()).count().unwrap();
                assert_eq!((count.runs, count.damaged, count.distinct), (3, 2, 1), "{torn}");
            }
            // A whole line right behind a torn one is a line.
            fs::write(&path, format!("{first}{text}")).unwrap();
            let count = registry(folder.path()).count().unwrap();
            assert_eq!((count.runs, count.damaged, count.distinct), (2, 1, 1), "{first}");
        }
    }

    #[test]
    fn another_file_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for text in [
            "what I meant to do\n",
            "what I meant to do",
            "{\"event\":\n",
            "{\n  \"event\": \"started\"\n}\n",
            "{\"event\":\"signup\",\"user\":1}\n{\"event\":\"signup\",\"us",
            "{\"event\":\"started\",\"at\":\"noon\"}\n",
            "{\n{",
        ] {
            fs::write(&path, text).unwrap();
            let Failure(lines) = Registry::open(&path).unwrap_err();
            assert!(lines[0].ends_with("notes.txt: is no registry of trials"), "{lines:?}");
        }
        assert!(Registry::open(&folder.path().join("no/where")).is_err());
    }

    #[test]
    fn threads_and_openings_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (registry(folder.path()), registry(folder.path()));
        std::thread::scope(|scope| {
            for registry in [&one, &one, &other, &other] {
                scope.spawn(move || {
                    for trial in 0..50 {
                        registry.add(&line(What::Started, trial), Sync::Later).unwrap();
                    }
                });
            }
        });
        let count = one.count().unwrap();
        assert_eq!((count.runs, count.distinct, count.damaged), (200, 50, 0));
    }
}
