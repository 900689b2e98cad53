//! The journal's words as they are.

use loom::sync::atomic::{AtomicU32, AtomicU64};

use crate::run::Words;

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
}

#[path = "../../../core/src/journal/words.rs"]
mod words;

pub(crate) struct Real;

impl Words for Real {
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
