//! The composition root: it joins captures, stages and venue, and reads like the picture.
//!
//! ```text
//!  captures ─► manifest ─► universe
//!  captures ─► merge ─► feed ─► sequencer + book ─► alpha ─► risk ─► gateway ─► paper venue
//!                                   ▲    └ ─ ─ ─ ─ ─ market tap ─ ─ ─ ─ ─ ─ ─ ─ ─►│
//!                                   └───────────────── feedback ◄─────────────────┘
//! ```

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Digest, Keep, Lane, LaneWriter};
use fusewire_core::latency::{FeedProbe, Latencies, Probe, Span};
use fusewire_core::order::StrategyId;
use fusewire_core::runner::Threads;
use fusewire_core::sequencer::{self, ControlInput, Sequencer};
use fusewire_core::stage::{DoneSeq, Horizon};
use fusewire_io::capture::{Merge, Reader};
use fusewire_io::feed::{Feed, FeedStage, FrameStore, Pacer, Recording};
use fusewire_io::gateway::wire::OrderEncoder;
use fusewire_io::gateway::{self, GatewayStage};
use fusewire_io::venue::paper::PaperVenue;
use fusewire_risk::{self as risk, RiskStage};
use fusewire_strategies::registry::AnyStrategy;
use fusewire_strategies::stage::{self as alpha, AlphaStage};
use fusewire_strategies::strategy::Strategy;

use crate::clock::now_ns;
use crate::config::{Config, RunnerMode};
use crate::journal::header::{Frames, Header, Inputs};
use crate::journal::writing::{self, Request, Writing};
use crate::outcome::Failure;
use crate::sources::Source;

mod drive;
mod inputs;
mod plan;
pub(crate) mod rings;
pub mod universe;
mod watch;

pub use drive::Onlooker;
pub use plan::{Plan, Planned, prepare, prepare_on};

use inputs::{inputs, recordings};
use rings::Rings;
use watch::{Gates, OnBreach, Watch};

/// What runs, beside the inputs.
pub struct Setup {
    /// The symbols.
    pub universe: Universe,
    /// Those of them that may be traded.
    pub tradable: Vec<InstrumentId>,
    /// The strategies by seat.
    pub strategies: Vec<AnyStrategy>,
    /// Commands from outside, by time.
    pub controls: Vec<ControlInput>,
    /// Whether lanes remember their prefixes.
    pub keep: Keep,
    /// The kill word of the run: whoever holds a clone may raise it at any moment.
    pub kill: KillSwitch,
    /// Where to record the run, if anywhere.
    pub journal: Option<Request>,
    /// A broken capture was let through: the journal's header says so.
    pub allow_broken: bool,
}

/// Everything that a run leaves behind: the stages as they stand.
pub struct Run {
    /// Decoders and counts.
    pub feed: FeedStage,
    /// The sequenced stream and the books.
    pub sequencer: Sequencer,
    /// Strategies.
    pub alpha: AlphaStage<AnyStrategy>,
    /// Verdicts, and the account as the stream tells it.
    pub risk: RiskStage,
    /// Orders, and the venue behind them.
    pub gateway: GatewayStage<PaperVenue>,
    /// How long the stages took.
    pub latencies: Latencies,
    /// Windows in which a latency budget was not kept, by span.
    pub breaches: [u64; Span::ALL.len()],
    /// The journal, until it is closed.
    journal: Option<Writing>,
}

/// Alerts that wait to be told. The journal has all of them.
const ALERTS_MAX: usize = 1_024;

/// Called now and then with the bytes read so far.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// Runs the pipeline over the inputs, as the configuration says: on this thread, each event to its end before
/// the next, or on threads.
///
/// # Errors
/// An input changed since it was scanned and can no longer be read, a bound of the run was broken, a stage
/// panicked, the threads can not be had, or the journal can not be begun, written or closed.
pub fn run(
    plan: &Plan,
    setup: Setup,
    config: &Config,
    progress: Box<dyn FnMut(u64) + Send>,
) -> Result<Run, Failure> {
    let mut ready = start(plan, setup, config, progress)?;
    ready.drive()?;
    ready.end()
}

/// A run that is joined and has not moved.
pub struct Ready {
    run: Run,
    threads: Option<Threads>,
    done: DoneSeq,
    kill: KillSwitch,
    watch: Watch,
}

