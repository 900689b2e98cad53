//! Recordings of every layout, sound and broken, read record by record.

use super::*;
use crate::capture::testing::{drain, failure, gzip, reader, records, zstd};
use crate::capture::{CaptureLimits, Reader};

const NANOS: &str = "1723161255030314667 {\"a\":1}\n1723161255030314668 [2]\n";
const MICROS: &str = "1680652700423001 {\"a\":1}\n1680652700423002 [2]\n";
const TEXT: &str = "configuration: {\"a\": 1}\n\
        wss://fstream.binance.com/stream <-> 1617647796.76969\n\
        wss://fstream.binance.com/stream <- 1617647796.8: {\"op\": 1}\n\
        1617647797.5963788: {\"a\": 1}\n\
        https://fapi.binance.com/fapi/v1/depth?symbol=A -> 1617647797.9072561: {\"b\": 2}\n\
        1617647797.916234: [3]\n";
const JSON: &str = r#"{"t":"header","format":2,"exchange":"BINANCE_FUTURES"}
{"t":"http","ts":1626992742.5,"url":"https://fapi.binance.com/late","data":"{\"r\":3}"}
{"t":"http","ts":1626992741.5,"url":"https://fapi.binance.com/early","data":"{\"r\":1}"}
{"t":"http","ts":1626992742,"url":"https://fapi.binance.com/equal","data":"{\"r\":2}"}
{"t":"http","ts":1626992799,"url":"https://fapi.binance.com/last","data":"{\"r\":4}"}
{"t":"connect","ts":1626992741.0,"addr":"wss://fstream.binance.com/stream"}
{"t":"recv","ts":1626992741.25,"data":"{\"a\":1}"}
{"t":"send","ts":1626992741.3,"data":"{\"op\":1}"}
{"t":"recv","ts":1626992742.000,"data":"{\"a\":\"\u00e9\"}"}
{"t":"recv","ts":1626992743.0625,"data":"[3]"}
"#;

fn options() -> OpenOptions {
    OpenOptions::default()
}

/// (receive time, line, bytes) of stream records.
fn frames(name: &str, bytes: &[u8]) -> Vec<(u64, u64, String)> {
    let read = records(name, bytes);
    assert!(read.iter().all(|record| record.2.is_none()));
    read.into_iter().map(|(recv, line, _, text)| (recv, line, text)).collect()
}

#[test]
fn collector_lines_in_every_unit_and_packing() {
    let nanos = vec![
        (1_723_161_255_030_314_667, 1, "{\"a\":1}".to_owned()),
        (1_723_161_255_030_314_668, 2, "[2]".to_owned()),
    ];
    let micros = vec![
        (1_680_652_700_423_001_000, 1, "{\"a\":1}".to_owned()),
        (1_680_652_700_423_002_000, 2, "[2]".to_owned()),
    ];
    for (text, expected, names) in
        [(NANOS, nanos, ["x.ns.gz", "x"]), (MICROS, micros, ["x.us.gz", "x"])]
    {
        let text = text.as_bytes();
        let (first, second) = text.split_at(30);
        for packed in [
            text.to_vec(),
            gzip(text),
            [gzip(first), gzip(second)].concat(),
            zstd(text),
            [zstd(first), zstd(second)].concat(),
        ] {
            // The name says gz whatever the content is, or nothing.
            for name in names {
                assert_eq!(frames(name, &packed), expected);
            }
        }
    }
}

#[test]
fn blank_lines_crlf_and_a_missing_line_end() {
    let text = format!("\r\n\n{}\n", NANOS.trim_end().replace('\n', "\r\n\n \r\n"));
    let read = frames("x", text.as_bytes());
    assert_eq!(read.iter().map(|f| f.1).collect::<Vec<_>>(), vec![3, 6]);
    assert_eq!(read.iter().map(|f| &*f.2).collect::<Vec<_>>(), vec!["{\"a\":1}", "[2]"]);
    assert_eq!(frames("x", NANOS.trim_end().as_bytes()).len(), 2);
}

