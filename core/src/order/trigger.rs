//! Conditional orders: a limit order that waits at the venue until a price was shown.

use super::{NewOrder, Side, VenueReason};
use crate::units::{Px, RATE_DECIMALS, Rate, Round, div_round};

/// What lets a conditional order into the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TriggerKind {
    /// The price moves against the position: a sell at or below the trigger price, a buy at or above it.
    Stop,
    /// The price moves for the position: a sell at or above the trigger price, a buy at or below it.
    TakeProfit,
    /// The price comes back by a share from the best one since the order became active.
    Trailing,
}

impl TriggerKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Stop, Self::TakeProfit, Self::Trailing];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::TakeProfit => "take_profit",
            Self::Trailing => "trailing",
        }
    }

    /// What reports of an order say that got into the market this way.
    #[must_use]
    pub const fn reason(self) -> VenueReason {
        match self {
            Self::Stop => VenueReason::Stop,
            Self::TakeProfit => VenueReason::TakeProfit,
            Self::Trailing => VenueReason::Trailing,
        }
    }
}

/// Which price a trigger looks at (`workingType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TriggerPrice {
    /// The mark price.
    Mark,
    /// The last trade.
    Last,
}

impl TriggerPrice {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Mark, Self::Last];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Last => "last",
        }
    }
}

/// When a conditional order gets into the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What lets it in.
    pub kind: TriggerKind,
    /// Which price it looks at.
    pub by: TriggerPrice,
    /// The price that triggers; of a trailing one the price from which on it is active, zero for active at
    /// once.
    pub price: Px,
    /// How far the price must come back, as a share of the best one; zero unless trailing.
    pub callback: Rate,
    /// It takes the whole position that is there when it triggers, whatever its quantity says.
    pub close_position: bool,
}

impl Trigger {
    /// True when a stop or take profit of this side triggers at `price`. A trailing one never does: what it
    /// compares with moves, see `trails_to`.
    #[must_use]
    pub fn is_met(&self, side: Side, price: Px) -> bool {
        match (self.kind, side) {
            (TriggerKind::Stop, Side::Buy) | (TriggerKind::TakeProfit, Side::Sell) => {
                price >= self.price
            }
            (TriggerKind::Stop, Side::Sell) | (TriggerKind::TakeProfit, Side::Buy) => {
                price <= self.price
            }
            (TriggerKind::Trailing, _) => false,
        }
    }

    /// True when a trailing order of this side is active at `price`: a sell at or above its activation
    /// price, a buy at or below it.
    #[must_use]
    pub fn activates(&self, side: Side, price: Px) -> bool {
        self.price == Px::ZERO
            || match side {
                Side::Buy => price <= self.price,
                Side::Sell => price >= self.price,
            }
    }

    /// The price at which a trailing order of this side triggers after `best`, rounded away from `best`, so
    /// that it never triggers before the whole share was lost. None out of range.
    #[must_use]
    pub fn trails_to(&self, side: Side, best: Px) -> Option<Px> {
        let one = 10_i128.pow(RATE_DECIMALS);
        let (factor, round) = match side {
            Side::Buy => (one + i128::from(self.callback.0), Round::Up),
            Side::Sell => (one - i128::from(self.callback.0), Round::Down),
        };
        let price = div_round(i128::from(best.0).checked_mul(factor)?, one, round)?;
        i64::try_from(price).ok().map(Px)
    }

    /// The price near which the order gets into the market as it stands: the trigger price, or what a
    /// trailing one triggers at when the price turns right where it became active. `now` is the price of
    /// today, which an order is measured by that is active at once. None out of range.
    #[must_use]
    pub fn enters_near(&self, side: Side, now: Px) -> Option<Px> {
        match self.kind {
            TriggerKind::Stop | TriggerKind::TakeProfit => Some(self.price),
            TriggerKind::Trailing if self.price == Px::ZERO => self.trails_to(side, now),
            TriggerKind::Trailing => self.trails_to(side, self.price),
        }
    }
}

/// A limit order that waits at the venue for its trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditional {
    /// The order that gets into the market, with its limit. It keeps its id.
    pub order: NewOrder,
    /// When.
    pub trigger: Trigger,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ONE;

    const fn trigger(kind: TriggerKind, price: i64) -> Trigger {
        // 1 %.
        let callback = Rate(10_000_000_000);
        let price = Px(price * ONE);
        Trigger { kind, by: TriggerPrice::Mark, price, callback, close_position: false }
    }

    #[test]
    fn kinds_and_prices_are_listed_in_order() {
        assert_eq!(TriggerKind::ALL.map(|kind| kind as u8), [0, 1, 2]);
        assert_eq!(TriggerPrice::ALL.map(|by| by as u8), [0, 1]);
    }

    #[test]
    fn a_stop_and_a_take_profit_look_at_opposite_sides() {
        let met = |kind, side| {
            [99, 100, 101].map(|price| trigger(kind, 100).is_met(side, Px(price * ONE)))
        };
        let (up, down) = ([false, true, true], [true, true, false]);
        assert_eq!(met(TriggerKind::Stop, Side::Buy), up);
        assert_eq!(met(TriggerKind::Stop, Side::Sell), down);
        assert_eq!(met(TriggerKind::TakeProfit, Side::Sell), up);
        assert_eq!(met(TriggerKind::TakeProfit, Side::Buy), down);
        for side in Side::ALL {
            assert_eq!(met(TriggerKind::Trailing, side), [false; 3]);
        }
    }

    #[test]
    fn a_trailing_order_follows_the_best_price() {
        let trailing = trigger(TriggerKind::Trailing, 100);
        let active = |side| [99, 100, 101].map(|price| trailing.activates(side, Px(price * ONE)));
        assert_eq!(active(Side::Sell), [false, true, true]);
        assert_eq!(active(Side::Buy), [true, true, false]);
        let at_once = Trigger { price: Px::ZERO, ..trailing };
        assert!(Side::ALL.into_iter().all(|side| at_once.activates(side, Px(1))));
        let to = |side, best| trailing.trails_to(side, Px(best));
        assert_eq!(to(Side::Sell, 200 * ONE), Some(Px(198 * ONE)));
        assert_eq!(to(Side::Buy, 200 * ONE), Some(Px(202 * ONE)));
        assert_eq!([to(Side::Sell, 10), to(Side::Buy, 10)], [Some(Px(9)), Some(Px(11))]);
        assert_eq!(to(Side::Buy, i64::MAX), None);
        let near = |trigger: Trigger| trigger.enters_near(Side::Sell, Px(50 * ONE));
        assert_eq!(near(trailing), Some(Px(99 * ONE)));
        assert_eq!(near(at_once), Some(Px(49 * ONE + ONE / 2)));
        assert_eq!(near(trigger(TriggerKind::Stop, 7)), Some(Px(7 * ONE)));
    }
}
