//! Recordings: each becomes a tape of the same frames, so that a replay of it gives the same events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fusewire_core::market::Message;

use super::Options;
use super::error::ImportError;
use super::facts::Facts;
use crate::capture::{CaptureError, CaptureLimits, Merge, OpenOptions, Reader};
use crate::manifest::{self, ManifestOptions};
use crate::tape::Copier;

/// The one symbol of each recording that has no more, by path as it was given.
pub(super) type OnlySymbols = BTreeMap<String, Option<String>>;

/// Reads recordings for what they hold together: one may begin in the middle of a book whose snapshot another has.
pub(super) fn judge(
    paths: &[&PathBuf],
    options: &Options,
    (scan, limits): (&ManifestOptions, CaptureLimits),
) -> Result<OnlySymbols, ImportError> {
    let readers = paths.iter().map(|path| open(path, options, limits)).collect::<Result<_, _>>()?;
    let all = || match paths {
        [one] => one.display().to_string(),
        _ => format!("{} recordings", paths.len()),
    };
    let failed = |error: CaptureError| {
        let name = paths.iter().map(|path| path.display().to_string());
        let name = name.into_iter().find(|name| error.to_string().starts_with(name.as_str()));
        bare(&name.unwrap_or_else(all), &error)
    };
    let merge = Merge::new(readers).map_err(failed)?;
    let found = manifest::scan(merge, scan, &mut |_| {}).map_err(failed)?;
    if let Some(problem) = found.manifest.broken().next() {
        return Err(ImportError::of_file(&all(), format!("broken capture: {problem}")));
    }
    let files = found.manifest.files.into_iter();
    Ok(files.map(|file| (file.path, file.only_symbol)).collect())
}

/// Copies the frames of a recording that was judged.
pub(super) fn read(
    path: &Path,
    out: &Path,
    options: &Options,
    (only_symbols, limits): (&OnlySymbols, CaptureLimits),
) -> Result<Facts, ImportError> {
    let name = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(&name, error);
    let mut reader = open(path, options, limits)?;
    let market = reader.market().ok_or_else(|| failed(&"market unknown: pass --market"))?;
    let only_symbol = only_symbols.get(&name).cloned().flatten();
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

fn open(path: &Path, options: &Options, limits: CaptureLimits) -> Result<Reader, ImportError> {
    let how = OpenOptions { market: options.market, unit: None, limits };
    Reader::open(path, &how).map_err(|error| bare(&path.display().to_string(), &error))
}

/// Errors of captures name their file themselves.
fn bare(name: &str, error: &CaptureError) -> ImportError {
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
