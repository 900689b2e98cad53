//! What can be wrong with a recording: each error is one line that names the file and the line.

use std::io;

use fusewire_core::instrument::Market;
use thiserror::Error;

use super::merge::SOURCES_MAX;

/// Bytes of a line that an error shows.
const EXCERPT_BYTES: usize = 48;

/// A recording that can not be read.
///
/// After `Malformed`, `Time` and `Recorded` the reader stands at what comes next; after any other error it
/// has ended.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The file can not be opened.
    #[error("{file}: cannot open: {error}")]
    Open {
        /// Path.
        file: String,
        /// What the system said.
        error: io::Error,
    },
    /// The system failed to deliver the file's bytes.
    #[error("{file}: reading failed after line {line}: {error}")]
    Read {
        /// Path.
        file: String,
        /// Last whole line.
        line: u64,
        /// What the system said.
        error: io::Error,
    },
    /// The compressed data stops before its end mark, as after a crash or a broken download.
    #[error("{file}: compressed data ends in the middle after line {line}")]
    Truncated {
        /// Path.
        file: String,
        /// Last whole line.
        line: u64,
    },
    /// The compressed data contradicts itself.
    #[error("{file}: compressed data is corrupt after line {line}: {reason}")]
    Corrupt {
        /// Path.
        file: String,
        /// Last whole line.
        line: u64,
        /// What the decompressor said.
        reason: String,
    },
    /// A zip archive.
    #[error("{file}: this is a zip archive: unpack it and pass the file inside")]
    Zip {
        /// Path.
        file: String,
    },
    /// No line, or blank ones only.
    #[error("{file}: the capture is empty")]
    Empty {
        /// Path.
        file: String,
    },
    /// The first line belongs to no known format.
    #[error(
        "{file}: line {line} is no line of a capture: \"{excerpt}\" (expected `<receive time> <frame>` \
         or a cryptofeed recording)"
    )]
    NotACapture {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// How the line starts, escaped.
        excerpt: String,
    },
    /// A later line that does not belong to the format.
    #[error("{file}: line {line}: {reason}: \"{excerpt}\"")]
    Malformed {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
        /// How the line starts, escaped.
        excerpt: String,
    },
    /// A receive time that can not be.
    #[error("{file}: line {line}: {reason}")]
    Time {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A line above `line_bytes_max`.
    #[error("{file}: line {line} is longer than {limit} bytes (line_bytes_max)")]
    LineTooLong {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// REST answers above `rest_bytes_max` that wait for their time.
    #[error(
        "{file}: line {line}: the REST answers that wait for their time exceed {limit} bytes \
         (rest_bytes_max)"
    )]
    RestTooLarge {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// Addresses of two markets in one recording: its frames can not be told apart.
    #[error(
        "{file}: line {line}: an address of {second} in a recording of {first}: split it, or pass --market"
    )]
    TwoMarkets {
        /// Path.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Market so far.
        first: Market,
        /// Market of the new address.
        second: Market,
    },
    /// A sidecar that can not be read, written or understood.
    #[error("{file}: {reason}")]
    Sidecar {
        /// Path of the sidecar.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing tells the market of the frames, and a frame never does.
    #[error(
        "{file}: market unknown: name the file usdm_…, coinm_… or spot_…, or pass --market usdm|coinm|spot"
    )]
    NoMarket {
        /// Path.
        file: String,
    },
    /// A tape that can not be read, or not further.
    #[error("{file}: {}{reason}", behind(*line))]
    Tape {
        /// Path.
        file: String,
        /// Last whole record.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The same file twice in one merge: every frame would count double.
    #[error("{file}: given twice")]
    Twice {
        /// Path.
        file: String,
    },
    /// A piece of a recording that could not be read when a journal of it was made.
    #[error("{file}: it could not be read when it was recorded: {text}")]
    Recorded {
        /// Name of the source of the journal.
        file: String,
        /// Line of the recording, from 1; 0 when it was about all of it.
        line: u64,
        /// What was wrong then. The journal keeps the beginning of a long text.
        text: String,
    },
    /// A recording is no longer what a journal refers to.
    #[error("{file}: line {line}: {what}: the recording was changed since the journal was made")]
    Changed {
        /// Name of the source of the journal.
        file: String,
        /// Line that the journal refers to, from 1.
        line: u64,
        /// What is found instead.
        what: &'static str,
    },
    /// A recording that a journal refers to can not be read.
    #[error("{file}: the journal refers to a recording that can not be read: {error}")]
    Original {
        /// Name of the source of the journal.
        file: String,
        /// What is wrong with it.
        error: Box<CaptureError>,
    },
    /// A journal that can not be read as a capture.
    #[error("{file}: {reason}")]
    Journal {
        /// Name of the source of the journal.
        file: String,
        /// What is wrong, with the file of the journal where there is one.
        reason: String,
    },
    /// A journal is damaged: it may have had more than what was read.
    #[error("{file}: the journal is damaged: {damage}")]
    JournalDamaged {
        /// Name of the source of the journal.
        file: String,
        /// What, with file and offset.
        damage: String,
    },
    /// A recording that is to be held in memory and does not fit.
    #[error(
        "{file}: unpacked it takes more than {most} bytes of memory (runner.capture_memory_mb)"
    )]
    TooLarge {
        /// Path.
        file: String,
        /// The limit in bytes.
        most: u64,
    },
    /// More files in one merge than `SOURCES_MAX`.
    #[error("{count} captures at once: at most {SOURCES_MAX} can be merged")]
    TooManySources {
        /// Files given.
        count: usize,
    },
}

