//! What measuring and waiting cost, and how the cost of a frame grows with symbols and strategies, as Markdown
//! tables.
//! Nothing is judged here: `gates` does that.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use fusewire::clock::now_ns;
use fusewire::latency::Latency;
use fusewire_bench::floor::Floor;
use fusewire_bench::growth::{FRAMES, frame_ns};
use fusewire_bench::pipeline::Course;
use fusewire_bench::spread::{Spread, clock_pair_ns};
use fusewire_bench::tape::{Recordings, Tape};
use fusewire_core::latency::{Latencies, Span};
use hdrhistogram::Histogram;

/// Numbers of symbols.
const SYMBOLS: [usize; 4] = [1, 10, 100, 400];
/// Numbers of strategies.
const STRATEGIES: [usize; 5] = [1, 2, 5, 10, 20];
/// Pauses before a frame, in us: up to what lies between two frames of a busy symbol in recorded time.
const PAUSES_US: [u64; 6] = [0, 10, 50, 200, 1_000, 5_000];
/// Calls in a measurement of one call.
const CALLS: u64 = 2_000_000;

fn main() -> ExitCode {
    let mut text = measuring();
    let written = waiting(&mut text).and_then(|()| growing(&mut text)).and_then(|()| {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).map_err(|error| error.to_string())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // There is nothing left to do about an output that takes nothing.
            let _ = writeln!(io::stderr().lock(), "{why}");
            ExitCode::FAILURE
        }
    }
}

/// ns of one call, the best of some measurements.
fn call_ns(mut call: impl FnMut(u64)) -> f64 {
    let mut once = || {
        let start = Instant::now();
        (0..CALLS).for_each(&mut call);
        start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    };
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}

fn measuring() -> String {
    let mut histogram: Histogram<u64> = Histogram::new(3).expect("three digits are allowed");
    histogram.auto(true);
    let all = Latencies::private().expect("there is memory for count arrays");
    let mut recorder = all.recorder(Span::Feed);
    let rows = [
        ("the program's clock", call_ns(|_| _ = black_box(now_ns()))),
        ("`Instant::now`", call_ns(|_| _ = black_box(Instant::now()))),
        ("`SystemTime::now`", call_ns(|_| _ = black_box(SystemTime::now()))),
        ("count array, one record", call_ns(|n| recorder.record(black_box(n % 10_000)))),
        ("hdrhistogram, one record", call_ns(|n| histogram += black_box(n % 10_000))),
    ];
    let mut text = "| measuring | ns |\n|---|--:|\n".to_owned();
    for (what, ns) in rows {
        let _ = writeln!(text, "| {what} | {ns:.1} |");
    }
    text
}

/// The floor on the frames with orders, each after a pause: what a core forgets while its thread only spins. The
/// way of the order itself is the same few hundred instructions in every row.
fn waiting(text: &mut String) -> Result<(), String> {
    let recordings = Recordings::real().unwrap_or_else(|_| Recordings::sample());
    let tape = Tape::load(&recordings)?;
    let traded = Course::busy(&recordings, "quoter")?.trading_frames()?;
    let label = recordings.label;
    let _ = write!(
        text,
        "\n| pause before a frame, us | floor p50, ns ({label}) | p99 |\n|--:|--:|--:|\n"
    );
    for pause_us in PAUSES_US {
        let mut floor = Floor::new().map_err(|error| error.to_string())?;
        let times = floor.run_after(1_000 * pause_us, &tape, |at| traded.contains(&at));
        let times = Spread::new(times, clock_pair_ns());
        let (p50, p99) = (times.per_mille(500), times.per_mille(990));
        let _ = writeln!(text, "| {pause_us} | {p50} | {p99} |");
    }
    Ok(())
}

fn growing(text: &mut String) -> Result<(), String> {
    let _ = write!(
        text,
        "\n| symbols, `quoter` on all | ns a frame | tick to trade p50 | p99 | orders |\n|--:|--:|--:|--:|--:|\n"
    );
    for symbols in SYMBOLS {
        row(text, symbols, frame_ns(symbols, "quoter")?);
    }
    let _ = write!(
        text,
        "\n| strategies on 2 symbols | ns a frame | tick to trade p50 | p99 | orders |\n|--:|--:|--:|--:|--:|\n"
    );
    for count in STRATEGIES {
        let names = ["quoter", "taker", "noop"].into_iter().cycle().take(count);
        row(text, count, frame_ns(2, &names.collect::<Vec<_>>().join(","))?);
    }
    let _ = writeln!(text, "\n{FRAMES} frames each.");
    Ok(())
}

fn row(text: &mut String, count: usize, (ns, trades): (f64, Latency)) {
    let Latency { p50, p99, count: orders, .. } = trades;
    let _ = writeln!(text, "| {count} | {ns:.0} | {p50} | {p99} | {orders} |");
}
