//! What own orders took from the recorded book, so that no level pays twice.
//!
//! The recorded book does not know that something was taken from it. Each level therefore remembers how
//! much of it is spent. When the book says a new quantity, no more than that can be spent: a level that
//! was taken whole and shows more afterwards has new liquidity in the difference only.

use std::ops::Range;

use fusewire_core::book::BookSide;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Level;
use fusewire_core::units::{Px, Qty};

/// A level of a book.
pub(super) type Place = (InstrumentId, BookSide, Px);

#[derive(Clone, Copy, Debug)]
struct Entry {
    place: Place,
    /// Above zero.
    consumed: Qty,
}

/// Spent quantity by level. Bounded.
#[derive(Debug)]
pub(super) struct Ledger {
    /// By place.
    entries: Vec<Entry>,
    max: usize,
}

impl Ledger {
    /// Nothing spent; room for `max` levels.
    pub(super) fn new(max: usize) -> Self {
        Self { entries: Vec::with_capacity(max), max }
    }

    /// Levels that still fit.
    pub(super) fn free(&self) -> usize {
        self.max - self.entries.len()
    }

    /// What is spent of a level; none when it is untouched.
    pub(super) fn consumed(&self, place: Place) -> Option<Qty> {
        self.find(place).ok().map(|index| self.entries[index].consumed)
    }

    /// Spends `qty` of a level that was on offer.
    pub(super) fn consume(&mut self, place: Place, qty: Qty) {
        match self.find(place) {
            Ok(index) => {
                let consumed = &mut self.entries[index].consumed;
                *consumed = Qty(consumed.0.saturating_add(qty.0));
            }
            Err(index) if self.free() > 0 => {
                self.entries.insert(index, Entry { place, consumed: qty });
            }
            // What does not fit is never on offer.
            Err(_) => panic!("only levels that fit are on offer"),
        }
    }

    /// The book says that a level now holds `qty`.
    pub(super) fn limit(&mut self, place: Place, qty: Qty) {
        let Ok(index) = self.find(place) else { return };
        if qty <= Qty::ZERO {
            self.entries.remove(index);
        } else {
            let consumed = &mut self.entries[index].consumed;
            *consumed = qty.min(*consumed);
        }
    }

    /// The book says that a side now holds `levels`, best first. A place behind the last of them is not
    /// known to be empty, so that it stays as it is.
    pub(super) fn limit_all(
        &mut self,
        id: InstrumentId,
        side: BookSide,
        levels: impl Iterator<Item = Level>,
    ) {
        let range = self.range(id, side);
        if range.is_empty() {
            return;
        }
        let entries = self.entries[range].iter_mut();
        match side {
            BookSide::Ask => limit_each(entries, levels),
            BookSide::Bid => limit_each(entries.rev(), levels),
        }
        self.entries.retain(|entry| entry.consumed > Qty::ZERO);
    }

    fn find(&self, place: Place) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&place, |entry| entry.place)
    }

    fn range(&self, id: InstrumentId, side: BookSide) -> Range<usize> {
        let start = self.entries.partition_point(|e| (e.place.0, e.place.1) < (id, side));
        let end = self.entries.partition_point(|e| (e.place.0, e.place.1) <= (id, side));
        start..end
    }
}

/// Walks down both lists, which are best first.
fn limit_each<'a>(
    entries: impl Iterator<Item = &'a mut Entry>,
    mut levels: impl Iterator<Item = Level>,
) {
    let mut level = levels.next();
    for entry in entries {
        let (_, side, price) = entry.place;
        while level.is_some_and(|level| is_better(side, level.price, price)) {
            level = levels.next();
        }
        match level {
            Some(level) if level.price == price => entry.consumed = entry.consumed.min(level.qty),
            Some(_) => entry.consumed = Qty::ZERO,
            None => return,
        }
    }
}

/// True when `price` is better than `other` for who stands on that side.
pub(super) fn is_better(side: BookSide, price: Px, other: Px) -> bool {
    match side {
        BookSide::Bid => price > other,
        BookSide::Ask => price < other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: InstrumentId = InstrumentId(3);

    fn spent(ledger: &Ledger, side: BookSide, price: i64) -> i64 {
        ledger.consumed((ID, side, Px(price))).map_or(0, |qty| qty.0)
    }

    #[test]
    fn only_an_increase_is_new() {
        let mut ledger = Ledger::new(4);
        let place = (ID, BookSide::Ask, Px(10));
        ledger.consume(place, Qty(5));
        ledger.consume(place, Qty(2));
        ledger.limit(place, Qty(9));
        assert_eq!(spent(&ledger, BookSide::Ask, 10), 7);
        ledger.limit(place, Qty(3));
        ledger.limit(place, Qty(9));
        assert_eq!(spent(&ledger, BookSide::Ask, 10), 3);
        ledger.limit(place, Qty(0));
        assert_eq!((ledger.consumed(place), ledger.free()), (None, 4));
    }

    #[test]
    fn a_whole_side_limits_what_it_shows_and_leaves_what_lies_behind() {
        for (side, best_first) in
            [(BookSide::Ask, [10, 11, 12, 13]), (BookSide::Bid, [13, 12, 11, 10])]
        {
            let mut ledger = Ledger::new(8);
            for price in best_first {
                ledger.consume((ID, side, Px(price)), Qty(5));
            }
            ledger.consume((InstrumentId(2), side, Px(10)), Qty(5));
            ledger.consume((InstrumentId(4), side, Px(10)), Qty(5));
            // The best is gone, the second shows 2, the third is passed over in the last's stead.
            let shown = [(best_first[1], 2), (best_first[2], 7)];
            let shown = shown.map(|(price, qty)| Level { price: Px(price), qty: Qty(qty) });
            ledger.limit_all(ID, side, shown.into_iter());
            let found = best_first.map(|price| spent(&ledger, side, price));
            assert_eq!(found, [0, 2, 5, 5], "{side:?}");
            assert_eq!(ledger.free(), 3);
        }
    }
}
