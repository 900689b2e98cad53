//! The orders of keys that the straight reader takes, and everything around them against the reference.

use proptest::prelude::*;

use super::super::{Decoder, LEVELS_MAX, differential};
use super::*;

/// One made-up frame of every order of keys that real frames have or had.
const HOT: &[&str] = &[
    // Book tickers: USD-M, the same today, COIN-M, the same on the all-market stream, spot.
    r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":9000000000042,"s":"BTCUSDT","b":"59123.40","B":"0.123","a":"59123.50","A":"17.001","T":1700000000001,"E":1700000000002}}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":9000000000042,"s":"BTCUSDT","ps":"BTCUSDT","b":"101234.50","B":"120.123","a":"101234.60","A":"2","T":1700000000001,"E":1700000000002,"st":1}}"#,
    r#"{"stream":"btcusd_perp@bookTicker","data":{"u":700000000001,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"59123.4","B":"1042","a":"59123.5","A":"7","T":1700000000001,"E":1700000000002}}"#,
    r#"{"u":42000000,"e":"bookTicker","s":"XMRUSD_PERP","ps":"XMRUSD","b":"172.74","B":"86","a":"172.81","A":"0","T":1700000000001,"E":1700000000002,"st":2}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"u":50000000001,"s":"BTCUSDT","b":"59123.40000000","B":"0.12300000","a":"59123.41000000","A":"1.00000000"}}"#,
    r#"{"u":50000000001,"s":"BTCUSDT","b":"0.00000000","B":"0.00000000","a":"59123.41000000","A":"1.00000000"}"#,
    // Trades: futures, the same today, before there was `X`, spot, spot with the two orders.
    r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1700000000002,"T":1700000000001,"s":"ETHUSDT","t":4300000001,"p":"2682.21","q":"0.010","X":"MARKET","m":false}}"#,
    r#"{"e":"trade","E":1700000000002,"T":1700000000001,"s":"ETHUSDT","t":4300000001,"p":"2682.21","q":"0.010","X":"MARKET","m":true,"st":1}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1574000000002,"T":1574000000001,"s":"BTCUSDT","t":10900000,"p":"7627.60","q":"0.044","m":false}}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000002,"s":"BTCUSDT","t":3600000001,"p":"59123.40000000","q":"0.00101900","T":1700000000001,"m":true,"M":true}}"#,
    r#"{"e":"trade","E":1680000000002,"s":"BTCUSDT","t":3000000001,"p":"28123.40000000","q":"0.00101900","b":20000000001,"a":20000000002,"T":1680000000001,"m":false,"M":true}"#,
    // Aggregate trades: USD-M today, before `nq`, spot, the earliest ones without an id.
    r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000002,"a":3400000001,"s":"BTCUSDT","p":"59123.40","q":"0.004","nq":"0.003","f":8100000001,"l":8100000004,"T":1700000000001,"m":true,"st":1}}"#,
    r#"{"e":"aggTrade","E":1616000000561,"a":5000000,"s":"BTCUSD_210625","p":"62838.0","q":"5","f":7600000,"l":7600002,"T":1616000000407,"m":false}"#,
    r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1592000000517,"s":"BTCUSDT","a":315000000,"p":"9319.00000000","q":"0.01864900","f":343000000,"l":343000000,"T":1592000000516,"m":true,"M":true}}"#,
    r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1568000000463,"s":"BTCUSDT","p":"10223.74","q":"0.236","f":181000,"l":181001,"T":1568000000463,"m":false}}"#,
    // Mark prices: today, before `ap`, COIN-M, without a settlement price, with both still missing.
    r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT","p":"59123.12345678","ap":"59123.12345678","P":"59100.00000001","i":"59120.1","r":"-0.00012345","T":1700006400000,"st":1}}"#,
    r#"{"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","E":1680000000000,"s":"BTCUSDT","p":"28123.12345678","P":"28100.00000001","i":"28120.17391304","r":"0.00010000","T":1680006400000}}"#,
    r#"{"e":"markPriceUpdate","E":1617000000000,"s":"BTCUSD_PERP","p":"59003.37984561","P":"58896.41602208","r":"0.00073684","T":1617006400000,"st":2}"#,
    r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1597000000000,"s":"BTCUSDT","p":"11857.56000000","i":"11851.86949091","r":"0.00015640","T":1597006400000}}"#,
    r#"{"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","E":1569000000000,"s":"BTCUSDT","p":"8291.34697815","r":"0","T":1569006400000}}"#,
    // Depth: USD-M, the same today, with the new keys at the end, COIN-M, spot, partial.
    r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","U":9000000000001,"u":9000000000042,"pu":8999999999999,"b":[["59123.40","0.123"],["59123.30","0.000"],["5000.00","117.002"],["59120.00","3"]],"a":[["59123.50","17.001"],["101234.50","0.001"]]}}"#,
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","ps":"BTCUSDT","U":9000000000001,"u":9000000000042,"pu":8999999999999,"b":[],"a":[["59123.50","17.001"],["59123.60","17.001"],["59123.70","0.5"]],"st":1}}"#,
    r#"{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BNBUSDT","U":157,"u":160,"pu":149,"b":[["0.0024","10"],["0.0023","7"],["0.0022","0"]],"a":[],"ps":"BNBUSDT","st":1}"#,
    r#"{"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSD_PERP","ps":"BTCUSD","U":700000000001,"u":700000000042,"pu":699999999999,"b":[["59123.4","1042"]],"a":[["59123.5","0"]]}}"#,
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000002,"s":"BTCUSDT","U":11000000001,"u":11000000042,"b":[["35743.98000000","0.00000000"],["35743.87000000","0.00001500"]],"a":[["35743.99000000","1.24000000"]]}}"#,
    r#"{"stream":"btcusdt@depth5@100ms","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","U":9000000000001,"u":9000000000042,"pu":8999999999999,"b":[["59123.40","0.123"]],"a":[["59123.50","17.001"]]}}"#,
    r#"{"stream":"btcusdt@depth20","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","U":9000000000001,"u":9000000000042,"pu":8999999999999,"b":[],"a":[]}}"#,
    r#"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","U":9000000000001,"u":9000000000042,"pu":8999999999999,"b":[["1000000.5","1000000.25"]],"a":[]}}"#,
];

