//! `replay`: the pipeline over captures.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use fusewire_core::event::Control;
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::Keep;
use fusewire_core::sequencer::ControlInput;
use fusewire_core::units::{Nanos, Usd};
use fusewire_io::feed::Pace;
use indicatif::ProgressBar;

use super::run_args::{Inputs, RunArgs};
use crate::config::{Config, RunnerMode};
use crate::engine::{self, Plan, Run, Setup};
use crate::journal::header::Frames;
use crate::journal::writing::Request;
use crate::meter::{Meter, PERIOD_S};
use crate::outcome::{Done, Failure, Outcome, print};
use crate::report::recording::{self, Recording};
use crate::report::{Report, Series, html};
use crate::signals;
use crate::sweep::{Registry, Results};

mod counted;
mod past;

use past::Again;

/// Run the pipeline over captures and print the report. Without a capture: the embedded sample.
///
/// A capture is read twice: first for its manifest, which decides whether it can be trusted, then for
/// the run. A broken capture is refused with what to do about it. The folder of a journal is a capture too.
/// Ctrl-C and SIGTERM end the run between two frames, in order: report and journal are those of the frames
/// up to there, and the exit code is 1. A second one ends the process.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire replay\n  fusewire replay recordings/usdm_btcusdt_20260105.ns.gz --json\n  \
                  fusewire replay recordings/ --symbols BTCUSDT,SPOT:BTCUSDT\n  \
                  fusewire replay --strategy quoter,taker --seed 7 --raise 2@60\n  \
                  fusewire replay recordings/ --journal runs/today\n  \
                  fusewire replay recordings/ --report today.html --check-past=5\n  \
                  fusewire replay recordings/ --runner pinned --pace 10x\n\n\
                  A recording is `<receive time> <frame>` a line in ns or us, or a cryptofeed recording; plain, \
                  gzip or zstd.\nIts market comes from the file name (usdm_, coinm_, spot_), a manifest beside it, \
                  or --market."
)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Seed of all jitter.
    #[arg(long)]
    seed: Option<u64>,
    /// So many seconds from the first event on, strategies see everything and send nothing: what they try is refused
    /// and counted.
    #[arg(long, value_name = "SECONDS")]
    warm_up: Option<u32>,
    /// Raise the kill level to LEVEL (1 no new risk, 2 halt, 3 dead) so many seconds after the first
    /// frame. May be repeated, in the order of time.
    #[arg(long, value_name = "LEVEL@SECONDS")]
    raise: Vec<Raise>,
    /// Ask the venue for the account so many seconds after the first frame, and compare the ledger with it. May
    /// be repeated.
    #[arg(long, value_name = "SECONDS")]
    reconcile: Vec<u32>,
    /// Put AMOUNT of USDT into the account, or take it out when below zero, so many seconds after the first
    /// frame. May be repeated.
    #[arg(long, value_name = "AMOUNT@SECONDS", allow_hyphen_values = true)]
    transfer: Vec<Transfer>,
    /// Who runs the stages: inline (one thread, for results), pinned (threads paced by recorded time, for
    /// latencies) or lockstep (threads that wait for each other).
    #[arg(long, value_name = "MODE")]
    runner: Option<RunnerMode>,
    /// How fast recorded time goes by in a pinned run: 1x to 1000x, or max.
    #[arg(long, value_name = "FACTOR")]
    pace: Option<Pace>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Write a report with charts into this file: one HTML page that needs nothing else. It is drawn from the run's
    /// journal; without --journal one is recorded in the folder for temporary files and removed.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Run again with the future cut off at CUTS places (default: credibility.past_cuts) and compare: a past that
    /// changes is a look-ahead, and the result is NOT CREDIBLE. Keeps eight bytes for each record of a run.
    #[arg(long, value_name = "CUTS", num_args = 0..=1, require_equals = true)]
    check_past: Option<Option<u32>>,
    /// Count the run in this registry of trials, as sweeps do: who repeats replays by hand until one looks good makes
    /// trials too. docs/sweep.md describes the file.
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Record the run in this folder, which must be new or empty: see `fusewire journal`.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Keep frames in the journal by reference to the capture, or as a copy.
    #[arg(long, value_name = "HOW", default_value = "reference", requires = "journal")]
    journal_frames: JournalFrames,
    /// Go on with an interrupted journal: everything up to the interruption must come out again.
    #[arg(long, requires = "journal")]
    resume: bool,
}

