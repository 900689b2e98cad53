//! Sweeps from the command line (S0-33, X12): what is varied, what is refused, and that every run counts.
//!
//! - `decoded`: recordings are decoded once for all trials
//! - `replays`: replays that are counted beside trials
//! - `stopped`: killed at any moment, or stopped in order, and gone on with

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::{fusewire, json};
use serde_json::Value;
use tempfile::TempDir;

use crate::journal::{arg, config, number, refused, said, synth, word};

mod decoded;
mod replays;
mod stopped;

/// Trials over a small synthetic capture.
struct Scene {
    folder: TempDir,
    capture: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let capture = synth(folder.path(), "burst", "1");
        Self { folder, capture }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments of a sweep into the folder `out`.
    fn arguments(&self, out: &str, more: &[&str]) -> Vec<String> {
        let head = ["sweep", arg(&self.capture), "--out", arg(&self.path(out))].map(str::to_owned);
        head.into_iter().chain(more.iter().map(|text| (*text).to_owned())).collect()
    }

    /// Runs a sweep to its end.
    fn sweep(&self, out: &str, more: &[&str]) -> Value {
        let arguments = self.arguments(out, &[&["--json"], more].concat());
        json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A sweep that is refused, with one line that says all of `parts`.
    fn refuses(&self, more: &[&str], parts: &[&str]) {
        let arguments = self.arguments("refused", more);
        let output = fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        refused(&output, parts);
        assert!(!self.path("refused/trials.jsonl").exists(), "nothing ran");
    }

    fn table(&self, out: &str) -> Vec<u8> {
        let folder = self.path(out);
        let paths = ["results.parquet", "results.csv"].map(|name| folder.join(name));
        fs::read(paths.iter().find(|path| path.exists()).unwrap()).unwrap()
    }

    /// The rows of a table in CSV by column.
    fn rows(&self, out: &str) -> Vec<BTreeMap<String, String>> {
        rows(&self.path(out))
    }
}

/// The rows of the table in CSV of a sweep's folder, by column.
fn rows(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(folder.join("results.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        columns.iter().zip(row.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The lines of a registry.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(lines: &[Value], event: &str) -> usize {
    lines.iter().filter(|line| line["event"] == event).count()
}

const GRID: [&str; 4] =
    ["--grid", "quoter.half_spread_bp=1,2", "--grid", "quoter.quote_notional=100,200,300"];
const CSV: [&str; 2] = ["--format", "csv"];

/// Each row is what `replay` says of the same configuration.
#[test]
fn a_trial_is_the_replay_of_its_configuration() {
    let scene = Scene::new();
    let summary = scene.sweep("grid", &[&GRID[..], &CSV].concat());
    let counts = ["trials", "done", "decoded"].map(|key| number(&summary, key));
    assert_eq!(counts, [6, 6, 1]);
    let rows = scene.rows("grid");
    let values = |row: &BTreeMap<String, String>| {
        [row["quoter.half_spread_bp"].clone(), row["quoter.quote_notional"].clone()]
    };
    let expected: Vec<[String; 2]> =
        [("1", "100"), ("1", "200"), ("1", "300"), ("2", "100"), ("2", "200"), ("2", "300")]
            .map(|(a, b)| [a.to_owned(), b.to_owned()])
            .into();
    assert_eq!(rows.iter().map(values).collect::<Vec<_>>(), expected);
    for row in [&rows[0], &rows[5]] {
        let [spread, notional] = values(row);
        let text =
            format!("[quoter]\nhalf_spread_bp = \"{spread}\"\nquote_notional = \"{notional}\"\n");
        let file = config(scene.folder.path(), "one.toml", &text);
        let report = json(&["replay", "--json", arg(&scene.capture), "--config", arg(&file)]);
        assert_eq!(row["digest"], word(&report["digest"], "decided"));
        assert_eq!(row["fills"], number(&report, "fills").to_string());
        assert_eq!(row["total"], word(&report["pnl"], "total"));
        assert_eq!(row["fees"], word(&report["pnl"], "fees"));
        let exits = report["ledger"]["exits"].as_object().unwrap();
        let closed: u64 = exits.values().map(|exit| number(exit, "count")).sum();
        assert_eq!(row["closed"], closed.to_string());
        assert!(
            closed > 0
                && row["win_rate"] >= row["win_rate_low"]
                && row["win_rate"] <= row["win_rate_high"]
        );
    }
    let digests: BTreeSet<&String> = rows.iter().map(|row| &row["digest"]).collect();
    assert_eq!(digests.len(), 6, "what was varied reached the runs");
}

/// Equity is sampled from the run itself: the returns by period multiply to what the account did up to the last period.
#[test]
fn returns_and_drawdown_are_those_of_the_equity() {
    let scene = Scene::new();
    let more = [&["--grid", "quoter.half_spread_bp=1", "--period", "5"][..], &CSV].concat();
    scene.sweep("equity", &more);
    let row = &scene.rows("equity")[0];
    assert_eq!(row["returns"], "12", "a minute has twelve periods of 5 s");
    let of = |column: &str| row[column].parse::<f64>().unwrap();
    assert!(of("return_deviation") > 0.0 && of("return_kurtosis") >= 1.0);
    // Returns as small as these add up to that of the whole minute.
    let whole = of("total") / 10_000.0;
    assert!((of("return_mean") * 12.0 - whole).abs() < 1e-6, "{row:?}");
    assert!(of("max_drawdown") >= -of("total") && of("max_drawdown_share") < 0.01);
}

/// Who lost money fell at least so far: the sample ends with a loss between two looks.
#[test]
fn no_trial_loses_more_than_its_drawdown() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("s");
    let grid = ["--grid", "quoter.half_spread_bp=1,2", "--grid", "quoter.skew_bp=2.4166,4.9969"];
    json(&[&["sweep", "--json", "--out", arg(&out)], &grid[..], &CSV].concat());
    let rows = rows(&out);
    assert_eq!(rows.len(), 4);
    for row in rows {
        let of = |column: &str| row[column].parse::<f64>().unwrap();
        assert!(of("total") < 0.0 && of("max_drawdown") >= -of("total"), "{row:?}");
    }
}

/// Random values stay within their range, are the same for a seed, and a longer list begins as a shorter one.
#[test]
fn draws_depend_on_the_seed_alone() {
    let scene = Scene::new();
    let random = |out: &str, trials: &str, seed: &str| {
        let range = [
            "--random",
            "quoter.skew_bp=log:0.5..8",
            "--random",
            "quoter.change_interval_ms=500..900",
        ];
        scene.sweep(out, &[&range[..], &["--trials", trials, "--seed", seed], &CSV].concat());
        let pick = |row: &BTreeMap<String, String>| {
            (
                row["quoter.skew_bp"].parse::<f64>().unwrap(),
                row["quoter.change_interval_ms"].parse::<u32>().unwrap(),
            )
        };
        scene.rows(out).iter().map(pick).collect::<Vec<_>>()
    };
    let four = random("four", "4", "7");
    assert!(
        four.iter().all(|(skew, wait)| (0.5..=8.0).contains(skew) && (500..=900).contains(wait))
    );
    assert_eq!(random("two", "2", "7"), four[..2]);
    assert_ne!(random("other", "2", "8"), four[..2]);
}

#[test]
fn bad_definitions_are_refused_before_anything_runs() {
    let scene = Scene::new();
    for (more, parts) in [
        (
            &["--grid", "quoter.half_spred_bp=1"][..],
            &["--grid quoter.half_spred_bp=1", "did you mean 'half_spread_bp'"][..],
        ),
        (&["--grid", "quotr.half_spread_bp=1"], &["unknown key 'quotr'", "did you mean 'quoter'"]),
        (
            &["--grid", "quoter.half_spread_bp=1,wide"],
            &["--grid quoter.half_spread_bp=wide", "is no decimal"],
        ),
        (
            &["--grid", "limits_default.leverage_max=5,6"],
            &["--grid limits_default.leverage_max=6", "leverage_max"],
        ),
        (
            &["--random", "limits_default.leverage_max=6..9", "--trials", "2"],
            &["--random limits_default.leverage_max="],
        ),
        (
            &["--grid", "run.strategy=quoter,martingale"],
            &["--grid run.strategy=martingale", "unknown strategy"],
        ),
        (&["--grid", "runner.idle=spin,backoff"], &["--grid runner.idle", "decides nothing"]),
        (&["--grid", "universe.symbols=A,B"], &["--grid universe.symbols", "a list"]),
        (&["--grid", "run.seed=1", "--grid", "run.seed=2"], &["--grid run.seed", "twice"]),
        // Enough for one symbol, and the capture has two.
        (
            &["--grid", "paper.orders_max=1024,201"],
            &["trial 2 (paper.orders_max=201)", "[paper] orders_max"],
        ),
        (&[], &["nothing to vary"]),
        (&["--grid", "run.seed=1", "--symbols", "NOPE"], &["'NOPE' is not in the capture"]),
    ] {
        scene.refuses(more, parts);
    }
    // What the command line itself can not be.
    for (more, part) in [
        (&["--grid", "run.seed=1,,2"][..], "value 2 is empty"),
        (&["--random", "run.seed=9..1", "--trials", "2"], "9 is not below 1"),
        (&["--random", "run.seed=1..9"], "--trials"),
        (&["--grid", "run.seed=1", "--jobs", "0"], "--jobs"),
    ] {
        let arguments = scene.arguments("refused", more);
        let output = fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let (_, stderr) = said(&output, 2);
        assert!(stderr.contains(part), "{part:?} is not in {stderr:?}");
    }
}

/// One row after another, whoever ran it.
#[test]
fn one_job_and_two_write_the_same_bytes() {
    let scene = Scene::new();
    for format in ["csv", "parquet"] {
        let table = |jobs: &str| {
            let out = format!("{format}{jobs}");
            let summary =
                scene.sweep(&out, &[&GRID[..], &["--jobs", jobs, "--format", format]].concat());
            assert_eq!(number(&summary, "jobs").to_string(), jobs);
            scene.table(&out)
        };
        assert!(table("1") == table("2"), "{format}");
    }
}

/// The number of trials of a deflated Sharpe ratio: two sweeps add up, and what is repeated counts again.
#[test]
fn a_registry_counts_the_runs_of_all_its_sweeps() {
    let scene = Scene::new();
    let shared = scene.path("all.jsonl");
    let registry = ["--registry", arg(&shared)];
    let first = scene.sweep("a", &[&GRID[..], &registry].concat());
    assert_eq!(number(&first["registered"], "runs"), 6);
    let second = scene.sweep(
        "b",
        &[&["--grid", "taker.confirm=2,3", "--strategy", "taker"][..], &registry].concat(),
    );
    assert_eq!(number(&second["registered"], "runs"), 8);
    // The same definition elsewhere: six more runs, and none that is new.
    let again = scene.sweep("c", &[&GRID[..], &registry].concat());
    let registered = &again["registered"];
    assert_eq!((number(registered, "runs"), number(registered, "distinct")), (14, 8));
    assert_eq!((number(registered, "done"), number(registered, "failed")), (14, 0));
    assert_eq!(
        (number(&registered["by_strategy"], "quoter"), number(&registered["by_strategy"], "taker")),
        (12, 2)
    );
    // In a folder whose trials are done nothing runs.
    let kept = scene.sweep("c", &[&GRID[..], &registry].concat());
    assert_eq!((number(&kept, "kept"), number(&kept["registered"], "runs")), (6, 14));
    let all = lines(&shared);
    assert_eq!((events(&all, "started"), events(&all, "done")), (14, 14));
    assert_eq!(lines(&scene.path("b/trials.jsonl")).len(), 4, "the folder has its own");
    let done = all.iter().find(|line| line["event"] == "done").unwrap();
    assert_eq!(done["values"].as_object().unwrap().len(), 2);
    assert_eq!(word(&done["results"], "digest").len(), 64);
}

/// A trial that gives up has a row that says why, an exit code of its own, and is tried again the next time.
#[test]
fn a_trial_that_fails_is_counted_and_does_not_end_the_others() {
    let scene = Scene::new();
    // Answers take so long, and so few may wait, that the second run has to give up.
    let text =
        "[latency]\norder_us = 4_000_000\nresponse_us = 4_000_000\nreceive_window_ms = 60_000\n";
    let slow = config(scene.folder.path(), "slow.toml", text);
    let grid = ["--grid", "stream.feedback_max=4096,16", "--strategy", "quoter,taker,grid"];
    let more = [&grid[..], &["--config", arg(&slow)], &CSV].concat();
    for round in 1..=2_u64 {
        let arguments = scene.arguments("failing", &[&["--json"], &more[..]].concat());
        let output = fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((number(&summary, "done"), number(&summary, "failed")), (1, 1));
        assert_eq!(number(&summary, "kept"), round - 1);
        assert_eq!(number(&summary["registered"], "runs"), 1 + round);
        assert_eq!(number(&summary["registered"], "failed"), round);
        let rows = scene.rows("failing");
        assert_eq!((rows[0]["status"].as_str(), rows[1]["status"].as_str()), ("done", "failed"));
        assert!(
            rows[1]["fills"].is_empty() && rows[1]["error"].contains("feedback"),
            "{:?}",
            rows[1]
        );
    }
}

/// S0-02: a sweep without fees finds a winner, and says of it what `replay` would.
#[test]
fn s0_02_trials_without_costs_are_stamped_and_the_exit_code_says_so() {
    let scene = Scene::new();
    let text = "[fees]\nmaker = \"0\"\ntaker = \"0\"\n";
    let free = config(scene.folder.path(), "free.toml", text);
    let grid = ["--grid", "quoter.half_spread_bp=1,2", "--config", arg(&free)];
    let run = |more: &[&str]| {
        let arguments = scene.arguments("free", &[&grid[..], &CSV, more].concat());
        fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (stdout, stderr) = said(&run(&[]), 1);
    assert!(stdout.contains("\n2 of 2 trials are NOT CREDIBLE: no-fee (2)\n"), "{stdout}");
    assert!(stderr.contains("not to be believed") && stderr.contains("no-fee"), "{stderr}");
    // Kept trials are told like new ones.
    let again = run(&["--json"]);
    assert_eq!(again.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
    let counts = ["done", "kept", "failed", "not_credible"].map(|key| number(&summary, key));
    assert_eq!(counts, [2, 2, 0, 2]);
    assert!(scene.rows("free").iter().all(|row| row["not_credible"] == "no-fee"));
    assert_eq!(number(&scene.sweep("paid", &grid[..2]), "not_credible"), 0);
}

#[test]
fn another_sweep_in_the_same_folder_is_refused_and_what_differs_is_named() {
    let scene = Scene::new();
    scene.sweep("a", &GRID);
    let before = scene.table("a");
    let guard = config(scene.folder.path(), "guard.toml", "[credibility]\nwins_only_min = 31\n");
    for (more, part) in [
        (&["--grid", "quoter.half_spread_bp=1,2,4"][..], "grid[0].values was"),
        (&[&GRID[..], &["--profile", "bench"]].concat(), "risk.profile was default, is bench"),
        (&[&GRID[..], &["--period", "30"]].concat(), "period_s was 60, is 30"),
        (&[&GRID[..], &["--symbols", "BTCUSDT"]].concat(), "symbols was"),
        (&[&GRID[..], &["--unit", "ns"]].concat(), "unit was -, is ns"),
        (
            &[&GRID[..], &["--config", arg(&guard)]].concat(),
            "credibility.wins_only_min was 30, is 31",
        ),
    ] {
        let arguments = scene.arguments("a", more);
        let output = fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let (_, stderr) = said(&output, 2);
        assert!(
            stderr.contains("another sweep: choose another --out") && stderr.contains(part),
            "{stderr}"
        );
    }
    let changed = fs::read_to_string(&scene.capture).unwrap();
    fs::write(&scene.capture, &changed[..changed.rfind("\n1").unwrap() + 1]).unwrap();
    let arguments = scene.arguments("a", &GRID);
    let (_, stderr) = said(&fusewire(&arguments.iter().map(String::as_str).collect::<Vec<_>>()), 2);
    assert!(stderr.contains("captures[0].blake3 was"), "{stderr}");
    assert!(scene.table("a") == before);
}

/// On recorded frames, on two cores: each trial is the replay of its configuration.
#[test]
fn a_trial_over_a_real_capture_is_its_replay() {
    let Some(shared) = fusewire_tests::shared("a_trial_over_a_real_capture_is_its_replay") else {
        return;
    };
    let capture = shared.join("captures/ws_raw/2023-04-05/usdm_btcusdt_20230404.us.gz");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("s");
    let input = [arg(&capture), "--allow-broken", "--json"];
    let grid = ["--grid", "run.strategy=quoter,taker", "--out", arg(&out), "--format", "csv"];
    json(&[&["sweep"], &input[..], &grid].concat());
    let text = fs::read_to_string(out.join("results.csv")).unwrap();
    for strategy in ["quoter", "taker"] {
        let report = json(&[&["replay"], &input[..], &["--strategy", strategy]].concat());
        let row = format!(",{strategy},{},", word(&report["digest"], "decided"));
        assert!(text.contains(&row), "{row} is not in {text}");
    }
}

#[test]
fn the_text_shows_each_trial_and_the_count() {
    let output = fusewire(&[
        "sweep",
        "--grid",
        "quoter.half_spread_bp=1,2",
        "--out",
        arg(&tempfile::tempdir().unwrap().path().join("s")),
    ]);
    let (stdout, _) = said(&output, 0);
    assert!(stdout.contains("quoter.half_spread_bp=2\n"), "{stdout}");
    assert!(stdout.contains(": 2 runs in all, 2 done, 0 failed, 2 different\n"), "{stdout}");
    assert!(stdout.contains("the best of 2 looks better than it is"), "{stdout}");
}
