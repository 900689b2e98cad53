//! The disk budget: the run ends, or the oldest segments go.

use std::fs;

use super::rig::*;
use super::*;
use crate::kill::Level;

const BUDGET: u64 = 200 << 10;

fn config(retention: Retention) -> JournalConfig {
    let sync_every = std::time::Duration::from_millis(4);
    JournalConfig { disk_max_bytes: BUDGET, retention, sync_every, ..rig::config() }
}

fn bytes(dir: &Path) -> u64 {
    let segments = names(dir).into_iter().filter(|name| name.ends_with(".seg"));
    segments.map(|name| fs::metadata(dir.join(name)).map_or(0, |facts| facts.len())).sum()
}

/// What each lane holds is the end of what was written.
fn assert_suffix(view: &View, events: u64) {
    for lane in Lane::ALL {
        let mut held = held(view, lane);
        if view.state == State::Closed {
            held.pop();
        }
        let upto = if lane == Lane::Feed { view.lane(lane).last } else { events };
        let should = expected(lane, upto);
        assert!(!held.is_empty() && should.ends_with(&held), "{}", lane.name());
        let closing = u64::from(view.state == State::Closed);
        assert_eq!(view.lane(lane).records, should.len() as u64 + closing, "{}", lane.name());
    }
}

#[test]
fn a_budget_that_is_used_up_ends_the_run_and_loses_nothing() {
    let folder = scratch();
    let (dir, kill, config) = (folder.path(), KillSwitch::new(), config(Retention::Stop));
    let opening = Opening { kill: kill.clone(), ..opening(dir, &config, 99) };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    let mut written = 0;
    let why = loop {
        match write(&mut lanes, journal.watch(), written + 1) {
            Ok(()) => written += 1,
            Err(stopped) => break stopped.to_string(),
        }
    };
    assert!(why.contains(".seg") && why.contains("journal.disk_max_mb"), "{why}");
    assert_eq!(kill.level(), Level::Dead);
    assert!(bytes(dir) <= BUDGET && bytes(dir) > BUDGET - 8_192, "{}", bytes(dir));
    drop((journal, lanes));
    let view = View::open(dir).unwrap();
    assert_eq!((view.cut, view.damage.as_slice(), view.is_headless()), (written, &[][..], false));
}

/// A journal that dropped its beginning.
fn headless(dir: &Path, close: bool) -> u64 {
    let config = config(Retention::DropOldest);
    let (journal, mut lanes) = begin(dir, &config);
    for seq in 1..=4_000 {
        write(&mut lanes, journal.watch(), seq).unwrap();
        if seq % 50 == 0 {
            assert!(bytes(dir) <= BUDGET, "{}", bytes(dir));
        }
        if seq % 500 == 0 {
            let view = View::open(dir).unwrap();
            assert_eq!((view.state, view.cut, view.damage.len()), (State::Open, seq, 0));
        }
    }
    if close {
        rig::close(journal, lanes);
    }
    4_000
}

#[test]
fn the_oldest_segments_go_and_the_rest_is_read() {
    for close in [false, true] {
        let folder = scratch();
        let dir = folder.path();
        let events = headless(dir, close);
        let view = View::open(dir).unwrap();
        assert!(view.is_headless());
        assert_eq!((view.cut, view.damage.as_slice()), (events, &[][..]));
        assert_suffix(&view, events);
        let kept = view.control.as_ref().unwrap().kept.unwrap();
        for lane in Lane::ALL {
            assert_eq!(kept[lane as usize].index, view.lane(lane).first);
            assert!(view.lane(lane).first > 1, "{} was dropped too", lane.name());
        }
        let error = Journal::resume(opening(dir, &rig::config(), 7)).unwrap_err();
        assert_eq!(matches!(error, JournalError::Headless { .. }), !close, "{error}");
        // What is missing is told from what was dropped.
        let alpha = segment_name(Strand::Lane(Lane::Alpha), view.lane(Lane::Alpha).first);
        fs::remove_file(dir.join(&alpha)).unwrap();
        let spoilt = View::open(dir).unwrap();
        assert_eq!((&spoilt.damage[0].file, spoilt.damage[0].fault), (&alpha, Fault::Missing));
        assert_eq!(spoilt.lane(Lane::Alpha).records, 0);
    }
}

