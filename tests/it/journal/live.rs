//! A journal read by other processes while it is written at full speed.

use std::io::Read;
use std::process::{Child, Output};
use std::thread::JoinHandle;

use fusewire_core::journal::View;
use fusewire_core::lane::Lane;

use super::interrupted::{begin, done, signal, wait_until};
use super::*;

/// A process whose output is read as it comes.
struct Reading {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Reading {
    fn start(verb: &str, dir: &Path, more: &[&str]) -> Self {
        let mut child = fusewire_tests::start(&[&["journal", verb, arg(dir)], more].concat());
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for its end: exit code and both outputs.
    fn end(mut self) -> (Option<i32>, String, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.stdout.join().unwrap(), self.stderr.join().unwrap())
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// Waits until the first record is there: the header.
fn wait_for_header(dir: &Path) {
    let has_header = || View::open(dir).is_ok_and(|view| view.lane(Lane::Event).records > 0);
    wait_until("the header", has_header);
}

/// A run with a journal at full speed, in small segments.
fn write(folder: &Path, minutes: &str, more: &[&str]) -> (Child, PathBuf) {
    let capture = synth(folder, "burst", minutes);
    let text = "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n";
    let small = config(folder, "small.toml", text);
    let dir = folder.join("j");
    let child = begin(&capture, &dir, &[&BOTH[..], &["--config", arg(&small)], more].concat());
    (child, dir)
}

fn ended(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    said(&output, 0);
    output
}

#[test]
fn a_tail_prints_every_record_once_and_in_order_and_ends_with_the_run() {
    let folder = scratch();
    let (writer, dir) = write(folder.path(), "5", &["--raise", "3@280"]);
    wait_for_header(&dir);
    let follow = ["-f", "--lines", "all"];
    let all = Reading::start("tail", &dir, &[&follow[..], &["--json"]].concat());
    let filters: [&[&str]; 3] = [
        &["--stage", "alpha,risk,gateway", "--json"],
        &["--kind", "Report,close", "--strategy", "taker"],
        &["--symbol", "ETHUSDT", "--kind", "intent,sent,pending"],
    ];
    let filtered = filters
        .map(|filter| (filter, Reading::start("tail", &dir, &[&follow[..], filter].concat())));
    let last = Reading::start("tail", &dir, &["-f", "--stage", "event,risk"]);
    assert_eq!(ended(writer).stderr, b"");
    let (code, followed, stderr) = all.end();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let whole = text("cat", &dir, &["--json"]);
    assert!(followed == whole, "{}", first_difference(&followed, &whole));
    assert!(whole.lines().count() > 150_000);
    for (filter, reading) in filtered {
        let (code, followed, _) = reading.end();
        assert_eq!(code, Some(0), "{filter:?}");
        let whole = text("cat", &dir, filter);
        assert!(followed == whole, "{filter:?}: {}", first_difference(&followed, &whole));
    }
    let (code, followed, _) = last.end();
    let whole = text("cat", &dir, &["--stage", "event,risk"]);
    assert_eq!(code, Some(0));
    assert!(whole.ends_with(&followed) && followed.lines().count() >= 10);
}

fn first_difference(one: &str, other: &str) -> String {
    let mut pairs = one.lines().zip(other.lines()).enumerate();
    let counts = format!("{} and {} lines", one.lines().count(), other.lines().count());
    match pairs.find(|(_, (one, other))| one != other) {
        Some((index, (one, other))) => format!("line {}: {one}\n{other}\n{counts}", index + 1),
        None => counts,
    }
}

#[test]
fn a_tail_of_a_closed_journal_is_its_end() {
    let folder = scratch();
    let (writer, dir) = write(folder.path(), "1", &[]);
    ended(writer);
    let lines = text("cat", &dir, &[]);
    let lines: Vec<&str> = lines.lines().collect();
    for (count, options) in [(10, &[][..]), (3, &["-n", "3"]), (0, &["-n", "0"])] {
        let expected = lines[lines.len() - count..].join("\n");
        for follow in [&[][..], &["-f"]] {
            let shown = text("tail", &dir, &[options, follow].concat());
            assert_eq!(shown.trim_end_matches('\n'), expected, "{options:?} {follow:?}");
        }
    }
    for follow in [&["--lines", "all"][..], &["-f", "--lines", "all"], &["-n", "99999999"]] {
        assert_eq!(text("tail", &dir, follow).lines().count(), lines.len(), "{follow:?}");
    }
    let (_, stderr) = said(&on("tail", &dir, &["-n", "few"]), 2);
    assert!(stderr.contains("few"), "{stderr}");
}

#[test]
fn a_tail_whose_writer_is_killed_says_so() {
    let folder = scratch();
    let (mut writer, dir) = write(folder.path(), "5", &[]);
    wait_for_header(&dir);
    let tail = Reading::start("tail", &dir, &["-f", "--lines", "all", "--json"]);
    wait_until("some events", || done(&dir) > 20_000);
    writer.kill().unwrap();
    writer.wait().unwrap();
    let (code, followed, stderr) = tail.end();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("the writer ended without closing the journal"), "{stderr}");
    let there = text("cat", &dir, &["--json"]);
    assert!(there.starts_with(&followed), "{}", first_difference(&followed, &there));
    let events = |text: &str| text.matches("\"record\":\"event\"").count();
    assert_eq!(events(&followed), events(&there), "every event that was handled was shown");
    assert!(events(&followed) > 20_000);
}

/// What a writer holds open is neither damaged nor interrupted, whoever looks and whenever.
#[test]
fn every_verb_works_while_the_writer_is_at_work() {
    let folder = scratch();
    let (mut writer, dir) = write(folder.path(), "5", &["--journal-frames", "copy"]);
    wait_for_header(&dir);
    let verbs: [&[&str]; 7] = [
        &["ls", "--json"],
        &["stat", "--json"],
        &["cat", "--json", "--stage", "event,alpha,risk,gateway"],
        &["tail", "-n", "5"],
        &["verify", "--json"],
        &["verify", "--decisions-only"],
        &["export", "--lane", "report", "--format", "csv"],
    ];
    let mut looks: Vec<(&[&str], String)> = Vec::new();
    for verb in verbs.into_iter().cycle() {
        if writer.try_wait().unwrap().is_some() && looks.len() >= verbs.len() {
            break;
        }
        // Now and then it stands still in the middle of whatever it does.
        if looks.len() % 3 == 1 && writer.try_wait().unwrap().is_none() {
            signal(&writer, "-STOP");
        }
        let (stdout, stderr) = said(&on(verb[0], &dir, &verb[1..]), 0);
        signal_if_running(&mut writer, "-CONT");
        assert_eq!(stderr, "", "{verb:?}");
        assert!(!stdout.contains("damaged"), "{verb:?}: {stdout}");
        looks.push((verb, stdout));
    }
    ended(writer);
    let whole = text("cat", &dir, &["--json", "--stage", "event,alpha,risk,gateway"]);
    let mut open = 0;
    for (verb, stdout) in looks {
        match verb {
            ["cat", ..] => {
                assert!(whole.starts_with(&stdout), "{}", first_difference(&stdout, &whole))
            }
            ["ls", ..] => open += usize::from(stdout.contains("\"open\"")),
            _ => {}
        }
    }
    assert!(open > 0, "it was looked at while it was at work");
}

fn signal_if_running(child: &mut Child, name: &str) {
    if child.try_wait().unwrap().is_none() {
        signal(child, name);
    }
}
