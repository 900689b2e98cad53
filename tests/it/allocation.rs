//! After warm-up nothing is allocated between frame and order (invariant 4).

#![allow(unsafe_code, reason = "a counting allocator can not be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use fusewire_core::book::BookConfig;
use fusewire_core::books::Books;
use fusewire_core::instrument::{InstrumentId, Market, Universe, common};
use fusewire_core::journal::{JournalConfig, LaneReader, RealDisk, Strand, View};
use fusewire_core::lane::{Digest, Keep, Lane};
use fusewire_core::message::{Input, InputBody};
use fusewire_core::order::StrategyId;
use fusewire_core::ring::{LevelsConsumer, LevelsProducer, with_levels};
use fusewire_core::runner::Source;
use fusewire_core::sequencer::AssumedMark;
use fusewire_core::stage::Stage;
use fusewire_core::units::{Nanos, QtySum};
use fusewire_io::capture::{Merge, OpenOptions, Origin as CaptureOrigin, Reader};
use fusewire_io::feed::{Context, Feed, FeedStage, FrameStore, Recording};
use fusewire_io::synth::{Options, Scenario, Synth};
use fusewire_io::venue::paper::PaperVenue;
use fusewire_strategies::registry::{AnyStrategy, StrategyConfig};
use fusewire_tests::shared;

use crate::contract::recorded::{begin, end, small};
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
            let (body, range) =
                (InputBody::of(&message.body, decoded), InputBody::levels_of(&message.body));
            let (bids, asks) = (decoded.bids(range).to_vec(), decoded.asks(range).to_vec());
            inputs.push(Fed {
                input: Input { recv, frame, instrument, stamp: Default::default(), body },
                bids,
                asks,
            });
        })
        .unwrap();
        line.clear();
    }
    inputs
}

/// The setup of a run over a synthetic capture of BTCUSDT.
fn setup() -> Setup {
    let mut setup = Setup::new(1, 1);
    setup.books = BookConfig::default();
    setup.levels = 4_096;
    setup.sequencer.levels = 5;
    setup.sequencer.bar_interval_s = BAR_S;
    setup
}

/// Bars short enough that a follower of trends has many of them.
const BAR_S: u32 = 1;

/// All strategies that trade, over such a capture.
fn rig(setup: &Setup) -> Rig<AnyStrategy, PaperVenue> {
    let universe = Universe::new(setup.instruments.clone()).unwrap();
    Rig::new(setup, decoded(&burst(), &universe), strategies(), |paper| paper)
}

fn strategies() -> Vec<AnyStrategy> {
    let mut config = StrategyConfig::default();
    let trend = &mut config.smart_trend;
    (trend.bar_s, trend.fast_bars, trend.slow_bars) = (BAR_S, 2, 4);
    (trend.trend_pct, trend.pullback_pct, trend.entry_bars) = (1, 1, 20);
    ["quoter", "taker", "grid", "smart-trend"]
        .map(|name| AnyStrategy::by_name(name, &config).unwrap())
        .into()
}

fn burst() -> Options {
    Options { scenario: Scenario::Burst, minutes: 2, ..Options::default() }
}

/// Runs a rig to its end; returns what was allocated after warm-up.
fn allocations_behind<F: Source>(rig: &mut Rig<AnyStrategy, PaperVenue, F>) -> u64 {
    let (mut late, mut more) = (0, true);
    while more {
        let before = allocations();
        more = rig.next_event();
        if rig.head.seq() > 5_000 {
            late += allocations() - before;
        }
    }
    late
}

/// The same over the synthetic capture, and that there was something to do.
fn allocations_of(rig: &mut Rig<AnyStrategy, PaperVenue>) -> u64 {
    let late = allocations_behind(rig);
    let stats = rig.gateway.venue().stats();
    assert!(rig.head.seq() > 20_000 && stats.fills() > 20 && stats.amended > 20, "{stats:?}");
    assert!(rig.risk.counts().own > 0, "queries are asked");
    let followed = rig.alpha.portfolio().position_of(StrategyId(3), InstrumentId(0));
    assert!(followed.bought > QtySum::ZERO, "the follower of trends trades too: {followed:?}");
    late
}

