//! `[quoter]`, `[taker]`, `[grid]`, `[smart_trend]`: parameters of the strategies.

use fusewire_core::order::TriggerPrice;
use fusewire_core::units::{Bps, Usd};
use fusewire_strategies::grid::GridConfig;
use fusewire_strategies::quoter::QuoterConfig;
use fusewire_strategies::registry::{AnyStrategy, NAMES, StrategyConfig};
use fusewire_strategies::smart_trend::SmartTrendConfig;
use fusewire_strategies::taker::TakerConfig;
use serde::{Deserialize, Serialize};

use super::Config;
use super::number::{bps, millis, text, usd};

/// `[quoter]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuoterSection {
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    quote_notional: Usd,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    half_spread_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    wide_spread_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    skew_bp: Bps,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    inventory_max: Usd,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    reduce_to: Usd,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    reduce_notional: Usd,
    reduce_after_ms: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    reduce_slippage_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    requote_bp: Bps,
    requote_ticks: u32,
    change_interval_ms: u32,
    cancel_retry_ms: u32,
    mark_age_max_ms: u32,
    backoff_min_ms: u32,
    backoff_max_ms: u32,
    quotes_per_minute: u32,
    symbol_quotes_per_minute: u32,
    amends_per_minute: u32,
}

/// `[taker]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TakerSection {
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    notional: Usd,
    threshold_ppm: u32,
    confirm: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    slippage_bp: Bps,
    hold_ms: u32,
    exit_retry_ms: u32,
    exit_backoff_max_ms: u32,
    cooldown_ms: u32,
    mark_age_max_ms: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    stop_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    take_profit_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    trailing_bp: Bps,
    protect_by: PriceName,
}

/// `[grid]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GridSection {
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    notional: Usd,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    step_bp: Bps,
    levels: u32,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    inventory_max: Usd,
    mark_age_max_ms: u32,
    unknown_max_ms: u32,
    retry_ms: u32,
    backoff_min_ms: u32,
    backoff_max_ms: u32,
    orders_per_minute: u32,
    symbol_orders_per_minute: u32,
}

/// `[smart_trend]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SmartTrendSection {
    bar_s: u32,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    notional: Usd,
    fast_bars: u32,
    slow_bars: u32,
    atr_bars: u32,
    trend_pct: u32,
    pullback_pct: u32,
    take_profit_pct: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    take_profit_min_bp: Bps,
    stop_pct: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    stop_min_bp: Bps,
    stop_by: PriceName,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    slippage_bp: Bps,
    entry_bars: u32,
    hold_bars: u32,
    cooldown_bars: u32,
    retry_ms: u32,
    backoff_max_ms: u32,
}

/// Which price triggers a conditional order, by its name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum PriceName {
    Mark,
    Last,
}

impl PriceName {
    const fn price(self) -> TriggerPrice {
        match self {
            Self::Mark => TriggerPrice::Mark,
            Self::Last => TriggerPrice::Last,
        }
    }
}

impl QuoterSection {
    fn config(&self) -> QuoterConfig {
        QuoterConfig {
            quote_notional: self.quote_notional,
            half_spread: self.half_spread_bp,
            wide_spread: self.wide_spread_bp,
            skew: self.skew_bp,
            inventory_max: self.inventory_max,
            reduce_to: self.reduce_to,
            reduce_notional: self.reduce_notional,
            reduce_after: millis(self.reduce_after_ms),
            reduce_slippage: self.reduce_slippage_bp,
            requote: self.requote_bp,
            requote_ticks: self.requote_ticks,
            change_interval: millis(self.change_interval_ms),
            cancel_retry: millis(self.cancel_retry_ms),
            mark_age_max: millis(self.mark_age_max_ms),
            backoff_min: millis(self.backoff_min_ms),
            backoff_max: millis(self.backoff_max_ms),
            quotes_per_minute: self.quotes_per_minute,
            symbol_quotes_per_minute: self.symbol_quotes_per_minute,
            amends_per_minute: self.amends_per_minute,
        }
    }
}

