//! `smart-trend` on one-minute bars through the whole program: a stop behind each entry, bars of the told length alone,
//! and the same past wherever the data ends (X18, X20).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fusewire::config::Config;
use fusewire_tests::Places;
use serde_json::{Value, json};

use crate::exhibits::page;
use crate::journal::{arg, document, text};
use crate::truncation::assert_cuts_are_prefixes;

pub(crate) const MIDNIGHT_MS: u64 = 1_746_403_200_000;
const MINUTES: u64 = 400;
const MINUTE_MS: u64 = 60_000;
/// How long after its end a candle is told.
const TOLD_MS: u64 = 50;

/// Bars of two symbols that drift for a while one way and then the other, with noise.
pub(crate) fn bars(minutes: u64) -> String {
    let (mut places, mut lines) = (Places(42), String::new());
    let mut closes = [6_000_000_u64, 250_000];
    for minute in 0..minutes {
        for (symbol, close) in ["BTCUSDT", "ETHUSDT"].into_iter().zip(&mut closes) {
            // Up to 6 bp of noise, and 2 bp of drift that turns every 40 minutes.
            let bp = *close / 10_000;
            let open = *close;
            *close = *close + places.below(12 * bp) + bp - 6 * bp;
            *close = if minute / 40 % 2 == 0 { *close + bp } else { *close - 3 * bp };
            let [high, low] =
                [open.max(*close) + places.below(3 * bp), open.min(*close) - places.below(3 * bp)];
            let prices = [open, high, low, *close]
                .map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
            let [o, h, l, c] = prices.each_ref().map(String::as_str);
            lines += &frame(MIDNIGHT_MS + minute * MINUTE_MS, symbol, [o, h, l, c, "1000"]);
        }
    }
    lines
}

/// A line of a capture: the closed candle of the minute that begins at `open`, in ms, told a little after its end. Its
/// trades and what they came to in quote are not known, and read by nobody here.
fn frame(open: u64, symbol: &str, [o, h, l, c, volume]: [&str; 5]) -> String {
    let (end, stream) = (open + MINUTE_MS - 1, symbol.to_lowercase());
    let told = end + 1 + TOLD_MS;
    format!(
        "{told}000000 {{\"stream\":\"{stream}@kline_1m\",\"data\":{{\"e\":\"kline\",\"E\":{told},\
         \"s\":\"{symbol}\",\"k\":{{\"t\":{open},\"T\":{end},\"s\":\"{symbol}\",\"i\":\"1m\",\
         \"f\":1,\"L\":1,\"o\":\"{o}\",\"c\":\"{c}\",\"h\":\"{h}\",\"l\":\"{l}\",\"v\":\"{volume}\",\
         \"n\":1,\"x\":true,\"q\":\"0\",\"V\":\"0\",\"Q\":\"0\",\"B\":\"0\"}}}}}}\n"
    )
}

fn run(folder: &Path, file: &Path) -> Value {
    let capture = folder.join("usdm_bars.ns");
    fs::write(&capture, bars(MINUTES)).unwrap();
    let journal = folder.join("run");
    let how = ["--strategy", "smart-trend", "--config", arg(file), "--journal", arg(&journal)];
    fusewire_tests::json(&[&["replay", "--json", arg(&capture)], &how[..]].concat())
}

pub(crate) type Row = BTreeMap<String, String>;

/// The table of a lane.
pub(crate) fn rows(journal: &Path, lane: &str) -> Vec<Row> {
    let csv = text("export", journal, &["--lane", lane, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        columns.iter().zip(row.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn nanos(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap()
}

/// From the event that told of the first fill to the decision to place the stop: two ticks of a second.
const STOP_WITHIN_NS: u64 = 2_000_000_000;

/// X20: whatever was entered had its stop sent within two seconds of the fill, if nothing else had ended it.
#[test]
fn x20_each_entry_is_followed_by_a_stop_and_verify_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path(), &page::file("smart-trend.toml"));
    let journal = folder.path().join("run");
    let closed = report["ledger"]["closed"]["count"].as_u64().unwrap();
    assert!(closed >= 10, "{closed} closed");
    let alpha = rows(&journal, "alpha");
    let mut stops: Vec<&Row> = alpha.iter().filter(|row| row["trigger"] == "stop").collect();
    let trades = rows(&journal, "trades");
    assert_eq!(trades.len() as u64, closed);
    let mut ended_before = 0;
    for trade in &trades {
        let (entry, exit) = (nanos(trade, "entry_ns"), nanos(trade, "exit_ns"));
        let until = exit.min(entry + STOP_WITHIN_NS);
        let against = if trade["side"] == "buy" { "sell" } else { "buy" };
        let found = stops.iter().position(|stop| {
            stop["symbol"] == trade["symbol"]
                && stop["side"] == against
                && stop["reduce_only"] == "true"
                && stop["qty"] == trade["qty_max"]
                && (entry..=until).contains(&nanos(stop, "ts_ns"))
        });
        match found {
            // A stop is that of one entry.
            Some(at) => drop(stops.swap_remove(at)),
            None => {
                assert!(exit <= entry + STOP_WITHIN_NS, "no stop behind {trade:?}");
                ended_before += 1;
            }
        }
    }
    assert!(ended_before * 2 < closed, "{ended_before} of {closed} ended before their stop");
    // What is left is that of a position that is open at the end: one of a symbol at most.
    assert!(stops.len() <= 2, "{stops:?}");
    assert_eq!(document("verify", &journal, &[])["same"], true);
}

/// X18: bars of a minute are not traded by a follower of five minutes.
#[test]
fn x18_bars_of_another_length_than_told_are_not_traded() {
    let folder = tempfile::tempdir().unwrap();
    let toml = fs::read_to_string(page::file("smart-trend.toml")).unwrap();
    let other = toml.replace("[smart_trend]\n", "[smart_trend]\nbar_s = 300\n");
    assert_ne!(other, toml);
    let file = folder.path().join("five.toml");
    fs::write(&file, other).unwrap();
    let report = run(folder.path(), &file);
    assert_eq!((&report["orders"], &report["refused"]), (&0.into(), &json!({})));
    assert_eq!(report["foreign_bars"], json!({"smart-trend": 2 * MINUTES}));
}

/// X20: incremental is what a batch over the whole would be: where the data ends changes nothing before.
#[test]
fn x20_bars_cut_anywhere_give_a_prefix() {
    let mut config = Config::load(Some(&page::file("smart-trend.toml"))).unwrap();
    "smart-trend".clone_into(&mut config.run.strategy);
    assert_cuts_are_prefixes(&bars(MINUTES), "ns", &config);
}
