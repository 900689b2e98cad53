//! What the stage made of frames, folded again beside it.

use super::*;
use crate::event::Control;
use crate::market::BookTicker;
use crate::ring::{LevelsConsumer, with_levels};
use crate::sequencer::harness::{Feed, LEVELS_MAX, books, universe};

/// Everything derived: bars, assumed marks and touches, levels.
fn rich() -> SequencerConfig {
    let (cadence, max_age) = (Nanos(200 * MILLI), Nanos(SECOND));
    SequencerConfig {
        bar_interval_s: 1,
        levels: 5,
        assumed_mark: Some(AssumedMark { cadence, max_age, ..AssumedMark::default() }),
        assumed_touch: Some(AssumedTouch { cadence, wait: cadence, ..AssumedTouch::default() }),
        ..config()
    }
}

/// What a run left behind.
struct Recorded {
    inputs: Vec<Fed>,
    events: Vec<Event>,
    taps: Vec<(Tap, Vec<Level>)>,
}

/// The frames of a schedule, some of them with trades told twice, tickers, or two inputs.
fn inputs(schedule: &Schedule) -> Vec<Fed> {
    let mut inputs = Vec::new();
    for (fed, number) in frames(&schedule.said).0.into_iter().zip(1..) {
        let roll = |leg, bound| jitter::below(schedule.seed, OrderId(number), leg, bound);
        let is_trade = matches!(fed.input.body, InputBody::Trade(_));
        match roll(11, 6) {
            0 if is_trade => inputs.extend([fed.clone(), fed]),
            1 | 2 if is_trade => {
                let step = i64::try_from(roll(12, 4)).unwrap();
                let level = |price| Level { price: Px(price), qty: Qty(1_000) };
                let ticker = BookTicker {
                    times: Times::default(),
                    id: i64::try_from(number).unwrap() - step,
                    bid: level(10_000_000_000_000 + step),
                    ask: level(10_100_000_000_000),
                };
                let input = Input { body: InputBody::Ticker(ticker), ..fed.input };
                inputs.extend([Fed { input, ..fed.clone() }, fed]);
            }
            _ => inputs.push(fed),
        }
    }
    inputs
}

/// A run inline, or with polls in any order, as threads would be scheduled.
fn record(schedule: &Schedule, order: &[u8]) -> Recorded {
    let (inputs, seed) = (inputs(schedule), schedule.seed);
    let react = move |event: &Event| react(seed, event);
    let mut all = Pipeline::new(&rich(), schedule.rings, &inputs, &schedule.controls, react);
    for stage in order {
        match stage {
            0 => all.feed.poll(),
            1 => all.head.poll(),
            _ => all.far.poll(),
        };
    }
    all.run().unwrap();
    Recorded { inputs, events: all.far.seen, taps: all.far.taps }
}

/// A refold with its rings.
struct Again {
    refold: Refold,
    feed: Feed,
    tap: Option<LevelsConsumer<Tap>>,
    taps: Vec<(Tap, Vec<Level>)>,
}

impl Again {
    fn new(inputs: &[Fed], rings: Rings) -> Self {
        let (to_refold, input) = with_levels(rings.input, LEVELS_MAX);
        let tap = rings.tap.map(|heads| with_levels(heads, LEVELS_MAX));
        let (tap, far_tap) = tap.map_or((None, None), |(tap, far)| (Some(tap), Some(far)));
        let refold = Refold::new(&rich(), &universe(), &books(), input, tap);
        Self { refold, feed: Feed::new(inputs, to_refold), tap: far_tap, taps: Vec::new() }
    }

    fn feed(&mut self) {
        if self.feed.ended() {
            self.refold.end_input();
        } else {
            self.feed.poll();
        }
    }

