//! A journal that is being written is followed to its end.

use fusewire_core::journal::View;
use fusewire_core::lane::Lane;
use fusewire_tests::start;

use super::*;
use crate::journal::interrupted::signal;

/// Starts a run into another folder, and waits until its journal has a header.
fn write(recorded: &Recorded, dir: &Path) -> Child {
    let child = start(&recorded.replay(dir));
    let begun = || View::open(dir).is_ok_and(|view| view.lane(Lane::Event).records > 0);
    wait_until("the header", begun);
    child
}

#[test]
fn a_follower_that_is_killed_now_and_then_ends_with_the_run_and_has_each_row_once() {
    let recorded = Recorded::new("3");
    let dir = recorded.path("live");
    let mut writer = write(&recorded, &dir);
    let [followed, whole] = ["followed.sqlite", "whole.sqlite"].map(|name| recorded.file(name));
    let mut places = Places(4_711);
    for _ in 0..4 {
        let mut child = followed.start(&dir, &["--follow", "--batch", "16"]);
        let wanted = followed.seq() + 1 + places.below(5_000);
        wait_until("the follower to come so far", || {
            child.try_wait().unwrap().is_some() || followed.seq() >= wanted
        });
        child.kill().unwrap();
        child.wait().unwrap();
        followed.is_whole();
    }
    let report = followed.synced(&dir, &["--follow"]);
    assert_eq!(report["state"], "closed");
    writer.wait().unwrap();
    whole.synced(&dir, &[]);
    assert_same(&followed, &whole);
}

#[test]
fn a_follower_ends_in_order_when_it_is_asked_to_or_the_writer_is_gone() {
    let recorded = Recorded::new("3");
    let dir = recorded.path("live");
    let mut writer = write(&recorded, &dir);
    signal(&writer, "-STOP");
    let [followed, whole] = ["followed.sqlite", "whole.sqlite"].map(|name| recorded.file(name));
    let follower = followed.start(&dir, &["--follow"]);
    // It makes the file once it listens to signals.
    wait_until("the store", || followed.query("select * from progress").is_some());
    signal(&follower, "-TERM");
    let (stdout, stderr) = said(&follower.wait_with_output().unwrap(), 0);
    assert_eq!(stderr, "");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["state"], "open");
    assert_eq!(report["seq"], followed.seq());
    followed.is_whole();
    let follower = followed.start(&dir, &["--follow"]);
    signal(&writer, "-KILL");
    writer.wait().unwrap();
    let (_, stderr) = said(&follower.wait_with_output().unwrap(), 1);
    assert!(stderr.contains("the writer ended without closing the journal"), "{stderr}");
    whole.synced(&dir, &[]);
    assert_same(&followed, &whole);
}
