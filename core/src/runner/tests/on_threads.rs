//! Stages on threads: they add nothing in lockstep, lose nothing when they run free, and end in order whatever
//! happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::kill::{KillSwitch, Level};

/// Partitions of the stages of a pipeline with one stage behind the head and two that do nothing.
fn groupings() -> Vec<Vec<Group>> {
    use Role::{Alpha, Feed, Gateway, Risk, Sequencer};
    let group = |roles: &[Role]| Group { roles: roles.to_vec(), core: None };
    vec![
        vec![group(&Role::ALL)],
        vec![group(&[Feed, Sequencer]), group(&[Alpha, Risk, Gateway])],
        vec![group(&[Feed]), group(&[Gateway, Sequencer]), group(&[Risk, Alpha])],
        Role::ALL.map(|role| group(&[role])).into(),
    ]
}

fn threads(groups: Vec<Group>, gating: Gating) -> Threads {
    Threads { groups, idle: Idle::Backoff, priority: None, gating }
}

/// A stage without rings.
struct Bystander;

impl Stage for Bystander {
    fn name(&self) -> &'static str {
        "bystander"
    }

    fn poll(&mut self) -> usize {
        0
    }
}

fn run(all: &mut Pipeline, threads: &Threads) -> Result<(), RunError> {
    run_beside(all, threads, &mut Bystander)
}

/// Runs with `alpha` in the place of that stage.
fn run_beside(
    all: &mut Pipeline,
    threads: &Threads,
    alpha: &mut (dyn Stage + Send),
) -> Result<(), RunError> {
    let Pipeline { feed, head, far, kill, done } = all;
    let crew = Crew { feed, head, alpha, risk: &mut Bystander, gateway: far };
    run_threads(crew, threads, done, kill, &mut std::thread::yield_now)
}

/// Reacts to each third event, a little later than it.
fn echo(event: &Event) -> Reaction {
    let mut reaction = wakes(event, u64::from(event.seq.is_multiple_of(3)));
    reaction.feedback.iter_mut().for_each(|one| one.due = Nanos(event.ts.0 + 2));
    reaction
}

#[test]
fn in_lockstep_threads_add_nothing() {
    let mut inline = pipeline(Rings::LARGE, &trades(300), echo);
    assert_eq!(inline.run(), Ok(()));
    for groups in groupings() {
        for rings in RINGS {
            let mut all = pipeline(rings, &trades(300), echo);
            assert_eq!(run(&mut all, &threads(groups.clone(), Gating::Lockstep)), Ok(()));
            assert_eq!(all.far.seen, inline.far.seen, "{groups:?}");
            assert_eq!(all.head.pending(), inline.head.pending());
            assert_eq!(all.done.get(), all.head.seq());
        }
    }
}

#[test]
fn threads_that_run_free_lose_nothing() {
    for groups in groupings() {
        for rings in RINGS {
            let mut all = pipeline(rings, &trades(2_000), echo);
            assert_eq!(run(&mut all, &threads(groups.clone(), Gating::Free)), Ok(()));
            let frames = all.far.seen.iter().filter(|event| event.frame > 0).map(|e| e.frame);
            assert!(frames.eq(1..=2_000), "{groups:?}");
            let numbers = all.far.seen.iter().map(|event| event.seq);
            assert!(numbers.eq(1..=all.head.seq()));
            // Each third event was answered; what is not sequenced is pending.
            let wakes = all.far.seen.iter().filter(|event| event.frame == 0).count();
            let answered = (all.head.seq() / 3) as usize;
            assert_eq!(wakes + all.head.pending().len(), answered, "{groups:?}");
        }
    }
}

/// Panics in its third poll.
struct Faulty(usize);

impl Stage for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn poll(&mut self) -> usize {
        self.0 += 1;
        assert!(self.0 < 3, "a fault {}", self.0);
        1
    }
}

/// A far end that takes nothing and counts how often it was polled when the kill level was at its highest.
struct LastWish {
    kill: KillSwitch,
    polled: Arc<AtomicUsize>,
}

impl Stage for LastWish {
    fn name(&self) -> &'static str {
        "last wish"
    }

    fn poll(&mut self) -> usize {
        let counts = usize::from(self.kill.level() == Level::Dead);
        self.polled.fetch_add(counts, Ordering::Relaxed);
        0
    }
}

fn panicked() -> Result<(), RunError> {
    Err(RunError::Panicked { stage: "faulty", what: "a fault 3".to_owned() })
}

