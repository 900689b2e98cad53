//! The bytes of a recording, decompressed as they are read. What a file is shows in its first bytes:
//! names lie too often.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Compressed bytes read at a time.
const CHUNK_BYTES: usize = 128 * 1024;
/// Bytes that tell the compression.
const MAGIC_BYTES: usize = 4;

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// gzip, one member or several.
    Gzip,
    /// zstd, one frame or several.
    Zstd,
    /// A zip archive, which is not read.
    Zip,
}

impl Packing {
    fn of(magic: &[u8]) -> Self {
        match *magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // The second is a skippable frame, with which parallel compressors begin.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Self::Zstd,
            // An archive, an empty archive, an archive in parts.
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] | [b'P', b'K', 7, 8] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

/// An opened input.
pub(super) struct Source {
    /// The decompressed bytes.
    pub(super) bytes: Box<dyn Read + Send>,
    /// How the input is packed.
    pub(super) packing: Packing,
    /// Bytes taken from the input so far.
    pub(super) taken: Arc<AtomicU64>,
}

impl Source {
    /// Looks at the first bytes and sets up the decompressor.
    ///
    /// # Errors
    /// What the input or the decompressor's set-up says.
    pub(super) fn open(input: Box<dyn Read + Send>) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut input = Counted { input, taken: Arc::clone(&taken) };
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        input.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
        let packing = Packing::of(&magic);
        let whole = Cursor::new(magic).chain(input);
        let bytes: Box<dyn Read + Send> = match packing {
            Packing::Plain | Packing::Zip => Box::new(whole),
            Packing::Gzip => Box::new(MultiGzDecoder::new(buffered(whole))),
            Packing::Zstd => Box::new(zstd::Decoder::with_buffer(buffered(whole))?),
        };
        Ok(Self { bytes, packing, taken })
    }
}

fn buffered<R: Read>(input: R) -> BufReader<R> {
    BufReader::with_capacity(CHUNK_BYTES, input)
}

/// Counts what is read, so that a progress bar can show it.
struct Counted {
    input: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        // Nothing else is published by this count, so it needs no order.
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::testing::{gzip, zstd};

    fn unpack(packed: Vec<u8>) -> (Packing, io::Result<Vec<u8>>) {
        let mut source = Source::open(Box::new(Cursor::new(packed))).unwrap();
        let mut bytes = Vec::new();
        let result = source.bytes.read_to_end(&mut bytes);
        (source.packing, result.map(|_| bytes))
    }

    #[test]
    fn content_tells_the_packing() {
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7][..], &zstd(b"abc")].concat();
        for (packed, packing) in [
            (b"abc".to_vec(), Packing::Plain),
            (gzip(b"abc"), Packing::Gzip),
            ([gzip(b"a"), gzip(b""), gzip(b"bc")].concat(), Packing::Gzip),
            (zstd(b"abc"), Packing::Zstd),
            ([zstd(b"a"), zstd(b"bc")].concat(), Packing::Zstd),
            (skippable, Packing::Zstd),
        ] {
            let (found, bytes) = unpack(packed);
            assert_eq!((found, bytes.unwrap()), (packing, b"abc".to_vec()));
        }
        assert_eq!(Packing::of(b"PK\x03\x04"), Packing::Zip);
        assert_eq!(Packing::of(b"PK"), Packing::Plain);
    }

    #[test]
    fn short_input_is_plain() {
        for text in ["", "a", "abcd"] {
            let (packing, bytes) = unpack(text.as_bytes().to_vec());
            assert_eq!((packing, bytes.unwrap()), (Packing::Plain, text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn every_cut_of_packed_data_shows_as_an_early_end() {
        let text = b"1723161255030314667 {}\n".repeat(200);
        for packed in [gzip(&text), zstd(&text), [gzip(&text), gzip(&text)].concat()] {
            let first_member = gzip(&text).len();
            for end in MAGIC_BYTES..packed.len() {
                let (packing, result) = unpack(packed[..end].to_vec());
                // Nobody can see that a whole member is missing.
                if packing == Packing::Gzip && end == first_member {
                    continue;
                }
                let error = result.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{end}: {error}");
            }
        }
    }
}
