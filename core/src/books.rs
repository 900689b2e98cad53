//! The books of a run, one per instrument, fed with decoded messages.

use crate::book::{Book, BookConfig, Invalid, Outcome, SyncRule};
use crate::instrument::{Instrument, InstrumentId, Market, Universe};
use crate::market::{Body, Decoded, Level, Message};
use crate::message::BookInput;

/// One book per instrument of a universe.
#[derive(Clone, Debug)]
pub struct Books {
    books: Vec<Book>,
}

impl Books {
    /// Empty books. All their memory is taken here.
    #[must_use]
    pub fn new(universe: &Universe, config: &BookConfig) -> Self {
        let book = |instrument: &Instrument| {
            let rule = match instrument.market {
                Market::UsdM | Market::CoinM => SyncRule::Futures,
                Market::Spot => SyncRule::Spot,
            };
            Book::new(rule, instrument.tick, config)
        };
        Self { books: universe.iter().map(|(_, instrument)| book(instrument)).collect() }
    }

    /// Applies a message of `decoded`; `None` for a message that is not about the book.
    ///
    /// Book tickers are not applied: they run ahead of the depth stream, and a book of two sources would
    /// be neither.
    pub fn apply(
        &mut self,
        id: InstrumentId,
        message: &Message,
        decoded: &Decoded,
    ) -> Option<Outcome> {
        let book = &mut self.books[id.index()];
        match &message.body {
            Body::Depth(depth) => {
                let (bids, asks) = (decoded.bids(depth.levels), decoded.asks(depth.levels));
                Some(book.on_diff(depth.ids, bids, asks))
            }
            Body::PartialDepth(depth) => {
                Some(book.on_partial(decoded.bids(depth.levels), decoded.asks(depth.levels)))
            }
            Body::Snapshot(snapshot) => {
                let (bids, asks) = (decoded.bids(snapshot.levels), decoded.asks(snapshot.levels));
                Some(book.on_snapshot(snapshot.last_id, bids, asks))
            }
            Body::BookTicker(_)
            | Body::Trade(_)
            | Body::AggTrade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_)
            | Body::Kline(_)
            | Body::ContractInfo(_) => None,
        }
    }

    /// Applies a change as it travels on the rings, with the levels that follow it.
    pub fn apply_input(
        &mut self,
        id: InstrumentId,
        input: &BookInput,
        bids: &[Level],
        asks: &[Level],
    ) -> Outcome {
        let book = &mut self.books[id.index()];
        match *input {
            BookInput::Diff { ids, .. } => book.on_diff(ids, bids, asks),
            BookInput::Snapshot { last_id, .. } => book.on_snapshot(last_id, bids, asks),
            BookInput::Partial { .. } => book.on_partial(bids, asks),
            BookInput::Invalidate(why) => {
                book.invalidate(why);
                Outcome::Invalidated(why)
            }
        }
    }

    /// Marks a book as unreliable until its next snapshot.
    pub fn invalidate(&mut self, id: InstrumentId, why: Invalid) {
        self.books[id.index()].invalidate(why);
    }

    /// The book of an instrument.
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> &Book {
        &self.books[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSide;
    use crate::instrument::common;
    use crate::market::{BookTicker, Depth, DepthIds, Level, LevelRange, Snapshot, Span};
    use crate::units::{Px, Qty};

    const FUTURES: InstrumentId = InstrumentId(0);
    const SPOT: InstrumentId = InstrumentId(1);

    fn books() -> Books {
        let listed = [Market::UsdM, Market::Spot].map(|market| common(market, "BTCUSDT").unwrap());
        Books::new(&Universe::new(listed.into()).unwrap(), &BookConfig::default())
    }

    fn apply(books: &mut Books, id: InstrumentId, body: Body) -> Option<Outcome> {
        let level = |price| Level { price: Px(price), qty: Qty(1) };
        let decoded = Decoded { levels: vec![level(90), level(110)], ..Decoded::default() };
        books.apply(id, &Message { symbol: Span::NONE, body }, &decoded)
    }

    /// The levels of `apply`: a bid of 90 and an ask of 110.
    fn range() -> LevelRange {
        LevelRange { start: 0, bids: 1, asks: 1 }
    }

    fn depth(first: i64, last: i64, prev: Option<i64>) -> Depth {
        let ids = DepthIds { first, last, prev };
        Depth { ids, levels: range(), ..Depth::default() }
    }

    fn snapshot(last_id: i64) -> Body {
        Body::Snapshot(Snapshot { last_id, levels: range(), ..Snapshot::default() })
    }

    fn prices(books: &Books, id: InstrumentId) -> Vec<i64> {
        let book = books.get(id);
        [BookSide::Bid, BookSide::Ask]
            .into_iter()
            .flat_map(|side| book.top(side, 9).map(|level| level.price.0))
            .collect()
    }

    #[test]
    fn each_message_goes_to_the_book_of_its_instrument() {
        let mut books = books();
        assert_eq!(apply(&mut books, SPOT, snapshot(10)), Some(Outcome::Buffered));
        assert_eq!(prices(&books, FUTURES), [0; 0]);
        assert_eq!(prices(&books, SPOT), [90, 110]);
        let partial = Body::PartialDepth(depth(1, 1, None));
        assert_eq!(apply(&mut books, FUTURES, partial), Some(Outcome::Synced));
        assert_eq!(prices(&books, FUTURES), [90, 110]);
    }

    #[test]
    fn spot_frames_continue_the_numbers_and_futures_frames_name_their_predecessor() {
        let mut books = books();
        for id in [FUTURES, SPOT] {
            apply(&mut books, id, snapshot(10));
            let joins = Body::Depth(depth(10, 11, Some(9)));
            assert_eq!(apply(&mut books, id, joins), Some(Outcome::Synced));
        }
        let continued = Body::Depth(depth(12, 13, Some(10)));
        assert_eq!(apply(&mut books, SPOT, continued), Some(Outcome::Applied));
        apply(&mut books, FUTURES, continued);
        assert_eq!(books.get(FUTURES).state(), Err(Invalid::Gap));
    }

    #[test]
    fn a_change_off_the_ring_does_the_same_as_the_message_it_was_made_from() {
        let (bids, asks) =
            ([Level { price: Px(90), qty: Qty(1) }], [Level { price: Px(110), qty: Qty(1) }]);
        let ids = DepthIds { first: 10, last: 11, prev: Some(9) };
        let steps = [
            (BookInput::Partial { bids: 1, asks: 1 }, Body::PartialDepth(depth(1, 1, None))),
            (BookInput::Snapshot { last_id: 10, bids: 1, asks: 1 }, snapshot(10)),
            (BookInput::Diff { ids, bids: 1, asks: 1 }, Body::Depth(depth(10, 11, Some(9)))),
        ];
        let (mut by_input, mut by_message) = (books(), books());
        for (input, body) in steps {
            let outcome = by_input.apply_input(FUTURES, &input, &bids, &asks);
            assert_eq!(Some(outcome), apply(&mut by_message, FUTURES, body), "{input:?}");
        }
        assert_eq!(by_input.get(FUTURES).touch(), by_message.get(FUTURES).touch());
        assert!(by_input.get(FUTURES).touch().is_ok());
        let stale = BookInput::Invalidate(Invalid::Stale);
        let outcome = by_input.apply_input(FUTURES, &stale, &[], &[]);
        assert_eq!(outcome, Outcome::Invalidated(Invalid::Stale));
        assert_eq!(by_input.get(FUTURES).state(), Err(Invalid::Stale));
    }

    #[test]
    fn a_ticker_is_not_about_the_book() {
        let mut books = books();
        assert_eq!(apply(&mut books, FUTURES, Body::BookTicker(BookTicker::default())), None);
        assert_eq!(books.get(FUTURES).state(), Err(Invalid::NoSnapshot));
    }

    #[test]
    fn one_book_is_invalidated_alone() {
        let mut books = books();
        for id in [FUTURES, SPOT] {
            apply(&mut books, id, Body::PartialDepth(depth(1, 1, None)));
        }
        books.invalidate(FUTURES, Invalid::Malformed);
        assert_eq!(books.get(FUTURES).state(), Err(Invalid::Malformed));
        assert_eq!(books.get(SPOT).state(), Ok(()));
    }
}
