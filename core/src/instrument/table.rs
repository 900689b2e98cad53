//! Built-in table of common contracts, the last resort when neither configuration nor a recorded
//! `exchangeInfo` describes a symbol.
//!
//! Source: the exchange's public `exchangeInfo` answers, USD-M as of 2026-07-04; COIN-M and spot from
//! its contract specifications. Filters change: for trading, give a fresh `exchangeInfo`.

use super::ContractType::{self, Perpetual};
use super::Market::{self, CoinM, Spot, UsdM};
use super::{Instrument, Life, LotSize, PercentPrice};
use crate::units::{ONE, Px, Qty, Rate, Usd};

/// Open orders per symbol; the same on every contract of the table.
const MAX_ORDERS: u32 = 200;

/// One row of the table, as text so that it reads like the exchange's answer.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    market: Market,
    contract_type: ContractType,
    symbol: &'static str,
    tick: &'static str,
    step: &'static str,
    max_qty: &'static str,
    max_market_qty: &'static str,
    min_notional: &'static str,
    percent_price: [&'static str; 2],
    price_places: u32,
    qty_places: u32,
}

#[allow(clippy::too_many_arguments, reason = "a table row; the columns are named below")]
const fn row(
    market: Market,
    contract_type: ContractType,
    symbol: &'static str,
    tick: &'static str,
    step: &'static str,
    max_qty: &'static str,
    max_market_qty: &'static str,
    min_notional: &'static str,
    percent_price: [&'static str; 2],
    price_places: u32,
    qty_places: u32,
) -> Row {
    Row {
        market,
        contract_type,
        symbol,
        tick,
        step,
        max_qty,
        max_market_qty,
        min_notional,
        percent_price,
        price_places,
        qty_places,
    }
}

/// Market, type, symbol, tick, lot step, LOT_SIZE max, MARKET_LOT_SIZE max, min notional (empty: none),
/// PERCENT_PRICE up and down, printed decimals of price and quantity.
#[rustfmt::skip]
pub const COMMON: &[Row] = &[
    row(UsdM, Perpetual, "BTCUSDT", "0.1", "0.001", "1000", "120", "50", ["1.05", "0.95"], 2, 3),
    row(UsdM, Perpetual, "ETHUSDT", "0.01", "0.001", "10000", "2000", "20", ["1.05", "0.95"], 2, 3),
    row(UsdM, Perpetual, "BNBUSDT", "0.01", "0.01", "100000", "2000", "5", ["1.05", "0.95"], 3, 2),
    row(UsdM, Perpetual, "SOLUSDT", "0.01", "0.01", "1000000", "80000", "5", ["1.05", "0.95"], 4, 2),
    row(UsdM, Perpetual, "XRPUSDT", "0.0001", "0.1", "10000000", "2000000", "5", ["1.05", "0.95"], 4, 1),
    row(UsdM, Perpetual, "DOGEUSDT", "0.00001", "1", "300000000", "30000000", "5", ["1.1", "0.9"], 6, 0),
    row(UsdM, Perpetual, "ADAUSDT", "0.0001", "1", "30000000", "3000000", "5", ["1.05", "0.95"], 5, 0),
    row(UsdM, Perpetual, "AVAXUSDT", "0.001", "1", "500000", "50000", "5", ["1.1", "0.9"], 4, 0),
    row(UsdM, Perpetual, "LINKUSDT", "0.001", "0.01", "200000", "50000", "20", ["1.1", "0.9"], 3, 2),
    row(UsdM, Perpetual, "DOTUSDT", "0.001", "0.1", "3000000", "300000", "5", ["1.05", "0.95"], 3, 1),
    row(UsdM, Perpetual, "LTCUSDT", "0.01", "0.001", "20000", "5000", "20", ["1.05", "0.95"], 2, 3),
    row(UsdM, Perpetual, "BCHUSDT", "0.01", "0.001", "10000", "2000", "20", ["1.05", "0.95"], 2, 3),
    row(UsdM, Perpetual, "TRXUSDT", "0.00001", "1", "20000000", "5000000", "5", ["1.05", "0.95"], 5, 0),
    row(UsdM, Perpetual, "SUIUSDT", "0.0001", "0.1", "10000000", "600000", "5", ["1.15", "0.85"], 6, 1),
    row(UsdM, Perpetual, "APTUSDT", "0.0001", "0.1", "2000000", "200000", "5", ["1.1", "0.9"], 5, 1),
    row(UsdM, Perpetual, "NEARUSDT", "0.001", "1", "10000000", "400000", "5", ["1.1", "0.9"], 4, 0),
    row(UsdM, Perpetual, "UNIUSDT", "0.001", "1", "10000000", "100000", "5", ["1.1", "0.9"], 4, 0),
    row(UsdM, Perpetual, "ATOMUSDT", "0.001", "0.01", "2000000", "200000", "5", ["1.1", "0.9"], 3, 2),
    row(UsdM, Perpetual, "FILUSDT", "0.001", "0.1", "10000000", "600000", "5", ["1.1", "0.9"], 3, 1),
    row(UsdM, Perpetual, "ETCUSDT", "0.001", "0.01", "300000", "30000", "20", ["1.1", "0.9"], 3, 2),
    row(UsdM, Perpetual, "ARBUSDT", "0.00001", "0.1", "60000000", "6000000", "5", ["1.15", "0.85"], 6, 1),
    row(UsdM, Perpetual, "OPUSDT", "0.0001", "0.1", "10000000", "900000", "5", ["1.1", "0.9"], 7, 1),
    row(UsdM, Perpetual, "INJUSDT", "0.001", "0.1", "1000000", "40000", "5", ["1.1", "0.9"], 6, 1),
    row(UsdM, Perpetual, "AAVEUSDT", "0.01", "0.1", "1000000", "9000", "5", ["1.1", "0.9"], 3, 1),
    row(UsdM, Perpetual, "HYPEUSDT", "0.001", "0.01", "200000", "20000", "5", ["1.15", "0.85"], 5, 2),
    row(UsdM, Perpetual, "WIFUSDT", "0.0001", "0.1", "5000000", "500000", "5", ["1.15", "0.85"], 7, 1),
    row(UsdM, Perpetual, "ENAUSDT", "0.00001", "1", "20000000", "2000000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "1000PEPEUSDT", "0.0000001", "1", "800000000", "100000000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "1000SHIBUSDT", "0.000001", "1", "800000000", "50000000", "5", ["1.1", "0.9"], 6, 0),
    row(UsdM, Perpetual, "1000BONKUSDT", "0.000001", "1", "200000000", "20000000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "SANDUSDT", "0.00001", "1", "20000000", "2000000", "5", ["1.1", "0.9"], 5, 0),
    row(UsdM, Perpetual, "CHRUSDT", "0.00001", "1", "40000000", "4000000", "5", ["1.1", "0.9"], 7, 0),
    row(UsdM, Perpetual, "NEOUSDT", "0.001", "0.01", "400000", "40000", "5", ["1.05", "0.95"], 3, 2),
    row(UsdM, Perpetual, "CTKUSDT", "0.0001", "1", "5000000", "500000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "BATUSDT", "0.0001", "0.1", "10000000", "1000000", "5", ["1.1", "0.9"], 4, 1),
    row(UsdM, Perpetual, "SUSHIUSDT", "0.0001", "1", "10000000", "500000", "5", ["1.1", "0.9"], 4, 0),
    row(UsdM, Perpetual, "XLMUSDT", "0.00001", "1", "10000000", "2000000", "5", ["1.05", "0.95"], 5, 0),
    row(UsdM, Perpetual, "WLDUSDT", "0.0001", "1", "6000000", "600000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "TIAUSDT", "0.0001", "1", "3000000", "300000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "SEIUSDT", "0.00001", "1", "20000000", "2000000", "5", ["1.15", "0.85"], 7, 0),
    row(UsdM, Perpetual, "BTCUSDC", "0.1", "0.001", "800", "50", "50", ["1.05", "0.95"], 1, 3),
    row(UsdM, Perpetual, "ETHUSDC", "0.01", "0.001", "8000", "700", "20", ["1.05", "0.95"], 2, 3),
    row(CoinM, Perpetual, "BTCUSD_PERP", "0.1", "1", "1000000", "60000", "", ["1.05", "0.95"], 1, 0),
    row(CoinM, Perpetual, "ETHUSD_PERP", "0.01", "1", "1000000", "60000", "", ["1.05", "0.95"], 2, 0),
    row(Spot, ContractType::Spot, "BTCUSDT", "0.01", "0.00001", "9000", "100", "5", ["5", "0.2"], 8, 8),
    row(Spot, ContractType::Spot, "ETHUSDT", "0.01", "0.0001", "9000", "2000", "5", ["5", "0.2"], 8, 8),
];

/// The built-in description of a symbol, if there is one.
#[must_use]
pub fn common(market: Market, symbol: &str) -> Option<Instrument> {
    let row = COMMON.iter().find(|row| row.market == market && row.symbol == symbol)?;
    let qty = |text: &str| Qty::parse(text.as_bytes()).expect("the table parses, a test checks it");
    let rate =
        |text: &str| Rate::parse(text.as_bytes()).expect("the table parses, a test checks it");
    let lot = |max: &str| LotSize { min: qty(row.step), max: qty(max), step: qty(row.step) };
    let [up, down] = row.percent_price.map(rate);
    Some(Instrument {
        market,
        symbol: symbol.to_owned(),
        contract_type: row.contract_type,
        trading: true,
        tick: Px::parse(row.tick.as_bytes()).ok(),
        lot: lot(row.max_qty),
        market_lot: lot(row.max_market_qty),
        min_notional: Usd::parse(row.min_notional.as_bytes()).ok(),
        percent_price: Some(PercentPrice { up, down }),
        max_orders: Some(MAX_ORDERS),
        contract_size: contract_size(market, symbol),
        price_places: row.price_places,
        qty_places: row.qty_places,
        life: Life::UNBOUNDED,
    })
}

/// COIN-M contracts are worth 100 USD on BTC and 10 USD on every other coin.
fn contract_size(market: Market, symbol: &str) -> Usd {
    match market {
        UsdM | Spot => Usd(ONE),
        CoinM if symbol.starts_with("BTC") => Usd(100 * ONE),
        CoinM => Usd(10 * ONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_parses_and_is_unique() {
        for (index, row) in COMMON.iter().enumerate() {
            let instrument = common(row.market, row.symbol).unwrap();
            assert!(instrument.tick.unwrap() > Px::ZERO, "{}", row.symbol);
            assert!(instrument.lot.step > Qty::ZERO && instrument.lot.max > instrument.lot.min);
            assert!(instrument.market_lot.max <= instrument.lot.max, "{}", row.symbol);
            assert_eq!(instrument.min_notional.is_none(), row.min_notional.is_empty());
            let same = |other: &Row| other.market == row.market && other.symbol == row.symbol;
            assert_eq!(COMMON.iter().position(same), Some(index), "{} is listed twice", row.symbol);
        }
        assert_eq!(common(CoinM, "BTCUSD_PERP").unwrap().contract_size, Usd(100 * ONE));
        assert!(common(Spot, "NOSUCH").is_none());
    }

    #[test]
    fn columns_become_fields() {
        let (px, qty) = (|s: &str| Px::parse(s.as_bytes()), |s: &str| Qty::parse(s.as_bytes()));
        let bnb = common(UsdM, "BNBUSDT").unwrap();
        assert_eq!((bnb.market, bnb.symbol.as_str(), bnb.trading), (UsdM, "BNBUSDT", true));
        assert_eq!(bnb.contract_type, Perpetual);
        assert_eq!(bnb.tick, px("0.01").ok());
        let lots = |max| LotSize {
            min: qty("0.01").unwrap(),
            max: qty(max).unwrap(),
            step: qty("0.01").unwrap(),
        };
        assert_eq!((bnb.lot, bnb.market_lot), (lots("100000"), lots("2000")));
        assert_eq!(bnb.min_notional, Some(Usd(5 * ONE)));
        let [up, down] = ["1.05", "0.95"].map(|s| Rate::parse(s.as_bytes()).unwrap());
        assert_eq!(bnb.percent_price, Some(PercentPrice { up, down }));
        assert_eq!((bnb.max_orders, bnb.contract_size), (Some(200), Usd(ONE)));
        assert_eq!((bnb.price_places, bnb.qty_places), (3, 2));
    }

    #[test]
    fn contracts_are_sized_by_market_and_coin() {
        assert_eq!(common(CoinM, "ETHUSD_PERP").unwrap().contract_size, Usd(10 * ONE));
        assert_eq!(common(Spot, "BTCUSDT").unwrap().contract_size, Usd(ONE));
        assert_eq!(common(UsdM, "BTCUSDT").unwrap().contract_size, Usd(ONE));
    }
}
