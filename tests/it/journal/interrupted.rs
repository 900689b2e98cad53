//! Killed at any moment, a run leaves a journal that verifies as far as it goes, and that the same run can
//! go on with to the same end.

use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fusewire_core::journal::{ControlPage, Journal, JournalConfig, Opening, RealDisk};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Lane;
use fusewire_tests::Places;

use super::*;

/// Between two looks at a journal at work.
const LOOK: Duration = Duration::from_micros(200);
/// After so many looks something is wrong: a bound against waiting for ever, no measure of time.
const LOOKS_MOST: u32 = 300_000;

/// Waits until something holds, which is asked again and again.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let (_keep, never) = channel::<()>();
    let mut looks = 0;
    while !holds() {
        looks += 1;
        assert!(looks < LOOKS_MOST, "waited for {what}");
        assert_eq!(never.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout));
    }
}

/// How far the last stage of a journal at work is; zero before it has begun.
pub(crate) fn done(dir: &Path) -> u64 {
    let page = ControlPage::read(dir).ok().and_then(Result::ok);
    page.and_then(|page| page.done[Lane::Gateway as usize]).map_or(0, |done| done.seq)
}

/// Starts a run with a journal.
pub(super) fn begin(capture: &Path, dir: &Path, more: &[&str]) -> Child {
    let arguments = ["replay", "--json", arg(capture), "--journal", arg(dir)];
    fusewire_tests::start(&[&arguments[..], more].concat())
}

/// Kills a run once it has come so far; false when it was over before.
fn kill_at(child: &mut Child, dir: &Path, event: u64) -> bool {
    let mut over = false;
    wait_until("the run to come so far", || {
        over = child.try_wait().unwrap().is_some();
        over || done(dir) >= event
    });
    child.kill().unwrap();
    let status = child.wait().unwrap();
    !over && status.code().is_none()
}

/// Leaves the interrupted journal of a run that was killed in the middle.
pub(super) fn stop_early(capture: &Path, dir: &Path, more: &[&str]) {
    let mut child = begin(capture, dir, more);
    assert!(kill_at(&mut child, dir, 3_000), "it was over before it could be killed");
}

/// A capture, and the run over it that nobody interrupts.
struct Whole {
    folder: TempDir,
    capture: PathBuf,
    dir: PathBuf,
    options: Vec<String>,
    report: Value,
}

impl Whole {
    fn new(more: &[&str]) -> Self {
        let folder = scratch();
        let capture = synth(folder.path(), "burst", "3");
        let text = "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n";
        let small = config(folder.path(), "small.toml", text);
        let options = [&BOTH[..], &["--config", arg(&small)], more].concat();
        let dir = folder.path().join("whole");
        let report = record(&capture, &dir, &options);
        let options = options.into_iter().map(str::to_owned).collect();
        Self { folder, capture, dir, options, report }
    }

    fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.options.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    /// Leaves a journal that was killed somewhere in its first two thirds.
    fn interrupted(&self, name: &str, places: &mut Places) -> PathBuf {
        let dir = self.folder.path().join(name);
        let event = 1 + places.below(number(&self.report, "events_total") * 2 / 3);
        let mut child = begin(&self.capture, &dir, &self.with(&[]));
        assert!(kill_at(&mut child, &dir, event), "{name} was over before event {event}");
        assert!(verified_up_to(&dir) >= event, "{name}: everything before {event} is there");
        dir
    }

    /// Goes on with an interrupted journal: it ends as the run that nobody interrupted.
    fn resume(&self, dir: &Path) {
        let report = record(&self.capture, dir, &self.with(&["--resume"]));
        assert_eq!(report["digest"], self.report["digest"]);
        let (shown, _) = said(&on("diff", &self.dir, &[arg(dir)]), 0);
        assert!(shown.ends_with("the same records\n"), "{shown}");
        let listed = document("ls", dir, &[]);
        assert_eq!(listed[0]["state"], "closed");
        assert_eq!(listed[0]["digest"], self.report["digest"]["all"]);
    }
}