/// Everything that comes before the first frame: inputs opened, stages joined and measured, the journal begun.
///
/// # Errors
/// As `run`.
pub fn start(
    plan: &Plan,
    setup: Setup,
    config: &Config,
    progress: Box<dyn FnMut(u64) + Send>,
) -> Result<Ready, Failure> {
    let threads = drive::threads(config)?;
    let (done, kill, horizon) = (DoneSeq::new(), setup.kill.clone(), Horizon::new());
    // With threads, commands are handed on when their time has come.
    let (early, late) = match threads {
        None => (setup.controls.clone(), Vec::new()),
        Some(_) => (Vec::new(), setup.controls.clone()),
    };
    let commands = control_queue(early, config)?;
    let shared =
        Shared { done: done.clone(), horizon: horizon.clone(), commands: Arc::clone(&commands) };
    let mut run = join(plan, setup, config, progress, shared)?;
    run.measure(config.sample());
    let alerts = Arc::new(ArrayQueue::new(ALERTS_MAX));
    run.risk.tell(Arc::clone(&alerts));
    if threads.is_some() {
        drive::lock_memory(config)?;
    }
    let gates = Gates::new(run.latencies.clone(), config.gates.clone(), now_ns);
    let on_breach = match config.runner.mode {
        RunnerMode::Pinned => OnBreach::Sequence,
        RunnerMode::Inline | RunnerMode::Lockstep => OnBreach::Report,
    };
    let watch = Watch::new(horizon, commands, late, gates, on_breach, alerts);
    Ok(Ready { run, threads, done, kill, watch })
}

impl Ready {
    /// Runs to the end of the inputs.
    ///
    /// # Errors
    /// A stage gave up or panicked, or the journal takes nothing more.
    pub fn drive(&mut self) -> Result<(), Failure> {
        let (threads, both) = (self.threads.as_ref(), (&self.done, &self.kill));
        drive::drive(&mut self.run, threads, both, &mut self.watch, None).map_err(Failure::line)
    }

    /// The same, with somebody who looks at the account behind each message of the risk stage.
    ///
    /// # Errors
    /// As of `drive`.
    pub fn drive_watched(&mut self, look: Onlooker<'_>) -> Result<(), Failure> {
        let (threads, both) = (self.threads.as_ref(), (&self.done, &self.kill));
        drive::drive(&mut self.run, threads, both, &mut self.watch, Some(look))
            .map_err(Failure::line)
    }

    /// The stages as they stand.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Ends the run and its journal.
    ///
    /// # Errors
    /// The inputs ended before their end, or the journal can not be closed.
    pub fn end(mut self) -> Result<Run, Failure> {
        let run = &mut self.run;
        run.breaches = self.watch.into_breaches();
        run.feed.finish().map_err(Failure::line)?;
        if let Some(journal) = run.journal.take() {
            writing::end(journal, run)?;
        }
        Ok(self.run)
    }
}

/// What the parts of a run share beside their rings.
struct Shared {
    done: DoneSeq,
    horizon: Horizon,
    commands: Arc<ArrayQueue<ControlInput>>,
}

/// The stages, joined by their rings as in the picture.
fn join(
    plan: &Plan,
    setup: Setup,
    config: &Config,
    progress: Box<dyn FnMut(u64) + Send>,
    shared: Shared,
) -> Result<Run, Failure> {
    let Setup { universe, tradable, strategies, keep, kill, journal, allow_broken, .. } = setup;
    let Shared { done, horizon, commands } = shared;
    check_bounds(config, universe.len())?;
    let (seats, books) = (seats(strategies.len())?, config.books());
    let levels = strategies.iter().map(Strategy::levels).max().unwrap_or_default();
    let Rings { input, event, alpha: to_risk, risk: to_gateway, feedback, tap } =
        Rings::new(config, universe.len());
    let merge = Merge::new(inputs(plan, config)?).map_err(Failure::line)?;
    let recordings = recordings(merge.readers(), plan, &universe)?;
    let known = Known { plan, readers: merge.readers(), recordings: &recordings, allow_broken };
    let runs = (&strategies[..], &universe, &tradable[..]);
    let header = journal.as_ref().map(|request| known.header(config, runs, request));
    let sequencer = Sequencer::new(
        &config.sequencer_config(levels),
        &universe,
        &books,
        kill.clone(),
        sequencer::Ports {
            input: input.1,
            feedback: feedback.1,
            control: commands,
            output: event.0,
            tap: Some(tap.0),
        },
        keep,
    );
    let alpha = AlphaStage::new(
        &config.alpha_config(),
        strategies,
        Arc::new(universe.clone()),
        &tradable,
        alpha::Ports { input: event.1, output: to_risk.0 },
        keep,
    );
    let risk = RiskStage::new(
        &config.risk_config(),
        &universe,
        &tradable,
        &seats,
        kill.clone(),
        risk::Ports { input: to_risk.1, output: to_gateway.0 },
        keep,
    );
    let venue = PaperVenue::new(&config.paper_config(), &universe, &books, tap.1, &owners(&seats));
    let gateway = GatewayStage::new(
        config.gateway_config(),
        (OrderEncoder::new(&universe).map_err(Failure::line)?, venue),
        gateway::Ports { input: to_gateway.1, feedback: feedback.0 },
        kill,
        done,
        keep,
    );
    let feed = FeedStage::new(merge, recordings, Feed::new(universe), input.0, keep)
        .storing(store(journal.as_ref()))
        .stopping(Arc::clone(&plan.stop))
        .until(plan.until)
        .telling(progress);
    let (feed, sequencer) = paced((feed, sequencer), config, horizon)?;
    let (latencies, breaches) =
        (Latencies::private().map_err(Failure::line)?, [0; Span::ALL.len()]);
    let run = Run { feed, sequencer, alpha, risk, gateway, latencies, breaches, journal: None };
    run.recorded(journal.zip(header.transpose()?), config)
}

