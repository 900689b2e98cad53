//! Reads one lane, record by record, also while it is written.
//!
//! Files are read, not mapped: a file that somebody cuts shorter meanwhile is an end and not a signal. What
//! is read while its writer is at work may be torn; the checksum tells, and a second look settles it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::checksum::{Seed, crc32c};
use super::config::JournalConfig;
use super::disk::{open_plain, read_fully};
use super::error::{Damage, Fault};
use super::layout::{
    END_MARK_BYTES, GOES_ON, HEAD_BYTES, Head, Position, RECORD_HEAD_BYTES, RecordHead, Start,
    Strand, segment_name, segment_path, u32_at,
};

/// Bytes that are read at a time: few where a writer is at work, more the longer there is something to take.
const CHUNK_BYTES_LEAST: usize = 4 << 10;
const CHUNK_BYTES_MOST: usize = 256 << 10;

/// One record as it lies in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Where it begins.
    pub position: Position,
    /// Its kind, see `RecordKind`.
    pub kind: u8,
    /// What it says.
    pub payload: &'a [u8],
    /// What was measured beside it.
    pub trailer: &'a [u8],
}

impl RawRecord<'_> {
    /// The stamp in its trailer, in ns of a monotonic clock; 0 where its stage took none.
    #[must_use]
    pub fn stamp_ns(&self) -> Option<u64> {
        self.trailer.try_into().ok().map(u64::from_le_bytes)
    }
}

/// Why there is no further record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more is published.
    Unpublished,
    /// There is something, and it does not verify.
    Invalid,
    /// The next segment is not what it should be.
    Segment(Damage),
    /// The reader was told to stop here.
    Limit,
}

/// A segment that is open for reading.
struct Open {
    file: File,
    seed: Seed,
    session: u64,
    /// Where records end at the latest.
    limit: u64,
}

/// A record, or mark, that was looked at.
enum Look {
    Record { length: usize, crc: u32, head: RecordHead },
    GoesOn,
    Nothing,
    Invalid,
}

/// The reader of one lane.
pub struct LaneReader {
    dir: PathBuf,
    strand: Strand,
    open: Option<Open>,
    index: u32,
    offset: u64,
    /// Bytes of the file from `from` on.
    buffer: Vec<u8>,
    from: u64,
    /// Bytes that are read next time.
    chunk: usize,
    records: u64,
    crc: u32,
    limit: Option<Position>,
    /// The session that the first segment must be of, where it is known.
    session: Option<u64>,
    /// What stood before the first segment, and the session in its head.
    first: Option<(Start, u64)>,
}

impl LaneReader {
    /// A reader at the start of a lane whose first segment is `first`.
    #[must_use]
    pub fn new(dir: &Path, strand: Strand, first: u32) -> Self {
        Self {
            dir: dir.to_owned(),
            strand,
            open: None,
            index: first,
            offset: HEAD_BYTES as u64,
            buffer: Vec::new(),
            from: 0,
            chunk: CHUNK_BYTES_LEAST,
            records: 0,
            crc: 0,
            limit: None,
            session: None,
            first: None,
        }
    }

    /// The same reader, which takes a first segment of `session` only; of any, when none is named.
    pub(super) fn begun_by(mut self, session: Option<u64>) -> Self {
        self.session = session;
        self
    }

