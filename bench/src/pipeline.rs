//! The whole pipeline over frames in memory, inline, as the program's own composition joins it: what a
//! replay costs beside decoding alone, and how long it takes from a frame to the order that it causes.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fusewire::config::{Config, ProfileName};
use fusewire::engine::{self, Plan, Run, Setup};
use fusewire::journal::header::Frames;
use fusewire::journal::writing::Request;
use fusewire::outcome::Failure;
use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_core::lane::Keep;
use fusewire_core::market::Decoded;
use fusewire_core::runner::{Source, run_inline};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_io::capture::OpenOptions;
use fusewire_io::decode::Decoder;
use fusewire_io::feed::FeedStage;
use fusewire_io::gateway::GatewayStage;
use fusewire_io::venue::paper::PaperVenue;
use tempfile::TempDir;

use crate::measure::Subject;
use crate::spread::ns_since;
use crate::tape::{Recordings, Tape};

/// What a run needs to know, found out once.
pub struct Course {
    config: Config,
    plan: Plan,
    universe: Universe,
    tradable: Vec<InstrumentId>,
    strategies: String,
}

/// A run that is joined and has not moved; its journal lies in the folder for scratch files.
struct Started {
    run: Run,
    done: DoneSeq,
    /// Dropped behind the run, which writes to it.
    _folder: TempDir,
}

impl Course {
    /// Over these recordings, with these strategies under the limits of the profile `bench`.
    ///
    /// # Errors
    /// The recordings can not be read, or nothing describes their symbols.
    pub fn new(recordings: &Recordings, strategies: &str) -> Result<Self, String> {
        let mut config = Config::default();
        config.risk.profile = ProfileName::Bench;
        let limits = config.capture_limits();
        let options = OpenOptions { market: Some(Market::UsdM), unit: None, limits };
        let sources = recordings.sources.clone();
        let plan = engine::prepare(sources, options, &config, &mut |_| {}).map_err(text)?;
        let given = std::collections::BTreeMap::new();
        let universe =
            engine::universe::resolve(&config, &[], &plan.scanned, &given).map_err(text)?;
        Self::of(config, plan, universe, strategies)
    }

    /// Over inputs that were scanned before, with symbols that are known.
    ///
    /// # Errors
    /// The configuration names a symbol that can not be traded.
    pub fn of(
        config: Config,
        mut plan: Plan,
        universe: Universe,
        strategies: &str,
    ) -> Result<Self, String> {
        plan.in_memory = true;
        let tradable = engine::universe::tradable(&config, &universe).map_err(text)?;
        Ok(Self { config, plan, universe, tradable, strategies: strategies.to_owned() })
    }

    /// Joins the stages and begins the journal, which refers to its frames.
    fn start(&self) -> Result<Started, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // One by one, because a run may have the same strategy several times here.
        let named = self.strategies.split(',').map(|name| self.config.strategies(name));
        let strategies: Vec<Vec<_>> = named.collect::<Result<_, _>>()?;
        let dir = folder.path().join("journal");
        let setup = Setup {
            universe: self.universe.clone(),
            tradable: self.tradable.clone(),
            strategies: strategies.into_iter().flatten().map(|(_, strategy)| strategy).collect(),
            controls: Vec::new(),
            keep: Keep::Digest,
            journal: Some(Request { dir, frames: Frames::Reference, resume: false }),
            allow_broken: false,
        };
        let done = DoneSeq::new();
        let run = engine::join(&self.plan, setup, &self.config, Box::new(|_| {}), done.clone());
        Ok(Started { run: run.map_err(text)?, done, _folder: folder })
    }
}

fn text(failure: Failure) -> String {
    failure.0.join(", ")
}

impl Started {
    fn drive(&mut self) {
        let Run { feed, sequencer, alpha, risk, gateway, .. } = &mut self.run;
        let ended = run_inline(feed, sequencer, &mut [alpha, risk, gateway], &self.done);
        assert_eq!(ended, Ok(()), "the recording was run before");
    }
}

/// A whole replay with its journal on. Opening, unpacking and closing are not in the time.
pub struct Whole<'c> {
    course: &'c Course,
    frames: u64,
    started: Option<Started>,
}

impl<'c> Whole<'c> {
    /// Over a course of so many frames.
    #[must_use]
    pub fn new(course: &'c Course, tape: &Tape) -> Self {
        Self { course, frames: tape.len() as u64, started: None }
    }
}

