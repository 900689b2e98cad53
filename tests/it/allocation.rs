//! After warm-up nothing is allocated between frame and order (invariant 4).

#![allow(unsafe_code, reason = "a counting allocator can not be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use fusewire_core::book::BookConfig;
use fusewire_core::books::Books;
use fusewire_core::instrument::{Market, Universe, common};
use fusewire_core::market::{Body, LevelRange};
use fusewire_core::message::{BookInput, Input, InputBody};
use fusewire_core::units::Nanos;
use fusewire_io::capture::Origin as CaptureOrigin;
use fusewire_io::feed::{Context, Feed};
use fusewire_io::synth::{Options, Scenario, Synth};
use fusewire_strategies::registry::{AnyStrategy, StrategyConfig};

use crate::contract::rig::{Rig, Setup};
use crate::contract::walk::Fed;

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
    let context = Context {
        market: Market::UsdM,
        origin: CaptureOrigin::Stream,
        only_symbol: Some("BTCUSDT"),
    };
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

/// The inputs of a capture, decoded.
fn decoded(options: &Options, universe: &Universe) -> Vec<Fed> {
    let mut synth = Synth::new(options).unwrap();
    let mut feed = Feed::new(universe.clone());
    let context = Context {
        market: Market::UsdM,
        origin: CaptureOrigin::Stream,
        only_symbol: Some("BTCUSDT"),
    };
    let (mut line, mut inputs) = (Vec::new(), Vec::new());
    while synth.next_line(&mut line) {
        let at = line.iter().position(|&b| b == b' ').unwrap();
        let recv = std::str::from_utf8(&line[..at]).unwrap().parse().map(Nanos).unwrap();
        let frame = inputs.len() as u64 + 1;
        feed.take(&line[at + 1..], &context, |instrument, message, decoded| {
            let (body, range) = input_of(&message.body);
            let (bids, asks) = (decoded.bids(range).to_vec(), decoded.asks(range).to_vec());
            inputs.push(Fed { input: Input { recv, frame, instrument, body }, bids, asks });
        })
        .unwrap();
        line.clear();
    }
    inputs
}

fn input_of(body: &Body) -> (InputBody, LevelRange) {
    match body {
        Body::Depth(depth) => {
            let LevelRange { bids, asks, .. } = depth.levels;
            (InputBody::Book(BookInput::Diff { ids: depth.ids, bids, asks }), depth.levels)
        }
        Body::Snapshot(snapshot) => {
            let (last_id, LevelRange { bids, asks, .. }) = (snapshot.last_id, snapshot.levels);
            (InputBody::Book(BookInput::Snapshot { last_id, bids, asks }), snapshot.levels)
        }
        Body::BookTicker(ticker) => (InputBody::Ticker(*ticker), LevelRange::default()),
        Body::Trade(trade) => (InputBody::Trade(*trade), LevelRange::default()),
        Body::AggTrade(trade) => (InputBody::AggTrade(*trade), LevelRange::default()),
        Body::Mark(mark) => (InputBody::Mark(*mark), LevelRange::default()),
        Body::Liquidation(forced) => (InputBody::Liquidation(*forced), LevelRange::default()),
        _ => (InputBody::Nothing, LevelRange::default()),
    }
}

/// From decoded input to order and back: sequencer, strategies, risk, gateway and paper venue.
#[test]
fn the_pipeline_allocates_nothing_after_warm_up() {
    let options = Options { scenario: Scenario::Burst, minutes: 2, ..Options::default() };
    let mut setup = Setup::new(1, 1);
    setup.books = BookConfig::default();
    setup.levels = 4_096;
    setup.sequencer.levels = 5;
    let universe = Universe::new(setup.instruments.clone()).unwrap();
    let inputs = decoded(&options, &universe);
    let strategies = ["quoter", "taker"]
        .map(|name| AnyStrategy::by_name(name, &StrategyConfig::default()).unwrap());
    let mut rig = Rig::new(&setup, inputs, strategies.into(), |paper| paper);
    let mut late = 0;
    let mut more = true;
    while more {
        let before = allocations();
        more = rig.next_event();
        if rig.head.seq() > 5_000 {
            late += allocations() - before;
        }
    }
    let stats = rig.gateway.venue().stats();
    assert!(rig.head.seq() > 20_000 && stats.fills() > 20 && stats.amended > 20, "{stats:?}");
    assert!(rig.risk.counts().own > 0, "queries are asked");
    assert_eq!(late, 0, "allocations after warm-up in {} events", rig.head.seq());
}
