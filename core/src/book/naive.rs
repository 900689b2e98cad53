//! The test oracle: the rules of a book written as plainly as possible, on two sorted maps.
//!
//! `NaiveBook` must answer exactly as `Book` does, whatever comes in; it shares only the vocabulary with
//! it. It allocates, copies frames and is slow. The one counter that it does not keep is `regrids`,
//! because it has no grid.

use std::collections::{BTreeMap, VecDeque};

use super::{BookConfig, BookSide, BookStats, Buffering, Invalid, Outcome, SyncRule, Touch};
use crate::market::{DepthIds, Level};
use crate::units::{Px, Qty};

#[derive(Clone, Debug)]
struct Frame {
    ids: DepthIds,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// The plain twin of `Book`.
#[derive(Clone, Debug)]
pub(super) struct NaiveBook {
    rule: SyncRule,
    config: BookConfig,
    ids_checked: bool,
    bids: BTreeMap<Px, Qty>,
    asks: BTreeMap<Px, Qty>,
    waiting: VecDeque<Frame>,
    /// `None` when valid.
    invalid: Option<Invalid>,
    /// `lastUpdateId` of a snapshot that no frame has joined yet.
    unjoined: Option<i64>,
    /// `u` of the last frame of an unbroken stream: the last one that was applied before that snapshot,
    /// or has been put aside since.
    reached: Option<i64>,
    /// `u` of the last frame applied.
    last: i64,
    partials_only: bool,
    stats: BookStats,
}

impl NaiveBook {
    /// An empty book. There is no tick, because every price is kept as it is.
    pub(super) fn new(rule: SyncRule, config: &BookConfig) -> Self {
        Self {
            rule,
            config: *config,
            ids_checked: true,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            waiting: VecDeque::new(),
            invalid: Some(Invalid::NoSnapshot),
            unjoined: None,
            reached: None,
            last: 0,
            partials_only: true,
            stats: BookStats::default(),
        }
    }

    /// See `Book::with_buffering`.
    pub(super) fn with_buffering(mut self, buffering: Buffering) -> Self {
        self.ids_checked = buffering == Buffering::On;
        self
    }

