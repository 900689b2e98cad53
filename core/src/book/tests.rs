//! The book against its plain twin on random streams, and the rules one by one.

use super::naive::NaiveBook;
use super::*;
use crate::units::Qty;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

const TINY: BookConfig = BookConfig {
    window_ticks: 64,
    far_levels_max: 20,
    buffer_frames_max: 6,
    buffer_levels_max: 60,
};

fn levels(raw: &[(i64, i64)]) -> Vec<Level> {
    raw.iter().map(|(price, qty)| Level { price: Px(*price), qty: Qty(*qty) }).collect()
}

fn ids(first: i64, last: i64, prev: i64) -> DepthIds {
    DepthIds { first, last, prev: Some(prev) }
}

fn futures() -> Book {
    Book::new(SyncRule::Futures, Some(Px(10)), &BookConfig::default())
}

/// A valid book with bid 1000, ask 1010 and last update id 100.
fn synced() -> Book {
    let mut book = futures();
    book.on_snapshot(100, &levels(&[(1_000, 5)]), &levels(&[(1_010, 5)]));
    assert_eq!(book.on_diff(ids(99, 100, 98), &[], &[]), Outcome::Synced);
    book
}

fn held(book: &Book, side: BookSide) -> Vec<(i64, i64)> {
    book.top(side, usize::MAX).map(|level| (level.price.0, level.qty.0)).collect()
}

// ---- Random streams.

#[derive(Clone, Copy, Debug)]
enum Chain {
    Good,
    /// `pu` (futures) or `U` (spot) does not follow.
    Broken,
    /// The frame before this one was lost.
    Lost,
}

#[derive(Clone, Debug)]
enum Step {
    /// A diff frame after the touch moved by some ticks; what it would cross is swept away first.
    Frame {
        walk: i64,
        span: i64,
        /// Ids that belong to nobody between this frame and the one before it (futures only).
        hole: i64,
        chain: Chain,
        bids: Vec<(i64, i64)>,
        asks: Vec<(i64, i64)>,
    },
    /// A frame that crosses the book.
    Cross,
    /// A snapshot at an id relative to the newest frame.
    Snapshot {
        ahead: i64,
        bids: Vec<(i64, i64)>,
        asks: Vec<(i64, i64)>,
    },
    Partial {
        bids: Vec<(i64, i64)>,
        asks: Vec<(i64, i64)>,
    },
    Invalidate(Invalid),
}

/// Distances from the touch in raw price units, and quantities. The tick is 10.
fn side(levels_max: usize) -> impl Strategy<Value = Vec<(i64, i64)>> {
    let distance = prop_oneof![
        20 => (0..40_i64).prop_map(|ticks| ticks * 10),
        8 => (0..300_i64).prop_map(|ticks| ticks * 10),
        1 => Just(i64::MAX),
        1 => (0..9_000_000_000_i64).prop_map(|ticks| ticks * 1_000_000_000),
    ];
    prop::collection::vec((distance, prop_oneof![1 => Just(0), 2 => 1..100_i64]), 0..levels_max)
}

/// As `side`, but now and then off the grid.
fn rough_side() -> impl Strategy<Value = Vec<(i64, i64)>> {
    (side(14), prop_oneof![60 => Just(0), 1 => Just(5), 1 => 1..10_i64]).prop_map(
        |(mut side, off)| {
            if let Some(level) = side.first_mut() {
                level.0 = level.0.saturating_add(off);
            }
            side
        },
    )
}

fn hole() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 2 => 1..9_i64]
}

fn snapshot(ahead: impl Strategy<Value = i64>, levels_max: usize) -> impl Strategy<Value = Step> {
    (ahead, side(levels_max), side(levels_max)).prop_map(|(ahead, bids, asks)| Step::Snapshot {
        ahead,
        bids,
        asks,
    })
}

