//! The rings between stages: bounded, one producer, one consumer.
//!
//! Most carry messages of a fixed size and are `rtrb` rings as they are. Book frames have any number of
//! levels: they travel on a ring with two lanes, heads and levels. Levels are pushed before their head and
//! taken after it, so that who sees a head finds all its levels.

pub use rtrb::{Consumer, Producer, RingBuffer};

use crate::market::Level;

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
    pub fn push(&mut self, head: T, bids: &[Level], asks: &[Level]) -> bool {
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
        assert!(self.heads.push(head).is_ok(), "there was room, and nobody else pushes");
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
    ) -> Option<R> {
        let head = self.heads.peek().ok()?;
        levels.clear();
        let count = count(head);
        if count > 0 {
            let chunk = self.levels.read_chunk(count).expect("levels are pushed before their head");
            let (first, second) = chunk.as_slices();
            levels.extend_from_slice(first);
            levels.extend_from_slice(second);
            chunk.commit_all();
        }
        let shown = show(head, levels);
        assert!(self.heads.pop().is_ok(), "it was looked at just now");
        Some(shown)
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
