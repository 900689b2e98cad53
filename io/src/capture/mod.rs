//! Recordings of market data, read one record at a time in the order of their receive times.
//!
//! ```text
//! file ─► source (gzip, zstd, plain) ─► lines ─► collector | cryptofeed ─► Reader ─┐
//! feed lane of a journal, and the recording that it refers to ────────────► Reader ─┴► Merge
//! ```
//!
//! Memory is bounded by [`CaptureLimits`] and does not grow with the capture (a zstd frame adds its own
//! window, at most 128 MiB).

use std::io::Read;
use std::path::Path;

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;

mod ahead;
mod collector;
mod cryptofeed;
mod error;
mod file;
mod journal;
mod lines;
mod loaded;
mod merge;
mod origin;
mod reader;
#[cfg(test)]
mod real_captures;
mod rest;
mod sidecar;
mod source;
#[cfg(test)]
mod testing;
mod time;

pub use error::CaptureError;
pub use journal::{JournalPart, KeptFrames};
pub use merge::{Merge, SOURCES_MAX};
pub(crate) use origin::market_of_name;
pub use reader::Reader;
pub use sidecar::Sidecar;
pub use time::Unit;

/// Bounds of what a reader keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureLimits {
    /// Longest line, in bytes after decompression. A longer one is an error.
    pub line_bytes_max: usize,
    /// REST answers held back until their time comes, in bytes. More of them is an error.
    pub rest_bytes_max: usize,
}

impl Default for CaptureLimits {
    fn default() -> Self {
        // The largest line seen in a recording, an instruments answer, has 0.8 MB.
        Self { line_bytes_max: 16 << 20, rest_bytes_max: 64 << 20 }
    }
}

/// What the caller knows about a recording. What is `None` comes from the sidecar, the file name or
/// the recording.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Market of the frames.
    pub market: Option<Market>,
    /// Unit of a collector's receive times.
    pub unit: Option<Unit>,
    /// Memory bounds.
    pub limits: CaptureLimits,
}

/// How a recording is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `<receive time> <frame>` a line, in ns or µs.
    Collector,
    /// One JSON object a line: `header`, `http`, `connect`, `send`, `recv`.
    CryptofeedJson,
    /// `<seconds>: <frame>` and `<url> -> <seconds>: <answer>` lines.
    CryptofeedText,
    /// The feed lane of a journal.
    Journal,
    /// Decoded beforehand, see `tape`.
    Tape,
}

/// Where the bytes of a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A stream (websocket) frame. A collector writes its REST snapshots the same way.
    Stream,
    /// The answer to a REST request.
    Rest {
        /// The request's address, as recorded.
        url: &'a str,
    },
}

/// One frame of a recording. It borrows from the reader until the next one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When the recorder received it.
    pub recv: Nanos,
    /// Index of the reader in its merge; 0 from a lone reader.
    pub source: usize,
    /// Line of the recording (after decompression), from 1.
    pub line: u64,
    /// Stream or REST.
    pub origin: Origin<'a>,
    /// The frame exactly as received. Not checked: a cut last line shows here as cut JSON.
    pub bytes: &'a [u8],
}

/// The bytes of a file, unpacked as they are read: plain, gzip or zstd.
///
/// # Errors
/// As the input or the decompressor says.
pub(crate) fn unpacked(input: Box<dyn Read + Send>) -> std::io::Result<Box<dyn Read + Send>> {
    source::Source::open(input).map(|source| source.bytes)
}

/// The last part of a path, for the facts that recorders put into file names.
fn file_name(name: &str) -> &str {
    Path::new(name).file_name().and_then(|part| part.to_str()).unwrap_or(name)
}
