//! After warm-up, decoding a frame and applying it to its book allocates nothing (invariant 4).

#![allow(unsafe_code, reason = "a counting allocator can not be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use fusewire_core::book::BookConfig;
use fusewire_core::books::Books;
use fusewire_core::instrument::{Market, Universe, common};
use fusewire_io::capture::Origin;
use fusewire_io::feed::{Context, Feed};
use fusewire_io::synth::{Options, Scenario, Synth};

thread_local! {
    /// Allocations of this thread, counted so that other tests do not disturb.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system allocator unchanged; the counter is a plain thread-local cell
// without destructor, so that touching it never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on as it is.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System.alloc` with this layout, see above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn decode_and_book_allocate_nothing_after_warm_up() {
    let options = Options { scenario: Scenario::Burst, minutes: 2, ..Options::default() };
    let mut synth = Synth::new(&options).unwrap();
    let universe = Universe::new(vec![common(Market::UsdM, "BTCUSDT").unwrap()]).unwrap();
    let mut books = Books::new(&universe, &BookConfig::default());
    let mut feed = Feed::new(universe);
    let context =
        Context { market: Market::UsdM, origin: Origin::Stream, only_symbol: Some("BTCUSDT") };
    let (mut line, mut frames, mut late) = (Vec::with_capacity(1 << 20), 0_u64, 0);
    while synth.next_line(&mut line) {
        let at = line.iter().position(|&b| b == b' ').unwrap();
        let before = allocations();
        feed.take(&line[at + 1..], &context, |id, message, decoded| {
            books.apply(id, message, decoded);
        })
        .unwrap();
        frames += 1;
        // The snapshot, a second in, is the largest frame that the arenas grow to.
        if frames > 2_000 {
            late += allocations() - before;
        }
        line.clear();
    }
    assert!(frames > 10_000 && feed.counts().messages.iter().sum::<u64>() == frames);
    assert_eq!(late, 0, "allocations after warm-up in {frames} frames");
    assert!(allocations() > 0, "the counter counts");
}