/// Verifies an interrupted journal: it is sound, and says how far it goes.
fn verified_up_to(dir: &Path) -> u64 {
    let found = document("verify", dir, &[]);
    assert_eq!((&found["same"], &found["state"]), (&true.into(), &"interrupted".into()));
    assert_eq!(found["events"], found["cut"]);
    let cut = number(&found, "cut");
    let shown = text("verify", dir, &[]);
    assert!(shown.ends_with(&format!("the journal is interrupted: verified up to event {cut}\n")));
    cut
}

#[test]
fn ten_killed_runs_go_on_to_the_same_end() {
    let whole = Whole::new(&[]);
    let mut places = Places(0x2545_F491_4F6C_DD1D);
    for round in 0..10 {
        let dir = whole.interrupted(&round.to_string(), &mut places);
        whole.resume(&dir);
    }
}

#[test]
fn ten_killed_runs_are_recovered_and_stay_what_they_were() {
    let whole = Whole::new(&["--raise", "2@100"]);
    let mut places = Places(0x9E37_79B9_7F4A_7C15);
    for round in 0..10 {
        let dir = whole.interrupted(&round.to_string(), &mut places);
        let before = (verified_up_to(&dir), rows_of_prefix(&dir));
        let recovered = document("recover", &dir, &[]);
        assert_eq!((&recovered["complete"], &recovered["damage"]), (&false.into(), &empty()));
        assert_eq!(number(&recovered, "cut"), before.0);
        assert_eq!((verified_up_to(&dir), rows_of_prefix(&dir)), before);
        // Once more: there is nothing left to cut.
        let again = document("recover", &dir, &[]);
        assert_eq!((&again["cut"], &again["orphans"]), (&recovered["cut"], &0.into()));
        assert!(again["removed"].as_object().unwrap().values().all(|count| count == 0));
        whole.resume(&dir);
    }
    let complete = document("recover", &whole.dir, &[]);
    assert_eq!(complete["complete"], true);
}

fn empty() -> Value {
    Value::Array(Vec::new())
}

/// The decisions of a journal as lines.
fn rows_of_prefix(dir: &Path) -> String {
    text("cat", dir, &["--json", "--stage", "alpha,risk,gateway"])
}

#[test]
fn runs_that_are_killed_again_and_again_come_to_the_same_end() {
    let whole = Whole::new(&["--journal-frames", "copy"]);
    let mut places = Places(0xD1B5_4A32_D192_ED03);
    let mut kills = 0;
    for round in 0..4 {
        let dir = whole.interrupted(&round.to_string(), &mut places);
        for _ in 0..2 {
            // While it repeats what is there, the page says what it said: only what is new moves it.
            let last = done(&dir);
            let left = (number(&whole.report, "events_total") * 4 / 5).saturating_sub(last);
            if left == 0 {
                // On a busy machine the signal came late: what is left is too short to be hit again.
                break;
            }
            kills += 1;
            let event = last + 1 + places.below(left);
            let mut child = begin(&whole.capture, &dir, &whole.with(&["--resume"]));
            assert!(kill_at(&mut child, &dir, event), "it was over before event {event}");
            assert!(verified_up_to(&dir) >= event);
        }
        whole.resume(&dir);
        assert_wall_time(&dir);
    }
    assert!(kills > 1, "too few runs were killed again");
}

/// The clock of each process begins anew: what all of them took is the sum.
fn assert_wall_time(dir: &Path) {
    let of_lane = |lane: &&str| {
        let rows = rows(&text("cat", dir, &["--json", "--stage", lane]));
        let mut stamps: Vec<u64> = rows.iter().map(|row| number(row, "stamp_ns")).collect();
        // Of a stage that has taken no message yet.
        stamps.retain(|stamp| *stamp > 0);
        let processes = stamps.chunk_by(|one, other| one <= other);
        let taken = processes.map(|of_one| of_one[of_one.len() - 1] - of_one[0]);
        taken.sum::<u64>()
    };
    let longest = LANES.iter().map(of_lane).max().unwrap();
    let seconds = document("stat", dir, &[])["wall_s"].as_f64().unwrap();
    assert!((seconds - longest as f64 / 1e9).abs() < 1e-6, "{seconds} s, {longest} ns");
}

