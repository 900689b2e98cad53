//! Files whose rows are out of order or stand there twice, as some public ones do (`--repair`): before an importer reads
//! such a file it is written anew beside its tapes, each row once, with the line that it had: in the order of ids where
//! rows have them, as that is the exchange's own, else in that of time, and what is equal as it stood.
//!
//! Nothing is guessed: two rows of one id that differ are refused here, two of one time that differ where each time stands
//! once by the importer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fusewire_core::units::Nanos;

use super::FileJob;
use super::error::ImportError;
use super::rows::join;
use super::sort::{Sorter, merge};
use super::staging::REPAIR;
use super::table::{Columns, Repair, Table};
use super::whose::{Whose, check_count};
use crate::capture::{CaptureError, OpenOptions, Reader};

/// Bytes of rows of one time or id that are compared with each other: exchanges do not tell as much in a millisecond.
const SAME_BYTES_MAX: usize = 64 << 20;
/// What stands in front of a row that is being sorted: its line.
const LINE_BYTES: usize = 8;

/// The columns by which rows are put in order and told from each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// When a row was known: the first of them that the file has.
    pub(super) time: &'static [usize],
    /// Its id, of which there are no two.
    pub(super) id: Option<usize>,
    /// The first of the columns that tell whose it is.
    pub(super) whose: usize,
}

/// A file that was written anew.
#[derive(Debug)]
pub(super) struct Repaired {
    path: PathBuf,
    /// Rows that stood behind a later one of their symbol.
    pub(super) moved: u64,
    /// Rows that stood there once more.
    pub(super) repeated: u64,
    /// Rows that were not asked for.
    pub(super) skipped: u64,
}

impl FileJob<'_> {
    /// Opens the file as a table, put in order before if that was asked for.
    pub(super) fn open(
        &self,
        columns: Columns,
        widths: &[usize],
        keys: Keys,
    ) -> Result<Table, ImportError> {
        let shift = self.options.shift_ns;
        if !self.options.repair {
            return Table::open(self.path, columns, widths, shift)
                .map(|table| table.with(Repair::Offered));
        }
        if self.repaired.get().is_none() {
            let table = Table::open(self.path, columns, widths, shift)?;
            let repaired = repair(self, table, keys)?;
            // It was empty.
            let _ = self.repaired.set(repaired);
        }
        let path = self.repaired.get().map_or(self.path, |repaired| &repaired.path);
        Table::open_repaired(path, self.path, (columns, widths), shift)
    }
}

/// The rows of a file on their way into order.
struct Sorting {
    /// By id, or by time where there is none.
    rows: Sorter,
    /// Hashes of rows by id.
    ids: Sorter,
    /// The latest of each symbol.
    last: BTreeMap<String, Nanos>,
    moved: u64,
    skipped: u64,
}

fn repair(job: &FileJob<'_>, mut table: Table, keys: Keys) -> Result<Repaired, ImportError> {
    let name = table.name().to_owned();
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(&name, error);
    let folder = job.folder.join(REPAIR);
    let (rows, ids) = (folder.join("rows"), folder.join("ids"));
    let made = clear(job.folder).and_then(|()| fs::create_dir_all(&rows));
    made.and_then(|()| fs::create_dir_all(&ids)).map_err(|error| failed(&error))?;
    let mut head = Vec::new();
    if let Some(names) = table.names() {
        join(names, &mut head);
        // The line of names is one too.
        head.extend_from_slice(b",1\n");
    }
    let mut sorting = Sorting {
        rows: Sorter::new(&rows, job.market, 0),
        ids: Sorter::new(&ids, job.market, 0),
        last: BTreeMap::new(),
        moved: 0,
        skipped: 0,
    };
    let (whose, only) = Whose::new(&table, keys.whose, (job.market, job.options))?;
    while table.next()? {
        match whose.symbol(&table, only.as_ref())? {
            Some(symbol) => sorting.take(&mut table, symbol, keys)?,
            None => sorting.skipped += 1,
        }
    }
    let Sorting { rows: mut by_key, ids: mut by_id, moved, skipped, .. } = sorting;
    let runs = by_id.take_runs().map_err(|error| failed(&error))?;
    if let (Some(id), Some(sorted)) = (keys.id, sorted(job, &ids, &runs)?) {
        refuse_differing(&table, id, sorted).map_err(|error| error.named(&name))?;
    }
    // What is done with takes no room any more.
    fs::remove_dir_all(&ids).map_err(|error| failed(&error))?;
    let runs = by_key.take_runs().map_err(|error| failed(&error))?;
    let path = folder.join("rows.csv");
    let mut file = BufWriter::new(File::create(&path).map_err(|error| failed(&error))?);
    file.write_all(&head).map_err(|error| failed(&error))?;
    let repeated = match sorted(job, &rows, &runs)? {
        Some(sorted) => write_once(sorted, &mut file).map_err(|error| error.named(&name))?,
        None => 0,
    };
    file.flush().map_err(|error| failed(&error))?;
    fs::remove_dir_all(&rows).map_err(|error| failed(&error))?;
    Ok(Repaired { path, moved, repeated, skipped })
}

