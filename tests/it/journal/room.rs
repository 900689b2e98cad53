//! No room left: by the disk, by the configuration, and with the oldest segments dropped.

use std::process::Command;

use super::*;

/// Bytes beside the segments: control page, lock, count arrays of latencies.
const BESIDE: usize = 8_192 + (128 << 10);

/// A small file system of the test's own, gone with it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None, and a loud word, where this user may not mount.
    fn mount(test: &str, folder: &Path, size: &str) -> Option<Self> {
        let path = folder.join("disk");
        fs::create_dir(&path).unwrap();
        let size = format!("size={size}");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        fusewire_tests::say_loudly(&format!(
            "SKIPPED {test}: this user may not mount a small disk"
        ));
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays is only untidy, and the test has failed already.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Small segments, and a bound that the run passes.
fn bounded(folder: &Path, retention: &str) -> PathBuf {
    let text = format!(
        "[journal]\nsegment_mb = 1\ndisk_max_mb = 12\nretention = \"{retention}\"\n\
         [capture]\nline_bytes_max = 65_536\n"
    );
    config(folder, "bounded.toml", &text)
}

/// What is there after a run that had to stop verifies, and says how far.
fn what_is_there_verifies(dir: &Path) -> u64 {
    let found = document("verify", dir, &[]);
    assert_eq!((&found["same"], &found["state"]), (&true.into(), &"interrupted".into()));
    let cut = number(&found, "cut");
    assert!(cut > 1_000, "{found}");
    assert_eq!(number(&found, "events"), cut);
    assert!(text("verify", dir, &["--decisions-only"]).contains(&format!("up to event {cut}\n")));
    cut
}

#[test]
fn a_full_disk_ends_the_run_with_a_line_and_what_is_there_verifies() {
    let folder = scratch();
    let test = "a_full_disk_ends_the_run_with_a_line_and_what_is_there_verifies";
    let Some(disk) = SmallDisk::mount(test, folder.path(), "14m") else { return };
    let capture = synth(folder.path(), "burst", "5");
    let text = "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n";
    let small = config(folder.path(), "small.toml", text);
    let dir = disk.0.join("j");
    let options = [&BOTH[..], &["--config", arg(&small)]].concat();
    let arguments = ["replay", arg(&capture), "--journal", arg(&dir)];
    let output = fusewire(&[&arguments[..], &options].concat());
    refused(&output, &["the journal can not go on", "/disk/j/", ".seg: No space left"]);
    let cut = what_is_there_verifies(&dir);
    // With more room the same run goes on from there.
    let more = ["-o", "remount,size=64m", arg(&disk.0)];
    assert!(Command::new("mount").args(more).status().unwrap().success());
    let report = record(&capture, &dir, &[&options[..], &["--resume"]].concat());
    assert!(number(&report, "events_total") > cut);
    let plain = json(&[&["replay", "--json", arg(&capture)], &options[..]].concat());
    assert_eq!(report["digest"], plain["digest"]);
    assert_eq!(document("verify", &dir, &[])["same"], true);
}

/// No room for even the first segments: nothing is left of the journal that never began.
#[test]
fn a_disk_that_is_full_from_the_start_is_a_line() {
    let folder = scratch();
    let test = "a_disk_that_is_full_from_the_start_is_a_line";
    let Some(disk) = SmallDisk::mount(test, folder.path(), "2m") else { return };
    let capture = synth(folder.path(), "calm", "1");
    let dir = disk.0.join("j");
    let output = fusewire(&["replay", arg(&capture), "--journal", arg(&dir)]);
    refused(&output, &["/disk/j/", "No space left"]);
    assert_eq!(interrupted::contents(&dir), []);
    refused(&on("verify", &dir, &[]), &["there is no journal here"]);
}

#[test]
fn the_bound_of_the_configuration_ends_the_run_with_a_line() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "5");
    let bounded = bounded(folder.path(), "stop");
    let dir = folder.path().join("j");
    let options = [&BOTH[..], &["--config", arg(&bounded)]].concat();
    let arguments = ["replay", arg(&capture), "--journal", arg(&dir)];
    let output = fusewire(&[&arguments[..], &options].concat());
    refused(&output, &["the journal can not go on", ".seg", "journal.disk_max_mb", "12582912"]);
    what_is_there_verifies(&dir);
    let bytes: usize = interrupted::contents(&dir).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= (12 << 20) + BESIDE, "{bytes}");
}

#[test]
fn the_oldest_segments_go_when_they_may_and_the_rest_can_be_read() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "5");
    let bounded = bounded(folder.path(), "drop-oldest");
    let dir = folder.path().join("j");
    let options = [&BOTH[..], &["--config", arg(&bounded)]].concat();
    let report = record(&capture, &dir, &options);
    let plain = json(&[&["replay", "--json", arg(&capture)], &BOTH[..]].concat());
    assert_eq!(report["digest"], plain["digest"]);
    let bytes: usize = interrupted::contents(&dir).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= (12 << 20) + BESIDE, "{bytes}");

    let listed = document("ls", &dir, &[]);
    assert_eq!(
        (&listed[0]["state"], &listed[0]["damage"]),
        (&"closed".into(), &serde_json::json!([]))
    );
    assert_eq!(listed[0]["digest"], plain["digest"]["all"]);
    assert_eq!(
        (&listed[0]["created"], &listed[0]["strategies"]),
        (&Value::Null, &serde_json::json!([]))
    );
    let stat = document("stat", &dir, &[]);
    let shown = text("cat", &dir, &["--stage", "event"]);
    assert_eq!(number(&stat["lanes"]["event"], "records"), shown.lines().count() as u64);
    let each = stat["lanes"]["event"]["bytes_per_record"].as_f64().unwrap();
    assert!((50.0..200.0).contains(&each), "{stat}");
    assert!(text("stat", &dir, &[]).contains("handled up to event"));

    let rows = rows(&text("cat", &dir, &["--json"]));
    let events: Vec<u64> =
        rows.iter().filter(|row| row["record"] == "event").map(|row| number(row, "seq")).collect();
    assert!(events[0] > 1 && *events.last().unwrap() == number(&report, "events_total"));
    assert!(events.windows(2).all(|pair| pair[1] == pair[0] + 1), "no hole");
    let csv = text("export", &dir, &["--lane", "gateway", "--format", "csv"]);
    assert_eq!(csv.lines().count() as u64, number(&stat["lanes"]["gateway"], "records"));
    for verb in [&["tail"][..], &["tail", "-f"]] {
        assert_eq!(text(verb[0], &dir, &verb[1..]).lines().count(), 10);
    }
    for more in [&[][..], &["--decisions-only"]] {
        refused(&on("verify", &dir, more), &["retention dropped the beginning"]);
    }
    refused(&on("diff", &dir, &[arg(&dir)]), &["retention dropped the beginning"]);
}

/// Segments that can not hold what one event may give rise to are refused before anything is made.
#[test]
fn segments_that_are_too_small_are_a_line_and_no_folder() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let text = "[journal]\nsegment_mb = 1\n[risk]\nhalt_max = 20_000\n";
    let small = config(folder.path(), "small.toml", text);
    let dir = folder.path().join("j");
    let arguments = ["replay", arg(&capture), "--journal", arg(&dir), "--config", arg(&small)];
    refused(&fusewire(&arguments), &["too small for lane risk"]);
    assert!(!dir.exists());
}
