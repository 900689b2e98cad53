//! The fold from inputs to what events say: books and touch, trades and forced orders without repeats.
//!
//! Numbers of the exchange that make no sense are left out here, so that nobody behind has to ask: trades
//! and marks without a price, tickers that are crossed or have one side only.

use std::collections::VecDeque;

use crate::assumed::DataSeen;
use crate::book::{BookConfig, Invalid, Touch};
use crate::books::Books;
use crate::event::{self, Body, Origin, TouchChange, TouchSource};
use crate::instrument::{InstrumentId, Universe};
use crate::market::{
    AggTrade, BookTicker, Funding, Level, Liquidation, Mark, Side, Trade, TradeOrigin,
};
use crate::message::{BookInput, Input, InputBody};
use crate::sequencer::bars::Bars;
use crate::sequencer::depth::Shape;
use crate::sequencer::drafts::Drafts;
use crate::sequencer::history::History;
use crate::sequencer::klines::Klines;
use crate::sequencer::mark::AssumedMarks;
use crate::sequencer::touch::AssumedTouches;
use crate::sequencer::{Candles, SequencerConfig};
use crate::units::{Nanos, Px, Qty};

/// The market as folded so far.
#[derive(Debug)]
pub(super) struct MarketFold {
    books: Books,
    symbols: Vec<Symbol>,
    shape: Shape,
    bars: Bars,
    marks: Option<AssumedMarks>,
    touches: AssumedTouches,
    /// None when candles are not told.
    klines: Option<Klines>,
    ticker_lead_max: Nanos,
}

/// What is remembered of one symbol, to know what is news.
#[derive(Clone, Debug)]
struct Symbol {
    /// The touch as last told; none since the book was last invalid, so that a book that is valid again
    /// always tells it.
    told: Option<TouchChange>,
    ticker_id: Option<i64>,
    /// When the last ticker was told that was ahead of the book.
    ticker_at: Nanos,
    trade_id: Option<i64>,
    liquidations: VecDeque<LiquidationKey>,
    liquidations_max: usize,
    history: History,
}

/// What makes two messages tell of the same forced order; with the symbol this is the key of X5.
type LiquidationKey = (Side, Px, Qty, Option<Nanos>);

impl MarketFold {
    pub(super) fn new(config: &SequencerConfig, universe: &Universe, books: &BookConfig) -> Self {
        let symbol = |_| Symbol {
            told: None,
            ticker_id: None,
            ticker_at: Nanos(0),
            trade_id: None,
            liquidations: VecDeque::with_capacity(config.liquidations_max),
            liquidations_max: config.liquidations_max,
            history: History::default(),
        };
        Self {
            books: Books::new(universe, books),
            symbols: (0..universe.len()).map(symbol).collect(),
            shape: Shape::new(config),
            bars: Bars::new(universe.len(), config.bar_interval_s),
            marks: config.assumed_mark.map(|mark| AssumedMarks::new(mark, universe)),
            touches: AssumedTouches::new(config.assumed_touch, universe),
            klines: match config.candles {
                Candles::Told => Some(Klines::new(universe.len())),
                Candles::Ignored => None,
            },
            ticker_lead_max: config.ticker_lead_max,
        }
    }

    /// Most events of one input or tick.
    pub(super) fn drafts_max(universe: &Universe) -> usize {
        // A book frame: depth, touch, levels. A tick: a bar, a mark, depth and touch for each symbol.
        (2 + Shape::levels_messages_max()).max(4 * universe.len())
    }

    /// What data a symbol has so far, and what was assumed of it.
    pub(super) fn data(&self, id: InstrumentId) -> DataSeen {
        self.touches.of(id)
    }

    pub(super) fn books(&self) -> &Books {
        &self.books
    }

    /// Folds an input that is sequenced at `ts`.
    pub(super) fn fold(&mut self, input: &Input, levels: &[Level], ts: Nanos, drafts: &mut Drafts) {
        self.bars.on_frame(ts);
        let id = input.instrument;
        match &input.body {
            InputBody::Book(book) => self.book(id, book, levels, ts, drafts),
            InputBody::Ticker(ticker) => self.ticker(id, ticker, ts, drafts),
            InputBody::Trade(trade) => {
                let trade = self.symbols[id.index()].trade(trade);
                self.trade(id, trade, ts, drafts);
            }
            InputBody::AggTrade(trade) => {
                let trade = self.symbols[id.index()].agg_trade(trade);
                self.trade(id, trade, ts, drafts);
            }
            InputBody::Mark(mark) => self.mark(id, mark, ts, drafts),
            InputBody::Liquidation(liquidation) => {
                if let Some(told) = self.symbols[id.index()].liquidation(liquidation) {
                    drafts.push(id, Body::Liquidation(told));
                }
            }
            InputBody::Candle(bar) => self.candle(id, bar, ts, drafts),
            InputBody::Funding(funding) => self.funding(id, funding, drafts),
            InputBody::OpenInterest(interest) => {
                let told = self.symbols[id.index()].history.open_interest(interest);
                if let Some(told) = told {
                    drafts.push(id, Body::OpenInterest(told));
                }
            }
            InputBody::DepthBand(band) => {
                if let Some(told) = self.symbols[id.index()].history.depth_band(band) {
                    self.touches.on_band(id, &told);
                    drafts.push(id, Body::DepthBand(told));
                }
            }
            InputBody::Nothing => {}
        }
    }

