//! Where `quoter` wants its quotes: pure functions of touch, inventory and parameters, in integers.

use fusewire_core::market::Side;
use fusewire_core::units::{Bps, Px, Round, Usd, UsdSum, div_round};

use super::QuoterConfig;
use crate::market::Best;
use crate::sizing::on_grid;

/// How far the reservation price lies below the mid: above zero for a long.
pub(super) fn skew(inventory: UsdSum, config: &QuoterConfig) -> Bps {
    let full = i128::from(config.inventory_max.0);
    let held = inventory.0.clamp(-full, full);
    let skew = div_round(i128::from(config.skew.0) * held, full, Round::Truncate);
    skew.and_then(|skew| i64::try_from(skew).ok()).map_or(Bps::ZERO, Bps)
}

/// The price of a quote; none when it would not be positive.
pub(super) fn quote(
    best: &Best,
    side: Side,
    skew: Bps,
    tick: Px,
    config: &QuoterConfig,
) -> Option<Px> {
    let (half, skew) = (i128::from(config.half_spread.0), i128::from(skew.0));
    let doubled_mid = best.doubled_mid();
    let (bid, ask) = (best.bid.price, best.ask.price);
    let is_wide = is_wider(best, config.wide_spread);
    match side {
        Side::Buy => {
            let wanted = doubled_mid.checked_mul(Bps::WHOLE - half - skew)?;
            let price = on_grid(wanted, 2 * Bps::WHOLE, tick, Round::Down)?;
            let most = if is_wide { ask.checked_sub(tick)? } else { bid };
            on_grid(i128::from(price.min(most).0), 1, tick, Round::Down)
        }
        Side::Sell => {
            let wanted = doubled_mid.checked_mul(Bps::WHOLE + half - skew)?;
            let price = on_grid(wanted, 2 * Bps::WHOLE, tick, Round::Up)?;
            let least = if is_wide { bid.checked_add(tick)? } else { ask };
            on_grid(i128::from(price.max(least).0), 1, tick, Round::Up)
        }
    }
}

/// Smallest move that is worth an amend at this price.
pub(super) fn threshold(price: Px, tick: Px, config: &QuoterConfig) -> i128 {
    let part = i128::from(price.0) * i128::from(config.requote.0);
    let part = div_round(part, Bps::WHOLE, Round::Truncate).unwrap_or(i128::MAX);
    part.max(i128::from(tick.0) * i128::from(config.requote_ticks))
}

/// True when a position, given as its worth at the mark, is larger than the limit.
pub(super) fn is_above(inventory: UsdSum, limit: Usd) -> bool {
    inventory.0.abs() > i128::from(limit.0)
}

fn is_wider(best: &Best, than: Bps) -> bool {
    let spread = i128::from(best.ask.price.0) - i128::from(best.bid.price.0);
    2 * spread * Bps::WHOLE > best.doubled_mid() * i128::from(than.0)
}

#[cfg(test)]
mod tests {
    use fusewire_core::market::Level;
    use fusewire_core::units::{ONE, Qty};
    use proptest::prelude::*;

    use super::*;
    use crate::rig::px;

    fn best(bid: Px, ask: Px) -> Best {
        let level = |price| Level { price, qty: Qty(ONE) };
        Best { bid: level(bid), ask: level(ask) }
    }

    #[track_caller]
    fn both(bid: &str, ask: &str, inventory: i128, expected: [&str; 2]) {
        let config = QuoterConfig::default();
        let skew = skew(UsdSum(inventory * i128::from(ONE)), &config);
        let best = best(px(bid), px(ask));
        let found = [Side::Buy, Side::Sell]
            .map(|side| quote(&best, side, skew, px("0.1"), &config).unwrap().to_string());
        assert_eq!(found, expected);
    }

    #[test]
    fn quotes_stand_half_a_spread_off_the_mid() {
        both("59999.9", "60000.1", 0, ["59994", "60006"]);
        // An odd mid is rounded away from it on both sides.
        both("60000", "60000.1", 0, ["59994", "60006.1"]);
    }

    #[test]
    fn inventory_moves_both_quotes_against_it_up_to_the_full_skew() {
        both("59999.9", "60000.1", 500, ["59988", "60000.1"]);
        // At full inventory the ask wants to be below the touch, and joins it.
        both("59999.9", "60000.1", 1_000, ["59982", "60000.1"]);
        both("59999.9", "60000.1", 9_000, ["59982", "60000.1"]);
        both("59999.9", "60000.1", -250, ["59997", "60009"]);
        both("59999.9", "60000.1", -1_000, ["59999.9", "60018"]);
    }

    #[test]
    fn only_a_wide_spread_is_quoted_into() {
        // 5 bp of 60,000 are 30.
        both("59985", "60015", 0, ["59985", "60015"]);
        both("59984.9", "60015", 0, ["59993.9", "60006"]);
        // With a skew the ask goes down to one tick above the bid and no further.
        both("59984.9", "60015", 1_000, ["59981.9", "59994"]);
    }

    proptest! {
        #[test]
        fn quotes_never_cross_each_other_or_the_touch(
            bid in 1_i64..i64::MAX / 2,
            spread in 1_i64..i64::MAX / 2,
            tick in 1_i64..10_i64.pow(9),
            inventory in any::<i64>(),
            half in 1_i64..10_000_000,
            full in 0_i64..10_000_000,
        ) {
            let config =
                QuoterConfig { half_spread: Bps(half), skew: Bps(full), ..Default::default() };
            let best = best(Px(bid), Px(bid + spread));
            let skew = skew(UsdSum(i128::from(inventory)), &config);
            prop_assert!(skew.0.abs() <= full);
            let [buy, sell] =
                [Side::Buy, Side::Sell].map(|side| quote(&best, side, skew, Px(tick), &config));
            if let Some(buy) = buy {
                prop_assert!(buy < best.ask.price && buy.0 % tick == 0);
            }
            if let Some(sell) = sell {
                prop_assert!(sell > best.bid.price && sell.0 % tick == 0);
            }
            if let (Some(buy), Some(sell)) = (buy, sell) {
                prop_assert!(buy < sell);
            }
        }
    }
}
