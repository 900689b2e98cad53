//! The market as the venue sees it: folded books from the tap, newer tickers, what is spent of each level.

use fusewire_core::book::{BookConfig, BookSide, Invalid, Outcome, Touch};
use fusewire_core::books::Books;
use fusewire_core::event::{TouchChange, TouchSource};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::market::Level;
use fusewire_core::message::{BookInput, Tap};
use fusewire_core::order::Side;
use fusewire_core::ring::LevelsConsumer;
use fusewire_core::units::{Px, Qty};

use super::ledger::{Ledger, is_better};
use super::orders::Queue;

/// A frame that changed a book.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) instrument: InstrumentId,
    /// Its levels are at hand and it says nothing of others; else the whole book is new.
    diff: bool,
    /// How many of its levels are bids.
    bids: usize,
}

/// What is known of one symbol beside its book.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    /// The newest touch, when it came from a ticker.
    ticker: Option<Touch>,
    /// The event whose frame changed the book last.
    payer: u64,
}

/// Books, tickers and what was taken from them.
#[derive(Debug)]
pub(super) struct Market {
    tap: LevelsConsumer<Tap>,
    /// Levels of one frame of the tap.
    levels: Vec<Level>,
    books: Books,
    newest: Vec<Newest>,
    ledger: Ledger,
    /// What the last look at the book offered.
    offers: Vec<Level>,
}

impl Market {
    /// Nothing known. At most `consumed_levels_max` levels can be spent at a time.
    pub(super) fn new(
        universe: &Universe,
        books: &BookConfig,
        tap: LevelsConsumer<Tap>,
        consumed_levels_max: usize,
    ) -> Self {
        Self {
            levels: Vec::with_capacity(tap.levels_max()),
            tap,
            books: Books::new(universe, books),
            newest: vec![Newest::default(); universe.len()],
            ledger: Ledger::new(consumed_levels_max),
            offers: Vec::with_capacity(consumed_levels_max),
        }
    }

    /// Applies what the tap holds up to and with an event, until a book changes.
    pub(super) fn next_change(&mut self, seq: u64) -> Option<Change> {
        let count = |tap: &Tap| {
            let (bids, asks) = tap.body.levels();
            bids + asks
        };
        while self.tap.peek().is_some_and(|tap| tap.seq <= seq) {
            let tap = self.tap.pop(count, &mut self.levels)?;
            let change = self.apply(&tap);
            if change.is_some() {
                return change;
            }
        }
        None
    }

    fn apply(&mut self, tap: &Tap) -> Option<Change> {
        let id = tap.instrument;
        let (bids, asks) = self.levels.split_at(tap.body.levels().0);
        let outcome = self.books.apply_input(id, &tap.body, bids, asks);
        let diff = outcome == Outcome::Applied && matches!(tap.body, BookInput::Diff { .. });
        match outcome {
            Outcome::Applied if diff => {
                self.newest[id.index()].payer = tap.seq;
                for (side, levels) in [(BookSide::Bid, bids), (BookSide::Ask, asks)] {
                    for level in levels {
                        self.ledger.limit((id, side, level.price), level.qty);
                    }
                }
            }
            Outcome::Applied | Outcome::Synced => {
                self.newest[id.index()].payer = tap.seq;
                let book = self.books.get(id);
                for side in [BookSide::Bid, BookSide::Ask] {
                    self.ledger.limit_all(id, side, book.top(side, usize::MAX));
                }
            }
            // While a book is not valid nothing is taken from it; what is spent stays spent.
            Outcome::Buffered | Outcome::Discarded | Outcome::Invalidated(_) | Outcome::Ignored => {
                return None;
            }
        }
        Some(Change { instrument: id, diff, bids: bids.len() })
    }

    /// What the frame that changed a book last says of a price on an order's own side, if anything.
    pub(super) fn told(&self, change: &Change, side: Side, price: Px) -> Option<Qty> {
        if !change.diff {
            return self.shown(change.instrument, side, price);
        }
        let (bids, asks) = self.levels.split_at(change.bids);
        let levels = match side {
            Side::Buy => bids,
            Side::Sell => asks,
        };
        levels.iter().find(|level| level.price == price).map(|level| level.qty)
    }

    /// What the folded book displays at a price on an order's own side; none behind its last level, or
    /// without a valid book.
    pub(super) fn shown(&self, id: InstrumentId, side: Side, price: Px) -> Option<Qty> {
        if !self.is_valid(id) {
            return None;
        }
        let own = facing(side.opposite());
        let mut levels = self.books.get(id).top(own, usize::MAX);
        let reached = levels.find(|level| !is_better(own, level.price, price))?;
        Some(if reached.price == price { reached.qty } else { Qty::ZERO })
    }

    /// Takes what the sequencer says is the newest touch. One from the book is what the book says.
    pub(super) fn set_touch(&mut self, id: InstrumentId, change: &TouchChange) {
        self.newest[id.index()].ticker = match change.source {
            TouchSource::Ticker => Some(change.touch),
            TouchSource::Book | TouchSource::Assumed => None,
        };
    }

