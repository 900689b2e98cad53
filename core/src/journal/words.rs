//! The words by which a writer tells others how far it is: the publish word of a record, and pairs of slots.
//!
//! This file uses nothing but atomics, so that the models in `tests/loom` run over the very same code.

use super::atomic::{AtomicU32, AtomicU64, Ordering};

/// Publishes a record by its length. Release: who sees the length sees all that was written before.
pub(super) fn publish(word: &AtomicU32, length: u32) {
    word.store(length, Ordering::Release);
}

/// Writes the values of a slot and its checksum behind them. The checksum goes last: who reads it with
/// `read_slot` sees all that was written before.
///
/// One writer writes the two slots of a pair in turn, so that the other one is whole at any moment.
pub(super) fn write_slot(slot: &[AtomicU64], values: &[u64], checksum: u64) {
    for (word, value) in slot.iter().zip(values) {
        // Whoever reads a mixture of old and new finds that the checksum does not hold. Release, because who
        // finds a slot half written must then find the other one whole: it pairs with `read_slot`.
        word.store(*value, Ordering::Release);
    }
    slot[values.len()].store(checksum, Ordering::Release);
}

/// Reads the values of a slot and returns the checksum that stands behind them. It is read first; the
/// Acquires pair with the Releases of `write_slot`.
pub(super) fn read_slot(slot: &[AtomicU64], values: &mut [u64]) -> u64 {
    let checksum = slot[values.len()].load(Ordering::Acquire);
    for (word, value) in slot.iter().zip(values) {
        *value = word.load(Ordering::Acquire);
    }
    checksum
}

/// The values of the newer slot of a pair. `read` reads the slot of a turn, 0 or 1, and says nothing when
/// that slot does not verify. Who reads a pair again and again never sees it go back.
///
/// `None` when both were being written meanwhile: ask again.
pub(super) fn read_pair<const N: usize>(
    read: impl Fn(u64) -> Option<[u64; N]>,
) -> Option<[u64; N]> {
    match (read(0), read(1)) {
        // The first may have been read before the writer went twice around: it is whole, and may be old.
        (Some(_), None) => read(0),
        (first, second) => newer(first, second),
    }
}

/// The slot with the larger number of those that are valid.
pub(super) fn newer<const N: usize>(a: Option<[u64; N]>, b: Option<[u64; N]>) -> Option<[u64; N]> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b[0] > a[0] { b } else { a }),
        (one, other) => one.or(other),
    }
}
