//! A journal is a capture: a run over what it recorded is the run that it recorded.

use std::fs;
use std::path::Path;

use fusewire::sources::Source;
use fusewire_core::journal::{RealDisk, View, recover};
use fusewire_core::lane::Lane;
use fusewire_tests::{json, shared};
use serde_json::{Value, json as document};

mod desk;

use desk::{Desk, coarse, cryptofeed, cut};

/// How a journal keeps frames.
const FRAMES: [&str; 2] = ["copy", "reference"];
fn header(journal: &str) -> Value {
    let view = View::open(Path::new(journal)).unwrap();
    serde_json::from_slice(view.reader(Lane::Event).next().unwrap().unwrap().payload).unwrap()
}

#[test]
fn several_files_with_equal_times_give_the_same_run() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("a")).unwrap();
    fs::create_dir_all(desk.path("b")).unwrap();
    let write = |name: &str, symbols: &str| {
        desk.write(name, &coarse(&desk.synth("burst", symbols)));
        desk.text(name)
    };
    // Names, folders and symbols that sort differently; the last two share a name.
    let files = [
        write("b/usdm_a.ns", "SOLUSDT"),
        write("a/usdm_z.ns", "BTCUSDT"),
        write("b/usdm_m.ns", "XRPUSDT,DOGEUSDT"),
        write("a/usdm_m.ns", "ETHUSDT,BNBUSDT"),
    ];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let more = ["--strategy", "quoter,taker", "--seed", "7", "--raise", "1@40"];
    desk.assert_same(&files, &more);
    let manifest = desk.replay(&[&desk.text("copy")], &more)["manifest"]["files"].clone();
    let paths: Vec<&str> =
        manifest.as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    let expected =
        [3, 2, 1, 0].map(|index: usize| format!("{}/{}", desk.text("copy"), files[index]));
    assert_eq!(paths, expected);
    assert!(manifest.as_array().unwrap().iter().all(|file| file["format"] == "journal"));
}

#[test]
fn a_journal_of_copies_needs_nothing_else_and_may_be_moved() {
    let desk = Desk::new();
    let capture = desk.write("usdm_x.ns", &desk.synth("calm", "BTCUSDT"));
    let recorded = desk.record(&[&capture], &[], &desk.text("j"), "copy");
    fs::remove_file(capture).unwrap();
    fs::rename(desk.path("j"), desk.path("moved")).unwrap();
    assert_eq!(desk.replay(&[&desk.text("moved/")], &[])["digest"], recorded["digest"]);
}

/// Nothing but the command line told them, and the journal remembers.
#[test]
fn market_and_unit_are_those_of_the_run() {
    let desk = Desk::new();
    let lines = desk.synth("calm", "BTCUSDT");
    let plain = desk.write("plain", &lines);
    // Without a word about the market, addresses of two are an error.
    let mut mixed = cryptofeed(&lines);
    mixed.insert(2, mixed[2].replace("https://fapi.", "https://api."));
    let mixed = desk.write("mixed.jsonl", &mixed);
    for (capture, told) in
        [(plain, &["--market", "usdm", "--unit", "ns"][..]), (mixed, &["--market", "usdm"])]
    {
        for frames in FRAMES {
            let journal = format!("{capture}-{frames}");
            let recorded = desk.record(&[&capture], told, &journal, frames);
            for more in [&[][..], &["--market", "spot", "--unit", "us"]] {
                assert_eq!(desk.replay(&[&journal], more)["digest"], recorded["digest"]);
            }
        }
    }
}

#[test]
fn the_embedded_sample_gives_the_same_run() {
    Desk::new().assert_same(&[], &["--strategy", "quoter,taker"]);
}

#[test]
fn a_cryptofeed_recording_with_rest_answers_gives_the_same_run() {
    let desk = Desk::new();
    let lines = cryptofeed(&desk.synth("calm", "BTCUSDT"));
    assert!(lines[1].contains("lastUpdateId"), "{}", lines[1]);
    let capture = desk.write("recording.jsonl", &lines);
    desk.assert_same(&[&capture], &[]);
    let again = desk.replay(&[&desk.text("reference")], &[]);
    assert_eq!(again["manifest"]["streams"]["(rest)"], 2);
    assert_eq!(again["books"]["BTCUSDT"]["synced"], true);
}

