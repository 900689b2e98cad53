//! Gateway records beyond the cut are set aside by a recovery, and can be looked at.

use std::path::Path;

use fusewire_core::journal::{Journal, JournalConfig, Opening, RealDisk, View};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Lane;
use fusewire_tests::{fusewire, json};

/// The first records of a lane: kinds and payloads.
fn first(dir: &Path, lane: Lane, count: usize) -> Vec<(u8, Vec<u8>)> {
    let view = View::open(dir).unwrap();
    let mut reader = view.reader(lane);
    let mut records = Vec::new();
    while records.len() < count {
        let record = reader.next().unwrap().unwrap();
        records.push((record.kind, record.payload.to_vec()));
    }
    records
}

/// A journal whose gateway has sent for an event that it never finished.
fn interrupted(from: &Path, dir: &Path) {
    let config = JournalConfig::default();
    let (disk, kill) = (Box::new(RealDisk), KillSwitch::new());
    let opening = Opening { dir, config: &config, session: 7, disk, kill };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    // The header, 91 events, and the frames that they name.
    for (lane, count) in [(Lane::Feed, 200), (Lane::Event, 92)] {
        for (kind, payload) in first(from, lane, count) {
            lanes[lane as usize].append_waiting(kind, &[&payload], 1).unwrap();
        }
    }
    lanes[Lane::Feed as usize].done(200);
    let (kind, sent) = first(from, Lane::Gateway, 1).remove(0);
    lanes[Lane::Gateway as usize].append(kind, &[&sent], 1);
    for lane in [Lane::Event, Lane::Alpha, Lane::Risk] {
        lanes[lane as usize].done(91);
    }
    lanes[Lane::Gateway as usize].done(90);
    drop((journal, lanes));
}

#[test]
fn what_may_be_on_the_wire_is_set_aside_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (from, dir) = (path("from"), path("cut"));
    json(&["replay", "--json", "--journal", from.to_str().unwrap()]);
    let (_, sent) = first(&from, Lane::Gateway, 1).remove(0);
    assert_eq!(sent[..8], 91_u64.to_le_bytes(), "the sample's first order is of event 91");
    interrupted(&from, &dir);
    let dir = dir.to_str().unwrap();
    let recovered = json(&["journal", "recover", dir, "--json"]);
    assert_eq!((&recovered["cut"], &recovered["orphans"]), (&90.into(), &1.into()));
    let shown = fusewire(&["journal", "cat", dir, "--orphans"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("91 gateway sent 1-0-1 quoter"), "{shown}");
    assert_eq!(shown.lines().count(), 1);
    let none = fusewire(&["journal", "cat", from.to_str().unwrap(), "--orphans"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(0), 0));
    let gateway = json(&["journal", "stat", dir, "--json"]);
    assert_eq!(gateway["lanes"]["gateway"]["records"], 0, "the lane itself does not hold it");
}
