//! One segment as its writer has it: mapped, touched, with a place where the next record goes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::MmapRaw;

use super::checksum::{Seed, crc32c};
use super::disk::Disk;
use super::layout::{
    END_MARK_BYTES, GOES_ON, HEAD_BYTES, Head, Position, RECORD_HEAD_BYTES, RecordHead, Start,
    TRAILER_BYTES, record_length, start_at,
};
use super::memory::Memory;
use super::memory::hardware::{laid_out_bytes, lay_out};
use super::words::publish;

/// Longest payload that is laid out in one pass, in bytes. All that stages make are shorter. For longer ones
/// the checksum over what was copied is worth its start.
const SHORT_BYTES: usize = 512;

/// A segment that records are appended to.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    memory: Memory,
    head: Head,
    seed: Seed,
    /// Where the next record goes.
    end: usize,
}

impl Segment {
    /// Makes a segment, ready to be taken into use.
    pub(super) fn create(disk: &mut dyn Disk, path: &Path, head: Head) -> io::Result<Self> {
        let file = disk.create(path, head.capacity)?;
        let memory = Memory::File(MmapRaw::map_raw(&file)?);
        let mut segment = Self::over(path.to_owned(), file, memory, head);
        segment.memory.bytes_mut()[..start_at()].copy_from_slice(&head.encode());
        // Before a mark can lead here: a head that does not verify is then never the work of a power failure.
        // Before the pages are touched too, while there is only one to bring to the medium.
        disk.sync(&segment.file)?;
        segment.memory.touch();
        Ok(segment)
    }

    fn over(path: PathBuf, file: File, memory: Memory, head: Head) -> Self {
        Self { path, file, memory, seed: head.seed(), head, end: HEAD_BYTES }
    }