/// Small frames between many snapshots, right ones and stray ones.
fn resync_step() -> impl Strategy<Value = Step> {
    let chain =
        prop_oneof![16 => Just(Chain::Good), 1 => Just(Chain::Broken), 1 => Just(Chain::Lost)];
    let frame =
        (1..5_i64, hole(), chain, side(5), side(5)).prop_map(|(span, hole, chain, bids, asks)| {
            Step::Frame { walk: 0, span, hole, chain, bids, asks }
        });
    let ahead = prop_oneof![4 => -12..=3_i64, 2 => 1..12_i64, 1 => 100..10_000_i64];
    prop_oneof![
        60 => frame,
        20 => snapshot(ahead, 5),
        2 => Just(Step::Cross),
        1 => prop::sample::select(Invalid::ALL.to_vec()).prop_map(Step::Invalidate),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let walk = prop_oneof![6 => -3..=3_i64, 2 => -60..=60_i64, 1 => -400..=400_i64];
    let chain =
        prop_oneof![60 => Just(Chain::Good), 1 => Just(Chain::Broken), 1 => Just(Chain::Lost)];
    let frame = (walk, 1..5_i64, hole(), chain, rough_side(), rough_side()).prop_map(
        |(walk, span, hole, chain, bids, asks)| Step::Frame { walk, span, hole, chain, bids, asks },
    );
    let ahead = prop_oneof![40 => -12..=3_i64, 1 => 100..10_000_i64];
    prop_oneof![
        40 => frame,
        6 => snapshot(ahead, 150),
        1 => Just(Step::Cross),
        1 => (side(14), side(14)).prop_map(|(bids, asks)| Step::Partial { bids, asks }),
        1 => prop::sample::select(Invalid::ALL.to_vec()).prop_map(Step::Invalidate),
    ]
}

/// Makes the messages of an exchange from steps and gives them to both books.
struct Twins {
    book: Book,
    naive: NaiveBook,
    rule: SyncRule,
    mid: i64,
    last: i64,
}

impl Twins {
    fn new(rule: SyncRule, tick: Option<Px>, buffering: Buffering) -> Self {
        Self {
            book: Book::new(rule, tick, &TINY).with_buffering(buffering),
            naive: NaiveBook::new(rule, &TINY).with_buffering(buffering),
            rule,
            mid: 100_000,
            last: 1_000,
        }
    }

    fn bids(&self, side: &[(i64, i64)]) -> Vec<Level> {
        let price = |distance| (self.mid - 10).saturating_sub(distance);
        side.iter().map(|(d, qty)| Level { price: Px(price(*d)), qty: Qty(*qty) }).collect()
    }

    fn asks(&self, side: &[(i64, i64)]) -> Vec<Level> {
        let price = |distance| self.mid.saturating_add(distance);
        side.iter().map(|(d, qty)| Level { price: Px(price(*d)), qty: Qty(*qty) }).collect()
    }

    /// Removals of what a touch at `mid` leaves on the wrong side.
    fn swept(&self, side: BookSide) -> Vec<Level> {
        let wrong = |level: &Level| match side {
            BookSide::Bid => level.price.0 >= self.mid,
            BookSide::Ask => level.price.0 < self.mid,
        };
        let wrong = self.naive.top(side, usize::MAX).take_while(wrong);
        wrong.map(|level| Level { qty: Qty::ZERO, ..level }).collect()
    }

    fn next_ids(&mut self, span: i64, hole: i64, chain: Chain) -> DepthIds {
        let prev = match chain {
            Chain::Good => self.last,
            Chain::Broken => self.last - 1,
            Chain::Lost => self.last + 7,
        };
        let (first, prev) = match self.rule {
            SyncRule::Futures => (prev + 1 + hole, Some(prev)),
            SyncRule::Spot => (prev + 1, None),
        };
        self.last = first + span - 1;
        DepthIds { first, last: self.last, prev }
    }

    /// Runs a step on both; returns both outcomes.
    fn run(&mut self, step: &Step) -> (Outcome, Outcome) {
        match step {
            Step::Frame { walk, span, hole, chain, bids, asks } => {
                self.mid = (self.mid + walk * 10).max(1_000);
                let (mut all_bids, mut all_asks) =
                    (self.swept(BookSide::Bid), self.swept(BookSide::Ask));
                all_bids.extend(self.bids(bids));
                all_asks.extend(self.asks(asks));
                let ids = self.next_ids(*span, *hole, *chain);
                self.diff(ids, &all_bids, &all_asks)
            }
            Step::Cross => {
                let ids = self.next_ids(1, 0, Chain::Good);
                let level = levels(&[(self.mid, 1)]);
                self.diff(ids, &level, &level)
            }
            Step::Snapshot { ahead, bids, asks } => {
                let (last_id, bids, asks) = (self.last + ahead, self.bids(bids), self.asks(asks));
                (
                    self.book.on_snapshot(last_id, &bids, &asks),
                    self.naive.on_snapshot(last_id, &bids, &asks),
                )
            }
            Step::Partial { bids, asks } => {
                let (bids, asks) = (self.bids(bids), self.asks(asks));
                (self.book.on_partial(&bids, &asks), self.naive.on_partial(&bids, &asks))
            }
            Step::Invalidate(why) => {
                self.book.invalidate(*why);
                self.naive.invalidate(*why);
                (Outcome::Ignored, Outcome::Ignored)
            }
        }
    }

    fn diff(&mut self, ids: DepthIds, bids: &[Level], asks: &[Level]) -> (Outcome, Outcome) {
        (self.book.on_diff(ids, bids, asks), self.naive.on_diff(ids, bids, asks))
    }

    fn check(&self, step: &Step) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.book.state(), self.naive.state(), "{:?}", step);
        prop_assert_eq!(self.book.touch(), self.naive.touch(), "{:?}", step);
        prop_assert_eq!(self.book.levels(), self.naive.levels(), "{:?}", step);
        for side in [BookSide::Bid, BookSide::Ask] {
            let both = (self.book.top(side, usize::MAX), self.naive.top(side, usize::MAX));
            prop_assert!(both.0.eq(both.1), "{:?} after {:?}", side, step);
            prop_assert!(self.book.top(side, 3).eq(self.naive.top(side, 3)));
        }
        let stats = BookStats { regrids: 0, ..*self.book.stats() };
        prop_assert_eq!(&stats, self.naive.stats(), "{:?}", step);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn agrees_with_the_naive_book(
        rule in prop::sample::select(vec![SyncRule::Futures, SyncRule::Spot]),
        buffering in prop_oneof![
            9 => Just(Buffering::On),
            1 => Just(Buffering::OffForTests),
        ],
        tick in prop::sample::select(vec![None, Some(Px(10)), Some(Px(70)), Some(Px(-1))]),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut twins = Twins::new(rule, tick, buffering);
        for step in &steps {
            let (outcome, expected) = twins.run(step);
            prop_assert_eq!(outcome, expected, "{:?}", step);
            twins.check(step)?;
        }
    }

    #[test]
    fn resynchronises_as_the_naive_book(
        rule in prop::sample::select(vec![SyncRule::Futures, SyncRule::Spot]),
        steps in prop::collection::vec(resync_step(), 1..120),
    ) {
        let mut twins = Twins::new(rule, Some(Px(10)), Buffering::On);
        for step in &steps {
            let (outcome, expected) = twins.run(step);
            prop_assert_eq!(outcome, expected, "{:?}", step);
            twins.check(step)?;
        }
    }

    #[test]
    fn any_ids_and_prices_are_survived(
        rule in prop::sample::select(vec![SyncRule::Futures, SyncRule::Spot]),
        tick in any::<Option<i64>>(),
        steps in prop::collection::vec(
            (extreme(), extreme(), extreme(), 0..4_u8, prop::collection::vec((extreme(), extreme()), 0..5)),
            1..40,
        ),
    ) {
        let mut twins = Twins::new(rule, tick.map(Px), Buffering::On);
        for (first, last, prev, kind, raw) in steps {
            let (bids, asks) = raw.split_at(raw.len() / 2);
            let (bids, asks) = (levels(bids), levels(asks));
            let (outcome, expected) = if kind == 0 {
                (
                    twins.book.on_snapshot(last, &bids, &asks),
                    twins.naive.on_snapshot(last, &bids, &asks),
                )
            } else {
                twins.diff(ids(first, last, prev), &bids, &asks)
            };
            prop_assert_eq!(outcome, expected);
            twins.check(&Step::Cross)?;
        }
    }
}

