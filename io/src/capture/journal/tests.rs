//! Journals made of a handful of records, read back as recordings.

use std::path::Path;

use fusewire_core::journal::{Journal, JournalConfig, Opening, RealDisk, View};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::{Damaged, FrameHead, Record as LaneRecord};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::capture::testing::{Owned, drain, reader};
use crate::capture::{Format, Merge, OpenOptions};

const START: u64 = 1_723_161_255_000_000_000;
const SOURCES: usize = 3;

/// A record of a feed lane: kind and payload.
type Put = (u8, Vec<u8>);

fn frame(source: u16, line: u64, url: Option<&str>, bytes: &str) -> Put {
    let (recv, market) = (Nanos(START + line), Market::UsdM);
    let head = FrameHead { frame: 1, recv, line, source, market, url };
    let payload = [&head.encode().unwrap(), head.address(), bytes.as_bytes()].concat();
    (RecordKind::Frame as u8, payload)
}

fn reference(source: u16, line: u64, recv: u64, bytes: &str) -> FrameRef {
    FrameRef {
        frame: 1,
        recv: Nanos(recv),
        line,
        source,
        market: Market::UsdM,
        origin: FrameOrigin::Stream,
        bytes: bytes.len() as u32,
        crc: crc32c(bytes.as_bytes()),
    }
}

fn refer(reference: &FrameRef) -> Put {
    (RecordKind::FrameRef as u8, LaneRecord::frame_ref(reference).bytes().to_vec())
}

fn damage(source: u16, line: u64, text: &str) -> Put {
    let damaged = Damaged { frame: 1, at: Nanos(START), line, source, text };
    (RecordKind::Damaged as u8, [&damaged.encode(), damaged.kept_text()].concat())
}

/// An interrupted journal with these records in its feed lane.
fn journal(records: &[Put]) -> (TempDir, View) {
    let folder = tempfile::tempdir().unwrap();
    let config = JournalConfig {
        segment_bytes: 4_096,
        feed_segment_bytes: 4_096,
        reserve: [512; Lane::ALL.len()],
        ..JournalConfig::default()
    };
    let (dir, disk, kill) = (folder.path(), Box::new(RealDisk), KillSwitch::new());
    let opening = Opening { dir, config: &config, session: 7, disk, kill };
    let (journal, mut lanes) = Journal::create(opening).unwrap();
    for (kind, payload) in records {
        lanes[Lane::Feed as usize].append_waiting(*kind, &[payload], 1).unwrap();
    }
    drop((journal, lanes));
    let view = View::open(folder.path()).unwrap();
    (folder, view)
}

fn part(view: &View, source: u16) -> JournalPart {
    JournalPart {
        dir: view.dir.clone(),
        source,
        sources: SOURCES,
        name: format!("j/{source}"),
        market: Market::UsdM,
        only_symbol: None,
        bytes: view.lane(Lane::Feed).bytes,
        damage: view.damage.first().map(ToString::to_string),
    }
}

fn open(view: &View, source: u16, frames: KeptFrames) -> Reader {
    let limits = CaptureLimits { line_bytes_max: 3_000, ..CaptureLimits::default() };
    Reader::from_journal(part(view, source), view.reader(Lane::Feed), frames, limits)
}

fn copied(view: &View, source: u16) -> Reader {
    open(view, source, KeptFrames::Copied)
}

fn referred(view: &View, source: u16, original: Reader) -> Reader {
    open(view, source, KeptFrames::Referred(Box::new(original)))
}

/// A recording in memory.
fn original(text: &str) -> Reader {
    reader("usdm_x.ns", text.as_bytes(), &OpenOptions::default()).unwrap()
}

fn stream(line: u64, bytes: &str) -> Owned {
    (START + line, line, None, bytes.to_owned())
}

