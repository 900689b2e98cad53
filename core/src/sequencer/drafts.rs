//! What one frame or tick says, waiting to be sequenced one event at a time.

use crate::event::Body;
use crate::instrument::InstrumentId;

/// Bodies of events to come, in order and bounded.
#[derive(Debug)]
pub(super) struct Drafts {
    waiting: Vec<(InstrumentId, Body)>,
    /// Place of the first that was not taken.
    next: usize,
    max: usize,
}

impl Drafts {
    /// Room for `max`, taken here.
    pub(super) fn new(max: usize) -> Self {
        Self { waiting: Vec::with_capacity(max), next: 0, max }
    }

    /// Puts one behind the others.
    ///
    /// # Panics
    /// When it is full: it holds the most that one frame or tick gives rise to, and that is put in before
    /// any of it is taken.
    pub(super) fn push(&mut self, instrument: InstrumentId, body: Body) {
        if self.is_empty() {
            self.waiting.clear();
            self.next = 0;
        }
        assert!(self.waiting.len() < self.max, "drafts hold what one frame or tick gives rise to");
        self.waiting.push((instrument, body));
    }

    /// Takes the first, which stays where it is until more are put in.
    pub(super) fn take(&mut self) -> Option<&(InstrumentId, Body)> {
        let first = self.waiting.get(self.next);
        self.next += usize::from(first.is_some());
        first
    }

    /// True when nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.next == self.waiting.len()
    }
}
