//! A small journal with made-up records, and what a reader sees of it.

use super::*;

/// A small one: segments of two pages.
pub(super) fn config() -> JournalConfig {
    JournalConfig {
        segment_bytes: 8_192,
        feed_segment_bytes: 8_192,
        disk_max_bytes: 1 << 30,
        reserve: [512; Lane::ALL.len()],
        ..JournalConfig::default()
    }
}

pub(super) fn opening<'a>(dir: &'a Path, config: &'a JournalConfig, session: u64) -> Opening<'a> {
    let (disk, kill) = (Box::new(RealDisk), KillSwitch::new());
    Opening { dir, config, session, clock: || 7, disk, kill }
}

/// The records that event `seq` gives each lane: not every lane has some, and some have several.
pub(super) fn records(lane: Lane, seq: u64) -> Vec<(RecordKind, Vec<u8>)> {
    let payload = |extra: u64| {
        let mut bytes = seq.to_le_bytes().to_vec();
        bytes.extend((0..(seq * 7 + extra * 3) % 40).map(|n| (n * seq + extra) as u8));
        bytes
    };
    let (kind, count) = match lane {
        Lane::Feed => (RecordKind::FrameRef, 1),
        Lane::Event => (RecordKind::Event, 1),
        Lane::Alpha => (RecordKind::Intent, u64::from(seq.is_multiple_of(3))),
        Lane::Risk => (RecordKind::Verdict, if seq.is_multiple_of(3) { 2 } else { 0 }),
        Lane::Gateway => (RecordKind::Sent, if seq.is_multiple_of(3) { 2 } else { 0 }),
    };
    (0..count).map(|n| (kind, payload(n))).collect()
}

/// Puts event `seq` on all lanes, which must have room in the end.
pub(super) fn write(lanes: &mut [Appender; 5], watch: &Watch, seq: u64) -> Result<(), Stopped> {
    for appender in lanes {
        for (kind, payload) in records(appender.lane(), seq) {
            while !appender.ready() {
                if let Some(stopped) = watch.stopped() {
                    return Err(stopped.clone());
                }
                std::thread::yield_now();
            }
            appender.append(kind as u8, &[&payload]);
        }
        appender.done(seq);
    }
    Ok(())
}

pub(super) fn begin(dir: &Path, config: &JournalConfig) -> Begun {
    let (journal, mut lanes) = Journal::create(opening(dir, config, 99)).unwrap();
    lanes[Lane::Event as usize].append_waiting(RecordKind::Header as u8, &[b"{}"]).unwrap();
    (journal, lanes)
}

pub(super) fn close(journal: Journal, mut lanes: [Appender; 5]) {
    for lane in &mut lanes {
        lane.append_waiting(RecordKind::Close as u8, &[&[0; 48]]).unwrap();
    }
    journal.close(lanes).unwrap();
}

/// A closed journal of so many events.
pub(super) fn closed(dir: &Path, events: u64) {
    let (journal, mut lanes) = begin(dir, &config());
    for seq in 1..=events {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    close(journal, lanes);
}

/// An interrupted journal of so many events.
pub(super) fn interrupted(dir: &Path, events: u64) {
    let (journal, mut lanes) = begin(dir, &config());
    for seq in 1..=events {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
}

/// What a lane holds: kinds and payloads.
pub(super) type Held = Vec<(u8, Vec<u8>)>;

pub(super) fn held(view: &View, lane: Lane) -> Held {
    let mut reader = view.reader(lane);
    let mut held = Vec::new();
    while let Ok(record) = reader.next().unwrap() {
        held.push((record.kind, record.payload.to_vec()));
    }
    held
}

/// What a lane should hold after so many events, without its closing record.
pub(super) fn expected(lane: Lane, events: u64) -> Held {
    let header = (lane == Lane::Event).then(|| (RecordKind::Header as u8, b"{}".to_vec()));
    let all = (1..=events).flat_map(|seq| records(lane, seq));
    header.into_iter().chain(all.map(|(kind, payload)| (kind as u8, payload))).collect()
}