    /// See `Book::on_diff`.
    pub(super) fn on_diff(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> Outcome {
        let before = self.invalid;
        let frame = Frame { ids, bids: bids.to_vec(), asks: asks.to_vec() };
        self.end_partials();
        if let Some(last_id) = self.unjoined {
            let unbroken = self.reached.is_some_and(|reached| self.is_chained_to(reached, ids));
            if self.is_before(last_id, ids) {
                self.reached = if unbroken { Some(ids.last) } else { None };
                self.hold(frame);
                return Outcome::Buffered;
            }
            if self.is_after(last_id, ids) && !unbroken {
                self.hold(frame);
                return self.fail(Invalid::SnapshotTooOld);
            }
            self.drop_before(last_id);
            return self.apply_or_hold(frame, Outcome::Synced);
        }
        if self.invalid.is_none() {
            if self.ids_checked && !self.is_chained_to(self.last, ids) {
                self.stats.gaps += 1;
                self.hold(frame);
                return self.fail(Invalid::Gap);
            }
            return self.apply_or_hold(frame, Outcome::Applied);
        }
        if !self.ids_checked {
            self.stats.discarded += 1;
            return self.news(before, Outcome::Discarded);
        }
        if self.hold(frame) && self.invalid != Some(Invalid::BufferOverflow) {
            return self.fail(Invalid::BufferOverflow);
        }
        self.news(before, Outcome::Buffered)
    }

    /// See `Book::on_snapshot`.
    pub(super) fn on_snapshot(&mut self, last_id: i64, bids: &[Level], asks: &[Level]) -> Outcome {
        let before = self.invalid;
        self.end_partials();
        let mut waiting = self.waiting.iter().map(|frame| frame.ids);
        let first = waiting.find(|ids| !self.is_before(last_id, *ids));
        let late = first.is_some_and(|ids| self.is_after(last_id, ids));
        let supported = !self.waiting.is_empty() && !late;
        let wanted = match self.unjoined {
            Some(loaded) => last_id > loaded || (last_id < loaded && supported),
            None => self.invalid.is_some() || last_id > self.last,
        };
        if !wanted {
            self.stats.snapshots_ignored += 1;
            return Outcome::Ignored;
        }
        if late {
            self.stats.snapshots_ignored += 1;
            return self.fail(Invalid::SnapshotTooOld);
        }
        self.replace(bids, asks);
        self.stats.snapshots += 1;
        if self.crossed() {
            return self.fail(Invalid::Crossed);
        }
        if !self.ids_checked {
            self.invalid = None;
            self.last = last_id;
            return Outcome::Synced;
        }
        if self.invalid.is_none() {
            self.fail(Invalid::Stale);
            self.reached = Some(self.last);
        }
        self.unjoined = Some(last_id);
        let mut outcome = Outcome::Buffered;
        if first.is_some() {
            self.drop_before(last_id);
            outcome = self.apply_waiting();
        }
        self.news(before, outcome)
    }

    /// See `Book::on_partial`.
    pub(super) fn on_partial(&mut self, bids: &[Level], asks: &[Level]) -> Outcome {
        if !self.partials_only {
            return Outcome::Ignored;
        }
        self.replace(bids, asks);
        if self.crossed() {
            return self.fail(Invalid::Crossed);
        }
        self.stats.applied += 1;
        match self.invalid.take() {
            None => Outcome::Applied,
            Some(_) => Outcome::Synced,
        }
    }

    /// See `Book::invalidate`.
    pub(super) fn invalidate(&mut self, why: Invalid) {
        self.stats.buffer_dropped += self.waiting.len() as u64;
        self.waiting.clear();
        self.fail(why);
    }

    /// See `Book::touch`.
    pub(super) fn touch(&self) -> Result<Touch, Invalid> {
        self.state()?;
        Ok(Touch { bid: self.top(BookSide::Bid, 1).next(), ask: self.top(BookSide::Ask, 1).next() })
    }

    /// See `Book::state`.
    pub(super) fn state(&self) -> Result<(), Invalid> {
        self.invalid.map_or(Ok(()), Err)
    }

    /// See `Book::levels`.
    pub(super) fn levels(&self) -> (u32, u32) {
        // The limits of the configuration are far below 2^32.
        (self.bids.len() as u32, self.asks.len() as u32)
    }

    /// See `Book::top`.
    pub(super) fn top(&self, side: BookSide, n: usize) -> impl Iterator<Item = Level> {
        let (bids, asks) = match side {
            BookSide::Bid => (Some(self.bids.iter().rev()), None),
            BookSide::Ask => (None, Some(self.asks.iter())),
        };
        let levels = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        levels.take(n).map(|(price, qty)| Level { price: *price, qty: *qty })
    }

    /// Counters since construction; `regrids` stays zero.
    pub(super) fn stats(&self) -> &BookStats {
        &self.stats
    }

    /// The snapshot holds the frame already.
    fn is_before(&self, last_id: i64, ids: DepthIds) -> bool {
        match self.rule {
            SyncRule::Futures => ids.last < last_id,
            SyncRule::Spot => ids.last <= last_id,
        }
    }

    /// Something between the snapshot and the frame is missing.
    fn is_after(&self, last_id: i64, ids: DepthIds) -> bool {
        match self.rule {
            SyncRule::Futures => ids.first > last_id,
            SyncRule::Spot => i128::from(ids.first) > i128::from(last_id) + 1,
        }
    }

    fn is_chained_to(&self, last: i64, ids: DepthIds) -> bool {
        match self.rule {
            SyncRule::Futures => ids.prev == Some(last),
            SyncRule::Spot => i128::from(ids.first) == i128::from(last) + 1,
        }
    }

    /// Drops the oldest waiting frames as far as the snapshot holds them.
    fn drop_before(&mut self, last_id: i64) {
        while self.waiting.front().is_some_and(|frame| self.is_before(last_id, frame.ids)) {
            self.waiting.pop_front();
            self.stats.discarded += 1;
        }
    }

    fn end_partials(&mut self) {
        if self.partials_only && self.invalid.is_none() {
            self.fail(Invalid::NoSnapshot);
        }
        self.partials_only = false;
    }

    fn apply_waiting(&mut self) -> Outcome {
        let mut outcome = Outcome::Buffered;
        while let Some(frame) = self.waiting.pop_front() {
            if self.unjoined.is_none() && !self.is_chained_to(self.last, frame.ids) {
                self.stats.gaps += 1;
                self.waiting.push_front(frame);
                return self.fail(Invalid::Gap);
            }
            outcome = self.apply(&frame, Outcome::Synced);
            if outcome != Outcome::Synced {
                self.waiting.push_front(frame);
                return outcome;
            }
        }
        outcome
    }

    fn apply_or_hold(&mut self, frame: Frame, good: Outcome) -> Outcome {
        let outcome = self.apply(&frame, good);
        if outcome != good && self.ids_checked {
            self.hold(frame);
        }
        outcome
    }

    fn apply(&mut self, frame: &Frame, good: Outcome) -> Outcome {
        self.set_all(&frame.bids, &frame.asks);
        if self.crossed() {
            return self.fail(Invalid::Crossed);
        }
        self.last = frame.ids.last;
        self.unjoined = None;
        self.invalid = None;
        self.stats.applied += 1;
        good
    }

    fn replace(&mut self, bids: &[Level], asks: &[Level]) {
        self.bids.clear();
        self.asks.clear();
        self.set_all(bids, asks);
    }

    fn set_all(&mut self, bids: &[Level], asks: &[Level]) {
        let limit = (self.config.window_ticks + self.config.far_levels_max) as usize;
        for level in bids {
            set(&mut self.bids, level);
            if self.bids.len() > limit {
                self.bids.pop_first();
                self.stats.levels_dropped += 1;
            }
        }
        for level in asks {
            set(&mut self.asks, level);
            if self.asks.len() > limit {
                self.asks.pop_last();
                self.stats.levels_dropped += 1;
            }
        }
    }

    fn crossed(&mut self) -> bool {
        let (bid, ask) = (self.bids.last_key_value(), self.asks.first_key_value());
        let crossed = bid.zip(ask).is_some_and(|(bid, ask)| bid.0 >= ask.0);
        self.stats.crossed += u64::from(crossed);
        crossed
    }

    /// Keeps a frame for a later snapshot; true when that cost one.
    fn hold(&mut self, frame: Frame) -> bool {
        if !self.ids_checked {
            return false;
        }
        self.stats.buffered += 1;
        self.waiting.push_back(frame);
        let dropped_before = self.stats.buffer_dropped;
        while self.is_buffer_over() {
            self.waiting.pop_front();
            self.stats.buffer_dropped += 1;
        }
        self.stats.buffer_dropped > dropped_before
    }

    fn is_buffer_over(&self) -> bool {
        let levels: usize = self.waiting.iter().map(|f| f.bids.len() + f.asks.len()).sum();
        self.waiting.len() > self.config.buffer_frames_max as usize
            || levels > self.config.buffer_levels_max as usize
    }

    fn fail(&mut self, why: Invalid) -> Outcome {
        if self.invalid.is_none() {
            self.stats.invalidated += 1;
        }
        self.invalid = Some(why);
        self.unjoined = None;
        self.reached = None;
        Outcome::Invalidated(why)
    }

    /// The outcome, unless the book was valid `before` and is not any more.
    fn news(&self, before: Option<Invalid>, outcome: Outcome) -> Outcome {
        match (before, self.invalid) {
            (None, Some(why)) => Outcome::Invalidated(why),
            (None | Some(_), None) | (Some(_), Some(_)) => outcome,
        }
    }
}

fn set(side: &mut BTreeMap<Px, Qty>, level: &Level) {
    if level.price <= Px::ZERO || level.qty < Qty::ZERO {
        return;
    }
    if level.qty == Qty::ZERO {
        side.remove(&level.price);
    } else {
        side.insert(level.price, level.qty);
    }
}
