//! Fees that depend on what was traded: the tiers of the exchange's VIP table.
//!
//! The exchange looks at the volume of the last 30 days once a day. Here it is what the account brings along
//! and what it traded in the run, at once.

use fusewire_core::contract::FeeSchedule;
use fusewire_core::units::{Usd, UsdSum};

/// What is charged from a volume on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTier {
    /// From this traded volume on, in USD; above zero.
    pub volume: Usd,
    /// Fees as shares of the notional. A maker fee below zero is a rebate.
    pub fees: FeeSchedule,
}

/// Tiers by rising volume. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTiers {
    /// The first `len` count.
    tiers: [FeeTier; Self::TIERS_MAX],
    len: usize,
    /// Volume that the account brings along.
    opening_volume: Usd,
}

impl FeeTiers {
    /// Most tiers. The exchange has ten.
    pub const TIERS_MAX: usize = 16;

    /// Tiers by rising volume for an account that has traded `opening_volume` before.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn new(tiers: &[FeeTier], opening_volume: Usd) -> Result<Self, String> {
        if tiers.len() > Self::TIERS_MAX {
            return Err(format!("tiers: {}, at most {}", tiers.len(), Self::TIERS_MAX));
        }
        if opening_volume < Usd::ZERO {
            return Err(format!("opening_volume = {opening_volume} is below zero"));
        }
        let rise = tiers.is_sorted_by(|a, b| a.volume < b.volume);
        if !rise || tiers.first().is_some_and(|tier| tier.volume <= Usd::ZERO) {
            return Err("tiers: their volumes do not rise from above zero".into());
        }
        for tier in tiers {
            tier.fees
                .validate()
                .map_err(|what| format!("tiers: from {} USD on {what}", tier.volume))?;
        }
        let mut all = [FeeTier::default(); Self::TIERS_MAX];
        all[..tiers.len()].copy_from_slice(tiers);
        Ok(Self { tiers: all, len: tiers.len(), opening_volume })
    }

    /// What is charged after `traded` in the run; `base` below the first tier.
    pub(super) fn fees(&self, base: FeeSchedule, traded: UsdSum) -> FeeSchedule {
        let volume = traded.0.saturating_add(i128::from(self.opening_volume.0));
        let reached = self.tiers[..self.len].iter().rev();
        let mut reached = reached.filter(|tier| i128::from(tier.volume.0) <= volume);
        reached.next().map_or(base, |tier| tier.fees)
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::Rate;

    use super::*;

    fn tier(volume: i64, maker: i64, taker: i64) -> FeeTier {
        let fees = FeeSchedule { maker: Rate(maker), taker: Rate(taker) };
        FeeTier { volume: Usd(volume), fees }
    }

    #[test]
    fn the_highest_tier_that_the_volume_reaches_holds() {
        let list = [tier(100, 2, 3), tier(200, -1, 2)];
        let base = FeeSchedule::default();
        let opened = FeeTiers::new(&list, Usd(40)).unwrap();
        for (traded, expected) in
            [(0, base), (59, base), (60, list[0].fees), (159, list[0].fees), (160, list[1].fees)]
        {
            assert_eq!(opened.fees(base, UsdSum(traded)), expected, "{traded}");
        }
        assert_eq!(FeeTiers::default().fees(base, UsdSum(i128::MAX)), base);
    }

    #[test]
    fn errors_name_the_field() {
        for (list, opening, start) in [
            (vec![tier(0, 1, 1)], 0, "tiers"),
            (vec![tier(5, 1, 1), tier(5, 1, 1)], 0, "tiers"),
            (vec![tier(5, i64::MIN, 1)], 0, "tiers: from 0.00000005 USD on maker"),
            (vec![tier(5, 1, -1)], 0, "tiers: from 0.00000005 USD on taker"),
            ((1..=17).map(|n| tier(n, 1, 1)).collect(), 0, "tiers: 17"),
            (vec![], -1, "opening_volume"),
        ] {
            let found = FeeTiers::new(&list, Usd(opening)).unwrap_err();
            assert!(found.starts_with(start), "{found}");
        }
    }
}
