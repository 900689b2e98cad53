//! The price grid: prices as whole numbers of ticks, without a hardware division.
//!
//! A price is multiplied by a rounded-up reciprocal and the quotient is checked by multiplying back,
//! so that a price off the grid is found out and never rounded.

use crate::units::Px;

/// The grid of one book. A tick of zero means that nothing is known yet, and no price lies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    tick: u64,
    /// `2^63 / tick`, rounded up.
    reciprocal: u64,
}

impl Grid {
    /// No tick known.
    pub(super) const UNKNOWN: Self = Self { tick: 0, reciprocal: 0 };

    /// A grid of `tick` raw price units.
    fn new(tick: u64) -> Self {
        assert!(tick > 0 && tick <= KEY_MAX, "a tick is a price");
        Self { tick, reciprocal: (1_u64 << 63).div_ceil(tick) }
    }

    /// From a hint; a tick that is no price counts as none.
    pub(super) fn hinted(tick: Option<Px>) -> Self {
        match tick {
            Some(tick) if tick > Px::ZERO => Self::new(tick.0.unsigned_abs()),
            Some(_) | None => Self::UNKNOWN,
        }
    }

    /// True while no tick is known.
    pub(super) fn is_unknown(self) -> bool {
        self.tick == 0
    }

    /// The price in ticks; `None` when it is off the grid. `price` is above zero.
    pub(super) fn ticks(self, price: Px) -> Option<u64> {
        let raw = price.0.unsigned_abs();
        // The reciprocal is less than one too large and a price is below 2^63, so that the quotient is
        // less than one too large: exact after the shift whenever the price is on the grid.
        let quotient = ((u128::from(raw) * u128::from(self.reciprocal)) >> 63) as u64;
        (quotient * self.tick == raw).then_some(quotient)
    }

    /// The price in ticks, rounded down; exact on the grid. For cold paths: it divides.
    pub(super) fn ticks_below(self, price: Px) -> u64 {
        price.0.unsigned_abs() / self.tick
    }

    /// The price of a number of ticks that came from this grid.
    pub(super) fn price(self, ticks: u64) -> Px {
        Px((ticks * self.tick).cast_signed())
    }

    /// The coarsest grid that holds this one and `price`, which is above zero.
    pub(super) fn refined(self, price: Px) -> Self {
        Self::new(gcd(self.tick, price.0.unsigned_abs()))
    }

    /// As `refined`, and cheap when the price lies on this grid.
    pub(super) fn with(self, price: Px) -> Self {
        if self.ticks(price).is_some() { self } else { self.refined(price) }
    }

    /// How many ticks of the grid `finer` make one of this; `finer` was refined from it.
    pub(super) fn ratio(self, finer: Self) -> u64 {
        self.tick / finer.tick
    }
}

/// The largest number of ticks: every price of a book lies in 1 to this.
pub(super) const KEY_MAX: u64 = i64::MAX.unsigned_abs();

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price() -> impl Strategy<Value = i64> {
        prop_oneof![
            1..=i64::MAX,
            1..=1_000_i64,
            Just(i64::MAX),
            (0_u32..63).prop_map(|shift| 1 << shift),
        ]
    }

    proptest! {
        #[test]
        fn equals_division(tick in price(), raw in price(), near in price()) {
            let grid = Grid::hinted(Some(Px(tick)));
            let on_grid = near / tick * tick;
            let candidates = [raw, on_grid, on_grid.saturating_add(1), on_grid - 1, i64::MAX];
            for raw in candidates.into_iter().filter(|raw| *raw > 0) {
                let expected = (raw % tick == 0).then_some((raw / tick).unsigned_abs());
                prop_assert_eq!(grid.ticks(Px(raw)), expected);
                if let Some(ticks) = expected {
                    prop_assert_eq!(grid.price(ticks), Px(raw));
                }
            }
        }

        #[test]
        fn refining_keeps_old_prices_and_takes_the_new_one(tick in price(), raw in price()) {
            let old = Grid::hinted(Some(Px(tick)));
            let new = old.refined(Px(raw));
            prop_assert_eq!(new.ticks(Px(raw)), Some(new.ticks_below(Px(raw))));
            prop_assert_eq!(new.ticks(Px(tick)), Some(old.ratio(new)));
            prop_assert_eq!(old.with(Px(raw)), new);
        }
    }

    #[test]
    fn nothing_lies_on_an_unknown_grid() {
        assert_eq!(Grid::UNKNOWN.ticks(Px(1)), None);
        assert_eq!(Grid::UNKNOWN.ticks(Px(i64::MAX)), None);
        assert_eq!(Grid::UNKNOWN.refined(Px(7)), Grid::new(7));
        assert!(Grid::hinted(Some(Px(0))).is_unknown());
        assert!(Grid::hinted(Some(Px(i64::MIN))).is_unknown());
    }
}
