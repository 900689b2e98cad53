//! Candles of trades on the logical clock: each closes with the first tick at or after its end.
//!
//! Only complete ones are told. A bar that was open when the stream began, or when it came back after a
//! gap, lacks its beginning; one that was open at a gap lacks its end.

use crate::event::{Bar, Body, Trade};
use crate::instrument::InstrumentId;
use crate::sequencer::drafts::Drafts;
use crate::units::{Nanos, ONE, Px, Round, div_round};

/// The bars that are open, by symbol.
#[derive(Debug)]
pub(super) struct Bars {
    interval_s: u32,
    interval: Nanos,
    /// Start of the unbroken stream; none before the first frame and after a gap.
    since: Option<Nanos>,
    open: Vec<Option<OpenBar>>,
}

/// A bar that is being built.
#[derive(Clone, Copy, Debug)]
struct OpenBar {
    bar: Bar,
    volume: i128,
    /// Sum of price times quantity.
    product: i128,
    /// False when a number left its range: such a bar is not told.
    is_sound: bool,
}

impl Bars {
    /// No bar is open. The interval is a multiple of the tick.
    pub(super) fn new(instruments: usize, interval_s: u32) -> Self {
        let interval = Nanos(u64::from(interval_s) * Nanos::SECOND);
        Self { interval_s, interval, since: None, open: vec![None; instruments] }
    }

    /// A frame came.
    pub(super) fn on_frame(&mut self, at: Nanos) {
        self.since.get_or_insert(at);
    }

    /// A trade at `ts`.
    pub(super) fn on_trade(&mut self, id: InstrumentId, trade: &Trade, ts: Nanos) {
        let open_time = Nanos(ts.0 - ts.0 % self.interval.0);
        if self.since.is_none_or(|since| open_time < since) {
            return;
        }
        // The tick at the end of a bar comes before the first trade of the next one, so that an open
        // bar is always that of the trade.
        let open = self.open[id.index()]
            .get_or_insert_with(|| OpenBar::new(open_time, self.interval_s, trade));
        open.add(trade);
    }

    /// A tick: closes what ends at or before it.
    pub(super) fn on_tick(&mut self, at: Nanos, drafts: &mut Drafts) {
        if self.since.is_none() {
            return;
        }
        for (slot, id) in self.open.iter_mut().zip((0..).map(InstrumentId)) {
            let has_ended =
                |open: &mut OpenBar| at.since(open.bar.open_time) >= self.interval.0.into();
            if let Some(bar) = slot.take_if(has_ended).and_then(OpenBar::close) {
                drafts.push(id, Body::Bar(bar));
            }
        }
    }

    /// A gap: nothing that is open can be completed.
    pub(super) fn on_gap(&mut self) {
        self.since = None;
        self.open.fill(None);
    }
}

impl OpenBar {
    /// A bar that begins with `trade`, which is still to be added.
    fn new(open_time: Nanos, interval_s: u32, trade: &Trade) -> Self {
        let price = trade.price;
        let bar = Bar {
            open_time,
            interval_s,
            trades: 0,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0.into(),
            quote_volume: 0.into(),
        };
        Self { bar, volume: 0, product: 0, is_sound: true }
    }

    fn add(&mut self, trade: &Trade) {
        let bar = &mut self.bar;
        bar.high = bar.high.max(trade.price);
        bar.low = bar.low.min(trade.price);
        bar.close = trade.price;
        let Px(price) = trade.price;
        let (price, qty) = (i128::from(price), i128::from(trade.qty.0));
        let sums = (
            bar.trades.checked_add(1),
            self.volume.checked_add(qty),
            self.product.checked_add(price * qty),
        );
        match sums {
            (Some(trades), Some(volume), Some(product)) => {
                bar.trades = trades;
                (self.volume, self.product) = (volume, product);
            }
            _ => self.is_sound = false,
        }
    }

