//! The rows on whole recordings: replay beside decoding, tick to trade beside the floor, memory.

use std::collections::BTreeSet;

use core_affinity::CoreId;
use fusewire::latency::quantile;

use super::report::{Key, Report};
use super::table::{MEMORY, PACED, PINNED, REPLAY, TRADE_P50, TRADE_P99, gate_of};
use crate::floor::Floor;
use crate::hop::{self, Carrier, hop_ns};
use crate::measure::{Comparison, compare};
use crate::memory;
use crate::pipeline::{Course, Decoding, Whole};
use crate::spread::{Spread, clock_pair_ns};
use crate::tape::{Recordings, Tape};

/// The strategy that trades.
const STRATEGY: &str = "quoter";
/// How fast recorded time goes by where threads are paced by it.
const PACE: &str = "10x";
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
    let busy = Course::busy(recordings, STRATEGY).unwrap_or_else(|error| panic!("{error}"));
    trade_rows(report, recordings.label, (&busy, &tape));
    paced_rows(report, recordings, &busy);
    // What a run takes for the sample is so little that tables which fill up to their bounds show.
    if recordings.label != Recordings::sample().label {
        memory_row(report, recordings.label, &tape);
    }
}

/// Both percentiles come from the same rounds.
fn trade_rows(report: &mut Report, input: &'static str, (course, tape): (&Course, &Tape)) {
    let key = Key { input, unit: "frame with orders", measured_in: "ns" };
    let gates = [gate_of(TRADE_P50, "floor"), gate_of(TRADE_P99, "floor")];
    let traded = course.trading_frames().unwrap_or_else(|error| panic!("{error}"));
    report.notes.push(format!("{input}: {} of {} frames cause orders", traded.len(), tape.len()));
    let measure = || {
        let rounds: Vec<[(f64, f64); 2]> =
            (0..TRADE_ROUNDS).map(|round| trade_round((course, tape), &traded, round)).collect();
        [0, 1].map(|at| {
            let of_one: Vec<(f64, f64)> = rounds.iter().map(|round| round[at]).collect();
            Comparison::of(&of_one)
        })
    };
    if traded.len() < TRADES_LEAST {
        let why = format!("{input}: {} frames with orders are too few", traded.len());
        report.skip(TRADE_P99, &why);
        report.add(key, [gates[0]], || [measure()[0]]);
    } else {
        report.add(key, gates, measure);
    }
}

/// p50 and p99 of the pipeline and of the floor, each over the same frames of one run. Both sides read the
/// clock twice for each of them, which is taken off.
fn trade_round(
    (course, tape): (&Course, &Tape),
    traded: &BTreeSet<usize>,
    round: usize,
) -> [(f64, f64); 2] {
    let floor = || {
        let mut floor = Floor::new().unwrap_or_else(|error| panic!("{error}"));
        Spread::new(floor.run(tape, |at| traded.contains(&at)), clock_pair_ns())
    };
    let run = || course.tick_to_trade().unwrap_or_else(|error| panic!("{error}"));
    let (theirs, ours) = if round.is_multiple_of(2) {
        let floor = floor();
        (floor, run())
    } else {
        let run = run();
        (floor(), run)
    };
    let clock_ns = clock_pair_ns();
    [500, 990].map(|share| {
        let ours = quantile(&ours, share as f64 / 1_000.0).saturating_sub(clock_ns);
        (ours as f64, theirs.per_mille(share) as f64)
    })
}

/// The median of a paced run on two cores: less that of an inline run, in hops of the same minute, and beside that
/// of one thread that is paced alike.
fn paced_rows(report: &mut Report, recordings: &Recordings, inline: &Course) {
    let cores = match hop::cores() {
        Ok(cores) => cores,
        Err(why) => return report.skip(PINNED, &why),
    };
    let paced = |cores: &[CoreId]| {
        let course = Course::paced(recordings, STRATEGY, (cores, PACE));
        course.unwrap_or_else(|error| panic!("{error}"))
    };
    let (two, one) = (paced(&cores), paced(&cores[..1]));
    let p50 = |course: &Course| {
        let counts = course.tick_to_trade().unwrap_or_else(|error| panic!("{error}"));
        quantile(&counts, 0.5) as f64
    };
    let key = Key { input: recordings.label, unit: "frame with orders", measured_in: "ns" };
    let gates = [gate_of(PINNED, "hop"), gate_of(PACED, "one thread paced alike")];
    report.add(key, gates, || {
        let hop = hop_ns(Carrier::Ring, cores);
        let (two, one) = (p50(&two), p50(&one));
        // Not below the clock's step, as a time that others divide by.
        let beyond = (two - p50(inline)).max(1.0);
        [(beyond, hop), (two, one)].map(|pair| Comparison::of(&[pair]))
    });
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
