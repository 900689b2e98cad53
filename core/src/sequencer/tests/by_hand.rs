//! Cases that have a name: ties, gaps, late feedback, kill levels, bounds.

use super::*;
use crate::sequencer::{AssumedTouch, Sequencer};
use crate::stage::{Horizon, Stage};

/// Events as kind and time after `START` in ms.
pub(super) fn times(events: &[Event]) -> Vec<(EventKind, u64)> {
    let millis = |event: &Event| event.ts.0.saturating_sub(START) / MILLI;
    events.iter().map(|event| (event.body.kind(), millis(event))).collect()
}

/// A run over frames at these milliseconds after `START`.
fn run_at(
    said: &[(u64, Says)],
    controls: &[ControlInput],
    react: impl FnMut(&Event) -> Reaction + Send + 'static,
) -> Pipeline {
    let said: Vec<_> = said.iter().map(|(at, says)| (START + at * MILLI, *says)).collect();
    let mut pipeline = Pipeline::new(&config(), Rings::SMALLEST, &frames(&said).0, controls, react);
    pipeline.run().unwrap();
    pipeline
}

#[test]
fn at_equal_times_feedback_then_control_then_tick_then_frame() {
    let controls = [raise(START + 100 * MILLI, KillLevel::NoNewRisk)];
    let said = [(50, Says::Trade(BTC)), (100, Says::Trade(ETH))];
    let pipeline = run_at(&said, &controls, |event| match event.seq {
        1 => some(vec![wake(START + 100 * MILLI, event, 0)]),
        _ => Reaction::default(),
    });
    let expected = [
        (EventKind::Trade, 50),
        (EventKind::Wake, 100),
        (EventKind::Control, 100),
        (EventKind::KillLevel, 100),
        (EventKind::Tick, 100),
        (EventKind::Trade, 100),
    ];
    assert_eq!(times(&pipeline.far.seen), expected);
    let Event { recv, frame, instrument, last, .. } = pipeline.far.seen[5];
    assert_eq!((recv.0, frame, instrument, last), (START + 100 * MILLI, 2, Some(ETH), true));
    let Event { recv, frame, instrument, .. } = pipeline.far.seen[4];
    assert_eq!((recv.0, frame, instrument), (START + 100 * MILLI, 0, None));
}

#[test]
fn a_gap_is_longer_than_its_limit_and_comes_after_the_tick_of_its_time() {
    let gaps = |second: u64| {
        let said = [(0, Says::Trade(BTC)), (second, Says::Trade(BTC))];
        let pipeline = run_at(&said, &[], nothing);
        pipeline.far.seen
    };
    assert!(!kinds(&gaps(1_000)).contains(&EventKind::Gap), "a frame in time prevents it");
    let events = gaps(1_001);
    let expected = [(EventKind::Tick, 1_000), (EventKind::Gap, 1_000), (EventKind::Trade, 1_001)];
    assert_eq!(times(&events[events.len() - 3..]), expected);
}

#[test]
fn after_a_gap_no_ticks_come_until_the_next_frame_and_feedback_still_does() {
    let said = [(0, Says::Partial(BTC)), (5_050, Says::Trade(BTC)), (5_250, Says::Nothing)];
    let pipeline = run_at(&said, &[], |event| match event.seq {
        1 => some(vec![report(START + 3_333 * MILLI, event, 0)]),
        _ => Reaction::default(),
    });
    let tail = &times(&pipeline.far.seen)[11..];
    let expected = [
        (EventKind::Tick, 1_000),
        (EventKind::Gap, 1_000),
        (EventKind::Report, 3_333),
        (EventKind::Trade, 5_050),
        (EventKind::Tick, 5_100),
        (EventKind::Tick, 5_200),
    ];
    assert_eq!(tail, expected);
    let book = pipeline.head.books().get(BTC);
    assert_eq!(book.state(), Err(Invalid::Stale), "and the books fell");
}

