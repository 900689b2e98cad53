//! The words by which a writer tells others how far it is: the publish word of a record, and pairs of slots.
//!
//! This file uses nothing but atomics, so that the models in `tests/loom` run over the very same code.

use super::atomic::{AtomicU32, AtomicU64, Ordering};

/// Publishes a record by its length. Release: who sees the length sees all that was written before.
pub(super) fn publish(word: &AtomicU32, length: u32) {
    word.store(length, Ordering::Release);
}

/// Writes the values of a slot and its checksum behind them. The checksum goes last, with Release: who reads it
/// with `read_slot` sees all that was written before.
///
/// One writer writes the two slots of a pair in turn, so that the other one is whole at any moment.
pub(super) fn write_slot(slot: &[AtomicU64], values: &[u64], checksum: u64) {
    for (word, value) in slot.iter().zip(values) {
        // Whoever reads a mixture of old and new finds that the checksum does not hold.
        word.store(*value, Ordering::Relaxed);
    }
    slot[values.len()].store(checksum, Ordering::Release);
}

/// Reads the values of a slot and returns the checksum that stands behind them. It is read first, with
/// Acquire: it pairs with the Release of `write_slot`.
pub(super) fn read_slot(slot: &[AtomicU64], values: &mut [u64]) -> u64 {
    let checksum = slot[values.len()].load(Ordering::Acquire);
    for (word, value) in slot.iter().zip(values) {
        *value = word.load(Ordering::Relaxed);
    }
    checksum
}
