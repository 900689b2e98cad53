//! Reads a tape block by block from the memory map.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::map::FilePiece;
use fusewire_core::units::Nanos;

use super::format::{
    BLOCK_BYTES_MAX, BLOCK_HEAD_BYTES, BLOCK_MAGIC, END_BYTES, End, HEAD_BYTES, MAGIC,
    RECORD_HEAD_BYTES, block_head, market_of,
};
use crate::capture::{CaptureError, Origin, Record};

/// A reader of one tape.
#[derive(Debug)]
pub struct TapeReader {
    name: String,
    /// The recording that it stands for, if any.
    stands_for: Option<String>,
    path: PathBuf,
    file: File,
    market: Market,
    end: End,
    /// Where the next block begins.
    next_block: u64,
    block: Option<FilePiece>,
    /// Where the next record of the block begins.
    at: usize,
    /// Records of the block that were not given out.
    left: u32,
    /// Records given out so far: the line of the current one.
    line: u64,
    current: Option<Current>,
}

/// The record that `advance` moved to.
#[derive(Clone, Debug)]
struct Current {
    recv: Nanos,
    address: Range<usize>,
    frame: Range<usize>,
}

impl TapeReader {
    /// True when a file begins as a tape does.
    ///
    /// # Errors
    /// The file can not be opened or read.
    pub fn is_one(path: &Path) -> io::Result<bool> {
        let mut magic = [0; MAGIC.len()];
        match File::open(path)?.read_exact(&mut magic) {
            Ok(()) => Ok(magic == MAGIC),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a tape at its start.
    ///
    /// # Errors
    /// It can not be opened, is of another version, or lacks its end.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let name = path.display().to_string();
        let file =
            File::open(path).map_err(|error| CaptureError::Open { file: name.clone(), error })?;
        let tape = |reason: String| CaptureError::Tape { file: name.clone(), line: 0, reason };
        let length = file.metadata().map_err(|error| tape(error.to_string()))?.len();
        let least = (HEAD_BYTES + END_BYTES) as u64;
        if length < least {
            return Err(tape("it was never finished: write it again".to_owned()));
        }
        let head = piece(&file, 0, HEAD_BYTES).map_err(|error| tape(error.to_string()))?;
        let market = market_of(&array(head.bytes())).map_err(&tape)?;
        let end = piece(&file, length - END_BYTES as u64, END_BYTES)
            .map_err(|error| tape(error.to_string()))?;
        let end = End::decode(&array(end.bytes()))
            .filter(|end| end.before == length - END_BYTES as u64)
            .ok_or_else(|| tape("it was never finished, or cut: write it again".to_owned()))?;
        Ok(Self {
            path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            name,
            stands_for: None,
            file,
            market,
            end,
            next_block: HEAD_BYTES as u64,
            block: None,
            at: 0,
            left: 0,
            line: 0,
            current: None,
        })
    }

    /// The same tape in the place of the recording that it was made of. Damage of it is none of the recording, so
    /// that nobody may pass it over.
    #[must_use]
    pub fn standing_for(mut self, recording: String) -> Self {
        self.stands_for = Some(recording);
        self
    }

    /// The name that it was opened by, or that of the recording that it stands for.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stands_for.as_deref().unwrap_or(&self.name)
    }

    /// The canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Market of the frames.
    #[must_use]
    pub fn market(&self) -> Market {
        self.market
    }

    /// What the tape says of itself.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// Bytes of the blocks begun so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.next_block
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.end.before + END_BYTES as u64
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    ///
    /// # Errors
    /// A block is damaged: there the tape ends.
    pub fn advance(&mut self) -> Result<Option<Nanos>, CaptureError> {
        self.current = None;
        if self.left == 0 && !self.enter_block()? {
            return Ok(None);
        }
        let bytes = self.block.as_ref().map_or(&[][..], FilePiece::bytes);
        let Some((current, next)) = record_at(bytes, self.at) else {
            return Err(self.damaged("a record does not lie in its block"));
        };
        if std::str::from_utf8(&bytes[current.address.clone()]).is_err() {
            return Err(self.damaged("the address of a record is no text"));
        }
        (self.at, self.left, self.line) = (next, self.left - 1, self.line + 1);
        let recv = current.recv;
        self.current = Some(current);
        Ok(Some(recv))
    }

    /// The record that `advance` moved to.
    #[must_use]
    pub fn record(&self) -> Option<Record<'_>> {
        let (current, block) = self.current.as_ref().zip(self.block.as_ref())?;
        let address = std::str::from_utf8(&block.bytes()[current.address.clone()]).ok()?;
        let origin =
            if address.is_empty() { Origin::Stream } else { Origin::Rest { url: address } };
        let bytes = &block.bytes()[current.frame.clone()];
        Some(Record { recv: current.recv, source: 0, line: self.line, origin, bytes })
    }

    /// Maps the next block; false behind the last.
    #[cold]
    fn enter_block(&mut self) -> Result<bool, CaptureError> {
        if self.next_block >= self.end.before {
            if self.line != self.end.records {
                return Err(self.damaged("records are missing"));
            }
            return Ok(false);
        }
        let start = self.next_block + BLOCK_HEAD_BYTES as u64;
        let head = piece(&self.file, self.next_block, BLOCK_HEAD_BYTES);
        let head = head.map_err(|error| self.damaged(&error.to_string()))?;
        let word = |at: usize| u32::from_le_bytes(array(&head.bytes()[at..]));
        let (bytes, records) = (word(4) as usize, word(8));
        if head.bytes()[..4] != BLOCK_MAGIC || bytes > BLOCK_BYTES_MAX || records == 0 {
            return Err(self.damaged("a block has no head"));
        }
        let block = piece(&self.file, start, bytes);
        let block = block.map_err(|error| self.damaged(&error.to_string()))?;
        if block_head(records, block.bytes()) != *head.bytes() {
            return Err(self.damaged("the checksum of a block does not fit"));
        }
        self.next_block = start + bytes as u64;
        (self.block, self.at, self.left) = (Some(block), 0, records);
        Ok(true)
    }

    /// Ends the tape.
    #[cold]
    fn damaged(&mut self, reason: &str) -> CaptureError {
        (self.next_block, self.left, self.current) = (self.end.before, 0, None);
        self.end.records = self.line;
        let reason = format!("damaged: {reason}");
        let line = if self.stands_for.is_some() { 0 } else { self.line };
        CaptureError::Tape { file: self.name.clone(), line, reason }
    }
}

fn piece(file: &File, start: u64, bytes: usize) -> io::Result<FilePiece> {
    FilePiece::map(file, start, bytes)
}

/// The first bytes, which whoever calls has made sure of.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// The record of a block at a place, and the place behind it.
fn record_at(block: &[u8], at: usize) -> Option<(Current, usize)> {
    let head = block.get(at..at + RECORD_HEAD_BYTES)?;
    let length = |from: usize| u32::from_le_bytes(array(&head[from..])) as usize;
    let (frame, address) = (length(0), length(4));
    let recv = Nanos(u64::from_le_bytes(array(&head[8..])));
    let start = at + RECORD_HEAD_BYTES;
    let middle = start + address;
    let end = middle + frame;
    let next = end.next_multiple_of(8);
    let is_inside = next <= block.len() && i64::try_from(recv.0).is_ok();
    is_inside.then_some((Current { recv, address: start..middle, frame: middle..end }, next))
}
