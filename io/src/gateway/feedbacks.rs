//! What one input of the gateway gives rise to, until there is room on the ring.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::message::{Feedback, FeedbackBody, FeedbackOrigin};
use fusewire_core::order::Rejection;
use fusewire_core::ring::Producer;
use fusewire_core::stage::Outbox;
use fusewire_core::units::Nanos;

/// Feedback on its way to the sequencer, bounded. A venue's messages are stamped with their origin and
/// number here.
#[derive(Debug)]
pub struct Feedbacks {
    waiting: Outbox<Feedback>,
    capacity: usize,
    /// Messages of the venue so far.
    n: u64,
}

impl Feedbacks {
    /// Room for `capacity` messages of the venue. One more is kept for the gateway, so that a venue which
    /// fills its room can not keep a rejection from coming back.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { waiting: Outbox::new(capacity + 1), capacity, n: 0 }
    }

    /// Messages that the venue may still push.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.waiting.len())
    }

    /// True when nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a message of the venue; false, and nothing added, when there is no room.
    #[must_use]
    pub fn push(
        &mut self,
        due: Nanos,
        cause_seq: u64,
        instrument: Option<InstrumentId>,
        body: FeedbackBody,
    ) -> bool {
        if self.room() == 0 {
            return false;
        }
        let (origin, n) = (FeedbackOrigin::Venue, self.n);
        self.waiting.push(Feedback { due, cause_seq, origin, n, instrument, body });
        self.n += 1;
        true
    }

    /// Adds the refusal of the intent whose verdict has this index.
    pub(super) fn reject(&mut self, due: Nanos, cause_seq: u64, index: u32, rejection: &Rejection) {
        self.waiting.push(Feedback {
            due,
            cause_seq,
            origin: FeedbackOrigin::Gateway,
            n: u64::from(index),
            instrument: Some(rejection.instrument),
            body: FeedbackBody::Rejected(*rejection),
        });
    }

    /// Moves what fits onto the ring; returns how many messages that were.
    pub fn flush(&mut self, ring: &mut Producer<Feedback>) -> usize {
        self.waiting.flush(ring)
    }
}
