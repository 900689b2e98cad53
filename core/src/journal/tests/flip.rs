//! Single bytes that were changed, in every file.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::rig::*;
use super::story::{Story, assert_holds, story};
use super::*;

/// What the changed byte should come to.
struct Outcome {
    ends: [Position; Lane::ALL.len()],
    /// Where damage is named.
    damage: Option<Position>,
}

/// Segments of one page, so that a small journal has several in each lane.
fn small() -> JournalConfig {
    JournalConfig {
        segment_bytes: 4_096,
        feed_segment_bytes: 4_096,
        sync_every: std::time::Duration::from_millis(40),
        ..config()
    }
}

/// What should come of a changed byte at a place of a lane.
fn outcome(story: &Story, lane: Lane, at: Position) -> Outcome {
    let (mut ends, end) = (story.ends, story.ends[lane as usize]);
    let pieces = &story.pieces[lane as usize];
    let nothing = Outcome { ends, damage: None };
    if at.segment() > end.segment() {
        // Nothing may stand in a segment that was never used; its head says nothing yet.
        return Outcome { ends, damage: (at.offset() >= 128).then_some(end) };
    }
    if at.offset() < 128 {
        ends[lane as usize] = story.end_before(lane, Position::new(at.segment(), 0));
        return Outcome { ends, damage: Some(Position::new(at.segment(), 0)) };
    }
    let piece = pieces.iter().find(|piece| piece.start <= at && at < piece.end);
    let last_in = |segment| story.end_before(lane, Position::new(segment, u32::MAX));
    let mark = last_in(at.segment());
    let in_mark = at >= mark && at.offset() < mark.offset() + 8 && mark.segment() < end.segment();
    let good = match piece {
        Some(piece) => story.end_before(lane, piece.start),
        None if in_mark => mark,
        None => return nothing,
    };
    ends[lane as usize] = good;
    let more = pieces.iter().any(|other| other.start > at)
        || (!in_mark && at.segment() < end.segment())
        || story.is_short(lane, good);
    Outcome { ends, damage: more.then_some(good) }
}

/// The bytes of a file that are changed, and how.
fn flips(length: u64, is_head_too: bool) -> Vec<(u64, u8)> {
    if is_long() {
        return (0..length).flat_map(|at| [0x01, 0x80, 0xff].map(|mask| (at, mask))).collect();
    }
    let mask = |at: u64| [0x01, 0x80, 0xff, 0x20][(at / 8 % 4) as usize];
    let head = 0..if is_head_too { 144 } else { 0 };
    head.chain((0..length).step_by(23)).map(|at| (at, mask(at))).collect()
}

fn with_flip(path: &Path, at: u64, mask: u8, look: impl FnOnce()) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ mask], at).unwrap();
    look();
    file.write_all_at(&byte, at).unwrap();
}

fn flip_lanes(dir: &Path) -> usize {
    let (story, mut looked) = (story(dir), 0);
    let names = names(dir);
    for lane in Lane::ALL {
        let prefix = format!("{}-", lane.name());
        for name in names.iter().filter(|name| name.starts_with(&prefix)) {
            let segment: u32 = name[prefix.len()..prefix.len() + 6].parse().unwrap();
            let path = dir.join(name);
            let is_last = segment == story.ends[lane as usize].segment();
            for (at, mask) in flips(fs::metadata(&path).unwrap().len(), is_last) {
                let what = format!("{name} at {at} by {mask:#x}");
                let Outcome { ends, damage } =
                    outcome(&story, lane, Position::new(segment, at as u32));
                with_flip(&path, at, mask, || {
                    let view = View::open(dir).unwrap();
                    let found: Vec<Position> =
                        view.damage.iter().map(|damage| damage.position).collect();
                    assert_eq!(found, Vec::from_iter(damage), "{what}: {:?}", view.damage);
                    let names: Vec<String> =
                        view.damage.iter().map(|damage| damage.file.clone()).collect();
                    let file = |at: Position| segment_name(Strand::Lane(lane), at.segment());
                    assert_eq!(names, Vec::from_iter(damage.map(file)), "{what}");
                    if view.state == State::Closed {
                        assert_eq!(ends, story.ends, "{what}");
                    } else {
                        assert_holds(&view, &story.cut(&ends), &what);
                    }
                    looked += 1;
                    if looked % 61 == 0 && view.state == State::Interrupted {
                        mended(dir, &view, &what);
                    }
                });
            }
        }
    }
    assert_eq!(View::open(dir).unwrap().damage, []);
    looked
}