    /// What follows a tick: bars that it closes, then marks, then touches.
    pub(super) fn on_tick(&mut self, at: Nanos, drafts: &mut Drafts) {
        self.bars.on_tick(at, drafts);
        if let Some(marks) = &mut self.marks {
            marks.on_tick(at, drafts);
        }
        let Self { touches, symbols, shape, .. } = self;
        touches.on_tick(at, |id, touch| {
            drafts.push(id, Body::Depth(shape.of_touch(&touch)));
            symbols[id.index()].tell_touch(id, touch, TouchSource::Assumed, drafts);
        });
    }

    /// All books are invalid from now on.
    pub(super) fn on_gap(&mut self) {
        self.bars.on_gap();
        self.touches.on_gap();
        for (symbol, id) in self.symbols.iter_mut().zip((0..).map(InstrumentId)) {
            self.books.invalidate(id, Invalid::Stale);
            symbol.told = None;
            // What follows a silence may be another connection, or another numbering.
            (symbol.ticker_id, symbol.trade_id) = (None, None);
        }
    }

    fn book(
        &mut self,
        id: InstrumentId,
        input: &BookInput,
        levels: &[Level],
        ts: Nanos,
        drafts: &mut Drafts,
    ) {
        let (bids, asks) = levels.split_at(input.levels().0);
        let is_real = match input {
            BookInput::Diff { .. } | BookInput::Snapshot { .. } | BookInput::Partial { .. } => true,
            BookInput::Invalidate(_) => false,
        };
        if is_real && self.touches.on_book(id) {
            // What was told last was assumed: whatever the book says is news.
            self.symbols[id.index()].told = None;
        }
        // What the book is now says more than what became of the frame.
        self.books.apply_input(id, input, bids, asks);
        let book = self.books.get(id);
        let symbol = &mut self.symbols[id.index()];
        match book.touch() {
            Ok(touch) => {
                drafts.push(id, Body::Depth(self.shape.depth(book, &touch)));
                // A frame that is older than the last ticker would take the touch back in time; a ticker
                // that stays alone for too long is not believed any more. One that was not told is no
                // reason to be silent: nobody would know what to believe instead.
                let lead = ts.since(symbol.ticker_at) <= i128::from(self.ticker_lead_max.0);
                let behind = book.last_id().is_some_and(|id| symbol.ticker_id > Some(id));
                let by_ticker = symbol.told.is_some_and(|told| told.source == TouchSource::Ticker);
                if !(by_ticker && behind && lead) {
                    symbol.tell_touch(id, touch, TouchSource::Book, drafts);
                }
                self.shape.levels(id, book, drafts);
            }
            Err(why) => {
                symbol.told = None;
                drafts.push(id, Body::BookInvalid(why));
            }
        }
    }

    /// A ticker moves or confirms the touch when it is ahead of a valid book.
    fn ticker(&mut self, id: InstrumentId, ticker: &BookTicker, ts: Nanos, drafts: &mut Drafts) {
        let book = self.books.get(id);
        let symbol = &mut self.symbols[id.index()];
        if self.touches.on_book(id) {
            // Nobody is to rely any longer on what was assumed.
            symbol.told = None;
            drafts.push(id, Body::BookInvalid(book.state().err().unwrap_or(Invalid::NoSnapshot)));
        }
        if symbol.ticker_id.is_some_and(|last| ticker.id <= last) {
            return;
        }
        symbol.ticker_id = Some(ticker.id);
        let is_ahead = book.last_id().is_none_or(|last| ticker.id > last);
        let BookTicker { bid, ask, .. } = *ticker;
        let is_level = |level: Level| level.price > Px::ZERO && level.qty > Qty::ZERO;
        let makes_sense = is_level(bid) && is_level(ask) && bid.price < ask.price;
        if is_ahead && makes_sense && book.state().is_ok() {
            let touch = Touch { bid: Some(bid), ask: Some(ask) };
            symbol.ticker_at = ts;
            symbol.tell_touch(id, touch, TouchSource::Ticker, drafts);
        }
    }

