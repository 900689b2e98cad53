//! One side of a book: exact quantities by key, best level cached.
//!
//! A key is a price in ticks, turned so that the lower key is the better price. Keys near the touch lie
//! in the window, everything worse lies in `far`; nothing is ever better than the window. A level that
//! exceeds the limit costs the farthest level of the side, which makes what is held a function of the
//! updates alone and not of where the window stood.

use super::BookSide;
use super::far::Far;
use super::grid::Grid;
use super::window::{CHUNK, NO_BASE, Window, turned};
use crate::market::Level;
use crate::units::Qty;

/// The `best` of an empty side: worse than every key.
const NO_KEY: u64 = u64::MAX;

/// The levels of one side. Keys are below 2^63.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    side: BookSide,
    grid: Grid,
    best: u64,
    /// Most levels held: more than the window has slots, so that a full side has far levels to drop.
    limit: usize,
    /// So many levels can be added for sure. Levels are counted only when that is not enough, because
    /// keeping count would cost more than all the rest of the work that a level makes.
    spare: usize,
    dropped: u64,
    window: Window,
    /// Levels behind the window.
    far: Far,
}

impl Ladder {
    /// Empty. `window` is a power of two of at least 64, `far_levels` is above zero.
    pub(super) fn new(side: BookSide, grid: Grid, window: u32, far_levels: u32) -> Self {
        assert!(far_levels > 0, "validated sizes");
        let limit = window as usize + far_levels as usize;
        Self {
            side,
            grid,
            best: NO_KEY,
            limit,
            spare: limit,
            dropped: 0,
            window: Window::new(side, grid, window),
            far: Far::new(limit),
        }
    }

    /// Number of levels held. It counts them.
    pub(super) fn len(&self) -> usize {
        self.window.count() + self.far.len()
    }

    /// Levels dropped at the limit since construction.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Best key and its quantity.
    pub(super) fn best(&self) -> Option<(u64, Qty)> {
        (self.best != NO_KEY).then(|| (self.best, self.window.get(self.best)))
    }

    /// Best key, or one that is worse than every key.
    pub(super) fn best_key(&self) -> u64 {
        self.best
    }

    /// Sets levels, up to the first that needs `set`: no level of the grid, better than the window, or
    /// one that may not find room. Returns how many.
    pub(super) fn set_run(&mut self, levels: &[Level]) -> usize {
        // As many as can not exceed the limit, whatever they are.
        if levels.len() > self.spare {
            self.count();
        }
        let levels = &levels[..levels.len().min(self.spare)];
        // Frames list the lowest price first.
        let done = match self.side {
            BookSide::Bid => {
                let far = self.set_far(levels);
                far + self.set_near(&levels[far..])
            }
            BookSide::Ask => {
                let near = self.set_near(levels);
                near + self.set_far(&levels[near..])
            }
        };
        self.spare -= done;
        done
    }

    /// Sets the quantity of any key; zero removes it.
    pub(super) fn set(&mut self, key: u64, qty: Qty) {
        if key < self.window.base() {
            // Better than the window, or the first of the side: nothing is held there.
            if qty == Qty::ZERO {
                return;
            }
            self.slide_to_better(key);
        }
        let grows = qty != Qty::ZERO && self.get(key) == Qty::ZERO;
        if grows && !self.make_room(key) {
            return;
        }
        self.spare -= usize::from(grows);
        if self.window.covers(key) {
            self.window.set(key, qty);
            self.find_best(self.best.min(key));
        } else {
            self.far.set(key, qty);
        }
    }

    /// Empties it and keeps the memory; the levels to come lie on this grid.
    pub(super) fn clear(&mut self, grid: Grid) {
        self.window.clear(grid);
        self.far.clear();
        self.grid = grid;
        self.spare = self.limit;
        self.best = NO_KEY;
    }

