//! The innermost band of depth that history tells of each side of a symbol.
//!
//! Files that sum a book up in bands of some percent say nothing of its touch. They do say that no more stood near it than
//! in the whole band, which is the most that an assumed book may hold.

use crate::book::BookSide;
use crate::event::DepthBand;
use crate::units::{Bps, Nanos, Round, UsdSum, Wide, div_round};

/// The innermost band of each side, of the newest time that was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InnerBands {
    sides: [Option<Inner>; BookSide::ALL.len()],
}

/// A band of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inner {
    at: Nanos,
    /// From the mid, above zero.
    distance: u64,
    /// `UsdSum`.
    notional: Wide,
}

impl InnerBands {
    /// Takes a band. It counts when it is newer than the one of its side, or of the same time and nearer.
    pub fn see(&mut self, band: &DepthBand) {
        let side = match band.distance {
            Bps::ZERO => return,
            distance if distance < Bps::ZERO => BookSide::Bid,
            _ => BookSide::Ask,
        };
        let (at, distance) = (band.at, band.distance.0.unsigned_abs());
        let held = &mut self.sides[side as usize];
        let counts =
            held.is_none_or(|held| at > held.at || (at == held.at && distance < held.distance));
        if counts {
            *held = Some(Inner { at, distance, notional: band.notional });
        }
    }

    /// What stood on a side within half of a spread of the mid, in USD and rounded down, as if a band were equally deep
    /// all over. Never more than the band holds. None without a band that is at most this old, and where it is more than
    /// any amount.
    #[must_use]
    pub fn within(
        &self,
        side: BookSide,
        spread: Bps,
        (now, age_max): (Nanos, Nanos),
    ) -> Option<UsdSum> {
        let inner = self.sides[side as usize]?;
        if now.since(inner.at) > i128::from(age_max.0) {
            return None;
        }
        // Half a spread of the distance is a spread of twice the distance.
        let twice = 2 * i128::from(inner.distance);
        let spread = i128::from(spread.0).clamp(0, twice);
        // Bands lie within the price: what is beyond an `i128` is, divided again, still more than an amount can be.
        let product = inner.notional.get().checked_mul(spread)?;
        div_round(product, twice, Round::Down).map(UsdSum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Nanos = Nanos(60 * Nanos::SECOND);

    fn band(at: u64, percent: &str, notional: i64) -> DepthBand {
        let distance = Bps(Bps::parse(percent.as_bytes()).unwrap().0 * 100);
        let notional = Wide::from(i128::from(notional));
        DepthBand { at: Nanos(at), distance, qty: Wide::default(), notional }
    }

    fn seen(bands: &[DepthBand]) -> InnerBands {
        let mut inner = InnerBands::default();
        bands.iter().for_each(|band| inner.see(band));
        inner
    }

    /// What stands within 1 bp on bids and asks at 10 ns.
    fn sides(bands: &[DepthBand]) -> [Option<i128>; 2] {
        let spread = Bps::parse(b"2").unwrap();
        let inner = seen(bands);
        BookSide::ALL.map(|side| inner.within(side, spread, (Nanos(10), MINUTE)).map(|sum| sum.0))
    }

    #[test]
    fn the_innermost_band_of_the_newest_time_counts() {
        assert_eq!(sides(&[]), [None, None]);
        // 1 bp of 100 bp is a hundredth; of 20 bp a twentieth.
        let one = band(5, "-1", 30_000);
        assert_eq!(sides(&[one]), [Some(300), None]);
        assert_eq!(sides(&[one, band(5, "-5", 90_000)]), [Some(300), None], "lies behind it");
        assert_eq!(sides(&[one, band(5, "-0.20", 9_000)]), [Some(450), None], "lies before it");
        assert_eq!(sides(&[one, band(5, "0.20", 7_000)]), [Some(300), Some(350)]);
        assert_eq!(sides(&[one, band(6, "-2", 100)]), [Some(0), None], "newer: 100 / 200");
        assert_eq!(sides(&[one, band(4, "-0.20", 1)]), [Some(300), None], "older");
        assert_eq!(sides(&[one, band(5, "0", 1)]), [Some(300), None], "on no side");
        assert_eq!(sides(&[band(5, "1", 0)]), [None, Some(0)], "an empty side");
    }

    #[test]
    fn it_is_rounded_down_and_never_more_than_the_band() {
        assert_eq!(sides(&[band(5, "1", 199)]), [None, Some(1)]);
        let inner = seen(&[band(5, "1", 700)]);
        let within = |spread: &str| {
            let spread = Bps::parse(spread.as_bytes()).unwrap();
            inner.within(BookSide::Ask, spread, (Nanos(5), MINUTE)).unwrap().0
        };
        assert_eq!([within("0"), within("100"), within("200")], [0, 350, 700]);
        assert_eq!([within("201"), within("-1")], [700, 0]);
    }

    #[test]
    fn an_old_band_counts_no_longer() {
        let inner = seen(&[band(5, "1", 700)]);
        let within = |now| inner.within(BookSide::Ask, Bps(20_000), (Nanos(now), MINUTE));
        assert_eq!(within(5 + MINUTE.0), Some(UsdSum(7)));
        assert_eq!(within(6 + MINUTE.0), None);
        assert_eq!(within(0), Some(UsdSum(7)), "a clock that is behind makes nothing old");
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut most = band(5, "1", 0);
        most.notional = i128::MAX.into();
        let spread = Bps(i64::MAX);
        let time = (Nanos(5), Nanos(u64::MAX));
        assert_eq!(seen(&[most]).within(BookSide::Ask, spread, time), None);
        most.distance = Bps(i64::MIN);
        assert_eq!(seen(&[most]).within(BookSide::Bid, spread, time), None);
        assert_eq!(
            seen(&[most]).within(BookSide::Bid, Bps(1), time),
            Some(UsdSum(i128::MAX >> 64))
        );
    }
}
