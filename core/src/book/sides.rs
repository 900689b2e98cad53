//! Both sides of a book on one price grid: levels in, touch and depth out. Knows nothing of update ids.

use super::grid::{Grid, KEY_MAX};
use super::ladder::Ladder;
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
            bids: Ladder::new(config.window_ticks, config.far_levels_max),
            asks: Ladder::new(config.window_ticks, config.far_levels_max),
            regrids: 0,
        }
    }

    /// Sets the levels of one frame, bids first.
    pub(super) fn apply<'a>(
        &mut self,
        bids: impl IntoIterator<Item = &'a Level>,
        asks: impl IntoIterator<Item = &'a Level>,
    ) {
        for level in bids {
            self.set(BookSide::Bid, level);
        }
        for level in asks {
            self.set(BookSide::Ask, level);
        }
    }

    /// Replaces everything.
    pub(super) fn load(&mut self, bids: &[Level], asks: &[Level]) {
        self.bids.clear();
        self.asks.clear();
        self.grid = self.hint;
        if self.grid.is_unknown() {
            let prices = bids.iter().chain(asks).filter(|level| is_held(level));
            self.grid = prices.fold(self.grid, |grid, level| grid.with(level.price));
        }
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

    /// Number of bids and of asks.
    pub(super) fn len(&self) -> (u32, u32) {
        (self.bids.len(), self.asks.len())
    }

    /// Levels dropped at the limit since construction.
    pub(super) fn dropped(&self) -> u64 {
        self.bids.dropped() + self.asks.dropped()
    }

    /// Grid changes since construction.
    pub(super) fn regrids(&self) -> u64 {
        self.regrids
    }

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
        let key = key_of(side, ticks);
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
            self.bids.rekey(|key| KEY_MAX - (KEY_MAX - key) * ratio);
            self.asks.rekey(|key| key * ratio);
            self.regrids += 1;
        }
        self.grid = finer;
        finer.ticks_below(price)
    }

    fn best(&self, side: BookSide) -> Option<Level> {
        self.ladder(side).best().map(|(key, qty)| self.level(side, key, qty))
    }

    fn level(&self, side: BookSide, key: u64, qty: Qty) -> Level {
        Level { price: self.grid.price(key_of(side, key)), qty }
    }

    fn ladder(&self, side: BookSide) -> &Ladder {
        match side {
            BookSide::Bid => &self.bids,
            BookSide::Ask => &self.asks,
        }
    }
}

/// The key of a number of ticks, and the number of ticks of a key: lower keys are better prices.
fn key_of(side: BookSide, ticks: u64) -> u64 {
    match side {
        BookSide::Bid => KEY_MAX - ticks,
        BookSide::Ask => ticks,
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
