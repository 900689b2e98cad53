//! What a recorded gateway did, as the input of one that runs again.
//!
//! When the kill word rose was an accident of threads, and so what was sent or blocked is not derived but
//! read. What can be said of it is said: the word never falls, so that nothing may have been sent, or
//! blocked at less, than a level that was certain to hold by then.

use std::collections::VecDeque;

use fusewire_core::event::{Body, Control, Event};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::order::Class;

use super::latch::Latch;
use super::levels::Step;

/// Violations that are kept; the rest is counted.
const KEPT_MAX: usize = 16;

/// A record of the gateway's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedOutcome {
    /// An approved verdict was sent, or blocked.
    Handled {
        /// Its index among the verdicts of the event.
        index: u32,
        /// The kill level that blocked it; none when it was sent.
        blocked_at: Option<Level>,
    },
    /// The gateway cancelled everything by itself.
    CancelAll,
}

/// What a recorded gateway can not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It was sent below the level that held.
    SentBelowLevel {
        /// The event.
        seq: u64,
        /// Index of the verdict.
        index: u32,
        /// The lowest that the level can have been.
        level: Level,
        /// The class, which that level forbids.
        class: Class,
    },
    /// It was blocked at less than the level that held, or at one that allows its class.
    BlockedWrongly {
        /// The event.
        seq: u64,
        /// Index of the verdict.
        index: u32,
        /// The recorded level.
        blocked_at: Level,
        /// The lowest that the level can have been.
        level: Level,
        /// The class.
        class: Class,
    },
    /// Something was recorded that no verdict asks for, or everything was cancelled a second time.
    NotAskedFor {
        /// The event that the record names.
        seq: u64,
        /// The record.
        outcome: RecordedOutcome,
    },
    /// An approved verdict was neither sent nor blocked.
    NoOutcome {
        /// The event.
        seq: u64,
        /// Index of the verdict.
        index: u32,
    },
    /// The highest level was sequenced before everything was cancelled.
    NoCancelAll {
        /// The event.
        seq: u64,
    },
}

/// The recorded outcomes that are ahead, in lane order.
#[derive(Debug)]
pub(super) struct Recorded {
    kill: KillSwitch,
    latch: Latch,
    outcomes: VecDeque<(u64, RecordedOutcome)>,
    /// The last event whose outcomes are all recorded.
    whole_until: u64,
    violations: Vec<Violation>,
    count: u64,
}

impl Recorded {
    pub(super) fn new(kill: KillSwitch, whole_until: u64) -> Self {
        Self {
            latch: Latch::new(kill.clone()),
            kill,
            outcomes: VecDeque::new(),
            whole_until,
            violations: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn push(&mut self, seq: u64, outcome: RecordedOutcome) {
        self.outcomes.push_back((seq, outcome));
    }

    /// The first few, and how many there are.
    pub(super) fn violations(&self) -> (&[Violation], u64) {
        (&self.violations, self.count)
    }

    /// An event: a level that was sequenced holds from now on. The gateway knew of it before the event
    /// came to it.
    pub(super) fn on_event(&mut self, event: &Event) {
        if let Body::KillLevel(level) | Body::Control(Control::Raise(level)) = event.body {
            self.kill.raise(level);
            self.latch.read();
            if self.latch.takes_cancel_all() && event.seq <= self.whole_until {
                self.violate(Violation::NoCancelAll { seq: event.seq });
            }
        }
    }

    /// True when everything was cancelled next, while `seq` was the last event.
    pub(super) fn takes_cancel_all(&mut self, seq: u64) -> bool {
        let next = self.outcomes.front() == Some(&(seq, RecordedOutcome::CancelAll));
        if next {
            self.outcomes.pop_front();
            self.kill.raise(Level::Dead);
            self.latch.read();
            if !self.latch.takes_cancel_all() {
                let outcome = RecordedOutcome::CancelAll;
                self.violate(Violation::NotAskedFor { seq, outcome });
            }
        }
        next
    }

    /// What was done with an approved verdict.
    pub(super) fn step(&mut self, seq: u64, index: u32, class: Class) -> Step {
        let found =
            self.outcomes.iter().enumerate().find_map(|(place, (at, outcome))| match outcome {
                RecordedOutcome::Handled { index: handled, blocked_at } => {
                    (*at == seq && *handled == index).then_some((place, *blocked_at))
                }
                RecordedOutcome::CancelAll => None,
            });
        let Some((place, blocked_at)) = found else {
            if seq <= self.whole_until {
                self.violate(Violation::NoOutcome { seq, index });
            }
            return Step::Omit;
        };
        // What stands before it has no verdict, or is the gateway's own.
        for _ in 0..place {
            if self.takes_cancel_all(seq) {
                return Step::CancelAll;
            }
            self.drop_first();
        }
        self.outcomes.pop_front();
        self.judge(seq, index, class, blocked_at)
    }

    /// The last verdict of an event is handled: true when everything was cancelled next, false when the
    /// next event is.
    pub(super) fn settle(&mut self, seq: u64) -> bool {
        while self.outcomes.front().is_some_and(|(at, _)| *at <= seq) {
            if self.takes_cancel_all(seq) {
                return true;
            }
            self.drop_first();
        }
        false
    }

    /// Does as recorded, and says whether it can have been so.
    fn judge(&mut self, seq: u64, index: u32, class: Class, blocked_at: Option<Level>) -> Step {
        let level = self.latch.read();
        let Some(blocked_at) = blocked_at else {
            if !level.allows(class) {
                self.violate(Violation::SentBelowLevel { seq, index, level, class });
            }
            return Step::Send;
        };
        if blocked_at < level || blocked_at.allows(class) {
            self.violate(Violation::BlockedWrongly { seq, index, blocked_at, level, class });
        }
        self.kill.raise(blocked_at);
        Step::Block(blocked_at)
    }

    fn drop_first(&mut self) {
        if let Some((seq, outcome)) = self.outcomes.pop_front() {
            self.violate(Violation::NotAskedFor { seq, outcome });
        }
    }

    #[cold]
    fn violate(&mut self, violation: Violation) {
        self.count += 1;
        if self.violations.len() < KEPT_MAX {
            self.violations.push(violation);
        }
    }
}

#[cfg(test)]
mod tests;
