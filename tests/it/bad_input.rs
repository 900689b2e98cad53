//! Bad input: one clear line a fault, exit 2, nothing on stdout, nothing written.

use std::fs;
use std::path::Path;
use std::process::Output;

use fusewire_tests::{fusewire, fusewire_in, json};
use tempfile::TempDir;

/// A synthetic minute of BTCUSDT in a folder of its own.
fn capture(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    json(&["synth", "calm", "--minutes", "1", "--json", "--out", path.to_str().unwrap()]);
    // The tests give files other names and units, which the sidecar would contradict.
    fs::remove_file(path.with_file_name(format!("{name}.manifest.json"))).unwrap();
    folder
}

fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("usdm_btcusdt.ns")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn replay(folder: &Path, arguments: &[&str]) -> Output {
    let mut all = vec!["replay"];
    all.extend(arguments);
    fusewire_in(folder, &all)
}

/// Exit 2, an empty stdout, and lines that say all of `parts`.
fn refused(output: &Output, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in {stderr:?}");
    }
    // Warnings of the log may stand between them.
    let named = |line: &str| line.starts_with("fusewire: ") || line.contains(" WARN ");
    assert!(stderr.lines().all(named), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn truncated_gzip() {
    let folder = capture("usdm_btcusdt.ns.gz");
    let path = folder.path().join("usdm_btcusdt.ns.gz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let output = replay(folder.path(), &["usdm_btcusdt.ns.gz", "--json"]);
    refused(&output, &["usdm_btcusdt.ns.gz", "after line", "truncated", "--allow-broken"]);
    // Told so, it uses what can be read.
    let told = replay(folder.path(), &["usdm_btcusdt.ns.gz", "--json", "--allow-broken"]);
    assert_eq!(told.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert!(report["frames"].as_u64().unwrap() > 1_000);
    assert_eq!(report["damaged"], 1);
    assert_eq!(
        report["books"]["BTCUSDT"]["synced"], false,
        "what was cut off may have been anything"
    );
}

#[test]
fn wrong_unit() {
    let folder = capture("usdm_btcusdt.ns");
    let path = folder.path().join("usdm_btcusdt.ns");
    fs::rename(&path, folder.path().join("usdm_btcusdt.us")).unwrap();
    refused(
        &replay(folder.path(), &["usdm_btcusdt.us"]),
        &["usdm_btcusdt.us: line 1", "--unit ns"],
    );
}

#[test]
fn mixed_symbols() {
    let folder = capture("usdm_btcusdt.ns");
    let mixed: String = lines(folder.path())
        .iter()
        .map(|line| {
            // A second symbol in the same file, while the snapshot still names none.
            let other = line.replace("BTCUSDT", "ETHUSDT").replace("btcusdt", "ethusdt");
            let again = if line.contains("depthUpdate") { other + "\n" } else { String::new() };
            format!("{line}\n{again}")
        })
        .collect();
    fs::write(folder.path().join("usdm_mixed.ns"), mixed).unwrap();
    let output = replay(folder.path(), &["usdm_mixed.ns"]);
    refused(&output, &["usdm_mixed.ns:", "mixed-symbols", "names no symbol"]);
}

#[test]
fn unknown_symbol() {
    let folder = capture("usdm_btcusdt.ns");
    let asked = replay(folder.path(), &["usdm_btcusdt.ns", "--symbols", "DOGEUSDT"]);
    refused(&asked, &["unknown symbol", "DOGEUSDT", "BTCUSDT"]);
    let renamed = fs::read_to_string(folder.path().join("usdm_btcusdt.ns")).unwrap();
    let renamed = renamed.replace("BTCUSDT", "NOSUCHUSDT").replace("btcusdt", "nosuchusdt");
    fs::write(folder.path().join("usdm_nosuch.ns"), renamed).unwrap();
    let held = replay(folder.path(), &["usdm_nosuch.ns"]);
    refused(&held, &["unknown symbol", "NOSUCHUSDT", "--exchange-info", "[[instrument]]"]);
}

#[test]
fn configuration_with_unknown_keys() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[book]\nwindow_ticks = 64\nfar_level_max = 5\n\n[captur]\n";
    fs::write(folder.path().join("f.toml"), text).unwrap();
    let parts =
        ["f.toml:3: unknown key 'book.far_level_max', did you mean 'far_levels_max'?", "f.toml:5:"];
    refused(&replay(folder.path(), &["--config", "f.toml"]), &parts);
    refused(&fusewire_in(folder.path(), &["config", "f.toml"]), &parts);
}

#[test]
fn unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    refused(&replay(folder.path(), &["usdm_absent.ns.gz"]), &["usdm_absent.ns.gz: "]);
    fs::write(folder.path().join("usdm_empty.ns"), "").unwrap();
    refused(&replay(folder.path(), &["usdm_empty.ns"]), &["usdm_empty.ns: the capture is empty"]);
    fs::write(folder.path().join("usdm_noise.ns"), [0, 159, 146, 150, 10, 7]).unwrap();
    refused(&replay(folder.path(), &["usdm_noise.ns"]), &["usdm_noise.ns: line 1"]);
    fs::create_dir(folder.path().join("none")).unwrap();
    refused(&replay(folder.path(), &["none"]), &["none: the folder holds no files"]);
    refused(&fusewire_in(folder.path(), &["decode", "absent.txt"]), &["absent.txt: "]);
    refused(
        &fusewire_in(folder.path(), &["replay", "--exchange-info", "absent.json"]),
        &["absent.json"],
    );
}

#[test]
fn a_market_is_never_guessed() {
    let folder = capture("usdm_btcusdt.ns");
    fs::rename(folder.path().join("usdm_btcusdt.ns"), folder.path().join("btcusdt.ns")).unwrap();
    refused(&replay(folder.path(), &["btcusdt.ns"]), &["btcusdt.ns: market unknown", "--market"]);
    assert_eq!(replay(folder.path(), &["btcusdt.ns", "--market", "usdm"]).status.code(), Some(0));
}

#[test]
fn the_same_file_twice() {
    let folder = capture("usdm_btcusdt.ns");
    let output = replay(folder.path(), &["usdm_btcusdt.ns", "./usdm_btcusdt.ns"]);
    refused(&output, &["given twice"]);
}

#[test]
fn a_malformed_frame_names_line_and_offset_and_stales_its_book() {
    let folder = capture("usdm_btcusdt.ns");
    let mut lines = lines(folder.path());
    let at = lines.iter().rposition(|line| line.contains("@depth@")).unwrap();
    let cut = lines[at].len() - 9;
    lines[at].truncate(cut);
    fs::write(folder.path().join("usdm_cut.ns"), lines.join("\n") + "\n").unwrap();
    let output = replay(folder.path(), &["usdm_cut.ns"]);
    let place = format!("usdm_cut.ns:{}: malformed frame: frame ends too early at byte", at + 1);
    refused(&output, &[place.as_str(), "--allow-broken"]);
    let told = replay(folder.path(), &["usdm_cut.ns", "--allow-broken", "--json"]);
    assert_eq!(told.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(report["malformed"], 1);
    assert_eq!(report["stale_streams"]["btcusdt@depth@100ms"], 1);
    assert_eq!(report["books"]["BTCUSDT"]["synced"], false);
    assert_eq!(report["books"]["BTCUSDT"]["bid"], serde_json::Value::Null);
}

/// What is wrong with one recording says nothing about the books of another.
#[test]
fn damage_of_one_recording_leaves_the_others_alone() {
    let folder = capture("usdm_btcusdt.ns");
    let mut lines = lines(folder.path());
    let other =
        ["synth", "calm", "--minutes", "1", "--symbols", "ETHUSDT", "--out", "usdm_ethusdt.ns"];
    assert_eq!(fusewire_in(folder.path(), &other).status.code(), Some(0));
    let books = |name: &str| {
        let told = replay(folder.path(), &[name, "usdm_ethusdt.ns", "--allow-broken", "--json"]);
        let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        ["BTCUSDT", "ETHUSDT"].map(|key| report["books"][key]["synced"].as_bool().unwrap())
    };
    for bad in ["hello".to_owned(), lines[0].split(' ').next().unwrap().to_owned() + " {"] {
        lines.push(bad);
        fs::write(folder.path().join("usdm_bad.ns"), lines.join("\n") + "\n").unwrap();
        assert_eq!(books("usdm_bad.ns"), [false, true]);
        lines.pop();
    }
    fs::write(folder.path().join("usdm_good.ns"), lines.join("\n") + "\n").unwrap();
    assert_eq!(books("usdm_good.ns"), [true, true]);
}

#[test]
fn a_capture_without_snapshot_or_with_a_gap_is_refused() {
    let folder = capture("usdm_btcusdt.ns");
    let lines = lines(folder.path());
    let write = |name: &str, keep: &dyn Fn(usize, &str) -> bool| {
        let kept = lines.iter().enumerate().filter(|(at, line)| keep(*at, line.as_str()));
        let text: String = kept.map(|(_, line)| format!("{line}\n")).collect();
        fs::write(folder.path().join(name), text).unwrap();
    };
    write("usdm_bare.ns", &|_, line| !line.contains("lastUpdateId"));
    refused(&replay(folder.path(), &["usdm_bare.ns"]), &["BTCUSDT", "no-snapshot"]);
    let lost = lines.iter().rposition(|line| line.contains("@depth@")).unwrap() - 40;
    let gone = lines[..=lost].iter().rposition(|line| line.contains("@depth@")).unwrap();
    write("usdm_gap.ns", &|at, _| at != gone);
    refused(&replay(folder.path(), &["usdm_gap.ns"]), &["BTCUSDT", "depth-gap"]);
    let told = replay(folder.path(), &["usdm_gap.ns", "--allow-broken", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(report["books"]["BTCUSDT"]["gaps"], 1);
    assert_eq!(report["books"]["BTCUSDT"]["state"], "gap");
}

#[test]
fn bad_usage() {
    for arguments in [
        &["replay", "--strategy", "martingale"][..],
        &["replay", "--market", "nyse"],
        &["replay", "--no-such-option"],
        &["synth", "calm", "--out", "x.ns", "--minutes", "0"],
        &["synth", "calm", "--out", "x.ns", "--symbols", "NOSUCHUSDT"],
        &["synth", "sunny", "--out", "x.ns"],
        &["nonsense"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = fusewire_in(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{arguments:?} wrote something"
        );
    }
}

#[test]
fn a_capture_that_can_not_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = fusewire_in(folder.path(), &["synth", "calm", "--out", "no/such/folder.ns"]);
    refused(&output, &["no/such/folder.ns"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_foreign_recording_holds_nothing_for_us() {
    let folder = tempfile::tempdir().unwrap();
    let line = "1700000000000000000 {\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\"}}\n";
    fs::write(folder.path().join("usdm_other.ns"), line).unwrap();
    refused(&replay(folder.path(), &["usdm_other.ns"]), &["nothing", "market message"]);
    let help = fusewire(&["replay", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--allow-broken"));
}

#[test]
fn what_stands_at_out_is_not_replaced_unasked() {
    let folder = capture("usdm_btcusdt.ns");
    let before = fs::read(folder.path().join("usdm_btcusdt.ns")).unwrap();
    let again = ["synth", "calm", "--seed", "9", "--minutes", "1", "--out", "usdm_btcusdt.ns"];
    refused(&fusewire_in(folder.path(), &again), &["usdm_btcusdt.ns: is there already", "--force"]);
    assert_eq!(fs::read(folder.path().join("usdm_btcusdt.ns")).unwrap(), before);
    let forced = [&again[..], &["--force"]].concat();
    assert_eq!(fusewire_in(folder.path(), &forced).status.code(), Some(0));
    assert_ne!(fs::read(folder.path().join("usdm_btcusdt.ns")).unwrap(), before);
    // What was made here can be made again, and nothing is lost with an empty file.
    assert_eq!(fusewire_in(folder.path(), &again).status.code(), Some(0));
    fs::write(folder.path().join("empty.ns"), "").unwrap();
    let empty = ["synth", "calm", "--minutes", "1", "--out", "empty.ns"];
    assert_eq!(fusewire_in(folder.path(), &empty).status.code(), Some(0));
    std::os::unix::fs::symlink("usdm_btcusdt.ns", folder.path().join("link.ns")).unwrap();
    for (out, why) in [
        ("link.ns", "not a regular file"),
        ("spot_btcusdt.ns", "another market"),
        ("usdm_btcusdt.us.gz", "says us"),
    ] {
        let output = fusewire_in(folder.path(), &["synth", "calm", "--force", "--out", out]);
        refused(&output, &[out, why]);
    }
}

/// A million bad lines must not become a million errors.
#[test]
fn damage_is_counted_and_listed_only_so_far() {
    let folder = capture("usdm_btcusdt.ns");
    let good = lines(folder.path());
    let mut text = good.join("\n") + "\n";
    text.push_str(&"hello\n".repeat(5_000));
    for number in 0..5_000 {
        text.push_str(&format!("1900000000000000000 {{\"stream\":\"s{number}@depth\",\"data\":\n"));
    }
    fs::write(folder.path().join("usdm_many.ns"), text).unwrap();
    let output = replay(folder.path(), &["usdm_many.ns"]);
    refused(&output, &["5000 unreadable lines and tails in all", "5000 malformed frames in all"]);
    assert!(String::from_utf8_lossy(&output.stderr).lines().count() < 50);
    let told = replay(folder.path(), &["usdm_many.ns", "--allow-broken", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&report["damaged"], &report["malformed"]), (&5_000.into(), &5_000.into()));
    assert!(report["stale_streams"].as_object().unwrap().len() <= 1_025);
    assert!(told.stdout.len() < 200_000 && told.stderr.len() < 10_000);
}

#[test]
fn a_bad_time_behind_good_lines_is_damage() {
    let folder = capture("usdm_btcusdt.ns");
    let mut lines = lines(folder.path());
    lines.insert(1_000, "0 {\"e\":1}".to_owned());
    fs::write(folder.path().join("usdm_time.ns"), lines.join("\n") + "\n").unwrap();
    refused(
        &replay(folder.path(), &["usdm_time.ns"]),
        &["usdm_time.ns: line 1001", "--allow-broken"],
    );
    let told = replay(folder.path(), &["usdm_time.ns", "--allow-broken", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((told.status.code(), &report["damaged"]), (Some(0), &1.into()));
}

#[test]
fn configured_symbols_that_are_not_there() {
    let folder = capture("usdm_btcusdt.ns");
    fs::write(folder.path().join("f.toml"), "[universe]\nsymbols = [\"BTCUDST\"]\n").unwrap();
    let output = replay(folder.path(), &["usdm_btcusdt.ns", "--config", "f.toml"]);
    refused(&output, &["unknown symbol", "BTCUDST"]);
}

/// A section that is there twice would be taken by half, and one of a symbol that is not there may be a slip.
#[test]
fn lives_that_contradict_each_other_are_refused() {
    let folder = capture("usdm_btcusdt.ns");
    let life = "[[universe.life]]\nkey = \"BTCUSDT\"\n";
    let file = folder.path().join("f.toml");
    fs::write(&file, format!("{life}{life}")).unwrap();
    let run = || replay(folder.path(), &["usdm_btcusdt.ns", "--config", "f.toml"]);
    refused(&run(), &["[[universe.life]] BTCUSDT: the symbol has a section already"]);
    fs::write(&file, life.replace("BTC", "BTX")).unwrap();
    let told = run();
    assert_eq!(told.status.code(), Some(0));
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert!(
        stderr.contains("[[universe.life]]: the capture does not hold this symbol"),
        "{stderr}"
    );
    assert!(stderr.contains("BTXUSDT"), "{stderr}");
}
