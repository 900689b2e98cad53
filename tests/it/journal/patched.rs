//! What a journal answers when something else is run than what was recorded: a patched strategy, another
//! configuration, another capture.

use std::collections::BTreeMap;

use fusewire::config::Config;
use fusewire::engine::{self, Setup};
use fusewire::journal::header::Frames;
use fusewire::journal::writing::Request;
use fusewire::sources::Source;
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_io::capture::OpenOptions;

use super::*;

/// Twice the half spread of the quoter: another price at its first quote.
const WIDER: &str = "[quoter]\nhalf_spread_bp = \"2\"\n[run]\nstrategy = \"quoter,taker\"\n";

/// Records a run whose strategies are built from one configuration and whose header holds another.
fn record_patched(capture: &Path, dir: &Path, recorded: &Config, run: &Config) {
    let options = OpenOptions { market: None, unit: None, limits: recorded.capture_limits() };
    let sources = Source::expand(&[capture.to_owned()]).unwrap();
    let plan = engine::prepare(sources, options, recorded, &mut |_| {}).unwrap();
    let universe = engine::universe::resolve(recorded, &[], &plan.scanned, &BTreeMap::new());
    let universe = universe.unwrap();
    let strategies = run.strategies(&run.run.strategy).unwrap();
    let setup = Setup {
        tradable: engine::universe::tradable(recorded, &universe).unwrap(),
        universe,
        strategies: strategies.into_iter().map(|(_, strategy)| strategy).collect(),
        controls: Vec::new(),
        keep: Keep::Digest,
        kill: KillSwitch::new(),
        journal: Some(Request { dir: dir.to_owned(), frames: Frames::Reference, resume: false }),
        allow_broken: false,
    };
    engine::run(&plan, setup, recorded, Box::new(|_| {})).unwrap();
}

/// The intents of a journal without what was measured.
fn intents(dir: &Path) -> Vec<Value> {
    let mut rows = rows(&text("cat", dir, &["--json", "--stage", "alpha", "--kind", "intent"]));
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("stamp_ns");
    }
    rows
}

/// The first event at which the intents of two runs differ.
fn first_difference(one: &[Value], other: &[Value]) -> (u64, Value, Value) {
    let (one, other) = one.iter().zip(other).find(|(one, other)| one != other).unwrap();
    (number(one, "seq"), one.clone(), other.clone())
}

/// Exit 1 with one divergence, as JSON and in words.
fn diverges(dir: &Path, more: &[&str]) -> (Value, String) {
    let (stdout, _) = said(&on("verify", dir, &[&["--json"], more].concat()), 1);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["same"], false);
    let (shown, _) = said(&on("verify", dir, more), 1);
    assert!(shown.contains("DIVERGES"), "{shown}");
    for line in found["first_divergence"]["text"].as_array().unwrap() {
        assert!(shown.contains(line.as_str().unwrap()), "{line} is not in {shown}");
    }
    (found, shown)
}

#[test]
fn a_patched_strategy_shows_at_its_first_other_intent() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let wider = config(folder.path(), "wider.toml", WIDER);
    let (plain, patched) = (folder.path().join("plain"), folder.path().join("patched"));
    record(&capture, &plain, &BOTH);
    let mut recorded = Config::default();
    recorded.run.strategy = "quoter,taker".to_owned();
    record_patched(&capture, &patched, &recorded, &Config::load(Some(&wider)).unwrap());

    let (seq, honest, other) = first_difference(&intents(&plain), &intents(&patched));
    for more in [&[][..], &["--decisions-only"]] {
        let (found, shown) = diverges(&patched, more);
        let first = &found["first_divergence"];
        assert_eq!((&first["lane"], &first["seq"]), (&"alpha".into(), &seq.into()), "{first}");
        let lines = first["text"].as_array().unwrap();
        assert!(lines[1].as_str().unwrap().contains(word(&other, "price")), "{shown}");
        assert!(lines[2].as_str().unwrap().contains(word(&honest, "price")), "{shown}");
        assert!(shown.contains("recorded by 0.") && shown.contains("verified by 0."), "{shown}");
        assert!(!shown.contains("config:"), "nothing says that the configuration is another");
    }
    let (parted, _) = said(&on("diff", &plain, &[arg(&patched)]), 1);
    assert!(parted.contains(&format!(" {seq} alpha")), "{parted}");
    // Under the configuration that really ran, everything comes out.
    let (shown, _) = said(&on("verify", &patched, &["--config", arg(&wider)]), 0);
    assert!(shown.contains("config: quoter.half_spread_bp: 1 | 2\n"), "{shown}");
}

