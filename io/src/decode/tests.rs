//! Both decoders against each other, and against numbers written down by hand.

mod changed;
mod numbers;

use fusewire_core::market::{Body, DepthIds, Ignored, Kind, Level, Side, TradeOrigin};
use fusewire_core::units::{Nanos, NumberError, Px, Qty, Rate};
use proptest::prelude::*;

use super::*;

/// One made-up frame of every shape, with the keys in the order of the wire.
pub(crate) const FRAMES: &[&str] = &[
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000100,"T":1700000000099,"s":"BTCUSDT","ps":"BTCUSDT","U":101,"u":109,"pu":98,"b":[["50000.10","1.500"],["49999.90","0.000"]],"a":[["50000.20","2.25"]],"st":1}}"#,
    r#"{"stream":"btcusdt@depth5@100ms","data":{"e":"depthUpdate","E":1700000000100,"T":1700000000099,"s":"BTCUSDT","U":101,"u":109,"pu":-1,"b":[["50000.10","1.500"]],"a":[]}}"#,
    r#"{"e":"depthUpdate","E":1700000000100,"s":"ETHUSDT","U":7,"u":9,"b":[],"a":[["2000.5","3",[]]]}"#,
    r#"{"lastUpdateId":105,"E":1700000000050,"T":1700000000049,"bids":[["50000.00","4"]],"asks":[["50000.30","1"]]}"#,
    r#"{"stream":"ethusdt@depth20","data":{"lastUpdateId":105,"bids":[["2000","4"]],"asks":[["2001","1"]]}}"#,
    r#"{"stream":"btcusdt@depthSnapshot","generated":true,"data":{"lastUpdateId":6,"symbol":"BTCUSD_PERP","bids":[],"asks":[]}}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":42,"s":"BTCUSDT","ps":"BTCUSDT","b":"50000.10","B":"1","a":"50000.20","A":"2","T":1700000000001,"E":1700000000002,"st":1}}"#,
    r#"{"u":42,"s":"BTCUSDT","b":"50000.10000000","B":"1.00000000","a":"0.00000000","A":"0.00000000"}"#,
    r#"{"u":42,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"50000.1","B":"10","a":"50000.2","A":"20","T":1700000000001,"E":1700000000002}"#,
    r#"{"e":"trade","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","t":8400000000000000001,"p":"50000.10","q":"0.002","X":"MARKET","m":true}"#,
    r#"{"e":"trade","E":1700000000002,"s":"BTCUSDT","t":3,"p":"50000.1","q":"0.002","b":11,"a":12,"T":1700000000001,"m":false,"M":true}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","t":4,"p":"0","q":"0","X":"NA","m":true,"st":1}}"#,
    r#"{"e":"aggTrade","E":1700000000002,"a":9,"s":"BTCUSDT","p":"50000.10","q":"0.004","nq":"0.003","f":5,"l":6,"T":1700000000001,"m":true,"st":1}"#,
    r#"{"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT","p":"50000.12345678","ap":"50000.1","P":"50001","i":"49999.9","r":"-0.00012345","T":1700006400000,"st":1}"#,
    r#"[{"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT_260327","p":"50000","i":"1","P":"","r":"","T":0},{"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSD_PERP","p":"50000","r":"0.0001","T":1700006400000,"st":2}]"#,
    r#"{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1700000000002,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.190","p":"49000.1","ap":"49100.2","X":"FILLED","l":"0.155","z":"0.190","T":1700000000001,"ps":"BTCUSDT","st":1}}}"#,
    r#"{"e":"kline","E":1700000000002,"s":"BTCUSDT","k":{"t":1699999980000, "T":1700000039999, "s":"BTCUSDT", "i":"1m", "f":-1, "L":-1, "o":"1.0", "c":"2.0", "h":"3.0", "l":"0.5", "v":"123456789012345678.5", "n":0, "x":true, "q":"7", "V":"4", "Q":"3", "B":"0"}}"#,
    r#"{"e":"contractInfo","E":1700000000002,"s":"BTCUSDT","ps":"BTCUSDT","ct":"","dt":4133404800000,"ot":1569398400000,"cs":"TRADING","bks":[{"bs":1,"bnf":0,"bnc":5e3,"mmr":0.01,"cf":0,"mi":21,"ma":50}]}"#,
    r#"{"result":null,"id":1}"#,
    r#"{"stream":"btcusdt@rpiDepth@500ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[],"a":[]}}"#,
    r#"{"e":"24hrTicker","E":1,"s":"币USDT"}"#,
    r#"{"data":{"e":"trade","E":1,"T":1,"s":"A","t":1,"p":"1","q":"1","m":true},"stream":"a@trade"}"#,
];

