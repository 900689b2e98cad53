//! The synced watermark: it is written after the sync that it names, and the sync after the word of the stage.

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use crate::real::Real;
use crate::run::{Words, fails, holds};
use crate::slots::{Pair, position};
use crate::weak::Weak;

#[derive(Default)]
struct Journal {
    done: Pair,
    synced: Pair,
    /// How far the records are in memory.
    data: AtomicU64,
    /// How far they are on the medium.
    medium: AtomicU64,
}

/// When the keeper says how far it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    SyncFirst,
    WordFirst,
}

/// A stage handles events, the keeper syncs, and the power fails at any moment.
fn model<W: Words>(order: Order) {
    let journal = Arc::new(Journal::default());
    for turn in 0..2 {
        journal.done.write::<W>(turn, 1);
        journal.synced.write::<W>(turn, 1);
    }
    journal.data.store(position(1), Relaxed);
    journal.medium.store(position(1), Relaxed);
    let stage = {
        let journal = Arc::clone(&journal);
        thread::spawn(move || {
            journal.data.store(position(2), Relaxed);
            journal.done.write::<W>(2, 2);
        })
    };
    let keeper = {
        let journal = Arc::clone(&journal);
        thread::spawn(move || {
            let Some(seq) = journal.done.read::<W>() else { return };
            // A sync brings what the keeper's processor sees of the pages to the medium.
            let sync = || journal.medium.store(journal.data.load(Relaxed), Relaxed);
            if order == Order::SyncFirst {
                sync();
            }
            journal.synced.write::<W>(2, seq);
            if order == Order::WordFirst {
                sync();
            }
        })
    };
    if let Some(seq) = journal.synced.read::<W>() {
        assert!(
            journal.medium.load(Relaxed) >= position(seq),
            "the watermark was written after the sync"
        );
    }
    stage.join().unwrap();
    keeper.join().unwrap();
}

#[test]
fn what_the_watermark_names_is_on_the_medium() {
    holds(|| model::<Real>(Order::SyncFirst));
}

#[test]
fn a_watermark_that_is_written_first_names_what_is_not_there() {
    fails(|| model::<Real>(Order::WordFirst));
}

#[test]
fn without_ordering_a_watermark_names_what_is_not_there() {
    fails(|| model::<Weak>(Order::SyncFirst));
}
