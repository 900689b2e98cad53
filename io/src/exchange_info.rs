//! Instruments from a recorded `exchangeInfo` answer of any of the three markets.

use fusewire_core::instrument::{ContractType, Instrument, LotSize, Market, PercentPrice};
use fusewire_core::units::{DECIMALS, Px, Qty, Rate, Usd};
use rust_decimal::Decimal;
use serde::Deserialize;
use thiserror::Error;

/// Why an answer holds no instruments.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExchangeInfoError {
    /// The body is no `exchangeInfo` answer.
    #[error("no exchangeInfo answer: {0}")]
    Json(String),
    /// A filter that every contract has is missing.
    #[error("{symbol}: filter {filter} is missing")]
    Missing {
        /// Symbol of the contract.
        symbol: String,
        /// Name of the filter.
        filter: &'static str,
    },
    /// A value that does not fit our units.
    #[error("{symbol}: {field} = {value} does not fit 8 decimals")]
    Value {
        /// Symbol of the contract.
        symbol: String,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: Decimal,
    },
}

/// The contracts of one answer. Those that can not be read are kept as errors, because one odd contract
/// among eight hundred must not hide the others, and must not pass for "not listed" either.
#[derive(Clone, Debug, Default)]
pub struct ExchangeInfo {
    rows: Vec<(String, Result<Instrument, ExchangeInfoError>)>,
}

impl ExchangeInfo {
    /// Reads a body. It is parsed in place, so the bytes are used up.
    ///
    /// # Errors
    /// `Json` when the body is no such answer.
    pub fn parse(body: &mut [u8], market: Market) -> Result<Self, ExchangeInfoError> {
        let answer: Answer = simd_json::serde::from_slice(body)
            .map_err(|error| ExchangeInfoError::Json(error.to_string()))?;
        let rows = answer
            .symbols
            .into_iter()
            .map(|contract| (contract.symbol.clone(), contract.instrument(market)))
            .collect();
        Ok(Self { rows })
    }

    /// The contract of a symbol; `None` when the answer does not list it.
    ///
    /// # Errors
    /// What was wrong with its row.
    pub fn find(&self, symbol: &str) -> Option<Result<&Instrument, &ExchangeInfoError>> {
        self.rows.iter().find(|(name, _)| name == symbol).map(|(_, row)| row.as_ref())
    }

    /// Number of contracts, readable or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when the answer lists nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[derive(Deserialize)]
struct Answer {
    symbols: Vec<Contract>,
}

/// One row. COIN-M says `contractStatus`, and only COIN-M has a contract size other than one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    symbol: String,
    #[serde(alias = "contractStatus", default)]
    status: String,
    contract_type: Option<String>,
    contract_size: Option<Decimal>,
    price_precision: Option<u32>,
    quantity_precision: Option<u32>,
    /// Spot names these two instead; futures rows have all four.
    quote_precision: Option<u32>,
    base_asset_precision: Option<u32>,
    #[serde(default)]
    filters: Vec<Filter>,
}

/// All filters have their fields in one flat shape; each uses a few. Unknown filters are passed over.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    filter_type: String,
    tick_size: Option<Decimal>,
    min_qty: Option<Decimal>,
    max_qty: Option<Decimal>,
    step_size: Option<Decimal>,
    #[serde(alias = "minNotional")]
    notional: Option<Decimal>,
    multiplier_up: Option<Decimal>,
    multiplier_down: Option<Decimal>,
    bid_multiplier_up: Option<Decimal>,
    ask_multiplier_down: Option<Decimal>,
    #[serde(alias = "maxNumOrders")]
    limit: Option<u32>,
}

