//! The control page: how far each lane is done, how far it is synced, and what was dropped.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::MmapRaw;

use super::checksum::{Seed, crc32c};
use super::disk::{Disk, open_plain, read_fully};
use super::error::Fault;
use super::layout::{Position, VERSION, u32_at, u64_at};
use super::memory::Memory;
use super::memory::hardware::crc32c_of;
use super::words::{newer, read_pair, read_slot, write_slot};
use crate::lane::Lane;

/// Name of the page's file.
pub(super) const CONTROL_NAME: &str = "control";
/// Name that it has until it is whole.
pub(super) const CONTROL_NEW_NAME: &str = "control.new";
/// Bytes of the page.
pub(super) const CONTROL_BYTES: usize = 4_096;

const MAGIC: [u8; 8] = *b"FUSEWCTL";
const LANES: usize = Lane::ALL.len();
/// Number of the control page in seeds: no lane has it.
const STRAND: u8 = u8::MAX;
/// Tries to read a pair of slots that its writer is busy with.
const TRIES: usize = 64;
/// Looks at a page whose writers are busy. A look may find any of its slots half written, so that many may be needed
/// where the reader gets little of the processor.
const LOOKS: usize = 4_096;
/// The first turn of a pair's writer: two were taken when the page was made.
pub(super) const FIRST_TURN: u64 = 2;

/// How far a lane has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The last event (of the feed lane: frame) that was wholly handled.
    pub seq: u64,
    /// Behind the last record then.
    pub position: Position,
    /// Records then.
    pub records: u64,
}

/// The first segment of a lane that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub index: u32,
    /// The session in its head, so that no other journal's segment can stand in its place.
    pub session: u64,
}

/// Two slots of the page, written in turn.
#[derive(Clone, Copy)]
struct Pair {
    at: usize,
    apart: usize,
}

const WATERMARK: Pair = Pair { at: 1_024, apart: 128 };
const KEPT: Pair = Pair { at: 1_536, apart: 128 };
/// Generation, positions, numbers.
const WATERMARK_VALUES: usize = 1 + 2 * LANES;
/// Generation, first segments, their sessions.
const KEPT_VALUES: usize = 1 + 2 * LANES;
const DONE_VALUES: usize = 3;

const fn done_pair(lane: Lane) -> Pair {
    Pair { at: 256 + 128 * lane as usize, apart: 64 }
}

fn slot_at(pair: Pair, turn: u64) -> usize {
    pair.at + if turn.is_multiple_of(2) { 0 } else { pair.apart }
}

fn checksum<const N: usize>(seed: Seed, at: usize, values: &[u64; N]) -> u64 {
    u64::from(crc32c_of(values) ^ seed.at(at as u32, 8 * N as u32))
}

/// The page as its writers share it: each lane's slots have one writer, the others the keeper.
#[derive(Debug)]
pub(super) struct Control {
    memory: Memory,
    file: File,
    seed: Seed,
}

impl Control {
    /// Makes the page under a name of its own and puts it in place of one that may be there.
    pub(super) fn create(
        disk: &mut dyn Disk,
        dir: &Path,
        session: u64,
        lanes: &[Done; LANES],
        kept: &[Kept; LANES],
    ) -> io::Result<Self> {
        let temporary = dir.join(CONTROL_NEW_NAME);
        // One is left when a process died before it was in place.
        let _ = std::fs::remove_file(&temporary);
        let made = Self::make(disk, &temporary, session, lanes, kept).and_then(|control| {
            std::fs::rename(&temporary, dir.join(CONTROL_NAME))?;
            disk.sync_folder(dir)?;
            Ok(control)
        });
        if made.is_err() {
            // The first error counts.
            let _ = std::fs::remove_file(&temporary);
        }
        made
    }

