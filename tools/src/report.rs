//! What a replay says at its end, as JSON with stable keys and as text for people.

use std::collections::BTreeMap;
use std::time::Duration;

use fusewire_core::book::Book;
use fusewire_core::instrument::Instrument;
use fusewire_core::latency::Span;
use fusewire_core::market::Kind;
use fusewire_io::manifest::{Ignored, Manifest};
use serde::Serialize;

use crate::clock;
use crate::config::Config;
use crate::credibility::{self, Credibility, Past};
use crate::engine::Run;
use crate::latency::{self, Latency};
use crate::meter::Meter;
use crate::outcome::Failure;

mod account;
mod attribution;
mod data;
pub mod html;
mod kpi;
mod ledger;
pub mod recording;
pub mod series;
mod text;
mod trading;

pub use account::AccountReport;
pub use attribution::Attribution;
pub use data::DataReport;
pub use kpi::{BarToDecision, Kpi, Sensitivity, SharpeReport};
pub use ledger::{ClosedReport, ExitReport, LedgerReport, WinRate};
pub use series::{Curves, KillEntry, Series};
pub use trading::{Pnl, PositionReport, Trading};

/// The report of a replay.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Program version and commit.
    pub version: &'static str,
    /// Whether the result is to be believed.
    pub credibility: Credibility,
    /// Strategies, by seat.
    pub strategy: String,
    /// Seed of all jitter.
    pub seed: u64,
    /// Frames taken, REST answers included.
    pub frames: u64,
    /// Decoded messages by kind, named as on the wire.
    pub messages: BTreeMap<&'static str, u64>,
    /// What was decided and what came of it.
    #[serde(flatten)]
    pub trading: Trading,
    /// Key figures.
    pub kpi: Kpi,
    /// Rows that were understood and left out.
    pub ignored: Ignored,
    /// Messages of symbols outside the universe.
    pub outside_universe: u64,
    /// Malformed frames.
    pub malformed: u64,
    /// Malformed frames by stream.
    pub stale_streams: BTreeMap<String, u64>,
    /// Lines and tails that could not be read and were passed over.
    pub damaged: u64,
    /// Frames with more levels than `ring.levels`, which invalidated their book.
    pub oversized: u64,
    /// Frames that the fast decoder handed to the reference decoder.
    pub handed_over: u64,
    /// The books at the end, by report key.
    pub books: BTreeMap<String, BookReport>,
    /// Who ran the stages: inline, pinned or lockstep.
    pub runner: &'static str,
    /// How long each stage took, by its name.
    pub latency_ns: BTreeMap<&'static str, Latency>,
    /// How it was measured, and what that cost.
    pub measuring: Measuring,
    /// Latency budgets and how they were kept, by stage.
    pub gates: BTreeMap<&'static str, GateReport>,
    /// Equity and drawdown over time, when the run was folded for a report with charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
    /// What the capture holds.
    pub manifest: Manifest,
    /// Wall time of the whole command, in seconds. Says nothing about latency.
    pub wall_s: f64,
    /// Largest resident memory of the process so far, in bytes; absent where the system does not tell.
    pub memory_peak_bytes: Option<u64>,
}

/// How latencies were measured.
#[derive(Debug, Serialize)]
pub struct Measuring {
    /// Of so many messages one was measured at each stage boundary.
    pub sample: u32,
    /// Cost of one reading of the clock on this machine, in ns. A measured message takes one at each of its six
    /// boundaries, any other frame one.
    pub clock_read_ns: f64,
}

/// The latency budget of one stage.
#[derive(Debug, Serialize)]
pub struct GateReport {
    /// Budget for the 99th percentile, in ns.
    pub budget_ns: u64,
    /// Windows of which the 99th percentile was above it: of an inline run, which is one window, at most 1.
    pub breaches: u64,
}

/// `VmHWM` of this process.
fn memory_peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// A book at the end of a run. Without a valid book there is no price.
#[derive(Debug, Serialize)]
pub struct BookReport {
    /// Best bid.
    pub bid: Option<String>,
    /// Best ask.
    pub ask: Option<String>,
    /// Quantity at the best bid.
    pub bid_qty: Option<String>,
    /// Quantity at the best ask.
    pub ask_qty: Option<String>,
    /// Levels held, both sides.
    pub levels: u64,
    /// Breaks in the update ids.
    pub gaps: u64,
    /// Times that it was crossed and quarantined.
    pub crossed: u64,
    /// True when it is in step with the exchange.
    pub synced: bool,
    /// `synced`, or why not.
    pub state: &'static str,
    /// Frames applied.
    pub applied: u64,
    /// Snapshots loaded.
    pub snapshots: u64,
    /// Levels that did not fit the bounds.
    pub levels_dropped: u64,
    /// Prices off the grid that made it finer.
    pub regrids: u64,
}