const MARKETS: [Market; 3] = [Market::UsdM, Market::CoinM, Market::Spot];

fn agree(frame: &[u8]) {
    for market in MARKETS {
        differential(frame, market).unwrap_or_else(|difference| panic!("{market}: {difference}"));
    }
}

#[test]
fn every_order_is_taken_and_means_what_the_reference_says() {
    for frame in HOT {
        for market in MARKETS {
            let mut decoder = Decoder::new(market);
            decoder.decode(frame.as_bytes(), &mut Decoded::default()).unwrap();
            let counts = (decoder.scanned(), decoder.handed_over());
            assert_eq!(counts, (0, 0), "{market}: {frame}");
        }
        agree(frame.as_bytes());
    }
}

#[test]
fn what_is_not_in_order_leaves_nothing_behind() {
    // The straight reader has filled in stream and levels by the time it gives up.
    let frame = HOT[20].replace("\"101234.50\"", "\"1e5\"");
    let mut decoder = Decoder::new(Market::UsdM);
    let mut out = Decoded::default();
    decoder.decode(frame.as_bytes(), &mut out).unwrap();
    assert_eq!((out.levels.len(), decoder.handed_over()), (6, 1));
    agree(frame.as_bytes());

    let frame = HOT[20].replace(r#","U":9"#, r#","new":[1],"U":9"#);
    decoder.decode(frame.as_bytes(), &mut out).unwrap();
    assert_eq!((out.levels.len(), decoder.scanned(), decoder.handed_over()), (6, 1, 1));
}

#[test]
fn a_foreign_row_leaves_no_levels() {
    let frame = HOT[21].replace("\"st\":1", "\"st\":2");
    let mut decoder = Decoder::new(Market::UsdM);
    let mut out = Decoded::default();
    decoder.decode(frame.as_bytes(), &mut out).unwrap();
    assert_eq!((out.messages.len(), out.levels.len(), decoder.scanned()), (0, 0, 0));
    assert_eq!(out.ignored, [Ignored::OtherMarket]);
    agree(frame.as_bytes());
}

/// A frame with so many levels on its two sides.
fn deep(level: &str, bids: usize, asks: usize) -> String {
    let levels = |count| vec![level; count].join(",");
    let (bids, asks) = (levels(bids), levels(asks));
    format!(
        r#"{{"e":"depthUpdate","E":1700000000002,"s":"A","U":1,"u":1,"b":[{bids}],"a":[{asks}]}}"#
    )
}

#[test]
fn a_frame_is_hot_up_to_the_length_that_can_not_hold_too_many_levels() {
    let mut out = Decoded::default();
    let mut levels = |level: &str, bids, asks| {
        let frame = deep(level, bids, asks);
        let mut decoder = Decoder::new(Market::UsdM);
        let result = decoder.decode(frame.as_bytes(), &mut out).map_err(|error| error.kind.name());
        let hot = frame.len() <= levels::FRAME_BYTES_MAX;
        assert_eq!(decoder.scanned() == 0, hot || result.is_err(), "{} bytes", frame.len());
        result.map(|()| (out.levels.len(), hot))
    };
    // As many of the shortest as fit.
    assert_eq!(levels(r#"["1","1"]"#, 10_000, LEVELS_MAX - 10_007), Ok((LEVELS_MAX - 7, true)));
    assert_eq!(levels(r#"["1","1"]"#, 10_000, LEVELS_MAX - 10_006), Ok((LEVELS_MAX - 6, false)));
    assert_eq!(levels(r#"["59000.10","0.001"]"#, 7_000, 700), Ok((7_700, true)));
    assert_eq!(levels(r#"["1.5","1"]"#, LEVELS_MAX - 1, 1), Ok((LEVELS_MAX, false)));
    assert_eq!(levels(r#"["1.5","1"]"#, LEVELS_MAX, 1), Err("too-many"));
    assert_eq!(levels(r#"["1.5","1"]"#, 1, LEVELS_MAX), Err("too-many"));
}

#[test]
fn levels_of_every_look_beside_each_other() {
    let prices = ["59123.40", "5000.00", "0.1", "123456.7", "1234567.8", "0.00000001", "7", "1.50"];
    let qtys = ["0.123", "117.002", "0.000", "3", "12345678", "1000000.25", "0.00001500", "0.5"];
    for (n, price) in prices.iter().enumerate() {
        for (m, other) in prices.iter().enumerate() {
            for qty in qtys {
                let sides: Vec<String> = [price, other, price, other, other]
                    .iter()
                    .zip([qty, qty, qtys[n], qty, qtys[m]])
                    .map(|(price, qty)| format!(r#"["{price}","{qty}"]"#))
                    .collect();
                let frame = deep(&sides.join(","), 1, 2);
                let mut decoder = Decoder::new(Market::UsdM);
                let mut out = Decoded::default();
                decoder.decode(frame.as_bytes(), &mut out).unwrap();
                assert_eq!((out.levels.len(), decoder.scanned()), (15, 0), "{frame}");
                differential(frame.as_bytes(), Market::UsdM).unwrap();
            }
        }
    }
}

#[test]
fn every_cut_and_every_changed_byte_means_the_same_to_all() {
    const BYTES: &[u8] = b"\0\"\\09.-,:}]{[ aZ@!/\x1f\x7f\x80\xff";
    for frame in HOT {
        let frame = frame.as_bytes();
        for at in 0..frame.len() {
            differential(&frame[..at], Market::UsdM).unwrap();
            let mut changed = frame.to_vec();
            changed.remove(at);
            differential(&changed, Market::UsdM).unwrap();
            for byte in BYTES {
                changed.clone_from_slice(&[&frame[..at], &frame[at + 1..]].concat());
                changed.insert(at, *byte);
                differential(&changed, Market::UsdM).unwrap();
                changed.insert(at, frame[at]);
                differential(&changed, Market::UsdM).unwrap();
                changed.remove(at);
                changed.remove(at);
            }
        }
    }
}

/// A level without anything in it, `[""]`, is one of these.
#[test]
fn every_cut_out_run_of_bytes_means_the_same_to_all() {
    for frame in HOT {
        let frame = frame.as_bytes();
        for from in 0..frame.len() {
            for to in from + 1..frame.len() {
                let left = [&frame[..from], &frame[to..]].concat();
                differential(&left, Market::UsdM).unwrap();
            }
        }
    }
}

#[test]
fn a_level_without_numbers_is_no_level() {
    for levels in [r#"[""]"#, r#"["1.5","1"],[""]"#, r#"["1.5","1"],["1.5","1"],["",""]"#] {
        for (bids, asks) in [(1, 0), (0, 1), (1, 1)] {
            let frame = deep(levels, bids, asks);
            let result =
                Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut Decoded::default());
            assert!(result.is_err(), "{frame}");
            differential(frame.as_bytes(), Market::UsdM).unwrap();
        }
    }
}

/// Where the numbers of a frame stand.
fn numbers(frame: &str) -> Vec<std::ops::Range<usize>> {
    let digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let bytes = frame.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(digit).map(|n| at + n) {
        at = bytes[start..].iter().position(|byte| !digit(byte)).map_or(bytes.len(), |n| start + n);
        found.push(start..at);
    }
    found
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,9}\\.[0-9]{1,9}",
        2 => "[0-9]{1,20}",
        2 => "-?[0-9]{0,12}(\\.[0-9]{0,12})?",
        1 => "[0-9]{12,14}",
        1 => "[0-9]{0,8}[.\"x:,/\u{1e}\u{12}eE+-]{1,2}[0-9]{0,8}",
        1 => "0{1,9}\\.?0{0,9}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn other_numbers_mean_the_same_to_all(
        which in 0..HOT.len(),
        changes in proptest::collection::vec((0..40_usize, number()), 1..4),
        market in prop_oneof![Just(Market::UsdM), Just(Market::CoinM), Just(Market::Spot)],
    ) {
        let mut frame = HOT[which].to_owned();
        for (nth, text) in &changes {
            let places = numbers(&frame);
            frame.replace_range(places[nth % places.len()].clone(), text);
        }
        differential(frame.as_bytes(), market).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn other_names_mean_the_same_to_all(
        which in 0..HOT.len(),
        stream in "[a-z0-9_]{0,20}|.{0,9}",
        symbol in "[A-Z0-9_]{0,20}|.{0,9}",
    ) {
        let mut frame = HOT[which].to_owned();
        for (before, after, text) in [("\"s\":\"", "\"", &symbol), ("{\"stream\":\"", "@", &stream)] {
            if let Some((head, tail)) = frame.split_once(before)
                && let Some((_, tail)) = tail.split_once(after)
            {
                frame = format!("{head}{before}{text}{after}{tail}");
            }
        }
        differential(frame.as_bytes(), Market::UsdM).map_err(TestCaseError::fail)?;
    }
}
