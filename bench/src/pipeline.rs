//! The whole pipeline over frames in memory, inline, as the program's own composition joins it: what a
//! replay costs beside decoding alone, and how long it takes from a frame to the order that it causes.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Instant;

use core_affinity::CoreId;
use fusewire::config::{Config, LockMemory, ProfileName, RunnerMode};
use fusewire::engine::{self, Plan, Ready, Setup};
use fusewire::journal::header::Frames;
use fusewire::journal::writing::Request;
use fusewire::latency::Latency;
use fusewire::meter::{Meter, PERIOD_S};
use fusewire::outcome::Failure;
use fusewire_core::event::Event;
use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::decode::decode;
use fusewire_core::lane::{Decoded as Record, Keep, RecordKind};
use fusewire_core::latency::{Counts, Span};
use fusewire_core::market::Decoded;
use fusewire_core::units::Nanos;
use fusewire_io::capture::OpenOptions;
use fusewire_io::decode::Decoder;
use tempfile::TempDir;

use crate::measure::Subject;
use crate::tape::{Recordings, Tape};

/// A quoter that follows every move, below the budgets of the profile `bench`.
const BUSY: &str = "[quoter]\nchange_interval_ms = 1\nrequote_bp = \"0.01\"\nquotes_per_minute = 50_000\n\
                    symbol_quotes_per_minute = 50_000\namends_per_minute = 50_000\n";

/// What a run needs to know, found out once.
pub struct Course {
    config: Config,
    plan: Plan,
    universe: Universe,
    tradable: Vec<InstrumentId>,
    strategies: String,
    journal: Journal,
}

/// Whether a run is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// With a journal that refers to its frames.
    On,
    /// Without one.
    Off,
}

/// A run that is ready; its journal lies in the folder for scratch files.
struct Started {
    ready: Ready,
    /// Looks at the account meanwhile, as it does in every run of the program.
    meter: Meter,
    /// Dropped behind the run, which writes to it.
    _folder: TempDir,
}

impl Started {
    fn drive(&mut self) -> Result<(), Failure> {
        let Self { ready, meter, .. } = self;
        ready.drive_watched(&mut |risk| meter.look(risk))
    }
}

impl Course {
    /// Over these recordings, with these strategies under the limits of the profile `bench`.
    ///
    /// # Errors
    /// The recordings can not be read, or nothing describes their symbols.
    pub fn new(recordings: &Recordings, strategies: &str) -> Result<Self, String> {
        Self::configured(Config::default(), recordings, strategies)
    }

    fn configured(
        mut config: Config,
        recordings: &Recordings,
        strategies: &str,
    ) -> Result<Self, String> {
        config.risk.profile = ProfileName::Bench;
        let limits = config.capture_limits();
        let options = OpenOptions { market: Some(Market::UsdM), unit: None, limits };
        let sources = recordings.sources.clone();
        let plan = engine::prepare(sources, options, &config, &mut |_| {}).map_err(text)?;
        let given = BTreeMap::new();
        let universe =
            engine::universe::resolve(&config, &[], &plan.scanned, &given).map_err(text)?;
        Self::of(config, plan, universe, strategies)
    }

    /// The same with a quoter that follows every move of the market at once, so that there are orders enough for
    /// percentiles.
    ///
    /// # Errors
    /// As `new`.
    pub fn busy(recordings: &Recordings, strategies: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("busy.toml");
        std::fs::write(&file, BUSY).map_err(|error| error.to_string())?;
        let config = Config::load(Some(&file)).map_err(|faults| faults.join(", "))?;
        Self::configured(config, recordings, strategies)
    }

    /// The same on threads, each on a core of its own, paced by recorded time: on one core all stages, on two the
    /// feed and the sequencer apart from the others.
    ///
    /// # Errors
    /// As `new`.
    ///
    /// # Panics
    /// With more cores.
    pub fn paced(
        recordings: &Recordings,
        strategies: &str,
        (cores, pace): (&[CoreId], &str),
    ) -> Result<Self, String> {
        let mut course = Self::busy(recordings, strategies)?;
        let Config { runner, gates, .. } = &mut course.config;
        runner.mode = RunnerMode::Pinned;
        runner.threads = match cores.len() {
            1 => "feed+sequencer+alpha+risk+gateway",
            2 => "feed+sequencer, alpha+risk+gateway",
            more => panic!("{more} cores"),
        }
        .to_owned();
        runner.cores = cores.iter().map(|core| core.id as u16).collect();
        runner.pace = pace.to_owned();
        runner.lock_memory = LockMemory::Off;
        // Measured as rarely as inline, or the readings of the clock would be in the difference.
        gates.sample_threads = gates.sample_inline;
        Ok(course)
    }

