//! Whole segments and pages that are zeroed, doubled, swapped, cut, deleted, or another journal's.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::rig::*;
use super::story::{Story, assert_holds, story};
use super::*;

const PAGE: u64 = 4_096;

/// A journal, another one of the same kind, and a folder where the first is spoilt.
struct Bench {
    folder: tempfile::TempDir,
    story: Story,
    looked: u64,
    named: u64,
}

impl Bench {
    fn new(close: bool) -> Self {
        let folder = scratch();
        let config = JournalConfig { sync_every: std::time::Duration::from_millis(40), ..config() };
        for (name, session) in [("whole", 99), ("other", 77)] {
            let dir = folder.path().join(name);
            let (journal, mut lanes) = Journal::create(opening(&dir, &config, session)).unwrap();
            let header = lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7);
            header.unwrap();
            for seq in 1..=600 {
                write(&mut lanes, journal.watch(), seq).unwrap();
                wait_synced(&dir, if seq == 450 { seq } else { 0 });
            }
            if close {
                rig::close(journal, lanes);
            }
        }
        copy(&folder.path().join("whole"), &folder.path().join("spoilt"));
        let story = story(&folder.path().join("whole"));
        Self { folder, story, looked: 0, named: 0 }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn segment(&self, dir: &str, lane: Lane, index: u32) -> PathBuf {
        self.dir(dir).join(segment_name(Strand::Lane(lane), index))
    }

    /// Segments in use.
    fn used(&self, lane: Lane) -> u32 {
        self.story.ends[lane as usize].segment()
    }

    /// Spoils the copy, looks at it, and mends it.
    fn look(&mut self, what: &str, spoil: impl FnOnce(&Path)) {
        let (whole, spoilt) = (self.dir("whole"), self.dir("spoilt"));
        spoil(&spoilt);
        let view = View::open(&spoilt).unwrap();
        let ends = self.story.ends_in(&whole, &spoilt);
        for lane in Lane::ALL {
            let (end, state) = (ends[lane as usize], &view.whole[lane as usize]);
            assert_eq!(state.end, end, "{what}: {}", lane.name());
            let must =
                self.story.is_short(lane, end) || self.story.has_more(lane, end, &whole, &spoilt);
            assert!(state.damage.is_some() || !must, "{what}: {} is not named", lane.name());
        }
        if view.state == State::Closed {
            assert_eq!((ends, &view.damage[..]), (self.story.ends, &[][..]), "{what}");
        } else {
            assert_holds(&view, &self.story.cut(&ends), what);
        }
        self.looked += 1;
        self.named += u64::from(!view.damage.is_empty());
        if view.state == State::Interrupted {
            self.mend(&view, what);
        }
        for name in names(&spoilt) {
            let path = spoilt.join(&name);
            if !whole.join(&name).exists() {
                fs::remove_file(path).unwrap();
            }
        }
        copy(&whole, &spoilt);
    }

    /// Recovers it: nothing is wrong then, it holds the same, and what the gateway sent beyond the cut is known.
    fn mend(&self, view: &View, what: &str) {
        let dir = self.dir("spoilt");
        let kept = Lane::ALL.map(|lane| held(view, lane));
        let gateway = all_of(view.whole[Lane::Gateway as usize].reader(&dir));
        let beyond =
            |payload: &Vec<u8>| u64::from_le_bytes(payload[..8].try_into().unwrap()) > view.cut;
        let orphans: Held =
            gateway.into_iter().filter(|(kind, payload)| *kind != 255 && beyond(payload)).collect();
        let recovery = recover(&dir, &mut FakeDisk, 500).unwrap().unwrap();
        assert_eq!(
            (recovery.orphans, &recovery.damage),
            (orphans.len() as u64, &view.damage),
            "{what}"
        );
        assert_eq!(all_of(LaneReader::new(&dir, Strand::Orphans, 1)), orphans, "{what}");
        let after = View::open(&dir).unwrap();
        assert_eq!(after.damage, [], "{what}");
        assert_holds(&after, &(view.cut, kept), what);
        if self.looked.is_multiple_of(23) {
            go_on(&dir, &config(), 501, 610);
            let view = View::open(&dir).unwrap();
            let clean = (view.state, view.cut, view.damage.len());
            assert_eq!(clean, (State::Closed, 610, 0), "{what}: {:?}", view.damage);
        }
    }

