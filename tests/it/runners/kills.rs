//! A kill level is raised from outside, at a moment that nobody chose: the run obeys it, and its journal comes
//! out again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fusewire::config::{Config, RunnerMode};
use fusewire::engine::{self, Run, Setup};
use fusewire::journal::header::Frames;
use fusewire::journal::writing::Request;
use fusewire::meter::Meter;
use fusewire::report::Report;
use fusewire::sources::Source;
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::Keep;
use fusewire_core::units::Nanos;
use fusewire_io::capture::OpenOptions;

use super::*;

/// Raises `level` when the gateway has handled so many events.
fn run_and_raise(capture: &Path, dir: &Path, config: &Config, level: Level, after: u64) -> Value {
    let options = OpenOptions { market: None, unit: None, limits: config.capture_limits() };
    let sources = Source::expand(&[capture.to_owned()]).unwrap();
    let plan = engine::prepare(sources, options, config, &mut |_| {}).unwrap();
    let universe = engine::universe::resolve(config, &[], &plan.scanned, &BTreeMap::new()).unwrap();
    let (names, strategies): (Vec<String>, Vec<_>) =
        config.strategies(&config.run.strategy).unwrap().into_iter().unzip();
    let kill = KillSwitch::new();
    let setup = Setup {
        tradable: engine::universe::tradable(config, &universe).unwrap(),
        universe,
        strategies,
        controls: Vec::new(),
        keep: Keep::Digest,
        kill: kill.clone(),
        journal: Some(Request { dir: dir.to_owned(), frames: Frames::Reference, resume: false }),
        allow_broken: false,
    };
    let over = Arc::new(AtomicBool::new(false));
    let run: Run = std::thread::scope(|scope| {
        let raiser = Arc::clone(&over);
        scope.spawn(move || {
            while done(dir) < after && !raiser.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            kill.raise(level);
        });
        let run = engine::run(&plan, setup, config, Box::new(|_| {}));
        over.store(true, Ordering::Relaxed);
        run.unwrap()
    });
    let meter = Meter::new(config, Nanos(Nanos::SECOND));
    let run = (&run, &meter);
    let report = Report::new(&names, config, (plan.scanned.manifest, None), run, Duration::ZERO);
    serde_json::from_str(&report.to_json().unwrap()).unwrap()
}

fn config_of(folder: &Path, grouping: &str, messages: u32) -> Config {
    let mut config = Config::load(Some(&threads(folder, grouping, messages, ""))).unwrap();
    config.runner.mode = RunnerMode::Pinned;
    config.runner.pace = "100x".to_owned();
    config
}

/// Rows of a lane behind the event at which the level was told.
fn orders_behind(dir: &Path, level: Level) -> Vec<Value> {
    let rows = |more: &[&str]| -> Vec<Value> {
        let text = crate::journal::text("cat", dir, &[&["--json"], more].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let told = rows(&["--kind", "killlevel"]);
    assert_eq!(told.len(), 1, "the level is told once: {told:?}");
    assert_eq!(told[0]["kill_level"], level as u8);
    let seq = number(&told[0], "seq");
    let sent = rows(&["--stage", "gateway"]);
    sent.into_iter().filter(|row| row["seq"].as_u64().is_some_and(|other| other > seq)).collect()
}

fn is_flat(report: &Value) -> bool {
    let positions = report["positions"].as_object().unwrap();
    positions.values().all(|position| position["qty"] == "0")
}

/// Moments of the run, in events of the first half.
const MOMENTS: [u64; 4] = [700, 2_311, 4_093, 7_777];

fn at_any_moment(level: Level, check: impl Fn(&Value, &[Value])) {
    let folder = tempfile::tempdir().unwrap();
    let capture = synth(folder.path(), "burst", "1");
    for (index, after) in MOMENTS.into_iter().enumerate() {
        let (grouping, messages) = (GROUPINGS[index], RINGS[index % 2]);
        let config = config_of(folder.path(), grouping, messages);
        let dir = folder.path().join(format!("j{index}"));
        let report = run_and_raise(&capture, &dir, &config, level, after);
        assert_eq!(document("verify", &dir, &[])["same"], true, "{grouping} at {after}");
        assert_eq!(report["kill_level"], level as u8);
        check(&report, &orders_behind(&dir, level));
    }
}

#[test]
fn level_1_refuses_new_risk_and_nothing_else() {
    at_any_moment(Level::NoNewRisk, |report, behind| {
        let left = |row: &&Value| row["class"] == "new" && row["outcome"] == "sent";
        assert_eq!(behind.iter().find(left), None);
        assert!(number(report, "orders") > 0);
    });
}

#[test]
fn level_2_ends_flat_with_nothing_open() {
    at_any_moment(Level::Halt, |report, _| {
        assert_eq!(report["open_orders"], 0, "{report}");
        assert!(is_flat(report), "{}", report["positions"]);
    });
}

#[test]
fn level_3_ends_with_nothing_open_and_nothing_sent_after() {
    at_any_moment(Level::Dead, |report, behind| {
        assert_eq!(report["open_orders"], 0, "{report}");
        assert_eq!(behind.iter().find(|row| row["outcome"] == "sent"), None);
    });
}