    /// The same reader, which stops at a place.
    #[must_use]
    pub fn until(mut self, limit: Position) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Where the next record would begin.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.index, self.offset as u32)
    }

    /// Records so far, those before the first segment included.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What stood before the first segment, and the session that made it, once it was opened.
    pub(super) fn first(&self) -> Option<(Start, u64)> {
        self.first
    }

    /// Checksum of the last record.
    pub(super) fn crc(&self) -> u32 {
        self.crc
    }

    /// The next record, or why there is none. After `Unpublished` it may be asked again.
    ///
    /// # Errors
    /// A file can not be read.
    #[allow(clippy::should_implement_trait)] // It lends, which `Iterator` can not.
    pub fn next(&mut self) -> io::Result<Result<RawRecord<'_>, End>> {
        loop {
            if self.limit.is_some_and(|limit| self.position() >= limit) {
                return Ok(Err(End::Limit));
            }
            if self.open.is_none()
                && let Err(end) = self.open_segment()?
            {
                return Ok(Err(end));
            }
            match self.look_twice()? {
                Look::Record { length, crc, head } => {
                    return Ok(Ok(self.take(length, crc, head)));
                }
                Look::GoesOn => {
                    if let Err(end) = self.go_on(true)? {
                        return Ok(Err(end));
                    }
                }
                Look::Nothing => match self.go_on(false)? {
                    Ok(()) => {}
                    Err(end) => return Ok(Err(end)),
                },
                Look::Invalid => return Ok(Err(End::Invalid)),
            }
        }
    }

    fn take(&mut self, length: usize, crc: u32, head: RecordHead) -> RawRecord<'_> {
        let position = self.position();
        let at = (self.offset - self.from) as usize;
        self.offset += length as u64;
        // A head may lie about what stands before it.
        self.records = self.records.saturating_add(1);
        self.crc = crc;
        let (payload, trailer) = (at + RECORD_HEAD_BYTES, head.payload as usize);
        RawRecord {
            position,
            kind: head.kind,
            payload: &self.buffer[payload..payload + trailer],
            trailer: &self.buffer[payload + trailer..payload + trailer + usize::from(head.trailer)],
        }
    }

    /// What does not verify may have been read while it was written: it is looked at again.
    fn look_twice(&mut self) -> io::Result<Look> {
        let first = self.look()?;
        match first {
            Look::Record { .. } | Look::GoesOn => return Ok(first),
            Look::Nothing => match self.word_now()? {
                Some(0) => return Ok(first),
                Some(_) | None => self.forget(),
            },
            Look::Invalid => self.forget(),
        }
        // The bytes may be older than the word before them. Whoever reads them after having seen the word sees
        // what was written before it.
        match self.look()? {
            Look::Invalid => {
                self.forget();
                self.look()
            }
            second @ (Look::Record { .. } | Look::GoesOn | Look::Nothing) => Ok(second),
        }
    }

    /// Drops what was read: the file has more by now.
    fn forget(&mut self) {
        self.buffer.clear();
        self.chunk = CHUNK_BYTES_LEAST;
    }

    /// The publish word at the offset as it is now; `None` where the file ends. It is looked at alone, because
    /// whoever follows a lane mostly finds that there is nothing yet.
    fn word_now(&self) -> io::Result<Option<u32>> {
        let Some(open) = &self.open else { return Ok(None) };
        let mut word = [0; END_MARK_BYTES];
        let read = read_fully(&open.file, &mut word, self.offset)?;
        Ok((read == word.len()).then(|| u32_at(&word, 0)))
    }

    fn look(&mut self) -> io::Result<Look> {
        if self.have(END_MARK_BYTES)? < END_MARK_BYTES {
            return Ok(Look::Nothing);
        }
        let Some(open) = &self.open else { return Ok(Look::Nothing) };
        let (seed, left) = (open.seed, open.limit.saturating_sub(self.offset));
        let at = (self.offset - self.from) as usize;
        let (length, crc) = (u32_at(&self.buffer, at), u32_at(&self.buffer, at + 4));
        if length == 0 {
            return Ok(Look::Nothing);
        }
        if length == GOES_ON {
            let holds = crc == seed.at(self.offset as u32, GOES_ON);
            return Ok(if holds { Look::GoesOn } else { Look::Invalid });
        }
        let possible = is_length(length) && u64::from(length) <= left;
        if !possible || self.have(length as usize)? < length as usize {
            return Ok(Look::Invalid);
        }
        let at = (self.offset - self.from) as usize;
        let record = &self.buffer[at..at + length as usize];
        Ok(match verify(record, seed, self.offset as u32) {
            Some((crc, head)) => Look::Record { length: length as usize, crc, head },
            None => Look::Invalid,
        })
    }

    /// Makes sure that `bytes` from the offset on are in the buffer, or all that there are; returns how many.
    fn have(&mut self, bytes: usize) -> io::Result<usize> {
        let held = self.held();
        if held >= bytes {
            return Ok(held);
        }
        let Some(open) = &self.open else { return Ok(0) };
        let there = open.file.metadata()?.len().min(open.limit).saturating_sub(self.offset);
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        // A length that is nonsense must not make us take memory for it.
        if there < bytes && there <= held {
            return Ok(held);
        }
        self.buffer.resize(bytes.max(self.chunk).min(there), 0);
        self.from = self.offset;
        let read = read_fully(&open.file, &mut self.buffer, self.offset);
        // Somebody may have cut the file meanwhile.
        self.buffer.truncate(*read.as_ref().unwrap_or(&0));
        self.chunk = (self.chunk * 2).min(CHUNK_BYTES_MOST);
        read
    }

    fn held(&self) -> usize {
        let end = self.from + self.buffer.len() as u64;
        if self.offset < self.from || self.offset > end { 0 } else { (end - self.offset) as usize }
    }

    /// Opens the segment that the reader stands at.
    fn open_segment(&mut self) -> io::Result<Result<(), End>> {
        let (open, start) = match open(&self.dir, self.strand, self.index)? {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Err(End::Unpublished)),
            Err(fault) => return Ok(Err(self.bad_segment(self.index, fault))),
        };
        if self.session.is_some_and(|session| session != open.session) {
            return Ok(Err(self.bad_segment(self.index, Fault::Misplaced)));
        }
        // What was dropped before it is known only from here.
        (self.records, self.crc) = (start.records, start.previous);
        self.first = Some((start, open.session));
        self.enter(self.index, open);
        Ok(Ok(()))
    }

    /// Goes on in the next segment: because a mark says so, or because the file ends and a later writer
    /// began behind it.
    fn go_on(&mut self, marked: bool) -> io::Result<Result<(), End>> {
        let Some(next) = self.index.checked_add(1) else { return Ok(Err(End::Unpublished)) };
        let session = self.open.as_ref().map(|open| open.session);
        let at_end = self.held() == 0;
        if !marked && !at_end {
            return Ok(Err(End::Unpublished));
        }
        let (open, start) = match open(&self.dir, self.strand, next)? {
            Ok(Some(found)) => found,
            // A power failure may have left the mark and not what was written before it.
            Ok(None) => return Ok(Err(End::Unpublished)),
            Err(_) if !marked => return Ok(Err(End::Unpublished)),
            Err(fault) => return Ok(Err(self.bad_segment(next, fault))),
        };
        let joined = start == Start { records: self.records, previous: self.crc };
        // Within one run of a writer only a mark leads on.
        let same = session == Some(open.session);
        if !joined || same != marked {
            let end =
                if marked { self.bad_segment(next, Fault::NotJoined) } else { End::Unpublished };
            return Ok(Err(end));
        }
        self.enter(next, open);
        Ok(Ok(()))
    }

    fn enter(&mut self, index: u32, open: Open) {
        self.open = Some(open);
        self.index = index;
        self.offset = HEAD_BYTES as u64;
        self.buffer.clear();
    }

    #[cold]
    fn bad_segment(&self, index: u32, fault: Fault) -> End {
        End::Segment(Damage {
            file: segment_name(self.strand, index),
            strand: Some(self.strand),
            position: Position::new(index, 0),
            fault,
        })
    }
}

