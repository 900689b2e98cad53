//! Mark prices made of trades, or of bars where there are none, for contracts that no mark stream was seen for.
//!
//! Never of the book: a strategy would then be judged by a price that its own orders stand in.

use crate::event::{Body, Mark, Origin, Trade};
use crate::instrument::{ContractType, Instrument, InstrumentId, Market, Universe};
use crate::market::Side;
use crate::sequencer::AssumedMark;
use crate::sequencer::clock::following_multiple;
use crate::sequencer::drafts::Drafts;
use crate::units::{Nanos, Px, Qty, Rate, Round, div_round};

/// The assumption, by symbol.
#[derive(Debug)]
pub(super) struct AssumedMarks {
    config: AssumedMark,
    symbols: Vec<Symbol>,
}

/// What is known of one symbol.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    /// False once a real mark was seen, and for all that is not USD-M.
    is_assumed: bool,
    /// A perpetual.
    pays_funding: bool,
    /// False once it was told what was really charged.
    funding_is_assumed: bool,
    /// Quantity traded since the last mark.
    qty: i128,
    /// Sum of price times quantity since the last mark.
    product: i128,
    last_price: Option<Px>,
    last_trade: Nanos,
}

impl AssumedMarks {
    pub(super) fn new(config: AssumedMark, universe: &Universe) -> Self {
        let symbol = |one: &Instrument| Symbol {
            is_assumed: one.market == Market::UsdM,
            pays_funding: one.market == Market::UsdM && one.contract_type != ContractType::Dated,
            funding_is_assumed: true,
            qty: 0,
            product: 0,
            last_price: None,
            last_trade: Nanos(0),
        };
        let symbols = universe.iter().map(|(_, instrument)| symbol(instrument)).collect();
        Self { config, symbols }
    }

    /// A real mark came: the assumption ends for good.
    pub(super) fn on_real(&mut self, id: InstrumentId) {
        self.symbols[id.index()].is_assumed = false;
    }

    /// It was told what was really charged: the assumption of funding ends for good, that of prices goes on.
    pub(super) fn on_funding(&mut self, id: InstrumentId) {
        self.symbols[id.index()].funding_is_assumed = false;
    }

    /// Rate and boundary that are assumed at this time, for a mark that tells neither; none once they are known, and for
    /// what has no funding.
    pub(super) fn funding(&self, id: InstrumentId, at: Nanos) -> (Option<Rate>, Option<Nanos>) {
        let AssumedMark { funding_rate, funding_interval, .. } = self.config;
        let symbol = &self.symbols[id.index()];
        if !symbol.pays_funding || !symbol.funding_is_assumed {
            return (None, None);
        }
        (Some(funding_rate), following_multiple(at, funding_interval))
    }

    /// A trade at `ts`.
    pub(super) fn on_trade(&mut self, id: InstrumentId, trade: &Trade, ts: Nanos) {
        self.symbols[id.index()].add(trade, ts);
    }

    /// A bar of a symbol without trades closed at this price.
    pub(super) fn on_bar(&mut self, id: InstrumentId, close: Px, ts: Nanos) {
        // Its volume traded at other prices too: the price counts, not how much.
        let last = Trade { id: 0, price: close, qty: Qty(1), aggressor: Side::Buy };
        self.symbols[id.index()].add(&last, ts);
    }

    /// A tick at `at`.
    pub(super) fn on_tick(&mut self, at: Nanos, drafts: &mut Drafts) {
        if !at.0.is_multiple_of(self.config.cadence.0) {
            return;
        }
        let AssumedMark { max_age, funding_rate, funding_interval, cadence: _ } = self.config;
        for (symbol, id) in self.symbols.iter_mut().zip((0..).map(InstrumentId)) {
            if !symbol.is_assumed {
                continue;
            }
            if let Some(price) = symbol.price(at, max_age) {
                let funding = symbol.funding_is_assumed;
                let next_funding = following_multiple(at, funding_interval);
                let mark = Mark {
                    price,
                    index: None,
                    funding_rate: funding.then_some(funding_rate),
                    next_funding: next_funding.filter(|_| funding),
                    origin: Origin::Assumed,
                };
                drafts.push(id, Body::Mark(mark));
            }
        }
    }
}

impl Symbol {
    fn add(&mut self, trade: &Trade, ts: Nanos) {
        let (price, qty) = (i128::from(trade.price.0), i128::from(trade.qty.0));
        let sums = (self.qty.checked_add(qty), self.product.checked_add(price * qty));
        // Quantities that no market has: the price so far is good enough.
        if let (Some(qty), Some(product)) = sums {
            (self.qty, self.product, self.last_trade) = (qty, product, ts);
        }
    }

