//! The stage itself: which input is next, its number and time, and where it goes.

use crate::book::{BookConfig, Invalid};
use crate::books::Books;
use crate::event::{Body, Control, Event, EventKind, Mark, Origin};
use crate::instrument::{InstrumentId, Universe};
use crate::kill::{KillSwitch, Level as KillLevel, level_of};
use crate::lane::{Keep, LaneWriter, Record};
use crate::market::Level;
use crate::message::{BookInput, Feedback, FeedbackBody, Input, InputBody, Tap};
use crate::sequencer::clock::Clock;
use crate::sequencer::drafts::Drafts;
use crate::sequencer::heap::FeedbackHeap;
use crate::sequencer::market::MarketFold;
use crate::sequencer::{ControlInput, Ports, SequencerConfig, SequencerError};
use crate::stage::Stage;
use crate::units::Nanos;

/// The sequencer and book stage.
#[derive(Debug)]
pub struct Sequencer {
    ports: Ports,
    kill: KillSwitch,
    /// The highest kill word so far.
    kill_seen: u64,
    instruments: usize,
    clock: Clock,
    market: MarketFold,
    heap: FeedbackHeap,
    /// The command at the head of its queue, which can not be looked at without taking it.
    control: Option<ControlInput>,
    /// What is left of the current input or tick, and where it comes from.
    drafts: Drafts,
    stamp: Stamp,
    /// The book change that goes to the tap before the first draft.
    tap_due: Option<(InstrumentId, BookInput)>,
    /// The levels of the current input.
    levels: Vec<Level>,
    seq: u64,
    ts: Nanos,
    lane: LaneWriter,
    counts: [u64; EventKind::ALL.len()],
    assumed_marks: u64,
    fault: Option<SequencerError>,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    at: Nanos,
    /// Receive time of its frame.
    recv: Option<Nanos>,
    frame: u64,
}

impl Stamp {
    /// Of something that is no frame.
    const fn at(at: Nanos) -> Self {
        Self { at, recv: None, frame: 0 }
    }
}