#[test]
fn a_cut_last_frame_is_for_the_decoder_to_judge() {
    let text = NANOS.trim_end().trim_end_matches(']');
    assert_eq!(frames("x", text.as_bytes())[1].2, "[2");
}

#[test]
fn bytes_of_a_frame_are_not_touched() {
    let text = b"1723161255030314667 {\"a\": \"\xff\x00\t\"}  \n";
    let mut reader = reader("x", text, &options()).unwrap();
    let record = reader.next().unwrap().unwrap();
    assert_eq!(record.bytes, b"{\"a\": \"\xff\x00\t\"}  ");
    assert_eq!((record.source, record.origin), (0, Origin::Stream));
    assert_eq!(reader.next().unwrap(), None);
    assert_eq!(reader.next().unwrap(), None);
}

#[test]
fn truncated_files_give_their_whole_lines_and_then_say_so() {
    // More than one block of zstd, which gives nothing of a block that is cut.
    let line = |at: u64| format!("{} [{at}]\n", 1_723_161_255_030_314_667_u64 + at * at);
    let text: String = (0..20_000).map(line).collect();
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        let mut reader = reader("x.ns.gz", &packed[..packed.len() / 2], &options()).unwrap();
        let (records, error) = drain(&mut reader);
        let count = records.len();
        assert!((1_000..20_000).contains(&count), "{count}");
        assert!(records.iter().zip(0..).all(|(record, at)| record.3 == format!("[{at}]")));
        let end = format!("x.ns.gz: compressed data ends in the middle after line {count}");
        assert_eq!(error.unwrap().to_string(), end);
        assert_eq!(reader.next().unwrap(), None);
    }
    let packed = gzip(NANOS.as_bytes());
    for missing in 1..=8 {
        let error = failure("x", &packed[..packed.len() - missing]);
        assert_eq!(error, "x: compressed data ends in the middle after line 2");
    }
    assert_eq!(
        failure("x", &gzip(NANOS.as_bytes())[..12]),
        "x: compressed data ends in the middle after line 0"
    );
}

#[test]
fn corrupt_data_is_not_called_truncated() {
    let mut packed = gzip(NANOS.as_bytes());
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    assert!(failure("x", &packed).contains("x: compressed data is corrupt after line 2: "));
    let trailing = [gzip(NANOS.as_bytes()), b"0123456789abcdef".to_vec()].concat();
    assert!(failure("x", &trailing).contains("corrupt after line 2"));
}

#[test]
fn what_is_no_capture_is_refused() {
    for text in ["{\"stream\":\"a\"}", "a,b,c\n1,2,3", "12 x", "1723161255030314667", "\0\0\0\0"] {
        let error = failure("x", text.as_bytes());
        assert!(error.starts_with("x: line 1 is no line of a capture: \""), "{error}");
        assert!(!error.contains(['\n', '\0']), "{error}");
    }
    for text in ["", "\n\r\n  \n"] {
        assert_eq!(failure("x", text.as_bytes()), "x: the capture is empty");
        assert_eq!(failure("x", &gzip(text.as_bytes())), "x: the capture is empty");
    }
    assert!(failure("x", b"PK\x03\x04....").contains("zip archive: unpack it"));
}

#[test]
fn a_faulty_line_can_be_passed_over() {
    for (bad, part) in [
        ("17231612550", "line 2: no space behind a receive time: \"17231612550\""),
        ("\0\0\0", "line 2: no space behind a receive time: \"\\x00\\x00\\x00\""),
        ("1680652700423001 {}", "line 2: receive time 1680652700423001 is no time"),
    ] {
        let text = NANOS.replacen('\n', &format!("\n{bad}\n"), 1);
        let mut reader = reader("x", text.as_bytes(), &options()).unwrap();
        let (before, error) = drain(&mut reader);
        let error = error.unwrap().to_string();
        assert!(error.contains(part), "{error}");
        let (after, error) = drain(&mut reader);
        assert_eq!((before.len(), after.len()), (1, 1));
        assert!(error.is_none());
    }
}

