//! Whatever is changed in a closed journal is found, although the checksums hold again, and is named with
//! lane and event, or with the digest that it breaks. What is changed without that is damage at a place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fusewire_tests::tamper::{self, Place};
use serde_json::Value;
use tempfile::TempDir;

use super::*;

mod fields;

/// A short run in which everything happens: lost reports, refusals, a halt, a silence, damage, bars.
const EVENTFUL: &str = "[clock]\nbar_s = 5\n[paper]\nlose_ppm = 300000\nrepeat_ppm = 200000\n\
                        [limits_default]\nrate_symbol = 3\nrate_new = 4\n";

pub(super) struct Scene {
    /// Kept for as long as its files are used.
    _folder: TempDir,
    pub(super) dir: PathBuf,
}

impl Scene {
    /// A run that meets everything but what is under way at its end.
    pub(super) fn eventful(more: &[&str]) -> Self {
        let folder = scratch();
        let capture = synth(folder.path(), "burst", "1");
        cut(&capture, 8_000);
        let text = fs::read_to_string(&capture).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let parts = [&lines[..4_400].concat(), "what is this\n", &lines[7_900..].concat()];
        fs::write(&capture, parts.concat()).unwrap();
        let config = config(folder.path(), "eventful.toml", EVENTFUL);
        let raise = ["--raise", "1@10", "--raise", "2@14", "--raise", "3@16", "--allow-broken"];
        let options = [&BOTH[..], &["--config", arg(&config)], &raise, more].concat();
        Self::of(folder, &capture, &options)
    }

    /// A run that ends just before the venue's answer to an order is told.
    pub(super) fn cut_short() -> Self {
        let folder = scratch();
        let capture = synth(folder.path(), "burst", "1");
        let whole = folder.path().join("whole");
        record(&capture, &whole, &BOTH);
        let events = rows(&text("cat", &whole, &["--json", "--kind", "event", "--seq", "1000.."]));
        // Two milliseconds before, it was on its way back.
        let near = |pair: &&[Value]| {
            let apart = number(&pair[1], "ts_ns") - number(&pair[0], "ts_ns");
            pair[1]["status"] == "accepted" && pair[0]["frame"].is_u64() && apart < 2_000_000
        };
        let before = events.windows(2).find(near).unwrap();
        cut(&capture, usize::try_from(number(&before[0], "frame")).unwrap());
        Self::of(folder, &capture, &BOTH)
    }

    fn of(folder: TempDir, capture: &Path, options: &[&str]) -> Self {
        let dir = folder.path().join("j");
        record(capture, &dir, options);
        Self { _folder: folder, dir }
    }

    /// Verifies, expects a "no", and returns what was found first.
    fn found(&self, what: &str, more: &[&str]) -> Value {
        let output = on("verify", &self.dir, &[&["--json"], more].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {stderr}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["damage"], Value::Array(Vec::new()), "{what}");
        assert_eq!(found["same"], false, "{what}");
        found["first_divergence"].clone()
    }

    fn sound(&self) {
        assert_eq!(document("verify", &self.dir, &[])["same"], true);
    }
}

/// The middle record of each kind, and of each kind of event.
fn sample(places: &[Place]) -> BTreeMap<&'static str, &Place> {
    let mut kinds: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in places {
        kinds.entry(fields::kind(place.kind, &place.payload)).or_default().push(place);
    }
    kinds.remove("header");
    kinds.into_iter().map(|(kind, places)| (kind, places[places.len() / 2])).collect()
}

/// The number of the event that a record is, or is caused by.
fn seq_of(place: &Place) -> u64 {
    u64::from_le_bytes(place.payload[..8].try_into().unwrap())
}

/// Changes each field of a sample, one at a time, and looks at what is found.
fn change_fields(
    scene: &Scene,
    lane: &str,
    sample: &BTreeMap<&str, &Place>,
    change: impl Fn(&mut [u8]),
    more: &[&str],
) {
    for (kind, place) in sample {
        for (field, at, bytes) in fields::fields(place.kind, &place.payload) {
            let what = format!("{lane}, {kind}, {field} at {}", place.offset);
            let mut payload = place.payload.clone();
            change(&mut payload[at..at + bytes]);
            place.rewrite(&payload);
            let found = scene.found(&what, more);
            if more.is_empty() {
                assert_named(&found, lane, kind, field, place);
            }
            place.rewrite(&place.payload);
        }
    }
    scene.sound();
}

fn lowest_bit(field: &mut [u8]) {
    field[0] ^= 1;
}