    fn check(&mut self, event: &Event) -> Result<(), Box<Mismatch>> {
        while self.refold.check(event)? == Refolded::NeedsInput {
            self.feed();
        }
        let mut levels = Vec::new();
        let count = |tap: &Tap| tap.body.levels().0 + tap.body.levels().1;
        while let Some(tap) = self.tap.as_mut().and_then(|tap| tap.pop(count, &mut levels)) {
            self.taps.push((tap, levels.clone()));
        }
        Ok(())
    }

    fn finish(&mut self, ending: Ending) -> Result<(), Box<Mismatch>> {
        while self.refold.finish(ending)? == Refolded::NeedsInput {
            self.feed();
        }
        Ok(())
    }
}

/// The first mismatch of a recording, if there is one.
fn mismatch(inputs: &[Fed], events: &[Event], ending: Ending) -> Option<Mismatch> {
    let mut again = Again::new(inputs, Rings::SMALLEST);
    let checked = events.iter().try_for_each(|event| again.check(event));
    checked.and_then(|()| again.finish(ending)).err().map(|mismatch| *mismatch)
}

/// The event with one thing changed, in every way that the frames contradict.
fn changes(event: &Event) -> Vec<Event> {
    let Event { seq, ts, recv, frame, instrument, .. } = *event;
    let mut changed = vec![
        Event { seq: seq + 1, ..*event },
        Event { seq: seq - 1, ..*event },
        Event { recv: Nanos(recv.0 + 1), ..*event },
        Event { frame: frame + 1, ..*event },
    ];
    let bodies: Vec<Body> = match event.body {
        Body::Touch(change) => {
            let source = match change.source {
                TouchSource::Book => TouchSource::Ticker,
                TouchSource::Ticker | TouchSource::Assumed => TouchSource::Book,
            };
            let touch = Touch { bid: None, ..change.touch };
            vec![
                Body::Touch(TouchChange { source, ..change }),
                Body::Touch(TouchChange { touch, ..change }),
            ]
        }
        Body::Depth(depth) => vec![
            Body::Depth(Depth { imbalance_ppm: depth.imbalance_ppm + 1, ..depth }),
            Body::Depth(Depth { microprice: Some(Px(1)), ..depth }),
            Body::Depth(Depth { asks: [1.into(), 2.into()], ..depth }),
        ],
        Body::Levels(levels) => vec![
            Body::Levels(Levels { first: levels.first + 4, ..levels }),
            Body::Levels(Levels { count: levels.count + 1, ..levels }),
        ],
        Body::Trade(trade) => vec![
            Body::Trade(crate::event::Trade { id: trade.id + 1, ..trade }),
            Body::Trade(crate::event::Trade { qty: Qty(trade.qty.0 + 1), ..trade }),
            Body::Trade(crate::event::Trade { aggressor: Side::Sell, ..trade }),
        ],
        Body::Mark(mark) => vec![
            Body::Mark(Mark { price: Px(mark.price.0 + 1), ..mark }),
            Body::Mark(Mark { origin: Origin::Real, ..mark }),
        ],
        Body::Bar(bar) => vec![
            Body::Bar(Bar { trades: bar.trades + 1, ..bar }),
            Body::Bar(Bar { open_time: Nanos(1), ..bar }),
        ],
        // What ends an assumed touch behind a gap is stale itself.
        Body::BookInvalid(Invalid::Stale) => vec![Body::BookInvalid(Invalid::Gap)],
        Body::BookInvalid(_) => vec![Body::BookInvalid(Invalid::Stale)],
        Body::Tick => vec![Body::Gap],
        Body::Gap => vec![Body::Tick],
        Body::Liquidation(_) | Body::Funding(_) | Body::OpenInterest(_) | Body::DepthBand(_) => {
            panic!("no schedule has one")
        }
        Body::Wake
        | Body::Report(_)
        | Body::Status(_)
        | Body::Rejected(_)
        | Body::Control(_)
        | Body::KillLevel(_)
        | Body::Account(_) => return changed,
    };
    changed.extend(bodies.into_iter().map(|body| Event { body, ..*event }));
    let other = if instrument == Some(BTC) { None } else { Some(BTC) };
    changed.push(Event { instrument: other, ..*event });
    changed.extend([ts.0 - 1, ts.0 + 1].map(|ts| Event { ts: Nanos(ts), ..*event }));
    changed
}