#[test]
fn a_wrong_unit_is_found_and_the_cure_is_told() {
    let open =
        |name, unit, text: &str| reader(name, text.as_bytes(), &OpenOptions { unit, ..options() });
    assert!(
        failure("x.ns.gz", MICROS.as_bytes())
            .ends_with("it looks like us, but the file name says ns: pass --unit us")
    );
    let error = open("x", Some(Unit::Micros), NANOS).err().unwrap().to_string();
    assert!(error.ends_with("it looks like ns, but the caller says us: pass --unit ns"));
    // What the caller says goes before the name.
    assert_eq!(open("x.ns.gz", Some(Unit::Micros), MICROS).unwrap().unit(), Some(Unit::Micros));
    let mixed = failure("x", format!("{NANOS}{MICROS}").as_bytes());
    assert!(mixed.contains("x: line 3: ") && mixed.ends_with("units are mixed"), "{mixed}");
    assert!(failure("x", b"1680652700 {}").ends_with("it looks like seconds"));
}

#[test]
fn limits_hold() {
    let limits = CaptureLimits { line_bytes_max: 40, rest_bytes_max: 1_000 };
    let long = format!("{NANOS}1723161255030314668 [\"{}\"]\n", "x".repeat(40));
    let mut read = reader("x", long.as_bytes(), &OpenOptions { limits, ..options() }).unwrap();
    let (records, error) = drain(&mut read);
    assert_eq!(records.len(), 2);
    let text = error.unwrap().to_string();
    assert_eq!(text, "x: line 3 is longer than 40 bytes (line_bytes_max)");
    assert_eq!(read.next().unwrap(), None);

    let limits = CaptureLimits { rest_bytes_max: 300, ..CaptureLimits::default() };
    let options = OpenOptions { limits, ..options() };
    let mut read = reader("x", JSON.as_bytes(), &options).unwrap();
    let (records, error) = drain(&mut read);
    assert_eq!(records, vec![]);
    assert!(error.unwrap().to_string().contains("exceed 300 bytes (rest_bytes_max)"));
    assert_eq!(read.next().unwrap(), None);
    // A text recording has them in place, so few wait at a time.
    let rest = "https://a/b -> 1617647797.9: {\"b\": 2}\n".repeat(500);
    let mut read = reader("x", format!("{TEXT}{rest}").as_bytes(), &options).unwrap();
    assert_eq!(drain(&mut read).0.len(), 503);
}

#[test]
fn answers_of_a_json_recording_come_before_the_frame_that_follows_them() {
    let read = records("x", JSON.as_bytes());
    let brief: Vec<_> = read
        .iter()
        .map(|(recv, line, url, text)| {
            (recv - 1_626_992_741_000_000_000, *line, url.is_some(), text.as_str())
        })
        .collect();
    assert_eq!(
        brief,
        vec![
            (250_000_000, 7, false, "{\"a\":1}"),
            (500_000_000, 3, true, "{\"r\":1}"),
            (1_000_000_000, 4, true, "{\"r\":2}"),
            (1_000_000_000, 9, false, "{\"a\":\"\u{e9}\"}"),
            (1_500_000_000, 2, true, "{\"r\":3}"),
            (2_062_500_000, 10, false, "[3]"),
            (58_000_000_000, 5, true, "{\"r\":4}"),
        ]
    );
    assert_eq!(read[1].2.as_deref(), Some("https://fapi.binance.com/early"));
}

#[test]
fn a_text_recording_is_read_in_its_own_order() {
    let read = records("x", TEXT.as_bytes());
    let brief: Vec<_> = read
        .iter()
        .map(|(recv, line, url, text)| (*recv, *line, url.as_deref(), text.as_str()))
        .collect();
    let url = Some("https://fapi.binance.com/fapi/v1/depth?symbol=A");
    assert_eq!(
        brief,
        vec![
            (1_617_647_797_596_378_800, 4, None, "{\"a\": 1}"),
            (1_617_647_797_907_256_100, 5, url, "{\"b\": 2}"),
            (1_617_647_797_916_234_000, 6, None, "[3]"),
        ]
    );
}

