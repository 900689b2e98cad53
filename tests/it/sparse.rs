//! Captures without a book: trades alone, bars alone. What a fill needs there, and what it must never be.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use fusewire_tests::bar_crossing::{Bar, BarCrossing, Order};
use fusewire_tests::{json, shared};
use serde_json::Value;

use crate::journal::{arg, config, document, text};

/// Half the default spread of 2 bp, as a share.
const HALF_SPREAD: f64 = 0.000_1;
const MINUTE_MS: u64 = 60_000;
const MIDNIGHT_MS: u64 = 1_723_161_600_000;

type Row = BTreeMap<String, String>;

/// The rows of a lane.
fn lane(dir: &Path, lane: &str) -> Vec<Row> {
    let csv = text("export", dir, &["--lane", lane, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let row = |row: csv::StringRecord| {
        columns.iter().cloned().zip(row.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// A decimal at 1e-8.
fn raw(text: &str) -> i64 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<8}").parse().unwrap()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is a number"))
}

fn count(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("{key} in {report}"))
}

/// The trades of a real recording and nothing else of it.
fn trades_only(folder: &Path, shared: &Path) -> PathBuf {
    let real = shared.join("captures/ws_raw/2024-08-08/usdm_btcusdt_20240808.ns.gz");
    let mut all = String::new();
    MultiGzDecoder::new(fs::File::open(real).unwrap()).read_to_string(&mut all).unwrap();
    let trades = all.split_inclusive('\n').filter(|line| line.contains("@trade\""));
    let path = folder.join("usdm_btcusdt_trades.ns");
    fs::write(&path, trades.collect::<String>()).unwrap();
    path
}

/// S0-31, scenario row 10: real trades without their book. Every fill names a trade that went through the order's
/// price by a tick, or that it was paid half a spread worse than; the halt's exits take too.
#[test]
fn real_trades_without_a_book_fill_only_by_trades_that_went_through() {
    let Some(shared) = shared("real_trades_without_a_book") else { return };
    let folder = tempfile::tempdir().unwrap();
    let capture = trades_only(folder.path(), &shared);
    let dir = folder.path().join("run");
    let report = json(&[
        "replay",
        "--json",
        "--strategy",
        "quoter,taker",
        "--raise",
        "2@200",
        "--journal",
        arg(&dir),
        arg(&capture),
    ]);
    let data = &report["data"]["BTCUSDT"];
    assert_eq!(data["model"], "trades");
    assert_eq!((&data["spread_bp"], &data["depth_notional"]), (&"2".into(), &"5000".into()));
    assert!(data["bar_volume_share"].is_null());
    assert!(count(data, "assumed_touches") > 500, "{data}");
    assert!(count(&report, "fills") >= 10, "{}", report["fills"]);

    let events = lane(&dir, "event");
    let by_seq: BTreeMap<&str, &Row> =
        events.iter().map(|row| (row["seq"].as_str(), row)).collect();
    let (mut paid, mut liquidity) = (BTreeMap::<&str, f64>::new(), BTreeMap::<&str, u64>::new());
    let is_fill = |row: &&Row| ["partial_fill", "filled"].contains(&row["status"].as_str());
    for fill in events.iter().filter(|row| row["kind"] == "Report").filter(is_fill) {
        let trade = by_seq[fill["paid_by_seq"].as_str()];
        assert_eq!(trade["kind"], "Trade", "{fill:?}");
        let [limit, at, price] =
            [&fill["price"], &fill["last_price"], &trade["price"]].map(|n| number(n));
        let sign = if fill["side"] == "buy" { 1.0 } else { -1.0 };
        if fill["liquidity"] == "maker" {
            assert!((at - limit).abs() < 1e-9, "{fill:?}");
            assert!(sign * (at - price) > 0.099, "a tick is 0.1: {fill:?} {trade:?}");
        } else {
            // At rest it is paid its own price, else half a spread beyond the trade.
            let through = (at - limit).abs() < 1e-9 && sign * (at - price) > 0.099;
            assert!(
                through || sign * (at - price) > price * HALF_SPREAD - 1e-6,
                "{fill:?} {trade:?}"
            );
        }
        assert!(number(&fill["ts_ns"]) > number(&trade["ts_ns"]));
        *paid.entry(fill["paid_by_seq"].as_str()).or_default() += number(&fill["last_qty"]);
        *liquidity.entry(fill["liquidity"].as_str()).or_default() += 1;
    }
    for (seq, paid) in paid {
        assert!(paid < number(&by_seq[seq]["qty"]) + 1e-9, "trade {seq} paid {paid}");
    }
    assert!(liquidity.contains_key("maker") && liquidity.contains_key("taker"), "{liquidity:?}");

    assert_eq!(document("verify", &dir, &[])["same"], true);
    let filled = events.iter().find(|row| row["status"] == "filled").unwrap();
    let why = text("why", &dir, &[&filled["order_id"]]);
    assert!(why.contains("trade") || why.contains("Trade"), "{why}");
}

