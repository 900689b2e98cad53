//! Recordings: each becomes a tape of the same frames, so that a replay of it gives the same events.

use std::path::Path;

use fusewire_core::market::Message;

use super::Options;
use super::error::ImportError;
use super::facts::Facts;
use crate::capture::{CaptureLimits, Merge, OpenOptions, Reader};
use crate::manifest::{self, ManifestOptions};
use crate::tape::Copier;

/// Reads a recording twice: for what it holds, then for its frames.
pub(super) fn read(
    path: &Path,
    out: &Path,
    options: &Options,
    (scan, limits): (&ManifestOptions, CaptureLimits),
) -> Result<Facts, ImportError> {
    let name = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(&name, error);
    let open_options = OpenOptions { market: options.market, unit: None, limits };
    let open = || Reader::open(path, &open_options).map_err(|error| bare(&name, &error));
    let merge = Merge::new(vec![open()?]).map_err(|error| failed(&error))?;
    let found = manifest::scan(merge, scan, &mut |_| {}).map_err(|error| bare(&name, &error))?;
    if let Some(problem) = found.manifest.broken().next() {
        return Err(failed(&format!("broken capture: {problem}")));
    }
    let only_symbol = found.manifest.files.first().and_then(|file| file.only_symbol.clone());
    let mut reader = open()?;
    let market = reader.market().ok_or_else(|| failed(&"market unknown: pass --market"))?;
    let copier = Copier::create(out, market, only_symbol);
    let (mut copier, mut facts) = (copier.map_err(|error| failed(&error))?, Facts::default());
    while let Some(record) = reader.next().map_err(|error| bare(&name, &error))? {
        let mut told = |symbol: Option<&str>, message: &Message| match symbol {
            Some(symbol) => facts.count(symbol, message.body.kind().name(), record.recv),
            None => facts.skipped += 1,
        };
        let added = copier.add(&record, &mut told);
        added.map_err(|what| ImportError::at(&name, record.line, what))?;
    }
    copier.finish().map_err(|error| failed(&error))?;
    Ok(facts)
}

/// Errors of captures name their file themselves.
fn bare(name: &str, error: &crate::capture::CaptureError) -> ImportError {
    let text = error.to_string();
    let what = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    ImportError::of_file(name, what.unwrap_or(&text))
}

/// The name of a recording's tape: without what tells how it is packed.
pub(super) fn tape_name(name: &str) -> String {
    let file = Path::new(name).file_name().map(|file| file.to_string_lossy().into_owned());
    let file = file.unwrap_or_default();
    let stem = [".gz", ".zst", ".ns", ".us", ".jsonl", ".txt", ".tape"]
        .into_iter()
        .fold(file.as_str(), |stem, ending| stem.strip_suffix(ending).unwrap_or(stem));
    format!("{stem}.tape")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_is_called_as_its_recording() {
        for (name, tape) in [
            ("a/usdm_btcusdt_20240808.ns.gz", "usdm_btcusdt_20240808.tape"),
            ("usdm_x.jsonl.zst", "usdm_x.tape"),
            ("usdm_x.tape", "usdm_x.tape"),
        ] {
            assert_eq!(tape_name(name), tape);
        }
    }
}
