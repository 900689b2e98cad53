//! A touch around the last price, for contracts that no book was ever seen for.
//!
//! It is told at a tick behind news: a trade, or a bar where there are no trades. Without news nothing is
//! told, so that an assumed book grows old like any other and the check of its age needs to know of nothing.
//! The first real message of a book ends the assumption of its symbol for good.

use crate::assumed::{DataModel, DataSeen, DepthFrom, InnerBands};
use crate::book::Touch;
use crate::event::DepthBand;
use crate::instrument::{Instrument, InstrumentId, Market, Universe};
use crate::sequencer::AssumedTouch;
use crate::units::{Nanos, Px};

/// What data each symbol has, and what is assumed of it.
#[derive(Debug)]
pub(super) struct AssumedTouches {
    config: Option<AssumedTouch>,
    /// When touches were last looked for.
    looked_at: Nanos,
    symbols: Vec<Symbol>,
}

/// What is known of one symbol.
#[derive(Clone, Debug)]
struct Symbol {
    instrument: Instrument,
    model: DataModel,
    has_trades: bool,
    /// When its first trade or bar came.
    since: Option<Nanos>,
    /// The price of the newest one that was not told of yet.
    news: Option<Px>,
    bands: InnerBands,
    /// Touches told.
    told: u64,
    /// Those of them in which a band made the depth smaller.
    bounded: u64,
    bands_told: u64,
}

impl AssumedTouches {
    /// Nothing is known. Without a configuration nothing is assumed.
    pub(super) fn new(config: Option<AssumedTouch>, universe: &Universe) -> Self {
        let symbol = |instrument: &Instrument| Symbol {
            instrument: instrument.clone(),
            model: DataModel::None,
            has_trades: false,
            since: None,
            news: None,
            bands: InnerBands::default(),
            told: 0,
            bounded: 0,
            bands_told: 0,
        };
        let looked_at = Nanos(0);
        Self { config, looked_at, symbols: universe.iter().map(|(_, it)| symbol(it)).collect() }
    }

    /// What data a symbol has so far, and what was assumed of it.
    pub(super) fn of(&self, id: InstrumentId) -> DataSeen {
        let symbol = &self.symbols[id.index()];
        DataSeen {
            model: symbol.model,
            touches: symbol.told,
            touches_bounded: symbol.bounded,
            bands: symbol.bands_told,
        }
    }

    /// What stood within a band. A touch that stands changes with the next trade or bar.
    pub(super) fn on_band(&mut self, id: InstrumentId, band: &DepthBand) {
        let symbol = &mut self.symbols[id.index()];
        symbol.bands.see(band);
        symbol.bands_told += 1;
    }

    /// A real message of its book came; true when it ends an assumption that was told.
    pub(super) fn on_book(&mut self, id: InstrumentId) -> bool {
        let symbol = &mut self.symbols[id.index()];
        let ends = symbol.model != DataModel::Book && symbol.told > 0;
        (symbol.model, symbol.news) = (DataModel::Book, None);
        ends
    }

    /// A trade.
    pub(super) fn on_trade(&mut self, id: InstrumentId, price: Px, ts: Nanos) {
        let symbol = &mut self.symbols[id.index()];
        symbol.has_trades = true;
        match symbol.model {
            DataModel::Book => return,
            DataModel::None | DataModel::Bars => symbol.model = DataModel::Trades,
            DataModel::Trades => {}
        }
        symbol.hear(price, ts);
    }

    /// True when candles of the exchange are to be told: no trades were seen to make bars of.
    pub(super) fn wants_bars(&self, id: InstrumentId) -> bool {
        !self.symbols[id.index()].has_trades
    }

    /// A candle of the exchange closed.
    pub(super) fn on_bar(&mut self, id: InstrumentId, close: Px, ts: Nanos) {
        let symbol = &mut self.symbols[id.index()];
        match symbol.model {
            DataModel::Book | DataModel::Trades => return,
            DataModel::None => symbol.model = DataModel::Bars,
            DataModel::Bars => {}
        }
        symbol.hear(close, ts);
    }

    /// A gap: what was not told by then is old.
    pub(super) fn on_gap(&mut self) {
        for symbol in &mut self.symbols {
            symbol.news = None;
        }
    }

    /// A tick at `at`: shows each touch that is assumed from now on.
    pub(super) fn on_tick(&mut self, at: Nanos, mut show: impl FnMut(InstrumentId, Touch)) {
        let Some(AssumedTouch { cadence, wait, book }) = self.config else { return };
        if at.since(self.looked_at) < i128::from(cadence.0) {
            return;
        }
        self.looked_at = at;
        for (symbol, id) in self.symbols.iter_mut().zip((0..).map(InstrumentId)) {
            let waited = symbol.since.is_some_and(|since| at.since(since) >= i128::from(wait.0));
            if !waited || symbol.instrument.market != Market::UsdM {
                continue;
            }
            let Some(price) = symbol.news.take() else { continue };
            if let Some((touch, from)) = book.touch(price, &symbol.instrument, &symbol.bands, at) {
                symbol.told += 1;
                symbol.bounded += u64::from(from == DepthFrom::Bands);
                show(id, touch);
            }
        }
    }
}

