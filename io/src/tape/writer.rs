//! Writes a tape. It stands under its name only when it is whole: until `finish` it is called `….partial`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;
use thiserror::Error;

use super::format::{BLOCK_BYTES, End, HEAD_BYTES, RECORD_HEAD_BYTES, block_head, head};

/// A tape that can not be written.
#[derive(Debug, Error)]
pub enum TapeError {
    /// The system refused.
    #[error("{file}: cannot write: {error}")]
    Write {
        /// Path of the tape.
        file: String,
        /// What the system said.
        error: io::Error,
    },
    /// It has no record: a capture without frames is none.
    #[error("{file}: nothing to write")]
    Empty {
        /// Path of the tape.
        file: String,
    },
}

/// What a finished tape holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapeSummary {
    /// Records.
    pub records: u64,
    /// Receive time of the first.
    pub first: Nanos,
    /// Latest receive time.
    pub last: Nanos,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes records behind one another.
#[derive(Debug)]
pub struct TapeWriter {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    block: Vec<u8>,
    block_records: u32,
    written: u64,
    records: u64,
    span: Option<(Nanos, Nanos)>,
}

impl TapeWriter {
    /// Begins a tape that is to stand at `path`.
    ///
    /// # Errors
    /// The file can not be made.
    pub fn create(path: &Path, market: Market) -> Result<Self, TapeError> {
        let mut name = OsString::from(path);
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = File::create(&partial).map_err(|error| failed(path, error))?;
        let mut writer = Self {
            path: path.to_owned(),
            partial,
            file: BufWriter::with_capacity(1 << 16, file),
            block: Vec::with_capacity(BLOCK_BYTES + (BLOCK_BYTES >> 3)),
            block_records: 0,
            written: 0,
            records: 0,
            span: None,
        };
        writer.put(&head(market))?;
        debug_assert_eq!(writer.written, HEAD_BYTES as u64);
        Ok(writer)
    }

    /// Adds a frame. `address` is that of the request that it answers; empty for a stream frame.
    ///
    /// # Errors
    /// The file can not be written.
    pub fn add(&mut self, recv: Nanos, address: &str, frame: &[u8]) -> Result<(), TapeError> {
        let bytes = (RECORD_HEAD_BYTES + address.len() + frame.len()).next_multiple_of(8);
        if !self.block.is_empty() && self.block.len() + bytes > BLOCK_BYTES {
            self.close_block()?;
        }
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        self.block.extend_from_slice(&length(frame.len()));
        self.block.extend_from_slice(&length(address.len()));
        self.block.extend_from_slice(&recv.0.to_le_bytes());
        self.block.extend_from_slice(address.as_bytes());
        self.block.extend_from_slice(frame);
        self.block.resize(self.block.len().next_multiple_of(8), 0);
        self.block_records += 1;
        self.records += 1;
        let (first, last) = self.span.unwrap_or((recv, recv));
        self.span = Some((first, last.max(recv)));
        Ok(())
    }

    /// Ends the tape, brings it to the disk and gives it its name.
    ///
    /// # Errors
    /// It has no record, or the file can not be written.
    pub fn finish(mut self) -> Result<TapeSummary, TapeError> {
        let Some((first, last)) = self.span else {
            return Err(TapeError::Empty { file: self.path.display().to_string() });
        };
        self.close_block()?;
        let before = self.written;
        let end = End { records: self.records, first: first.0, last: last.0, before };
        self.put(&end.encode())?;
        let Self { path, partial, file, written: bytes, records, .. } = self;
        let close = || {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            fs::rename(&partial, &path)
        };
        close().map_err(|error| failed(&path, error))?;
        Ok(TapeSummary { records, first, last, bytes })
    }

    fn close_block(&mut self) -> Result<(), TapeError> {
        let block = std::mem::take(&mut self.block);
        let head = block_head(self.block_records, &block);
        self.put(&head)?;
        self.put(&block)?;
        self.block = block;
        self.block.clear();
        self.block_records = 0;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), TapeError> {
        self.file.write_all(bytes).map_err(|error| failed(&self.path, error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

fn failed(path: &Path, error: io::Error) -> TapeError {
    TapeError::Write { file: path.display().to_string(), error }
}