#[test]
fn facts_of_each_format() {
    for (text, format, unit, market) in [
        (NANOS, Format::Collector, Some(Unit::Nanos), None),
        (MICROS, Format::Collector, Some(Unit::Micros), None),
        (JSON, Format::CryptofeedJson, None, Some(Market::UsdM)),
        (TEXT, Format::CryptofeedText, None, Some(Market::UsdM)),
    ] {
        let read = reader("x", text.as_bytes(), &options()).unwrap();
        assert_eq!((read.format(), read.unit(), read.market()), (format, unit, market));
        assert_eq!((read.name(), read.bytes_total()), ("x", None));
        let read = reader("a/spot_x", text.as_bytes(), &options()).unwrap();
        assert_eq!(read.market(), Some(Market::Spot));
        let told = OpenOptions { market: Some(Market::CoinM), ..options() };
        let read = reader("spot_x", text.as_bytes(), &told).unwrap();
        assert_eq!(read.market(), Some(Market::CoinM));
    }
}

#[test]
fn looking_for_the_market_loses_nothing_and_ends() {
    let other = TEXT.replace("binance", "example");
    let open = |text: &str| {
        let input = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        FileReader::from_read("x", input, &options()).unwrap()
    };
    let read = open(&other);
    assert_eq!((read.market(), read.lines.number()), (None, 4));
    assert_eq!(records("x", other.as_bytes()).len(), 3);
    let rest = "https://a/b -> 1617647797.9: {}\n".repeat(100);
    let read = open(&rest);
    assert_eq!((read.market(), read.lines.number()), (None, MARKET_LINES_MAX));
    assert_eq!(records("x", rest.as_bytes()).len(), 100);
}

#[test]
fn addresses_of_two_markets_are_refused_unless_the_market_was_told() {
    let mixed = TEXT.replace("fapi.binance", "api.binance");
    assert_eq!(
        failure("x", mixed.as_bytes()),
        "x: line 5: an address of spot in a recording of usdm: split it, or pass --market"
    );
    assert_eq!(records("usdm_x", mixed.as_bytes()).len(), 3);
}

#[test]
fn a_file_is_read_with_its_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usdm_x.ns.gz");
    let packed = gzip(MICROS.as_bytes());
    std::fs::write(&path, &packed).unwrap();
    assert!(Reader::open(&path, &options()).is_err());
    let sidecar = Sidecar {
        version: 1,
        market: "coinm".to_owned(),
        unit: "us".to_owned(),
        symbols: vec!["BTCUSD_PERP".to_owned()],
        note: None,
    };
    sidecar.write(&path).unwrap();
    let mut read = Reader::open(&path, &options()).unwrap();
    assert_eq!(read.sidecar(), Some(&sidecar));
    assert_eq!((read.market(), read.unit()), (Some(Market::CoinM), Some(Unit::Micros)));
    assert_eq!(drain(&mut read).0.len(), 2);
    assert_eq!(read.bytes_total(), Some(packed.len() as u64));
    assert_eq!(read.bytes_read(), packed.len() as u64);
    let told = OpenOptions { market: Some(Market::Spot), unit: Some(Unit::Nanos), ..options() };
    assert!(Reader::open(&path, &told).is_err());
    Sidecar { unit: "ns".to_owned(), ..sidecar }.write(&path).unwrap();
    let error = Reader::open(&path, &options()).err().unwrap().to_string();
    assert!(error.ends_with("but the sidecar says ns: pass --unit us"), "{error}");
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.gz");
    let error = Reader::open(&missing, &options()).err().unwrap().to_string();
    assert!(error.contains("missing.gz: cannot open: "), "{error}");
    let error = Reader::open(folder.path(), &options()).err().unwrap();
    assert!(matches!(error, CaptureError::Read { line: 0, .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_by_its_path() {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    let (output, mut input) = std::io::pipe().unwrap();
    input.write_all(&gzip(NANOS.as_bytes())).unwrap();
    drop(input);
    let path = format!("/dev/fd/{}", output.as_raw_fd());
    let mut read = Reader::open(Path::new(&path), &options()).unwrap();
    assert_eq!(drain(&mut read).0.len(), 2);
    assert_eq!(read.bytes_total(), None);
}

#[test]
fn a_reader_can_move_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&reader("x", NANOS.as_bytes(), &options()).unwrap());
}
