//! Drives the stages of a run: on this thread, or on threads of their own that are watched from here.

use std::time::Duration;

use fusewire_core::kill::KillSwitch;
use fusewire_core::runner::{Crew, RunError, Threads, run_inline, run_threads};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_risk::RiskStage;

use super::Run;
use super::watch::Watch;
use crate::config::{Config, LockMemory, RunnerMode};
use crate::outcome::Failure;

/// How long the watching thread waits between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The threads of a run, checked against this machine; none when it has no threads of its own.
pub(super) fn threads(config: &Config) -> Result<Option<Threads>, Failure> {
    if config.runner.mode == RunnerMode::Inline {
        return Ok(None);
    }
    let refused = |what: String| Failure::line(format!("[runner] {what}"));
    let threads = config.threads().map_err(refused)?;
    let cores = std::thread::available_parallelism().map_err(Failure::line)?;
    threads.validate(cores.get()).map_err(refused)?;
    Ok(Some(threads))
}

/// Locks the memory of the process, now and later.
pub(super) fn lock_memory(config: &Config) -> Result<(), Failure> {
    use rustix::mm::{MlockAllFlags, mlockall};
    if config.runner.lock_memory == LockMemory::Off {
        return Ok(());
    }
    match (mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE), config.runner.lock_memory) {
        (Ok(()), _) => Ok(()),
        (Err(error), LockMemory::Require) => Err(Failure::line(format!(
            "[runner] lock_memory: {error}: raise RLIMIT_MEMLOCK (`ulimit -l`), or set it to \"try\""
        ))),
        (Err(error), LockMemory::Off | LockMemory::Try) => {
            tracing::warn!(%error, "memory is not locked: pages may be read back from a disk");
            Ok(())
        }
    }
}

/// Somebody who looks at the risk stage, and so at the account, behind each message that it handled: on its thread.
pub type Onlooker<'a> = &'a mut (dyn FnMut(&RiskStage) + Send);

/// The risk stage and who looks on.
struct Watched<'a> {
    stage: &'a mut RiskStage,
    look: Onlooker<'a>,
}

impl Stage for Watched<'_> {
    fn name(&self) -> &'static str {
        self.stage.name()
    }

    fn poll(&mut self) -> usize {
        let work = self.stage.poll();
        if work > 0 {
            (self.look)(self.stage);
        }
        work
    }

    fn rest(&mut self) -> usize {
        self.stage.rest()
    }
}

/// Runs until the feed has ended and nothing is left, with somebody who looks on or nobody.
pub(super) fn drive(
    run: &mut Run,
    threads: Option<&Threads>,
    (done, kill): (&DoneSeq, &KillSwitch),
    watch: &mut Watch,
    look: Option<Onlooker<'_>>,
) -> Result<(), RunError> {
    let Run { feed, sequencer, alpha, risk, gateway, .. } = run;
    let mut watched;
    let risk: &mut (dyn Stage + Send) = match look {
        None => risk,
        Some(look) => {
            watched = Watched { stage: risk, look };
            &mut watched
        }
    };
    let Some(threads) = threads else {
        return run_inline(feed, sequencer, &mut [alpha, risk, gateway], done, kill);
    };
    let crew = Crew { feed, head: sequencer, alpha, risk, gateway };
    run_threads(crew, threads, done, kill, &mut || {
        watch.look();
        std::thread::park_timeout(LOOK_EVERY);
    })
}
