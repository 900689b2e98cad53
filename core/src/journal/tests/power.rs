//! Power failures: what was synced is there, of the rest any pages are, in any order.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex};

use super::rig::*;
use super::*;

/// The medium: what is on it for certain.
#[derive(Clone, Default)]
struct Medium {
    /// Bytes of each file, by its number, when it was synced last.
    files: BTreeMap<u64, Vec<u8>>,
    /// Names in the folder when it was synced last.
    names: BTreeMap<String, u64>,
}

/// A disk that remembers what is on the medium. Syncs do not wait, but they count.
#[derive(Clone, Default)]
struct PowerDisk(Arc<Mutex<Medium>>);

impl Disk for PowerDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        let mut medium = self.0.lock().unwrap();
        let file = RealDisk.create(path, bytes)?;
        medium.files.insert(file.metadata()?.ino(), vec![0; bytes as usize]);
        Ok(file)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        let mut medium = self.0.lock().unwrap();
        medium.files.insert(file.metadata()?.ino(), whole(file));
        Ok(())
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        let mut medium = self.0.lock().unwrap();
        medium.names = names_now(folder);
        Ok(())
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        let _medium = self.0.lock().unwrap();
        RealDisk.cut(file, bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let _medium = self.0.lock().unwrap();
        RealDisk.remove(path)
    }
}

fn whole(file: &File) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn names_now(folder: &Path) -> BTreeMap<String, u64> {
    let names = names(folder).into_iter();
    names.map(|name| (name.clone(), fs::metadata(folder.join(name)).unwrap().ino())).collect()
}

impl PowerDisk {
    /// The folder as it may be found after a power failure now.
    fn fail(&self, dir: &Path, image: &Path, random: &mut Random) {
        let medium = self.0.lock().unwrap();
        let now = names_now(dir);
        // Anything between little and nearly everything made it, in pages or in sectors.
        let (chance, unit) = ([3, 20, 50, 80, 97][random.below(5) as usize], random.below(2));
        let mut made_it = || random.below(100) < chance;
        fs::create_dir(image).unwrap();
        let all: std::collections::BTreeSet<&String> =
            now.keys().chain(medium.names.keys()).collect();
        for name in all {
            let (new, old) = (now.get(name), medium.names.get(name));
            let chosen = if new == old || made_it() { new } else { old };
            let Some(number) = chosen else { continue };
            let durable = medium.files.get(number).cloned().unwrap_or_default();
            let current = (new == Some(number)).then(|| fs::read(dir.join(name)).unwrap());
            let bytes = match current {
                Some(current) => {
                    mixed(&durable, &current, [512, 4_096][unit as usize], &mut made_it)
                }
                None => durable,
            };
            fs::write(image.join(name), bytes).unwrap();
        }
    }
}

/// Each page is the new one or the old one; so is the length.
fn mixed(old: &[u8], new: &[u8], unit: usize, made_it: &mut impl FnMut() -> bool) -> Vec<u8> {
    let length = if old.len() == new.len() || made_it() { new.len() } else { old.len() };
    let mut bytes = vec![0; length];
    for at in (0..length).step_by(unit) {
        let end = (at + unit).min(length);
        let part = |from: &[u8]| {
            let mut part = from.get(at..end.min(from.len())).unwrap_or_default().to_vec();
            part.resize(end - at, 0);
            part
        };
        let (was, is) = (part(old), part(new));
        let page = if was == is || made_it() { is } else { was };
        bytes[at..end].copy_from_slice(&page);
    }
    bytes
}

fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 16_384,
        feed_segment_bytes: 16_384,
        sync_every: std::time::Duration::from_millis(4),
        ..rig::config()
    }
}

fn opened<'a>(
    dir: &'a Path,
    config: &'a JournalConfig,
    session: u64,
    disk: &PowerDisk,
) -> Opening<'a> {
    Opening { disk: Box::new(disk.clone()), ..opening(dir, config, session) }
}

/// What the control page of an image says was on the medium.
fn watermark(image: &Path) -> [Done; Lane::ALL.len()] {
    let page = ControlPage::read(image).unwrap().unwrap();
    assert!(page.is_whole(), "the page was on the medium before it had its name");
    page.synced.unwrap()
}

