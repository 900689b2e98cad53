//! One total order: the same every time, at the time that it is due, bounded, and never stuck.

use std::collections::BTreeMap;

use fusewire_core::event::{Body, Event, EventKind};
use fusewire_core::message::{Feedback, FeedbackBody};
use fusewire_core::order::OrderId;
use fusewire_core::sequencer::SequencerConfig;
use fusewire_core::units::Nanos;
use fusewire_io::gateway::GatewayConfig;
use fusewire_io::venue::paper::ReportFaults;
use fusewire_risk::RiskConfig;
use fusewire_strategies::stage::AlphaConfig;
use proptest::prelude::*;

use super::rig::{Rig, Setup};
use super::rogue::{Manner, Rogue};
use super::walk::{Pace, market};
use super::watch::Watched;

pub(super) type Whole = Rig<Rogue, Watched>;

/// Stages with one rogue.
pub(super) fn whole(setup: &Setup, frames: (Pace, usize, u64), rogue: Rogue) -> Whole {
    let inputs = market(&setup.instruments, setup.paper.seed, frames);
    let room = setup.gateway.feedback_outbox_max;
    Rig::new(setup, inputs, vec![rogue], |paper| Watched::new(paper, room))
}

/// A rogue that acts on one event in `one_in`.
pub(super) fn wild(setup: &Setup, one_in: u64) -> Rogue {
    Rogue::new(Manner::Wild(one_in), setup.alpha.inflight_max)
}

/// Shares of messages that are lost, repeated and late.
pub(super) fn faults() -> impl Strategy<Value = ReportFaults> {
    let share = || prop_oneof![Just(0_u32), 1_u32..300_001];
    (share(), share(), share(), 1_u64..900).prop_map(|(lose_ppm, repeat_ppm, delay_ppm, delay)| {
        ReportFaults { lose_ppm, repeat_ppm, delay_ppm, delay: Nanos(delay * Nanos::MILLI) }
    })
}

/// What a message may take longer: nothing, so that much falls on the same instant; little; or so long that
/// a query overtakes the order that it asks about.
pub(super) fn jitters() -> impl Strategy<Value = Nanos> {
    prop::sample::select(vec![0, 2, 400]).prop_map(|millis| Nanos(millis * Nanos::MILLI))
}

