//! Where the rungs lie, and how much of a position each one holds: pure functions, in integers.

use fusewire_core::instrument::Instrument;
use fusewire_core::market::Side;
use fusewire_core::portfolio::Position;
use fusewire_core::units::{Bps, Px, Qty, Round};

use super::GridConfig;
use crate::market::Best;
use crate::sizing::{self, on_grid};

/// A grid in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ladder {
    /// The price in its middle, on which no entry rests.
    pub(super) anchor: Px,
    /// Distance of two rungs.
    step: Px,
    /// Of one rung.
    pub(super) qty: Qty,
    levels: u32,
}

impl Ladder {
    /// A grid around the mid; none when the exchange would not take its orders.
    pub(super) fn around(
        best: &Best,
        instrument: &Instrument,
        tick: Px,
        config: &GridConfig,
    ) -> Option<Self> {
        let anchor = on_grid(best.doubled_mid(), 2, tick, Round::HalfEven)?;
        let wide = i128::from(anchor.0).checked_mul(i128::from(config.step.0))?;
        let step = on_grid(wide, Bps::WHOLE, tick, Round::HalfEven).unwrap_or(tick);
        let qty = sizing::qty_for(instrument, anchor, config.notional)?;
        let ladder = Self { anchor, step, qty, levels: config.levels };
        // Where a step is one tick the farthest rungs could end up at nothing.
        let farthest = ladder.price(Side::Buy, config.levels)?;
        ladder.price(Side::Sell, config.levels)?;
        (farthest > Px::ZERO).then_some(ladder)
    }

    /// So many steps away from the anchor: below it for buys, above it for sells.
    fn price(&self, side: Side, steps: u32) -> Option<Px> {
        let distance = Px(self.step.0.checked_mul(i64::from(steps))?);
        match side {
            Side::Buy => self.anchor.checked_sub(distance),
            Side::Sell => self.anchor.checked_add(distance),
        }
    }

    /// Where a rung is entered. Rungs count from 1, the one next to the anchor.
    pub(super) fn entry(&self, side: Side, rung: u32) -> Option<Px> {
        self.price(side, rung)
    }

    /// Where it is left again: one step nearer to the anchor.
    pub(super) fn exit(&self, side: Side, rung: u32) -> Option<Px> {
        self.price(side, rung.saturating_sub(1))
    }

    /// What a rung holds of a position. Prices are met from the inside out, so that the inner rungs are
    /// full first, and the outermost has all that is beyond.
    pub(super) fn held(&self, side: Side, rung: u32, position: &Position) -> i128 {
        if position.reducing_side() != Some(side.opposite()) {
            return 0;
        }
        let inner = i128::from(self.qty.0) * i128::from(rung.saturating_sub(1));
        let rest = (position.size().0 - inner).max(0);
        if rung == self.levels { rest } else { rest.min(i128::from(self.qty.0)) }
    }

    /// True when the mid lies more than one step beyond the outermost rungs.
    pub(super) fn is_left_by(&self, best: &Best) -> bool {
        let off = (best.doubled_mid() - 2 * i128::from(self.anchor.0)).abs();
        off > 2 * i128::from(self.step.0) * (i128::from(self.levels) + 1)
    }
}

/// A price that would rest: `wanted`, or as near to it as the other side of the book allows.
pub(super) fn passive(best: &Best, side: Side, wanted: Px, tick: Px) -> Option<Px> {
    match side {
        Side::Buy => {
            let most = i128::from(best.ask.price.checked_sub(tick)?.0);
            on_grid(most.min(i128::from(wanted.0)), 1, tick, Round::Down)
        }
        Side::Sell => {
            let least = i128::from(best.bid.price.checked_add(tick)?.0);
            on_grid(least.max(i128::from(wanted.0)), 1, tick, Round::Up)
        }
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::{Market, common};
    use fusewire_core::market::Level;
    use fusewire_core::units::{Bps, ONE, QtySum, Usd, UsdSum};
    use proptest::prelude::*;

    use super::*;
    use crate::rig::{px, qty};

    fn best(bid: &str, ask: &str) -> Best {
        let level = |price| Level { price: px(price), qty: Qty(ONE) };
        Best { bid: level(bid), ask: level(ask) }
    }

    fn ladder(config: &GridConfig) -> Option<Ladder> {
        let btc = common(Market::UsdM, "BTCUSDT").unwrap();
        Ladder::around(&best("59999.9", "60000.1"), &btc, px("0.1"), config)
    }

    fn holding(raw: i64) -> Position {
        Position { qty: Qty(raw), cost: UsdSum::ZERO, bought: QtySum::ZERO, ..Position::default() }
    }

    #[test]
    fn rungs_stand_one_step_apart_and_leave_one_step_nearer() {
        let ladder = ladder(&GridConfig::default()).unwrap();
        assert_eq!((ladder.anchor, ladder.qty), (px("60000"), qty("0.003")));
        let entries = |side| [1, 4].map(|rung| ladder.entry(side, rung).unwrap().to_string());
        assert_eq!(entries(Side::Buy), ["59940", "59760"]);
        assert_eq!(entries(Side::Sell), ["60060", "60240"]);
        assert_eq!(ladder.exit(Side::Buy, 1), Some(ladder.anchor));
        assert_eq!(ladder.exit(Side::Sell, 3), ladder.entry(Side::Sell, 2));
        assert!(!ladder.is_left_by(&best("59699.9", "59700.1")));
        assert!(ladder.is_left_by(&best("59699.8", "59700")));
    }

    #[test]
    fn a_step_is_at_least_a_tick_and_an_order_at_least_what_the_exchange_takes() {
        let step = Bps(1);
        let narrow = ladder(&GridConfig { step, ..GridConfig::default() }).unwrap();
        assert_eq!(narrow.entry(Side::Buy, 1), Some(px("59999.9")));
        assert_eq!(ladder(&GridConfig { notional: Usd(20 * ONE), ..GridConfig::default() }), None);
    }

    #[test]
    fn an_order_that_would_take_rests_beside_the_touch() {
        let best = best("100", "100.5");
        let at = |side, wanted| passive(&best, side, px(wanted), px("0.1")).unwrap().to_string();
        assert_eq!([at(Side::Buy, "99"), at(Side::Buy, "101")], ["99", "100.4"]);
        assert_eq!([at(Side::Sell, "101"), at(Side::Sell, "99")], ["101", "100.1"]);
    }

    proptest! {
        #[test]
        fn the_rungs_hold_the_position_and_nothing_else(raw in -5_000_000_i64..5_000_000) {
            let ladder = ladder(&GridConfig::default()).unwrap();
            let position = holding(raw);
            let held = |side| -> i128 { (1..=4).map(|rung| ladder.held(side, rung, &position)).sum() };
            prop_assert_eq!(held(Side::Buy) - held(Side::Sell), i128::from(raw));
            prop_assert!(held(Side::Buy) == 0 || held(Side::Sell) == 0);
            for rung in 1..4 {
                prop_assert!(ladder.held(Side::Buy, rung, &position) <= i128::from(ladder.qty.0));
            }
        }
    }
}