#[test]
fn reports_come_at_their_due_times_between_frames_far_apart() {
    let said = [(0, Says::Trade(BTC)), (950, Says::Trade(BTC))];
    let dues = [7, 33, 33, 641, 949];
    let pipeline = run_at(&said, &[], move |event| match event.seq {
        1 => {
            let due = |(due, n): (&u64, u64)| report(START + due * MILLI, event, n);
            let mut reports: Vec<Feedback> = dues.iter().zip(0..).map(due).collect();
            reports.reverse();
            some(reports)
        }
        _ => Reaction::default(),
    });
    let reports: Vec<u64> = times(&pipeline.far.seen)
        .into_iter()
        .filter_map(|(kind, at)| (kind == EventKind::Report).then_some(at))
        .collect();
    assert_eq!(reports, dues);
}

#[test]
fn late_feedback_is_due_at_once_and_time_does_not_fall() {
    let said = [(0, Says::Trade(BTC)), (50, Says::Trade(BTC)), (99, Says::Trade(BTC))];
    let pipeline = run_at(&said, &[], |event| match event.seq {
        2 => some(vec![wake(START + 10 * MILLI, event, 0), report(START, event, 1)]),
        _ => Reaction::default(),
    });
    let expected = [
        (EventKind::Trade, 0),
        (EventKind::Trade, 50),
        (EventKind::Report, 50),
        (EventKind::Wake, 50),
        (EventKind::Trade, 99),
    ];
    assert_eq!(times(&pipeline.far.seen), expected);
}

#[test]
fn a_frame_from_the_past_keeps_its_receive_time_and_gets_the_last_ts() {
    let said = [(50, Says::Trade(BTC)), (20, Says::Trade(BTC))];
    let events = run_at(&said, &[], nothing).far.seen;
    let [first, second] = [&events[0], &events[1]];
    assert_eq!((second.ts, second.recv), (first.ts, Nanos(START + 20 * MILLI)));
}

#[test]
fn nothing_happens_before_the_first_frame_is_known_or_after_the_last_one() {
    let controls =
        [raise(START - SECOND, KillLevel::NoNewRisk), raise(START + 200 * MILLI, KillLevel::Halt)];
    assert!(run_at(&[], &controls, nothing).far.seen.is_empty());
    let pipeline = run_at(&[(150, Says::Trade(BTC))], &controls, |event| match event.frame {
        1 => Reaction {
            feedback: vec![wake(event.ts.0 + 9, event, 1), report(event.ts.0 + 8, event, 0)],
            raise: Some(KillLevel::Dead),
        },
        _ => Reaction::default(),
    });
    let events = &pipeline.far.seen;
    let expected = [EventKind::Control, EventKind::KillLevel, EventKind::Trade];
    assert_eq!(kinds(events), expected);
    assert_eq!(events[0].ts, Nanos(START - SECOND));
    let pending: Vec<u64> = pipeline.head.pending().iter().map(|feedback| feedback.n).collect();
    assert_eq!(pending, [0, 1]);
}

#[test]
fn a_level_raised_between_two_events_of_a_frame_is_told_between_them() {
    let said = [(0, Says::Partial(BTC)), (10, Says::Trade(BTC))];
    let pipeline = run_at(&said, &[], |event| {
        let raise = (event.body.kind() == EventKind::Depth).then_some(KillLevel::Halt);
        Reaction { feedback: Vec::new(), raise }
    });
    let expected = [
        (EventKind::Depth, 0),
        (EventKind::KillLevel, 0),
        (EventKind::Touch, 0),
        (EventKind::Trade, 10),
    ];
    assert_eq!(times(&pipeline.far.seen), expected);
    assert_eq!(pipeline.far.seen[1].body, Body::KillLevel(KillLevel::Halt));
}

