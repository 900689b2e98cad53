//! One source of a journal as a recording: the frames that a run was given, in the order of the feed lane.
//!
//! Frames lie in the lane, or in the recording that the lane refers to. That recording is then read along
//! and must give exactly what it gave when it was recorded: each frame is compared by line, receive time,
//! length and CRC32C.

use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::journal::{
    End, LaneReader, RECORD_HEAD_BYTES, RawRecord, Strand, crc32c, segment_name,
};
use fusewire_core::lane::decode::{self, decode};
use fusewire_core::lane::{Decoded, FrameOrigin, FrameRef, Lane, RecordKind};
use fusewire_core::units::Nanos;

use super::error::CaptureError;
use super::{CaptureLimits, Origin, Reader, Record};

/// What is known of a source of a journal besides its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPart {
    /// The canonical folder of the journal.
    pub dir: PathBuf,
    /// Number of the source in records.
    pub source: u16,
    /// How many sources the journal has.
    pub sources: usize,
    /// Name in errors and reports.
    pub name: String,
    /// Market of its frames.
    pub market: Market,
    /// The only symbol, which its bare snapshots are of: the whole recording told it, and an interrupted
    /// journal may hold too little of it.
    pub only_symbol: Option<String>,
    /// Bytes of the feed lane.
    pub bytes: u64,
    /// What is damaged in the journal. It counts as one unreadable line behind all frames.
    pub damage: Option<String>,
}

impl JournalPart {
    /// Whether a record of the lane is of this source.
    fn owns(&self, source: u16) -> Result<bool, String> {
        if usize::from(source) < self.sources {
            return Ok(source == self.source);
        }
        Err(format!("source {source} of {}", self.sources))
    }

    fn owns_frame(&self, source: u16, market: Market) -> Result<bool, String> {
        let own = self.owns(source)?;
        if own && market != self.market {
            return Err(format!("a frame of {market} from a source of {}", self.market));
        }
        Ok(own)
    }
}

/// Where the frames of a journal are.
pub enum KeptFrames {
    /// In its feed lane.
    Copied,
    /// In this recording, which is opened at its start.
    Referred(Box<Reader>),
}

/// A reader of one source of a journal.
pub(super) struct JournalReader {
    part: JournalPart,
    lane: LaneReader,
    frames: KeptFrames,
    line_bytes_max: usize,
    /// The frame record that `record` shows: the lane's reader lends it no longer than one step.
    copy: Vec<u8>,
    current: Current,
    line: u64,
    bytes_read: u64,
    ended: bool,
}

/// What `record` shows.
#[derive(Clone, Copy)]
enum Current {
    Nothing,
    Copied,
    Referred,
}

/// What a record of the lane is to one source.
enum Found {
    /// Nothing, or the end of the lane.
    Other,
    /// A frame, which is now in the copy.
    Copied { recv: Nanos, line: u64, bytes: usize },
    /// A frame that lies elsewhere.
    Referred(FrameRef),
    /// A piece that could not be read.
    Damaged { line: u64, text: String },
}

impl JournalReader {
    pub(super) fn new(
        part: JournalPart,
        lane: LaneReader,
        frames: KeptFrames,
        limits: CaptureLimits,
    ) -> Self {
        Self {
            part,
            lane,
            frames,
            line_bytes_max: limits.line_bytes_max,
            copy: Vec::new(),
            current: Current::Nothing,
            line: 0,
            bytes_read: 0,
            ended: false,
        }
    }

    pub(super) fn part(&self) -> &JournalPart {
        &self.part
    }