// ---- Against the exchange's own book.

/// An exchange with bids only: one change an id, all of them in frames.
struct Exchange {
    rule: SyncRule,
    /// Id, price and quantity.
    changes: Vec<(i64, i64, i64)>,
    last: i64,
}

impl Exchange {
    /// The next frame, of changes that begin after a hole.
    fn frame(&mut self, hole: i64, raw: &[(i64, i64)]) -> (DepthIds, Vec<Level>) {
        let prev = self.last;
        let first = prev + 1 + if self.rule == SyncRule::Futures { hole } else { 0 };
        self.changes.extend((first..).zip(raw).map(|(id, (price, qty))| (id, *price, *qty)));
        self.last = first + raw.len() as i64 - 1;
        let prev = (self.rule == SyncRule::Futures).then_some(prev);
        (DepthIds { first, last: self.last, prev }, levels(raw))
    }

    /// All bids after the change `last_id`.
    fn at(&self, last_id: i64) -> Vec<(i64, i64)> {
        let changes = self.changes.iter().filter(|(id, ..)| *id <= last_id);
        let book: BTreeMap<_, _> = changes.map(|(_, price, qty)| (*price, *qty)).collect();
        book.into_iter().rev().filter(|(_, qty)| *qty > 0).collect()
    }
}

/// What reaches the book of the frames that the exchange sends and of the snapshots that it is asked for.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    Frame,
    Loss,
    /// Taken so many ids before the frame that arrived last, or after it.
    Snapshot(i64),
    /// Of another numbering.
    Stray,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    prop_oneof![
        30 => Just(Arrival::Frame),
        1 => Just(Arrival::Loss),
        8 => (-15..12_i64).prop_map(Arrival::Snapshot),
        1 => Just(Arrival::Stray),
    ]
}

type RawFrame = (i64, Vec<(i64, i64)>);

