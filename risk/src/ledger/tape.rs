//! The tape of one symbol: how far its price went in all, and the largest position that was held on it.
//!
//! Nobody makes more of a tape than the largest position, held at every single move in the right direction. A result
//! beyond that has taken a profit that the market did not have.

use fusewire_core::event::Bar;
use fusewire_core::units::{ONE, Px, Qty, Round, UsdSum, div_round};

/// How far a price went, and the largest position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    /// Twice the last price; none before the first.
    last: Option<i128>,
    /// Twice the sum of all moves, without their signs.
    travelled: i128,
    /// The largest position, without its sign.
    qty_max: i64,
}

impl Tape {
    /// The price of a trade.
    pub fn price(&mut self, price: Px) {
        if price > Px::ZERO {
            self.twice(2 * i128::from(price.0));
        }
    }

    /// Best bid plus best ask.
    pub(super) fn twice(&mut self, twice: i128) {
        if let Some(last) = self.last {
            self.travelled = self.travelled.saturating_add((twice - last).abs());
        }
        self.last = Some(twice);
    }

    /// A bar, of which it is not known in which order its prices came: the longest way that two orders can make
    /// something of.
    pub fn bar(&mut self, bar: &Bar) {
        for price in [bar.open, bar.high, bar.low, bar.high, bar.close] {
            self.price(price);
        }
    }

    /// A position that is held from here on.
    pub fn hold(&mut self, qty: Qty) {
        self.qty_max = self.qty_max.max(qty.0.saturating_abs());
    }

    /// The largest position so far, without its sign.
    #[must_use]
    pub const fn qty_max(&self) -> Qty {
        Qty(self.qty_max)
    }

    /// The most that could be made of it, the last position valued at `mark` if there is one. The end of the range
    /// when it leaves it.
    #[must_use]
    pub fn bound(&self, mark: Option<Px>) -> UsdSum {
        let mut whole = *self;
        if let (Some(_), Some(mark)) = (self.last, mark) {
            whole.price(mark);
        }
        let product = whole.travelled.checked_mul(self.qty_max.into());
        let scaled = product.and_then(|product| div_round(product, 2 * i128::from(ONE), Round::Up));
        UsdSum(scaled.unwrap_or(i128::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(usd: i64) -> Px {
        Px(usd * ONE)
    }

    /// 100, 103, 101, 101 at a mark of 99: 3 + 2 + 0 + 2 = 7, for half a coin 3.5.
    #[test]
    fn a_bound_by_hand() {
        let mut tape = Tape::default();
        assert_eq!(tape.bound(Some(price(9))), UsdSum::ZERO, "no price, no move");
        for usd in [100, 103, 101, 101] {
            tape.price(price(usd));
        }
        assert_eq!(tape.bound(None), UsdSum::ZERO, "nothing was held");
        tape.hold(Qty(-ONE / 2));
        tape.hold(Qty(ONE / 4));
        assert_eq!(tape.qty_max(), Qty(ONE / 2));
        assert_eq!(tape.bound(None), UsdSum(i128::from(ONE) * 5 / 2));
        assert_eq!(tape.bound(Some(price(99))), UsdSum(i128::from(ONE) * 7 / 2));
        tape.price(Px::ZERO);
        assert_eq!(tape.bound(None), UsdSum(i128::from(ONE) * 5 / 2), "no price is no move");
    }

    #[test]
    fn a_bound_beyond_all_numbers_is_the_largest() {
        let mut tape = Tape { last: Some(0), travelled: i128::MAX - 1, qty_max: 1 };
        tape.price(price(100));
        tape.hold(Qty(i64::MAX));
        assert_eq!(tape.bound(None), UsdSum(i128::MAX));
    }
}