fn order() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), prop::collection::vec(0_u8..3, 0..400)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_recorded_comes_out_again(schedule in schedule(), order in order()) {
        let recorded = record(&schedule, &order);
        let mut again = Again::new(&recorded.inputs, schedule.rings);
        for event in &recorded.events {
            again.check(event).unwrap();
        }
        again.finish(Ending::Ended).unwrap();
        prop_assert_eq!(&again.taps, &recorded.taps);
        prop_assert_eq!(again.refold.inputs(), recorded.inputs.len() as u64);
        let mut counts = [0; EventKind::ALL.len()];
        recorded.events.iter().for_each(|event| counts[event.body.kind() as usize] += 1);
        prop_assert_eq!(again.refold.counts(), &counts);
    }

    #[test]
    fn a_changed_event_is_found_where_it_is(
        schedule in schedule(),
        order in order(),
        at in any::<prop::sample::Index>(),
    ) {
        let Recorded { inputs, mut events, .. } = record(&schedule, &order);
        prop_assume!(!events.is_empty());
        let at = at.index(events.len());
        let event = events[at];
        for changed in changes(&event) {
            events[at] = changed;
            let found = mismatch(&inputs, &events, Ending::Cut);
            let found = found.unwrap_or_else(|| panic!("{changed:?} passes for {event:?}"));
            prop_assert_eq!((found.seq, found.recorded), (event.seq, Some(changed)));
        }
    }

    #[test]
    fn a_dropped_frame_is_found(
        schedule in schedule(),
        order in order(),
        pick in any::<prop::sample::Index>(),
    ) {
        let Recorded { inputs, events, .. } = record(&schedule, &order);
        let named: Vec<&Event> = events.iter().filter(|event| event.frame > 0).collect();
        prop_assume!(!named.is_empty());
        let lost = named[pick.index(named.len())].frame;
        let first = events.iter().find(|event| event.frame == lost).unwrap();
        let without: Vec<Fed> =
            inputs.iter().filter(|fed| fed.input.frame != lost).cloned().collect();
        let found = mismatch(&without, &events, Ending::Cut).unwrap();
        // Before its place only when the next frame is older than it.
        prop_assert!(found.seq <= first.seq, "{found}");
    }

    #[test]
    fn a_missing_end_is_found_unless_the_recording_was_cut(
        schedule in schedule(),
        keep in any::<prop::sample::Index>(),
    ) {
        let Recorded { inputs, events, .. } = record(&schedule, &[]);
        prop_assume!(!events.is_empty());
        let (kept, lost) = events.split_at(keep.index(events.len()));
        prop_assert_eq!(mismatch(&inputs, kept, Ending::Cut), None);
        let missing = lost.iter().find(|event| {
            let assumed = matches!(event.body, Body::Mark(_) | Body::Depth(_) | Body::Touch(_));
            let timed = matches!(event.body, Body::Tick | Body::Gap | Body::Bar(_));
            event.frame > 0 || assumed || timed
        });
        let found = mismatch(&inputs, kept, Ending::Ended);
        prop_assert_eq!(found.is_some(), missing.is_some());
        if let (Some(found), Some(missing)) = (found, missing) {
            let told = found.regenerated.unwrap();
            prop_assert_eq!((found.seq, found.recorded), (kept.len() as u64 + 1, None));
            prop_assert_eq!((told.body, told.ts, told.frame), (missing.body, missing.ts, missing.frame));
        }
    }
}

/// Trades at these milliseconds after `START`, and the book frame that has more than one event.
fn trades(said: &[(u64, Says)]) -> Recorded {
    let said = said.iter().map(|(at, says)| (START + at * MILLI, *says)).collect();
    let (controls, rings) = (vec![raise(START + 15 * MILLI, KillLevel::Halt)], Rings::SMALLEST);
    // No tickers and no feedback.
    let schedule = Schedule { said, controls, seed: 0, rings };
    let inputs = frames(&schedule.said).0;
    let mut all = Pipeline::new(&rich(), rings, &inputs, &schedule.controls, nothing);
    all.run().unwrap();
    Recorded { inputs, events: all.far.seen, taps: all.far.taps }
}