/// Time goes on between frames, and the feed says how far. Lockstep waits for the frame itself.
fn paced(
    (feed, sequencer): (FeedStage, Sequencer),
    config: &Config,
    horizon: Horizon,
) -> Result<(FeedStage, Sequencer), Failure> {
    Ok(match config.runner.mode {
        RunnerMode::Pinned => {
            let pace = config.pace().map_err(Failure::line)?;
            let pacer = Pacer::new(pace, now_ns, horizon.clone());
            (feed.paced(pacer), sequencer.with_horizon(horizon))
        }
        RunnerMode::Inline => (feed.foretelling(horizon.clone()), sequencer.with_horizon(horizon)),
        RunnerMode::Lockstep => (feed, sequencer),
    })
}

/// What is known of the inputs when a run begins.
struct Known<'a> {
    plan: &'a Plan,
    readers: &'a [Reader],
    recordings: &'a [Recording],
    allow_broken: bool,
}

impl Known<'_> {
    /// The header of the run's journal.
    fn header(
        &self,
        config: &Config,
        (strategies, universe, tradable): (&[AnyStrategy], &Universe, &[InstrumentId]),
        request: &Request,
    ) -> Result<Header, Failure> {
        assert!(
            !self.plan.has_tapes(),
            "a journal names lines of recordings, and none of their tapes"
        );
        let sources: Vec<Source> = self.plan.sources().cloned().collect();
        Header::new(&Inputs {
            created: writing::now(),
            config,
            strategies,
            universe,
            tradable,
            sources: &sources,
            readers: self.readers,
            recordings: self.recordings,
            first_recv: self.plan.scanned.manifest.first_recv,
            frames: request.frames,
            allow_broken: self.allow_broken,
        })
    }
}

fn store(journal: Option<&Request>) -> FrameStore {
    match journal.map(|request| request.frames) {
        None | Some(Frames::Reference) => FrameStore::Reference,
        Some(Frames::Copy) => FrameStore::Copy,
    }
}

/// Whom the venue keeps positions for: the strategies, and risk.
pub(crate) fn owners(seats: &[StrategyId]) -> Vec<StrategyId> {
    seats.iter().copied().chain([StrategyId::RISK]).collect()
}

impl Run {
    /// The same run with its journal begun, if there is to be one, before any stage has moved.
    fn recorded(
        mut self,
        journal: Option<(Request, Header)>,
        config: &Config,
    ) -> Result<Self, Failure> {
        if let Some((request, header)) = journal {
            self.journal = Some(writing::begin(&request, &header, config, &mut self)?);
        }
        Ok(self)
    }

    /// Measures every stage, each `sample`-th message at its boundary.
    fn measure(&mut self, sample: u32) {
        let probe = |span| Probe::new(now_ns, &self.latencies, span, sample);
        self.feed.measure(FeedProbe::new(now_ns, &self.latencies, sample));
        self.sequencer.measure(probe(Span::Sequencer));
        self.alpha.measure(probe(Span::Alpha));
        self.risk.measure(probe(Span::Risk));
        self.gateway.measure(probe(Span::Gateway));
    }

    /// The lanes in their order.
    #[must_use]
    pub fn lanes(&self) -> [(Lane, &LaneWriter); Lane::ALL.len()] {
        [
            (Lane::Feed, self.feed.lane()),
            (Lane::Event, self.sequencer.lane()),
            (Lane::Alpha, self.alpha.lane()),
            (Lane::Risk, self.risk.lane()),
            (Lane::Gateway, self.gateway.lane()),
        ]
    }

