//! `sweep`: many runs over the same captures, each with other values of the configuration.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use fusewire_core::units::Nanos;

use super::run_args::{Inputs, RunArgs};
use crate::config::{Config, RunnerMode};
use crate::engine::Plan;
use crate::export::{self, Format};
use crate::outcome::{Done, Failure, Outcome, print};
use crate::progress;
use crate::signals;
use crate::sources::Source;
use crate::sweep::{
    Axis, CaptureId, Decoded, Definition, Ended, Missing, Range, Registry, Shared, Summary, Sweep,
    Trial, check, instruments_hash, render, stamped, trials, work, write_table,
};

/// Run the pipeline once for each of many configurations, and put the results into one table.
///
/// Every trial is an inline run, as a replay is, over captures that are scanned and decoded once. A trial is written to a
/// registry before it begins, so that those count too that are killed, fail or are repeated: the number of
/// trials is what a deflated Sharpe ratio takes. The same command with the same --out goes on where it ended:
/// what is done stays done. Ctrl-C and SIGTERM end it in order, exit code 1; a second one ends the process. A trial
/// that gives up or whose result is NOT CREDIBLE makes the exit code 1 too.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire sweep --grid quoter.half_spread_bp=1,2,4 --out sweeps/spread\n  \
                  fusewire sweep recordings/ --strategy taker --grid taker.confirm=2,3,4 \\\n      \
                  --random taker.threshold_ppm=300000..800000 --trials 20 --seed 7 --out sweeps/taker\n  \
                  fusewire sweep recordings/ --random quoter.skew_bp=log:0.5..8 --trials 50 \\\n      \
                  --registry sweeps/all.jsonl --out sweeps/skew\n\n\
                  docs/sweep.md describes the folder, the registry and the columns of the table."
)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Values of a key of the configuration. May be repeated: the trials are all combinations, the last key
    /// moving fastest.
    #[arg(long, value_name = "SECTION.KEY=V1,V2,..")]
    grid: Vec<Axis>,
    /// A range that values of a key are drawn from, evenly, or with log: evenly in their logarithms. May be
    /// repeated. Each draw is tried at each point of the grid.
    #[arg(long, value_name = "SECTION.KEY=[log:]LO..HI", requires = "trials")]
    random: Vec<Range>,
    /// How many draws.
    #[arg(long, value_name = "N", requires = "random", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Seed of the draws. That of the runs is run.seed.
    #[arg(long, value_name = "S", default_value = "1", requires = "random")]
    seed: u64,
    /// Folder of the sweep: definition, registry and table.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Count the runs here too, beside those of other sweeps.
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Trials at a time; as many as there are cores without it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Length of the periods whose returns are summed up, in seconds of event time.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    period: u32,
    /// The format of the table, DIR/results.parquet or DIR/results.csv.
    #[arg(long, default_value = "parquet")]
    format: Format,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// Bad usage, an unreadable or broken capture, another sweep in the folder, or a file that can not be written.
pub fn run(args: &Args) -> Outcome {
    let started = Instant::now();
    export::is_built_in(args.format).map_err(Failure::line)?;
    let mut config = args.run.configured()?;
    // Results come from inline runs, whatever a file says for others.
    config.runner.mode = RunnerMode::Inline;
    let draws = (args.trials.unwrap_or(1), args.seed);
    let trials = trials(&config, &args.grid, &args.random, draws)?;
    let threads = jobs(args.jobs)?;
    let mut inputs = args.run.inputs_on(threads, &config)?;
    inputs.bar.finish_and_clear();
    check(&trials, &config, inputs.universe.len())?;
    let definition = definition(args, &config, &inputs)?;
    let folder = Folder::open(&args.out, &definition)?;
    let registries = folder.registries(args.registry.as_deref())?;
    let id = definition.id();
    let own = registries.last().ok_or_else(|| Failure::line("a sweep without a registry"))?;
    let before = own.done(&id)?;
    let pending: Vec<&Trial> =
        trials.iter().filter(|trial| !before.contains_key(&trial.number)).collect();
    signals::stop(&inputs.plan.stop)?;
    let tapes = Decoded::of(&args.out, &definition);
    let decoded = decode(&tapes, &mut inputs.plan, pending.len(), threads);
    let shared = Shared {
        plan: &inputs.plan,
        universe: &inputs.universe,
        tradable: &inputs.tradable,
        config: &config,
        allow_broken: args.run.allow_broken,
        period: Nanos(u64::from(args.period) * Nanos::SECOND),
    };
    let sweep = Sweep { shared, id, captures: definition.captures_id(), registries };
    let jobs = threads.min(pending.len().max(1));
    let bar = progress::trials(trials.len() as u64, before.len() as u64);
    let kept = before.len() as u64;
    let mut ended: BTreeMap<u64, Ended> = before
        .into_iter()
        .map(|(number, results)| (number, Ended::Done(Box::new(results))))
        .collect();
    ended.append(&mut work(&sweep, &pending, jobs, &|| bar.inc(1))?);
    bar.finish_and_clear();
    let is_whole = ended.len() == trials.len();
    let results = is_whole.then(|| folder.results(args.format));
    if let Some(path) = &results {
        write_table(path, args.format, &trials, &ended)?;
    }
    let failed = ended.values().filter(|ended| matches!(ended, Ended::Failed(_))).count() as u64;
    if is_whole && failed == 0 {
        tapes.remove();
    }
    let first = &sweep.registries[0];
    let summary = Summary {
        trials: trials.len() as u64,
        done: ended.len() as u64 - failed,
        kept,
        failed,
        not_credible: stamped(&ended).trials,
        stopped: inputs.plan.stop.load(Ordering::Relaxed),
        jobs,
        decoded,
        results: results.map(|path| path.display().to_string()),
        registry: first.path().display().to_string(),
        registered: first.count()?,
        wall_s: started.elapsed().as_secs_f64(),
        sweep: sweep.id,
    };
    print(&shown(args.json, &summary, &trials, &ended)?)?;
    Ok(verdict(&summary, &ended))
}

