//! Where the money goes, from the command line on real input: funding at a real boundary, every way out of a
//! position, a venue that tells of fills without fills, and a ledger that the venue must agree with.

use std::path::Path;

use fusewire_tests::{fusewire, json, shared};
use serde_json::Value;

/// The lines that a command prints.
fn lines(arguments: &[&str]) -> Vec<String> {
    let output = fusewire(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path}: {value}"))
}

fn count(value: &Value, path: &str) -> u64 {
    value.pointer(path).map_or(0, |n| n.as_u64().or_else(|| n.as_str()?.parse().ok()).unwrap())
}

/// At the end of a run whose reports all came, ledger and venue say the same, to the last digit.
fn assert_agrees(report: &Value) {
    let (ledger, venue) = (text(report, "/ledger/wallet"), text(report, "/ledger/venue_wallet"));
    assert_eq!(ledger, venue, "{}", report["ledger"]);
}

/// 1e-8 of a decimal text.
fn units(text: &str) -> i128 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    assert!(places.len() <= 8, "{text}");
    sign * format!("{whole}{places:0<8}").parse::<i128>().unwrap()
}

/// S0-35: the boundary of 2023-04-05T00:00:00 lies between the two captures. The last mark before it is 28157.1, its
/// rate 0.00002754; the next mark names another rate, which must not be taken.
#[test]
fn s0_35_a_real_funding_boundary_settles_exactly() {
    let Some(shared) = shared("s0_35_a_real_funding_boundary_settles_exactly") else { return };
    let folder = shared.join("captures/ws_raw/2023-04-05");
    let day = |day: &str| folder.join(format!("usdm_btcusdt_2023040{day}.us.gz"));
    let (before, after) = (day("4").display().to_string(), day("5").display().to_string());
    let journal = tempfile::tempdir().unwrap();
    let journal = journal.path().join("j").display().to_string();
    let report = json(&["replay", &before, &after, "--journal", &journal, "--json"]);
    assert_agrees(&report);
    assert_eq!(report["events"]["Account"], 1);
    let told = lines(&["journal", "cat", &journal, "--kind", "Account"]);
    let [told] = &told[..] else { panic!("one update: {told:?}") };
    let words: Vec<&str> = told.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|found| *found == word).unwrap();
        words[at + 1].trim_end_matches(',')
    };
    assert_eq!((after("@"), after("at")), ("28157.1", "0.00002754"));
    let (held, change) = (units(after("on")), units(after("funding")));
    assert_ne!(held, 0, "something was held: {told}");
    // By hand: quantity times 28157.1 times 0.00002754, of which a payment is rounded up and a receipt down.
    let exact = held * 281_571 * 2_754;
    let scale = 10_i128.pow(1 + 8);
    assert_eq!(change, -exact.div_euclid(scale) - i128::from(exact.rem_euclid(scale) != 0));
    assert_eq!(units(text(&report, "/pnl/funding")), change);
    assert_eq!(report["ledger"]["reconciled"]["agrees"], 1);
    let verified = fusewire(&["journal", "verify", &journal]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// BTC and ETH of 2024-08-08, quoter and taker: whatever they did, the venue agrees, and each closed position has moves
/// of the right sign.
#[test]
fn s0_35_the_venue_agrees_over_real_days() {
    let Some(shared) = shared("s0_35_the_venue_agrees_over_real_days") else { return };
    let folder = shared.join("captures/ws_raw/2024-08-08");
    let file =
        |name: &str| folder.join(format!("usdm_{name}_20240808.ns.gz")).display().to_string();
    let (btc, eth) = (file("btcusdt"), file("ethusdt"));
    let report = json(&["replay", "--strategy", "quoter,taker", &btc, &eth, "--json"]);
    assert_agrees(&report);
    assert!(count(&report, "/fills") > 100, "{report}");
    let exits = report["ledger"]["exits"].as_object().unwrap();
    assert!(exits.values().map(|exit| exit["count"].as_u64().unwrap()).sum::<u64>() > 20);
    for exit in exits.values() {
        assert!(text(exit, "/mae_bp").starts_with('-'), "{exit}");
        assert!(!text(exit, "/mfe_bp").starts_with('-') && exit["mfe_bp"] != "0.0", "{exit}");
    }
    // The sum over the strategies is the account, but for what it nets.
    let of = |name: &str, key: &str| units(text(&report, &format!("/by_strategy/{name}/{key}")));
    let sum = |key: &str| of("quoter", key) + of("taker", key) + of("risk", key);
    assert_eq!(sum("fees"), units(text(&report, "/pnl/fees")));
    assert_eq!(sum("total"), units(text(&report, "/pnl/total")));
    // S3-18: what the market maker earned is told net of everything.
    let net = of("quoter", "realized") + of("quoter", "unrealized") + of("quoter", "funding")
        - of("quoter", "fees");
    assert_eq!(of("quoter", "total"), net);
    assert!(of("quoter", "fees") > 0);
}

fn config(folder: &Path, text: &str) -> String {
    let path = folder.join("run.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// S0-02, S0-37: each way out of a position goes through the same books, with moves of its own.
#[test]
fn s0_02_every_exit_path_has_its_moves() {
    let folder = tempfile::tempdir().unwrap();
    let protected = "[taker]\nstop_bp = \"8\"\ntake_profit_bp = \"8\"\nprotect_by = \"last\"\nhold_ms = 60000\n";
    let trailing = "[taker]\ntrailing_bp = \"12\"\nprotect_by = \"last\"\nhold_ms = 60000\n";
    let leveraged = "[quoter]\nbackoff_min_ms = 100\n[margin]\nliquidation_fee = \"0.0125\"\n";
    let adl = "[margin]\nadl_ppm = 1000000\n";
    let cases: [(&str, &[&str], &str, &[&str]); 5] = [
        ("taker", &[], protected, &["stop", "take_profit", "managed"]),
        ("taker", &[], trailing, &["trailing"]),
        ("quoter", &["--raise", "2@30"], "", &["halt"]),
        ("quoter,taker", &["--transfer", "-9997@20"], leveraged, &["liquidation"]),
        ("quoter", &[], adl, &["adl"]),
    ];
    for (strategy, more, text_of, paths) in cases {
        let file = config(folder.path(), text_of);
        let mut arguments = vec!["replay", "--json", "--strategy", strategy, "--config", &file];
        arguments.extend(more);
        let report = json(&arguments);
        assert_agrees(&report);
        for path in paths {
            let exit = &report["ledger"]["exits"][path];
            assert!(exit["count"].as_u64().is_some_and(|n| n > 0), "{path}: {}", report["ledger"]);
            let moved = exit["mae_bp"] != "0.0" || exit["mfe_bp"] != "0.0";
            assert!(moved, "{path}: {exit}");
        }
    }
}

/// S3-22 and the incident of March 2026, through the whole program: positions settle, queries go out, exposure stays at
/// its worst, and the fills that come late are booked once.
#[test]
fn s3_22_statuses_arrive_and_fills_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let outage = "[[misbehaviour.outage]]\nkind = \"no-fills\"\nafter_s = 5\nfor_s = 20\n";
    let file = config(folder.path(), outage);
    let journal = folder.path().join("j").display().to_string();
    let report = json(&[
        "replay",
        "--json",
        "--config",
        &file,
        "--journal",
        &journal,
        "--reconcile",
        "20",
        "--reconcile",
        "50",
    ]);
    assert!(count(&report, "/venue/fills_withheld") > 0, "{}", report["venue"]);
    assert!(count(&report, "/intents_of_risk") >= 10, "queries go out: {report}");
    let answers = lines(&["journal", "cat", &journal, "--kind", "Status"]);
    let settling = answers.iter().filter(|line| line.contains("Settling")).count();
    assert!(settling > 5, "{answers:?}");
    // Nothing was booked twice, nothing is missing, and what came late stands apart (S3-14).
    assert_agrees(&report);
    assert_ne!(text(&report, "/ledger/incident"), "0");
    let shown = json(&["ledger", "show", &journal, "--json"]);
    assert_eq!(shown["trades"]["count"], report["fills"]);
    let verified = fusewire(&["journal", "verify", &journal]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Row 7: requests of which nobody is told what became of them. Half were done; in the end all is known.
#[test]
fn row_7_unknown_outcomes_end_in_agreement() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        config(folder.path(), "[misbehaviour]\nunknown_ppm = 100000\nack_late_ppm = 200000\n");
    let journal = folder.path().join("j").display().to_string();
    let report = json(&["replay", "--json", "--config", &file, "--journal", &journal]);
    assert!(count(&report, "/venue/unknown_outcomes") > 5, "{}", report["venue"]);
    assert_agrees(&report);
    let verified = fusewire(&["journal", "verify", &journal]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// S0-36: a ledger that misses fills is told apart from the venue, in the journal and on stderr, and new risk is
/// refused. A deposit moves both.
#[test]
fn s0_36_a_ledger_that_is_off_alerts_and_blocks() {
    let folder = tempfile::tempdir().unwrap();
    // Reports are lost, and nobody asks.
    let lossy = "[paper]\nlose_ppm = 300000\n[risk]\nack_timeout_ms = 60000\nreconcile_every_ms = 60000\n\
                 [ledger]\ndrift_alert = \"0.001\"\ndrift_block = \"0.002\"\n";
    let file = config(folder.path(), lossy);
    let journal = folder.path().join("j").display().to_string();
    let looks = ["10", "20", "30", "40", "50"];
    let mut arguments = vec!["replay", "--json", "--config", &file, "--journal", &journal];
    for look in looks {
        arguments.extend(["--reconcile", look]);
    }
    arguments.extend(["--transfer", "250.5@25"]);
    let output = fusewire(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let alerts = count(&report, "/ledger/alerts");
    assert!(alerts > 0, "{}", report["ledger"]);
    let told = stderr.lines().filter(|line| line.contains("alert ledger_")).count();
    assert_eq!(told as u64, alerts, "a line each: {stderr}");
    let kept = lines(&["journal", "cat", &journal, "--kind", "alert"]);
    assert_eq!(kept.len() as u64, alerts, "{kept:?}");
    assert!(count(&report, "/rejected/ledger_drift") > 0, "{}", report["rejected"]);
    assert_eq!(text(&report, "/ledger/postings/transfer"), "250.5");
    let verified = fusewire(&["journal", "verify", &journal]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}
