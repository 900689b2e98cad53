//! Recordings that are decoded once for all trials (issue "How fast"): the same results, and nothing taken for whole
//! that is not.

use std::os::unix::fs::MetadataExt;

use fusewire_tests::{shared, start};

use crate::journal::interrupted::{signal, wait_until};

use super::*;

const TWO: [&str; 2] = ["--grid", "quoter.half_spread_bp=1,2"];

/// Runs a sweep of these inputs into a folder to its end; returns its summary and what it said besides.
fn sweep_of(out: &Path, inputs: &[&str]) -> (Value, String) {
    let output = fusewire(&[&["sweep", "--json", "--out", arg(out)], inputs, &CSV].concat());
    // Results that are not to be believed are as good to compare as others.
    let (stdout, stderr) = said(&output, output.status.code().filter(|code| *code < 2).unwrap());
    let summary: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(summary["done"], summary["trials"], "{stderr}");
    (summary, stderr)
}

/// Recordings of one symbol each.
fn pair(folder: &Path) -> [PathBuf; 2] {
    ["btcusdt", "ethusdt"].map(|symbol| {
        let path = folder.join(format!("usdm_{symbol}.ns"));
        let symbols = ["--symbols", &symbol.to_uppercase()];
        json(&[&["synth", "burst", "--json", "--out", arg(&path)], &symbols[..]].concat());
        path
    })
}

/// Sweeps with recordings decoded once, and with a file in the place of the folder of tapes, so that every trial
/// decodes: the tables are the same bytes. Returns how many recordings were decoded once, and what was said of others.
fn decoded_and_not(folder: &Path, inputs: &[&str]) -> (u64, String) {
    let (count, stderr, fills) = compared(folder, inputs);
    assert!(fills > 0, "nothing to compare");
    (count, stderr)
}

/// The same, with the fills of all trials.
fn compared(folder: &Path, inputs: &[&str]) -> (u64, String, u64) {
    let (once, each) = (folder.join("once"), folder.join("each"));
    for out in [&once, &each] {
        fs::create_dir_all(out).unwrap();
    }
    fs::write(each.join("decoded"), "in the way").unwrap();
    let (summary, stderr) = sweep_of(&once, inputs);
    let (raw, said_of_raw) = sweep_of(&each, inputs);
    assert_eq!(number(&raw, "decoded"), 0);
    assert!(said_of_raw.contains("decoded again by each trial"), "{said_of_raw}");
    let table = |out: &Path| fs::read_to_string(out.join("results.csv")).unwrap();
    assert_eq!(table(&once), table(&each));
    assert!(!once.join("decoded").exists(), "the table is there, the tapes are gone");
    let fills = rows(&once).iter().map(|row| row["fills"].parse::<u64>().unwrap()).sum();
    fs::remove_dir_all(&each).unwrap();
    fs::remove_dir_all(&once).unwrap();
    (number(&summary, "decoded"), stderr, fills)
}

#[test]
fn tables_are_those_of_trials_that_decode_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = pair(folder.path());
    let both = [&[arg(&one), arg(&other)], &TWO[..]].concat();
    for jobs in ["1", "2"] {
        assert_eq!(decoded_and_not(folder.path(), &[&both, &["--jobs", jobs][..]].concat()).0, 2);
    }
    let (count, stderr) = decoded_and_not(folder.path(), &TWO);
    assert_eq!((count, stderr.as_str()), (1, ""), "the embedded sample");
    // The same content under the same name is two recordings all the same.
    let twin = folder.path().join("again").join(one.file_name().unwrap());
    fs::create_dir(twin.parent().unwrap()).unwrap();
    fs::copy(&one, &twin).unwrap();
    // Neither name nor sidecar tells the market.
    let nameless = folder.path().join("x");
    fs::copy(&other, &nameless).unwrap();
    let told = ["--market", "usdm", "--unit", "ns", "--allow-broken"];
    let inputs = [&[arg(&one), arg(&twin), arg(&nameless)], &told[..], &TWO].concat();
    assert_eq!(compared(folder.path(), &inputs).0, 3);
}

