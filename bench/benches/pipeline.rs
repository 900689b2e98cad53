//! From frames in memory to orders, in growing pieces: decoding alone, sequencer and books, the floor, and the
//! whole inline pipeline with its journal, with strategies of rising business. The difference to `noop` is
//! what deciding and trading costs.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusewire_bench::floor::Floor;
use fusewire_bench::head::Head;
use fusewire_bench::measure::{Subject, spend};
use fusewire_bench::pipeline::{Course, Decoding, Whole};
use fusewire_bench::tape::{Recordings, Tape};

/// Frames of a pass of the head.
const HEAD_FRAMES: usize = 20_000;

fn benches(criterion: &mut Criterion) {
    over(criterion, &Recordings::sample());
    match Recordings::real() {
        Ok(real) => over(criterion, &real),
        Err(why) => announce(&why),
    }
}

fn over(criterion: &mut Criterion, recordings: &Recordings) {
    let tape = Tape::load(recordings).unwrap_or_else(|error| panic!("{error}"));
    let mut group = criterion.benchmark_group(format!("frames in memory ({})", recordings.label));
    bench(&mut group, "decoding alone", &mut Decoding::new(&tape));
    bench(&mut group, "sequencer and books", &mut Head::new(&tape, HEAD_FRAMES));
    let floor = Floor::new();
    let mut floor = floor.unwrap_or_else(|error| panic!("{error}"));
    bench(&mut group, "floor", &mut floor.over(&tape));
    for names in ["noop", "quoter", "quoter,taker"] {
        let course = Course::new(recordings, names).unwrap_or_else(|error| panic!("{error}"));
        bench(&mut group, names, &mut Whole::new(&course, &tape));
    }
    group.finish();
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, subject: &mut dyn Subject) {
    group.throughput(Throughput::Elements(subject.units()));
    group.bench_function(name, |bencher| bencher.iter_custom(|passes| spend(subject, passes)));
}

#[allow(clippy::print_stderr)] // A bench talks to its terminal.
fn announce(why: &str) {
    eprintln!("!!!! NO REAL INPUT: {why}; only the sample is measured !!!!");
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(10);
    targets = benches
}
criterion_main!(all);
