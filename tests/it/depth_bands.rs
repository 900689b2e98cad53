//! `bookDepth` through the whole program: what stood within a band bounds what is taken where there is no book.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::{Places, fusewire, json};
use serde_json::Value;

use crate::exhibits::page;
use crate::journal::{arg, config, document, text};

/// 2025-05-05 00:00:00 UTC.
const MIDNIGHT_S: u64 = 1_746_403_200;
const MINUTES: u64 = 400;
/// Until when bands are told.
const TOLD_MINUTES: u64 = 300;
/// USDT on each side of an assumed book.
const DEPTH: f64 = 500.0;

type Row = BTreeMap<String, String>;

/// Minutes of BTCUSDT that drift for a while one way and then the other, imported.
fn klines(folder: &Path) -> PathBuf {
    let (mut places, mut close) = (Places(42), 6_000_000_u64);
    let mut rows = "open_time_ms,symbol,open,high,low,close,volume\n".to_owned();
    for minute in 0..MINUTES {
        let (bp, open) = (close / 10_000, close);
        close = close + places.below(12 * bp) + bp - 6 * bp;
        close = if minute / 40 % 2 == 0 { close + bp } else { close - 3 * bp };
        let (high, low) =
            (open.max(close) + places.below(3 * bp), open.min(close) - places.below(3 * bp));
        let [o, h, l, c] =
            [open, high, low, close].map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
        let at = (MIDNIGHT_S + minute * 60) * 1_000;
        writeln!(rows, "{at},BTCUSDT,{o},{h},{l},{c},1000").unwrap();
    }
    let (file, out) = (folder.join("usdm_bars.csv"), folder.join("bars"));
    fs::write(&file, rows).unwrap();
    json(&["import", "klines", "--json", "--out", arg(&out), arg(&file)]);
    out
}