fn raw_frames() -> impl Strategy<Value = Vec<RawFrame>> {
    let changes = prop::collection::vec((1..9_i64, 0..5_i64), 1..5);
    prop::collection::vec((hole(), changes), 80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_valid_book_is_the_book_of_the_exchange_and_none_is_lost_for_good(
        rule in prop::sample::select(vec![SyncRule::Futures, SyncRule::Spot]),
        raw in raw_frames(),
        arrivals in prop::collection::vec(arrival(), 0..60),
    ) {
        let mut exchange = Exchange { rule, changes: Vec::new(), last: 100 };
        let frames: Vec<_> = raw.iter().map(|(hole, raw)| exchange.frame(*hole, raw)).collect();
        let mut frames = frames.into_iter();
        let mut book = Book::new(rule, Some(Px(1)), &BookConfig::default());
        let mut now = 100;
        let healing = [Arrival::Frame, Arrival::Snapshot(0), Arrival::Frame];
        for arrival in arrivals.into_iter().chain(healing) {
            match arrival {
                Arrival::Frame => {
                    let (ids, bids) = frames.next().expect("more frames than arrivals");
                    now = ids.last;
                    book.on_diff(ids, &bids, &[]);
                }
                Arrival::Loss => _ = frames.next(),
                Arrival::Snapshot(ahead) => {
                    book.on_snapshot(now + ahead, &levels(&exchange.at(now + ahead)), &[]);
                }
                Arrival::Stray => _ = book.on_snapshot(1 << 50, &levels(&[(77, 7)]), &[]),
            }
            if book.state().is_ok() {
                prop_assert_eq!(held(&book, BookSide::Bid), exchange.at(book.last_id));
            }
        }
        prop_assert_eq!(book.state(), Ok(()), "one frame, its snapshot and the next frame heal");
        prop_assert_eq!(book.last_id, now);
    }
}

fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        prop::sample::select(vec![i64::MIN, -1, 0, 1, 2, 3, i64::MAX - 1, i64::MAX]),
        any::<i64>(),
        0..6_i64,
    ]
}

/// Guards the property test itself: its streams must reach what they are meant to reach.
#[test]
fn random_streams_reach_every_corner() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 100);
    let (mut total, mut evicting) = (BookStats::default(), 0);
    for _ in 0..60 {
        let mut twins = Twins::new(SyncRule::Futures, Some(Px(10)), Buffering::On);
        for step in steps.new_tree(&mut runner).expect("a vector of steps").current() {
            twins.run(&step);
            evicting += u32::from(twins.book.levels().0 > 64);
        }
        let stats = twins.book.stats();
        total.gaps += stats.gaps;
        total.crossed += stats.crossed;
        total.snapshots += stats.snapshots;
        total.snapshots_ignored += stats.snapshots_ignored;
        total.applied += stats.applied;
        total.discarded += stats.discarded;
        total.buffer_dropped += stats.buffer_dropped;
        total.levels_dropped += stats.levels_dropped;
        total.regrids += stats.regrids;
        total.invalidated += stats.invalidated;
    }
    assert!(total.applied > 1_000 && evicting > 100, "{total:?} {evicting}");
    let rare = [
        total.gaps,
        total.crossed,
        total.snapshots_ignored,
        total.discarded,
        total.buffer_dropped,
        total.levels_dropped,
        total.regrids,
        total.invalidated,
    ];
    assert!(rare.iter().all(|count| *count > 20), "{total:?}");
}

#[test]
fn random_resynchronisations_reach_every_joint() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(resync_step(), 100);
    let mut joints = BTreeMap::new();
    for _ in 0..60 {
        let mut twins = Twins::new(SyncRule::Futures, Some(Px(10)), Buffering::On);
        for step in steps.new_tree(&mut runner).expect("a vector of steps").current() {
            let before = twins.book.clone();
            let outcome = twins.run(&step).0;
            *joints.entry(joint(&before, &step, outcome, &twins.book)).or_insert(0) += 1;
        }
    }
    let reached = |name: &&str| joints.get(name).is_some_and(|count| *count > 5);
    assert!(JOINTS.iter().all(reached), "{joints:?}");
}

/// What can happen between a snapshot and the frame that joins it.
const JOINTS: [&str; 13] = [
    "frame kept",
    "frame kept at the cost of another",
    "frame ends the chain",
    "frame joins by the ordinary rule",
    "frame joins by the end of the old book",
    "frame joins by an end moved on",
    "frame is behind a gap",
    "lower snapshot joined",
    "lower snapshot joined, then a gap",
    "lower snapshot holds all",
    "lower snapshot holds all and the chain end",
    "lower snapshot ignored, nothing waits",
    "lower snapshot ignored, frames missing",
];

/// What a step did to a loaded book.
fn joint(before: &Book, step: &Step, outcome: Outcome, after: &Book) -> &'static str {
    let State::Loaded { chain_end, .. } = before.state else { return "" };
    let empty = before.buffer.front().is_none();
    let dropped = after.stats.buffer_dropped > before.stats.buffer_dropped;
    let chained = matches!(after.state, State::Loaded { chain_end: Some(_), .. });
    match (step, outcome) {
        (Step::Frame { .. }, Outcome::Buffered) if dropped => JOINTS[1],
        (Step::Frame { .. }, Outcome::Buffered) if chain_end.is_some() && !chained => JOINTS[2],
        (Step::Frame { .. }, Outcome::Buffered) => JOINTS[0],
        (Step::Frame { span, .. }, Outcome::Synced) => {
            match (after.last_id - span < before.last_id, empty) {
                (true, _) => JOINTS[3],
                (false, true) => JOINTS[4],
                (false, false) => JOINTS[5],
            }
        }
        (Step::Frame { .. }, Outcome::Invalidated(Invalid::SnapshotTooOld)) => JOINTS[6],
        (Step::Snapshot { .. }, Outcome::Synced) => JOINTS[7],
        (Step::Snapshot { .. }, Outcome::Invalidated(Invalid::Gap)) => JOINTS[8],
        (Step::Snapshot { .. }, Outcome::Buffered) if after.last_id >= before.last_id => "",
        (Step::Snapshot { .. }, Outcome::Buffered) if chained => JOINTS[10],
        (Step::Snapshot { .. }, Outcome::Buffered) => JOINTS[9],
        (Step::Snapshot { .. }, Outcome::Ignored) if empty => JOINTS[11],
        (Step::Snapshot { .. }, Outcome::Ignored) => JOINTS[12],
        _ => "",
    }
}

