//! The generator's own order book: levels in ticks and lots, update ids, and what changed since the last
//! diff frame.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::market::Side;

use super::random::mix;

/// Update ids are shared with other things: each change moves on by 1 to this many.
const ID_STRIDE_MAX: u64 = 32;

/// Price in ticks and quantity in lots.
pub(super) type TickLots = (i64, i64);

/// Best bid and best ask.
pub(super) type Touch = (TickLots, TickLots);

/// One side: `Buy` holds the bids, `Sell` the asks.
#[derive(Default)]
struct Half {
    levels: BTreeMap<i64, i64>,
    changed: BTreeSet<i64>,
}

/// Update ids of a diff frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DiffIds {
    /// `U`.
    pub(super) first: u64,
    /// `u`.
    pub(super) last: u64,
    /// `pu`.
    pub(super) prev: u64,
}

/// Both sides and their ids.
pub(super) struct Book {
    bids: Half,
    asks: Half,
    /// Id of the last change.
    id: u64,
    /// Id of the first change since the last diff.
    first: Option<u64>,
    /// `u` of the last diff.
    diffed: u64,
}

impl Book {
    pub(super) fn new(id: u64) -> Self {
        Self { bids: Half::default(), asks: Half::default(), id, first: None, diffed: id }
    }

    const fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Id of the last change.
    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    /// Number of levels.
    pub(super) fn len(&self, side: Side) -> usize {
        self.half(side).levels.len()
    }

    /// Levels, best first.
    pub(super) fn levels(&self, side: Side) -> Box<dyn Iterator<Item = TickLots> + '_> {
        let levels = self.half(side).levels.iter().map(|(&tick, &lots)| (tick, lots));
        match side {
            Side::Buy => Box::new(levels.rev()),
            Side::Sell => Box::new(levels),
        }
    }

    /// Best level; zeros on an empty side, which the market's minimum of levels rules out.
    pub(super) fn best(&self, side: Side) -> TickLots {
        let levels = &self.half(side).levels;
        let best = match side {
            Side::Buy => levels.last_key_value(),
            Side::Sell => levels.first_key_value(),
        };
        best.map_or((0, 0), |(&tick, &lots)| (tick, lots))
    }

    /// Level furthest from the touch.
    pub(super) fn furthest(&self, side: Side) -> TickLots {
        let levels = &self.half(side).levels;
        let level = match side {
            Side::Buy => levels.first_key_value(),
            Side::Sell => levels.last_key_value(),
        };
        level.map_or((0, 0), |(&tick, &lots)| (tick, lots))
    }

    /// Best bid and ask.
    pub(super) fn touch(&self) -> Touch {
        (self.best(Side::Buy), self.best(Side::Sell))
    }

    /// Lots at a price, zero when there is no level.
    pub(super) fn at(&self, side: Side, tick: i64) -> i64 {
        self.half(side).levels.get(&tick).copied().unwrap_or(0)
    }

    /// The first level that is `distance` ticks or more behind the touch.
    pub(super) fn behind(&self, side: Side, distance: i64) -> Option<TickLots> {
        let (best, _) = self.best(side);
        let levels = &self.half(side).levels;
        let level = match side {
            Side::Buy => levels.range(..=best - distance).next_back(),
            Side::Sell => levels.range(best + distance..).next(),
        };
        level.map(|(&tick, &lots)| (tick, lots))
    }

    /// Sets the lots at a price; zero removes the level. Counts as one update of the book.
    pub(super) fn set(&mut self, side: Side, tick: i64, lots: i64) {
        self.id += 1 + mix(self.id) % ID_STRIDE_MAX;
        self.first = self.first.or(Some(self.id));
        let half = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        if lots > 0 {
            half.levels.insert(tick, lots);
        } else {
            half.levels.remove(&tick);
        }
        half.changed.insert(tick);
    }

    /// Prices that changed since the last diff, ascending.
    pub(super) fn changed(&self, side: Side) -> impl Iterator<Item = i64> {
        self.half(side).changed.iter().copied()
    }

    /// Ids of a diff frame with all changes since the last one; `None` when nothing changed.
    pub(super) fn diff_ids(&self) -> Option<DiffIds> {
        self.first.map(|first| DiffIds { first, last: self.id, prev: self.diffed })
    }

    /// Starts the next diff.
    pub(super) fn forget_changes(&mut self) {
        self.first = None;
        self.diffed = self.id;
        self.bids.changed.clear();
        self.asks.changed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_ids_and_changes() {
        let mut book = Book::new(1_000);
        for (side, tick) in [(Side::Buy, 99), (Side::Buy, 97), (Side::Sell, 101), (Side::Sell, 104)]
        {
            book.set(side, tick, 5);
        }
        assert_eq!(book.touch(), ((99, 5), (101, 5)));
        assert_eq!(book.behind(Side::Buy, 1), Some((97, 5)));
        assert_eq!(book.behind(Side::Sell, 1), Some((104, 5)));
        assert_eq!(book.behind(Side::Sell, 4), None);
        assert_eq!(book.furthest(Side::Sell), (104, 5));
        let ids = book.diff_ids().unwrap();
        assert!(ids.prev == 1_000 && ids.first > 1_000 && ids.last == book.id());

        book.forget_changes();
        assert_eq!(book.diff_ids(), None);
        book.set(Side::Buy, 99, 0);
        assert_eq!(book.diff_ids().unwrap().prev, ids.last);
        assert_eq!(book.changed(Side::Buy).collect::<Vec<_>>(), [99]);
        assert_eq!((book.best(Side::Buy), book.at(Side::Buy, 99)), ((97, 5), 0));
    }
}