/// Bands of 1 and 5 percent with these USDT within the inner one, every 30 s, imported.
fn bands(folder: &Path, [bids, asks]: [f64; 2]) -> PathBuf {
    let mut rows = "timestamp,percentage,depth,notional\n".to_owned();
    for look in 0..TOLD_MINUTES * 2 {
        let s = look * 30 + 10;
        let at = format!("2025-05-05 {:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60);
        for (percent, usd) in [(-5, 2.0 * bids), (-1, bids), (1, asks), (5, 2.0 * asks)] {
            writeln!(rows, "{at},{percent},{:.8},{usd}", usd / 60_000.0).unwrap();
        }
    }
    let (file, out) = (folder.join("BTCUSDT-bookDepth-2025-05-05.csv"), folder.join("bands"));
    fs::write(&file, rows).unwrap();
    let _ = fs::remove_dir_all(&out);
    let more = ["--market", "usdm", "--out", arg(&out), arg(&file)];
    let imported = json(&[&["import", "binance-vision", "--json"][..], &more].concat());
    assert_eq!(imported["tapes"][0]["records"], TOLD_MINUTES * 8);
    let decoded = fusewire(&["decode", arg(&out.join("usdm_binance-vision.tape"))]);
    let first = String::from_utf8(decoded.stdout).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!([&first["kind"], &first["distance_bp"]], ["bookDepth", "-100"]);
    assert_eq!(first["notional"], bids.to_string());
    out
}

fn lane(dir: &Path, lane: &str) -> Vec<Row> {
    let csv = text("export", dir, &["--lane", lane, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        columns.iter().zip(row.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// A run of `smart-trend`, whose stops take.
struct Run {
    report: Value,
    dir: PathBuf,
    config: PathBuf,
    /// Side, minute and USDT of what was taken at a bar, by fill.
    taken: Vec<(String, u64, f64)>,
}

fn run(folder: &Path, name: &str, captures: &[&Path]) -> Run {
    let toml = fs::read_to_string(page::file("smart-trend.toml")).unwrap();
    let toml = toml.replace("[assume]\n", &format!("[assume]\ndepth_notional = \"{DEPTH}\"\n"));
    let toml = toml.replace("[smart_trend]\n", "[smart_trend]\nnotional = \"1500\"\n");
    let (file, dir) = (config(folder, "run.toml", &toml), folder.join(name));
    let how = ["--strategy", "smart-trend", "--config", arg(&file), "--journal", arg(&dir)];
    let captures = captures.iter().map(|path| arg(path));
    let arguments: Vec<&str> =
        ["replay", "--json"].into_iter().chain(how).chain(captures).collect();
    let report = json(&arguments);
    let number = |row: &Row, column: &str| row[column].parse::<f64>().unwrap();
    let took = |row: &Row| {
        let minute = (number(row, "ts_ns") / 60e9) as u64 - MIDNIGHT_S / 60;
        (row["side"].clone(), minute, number(row, "last_qty") * number(row, "last_price"))
    };
    // What rests and is paid its own price was no matter of the touch.
    let events = lane(&dir, "event");
    let takes = events.iter().filter(|row| row["liquidity"] == "taker");
    let taken = takes.filter(|row| row["last_price"] != row["price"]).map(took).collect();
    Run { report, dir, config: file, taken }
}

impl Run {
    /// The most that was taken at once on a side in some minutes.
    fn most(&self, side: &str, minutes: std::ops::Range<u64>) -> f64 {
        let taken = self.taken.iter().filter(|(of, at, _)| of == side && minutes.contains(at));
        taken.map(|(_, _, usd)| *usd).fold(0.0, f64::max)
    }

    fn data(&self, key: &str) -> u64 {
        self.report["data"]["BTCUSDT"][key].as_u64().unwrap()
    }
}

const TOLD: std::ops::Range<u64> = 0..TOLD_MINUTES;
/// Behind the last band, when it is too old.
const SILENT: std::ops::Range<u64> = TOLD_MINUTES + 3..MINUTES;

/// 1 bp of a band of 100 bp is a hundredth of it. Lots are of 0.001, about 60 USDT.
#[test]
fn what_is_taken_is_bounded_by_the_band_while_it_is_told_and_by_the_assumption_without() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bars = klines(folder);
    let alone = run(folder, "alone", &[&bars]);
    for (side, minutes) in [("buy", TOLD), ("sell", TOLD), ("sell", SILENT)] {
        let most = alone.most(side, minutes);
        assert!(most > 400.0 && most <= DEPTH * 1.01, "{side}: {most}");
    }
    assert_eq!([alone.data("depth_bands"), alone.data("touches_bounded")], [0, 0]);

    // 200 USDT of bids, and of asks more than is assumed.
    let thin = run(folder, "thin", &[&bars, &bands(folder, [20_000.0, 90_000.0])]);
    let [told, silent] = [TOLD, SILENT].map(|minutes| thin.most("sell", minutes));
    assert!(told > 150.0 && told <= 200.0 * 1.01, "{told}");
    assert!(silent > 400.0 && silent <= DEPTH * 1.01, "{silent}");
    assert!(thin.most("buy", TOLD) > 400.0);
    assert_eq!(thin.data("depth_bands"), TOLD_MINUTES * 8);
    let bounded = thin.data("touches_bounded");
    assert!(bounded > 200 && bounded < thin.data("assumed_touches"), "{bounded}");
    assert_eq!(thin.report["data"]["BTCUSDT"]["model"], "bars");
    assert_eq!(thin.report["events"]["DepthBand"], TOLD_MINUTES * 8);
    assert_same_again(&thin);

    // Deep enough: nothing of what is traded changes.
    let deep = run(folder, "deep", &[&bars, &bands(folder, [90_000.0, 90_000.0])]);
    assert_eq!((deep.data("touches_bounded"), &deep.taken), (0, &alone.taken));
}

/// A side on which nothing stood has no touch, and nobody takes from it.
#[test]
fn an_empty_band_leaves_no_touch_and_nothing_to_take() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (bars, bands) = (klines(folder), bands(folder, [0.0, 90_000.0]));
    let empty = run(folder, "empty", &[&bars, &bands]);
    assert!(!empty.taken.iter().any(|(side, at, _)| side == "sell" && TOLD.contains(at)));
    assert!(empty.most("sell", SILENT) > 400.0, "bands that are old bound nothing");
    let touches = lane(&empty.dir, "event").into_iter().filter(|row| row["kind"] == "Touch");
    let at = |row: &Row| row["ts_ns"].parse::<u64>().unwrap() / 60_000_000_000 - MIDNIGHT_S / 60;
    let touches: Vec<Row> = touches.filter(|row| TOLD.contains(&at(row))).collect();
    assert!(touches.len() > 200, "{}", touches.len());
    assert!(touches.iter().all(|row| row["bid_qty"].is_empty() && !row["ask_qty"].is_empty()));
    assert_same_again(&empty);
}

/// A journal with bands verifies, is the capture of its own run, and tells of them.
fn assert_same_again(run: &Run) {
    assert_eq!(document("verify", &run.dir, &[])["same"], true);
    let how = ["--strategy", "smart-trend", "--config", arg(&run.config)];
    let again = json(&[&["replay", "--json", arg(&run.dir)], &how[..]].concat());
    for lane in ["event", "alpha", "risk", "gateway"] {
        assert_eq!(again["digest"][lane], run.report["digest"][lane], "{lane}");
    }
    let cat = text("cat", &run.dir, &[]);
    assert!(cat.lines().any(|line| line.contains("DepthBand") && line.contains("within -100 bp")));
}