#[test]
fn copies_of_one_source_come_out_as_they_were_recorded() {
    let long = "x".repeat(2_500);
    let (_folder, view) = journal(&[
        frame(0, 1, None, "[1]"),
        frame(1, 1, None, "[2]"),
        frame(0, 7, Some("https://a/b"), "[3]"),
        frame(1, 2, None, &long),
        frame(1, 3, None, &long),
        frame(0, 8, None, ""),
    ]);
    assert!(view.lane(Lane::Feed).end.segment() > 1, "it takes several segments");
    let mut first = copied(&view, 0);
    let facts = (first.name(), first.format(), first.market(), first.unit(), first.sidecar());
    assert_eq!(facts, ("j/0", Format::Journal, Some(Market::UsdM), None, None));
    assert_eq!((first.part(), first.bytes_read()), (Some(&part(&view, 0)), 0));
    let answer = (START + 7, 7, Some("https://a/b".to_owned()), "[3]".to_owned());
    let (records, error) = drain(&mut first);
    assert_eq!(records, [stream(1, "[1]"), answer, stream(8, "")]);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(first.next().unwrap(), None);
    assert_eq!(Some(first.bytes_read()), first.bytes_total());
    let (records, _) = drain(&mut copied(&view, 1));
    assert_eq!(records, [stream(1, "[2]"), stream(2, &long), stream(3, &long)]);
    assert_eq!(drain(&mut copied(&view, 2)).0, []);
}

#[test]
fn what_could_not_be_read_stands_in_its_place() {
    let records =
        [frame(1, 1, None, "[1]"), damage(1, 2, "usdm_x: line 2: odd"), frame(1, 3, None, "[3]")];
    let (_folder, view) = journal(&records);
    let mut again = copied(&view, 1);
    assert_eq!(again.next().unwrap().unwrap().line, 1);
    let error = again.next().unwrap_err();
    assert!(error.is_damage());
    assert_eq!((error.file().map(String::as_str), error.line()), (Some("j/1"), Some(2)));
    let text = "j/1: it could not be read when it was recorded: usdm_x: line 2: odd";
    assert_eq!(error.to_string(), text);
    assert_eq!(drain(&mut again).0, [stream(3, "[3]")]);
    assert_eq!(drain(&mut copied(&view, 0)).0, []);
}

/// A recording of four lines of which the second is none, and what a journal says of it.
fn referring() -> (String, Vec<Put>) {
    let line = |number: u64, bytes: &str| format!("{} {bytes}\n", START + number);
    let text = line(1, "[1]") + "odd\n" + &line(3, "[33]") + &line(4, "[4]");
    let refer = |line, bytes| refer(&reference(1, line, START + line, bytes));
    let other = frame(0, 9, None, "[9]");
    let records =
        vec![refer(1, "[1]"), damage(1, 2, "odd"), other, refer(3, "[33]"), refer(4, "[4]")];
    (text, records)
}

#[test]
fn references_end_where_the_journal_ends() {
    let (text, records) = referring();
    let (_folder, view) = journal(&records[..4]);
    let mut again = referred(&view, 1, original(&text));
    let (before, error) = drain(&mut again);
    assert!(matches!(error, Some(CaptureError::Recorded { line: 2, .. })), "{error:?}");
    let (after, error) = drain(&mut again);
    assert!(error.is_none(), "{error:?}");
    assert_eq!([before, after].concat(), [stream(1, "[1]"), stream(3, "[33]")]);
    assert_eq!(again.next().unwrap(), None);
}

#[test]
fn a_recording_that_was_changed_is_named_with_its_line() {
    let (text, records) = referring();
    let (_folder, view) = journal(&records);
    let end = |text: &str| {
        let mut again = referred(&view, 1, original(text));
        let error = loop {
            match again.next() {
                Ok(record) => assert!(record.is_some(), "{text} is as good as the original"),
                Err(CaptureError::Recorded { .. }) => {}
                Err(error) => break error,
            }
        };
        assert!(!error.is_damage());
        assert_eq!(again.next().unwrap(), None, "nothing of it can be trusted");
        error.to_string()
    };
    let recv = (START + 3).to_string();
    let since = "the recording was changed since the journal was made";
    for (changed, line, what) in [
        (text.replace("[33]", "[34]"), 3, "the frame is another one"),
        (text.replace("[33]", "[333]"), 3, "the frame has another length"),
        (text.replace(&recv, &(START + 5).to_string()), 3, "it has another receive time"),
        (text.replace("odd\n", "odd\n\n"), 3, "another line comes next"),
        (
            text.replace("odd", &format!("{} [2]", START + 2)),
            2,
            "it could not be read then, and there is a frame now",
        ),
        (text.lines().take(3).collect::<Vec<_>>().join("\n"), 4, "there is no such frame any more"),
    ] {
        assert_eq!(end(&changed), format!("j/1: line {line}: {what}: {since}"));
    }
    let error = end(&text.replace("[33]", "").replace(&format!("{recv} "), "what"));
    let refers = "j/1: the journal refers to a recording that can not be read: usdm_x.ns: line 3";
    assert!(error.starts_with(refers), "{error}");
    // Another line can not be read now.
    let error = end(&text.replace("odd", "\nodd"));
    assert!(error.starts_with(refers), "{error}");
    // An answer in the place of a frame.
    let other = FrameRef { origin: FrameOrigin::Rest, ..reference(1, 1, START + 1, "[1]") };
    let (_folder, view) = journal(&[refer(&other)]);
    let error = referred(&view, 1, original(&text)).next().unwrap_err().to_string();
    assert!(error.contains("another line comes next"), "{error}");
}

