//! A stage: a bounded, non-blocking unit of work between rings. Nothing in it knows who drives it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use rtrb::{Producer, PushError};

use crate::ring::push_in_place;
use crate::units::Nanos;

/// One step of the pipeline.
pub trait Stage {
    /// Its name in reports and errors.
    fn name(&self) -> &'static str;

    /// Does a bounded amount of work without blocking and returns how much: 0 when there was nothing to
    /// do or nowhere to put it. A stage with undelivered output takes no input.
    fn poll(&mut self) -> usize;

    /// Does a bounded amount of what can wait until there is nothing else to do; returns how much that was.
    fn rest(&mut self) -> usize {
        0
    }
}

/// Output that waits for room on a ring, in order and bounded.
#[derive(Debug)]
pub struct Outbox<T> {
    waiting: VecDeque<T>,
    capacity: usize,
}

impl<T> Outbox<T> {
    /// Room for `capacity` messages, taken here.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::with_capacity(capacity), capacity }
    }

    /// Puts a message behind the others.
    ///
    /// # Panics
    /// When it is full: its capacity is the most that one input can give rise to, and input is taken only
    /// when it is empty.
    pub fn push(&mut self, message: T) {
        assert!(self.waiting.len() < self.capacity, "an outbox holds what one input gives rise to");
        self.waiting.push_back(message);
    }

    /// Makes a message on the ring, or behind the others when some wait or the ring has no room: nearly all
    /// go straight through.
    ///
    /// # Panics
    /// As `push`.
    pub fn send(&mut self, ring: &mut Producer<T>, make: impl FnOnce() -> T)
    where
        T: Copy,
    {
        if self.waiting.is_empty() && !ring.is_full() {
            assert!(push_in_place(ring, make, |_| ()), "there was room, and nobody else pushes");
        } else {
            self.push(make());
        }
    }

    /// Moves what fits onto the ring; returns how many messages that were.
    pub fn flush(&mut self, ring: &mut Producer<T>) -> usize {
        if self.waiting.is_empty() {
            return 0;
        }
        let mut moved = 0;
        while let Some(message) = self.waiting.pop_front() {
            if let Err(PushError::Full(message)) = ring.push(message) {
                self.waiting.push_front(message);
                break;
            }
            moved += 1;
        }
        moved
    }

    /// True when nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Messages that still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity - self.waiting.len()
    }

    /// The last message that waits.
    pub fn back_mut(&mut self) -> Option<&mut T> {
        self.waiting.back_mut()
    }
}

/// The last event that the gateway has wholly handled, its feedback pushed. Clones share the number.
#[derive(Clone, Debug, Default)]
pub struct DoneSeq(Arc<CachePadded<AtomicU64>>);

impl DoneSeq {
    /// Nothing handled yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes `seq`. Release pairs with `get`: who sees the number finds the feedback on its ring.
    pub fn set(&self, seq: u64) {
        self.0.store(seq, Ordering::Release);
    }

    /// The last event handled.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Before what time no frame comes any more: who feeds the frames knows it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Horizon(Arc<CachePadded<AtomicU64>>);

impl Horizon {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every frame received before `at` is on its ring. Release pairs with `get`. It has one writer, and never
    /// falls: a frame whose time lies before that of an earlier one counts as of that one.
    pub fn advance(&self, at: Nanos) {
        if at.0 > self.0.load(Ordering::Relaxed) {
            self.0.store(at.0, Ordering::Release);
        }
    }

    /// The time: who sees it finds all frames before it on the ring.
    #[must_use]
    pub fn get(&self) -> Nanos {
        Nanos(self.0.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    #[test]
    fn an_outbox_keeps_order_over_a_full_ring() {
        let (mut producer, mut consumer) = RingBuffer::new(1);
        let mut outbox = Outbox::new(3);
        for number in 0..3 {
            outbox.push(number);
        }
        assert_eq!(outbox.room(), 0);
        for number in 0..3 {
            assert_eq!(outbox.flush(&mut producer), 1);
            assert_eq!(outbox.flush(&mut producer), 0);
            assert_eq!(consumer.pop(), Ok(number));
        }
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_is_sent_waits_behind_what_waits() {
        let (mut producer, mut consumer) = RingBuffer::new(2);
        let mut outbox = Outbox::new(3);
        for number in 0..4 {
            outbox.send(&mut producer, || number);
        }
        assert_eq!(outbox.len(), 2, "two found room");
        assert_eq!(consumer.pop(), Ok(0));
        // There is room, but not for who would overtake.
        outbox.send(&mut producer, || 4);
        assert_eq!(outbox.len(), 3);
        for number in 1..5 {
            assert_eq!(consumer.pop(), Ok(number));
            outbox.flush(&mut producer);
        }
        assert!(outbox.is_empty() && consumer.pop().is_err());
    }
}
