//! The books of a run, one per instrument, fed with decoded messages.

use crate::book::{Book, BookConfig, Invalid, Outcome, SyncRule};
use crate::instrument::{Instrument, InstrumentId, Market, Universe};
use crate::market::{Body, Decoded, Message};

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
            | Body::Kline(_)
            | Body::ContractInfo(_) => None,
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
