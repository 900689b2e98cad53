//! The publish word: who sees the length of a record sees the record.

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{Acquire, Relaxed};
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::thread;

use crate::real::Real;
use crate::run::{Words, fails, holds};
use crate::weak::Weak;

const RECORDS: usize = 3;

/// Each record is its word and two pieces of what it says.
#[derive(Default)]
struct Segment([(AtomicU32, [AtomicU64; 2]); RECORDS]);

fn model<W: Words>() {
    let segment = Arc::new(Segment::default());
    let writer = {
        let segment = Arc::clone(&segment);
        thread::spawn(move || {
            for (number, (word, pieces)) in (1..).zip(&segment.0) {
                pieces[0].store(number, Relaxed);
                pieces[1].store(number * 10, Relaxed);
                W::publish(word, 24);
            }
        })
    };
    for (number, (word, pieces)) in (1..).zip(&segment.0) {
        match word.load(Acquire) {
            0 => break,
            length => assert_eq!(length, 24),
        }
        assert_eq!(pieces[0].load(Relaxed), number);
        assert_eq!(pieces[1].load(Relaxed), number * 10);
    }
    writer.join().unwrap();
}

#[test]
fn who_sees_a_record_published_sees_the_record() {
    holds(model::<Real>);
}

#[test]
fn without_release_a_record_may_be_seen_half() {
    fails(model::<Weak>);
}
