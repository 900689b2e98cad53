//! Pairs of slots, written in turn: there is always a whole one, it never goes back, and what it names is there.

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use crate::real::Real;
use crate::run::{Words, fails, holds};
use crate::weak::Weak;

/// A pair of slots of two values and a checksum.
#[derive(Default)]
pub(crate) struct Pair([[AtomicU64; 3]; 2]);

/// Any mixture of two writes has another one.
fn checksum([seq, position]: [u64; 2]) -> u64 {
    seq * 1_000 + position
}

/// The position that belongs to an event.
pub(crate) fn position(seq: u64) -> u64 {
    seq * 10
}

impl Pair {
    pub(crate) fn write<W: Words>(&self, turn: u64, seq: u64) {
        let values = [seq, position(seq)];
        W::write_slot(&self.0[turn as usize % 2], &values, checksum(values));
    }

    fn slot<W: Words>(&self, turn: u64) -> Option<[u64; 2]> {
        let mut values = [0; 2];
        let sum = W::read_slot(&self.0[turn as usize], &mut values);
        (sum == checksum(values) && sum > 0).then_some(values)
    }

    /// One try to read the event that the pair names.
    pub(crate) fn read<W: Words>(&self) -> Option<u64> {
        let [seq, place] = W::read_pair(|turn| self.slot::<W>(turn))?;
        assert_eq!(place, position(seq), "a slot that verifies is whole");
        Some(seq)
    }

    /// The same without looking again at a slot that may be old.
    fn read_naively<W: Words>(&self) -> Option<u64> {
        let slots = [self.slot::<W>(0), self.slot::<W>(1)];
        slots.into_iter().flatten().map(|[seq, _]| seq).max()
    }
}

#[derive(Default)]
struct Lane {
    pair: Pair,
    /// How far the records are.
    data: AtomicU64,
}

/// A stage handles some events; the keeper looks twice.
fn model<W: Words>(events: u64, read: fn(&Pair) -> Option<u64>) {
    let lane = Arc::new(Lane::default());
    lane.pair.write::<W>(0, 1);
    lane.pair.write::<W>(1, 2);
    lane.data.store(position(2), Relaxed);
    let writer = {
        let lane = Arc::clone(&lane);
        thread::spawn(move || {
            for turn in 2..2 + events {
                lane.data.store(position(turn + 1), Relaxed);
                lane.pair.write::<W>(turn, turn + 1);
            }
        })
    };
    let mut before = 2;
    for _ in 0..2 {
        // Both slots may have been written meanwhile: then there is nothing to be said, and one asks again.
        if let Some(seq) = read(&lane.pair) {
            assert!(seq >= before, "{seq} after {before}");
            assert!(lane.data.load(Relaxed) >= position(seq), "what it names is there");
            before = seq;
        }
    }
    writer.join().unwrap();
    assert_eq!(read(&lane.pair), Some(2 + events), "nobody writes: it is whole, and the last");
}

#[test]
fn a_pair_is_whole_never_goes_back_and_names_what_is_there() {
    holds(|| model::<Real>(2, Pair::read::<Real>));
}

#[test]
fn without_ordering_a_pair_names_what_is_not_there() {
    fails(|| model::<Weak>(1, Pair::read::<Weak>));
}

#[test]
fn a_pair_that_is_read_only_once_goes_back() {
    fails(|| model::<Real>(2, Pair::read_naively::<Real>));
}

#[test]
fn a_writer_that_dies_in_a_slot_leaves_the_other() {
    holds(|| {
        for written in 0..3 {
            let pair = Pair::default();
            pair.write::<Real>(0, 7);
            pair.write::<Real>(1, 8);
            let values = [9, position(9), checksum([9, position(9)])];
            for (word, value) in pair.0[0].iter().zip(values).take(written) {
                word.store(value, Relaxed);
            }
            assert_eq!(pair.read::<Real>(), Some(8));
        }
    });
}
