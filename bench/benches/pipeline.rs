//! The whole inline pipeline over a synthetic capture on disk: from lines of a file to fills and digests,
//! with strategies of rising business. The difference to `noop` is what deciding and trading costs.

use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fusewire::config::Config;
use fusewire::engine::{self, Plan, Setup};
use fusewire::sources::Source;
use fusewire_core::instrument::Universe;
use fusewire_core::lane::Keep;
use fusewire_io::capture::OpenOptions;
use fusewire_io::synth::{Options, Scenario, Synth};

fn benches(criterion: &mut Criterion) {
    let config = Config::default();
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let path = folder.path().join("usdm_btcusdt.ns");
    let frames = write_capture(&path);
    let sources = Source::expand(std::slice::from_ref(&path)).expect("the capture was written");
    let options = OpenOptions { market: None, unit: None, limits: config.capture_limits() };
    let plan = engine::prepare(sources, options, &config, &mut |_| {})
        .unwrap_or_else(|failure| panic!("{:?}", failure.0));
    let given = std::collections::BTreeMap::new();
    let universe = engine::universe::resolve(&config, &[], &plan.scanned, &given)
        .unwrap_or_else(|failure| panic!("{:?}", failure.0));
    let mut group = criterion.benchmark_group("pipeline, frames from a file");
    group.throughput(Throughput::Elements(frames));
    for names in ["noop", "quoter", "quoter,taker"] {
        group.bench_function(names, |bencher| {
            bencher.iter(|| run(&plan, &universe, &config, names));
        });
    }
    group.finish();
}

fn write_capture(path: &std::path::Path) -> u64 {
    let options = Options { scenario: Scenario::Burst, minutes: 1, ..Options::default() };
    let mut synth = Synth::new(&options).expect("the options are constants");
    let (mut text, mut frames) = (Vec::new(), 0);
    while synth.next_line(&mut text) {
        frames += 1;
    }
    let mut file = std::fs::File::create(path).expect("the scratch folder takes files");
    file.write_all(&text).expect("the scratch folder has room");
    frames
}

fn run(plan: &Plan, universe: &Universe, config: &Config, names: &str) -> String {
    let strategies = config.strategies(names).expect("the names are constants");
    let tradable = engine::universe::tradable(config, universe);
    let setup = Setup {
        universe: universe.clone(),
        tradable: tradable.unwrap_or_else(|failure| panic!("{:?}", failure.0)),
        strategies: strategies.into_iter().map(|(_, strategy)| strategy).collect(),
        controls: Vec::new(),
        keep: Keep::Digest,
        journal: None,
        allow_broken: false,
    };
    let run = engine::run(plan, setup, config, Box::new(|_| {}));
    run.unwrap_or_else(|failure| panic!("{:?}", failure.0)).digest().to_string()
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(10);
    targets = benches
}
criterion_main!(all);
