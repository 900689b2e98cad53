//! Configuration: one TOML file over commented defaults, checked as a whole before anything starts.

use std::path::Path;

use serde::{Deserialize, Serialize};

mod check;
mod credibility;
pub(crate) mod difference;
pub(crate) mod effective;
mod fees;
mod instrument;
mod journal;
mod latency;
mod life;
mod limits;
mod measured;
pub(crate) mod number;
mod parts;
mod runner;
mod sections;
mod strategies;
pub(crate) mod vary;
mod venue;

pub use credibility::{CredibilitySection, PAST_CUTS_MOST};
pub use difference::Difference;
pub(crate) use effective::decides;
pub use fees::{FeeTierEntry, Fees};
pub use instrument::InstrumentEntry;
pub use journal::{JournalSection, JournalSettings, Retention};
pub use latency::{Latency, QuantilesUs};
pub use life::LifeEntry;
pub use limits::{LimitsSection, ProfileName, RiskSection};
pub use runner::{GatesSection, IdleName, LockMemory, RunnerMode, RunnerSection};
pub use sections::{
    Account, Alpha, Assume, AssumptionSet, BookSection, CaptureSection, Clock, LedgerSection,
    Paper, QueueFunctionName, QueueName, Ring, Run, SelfTradeName, SparseName, Stream,
    UniverseSection,
};
pub use strategies::{GridSection, QuoterSection, SmartTrendSection, TakerSection};
pub use venue::{MarginSection, MisbehaviourSection, OutageEntry};

/// The commented defaults, as `fusewire config` prints them. They *are* the defaults: there is no second
/// list in code.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The whole configuration.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What runs.
    pub run: Run,
    /// Which symbols.
    pub universe: UniverseSection,
    /// How recordings are read and judged.
    pub capture: CaptureSection,
    /// Bounds of the books.
    pub book: BookSection,
    /// Logical time.
    pub clock: Clock,
    /// What the sequencer derives and bounds.
    pub stream: Stream,
    /// Rings between stages.
    pub ring: Ring,
    /// The account at the start.
    pub account: Account,
    /// How far ledger and venue may be apart.
    pub ledger: LedgerSection,
    /// Fees of the exchange.
    pub fees: Fees,
    /// How long things take.
    pub latency: Latency,
    /// Bounds of the strategies' harness.
    pub alpha: Alpha,
    /// The paper venue.
    pub paper: Paper,
    /// Margin at the venue, and what happens when it is gone.
    pub margin: MarginSection,
    /// What the venue does wrong on purpose.
    pub misbehaviour: MisbehaviourSection,
    /// What stands in for what a capture lacks.
    pub assume: Assume,
    /// The risk stage.
    pub risk: RiskSection,
    /// Limits of the profile `default`.
    pub limits_default: LimitsSection,
    /// Limits of the profile `bench`.
    pub limits_bench: LimitsSection,
    /// Who runs the stages.
    pub runner: RunnerSection,
    /// How long they may take.
    pub gates: GatesSection,
    /// What a journal takes and keeps.
    pub journal: JournalSection,
    /// From where on a result is not believed.
    pub credibility: CredibilitySection,
    /// The strategy `quoter`.
    pub quoter: QuoterSection,
    /// The strategy `taker`.
    pub taker: TakerSection,
    /// The strategy `grid`.
    pub grid: GridSection,
    /// The strategy `smart-trend`.
    pub smart_trend: SmartTrendSection,
    /// Instruments described by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instrument: Vec<InstrumentEntry>,
}

impl Default for Config {
    fn default() -> Self {
        toml::from_str(DEFAULTS).expect("the embedded defaults parse, a test checks it")
    }
}

impl Config {
    /// Reads a file over the defaults; the defaults alone without one.
    ///
    /// # Errors
    /// Every fault of the file, one line each: `FILE:LINE: what, and the nearest known key`.
    pub fn load(path: Option<&Path>) -> Result<Self, Vec<String>> {
        let Some(path) = path else { return Ok(Self::default()) };
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| vec![format!("{name}: {error}")])?;
        check::overlay(&name, &text)
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::book::BookConfig;
    use fusewire_core::units::Nanos;
    use fusewire_io::capture::CaptureLimits;
    use fusewire_io::manifest::ManifestOptions;

    use super::*;

    #[test]
    fn the_defaults_are_valid_and_are_those_of_the_parts() {
        let config = Config::default();
        assert_eq!(config.books(), BookConfig::default());
        assert_eq!(config.capture_limits(), CaptureLimits::default());
        assert_eq!(check::overlay("defaults.toml", DEFAULTS), Ok(config));
    }

    #[test]
    fn sections_reach_the_parts_in_their_units() {
        let text = "[capture]\ngap_max_ms = 200\nclock_offset_note_ms = 3\nline_bytes_max = 4096\n\
                    rest_bytes_max = 5120\n[book]\nwindow_ticks = 64\nfar_levels_max = 7\n\
                    buffer_frames_max = 8\nbuffer_levels_max = 9\n";
        let config = check::overlay("f.toml", text).unwrap();
        let (gap_max, clock_offset_note) = (Nanos(200_000_000), Nanos(3_000_000));
        assert_eq!(config.manifest_options(), ManifestOptions { gap_max, clock_offset_note });
        let limits = CaptureLimits { line_bytes_max: 4_096, rest_bytes_max: 5_120 };
        assert_eq!(config.capture_limits(), limits);
        let books = BookConfig {
            window_ticks: 64,
            far_levels_max: 7,
            buffer_frames_max: 8,
            buffer_levels_max: 9,
        };
        assert_eq!(config.books(), books);
    }

    #[test]
    fn a_file_is_loaded_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.toml");
        assert_eq!(Config::load(None), Ok(Config::default()));
        let missing = Config::load(Some(&path)).unwrap_err();
        assert!(missing[0].starts_with(&format!("{}: ", path.display())), "{missing:?}");
        std::fs::write(&path, "[universe]\nsymbols = [\"A\"]\n").unwrap();
        assert_eq!(Config::load(Some(&path)).unwrap().universe.symbols, ["A"]);
        std::fs::write(&path, "\nx = 1\n").unwrap();
        let faults = Config::load(Some(&path)).unwrap_err();
        assert!(faults[0].starts_with(&format!("{}:2: unknown key 'x'", path.display())));
    }

    #[test]
    fn the_commented_instrument_is_a_valid_example() {
        let from = DEFAULTS.find("# [[instrument]]").unwrap();
        let example: String = DEFAULTS[from..]
            .lines()
            .map(|line| line.trim_start_matches("# ").to_owned() + "\n")
            .collect();
        let config = check::overlay("example.toml", &example).unwrap();
        assert_eq!(config.instrument.len(), 1);
        let table =
            fusewire_core::instrument::common(fusewire_core::instrument::Market::UsdM, "BTCUSDT");
        assert_eq!(config.instrument[0].instrument().ok(), table);
    }
}
