//! What each kind of input says, and what it does not say twice.

use proptest::prelude::*;

use super::*;
use crate::event::EventKind;
use crate::market::{DepthIds, Times};
use crate::sequencer::harness::{books, universe};
use crate::sequencer::{AssumedMark, SequencerConfig};
use crate::units::Rate;

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
/// Raw price of one dollar: on the tick grid of BTCUSDT.
const DOLLAR: i64 = 100_000_000;

struct Fixture {
    fold: MarketFold,
    drafts: Drafts,
    ts: u64,
}

impl Fixture {
    fn new() -> Self {
        let config = SequencerConfig {
            assumed_mark: Some(AssumedMark::default()),
            liquidations_max: 2,
            ..SequencerConfig::default()
        };
        let universe = universe();
        let drafts = Drafts::new(MarketFold::drafts_max(&universe));
        Self { fold: MarketFold::new(&config, &universe, &books()), drafts, ts: Nanos::SECOND }
    }

    fn take(&mut self) -> Vec<(InstrumentId, Body)> {
        std::iter::from_fn(|| self.drafts.take().copied()).collect()
    }

    fn on(&mut self, instrument: InstrumentId, body: InputBody) -> Vec<Body> {
        self.with_levels(instrument, body, &[])
    }

    fn with_levels(
        &mut self,
        instrument: InstrumentId,
        body: InputBody,
        levels: &[Level],
    ) -> Vec<Body> {
        self.ts += 1;
        let input =
            Input { recv: Nanos(self.ts), frame: 1, instrument, stamp: Default::default(), body };
        self.fold.fold(&input, levels, Nanos(self.ts), &mut self.drafts);
        let drafts = self.take();
        assert!(drafts.iter().all(|(id, _)| *id == instrument));
        drafts.into_iter().map(|(_, body)| body).collect()
    }

    fn snapshot(&mut self, last_id: i64, bid: i64, ask: i64) -> Vec<Body> {
        let input = BookInput::Snapshot { last_id, bids: 1, asks: 1 };
        self.with_levels(BTC, InputBody::Book(input), &[level(bid), level(ask)])
    }

    /// The frame after the update `prev`, up to `last`, with one new bid.
    fn diff(&mut self, prev: i64, last: i64, bid: i64) -> Vec<Body> {
        let ids = DepthIds { first: prev + 1, last, prev: Some(prev) };
        let input = BookInput::Diff { ids, bids: 1, asks: 0 };
        self.with_levels(BTC, InputBody::Book(input), &[level(bid)])
    }

    fn ticker(&mut self, id: i64, bid: i64, ask: i64) -> Vec<Body> {
        let (bid, ask) = (level(bid), level(ask));
        let ticker = BookTicker { times: Times::default(), id, bid, ask };
        self.on(BTC, InputBody::Ticker(ticker))
    }

    /// A book of 100 to 110 that ends at update 10.
    fn synced() -> Self {
        let mut fixture = Self::new();
        fixture.snapshot(9, 90, 110);
        assert_eq!(kinds(&fixture.diff(8, 10, 100)), [EventKind::Depth, EventKind::Touch]);
        fixture
    }
}

/// A level of one coin; a price of zero stands for a side without orders.
fn level(dollars: i64) -> Level {
    let qty = if dollars == 0 { Qty::ZERO } else { Qty(DOLLAR) };
    Level { price: Px(dollars * DOLLAR), qty }
}

fn touch(bid: i64, ask: i64, source: TouchSource) -> Body {
    let touch = Touch { bid: Some(level(bid)), ask: Some(level(ask)) };
    Body::Touch(TouchChange { touch, source })
}

fn kinds(bodies: &[Body]) -> Vec<EventKind> {
    bodies.iter().map(Body::kind).collect()
}

fn trade(id: i64) -> Trade {
    Trade {
        times: Times::default(),
        id,
        price: Px(7),
        qty: Qty(3),
        aggressor: Side::Sell,
        origin: TradeOrigin::Market,
    }
}

fn agg_trade(first_trade: i64, last_trade: i64) -> AggTrade {
    AggTrade {
        times: Times::default(),
        id: None,
        price: Px(7),
        qty: Qty(5),
        normal_qty: Qty(4),
        first_trade,
        last_trade,
        aggressor: Side::Buy,
    }
}

