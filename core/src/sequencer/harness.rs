//! A feed and a far end for tests of the sequencer and of who drives it.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::book::BookConfig;
use crate::event::Event;
use crate::instrument::{Market, Universe, common};
use crate::kill::KillSwitch;
use crate::lane::Keep;
use crate::market::Level;
use crate::message::{Feedback, Input, Tap};
use crate::ring::{Consumer, LevelsConsumer, LevelsProducer, Producer, RingBuffer, with_levels};
use crate::runner::{RunError, Source, run_inline};
use crate::sequencer::reference::Reaction;
use crate::sequencer::{ControlInput, Ports, Sequencer, SequencerConfig};
use crate::stage::{DoneSeq, Stage};

/// Levels that the longest input of a test has.
pub(crate) const LEVELS_MAX: usize = 16;

/// BTCUSDT, ETHUSDT, and the spot book of BTCUSDT.
pub(crate) fn universe() -> Universe {
    let listed = [(Market::UsdM, "BTCUSDT"), (Market::UsdM, "ETHUSDT"), (Market::Spot, "BTCUSDT")];
    let listed = listed.map(|(market, symbol)| common(market, symbol).unwrap());
    Universe::new(listed.into()).unwrap()
}

/// Small books.
pub(crate) fn books() -> BookConfig {
    BookConfig { window_ticks: 64, far_levels_max: 64, buffer_frames_max: 8, buffer_levels_max: 64 }
}

/// Capacities of the rings, in messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rings {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) feedback: usize,
    /// The least is the number of symbols; none for no tap.
    pub(crate) tap: Option<usize>,
}

impl Rings {
    pub(crate) const SMALLEST: Self = Self { input: 1, output: 1, feedback: 1, tap: Some(3) };
    pub(crate) const LARGE: Self = Self { input: 64, output: 64, feedback: 64, tap: None };
}

/// An input with its levels, bids first.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    pub(crate) input: Input,
    pub(crate) bids: Vec<Level>,
    pub(crate) asks: Vec<Level>,
}

/// A feed over a list.
pub(crate) struct Feed {
    inputs: VecDeque<Fed>,
    ring: LevelsProducer<Input>,
}

impl Feed {
    pub(crate) fn new(inputs: &[Fed], ring: LevelsProducer<Input>) -> Self {
        Self { inputs: inputs.iter().cloned().collect(), ring }
    }
}

impl Stage for Feed {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn poll(&mut self) -> usize {
        let Some(fed) = self.inputs.front() else { return 0 };
        let pushed = self.ring.push(fed.input, &fed.bids, &fed.asks);
        if pushed {
            self.inputs.pop_front();
        }
        usize::from(pushed)
    }
}

impl Source for Feed {
    fn ended(&self) -> bool {
        self.inputs.is_empty()
    }
}

/// Alpha, risk, gateway and venue in one: it reacts to each event.
pub(crate) struct FarEnd {
    events: Consumer<Event>,
    tap: Option<LevelsConsumer<Tap>>,
    feedback: Producer<Feedback>,
    waiting: VecDeque<Feedback>,
    kill: KillSwitch,
    done: DoneSeq,
    react: Box<dyn FnMut(&Event) -> Reaction + Send>,
    levels: Vec<Level>,
    pub(crate) seen: Vec<Event>,
    pub(crate) taps: Vec<(Tap, Vec<Level>)>,
}

impl Stage for FarEnd {
    fn name(&self) -> &'static str {
        "far end"
    }

    fn poll(&mut self) -> usize {
        if self.waiting.is_empty() {
            let Ok(event) = self.events.pop() else { return 0 };
            self.take_taps(event.seq);
            self.seen.push(event);
            let reaction = (self.react)(&event);
            if let Some(level) = reaction.raise {
                self.kill.raise(level);
            }
            self.waiting.extend(reaction.feedback);
            return self.flush() + 1;
        }
        self.flush()
    }
}