/// Frames out of a journal, kept there or where they were.
#[test]
fn a_journal_is_decoded_once_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = pair(folder.path());
    for frames in ["copy", "reference"] {
        let journal = folder.path().join(frames);
        let kept = ["--journal", arg(&journal), "--journal-frames", frames];
        json(&[&["replay", "--json", arg(&one), arg(&other)], &kept[..]].concat());
        let (count, stderr) =
            decoded_and_not(folder.path(), &[&[arg(&journal)], &TWO[..]].concat());
        assert_eq!((count, stderr.as_str()), (2, ""), "{frames}");
    }
}

/// What can not become a tape is read by each trial, and is said to be; the others are decoded once.
#[test]
fn what_does_not_decode_is_left_to_the_trials() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, broken] = pair(folder.path());
    let text = fs::read_to_string(&broken).unwrap();
    let middle = text.match_indices('\n').nth(2_000).unwrap().0 + 1;
    let (start, end) = text.split_at(middle);
    let (time, frame) = end.split_once('\n').unwrap().0.split_once(' ').unwrap();
    let cut = format!("{time} {}\n", &frame[..frame.len() / 2]);
    for (fault, why) in [(cut.as_str(), "line 2002: "), ("no line of a capture\n", "line 2002")] {
        fs::write(&broken, [start, fault, end].concat()).unwrap();
        let more = [&["--allow-broken"], &TWO[..]].concat();
        let (count, stderr) =
            decoded_and_not(folder.path(), &[&[arg(&whole), arg(&broken)], &more[..]].concat());
        assert_eq!(count, 1, "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        for part in ["decoded again by each trial", "usdm_ethusdt.ns", why] {
            assert!(stderr.contains(part), "{part} is not in {stderr}");
        }
    }
}

/// A tape is read as it is, and a single trial does not ask for one.
#[test]
fn nothing_is_decoded_beforehand_for_nothing() {
    let scene = Scene::new();
    let tapes = scene.path("tapes");
    json(&["import", "collector", arg(&scene.capture), "--json", "--out", arg(&tapes)]);
    let (summary, stderr) = sweep_of(&scene.path("tape"), &[&[arg(&tapes)], &TWO[..]].concat());
    assert_eq!((number(&summary, "decoded"), stderr.as_str()), (0, ""));
    let summary = scene.sweep("one", &["--grid", "quoter.half_spread_bp=1"]);
    assert_eq!(number(&summary, "decoded"), 0);
    assert_eq!(number(&scene.sweep("two", &TWO), "decoded"), 1);
    // A tape has the digest of its recording.
    scene.sweep("raw", &[&TWO[..], &CSV].concat());
    let digests = |out: &str| -> Vec<String> {
        scene.rows(out).iter().map(|row| row["digest"].clone()).collect()
    };
    assert_eq!(digests("tape"), digests("raw"));
}

/// A sweep of which two trials fail each time, so that the tapes are kept.
struct Failing {
    scene: Scene,
    arguments: Vec<String>,
}

impl Failing {
    fn new() -> Self {
        let scene = Scene::new();
        let text = "[latency]\norder_us = 4_000_000\nresponse_us = 4_000_000\nreceive_window_ms = 60_000\n";
        let slow = config(scene.folder.path(), "slow.toml", text);
        let grid = ["--grid", "stream.feedback_max=4096,16,17", "--strategy", "quoter,taker,grid"];
        let more = [&grid[..], &["--config", arg(&slow), "--json"], &CSV].concat();
        let arguments = scene.arguments("s", &more);
        Self { scene, arguments }
    }

