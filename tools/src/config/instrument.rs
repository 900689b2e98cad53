//! `[[instrument]]`: a contract described by hand.

use fusewire_core::instrument::{
    ContractType, Instrument, LotSize, Market, PercentPrice, report_key,
};
use fusewire_core::units::{NumberError, Px, Qty, Rate, Usd};
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// One section. Decimals must be strings: a TOML float is not exact.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct InstrumentEntry {
    market: String,
    symbol: String,
    contract: String,
    #[serde(deserialize_with = "decimal")]
    tick: Decimal,
    #[serde(deserialize_with = "decimal")]
    lot_step: Decimal,
    #[serde(default, deserialize_with = "decimal_if")]
    lot_min: Option<Decimal>,
    #[serde(deserialize_with = "decimal")]
    lot_max: Decimal,
    #[serde(default, deserialize_with = "decimal_if")]
    market_lot_max: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if")]
    min_notional: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if")]
    percent_price_up: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal_if")]
    percent_price_down: Option<Decimal>,
    max_orders: Option<u32>,
    #[serde(default, deserialize_with = "decimal_if")]
    contract_size: Option<Decimal>,
    #[serde(default = "places")]
    price_places: u32,
    #[serde(default = "places")]
    qty_places: u32,
}

/// A decimal string. A TOML float has already lost digits when it gets here, so it is refused.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    Decimal::from_str_exact(&text)
        .map_err(|error| D::Error::custom(format!("\"{text}\" is no decimal: {error}")))
}

fn decimal_if<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    decimal(deserializer).map(Some)
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
        let contract = contract_type(&self.contract)?;
        if (contract == ContractType::Spot) != (market == Market::Spot) {
            return Err(format!("contract '{}' does not exist in market {market}", self.contract));
        }
        let size = self.contract_size.unwrap_or(Decimal::ONE);
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
        })
    }

    fn percent_price(&self) -> Result<Option<PercentPrice>, String> {
        match (self.percent_price_up, self.percent_price_down) {
            (None, None) => Ok(None),
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