impl CaptureError {
    /// The recording at fault; `None` when it is about several.
    #[must_use]
    pub fn file(&self) -> Option<&String> {
        match self {
            Self::Open { file, .. }
            | Self::Read { file, .. }
            | Self::Truncated { file, .. }
            | Self::Corrupt { file, .. }
            | Self::Zip { file }
            | Self::Empty { file }
            | Self::NotACapture { file, .. }
            | Self::Malformed { file, .. }
            | Self::Time { file, .. }
            | Self::LineTooLong { file, .. }
            | Self::RestTooLarge { file, .. }
            | Self::TwoMarkets { file, .. }
            | Self::Sidecar { file, .. }
            | Self::NoMarket { file }
            | Self::Tape { file, .. }
            | Self::Twice { file }
            | Self::TooLarge { file, .. }
            | Self::Recorded { file, .. }
            | Self::Changed { file, .. }
            | Self::Original { file, .. }
            | Self::Journal { file, .. }
            | Self::JournalDamaged { file, .. } => Some(file),
            Self::TooManySources { .. } => None,
        }
    }

    /// The line that it names, from 1; none when it is about the whole file.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Read { line, .. }
            | Self::Truncated { line, .. }
            | Self::Corrupt { line, .. }
            | Self::NotACapture { line, .. }
            | Self::Malformed { line, .. }
            | Self::Time { line, .. }
            | Self::LineTooLong { line, .. }
            | Self::RestTooLarge { line, .. }
            | Self::TwoMarkets { line, .. }
            | Self::Recorded { line, .. }
            | Self::Tape { line, .. }
            | Self::Changed { line, .. } => Some(*line),
            Self::Original { error, .. } => error.line(),
            Self::Open { .. }
            | Self::Zip { .. }
            | Self::Empty { .. }
            | Self::Sidecar { .. }
            | Self::NoMarket { .. }
            | Self::Twice { .. }
            | Self::TooLarge { .. }
            | Self::Journal { .. }
            | Self::JournalDamaged { .. }
            | Self::TooManySources { .. } => None,
        }
    }

    /// True when the rest of the recording, or of the other recordings, can still be used.
    ///
    /// A time or a length that can not be is damage only behind the first line: a first line like that
    /// says that the whole file is something else, most often of another unit.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Truncated { .. }
            | Self::Corrupt { .. }
            | Self::Malformed { .. }
            | Self::Recorded { .. }
            | Self::JournalDamaged { .. } => true,
            Self::Time { line, .. } | Self::LineTooLong { line, .. } => *line > 1,
            Self::Tape { line, .. } => *line > 0,
            Self::Open { .. }
            | Self::Read { .. }
            | Self::Zip { .. }
            | Self::Empty { .. }
            | Self::NotACapture { .. }
            | Self::RestTooLarge { .. }
            | Self::TwoMarkets { .. }
            | Self::Sidecar { .. }
            | Self::NoMarket { .. }
            | Self::Twice { .. }
            | Self::TooLarge { .. }
            | Self::Changed { .. }
            | Self::Original { .. }
            | Self::Journal { .. }
            | Self::TooManySources { .. } => false,
        }
    }
}

/// Where in a tape; nothing before its first record.
fn behind(record: u64) -> String {
    if record == 0 { String::new() } else { format!("after record {record}: ") }
}

/// What is wrong with one line, before the file and the line number are known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not belong to the format.
    Shape(String),
    /// Its receive time can not be.
    Time(String),
}

impl Fault {
    /// As the error of a line.
    pub(super) fn at(self, file: &str, line: u64, text: &[u8]) -> CaptureError {
        let file = file.to_owned();
        match self {
            Self::Shape(reason) => {
                CaptureError::Malformed { file, line, reason, excerpt: excerpt(text) }
            }
            Self::Time(reason) => CaptureError::Time { file, line, reason },
        }
    }
}

/// How a line starts, on one printable line.
pub(super) fn excerpt(text: &[u8]) -> String {
    let shown = text.get(..EXCERPT_BYTES).unwrap_or(text);
    let cut = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"abc"), "abc");
        assert_eq!(excerpt(b"a\0\n\xff"), r"a\x00\n\xff");
        assert_eq!(excerpt(&[b'x'; 49]), format!("{}…", "x".repeat(48)));
    }
}
