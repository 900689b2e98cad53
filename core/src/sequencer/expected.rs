//! Feedback that a rerun brought back, until the recording sequences it.
//!
//! When the stages behind the sequencer are run again, all that was fed in from there must come out of
//! them again: each recorded report is one of theirs, and what is left at the end is what was pending.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::event::{Body, Event};
use crate::message::{Feedback, FeedbackOrigin};
use crate::sequencer::heap::body_of;
use crate::units::Nanos;

/// The order of feedback, and behind it the order in which it came.
type Key = (Nanos, u64, FeedbackOrigin, u64, u64);

/// What is run again, and so which feedback has to come out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// Gateway and venue: all of it.
    Venue,
    /// The gateway before a venue that says nothing: rejections.
    Gateway,
}

/// Feedback of a rerun that is not sequenced yet. In the end both `outstanding` and `missing` are empty,
/// unless the recording was cut.
#[derive(Debug)]
pub struct Expected {
    rerun: Rerun,
    outstanding: BTreeMap<Key, Feedback>,
    /// What the recording lists as pending and the rerun has not given yet.
    pending: BTreeMap<Key, Feedback>,
    max: usize,
    /// Pieces of feedback that were ever added, which keeps equal ones apart.
    added: u64,
    sequenced: u64,
}

/// More feedback is outstanding than was allowed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("more than {max} pieces of feedback wait to be sequenced")]
pub struct ExpectedFull {
    /// The limit.
    pub max: usize,
}

/// A recorded event that the rerun does not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unexpected {
    /// What was recorded.
    pub recorded: Event,
    /// The outstanding feedback that is most like it.
    pub nearest: Option<Feedback>,
}

impl Expected {
    /// Nothing is outstanding. `max` bounds what may be: the `feedback_max` of the recorded run, and what
    /// the events between its stages could add.
    #[must_use]
    pub fn new(rerun: Rerun, max: usize) -> Self {
        let (outstanding, pending) = (BTreeMap::new(), BTreeMap::new());
        Self { rerun, outstanding, pending, max, added: 0, sequenced: 0 }
    }

    /// Feedback that was still pending when the recording ended. All of it is told before the first event:
    /// a late message may say the same as an earlier one, and only this list tells which of them is left.
    ///
    /// # Errors
    /// There is more than was allowed.
    pub fn list_pending(&mut self, feedback: Feedback) -> Result<(), ExpectedFull> {
        if !self.concerns(&body_of(&feedback.body)) {
            return Ok(());
        }
        let key = self.key(&feedback);
        insert(&mut self.pending, self.max, key, feedback)
    }

    /// Adds what gateway or venue said. What is not run again is not expected and left out.
    ///
    /// # Errors
    /// There is more than was allowed.
    pub fn push(&mut self, feedback: Feedback) -> Result<(), ExpectedFull> {
        if !self.concerns(&body_of(&feedback.body)) {
            return Ok(());
        }
        let key = self.key(&feedback);
        let first = (key.0, key.1, key.2, key.3, 0);
        let mut listed = self.pending.range(first..key);
        if let Some(key) = listed.find(|(_, one)| **one == feedback).map(|(key, _)| *key) {
            self.pending.remove(&key);
            return Ok(());
        }
        insert(&mut self.outstanding, self.max, key, feedback)
    }

    /// Finds a recorded event among what is outstanding and takes it out. Events that are no feedback, or
    /// feedback of what is not run again, pass.
    ///
    /// # Errors
    /// Nothing that is due says that.
    pub fn sequenced(&mut self, recorded: &Event) -> Result<(), Box<Unexpected>> {
        if !self.concerns(&recorded.body) {
            return Ok(());
        }
        // Among equal ones the first is as good as any: whichever is due now is also due later.
        let mut due = self.outstanding.iter().take_while(|(_, one)| one.due <= recorded.ts);
        let found = due.find(|(_, one)| says(one, recorded)).map(|(key, _)| *key);
        if found.and_then(|key| self.outstanding.remove(&key)).is_none() {
            let nearest = self.nearest(recorded);
            return Err(Box::new(Unexpected { recorded: *recorded, nearest }));
        }
        self.sequenced += 1;
        Ok(())
    }

    /// Recorded events that were found.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.sequenced
    }

    /// What was neither sequenced nor listed as pending, in order.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Feedback> {
        self.outstanding.values().copied().collect()
    }

    /// What was listed as pending and did not come out again, in order.
    #[must_use]
    pub fn missing(&self) -> Vec<Feedback> {
        self.pending.values().copied().collect()
    }

    fn key(&mut self, feedback: &Feedback) -> Key {
        let (due, cause_seq, origin, n) = feedback.key();
        self.added += 1;
        (due, cause_seq, origin, n, self.added)
    }

    fn concerns(&self, body: &Body) -> bool {
        match body {
            Body::Rejected(_) => true,
            Body::Report(_) | Body::Status(_) | Body::Wake | Body::Account(_) => {
                self.rerun == Rerun::Venue
            }
            Body::Touch(_)
            | Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_)
            | Body::Bar(_)
            | Body::BookInvalid(_)
            | Body::Tick
            | Body::Gap
            | Body::Control(_)
            | Body::KillLevel(_) => false,
        }
    }

    /// The first of those most like a recorded event.
    #[cold]
    fn nearest(&self, recorded: &Event) -> Option<Feedback> {
        let likeness = |one: &&Feedback| {
            let body = body_of(&one.body);
            let same_kind = body.kind() == recorded.body.kind();
            let same_order = same_kind && body.order() == recorded.body.order();
            (says(one, recorded), same_order, same_kind, one.instrument == recorded.instrument)
        };
        // The last of the most alike wins, so that they are turned round.
        self.outstanding.values().rev().max_by_key(likeness).copied()
    }
}

/// True when the event says what the feedback does.
fn says(feedback: &Feedback, event: &Event) -> bool {
    feedback.instrument == event.instrument && body_of(&feedback.body) == event.body
}

fn insert(
    map: &mut BTreeMap<Key, Feedback>,
    max: usize,
    key: Key,
    feedback: Feedback,
) -> Result<(), ExpectedFull> {
    if map.len() == max {
        return Err(ExpectedFull { max });
    }
    map.insert(key, feedback);
    Ok(())
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recorded, nearest } = self;
        write!(f, "nothing that is due says event {}, {recorded:?}", recorded.seq)?;
        match nearest {
            Some(nearest) => write!(f, "; nearest to it is {nearest:?}"),
            None => write!(f, "; nothing is outstanding"),
        }
    }
}

impl std::error::Error for Unexpected {}
