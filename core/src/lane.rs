//! Lanes: what each stage adds to the run, record by record, the digest over it, and the journal that holds it.
//!
//! A digest covers payloads only. The same capture, configuration and seed give the same digests, with a
//! journal and without.

mod decided;
pub mod decode;
mod digester;
mod fields;
mod frames;
mod kind;
mod record;

pub use decided::{CloseRecord, Decided, SentRecord, VerdictRecord};
pub use decode::Decoded;
pub use fields::{DecodeError, DecodeFault};
pub use frames::{
    ADDRESS_BYTES_MAX, DAMAGED_HEAD_BYTES, DAMAGED_TEXT_BYTES_MAX, Damaged, FRAME_HEAD_BYTES,
    Frame, FrameHead, FrameOrigin, FrameRef,
};
pub use kind::RecordKind;
pub use record::Record;

use crate::journal::{Appender, Stopped, Watch};
use digester::Digester;

/// The lanes of a run, in pipeline order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// Raw frames.
    Feed,
    /// The sequenced stream.
    Event,
    /// Intents of strategies.
    Alpha,
    /// Verdicts.
    Risk,
    /// Orders sent or blocked.
    Gateway,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 5] = [Self::Feed, Self::Event, Self::Alpha, Self::Risk, Self::Gateway];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Event => "event",
            Self::Alpha => "alpha",
            Self::Risk => "risk",
            Self::Gateway => "gateway",
        }
    }
}

/// Whether a lane remembers its records or only their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The digest.
    Digest,
    /// The digest of each prefix too, so that two runs can be compared record by record.
    Prefixes,
    /// The records too, until they are taken: a rerun is compared with what was recorded.
    Records,
}

/// The writing end of one lane: who owns the stage owns it.
#[derive(Debug)]
pub struct LaneWriter {
    digester: Digester,
    records: u64,
    /// What the trailers of the next records say.
    stamp_ns: u64,
    prefixes: Option<Vec<u64>>,
    kept: Option<Vec<(RecordKind, Vec<u8>)>>,
    journal: Option<Appender>,
}