#[test]
fn damaged_lines_stay_damaged_and_leave_other_recordings_alone() {
    let desk = Desk::new();
    let mut lines = desk.synth("calm", "BTCUSDT");
    lines.insert(900, "0 {}".to_owned());
    let end = lines.last().unwrap().clone() + "}";
    lines.extend(["hello".to_owned(), end]);
    let bad = desk.write("usdm_bad.ns", &lines);
    let good = desk.write("usdm_good.ns", &desk.synth("calm", "ETHUSDT"));
    desk.assert_same(&[&bad, &good], &["--allow-broken"]);
    for frames in FRAMES {
        let journal = desk.text(frames);
        let refused = desk.refused(&[&journal], &[]);
        for line in [901, lines.len() - 1] {
            let place =
                format!("{journal}/{bad}: it could not be read when it was recorded: {bad}: ");
            assert!(refused.contains(&format!("{place}line {line}")), "{refused}");
        }
        let again = desk.replay(&[&journal], &["--allow-broken"]);
        assert_eq!((&again["damaged"], &again["malformed"]), (&document!(2), &document!(1)));
        assert_eq!(again["books"]["ETHUSDT"]["synced"], true);
        assert_eq!(again["books"]["BTCUSDT"]["synced"], false);
    }
}

#[test]
fn a_truncated_recording_gives_the_same_run() {
    let desk = Desk::new();
    let out = desk.text("usdm_x.ns.gz");
    json(&["synth", "calm", "--minutes", "1", "--json", "--out", &out]);
    let bytes = fs::read(&out).unwrap();
    fs::write(&out, &bytes[..bytes.len() / 2]).unwrap();
    desk.assert_same(&[&out], &["--allow-broken"]);
}

#[test]
fn an_interrupted_journal_is_the_beginning_of_its_run() {
    let desk = Desk::new();
    let lines = desk.synth("burst", "BTCUSDT");
    let capture = desk.write("usdm_x.ns", &lines);
    for frames in FRAMES {
        let journal = desk.text(frames);
        desk.record(&[&capture], &[], &journal, frames);
        for count in [lines.len() / 3, lines.len() - 1] {
            let short = desk.write("usdm_short.ns", &lines[..count]);
            let interrupted = desk.text(&format!("{frames}-{count}"));
            cut(&journal, &interrupted, count, |header| header);
            let expected = desk.replay(&[&short], &[]);
            let found = desk.replay(&[&interrupted], &[]);
            assert_eq!(found["frames"], count);
            assert_eq!(found["digest"], expected["digest"], "{frames} {count}");
            let of = format!("{interrupted}-again");
            desk.record(&[&interrupted], &[], &of, "reference");
            assert_eq!(desk.replay(&[&of], &[])["digest"], expected["digest"]);
            // What was prepared and never used is not part of its content.
            recover(Path::new(&interrupted), &mut RealDisk, 10).unwrap().unwrap();
            let view = View::open(Path::new(&of)).unwrap();
            let (header, _) = fusewire::journal::reading::header(&view).unwrap();
            assert_eq!(header.sources[0].unchanged(), Ok(()));
        }
    }
}

/// The whole recording tells whose a bare snapshot is, and the journal remembers it.
#[test]
fn the_beginning_of_a_recording_attributes_no_snapshot_to_another_symbol() {
    let desk = Desk::new();
    let mut lines = desk.synth("calm", "BTCUSDT");
    let snapshot = lines.iter().position(|line| line.contains("lastUpdateId")).unwrap();
    let trade = lines.iter().find(|line| line.contains("\"aggTrade\"")).unwrap();
    let trade = trade.replace("BTCUSDT", "ETHUSDT").replace("btcusdt", "ethusdt");
    let time = lines[0].split_once(' ').unwrap().0.to_owned();
    let at = |line: &str| format!("{time} {}", line.split_once(' ').unwrap().1);
    let early = [at(&trade), at(&lines[snapshot])];
    lines.splice(0..0, early);
    let capture = desk.write("usdm_x.ns", &lines);
    desk.assert_same(&[&capture], &[]);
    for frames in FRAMES {
        let interrupted = desk.text(&format!("{frames}-cut"));
        cut(&desk.text(frames), &interrupted, 2, |header| header);
        // Of the symbol there is nothing else yet.
        assert!(
            desk.refused(&[&interrupted], &[]).contains("usdm_x.ns:2: a snapshot names no symbol")
        );
        let manifest = &desk.replay(&[&interrupted], &["--allow-broken"])["manifest"];
        assert_eq!(manifest["files"][0]["only_symbol"], "BTCUSDT");
        assert_eq!(manifest["symbols"]["ETHUSDT"]["snapshots"], 0, "{manifest}");
    }
}

