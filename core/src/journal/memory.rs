//! The bytes of a mapped file. All `unsafe` of the journal is here and in `hardware`, which is what the
//! processor has for checksums of them.
//!
//! Other processes look at the files by reading them, never through a map, so that within this process the
//! rules of the language hold: a segment has one owner, and what several threads share are atomics.

#![allow(unsafe_code, reason = "a mapped file is memory that the language does not know")]

pub(super) mod hardware;

use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::MmapRaw;

/// Bytes of a page: the least that any system has.
const PAGE_BYTES: usize = 4_096;

/// Mapped bytes. In tests they may lie on the heap, where Miri can watch them.
#[derive(Debug)]
pub(crate) enum Memory {
    /// A mapped file.
    File(MmapRaw),
    /// Eight bytes a word.
    #[cfg(test)]
    Heap(Box<[AtomicU64]>),
}

impl Memory {
    /// Zeros on the heap.
    #[cfg(test)]
    pub(crate) fn heap(bytes: usize) -> Self {
        Self::Heap((0..bytes / 8).map(|_| AtomicU64::new(0)).collect())
    }

    fn pointer(&self) -> *mut u8 {
        match self {
            Self::File(map) => map.as_mut_ptr(),
            #[cfg(test)]
            Self::Heap(words) => words.as_ptr().cast_mut().cast(),
        }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::File(map) => map.len(),
            #[cfg(test)]
            Self::Heap(words) => words.len() * 8,
        }
    }

    /// The bytes, for the one who owns them.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: pointer and length are those of one live allocation or map, which lives as long as `self`;
        // `&mut self` keeps every other reference to it away, and nobody else maps the file.
        unsafe { std::slice::from_raw_parts_mut(self.pointer(), self.len()) }
    }

    /// The four bytes at `at` as an atomic.
    ///
    /// # Panics
    /// When they are not aligned or not inside.
    pub(super) fn word32(&mut self, at: usize) -> &AtomicU32 {
        assert!(at.is_multiple_of(4) && at + 4 <= self.len(), "an aligned word inside");
        // SAFETY: the word lies inside and is aligned, because maps begin on pages and the heap's words are
        // eight bytes wide; it lives as long as `self`, and `&mut self` keeps plain references away.
        unsafe { AtomicU32::from_ptr(self.pointer().add(at).cast()) }
    }

    /// `count` words of eight bytes from `at`, which threads may share.
    ///
    /// # Panics
    /// When they are not aligned or not inside.
    pub(crate) fn words(&self, at: usize, count: usize) -> &[AtomicU64] {
        assert!(at.is_multiple_of(8) && at + count * 8 <= self.len(), "aligned words inside");
        // SAFETY: the words lie inside and are aligned, see `word32`; an `AtomicU64` has the layout of its
        // number, and whoever shares a `Memory` reaches its bytes only through these atomics.
        unsafe { std::slice::from_raw_parts(self.pointer().add(at).cast(), count) }
    }

    /// Writes zeros to every page but the first, which holds something, so that who uses them first meets no
    /// page fault.
    pub(crate) fn touch(&mut self) {
        let pointer = self.pointer();
        for at in (PAGE_BYTES..self.len()).step_by(PAGE_BYTES) {
            // SAFETY: `at` lies inside, and `&mut self` keeps everybody else away. Volatile, because nobody
            // here ever reads the zero back.
            unsafe { pointer.add(at).write_volatile(0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn bytes_words_and_pages_are_the_same_memory() {
        let mut memory = Memory::heap(8_192);
        memory.bytes_mut()[8..16].copy_from_slice(&7_u64.to_le_bytes());
        assert_eq!(memory.words(8, 1)[0].load(Ordering::Relaxed), 7);
        memory.word32(4_096).store(9, Ordering::Relaxed);
        assert_eq!(memory.bytes_mut()[4_096], 9);
        memory.touch();
        assert_eq!((memory.bytes_mut()[4_096], memory.bytes_mut()[8]), (0, 7));
        let shared = memory.words(16, 2);
        std::thread::scope(|scope| {
            scope.spawn(|| shared[0].store(1, Ordering::Relaxed));
            scope.spawn(|| shared[1].store(2, Ordering::Relaxed));
        });
        assert_eq!(memory.bytes_mut()[16..32].iter().filter(|b| **b > 0).count(), 2);
    }
}
