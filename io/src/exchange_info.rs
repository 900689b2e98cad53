//! Instruments from a recorded `exchangeInfo` answer of any of the three markets.

use std::borrow::Cow;

use fusewire_core::instrument::{ContractType, Instrument, Life, LotSize, Market, PercentPrice};
use fusewire_core::units::{DECIMALS, Nanos, NumberError, ONE, Px, Qty, Rate, Usd, parse_fixed};
use simd_json::BorrowedValue;
use simd_json::prelude::*;
use thiserror::Error;

/// Longest part of a refused value that an error text repeats, in characters.
const VALUE_CHARS_MAX: usize = 60;

/// Why an answer, or a contract of it, can not be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExchangeInfoError {
    /// The body is no `exchangeInfo` answer.
    #[error("no exchangeInfo answer: {0}")]
    Json(String),
    /// The answer is one of USD-M: its quantities and sizes would mean something else.
    #[error("an exchangeInfo of usdm, not of {given}")]
    WrongMarket {
        /// The market that it was given for.
        given: Market,
    },
    /// A filter, or a field of one, that a contract can not do without.
    #[error("{symbol}: {what} is missing")]
    Missing {
        /// Symbol of the contract.
        symbol: String,
        /// The filter, or filter and field.
        what: String,
    },
    /// A value that is no limit: not a number, beyond our units, or against its neighbours.
    #[error("{symbol}: {field} = {value}: {why}")]
    Value {
        /// Symbol of the contract.
        symbol: String,
        /// Name of the field, after its filter's if it stands in one.
        field: String,
        /// Its value as it stands in the answer.
        value: String,
        /// What is wrong with it.
        why: String,
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
    /// `Json` when the body is no such answer, or no JSON with integers of at most 64 bits;
    /// `WrongMarket` when it says that it is of another one.
    pub fn parse(body: &mut [u8], market: Market) -> Result<Self, ExchangeInfoError> {
        let answer = simd_json::to_borrowed_value(body)
            .map_err(|error| ExchangeInfoError::Json(error.to_string()))?;
        let symbols = answer
            .get_array("symbols")
            .ok_or_else(|| ExchangeInfoError::Json("it has no list of symbols".to_owned()))?;
        // Only USD-M says what it is; of the others nothing but their symbols could tell.
        if answer.get_str("futuresType") == Some("U_MARGINED") && market != Market::UsdM {
            return Err(ExchangeInfoError::WrongMarket { given: market });
        }
        let rows = symbols.iter().enumerate().map(|(at, row)| named(at, row, market)).collect();
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

/// A row under its symbol; one without is kept under its place, which no symbol looks like.
fn named(
    at: usize,
    row: &BorrowedValue<'_>,
    market: Market,
) -> (String, Result<Instrument, ExchangeInfoError>) {
    match row.get_str("symbol").filter(|symbol| !symbol.is_empty()) {
        Some(symbol) => {
            let contract = Fields { symbol, filter: "", json: row };
            (symbol.to_owned(), contract.instrument(market))
        }
        None => {
            let symbol = format!("(row {at})");
            let what = "symbol".to_owned();
            (symbol.clone(), Err(ExchangeInfoError::Missing { symbol, what }))
        }
    }
}

/// The fields of a row or of one of its filters, with the names that an error text needs. Only what is
/// asked for is looked at, so nothing that we do not use can make a contract unreadable.
#[derive(Clone, Copy)]
struct Fields<'a> {
    symbol: &'a str,
    /// `filterType`; empty for the row itself.
    filter: &'static str,
    json: &'a BorrowedValue<'a>,
}

/// How the text of a field becomes a value.
type Read<T> = fn(&[u8]) -> Result<T, NumberError>;

/// What a row says.
impl Fields<'_> {
    fn instrument(&self, market: Market) -> Result<Instrument, ExchangeInfoError> {
        let lot = self.required_filter("LOT_SIZE")?.lot()?;
        Ok(Instrument {
            market,
            symbol: self.symbol.to_owned(),
            contract_type: self.contract_type(market),
            trading: self.trading(),
            tick: self.tick()?,
            market_lot: self.market_lot(lot)?,
            lot,
            min_notional: self.min_notional()?,
            percent_price: self.percent_price()?,
            max_orders: self.max_orders()?,
            contract_size: self.contract_size()?,
            // Spot names the second ones only; futures rows have all four.
            price_places: self.places("pricePrecision", "quotePrecision")?,
            qty_places: self.places("quantityPrecision", "baseAssetPrecision")?,
            life: self.life()?,
        })
    }

    /// `onboardDate` and `deliveryDate`, in ms. The exchange gives a perpetual without an end the year 2100.
    fn life(&self) -> Result<Life, ExchangeInfoError> {
        let time = |field| Ok(self.optional(field, millis)?.filter(|at| *at < NO_END));
        Ok(Life { listed: time("onboardDate")?, delisted: time("deliveryDate")? })
    }

    /// COIN-M says `contractStatus`. A row with both must agree with itself.
    fn trading(&self) -> bool {
        let said = ["status", "contractStatus"].map(|name| self.present(name));
        let mut said = said.into_iter().flatten().peekable();
        said.peek().is_some() && said.all(|status| status.as_str() == Some("TRADING"))
    }

    fn contract_type(&self, market: Market) -> ContractType {
        if market == Market::Spot {
            return ContractType::Spot;
        }
        match self.json.get_str("contractType") {
            Some("PERPETUAL") => ContractType::Perpetual,
            Some("TRADIFI_PERPETUAL") => ContractType::TradFiPerpetual,
            Some("CURRENT_MONTH" | "NEXT_MONTH" | "CURRENT_QUARTER" | "NEXT_QUARTER") => {
                ContractType::Dated
            }
            _ => ContractType::Unknown,
        }
    }

    /// "0" stands on contracts that do not trade yet, and would make every price valid on one that does.
    fn tick(&self) -> Result<Option<Px>, ExchangeInfoError> {
        let filter = self.required_filter("PRICE_FILTER")?;
        let tick = filter.required("tickSize", Px::parse)?;
        let valid = tick > Px::ZERO || (tick == Px::ZERO && !self.trading());
        filter.check("tickSize", valid, "must be above zero")?;
        Ok(Some(tick).filter(|&tick| tick > Px::ZERO))
    }

    /// Without a filter of their own, market orders have the bounds of the others. Spot switches the
    /// step off with a zero, and then LOT_SIZE's, which holds for every order, is what is left.
    fn market_lot(&self, lot: LotSize) -> Result<LotSize, ExchangeInfoError> {
        let Some(filter) = self.filter("MARKET_LOT_SIZE") else { return Ok(lot) };
        let own = filter.bounds()?;
        let step = if own.step == Qty::ZERO { lot.step } else { own.step };
        Ok(LotSize { step, ..own })
    }

    /// Futures say `notional`, spot `minNotional`; of two values the stricter one holds.
    fn min_notional(&self) -> Result<Option<Usd>, ExchangeInfoError> {
        let filter = self.filter("MIN_NOTIONAL").or_else(|| self.filter("NOTIONAL"));
        let Some(filter) = filter else { return Ok(None) };
        let mut strictest = None;
        for name in ["notional", "minNotional"] {
            let value = filter.optional(name, Usd::parse)?;
            filter.check(name, value.is_none_or(|v| v >= Usd::ZERO), "must not be negative")?;
            strictest = strictest.max(value);
        }
        let value = strictest.ok_or_else(|| filter.missing("notional"))?;
        Ok(Some(value).filter(|&value| value > Usd::ZERO))
    }

    /// Futures have one multiplier each way; spot has them by side, of which the outer bounds are the
    /// ones that the futures rule names: a buy's upper and a sell's lower.
    fn percent_price(&self) -> Result<Option<PercentPrice>, ExchangeInfoError> {
        let (filter, up_name, down_name) = if let Some(filter) = self.filter("PERCENT_PRICE") {
            (filter, "multiplierUp", "multiplierDown")
        } else if let Some(filter) = self.filter("PERCENT_PRICE_BY_SIDE") {
            (filter, "bidMultiplierUp", "askMultiplierDown")
        } else {
            return Ok(None);
        };
        let up = filter.required(up_name, Rate::parse)?;
        let down = filter.required(down_name, Rate::parse)?;
        filter.check(down_name, down >= Rate::ZERO, "must not be negative")?;
        // A lower bound of zero bounds nothing by itself, but an upper one would refuse every buy.
        filter.check(up_name, up >= down, "must not be below the lower multiplier")?;
        Ok(Some(PercentPrice { up, down }).filter(|bounds| bounds.up > Rate::ZERO))
    }

    /// Futures say `limit`, spot `maxNumOrders`; of two values the stricter one holds.
    fn max_orders(&self) -> Result<Option<u32>, ExchangeInfoError> {
        let Some(filter) = self.filter("MAX_NUM_ORDERS") else { return Ok(None) };
        let limits = [filter.optional("limit", count)?, filter.optional("maxNumOrders", count)?];
        if limits == [None, None] {
            return Err(filter.missing("limit"));
        }
        Ok(limits.into_iter().flatten().filter(|&limit| limit > 0).min())
    }

    /// Only COIN-M has one other than one.
    fn contract_size(&self) -> Result<Usd, ExchangeInfoError> {
        let Some(size) = self.optional("contractSize", Usd::parse)? else { return Ok(Usd(ONE)) };
        self.check("contractSize", size > Usd::ZERO, "must be above zero")?;
        Ok(size)
    }

    /// Printed decimals: the first field, the second without it, all that we keep without both.
    fn places(&self, first: &'static str, second: &'static str) -> Result<u32, ExchangeInfoError> {
        let name = if self.present(first).is_some() { first } else { second };
        let places = self.optional(name, count)?.unwrap_or(DECIMALS);
        self.check(name, places <= DECIMALS, "more decimals than Fusewire keeps")?;
        Ok(places)
    }
}