/// DESIGN 5: without a set nothing is assumed, and the check of the book refuses. Switched off, likewise.
#[test]
fn without_an_assumption_nothing_is_traded() {
    let folder = tempfile::tempdir().unwrap();
    let capture = bars(folder.path(), &[[60_000.0, 60_007.0, 59_993.0, 60_000.0]; 5]);
    for what in ["set = \"none\"", "sparse = \"off\""] {
        let none = config(folder.path(), "none.toml", &format!("[assume]\n{what}\n"));
        let report = json(&["replay", "--json", "--config", arg(&none), arg(&capture)]);
        let data = &report["data"]["BTCUSDT"];
        assert_eq!(count(data, "assumed_touches"), 0, "{data}");
        assert!(data["spread_bp"].is_null());
        assert_eq!((count(&report, "approved"), count(&report, "fills")), (0, 0));
        let bars = if what.contains("off") { Value::Null } else { 5.into() };
        assert_eq!(report["events"]["Bar"], bars);
    }
}

/// A capture of closed one-minute candles of BTCUSDT, each told 50 ms after its end.
fn candles<'a>(folder: &Path, bars: impl Iterator<Item = (u64, [&'a str; 5])>) -> PathBuf {
    let mut lines = String::new();
    for (open, [o, h, l, c, volume]) in bars {
        let end = open + MINUTE_MS - 1;
        let (told, id) = (end + 51, open / MINUTE_MS);
        writeln!(
            lines,
            "{told}000000 {{\"stream\":\"btcusdt@kline_1m\",\"data\":{{\"e\":\"kline\",\"E\":{told},\
             \"s\":\"BTCUSDT\",\"k\":{{\"t\":{open},\"T\":{end},\"s\":\"BTCUSDT\",\"i\":\"1m\",\
             \"f\":{id},\"L\":{id},\"o\":\"{o}\",\"c\":\"{c}\",\"h\":\"{h}\",\"l\":\"{l}\",\
             \"v\":\"{volume}\",\"n\":1000,\"x\":true,\"q\":\"6000000.00\",\"V\":\"50.000\",\
             \"Q\":\"3000000.00\",\"B\":\"0\"}}}}}}"
        )
        .unwrap();
    }
    let path = folder.join("usdm_btcusdt_bars.ns");
    fs::write(&path, lines).unwrap();
    path
}

/// Bars of these prices, one a minute.
fn bars(folder: &Path, prices: &[[f64; 4]]) -> PathBuf {
    let texts: Vec<_> = prices.iter().map(|bar| bar.map(|price| format!("{price:.2}"))).collect();
    let times = (MIDNIGHT_MS..).step_by(60_000);
    let texts = texts.iter().map(|[o, h, l, c]| [o.as_str(), h, l, c, "100.000"]);
    candles(folder, times.zip(texts))
}

/// What data of one price a minute needs: nothing is fresher than its last bar.
fn patient(folder: &Path) -> PathBuf {
    config(
        folder,
        "bars.toml",
        "[capture]\ngap_max_ms = 130000\n[assume]\nbook_wait_ms = 0\nmark_age_max_ms = 130000\n\
         [limits_default]\nbook_age_max_ms = 130000\nmark_age_max_ms = 130000\n\
         [quoter]\nmark_age_max_ms = 130000\n",
    )
}

/// What the antipattern makes of the quotes of a run: an order that stands is filled by each bar that holds its
/// price, again and again, as nobody tells it that it was filled.
fn antipattern(dir: &Path, bars: &[Bar]) -> BarCrossing {
    let (mut model, mut standing) = (BarCrossing::default(), BTreeMap::new());
    let mut bars = bars.iter();
    for row in lane(dir, "event") {
        match (row["kind"].as_str(), row["status"].as_str()) {
            ("Bar", _) => {
                let bar = *bars.next().unwrap();
                for order in standing.values() {
                    model.fills(bar, *order);
                }
            }
            ("Report", "accepted" | "amended") => {
                let (price, qty) = (raw(&row["price"]), raw(&row["qty"]));
                let order = Order { buys: row["side"] == "buy", price, qty };
                standing.insert(row["order_id"].clone(), order);
            }
            ("Report", "filled" | "canceled" | "expired") => {
                standing.remove(&row["order_id"]);
            }
            _ => {}
        }
    }
    model
}

