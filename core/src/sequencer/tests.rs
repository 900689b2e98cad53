//! The stage against the reference, and each rule by itself.

mod assumed;
mod by_hand;
mod expected;
mod refold;

use proptest::prelude::*;

use super::harness::{Fed, Pipeline, Rings};
use super::reference::{Frame, Reaction, Rules, expected};
use super::*;
use crate::book::{BookSide, Invalid, Touch};
use crate::event::{
    Bar, Body, Depth, EventKind, LEVELS_PER_MESSAGE, Levels, Mark, Origin, TouchChange, TouchSource,
};
use crate::instrument::InstrumentId;
use crate::jitter;
use crate::kill::{KillSwitch, Level as KillLevel};
use crate::market::{Level, Side, Times, Trade, TradeOrigin};
use crate::message::{BookInput, FeedbackBody, FeedbackOrigin, InputBody};
use crate::order::{
    Action, Check, Liquidity, OrderId, OrderState, RejectedBy, Rejection, Report, ReportKind,
    Status, VenueReason,
};
use crate::runner::{RunError, Source};
use crate::stage::Stage;
use crate::units::{Px, Qty, Usd};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const SECOND: u64 = Nanos::SECOND;
const MILLI: u64 = Nanos::MILLI;
/// Where the schedules begin: on the tick grid.
const START: u64 = 1_000 * SECOND;

fn config() -> SequencerConfig {
    SequencerConfig { gap_max: Nanos(SECOND), bar_interval_s: DAY_S, ..SequencerConfig::default() }
}

/// What a frame of a test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Trade(InstrumentId),
    /// A complete book of one level each side, with prices of its own: two events.
    Partial(InstrumentId),
    Invalidate(InstrumentId),
    Nothing,
}

/// The frame with this number at `recv`, and what the reference is told of it.
fn frame(number: u64, recv: u64, says: Says) -> (Fed, Frame) {
    let recv = Nanos(recv);
    let step = i64::try_from(number).unwrap();
    let level = |price: i64| Level { price: Px(price), qty: Qty(1_000 + step) };
    let (bid, ask) = (level(10_000_000_000_000 + step * 10_000_000), level(10_100_000_000_000));
    let id = match says {
        Says::Trade(id) | Says::Partial(id) | Says::Invalidate(id) => id,
        Says::Nothing => InstrumentId(u16::MAX),
    };
    let (mut bids, mut asks) = (Vec::new(), Vec::new());
    let (body, bodies) = match says {
        Says::Trade(_) => {
            let (price, qty, aggressor) = (bid.price, bid.qty, Side::Buy);
            let (times, origin) = (Times::default(), TradeOrigin::Market);
            let trade = Trade { times, id: step, price, qty, aggressor, origin };
            let told = crate::event::Trade { id: step, price, qty, aggressor };
            (InputBody::Trade(trade), vec![Body::Trade(told)])
        }
        Says::Partial(_) => {
            (bids, asks) = (vec![bid], vec![ask]);
            let touch = Touch { bid: Some(bid), ask: Some(ask) };
            let microprice = Some(Px((bid.price.0 + ask.price.0) / 2));
            // A percent apart: both lie outside of all bands.
            let depth = Depth { microprice, ..Depth::default() };
            let change = TouchChange { touch, source: TouchSource::Book };
            let input = BookInput::Partial { bids: 1, asks: 1 };
            (InputBody::Book(input), vec![Body::Depth(depth), Body::Touch(change)])
        }
        Says::Invalidate(_) => {
            let why = Invalid::Malformed;
            (InputBody::Book(BookInput::Invalidate(why)), vec![Body::BookInvalid(why)])
        }
        Says::Nothing => (InputBody::Nothing, Vec::new()),
    };
    let fed = Fed {
        input: Input { recv, frame: number, instrument: id, stamp: Default::default(), body },
        bids,
        asks,
    };
    let bodies = bodies.into_iter().map(|body| (Some(id), body)).collect();
    (fed, Frame { recv, number, bodies })
}