/// What comes next. The order is that at equal times.
#[derive(Clone, Copy, Debug)]
enum Source {
    Feedback,
    Control,
    Tick,
    Frame,
    Gap,
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
        assert_eq!(config.validate(), Ok(()), "the configuration is checked at start");
        let levels_max = ports.input.levels_max();
        if let Some(tap) = &ports.tap {
            assert!(tap.levels_max() >= levels_max, "the tap takes every book input whole");
            assert!(
                tap.heads_max() >= universe.len(),
                "a gap puts every symbol on the tap at once"
            );
        }
        let word = kill.word();
        Self {
            kill_seen: word - word % 4,
            kill,
            instruments: universe.len(),
            clock: Clock::new(config.tick, config.gap_max),
            market: MarketFold::new(config, universe, books),
            heap: FeedbackHeap::new(config.feedback_max),
            control: None,
            drafts: Drafts::new(MarketFold::drafts_max(universe)),
            stamp: Stamp::at(Nanos(0)),
            tap_due: None,
            levels: Vec::with_capacity(levels_max),
            seq: 0,
            ts: Nanos(0),
            lane: LaneWriter::new(keep),
            counts: [0; EventKind::ALL.len()],
            assumed_marks: 0,
            fault: None,
            ports,
        }
    }

    /// Number of the last event emitted.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Logical time.
    #[must_use]
    pub fn ts(&self) -> Nanos {
        self.ts
    }

    /// True when every event emitted was taken off the ring.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ports.output.slots() == self.ports.output.buffer().capacity()
    }

    /// True when the input ring is empty and the current input is fully emitted.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.drafts.is_empty() && self.ports.input.peek().is_none()
    }

    /// Why the stage does nothing more.
    #[must_use]
    pub fn fault(&self) -> Option<&SequencerError> {
        self.fault.as_ref()
    }

    /// The event lane.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.lane
    }

    /// The event lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.lane
    }

    /// The books as folded so far.
    #[must_use]
    pub fn books(&self) -> &Books {
        self.market.books()
    }

    /// Events emitted, by kind.
    #[must_use]
    pub fn counts(&self) -> &[u64; EventKind::ALL.len()] {
        &self.counts
    }

    /// Marks among the events that came from the assumption set.
    #[must_use]
    pub fn assumed_marks(&self) -> u64 {
        self.assumed_marks
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
        while self.fault.is_none() && self.ports.feedback.peek().is_ok() {
            if self.heap.is_full() {
                let max = self.heap.len();
                self.fault = Some(SequencerError::FeedbackFull { max, seq: self.seq });
            } else if let Ok(feedback) = self.ports.feedback.pop() {
                self.heap.push(feedback);
                taken += 1;
            }
        }
        taken
    }

    /// One step: an event, or a frame taken.
    fn step(&mut self) -> usize {
        if self.ports.output.is_full() || !self.lane.ready() {
            return 0;
        }
        if !self.drafts.is_empty() {
            return if self.tell_kill(self.ts) { 1 } else { self.emit_draft() };
        }
        let Some((at, source)) = self.next() else { return 0 };
        if self.tell_kill(at) {
            return 1;
        }
        match source {
            Source::Feedback => self.emit_feedback(),
            Source::Control => self.emit_control(),
            Source::Tick => self.emit_tick(at),
            Source::Frame => self.take_frame(),
            Source::Gap => return self.emit_gap(at),
        }
        1
    }

    /// What is next and when. Nothing, while the next frame is not known: it bounds everything else.
    fn next(&mut self) -> Option<(Nanos, Source)> {
        let frame = self.ports.input.peek()?.recv;
        if self.control.is_none() {
            self.control = self.ports.control.pop();
        }
        let candidates = [
            (self.heap.peek().map(|feedback| feedback.due), Source::Feedback),
            (self.control.map(|control| control.at), Source::Control),
            (self.clock.tick(), Source::Tick),
            (Some(frame), Source::Frame),
            (self.clock.gap(), Source::Gap),
        ];
        // Time does not fall, so that everything late is due now. The first of the earliest wins.
        candidates
            .into_iter()
            .filter_map(|(at, source)| Some((at?.max(self.ts), source)))
            .min_by_key(|(at, _)| *at)
    }

    /// Sequences a kill level that rose; false when there is no such news. Its time is that of the last
    /// event, or of what comes first of all.
    fn tell_kill(&mut self, next: Nanos) -> bool {
        let word = self.kill.word();
        let Some(level) = kill_news(self.kill_seen, word) else { return false };
        self.kill_seen = word;
        let at = if self.ts == Nanos(0) { next } else { self.ts };
        self.emit(Stamp::at(at), None, Body::KillLevel(level));
        true
    }

    fn emit_feedback(&mut self) {
        let feedback = self.heap.pop().expect("it was chosen because it is there");
        let body = match feedback.body {
            FeedbackBody::Report(report) => Body::Report(report),
            FeedbackBody::Status(status) => Body::Status(status),
            FeedbackBody::Rejected(rejection) => Body::Rejected(rejection),
            FeedbackBody::Wake => Body::Wake,
        };
        self.emit(Stamp::at(feedback.due), feedback.instrument, body);
    }

    fn emit_control(&mut self) {
        let input = self.control.take().expect("it was chosen because it is there");
        let Control::Raise(level) = input.control;
        self.kill.raise(level);
        self.emit(Stamp::at(input.at), None, Body::Control(input.control));
    }

    fn emit_tick(&mut self, at: Nanos) {
        self.clock.on_tick();
        self.stamp = Stamp::at(at);
        self.market.on_tick(at, &mut self.drafts);
        self.emit(self.stamp, None, Body::Tick);
    }

    /// The books fall on the tap too, all with the number of the gap, so the tap must take them at once.
    fn emit_gap(&mut self, at: Nanos) -> usize {
        if let Some(tap) = &mut self.ports.tap {
            if !tap.is_empty() {
                return 0;
            }
            let stale = BookInput::Invalidate(Invalid::Stale);
            for instrument in (0..).map(InstrumentId).take(self.instruments) {
                let tapped = Tap { seq: self.seq + 1, instrument, body: stale };
                assert!(tap.push(tapped, &[], &[]), "an empty tap has room for every symbol");
            }
        }
        self.clock.on_gap();
        self.market.on_gap();
        self.emit(Stamp::at(at), None, Body::Gap);
        1
    }

    fn take_frame(&mut self) {
        let levels_of = |input: &Input| {
            let (bids, asks) = book_of(input).map_or((0, 0), BookInput::levels);
            bids + asks
        };
        let input = self.ports.input.pop(levels_of, &mut self.levels);
        let input = input.expect("it was chosen because it is there");
        self.ts = self.ts.max(input.recv);
        self.stamp = Stamp { at: self.ts, recv: Some(input.recv), frame: input.frame };
        self.clock.on_frame(self.ts);
        self.market.fold(&input, &self.levels, self.ts, &mut self.drafts);
        let tapped = book_of(&input).filter(|_| self.ports.tap.is_some());
        self.tap_due = tapped.map(|book| (input.instrument, *book));
    }

    /// Emits the first draft; 0 when the tap, which goes first, has no room.
    fn emit_draft(&mut self) -> usize {
        if let (Some((instrument, body)), Some(tap)) = (self.tap_due, &mut self.ports.tap) {
            let (bids, asks) = self.levels.split_at(body.levels().0);
            if !tap.push(Tap { seq: self.seq + 1, instrument, body }, bids, asks) {
                return 0;
            }
            self.tap_due = None;
        }
        let (instrument, body) = self.drafts.pop().expect("the caller looked");
        self.emit(self.stamp, Some(instrument), body);
        1
    }

    /// Numbers an event, puts it on the lane, then on the ring, which has room.
    fn emit(&mut self, stamp: Stamp, instrument: Option<InstrumentId>, body: Body) {
        self.seq += 1;
        self.ts = self.ts.max(stamp.at);
        let event = Event {
            seq: self.seq,
            ts: self.ts,
            recv: stamp.recv.unwrap_or(self.ts),
            frame: stamp.frame,
            instrument,
            last: true,
            body,
        };
        self.lane.append(&Record::event(&event));
        self.lane.done(event.seq);
        self.counts[body.kind() as usize] += 1;
        let assumed = matches!(body, Body::Mark(Mark { origin: Origin::Assumed, .. }));
        self.assumed_marks += u64::from(assumed);
        assert!(self.ports.output.push(event).is_ok(), "a step begins with a look for room");
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
}

/// The book change in an input, if it is one.
fn book_of(input: &Input) -> Option<&BookInput> {
    if let InputBody::Book(book) = &input.body { Some(book) } else { None }
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
