//! How update ids chain: which frame joins a snapshot, and which frame follows another.
//!
//! Futures chain by `pu`, because ids are shared with other things and leave holes; spot has no `pu` and
//! numbers without holes.
//!
//! A snapshot can end in such a hole. Then no frame has `U <= lastUpdateId <= u`, but the frame behind the
//! hole holds every change in `(pu, u]`: with `pu < lastUpdateId <= u` nothing is missing between the two,
//! and what the snapshot holds already does no harm, because quantities are absolute. Its `pu` is
//! believed only when it is where the stream was known to stand, the chain end.

use crate::market::DepthIds;

/// The chaining rule of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncRule {
    /// The frame that joins a snapshot has `U <= lastUpdateId <= u`; after it each `pu` is the `u` before.
    Futures,
    /// The frame that joins a snapshot has `U <= lastUpdateId + 1 <= u`; after it each `U` is one more
    /// than the `u` before.
    Spot,
}

/// Where a frame lies as seen from a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The snapshot holds it already.
    Before,
    /// It joins the snapshot to the stream.
    Joins,
    /// Something between the snapshot and it is missing.
    After,
}

impl SyncRule {
    /// Where a frame lies as seen from a snapshot of `last_id`.
    pub(super) fn place(self, last_id: i64, ids: DepthIds) -> Place {
        // Spot asks for the update after the snapshot, futures for its last one again.
        let joint = match self {
            Self::Futures => i128::from(last_id),
            Self::Spot => i128::from(last_id) + 1,
        };
        if i128::from(ids.last) < joint {
            Place::Before
        } else if i128::from(ids.first) <= joint {
            Place::Joins
        } else {
            Place::After
        }
    }

    /// As `place`, for a stream that is known to have reached `chain_end`, which the snapshot holds.
    ///
    /// For spot that changes nothing: ids have no holes, so that a frame which follows a chain end at or
    /// before `last_id` begins at or before `last_id + 1`.
    pub(super) fn place_in_chain(
        self,
        last_id: i64,
        chain_end: Option<i64>,
        ids: DepthIds,
    ) -> Place {
        let follows = chain_end.is_some_and(|end| self.follows(end, ids));
        match self.place(last_id, ids) {
            Place::Before => Place::Before,
            Place::After if !follows => Place::After,
            Place::Joins | Place::After => Place::Joins,
        }
    }

    /// The chain end after a frame; `None` when the frame did not follow, because its own `u` is then as
    /// doubtful as its `pu`.
    pub(super) fn moved_end(self, chain_end: Option<i64>, ids: DepthIds) -> Option<i64> {
        chain_end.filter(|end| self.follows(*end, ids)).map(|_| ids.last)
    }

    /// True when the frame is the one right after the frame that ended at `last`.
    pub(super) fn follows(self, last: i64, ids: DepthIds) -> bool {
        match self {
            Self::Futures => ids.prev == Some(last),
            Self::Spot => last.checked_add(1) == Some(ids.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(first: i64, last: i64, prev: Option<i64>) -> DepthIds {
        DepthIds { first, last, prev }
    }

    #[test]
    fn futures_join_at_the_last_id_and_chain_by_pu() {
        let place = |first, last| SyncRule::Futures.place(500, ids(first, last, None));
        assert_eq!(place(480, 499), Place::Before);
        assert_eq!(place(480, 500), Place::Joins);
        assert_eq!(place(500, 520), Place::Joins);
        assert_eq!(place(501, 520), Place::After);
        assert!(SyncRule::Futures.follows(500, ids(507, 509, Some(500))));
        assert!(!SyncRule::Futures.follows(500, ids(501, 509, Some(499))));
        assert!(!SyncRule::Futures.follows(500, ids(501, 509, None)));
    }

    #[test]
    fn spot_joins_one_later_and_chains_without_holes() {
        let place = |first, last| SyncRule::Spot.place(500, ids(first, last, None));
        assert_eq!(place(480, 500), Place::Before);
        assert_eq!(place(480, 501), Place::Joins);
        assert_eq!(place(501, 520), Place::Joins);
        assert_eq!(place(502, 520), Place::After);
        assert!(SyncRule::Spot.follows(500, ids(501, 509, None)));
        assert!(!SyncRule::Spot.follows(500, ids(502, 509, Some(500))));
    }

    #[test]
    fn the_frame_behind_a_hole_joins_when_it_follows_the_chain() {
        let place = |chain_end, first, last| {
            SyncRule::Futures.place_in_chain(105, chain_end, ids(first, last, Some(100)))
        };
        assert_eq!(place(Some(100), 110, 120), Place::Joins);
        assert_eq!(place(Some(100), 101, 105), Place::Joins);
        assert_eq!(place(Some(100), 101, 104), Place::Before);
        assert_eq!(place(Some(99), 110, 120), Place::After);
        assert_eq!(place(None, 110, 120), Place::After);
        assert_eq!(place(None, 101, 105), Place::Joins, "the ordinary rule needs no chain");
        for (end, first, last) in [(100, 101, 105), (105, 106, 106), (100, 102, 106)] {
            let ids = ids(first, last, None);
            let place = SyncRule::Spot.place_in_chain(105, Some(end), ids);
            assert_eq!(place, SyncRule::Spot.place(105, ids), "no holes on spot");
        }
    }

    #[test]
    fn ids_at_the_end_of_the_range_do_not_overflow() {
        assert_eq!(SyncRule::Spot.place(i64::MAX, ids(i64::MAX, i64::MAX, None)), Place::Before);
        assert!(!SyncRule::Spot.follows(i64::MAX, ids(i64::MIN, 0, None)));
    }
}
