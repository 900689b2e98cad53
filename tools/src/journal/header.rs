//! The header of a journal: everything besides the frames that decided what a run did, so that it can be
//! run again, and what two runs differ in.

use fusewire_core::instrument::{Instrument, InstrumentId, Universe};
use fusewire_core::units::{Nanos, Usd};
use fusewire_io::capture::{Reader, SOURCES_MAX};
use fusewire_io::feed::Recording;
use fusewire_strategies::registry::AnyStrategy;
use serde::{Deserialize, Serialize};

use crate::config::number::{text, usd};
use crate::config::{Config, ProfileName};
use crate::export::lanes::Names;
use crate::outcome::Failure;
use crate::sources::Source;

mod difference;
mod instrument;
mod named;
mod source;

pub use source::{Content, SourceRecord, content_hash};

use named::{ids, time};

/// The header, as it stands in the first record of the event lane. Every key is there, what has no value is
/// `null`, and the keys keep this order.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Layout of this document: [`Header::FORMAT`].
    pub format: u32,
    /// The program that ran.
    pub build: Build,
    /// When the journal was made, by the clock of the machine.
    #[serde(with = "time")]
    pub created: Nanos,
    /// What the ids of its orders begin with.
    pub session: u16,
    /// Seed of all jitter.
    pub seed: u64,
    /// Which limits were in force.
    pub profile: ProfileName,
    /// Names of the strategies by seat.
    pub strategies: Vec<String>,
    /// The effective configuration, see [`Config::to_toml`].
    pub config: String,
    /// The instruments: their places in this list are the numbers in records.
    #[serde(with = "instrument")]
    pub instruments: Vec<Instrument>,
    /// Those that may be traded.
    #[serde(with = "ids")]
    pub tradable: Vec<InstrumentId>,
    /// The account at the start.
    pub account: OpeningAccount,
    /// Who executed.
    pub venue: Venue,
    /// Where the frames are.
    pub frames: Frames,
    /// The recordings in the order that settles equal times; their places are the numbers in records.
    pub sources: Vec<SourceRecord>,
    /// Whether a broken capture was let through.
    pub allow_broken: bool,
    /// Receive time of the first frame.
    #[serde(with = "time")]
    pub first_recv: Nanos,
}

/// Version and commit of a program.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Version of the package.
    pub version: String,
    /// Commit that it was built from, `unknown` outside a repository.
    pub commit: String,
}

impl Build {
    /// This program: the two parts of [`crate::cli::VERSION`].
    #[must_use]
    pub fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("FUSEWIRE_COMMIT").to_owned(),
        }
    }
}

/// What an account holds before the first event.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningAccount {
    /// Balance in USDT.
    #[serde(deserialize_with = "usd", serialize_with = "text")]
    pub balance: Usd,
    /// Open positions: a replay begins flat, so there are none to describe.
    pub positions: [(); 0],
}

/// Who executes the orders of a run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Venue {
    /// The paper venue.
    Paper,
}

/// Where the frames of a run are.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Frames {
    /// In the recordings: the feed lane names their lines.
    Reference,
    /// In the feed lane.
    Copy,
}

/// What a run knows about itself before its first event.
pub struct Inputs<'a> {
    /// The time by the clock of the machine.
    pub created: Nanos,
    /// The configuration with what the command line put into it.
    pub config: &'a Config,
    /// The strategies by seat.
    pub strategies: &'a [AnyStrategy],
    /// The symbols.
    pub universe: &'a Universe,
    /// Those of them that may be traded.
    pub tradable: &'a [InstrumentId],
    /// The inputs in merge order.
    pub sources: &'a [Source],
    /// The same, opened.
    pub readers: &'a [Reader],
    /// What is known of each.
    pub recordings: &'a [Recording],
    /// Receive time of the first frame.
    pub first_recv: Nanos,
    /// Where the frames are going to be.
    pub frames: Frames,
    /// Whether a broken capture was let through.
    pub allow_broken: bool,
}

impl Header {
    /// The layout that this build reads and writes.
    pub const FORMAT: u32 = 1;