/// What a lot filter says.
impl Fields<'_> {
    fn lot(&self) -> Result<LotSize, ExchangeInfoError> {
        let lot = self.bounds()?;
        self.check("stepSize", lot.step > Qty::ZERO, "must be above zero")?;
        Ok(lot)
    }

    fn bounds(&self) -> Result<LotSize, ExchangeInfoError> {
        let min = self.required("minQty", Qty::parse)?;
        let max = self.required("maxQty", Qty::parse)?;
        let step = self.required("stepSize", Qty::parse)?;
        self.check("minQty", min >= Qty::ZERO, "must not be negative")?;
        self.check("maxQty", max >= min, "must not be below minQty")?;
        self.check("stepSize", step >= Qty::ZERO, "must not be negative")?;
        Ok(LotSize { min, max, step })
    }
}

/// Access by name.
impl<'a> Fields<'a> {
    fn filter(&self, name: &'static str) -> Option<Self> {
        let mut filters = self.json.get_array("filters")?.iter();
        let json = filters.find(|filter| filter.get_str("filterType") == Some(name))?;
        Some(Self { filter: name, json, ..*self })
    }

    fn required_filter(&self, name: &'static str) -> Result<Self, ExchangeInfoError> {
        self.filter(name).ok_or_else(|| self.missing(&format!("filter {name}")))
    }

