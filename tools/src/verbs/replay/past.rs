//! `--check-past`: the same run again with its future cut off.

use std::sync::atomic::Ordering;

use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::sequencer::ControlInput;
use fusewire_core::units::Nanos;

use crate::config::{Config, PAST_CUTS_MOST, RunnerMode};
use crate::credibility::Past;
use crate::credibility::truncation::{self, Trace};
use crate::engine::{self, Plan, Run, Setup};
use crate::outcome::Failure;

/// What it takes to run again.
pub(super) struct Again {
    config: Config,
    universe: Universe,
    tradable: Vec<InstrumentId>,
    controls: Vec<ControlInput>,
    allow_broken: bool,
    cuts: u32,
}

impl Again {
    /// If it was asked for: `asked` is the option as given, with or without a number.
    ///
    /// # Errors
    /// A number out of range, or a runner whose runs are not the same twice.
    pub(super) fn new(
        asked: Option<Option<u32>>,
        config: &Config,
        setup: &Setup,
    ) -> Result<Option<Self>, Failure> {
        let Some(number) = asked else { return Ok(None) };
        let cuts = number.unwrap_or(config.credibility.past_cuts);
        if !(1..=PAST_CUTS_MOST).contains(&cuts) {
            let fault = format!("--check-past={cuts}: not in 1 to {PAST_CUTS_MOST}");
            return Err(Failure::line(fault));
        }
        if config.runner.mode == RunnerMode::Pinned {
            let fault = "--check-past: what threads do in a pinned run depends on them; use --runner inline";
            return Err(Failure::line(fault));
        }
        Ok(Some(Self {
            config: config.clone(),
            universe: setup.universe.clone(),
            tradable: setup.tradable.clone(),
            controls: setup.controls.clone(),
            allow_broken: setup.allow_broken,
            cuts,
        }))
    }

    /// Compares the run with those over shorter inputs. None when a signal ended it.
    ///
    /// # Errors
    /// That of a run.
    pub(super) fn check(&self, plan: &mut Plan, whole: &Run) -> Result<Option<Past>, Failure> {
        let manifest = &plan.scanned.manifest;
        let span = (manifest.first_recv, manifest.last_recv);
        let cuts = truncation::places(span, self.config.run.seed, self.cuts);
        let past = truncation::check(&trace(whole)?, &cuts, &mut |cut| self.run(plan, cut))?;
        let stopped = plan.stop.load(Ordering::Relaxed);
        Ok(Some(past).filter(|_| !stopped))
    }

    fn run(&self, plan: &mut Plan, until: Nanos) -> Result<Trace, Failure> {
        let strategies =
            self.config.strategies(&self.config.run.strategy).map_err(Failure::line)?;
        plan.until = Some(until);
        let setup = Setup {
            universe: self.universe.clone(),
            tradable: self.tradable.clone(),
            strategies: strategies.into_iter().map(|(_, strategy)| strategy).collect(),
            controls: self.controls.clone(),
            keep: Keep::Prefixes,
            kill: KillSwitch::new(),
            journal: None,
            allow_broken: self.allow_broken,
        };
        trace(&engine::run(plan, setup, &self.config, Box::new(|_| {}))?)
    }
}

fn trace(run: &Run) -> Result<Trace, Failure> {
    Trace::of(run).ok_or_else(|| Failure::line("the run did not keep what it did"))
}
