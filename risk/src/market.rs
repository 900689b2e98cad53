//! What the stream says of each symbol: book, mark, and when each was last heard of.

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Event, TouchSource};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::market::Side;
use fusewire_core::units::{Nanos, Px};

/// A mark price and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MarkAt {
    pub(crate) price: Px,
    pub(crate) at: Nanos,
}

/// One symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbol {
    touch: Touch,
    /// Time of the last book event while the book is valid.
    book_at: Option<Nanos>,
    mark: Option<MarkAt>,
    last_price: Option<Px>,
}

impl Symbol {
    /// Time of the last book event; none while the book is not valid. A ticker is no book event: it
    /// says nothing of the depth behind the touch.
    pub(crate) fn book_at(&self) -> Option<Nanos> {
        self.book_at
    }

    /// Best bid plus best ask, which is twice the mid; none without both sides or a valid book.
    pub(crate) fn twice_mid(&self) -> Option<i128> {
        let (bid, ask) = (self.touch.bid?.price, self.touch.ask?.price);
        let usable = self.book_at.is_some() && bid > Px::ZERO && bid < ask;
        usable.then(|| i128::from(bid.0) + i128::from(ask.0))
    }

    /// The last mark price, however old.
    pub(crate) fn mark(&self) -> Option<MarkAt> {
        self.mark
    }

    /// What a reduce is measured by: the mark while it is fresh, else the last price that was valid
    /// when it came. A reduce must leave when data fails, so that this one may be old.
    pub(crate) fn price_to_reduce_by(&self, now: Nanos, mark_age_max: Nanos) -> Option<Px> {
        let fresh = |mark: &MarkAt| now.since(mark.at) <= i128::from(mark_age_max.0);
        self.mark.filter(fresh).map(|mark| mark.price).or(self.last_price)
    }

    /// What the collar of a reduce is measured by: of the price above and the mid of a book that is
    /// fresh, the one that lets it go further. When the book has left the mark behind, as in a cascade,
    /// a collar around the mark alone would keep every exit in.
    pub(crate) fn price_to_leave_by(&self, side: Side, now: Nanos, ages: [Nanos; 2]) -> Option<Px> {
        let [mark_age_max, book_age_max] = ages;
        let reference = self.price_to_reduce_by(now, mark_age_max)?;
        let fresh = |at: Nanos| now.since(at) <= i128::from(book_age_max.0);
        let mid = self.book_at.filter(|at| fresh(*at)).and_then(|_| self.mid());
        Some(mid.map_or(reference, |mid| match side {
            Side::Buy => reference.max(mid),
            Side::Sell => reference.min(mid),
        }))
    }

    fn mid(&self) -> Option<Px> {
        let mid = self.twice_mid().and_then(|sum| i64::try_from(sum / 2).ok());
        mid.map(Px)
    }

    fn invalidate(&mut self) {
        // The touch stays: it is told again only when it changes.
        self.book_at = None;
    }

    fn keep_mid(&mut self) {
        self.last_price = self.mid().or(self.last_price);
    }
}

/// All symbols.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    symbols: Vec<Symbol>,
}

impl Market {
    pub(crate) fn new(symbols: usize) -> Self {
        Self { symbols: vec![Symbol::default(); symbols] }
    }

    pub(crate) fn symbol(&self, instrument: InstrumentId) -> &Symbol {
        &self.symbols[instrument.index()]
    }

