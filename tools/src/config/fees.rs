//! `[fees]`: what the exchange charges, by volume where it has tiers.

use fusewire_core::contract::FeeSchedule;
use fusewire_core::units::{Rate, Usd};
use fusewire_io::venue::paper::{FeeTier, FeeTiers};
use serde::{Deserialize, Serialize};

use super::number::{rate, text, usd};

/// `[fees]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// Of resting orders.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub maker: Rate,
    /// Of taking orders.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub taker: Rate,
    /// What the account has traded before, in USD.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub opening_volume: Usd,
    /// What is charged from a volume on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<FeeTierEntry>,
}

/// `[[fees.tiers]]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTierEntry {
    /// From this traded volume on, in USD.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub volume: Usd,
    /// Of resting orders; below zero is a rebate.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub maker: Rate,
    /// Of taking orders.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub taker: Rate,
}

impl Fees {
    /// Fees below the first tier.
    #[must_use]
    pub fn schedule(&self) -> FeeSchedule {
        FeeSchedule { maker: self.maker, taker: self.taker }
    }

    /// The tiers.
    ///
    /// # Errors
    /// A text that begins with the key.
    pub fn fee_tiers(&self) -> Result<FeeTiers, String> {
        let tier = |entry: &FeeTierEntry| FeeTier {
            volume: entry.volume,
            fees: FeeSchedule { maker: entry.maker, taker: entry.taker },
        };
        let tiers: Vec<FeeTier> = self.tiers.iter().map(tier).collect();
        FeeTiers::new(&tiers, self.opening_volume)
    }

    /// One line for reports.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!("maker {}, taker {}", self.maker, self.taker);
        for tier in &self.tiers {
            text +=
                &format!("; from {} USD maker {}, taker {}", tier.volume, tier.maker, tier.taker);
        }
        if self.opening_volume > Usd::ZERO {
            text += &format!("; {} USD traded before", self.opening_volume);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, check};
    use super::*;

    const TIERS: &str = "[fees]\nopening_volume = \"5000000\"\n[[fees.tiers]]\nvolume = \"15000000\"\n\
                         maker = \"0.00016\"\ntaker = \"0.0004\"\n[[fees.tiers]]\nvolume = \"100000000\"\n\
                         maker = \"-0.00005\"\ntaker = \"0.00017\"\n";

    #[test]
    fn tiers_survive_being_written_down_and_stand_in_the_report() {
        let config = check::overlay("f.toml", TIERS).unwrap();
        assert_eq!(Config::from_effective("e", &config.to_toml()), Ok(config.clone()));
        assert_eq!(config.paper_config().fee_tiers, config.fees.fee_tiers().unwrap());
        assert_ne!(config.paper_config().fee_tiers, FeeTiers::default());
        assert_eq!(
            config.fees.describe(),
            "maker 0.0002, taker 0.0005; from 15000000 USD maker 0.00016, taker 0.0004; from 100000000 \
             USD maker -0.00005, taker 0.00017; 5000000 USD traded before"
        );
        let found = Config::default().differences(&config);
        assert!(
            found.iter().any(|d| d.to_string() == "fees.tiers[1].maker: - | -0.00005"),
            "{found:?}"
        );
    }

    #[test]
    fn faults_name_key_and_line() {
        for (from, to, start) in [
            ("100000000", "15000000", "f.toml:3: [fees] tiers: their volumes do not rise"),
            ("-0.00005", "-0.05", "f.toml:3: [fees] tiers: from 100000000 USD on maker"),
            ("5000000", "-1", "f.toml:2: [fees] opening_volume"),
            ("volume = \"100", "volum = \"100", "f.toml:3: fees.tiers"),
        ] {
            let found = check::overlay("f.toml", &TIERS.replacen(from, to, 1)).unwrap_err();
            assert!(found[0].starts_with(start), "{found:?} should start with {start}");
        }
    }
}