    fn each_segment(&self) -> Vec<(Lane, u32)> {
        let of = |lane| (1..=self.used(lane)).map(move |index| (lane, index));
        Lane::ALL.into_iter().flat_map(of).collect()
    }
}

fn zero(path: &Path, from: u64, bytes: u64) {
    let length = fs::metadata(path).unwrap().len();
    let bytes = bytes.min(length.saturating_sub(from));
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&vec![0; bytes as usize], from).unwrap();
}

fn spoil_each(bench: &mut Bench) {
    for (lane, index) in bench.each_segment() {
        let name = segment_name(Strand::Lane(lane), index);
        let length = fs::metadata(bench.segment("whole", lane, index)).unwrap().len();
        bench.look(&format!("{name} zeroed"), |dir| zero(&dir.join(&name), 0, length));
        bench.look(&format!("{name} deleted"), |dir| fs::remove_file(dir.join(&name)).unwrap());
        for bytes in [0, 64, 128, length / 2, length.saturating_sub(8)] {
            bench.look(&format!("{name} cut to {bytes}"), |dir| {
                File::options().write(true).open(dir.join(&name)).unwrap().set_len(bytes).unwrap();
            });
        }
        for page in 0..length.div_ceil(PAGE) {
            bench.look(&format!("{name} without page {page}"), |dir| {
                zero(&dir.join(&name), page * PAGE, PAGE);
            });
        }
    }
}

fn mix_each(bench: &mut Bench) {
    for (lane, index) in bench.each_segment() {
        let path = bench.segment("whole", lane, index);
        let name = segment_name(Strand::Lane(lane), index);
        // The numbers behind the last are prepared, or free.
        for other in (1..bench.used(lane) + 4).filter(|other| *other != index) {
            let target = segment_name(Strand::Lane(lane), other);
            bench.look(&format!("{name} copied to {target}"), |dir| {
                fs::copy(&path, dir.join(&target)).unwrap();
            });
            if other > index && other <= bench.used(lane) {
                let second = bench.segment("whole", lane, other);
                bench.look(&format!("{name} and {target} swapped"), |dir| {
                    fs::copy(&path, dir.join(&target)).unwrap();
                    fs::copy(&second, dir.join(&name)).unwrap();
                });
            }
        }
        for other in Lane::ALL.into_iter().filter(|other| *other != lane) {
            let target = segment_name(Strand::Lane(other), index);
            bench.look(&format!("{name} copied to {target}"), |dir| {
                fs::copy(&path, dir.join(&target)).unwrap();
            });
        }
        let stale = bench.segment("other", lane, index);
        bench.look(&format!("another journal's {name}"), |dir| {
            fs::copy(&stale, dir.join(&name)).unwrap();
        });
    }
}

fn without_pages(bench: &mut Bench) {
    let mut random = Random::new(5);
    let segments = bench.each_segment();
    for round in 0..if is_long() { 5_000 } else { 100 } {
        let count = 1 + random.below(4);
        let pages: Vec<((Lane, u32), u64)> = (0..count)
            .map(|_| (segments[random.below(segments.len() as u64) as usize], random.below(2)))
            .collect();
        bench.look(&format!("round {round}: without {pages:?}"), |dir| {
            for ((lane, index), page) in &pages {
                let name = segment_name(Strand::Lane(*lane), *index);
                zero(&dir.join(name), page * PAGE, PAGE);
            }
        });
    }
}

#[test]
fn segments_of_an_interrupted_journal_that_are_spoilt_end_their_lane() {
    let mut bench = Bench::new(false);
    spoil_each(&mut bench);
    without_pages(&mut bench);
    assert!(bench.looked > 250 && bench.named > 200, "{} {}", bench.looked, bench.named);
}

#[test]
fn segments_of_a_closed_journal_that_are_spoilt_are_named() {
    let mut bench = Bench::new(true);
    spoil_each(&mut bench);
    without_pages(&mut bench);
    assert!(
        bench.looked > 250 && bench.looked - bench.named < 60,
        "{} {}",
        bench.looked,
        bench.named
    );
}