#[test]
fn a_lane_that_makes_no_sense_is_an_error_and_no_end() {
    let (text, _) = referring();
    let odd_market = FrameRef { market: Market::Spot, ..reference(1, 1, START + 1, "[1]") };
    let by_reference = refer(&reference(1, 1, START + 1, "[1]"));
    for (bad, what) in [
        ((RecordKind::Frame as u8, vec![0; 5]), "feed-000001.seg at byte 192: "),
        ((99, vec![0; 5]), "at byte 192: a record of the unknown kind 99"),
        ((RecordKind::CancelAll as u8, vec![0; 8]), "a record of another lane, cancel_all"),
        (frame(3, 1, None, "[1]"), "source 3 of 3"),
        (damage(u16::MAX, 1, "odd"), "source 65535 of 3"),
        (refer(&odd_market), "a frame of spot from a source of usdm"),
        (by_reference, "line 1 is kept by reference only"),
    ] {
        let (_folder, view) = journal(&[frame(1, 2, None, "[2]"), bad, frame(1, 3, None, "[3]")]);
        let mut again = copied(&view, 1);
        let (records, error) = drain(&mut again);
        let error = error.unwrap();
        assert_eq!((records.len(), error.is_damage()), (1, false), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("j/1: ") && text.contains(what), "{text} should say {what}");
        assert_eq!(again.next().unwrap(), None);
    }
    let (_folder, view) = journal(&[frame(1, 2, None, "[2]")]);
    let error = referred(&view, 1, original(&text)).next().unwrap_err().to_string();
    assert_eq!(error, "j/1: a copy of line 2 among references");
}

#[test]
fn a_frame_above_the_limit_is_refused() {
    let (long, url) = ("x".repeat(2_990), "https://a/b");
    let (_folder, view) = journal(&[
        frame(0, 2, None, &long),
        frame(0, 3, Some(url), &long),
        frame(0, 4, None, "[4]"),
    ]);
    let (records, error) = drain(&mut copied(&view, 0));
    assert_eq!(records.len(), 1);
    let text = error.unwrap().to_string();
    assert_eq!(text, "j/0: line 3 is longer than 3000 bytes (line_bytes_max)");
}

fn change(dir: &Path, at: usize, bytes: &[u8]) {
    let path = dir.join(segment_name(Strand::Lane(Lane::Feed), 1));
    let mut whole = std::fs::read(&path).unwrap();
    whole[at..at + bytes.len()].copy_from_slice(bytes);
    std::fs::write(&path, whole).unwrap();
}

#[test]
fn damage_of_the_journal_comes_behind_what_verifies() {
    let records: Vec<Put> = (1..=4).map(|line| frame(0, line, None, "[1]")).collect();
    let (folder, _) = journal(&records);
    // Each record takes 64 bytes: this one is the third.
    change(folder.path(), 128 + 2 * 64 + 40, b"?");
    let view = View::open(folder.path()).unwrap();
    let mut again = copied(&view, 0);
    let (records, error) = drain(&mut again);
    let error = error.unwrap();
    assert_eq!((records.len(), error.is_damage(), error.line()), (2, true, None));
    let text = error.to_string();
    let damaged = "j/0: the journal is damaged: feed-000001.seg at byte 256: ";
    assert!(text.starts_with(damaged), "{text}");
    assert_eq!(again.next().unwrap(), None);
}

#[test]
fn a_lane_that_is_changed_while_it_is_read_is_no_end() {
    let records: Vec<Put> = (1..=4).map(|line| frame(0, line, None, "[1]")).collect();
    let (folder, view) = journal(&records);
    for bytes in [[0; 64], [1; 64]] {
        change(folder.path(), 128 + 2 * 64, &bytes);
        let (records, error) = drain(&mut copied(&view, 0));
        let text = error.unwrap().to_string();
        assert_eq!(
            (records.len(), &*text),
            (2, "j/0: the feed lane was changed while it was read")
        );
    }
}

