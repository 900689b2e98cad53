//! Files of a journal, written byte by byte as `docs/journal.md` describes them, so that what is wrong in them
//! can be made to look right.

use std::collections::BTreeMap;

use fusewire_core::journal::{HEAD_BYTES, Strand, VERSION, crc32c, segment_name};
use fusewire_core::lane::{CloseRecord, Lane, Record, RecordKind};

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

const SESSION: u64 = 99;
/// Bytes of a segment that is not closed.
const CAPACITY: usize = 2_048;
/// Where the second part of a head begins.
const START_AT: usize = 64;
const END_MARK: u32 = u32::MAX;
const CONTROL_BYTES: usize = 4_096;
/// The control page's number in seeds.
const CONTROL_LANE: u8 = 255;

const fn fold(number: u64) -> u64 {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    spread ^ spread >> 32
}

/// What a checksum of `length` bytes at `offset` is put over with.
const fn seed(session: u64, lane: u8, segment: u32, offset: u32, length: u32) -> u32 {
    let file = fold(fold(session) ^ ((lane as u64) << 32 | segment as u64));
    fold(file ^ ((offset as u64) << 32 | length as u64)) as u32
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// What a segment's head says.
#[derive(Clone, Copy)]
pub struct Head {
    pub lane: u8,
    pub index: u32,
    pub session: u64,
    /// Records before it and the checksum of the last of them; none while it is not in use.
    pub start: Option<(u64, u32)>,
}

impl Head {
    /// What a segment says of itself, be it true or not. None when it is too short.
    pub fn of(segment: &[u8]) -> Option<Self> {
        let head = segment.first_chunk::<HEAD_BYTES>()?;
        let start = u64::from_le_bytes(*head[START_AT..].first_chunk()?);
        Some(Self {
            lane: head[10],
            index: u32_at(head, 12)?,
            session: u64::from_le_bytes(*head[16..].first_chunk()?),
            start: Some((start, u32_at(head, 72)?)),
        })
    }

    /// Puts it at the front of a segment, with checksums that hold.
    pub fn write(&self, segment: &mut Vec<u8>) {
        if segment.len() < HEAD_BYTES {
            segment.resize(HEAD_BYTES, 0);
        }
        segment[..HEAD_BYTES].fill(0);
        put(segment, 0, b"FUSEWIRE");
        put(segment, 8, &VERSION.to_le_bytes());
        segment[10] = self.lane;
        put(segment, 12, &self.index.to_le_bytes());
        put(segment, 16, &self.session.to_le_bytes());
        put(segment, 24, &(CAPACITY as u64).to_le_bytes());
        let crc = crc32c(&segment[..32]);
        put(segment, 32, &crc.to_le_bytes());
        if let Some((records, previous)) = self.start {
            put(segment, START_AT, &records.to_le_bytes());
            put(segment, 72, &previous.to_le_bytes());
            let covered = [&segment[..32], &segment[START_AT..76]].concat();
            put(segment, 76, &crc32c(&covered).to_le_bytes());
        }
    }

    /// Makes the checksum of a whole record right for its place; returns it.
    pub fn seal(&self, record: &mut [u8], offset: usize) -> u32 {
        let seed = seed(self.session, self.lane, self.index, offset as u32, record.len() as u32);
        let crc = crc32c(&record[8..]) ^ seed;
        put(record, 4, &crc.to_le_bytes());
        crc
    }

    /// A record for a place in the segment.
    pub fn record(&self, offset: usize, kind: u8, payload: &[u8]) -> (Vec<u8>, u32) {
        let length = (16 + payload.len() + 8).next_multiple_of(8);
        let mut record = vec![0; length];
        put(&mut record, 0, &(length as u32).to_le_bytes());
        put(&mut record, 8, &(payload.len() as u32).to_le_bytes());
        (record[12], record[13]) = (kind, 8);
        put(&mut record, 16, payload);
        let crc = self.seal(&mut record, offset);
        (record, crc)
    }

    /// The mark that the lane goes on in the next segment.
    fn end_mark(&self, offset: usize) -> [u8; 8] {
        let seed = seed(self.session, self.lane, self.index, offset as u32, END_MARK);
        let mut mark = [0xFF; 8];
        put(&mut mark, 4, &seed.to_le_bytes());
        mark
    }
}

/// Where the records of a segment begin, and where the last one ends.
pub fn places(segment: &[u8]) -> (Vec<usize>, usize) {
    let (mut places, mut at) = (Vec::new(), HEAD_BYTES);
    while let Some(length) = u32_at(segment, at) {
        let end = at.saturating_add(length as usize);
        if length < 16 || !length.is_multiple_of(8) || end > segment.len() {
            break;
        }
        places.push(at);
        at = end;
    }
    (places, at)
}

/// A pair of slots of the control page.
#[derive(Clone, Copy)]
pub enum Slot {
    Done(Lane),
    Synced,
    Kept,
}

impl Slot {
    /// Writes one of the two, with a checksum that holds.
    pub fn write(self, page: &mut [u8], second: bool, values: &[u64]) {
        let (at, apart) = match self {
            Self::Done(lane) => (256 + 128 * lane as usize, 64),
            Self::Synced => (1_024, 128),
            Self::Kept => (1_536, 128),
        };
        let at = at + if second { apart } else { 0 };
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        if at + bytes.len() + 8 > page.len() {
            return;
        }
        put(page, at, &bytes);
        let seed = seed(SESSION, CONTROL_LANE, 0, at as u32, bytes.len() as u32);
        let crc = u64::from(crc32c(&bytes) ^ seed);
        put(page, at + bytes.len(), &crc.to_le_bytes());
    }
}

/// A journal of a dozen events, interrupted or closed.
pub fn journal(closed: bool) -> Files {
    let mut files = Files::new();
    let mut page = vec![0; CONTROL_BYTES];
    put(&mut page, 0, b"FUSEWCTL");
    put(&mut page, 8, &VERSION.to_le_bytes());
    put(&mut page, 16, &SESSION.to_le_bytes());
    let crc = crc32c(&page[..24]);
    put(&mut page, 24, &crc.to_le_bytes());
    let (mut positions, mut seqs) = ([0; 5], [0; 5]);
    for lane in Lane::ALL {
        let (position, records) = write_lane(&mut files, lane, closed);
        let last = if lane == Lane::Feed { 4 } else { 12 };
        (positions[lane as usize], seqs[lane as usize]) = (position, last);
        Slot::Done(lane).write(&mut page, false, &[last, position, records]);
        Slot::Done(lane).write(&mut page, true, &[last - 1, 1 << 32 | 128, 0]);
    }
    Slot::Synced.write(&mut page, false, &[&[0], &[1 << 32 | 128; 5][..], &[0; 5]].concat());
    if closed {
        Slot::Synced.write(&mut page, true, &[&[1], &positions[..], &seqs].concat());
    }
    Slot::Kept.write(&mut page, false, &[&[0], &[1; 5][..], &[SESSION; 5]].concat());
    files.insert("control".to_owned(), page);
    files
}

/// Writes a lane, of which two segments hold something; returns where it ends and how many records it has.
fn write_lane(files: &mut Files, lane: Lane, closed: bool) -> (u64, u64) {
    let mut contents = contents(lane);
    if closed {
        let close = CloseRecord { records: 0, last: 12, digest: [1; 32], header: [2; 32] };
        contents.push((RecordKind::Close, Record::close(&close).bytes().to_vec()));
    }
    let (first, second) = contents.split_at(contents.len() / 2);
    let (mut records, mut crc, mut end) = (0, 0, 0);
    for (index, contents) in [(1, first), (2, second)] {
        let head = Head { lane: lane as u8, index, session: SESSION, start: Some((records, crc)) };
        let mut segment = Vec::new();
        head.write(&mut segment);
        for (kind, payload) in contents {
            let (record, sum) = head.record(segment.len(), *kind as u8, payload);
            (records, crc) = (records + 1, sum);
            segment.extend(record);
        }
        end = u64::from(index) << 32 | segment.len() as u64;
        if index == 1 {
            let mark = head.end_mark(segment.len());
            segment.extend(mark);
        }
        if !closed {
            segment.resize(CAPACITY, 0);
        }
        files.insert(segment_name(Strand::Lane(lane), index), segment);
    }
    if !closed {
        // Prepared, and not in use.
        let head = Head { lane: lane as u8, index: 3, session: SESSION, start: None };
        let mut segment = Vec::new();
        head.write(&mut segment);
        segment.resize(CAPACITY, 0);
        files.insert(segment_name(Strand::Lane(lane), 3), segment);
    }
    (end, records)
}

/// Kinds and payloads of a lane. Of most payloads a reader of lanes looks at the first number only.
fn contents(lane: Lane) -> Vec<(RecordKind, Vec<u8>)> {
    let numbered = |kind, numbers: &[u64]| {
        let payload = |number: &u64| [&number.to_le_bytes()[..], &[7; 20]].concat();
        numbers.iter().map(|number| (kind, payload(number))).collect::<Vec<_>>()
    };
    match lane {
        Lane::Feed => numbered(RecordKind::Frame, &[1, 2, 3, 4]),
        Lane::Event => {
            let header = (RecordKind::Header, b"{}".to_vec());
            let events: Vec<u64> = (1..=12).collect();
            [vec![header], numbered(RecordKind::Event, &events)].concat()
        }
        Lane::Alpha => numbered(RecordKind::Intent, &[3, 3, 7, 12]),
        Lane::Risk => numbered(RecordKind::Verdict, &[3, 3, 7, 12]),
        Lane::Gateway => numbered(RecordKind::Sent, &[3, 7, 12]),
    }
}