    /// The header of a run. Reads every recording once, for its hash.
    ///
    /// # Errors
    /// A recording that can not be read, or strategies, symbols or numbers that do not fit each other.
    pub fn new(inputs: &Inputs<'_>) -> Result<Self, Failure> {
        let Inputs { sources, readers, recordings, .. } = *inputs;
        assert!(
            sources.len() == readers.len() && sources.len() == recordings.len(),
            "each source is opened and described"
        );
        let described = sources.iter().zip(readers).zip(recordings);
        let described = described.map(|((source, reader), known)| {
            SourceRecord::new(source, reader, known, inputs.frames)
        });
        let config = inputs.config;
        let header = Self {
            format: Self::FORMAT,
            build: Build::this(),
            created: inputs.created,
            session: config.alpha_config().session,
            seed: config.run.seed,
            profile: config.risk.profile,
            strategies: inputs.strategies.iter().map(|seat| seat.name().to_owned()).collect(),
            config: config.to_toml(),
            instruments: inputs.universe.iter().map(|(_, instrument)| instrument.clone()).collect(),
            tradable: inputs.tradable.to_vec(),
            account: OpeningAccount { balance: config.account.balance, positions: [] },
            venue: Venue::Paper,
            frames: inputs.frames,
            sources: described.collect::<Result<_, _>>()?,
            allow_broken: inputs.allow_broken,
            first_recv: inputs.first_recv,
        };
        header.check().map_err(Failure::line)?;
        // What is written must be read back, and the strategies that run must be the configured ones.
        header.config()?;
        Ok(header)
    }

    /// The document: one line, always the same for the same header.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("keys are texts and every number is whole")
    }

    /// Reads what [`Header::to_json`] wrote.
    ///
    /// # Errors
    /// What is wrong and where: another format, an unknown or missing key, a value out of its bounds.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        /// What every format has.
        #[derive(Deserialize)]
        struct Any {
            format: u64,
        }
        let wrong = |error: serde_json::Error| format!("journal header: {error}");
        let Any { format } = serde_json::from_slice(json).map_err(wrong)?;
        if format != u64::from(Self::FORMAT) {
            return Err(format!(
                "journal header: format {format} is not known, this build reads {}",
                Self::FORMAT
            ));
        }
        let header: Self = serde_json::from_slice(json).map_err(wrong)?;
        header.check().map_err(|what| format!("journal header: {what}"))?;
        Ok(header)
    }

    /// The symbols of the run under their numbers.
    ///
    /// # Errors
    /// A symbol that stands there twice, or too many of them: not in a header that was read or made here.
    pub fn universe(&self) -> Result<Universe, String> {
        Universe::new(self.instruments.clone()).map_err(|error| error.to_string())
    }

    /// The name of the limits in force.
    #[must_use]
    pub const fn profile_name(&self) -> &'static str {
        self.profile.profile().name()
    }

    /// What stands behind the numbers in records.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            strategies: self.strategies.clone(),
            symbols: self.instruments.iter().map(Instrument::key).collect(),
            sources: self.sources.iter().map(|source| source.name.clone()).collect(),
        }
    }

    /// The configuration of the run.
    ///
    /// # Errors
    /// Every fault: keys that this build does not know or misses, values that it refuses, or a header that
    /// says something else than its configuration.
    pub fn config(&self) -> Result<Config, Vec<String>> {
        let config = Config::from_effective("journal header, config", &self.config)?;
        let line = |what| vec![what];
        let strategies = config.strategies(&config.run.strategy).map_err(line)?;
        let configured: Vec<String> = strategies.into_iter().map(|(name, _)| name).collect();
        for (key, agrees) in [
            ("seed", self.seed == config.run.seed),
            ("profile", self.profile == config.risk.profile),
            ("strategies", self.strategies == configured),
            ("account.balance", self.account.balance == config.account.balance),
            ("session", self.session == config.alpha_config().session),
        ] {
            if !agrees {
                return Err(line(format!("journal header: {key} and the configuration disagree")));
            }
        }
        Ok(config)
    }

    /// What the types can not say.
    fn check(&self) -> Result<(), String> {
        let known = self.universe()?.len();
        let inside = |ids: &[InstrumentId]| ids.iter().all(|id| id.index() < known);
        if !inside(&self.tradable) || !self.tradable.is_sorted_by(|a, b| a < b) {
            return Err(format!("tradable: not rising numbers of {known} instruments"));
        }
        if self.sources.len() > SOURCES_MAX {
            let count = self.sources.len();
            return Err(format!("sources: {count}, the limit is {SOURCES_MAX}"));
        }
        for (index, source) in self.sources.iter().enumerate() {
            let at = |what: String| format!("sources[{index}] ({}): {what}", source.name);
            source.check(self.frames).map_err(at)?;
            if !inside(&source.instruments) {
                return Err(at(format!("instruments: not numbers of {known} instruments")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
