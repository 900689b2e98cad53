//! The opinion of `smart-trend`: two exponential averages of closes, and how far a bar goes on average.
//!
//! All of it in integers with a few more bits, so that it is the same on every machine. Each bar is folded once;
//! nothing is looked up again, and nothing of a bar that is not closed is known.

use fusewire_core::event::Bar;
use fusewire_core::market::Side;
use fusewire_core::units::{Bps, Nanos, Px, Round, div_round};

use super::SmartTrendConfig;
use crate::checks::DISTANCE_MAX;

/// Bits below a raw price that averages are kept with.
const FRACTION_BITS: u32 = 16;

/// A trend, and the closed bar that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trend {
    /// Where it goes.
    pub(super) side: Side,
    pub(super) close: Px,
    /// Average true range, in raw units of a price.
    pub(super) range: i64,
}

impl Trend {
    /// So many percent of the range as a share of the close, at least `least` and at most what a strategy may ask for.
    pub(super) fn distance(&self, pct: u32, least: Bps) -> Bps {
        let whole = i128::from(self.close.0).saturating_mul(100);
        let part = i128::from(self.range) * i128::from(pct) * Bps::WHOLE;
        let bps = div_round(part, whole, Round::HalfEven).unwrap_or_default();
        Bps(i64::try_from(bps).unwrap_or(i64::MAX)).max(least).min(DISTANCE_MAX)
    }
}

/// What is known of the bars so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Averages {
    fast: i128,
    slow: i128,
    range: i128,
    /// Close and open time of the last bar; none before the first.
    last: Option<(Px, Nanos)>,
    bars: u32,
}

impl Averages {
    /// Takes the next bar of the told length; false when it is no later than the last.
    ///
    /// A hole of more bars than the fast average remembers is the end of what was known: it begins anew.
    pub(super) fn take(&mut self, bar: &Bar, config: &SmartTrendConfig) -> bool {
        let length = i128::from(config.bar_s) * i128::from(Nanos::SECOND);
        let known = self.last.filter(|(_, open)| {
            bar.open_time.since(*open) <= length * i128::from(config.fast_bars)
        });
        let Some((before, open)) = known else {
            let close = fraction(bar.close);
            let range = fraction(bar.high) - fraction(bar.low);
            let last = Some((bar.close, bar.open_time));
            *self = Self { fast: close, slow: close, range, last, bars: 1 };
            return true;
        };
        if bar.open_time <= open {
            return false;
        }
        let range = fraction(bar.high.max(before)) - fraction(bar.low.min(before));
        approach(&mut self.fast, fraction(bar.close), (2, config.fast_bars + 1));
        approach(&mut self.slow, fraction(bar.close), (2, config.slow_bars + 1));
        approach(&mut self.range, range, (1, config.atr_bars));
        self.last = Some((bar.close, bar.open_time));
        self.bars = self.bars.saturating_add(1);
        true
    }

    /// The trend after the last bar: the averages lie far enough apart, and the close lies beyond both.
    pub(super) fn trend(&self, config: &SmartTrendConfig) -> Option<Trend> {
        let (close, _) = self.last.filter(|_| self.bars >= config.slow_bars)?;
        let apart = self.fast - self.slow;
        let (at, wanted) = (fraction(close), self.range * i128::from(config.trend_pct) / 100);
        let side = if apart >= wanted && at > self.fast {
            Side::Buy
        } else if -apart >= wanted && at < self.fast {
            Side::Sell
        } else {
            return None;
        };
        let range = i64::try_from(self.range >> FRACTION_BITS).ok().filter(|range| *range > 0)?;
        Some(Trend { side, close, range })
    }
}

fn fraction(price: Px) -> i128 {
    i128::from(price.0) << FRACTION_BITS
}

/// Moves an average by a share of the way.
fn approach(average: &mut i128, to: i128, (part, whole): (u32, u32)) {
    *average += (to - *average) * i128::from(part) / i128::from(whole);
}

#[cfg(test)]
pub(super) mod tests {
    use fusewire_core::units::Wide;
    use proptest::prelude::*;

    use super::*;
    use crate::rig::px;

    /// A bar of a minute, the so-manyth.
    pub(in super::super) fn bar(minute: u64, [open, high, low, close]: [Px; 4]) -> Bar {
        Bar {
            open_time: Nanos((1_000 + minute * 60) * Nanos::SECOND),
            interval_s: 60,
            trades: 10,
            open,
            high,
            low,
            close,
            volume: Wide::from(1_000_000_000_000),
            quote_volume: Wide::from(0),
        }
    }

