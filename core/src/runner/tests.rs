//! What the inline runner adds to the stages: order, ends and errors.

use super::*;
use crate::book::Invalid;
use crate::event::Event;
use crate::instrument::InstrumentId;
use crate::market::{Side, Times, Trade, TradeOrigin};
use crate::message::{BookInput, Feedback, FeedbackBody, FeedbackOrigin, Input, InputBody};
use crate::ring::{Consumer, Producer, RingBuffer};
use crate::sequencer::SequencerConfig;
use crate::sequencer::harness::{Fed, Feed, Pipeline, Rings};
use crate::sequencer::reference::Reaction;
use crate::stage::{DoneSeq, Horizon};
use crate::units::{Nanos, Px, Qty};

const RINGS: [Rings; 2] = [Rings::SMALLEST, Rings::LARGE];

fn trades(count: i64) -> Vec<Fed> {
    let trade = |id: i64| Trade {
        times: Times::default(),
        id,
        price: Px(1),
        qty: Qty(1),
        aggressor: Side::Buy,
        origin: TradeOrigin::Market,
    };
    let input = |id: i64| Input {
        recv: Nanos(Nanos::SECOND + id.unsigned_abs()),
        frame: id.unsigned_abs(),
        instrument: InstrumentId(0),
        stamp: Default::default(),
        body: InputBody::Trade(trade(id)),
    };
    (1..=count).map(|id| Fed { input: input(id), bids: Vec::new(), asks: Vec::new() }).collect()
}

/// Feedback that is due before the next frame.
fn wakes(event: &Event, count: u64) -> Reaction {
    let wake = |n| Feedback {
        due: event.ts,
        cause_seq: event.seq,
        origin: FeedbackOrigin::Venue,
        n,
        instrument: None,
        body: FeedbackBody::Wake,
    };
    Reaction { feedback: (0..count).map(wake).collect(), raise: None }
}

fn pipeline(
    rings: Rings,
    inputs: &[Fed],
    react: impl FnMut(&Event) -> Reaction + Send + 'static,
) -> Pipeline {
    Pipeline::new(&SequencerConfig::default(), rings, inputs, &[], react)
}

/// Hands messages on, up to a number of them.
struct Relay {
    input: Consumer<Event>,
    output: Producer<Event>,
    left: usize,
}

impl Stage for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }

    fn poll(&mut self) -> usize {
        if self.left == 0 || self.output.is_full() {
            return 0;
        }
        let Ok(event) = self.input.pop() else { return 0 };
        self.left -= 1;
        self.output.push(event).unwrap();
        1
    }
}

/// Takes messages and is done with the first few of them.
struct Sink {
    input: Consumer<Event>,
    done: DoneSeq,
    left: usize,
}

impl Stage for Sink {
    fn name(&self) -> &'static str {
        "sink"
    }

    fn poll(&mut self) -> usize {
        let Ok(event) = self.input.pop() else { return 0 };
        if self.left > 0 {
            self.left -= 1;
            self.done.set(event.seq);
        }
        1
    }
}

/// A feed that tells of its frames, and notes how far the far end was when each was taken.
struct Foretelling {
    feed: Feed,
    times: Vec<Nanos>,
    horizon: Horizon,
    done: DoneSeq,
    taken_at: Vec<u64>,
}

impl Stage for Foretelling {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn poll(&mut self) -> usize {
        let taken = self.feed.poll();
        if taken > 0 {
            self.taken_at.push(self.done.get());
        }
        taken
    }
}

impl Source for Foretelling {
    fn ended(&self) -> bool {
        self.feed.ended()
    }

    fn foretell(&mut self) {
        if let Some(next) = self.times.get(self.taken_at.len()) {
            self.horizon.advance(*next);
        }
    }
}

/// Inline as it was recorded: what was due before a frame was done when it came. The events are the same.
#[test]
fn what_is_due_before_a_frame_is_done_before_it_is_taken() {
    let mut inputs = trades(4);
    for (fed, at) in inputs.iter_mut().zip([1_000, 1_250, 1_250, 1_700]) {
        fed.input.recv = Nanos(at * Nanos::MILLI);
    }
    let times = inputs.iter().map(|fed| fed.input.recv).collect();
    let react = |event: &Event| {
        let mut reaction = wakes(event, u64::from(event.frame == 1));
        reaction.feedback.iter_mut().for_each(|wake| wake.due.0 += Nanos::MILLI);
        reaction
    };
    let run = |foretold: bool| {
        let mut all = pipeline(Rings::SMALLEST, &inputs, react);
        let (horizon, done) = (Horizon::new(), all.done.clone());
        if foretold {
            all.head = all.head.with_horizon(horizon.clone());
        }
        let Pipeline { feed, mut head, mut far, kill, done: ended } = all;
        let times = if foretold { Vec::clone(&times) } else { Vec::new() };
        let mut feed = Foretelling { feed, times, horizon, done, taken_at: Vec::new() };
        assert_eq!(run_inline(&mut feed, &mut head, &mut [&mut far], &ended, &kill), Ok(()));
        (far.seen, feed.taken_at)
    };
    let ((plain, late), (foretold, taken_at)) = (run(false), run(true));
    assert_eq!(plain, foretold);
    let frames = |at: u64| foretold.iter().position(|event| event.frame == at).unwrap() as u64;
    // Whatever comes before a frame, its wake and ticks, was done; without being told only the frame before.
    assert_eq!(taken_at, [1, 2, 3, 4].map(frames));
    assert_eq!(late, [0, 1, 2, 3].map(|at| if at == 0 { 0 } else { frames(at) + 1 }));
}

