//! Recordings of a few lines, and what their manifests say.

mod damage;
mod depth;

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Severity::{Broken, Note};
use super::*;
use crate::capture::{OpenOptions, Reader};

/// 2023-11-14T22:13:20Z, in ms.
const START: u64 = 1_700_000_000_000;
const OPTIONS: ManifestOptions =
    ManifestOptions { gap_max: Nanos(Nanos::SECOND), clock_offset_note: Nanos(60 * Nanos::SECOND) };
const SNAPSHOT: &str = r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#;

/// A frame and when it was received, in ms after `START`.
type Line = (u64, String);

fn line(at: u64, frame: impl Into<String>) -> Line {
    (at, frame.into())
}

/// A diff of event time `START`, with its `U`, `u` and `pu`.
fn depth(symbol: &str, [first, last, prev]: [i64; 3]) -> String {
    let stream = symbol.to_lowercase();
    format!(
        r#"{{"stream":"{stream}@depth","data":{{"e":"depthUpdate","E":{START},"s":"{symbol}","U":{first},"u":{last},"pu":{prev},"b":[],"a":[]}}}}"#
    )
}

fn snapshot(symbol: &str) -> String {
    let stream = symbol.to_lowercase();
    format!(r#"{{"stream":"{stream}@depthSnapshot","data":{SNAPSHOT}}}"#)
}

fn trade(symbol: &str) -> String {
    format!(
        r#"{{"e":"trade","E":{START},"T":{START},"s":"{symbol}","t":1,"p":"1","q":"1","m":true}}"#
    )
}

fn mark(symbol: &str) -> String {
    format!(
        r#"{{"e":"markPriceUpdate","E":{START},"s":"{symbol}","p":"1","i":"1","P":"","r":"","T":0}}"#
    )
}

/// A frame of the all-market stream with one row a symbol.
fn all_marks(symbols: &[String]) -> String {
    let rows: Vec<_> = symbols.iter().map(|symbol| mark(symbol)).collect();
    format!(r#"{{"stream":"!markPrice@arr","data":[{}]}}"#, rows.join(","))
}

fn text(lines: &[Line]) -> String {
    lines.iter().map(|(at, frame)| format!("{}000000 {frame}\n", START + at)).collect()
}

fn reader(name: &str, bytes: impl Into<Vec<u8>>) -> Reader {
    let input = Box::new(Cursor::new(bytes.into()));
    Reader::from_read(name, input, &OpenOptions::default()).unwrap()
}

fn scan_one(reader: Reader) -> Scanned {
    scan(Merge::new(vec![reader]).unwrap(), &OPTIONS, &mut |_| {}).unwrap()
}

fn manifest(files: &[(&str, &[Line])], options: &ManifestOptions) -> Manifest {
    let readers = files.iter().map(|(name, lines)| reader(name, text(lines))).collect();
    scan(Merge::new(readers).unwrap(), options, &mut |_| {}).unwrap().manifest
}

fn usdm(lines: &[Line]) -> Manifest {
    manifest(&[("usdm_x", lines)], &OPTIONS)
}

/// Severity, code, subject and message of every finding.
fn findings(manifest: &Manifest) -> Vec<(Severity, &str, &str, &str)> {
    let problems = manifest.problems.iter();
    problems.map(|p| (p.severity, p.code, p.subject.as_str(), p.message.as_str())).collect()
}

fn codes(manifest: &Manifest) -> Vec<&str> {
    manifest.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn a_sound_recording_is_counted_and_complete() {
    let manifest = usdm(&[
        line(0, snapshot("BTCUSDT")),
        line(100, depth("BTCUSDT", [1, 5, 0])),
        line(250, depth("BTCUSDT", [6, 9, 5])),
        line(250, trade("BTCUSDT")),
        line(1_250, depth("BTCUSDT", [10, 10, 9])),
    ]);
    assert_eq!(findings(&manifest), []);
    assert!(manifest.complete);
    assert_eq!((manifest.frames, manifest.malformed), (5, 0));
    assert_eq!(manifest.first, "2023-11-14T22:13:20.000000000Z");
    assert_eq!(manifest.last, "2023-11-14T22:13:21.250000000Z");
    assert_eq!(manifest.span_s.to_string(), "1.25");
    assert_eq!((manifest.silences.count, manifest.silences.longest_ms), (0, 1_000));
    let streams = [("(raw)", 1), ("btcusdt@depth", 3), ("btcusdt@depthSnapshot", 1)];
    assert_eq!(manifest.streams, streams.map(|(name, n)| (name.to_owned(), n)).into());

    let file = &manifest.files[0];
    assert_eq!((file.path.as_str(), file.format, file.market), ("usdm_x", "collector", "usdm"));
    assert_eq!((file.frames, file.snapshots), (5, 1));
    assert_eq!((&file.first, &file.last), (&manifest.first, &manifest.last));
    assert_eq!((file.out_of_order, file.out_of_order_worst_ms), (0, 0));
    assert_eq!(file.only_symbol.as_deref(), Some("BTCUSDT"));

    let symbol = &manifest.symbols["BTCUSDT"];
    assert_eq!((symbol.market, symbol.symbol.as_str()), ("usdm", "BTCUSDT"));
    let messages = [("depthUpdate", 3), ("depthSnapshot", 1), ("trade", 1)];
    assert_eq!(symbol.messages, messages.into());
    assert_eq!((symbol.depth_gaps, symbol.snapshots, symbol.own_streams), (0, 1, true));
}

/// A book that begins again, as histories tell of each day, goes on from its snapshot and not from the frame before.
#[test]
fn depth_that_goes_on_from_a_snapshot_has_no_break() {
    let frames = |first: i64| {
        usdm(&[
            line(0, snapshot("BTCUSDT")),
            line(100, depth("BTCUSDT", [1, 5, 0])),
            line(200, snapshot("BTCUSDT").replace(r#""lastUpdateId":1,"#, r#""lastUpdateId":90,"#)),
            line(300, depth("BTCUSDT", [first, 99, first - 1])),
        ])
    };
    assert_eq!(findings(&frames(88)), []);
    assert_eq!(findings(&frames(90)), []);
    assert_eq!(codes(&frames(91)), ["depth-gap"]);
}

#[test]
fn frames_without_a_market_message_are_nothing() {
    let found = usdm(&[line(0, r#"{"result":null,"id":1}"#), line(1, r#"{"e":"24hrTicker"}"#)]);
    let message = "none of its 2 frames is a market message that Fusewire reads";
    assert_eq!(findings(&found), [(Broken, "nothing", "capture", message)]);
    assert!(found.symbols.is_empty());
}

#[test]
fn rows_left_out_are_counted_by_reason() {
    let odd = trade("A").replace(r#""m":true"#, r#""m":true,"X":"LATER""#);
    let found = usdm(&[
        line(0, r#"{"result":null,"id":1}"#),
        line(1, r#"{"e":"24hrTicker"}"#),
        line(2, r#"{"e":"listStatus"}"#),
        line(3, trade("A").replace(r#""m":true"#, r#""m":true,"st":2"#)),
        line(4, trade("A").replace(r#""m":true"#, r#""m":true,"X":"NA""#)),
        line(5, odd),
    ]);
    let ignored =
        Ignored { control: 1, unknown: 2, other_market: 1, placeholder: 1, unknown_value: 1 };
    assert_eq!(found.ignored, ignored);
}

#[test]
fn symbols_beyond_the_bound_are_a_finding() {
    let mut symbols: Vec<_> = (0..4_096).map(|n| format!("S{n}")).collect();
    let full = usdm(&[line(0, all_marks(&symbols)), line(1, trade("S0"))]);
    assert_eq!((findings(&full), full.symbols.len()), (vec![], 4_096));
    assert!(full.symbols["S0"].own_streams);
    assert!(!full.symbols["S1"].own_streams);

    symbols.push("S4096".to_owned());
    let more = usdm(&[line(0, all_marks(&symbols)), line(1, trade("S0"))]);
    let message = "more than 4096 symbols";
    assert_eq!(findings(&more), [(Broken, "too-many-symbols", "capture", message)]);
    assert_eq!(more.symbols.len(), 4_096);
    assert_eq!(more.symbols["S0"].messages, [("markPriceUpdate", 1), ("trade", 1)].into());
}

#[test]
fn stream_names_beyond_the_bound_share_an_entry() {
    let control = |n: usize| format!(r#"{{"stream":"s{n}","data":{{"result":null}}}}"#);
    let frames = (0..8_194).chain([0]).map(|n| line(0, control(n)));
    let found = usdm(&frames.collect::<Vec<_>>());
    assert_eq!(found.streams.len(), 8_193);
    let counts = ["s0", "s8191", "(other)"].map(|name| found.streams[name]);
    assert_eq!(counts, [2, 1, 2]);
}

#[test]
fn a_clock_beside_the_exchanges_is_a_note() {
    let options = ManifestOptions { clock_offset_note: Nanos(100 * Nanos::MILLI), ..OPTIONS };
    let offset =
        |ats: [u64; 3]| manifest(&[("usdm_x", &ats.map(|at| line(at, trade("A"))))], &options);
    assert_eq!(findings(&offset([0, 100, 900])), []);
    let ahead = offset([0, 101, 900]);
    let message = "the recorder's clock is 101 ms ahead of the exchange's (median; 0 to 900 ms)";
    assert_eq!(findings(&ahead), [(Note, "clock-offset", "usdm_x", message)]);
    let summary = OffsetSummary { min: 0, median: 101, max: 900 };
    assert_eq!(ahead.files[0].clock_offset_ms, Some(summary));

    let late = trade("A").replace(&START.to_string(), &(START + 300).to_string());
    let behind = manifest(&[("usdm_x", &[line(0, late)])], &options);
    let message = "the recorder's clock is 300 ms behind the exchange's (median; -300 to -300 ms)";
    assert_eq!(findings(&behind), [(Note, "clock-offset", "usdm_x", message)]);
    assert!(behind.complete);
}

#[test]
fn snapshots_have_no_clock_offset() {
    let timed = SNAPSHOT.replace(r#""bids""#, r#""E":1,"bids""#);
    let found = usdm(&[line(0, timed), line(5, depth("BTCUSDT", [1, 5, 0]))]);
    let summary = OffsetSummary { min: 5, median: 5, max: 5 };
    assert_eq!(found.files[0].clock_offset_ms, Some(summary));
}

#[test]
fn receive_times_out_of_order_are_a_note_of_their_file() {
    let back = [500, 200, 200, 500, 499].map(|at| line(at, trade("A")));
    let sound = [0, 900].map(|at| line(at, trade("A")));
    let found = manifest(&[("usdm_back", &back), ("usdm_sound", &sound)], &OPTIONS);
    let message = "3 receive times before their predecessor's, the worst by 300 ms";
    assert_eq!(findings(&found), [(Note, "out-of-order", "usdm_back", message)]);
    let counts: Vec<_> = found.files.iter().map(|f| (f.out_of_order, f.frames)).collect();
    assert_eq!(counts, [(3, 5), (0, 2)]);
    assert_eq!(found.files[0].out_of_order_worst_ms, 300);
    assert_eq!(found.files[0].last, "2023-11-14T22:13:20.500000000Z");
    assert_eq!(found.span_s.to_string(), "0.9");
}

#[test]
fn a_receive_time_from_the_future_breaks_its_file() {
    let gap_ms = OPTIONS.gap_max.0 / 1_000_000;
    let findings_with = |back| {
        let lines = [0, gap_ms + back, 0].map(|at| line(at, trade("A")));
        let found = usdm(&lines);
        let first = found.problems.first().map(|p| (p.severity, p.code));
        (first, found.complete)
    };
    assert_eq!(findings_with(1), (Some((Broken, "clock-jump")), false));
    assert_eq!(findings_with(0), (Some((Note, "out-of-order")), true));
}

#[test]
fn a_silence_is_one_of_all_files_together() {
    let first = [0, 1_000, 4_000].map(|at| line(at, trade("A")));
    let second = [2_000, 3_500].map(|at| line(at, trade("B")));
    let found = manifest(&[("usdm_a", &first), ("usdm_b", &second)], &OPTIONS);
    let message = "1 silences, the longest 1500 ms";
    assert_eq!(findings(&found), [(Note, "silence", "capture", message)]);
    let listed: Vec<_> =
        found.silences.list.iter().map(|gap| (gap.after.as_str(), gap.ms)).collect();
    assert_eq!(listed, [("2023-11-14T22:13:22.000000000Z", 1_500)]);
    assert_eq!((found.silences.count, found.silences.longest_ms), (1, 1_500));
}

#[test]
fn twenty_silences_are_listed_and_all_are_counted() {
    let lines: Vec<_> = (0..23).map(|n| line(n * 2_000, trade("A"))).collect();
    let found = usdm(&lines);
    assert_eq!((found.silences.count, found.silences.list.len()), (22, 20));
    assert_eq!(found.silences.total_ms, 44_000, "also of those that are not listed");
}

#[test]
fn rest_answers_name_their_symbol_and_bring_the_instruments() {
    let rest = |path: &str, at: u64, body: &str| {
        format!("https://fapi.binance.com/fapi/v1/{path} -> 1700000000.{at}: {body}\n")
    };
    let timed = SNAPSHOT.replace(r#""bids""#, r#""E":1,"bids""#);
    let bytes = rest("exchangeInfo", 1, r#"{"symbols":[]}"#)
        + &rest("exchangeInfo?x=1", 2, r#"{"code":-1}"#)
        + &rest("depth?symbol=BTCUSDT", 3, &timed)
        + &format!("1700000000.4: {}\n", depth("BTCUSDT", [1, 5, 0]));
    let Scanned { manifest, exchange_info } = scan_one(reader("x", bytes));
    assert_eq!(exchange_info.keys().collect::<Vec<_>>(), [&Market::UsdM]);
    assert_eq!(codes(&manifest), ["exchange-info"]);
    let problem = &manifest.problems[0];
    assert_eq!((problem.severity, problem.subject.as_str()), (Note, "x:2"));
    assert!(problem.message.starts_with("no exchangeInfo answer"), "{problem}");
    assert!(manifest.complete);
    assert_eq!((manifest.streams["(rest)"], manifest.frames, manifest.malformed), (3, 4, 0));
    let file = &manifest.files[0];
    assert_eq!((file.format, file.snapshots), ("cryptofeed-text", 1));
    let offset = OffsetSummary { min: 400, median: 400, max: 400 };
    assert_eq!(file.clock_offset_ms, Some(offset));
    assert_eq!(manifest.symbols["BTCUSDT"].snapshots, 1);
}

#[test]
fn the_same_symbol_of_two_markets_stands_apart() {
    let (usdm, spot) = ([line(0, trade("BTCUSDT"))], [line(1, trade("BTCUSDT"))]);
    let found = manifest(&[("usdm_x", &usdm), ("spot_x", &spot)], &OPTIONS);
    let keys: Vec<_> = found.symbols.iter().map(|(key, s)| (key.as_str(), s.market)).collect();
    assert_eq!(keys, [("BTCUSDT", "usdm"), ("SPOT:BTCUSDT", "spot")]);
    assert_eq!((found.files[0].market, found.files[1].market), ("usdm", "spot"));
}

#[test]
fn a_json_recording_says_so() {
    let header = r#"{"t":"header","format":2,"exchange":"BINANCE_FUTURES"}"#;
    let found = scan_one(reader("x", format!("{header}\n"))).manifest;
    assert_eq!((found.files[0].format, found.files[0].frames), ("cryptofeed-json", 0));
    assert_eq!((found.files[0].first.as_str(), found.files[0].last.as_str()), ("", ""));
    assert_eq!(codes(&found), ["nothing"]);
}

#[test]
fn progress_is_told_every_4096_frames() {
    let bytes = text(&vec![line(0, trade("A")); 8_200]);
    let total = bytes.len() as u64;
    let merge = Merge::new(vec![reader("usdm_x", bytes)]).unwrap();
    let mut told = Vec::new();
    scan(merge, &OPTIONS, &mut |read| told.push(read)).unwrap();
    assert_eq!(told.len(), 2);
    assert!(0 < told[0] && told[0] < told[1] && told[1] <= total, "{told:?} of {total}");
}

#[test]
fn a_problem_reads_as_one_line_and_notes_break_nothing() {
    let found = usdm(&[line(0, depth("A", [1, 5, 0])), line(2_000, trade("A"))]);
    assert_eq!(codes(&found), ["no-snapshot", "silence"]);
    let broken: Vec<_> = found.broken().map(ToString::to_string).collect();
    assert_eq!(broken.len(), 1);
    let line = "A: 1 depth frames and no snapshot, so the book can not be built (no-snapshot): \
                add the recording";
    assert!(broken[0].starts_with(line), "{}", broken[0]);
}
