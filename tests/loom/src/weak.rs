//! The journal's words with every ordering relaxed: what must fail.

use loom::sync::atomic::{AtomicU32, AtomicU64};

use crate::run::Words;

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64};

    pub(super) use super::relaxed as Ordering;
}

#[allow(non_upper_case_globals, reason = "they stand in for the variants of `Ordering`")]
mod relaxed {
    use loom::sync::atomic::Ordering;

    pub(super) const Release: Ordering = Ordering::Relaxed;
    pub(super) const Acquire: Ordering = Ordering::Relaxed;
}

#[allow(clippy::duplicate_mod, reason = "the same words over other atomics")]
#[path = "../../../core/src/journal/words.rs"]
mod words;

pub(crate) struct Weak;

impl Words for Weak {
    fn publish(word: &AtomicU32, length: u32) {
        words::publish(word, length);
    }

    fn write_slot(slot: &[AtomicU64], values: &[u64], checksum: u64) {
        words::write_slot(slot, values, checksum);
    }

    fn read_slot(slot: &[AtomicU64], values: &mut [u64]) -> u64 {
        words::read_slot(slot, values)
    }

    fn read_pair<const N: usize>(read: impl Fn(u64) -> Option<[u64; N]>) -> Option<[u64; N]> {
        words::read_pair(read)
    }
}