    fn rising(minute: u64) -> Bar {
        let at = |more: u64| Px::parse((100 + minute + more).to_string().as_bytes()).unwrap();
        bar(minute, [at(0), at(2), at(0), at(1)])
    }

    fn config() -> SmartTrendConfig {
        SmartTrendConfig { fast_bars: 3, slow_bars: 6, ..SmartTrendConfig::default() }
    }

    fn folded(bars: impl IntoIterator<Item = Bar>) -> Averages {
        let mut averages = Averages::default();
        for bar in bars {
            averages.take(&bar, &config());
        }
        averages
    }

    #[test]
    fn a_rise_is_a_trend_once_the_slow_average_is_full() {
        let at = |bars| folded((0..bars).map(rising)).trend(&config());
        assert_eq!(at(5), None);
        let trend = at(6).unwrap();
        assert_eq!((trend.side, trend.close), (Side::Buy, px("106")));
        // Each bar is 2 high, and begins where the one before ended.
        assert_eq!(trend.range, px("2").0);
    }

    #[test]
    fn a_fall_is_the_mirror_of_a_rise() {
        let down = (0..6).map(|minute| {
            let at = |less: u64| Px::parse((200 - minute - less).to_string().as_bytes()).unwrap();
            bar(minute, [at(0), at(0), at(2), at(1)])
        });
        assert_eq!(folded(down).trend(&config()).unwrap().side, Side::Sell);
        let flat = (0..9).map(|minute| bar(minute, ["100", "101", "99", "100"].map(px)));
        assert_eq!(folded(flat).trend(&config()), None);
    }

    #[test]
    fn a_bar_that_is_told_again_changes_nothing() {
        let mut averages = folded((0..8).map(rising));
        let before = averages;
        assert!(!averages.take(&rising(7), &config()));
        assert_eq!(averages, before);
        assert!(averages.take(&rising(8), &config()));
        assert_ne!(averages, before);
    }

    #[test]
    fn after_a_long_hole_it_begins_anew() {
        let mut averages = folded((0..8).map(rising));
        assert!(averages.take(&rising(10), &config()));
        assert!(averages.trend(&config()).is_some(), "a hole of three bars is none");
        assert!(averages.take(&rising(14), &config()));
        assert_eq!((averages, averages.trend(&config())), (folded([rising(14)]), None));
    }

    #[test]
    fn distances_are_shares_of_the_close_with_a_floor() {
        let trend = Trend { side: Side::Buy, close: px("200"), range: px("1").0 };
        assert_eq!(trend.distance(100, Bps(10_000)), Bps(500_000));
        assert_eq!(trend.distance(50, Bps(10_000)), Bps(250_000));
        assert_eq!(trend.distance(50, Bps(300_000)), Bps(300_000));
        assert_eq!(trend.distance(10_000, Bps(1)), DISTANCE_MAX);
    }

    proptest! {
        /// X20: folded bar by bar it is what a look at all bars gives.
        #[test]
        fn x20_averages_in_integers_are_those_of_the_textbook(
            closes in prop::collection::vec(50_000_i64..150_000, 2..120),
        ) {
            let px = |cents: i64| Px(cents * 1_000_000);
            let bars = closes.iter().enumerate().map(|(minute, &close)| {
                bar(minute as u64, [px(close), px(close + 7), px(close - 5), px(close)])
            });
            let averages = folded(bars);
            let (mut fast, mut slow) = (closes[0] as f64, closes[0] as f64);
            let mut range = 12.0;
            for pair in closes.windows(2) {
                let (before, close) = (pair[0] as f64, pair[1] as f64);
                fast += (close - fast) * 2.0 / 4.0;
                slow += (close - slow) * 2.0 / 7.0;
                let true_range = (close + 7.0).max(before) - (close - 5.0).min(before);
                range += (true_range - range) / f64::from(config().atr_bars);
            }
            let cents = |value: i128| value as f64 / 65_536.0 / 1e6;
            for (found, expected) in
                [(averages.fast, fast), (averages.slow, slow), (averages.range, range)]
            {
                prop_assert!((cents(found) - expected).abs() < 1e-3, "{} {expected}", cents(found));
            }
        }
    }
}
