//! The count arrays as a file of the journal, so that other processes see them while the run goes on.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::MmapRaw;
use thiserror::Error;

use super::{Counts, Latencies, MAX_WORD, SPAN_WORDS, Span};
use crate::journal::memory::Memory;
use crate::journal::{Disk, crc32c};
use crate::latency::BUCKETS;

/// Name of the file in the journal's folder.
pub const LATENCY_NAME: &str = "latency";

const MAGIC: [u8; 8] = *b"FUSEWLAT";
/// Version of the file's layout.
const VERSION: u16 = 1;
/// Bytes in front of the counts.
const HEAD_BYTES: usize = 64;
const FILE_BYTES: usize = HEAD_BYTES + Span::ALL.len() * SPAN_WORDS * 8;

/// Why a file of count arrays can not be read.
#[derive(Debug, Error)]
pub enum PageError {
    /// It can not be opened or read.
    #[error("{LATENCY_NAME}: {0}")]
    Io(#[from] io::Error),
    /// It is none, or of another version.
    #[error("{LATENCY_NAME}: no count arrays of version {VERSION}")]
    Foreign,
}

impl Latencies {
    /// Empty arrays in a file of `dir`, in place of those of an earlier process. `sample`: of so many messages
    /// one is measured.
    ///
    /// # Errors
    /// The disk says no.
    pub fn create(disk: &mut dyn Disk, dir: &Path, sample: u32) -> io::Result<Self> {
        let path = dir.join(LATENCY_NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = disk.create(&path, FILE_BYTES as u64)?;
        let mut memory = Memory::File(MmapRaw::map_raw(&file)?);
        memory.touch();
        memory.bytes_mut()[..HEAD_BYTES].copy_from_slice(&head(sample));
        Ok(Self { memory: Arc::new(memory), at: HEAD_BYTES })
    }
}

fn head(sample: u32) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&sample.to_le_bytes());
    let crc = crc32c(&bytes[..16]);
    bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The count arrays of a journal, as another process sees them at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedLatencies {
    /// Of so many messages one was measured at each boundary.
    pub sample: u32,
    /// By span, in the order of `Span::ALL`.
    pub spans: Vec<(Span, Counts)>,
}

impl RecordedLatencies {
    /// Reads them; none when the journal has no such file, as one that was copied without it.
    ///
    /// # Errors
    /// It can not be read, or is something else.
    pub fn read(dir: &Path) -> Result<Option<Self>, PageError> {
        let file = match File::open(dir.join(LATENCY_NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, FILE_BYTES as u64 + 1), &mut bytes)?;
        Self::parse(&bytes).map(Some)
    }

    fn parse(bytes: &[u8]) -> Result<Self, PageError> {
        let word32 = |at: usize| {
            let four = bytes.get(at..at + 4).and_then(|four| four.first_chunk());
            four.map(|four| u32::from_le_bytes(*four))
        };
        let (Some(sample), Some(sum)) = (word32(12), word32(16)) else {
            return Err(PageError::Foreign);
        };
        let is_ours = bytes.len() == FILE_BYTES && bytes[..HEAD_BYTES] == head(sample);
        if !is_ours || crc32c(&bytes[..16]) != sum {
            return Err(PageError::Foreign);
        }
        let spans = bytes[HEAD_BYTES..].chunks_exact(SPAN_WORDS * 8).map(counts);
        Ok(Self { sample, spans: Span::ALL.into_iter().zip(spans).collect() })
    }
}

fn counts(bytes: &[u8]) -> Counts {
    let (eights, _) = bytes.as_chunks();
    let words: Vec<u64> = eights.iter().map(|eight| u64::from_le_bytes(*eight)).collect();
    Counts { max_ns: words[MAX_WORD], counts: words[..BUCKETS].to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::RealDisk;

    #[test]
    fn another_process_sees_the_counts_while_they_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert_eq!(RecordedLatencies::read(dir).unwrap(), None);
        let all = Latencies::create(&mut RealDisk, dir, 16).unwrap();
        let mut recorder = all.recorder(Span::Risk);
        for ns in [100, 100, 9_000] {
            recorder.record(ns);
        }
        let seen = RecordedLatencies::read(dir).unwrap().unwrap();
        assert_eq!(seen.sample, 16);
        for (span, counts) in seen.spans {
            assert_eq!(counts, all.read(span));
            assert_eq!(counts.total(), if span == Span::Risk { 3 } else { 0 });
        }
        drop(Latencies::create(&mut RealDisk, dir, 1).unwrap());
        let anew = RecordedLatencies::read(dir).unwrap().unwrap();
        assert!(anew.sample == 1 && anew.spans.iter().all(|(_, counts)| counts.total() == 0));
    }

    #[test]
    fn what_is_no_such_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        drop(Latencies::create(&mut RealDisk, dir, 16).unwrap());
        let path = dir.join(LATENCY_NAME);
        let good = std::fs::read(&path).unwrap();
        for at in [0, 8, 12, 16] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let refused = RecordedLatencies::read(dir).unwrap_err().to_string();
            assert_eq!(refused, "latency: no count arrays of version 1", "byte {at}");
        }
        for bytes in [&good[..10], &good[..good.len() - 1], &[&good[..], b"x"].concat()] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(RecordedLatencies::read(dir), Err(PageError::Foreign)));
        }
    }
}