fn frames(said: &[(u64, Says)]) -> (Vec<Fed>, Vec<Frame>) {
    said.iter().zip(1..).map(|(&(recv, says), number)| frame(number, recv, says)).unzip()
}

fn raise(at: u64, level: KillLevel) -> ControlInput {
    ControlInput { at: Nanos(at), control: Control::Raise(level) }
}

fn wake(due: u64, event: &Event, n: u64) -> Feedback {
    let origin = FeedbackOrigin::Venue;
    let body = FeedbackBody::Wake;
    Feedback { due: Nanos(due), cause_seq: event.seq, origin, n, instrument: None, body }
}

fn report(due: u64, event: &Event, n: u64) -> Feedback {
    let report = Report {
        order: OrderId(event.seq),
        kind: ReportKind::Accepted,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: crate::order::Leg::Both,
        liquidity: Liquidity::Maker,
        price: Px(1),
        qty: Qty(1),
        cum_qty: Qty(0),
        cum_quote: Usd(0),
        cum_fee: Usd(0),
        last_qty: Qty(0),
        last_price: Px(0),
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    };
    let body = FeedbackBody::Report(report);
    Feedback { instrument: Some(BTC), body, ..wake(due, event, n) }
}

fn rejected(due: u64, event: &Event, n: u64) -> Feedback {
    let rejection = Rejection {
        order: OrderId(event.seq),
        instrument: ETH,
        action: Action::Cancel,
        by: RejectedBy::Risk,
        check: Check::Tick,
        measured: 0.into(),
        limit: 0.into(),
    };
    let (origin, body) = (FeedbackOrigin::Gateway, FeedbackBody::Rejected(rejection));
    Feedback { origin, instrument: Some(ETH), body, ..wake(due, event, n) }
}

fn status(due: u64, event: &Event, n: u64) -> Feedback {
    let status = Status {
        order: OrderId(event.seq),
        state: OrderState::Unknown,
        side: Side::Buy,
        reduce_only: false,
        price: Px(0),
        qty: Qty(0),
        cum_qty: Qty(0),
        cum_quote: Usd(0),
        cum_fee: Usd(0),
        at: event.ts,
    };
    Feedback { instrument: Some(BTC), body: FeedbackBody::Status(status), ..wake(due, event, n) }
}

fn nothing(_: &Event) -> Reaction {
    Reaction::default()
}

fn some(feedback: Vec<Feedback>) -> Reaction {
    Reaction { feedback, raise: None }
}

/// A far end that does a bit of everything, as a function of the seed and the event.
fn react(seed: u64, event: &Event) -> Reaction {
    let roll = |leg, bound| jitter::below(seed, OrderId(event.seq), leg, bound);
    // On a coarse grid, so that much falls on the same time.
    let soon = event.ts.0 / (10 * MILLI) * (10 * MILLI) + (1 + roll(1, 30)) * 10 * MILLI;
    let is_answer = matches!(event.body, Body::Wake | Body::Report(_) | Body::Status(_));
    let is_quiet = matches!(event.body, Body::Tick | Body::Gap) && roll(4, 3) > 0;
    let is_order = matches!(event.body, Body::KillLevel(_) | Body::Control(_));
    let feedback = if matches!(event.body, Body::Rejected(_)) {
        vec![rejected(event.ts.0 + (20 + roll(2, 40)) * MILLI, event, 0)]
    } else if is_answer && roll(3, 2) == 0 {
        vec![wake(soon, event, 0)]
    } else if is_answer || is_quiet || is_order {
        Vec::new()
    } else {
        match roll(5, 10) {
            0 => vec![wake(soon, event, 0), status(soon, event, 1)],
            1 => vec![report(soon, event, 1), rejected(soon, event, 0)],
            2 => vec![report(event.ts.0 - roll(6, 3) * MILLI, event, 0)],
            3 => (0..5).map(|n| report(event.ts.0 + (n / 2) * 10 * MILLI, event, n)).collect(),
            4 => (0..3).map(|n| wake(event.ts.0 + 10 * MILLI, event, 2 - n)).collect(),
            _ => Vec::new(),
        }
    };
    let level = KillLevel::from_number(1 + u8::try_from(roll(7, 3)).unwrap());
    Reaction { feedback, raise: level.filter(|_| roll(8, 40) == 0) }
}