/// Removes what an earlier file left.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder.join(REPAIR)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Sorting {
    fn take(&mut self, table: &mut Table, symbol: String, keys: Keys) -> Result<(), ImportError> {
        let has = |column: &&usize| table.has(**column);
        let column = keys.time.iter().find(has).copied().unwrap_or_default();
        let mut key = table.time(column)?;
        let mut row = table.line().to_le_bytes().to_vec();
        join(table.fields(), &mut row);
        if let Some(column) = keys.id {
            let id = u64::try_from(table.int(column)?);
            let id = id.map_err(|_| table.field_error(column, "is below zero"))?;
            let mut told = row[..LINE_BYTES].to_vec();
            told.extend_from_slice(blake3::hash(&row[LINE_BYTES..]).as_bytes());
            told.extend_from_slice(symbol.as_bytes());
            self.ids.add(Nanos(id), &told).map_err(|error| table.error(error))?;
            key = Nanos(id);
        }
        self.rows.add(key, &row).map_err(|error| table.error(error))?;
        let latest = self.last.entry(symbol).or_insert(key);
        self.moved += u64::from(key < *latest);
        *latest = key.max(*latest);
        check_count(table, self.last.len())
    }
}

/// What can go wrong with rows in order.
enum Fault {
    Read(CaptureError),
    Write(io::Error),
    Row(u64, String),
}

impl Fault {
    fn named(self, name: &str) -> ImportError {
        match self {
            Self::Read(error) => ImportError::of_file(name, error),
            Self::Write(error) => ImportError::of_file(name, error),
            Self::Row(line, what) => ImportError::at(name, line, what),
        }
    }
}

/// All runs of a sorter as one; none when it was given nothing.
fn sorted(
    job: &FileJob<'_>,
    folder: &Path,
    runs: &[String],
) -> Result<Option<Reader>, ImportError> {
    if runs.is_empty() {
        return Ok(None);
    }
    let out = folder.join("sorted.tape");
    let failed = |error: &dyn std::fmt::Display| {
        ImportError::of_file(&job.path.display().to_string(), error)
    };
    merge(folder, runs, job.market, &out).map_err(|error| failed(&error))?;
    Reader::open(&out, &OpenOptions::default()).map(Some).map_err(|error| failed(&error))
}

/// The line of a row that was sorted, and what stands behind it.
fn parts(bytes: &[u8]) -> (u64, &[u8]) {
    let (line, rest) = bytes.split_at(LINE_BYTES.min(bytes.len()));
    (line.try_into().map_or(0, u64::from_le_bytes), rest)
}

/// Two rows of one symbol and id must be the same.
fn refuse_differing(table: &Table, column: usize, mut sorted: Reader) -> Result<(), Fault> {
    let mut key = None;
    // By symbol: the hash of the first row of this id, and its line.
    let mut same: BTreeMap<Vec<u8>, (Vec<u8>, u64)> = BTreeMap::new();
    while let Some(record) = sorted.next().map_err(Fault::Read)? {
        if key.replace(record.recv) != Some(record.recv) {
            same.clear();
        }
        let (line, rest) = parts(record.bytes);
        let (hash, symbol) = rest.split_at(blake3::OUT_LEN.min(rest.len()));
        match same.get(symbol) {
            Some((first, before)) if first != hash => {
                let (name, id) = (table.column_name(column), record.recv.0);
                let what = format!("{name} {id} stands in line {before} with other content");
                return Err(Fault::Row(line, what));
            }
            Some(_) => {}
            None => drop(same.insert(symbol.to_vec(), (hash.to_vec(), line))),
        }
    }
    Ok(())
}

/// Writes each row once with its line behind it, and counts those that stood there again.
fn write_once(mut sorted: Reader, file: &mut impl Write) -> Result<u64, Fault> {
    let (mut key, mut bytes, mut repeated) = (None, 0, 0);
    let mut same: BTreeSet<Vec<u8>> = BTreeSet::new();
    while let Some(record) = sorted.next().map_err(Fault::Read)? {
        if key.replace(record.recv) != Some(record.recv) {
            same.clear();
            bytes = 0;
        }
        let (line, row) = parts(record.bytes);
        if same.contains(row) {
            repeated += 1;
            continue;
        }
        bytes += row.len();
        if bytes > SAME_BYTES_MAX {
            let what = format!("more than {SAME_BYTES_MAX} bytes of rows of one time or id");
            return Err(Fault::Row(line, what));
        }
        same.insert(row.to_vec());
        let written = file.write_all(row).and_then(|()| writeln!(file, ",{line}"));
        written.map_err(Fault::Write)?;
    }
    Ok(repeated)
}