#[test]
fn references_are_checked_against_their_recording() {
    let desk = Desk::new();
    let lines = desk.synth("calm", "BTCUSDT");
    let capture = desk.write("usdm_x.ns", &lines);
    let journal = desk.text("j");
    let recorded = desk.record(&[&capture], &[], &journal, "reference");
    let name = format!("{journal}/{capture}");
    let mut changed = lines.clone();
    changed[700] = changed[700].replace("BTCUSDT", "BTCUSDC");
    desk.write("usdm_x.ns", &changed);
    let since = "the recording was changed since the journal was made";
    let refused = desk.refused(&[&journal], &["--allow-broken"]);
    assert!(
        refused.contains(&format!("{name}: line 701: the frame is another one: {since}")),
        "{refused}"
    );
    desk.write("usdm_x.ns", &lines[..500]);
    let refused = desk.refused(&[&journal], &["--allow-broken"]);
    let gone = format!("{name}: line 501: there is no such frame any more: {since}");
    assert!(refused.contains(&gone), "{refused}");
    fs::remove_file(&capture).unwrap();
    let refused = desk.refused(&[&journal], &[]);
    let missing = format!(
        "{name}: the journal refers to a recording that can not be read: {capture}: cannot open: "
    );
    assert!(refused.contains(&missing), "{refused}");
    // What was added behind the last reference is not part of the run.
    let more = [&lines[..], &lines[lines.len() - 1..]].concat();
    desk.write("usdm_x.ns", &more);
    assert_eq!(desk.replay(&[&journal], &[])["digest"], recorded["digest"]);
    let refused = desk.refused(&[&journal, &capture], &[]);
    assert!(refused.contains("given twice"), "{refused}");
}

#[test]
fn a_journal_of_a_journal_gives_the_same_run() {
    let desk = Desk::new();
    let captures = ["BTCUSDT", "ETHUSDT"].map(|symbol| {
        let name = format!("usdm_{symbol}.ns");
        desk.write(&name, &coarse(&desk.synth("burst", symbol)))
    });
    let [btc, eth] = captures.each_ref().map(String::as_str);
    let first = desk.replay(&[btc, eth], &[]);
    for (inner, outer) in FRAMES.into_iter().flat_map(|a| FRAMES.map(|b| (a, b))) {
        let (one, two) =
            (desk.text(&format!("{inner}-{outer}")), desk.text(&format!("of-{inner}-{outer}")));
        desk.record(&[btc, eth], &[], &one, inner);
        let recorded = desk.record(&[&one], &[], &two, outer);
        assert_eq!(recorded["digest"], first["digest"], "{inner} {outer}");
        assert_eq!(desk.replay(&[&two], &[])["digest"], first["digest"], "{inner} {outer}");
        let sources = header(&two)["sources"].clone();
        for (index, capture) in [btc, eth].into_iter().enumerate() {
            let source = &sources[index];
            assert_eq!(source["name"], format!("{one}/{capture}"));
            // Copies do not say where they come from: they may go where that is not.
            let path = (outer == "reference").then(|| fs::canonicalize(&one).unwrap());
            assert_eq!(source["path"], document!(path));
            assert_eq!(
                (&source["in_journal"], &source["format"]),
                (&document!(index), &document!("journal"))
            );
            assert_eq!(source["bytes"].as_u64(), Some(feed_bytes(&one)));
        }
        if outer == "reference" {
            assert_found_again(&two, &one);
        }
    }
}

/// Bytes of the segments of the frames.
fn feed_bytes(journal: &str) -> u64 {
    let files = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let feed =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("feed-"));
    feed.map(|path| fs::metadata(path).unwrap().len()).sum()
}

/// The header of a journal gives back the sources of the journal that it was made of.
fn assert_found_again(journal: &str, of: &str) {
    let read = || {
        let view = View::open(Path::new(journal)).unwrap();
        fusewire::journal::reading::header(&view).unwrap().0
    };
    let header = read();
    let sources: Vec<Source> =
        header.sources.iter().map(|record| record.source().unwrap()).collect();
    assert_eq!(sources, Source::expand(&[of.into()]).unwrap());
    for record in &header.sources {
        assert_eq!(record.unchanged(), Ok(()));
    }
    let segment = Path::new(of).join("feed-000001.seg");
    let whole = fs::read(&segment).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&segment, &changed).unwrap();
    for record in &header.sources {
        assert!(record.unchanged().is_err_and(|error| error.contains("changed since the run")));
    }
    fs::write(&segment, &whole).unwrap();
}

