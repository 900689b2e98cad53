//! The rings between stages: bounded, one producer, one consumer.
//!
//! Most carry messages of a fixed size and are `rtrb` rings as they are. Book frames have any number of
//! levels: they travel on a ring with two lanes, heads and levels. Levels are pushed before their head and
//! taken after it, so that who sees a head finds all its levels.
//!
//! An event is 152 bytes, and a stage that popped it, changed it and pushed it on copied it five times. So
//! messages are made and looked at where they lie on a ring: one copy for each ring.

#![allow(unsafe_code, reason = "a slot of a ring is not initialized before it is written")]

use rtrb::chunks::ReadChunk;
pub use rtrb::{Consumer, Producer, RingBuffer};

use crate::market::Level;

/// Pushes a message that `make` makes where it will lie, and hands it to `finish` before the other end can see it.
/// False, and nothing made, when there is no room now.
pub fn push_in_place<T: Copy>(
    ring: &mut Producer<T>,
    make: impl FnOnce() -> T,
    finish: impl FnOnce(&mut T),
) -> bool {
    let Ok(mut chunk) = ring.write_chunk_uninit(1) else { return false };
    let (place, _) = chunk.as_mut_slices();
    finish(place[0].write(make()));
    // SAFETY: the chunk is one slot, and it was written just now.
    unsafe { chunk.commit_all() };
    true
}

/// Takes the next message and shows it where it lies; none when there is none. It is gone even when `show` panics:
/// nobody meets it twice.
pub fn pop_in_place<T: Copy, R>(ring: &mut Consumer<T>, show: impl FnOnce(&T) -> R) -> Option<R> {
    let taken = Taken(Some(ring.read_chunk(1).ok()?));
    let (message, _) = taken.0.as_ref()?.as_slices();
    Some(show(&message[0]))
}

/// A message that leaves the ring when this is dropped.
struct Taken<'r, T: Copy>(Option<ReadChunk<'r, T>>);

impl<T: Copy> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(chunk) = self.0.take() {
            chunk.commit_all();
        }
    }
}

/// A ring of messages that may be followed by levels.
#[must_use]
pub fn with_levels<T>(heads: usize, levels: usize) -> (LevelsProducer<T>, LevelsConsumer<T>) {
    let (head_in, head_out) = RingBuffer::new(heads);
    let (levels_in, levels_out) = RingBuffer::new(levels);
    let producer = LevelsProducer { heads: head_in, levels: levels_in };
    (producer, LevelsConsumer { heads: head_out, levels: levels_out })
}

/// The sending end of a ring with levels.
#[derive(Debug)]
pub struct LevelsProducer<T> {
    heads: Producer<T>,
    levels: Producer<Level>,
}

impl<T> LevelsProducer<T> {
    /// Pushes a message with its levels, all or nothing; false when there is no room now.
    ///
    /// # Panics
    /// When the levels would not even fit an empty ring: who makes messages checks that at start.
    #[must_use]
    pub fn push(&mut self, head: T, bids: &[Level], asks: &[Level]) -> bool
    where
        T: Copy,
    {
        self.push_with(|| head, bids, asks)
    }

    /// Pushes a message as `push` does, which `make` makes where it will lie.
    ///
    /// # Panics
    /// As `push`.
    #[must_use]
    pub fn push_with(&mut self, make: impl FnOnce() -> T, bids: &[Level], asks: &[Level]) -> bool
    where
        T: Copy,
    {
        let count = bids.len() + asks.len();
        let capacity = self.levels.buffer().capacity();
        assert!(count <= capacity, "a message of {count} levels on a ring of {capacity}");
        if self.heads.is_full() {
            return false;
        }
        if count > 0 {
            if self.levels.slots() < count {
                return false;
            }
            for side in [bids, asks] {
                let pushed = self.levels.push_entire_slice(side);
                assert!(pushed.is_ok(), "there was room, and nobody else pushes");
            }
        }
        assert!(
            push_in_place(&mut self.heads, make, |_| ()),
            "there was room, and nobody else pushes"
        );
        true
    }

    /// True when nothing waits on the ring, as far as this end can see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.slots() == self.heads.buffer().capacity()
    }

    /// Most messages on the ring.
    #[must_use]
    pub fn heads_max(&self) -> usize {
        self.heads.buffer().capacity()
    }

    /// Most levels of one message.
    #[must_use]
    pub fn levels_max(&self) -> usize {
        self.levels.buffer().capacity()
    }
}

/// The receiving end of a ring with levels.
#[derive(Debug)]
pub struct LevelsConsumer<T> {
    heads: Consumer<T>,
    levels: Consumer<Level>,
}

