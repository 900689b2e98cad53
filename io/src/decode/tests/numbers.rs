//! Numbers to the last unit of their range, and what is no number.

use super::*;

#[test]
fn prices_to_the_last_unit() {
    for (text, raw) in [
        ("0.00000001", 1),
        ("1234567890.12345678", 123_456_789_012_345_678),
        ("12345678901.1234567", 1_234_567_890_112_345_670),
        ("92233720368.54775807", i64::MAX),
        ("92233720368", 9_223_372_036_800_000_000),
        ("00000000000000000001.50", 150_000_000),
    ] {
        let frame = FRAMES[9].replace("50000.10", text);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let Body::Trade(trade) = only(&frame) else { panic!("{text}") };
        assert_eq!(trade.price, Px(raw), "{text}");
    }
    for bad in ["92233720368.54775808", "123456789012345678", "1.", ".5", "1.000000000000000001"] {
        let frame = FRAMES[9].replace("50000.10", bad);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        let at = frame.find(bad).unwrap() - 1;
        assert_eq!((error.kind.name(), error.offset as usize), ("number", at), "{bad}");
    }
}

#[test]
fn digits_beyond_the_range_are_refused_wherever_they_stand() {
    for count in 12..100 {
        let digits = "9".repeat(count);
        let frame = format!(r#"{{"e":"trade","p":"{digits}.12345678"}}"#);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        let expected = DecodeErrorKind::Number("p", NumberError::OutOfRange);
        assert_eq!((error.kind, error.offset), (expected, 17), "{frame}");
    }
}

#[test]
fn ids_to_the_last_unit() {
    let with = |id: &str| FRAMES[9].replace("8400000000000000001", id);
    for (text, id) in [
        ("0", 0),
        ("-0", 0),
        ("-7", -7),
        ("999999999999999999", 999_999_999_999_999_999),
        ("1000000000000000000", 1_000_000_000_000_000_000),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        differential(with(text).as_bytes(), Market::UsdM).unwrap();
        let Body::Trade(trade) = only(&with(text)) else { panic!("{text}") };
        assert_eq!(trade.id, id, "{text}");
    }
    for (bad, kind) in [
        ("01", "syntax"),
        ("-01", "syntax"),
        ("1.0", "wrong-type"),
        ("1e3", "wrong-type"),
        ("-", "syntax"),
        ("\"1\"", "wrong-type"),
        ("9223372036854775808", "number"),
        ("null", "missing-field"),
        ("\"\"", "missing-field"),
    ] {
        let frame = with(bad);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        assert_eq!(error.kind.name(), kind, "{bad}");
    }
}

#[test]
fn rates_sums_and_times_to_the_last_unit() {
    let rate = |text: &str| {
        let frame = FRAMES[13].replace("-0.00012345", text);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).map_err(|e| e.kind.name())?;
        let Body::Mark(mark) = out.messages[0].body else { panic!("{out:?}") };
        Ok(mark.funding_rate.map(|rate| rate.0))
    };
    assert_eq!(rate("0.123456789012"), Ok(Some(123_456_789_012)));
    assert_eq!(rate("-0.000000000001"), Ok(Some(-1)));
    assert_eq!(rate("9223372.036854775807"), Ok(Some(i64::MAX)));
    assert_eq!(rate("9223372.036854775808"), Err("number"));
    assert_eq!(rate("0.0000000000001"), Err("number"));

    let volume = |text: &str| {
        let frame = FRAMES[16].replace("123456789012345678.5", text);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).map_err(|e| e.kind.name())?;
        Ok(out.klines[0].volume.0)
    };
    assert_eq!(volume("0"), Ok(0));
    assert_eq!(volume("0E0"), Ok(0));
    assert_eq!(volume("123456789012345678"), Ok(12_345_678_901_234_567_800_000_000));
    assert_eq!(volume("-1"), Err("number"));

    let sent = |text: &str| {
        let frame = FRAMES[9].replace("1700000000002", text);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let result = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out);
        result.map_err(|error| (error.kind.name(), error.offset))?;
        Ok(out.messages[0].body.times().event)
    };
    assert_eq!(sent("18446744073709"), Ok(Some(Nanos(18_446_744_073_709_000_000))));
    assert_eq!(sent("18446744073710"), Err(("number", 17)));
    assert_eq!(sent("-1"), Err(("number", 17)));
}

#[test]
fn a_decimal_begins_with_its_quote() {
    for (frame, value, key) in [
        (FRAMES[9], r#""50000.10""#, "p"),
        (FRAMES[9], r#""0.002""#, "q"),
        (FRAMES[13], r#""-0.00012345""#, "r"),
        (FRAMES[16], r#""123456789012345678.5""#, "v"),
        (FRAMES[0], r#""50000.10""#, "b"),
        (FRAMES[0], r#""2.25""#, "a"),
    ] {
        for bad in ["15", "-5", "{}", "[\"1\"]"] {
            let frame = frame.replace(value, bad);
            differential(frame.as_bytes(), Market::UsdM).unwrap();
            let mut out = Decoded::default();
            let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::WrongType(key), "{frame}");
        }
    }
}