    /// Takes what an event says.
    pub(crate) fn apply(&mut self, event: &Event) {
        if matches!(event.body, Body::Gap) {
            self.symbols.iter_mut().for_each(Symbol::invalidate);
        }
        let Some(instrument) = event.instrument else { return };
        let symbol = &mut self.symbols[instrument.index()];
        match &event.body {
            Body::Depth(_) => {
                symbol.book_at = Some(event.ts);
                symbol.keep_mid();
            }
            Body::Touch(change) => {
                symbol.touch = change.touch;
                if change.source == TouchSource::Book && symbol.book_at.is_some() {
                    symbol.book_at = Some(event.ts);
                }
                symbol.keep_mid();
            }
            Body::BookInvalid(_) => symbol.invalidate(),
            Body::Mark(mark) => {
                // S0-04: zero means offline, not cheap.
                let usable = mark.price > Px::ZERO;
                symbol.mark = usable.then_some(MarkAt { price: mark.price, at: event.ts });
                symbol.last_price = symbol.mark.map(|mark| mark.price).or(symbol.last_price);
            }
            Body::Levels(_)
            | Body::Trade(_)
            | Body::Liquidation(_)
            | Body::Bar(_)
            | Body::Tick
            | Body::Gap
            | Body::Wake
            | Body::Report(_)
            | Body::Status(_)
            | Body::Rejected(_)
            | Body::Control(_)
            | Body::KillLevel(_)
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::book::Invalid;

    use super::*;
    use crate::testing::{BTC, ETH, depth, event, mark, px, ticker, touch};

    const SECOND: u64 = Nanos::SECOND;

    fn market(events: &[(u64, Body)]) -> Market {
        let mut market = Market::new(2);
        for (at, body) in events {
            market.apply(&event(1, Nanos(*at), Some(BTC), *body));
        }
        market
    }

    #[test]
    fn a_book_is_valid_from_depth_to_invalid() {
        let view = |events: &[(u64, Body)]| {
            let market = market(events);
            let symbol = market.symbol(BTC);
            (symbol.book_at(), symbol.twice_mid())
        };
        let two_sided = touch("99", "101");
        assert_eq!(view(&[]), (None, None));
        assert_eq!(view(&[(1, two_sided)]), (None, None));
        assert_eq!(view(&[(1, depth())]), (Some(Nanos(1)), None));
        let valid = (Some(Nanos(2)), Some(200 * 100_000_000));
        assert_eq!(view(&[(1, depth()), (2, two_sided)]), valid);
        let invalid = Body::BookInvalid(Invalid::Gap);
        assert_eq!(view(&[(1, depth()), (2, two_sided), (3, invalid)]), (None, None));
        // The touch is not told again when it is the same.
        let again = [(1, depth()), (1, two_sided), (2, invalid), (2, depth())];
        assert_eq!(view(&again), valid);
    }

    #[test]
    fn a_gap_invalidates_all_books() {
        let mut market = market(&[(1, depth()), (1, touch("99", "101"))]);
        market.apply(&event(2, Nanos(1), Some(ETH), depth()));
        market.apply(&event(3, Nanos(2), None, Body::Gap));
        assert_eq!(market.symbol(BTC).book_at(), None);
        assert_eq!(market.symbol(ETH).book_at(), None);
    }

    #[test]
    fn a_ticker_moves_the_mid_but_keeps_no_book_fresh() {
        let market = market(&[(1, depth()), (1, touch("99", "101")), (9, ticker("100", "102"))]);
        let symbol = market.symbol(BTC);
        assert_eq!(symbol.book_at(), Some(Nanos(1)));
        assert_eq!(symbol.twice_mid(), Some(202 * 100_000_000));
    }

    #[test]
    fn a_crossed_or_one_sided_touch_has_no_mid() {
        for odd in [touch("101", "101"), touch("", "101"), touch("99", ""), touch("0", "1")] {
            assert_eq!(market(&[(1, depth()), (1, odd)]).symbol(BTC).twice_mid(), None);
        }
    }

    #[test]
    fn s0_04_a_mark_of_zero_is_no_mark() {
        let market = market(&[(1, mark("100")), (2, mark("0"))]);
        let symbol = market.symbol(BTC);
        assert_eq!(symbol.mark(), None);
        assert_eq!(symbol.price_to_reduce_by(Nanos(2), Nanos(SECOND)), Some(px("100")));
    }

    #[test]
    fn a_reduce_leaves_by_mark_or_book_whichever_lets_it_go_further() {
        let ages = [Nanos(10 * SECOND), Nanos(5 * SECOND)];
        let by = |events: &[(u64, Body)], at: u64| {
            let market = market(events);
            [Side::Buy, Side::Sell]
                .map(|side| market.symbol(BTC).price_to_leave_by(side, Nanos(at), ages))
        };
        assert_eq!(by(&[], 1), [None; 2]);
        let marked = (0, mark("100"));
        assert_eq!(by(&[marked], 1), [Some(px("100")); 2]);
        let apart = [marked, (0, depth()), (0, touch("89", "91"))];
        assert_eq!(by(&apart, 5 * SECOND), [Some(px("100")), Some(px("90"))]);
        assert_eq!(by(&apart, 5 * SECOND + 1), [Some(px("100")); 2], "a silent book says nothing");
        let lost = [apart[0], apart[1], apart[2], (0, Body::BookInvalid(Invalid::Gap))];
        assert_eq!(by(&lost, 1), [Some(px("100")); 2]);
    }

    #[test]
    fn a_reduce_falls_back_to_the_last_valid_price() {
        let max = Nanos(10 * SECOND);
        let by = |events: &[(u64, Body)], at: u64| {
            market(events).symbol(BTC).price_to_reduce_by(Nanos(at), max)
        };
        assert_eq!(by(&[], 1), None);
        let marked = (0, mark("100"));
        let mids = [marked, (1, depth()), (2, touch("109", "111"))];
        assert_eq!(by(&mids, 10 * SECOND), Some(px("100")), "the mark while it is fresh");
        assert_eq!(by(&mids, 10 * SECOND + 1), Some(px("110")), "then the later mid");
        assert_eq!(by(&[marked], 99 * SECOND), Some(px("100")), "or the old mark");
        let lost = [mids[0], mids[1], mids[2], (3, Body::BookInvalid(Invalid::Gap))];
        let unheard = [lost[0], lost[1], lost[2], lost[3], (4, touch("50", "51"))];
        assert_eq!(by(&unheard, 99 * SECOND), Some(px("110")), "an invalid book moves nothing");
        let [a, b, c, d, e] = unheard;
        let again = [a, b, c, d, e, (5, depth())];
        assert_eq!(by(&again, 99 * SECOND), Some(px("50.5")), "until it is valid again");
    }
}