    fn close(mut self) -> Option<Bar> {
        let quote_volume = div_round(self.product, ONE.into(), Round::HalfEven)?;
        self.bar.volume = self.volume.into();
        self.bar.quote_volume = quote_volume.into();
        self.is_sound.then_some(self.bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Side;
    use crate::units::Qty;

    const BTC: InstrumentId = InstrumentId(0);
    const ETH: InstrumentId = InstrumentId(1);

    /// Bars of one second.
    fn bars() -> Bars {
        Bars::new(2, 1)
    }

    fn at(millis: u64) -> Nanos {
        Nanos(millis * Nanos::MILLI)
    }

    fn trade(bars: &mut Bars, id: InstrumentId, millis: u64, price: i64, qty: i64) {
        let trade = Trade { id: 1, price: Px(price), qty: Qty(qty), aggressor: Side::Buy };
        bars.on_trade(id, &trade, at(millis));
    }

    fn tick(bars: &mut Bars, millis: u64) -> Vec<(InstrumentId, Bar)> {
        let mut drafts = Drafts::new(2);
        bars.on_tick(at(millis), &mut drafts);
        std::iter::from_fn(|| drafts.take().copied())
            .map(|(id, body)| {
                let Body::Bar(bar) = body else { panic!("{body:?}") };
                (id, bar)
            })
            .collect()
    }

    fn opens(closed: &[(InstrumentId, Bar)]) -> Vec<u64> {
        closed.iter().map(|(_, bar)| bar.open_time.0 / Nanos::MILLI).collect()
    }

    #[test]
    fn a_bar_sums_its_trades_and_closes_with_the_tick_at_its_end() {
        let mut bars = bars();
        bars.on_frame(at(5_000));
        for (millis, price, qty) in
            [(5_000, 10, 2), (5_400, 12, 1), (5_800, 9, ONE), (5_999, 11, ONE)]
        {
            trade(&mut bars, BTC, millis, price, qty);
        }
        assert_eq!(tick(&mut bars, 5_900), []);
        let expected = Bar {
            open_time: at(5_000),
            interval_s: 1,
            trades: 4,
            open: Px(10),
            high: Px(12),
            low: Px(9),
            close: Px(11),
            volume: (2 * i128::from(ONE) + 3).into(),
            quote_volume: 20.into(),
        };
        assert_eq!(tick(&mut bars, 6_000), [(BTC, expected)]);
        assert_eq!(tick(&mut bars, 7_000), [], "no trades, no bar");
    }

    #[test]
    fn symbols_close_together_in_their_order() {
        let mut bars = bars();
        bars.on_frame(at(5_000));
        trade(&mut bars, ETH, 5_100, 1, 1);
        trade(&mut bars, BTC, 5_200, 1, 1);
        let ids: Vec<_> = tick(&mut bars, 6_000).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [BTC, ETH]);
    }

    #[test]
    fn the_first_partial_bar_is_not_told() {
        let mut bars = bars();
        bars.on_frame(at(5_001));
        trade(&mut bars, BTC, 5_500, 1, 1);
        assert_eq!(tick(&mut bars, 6_000), []);
        trade(&mut bars, BTC, 6_000, 1, 1);
        assert_eq!(opens(&tick(&mut bars, 7_000)), [6_000]);
    }

    #[test]
    fn a_bar_that_a_gap_touches_is_not_told() {
        let mut bars = bars();
        bars.on_frame(at(5_000));
        trade(&mut bars, BTC, 5_100, 1, 1);
        bars.on_gap();
        assert_eq!(tick(&mut bars, 6_000), [], "open at the gap");
        bars.on_frame(at(8_500));
        trade(&mut bars, BTC, 8_600, 1, 1);
        assert_eq!(tick(&mut bars, 9_000), [], "open when the stream came back");
        trade(&mut bars, BTC, 9_000, 1, 1);
        assert_eq!(opens(&tick(&mut bars, 10_000)), [9_000]);
    }

    #[test]
    fn a_bar_whose_sums_leave_their_range_is_not_told() {
        let mut bars = bars();
        bars.on_frame(at(5_000));
        for _ in 0..3 {
            trade(&mut bars, BTC, 5_100, i64::MAX, i64::MAX);
        }
        trade(&mut bars, ETH, 5_100, 1, 1);
        let ids: Vec<_> = tick(&mut bars, 6_000).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [ETH]);
        trade(&mut bars, BTC, 6_100, 1, 1);
        assert_eq!(opens(&tick(&mut bars, 7_000)), [6_000]);
    }
}
