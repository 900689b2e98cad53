//! What every verb that runs the pipeline over captures is told in the same words: inputs, symbols and configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_io::capture::{OpenOptions, Unit};
use fusewire_io::exchange_info::ExchangeInfo;
use fusewire_io::manifest::Manifest;
use indicatif::ProgressBar;

use crate::config::{Config, ProfileName};
use crate::engine::{self, Plan};
use crate::outcome::Failure;
use crate::progress;
use crate::sources::Source;

/// The arguments.
#[derive(clap::Args)]
pub(super) struct RunArgs {
    /// Recordings, or folders of them. Several are merged by receive time.
    captures: Vec<PathBuf>,
    /// Strategies that trade: quoter, taker, grid, smart-trend, noop. Several are separated by commas.
    #[arg(long, value_name = "NAME,..")]
    strategy: Option<String>,
    /// Limits in force: default, or bench for load tests.
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Market of the recordings: usdm, coinm or spot.
    #[arg(long)]
    market: Option<Market>,
    /// Unit of receive times: ns or us.
    #[arg(long)]
    pub(super) unit: Option<Unit>,
    /// Follow only these report keys, numbered in this order.
    #[arg(long, value_delimiter = ',', value_name = "KEY,..")]
    symbols: Vec<String>,
    /// A recorded exchangeInfo answer: FILE for USD-M, or MARKET=FILE. May be repeated.
    #[arg(long, value_name = "[MARKET=]FILE")]
    exchange_info: Vec<String>,
    /// Run over a broken capture all the same.
    #[arg(long)]
    pub(super) allow_broken: bool,
}

/// Inputs that were scanned, and what of them is followed and traded.
pub(super) struct Inputs {
    pub(super) plan: Plan,
    pub(super) universe: Universe,
    pub(super) tradable: Vec<InstrumentId>,
    /// Goes on with the run; what it shows is hidden off a terminal.
    pub(super) bar: ProgressBar,
}

impl RunArgs {
    /// The configuration file, with what these arguments say over it.
    pub(super) fn configured(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref())?;
        config.risk.profile = self.profile.unwrap_or(config.risk.profile);
        if let Some(list) = &self.strategy {
            config.run.strategy.clone_from(list);
        }
        Ok(config)
    }

    /// Scans the captures and finds their symbols.
    pub(super) fn inputs(&self, config: &Config) -> Result<Inputs, Failure> {
        self.inputs_on(1, config)
    }

    /// The same where `cores` may be used.
    pub(super) fn inputs_on(&self, cores: usize, config: &Config) -> Result<Inputs, Failure> {
        let given = exchange_infos(&self.exchange_info)?;
        let sources = Source::expand(&self.captures)?;
        if self.captures.is_empty() && (self.market.is_some() || self.unit.is_some()) {
            return Err(Failure::line("--market and --unit belong to captures, and none is given"));
        }
        let keys = self.symbols.iter().map(|key| key.trim().to_owned());
        let symbols: Vec<String> = keys.filter(|key| !key.is_empty()).collect();
        let options =
            OpenOptions { market: self.market, unit: self.unit, limits: config.capture_limits() };
        let bar = progress::bytes(sources.iter().map(Source::size).sum(), "scanning");
        let told = &mut |bytes| bar.set_position(bytes);
        let plan = engine::prepare_on(cores, sources, options, config, told)?;
        if !self.allow_broken {
            refuse_broken(&plan.scanned.manifest)?;
        }
        let universe = engine::universe::resolve(config, &symbols, &plan.scanned, &given)?;
        let tradable = engine::universe::tradable(config, &universe)?;
        Ok(Inputs { plan, universe, tradable, bar })
    }
}

fn refuse_broken(manifest: &Manifest) -> Result<(), Failure> {
    if manifest.complete {
        return Ok(());
    }
    Err(Failure(manifest.broken().map(|problem| format!("broken capture: {problem}")).collect()))
}

fn exchange_infos(arguments: &[String]) -> Result<BTreeMap<Market, ExchangeInfo>, Failure> {
    let mut infos = BTreeMap::new();
    for argument in arguments {
        let (market, path) = match argument.split_once('=') {
            Some((market, path)) => (market.parse().map_err(Failure::line)?, path),
            None => (Market::UsdM, argument.as_str()),
        };
        let failed = |error: String| Failure::line(format!("{path}: {error}"));
        let mut body =
            super::read_all(Path::new(path)).map_err(|error| failed(error.to_string()))?;
        let info =
            ExchangeInfo::parse(&mut body, market).map_err(|error| failed(error.to_string()))?;
        infos.insert(market, info);
    }
    Ok(infos)
}
