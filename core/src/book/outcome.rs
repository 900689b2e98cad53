//! What a book says of itself: its touch, why it is invalid, what a frame did to it, what it counted.

use crate::market::Level;

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BookSide {
    /// Orders to buy; the highest price is the best.
    Bid,
    /// Orders to sell; the lowest price is the best.
    Ask,
}

impl BookSide {
    /// All sides, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Bid, Self::Ask];
}

/// Best level of each side; `None` where a side is empty, which is legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Best bid.
    pub bid: Option<Level>,
    /// Best ask.
    pub ask: Option<Level>,
}

/// Why a book must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invalid {
    /// No snapshot has come yet.
    NoSnapshot,
    /// A frame did not follow the one before it.
    Gap,
    /// The best bid was at or above the best ask.
    Crossed,
    /// The oldest frame that could join the snapshot begins after it.
    SnapshotTooOld,
    /// Frames had to be dropped while waiting for a snapshot.
    BufferOverflow,
    /// A frame of the stream could not be read.
    Malformed,
    /// The stream went silent or was reconnected, or a snapshot was ahead of it.
    Stale,
}

impl Invalid {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::NoSnapshot,
        Self::Gap,
        Self::Crossed,
        Self::SnapshotTooOld,
        Self::BufferOverflow,
        Self::Malformed,
        Self::Stale,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSnapshot => "no_snapshot",
            Self::Gap => "gap",
            Self::Crossed => "crossed",
            Self::SnapshotTooOld => "snapshot_too_old",
            Self::BufferOverflow => "buffer_overflow",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
        }
    }
}

/// What became of a frame or snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied; the book was valid and still is.
    Applied,
    /// The book was invalid and still is: the frame waits for a snapshot, or the snapshot for a frame.
    Buffered,
    /// The frame is lost, because the book does not buffer; see `Buffering::OffForTests`.
    Discarded,
    /// The book has become valid.
    Synced,
    /// The book has become invalid, or was invalid and this is the reason from now on.
    Invalidated(Invalid),
    /// Of no use to this book: a snapshot no better than what it has, or a partial frame beside a diff stream.
    Ignored,
}

/// Counters of one book since construction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookStats {
    /// Frames that did not follow the one before them, at most one per resynchronisation.
    pub gaps: u64,
    /// Frames and snapshots after which the best bid was at or above the best ask.
    pub crossed: u64,
    /// Snapshots loaded.
    pub snapshots: u64,
    /// Snapshots not loaded: no newer than the book, older than the oldest waiting frame, or lower than
    /// the one that waits for its frame with no waiting frame to speak for them.
    pub snapshots_ignored: u64,
    /// Diff and partial frames after which the book was valid, waiting ones included.
    pub applied: u64,
    /// Frames older than the snapshot, counted when a frame joins it.
    pub discarded: u64,
    /// Frames put into the buffer.
    pub buffered: u64,
    /// Frames lost from the buffer at its limits, or because `invalidate` broke the chain behind them.
    pub buffer_dropped: u64,
    /// Levels dropped because a side was full; each was farther from the touch than all that were kept.
    pub levels_dropped: u64,
    /// Prices off the grid, for which the grid was made finer; a snapshot starts from the hinted grid.
    pub regrids: u64,
    /// Times that a valid book became invalid.
    pub invalidated: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_reasons_are_listed_in_order() {
        assert_eq!(BookSide::ALL.map(|side| side as u8), [0, 1]);
        for (index, reason) in Invalid::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }

    #[test]
    fn reasons_have_names_of_their_own() {
        let mut names = Invalid::ALL.map(Invalid::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Invalid::ALL.len());
    }
}
