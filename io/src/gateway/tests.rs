//! The gateway before a venue that is played by hand.
//!
//! Only risk can make an `Approved`, so that what is sent is tested where all stages are joined; what is
//! decided about it is tested in `latch`.

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::{Keep, LaneWriter, Record};
use fusewire_core::message::{Feedback, FeedbackBody, FeedbackOrigin, RiskOut, VerdictMessage};
use fusewire_core::order::{
    Action, Approved, Check, Intent, OrderId, RejectedBy, Rejection, Source, StrategyId, Verdict,
};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_core::units::Nanos;

use super::wire::OrderEncoder;
use super::{Feedbacks, GatewayConfig, GatewayStage, Ports, RecordedOutcome, Venue, Violation};

const ROOM: usize = GatewayConfig::FEEDBACK_OUTBOX_LEAST;

/// Says as many things on an event as its frame number asks for, and notes what it is told.
#[derive(Debug, Default)]
struct Script {
    events: Vec<u64>,
    cancelled: Vec<(u64, Nanos)>,
}

impl Venue for Script {
    fn on_event(&mut self, event: &Event, out: &mut Feedbacks) {
        self.events.push(event.seq);
        for _ in 0..event.frame {
            let _ = out.push(event.ts, event.seq, None, FeedbackBody::Wake);
        }
    }

    fn send(&mut self, _seq: u64, _ts: Nanos, _approved: &Approved, _out: &mut Feedbacks) {}

    fn cancel_all(&mut self, seq: u64, ts: Nanos, out: &mut Feedbacks) {
        self.cancelled.push((seq, ts));
        let _ = out.push(ts, seq, None, FeedbackBody::Wake);
    }
}

/// The scripted venue, for symbols that nothing is sent of.
fn wire() -> (OrderEncoder, Script) {
    (OrderEncoder::new(&Universe::default()).unwrap(), Script::default())
}

struct Bench {
    stage: GatewayStage<Script>,
    input: Producer<RiskOut>,
    feedback: Consumer<Feedback>,
    kill: KillSwitch,
    done: DoneSeq,
}

fn bench(feedback_slots: usize) -> Bench {
    bench_of(feedback_slots, |config, ports, kill, done| {
        GatewayStage::new(config, wire(), ports, kill, done, Keep::Prefixes)
    })
}

/// A gateway that does again what these records say.
fn again(outcomes: &[(u64, RecordedOutcome)]) -> Bench {
    let mut bench = bench_of(64, |config, ports, kill, done| {
        GatewayStage::recorded(config, wire(), ports, kill, u64::MAX, done, Keep::Prefixes)
    });
    for (seq, outcome) in outcomes {
        bench.stage.record_outcome(*seq, *outcome);
    }
    bench
}

fn bench_of(
    feedback_slots: usize,
    stage: impl FnOnce(GatewayConfig, Ports, KillSwitch, DoneSeq) -> GatewayStage<Script>,
) -> Bench {
    let (input, taken) = RingBuffer::new(16);
    let (given, feedback) = RingBuffer::new(feedback_slots);
    let (kill, done) = (KillSwitch::new(), DoneSeq::new());
    let config = GatewayConfig { local_reject_delay: Nanos(5), feedback_outbox_max: ROOM };
    let ports = Ports { input: taken, feedback: given };
    let stage = stage(config, ports, kill.clone(), done.clone());
    Bench { stage, input, feedback, kill, done }
}

impl Bench {
    /// An event at ts 100 * seq on which the venue says `says` things.
    fn event(&mut self, seq: u64, says: u64, last: bool) {
        let ts = Nanos(100 * seq);
        let (instrument, body) = (None, Body::Tick);
        let event = Event {
            seq,
            ts,
            recv: ts,
            frame: says,
            instrument,
            last,
            stamp: Default::default(),
            body,
        };
        self.input.push(RiskOut::Event(event)).unwrap();
    }

    fn rejected(&mut self, seq: u64, index: u32, last: bool) -> Rejection {
        let intent = Intent {
            order: OrderId::new(1, StrategyId(0), 1 + u64::from(index)),
            instrument: InstrumentId(2),
            source: Source::Alpha,
            action: Action::Query,
        };
        let rejection = Rejection::new(&intent, RejectedBy::Risk, Check::Lot, 3, 4);
        let verdict = Verdict::Rejected(rejection);
        self.input.push(RiskOut::Verdict(VerdictMessage { seq, last, index, verdict })).unwrap();
        rejection
    }

    fn run(&mut self) {
        while self.stage.poll() > 0 {}
    }

    fn take(&mut self) -> Vec<Feedback> {
        std::iter::from_fn(|| self.feedback.pop().ok()).collect()
    }
}

