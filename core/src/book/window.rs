//! The directly indexed part of a side: a ring of quantities by price, and their sums by chunks of 64.
//!
//! A slot without a level holds zero. So a level is set without asking whether it is new, changes or
//! goes, which no branch predictor can guess; what is held follows from the quantities. With the sums,
//! depth within a band costs a step for every 64 prices and not one for every level.

use std::ops::Range;

use super::BookSide;
use super::grid::{Grid, KEY_MAX};
use crate::market::Level;
use crate::units::Qty;

/// Slots of a chunk.
pub(super) const CHUNK: u64 = 64;
/// The base of a window that covers no key: keys are below 2^63.
pub(super) const NO_BASE: u64 = 1 << 63;
/// While no quantity has one of these bits, no sum of a chunk goes round.
const LARGE: u64 = !(u64::MAX / CHUNK);

/// Levels with keys from `base` on, as many as there are slots. The slot of a level is its number of
/// ticks modulo that number. The base is a multiple of 64, so that a chunk holds neighbours and never
/// both ends of the ring.
#[derive(Clone, Debug)]
pub(super) struct Window {
    side: BookSide,
    grid: Grid,
    base: u64,
    /// What has a slot and is a price.
    ticks: Ticks,
    /// What lies behind the last slot and is a price.
    behind: Ticks,
    qtys: Box<[Qty]>,
    /// The sum of each chunk, modulo 2^64.
    sums: Box<[u64]>,
    /// The quantities of all levels since the last `clear`, one laid over the other.
    seen: u64,
}

/// A range of ticks, all of them prices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ticks {
    first: u64,
    count: u64,
}

impl Ticks {
    /// The ticks of a range of keys that are prices.
    pub(super) fn of_keys(side: BookSide, grid: Grid, keys: Range<u64>) -> Self {
        let last = keys.end.saturating_sub(1);
        let (low, high) = match side {
            BookSide::Bid => (KEY_MAX.saturating_sub(last), KEY_MAX.saturating_sub(keys.start)),
            BookSide::Ask => (keys.start, last),
        };
        let first = low.max(1);
        Self { first, count: (high.min(grid.most()) + 1).saturating_sub(first) }
    }

    /// For anything that `Grid::ticks_or_more` gives, in one comparison.
    pub(super) fn contains(self, ticks: u64) -> bool {
        ticks.wrapping_sub(self.first) < self.count
    }
}

/// What came of a run of levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Levels set; the one behind them is none that has a slot.
    pub(super) done: usize,
    /// Best key among them, `u64::MAX` without any.
    pub(super) best: u64,
}

impl Window {
    /// Empty. `slots` is a power of two of at least 64.
    pub(super) fn new(side: BookSide, grid: Grid, slots: u32) -> Self {
        let (slots, chunk) = (slots as usize, CHUNK as usize);
        assert!(slots >= chunk && slots.is_power_of_two(), "validated sizes");
        Self {
            side,
            grid,
            base: NO_BASE,
            ticks: Ticks::default(),
            behind: Ticks::default(),
            qtys: vec![Qty::ZERO; slots].into_boxed_slice(),
            sums: vec![0; slots / chunk].into_boxed_slice(),
            seen: 0,
        }
    }

    /// The best key that has a slot, `NO_BASE` when none has.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// The key behind the last that has a slot.
    pub(super) fn end(&self) -> u64 {
        self.base + self.slots()
    }

    /// Number of slots.
    pub(super) fn slots(&self) -> u64 {
        self.qtys.len() as u64
    }

    /// True when a key has a slot.
    pub(super) fn covers(&self, key: u64) -> bool {
        key.wrapping_sub(self.base) < self.slots()
    }

    /// The prices that are worse than all that have a slot.
    pub(super) fn behind(&self) -> Ticks {
        self.behind
    }