/// Lets trials read recordings that are decoded once for all of them; when one is left, it may do that itself.
fn decode(tapes: &Decoded<'_>, plan: &mut Plan, trials: usize, threads: usize) -> usize {
    let missing = match trials {
        0 => return 0,
        1 => Missing::Leave,
        _ => Missing::Make,
    };
    let bar = progress::bytes(plan.sources().map(Source::size).sum(), "decoding");
    let count = tapes.read(plan, missing, threads, &|bytes| bar.inc(bytes));
    bar.finish_and_clear();
    count
}

fn shown(
    json: bool,
    summary: &Summary,
    trials: &[Trial],
    ended: &BTreeMap<u64, Ended>,
) -> Result<String, Failure> {
    if json {
        return Ok(serde_json::to_string_pretty(summary).map_err(Failure::line)? + "\n");
    }
    Ok(render(summary, trials, ended))
}

/// A stopped sweep, a trial that gave up and a result that is not to be believed are each a "no".
fn verdict(summary: &Summary, ended: &BTreeMap<u64, Ended>) -> Done {
    if summary.stopped {
        tracing::error!("stopped by a signal: run it again with the same arguments to go on");
    }
    if summary.failed > 0 {
        tracing::error!(failed = summary.failed, "trials gave up: the column error says why");
    }
    if summary.not_credible > 0 {
        let findings = stamped(ended).to_string();
        tracing::error!(findings, trials = summary.not_credible, "results are not to be believed");
    }
    let is_no = summary.stopped || summary.failed > 0 || summary.not_credible > 0;
    if is_no { Done::No } else { Done::Yes }
}

fn definition(args: &Args, config: &Config, inputs: &Inputs) -> Result<Definition, Failure> {
    let instruments: Vec<_> = inputs.universe.iter().map(|(_, one)| one.clone()).collect();
    let captures = inputs.plan.sources().map(CaptureId::of);
    Ok(Definition {
        build: Definition::this_build(),
        captures: captures.collect::<Result<_, _>>()?,
        unit: args.run.unit.map(|unit| unit.to_string()),
        symbols: instruments.iter().map(|one| one.key()).collect(),
        instruments: instruments_hash(&instruments),
        config: Definition::config_of(config),
        grid: args.grid.clone(),
        random: args.random.clone(),
        draws: args.trials.unwrap_or(1),
        seed: args.seed,
        period_s: args.period,
    })
}

fn jobs(asked: Option<NonZeroUsize>) -> Result<usize, Failure> {
    let all = || std::thread::available_parallelism().map_err(Failure::line);
    asked.map_or_else(all, Ok).map(NonZeroUsize::get)
}

/// The folder of a sweep, held by one process.
struct Folder {
    path: PathBuf,
    /// Locked until it is closed.
    _lock: File,
}

impl Folder {
    /// Makes the folder or goes on in it.
    fn open(path: &Path, definition: &Definition) -> Result<Self, Failure> {
        let failed = |path: &Path, error: &dyn std::fmt::Display| {
            Failure::line(format!("{}: {error}", path.display()))
        };
        fs::create_dir_all(path).map_err(|error| failed(path, &error))?;
        let lock = path.join("lock");
        let file = File::create(&lock).map_err(|error| failed(&lock, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(path, &"another sweep is at work in this folder"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&lock, &error)),
        }
        definition.keep(&path.join("sweep.json"))?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    /// The registry that was asked for, if any, and the folder's own, which is the last.
    fn registries(&self, asked: Option<&Path>) -> Result<Vec<Registry>, Failure> {
        let own = Registry::open(&self.path.join("trials.jsonl"))?;
        let asked = asked.map(Registry::open).transpose()?;
        let place = |registry: &Registry| registry.path().canonicalize().ok();
        let other = asked.filter(|asked| place(asked) != place(&own));
        Ok(other.into_iter().chain([own]).collect())
    }

    fn results(&self, format: Format) -> PathBuf {
        self.path.join(match format {
            Format::Csv => "results.csv",
            Format::Parquet => "results.parquet",
        })
    }
}
