//! What one frame or tick says, waiting to be sequenced one event at a time.

use std::collections::VecDeque;

use crate::event::Body;
use crate::instrument::InstrumentId;

/// Bodies of events to come, in order and bounded.
#[derive(Debug)]
pub(super) struct Drafts {
    waiting: VecDeque<(InstrumentId, Body)>,
    max: usize,
}

impl Drafts {
    /// Room for `max`, taken here.
    pub(super) fn new(max: usize) -> Self {
        Self { waiting: VecDeque::with_capacity(max), max }
    }

    /// Puts one behind the others.
    ///
    /// # Panics
    /// When it is full: it holds the most that one frame or tick gives rise to.
    pub(super) fn push(&mut self, instrument: InstrumentId, body: Body) {
        assert!(self.waiting.len() < self.max, "drafts hold what one frame or tick gives rise to");
        self.waiting.push_back((instrument, body));
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<(InstrumentId, Body)> {
        self.waiting.pop_front()
    }

    /// True when nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
