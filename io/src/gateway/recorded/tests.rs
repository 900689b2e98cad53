//! Outcomes read from a recording: done as they stand, and judged.

use fusewire_core::units::Nanos;
use proptest::prelude::*;

use super::*;
use crate::gateway::levels::Levels;

const CLASSES: [Class; 4] = [Class::NewRisk, Class::Reduce, Class::HaltReduce, Class::Cancel];

fn sent(index: u32) -> RecordedOutcome {
    RecordedOutcome::Handled { index, blocked_at: None }
}

fn blocked(index: u32, level: Level) -> RecordedOutcome {
    RecordedOutcome::Handled { index, blocked_at: Some(level) }
}

fn event(seq: u64, body: Body) -> Event {
    let ts = Nanos(seq);
    Event {
        seq,
        ts,
        recv: ts,
        frame: 0,
        instrument: None,
        last: true,
        stamp: Default::default(),
        body,
    }
}

/// A recording of these outcomes at event 5.
fn recorded(outcomes: &[RecordedOutcome]) -> Recorded {
    let mut recorded = Recorded::new(KillSwitch::new(), u64::MAX);
    outcomes.iter().for_each(|outcome| recorded.push(5, *outcome));
    recorded
}

/// What is done for verdicts of event 5 with these classes and indices, and at its end.
fn steps(recorded: &mut Recorded, verdicts: &[(u32, Class)]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (index, class) in verdicts {
        loop {
            let step = recorded.step(5, *index, *class);
            steps.push(step);
            if step != Step::CancelAll {
                break;
            }
        }
    }
    while recorded.settle(5) {
        steps.push(Step::CancelAll);
    }
    steps
}

#[test]
fn it_does_what_was_recorded_in_the_order_of_the_lane() {
    let all = RecordedOutcome::CancelAll;
    let outcomes = [sent(0), blocked(2, Level::Halt), all, blocked(3, Level::Dead)];
    let mut recorded = recorded(&outcomes);
    let verdicts = [(0, Class::NewRisk), (2, Class::Reduce), (3, Class::Cancel)];
    let expected =
        [Step::Send, Step::Block(Level::Halt), Step::CancelAll, Step::Block(Level::Dead)];
    assert_eq!(steps(&mut recorded, &verdicts), expected);
    assert_eq!(recorded.violations(), (&[][..], 0));
}

#[test]
fn everything_is_cancelled_with_the_event_that_the_record_names() {
    let mut recorded = recorded(&[sent(0)]);
    recorded.push(5, RecordedOutcome::CancelAll);
    recorded.push(6, RecordedOutcome::Handled { index: 0, blocked_at: Some(Level::Dead) });
    assert!(!recorded.takes_cancel_all(5), "an order comes before it");
    assert_eq!(steps(&mut recorded, &[(0, Class::NewRisk)]), [Step::Send, Step::CancelAll]);
    assert!(!recorded.settle(5));
    assert_eq!(recorded.step(6, 0, Class::Cancel), Step::Block(Level::Dead));
    // Before the first event of all.
    recorded = Recorded::new(KillSwitch::new(), u64::MAX);
    recorded.push(0, RecordedOutcome::CancelAll);
    assert!(recorded.takes_cancel_all(0) && !recorded.takes_cancel_all(0));
    assert_eq!(recorded.violations().1, 0);
}