#[test]
fn an_event_is_done_when_all_of_its_feedback_is_on_the_ring() {
    let mut bench = bench(1);
    bench.event(1, 0, true);
    bench.run();
    assert_eq!(bench.done.get(), 1);
    bench.event(2, 3, true);
    bench.event(3, 0, true);
    for _ in 0..2 {
        bench.run();
        // Undelivered feedback: not done, and nothing more is taken.
        assert_eq!((bench.done.get(), bench.stage.venue().events.len()), (1, 2));
        assert_eq!(bench.take().len(), 1);
    }
    // The third fits, so that event 2 is done, and event 3 can follow.
    bench.run();
    assert_eq!((bench.done.get(), bench.stage.venue().events.len()), (3, 3));
    assert_eq!(bench.take().len(), 1);
}

#[test]
fn an_event_is_not_done_before_its_last_message() {
    let mut bench = bench(8);
    bench.event(1, 1, false);
    bench.run();
    // The venue is told when orders that may follow are on their way.
    assert_eq!((bench.done.get(), bench.take().len()), (0, 0));
    bench.rejected(1, 0, false);
    bench.run();
    assert_eq!((bench.done.get(), bench.take().len()), (0, 2));
    bench.rejected(1, 1, true);
    bench.run();
    assert_eq!((bench.done.get(), bench.take().len()), (1, 1));
}

#[test]
fn rejections_of_risk_come_back_after_their_cause() {
    let mut bench = bench(8);
    bench.event(4, 1, false);
    let rejections = [bench.rejected(4, 0, false), bench.rejected(4, 1, true)];
    bench.run();
    let told = bench.take();
    assert_eq!((told[0].origin, told[0].n), (FeedbackOrigin::Venue, 0));
    for ((feedback, rejection), n) in told[1..].iter().zip(rejections).zip(0..) {
        let expected = Feedback {
            due: Nanos(405),
            cause_seq: 4,
            origin: FeedbackOrigin::Gateway,
            n,
            instrument: Some(InstrumentId(2)),
            body: FeedbackBody::Rejected(rejection),
        };
        assert_eq!(*feedback, expected);
    }
    assert_eq!((told.len(), bench.stage.counts().rejected), (3, 2));
    // A rejection of risk is in the lane of risk already.
    assert_eq!(bench.stage.lane().records(), 0);
}

#[test]
fn everything_is_cancelled_once_at_the_highest_level_and_written_down() {
    let mut bench = bench(8);
    bench.event(1, 0, true);
    bench.kill.raise(Level::Halt);
    bench.run();
    assert_eq!(bench.stage.venue().cancelled, []);
    // It needs no message: the stages before may be gone.
    bench.kill.raise(Level::Dead);
    bench.run();
    bench.event(2, 0, true);
    bench.run();
    assert_eq!(bench.stage.venue().cancelled, [(1, Nanos(100))]);
    assert_eq!(bench.stage.counts().cancel_alls, 1);
    let mut lane = LaneWriter::new(Keep::Digest);
    lane.append(&Record::cancel_all(1));
    assert_eq!(bench.stage.lane().digest(), lane.digest());
    // What the venue says to it comes back although no event was being handled.
    assert_eq!((bench.take().len(), bench.done.get()), (1, 2));
}

/// The record names the event before, whether the word was seen while waiting or with the next event.
#[test]
fn a_raise_seen_with_an_event_counts_to_the_one_before() {
    let mut bench = bench(8);
    bench.event(1, 0, true);
    bench.run();
    bench.kill.raise(Level::Dead);
    bench.event(2, 0, true);
    bench.run();
    assert_eq!(bench.stage.venue().cancelled, [(1, Nanos(100))]);
}

#[test]
fn cancelling_everything_does_not_wait_for_room() {
    let mut bench = bench(1);
    bench.event(1, 4, true);
    bench.run();
    bench.kill.raise(Level::Dead);
    bench.run();
    assert_eq!(bench.stage.venue().cancelled, [(1, Nanos(100))]);
    assert_eq!(bench.done.get(), 0);
}

/// A venue that uses all of its room can not keep a rejection from coming back, nor does it stop anything.
#[test]
fn a_talkative_venue_is_cut_off() {
    let mut bench = bench(64);
    bench.event(1, 1_000, false);
    bench.rejected(1, 0, true);
    bench.run();
    let told = bench.take();
    assert_eq!((told.len(), bench.done.get()), (ROOM + 1, 1));
    assert_eq!(told.last().unwrap().origin, FeedbackOrigin::Gateway);
    // Numbers have no holes where something was cut off.
    bench.event(2, 1, true);
    bench.run();
    assert_eq!(bench.take()[0].n, ROOM as u64);
}