    fn trade(
        &mut self,
        id: InstrumentId,
        trade: Option<event::Trade>,
        ts: Nanos,
        drafts: &mut Drafts,
    ) {
        let Some(trade) = trade else { return };
        self.bars.on_trade(id, &trade, ts);
        if let Some(marks) = &mut self.marks {
            marks.on_trade(id, &trade, ts);
        }
        self.touches.on_trade(id, trade.price, ts);
        drafts.push(id, Body::Trade(trade));
    }

    /// A closed candle of the exchange: a bar where no trades were seen to make one of.
    fn candle(&mut self, id: InstrumentId, bar: &event::Bar, ts: Nanos, drafts: &mut Drafts) {
        let Some(klines) = &mut self.klines else { return };
        if !self.touches.wants_bars(id) || !klines.is_news(id, bar) {
            return;
        }
        if let Some(marks) = &mut self.marks {
            marks.on_bar(id, bar.close, ts);
        }
        self.touches.on_bar(id, bar.close, ts);
        drafts.push(id, Body::Bar(*bar));
    }

    /// Funding as it was charged. From now on nothing is assumed of it.
    fn funding(&mut self, id: InstrumentId, funding: &Funding, drafts: &mut Drafts) {
        let Some(told) = self.symbols[id.index()].history.funding(funding) else { return };
        if let Some(marks) = &mut self.marks {
            marks.on_funding(id);
        }
        drafts.push(id, Body::Funding(told));
    }

    fn mark(&mut self, id: InstrumentId, mark: &Mark, ts: Nanos, drafts: &mut Drafts) {
        if mark.price <= Px::ZERO {
            return;
        }
        let tells_funding = mark.funding_rate.is_some() || mark.next_funding.is_some();
        let mut funding = (mark.funding_rate, mark.next_funding);
        if let Some(marks) = &mut self.marks {
            marks.on_real(id);
            // A history of marks may tell prices and nothing else: the assumption of funding goes on.
            if tells_funding {
                marks.on_funding(id);
            } else {
                funding = marks.funding(id, ts);
            }
        }
        let told = event::Mark {
            price: mark.price,
            index: mark.index,
            funding_rate: funding.0,
            next_funding: funding.1,
            origin: Origin::Real,
        };
        drafts.push(id, Body::Mark(told));
    }
}

impl Symbol {
    /// Tells a touch that is another one. A ticker is also told when it only confirms what the book said,
    /// once: from then on older frames are not told, and who follows the book has to know why. The other
    /// way round there is nothing to know, the book has what the ticker had.
    fn tell_touch(
        &mut self,
        id: InstrumentId,
        touch: Touch,
        source: TouchSource,
        drafts: &mut Drafts,
    ) {
        let is_news = self.told.is_none_or(|told| {
            let takes_over = (told.source, source) == (TouchSource::Book, TouchSource::Ticker);
            told.touch != touch || takes_over
        });
        if is_news {
            let change = TouchChange { touch, source };
            self.told = Some(change);
            drafts.push(id, Body::Touch(change));
        }
    }

    fn trade(&mut self, trade: &Trade) -> Option<event::Trade> {
        match trade.origin {
            TradeOrigin::Market => {}
            TradeOrigin::InsuranceFund | TradeOrigin::Adl => return None,
        }
        let Trade { id, price, qty, aggressor, .. } = *trade;
        let is_new = self.sees_trades(id, id);
        (is_new && price > Px::ZERO && qty > Qty::ZERO).then_some(event::Trade {
            id,
            price,
            qty,
            aggressor,
        })
    }

    fn agg_trade(&mut self, trade: &AggTrade) -> Option<event::Trade> {
        let AggTrade { price, normal_qty: qty, first_trade, last_trade, aggressor, .. } = *trade;
        let is_new = self.sees_trades(first_trade, last_trade);
        (is_new && price > Px::ZERO && qty > Qty::ZERO).then_some(event::Trade {
            id: last_trade,
            price,
            qty,
            aggressor,
        })
    }

    /// True when none of these ids was seen before, which both trade streams of a symbol count by.
    fn sees_trades(&mut self, first: i64, last: i64) -> bool {
        let is_new = self.trade_id.is_none_or(|seen| first > seen);
        if is_new {
            self.trade_id = Some(first.max(last));
        }
        is_new
    }

    fn liquidation(&mut self, liquidation: &Liquidation) -> Option<event::Liquidation> {
        let Liquidation { times, side, price, average, qty, filled_qty, .. } = *liquidation;
        if average <= Px::ZERO || filled_qty <= Qty::ZERO {
            return None;
        }
        let key = (side, price, qty, times.transaction.or(times.event));
        if self.liquidations.contains(&key) {
            return None;
        }
        if self.liquidations.len() == self.liquidations_max {
            self.liquidations.pop_front();
        }
        self.liquidations.push_back(key);
        Some(event::Liquidation { side, price: average, qty: filled_qty })
    }
}

#[cfg(test)]
mod tests;
