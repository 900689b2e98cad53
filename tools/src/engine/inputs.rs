//! The inputs of a run: opened, and matched with what their scan found.

use fusewire_core::instrument::Universe;
use fusewire_io::capture::Reader;
use fusewire_io::feed::Recording;

use super::Plan;
use crate::config::{Config, RunnerMode};
use crate::outcome::Failure;

/// The inputs of a run, opened.
pub(super) fn inputs(plan: &Plan, config: &Config) -> Result<Vec<Reader>, Failure> {
    let readers = plan.planned().iter().map(|planned| planned.open(&plan.options));
    if !plan.in_memory && config.runner.mode == RunnerMode::Inline {
        return readers.collect::<Result<_, _>>().map_err(Failure::line);
    }
    let most = config.capture_memory_bytes();
    readers.map(|reader| reader?.load(most)).collect::<Result<_, _>>().map_err(Failure::line)
}

/// What the manifest says about each open recording.
pub(super) fn recordings(
    readers: &[Reader],
    plan: &Plan,
    universe: &Universe,
) -> Result<Vec<Recording>, Failure> {
    let recording = |reader: &Reader| {
        let path = reader.name().to_owned();
        let summary = plan.scanned.manifest.files.iter().find(|file| file.path == path);
        let (Some(market), Some(summary)) = (reader.market(), summary) else {
            return Err(Failure::line(format!("{path}: changed since it was scanned")));
        };
        let find = |symbol: &String| universe.find(market, symbol.as_bytes());
        let instruments = summary.symbols.iter().filter_map(find).collect();
        Ok(Recording { path, market, only_symbol: summary.only_symbol.clone(), instruments })
    };
    readers.iter().map(recording).collect()
}