fn decoded(frame: &str) -> Decoded {
    let mut out = Decoded::default();
    Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap();
    out
}

fn only(frame: &str) -> Body {
    let out = decoded(frame);
    assert_eq!((out.messages.len(), out.ignored.len()), (1, 0), "{frame}");
    out.messages[0].body
}

fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

#[test]
fn every_frame_means_the_same_to_both_in_every_market() {
    for frame in FRAMES {
        for market in [Market::UsdM, Market::CoinM, Market::Spot] {
            differential(frame.as_bytes(), market).unwrap();
        }
    }
}

#[test]
fn every_truncation_is_an_error_to_both() {
    for frame in FRAMES {
        for end in 0..frame.len() {
            let cut = &frame.as_bytes()[..end];
            differential(cut, Market::UsdM).unwrap();
            let mut out = Decoded::default();
            let error = Decoder::new(Market::UsdM).decode(cut, &mut out).unwrap_err();
            assert!(error.offset as usize <= end, "{error:?} in {}", String::from_utf8_lossy(cut));
            assert!(out.messages.is_empty() && out.levels.is_empty());
        }
    }
}

#[test]
fn depth_values() {
    let out = decoded(FRAMES[0]);
    assert_eq!(out.stream.of(FRAMES[0].as_bytes()), b"btcusdt@depth@100ms");
    let Body::Depth(depth) = out.messages[0].body else { panic!("{out:?}") };
    assert_eq!(depth.ids, DepthIds { first: 101, last: 109, prev: Some(98) });
    assert_eq!(depth.times.event, Nanos::from_millis(1_700_000_000_100));
    assert_eq!(
        out.bids(depth.levels),
        [
            Level { price: px("50000.1"), qty: qty("1.5") },
            Level { price: px("49999.9"), qty: Qty::ZERO }
        ]
    );
    assert_eq!(out.asks(depth.levels), [Level { price: px("50000.2"), qty: qty("2.25") }]);
    assert_eq!(only(FRAMES[1]).kind(), Kind::PartialDepth);
    assert_eq!(only(FRAMES[4]).kind(), Kind::PartialDepth);
}

#[test]
fn asks_before_bids_are_stored_the_same_way() {
    let frame = r#"{"e":"depthUpdate","E":1,"s":"A","U":1,"u":1,"a":[["3","1"],["4","1"]],"b":[["2","7"]]}"#;
    differential(frame.as_bytes(), Market::UsdM).unwrap();
    let out = decoded(frame);
    let Body::Depth(depth) = out.messages[0].body else { panic!("{out:?}") };
    assert_eq!(out.bids(depth.levels), [Level { price: px("2"), qty: qty("7") }]);
    assert_eq!(out.asks(depth.levels)[1].price, px("4"));
}

#[test]
fn trades_name_the_aggressor_and_the_origin() {
    let Body::Trade(trade) = only(FRAMES[9]) else { panic!() };
    assert_eq!((trade.id, trade.aggressor), (8_400_000_000_000_000_001, Side::Sell));
    assert_eq!((trade.price, trade.origin), (px("50000.1"), TradeOrigin::Market));
    let Body::Trade(spot) = only(FRAMES[10]) else { panic!() };
    assert_eq!(spot.aggressor, Side::Buy);
    assert_eq!(decoded(FRAMES[11]).ignored, [Ignored::Placeholder]);
    let odd = FRAMES[9].replace("MARKET", "LATER");
    assert!(matches!(decoded(&odd).ignored[..], [Ignored::UnknownValue(_)]));
    let Body::AggTrade(agg) = only(FRAMES[12]) else { panic!() };
    assert_eq!((agg.qty, agg.normal_qty), (qty("0.004"), qty("0.003")));
}

