//! Every real capture of the exchange runs again from its journal, byte for byte.

use fusewire_tests::shared;

use super::*;

/// Records a run of both strategies and verifies it in every mode.
fn verify(test: &str, captures: &[&str], modes: &[&[&str]]) {
    let Some(shared) = shared(test) else { return };
    let paths: Vec<PathBuf> =
        captures.iter().map(|path| shared.join("captures").join(path)).collect();
    let paths: Vec<&str> = paths.iter().map(|path| arg(path)).collect();
    let folder = scratch();
    for (index, mode) in modes.iter().enumerate() {
        let dir = folder.path().join(index.to_string());
        let options = [&["--json", "--journal", arg(&dir)], &BOTH[..], mode].concat();
        let report = json(&[&["replay"], &paths[..], &options].concat());
        assert!(number(&report, "orders") > 0, "{captures:?} trade");
        assert_eq!(document("ls", &dir, &[])[0]["digest"], report["digest"]["all"]);
        let whole = document("verify", &dir, &[]);
        assert_eq!(whole["same"], true);
        for (key, of_report) in
            [("events", "events_total"), ("frames", "frames"), ("verdicts", "intents")]
        {
            assert_eq!(whole[key], report[of_report], "{key}");
        }
        let events = &report["events"];
        let fed_in = ["Report", "Status", "Rejected", "Wake", "Account"];
        let fed_in: u64 = fed_in.iter().map(|kind| events[*kind].as_u64().unwrap_or(0)).sum();
        assert_eq!(number(&whole, "feedback"), fed_in);
        let decisions = document("verify", &dir, &["--decisions-only"]);
        assert_eq!((&decisions["same"], &decisions["frames"]), (&true.into(), &0.into()));
        for key in ["events", "intents", "verdicts", "orders"] {
            assert_eq!(decisions[key], whole[key], "{key}");
        }
    }
}

const REFERENCE: &[&str] = &[];
const COPY: &[&str] = &["--journal-frames", "copy"];

#[test]
fn usdm_of_2024() {
    let files = ["usdm_btcusdt_20240808.ns.gz", "usdm_ethusdt_20240808.ns.gz"];
    let files = files.map(|name| format!("ws_raw/2024-08-08/{name}"));
    verify("usdm_of_2024", &files.each_ref().map(String::as_str), &[REFERENCE]);
}

#[test]
fn every_market_of_2024() {
    verify("every_market_of_2024", &["ws_raw/2024-08-08"], &[REFERENCE]);
}

#[test]
fn usdm_of_2023_over_two_files() {
    let files = ["usdm_btcusdt_20230405.us.gz", "usdm_btcusdt_20230404.us.gz"];
    let files = files.map(|name| format!("ws_raw/2023-04-05/{name}"));
    verify("usdm_of_2023_over_two_files", &files.each_ref().map(String::as_str), &[REFERENCE]);
}

#[test]
fn four_symbols_on_one_connection() {
    let file = "ws_cryptofeed/binance_futures_20210722_SUSHI_AKRO_KEEP_CTK.jsonl.zst";
    verify("four_symbols_on_one_connection", &[file], &[REFERENCE, COPY]);
}

#[test]
fn five_symbols_with_their_addresses() {
    let file = "ws_cryptofeed/binance_futures_2021_SAND_CHR_NEO_CTK_BAT.txt.zst";
    verify("five_symbols_with_their_addresses", &[file], &[REFERENCE, COPY]);
}