    /// All levels, best first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Qty)> {
        let mut next = self.best().map(|(key, _)| key);
        std::iter::from_fn(move || {
            let key = next?;
            next = self.window.next(key + 1);
            Some((key, self.window.get(key)))
        })
        .chain(self.far.iter())
    }

    /// Quantity of the best `levels_max` levels, up to each of some keys that rise.
    pub(super) fn depth<const N: usize>(&self, ends: [u64; N], levels_max: usize) -> [i128; N] {
        let last = ends.last().filter(|last| **last >= self.best && levels_max > 0);
        let Some(last) = last.copied() else { return [0; N] };
        // So few slots hold no more levels than that; there is no need to count them.
        let all = last - self.best < levels_max as u64;
        let cut = if all { Err(0) } else { self.window.nth(self.best, levels_max) };
        let behind = cut.map_or(self.window.end(), |key| key + 1);
        let (mut start, mut sum) = (self.best, 0);
        let mut sums = ends.map(|end| {
            let end = behind.min(end.saturating_add(1)).max(start);
            sum += self.window.sum(start, end);
            start = end;
            sum
        });
        if let Err(inside) = cut
            && last >= behind
        {
            self.add_far_depth(&mut sums, ends, levels_max - inside);
        }
        sums
    }

    /// Adds the best far levels to the sums that they belong to.
    #[cold]
    fn add_far_depth<const N: usize>(&self, sums: &mut [i128; N], ends: [u64; N], count: usize) {
        let is_within = |key: u64| ends.last().is_some_and(|last| key <= *last);
        for (key, qty) in self.far.iter().take(count).take_while(|level| is_within(level.0)) {
            let sums = sums.iter_mut().zip(ends).filter(|(_, end)| key <= *end);
            sums.for_each(|(sum, _)| *sum += i128::from(qty.0));
        }
    }

    /// Moves to another grid, on which every level has a new key, in the same order. Slow: the whole side
    /// goes through `far`, whose memory holds it by construction.
    pub(super) fn regrid(&mut self, grid: Grid, new_key: impl Fn(u64) -> u64) {
        self.evict_from(self.window.base());
        self.far.rekey(new_key);
        self.grid = grid;
        self.window.clear(grid);
        self.best_from_far();
    }

    /// The quantity of a key, zero when it is not held.
    fn get(&self, key: u64) -> Qty {
        if self.window.covers(key) { self.window.get(key) } else { self.far.get(key) }
    }

    /// Sets levels as long as they lie in the window; returns how many.
    fn set_near(&mut self, levels: &[Level]) -> usize {
        let run = self.window.set_run(levels);
        let bound = self.best.min(run.best);
        // Mostly the best is the one from before, or is among the new ones.
        if run.done > 0 && self.window.get(bound) != Qty::ZERO {
            self.best = bound;
        } else if run.done > 0 {
            self.find_best(bound);
        }
        run.done
    }

    /// Sets levels as long as they lie behind the window; returns how many.
    fn set_far(&mut self, levels: &[Level]) -> usize {
        let (side, grid, behind) = (self.side, self.grid, self.window.behind());
        let mut done = 0;
        for level in levels {
            let ticks = grid.ticks_or_more(level.price.0.cast_unsigned());
            if !behind.contains(ticks) || level.qty < Qty::ZERO {
                break;
            }
            self.far.set(turned(side, ticks), level.qty);
            done += 1;
        }
        done
    }

    #[cold]
    fn count(&mut self) {
        self.spare = self.limit - self.len();
    }

    /// Before a key is added: drops the farthest level if the side is full. False when the farthest would
    /// be the key itself.
    fn make_room(&mut self, key: u64) -> bool {
        if self.spare == 0 {
            self.count();
        }
        if self.spare > 0 {
            return true;
        }
        self.dropped += 1;
        // A full side has far levels, because it holds more than the window can.
        let worst = self.far.worst().filter(|worst| *worst > key);
        if let Some(worst) = worst {
            self.far.set(worst, Qty::ZERO);
            self.spare = 1;
        }
        worst.is_some()
    }

    /// After changes; nothing in the window is better than `bound`, which lies in it.
    fn find_best(&mut self, bound: u64) {
        match self.window.next(bound) {
            Some(key) => {
                self.best = key;
                // Sliding only from the middle on keeps a touch that moves to and fro from sliding
                // each time, and leaves about half of the window or more behind the touch.
                if key - self.window.base() >= self.window.slots() / 2 {
                    self.slide_to_worse();
                }
            }
            None => self.best_from_far(),
        }
    }

    /// Starts a new window, the old one being empty, at the best of the far levels.
    #[cold]
    fn best_from_far(&mut self) {
        self.best = self.far.best().map_or(NO_KEY, |(key, _)| key);
        match self.best {
            NO_KEY => self.window.move_to(NO_BASE),
            _ => self.slide_to_worse(),
        }
    }

    /// Where the window begins when `key` is the best: about a quarter of it stays free for better ones.
    fn base_for(&self, key: u64) -> u64 {
        let whole = |keys: u64| keys / CHUNK * CHUNK;
        whole(key).saturating_sub(whole(self.window.slots() / 4))
    }

    /// Moves the window after a best that went away from its start, and takes in what it now covers.
    #[cold]
    fn slide_to_worse(&mut self) {
        self.window.move_to(self.base_for(self.best));
        while let Some((key, qty)) = self.far.best()
            && self.window.covers(key)
        {
            self.far.remove_best();
            self.window.set(key, qty);
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
        let base = self.base_for(key);
        self.evict_from(self.window.base().max(base + self.window.slots()));
        self.window.move_to(base);
    }

    /// Moves the window's levels at and after `start` to `far`.
    fn evict_from(&mut self, start: u64) {
        let mut end = self.window.end();
        while let Some(key) = self.window.last(start, end) {
            let qty = self.window.set(key, Qty::ZERO);
            self.far.push_best(key, qty);
            end = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::grid::KEY_MAX;
    use crate::units::Px;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Ladder {
        /// Panics unless the window, `far` and the bounds agree with each other.
        fn check(&self) {
            let keys: Vec<u64> = self.iter().map(|(key, _)| key).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "keys rise");
            assert_eq!(keys.len(), self.len());
            assert!(self.len() + self.spare <= self.limit, "spare is no more than there is");
            assert!(self.far.iter().all(|(key, _)| key >= self.window.end()), "far is far");
            assert_eq!(self.best == NO_KEY, self.len() == 0);
            assert_eq!(self.window.base() == NO_BASE, self.len() == 0);
            assert!(self.len() == 0 || self.window.covers(self.best));
        }

        /// Sets levels the way a frame does.
        fn frame(&mut self, mut levels: &[Level]) {
            while !levels.is_empty() {
                let done = self.set_run(levels);
                let Some((level, rest)) = levels[done..].split_first() else { return };
                self.set(turned(self.side, level.price.0.unsigned_abs()), level.qty);
                levels = rest;
            }
        }
    }

    fn ladder(side: BookSide, window: u32, far_levels: u32) -> Ladder {
        Ladder::new(side, Grid::hinted(Some(Px(1))), window, far_levels)
    }

    /// By key.
    type Plain = BTreeMap<u64, Qty>;

    fn set_plain(plain: &mut Plain, key: u64, qty: Qty) {
        if qty == Qty::ZERO {
            plain.remove(&key);
        } else {
            plain.insert(key, qty);
        }
    }

    fn side() -> impl Strategy<Value = BookSide> {
        prop::sample::select(BookSide::ALL.to_vec())
    }

    /// A key of either side: it stands for a price.
    fn key() -> impl Strategy<Value = u64> {
        prop_oneof![
            8 => 1_000..1_300_u64,
            4 => 1_000..1_060_u64,
            2 => 1..5_000_u64,
            1 => 1..KEY_MAX,
            1 => KEY_MAX - 100..KEY_MAX,
            1 => 1..100_u64,
        ]
    }

    /// Mostly small, now and then too large to be added up in 64 bits.
    fn qty() -> impl Strategy<Value = i64> {
        prop_oneof![10 => Just(0), 30 => 1..4_i64, 1 => Just(i64::MAX), 1 => (1..8_i64).prop_map(|n| n << 57)]
    }

    fn depth_by_hand(plain: &Plain, ends: [u64; 2], levels_max: usize) -> [i128; 2] {
        ends.map(|end| {
            let levels = plain.iter().take(levels_max).take_while(|(key, _)| **key <= end);
            levels.map(|(_, qty)| i128::from(qty.0)).sum()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn agrees_with_a_map(
            side in side(),
            window in prop::sample::select(vec![64_u32, 128, 1_024]),
            far_levels in prop_oneof![1..20_u32, Just(1_000_u32)],
            steps in prop::collection::vec((key(), qty(), 1..40_u64, any::<bool>()), 1..80),
            ends in (key(), key()),
            levels_max in prop_oneof![1..30_usize, 100..2_000_usize],
        ) {
            let mut ladder = ladder(side, window, far_levels);
            let (mut plain, mut dropped) = (Plain::new(), 0);
            for (start, qty, run, rises) in steps {
                // Runs of neighbours fill windows and empty them again.
                let mut keys: Vec<u64> = (start..(start + run).min(KEY_MAX)).collect();
                if !rises {
                    keys.reverse();
                }
                let price = |key| Px(turned(side, key).cast_signed());
                let levels = keys.iter().map(|key| Level { price: price(*key), qty: Qty(qty) });
                ladder.frame(&levels.collect::<Vec<_>>());
                for key in keys {
                    set_plain(&mut plain, key, Qty(qty));
                    if plain.len() > (window + far_levels) as usize {
                        plain.pop_last();
                        dropped += 1;
                    }
                }
                ladder.check();
                prop_assert!(ladder.iter().eq(plain.iter().map(|(key, qty)| (*key, *qty))));
                let best = plain.first_key_value().map(|(key, qty)| (*key, *qty));
                prop_assert_eq!(ladder.best(), best);
                prop_assert_eq!(ladder.dropped(), dropped);
                let ends = [ends.0.min(ends.1), ends.0.max(ends.1)];
                let depth = ladder.depth(ends, levels_max);
                prop_assert_eq!(depth, depth_by_hand(&plain, ends, levels_max));
            }
            ladder.clear(ladder.grid);
            ladder.check();
            prop_assert_eq!(ladder.depth([KEY_MAX], 1_000), [0]);
        }

        #[test]
        fn new_keys_keep_levels_and_order(
            keys in prop::collection::btree_map(1..3_000_u64, 1..9_i64, 0..90),
            factor in 1..50_u64,
        ) {
            let mut ladder = ladder(BookSide::Ask, 64, 100);
            keys.iter().rev().for_each(|(key, qty)| ladder.set(*key, Qty(*qty)));
            ladder.regrid(ladder.grid, |key| key * factor);
            ladder.check();
            let expected = keys.iter().map(|(key, qty)| (key * factor, Qty(*qty)));
            prop_assert!(ladder.iter().eq(expected));
        }
    }

    #[test]
    fn what_is_no_price_ends_a_run() {
        for side in BookSide::ALL {
            let mut ladder = Ladder::new(side, Grid::hinted(Some(Px(10))), 64, 100);
            let level = |price, qty| Level { price: Px(price), qty: Qty(qty) };
            ladder.set(turned(side, 3), Qty(1));
            for wrong in
                [level(0, 1), level(-10, 1), level(35, 1), level(i64::MIN, 1), level(30, -1)]
            {
                let far = level(if side == BookSide::Bid { 10 } else { 9_000 }, 5);
                for levels in [[level(30, 2), wrong], [far, wrong]] {
                    assert_eq!(ladder.set_run(&levels), 1, "{side:?} {levels:?}");
                }
                assert_eq!(ladder.set_run(&[wrong]), 0, "{side:?} {wrong:?}");
            }
            assert_eq!(ladder.best(), Some((turned(side, 3), Qty(2))));
        }
    }

    #[test]
    fn the_window_follows_the_touch() {
        let mut ladder = ladder(BookSide::Ask, 256, 1_000);
        (1_000..1_500).for_each(|key| ladder.set(key, Qty(key.cast_signed())));
        let inside = |ladder: &Ladder| ladder.len() - ladder.far.len();
        assert_eq!(inside(&ladder), 1_152 - 1_000, "from 896 on");
        for key in 1_000..1_350 {
            ladder.set(key, Qty::ZERO);
            ladder.check();
            assert_eq!(ladder.best_key(), key + 1);
            assert!(inside(&ladder) >= 128, "half a window behind the touch");
        }
    }
}