// ---- The rules one by one.

#[test]
fn a_futures_book_is_joined_chained_and_broken() {
    let mut book = futures();
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot));
    assert_eq!(book.on_diff(ids(310, 316, 309), &levels(&[(500, 9)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(317, 319, 316), &levels(&[(490, 9)]), &[]), Outcome::Buffered);
    let joint = (levels(&[(500, 3), (480, 0)]), levels(&[(510, 2)]));
    assert_eq!(book.on_diff(ids(320, 327, 999), &joint.0, &joint.1), Outcome::Buffered);
    let bids = levels(&[(500, 1), (490, 2), (480, 4)]);
    let asks = levels(&[(510, 6), (530, 1)]);
    assert_eq!(book.on_snapshot(323, &bids, &asks), Outcome::Synced, "pu of the joint is free");
    assert_eq!(
        book.on_diff(ids(340, 344, 327), &[], &levels(&[(510, 0), (520, 8)])),
        Outcome::Applied
    );
    assert_eq!(book.on_diff(ids(345, 345, 344), &[], &[]), Outcome::Applied, "both sides empty");
    let unknown = levels(&[(70, 0), (75, 0)]);
    assert_eq!(book.on_diff(ids(350, 351, 345), &unknown, &unknown), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(500, 3), (490, 2)]);
    assert_eq!(held(&book, BookSide::Ask), [(520, 8), (530, 1)]);
    let lost = ids(360, 366, 355);
    assert_eq!(book.on_diff(lost, &levels(&[(500, 77)]), &[]), Outcome::Invalidated(Invalid::Gap));
    assert_eq!(book.touch(), Err(Invalid::Gap));
    assert_eq!(book.on_diff(ids(400, 401, 380), &[], &[]), Outcome::Buffered, "one gap, not two");
    let expected = BookStats {
        gaps: 1,
        snapshots: 1,
        applied: 4,
        discarded: 2,
        buffered: 5,
        invalidated: 1,
        ..BookStats::default()
    };
    assert_eq!(book.stats(), &expected);
}

#[test]
fn a_gap_heals_from_the_frame_that_showed_it() {
    let mut book = synced();
    book.on_diff(ids(120, 130, 110), &levels(&[(990, 1)]), &[]);
    assert_eq!(book.on_diff(ids(131, 140, 130), &levels(&[(980, 1)]), &[]), Outcome::Buffered);
    let (bids, asks) = (levels(&[(1_000, 7)]), levels(&[(1_020, 7)]));
    let old = book.on_snapshot(119, &bids, &asks);
    assert_eq!(old, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.state(), Err(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(125, &bids, &asks), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 7), (990, 1), (980, 1)]);
    assert_eq!(book.on_diff(ids(141, 141, 140), &[], &[]), Outcome::Applied);
}

#[test]
fn a_snapshot_ahead_of_the_stream_waits_for_it() {
    let mut book = futures();
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 5)]), &[]), Outcome::Buffered);
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot), "loaded is not joined");
    assert_eq!(book.levels(), (1, 0));
    assert_eq!(book.on_diff(ids(90, 99, 89), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Ignored);
    assert_eq!(book.on_diff(ids(100, 100, 99), &[], &levels(&[(1_010, 1)])), Outcome::Synced);
    assert_eq!((book.stats().buffered, book.stats().discarded), (1, 1));
    let touch = Touch { bid: Some(levels(&[(1_000, 5)])[0]), ask: Some(levels(&[(1_010, 1)])[0]) };
    assert_eq!(book.touch(), Ok(touch));
}

#[test]
fn a_stream_ahead_of_the_snapshot_needs_a_newer_one() {
    let mut book = futures();
    book.on_snapshot(100, &levels(&[(1_000, 5)]), &[]);
    let early = book.on_diff(ids(101, 105, 99), &levels(&[(990, 5)]), &[]);
    assert_eq!(early, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(103, &levels(&[(980, 5)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(990, 5), (980, 5)]);
}

#[test]
fn snapshots_of_a_synced_book_count_only_when_newer() {
    let mut book = synced();
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Ignored);
    assert_eq!(book.on_snapshot(99, &[], &[]), Outcome::Ignored);
    assert_eq!(book.stats().snapshots_ignored, 2);
    assert!(book.touch().is_ok());
    let newer = book.on_snapshot(110, &levels(&[(1_000, 8)]), &[]);
    assert_eq!(newer, Outcome::Invalidated(Invalid::Stale));
    assert_eq!(book.on_diff(ids(101, 109, 100), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(110, 112, 109), &[], &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 8)]);
    assert_eq!(book.stats().invalidated, 1);
}

