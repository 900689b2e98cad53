//! PRICE_FILTER: a price lies on the tick grid, above zero. Measured is the price, the limit the tick.

use fusewire_core::order::Check;
use fusewire_core::units::Px;

use super::{Outcome, passes};

#[inline(always)]
pub(crate) fn tick(price: Px, tick: Option<Px>) -> Outcome {
    let grid = tick.unwrap_or(Px::ZERO);
    // Without a tick nothing is known of the grid, so that nothing lies on it.
    let on_grid = grid > Px::ZERO && price > Px::ZERO && price.0 % grid.0 == 0;
    passes(on_grid, Check::Tick, i128::from(price.0), i128::from(grid.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::px;

    #[test]
    fn prices_lie_on_the_grid_above_zero() {
        let refused = |price: &str, grid| {
            tick(px(price), grid).err().map(|fail| {
                assert_eq!(fail.check, Check::Tick);
                fail.measured
            })
        };
        let grid = Some(px("0.1"));
        assert_eq!(refused("100.1", grid), None);
        assert_eq!(refused("0.1", grid), None);
        for off in ["100.15", "100.10000001", "0", "-0.1"] {
            assert_eq!(refused(off, grid), Some(i128::from(px(off).0)));
        }
        for no_grid in [None, Some(Px::ZERO)] {
            assert!(refused("100.1", no_grid).is_some());
        }
    }
}
