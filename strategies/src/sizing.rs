//! Prices on the tick grid and quantities on the lot grid, in integers.

use fusewire_core::instrument::Instrument;
use fusewire_core::market::Side;
use fusewire_core::units::{Bps, ONE, Px, Qty, Round, Usd, div_round};

/// How often a notional may be exceeded to meet the least that the exchange takes.
const NOTIONAL_TIMES_MAX: i128 = 2;

/// `numerator / denominator` as a price on the grid, away from the other side of the book for `Down` on a
/// bid and `Up` on an ask; none when it is not positive or out of range.
#[must_use]
pub fn on_grid(numerator: i128, denominator: i128, tick: Px, round: Round) -> Option<Px> {
    let tick = i128::from(tick.0);
    let ticks = div_round(numerator, denominator.checked_mul(tick)?, round)?;
    let price = i64::try_from(ticks.checked_mul(tick)?).ok()?;
    (price > 0).then_some(Px(price))
}

/// The worst price of an order that takes at `touch` and accepts `slippage` beyond it.
#[must_use]
pub fn through(touch: Px, side: Side, slippage: Bps, tick: Px) -> Option<Px> {
    let price = i128::from(touch.0);
    match side {
        Side::Buy => {
            let numerator = price.checked_mul(Bps::WHOLE + i128::from(slippage.0))?;
            on_grid(numerator, Bps::WHOLE, tick, Round::Down)
        }
        Side::Sell => {
            let numerator = price.checked_mul(Bps::WHOLE - i128::from(slippage.0))?;
            on_grid(numerator, Bps::WHOLE, tick, Round::Up)
        }
    }
}

/// A quantity as large as the lot steps allow for `notional`, or the least that the exchange takes; none
/// when that least costs more than twice the notional.
#[must_use]
pub fn qty_for(instrument: &Instrument, price: Px, notional: Usd) -> Option<Qty> {
    if price <= Px::ZERO {
        return None;
    }
    let wanted = lots(instrument, notional, price, Round::Down)?;
    let bounded = wanted.max(least(instrument, price)?).min(instrument.lot.max);
    let qty = steps(instrument, i128::from(bounded.0), Round::Down)?;
    let most = i128::from(notional.0).checked_mul(NOTIONAL_TIMES_MAX)?;
    let affordable = price.notional(qty, Round::Up).0 <= most;
    (affordable && meets_least(instrument, price, qty)).then_some(qty)
}

/// The smallest quantity on the lot grid that the exchange takes at this price.
#[must_use]
pub fn least(instrument: &Instrument, price: Px) -> Option<Qty> {
    let by_notional = match instrument.min_notional {
        Some(notional) => lots(instrument, notional, price, Round::Up)?,
        None => Qty::ZERO,
    };
    let by_lot = steps(instrument, i128::from(instrument.lot.min.0), Round::Up)?;
    Some(by_lot.max(by_notional).max(instrument.lot.step))
}

/// True when the exchange does not find the order too small.
#[must_use]
pub fn meets_least(instrument: &Instrument, price: Px, qty: Qty) -> bool {
    let least = instrument.min_notional.map_or(0, |least| i128::from(least.0));
    // Compared as exact products: rounded down, the notional is below the least when this is.
    let exact = i128::from(price.0) * i128::from(qty.0);
    qty >= instrument.lot.min && qty > Qty::ZERO && exact >= least * i128::from(ONE)
}

/// A raw quantity on the lot grid.
#[must_use]
pub fn steps(instrument: &Instrument, raw: i128, round: Round) -> Option<Qty> {
    let step = i128::from(instrument.lot.step.0);
    let count = div_round(raw, step, round)?;
    i64::try_from(count.checked_mul(step)?).ok().map(Qty)
}

/// What `notional` buys at `price`, on the lot grid.
#[must_use]
pub fn lots(instrument: &Instrument, notional: Usd, price: Px, round: Round) -> Option<Qty> {
    let step = i128::from(instrument.lot.step.0);
    let scaled = i128::from(notional.0).checked_mul(i128::from(ONE))?;
    let count = div_round(scaled, i128::from(price.0).checked_mul(step)?, round)?;
    i64::try_from(count.checked_mul(step)?).ok().map(Qty)
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::{Market, common};
    use proptest::prelude::*;

    use super::*;
    use crate::rig::{px, qty, usd};

    fn btc() -> Instrument {
        common(Market::UsdM, "BTCUSDT").unwrap()
    }

    #[test]
    fn quantities_are_rounded_down_to_the_step() {
        assert_eq!(qty_for(&btc(), px("60000"), usd("200")), Some(qty("0.003")));
        assert_eq!(qty_for(&btc(), px("66666.6"), usd("200")), Some(qty("0.003")));
        assert_eq!(qty_for(&btc(), px("66666.7"), usd("200")), Some(qty("0.002")));
    }

    #[test]
    fn what_is_too_small_grows_to_the_least_unless_that_is_too_much() {
        // The table's least notional is 50: one step of 0.001 at 40,000 is too small.
        assert_eq!(qty_for(&btc(), px("40000"), usd("45")), Some(qty("0.002")));
        assert_eq!(qty_for(&btc(), px("40000"), usd("39")), None);
        assert_eq!(qty_for(&btc(), px("400000"), usd("100")), None);
        assert_eq!(qty_for(&btc(), Px::ZERO, usd("100")), None);
        assert_eq!(qty_for(&btc(), px("-1"), usd("100")), None);
        let large = usd("90000000000");
        assert_eq!(qty_for(&btc(), px("1"), large), Some(qty("1000")));
    }

    #[test]
    fn slippage_is_a_bound_on_the_grid() {
        let one = Bps(10_000);
        assert_eq!(through(px("60000"), Side::Buy, one, px("0.1")), Some(px("60006")));
        assert_eq!(through(px("60000"), Side::Sell, one, px("0.1")), Some(px("59994")));
        assert_eq!(through(px("60000.1"), Side::Buy, one, px("0.1")), Some(px("60006.1")));
        assert_eq!(through(px("60000.1"), Side::Sell, one, px("0.1")), Some(px("59994.1")));
        assert_eq!(through(Px(i64::MAX), Side::Buy, one, px("0.1")), None);
    }

    proptest! {
        #[test]
        fn a_quantity_passes_the_filters_or_there_is_none(
            price in 1_i64..i64::MAX,
            notional in 1_i64..i64::MAX,
            step in 1_i64..10_i64.pow(12),
            min in 0_i64..10_i64.pow(12),
            min_notional in 0_i64..10_i64.pow(12),
        ) {
            let mut instrument = btc();
            (instrument.lot.step, instrument.lot.min) = (Qty(step), Qty(min));
            instrument.lot.max = Qty(step * 1_000_000);
            instrument.min_notional = Some(Usd(min_notional));
            if let Some(qty) = qty_for(&instrument, Px(price), Usd(notional)) {
                prop_assert_eq!(qty.0 % step, 0);
                prop_assert!(qty.0 >= min && qty > Qty::ZERO && qty <= instrument.lot.max);
                let value = Px(price).notional(qty, Round::Down).0;
                prop_assert!(value >= i128::from(min_notional));
                prop_assert!(value <= 2 * i128::from(notional));
            }
        }
    }
}