#[test]
fn a_journal_and_a_recording_are_merged() {
    let desk = Desk::new();
    let btc = desk.write("usdm_btc.ns", &coarse(&desk.synth("burst", "BTCUSDT")));
    let eth = desk.write("usdm_eth.ns", &coarse(&desk.synth("burst", "ETHUSDT")));
    let both = desk.replay(&[&btc, &eth], &[]);
    let (one, other) = (desk.text("one"), desk.text("other"));
    desk.record(&[&btc], &[], &one, "copy");
    desk.record(&[&eth], &[], &other, "reference");
    for mixed in [[&eth, &one], [&one, &other], [&btc, &other]] {
        assert_eq!(desk.replay(&[mixed[0], mixed[1]], &[])["digest"], both["digest"], "{mixed:?}");
    }
    let detour = format!("{}/./one", desk.folder.path().display());
    let refused = desk.refused(&[&one, &detour], &[]);
    assert!(refused.contains("given twice"), "{refused}");
}

#[test]
fn a_damaged_journal_is_refused_unless_that_was_told() {
    let desk = Desk::new();
    let capture = desk.write("usdm_x.ns", &desk.synth("calm", "BTCUSDT"));
    let journal = desk.text("j");
    desk.record(&[&capture], &[], &journal, "copy");
    let segment = desk.path("j/feed-000001.seg");
    let whole = fs::read(&segment).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&segment, &changed).unwrap();
    let refused = desk.refused(&[&journal], &[]);
    for part in ["the journal is damaged: feed-000001.seg at byte ", "--allow-broken"] {
        assert!(refused.contains(part), "{refused}");
    }
    let told = desk.replay(&[&journal], &["--allow-broken"]);
    assert!(told["frames"].as_u64().unwrap() > 100);
    assert_eq!(
        (&told["damaged"], &told["books"]["BTCUSDT"]["synced"]),
        (&document!(1), &document!(false))
    );
    fs::write(&segment, &whole).unwrap();
    // Another lane: the frames are whole, and the journal still is not what it was.
    let events = desk.path("j/event-000001.seg");
    let mut changed = fs::read(&events).unwrap();
    let last = changed.len() - 3;
    changed[last] ^= 1;
    fs::write(&events, &changed).unwrap();
    let refused = desk.refused(&[&journal], &[]);
    assert!(refused.contains("the journal is damaged: event-"), "{refused}");
}

#[test]
fn a_journal_without_its_beginning_is_no_capture() {
    let desk = Desk::new();
    let capture = desk.write("usdm_x.ns", &desk.synth("calm", "BTCUSDT"));
    let journal = desk.text("j");
    desk.record(&[&capture], &[], &journal, "copy");
    cut(&journal, &desk.text("cut"), 100, |header| {
        header.replacen("\"format\":1", "\"format\":7", 1)
    });
    let refused = desk.refused(&[&desk.text("cut")], &[]);
    assert!(refused.contains("cut: journal header: format 7 is not known"), "{refused}");
    fs::remove_file(desk.path("j/event-000001.seg")).unwrap();
    let refused = desk.refused(&[&journal], &["--allow-broken"]);
    assert!(refused.contains("j: event-000001.seg at byte 0: the segment is missing"), "{refused}");
}

#[test]
fn journals_that_refer_to_each_other_are_an_error_and_no_end() {
    let desk = Desk::new();
    let capture = desk.write("usdm_x.ns", &desk.synth("calm", "BTCUSDT"));
    let (one, two, own) = (desk.text("one"), desk.text("two"), desk.text("own"));
    desk.record(&[&capture], &[], &one, "reference");
    desk.record(&[&one], &[], &two, "reference");
    let inner = fs::canonicalize(&one).unwrap().display().to_string();
    let outer = format!("{}/own", fs::canonicalize(desk.folder.path()).unwrap().display());
    let to_itself = |header: String| {
        let path = |of: &str| format!("\"path\":\"{of}\"");
        assert!(header.contains(&path(&inner)), "{header}");
        header.replace(&path(&inner), &path(&outer))
    };
    cut(&two, &own, 100, to_itself);
    let refused = desk.refused(&[&own], &[]);
    assert!(refused.contains("more than 8 journals refer to each other"), "{refused}");
}

/// Real market data, copied: two files of eight thousand frames a minute each.
#[test]
fn a_real_capture_gives_the_same_run() {
    let Some(shared) = shared("a_real_capture_gives_the_same_run") else { return };
    let file = |symbol: &str| {
        let name = format!("captures/ws_raw/2024-08-08/usdm_{symbol}_20240808.ns.gz");
        shared.join(name).display().to_string()
    };
    let (btc, eth) = (file("btcusdt"), file("ethusdt"));
    let desk = Desk::new();
    let more = ["--strategy", "quoter,taker"];
    let journal = desk.text("j");
    let recorded = desk.record(&[&btc, &eth], &more, &journal, "copy");
    assert!(recorded["fills"].as_u64().unwrap() > 0);
    assert_eq!(desk.replay(&[&journal], &more)["digest"], recorded["digest"]);
}
