//! What the strategies remember of one symbol's market: touch, mark, and whether the book may be used.

use fusewire_core::book::Touch;
use fusewire_core::event::Body;
use fusewire_core::market::{Level, Side};
use fusewire_core::units::{Nanos, Px};

/// One symbol's market as told by the events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Market {
    touch: Touch,
    is_valid: bool,
    mark: Option<(Px, Nanos)>,
}

/// A usable touch: both sides, not crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// Best bid.
    pub bid: Level,
    /// Best ask, above the bid.
    pub ask: Level,
}

impl Best {
    /// The price at which an order of this side joins the touch.
    #[must_use]
    pub const fn own(&self, side: Side) -> Px {
        match side {
            Side::Buy => self.bid.price,
            Side::Sell => self.ask.price,
        }
    }

    /// The price at which an order of this side takes.
    #[must_use]
    pub const fn opposite(&self, side: Side) -> Px {
        match side {
            Side::Buy => self.ask.price,
            Side::Sell => self.bid.price,
        }
    }

    /// Prices of bid and ask.
    #[must_use]
    pub const fn prices(&self) -> [Px; 2] {
        [self.bid.price, self.ask.price]
    }

    /// Bid plus ask: twice the mid, which may lie between two raw prices.
    #[must_use]
    pub fn doubled_mid(&self) -> i128 {
        i128::from(self.bid.price.0) + i128::from(self.ask.price.0)
    }
}

impl Market {
    /// Takes what an event of this symbol, or a `Gap`, says at `now`.
    ///
    /// A book that is valid again keeps its touch until the sequencer tells another, which it does only
    /// when it differs. That message comes right behind the `Depth`: a strategy must not act on a `Depth`.
    pub fn take(&mut self, body: &Body, now: Nanos) {
        match body {
            Body::Touch(change) => self.touch = change.touch,
            Body::Depth(_) => self.is_valid = true,
            Body::BookInvalid(_) | Body::Gap => self.is_valid = false,
            Body::Mark(mark) => self.mark = Some((mark.price, now)),
            Body::Levels(_)
            | Body::Trade(_)
            | Body::Liquidation(_)
            | Body::Bar(_)
            | Body::Tick
            | Body::Wake
            | Body::Report(_)
            | Body::Status(_)
            | Body::Rejected(_)
            | Body::Control(_)
            | Body::KillLevel(_)
            | Body::Account(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => {}
        }
    }

    /// The touch, if the book is valid and has two sides that are not crossed.
    #[must_use]
    pub fn best(&self) -> Option<Best> {
        let (bid, ask) = (self.touch.bid?, self.touch.ask?);
        let usable = self.is_valid && Px::ZERO < bid.price && bid.price < ask.price;
        usable.then_some(Best { bid, ask })
    }

    /// The last time at which `mark` still tells the mark price; none without one.
    #[must_use]
    pub fn mark_until(&self, age_max: Nanos) -> Option<Nanos> {
        self.mark.map(|(_, at)| at.after(age_max))
    }

    /// The mark price, unless it is older than `age_max`.
    #[must_use]
    pub fn mark(&self, now: Nanos, age_max: Nanos) -> Option<Px> {
        let (price, at) = self.mark?;
        let usable = price > Px::ZERO && now.since(at) <= i128::from(age_max.0);
        usable.then_some(price)
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::book::Invalid;
    use fusewire_core::event::{Depth, TouchChange, TouchSource};
    use fusewire_core::units::Qty;

    use super::*;
    use crate::rig::mark;

    fn touch(bid: Option<i64>, ask: Option<i64>) -> Body {
        let level = |price| Level { price: Px(price), qty: Qty(1) };
        let touch = Touch { bid: bid.map(level), ask: ask.map(level) };
        Body::Touch(TouchChange { touch, source: TouchSource::Book })
    }

    #[test]
    fn a_touch_is_usable_with_a_valid_book_and_two_sides() {
        let mut market = Market::default();
        let mut best = |body: Body| {
            market.take(&body, Nanos(1));
            market.best().map(|best| (best.bid.price.0, best.ask.price.0))
        };
        assert_eq!(best(touch(Some(5), Some(7))), None, "no valid book so far");
        assert_eq!(best(Body::Depth(Depth::default())), Some((5, 7)));
        assert_eq!(best(touch(Some(7), Some(7))), None);
        assert_eq!(best(touch(None, Some(7))), None);
        assert_eq!(best(touch(Some(6), Some(7))), Some((6, 7)));
        assert_eq!(best(Body::BookInvalid(Invalid::Gap)), None);
        assert_eq!(best(Body::Depth(Depth::default())), Some((6, 7)));
        assert_eq!(best(Body::Gap), None);
    }

    #[test]
    fn a_mark_grows_old() {
        let mut market = Market::default();
        assert_eq!(market.mark(Nanos(1), Nanos(10)), None);
        market.take(&Body::Mark(mark(Px(9))), Nanos(5));
        assert_eq!(market.mark(Nanos(15), Nanos(10)), Some(Px(9)));
        assert_eq!(market.mark(Nanos(16), Nanos(10)), None);
    }
}
