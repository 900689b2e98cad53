//! A folder for captures and journals, and what is made in it.

use std::fs;
use std::path::{Path, PathBuf};

use fusewire_core::journal::{Journal, JournalConfig, Opening, RealDisk, State, View};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Lane, RecordKind};
use fusewire_tests::{fusewire, json};
use serde_json::{Value, json as document};
use tempfile::TempDir;

use super::FRAMES;

/// Small segments, so that a lane has several.
const SMALL: &str = "[capture]\nline_bytes_max = 1_000_000\n\n[journal]\nsegment_mb = 2\n";

/// A folder for captures and journals.
pub(super) struct Desk {
    pub(super) folder: TempDir,
    config: String,
}

impl Desk {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("small.toml");
        fs::write(&config, SMALL).unwrap();
        Self { config: config.display().to_string(), folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(super) fn write(&self, name: &str, lines: &[String]) -> String {
        fs::write(self.path(name), lines.join("\n") + "\n").unwrap();
        self.text(name)
    }

    /// The lines of a synthetic minute.
    pub(super) fn synth(&self, scenario: &str, symbols: &str) -> Vec<String> {
        let out = self.text("usdm_synth.ns");
        let symbols = ["--symbols", symbols, "--json", "--force", "--out", &out];
        json(&[&["synth", scenario, "--minutes", "1"][..], &symbols].concat());
        fs::remove_file(format!("{out}.manifest.json")).unwrap();
        let text = fs::read_to_string(&out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub(super) fn arguments<'a>(&'a self, captures: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
        [&["replay", "--json", "--config", &self.config][..], captures, more].concat()
    }

    pub(super) fn replay(&self, captures: &[&str], more: &[&str]) -> Value {
        json(&self.arguments(captures, more))
    }

    pub(super) fn record(
        &self,
        captures: &[&str],
        more: &[&str],
        journal: &str,
        frames: &str,
    ) -> Value {
        let how = ["--journal", journal, "--journal-frames", frames];
        self.replay(captures, &[&how, more].concat())
    }

    /// The lines of a replay that is refused.
    pub(super) fn refused(&self, captures: &[&str], more: &[&str]) -> String {
        let output = fusewire(&self.arguments(captures, more));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty() && !stderr.contains("panicked"), "{stderr}");
        stderr
    }

    /// Records a run in both ways, runs each journal again, and expects the same lanes every time.
    pub(super) fn assert_same(&self, captures: &[&str], more: &[&str]) {
        let first = self.replay(captures, more);
        assert!(first["frames"].as_u64().unwrap() > 100, "{first}");
        for frames in FRAMES {
            let journal = self.text(frames);
            let recorded = self.record(captures, more, &journal, frames);
            assert_eq!(recorded["digest"], first["digest"], "{frames}");
            let again = self.replay(&[&journal], more);
            assert_eq!(again["digest"], first["digest"], "{frames}");
            assert_eq!(again["frames"], first["frames"]);
            assert_eq!(again["books"], first["books"]);
            let found = View::open(Path::new(&journal)).unwrap();
            assert_eq!(found.state, State::Closed, "a reader changes nothing");
        }
    }
}

/// Lines whose times are whole tenths of a second, so that many are equal.
pub(super) fn coarse(lines: &[String]) -> Vec<String> {
    let line = |line: &String| {
        let (time, frame) = line.split_once(' ').unwrap();
        format!("{}00000000 {frame}", &time[..time.len() - 8])
    };
    lines.iter().map(line).collect()
}

/// A synthetic minute as the cryptofeed recorder writes it: answers first, wherever they belong.
pub(super) fn cryptofeed(lines: &[String]) -> Vec<String> {
    let mut answers = vec![document!({"t": "header", "format": 2, "exchange": "BINANCE_FUTURES"})];
    let mut frames = Vec::new();
    let url = "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000";
    for line in lines {
        let (time, frame) = line.split_once(' ').unwrap();
        let (seconds, rest) = time.split_at(10);
        // A float as the recorder's, which loses the last digits.
        let ts: serde_json::Number = serde_json::from_str(&format!("{seconds}.{rest}")).unwrap();
        if frame.contains("lastUpdateId") {
            answers.push(document!({"t": "http", "ts": ts, "url": url, "data": frame}));
            let other = url.replace("depth", "time");
            answers.push(document!({"t": "http", "ts": ts, "url": other, "data": "{}"}));
        } else {
            frames.push(document!({"t": "recv", "ts": ts, "data": frame}));
        }
    }
    answers.into_iter().chain(frames).map(|line| line.to_string()).collect()
}

/// What a journal would be that was interrupted after so many frames: the header, as `change` leaves it, and
/// the first records of the feed lane.
pub(super) fn cut(from: &str, to: &str, frames: usize, change: impl Fn(String) -> String) {
    let view = View::open(Path::new(from)).unwrap();
    let config = JournalConfig {
        segment_bytes: 1 << 20,
        feed_segment_bytes: 2 << 20,
        ..JournalConfig::default()
    };
    let (dir, disk, kill) = (Path::new(to), Box::new(RealDisk), KillSwitch::new());
    let opening = Opening { dir, config: &config, session: 9, disk, kill };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    let mut reader = view.reader(Lane::Event);
    let header = reader.next().unwrap().unwrap().payload;
    let header = change(String::from_utf8(header.to_vec()).unwrap());
    let event = &mut lanes[Lane::Event as usize];
    event.append_waiting(RecordKind::Header as u8, &[header.as_bytes()], 1).unwrap();
    let mut reader = view.reader(Lane::Feed);
    for _ in 0..frames {
        let record = reader.next().unwrap().unwrap();
        lanes[Lane::Feed as usize].append_waiting(record.kind, &[record.payload], 1).unwrap();
    }
    drop((journal, lanes));
    assert_eq!(View::open(Path::new(to)).unwrap().state, State::Interrupted);
}