#[test]
fn mark_price_and_funding() {
    let Body::Mark(mark) = only(FRAMES[13]) else { panic!() };
    assert_eq!(mark.funding_rate, Some(Rate::parse(b"-0.00012345").unwrap()));
    assert_eq!(mark.next_funding, Nanos::from_millis(1_700_006_400_000));
    // The array holds a dated contract without funding, and a COIN-M row that is not ours.
    let out = decoded(FRAMES[14]);
    let Body::Mark(dated) = out.messages[0].body else { panic!("{out:?}") };
    assert_eq!((dated.funding_rate, dated.next_funding, dated.settle), (None, None, None));
    assert_eq!(out.ignored, [Ignored::OtherMarket]);
}

#[test]
fn a_sold_liquidation_means_a_long() {
    let Body::Liquidation(order) = only(FRAMES[15]) else { panic!() };
    assert_eq!((order.side, order.filled_qty), (Side::Sell, qty("0.190")));
    assert_eq!((order.price, order.average), (px("49000.1"), px("49100.2")));
    // `st` outside `o`, as one published sample has it.
    let coin = FRAMES[15].replace(",\"st\":1}}", "},\"st\":2}");
    assert_eq!(decoded(&coin).ignored, [Ignored::OtherMarket]);
}

#[test]
fn klines_keep_sums_beyond_one_orders_range() {
    let out = decoded(FRAMES[16]);
    let Body::Kline(at) = out.messages[0].body else { panic!("{out:?}") };
    let kline = out.kline(&at);
    assert_eq!(kline.volume.to_string(), "123456789012345678.5");
    assert_eq!((kline.first_trade, kline.closed, kline.trades), (None, true, 0));
}

#[test]
fn contract_brackets_are_json_numbers() {
    let out = decoded(FRAMES[17]);
    let Body::ContractInfo(info) = out.messages[0].body else { panic!("{out:?}") };
    let bracket = out.brackets(&info)[0];
    assert_eq!(bracket.maintenance_rate, Rate::parse(b"0.01").unwrap());
    assert_eq!(bracket.notional_cap.to_string(), "5000");
}

#[test]
fn exponents_are_exact_and_rounding_is_refused() {
    let with = |p: &str| FRAMES[9].replace("50000.10", p);
    let Body::Trade(trade) = only(&with("5.00001E4")) else { panic!() };
    assert_eq!(trade.price, px("50000.1"));
    let Body::Trade(small) = only(&with("1.2E-7")) else { panic!() };
    assert_eq!(small.price, Px(12));
    for bad in ["1E-9", "0.000000001", "-1", "", "1e", "0", "92233720369", "0x10", " 1"] {
        let frame = with(bad);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        assert!(error.kind.to_string().contains("\"p\""), "{bad}: {error}");
    }
}

