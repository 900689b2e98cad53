//! The journals in `tests/golden`: runs that must come out again, whatever build recorded them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use fusewire::journal::header::Frames;
use fusewire::journal::reading;
use fusewire_core::event::{Body, EventKind};
use fusewire_core::journal::{State, View};
use fusewire_core::lane::{Decoded, Lane, RecordKind, decode};
use fusewire_core::order::ReportKind;
use fusewire_tests::fusewire;

/// More would not be small.
const JOURNAL_BYTES_MAX: u64 = 300_000;
const ALL_BYTES_MAX: u64 = 1_500_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The journals, by name.
fn journals() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    found.sort();
    assert!(found.len() >= 4, "{found:?}");
    found
}

fn verify(journal: &Path, more: &[&str]) -> Output {
    let journal = journal.to_str().unwrap();
    fusewire(&[&["journal", "verify", journal][..], more].concat())
}

/// All that a verb printed.
fn text(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

#[test]
fn golden_journals_verify() {
    for journal in journals() {
        let output = verify(&journal, &[]);
        assert!(
            output.status.success(),
            "{}\nIs the change wanted? Then see tests/golden/README.md",
            text(&output)
        );
        let decisions = verify(&journal, &["--decisions-only"]);
        assert!(decisions.status.success(), "{}", text(&decisions));
    }
}

/// What a journal is made of: kinds of records and of events.
#[derive(Default)]
struct Content {
    records: BTreeSet<RecordKind>,
    events: BTreeSet<&'static str>,
    fills: u64,
}

impl Content {
    fn add(&mut self, journal: &Path) {
        let view = View::open(journal).unwrap();
        for lane in Lane::ALL {
            let mut reader = view.reader(lane);
            while let Ok(record) = reader.next().unwrap() {
                let kind = RecordKind::from_number(record.kind).unwrap();
                self.records.insert(kind);
                let decoded = decode::decode(kind, record.payload);
                if let Decoded::Event(event) = decoded.unwrap() {
                    self.events.insert(event.body.kind().name());
                    self.fills += u64::from(is_fill(&event.body));
                }
            }
        }
    }
}

fn is_fill(body: &Body) -> bool {
    match body {
        Body::Report(report) => {
            matches!(report.kind, ReportKind::PartialFill | ReportKind::Filled)
        }
        _ => false,
    }
}

/// A journal in which nothing happens would guard nothing; together they guard the whole format.
#[test]
fn golden_journals_trade_and_hold_every_kind_of_record() {
    let mut all = Content::default();
    for journal in journals() {
        let mut content = Content::default();
        content.add(&journal);
        assert!(content.fills > 3, "{}: {} fills", journal.display(), content.fills);
        all.add(&journal);
    }
    // A reference would name a file on the machine that recorded it.
    let missing: Vec<_> =
        RecordKind::ALL.into_iter().filter(|kind| !all.records.contains(kind)).collect();
    assert_eq!(missing, [RecordKind::FrameRef]);
    let names = EventKind::ALL.map(EventKind::name);
    let missing: Vec<_> = names.into_iter().filter(|name| !all.events.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn golden_journals_are_small_and_know_nothing_of_the_machine_that_recorded_them() {
    let mut sum = 0;
    for journal in journals() {
        let name = journal.display();
        let view = View::open(&journal).unwrap();
        assert_eq!(view.state, State::Closed, "{name}");
        let (header, _) = reading::header(&view).unwrap();
        assert_eq!(header.frames, Frames::Copy, "{name}");
        for source in &header.sources {
            let known = source.name == "usdm_btcusdt.ns" || source.name.starts_with("history-");
            assert!(known && source.path.is_none(), "{name}: {}", source.name);
        }
        assert!(!journal.join("LOCK").exists(), "{name}: its lock names a process");
        let files = fs::read_dir(&journal).unwrap();
        let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < JOURNAL_BYTES_MAX, "{name}: {bytes} bytes");
        sum += bytes;
    }
    assert!(sum < ALL_BYTES_MAX, "{sum} bytes");
}

/// A copy of a journal with its configuration, changed.
fn changed(name: &str, to: &Path, from: &str, into: &str) -> (PathBuf, String) {
    let journal = to.join(name);
    fs::create_dir(&journal).unwrap();
    for file in fs::read_dir(folder().join(name)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), journal.join(file.file_name())).unwrap();
    }
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    assert!(text.contains(from), "{name}.toml has {from}");
    let config = to.join(format!("{name}.toml"));
    fs::write(&config, text.replace(from, into)).unwrap();
    (journal, config.display().to_string())
}

/// The guard works: a change of decisions, of risk, or of the venue is named by lane.
#[test]
fn a_change_of_decisions_would_be_noticed() {
    for (name, from, into, lane) in [
        ("quoter-calm", "half_spread_bp = \"0.1\"", "half_spread_bp = \"0.2\"", "alpha"),
        ("both-burst", "[clock]", "[limits_default]\nrate_new = 2\n[clock]", "risk"),
        ("faulty-reports", "lose_ppm = 200_000", "lose_ppm = 0", "event"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (journal, config) = changed(name, folder.path(), from, into);
        let output = verify(&journal, &["--config", &config, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output));
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["first_divergence"]["lane"], lane, "{name}: {found:#}");
        assert!(verify(&journal, &[]).status.success(), "{name}: under its own it is the same");
    }
}

/// The frames of a golden journal give the same run again, with a journal of its own.
#[test]
fn a_golden_journal_is_the_capture_of_its_own_run() {
    let folder = tempfile::tempdir().unwrap();
    let (golden, config) = changed("quoter-calm", folder.path(), "[clock]", "[clock]");
    let (golden, again) = (golden.to_str().unwrap(), folder.path().join("again"));
    let again = again.to_str().unwrap();
    let run = ["--config", &config, "--journal", again];
    let replay = fusewire(&[&["replay", golden][..], &run].concat());
    assert!(replay.status.success(), "{}", text(&replay));
    let diff = fusewire(&["journal", "diff", golden, again]);
    let text = text(&diff);
    assert!(diff.status.success() && text.ends_with("the same records\n"), "{text}");
}