    /// Runs it, and says which file the tape is after it.
    fn run(&self) -> u64 {
        let output = fusewire(&self.arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let (stdout, _) = said(&output, 1);
        let summary: Value = serde_json::from_str(&stdout).unwrap();
        let counts = ["done", "failed", "decoded"].map(|key| number(&summary, key));
        assert_eq!(counts, [1, 2, 1], "{summary}");
        let rows = self.scene.rows("s");
        for row in &rows[1..] {
            assert!(row["error"].contains("feedback"), "the tape was read to there: {row:?}");
        }
        inode(&self.path("1.tape"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scene.path("s/decoded").join(name)
    }
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

/// Found by its content, and made again where anything is not as it was written.
#[test]
fn a_tape_that_is_torn_or_of_something_else_is_not_taken() {
    let failing = Failing::new();
    let (tape, note) = (failing.path("1.tape"), failing.path("1.json"));
    let first = failing.run();
    assert_eq!(failing.run(), first, "decoded once");
    let (bytes, text) = (fs::read(&tape).unwrap(), fs::read_to_string(&note).unwrap());
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    // A sound tape, of another recording and with its own note.
    let other = synth(failing.scene.folder.path(), "calm", "1");
    let tapes = failing.scene.path("tapes");
    json(&["import", "collector", arg(&other), "--json", "--out", arg(&tapes)]);
    let foreign = fs::read(tapes.join("usdm_calm1.tape")).unwrap();
    for (what, found) in [
        ("cut", bytes[..bytes.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("changed", changed(bytes.len() / 2)),
        ("changed at its end", changed(bytes.len() - 1)),
        ("foreign", foreign),
    ] {
        // Held by a second name, so that the new file can not get the number of the old one.
        let held = failing.scene.path("held");
        fs::rename(&tape, &held).unwrap();
        fs::write(&tape, &found).unwrap();
        let left = inode(&tape);
        assert_ne!(failing.run(), left, "{what}");
        assert!(fs::read(&tape).unwrap() == bytes, "{what}");
        fs::remove_file(&held).unwrap();
    }
    let before = failing.run();
    for (what, note_text) in [
        ("of another sweep", text.replacen("\"sweep\": \"", "\"sweep\": \"0", 1)),
        ("of another recording", text.replacen("usdm_burst1.ns", "usdm_calm1.ns", 1)),
        ("torn", text[..text.len() / 2].to_owned()),
    ] {
        assert_ne!(note_text, text, "{what}");
        fs::write(&note, note_text).unwrap();
        let held = failing.scene.path("held");
        fs::hard_link(&tape, &held).unwrap();
        assert_ne!(failing.run(), inode(&held), "{what}");
        fs::remove_file(&held).unwrap();
        assert_eq!(fs::read_to_string(&note).unwrap(), text, "{what}");
    }
    assert!(before > 0 && fs::read_dir(failing.path("")).unwrap().count() == 2, "nothing else");
}

/// Enough trials that a kill finds it at work.
const MANY: [&str; 4] =
    ["--grid", "run.seed=1,2,3,4,5,6,7,8,9,10", "--grid", "quoter.half_spread_bp=1,2"];

/// Killed behind the decoding, it goes on over the same tape; killed in the middle of it, nothing is taken for whole.
/// Files that it did not make are left alone.
#[test]
fn a_killed_sweep_finds_its_tapes_again() {
    let scene = Scene::new();
    scene.sweep("whole", &MANY);
    let arguments = scene.arguments("killed", &MANY);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let decoded = scene.path("killed/decoded");
    // What a decoding that was killed leaves: a part under another name, or a tape without its note.
    fs::create_dir_all(&decoded).unwrap();
    for name in ["1.tape.partial", "1.tape", "1.json.partial", "notes.txt"] {
        fs::write(decoded.join(name), "half").unwrap();
    }
    let mut tapes = BTreeSet::new();
    for wanted in [1, 2, 3] {
        let mut child = start(&arguments);
        let registry = scene.path("killed/trials.jsonl");
        wait_until("the sweep to come so far", || {
            let text = fs::read_to_string(&registry).unwrap_or_default();
            let done = text.lines().filter(|line| line.starts_with("{\"event\":\"done\"")).count();
            done >= wanted || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        assert!(child.wait().unwrap().code().is_none(), "it was over before it was killed");
        assert!(decoded.join("1.json").exists());
        tapes.insert(inode(&decoded.join("1.tape")));
    }
    assert_eq!(tapes.len(), 1, "decoded once");
    let summary = scene.sweep("killed", &MANY);
    assert_eq!(number(&summary, "decoded"), 1);
    assert!(number(&summary, "kept") >= 3);
    assert!(scene.table("killed") == scene.table("whole"));
    let left: Vec<_> = fs::read_dir(&decoded).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

/// Killed while it decodes, at several moments.
#[test]
fn a_killed_decoding_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "10");
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let inputs = [&[arg(&capture), "--strategy", "noop"], &["--grid", "run.seed=1,2"][..]].concat();
    let (summary, _) = sweep_of(&whole, &inputs);
    assert_eq!(number(&summary, "decoded"), 1);
    let arguments = [&["sweep", "--json", "--out", arg(&killed)], &inputs[..], &CSV].concat();
    let partial = killed.join("decoded/1.tape.partial");
    let mut hits = 0;
    for part in [1, 100_000, 10_000_000] {
        let _ = fs::remove_file(&partial);
        let mut child = start(&arguments);
        wait_until("the decoding to come so far", || {
            let length = fs::metadata(&partial).map_or(0, |facts| facts.len());
            length >= part || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        hits += usize::from(partial.exists() && !killed.join("decoded/1.json").exists());
        assert!(!killed.join("results.csv").exists());
    }
    assert!(hits > 0, "no kill hit it at decoding");
    // Ctrl-C ends it in order, with nothing half-made.
    let _ = fs::remove_file(&partial);
    let mut child = start(&arguments);
    wait_until("the decoding to begin", || partial.exists() || child.try_wait().unwrap().is_some());
    signal(&child, "-INT");
    let (_, stderr) = said(&child.wait_with_output().unwrap(), 1);
    assert!(
        stderr.contains("stopped by a signal") && !stderr.contains("decoded again"),
        "{stderr}"
    );
    assert!(!partial.exists() && !killed.join("results.csv").exists());
    let (summary, _) = sweep_of(&killed, &inputs);
    assert_eq!((number(&summary, "kept"), number(&summary, "decoded")), (0, 1));
    let table = |out: &Path| fs::read_to_string(out.join("results.csv")).unwrap();
    assert_eq!(table(&killed), table(&whole));
}

/// Recorded frames of all markets at once, sound and broken ones.
#[test]
fn tables_over_real_captures_are_those_of_trials_that_decode_themselves() {
    let Some(shared) = shared("tables_over_real_captures") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| shared.join("captures").join(name);
    let mut all = 0;
    for (files, decoded) in [
        (
            &[
                "ws_raw/2024-08-08/usdm_btcusdt_20240808.ns.gz",
                "ws_raw/2024-08-08/spot_btcusdt_20240808.ns.gz",
                "ws_raw/2024-08-08/coinm_ethusd_perp_20240808.ns.gz",
            ][..],
            3,
        ),
        (&["ws_raw/2023-04-05/usdm_btcusdt_20230404.us.gz"], 1),
        // With answers to requests: instruments and snapshots.
        (
            &[
                "ws_cryptofeed/binance_futures_20210722_SUSHI_AKRO_KEEP_CTK.jsonl.zst",
                "ws_cryptofeed/binance_futures_2021_SAND_CHR_NEO_CTK_BAT.txt.zst",
            ],
            2,
        ),
    ] {
        let files: Vec<PathBuf> = files.iter().map(|name| path(name)).collect();
        let inputs: Vec<&str> = files.iter().map(|path| arg(path)).collect();
        let grid = ["--allow-broken", "--grid", "run.strategy=quoter,taker"];
        let (count, stderr, fills) = compared(folder.path(), &[&inputs[..], &grid].concat());
        assert_eq!(count, decoded, "{stderr}");
        all += fills;
    }
    assert!(all > 0, "nothing to compare");
}