impl FarEnd {
    /// The end of the ring of events, for another stage in its place.
    pub(crate) fn take_events(&mut self) -> Consumer<Event> {
        let (_, nothing) = RingBuffer::new(1);
        std::mem::replace(&mut self.events, nothing)
    }

    /// The end of the tap, which is then taken by nobody else.
    pub(crate) fn take_tap(&mut self) -> Option<LevelsConsumer<Tap>> {
        self.tap.take()
    }

    pub(crate) fn has_tap(&self) -> bool {
        self.tap.is_some()
    }

    fn flush(&mut self) -> usize {
        let mut moved = 0;
        while !self.waiting.is_empty() && !self.feedback.is_full() {
            moved += 1;
            let feedback = self.waiting.pop_front().unwrap();
            self.feedback.push(feedback).unwrap();
        }
        if self.waiting.is_empty() {
            self.done.set(self.seen.last().unwrap().seq);
        }
        moved
    }

    /// Tap n is there before event n, and never tap n + 1.
    fn take_taps(&mut self, seq: u64) {
        let Some(tap) = &mut self.tap else { return };
        while tap.peek().is_some_and(|tapped| tapped.seq == seq) {
            let count = |tapped: &Tap| tapped.body.levels().0 + tapped.body.levels().1;
            let tapped = tap.pop(count, &mut self.levels).unwrap();
            self.taps.push((tapped, self.levels.clone()));
        }
        assert!(tap.peek().is_none_or(|tapped| tapped.seq > seq), "a tap came too late");
    }
}

/// All stages of a test.
pub(crate) struct Pipeline {
    pub(crate) feed: Feed,
    pub(crate) head: Sequencer,
    pub(crate) far: FarEnd,
    pub(crate) kill: KillSwitch,
    pub(crate) done: DoneSeq,
}

impl Pipeline {
    pub(crate) fn new(
        config: &SequencerConfig,
        rings: Rings,
        inputs: &[Fed],
        controls: &[ControlInput],
        react: impl FnMut(&Event) -> Reaction + Send + 'static,
    ) -> Self {
        Self::with_kill(KillSwitch::new(), config, rings, inputs, controls, react)
    }

    pub(crate) fn with_kill(
        kill: KillSwitch,
        config: &SequencerConfig,
        rings: Rings,
        inputs: &[Fed],
        controls: &[ControlInput],
        react: impl FnMut(&Event) -> Reaction + Send + 'static,
    ) -> Self {
        let done = DoneSeq::new();
        let (to_head, input) = with_levels(rings.input, LEVELS_MAX);
        let (output, events) = RingBuffer::new(rings.output);
        let (to_heap, feedback) = RingBuffer::new(rings.feedback);
        let tap = rings.tap.map(|heads| with_levels(heads, LEVELS_MAX));
        let (tap, far_tap) = tap.map_or((None, None), |(tap, far)| (Some(tap), Some(far)));
        let control = Arc::new(ArrayQueue::new(controls.len().max(1)));
        for command in controls {
            control.push(*command).unwrap();
        }
        let ports = Ports { input, feedback, control, output, tap };
        let head = Sequencer::new(config, &universe(), &books(), kill.clone(), ports, Keep::Digest);
        let far = FarEnd {
            events,
            tap: far_tap,
            feedback: to_heap,
            waiting: VecDeque::new(),
            kill: kill.clone(),
            done: done.clone(),
            react: Box::new(react),
            levels: Vec::new(),
            seen: Vec::new(),
            taps: Vec::new(),
        };
        let feed = Feed::new(inputs, to_head);
        Self { feed, head, far, kill, done }
    }

    /// Runs it inline to its end.
    pub(crate) fn run(&mut self) -> Result<(), RunError> {
        let Self { feed, head, far, kill, done } = self;
        run_inline(feed, head, &mut [far], done, kill)
    }
}
