//! Files that are cut short, at every byte.

use std::fs::{self, OpenOptions};

use super::rig::*;
use super::story::{Story, assert_holds, story};
use super::*;

/// Bytes from the end of a file at which it is cut.
const LAST_BYTES: u64 = 8_192;

/// Where the file of a lane is cut: everywhere, or around what matters and in steps.
fn cuts(story: &Story, lane: Lane, segment: u32, length: u64) -> Vec<u64> {
    let from = length.saturating_sub(LAST_BYTES);
    let all = from..length;
    if is_long() {
        return all.collect();
    }
    let pieces = story.pieces[lane as usize].iter();
    let ends = pieces.filter(|piece| piece.end.segment() == segment);
    let mut chosen: Vec<u64> = ends
        .flat_map(|piece| {
            let (start, end) = (u64::from(piece.start.offset()), u64::from(piece.end.offset()));
            [end - 1, end, end + 1, end + 7, start + 4, start + 16, end - 8]
        })
        .chain(0..137)
        .chain(all.clone().step_by(67))
        .filter(|cut| all.contains(cut))
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// Cuts a file for a moment.
fn with_cut(path: &Path, bytes: u64, look: impl FnOnce()) {
    let whole = fs::read(path).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
    look();
    fs::write(path, whole).unwrap();
}

fn segment_of(dir: &Path, lane: Lane, segment: u32) -> (std::path::PathBuf, u64) {
    let path = dir.join(segment_name(Strand::Lane(lane), segment));
    let length = fs::metadata(&path).unwrap().len();
    (path, length)
}

#[test]
fn an_interrupted_journal_is_read_up_to_exactly_where_a_file_was_cut() {
    let folder = scratch();
    let dir = folder.path();
    let config = JournalConfig { sync_every: std::time::Duration::from_millis(40), ..config() };
    interrupted_with(dir, &config, 420, 330);
    let story = story(dir);
    let (mut looked, mut short) = (0, 0);
    for lane in Lane::ALL {
        let segment = story.ends[lane as usize].segment();
        let (path, length) = segment_of(dir, lane, segment);
        for bytes in cuts(&story, lane, segment, length) {
            let what = format!("{} {segment} cut to {bytes}", lane.name());
            let mut ends = story.ends;
            let end = story.end_before(lane, Position::new(segment, bytes as u32));
            ends[lane as usize] = end;
            with_cut(&path, bytes, || {
                let view = View::open(dir).unwrap();
                assert_eq!(view.state, State::Interrupted, "{what}");
                let damaged = bytes < 128 || story.is_short(lane, end);
                assert_holds(&view, &story.cut(&ends), &what);
                assert_eq!(view.damage.len(), usize::from(damaged), "{what}: {:?}", view.damage);
                for damage in &view.damage {
                    assert_eq!(damage.strand, Some(Strand::Lane(lane)), "{what}");
                    let (file, offset) = if bytes < 128 {
                        (segment_name(Strand::Lane(lane), segment), 0)
                    } else {
                        (segment_name(Strand::Lane(lane), end.segment()), end.offset())
                    };
                    assert_eq!((&damage.file, damage.position.offset()), (&file, offset), "{what}");
                    short += 1;
                }
                looked += 1;
                if looked % 97 == 0 {
                    mended(dir, &view, &what);
                }
            });
        }
    }
    assert!(looked > 1_000 && short > 300, "{looked} cuts, {short} below the watermark");
}

/// Recovers a copy: it holds the same, nothing is wrong with it, and a run goes on with it.
fn mended(dir: &Path, view: &View, what: &str) {
    let folder = scratch();
    copy(dir, folder.path());
    let recovery = recover(folder.path(), &mut FakeDisk, 7).unwrap().unwrap();
    assert_eq!((recovery.cut, &recovery.damage), (view.cut, &view.damage), "{what}");
    let after = View::open(folder.path()).unwrap();
    assert_eq!(after.damage, [], "{what}");
    let held = Lane::ALL.map(|lane| held(view, lane));
    assert_holds(&after, &(view.cut, held), what);
    let again = recover(folder.path(), &mut FakeDisk, 8).unwrap().unwrap();
    assert_eq!((again.removed, again.damage, again.orphans), ([0; 5], vec![], 0), "{what}");
    go_on(folder.path(), &config(), 9, 500);
    let view = View::open(folder.path()).unwrap();
    assert_eq!((view.state, view.cut, &view.damage[..]), (State::Closed, 500, &[][..]), "{what}");
    for lane in Lane::ALL {
        let mut held = rig::held(&view, lane);
        held.pop();
        assert!(held == expected(lane, 500), "{what}: {}", lane.name());
    }
}

#[test]
fn a_closed_journal_that_was_cut_is_never_taken_for_whole() {
    let folder = scratch();
    let dir = folder.path();
    closed(dir, 420);
    let story = story(dir);
    let mut looked = 0;
    for lane in Lane::ALL {
        for segment in [story.ends[lane as usize].segment(), 1] {
            let (path, length) = segment_of(dir, lane, segment);
            for bytes in cuts(&story, lane, segment, length) {
                let what = format!("{} {segment} cut to {bytes}", lane.name());
                // What lies behind the mark of a full segment holds nothing.
                let end = story.end_before(lane, Position::new(segment, bytes as u32));
                let is_last = segment == story.ends[lane as usize].segment();
                let full = story.end_before(lane, Position::new(segment, length as u32));
                if !is_last && bytes >= u64::from(full.offset()) + 8 {
                    continue;
                }
                let mut ends = story.ends;
                ends[lane as usize] = end;
                with_cut(&path, bytes, || {
                    let view = View::open(dir).unwrap();
                    assert_eq!(view.state, State::Interrupted, "{what}");
                    assert_eq!(view.damage.len(), 1, "{what}");
                    assert_eq!(view.damage[0].strand, Some(Strand::Lane(lane)), "{what}");
                    assert_holds(&view, &story.cut(&ends), &what);
                    looked += 1;
                    if looked % 97 == 0 {
                        mended(dir, &view, &what);
                    }
                });
            }
        }
    }
    assert!(looked > 2_000, "{looked} cuts");
    assert_eq!(View::open(dir).unwrap().damage, []);
}

#[test]
fn a_control_page_that_was_cut_is_named_and_the_lanes_are_read_without_it() {
    for (close, upto) in [(true, 200), (false, 199)] {
        let folder = scratch();
        let dir = folder.path();
        if close {
            closed(dir, 200)
        } else {
            interrupted(dir, 200)
        }
        for bytes in [0, 1, 27, 28, 1_023, 4_095] {
            with_cut(&dir.join("control"), bytes, || {
                let view = View::open(dir).unwrap();
                let faults: Vec<Fault> = view.damage.iter().map(|damage| damage.fault).collect();
                assert_eq!(faults, [Fault::Control], "{bytes}");
                assert_eq!((view.state == State::Closed, view.control), (close, None));
                let last = |lane: Lane| {
                    let held = expected(lane, upto);
                    u64::from_le_bytes(held.last().unwrap().1[..8].try_into().unwrap())
                };
                let cut = if close {
                    200
                } else {
                    Lane::ALL[1..].iter().map(|lane| last(*lane)).min().unwrap() - 1
                };
                assert_eq!(view.cut, cut);
            });
        }
        fs::remove_file(dir.join("control")).unwrap();
        let view = View::open(dir).unwrap();
        assert_eq!((view.damage.len(), view.damage[0].fault), (1, Fault::Control));
        assert!(recover(dir, &mut FakeDisk, 3).unwrap().is_some());
        let after = View::open(dir).unwrap();
        assert_eq!((after.damage.as_slice(), after.cut), (&[][..], view.cut));
        assert_eq!(after.state, view.state);
    }
}