/// A book that waited with frames up to 105 when a snapshot of another numbering came.
fn led_astray() -> Book {
    let mut book = futures();
    book.on_diff(ids(95, 100, 94), &levels(&[(990, 1)]), &[]);
    assert_eq!(book.on_snapshot(1 << 50, &levels(&[(7, 7)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(ids(101, 105, 100), &levels(&[(980, 1)]), &[]), Outcome::Buffered);
    book
}

#[test]
fn a_stray_snapshot_is_replaced_by_one_that_a_waiting_frame_joins() {
    for last_id in [95, 100, 101, 105] {
        let mut book = led_astray();
        let right = book.on_snapshot(last_id, &levels(&[(1_000, 5)]), &[]);
        assert_eq!(right, Outcome::Synced, "{last_id}");
        let first = if last_id <= 100 { Some((990, 1)) } else { None };
        let expected: Vec<_> = [(1_000, 5)].into_iter().chain(first).chain([(980, 1)]).collect();
        assert_eq!(held(&book, BookSide::Bid), expected);
        assert_eq!(book.stats().discarded, u64::from(last_id > 100));
        assert_eq!(book.on_diff(ids(106, 107, 105), &[], &[]), Outcome::Applied);
    }
}

#[test]
fn a_stray_snapshot_is_replaced_by_one_that_holds_all_waiting_frames() {
    let mut book = led_astray();
    assert_eq!(book.on_snapshot(108, &levels(&[(1_000, 5)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(108, &[], &[]), Outcome::Ignored, "no news");
    assert_eq!(book.on_diff(ids(106, 109, 105), &[], &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5)]);
    let stats = book.stats();
    assert_eq!((stats.snapshots, stats.snapshots_ignored, stats.discarded), (2, 1, 2));
}

#[test]
fn a_lower_snapshot_needs_a_frame_that_speaks_for_it() {
    let mut book = led_astray();
    assert_eq!(book.on_snapshot(94, &[], &[]), Outcome::Ignored, "frames between are missing");
    assert_eq!(book.stats().snapshots_ignored, 1);
    assert_eq!(held(&book, BookSide::Bid), [(7, 7)]);
    let mut book = futures();
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(99, &[], &[]), Outcome::Ignored, "nothing waits");
    assert_eq!(book.on_diff(ids(100, 101, 99), &[], &[]), Outcome::Synced);
}

#[test]
fn a_crossed_replacement_leaves_the_waiting_frames_to_the_next() {
    let mut book = led_astray();
    let crossed = book.on_snapshot(100, &levels(&[(1_000, 1)]), &levels(&[(1_000, 1)]));
    assert_eq!(crossed, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 1)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 1), (990, 1), (980, 1)]);
}

#[test]
fn a_loaded_snapshot_stays_when_the_frames_before_it_overflow() {
    let mut book = Book::new(SyncRule::Futures, None, &TINY);
    assert_eq!(book.on_snapshot(100, &[], &[]), Outcome::Buffered);
    for last in 1..=8 {
        assert_eq!(book.on_diff(ids(last, last, last - 1), &[], &[]), Outcome::Buffered);
    }
    assert_eq!(book.state(), Err(Invalid::NoSnapshot), "no reason of its own");
    assert_eq!((book.stats().buffered, book.stats().buffer_dropped), (8, 2));
    assert_eq!(book.on_snapshot(2, &[], &[]), Outcome::Ignored, "its frame was dropped");
    assert_eq!(book.on_diff(ids(99, 100, 8), &[], &[]), Outcome::Synced);
    assert_eq!(book.stats().discarded, 6);
}

#[test]
fn a_frame_behind_a_hole_joins_the_snapshot_that_ended_in_it() {
    let behind = |book: &mut Book, prev| book.on_diff(ids(110, 120, prev), &[], &[]);
    let reloaded = || {
        let mut book = synced();
        let newer = book.on_snapshot(105, &levels(&[(1_000, 8)]), &[]);
        assert_eq!(newer, Outcome::Invalidated(Invalid::Stale));
        book
    };
    let mut book = reloaded();
    assert_eq!(behind(&mut book, 100), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 8)]);
    assert_eq!(book.on_diff(ids(125, 126, 120), &[], &[]), Outcome::Applied);

    let mut book = reloaded();
    assert_eq!(book.on_diff(ids(102, 103, 100), &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 103), Outcome::Synced, "the chain goes on before the snapshot");

    let mut book = reloaded();
    book.on_snapshot(107, &[], &[]);
    assert_eq!(behind(&mut book, 100), Outcome::Synced, "a newer snapshot holds the end as well");

    let too_old = Outcome::Invalidated(Invalid::SnapshotTooOld);
    let mut book = reloaded();
    assert_eq!(behind(&mut book, 101), too_old);

    let mut book = reloaded();
    assert_eq!(book.on_diff(ids(103, 104, 102), &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 104), too_old, "a frame that did not follow ends the chain");

    let mut book = reloaded();
    book.invalidate(Invalid::Stale);
    assert_eq!(book.on_snapshot(106, &[], &[]), Outcome::Buffered);
    assert_eq!(behind(&mut book, 100), too_old, "a broken chain has no end");
}

