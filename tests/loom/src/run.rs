//! Runs models, and controls that must fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use loom::sync::atomic::{AtomicU32, AtomicU64};

/// The journal's words, as they are or weakened.
pub(crate) trait Words: 'static {
    fn publish(word: &AtomicU32, length: u32);
    fn write_slot(slot: &[AtomicU64], values: &[u64], checksum: u64);
    fn read_slot(slot: &[AtomicU64], values: &mut [u64]) -> u64;
    fn read_pair<const N: usize>(read: impl Fn(u64) -> Option<[u64; N]>) -> Option<[u64; N]>;
}

/// Switches between threads that are forced on a run: what goes wrong mostly does with two.
const PREEMPTIONS: usize = 3;

/// Every interleaving of the model holds.
pub(crate) fn holds(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(model);
}

/// Some interleaving of the model does not hold.
pub(crate) fn fails(model: impl Fn() + Sync + Send + 'static) {
    let outcome = catch_unwind(AssertUnwindSafe(|| holds(model)));
    assert!(outcome.is_err(), "the control must fail, or the model shows nothing");
}