impl Contract {
    fn instrument(&self, market: Market) -> Result<Instrument, ExchangeInfoError> {
        let lot = self.lot("LOT_SIZE")?;
        let tick = self.required("PRICE_FILTER", |f| f.tick_size)?;
        let tick = Px::parse_decimal(&self.symbol, "tickSize", tick)?;
        let size = self.contract_size.unwrap_or(Decimal::ONE);
        Ok(Instrument {
            market,
            symbol: self.symbol.clone(),
            contract_type: self.contract_type(market),
            trading: self.status == "TRADING",
            // "0" stands on contracts that do not trade yet, and would make every price valid.
            tick: Some(tick).filter(|&tick| tick > Px::ZERO),
            market_lot: self.lot("MARKET_LOT_SIZE").unwrap_or(lot),
            lot,
            min_notional: self.min_notional()?,
            percent_price: self.percent_price()?,
            max_orders: self.filter("MAX_NUM_ORDERS").and_then(|f| f.limit),
            contract_size: Usd::parse_decimal(&self.symbol, "contractSize", size)?,
            price_places: self.price_precision.or(self.quote_precision).unwrap_or(DECIMALS),
            qty_places: self.quantity_precision.or(self.base_asset_precision).unwrap_or(DECIMALS),
        })
    }

    fn filter(&self, name: &str) -> Option<&Filter> {
        self.filters.iter().find(|filter| filter.filter_type == name)
    }

    fn required(
        &self,
        filter: &'static str,
        field: impl Fn(&Filter) -> Option<Decimal>,
    ) -> Result<Decimal, ExchangeInfoError> {
        let missing = || ExchangeInfoError::Missing { symbol: self.symbol.clone(), filter };
        self.filter(filter).and_then(field).ok_or_else(missing)
    }

    fn lot(&self, name: &'static str) -> Result<LotSize, ExchangeInfoError> {
        let qty = |field: &'static str, value| Qty::parse_decimal(&self.symbol, field, value);
        Ok(LotSize {
            min: qty("minQty", self.required(name, |f| f.min_qty)?)?,
            max: qty("maxQty", self.required(name, |f| f.max_qty)?)?,
            step: qty("stepSize", self.required(name, |f| f.step_size)?)?,
        })
    }

    fn min_notional(&self) -> Result<Option<Usd>, ExchangeInfoError> {
        let filter = self.filter("MIN_NOTIONAL").or_else(|| self.filter("NOTIONAL"));
        let value = filter.and_then(|f| f.notional);
        value.map(|v| Usd::parse_decimal(&self.symbol, "minNotional", v)).transpose()
    }

    /// Futures have one multiplier each way; spot has them by side, of which the outer bounds are the
    /// ones that the futures rule names: a buy's upper and a sell's lower.
    fn percent_price(&self) -> Result<Option<PercentPrice>, ExchangeInfoError> {
        let rate = |field, value| Rate::parse_decimal(&self.symbol, field, value);
        let found = self
            .filter("PERCENT_PRICE")
            .map(|f| (f.multiplier_up, f.multiplier_down))
            .or_else(|| {
                self.filter("PERCENT_PRICE_BY_SIDE")
                    .map(|f| (f.bid_multiplier_up, f.ask_multiplier_down))
            });
        let Some((Some(up), Some(down))) = found else { return Ok(None) };
        Ok(Some(PercentPrice {
            up: rate("multiplierUp", up)?,
            down: rate("multiplierDown", down)?,
        }))
    }

    fn contract_type(&self, market: Market) -> ContractType {
        if market == Market::Spot {
            return ContractType::Spot;
        }
        match self.contract_type.as_deref() {
            Some("PERPETUAL") => ContractType::Perpetual,
            Some("TRADIFI_PERPETUAL") => ContractType::TradFiPerpetual,
            Some("CURRENT_MONTH" | "NEXT_MONTH" | "CURRENT_QUARTER" | "NEXT_QUARTER") => {
                ContractType::Dated
            }
            _ => ContractType::Unknown,
        }
    }
}

/// A decimal of a REST body as one of our units.
trait FromDecimal: Sized {
    fn parse_decimal(
        symbol: &str,
        field: &'static str,
        value: Decimal,
    ) -> Result<Self, ExchangeInfoError>;
}

