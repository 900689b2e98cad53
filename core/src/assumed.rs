//! A book that nobody recorded: what is taken for its touch when only trades, or only bars, are known.
//!
//! Sequencer and paper venue both work it out here, so that a strategy and the venue that it trades on never
//! assume two different spreads.

use crate::book::{BookSide, Touch};
use crate::instrument::{Instrument, LotSize};
use crate::market::{Level, Side};
use crate::units::{Bps, Nanos, Px, Qty, Round, Usd, div_round};

mod bands;

pub use bands::InnerBands;

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

/// What data a symbol has, and what was assumed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataSeen {
    /// How its orders are filled.
    pub model: DataModel,
    /// Touches that were assumed.
    pub touches: u64,
    /// Those of them of which a band made a side smaller.
    pub touches_bounded: u64,
    /// Bands of depth that were told, also beside a book.
    pub bands: u64,
}

/// The shortest bars of a symbol so far. Longer ones beside them hold the same trades once more, and count for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShortestBars {
    /// Their length in seconds.
    interval_s: Option<u32>,
}

impl ShortestBars {
    /// True when a bar of this length counts: none so far was shorter.
    pub fn takes(&mut self, interval_s: u32) -> bool {
        let shortest = self.interval_s.map_or(interval_s, |shortest| shortest.min(interval_s));
        self.interval_s = Some(shortest);
        interval_s == shortest
    }
}

/// Where the depth of an assumed book comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthFrom {
    /// The assumption alone.
    Assumption,
    /// A band of depth, which had less.
    Bands,
}

/// The touch that is assumed around a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumedBook {
    /// Distance of ask and bid as a share of the price; each side is at least one tick away from it.
    pub spread: Bps,
    /// What stands on each side, in USDT.
    pub depth_notional: Usd,
    /// Age of a band of depth up to which it makes that smaller.
    pub depth_band_age_max: Nanos,
}

