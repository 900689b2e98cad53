//! A small journal with made-up records, and what a reader sees of it.

use std::fs::File;
use std::io;

use super::*;

/// The real thing, but for the waiting: most tests are not about what is on the medium.
pub(super) struct FakeDisk;

impl Disk for FakeDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
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

/// A scratch folder in memory where there is one: thousands of small changes to files are then no matter of
/// the disk.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// True when the exhaustive versions are asked for, which take minutes.
pub(super) fn is_long() -> bool {
    std::env::var_os("FUSEWIRE_JOURNAL_LONG").is_some()
}

/// A generator of numbers that are the same on every machine.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `most`.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB) % most
    }
}

/// A small one: segments of two pages.
pub(super) fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 8_192,
        feed_segment_bytes: 8_192,
        disk_max_bytes: 1 << 30,
        reserve: [512; Lane::ALL.len()],
        ..JournalConfig::default()
    }
}

pub(super) fn opening<'a>(dir: &'a Path, config: &'a JournalConfig, session: u64) -> Opening<'a> {
    let (disk, kill) = (Box::new(FakeDisk), KillSwitch::new());
    Opening { dir, config, session, disk, kill }
}

/// The records that event `seq` gives each lane: not every lane has some, and some have several.
pub(super) fn records(lane: Lane, seq: u64) -> Vec<(RecordKind, Vec<u8>)> {
    let payload = |extra: u64| {
        let mut bytes = seq.to_le_bytes().to_vec();
        if lane == Lane::Event {
            // Two times, and the frame that the event came from.
            bytes.extend([seq * 2, seq * 3, seq].map(u64::to_le_bytes).concat());
        }
        bytes.extend((0..(seq * 7 + extra * 3) % 40).map(|n| (n * seq + extra) as u8));
        bytes
    };
    let (kind, count) = match lane {
        Lane::Feed => (RecordKind::FrameRef, 1),
        Lane::Event => (RecordKind::Event, 1),
        Lane::Alpha => (RecordKind::Intent, u64::from(seq.is_multiple_of(3))),
        Lane::Risk => (RecordKind::Verdict, if seq.is_multiple_of(3) { 2 } else { 0 }),
        Lane::Gateway => (RecordKind::Sent, if seq.is_multiple_of(3) { 2 } else { 0 }),
    };
    (0..count).map(|n| (kind, payload(n))).collect()
}

/// Puts event `seq` on all lanes, which must have room in the end.
pub(super) fn write(lanes: &mut [Appender; 5], watch: &Watch, seq: u64) -> Result<(), Stopped> {
    for appender in lanes {
        for (kind, payload) in records(appender.lane(), seq) {
            while !appender.ready() {
                if let Some(stopped) = watch.stopped() {
                    return Err(stopped.clone());
                }
                std::thread::yield_now();
            }
            appender.append(kind as u8, &[&payload], 7);
        }
        appender.done(seq);
    }
    Ok(())
}

pub(super) fn begin(dir: &Path, config: &JournalConfig) -> Begun {
    let (journal, mut lanes) = Journal::create(opening(dir, config, 99)).unwrap();
    lanes[Lane::Event as usize].append_waiting(RecordKind::Header as u8, &[b"{}"], 7).unwrap();
    (journal, lanes)
}

pub(super) fn close(journal: Journal, mut lanes: [Appender; 5]) {
    for lane in &mut lanes {
        lane.append_waiting(RecordKind::Close as u8, &[&[0; 48]], 7).unwrap();
    }
    journal.close(lanes).unwrap();
}

/// A closed journal of so many events.
pub(super) fn closed(dir: &Path, events: u64) {
    closed_with(dir, &config(), events);
}

pub(super) fn closed_with(dir: &Path, config: &JournalConfig, events: u64) {
    let (journal, mut lanes) = begin(dir, config);
    for seq in 1..=events {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    close(journal, lanes);
}

/// An interrupted journal of so many events.
pub(super) fn interrupted(dir: &Path, events: u64) {
    interrupted_with(dir, &config(), events, 0);
}

/// An interrupted journal of so many events, which was synced when it had at least `synced` of them.
pub(super) fn interrupted_with(dir: &Path, config: &JournalConfig, events: u64, synced: u64) {
    let (journal, mut lanes) = begin(dir, config);
    for seq in 1..=events {
        write(&mut lanes, journal.watch(), seq).unwrap();
        wait_synced(dir, if seq == synced { seq } else { 0 });
    }
}

/// Waits until the watermark names an event on all lanes.
pub(super) fn wait_synced(dir: &Path, seq: u64) {
    let synced = || {
        let page = ControlPage::read(dir).unwrap().unwrap();
        page.synced.unwrap().iter().map(|done| done.seq).min().unwrap()
    };
    while seq > 0 && synced() < seq {
        std::thread::yield_now();
    }
}

/// Goes on with an interrupted journal up to so many events, and closes it.
pub(super) fn go_on(dir: &Path, config: &JournalConfig, session: u64, events: u64) {
    let (journal, mut lanes) = Journal::resume(opening(dir, config, session)).unwrap();
    lanes[Lane::Event as usize].append_waiting(RecordKind::Header as u8, &[b"{}"], 7).unwrap();
    for seq in 1..=events {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    close(journal, lanes);
}

/// The same files in another folder.
pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The names in a folder, in order.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// What a lane holds: kinds and payloads.
pub(super) type Held = Vec<(u8, Vec<u8>)>;

pub(super) fn held(view: &View, lane: Lane) -> Held {
    all_of(view.reader(lane))
}

/// What a reader gives before it ends.
pub(super) fn all_of(mut reader: LaneReader) -> Held {
    let mut held = Vec::new();
    while let Ok(record) = reader.next().unwrap() {
        held.push((record.kind, record.payload.to_vec()));
    }
    held
}

/// What a lane should hold after so many events, without its closing record.
pub(super) fn expected(lane: Lane, events: u64) -> Held {
    let header = (lane == Lane::Event).then(|| (RecordKind::Header as u8, b"{}".to_vec()));
    let all = (1..=events).flat_map(|seq| records(lane, seq));
    header.into_iter().chain(all.map(|(kind, payload)| (kind as u8, payload))).collect()
}
