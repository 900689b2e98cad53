//! A journal changes nothing of a run: no digest of any lane, no exit code, no line of the report.

use std::fs;
use std::path::Path;

use fusewire_tests::{fusewire, json};
use serde_json::Value;

use super::*;

/// Both modes of keeping frames.
const MODES: [&[&str]; 2] = [&[], &["--journal-frames", "copy"]];

/// All that a report says except how long it took.
fn timeless(mut report: Value) -> Value {
    for key in ["wall_s", "memory_peak_bytes", "latency_ns", "measuring", "gates"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

/// Runs a capture without a journal and in every mode with one: the reports are the same.
fn assert_same(folder: &Path, capture: &Path, name: &str, more: &[&str]) -> Value {
    let plain = timeless(json(&[&["replay", "--json", arg(capture)], more].concat()));
    for (index, mode) in MODES.into_iter().enumerate() {
        let dir = folder.join(format!("{name}-{index}"));
        let recorded = timeless(record(capture, &dir, &[more, mode].concat()));
        assert_eq!(recorded, plain, "{name}, mode {index}");
        let listed = document("ls", &dir, &[]);
        assert_eq!(listed[0]["digest"], plain["digest"]["all"], "{name}, mode {index}");
        assert_eq!(listed[0]["events"], plain["events_total"]);
        assert_eq!(listed[0]["frames"], plain["frames"]);
        let shown = text("ls", &dir, &[]);
        assert!(shown.contains(&word(&plain["digest"], "all")[..16]), "{shown}");
        for lane in LANES {
            let close = text("cat", &dir, &["--json", "--kind", "close", "--stage", lane]);
            assert_eq!(rows(&close)[0]["digest"], plain["digest"][lane], "{name}: {lane}");
        }
    }
    plain
}

#[test]
fn with_a_journal_and_without_all_lanes_have_the_same_digests() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "2");
    let report = assert_same(folder.path(), &capture, "plain", &BOTH);
    assert!(number(&report, "fills") > 0);
    // A ring holds at least one largest message: the snapshot, about 600 levels here.
    let tiny = config(folder.path(), "tiny.toml", "[ring]\nmessages = 1\nlevels = 2048\n");
    let more = [&BOTH[..], &["--config", arg(&tiny)]].concat();
    assert_eq!(assert_same(folder.path(), &capture, "tiny", &more)["digest"], report["digest"]);
    let watching = assert_same(folder.path(), &capture, "noop", &["--strategy", "noop"]);
    assert_eq!(watching["digest"]["feed"], report["digest"]["feed"]);
}

#[test]
fn many_small_segments_are_the_same_lanes() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "3");
    let text = "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n";
    let small = config(folder.path(), "small.toml", text);
    let more = [&BOTH[..], &["--config", arg(&small), "--raise", "1@60", "--raise", "3@150"]];
    let report = assert_same(folder.path(), &capture, "small", &more.concat());
    assert_eq!(number(&report, "kill_level"), 3);
    for (mode, feed_least) in [(0, 2), (1, 8)] {
        let dir = folder.path().join(format!("small-{mode}"));
        let stat = document("stat", &dir, &[]);
        assert!(number(&stat["lanes"]["event"], "segments") >= 5, "{stat}");
        assert!(number(&stat["lanes"]["feed"], "segments") >= feed_least, "{stat}");
        text_of_verify(&dir);
    }
}

fn text_of_verify(dir: &Path) {
    assert!(text("verify", dir, &[]).contains("the same, byte for byte"));
}

/// A run that answers "no" (a book out of step) answers so with a journal too, and the journal is whole.
#[test]
fn a_no_stays_a_no() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    // Less than the snapshot has: no book comes into step.
    let narrow = config(folder.path(), "narrow.toml", "[ring]\nlevels = 512\n");
    let plain = ["replay", "--json", arg(&capture), "--config", arg(&narrow)];
    let dir = folder.path().join("j");
    let journal = [&plain[..], &["--journal", arg(&dir)]].concat();
    let reports = [&plain[..], &journal].map(|arguments| {
        let (stdout, stderr) = said(&fusewire(arguments), 1);
        assert!(stderr.contains("books not in step"), "{stderr}");
        timeless(serde_json::from_str(&stdout).unwrap())
    });
    assert_eq!(reports[0], reports[1]);
    assert_eq!(document("ls", &dir, &[])[0]["state"], "closed");
    text_of_verify(&dir);
}

/// A capture that is refused leaves no journal; told to take it all the same, the run has a whole one.
#[test]
fn a_broken_capture_has_no_journal_unless_it_is_let_through() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    cut(&capture, 6_000);
    let lines = fs::read_to_string(&capture).unwrap();
    let at = lines.rfind("depthUpdate").unwrap();
    let end = at + lines[at..].find('\n').unwrap();
    fs::write(&capture, &lines[..end - 20]).unwrap();
    let dir = folder.path().join("j");
    let arguments = ["replay", "--json", arg(&capture), "--journal", arg(&dir)];
    // Refused before it began: there is no journal.
    let (_, stderr) = said(&fusewire(&arguments), 2);
    assert!(stderr.contains("--allow-broken"), "{stderr}");
    assert!(!dir.exists());
    let told = fusewire(&[&arguments[..], &["--allow-broken"]].concat());
    let (stdout, _) = said(&told, 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(number(&report, "malformed") + number(&report, "damaged"), 1);
    assert_eq!(document("ls", &dir, &[])[0]["digest"], report["digest"]["all"]);
    text_of_verify(&dir);
}

/// The default place of nothing: no journal, no file.
#[test]
fn without_the_option_nothing_is_written() {
    let folder = scratch();
    let output = fusewire_tests::fusewire_in(folder.path(), &["replay", "--json"]);
    said(&output, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    for alone in [&["--journal-frames", "copy"][..], &["--resume"]] {
        let output = fusewire_tests::fusewire_in(folder.path(), &[&["replay"], alone].concat());
        let (_, stderr) = said(&output, 2);
        assert!(stderr.contains("--journal"), "{stderr}");
    }
}
