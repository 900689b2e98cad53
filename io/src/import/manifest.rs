//! What an import says of itself, beside its tapes: from what they were made, and what was found.

use fusewire_core::instrument::Market;
use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// Its name in the folder of the import. Replays skip it.
pub const MANIFEST_NAME: &str = "import.manifest.json";

/// A file that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Name of the file, without its folders.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// BLAKE3 of them, in hex.
    pub blake3: String,
    /// What was found in it.
    pub facts: Facts,
}

/// A tape that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tape {
    /// Name of the file.
    pub file: String,
    /// Market of its frames.
    pub market: String,
    /// Frames.
    pub records: u64,
    /// When the first frame was known, in ns since 1970.
    pub first_ns: u64,
    /// When the last one was known.
    pub last_ns: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A finished import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Layout of this file: `Imported::VERSION`.
    pub version: u32,
    /// Format of the files.
    pub format: String,
    /// The files, by name.
    pub inputs: Vec<Input>,
    /// The tapes, by name.
    pub tapes: Vec<Tape>,
}

impl Imported {
    /// The layout that this build writes.
    pub const VERSION: u32 = 1;
}

impl Tape {
    pub(super) fn new(file: &str, market: Market, summary: &crate::tape::TapeSummary) -> Self {
        Self {
            file: file.to_owned(),
            market: market.name().to_owned(),
            records: summary.records,
            first_ns: summary.first.0,
            last_ns: summary.last.0,
            bytes: summary.bytes,
        }
    }
}
