//! From frames to events of the market: what the stage and a refold do alike.
//!
//! Ticks and gaps are a function of the frames: nothing is sequenced that lies behind the next frame, and
//! what is fed in between changes neither when they are due nor what they say.

use crate::assumed::DataSeen;
use crate::book::{BookConfig, Invalid};
use crate::books::Books;
use crate::event::{Body, Event};
use crate::instrument::{InstrumentId, Universe};
use crate::latency::Stamp;
use crate::market::Level;
use crate::message::{BookInput, Input, InputBody, Tap};
use crate::ring::{LevelsConsumer, LevelsProducer};
use crate::sequencer::SequencerConfig;
use crate::sequencer::clock::Clock;
use crate::sequencer::drafts::Drafts;
use crate::sequencer::market::MarketFold;
use crate::units::Nanos;

/// The fold of all frames so far, and the number and time of the last event.
#[derive(Debug)]
pub(super) struct Fold {
    input: LevelsConsumer<Input>,
    tap: Option<LevelsProducer<Tap>>,
    instruments: usize,
    clock: Clock,
    market: MarketFold,
    /// What is left of the current input or tick, and where it comes from.
    drafts: Drafts,
    cause: Cause,
    /// The book change that goes to the tap before the first draft.
    tap_due: Option<(InstrumentId, BookInput)>,
    /// The levels of the current input.
    levels: Vec<Level>,
    seq: u64,
    ts: Nanos,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    at: Nanos,
    /// Receive time of its frame.
    recv: Option<Nanos>,
    frame: u64,
    /// Of its frame, as measured.
    stamp: Stamp,
}

impl Cause {
    /// Of something that is no frame.
    pub(super) const fn at(at: Nanos) -> Self {
        Self { at, recv: None, frame: 0, stamp: Stamp { taken: 0, passed: 0 } }
    }
}

/// An event but for what happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    seq: u64,
    ts: Nanos,
    cause: Cause,
    instrument: Option<InstrumentId>,
}

impl Head {
    /// The event to which this happened.
    pub(super) fn event(&self, body: Body) -> Event {
        let Self { seq, ts, cause, instrument } = *self;
        let Cause { recv, frame, stamp, .. } = cause;
        let recv = recv.unwrap_or(ts);
        Event { seq, ts, recv, frame, instrument, last: true, stamp, body }
    }
}

/// What moves the market on. The order is that at equal times.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    Tick,
    Frame,
    /// A frame that may come: nothing behind it is known yet.
    Unknown,
    Gap,
}

