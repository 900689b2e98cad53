//! The rows on whole recordings: replay beside decoding, tick to trade beside the floor, memory.

use super::report::{Key, Report};
use super::table::{MEMORY, REPLAY, TRADE_P50, TRADE_P99, gate_of};
use crate::floor::Floor;
use crate::measure::{Comparison, compare};
use crate::memory;
use crate::pipeline::{Course, Decoding, Whole};
use crate::spread::{Spread, clock_pair_ns};
use crate::tape::{Recordings, Tape};

/// The strategy that trades.
const STRATEGY: &str = "quoter";
/// Rounds of tick to trade: each is a whole run on both sides.
const TRADE_ROUNDS: usize = 5;
/// Frames with orders below which the slowest hundredth is chance.
const TRADES_LEAST: usize = 500;

/// All of them, over the sample and, if they are there, the recordings of a day.
pub(super) fn rows(report: &mut Report) {
    over(report, &Recordings::sample());
    match Recordings::real() {
        Ok(real) => over(report, &real),
        Err(why) => report.skip("whole recordings, real", &why),
    }
}

fn over(report: &mut Report, recordings: &Recordings) {
    let tape = Tape::load(recordings).unwrap_or_else(|error| panic!("{error}"));
    let course = Course::new(recordings, STRATEGY).unwrap_or_else(|error| panic!("{error}"));
    let key = Key { input: recordings.label, unit: "frame", measured_in: "ns" };
    let (mut whole, mut decoding) = (Whole::new(&course, &tape), Decoding::new(&tape));
    report.add(key, [gate_of(REPLAY, "decoding alone")], || [compare(&mut whole, &mut decoding)]);
    drop((whole, decoding));
    trade_rows(report, recordings.label, (&course, &tape));
    memory_row(report, recordings.label, &tape);
}

/// Both percentiles come from the same rounds.
fn trade_rows(report: &mut Report, input: &'static str, (course, tape): (&Course, &Tape)) {
    let key = Key { input, unit: "frame with orders", measured_in: "ns" };
    let gates = [gate_of(TRADE_P50, "floor"), gate_of(TRADE_P99, "floor")];
    let count = course.times().unwrap_or_else(|error| panic!("{error}")).trades.len();
    report.notes.push(format!("{input}: {count} of {} frames cause orders", tape.len()));
    let measure = || {
        let rounds: Vec<[(f64, f64); 2]> =
            (0..TRADE_ROUNDS).map(|round| trade_round((course, tape), round % 2 == 0)).collect();
        [0, 1].map(|at| {
            let of_one: Vec<(f64, f64)> = rounds.iter().map(|round| round[at]).collect();
            Comparison::of(&of_one)
        })
    };
    if count < TRADES_LEAST {
        report.skip(TRADE_P99, &format!("{input}: {count} frames with orders are too few"));
        report.add(key, [gates[0]], || [measure()[0]]);
    } else {
        report.add(key, gates, measure);
    }
}

/// p50 and p99 of the pipeline and the floor, each over the same frames of one run.
fn trade_round((course, tape): (&Course, &Tape), floor_first: bool) -> [(f64, f64); 2] {
    let clock_ns = clock_pair_ns();
    let floor = || Floor::new().unwrap_or_else(|error| panic!("{error}"));
    let run = || course.times().unwrap_or_else(|error| panic!("{error}"));
    // The floor is measured on every frame; which ones count is known when the pipeline has run.
    let (all, times) = if floor_first {
        let all = floor().run(tape, |_| true);
        (all, run())
    } else {
        let times = run();
        (floor().run(tape, |_| true), times)
    };
    let ours = Spread::new(times.trades.iter().map(|(_, ns)| *ns).collect(), clock_ns);
    let theirs = Spread::new(times.trades.iter().map(|(at, _)| all[*at]).collect(), clock_ns);
    [500, 990].map(|share| (ours.per_mille(share) as f64, theirs.per_mille(share) as f64))
}

fn memory_row(report: &mut Report, input: &'static str, tape: &Tape) {
    let key = Key { input, unit: "run", measured_in: "kB" };
    let measure = || -> Result<Comparison, String> {
        let (once, many) = (memory::of_run(tape, 1)?, memory::of_run(tape, memory::LOOPS)?);
        Ok(Comparison::of(&[(many as f64, once as f64)]))
    };
    match measure() {
        Ok(first) => {
            let mut first = Some(first);
            let mut next = || first.take().map_or_else(measure, Ok);
            report.add(key, [gate_of(MEMORY, "once")], || {
                [next().unwrap_or_else(|error| panic!("{error}"))]
            });
        }
        Err(why) => report.skip(MEMORY, &why),
    }
}
