//! `[[instrument]]`: a contract described by hand.

use fusewire_core::instrument::{
    ContractType, Instrument, Life, LotSize, Market, PercentPrice, report_key,
};
use fusewire_core::units::{NumberError, Px, Qty, Rate, Usd};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::number::{decimal, decimal_if, minimal, minimal_if};

/// One section. Decimals must be strings: a TOML float is not exact.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentEntry {
    market: String,
    symbol: String,
    contract: String,
    #[serde(deserialize_with = "decimal", serialize_with = "minimal")]
    tick: Decimal,
    #[serde(deserialize_with = "decimal", serialize_with = "minimal")]
    lot_step: Decimal,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_min: Option<Decimal>,
    #[serde(deserialize_with = "decimal", serialize_with = "minimal")]
    lot_max: Decimal,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    market_lot_max: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    min_notional: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_price_up: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_price_down: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_orders: Option<u32>,
    #[serde(default, deserialize_with = "decimal_if", serialize_with = "minimal_if")]
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_size: Option<Decimal>,
    #[serde(default = "places")]
    price_places: u32,
    #[serde(default = "places")]
    qty_places: u32,
}

/// Decimals printed when nothing is said: all that a unit keeps.
fn places() -> u32 {
    fusewire_core::units::DECIMALS
}

impl InstrumentEntry {
    /// Report key, for messages.
    #[must_use]
    pub fn key(&self) -> String {
        self.market
            .parse()
            .map_or_else(|_| self.symbol.clone(), |m: Market| report_key(m, &self.symbol))
    }

    /// The instrument that the section describes.
    ///
    /// # Errors
    /// The key at fault and what is wrong with its value.
    pub fn instrument(&self) -> Result<Instrument, String> {
        let market: Market = self.market.parse()?;
        let tick = fixed("tick", self.tick, Px::parse)?;
        let step = fixed("lot_step", self.lot_step, Qty::parse)?;
        if tick <= Px::ZERO || step <= Qty::ZERO {
            return Err("tick and lot_step must be above zero".to_owned());
        }
        if self.symbol.is_empty() || self.price_places > places() || self.qty_places > places() {
            return Err(format!(
                "symbol must not be empty, price_places and qty_places at most {}",
                places()
            ));
        }
        let min = self.lot_min.map_or(Ok(step), |min| fixed("lot_min", min, Qty::parse))?;
        let max = fixed("lot_max", self.lot_max, Qty::parse)?;
        let market_max =
            self.market_lot_max.map_or(Ok(max), |max| fixed("market_lot_max", max, Qty::parse))?;
        if min < Qty::ZERO || max < min || market_max < min {
            return Err(
                "lot_min must not be negative, lot_max and market_lot_max not below it".to_owned()
            );
        }
        if (i128::from(min.0)) % i128::from(step.0) != 0 {
            // Exchanges count their grid from the least quantity, strategies count it from zero.
            return Err("lot_min must be a multiple of lot_step".to_owned());
        }
        if self.max_orders == Some(0) || self.min_notional.is_some_and(|v| v < Decimal::ZERO) {
            return Err("max_orders must be above zero, min_notional not negative".to_owned());
        }
        let contract = contract_type(&self.contract)?;
        if (contract == ContractType::Spot) != (market == Market::Spot) {
            return Err(format!("contract '{}' does not exist in market {market}", self.contract));
        }
        let size = self.contract_size.unwrap_or(Decimal::ONE);
        if size <= Decimal::ZERO {
            return Err("contract_size must be above zero".to_owned());
        }
        Ok(Instrument {
            market,
            symbol: self.symbol.clone(),
            contract_type: contract,
            trading: true,
            tick: Some(tick),
            lot: LotSize { min, max, step },
            market_lot: LotSize { min, max: market_max, step },
            min_notional: self
                .min_notional
                .map(|v| fixed("min_notional", v, Usd::parse))
                .transpose()?,
            percent_price: self.percent_price()?,
            max_orders: self.max_orders,
            contract_size: fixed("contract_size", size, Usd::parse)?,
            price_places: self.price_places,
            qty_places: self.qty_places,
            life: Life::UNBOUNDED,
        })
    }

    fn percent_price(&self) -> Result<Option<PercentPrice>, String> {
        match (self.percent_price_up, self.percent_price_down) {
            (None, None) => Ok(None),
            // A band without the mark in it would keep every order in, the halt's too.
            (Some(up), Some(down))
                if up < Decimal::ONE || !(Decimal::ZERO..=Decimal::ONE).contains(&down) =>
            {
                Err("percent_price_up must be at least 1, percent_price_down 0 to 1".to_owned())
            }
            (Some(up), Some(down)) => Ok(Some(PercentPrice {
                up: fixed("percent_price_up", up, Rate::parse)?,
                down: fixed("percent_price_down", down, Rate::parse)?,
            })),
            _ => Err("percent_price_up and percent_price_down go together".to_owned()),
        }
    }
}