#[test]
fn a_level_from_before_the_start_is_the_first_event_at_the_time_of_the_first_frame() {
    let (inputs, _) = frames(&[(START, Says::Trade(BTC))]);
    let kill = KillSwitch::new();
    kill.raise(KillLevel::NoNewRisk);
    let mut pipeline = Pipeline::with_kill(kill, &config(), Rings::LARGE, &inputs, &[], nothing);
    pipeline.run().unwrap();
    let expected = [(EventKind::KillLevel, 0), (EventKind::Trade, 0)];
    assert_eq!(times(&pipeline.far.seen), expected);
    assert_eq!(pipeline.far.seen[0].ts, Nanos(START));
}

#[test]
fn a_raise_by_control_is_told_once_and_a_lower_one_changes_nothing() {
    let controls =
        [raise(START + MILLI, KillLevel::Halt), raise(START + 2 * MILLI, KillLevel::NoNewRisk)];
    let said = [(0, Says::Trade(BTC)), (5, Says::Trade(BTC))];
    let pipeline = run_at(&said, &controls, nothing);
    let expected = [
        (EventKind::Trade, 0),
        (EventKind::Control, 1),
        (EventKind::KillLevel, 1),
        (EventKind::Control, 2),
        (EventKind::Trade, 5),
    ];
    assert_eq!(times(&pipeline.far.seen), expected);
    assert_eq!(pipeline.kill.level(), KillLevel::Halt);
}

#[test]
fn a_full_heap_is_a_typed_error_and_the_end() {
    let config = SequencerConfig { feedback_max: 4, ..config() };
    let (inputs, _) = frames(&[(START, Says::Trade(BTC)), (START + MILLI, Says::Trade(BTC))]);
    let run = |count: u64| {
        let burst =
            move |event: &Event| some((0..count).map(|n| wake(START + SECOND, event, n)).collect());
        let mut pipeline = Pipeline::new(&config, Rings::SMALLEST, &inputs, &[], burst);
        (pipeline.run(), pipeline)
    };
    assert_eq!(run(2).0, Ok(()), "what fits is no error");
    for (count, seq) in [(3, 2), (5, 1)] {
        let (result, mut pipeline) = run(count);
        let fault = SequencerError::FeedbackFull { max: 4, seq };
        assert_eq!(result, Err(RunError::Sequencer(fault)));
        assert_eq!(pipeline.head.fault(), Some(&fault));
        assert_eq!((pipeline.head.poll(), pipeline.head.seq()), (0, seq));
        assert_eq!(pipeline.head.pending().len(), 4);
    }
}

#[test]
fn a_loop_of_rejections_is_bounded_by_time() {
    let said = [(0, Says::Trade(BTC)), (10_000, Says::Trade(BTC))];
    // Every rejection makes a new intent, which is rejected a local delay later.
    let pipeline = run_at(&said, &[], |event| {
        let is_cause = matches!(event.body, Body::Trade(_) | Body::Rejected(_));
        let rejected = is_cause.then(|| rejected(event.ts.0 + MILLI, event, 0));
        some(rejected.into_iter().collect())
    });
    assert_eq!(pipeline.head.counts()[EventKind::Rejected as usize], 10_000);
    assert_eq!(pipeline.head.pending().len(), 1 + 1);
}

#[test]
fn the_size_of_the_rings_changes_nothing() {
    let said: Vec<_> = (0..200)
        .map(|n| {
            (START + n * 37 * MILLI, if n % 3 == 0 { Says::Partial(ETH) } else { Says::Trade(BTC) })
        })
        .collect();
    let digest = |rings| {
        let schedule = Schedule { said: said.clone(), controls: Vec::new(), seed: 7, rings };
        let pipeline = run(&schedule);
        assert!(pipeline.far.seen.len() > 300);
        pipeline.head.lane().digest()
    };
    assert_eq!(digest(Rings::SMALLEST), digest(Rings::LARGE));
}

