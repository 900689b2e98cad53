//! The parameters of `smart-trend`.

use fusewire_core::order::TriggerPrice;
use fusewire_core::units::{Bps, Nanos, ONE, Usd};

use crate::checks;

/// Parameters of `smart-trend`. Distances are percent of the average true range of a bar, and at least so many
/// basis points of the price. There is no value that turns the stop off (X20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmartTrendConfig {
    /// Length of the bars that it follows, in seconds (X18). Bars of any other length are passed over.
    pub bar_s: u32,
    /// Notional of an entry.
    pub notional: Usd,
    /// Bars of the fast average of closes: that of Appel's moving average convergence-divergence.
    pub fast_bars: u32,
    /// Bars of the slow one, likewise. Nothing is entered before there were so many.
    pub slow_bars: u32,
    /// Bars of the average true range: Wilder, "New Concepts in Technical Trading Systems" (1978).
    pub atr_bars: u32,
    /// How far apart the averages must be for a trend.
    pub trend_pct: u32,
    /// How far behind the close an entry waits.
    pub pullback_pct: u32,
    /// How far from the entry the profit is taken, by an order that rests.
    pub take_profit_pct: u32,
    /// The least of it: more than the fees of entry and exit.
    pub take_profit_min: Bps,
    /// How far from the entry the stop lies, which waits at the venue.
    pub stop_pct: u32,
    /// The least of it.
    pub stop_min: Bps,
    /// Which price triggers the stop.
    pub stop_by: TriggerPrice,
    /// How far beyond its trigger a stop, and beyond the touch any other exit, may trade.
    pub slippage: Bps,
    /// Closed bars after which an entry that waits is taken back.
    pub entry_bars: u32,
    /// Closed bars after which a position is left.
    pub hold_bars: u32,
    /// Closed bars after an exit, or an entry that got nothing, before the next.
    pub cooldown_bars: u32,
    /// Time before an exit or a cancel that failed is tried again. Longer than the 500 ms in which the default
    /// risk limits take the same order for a duplicate.
    pub retry: Nanos,
    /// Longest wait after exits that were rejected; it doubles from `retry`.
    pub backoff_max: Nanos,
}

impl Default for SmartTrendConfig {
    fn default() -> Self {
        Self {
            bar_s: 60,
            notional: Usd(200 * ONE),
            fast_bars: 12,
            slow_bars: 26,
            atr_bars: 14,
            trend_pct: 50,
            pullback_pct: 50,
            take_profit_pct: 150,
            take_profit_min: Bps(100_000),
            stop_pct: 150,
            stop_min: Bps(100_000),
            stop_by: TriggerPrice::Last,
            slippage: Bps(100_000),
            entry_bars: 3,
            hold_bars: 60,
            cooldown_bars: 2,
            retry: Nanos(Nanos::SECOND),
            backoff_max: Nanos(30 * Nanos::SECOND),
        }
    }
}

/// Most of a percentage: a hundred ranges.
const PCT_MAX: u32 = 10_000;
/// Least of a distance: one basis point.
const DISTANCE_MIN: Bps = Bps(10_000);

impl SmartTrendConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        checks::amounts(&[("notional", self.notional)])?;
        checks::counts(&[
            ("bar_s", self.bar_s),
            ("fast_bars", self.fast_bars),
            ("slow_bars", self.slow_bars),
            ("atr_bars", self.atr_bars),
            ("entry_bars", self.entry_bars),
            ("hold_bars", self.hold_bars),
        ])?;
        if self.slow_bars <= self.fast_bars {
            let (slow, fast) = (self.slow_bars, self.fast_bars);
            return Err(format!("slow_bars is {slow}: it must be above fast_bars, {fast}"));
        }
        for (name, pct) in [
            ("trend_pct", self.trend_pct),
            ("pullback_pct", self.pullback_pct),
            ("take_profit_pct", self.take_profit_pct),
            ("stop_pct", self.stop_pct),
        ] {
            if !(1..=PCT_MAX).contains(&pct) {
                return Err(format!("{name} is {pct}: it must lie in 1..={PCT_MAX}"));
            }
        }
        checks::distances(&[
            ("take_profit_min", self.take_profit_min, DISTANCE_MIN),
            ("stop_min", self.stop_min, DISTANCE_MIN),
            ("slippage", self.slippage, Bps::ZERO),
        ])?;
        checks::take_time(&[("retry", self.retry)])?;
        checks::grow(("retry", self.retry), ("backoff_max", self.backoff_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut SmartTrendConfig);

    /// X20: a stop of nothing is none of the values.
    #[test]
    fn x20_each_bad_value_is_named_and_there_is_no_way_without_a_stop() {
        assert_eq!(SmartTrendConfig::default().validate(), Ok(()));
        let bad: [(&str, Spoil); 12] = [
            ("stop_pct", |c| c.stop_pct = 0),
            ("stop_min", |c| c.stop_min = Bps::ZERO),
            ("notional", |c| c.notional = Usd(0)),
            ("bar_s", |c| c.bar_s = 0),
            ("slow_bars", |c| c.slow_bars = c.fast_bars),
            ("trend_pct", |c| c.trend_pct = 0),
            ("pullback_pct", |c| c.pullback_pct = 10_001),
            ("take_profit_min", |c| c.take_profit_min = Bps(9_999)),
            ("slippage", |c| c.slippage = Bps(-1)),
            ("hold_bars", |c| c.hold_bars = 0),
            ("retry", |c| c.retry = Nanos(0)),
            ("backoff_max", |c| c.backoff_max = Nanos(1)),
        ];
        for (name, spoil) in bad {
            let mut config = SmartTrendConfig::default();
            spoil(&mut config);
            let error = config.validate().unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
