//! A recorded run once more: its events drive alpha, risk and gateway; its frames give the market events
//! again, and the paper venue its reports. Every record that comes out otherwise is a divergence.
//!
//! ```text
//!  frames ─► refold ── compare ──┐
//!                                ▼
//!  recorded event ─► alpha ─► risk ─► gateway (as recorded) ─► venue ─► feedback, compared with later events
//! ```

use std::sync::Arc;

use fusewire_core::event::{Body, Control, Event};
use fusewire_core::instrument::Universe;
use fusewire_core::journal::{State, View};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Digest, Keep, Lane, LaneWriter, Record, RecordKind};
use fusewire_core::message::{Feedback, Input, Tap};
use fusewire_core::order::{Approved, StrategyId};
use fusewire_core::ring::{Consumer, LevelsConsumer, LevelsProducer, Producer};
use fusewire_core::sequencer::{Ending, Expected, Refold, Refolded, Rerun as Scope};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_core::units::Nanos;
use fusewire_io::feed::FeedStage;
use fusewire_io::gateway::wire::OrderEncoder;
use fusewire_io::gateway::{self, Feedbacks, GatewayStage, RecordedOutcome, Venue};
use fusewire_io::venue::NullVenue;
use fusewire_io::venue::paper::PaperVenue;
use fusewire_risk::{self as risk, RiskStage};
use fusewire_strategies::registry::AnyStrategy;
use fusewire_strategies::stage::{self as alpha, AlphaStage};
use fusewire_strategies::strategy::Strategy;

use super::divergence::Divergence;
use super::groups::{DERIVED, Gateway, Group, pending};
use super::header::Header;
use super::{frames, reading};
use crate::config::Config;
use crate::engine::rings::Rings;
use crate::outcome::Failure;

/// Outboxes of feedback between the gateway and the sequencer of a run whose stages do not wait for each
/// other.
const OUTBOXES: usize = 2;

/// The venue of a rerun.
enum AnyVenue {
    /// Run again.
    Paper(Box<PaperVenue>),
    /// Silent.
    Null(NullVenue),
}

impl Venue for AnyVenue {
    fn on_event(&mut self, event: &Event, out: &mut Feedbacks) {
        match self {
            Self::Paper(venue) => venue.on_event(event, out),
            Self::Null(venue) => venue.on_event(event, out),
        }
    }

    fn send(&mut self, seq: u64, ts: Nanos, approved: &Approved, out: &mut Feedbacks) {
        match self {
            Self::Paper(venue) => venue.send(seq, ts, approved, out),
            Self::Null(venue) => venue.send(seq, ts, approved, out),
        }
    }

    fn cancel_all(&mut self, seq: u64, ts: Nanos, out: &mut Feedbacks) {
        match self {
            Self::Paper(venue) => venue.cancel_all(seq, ts, out),
            Self::Null(venue) => venue.cancel_all(seq, ts, out),
        }
    }
}

/// The frames of a rerun, and what they must give.
struct Market {
    feed: FeedStage,
    refold: Refold,
}

/// What a rerun found to be as recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Records of the lanes alpha, risk and gateway.
    pub derived: [u64; 3],
    /// Reports, rejections and wakes that gateway and venue gave again.
    pub feedback: u64,
    /// Frames.
    pub frames: u64,
}

/// A run that is gone through again.
pub struct Rerun {
    market: Option<Market>,
    to_alpha: Producer<Event>,
    alpha: AlphaStage<AnyStrategy>,
    /// Public to the question why: what risk was asked to watch.
    risk: RiskStage,
    gateway: GatewayStage<AnyVenue>,
    feedback: Consumer<Feedback>,
    done: DoneSeq,
    kill: KillSwitch,
    expected: Expected,
    /// The events as recorded, for their digest.
    events: LaneWriter,
    /// Violations of the gateway that were told.
    violations: u64,
    counts: Counts,
    interrupted: bool,
}

