//! `[margin]` and `[misbehaviour]`: what the paper venue does beside matching.

use fusewire_core::units::{Nanos, Rate};
use fusewire_io::venue::paper::{Misbehaviour, Outage, OutageKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::number::{rate, text};

/// `[margin]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MarginSection {
    /// Leverage at which the exchange lets the account open.
    pub leverage: u32,
    /// Fee on what is liquidated.
    #[serde(deserialize_with = "rate", serialize_with = "text")]
    pub liquidation_fee: Rate,
    /// Forced orders that this account covers, per million.
    pub adl_ppm: u32,
}

/// `[misbehaviour]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MisbehaviourSection {
    /// Requests whose outcome is not told, per million.
    pub unknown_ppm: u32,
    /// Acknowledgements behind the first fills, per million.
    pub ack_late_ppm: u32,
    /// Outages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outage: Vec<OutageEntry>,
}

/// `[[misbehaviour.outage]]`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutageEntry {
    /// What is out.
    #[serde(deserialize_with = "kind", serialize_with = "kind_name")]
    pub kind: OutageKind,
    /// Seconds after the first event.
    pub after_s: u32,
    /// How many seconds.
    pub for_s: u32,
}

impl MarginSection {
    /// For the report.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { leverage, liquidation_fee, adl_ppm } = self;
        format!("cross, {leverage}x, liquidation fee {liquidation_fee}, deleveraging {adl_ppm} ppm")
    }
}

impl MisbehaviourSection {
    /// As the venue takes it.
    ///
    /// # Errors
    /// A text that begins with the key.
    pub fn misbehaviour(&self) -> Result<Misbehaviour, String> {
        let seconds = |s: u32| Nanos(u64::from(s) * Nanos::SECOND);
        let outage = |entry: &OutageEntry| Outage {
            kind: entry.kind,
            after: seconds(entry.after_s),
            span: seconds(entry.for_s),
        };
        let outages: Vec<Outage> = self.outage.iter().map(outage).collect();
        Misbehaviour::new(self.unknown_ppm, self.ack_late_ppm, &outages)
    }
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OutageKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    OutageKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let known = OutageKind::ALL.map(OutageKind::name).join(", ");
        serde::de::Error::custom(format!("unknown outage '{name}' ({known})"))
    })
}

fn kind_name<S: Serializer>(kind: &OutageKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, check};
    use super::*;

    const OUTAGE: &str = "[misbehaviour]\nunknown_ppm = 7\n[[misbehaviour.outage]]\nkind = \"no-fills\"\nafter_s = 5\n\
                          for_s = 20\n";

    #[test]
    fn outages_survive_being_written_down() {
        let config = check::overlay("f.toml", OUTAGE).unwrap();
        let outage = Outage {
            kind: OutageKind::NoFills,
            after: Nanos(5 * Nanos::SECOND),
            span: Nanos(20 * Nanos::SECOND),
        };
        let expected = Misbehaviour::new(7, 0, &[outage]).unwrap();
        assert_eq!(config.paper_config().misbehaviour, expected);
        assert_eq!(Config::from_effective("e", &config.to_toml()), Ok(config));
    }

    #[test]
    fn a_bad_outage_names_its_place() {
        for (from, to, fault) in [
            ("for_s = 20", "for_s = 0", "[misbehaviour] outage: no-fills lasts no time"),
            ("no-fills", "no-fils", "unknown outage 'no-fils'"),
            ("unknown_ppm = 7", "unknown_ppm = 1000001", "[misbehaviour] unknown_ppm"),
        ] {
            let faults = check::overlay("f.toml", &OUTAGE.replace(from, to)).unwrap_err();
            assert!(faults[0].starts_with("f.toml:") && faults[0].contains(fault), "{faults:?}");
        }
    }
}