    /// Over inputs that were scanned before, with symbols that are known.
    ///
    /// # Errors
    /// The configuration names a symbol that can not be traded.
    pub fn of(
        mut config: Config,
        mut plan: Plan,
        universe: Universe,
        strategies: &str,
    ) -> Result<Self, String> {
        plan.in_memory = true;
        if config.strategies(strategies).is_ok() {
            strategies.clone_into(&mut config.run.strategy);
        }
        let tradable = engine::universe::tradable(&config, &universe).map_err(text)?;
        let (strategies, journal) = (strategies.to_owned(), Journal::On);
        Ok(Self { config, plan, universe, tradable, strategies, journal })
    }

    /// The same, reading its inputs while it runs, as a replay does, with a journal or without.
    #[must_use]
    pub fn reading(mut self, journal: Journal) -> Self {
        self.plan.in_memory = false;
        self.journal = journal;
        self
    }

    /// Requests that one run sends: orders, amends and cancels.
    ///
    /// # Errors
    /// As `tick_to_trade`.
    pub fn requests(&self) -> Result<u64, String> {
        let mut started = self.start()?;
        started.drive().map_err(text)?;
        let counts = started.ready.run().gateway.counts();
        Ok(counts.new + counts.amends + counts.cancels)
    }

    /// Joins the stages and begins the journal, which refers to its frames. A run with the same strategy several
    /// times has none: no configuration could say what ran.
    fn start(&self) -> Result<Started, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let dir = folder.path().join("journal");
        let request = Request { dir, frames: Frames::Reference, resume: false };
        let nameable = self.config.run.strategy == self.strategies;
        let journal = (nameable && self.journal == Journal::On).then_some(request);
        let setup = self.setup(Keep::Digest, journal)?;
        let ready = engine::start(&self.plan, setup, &self.config, Box::new(|_| {}));
        let meter = Meter::new(&self.config, Nanos(u64::from(PERIOD_S) * Nanos::SECOND));
        Ok(Started { ready: ready.map_err(text)?, meter, _folder: folder })
    }

    fn setup(&self, keep: Keep, journal: Option<Request>) -> Result<Setup, String> {
        // One by one, because a run may have the same strategy several times here.
        let named = self.strategies.split(',').map(|name| self.config.strategies(name));
        let strategies: Vec<Vec<_>> = named.collect::<Result<_, _>>()?;
        Ok(Setup {
            universe: self.universe.clone(),
            tradable: self.tradable.clone(),
            strategies: strategies.into_iter().flatten().map(|(_, strategy)| strategy).collect(),
            controls: Vec::new(),
            keep,
            kill: KillSwitch::new(),
            journal,
            allow_broken: false,
        })
    }

    /// The places of all frames that cause an order: decisions do not depend on the clock, so that these are
    /// the same in every run.
    ///
    /// # Errors
    /// The recordings can not be read again.
    pub fn trading_frames(&self) -> Result<BTreeSet<usize>, String> {
        let setup = self.setup(Keep::Records, None)?;
        let run = engine::run(&self.plan, setup, &self.config, Box::new(|_| {}));
        let mut run = run.map_err(text)?;
        let sent = run.gateway.lane_mut().take_records();
        let causes: BTreeSet<u64> = sent.iter().filter_map(cause_of_sent).collect();
        let events = run.sequencer.lane_mut().take_records();
        let traded = events.iter().filter_map(event).filter(|event| causes.contains(&event.seq));
        // Frames count from 1; what comes from none has 0.
        Ok(traded.filter_map(|event| event.frame.checked_sub(1)).map(|at| at as usize).collect())
    }

    /// Runs once with the program's own probes and tells how long each frame with an order took to the bytes
    /// of its orders, from `Span::TickToTrade`.
    ///
    /// # Errors
    /// The recordings can not be read again, or the run ends before its end.
    pub fn tick_to_trade(&self) -> Result<Counts, String> {
        let mut started = self.start()?;
        started.drive().map_err(text)?;
        Ok(started.ready.run().latencies.read(Span::TickToTrade))
    }

    /// ns that a run takes for each of its frames, and its tick to trade.
    ///
    /// # Errors
    /// As `tick_to_trade`.
    pub fn frame_ns(&self) -> Result<(f64, Latency), String> {
        let mut started = self.start()?;
        let start = Instant::now();
        started.drive().map_err(text)?;
        let spent = start.elapsed().as_secs_f64() * 1e9;
        let run = started.ready.run();
        let trades = Latency::of(&run.latencies.read(Span::TickToTrade));
        Ok((spent / run.feed.lane().records() as f64, trades))
    }
}

