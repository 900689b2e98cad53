//! A run again from what it left behind: its frames, its events, and what its gateway sent or blocked.

use std::collections::VecDeque;
use std::sync::Arc;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::decode::decode;
use fusewire_core::lane::{Decoded, Digest, Keep, RecordKind, SentRecord};
use fusewire_core::message::{Feedback, Input, RiskOut, Tap};
use fusewire_core::order::{Class, StrategyId, Verdict};
use fusewire_core::ring::{
    Consumer, LevelsConsumer, LevelsProducer, Producer, RingBuffer, with_levels,
};
use fusewire_core::runner::Source;
use fusewire_core::sequencer::{Ending, Expected, Refold, Refolded, Rerun};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_io::gateway::wire::OrderEncoder;
use fusewire_io::gateway::{self, GatewayStage, RecordedOutcome, Venue, Violation};
use fusewire_io::venue::NullVenue;
use fusewire_io::venue::paper::PaperVenue;
use fusewire_risk::{self as risk, RiskStage};
use fusewire_strategies::stage::{self as alpha, AlphaStage};
use proptest::prelude::*;

use super::order::{faults, jitters, paces, whole, wild};
use super::rig::Setup;
use super::rogue::Rogue;
use super::walk::{Dice, Fed, Pace, market};

/// What the gateway did with an event, in order: the index of a verdict is known only to who sees verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Sent,
    Blocked(Level),
    CancelAll,
}

/// What a run left behind.
#[derive(Clone)]
struct Recording {
    inputs: Vec<Fed>,
    events: Vec<Event>,
    did: Vec<(u64, Did)>,
    pending: Vec<Feedback>,
    /// Of alpha, risk and gateway.
    digests: [Digest; 3],
}

/// A run whose stages are polled in any order for a while, as threads would be, and whose kill word is
/// raised from outside in the middle of that.
fn record(setup: &Setup, frames: (Pace, usize, u64), polls: u64, raise: (u64, Level)) -> Recording {
    let setup = &Setup { gateway_keeps: Keep::Records, ..setup.clone() };
    let mut rig = whole(setup, frames, wild(setup, 2));
    let mut dice = Dice::new(setup.paper.seed ^ 1);
    for poll in 0.. {
        if poll == raise.0 {
            rig.kill.raise(raise.1);
        }
        let all = poll >= polls;
        let mut work = 0;
        let turn = dice.roll(0, 4);
        for stage in (0..5).filter(|stage| all || *stage == turn) {
            work += match stage {
                0 => rig.inputs.poll(),
                1 => rig.head.poll(),
                2 => rig.alpha.poll(),
                3 => rig.risk.poll(),
                _ => rig.gateway.poll(),
            };
        }
        if all && work == 0 {
            break;
        }
    }
    assert_eq!(rig.head.fault(), None);
    assert!(rig.inputs.ended() && rig.head.wants_input(), "all was sequenced");
    let digests = rig.digests();
    Recording {
        inputs: market(&setup.instruments, setup.paper.seed, frames),
        events: rig.gateway.venue().events.clone(),
        did: rig.gateway.lane_mut().take_records().iter().map(did).collect(),
        pending: rig.head.pending(),
        digests: [digests[1], digests[2], digests[3]],
    }
}

/// What a record of the gateway says that it did.
fn did((kind, payload): &(RecordKind, Vec<u8>)) -> (u64, Did) {
    match decode(*kind, payload).unwrap() {
        Decoded::Sent(SentRecord { seq, blocked_at: None, .. }) => (seq, Did::Sent),
        Decoded::Sent(SentRecord { seq, blocked_at: Some(level), .. }) => {
            (seq, Did::Blocked(level))
        }
        Decoded::CancelAll { seq } => (seq, Did::CancelAll),
        other => panic!("{other:?}"),
    }
}

/// The frames of a recording.
struct Frames {
    waiting: VecDeque<Fed>,
    ring: LevelsProducer<Input>,
}

/// The stages behind the sequencer, driven by a recording.
struct Again<V: Venue> {
    frames: Frames,
    refold: Refold,
    to_alpha: Producer<Event>,
    alpha: AlphaStage<Rogue>,
    risk: RiskStage,
    verdicts: Consumer<RiskOut>,
    to_gateway: Producer<RiskOut>,
    gateway: GatewayStage<V>,
    feedback: Consumer<Feedback>,
    done: DoneSeq,
    expected: Expected,
    did: VecDeque<(u64, Did)>,
    /// Classes of what was approved, with event and index.
    approved: Vec<(u64, u32, Class)>,
    /// What does not fit the recording.
    wrong: Vec<String>,
}