#[test]
fn only_the_same_run_goes_on() {
    let whole = Whole::new(&[]);
    let dir = whole.interrupted("j", &mut Places(7));
    let before = contents(&dir);
    let capture = arg(&whole.capture);
    let resume = |capture: &str, more: &[&str]| {
        let arguments = ["replay", capture, "--journal", arg(&dir), "--resume"];
        fusewire(&[&arguments[..], &whole.with(more)].concat())
    };
    refused(&resume(capture, &["--seed", "43"]), &["another run", "seed: 42 | 43"]);
    refused(&resume(capture, &["--journal-frames", "copy"]), &["--journal-frames"]);
    let other = config(
        whole.folder.path(),
        "other.toml",
        "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n[fees]\ntaker = \"0.0006\"\n",
    );
    let arguments = ["replay", capture, "--journal", arg(&dir), "--resume"];
    let with_other = [&arguments[..], &BOTH, &["--config", arg(&other)]].concat();
    refused(&fusewire(&with_other), &["another run", "fees.taker: 0.0005 | 0.0006"]);
    let small = arg(&whole.folder.path().join("small.toml")).to_owned();
    let taker = [&arguments[..], &["--strategy", "taker", "--config", &small]].concat();
    refused(
        &fusewire(&taker),
        &["another run", "strategies: [\"quoter\",\"taker\"] | [\"taker\"]"],
    );
    let elsewhere = synth(whole.folder.path(), "calm", "1");
    let (_, stderr) = said(&resume(arg(&elsewhere), &[]), 2);
    assert!(stderr.contains("another run") && stderr.contains("sources[0].blake3"), "{stderr}");
    // A capture that was renamed is the same capture; nothing of the journal was touched meanwhile.
    assert_eq!(contents(&dir), before);
    let renamed = whole.capture.with_file_name("usdm_renamed.ns");
    fs::rename(&whole.capture, &renamed).unwrap();
    let report = record(&renamed, &dir, &whole.with(&["--resume"]));
    assert_eq!(report["digest"], whole.report["digest"]);
}

/// Names and bytes of all files of a folder but the lock's, which says who held it last.
pub(super) fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        (path.file_name().unwrap().to_str().unwrap().to_owned(), bytes)
    };
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(entry).collect();
    files.retain(|(name, _)| name != "LOCK");
    files.sort();
    files
}

#[test]
fn there_is_nothing_to_go_on_with() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let resume =
        |dir: &Path| fusewire(&["replay", arg(&capture), "--journal", arg(dir), "--resume"]);
    let whole = folder.path().join("whole");
    record(&capture, &whole, &[]);
    let before = contents(&whole);
    refused(&resume(&whole), &["this journal is complete"]);
    assert_eq!(contents(&whole), before);
    let none = folder.path().join("none");
    refused(&resume(&none), &["there is no journal here"]);
    assert!(!none.exists());
    fs::create_dir(&none).unwrap();
    refused(&resume(&none), &["there is no journal here"]);
    assert_eq!(contents(&none), []);
    for verb in ["stat", "cat", "tail", "verify", "recover", "ls"] {
        refused(&on(verb, &none, &[]), &["there is no journal here"]);
        refused(&on(verb, &folder.path().join("nowhere"), &[]), &["nowhere"]);
    }
    assert_eq!(contents(&none), []);
}

