//! Subjects that put records on disk: the journal's appender, and `write(2)`.
//!
//! What is in the time: of our side checksum and the copy into a segment that its helper thread made before;
//! of the peer one system call with bytes that are laid out already, into pages that the file has. Neither
//! waits for the medium, and both lie on the same disk.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::Duration;

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Event, TouchChange, TouchSource};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::journal::{
    Appender, HEAD_BYTES, Journal, JournalConfig, JournalError, LaneReader, Opening,
    RECORD_HEAD_BYTES, RealDisk, Retention, Strand,
};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Keep, Lane, LaneWriter, Record, RecordKind};
use fusewire_core::latency::Stamp;
use fusewire_core::market::Level;
use fusewire_core::units::{Nanos, Px, Qty};
use tempfile::TempDir;

use crate::measure::Subject;

/// Bytes of a payload: an event with a report has 120.
pub const PAYLOAD_BYTES: usize = 128;
/// Bytes of the stamp behind it.
const STAMP_BYTES: usize = 8;
/// Bytes of the whole record.
const RECORD_BYTES: usize = RECORD_HEAD_BYTES + PAYLOAD_BYTES + STAMP_BYTES;
/// Records in a pass: several passes fit a segment.
const RECORDS: u64 = 4_096;
const SEGMENT_BYTES: u64 = 4 << 20;
const LANE: Lane = Lane::Event;

/// What else a stage does for each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Nothing: `append` alone.
    Append,
    /// It asks for room before, and says that the event is done after.
    Whole,
}

/// The event lane of a journal in a scratch folder.
pub struct Ours {
    extent: Extent,
    lane: Appender,
    payload: [u8; PAYLOAD_BYTES],
    seq: u64,
    // Dropped before the folder, which its helper thread writes to.
    _journal: Journal,
    folder: TempDir,
}

impl Ours {
    /// Begins a journal.
    ///
    /// # Errors
    /// The disk says no.
    pub fn new(extent: Extent) -> Result<Self, JournalError> {
        let (folder, journal, lane) = begin()?;
        Ok(Self { extent, lane, payload: payload(), seq: 0, _journal: journal, folder })
    }

    fn append(&mut self) {
        self.seq += 1;
        self.lane.append(RecordKind::Event as u8, &[black_box(&self.payload)], self.seq);
    }
}

impl Subject for Ours {
    fn units(&self) -> u64 {
        RECORDS
    }

    /// Goes over to the next segment when this one has no room for a pass.
    fn reset(&mut self) {
        while !self.lane.ready() {
            assert_eq!(self.lane.watch().stopped(), None);
            std::thread::yield_now();
        }
    }

    fn pass(&mut self) {
        match self.extent {
            Extent::Append => (0..RECORDS).for_each(|_| self.append()),
            Extent::Whole => {
                for _ in 0..RECORDS {
                    black_box(self.lane.ready());
                    self.append();
                    self.lane.done(self.seq);
                }
            }
        }
    }
}

/// A journal in a scratch folder, and the lane that is measured.
fn begin() -> Result<(TempDir, Journal, Appender), JournalError> {
    let folder = tempfile::tempdir()
        .map_err(|error| JournalError::Io { path: std::env::temp_dir(), error })?;
    let opening = Opening {
        dir: folder.path(),
        config: &config(),
        session: 1,
        disk: Box::new(RealDisk),
        kill: KillSwitch::new(),
    };
    let (journal, lanes) = Journal::create(opening)?;
    let [_, lane, ..] = lanes;
    assert_eq!(lane.lane(), LANE);
    Ok((folder, journal, lane))
}

/// All that a stage does for an event besides its own work: room, stamp, record, digest, journal, done.
pub struct OurStage {
    lane: LaneWriter,
    event: Event,
    // Dropped in this order, as above.
    _journal: Journal,
    _folder: TempDir,
}

impl OurStage {
    /// Begins a journal.
    ///
    /// # Errors
    /// The disk says no.
    pub fn new() -> Result<Self, JournalError> {
        let (folder, journal, appender) = begin()?;
        let mut lane = LaneWriter::new(Keep::Digest);
        lane.attach(appender);
        let level = Some(Level { price: Px(5_000_000_000_000), qty: Qty(12_000_000) });
        let touch = Touch { bid: level, ask: level };
        let event = Event {
            seq: 0,
            ts: Nanos(1_723_075_200_000_000_000),
            recv: Nanos(1_723_075_200_000_000_000),
            frame: 1,
            instrument: Some(InstrumentId(0)),
            last: true,
            stamp: Stamp::default(),
            body: Body::Touch(TouchChange { touch, source: TouchSource::Book }),
        };
        Ok(Self { lane, event, _journal: journal, _folder: folder })
    }
}

