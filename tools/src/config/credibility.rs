//! `[credibility]`: from where on a result is not believed. Nothing here decides anything in a run.

use fusewire_core::units::{Bps, Rate};
use serde::{Deserialize, Serialize};

use super::number::{bps, rate, text};

/// `[credibility]`
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CredibilitySection {
    /// Closed positions from which on it is not believed that none of them lost.
    pub wins_only_min: u32,
    /// Closed positions from which on it is not believed that the market never moved while they were open.
    pub flat_moves_min: u32,
    /// Least fee of fills that took, in basis points of what they traded.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub taker_fee_min_bp: Bps,
    /// Least that fills that rested cost, or are paid, in basis points of what they traded.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub maker_fee_min_bp: Bps,
    /// Most that fills that rested may be paid for it, in basis points of what they traded.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub maker_rebate_max_bp: Bps,
    /// Least spread that may be assumed where no book is known.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub assumed_spread_min_bp: Bps,
    /// Least fee of a liquidation, in basis points of its notional.
    #[serde(deserialize_with = "bps", serialize_with = "text")]
    pub liquidation_fee_min_bp: Bps,
    /// Exposure over the wallet up to which no liquidation has to be there.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub leverage_free: Rate,
    /// A symbol whose data ends before this share of the capture's span is left ended early.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub ended_early_share: Rate,
    /// And by at least so much, in seconds.
    pub ended_early_min_s: u32,
    /// Cuts of `--check-past` without a number.
    pub past_cuts: u32,
}

/// Most cuts that one check may make: each is a run of its own.
pub const PAST_CUTS_MOST: u32 = 100;

impl CredibilitySection {
    /// Checks the values: key and fault.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut fault =
            |key: &'static str, what: String| faults.push((key, format!("{key}{what}")));
        for (key, count) in [
            ("credibility.wins_only_min", self.wins_only_min),
            ("credibility.flat_moves_min", self.flat_moves_min),
        ] {
            if count == 0 {
                fault(key, " = 0: nothing follows from no position".to_owned());
            }
        }
        for (key, bp) in [
            ("credibility.taker_fee_min_bp", self.taker_fee_min_bp),
            ("credibility.maker_fee_min_bp", self.maker_fee_min_bp),
            ("credibility.maker_rebate_max_bp", self.maker_rebate_max_bp),
            ("credibility.liquidation_fee_min_bp", self.liquidation_fee_min_bp),
            ("credibility.assumed_spread_min_bp", self.assumed_spread_min_bp),
        ] {
            if !(0..=Bps::WHOLE).contains(&i128::from(bp.0)) {
                fault(key, format!(" = {bp} is not in 0 to 10000"));
            }
        }
        if self.leverage_free < Rate::ZERO {
            fault("credibility.leverage_free", format!(" = {} is below 0", self.leverage_free));
        }
        // One, in units of 1e-12.
        if !(0..=1_000_000_000_000).contains(&self.ended_early_share.0) {
            let share = self.ended_early_share;
            fault("credibility.ended_early_share", format!(" = {share} is not in 0 to 1"));
        }
        if !(1..=PAST_CUTS_MOST).contains(&self.past_cuts) {
            let cuts = self.past_cuts;
            fault("credibility.past_cuts", format!(" = {cuts} is not in 1 to {PAST_CUTS_MOST}"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn a_bad_threshold_names_its_line() {
        for (key, value) in [
            ("wins_only_min", "0"),
            ("flat_moves_min", "0"),
            ("taker_fee_min_bp", "\"-1\""),
            ("maker_fee_min_bp", "\"-1\""),
            ("liquidation_fee_min_bp", "\"-1\""),
            ("assumed_spread_min_bp", "\"10001\""),
            ("leverage_free", "\"-0.5\""),
            ("ended_early_share", "\"1.1\""),
            ("past_cuts", "0"),
            ("past_cuts", "101"),
        ] {
            let faults = check::overlay("f.toml", &format!("[credibility]\n{key} = {value}\n"));
            let faults = faults.unwrap_err();
            let start = format!("f.toml:2: credibility.{key} = ");
            assert!(faults[0].starts_with(&start), "{faults:?} should start with {start}");
        }
    }
}
