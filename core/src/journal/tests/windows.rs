//! What a writer leaves that is killed at the worst moment, made by hand: none of it is damage.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::rig::*;
use super::story::{Story, story};
use super::*;

const EVENTS: u64 = 300;

fn path(dir: &Path, lane: Lane, index: u32) -> std::path::PathBuf {
    dir.join(segment_name(Strand::Lane(lane), index))
}

fn put(path: &Path, at: u64, bytes: &[u8]) {
    File::options().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

/// The segment behind the one that a lane ends in, made and not used.
fn prepared(dir: &Path, story: &Story, lane: Lane) -> std::path::PathBuf {
    let index = story.ends[lane as usize].segment() + 1;
    let head = layout::Head { strand: lane as u8, index, session: 99, capacity: 8_192 };
    let mut bytes = vec![0; 8_192];
    bytes[..64].copy_from_slice(&head.encode());
    let path = path(dir, lane, index);
    fs::write(&path, bytes).unwrap();
    path
}

/// Nothing is wrong with the folder, it holds these events, and a run goes on with it.
fn survives(dir: &Path, cut: u64, what: &str) {
    let view = View::open(dir).unwrap();
    let found = (view.state, view.cut, &view.damage[..]);
    assert_eq!(found, (State::Interrupted, cut, &[][..]), "{what}");
    for lane in Lane::ALL {
        let held = held(&view, lane);
        let header_only = lane == Lane::Event && held.is_empty();
        assert!(header_only || held == expected(lane, cut), "{what}: {}", lane.name());
    }
    for again in [false, true] {
        let folder = scratch();
        copy(dir, folder.path());
        if again {
            assert_eq!(recover(folder.path(), &mut FakeDisk, 40).unwrap().unwrap().damage, []);
            assert_eq!(View::open(folder.path()).unwrap().damage, [], "{what}");
        }
        go_on(folder.path(), &config(), 41, EVENTS + 20);
        let view = View::open(folder.path()).unwrap();
        let found = (view.state, view.cut, &view.damage[..]);
        assert_eq!(found, (State::Closed, EVENTS + 20, &[][..]), "{what}");
        for lane in Lane::ALL {
            let mut held = held(&view, lane);
            held.pop();
            assert!(held == expected(lane, EVENTS + 20), "{what}: {}", lane.name());
        }
    }
}

/// Changes a copy of an interrupted journal.
fn changed(change: impl FnOnce(&Path, &Story)) -> tempfile::TempDir {
    let folder = scratch();
    interrupted(folder.path(), EVENTS);
    change(folder.path(), &story(folder.path()));
    folder
}

#[test]
fn a_segment_that_is_being_made_holds_nothing() {
    let head = |dir: &Path, bytes: usize| {
        let used = fs::read(path(dir, Lane::Feed, 1)).unwrap();
        used[..bytes].to_vec()
    };
    // Not even reserved; zeros; the head half written; the head of a place that is not used yet.
    for (length, bytes) in [(0, 0), (8_192, 0), (8_192, 5), (8_192, 35), (100, 64), (8_192, 64)] {
        let folder = changed(|dir, story| {
            let next = path(dir, Lane::Feed, story.ends[0].segment() + 1);
            let _ = fs::remove_file(&next);
            let file = File::create_new(&next).unwrap();
            file.set_len(length).unwrap();
            file.write_all_at(&head(dir, bytes), 0).unwrap();
        });
        survives(folder.path(), EVENTS, &format!("{bytes} of a head in {length} bytes"));
    }
}

#[test]
fn a_segment_may_be_in_use_before_the_one_before_it_is_marked() {
    for lane in Lane::ALL {
        for part in [5, 12, 16] {
            let folder = changed(|dir, story| {
                let (next, tip) = (prepared(dir, story, lane), tip(dir, story, lane));
                let start = tip.encode(&fs::read(&next).unwrap()[..64]);
                put(&next, 64, &start[..part]);
            });
            survives(folder.path(), EVENTS, &format!("{part} bytes of a start"));
        }
    }
}

#[test]
fn a_marked_segment_may_lead_to_one_that_holds_nothing_yet() {
    for lane in Lane::ALL {
        let folder = changed(|dir, story| {
            let (next, tip) = (prepared(dir, story, lane), tip(dir, story, lane));
            let end = story.ends[lane as usize];
            let start = tip.encode(&fs::read(&next).unwrap()[..64]);
            put(&next, 64, &start);
            let seed = checksum::Seed::new(99, lane as u8, end.segment());
            let mark = [u32::MAX, seed.at(end.offset(), u32::MAX)].map(u32::to_le_bytes).concat();
            put(&path(dir, lane, end.segment()), u64::from(end.offset()), &mark);
        });
        survives(folder.path(), EVENTS, &format!("{} is marked", lane.name()));
    }
}

/// What a segment says that goes on behind a lane.
fn tip(dir: &Path, story: &Story, lane: Lane) -> layout::Start {
    let pieces = &story.pieces[lane as usize];
    let start = pieces.last().unwrap().start;
    let bytes = fs::read(path(dir, lane, start.segment())).unwrap();
    let previous = layout::u32_at(&bytes, start.offset() as usize + 4);
    layout::Start { records: pieces.len() as u64, previous }
}

#[test]
fn a_record_without_its_publish_word_is_none() {
    let folder = changed(|dir, story| {
        for lane in Lane::ALL {
            let pieces = &story.pieces[lane as usize];
            let (last, end) = (pieces.last().unwrap(), story.ends[lane as usize]);
            let bytes = fs::read(path(dir, lane, last.start.segment())).unwrap();
            let record = &bytes[last.start.offset() as usize + 4..last.end.offset() as usize - 3];
            put(&path(dir, lane, end.segment()), u64::from(end.offset()) + 4, record);
        }
    });
    survives(folder.path(), EVENTS, "without its word");
}

#[test]
fn a_slot_that_is_half_written_leaves_the_other() {
    for lane in Lane::ALL {
        // The next word goes to the older slot.
        let folder = changed(|dir, _| {
            let page = fs::read(dir.join("control")).unwrap();
            let at = |slot: usize| 256 + 128 * lane as usize + 64 * slot;
            let older = usize::from(layout::u64_at(&page, at(0)) > layout::u64_at(&page, at(1)));
            put(&dir.join("control"), at(older) as u64, &(EVENTS + 1).to_le_bytes());
        });
        survives(folder.path(), EVENTS, &format!("a slot of {}", lane.name()));
    }
    for at in [1_024, 1_152, 1_536, 1_664] {
        let folder = changed(|dir, _| put(&dir.join("control"), at, &77_u64.to_le_bytes()));
        survives(folder.path(), EVENTS, &format!("the slot at {at}"));
    }
}

#[test]
fn a_journal_may_die_before_it_has_its_first_segments() {
    let folder = scratch();
    let (journal, lanes) = begin(folder.path(), &config());
    let image = scratch();
    copy(folder.path(), image.path());
    drop((journal, lanes));
    for name in names(image.path()).iter().filter(|name| name.ends_with("2.seg")) {
        fs::remove_file(image.path().join(name)).unwrap();
    }
    // The header is published, and no event is done.
    survives(image.path(), 0, "a header alone");
    let event = path(image.path(), Lane::Event, 1);
    for lane in Lane::ALL.into_iter().rev() {
        let file = path(image.path(), lane, 1);
        let whole = fs::read(&file).unwrap();
        for bytes in [128, 64, 40, 0] {
            let mut zeros = vec![0; whole.len()];
            zeros[..bytes].copy_from_slice(&whole[..bytes]);
            fs::write(&file, zeros).unwrap();
            survives(image.path(), 0, &format!("{bytes} bytes of {}", lane.name()));
        }
        fs::remove_file(&file).unwrap();
        survives(image.path(), 0, &format!("without {}", lane.name()));
    }
    assert!(!event.exists());
    // Before the page has its name there is no journal, and one can begin.
    fs::rename(image.path().join("control"), image.path().join("control.new")).unwrap();
    assert!(matches!(View::open(image.path()), Err(JournalError::NoJournal { .. })));
    closed(image.path(), 10);
    assert_eq!(View::open(image.path()).unwrap().cut, 10);
}

#[test]
fn a_journal_may_die_while_it_is_closed() {
    let folder = scratch();
    let dir = folder.path();
    let (journal, mut lanes) = begin(dir, &config());
    for seq in 1..=EVENTS {
        write(&mut lanes, journal.watch(), seq).unwrap();
    }
    let event = &mut lanes[Lane::Event as usize];
    event.append_waiting(RecordKind::Pending as u8, &[&[1; 40]], 7).unwrap();
    let look = |what: &str| {
        let image = scratch();
        copy(dir, image.path());
        // A copy is held by nobody.
        survives(image.path(), EVENTS, what);
    };
    look("something is pending");
    for index in 0..lanes.len() {
        let lane = &mut lanes[index];
        lane.append_waiting(RecordKind::Close as u8, &[&[0; 48]], 7).unwrap();
        if index + 1 < lanes.len() {
            look(&format!("{} lanes have their closing record", index + 1));
        }
    }
    // All have: it is complete, though nothing is cut yet.
    let image = scratch();
    copy(dir, image.path());
    let view = View::open(image.path()).unwrap();
    assert_eq!((view.state, view.cut, &view.damage[..]), (State::Closed, EVENTS, &[][..]));
    assert_eq!(recover(image.path(), &mut FakeDisk, 5).unwrap(), None);
    let at = u64::from(view.lane(Lane::Risk).end.offset());
    put(&path(image.path(), Lane::Risk, view.lane(Lane::Risk).end.segment()), at + 99, b"x");
    let view = View::open(image.path()).unwrap();
    assert_eq!(view.damage.first().map(|damage| damage.fault), Some(Fault::BehindClose));
    journal.close(lanes).unwrap();
    assert_eq!(View::open(dir).unwrap().damage, []);
}
