//! A disk that says no.

use std::fs::{self, File};
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;

use super::rig::*;
use super::*;
use crate::kill::Level;

/// What the journal asks of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Create,
    Sync,
    SyncFolder,
    Cut,
    Remove,
}

const CALLS: [Call; 5] = [Call::Create, Call::Sync, Call::SyncFolder, Call::Cut, Call::Remove];
const ERRORS: [Errno; 5] = [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO, Errno::NOENT];

/// A disk whose n-th call of a kind fails, and from then on all of that kind or none.
struct FaultyDisk {
    call: Call,
    error: Errno,
    /// Calls of that kind until it fails.
    left: Arc<AtomicUsize>,
    for_good: bool,
    /// Syncs that were asked for after it had failed.
    syncs_after: Arc<AtomicUsize>,
}

impl FaultyDisk {
    fn new(call: Call, nth: usize, error: Errno, for_good: bool) -> Self {
        let left = Arc::new(AtomicUsize::new(nth));
        Self { call, error, left, for_good, syncs_after: Arc::default() }
    }

    fn ask(&self, call: Call) -> io::Result<()> {
        if call == Call::Sync && self.left.load(Ordering::Relaxed) == 0 {
            self.syncs_after.fetch_add(1, Ordering::Relaxed);
        }
        if call != self.call {
            return Ok(());
        }
        let count = |left: usize| match left {
            0 => self.for_good.then_some(0),
            left => Some(left - 1),
        };
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        match before {
            Ok(0 | 1) => Err(self.error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Disk for FaultyDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        self.ask(Call::Create).and_then(|()| FakeDisk.create(path, bytes))
    }

    fn sync(&mut self, _: &File) -> io::Result<()> {
        self.ask(Call::Sync)
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        self.ask(Call::SyncFolder)
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.ask(Call::Cut).and_then(|()| FakeDisk.cut(file, bytes))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.ask(Call::Remove).and_then(|()| FakeDisk.remove(path))
    }
}

/// One run on a faulty disk.
struct Trial {
    /// Why it ended, unless it came to its end.
    why: Option<String>,
    /// Events that were on all lanes.
    written: u64,
    level: Level,
    /// The fault was met.
    met: bool,
    syncs_after: usize,
    /// The journal had begun.
    begun: bool,
}

fn config() -> JournalConfig {
    JournalConfig { sync_every: std::time::Duration::from_millis(4), ..rig::config() }
}

fn trial(dir: &Path, call: Call, nth: usize, error: Errno, for_good: bool) -> Trial {
    let disk = Box::new(FaultyDisk::new(call, nth, error, for_good));
    let (left, syncs_after) = (Arc::clone(&disk.left), Arc::clone(&disk.syncs_after));
    let (config, kill) = (config(), KillSwitch::new());
    let opening = Opening { disk, kill: kill.clone(), ..opening(dir, &config, 99) };
    let (why, written, level) = (None, 0, Level::Run);
    let mut trial = Trial { why, written, level, met: false, syncs_after: 0, begun: false };
    match Journal::create(opening) {
        Err(error) => trial.why = Some(error.to_string()),
        Ok((journal, lanes)) => {
            trial.begun = true;
            trial.why = run(journal, lanes, &mut trial.written).err();
        }
    }
    trial.met = left.load(Ordering::Relaxed) == 0;
    trial.syncs_after = syncs_after.load(Ordering::Relaxed);
    trial.level = kill.level();
    trial
}

/// Writes a journal and closes it.
fn run(journal: Journal, mut lanes: [Appender; 5], written: &mut u64) -> Result<(), String> {
    let words = |stopped: Stopped| stopped.to_string();
    lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7).map_err(words)?;
    for seq in 1..=400 {
        write(&mut lanes, journal.watch(), seq).map_err(words)?;
        *written = seq;
    }
    for lane in &mut lanes {
        lane.append_waiting(RecordKind::Close as u8, &[&[0; 48]], 7).map_err(words)?;
    }
    journal.close(lanes).map_err(|error| error.to_string())
}

/// Everything that was written is there, and a run goes on with it.
fn intact(dir: &Path, written: u64, what: &str) {
    let view = View::open(dir).unwrap();
    assert_eq!(view.damage, [], "{what}");
    assert!(view.cut >= written, "{what}: cut at {}, {written} were written", view.cut);
    for lane in Lane::ALL {
        let mut held = held(&view, lane);
        if view.state == State::Closed {
            held.pop();
        }
        let upto = if lane == Lane::Feed { view.lane(lane).last } else { view.cut };
        let nothing = written == 0 && held.is_empty();
        assert!(nothing || held == expected(lane, upto), "{what}: {}", lane.name());
    }
    if view.state == State::Interrupted {
        go_on(dir, &config(), 100, 410);
        let view = View::open(dir).unwrap();
        let found = (view.state, view.cut, view.damage.len());
        assert_eq!(found, (State::Closed, 410, 0), "{what}");
    }
}

#[test]
fn a_disk_that_fails_ends_the_run_in_words_and_loses_nothing() {
    let (mut met, mut ended) = (0, 0);
    for (number, call) in CALLS.into_iter().enumerate() {
        for nth in 1.. {
            let error = ERRORS[(nth + number) % ERRORS.len()];
            let folder = scratch();
            let dir = folder.path();
            let what = format!("{call:?} {nth} fails with {error:?}");
            let trial = trial(dir, call, nth, error, nth % 2 == 0);
            if !trial.met {
                assert_eq!(trial.why, None, "{what}");
                break;
            }
            met += 1;
            let why = trial.why.unwrap_or_else(|| panic!("{what}: nobody said so"));
            let reason = io::Error::from(error).to_string();
            assert!(why.contains(&reason), "{what}: {why}");
            assert!(
                why.contains(".seg")
                    || why.contains("control")
                    || why.contains(&*dir.to_string_lossy()),
                "{what}: {why}"
            );
            if trial.begun {
                ended += 1;
                assert_eq!(trial.level, Level::Dead, "{what}");
                // A system that failed to sync may say next time that all is well.
                assert_eq!(trial.syncs_after, 0, "{what}");
                intact(dir, trial.written, &what);
            } else {
                // A journal that never began is in nobody's way.
                assert_eq!(names(dir), ["LOCK"], "{what}");
                closed(dir, 5);
            }
        }
    }
    assert!(met > 60 && ended > 40, "{met} faults, {ended} after the begin");
}

#[test]
fn a_recovery_that_fails_anywhere_can_be_made_again() {
    let whole = scratch();
    let dir = whole.path();
    interrupted_with(dir, &config(), 300, 0);
    // Holes in two lanes, and orders beyond the cut.
    for lane in [Lane::Event, Lane::Alpha] {
        let name = segment_name(Strand::Lane(lane), 1);
        let mut bytes = fs::read(dir.join(&name)).unwrap();
        bytes[2_000..2_100].fill(0xaa);
        fs::write(dir.join(name), bytes).unwrap();
    }
    let mended = scratch();
    copy(dir, mended.path());
    let recovery = recover(mended.path(), &mut FakeDisk, 50).unwrap().unwrap();
    assert!(recovery.orphans > 50 && recovery.quarantined.len() > 2, "{recovery:?}");
    let mut met = 0;
    for call in CALLS {
        for nth in 1.. {
            let folder = scratch();
            copy(dir, folder.path());
            let error = ERRORS[nth % ERRORS.len()];
            let mut disk = FaultyDisk::new(call, nth, error, false);
            let failed = recover(folder.path(), &mut disk, 49);
            if disk.left.load(Ordering::Relaxed) > 0 {
                failed.unwrap();
                break;
            }
            met += 1;
            let why = failed.unwrap_err().to_string();
            let what = format!("{call:?} {nth}: {why}");
            assert!(why.contains(&io::Error::from(error).to_string()), "{what}");
            let again = recover(folder.path(), &mut FakeDisk, 50).unwrap().unwrap();
            assert_eq!(
                (again.cut, again.orphans <= recovery.orphans),
                (recovery.cut, true),
                "{what}"
            );
            same_in_the_end(mended.path(), folder.path(), &what);
        }
    }
    assert!(met > 20, "{met}");
}

/// Both folders hold the same records, orphans and quarantined bytes.
fn same_in_the_end(one: &Path, other: &Path, what: &str) {
    let views = [one, other].map(|dir| View::open(dir).unwrap());
    for view in &views {
        assert_eq!(view.damage, [], "{what}");
    }
    for lane in Lane::ALL {
        let [one, other] = views.each_ref().map(|view| held(view, lane));
        assert!(one == other, "{what}: {}", lane.name());
    }
    let [one_orphans, other_orphans] =
        [one, other].map(|dir| all_of(LaneReader::new(dir, Strand::Orphans, 1)));
    assert!(one_orphans == other_orphans, "{what}: orphans");
    for name in names(one).iter().filter(|name| name.starts_with("quarantine")) {
        let [one, other] = [one, other].map(|dir| fs::read(dir.join(name)).unwrap());
        assert!(one == other, "{what}: {name}");
    }
}

/// A small file system of its own, taken away in the end. `None` where that is not allowed.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let made = mount(&["-t", "tmpfs", "-o", &options, "fusewire"], folder.path());
        if !made {
            eprintln!("SKIPPED: no file system can be mounted here, which takes root");
        }
        made.then(|| Self(folder))
    }

    fn dir(&self) -> std::path::PathBuf {
        self.0.path().join("journal")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(at).output();
    output.is_ok_and(|output| output.status.success())
}

