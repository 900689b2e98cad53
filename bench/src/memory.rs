//! How much memory of its own a run takes, in a process of its own: anonymous resident memory, which is heap
//! and stacks and not the journal's files.
//!
//! The capture is written once, or ten times in a row with its receive times moved on. The times and ids of
//! the exchange begin again at each turn: the books see a gap, and the snapshot with which the capture
//! begins puts them in step again. So a turn is as good as a new capture for everything that grows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use fusewire::config::{Config, ProfileName};
use fusewire::engine::{self, Setup};
use fusewire::journal::header::Frames;
use fusewire::journal::writing::Request;
use fusewire::outcome::Failure;
use fusewire::sources::Source;
use fusewire_core::instrument::Market;
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::units::Nanos;
use fusewire_io::capture::OpenOptions;

use crate::tape::Tape;

/// What a process is started with to run over a folder and print its memory.
pub const ARGUMENT: &str = "--anonymous";
/// Turns of the capture in the longer run.
pub const LOOPS: u64 = 10;
/// Frames of a turn: enough for every table to be used, and few enough to be written ten times.
const FRAMES: usize = 40_000;
/// From the last frame of a turn to the first of the next.
const PAUSE: u64 = Nanos::SECOND;

/// The largest anonymous memory of a run over the beginning of a tape, so many times, in kB. The run is a child
/// process of this program, which must take `ARGUMENT`.
///
/// # Errors
/// The disk or the system says no.
pub fn of_run(tape: &Tape, loops: u64) -> Result<u64, String> {
    let failed = |error: io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(failed)?;
    write(tape, loops, folder.path()).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let output = Command::new(program).arg(ARGUMENT).arg(folder.path()).output();
    let output = output.map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Writes the captures of a tape as a collector would.
fn write(tape: &Tape, loops: u64, folder: &Path) -> io::Result<()> {
    let count = 1 + tape.frames().map(|frame| frame.source).max().unwrap_or_default();
    let file = |at: usize| File::create(folder.join(format!("usdm_{at}.ns"))).map(BufWriter::new);
    let mut files = (0..count).map(file).collect::<io::Result<Vec<_>>>()?;
    let first = tape.frames().next().map_or(0, |frame| frame.recv.0);
    let last = tape.frames().take(FRAMES).map(|frame| frame.recv.0).max().unwrap_or(first);
    for turn in 0..loops {
        let moved = turn * (last - first + PAUSE);
        for frame in tape.frames().take(FRAMES) {
            let out = &mut files[frame.source];
            write!(out, "{} ", frame.recv.0 + moved)?;
            out.write_all(frame.bytes)?;
            out.write_all(b"\n")?;
        }
    }
    files.iter_mut().try_for_each(Write::flush)
}

/// Runs the whole pipeline over the captures of a folder, journal and `quoter` and all; its largest anonymous
/// memory in kB, looked at every few thousand frames and at the end.
///
/// # Errors
/// The run fails, or the system does not tell.
pub fn run_over(folder: &Path) -> Result<u64, String> {
    let mut config = Config::default();
    config.risk.profile = ProfileName::Bench;
    let limits = config.capture_limits();
    let options = OpenOptions { market: Some(Market::UsdM), unit: None, limits };
    let sources = Source::expand(&[folder.to_path_buf()]).map_err(text)?;
    let plan = engine::prepare(sources, options, &config, &mut |_| {}).map_err(text)?;
    let given = std::collections::BTreeMap::new();
    let universe = engine::universe::resolve(&config, &[], &plan.scanned, &given).map_err(text)?;
    let strategies = config.strategies("quoter")?;
    let dir: PathBuf = folder.join("journal");
    let setup = Setup {
        tradable: engine::universe::tradable(&config, &universe).map_err(text)?,
        universe,
        strategies: strategies.into_iter().map(|(_, strategy)| strategy).collect(),
        controls: Vec::new(),
        keep: Keep::Digest,
        kill: KillSwitch::new(),
        journal: Some(Request { dir, frames: Frames::Reference, resume: false }),
        allow_broken: false,
    };
    let (most, tell) = peak();
    let run = engine::run(&plan, setup, &config, tell).map_err(text)?;
    let orders = run.gateway.counts().new;
    if orders == 0 {
        return Err("the run sent no order".to_owned());
    }
    let last = anonymous_kb().ok_or("the system does not tell RssAnon")?;
    Ok(last.max(most.load(std::sync::atomic::Ordering::Relaxed)))
}

type Peak = std::sync::Arc<std::sync::atomic::AtomicU64>;

/// A number that rises to the largest memory whenever it is told of progress.
fn peak() -> (Peak, Box<dyn FnMut(u64) + Send>) {
    let most = Peak::default();
    let told = Peak::clone(&most);
    let tell = move |_bytes: u64| {
        let now = anonymous_kb().unwrap_or_default();
        told.fetch_max(now, std::sync::atomic::Ordering::Relaxed);
    };
    (most, Box::new(tell))
}

fn text(failure: Failure) -> String {
    failure.0.join(", ")
}

/// `RssAnon` of this process in kB.
fn anonymous_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Recordings;

    #[test]
    fn a_capture_in_turns_runs_to_its_end() {
        let tape = Tape::load(&Recordings::sample()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(&tape, 2, folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("usdm_0.ns")).unwrap();
        assert_eq!(text.lines().count(), 2 * tape.len());
        let times = text.lines().map(|line| line.split(' ').next().unwrap());
        let times: Vec<u64> = times.map(|time| time.parse().unwrap()).collect();
        assert_eq!(times[tape.len()], times[0] + times[tape.len() - 1] - times[0] + PAUSE);
        assert!(run_over(folder.path()).is_ok_and(|kb| kb > 0));
    }
}
