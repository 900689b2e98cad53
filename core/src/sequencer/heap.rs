//! Feedback that waits to be due: a bounded heap in the order of `Feedback::key`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::event::Body;
use crate::message::{Feedback, FeedbackBody};

/// The heap. All memory is taken at construction.
#[derive(Debug)]
pub(super) struct FeedbackHeap {
    heap: BinaryHeap<Waiting>,
    max: usize,
}

impl FeedbackHeap {
    /// Room for `max`.
    pub(super) fn new(max: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(max), max }
    }

    /// True when nothing more fits.
    pub(super) fn is_full(&self) -> bool {
        self.heap.len() == self.max
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Adds one.
    ///
    /// # Panics
    /// When it is full.
    pub(super) fn push(&mut self, feedback: Feedback) {
        assert!(!self.is_full(), "who pushes looks first");
        self.heap.push(Waiting(feedback));
    }

    /// The first.
    pub(super) fn peek(&self) -> Option<&Feedback> {
        self.heap.peek().map(|Waiting(feedback)| feedback)
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Feedback> {
        self.heap.pop().map(|Waiting(feedback)| feedback)
    }

    /// All of them in order.
    pub(super) fn sorted(&self) -> Vec<Feedback> {
        let mut all: Vec<Feedback> = self.heap.iter().map(|Waiting(feedback)| *feedback).collect();
        all.sort_unstable_by_key(Feedback::key);
        all
    }
}

/// What an event says that was feedback.
pub(super) fn body_of(feedback: &FeedbackBody) -> Body {
    Body::from(*feedback)
}

/// Feedback by its key, turned round: the heap of the library has the greatest on top.
#[derive(Clone, Copy, Debug)]
struct Waiting(Feedback);

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.key().cmp(&self.0.key())
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::FeedbackOrigin;
    use crate::units::Nanos;

    fn wake((due, cause_seq, venue, n): (u64, u64, bool, u64)) -> Feedback {
        let origin = if venue { FeedbackOrigin::Venue } else { FeedbackOrigin::Gateway };
        let body = FeedbackBody::Wake;
        Feedback { due: Nanos(due), cause_seq, origin, n, instrument: None, body }
    }

    proptest! {
        #[test]
        fn feedback_comes_out_by_due_cause_origin_and_number(
            keys in prop::collection::vec((0_u64..4, 0_u64..4, any::<bool>(), 0_u64..4), 0..60),
        ) {
            let mut heap = FeedbackHeap::new(60);
            let allocated = heap.heap.capacity();
            for key in &keys {
                heap.push(wake(*key));
            }
            let mut sorted = keys;
            sorted.sort_unstable();
            let sorted: Vec<Feedback> = sorted.into_iter().map(wake).collect();
            prop_assert_eq!(heap.sorted(), sorted.clone());
            prop_assert_eq!(heap.peek(), sorted.first());
            let popped: Vec<Feedback> = std::iter::from_fn(|| heap.pop()).collect();
            prop_assert_eq!(popped, sorted);
            prop_assert_eq!(heap.heap.capacity(), allocated);
        }
    }

    #[test]
    fn it_is_full_at_its_limit() {
        let mut heap = FeedbackHeap::new(2);
        heap.push(wake((1, 1, true, 1)));
        assert!(!heap.is_full());
        heap.push(wake((1, 1, true, 2)));
        assert!(heap.is_full());
        heap.pop();
        assert!(!heap.is_full());
    }
}
