//! The ring with two lanes of `core/src/ring.rs`: levels are pushed before their head and taken after it, so
//! that who sees a head finds all its levels. Its rings are another crate's; here they are two indices each.

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use loom::sync::atomic::{AtomicU64, AtomicUsize};
use loom::thread;

use crate::run::{fails, holds};

const HEADS: usize = 1;
const LEVELS: usize = 2;
/// Levels of each message: the second one meets a ring that is not empty, the third goes around its end.
const COUNTS: [usize; 3] = [1, 2, 1];

/// A ring of one producer and one consumer.
struct Ring<const N: usize> {
    slots: [AtomicU64; N],
    /// Pushed so far; the producer writes it.
    tail: AtomicUsize,
    /// Taken so far; the consumer writes it.
    head: AtomicUsize,
}

#[derive(Default)]
struct WithLevels {
    heads: Ring<HEADS>,
    levels: Ring<LEVELS>,
}

/// How the producer pushes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    levels_first: bool,
    tail: Ordering,
}

const RIGHT: Way = Way { levels_first: true, tail: Release };

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        let slots = std::array::from_fn(|_| AtomicU64::new(0));
        Self { slots, tail: AtomicUsize::new(0), head: AtomicUsize::new(0) }
    }
}

impl<const N: usize> Ring<N> {
    fn has_room(&self, count: usize) -> bool {
        self.tail.load(Relaxed) + count - self.head.load(Acquire) <= N
    }

    fn push(&self, values: &[u64], ordering: Ordering) {
        let tail = self.tail.load(Relaxed);
        for (number, value) in values.iter().enumerate() {
            self.slots[(tail + number) % N].store(*value, Relaxed);
        }
        self.tail.store(tail + values.len(), ordering);
    }

    fn waits(&self) -> usize {
        self.tail.load(Acquire) - self.head.load(Relaxed)
    }

    fn pop(&self) -> u64 {
        let head = self.head.load(Relaxed);
        let value = self.slots[head % N].load(Relaxed);
        self.head.store(head + 1, Release);
        value
    }
}

impl WithLevels {
    fn push(&self, number: u64, count: usize, way: Way) -> bool {
        if !self.heads.has_room(1) || !self.levels.has_room(count) {
            return false;
        }
        let levels: Vec<u64> = (0..count as u64).map(|level| number * 10 + level).collect();
        if way.levels_first {
            self.levels.push(&levels, way.tail);
            self.heads.push(&[number], way.tail);
        } else {
            self.heads.push(&[number], way.tail);
            self.levels.push(&levels, way.tail);
        }
        true
    }

    /// Takes the next message, if there is one, and checks its levels.
    fn pop(&self, number: u64, count: usize) -> bool {
        if self.heads.waits() == 0 {
            return false;
        }
        assert_eq!(self.heads.pop(), number);
        assert!(self.levels.waits() >= count, "levels are pushed before their head");
        for level in 0..count as u64 {
            assert_eq!(self.levels.pop(), number * 10 + level);
        }
        true
    }
}

fn model(way: Way) {
    let ring = Arc::new(WithLevels::default());
    let producer = {
        let ring = Arc::clone(&ring);
        thread::spawn(move || {
            for (number, count) in (1..).zip(COUNTS) {
                while !ring.push(number, count, way) {
                    thread::yield_now();
                }
            }
        })
    };
    for (number, count) in (1..).zip(COUNTS) {
        while !ring.pop(number, count) {
            thread::yield_now();
        }
    }
    producer.join().unwrap();
    assert_eq!((ring.heads.waits(), ring.levels.waits()), (0, 0));
}

#[test]
fn who_sees_a_head_finds_all_its_levels() {
    holds(|| model(RIGHT));
}

#[test]
fn a_head_that_is_pushed_first_may_come_without_levels() {
    fails(|| model(Way { levels_first: false, ..RIGHT }));
}

#[test]
fn without_release_a_head_may_come_before_its_levels() {
    fails(|| model(Way { tail: Relaxed, ..RIGHT }));
}
