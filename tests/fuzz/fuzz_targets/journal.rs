//! A small journal that was tampered with, through everything that reads and recovers journals: nothing
//! panics, a recovery keeps exactly what a reader saw before it, and finds nothing to do afterwards.
//!
//! An input is a list of changes. Many make a file that looks right and is not: their checksums hold.

#![no_main]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fusewire_core::journal::{
    Disk, Fault, JournalError, LaneReader, State, Strand, View, recover, segment_name,
};
use fusewire_core::lane::{Lane, RecordKind, decode};
use libfuzzer_sys::fuzz_target;

#[path = "journal/format.rs"]
mod format;

use format::{Files, Head, Slot, journal, places};

/// Changes of one journal.
const CHANGES_MAX: usize = 12;
/// Longest file, in bytes.
const FILE_BYTES_MAX: usize = 16_384;

fuzz_target!(|input: &[u8]| {
    let mut input = Input(input);
    let mut files = journal(input.byte() % 2 == 0);
    for _ in 0..CHANGES_MAX {
        if input.0.is_empty() {
            break;
        }
        change(&mut files, &mut input);
    }
    let dir = folder();
    lay_out(dir, &files);
    look(dir);
});

/// What is left of an input; zeros behind its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// At most so many bytes.
    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number: mostly a small one, sometimes one at the edge of what fits.
    fn number(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => u64::from(u32::MAX),
            253 => {
                let mut eight = [0; 8];
                let taken = self.take(8);
                eight[..taken.len()].copy_from_slice(taken);
                u64::from_le_bytes(eight)
            }
            small => u64::from(small),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        let number = u16::from_le_bytes([self.byte(), self.byte()]);
        if bound == 0 { 0 } else { usize::from(number) % bound }
    }

    fn lane(&mut self) -> Lane {
        Lane::ALL[usize::from(self.byte()) % Lane::ALL.len()]
    }

    /// A segment and its place: number of the segment `<< 32`, offset.
    fn position(&mut self) -> u64 {
        let (segment, offset) = (self.number(), self.below(FILE_BYTES_MAX) as u64);
        segment << 32 | offset
    }
}

/// Changes something about one of the files.
fn change(files: &mut Files, input: &mut Input<'_>) {
    let what = input.byte() % 12;
    if what >= 9 {
        return change_control(files, what, input);
    }
    let names: Vec<String> = files.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = names[usize::from(input.byte()) % names.len()].clone();
    let Some(file) = files.get_mut(&name) else { return };
    match what {
        0 => {
            let at = input.below(file.len());
            if let Some(byte) = file.get_mut(at) {
                *byte ^= input.byte() | 1;
            }
        }
        1 => file.truncate(input.below(FILE_BYTES_MAX)),
        2 => {
            let (at, count) = (input.below(file.len()), input.below(FILE_BYTES_MAX));
            file.iter_mut().skip(at).take(count).for_each(|byte| *byte = 0);
        }
        3 => {
            files.remove(&name);
        }
        4 => {
            let to = segment_name(Strand::Lane(input.lane()), input.number() as u32);
            let copy = file.clone();
            files.insert(to, copy);
        }
        5 => append(file, input),
        6 => reseal(file, input),
        7 => rewrite_head(file, input),
        _ => {
            let count = input.below(FILE_BYTES_MAX);
            *file = input.take(count).to_vec();
        }
    }
}

/// Puts a record behind the last one.
fn append(file: &mut Vec<u8>, input: &mut Input<'_>) {
    let Some(head) = Head::of(file) else { return };
    let (_, end) = places(file);
    let (kind, count) = (input.byte(), usize::from(input.byte()));
    let (record, _) = head.record(end, kind, input.take(count));
    if end + record.len() <= FILE_BYTES_MAX {
        file.resize(file.len().max(end + record.len()), 0);
        file[end..end + record.len()].copy_from_slice(&record);
    }
}

/// Changes a record and makes its checksum hold.
fn reseal(file: &mut [u8], input: &mut Input<'_>) {
    let Some(head) = Head::of(file) else { return };
    let (places, end) = places(file);
    if places.is_empty() {
        return;
    }
    let index = usize::from(input.byte()) % places.len();
    let (from, to) = (places[index], places.get(index + 1).copied().unwrap_or(end));
    let record = &mut file[from..to];
    let at = 8 + input.below(record.len() - 8);
    let count = usize::from(input.byte() % 9);
    let new = input.take(count);
    for (byte, new) in record[at..].iter_mut().zip(new) {
        *byte = *new;
    }
    head.seal(record, from);
}

/// Gives a segment a head that says something else, and holds.
fn rewrite_head(file: &mut Vec<u8>, input: &mut Input<'_>) {
    let Some(mut head) = Head::of(file) else { return };
    let start = head.start.unwrap_or_default();
    match input.byte() % 5 {
        0 => head.lane = input.byte(),
        1 => head.index = input.number() as u32,
        2 => head.session = input.number(),
        3 => head.start = Some((input.number(), start.1)),
        _ => head.start = None,
    }
    head.write(file);
}

