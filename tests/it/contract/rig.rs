//! The pipeline as the engine joins it, over inputs from a list and before any venue.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use fusewire_core::book::BookConfig;
use fusewire_core::instrument::{Instrument, InstrumentId, Market, Universe, common};
use fusewire_core::journal::Appender;
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Digest, Keep, LaneWriter};
use fusewire_core::message::Input;
use fusewire_core::order::StrategyId;
use fusewire_core::ring::{LevelsProducer, RingBuffer, with_levels};
use fusewire_core::runner::{RunError, Source, run_inline};
use fusewire_core::sequencer::{self, ControlInput, Sequencer, SequencerConfig};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_core::units::{Nanos, ONE, Usd};
use fusewire_io::gateway::wire::OrderEncoder;
use fusewire_io::gateway::{self, GatewayConfig, GatewayStage, Venue};
use fusewire_io::venue::paper::{PaperConfig, PaperVenue};
use fusewire_risk::{self as risk, Limits, Profile, RiskConfig, RiskStage};
use fusewire_strategies::stage::{self as alpha, AlphaConfig, AlphaStage};
use fusewire_strategies::strategy::Strategy;

use super::walk::Fed;

/// A list of inputs in the place of the feed: `run_inline` takes nothing but a stage there.
pub(crate) struct Inputs {
    waiting: VecDeque<Fed>,
    ring: LevelsProducer<Input>,
}

impl Stage for Inputs {
    fn name(&self) -> &'static str {
        "inputs"
    }

    fn poll(&mut self) -> usize {
        let Some(fed) = self.waiting.front() else { return 0 };
        let pushed = self.ring.push(fed.input, &fed.bids, &fed.asks);
        if pushed {
            self.waiting.pop_front();
        }
        usize::from(pushed)
    }
}

impl Source for Inputs {
    fn ended(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Everything that a run is made from, beside its inputs and strategies.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) books: BookConfig,
    /// Messages of every ring; the tap holds one for each symbol at least.
    pub(crate) messages: usize,
    /// Levels of the rings with levels.
    pub(crate) levels: usize,
    pub(crate) sequencer: SequencerConfig,
    pub(crate) alpha: AlphaConfig,
    pub(crate) risk: RiskConfig,
    pub(crate) gateway: GatewayConfig,
    /// What the lane of the gateway keeps, for who asks afterwards what it did.
    pub(crate) gateway_keeps: Keep,
    pub(crate) paper: PaperConfig,
    pub(crate) controls: Vec<ControlInput>,
}

impl Setup {
    /// Budgets wide and tables small, so that a short run meets every bound but those of rates; what is
    /// lost is asked for after tenths of a second.
    pub(crate) fn new(symbols: usize, seed: u64) -> Self {
        let names = ["BTCUSDT", "ETHUSDT"];
        let arrival_max = Nanos(500 * Nanos::MILLI);
        let limits = Limits {
            order_notional_max: Usd(2_000 * ONE),
            position_notional_max: Usd(5_000 * ONE),
            gross_notional_max: Usd(8_000 * ONE),
            duplicate_window: Nanos(Nanos::MILLI),
            open_max: 40,
            reduce_reserve: 8,
            ..Limits::profile(Profile::Bench)
        };
        Self {
            instruments: names[..symbols]
                .iter()
                .map(|name| common(Market::UsdM, name).unwrap())
                .collect(),
            books: BookConfig {
                window_ticks: 1_024,
                far_levels_max: 64,
                buffer_frames_max: 4,
                buffer_levels_max: 64,
            },
            messages: 64,
            levels: 64,
            sequencer: SequencerConfig { feedback_max: 1_024, ..SequencerConfig::default() },
            alpha: AlphaConfig { seed, arrival_max, ..AlphaConfig::default() },
            risk: RiskConfig {
                limits,
                halt_max: 64,
                ack_timeout: Nanos(200 * Nanos::MILLI),
                reconcile_every: Nanos(Nanos::SECOND),
                arrival_max,
                ..RiskConfig::profile(Profile::Bench)
            },
            gateway: GatewayConfig { feedback_outbox_max: 256, ..GatewayConfig::default() },
            gateway_keeps: Keep::Digest,
            paper: PaperConfig {
                seed,
                arrival_max,
                orders_max: 256,
                requests_max: 256,
                closed_max: 4_096,
                consumed_levels_max: 1_024,
                ..PaperConfig::default()
            },
            controls: Vec::new(),
        }
    }

