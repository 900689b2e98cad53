//! Written and read back, interrupted and gone on with.

use super::rig::*;
use super::*;

#[test]
fn what_was_written_is_read_back_over_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    closed(&dir, 2_000);
    let view = View::open(&dir).unwrap();
    assert_eq!((view.state, view.cut, view.damage.as_slice()), (State::Closed, 2_000, &[][..]));
    for lane in Lane::ALL {
        let mut held = held(&view, lane);
        assert_eq!(held.pop().unwrap().0, RecordKind::Close as u8);
        assert_eq!(held, expected(lane, 2_000), "{}", lane.name());
        assert!(view.lane(lane).end.segment() > 2, "{} has several segments", lane.name());
    }
    // Nothing is left of what was prepared, and the last segments are cut.
    for entry in std::fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(entry.metadata().unwrap().len() <= 8_192, "{name}");
    }
}

#[test]
fn a_journal_without_closing_records_is_cut_to_the_smallest_done() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &config());
    for seq in 1..=300 {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    // Alpha has handled two events more, the gateway one and has sent for the next.
    for (lane, upto) in [(Lane::Event, 302), (Lane::Alpha, 302), (Lane::Risk, 302)] {
        for seq in 301..=upto {
            let appender = &mut lanes[lane as usize];
            for (kind, payload) in records(lane, seq) {
                appender.append(kind as u8, &[&payload], 7);
            }
            appender.done(seq);
        }
    }
    let gateway = &mut lanes[Lane::Gateway as usize];
    gateway.append(RecordKind::Sent as u8, &[&301_u64.to_le_bytes()], 7);
    drop((journal, lanes));
    let view = View::open(dir).unwrap();
    assert_eq!((view.state, view.cut), (State::Interrupted, 300));
    assert_eq!(view.damage, []);
    for lane in Lane::ALL {
        assert_eq!(held(&view, lane), expected(lane, 300), "{}", lane.name());
    }
    let recovery = recover(dir, &mut RealDisk, 5).unwrap().unwrap();
    assert_eq!((recovery.cut, recovery.orphans), (300, 1));
    assert_eq!(recovery.removed, [0, 2, 0, 0, 1]);
    let after = View::open(dir).unwrap();
    assert_eq!((after.cut, after.damage.as_slice()), (300, &[][..]));
    for lane in Lane::ALL {
        assert_eq!(held(&after, lane), expected(lane, 300), "{}", lane.name());
    }
    let mut orphans = LaneReader::new(dir, Strand::Orphans, 1);
    let orphan = orphans.next().unwrap().unwrap();
    assert_eq!(orphan.payload, 301_u64.to_le_bytes());
    assert_eq!(recover(dir, &mut RealDisk, 6).unwrap().map(|again| again.orphans), Some(0));
}

#[test]
fn an_interrupted_run_goes_on_and_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    interrupted(dir, 500);
    let config = config();
    for (session, upto) in [(100, 700), (101, 1_000)] {
        let (journal, mut lanes) = Journal::resume(opening(dir, &config, session)).unwrap();
        lanes[Lane::Event as usize].append_waiting(RecordKind::Header as u8, &[b"{}"], 7).unwrap();
        for seq in 1..=upto {
            write(&mut lanes, journal.watch(), seq).unwrap();
        }
        if upto == 1_000 {
            close(journal, lanes);
        }
    }
    let view = View::open(dir).unwrap();
    assert_eq!((view.state, view.cut, view.damage.as_slice()), (State::Closed, 1_000, &[][..]));
    for lane in Lane::ALL {
        let mut held = held(&view, lane);
        held.pop();
        assert_eq!(held, expected(lane, 1_000), "{}", lane.name());
    }
    let error = Journal::resume(opening(dir, &config, 102)).unwrap_err();
    assert!(matches!(error, JournalError::Complete { .. }), "{error}");
}

#[test]
fn a_run_that_comes_out_otherwise_can_not_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    interrupted(dir, 50);
    let config = config();
    let (journal, mut lanes) = Journal::resume(opening(dir, &config, 100)).unwrap();
    let alpha = &mut lanes[Lane::Alpha as usize];
    alpha.append(RecordKind::Intent as u8, &[b"another"], 7);
    let why = journal.watch().stopped().unwrap().to_string();
    assert!(why.contains("record 1 of lane alpha comes out otherwise"), "{why}");
    assert!(!alpha.ready());
    drop((journal, lanes));
    // Nothing was added.
    assert_eq!(held(&View::open(dir).unwrap(), Lane::Alpha), expected(Lane::Alpha, 50));
}

#[test]
fn one_writer_at_a_time_and_only_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let config = config();
    let refused = |dir: &Path| Journal::create(opening(dir, &config, 1)).unwrap_err();
    let (journal, lanes) = begin(dir, &config);
    assert_eq!(View::open(dir).unwrap().state, State::Open);
    assert!(matches!(refused(dir), JournalError::Exists { .. }));
    assert!(matches!(
        Journal::resume(opening(dir, &config, 1)).unwrap_err(),
        JournalError::Locked { .. }
    ));
    assert!(matches!(recover(dir, &mut RealDisk, 1), Err(JournalError::Locked { .. })));
    drop((journal, lanes));
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("letter"), "dear").unwrap();
    assert!(matches!(refused(other.path()), JournalError::NotEmpty { .. }));
    for missing in [other.path(), Path::new("/nowhere/at/all")] {
        assert!(matches!(View::open(missing), Err(JournalError::NoJournal { .. })));
        assert!(recover(missing, &mut RealDisk, 1).is_err());
    }
    assert!(!other.path().join("LOCK").exists(), "a look leaves nothing behind");
}
