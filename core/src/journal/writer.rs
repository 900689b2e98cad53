//! The writing end of one lane. No lock, no system call and no allocation lies on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;

use super::control::{Control, Done, FIRST_TURN};
use super::error::{Stop, Stopped};
use super::keeper::LastSegment;
use super::layout::{Start, TRAILER_BYTES, record_length};
use super::open::Lock;
use super::repeat::Repeat;
use super::segment::Segment;
use crate::lane::Lane;

/// Whether a journal still takes records. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    pub(super) stop: Stop,
    /// By lane: it waits for its next segment.
    starved: Arc<[AtomicBool; Lane::ALL.len()]>,
}

impl Watch {
    pub(super) fn new(stop: Stop) -> Self {
        Self { stop, starved: Arc::default() }
    }

    /// Why nothing more is taken.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stopped> {
        self.stop.get()
    }

    /// True while a lane waits for its next segment.
    #[must_use]
    pub fn is_starved(&self) -> bool {
        // Only a hint to come again: nothing else is read on its word.
        self.starved.iter().any(|lane| lane.load(Ordering::Relaxed))
    }

    fn set_starved(&self, lane: Lane, starved: bool) {
        self.starved[lane as usize].store(starved, Ordering::Relaxed);
    }
}

/// What a lane and the keeper hand each other.
#[derive(Clone, Debug)]
pub(super) struct Handover {
    /// The next segment, ready for use.
    pub(super) prepared: Arc<ArrayQueue<Segment>>,
    /// Full segments, to be synced and unmapped.
    pub(super) retired: Arc<ArrayQueue<Segment>>,
}

impl Handover {
    pub(super) fn new() -> Self {
        Self { prepared: Arc::new(ArrayQueue::new(1)), retired: Arc::new(ArrayQueue::new(4)) }
    }
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tip {
    /// Records of the lane.
    pub(super) records: u64,
    /// Checksum of the last of them.
    pub(super) crc: u32,
    /// The last event that was wholly handled.
    pub(super) done: u64,
}

/// The writing end of one lane.
#[derive(Debug)]
pub struct Appender {
    lane: Lane,
    segment: Segment,
    handover: Handover,
    control: Arc<Control>,
    watch: Watch,
    reserve: usize,
    tip: Tip,
    /// Counts what was said in the control page.
    turn: u64,
    /// While an interrupted run is gone through again: what it must repeat.
    repeat: Option<Repeat>,
    /// Shared with the others: nobody may take the journal over, and cut this file, while it is mapped.
    lock: Arc<Lock>,
}

/// What an appender is made of.
pub(super) struct Parts {
    pub(super) lane: Lane,
    pub(super) segment: Segment,
    pub(super) handover: Handover,
    pub(super) control: Arc<Control>,
    pub(super) watch: Watch,
    pub(super) reserve: usize,
    pub(super) tip: Tip,
    pub(super) repeat: Option<Repeat>,
    pub(super) lock: Arc<Lock>,
}

impl Appender {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { lane, mut segment, handover, control, watch, reserve, tip, .. } = parts;
        segment.start(Start { records: tip.records, previous: tip.crc });
        let (repeat, lock, turn) = (parts.repeat, parts.lock, FIRST_TURN);
        Self { lane, segment, handover, control, watch, reserve, tip, turn, repeat, lock }
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether the journal still takes records.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// True when there is room for all that one input can give rise to; takes the next segment when this one
    /// is full. False means: take no input now.
    #[must_use]
    pub fn ready(&mut self) -> bool {
        (self.segment.room() >= self.reserve && !self.watch.stop.is_set())
            || self.make_room(self.reserve)
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) -> bool {
        let ready = !self.watch.stop.is_set() && (self.segment.room() >= bytes || self.turn_over());
        self.watch.set_starved(self.lane, !ready);
        ready
    }

    /// Goes over to the next segment, if it is there.
    fn turn_over(&mut self) -> bool {
        if self.handover.retired.is_full() {
            return false;
        }
        let Some(mut next) = self.handover.prepared.pop() else { return false };
        // The next one is in use before the mark that leads to it.
        next.start(Start { records: self.tip.records, previous: self.tip.crc });
        self.segment.seal();
        let full = std::mem::replace(&mut self.segment, next);
        let retired = self.handover.retired.push(full);
        assert!(retired.is_ok(), "there was room, and nobody else pushes");
        true
    }

    /// True when a record fits what is left of the segment.
    #[must_use]
    pub fn has_room(&self, parts: &[&[u8]]) -> bool {
        record_bytes(parts) <= self.segment.room()
    }

    /// Appends a record that lies in pieces. `stamp` goes into its trailer: ns of a monotonic clock, 0 for
    /// none. While an interrupted run is repeated, the record is compared instead.
    ///
    /// # Panics
    /// When there is no room for it: one input gave rise to more than `reserve`.
    pub fn append(&mut self, kind: u8, parts: &[&[u8]], stamp: u64) {
        if self.repeat.is_some() && self.repeats(kind, parts) {
            return;
        }
        self.tip.crc = self.segment.append(kind, parts, stamp);
        self.tip.records += 1;
    }

    /// True when the record is one of the interrupted run, or differs from it, which ends the run.
    #[cold]
    fn repeats(&mut self, kind: u8, parts: &[&[u8]]) -> bool {
        let Some(repeat) = &mut self.repeat else { return false };
        match repeat.meet(kind, parts) {
            Ok(true) => true,
            Ok(false) => {
                self.repeat = None;
                false
            }
            Err(why) => {
                self.watch.stop.set(why);
                true
            }
        }
    }

    /// Appends a record that may be larger than the reserve, and waits for room. Not for the hot path.
    ///
    /// # Errors
    /// The journal takes nothing more.
    pub fn append_waiting(&mut self, kind: u8, parts: &[&[u8]], stamp: u64) -> Result<(), Stopped> {
        let bytes = record_bytes(parts);
        if bytes > self.segment.most() {
            self.refuse(bytes);
        }
        while !self.make_room(bytes) {
            if let Some(stopped) = self.watch.stopped() {
                return Err(stopped.clone());
            }
            std::thread::yield_now();
        }
        self.append(kind, parts, stamp);
        Ok(())
    }

    /// No segment has room for the record, the next one neither.
    #[cold]
    fn refuse(&self, bytes: usize) {
        let (lane, most) = (self.lane.name(), self.segment.most());
        self.watch.stop.set(format!(
            "lane {lane}: a record takes {bytes} bytes, and a segment holds {most} (journal.segment_bytes)"
        ));
    }

    /// Says that everything of `seq` is on the lane.
    pub fn done(&mut self, seq: u64) {
        if seq <= self.tip.done {
            // A repeated run says again what is known.
            return;
        }
        self.tip.done = seq;
        let done = Done { seq, position: self.segment.position(), records: self.tip.records };
        self.control.write_done(self.lane, self.turn, &done);
        self.turn += 1;
    }

    /// Unmaps the segment; returns what the keeper closes, which holds the lock until then.
    pub(super) fn finish(self) -> LastSegment {
        let (lane, index) = (self.lane, self.segment.index());
        let (path, file, used) = self.segment.finish();
        LastSegment { lane, index, path, file, used, _lock: self.lock }
    }
}

/// Bytes of a record that lies in pieces.
fn record_bytes(parts: &[&[u8]]) -> usize {
    let payload: usize = parts.iter().map(|part| part.len()).sum();
    record_length(payload as u64, TRAILER_BYTES as u64) as usize
}
