//! The parameters of `grid`.

use fusewire_core::units::{Bps, Nanos, ONE, Usd};

use crate::checks::{self, DISTANCE_MAX};

/// Parameters of `grid`. The defaults are Fusewire's own, small on purpose, and leave room below the default
/// risk limits for other strategies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridConfig {
    /// Notional of one order.
    pub notional: Usd,
    /// Distance of two rungs, as part of the anchor; at least one tick. Below the fees of two fills each pair
    /// loses: 4 bp for makers of the exchange's regular tier.
    pub step: Bps,
    /// Rungs a side, at least 1: so many orders are held unpaired at most.
    pub levels: u32,
    /// Position of one symbol at the mark, with all that is open in its direction, beyond which nothing is
    /// entered.
    pub inventory_max: Usd,
    /// Age of the mark from which on nothing is sent.
    pub mark_age_max: Nanos,
    /// How long the market may be unknown before entries are taken back.
    pub unknown_max: Nanos,
    /// How long a rung waits before it sends the same kind of order again, or a cancel that failed. Risk takes
    /// the same order within half a second for a mistake.
    pub retry: Nanos,
    /// Wait of a symbol after a rejection; it doubles with each further one.
    pub backoff_min: Nanos,
    /// Longest such wait.
    pub backoff_max: Nanos,
    /// Orders sent in a minute, all symbols, reduce-only ones aside; the default risk limit is 60.
    pub orders_per_minute: u32,
    /// The same on one symbol; the default risk limit is 20.
    pub symbol_orders_per_minute: u32,
}

impl Default for GridConfig {
    fn default() -> Self {
        Self {
            notional: Usd(200 * ONE),
            step: Bps(100_000),
            levels: 4,
            inventory_max: Usd(1_000 * ONE),
            mark_age_max: Nanos(10 * Nanos::SECOND),
            unknown_max: Nanos(5 * Nanos::SECOND),
            retry: Nanos(Nanos::SECOND),
            backoff_min: Nanos(Nanos::SECOND),
            backoff_max: Nanos(30 * Nanos::SECOND),
            orders_per_minute: 50,
            symbol_orders_per_minute: 16,
        }
    }
}

/// The table of rungs is taken at start.
const LEVELS_MAX: u32 = 100;

impl GridConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        let amounts = [("notional", self.notional), ("inventory_max", self.inventory_max)];
        checks::amounts(&amounts)?;
        self.check_reach()?;
        self.check_times()?;
        let counts = [
            ("orders_per_minute", self.orders_per_minute),
            ("symbol_orders_per_minute", self.symbol_orders_per_minute),
        ];
        checks::counts(&counts)
    }

    fn check_reach(&self) -> Result<(), String> {
        let (step, levels) = (self.step, self.levels);
        if step <= Bps::ZERO || step > DISTANCE_MAX {
            return Err(format!(
                "step is {step} bp: it must lie above 0 and be at most {DISTANCE_MAX}"
            ));
        }
        if !(1..=LEVELS_MAX).contains(&levels) {
            return Err(format!("levels is {levels}: it must lie in 1..={LEVELS_MAX}"));
        }
        let reach = i128::from(step.0) * i128::from(levels);
        if reach > i128::from(DISTANCE_MAX.0) {
            return Err(format!(
                "levels is {levels}: so many steps of {step} bp exceed {DISTANCE_MAX} bp"
            ));
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), String> {
        let times = [
            ("mark_age_max", self.mark_age_max),
            ("unknown_max", self.unknown_max),
            ("retry", self.retry),
            ("backoff_min", self.backoff_min),
        ];
        checks::take_time(&times)?;
        checks::grow(("backoff_min", self.backoff_min), ("backoff_max", self.backoff_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut GridConfig);

    #[test]
    fn each_bad_value_is_named() {
        assert_eq!(GridConfig::default().validate(), Ok(()));
        let bad: [(&str, Spoil); 9] = [
            ("notional", |c| c.notional = Usd(0)),
            ("inventory_max", |c| c.inventory_max = Usd(-1)),
            ("step", |c| c.step = Bps(0)),
            ("levels", |c| c.levels = 0),
            ("levels", |c| (c.levels, c.step) = (100, Bps(DISTANCE_MAX.0 / 99))),
            ("mark_age_max", |c| c.mark_age_max = Nanos(0)),
            ("unknown_max", |c| c.unknown_max = Nanos(0)),
            ("backoff_max", |c| c.backoff_max = Nanos(1)),
            ("symbol_orders_per_minute", |c| c.symbol_orders_per_minute = 0),
        ];
        for (name, spoil) in bad {
            let mut config = GridConfig::default();
            spoil(&mut config);
            let error = config.validate().unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
