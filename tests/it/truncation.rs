//! A shorter capture gives a prefix of the longer run: nothing looks ahead, nothing is drained.

use std::fs;
use std::path::Path;

use fusewire::config::Config;
use fusewire::engine::{self, Run, Setup};
use fusewire::sources::Source;
use fusewire_core::lane::Keep;
use fusewire_io::capture::OpenOptions;
use fusewire_tests::{json, shared};

/// The run over one capture, with all prefixes of its lanes.
fn run(capture: &Path, config: &Config) -> Run {
    let options = OpenOptions { market: None, unit: None, limits: config.capture_limits() };
    let sources = Source::expand(&[capture.to_owned()]).unwrap();
    let plan = engine::prepare(sources, options, config, &mut |_| {}).unwrap();
    let universe =
        engine::universe::resolve(config, &[], &plan.scanned, &std::collections::BTreeMap::new());
    let universe = universe.unwrap();
    let strategies = config.strategies(&config.run.strategy).unwrap();
    let strategies = strategies.into_iter().map(|(_, strategy)| strategy).collect();
    let tradable = universe.iter().map(|(id, _)| id).collect();
    let setup = Setup {
        universe,
        tradable,
        strategies,
        controls: Vec::new(),
        keep: Keep::Prefixes,
        kill: fusewire_core::kill::KillSwitch::new(),
        journal: None,
        allow_broken: false,
    };
    engine::run(&plan, setup, config, Box::new(|_| {})).unwrap()
}

/// A fixed sequence of cuts: 20 places that no structure of the capture favours.
fn cuts(lines: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (lines as u64 - 1)).unwrap() + 1
    })
    .take(20)
}

/// Both strategies that trade by the book, with a warm-up.
fn config(warm_up_s: u32) -> Config {
    let mut config = Config::default();
    "quoter,taker".clone_into(&mut config.run.strategy);
    config.run.warm_up_s = warm_up_s;
    config
}

/// Runs a capture cut at many places: each is the beginning of the whole run, byte for byte.
pub(crate) fn assert_cuts_are_prefixes(text: &str, unit: &str, config: &Config) {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let path = |name: &str| folder.path().join(format!("usdm_btcusdt_{name}.{unit}"));
    fs::write(path("whole"), text).unwrap();
    let whole = run(&path("whole"), config);
    assert!(whole.risk.portfolio().executions() > 0, "the whole run trades");
    for cut in cuts(lines.len()) {
        fs::write(path("cut"), lines[..cut].concat()).unwrap();
        let short = run(&path("cut"), config);
        for ((lane, whole), (_, short)) in whole.lanes().into_iter().zip(short.lanes()) {
            let (whole, short) = (whole.prefixes().unwrap(), short.prefixes().unwrap());
            assert!(short.len() <= whole.len(), "{} cut at line {cut}", lane.name());
            assert_eq!(&whole[..short.len()], short, "{} cut at line {cut}", lane.name());
        }
        assert_eq!(short.feed.lane().records(), cut as u64, "every frame before the cut is taken");
    }
}

#[test]
fn a_synthetic_capture_cut_anywhere_gives_a_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usdm_btcusdt.ns");
    json(&["synth", "burst", "--minutes", "1", "--json", "--out", path.to_str().unwrap()]);
    // X20: also where strategies only see for the first half.
    for warm_up_s in [0, 30] {
        assert_cuts_are_prefixes(&fs::read_to_string(&path).unwrap(), "ns", &config(warm_up_s));
    }
}

#[test]
fn a_real_capture_cut_anywhere_gives_a_prefix() {
    let Some(shared) = shared("a_real_capture_cut_anywhere_gives_a_prefix") else { return };
    let path = shared.join("captures/ws_raw/2023-04-05/usdm_btcusdt_20230404.us.gz");
    let mut text = String::new();
    let file = fs::File::open(path).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).unwrap();
    assert_cuts_are_prefixes(&text, "us", &config(0));
}
