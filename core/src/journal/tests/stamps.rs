//! What the trailers of a lane's records say.

use super::rig::*;
use super::*;
use crate::lane::{CloseRecord, Digest, Keep, LaneWriter, Record};

fn stamps(dir: &Path, lane: Lane) -> Vec<(u8, u64)> {
    let mut reader = LaneReader::new(dir, Strand::Lane(lane), 1);
    let mut stamps = Vec::new();
    while let Ok(record) = reader.next().unwrap() {
        stamps.push((record.kind, record.stamp_ns().unwrap()));
    }
    stamps
}

/// A stage says once when it took a message: its records have that stamp until it takes the next one.
#[test]
fn the_stamp_of_a_message_is_in_the_trailers_of_all_that_comes_of_it() {
    let folder = scratch();
    let config = JournalConfig { reserve: [512; Lane::ALL.len()], ..config() };
    let (journal, lanes) = Journal::create(opening(folder.path(), &config, 99)).unwrap();
    let mut writers = lanes.map(|lane| {
        let mut writer = LaneWriter::new(Keep::Digest);
        writer.attach(lane);
        writer
    });
    let gateway = &mut writers[Lane::Gateway as usize];
    gateway.append(&Record::cancel_all(1));
    gateway.stamp(1_000);
    for seq in 2..4 {
        gateway.append(&Record::cancel_all(seq));
        gateway.done(seq);
    }
    gateway.stamp(u64::MAX);
    // Larger than what is kept free: it waits for the next segment.
    let large = [3; 6_000];
    for _ in 0..2 {
        gateway.append_as(&[b"large"], RecordKind::Sent, &[&large]);
    }
    let header = Digest::of(b"{}");
    let ends = writers.each_mut().map(|writer| writer.close(3, header).unwrap().unwrap());
    journal.close(ends).unwrap();
    let (sent, all) = (RecordKind::Sent as u8, RecordKind::CancelAll as u8);
    let close = (RecordKind::Close as u8, u64::MAX);
    assert_eq!(
        stamps(folder.path(), Lane::Gateway),
        [(all, 0), (all, 1_000), (all, 1_000), (sent, u64::MAX), (sent, u64::MAX), close]
    );
    assert_eq!(stamps(folder.path(), Lane::Alpha), [(RecordKind::Close as u8, 0)]);
}

/// What a lane has put off is in the digest of its closing record.
#[test]
fn a_closing_record_has_the_digest_of_all_records() {
    let folder = scratch();
    let (journal, lanes) = Journal::create(opening(folder.path(), &config(), 99)).unwrap();
    let mut digests = Vec::new();
    let ends = lanes.map(|lane| {
        let mut writer = LaneWriter::new(Keep::Digest);
        let mut plain = LaneWriter::new(Keep::Prefixes);
        let rests = lane.lane() == Lane::Alpha;
        writer.attach(lane);
        for seq in 1..=5_000 {
            while !writer.ready() {
                assert_eq!(writer.watch().unwrap().stopped(), None);
                std::thread::yield_now();
            }
            writer.append(&Record::cancel_all(seq));
            plain.append(&Record::cancel_all(seq));
            assert_eq!(
                if rests { writer.rest() } else { 0 },
                usize::from(rests && seq % 1_024 == 0) << 14
            );
        }
        digests.push((plain.digest(), *plain.prefixes().unwrap().last().unwrap()));
        writer.close(5_000, Digest::of(b"{}")).unwrap().unwrap()
    });
    journal.close(ends).unwrap();
    for (lane, (digest, head)) in Lane::ALL.into_iter().zip(digests) {
        let view = View::open(folder.path()).unwrap();
        let (kind, payload) = held(&view, lane).pop().unwrap();
        let header = *blake3::hash(b"{}").as_bytes();
        assert_eq!(kind, RecordKind::Close as u8);
        let digest_of = payload[16..48].try_into().unwrap();
        let close = CloseRecord { records: 5_000, last: 5_000, digest: digest_of, header };
        assert_eq!(payload, Record::close(&close).bytes());
        assert_eq!(Digest::from_bytes(digest_of), digest, "{}", lane.name());
        assert_eq!(payload[16..24], head.to_le_bytes());
    }
}