#[test]
fn a_run_that_was_stopped_may_leave_frames_but_not_half_of_one() {
    let Recorded { inputs, events, .. } =
        trades(&[(0, Says::Partial(BTC)), (10, Says::Trade(ETH))]);
    assert!(events.len() > 3);
    let stopped = |keep: usize| mismatch(&inputs, &events[..keep], Ending::Stopped);
    assert_eq!(stopped(0), None);
    assert_eq!(stopped(events.len() - 1), None, "the trade was never taken");
    assert_eq!(stopped(1).unwrap().regenerated, Some(events[1]));
}

#[test]
fn what_is_fed_in_lies_between_its_neighbours() {
    let Recorded { inputs, mut events, .. } =
        trades(&[(10, Says::Trade(BTC)), (20, Says::Trade(ETH)), (130, Says::Trade(BTC))]);
    let expected = [
        EventKind::Trade,
        EventKind::Control,
        EventKind::KillLevel,
        EventKind::Trade,
        EventKind::Tick,
        EventKind::Trade,
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[1].body, Body::Control(Control::Raise(KillLevel::Halt)));
    let mut found = |at: u64| {
        for event in &mut events[1..3] {
            (event.ts, event.recv) = (Nanos(START + at * MILLI), Nanos(START + at * MILLI));
        }
        mismatch(&inputs, &events, Ending::Ended).map(|found| (found.seq, found.regenerated))
    };
    assert_eq!(found(10), None);
    assert_eq!(found(20), None);
    let (seq, back) = found(9).unwrap();
    assert_eq!((seq, back.unwrap().ts), (2, Nanos(START + 10 * MILLI)), "time does not fall");
    for at in [21, 101, 131] {
        let (seq, skipped) = found(at).unwrap();
        assert_eq!((seq, skipped.unwrap().body.kind()), (2, EventKind::Trade), "at {at}");
    }
}

#[test]
fn a_level_between_two_events_of_a_frame_has_their_time() {
    let (inputs, _) = frames(&[(START, Says::Partial(BTC)), (START + MILLI, Says::Nothing)]);
    let raise = |event: &Event| Reaction {
        raise: (event.body.kind() == EventKind::Depth).then_some(KillLevel::Halt),
        ..Reaction::default()
    };
    let mut all = Pipeline::new(&rich(), Rings::SMALLEST, &inputs, &[], raise);
    all.run().unwrap();
    let mut events = all.far.seen;
    assert_eq!(kinds(&events)[..3], [EventKind::Depth, EventKind::KillLevel, EventKind::Touch]);
    assert_eq!(mismatch(&inputs, &events, Ending::Ended), None);
    for ts in [START - 1, START + 1] {
        (events[1].ts, events[1].recv) = (Nanos(ts), Nanos(ts));
        assert_eq!(mismatch(&inputs, &events, Ending::Ended).map(|found| found.seq), Some(2));
    }
    events[1].body = Body::Wake;
    let found = mismatch(&inputs, &events, Ending::Ended).unwrap();
    assert_eq!((found.seq, found.regenerated.unwrap().body.kind()), (2, EventKind::Touch));
}

#[test]
fn an_event_without_its_frame_is_told_when_the_input_is_at_its_end() {
    let Recorded { inputs, events, .. } = trades(&[(0, Says::Trade(BTC)), (10, Says::Trade(ETH))]);
    let found = mismatch(&inputs[..1], &events, Ending::Cut).unwrap();
    assert_eq!(found, Mismatch { seq: 2, regenerated: None, recorded: Some(events[1]) });
    assert!(found.to_string().contains("its frames are missing"), "{found}");
}