impl BookReport {
    fn new(book: &Book) -> Self {
        let (bids, asks) = book.levels();
        let touch = book.touch().unwrap_or_default();
        let stats = book.stats();
        Self {
            bid: touch.bid.map(|level| level.price.to_string()),
            ask: touch.ask.map(|level| level.price.to_string()),
            bid_qty: touch.bid.map(|level| level.qty.to_string()),
            ask_qty: touch.ask.map(|level| level.qty.to_string()),
            levels: u64::from(bids) + u64::from(asks),
            gaps: stats.gaps,
            crossed: stats.crossed,
            synced: book.state().is_ok(),
            state: book.state().err().map_or("synced", |why| why.name()),
            applied: stats.applied,
            snapshots: stats.snapshots,
            levels_dropped: stats.levels_dropped,
            regrids: stats.regrids,
        }
    }
}

impl Report {
    /// The report of a finished run, and of what was measured while it went on.
    #[must_use]
    pub fn new(
        names: &[String],
        config: &Config,
        (manifest, past): (Manifest, Option<Past>),
        (run, meter): (&Run, &Meter),
        wall: Duration,
    ) -> Self {
        let facts = credibility::of_run(run, config, &manifest, past);
        let feed = run.feed.feed();
        let (counts, faults) = (feed.counts(), run.feed.faults());
        let kinds = Kind::ALL.into_iter().zip(counts.messages);
        let book = |(id, instrument): (_, &Instrument)| {
            (instrument.key(), BookReport::new(run.sequencer.books().get(id)))
        };
        Self {
            version: crate::cli::VERSION,
            credibility: credibility::judge(&facts, &config.credibility),
            strategy: names.join(","),
            seed: config.run.seed,
            frames: counts.frames,
            trading: Trading::new(run, config, names),
            kpi: Kpi::new(run, meter, &manifest),
            messages: kinds.filter(|(_, n)| *n > 0).map(|(kind, n)| (kind.name(), n)).collect(),
            ignored: counts.ignored.into(),
            outside_universe: counts.outside,
            malformed: counts.malformed,
            stale_streams: faults.stale_streams.clone(),
            damaged: faults.damaged,
            oversized: run.feed.oversized(),
            handed_over: feed.handed_over(),
            books: feed.universe().iter().map(book).collect(),
            runner: config.runner.mode.name(),
            latency_ns: latencies(run),
            measuring: Measuring {
                sample: config.sample(),
                clock_read_ns: (clock::cost_ns() * 10.0).round() / 10.0,
            },
            gates: gates(run, config),
            curves: None,
            manifest,
            wall_s: wall.as_secs_f64(),
            memory_peak_bytes: memory_peak_bytes(),
        }
    }

    /// Books that the capture has depth frames for and that are out of step at the end.
    pub fn lost_books(&self) -> impl Iterator<Item = &str> {
        let has_depth = |key: &str| {
            let messages = self.manifest.symbols.get(key).map(|symbol| &symbol.messages);
            messages.is_some_and(|m| m.contains_key(Kind::Depth.name()))
        };
        self.books
            .iter()
            .filter(move |(key, book)| !book.synced && has_depth(key))
            .map(|(key, _)| key.as_str())
    }

    /// One JSON document.
    ///
    /// # Errors
    /// Never on a report of this program; kept as an error because a panic would lose the run.
    pub fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(Failure::line)
    }

    /// For people.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::render(self)
    }
}

fn latencies(run: &Run) -> BTreeMap<&'static str, Latency> {
    let counts = Span::ALL.map(|span| (span, run.latencies.read(span)));
    latency::by_span(counts.iter().map(|(span, counts)| (*span, counts)))
}

fn gates(run: &Run, config: &Config) -> BTreeMap<&'static str, GateReport> {
    let gate = |span: Span| {
        let budget_ns = config.gates.budget(span)?.0;
        Some((span.name(), GateReport { budget_ns, breaches: run.breaches[span as usize] }))
    };
    Span::ALL.into_iter().filter_map(gate).collect()
}
