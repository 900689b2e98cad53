//! What the verbs say that only look: keys of their documents, and the shape of their texts.

use std::collections::BTreeSet;

use super::tamper::Scene;
use super::*;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A text with every number as `0`, so that it says the same whenever it ran, and with one name for its folder.
fn shape(text: &str, folder: &Path) -> String {
    let text = text.replace(arg(folder), "DIR");
    let mut shape = String::new();
    let mut in_number = false;
    for letter in text.chars() {
        let is_digit = letter.is_ascii_digit();
        if is_digit && !in_number {
            shape.push('0');
        } else if !is_digit {
            shape.push(letter);
        }
        in_number = is_digit || (in_number && letter == '_');
    }
    let lines = shape.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.map(|line| line + "\n").collect()
}

#[test]
fn stat_tells_sizes_rates_and_latencies() {
    let scene = Scene::eventful(&[]);
    let stat = document("stat", &scene.dir, &[]);
    assert_eq!(
        keys(&stat),
        [
            "build",
            "cut",
            "damage",
            "dir",
            "events",
            "first",
            "lanes",
            "last",
            "latency_ns",
            "latency_sample",
            "market_s",
            "state",
            "strategies",
            "synced",
            "wall_s",
        ]
    );
    assert_eq!(keys(&stat["lanes"]), ["alpha", "event", "feed", "gateway", "risk"]);
    let of_lane = [
        "bytes",
        "bytes_per_record",
        "records",
        "records_per_market_s",
        "records_per_wall_s",
        "segments",
    ];
    for (lane, of) in stat["lanes"].as_object().unwrap() {
        assert_eq!(keys(of), of_lane, "{lane}");
        // All bytes of its files that are neither heads nor marks.
        let file = fs::metadata(scene.dir.join(format!("{lane}-000001.seg"))).unwrap().len();
        assert_eq!(number(of, "bytes"), file - 128, "{lane}");
        assert_eq!(number(of, "segments"), 1);
        let shown = text("cat", &scene.dir, &["--stage", lane]).lines().count() as u64;
        assert_eq!(number(of, "records"), shown, "{lane}");
    }
    let stages = ["alpha", "feed", "gateway", "risk", "sequencer", "tick_to_trade"];
    assert_eq!(keys(&stat["latency_ns"]), stages);
    assert_eq!(number(&stat, "latency_sample"), 16);
    for (stage, of) in stat["latency_ns"].as_object().unwrap() {
        assert_eq!(keys(of), ["count", "max", "p50", "p90", "p99", "p99.9"]);
        let steps = ["p50", "p90", "p99", "p99.9", "max"].map(|key| number(of, key));
        assert!(steps.is_sorted() && steps[0] > 0, "{stage}: {of}");
        let most = match stage.as_str() {
            "tick_to_trade" => number(&stat["lanes"]["gateway"], "records"),
            "feed" | "sequencer" => number(&stat["lanes"]["event"], "records") / 8,
            _ => number(&stat, "cut") / 8 + number(&stat["lanes"]["risk"], "records"),
        };
        assert!((1..most).contains(&number(of, "count")), "{stage}: {of}, at most {most}");
    }
    let events: u64 =
        stat["events"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((events, number(&stat, "synced")), (number(&stat, "cut"), number(&stat, "cut")));
    assert_eq!(stat["strategies"], serde_json::json!(["quoter", "taker"]));
    assert!((20.0..40.0).contains(&stat["market_s"].as_f64().unwrap()), "{stat}");
    assert!((0.0..60.0).contains(&stat["wall_s"].as_f64().unwrap()), "{stat}");
}

#[test]
fn texts_have_their_shape() {
    let scene = Scene::eventful(&[]);
    let shaped = |verb: &str, more: &[&str]| shape(&text(verb, &scene.dir, more), &scene.dir);
    assert_eq!(
        shaped("stat", &[]),
        "DIR closed, quoter,taker\n\
         0-0-0T0:0:0.0Z .. 0-0-0T0:0:0.0Z 0.0 s, written in 0.0 s\n\
         handled up to event 0, synced up to 0\n\
         lane records bytes segments bytes each each market s each wall s\n\
         feed 0 0 0 0.0 0.0 0\n\
         event 0 0 0 0.0 0.0 0\n\
         alpha 0 0 0 0.0 0.0 0\n\
         risk 0 0 0 0.0 0.0 0\n\
         gateway 0 0 0 0.0 0.0 0\n\
         latency ns p0 p0 p0 p0.0 max count\n\
         feed 0 0 0 0 0 0\n\
         sequencer 0 0 0 0 0 0\n\
         alpha 0 0 0 0 0 0\n\
         risk 0 0 0 0 0 0\n\
         gateway 0 0 0 0 0 0\n\
         tick_to_trade 0 0 0 0 0 0\n"
    );
    let listed = text("ls", &scene.dir, &[]);
    let words: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(words[1..2], ["closed"]);
    assert!(words[2].ends_with('Z') && words[3] == "quoter,taker", "{listed}");
    assert_eq!([words[5], words[7], words[9], words[10]], ["frames", "events", "bytes", "digest"]);
    assert_eq!((words.len(), words[11].len()), (12, 16), "{listed}");
    assert_eq!(
        shaped("verify", &["--decisions-only"]).lines().nth(1),
        Some("the same, byte for byte: 0 events, 0 intents, 0 verdicts, 0 orders")
    );
    let verified = shaped("verify", &[]);
    assert!(verified.starts_with("DIR recorded by 0.0.0 ("), "{verified}");
    assert!(
        verified.ends_with("0 orders, 0 frames, 0 reports, rejections and wakes\n"),
        "{verified}"
    );
    assert_eq!(shaped("recover", &[]), "DIR: complete: nothing to do\n");
}

#[test]
fn verify_says_what_it_compared() {
    let scene = Scene::cut_short();
    let keys_all = [
        "build_here",
        "build_recorded",
        "config",
        "cut",
        "damage",
        "dir",
        "events",
        "feedback",
        "first_divergence",
        "frames",
        "intents",
        "orders",
        "same",
        "state",
        "verdicts",
        "verified",
    ];
    for (more, verified) in [(&[][..], "all"), (&["--decisions-only"], "decisions")] {
        let found = document("verify", &scene.dir, more);
        assert_eq!(keys(&found), keys_all);
        assert_eq!((word(&found, "verified"), word(&found, "state")), (verified, "closed"));
        assert_eq!(found["build_recorded"], found["build_here"]);
        assert_eq!(found["first_divergence"], Value::Null);
    }
}

/// A folder of journals is listed whole, whatever state each is in; other folders do not count.
#[test]
fn ls_lists_a_folder_of_journals() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let runs = folder.path().join("runs");
    for name in ["b", "a", "damaged"] {
        record(&capture, &runs.join(name), &[]);
    }
    fs::create_dir(runs.join("empty")).unwrap();
    fs::write(runs.join("notes.txt"), "").unwrap();
    let segment = runs.join("damaged/risk-000001.seg");
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
    let (stdout, _) = said(&on("ls", &runs, &["--json"]), 1);
    let listed: Value = serde_json::from_str(&stdout).unwrap();
    let listed = listed.as_array().unwrap();
    let names: Vec<_> =
        listed.iter().map(|one| word(one, "dir").rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["a", "b", "damaged"]);
    let key_names = [
        "build",
        "bytes",
        "created",
        "damage",
        "digest",
        "dir",
        "events",
        "frames",
        "state",
        "strategies",
    ];
    for one in listed {
        assert_eq!(keys(one), key_names);
        let damaged = word(one, "dir").ends_with("damaged");
        assert_eq!(one["digest"].is_null(), damaged);
        assert_eq!(one["damage"].as_array().unwrap().is_empty(), !damaged);
        assert_eq!(word(one, "state"), if damaged { "interrupted" } else { "closed" });
    }
    // The same as a list on the command line; one that is none ends it.
    let listed = document("ls", &runs.join("a"), &[arg(&runs.join("b"))]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    refused(&on("ls", &runs.join("empty"), &[]), &["there is no journal here"]);
    refused(&on("ls", &runs.join("nowhere"), &[]), &["nowhere"]);
}

#[test]
fn diff_names_what_differs_and_where_two_runs_part() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let dir = |name: &str| folder.path().join(name);
    let (a, b, copied, other) = (dir("a"), dir("b"), dir("copied"), dir("other"));
    record(&capture, &a, &BOTH);
    record(&capture, &b, &BOTH);
    record(&capture, &copied, &[&BOTH[..], &["--journal-frames", "copy"]].concat());
    record(&capture, &other, &[&BOTH[..], &["--seed", "43"]].concat());

    let same = document("diff", &a, &[arg(&b)]);
    assert_eq!(keys(&same), ["a", "b", "first_difference", "header"]);
    assert_eq!(
        (&same["header"], &same["first_difference"]),
        (&serde_json::json!([]), &Value::Null)
    );
    let shown = text("diff", &a, &[arg(&copied)]);
    assert!(shown.contains("header: frames: reference | copy (decides nothing)\n"), "{shown}");
    assert!(shown.ends_with("the same records\n"), "{shown}");

    let (stdout, _) = said(&on("diff", &a, &[arg(&other), "--json", "--context", "2"]), 1);
    let parted: Value = serde_json::from_str(&stdout).unwrap();
    let header = serde_json::json!([{"key": "seed", "a": "42", "b": "43", "decides": true}]);
    assert_eq!(parted["header"], header);
    let first = &parted["first_difference"];
    assert_eq!(keys(first), ["a", "b", "before", "same"]);
    let lines = |key: &str| -> Vec<String> {
        let lines = first[key].as_array().unwrap().iter();
        lines.map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([lines("before").len(), lines("a").len(), lines("b").len()], [2, 3, 3]);
    // The same place as a naive reader finds.
    let record_lines = |dir: &Path| -> Vec<String> {
        let kinds = "frame,frame_ref,event,intent,verdict,sent,cancel_all,pending,close";
        text("cat", dir, &["--kind", kinds]).lines().map(str::to_owned).collect()
    };
    let (one, another) = (record_lines(&a), record_lines(&other));
    let at = one.iter().zip(&another).position(|(one, other)| one != other).unwrap();
    assert_eq!(number(first, "same"), at as u64);
    assert_eq!(lines("before"), one[at - 2..at]);
    assert_eq!(lines("a"), one[at..at + 3]);
    assert_eq!(lines("b"), another[at..at + 3]);
    let (shown, _) = said(&on("diff", &a, &[arg(&other)]), 1);
    let marks: BTreeSet<&str> = shown.lines().filter_map(|line| line.get(..2)).collect();
    assert!(["A ", "B ", "  ", "he", "th"].iter().all(|mark| marks.contains(mark)), "{shown}");
    assert!(shown.contains("header: seed: 42 | 43\n"), "{shown}");
    // One run goes on where the other ends.
    let short = folder.path().join("usdm_short.ns");
    fs::copy(&capture, &short).unwrap();
    fs::write(
        &short,
        fs::read_to_string(&capture).unwrap().split_inclusive('\n').take(5_000).collect::<String>(),
    )
    .unwrap();
    let cut = dir("cut");
    record(&short, &cut, &BOTH);
    let (shown, _) = said(&on("diff", &a, &[arg(&cut)]), 1);
    assert!(shown.contains("\nB ") && shown.contains(" close "), "{shown}");
    refused(&on("diff", &a, &[arg(&dir("nowhere"))]), &["nowhere"]);
    for (one, other) in [(&a, &short), (&short, &a)] {
        let (_, stderr) = said(&on("diff", one, &[arg(other)]), 2);
        assert!(stderr.contains("no journal here"), "{stderr}");
    }
}

/// Every verb has an example that runs, and a text that says what its exit codes are.
#[test]
fn help_is_there_for_every_verb() {
    for verb in ["ls", "stat", "cat", "tail", "verify", "diff", "export", "recover"] {
        let (help, _) = said(&fusewire(&["journal", verb, "--help"]), 0);
        assert!(help.contains(&format!("fusewire journal {verb} runs/")), "{help}");
    }
}
