//! The book against its plain twin on random streams, and the rules one by one.

mod by_hand;

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
    // Some can not be added up in 64 bits.
    let large = prop_oneof![Just(i64::MAX), (1..8_i64).prop_map(|qty| qty << 57)];
    let qty = prop_oneof![100 => Just(0), 200 => 1..100_i64, 1 => large];
    prop::collection::vec((distance, qty), 0..levels_max)
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

    /// Prices on, between and far off the levels.
    fn limits(&self, side: BookSide) -> [Px; 4] {
        let away = match side {
            BookSide::Bid => -1,
            BookSide::Ask => 1,
        };
        [-25, 104, 800, i64::MAX].map(|distance| Px(self.mid.saturating_add(away * distance)))
    }

    fn summed(&self, side: BookSide, limit: Px, levels_max: usize) -> QtySum {
        let is_within = |level: &Level| match side {
            BookSide::Bid => level.price >= limit,
            BookSide::Ask => level.price <= limit,
        };
        let levels = self.naive.top(side, levels_max).take_while(is_within);
        QtySum(levels.map(|level| i128::from(level.qty.0)).sum())
    }

    fn check(&self, step: &Step) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.book.state(), self.naive.state(), "{:?}", step);
        prop_assert_eq!(self.book.touch(), self.naive.touch(), "{:?}", step);
        prop_assert_eq!(self.book.levels(), self.naive.levels(), "{:?}", step);
        for side in [BookSide::Bid, BookSide::Ask] {
            let both = (self.book.top(side, usize::MAX), self.naive.top(side, usize::MAX));
            prop_assert!(both.0.eq(both.1), "{:?} after {:?}", side, step);
            prop_assert!(self.book.top(side, 3).eq(self.naive.top(side, 3)));
            for levels_max in [7, 1_000] {
                let depth = self.book.depth(side, self.limits(side), levels_max);
                let expected = self.limits(side).map(|limit| self.summed(side, limit, levels_max));
                prop_assert_eq!(depth, expected, "{:?} after {:?}", side, step);
            }
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
