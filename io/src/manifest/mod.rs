//! The manifest: what a capture holds, and what is wrong with it, found by one pass over its frames.
//!
//! A back-test on a broken capture is a result about the recorder. So every replay scans first, prints
//! what it found, and refuses a capture that can not give what it seems to promise (S2-27).

use std::collections::BTreeMap;

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;
use serde::Serialize;

use crate::capture::{CaptureError, Merge};
use crate::exchange_info::ExchangeInfo;
use crate::feed::IgnoredCounts;

mod file;
mod joints;
mod offset;
mod problem;
mod scan;
mod symbol;
#[cfg(test)]
mod tests;
mod time;

pub use file::FileSummary;
pub use offset::OffsetSummary;
pub use problem::{Problem, Severity};
pub use symbol::SymbolSummary;
pub use time::utc;

use scan::Scan;

/// Thresholds of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestOptions {
    /// A silence of all streams longer than this is a gap in the recording.
    pub gap_max: Nanos,
    /// A median clock offset beyond this is worth a note.
    pub clock_offset_note: Nanos,
}

/// What a set of recordings holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Manifest {
    /// True when nothing is broken.
    pub complete: bool,
    /// Frames, REST answers included.
    pub frames: u64,
    /// First receive time, UTC.
    pub first: String,
    /// The same as a number, not in the JSON.
    #[serde(skip)]
    pub first_recv: Nanos,
    /// Last receive time, UTC.
    pub last: String,
    /// The same as a number, not in the JSON.
    #[serde(skip)]
    pub last_recv: Nanos,
    /// From first to last, in seconds.
    pub span_s: f64,
    /// One entry a file, in the order in which the readers were given (a replay sorts them by path).
    pub files: Vec<FileSummary>,
    /// Frames by stream name; `(raw)` without an envelope, `(rest)` for REST answers.
    pub streams: BTreeMap<String, u64>,
    /// One entry a symbol, by report key.
    pub symbols: BTreeMap<String, SymbolSummary>,
    /// Silences longer than `gap_max`.
    pub silences: Silences,
    /// Malformed frames. Lines that are no record, and cut tails, are findings only.
    pub malformed: u64,
    /// Rows that were understood and left out.
    pub ignored: Ignored,
    /// What is wrong or worth knowing.
    pub problems: Vec<Problem>,
}

/// Silences of all streams together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Silences {
    /// How many.
    pub count: u64,
    /// The longest one, in ms, also when it is no gap.
    pub longest_ms: u64,
    /// The first ones: when they began, and how long they lasted.
    pub list: Vec<Silence>,
}

/// One silence.
#[derive(Clone, Debug, Serialize)]
pub struct Silence {
    /// Last frame before it, UTC.
    pub after: String,
    /// Length in ms.
    pub ms: u64,
}

/// Rows left out, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Answers of the control protocol.
    pub control: u64,
    /// Event types that Fusewire does not read, objects of unknown shape, other books.
    pub unknown: u64,
    /// Rows of another market family.
    pub other_market: u64,
    /// Trade placeholders.
    pub placeholder: u64,
    /// Enum values that Fusewire does not know.
    pub unknown_value: u64,
}

impl From<IgnoredCounts> for Ignored {
    fn from(counts: IgnoredCounts) -> Self {
        Self {
            control: counts.control,
            unknown: counts.unknown,
            other_market: counts.other_market,
            placeholder: counts.placeholder,
            unknown_value: counts.unknown_value,
        }
    }
}

impl Manifest {
    /// What is broken.
    pub fn broken(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Broken)
    }
}

/// A manifest, and what the recordings bring along.
#[derive(Debug)]
pub struct Scanned {
    /// The manifest.
    pub manifest: Manifest,
    /// Recorded `exchangeInfo` answers.
    pub exchange_info: BTreeMap<Market, ExchangeInfo>,
}

/// Reads all recordings once. `progress` is called now and then with the bytes read so far.
///
/// # Errors
/// A recording that can not be read at all: not a capture, wrong unit of time, no market known. What is
/// merely damaged (cut short, malformed lines) becomes a problem of the manifest.
pub fn scan(
    mut merge: Merge,
    options: &ManifestOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<Scanned, CaptureError> {
    let mut scan = Scan::new(merge.readers(), *options)?;
    let mut taken: u64 = 0;
    loop {
        match merge.next() {
            Ok(Some(record)) => scan.record(&record),
            Ok(None) => break,
            Err(error) if error.is_damage() => scan.damage(&error),
            Err(error) => return Err(error),
        }
        taken += 1;
        if taken.is_multiple_of(PROGRESS_EVERY) {
            progress(merge.readers().iter().map(|reader| reader.bytes_read()).sum());
        }
    }
    Ok(scan.finish())
}

/// Frames between two progress reports.
const PROGRESS_EVERY: u64 = 4_096;
