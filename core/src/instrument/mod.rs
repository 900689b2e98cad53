//! Instruments: what the exchange allows on a contract, and the universe that interns their symbols.

use std::fmt;
use std::str::FromStr;

use crate::units::{Nanos, Px, Qty, Rate, Usd};

mod table;
mod universe;

pub use table::{COMMON, common};
pub use universe::{Universe, UniverseError};

/// A market of the exchange. It is known from where a frame came from, never from the frame itself:
/// spot and USD-M frames look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Market {
    /// USD-margined futures: quantities in coins.
    UsdM,
    /// Coin-margined futures: quantities in contracts. Observed only.
    CoinM,
    /// Spot. Observed only.
    Spot,
}

impl Market {
    /// All markets, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::UsdM, Self::CoinM, Self::Spot];

    /// The name on the command line, in configuration and as a file-name prefix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsdM => "usdm",
            Self::CoinM => "coinm",
            Self::Spot => "spot",
        }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Market {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|market| market.name() == text)
            .ok_or_else(|| format!("unknown market '{text}' (usdm, coinm or spot)"))
    }
}

/// What kind of contract it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractType {
    /// Perpetual future.
    Perpetual,
    /// Future with a delivery date.
    Dated,
    /// Perpetual on a traditional asset, which has trading sessions.
    TradFiPerpetual,
    /// Spot pair.
    Spot,
    /// A type that Fusewire does not know. Never tradable.
    Unknown,
}

/// PERCENT_PRICE filter: a buy may not be priced above mark x `up`, a sell not below mark x `down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PercentPrice {
    /// `multiplierUp`.
    pub up: Rate,
    /// `multiplierDown`.
    pub down: Rate,
}

/// Bounds of an order's quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotSize {
    /// Smallest quantity.
    pub min: Qty,
    /// Largest quantity.
    pub max: Qty,
    /// Step between quantities.
    pub step: Qty,
}

/// One contract and its filters. A filter that the exchange switches off (field `0`) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Market that it trades on.
    pub market: Market,
    /// Symbol as the exchange writes it. May hold letters beyond ASCII.
    pub symbol: String,
    /// Contract type.
    pub contract_type: ContractType,
    /// Status is `TRADING`. Anything else means no new orders.
    pub trading: bool,
    /// PRICE_FILTER tick size. None while a contract is pending: prices are then unchecked and nothing trades.
    pub tick: Option<Px>,
    /// LOT_SIZE.
    pub lot: LotSize,
    /// MARKET_LOT_SIZE.
    pub market_lot: LotSize,
    /// MIN_NOTIONAL.
    pub min_notional: Option<Usd>,
    /// PERCENT_PRICE.
    pub percent_price: Option<PercentPrice>,
    /// MAX_NUM_ORDERS: open orders per symbol.
    pub max_orders: Option<u32>,
    /// Value of one contract in quote currency on COIN-M; one coin elsewhere.
    pub contract_size: Usd,
    /// Decimals with which the exchange prints prices. Not the tick (BTCUSDT: 2, tick 0.10).
    pub price_places: u32,
    /// Decimals with which the exchange prints quantities.
    pub qty_places: u32,
    /// When it exists.
    pub life: Life,
}

/// From when until when a contract is traded. Before and behind it does not exist: a universe that is chosen today
/// must not trade it in the past (S0-31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its listing; none when it is not known, and then it was always there.
    pub listed: Option<Nanos>,
    /// Its end, at which the exchange ends all orders and settles what is held.
    pub delisted: Option<Nanos>,
}

impl Life {
    /// Without a known beginning or end.
    pub const UNBOUNDED: Self = Self { listed: None, delisted: None };

    /// True when the contract is traded at this time.
    #[must_use]
    pub fn holds(&self, at: Nanos) -> bool {
        self.listed.is_none_or(|listed| listed <= at)
            && self.delisted.is_none_or(|delisted| at < delisted)
    }
}

impl Instrument {
    /// Key in reports: `BTCUSDT`, `BTCUSD_PERP`, `SPOT:BTCUSDT`.
    #[must_use]
    pub fn key(&self) -> String {
        report_key(self.market, &self.symbol)
    }
}

/// Key of a symbol in reports.
#[must_use]
pub fn report_key(market: Market, symbol: &str) -> String {
    match market {
        Market::UsdM | Market::CoinM => symbol.to_owned(),
        Market::Spot => format!("SPOT:{symbol}"),
    }
}

/// Dense number of an instrument, in configuration order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstrumentId(pub u16);

impl InstrumentId {
    /// As an index into per-instrument tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_are_listed_in_order() {
        assert_eq!(Market::ALL.map(|market| market as u8), [0, 1, 2]);
    }

    #[test]
    fn markets_are_read_by_the_name_that_they_print() {
        for (name, market) in
            [("usdm", Market::UsdM), ("coinm", Market::CoinM), ("spot", Market::Spot)]
        {
            assert_eq!(name.parse(), Ok(market));
            assert_eq!(market.to_string(), name);
        }
        let error = "USDM".parse::<Market>().unwrap_err();
        assert_eq!(error, "unknown market 'USDM' (usdm, coinm or spot)");
    }

    #[test]
    fn only_spot_keys_name_their_market() {
        let keys = [Market::UsdM, Market::CoinM, Market::Spot].map(|m| report_key(m, "ABC"));
        assert_eq!(keys, ["ABC", "ABC", "SPOT:ABC"]);
        assert_eq!(common(Market::Spot, "BTCUSDT").unwrap().key(), "SPOT:BTCUSDT");
    }
}
