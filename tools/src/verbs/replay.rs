//! `replay`: the pipeline over captures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fusewire_core::instrument::Market;
use fusewire_io::capture::{OpenOptions, Unit};
use fusewire_io::exchange_info::ExchangeInfo;
use fusewire_io::manifest::Manifest;
use fusewire_strategies::registry::AnyStrategy;

use crate::config::Config;
use crate::engine;
use crate::outcome::{Done, Failure, Outcome, print};
use crate::progress;
use crate::report::Report;
use crate::sources::Source;

/// Run the pipeline over captures and print the report. Without a capture: the embedded sample.
///
/// A capture is read twice: first for its manifest, which decides whether it can be trusted, then for
/// the run. A broken capture is refused with what to do about it.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire replay\n  fusewire replay recordings/usdm_btcusdt_20260105.ns.gz --json\n  \
                  fusewire replay recordings/ --symbols BTCUSDT,SPOT:BTCUSDT\n\n\
                  A recording is `<receive time> <frame>` a line in ns or us, or a cryptofeed recording; plain, \
                  gzip or zstd.\nIts market comes from the file name (usdm_, coinm_, spot_), a manifest beside it, \
                  or --market."
)]
pub struct Args {
    /// Recordings, or folders of them. Several are merged by receive time.
    captures: Vec<PathBuf>,
    /// Strategy that sees the market (noop).
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Market of the recordings: usdm, coinm or spot.
    #[arg(long)]
    market: Option<Market>,
    /// Unit of receive times: ns or us.
    #[arg(long)]
    unit: Option<Unit>,
    /// Follow only these report keys, numbered in this order.
    #[arg(long, value_delimiter = ',', value_name = "KEY,..")]
    symbols: Vec<String>,
    /// A recorded exchangeInfo answer: FILE for USD-M, or MARKET=FILE. May be repeated.
    #[arg(long, value_name = "[MARKET=]FILE")]
    exchange_info: Vec<String>,
    /// Run over a broken capture all the same.
    #[arg(long)]
    allow_broken: bool,
}

/// Runs the verb.
///
/// # Errors
/// Bad usage, an unreadable input, or a capture that is refused.
pub fn run(args: &Args) -> Outcome {
    let started = Instant::now();
    let config = Config::load(args.config.as_deref())?;
    let name = args.strategy.as_ref().unwrap_or(&config.run.strategy);
    let strategy = AnyStrategy::by_name(name).map_err(Failure::line)?;
    let given = exchange_infos(&args.exchange_info)?;
    let sources = Source::expand(&args.captures)?;
    if args.captures.is_empty() && (args.market.is_some() || args.unit.is_some()) {
        return Err(Failure::line("--market and --unit belong to captures, and none is given"));
    }
    let symbols: Vec<String> = args
        .symbols
        .iter()
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty())
        .collect();
    let options =
        OpenOptions { market: args.market, unit: args.unit, limits: config.capture_limits() };
    let bar = progress::bytes(sources.iter().map(Source::size).sum(), "scanning");
    let plan = engine::prepare(sources, options, &config, &mut |bytes| bar.set_position(bytes))?;
    if !args.allow_broken {
        refuse_broken(&plan.scanned.manifest)?;
    }
    let universe = engine::universe::resolve(&config, &symbols, &plan.scanned, &given)?;
    bar.set_message("replay");
    bar.set_position(0);
    let run =
        engine::run(&plan, universe, &config, strategy, &mut |bytes| bar.set_position(bytes))?;
    bar.finish_and_clear();
    let report = Report::new(name, plan.scanned.manifest, &run, started.elapsed());
    print(&if args.json { report.to_json()? } else { report.to_text() })?;
    Ok(verdict(&report, args.allow_broken))
}

/// A book that has depth frames and ends without being in step is a "no", unless the user knew.
fn verdict(report: &Report, allow_broken: bool) -> Done {
    let lost: Vec<&str> = report.lost_books().collect();
    if lost.is_empty() || allow_broken {
        return Done::Yes;
    }
    tracing::error!(books = lost.join(", "), "books not in step at the end");
    Done::No
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
