//! A book that nobody recorded: what is taken for its touch when only trades, or only bars, are known.
//!
//! Sequencer and paper venue both work it out here, so that a strategy and the venue that it trades on never
//! assume two different spreads.

use crate::book::Touch;
use crate::instrument::Instrument;
use crate::market::{Level, Side};
use crate::units::{Bps, Px, Qty, Round, Usd, div_round};

/// What market data a symbol has, and so how its orders are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataModel {
    /// Nothing that an order could be filled by.
    #[default]
    None,
    /// A book: filled at its depth and by its queue.
    Book,
    /// Trades without a book.
    Trades,
    /// Bars alone.
    Bars,
}

impl DataModel {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Book => "book",
            Self::Trades => "trades",
            Self::Bars => "bars",
        }
    }
}

/// The touch that is assumed around a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumedBook {
    /// Distance of ask and bid as a share of the price; each side is at least one tick away from it.
    pub spread: Bps,
    /// What stands on each side, in USDT.
    pub depth_notional: Usd,
}

impl Default for AssumedBook {
    fn default() -> Self {
        Self { spread: Bps(20_000), depth_notional: Usd(500_000_000_000) }
    }
}

impl AssumedBook {
    /// Checks the values.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn validate(&self) -> Result<(), String> {
        if !(0..=Bps::WHOLE).contains(&i128::from(self.spread.0)) {
            return Err(format!("spread_bp = {} is not within the price", self.spread));
        }
        if self.depth_notional <= Usd::ZERO {
            return Err(format!("depth_notional = {} is not above zero", self.depth_notional));
        }
        Ok(())
    }

    /// The price of the other side for an order of this side, when the last price is this: half a spread away,
    /// at least a tick, rounded against the order. None without a tick, or out of range.
    #[must_use]
    pub fn opposite(&self, side: Side, price: Px, tick: Px) -> Option<Px> {
        if price <= Px::ZERO || tick <= Px::ZERO {
            return None;
        }
        let (raw, grid) = (i128::from(price.0), i128::from(tick.0));
        let half = div_round(raw * i128::from(self.spread.0), 2 * Bps::WHOLE, Round::Up)?.max(grid);
        let (away, round) = match side {
            Side::Buy => (raw + half, Round::Up),
            Side::Sell => (raw - half, Round::Down),
        };
        let on_grid = div_round(away, grid, round)?.checked_mul(grid)?;
        i64::try_from(on_grid).ok().filter(|price| *price > 0).map(Px)
    }

    /// What stands at a price, on the lot grid and at least the smallest lot.
    #[must_use]
    pub fn qty(&self, price: Px, instrument: &Instrument) -> Qty {
        let (lot, one) = (instrument.lot, i128::from(crate::units::ONE));
        let qty = div_round(i128::from(self.depth_notional.0) * one, price.0.into(), Round::Down);
        let step = i128::from(lot.step.0.max(1));
        let qty = qty.map_or(0, |qty| qty - qty % step);
        Qty(i64::try_from(qty).unwrap_or(i64::MAX)).max(lot.min)
    }

    /// The touch around a last price; none where a side would leave its range.
    #[must_use]
    pub fn touch(&self, price: Px, instrument: &Instrument) -> Option<Touch> {
        let tick = instrument.tick?;
        let level = |side| {
            let price = self.opposite(side, price, tick)?;
            Some(Level { price, qty: self.qty(price, instrument) })
        };
        let (bid, ask) = (level(Side::Sell)?, level(Side::Buy)?);
        Some(Touch { bid: Some(bid), ask: Some(ask) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{LotSize, Market, common};

    fn px(text: &str) -> Px {
        Px::parse(text.as_bytes()).unwrap()
    }

    fn sides(spread: &str, price: &str, tick: &str) -> [Option<Px>; 2] {
        let spread = Bps::parse(spread.as_bytes()).unwrap();
        let book = AssumedBook { spread, ..AssumedBook::default() };
        [Side::Sell, Side::Buy].map(|side| book.opposite(side, px(price), px(tick)))
    }

    #[test]
    fn each_side_is_half_a_spread_away_and_rounded_outward() {
        // 1 bp of 60,000.5 is 6.00005.
        assert_eq!(sides("2", "60000.5", "0.1"), [Some(px("59994.4")), Some(px("60006.6"))]);
        assert_eq!(sides("2", "60000", "0.1"), [Some(px("59994")), Some(px("60006"))]);
    }

    #[test]
    fn each_side_is_at_least_a_tick_away() {
        assert_eq!(sides("0", "100", "0.5"), [Some(px("99.5")), Some(px("100.5"))]);
        assert_eq!(sides("2", "0.5", "0.1"), [Some(px("0.4")), Some(px("0.6"))]);
        // A price off the grid, as of bars that were averaged.
        assert_eq!(sides("0", "100.2", "0.5"), [Some(px("99.5")), Some(px("101"))]);
    }

    #[test]
    fn a_side_that_leaves_the_range_is_none() {
        assert_eq!(sides("2", "0.1", "0.1"), [None, Some(px("0.2"))]);
        let most = AssumedBook::default().opposite(Side::Buy, Px(i64::MAX), Px(1));
        assert_eq!(most, None);
        assert_eq!(AssumedBook::default().opposite(Side::Buy, Px(5), Px(0)), None);
    }

    #[test]
    fn the_touch_holds_the_notional_in_whole_lots() {
        let base = common(Market::UsdM, "BTCUSDT").unwrap();
        let lot = LotSize { min: Qty(100_000), max: Qty(i64::MAX), step: Qty(100_000) };
        let instrument = Instrument { tick: Some(px("0.1")), lot, ..base };
        let touch = AssumedBook::default().touch(px("60000"), &instrument).unwrap();
        let (bid, ask) = (touch.bid.unwrap(), touch.ask.unwrap());
        assert_eq!((bid.price, ask.price), (px("59994"), px("60006")));
        // 5,000 / 59,994 is 0.08334...
        assert_eq!((bid.qty, ask.qty), (Qty(8_300_000), Qty(8_300_000)));
        let dear = AssumedBook { depth_notional: Usd(1), ..AssumedBook::default() };
        assert_eq!(dear.qty(px("60000"), &instrument), lot.min);
    }

    #[test]
    fn errors_name_the_field() {
        let good = AssumedBook::default();
        assert_eq!(good.validate(), Ok(()));
        assert_eq!(good.spread, Bps::parse(b"2").unwrap());
        assert_eq!(good.depth_notional, Usd::parse(b"5000").unwrap());
        for (name, bad) in [
            ("spread_bp", AssumedBook { spread: Bps(-1), ..good }),
            ("spread_bp", AssumedBook { spread: Bps(100_000_001), ..good }),
            ("depth_notional", AssumedBook { depth_notional: Usd::ZERO, ..good }),
        ] {
            assert!(bad.validate().is_err_and(|text| text.starts_with(name)), "{bad:?}");
        }
    }
}