#[test]
fn a_book_frame_says_one_thing_of_the_book_and_the_touch_only_when_it_changed() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.diff(4, 5, 90), [Body::BookInvalid(Invalid::NoSnapshot)], "it waits");
    let says = fixture.snapshot(5, 90, 110);
    assert_eq!(kinds(&says), [EventKind::Depth, EventKind::Touch]);
    assert_eq!(says[1], touch(90, 110, TouchSource::Book));
    assert_eq!(kinds(&fixture.diff(5, 6, 80)), [EventKind::Depth]);
    assert_eq!(fixture.diff(6, 7, 100)[1], touch(100, 110, TouchSource::Book));
    assert_eq!(fixture.diff(99, 100, 1), [Body::BookInvalid(Invalid::Gap)]);
    assert_eq!(fixture.diff(100, 101, 1), [Body::BookInvalid(Invalid::Gap)], "it still waits");
}

#[test]
fn a_book_that_is_valid_again_always_tells_its_touch() {
    let mut fixture = Fixture::synced();
    let stale = InputBody::Book(BookInput::Invalidate(Invalid::Stale));
    assert_eq!(fixture.on(BTC, stale), [Body::BookInvalid(Invalid::Stale)]);
    fixture.snapshot(20, 100, 110);
    assert_eq!(kinds(&fixture.diff(19, 21, 90)), [EventKind::Depth, EventKind::Touch]);
    fixture.fold.on_gap();
    assert_eq!(fixture.fold.books().get(BTC).state(), Err(Invalid::Stale));
    fixture.snapshot(30, 100, 110);
    assert_eq!(kinds(&fixture.diff(29, 31, 90)), [EventKind::Depth, EventKind::Touch]);
}

#[test]
fn after_a_gap_the_same_touch_of_a_partial_frame_is_told_again() {
    let mut fixture = Fixture::new();
    let partial = |fixture: &mut Fixture| {
        let input = InputBody::Book(BookInput::Partial { bids: 1, asks: 1 });
        kinds(&fixture.with_levels(BTC, input, &[level(100), level(110)]))
    };
    assert_eq!(partial(&mut fixture), [EventKind::Depth, EventKind::Touch]);
    assert_eq!(partial(&mut fixture), [EventKind::Depth]);
    fixture.fold.on_gap();
    assert_eq!(partial(&mut fixture), [EventKind::Depth, EventKind::Touch]);
}

#[test]
fn a_ticker_ahead_of_the_book_moves_the_touch() {
    let mut fixture = Fixture::synced();
    assert_eq!(fixture.ticker(10, 101, 110), [], "the book is as new");
    assert_eq!(fixture.ticker(12, 101, 110), [touch(101, 110, TouchSource::Ticker)]);
    assert_eq!(fixture.ticker(13, 101, 110), [], "it is told already");
    assert_eq!(fixture.ticker(12, 102, 110), [], "an older ticker");
    assert_eq!(fixture.ticker(13, 102, 110), [], "the same ticker");
    assert_eq!(fixture.ticker(14, 110, 110), [], "crossed");
    assert_eq!(fixture.ticker(15, 0, 110), [], "one side only");
    assert_eq!(fixture.ticker(16, 102, 0), [], "one side only");
    assert_eq!(fixture.diff(10, 17, 100)[1], touch(100, 110, TouchSource::Book));
    assert_eq!(fixture.ticker(17, 103, 110), []);
    assert_eq!(fixture.ticker(18, 103, 110), [touch(103, 110, TouchSource::Ticker)]);
}

#[test]
fn a_book_frame_older_than_the_ticker_does_not_take_the_touch_back() {
    let mut fixture = Fixture::synced();
    assert_eq!(fixture.ticker(20, 105, 110), [touch(105, 110, TouchSource::Ticker)]);
    assert_eq!(kinds(&fixture.diff(10, 15, 101)), [EventKind::Depth], "the ticker knows better");
    assert_eq!(fixture.diff(15, 20, 102)[1], touch(102, 110, TouchSource::Book), "as new");
    assert_eq!(fixture.ticker(i64::MAX, 105, 110), [touch(105, 110, TouchSource::Ticker)]);
    assert_eq!(kinds(&fixture.diff(20, 21, 103)), [EventKind::Depth]);
    fixture.ts += Nanos::SECOND;
    assert_eq!(fixture.diff(21, 22, 104)[1], touch(104, 110, TouchSource::Book), "alone too long");
    fixture.fold.on_gap();
    fixture.snapshot(30, 90, 110);
    fixture.diff(29, 31, 100);
    assert_eq!(fixture.ticker(32, 101, 110).len(), 1, "a silence forgets a muting number");
}

