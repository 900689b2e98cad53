//! A run that is counted: a line in each registry before it begins, and another one when it has ended. One that was killed or
//! stopped has no second line.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use fusewire_core::event::Control;
use fusewire_core::sequencer::ControlInput;

use crate::config::Config;
use crate::outcome::Failure;

use super::registry::{Line, Registry, Sync, What};
use super::results::Results;

/// A run that was begun.
#[derive(Debug)]
pub struct Counted<'a> {
    registries: &'a [Registry],
    begun: Line,
    started: Instant,
}

impl<'a> Counted<'a> {
    /// A trial of a sweep begins.
    pub(super) fn trial(registries: &'a [Registry], begun: Line) -> Result<Self, Failure> {
        let counted = Self { registries, begun, started: Instant::now() };
        counted.register(&counted.begun, Sync::Later)?;
        Ok(counted)
    }

    /// A run of its own begins, which belongs to no sweep: over these inputs (`captures_id`), with these commands.
    ///
    /// # Errors
    /// A registry can not be written: what can not be counted must not run.
    pub fn replay(
        registries: &'a [Registry],
        config: &Config,
        captures: String,
        controls: &[ControlInput],
    ) -> Result<Self, Failure> {
        let begun = Line {
            event: What::Started,
            at: utc_now(),
            sweep: String::new(),
            trial: 1,
            strategy: config.run.strategy.clone(),
            config: config_id(config, controls),
            captures,
            seed: config.run.seed,
            values: BTreeMap::new(),
            results: None,
            error: None,
            wall_ms: None,
        };
        Self::trial(registries, begun)
    }

    /// When it began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// It has ended: with these results, or it gave up.
    ///
    /// # Errors
    /// A registry can not be written.
    pub fn end(self, outcome: Result<&Results, &Failure>) -> Result<(), Failure> {
        let (event, results, error) = match outcome {
            Ok(results) => (What::Done, Some(results.clone()), None),
            Err(failure) => (What::Failed, None, Some(told(failure))),
        };
        let wall_ms = u64::try_from(self.started.elapsed().as_millis()).ok();
        let begun = self.begun.clone();
        let line = Line { event, at: utc_now(), results, error, wall_ms, ..begun };
        self.register(&line, Sync::Now)
    }

    fn register(&self, line: &Line, sync: Sync) -> Result<(), Failure> {
        self.registries.iter().try_for_each(|registry| registry.add(line, sync))
    }
}

/// Why a run gave up, on one line.
pub(super) fn told(Failure(lines): &Failure) -> String {
    lines.join("; ")
}

/// Now, as lines say it.
pub(super) fn utc_now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// As of a trial of the same configuration; commands make another run of it.
fn config_id(config: &Config, controls: &[ControlInput]) -> String {
    let hash = config.decisive_hash();
    if controls.is_empty() {
        return hash.to_hex().to_string();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(hash.as_bytes());
    for ControlInput { at, control } in controls {
        // Written out, as a registry outlives the names of a build.
        let text = match control {
            Control::Raise(level) => format!("{} raise {}\n", at.0, *level as u8),
            Control::Transfer(amount) => format!("{} transfer {}\n", at.0, amount.0),
            Control::Reconcile => format!("{} reconcile\n", at.0),
            // Measured, and none that anybody gives.
            Control::GateBreach(_) => continue,
        };
        hasher.update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use fusewire_core::kill::Level;
    use fusewire_core::units::Nanos;

    use super::*;

    /// X12: a replay counts as a trial does, a sweep does not take it for its own, and the same run again is no other one.
    #[test]
    fn a_replay_is_a_run_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let registries = [Registry::open(&folder.path().join("trials.jsonl")).unwrap()];
        let raise = [ControlInput { at: Nanos(7), control: Control::Raise(Level::Halt) }];
        let begin = |config: &Config, controls: &[ControlInput]| {
            Counted::replay(&registries, config, "k".to_owned(), controls).unwrap()
        };
        let mut config = Config::default();
        begin(&config, &[]).end(Ok(&Results::example())).unwrap();
        begin(&config, &[]).end(Err(&Failure(vec!["no".to_owned(), "room".to_owned()]))).unwrap();
        // Killed, and with a command that makes it another run.
        drop(begin(&config, &raise));
        config.run.strategy = "taker".to_owned();
        drop(begin(&config, &[]));
        let count = registries[0].count().unwrap();
        assert_eq!((count.runs, count.done, count.failed, count.distinct), (4, 1, 1, 3));
        let by_strategy = [("quoter", 3), ("taker", 1)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(count.by_strategy, BTreeMap::from(by_strategy));
        let text = std::fs::read_to_string(registries[0].path()).unwrap();
        assert!(text.contains(r#""error":"no; room""#), "{text}");
        let hash = Config::default().decisive_hash().to_hex();
        assert!(text.contains(&format!(r#""config":"{hash}""#)), "that of a trial: {text}");
        assert!(registries[0].done("s").unwrap().is_empty(), "of no sweep");
    }
}
