//! The inputs of a run: opened, put in order, and matched with what their scan found.

use fusewire_core::instrument::Universe;
use fusewire_io::capture::{OpenOptions, Reader};
use fusewire_io::feed::Recording;
use fusewire_io::manifest::FileSummary;

use super::Plan;
use crate::config::{Config, RunnerMode};
use crate::outcome::Failure;
use crate::sources::Source;

pub(super) fn open(sources: &[Source], options: &OpenOptions) -> Result<Vec<Reader>, Failure> {
    sources
        .iter()
        .map(|source| source.open(options))
        .collect::<Result<_, _>>()
        .map_err(Failure::line)
}

/// The inputs of a run, opened.
pub(super) fn inputs(plan: &Plan, config: &Config) -> Result<Vec<Reader>, Failure> {
    let readers = open(&plan.sources, &plan.options)?;
    if !plan.in_memory && config.runner.mode == RunnerMode::Inline {
        return Ok(readers);
    }
    let most = config.capture_memory_bytes();
    readers
        .into_iter()
        .map(|reader| reader.load(most))
        .collect::<Result<_, _>>()
        .map_err(Failure::line)
}

/// Sources ordered by (market, symbol, file name), so that equal times do not depend on the command line.
pub(super) fn in_merge_order(sources: Vec<Source>, files: &[FileSummary]) -> Vec<Source> {
    let key = |file: &FileSummary| {
        let name = std::path::Path::new(&file.path).file_name().map(|n| n.to_owned());
        (file.market, file.only_symbol.clone(), name, file.path.clone())
    };
    let mut paired: Vec<_> = files.iter().map(key).zip(sources).collect();
    paired.sort_by(|(a, _), (b, _)| a.cmp(b));
    paired.into_iter().map(|(_, source)| source).collect()
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
