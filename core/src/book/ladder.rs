//! One side of a book: exact quantities by key, best level cached.
//!
//! A key is a price in ticks, turned so that the lower key is the better price. Keys near the touch lie
//! in a ring (the window, `base` to `base + window`), everything worse lies in `far`; nothing is ever
//! better than the window. A level that exceeds the limit costs the farthest level of the side, which
//! makes what is held a function of the updates alone and not of where the window stood.

use std::collections::VecDeque;

use super::bitmap::Bitmap;
use crate::units::Qty;

/// The `best` of an empty side: worse than every key.
const NO_KEY: u64 = u64::MAX;
/// The `base` of an empty side: keys are below 2^63, so that none lies in its window.
const NO_BASE: u64 = 1 << 63;

/// The levels of one side. Keys are below 2^63.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    base: u64,
    best: u64,
    window: u64,
    /// Most levels held: more than the window has slots, so that a full side has far levels to drop.
    limit: u32,
    count: u32,
    dropped: u64,
    held: Bitmap,
    /// Quantity by `key % window`; means something only where `held` says so.
    qtys: Box<[Qty]>,
    /// Levels behind the window, best first. A deque, because the window trades levels with its front
    /// and the limit takes them from its back.
    far: VecDeque<(u64, Qty)>,
}

impl Ladder {
    /// Empty. `window` is a power of two of at least 64, `far_levels` is above zero.
    pub(super) fn new(window: u32, far_levels: u32) -> Self {
        assert!(window >= 64 && window.is_power_of_two() && far_levels > 0, "validated sizes");
        let slots = window as usize;
        let limit = window + far_levels;
        Self {
            base: NO_BASE,
            best: NO_KEY,
            window: u64::from(window),
            limit,
            count: 0,
            dropped: 0,
            held: Bitmap::new(slots),
            qtys: vec![Qty::ZERO; slots].into_boxed_slice(),
            far: VecDeque::with_capacity(limit as usize),
        }
    }

    /// Number of levels held.
    pub(super) fn len(&self) -> u32 {
        self.count
    }

    /// Levels dropped at the limit since construction.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Best key and its quantity.
    pub(super) fn best(&self) -> Option<(u64, Qty)> {
        (self.best != NO_KEY).then(|| (self.best, self.qtys[self.slot(self.best)]))
    }

    /// Best key, or one that is worse than every key.
    pub(super) fn best_key(&self) -> u64 {
        self.best
    }

    /// Sets the quantity of a key; zero removes it.
    pub(super) fn set(&mut self, key: u64, qty: Qty) {
        if key.wrapping_sub(self.base) < self.window {
            self.set_inside(key, qty);
        } else if key > self.base {
            self.set_far(key, qty);
        } else if qty != Qty::ZERO {
            self.slide_to_better(key);
            self.set_inside(key, qty);
        }
    }

