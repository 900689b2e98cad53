//! Who polls the stages. Nothing in a stage knows which runner drives it.
//!
//! | runner | threads |
//! |---|---|
//! | inline | one: every event is driven to its end before the next is taken |
//! | pinned | stages grouped onto cores, each free to run |
//! | lockstep | as pinned, but the head waits for quiescence before each event |
//!
//! A panic in a stage, like any other failure, raises the kill level to its highest, and the gateway cancels
//! everything before the run ends.

mod crew;
mod inline;
mod threads;
mod worker;

pub use crew::{Crew, Role};
pub use inline::run_inline;
pub use threads::{Gating, Group, Idle, Threads, run_threads};

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use crate::journal::Stopped;
use crate::sequencer::SequencerError;
use crate::stage::Stage;

/// The stage that the inputs come from.
pub trait Source: Stage {
    /// True when it has put its last input on the ring.
    fn ended(&self) -> bool;

    /// Says on a horizon when the next input comes, if it knows and has not taken it, so that what is due before
    /// is done before it is in hand, as it was when it was recorded.
    fn foretell(&mut self) {}
}

/// Why a run ended before its input.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// The sequencer gave up.
    #[error(transparent)]
    Sequencer(#[from] SequencerError),
    /// The journal takes nothing more, and what is not in it must not happen.
    #[error(transparent)]
    Journal(#[from] Stopped),
    /// Work is left and no stage moves.
    #[error("stage '{stage}' does not finish event {seq}")]
    Stuck {
        /// The stage that the event waits at: the one behind the last that moved.
        stage: &'static str,
        /// The event, or the last one when the next does not come.
        seq: u64,
    },
    /// A stage panicked. The kill level was raised and everything cancelled.
    #[error("stage '{stage}' panicked: {what}")]
    Panicked {
        /// The stage.
        stage: &'static str,
        /// What it said.
        what: String,
    },
    /// A thread can not be had as configured.
    #[error("thread '{thread}': {what}")]
    Thread {
        /// Its name.
        thread: String,
        /// What can not be had.
        what: String,
    },
}

/// Polls of the gateway after a failure. It cancels everything in the first one; the others put on the ring
/// what comes of it.
const LAST_POLLS: usize = 16;

/// Lets the gateway cancel everything: the kill level was raised before. If that fails too there is nothing left
/// to be done here; the venue's own dead man's switch is for that.
#[cold]
fn last_polls(gateway: &mut dyn Stage) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..LAST_POLLS {
            gateway.poll();
        }
    }));
}

/// What a panic said.
#[cold]
fn panicked(stage: &'static str, panic: &(dyn Any + Send)) -> RunError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = text.or_else(|| panic.downcast_ref::<String>().cloned());
    RunError::Panicked { stage, what: what.unwrap_or_else(|| "no message".to_owned()) }
}

#[cfg(test)]
mod tests;