#[test]
fn each_event_is_finished_before_the_next_with_rings_of_any_size() {
    for rings in RINGS {
        // More feedback than the ring holds, due at once: it comes before the next frame.
        let mut all =
            pipeline(rings, &trades(50), |event| wakes(event, if event.frame > 0 { 9 } else { 0 }));
        assert_eq!(all.run(), Ok(()));
        let frames: Vec<u64> = all.far.seen.iter().map(|event| event.frame).collect();
        let one = |frame| std::iter::once(frame).chain(std::iter::repeat_n(0, 9));
        let expected: Vec<u64> = (1..=50).flat_map(one).collect();
        // What the last frame causes comes behind it, and stays.
        assert_eq!(frames, expected[..491]);
        assert_eq!(all.head.pending().len(), 9);
        assert_eq!(all.done.get(), all.head.seq());
    }
}

#[test]
fn no_input_is_no_work() {
    let mut all = pipeline(Rings::SMALLEST, &[], |_| Reaction::default());
    assert_eq!(all.run(), Ok(()));
    assert_eq!(all.head.seq(), 0);
}

#[test]
fn stages_in_a_row_are_polled_until_the_last_one_is_done() {
    for relayed in [20, 3] {
        let mut all = pipeline(Rings::SMALLEST, &trades(20), |_| Reaction::default());
        let (to_end, at_end) = RingBuffer::new(1);
        let mut relay = Relay { input: all.far.take_events(), output: to_end, left: relayed };
        let mut sink = Sink { input: at_end, done: all.done.clone(), left: 20 };
        let result = run_inline(
            &mut all.feed,
            &mut all.head,
            &mut [&mut relay, &mut sink],
            &all.done,
            &all.kill,
        );
        let stuck = RunError::Stuck { stage: "relay", seq: 4 };
        assert_eq!(result, if relayed == 20 { Ok(()) } else { Err(stuck) });
    }
}

#[test]
fn a_stage_that_never_finishes_is_named_with_its_event() {
    let mut all = pipeline(Rings::LARGE, &trades(20), |_| Reaction::default());
    let mut sink = Sink { input: all.far.take_events(), done: all.done.clone(), left: 6 };
    let result = run_inline(&mut all.feed, &mut all.head, &mut [&mut sink], &all.done, &all.kill);
    assert_eq!(result, Err(RunError::Stuck { stage: "sink", seq: 7 }));
    let text = result.unwrap_err().to_string();
    assert_eq!(text, "stage 'sink' does not finish event 7");
}

/// A feed that neither gives anything nor ends.
struct Silent;

impl Stage for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn poll(&mut self) -> usize {
        0
    }
}

impl Source for Silent {
    fn ended(&self) -> bool {
        false
    }
}

#[test]
fn a_feed_that_never_ends_is_named() {
    let mut all = pipeline(Rings::LARGE, &[], |_| Reaction::default());
    let result = run_inline(&mut Silent, &mut all.head, &mut [&mut all.far], &all.done, &all.kill);
    assert_eq!(result, Err(RunError::Stuck { stage: "silent", seq: 0 }));
}

#[test]
fn a_fault_of_the_head_ends_the_run() {
    let config = SequencerConfig { feedback_max: 5, ..SequencerConfig::default() };
    for rings in RINGS {
        let burst = |event: &Event| wakes(event, 6);
        let mut all = Pipeline::new(&config, rings, &trades(9), &[], burst);
        let fault = SequencerError::FeedbackFull { max: 5, seq: 1 };
        assert_eq!(all.run(), Err(RunError::Sequencer(fault)));
    }
}

#[test]
fn a_head_whose_tap_nobody_takes_is_named() {
    let said = |number: u64| {
        let mut fed = trades(1).remove(0);
        fed.input.recv = Nanos(Nanos::SECOND + number);
        fed.input.body = InputBody::Book(BookInput::Invalidate(Invalid::Stale));
        fed
    };
    let inputs: Vec<Fed> = (0..9).map(said).collect();
    let mut all = pipeline(Rings::SMALLEST, &inputs, |_| Reaction::default());
    let _tap = all.far.take_tap();
    assert_eq!(all.run(), Err(RunError::Stuck { stage: "sequencer", seq: 3 }));
}

/// Says that it did so much work in each round, and does none.
struct Script(&'static str, &'static [usize]);

impl Stage for Script {
    fn name(&self) -> &'static str {
        self.0
    }

    fn poll(&mut self) -> usize {
        let Some((now, later)) = self.1.split_first() else { return 0 };
        self.1 = later;
        *now
    }
}

#[test]
fn the_stage_behind_the_one_farthest_down_that_moved_is_the_one_that_is_stuck() {
    let mut all = pipeline(Rings::LARGE, &trades(1), |_| Reaction::default());
    let (mut alpha, mut risk) = (Script("alpha", &[1, 1, 1]), Script("risk", &[0, 1]));
    let mut gateway = Script("gateway", &[]);
    let mut rest: [&mut dyn Stage; 3] = [&mut alpha, &mut risk, &mut gateway];
    let result = run_inline(&mut all.feed, &mut all.head, &mut rest, &all.done, &all.kill);
    assert_eq!(result, Err(RunError::Stuck { stage: "gateway", seq: 1 }));
}

mod on_threads;