impl Fold {
    /// A fold that has seen nothing. All memory is taken here.
    ///
    /// # Panics
    /// When `config` is not valid, or the tap has less room than one input or one gap takes.
    pub(super) fn new(
        config: &SequencerConfig,
        universe: &Universe,
        books: &BookConfig,
        input: LevelsConsumer<Input>,
        tap: Option<LevelsProducer<Tap>>,
    ) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration is checked at start");
        let levels_max = input.levels_max();
        if let Some(tap) = &tap {
            assert!(tap.levels_max() >= levels_max, "the tap takes every book input whole");
            assert!(
                tap.heads_max() >= universe.len(),
                "a gap puts every symbol on the tap at once"
            );
        }
        Self {
            input,
            tap,
            instruments: universe.len(),
            clock: Clock::new(config.tick, config.gap_max),
            market: MarketFold::new(config, universe, books),
            drafts: Drafts::new(MarketFold::drafts_max(universe)),
            cause: Cause::at(Nanos(0)),
            tap_due: None,
            levels: Vec::with_capacity(levels_max),
            seq: 0,
            ts: Nanos(0),
        }
    }

    /// Number of the last event.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Logical time.
    pub(super) fn ts(&self) -> Nanos {
        self.ts
    }

    /// The books as folded so far.
    pub(super) fn books(&self) -> &Books {
        self.market.books()
    }

    /// What data a symbol has so far, and what was assumed of it.
    pub(super) fn data(&self, id: InstrumentId) -> DataSeen {
        self.market.data(id)
    }

    /// True when an input waits.
    pub(super) fn has_input(&self) -> bool {
        self.input.peek().is_some()
    }

    /// True while events of the current input or tick are left.
    pub(super) fn has_drafts(&self) -> bool {
        !self.drafts.is_empty()
    }

    /// What is next and when. The next frame bounds everything else; while it is not known, so does
    /// `horizon`, before which no frame comes any more. None without either.
    pub(super) fn next(&self, horizon: Option<Nanos>) -> Option<(Nanos, Turn)> {
        let (bound, turn) = match (self.input.peek(), horizon) {
            (Some(frame), _) => (frame.recv, Turn::Frame),
            (None, Some(horizon)) => (horizon, Turn::Unknown),
            (None, None) => return None,
        };
        // Time does not fall, so that everything late is due now. A frame may still come at the horizon itself: a
        // tick goes before it and a gap behind.
        let mut next = (bound.max(self.ts), turn);
        if let Some(tick) = self.clock.tick().map(|tick| tick.max(self.ts))
            && tick <= next.0
        {
            next = (tick, Turn::Tick);
        }
        if let Some(gap) = self.clock.gap().map(|gap| gap.max(self.ts))
            && gap < next.0
        {
            next = (gap, Turn::Gap);
        }
        Some(next)
    }

    /// Folds the input that waits: its drafts follow.
    pub(super) fn take_frame(&mut self) {
        let levels_of = |input: &Input| {
            let (bids, asks) = book_of(input).map_or((0, 0), BookInput::levels);
            bids + asks
        };
        let Self { input, tap, clock, market, drafts, cause, tap_due, levels, ts, .. } = self;
        let folded = input.pop_with(levels_of, levels, |input, levels| {
            *ts = (*ts).max(input.recv);
            let (recv, stamp) = (Some(input.recv), input.stamp);
            *cause = Cause { at: *ts, recv, frame: input.frame, stamp };
            clock.on_frame(*ts);
            market.fold(input, levels, *ts, drafts);
            let tapped = book_of(input).filter(|_| tap.is_some());
            *tap_due = tapped.map(|book| (input.instrument, *book));
        });
        folded.expect("it was chosen because it is there");
    }

    /// The tick at `at`: its drafts follow it.
    pub(super) fn take_tick(&mut self, at: Nanos) -> Head {
        self.clock.on_tick();
        self.cause = Cause::at(at);
        self.market.on_tick(at, &mut self.drafts);
        self.head(self.cause, None)
    }

    /// The gap at `at`; none, and nothing done, while the tap is not empty. The books fall on the tap too,
    /// all with the number of the gap, so the tap must take them at once.
    pub(super) fn take_gap(&mut self, at: Nanos) -> Option<Head> {
        if let Some(tap) = &mut self.tap {
            if !tap.is_empty() {
                return None;
            }
            let stale = BookInput::Invalidate(Invalid::Stale);
            for instrument in (0..).map(InstrumentId).take(self.instruments) {
                let tapped = Tap { seq: self.seq + 1, instrument, body: stale };
                assert!(tap.push(tapped, &[], &[]), "an empty tap has room for every symbol");
            }
        }
        self.clock.on_gap();
        self.market.on_gap();
        Some(self.head(Cause::at(at), None))
    }

    /// Shows the first draft with the head of its event; none, and nothing done, while the tap, which goes
    /// first, has no room.
    ///
    /// # Panics
    /// When there is no draft.
    pub(super) fn take_draft<R>(&mut self, show: impl FnOnce(&Head, &Body) -> R) -> Option<R> {
        if let (Some((instrument, body)), Some(tap)) = (self.tap_due, &mut self.tap) {
            let (bids, asks) = self.levels.split_at(body.levels().0);
            if !tap.push(Tap { seq: self.seq + 1, instrument, body }, bids, asks) {
                return None;
            }
            self.tap_due = None;
        }
        self.seq += 1;
        self.ts = self.ts.max(self.cause.at);
        let Self { drafts, cause, seq, ts, .. } = self;
        let (instrument, body) = drafts.take().expect("who takes a draft looked for one");
        let (seq, ts, cause, instrument) = (*seq, *ts, *cause, Some(*instrument));
        Some(show(&Head { seq, ts, cause, instrument }, body))
    }

    /// Numbers an event that comes from elsewhere and gives it its time.
    pub(super) fn head(&mut self, cause: Cause, instrument: Option<InstrumentId>) -> Head {
        self.seq += 1;
        self.ts = self.ts.max(cause.at);
        Head { seq: self.seq, ts: self.ts, cause, instrument }
    }
}

/// The book change in an input, if it is one.
fn book_of(input: &Input) -> Option<&BookInput> {
    if let InputBody::Book(book) = &input.body { Some(book) } else { None }
}
