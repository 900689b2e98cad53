//! Frames that wait for a snapshot, oldest first, within two limits fixed at construction.

use std::collections::VecDeque;

use crate::market::{DepthIds, Level};

/// A frame in the buffer; its levels lie in the arena in the same order.
#[derive(Clone, Copy, Debug)]
struct Frame {
    ids: DepthIds,
    bids: usize,
    asks: usize,
}

/// The waiting frames of one book.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    frames: VecDeque<Frame>,
    levels: VecDeque<Level>,
    frames_max: usize,
    levels_max: usize,
}

impl Buffer {
    /// Empty, with memory for both limits.
    pub(super) fn new(frames_max: u32, levels_max: u32) -> Self {
        let (frames_max, levels_max) = (frames_max as usize, levels_max as usize);
        Self {
            frames: VecDeque::with_capacity(frames_max),
            levels: VecDeque::with_capacity(levels_max),
            frames_max,
            levels_max,
        }
    }

    /// Appends a frame and drops the oldest ones that leave it no room; returns how many were dropped.
    /// A frame larger than the whole buffer drops everything, itself included: what comes after it
    /// could not be chained to what came before it.
    pub(super) fn push(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> u64 {
        let size = bids.len().saturating_add(asks.len());
        if size > self.levels_max {
            return self.clear() + 1;
        }
        let mut dropped = 0;
        while self.frames.len() == self.frames_max || self.levels.len() + size > self.levels_max {
            self.pop_front();
            dropped += 1;
        }
        self.levels.extend(bids);
        self.levels.extend(asks);
        self.frames.push_back(Frame { ids, bids: bids.len(), asks: asks.len() });
        dropped
    }

    /// The ids of all frames, oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = DepthIds> {
        self.frames.iter().map(|frame| frame.ids)
    }

    /// The ids of the oldest frame.
    pub(super) fn front(&self) -> Option<DepthIds> {
        self.frames.front().map(|frame| frame.ids)
    }

    /// Bids and asks of the oldest frame, each in two pieces, because they may lie round the ring's end.
    pub(super) fn front_levels(&self) -> ([&[Level]; 2], [&[Level]; 2]) {
        let (bids, asks) = self.frames.front().map_or((0, 0), |frame| (frame.bids, frame.asks));
        let (first, second) = self.levels.as_slices();
        let piece = |from: usize, to: usize| {
            let cut = |at: usize| at.min(first.len());
            let behind = |at: usize| at.saturating_sub(first.len());
            [&first[cut(from)..cut(to)], &second[behind(from)..behind(to)]]
        };
        (piece(0, bids), piece(bids, bids + asks))
    }

    /// Removes the oldest frame.
    pub(super) fn pop_front(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.levels.drain(..frame.bids + frame.asks);
        }
    }

    /// Empties it and keeps the memory; returns how many frames there were.
    pub(super) fn clear(&mut self) -> u64 {
        let frames = self.frames.len() as u64;
        self.frames.clear();
        self.levels.clear();
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Px, Qty};

    fn ids(last: i64) -> DepthIds {
        DepthIds { first: last, last, prev: None }
    }

    fn levels(from: i64, count: i64) -> Vec<Level> {
        (from..from + count).map(|raw| Level { price: Px(raw), qty: Qty(raw) }).collect()
    }

    #[test]
    fn both_limits_drop_the_oldest() {
        let mut buffer = Buffer::new(3, 10);
        assert_eq!(buffer.push(ids(1), &levels(1, 2), &levels(3, 2)), 0);
        assert_eq!(buffer.push(ids(2), &levels(5, 1), &[]), 0);
        assert_eq!(buffer.push(ids(3), &[], &[]), 0);
        assert_eq!(buffer.push(ids(4), &[], &levels(6, 1)), 1, "frames");
        assert_eq!(buffer.front(), Some(ids(2)));
        assert_eq!(buffer.push(ids(5), &levels(7, 9), &[]), 1, "frames");
        assert_eq!(buffer.push(ids(6), &levels(20, 1), &[]), 2, "frames, then levels");
        assert_eq!(buffer.push(ids(7), &levels(30, 2), &[]), 1, "levels");
        assert_eq!(buffer.front(), Some(ids(6)));
    }

    #[test]
    fn levels_come_back_as_they_went_in_round_the_ring() {
        let mut buffer = Buffer::new(4, 8);
        let capacity = (buffer.frames.capacity(), buffer.levels.capacity());
        for last in 0..50 {
            let (bids, asks) = (levels(10 * last + 1, last % 3), levels(10 * last + 5, last % 4));
            buffer.push(ids(last), &bids, &asks);
            if last % 2 == 1 {
                buffer.pop_front();
            }
            while buffer.front() != Some(ids(last)) {
                buffer.pop_front();
            }
            let (kept_bids, kept_asks) = buffer.front_levels();
            assert_eq!((kept_bids.concat(), kept_asks.concat()), (bids, asks));
        }
        assert_eq!((buffer.frames.capacity(), buffer.levels.capacity()), capacity);
    }

    #[test]
    fn a_frame_larger_than_the_buffer_empties_it() {
        let mut buffer = Buffer::new(4, 8);
        buffer.push(ids(1), &levels(1, 1), &[]);
        assert_eq!(buffer.push(ids(2), &levels(1, 9), &[]), 2);
        assert_eq!(buffer.front(), None);
        assert_eq!(buffer.push(ids(3), &levels(1, 8), &[]), 0);
    }
}