fn contract_type(text: &str) -> Result<ContractType, String> {
    match text {
        "perpetual" => Ok(ContractType::Perpetual),
        "dated" => Ok(ContractType::Dated),
        "tradfi" => Ok(ContractType::TradFiPerpetual),
        "spot" => Ok(ContractType::Spot),
        other => Err(format!("unknown contract '{other}' (perpetual, dated, tradfi or spot)")),
    }
}

fn fixed<T>(
    key: &str,
    value: Decimal,
    parse: fn(&[u8]) -> Result<T, NumberError>,
) -> Result<T, String> {
    parse(value.to_string().as_bytes()).map_err(|error| format!("{key} = \"{value}\": {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The required keys, with one of them (or another) set to `value`.
    fn entry(key: &str, value: &str) -> InstrumentEntry {
        let mut keys: toml::Table = r#"
            market = "usdm"
            symbol = "ABCUSDT"
            contract = "perpetual"
            tick = "0.1"
            lot_step = "0.01"
            lot_max = "500"
        "#
        .parse()
        .unwrap();
        keys.insert(
            key.to_owned(),
            format!("x = {value}").parse::<toml::Table>().unwrap()["x"].clone(),
        );
        keys.try_into().unwrap()
    }

    fn with(key: &str, value: &str) -> Result<Instrument, String> {
        entry(key, value).instrument()
    }

    #[test]
    fn what_is_not_said_follows_from_the_rest() {
        let found = with("contract", "\"dated\"").unwrap();
        let [step, max] = ["0.01", "500"].map(|text| Qty::parse(text.as_bytes()).unwrap());
        assert_eq!(found.lot, LotSize { min: step, max, step });
        assert_eq!((found.market_lot, found.contract_type), (found.lot, ContractType::Dated));
        assert_eq!((found.min_notional, found.percent_price, found.max_orders), (None, None, None));
        assert_eq!(found.contract_size, Usd::parse(b"1").unwrap());
        assert_eq!((found.price_places, found.qty_places, found.trading), (8, 8, true));
    }

    #[test]
    fn contracts_by_name() {
        for (name, expected) in [
            ("perpetual", ContractType::Perpetual),
            ("dated", ContractType::Dated),
            ("tradfi", ContractType::TradFiPerpetual),
            ("spot", ContractType::Spot),
        ] {
            assert_eq!(contract_type(name), Ok(expected));
        }
    }

    #[test]
    fn faults_name_the_key() {
        let grid = "tick and lot_step must be above zero";
        let text = "symbol must not be empty, price_places and qty_places at most 8";
        let pair = "percent_price_up and percent_price_down go together";
        for (key, value, fault) in [
            ("market", "\"USDM\"", "unknown market 'USDM' (usdm, coinm or spot)"),
            ("contract", "\"swap\"", "unknown contract 'swap' (perpetual, dated, tradfi or spot)"),
            ("tick", "\"0\"", grid),
            ("tick", "\"-1\"", grid),
            ("lot_step", "\"0\"", grid),
            ("lot_step", "\"-1\"", grid),
            ("symbol", "\"\"", text),
            ("price_places", "9", text),
            ("qty_places", "9", text),
            ("percent_price_up", "\"1.05\"", pair),
            ("percent_price_down", "\"0.95\"", pair),
            ("lot_max", "\"92233720369\"", "lot_max = \"92233720369\": out of range"),
        ] {
            assert_eq!(with(key, value).unwrap_err(), fault, "{key} = {value}");
        }
        for key in
            ["tick", "lot_step", "lot_min", "market_lot_max", "min_notional", "contract_size"]
        {
            let fault = format!("{key} = \"0.000000001\": more decimal places than the unit keeps");
            assert_eq!(with(key, "\"0.000000001\"").unwrap_err(), fault);
        }
    }

    #[test]
    fn values_that_would_keep_every_order_in_are_refused() {
        for (key, bad, good) in [
            ("lot_min", "\"0.015\"", "\"0.03\""),
            ("max_orders", "0", "1"),
            ("min_notional", "\"-5\"", "\"0\""),
            ("contract_size", "\"0\"", "\"100\""),
        ] {
            let fault = with(key, bad).unwrap_err();
            assert!(fault.contains(key), "{fault}");
            assert!(with(key, good).is_ok(), "{key}");
        }
        for (up, down, fits) in [
            ("1.05", "0.95", true),
            ("1", "1", true),
            ("0.99", "0.95", false),
            ("1.05", "1.01", false),
            ("1.05", "-0.1", false),
        ] {
            let mut entry = entry("percent_price_up", &format!("\"{up}\""));
            entry.percent_price_down = Some(down.parse().unwrap());
            assert_eq!(entry.instrument().is_ok(), fits, "{up} {down}");
        }
    }

    #[test]
    fn keys_are_those_of_reports() {
        assert_eq!(entry("market", "\"spot\"").key(), "SPOT:ABCUSDT");
        assert_eq!(entry("market", "\"coinm\"").key(), "ABCUSDT");
        assert_eq!(entry("market", "\"nowhere\"").key(), "ABCUSDT");
    }
}