/// From decoded input to order and back: sequencer, strategies, risk, gateway and paper venue.
#[test]
fn the_pipeline_allocates_nothing_after_warm_up() {
    let mut rig = rig(&setup());
    let late = allocations_of(&mut rig);
    assert_eq!(late, 0, "allocations after warm-up in {} events", rig.head.seq());
}

/// The same with a journal, from segment to segment. What its helper thread allocates is not counted.
#[test]
fn a_journal_allocates_nothing_on_the_pipelines_thread() {
    let folder = tempfile::tempdir().unwrap();
    // So much is kept free that lanes with few records come to the end of a segment too.
    let reserve = [32_768, 4_096, 16_640, 16_640, 16_640];
    let config = JournalConfig { segment_bytes: 20_480, reserve, ..small() };
    let (journal, lanes) = begin(folder.path(), &config, Box::new(RealDisk));
    let mut rig = rig(&setup());
    let feed = rig.record(lanes);
    let late = allocations_of(&mut rig);
    assert_eq!(late, 0, "allocations after warm-up in {} events", rig.head.seq());
    end(journal, feed, rig);
    let view = View::open(folder.path()).unwrap();
    for (lane, segments) in
        [(Lane::Event, 50), (Lane::Alpha, 2), (Lane::Risk, 2), (Lane::Gateway, 2)]
    {
        let last = view.lane(lane).end.segment();
        assert!(last >= segments, "lane {} has {last} segments", lane.name());
    }
}

/// The lines of a synthetic capture, in memory.
fn capture(options: &Options) -> Vec<u8> {
    let (mut synth, mut text) = (Synth::new(options).unwrap(), Vec::new());
    while synth.next_line(&mut text) {}
    text
}

/// A feed stage over a capture in memory, with the other end of its ring.
fn feed_stage(store: FrameStore) -> (FeedStage, LevelsConsumer<Input>) {
    let options = OpenOptions { market: Some(Market::UsdM), ..OpenOptions::default() };
    let text = Box::new(Cursor::new(capture(&burst())));
    let reader = Reader::from_read("usdm_btcusdt.ns", text, &options).unwrap();
    let recording = Recording {
        path: reader.name().to_owned(),
        market: Market::UsdM,
        only_symbol: Some("BTCUSDT".to_owned()),
        instruments: vec![InstrumentId(0)],
    };
    let universe = Universe::new(setup().instruments).unwrap();
    let (ring, inputs) = with_levels(64, 4_096);
    let merge = Merge::new(vec![reader]).unwrap();
    let stage = FeedStage::new(merge, vec![recording], Feed::new(universe), ring, Keep::Digest);
    (stage.storing(store), inputs)
}

/// The USD-M captures of 2024-08-08 as lines in memory, with the names that tell their market.
fn real_lines(shared: &Path) -> Vec<(String, Vec<u8>)> {
    let unpacked = |symbol: &str| {
        let name = format!("usdm_{symbol}_20240808.ns");
        let path = shared.join(format!("captures/ws_raw/2024-08-08/{name}.gz"));
        let (file, mut lines) = (File::open(path).unwrap(), Vec::new());
        MultiGzDecoder::new(file).read_to_end(&mut lines).unwrap();
        (name, lines)
    };
    ["btcusdt", "ethusdt"].map(unpacked).into()
}