/// True for a number that can be the length of a record.
pub(super) fn is_length(length: u32) -> bool {
    length.is_multiple_of(8) && length as usize >= RECORD_HEAD_BYTES
}

/// Checks a whole record; its checksum and head when it holds.
pub(super) fn verify(record: &[u8], seed: Seed, offset: u32) -> Option<(u32, RecordHead)> {
    let length = u32::try_from(record.len()).ok()?;
    let (first, _) = record.get(8..)?.split_first_chunk::<8>()?;
    let head = RecordHead::decode(first)?;
    let crc = u32_at(record, 4);
    let holds =
        head.length() == u64::from(length) && crc == crc32c(&record[8..]) ^ seed.at(offset, length);
    holds.then_some((crc, head))
}

/// Opens a segment; `None` when it is not there yet or not in use.
fn open(
    dir: &Path,
    strand: Strand,
    index: u32,
) -> io::Result<Result<Option<(Open, Start)>, Fault>> {
    let file = match open_plain(&segment_path(dir, strand, index)) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Err(Fault::NotASegment)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Fault::Missing)),
        Err(error) => return Err(error),
    };
    Ok(read_head(&file, strand, index)?.map(|(head, start)| {
        let limit = head.capacity.min(JournalConfig::SEGMENT_BYTES_MOST);
        let open = Open { file, seed: head.seed(), session: head.session, limit };
        start.map(|start| (open, start))
    }))
}

/// Reads both parts of a segment's head, which must be that of this strand and number.
pub(super) fn read_head(
    file: &File,
    strand: Strand,
    index: u32,
) -> io::Result<Result<(Head, Option<Start>), Fault>> {
    let mut bytes = [0; HEAD_BYTES];
    let read = read_fully(file, &mut bytes, 0)?;
    let bytes = &bytes[..read];
    let head = match Head::decode(bytes) {
        Ok(head) if head.strand != strand.number() || head.index != index => {
            return Ok(Err(Fault::Misplaced));
        }
        Ok(head) => head,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(Start::decode(bytes).map(|start| (head, start)))
}
