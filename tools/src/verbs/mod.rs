//! One file a verb.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

pub mod config;
pub mod decode;
pub mod doctor;
pub mod import;
pub mod journal;
pub mod ledger;
pub mod replay;
mod run_args;
pub mod sweep;

pub mod synth;

/// Largest side file (an exchangeInfo answer) that is read whole, in bytes. The real ones have 1 MB.
const WHOLE_FILE_BYTES_MAX: u64 = 64 << 20;

/// The bytes of a stream, unpacked if they are gzip or zstd.
fn unpacked(input: Box<dyn Read + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let head = input.fill_buf()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(input))));
    }
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Ok(Box::new(BufReader::new(zstd::Decoder::with_buffer(input)?)));
    }
    Ok(Box::new(input))
}

/// A whole file, unpacked.
fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    unpacked(Box::new(File::open(path)?))?.take(WHOLE_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    All,
    Last(usize),
}

impl std::str::FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::Last).map_err(|error| format!("'{text}': {error}"))
    }
}
