//! Read while it is written.

use std::sync::atomic::{AtomicBool, Ordering};

use super::rig::*;
use super::*;

const EVENTS: u64 = 6_000;

/// Follows all lanes at once until each has its closing record.
fn follow(dir: &Path) -> [Held; Lane::ALL.len()] {
    let mut readers = Lane::ALL.map(|lane| LaneReader::new(dir, Strand::Lane(lane), 1));
    let mut held: [Held; Lane::ALL.len()] = Default::default();
    let is_closed = |held: &Held| held.last().is_some_and(|last| last.0 == RecordKind::Close as u8);
    while !held.iter().all(is_closed) {
        for (reader, held) in readers.iter_mut().zip(&mut held) {
            if is_closed(held) {
                continue;
            }
            match reader.next().unwrap() {
                Ok(record) => held.push((record.kind, record.payload.to_vec())),
                Err(end) => {
                    assert_eq!(end, End::Unpublished, "after {} records", held.len());
                    std::thread::yield_now();
                }
            }
        }
    }
    held
}

#[test]
fn a_reader_sees_every_record_once_and_in_order_while_it_is_written() {
    let folder = scratch();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &config());
    let held = std::thread::scope(|scope| {
        let reader = scope.spawn(|| follow(dir));
        for seq in 1..=EVENTS {
            write(&mut lanes, journal.watch(), seq).unwrap();
        }
        close(journal, lanes);
        reader.join().unwrap()
    });
    for (lane, mut held) in Lane::ALL.into_iter().zip(held) {
        held.pop();
        assert!(held == expected(lane, EVENTS), "{}", lane.name());
    }
    assert!(names(dir).len() > 100, "over many segments");
}

#[test]
fn the_control_page_is_whole_and_never_goes_back_while_it_is_written() {
    let folder = scratch();
    let dir = folder.path();
    let config = JournalConfig { sync_every: std::time::Duration::from_nanos(1), ..config() };
    let (journal, mut lanes) = begin(dir, &config);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looks, mut syncs, mut before) = (0, 0, [(0, Position::default()); 5]);
            let mut synced_before = None;
            while looks < 50 || syncs < 150 {
                let page = ControlPage::read(dir).unwrap().unwrap();
                assert!(page.is_whole());
                let done =
                    page.done.map(|done| done.map(|done| (done.seq, done.position)).unwrap());
                for (now, before) in done.iter().zip(&before) {
                    assert!(now.0 >= before.0 && now.1 >= before.1, "{now:?} after {before:?}");
                }
                let synced = page.synced.unwrap();
                assert!(synced.iter().zip(&done).all(|(synced, done)| synced.seq <= done.0));
                // What caused something is synced with it.
                assert!(synced.is_sorted_by_key(|done| std::cmp::Reverse(done.seq)), "{synced:?}");
                syncs += u64::from(synced_before != Some(synced));
                (looks, synced_before, before) = (looks + 1, Some(synced), done);
            }
        });
        // Faster than any stage: nothing but the word that says how far it is.
        let words = (1_u64..).take_while(|_| !reader.is_finished());
        for seq in words {
            for lane in &mut lanes {
                lane.done(seq);
            }
        }
        reader.join().unwrap();
    });
    close(journal, lanes);
}

#[test]
fn a_view_of_a_live_journal_only_grows() {
    let folder = scratch();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &config());
    let stop = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looks, mut before) = (0_u64, 0);
            while !stop.load(Ordering::Relaxed) {
                let view = View::open(dir).unwrap();
                assert_eq!((view.state, &view.damage[..]), (State::Open, &[][..]));
                assert!(view.cut >= before, "{} after {before}", view.cut);
                for lane in [Lane::Event, Lane::Gateway] {
                    assert!(held(&view, lane) == expected(lane, view.cut), "{}", lane.name());
                }
                (looks, before) = (looks + 1, view.cut);
            }
            looks
        });
        for seq in 1..=EVENTS / 2 {
            write(&mut lanes, journal.watch(), seq).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(looks > 3, "{looks}");
    drop((journal, lanes));
}

#[test]
fn a_follower_goes_on_with_the_next_writer() {
    let folder = scratch();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &config());
    for seq in 1..=90 {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    let mut reader = LaneReader::new(dir, Strand::Lane(Lane::Event), 1);
    let mut held = Held::new();
    let mut take = |held: &mut Held| {
        while let Ok(record) = reader.next().unwrap() {
            held.push((record.kind, record.payload.to_vec()));
        }
    };
    take(&mut held);
    assert_eq!(held, expected(Lane::Event, 90));
    // Its writer dies, and the next one cuts the file that the follower stands in.
    drop((journal, lanes));
    go_on(dir, &config(), 100, 200);
    take(&mut held);
    held.pop();
    assert_eq!(held, expected(Lane::Event, 200));
}