/// Who follows the source needs to know that the ticker stands behind the touch now: without it, he would
/// take the next frame, which is older, for the truth.
#[test]
fn a_ticker_that_says_what_the_book_said_is_told_once() {
    let mut fixture = Fixture::synced();
    assert_eq!(fixture.ticker(20, 100, 110), [touch(100, 110, TouchSource::Ticker)]);
    for id in 21..30 {
        assert_eq!(fixture.ticker(id, 100, 110), [], "only the first one of them is news");
    }
    assert_eq!(kinds(&fixture.diff(10, 15, 101)), [EventKind::Depth], "the ticker knows better");
    assert_eq!(fixture.diff(15, 29, 102)[1], touch(102, 110, TouchSource::Book), "as new");
    assert_eq!(fixture.ticker(30, 102, 110), [touch(102, 110, TouchSource::Ticker)]);
}

/// A touch of the book is no ticker's that a frame could be older than.
#[test]
fn a_book_is_only_silent_behind_a_ticker_that_was_told() {
    let mut fixture = Fixture::synced();
    assert_eq!(fixture.ticker(50, 105, 110), [touch(105, 110, TouchSource::Ticker)]);
    fixture.on(BTC, InputBody::Book(BookInput::Invalidate(Invalid::Stale)));
    fixture.snapshot(20, 90, 110);
    assert_eq!(fixture.diff(19, 21, 100)[1], touch(100, 110, TouchSource::Book));
    assert_eq!(fixture.diff(21, 22, 101)[1], touch(101, 110, TouchSource::Book), "older than 50");
    assert_eq!(fixture.ticker(60, 110, 110), [], "crossed");
    assert_eq!(fixture.diff(22, 23, 102)[1], touch(102, 110, TouchSource::Book), "older than 60");
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Diff { updates: i64, bid: i64 },
    Ticker { lead: i64, bid: i64, ask: i64 },
    Snapshot,
    Stale,
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_i64..6, 98_i64..105).prop_map(|(updates, bid)| Act::Diff { updates, bid }),
        6 => (-2_i64..9, 98_i64..106, 109_i64..112)
            .prop_map(|(lead, bid, ask)| Act::Ticker { lead, bid, ask }),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Stale),
        1 => Just(Act::Wait),
    ]
}

proptest! {
    /// The paper venue follows the book's frames, and tickers as they are told: its touch is the one that
    /// strategies know, after whatever comes. And nothing is told more often than it changed.
    #[test]
    fn book_and_told_tickers_make_the_touch_that_is_told(
        acts in prop::collection::vec(act(), 1..80),
    ) {
        let mut fixture = Fixture::synced();
        let mut last = 10;
        let mut told: Option<TouchChange> =
            Some(TouchChange { touch: fixture.fold.books().get(BTC).touch().unwrap(), source: TouchSource::Book });
        for act in acts {
            let bodies = match act {
                Act::Diff { updates, bid } => {
                    let prev = last;
                    last += updates;
                    fixture.diff(prev, last, bid)
                }
                Act::Ticker { lead, bid, ask } => fixture.ticker(last + lead, bid, ask),
                Act::Snapshot => {
                    let prev = last;
                    last += 2;
                    let mut bodies = fixture.snapshot(last - 1, 90, 110);
                    bodies.extend(fixture.diff(prev, last, 100));
                    bodies
                }
                Act::Stale => {
                    fixture.on(BTC, InputBody::Book(BookInput::Invalidate(Invalid::Stale)))
                }
                Act::Wait => {
                    fixture.ts += Nanos::SECOND;
                    vec![]
                }
            };
            for body in bodies {
                if let Body::Touch(change) = body {
                    let to_ticker = (TouchSource::Book, TouchSource::Ticker);
                    let repeats = told.is_some_and(|told| {
                        told.touch == change.touch && (told.source, change.source) != to_ticker
                    });
                    prop_assert!(!repeats, "{:?} after {:?}", change, told);
                    told = Some(change);
                } else if matches!(body, Body::BookInvalid(_)) {
                    told = None;
                }
            }
            if let Ok(book) = fixture.fold.books().get(BTC).touch() {
                let told = told.expect("a book that is valid has told its touch");
                let followed = match told.source {
                    TouchSource::Book => book,
                    TouchSource::Ticker | TouchSource::Assumed => told.touch,
                };
                prop_assert_eq!(followed, told.touch, "{:?}", act);
            }
        }
    }
}