    /// The mean since the last mark; without trades the last one again, until it is too old.
    fn price(&mut self, at: Nanos, max_age: Nanos) -> Option<Px> {
        let mean = div_round(self.product, self.qty, Round::HalfEven);
        if let Some(mean) = mean.and_then(|mean| i64::try_from(mean).ok()) {
            self.last_price = Some(Px(mean));
        }
        (self.qty, self.product) = (0, 0);
        let is_fresh = at.since(self.last_trade) <= max_age.0.into();
        self.last_price.filter(|_| is_fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::common;
    use crate::units::Rate;

    const BTC: InstrumentId = InstrumentId(0);
    const SPOT: InstrumentId = InstrumentId(1);
    const ETH: InstrumentId = InstrumentId(2);

    fn marks() -> AssumedMarks {
        let listed =
            [(Market::UsdM, "BTCUSDT"), (Market::Spot, "BTCUSDT"), (Market::UsdM, "ETHUSDT")];
        let listed = listed.map(|(market, symbol)| common(market, symbol).unwrap());
        let config = AssumedMark {
            cadence: second(1),
            max_age: second(3),
            funding_rate: Rate(5),
            funding_interval: second(8),
        };
        AssumedMarks::new(config, &Universe::new(listed.into()).unwrap())
    }

    fn second(seconds: u64) -> Nanos {
        Nanos(seconds * Nanos::SECOND)
    }

    fn trade(marks: &mut AssumedMarks, id: InstrumentId, ts: Nanos, price: i64, qty: i64) {
        let trade = Trade { id: 1, price: Px(price), qty: Qty(qty), aggressor: Side::Sell };
        marks.on_trade(id, &trade, ts);
    }

    fn tick(marks: &mut AssumedMarks, at: Nanos) -> Vec<(InstrumentId, Mark)> {
        let mut drafts = Drafts::new(3);
        marks.on_tick(at, &mut drafts);
        std::iter::from_fn(|| drafts.take().copied())
            .map(|(id, body)| {
                let Body::Mark(mark) = body else { panic!("{body:?}") };
                (id, mark)
            })
            .collect()
    }

    fn prices(marks: &mut AssumedMarks, at: Nanos) -> Vec<(InstrumentId, i64)> {
        tick(marks, at).into_iter().map(|(id, mark)| (id, mark.price.0)).collect()
    }

    #[test]
    fn the_price_is_the_weighted_mean_of_the_trades_since_the_last_one() {
        let mut marks = marks();
        trade(&mut marks, BTC, second(10), 100, 3);
        trade(&mut marks, BTC, second(10), 200, 1);
        let mark = Mark {
            price: Px(125),
            index: None,
            funding_rate: Some(Rate(5)),
            next_funding: Some(second(16)),
            origin: Origin::Assumed,
        };
        assert_eq!(tick(&mut marks, second(11)), [(BTC, mark)]);
        trade(&mut marks, BTC, second(11), 300, 1);
        assert_eq!(prices(&mut marks, second(12)), [(BTC, 300)]);
    }

    #[test]
    fn a_bar_counts_by_its_close() {
        let mut marks = marks();
        marks.on_bar(BTC, Px(100), second(10));
        assert_eq!(prices(&mut marks, second(11)), [(BTC, 100)]);
        marks.on_bar(BTC, Px(300), second(12));
        assert_eq!(prices(&mut marks, second(12)), [(BTC, 300)]);
        assert_eq!(prices(&mut marks, second(15)), [(BTC, 300)]);
        assert_eq!(prices(&mut marks, second(16)), [], "too old");
    }

    #[test]
    fn it_comes_with_its_cadence_and_for_perpetuals_alone() {
        let mut marks = marks();
        for id in [ETH, SPOT, BTC] {
            trade(&mut marks, id, second(10), 100, 1);
        }
        assert_eq!(prices(&mut marks, Nanos(second(10).0 + 100 * Nanos::MILLI)), []);
        assert_eq!(prices(&mut marks, second(11)), [(BTC, 100), (ETH, 100)]);
    }

    #[test]
    fn without_trades_the_last_price_stands_until_it_is_too_old() {
        let mut marks = marks();
        assert_eq!(prices(&mut marks, second(9)), [], "there was no trade");
        trade(&mut marks, BTC, second(10), 100, 1);
        for at in 11..=13 {
            assert_eq!(prices(&mut marks, second(at)), [(BTC, 100)]);
        }
        assert_eq!(prices(&mut marks, second(14)), []);
        trade(&mut marks, BTC, second(15), 70, 1);
        assert_eq!(prices(&mut marks, second(15)), [(BTC, 70)]);
    }

    #[test]
    fn a_real_mark_ends_the_assumption_of_its_symbol_for_good() {
        let mut marks = marks();
        marks.on_real(BTC);
        for at in [10, 20] {
            trade(&mut marks, BTC, second(at), 100, 1);
            trade(&mut marks, ETH, second(at), 200, 1);
            assert_eq!(prices(&mut marks, second(at + 1)), [(ETH, 200)]);
        }
    }

    #[test]
    fn quantities_out_of_range_leave_the_price_as_it_was() {
        let mut marks = marks();
        for _ in 0..4 {
            trade(&mut marks, BTC, second(10), i64::MAX, i64::MAX);
        }
        assert_eq!(prices(&mut marks, second(11)), [(BTC, i64::MAX)]);
    }
}
