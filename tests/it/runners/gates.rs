//! Latencies are counted where other processes see them, and a budget that is not kept becomes an event.

use super::*;

/// A budget that the feed can not keep: more than one frame in a hundred is that long, see `lengthen`.
const TIGHT: &str = "[gates]\nwindow_ms = 50\nsamples_min = 10\nfeed_p99_us = 1\nrisk_p99_us = 0\n\
                     gateway_p99_us = 0\nalpha_p99_us = 0\nsequencer_p99_us = 0\n\
                     tick_to_trade_p99_us = 0\n";

/// Gives each twentieth frame a field that nobody asked for, of 60 KB: to look through it takes any machine
/// more than a microsecond.
fn lengthen(capture: &Path) {
    let text = std::fs::read_to_string(capture).unwrap();
    let long = format!(",\"pad\":\"{}\"}}}}", "a".repeat(60_000));
    let lengthened = |(place, line): (usize, &str)| match line.strip_suffix("}}") {
        Some(start) if place % 20 == 19 => format!("{start}{long}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    std::fs::write(capture, text.lines().enumerate().map(lengthened).collect::<String>()).unwrap();
}

fn breaches(dir: &Path) -> Vec<Value> {
    let rows = crate::journal::text("cat", dir, &["--json", "--kind", "control"]);
    rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_breach_is_sequenced_and_journaled_in_a_pinned_run_and_only_told_in_others() {
    let folder = tempfile::tempdir().unwrap();
    let capture = short(folder.path());
    lengthen(&capture);
    let tight = threads(folder.path(), GROUPINGS[1], 1_024, TIGHT);
    let dir = folder.path().join("pinned");
    let (report, whole) = pinned(&[arg(&capture)], &dir, &tight, "20x");
    assert_eq!(whole["same"], true);
    let told = number(&report["gates"]["feed"], "breaches");
    let rows = breaches(&dir);
    assert!(told > 0 && rows.len() as u64 <= told, "{told} told, {} sequenced", rows.len());
    for row in &rows {
        assert_eq!(row["reason"], "gate_breach");
        let body: Value = serde_json::from_str(word(row, "body")).unwrap();
        assert_eq!((&body["span"], &body["budget_ns"]), (&"feed".into(), &1_000.into()));
        assert!(number(&body, "measured_ns") > 1_000, "{row}");
    }
    assert_eq!(report["events"]["Control"], rows.len());
    for runner in ["inline", "lockstep"] {
        let dir = folder.path().join(runner);
        let options = ["--runner", runner, "--config", arg(&tight), "--journal", arg(&dir)];
        let report = json(&[&["replay", "--json", arg(&capture)][..], &options].concat());
        assert!(number(&report["gates"]["feed"], "breaches") > 0, "{runner}");
        assert!(breaches(&dir).is_empty(), "{runner}");
    }
}

#[test]
fn the_report_and_stat_tell_the_same_latencies() {
    let folder = tempfile::tempdir().unwrap();
    let capture = short(folder.path());
    let config = threads(folder.path(), GROUPINGS[1], 1_024, "");
    let dir = folder.path().join("j");
    let (report, _) = pinned(&[arg(&capture)], &dir, &config, "20x");
    let stat = document("stat", &dir, &[]);
    assert_eq!(stat["latency_ns"], report["latency_ns"]);
    assert_eq!((number(&stat, "latency_sample"), &report["measuring"]["sample"]), (1, &1.into()));
    let latency = report["latency_ns"].as_object().unwrap();
    let mut stages: Vec<&str> = latency.keys().map(String::as_str).collect();
    stages.sort_unstable();
    assert_eq!(stages, ["alpha", "feed", "gateway", "risk", "sequencer", "tick_to_trade"]);
    for (stage, of) in latency {
        let steps = ["p50", "p90", "p99", "p99.9", "max"].map(|key| number(of, key));
        assert!(steps.is_sorted() && steps[0] > 0, "{stage}: {of}");
    }
    // With every message measured, each event passes each stage once, and risk once more for each intent.
    let events = number(&report, "events_total");
    assert_eq!(number(&latency["alpha"], "count"), events);
    assert_eq!(number(&latency["gateway"], "count"), events);
    assert_eq!(number(&latency["risk"], "count"), events + number(&report, "intents"));
    assert!(number(&latency["tick_to_trade"], "count") <= number(&report, "approved"));
}

/// Ten times the fastest millisecond of the recording: nothing is lost, and the wait is told.
#[test]
fn a_burst_is_taken_whole_and_shows_as_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "1");
    let text = std::fs::read_to_string(&capture).unwrap();
    let mut lines: Vec<String> = text.lines().take(6_000).map(str::to_owned).collect();
    // 1,820 frames of one millisecond, in the middle of frames that come by their time.
    let at = |line: &str| line.split_once(' ').unwrap().0.parse::<u64>().unwrap();
    let from = at(&lines[3_000]);
    for (place, line) in lines[3_000..4_820].iter_mut().enumerate() {
        let frame = line.split_once(' ').unwrap().1.to_owned();
        *line = format!("{} {frame}", from + place as u64 * 549);
    }
    std::fs::write(&capture, lines.join("\n") + "\n").unwrap();
    std::fs::remove_file(format!("{}.manifest.json", capture.display())).unwrap();
    let config = threads(folder.path(), GROUPINGS[1], 64, "");
    let dir = folder.path().join("j");
    let (report, whole) = pinned(&[arg(&capture)], &dir, &config, "10x");
    assert_eq!((&whole["same"], number(&report, "frames")), (&true.into(), 6_000));
    let feed = &report["latency_ns"]["feed"];
    // The last of them waits for all the others, whose decoding alone takes longer than the burst does.
    assert!(number(feed, "max") > 20 * number(feed, "p50"), "{feed}");
}