/// S0-03, S4-09, scenario row 16: the same strategy on the same bars. Where they only touch its quotes, the
/// antipattern wins with every fill, and the venue fills nothing. Where they go through, both fill.
#[test]
fn s0_03_bar_crossing_fills_what_the_venue_does_not() {
    // The quotes stand 6 from the price: half of 2 bp.
    for (reach, touches) in [(6.0, true), (6.1, false)] {
        let folder = tempfile::tempdir().unwrap();
        let prices = [[60_000.0, 60_000.0 + reach, 60_000.0 - reach, 60_000.0]; 40];
        let capture = bars(folder.path(), &prices);
        let (patient, dir) = (patient(folder.path()), folder.path().join("run"));
        let report = journaled(&patient, &dir, &capture);
        let data = &report["data"]["BTCUSDT"];
        assert_eq!((&data["model"], &data["bar_volume_share"]), (&"bars".into(), &"0.05".into()));
        assert_eq!(report["events"]["Bar"], 40);
        assert!(count(&report, "orders") >= 2, "{report}");
        let told = prices.map(|[_, high, low, _]| {
            let [low, high] = [low, high].map(|price| raw(&format!("{price:.2}")));
            Bar { low, high }
        });
        let model = antipattern(&dir, &told);
        if touches {
            assert!(model.fills >= 70, "both quotes at each bar: {}", model.fills);
            assert!(model.profit(raw("60000")) > 0, "and it never loses");
            assert_eq!(count(&report, "fills"), 0);
        } else {
            assert!(count(&report, "fills") > 0);
            assert_paid_by_bars(&dir);
        }
        assert_eq!(document("verify", &dir, &[])["same"], true);
    }
}

/// The report of a run with a configuration and a journal.
fn journaled(config: &Path, dir: &Path, capture: &Path) -> Value {
    let files = ["--config", arg(config), "--journal", arg(dir), arg(capture)];
    json(&[&["replay", "--json"], &files[..]].concat())
}

/// Each fill names a bar that opened after the order was accepted, and is at the order's own price.
fn assert_paid_by_bars(dir: &Path) {
    let events = lane(dir, "event");
    let by_seq: BTreeMap<&str, &Row> =
        events.iter().map(|row| (row["seq"].as_str(), row)).collect();
    let accepted: BTreeMap<&str, f64> = events
        .iter()
        .filter(|row| row["status"] == "accepted")
        .map(|row| (row["order_id"].as_str(), number(&row["venue_ns"])))
        .collect();
    for fill in events.iter().filter(|row| row["kind"] == "Report" && row["status"] == "filled") {
        let bar = by_seq[fill["paid_by_seq"].as_str()];
        assert_eq!(bar["kind"], "Bar", "{fill:?}");
        let opened = number(&bar["recv_ns"]) - 60.05e9;
        assert!(accepted[fill["order_id"].as_str()] < opened + 1e3, "{fill:?} {bar:?}");
        assert_eq!(fill["price"], fill["last_price"]);
    }
}

/// The same on six real hours: what is left of the antipattern's fills and of its profit.
#[test]
fn s0_03_on_real_minutes_most_of_the_antipatterns_fills_are_gone() {
    let Some(shared) = shared("s0_03_on_real_minutes") else { return };
    let csv = shared.join("captures/klines_1m/usdm_16sym_1m_20250504_20250524.csv.zst");
    let csv = zstd::decode_all(fs::File::open(csv).unwrap()).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let fields = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let minutes: Vec<_> = fields
        .filter_map(|row| match row[..] {
            [open, "BTCUSDT", o, h, l, c, volume] => {
                Some((open.parse().ok()?, [o, h, l, c, volume]))
            }
            _ => None,
        })
        .take(360)
        .collect();
    let told = minutes.iter().map(|(_, [_, h, l, ..])| Bar { low: raw(l), high: raw(h) });
    let told: Vec<_> = told.collect();
    let folder = tempfile::tempdir().unwrap();
    let capture = candles(folder.path(), minutes.iter().copied());
    let (patient, dir) = (patient(folder.path()), folder.path().join("run"));
    let report = journaled(&patient, &dir, &capture);
    assert_eq!(report["events"]["Bar"], 360);
    let (model, fills) = (antipattern(&dir, &told), count(&report, "fills"));
    assert!(fills > 0);
    assert!(model.fills > 2 * fills, "{} by crossing, {fills} by the venue", model.fills);
    // Before fees: the antipattern wins what the venue loses.
    let last = raw(minutes[359].1[3]);
    assert!(model.profit(last) > 0, "{}", model.profit(last));
    let [realized, open] = ["realized", "unrealized"].map(|part| &report["pnl"][part]);
    assert!(number(realized.as_str().unwrap()) + number(open.as_str().unwrap()) < 0.0);
    assert_paid_by_bars(&dir);
    assert_eq!(document("verify", &dir, &[])["same"], true);
}
