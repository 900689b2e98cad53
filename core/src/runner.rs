//! Who polls the stages. Inline: one thread that drives every event to completion before the next one
//! is taken, so that a replay gives the same on every machine.

use thiserror::Error;

use crate::journal::Stopped;
use crate::sequencer::{Sequencer, SequencerError};
use crate::stage::{DoneSeq, Stage};

/// The stage that the inputs come from.
pub trait Source: Stage {
    /// True when it has put its last input on the ring.
    fn ended(&self) -> bool;
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
}

/// Runs until the feed has ended and nothing is left. `rest` are the stages behind the head in pipeline
/// order; the last of them publishes `done`.
///
/// # Errors
/// A fault of the head, or a round in which no stage moved though work is left.
pub fn run_inline(
    feed: &mut dyn Source,
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    done: &DoneSeq,
) -> Result<(), RunError> {
    loop {
        let fed = if head.wants_input() && !feed.ended() { feed.poll() } else { 0 };
        let mut work = fed + head.poll();
        work += finish_event(head, rest, done)?;
        if work > 0 {
            continue;
        }
        if head.wants_input() && feed.ended() {
            return Ok(());
        }
        if waits_for_journal(head)? {
            continue;
        }
        // The head has an input and no room for it, or the feed owes it one.
        let stage = if head.wants_input() { feed.name() } else { head.name() };
        return Err(RunError::Stuck { stage, seq: head.seq() });
    }
}

/// Polls the stages behind the head until they have finished its last event. The head takes feedback
/// meanwhile, or a full ring would keep the far end from finishing.
fn finish_event(
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    done: &DoneSeq,
) -> Result<usize, RunError> {
    let mut work = 0;
    // The stage farthest down that moved for this event.
    let mut moved = None;
    loop {
        if let Some(fault) = head.fault() {
            return Err((*fault).into());
        }
        if done.get() == head.seq() && head.is_idle() {
            return Ok(work);
        }
        let mut round = 0;
        for (index, stage) in rest.iter_mut().enumerate() {
            let polled = stage.poll();
            if polled > 0 {
                moved = moved.max(Some(index));
            }
            round += polled;
        }
        round += head.drain();
        if round == 0 && head.fault().is_none() && !waits_for_journal(head)? {
            return Err(stuck(head, rest, moved));
        }
        work += round;
    }
}

/// True when a lane waits for its next segment; the thread that makes it is let go first.
#[cold]
fn waits_for_journal(head: &Sequencer) -> Result<bool, Stopped> {
    let Some(watch) = head.lane().watch() else { return Ok(false) };
    if let Some(stopped) = watch.stopped() {
        return Err(stopped.clone());
    }
    let starved = watch.is_starved();
    if starved {
        std::thread::yield_now();
    }
    Ok(starved)
}

#[cold]
fn stuck(head: &Sequencer, rest: &[&mut dyn Stage], moved: Option<usize>) -> RunError {
    let next = moved.map_or(0, |index| index + 1);
    let stage = rest.get(next).or(rest.last()).map_or(head.name(), |stage| stage.name());
    RunError::Stuck { stage, seq: head.seq() }
}

#[cfg(test)]
mod tests;
