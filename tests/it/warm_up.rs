//! The warm-up of a run: strategies see everything, send nothing, and use nothing but the past (X20).

use std::path::Path;

use fusewire_tests::{fusewire, json};
use serde_json::Value;

use crate::journal::{arg, config, document, synth, text};

const SECOND_NS: u64 = 1_000_000_000;

/// A run with a journal.
fn run(capture: &Path, dir: &Path, more: &[&str]) -> Value {
    let files = ["replay", "--json", "--journal", arg(dir), arg(capture)];
    json(&[&files[..], more].concat())
}

/// The times of the intents of strategies, and of the first event.
fn times(dir: &Path) -> (Vec<u64>, u64) {
    let of = |lane: &str| {
        let csv = text("export", dir, &["--lane", lane, "--format", "csv"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let column = reader.headers().unwrap().iter().position(|name| name == "ts_ns").unwrap();
        let times = reader.records().map(|row| row.unwrap()[column].parse().unwrap());
        times.collect::<Vec<u64>>()
    };
    (of("alpha"), of("event")[0])
}

#[test]
fn x20_nothing_is_sent_before_the_warm_up_is_over_and_verify_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "1");
    let both = ["--strategy", "quoter,taker"];
    let cold = folder.path().join("cold");
    let report = run(&capture, &cold, &both);
    assert_eq!((&report["warm_up_s"], &report["refused"]["warm_up"]), (&0.into(), &Value::Null));
    let (sent, first) = times(&cold);
    assert!(sent[0] < first + 30 * SECOND_NS, "without a warm-up it trades at once");

    let warm = folder.path().join("warm");
    let report = run(&capture, &warm, &[&both[..], &["--warm-up", "30"]].concat());
    let (sent, first) = times(&warm);
    assert!(sent.len() > 10 && sent[0] >= first + 30 * SECOND_NS, "{} {first}", sent[0]);
    assert_eq!(report["warm_up_s"], 30);
    assert!(report["refused"]["warm_up"].as_u64().unwrap() > 0, "{}", report["refused"]);
    assert!(report["fills"].as_u64().unwrap() > 0, "{}", report["fills"]);
    // It is in the journal, and decides.
    assert_eq!(document("verify", &warm, &[])["same"], true);
    let differs = fusewire(&["journal", "diff", arg(&cold), arg(&warm)]);
    let told = String::from_utf8(differs.stdout).unwrap();
    assert!(told.contains("run.warm_up_s"), "{told}");

    // By configuration it is the same run.
    let file = config(folder.path(), "warm.toml", "[run]\nwarm_up_s = 30\n");
    let named = folder.path().join("named");
    let again = run(&capture, &named, &[&both[..], &["--config", arg(&file)]].concat());
    assert_eq!(again["digest"], report["digest"]);
    let output = fusewire(&["replay", "--warm-up", "30", arg(&capture)]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("warm-up: nothing was sent in the first 30 s"), "{shown}");
}