#[derive(Clone, Debug)]
struct Schedule {
    said: Vec<(u64, Says)>,
    controls: Vec<ControlInput>,
    seed: u64,
    rings: Rings,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let id = prop_oneof![Just(BTC), Just(ETH)];
    let says = (0_u8..8, id).prop_map(|(kind, id)| match kind {
        0 => Says::Nothing,
        1 => Says::Invalidate(id),
        2..=4 => Says::Partial(id),
        _ => Says::Trade(id),
    });
    // Gaps are a second here: one just not, one exactly not, one just so.
    let after = prop_oneof![
        4 => Just(0),
        1 => Just(1),
        6 => Just(10 * MILLI),
        3 => Just(100 * MILLI),
        4 => 0..200 * MILLI,
        1 => Just(SECOND - 1),
        1 => Just(SECOND),
        1 => Just(SECOND + 1),
        1 => Just(2_500 * MILLI),
    ];
    // A receive time that falls back now and then.
    let back = prop_oneof![9 => Just(0), 1 => 0..20 * MILLI];
    let steps = prop::collection::vec((after, back, says), 0..40);
    let controls = prop::collection::vec((0_u64..500, 1_usize..4), 0..4);
    let rings = (1_usize..4, 1_usize..4, 1_usize..4, prop::option::of(3_usize..6));
    (0_u64..40, steps, controls, any::<u64>(), rings).prop_map(
        |(first, steps, controls, seed, (input, output, feedback, tap))| {
            let mut now = START + first * 5 * MILLI;
            let said = steps.into_iter().map(|(after, back, says)| {
                now += after;
                (now - back, says)
            });
            let said = said.collect();
            let mut controls: Vec<ControlInput> = controls
                .into_iter()
                .map(|(at, level)| raise(START + at * 10 * MILLI, KillLevel::ALL[level]))
                .collect();
            controls.sort_by_key(|control| control.at);
            Schedule { said, controls, seed, rings: Rings { input, output, feedback, tap } }
        },
    )
}