/// A run that died before it could say what it is: any run may go on with it.
#[test]
fn a_journal_without_a_header_can_be_gone_on_with() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let dir = folder.path().join("j");
    let config = JournalConfig::default();
    let (dir_of, disk, kill) = (dir.as_path(), Box::new(RealDisk), KillSwitch::new());
    let opening = Opening { dir: dir_of, config: &config, session: 7, disk, kill };
    drop(Journal::create(opening).unwrap());
    let listed = document("ls", &dir, &[]);
    assert_eq!((&listed[0]["state"], &listed[0]["damage"]), (&"interrupted".into(), &empty()));
    refused(&on("verify", &dir, &[]), &["the journal has no header"]);
    let report = record(&capture, &dir, &["--resume"]);
    let plain = json(&["replay", "--json", arg(&capture)]);
    assert_eq!(report["digest"], plain["digest"]);
    assert_eq!(document("verify", &dir, &[])["same"], true);
}

#[test]
fn a_journal_begins_where_nothing_is() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let begin = |dir: &Path| fusewire(&["replay", arg(&capture), "--journal", arg(dir)]);
    let whole = folder.path().join("whole");
    record(&capture, &whole, &[]);
    let before = contents(&whole);
    refused(&begin(&whole), &["holds a journal already", "--resume"]);
    assert_eq!(contents(&whole), before);
    let used = folder.path().join("used");
    fs::create_dir(&used).unwrap();
    fs::write(used.join("notes.txt"), "mine").unwrap();
    refused(&begin(&used), &["holds other files", "used"]);
    assert_eq!(contents(&used), [("notes.txt".to_owned(), b"mine".to_vec())]);
    // A file in its place, a folder that can not be.
    let file = used.join("notes.txt");
    refused(&begin(&file), &["notes.txt"]);
    refused(&begin(&file.join("j")), &["notes.txt"]);
    refused(&begin(Path::new("/proc/j")), &["/proc/j"]);
    assert_eq!(contents(&used), [("notes.txt".to_owned(), b"mine".to_vec())]);
    // Folders on the way are made.
    record(&capture, &folder.path().join("a/b/c"), &[]);
}

#[test]
fn a_folder_that_may_not_be_written_is_a_line() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        let test = "a_folder_that_may_not_be_written_is_a_line";
        fusewire_tests::say_loudly(&format!("SKIPPED {test}: this user may write everywhere"));
        return;
    }
    for dir in [closed.clone(), closed.join("j")] {
        let output = fusewire(&["replay", arg(&capture), "--journal", arg(&dir)]);
        refused(&output, &["closed", "denied"]);
    }
    assert_eq!(contents(&closed), []);
}

#[test]
fn only_one_process_writes_a_journal() {
    let whole = Whole::new(&[]);
    let dir = whole.folder.path().join("j");
    let mut child = begin(&whole.capture, &dir, &whole.with(&[]));
    wait_until("the run to begin", || done(&dir) > 0);
    // Stopped, so that it is at work for as long as this test looks.
    signal(&child, "-STOP");
    let arguments = ["replay", arg(&whole.capture), "--journal", arg(&dir)];
    refused(&fusewire(&[&arguments[..], &whole.with(&[])].concat()), &["holds a journal already"]);
    let busy = ["another process writes this journal", "process "];
    refused(&fusewire(&[&arguments[..], &whole.with(&["--resume"])].concat()), &busy);
    refused(&on("recover", &dir, &[]), &busy);
    assert_eq!(document("ls", &dir, &[])[0]["state"], "open");
    let shown = text("verify", &dir, &[]);
    assert!(shown.contains("the journal is open: verified up to event "), "{shown}");
    signal(&child, "-CONT");
    let output = child.wait().unwrap();
    assert!(output.success(), "nobody got in its way");
    let (shown, _) = said(&on("diff", &whole.dir, &[arg(&dir)]), 0);
    assert!(shown.ends_with("the same records\n"), "{shown}");
}

/// Sends a signal to a process of this test.
pub(crate) fn signal(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args([signal, &id]).status().unwrap();
    assert!(sent.success());
}