    fn make(
        disk: &mut dyn Disk,
        path: &Path,
        session: u64,
        lanes: &[Done; LANES],
        kept: &[Kept; LANES],
    ) -> io::Result<Self> {
        let file = disk.create(path, CONTROL_BYTES as u64)?;
        let mut memory = Memory::File(MmapRaw::map_raw(&file)?);
        memory.bytes_mut()[..28].copy_from_slice(&head(session));
        let control = Self { memory, file, seed: Seed::new(session, STRAND, 0) };
        // Both slots of each pair: one that does not verify is then always one that was being written.
        for turn in 0..FIRST_TURN {
            for (lane, done) in Lane::ALL.into_iter().zip(lanes) {
                control.write_done(lane, turn, done);
            }
            control.write_synced(turn, lanes);
            control.write_kept(turn, kept);
        }
        disk.sync(&control.file)?;
        Ok(control)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Says how far a lane is. `turn` counts up by one with every call for that lane.
    pub(super) fn write_done(&self, lane: Lane, turn: u64, done: &Done) {
        self.write(done_pair(lane), turn, &[done.seq, done.position.0, done.records]);
    }

    /// Says how far the lanes are synced.
    pub(super) fn write_synced(&self, generation: u64, lanes: &[Done; LANES]) {
        let mut values = [generation; WATERMARK_VALUES];
        for (index, done) in lanes.iter().enumerate() {
            (values[1 + index], values[1 + LANES + index]) = (done.position.0, done.seq);
        }
        self.write(WATERMARK, generation, &values);
    }

    /// Says which segment of each lane is the first that is kept.
    pub(super) fn write_kept(&self, generation: u64, first: &[Kept; LANES]) {
        let mut values = [generation; KEPT_VALUES];
        for (lane, kept) in first.iter().enumerate() {
            (values[1 + lane], values[1 + LANES + lane]) = (u64::from(kept.index), kept.session);
        }
        self.write(KEPT, generation, &values);
    }

    fn write<const N: usize>(&self, pair: Pair, turn: u64, values: &[u64; N]) {
        let at = slot_at(pair, turn);
        let slot = self.memory.words(at, N + 1);
        write_slot(slot, values, checksum(self.seed, at, values));
    }

    /// How far a lane is; `None` when its writer was busy all the while.
    pub(super) fn done(&self, lane: Lane) -> Option<Done> {
        let pair = done_pair(lane);
        let slot = |turn| {
            let (at, mut values) = (slot_at(pair, turn), [0; DONE_VALUES]);
            let sum = read_slot(self.memory.words(at, DONE_VALUES + 1), &mut values);
            (sum == checksum(self.seed, at, &values)).then_some(values)
        };
        (0..TRIES).find_map(|_| read_pair(slot)).map(done_of)
    }
}

fn done_of([seq, position, records]: [u64; DONE_VALUES]) -> Done {
    Done { seq, position: Position(position), records }
}

fn head(session: u64) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&session.to_le_bytes());
    let crc = crc32c(&bytes[..24]);
    bytes[24..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The page as a reader sees it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPage {
    /// The writer's session.
    pub session: u64,
    /// How far each lane is done; `None` where neither slot verifies.
    pub done: [Option<Done>; LANES],
    /// How far each lane is synced.
    pub synced: Option<[Done; LANES]>,
    /// The first segment of each lane that is kept.
    pub kept: Option<[Kept; LANES]>,
}

impl ControlPage {
    /// Reads the page of a folder. A writer may be busy with it: what does not verify is looked at again.
    ///
    /// # Errors
    /// The file can not be read.
    pub fn read(dir: &Path) -> io::Result<Result<Self, Fault>> {
        let (mut looks, mut before) = (1, Vec::new());
        loop {
            let bytes = read_page(&dir.join(CONTROL_NAME))?;
            let page = Self::parse(&bytes);
            // What does not verify and stays as it is nobody is writing: its writer died.
            let settled = bytes == before || (page.is_ok() && !is_torn(&bytes));
            if looks == LOOKS || settled {
                return Ok(page);
            }
            (looks, before) = (looks + 1, bytes);
        }
    }

    /// True when nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.done.iter().all(Option::is_some) && self.synced.is_some() && self.kept.is_some()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != CONTROL_BYTES || bytes[..8] != MAGIC {
            return Err(Fault::Control);
        }
        if crc32c(&bytes[..24]) != u32_at(bytes, 24) {
            return Err(Fault::Control);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(Fault::Version(version));
        }
        let session = u64_at(bytes, 16);
        let seed = Seed::new(session, STRAND, 0);
        let done = Lane::ALL.map(|lane| pair(bytes, seed, done_pair(lane)).map(done_of));
        let synced = pair(bytes, seed, WATERMARK).map(|values: [u64; WATERMARK_VALUES]| {
            std::array::from_fn(|lane| Done {
                seq: values[1 + LANES + lane],
                position: Position(values[1 + lane]),
                records: 0,
            })
        });
        let kept = pair(bytes, seed, KEPT).map(|values: [u64; KEPT_VALUES]| {
            std::array::from_fn(|lane| Kept {
                index: u32::try_from(values[1 + lane]).unwrap_or(u32::MAX),
                session: values[1 + LANES + lane],
            })
        });
        Ok(Self { session, done, synced, kept })
    }
}

/// The bytes of the page's file, not many more than a page has; none when it is no plain file.
fn read_page(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; CONTROL_BYTES + 1];
    let read = match open_plain(path)? {
        Some(file) => read_fully(&file, &mut bytes, 0)?,
        None => 0,
    };
    bytes.truncate(read);
    Ok(bytes)
}