/// How a journal keeps frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum JournalFrames {
    /// Where in the capture each lies. The capture must stay as it is.
    Reference,
    /// The frames themselves. The journal needs no capture.
    Copy,
}

impl From<JournalFrames> for Frames {
    fn from(how: JournalFrames) -> Self {
        match how {
            JournalFrames::Reference => Self::Reference,
            JournalFrames::Copy => Self::Copy,
        }
    }
}

/// Runs the verb.
///
/// # Errors
/// Bad usage, an unreadable input, or a capture that is refused.
pub fn run(args: &Args) -> Outcome {
    let started = Instant::now();
    let config = configured(args)?;
    let strategies = config.strategies(&config.run.strategy).map_err(Failure::line)?;
    let (names, strategies): (Vec<String>, Vec<_>) = strategies.into_iter().unzip();
    if !args.raise.is_sorted_by_key(|raise| raise.after) {
        return Err(Failure::line("--raise: give them in the order of time"));
    }
    if let Some(path) = &args.report {
        recording::refuse_unwritable(path)?;
        args.journal.iter().try_for_each(|dir| recording::refuse_beheaded(dir, &config))?;
    }
    let Inputs { mut plan, universe, tradable, bar } = args.run.inputs(&config)?;
    let controls = controls(args, &plan);
    let (recording, journal, run_config) = recorded(args, &config);
    let mut setup = Setup {
        universe,
        tradable,
        strategies,
        controls,
        keep: Keep::Digest,
        kill: KillSwitch::new(),
        journal,
        allow_broken: args.run.allow_broken,
    };
    let again = Again::new(args.check_past, &config, &setup)?;
    if again.is_some() {
        setup.keep = Keep::Prefixes;
    }
    let registries: Vec<Registry> =
        args.registry.iter().map(|path| Registry::open(path)).collect::<Result<_, _>>()?;
    signals::stop(&plan.stop)?;
    let counted = counted::begin(&registries, args.run.unit, &config, &plan, &setup)?;
    let going = Going { names, config: &config, run_config, again, recording, bar, started };
    let told = going.run(&mut plan, setup);
    let is_stopped = plan.stop.load(Ordering::Relaxed);
    if let Some(counted) = counted.filter(|_| !is_stopped) {
        let results = told.as_ref().map_err(Clone::clone).and_then(Told::results);
        counted.end(results.as_ref())?;
    }
    let Told { report, series, .. } = told?;
    if let Some((path, series)) = args.report.as_deref().zip(series.as_ref()) {
        recording::write(path, &html::render(&report, series, &config)?)?;
    }
    print(&if args.json { report.to_json()? } else { report.to_text() })?;
    if is_stopped {
        tracing::error!("stopped by a signal: this is the run over the frames up to there");
        return Ok(Done::No);
    }
    Ok(verdict(&report, args.run.allow_broken))
}

/// What is needed beside inputs and stages.
struct Going<'a> {
    names: Vec<String>,
    config: &'a Config,
    /// The same, as the run's journal takes it.
    run_config: Config,
    again: Option<Again>,
    recording: Option<Recording>,
    bar: ProgressBar,
    started: Instant,
}

/// What there is to tell of a run.
struct Told {
    report: Report,
    series: Option<Series>,
    meter: Meter,
}

impl Going<'_> {
    /// The run, the look back, and the report.
    fn run(self, plan: &mut Plan, setup: Setup) -> Result<Told, Failure> {
        let Self { names, config, run_config, again, recording, bar, started } = self;
        bar.set_message("replay");
        bar.set_position(0);
        let shown = bar.clone();
        let progress = Box::new(move |bytes| shown.set_position(bytes));
        let mut meter = Meter::new(config, Nanos(u64::from(PERIOD_S) * Nanos::SECOND));
        let mut ready = engine::start(plan, setup, &run_config, progress)?;
        ready.drive_watched(&mut |risk| meter.look(risk))?;
        let run = ready.end()?;
        meter.end(&run.risk);
        bar.set_message("looking back");
        let past = again.map(|again| again.check(plan, &run)).transpose()?.flatten();
        bar.finish_and_clear();
        let series = recording.map(|recording| draw(&recording, plan, &run)).transpose()?;
        let manifest = (plan.scanned.manifest.clone(), past);
        let wall = started.elapsed();
        let mut report = Report::new(&names, config, manifest, (&run, &meter), wall);
        report.curves = series.as_ref().map(|series| series.figures.clone());
        Ok(Told { report, series, meter })
    }
}