/// Writes until the journal stops; returns the events and why.
fn write_until_stopped(journal: &Journal, lanes: &mut [Appender; 5]) -> (u64, String) {
    let mut written = 0;
    loop {
        match write(lanes, journal.watch(), written + 1) {
            Ok(()) => written += 1,
            Err(stopped) => return (written, stopped.to_string()),
        }
    }
}

/// Begins a journal on the real disk.
fn begin_really(dir: &Path, kill: &KillSwitch) -> Begun {
    let (config, disk) = (config(), Box::new(RealDisk));
    let opening = Opening { disk, kill: kill.clone(), ..opening(dir, &config, 99) };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7).unwrap();
    (journal, lanes)
}

#[test]
fn a_file_system_that_is_full_ends_the_run_and_loses_nothing() {
    let Some(mount) = Mount::new("400k") else { return };
    let (dir, kill) = (mount.dir(), KillSwitch::new());
    let (journal, mut lanes) = begin_really(&dir, &kill);
    let (written, why) = write_until_stopped(&journal, &mut lanes);
    assert!(why.contains(".seg: No space left on device"), "{why}");
    assert_eq!(kill.level(), Level::Dead);
    drop((journal, lanes));
    assert!(written > 100, "{written}");
    let view = View::open(&dir).unwrap();
    assert_eq!((view.damage.as_slice(), view.cut), (&[][..], written));
    // There is not even room to recover, which says so and spoils nothing.
    fs::write(mount.0.path().join("more"), vec![1; 1 << 20]).unwrap_err();
    let why = recover(&dir, &mut RealDisk, 7).unwrap_err().to_string();
    assert!(why.contains("No space left on device"), "{why}");
    assert_eq!(View::open(&dir).unwrap().cut, written);
    fs::remove_file(mount.0.path().join("more")).unwrap();
    assert!(self::mount(&["-o", "remount,size=4m"], mount.0.path()));
    let upto = written + 10;
    go_on(&dir, &config(), 100, upto);
    assert_eq!(View::open(&dir).unwrap().cut, upto);
}

