//! Truncation replay as a check of the guard: the same run with its future cut off gives the same past, and a strategy
//! that was tuned with all of a capture is stamped (X20).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fusewire::config::Config;
use fusewire::credibility::truncation::{self, Trace};
use fusewire::credibility::{Facts, Past, judge};
use fusewire::engine::{self, Plan, Setup};
use fusewire::sources::Source;
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::units::Nanos;
use fusewire_io::capture::OpenOptions;
use fusewire_tests::{fusewire, json, shared};
use serde_json::Value;

fn check(arguments: &[&str]) -> Value {
    json(&[&["replay", "--json", "--check-past"], arguments].concat())
}

fn assert_looked_back(report: &Value, cuts: u32) {
    let check = &report["credibility"]["checks"]["look-ahead"];
    let note = format!("the same past with the future cut off at {cuts} places");
    assert_eq!((&check["outcome"], &check["note"]), (&"passed".into(), &note.into()));
}

/// The run itself is the same with the check as without, and a kill level that is raised behind a cut is no difference.
#[test]
fn x20_the_sample_does_not_look_ahead() {
    let report = check(&["--strategy", "quoter,taker,grid", "--raise", "2@90"]);
    assert_looked_back(&report, 3);
    let plain = json(&["replay", "--json", "--strategy", "quoter,taker,grid", "--raise", "2@90"]);
    assert_eq!(report["digest"], plain["digest"]);
    let text = fusewire(&["replay", "--check-past=1"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.starts_with("credible 9 checks passed") && text.contains("0 could not be made\n"),
        "{text}"
    );
}

#[test]
fn x20_real_captures_do_not_look_ahead() {
    let Some(shared) = shared("x20_real_captures_do_not_look_ahead") else { return };
    let file = |name: &str| shared.join("captures/ws_raw/2023-04-05").join(name);
    let (before, after) =
        (file("usdm_btcusdt_20230404.us.gz"), file("usdm_btcusdt_20230405.us.gz"));
    let both = [before.to_str().unwrap(), after.to_str().unwrap()];
    assert_looked_back(&check(&[&["--strategy", "quoter,taker"], &both[..]].concat()), 3);
}

#[test]
fn a_check_that_can_not_be_made_is_refused() {
    for (arguments, fault) in [
        (["--check-past=0", "--json"], "not in 1 to 100"),
        (["--check-past=101", "--json"], "not in 1 to 100"),
        (["--check-past", "--runner=pinned"], "use --runner inline"),
    ] {
        let output = fusewire(&["replay", arguments[0], arguments[1]]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(fault), "{stderr}");
    }
}

/// One capture, and its lines by receive time.
struct Capture {
    plan: Plan,
    lines: Vec<(Nanos, String)>,
}

impl Capture {
    fn synthetic(folder: &Path) -> Self {
        let path = folder.join("usdm_btcusdt.ns");
        json(&["synth", "burst", "--minutes", "1", "--json", "--out", path.to_str().unwrap()]);
        let config = Config::default();
        let options = OpenOptions { market: None, unit: None, limits: config.capture_limits() };
        let sources = Source::expand(std::slice::from_ref(&path)).unwrap();
        let plan = engine::prepare(sources, options, &config, &mut |_| {}).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| {
            let (received, frame) = line.split_once(' ').unwrap();
            (Nanos(received.parse().unwrap()), frame.to_owned())
        });
        Self { lines: lines.collect(), plan }
    }

    fn span(&self) -> (Nanos, Nanos) {
        (self.plan.scanned.manifest.first_recv, self.plan.scanned.manifest.last_recv)
    }

    /// The run over what was received up to a time.
    fn run(&mut self, config: &Config, until: Option<Nanos>) -> Trace {
        self.plan.until = until;
        let universe = engine::universe::resolve(config, &[], &self.plan.scanned, &BTreeMap::new());
        let universe = universe.unwrap();
        let strategies = config.strategies("quoter").unwrap().into_iter().map(|(_, one)| one);
        let setup = Setup {
            tradable: universe.iter().map(|(id, _)| id).collect(),
            universe,
            strategies: strategies.collect(),
            controls: Vec::new(),
            keep: Keep::Prefixes,
            kill: KillSwitch::new(),
            journal: None,
            allow_broken: false,
        };
        let run = engine::run(&self.plan, setup, config, Box::new(|_| {})).unwrap();
        assert!(until.is_some() || run.risk.portfolio().executions() > 0, "the whole run trades");
        let frames = run.feed.lane().records();
        let up_to = self.lines.iter().filter(|(at, _)| until.is_none_or(|until| *at <= until));
        assert_eq!(frames, up_to.count() as u64, "every frame up to the cut, and none behind it");
        Trace::of(&run).unwrap()
    }

    /// Trades in what was received up to a time.
    fn trades(&self, until: Nanos) -> usize {
        let trades =
            self.lines.iter().filter(|(at, line)| *at <= until && line.contains("@aggTrade"));
        trades.count()
    }

    fn look_back(&mut self, config: &mut dyn FnMut(&Self, Nanos) -> Config) -> Past {
        let (first, last) = self.span();
        let whole = config(self, last);
        let whole = self.run(&whole, None);
        let cuts = truncation::places((first, last), 42, 5);
        let mut run = |cut| {
            let config = config(self, cut);
            Ok(self.run(&config, Some(cut)))
        };
        truncation::check(&whole, &cuts, &mut run).unwrap()
    }
}

/// A quoter whose spread is set by how busy the capture is, counted over all of it: it knows at its start what comes.
#[test]
fn x20_a_strategy_tuned_with_the_whole_capture_is_stamped() {
    let folder = tempfile::tempdir().unwrap();
    let mut capture = Capture::synthetic(folder.path());
    let honest = capture.look_back(&mut |_, _| Config::default());
    assert_eq!((honest.cuts, &honest.difference), (5, &None));
    let tuned = capture.look_back(&mut |capture, until| {
        let spread = format!("[quoter]\nhalf_spread_bp = \"1.{:04}\"\n", capture.trades(until));
        let path = folder.path().join("tuned.toml");
        fs::write(&path, spread).unwrap();
        Config::load(Some(&path)).unwrap()
    });
    let difference = tuned.difference.clone().unwrap();
    assert!(difference.contains("alpha from record "), "{difference}");
    let facts = Facts { past: Some(tuned), ..Facts::default() };
    let verdict = judge(&facts, &Config::default().credibility);
    let stamps: Vec<String> = verdict.stamps().collect();
    let stamp = format!("NOT CREDIBLE: the past depends on the future: {difference} (look-ahead)");
    assert_eq!(stamps, [stamp]);
}
