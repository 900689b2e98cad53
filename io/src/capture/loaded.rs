//! A recording whose records were all read beforehand, so that what is measured or paced by a clock waits
//! for no disk and unpacks nothing.

use std::ops::Range;

use fusewire_core::units::Nanos;

use super::error::CaptureError;
use super::reader::Reader;
use super::{Origin, Record};

/// A reader that has read everything, and what it read.
pub(super) struct LoadedReader {
    /// At its end; it still tells what the recording is.
    reader: Box<Reader>,
    bytes: Vec<u8>,
    records: Vec<Loaded>,
    /// Addresses of REST answers.
    urls: Vec<String>,
    /// The record behind the current one.
    next: usize,
}

struct Loaded {
    recv: Nanos,
    line: u64,
    bytes: Range<usize>,
    /// Index of the address; none for a stream frame.
    url: Option<usize>,
}

impl LoadedReader {
    /// Reads the rest of a recording.
    ///
    /// # Errors
    /// The first record that is faulty, whether one could go on behind it or not.
    pub(super) fn new(mut reader: Reader) -> Result<Self, CaptureError> {
        let (mut bytes, mut records, mut urls) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(record) = reader.next()? {
            let start = bytes.len();
            bytes.extend_from_slice(record.bytes);
            let url = match record.origin {
                Origin::Stream => None,
                Origin::Rest { url } => {
                    urls.push(url.to_owned());
                    Some(urls.len() - 1)
                }
            };
            let Record { recv, line, .. } = record;
            records.push(Loaded { recv, line, bytes: start..bytes.len(), url });
        }
        Ok(Self { reader: Box::new(reader), bytes, records, urls, next: 0 })
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    pub(super) fn advance(&mut self) -> Option<Nanos> {
        let recv = self.records.get(self.next).map(|record| record.recv);
        self.next = (self.next + 1).min(self.records.len() + 1);
        recv
    }

    /// The record that `advance` moved to.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        let Loaded { recv, line, bytes, url } = self.records.get(self.next.checked_sub(1)?)?;
        let origin = match url {
            None => Origin::Stream,
            Some(at) => Origin::Rest { url: &self.urls[*at] },
        };
        let bytes = &self.bytes[bytes.clone()];
        Some(Record { recv: *recv, source: 0, line: *line, origin, bytes })
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::testing::reader;
    use crate::capture::{OpenOptions, Reader};

    const TEXT: &str = "1723161255000000001 [1]\n\n1723161255000000002 [2]\n";

    fn open() -> Reader {
        reader("usdm_btcusdt.ns", TEXT.as_bytes(), &OpenOptions::default()).unwrap()
    }

    /// Every record with all that is said of it.
    fn records(reader: &mut Reader) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(record) = reader.next().unwrap() {
            all.push(format!("{record:?}"));
        }
        assert!(reader.next().unwrap().is_none(), "the end stays the end");
        all
    }

    #[test]
    fn a_loaded_recording_is_the_recording() {
        let (mut read, mut loaded) = (open(), open().load().unwrap());
        let facts = |reader: &Reader| {
            let name = reader.name().to_owned();
            (name, reader.format(), reader.market(), reader.unit(), reader.bytes_total())
        };
        assert_eq!(facts(&loaded), facts(&read));
        assert_eq!(records(&mut loaded), records(&mut read));
        assert_eq!(loaded.bytes_read(), read.bytes_read());
    }

    #[test]
    fn answers_keep_their_addresses() {
        let text = concat!(
            "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT -> 1723161255.1: {\"a\":1}\n",
            "1723161255.2: {\"b\":1}\n"
        );
        let open = || reader("binance.txt", text.as_bytes(), &OpenOptions::default()).unwrap();
        let (read, loaded) = (records(&mut open()), records(&mut open().load().unwrap()));
        assert_eq!(loaded, read);
        assert!(loaded.iter().any(|record| record.contains("symbol=BTCUSDT")), "{loaded:?}");
    }

    #[test]
    fn a_faulty_line_is_found_at_once() {
        let text = format!("{TEXT}broken\n");
        let reader = reader("usdm_btcusdt.ns", text.as_bytes(), &OpenOptions::default()).unwrap();
        assert!(reader.load().is_err());
    }
}
