//! Is this Linux box tuned? What the kernel says about itself, with a remedy for what costs latency.
//!
//! Everything is read from `/proc` and `/sys`; nothing is changed and nothing is run. What can not be
//! read is unknown, which is not good news either. docs/tuned-linux.md says how to set up such a box.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

mod cores;
mod cpu_list;
#[cfg(test)]
mod fixture;
mod interrupts;
mod journal_disk;
mod machine;
mod memory;
mod notes;
mod rights;

pub use cpu_list::Cores;
use machine::{Finding, Machine, Question};

/// What the machine is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Cores that the stages will use; `None`: all isolated ones.
    pub cores: Option<Cores>,
    /// Folder of the journal; it need not exist yet.
    pub journal: PathBuf,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It costs latency; the remedy says what to do.
    Warn,
    /// The kernel does not say, for example in a container or on a virtual machine.
    Unknown,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
        }
    }
}

/// What a bad answer costs when it strikes. A guide to what to mend first, not a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    /// The run or its journal.
    Run,
    /// Milliseconds: a time slice, a disk, a throttled thread.
    Milliseconds,
    /// Microseconds: an interrupt, a wake-up, a system call.
    Microseconds,
    /// Nanoseconds an event: a shared core, a far memory, a slower instruction.
    Nanoseconds,
}

impl Cost {
    /// Points of a check in the score.
    const fn points(self) -> usize {
        match self {
            Self::Run => 10,
            Self::Milliseconds => 5,
            Self::Microseconds => 2,
            Self::Nanoseconds => 1,
        }
    }
}

/// One question to the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable key, for example `clock_source`.
    pub name: &'static str,
    /// What was found, for people.
    pub measured: String,
    /// What it means.
    pub verdict: Verdict,
    /// What it costs when it is not well.
    pub cost: Cost,
    /// What to do about it; empty when all is well.
    pub remedy: String,
}

/// Something worth knowing that is neither good nor bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable key, for example `virtual_machine`.
    pub name: &'static str,
    /// What was found, for people.
    pub measured: String,
}

/// How many checks are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Checks with verdict `Ok`.
    pub ok: usize,
    /// All checks.
    pub total: usize,
    /// Points of the checks with verdict `Ok`, by what each would cost: 10 the run or its journal,
    /// 5 milliseconds, 2 microseconds, 1 nanoseconds.
    pub points: usize,
    /// Points of all checks.
    pub points_total: usize,
}

impl Score {
    fn of(checks: &[Check]) -> Self {
        let mut score = Self { ok: 0, total: 0, points: 0, points_total: 0 };
        for check in checks {
            score.total += 1;
            score.points_total += check.cost.points();
            if check.verdict == Verdict::Ok {
                score.ok += 1;
                score.points += check.cost.points();
            }
        }
        score
    }
}

/// All checks of one box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In a fixed order.
    pub checks: Vec<Check>,
    /// In a fixed order.
    pub notes: Vec<Note>,
    /// The sum of the checks.
    pub score: Score,
}

/// Looks at this machine.
#[must_use]
pub fn examine(purpose: &Purpose) -> Report {
    let journal = nearest_folder(&purpose.journal);
    let journal_free_bytes = free_bytes(&journal);
    let cores = purpose.cores.clone();
    examine_at(&Machine { root: PathBuf::from("/"), cores, journal, journal_free_bytes })
}

/// The folder itself, or the nearest above it that exists: there it will be made.
fn nearest_folder(folder: &Path) -> PathBuf {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let nearest = folder.ancestors().find_map(|folder| folder.canonicalize().ok());
    nearest.unwrap_or(folder)
}

/// What this user may still write there.
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Looks at a machine that may be made of a few files.
fn examine_at(machine: &Machine) -> Report {
    let checks: Vec<Check> = questions().map(|question| ask(question, machine)).collect();
    Report { score: Score::of(&checks), checks, notes: notes::notes(machine) }
}

/// All questions, in the order of the report.
fn questions() -> impl Iterator<Item = &'static Question> {
    let groups = [
        cores::QUESTIONS,
        interrupts::QUESTIONS,
        memory::QUESTIONS,
        rights::QUESTIONS,
        journal_disk::QUESTIONS,
    ];
    groups.into_iter().flatten()
}

fn ask(question: &Question, machine: &Machine) -> Check {
    let (measured, verdict) = match (question.look)(machine) {
        Some(Finding::Good(measured)) => (measured, Verdict::Ok),
        Some(Finding::Bad(measured)) => (measured, Verdict::Warn),
        Some(Finding::Open(measured)) => (measured, Verdict::Unknown),
        None => (format!("/{} does not say", question.source), Verdict::Unknown),
    };
    let remedy = if verdict == Verdict::Ok { "" } else { question.remedy };
    let remedy = remedy.to_owned();
    Check { name: question.name, measured, verdict, cost: question.cost, remedy }
}