    /// Sets levels, up to the first that has no slot or is no level of the grid.
    pub(super) fn set_run(&mut self, levels: &[Level]) -> Run {
        match self.side {
            BookSide::Bid => self.set_each(levels, 0, u64::max),
            BookSide::Ask => self.set_each(levels, u64::MAX, u64::min),
        }
    }

    /// The loop that all levels near the touch go through: no branch in it but the way out.
    fn set_each(&mut self, levels: &[Level], none: u64, better: impl Fn(u64, u64) -> u64) -> Run {
        let Self { grid, ticks: with_slot, .. } = *self;
        let (qtys, sums) = (&mut *self.qtys, &mut *self.sums);
        let (slot_mask, sum_mask) = (qtys.len() - 1, sums.len() - 1);
        let (mut best, mut seen) = (none, self.seen);
        let mut done = 0;
        for level in levels {
            let ticks = grid.ticks_or_more(level.price.0.cast_unsigned());
            if !with_slot.contains(ticks) || level.qty < Qty::ZERO {
                break;
            }
            // Masked here and not by `slot`, so that the compiler sees that both lie inside.
            let old = std::mem::replace(&mut qtys[ticks as usize & slot_mask], level.qty);
            let sum = &mut sums[(ticks / CHUNK) as usize & sum_mask];
            *sum = sum.wrapping_add(difference(level.qty, old));
            best = better(best, ticks);
            seen |= level.qty.0.cast_unsigned();
            done += 1;
        }
        self.seen = seen;
        Run { done, best: if done == 0 { u64::MAX } else { turned(self.side, best) } }
    }

    /// Sets the quantity of a key that has a slot; returns what it was.
    pub(super) fn set(&mut self, key: u64, qty: Qty) -> Qty {
        let slot = self.slot(key);
        let old = std::mem::replace(&mut self.qtys[slot], qty);
        let sum = &mut self.sums[slot / CHUNK as usize];
        *sum = sum.wrapping_add(difference(qty, old));
        self.seen |= qty.0.cast_unsigned();
        old
    }

    /// The quantity of a key that has a slot.
    pub(super) fn get(&self, key: u64) -> Qty {
        self.qtys[self.slot(key)]
    }

    /// Number of levels. It looks at every slot of the chunks that are in use.
    pub(super) fn count(&self) -> usize {
        (0..self.sums.len()).map(|index| self.chunk_count(index)).sum()
    }

    /// Empties it; then no key has a slot.
    pub(super) fn clear(&mut self, grid: Grid) {
        for index in 0..self.sums.len() {
            if !self.is_empty(index) {
                self.qtys[slots_of(index)].fill(Qty::ZERO);
                self.sums[index] = 0;
            }
        }
        self.seen = 0;
        self.grid = grid;
        self.move_to(NO_BASE);
    }

    /// Moves it; the keys that it leaves hold nothing.
    pub(super) fn move_to(&mut self, base: u64) {
        assert!(base.is_multiple_of(CHUNK) && base <= NO_BASE, "chunks stay whole");
        self.base = base;
        self.ticks = Ticks::of_keys(self.side, self.grid, base..self.end());
        self.behind = Ticks::of_keys(self.side, self.grid, self.end()..NO_BASE);
    }

    /// The first level at or behind `start`.
    pub(super) fn next(&self, start: u64) -> Option<u64> {
        let mut key = start;
        while self.covers(key) {
            let slot = self.slot(key);
            let ahead = match self.side {
                BookSide::Bid => self.steps_down(slot),
                BookSide::Ask => self.steps_up(slot),
            };
            if let Some(ahead) = ahead {
                return Some(key + ahead as u64);
            }
            key = (key / CHUNK + 1) * CHUNK;
        }
        None
    }