#[test]
fn it_wants_input_and_is_idle_when_all_is_emitted_and_taken() {
    let (inputs, _) = frames(&[(START, Says::Partial(BTC))]);
    let mut all = Pipeline::new(&config(), Rings::LARGE, &inputs, &[], nothing);
    assert!(all.head.wants_input() && all.head.is_idle());
    all.feed.poll();
    assert!(!all.head.wants_input());
    assert_eq!((all.head.poll(), all.head.seq()), (1, 1), "it takes the frame and emits the first");
    assert!(!all.head.wants_input() && !all.head.is_idle(), "one of two");
    all.head.poll();
    assert!(all.head.wants_input() && !all.head.is_idle(), "nobody took them");
    all.far.poll();
    all.far.poll();
    assert!(all.head.is_idle());
    assert_eq!(all.head.poll(), 0);
}

#[test]
fn a_gap_waits_until_the_tap_has_room_for_every_symbol() {
    let said = [(START, Says::Partial(BTC)), (START + 3 * SECOND, Says::Trade(BTC))];
    let (inputs, _) = frames(&said);
    let config = SequencerConfig { tick: Nanos(SECOND), ..config() };
    let rings = Rings { output: 16, ..Rings::SMALLEST };
    let mut all = Pipeline::new(&config, rings, &inputs, &[], nothing);
    for _ in 0..20 {
        all.feed.poll();
        all.head.poll();
    }
    assert_eq!(all.head.seq(), 3, "depth, touch, tick: the tap still holds the partial frame");
    all.kill.raise(KillLevel::Halt);
    all.head.poll();
    assert_eq!(all.head.seq(), 4, "a kill level does not wait for the tap");
    all.far.poll();
    all.head.poll();
    assert_eq!(all.head.seq(), 5);
    all.run().unwrap();
    let expected = [
        EventKind::Depth,
        EventKind::Touch,
        EventKind::Tick,
        EventKind::KillLevel,
        EventKind::Gap,
        EventKind::Trade,
    ];
    assert_eq!(kinds(&all.far.seen), expected);
    let taps: Vec<u64> = all.far.taps.iter().map(|(tap, _)| tap.seq).collect();
    assert_eq!(taps, [1, 5, 5, 5]);
}

#[test]
fn a_book_frame_waits_for_the_tap_and_the_heap_is_filled_meanwhile() {
    let said: Vec<_> = (0..5).map(|n| (START + n, Says::Invalidate(BTC))).collect();
    let (inputs, _) = frames(&said);
    let rings = Rings { output: 16, ..Rings::SMALLEST };
    let burst = |event: &Event| some((0..3).map(|n| wake(START + SECOND, event, n)).collect());
    let mut all = Pipeline::new(&config(), rings, &inputs, &[], burst);
    for _ in 0..30 {
        all.feed.poll();
        all.head.poll();
    }
    assert_eq!(all.head.seq(), 3, "the tap holds three");
    all.far.poll();
    for _ in 0..3 {
        all.far.poll();
        all.head.drain();
    }
    assert_eq!(all.head.pending().len(), 3);
    assert_eq!(all.head.seq(), 3, "to drain is not to emit");
    all.run().unwrap();
    assert_eq!(all.head.seq(), 5);
}

