//! One hop from core to core, by what carries it. The bare cache line is what the hardware takes at this
//! moment; the others only mean something beside it. Without two cores nothing is measured.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fusewire_bench::hop::{Carrier, cores, hop_ns};

fn benches(criterion: &mut Criterion) {
    let cores = match cores() {
        Ok(cores) => cores,
        Err(why) => return announce(&why),
    };
    let mut group = criterion.benchmark_group("hop");
    for carrier in Carrier::ALL {
        group.bench_function(carrier.name(), |bencher| {
            // A game has its own number of trips; its mean stands for each of them.
            bencher.iter_custom(|hops| {
                Duration::from_secs_f64(hop_ns(carrier, cores) * hops as f64 / 1e9)
            });
        });
    }
    group.finish();
}

#[allow(clippy::print_stderr)] // A bench talks to its terminal.
fn announce(why: &str) {
    eprintln!("hops are skipped: {why}");
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(10);
    targets = benches
}
criterion_main!(all);
