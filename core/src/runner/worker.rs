//! What one thread does, and what the threads of a run tell each other.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;

use crossbeam_utils::{Backoff, CachePadded};

use super::crew::Member;
use super::threads::{Gating, Idle};
use super::{RunError, last_polls, panicked};
use crate::kill::{KillSwitch, Level};
use crate::stage::DoneSeq;

/// Bytes of stack that a thread touches before it starts, so that it meets no page fault there later.
const STACK_BYTES: usize = 256 << 10;

/// What the threads of a run share. None of it is read per event but the two flags, which do not change until
/// the end and so stay in every core's cache.
pub(super) struct Shared<'a> {
    pub(super) done: &'a DoneSeq,
    pub(super) kill: &'a KillSwitch,
    pub(super) gating: Gating,
    pub(super) idle: Idle,
    /// Who waits for the threads.
    waiter: Thread,
    feed_ended: CachePadded<AtomicBool>,
    over: CachePadded<AtomicBool>,
    /// Threads that are ready to start.
    ready: AtomicUsize,
    started: AtomicBool,
    left: AtomicUsize,
    failure: OnceLock<RunError>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        done: &'a DoneSeq,
        kill: &'a KillSwitch,
        gating: Gating,
        idle: Idle,
        threads: usize,
    ) -> Self {
        Self {
            done,
            kill,
            gating,
            idle,
            waiter: std::thread::current(),
            feed_ended: CachePadded::default(),
            over: CachePadded::default(),
            ready: AtomicUsize::new(0),
            started: AtomicBool::new(false),
            left: AtomicUsize::new(threads),
            failure: OnceLock::new(),
        }
    }

    /// The feed has put its last input on the ring. Release pairs with `has_feed_ended`: who sees it finds the
    /// input.
    pub(super) fn feed_ended(&self) {
        if !self.feed_ended.load(Ordering::Relaxed) {
            self.feed_ended.store(true, Ordering::Release);
        }
    }

    pub(super) fn has_feed_ended(&self) -> bool {
        self.feed_ended.load(Ordering::Acquire)
    }

    /// The run is over. Release pairs with `is_over`.
    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// The run is over before its time; the first reason counts. Nothing leaves any more from here on but the
    /// gateway's own cancel-all.
    #[cold]
    pub(super) fn fail(&self, why: RunError) {
        // An error means that another reason was first.
        let _ = self.failure.set(why);
        self.kill.raise(Level::Dead);
        self.finish();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<&RunError> {
        self.failure.get()
    }

    /// True when every thread is ready, or one of them can not be.
    pub(super) fn all_ready(&self, threads: usize) -> bool {
        self.ready.load(Ordering::Acquire) == threads || self.is_over()
    }

    /// Lets the threads go.
    pub(super) fn start(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Threads that have not ended.
    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    fn await_start(&self) {
        self.ready.fetch_add(1, Ordering::AcqRel);
        self.waiter.unpark();
        let backoff = Backoff::new();
        while !self.started.load(Ordering::Acquire) && !self.is_over() {
            backoff.snooze();
        }
    }

    fn leave(&self) {
        self.left.fetch_sub(1, Ordering::AcqRel);
        self.waiter.unpark();
    }
}

/// The life of a thread. `settle` gives it its core and priority.
pub(super) fn live(
    members: &mut [Member<'_>],
    shared: &Shared<'_>,
    settle: impl FnOnce() -> Result<(), RunError>,
) {
    touch_stack();
    let settled = settle();
    let failed = settled.is_err();
    if let Err(why) = settled {
        shared.fail(why);
    }
    shared.await_start();
    if !failed {
        let at = Cell::new("");
        let outcome = catch_unwind(AssertUnwindSafe(|| work(members, shared, &at)));
        if let Err(panic) = outcome {
            shared.fail(panicked(at.get(), &*panic));
        }
    }
    if shared.failure().is_some() {
        for member in members {
            if let Member::Gateway(gateway) = member {
                last_polls(*gateway);
            }
        }
    }
    shared.leave();
}

/// Polls the members until the run is over, which stand in the order of the pipeline. `at` is told which one.
///
/// What is farthest down goes first, and a stage is polled only when nothing behind it in this thread moves: a frame
/// is driven to its end, as far as this thread has it, before the next one is taken up. In a burst frames wait at
/// the feed, and not half done in the middle.
fn work(members: &mut [Member<'_>], shared: &Shared<'_>, at: &Cell<&'static str>) {
    let backoff = Backoff::new();
    while !shared.is_over() {
        let moved = members.iter_mut().rev().any(|member| {
            at.set(member.name());
            member.poll(shared) > 0
        });
        if moved {
            backoff.reset();
            continue;
        }
        let rested: usize = members.iter_mut().map(Member::rest).sum();
        if rested == 0 {
            match shared.idle {
                Idle::Spin => std::hint::spin_loop(),
                Idle::Backoff => backoff.snooze(),
            }
        }
    }
}

#[inline(never)]
fn touch_stack() {
    let mut room = [0_u8; STACK_BYTES];
    std::hint::black_box(&mut room);
}
