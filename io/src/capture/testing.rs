//! What the tests of this folder share.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{CaptureError, OpenOptions, Origin, Reader};

/// One record, owned: receive time in ns, line, URL of a REST answer, bytes.
pub(super) type Owned = (u64, u64, Option<String>, String);

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A reader over bytes in memory.
pub(super) fn reader(
    name: &str,
    bytes: &[u8],
    options: &OpenOptions,
) -> Result<Reader, CaptureError> {
    Reader::from_read(name, Box::new(Cursor::new(bytes.to_vec())), options)
}

/// The records up to the end or the first error.
pub(super) fn drain(reader: &mut Reader) -> (Vec<Owned>, Option<CaptureError>) {
    let mut records = Vec::new();
    loop {
        match reader.next() {
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
            Ok(Some(record)) => {
                let url = match record.origin {
                    Origin::Stream => None,
                    Origin::Rest { url } => Some(url.to_owned()),
                };
                let bytes = String::from_utf8_lossy(record.bytes).into_owned();
                records.push((record.recv.0, record.line, url, bytes));
            }
        }
    }
}

/// All records of a recording that must be sound.
pub(super) fn records(name: &str, bytes: &[u8]) -> Vec<Owned> {
    let (records, error) = drain(&mut reader(name, bytes, &OpenOptions::default()).unwrap());
    assert!(error.is_none(), "{error:?}");
    records
}

/// The text of the error that a recording must end with, at opening or later.
pub(super) fn failure(name: &str, bytes: &[u8]) -> String {
    match reader(name, bytes, &OpenOptions::default()) {
        Err(error) => error.to_string(),
        Ok(mut reader) => drain(&mut reader).1.unwrap().to_string(),
    }
}
