//! The alpha stage: folds each event, shows it to every strategy, and passes the event on with what they
//! made of it.
//!
//! The event goes first, then the intents in seat order; `last` stands on the final one. Each intent is
//! tracked in the stage's own fold and appended to the lane before it is pushed.

use std::sync::Arc;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::lane::{Keep, LaneWriter, Record};
use fusewire_core::latency::Probe;
use fusewire_core::message::{AlphaOut, IntentMessage};
use fusewire_core::order::{Intent, StrategyId};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig};
use fusewire_core::ring::{Consumer, Producer, pop_in_place};
use fusewire_core::stage::{Outbox, Stage};
use fusewire_core::units::Nanos;

use crate::strategy::{Bounds, Orders, Refused, Seat, Strategy, View};

/// Bounds and identity of the alpha stage. All memory is taken at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlphaConfig {
    /// Session in the order ids; 1 in a replay.
    pub session: u16,
    /// Seed of the strategies' jitter.
    pub seed: u64,
    /// Intents of one strategy on one event.
    pub intents_max: usize,
    /// Intents of one strategy without an answer, counted from sequenced events.
    pub inflight_max: u32,
    /// Open and in-flight orders, all strategies and the risk stage together.
    pub orders_max: usize,
    /// Ids of finished orders that are remembered, so that a late report is known for one.
    pub closed_max: usize,
    /// How long after it left an intent may still reach the venue: the exchange's `recvWindow`.
    pub arrival_max: Nanos,
    /// From the first event on, so long everything that strategies send is refused: they see and do not act.
    pub warm_up: Nanos,
}

impl Default for AlphaConfig {
    fn default() -> Self {
        Self {
            session: 1,
            seed: 42,
            intents_max: 8,
            inflight_max: 32,
            orders_max: 1_024,
            closed_max: 4_096,
            arrival_max: Nanos(5 * Nanos::SECOND),
            warm_up: Nanos(0),
        }
    }
}

impl AlphaConfig {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The first value that makes no sense, by name.
    pub fn validate(&self) -> Result<(), String> {
        let counts = [
            ("intents_max", self.intents_max),
            ("inflight_max", self.inflight_max as usize),
            ("orders_max", self.orders_max),
            ("closed_max", self.closed_max),
        ];
        for (name, value) in counts {
            if !(1..=COUNT_MAX).contains(&value) {
                return Err(format!("{name} is {value}: it must lie in 1..={COUNT_MAX}"));
            }
        }
        if self.arrival_max == Nanos(0) {
            return Err("arrival_max is zero: an intent takes time".to_owned());
        }
        Ok(())
    }
}

/// Largest of the bounds: what is beyond is a slip of the keyboard, and would take the memory at start.
const COUNT_MAX: usize = 1 << 20;

/// The rings of the stage.
#[derive(Debug)]
pub struct Ports {
    /// From the sequencer.
    pub input: Consumer<Event>,
    /// To risk.
    pub output: Producer<AlphaOut>,
}

/// What the stage has handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlphaCounts {
    /// Events.
    pub events: u64,
    /// Intents passed on.
    pub intents: u64,
    /// Intents not taken, by `Refused` in the order of `Refused::ALL`.
    pub refused: [u64; Refused::ALL.len()],
}

/// Runs strategies, each on its seat.
#[derive(Debug)]
pub struct AlphaStage<S> {
    input: Consumer<Event>,
    harness: Harness<S>,
}

/// What an event is shown to, where it lies on the ring.
#[derive(Debug)]
struct Harness<S> {
    strategies: Vec<S>,
    seats: Vec<Seat>,
    /// Last counter given out, by seat.
    counters: Vec<u64>,
    bounds: Bounds,
    universe: Arc<Universe>,
    tradable: Vec<bool>,
    portfolio: Portfolio,
    kill_level: KillLevel,
    warm_up: Nanos,
    /// When the warm-up is over; not known before the first event.
    trades_from: Option<Nanos>,
    /// What one strategy formed, and what all of them did on this event.
    formed: Vec<Intent>,
    intents: Vec<IntentMessage>,
    lane: LaneWriter,
    counts: AlphaCounts,
    output: Producer<AlphaOut>,
    outbox: Outbox<AlphaOut>,
    probe: Probe,
}