/// True when a slot of a page does not verify: it was being written, or its writer died.
fn is_torn(bytes: &[u8]) -> bool {
    let seed = Seed::new(u64_at(bytes, 16), STRAND, 0);
    let torn = |pair: Pair, values: usize| {
        (0..FIRST_TURN).any(|turn| {
            let at = slot_at(pair, turn);
            let sum = crc32c(&bytes[at..at + values * 8]) ^ seed.at(at as u32, values as u32 * 8);
            u64_at(bytes, at + values * 8) != u64::from(sum)
        })
    };
    torn(WATERMARK, WATERMARK_VALUES)
        || torn(KEPT, KEPT_VALUES)
        || Lane::ALL.into_iter().any(|lane| torn(done_pair(lane), DONE_VALUES))
}

fn pair<const N: usize>(bytes: &[u8], seed: Seed, pair: Pair) -> Option<[u64; N]> {
    let slot = |turn| {
        let at = slot_at(pair, turn);
        let values: [u64; N] = std::array::from_fn(|index| u64_at(bytes, at + 8 * index));
        let sum = u64_at(bytes, at + 8 * N);
        (sum == checksum(seed, at, &values)).then_some(values)
    };
    newer(slot(0), slot(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::disk::RealDisk;

    fn done(seq: u64) -> Done {
        Done { seq, position: Position::new(2, 8 * seq as u32), records: 3 * seq }
    }

    fn kept(index: u32) -> Kept {
        Kept { index, session: 1_000 + u64::from(index) }
    }

    #[test]
    fn the_page_is_read_as_it_was_written_and_any_torn_slot_leaves_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let lanes = [0; 5].map(done);
        let control = Control::create(&mut RealDisk, dir, 77, &lanes, &[1; 5].map(kept)).unwrap();
        for seq in 1..=9 {
            for lane in Lane::ALL {
                control.write_done(lane, seq, &done(seq + lane as u64));
            }
        }
        control.write_synced(FIRST_TURN, &[4, 5, 6, 7, 8].map(done));
        control.write_kept(FIRST_TURN, &[1, 2, 3, 4, 5].map(kept));
        let page = ControlPage::read(dir).unwrap().unwrap();
        assert!(page.is_whole());
        assert_eq!(page.done, [9, 10, 11, 12, 13].map(|seq| Some(done(seq))));
        assert_eq!(page.synced.unwrap().map(|done| done.seq), [4, 5, 6, 7, 8]);
        assert_eq!((page.session, page.kept), (77, Some([1, 2, 3, 4, 5].map(kept))));
        assert_eq!(control.done(Lane::Risk), Some(done(12)));
        let path = dir.join(CONTROL_NAME);
        let good = std::fs::read(&path).unwrap();
        for at in 0..CONTROL_BYTES {
            let mut bad = good.clone();
            bad[at] ^= 1;
            match ControlPage::parse(&bad) {
                Err(fault) => assert!(at < 28, "byte {at}: {fault}"),
                Ok(found) => {
                    let older = |(now, was): (&Option<Done>, &Option<Done>)| {
                        now.is_some_and(|now| now.seq <= was.unwrap().seq)
                    };
                    assert!(found.done.iter().zip(&page.done).all(older), "byte {at}");
                    assert!(found.is_whole(), "byte {at}");
                }
            }
        }
    }

    /// A page on the heap: Miri runs this.
    #[test]
    fn a_page_is_shared_by_threads_and_never_goes_back() {
        let file = File::open("/dev/null").unwrap();
        let memory = Memory::heap(CONTROL_BYTES);
        let control = Control { memory, file, seed: Seed::new(7, STRAND, 0) };
        for turn in 0..FIRST_TURN {
            Lane::ALL.into_iter().for_each(|lane| control.write_done(lane, turn, &done(0)));
        }
        std::thread::scope(|scope| {
            for lane in [Lane::Event, Lane::Gateway] {
                let control = &control;
                scope.spawn(move || {
                    for seq in 1..=30 {
                        control.write_done(lane, FIRST_TURN - 1 + seq, &done(seq));
                    }
                });
            }
            let mut before = [0; 2];
            while before != [30; 2] {
                for (lane, before) in [Lane::Event, Lane::Gateway].into_iter().zip(&mut before) {
                    let Some(now) = control.done(lane) else { continue };
                    assert_eq!(now, done(now.seq), "it is whole");
                    assert!(now.seq >= *before, "{} after {before}", now.seq);
                    *before = now.seq;
                }
                std::thread::yield_now();
            }
        });
    }
}