fn run(schedule: &Schedule) -> Pipeline {
    let (inputs, _) = frames(&schedule.said);
    let seed = schedule.seed;
    let mut pipeline =
        Pipeline::new(&config(), schedule.rings, &inputs, &schedule.controls, move |event| {
            react(seed, event)
        });
    pipeline.run().unwrap();
    pipeline
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.body.kind()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_stage_orders_as_the_reference_does(schedule in schedule()) {
        let Rules { tick, gap_max } = Rules { tick: config().tick, gap_max: config().gap_max };
        let (_, frames) = frames(&schedule.said);
        let mut react = |event: &Event| react(schedule.seed, event);
        let expected = expected(Rules { tick, gap_max }, &frames, &schedule.controls, &mut react);
        let pipeline = run(&schedule);
        prop_assert_eq!(&pipeline.far.seen, &expected);
        prop_assert_eq!(pipeline.head.seq(), expected.len() as u64);
        prop_assert_eq!(pipeline.head.lane().records(), expected.len() as u64);
        prop_assert_eq!(pipeline.head.counts().iter().sum::<u64>(), expected.len() as u64);
        check_taps(&pipeline, &schedule);
    }

    /// Invariant: nothing that is sequenced depends on how long the capture is.
    #[test]
    fn a_shorter_capture_gives_a_prefix(schedule in schedule(), keep in any::<prop::sample::Index>()) {
        let whole = run(&schedule);
        let seed = schedule.seed;
        let keep = keep.index(schedule.said.len() + 1);
        let shorter = Schedule { said: schedule.said[..keep].to_vec(), ..schedule };
        let shorter = run(&shorter);
        let count = shorter.far.seen.len();
        prop_assert_eq!(&whole.far.seen[..count], &shorter.far.seen[..]);
        // Sequenced and pending together are all that was ever fed back.
        let events = shorter.far.seen.iter();
        let fed_back: Vec<Feedback> =
            events.clone().flat_map(|event| react(seed, event).feedback).collect();
        let sequenced = events.filter(|event| {
            matches!(
                event.body,
                Body::Wake | Body::Report(_) | Body::Status(_) | Body::Rejected(_)
            )
        });
        let pending = shorter.head.pending();
        prop_assert!(pending.iter().all(|feedback| fed_back.contains(feedback)));
        prop_assert!(pending.is_sorted_by_key(Feedback::key));
        prop_assert_eq!(sequenced.count() + pending.len(), fed_back.len());
    }

    /// Whoever is polled when, with the smallest rings: every round moves something, and all comes out.
    #[test]
    fn no_order_of_polls_locks_up(schedule in schedule(), order in prop::collection::vec(0_u8..3, 64)) {
        let (inputs, _) = frames(&schedule.said);
        let burst = |event: &Event| {
            let count = if matches!(event.body, Body::Wake | Body::Tick) { 0 } else { 7 };
            some((0..count).map(|n| wake(event.ts.0 + 1 + n, event, n)).collect())
        };
        let mut all = Pipeline::new(&config(), Rings::SMALLEST, &inputs, &schedule.controls, burst);
        let mut order = order.iter().cycle();
        while !(all.feed.ended() && all.head.wants_input() && all.done.get() == all.head.seq()) {
            for _ in 0..3 {
                match order.next().unwrap() {
                    0 => all.feed.poll(),
                    1 => all.head.poll(),
                    _ => all.far.poll(),
                };
            }
            let work = all.feed.poll() + all.head.poll() + all.far.poll();
            let ended = all.feed.ended() && all.head.wants_input();
            prop_assert!(work > 0 || ended, "a round without work at event {}", all.head.seq());
        }
        let market: usize = frames(&schedule.said).1.iter().map(|frame| frame.bodies.len()).sum();
        let from_frames = all.far.seen.iter().filter(|event| event.frame > 0).count();
        prop_assert_eq!(from_frames, market);
        prop_assert!(all.far.seen.iter().map(|event| event.seq).eq(1..=all.head.seq()));
        check_taps(&all, &schedule);
    }
}

/// Every book frame and every gap is on the tap, with the number of its first event.
fn check_taps(pipeline: &Pipeline, schedule: &Schedule) {
    let mut expected = Vec::new();
    let symbols = (0..3).map(InstrumentId);
    let (inputs, _) = frames(&schedule.said);
    for event in &pipeline.far.seen {
        let seq = event.seq;
        if event.body == Body::Gap {
            expected.extend(symbols.clone().map(|instrument| {
                (Tap { seq, instrument, body: BookInput::Invalidate(Invalid::Stale) }, Vec::new())
            }));
        } else if matches!(event.body, Body::Depth(_) | Body::BookInvalid(_)) {
            let fed = &inputs[usize::try_from(event.frame).unwrap() - 1];
            let InputBody::Book(body) = fed.input.body else { panic!("{event:?}") };
            let levels = [&fed.bids[..], &fed.asks[..]].concat();
            expected.push((Tap { seq, instrument: event.instrument.unwrap(), body }, levels));
        }
    }
    let has_tap = pipeline.far.has_tap();
    assert_eq!(pipeline.far.taps, if has_tap { expected } else { Vec::new() });
}