impl Subject for OurStage {
    fn units(&self) -> u64 {
        RECORDS
    }

    fn reset(&mut self) {
        while !self.lane.ready() {
            assert_eq!(self.lane.watch().and_then(|watch| watch.stopped()), None);
            std::thread::yield_now();
        }
    }

    fn pass(&mut self) {
        for _ in 0..RECORDS {
            black_box(self.lane.ready());
            self.event.seq += 1;
            self.lane.stamp(self.event.seq);
            self.lane.append(&Record::event(black_box(&self.event)));
            self.lane.done(self.event.seq);
        }
    }
}

/// Sizes under which a pass always fits and old segments go; nothing is synced while it is measured.
fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: SEGMENT_BYTES,
        feed_segment_bytes: SEGMENT_BYTES,
        disk_max_bytes: 16 * SEGMENT_BYTES,
        retention: Retention::DropOldest,
        sync_every: Duration::from_secs(3_600),
        reserve: [RECORDS as usize * RECORD_BYTES; Lane::ALL.len()],
    }
}

fn payload() -> [u8; PAYLOAD_BYTES] {
    std::array::from_fn(|at| at as u8)
}

/// A file that takes each record with a system call.
pub struct WritePeer {
    file: File,
    record: [u8; RECORD_BYTES],
}

impl WritePeer {
    /// Makes the file, in the folder for scratch files as ours is.
    ///
    /// # Errors
    /// The disk says no.
    pub fn new() -> io::Result<Self> {
        let mut record = [7; RECORD_BYTES];
        record[RECORD_HEAD_BYTES..][..PAYLOAD_BYTES].copy_from_slice(&payload());
        Ok(Self { file: tempfile::tempfile()?, record })
    }
}

impl Subject for WritePeer {
    fn units(&self) -> u64 {
        RECORDS
    }

    /// The next pass writes over what this one wrote: the file has its pages, as a segment has.
    fn reset(&mut self) {
        self.file.rewind().expect("a scratch file can be rewound");
    }

    fn pass(&mut self) {
        for _ in 0..RECORDS {
            self.file.write_all(black_box(&self.record)).expect("the disk has room for a pass");
        }
    }
}

/// Whether both sides put the same bytes on disk: as many, and on our side such that a reader finds every
/// payload.
///
/// # Errors
/// What differs.
pub fn check() -> Result<(), String> {
    let mut ours = Ours::new(Extent::Append).map_err(|error| error.to_string())?;
    ours.reset();
    ours.pass();
    check_records(ours.folder.path())?;
    let mut peer = WritePeer::new().map_err(|error| error.to_string())?;
    peer.pass();
    let length = peer.file.metadata().map_err(|error| error.to_string())?.len();
    if length == RECORDS * RECORD_BYTES as u64 {
        Ok(())
    } else {
        Err(format!("the peer wrote {length} bytes"))
    }
}

fn check_records(dir: &Path) -> Result<(), String> {
    let mut reader = LaneReader::new(dir, Strand::Lane(LANE), 1);
    while let Ok(record) = reader.next().map_err(|error| error.to_string())? {
        if record.payload != payload() || record.stamp_ns().is_none() {
            return Err(format!("{record:?}"));
        }
    }
    let bytes = reader.position().offset() as usize - HEAD_BYTES;
    if (reader.records(), bytes) == (RECORDS, RECORDS as usize * RECORD_BYTES) {
        Ok(())
    } else {
        Err(format!("{} records in {bytes} bytes", reader.records()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_put_the_same_bytes_on_disk() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn many_passes_take_segment_after_segment_and_old_ones_go() {
        for extent in [Extent::Append, Extent::Whole] {
            let mut ours = Ours::new(extent).unwrap();
            for _ in 0..100 {
                ours.reset();
                ours.pass();
            }
            let segments = std::fs::read_dir(ours.folder.path()).unwrap().count();
            assert!((12..=19).contains(&segments), "{segments} files");
        }
        let mut stage = OurStage::new().unwrap();
        for _ in 0..100 {
            stage.reset();
            stage.pass();
        }
        assert_eq!(stage.lane.records(), 100 * RECORDS);
    }
}
