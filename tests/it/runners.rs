//! Who runs the stages changes nothing that a journal can not prove.
//!
//! - `kills`: kill levels that are raised at any moment, from outside
//! - `gates`: latencies that are counted, and budgets that are not kept

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fusewire_tests::{fusewire, json, shared, start};
use serde_json::Value;

use crate::journal::interrupted::{done, signal, wait_until};
use crate::journal::{arg, config, cut, document, number, refused, said, synth, word};

mod gates;
mod kills;

/// Threads as the configuration lists them.
const GROUPINGS: [&str; 4] = [
    "feed+sequencer+alpha+risk+gateway",
    "feed+sequencer, alpha+risk+gateway",
    "feed, sequencer+gateway, alpha+risk",
    "feed, sequencer, alpha, risk, gateway",
];
/// Rings of one size that is ample and of the least that works.
const RINGS: [u32; 2] = [1_024, 1];

/// A configuration whose threads let others run: tests share the machine's cores.
fn threads(folder: &Path, grouping: &str, messages: u32, more: &str) -> PathBuf {
    let text = format!(
        "[run]\nstrategy = \"quoter,taker\"\n[ring]\nmessages = {messages}\n[runner]\n\
         threads = \"{grouping}\"\nidle = \"backoff\"\nlock_memory = \"off\"\n{more}"
    );
    config(folder, "runner.toml", &text)
}

/// A capture short enough for threads that wait for each other at every event.
fn short(folder: &Path) -> PathBuf {
    let capture = synth(folder, "burst", "1");
    cut(&capture, 3_000);
    capture
}

#[test]
fn lockstep_equals_inline() {
    let folder = tempfile::tempdir().unwrap();
    let capture = short(folder.path());
    let inline = json(&["replay", "--json", arg(&capture), "--strategy", "quoter,taker"]);
    assert!(number(&inline, "orders") > 0);
    for (grouping, messages) in GROUPINGS.into_iter().zip(RINGS.into_iter().cycle()) {
        let config = threads(folder.path(), grouping, messages, "");
        let options = ["--runner", "lockstep", "--config", arg(&config)];
        let report = json(&[&["replay", "--json", arg(&capture)][..], &options].concat());
        assert_eq!(report["runner"], "lockstep");
        for key in ["digest", "events", "positions", "by_strategy", "pending", "kpi"] {
            assert_eq!(report[key], inline[key], "{grouping}, rings of {messages}: {key}");
        }
    }
}

/// A pinned run with a journal; what `verify` says of it.
fn pinned(captures: &[&str], dir: &Path, config: &Path, pace: &str) -> (Value, Value) {
    let options = ["--runner", "pinned", "--pace", pace, "--config", arg(config)];
    let journal = ["--json", "--journal", arg(dir)];
    let report = json(&[&["replay"], captures, &options, &journal].concat());
    (report, document("verify", dir, &[]))
}

#[test]
fn a_pinned_run_is_verified_from_its_journal_whatever_its_threads_and_rings() {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "1");
    for (index, grouping) in GROUPINGS.into_iter().enumerate() {
        for messages in RINGS {
            // Frames come at once in one half of the runs, and by their time in the other.
            let pace = if (index + messages as usize).is_multiple_of(2) { "max" } else { "60x" };
            let dir = folder.path().join(format!("{index}-{messages}"));
            let config = threads(folder.path(), grouping, messages, "");
            let (report, whole) = pinned(&[arg(&capture)], &dir, &config, pace);
            assert_eq!(whole["same"], true, "{grouping}, rings of {messages}: {whole}");
            assert_eq!(whole["events"], report["events_total"]);
            assert!(number(&whole, "orders") > 0 && number(&whole, "feedback") > 0, "{whole}");
            assert_eq!(document("ls", &dir, &[])[0]["digest"], report["digest"]["all"]);
            assert_eq!(report["frames"], number(&whole, "frames"));
        }
    }
}

#[test]
fn real_markets_on_threads_are_verified_too() {
    let Some(shared) = shared("real_markets_on_threads_are_verified_too") else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = ["usdm_btcusdt_20240808.ns.gz", "usdm_ethusdt_20240808.ns.gz"];
    let files = files.map(|name| shared.join("captures/ws_raw/2024-08-08").join(name));
    let files: Vec<&str> = files.iter().map(|path| arg(path)).collect();
    let config = threads(folder.path(), GROUPINGS[1], 1_024, "");
    for pace in ["max", "200x"] {
        let (report, whole) = pinned(&files, &folder.path().join(pace), &config, pace);
        assert_eq!((&whole["same"], number(&whole, "frames")), (&true.into(), 168_609), "{pace}");
        assert!(number(&report, "orders") > 100, "{pace}");
    }
}

/// Between two frames, with time gone on behind the last of them.
#[test]
fn a_pinned_run_that_is_stopped_ends_in_order_and_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "2");
    let config = threads(folder.path(), GROUPINGS[1], 1_024, "");
    let dir = folder.path().join("j");
    let options = ["--runner", "pinned", "--pace", "2x", "--config", arg(&config)];
    let child = start(&[&["replay", arg(&capture), "--journal", arg(&dir)][..], &options].concat());
    wait_until("the run to come so far", || done(&dir) > 300);
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let (stdout, _) = said(&output, 1);
    assert!(stdout.contains("latency ns"), "the report is told: {stdout}");
    let whole = document("verify", &dir, &[]);
    assert_eq!(whole["same"], true);
    assert!((300..20_000).contains(&number(&whole, "events")), "{whole}");
}

#[test]
fn what_can_not_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    let spin = "[runner]\nthreads = \"feed, sequencer, alpha, risk, gateway\"\n";
    let spin = config(folder.path(), "spin.toml", spin);
    let output = fusewire(&["replay", "--runner", "pinned", "--config", arg(&spin)]);
    if cores < 5 {
        let parts = ["[runner] 5 threads that spin on", "put more stages on one thread"];
        refused(&output, &parts);
    }
    let core = config(folder.path(), "core.toml", "[runner]\ncores = [1000, 1001]\n");
    let output =
        fusewire(&["replay", "--runner", "pinned", "--pace", "max", "--config", arg(&core)]);
    if cores > 1 {
        refused(&output, &["can not be pinned to core 100"]);
    }
    let core = config(folder.path(), "no-core.toml", "[runner]\ncores = [0, 1024]\n");
    let output = fusewire(&["replay", "--config", arg(&core)]);
    refused(&output, &["no-core.toml:2: runner.cores: core 1024: their numbers end at 1023"]);
    refused(&fusewire(&["replay", "--pace", "2x"]), &["--pace belongs to --runner pinned"]);
    let output = fusewire(&["replay", "--runner", "pinned", "--pace", "fast"]);
    let (_, stderr) = said(&output, 2);
    assert!(stderr.contains("'fast' is no pace: 1x to 1000x, or max"), "{stderr}");
    let small = config(
        folder.path(),
        "small.toml",
        "[runner]\ncapture_memory_mb = 1\nidle = \"backoff\"\n",
    );
    let output = fusewire(&["replay", "--runner", "lockstep", "--config", arg(&small)]);
    refused(&output, &["embedded sample: unpacked it takes more than 1048576 bytes"]);
}