    /// The sequencer says that a book is not valid. The own one should say so too, from the tap.
    pub(super) fn invalidate(&mut self, id: InstrumentId, why: Invalid) {
        self.newest[id.index()].ticker = None;
        if self.is_valid(id) {
            self.books.invalidate(id, why);
        }
    }

    /// No frame came for too long.
    pub(super) fn invalidate_all(&mut self) {
        for index in 0..self.newest.len() {
            let id = InstrumentId(u16::try_from(index).expect("a universe has fewer symbols"));
            self.newest[index].ticker = None;
            self.books.invalidate(id, Invalid::Stale);
        }
    }

    /// The event that pays for what is taken from the book now.
    pub(super) fn payer(&self, id: InstrumentId) -> u64 {
        self.newest[id.index()].payer
    }

    /// True when it is known what stands in the book.
    pub(super) fn is_valid(&self, id: InstrumentId) -> bool {
        self.books.get(id).state().is_ok()
    }

    /// True when an order would trade with the newest touch of the other side. Never without a valid
    /// book, which is not to say that it would not.
    pub(super) fn crosses(&self, id: InstrumentId, side: Side, limit: Px) -> bool {
        let other = facing(side);
        self.best(id, other).is_some_and(|best| !is_better(other, limit, best.price))
    }

    /// The newest best level of a side; none without a valid book.
    fn best(&self, id: InstrumentId, side: BookSide) -> Option<Level> {
        let touch = self.books.get(id).touch().ok()?;
        let touch = self.newest[id.index()].ticker.unwrap_or(touch);
        match side {
            BookSide::Bid => touch.bid,
            BookSide::Ask => touch.ask,
        }
    }

    /// Best bid and ask; none without both of them.
    pub(super) fn touch(&self, id: InstrumentId) -> Option<(Px, Px)> {
        let [bid, ask] = [BookSide::Bid, BookSide::Ask].map(|side| self.best(id, side));
        Some((bid?.price, ask?.price))
    }

    /// Looks for up to `want` at no worse than `limit`, on at most `levels_max` levels; `offers` then says
    /// where. Levels better than a newer ticker's touch are gone. Returns how much there is.
    pub(super) fn look(
        &mut self,
        id: InstrumentId,
        side: Side,
        limit: Px,
        want: Qty,
        levels_max: usize,
    ) -> Qty {
        self.offers.clear();
        let other = facing(side);
        let Some(best) = self.best(id, other) else { return Qty::ZERO };
        let levels_max = levels_max.min(self.offers.capacity());
        let mut free = self.ledger.free();
        let mut missing = want;
        for level in self.books.get(id).top(other, usize::MAX) {
            let full = self.offers.len() >= levels_max || missing <= Qty::ZERO;
            if full || is_better(other, limit, level.price) {
                break;
            }
            if is_better(other, level.price, best.price) {
                continue;
            }
            let consumed = self.ledger.consumed((id, other, level.price));
            if consumed.is_none() && free == 0 {
                continue;
            }
            // A newer ticker also knows better how much is left at its own price.
            let shown = if level.price == best.price { level.qty.min(best.qty) } else { level.qty };
            let qty = Qty(shown.0 - consumed.map_or(0, |qty| qty.0)).min(missing);
            if qty > Qty::ZERO {
                free -= usize::from(consumed.is_none());
                missing.0 -= qty.0;
                self.offers.push(Level { price: level.price, qty });
            }
        }
        Qty(want.0 - missing.0)
    }

    /// What `look` found, best first.
    pub(super) fn offer(&self, index: usize) -> Option<Level> {
        self.offers.get(index).copied()
    }

    /// Takes an offer out of the book.
    pub(super) fn consume(&mut self, id: InstrumentId, side: Side, offer: Level) {
        self.ledger.consume((id, facing(side), offer.price), offer.qty);
    }

    /// What stands before an order that comes to rest now: what is displayed at its price, the more
    /// careful of book and newer ticker. Behind the last level that is known, nobody knows.
    /// Also what the folded book displays there.
    pub(super) fn queue(&self, id: InstrumentId, side: Side, price: Px) -> (Queue, Option<Qty>) {
        if !self.is_valid(id) {
            return (Queue::Unknown, None);
        }
        let folded = self.shown(id, side, price);
        let ticker = self.newest[id.index()].ticker.and_then(|touch| match side {
            Side::Buy => touch.bid,
            Side::Sell => touch.ask,
        });
        let told = ticker.filter(|level| level.price == price).map(|level| level.qty);
        (folded.max(told).map_or(Queue::Unknown, Queue::Ahead), folded)
    }
}

/// The side of the book that an order of this side trades with.
const fn facing(side: Side) -> BookSide {
    match side {
        Side::Buy => BookSide::Ask,
        Side::Sell => BookSide::Bid,
    }
}
