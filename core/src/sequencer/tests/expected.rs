//! What was fed back, against what the stage made of it.

use super::*;
use crate::sequencer::heap::body_of;

/// Far more than a schedule feeds back.
const MAX: usize = 4_096;

/// A run with polls in any order, then inline to its end: events, and what is pending.
fn record(schedule: &Schedule, order: &[u8]) -> (Vec<Event>, Vec<Feedback>) {
    let (inputs, _) = frames(&schedule.said);
    let seed = schedule.seed;
    let react = move |event: &Event| react(seed, event);
    let mut all = Pipeline::new(&config(), schedule.rings, &inputs, &schedule.controls, react);
    for stage in order {
        match stage {
            0 => all.feed.poll(),
            1 => all.head.poll(),
            _ => all.far.poll(),
        };
    }
    all.run().unwrap();
    (all.far.seen, all.head.pending())
}

fn is_feedback(event: &Event) -> bool {
    matches!(event.body, Body::Wake | Body::Report(_) | Body::Status(_) | Body::Rejected(_))
}

fn of(rerun: Rerun, pending: &[Feedback]) -> Expected {
    let mut expected = Expected::new(rerun, MAX);
    pending.iter().for_each(|feedback| expected.list_pending(*feedback).unwrap());
    expected
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Inline all that was fed back is known, so that it is always the first of all that comes next.
    #[test]
    fn a_replay_sequences_the_head(schedule in schedule()) {
        let (events, pending) = record(&schedule, &[]);
        let mut expected = of(Rerun::Venue, &[]);
        for event in &events {
            let before = expected.outstanding();
            expected.sequenced(event).unwrap();
            let taken = usize::from(is_feedback(event));
            prop_assert_eq!(&before[taken..], &expected.outstanding()[..]);
            for feedback in react(schedule.seed, event).feedback {
                expected.push(feedback).unwrap();
            }
        }
        prop_assert_eq!(expected.outstanding(), pending);
        prop_assert_eq!(expected.found(), events.iter().filter(|event| is_feedback(event)).count() as u64);
    }

    /// However late it came: sequenced and pending together are all that was fed back.
    #[test]
    fn threads_sequence_what_is_due(
        schedule in schedule(),
        order in prop::collection::vec(0_u8..3, 0..400),
        pick in any::<prop::sample::Index>(),
    ) {
        let (events, pending) = record(&schedule, &order);
        let left = |rerun: Rerun, listed: &[Feedback]| {
            let mut expected = of(rerun, listed);
            for event in &events {
                expected.sequenced(event).unwrap();
                for feedback in react(schedule.seed, event).feedback {
                    expected.push(feedback).unwrap();
                }
            }
            (expected.outstanding(), expected.missing())
        };
        for rerun in [Rerun::Venue, Rerun::Gateway] {
            prop_assert_eq!(left(rerun, &pending), (Vec::new(), Vec::new()));
        }
        if !pending.is_empty() {
            let mut listed = pending.clone();
            let lost = listed.remove(pick.index(pending.len()));
            let says = |one: &Feedback| (one.instrument, one.body);
            let (outstanding, missing) = left(Rerun::Venue, &listed);
            prop_assert_eq!(outstanding.iter().map(says).collect::<Vec<_>>(), vec![says(&lost)]);
            prop_assert_eq!(missing, vec![]);
            let false_one = Feedback { n: lost.n + 1_000, ..lost };
            listed.push(false_one);
            prop_assert_eq!(left(Rerun::Venue, &listed).1, vec![false_one]);
        }
    }
}

/// An event at 100 that everything here is caused by.
fn cause() -> Event {
    let (ts, body) = (Nanos(100), Body::Tick);
    Event {
        seq: 7,
        ts,
        recv: ts,
        frame: 0,
        instrument: None,
        last: true,
        stamp: Default::default(),
        body,
    }
}

/// Feedback as it is sequenced at `ts`.
fn told(feedback: &Feedback, ts: u64) -> Event {
    let body = body_of(&feedback.body);
    let ts = Nanos(ts);
    Event { seq: 9, ts, recv: ts, instrument: feedback.instrument, body, ..cause() }
}

#[test]
fn what_is_not_due_or_says_something_else_is_not_expected_and_the_nearest_is_named() {
    let all = [wake(110, &cause(), 0), report(120, &cause(), 1), status(130, &cause(), 2)];
    let mut expected = of(Rerun::Venue, &[]);
    all.iter().for_each(|feedback| expected.push(*feedback).unwrap());
    let mut nearest = |event: Event| {
        let unexpected = expected.sequenced(&event).unwrap_err();
        assert_eq!(unexpected.recorded, event);
        unexpected.nearest
    };
    assert_eq!(nearest(told(&all[1], 119)), Some(all[1]), "not due yet");
    assert_eq!(nearest(Event { instrument: Some(ETH), ..told(&all[2], 130) }), Some(all[2]));
    let Body::Report(body) = told(&all[1], 120).body else { panic!("a report") };
    let body = Body::Report(Report { cum_fee: Usd(1), ..body });
    assert_eq!(nearest(Event { body, ..told(&all[1], 120) }), Some(all[1]));
    assert_eq!(nearest(told(&rejected(120, &cause(), 0), 120)), Some(all[0]), "the first of all");
    for feedback in &all {
        expected.sequenced(&told(feedback, 130)).unwrap();
    }
    let none = expected.sequenced(&told(&all[0], 130)).unwrap_err();
    assert_eq!(none.nearest, None);
    assert!(none.to_string().ends_with("nothing is outstanding"), "{none}");
}

#[test]
fn equal_messages_are_as_many_as_they_are() {
    let twice = report(120, &cause(), 1);
    let mut expected = of(Rerun::Venue, &[twice]);
    for _ in 0..3 {
        expected.push(twice).unwrap();
    }
    assert_eq!((expected.outstanding().len(), expected.missing().len()), (2, 0));
    for _ in 0..2 {
        expected.sequenced(&told(&twice, 120)).unwrap();
    }
    assert!(expected.sequenced(&told(&twice, 120)).is_err());
}

#[test]
fn a_venue_that_is_not_run_again_owes_nothing() {
    let mut expected = of(Rerun::Gateway, &[wake(110, &cause(), 0)]);
    assert_eq!(expected.missing(), []);
    expected.push(report(120, &cause(), 1)).unwrap();
    assert_eq!(expected.outstanding(), []);
    expected.sequenced(&told(&status(130, &cause(), 2), 130)).unwrap();
    let refused = rejected(130, &cause(), 3);
    assert!(expected.sequenced(&told(&refused, 130)).is_err());
    expected.push(refused).unwrap();
    expected.sequenced(&told(&refused, 130)).unwrap();
    assert_eq!(expected.found(), 1);
}

#[test]
fn it_is_full_at_its_limit() {
    let mut expected = Expected::new(Rerun::Venue, 1);
    let (first, second) = (wake(110, &cause(), 0), wake(110, &cause(), 1));
    expected.push(first).unwrap();
    assert_eq!(expected.push(second), Err(ExpectedFull { max: 1 }));
    expected.list_pending(first).unwrap();
    assert_eq!(expected.list_pending(second), Err(ExpectedFull { max: 1 }));
}