impl Subject for Whole<'_> {
    fn units(&self) -> u64 {
        self.frames
    }

    fn reset(&mut self) {
        // The memory of the last run goes first.
        self.started = None;
        let started = self.course.start();
        self.started = Some(started.unwrap_or_else(|error| panic!("{error}")));
    }

    fn pass(&mut self) {
        let started = self.started.as_mut().expect("a pass comes behind a reset");
        started.drive();
        assert_eq!(started.run.feed.lane().records(), self.frames, "every frame was taken");
        black_box(started.run.gateway.counts());
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

/// What a run took for each frame.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Frames that caused an order, by their place, with the time from the frame to the first order's bytes.
    pub trades: Vec<(usize, u64)>,
    /// All frames: from a frame to the end of everything that it caused.
    pub frames: Vec<u64>,
}

impl Times {
    /// Which of so many frames caused an order.
    #[must_use]
    pub fn traded(&self, frames: usize) -> Vec<bool> {
        let mut traded = vec![false; frames];
        self.trades.iter().for_each(|(at, _)| traded[*at] = true);
        traded
    }
}

impl Course {
    /// Runs once and measures every frame, with a clock read before the feed takes it and one behind the
    /// gateway's poll that encoded its first order (what the paper venue does with the order is in it).
    ///
    /// # Errors
    /// The recordings can not be read again.
    pub fn times(&self) -> Result<Times, String> {
        let mut started = self.start()?;
        let watch = Watch { base: Instant::now(), frame_ns: AtomicU64::new(0) };
        let Run { feed, sequencer, alpha, risk, gateway, .. } = &mut started.run;
        let mut feed = TimedFeed { feed, watch: &watch, starts: Vec::new() };
        let mut gateway =
            TimedGateway { gateway, watch: &watch, frame_ns: u64::MAX, orders: Vec::new() };
        let ended =
            run_inline(&mut feed, sequencer, &mut [alpha, risk, &mut gateway], &started.done);
        assert_eq!(ended, Ok(()), "the recording was run before");
        Ok(times(&feed.starts, &gateway.orders, watch.now()))
    }
}

/// The time of each frame, and of those with an order. A frame ends where the next one begins.
fn times(starts: &[u64], orders: &[(u64, u64)], end: u64) -> Times {
    let ends = starts.iter().skip(1).copied().chain([end]);
    let frames = starts.iter().zip(ends).map(|(start, end)| end - start).collect();
    let place = |start: u64| starts.binary_search(&start).ok();
    let trades = orders.iter().filter_map(|(start, ns)| Some((place(*start)?, *ns))).collect();
    Times { trades, frames }
}

/// A clock that two stages share.
struct Watch {
    base: Instant,
    /// When the feed began with the frame that is being handled. Written and read on one thread.
    frame_ns: AtomicU64,
}

impl Watch {
    fn now(&self) -> u64 {
        ns_since(self.base)
    }
}

struct TimedFeed<'a> {
    feed: &'a mut FeedStage,
    watch: &'a Watch,
    /// When each frame began.
    starts: Vec<u64>,
}

impl Stage for TimedFeed<'_> {
    fn name(&self) -> &'static str {
        self.feed.name()
    }

    fn poll(&mut self) -> usize {
        let before = self.feed.lane().records();
        let start = self.watch.now();
        self.watch.frame_ns.store(start, Ordering::Relaxed);
        let work = self.feed.poll();
        if self.feed.lane().records() > before {
            self.starts.push(start);
        }
        work
    }
}

impl Source for TimedFeed<'_> {
    fn ended(&self) -> bool {
        self.feed.ended()
    }
}

struct TimedGateway<'a> {
    gateway: &'a mut GatewayStage<PaperVenue>,
    watch: &'a Watch,
    /// The frame of the last order.
    frame_ns: u64,
    /// When the frame began, and how long its first order took.
    orders: Vec<(u64, u64)>,
}

impl Stage for TimedGateway<'_> {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    fn poll(&mut self) -> usize {
        let before = self.gateway.counts().wire_bytes;
        let work = self.gateway.poll();
        if self.gateway.counts().wire_bytes > before {
            let (now, start) = (self.watch.now(), self.watch.frame_ns.load(Ordering::Relaxed));
            if start != self.frame_ns {
                self.frame_ns = start;
                self.orders.push((start, now - start));
            }
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_run_takes_every_frame_and_some_of_them_cause_orders() {
        let recordings = Recordings::sample();
        let tape = Tape::load(&recordings).unwrap();
        let course = Course::new(&recordings, "quoter").unwrap();
        let times = course.times().unwrap();
        assert_eq!(times.frames.len(), tape.len());
        let traded = times.traded(tape.len()).into_iter().filter(|traded| *traded).count();
        assert!(traded > 10 && traded == times.trades.len(), "{traded} frames with orders");
        let inside = |(at, ns): &(usize, u64)| *ns <= times.frames[*at];
        assert!(times.trades.iter().all(inside), "an order comes before its frame's end");
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
        let run = &whole.started.as_ref().unwrap().run;
        assert!(run.gateway.counts().wire_bytes > 0);
    }
}