    /// A field that is there and not null.
    fn present(&self, field: &str) -> Option<&'a BorrowedValue<'a>> {
        self.json.get(field).filter(|value| !value.is_null())
    }

    fn optional<T>(
        &self,
        field: &'static str,
        read: Read<T>,
    ) -> Result<Option<T>, ExchangeInfoError> {
        let Some(value) = self.present(field) else { return Ok(None) };
        let read = read(text(value).as_bytes());
        read.map(Some).map_err(|error| self.refuse(field, &error.to_string()))
    }

    fn required<T>(&self, field: &'static str, read: Read<T>) -> Result<T, ExchangeInfoError> {
        self.optional(field, read)?.ok_or_else(|| self.missing(field))
    }

    fn check(&self, field: &str, holds: bool, why: &str) -> Result<(), ExchangeInfoError> {
        if holds { Ok(()) } else { Err(self.refuse(field, why)) }
    }

    fn refuse(&self, field: &str, why: &str) -> ExchangeInfoError {
        let value = self.json.get(field).map(text).unwrap_or_default();
        ExchangeInfoError::Value {
            symbol: self.symbol.to_owned(),
            field: self.place(field),
            value: value.chars().take(VALUE_CHARS_MAX).collect(),
            why: why.to_owned(),
        }
    }

    fn missing(&self, what: &str) -> ExchangeInfoError {
        ExchangeInfoError::Missing { symbol: self.symbol.to_owned(), what: self.place(what) }
    }

    fn place(&self, field: &str) -> String {
        format!("{} {field}", self.filter).trim_start().to_owned()
    }
}

/// A value as it stands in the answer, without the quotes of a string.
fn text<'a>(value: &'a BorrowedValue<'_>) -> Cow<'a, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.encode()), Cow::Borrowed)
}

/// Ends from here on are none: 2100-01-01 UTC.
const NO_END: Nanos = Nanos(4_102_444_800 * Nanos::SECOND);

/// Reads a time in ms.
fn millis(text: &[u8]) -> Result<Nanos, NumberError> {
    let millis = u64::try_from(parse_fixed(text, 0)?).map_err(|_| NumberError::OutOfRange)?;
    millis.checked_mul(Nanos::MILLI).map(Nanos).ok_or(NumberError::OutOfRange)
}

/// Reads a count or a number of decimals.
fn count(text: &[u8]) -> Result<u32, NumberError> {
    u32::try_from(parse_fixed(text, 0)?).map_err(|_| NumberError::OutOfRange)
}

#[cfg(test)]
mod tests;