/// What was found names lane and event; of what frames a lane, the lane.
fn assert_named(found: &Value, lane: &str, kind: &str, field: &str, place: &Place) {
    let what = format!("{kind}, {field}: {found}");
    let said = found["text"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let said: String = said.collect();
    // A record that can not be decoded is named by its place.
    let place_named = said.contains(&format!("segment 1 at byte {}", place.offset));
    // With another number it stands elsewhere, and shows there. A level comes from outside: only what
    // followed from it can show that it was another.
    // So does a level that has become a command, which changes nothing by itself.
    let is_command = (kind, field) == ("KillLevel", "kind");
    if ["seq", "number", "level"].contains(&field) || is_command {
        assert!(said.contains("lane ") || place_named, "{what}");
        return;
    }
    assert!(said.contains(&format!("lane {lane}")), "{what}");
    let framing = ["pending", "close"].contains(&kind);
    let seq = seq_of(place);
    let seq_named = found["seq"] == seq || said.contains(&format!(" event {seq}: "));
    assert!(framing || place_named || seq_named || lane == "feed", "{what}");
}

/// What the market, the clock and the books gave.
const MARKET: [&str; 10] = [
    "Bar",
    "BookInvalid",
    "Depth",
    "Gap",
    "Levels",
    "Liquidation",
    "Mark",
    "Tick",
    "Touch",
    "Trade",
];

#[test]
fn every_changed_field_of_a_market_event_is_found() {
    let scene = Scene::eventful(&[]);
    let places = tamper::records(&scene.dir, "event");
    let mut sample = sample(&places);
    sample.retain(|kind, _| MARKET.contains(kind));
    assert!(sample.keys().eq(MARKET.iter()), "{:?}", sample.keys());
    change_fields(&scene, "event", &sample, lowest_bit, &[]);
}

#[test]
fn every_changed_field_of_what_was_fed_in_is_found() {
    let scene = Scene::eventful(&[]);
    let places = tamper::records(&scene.dir, "event");
    let mut sample = sample(&places);
    sample.retain(|kind, _| !MARKET.contains(kind));
    let kinds = ["Control", "KillLevel", "Rejected", "Report", "Status", "Wake", "close"];
    assert!(sample.keys().eq(kinds.iter()), "{:?}", sample.keys());
    change_fields(&scene, "event", &sample, lowest_bit, &[]);
}

#[test]
fn every_changed_field_of_what_was_pending_is_found() {
    let scene = Scene::cut_short();
    let places = tamper::records(&scene.dir, "event");
    let mut sample = sample(&places);
    sample.retain(|kind, _| *kind == "pending");
    assert_eq!(sample.len(), 1, "something was under way");
    change_fields(&scene, "event", &sample, lowest_bit, &[]);
}

#[test]
fn every_changed_field_of_a_decision_is_found() {
    let scene = Scene::eventful(&[]);
    let mut kinds = BTreeSet::new();
    for lane in ["alpha", "risk", "gateway"] {
        let places = tamper::records(&scene.dir, lane);
        let sample = sample(&places);
        kinds.extend(sample.keys().copied());
        change_fields(&scene, lane, &sample, lowest_bit, &[]);
        change_fields(&scene, lane, &sample, lowest_bit, &["--decisions-only"]);
    }
    let all = ["approved", "cancel_all", "close", "intent", "rejected", "sent"];
    assert!(kinds.iter().eq(all.iter()), "{kinds:?}");
}

/// Numbers that no run has: beyond every table, below zero, as large as they can be. Without the frames
/// nothing tells that an event is false before the stages meet it.
#[test]
fn numbers_out_of_all_bounds_are_found_and_nothing_panics() {
    let scene = Scene::eventful(&[]);
    for lane in ["event", "alpha", "risk", "gateway"] {
        let places = tamper::records(&scene.dir, lane);
        let change = |field: &mut [u8]| {
            if let Some(last) = field.last_mut() {
                *last ^= 0x80;
            }
        };
        change_fields(&scene, lane, &sample(&places), change, &["--decisions-only"]);
    }
}

/// A record of another kind, or in another order, is as wrong as one with another payload.
#[test]
fn records_of_another_kind_or_order_are_found() {
    let scene = Scene::eventful(&[]);
    for lane in ["event", "alpha", "risk", "gateway"] {
        let places = tamper::records(&scene.dir, lane);
        for (kind, place) in sample(&places) {
            let others = [0, 17, 32, 48, 64, 65, 99].into_iter();
            for other in others.filter(|other| *other != place.kind && kind != "close") {
                place.rewrite_kind(other);
                let what = format!("{lane}, {kind} as {other}");
                let found = scene.found(&what, &[]);
                assert!(!found["text"].as_array().unwrap().is_empty(), "{what}");
                place.rewrite_kind(place.kind);
            }
        }
        let swap = places.windows(2).find(|pair| {
            pair[0].kind == pair[1].kind && pair[0].payload.len() == pair[1].payload.len()
        });
        let [one, other] = swap.unwrap() else { panic!("a window of two has two") };
        one.rewrite(&other.payload);
        other.rewrite(&one.payload);
        scene.found(&format!("{lane}: two in each other's place"), &[]);
        one.rewrite(&one.payload);
        other.rewrite(&other.payload);
    }
    scene.sound();
}

/// What is measured is not what is decided: a stamp may say anything.
#[test]
fn a_changed_stamp_is_no_divergence() {
    let scene = Scene::eventful(&[]);
    for lane in LANES {
        for place in tamper::records(&scene.dir, lane).iter().step_by(97) {
            place.rewrite_stamp(7);
        }
    }
    scene.sound();
    assert_eq!(document("stat", &scene.dir, &[])["damage"], Value::Array(Vec::new()));
}

/// The header of a journal as its text, and what is found when one part of it is another.
fn change_header(scene: &Scene, from: &str, to: &str, more: &[&str]) -> Value {
    assert_eq!(from.len(), to.len(), "the record keeps its length");
    let header = tamper::records(&scene.dir, "event").swap_remove(0);
    let text = String::from_utf8(header.payload.clone()).unwrap();
    assert!(text.contains(from), "{from} stands in {text}");
    header.rewrite(text.replacen(from, to, 1).as_bytes());
    let found = scene.found(&format!("{from} -> {to}"), more);
    header.rewrite(&header.payload);
    found
}

#[test]
fn a_changed_header_is_found_by_its_digest() {
    let scene = Scene::eventful(&[]);
    let header = tamper::records(&scene.dir, "event").swap_remove(0);
    let document: Value = serde_json::from_slice(&header.payload).unwrap();
    let created = word(&document["created"], "ns");
    let later = created.replace(&created[9..11], if &created[9..11] == "11" { "22" } else { "11" });
    for (from, to) in [
        (r"seed = 42\n", r"seed = 43\n"),
        (r#"taker = \"0.0005\""#, r#"taker = \"0.0006\""#),
        (r"rate_symbol = 3\n", r"rate_symbol = 9\n"),
        (r"order_us = 5000\n", r"order_us = 6000\n"),
        (r"bar_s = 5\n", r"bar_s = 6\n"),
        (r"leverage_max = 5\n", r"leverage_max = 9\n"),
        (r"segment_mb = 8\n", r"segment_mb = 9\n"),
        (r#""seed":42"#, r#""seed":41"#),
        (r#""frames":"reference""#, r#""frames":"referents""#),
        (r#"{"format":1"#, r#"{"format":7"#),
        (r#"{"format":1"#, r#"x"format":1"#),
        (created, &later),
    ] {
        for more in [&[][..], &["--decisions-only"]] {
            let found = change_header(&scene, from, to, more);
            let said = found["text"][0].as_str().unwrap();
            assert_eq!(found["lane"], "event", "{from}: {found}");
            assert!(said.contains("the header is not the one that the journal was closed with"));
        }
    }
    scene.sound();
}

/// The same without closing records to seal it: then only what it decides can show.
#[test]
fn a_changed_header_of_an_interrupted_journal_shows_in_what_it_decides() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let small =
        config(folder.path(), "small.toml", "[journal]\nsegment_mb = 1\ndisk_max_mb = 44\n");
    let dir = folder.path().join("j");
    interrupted::stop_early(&capture, &dir, &[&BOTH[..], &["--config", arg(&small)]].concat());
    let scene = Scene { _folder: folder, dir };
    let (stdout, _) = said(&on("verify", &scene.dir, &[]), 0);
    assert!(stdout.contains("verified up to event"), "{stdout}");
    for (from, to) in [
        (r"order_us = 5000\n", r"order_us = 6000\n"),
        (r#"taker = \"0.0005\""#, r#"taker = \"0.0006\""#),
        (r#"order_notional_max = \"2000\""#, r#"order_notional_max = \"0002\""#),
    ] {
        let found = change_header(&scene, from, to, &[]);
        assert!(found["seq"].is_u64(), "{from}: {found}");
    }
}

/// Bytes that are changed without more are damage: a file and a byte, exit 1, never a panic.
#[test]
fn changed_bytes_are_damage_at_a_place() {
    let scene = Scene::eventful(&[]);
    for lane in LANES {
        let places = tamper::records(&scene.dir, lane);
        for place in [&places[1], &places[places.len() / 2], &places[places.len() - 1]] {
            let good = fs::read(&place.file).unwrap();
            let trailer = RECORD_HEAD_BYTES + place.payload.len();
            for at in [0, 4, 8, 12, 13, 15, RECORD_HEAD_BYTES, trailer] {
                let mut bad = good.clone();
                bad[place.offset + at] ^= 0x10;
                fs::write(&place.file, &bad).unwrap();
                assert_damaged(&scene, lane, place, at);
            }
            fs::write(&place.file, &good).unwrap();
        }
    }
    scene.sound();
}

fn assert_damaged(scene: &Scene, lane: &str, place: &Place, at: usize) {
    let what = format!("{lane} at {} + {at}", place.offset);
    let named = format!("{lane}-000001.seg at byte {}: ", place.offset);
    let says = |verb: &str, more: &[&str]| {
        let (stdout, stderr) = said(&on(verb, &scene.dir, more), 1);
        let found = stdout.contains(&named) || stderr.contains(&named);
        assert!(found, "{what}: {verb} says {stdout}{stderr}");
    };
    says("verify", &[]);
    if at == RECORD_HEAD_BYTES {
        says("stat", &[]);
        says("ls", &[]);
        says("cat", &["--kind", "close"]);
        says("tail", &["-f"]);
        says("export", &["--lane", "risk", "--format", "csv"]);
    }
}

/// Where the payload of a record begins.
const RECORD_HEAD_BYTES: usize = 16;

/// The control page may be anything: then a closed journal is named damaged, or it did not matter.
#[test]
fn a_changed_control_page_never_panics() {
    let scene = Scene::cut_short();
    let path = scene.dir.join("control");
    let good = fs::read(&path).unwrap();
    for at in (0..1_700).step_by(13) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        fs::write(&path, &bad).unwrap();
        let output = on("ls", &scene.dir, &[]);
        let stdout = String::from_utf8_lossy(&output.stdout);
        let fine = output.status.code() == Some(0) && stdout.contains("  closed  ");
        let named =
            output.status.code() == Some(1) && stdout.contains("damaged: control at byte 0");
        assert!(fine || named, "byte {at}: {stdout}");
    }
    for bytes in [&good[..100], b"", &[good.clone(), vec![0]].concat()] {
        fs::write(&path, bytes).unwrap();
        let (stdout, _) = said(&on("stat", &scene.dir, &[]), 1);
        assert!(stdout.contains("damaged: control at byte 0"), "{stdout}");
    }
    fs::remove_file(&path).unwrap();
    let (stdout, _) = said(&on("verify", &scene.dir, &[]), 1);
    assert!(stdout.contains("damaged: control at byte 0"), "{stdout}");
    fs::write(&path, good).unwrap();
    scene.sound();
}

/// Segments that are missing, swapped with those of another journal, or cut.
#[test]
fn files_that_are_not_what_they_were_are_named() {
    let (scene, other) = (Scene::cut_short(), Scene::cut_short());
    for lane in LANES {
        let name = format!("{lane}-000001.seg");
        let path = scene.dir.join(&name);
        let good = fs::read(&path).unwrap();
        let named = |what: &str| {
            let (stdout, _) = said(&on("verify", &scene.dir, &[]), 1);
            assert!(stdout.contains(&format!("damaged: {name} at byte ")), "{what}: {stdout}");
        };
        fs::remove_file(&path).unwrap();
        if lane == "event" {
            // Not even a header: nothing can be said of what is left.
            let (_, stderr) = said(&on("verify", &scene.dir, &[]), 2);
            assert!(stderr.contains("no header"), "{stderr}");
        } else {
            named("missing");
        }
        fs::copy(other.dir.join(&name), &path).unwrap();
        let foreign = on("verify", &scene.dir, &[]);
        assert_ne!(foreign.status.code(), Some(101));
        for cut in [good.len() - 8, good.len() / 2, 200] {
            fs::write(&path, &good[..cut]).unwrap();
            if lane != "event" || cut > 20_000 {
                named(&format!("cut at {cut}"));
            }
        }
        fs::write(&path, [&good[..], &[0; 64]].concat()).unwrap();
        fs::write(&path, &good).unwrap();
    }
    scene.sound();
}
