//! The imbalance of the top of the book, and for how many views in a row it has pointed the same way.

use fusewire_core::book::BookSide;
use fusewire_core::event::{LEVELS_PER_MESSAGE, Levels};
use fusewire_core::market::Side;

/// Levels of each side that count.
pub(super) const LEVELS: u8 = 5;

/// Sums of the view that is coming in, and the run of views before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Imbalance {
    bids: i128,
    asks: i128,
    /// A view has begun and is not complete.
    is_open: bool,
    /// Views in a row beyond the threshold, and to which side.
    run: Option<(Side, u32)>,
}

impl Imbalance {
    /// Takes a piece of a view; true when it completes the part that counts.
    pub(super) fn take(&mut self, piece: &Levels, threshold_ppm: u32) -> bool {
        let (first, count) = (piece.first, usize::from(piece.count).min(LEVELS_PER_MESSAGE));
        let wanted = usize::from(LEVELS.saturating_sub(first)).min(count);
        let sum: i128 = piece.levels[..wanted].iter().map(|level| i128::from(level.qty.0)).sum();
        match piece.side {
            BookSide::Bid => {
                if first == 0 {
                    *self = Self { is_open: true, run: self.run, ..Self::default() };
                }
                self.bids += sum;
                false
            }
            BookSide::Ask => {
                self.asks += sum;
                let is_short = count < LEVELS_PER_MESSAGE;
                let reached = usize::from(first) + count >= usize::from(LEVELS);
                let complete = self.is_open && (is_short || reached);
                if complete {
                    self.is_open = false;
                    self.count_view(threshold_ppm);
                }
                complete
            }
        }
    }

    /// The side that has had the upper hand for at least `confirm` views in a row.
    pub(super) fn confirmed(&self, confirm: u32) -> Option<Side> {
        self.run.filter(|(_, views)| *views >= confirm).map(|(side, _)| side)
    }

    /// Forgets everything: views that a broken book lies between are not in a row.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    fn count_view(&mut self, threshold_ppm: u32) {
        // Sums of five i64: in millionths they fit i128 by far.
        let difference = (self.bids - self.asks) * 1_000_000;
        let bound = (self.bids + self.asks) * i128::from(threshold_ppm);
        let side = if difference > bound {
            Some(Side::Buy)
        } else if -difference > bound {
            Some(Side::Sell)
        } else {
            None
        };
        self.run = side.map(|side| match self.run {
            Some((before, views)) if before == side => (side, views.saturating_add(1)),
            Some(_) | None => (side, 1),
        });
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::market::Level;
    use fusewire_core::units::{Px, Qty};

    use super::*;

    fn piece(side: BookSide, first: u8, quantities: &[i64]) -> Levels {
        let mut levels = [Level::default(); LEVELS_PER_MESSAGE];
        for (level, qty) in levels.iter_mut().zip(quantities) {
            *level = Level { price: Px(1), qty: Qty(*qty) };
        }
        Levels { side, first, count: u8::try_from(quantities.len()).unwrap(), levels }
    }

    /// A view in pieces; returns which of them completed it.
    fn view(imbalance: &mut Imbalance, bids: &[i64], asks: &[i64]) -> Vec<bool> {
        let mut completed = Vec::new();
        for (side, quantities) in [(BookSide::Bid, bids), (BookSide::Ask, asks)] {
            for (index, part) in quantities.chunks(LEVELS_PER_MESSAGE).enumerate() {
                let first = u8::try_from(index * LEVELS_PER_MESSAGE).unwrap();
                completed.push(imbalance.take(&piece(side, first, part), 600_000));
            }
        }
        completed
    }

    #[test]
    fn a_view_is_complete_once_and_counts_five_levels() {
        let mut imbalance = Imbalance::default();
        // Nine of ten levels further out lean the other way and do not count.
        let (bids, asks) = ([9; 5], [1, 1, 1, 1, 1, 99, 99, 99, 99, 99]);
        let completed = view(&mut imbalance, &bids, &asks);
        assert_eq!(completed, [false, false, false, true, false]);
        assert_eq!(imbalance.confirmed(1), Some(Side::Buy));
        // A short side completes as well.
        assert_eq!(view(&mut imbalance, &[1], &[9, 9]), [false, true]);
        assert_eq!(imbalance.confirmed(1), Some(Side::Sell));
    }

    #[test]
    fn the_threshold_must_be_exceeded() {
        let mut imbalance = Imbalance::default();
        view(&mut imbalance, &[8], &[2]);
        assert_eq!(imbalance.confirmed(1), None, "0.6 is not above 0.6");
        view(&mut imbalance, &[81], &[20]);
        assert_eq!(imbalance.confirmed(1), Some(Side::Buy));
        view(&mut imbalance, &[20], &[81]);
        assert_eq!(imbalance.confirmed(1), Some(Side::Sell));
    }

    #[test]
    fn a_run_is_broken_by_the_other_side_a_calm_view_and_a_reset() {
        let mut imbalance = Imbalance::default();
        let (up, down, calm): ([i64; 2], [i64; 2], [i64; 2]) = ([9, 1], [1, 9], [5, 5]);
        for (views, expected) in [
            ([up, up, up], Some(Side::Buy)),
            ([up, down, down], None),
            ([down, down, down], Some(Side::Sell)),
            ([down, calm, down], None),
        ] {
            for [bid, ask] in views {
                view(&mut imbalance, &[bid], &[ask]);
            }
            assert_eq!(imbalance.confirmed(3), expected);
        }
        view(&mut imbalance, &[1], &[9]);
        imbalance.reset();
        view(&mut imbalance, &[1], &[9]);
        assert_eq!(imbalance.confirmed(2), None);
    }

    #[test]
    fn asks_without_the_bids_before_them_are_no_view() {
        let mut imbalance = Imbalance::default();
        assert!(!imbalance.take(&piece(BookSide::Ask, 0, &[9]), 600_000));
        assert_eq!(imbalance.confirmed(1), None);
    }
}
