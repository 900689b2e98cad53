//! A run with a journal is the run without one, also when the disk does not keep up.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use fusewire_core::journal::{
    Appender, Begun, Disk, Journal, JournalConfig, Opening, RealDisk, State, View,
};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Digest, Keep, Lane, LaneWriter, RecordKind};
use fusewire_core::units::Nanos;
use fusewire_io::gateway::Venue;
use fusewire_strategies::strategy::Strategy;
use proptest::prelude::*;

use super::order::{Whole, faults, jitters, paces, whole, wild};
use super::rig::{Rig, Setup};
use super::walk::Pace;

/// Segments of a few hundred records, so that a short run takes several.
pub(crate) fn small() -> JournalConfig {
    JournalConfig {
        segment_bytes: 32_768,
        feed_segment_bytes: 262_144,
        // A halt may add an intent for every order; the longest line of a synthetic capture has 13 kB.
        reserve: [32_768, 4_096, 4_096, 16_640, 4_096],
        ..JournalConfig::default()
    }
}

/// Begins a journal.
pub(crate) fn begin(dir: &Path, config: &JournalConfig, disk: Box<dyn Disk>) -> Begun {
    let kill = KillSwitch::new();
    Journal::create(Opening { dir, config, session: 99, disk, kill }).unwrap()
}

/// Ends the journal of a rig whose feed lane was never used.
pub(crate) fn end<S: Strategy, V: Venue>(journal: Journal, feed: Appender, mut rig: Rig<S, V>) {
    let (last, header) = (rig.head.seq(), Digest::of(b"{}"));
    let mut unused = LaneWriter::new(Keep::Digest);
    unused.attach(feed);
    let mut lanes = vec![unused.close(0, header).unwrap().unwrap()];
    lanes.extend(rig.lanes_mut().map(|lane| lane.close(last, header).unwrap().unwrap()));
    journal.close(lanes.try_into().unwrap()).unwrap();
}

/// A disk that never loses power, so that it need not sync. It may make files only when it is let.
struct ScratchDisk(Option<Gate>);

struct Gate {
    /// Files that are made at once: those that a journal begins with.
    free: usize,
    asked: Sender<()>,
    let_go: Receiver<()>,
}

impl Gate {
    fn pass(&mut self) {
        if self.free > 0 {
            self.free -= 1;
        } else if self.asked.send(()).is_ok() {
            // Who is gone has no more objections.
            let _ = self.let_go.recv();
        }
    }
}

impl Disk for ScratchDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        if let Some(gate) = &mut self.0 {
            gate.pass();
        }
        RealDisk.create(path, bytes)
    }

    fn sync(&mut self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        RealDisk.cut(file, bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
}

/// Digests of the lanes behind the feed, of what a reader finds on disk.
fn read_back(dir: &Path) -> [Digest; 4] {
    let view = View::open(dir).unwrap();
    assert_eq!((view.state, view.damage.as_slice()), (State::Closed, &[][..]));
    [Lane::Event, Lane::Alpha, Lane::Risk, Lane::Gateway].map(|lane| {
        let (mut reader, mut again) = (view.reader(lane), LaneWriter::new(Keep::Digest));
        while let Ok(record) = reader.next().unwrap() {
            let kind = RecordKind::from_number(record.kind).unwrap();
            if kind.is_digested() {
                again.append_as(&[record.payload], kind, &[]);
            }
        }
        assert!(view.lane(lane).end.segment() > 2, "{} has several segments", lane.name());
        again.digest()
    })
}

fn run_recorded(mut rig: Whole, dir: &Path) -> [Digest; 4] {
    let (journal, lanes) = begin(dir, &small(), Box::new(ScratchDisk(None)));
    let feed = rig.record(lanes);
    assert_eq!(rig.run(), Ok(()));
    let digests = rig.digests();
    end(journal, feed, rig);
    digests
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_run_with_a_journal_has_the_digests_of_one_without_and_so_has_what_is_on_disk(
        seed in any::<u64>(), pace in paces(), faults in faults(), jitter in jitters(),
    ) {
        let mut setup = Setup::new(2, seed);
        (setup.paper.jitter, setup.paper.faults) = (jitter, faults);
        let make = || whole(&setup, (pace, 1_000, 0), wild(&setup, 2));
        let mut plain = make();
        prop_assert_eq!(plain.run(), Ok(()));
        let folder = tempfile::tempdir().unwrap();
        let digests = run_recorded(make(), folder.path());
        prop_assert_eq!(digests, plain.digests());
        prop_assert_eq!(digests, read_back(folder.path()));
    }
}

/// Each further segment is made only after the run has come to a halt for want of one.
#[test]
fn a_run_waits_for_a_slow_disk_and_goes_on_as_if_it_had_not() {
    let mut setup = Setup::new(2, 5);
    setup.paper.jitter = Nanos(2 * Nanos::MILLI);
    let make = || whole(&setup, (Pace::Fast, 2_000, 0), wild(&setup, 2));
    let mut plain = make();
    assert_eq!(plain.run(), Ok(()));
    let folder = tempfile::tempdir().unwrap();
    let ((asked, is_asked), (lets_go, let_go)) = (channel(), channel());
    // The control page, and the first segment of each lane.
    let disk = ScratchDisk(Some(Gate { free: 1 + Lane::ALL.len(), asked, let_go }));
    let mut rig = make();
    let (journal, lanes) = begin(folder.path(), &small(), Box::new(disk));
    let feed = rig.record(lanes);
    let watch = journal.watch().clone();
    // The ends of the channels go with this block, also when it fails: the disk must not wait for ever.
    let (rig, waits) = std::thread::scope(move |scope| {
        let run = scope.spawn(move || {
            assert_eq!(rig.run(), Ok(()));
            rig
        });
        let mut waits = 0;
        while !run.is_finished() {
            if watch.is_starved() && is_asked.try_recv().is_ok() {
                waits += 1;
                lets_go.send(()).unwrap();
            }
            std::thread::yield_now();
        }
        (run.join().unwrap(), waits)
    });
    assert!(waits > 20, "the run waited {waits} times");
    let digests = rig.digests();
    end(journal, feed, rig);
    assert_eq!(digests, plain.digests());
    assert_eq!(digests, read_back(folder.path()));
}