#[test]
fn another_configuration_is_named_with_the_first_decision_that_it_changes() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let dir = folder.path().join("j");
    record(&capture, &dir, &BOTH);
    let strategies = "[run]\nstrategy = \"quoter,taker\"\n";
    for (name, text, key, lane) in [
        ("a", "[quoter]\nhalf_spread_bp = \"2\"\n", "quoter.half_spread_bp: 1 | 2", "alpha"),
        ("b", "[limits_default]\nrate_amend = 1\n", "limits_default.rate_amend: 300 | 1", "risk"),
        ("c", "[latency]\norder_us = 6000\n", "latency.order_us: 5000 | 6000", "event"),
        ("d", "[clock]\ntick_ms = 200\n", "clock.tick_ms: 100 | 200", "event"),
    ] {
        let changed = config(folder.path(), name, &format!("{strategies}{text}"));
        let (found, shown) = diverges(&dir, &["--config", arg(&changed)]);
        assert!(shown.contains(&format!("config: {key}\n")), "{shown}");
        assert_eq!(found["config"].as_array().unwrap().len(), 1, "{found}");
        let first = &found["first_divergence"];
        assert_eq!(first["lane"], lane, "{name}: {first}");
        assert!(first["seq"].as_u64().is_some_and(|seq| seq > 0), "{first}");
        assert!(shown.contains(&format!("lane {lane}, event {}: ", first["seq"])), "{shown}");
    }
    // Other strategies, another seed: named like any other key.
    let taker = config(folder.path(), "t", "[run]\nstrategy = \"taker\"\nseed = 43\n");
    let (_, shown) = diverges(&dir, &["--config", arg(&taker)]);
    assert!(shown.contains("config: run.seed: 42 | 43\n"), "{shown}");
    assert!(shown.contains("config: run.strategy: quoter,taker | taker\n"), "{shown}");
}

#[test]
fn a_changed_key_that_changes_nothing_is_said_to_change_nothing() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let dir = folder.path().join("j");
    record(&capture, &dir, &BOTH);
    let strategies = "[run]\nstrategy = \"quoter,taker\"\n";
    for (name, change, key) in [
        ("a", "[limits_default]\nrate_query = 119\n", "limits_default.rate_query: 120 | 119"),
        ("b", "[journal]\nsegment_mb = 9\n", "journal.segment_mb: 8 | 9 (decides nothing)"),
    ] {
        let changed = config(folder.path(), name, &format!("{strategies}{change}"));
        for more in [&[][..], &["--decisions-only"]] {
            let options = [&["--config", arg(&changed)], more].concat();
            let shown = text("verify", &dir, &options);
            assert!(shown.contains(&format!("config: {key}\n")), "{shown}");
            assert!(shown.contains("no decision changes: the same, byte for byte"), "{shown}");
        }
    }
    let same = config(folder.path(), "same", strategies);
    let shown = text("verify", &dir, &["--config", arg(&same)]);
    assert!(!shown.contains("config:") && !shown.contains("no decision changes"), "{shown}");
}

#[test]
fn a_configuration_that_can_not_be_read_is_a_line() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let dir = folder.path().join("j");
    record(&capture, &dir, &[]);
    let absent = folder.path().join("absent.toml");
    refused(&on("verify", &dir, &["--config", arg(&absent)]), &["absent.toml"]);
    let wrong = config(folder.path(), "wrong.toml", "[quoter]\nhalf_spread = \"2\"\n");
    refused(&on("verify", &dir, &["--config", arg(&wrong)]), &["quoter.half_spread"]);
}

/// A journal refers to its capture: without it only decisions can be verified, and another one is found.
#[test]
fn a_capture_that_is_gone_or_changed_is_named() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "1");
    let dir = folder.path().join("j");
    record(&capture, &dir, &BOTH);
    let good = fs::read_to_string(&capture).unwrap();
    let at = good.len() / 2 + good[good.len() / 2..].find("\"q\":\"").unwrap() + 5;
    let digit = if &good[at..=at] == "7" { "8" } else { "7" };
    fs::write(&capture, [&good[..at], digit, &good[at + 1..]].concat()).unwrap();
    let output = on("verify", &dir, &[]);
    let said_all = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!([Some(1), Some(2)].contains(&output.status.code()), "{said_all}");
    let named = ["usdm_burst1.ns", "lane event, event ", "lane feed: "];
    assert!(named.iter().any(|part| said_all.contains(part)), "{said_all}");
    fs::remove_file(&capture).unwrap();
    refused(&on("verify", &dir, &[]), &["usdm_burst1.ns"]);
    assert!(text("verify", &dir, &["--decisions-only"]).contains("the same, byte for byte"));
    for verb in ["ls", "stat", "cat", "tail"] {
        assert!(!text(verb, &dir, &[]).is_empty());
    }
}