#[test]
fn a_ticker_says_nothing_beside_an_invalid_book() {
    let mut fixture = Fixture::synced();
    fixture.fold.on_gap();
    assert_eq!(fixture.ticker(12, 101, 110), []);
    assert_eq!(Fixture::new().ticker(12, 101, 110), []);
}

#[test]
fn a_book_of_partial_frames_has_no_id_to_be_ahead_of() {
    let mut fixture = Fixture::new();
    let partial = InputBody::Book(BookInput::Partial { bids: 1, asks: 1 });
    fixture.with_levels(BTC, partial, &[level(100), level(110)]);
    assert_eq!(fixture.ticker(-3, 101, 110), [touch(101, 110, TouchSource::Ticker)]);
}

#[test]
fn both_trade_streams_together_tell_each_trade_once() {
    let mut fixture = Fixture::new();
    let mut on = |id, body| fixture.on(id, body);
    let told = |id, qty, aggressor| {
        vec![Body::Trade(event::Trade { id, price: Px(7), qty: Qty(qty), aggressor })]
    };
    assert_eq!(on(BTC, InputBody::Trade(trade(10))), told(10, 3, Side::Sell));
    assert_eq!(on(BTC, InputBody::Trade(trade(10))), []);
    assert_eq!(on(BTC, InputBody::AggTrade(agg_trade(10, 12))), []);
    assert_eq!(on(BTC, InputBody::AggTrade(agg_trade(11, 13))), told(13, 4, Side::Buy));
    assert_eq!(on(BTC, InputBody::Trade(trade(13))), []);
    assert_eq!(on(BTC, InputBody::Trade(trade(14))), told(14, 3, Side::Sell));
    assert_eq!(on(ETH, InputBody::Trade(trade(5))), told(5, 3, Side::Sell), "its own ids");
}

#[test]
fn only_order_flow_of_the_book_is_a_trade() {
    let mut fixture = Fixture::new();
    let not_flow = [
        InputBody::Trade(Trade { origin: TradeOrigin::Adl, ..trade(20) }),
        InputBody::Trade(Trade { origin: TradeOrigin::InsuranceFund, ..trade(21) }),
        InputBody::Trade(Trade { qty: Qty(0), ..trade(11) }),
        InputBody::Trade(Trade { price: Px(0), ..trade(12) }),
        InputBody::AggTrade(AggTrade { normal_qty: Qty(0), ..agg_trade(13, 14) }),
    ];
    for body in not_flow {
        assert_eq!(fixture.on(BTC, body), [], "{body:?}");
    }
    let flow = fixture.on(BTC, InputBody::Trade(trade(15)));
    assert_eq!(kinds(&flow), [EventKind::Trade], "ids of what is no flow hide nothing");
}

#[test]
fn x5_a_forced_order_on_two_streams_is_told_once() {
    let forced = Liquidation {
        times: Times { event: Some(Nanos(50)), transaction: Some(Nanos(40)) },
        side: Side::Sell,
        price: Px(9),
        average: Px(10),
        qty: Qty(8),
        last_qty: Qty(1),
        filled_qty: Qty(6),
    };
    let told =
        Body::Liquidation(event::Liquidation { side: Side::Sell, price: Px(10), qty: Qty(6) });
    let mut fixture = Fixture::new();
    let mut on = |id, liquidation| fixture.on(id, InputBody::Liquidation(liquidation));
    assert_eq!(on(BTC, forced), [told]);
    let times = Times { event: Some(Nanos(51)), ..forced.times };
    assert_eq!(on(BTC, Liquidation { times, ..forced }), [], "the other stream sends it later");
    assert_eq!(on(ETH, forced), [told], "another symbol");
    let times = Times { transaction: Some(Nanos(41)), ..forced.times };
    let others = [
        Liquidation { side: Side::Buy, ..forced },
        Liquidation { price: Px(8), ..forced },
        Liquidation { qty: Qty(7), ..forced },
        Liquidation { times, ..forced },
    ];
    for other in others {
        assert_eq!(on(BTC, other).len(), 1, "{other:?}");
        assert_eq!(on(BTC, other), [], "{other:?}");
    }
    assert_eq!(on(BTC, forced), [told], "two are remembered, and it was longer ago");
    for empty in
        [Liquidation { filled_qty: Qty(0), ..forced }, Liquidation { average: Px(0), ..forced }]
    {
        assert_eq!(on(BTC, Liquidation { price: Px(1), ..empty }), [], "nothing traded");
    }
}