impl<V: Venue> Again<V> {
    fn new(
        setup: &Setup,
        recording: &Recording,
        rerun: Rerun,
        venue: impl FnOnce(&Setup, &Universe, &[StrategyId], LevelsConsumer<Tap>) -> V,
    ) -> Self {
        let universe = Universe::new(setup.instruments.clone()).unwrap();
        let tradable: Vec<InstrumentId> = setup.ids().collect();
        let seats = [StrategyId(0), StrategyId::RISK];
        let (kill, done) = (KillSwitch::new(), DoneSeq::new());
        let (frames, input) = with_levels(setup.messages, setup.levels);
        let (tap, taps) = with_levels(setup.messages.max(universe.len()), setup.levels);
        let (to_alpha, events) = RingBuffer::new(1);
        let (intents, from_alpha) = RingBuffer::new(setup.messages);
        let (to_wire, verdicts) = RingBuffer::new(setup.messages);
        let (to_gateway, from_risk) = RingBuffer::new(setup.messages);
        let (back, feedback) = RingBuffer::new(setup.messages);
        let tap = (rerun == Rerun::Venue).then_some(tap);
        let keep = Keep::Digest;
        let ports = alpha::Ports { input: events, output: intents };
        let strategies = vec![wild(setup, 2)];
        let shared = Arc::new(universe.clone());
        let alpha = AlphaStage::new(&setup.alpha, strategies, shared, &tradable, ports, keep);
        let ports = risk::Ports { input: from_alpha, output: to_wire };
        let risk =
            RiskStage::new(&setup.risk, &universe, &tradable, &seats, kill.clone(), ports, keep);
        let venue = venue(setup, &universe, &seats, taps);
        let ports = gateway::Ports { input: from_risk, feedback: back };
        let wire = (OrderEncoder::new(&universe).unwrap(), venue);
        let gateway =
            GatewayStage::recorded(setup.gateway, wire, ports, kill, u64::MAX, done.clone(), keep);
        let mut expected = Expected::new(rerun, 1 << 16);
        for feedback in &recording.pending {
            expected.list_pending(*feedback).unwrap();
        }
        Self {
            frames: Frames { waiting: recording.inputs.clone().into(), ring: frames },
            refold: Refold::new(&setup.sequencer, &universe, &setup.books, input, tap),
            to_alpha,
            alpha,
            risk,
            verdicts,
            to_gateway,
            gateway,
            feedback,
            done,
            expected,
            did: recording.did.clone().into(),
            approved: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn run(mut self, events: &[Event]) -> Self {
        self.outcomes(0, &[]);
        self.gateway.poll();
        for event in events {
            self.fold(event);
            if let Err(unexpected) = self.expected.sequenced(event) {
                self.wrong.push(unexpected.to_string());
            }
            let messages = self.decide(event);
            self.outcomes(event.seq, &messages);
            self.wire(event.seq, messages);
        }
        while self.refold.finish(Ending::Ended).unwrap() == Refolded::NeedsInput {
            self.feed();
        }
        assert_eq!(self.did, [], "all that was done was given");
        let (kept, _) = self.gateway.violations();
        self.wrong.extend(kept.iter().map(|violation| format!("{violation:?}")));
        self
    }

    fn fold(&mut self, event: &Event) {
        while self.refold.check(event).unwrap() == Refolded::NeedsInput {
            self.feed();
        }
    }

    fn feed(&mut self) {
        let Some(fed) = self.frames.waiting.pop_front() else { return self.refold.end_input() };
        assert!(self.frames.ring.push(fed.input, &fed.bids, &fed.asks));
    }

    /// Intents and verdicts of an event.
    fn decide(&mut self, event: &Event) -> Vec<RiskOut> {
        self.to_alpha.push(*event).unwrap();
        let mut messages = Vec::new();
        while self.alpha.poll() + self.risk.poll() > 0 {
            messages.extend(std::iter::from_fn(|| self.verdicts.pop().ok()));
        }
        messages
    }

    /// Gives the gateway what was recorded of an event.
    fn outcomes(&mut self, seq: u64, messages: &[RiskOut]) {
        let approved: Vec<(u32, Class)> = messages.iter().filter_map(approved).collect();
        self.approved.extend(approved.iter().map(|(index, class)| (seq, *index, *class)));
        let mut indices = approved.into_iter().map(|(index, _)| index);
        while let Some((_, did)) = self.did.pop_front_if(|(at, _)| *at == seq) {
            let mut handled = |blocked_at| {
                let index = indices.next().unwrap_or(u32::MAX);
                RecordedOutcome::Handled { index, blocked_at }
            };
            let outcome = match did {
                Did::Sent => handled(None),
                Did::Blocked(level) => handled(Some(level)),
                Did::CancelAll => RecordedOutcome::CancelAll,
            };
            self.gateway.record_outcome(seq, outcome);
        }
    }

    fn wire(&mut self, seq: u64, messages: Vec<RiskOut>) {
        let mut messages = messages.into_iter().peekable();
        while self.done.get() != seq {
            while !self.to_gateway.is_full() && messages.peek().is_some() {
                self.to_gateway.push(messages.next().unwrap()).unwrap();
            }
            assert!(self.gateway.poll() > 0, "event {seq} is stuck");
            while let Ok(feedback) = self.feedback.pop() {
                self.expected.push(feedback).unwrap();
            }
        }
    }

    fn digests(&self) -> [Digest; 3] {
        [self.alpha.lane(), self.risk.lane(), self.gateway.lane()].map(|lane| lane.digest())
    }
}

fn approved(message: &RiskOut) -> Option<(u32, Class)> {
    match message {
        RiskOut::Event(_) => None,
        RiskOut::Verdict(message) => match &message.verdict {
            Verdict::Approved(approved) => Some((message.index, approved.class())),
            Verdict::Rejected(_) => None,
        },
    }
}

fn with_paper(setup: &Setup, recording: &Recording) -> Again<PaperVenue> {
    Again::new(setup, recording, Rerun::Venue, |setup, universe, seats, taps| {
        PaperVenue::new(&setup.paper, universe, &setup.books, taps, seats)
    })
}

fn without_venue(setup: &Setup, recording: &Recording) -> Again<NullVenue> {
    Again::new(setup, recording, Rerun::Gateway, |_, _, _, _| NullVenue)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However the stages were scheduled and whenever the word rose: decisions, orders and answers come
    /// out again, and market events with them.
    #[test]
    fn a_run_comes_out_of_its_records_again(
        seed in any::<u64>(), symbols in 1_usize..3, pace in paces(), faults in faults(),
        jitter in jitters(), polls in 0_u64..30_000, raise in 1_000_u64..20_000, level in 0_u8..4,
    ) {
        let mut setup = Setup::new(symbols, seed);
        (setup.paper.jitter, setup.paper.faults) = (jitter, faults);
        // What is late piles up.
        setup.sequencer.feedback_max = 1 << 16;
        let level = Level::from_number(level).unwrap();
        let recording = record(&setup, (pace, 400, 0), polls, (raise, level));
        prop_assert!(!recording.did.is_empty(), "something is done");
        let again = with_paper(&setup, &recording).run(&recording.events);
        prop_assert_eq!(&again.wrong, &Vec::<String>::new());
        prop_assert_eq!(again.digests(), recording.digests);
        prop_assert_eq!((again.expected.outstanding(), again.expected.missing()), (vec![], vec![]));
        prop_assert!(again.expected.found() > 0);
        let again = without_venue(&setup, &recording).run(&recording.events);
        prop_assert_eq!(&again.wrong, &Vec::<String>::new());
        prop_assert_eq!(again.digests(), recording.digests);
        prop_assert_eq!((again.expected.outstanding(), again.expected.missing()), (vec![], vec![]));
    }
}

/// A recording with an order that can not have left is not what happened.
#[test]
fn an_order_that_is_recorded_as_sent_below_the_level_is_named() {
    let setup = Setup::new(2, 11);
    let mut recording = record(&setup, (Pace::Fast, 600, 0), 0, (500, Level::NoNewRisk));
    let told = recording.events.iter().find(|event| matches!(event.body, Body::KillLevel(_)));
    let told = told.unwrap().seq;
    let blocked =
        recording.did.iter_mut().rfind(|(_, did)| matches!(did, Did::Blocked(_))).unwrap();
    let (seq, level) = (blocked.0, Level::NoNewRisk);
    assert_eq!(blocked.1, Did::Blocked(level));
    blocked.1 = Did::Sent;
    let again = without_venue(&setup, &recording).run(&recording.events);
    let (kept, count) = again.gateway.violations();
    assert_eq!((kept.len(), count), (1, 1), "{kept:?} {told}");
    let Violation::SentBelowLevel { seq: at, level: held, class, .. } = kept[0] else {
        panic!("{kept:?}")
    };
    assert_eq!((at, held, class), (seq, level, Class::NewRisk));
    assert_ne!(again.digests()[2], recording.digests[2]);
    // The gateway's own rejection does not come out again.
    assert!(again.wrong.iter().any(|wrong| wrong.starts_with("nothing that is due says event")));
}