impl Rerun {
    /// A rerun that has seen nothing: of the whole run, or (`Scope::Gateway`) of its decisions alone, without
    /// frames and venue.
    ///
    /// # Errors
    /// The recordings that the journal refers to can not be read, or its numbers do not fit each other.
    pub fn new(
        view: &View,
        header: &Header,
        config: &Config,
        scope: Scope,
    ) -> Result<Self, Failure> {
        refuse_headless(view)?;
        let universe = header.universe().map_err(Failure::line)?;
        let strategies = config.strategies(&config.run.strategy).map_err(Failure::line)?;
        let strategies: Vec<AnyStrategy> = strategies.into_iter().map(|(_, one)| one).collect();
        let seats = crate::engine::seats(strategies.len())?;
        crate::engine::check_bounds(config, universe.len())?;
        let (kill, done) = (KillSwitch::new(), DoneSeq::new());
        let Rings { input, event, alpha: to_risk, risk: to_gateway, feedback, tap } =
            Rings::new(config, universe.len());
        let wanted = strategies.iter().map(Strategy::levels).max().unwrap_or_default();
        let (market, venue) = match scope {
            Scope::Venue => {
                let stage = frames::stage(view, header, config, &universe, input.0)?;
                let market = Market::new(stage, config, &universe, wanted, (input.1, tap.0));
                let venue = paper(config, &universe, &seats, tap.1);
                (Some(market), AnyVenue::Paper(Box::new(venue)))
            }
            Scope::Gateway => (None, AnyVenue::Null(NullVenue)),
        };
        let interrupted = view.state != State::Closed;
        let alpha = AlphaStage::new(
            &config.alpha_config(),
            strategies,
            Arc::new(universe.clone()),
            &header.tradable,
            alpha::Ports { input: event.1, output: to_risk.0 },
            Keep::Records,
        );
        let risk = RiskStage::new(
            &config.risk_config(),
            &universe,
            &header.tradable,
            &seats,
            kill.clone(),
            risk::Ports { input: to_risk.1, output: to_gateway.0 },
            Keep::Records,
        );
        let gateway = GatewayStage::recorded(
            config.gateway_config(),
            (OrderEncoder::new(&universe).map_err(Failure::line)?, venue),
            gateway::Ports { input: to_gateway.1, feedback: feedback.0 },
            kill.clone(),
            if interrupted { view.cut } else { u64::MAX },
            done.clone(),
            Keep::Records,
        );
        Ok(Self {
            market,
            to_alpha: event.0,
            alpha,
            risk,
            gateway,
            feedback: feedback.1,
            done,
            kill,
            expected: expected(view, config, scope)?,
            events: LaneWriter::new(Keep::Digest),
            violations: 0,
            counts: Counts::default(),
            interrupted,
        })
    }

    /// The risk stage, as it stands.
    #[must_use]
    pub fn risk(&self) -> &RiskStage {
        &self.risk
    }

    /// The same, to say what it should watch.
    pub fn risk_mut(&mut self) -> &mut RiskStage {
        &mut self.risk
    }

    /// What was found to be as recorded so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let feedback = self.expected.found();
        let frames = self.market.as_ref().map_or(0, |market| market.feed.lane().records());
        Counts { feedback, frames, ..self.counts }
    }

    /// Goes through one event.
    ///
    /// # Errors
    /// The first thing that comes out otherwise; or frames that can not be read, as `Divergence::Frames`.
    pub fn step(&mut self, group: &Group) -> Result<(), Box<Divergence>> {
        let seq = group.seq();
        for record in &group.gateway {
            let (seq, outcome) = match record {
                Gateway::CancelAll => (seq, RecordedOutcome::CancelAll),
                Gateway::Sent(sent) => {
                    let (index, blocked_at) = (sent.index, sent.blocked_at);
                    (sent.seq, RecordedOutcome::Handled { index, blocked_at })
                }
            };
            self.gateway.record_outcome(seq, outcome);
        }
        match &group.event {
            Some(event) => {
                self.fold(event)?;
                self.events.append(&Record::event(event));
                self.expected.sequenced(event).map_err(Divergence::Feedback)?;
                self.drive(event)?;
                self.counts.events += 1;
            }
            None => {
                self.gateway.poll();
            }
        }
        self.compare(group)
    }

    /// The market events that the frames give.
    fn fold(&mut self, event: &Event) -> Result<(), Box<Divergence>> {
        let Some(market) = &mut self.market else { return Ok(()) };
        loop {
            match market.refold.check(event).map_err(Divergence::Market)? {
                Refolded::Done => return Ok(()),
                Refolded::NeedsInput => market.feed_one()?,
            }
        }
    }

    /// Drives an event through the stages to its end.
    fn drive(&mut self, event: &Event) -> Result<(), Box<Divergence>> {
        if let Body::KillLevel(level) | Body::Control(Control::Raise(level)) = event.body {
            // What was sequenced had been raised before.
            self.kill.raise(level);
        }
        let pushed = self.to_alpha.push(*event);
        assert!(pushed.is_ok(), "every event is driven to its end before the next");
        while self.done.get() != event.seq {
            let mut work = self.alpha.poll() + self.risk.poll() + self.gateway.poll();
            while let Ok(feedback) = self.feedback.pop() {
                self.expected.push(feedback).map_err(Divergence::Full)?;
                work += 1;
            }
            if work == 0 {
                return Err(Box::new(Divergence::Stuck { seq: event.seq }));
            }
        }
        while let Ok(feedback) = self.feedback.pop() {
            self.expected.push(feedback).map_err(Divergence::Full)?;
        }
        Ok(())
    }

    /// Byte for byte what the stages added.
    fn compare(&mut self, group: &Group) -> Result<(), Box<Divergence>> {
        let made = [
            self.alpha.lane_mut().take_records(),
            self.risk.lane_mut().take_records(),
            self.gateway.lane_mut().take_records(),
        ];
        for (index, lane) in DERIVED.into_iter().enumerate() {
            compare_lane(lane, group.seq(), &made[index], &group.derived[index])?;
            self.counts.derived[index] += made[index].len() as u64;
        }
        let (violations, count) = self.gateway.violations();
        if count > self.violations {
            self.violations = count;
            if let Some(violation) = violations.last() {
                return Err(Box::new(Divergence::Violation(*violation)));
            }
        }
        Ok(())
    }

    /// What has to hold behind the last event: nothing is missing, nothing is left over, and the digests are
    /// those of the closing records.
    ///
    /// # Errors
    /// What does not hold; a lane that can not be read, as a failure.
    pub fn finish(
        &mut self,
        view: &View,
        header: &[u8],
    ) -> Result<Result<(), Box<Divergence>>, Failure> {
        if let Err(divergence) = self.finish_market() {
            return Ok(Err(divergence));
        }
        if self.interrupted {
            return Ok(Ok(()));
        }
        let (missing, left) = (self.expected.missing(), self.expected.outstanding());
        if let Some(feedback) = missing.first() {
            return Ok(Err(Box::new(Divergence::PendingMissing(*feedback))));
        }
        if let Some(feedback) = left.first() {
            return Ok(Err(Box::new(Divergence::PendingLeft(*feedback))));
        }
        self.digests(view, header)
    }

    fn finish_market(&mut self) -> Result<(), Box<Divergence>> {
        let Some(market) = &mut self.market else { return Ok(()) };
        let ending = if self.interrupted { Ending::Cut } else { Ending::Ended };
        loop {
            match market.refold.finish(ending).map_err(Divergence::Market)? {
                Refolded::Done => return Ok(()),
                Refolded::NeedsInput => market.feed_one()?,
            }
        }
    }

    /// The digests of what was made again, against those of the closing records.
    fn digests(&self, view: &View, header: &[u8]) -> Result<Result<(), Box<Divergence>>, Failure> {
        let feed = self.market.as_ref().map(|market| market.feed.lane());
        let lanes = [
            (Lane::Event, Some(&self.events)),
            (Lane::Alpha, Some(self.alpha.lane())),
            (Lane::Risk, Some(self.risk.lane())),
            (Lane::Gateway, Some(self.gateway.lane())),
            (Lane::Feed, feed),
        ];
        for (lane, made) in lanes {
            let (Some(close), Some(made)) = (reading::close(view, lane)?, made) else { continue };
            let (records, digest) = (close.records, Digest::from_bytes(close.digest));
            if (records, digest) != (made.records(), made.digest()) {
                let made = (made.records(), made.digest());
                let divergence = Divergence::Digest { lane, recorded: (records, digest), made };
                return Ok(Err(Box::new(divergence)));
            }
            if Digest::from_bytes(close.header) != Digest::of(header) {
                return Ok(Err(Box::new(Divergence::Header)));
            }
        }
        Ok(Ok(()))
    }
}

