//! One contract in the generator's own units: prices in ticks, quantities in lots of the lot step.

use fusewire_core::instrument::Instrument;
use fusewire_core::market::Level;
use fusewire_core::units::{ONE, Px, Qty};

use super::random::{mix, mix_text};

/// Where well-known contracts trade, in whole units of quote currency times 1e4.
const PRICES_E4: &[(&str, i64)] = &[
    ("BTC", 850_000_000),
    ("ETH", 30_000_000),
    ("BNB", 9_000_000),
    ("SOL", 1_400_000),
    ("XRP", 21_000),
    ("DOGE", 1_500),
    ("ADA", 4_000),
    ("AVAX", 135_000),
    ("LINK", 130_000),
    ("LTC", 820_000),
    ("BCH", 6_000_000),
    ("TRX", 2_900),
];
/// Fewer ticks than this make a market that can not move: the price is then derived from the tick.
const BASE_TICKS_MIN: i64 = 1_000;
/// More than this and one tick is lost in the noise.
const BASE_TICKS_MAX: i64 = 10_000_000;

/// What the model and the wire need to know of an instrument.
pub(super) struct Contract {
    /// As the exchange writes it.
    pub(super) symbol: String,
    /// Symbol part of stream names.
    pub(super) stream: String,
    /// Pair: the symbol without a delivery date.
    pub(super) pair: String,
    /// Tick size at 1e-8.
    pub(super) tick: i64,
    /// Lot step at 1e-8.
    pub(super) step: i64,
    /// Most lots in one order or level.
    pub(super) lots_max: i64,
    /// Price at the start, in ticks.
    pub(super) base_ticks: i64,
    /// Decimals of prices on the wire.
    pub(super) price_places: u32,
    /// Decimals of quantities on the wire.
    pub(super) qty_places: u32,
}

impl Contract {
    /// `None` without a usable tick; `Options::validate` names the reason.
    pub(super) fn new(instrument: &Instrument) -> Option<Self> {
        let tick = instrument.tick?;
        let step = instrument.lot.step.0;
        // Two orders may meet on one level: half of the range keeps the sum in `Qty`.
        let lots_max = instrument.lot.max.0.min(i64::MAX / 4).checked_div(step)?.max(1);
        Some(Self {
            symbol: instrument.symbol.clone(),
            stream: instrument.symbol.to_lowercase(),
            pair: instrument.symbol.split('_').next().unwrap_or_default().to_owned(),
            tick: tick.0,
            step,
            lots_max,
            base_ticks: base_ticks(instrument, tick)?,
            price_places: instrument.price_places,
            qty_places: instrument.qty_places,
        })
    }

    /// Lots worth about `usd` whole dollars at the base price, at least one.
    pub(super) fn lots(&self, usd: i64) -> i64 {
        let lot = i128::from(self.base_ticks) * i128::from(self.tick) * i128::from(self.step);
        let wanted = i128::from(usd) * i128::from(ONE) * i128::from(ONE) / lot.max(1);
        i64::try_from(wanted).unwrap_or(i64::MAX).clamp(1, self.lots_max)
    }

    /// A price in ticks.
    pub(super) fn price(&self, ticks: i64) -> Px {
        Px(ticks.saturating_mul(self.tick))
    }

    /// A quantity in lots.
    pub(super) fn qty(&self, lots: i64) -> Qty {
        Qty(lots.saturating_mul(self.step))
    }

    /// A level of the book.
    pub(super) fn level(&self, (ticks, lots): (i64, i64)) -> Level {
        Level { price: self.price(ticks), qty: self.qty(lots) }
    }
}

/// The price that a market starts at, in ticks: known, or ten to a hundred thousand ticks by a hash of
/// the symbol. `None` when four times that price would not fit `Px`.
pub(super) fn base_ticks(instrument: &Instrument, tick: Px) -> Option<i64> {
    let base = instrument.symbol.trim_end_matches("USDT").trim_end_matches("USDC");
    let known =
        PRICES_E4.iter().find(|(coin, _)| *coin == base).map(|(_, price)| price * (ONE / 10_000));
    let known = known.and_then(|price| price.checked_div(tick.0));
    let derived = 10_000 + (mix(mix_text(0, &instrument.symbol)) % 90_000).cast_signed();
    let ticks =
        known.filter(|ticks| (BASE_TICKS_MIN..=BASE_TICKS_MAX).contains(ticks)).unwrap_or(derived);
    ticks.checked_mul(tick.0)?.checked_mul(4).map(|_| ticks)
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::{Market, common};

    use super::*;

    #[test]
    fn prices_and_sizes_are_sensible() {
        let contract = |symbol| Contract::new(&common(Market::UsdM, symbol).unwrap()).unwrap();
        let btc = contract("BTCUSDT");
        assert_eq!(btc.price(btc.base_ticks), Px(85_000 * ONE));
        assert_eq!(btc.qty(btc.lots(17_000)), Qty(ONE / 5));
        assert_eq!(btc.lots(1), 1);
        assert_eq!(contract("ETHUSDC").base_ticks, 300_000);
        let wif = contract("WIFUSDT");
        assert!((10_000..100_000).contains(&wif.base_ticks));
        let dated = Instrument {
            symbol: "BTCUSDT_260327".to_owned(),
            ..common(Market::UsdM, "BTCUSDT").unwrap()
        };
        assert_eq!(Contract::new(&dated).unwrap().pair, "BTCUSDT");
    }
}
