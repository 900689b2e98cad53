//! Documents that are no header, or that say what none can.

use super::*;

#[test]
fn another_format_is_refused_by_its_number() {
    let mut document = document(&given().header());
    for format in [0, 2, 4_294_967_297_u64] {
        document["format"] = json!(format);
        let error = format!("journal header: format {format} is not known, this build reads 1");
        assert_eq!(read(&document), Err(error));
    }
    let newer = br#"{"format":2,"something":"else"}"#;
    assert!(Header::from_json(newer).is_err_and(|error| error.contains("format 2 is not known")));
}

#[test]
fn what_is_no_header_is_a_line() {
    let json = given().header().to_json();
    for end in [0, 1, json.len() / 2, json.len() - 1] {
        let error = Header::from_json(&json[..end]).unwrap_err();
        assert!(error.starts_with("journal header: EOF"), "{error}");
    }
    let doubled = [&json[..], b"{}"].concat();
    assert!(Header::from_json(&doubled).is_err_and(|error| error.contains("trailing characters")));
    assert!(Header::from_json(b"\xff\xfe").is_err());
    let deep = "[".repeat(100_000);
    assert!(Header::from_json(format!("{{\"format\":1,\"build\":{deep}").as_bytes()).is_err());
}

#[test]
fn values_out_of_their_bounds_are_named() {
    let header = document(&given().header());
    let fault = |pointer: &str, value: Value| {
        let mut document = header.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        read(&document).unwrap_err()
    };
    let huge = "9".repeat(40);
    for (pointer, value, part) in [
        ("/tradable", json!([1, 0]), "tradable: not rising numbers of 3 instruments"),
        ("/tradable", json!([0, 0]), "tradable: not rising"),
        ("/tradable/1", json!(3), "tradable: not rising"),
        ("/tradable/1", json!(65_536), "65536"),
        ("/sources/0/instruments/0", json!(3), "sources[0] ("),
        ("/sources/0/path", json!("a/b"), "path \"a/b\" is not absolute"),
        ("/sources/0/path", Value::Null, "path, bytes and blake3 go together"),
        ("/sources/0/bytes", Value::Null, "path, bytes and blake3 go together"),
        ("/sources/2/blake3", json!("0".repeat(64)), "path, bytes and blake3 go together"),
        ("/sources/2/name", json!("other"), "other: neither a file nor the embedded sample"),
        ("/sources/0/blake3", json!("00"), "hex"),
        ("/sources/0/market", json!("USDM"), "unknown market 'USDM'"),
        ("/sources/0/unit", json!("s"), "unknown unit 's'"),
        ("/sources/0/in_journal", json!(0), "in_journal goes with the format of a journal"),
        ("/sources/2/format", json!("journal"), "in_journal goes with the format of a journal"),
        ("/sources/0/format", json!("csv"), "unknown format of recordings 'csv'"),
        ("/account/positions", json!([1]), "trailing characters"),
        ("/account/balance", json!(huge), "is no decimal"),
        ("/venue", json!("live"), "unknown variant `live`"),
        ("/frames", json!("both"), "unknown variant `both`"),
        ("/profile", json!("bold"), "unknown variant `bold`"),
        ("/created/ns", json!("x"), "\"x\" are no nanoseconds since 1970"),
        ("/created/ns", json!(huge), "no nanoseconds since 1970: number too large"),
        ("/created/ns", json!("0"), "0 ns are 1970-01-01T00:00:00.000000000Z, not \"2023-"),
        ("/seed", json!(-1), "invalid value: integer `-1`"),
        ("/session", json!(65_536), "65536"),
        ("/instruments/2/symbol", json!(""), "instruments[2] (): symbol is empty"),
        ("/instruments/0/symbol", json!("BTCUSDT"), "BTCUSDT is listed twice"),
        ("/instruments/0/market", json!("nowhere"), "unknown market 'nowhere'"),
        ("/instruments/0/contract_type", json!("swap"), "unknown contract_type 'swap'"),
        ("/instruments/0/tick", json!("0"), "instruments[0] (ETHUSDT): tick must be above zero"),
        ("/instruments/0/tick", json!("1e-9"), "tick = \"1e-9\": more decimal places"),
        ("/instruments/0/lot/step", json!("0"), "lot.step must be above zero"),
        ("/instruments/0/market_lot/step", json!("-1"), "market_lot.step must be above zero"),
        ("/instruments/0/lot/min", json!("-1"), "lot.min must not be negative"),
        ("/instruments/0/market_lot/max", json!("0"), "market_lot.max not below it"),
        ("/instruments/0/lot/max", json!(huge), "out of range"),
        ("/instruments/0/min_notional", json!("-1"), "min_notional must not be negative"),
        ("/instruments/0/percent_price/down", json!("-1"), "percent_price.down must not"),
        ("/instruments/0/percent_price/up", json!("0.9"), "percent_price.up not below it"),
        ("/instruments/0/max_orders", json!(0), "max_orders must be above zero"),
        ("/instruments/0/contract_size", json!("0"), "contract_size must be above zero"),
        ("/instruments/0/price_places", json!(9), "price_places and qty_places are at most 8"),
        ("/instruments/0/qty_places", json!(4_000_000_000_u32), "are at most 8"),
    ] {
        let error = fault(pointer, value.clone());
        assert!(error.starts_with("journal header: "), "{error}");
        assert!(error.contains(part), "{pointer} = {value}: {error} should say {part}");
    }
    let many = vec![header["sources"][2].clone(); SOURCES_MAX + 1];
    assert!(fault("/sources", json!(many)).contains("sources: 257, the limit is 256"));
}