#[test]
fn faults_name_kind_and_offset() {
    let cases: [(&str, DecodeErrorKind, u32); 9] = [
        ("", DecodeErrorKind::Truncated, 0),
        ("[1]", DecodeErrorKind::NotAFrame, 1),
        ("5", DecodeErrorKind::NotAFrame, 0),
        (r#"{"e":"trade","E":"x"}"#, DecodeErrorKind::WrongType("E"), 17),
        (r#"{"e":"trade","E":1,"E":2}"#, DecodeErrorKind::Duplicate("E"), 23),
        (r#"{"result":null} x"#, DecodeErrorKind::Syntax, 16),
        (r#"{"e":"trade","E":1}"#, DecodeErrorKind::Missing("T"), 18),
        (r#"{"stream":"a@trade"}"#, DecodeErrorKind::Missing("data"), 20),
        (r#"{"e":"trade","E":1,"X":"#, DecodeErrorKind::Truncated, 23),
    ];
    for (frame, kind, offset) in cases {
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        assert_eq!((error.kind, error.offset), (kind, offset), "{frame}");
    }
    let mut wide = FRAMES[20].as_bytes().to_vec();
    let at = wide.iter().position(|&b| b >= 0x80).unwrap();
    wide[at] = 0xFF;
    let mut out = Decoded::default();
    let error = Decoder::new(Market::UsdM).decode(&wide, &mut out).unwrap_err();
    assert_eq!((error.kind, error.offset as usize), (DecodeErrorKind::Utf8, at));
}

#[test]
fn text_beyond_ascii_is_checked_on_the_fast_path() {
    let mut frame = FRAMES[9].replace("BTCUSDT", "币USDT").into_bytes();
    let mut decoder = Decoder::new(Market::UsdM);
    let mut out = Decoded::default();
    decoder.decode(&frame, &mut out).unwrap();
    assert_eq!(out.messages[0].symbol.of(&frame), "币USDT".as_bytes());
    let at = frame.iter().position(|&b| b >= 0x80).unwrap();
    frame[at] = 0xFF;
    differential(&frame, Market::UsdM).unwrap();
    let error = decoder.decode(&frame, &mut out).unwrap_err();
    assert_eq!((error.kind, error.offset as usize), (DecodeErrorKind::Utf8, at));
    assert_eq!((out.messages.len(), decoder.handed_over()), (0, 0));
}

#[test]
fn a_malformed_frame_still_names_its_stream() {
    let frame = &FRAMES[0].as_bytes()[..120];
    let mut out = Decoded::default();
    Decoder::new(Market::UsdM).decode(frame, &mut out).unwrap_err();
    assert_eq!(out.stream.of(frame), b"btcusdt@depth@100ms");
}

#[test]
fn ordinary_frames_stay_on_the_fast_path() {
    let handed_over = |frame: &&&str| {
        let mut decoder = Decoder::new(Market::UsdM);
        decoder.decode(frame.as_bytes(), &mut Decoded::default()).unwrap();
        decoder.handed_over() > 0
    };
    // A third entry in a level, a volume beyond 18 digits, a contract change, and what is left out.
    let odd: Vec<_> = FRAMES.iter().filter(handed_over).collect();
    let expected: Vec<_> = [2, 16, 17, 18, 19, 20, 21].map(|at| &FRAMES[at]).into_iter().collect();
    assert_eq!(odd, expected);
}

#[test]
fn too_many_levels_are_refused() {
    let level = r#"["1","1"]"#;
    let many = vec![level; LEVELS_MAX + 1].join(",");
    let frame = format!(r#"{{"lastUpdateId":1,"bids":[{many}],"asks":[]}}"#);
    differential(frame.as_bytes(), Market::UsdM).unwrap();
    let mut out = Decoded::default();
    let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooMany("bids"));
}

/// Frames whose meaning a later key changes: the scanner must not judge them by their first ones.
#[test]
fn a_later_key_can_change_what_a_row_is() {
    let frames = [
        r#"{"lastUpdateId":"x","e":"24hrTicker"}"#,
        r#"{"e":"trade","E":"x","stream":"btcusdt@depth5","data":{"result":null}}"#,
        r#"{"e":"depthUpdate","b":[["0","1"]],"stream":"a","data":{"result":null}}"#,
        r#"{"lastUpdateId":[],"data":[],"stream":"a"}"#,
        r#"{"lastUpdateId":17,"T":"x","\u0065":""}"#,
        r#"{"u":1,"s":"A","b":7,"e":"24hrTicker"}"#,
    ];
    for frame in frames {
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        assert!(!decoded(frame).ignored.is_empty() || frame.contains("[]"), "{frame}");
    }
    let twice = r#"{"stream":"","stream":"btcusdt@depth5","data":[]}"#;
    differential(twice.as_bytes(), Market::UsdM).unwrap();
    let mut out = Decoded::default();
    let error = Decoder::new(Market::UsdM).decode(twice.as_bytes(), &mut out).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Duplicate("stream"));
}

#[test]
fn a_foreign_row_is_left_out_whatever_is_in_it() {
    let frame = r#"[{"e":"markPriceUpdate","E":1,"s":"B_PERP","p":"0.0000000001","st":2},{"e":"markPriceUpdate","E":1,"s":"A","p":"1","st":1}]"#;
    let out = decoded(frame);
    assert_eq!((out.messages.len(), out.ignored.as_slice()), (1, &[Ignored::OtherMarket][..]));
}

#[test]
fn as_many_levels_as_allowed_are_taken() {
    let many = vec![r#"["1","1"]"#; LEVELS_MAX - 1].join(",");
    let frame = format!(r#"{{"lastUpdateId":1,"bids":[{many}],"asks":[["2","1"]]}}"#);
    let mut decoder = Decoder::new(Market::UsdM);
    let mut out = Decoded::default();
    decoder.decode(frame.as_bytes(), &mut out).unwrap();
    assert_eq!((out.levels.len(), decoder.handed_over()), (LEVELS_MAX, 0));
}

#[test]
fn as_many_rows_as_allowed_are_taken() {
    let rows = |count| {
        let frame = format!("[{}]", vec![FRAMES[9]; count].join(","));
        let mut decoder = Decoder::new(Market::UsdM);
        let mut out = Decoded::default();
        let result = decoder.decode(frame.as_bytes(), &mut out).map_err(|error| error.kind.name());
        (result, out.messages.len(), decoder.handed_over())
    };
    assert_eq!(rows(ROWS_MAX), (Ok(()), ROWS_MAX, 0));
    assert_eq!(rows(ROWS_MAX + 1), (Err("too-many"), 0, 0));
}

/// A trade with a field that nobody reads, and where its value begins.
fn with_unread(value: &str) -> (String, usize) {
    let head = FRAMES[9].strip_suffix('}').unwrap();
    (format!("{head},\"z\":{value}}}"), head.len() + 5)
}

#[test]
fn any_json_may_stand_in_an_unread_field() {
    for value in [
        "0",
        "-0",
        "10",
        "-1.50",
        "1e5",
        "1E+05",
        "1.25e-10",
        "true",
        "false",
        "null",
        "\"\"",
        "\" \"",
        "{}",
        "[]",
        r#"{"a":1,"b":[2,{}]}"#,
        "[1,2]",
        "\t{ \"a\" : 1 , \"b\"\r:\n2 } ",
        " [ 1 , 2 ] ",
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    ] {
        let (frame, _) = with_unread(value);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut decoder = Decoder::new(Market::UsdM);
        let mut out = Decoded::default();
        decoder.decode(frame.as_bytes(), &mut out).unwrap();
        assert_eq!((out.messages.len(), decoder.handed_over()), (1, 0), "{value}");
    }
}

#[test]
fn what_is_no_json_is_noticed_where_it_stands() {
    for value in [
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "tru",
        "fals",
        "nul",
        "nullx",
        r#""\x""#,
        r#""\u12g4""#,
        "\"a\u{1f}\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        "[}",
        "{]",
    ] {
        let (frame, start) = with_unread(value);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut out).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Syntax, "{value}");
        let inside = start..=start + value.len();
        assert!(inside.contains(&(error.offset as usize)), "{value}: {error}");
    }
}

#[test]
fn the_end_of_a_frame_is_told_from_a_wrong_byte() {
    for cut in [r#"{"e":"trade""#, r#"{"e":"trade","E":1,"z":"\u00"#, r#"{"e":"trade","z":[1"#] {
        let mut out = Decoded::default();
        let error = Decoder::new(Market::UsdM).decode(cut.as_bytes(), &mut out).unwrap_err();
        let found = (error.kind, error.offset as usize);
        assert_eq!(found, (DecodeErrorKind::Truncated, cut.len()), "{cut}");
    }
}

#[test]
fn deep_nesting_and_escapes_go_to_the_reference() {
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    let escaped = r#""\"\\\/\b\f\n\r\t\u00Af""#;
    for value in [deep.as_str(), objects.as_str(), r#"{"\u0061":1}"#, escaped] {
        let (frame, _) = with_unread(value);
        differential(frame.as_bytes(), Market::UsdM).unwrap();
        let mut decoder = Decoder::new(Market::UsdM);
        let mut out = Decoded::default();
        decoder.decode(frame.as_bytes(), &mut out).unwrap();
        assert_eq!((out.messages.len(), decoder.handed_over()), (1, 1), "{value}");
    }
}
