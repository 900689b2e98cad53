//! Order books by level, and depth frames from bytes to touch: ours and peers. Each stream is checked
//! first: all sides have the same touch after every diff.
//!
//! Fairness: levels are given as numbers of each side's own type; ours also checks update ids and
//! crossing; the vector depth of hftbacktest holds a range of interest only.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusewire_bench::book::{MapPeer, Ours, OursFromBytes, SimdMapPeer, check};
use fusewire_bench::inputs::{DepthStream, Inputs};
use fusewire_bench::measure::{Subject, spend};

fn benches(criterion: &mut Criterion) {
    let inputs = Inputs::load();
    for note in &inputs.notes {
        announce(note);
    }
    for stream in &inputs.streams {
        assert_eq!(check(stream), Ok(()), "all sides hold the same book");
        bench_levels(criterion, stream);
        let mut group = criterion.benchmark_group(format!("bytes to touch ({})", stream.label));
        bench(&mut group, "ours", &mut OursFromBytes::new(stream));
        bench(&mut group, "simd-json + BTreeMap", &mut SimdMapPeer::new(stream));
        group.finish();
    }
}

fn bench_levels(criterion: &mut Criterion, stream: &DepthStream) {
    let mut group = criterion.benchmark_group(format!("book level ({})", stream.label));
    bench(&mut group, "ours", &mut Ours::new(stream));
    bench(&mut group, "BTreeMap", &mut MapPeer::new(stream));
    #[cfg(feature = "peers")]
    for depth in fusewire_bench::book::Depth::ALL {
        let mut peer = fusewire_bench::book::hft_peer(stream, depth);
        bench(&mut group, depth.name(), &mut *peer);
    }
    group.finish();
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, subject: &mut dyn Subject) {
    group.throughput(Throughput::Elements(subject.units()));
    group.bench_function(name, |bencher| bencher.iter_custom(|passes| spend(subject, passes)));
}

#[allow(clippy::print_stderr)] // A bench talks to its terminal.
fn announce(note: &str) {
    eprintln!("input: {note}");
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20);
    targets = benches
}
criterion_main!(all);
