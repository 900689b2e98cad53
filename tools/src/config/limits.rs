//! `[risk]`, `[limits_default]`, `[limits_bench]`: what the risk stage allows.

use fusewire_core::units::{Bps, Qty, Usd};
use fusewire_risk::{Limits, Profile, RiskConfig};
use serde::{Deserialize, Serialize};

use super::number::{bps, millis, qty, text, usd};
use super::parts::REPLAY_SESSION;
use super::{Config, LedgerSection};

/// `[risk]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RiskSection {
    /// Which limits are in force.
    pub profile: ProfileName,
    /// Intents that risk may form at one event.
    pub halt_max: u32,
    /// Between two tries of the halt, in ms.
    pub halt_retry_ms: u32,
    /// Before an unanswered order is asked about, in ms.
    pub ack_timeout_ms: u32,
    /// Before an open order is asked about, in ms.
    pub reconcile_every_ms: u32,
    /// Questions at one tick.
    pub queries_per_event: u32,
}

/// A profile by its name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileName {
    /// `[limits_default]`
    Default,
    /// `[limits_bench]`
    Bench,
}

impl ProfileName {
    /// As the risk stage knows it.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::Default => Profile::Default,
            Self::Bench => Profile::Bench,
        }
    }
}

impl std::str::FromStr for ProfileName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Default, Self::Bench]
            .into_iter()
            .find(|known| known.profile().name() == name)
            .ok_or_else(|| format!("unknown profile '{name}' (default or bench)"))
    }
}

/// One set of limits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSection {
    book_age_max_ms: u32,
    mark_age_max_ms: u32,
    duplicate_window_ms: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    collar_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    collar_passive_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    reference_divergence_bp: Bps,
    #[serde(deserialize_with = "qty", serialize_with = "text")]
    order_qty_max: Qty,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    order_notional_max: Usd,
    rate_window_ms: u32,
    rate_new: u32,
    rate_symbol: u32,
    rate_amend: u32,
    rate_cancel: u32,
    rate_reduce: u32,
    rate_query: u32,
    venue_orders_per_minute: u32,
    open_max: u32,
    reduce_reserve: u32,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    position_notional_max: Usd,
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    gross_notional_max: Usd,
    leverage_max: u32,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    trigger_distance_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    callback_min_bp: Bps,
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    callback_max_bp: Bps,
    conditional_max: u32,
}

impl LimitsSection {
    fn limits(&self, ledger: &LedgerSection) -> Limits {
        Limits {
            book_age_max: millis(self.book_age_max_ms),
            mark_age_max: millis(self.mark_age_max_ms),
            duplicate_window: millis(self.duplicate_window_ms),
            collar: self.collar_bp,
            collar_passive: self.collar_passive_bp,
            reference_divergence: self.reference_divergence_bp,
            order_qty_max: (self.order_qty_max != Qty::ZERO).then_some(self.order_qty_max),
            order_notional_max: self.order_notional_max,
            rate_window: millis(self.rate_window_ms),
            rate_new: self.rate_new,
            rate_symbol: self.rate_symbol,
            rate_amend: self.rate_amend,
            rate_cancel: self.rate_cancel,
            rate_reduce: self.rate_reduce,
            rate_query: self.rate_query,
            venue_orders_per_minute: self.venue_orders_per_minute,
            open_max: self.open_max,
            reduce_reserve: self.reduce_reserve,
            position_notional_max: self.position_notional_max,
            gross_notional_max: self.gross_notional_max,
            leverage_max: self.leverage_max,
            drift_alert: ledger.drift_alert,
            drift_block: ledger.drift_block,
            trigger_distance: self.trigger_distance_bp,
            callback_min: self.callback_min_bp,
            callback_max: self.callback_max_bp,
            conditional_max: self.conditional_max,
        }
    }
}

impl Config {
    /// The risk stage under the profile in force.
    #[must_use]
    pub fn risk_config(&self) -> RiskConfig {
        self.risk_config_of(self.risk.profile)
    }

    /// The risk stage under a profile.
    pub(super) fn risk_config_of(&self, profile: ProfileName) -> RiskConfig {
        let limits = match profile {
            ProfileName::Default => &self.limits_default,
            ProfileName::Bench => &self.limits_bench,
        };
        RiskConfig {
            profile: profile.profile(),
            limits: limits.limits(&self.ledger),
            balance: self.account.balance,
            session: REPLAY_SESSION,
            halt_max: self.risk.halt_max as usize,
            halt_retry: millis(self.risk.halt_retry_ms),
            ack_timeout: millis(self.risk.ack_timeout_ms),
            reconcile_every: millis(self.risk.reconcile_every_ms),
            queries_per_event: self.risk.queries_per_event as usize,
            arrival_max: millis(self.latency.receive_window_ms),
            closed_max: self.alpha.closed_max as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_risk_stage() {
        let config = Config::default();
        for name in [ProfileName::Default, ProfileName::Bench] {
            let here = config.risk_config_of(name);
            assert_eq!(here, RiskConfig::profile(name.profile()), "{}", name.profile().name());
            assert_eq!(here.validate(), Ok(()));
            assert_eq!(name.profile().name().parse(), Ok(name));
        }
        assert!("bold".parse::<ProfileName>().is_err());
    }
}
