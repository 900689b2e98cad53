//! The parameters of `quoter`.

use fusewire_core::units::{Bps, Nanos, ONE, Usd};

use crate::checks;

/// Parameters of `quoter`. The defaults are Fusewire's own, small on purpose, and leave room below the
/// default risk limits for other strategies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoterConfig {
    /// Notional of one quote.
    pub quote_notional: Usd,
    /// Distance of each quote from the reservation price, above zero.
    pub half_spread: Bps,
    /// A spread wider than this may be quoted into; a narrower one is joined at best.
    pub wide_spread: Bps,
    /// How far the reservation price moves off the mid at full inventory, against it. Linear in the
    /// inventory as in Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008).
    pub skew: Bps,
    /// Position of one symbol at the mark from which on the side that adds to it is not quoted.
    pub inventory_max: Usd,
    /// Position down to which it is reduced once it was above `inventory_max`.
    pub reduce_to: Usd,
    /// Largest reducing order.
    pub reduce_notional: Usd,
    /// How long to try at the touch before reducing against the other side.
    pub reduce_after: Nanos,
    /// How far beyond the touch an order that reduces against the other side may trade.
    pub reduce_slippage: Bps,
    /// Smallest move of the wanted price that moves a quote, as part of the price.
    pub requote: Bps,
    /// The same in ticks, at least 1; the larger of the two counts.
    pub requote_ticks: u32,
    /// Shortest time between two changes of one side. With many symbols it is longer, so that each gets
    /// its part of `amends_per_minute`.
    pub change_interval: Nanos,
    /// How long a cancel that failed is left alone.
    pub cancel_retry: Nanos,
    /// Age of the mark from which on nothing is quoted.
    pub mark_age_max: Nanos,
    /// Wait of a symbol after a rejection; it doubles with each further one.
    pub backoff_min: Nanos,
    /// Longest such wait.
    pub backoff_max: Nanos,
    /// Quotes sent in a minute, all symbols; the default risk limit is 60.
    pub quotes_per_minute: u32,
    /// Quotes sent in a minute on one symbol; the default risk limit is 20.
    pub symbol_quotes_per_minute: u32,
    /// Amends in a minute, all symbols; the default risk limit is 300.
    pub amends_per_minute: u32,
}

impl Default for QuoterConfig {
    fn default() -> Self {
        Self {
            quote_notional: Usd(200 * ONE),
            half_spread: Bps(10_000),
            wide_spread: Bps(50_000),
            skew: Bps(20_000),
            inventory_max: Usd(1_000 * ONE),
            reduce_to: Usd(500 * ONE),
            reduce_notional: Usd(500 * ONE),
            reduce_after: Nanos(30 * Nanos::SECOND),
            reduce_slippage: Bps(10_000),
            requote: Bps(5_000),
            requote_ticks: 1,
            change_interval: Nanos(Nanos::SECOND),
            cancel_retry: Nanos(Nanos::SECOND),
            mark_age_max: Nanos(10 * Nanos::SECOND),
            backoff_min: Nanos(Nanos::SECOND),
            backoff_max: Nanos(30 * Nanos::SECOND),
            quotes_per_minute: 50,
            symbol_quotes_per_minute: 16,
            amends_per_minute: 250,
        }
    }
}

impl QuoterConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        self.check_amounts()?;
        self.check_distances()?;
        self.check_times()?;
        let counts = [
            ("requote_ticks", self.requote_ticks),
            ("quotes_per_minute", self.quotes_per_minute),
            ("symbol_quotes_per_minute", self.symbol_quotes_per_minute),
            ("amends_per_minute", self.amends_per_minute),
        ];
        checks::counts(&counts)
    }

    fn check_amounts(&self) -> Result<(), String> {
        let amounts = [
            ("quote_notional", self.quote_notional),
            ("inventory_max", self.inventory_max),
            ("reduce_notional", self.reduce_notional),
        ];
        checks::amounts(&amounts)?;
        if self.reduce_to < Usd::ZERO || self.reduce_to > self.inventory_max {
            let (to, max) = (self.reduce_to, self.inventory_max);
            return Err(format!("reduce_to is {to} USD: it must lie in 0..={max} (inventory_max)"));
        }
        Ok(())
    }

    fn check_distances(&self) -> Result<(), String> {
        let distances = [
            ("half_spread", self.half_spread, Bps(1)),
            ("wide_spread", self.wide_spread, Bps(0)),
            ("skew", self.skew, Bps(0)),
            ("reduce_slippage", self.reduce_slippage, Bps(0)),
            ("requote", self.requote, Bps(0)),
        ];
        checks::distances(&distances)
    }

    fn check_times(&self) -> Result<(), String> {
        let times = [
            ("change_interval", self.change_interval),
            ("cancel_retry", self.cancel_retry),
            ("mark_age_max", self.mark_age_max),
            ("backoff_min", self.backoff_min),
        ];
        checks::take_time(&times)?;
        checks::grow(("backoff_min", self.backoff_min), ("backoff_max", self.backoff_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut QuoterConfig);

    #[test]
    fn each_bad_value_is_named() {
        assert_eq!(QuoterConfig::default().validate(), Ok(()));
        let bad: [(&str, Spoil); 9] = [
            ("quote_notional", |c| c.quote_notional = Usd(0)),
            ("inventory_max", |c| c.inventory_max = Usd(-1)),
            ("reduce_to", |c| c.reduce_to = Usd(c.inventory_max.0 + 1)),
            ("half_spread", |c| c.half_spread = Bps(0)),
            ("skew", |c| c.skew = Bps(checks::DISTANCE_MAX.0 + 1)),
            ("requote_ticks", |c| c.requote_ticks = 0),
            ("change_interval", |c| c.change_interval = Nanos(0)),
            ("backoff_max", |c| c.backoff_max = Nanos(1)),
            ("amends_per_minute", |c| c.amends_per_minute = 0),
        ];
        for (name, spoil) in bad {
            let mut config = QuoterConfig::default();
            spoil(&mut config);
            let error = config.validate().unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