    /// The same with rings of one message, and the least that must fit elsewhere.
    pub(crate) fn tiny(&self) -> Self {
        // The largest frame of the walk has five levels a side.
        Self { messages: 1, levels: 10, ..self.clone() }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = InstrumentId> + use<> {
        (0..).map(InstrumentId).take(self.instruments.len())
    }
}

/// The stages, joined, behind a list of inputs or another source of them.
pub(crate) struct Rig<S, V: Venue, F = Inputs> {
    pub(crate) inputs: F,
    pub(crate) head: Sequencer,
    pub(crate) alpha: AlphaStage<S>,
    pub(crate) risk: RiskStage,
    pub(crate) gateway: GatewayStage<V>,
    pub(crate) kill: KillSwitch,
    done: DoneSeq,
}

impl<S: Strategy, V: Venue> Rig<S, V> {
    /// Joins the stages as the engine does. `venue` may wrap the paper venue.
    pub(crate) fn new(
        setup: &Setup,
        inputs: Vec<Fed>,
        strategies: Vec<S>,
        venue: impl FnOnce(PaperVenue) -> V,
    ) -> Self {
        let inputs = |ring| Inputs { waiting: inputs.into(), ring };
        Self::fed_by(inputs, setup, strategies, venue)
    }
}

impl<S: Strategy, V: Venue, F: Source> Rig<S, V, F> {
    /// The same behind what `feed` makes of the ring to the sequencer.
    pub(crate) fn fed_by(
        feed: impl FnOnce(LevelsProducer<Input>) -> F,
        setup: &Setup,
        strategies: Vec<S>,
        venue: impl FnOnce(PaperVenue) -> V,
    ) -> Self {
        let universe = Universe::new(setup.instruments.clone()).unwrap();
        let tradable: Vec<InstrumentId> = setup.ids().collect();
        let seats = u8::try_from(strategies.len()).unwrap();
        let seats: Vec<StrategyId> = (0..seats).map(StrategyId).chain([StrategyId::RISK]).collect();
        let (kill, done) = (KillSwitch::new(), DoneSeq::new());
        let control = ArrayQueue::new(setup.controls.len().max(1));
        setup.controls.iter().for_each(|command| control.push(*command).unwrap());
        let messages = setup.messages;
        let (input_in, input_out) = with_levels(messages, setup.levels);
        let (event_in, event_out) = RingBuffer::new(messages);
        let (alpha_in, alpha_out) = RingBuffer::new(messages);
        let (risk_in, risk_out) = RingBuffer::new(messages);
        let (feedback_in, feedback_out) = RingBuffer::new(messages);
        let (tap_in, tap_out) = with_levels(messages.max(universe.len()), setup.levels);
        let keep = Keep::Digest;
        let ports = sequencer::Ports {
            input: input_out,
            feedback: feedback_out,
            control: Arc::new(control),
            output: event_in,
            tap: Some(tap_in),
        };
        let head =
            Sequencer::new(&setup.sequencer, &universe, &setup.books, kill.clone(), ports, keep);
        let ports = alpha::Ports { input: event_out, output: alpha_in };
        let shared = Arc::new(universe.clone());
        let alpha = AlphaStage::new(&setup.alpha, strategies, shared, &tradable, ports, keep);
        let ports = risk::Ports { input: alpha_out, output: risk_in };
        let risk =
            RiskStage::new(&setup.risk, &universe, &tradable, &seats, kill.clone(), ports, keep);
        let paper = PaperVenue::new(&setup.paper, &universe, &setup.books, tap_out, &seats);
        let ports = gateway::Ports { input: risk_out, feedback: feedback_in };
        let wire = (OrderEncoder::new(&universe).unwrap(), venue(paper));
        let keep = setup.gateway_keeps;
        let gateway =
            GatewayStage::new(setup.gateway, wire, ports, kill.clone(), done.clone(), keep);
        let inputs = feed(input_in);
        Self { inputs, head, alpha, risk, gateway, kill, done }
    }

    /// Puts what the stages add into a journal too. The lane of the feed, which a list of inputs has not, is
    /// handed back.
    pub(crate) fn record(&mut self, lanes: [Appender; 5]) -> Appender {
        let [feed, lanes @ ..] = lanes;
        for (lane, appender) in self.lanes_mut().into_iter().zip(lanes) {
            lane.attach(appender);
        }
        feed
    }

    /// The lanes behind the feed.
    pub(crate) fn lanes_mut(&mut self) -> [&mut LaneWriter; 4] {
        let Self { head, alpha, risk, gateway, .. } = self;
        [head.lane_mut(), alpha.lane_mut(), risk.lane_mut(), gateway.lane_mut()]
    }

    /// True while a lane waits for its next segment; who makes it is let go first.
    fn waits_for_journal(&self) -> bool {
        let Some(watch) = self.head.lane().watch() else { return false };
        assert_eq!(watch.stopped(), None);
        let starved = watch.is_starved();
        if starved {
            std::thread::yield_now();
        }
        starved
    }

    /// Runs it as a replay does.
    pub(crate) fn run(&mut self) -> Result<(), RunError> {
        let Self { inputs, head, alpha, risk, gateway, done, kill, .. } = self;
        run_inline(inputs, head, &mut [alpha, risk, gateway], done, kill)
    }

    /// Runs it to its end and looks at the stages after each event, which `run_inline` gives no chance
    /// to. That both do the same is a test of its own.
    pub(crate) fn watched(&mut self, mut look: impl FnMut(&Self)) {
        while self.next_event() {
            look(self);
        }
    }

    /// Drives one more event to its end; false when there is none.
    pub(crate) fn next_event(&mut self) -> bool {
        let before = self.head.seq();
        while self.head.seq() == before {
            let fed = if self.head.wants_input() { self.inputs.poll() } else { 0 };
            if fed + self.head.poll() == 0 && !self.waits_for_journal() {
                assert!(self.inputs.ended() && self.head.wants_input(), "the head is stuck");
                return false;
            }
        }
        while self.done.get() != self.head.seq() {
            let moved = self.alpha.poll() + self.risk.poll() + self.gateway.poll();
            let moved = moved + self.head.drain();
            assert!(moved > 0 || self.waits_for_journal(), "event {} is stuck", self.head.seq());
            assert_eq!(self.head.fault(), None);
        }
        true
    }

    /// Digests of the lanes behind the feed.
    pub(crate) fn digests(&self) -> [Digest; 4] {
        let (head, alpha, risk) = (self.head.lane(), self.alpha.lane(), self.risk.lane());
        [head, alpha, risk, self.gateway.lane()].map(|lane| lane.digest())
    }
}