impl<T> LevelsConsumer<T> {
    /// The next message without taking it.
    #[must_use]
    pub fn peek(&self) -> Option<&T> {
        self.heads.peek().ok()
    }

    /// Takes the next message; `count` of its levels are put into `levels`, which is emptied first.
    ///
    /// # Panics
    /// When `count` is more than what was pushed with it.
    pub fn pop(&mut self, count: impl FnOnce(&T) -> usize, levels: &mut Vec<Level>) -> Option<T>
    where
        T: Copy,
    {
        self.pop_with(count, levels, |head, _| *head)
    }

    /// Takes the next message as `pop` does, and shows it with its levels where it lies on the ring.
    ///
    /// # Panics
    /// As `pop`.
    pub fn pop_with<R>(
        &mut self,
        count: impl FnOnce(&T) -> usize,
        levels: &mut Vec<Level>,
        show: impl FnOnce(&T, &[Level]) -> R,
    ) -> Option<R>
    where
        T: Copy,
    {
        let Self { heads, levels: ring } = self;
        pop_in_place(heads, |head| {
            levels.clear();
            let count = count(head);
            if count > 0 {
                let chunk = ring.read_chunk(count).expect("levels are pushed before their head");
                let (first, second) = chunk.as_slices();
                levels.extend_from_slice(first);
                levels.extend_from_slice(second);
                chunk.commit_all();
            }
            show(head, levels)
        })
    }

    /// Most levels of one message.
    #[must_use]
    pub fn levels_max(&self) -> usize {
        self.levels.buffer().capacity()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::{Px, Qty};

    fn level(number: i64) -> Level {
        Level { price: Px(number), qty: Qty(1) }
    }

    /// Runs under Miri as well: what is read was written, over the end of the ring and between threads.
    #[test]
    fn what_is_made_in_place_comes_out_once_and_in_order() {
        let (mut producer, mut consumer) = RingBuffer::new(3);
        let sent = std::thread::spawn(move || {
            let mut seen = 0_u64;
            for number in 0..100_u64 {
                while !push_in_place(&mut producer, || [number; 19], |made| seen += made[18]) {
                    std::thread::yield_now();
                }
            }
            seen
        });
        let mut next = 0;
        while next < 100 {
            let taken = pop_in_place(&mut consumer, |message| assert_eq!(*message, [next; 19]));
            next += u64::from(taken.is_some());
        }
        assert_eq!(sent.join().unwrap(), (0..100).sum::<u64>());
        assert!(pop_in_place(&mut consumer, |_| ()).is_none());
    }

    #[test]
    fn a_message_whose_handling_panics_is_gone() {
        let (mut producer, mut consumer) = RingBuffer::new(2);
        for number in [1, 2] {
            assert!(push_in_place(&mut producer, || number, |_| ()));
        }
        let handle = || pop_in_place(&mut consumer, |_| panic!("it was one of those"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(handle)).is_err());
        assert_eq!(pop_in_place(&mut consumer, |message| *message), Some(2));
    }

    #[test]
    fn a_full_ring_makes_nothing() {
        let (mut producer, _consumer) = RingBuffer::new(1);
        assert!(push_in_place(&mut producer, || 1, |made| assert_eq!(*made, 1)));
        let made = |_: &mut i32| panic!("there was no room");
        assert!(!push_in_place(&mut producer, || panic!("there was no room"), made));
    }

    proptest! {
        #[test]
        fn messages_come_out_whole_and_in_order(
            counts in prop::collection::vec((0_usize..4, 0_usize..4), 1..200),
            heads in 1_usize..4,
            levels in 6_usize..12,
        ) {
            let (mut producer, mut consumer) = with_levels(heads, levels);
            let mut taken = Vec::new();
            let (mut next, mut seen) = (0, 0);
            let mut take = |consumer: &mut LevelsConsumer<(usize, usize)>| {
                let popped = consumer.pop(|(bids, asks)| bids + asks, &mut taken);
                if let Some(head) = popped {
                    for level in &taken {
                        assert_eq!(level.price, Px(seen));
                        seen += 1;
                    }
                    assert_eq!(taken.len(), head.0 + head.1);
                }
                popped
            };
            let mut out = Vec::new();
            for &(bids, asks) in &counts {
                let all: Vec<Level> = (next..).take(bids + asks).map(level).collect();
                next += i64::try_from(bids + asks).unwrap();
                while !producer.push((bids, asks), &all[..bids], &all[bids..]) {
                    out.extend(take(&mut consumer));
                }
            }
            while let Some(head) = take(&mut consumer) {
                out.push(head);
            }
            prop_assert_eq!(out, counts);
            prop_assert!(producer.is_empty());
        }
    }
}