/// The event that something was sent for; none for any other record.
fn cause_of_sent((kind, payload): &(RecordKind, Vec<u8>)) -> Option<u64> {
    let Ok(Record::Sent(sent)) = decode(*kind, payload) else { return None };
    sent.blocked_at.is_none().then_some(sent.seq)
}

fn event((kind, payload): &(RecordKind, Vec<u8>)) -> Option<Event> {
    let Ok(Record::Event(event)) = decode(*kind, payload) else { return None };
    Some(event)
}

fn text(failure: Failure) -> String {
    failure.0.join(", ")
}

/// A whole replay with its journal on. Opening, unpacking and closing are not in the time.
pub struct Whole<'c> {
    course: &'c Course,
    frames: u64,
    /// What a pass is counted in: frames, where nothing else is said.
    units: u64,
    started: Option<Started>,
}

impl<'c> Whole<'c> {
    /// Over a course of so many frames.
    #[must_use]
    pub fn new(course: &'c Course, tape: &Tape) -> Self {
        let frames = tape.len() as u64;
        Self { course, frames, units: frames, started: None }
    }

    /// The same, counted in units of its peer.
    #[must_use]
    pub fn counted_in(mut self, units: u64) -> Self {
        self.units = units;
        self
    }
}

impl Subject for Whole<'_> {
    fn units(&self) -> u64 {
        self.units
    }

    fn reset(&mut self) {
        // The memory of the last run goes first.
        self.started = None;
        let started = self.course.start();
        self.started = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }

    fn pass(&mut self) {
        let started = self.started.as_mut().expect("a pass comes behind a reset");
        assert_eq!(started.drive(), Ok(()), "the recording was run before");
        let run = started.ready.run();
        assert_eq!(run.feed.lane().records(), self.frames, "every frame was taken");
        black_box(run.gateway.counts());
    }
}

/// Decoding alone.
pub struct Decoding<'t> {
    tape: &'t Tape,
    decoder: Decoder,
    out: Decoded,
}

impl<'t> Decoding<'t> {
    /// Over all frames of a tape.
    #[must_use]
    pub fn new(tape: &'t Tape) -> Self {
        Self { tape, decoder: Decoder::new(Market::UsdM), out: Decoded::default() }
    }
}

impl Subject for Decoding<'_> {
    fn units(&self) -> u64 {
        self.tape.len() as u64
    }

    fn pass(&mut self) {
        for frame in self.tape.frames() {
            let good = self.decoder.decode(black_box(frame.bytes), &mut self.out).is_ok();
            black_box((good, &self.out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probes_count_the_orders_of_the_frames_that_cause_them() {
        let course = Course::new(&Recordings::sample(), "quoter").unwrap();
        let frames = course.trading_frames().unwrap();
        let counted = course.tick_to_trade().unwrap().total();
        // A frame may cause several orders, amends and cancels.
        assert!(frames.len() > 10 && counted >= frames.len() as u64, "{counted} {frames:?}");
    }

    #[test]
    fn a_whole_pass_and_decoding_alone_take_the_same_frames() {
        let recordings = Recordings::sample();
        let tape = Tape::load(&recordings).unwrap();
        let course = Course::new(&recordings, "quoter").unwrap();
        let (mut whole, mut decoding) = (Whole::new(&course, &tape), Decoding::new(&tape));
        whole.reset();
        whole.pass();
        decoding.pass();
        assert_eq!(whole.units(), decoding.units());
        assert_eq!(decoding.decoder.handed_over(), 0);
        let run = whole.started.as_ref().unwrap().ready.run();
        assert!(run.gateway.counts().wire_bytes > 0);
    }
}