/// Each class at each level that is certain: because it was sequenced, because risk raised it, or because
/// something else was blocked by it.
#[test]
fn nothing_may_be_sent_or_blocked_below_a_level_that_was_certain() {
    for (level, class) in
        Level::ALL.into_iter().flat_map(|level| CLASSES.map(|class| (level, class)))
    {
        let ways: [&dyn Fn(&mut Recorded); 4] = [
            &|recorded| recorded.on_event(&event(5, Body::KillLevel(level))),
            &|recorded| recorded.on_event(&event(5, Body::Control(Control::Raise(level)))),
            &|recorded| recorded.kill.raise(level),
            &|recorded| {
                recorded.push(4, blocked(0, level));
                recorded.step(4, 0, Class::NewRisk);
                recorded.violations.clear();
            },
        ];
        for way in ways {
            let certain = || {
                let mut recorded = recorded(&[]);
                way(&mut recorded);
                recorded.violations.clear();
                recorded
            };
            let mut one = certain();
            one.push(5, sent(1));
            assert_eq!(one.step(5, 1, class), Step::Send);
            let violation = Violation::SentBelowLevel { seq: 5, index: 1, level, class };
            let expected = if level.allows(class) { vec![] } else { vec![violation] };
            assert_eq!(one.violations, expected);
            for blocked_at in Level::ALL {
                let mut one = certain();
                one.push(5, blocked(1, blocked_at));
                assert_eq!(one.step(5, 1, class), Step::Block(blocked_at));
                let violation =
                    Violation::BlockedWrongly { seq: 5, index: 1, blocked_at, level, class };
                let is_right = blocked_at >= level && !blocked_at.allows(class);
                let expected = if is_right { vec![] } else { vec![violation] };
                assert_eq!(one.violations, expected);
            }
        }
    }
}

#[test]
fn nothing_leaves_after_everything_was_cancelled() {
    let mut recorded = recorded(&[RecordedOutcome::CancelAll, sent(0)]);
    let expected = [Step::CancelAll, Step::Send];
    assert_eq!(steps(&mut recorded, &[(0, Class::Cancel)]), expected);
    let (level, class) = (Level::Dead, Class::Cancel);
    let violation = Violation::SentBelowLevel { seq: 5, index: 0, level, class };
    assert_eq!(recorded.violations(), (&[violation][..], 1));
}

#[test]
fn records_without_a_verdict_and_verdicts_without_a_record_are_named() {
    let all = RecordedOutcome::CancelAll;
    let mut one = recorded(&[sent(1), all, sent(2), sent(7), all]);
    let verdicts = [(0, Class::Cancel), (2, Class::NewRisk), (3, Class::Cancel)];
    let expected = [Step::Omit, Step::CancelAll, Step::Send, Step::Omit, Step::CancelAll];
    assert_eq!(steps(&mut one, &verdicts), expected);
    let expected = [
        Violation::NoOutcome { seq: 5, index: 0 },
        Violation::NotAskedFor { seq: 5, outcome: sent(1) },
        Violation::SentBelowLevel { seq: 5, index: 2, level: Level::Dead, class: Class::NewRisk },
        Violation::NoOutcome { seq: 5, index: 3 },
        Violation::NotAskedFor { seq: 5, outcome: sent(7) },
        // Once is enough.
        Violation::NotAskedFor { seq: 5, outcome: all },
    ];
    assert_eq!(one.violations(), (&expected[..], 6));
    // Records of an event that is over are not done any more; those of a later one wait.
    let mut one = recorded(&[]);
    one.push(4, all);
    one.push(6, sent(0));
    assert_eq!(steps(&mut one, &[]), []);
    assert_eq!(one.violations(), (&[Violation::NotAskedFor { seq: 4, outcome: all }][..], 1));
    assert_eq!(one.step(6, 0, Class::NewRisk), Step::Send);
}

#[test]
fn at_the_highest_level_everything_was_cancelled_before_it_was_told() {
    for body in [Body::KillLevel(Level::Dead), Body::Control(Control::Raise(Level::Dead))] {
        let mut without = recorded(&[]);
        without.on_event(&event(6, body));
        without.on_event(&event(7, body));
        assert_eq!(without.violations(), (&[Violation::NoCancelAll { seq: 6 }][..], 1));
        let mut with = recorded(&[RecordedOutcome::CancelAll]);
        assert!(with.settle(5));
        with.on_event(&event(6, body));
        assert_eq!(with.violations().1, 0);
    }
}

#[test]
fn what_an_interrupted_recording_lacks_at_its_end_is_no_violation() {
    let mut cut = Recorded::new(KillSwitch::new(), 5);
    assert_eq!(cut.step(6, 0, Class::NewRisk), Step::Omit);
    cut.on_event(&event(6, Body::KillLevel(Level::Dead)));
    assert_eq!(cut.violations().1, 0);
    assert_eq!(cut.step(5, 0, Class::NewRisk), Step::Omit);
    assert_eq!(cut.violations().1, 1);
}