/// Invariant 9: whichever thread it shares.
#[test]
fn a_panic_raises_the_kill_level_and_the_gateway_acts_on_it() {
    for groups in groupings() {
        for gating in [Gating::Free, Gating::Lockstep] {
            let Pipeline { mut feed, mut head, kill, done, .. } =
                pipeline(Rings::LARGE, &trades(5), |_| Reaction::default());
            let polled = Arc::new(AtomicUsize::new(0));
            let mut gateway = LastWish { kill: kill.clone(), polled: Arc::clone(&polled) };
            let (feed, head, alpha) = (&mut feed, &mut head, &mut Faulty(0));
            let crew = Crew { feed, head, alpha, risk: &mut Bystander, gateway: &mut gateway };
            let threads = threads(groups.clone(), gating);
            let result = run_threads(crew, &threads, &done, &kill, &mut std::thread::yield_now);
            assert_eq!(result, panicked());
            assert_eq!(kill.level(), Level::Dead);
            assert!(polled.load(Ordering::Relaxed) > 0, "{groups:?}");
        }
    }
}

#[test]
fn a_panic_inline_does_the_same() {
    let mut all = pipeline(Rings::LARGE, &trades(5), |_| Reaction::default());
    let polled = Arc::new(AtomicUsize::new(0));
    let mut gateway = LastWish { kill: all.kill.clone(), polled: Arc::clone(&polled) };
    let Pipeline { feed, head, done, kill, .. } = &mut all;
    let result = run_inline(feed, head, &mut [&mut Faulty(0), &mut gateway], done, kill);
    assert_eq!(result, panicked());
    assert_eq!(kill.level(), Level::Dead);
    assert!(polled.load(Ordering::Relaxed) > 0);
}

#[test]
fn too_much_feedback_ends_the_run_and_raises_the_kill_level() {
    let config = SequencerConfig { feedback_max: 5, ..SequencerConfig::default() };
    for groups in groupings() {
        let burst = |event: &Event| wakes(event, 6);
        let mut all = Pipeline::new(&config, Rings::SMALLEST, &trades(9), &[], burst);
        let result = run(&mut all, &threads(groups, Gating::Lockstep));
        let fault = SequencerError::FeedbackFull { max: 5, seq: 1 };
        assert_eq!(result, Err(RunError::Sequencer(fault)));
        assert_eq!(all.kill.level(), Level::Dead);
    }
}

#[test]
fn a_core_that_is_not_there_is_an_error_that_names_the_thread() {
    let mut groups = groupings().remove(1);
    groups[1].core = Some(1_000);
    let mut all = pipeline(Rings::LARGE, &trades(5), |_| Reaction::default());
    let error = run(&mut all, &threads(groups, Gating::Free)).unwrap_err();
    let expected = "thread 'fw-alpha..gate': it can not be pinned to core 1000";
    assert_eq!(error.to_string(), expected);
    assert!(all.far.seen.is_empty(), "nothing ran");
}

#[test]
fn a_thread_has_its_name_and_its_core() {
    struct Where(Arc<std::sync::Mutex<Option<(String, usize)>>>);
    impl Stage for Where {
        fn name(&self) -> &'static str {
            "where"
        }
        fn poll(&mut self) -> usize {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let cores = core_affinity::get_core_ids().unwrap_or_default().len();
            *self.0.lock().unwrap() = Some((name, cores));
            0
        }
    }
    let first = core_affinity::get_core_ids().unwrap()[0].id;
    // What is behind the feed is polled before it, so that the run can not be over before.
    let groups = vec![
        Group { roles: vec![Role::Alpha, Role::Feed], core: Some(first) },
        Group { roles: vec![Role::Sequencer, Role::Risk, Role::Gateway], core: None },
    ];
    let mut all = pipeline(Rings::LARGE, &trades(5), |_| Reaction::default());
    let seen = Arc::default();
    let result =
        run_beside(&mut all, &threads(groups, Gating::Free), &mut Where(Arc::clone(&seen)));
    assert_eq!(result, Ok(()));
    assert_eq!(*seen.lock().unwrap(), Some(("fw-alpha+feed".to_owned(), 1)));
}

/// A frame is taken up only when nothing behind the feed moves.
#[test]
fn on_one_thread_a_frame_is_driven_to_its_end_before_the_next() {
    let mut inline = pipeline(Rings::LARGE, &trades(300), echo);
    assert_eq!(inline.run(), Ok(()));
    for rings in RINGS {
        let mut all = pipeline(rings, &trades(300), echo);
        assert_eq!(run(&mut all, &threads(groupings().remove(0), Gating::Free)), Ok(()));
        assert_eq!(all.far.seen, inline.far.seen);
        assert_eq!(all.head.pending(), inline.head.pending());
    }
}
