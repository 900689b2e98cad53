//! The price grid: prices as whole numbers of ticks, without a hardware division.
//!
//! Modulo 2^64 an odd number has an inverse, so that a multiple is divided by it with one
//! multiplication, and the factor of two that a tick has beside it with a rotation. Whatever is no
//! multiple comes out above every number of ticks that a price can have, so that a price off the grid
//! is found out and never rounded.

use crate::units::Px;

/// The grid of one book. A tick of zero means that nothing is known yet, and no price lies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    tick: u64,
    /// The odd part of the tick times this is one, modulo 2^64.
    inverse: u64,
    /// The tick is its odd part times two to the power of this.
    twos: u32,
    /// Ticks in the highest price.
    most: u64,
}

impl Grid {
    /// No tick known.
    pub(super) const UNKNOWN: Self = Self { tick: 0, inverse: 0, twos: 0, most: 0 };

    /// A grid of `tick` raw price units.
    fn new(tick: u64) -> Self {
        assert!(tick > 0 && tick <= KEY_MAX, "a tick is a price");
        let twos = tick.trailing_zeros();
        Self { tick, inverse: inverse(tick >> twos), twos, most: KEY_MAX / tick }
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

    /// Ticks in the highest price on the grid; zero when nothing is known.
    pub(super) fn most(self) -> u64 {
        self.most
    }

    /// A price in ticks, for any bits: 1 to `most` exactly when they are a price on the grid.
    ///
    /// Let the tick be `odd << twos`. `raw * inverse` is `raw / odd` when that is whole, and rotating it
    /// divides by the rest, again when that is whole. Both steps can be undone, so that every raw number
    /// has a result of its own: multiples have the results up to `u64::MAX / tick`, which leaves the
    /// ones above to all others. A negative price, read as a multiple above 2^63, comes out above `most`.
    pub(super) fn ticks_or_more(self, raw: u64) -> u64 {
        raw.wrapping_mul(self.inverse).rotate_right(self.twos)
    }

    /// The price in ticks; `None` when it is off the grid. `price` is above zero.
    pub(super) fn ticks(self, price: Px) -> Option<u64> {
        let ticks = self.ticks_or_more(price.0.cast_unsigned());
        (1..=self.most).contains(&ticks).then_some(ticks)
    }

    /// The price in ticks, rounded down; exact on the grid. For cold paths: it divides.
    pub(super) fn ticks_below(self, price: Px) -> u64 {
        price.0.unsigned_abs() / self.tick
    }

    /// The price in ticks, rounded up. It divides as well.
    pub(super) fn ticks_above(self, price: Px) -> u64 {
        price.0.unsigned_abs().div_ceil(self.tick)
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

/// The inverse of an odd number modulo 2^64.
fn inverse(odd: u64) -> u64 {
    // The number is its own inverse in the last three bits, and each step doubles their count.
    (0..5).fold(odd, |found, _| {
        let error = odd.wrapping_mul(found);
        found.wrapping_mul(2_u64.wrapping_sub(error))
    })
}

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
        fn what_is_no_price_on_the_grid_comes_out_elsewhere(
            tick in price(),
            raw in prop_oneof![any::<u64>(), (0..200_u64), any::<i32>().prop_map(|n| n as u64)],
            times in any::<u64>(),
        ) {
            let grid = Grid::hinted(Some(Px(tick)));
            let tick = tick.unsigned_abs();
            prop_assert_eq!(grid.most(), KEY_MAX / tick);
            for raw in [raw, tick.wrapping_mul(times), times / tick * tick] {
                let is_price = raw > 0 && raw <= KEY_MAX && raw.is_multiple_of(tick);
                let ticks = grid.ticks_or_more(raw);
                prop_assert_eq!((1..=grid.most()).contains(&ticks), is_price, "{} {}", tick, raw);
                prop_assert!(!is_price || ticks == raw / tick);
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