#[test]
fn the_first_violations_are_kept_and_all_are_counted() {
    let mut recorded = recorded(&[]);
    for index in 0..100 {
        recorded.step(5, index, Class::Cancel);
    }
    let (kept, count) = recorded.violations();
    assert_eq!((kept.len(), count), (KEPT_MAX, 100));
    assert_eq!(kept[0], Violation::NoOutcome { seq: 5, index: 0 });
}

/// What happens at a gateway, as threads would have it.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Raised(Level),
    /// The sequencer tells the level that the word has.
    Told,
    Event,
    Verdict(Class),
    /// It looks for a message and there is none.
    Idle,
}

/// The calls of the stage, and what came of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    CancelAll { seq: u64 },
    Step { seq: u64, index: u32, step: Step },
}

/// Drives levels as the stage does.
struct Player {
    levels: Levels,
    seq: u64,
    index: u32,
    did: Vec<Did>,
}

impl Player {
    fn watch(&mut self) {
        while self.levels.takes_cancel_all(self.seq) {
            self.did.push(Did::CancelAll { seq: self.seq });
        }
    }

    fn settle(&mut self) {
        while self.levels.settle(self.seq) {
            self.did.push(Did::CancelAll { seq: self.seq });
        }
    }

    fn event(&mut self, body: Body) {
        self.watch();
        self.seq += 1;
        self.index = 0;
        self.levels.on_event(&event(self.seq, body));
    }

    fn verdict(&mut self, class: Class) {
        self.watch();
        let (seq, index) = (self.seq, self.index);
        loop {
            match self.levels.step(seq, index, class) {
                Step::CancelAll => self.did.push(Did::CancelAll { seq }),
                step @ (Step::Send | Step::Block(_) | Step::Omit) => {
                    self.did.push(Did::Step { seq, index, step });
                    break;
                }
            }
        }
        self.index += 1;
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        1 => (1_usize..4).prop_map(|level| Happens::Raised(Level::ALL[level])),
        1 => Just(Happens::Told),
        3 => Just(Happens::Event),
        6 => (0_usize..4).prop_map(|class| Happens::Verdict(CLASSES[class])),
        1 => Just(Happens::Idle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whenever the word rose: what a live gateway did is done again and has nothing against it.
    #[test]
    fn what_a_live_gateway_did_can_be_done_again(
        script in prop::collection::vec(happens(), 0..60),
    ) {
        let kill = KillSwitch::new();
        let player = |levels| Player { levels, seq: 0, index: 0, did: Vec::new() };
        let mut live = player(Levels::Live(Latch::new(kill.clone())));
        let mut messages = Vec::new();
        let mut body = Body::Tick;
        for one in script {
            match one {
                Happens::Raised(level) => kill.raise(level),
                Happens::Told => body = Body::KillLevel(kill.level()),
                Happens::Event => {
                    live.event(body);
                    messages.push(Ok(body));
                    body = Body::Tick;
                }
                Happens::Verdict(class) if live.seq > 0 => {
                    live.verdict(class);
                    messages.push(Err(class));
                }
                Happens::Verdict(_) | Happens::Idle => live.watch(),
            }
        }
        let outcomes = live.did.iter().map(|did| match *did {
            Did::CancelAll { seq } => (seq, RecordedOutcome::CancelAll),
            Did::Step { seq, index, step: Step::Block(level) } => (seq, blocked(index, level)),
            Did::Step { seq, index, .. } => (seq, sent(index)),
        });
        let mut recorded = Recorded::new(KillSwitch::new(), u64::MAX);
        outcomes.for_each(|(seq, outcome)| recorded.push(seq, outcome));
        let mut again = player(Levels::Recorded(Box::new(recorded)));
        for message in messages {
            match message {
                Ok(body) => {
                    again.settle();
                    again.event(body);
                }
                Err(class) => again.verdict(class),
            }
        }
        again.settle();
        prop_assert_eq!(&again.did, &live.did);
        let Levels::Recorded(recorded) = &again.levels else { panic!("it is") };
        prop_assert_eq!(recorded.violations(), (&[][..], 0));
    }
}