/// The pointers of all values in a document.
fn pointers(value: &Value, prefix: &str, found: &mut Vec<String>) {
    found.push(prefix.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| pointers(value, &format!("{prefix}/{key}"), found)),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .for_each(|(index, value)| pointers(value, &format!("{prefix}/{index}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_value_may_be_hostile() {
    let header = given().header();
    let whole = document(&header);
    let mut all = Vec::new();
    pointers(&whole, "", &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let nested: Value = serde_json::from_str(&("[".repeat(100) + &"]".repeat(100))).unwrap();
    let hostile = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("-"),
        json!("1e999999999999"),
        json!("9".repeat(1_000)),
        json!("\u{0}\u{7f}币"),
        json!([]),
        json!([[]]),
        json!([{}, 1]),
        json!({}),
        nested,
    ];
    let mut read_all_the_same = 0;
    for pointer in &all {
        for value in &hostile {
            let mut document = whole.clone();
            *document.pointer_mut(pointer).unwrap() = value.clone();
            let Ok(found) = read(&document) else { continue };
            // What is read can be used, whatever it says.
            assert!(found.universe().is_ok(), "{pointer} = {value}");
            let _ = found.config();
            let _ = header.differences(&found);
            assert_eq!(back(&found), found, "{pointer} = {value}");
            read_all_the_same += 1;
        }
    }
    assert!(read_all_the_same > 0);
}

#[test]
fn every_key_must_be_there_and_no_other() {
    let whole = document(&given().header());
    let mut all = Vec::new();
    pointers(&whole, "", &mut all);
    for pointer in &all {
        let mut document = whole.clone();
        if let Value::Object(fields) = document.pointer_mut(pointer).unwrap() {
            fields.insert("extra".to_owned(), Value::Null);
            let error = read(&document).unwrap_err();
            assert!(error.contains("unknown field `extra`"), "{pointer}: {error}");
        }
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        let mut document = whole.clone();
        if let Value::Object(fields) = document.pointer_mut(parent).unwrap() {
            fields.remove(key).unwrap();
            let error = read(&document).unwrap_err();
            assert!(error.contains(&format!("missing field `{key}`")), "{pointer}: {error}");
        }
    }
}