impl Symbol {
    fn hear(&mut self, price: Px, ts: Nanos) {
        self.since.get_or_insert(ts);
        self.news = Some(price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assumed::AssumedBook;
    use crate::instrument::common;
    use crate::units::{Bps, Wide};

    const BTC: InstrumentId = InstrumentId(0);
    const SPOT: InstrumentId = InstrumentId(1);
    const ETH: InstrumentId = InstrumentId(2);

    fn at(millis: u64) -> Nanos {
        Nanos(millis * Nanos::MILLI)
    }

    fn touches() -> AssumedTouches {
        let listed =
            [(Market::UsdM, "BTCUSDT"), (Market::Spot, "BTCUSDT"), (Market::UsdM, "ETHUSDT")];
        let listed = listed.map(|(market, symbol)| common(market, symbol).unwrap());
        let book = AssumedBook::default();
        let config = AssumedTouch { cadence: at(200), wait: at(1_000), book };
        AssumedTouches::new(Some(config), &Universe::new(listed.into()).unwrap())
    }

    fn px(whole: i64) -> Px {
        Px(whole * 100_000_000)
    }

    /// Symbols and bid prices.
    fn tick(touches: &mut AssumedTouches, millis: u64) -> Vec<(InstrumentId, Px)> {
        let mut shown = Vec::new();
        touches.on_tick(at(millis), |id, touch| shown.push((id, touch.bid.unwrap().price)));
        shown
    }

    #[test]
    fn it_waits_for_a_book_and_then_follows_the_news() {
        let mut touches = touches();
        touches.on_trade(BTC, px(10_000), at(100));
        assert_eq!(tick(&mut touches, 1_000), [], "a book may still come");
        assert_eq!(tick(&mut touches, 1_100), [], "too soon");
        assert_eq!(tick(&mut touches, 1_200), [(BTC, px(9_999))]);
        assert_eq!(tick(&mut touches, 1_400), [], "no news");
        touches.on_trade(BTC, px(20_000), at(1_500));
        touches.on_trade(BTC, px(30_000), at(1_550));
        assert_eq!(tick(&mut touches, 1_600), [(BTC, px(29_997))]);
        let seen = touches.of(BTC);
        assert_eq!((seen.model, seen.touches, seen.touches_bounded), (DataModel::Trades, 2, 0));
    }

    #[test]
    fn bands_of_a_symbol_bound_its_own_touch_until_they_are_old() {
        let mut touches = touches();
        let band = |percent: i64, usd: i128| DepthBand {
            at: at(0),
            distance: Bps(percent * 1_000_000),
            qty: Wide::default(),
            notional: (usd * 100_000_000).into(),
        };
        touches.on_band(BTC, &band(-1, 100_000));
        touches.on_band(BTC, &band(1, 0));
        for id in [BTC, ETH] {
            touches.on_trade(id, px(10_000), at(0));
        }
        let mut shown = |millis: u64| {
            let mut shown = Vec::new();
            touches.on_trade(BTC, px(10_000), at(millis));
            touches.on_tick(at(millis), |id, touch| {
                shown.push((id, [touch.bid, touch.ask].map(|level| level.map(|level| level.qty))));
            });
            shown
        };
        // 1,000 and 5,000 USD at 9,999, and 5,000 at 10,001, in lots of 0.001.
        let [few, bid, ask] = [100, 500, 499].map(|n| Some(crate::units::Qty(n * 100_000)));
        assert_eq!(shown(2_000), [(BTC, [few, None]), (ETH, [bid, ask])]);
        assert_eq!(shown(120_001), [(BTC, [bid, ask])]);
        let of =
            |id| (touches.of(id).bands, touches.of(id).touches_bounded, touches.of(id).touches);
        assert_eq!((of(BTC), of(ETH)), ((2, 1, 2), (0, 0, 1)));
    }

    #[test]
    fn a_book_ends_it_for_good() {
        let mut touches = touches();
        for id in [BTC, ETH] {
            touches.on_trade(id, px(10_000), at(0));
        }
        assert!(!touches.on_book(ETH), "nothing was told of it");
        assert_eq!(tick(&mut touches, 1_000), [(BTC, px(9_999))]);
        touches.on_trade(BTC, px(10_000), at(1_001));
        assert!(touches.on_book(BTC), "somebody relies on it");
        assert!(!touches.on_book(BTC), "it is said once");
        for id in [BTC, ETH] {
            touches.on_trade(id, px(10_000), at(1_100));
            touches.on_bar(id, px(10_000), at(1_100));
            assert_eq!(touches.of(id).model, DataModel::Book);
        }
        assert_eq!(tick(&mut touches, 9_000), []);
    }

    #[test]
    fn bars_count_until_there_are_trades() {
        let mut touches = touches();
        assert!(touches.wants_bars(BTC));
        touches.on_bar(BTC, px(10_000), at(0));
        assert_eq!(touches.of(BTC).model, DataModel::Bars);
        assert_eq!(tick(&mut touches, 2_000), [(BTC, px(9_999))]);
        touches.on_trade(BTC, px(20_000), at(2_001));
        touches.on_bar(BTC, px(10_000), at(2_002));
        assert!(!touches.wants_bars(BTC));
        assert_eq!(tick(&mut touches, 2_200), [(BTC, px(19_998))]);
    }

    #[test]
    fn nothing_is_assumed_of_spot_nor_after_a_gap_nor_without_a_set() {
        let mut touches = touches();
        for id in [SPOT, BTC] {
            touches.on_trade(id, px(10_000), at(0));
        }
        touches.on_gap();
        assert_eq!(tick(&mut touches, 2_000), []);
        touches.on_trade(SPOT, px(10_000), at(2_100));
        assert_eq!(tick(&mut touches, 2_200), []);
        touches.config = None;
        touches.on_trade(BTC, px(10_000), at(2_300));
        assert_eq!(tick(&mut touches, 2_400), []);
        assert_eq!((touches.of(BTC).model, touches.of(BTC).touches), (DataModel::Trades, 0));
    }
}
