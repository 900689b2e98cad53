//! A writing process that is killed: it loses nothing that it published.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::rig::*;
use super::*;

/// Says to the test binary that it is the child, and where to write.
const FOLDER: &str = "FUSEWIRE_JOURNAL_CHILD";
/// The test that is the child.
const CHILD: &str = "journal::tests::kill::the_child_writes_until_it_is_killed";
/// More events than a child comes to write.
const EVENTS: u64 = 1_000_000;

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 32_768,
        feed_segment_bytes: 32_768,
        sync_every: Duration::from_millis(3),
        ..rig::config()
    }
}

#[test]
fn the_child_writes_until_it_is_killed() {
    // Without a folder this is no child, and there is nothing to do.
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let (dir, config) = (Path::new(&dir), config());
    let opening = |session| Opening { disk: Box::new(RealDisk), ..opening(dir, &config, session) };
    let session = u64::from(std::process::id());
    let begun = match Journal::create(opening(session)) {
        Err(JournalError::Exists { .. }) => Journal::resume(opening(session)),
        begun => begun,
    };
    let (journal, mut lanes) = begun.unwrap();
    let mut told = std::io::stdout().lock();
    lanes[Lane::Event as usize].append_waiting(RecordKind::Header as u8, &[b"{}"], 7).unwrap();
    for seq in 1..EVENTS {
        write(&mut lanes, journal.watch(), seq).unwrap();
        // Only a whole line counts.
        writeln!(told, "\n@{seq}").unwrap();
    }
}

/// When a child is killed.
#[derive(Debug)]
struct Moment {
    /// Counted from its first word and not from its start.
    from_first_word: bool,
    after: Duration,
}

/// Runs a child for so long; returns the last event that it told of.
fn run_and_kill(dir: &Path, moment: &Moment) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pipe = BufReader::new(child.stdout.take().unwrap());
    let (words, told) = channel();
    let reader = std::thread::spawn(move || {
        let number = |line: std::io::Result<String>| line.ok()?.strip_prefix('@')?.parse().ok();
        let mut last = 0_u64;
        for seq in pipe.lines().filter_map(number) {
            if last == 0 {
                let _ = words.send(());
            }
            last = seq;
        }
        last
    });
    if moment.from_first_word {
        told.recv().unwrap();
    }
    // Nothing more comes before the child is dead: this waits.
    while told.recv_timeout(moment.after).is_ok() {}
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "the child ended by itself: {status}");
    reader.join().unwrap()
}

/// Nothing is damaged, and everything up to the last event that was told is there.
fn look(dir: &Path, told: u64, what: &str) -> u64 {
    let view = match View::open(dir) {
        Err(JournalError::NoJournal { .. }) if told == 0 => return 0,
        view => view.unwrap(),
    };
    assert_eq!((view.state, &view.damage[..]), (State::Interrupted, &[][..]), "{what}");
    assert!(view.cut >= told, "{what}: cut at {}, {told} was told", view.cut);
    for lane in Lane::ALL {
        let held = held(&view, lane);
        // Frames beyond the cut are input, and stay.
        let upto = if lane == Lane::Feed { held.len() as u64 } else { view.cut };
        let mut should = expected(lane, upto);
        if view.cut == 0 && held.is_empty() {
            should.clear();
        }
        assert!(held == should, "{what}: {}", lane.name());
    }
    view.cut
}

#[test]
fn no_published_record_is_lost_when_the_writer_is_killed() {
    let mut random = Random::new(3);
    let (rounds, mut written, mut resumed) = (if is_long() { 3_000 } else { 300 }, 0, 0);
    let mut round = 0;
    while round < rounds {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let (mut lives, mut before) = (1 + random.below(4) / 3 * 2, 0);
        while lives > 0 {
            let after = Duration::from_micros(random.below(20_000));
            let moment = Moment { from_first_word: random.below(4) > 0, after };
            let told = run_and_kill(&dir, &moment);
            let what = format!("round {round}, killed {moment:?}");
            let cut = look(&dir, told.max(before), &what);
            (written, resumed) =
                (written + u64::from(cut > before), resumed + u64::from(before > 0));
            (before, lives, round) = (cut, lives - 1, round + 1);
        }
    }
    println!("{rounds} kills, {written} wrote events, {resumed} went on after a kill");
    assert!(written > rounds / 2 && resumed > rounds / 20, "{written} {resumed} of {rounds}");
}
