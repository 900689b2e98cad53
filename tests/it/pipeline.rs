//! The whole pipeline on paper: the same input gives the same run, whatever drives or cuts it.

use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::{fusewire, json, shared};
use serde_json::Value;

/// Writes a synthetic capture of two symbols and returns its path.
fn capture(folder: &Path, scenario: &str, minutes: &str) -> PathBuf {
    let path = folder.join(format!("usdm_{scenario}.ns"));
    let symbols = ["--symbols", "BTCUSDT,ETHUSDT"];
    let out = ["--minutes", minutes, "--json", "--out", path.to_str().unwrap()];
    json(&[&["synth", scenario][..], &symbols, &out].concat());
    path
}

/// Writes a configuration over the defaults and returns its path.
fn config(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn replay(capture: &Path, more: &[&str]) -> Value {
    json(&[&["replay", "--json", capture.to_str().unwrap()], more].concat())
}

fn count(report: &Value, key: &str) -> u64 {
    report[key].as_u64().unwrap_or_else(|| panic!("{key} is a number in {report}"))
}

fn decimal(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

/// Sums that hold in every report.
fn assert_consistent(report: &Value) {
    let rejected: u64 =
        report["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(count(report, "intents"), count(report, "approved") + rejected, "one verdict each");
    let pnl = &report["pnl"];
    let [realized, unrealized, fees, funding, total] =
        ["realized", "unrealized", "fees", "funding", "total"].map(|key| decimal(&pnl[key]));
    assert!((realized + unrealized + funding - fees - total).abs() < 1e-6, "{pnl}");
    let lanes = ["feed", "event", "alpha", "risk", "gateway", "decided", "all"];
    let digest = report["digest"].as_object().unwrap();
    assert_eq!(digest.len(), lanes.len());
    for lane in lanes {
        let hex = digest[lane].as_str().unwrap();
        assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{lane}: {hex}");
    }
}

#[test]
fn the_embedded_sample_trades() {
    let report = json(&["replay", "--json"]);
    assert_consistent(&report);
    assert_eq!(report["strategy"], "quoter");
    for key in ["events_total", "intents", "approved", "orders", "fills"] {
        assert!(count(&report, key) > 0, "{key}");
    }
    assert!(decimal(&report["pnl"]["fees"]) > 0.0);
    assert_eq!(report["assumptions"]["set"], "calm");
    assert_eq!(report["profile"], "default");
}

#[test]
fn the_same_input_gives_the_same_digests_with_rings_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), "burst", "1");
    let first = replay(&capture, &["--strategy", "quoter,taker"]);
    assert!(count(&first, "fills") > 0);
    assert_eq!(first["digest"], replay(&capture, &["--strategy", "quoter,taker"])["digest"]);
    // A ring holds at least one largest message: the snapshot, about 600 levels here.
    let tiny = config(folder.path(), "tiny.toml", "[ring]\nmessages = 1\nlevels = 2048\n");
    let arguments = ["--strategy", "quoter,taker", "--config", tiny.to_str().unwrap()];
    assert_eq!(first["digest"], replay(&capture, &arguments)["digest"]);
    let other = replay(&capture, &["--strategy", "quoter,taker", "--seed", "43"]);
    assert_eq!(first["digest"]["feed"], other["digest"]["feed"]);
    assert_ne!(first["digest"]["all"], other["digest"]["all"], "the seed moves latencies");
}

#[test]
fn the_order_of_files_changes_no_digest() {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("{}/", folder.path().display());
    json(&[
        "synth",
        "calm",
        "--minutes",
        "1",
        "--json",
        "--symbols",
        "BTCUSDT,ETHUSDT",
        "--out",
        &out,
    ]);
    let file = |symbol: &str| format!("{out}usdm_{symbol}_calm.ns.gz");
    let (btc, eth) = (file("btcusdt"), file("ethusdt"));
    let one = json(&["replay", "--json", &btc, &eth]);
    let other = json(&["replay", "--json", &eth, &btc]);
    assert!(count(&one, "orders") > 0);
    assert_eq!(one["digest"], other["digest"]);
}

/// Idea 4: a raised level stops new risk, cancels, and leaves the account flat.
#[test]
fn a_raised_kill_level_ends_flat_with_nothing_open() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), "burst", "2");
    let free = replay(&capture, &[]);
    let halted = replay(&capture, &["--raise", "2@60"]);
    assert_consistent(&halted);
    assert!(count(&halted, "fills") > 0 && count(&halted, "fills") < count(&free, "fills"));
    assert_eq!(count(&halted, "kill_level"), 2);
    assert_eq!(count(&halted, "open_orders"), 0);
    for (key, position) in halted["positions"].as_object().unwrap() {
        assert_eq!(position["qty"], "0", "{key}");
    }
    assert_eq!(halted["events"]["Control"], 1);
    assert_eq!(halted["events"]["KillLevel"], 1);
    let refused = fusewire(&["replay", "--raise", "4@60"]);
    assert_eq!(refused.status.code(), Some(2));
}

/// Reports that are lost, repeated or late change when things are known, never what is true.
#[test]
fn lost_repeated_and_late_reports_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let capture = capture(folder.path(), "burst", "2");
    let text =
        "[paper]\nlose_ppm = 200000\nrepeat_ppm = 100000\ndelay_ppm = 100000\ndelay_ms = 700\n";
    let faulty = config(folder.path(), "faulty.toml", text);
    let report = replay(&capture, &["--config", faulty.to_str().unwrap()]);
    assert_consistent(&report);
    assert!(count(&report, "fills") > 0);
    assert!(count(&report, "intents_of_risk") > 0, "queries were sent");
    assert!(report["events"]["Status"].as_u64().unwrap() > 0, "and answered");
}

/// Real market data: both strategies trade, and every sum holds.
#[test]
fn quoter_and_taker_trade_on_real_captures() {
    let Some(shared) = shared("quoter_and_taker_trade_on_real_captures") else { return };
    let file = |name: &str| shared.join("captures/ws_raw").join(name).display().to_string();
    let two = [
        file("2024-08-08/usdm_btcusdt_20240808.ns.gz"),
        file("2024-08-08/usdm_ethusdt_20240808.ns.gz"),
    ];
    let one = [
        file("2023-04-05/usdm_btcusdt_20230405.us.gz"),
        file("2023-04-05/usdm_btcusdt_20230404.us.gz"),
    ];
    // The capture of 2024 has no mark stream; that of 2023 has one, which begins a second late.
    for (files, assumed) in [(&two, 600..=700), (&one, 0..=5)] {
        for strategy in ["quoter", "taker"] {
            let report = json(&["replay", "--json", "--strategy", strategy, &files[0], &files[1]]);
            assert_consistent(&report);
            let fills = count(&report, "fills");
            assert!((10..2_000).contains(&fills), "{strategy} on {}: {fills} fills", files[0]);
            let mark = report["assumptions"]["mark"].as_str().unwrap();
            let number = mark.split_whitespace().find_map(|word| word.parse::<u64>().ok());
            assert!(number.is_some_and(|n| assumed.contains(&n)), "{mark}");
        }
    }
}