    /// The last level at or behind `start` and before `end`.
    pub(super) fn last(&self, start: u64, end: u64) -> Option<u64> {
        let mut end = end;
        while end > start {
            let slot = self.slot(end - 1);
            let back = match self.side {
                BookSide::Bid => self.steps_up(slot),
                BookSide::Ask => self.steps_down(slot),
            };
            if let Some(back) = back {
                return Some(end - 1 - back as u64).filter(|key| *key >= start);
            }
            end = (end - 1) / CHUNK * CHUNK;
        }
        None
    }

    /// The key of the level that has `n - 1` levels before it, of those from `best` on, before which
    /// there are none; if there are not so many, how many there are. `n` is above zero.
    pub(super) fn nth(&self, best: u64, n: usize) -> Result<u64, usize> {
        let (mut key, mut left) = (best, n);
        while self.covers(key) {
            let count = self.chunk_count(self.slot(key) / CHUNK as usize);
            if count >= left {
                for _ in 1..left {
                    key = self.next(key).map_or(key, |level| level + 1);
                }
                return Ok(self.next(key).unwrap_or(key));
            }
            left -= count;
            key = (key / CHUNK + 1) * CHUNK;
        }
        Err(n - left)
    }

    /// Quantity of all levels from `start` on and before `end`; both lie in the window or at its end.
    pub(super) fn sum(&self, start: u64, end: u64) -> i128 {
        let (mut key, mut sum) = (start, 0);
        while key < end {
            let next = ((key / CHUNK + 1) * CHUNK).min(end);
            sum += if next - key == CHUNK && !self.has_large() {
                i128::from(self.sums[self.slot(key) / CHUNK as usize])
            } else {
                self.sum_slots(self.slot(key).min(self.slot(next - 1)), next - key)
            };
            key = next;
        }
        sum
    }

    /// Quantity of so many slots of a chunk.
    fn sum_slots(&self, first: usize, count: u64) -> i128 {
        let qtys = &self.qtys[first..first + count as usize];
        if self.has_large() {
            return qtys.iter().map(|qty| i128::from(qty.0)).sum();
        }
        let sum = qtys.iter().fold(0_u64, |sum, qty| sum.wrapping_add(qty.0.cast_unsigned()));
        i128::from(sum)
    }

    /// How far the next level with at least as many ticks is, within the chunk.
    fn steps_up(&self, slot: usize) -> Option<usize> {
        let index = slot / CHUNK as usize;
        let mut slots = self.qtys[slot..slots_of(index).end].iter();
        if self.is_empty(index) { None } else { slots.position(|qty| *qty != Qty::ZERO) }
    }

    /// How far the next level with at most as many ticks is, within the chunk.
    fn steps_down(&self, slot: usize) -> Option<usize> {
        let index = slot / CHUNK as usize;
        let mut slots = self.qtys[slots_of(index).start..=slot].iter().rev();
        if self.is_empty(index) { None } else { slots.position(|qty| *qty != Qty::ZERO) }
    }

    fn is_empty(&self, index: usize) -> bool {
        self.sums[index] == 0 && !self.has_large()
    }

    /// True when sums of chunks can not be relied on.
    fn has_large(&self) -> bool {
        self.seen & LARGE != 0
    }

    fn chunk_count(&self, index: usize) -> usize {
        if self.is_empty(index) {
            return 0;
        }
        self.qtys[slots_of(index)].iter().map(|qty| usize::from(*qty != Qty::ZERO)).sum()
    }

    fn slot(&self, key: u64) -> usize {
        turned(self.side, key) as usize & (self.qtys.len() - 1)
    }
}

/// The key of a number of ticks, and the number of ticks of a key: lower keys are better prices.
pub(super) fn turned(side: BookSide, number: u64) -> u64 {
    match side {
        BookSide::Bid => KEY_MAX ^ number,
        BookSide::Ask => number,
    }
}

fn difference(new: Qty, old: Qty) -> u64 {
    new.0.wrapping_sub(old.0).cast_unsigned()
}

fn slots_of(index: usize) -> Range<usize> {
    let chunk = CHUNK as usize;
    index * chunk..(index + 1) * chunk
}
