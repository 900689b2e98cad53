//! One record on its way to disk, beside `write(2)` of the same bytes. Checked first: both put as many bytes
//! on disk, and a reader finds ours.
//!
//! Fairness: the peer's bytes are laid out beforehand, without checksum and stamp in the time; neither side
//! waits for the medium; our next segment is made by the helper thread meanwhile, as in a run.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusewire_bench::journal::{Extent, OurStage, Ours, PAYLOAD_BYTES, WritePeer, check};
use fusewire_bench::measure::{Subject, spend};

fn benches(criterion: &mut Criterion) {
    assert_eq!(check(), Ok(()), "both sides write the same");
    let mut group = criterion.benchmark_group(format!("journal append {PAYLOAD_BYTES} B"));
    for (name, extent) in [("append", Extent::Append), ("ready, append and done", Extent::Whole)] {
        let ours = Ours::new(extent);
        let mut ours = ours.unwrap_or_else(|error| panic!("{error}"));
        bench(&mut group, name, &mut ours);
    }
    let mut peer = WritePeer::new().unwrap_or_else(|error| panic!("{error}"));
    bench(&mut group, "write(2)", &mut peer);
    group.finish();
    // Not beside the peer: it encodes and hashes too, in the time.
    let mut group = criterion.benchmark_group("journal, an event of a stage");
    let mut stage = OurStage::new().unwrap_or_else(|error| panic!("{error}"));
    bench(&mut group, "all", &mut stage);
    group.finish();
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, subject: &mut dyn Subject) {
    group.throughput(Throughput::Elements(subject.units()));
    group.bench_function(name, |bencher| bencher.iter_custom(|passes| spend(subject, passes)));
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20);
    targets = benches
}
criterion_main!(all);
