//! What happens to an order on its way out: all checks of the risk stage, and the bytes of its request. The
//! encoder is checked first: both sides write the same bytes.
//!
//! Fairness: the peer borrows its texts and serialises into a reused buffer.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusewire_bench::desk::Checks;
use fusewire_bench::measure::{Subject, spend};
use fusewire_bench::order::{Encoding, SerdePeer, approved, check};

fn benches(criterion: &mut Criterion) {
    let orders = approved();
    assert_eq!(check(&orders), Ok(()), "both sides write the same");
    let mut group = criterion.benchmark_group("order checks");
    bench(&mut group, "all of a new order", &mut Checks::new());
    group.finish();
    let mut group = criterion.benchmark_group("order encode");
    bench(&mut group, "ours", &mut Encoding::new(&orders));
    bench(&mut group, "serde_json", &mut SerdePeer::new(&orders));
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
