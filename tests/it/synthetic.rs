//! Synthetic captures through the whole program.

use std::fs;

use fusewire_core::instrument::{Market, common};
use fusewire_core::market::Kind;
use fusewire_io::synth::{Options, Scenario, Synth};
use fusewire_tests::{json, say_loudly};

/// The book that the program ends with is the generator's own.
#[test]
fn the_program_ends_at_the_generators_book() {
    for scenario in Scenario::ALL {
        let instruments = ["BTCUSDT", "XRPUSDT"].map(|s| common(Market::UsdM, s).unwrap()).to_vec();
        let options = Options { scenario, seed: 5, minutes: 1, instruments, ..Options::default() };
        let mut synth = Synth::new(&options).unwrap();
        let mut text = Vec::new();
        while synth.next_line(&mut text) {}
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usdm_two.ns");
        fs::write(&path, text).unwrap();
        let report = json(&["replay", "--json", path.to_str().unwrap()]);
        for (index, key) in ["BTCUSDT", "XRPUSDT"].into_iter().enumerate() {
            let (truth, book) = (synth.truth(index), &report["books"][key]);
            assert_eq!(book["bid"], truth.bid.price.to_string(), "{scenario} {key}");
            assert_eq!(book["bid_qty"], truth.bid.qty.to_string(), "{scenario} {key}");
            assert_eq!(book["ask"], truth.ask.price.to_string(), "{scenario} {key}");
            assert_eq!(book["ask_qty"], truth.ask.qty.to_string(), "{scenario} {key}");
            assert_eq!(book["levels"], (truth.bid_levels + truth.ask_levels) as u64);
            assert_eq!((&book["gaps"], &book["crossed"]), (&0.into(), &0.into()));
            let messages = &report["manifest"]["symbols"][key]["messages"];
            for kind in Kind::ALL {
                let count = messages[kind.name()].as_u64().unwrap_or(0);
                assert_eq!(count, truth.frames[kind as usize], "{scenario} {key} {}", kind.name());
            }
        }
    }
}

#[test]
fn the_same_options_give_the_same_bytes_in_every_compression() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: &str| {
        let path = folder.path().join(name);
        json(&[
            "synth",
            "calm",
            "--minutes",
            "1",
            "--seed",
            seed,
            "--json",
            "--out",
            path.to_str().unwrap(),
        ]);
        path
    };
    let [a, b, other] =
        [("a.ns", "1"), ("b.ns", "1"), ("c.ns", "2")].map(|(n, s)| fs::read(write(n, s)).unwrap());
    assert!(a == b && a != other);
    let books = |name: &str| {
        let path = write(name, "1");
        json(&["replay", "--json", path.to_str().unwrap()])["books"].clone()
    };
    let plain = books("d.ns");
    assert_eq!(books("e.ns.gz"), plain);
    assert_eq!(books("f.ns.zst"), plain);
}

/// S0-20 of the scenario list: memory does not grow with the capture.
#[test]
fn memory_does_not_grow_with_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let peak = |minutes: &str| {
        let path = folder.path().join(format!("usdm_{minutes}.ns.gz"));
        json(&["synth", "calm", "--minutes", minutes, "--json", "--out", path.to_str().unwrap()]);
        let report = json(&["replay", "--json", path.to_str().unwrap()]);
        (report["memory_peak_bytes"].as_u64(), report["frames"].as_u64().unwrap())
    };
    let ((Some(short), few), (Some(long), many)) = (peak("2"), peak("20")) else {
        say_loudly(
            "SKIPPED memory_does_not_grow_with_the_capture: the system does not tell peak memory",
        );
        return;
    };
    assert!(many > 9 * few, "{few} and {many} frames");
    // Tables of fixed size, of finished orders above all, are touched as they fill; a capture that was
    // kept would take ten times as much.
    let tables = 4 << 20;
    assert!(
        long < short + short / 10 + tables,
        "{short} bytes for {few} frames, {long} for {many}"
    );
}