/// Recovers a copy: what stood behind the damage is set aside byte for byte, and the rest is in order.
fn mended(dir: &Path, view: &View, what: &str) {
    let folder = scratch();
    let to = folder.path();
    copy(dir, to);
    let recovery = recover(to, &mut FakeDisk, 7).unwrap().unwrap();
    let mut aside = Vec::new();
    for damage in &view.damage {
        let Some(Strand::Lane(lane)) = damage.strand else { panic!("{what}") };
        let end = view.whole[lane as usize].end;
        for segment in end.segment()..end.segment() + 100 {
            let Ok(bytes) = fs::read(dir.join(segment_name(Strand::Lane(lane), segment))) else {
                break;
            };
            // A first segment whose head is bad can not stay.
            let is_rest =
                segment == end.segment() && (end.offset() > 128 || damage.position.offset() > 0);
            let from = if is_rest { end.offset() } else { 0 };
            let bytes = &bytes[from as usize..];
            let holds = |from: usize| bytes.iter().skip(from).any(|byte| *byte != 0);
            if holds(if is_rest { 0 } else { 128 })
                || (segment == damage.position.segment() && !is_rest)
            {
                let name = format!("quarantine-{}-{segment:06}-{from:010}.bin", lane.name());
                assert!(fs::read(to.join(&name)).unwrap() == bytes, "{what}: {name}");
                aside.push(name);
            }
        }
    }
    assert_eq!(recovery.quarantined, aside, "{what}");
    let after = View::open(to).unwrap();
    assert_eq!((&after.damage[..], after.cut), (&[][..], view.cut), "{what}");
    assert_holds(&after, &(view.cut, Lane::ALL.map(|lane| held(view, lane))), what);
    go_on(to, &small(), 9, 270);
    let view = View::open(to).unwrap();
    assert_eq!((view.state, view.cut, &view.damage[..]), (State::Closed, 270, &[][..]), "{what}");
    for name in &aside {
        assert!(to.join(name).exists(), "{what}: {name} stays");
    }
}

#[test]
fn every_changed_byte_of_an_interrupted_journal_ends_its_lane_or_is_named() {
    let folder = scratch();
    interrupted_with(folder.path(), &small(), 260, 200);
    assert!(flip_lanes(folder.path()) > 2_000);
}

#[test]
fn every_changed_byte_of_a_closed_journal_is_named() {
    let folder = scratch();
    closed_with(folder.path(), &small(), 260);
    assert!(flip_lanes(folder.path()) > 2_000);
}

#[test]
fn every_changed_byte_of_the_control_page_leaves_the_other_slot_or_is_named() {
    for close in [false, true] {
        let folder = scratch();
        let dir = folder.path();
        if close {
            closed_with(dir, &small(), 260);
        } else {
            interrupted_with(dir, &small(), 260, 200);
        }
        let whole = story(dir);
        let (cut, lanes) = (260, Lane::ALL.map(|lane| held(&View::open(dir).unwrap(), lane)));
        let step = if is_long() { 1 } else { 3 };
        for at in (0..4_096).step_by(step) {
            let mask = [0x01, 0x80, 0xff][at % 3];
            let what = format!("control at {at} by {mask:#x}");
            with_flip(&dir.join("control"), at as u64, mask, || {
                let view = View::open(dir).unwrap();
                let page = ControlPage::read(dir).unwrap();
                let named = view.damage.iter().filter(|damage| damage.strand.is_none()).count();
                assert_eq!(named, usize::from(page.is_err()), "{what}");
                assert_eq!(view.damage.len(), named, "{what}");
                match page {
                    _ if close => assert_holds(&view, &(cut, lanes.clone()), &what),
                    Ok(control) => {
                        let story = Story { control, ..whole.clone() };
                        assert_holds(&view, &story.cut(&whole.ends), &what);
                        assert!(view.cut >= 259, "{what}: the other slot is one event older");
                    }
                    Err(_) => assert!(view.cut < 260, "{what}"),
                }
            });
        }
    }
}