/// Nothing that was synced is missing, nothing is changed, and what is named lies above the watermark.
fn look(image: &Path, what: &str) -> View {
    let (view, synced) = (View::open(image).unwrap(), watermark(image));
    for lane in Lane::ALL {
        let (state, synced) = (&view.whole[lane as usize], synced[lane as usize]);
        assert!(state.end >= synced.position, "{what}: {}", lane.name());
        let held = held(&view, lane);
        let should = expected(lane, 4_000);
        assert!(held == should[..held.len()], "{what}: {} is changed", lane.name());
    }
    // An event above the watermark is only kept when its frame is there.
    let frames = view.lane(Lane::Feed).last;
    assert!(view.cut <= frames.max(synced[Lane::Event as usize].seq), "{what}: {frames} frames");
    let least = Lane::ALL[1..].iter().map(|lane| synced[*lane as usize].seq).min().unwrap();
    assert!(view.cut >= least, "{what}: cut at {}, {least} was synced", view.cut);
    for damage in &view.damage {
        // A hole: some pages are there and others before them are not.
        assert_eq!(damage.fault, Fault::Record, "{what}");
        let Some(Strand::Lane(lane)) = damage.strand else { panic!("{what}") };
        assert!(damage.position >= synced[lane as usize].position, "{what}");
    }
    view
}

/// Recovers an image and goes on with it.
fn mend(image: &Path, view: &View, random: &mut Random, what: &str) {
    let kept = Lane::ALL.map(|lane| held(view, lane));
    let disk = PowerDisk::default();
    let recovery = recover(image, &mut disk.clone(), 1_000).unwrap().unwrap();
    assert_eq!(recovery.cut, view.cut, "{what}");
    let after = View::open(image).unwrap();
    assert_eq!((&after.damage[..], after.cut), (&[][..], view.cut), "{what}");
    for lane in Lane::ALL {
        assert!(held(&after, lane) == kept[lane as usize], "{what}: {}", lane.name());
    }
    if random.below(8) == 0 {
        // Frames are input: those that are there come first.
        let upto = view.cut.max(view.lane(Lane::Feed).last) + 50;
        go_on(image, &config(), 1_001, upto);
        let view = View::open(image).unwrap();
        let clean = (view.state, view.cut, view.damage.len());
        assert_eq!(clean, (State::Closed, upto, 0), "{what}");
        for lane in Lane::ALL {
            let mut held = held(&view, lane);
            held.pop();
            assert!(held == expected(lane, upto), "{what}: {}", lane.name());
        }
    }
}

/// Takes some images of a folder as it may be after a power failure now.
fn images(dir: &Path, disk: &PowerDisk, random: &mut Random, round: usize) -> usize {
    let mut damaged = 0;
    for number in 0..3 {
        let folder = scratch();
        let (image, what) = (folder.path().join("image"), format!("round {round}, image {number}"));
        disk.fail(dir, &image, random);
        let view = look(&image, &what);
        damaged += usize::from(!view.damage.is_empty());
        mend(&image, &view, random, &what);
    }
    damaged
}

#[test]
fn what_was_synced_survives_a_power_failure() {
    let (mut random, mut damaged) = (Random::new(11), 0);
    for round in 0..if is_long() { 600 } else { 12 } {
        let folder = scratch();
        let (dir, disk, config) = (folder.path(), PowerDisk::default(), config());
        let (journal, mut lanes) = Journal::create(opened(dir, &config, 99, &disk)).unwrap();
        lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7).unwrap();
        let events = 200 + random.below(1_800);
        for seq in 1..=events {
            write(&mut lanes, journal.watch(), seq).unwrap();
            if random.below(400) == 0 {
                damaged += images(dir, &disk, &mut random, round);
            }
        }
        damaged += images(dir, &disk, &mut random, round);
        drop((journal, lanes));
        // The process died. Another goes on, and then the power fails.
        let (journal, mut lanes) = Journal::resume(opened(dir, &config, 100, &disk)).unwrap();
        damaged += images(dir, &disk, &mut random, round);
        lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7).unwrap();
        for seq in 1..=events + 300 {
            write(&mut lanes, journal.watch(), seq).unwrap();
        }
        damaged += images(dir, &disk, &mut random, round);
        if random.below(2) == 0 {
            close(journal, lanes);
            damaged += closed_images(dir, &disk, &mut random, round);
        }
    }
    assert!(damaged > 10, "{damaged} images with holes: the test must make some");
}

/// After an orderly close a power failure takes nothing.
fn closed_images(dir: &Path, disk: &PowerDisk, random: &mut Random, round: usize) -> usize {
    let folder = scratch();
    let image = folder.path().join("image");
    disk.fail(dir, &image, random);
    let (before, after) = (View::open(dir).unwrap(), View::open(&image).unwrap());
    assert_eq!((after.state, &after.damage[..]), (State::Closed, &[][..]), "round {round}");
    assert_eq!((after.cut, &after.lanes), (before.cut, &before.lanes), "round {round}");
    0
}

