//! Names and fixed layouts of the files, as `docs/journal.md` describes them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::checksum::{Seed, crc32c};
use super::error::Fault;
use crate::lane::Lane;

/// Version of the format.
pub const VERSION: u16 = 1;
/// Bytes before the first record of a segment.
pub const HEAD_BYTES: usize = 128;
/// Bytes before the payload of a record.
pub const RECORD_HEAD_BYTES: usize = 16;
/// Publish word of a segment's end: the lane goes on in the next one.
pub(super) const GOES_ON: u32 = u32::MAX;
/// Bytes of the mark with it.
pub(super) const END_MARK_BYTES: usize = 8;
/// Bytes of a record's trailer.
pub(super) const TRAILER_BYTES: usize = 8;
/// Number in the heads of segments with orphans.
pub(super) const ORPHANS: u8 = 5;

const SEGMENT_MAGIC: [u8; 8] = *b"FUSEWIRE";
/// More records than any lane has.
const RECORDS_MOST: u64 = u64::MAX >> 1;
/// Where a segment's head says how it was taken into use.
const START_AT: usize = 64;

/// A place in a lane: `segment << 32 | offset`. Later places are larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

impl Position {
    /// Puts a place together.
    #[must_use]
    pub const fn new(segment: u32, offset: u32) -> Self {
        Self((segment as u64) << 32 | offset as u64)
    }

    /// Number of the segment, from 1.
    #[must_use]
    pub const fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Bytes from the start of its file.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.0 as u32
    }
}

/// What a file of the journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strand {
    /// A lane.
    Lane(Lane),
    /// Gateway records that a recovery took out.
    Orphans,
}

impl Strand {
    /// All of them.
    pub(super) const ALL: [Self; Lane::ALL.len() + 1] = [
        Self::Lane(Lane::Feed),
        Self::Lane(Lane::Event),
        Self::Lane(Lane::Alpha),
        Self::Lane(Lane::Risk),
        Self::Lane(Lane::Gateway),
        Self::Orphans,
    ];

    /// Its number in heads.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Lane(lane) => lane as u8,
            Self::Orphans => ORPHANS,
        }
    }

    /// Its name in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lane(lane) => lane.name(),
            Self::Orphans => "orphans",
        }
    }
}

impl fmt::Display for Strand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Name of a segment's file.
#[must_use]
pub fn segment_name(strand: Strand, index: u32) -> String {
    format!("{strand}-{index:06}.seg")
}

/// Path of a segment.
pub(super) fn segment_path(dir: &Path, strand: Strand, index: u32) -> PathBuf {
    dir.join(segment_name(strand, index))
}

/// The strand and number that the name of a segment says. Other spellings of a number are no names.
pub(super) fn parse_name(name: &str) -> Option<(Strand, u32)> {
    let (strand, digits) = name.strip_suffix(".seg")?.rsplit_once('-')?;
    let strand = Strand::ALL.into_iter().find(|known| known.name() == strand)?;
    let index = digits.parse().ok().filter(|index| *index > 0)?;
    (segment_name(strand, index) == name).then_some((strand, index))
}

/// The head of a segment, as it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) strand: u8,
    pub(super) index: u32,
    pub(super) session: u64,
    /// Bytes of the file when it was made.
    pub(super) capacity: u64,
}

/// What joins a segment to the one before it. It is written when the segment is taken into use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// Records of the lane before this segment.
    pub(super) records: u64,
    /// Checksum of the last of them.
    pub(super) previous: u32,
}

impl Head {
    pub(super) fn seed(&self) -> Seed {
        Seed::new(self.session, self.strand, self.index)
    }

    /// The bytes of the first part.
    pub(super) fn encode(&self) -> [u8; START_AT] {
        let mut bytes = [0; START_AT];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = self.strand;
        bytes[12..16].copy_from_slice(&self.index.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.session.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.capacity.to_le_bytes());
        let crc = crc32c(&bytes[..32]);
        bytes[32..36].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the first part.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(bytes) = bytes.get(..START_AT) else { return Err(Fault::HeadCut) };
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(Fault::NotASegment);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if crc32c(&bytes[..32]) != u32_at(bytes, 32) || bytes[36..].iter().any(|byte| *byte != 0) {
            return Err(Fault::HeadChecksum);
        }
        if version != VERSION {
            return Err(Fault::Version(version));
        }
        let [index, session, capacity] =
            [u64::from(u32_at(bytes, 12)), u64_at(bytes, 16), u64_at(bytes, 24)];
        Ok(Self { strand: bytes[10], index: index as u32, session, capacity })
    }
}