#[test]
fn a_tick_is_followed_by_the_bars_it_closes_and_then_by_assumed_marks() {
    let config = SequencerConfig {
        bar_interval_s: 1,
        assumed_mark: Some(AssumedMark::default()),
        ..SequencerConfig::default()
    };
    let said = [(0, Says::Trade(ETH)), (10, Says::Trade(BTC)), (1_050, Says::Nothing)];
    let said = said.map(|(at, says)| (START + at * MILLI, says));
    let mut pipeline = Pipeline::new(&config, Rings::SMALLEST, &frames(&said).0, &[], nothing);
    pipeline.run().unwrap();
    let tail: Vec<_> = pipeline.far.seen[11..]
        .iter()
        .map(|event| (event.body.kind(), event.instrument, event.ts.0 - START, event.frame))
        .collect();
    let expected = [
        (EventKind::Tick, None, SECOND, 0),
        (EventKind::Bar, Some(BTC), SECOND, 0),
        (EventKind::Bar, Some(ETH), SECOND, 0),
        (EventKind::Mark, Some(BTC), SECOND, 0),
        (EventKind::Mark, Some(ETH), SECOND, 0),
    ];
    assert_eq!(tail, expected);
    let Body::Bar(Bar { open_time, trades, .. }) = pipeline.far.seen[12].body else { panic!() };
    assert_eq!((open_time.0, trades), (START, 1));
    let Body::Mark(Mark { price, origin, .. }) = pipeline.far.seen[14].body else { panic!() };
    assert_eq!((price.0, origin), (10_000_020_000_000, Origin::Assumed));
}

#[test]
fn levels_follow_depth_and_touch() {
    let config = SequencerConfig { levels: 4, ..config() };
    let (inputs, _) = frames(&[(START, Says::Partial(BTC))]);
    let mut pipeline = Pipeline::new(&config, Rings::SMALLEST, &inputs, &[], nothing);
    pipeline.run().unwrap();
    let expected = [EventKind::Depth, EventKind::Touch, EventKind::Levels, EventKind::Levels];
    assert_eq!(kinds(&pipeline.far.seen), expected);
    let mut levels = [Level::default(); LEVELS_PER_MESSAGE];
    levels[0] = inputs[0].bids[0];
    let expected = Levels { side: BookSide::Bid, first: 0, count: 1, levels };
    assert_eq!(pipeline.far.seen[2].body, Body::Levels(expected));
}

#[test]
fn errors_of_the_configuration_name_the_field() {
    let good = SequencerConfig {
        assumed_mark: Some(AssumedMark::default()),
        ..SequencerConfig::default()
    };
    assert_eq!(good.validate(), Ok(()));
    assert_eq!(SequencerConfig::default().validate(), Ok(()));
    let mark = |change: fn(&mut AssumedMark)| {
        let mut mark = AssumedMark::default();
        change(&mut mark);
        SequencerConfig { assumed_mark: Some(mark), ..good.clone() }
    };
    let touch = |change: fn(&mut AssumedTouch)| {
        let mut touch = AssumedTouch::default();
        change(&mut touch);
        SequencerConfig { assumed_touch: Some(touch), ..good.clone() }
    };
    let bad = [
        ("tick", SequencerConfig { tick: Nanos(0), ..good.clone() }),
        ("gap_max", SequencerConfig { gap_max: Nanos(MILLI), ..good.clone() }),
        ("feedback_max", SequencerConfig { feedback_max: 0, ..good.clone() }),
        ("control_max", SequencerConfig { control_max: 1 << 21, ..good.clone() }),
        ("levels", SequencerConfig { levels: 21, ..good.clone() }),
        ("depth_bands", SequencerConfig { depth_bands: [Bps(2), Bps(1)], ..good.clone() }),
        ("depth_bands", SequencerConfig { depth_bands: [Bps(0), Bps(1)], ..good.clone() }),
        ("depth_walk_max", SequencerConfig { depth_walk_max: 0, ..good.clone() }),
        ("liquidations_max", SequencerConfig { liquidations_max: 0, ..good.clone() }),
        ("bar_interval_s", SequencerConfig { bar_interval_s: 0, ..good.clone() }),
        ("bar_interval_s", SequencerConfig { tick: Nanos(700 * MILLI), ..good.clone() }),
        ("spread_bp", touch(|touch| touch.book.spread = Bps(-1))),
        ("assumed_mark.cadence", mark(|mark| mark.cadence = Nanos(150 * MILLI))),
        ("assumed_mark.max_age", mark(|mark| mark.max_age = Nanos(1))),
        ("assumed_mark.funding_interval", mark(|mark| mark.funding_interval = Nanos(0))),
    ];
    for (name, config) in bad {
        assert!(config.validate().is_err_and(|text| text.starts_with(name)), "{config:?}");
    }
}