/// Writes a slot that says something else, and holds.
fn change_control(files: &mut Files, what: u8, input: &mut Input<'_>) {
    let Some(page) = files.get_mut("control") else { return };
    let second = input.byte() % 2 == 1;
    let (slot, values) = match what {
        9 => {
            let slot = Slot::Done(input.lane());
            (slot, vec![input.number(), input.position(), input.number()])
        }
        10 => {
            let mut values = vec![input.number()];
            values.extend((0..5).map(|_| input.position()));
            values.extend((0..5).map(|_| input.number()));
            (Slot::Synced, values)
        }
        _ => (Slot::Kept, (0..11).map(|_| input.number()).collect()),
    };
    slot.write(page, second, &values);
}

/// The scratch folder of this process: the first that no other one holds.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (dir, _) = FOLDER.get_or_init(|| {
        let name = |n| std::env::temp_dir().join(format!("fusewire-fuzz-journal-{n}"));
        let (dir, held) = (0..).map(name).find_map(hold).expect("there are numbers enough");
        lay_out(&dir, &journal(true));
        check_sound(&dir, State::Closed);
        lay_out(&dir, &journal(false));
        check_sound(&dir, State::Interrupted);
        (dir, held)
    });
    dir
}

/// Makes a folder, if need be, and locks it until this process ends.
fn hold(dir: PathBuf) -> Option<(PathBuf, File)> {
    fs::create_dir_all(&dir).expect("the folder for scratch files takes a folder");
    let held = File::open(&dir).expect("the folder is ours");
    held.try_lock().is_ok().then_some((dir, held))
}

/// What nobody has changed yet is a journal without fault, or this target fuzzes nothing.
fn check_sound(dir: &Path, state: State) {
    let view = View::open(dir).expect("it was just written");
    assert_eq!((view.state, view.cut, view.damage.as_slice()), (state, 12, &[][..]));
}

fn lay_out(dir: &Path, files: &Files) {
    for entry in fs::read_dir(dir).expect("the folder is ours").flatten() {
        fs::remove_file(entry.path()).expect("the folder is ours");
    }
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).expect("the folder is ours");
    }
}

/// Reads, recovers, and reads again.
fn look(dir: &Path) {
    let Some(view) = open(dir) else { return };
    let before = lanes(&view);
    let recovered = match recover(dir, &mut ScratchDisk, 7) {
        Ok(Some(recovered)) => recovered,
        Ok(None) => {
            assert_eq!(view.state, State::Closed);
            return;
        }
        Err(JournalError::Io { error, .. }) => {
            panic!("the scratch folder takes everything: {error}")
        }
        Err(_) => return,
    };
    assert_eq!((recovered.cut, &recovered.damage), (view.cut, &view.damage));
    let after = open(dir).expect("what was recovered is a journal");
    assert_eq!(lanes(&after), before, "a recovery keeps what a reader saw");
    assert_eq!(after.cut, view.cut);
    for damage in &after.damage {
        // No recovery makes a lane begin that does not, and none takes the closing record off the frames.
        let lasting = damage.position.offset() == 0 || damage.fault == Fault::NotClosed;
        assert!(lasting, "{damage}");
    }
    let again = recover(dir, &mut ScratchDisk, 8).expect("it can be recovered once more");
    let again = again.map(|again| (again.removed, again.orphans, again.quarantined));
    assert_eq!(again.unwrap_or_default(), Default::default(), "and nothing is left to do");
}

fn open(dir: &Path) -> Option<View> {
    let view = View::open(dir).ok()?;
    for damage in &view.damage {
        assert!(!damage.to_string().is_empty());
    }
    Some(view)
}

/// What a reader sees: kinds and payloads, by lane.
fn lanes(view: &View) -> Vec<Vec<(u8, Vec<u8>)>> {
    Lane::ALL.map(|lane| read(view.reader(lane))).to_vec()
}

fn read(mut reader: LaneReader) -> Vec<(u8, Vec<u8>)> {
    let mut records = Vec::new();
    while let Ok(record) = reader.next().expect("the folder is ours") {
        if let Some(kind) = RecordKind::from_number(record.kind) {
            // Any outcome but a panic: the target `record` looks closer.
            let _ = decode::decode(kind, record.payload);
        }
        records.push((record.kind, record.payload.to_vec()));
    }
    records
}

/// The scratch folder as a disk that never waits for the medium.
struct ScratchDisk;

impl Disk for ScratchDisk {
    fn create(&mut self, path: &Path, bytes: u64) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.set_len(bytes)?;
        Ok(file)
    }

    fn sync(&mut self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}
