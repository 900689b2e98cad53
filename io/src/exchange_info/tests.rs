//! Answers of the exchange, sound, odd and broken, row by row.

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
        (r#""pricePrecision":3"#, r#""pricePrecision":-1"#, "pricePrecision = -1: out of range"),
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
        (r#""pricePrecision":3,"#, r#""contractSize":0,"#, "contractSize = 0: must be above zero"),
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