/// A pipeline that knows how far time has come between frames.
fn with_horizon(said: &[(u64, Says)]) -> (Pipeline, Horizon) {
    let said: Vec<_> = said.iter().map(|(at, says)| (START + at * MILLI, *says)).collect();
    let react = |event: &Event| match event.frame {
        1 => some(vec![wake(START + 150 * MILLI, event, 0)]),
        _ => Reaction::default(),
    };
    let mut all = Pipeline::new(&config(), Rings::LARGE, &frames(&said).0, &[], react);
    let horizon = Horizon::new();
    all.head = std::mem::replace(&mut all.head, pipeline_head()).with_horizon(horizon.clone());
    (all, horizon)
}

/// A head of no pipeline, to stand in for a moment.
fn pipeline_head() -> Sequencer {
    Pipeline::new(&config(), Rings::LARGE, &[], &[], nothing).head
}

/// Polls head and far end until nothing moves.
fn settle(all: &mut Pipeline) -> Vec<(EventKind, u64)> {
    while all.head.poll() + all.far.poll() > 0 {}
    times(&all.far.seen)
}

#[test]
fn time_goes_on_up_to_the_horizon_without_a_frame() {
    let (mut all, horizon) = with_horizon(&[(50, Says::Trade(BTC)), (400, Says::Trade(ETH))]);
    let upto = |milli: u64| Nanos(START + milli * MILLI);
    assert_eq!(all.feed.poll(), 1);
    horizon.advance(upto(50));
    assert_eq!(settle(&mut all), [(EventKind::Trade, 50)]);
    // A tick at the horizon itself goes before a frame that may still come then.
    horizon.advance(upto(100));
    assert_eq!(settle(&mut all)[1..], [(EventKind::Tick, 100)]);
    horizon.advance(upto(149));
    assert_eq!(settle(&mut all).len(), 2, "the wake is not due");
    horizon.advance(upto(210));
    assert_eq!(settle(&mut all)[2..], [(EventKind::Wake, 150), (EventKind::Tick, 200)]);
    // A frame that is known bounds time like before.
    assert_eq!(all.feed.poll(), 1);
    let last = [(EventKind::Tick, 300), (EventKind::Tick, 400), (EventKind::Trade, 400)];
    assert_eq!(settle(&mut all)[4..], last);
}

#[test]
fn a_gap_waits_until_no_frame_can_come_at_its_time() {
    let (mut all, horizon) = with_horizon(&[(0, Says::Trade(BTC)), (1_000, Says::Trade(ETH))]);
    all.feed.poll();
    horizon.advance(Nanos(START + 1_000 * MILLI));
    let before = settle(&mut all);
    assert_eq!(before.last(), Some(&(EventKind::Tick, 1_000)));
    // The frame at that very time prevents it.
    all.feed.poll();
    horizon.advance(Nanos(START + 1_001 * MILLI));
    assert_eq!(settle(&mut all)[before.len()..], [(EventKind::Trade, 1_000)]);
    // Behind it there is silence, and then the gap: after it time stands still.
    horizon.advance(Nanos(START + 2_000 * MILLI));
    assert_eq!(settle(&mut all).last(), Some(&(EventKind::Tick, 2_000)));
    horizon.advance(Nanos(START + 3_000 * MILLI));
    assert_eq!(settle(&mut all).last(), Some(&(EventKind::Gap, 2_000)));
}

#[test]
fn the_horizon_never_goes_back() {
    let horizon = Horizon::new();
    horizon.advance(Nanos(5));
    horizon.advance(Nanos(3));
    assert_eq!(horizon.clone().get(), Nanos(5));
}