impl Start {
    /// The bytes of the second part, which stands at `HEAD_BYTES / 2`.
    pub(super) fn encode(&self, head: &[u8]) -> [u8; HEAD_BYTES - START_AT] {
        let mut bytes = [0; HEAD_BYTES - START_AT];
        bytes[..8].copy_from_slice(&self.records.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.previous.to_le_bytes());
        let crc = Self::crc(head, &bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the second part; `None` when the segment is not in use yet.
    pub(super) fn decode(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let Some(bytes) = bytes.get(..HEAD_BYTES) else { return Err(Fault::HeadCut) };
        let (head, start) = bytes.split_at(START_AT);
        if start.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let rest_is_zero = start[16..].iter().all(|byte| *byte == 0);
        let start = Self { records: u64_at(start, 0), previous: u32_at(start, 8) };
        let holds = Self::crc(head, &bytes[START_AT..]) == u32_at(bytes, START_AT + 12);
        // Whoever counts on from there must not come to the end of all numbers.
        let is_possible = start.records <= RECORDS_MOST;
        if holds && rest_is_zero && is_possible {
            Ok(Some(start))
        } else {
            Err(Fault::StartChecksum)
        }
    }

    fn crc(head: &[u8], start: &[u8]) -> u32 {
        let mut covered = [0; 44];
        covered[..32].copy_from_slice(&head[..32]);
        covered[32..].copy_from_slice(&start[..12]);
        crc32c(&covered)
    }
}

/// Where the second part of a head stands.
pub(super) const fn start_at() -> usize {
    START_AT
}

/// The parts of a record's head behind the publish word and the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) payload: u32,
    pub(super) kind: u8,
    pub(super) trailer: u8,
}

impl RecordHead {
    pub(super) fn encode(&self) -> [u8; 8] {
        self.word().to_le_bytes()
    }

    /// The same as a number, little endian.
    pub(super) fn word(&self) -> u64 {
        u64::from(self.payload) | u64::from(self.kind) << 32 | u64::from(self.trailer) << 40
    }

    /// Reads it; `None` when the spare bytes are not zero.
    pub(super) fn decode(bytes: &[u8; 8]) -> Option<Self> {
        let spare = bytes[6] | bytes[7];
        let payload = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        (spare == 0).then_some(Self { payload, kind: bytes[4], trailer: bytes[5] })
    }

    /// Bytes of the whole record.
    pub(super) fn length(&self) -> u64 {
        record_length(u64::from(self.payload), u64::from(self.trailer))
    }
}

/// Bytes of a record: a multiple of eight, so that every publish word is aligned.
pub(super) const fn record_length(payload: u64, trailer: u64) -> u64 {
    (RECORD_HEAD_BYTES as u64 + payload + trailer).next_multiple_of(8)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { strand: 3, index: 7, session: 0x0102_0304, capacity: 1 << 20 };

    fn bytes(start: Option<Start>) -> Vec<u8> {
        let mut bytes = HEAD.encode().to_vec();
        let second = start.map_or([0; 64], |start| start.encode(&bytes));
        bytes.extend(second);
        bytes
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_every_changed_byte_shows() {
        let start = Start { records: 9, previous: 0xdead_beef };
        let good = bytes(Some(start));
        assert_eq!((Head::decode(&good), Start::decode(&good)), (Ok(HEAD), Ok(Some(start))));
        assert_eq!(Start::decode(&bytes(None)), Ok(None));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(Head::decode(&bad).is_err() || Start::decode(&bad).is_err(), "byte {at}");
        }
        assert_eq!(Head::decode(&good[..63]), Err(Fault::HeadCut));
        assert_eq!(Start::decode(&good[..127]), Err(Fault::HeadCut));
    }

    #[test]
    fn a_number_of_records_that_no_lane_has_is_refused() {
        for (records, good) in [(RECORDS_MOST, true), (RECORDS_MOST + 1, false), (u64::MAX, false)]
        {
            let start = Start { records, previous: 1 };
            assert_eq!(Start::decode(&bytes(Some(start))).is_ok(), good, "{records}");
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let mut later = HEAD.encode();
        later[8] = 2;
        let crc = crc32c(&later[..32]);
        later[32..36].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Head::decode(&later), Err(Fault::Version(2)));
    }

    #[test]
    fn names_of_segments_are_read_back() {
        let feed = Strand::Lane(Lane::Feed);
        assert_eq!(segment_name(feed, 1), "feed-000001.seg");
        assert_eq!(segment_name(Strand::Orphans, 1), "orphans-000001.seg");
        for strand in Strand::ALL {
            for index in [1, 999_999, 1_000_000, 12_345_678, u32::MAX] {
                assert_eq!(parse_name(&segment_name(strand, index)), Some((strand, index)));
            }
        }
        for other in [
            "feed-1.seg",
            "feed-000000.seg",
            "feed-+00001.seg",
            "feed-0000001.seg",
            "feed-4294967296.seg",
            "feed-000001.seg.seg",
            "feed-000001",
            "-000001.seg",
            "fees-000001.seg",
            "x",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }

    #[test]
    fn positions_are_ordered_by_segment_then_offset() {
        assert!(Position::new(1, u32::MAX) < Position::new(2, 0));
        let place = Position::new(3, 136);
        assert_eq!((place.segment(), place.offset()), (3, 136));
    }
}
