//! Frames in the order of their times, whatever the order and the size of the files that they come from.
//!
//! What fits into memory is sorted there and written as a tape of its own, a run; at the end the runs are merged.
//! Equal times stay in the order in which they were given.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;

use crate::capture::{CaptureError, Merge, OpenOptions, Origin, Reader};
use crate::tape::{TapeError, TapeSummary, TapeWriter};

/// Bytes of frames that are sorted in memory.
const RUN_BYTES: usize = 64 << 20;
/// What the names of runs begin with.
pub(super) const RUN_PREFIX: &str = "run-";
/// What the names of runs that were merged from others begin with.
pub(super) const MERGED_PREFIX: &str = "merged-";
/// Runs that are merged at a time.
const MERGE_MAX: usize = 128;

/// A sort that went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum SortError {
    /// A run can not be written.
    #[error(transparent)]
    Write(#[from] TapeError),
    /// A run can not be read back.
    #[error(transparent)]
    Read(#[from] CaptureError),
    /// A run can not be removed.
    #[error("{0}")]
    Remove(std::io::Error),
}

/// Takes frames in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    folder: PathBuf,
    market: Market,
    run_bytes: usize,
    bytes: Vec<u8>,
    frames: Vec<(Nanos, Range<usize>)>,
    /// Names of the runs so far, in order.
    runs: Vec<String>,
    /// Number of the next run.
    number: u64,
}

impl Sorter {
    /// Runs go to `folder`, from this number on.
    pub(super) fn new(folder: &Path, market: Market, number: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            market,
            run_bytes: RUN_BYTES,
            bytes: Vec::new(),
            frames: Vec::new(),
            runs: Vec::new(),
            number,
        }
    }

    #[cfg(test)]
    fn with_run_bytes(mut self, bytes: usize) -> Self {
        self.run_bytes = bytes;
        self
    }

    /// Takes a frame.
    pub(super) fn add(&mut self, recv: Nanos, frame: &[u8]) -> Result<(), SortError> {
        if self.bytes.len() + frame.len() > self.run_bytes && !self.frames.is_empty() {
            self.write_run()?;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame);
        self.frames.push((recv, start..self.bytes.len()));
        Ok(())
    }

    /// Writes what is in memory, and gives the names of all runs since the last call.
    pub(super) fn take_runs(&mut self) -> Result<Vec<String>, SortError> {
        if !self.frames.is_empty() {
            self.write_run()?;
        }
        Ok(std::mem::take(&mut self.runs))
    }

    fn write_run(&mut self) -> Result<(), SortError> {
        // Stable: equal times stay as they came.
        self.frames.sort_by_key(|(recv, _)| *recv);
        let name = run_name(self.number);
        self.number += 1;
        let mut tape = TapeWriter::create(&self.folder.join(&name), self.market)?;
        for (recv, frame) in &self.frames {
            tape.add(*recv, "", &self.bytes[frame.clone()])?;
        }
        tape.finish()?;
        self.runs.push(name);
        self.bytes.clear();
        self.frames.clear();
        Ok(())
    }
}

/// Name of a run.
pub(super) fn run_name(number: u64) -> String {
    format!("{RUN_PREFIX}{number:06}.tape")
}

/// Merges runs into one tape. They stay where they are, so that it can be done again.
pub(super) fn merge(
    folder: &Path,
    runs: &[String],
    market: Market,
    out: &Path,
) -> Result<TapeSummary, SortError> {
    merge_levels(folder, runs, (market, out), (0, MERGE_MAX))
}

/// Merges as many as can be at a time, and what comes out of it at the next level.
fn merge_levels(
    folder: &Path,
    runs: &[String],
    (market, out): (Market, &Path),
    (level, most): (u32, usize),
) -> Result<TapeSummary, SortError> {
    if runs.len() <= most {
        return merge_few(folder, runs, market, out);
    }
    let mut longer = Vec::new();
    for (n, few) in runs.chunks(most).enumerate() {
        let name = format!("{MERGED_PREFIX}{level}-{n:06}.tape");
        merge_few(folder, few, market, &folder.join(&name))?;
        longer.push(name);
    }
    let summary = merge_levels(folder, &longer, (market, out), (level + 1, most))?;
    for name in longer {
        fs::remove_file(folder.join(name)).map_err(SortError::Remove)?;
    }
    Ok(summary)
}

fn merge_few(
    folder: &Path,
    runs: &[String],
    market: Market,
    out: &Path,
) -> Result<TapeSummary, SortError> {
    let open = |name: &String| Reader::open(&folder.join(name), &OpenOptions::default());
    let mut merge = Merge::new(runs.iter().map(open).collect::<Result<_, _>>()?)?;
    let mut tape = TapeWriter::create(out, market)?;
    while let Some(record) = merge.next()? {
        let address = match record.origin {
            Origin::Stream => "",
            Origin::Rest { url } => url,
        };
        tape.add(record.recv, address, record.bytes)?;
    }
    Ok(tape.finish()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Each case writes and syncs a file a run.
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_sort_in_runs_equals_a_stable_sort(
            times in prop::collection::vec(0_u64..20, 1..150),
            run_bytes in 1_usize..64,
            // Several levels of merges.
            merge_most in 2_usize..6,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(folder.path(), Market::UsdM, 0).with_run_bytes(run_bytes);
            let mut expected: Vec<_> = times.iter().enumerate().map(|(n, at)| (*at, n)).collect();
            for (at, n) in &expected {
                sorter.add(Nanos(*at), &n.to_le_bytes()).unwrap();
            }
            let runs = sorter.take_runs().unwrap();
            prop_assert_eq!(runs.len(), times.len().div_ceil((run_bytes / 8).max(1)));
            let out = folder.path().join("out");
            let target = (Market::UsdM, out.as_path());
            let summary = merge_levels(folder.path(), &runs, target, (0, merge_most)).unwrap();
            prop_assert_eq!(summary.records, times.len() as u64);
            let mut reader = Reader::open(&out, &OpenOptions::default()).unwrap();
            let mut found = Vec::new();
            while let Some(record) = reader.next().unwrap() {
                found.push((record.recv.0, usize::from_le_bytes(record.bytes.try_into().unwrap())));
            }
            expected.sort_by_key(|(at, _)| *at);
            prop_assert_eq!(found, expected);
        }
    }
}