pub(super) fn paces() -> impl Strategy<Value = Pace> {
    prop_oneof![Just(Pace::Fast), Just(Pace::Sparse)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The same input gives the same lanes, whatever the size of the rings and whoever drives: with rings
    /// of one message every stage is stopped by a full ring, the tap too, and nothing gets stuck.
    #[test]
    fn rings_of_one_message_change_nothing(
        seed in any::<u64>(), symbols in 1_usize..3, pace in paces(), faults in faults(),
        jitter in jitters(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.jitter = jitter;
        setup.paper.faults = faults;
        let run = |setup: &Setup| {
            let mut rig = whole(setup, (pace, 400, 0), wild(setup, 2));
            rig.run().map(|()| (rig.digests(), rig.gateway.counts().new))
        };
        let first = run(&setup).unwrap();
        prop_assert!(first.1 > 0, "orders are sent");
        prop_assert_eq!(run(&setup).unwrap(), first);
        prop_assert_eq!(run(&setup.tiny()).unwrap(), first);
        let mut watched = whole(&setup.tiny(), (pace, 400, 0), wild(&setup, 2));
        watched.watched(|_| ());
        prop_assert_eq!(watched.digests(), first.0, "a look at each event changes nothing");
    }

    /// What comes back is sequenced at its due time, in the order of its key and before all else of that
    /// time, also between frames that lie seconds apart.
    #[test]
    fn feedback_comes_when_it_is_due(
        seed in any::<u64>(), symbols in 1_usize..3, faults in faults(), jitter in jitters(),
    ) {
        let mut setup = Setup::new(symbols, seed);
        setup.paper.jitter = jitter;
        setup.paper.faults = faults;
        let mut rig = whole(&setup, (Pace::Sparse, 300, 0), wild(&setup, 1));
        rig.run().unwrap();
        let venue = rig.gateway.venue();
        let sequenced = check_venue_feedback(&venue.events, &venue.said);
        prop_assert!(sequenced > 100, "{} messages", sequenced);
        let asked = rig.alpha.strategies()[0].asked.iter().map(|asked| (asked.order, asked.ts));
        let delay = setup.gateway.local_reject_delay;
        let rejected = check_rejections(&venue.events, &asked.collect(), delay);
        prop_assert!(rejected > 10, "{} rejections", rejected);
    }
}

/// Every message of the venue becomes an event at the time it is due, lowest key first; what is left was
/// due after the last event.
fn check_venue_feedback(events: &[Event], said: &[(u64, Feedback)]) -> usize {
    let mut said = said.iter().peekable();
    let (mut waiting, mut count, mut last) = (BTreeMap::new(), 0, Nanos(0));
    for event in events {
        let body = match event.body {
            Body::Report(report) => Some(FeedbackBody::Report(report)),
            Body::Status(status) => Some(FeedbackBody::Status(status)),
            Body::Wake => Some(FeedbackBody::Wake),
            _ => None,
        };
        if let Some(body) = body {
            let (_, first): (_, Feedback) = waiting.pop_first().unwrap();
            assert_eq!((event.ts, body), (first.due, first.body), "event {}", event.seq);
            assert_eq!(event.instrument, first.instrument);
            count += 1;
        } else {
            let overdue = waiting.values().any(|feedback| feedback.due <= event.ts);
            assert!(!overdue, "event {} went before what was due", event.seq);
        }
        while let Some((_, feedback)) = said.next_if(|(seq, _)| *seq == event.seq) {
            assert!(feedback.due > event.ts && feedback.cause_seq == event.seq);
            assert!(waiting.insert(feedback.key(), *feedback).is_none());
        }
        assert!(event.ts >= last, "time does not fall");
        last = event.ts;
    }
    count
}

/// Every refusal of a new order comes a fixed time after the event that the order was formed on.
fn check_rejections(events: &[Event], asked: &BTreeMap<OrderId, Nanos>, delay: Nanos) -> usize {
    let mut count = 0;
    for event in events {
        let Body::Rejected(rejection) = &event.body else { continue };
        let Some(at) = asked.get(&rejection.order) else { continue };
        if rejection.action.order().is_some() {
            assert_eq!(event.ts, Nanos(at.0 + delay.0), "event {}", event.seq);
            count += 1;
        }
    }
    count
}

/// Each refusal causes a new bad order: what is unanswered stays within its bound, which the heap of
/// feedback is sized by, and time moves on by the delay of refusals.
#[test]
fn an_answer_to_every_refusal_stays_within_inflight_max() {
    let mut setup = Setup::new(1, 7).tiny();
    let inflight_max = 12;
    setup.alpha.inflight_max = inflight_max;
    setup.sequencer.feedback_max = inflight_max as usize;
    let mut rig = whole(&setup, (Pace::Fast, 20, 0), Rogue::new(Manner::Stubborn, inflight_max));
    rig.run().unwrap();
    let rogue = &rig.alpha.strategies()[0];
    assert_eq!(rogue.unresolved_most, inflight_max, "the bound is reached");
    let events = &rig.gateway.venue().events;
    let span = events.last().unwrap().ts.since(events[0].ts);
    let millis = usize::try_from(span / i128::from(Nanos::MILLI)).unwrap();
    let rejected = rig.head.counts()[EventKind::Rejected as usize];
    let most = (millis + 1) * inflight_max as usize;
    assert!(rejected as usize > most / 2 && rejected as usize <= most, "{rejected} in {millis} ms");
    assert_eq!(rig.gateway.counts().new, 0);
    assert_eq!(rig.alpha.counts().intents, rig.risk.counts().intents);
    // One more would have been too much: the run ends with an error, not with a lost message.
    setup.sequencer.feedback_max -= 1;
    let mut rig = whole(&setup, (Pace::Fast, 20, 0), Rogue::new(Manner::Stubborn, inflight_max));
    assert!(rig.run().is_err());
}

/// A burst of feedback through a ring of one message and a full tap: hundreds of orders rest and all are
/// answered at one event.
#[test]
fn a_burst_of_feedback_gets_through_a_ring_of_one_message() {
    let setup = wall_setup(1, 600).tiny();
    let mut rig = whole(&setup, (Pace::Fast, 100, 2), wall(&setup, 600));
    rig.run().unwrap();
    let stats = rig.gateway.venue().paper.stats();
    assert_eq!((stats.accepted, stats.overflowed), (600, 0));
    assert_eq!(rig.risk.portfolio().orders().len(), 600);
}

/// Room for many orders at once.
pub(super) fn wall_setup(seed: u64, orders: usize) -> Setup {
    let mut setup = Setup::new(1, seed);
    for instrument in &mut setup.instruments {
        instrument.max_orders = None;
    }
    let bench = RiskConfig::profile(fusewire_risk::Profile::Bench);
    setup.alpha = AlphaConfig {
        intents_max: orders,
        inflight_max: u32::try_from(2 * orders).unwrap(),
        orders_max: 2 * orders,
        ..setup.alpha
    };
    setup.risk = RiskConfig {
        balance: fusewire_core::units::Usd(1_000_000 * fusewire_core::units::ONE),
        arrival_max: setup.risk.arrival_max,
        ..bench
    };
    setup.gateway = GatewayConfig::default();
    setup.sequencer = SequencerConfig::default();
    setup.paper.orders_max = 4_096;
    setup.paper.requests_max = 4_096;
    setup
}

pub(super) fn wall(setup: &Setup, orders: u64) -> Rogue {
    Rogue::new(Manner::Wall(orders), setup.alpha.inflight_max)
}
