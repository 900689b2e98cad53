//! The fold of frames once more, beside the events that were recorded of it.
//!
//! What is fed in (reports, commands, kill levels) is taken from the recording: at equal times its place
//! among frames depended on threads. Everything else must come out as it was recorded. That is exact,
//! because the sequencer emits nothing that lies behind the next frame and, at equal times, a tick before
//! a frame and a frame before a gap. What is fed in is never later than the next of these, so that it does
//! not move their times; and a frame that lies strictly before it was certainly taken before it.

use std::fmt;

use crate::book::BookConfig;
use crate::event::{Body, Event, EventKind};
use crate::instrument::Universe;
use crate::message::{Input, Tap};
use crate::ring::{LevelsConsumer, LevelsProducer};
use crate::sequencer::SequencerConfig;
use crate::sequencer::fold::{Cause, Fold, Turn};
use crate::units::Nanos;

/// Folds recorded frames again and compares what they give with the recorded events.
#[derive(Debug)]
pub struct Refold {
    fold: Fold,
    input_ended: bool,
    counts: [u64; EventKind::ALL.len()],
    inputs: u64,
}

/// How far a check came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refolded {
    /// It needs an input that is not on the ring yet: feed one and check the same again.
    NeedsInput,
    /// All is as recorded so far.
    Done,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its input: every frame was taken, and all that it gave was sequenced.
    Ended,
    /// In order, before its input did: frames may be left that were never taken.
    Stopped,
    /// Anywhere: what is missing at the end says nothing.
    Cut,
}

/// The first event that does not come out as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The number that an event has in this place.
    pub seq: u64,
    /// What the frames give; none when they give nothing more.
    pub regenerated: Option<Event>,
    /// What was recorded; none behind the last event.
    pub recorded: Option<Event>,
}

impl Refold {
    /// A fold that has seen nothing. `config` and `books` are those of the recorded run, `input` and `tap`
    /// as in `Ports`: a tap when a venue is to be run again.
    ///
    /// # Panics
    /// When `config` is not valid, or the tap has less room than one input or one gap takes.
    #[must_use]
    pub fn new(
        config: &SequencerConfig,
        universe: &Universe,
        books: &BookConfig,
        input: LevelsConsumer<Input>,
        tap: Option<LevelsProducer<Tap>>,
    ) -> Self {
        let fold = Fold::new(config, universe, books, input, tap);
        Self { fold, input_ended: false, counts: [0; EventKind::ALL.len()], inputs: 0 }
    }

    /// No input follows those on the ring.
    pub fn end_input(&mut self) {
        self.input_ended = true;
    }

    /// Events found as recorded, by kind. Of what is fed in only number, times and place were compared.
    #[must_use]
    pub fn counts(&self) -> &[u64; EventKind::ALL.len()] {
        &self.counts
    }

    /// Inputs folded so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Compares the next recorded event. When it is done, its book change is on the tap.
    ///
    /// # Errors
    /// Something else comes out. What this says after that has no meaning.
    ///
    /// # Panics
    /// When the tap still holds changes of earlier events: each event is driven to its end before the next.
    pub fn check(&mut self, recorded: &Event) -> Result<Refolded, Box<Mismatch>> {
        if self.fold.has_drafts() && matches!(recorded.body, Body::KillLevel(_)) {
            // Nothing else comes between the events of a frame or tick.
            return self.accept(self.fold.ts(), recorded);
        }
        let before = is_fed_in(&recorded.body).then_some(recorded.ts);
        // A run that was stopped between two frames has told of the time behind the last one.
        let horizon = self.input_ended.then(|| Nanos(recorded.ts.0.saturating_add(1)));
        match self.next(before, horizon) {
            Next::Starved => self.starved(Some(recorded)),
            Next::Later => self.accept(recorded.ts, recorded),
            Next::Event(event) => self.compare(&event, Some(recorded)),
        }
    }

    /// Looks for what was not recorded, behind the last recorded event.
    ///
    /// # Errors
    /// An event that is missing at the end.
    pub fn finish(&mut self, ending: Ending) -> Result<Refolded, Box<Mismatch>> {
        let complete = match ending {
            Ending::Ended => true,
            Ending::Stopped => self.fold.has_drafts(),
            Ending::Cut => false,
        };
        match if complete { self.next(None, None) } else { Next::Later } {
            Next::Starved => self.starved(None),
            Next::Later => Ok(Refolded::Done),
            Next::Event(event) => self.compare(&event, None),
        }
    }