#[test]
fn a_headless_journal_is_recovered_too() {
    let folder = scratch();
    let dir = folder.path();
    let events = headless(dir, false);
    // A process may die between the word and the deed.
    let stale = dir.join(segment_name(Strand::Lane(Lane::Event), 1));
    fs::write(&stale, "stale").unwrap();
    assert_eq!(View::open(dir).unwrap().damage, []);
    let recovery = recover(dir, &mut FakeDisk, 5).unwrap().unwrap();
    assert_eq!((recovery.cut, recovery.orphans, recovery.removed), (events, 0, [0; 5]));
    assert!(!stale.exists());
    let view = View::open(dir).unwrap();
    assert_eq!((view.cut, view.damage.as_slice(), view.is_headless()), (events, &[][..], true));
    assert_suffix(&view, events);
}

#[test]
fn a_headless_lane_that_is_cut_to_nothing_keeps_its_count() {
    let folder = scratch();
    let dir = folder.path();
    headless(dir, false);
    // Without the last segments of the event lane everything is cut to before what gateway still holds.
    let view = View::open(dir).unwrap();
    let event = view.lane(Lane::Event);
    for index in event.first + 1..=event.end.segment() {
        fs::remove_file(dir.join(segment_name(Strand::Lane(Lane::Event), index))).unwrap();
    }
    let spoilt = View::open(dir).unwrap();
    let before = |lane: Lane| expected(lane, spoilt.cut).len() as u64;
    for lane in Lane::ALL[1..].iter().copied() {
        let records = spoilt.lane(lane).records;
        assert!(records >= before(lane), "{}: {records}", lane.name());
    }
    let recovery = recover(dir, &mut FakeDisk, 5).unwrap().unwrap();
    let gone = view.lane(Lane::Risk).records - spoilt.lane(Lane::Risk).records;
    assert_eq!(recovery.removed[Lane::Risk as usize], gone);
    let after = View::open(dir).unwrap();
    assert_eq!((&after.damage[..], after.cut), (&[][..], spoilt.cut));
    for lane in Lane::ALL {
        assert_eq!(after.lane(lane).records, spoilt.lane(lane).records, "{}", lane.name());
    }
}

#[test]
fn segments_of_earlier_writers_go_first_and_by_their_age() {
    let folder = scratch();
    let dir = folder.path();
    interrupted(dir, 700);
    let config = JournalConfig { disk_max_bytes: 300 << 10, ..config(Retention::DropOldest) };
    let (journal, mut lanes) = Journal::resume(opening(dir, &config, 100)).unwrap();
    lanes[Lane::Event as usize].append_waiting(16, &[b"{}"], 7).unwrap();
    let mut seen_mixed = false;
    for seq in 1..=3_000 {
        write(&mut lanes, journal.watch(), seq).unwrap();
        if seq > 700 && seq % 5 == 0 {
            let view = View::open(dir).unwrap();
            assert_eq!((view.cut, view.damage.len()), (seq, 0));
            let sessions = view.control.unwrap().kept.unwrap().map(|kept| kept.session);
            seen_mixed |= sessions.contains(&99) && sessions.contains(&100);
        }
    }
    close(journal, lanes);
    let view = View::open(dir).unwrap();
    assert_eq!((view.state, view.damage.len()), (State::Closed, 0));
    assert_suffix(&view, 3_000);
    assert!(seen_mixed, "some lanes still had segments of the first writer when others had none");
}

#[test]
fn what_is_being_repeated_and_was_dropped_ends_the_run() {
    let folder = scratch();
    let dir = folder.path();
    interrupted(dir, 700);
    // No room: to go on with it would drop what must be repeated.
    let config = JournalConfig { disk_max_bytes: 82 << 10, ..config(Retention::DropOldest) };
    let begun = Journal::resume(opening(dir, &config, 100));
    let why = match begun {
        Err(error) => error.to_string(),
        Ok((journal, mut lanes)) => {
            let mut seq = 1;
            loop {
                match write(&mut lanes, journal.watch(), seq) {
                    Ok(()) => seq += 1,
                    Err(stopped) => break stopped.to_string(),
                }
                if let Some(stopped) = journal.watch().stopped() {
                    break stopped.to_string();
                }
                assert!(seq <= 700, "records were written twice");
            }
        }
    };
    assert!(why.contains("missing") || why.contains("read"), "{why}");
}