#[test]
fn segments_of_an_interrupted_journal_that_are_mixed_up_are_named() {
    let mut bench = Bench::new(false);
    mix_each(&mut bench);
    assert!(bench.named > 200 && bench.named == bench.looked, "{} {}", bench.looked, bench.named);
}

#[test]
fn segments_of_a_closed_journal_that_are_mixed_up_are_named() {
    let mut bench = Bench::new(true);
    mix_each(&mut bench);
    assert!(bench.named > 200 && bench.named == bench.looked, "{} {}", bench.looked, bench.named);
}

#[test]
fn what_only_has_the_name_of_a_segment_is_named_and_moved_away() {
    for close in [false, true] {
        let mut bench = Bench::new(close);
        let index = bench.used(Lane::Risk) + 3;
        let name = segment_name(Strand::Lane(Lane::Risk), index);
        let outside = bench.dir("letter");
        fs::write(&outside, "dear ".repeat(99)).unwrap();
        let make: [fn(&Path, &Path); 4] = [
            |path, _| fs::create_dir(path).unwrap(),
            |path, _| std::os::unix::fs::symlink(path, path).unwrap(),
            |path, _| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            |path, outside| std::os::unix::fs::symlink(outside, path).unwrap(),
        ];
        for make in make {
            let dir = bench.dir("spoilt");
            make(&dir.join(&name), &outside);
            let view = View::open(&dir).unwrap();
            let damage: Vec<&str> = view.damage.iter().map(|damage| damage.file.as_str()).collect();
            let end = segment_name(Strand::Lane(Lane::Risk), bench.used(Lane::Risk));
            assert_eq!(damage, [if close { &end } else { &name }]);
            let recovery = recover(&dir, &mut FakeDisk, 8).unwrap().unwrap();
            let aside = format!("quarantine-risk-{index:06}-0000000000.bin");
            assert_eq!(recovery.quarantined, [aside]);
            assert_eq!(View::open(&dir).unwrap().damage, []);
            assert_eq!(fs::metadata(&outside).unwrap().len(), 495, "what lies elsewhere stays");
            fs::remove_dir_all(&dir).unwrap();
            copy(&bench.dir("whole"), &dir);
        }
        bench.looked += 1;
    }
}

#[test]
fn what_a_later_program_wrote_is_named_and_left_alone() {
    for name in ["control", "risk-000001.seg", "alpha-000002.seg"] {
        let folder = scratch();
        let dir = folder.path();
        closed(dir, 600);
        let mut bytes = fs::read(dir.join(name)).unwrap();
        bytes[8] = 2;
        let covered = if name == "control" { 24 } else { 32 };
        let crc = crc32c(&bytes[..covered]);
        bytes[covered..covered + 4].copy_from_slice(&crc.to_le_bytes());
        fs::write(dir.join(name), &bytes).unwrap();
        let before = names(dir);
        let view = View::open(dir).unwrap();
        assert_eq!((&*view.damage[0].file, view.damage[0].fault), (name, Fault::Version(2)));
        let why = recover(dir, &mut FakeDisk, 5).unwrap_err().to_string();
        assert!(why.contains("version 2 of the format is not known here"), "{why}");
        assert_eq!((names(dir), fs::read(dir.join(name)).unwrap()), (before, bytes));
    }
}

#[test]
fn a_mark_behind_a_bad_record_says_that_the_lane_went_on() {
    let folder = scratch();
    let dir = folder.path();
    interrupted(dir, 600);
    let story = story(dir);
    // The last record of a full segment is bad, and what it led to is gone.
    let mut pieces = story.pieces[Lane::Event as usize].iter();
    let last = pieces.rfind(|piece| piece.start.segment() == 2).unwrap();
    let name = segment_name(Strand::Lane(Lane::Event), 2);
    let file = File::options().write(true).open(dir.join(&name)).unwrap();
    file.write_all_at(b"?", u64::from(last.end.offset()) - 1).unwrap();
    for index in 3..=story.ends[Lane::Event as usize].segment() + 1 {
        let _ = fs::remove_file(dir.join(segment_name(Strand::Lane(Lane::Event), index)));
    }
    let view = View::open(dir).unwrap();
    let damage: Vec<_> = view.damage.iter().map(|d| (&d.file, d.position, d.fault)).collect();
    assert_eq!(damage, [(&name, last.start, Fault::Record)]);
}
