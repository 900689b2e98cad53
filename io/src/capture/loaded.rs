//! A recording whose records were all read beforehand, so that what is measured or paced by a clock waits
//! for no disk and unpacks nothing.

use std::ops::Range;

use fusewire_core::units::Nanos;

use super::error::CaptureError;
use super::reader::Reader;
use super::{Origin, Record};

/// A reader that has read everything, and what it read.
pub(super) struct LoadedReader {
    /// At its end, or behind its first fault; it still tells what the recording is.
    reader: Box<Reader>,
    bytes: Vec<u8>,
    records: Vec<Loaded>,
    /// Addresses of REST answers.
    urls: Vec<String>,
    /// The record behind the current one.
    next: usize,
    /// What is wrong behind the records in memory; from there on the reader itself reads on.
    fault: Option<CaptureError>,
}

struct Loaded {
    recv: Nanos,
    line: u64,
    bytes: Range<usize>,
    /// Index of the address; none for a stream frame.
    url: Option<usize>,
}

impl LoadedReader {
    /// Reads the rest of a recording, up to its first fault.
    ///
    /// # Errors
    /// It has more than `most` bytes.
    pub(super) fn new(mut reader: Reader, most: u64) -> Result<Self, CaptureError> {
        let (mut bytes, mut records, mut urls) = (Vec::new(), Vec::new(), Vec::new());
        let file = reader.name().to_owned();
        let fault = loop {
            let record = match reader.next() {
                Ok(Some(record)) => record,
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            };
            let start = bytes.len();
            if (start + record.bytes.len()) as u64 > most {
                return Err(CaptureError::TooLarge { file, most });
            }
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
        };
        Ok(Self { reader: Box::new(reader), bytes, records, urls, next: 0, fault })
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Moves to the next record and gives its receive time; `None` at the end.
    ///
    /// # Errors
    /// The fault that the loading met, in its place; behind it, as of the recording itself.
    pub(super) fn advance(&mut self) -> Result<Option<Nanos>, CaptureError> {
        let recv = self.records.get(self.next).map(|record| record.recv);
        self.next = (self.next + 1).min(self.records.len() + 1);
        if recv.is_some() {
            return Ok(recv);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.reader.advance(),
        }
    }

    /// The record that `advance` moved to.
    pub(super) fn record(&self) -> Option<Record<'_>> {
        let Some(loaded) = self.records.get(self.next.checked_sub(1)?) else {
            return self.reader.record();
        };
        let Loaded { recv, line, bytes, url } = loaded;
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

    const MOST: u64 = 1 << 20;
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
        let (mut read, mut loaded) = (open(), open().load(MOST).unwrap());
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
        let (read, loaded) = (records(&mut open()), records(&mut open().load(MOST).unwrap()));
        assert_eq!(loaded, read);
        assert!(loaded.iter().any(|record| record.contains("symbol=BTCUSDT")), "{loaded:?}");
    }

    /// As without loading: damage is met where it lies, and what is behind it is read.
    #[test]
    fn a_faulty_line_is_met_in_its_place() {
        let text = format!("{TEXT}broken\n1723161255000000003 [3]\n");
        let open = || reader("usdm_btcusdt.ns", text.as_bytes(), &OpenOptions::default()).unwrap();
        let all = |mut reader: Reader| {
            let mut all = Vec::new();
            loop {
                match reader.next() {
                    Ok(Some(record)) => all.push(format!("{record:?}")),
                    Ok(None) => return all,
                    Err(fault) => all.push(fault.to_string()),
                }
            }
        };
        let loaded = all(open().load(MOST).unwrap());
        assert_eq!(loaded, all(open()));
        assert!(loaded.len() == 4 && loaded[2].contains("line 4"), "{loaded:?}");
    }

    #[test]
    fn memory_is_bounded() {
        // Two frames of three bytes.
        assert!(open().load(6).is_ok());
        let refused = open().load(5).err().unwrap().to_string();
        assert!(refused.contains("more than 5 bytes of memory"), "{refused}");
    }
}