#[test]
fn a_real_mark_is_told_and_ends_the_assumption() {
    let mut fixture = Fixture::new();
    let ticks = |fixture: &mut Fixture, second: u64| {
        fixture.fold.on_tick(Nanos(second * Nanos::SECOND), &mut fixture.drafts);
        let marks = fixture.take();
        marks.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    fixture.on(BTC, InputBody::Trade(trade(1)));
    fixture.on(ETH, InputBody::Trade(trade(1)));
    assert_eq!(ticks(&mut fixture, 2), [BTC, ETH]);
    let none = Mark { price: Px(0), ..Mark::default() };
    assert_eq!(fixture.on(BTC, InputBody::Mark(none)), [], "no price, no mark");
    assert_eq!(ticks(&mut fixture, 3), [BTC, ETH]);
    let mark = Mark {
        price: Px(70),
        index: Some(Px(71)),
        funding_rate: Some(Rate(-5)),
        next_funding: Some(Nanos(99)),
        ..Mark::default()
    };
    let told = event::Mark {
        price: Px(70),
        index: Some(Px(71)),
        funding_rate: Some(Rate(-5)),
        next_funding: Some(Nanos(99)),
        origin: Origin::Real,
    };
    assert_eq!(fixture.on(BTC, InputBody::Mark(mark)), [Body::Mark(told)]);
    assert_eq!(ticks(&mut fixture, 4), [ETH]);
}

/// S0-31: what was really charged ends what is assumed of it, and not the assumed price.
#[test]
fn s0_31_funding_as_charged_is_told_once_and_ends_the_assumption_of_it() {
    let mut fixture = Fixture::new();
    let rates = |fixture: &mut Fixture, second: u64| {
        fixture.on(BTC, InputBody::Trade(trade(second.cast_signed())));
        fixture.fold.on_tick(Nanos(second * Nanos::SECOND), &mut fixture.drafts);
        let marks = fixture.take().into_iter().map(|(_, body)| {
            let Body::Mark(mark) = body else { panic!("{body:?}") };
            (mark.funding_rate.is_some(), mark.next_funding.is_some())
        });
        marks.collect::<Vec<_>>()
    };
    assert_eq!(rates(&mut fixture, 2), [(true, true)]);
    let funding = Funding { at: Nanos(50), rate: Rate(-5) };
    let told = Body::Funding(event::Funding { at: Nanos(50), rate: Rate(-5) });
    assert_eq!(fixture.on(BTC, InputBody::Funding(funding)), [told]);
    assert_eq!(fixture.on(BTC, InputBody::Funding(funding)), []);
    assert_eq!(rates(&mut fixture, 3), [(false, false)]);
}

/// A history of marks may tell prices alone: what is charged goes on to be assumed, until a mark or a charge tells it.
#[test]
fn s0_31_a_mark_of_a_price_alone_leaves_the_assumption_of_funding() {
    let mut fixture = Fixture::new();
    let mut told = |mark| {
        let [Body::Mark(told)] = fixture.on(BTC, InputBody::Mark(mark))[..] else {
            panic!("a mark")
        };
        (told.funding_rate, told.next_funding.is_some(), told.origin)
    };
    let bare = Mark { price: Px(70), ..Mark::default() };
    let assumed = Some(AssumedMark::default().funding_rate);
    assert_eq!(told(bare), (assumed, true, Origin::Real));
    let rated = Mark { funding_rate: Some(Rate(-5)), ..bare };
    assert_eq!(told(rated), (Some(Rate(-5)), false, Origin::Real));
    assert_eq!(told(bare), (None, false, Origin::Real), "real ones were seen");
}

#[test]
fn bars_see_the_trades_that_are_told_and_no_other() {
    let mut fixture = Fixture::new();
    fixture.ts = 60 * Nanos::SECOND - 1;
    fixture.on(InstrumentId(u16::MAX), InputBody::Nothing);
    for id in [10, 10, 11] {
        fixture.on(BTC, InputBody::Trade(trade(id)));
    }
    fixture.fold.on_tick(Nanos(120 * Nanos::SECOND), &mut fixture.drafts);
    let bars = fixture.take();
    let [(BTC, Body::Bar(bar))] = bars[..] else { panic!("{bars:?}") };
    assert_eq!((bar.open_time, bar.trades), (Nanos(60 * Nanos::SECOND), 2));
    assert_eq!(bar.volume.get(), 6);
}