macro_rules! from_decimal {
    ($($unit:ty),*) => {$(
        impl FromDecimal for $unit {
            fn parse_decimal(
                symbol: &str,
                field: &'static str,
                value: Decimal,
            ) -> Result<Self, ExchangeInfoError> {
                <$unit>::parse(value.to_string().as_bytes())
                    .map_err(|_| ExchangeInfoError::Value { symbol: symbol.to_owned(), field, value })
            }
        }
    )*};
}
from_decimal!(Px, Qty, Usd, Rate);

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"timezone":"UTC","symbols":[
        {"symbol":"AAAUSDT","contractType":"PERPETUAL","status":"TRADING","pricePrecision":3,"quantityPrecision":1,"quotePrecision":8,"baseAssetPrecision":8,
         "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.010"},
                    {"filterType":"LOT_SIZE","minQty":"0.1","maxQty":"500","stepSize":"0.1"},
                    {"filterType":"MARKET_LOT_SIZE","minQty":"0.1","maxQty":"50","stepSize":"0.1"},
                    {"filterType":"MAX_NUM_ORDERS","limit":200},{"filterType":"MIN_NOTIONAL","notional":"5"},
                    {"filterType":"PERCENT_PRICE","multiplierUp":"1.05","multiplierDown":"0.95","multiplierDecimal":"4"},
                    {"filterType":"SOMETHING_NEW","x":[1]}]},
        {"symbol":"BBBUSDT","contractType":"","status":"PENDING_TRADING",
         "filters":[{"filterType":"PRICE_FILTER","tickSize":"0"},
                    {"filterType":"LOT_SIZE","minQty":"1","maxQty":"9","stepSize":"1"}]},
        {"symbol":"CCCUSDT","contractType":"PERPETUAL","status":"TRADING","filters":[]}]}"#;

    fn parse(market: Market) -> ExchangeInfo {
        ExchangeInfo::parse(&mut BODY.as_bytes().to_vec(), market).unwrap()
    }

    #[test]
    fn filters_become_fields() {
        let info = parse(Market::UsdM);
        let found = info.find("AAAUSDT").unwrap().unwrap();
        assert_eq!(found.tick, Some(Px::parse(b"0.01").unwrap()));
        assert_eq!(found.lot.max, Qty::parse(b"500").unwrap());
        assert_eq!(found.market_lot.max, Qty::parse(b"50").unwrap());
        assert_eq!(found.min_notional, Some(Usd::parse(b"5").unwrap()));
        assert_eq!(found.max_orders, Some(200));
        assert_eq!(found.percent_price.unwrap().down, Rate::parse(b"0.95").unwrap());
        assert_eq!((found.price_places, found.qty_places), (3, 1));
        assert!(found.trading);
    }

    #[test]
    fn a_tick_of_zero_is_no_tick_and_unknown_types_are_named() {
        let info = parse(Market::UsdM);
        let pending = info.find("BBBUSDT").unwrap().unwrap();
        assert_eq!((pending.tick, pending.trading), (None, false));
        assert_eq!(pending.contract_type, ContractType::Unknown);
        assert_eq!(pending.market_lot, pending.lot);
    }

    #[test]
    fn a_broken_row_is_an_error_of_its_own() {
        let info = parse(Market::UsdM);
        let error = info.find("CCCUSDT").unwrap().unwrap_err();
        assert_eq!(error.to_string(), "CCCUSDT: filter LOT_SIZE is missing");
        assert!(info.find("DDDUSDT").is_none());
        assert_eq!(info.len(), 3);
    }

    #[test]
    fn no_answer_is_an_error() {
        let mut body = b"{\"code\":-1121,\"msg\":\"Invalid symbol.\"}".to_vec();
        let error = ExchangeInfo::parse(&mut body, Market::UsdM).unwrap_err();
        assert!(error.to_string().starts_with("no exchangeInfo answer"), "{error}");
    }
}
