//! The floor by itself: what a bare program takes from a frame to the bytes of an order, as percentiles over
//! all frames. Over the recordings of a day if they are there, else over the sample.

use std::io::{self, Write};
use std::process::ExitCode;

use fusewire_bench::floor::Floor;
use fusewire_bench::spread::{Spread, clock_pair_ns};
use fusewire_bench::tape::{Recordings, Tape};

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // There is nothing left to do about an output that takes nothing.
            let _ = writeln!(io::stderr().lock(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> Result<(), String> {
    let mut out = io::stdout().lock();
    let failed = |error: io::Error| error.to_string();
    let recordings = match Recordings::real() {
        Ok(real) => real,
        Err(why) => {
            writeln!(out, "!!!! NO REAL INPUT: {why}; the sample stands in !!!!")
                .map_err(failed)?;
            Recordings::sample()
        }
    };
    let tape = Tape::load(&recordings)?;
    let mut floor = Floor::new().map_err(|error| error.to_string())?;
    let clock_ns = clock_pair_ns();
    let all = Spread::new(floor.run(&tape, |_| true), clock_ns);
    writeln!(out, "{}: {}", recordings.label, all.line()).map_err(failed)?;
    writeln!(out, "a pair of clock reads, taken off each: {clock_ns} ns").map_err(failed)
}