    /// The lanes in their order, to begin and to end a journal.
    pub fn lanes_mut(&mut self) -> [&mut LaneWriter; Lane::ALL.len()] {
        [
            self.feed.lane_mut(),
            self.sequencer.lane_mut(),
            self.alpha.lane_mut(),
            self.risk.lane_mut(),
            self.gateway.lane_mut(),
        ]
    }

    /// The digest over what was decided: all lanes but that of the frames, so that a recording and its tape have the
    /// same.
    #[must_use]
    pub fn decided(&self) -> Digest {
        let decided = self.lanes().into_iter().filter(|(lane, _)| *lane != Lane::Feed);
        Digest::of_lanes(decided.map(|(_, writer)| writer.digest()))
    }

    /// The digest over all lanes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_all(&self.lanes().map(|(_, lane)| lane.digest()))
    }
}

/// Bounds that depend on how many symbols there are, which is known only now.
pub(crate) fn check_bounds(config: &Config, symbols: usize) -> Result<(), Failure> {
    let risk = config.risk_config();
    risk.validate_for(symbols).map_err(|what| Failure::line(format!("[risk] {what}")))?;
    let (held, open) = (config.paper.orders_max as usize, risk.limits.open_max as usize);
    if held < open + symbols {
        return Err(Failure::line(format!(
            "[paper] orders_max = {held} is less than open_max + symbols ({}): what risk allows would \
             not fit",
            open + symbols
        )));
    }
    Ok(())
}

/// Seats of the strategies. The numbers of risk and venue are none of them.
pub(crate) fn seats(strategies: usize) -> Result<Vec<StrategyId>, Failure> {
    let count = u8::try_from(strategies).ok().filter(|count| *count <= StrategyId::VENUE.0);
    let most = StrategyId::VENUE.0;
    let count = count.ok_or_else(|| Failure::line(format!("at most {most} strategies can run")))?;
    Ok((0..count).map(StrategyId).collect())
}

fn control_queue(
    controls: Vec<ControlInput>,
    config: &Config,
) -> Result<Arc<ArrayQueue<ControlInput>>, Failure> {
    let queue = ArrayQueue::new(config.stream.control_max as usize);
    for control in controls {
        queue.push(control).map_err(|_| Failure::line("more commands than stream.control_max"))?;
    }
    Ok(Arc::new(queue))
}

#[cfg(test)]
mod tests {
    use fusewire_io::capture::{CaptureLimits, OpenOptions};

    use super::*;

    /// A run of the embedded sample, which has two symbols, up to the first event.
    fn start(change: impl FnOnce(&mut Config)) -> Result<Run, Failure> {
        let mut config = Config::default();
        change(&mut config);
        let limits: CaptureLimits = config.capture_limits();
        let options = OpenOptions { market: None, unit: None, limits };
        let plan = prepare(Source::expand(&[])?, options, &config, &mut |_| {})?;
        let universe = universe::resolve(&config, &[], &plan.scanned, &Default::default())?;
        let setup = Setup {
            tradable: universe::tradable(&config, &universe)?,
            universe,
            strategies: Vec::new(),
            controls: Vec::new(),
            keep: Keep::Digest,
            kill: KillSwitch::new(),
            journal: None,
            allow_broken: false,
        };
        let commands = control_queue(Vec::new(), &config)?;
        let shared = Shared { done: DoneSeq::new(), horizon: Horizon::new(), commands };
        join(&plan, setup, &config, Box::new(|_| {}), shared)
    }

    #[test]
    fn a_halt_that_does_not_fit_one_event_is_a_line_and_no_panic() {
        let least = |config: &Config| config.risk_config().limits.open_max + 2;
        assert!(start(|config| config.risk.halt_max = least(config)).is_ok());
        let refused = start(|config| config.risk.halt_max = least(config) - 1).err();
        let Failure(lines) = refused.expect("it does not fit");
        assert!(lines[0].starts_with("[risk] halt_max = 201 must be at least"), "{lines:?}");
    }

    #[test]
    fn risk_and_venue_have_no_seat_among_the_strategies() {
        assert_eq!(seats(2), Ok(vec![StrategyId(0), StrategyId(1)]));
        let all = seats(254).unwrap();
        assert_eq!((all.len(), all.iter().any(|seat| seat.acts_for_holders())), (254, false));
        assert!(seats(255).is_err() && seats(256).is_err());
    }
}