#[test]
fn a_folder_that_becomes_read_only_ends_the_run_and_loses_nothing() {
    let Some(mount) = Mount::new("4m") else { return };
    let (dir, kill) = (mount.dir(), KillSwitch::new());
    let (journal, mut lanes) = begin_really(&dir, &kill);
    for seq in 1..=50 {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    // A read-only mount over the first: files that are open stay writable, new ones can not be made.
    let (twin, place) =
        (mount.0.path().join("twin"), |path: &Path| path.to_string_lossy().into_owned());
    fs::create_dir(&twin).unwrap();
    assert!(self::mount(&["--bind", &place(&dir)], &twin));
    assert!(self::mount(&["-o", "remount,bind,ro"], &twin));
    assert!(self::mount(&["--bind", &place(&twin)], &dir));
    let mut written = 50;
    let why = loop {
        match write(&mut lanes, journal.watch(), written + 1) {
            Ok(()) => written += 1,
            Err(stopped) => break stopped.to_string(),
        }
    };
    assert!(why.contains(".seg: Read-only file system"), "{why}");
    assert_eq!(kill.level(), Level::Dead);
    drop((journal, lanes));
    let view = View::open(&dir).unwrap();
    assert_eq!((view.damage.as_slice(), view.cut), (&[][..], written));
    let why = recover(&dir, &mut RealDisk, 7).unwrap_err().to_string();
    assert!(why.contains("Read-only file system"), "{why}");
    for place in [&dir, &twin] {
        assert!(Command::new("umount").arg(place).status().unwrap().success());
    }
    go_on(&dir, &config(), 100, written + 10);
    assert_eq!(View::open(&dir).unwrap().state, State::Closed);
}

#[test]
fn a_folder_that_is_gone_ends_the_run_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, kill) = (folder.path().join("journal"), KillSwitch::new());
    let (journal, mut lanes) = begin_really(&dir, &kill);
    // Moved away, not removed: the keeper may make its next segment meanwhile, and a folder that is emptied file
    // by file is then not empty.
    fs::rename(&dir, folder.path().join("gone")).unwrap();
    let (_, why) = write_until_stopped(&journal, &mut lanes);
    assert!(why.contains("No such file or directory"), "{why}");
    assert!(why.contains(".seg"), "{why}");
    assert_eq!(kill.level(), Level::Dead);
    assert!(journal.close(lanes).unwrap_err().to_string().contains("No such file"));
}

#[test]
fn a_record_that_no_segment_holds_is_refused_in_words() {
    let folder = scratch();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &rig::config());
    let event = &mut lanes[Lane::Event as usize];
    event
        .append_waiting(RecordKind::Header as u8, &[&vec![1; 8_192 - 128 - 8 - 16 - 8]], 7)
        .unwrap();
    let why = event.append_waiting(RecordKind::Header as u8, &[&[1; 8_193]], 7).unwrap_err();
    assert!(why.to_string().contains("lane event: a record takes 8224 bytes"), "{why}");
    assert!(why.to_string().contains("journal.segment_bytes"), "{why}");
    drop((journal, lanes));
    // One that is used, and one in advance: none were filled in the search for room.
    assert!(names(dir).iter().filter(|name| name.starts_with("event")).count() <= 2);
}
