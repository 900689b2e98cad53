//! The order book of one symbol: exact, best prices at hand, memory fixed at construction.
//!
//! ```text
//!  diff ─► sync (do the ids chain?) ─► sides ─► ladder: window near the touch + far levels
//!             └─► buffer, until a snapshot joins the stream
//! ```
//!
//! A book that missed a frame or is crossed is wrong in an unknown way, so it answers with a reason
//! instead of a touch until a snapshot has been joined to the stream again.

mod buffer;
mod config;
mod far;
mod grid;
mod ladder;
#[cfg(test)]
mod naive;
mod outcome;
mod sides;
mod sync;
#[cfg(test)]
mod tests;
mod window;

pub use config::BookConfig;
pub use outcome::{BookSide, BookStats, Invalid, Outcome, Touch};
pub use sync::SyncRule;

use crate::market::{DepthIds, Level};
use crate::units::{Px, QtySum};
use buffer::Buffer;
use sides::Sides;
use sync::Place;

/// What happens to frames that come before a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    /// They wait for it.
    On,
    /// They are lost, and later frames are applied without a look at their ids. This is the classic
    /// mistake; tests make it to prove that the crossed-book detector notices.
    OffForTests,
}

/// How far the book is with its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Frames go to the buffer until a snapshot comes.
    Waiting(Invalid),
    /// A snapshot is loaded and no frame has joined it yet. The buffer holds frames that lie before it:
    /// should the snapshot be a stray one with an id far too high, they speak for the next one.
    Loaded {
        why: Invalid,
        /// Where the stream stood when the snapshot replaced a synced book, moved on by the frames that
        /// followed; `None` when there was no synced book or a frame did not follow.
        chain_end: Option<i64>,
    },
    /// Valid.
    Synced,
}

/// What the book is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Complete views of the top levels, each replacing the one before; nothing has come so far, or
    /// only those.
    Partials,
    /// Snapshot and diffs.
    Diffs,
}

/// The order book of one symbol.
#[derive(Clone, Debug)]
pub struct Book {
    rule: SyncRule,
    buffering: Buffering,
    source: Source,
    state: State,
    /// `lastUpdateId` of the snapshot when loaded, `u` of the last frame when synced.
    last_id: i64,
    sides: Sides,
    buffer: Buffer,
    stats: BookStats,
}

impl Book {
    /// An empty book, invalid until synced. `tick` is a hint: any price is kept exactly.
    ///
    /// # Panics
    /// When `config` is not valid.
    #[must_use]
    pub fn new(rule: SyncRule, tick: Option<Px>, config: &BookConfig) -> Self {
        assert_eq!(config.validate(), Ok(()), "the configuration is checked at start");
        Self {
            rule,
            buffering: Buffering::On,
            source: Source::Partials,
            state: State::Waiting(Invalid::NoSnapshot),
            last_id: 0,
            sides: Sides::new(tick, config),
            buffer: Buffer::new(config.buffer_frames_max, config.buffer_levels_max),
            stats: BookStats::default(),
        }
    }

    /// The same book with another treatment of early frames.
    #[must_use]
    pub fn with_buffering(mut self, buffering: Buffering) -> Self {
        self.buffering = buffering;
        self
    }