    /// Bytes of the lane read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// A journal of references reads the recording itself: beside it, every frame would count double.
    pub(super) fn place(&self) -> (&Path, Option<u16>) {
        let original = match &self.frames {
            KeptFrames::Copied => None,
            KeptFrames::Referred(original) => original.place(),
        };
        original.unwrap_or((&self.part.dir, Some(self.part.source)))
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    pub(super) fn advance(&mut self) -> Result<Option<Nanos>, CaptureError> {
        self.current = Current::Nothing;
        if self.ended {
            return Ok(None);
        }
        let next = self.step();
        // What could not be read when it was recorded did not end the run.
        self.ended = !matches!(next, Ok(Some(_)) | Err(CaptureError::Recorded { .. }));
        next
    }

    /// The record that `advance` moved to.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        match (self.current, &self.frames) {
            (Current::Copied, KeptFrames::Copied) => {
                let frame = decode::frame(&self.copy).ok()?;
                let origin = frame.head.url.map_or(Origin::Stream, |url| Origin::Rest { url });
                let (recv, line) = (frame.head.recv, frame.head.line);
                Some(Record { recv, source: 0, line, origin, bytes: frame.bytes })
            }
            (Current::Referred, KeptFrames::Referred(original)) => original.record(),
            (Current::Nothing | Current::Copied | Current::Referred, _) => None,
        }
    }

    fn step(&mut self) -> Result<Option<Nanos>, CaptureError> {
        loop {
            let found = match self.lane.next() {
                Ok(Ok(raw)) => {
                    self.bytes_read += bytes_of(&raw);
                    look(&raw, &self.part, &mut self.copy)
                }
                Ok(Err(end)) => return self.end(&end),
                Err(error) => {
                    let (file, line) = (self.part.name.clone(), self.line);
                    return Err(CaptureError::Read { file, line, error });
                }
            };
            match found.map_err(|reason| self.broken(reason))? {
                Found::Other => {}
                Found::Copied { recv, line, bytes } => return self.take_copy(recv, line, bytes),
                Found::Referred(reference) => return self.take_referred(&reference),
                Found::Damaged { line, text } => return Err(self.take_damage(line, text)),
            }
        }
    }

    /// The end of the lane is known before it is read: another one means that somebody changed it.
    #[cold]
    fn end(&self, end: &End) -> Result<Option<Nanos>, CaptureError> {
        match (end, &self.part.damage) {
            (End::Limit, None) => Ok(None),
            (End::Limit, Some(damage)) => {
                let (file, damage) = (self.part.name.clone(), damage.clone());
                Err(CaptureError::JournalDamaged { file, damage })
            }
            (End::Unpublished | End::Invalid | End::Segment(_), _) => {
                Err(self.broken("the feed lane was changed while it was read".to_owned()))
            }
        }
    }

    fn take_copy(
        &mut self,
        recv: Nanos,
        line: u64,
        bytes: usize,
    ) -> Result<Option<Nanos>, CaptureError> {
        self.line = line;
        match self.frames {
            KeptFrames::Copied if bytes > self.line_bytes_max => {
                let (file, limit) = (self.part.name.clone(), self.line_bytes_max);
                Err(CaptureError::LineTooLong { file, line, limit })
            }
            KeptFrames::Copied => {
                self.current = Current::Copied;
                Ok(Some(recv))
            }
            KeptFrames::Referred(_) => {
                Err(self.broken(format!("a copy of line {line} among references")))
            }
        }
    }

    fn take_referred(&mut self, reference: &FrameRef) -> Result<Option<Nanos>, CaptureError> {
        self.line = reference.line;
        let KeptFrames::Referred(original) = &mut self.frames else {
            return Err(self.broken(format!(
                "line {} is kept by reference only, since its address is too long for a copy: replay the \
                 recording itself",
                reference.line
            )));
        };
        if let Err(error) = original.advance() {
            return Err(self.unreadable(error));
        }
        let changed = match original.record() {
            Some(record) => difference(&record, reference),
            None => Some("there is no such frame any more"),
        };
        match changed {
            Some(what) => Err(self.changed(what)),
            None => {
                self.current = Current::Referred;
                Ok(Some(reference.recv))
            }
        }
    }

    /// What could not be read then must not be readable now.
    #[cold]
    fn take_damage(&mut self, line: u64, text: String) -> CaptureError {
        self.line = line;
        if let KeptFrames::Referred(original) = &mut self.frames {
            match original.advance() {
                Err(error) if error.is_damage() && error.line().unwrap_or_default() == line => {}
                Err(error) => return self.unreadable(error),
                Ok(_) => {
                    return self.changed("it could not be read then, and there is a frame now");
                }
            }
        }
        CaptureError::Recorded { file: self.part.name.clone(), line, text }
    }

    #[cold]
    fn changed(&self, what: &'static str) -> CaptureError {
        CaptureError::Changed { file: self.part.name.clone(), line: self.line, what }
    }

    #[cold]
    fn unreadable(&self, error: CaptureError) -> CaptureError {
        CaptureError::Original { file: self.part.name.clone(), error: Box::new(error) }
    }

    #[cold]
    fn broken(&self, reason: String) -> CaptureError {
        CaptureError::Journal { file: self.part.name.clone(), reason }
    }
}

