//! The stage itself: which input is next, and where it goes.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::assumed::DataSeen;
use crate::book::BookConfig;
use crate::books::Books;
use crate::event::{Body, Control, Event, EventKind, Mark, Origin};
use crate::instrument::{InstrumentId, Universe};
use crate::kill::{KillSwitch, Level as KillLevel, level_of};
use crate::lane::{Keep, LaneWriter, Record};
use crate::latency::Probe;
use crate::message::Feedback;
use crate::ring::{Consumer, Producer, push_in_place};
use crate::sequencer::fold::{Cause, Fold, Head, Turn};
use crate::sequencer::heap::{FeedbackHeap, body_of};
use crate::sequencer::{ControlInput, Ports, SequencerConfig, SequencerError};
use crate::stage::{Horizon, Stage};
use crate::units::Nanos;

/// The sequencer and book stage.
#[derive(Debug)]
pub struct Sequencer {
    feedback: Consumer<Feedback>,
    commands: Arc<ArrayQueue<ControlInput>>,
    kill: KillSwitch,
    /// The highest kill word so far.
    kill_seen: u64,
    fold: Fold,
    heap: FeedbackHeap,
    /// The command at the head of its queue, which can not be looked at without taking it.
    control: Option<ControlInput>,
    fault: Option<SequencerError>,
    /// Before what time no frame comes any more; none when only frames move time on.
    horizon: Option<Horizon>,
    out: Out,
}

/// Where events go.
#[derive(Debug)]
struct Out {
    ring: Producer<Event>,
    lane: LaneWriter,
    counts: [u64; EventKind::ALL.len()],
    assumed_marks: u64,
    probe: Probe,
}

/// What comes next. The order is that at equal times.
#[derive(Clone, Copy, Debug)]
enum Source {
    Feedback,
    Control,
    Market(Turn),
}

impl Sequencer {
    /// A sequencer that has seen nothing. All memory is taken here.
    ///
    /// # Panics
    /// When `config` is not valid, or the tap has less room than one input or one gap takes.
    #[must_use]
    pub fn new(
        config: &SequencerConfig,
        universe: &Universe,
        books: &BookConfig,
        kill: KillSwitch,
        ports: Ports,
        keep: Keep,
    ) -> Self {
        let Ports { input, feedback, control, output, tap } = ports;
        let word = kill.word();
        Self {
            feedback,
            commands: control,
            kill_seen: word - word % 4,
            kill,
            fold: Fold::new(config, universe, books, input, tap),
            heap: FeedbackHeap::new(config.feedback_max),
            control: None,
            fault: None,
            horizon: None,
            out: Out {
                ring: output,
                lane: LaneWriter::new(keep),
                counts: [0; EventKind::ALL.len()],
                assumed_marks: 0,
                probe: Probe::default(),
            },
        }
    }

    /// The same stage, which does not wait for the next frame where `horizon` says that none comes before.
    #[must_use]
    pub fn with_horizon(mut self, horizon: Horizon) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Measures with this from here on.
    pub fn measure(&mut self, probe: Probe) {
        self.out.probe = probe;
    }