/// A feed over recordings in memory, one for each symbol of the universe.
fn feed_of(
    recordings: Vec<(String, Vec<u8>)>,
    universe: &Universe,
    ring: LevelsProducer<Input>,
) -> FeedStage {
    let described = recordings.iter().zip(universe.iter());
    let described = described.map(|((path, _), (id, instrument))| Recording {
        path: path.clone(),
        market: Market::UsdM,
        only_symbol: Some(instrument.symbol.clone()),
        instruments: vec![id],
    });
    let (described, options) = (described.collect(), OpenOptions::default());
    let read = |(name, lines): (String, Vec<u8>)| {
        Reader::from_read(&name, Box::new(Cursor::new(lines)), &options).unwrap()
    };
    let merge = Merge::new(recordings.into_iter().map(read).collect()).unwrap();
    FeedStage::new(merge, described, Feed::new(universe.clone()), ring, Keep::Digest)
}

/// The whole path on real captures, with orders flowing: from the bytes of a line to the order, its fill and
/// the positions after it. Marks come from the assumption set, as they do in a replay of these captures.
#[test]
fn a_real_capture_allocates_nothing_after_warm_up() {
    let Some(shared) = shared("a_real_capture_allocates_nothing_after_warm_up") else { return };
    let mut setup = Setup::new(2, 1);
    (setup.books, setup.levels) = (BookConfig::default(), 65_536);
    setup.sequencer.levels = 5;
    setup.sequencer.assumed_mark = Some(AssumedMark::default());
    let universe = Universe::new(setup.instruments.clone()).unwrap();
    let recordings = real_lines(&shared);
    let mut rig = Rig::fed_by(
        |ring| feed_of(recordings, &universe, ring),
        &setup,
        strategies(),
        |paper| paper,
    );
    let late = allocations_behind(&mut rig);
    rig.inputs.finish().unwrap();
    let (frames, events) = (rig.inputs.lane().records(), rig.head.seq());
    let (sent, stats) = (rig.gateway.counts(), rig.gateway.venue().stats());
    assert!(frames > 150_000 && events > frames, "{frames} frames, {events} events");
    assert!(sent.new > 100 && sent.amends > 300 && stats.fills() > 200, "{sent:?} {stats:?}");
    assert_eq!(late, 0, "allocations after warm-up in {frames} frames");
}

/// Levels that follow an input.
fn levels_of(input: &Input) -> usize {
    match &input.body {
        InputBody::Book(book) => book.levels().0 + book.levels().1,
        _ => 0,
    }
}

/// Reading, decoding and the lane of the feed, with frames by reference and as copies.
#[test]
fn the_feed_allocates_nothing_after_warm_up_with_a_journal() {
    for (store, segments) in [(FrameStore::Reference, 4), (FrameStore::Copy, 20)] {
        let folder = tempfile::tempdir().unwrap();
        let (journal, lanes) = begin(folder.path(), &small(), Box::new(RealDisk));
        let [feed, rest @ ..] = lanes;
        let (mut stage, mut inputs) = feed_stage(store);
        stage.lane_mut().attach(feed);
        let (mut levels, mut late) = (Vec::with_capacity(4_096), 0);
        while !stage.ended() {
            let before = allocations();
            let work = stage.poll();
            // The snapshot, a second in, is the largest frame that the arenas grow to.
            if stage.lane().records() > 2_000 {
                late += allocations() - before;
            }
            if work == 0 && !journal.watch().is_starved() {
                panic!("the feed is stuck at frame {}", stage.lane().records());
            }
            while inputs.pop(levels_of, &mut levels).is_some() {}
        }
        stage.finish().unwrap();
        let frames = stage.lane().records();
        assert!(frames > 10_000 && stage.faults().damaged == 0, "{frames} frames");
        assert_eq!(late, 0, "allocations after warm-up in {frames} frames, {store:?}");
        let feed = stage.lane_mut().close(frames, Digest::of(b"{}")).unwrap().unwrap();
        assert!(feed.lane() == Lane::Feed && feed.watch().stopped().is_none());
        drop((feed, rest, journal));
        let mut reader = LaneReader::new(folder.path(), Strand::Lane(Lane::Feed), 1);
        while reader.next().unwrap().is_ok() {}
        assert_eq!(reader.records(), frames + 1);
        let last = reader.position().segment();
        assert!(last >= segments, "{last} segments with {store:?}");
    }
}