#[test]
fn a_sync_that_is_claimed_was_made() {
    // Also when nothing was synced before the process died, and a recovery claims it.
    for sync_ms in [4, 4_000_000] {
        let sync_every = std::time::Duration::from_millis(sync_ms);
        let (folder, config) = (scratch(), JournalConfig { sync_every, ..config() });
        let (dir, disk) = (folder.path(), PowerDisk::default());
        let (journal, mut lanes) = Journal::create(opened(dir, &config, 99, &disk)).unwrap();
        for seq in 1..=1_500 {
            write(&mut lanes, journal.watch(), seq).unwrap();
            if seq % 100 == 0 {
                assert_durable(dir, &disk);
            }
        }
        drop((journal, lanes));
        recover(dir, &mut disk.clone(), 100).unwrap();
        assert_durable(dir, &disk);
        let (journal, mut lanes) = Journal::resume(opened(dir, &config, 101, &disk)).unwrap();
        assert_durable(dir, &disk);
        for seq in 1..=1_600 {
            write(&mut lanes, journal.watch(), seq).unwrap();
        }
        // Much behind the last event, so that the closing record lies segments later.
        for _ in 0..300 {
            let event = &mut lanes[Lane::Event as usize];
            event.append_waiting(RecordKind::Pending as u8, &[&[1; 200]], 7).unwrap();
        }
        close(journal, lanes);
        assert_durable(dir, &disk);
        let view = View::open(dir).unwrap();
        let synced = view.control.as_ref().unwrap().synced.unwrap();
        assert_eq!(synced.map(|done| done.position), view.lanes.each_ref().map(|lane| lane.end));
    }
}

/// A disk that looks, when a segment is dropped, whether the page on the medium says so.
struct DropDisk(PowerDisk);

impl Disk for DropDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        self.0.create(path, bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.0.sync(file)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.0.sync_folder(folder)
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.0.cut(file, bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let folder = scratch();
        {
            let medium = self.0.0.lock().unwrap();
            let page = &medium.files[&medium.names["control"]];
            fs::write(folder.path().join("control"), page).unwrap();
        }
        let kept = ControlPage::read(folder.path()).unwrap().unwrap().kept.unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = Lane::ALL.into_iter().any(|lane| {
            let index = kept[lane as usize].index;
            index > 1 && name == segment_name(Strand::Lane(lane), index - 1)
        });
        if !said {
            return Err(io::Error::other("the page on the medium does not say so"));
        }
        self.0.remove(path)
    }
}

/// A disk that remembers whose names were synced.
#[derive(Clone, Default)]
struct FolderDisk(Arc<Mutex<Vec<std::path::PathBuf>>>);

impl Disk for FolderDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        FakeDisk.create(path, bytes)
    }

    fn sync(&mut self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.0.lock().unwrap().push(folder.to_owned());
        Ok(())
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        FakeDisk.cut(file, bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        FakeDisk.remove(path)
    }
}

#[test]
fn folders_that_are_made_have_their_names_on_the_medium() {
    let (folder, disk, config) = (scratch(), FolderDisk::default(), config());
    let dir = folder.path().join("a/b/c");
    let opening = Opening { disk: Box::new(disk.clone()), ..opening(&dir, &config, 99) };
    drop(Journal::create(opening).unwrap());
    let synced = disk.0.lock().unwrap();
    for above in ["", "a", "a/b", "a/b/c"] {
        let path = folder.path().join(above);
        assert!(synced.iter().any(|folder| folder.components().eq(path.components())), "{above}");
    }
    assert!(!synced.iter().any(|synced| synced.as_path() == folder.path().parent().unwrap()));
}

#[test]
fn a_segment_is_dropped_after_the_page_says_so_on_the_medium() {
    let (folder, disk) = (scratch(), Box::new(DropDisk(PowerDisk::default())));
    let retention = Retention::DropOldest;
    let config = JournalConfig { retention, disk_max_bytes: 240 << 10, ..config() };
    let opening = Opening { disk, ..opening(folder.path(), &config, 99) };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    for seq in 1..=3_000 {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    drop((journal, lanes));
    assert!(View::open(folder.path()).unwrap().is_headless());
}

fn assert_durable(dir: &Path, disk: &PowerDisk) {
    let page = ControlPage::read(dir).unwrap().unwrap();
    let medium = disk.0.lock().unwrap();
    for lane in Lane::ALL {
        let upto = page.synced.unwrap()[lane as usize].position;
        if upto == Position::new(1, 128) {
            // The start of the lane: nothing is claimed.
            continue;
        }
        for index in 1..=upto.segment() {
            let name = segment_name(Strand::Lane(lane), index);
            let now = fs::read(dir.join(&name)).unwrap();
            let bytes = if index == upto.segment() { upto.offset() as usize } else { now.len() };
            let durable = &medium.files[&medium.names[&name]];
            let same = durable.get(..bytes).is_some_and(|durable| durable == &now[..bytes]);
            assert!(same, "{name} up to {bytes} is not on the medium");
        }
    }
}
