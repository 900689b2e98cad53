//! Is this Linux box tuned? What the kernel says about itself, with a remedy for what costs latency.
//!
//! Everything is read from `/proc` and `/sys`; nothing is changed and nothing is run. What can not be
//! read is unknown, which is not good news either.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

mod checks;

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

/// One question to the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable key, for example `clock_source`.
    pub name: &'static str,
    /// What was found, for people.
    pub measured: String,
    /// What it means.
    pub verdict: Verdict,
    /// What to do about it; empty when all is well.
    pub remedy: String,
}

/// How many checks are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Checks with verdict `Ok`.
    pub ok: usize,
    /// All checks.
    pub total: usize,
}

/// All checks of one box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In a fixed order.
    pub checks: Vec<Check>,
    /// The sum of them.
    pub score: Score,
}

/// Looks at this machine.
#[must_use]
pub fn examine() -> Report {
    examine_at(Path::new("/"))
}

/// Looks at the machine whose `proc` and `sys` lie under `root`.
fn examine_at(root: &Path) -> Report {
    let checks: Vec<Check> = checks::ALL.iter().map(|check| check(root)).collect();
    let ok = checks.iter().filter(|check| check.verdict == Verdict::Ok).count();
    let score = Score { ok, total: checks.len() };
    Report { checks, score }
}

impl Report {
    /// A table for people; under each warning stands its remedy.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for check in &self.checks {
            let verdict = check.verdict.name();
            // A `String` takes every character: there is no error to report.
            let _ = writeln!(text, "{verdict:<7}  {:<width$}  {}", check.name, check.measured);
            if check.verdict == Verdict::Warn {
                let _ = writeln!(text, "         {:<width$}  -> {}", "", check.remedy);
            }
        }
        let _ = writeln!(text, "{} of {} checks are well", self.score.ok, self.score.total);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_an_empty_one_get_a_report() {
        let here = examine();
        assert_eq!(here.score.total, checks::ALL.len());
        let nowhere = examine_at(Path::new("/no/such/root"));
        assert_eq!(nowhere.score, Score { ok: 0, total: here.score.total });
        assert!(nowhere.checks.iter().all(|check| check.verdict == Verdict::Unknown));
        let names = |report: &Report| report.checks.iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names(&nowhere), names(&here));
    }

    #[test]
    fn the_report_has_stable_keys_and_a_table_with_remedies() {
        let check = |name, verdict, remedy: &str| Check {
            name,
            measured: "seen".to_owned(),
            verdict,
            remedy: remedy.to_owned(),
        };
        let checks = vec![
            check("a", Verdict::Ok, ""),
            check("long", Verdict::Warn, "mend it"),
            check("b", Verdict::Unknown, "look elsewhere"),
        ];
        let report = Report { checks, score: Score { ok: 1, total: 3 } };
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            concat!(
                r#"{"checks":[{"name":"a","measured":"seen","verdict":"ok","remedy":""},"#,
                r#"{"name":"long","measured":"seen","verdict":"warn","remedy":"mend it"},"#,
                r#"{"name":"b","measured":"seen","verdict":"unknown","remedy":"look elsewhere"}],"#,
                r#""score":{"ok":1,"total":3}}"#
            )
        );
        assert_eq!(
            report.to_text(),
            concat!(
                "ok       a     seen\n",
                "warn     long  seen\n",
                "               -> mend it\n",
                "unknown  b     seen\n",
                "1 of 3 checks are well\n",
            )
        );
    }
}