    /// Takes the segment into use behind the records that the lane has.
    pub(super) fn start(&mut self, start: Start) {
        let bytes = self.memory.bytes_mut();
        let second = start.encode(&bytes[..start_at()]);
        bytes[start_at()..HEAD_BYTES].copy_from_slice(&second);
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn index(&self) -> u32 {
        self.head.index
    }

    /// Where the next record goes.
    pub(super) fn position(&self) -> Position {
        Position::new(self.head.index, self.end as u32)
    }

    /// Bytes that records may take in an empty segment.
    pub(super) fn most(&self) -> usize {
        self.memory.len() - END_MARK_BYTES - HEAD_BYTES
    }

    /// Bytes that records may still take; room for the end mark is kept.
    pub(super) fn room(&self) -> usize {
        self.memory.len() - END_MARK_BYTES - self.end
    }

    /// Appends a record with a stamp for its trailer and publishes it. Returns its checksum.
    ///
    /// # Panics
    /// When there is no room for it: who appends has looked.
    pub(super) fn append(&mut self, kind: u8, parts: &[&[u8]], stamp: u64) -> u32 {
        match parts {
            [payload] if payload.len() <= SHORT_BYTES => self.append_short(kind, payload, stamp),
            _ => self.append_parts(kind, parts, &stamp.to_le_bytes()),
        }
    }

    fn append_short(&mut self, kind: u8, payload: &[u8], stamp: u64) -> u32 {
        let (start, bytes) = (self.end, payload.len());
        let length = RECORD_HEAD_BYTES + laid_out_bytes(bytes) - 8;
        assert!(length <= self.room(), "who appends has looked for room");
        let head = RecordHead { payload: bytes as u32, kind, trailer: TRAILER_BYTES as u8 };
        let seed = self.seed.at(start as u32, length as u32);
        let record = &mut self.memory.bytes_mut()[start..start + length];
        let (front, covered) = record.split_at_mut(8);
        let crc = lay_out(covered, head.word(), payload, stamp) ^ seed;
        if let Some(place) = front.last_chunk_mut() {
            *place = crc.to_le_bytes();
        }
        publish(self.memory.word32(start), length as u32);
        self.end = start + length;
        crc
    }

    /// Appends a record that lies in pieces and has any trailer.
    pub(super) fn append_parts(&mut self, kind: u8, parts: &[&[u8]], trailer: &[u8]) -> u32 {
        let payload: usize = parts.iter().map(|part| part.len()).sum();
        let length = record_length(payload as u64, trailer.len() as u64) as usize;
        assert!(length <= self.room(), "who appends has looked for room");
        let (start, end) = (self.end, self.end + length);
        let head = RecordHead { payload: payload as u32, kind, trailer: trailer.len() as u8 };
        let record = &mut self.memory.bytes_mut()[start..end];
        record[8..RECORD_HEAD_BYTES].copy_from_slice(&head.encode());
        let mut at = RECORD_HEAD_BYTES;
        for part in parts.iter().chain([&trailer]) {
            record[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        record[at..].fill(0);
        let crc = crc32c(&record[8..]) ^ self.seed.at(start as u32, length as u32);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
        publish(self.memory.word32(start), length as u32);
        self.end = end;
        crc
    }

    /// Marks that the lane goes on in the next segment, which must be in use already.
    pub(super) fn seal(&mut self) {
        let (start, seed) = (self.end, self.seed.at(self.end as u32, GOES_ON));
        self.memory.bytes_mut()[start + 4..start + 8].copy_from_slice(&seed.to_le_bytes());
        publish(self.memory.word32(start), GOES_ON);
    }

    /// Unmaps the segment; returns its file and the bytes that it holds.
    pub(super) fn finish(self) -> (PathBuf, File, u64) {
        (self.path, self.file, self.end as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A segment on the heap: Miri runs this.
    fn segment(bytes: usize) -> Segment {
        let head = Head { strand: 1, index: 1, session: 5, capacity: bytes as u64 };
        let file = File::open("/dev/null").unwrap();
        Segment::over(PathBuf::new(), file, Memory::heap(bytes), head)
    }

    #[test]
    fn a_record_is_whole_before_its_word_is_there() {
        let stamp = u64::from_le_bytes([9; 8]);
        for parts in [&[&b"abcde"[..]][..], &[b"abc", b"", b"de"]] {
            let mut segment = segment(256);
            assert_eq!(segment.room(), 256 - 128 - 8);
            let crc = segment.append(17, parts, stamp);
            assert_eq!(segment.position(), Position::new(1, 160));
            let seed = segment.seed.at(128, 32);
            let bytes = segment.memory.bytes_mut();
            assert_eq!(bytes[128..132], 32_u32.to_le_bytes());
            assert_eq!(bytes[132..136], crc.to_le_bytes());
            assert_eq!(bytes[136..144], [5, 0, 0, 0, 17, 8, 0, 0]);
            assert_eq!(bytes[144..160], *b"abcde\x09\x09\x09\x09\x09\x09\x09\x09\0\0\0");
            assert_eq!(crc, crc32c(&bytes[136..160]) ^ seed);
        }
    }

    /// One piece and several, short and long: the same bytes stand there.
    #[test]
    fn in_how_many_pieces_a_record_came_can_not_be_seen() {
        let all: Vec<u8> = (0..520).map(|n| n as u8).collect();
        for length in [0, 1, 7, 8, 9, 70, 118, 128, 511, 512, 513, 520] {
            let (mut whole, mut split) = (segment(1_024), segment(1_024));
            let (front, back) = all[..length].split_at(length / 3);
            for stamp in [7, u64::MAX] {
                if whole.room() >= 24 + length.next_multiple_of(8) {
                    let crc = whole.append(1, &[&all[..length]], stamp);
                    assert_eq!(crc, split.append_parts(1, &[front, back], &stamp.to_le_bytes()));
                }
            }
            assert_eq!(whole.position(), split.position());
            assert_eq!(whole.memory.bytes_mut(), split.memory.bytes_mut(), "{length} bytes");
        }
    }

    #[test]
    fn the_end_mark_always_has_room() {
        let mut segment = segment(256);
        while segment.room() >= 24 {
            segment.append(1, &[], 0);
        }
        segment.seal();
        let end = segment.end;
        assert_eq!(segment.memory.bytes_mut()[end..end + 4], [0xff; 4]);
    }

    #[test]
    fn the_same_record_elsewhere_has_another_checksum() {
        let mut segment = segment(512);
        let crcs: Vec<u32> = (0..8).map(|_| segment.append(1, &[b"same"], 0)).collect();
        let mut distinct = crcs.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), crcs.len());
    }
}