/// A word that rose at any point of a run; what the lane says of it is enough to do the same again.
#[test]
fn a_recorded_gateway_cancels_where_the_live_one_did() {
    for raised_before in 0..5 {
        let (mut live, mut kept) = (bench(64), Vec::new());
        let mut play = |bench: &mut Bench, raise: Option<u32>| {
            for step in 0..5 {
                if raise == Some(step) {
                    bench.kill.raise(Level::Dead);
                }
                match step {
                    0 | 4 => {}
                    1 => bench.event(1, 2, true),
                    2 => bench.event(2, 1, false),
                    _ => {
                        bench.rejected(2, 0, true);
                    }
                }
                bench.run();
                kept.push(bench.done.get());
            }
            (std::mem::take(&mut kept), bench.stage.venue().events.clone())
        };
        let seen = play(&mut live, Some(raised_before));
        // With the event that was the last one then.
        let seq = [0, 0, 1, 2, 2][raised_before as usize];
        let mut again = again(&[(seq, RecordedOutcome::CancelAll)]);
        assert_eq!(play(&mut again, None), seen);
        assert_eq!(again.stage.venue().cancelled, live.stage.venue().cancelled);
        assert_eq!(again.stage.lane().prefixes(), live.stage.lane().prefixes());
        assert_eq!(again.stage.counts(), live.stage.counts());
        assert_eq!(again.stage.violations(), (&[][..], 0));
        let by_key = |bench: &mut Bench| {
            let mut told = bench.take();
            told.sort_by_key(|feedback| (feedback.cause_seq, feedback.origin, feedback.n));
            told
        };
        assert_eq!(by_key(&mut again), by_key(&mut live));
    }
}

#[test]
fn what_a_recording_cancels_with_an_event_is_done_with_it() {
    let mut bench = again(&[(1, RecordedOutcome::CancelAll)]);
    bench.event(1, 0, true);
    bench.stage.poll();
    // Its feedback is there when the event is done: what follows may be it.
    assert_eq!((bench.take().len(), bench.done.get()), (1, 1));
    assert_eq!(bench.stage.venue().cancelled, [(1, Nanos(100))]);
}

#[test]
fn a_sequenced_level_holds_for_a_recorded_gateway() {
    for (outcomes, violations) in [
        (&[][..], &[Violation::NoCancelAll { seq: 1 }][..]),
        (&[(0, RecordedOutcome::CancelAll)], &[]),
    ] {
        let mut bench = again(outcomes);
        let (ts, body) = (Nanos(100), Body::KillLevel(Level::Dead));
        let (instrument, last) = (None, true);
        let event = Event {
            seq: 1,
            ts,
            recv: ts,
            frame: 0,
            instrument,
            last,
            stamp: Default::default(),
            body,
        };
        bench.input.push(RiskOut::Event(event)).unwrap();
        bench.run();
        assert_eq!(bench.stage.violations().0, violations);
    }
}

#[test]
fn a_record_that_no_verdict_asks_for_is_a_violation_and_nothing_else() {
    let outcome = RecordedOutcome::Handled { index: 0, blocked_at: None };
    let mut bench = again(&[(1, outcome)]);
    bench.event(1, 0, false);
    // Risk refused it.
    bench.rejected(1, 0, true);
    bench.run();
    let violation = Violation::NotAskedFor { seq: 1, outcome };
    assert_eq!(bench.stage.violations(), (&[violation][..], 1));
    assert_eq!((bench.stage.lane().records(), bench.done.get()), (0, 1));
}

#[test]
fn room_counts_down_to_nothing() {
    let mut out = Feedbacks::new(2);
    let mut push = || {
        let pushed = out.push(Nanos(1), 1, None, FeedbackBody::Wake);
        (pushed, out.room(), out.is_empty())
    };
    assert_eq!([push(), push(), push()], [(true, 1, false), (true, 0, false), (false, 0, false)]);
}

#[test]
fn errors_name_the_field() {
    let good = GatewayConfig::default();
    assert_eq!(good.validate(), Ok(()));
    let bad = [
        ("local_reject_delay", GatewayConfig { local_reject_delay: Nanos(0), ..good }),
        ("feedback_outbox_max", GatewayConfig { feedback_outbox_max: 15, ..good }),
        ("feedback_outbox_max", GatewayConfig { feedback_outbox_max: usize::MAX, ..good }),
    ];
    for (name, config) in bad {
        assert!(config.validate().is_err_and(|text| text.starts_with(name)), "{config:?}");
    }
}
