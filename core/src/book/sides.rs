//! Both sides of a book on one price grid: levels in, touch and depth out. Knows nothing of update ids.

use super::grid::{Grid, KEY_MAX};
use super::ladder::Ladder;
use super::window::turned;
use super::{BookConfig, BookSide, Touch};
use crate::market::Level;
use crate::units::{Px, Qty};

/// Bids and asks.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    /// Where every load starts again, so that a stray price slows the book down only until then.
    hint: Grid,
    grid: Grid,
    bids: Ladder,
    asks: Ladder,
    regrids: u64,
}

impl Sides {
    /// Empty. The tick is a hint.
    pub(super) fn new(tick: Option<Px>, config: &BookConfig) -> Self {
        let hint = Grid::hinted(tick);
        Self {
            hint,
            grid: hint,
            bids: Ladder::new(BookSide::Bid, hint, config.window_ticks, config.far_levels_max),
            asks: Ladder::new(BookSide::Ask, hint, config.window_ticks, config.far_levels_max),
            regrids: 0,
        }
    }

    /// Sets the levels of one frame, bids first.
    pub(super) fn apply(&mut self, bids: &[Level], asks: &[Level]) {
        self.apply_side(BookSide::Bid, bids);
        self.apply_side(BookSide::Ask, asks);
    }

    /// Sets levels of one side.
    pub(super) fn apply_side(&mut self, side: BookSide, mut levels: &[Level]) {
        while !levels.is_empty() {
            let done = match side {
                BookSide::Bid => self.bids.set_run(levels),
                BookSide::Ask => self.asks.set_run(levels),
            };
            let Some((level, rest)) = levels[done..].split_first() else { return };
            self.set(side, level);
            levels = rest;
        }
    }

    /// Replaces everything.
    pub(super) fn load(&mut self, bids: &[Level], asks: &[Level]) {
        self.grid = self.hint;
        if self.grid.is_unknown() {
            let prices = bids.iter().chain(asks).filter(|level| is_held(level));
            self.grid = prices.fold(self.grid, |grid, level| grid.with(level.price));
        }
        self.bids.clear(self.grid);
        self.asks.clear(self.grid);
        self.apply(bids, asks);
    }

    /// True when the best bid is at or above the best ask.
    pub(super) fn is_crossed(&self) -> bool {
        // In ticks: `bid >= ask` with `bid = KEY_MAX - key`. A side without levels has a key above all.
        self.bids.best_key() <= KEY_MAX && self.asks.best_key() <= KEY_MAX - self.bids.best_key()
    }

    /// Best level of each side.
    pub(super) fn touch(&self) -> Touch {
        Touch { bid: self.best(BookSide::Bid), ask: self.best(BookSide::Ask) }
    }

    /// All levels of a side, best first.
    pub(super) fn iter(&self, side: BookSide) -> impl Iterator<Item = Level> {
        self.ladder(side).iter().map(move |(key, qty)| self.level(side, key, qty))
    }

    /// Quantity of the best `levels_max` levels of a side, down to or up to each of some prices.
    pub(super) fn depth<const N: usize>(
        &self,
        side: BookSide,
        limits: [Px; N],
        levels_max: usize,
    ) -> [i128; N] {
        if self.grid.is_unknown() {
            return [0; N];
        }
        let ends = limits.map(|limit| {
            let limit = limit.max(Px::ZERO);
            turned(
                side,
                match side {
                    BookSide::Bid => self.grid.ticks_above(limit),
                    BookSide::Ask => self.grid.ticks_below(limit),
                },
            )
        });
        self.ladder(side).depth(ends, levels_max)
    }

    /// Number of bids and of asks.
    pub(super) fn len(&self) -> (u32, u32) {
        // The limits of the configuration are far below 2^32.
        (self.bids.len() as u32, self.asks.len() as u32)
    }

    /// Levels dropped at the limit since construction.
    pub(super) fn dropped(&self) -> u64 {
        self.bids.dropped() + self.asks.dropped()
    }

    /// Grid changes since construction.
    pub(super) fn regrids(&self) -> u64 {
        self.regrids
    }

    /// Sets a level that the runs of a frame stopped at.
    #[cold]
    fn set(&mut self, side: BookSide, level: &Level) {
        if level.price <= Px::ZERO || level.qty < Qty::ZERO {
            return; // The decoder lets none through; a book must not stop over one.
        }
        let ticks = match self.grid.ticks(level.price) {
            Some(ticks) => ticks,
            // What lies off the grid is not held, so there is nothing to remove.
            None if level.qty == Qty::ZERO => return,
            None => self.refine(level.price),
        };
        let key = turned(side, ticks);
        match side {
            BookSide::Bid => self.bids.set(key, level.qty),
            BookSide::Ask => self.asks.set(key, level.qty),
        }
    }

    /// Makes the grid fine enough for a price; returns the price in ticks.
    #[cold]
    fn refine(&mut self, price: Px) -> u64 {
        let finer = self.grid.refined(price);
        if !self.grid.is_unknown() {
            let ratio = self.grid.ratio(finer);
            self.bids.regrid(finer, |key| KEY_MAX - (KEY_MAX - key) * ratio);
            self.asks.regrid(finer, |key| key * ratio);
            self.regrids += 1;
        } else {
            self.bids.clear(finer);
            self.asks.clear(finer);
        }
        self.grid = finer;
        finer.ticks_below(price)
    }

    fn best(&self, side: BookSide) -> Option<Level> {
        self.ladder(side).best().map(|(key, qty)| self.level(side, key, qty))
    }

    fn level(&self, side: BookSide, key: u64, qty: Qty) -> Level {
        Level { price: self.grid.price(turned(side, key)), qty }
    }

    fn ladder(&self, side: BookSide) -> &Ladder {
        match side {
            BookSide::Bid => &self.bids,
            BookSide::Ask => &self.asks,
        }
    }
}

fn is_held(level: &Level) -> bool {
    level.price > Px::ZERO && level.qty > Qty::ZERO
}

#[cfg(test)]
impl Sides {
    /// Raw price units of a tick now.
    pub(super) fn tick(&self) -> u64 {
        self.grid.ratio(Grid::hinted(Some(Px(1))))
    }
}