    /// Number of the last event emitted.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.fold.seq()
    }

    /// Logical time.
    #[must_use]
    pub fn ts(&self) -> Nanos {
        self.fold.ts()
    }

    /// True when every event emitted was taken off the ring.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.out.ring.slots() == self.out.ring.buffer().capacity()
    }

    /// True when the input ring is empty and the current input is fully emitted.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.fold.has_drafts() && !self.fold.has_input()
    }

    /// True when something comes before whatever frame may come.
    pub fn is_due(&mut self) -> bool {
        self.next().is_some()
    }

    /// Why the stage does nothing more.
    #[must_use]
    pub fn fault(&self) -> Option<&SequencerError> {
        self.fault.as_ref()
    }

    /// The event lane.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.out.lane
    }

    /// The event lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.out.lane
    }

    /// The books as folded so far.
    #[must_use]
    pub fn books(&self) -> &Books {
        self.fold.books()
    }

    /// Events emitted, by kind.
    #[must_use]
    pub fn counts(&self) -> &[u64; EventKind::ALL.len()] {
        &self.out.counts
    }

    /// Marks among the events that came from the assumption set.
    #[must_use]
    pub fn assumed_marks(&self) -> u64 {
        self.out.assumed_marks
    }

    /// What data a symbol has so far, and what was assumed of it.
    #[must_use]
    pub fn data(&self, id: InstrumentId) -> DataSeen {
        self.fold.data(id)
    }

    /// Feedback that was taken off its ring and is not sequenced yet, in order.
    #[must_use]
    pub fn pending(&self) -> Vec<Feedback> {
        self.heap.sorted()
    }

    /// Takes what lies on the feedback ring and emits nothing, so that the far end can finish the event
    /// that it is at. Returns how much that was.
    pub fn drain(&mut self) -> usize {
        let mut taken = 0;
        while self.fault.is_none() && self.feedback.peek().is_ok() {
            if self.heap.is_full() {
                let max = self.heap.len();
                self.fault = Some(SequencerError::FeedbackFull { max, seq: self.seq() });
            } else if let Ok(feedback) = self.feedback.pop() {
                self.heap.push(feedback);
                taken += 1;
            }
        }
        taken
    }

    /// One step: an event, or a frame that says nothing.
    fn step(&mut self) -> usize {
        if self.out.ring.is_full() || !self.out.lane.ready() {
            return 0;
        }
        if self.fold.has_drafts() {
            return if self.tell_kill(self.ts()) { 1 } else { self.emit_draft() };
        }
        let Some((at, source)) = self.next() else { return 0 };
        if self.tell_kill(at) {
            return 1;
        }
        match source {
            Source::Feedback => self.emit_feedback(),
            Source::Control => self.emit_control(),
            Source::Market(Turn::Tick) => self.emit_tick(at),
            Source::Market(Turn::Frame) => self.take_frame(),
            Source::Market(Turn::Gap) => return self.emit_gap(at),
            Source::Market(Turn::Unknown) => unreachable!("it is sorted out before"),
        }
        1
    }

    /// What is next and when. Nothing, while something that is not known yet may come before it.
    fn next(&mut self) -> Option<(Nanos, Source)> {
        // Before the ring is looked at: who has seen the horizon finds every frame before it on the ring.
        let horizon = self.horizon.as_ref().map(Horizon::get);
        let (market, turn) = self.fold.next(horizon)?;
        // To pop from an empty queue takes a fence, to look does not.
        if self.control.is_none() && !self.commands.is_empty() {
            self.control = self.commands.pop();
        }
        // Time does not fall, so that everything late is due now. At equal times feedback goes first, then
        // commands.
        let mut next = (market, Source::Market(turn));
        if let Some(control) = self.control.map(|control| control.at.max(self.ts()))
            && control <= next.0
        {
            next = (control, Source::Control);
        }
        if let Some(feedback) = self.heap.peek().map(|feedback| feedback.due.max(self.ts()))
            && feedback <= next.0
        {
            next = (feedback, Source::Feedback);
        }
        (!matches!(next.1, Source::Market(Turn::Unknown))).then_some(next)
    }

    /// Sequences a kill level that rose; false when there is no such news. Its time is that of the last
    /// event, or of what comes first of all.
    fn tell_kill(&mut self, next: Nanos) -> bool {
        let word = self.kill.word();
        let Some(level) = kill_news(self.kill_seen, word) else { return false };
        self.kill_seen = word;
        let at = if self.ts() == Nanos(0) { next } else { self.ts() };
        self.emit_other(Cause::at(at), None, Body::KillLevel(level));
        true
    }

    fn emit_feedback(&mut self) {
        let feedback = self.heap.pop().expect("it was chosen because it is there");
        self.emit_other(Cause::at(feedback.due), feedback.instrument, body_of(&feedback.body));
    }

    fn emit_control(&mut self) {
        let input = self.control.take().expect("it was chosen because it is there");
        match input.control {
            Control::Raise(level) => self.kill.raise(level),
            Control::GateBreach(_) | Control::Reconcile | Control::Transfer(_) => {}
        }
        self.emit_other(Cause::at(input.at), None, Body::Control(input.control));
    }

    /// Takes a frame and emits the first that it says: the kill level was looked at just now.
    fn take_frame(&mut self) {
        self.fold.take_frame();
        if self.fold.has_drafts() {
            self.emit_draft();
        }
    }

    fn emit_tick(&mut self, at: Nanos) {
        let head = self.fold.take_tick(at);
        self.out.emit(&head, &Body::Tick);
    }

    /// Emits a gap; 0 while the tap, which goes first, is not empty.
    fn emit_gap(&mut self, at: Nanos) -> usize {
        let Some(head) = self.fold.take_gap(at) else { return 0 };
        self.out.emit(&head, &Body::Gap);
        1
    }

    /// Emits the first draft; 0 when the tap, which goes first, has no room.
    fn emit_draft(&mut self) -> usize {
        let Self { fold, out, .. } = self;
        usize::from(fold.take_draft(|head, body| out.emit(head, body)).is_some())
    }

    /// Emits what is not of the market.
    fn emit_other(&mut self, cause: Cause, instrument: Option<InstrumentId>, body: Body) {
        let head = self.fold.head(cause, instrument);
        self.out.emit(&head, &body);
    }
}

impl Out {
    /// Makes an event on the ring, which has room, and puts it on the lane before it can be seen.
    fn emit(&mut self, head: &Head, body: &Body) {
        let Self { ring, lane, counts, assumed_marks, probe } = self;
        counts[body.kind() as usize] += 1;
        let assumed = matches!(body, Body::Mark(Mark { origin: Origin::Assumed, .. }));
        *assumed_marks += u64::from(assumed);
        let make = || head.event(*body);
        let pushed = push_in_place(ring, make, |event| {
            if event.frame == 0 {
                event.stamp = probe.begin(event.seq);
            } else {
                probe.pass(&mut event.stamp);
            }
            lane.stamp(probe.at(event.stamp));
            lane.append(&Record::event(event));
            lane.done(event.seq);
        });
        assert!(pushed, "a step begins with a look for room");
    }
}

impl Stage for Sequencer {
    fn name(&self) -> &'static str {
        "sequencer"
    }

    fn poll(&mut self) -> usize {
        let taken = self.drain();
        if self.fault.is_some() { taken } else { taken + self.step() }
    }

    fn rest(&mut self) -> usize {
        self.out.lane.rest()
    }
}

/// The level to tell when the kill word is `word` and was at most `seen`: it rose, or a resume began a
/// new epoch. A word that falls without one changes nothing.
fn kill_news(seen: u64, word: u64) -> Option<KillLevel> {
    (word > seen).then(|| level_of(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_word_is_news_when_it_rose_or_its_epoch_changed() {
        assert_eq!(kill_news(0, 0), None);
        assert_eq!(kill_news(0, 2), Some(KillLevel::Halt));
        assert_eq!(kill_news(2, 3), Some(KillLevel::Dead));
        assert_eq!(kill_news(3, 4), Some(KillLevel::Run), "a resume");
        assert_eq!(kill_news(4, 3), None, "a word that fell");
    }
}