impl Told {
    /// As the registry takes it.
    fn results(&self) -> Result<Results, Failure> {
        Results::new(&self.report, self.meter.equity())
    }
}

/// Where the run is recorded: for a journal, or only for its report.
fn recorded(args: &Args, config: &Config) -> (Option<Recording>, Option<Request>, Config) {
    let journal = args.journal.clone().map(|dir| Request {
        dir,
        frames: args.journal_frames.into(),
        resume: args.resume,
    });
    if args.report.is_none() {
        return (None, journal, config.clone());
    }
    let (recording, request, config) = Recording::of(journal, config);
    (Some(recording), Some(request), config)
}

/// What the run looked like over time, from its journal.
fn draw(recording: &Recording, plan: &Plan, run: &Run) -> Result<Series, Failure> {
    let manifest = &plan.scanned.manifest;
    let span = (manifest.first_recv, manifest.last_recv);
    Series::of_journal(recording.dir(), run.feed.feed().universe(), span)
}

/// The configuration, with what the command line says over it.
fn configured(args: &Args) -> Result<Config, Failure> {
    let mut config = args.run.configured()?;
    config.run.seed = args.seed.unwrap_or(config.run.seed);
    config.run.warm_up_s = args.warm_up.unwrap_or(config.run.warm_up_s);
    config.runner.mode = args.runner.unwrap_or(config.runner.mode);
    if let Some(pace) = args.pace {
        if config.runner.mode != RunnerMode::Pinned {
            return Err(Failure::line("--pace belongs to --runner pinned"));
        }
        config.runner.pace = pace.to_string();
    }
    Ok(config)
}

/// A kill level to be raised, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Raise {
    level: Level,
    /// Whole seconds after the first frame.
    after: u32,
}

impl FromStr for Raise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (level, after) = text.split_once('@').ok_or("LEVEL@SECONDS, for example 2@60")?;
        let number = level.parse().ok().filter(|number| *number > 0);
        let level = number.and_then(Level::from_number).ok_or("the level is 1, 2 or 3")?;
        let after = after.parse().map_err(|error| format!("seconds '{after}': {error}"))?;
        Ok(Self { level, after })
    }
}

/// Money to be put in or taken out, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transfer {
    amount: Usd,
    /// Whole seconds after the first frame.
    after: u32,
}

impl FromStr for Transfer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (amount, after) = text.split_once('@').ok_or("AMOUNT@SECONDS, for example -250@60")?;
        let amount =
            Usd::parse(amount.as_bytes()).map_err(|error| format!("amount '{amount}': {error}"))?;
        let after = after.parse().map_err(|error| format!("seconds '{after}': {error}"))?;
        Ok(Self { amount, after })
    }
}

/// All commands, by time; at equal times kill levels first.
fn controls(args: &Args, plan: &Plan) -> Vec<ControlInput> {
    let first = plan.scanned.manifest.first_recv;
    let control = |after: u32, control| ControlInput {
        at: Nanos(first.0 + u64::from(after) * Nanos::SECOND),
        control,
    };
    let raises = args.raise.iter().map(|raise| control(raise.after, Control::Raise(raise.level)));
    let moves = args.transfer.iter().map(|t| control(t.after, Control::Transfer(t.amount)));
    let looks = args.reconcile.iter().map(|after| control(*after, Control::Reconcile));
    let mut all: Vec<_> = raises.chain(moves).chain(looks).collect();
    all.sort_by_key(|input| input.at);
    all
}

/// A book that has depth frames and ends without being in step is a "no", unless the user knew. So is a result that
/// is not to be believed.
fn verdict(report: &Report, allow_broken: bool) -> Done {
    let lost: Vec<&str> = report.lost_books().collect();
    let mut done = Done::Yes;
    if !lost.is_empty() && !allow_broken {
        tracing::error!(books = lost.join(", "), "books not in step at the end");
        done = Done::No;
    }
    if !report.credibility.credible {
        let codes: Vec<&str> = report.credibility.findings.iter().map(|found| found.code).collect();
        tracing::error!(findings = codes.join(", "), "the result is not to be believed");
        done = Done::No;
    }
    done
}