impl Market {
    fn new(
        feed: FeedStage,
        config: &Config,
        universe: &Universe,
        levels: u8,
        (input, tap): (LevelsConsumer<Input>, LevelsProducer<Tap>),
    ) -> Self {
        let sequencer = config.sequencer_config(levels);
        let refold = Refold::new(&sequencer, universe, &config.books(), input, Some(tap));
        Self { feed, refold }
    }

    /// One frame more, or the news that there is none.
    fn feed_one(&mut self) -> Result<(), Box<Divergence>> {
        use fusewire_core::runner::Source;
        self.feed.poll();
        if self.feed.ended() {
            self.feed.finish().map_err(|error| Divergence::Frames(error.to_string()))?;
            self.refold.end_input();
        }
        Ok(())
    }
}

fn refuse_headless(view: &View) -> Result<(), Failure> {
    if view.is_headless() {
        return Err(Failure::line(format!(
            "{}: retention dropped the beginning, and decisions need the stream from its start",
            view.dir.display()
        )));
    }
    Ok(())
}

/// The paper venue of a run.
fn paper(
    config: &Config,
    universe: &Universe,
    seats: &[StrategyId],
    tap: LevelsConsumer<Tap>,
) -> PaperVenue {
    let owners = crate::engine::owners(seats);
    PaperVenue::new(&config.paper_config(), universe, &config.books(), tap, &owners)
}

/// What feedback is expected: what was pending at the end is told first.
fn expected(view: &View, config: &Config, scope: Scope) -> Result<Expected, Failure> {
    let waiting = config.stream.feedback_max as usize;
    // Behind the gateway lies as much again: its own outbox, and what it may be late with.
    let mut expected =
        Expected::new(scope, waiting + OUTBOXES * config.gateway_config().feedback_outbox_max);
    for feedback in pending(view)? {
        expected.list_pending(feedback).map_err(Failure::line)?;
    }
    Ok(expected)
}

/// The first record of an event that differs.
fn compare_lane(
    lane: Lane,
    seq: u64,
    made: &[(RecordKind, Vec<u8>)],
    recorded: &[(RecordKind, Vec<u8>)],
) -> Result<(), Box<Divergence>> {
    if made == recorded {
        return Ok(());
    }
    let at = made.iter().zip(recorded).take_while(|(made, recorded)| made == recorded).count();
    let (made, recorded) = (made.get(at).cloned(), recorded.get(at).cloned());
    Err(Box::new(Divergence::Record { lane, seq, index: at, recorded, made }))
}