    /// Takes a diff frame.
    pub fn on_diff(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> Outcome {
        let was = self.leave_partials();
        match self.state {
            State::Synced if self.is_next(ids) => self.apply(ids, bids, asks),
            State::Synced => {
                self.stats.gaps += 1;
                self.quarantine(Invalid::Gap, ids, bids, asks)
            }
            State::Loaded { why, chain_end } => {
                match self.rule.place_in_chain(self.last_id, chain_end, ids) {
                    Place::Before => {
                        let chain_end = self.rule.moved_end(chain_end, ids);
                        self.state = State::Loaded { why, chain_end };
                        self.keep(ids, bids, asks);
                        Outcome::Buffered
                    }
                    Place::Joins => {
                        self.stats.discarded += self.buffer.clear();
                        self.apply(ids, bids, asks)
                    }
                    Place::After => self.quarantine(Invalid::SnapshotTooOld, ids, bids, asks),
                }
            }
            State::Waiting(_) => {
                let outcome = self.wait(ids, bids, asks);
                self.since(was, outcome)
            }
        }
    }

    /// Takes a snapshot: loads it, unless it is of no use, and applies the frames that waited for it.
    ///
    /// While none has been joined to the stream a lower id is of use when the waiting frames speak for
    /// it: the first that it does not hold joins it, or it holds them all.
    pub fn on_snapshot(&mut self, last_id: i64, bids: &[Level], asks: &[Level]) -> Outcome {
        let was = self.leave_partials();
        let first = self.first_not_before(last_id);
        if !self.is_wanted(last_id, first) {
            self.stats.snapshots_ignored += 1;
            return Outcome::Ignored;
        }
        if first == Some(Place::After) {
            self.stats.snapshots_ignored += 1;
            return self.fail(Invalid::SnapshotTooOld);
        }
        let chain_end = self.chain_end();
        self.sides.load(bids, asks);
        self.last_id = last_id;
        self.stats.snapshots += 1;
        self.copy_side_stats();
        if self.sides.is_crossed() {
            self.stats.crossed += 1;
            return self.fail(Invalid::Crossed);
        }
        let loaded = self.expect_join(chain_end);
        let outcome = if first.is_some() { self.replay(last_id) } else { loaded };
        self.since(was, outcome)
    }

    /// Takes a complete view of the top levels, which replaces everything. Ignored once the book has
    /// seen a diff or a snapshot, because those know more.
    pub fn on_partial(&mut self, bids: &[Level], asks: &[Level]) -> Outcome {
        match self.source {
            Source::Diffs => Outcome::Ignored,
            Source::Partials => {
                self.sides.load(bids, asks);
                self.settle(self.last_id)
            }
        }
    }

    /// Makes the book invalid for a reason that its frames do not show. The chain is broken: waiting
    /// frames are dropped, and only a snapshot (or the next partial frame) heals it.
    pub fn invalidate(&mut self, why: Invalid) {
        self.stats.buffer_dropped += self.buffer.clear();
        self.fail(why);
    }

    /// Best bid and ask.
    ///
    /// # Errors
    /// Why the book must not be used.
    pub fn touch(&self) -> Result<Touch, Invalid> {
        self.state().map(|()| self.sides.touch())
    }

    /// Whether the book is valid.
    ///
    /// # Errors
    /// Why it must not be used.
    pub fn state(&self) -> Result<(), Invalid> {
        match self.state {
            State::Synced => Ok(()),
            State::Waiting(why) | State::Loaded { why, .. } => Err(why),
        }
    }

    /// The update that the book ends at, of meaning while it is valid; none for a book made of partial
    /// frames, which do not chain.
    #[must_use]
    pub fn last_id(&self) -> Option<i64> {
        match self.source {
            Source::Partials => None,
            Source::Diffs => Some(self.last_id),
        }
    }

    /// Number of bids and of asks held, even while invalid.
    #[must_use]
    pub fn levels(&self) -> (u32, u32) {
        self.sides.len()
    }

    /// The best `n` levels of a side, best first; also while invalid, so look at `state` first.
    pub fn top(&self, side: BookSide, n: usize) -> impl Iterator<Item = Level> {
        self.sides.iter(side).take(n)
    }

    /// Quantity of the best `levels_max` levels of a side as far as each of some limits, which go away
    /// from the touch and belong to what they limit. Also while invalid, as `top`.
    ///
    /// It takes a step for every 64 ticks, however many levels there are. Only where there are more ticks
    /// than `levels_max` within the last limit, the levels have to be counted.
    #[must_use]
    pub fn depth<const N: usize>(
        &self,
        side: BookSide,
        limits: [Px; N],
        levels_max: usize,
    ) -> [QtySum; N] {
        self.sides.depth(side, limits, levels_max).map(QtySum)
    }

    /// Counters since construction.
    #[must_use]
    pub fn stats(&self) -> &BookStats {
        &self.stats
    }

    /// True when a frame may be applied to the synced book.
    fn is_next(&self, ids: DepthIds) -> bool {
        match self.buffering {
            Buffering::On => self.rule.follows(self.last_id, ids),
            Buffering::OffForTests => true,
        }
    }

    /// The first diff or snapshot ends the time of partial frames; a book made from them has no ids
    /// to chain to, so it becomes invalid. Returns the state before.
    fn leave_partials(&mut self) -> State {
        let was = self.state;
        if self.source == Source::Partials {
            self.source = Source::Diffs;
            if was == State::Synced {
                self.fail(Invalid::NoSnapshot);
            }
        }
        was
    }

    /// The outcome, unless a book that was valid has become invalid, which is the greater news.
    fn since(&self, was: State, outcome: Outcome) -> Outcome {
        match self.state() {
            Err(why) if was == State::Synced => Outcome::Invalidated(why),
            Ok(()) | Err(_) => outcome,
        }
    }

    fn apply(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> Outcome {
        self.sides.apply(bids, asks);
        let outcome = self.settle(ids.last);
        if outcome == Outcome::Invalidated(Invalid::Crossed) {
            // A snapshot that ends inside this frame still needs it to join the stream.
            self.keep(ids, bids, asks);
        }
        outcome
    }

    /// Judges the sides after a whole frame that ended at `last_id`.
    fn settle(&mut self, last_id: i64) -> Outcome {
        self.copy_side_stats();
        if self.sides.is_crossed() {
            self.stats.crossed += 1;
            return self.fail(Invalid::Crossed);
        }
        self.last_id = last_id;
        self.stats.applied += 1;
        match std::mem::replace(&mut self.state, State::Synced) {
            State::Synced => Outcome::Applied,
            State::Waiting(_) | State::Loaded { .. } => Outcome::Synced,
        }
    }

    /// Where the first waiting frame that a snapshot does not hold lies; `None` when it holds them all.
    fn first_not_before(&self, last_id: i64) -> Option<Place> {
        let mut places = self.buffer.ids().map(|ids| self.rule.place(last_id, ids));
        places.find(|place| *place != Place::Before)
    }

    /// True unless the book has something better than the snapshot. One that no frame has joined must
    /// not be kept for its higher id alone: were the id of another numbering, it would stay for ever.
    fn is_wanted(&self, last_id: i64, first: Option<Place>) -> bool {
        match self.state {
            State::Waiting(_) => true,
            State::Loaded { .. } if last_id < self.last_id => match first {
                Some(place) => place == Place::Joins,
                None => self.buffer.front().is_some(),
            },
            State::Loaded { .. } | State::Synced => last_id > self.last_id,
        }
    }

    /// Where the stream is known to stand. A loaded snapshot holds it: it is newer than the synced book
    /// was, and a lower one only stays without a joint when it holds all that waits, the end included.
    fn chain_end(&self) -> Option<i64> {
        match self.state {
            State::Synced => Some(self.last_id),
            State::Loaded { chain_end, .. } => chain_end,
            State::Waiting(_) => None,
        }
    }

    /// A snapshot was loaded: without buffering that is all, otherwise a frame has to join it.
    fn expect_join(&mut self, chain_end: Option<i64>) -> Outcome {
        if self.buffering == Buffering::OffForTests {
            self.state = State::Synced;
            return Outcome::Synced;
        }
        let why = self.state().err().unwrap_or(Invalid::Stale);
        self.fail(why);
        self.state = State::Loaded { why, chain_end };
        Outcome::Buffered
    }

    /// Applies the waiting frames that the snapshot does not hold, the first of which joins it.
    fn replay(&mut self, last_id: i64) -> Outcome {
        self.discard_before(last_id);
        while let Some(ids) = self.buffer.front() {
            if self.state == State::Synced && !self.is_next(ids) {
                self.stats.gaps += 1;
                return self.fail(Invalid::Gap);
            }
            let (bids, asks) = self.buffer.front_levels();
            bids.into_iter().for_each(|bids| self.sides.apply_side(BookSide::Bid, bids));
            asks.into_iter().for_each(|asks| self.sides.apply_side(BookSide::Ask, asks));
            if self.settle(ids.last) == Outcome::Invalidated(Invalid::Crossed) {
                return Outcome::Invalidated(Invalid::Crossed);
            }
            self.buffer.pop_front();
        }
        Outcome::Synced
    }

    fn discard_before(&mut self, last_id: i64) {
        while self.buffer.front().is_some_and(|ids| self.rule.place(last_id, ids) == Place::Before)
        {
            self.buffer.pop_front();
            self.stats.discarded += 1;
        }
    }

    /// Makes the book invalid and starts waiting with the frame that showed it.
    #[cold]
    fn quarantine(
        &mut self,
        why: Invalid,
        ids: DepthIds,
        bids: &[Level],
        asks: &[Level],
    ) -> Outcome {
        self.keep(ids, bids, asks);
        self.fail(why)
    }

    /// A frame that comes while there is no snapshot.
    fn wait(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> Outcome {
        match self.buffering {
            Buffering::OffForTests => {
                self.stats.discarded += 1;
                Outcome::Discarded
            }
            Buffering::On => {
                let dropped = self.keep(ids, bids, asks);
                if dropped && self.state != State::Waiting(Invalid::BufferOverflow) {
                    return self.fail(Invalid::BufferOverflow);
                }
                Outcome::Buffered
            }
        }
    }

    /// Puts a frame into the buffer; true when that cost one.
    fn keep(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> bool {
        if self.buffering == Buffering::OffForTests {
            return false;
        }
        let dropped = self.buffer.push(ids, bids, asks);
        self.stats.buffered += 1;
        self.stats.buffer_dropped += dropped;
        dropped > 0
    }

    fn fail(&mut self, why: Invalid) -> Outcome {
        if self.state == State::Synced {
            self.stats.invalidated += 1;
        }
        self.state = State::Waiting(why);
        Outcome::Invalidated(why)
    }

    fn copy_side_stats(&mut self) {
        self.stats.levels_dropped = self.sides.dropped();
        self.stats.regrids = self.sides.regrids();
    }
}