impl LaneWriter {
    /// An empty lane.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        let prefixes = (keep == Keep::Prefixes).then(Vec::new);
        let kept = (keep == Keep::Records).then(Vec::new);
        let digester = Digester::new();
        Self { digester, records: 0, stamp_ns: 0, prefixes, kept, journal: None }
    }

    /// Puts every record into a journal too, from here on.
    pub fn attach(&mut self, journal: Appender) {
        self.journal = Some(journal);
    }

    /// True when the journal has room for all that one input can give rise to. Otherwise the stage takes no
    /// input: what is not in the journal must not be passed on.
    #[must_use]
    pub fn ready(&mut self) -> bool {
        self.journal.as_mut().is_none_or(Appender::ready)
    }

    /// Whether the journal still takes records; none without one.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.journal.as_ref().map(Appender::watch)
    }

    /// Says when the stage took the message that it is about to handle, in ns of a monotonic clock: what goes
    /// into the trailers of all records from here on. 0, until it is said: nobody knows.
    pub fn stamp(&mut self, at_ns: u64) {
        self.stamp_ns = at_ns;
    }

    /// For a stage that has nothing else to do: takes a portion of the records into the digest that would
    /// otherwise be hashed when the memory for them is full. That is 16 KiB, some microseconds. Returns the
    /// bytes; 0 when nothing is left that is worth it.
    pub fn rest(&mut self) -> usize {
        self.digester.rest()
    }

    /// Appends a record.
    pub fn append(&mut self, record: &Record) {
        self.digest_parts(&[record.bytes()]);
        self.store(record.kind(), &[record.bytes()]);
    }

    /// Appends a record that is stored otherwise than it is digested: a frame may lie in its capture. One that
    /// is larger than what `ready` keeps free waits for room; when the journal takes nothing more it is
    /// dropped, and nothing that follows from it is sequenced.
    pub fn append_as(&mut self, digested: &[&[u8]], kind: RecordKind, stored: &[&[u8]]) {
        self.digest_parts(digested);
        match &mut self.journal {
            Some(journal) if !journal.has_room(stored) => {
                // The reason is told by whoever runs the stages.
                let _ = journal.append_waiting(kind as u8, stored, self.stamp_ns);
            }
            Some(_) | None => self.store(kind, stored),
        }
    }

    fn store(&mut self, kind: RecordKind, parts: &[&[u8]]) {
        if let Some(journal) = &mut self.journal {
            journal.append(kind as u8, parts, self.stamp_ns);
        }
        if let Some(kept) = &mut self.kept {
            kept.push((kind, parts.concat()));
        }
    }

    /// The records since the last call, when they are kept.
    pub fn take_records(&mut self) -> Vec<(RecordKind, Vec<u8>)> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Puts a record into the journal that no digest covers, and waits for room. Not for the hot path.
    ///
    /// # Errors
    /// The journal takes nothing more.
    pub fn note(&mut self, kind: RecordKind, parts: &[&[u8]]) -> Result<(), Stopped> {
        assert!(!kind.is_digested(), "digests cover all other kinds");
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append_waiting(kind as u8, parts, self.stamp_ns)
    }

    /// Says that everything of event `seq` (of the feed lane: frame) is on the lane.
    pub fn done(&mut self, seq: u64) {
        if let Some(journal) = &mut self.journal {
            journal.done(seq);
        }
    }

    /// Puts the closing record on the lane and hands back the journal's end; none without a journal. `last`
    /// is the last event, of the feed lane the last frame; `header` is the digest of the header document.
    ///
    /// # Errors
    /// The journal takes nothing more.
    pub fn close(&mut self, last: u64, header: Digest) -> Result<Option<Appender>, Stopped> {
        let (digest, header) = (self.digest().0, header.0);
        let close = CloseRecord { records: self.records, last, digest, header };
        self.note(RecordKind::Close, &[Record::close(&close).bytes()])?;
        Ok(self.journal.take())
    }

    fn digest_parts(&mut self, parts: &[&[u8]]) {
        self.records += 1;
        match &mut self.prefixes {
            None => self.digester.take(parts),
            Some(prefixes) => prefixes.push(self.digester.take_hashed(parts).head()),
        }
    }

    /// Records so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Digest over all records so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digester.digest()
    }

    /// The head of the digest after each record, when they are kept.
    #[must_use]
    pub fn prefixes(&self) -> Option<&[u64]> {
        self.prefixes.as_deref()
    }
}

/// A BLAKE3 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest that was read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first eight bytes as a number.
    #[must_use]
    pub fn head(&self) -> u64 {
        let (head, _) = self.0.split_first_chunk().expect("a digest is 32 bytes");
        u64::from_le_bytes(*head)
    }

    /// The digest over the digests of all lanes, in their order.
    #[must_use]
    pub fn of_all(lanes: &[Self; Lane::ALL.len()]) -> Self {
        Self::of_lanes(*lanes)
    }

    /// The digest over those of some lanes, in their order.
    #[must_use]
    pub fn of_lanes(lanes: impl IntoIterator<Item = Self>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for lane in lanes {
            hasher.update(&lane.0);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(records: &[&[u8]]) -> Digest {
        let mut lane = LaneWriter::new(Keep::Digest);
        for record in records {
            lane.digest_parts(&[record]);
        }
        lane.digest()
    }

    #[test]
    fn where_one_record_ends_is_part_of_the_digest() {
        assert_ne!(digest_of(&[b"ab", b"c"]), digest_of(&[b"a", b"bc"]));
        assert_ne!(digest_of(&[]), digest_of(&[b""]));
        let mut lane = LaneWriter::new(Keep::Digest);
        lane.digest_parts(&[b"a", b"b"]);
        assert_eq!(lane.digest(), digest_of(&[b"ab"]));
    }

    #[test]
    fn prefixes_tell_where_two_runs_part() {
        let prefixes = |records: &[&[u8]]| {
            let mut lane = LaneWriter::new(Keep::Prefixes);
            for record in records {
                lane.digest_parts(&[record]);
            }
            lane.prefixes().unwrap().to_vec()
        };
        let (long, short) = (prefixes(&[b"1", b"2", b"3"]), prefixes(&[b"1", b"2"]));
        assert_eq!(long[..2], short);
        assert_ne!(prefixes(&[b"1", b"x", b"3"])[2], long[2]);
    }
}
