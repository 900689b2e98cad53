//! Recordings: each becomes a tape of the same frames, so that a replay of it gives the same events.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use fusewire_core::market::Message;

use super::Options;
use super::error::ImportError;
use super::facts::Facts;
use crate::capture::{CaptureError, CaptureLimits, Merge, OpenOptions, Reader};
use crate::manifest::{self, ManifestOptions};
use crate::tape::Copier;

/// The recordings of an import, which are judged together where one alone is broken: it may begin in the middle of a book
/// whose snapshot another has.
pub(super) struct Together<'a> {
    paths: &'a [&'a PathBuf],
    options: &'a Options,
    scan: &'a ManifestOptions,
    limits: CaptureLimits,
    is_sound: OnceCell<bool>,
}

impl<'a> Together<'a> {
    pub(super) const fn new(
        paths: &'a [&'a PathBuf],
        options: &'a Options,
        (scan, limits): (&'a ManifestOptions, CaptureLimits),
    ) -> Self {
        Self { paths, options, scan, limits, is_sound: OnceCell::new() }
    }

    /// True when all of them can be read as one capture, and nothing is broken in it.
    fn is_sound(&self) -> bool {
        *self.is_sound.get_or_init(|| {
            let all = || {
                let open = |path: &&PathBuf| Reader::open(path, &self.how());
                let readers = self.paths.iter().map(open).collect::<Result<_, _>>()?;
                manifest::scan(Merge::new(readers)?, self.scan, &mut |_| {})
            };
            self.paths.len() > 1
                && all().is_ok_and(|found| found.manifest.broken().next().is_none())
        })
    }

    fn how(&self) -> OpenOptions {
        OpenOptions { market: self.options.market, unit: None, limits: self.limits }
    }
}

/// Reads a recording twice: for what it holds, then for its frames.
pub(super) fn read(path: &Path, out: &Path, all: &Together<'_>) -> Result<Facts, ImportError> {
    let name = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(&name, error);
    let open = || Reader::open(path, &all.how()).map_err(|error| bare(&name, &error));
    let merge = Merge::new(vec![open()?]).map_err(|error| failed(&error))?;
    let found =
        manifest::scan(merge, all.scan, &mut |_| {}).map_err(|error| bare(&name, &error))?;
    if let Some(problem) = found.manifest.broken().next()
        && !all.is_sound()
    {
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