/// What a record takes in its lane.
fn bytes_of(raw: &RawRecord<'_>) -> u64 {
    (RECORD_HEAD_BYTES + raw.payload.len() + raw.trailer.len()).next_multiple_of(8) as u64
}

/// What a record is to a source. A frame of its own goes into `copy`.
fn look(raw: &RawRecord<'_>, part: &JournalPart, copy: &mut Vec<u8>) -> Result<Found, String> {
    classify(raw, part, copy).map_err(|what| {
        let file = segment_name(Strand::Lane(Lane::Feed), raw.position.segment());
        format!("{file} at byte {}: {what}", raw.position.offset())
    })
}

fn classify(raw: &RawRecord<'_>, part: &JournalPart, copy: &mut Vec<u8>) -> Result<Found, String> {
    let Some(kind) = RecordKind::from_number(raw.kind) else {
        return Err(format!("a record of the unknown kind {}", raw.kind));
    };
    match decode(kind, raw.payload).map_err(|error| error.to_string())? {
        Decoded::Frame(frame) if part.owns_frame(frame.head.source, frame.head.market)? => {
            copy.clear();
            copy.extend_from_slice(raw.payload);
            let bytes = frame.head.address().len() + frame.bytes.len();
            Ok(Found::Copied { recv: frame.head.recv, line: frame.head.line, bytes })
        }
        Decoded::FrameRef(found) if part.owns_frame(found.source, found.market)? => {
            Ok(Found::Referred(found))
        }
        Decoded::Damaged(damaged) if part.owns(damaged.source)? => {
            Ok(Found::Damaged { line: damaged.line, text: damaged.text.to_owned() })
        }
        Decoded::Frame(_) | Decoded::FrameRef(_) | Decoded::Damaged(_) | Decoded::Close(_) => {
            Ok(Found::Other)
        }
        Decoded::Header(_)
        | Decoded::Event(_)
        | Decoded::Pending(_)
        | Decoded::Intent(_)
        | Decoded::Verdict(_)
        | Decoded::Sent(_)
        | Decoded::Alert(_)
        | Decoded::CancelAll { .. } => Err(format!("a record of another lane, {}", kind.name())),
    }
}

/// How a frame differs from what is referred to.
fn difference(record: &Record<'_>, reference: &FrameRef) -> Option<&'static str> {
    let origin = match record.origin {
        Origin::Stream => FrameOrigin::Stream,
        Origin::Rest { .. } => FrameOrigin::Rest,
    };
    // As it was counted when it was recorded.
    let bytes = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
    if (record.line, origin) != (reference.line, reference.origin) {
        Some("another line comes next")
    } else if record.recv != reference.recv {
        Some("it has another receive time")
    } else if bytes != reference.bytes {
        Some("the frame has another length")
    } else if crc32c(record.bytes) != reference.crc {
        Some("the frame is another one")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