#[test]
fn spot_joins_one_later_and_needs_no_pu() {
    let mut book = Book::new(SyncRule::Spot, Some(Px(10)), &BookConfig::default());
    let spot = |first, last| DepthIds { first, last, prev: None };
    assert_eq!(book.on_diff(spot(90, 100), &levels(&[(1_000, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_diff(spot(101, 103), &levels(&[(990, 1)]), &[]), Outcome::Buffered);
    assert_eq!(book.on_snapshot(100, &levels(&[(1_000, 9)]), &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 9), (990, 1)]);
    assert_eq!(book.stats().discarded, 1, "u = lastUpdateId holds nothing new on spot");
    assert_eq!(book.on_diff(spot(104, 110), &[], &[]), Outcome::Applied);
    assert_eq!(book.on_diff(spot(112, 113), &[], &[]), Outcome::Invalidated(Invalid::Gap));
}

#[test]
fn a_crossed_book_is_quarantined_until_the_next_snapshot() {
    let mut book = synced();
    let crossing = levels(&[(1_010, 1)]);
    let crossed = Outcome::Invalidated(Invalid::Crossed);
    assert_eq!(book.on_diff(ids(101, 102, 100), &crossing, &[]), crossed, "equal is crossed");
    let repair = levels(&[(1_010, 0)]);
    assert_eq!(book.on_diff(ids(103, 104, 102), &repair, &[]), Outcome::Buffered);
    assert_eq!(book.touch(), Err(Invalid::Crossed));
    assert_eq!(book.on_snapshot(104, &levels(&[(1_000, 1)]), &levels(&[(1_000, 1)])), crossed);
    let (bids, asks) = (levels(&[(1_000, 2)]), levels(&[(1_020, 2)]));
    assert_eq!(book.on_snapshot(104, &bids, &asks), Outcome::Synced);
    assert_eq!((book.stats().crossed, book.stats().gaps), (2, 0));
}

#[test]
fn a_frame_is_judged_as_a_whole() {
    let mut book = synced();
    let (bids, asks) = (levels(&[(1_020, 1), (1_020, 4)]), levels(&[(1_010, 0), (1_030, 1)]));
    assert_eq!(book.on_diff(ids(101, 102, 100), &bids, &asks), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_020, 4), (1_000, 5)], "the later of two wins");
}

#[test]
fn without_buffering_the_crossed_book_gives_it_away() {
    // The market falls while the snapshot is on its way. Who loses the frames that say so keeps bids
    // that are long gone, and the asks that follow run into them.
    let run = |buffering| {
        let mut book = futures().with_buffering(buffering);
        book.on_diff(ids(99, 101, 98), &levels(&[(1_000, 0), (950, 5)]), &levels(&[(960, 1)]));
        book.on_snapshot(100, &levels(&[(1_000, 5)]), &levels(&[(1_010, 5)]));
        let last = book.on_diff(ids(102, 103, 101), &[], &levels(&[(955, 2)]));
        (last, book)
    };
    let (sound, book) = run(Buffering::On);
    assert_eq!((sound, book.stats().crossed), (Outcome::Applied, 0));
    let (naive, book) = run(Buffering::OffForTests);
    assert_eq!(naive, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!((book.stats().crossed, book.stats().gaps), (1, 0));
    assert_eq!(book.stats().discarded, 1);
}

#[test]
fn partial_frames_replace_until_a_diff_comes() {
    let mut book = futures();
    assert_eq!(book.on_partial(&levels(&[(1_000, 1), (990, 1)]), &[]), Outcome::Synced);
    assert_eq!(book.on_partial(&levels(&[(980, 1)]), &levels(&[(990, 1)])), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(980, 1)]);
    let crossed = book.on_partial(&levels(&[(990, 1)]), &levels(&[(990, 1)]));
    assert_eq!(crossed, Outcome::Invalidated(Invalid::Crossed));
    assert_eq!(book.on_partial(&[], &levels(&[(990, 1)])), Outcome::Synced, "a view heals a view");
    let diff = book.on_diff(ids(1, 2, 0), &[], &[]);
    assert_eq!(diff, Outcome::Invalidated(Invalid::NoSnapshot));
    assert_eq!(book.on_partial(&[], &[]), Outcome::Ignored);
    assert_eq!(book.touch(), Err(Invalid::NoSnapshot));
}

#[test]
fn invalidate_breaks_the_chain() {
    let mut book = synced();
    book.invalidate(Invalid::Malformed);
    assert_eq!(book.touch(), Err(Invalid::Malformed));
    assert_eq!(book.on_diff(ids(101, 102, 100), &[], &[]), Outcome::Buffered);
    book.invalidate(Invalid::Stale);
    assert_eq!((book.stats().buffer_dropped, book.stats().invalidated), (1, 1));
    assert_eq!(book.on_snapshot(101, &[], &[]), Outcome::Buffered, "its frame is gone");
}

#[test]
fn a_full_buffer_drops_the_oldest_and_says_so() {
    let mut book = Book::new(SyncRule::Futures, None, &TINY);
    let outcomes: Vec<Outcome> =
        (1..=8).map(|last| book.on_diff(ids(last, last, last - 1), &[], &[])).collect();
    assert!(outcomes[..6].iter().all(|outcome| *outcome == Outcome::Buffered));
    assert_eq!(outcomes[6], Outcome::Invalidated(Invalid::BufferOverflow));
    assert_eq!(outcomes[7], Outcome::Buffered, "said once");
    assert_eq!((book.stats().buffered, book.stats().buffer_dropped), (8, 2));
    let lost = book.on_snapshot(2, &[], &[]);
    assert_eq!(lost, Outcome::Invalidated(Invalid::SnapshotTooOld));
    assert_eq!(book.on_snapshot(3, &[], &[]), Outcome::Synced);
}

#[test]
fn prices_off_the_grid_are_kept_exactly() {
    let mut book = synced();
    let (bids, asks) = (levels(&[(995, 1), (7, 2)]), levels(&[(1_003, 3), (i64::MAX, 4)]));
    assert_eq!(book.on_diff(ids(101, 102, 100), &bids, &asks), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5), (995, 1), (7, 2)]);
    assert_eq!(held(&book, BookSide::Ask), [(1_003, 3), (1_010, 5), (i64::MAX, 4)]);
    assert_eq!(book.stats().regrids, 2, "10 to 5, 5 to 1");
    assert_eq!(book.on_diff(ids(103, 104, 102), &levels(&[(995, 0)]), &[]), Outcome::Applied);
    assert_eq!(held(&book, BookSide::Bid), [(1_000, 5), (7, 2)]);
}

