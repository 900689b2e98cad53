//! The parameters of `taker`.

use fusewire_core::order::TriggerPrice;
use fusewire_core::units::{Bps, Nanos, ONE, Usd};

use crate::checks;
use crate::protect::Terms;

/// Parameters of `taker`. The defaults are Fusewire's own, small on purpose: each entry pays the spread
/// and two taker fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakerConfig {
    /// Notional of an entry.
    pub notional: Usd,
    /// Imbalance (bid - ask) / (bid + ask) of the top quantities, in millionths, that must be exceeded
    /// on either side. That it foretells the next price move: Gould and Bonart, "Queue imbalance as a
    /// one-tick-ahead price predictor in a limit order book" (2016).
    pub threshold_ppm: u32,
    /// Views in a row that must show it.
    pub confirm: u32,
    /// How far beyond the touch an order may trade. Less than the distance at which `quoter` stands by
    /// default: risk refuses an order that could meet one of the account's own.
    pub slippage: Bps,
    /// How long a position is held.
    pub hold: Nanos,
    /// Time between the answer to an exit and the next one, until flat. Longer than the 500 ms in which
    /// the default risk limits take the same order for a duplicate, counted from its sending.
    pub exit_retry: Nanos,
    /// Longest wait after exits that were rejected; it doubles from `exit_retry`.
    pub exit_backoff_max: Nanos,
    /// Time between an exit, or an entry that got nothing, and the next entry on the symbol.
    pub cooldown: Nanos,
    /// Age of the mark from which on there are no entries.
    pub mark_age_max: Nanos,
    /// How far from its entry a position is stopped out; zero for no stop. All protective orders are
    /// reduce-only and immediate, with a limit of `slippage` beyond their trigger.
    pub stop: Bps,
    /// How far from its entry it takes its profit; zero for never.
    pub take_profit: Bps,
    /// How far the price must come back from its best for a trailing stop; zero for none.
    pub trailing: Bps,
    /// Which price triggers them.
    pub protect_by: TriggerPrice,
}

impl Default for TakerConfig {
    fn default() -> Self {
        Self {
            notional: Usd(200 * ONE),
            threshold_ppm: 600_000,
            confirm: 3,
            slippage: Bps(5_000),
            hold: Nanos(10 * Nanos::SECOND),
            exit_retry: Nanos(500 * Nanos::MILLI),
            exit_backoff_max: Nanos(10 * Nanos::SECOND),
            cooldown: Nanos(20 * Nanos::SECOND),
            mark_age_max: Nanos(10 * Nanos::SECOND),
            stop: Bps::ZERO,
            take_profit: Bps::ZERO,
            trailing: Bps::ZERO,
            protect_by: TriggerPrice::Mark,
        }
    }
}

/// Least callback of a trailing stop at the exchange (`callbackRate` 0.1): 10 bp.
const TRAILING_MIN: Bps = Bps(100_000);

impl TakerConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        checks::amounts(&[("notional", self.notional)])?;
        if self.threshold_ppm >= 1_000_000 {
            let ppm = self.threshold_ppm;
            return Err(format!("threshold_ppm is {ppm}: nothing exceeds 999999"));
        }
        if self.confirm == 0 {
            return Err("confirm is 0: an entry takes at least one view".to_owned());
        }
        checks::distances(&[
            ("slippage", self.slippage, Bps::ZERO),
            ("stop", self.stop, Bps::ZERO),
            ("take_profit", self.take_profit, Bps::ZERO),
            ("trailing", self.trailing, Bps::ZERO),
        ])?;
        if self.trailing > Bps::ZERO && self.trailing < TRAILING_MIN {
            let trailing = self.trailing;
            return Err(format!("trailing is {trailing} bp: 0 or at least {TRAILING_MIN}"));
        }
        let times = [
            ("hold", self.hold),
            ("exit_retry", self.exit_retry),
            ("cooldown", self.cooldown),
            ("mark_age_max", self.mark_age_max),
        ];
        checks::take_time(&times)?;
        let (retry, most) = (self.exit_retry, self.exit_backoff_max);
        checks::grow(("exit_retry", retry), ("exit_backoff_max", most))
    }

    /// What protects a position.
    pub(super) const fn terms(&self) -> Terms {
        Terms {
            stop: self.stop,
            take_profit: self.take_profit,
            trailing: self.trailing,
            slippage: self.slippage,
            by: self.protect_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut TakerConfig);

    #[test]
    fn each_bad_value_is_named() {
        assert_eq!(TakerConfig::default().validate(), Ok(()));
        let bad: [(&str, Spoil); 10] = [
            ("stop", |c| c.stop = Bps(-1)),
            ("take_profit", |c| c.take_profit = Bps(10_000_001)),
            ("trailing", |c| c.trailing = Bps(10_000_001)),
            ("trailing", |c| c.trailing = Bps(99_999)),
            ("notional", |c| c.notional = Usd(0)),
            ("threshold_ppm", |c| c.threshold_ppm = 1_000_000),
            ("confirm", |c| c.confirm = 0),
            ("slippage", |c| c.slippage = Bps(-1)),
            ("hold", |c| c.hold = Nanos(0)),
            ("exit_backoff_max", |c| c.exit_backoff_max = Nanos(1)),
        ];
        for (name, spoil) in bad {
            let mut config = TakerConfig::default();
            spoil(&mut config);
            let error = config.validate().unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
