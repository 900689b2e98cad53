//! One recording, one record at a time, wherever its frames lie.

use std::io::Read;
use std::path::Path;

use fusewire_core::instrument::Market;
use fusewire_core::journal::LaneReader;
use fusewire_core::units::Nanos;

use super::error::CaptureError;
use super::file::FileReader;
use super::journal::{JournalPart, JournalReader, KeptFrames};
use super::loaded::LoadedReader;
use super::sidecar::Sidecar;
use super::time::Unit;
use super::{CaptureLimits, Format, OpenOptions, Record};
use crate::tape::TapeReader;

/// A reader of one recording.
pub struct Reader {
    body: Body,
}

enum Body {
    File(Box<FileReader>),
    Journal(Box<JournalReader>),
    Loaded(Box<LoadedReader>),
    Tape(Box<TapeReader>),
}

impl Reader {
    /// Opens a file and reads as far as its format, unit and market show.
    ///
    /// # Errors
    /// The file or its sidecar can not be read, it is empty or no capture, or its first lines are faulty.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, CaptureError> {
        // A pipe can be read once, and is no tape. What can not be looked into is for the reader of lines to complain
        // about.
        let is_file = path.metadata().is_ok_and(|facts| facts.is_file());
        if is_file && TapeReader::is_one(path).unwrap_or(false) {
            return Self::open_tape(path, options);
        }
        FileReader::open(path, options).map(Self::of_file)
    }

    /// Opens the tape of a recording in the recording's place: it goes by its name, and what is wrong with the tape
    /// is never taken for damage of the recording.
    ///
    /// # Errors
    /// The file can not be opened, or is no whole tape.
    pub fn open_in_place_of(recording: String, tape: &Path) -> Result<Self, CaptureError> {
        let tape = TapeReader::open(tape)?.standing_for(recording);
        Ok(Self { body: Body::Tape(Box::new(tape)) })
    }

    fn open_tape(path: &Path, options: &OpenOptions) -> Result<Self, CaptureError> {
        let tape = TapeReader::open(path)?;
        if let Some(told) = options.market.filter(|told| *told != tape.market()) {
            let reason = format!("it holds {}, and --market says {told}", tape.market());
            return Err(CaptureError::Tape { file: tape.name().to_owned(), line: 0, reason });
        }
        Ok(Self { body: Body::Tape(Box::new(tape)) })
    }

    /// Reads from an open input, such as an embedded sample or standard input. `name` stands in errors;
    /// its last part tells market and unit as a file name does. There is no sidecar.
    ///
    /// # Errors
    /// As `open`.
    pub fn from_read(
        name: &str,
        input: Box<dyn Read + Send>,
        options: &OpenOptions,
    ) -> Result<Self, CaptureError> {
        FileReader::from_read(name, input, options).map(Self::of_file)
    }

    /// Reads the frames of one source of a journal. `lane` is a reader at the start of its feed lane which
    /// stops where the lane is known to end.
    #[must_use]
    pub fn from_journal(
        part: JournalPart,
        lane: LaneReader,
        frames: KeptFrames,
        limits: CaptureLimits,
    ) -> Self {
        Self { body: Body::Journal(Box::new(JournalReader::new(part, lane, frames, limits))) }
    }

    /// The same recording with what is left of it in memory, up to the first fault: there, and not before, is
    /// read on. Until then nothing is read or unpacked. It takes as much memory as the recording has bytes.
    ///
    /// # Errors
    /// It has more than `most` bytes.
    pub fn load(self, most: u64) -> Result<Self, CaptureError> {
        Ok(Self { body: Body::Loaded(Box::new(LoadedReader::new(self, most)?)) })
    }

    /// The same recording, unpacked by a thread of its own while what was unpacked is decoded. Of a journal and a tape,
    /// which are not packed, nothing changes.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn unpacking_ahead(mut self) -> Result<Self, CaptureError> {
        match &mut self.body {
            Body::File(file) => file.read_ahead()?,
            Body::Journal(_) | Body::Loaded(_) | Body::Tape(_) => {}
        }
        Ok(self)
    }

    fn of_file(reader: FileReader) -> Self {
        Self { body: Body::File(Box::new(reader)) }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// The next record is faulty. After `Malformed`, `Time` and `Recorded` reading can go on with what is
    /// behind it, any other error ends the recording.
    #[allow(clippy::should_implement_trait)] // It lends, which `Iterator` can not.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, CaptureError> {
        self.advance()?;
        Ok(self.record())
    }

    /// The name that it was opened by.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.body {
            Body::File(file) => file.name(),
            Body::Journal(journal) => &journal.part().name,
            Body::Loaded(loaded) => loaded.reader().name(),
            Body::Tape(tape) => tape.name(),
        }
    }

    /// How the recording is laid out.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.body {
            Body::File(file) => file.format(),
            Body::Journal(_) => Format::Journal,
            Body::Loaded(loaded) => loaded.reader().format(),
            Body::Tape(_) => Format::Tape,
        }
    }

    /// The market of the frames; `None` if nothing tells it, and then the frames can not be decoded.
    #[must_use]
    pub fn market(&self) -> Option<Market> {
        match &self.body {
            Body::File(file) => file.market(),
            Body::Journal(journal) => Some(journal.part().market),
            Body::Loaded(loaded) => loaded.reader().market(),
            Body::Tape(tape) => Some(tape.market()),
        }
    }

    /// The unit of a collector's receive times; `None` for cryptofeed, which writes seconds, and for a
    /// journal.
    #[must_use]
    pub fn unit(&self) -> Option<Unit> {
        match &self.body {
            Body::File(file) => file.unit(),
            Body::Journal(_) => None,
            Body::Loaded(loaded) => loaded.reader().unit(),
            Body::Tape(_) => None,
        }
    }

    /// The sidecar beside the file.
    #[must_use]
    pub fn sidecar(&self) -> Option<&Sidecar> {
        match &self.body {
            Body::File(file) => file.sidecar(),
            Body::Journal(_) => None,
            Body::Loaded(loaded) => loaded.reader().sidecar(),
            Body::Tape(_) => None,
        }
    }

    /// What a journal says of the recording; `None` for one that is read from a file.
    #[must_use]
    pub fn part(&self) -> Option<&JournalPart> {
        match &self.body {
            Body::File(_) => None,
            Body::Journal(journal) => Some(journal.part()),
            Body::Loaded(loaded) => loaded.reader().part(),
            Body::Tape(_) => None,
        }
    }

    /// Bytes of the file, or of the lane, read so far, before decompression.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        match &self.body {
            Body::File(file) => file.bytes_read(),
            Body::Journal(journal) => journal.bytes_read(),
            Body::Loaded(loaded) => loaded.reader().bytes_read(),
            Body::Tape(tape) => tape.bytes_read(),
        }
    }

    /// Bytes of the file, or of the lane, when it was opened, before decompression; `None` if it has no
    /// length.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        match &self.body {
            Body::File(file) => file.bytes_total(),
            Body::Journal(journal) => Some(journal.part().bytes),
            Body::Loaded(loaded) => loaded.reader().bytes_total(),
            Body::Tape(tape) => Some(tape.bytes_total()),
        }
    }

    /// What no second reader of a merge may read too: a file by its canonical path, or a source of the
    /// journal in a folder. `None` if it was opened from neither.
    pub(super) fn place(&self) -> Option<(&Path, Option<u16>)> {
        match &self.body {
            Body::File(file) => file.path().map(|path| (path, None)),
            Body::Journal(journal) => Some(journal.place()),
            Body::Loaded(loaded) => loaded.reader().place(),
            Body::Tape(tape) => Some((tape.path(), None)),
        }
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    pub(super) fn advance(&mut self) -> Result<Option<Nanos>, CaptureError> {
        match &mut self.body {
            Body::File(file) => file.advance(),
            Body::Journal(journal) => journal.advance(),
            Body::Loaded(loaded) => loaded.advance(),
            Body::Tape(tape) => tape.advance(),
        }
    }

    /// The record that `advance` moved to.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        match &self.body {
            Body::File(file) => file.record(),
            Body::Journal(journal) => journal.record(),
            Body::Loaded(loaded) => loaded.record(),
            Body::Tape(tape) => tape.record(),
        }
    }
}
