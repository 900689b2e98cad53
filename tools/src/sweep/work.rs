//! The workers: each runs one trial after another, alone with its stages. What trials share is only read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::units::Nanos;
use fusewire_risk::RiskStage;

use crate::config::Config;
use crate::config::vary::Base;
use crate::engine::{self, Plan, Setup};
use crate::meter::Meter;
use crate::outcome::Failure;
use crate::report::Report;

use super::counted::{Counted, told, utc_now};
use super::registry::{Line, Registry, What};
use super::results::Results;
use super::trials::Trial;

/// What all trials share.
pub struct Shared<'a> {
    /// The inputs, scanned and decoded once.
    pub plan: &'a Plan,
    /// The symbols.
    pub universe: &'a Universe,
    /// Those of them that may be traded.
    pub tradable: &'a [InstrumentId],
    /// What the values of a trial are put over.
    pub config: &'a Config,
    /// A broken capture was let through.
    pub allow_broken: bool,
    /// Period of returns.
    pub period: Nanos,
}

/// A sweep at work.
pub struct Sweep<'a> {
    /// What its trials share.
    pub shared: Shared<'a>,
    /// `Definition::id`.
    pub id: String,
    /// `Definition::captures_id`.
    pub captures: String,
    /// Where runs are counted, in this order: what the last of them says is what a resumed sweep goes by.
    pub registries: Vec<Registry>,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It came to its end.
    Done(Box<Results>),
    /// It gave up, and why.
    Failed(String),
}

/// Runs `trials` on so many threads, and calls `ended` behind each. A run that is stopped has not ended: the next
/// sweep begins it anew.
///
/// # Errors
/// A registry can not be written: what can not be counted must not run.
pub fn work(
    sweep: &Sweep<'_>,
    trials: &[&Trial],
    jobs: usize,
    ended: &(dyn Fn() + Sync),
) -> Result<BTreeMap<u64, Ended>, Failure> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let broken = AtomicBool::new(false);
    let base = Base::new(sweep.shared.config);
    let worker = || {
        while !sweep.stopped() && !broken.load(Ordering::Relaxed) {
            let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            match sweep.one(trial, &base) {
                Ok(None) => break,
                Ok(Some(outcome)) => {
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(trial.number, outcome);
                    ended();
                }
                Err(failure) => {
                    broken.store(true, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        let over = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        over.collect::<Vec<_>>().into_iter().collect::<Result<(), Failure>>()
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Sweep<'_> {
    fn stopped(&self) -> bool {
        self.shared.plan.stop.load(Ordering::Relaxed)
    }

    /// Registers a trial, runs it, and registers how it ended; none when it was stopped.
    fn one(&self, trial: &Trial, base: &Base) -> Result<Option<Ended>, Failure> {
        let config = trial.config(base)?;
        let begun = Line {
            event: What::Started,
            at: utc_now(),
            sweep: self.id.clone(),
            trial: trial.number,
            strategy: config.run.strategy.clone(),
            config: trial.config.to_hex().to_string(),
            captures: self.captures.clone(),
            seed: config.run.seed,
            values: trial.values.iter().cloned().collect(),
            results: None,
            error: None,
            wall_ms: None,
        };
        let counted = Counted::trial(&self.registries, begun)?;
        // Alerts of the run are told with its number.
        let _span = tracing::error_span!("trial", number = trial.number).entered();
        let outcome = self.shared.run(&config, counted.started());
        if self.stopped() {
            return Ok(None);
        }
        counted.end(outcome.as_ref())?;
        Ok(Some(match outcome {
            Ok(results) => Ended::Done(Box::new(results)),
            Err(failure) => Ended::Failed(told(&failure)),
        }))
    }
}

impl Shared<'_> {
    /// One run over the inputs, which are opened for it by the engine, as for a replay.
    fn run(&self, config: &Config, started: Instant) -> Result<Results, Failure> {
        let strategies = config.strategies(&config.run.strategy).map_err(Failure::line)?;
        let (names, strategies): (Vec<String>, Vec<_>) = strategies.into_iter().unzip();
        let setup = Setup {
            universe: self.universe.clone(),
            tradable: self.tradable.to_vec(),
            strategies,
            controls: Vec::new(),
            keep: Keep::Digest,
            kill: KillSwitch::new(),
            journal: None,
            allow_broken: self.allow_broken,
        };
        let mut ready = engine::start(self.plan, setup, config, Box::new(|_| {}))?;
        let mut meter = Meter::new(config, self.period);
        ready.drive_watched(&mut |risk: &RiskStage| meter.look(risk))?;
        let run = ready.end()?;
        meter.end(&run.risk);
        let manifest = self.plan.scanned.manifest.clone();
        let wall = started.elapsed();
        let report = Report::new(&names, config, (manifest, None), (&run, &meter), wall);
        Results::new(&report, meter.equity())
    }
}

/// Bounds that depend on how many symbols there are, before anything runs: each trial puts its values over `config`.
///
/// # Errors
/// One line for the first trial that does not fit.
pub fn check(trials: &[Trial], config: &Config, symbols: usize) -> Result<(), Failure> {
    let base = Base::new(config);
    for trial in trials {
        let checked = trial.config(&base).map_err(Failure::from);
        checked.and_then(|config| engine::check_bounds(&config, symbols)).map_err(
            |Failure(lines)| Failure(lines.iter().map(|line| trial.named(line)).collect()),
        )?;
    }
    Ok(())
}