#[test]
fn without_a_tick_the_first_snapshot_gives_the_grid() {
    let mut book = Book::new(SyncRule::Futures, None, &BookConfig::default());
    let bids: Vec<_> = (1..200).map(|step| (2_000 - step * 6, 1)).collect();
    book.on_snapshot(5, &levels(&bids), &levels(&[(2_004, 1)]));
    book.on_diff(ids(5, 6, 4), &levels(&[(1_992, 3)]), &[]);
    assert_eq!(book.stats().regrids, 0);
    assert_eq!(book.levels(), (200, 1));
}

#[test]
fn a_snapshot_starts_again_from_the_hinted_grid() {
    for (tick, regrids) in [(Some(Px(10)), 2), (None, 1)] {
        let mut book = Book::new(SyncRule::Futures, tick, &BookConfig::default());
        let (bids, asks) = (levels(&[(990, 1), (1_000, 1)]), levels(&[(1_010, 1)]));
        book.on_snapshot(100, &bids, &asks);
        book.on_diff(ids(99, 101, 98), &levels(&[(993, 1)]), &[]);
        assert_eq!((book.stats().regrids, book.sides.tick()), (1, 1));
        book.invalidate(Invalid::Stale);
        book.on_snapshot(102, &bids, &asks);
        assert_eq!(book.sides.tick(), 10);
        assert_eq!(held(&book, BookSide::Bid), [(1_000, 1), (990, 1)]);
        book.invalidate(Invalid::Stale);
        book.on_snapshot(103, &levels(&[(995, 1)]), &asks);
        assert_eq!((book.stats().regrids, book.sides.tick()), (regrids, 5), "{tick:?}");
    }
}

#[test]
fn a_full_side_drops_its_farthest_level() {
    let mut book = Book::new(SyncRule::Futures, Some(Px(1)), &TINY);
    let bids: Vec<_> = (0..84).map(|step| (10_000 - 1_000 * (step / 64) - step, 1)).collect();
    book.on_snapshot(5, &levels(&bids), &[]);
    assert_eq!((book.levels(), book.stats().levels_dropped), ((84, 0), 0));
    let farther = levels(&[(1, 1)]);
    assert_eq!(book.on_diff(ids(5, 6, 4), &farther, &[]), Outcome::Synced);
    assert_eq!(held(&book, BookSide::Bid), bids, "the newcomer was the farthest");
    book.on_diff(ids(7, 8, 6), &levels(&[(10_500, 1)]), &[]);
    assert_eq!(held(&book, BookSide::Bid)[1..], bids[..83]);
    assert_eq!((book.levels(), book.stats().levels_dropped), ((84, 0), 2));
}