    /// What the frames give next, if it lies before this time. Once there are no more of them, and only then,
    /// time may have gone on up to `horizon`.
    fn next(&mut self, before: Option<Nanos>, horizon: Option<Nanos>) -> Next {
        const DRIVEN: &str =
            "each event is driven to its end before the next, which empties the tap";
        while !self.fold.has_drafts() {
            let Some((at, turn)) = self.fold.next(horizon) else { return Next::Starved };
            if before.is_some_and(|before| before <= at) {
                return Next::Later;
            }
            match turn {
                Turn::Tick => return Next::Event(self.fold.take_tick(at).event(Body::Tick)),
                Turn::Gap => {
                    let head = self.fold.take_gap(at).expect(DRIVEN);
                    return Next::Event(head.event(Body::Gap));
                }
                Turn::Frame => {
                    self.fold.take_frame();
                    self.inputs += 1;
                }
                Turn::Unknown => return Next::Starved,
            }
        }
        let draft = self.fold.take_draft(|head, body| head.event(*body));
        Next::Event(draft.expect(DRIVEN))
    }

    /// Takes what was fed in as it was recorded.
    fn accept(&mut self, at: Nanos, recorded: &Event) -> Result<Refolded, Box<Mismatch>> {
        let event = self.fold.head(Cause::at(at), recorded.instrument).event(recorded.body);
        self.compare(&event, Some(recorded))
    }

    fn compare(
        &mut self,
        regenerated: &Event,
        recorded: Option<&Event>,
    ) -> Result<Refolded, Box<Mismatch>> {
        // `last` says how stages split their work and is not recorded.
        let same = |recorded: &Event| Event { last: recorded.last, ..*regenerated } == *recorded;
        if recorded.is_some_and(same) {
            self.counts[regenerated.body.kind() as usize] += 1;
            return Ok(Refolded::Done);
        }
        Err(Box::new(Mismatch {
            seq: regenerated.seq,
            regenerated: Some(*regenerated),
            recorded: recorded.copied(),
        }))
    }

    /// The next input is not there: a mismatch when it never comes and an event was recorded.
    fn starved(&self, recorded: Option<&Event>) -> Result<Refolded, Box<Mismatch>> {
        match (self.input_ended, recorded) {
            (false, _) => Ok(Refolded::NeedsInput),
            (true, None) => Ok(Refolded::Done),
            (true, Some(recorded)) => Err(Box::new(Mismatch {
                seq: self.fold.seq() + 1,
                regenerated: None,
                recorded: Some(*recorded),
            })),
        }
    }
}

/// What the frames give next.
enum Next {
    /// Nothing is known before the next input.
    Starved,
    /// Nothing before the time that was asked for.
    Later,
    Event(Event),
}

/// True for what comes from commands or the far end and not from frames.
fn is_fed_in(body: &Body) -> bool {
    match body {
        Body::Touch(_)
        | Body::Depth(_)
        | Body::Levels(_)
        | Body::Trade(_)
        | Body::Mark(_)
        | Body::Liquidation(_)
        | Body::Funding(_)
        | Body::OpenInterest(_)
        | Body::DepthBand(_)
        | Body::Bar(_)
        | Body::BookInvalid(_)
        | Body::Tick
        | Body::Gap => false,
        Body::Wake
        | Body::Report(_)
        | Body::Status(_)
        | Body::Rejected(_)
        | Body::Control(_)
        | Body::KillLevel(_)
        | Body::Account(_) => true,
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match (&self.regenerated, &self.recorded) {
            (Some(regenerated), Some(recorded)) => {
                write!(
                    f,
                    "event {seq} comes out as {regenerated:?} and was recorded as {recorded:?}"
                )
            }
            (Some(regenerated), None) => {
                write!(f, "event {seq} comes out as {regenerated:?} and was not recorded")
            }
            (None, Some(recorded)) => {
                write!(f, "event {seq} was recorded as {recorded:?} and its frames are missing")
            }
            (None, None) => write!(f, "event {seq} does not come out as it was recorded"),
        }
    }
}

impl std::error::Error for Mismatch {}