    /// Empties it and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.held.clear_all();
        self.far.clear();
        self.count = 0;
        self.base = NO_BASE;
        self.best = NO_KEY;
    }

    /// All levels, best first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Qty)> {
        let mut next = self.best().map(|(key, _)| key);
        std::iter::from_fn(move || {
            let key = next?;
            next = self.next_inside(key + 1);
            Some((key, self.qtys[self.slot(key)]))
        })
        .chain(self.far.iter().copied())
    }

    /// Gives every level a new key, in the same order. Slow: the whole side goes through `far`, whose
    /// memory holds it by construction.
    pub(super) fn rekey(&mut self, new_key: impl Fn(u64) -> u64) {
        self.evict_from(self.base);
        for (key, _) in &mut self.far {
            *key = new_key(*key);
        }
        self.best_from_far();
    }

    fn slot(&self, key: u64) -> usize {
        (key & (self.window - 1)) as usize
    }

    fn set_inside(&mut self, key: u64, qty: Qty) {
        let slot = self.slot(key);
        if qty == Qty::ZERO {
            if self.held.clear(slot) {
                self.count -= 1;
                if key == self.best {
                    self.find_best();
                }
            }
            return;
        }
        self.qtys[slot] = qty;
        if self.held.set(slot) {
            // A window with a free slot and a full side: the farthest level is in `far`.
            self.make_room();
            self.count += 1;
            self.best = self.best.min(key);
        }
    }

    fn set_far(&mut self, key: u64, qty: Qty) {
        match self.far.binary_search_by_key(&key, |level| level.0) {
            Ok(index) if qty == Qty::ZERO => {
                self.far.remove(index);
                self.count -= 1;
            }
            Ok(index) => self.far[index].1 = qty,
            Err(_) if qty == Qty::ZERO => {}
            // It would be the farthest of one level too many.
            Err(index) if self.count == self.limit && index == self.far.len() => self.dropped += 1,
            Err(index) => {
                self.make_room();
                self.count += 1;
                self.far.insert(index, (key, qty));
            }
        }
    }

    /// Drops the farthest level when the side is full.
    fn make_room(&mut self) {
        if self.count == self.limit && self.far.pop_back().is_some() {
            self.count -= 1;
            self.dropped += 1;
        }
    }

    /// The first key of the window at or after `start`, which is not before the window.
    fn next_inside(&self, start: u64) -> Option<u64> {
        let from = self.slot(start);
        let found = self.held.next(from)?;
        // Counted round the ring; a slot before `start` comes out behind the window's end.
        let key = start + (found.wrapping_sub(from) as u64 & (self.window - 1));
        (key - self.base < self.window).then_some(key)
    }

    /// After the best was removed.
    fn find_best(&mut self) {
        match self.next_inside(self.best) {
            Some(key) => {
                self.best = key;
                // Sliding only from the middle on keeps a touch that moves to and fro from sliding
                // each time, and leaves at least half of the window behind the touch.
                if key - self.base >= self.window / 2 {
                    self.slide_to_worse();
                }
            }
            None => self.best_from_far(),
        }
    }

    /// Starts a new window, the old one being empty, at the best of the far levels.
    #[cold]
    fn best_from_far(&mut self) {
        match self.far.front() {
            Some((key, _)) => {
                self.best = *key;
                self.slide_to_worse();
            }
            None => {
                self.best = NO_KEY;
                self.base = NO_BASE;
            }
        }
    }

    /// Moves the window after a best that went away from its start, and takes in what it now covers.
    #[cold]
    fn slide_to_worse(&mut self) {
        self.base = self.best.saturating_sub(self.window / 4);
        while let Some(&(key, qty)) = self.far.front()
            && key - self.base < self.window
        {
            self.far.pop_front();
            let slot = self.slot(key);
            self.held.set(slot);
            self.qtys[slot] = qty;
        }
    }

    /// Moves the window so that it covers `key`, which is better than it or the first of the side.
    ///
    /// A hostile frame can set a far better price and remove it, and so on: each time the window goes
    /// there and comes back, and the levels that it held move to `far` and most of them back again. A
    /// frame of n levels thus makes at most n / 2 such trips, each costing some moves for every level in
    /// the window, at most `window`. It is slow, but never wrong, and takes no memory. An honest frame
    /// names a price once and cannot go to and fro.
    #[cold]
    fn slide_to_better(&mut self, key: u64) {
        let base = key.saturating_sub(self.window / 4);
        self.evict_from(self.base.max(base + self.window));
        self.base = base;
    }

    /// Moves the window's levels at and after `start` to the front of `far`.
    fn evict_from(&mut self, start: u64) {
        let (mut start, before) = (start, self.far.len());
        // A start at or behind the window's end finds nothing.
        while start.wrapping_sub(self.base) < self.window
            && let Some(key) = self.next_inside(start)
        {
            let slot = self.slot(key);
            self.held.clear(slot);
            self.far.push_back((key, self.qtys[slot]));
            start = key + 1;
        }
        self.far.rotate_right(self.far.len() - before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Ladder {
        /// Panics unless the window, `far` and the counts agree with each other.
        fn check(&self) {
            let inside: Vec<u64> = self.iter().map(|(key, _)| key).collect();
            assert!(inside.is_sorted_by(|a, b| a < b), "keys rise");
            assert_eq!(inside.len(), self.count as usize);
            assert!(self.count <= self.limit && self.far.capacity() >= self.limit as usize);
            assert!(self.far.iter().all(|(key, _)| key - self.base >= self.window), "far is far");
            assert_eq!(self.best == NO_KEY, self.count == 0);
            assert_eq!(self.base == NO_BASE, self.count == 0);
            assert!(self.count == 0 || self.best - self.base < self.window);
        }
    }

    fn key() -> impl Strategy<Value = u64> {
        let top = i64::MAX.unsigned_abs();
        prop_oneof![
            8 => 1_000..1_300_u64,
            4 => 1_000..1_060_u64,
            2 => 0..5_000_u64,
            1 => 0..=top,
            1 => top - 100..=top,
            1 => 0..100_u64,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn agrees_with_a_map(
            far_levels in prop_oneof![1..20_u32, Just(1_000_u32)],
            steps in prop::collection::vec((key(), 0..4_i64, 1..40_u64), 1..120),
        ) {
            let mut ladder = Ladder::new(64, far_levels);
            let capacity = ladder.far.capacity();
            let (mut map, mut dropped) = (BTreeMap::new(), 0);
            for (start, qty, run) in steps {
                // Runs of neighbours fill windows and empty them again.
                for key in start..(start + run).min(i64::MAX.unsigned_abs()) {
                    ladder.set(key, Qty(qty));
                    if qty == 0 {
                        map.remove(&key);
                    } else {
                        map.insert(key, Qty(qty));
                    }
                    if map.len() > (64 + far_levels) as usize {
                        map.pop_last();
                        dropped += 1;
                    }
                }
                ladder.check();
                prop_assert!(ladder.iter().eq(map.iter().map(|(key, qty)| (*key, *qty))));
                prop_assert_eq!(ladder.best(), map.first_key_value().map(|(key, qty)| (*key, *qty)));
                prop_assert_eq!(ladder.dropped(), dropped);
            }
            prop_assert_eq!(ladder.far.capacity(), capacity, "no growth");
            ladder.clear();
            ladder.check();
        }

        #[test]
        fn new_keys_keep_levels_and_order(
            keys in prop::collection::btree_map(0..3_000_u64, 1..9_i64, 0..90),
            factor in 1..50_u64,
        ) {
            let mut ladder = Ladder::new(64, 100);
            keys.iter().rev().for_each(|(key, qty)| ladder.set(*key, Qty(*qty)));
            ladder.rekey(|key| key * factor);
            ladder.check();
            let expected = keys.iter().map(|(key, qty)| (key * factor, Qty(*qty)));
            prop_assert!(ladder.iter().eq(expected));
        }
    }

    #[test]
    fn the_window_follows_the_touch() {
        let mut ladder = Ladder::new(64, 1_000);
        (1_000..1_200).for_each(|key| ladder.set(key, Qty(key.cast_signed())));
        let inside = |ladder: &Ladder| ladder.len() as usize - ladder.far.len();
        assert_eq!(inside(&ladder), 48);
        for key in 1_000..1_150 {
            ladder.set(key, Qty::ZERO);
            ladder.check();
            assert_eq!(ladder.best_key(), key + 1);
            assert!(inside(&ladder) >= 32, "half a window behind the touch");
        }
    }
}