impl Default for AssumedBook {
    fn default() -> Self {
        Self {
            spread: Bps(20_000),
            depth_notional: Usd(500_000_000_000),
            depth_band_age_max: Nanos(120 * Nanos::SECOND),
        }
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
        if self.depth_band_age_max == Nanos(0) {
            return Err("depth_band_age_max = 0 ns: no band would ever count".to_owned());
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

    /// What an order of this side meets, when the last price is this: on the lot grid, and zero where bands say that
    /// there is not even the smallest lot. None where the price would leave its range.
    #[must_use]
    pub fn level(
        &self,
        side: Side,
        last: Px,
        instrument: &Instrument,
        bands: &InnerBands,
        now: Nanos,
    ) -> Option<(Level, DepthFrom)> {
        let tick = instrument.tick?;
        let price = self.opposite(side, last, tick)?;
        let book_side = match side {
            Side::Buy => BookSide::Ask,
            Side::Sell => BookSide::Bid,
        };
        let spread = self.spread_at(last, tick)?;
        let bound = bands.within(book_side, spread, (now, self.depth_band_age_max));
        let bound = bound.and_then(|sum| i64::try_from(sum.0).ok()).map(Usd);
        let lot = &instrument.lot;
        Some(match bound.filter(|bound| *bound < self.depth_notional) {
            Some(bound) => {
                // Rounded up to a lot it would be more than there was.
                let qty = Some(whole_lots(bound, price, lot)).filter(|qty| *qty >= lot.min);
                (Level { price, qty: qty.unwrap_or(Qty::ZERO) }, DepthFrom::Bands)
            }
            None => {
                let qty = whole_lots(self.depth_notional, price, lot).max(lot.min);
                (Level { price, qty }, DepthFrom::Assumption)
            }
        })
    }

    /// The distance of ask and bid as a share of a price, with the tick that each is away at least. Rounded down: bands
    /// are the thinner for it.
    fn spread_at(&self, price: Px, tick: Px) -> Option<Bps> {
        let ticks = 2 * i128::from(tick.0) * Bps::WHOLE;
        let least = div_round(ticks, price.0.into(), Round::Down)?;
        Some(self.spread.max(Bps(i64::try_from(least).unwrap_or(i64::MAX))))
    }

    /// The touch around a last price, a side without depth left empty; none where a side would leave its range.
    #[must_use]
    pub fn touch(
        &self,
        last: Px,
        instrument: &Instrument,
        bands: &InnerBands,
        now: Nanos,
    ) -> Option<(Touch, DepthFrom)> {
        let (bid, below) = self.level(Side::Sell, last, instrument, bands, now)?;
        let (ask, above) = self.level(Side::Buy, last, instrument, bands, now)?;
        let [bid, ask] = [bid, ask].map(|level| Some(level).filter(|level| level.qty > Qty::ZERO));
        let from = if below == DepthFrom::Bands { below } else { above };
        Some((Touch { bid, ask }, from))
    }
}

/// The whole lots that an amount buys at a price.
fn whole_lots(notional: Usd, price: Px, lot: &LotSize) -> Qty {
    let one = i128::from(crate::units::ONE);
    let qty = div_round(i128::from(notional.0) * one, price.0.into(), Round::Down);
    let step = i128::from(lot.step.0.max(1));
    let qty = qty.map_or(0, |qty| qty - qty % step);
    Qty(i64::try_from(qty).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::DepthBand;
    use crate::instrument::{Market, common};
    use crate::units::{ONE, Wide};

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

    /// BTCUSDT in steps of 0.1 and lots of 0.001.
    fn instrument() -> Instrument {
        let base = common(Market::UsdM, "BTCUSDT").unwrap();
        let lot = LotSize { min: Qty(100_000), max: Qty(i64::MAX), step: Qty(100_000) };
        Instrument { tick: Some(px("0.1")), lot, ..base }
    }

    const NOW: Nanos = Nanos(1_000 * Nanos::SECOND);

    /// Bands of one percent with these USD of bids and asks, told at a time.
    fn bands(at: Nanos, usd: [i64; 2]) -> InnerBands {
        let mut bands = InnerBands::default();
        for (distance, usd) in [Bps(-1_000_000), Bps(1_000_000)].into_iter().zip(usd) {
            let notional = (i128::from(usd) * i128::from(ONE)).into();
            bands.see(&DepthBand { at, distance, qty: Wide::default(), notional });
        }
        bands
    }

    /// Quantities of bid and ask around 60,000, and where they come from.
    fn sizes(book: AssumedBook, bands: &InnerBands) -> ([Option<Qty>; 2], DepthFrom) {
        let (touch, from) = book.touch(px("60000"), &instrument(), bands, NOW).unwrap();
        ([touch.bid, touch.ask].map(|level| level.map(|level| level.qty)), from)
    }

    #[test]
    fn the_touch_holds_the_notional_in_whole_lots() {
        let none = InnerBands::default();
        let book = AssumedBook::default();
        let (touch, _) = book.touch(px("60000"), &instrument(), &none, NOW).unwrap();
        let (bid, ask) = (touch.bid.unwrap(), touch.ask.unwrap());
        assert_eq!((bid.price, ask.price), (px("59994"), px("60006")));
        // 5,000 / 59,994 is 0.08334...
        let both = [Some(Qty(8_300_000)); 2];
        assert_eq!(sizes(book, &none), (both, DepthFrom::Assumption));
        let dear = AssumedBook { depth_notional: Usd(1), ..book };
        assert_eq!(sizes(dear, &none).0, [Some(instrument().lot.min); 2]);
    }

    #[test]
    fn a_band_makes_its_side_smaller_and_none_larger() {
        let book = AssumedBook::default();
        let (assumed, lots) =
            (Some(Qty(8_300_000)), |thousandths: i64| Some(Qty(thousandths * 100_000)));
        // 1 bp of 100 bp: 300,000 USD are 3,000 at the touch, and that is 0.05000 of 59,994, 0.04999 of 60,006.
        for (usd, bid, ask, from) in [
            ([300_000, 300_000], lots(50), lots(49), DepthFrom::Bands),
            ([300_000, 500_000], lots(50), assumed, DepthFrom::Bands),
            ([900_000_000, 499_999], assumed, lots(83), DepthFrom::Bands),
            ([500_000, 500_000], assumed, assumed, DepthFrom::Assumption),
            // Less than the smallest lot, 60.006 USD, is nothing.
            ([5_999, 6_000], None, None, DepthFrom::Bands),
            ([6_000, 6_001], lots(1), lots(1), DepthFrom::Bands),
            ([0, 9_000_000], None, assumed, DepthFrom::Bands),
        ] {
            assert_eq!(sizes(book, &bands(NOW, usd)), ([bid, ask], from), "{usd:?}");
        }
    }

    #[test]
    fn less_than_the_smallest_lot_is_not_rounded_up_to_it() {
        let lot = LotSize { min: Qty(500_000), ..instrument().lot };
        let coarse = Instrument { lot, ..instrument() };
        let told = bands(NOW, [29_000, 31_000]);
        let (touch, _) = AssumedBook::default().touch(px("60000"), &coarse, &told, NOW).unwrap();
        // 290 USD at 59,994 are 4 lots of 0.001, and 310 at 60,006 are 5.
        assert_eq!((touch.bid, touch.ask.unwrap().qty), (None, Qty(500_000)));
    }

    #[test]
    fn bands_that_are_old_leave_the_assumption() {
        let book = AssumedBook::default();
        let at = Nanos(NOW.0 - book.depth_band_age_max.0);
        assert_eq!(sizes(book, &bands(at, [0, 0])), ([None, None], DepthFrom::Bands));
        let (both, from) = sizes(book, &bands(Nanos(at.0 - 1), [0, 0]));
        assert_eq!((both, from), ([Some(Qty(8_300_000)); 2], DepthFrom::Assumption));
    }

    /// Where a tick is more than half the spread, the touch is a tick away, and so is what stands before it.
    #[test]
    fn a_coarse_tick_is_the_distance_of_the_touch() {
        let coarse = Instrument { tick: Some(px("60")), ..instrument() };
        let told = bands(NOW, [30_000, 30_000]);
        let narrow = AssumedBook { spread: Bps::ZERO, ..AssumedBook::default() };
        // 60 of 60,000 are 10 bp: a tenth of the band. 3,000 / 59,940 is 0.05005.
        for book in [narrow, AssumedBook::default()] {
            let (touch, _) = book.touch(px("60000"), &coarse, &told, NOW).unwrap();
            assert_eq!(touch.bid, Some(Level { price: px("59940"), qty: Qty(5_000_000) }));
        }
    }

    proptest! {
        #[test]
        fn bands_never_make_a_touch_deeper(
            price in 1_i64..=i64::MAX / 4,
            tick in 1_i64..1_000_000,
            lots in (0_i64..1_000_000, 1_i64..1_000_000),
            spread in 0_i64..=100_000_000,
            depth in 1..=i64::MAX,
            // USD of any size, as most of all numbers are beyond whatever could bound.
            told in prop::collection::vec(
                (0_u64..300, -100_000_000_i64..=100_000_000, (0..=i128::MAX, 0_u32..127)),
                0..8,
            ),
        ) {
            let lot = LotSize { min: Qty(lots.0), max: Qty(i64::MAX), step: Qty(lots.1) };
            let instrument = Instrument { tick: Some(Px(tick)), lot, ..instrument() };
            let (spread, depth_notional) = (Bps(spread), Usd(depth));
            let book = AssumedBook { spread, depth_notional, ..AssumedBook::default() };
            let mut bands = InnerBands::default();
            for (second, distance, (notional, shift)) in told {
                let (at, distance) = (Nanos(second * Nanos::SECOND), Bps(distance));
                let notional = (notional >> shift).into();
                bands.see(&DepthBand { at, distance, qty: Wide::default(), notional });
            }
            let now = Nanos(300 * Nanos::SECOND);
            let alone = book.touch(Px(price), &instrument, &InnerBands::default(), now);
            let bounded = book.touch(Px(price), &instrument, &bands, now);
            prop_assert_eq!(alone.is_some(), bounded.is_some());
            if let Some(((alone, _), (bounded, _))) = alone.zip(bounded) {
                for (alone, bounded) in [(alone.bid, bounded.bid), (alone.ask, bounded.ask)] {
                    // Without bands a side is empty only where the smallest lot is zero.
                    let alone = alone.map_or(Qty::ZERO, |level| level.qty);
                    let qty = bounded.map_or(Qty::ZERO, |level| level.qty);
                    prop_assert!(qty <= alone && qty.0 % lot.step.0 == 0 || qty == alone);
                }
            }
        }
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
            ("depth_band_age_max", AssumedBook { depth_band_age_max: Nanos(0), ..good }),
        ] {
            assert!(bad.validate().is_err_and(|text| text.starts_with(name)), "{bad:?}");
        }
    }
}
