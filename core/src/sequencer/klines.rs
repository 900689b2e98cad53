//! Candles of the exchange's own stream, where there are no trades to make bars of.
//!
//! Only a closed candle is final. How long it is, is read from its own two ends (X18): a file that says one
//! minute in its name and holds another length is told as what it holds.

use crate::event::Bar;
use crate::instrument::InstrumentId;
use crate::market::Kline;
use crate::units::{Nanos, Px};

/// Lengths of candles that are kept apart by symbol: those of the exchange, the months by their days.
const LENGTHS_MAX: usize = 20;

/// A closed candle as a bar; none while it is open, without a trade, or when its numbers make no sense.
pub(crate) fn bar_of(kline: &Kline) -> Option<Bar> {
    // Most are open: nearly all frames of a candle are.
    if !kline.closed {
        return None;
    }
    let &Kline { open_time, close_time, open, high, low, close, .. } = kline;
    // The end is inclusive, on the millisecond.
    let length_ns = close_time.0.checked_add(Nanos::MILLI)?.checked_sub(open_time.0)?;
    let interval_s = u32::try_from(length_ns / Nanos::SECOND).ok().filter(|length| *length > 0)?;
    let trades = u32::try_from(kline.trades).ok().filter(|trades| *trades > 0)?;
    let within = |price: Px| low <= price && price <= high;
    let sound = length_ns.is_multiple_of(Nanos::SECOND)
        && low > Px::ZERO
        && within(open)
        && within(close)
        && kline.volume.0 > 0
        && kline.quote_volume.0 >= 0;
    sound.then(|| Bar {
        open_time,
        interval_s,
        trades,
        open,
        high,
        low,
        close,
        volume: kline.volume.0.into(),
        quote_volume: kline.quote_volume.0.into(),
    })
}

/// Which candles were told, by symbol, so that none is told twice.
#[derive(Debug)]
pub(super) struct Klines {
    symbols: Vec<Vec<Told>>,
}

/// The newest candle of one length.
#[derive(Clone, Copy, Debug)]
struct Told {
    interval_s: u32,
    open_time: Nanos,
}

impl Klines {
    /// None was told. All memory is taken here.
    pub(super) fn new(instruments: usize) -> Self {
        let symbol = || Vec::with_capacity(LENGTHS_MAX);
        Self { symbols: (0..instruments).map(|_| symbol()).collect() }
    }

    /// True when this candle is newer than all of its length. One of a length more than are kept apart is
    /// never news: it could not be known from its repetition.
    pub(super) fn is_news(&mut self, id: InstrumentId, bar: &Bar) -> bool {
        let told = &mut self.symbols[id.index()];
        let Bar { interval_s, open_time, .. } = *bar;
        if let Some(told) = told.iter_mut().find(|told| told.interval_s == interval_s) {
            let is_news = open_time > told.open_time;
            told.open_time = told.open_time.max(open_time);
            return is_news;
        }
        let has_room = told.len() < LENGTHS_MAX;
        if has_room {
            told.push(Told { interval_s, open_time });
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Span;
    use crate::units::{QtySum, UsdSum};

    const MINUTE: u64 = 60 * Nanos::SECOND;

    fn kline() -> Kline {
        Kline {
            open_time: Nanos(MINUTE),
            close_time: Nanos(2 * MINUTE - Nanos::MILLI),
            interval: Span::NONE,
            first_trade: Some(1),
            last_trade: Some(9),
            open: Px(10),
            high: Px(12),
            low: Px(9),
            close: Px(11),
            volume: QtySum(7),
            quote_volume: UsdSum(70),
            taker_volume: QtySum(3),
            taker_quote_volume: UsdSum(30),
            trades: 9,
            closed: true,
        }
    }

    #[test]
    fn x18_the_length_of_a_bar_is_read_from_its_ends() {
        let bar = bar_of(&kline()).unwrap();
        assert_eq!((bar.interval_s, bar.open_time, bar.trades), (60, Nanos(MINUTE), 9));
        assert_eq!([bar.open, bar.high, bar.low, bar.close], [10, 12, 9, 11].map(Px));
        assert_eq!((bar.volume, bar.quote_volume), (7.into(), 70.into()));
        let short = Kline { close_time: Nanos(MINUTE + 5 * Nanos::SECOND - 1_000_000), ..kline() };
        assert_eq!(bar_of(&short).map(|bar| bar.interval_s), Some(5));
    }

    #[test]
    fn an_open_candle_and_one_that_makes_no_sense_are_no_bars() {
        let good = kline();
        for bad in [
            Kline { closed: false, ..good },
            Kline { trades: 0, ..good },
            Kline { trades: -1, ..good },
            Kline { low: Px(0), ..good },
            Kline { open: Px(13), ..good },
            Kline { close: Px(8), ..good },
            Kline { high: Px(8), ..good },
            Kline { volume: QtySum(0), ..good },
            Kline { quote_volume: UsdSum(-1), ..good },
            Kline { close_time: Nanos(0), ..good },
            Kline { close_time: Nanos(2 * MINUTE), ..good },
            Kline { close_time: Nanos(u64::MAX), ..good },
        ] {
            assert_eq!(bar_of(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_candle_is_told_once_by_its_length() {
        let (mut klines, id) = (Klines::new(2), InstrumentId(1));
        let bar = bar_of(&kline()).unwrap();
        assert!(klines.is_news(id, &bar));
        assert!(!klines.is_news(id, &bar));
        assert!(klines.is_news(InstrumentId(0), &bar), "of another symbol");
        assert!(klines.is_news(id, &Bar { interval_s: 300, ..bar }), "of another length");
        assert!(!klines.is_news(id, &Bar { open_time: Nanos(MINUTE - 1), ..bar }), "an older one");
        assert!(klines.is_news(id, &Bar { open_time: Nanos(2 * MINUTE), ..bar }));
    }

    #[test]
    fn more_lengths_than_are_kept_apart_are_left_out() {
        let (mut klines, id) = (Klines::new(1), InstrumentId(0));
        let bar = bar_of(&kline()).unwrap();
        let news = (1..=30).filter(|&s| klines.is_news(id, &Bar { interval_s: s, ..bar })).count();
        assert_eq!(news, LENGTHS_MAX);
    }
}
