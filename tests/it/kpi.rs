//! Key figures of a run (S1-26), against figures that are made another way: from the tables of its journal, from a sweep,
//! and by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::json;
use serde_json::Value;

use crate::journal::{arg, config, number};
use crate::smart_trend::{MIDNIGHT_MS, Row, bars, rows};

const MS_NS: u64 = 1_000_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
/// What bars of a minute need: nothing is fresher than the last one.
const PATIENT: &str = "[capture]\ngap_max_ms = 130000\n[clock]\ntick_ms = 60000\n[assume]\nbook_wait_ms = 0\n\
    touch_cadence_ms = 60000\nmark_cadence_ms = 60000\nmark_age_max_ms = 130000\n\
    [limits_default]\nbook_age_max_ms = 130000\nmark_age_max_ms = 130000\n\
    [smart_trend]\nentry_bars = 2\ntake_profit_pct = 100\nstop_pct = 100\n";

/// Bars of so many minutes as a capture.
fn capture(folder: &Path, minutes: u64, leave_out: impl Fn(u64) -> bool) -> PathBuf {
    let path = folder.join("usdm_bars.ns");
    // Two symbols a minute.
    let all = bars(minutes);
    let lines = all.split_inclusive('\n').zip(0..).filter(|(_, n)| !leave_out(n / 2));
    fs::write(&path, lines.map(|(line, _)| line).collect::<String>()).unwrap();
    path
}

fn trend(folder: &Path, capture: &Path, more: &[&str]) -> Value {
    let file = config(folder, "patient.toml", PATIENT);
    let how = ["replay", "--json", arg(capture), "--strategy", "smart-trend", "--config"];
    json(&[&how[..], &[arg(&file)], more].concat())
}

fn decimal(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is a number"))
}

/// Equity behind the first event at or behind each midnight, from the tables of a journal.
fn at_midnights(journal: &Path) -> Vec<f64> {
    let mut fills: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for fill in rows(journal, "fills") {
        fills.entry(fill["seq"].clone()).or_default().push(fill);
    }
    let (mut cash, mut held) = (10_000.0, BTreeMap::<String, f64>::new());
    let (mut marks, mut next) = (BTreeMap::<String, f64>::new(), MIDNIGHT_MS * MS_NS);
    let mut equity = Vec::new();
    for event in rows(journal, "event") {
        for fill in fills.remove(&event["seq"]).unwrap_or_default() {
            let sign = if fill["side"] == "buy" { 1.0 } else { -1.0 };
            cash -= sign * decimal(&fill["quote"]) + decimal(&fill["fee"]);
            *held.entry(fill["symbol"].clone()).or_default() += sign * decimal(&fill["qty"]);
        }
        if event["kind"] == "Mark" {
            marks.insert(event["symbol"].clone(), decimal(&event["price"]));
        }
        if event["kind"] == "Account" {
            let body: Value = serde_json::from_str(&event["body"]).unwrap();
            cash += decimal(body["change"].as_str().unwrap());
        }
        if event["ts_ns"].parse::<u64>().unwrap() >= next {
            let open = held.iter().filter(|(_, qty)| qty.abs() > 1e-9);
            equity.push(cash + open.map(|(symbol, qty)| qty * marks[symbol]).sum::<f64>());
            next += DAY_MS * MS_NS;
        }
    }
    assert!(fills.is_empty(), "each fill has its event");
    equity
}

fn sharpe(returns: &[f64]) -> f64 {
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean / variance.sqrt() * 365.0_f64.sqrt()
}

/// The rolling ratio is that of the equities at 33 midnights; a day less than 30 has none.
#[test]
fn s1_26_the_sharpe_ratio_is_that_of_daily_equity() {
    let folder = tempfile::tempdir().unwrap();
    let day = DAY_MS / MINUTE_MS;
    let journal = folder.path().join("j");
    let all = capture(folder.path(), 32 * day, |_| false);
    let report = trend(folder.path(), &all, &["--journal", arg(&journal)]);
    assert!(number(&report, "fills") > 100, "{}", report["fills"]);
    let equity = at_midnights(&journal);
    let returns: Vec<f64> = equity.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    assert_eq!((returns.len(), &report["kpi"]["sharpe_30d"]["days"]), (32, &32.into()));
    let windows: Vec<f64> = returns.windows(30).map(sharpe).collect();
    let most = |value: &dyn Fn(f64, f64) -> f64| windows.iter().copied().reduce(value).unwrap();
    for (key, expected) in
        [("last", windows[2]), ("low", most(&f64::min)), ("high", most(&f64::max))]
    {
        let found = decimal(report["kpi"]["sharpe_30d"][key].as_str().unwrap());
        assert!((found - expected).abs() < 1e-3, "{key}: {found} and not {expected}");
    }
    // The last bar of the 30th day is not there, nor all of its last hour.
    let less = capture(folder.path(), 30 * day, |minute| minute >= 30 * day - 62);
    let report = trend(folder.path(), &less, &[]);
    let (days, none) = (&report["kpi"]["sharpe_30d"]["days"], &report["kpi"]["sharpe_30d"]["last"]);
    assert_eq!((days, none), (&29.into(), &Value::Null));
}