impl<S: Strategy> AlphaStage<S> {
    /// Seats the strategies in the given order and starts each of them.
    ///
    /// # Panics
    /// When the configuration is not valid, there are more strategies than seats, or a tradable number is
    /// none of the universe.
    #[must_use]
    pub fn new(
        config: &AlphaConfig,
        strategies: Vec<S>,
        universe: Arc<Universe>,
        tradable: &[InstrumentId],
        ports: Ports,
        keep: Keep,
    ) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration was validated");
        let seats: Vec<Seat> = (0..strategies.len()).map(|seat| seat_of(config, seat)).collect();
        let mut flags = vec![false; universe.len()];
        for id in tradable {
            flags[id.index()] = true;
        }
        let owners = seats.iter().map(|seat| seat.strategy).chain([StrategyId::RISK]).collect();
        let bounds = Bounds {
            intents_max: config.intents_max,
            inflight_max: config.inflight_max,
            orders_max: config.orders_max,
        };
        let Ports { input, output } = ports;
        let mut harness = Harness {
            counters: vec![0; strategies.len()],
            bounds,
            tradable: flags,
            portfolio: Portfolio::new(PortfolioConfig {
                instruments: universe.len(),
                strategies: owners,
                orders_max: config.orders_max,
                closed_max: config.closed_max,
                arrival_max: config.arrival_max,
            }),
            kill_level: KillLevel::default(),
            warm_up: config.warm_up,
            trades_from: None,
            formed: Vec::with_capacity(config.intents_max),
            intents: Vec::with_capacity(strategies.len() * config.intents_max),
            lane: LaneWriter::new(keep),
            counts: AlphaCounts::default(),
            output,
            outbox: Outbox::new(1 + strategies.len() * config.intents_max),
            probe: Probe::default(),
            strategies,
            seats,
            universe,
        };
        harness.start();
        Self { input, harness }
    }

    /// What the strategies asked for.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.harness.lane
    }

    /// The same lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.harness.lane
    }

    /// Measures with this from here on.
    pub fn measure(&mut self, probe: Probe) {
        self.harness.probe = probe;
    }

    /// What was handled.
    #[must_use]
    pub fn counts(&self) -> &AlphaCounts {
        &self.harness.counts
    }

    /// The strategies, by seat.
    #[must_use]
    pub fn strategies(&self) -> &[S] {
        &self.harness.strategies
    }

    /// Orders and positions as the strategies see them.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.harness.portfolio
    }
}

impl<S: Strategy> Harness<S> {
    fn start(&mut self) {
        for (strategy, seat) in self.strategies.iter_mut().zip(&self.seats) {
            strategy.start(&View {
                seat: *seat,
                universe: &self.universe,
                tradable: &self.tradable,
                portfolio: &self.portfolio,
                kill_level: self.kill_level,
            });
        }
    }

    fn handle(&mut self, event: &Event) {
        self.counts.events += 1;
        self.lane.stamp(self.probe.at(event.stamp));
        self.fold(event);
        self.trades_from.get_or_insert_with(|| event.ts.after(self.warm_up));
        for seat in 0..self.strategies.len() {
            self.ask(seat, event);
            if !self.formed.is_empty() {
                self.take_down(event);
            }
        }
        let (mut stamp, last) = (event.stamp, self.intents.is_empty());
        self.probe.pass(&mut stamp);
        self.lane.done(event.seq);
        let pass = || AlphaOut::Event(Event { stamp, last, ..*event });
        self.outbox.send(&mut self.output, pass);
        if !last {
            self.pass_on();
        }
    }

    fn fold(&mut self, event: &Event) {
        match &event.body {
            Body::Report(_) | Body::Status(_) => {
                self.portfolio.apply(event);
            }
            // The risk stage's own intents are not tracked here, so there is nothing to take back.
            Body::Rejected(rejection) => {
                if usize::from(rejection.order.strategy().0) < self.strategies.len() {
                    self.portfolio.reject(rejection);
                }
            }
            Body::KillLevel(level) => self.kill_level = *level,
            Body::Touch(_)
            | Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Bar(_)
            | Body::BookInvalid(_)
            | Body::Tick
            | Body::Gap
            | Body::Wake
            | Body::Control(_)
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => {}
        }
    }

    /// Shows the event to one strategy.
    fn ask(&mut self, seat: usize, event: &Event) {
        let view = View {
            seat: self.seats[seat],
            universe: &self.universe,
            tradable: &self.tradable,
            portfolio: &self.portfolio,
            kill_level: self.kill_level,
        };
        let mut orders = Orders {
            seat: self.seats[seat],
            bounds: self.bounds,
            is_warming: self.trades_from.is_none_or(|from| event.ts < from),
            instruments: self.universe.len(),
            portfolio: &self.portfolio,
            counter: &mut self.counters[seat],
            formed: &mut self.formed,
            refused: &mut self.counts.refused,
        };
        self.strategies[seat].on_event(event, &view, &mut orders);
    }

    /// Tracks and records what one strategy formed.
    fn take_down(&mut self, event: &Event) {
        for intent in self.formed.drain(..) {
            let tracked = self.portfolio.track(&intent, event.ts);
            assert_eq!(tracked, Ok(()), "what `Orders` takes, the fold takes");
            let message = IntentMessage { seq: event.seq, last: false, intent };
            self.lane.append(&Record::intent(&message));
            self.counts.intents += 1;
            self.intents.push(message);
        }
    }

    /// Passes on what an event gave rise to, behind it.
    fn pass_on(&mut self) {
        let Self { intents, outbox, output, .. } = self;
        if let Some(last) = intents.last_mut() {
            last.last = true;
        }
        for intent in intents.drain(..) {
            outbox.send(output, || AlphaOut::Intent(intent));
        }
    }
}

impl<S: Strategy> Stage for AlphaStage<S> {
    fn name(&self) -> &'static str {
        "alpha"
    }

    fn poll(&mut self) -> usize {
        let Self { input, harness } = self;
        let work = harness.outbox.flush(&mut harness.output);
        if !harness.outbox.is_empty() || !harness.lane.ready() {
            return work;
        }
        let handled = pop_in_place(input, |event| harness.handle(event));
        work + usize::from(handled.is_some())
    }

    fn rest(&mut self) -> usize {
        self.harness.lane.rest()
    }
}

fn seat_of(config: &AlphaConfig, seat: usize) -> Seat {
    let number = u8::try_from(seat).ok().map(StrategyId).filter(|id| !id.acts_for_holders());
    let strategy = number.expect("there are 254 seats");
    Seat { session: config.session, strategy, seed: config.seed }
}

#[cfg(test)]
mod tests;