impl Report {
    /// A table for people; under each warning stands its remedy.
    #[must_use]
    pub fn to_text(&self) -> String {
        let names = self.checks.iter().map(|check| check.name);
        let names = names.chain(self.notes.iter().map(|note| note.name));
        let width = names.map(str::len).max().unwrap_or(0);
        let mut text = String::new();
        // A `String` takes every character: there is no error to report.
        let mut line = |kind: &str, name: &str, what: &str| {
            let _ = writeln!(text, "{kind:<7}  {name:<width$}  {what}");
        };
        for check in &self.checks {
            line(check.verdict.name(), check.name, &check.measured);
            if check.verdict == Verdict::Warn {
                line("", "", &format!("-> {}", check.remedy));
            }
        }
        for note in &self.notes {
            line("note", note.name, &note.measured);
        }
        let Score { ok, total, points, points_total } = self.score;
        let sum = format!("{ok} of {total} checks are well, {points} of {points_total} points");
        let _ = writeln!(text, "{sum}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_an_empty_one_get_a_report() {
        let here = examine(&Purpose { cores: None, journal: PathBuf::from(".") });
        assert_eq!(here.score.total, questions().count());
        let nowhere = fixture::machine(&[]);
        let nowhere = examine_at(nowhere.machine());
        assert_eq!(nowhere.score, Score { ok: 0, points: 0, ..here.score });
        assert!(nowhere.checks.iter().all(|check| check.verdict == Verdict::Unknown));
        let names = |report: &Report| {
            let checks = report.checks.iter().map(|check| check.name);
            checks.chain(report.notes.iter().map(|note| note.name)).collect::<Vec<_>>()
        };
        assert_eq!(names(&nowhere), names(&here));
        let mut distinct = names(&here);
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), names(&here).len());
    }

    #[test]
    fn what_costs_more_weighs_more() {
        let check = |cost, verdict| Check {
            name: "a",
            measured: String::new(),
            verdict,
            cost,
            remedy: String::new(),
        };
        let checks = [
            check(Cost::Run, Verdict::Warn),
            check(Cost::Milliseconds, Verdict::Ok),
            check(Cost::Microseconds, Verdict::Unknown),
            check(Cost::Nanoseconds, Verdict::Ok),
        ];
        let score = Score { ok: 2, total: 4, points: 6, points_total: 18 };
        assert_eq!(Score::of(&checks), score);
    }

    #[test]
    fn a_journal_that_does_not_exist_yet_is_looked_for_above() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let linked = folder.join("link");
        std::os::unix::fs::symlink(&folder, &linked).unwrap();
        assert_eq!(nearest_folder(&linked.join("runs/a")), folder);
        assert_eq!(nearest_folder(Path::new(".")), Path::new(".").canonicalize().unwrap());
        assert!(free_bytes(&folder).is_some());
        assert_eq!(free_bytes(&folder.join("none")), None);
    }

    #[test]
    fn the_report_has_stable_keys_and_a_table_with_remedies() {
        let check = |name, verdict, cost, remedy: &str| Check {
            name,
            measured: "seen".to_owned(),
            verdict,
            cost,
            remedy: remedy.to_owned(),
        };
        let checks = vec![
            check("a", Verdict::Ok, Cost::Run, ""),
            check("long", Verdict::Warn, Cost::Nanoseconds, "mend it"),
            check("b", Verdict::Unknown, Cost::Milliseconds, "look elsewhere"),
        ];
        let notes = vec![Note { name: "n", measured: "so".to_owned() }];
        let report = Report { score: Score::of(&checks), checks, notes };
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            concat!(
                r#"{"checks":[{"name":"a","measured":"seen","verdict":"ok","cost":"run","remedy":""},"#,
                r#"{"name":"long","measured":"seen","verdict":"warn","cost":"nanoseconds","remedy":"mend it"},"#,
                r#"{"name":"b","measured":"seen","verdict":"unknown","cost":"milliseconds","#,
                r#""remedy":"look elsewhere"}],"notes":[{"name":"n","measured":"so"}],"#,
                r#""score":{"ok":1,"total":3,"points":10,"points_total":16}}"#
            )
        );
        assert_eq!(
            report.to_text(),
            concat!(
                "ok       a     seen\n",
                "warn     long  seen\n",
                "               -> mend it\n",
                "unknown  b     seen\n",
                "note     n     so\n",
                "1 of 3 checks are well, 10 of 16 points\n",
            )
        );
    }
}
