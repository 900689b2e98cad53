//! Journals from the command line, as somebody would use them who does not believe a word.
//!
//! - `digests`: a journal changes no digest and no exit code
//! - `real`: every real capture runs again byte for byte
//! - `tamper`: whatever is changed afterwards is found and named
//! - `patched`: another strategy or configuration, and where it shows
//! - `interrupted`: killed at any moment, verified, recovered, gone on with
//! - `live`: read by others while it is written
//! - `filters`: what `cat` leaves out
//! - `export`: tables, and what must add up in them
//! - `looks`: what `ls`, `stat`, `diff` and `verify` say
//! - `measured`: latencies that another run takes over
//! - `options`: whatever a run was told is in its journal
//! - `orphans`: what may be on the wire is kept and shown
//! - `room`: no room left, by the disk and by the configuration

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use fusewire_tests::{fusewire, json};
use serde_json::Value;
use tempfile::TempDir;

mod digests;
mod export;
mod filters;
pub(crate) mod interrupted;
mod live;
mod looks;
mod measured;
mod options;
mod orphans;
mod patched;
mod real;
mod room;
mod tamper;

/// Both strategies that trade.
const BOTH: [&str; 2] = ["--strategy", "quoter,taker"];
/// The lanes of a journal.
const LANES: [&str; 5] = ["feed", "event", "alpha", "risk", "gateway"];

/// A folder of the test's own.
fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A synthetic capture of two symbols.
pub(crate) fn synth(folder: &Path, scenario: &str, minutes: &str) -> PathBuf {
    let path = folder.join(format!("usdm_{scenario}{minutes}.ns"));
    let symbols = ["--symbols", "BTCUSDT,ETHUSDT", "--minutes", minutes];
    json(&[&["synth", scenario, "--json", "--out", arg(&path)][..], &symbols].concat());
    path
}

/// The first lines of a capture.
pub(crate) fn cut(capture: &Path, lines: usize) {
    let text = fs::read_to_string(capture).unwrap();
    fs::write(capture, text.split_inclusive('\n').take(lines).collect::<String>()).unwrap();
    fs::remove_file(capture.with_file_name(format!(
        "{}.manifest.json",
        capture.file_name().unwrap().to_str().unwrap()
    )))
    .unwrap();
}

/// A configuration over the defaults.
pub(crate) fn config(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Runs a capture with a journal; returns the report.
fn record(capture: &Path, dir: &Path, more: &[&str]) -> Value {
    json(&[&["replay", "--json", arg(capture), "--journal", arg(dir)], more].concat())
}

/// Runs a verb on a journal.
fn on(verb: &str, dir: &Path, more: &[&str]) -> Output {
    fusewire(&[&["journal", verb, arg(dir)], more].concat())
}

/// What a program said, which ended with this code and did not panic.
pub(crate) fn said(output: &Output, code: i32) -> (String, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (stdout, stderr)
}

/// What a verb prints on a journal, which it finds sound.
pub(crate) fn text(verb: &str, dir: &Path, more: &[&str]) -> String {
    let (stdout, stderr) = said(&on(verb, dir, more), 0);
    assert!(stderr.is_empty(), "{stderr}");
    stdout
}

/// One JSON document of a verb on a journal.
pub(crate) fn document(verb: &str, dir: &Path, more: &[&str]) -> Value {
    serde_json::from_str(&text(verb, dir, &[&["--json"], more].concat())).unwrap()
}

/// JSON lines.
fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One clear line, exit 2, nothing on stdout.
pub(crate) fn refused(output: &Output, parts: &[&str]) {
    let (stdout, stderr) = said(output, 2);
    assert!(stdout.is_empty(), "{stdout}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("fusewire: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in {stderr:?}");
    }
}

pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} is a number in {value}"))
}

pub(crate) fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {value}"))
}
