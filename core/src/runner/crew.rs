//! The stages of a run, and what a thread does with each of them.

use super::{RunError, Source};
use crate::journal::Stopped;
use crate::sequencer::Sequencer;
use crate::stage::{DoneSeq, Stage};

use super::threads::Gating;
use super::worker::Shared;

/// A stage's place in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Frames to inputs.
    Feed,
    /// The head.
    Sequencer,
    /// Strategies.
    Alpha,
    /// Pre-trade risk.
    Risk,
    /// The far end.
    Gateway,
}

impl Role {
    /// All roles, in pipeline order.
    pub const ALL: [Self; 5] =
        [Self::Feed, Self::Sequencer, Self::Alpha, Self::Risk, Self::Gateway];

    /// The name in configuration and thread names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Sequencer => "sequencer",
            Self::Alpha => "alpha",
            Self::Risk => "risk",
            Self::Gateway => "gateway",
        }
    }
}

/// The stages of a run.
pub struct Crew<'a> {
    /// Frames to inputs.
    pub feed: &'a mut (dyn Source + Send),
    /// The head.
    pub head: &'a mut Sequencer,
    /// Strategies.
    pub alpha: &'a mut (dyn Stage + Send),
    /// Pre-trade risk.
    pub risk: &'a mut (dyn Stage + Send),
    /// The far end, which publishes what is done.
    pub gateway: &'a mut (dyn Stage + Send),
}

impl<'a> Crew<'a> {
    /// The stages in the order of `Role::ALL`.
    pub(super) fn members(self) -> [Member<'a>; Role::ALL.len()] {
        let Self { feed, head, alpha, risk, gateway } = self;
        [
            Member::Feed(feed),
            Member::Head(head),
            Member::Between(alpha),
            Member::Between(risk),
            Member::Gateway(gateway),
        ]
    }
}

/// A stage as its thread sees it.
pub(super) enum Member<'a> {
    Feed(&'a mut (dyn Source + Send)),
    Head(&'a mut Sequencer),
    Between(&'a mut (dyn Stage + Send)),
    Gateway(&'a mut (dyn Stage + Send)),
}

impl Member<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Feed(feed) => feed.name(),
            Self::Head(head) => head.name(),
            Self::Between(stage) | Self::Gateway(stage) => stage.name(),
        }
    }

    /// One poll; returns how much work that was.
    pub(super) fn poll(&mut self, shared: &Shared<'_>) -> usize {
        match self {
            Self::Feed(feed) => {
                let work = feed.poll();
                if feed.ended() {
                    shared.feed_ended();
                }
                work
            }
            Self::Head(head) => poll_head(head, shared),
            Self::Between(stage) | Self::Gateway(stage) => stage.poll(),
        }
    }

    /// What can wait until there is nothing else to do.
    pub(super) fn rest(&mut self) -> usize {
        match self {
            Self::Feed(feed) => feed.rest(),
            Self::Head(head) => head.rest(),
            Self::Between(stage) | Self::Gateway(stage) => stage.rest(),
        }
    }
}

/// Behind the last frame nothing more is sequenced; feedback is taken until the far end has finished.
fn poll_head(head: &mut Sequencer, shared: &Shared<'_>) -> usize {
    if shared.has_feed_ended() && head.wants_input() {
        // In this order: what was pushed before the number was published is then seen.
        let is_quiet = is_quiescent(head, shared.done);
        let taken = head.drain();
        if is_quiet && taken == 0 {
            shared.finish();
        }
        return taken;
    }
    let may_step = match shared.gating {
        Gating::Free => true,
        Gating::Lockstep => is_quiescent(head, shared.done),
    };
    let work = if may_step { head.poll() } else { head.drain() };
    if work == 0 {
        look_for_faults(head, shared);
    }
    work
}

/// True when all that was sequenced is finished: its feedback is on the ring.
fn is_quiescent(head: &Sequencer, done: &DoneSeq) -> bool {
    done.get() == head.seq() && head.is_idle()
}

fn look_for_faults(head: &Sequencer, shared: &Shared<'_>) {
    if let Some(fault) = head.fault() {
        shared.fail(RunError::Sequencer(*fault));
    }
    let stopped: Option<&Stopped> = head.lane().watch().and_then(|watch| watch.stopped());
    if let Some(stopped) = stopped {
        shared.fail(RunError::Journal(stopped.clone()));
    }
}
