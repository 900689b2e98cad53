//! Decoding by message type, in frames a second: ours, and the JSON crates with and without reading
//! the numbers. Each set of frames is checked first: all sides read the same out of every frame.
//!
//! Fairness: the peers keep their memory from frame to frame where their interface allows it, borrow
//! text, and are told the type of the frame; simd-json's time includes the copy that it overwrites.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusewire_bench::decode::{Extent, Ours, check, peer};
use fusewire_bench::inputs::{FrameSet, Inputs};
use fusewire_bench::measure::{Subject, spend};
use fusewire_bench::peers::Json;

fn benches(criterion: &mut Criterion) {
    let inputs = Inputs::load();
    for note in &inputs.notes {
        announce(note);
    }
    for set in &inputs.sets {
        assert_eq!(check(set), Ok(()), "all sides read the same");
        let name = format!("decode {} ({})", set.kind.name(), set.label);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(set.frames.len() as u64));
        bench_set(&mut group, set);
        group.finish();
    }
}

fn bench_set(group: &mut BenchmarkGroup<'_, WallTime>, set: &FrameSet) {
    bench(group, "ours", &mut Ours::new(set));
    for json in Json::ALL {
        bench(group, json.name(), &mut *peer(set, json, Extent::Fixed));
        let name = format!("{}, text only", json.name());
        bench(group, &name, &mut *peer(set, json, Extent::Text));
    }
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, subject: &mut dyn Subject) {
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
