//! The bytes of a history file: plain, gzip, zstd, or the only file of a zip archive.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::error::ImportError;
use super::kind::named_type;
use super::whose::symbol_of_name;
use crate::capture::unpacked;

/// Opens a file. A folder inside an archive counts as nothing.
///
/// # Errors
/// It can not be read, or an archive does not hold exactly one file.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>, ImportError> {
    let name = path.display().to_string();
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(&name, error);
    let mut file = File::open(path).map_err(|error| failed(&format!("cannot open: {error}")))?;
    let mut magic = [0; 4];
    let is_zip = match file.read_exact(&mut magic) {
        Ok(()) => magic == *b"PK\x03\x04" || magic == *b"PK\x05\x06",
        Err(_) => false,
    };
    file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
    if is_zip {
        return entry(&name, file);
    }
    unpacked(Box::new(file)).map_err(|error| failed(&error))
}

fn entry(name: &str, file: File) -> Result<Box<dyn Read + Send>, ImportError> {
    let failed = |error: &dyn std::fmt::Display| ImportError::of_file(name, error);
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| failed(&error))?;
    let files: Vec<usize> = (0..archive.len())
        .filter(|at| archive.by_index_raw(*at).is_ok_and(|entry| !entry.is_dir()))
        .collect();
    let [only] = files[..] else {
        return Err(failed(&format!(
            "the archive holds {} files: unpack it and give those that are to be imported",
            files.len()
        )));
    };
    let entry = archive.by_index_raw(only).map_err(|error| failed(&error))?;
    let (method, size, crc) = (entry.compression(), entry.compressed_size(), entry.crc32());
    let start =
        entry.data_start().ok_or_else(|| failed(&"the archive tells no place of its file"))?;
    let encrypted = entry.encrypted();
    let inner = entry.name().map(Cow::into_owned).map_err(|error| failed(&error))?;
    drop(entry);
    refuse_other(name, &inner).map_err(|what| failed(&what))?;
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|error| failed(&error))?;
    let packed = file.take(size);
    if encrypted {
        return Err(failed(&"the archive is encrypted"));
    }
    let bytes: Box<dyn Read + Send> = if method == CompressionMethod::Stored {
        Box::new(packed)
    } else if method == CompressionMethod::Deflated {
        Box::new(DeflateDecoder::new(packed))
    } else {
        return Err(failed(&format!("packed by {method}: unpack it")));
    };
    Ok(Box::new(Checked { bytes: CrcReader::new(bytes), crc }))
}

/// What an archive is called must not be another thing than what lies in it.
fn refuse_other(archive: &str, inner: &str) -> Result<(), String> {
    let file = |name: &str| {
        Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
    };
    let [archive, inner] = [archive, inner].map(file);
    let symbols = (symbol_of_name(&archive), symbol_of_name(&inner));
    let types = (named_type(&archive), named_type(&inner));
    let (outside, inside) = match (symbols, types) {
        ((Some(outside), Some(inside)), _) if outside != inside => (outside, inside),
        (_, (Some(outside), Some(inside))) if outside != inside => {
            (outside.to_owned(), inside.to_owned())
        }
        _ => return Ok(()),
    };
    Err(format!("its name says {outside}, and what it holds is called {inner}, which is {inside}"))
}

/// Finds at its end that the bytes are those that were packed.
struct Checked {
    bytes: CrcReader<Box<dyn Read + Send>>,
    crc: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.bytes.crc().sum() != self.crc {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the checksum of the archive does not fit",
            ));
        }
        Ok(count)
    }
}
