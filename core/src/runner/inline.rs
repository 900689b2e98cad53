//! The inline runner: one thread that drives every event to completion before the next one is taken, so that a
//! replay gives the same on every machine.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{RunError, Source, last_polls, panicked};
use crate::journal::Stopped;
use crate::kill::{KillSwitch, Level};
use crate::sequencer::Sequencer;
use crate::stage::{DoneSeq, Stage};

/// Runs until the feed has ended and nothing is left. `rest` are the stages behind the head in pipeline
/// order; the last of them publishes `done`.
///
/// # Errors
/// A fault of the head, a round in which no stage moved though work is left, or a panic: then the kill level is
/// raised to its highest, and the last stage cancels everything.
pub fn run_inline(
    feed: &mut dyn Source,
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    done: &DoneSeq,
    kill: &KillSwitch,
) -> Result<(), RunError> {
    let at = Cell::new("");
    let outcome = catch_unwind(AssertUnwindSafe(|| run(feed, head, rest, done, &at)));
    outcome.unwrap_or_else(|panic| {
        kill.raise(Level::Dead);
        if let Some(gateway) = rest.last_mut() {
            last_polls(*gateway);
        }
        Err(panicked(at.get(), &*panic))
    })
}

/// Looks for the next input between two times that stages do what can wait: no event is in the middle then.
const REST_EVERY: u32 = 16;

/// `at` is told which stage is polled.
fn run(
    feed: &mut dyn Source,
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    done: &DoneSeq,
    at: &Cell<&'static str>,
) -> Result<(), RunError> {
    let mut looks = 0_u32;
    loop {
        let mut work = if !head.wants_input() || feed.ended() {
            at.set(head.name());
            head.poll()
        } else {
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(REST_EVERY) {
                rest_all(feed, head, rest, at);
            }
            next_input(feed, head, at)
        };
        work += finish_event(head, rest, done, at)?;
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
        let waits = head.wants_input() && !head.is_due();
        let stage = if waits { feed.name() } else { head.name() };
        return Err(RunError::Stuck { stage, seq: head.seq() });
    }
}

/// Takes the next input, or emits what comes before it.
fn next_input(feed: &mut dyn Source, head: &mut Sequencer, at: &Cell<&'static str>) -> usize {
    at.set(feed.name());
    feed.foretell();
    if head.is_due() {
        at.set(head.name());
        return head.poll();
    }
    feed.poll()
}

/// Every event was driven to its end: lets each stage do all that can wait.
fn rest_all(
    feed: &mut dyn Source,
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    at: &Cell<&'static str>,
) {
    let take_time = |stage: &mut dyn Stage| {
        at.set(stage.name());
        while stage.rest() > 0 {}
    };
    take_time(feed);
    take_time(head);
    for stage in rest {
        take_time(*stage);
    }
}

/// Polls the stages behind the head until they have finished its last event. The head takes feedback
/// meanwhile, or a full ring would keep the far end from finishing.
fn finish_event(
    head: &mut Sequencer,
    rest: &mut [&mut dyn Stage],
    done: &DoneSeq,
    at: &Cell<&'static str>,
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
            at.set(stage.name());
            let polled = stage.poll();
            if polled > 0 {
                moved = moved.max(Some(index));
            }
            round += polled;
        }
        at.set(head.name());
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