/// Bars are told 50 ms behind their end, and twenty of them are missing.
#[test]
fn s1_26_decisions_on_bars_and_gaps_of_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j");
    let all = capture(folder.path(), 400, |minute| (200..220).contains(&minute));
    let report = trend(folder.path(), &all, &["--journal", arg(&journal)]);
    let events = rows(&journal, "event");
    let is_bar = |row: &&Row| row["kind"] == "Bar";
    let bars: Vec<&str> = events.iter().filter(is_bar).map(|row| row["seq"].as_str()).collect();
    let alpha = rows(&journal, "alpha");
    let on_bars = alpha.iter().filter(|row| bars.contains(&row["seq"].as_str())).count();
    assert!(on_bars > 5 && on_bars < alpha.len(), "{on_bars} of {}", alpha.len());
    let late = &report["kpi"]["bar_close_to_decision_ms"];
    assert_eq!(number(late, "count"), on_bars as u64);
    assert_eq!((&late["p50"], &late["max"]), (&50.0.into(), &50.0.into()));
    // 21 of 399 minutes.
    assert_eq!(report["kpi"]["data_completeness"], "0.947368");
    assert_eq!(report["manifest"]["silences"]["total_ms"], 21 * 60_000);
    assert_eq!(report["kpi"]["uptime"], "1.000000");
}

/// The kill level rises in the middle of the embedded sample, and what the quoter wants from then on is refused.
#[test]
fn s1_26_time_without_new_risk_and_what_was_refused() {
    let report = json(&["replay", "--json", "--strategy", "quoter,taker", "--raise", "2@60"]);
    let kpi = &report["kpi"];
    let uptime = decimal(kpi["uptime"].as_str().unwrap());
    assert!((uptime - 0.5).abs() < 1e-4, "{uptime}");
    let refused: u64 =
        report["rejected"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let share = refused as f64 / (refused + number(&report, "approved")) as f64;
    assert!(refused > 0 && (decimal(kpi["veto_rate"].as_str().unwrap()) - share).abs() <= 1e-4);
    // What taking cost more comes off the total.
    let total = decimal(report["pnl"]["total"].as_str().unwrap());
    let took = decimal(report["venue"]["taker_quote"].as_str().unwrap());
    assert!(took > 100.0, "{took}");
    for bp in ["1", "2", "5"] {
        let found = decimal(kpi["slippage_sensitivity"]["total"][bp].as_str().unwrap());
        let expected = total - took * decimal(bp) / 1e4;
        assert!((found - expected).abs() < 1e-7, "{bp} bp: {found} and not {expected}");
    }
}

/// Money that is put in or taken out is no gain and no fall, and a replay falls as deep as the trial of a sweep.
#[test]
fn s1_26_a_drawdown_is_that_of_trading() {
    let folder = tempfile::tempdir().unwrap();
    let still = json(&["replay", "--json"])["kpi"].clone();
    let moved = json(&["replay", "--json", "--transfer=5000@30", "--transfer=-8000@60"]);
    assert_eq!(moved["ledger"]["postings"]["transfer"], "-3000");
    assert_eq!(moved["kpi"]["drawdown_max"], still["drawdown_max"]);
    assert!(decimal(still["drawdown_max"].as_str().unwrap()) > 1.0, "{still}");
    let out = folder.path().join("s");
    let grid = ["--grid", "run.seed=42", "--format", "csv", "--out", arg(&out)];
    json(&[&["sweep", "--json"], &grid[..]].concat());
    let table = fs::read_to_string(out.join("results.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (columns, trial) = (lines.next().unwrap(), lines.next().unwrap());
    let at = columns.iter().position(|column| *column == "max_drawdown").unwrap();
    assert_eq!(still["drawdown_max"], trial[at]);
}

/// What there is to say is said in text too.
#[test]
fn s1_26_text_says_what_json_says() {
    let output = fusewire_tests::fusewire(&["replay", "--raise", "1@90"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let kpi = json(&["replay", "--json", "--raise", "1@90"])["kpi"].clone();
    let of = |key: &str| kpi[key].as_str().unwrap().to_owned();
    for part in [
        format!(
            ", at most {} of a peak; {} of verdicts",
            of("drawdown_max_share"),
            of("veto_rate")
        ),
        format!("new risk allowed {} of the time", of("uptime")),
        format!("{} of the capture without a gap", of("data_completeness")),
        "no Sharpe ratio: 0 whole days, and it takes 30".to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} in {text}");
    }
}