impl TakerSection {
    fn config(&self) -> TakerConfig {
        TakerConfig {
            notional: self.notional,
            threshold_ppm: self.threshold_ppm,
            confirm: self.confirm,
            slippage: self.slippage_bp,
            hold: millis(self.hold_ms),
            exit_retry: millis(self.exit_retry_ms),
            exit_backoff_max: millis(self.exit_backoff_max_ms),
            cooldown: millis(self.cooldown_ms),
            mark_age_max: millis(self.mark_age_max_ms),
            stop: self.stop_bp,
            take_profit: self.take_profit_bp,
            trailing: self.trailing_bp,
            protect_by: self.protect_by.price(),
        }
    }
}

impl GridSection {
    fn config(&self) -> GridConfig {
        GridConfig {
            notional: self.notional,
            step: self.step_bp,
            levels: self.levels,
            inventory_max: self.inventory_max,
            mark_age_max: millis(self.mark_age_max_ms),
            unknown_max: millis(self.unknown_max_ms),
            retry: millis(self.retry_ms),
            backoff_min: millis(self.backoff_min_ms),
            backoff_max: millis(self.backoff_max_ms),
            orders_per_minute: self.orders_per_minute,
            symbol_orders_per_minute: self.symbol_orders_per_minute,
        }
    }
}

impl SmartTrendSection {
    fn config(&self) -> SmartTrendConfig {
        SmartTrendConfig {
            bar_s: self.bar_s,
            notional: self.notional,
            fast_bars: self.fast_bars,
            slow_bars: self.slow_bars,
            atr_bars: self.atr_bars,
            trend_pct: self.trend_pct,
            pullback_pct: self.pullback_pct,
            take_profit_pct: self.take_profit_pct,
            take_profit_min: self.take_profit_min_bp,
            stop_pct: self.stop_pct,
            stop_min: self.stop_min_bp,
            stop_by: self.stop_by.price(),
            slippage: self.slippage_bp,
            entry_bars: self.entry_bars,
            hold_bars: self.hold_bars,
            cooldown_bars: self.cooldown_bars,
            retry: millis(self.retry_ms),
            backoff_max: millis(self.backoff_max_ms),
        }
    }
}

impl Config {
    /// Parameters of all strategies.
    #[must_use]
    pub fn strategy_config(&self) -> StrategyConfig {
        StrategyConfig {
            grid: self.grid.config(),
            quoter: self.quoter.config(),
            smart_trend: self.smart_trend.config(),
            taker: self.taker.config(),
        }
    }

    /// The strategies of a list of names, in its order.
    ///
    /// # Errors
    /// A name that no strategy has, a list without names, or a strategy that stands there twice.
    pub fn strategies(&self, names: &str) -> Result<Vec<(String, AnyStrategy)>, String> {
        let config = self.strategy_config();
        let make = |name: String| {
            let strategy = AnyStrategy::by_name(&name, &config).map_err(|e| e.to_string())?;
            Ok((name, strategy))
        };
        strategy_names(names)?.into_iter().map(make).collect()
    }
}

/// The names in a list that commas separate.
///
/// # Errors
/// A name that no strategy has, a list without names, or a strategy that stands there twice.
pub(super) fn strategy_names(list: &str) -> Result<Vec<String>, String> {
    let mut chosen: Vec<String> = Vec::new();
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !NAMES.contains(&name) {
            let known = NAMES.join(", ");
            return Err(format!("unknown strategy '{name}' (known: {known})"));
        }
        if chosen.iter().any(|other| other == name) {
            return Err(format!("strategy '{name}' stands there twice"));
        }
        chosen.push(name.to_owned());
    }
    if chosen.is_empty() {
        return Err("no strategy is named".to_owned());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_strategies() {
        let config = Config::default();
        assert_eq!(config.quoter.config(), QuoterConfig::default());
        assert_eq!(config.taker.config(), TakerConfig::default());
        assert_eq!(config.grid.config(), GridConfig::default());
        assert_eq!(config.smart_trend.config(), SmartTrendConfig::default());
    }

    #[test]
    fn strategies_are_named_in_a_list() {
        let config = Config::default();
        let names = |list| {
            let chosen = config.strategies(list)?;
            Ok(chosen.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        };
        assert_eq!(names("quoter, taker"), Ok(vec!["quoter".to_owned(), "taker".to_owned()]));
        for (list, part) in
            [("martingale", "unknown strategy"), ("noop,noop", "twice"), (" , ", "no strategy")]
        {
            assert!(names(list).is_err_and(|error: String| error.contains(part)), "{list}");
        }
    }
}