#[test]
fn one_source_of_a_journal_is_read_once() {
    let (text, records) = referring();
    let (folder, view) = journal(&records);
    let twice = |readers: Vec<Reader>| Merge::new(readers).err().map(|error| error.to_string());
    assert_eq!(twice(vec![copied(&view, 0), copied(&view, 1)]), None);
    let again = vec![copied(&view, 0), copied(&view, 1), copied(&view, 0)];
    assert_eq!(twice(again), Some("j/0: given twice".to_owned()));
    // References are read from the recording itself.
    let path = folder.path().join("usdm_x.ns");
    std::fs::write(&path, text).unwrap();
    let file = || Reader::open(&path, &OpenOptions::default()).unwrap();
    let beside = twice(vec![file(), referred(&view, 1, file())]);
    assert_eq!(beside, Some("j/1: given twice".to_owned()));
    assert_eq!(twice(vec![file(), copied(&view, 1)]), None);
}

/// A step of a merge: source, line and bytes, or the line of what could not be read.
type Step = Result<(usize, u64, u64, Vec<u8>), (String, Option<u64>)>;

fn steps(readers: Vec<Reader>) -> Vec<Step> {
    let mut merge = Merge::new(readers).unwrap();
    let mut steps = Vec::new();
    loop {
        match merge.next() {
            Ok(Some(Record { source, line, recv, bytes, .. })) => {
                steps.push(Ok((source, line, recv.0, bytes.to_vec())));
            }
            Ok(None) => return steps,
            Err(error) => {
                assert!(error.is_damage(), "{error}");
                steps.push(Err((error.file().unwrap().clone(), error.line())));
            }
        }
    }
}

/// A recording whose lines have these times after `START`; none is a line that can not be read.
fn recording(source: usize, offsets: &[Option<u64>]) -> String {
    let line = |(at, offset): (usize, &Option<u64>)| match offset {
        Some(offset) => format!("{} [{source},{at}]\n", START + offset),
        None => "odd\n".to_owned(),
    };
    // The first line tells the format.
    [format!("{START} []\n")].into_iter().chain(offsets.iter().enumerate().map(line)).collect()
}

fn originals(texts: &[String]) -> Vec<Reader> {
    let open = |(source, text): (usize, &String)| {
        let name = format!("j/{source}");
        reader(&name, text.as_bytes(), &OpenOptions::default()).unwrap()
    };
    texts.iter().enumerate().map(open).collect()
}

/// What a journal keeps of a run, in either way.
fn kept(steps: &[Step], whole: bool) -> Vec<Put> {
    let keep = |step: &Step| match step {
        Ok((source, line, recv, bytes)) => {
            let text = std::str::from_utf8(bytes).unwrap();
            let found = reference(*source as u16, *line, *recv, text);
            let FrameRef { frame, recv, line, source, market, .. } = found;
            let head = FrameHead { frame, recv, line, source, market, url: None };
            let copy = || [&head.encode().unwrap(), &bytes[..]].concat();
            if whole { (RecordKind::Frame as u8, copy()) } else { refer(&found) }
        }
        Err((file, line)) => {
            damage(file.strip_prefix("j/").unwrap().parse().unwrap(), line.unwrap(), "odd")
        }
    };
    steps.iter().map(keep).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whenever a run was interrupted: its journal gives what it was given, in the same order.
    #[test]
    fn a_journal_merges_as_its_recordings_did(
        files in prop::collection::vec(
            // Few different times, so that ties and steps back are common.
            prop::collection::vec(prop::option::weighted(0.8, 0_u64..6), 0..12),
            SOURCES,
        ),
        whole in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let texts: Vec<String> =
            files.iter().enumerate().map(|(source, offsets)| recording(source, offsets)).collect();
        let mut run = steps(originals(&texts));
        run.truncate(cut.index(run.len() + 1));
        let (_folder, view) = journal(&kept(&run, whole));
        let mut originals = originals(&texts);
        let sources = (0..SOURCES as u16).rev().map(|source| {
            let original = originals.pop().unwrap();
            if whole { copied(&view, source) } else { referred(&view, source, original) }
        });
        let mut sources: Vec<Reader> = sources.collect();
        sources.reverse();
        prop_assert_eq!(steps(sources), run);
    }
}
