//! Recordings: each becomes a tape of the same frames, so that a replay of it gives the same events.

use std::path::Path;

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded};

use super::Options;
use super::error::ImportError;
use super::facts::Facts;
use crate::capture::{CaptureLimits, Merge, OpenOptions, Origin, Reader};
use crate::decode::Decoder;
use crate::feed::{Context, is_depth, is_exchange_info, symbol_of};
use crate::manifest::{self, ManifestOptions};
use crate::tape::{FrameEncoder, TapeWriter};

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
    let tape = TapeWriter::create(out, market).map_err(|error| failed(&error))?;
    let mut copy = Copy { market, only_symbol, facts: Facts::default(), tape, name: &name };
    let mut decoder = Decoder::new(market);
    let (mut decoded, mut encoder) = (Decoded::default(), FrameEncoder::default());
    while let Some(record) = reader.next().map_err(|error| bare(&name, &error))? {
        copy.record(&record, &mut decoder, &mut decoded, &mut encoder)?;
    }
    copy.tape.finish().map_err(|error| failed(&error))?;
    Ok(copy.facts)
}

/// Errors of captures name their file themselves.
fn bare(name: &str, error: &crate::capture::CaptureError) -> ImportError {
    let text = error.to_string();
    let what = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    ImportError::of_file(name, what.unwrap_or(&text))
}

struct Copy<'a> {
    market: Market,
    only_symbol: Option<String>,
    facts: Facts,
    tape: TapeWriter,
    name: &'a str,
}

impl Copy<'_> {
    fn record(
        &mut self,
        record: &crate::capture::Record<'_>,
        decoder: &mut Decoder,
        decoded: &mut Decoded,
        encoder: &mut FrameEncoder,
    ) -> Result<(), ImportError> {
        let failed = |what: &dyn std::fmt::Display| ImportError::at(self.name, record.line, what);
        encoder.begin(&[]);
        if let Origin::Rest { url } = record.origin {
            if is_exchange_info(url) {
                // Instruments are read from it, and not by the decoder.
                let add = self.tape.add(record.recv, url, record.bytes);
                return add.map_err(|error| failed(&error));
            }
            if !is_depth(url) {
                // It says nothing, and moves time on all the same.
                let add = self.tape.add(record.recv, "", encoder.bytes());
                return add.map_err(|error| failed(&error));
            }
        }
        decoder.decode(record.bytes, decoded).map_err(|error| failed(&error))?;
        encoder.begin(decoded.stream.of(record.bytes));
        let only_symbol = self.only_symbol.as_deref();
        let context = Context { market: self.market, origin: record.origin, only_symbol };
        for message in &decoded.messages {
            let Some(symbol) = symbol_of(record.bytes, decoded, message, &context) else {
                self.facts.skipped += 1;
                continue;
            };
            let added = encoder.add(&symbol, message, decoded, record.bytes);
            if added.map_err(|what| failed(&what))? {
                self.facts.count(&symbol, message.body.kind().name(), record.recv);
            } else {
                debug_assert!(matches!(message.body, Body::ContractInfo(_)));
                self.facts.skipped += 1;
            }
        }
        self.tape.add(record.recv, "", encoder.bytes()).map_err(|error| failed(&error))
    }
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
