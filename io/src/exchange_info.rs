//! Instruments from a recorded `exchangeInfo` answer of any of the three markets.

use std::borrow::Cow;

use fusewire_core::instrument::{ContractType, Instrument, LotSize, Market, PercentPrice};
use fusewire_core::units::{DECIMALS, NumberError, ONE, Px, Qty, Rate, Usd, parse_fixed};
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
        })
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

/// Reads a count or a number of decimals.
fn count(text: &[u8]) -> Result<u32, NumberError> {
    u32::try_from(parse_fixed(text, 0)?).map_err(|_| NumberError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

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
        for body in ["", "[]", "{\"symbols\":{}}"] {
            assert!(ExchangeInfo::parse(&mut body.as_bytes().to_vec(), Market::UsdM).is_err());
        }
    }

    /// AAAUSDT after a change of its row's text. Its neighbour must not notice.
    fn changed(from: &str, to: &str, market: Market) -> Result<Instrument, String> {
        assert!(BODY.contains(from), "{from}");
        let mut body = BODY.replacen(from, to, 1).into_bytes();
        let info = ExchangeInfo::parse(&mut body, market).unwrap();
        assert!(info.find("BBBUSDT").unwrap().is_ok(), "{to} hides the others");
        info.find("AAAUSDT").unwrap().cloned().map_err(ToString::to_string)
    }

    #[test]
    fn odd_rows_that_say_enough_are_read() {
        let plain = parse(Market::UsdM).find("AAAUSDT").unwrap().unwrap().clone();
        let digits = "9".repeat(38);
        for (from, to) in [
            (r#""status""#, r#""contractStatus":"TRADING","status""#),
            (r#""status""#, r#""contractStatus":null,"status""#),
            (r#""notional":"5""#, r#""notional":"5","minNotional":"5""#),
            (r#""notional":"5""#, r#""notional":"1","minNotional":"5""#),
            (r#""limit":200"#, r#""limit":300,"maxNumOrders":200"#),
            (r#""x":[1]"#, r#""limit":"200","notional":{}"#),
            (r#""x":[1]"#, &format!(r#""maxQty":"{digits}""#)),
            (r#""quotePrecision":8"#, r#""quotePrecision":-1"#),
        ] {
            assert_eq!(changed(from, to, Market::UsdM).as_ref(), Ok(&plain), "{to}");
        }
    }

    #[test]
    fn a_contract_trades_when_all_that_is_said_says_so() {
        for (status, trading) in [
            (r#""contractStatus":"TRADING""#, true),
            (r#""contractStatus":"TRADING","status":null"#, true),
            (r#""status":null"#, false),
            (r#""status":"SETTLING","contractStatus":"TRADING""#, false),
            (r#""other":1"#, false),
        ] {
            let found = changed(r#""status":"TRADING""#, status, Market::UsdM).unwrap();
            assert_eq!(found.trading, trading, "{status}");
        }
    }

    /// Each change of the good row is an error with this text.
    fn refused(cases: &[(&str, &str, &str)]) {
        for (from, to, error) in cases {
            let found = changed(from, to, Market::UsdM).unwrap_err();
            assert_eq!(found, format!("AAAUSDT: {error}"));
        }
    }

    #[test]
    fn a_lot_size_that_is_no_limit_is_an_error_that_names_it() {
        let lot = r#""minQty":"0.1","maxQty":"500","stepSize":"0.1""#;
        let market_lot = r#""minQty":"0.1","maxQty":"50","stepSize":"0.1""#;
        refused(&[
            (
                lot,
                r#""minQty":"0","maxQty":"5","stepSize":"0""#,
                "LOT_SIZE stepSize = 0: must be above zero",
            ),
            (
                lot,
                r#""minQty":"0","maxQty":"5","stepSize":"-1""#,
                "LOT_SIZE stepSize = -1: must not be negative",
            ),
            (
                lot,
                r#""minQty":"-1","maxQty":"5","stepSize":"1""#,
                "LOT_SIZE minQty = -1: must not be negative",
            ),
            (
                lot,
                r#""minQty":"6","maxQty":"5","stepSize":"1""#,
                "LOT_SIZE maxQty = 5: must not be below minQty",
            ),
            (
                lot,
                r#""minQty":"6","maxQty":[7],"stepSize":"1""#,
                "LOT_SIZE maxQty = [7]: not a decimal number",
            ),
            (lot, r#""minQty":"6","stepSize":"1""#, "LOT_SIZE maxQty is missing"),
            (
                market_lot,
                r#""minQty":"6","maxQty":"many","stepSize":"1""#,
                "MARKET_LOT_SIZE maxQty = many: not a decimal number",
            ),
            (market_lot, r#""minQty":"6","maxQty":"7""#, "MARKET_LOT_SIZE stepSize is missing"),
            (
                market_lot,
                r#""minQty":"6","maxQty":"5","stepSize":"1""#,
                "MARKET_LOT_SIZE maxQty = 5: must not be below minQty",
            ),
        ]);
    }

    #[test]
    fn what_is_no_limit_is_an_error_that_names_it() {
        refused(&[
            (r#""0.010""#, r#""0""#, "PRICE_FILTER tickSize = 0: must be above zero"),
            (r#""0.010""#, r#""-0.1""#, "PRICE_FILTER tickSize = -0.1: must be above zero"),
            (
                r#""0.010""#,
                r#""0.000000001""#,
                "PRICE_FILTER tickSize = 0.000000001: more decimal places than the unit keeps",
            ),
            (r#""0.010""#, "null", "PRICE_FILTER tickSize is missing"),
            ("PRICE_FILTER", "PRICES", "filter PRICE_FILTER is missing"),
            (
                r#""pricePrecision":3"#,
                r#""pricePrecision":-1"#,
                "pricePrecision = -1: out of range",
            ),
            (
                r#""pricePrecision":3"#,
                r#""pricePrecision":4000000000"#,
                "pricePrecision = 4000000000: more decimals than Fusewire keeps",
            ),
            (
                r#""quantityPrecision":1"#,
                r#""quantityPrecision":9"#,
                "quantityPrecision = 9: more decimals than Fusewire keeps",
            ),
            (
                r#""pricePrecision":3,"#,
                r#""contractSize":0,"#,
                "contractSize = 0: must be above zero",
            ),
            (
                r#""notional":"5""#,
                r#""notional":"-5""#,
                "MIN_NOTIONAL notional = -5: must not be negative",
            ),
            (r#""notional":"5""#, r#""amount":"5""#, "MIN_NOTIONAL notional is missing"),
            (r#""limit":200"#, r#""limit":-2"#, "MAX_NUM_ORDERS limit = -2: out of range"),
            (r#""limit":200"#, r#""most":200"#, "MAX_NUM_ORDERS limit is missing"),
            (
                r#""multiplierUp":"1.05""#,
                r#""multiplierUp":"0""#,
                "PERCENT_PRICE multiplierUp = 0: must not be below the lower multiplier",
            ),
            (
                r#""multiplierDown":"0.95""#,
                r#""multiplierDown":"-1""#,
                "PERCENT_PRICE multiplierDown = -1: must not be negative",
            ),
            (r#""multiplierUp":"1.05","#, "", "PERCENT_PRICE multiplierUp is missing"),
        ]);
        let long = changed(r#""0.010""#, &format!("\"{}\"", "x".repeat(9_999)), Market::UsdM);
        assert!(long.unwrap_err().len() < 200);
    }

    #[test]
    fn an_answer_of_usdm_is_not_taken_for_another_market() {
        let body = BODY.replacen('{', r#"{"futuresType":"U_MARGINED","#, 1);
        let parse = |market| ExchangeInfo::parse(&mut body.clone().into_bytes(), market);
        assert_eq!(parse(Market::UsdM).unwrap().len(), 3);
        let error = parse(Market::CoinM).unwrap_err();
        assert_eq!(error.to_string(), "an exchangeInfo of usdm, not of coinm");
    }

    #[test]
    fn zero_switches_a_limit_off() {
        let off = |from, to| changed(from, to, Market::UsdM).unwrap();
        assert_eq!(off(r#""notional":"5""#, r#""notional":"0""#).min_notional, None);
        assert_eq!(off(r#""limit":200"#, r#""limit":0"#).max_orders, None);
        let both = r#""multiplierUp":"1.05","multiplierDown":"0.95""#;
        let zero = off(both, r#""multiplierUp":"0","multiplierDown":"0.0000""#);
        assert_eq!(zero.percent_price, None);
        let lower = off(both, r#""multiplierUp":"1.05","multiplierDown":"0""#);
        assert_eq!(lower.percent_price.unwrap().up, Rate::parse(b"1.05").unwrap());
        let market_lot = r#""minQty":"0.1","maxQty":"50","stepSize":"0.1""#;
        let spot = r#""minQty":"0.00000000","maxQty":"50","stepSize":"0.00000000""#;
        let found = changed(market_lot, spot, Market::Spot).unwrap();
        assert_eq!((found.market_lot.step, found.market_lot.min), (found.lot.step, Qty::ZERO));
    }

    #[test]
    fn a_row_without_a_symbol_is_counted_and_hides_nothing() {
        for name in ["5", "null", "\"\"", "[]"] {
            let mut body = BODY.replacen("\"CCCUSDT\"", name, 1).into_bytes();
            let info = ExchangeInfo::parse(&mut body, Market::UsdM).unwrap();
            assert!(info.find("AAAUSDT").unwrap().is_ok());
            assert_eq!(info.len(), 3);
            let error = info.rows[2].1.as_ref().unwrap_err();
            assert_eq!(error.to_string(), "(row 2): symbol is missing");
        }
        let mut body = br#"{"symbols":[7,null,[{}],"x"]}"#.to_vec();
        assert_eq!(ExchangeInfo::parse(&mut body, Market::UsdM).unwrap().len(), 4);
    }

    #[test]
    fn every_row_of_a_real_answer_is_read() {
        let Some(shared) = std::env::var_os("FUSEWIRE_SHARED") else {
            let line =
                b"SKIPPED: set FUSEWIRE_SHARED to the folder with the captures to run this test\n";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
            return;
        };
        let path =
            Path::new(&shared).join("captures/rest/20260704T155543Z/fapi-v1-exchangeInfo.json.zst");
        let mut body = zstd::decode_all(File::open(path).unwrap()).unwrap();
        let info = ExchangeInfo::parse(&mut body, Market::UsdM).unwrap();
        let errors: Vec<_> = info.rows.iter().filter_map(|(_, row)| row.as_ref().err()).collect();
        assert_eq!(errors, Vec::<&ExchangeInfoError>::new());
        assert_eq!(info.len(), 820);
        let bitcoin = info.find("BTCUSDT").unwrap().unwrap();
        assert_eq!(bitcoin.tick, Some(Px::parse(b"0.10").unwrap()));
        assert_eq!(bitcoin.market_lot.max, Qty::parse(b"120").unwrap());
        assert_eq!((bitcoin.max_orders, bitcoin.trading), (Some(200), true));
    }

    /// The only contract of an answer that has these fields and filters besides tick and lot.
    fn only(market: Market, fields: &str, filters: &str) -> Result<Instrument, ExchangeInfoError> {
        let body = format!(
            r#"{{"symbols":[{{"symbol":"A"{fields},"filters":[{{"filterType":"PRICE_FILTER","tickSize":"1"}},{{"filterType":"LOT_SIZE","minQty":"1","maxQty":"9","stepSize":"1"}}{filters}]}}]}}"#
        );
        let info = ExchangeInfo::parse(&mut body.into_bytes(), market).unwrap();
        info.find("A").unwrap().cloned().map_err(Clone::clone)
    }

    #[test]
    fn spot_rows_have_names_of_their_own() {
        let fields = r#","status":"TRADING","quotePrecision":7,"baseAssetPrecision":6"#;
        let filters = r#",{"filterType":"NOTIONAL","minNotional":"5"},
            {"filterType":"MAX_NUM_ORDERS","maxNumOrders":200},
            {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2",
             "askMultiplierUp":"6","askMultiplierDown":"0.3"}"#;
        let found = only(Market::Spot, fields, filters).unwrap();
        assert_eq!(found.contract_type, ContractType::Spot);
        assert_eq!((found.price_places, found.qty_places), (7, 6));
        assert_eq!(found.min_notional, Some(Usd::parse(b"5").unwrap()));
        assert_eq!(found.max_orders, Some(200));
        let rate = |text: &[u8]| Rate::parse(text).unwrap();
        assert_eq!(found.percent_price, Some(PercentPrice { up: rate(b"5"), down: rate(b"0.3") }));
        assert!(found.trading);
    }

    #[test]
    fn coin_margined_rows_say_contract_status_and_size() {
        let fields = r#","contractStatus":"TRADING","contractSize":100"#;
        let found = only(Market::CoinM, fields, "").unwrap();
        assert_eq!((found.trading, found.contract_size), (true, Usd::parse(b"100").unwrap()));
        let plain = only(Market::CoinM, r#","contractStatus":"PENDING_TRADING""#, "").unwrap();
        assert_eq!((plain.trading, plain.contract_size), (false, Usd::parse(b"1").unwrap()));
    }

    #[test]
    fn what_a_row_does_not_say_is_not_made_up() {
        let found = only(Market::UsdM, "", "").unwrap();
        assert_eq!((found.price_places, found.qty_places), (DECIMALS, DECIMALS));
        assert_eq!((found.min_notional, found.percent_price, found.max_orders), (None, None, None));
        assert_eq!((found.trading, found.market_lot), (false, found.lot));
    }

    #[test]
    fn contract_types_by_name() {
        for (name, expected) in [
            ("PERPETUAL", ContractType::Perpetual),
            ("TRADIFI_PERPETUAL", ContractType::TradFiPerpetual),
            ("CURRENT_MONTH", ContractType::Dated),
            ("NEXT_MONTH", ContractType::Dated),
            ("CURRENT_QUARTER", ContractType::Dated),
            ("NEXT_QUARTER", ContractType::Dated),
            ("CURRENT_QUARTER DELIVERING", ContractType::Unknown),
        ] {
            let found = only(Market::UsdM, &format!(r#","contractType":"{name}""#), "").unwrap();
            assert_eq!(found.contract_type, expected, "{name}");
        }
    }

    #[test]
    fn a_value_beyond_our_units_is_named() {
        let fine = r#",{"filterType":"MIN_NOTIONAL","notional":"0.000000001"}"#;
        let error = only(Market::UsdM, "", fine).unwrap_err();
        assert_eq!(
            error.to_string(),
            "A: MIN_NOTIONAL notional = 0.000000001: more decimal places than the unit keeps"
        );
    }

    #[test]
    fn an_answer_may_list_nothing() {
        let empty = ExchangeInfo::parse(&mut br#"{"symbols":[]}"#.to_vec(), Market::Spot).unwrap();
        assert!(empty.is_empty());
        assert!(!parse(Market::UsdM).is_empty());
    }
}
