//! How the cost of a frame grows with the work around it: more symbols, more strategies. Made-up markets, the
//! whole pipeline inline; with its journal on, unless a strategy runs several times.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use fusewire::config::{Config, ProfileName};
use fusewire::engine;
use fusewire::latency::Latency;
use fusewire::sources::Source;
use fusewire_core::instrument::{Instrument, Market, Universe, common};
use fusewire_io::capture::OpenOptions;
use fusewire_io::synth::{Options, Synth};

use crate::pipeline::Course;

/// Frames of a run, whatever it holds.
pub const FRAMES: usize = 80_000;
/// Runs of each, of which the middle one is told.
const RUNS: usize = 5;
/// Symbols that one synthetic capture holds at most.
const SYMBOLS_OF_A_FILE: usize = 64;

/// ns a frame, and tick to trade, of a run with so many symbols, all of which may be traded, and these strategies, of
/// which each may stand there several times.
///
/// # Errors
/// The disk says no, or the run can not be joined.
pub fn frame_ns(symbols: usize, strategies: &str) -> Result<(f64, Latency), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let instruments = instruments(symbols);
    write(&instruments, folder.path())?;
    let config = config(symbols);
    let limits = config.capture_limits();
    let options = OpenOptions { market: Some(Market::UsdM), unit: None, limits };
    let fail = |failure: fusewire::outcome::Failure| failure.0.join(", ");
    let sources = Source::expand(&[folder.path().to_path_buf()]).map_err(fail)?;
    let plan = engine::prepare(sources, options, &config, &mut |_| {}).map_err(fail)?;
    let universe = Universe::new(instruments).map_err(|error| error.to_string())?;
    let course = Course::of(config, plan, universe, strategies)?;
    let mut runs = (0..RUNS).map(|_| course.frame_ns()).collect::<Result<Vec<_>, _>>()?;
    runs.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    Ok(runs[RUNS / 2])
}

/// Contracts like BTCUSDT under other names.
fn instruments(count: usize) -> Vec<Instrument> {
    let base = common(Market::UsdM, "BTCUSDT").expect("it is in the table");
    let named = |n: usize| Instrument { symbol: format!("S{n:03}USDT"), ..base.clone() };
    (0..count).map(named).collect()
}

/// The limits of the profile `bench`, with tables as large as so many symbols need.
fn config(symbols: usize) -> Config {
    let mut config = Config::default();
    config.risk.profile = ProfileName::Bench;
    let open_max = config.risk_config().limits.open_max as usize;
    config.risk.halt_max = config.risk.halt_max.max((open_max + symbols) as u32);
    config.paper.orders_max = config.paper.orders_max.max((open_max + symbols) as u32);
    config
}

/// Captures of the first seconds of all markets, `FRAMES` frames together.
fn write(instruments: &[Instrument], folder: &Path) -> Result<(), String> {
    let files = instruments.chunks(SYMBOLS_OF_A_FILE);
    let count = files.len();
    for (at, chunk) in files.enumerate() {
        let options = Options { instruments: chunk.to_vec(), minutes: 30, ..Options::default() };
        let mut synth = Synth::new(&options).map_err(|error| error.to_string())?;
        let path = folder.join(format!("usdm_{at}.ns"));
        let file = File::create(path).map_err(|error| error.to_string())?;
        let (mut out, mut line) = (BufWriter::new(file), Vec::new());
        for _ in 0..FRAMES / count {
            line.clear();
            if !synth.next_line(&mut line) {
                break;
            }
            out.write_all(&line).map_err(|error| error.to_string())?;
        }
        out.flush().map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_symbols_and_many_strategies_run_to_their_end() {
        let (ns, trades) = frame_ns(70, "noop,quoter,quoter").unwrap();
        assert!(ns > 0.0 && trades.count > 0, "{ns} {trades:?}");
    }
}
