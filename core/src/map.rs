//! Pieces of a file as memory, read without a copy.
//!
//! A capture that was decoded beforehand is read this way. One piece is mapped at a time, so that memory does not
//! grow with the file. Such files are written once, under another name, and never changed: whoever cuts one short
//! while it is read stops the process, as with any mapped file.

#![allow(unsafe_code, reason = "a mapped file is memory that the language does not know")]

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// A read-only map of one piece of a file.
#[derive(Debug)]
pub struct FilePiece {
    map: Mmap,
    /// Bytes in front of the piece: maps begin on pages.
    lead: usize,
}

/// Bytes of a page at most: maps begin at multiples of it.
const PAGE_BYTES: u64 = 65_536;

impl FilePiece {
    /// Maps `bytes` bytes of a file from `start` on, and reads them in.
    ///
    /// # Errors
    /// The piece does not lie in the file, or the system refuses.
    pub fn map(file: &File, start: u64, bytes: usize) -> io::Result<Self> {
        let end = start.checked_add(bytes as u64);
        if end.is_none_or(|end| end > file.metadata().map_or(0, |facts| facts.len())) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let first = start - start % PAGE_BYTES;
        let lead = usize::try_from(start - first).map_err(io::Error::other)?;
        let mut options = MmapOptions::new();
        options.offset(first).len(lead + bytes).populate();
        // SAFETY: the map is private and read-only, so that nothing in this process writes to it; that nobody else
        // changes the file while it is mapped is promised by how such files are made, see the head of this file.
        let map = unsafe { options.map_copy_read_only(file)? };
        Ok(Self { map, lead })
    }

    /// The bytes of the piece.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.map[self.lead..]
    }
}

#[cfg(all(test, not(miri)))]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// A file longer than two pages, and what is in it.
    fn file() -> (File, Vec<u8>) {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    proptest! {
        #[test]
        fn any_piece_is_what_lies_there(start in 0_usize..200_000, bytes in 1_usize..200_000) {
            let (file, all) = file();
            let piece = FilePiece::map(&file, start as u64, bytes);
            match all.get(start..start + bytes) {
                Some(expected) => {
                    let piece = piece.unwrap();
                    prop_assert_eq!(piece.bytes(), expected);
                }
                None => prop_assert_eq!(piece.unwrap_err().kind(), io::ErrorKind::UnexpectedEof),
            }
        }
    }

    #[test]
    fn what_no_file_has_is_refused() {
        let (file, _) = file();
        assert!(FilePiece::map(&file, u64::MAX, 8).is_err());
    }
}
