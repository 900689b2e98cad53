//! The paper venue against its rules: by hand where a case has a name, against `naive` where it has none.

use std::collections::BTreeMap;

use fusewire_core::book::{BookConfig, Invalid, Touch};
use fusewire_core::contract::FeeSchedule;
use fusewire_core::event::{Body, Depth, Event, TouchChange, TouchSource, Trade};
use fusewire_core::instrument::{Instrument, InstrumentId, LotSize, Market, Universe, common};
use fusewire_core::jitter;
use fusewire_core::market::{DepthIds, Level};
use fusewire_core::message::{BookInput, Feedback, FeedbackBody, FeedbackOrigin, Tap};
use fusewire_core::order::{
    Action, Intent, Liquidity, NewOrder, OrderId, OrderState, Report, ReportKind as Kind, Side,
    Source, Status, StrategyId, TimeInForce as Tif, VenueReason as Why,
};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig};
use fusewire_core::ring::{LevelsProducer, RingBuffer, with_levels};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Rate, Usd, UsdSum};
use proptest::prelude::*;

use super::desk::At;
use super::naive::{Ask, Naive, Said, View};
use super::{PaperConfig, PaperVenue, ReportFaults};
use crate::gateway::{Feedbacks, Venue};

const ID: InstrumentId = InstrumentId(0);
const OTHER: InstrumentId = InstrumentId(1);
const LATENCY: u64 = 10;

fn config() -> PaperConfig {
    PaperConfig {
        order_latency: Nanos(LATENCY),
        response_latency: Nanos(20),
        jitter: Nanos(0),
        orders_max: 64,
        requests_max: 64,
        closed_max: 256,
        consumed_levels_max: 64,
        ..PaperConfig::default()
    }
}

/// Any price and quantity in raw units passes the filters.
fn instrument(symbol: &str) -> Instrument {
    let lot = LotSize { min: Qty(1), max: Qty(i64::MAX), step: Qty(1) };
    let base = common(Market::UsdM, "BTCUSDT").unwrap();
    Instrument { symbol: symbol.into(), tick: Some(Px(1)), lot, min_notional: None, ..base }
}

fn levels(list: &[(i64, i64)]) -> Vec<Level> {
    list.iter().map(|&(price, qty)| Level { price: Px(price), qty: Qty(qty) }).collect()
}

/// A venue with its sequencer played by hand.
struct Floor {
    venue: PaperVenue,
    tap: LevelsProducer<Tap>,
    out: Feedbacks,
    seq: u64,
    ts: u64,
    update: i64,
    /// All feedback so far.
    told: Vec<Feedback>,
    /// How much of `told` was looked at.
    seen: usize,
}

impl Floor {
    fn new(config: PaperConfig) -> Self {
        Self::with_room(config, 1_024)
    }

    fn with_room(config: PaperConfig, room: usize) -> Self {
        Self::with(config, room, vec![instrument("A"), instrument("B")])
    }

    fn with(config: PaperConfig, room: usize, instruments: Vec<Instrument>) -> Self {
        let (tap, taken) = with_levels(16, 256);
        let small = BookConfig {
            window_ticks: 64,
            far_levels_max: 64,
            buffer_frames_max: 4,
            buffer_levels_max: 64,
        };
        let universe = Universe::new(instruments).unwrap();
        let strategies = [StrategyId(0), StrategyId::RISK];
        let venue = PaperVenue::new(&config, &universe, &small, taken, &strategies);
        let out = Feedbacks::new(room);
        Self { venue, tap, out, seq: 0, ts: 1_000, update: 0, told: Vec::new(), seen: 0 }
    }

    fn drain(&mut self) {
        let (mut producer, mut consumer) = RingBuffer::new(4_096);
        self.out.flush(&mut producer);
        while let Ok(feedback) = consumer.pop() {
            self.told.push(feedback);
        }
    }

    fn event_on(&mut self, instrument: Option<InstrumentId>, body: Body) {
        self.seq += 1;
        let (seq, ts) = (self.seq, Nanos(self.ts));
        let event = Event { seq, ts, recv: ts, frame: 0, instrument, last: true, body };
        self.venue.on_event(&event, &mut self.out);
        self.drain();
    }

    fn event(&mut self, body: Body) {
        self.event_on(Some(ID), body);
    }

    fn frame_on(&mut self, id: InstrumentId, input: BookInput, sides: [&[(i64, i64)]; 2]) {
        let [bids, asks] = sides.map(levels);
        let tap = Tap { seq: self.seq + 1, instrument: id, body: input };
        assert!(self.tap.push(tap, &bids, &asks));
        self.event_on(Some(id), Body::Depth(Depth::default()));
    }

    /// A complete view of the book.
    fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        let (b, a) = (u32::try_from(bids.len()).unwrap(), u32::try_from(asks.len()).unwrap());
        self.frame_on(ID, BookInput::Partial { bids: b, asks: a }, [bids, asks]);
    }

    /// Changes of a book of diffs, which begins with a snapshot without levels.
    fn diff(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        let (b, a) = (u32::try_from(bids.len()).unwrap(), u32::try_from(asks.len()).unwrap());
        let prev = self.update;
        self.update += 1;
        let ids = DepthIds { first: prev, last: self.update, prev: Some(prev) };
        if prev == 0 {
            self.frame_on(ID, BookInput::Snapshot { last_id: 0, bids: 0, asks: 0 }, [&[], &[]]);
        }
        self.frame_on(ID, BookInput::Diff { ids, bids: b, asks: a }, [bids, asks]);
    }

    fn ticker(&mut self, bid: (i64, i64), ask: (i64, i64)) {
        let level = |(price, qty)| Some(Level { price: Px(price), qty: Qty(qty) });
        let touch = Touch { bid: level(bid), ask: level(ask) };
        self.event(Body::Touch(TouchChange { touch, source: TouchSource::Ticker }));
    }

    fn trade(&mut self, price: i64, qty: i64, aggressor: Side) {
        self.ts += 1;
        self.trade_now(price, qty, aggressor);
    }

    fn trade_now(&mut self, price: i64, qty: i64, aggressor: Side) {
        self.event(Body::Trade(Trade { id: 0, price: Px(price), qty: Qty(qty), aggressor }));
    }

    /// A request leaves and is on its way.
    fn send(&mut self, order: u64, action: Action) {
        self.send_on(ID, order, action);
    }

    fn send_on(&mut self, instrument: InstrumentId, order: u64, action: Action) {
        let intent = Intent { order: oid(order), instrument, source: Source::Alpha, action };
        let at = At { seq: self.seq, ts: Nanos(self.ts) };
        self.venue.request(at, &intent, &mut self.out);
        self.drain();
    }

    /// Time for everything on its way to get in.
    fn wake(&mut self) {
        self.ts += LATENCY;
        self.event_on(None, Body::Wake);
    }

    fn enter(&mut self, order: u64, action: Action) -> Vec<Report> {
        self.send(order, action);
        self.wake();
        self.news()
    }

    /// Reports since the last look.
    fn news(&mut self) -> Vec<Report> {
        let found = self.told[self.seen..].iter().filter_map(|feedback| match feedback.body {
            FeedbackBody::Report(report) => Some(report),
            FeedbackBody::Status(_) | FeedbackBody::Rejected(_) | FeedbackBody::Wake => None,
        });
        let found = found.collect();
        self.seen = self.told.len();
        found
    }

    fn query(&mut self, order: u64) -> Status {
        self.send(order, Action::Query);
        self.wake();
        let last = self.told.last().unwrap();
        self.seen = self.told.len();
        let FeedbackBody::Status(status) = last.body else {
            panic!("a status is the answer, not {last:?}");
        };
        status
    }

    fn position(&self) -> i64 {
        self.venue.portfolio().position(ID).qty.0
    }
}

fn oid(counter: u64) -> OrderId {
    OrderId::new(1, StrategyId(0), counter)
}

fn order(side: Side, tif: Tif, price: i64, qty: i64) -> Action {
    let (price, qty) = (Px(price), Qty(qty));
    Action::New(NewOrder { side, price, qty, tif, reduce_only: false })
}

fn buy(tif: Tif, price: i64, qty: i64) -> Action {
    order(Side::Buy, tif, price, qty)
}

fn sell(tif: Tif, price: i64, qty: i64) -> Action {
    order(Side::Sell, tif, price, qty)
}

fn reduce(action: Action) -> Action {
    let Action::New(new) = action else { panic!("only a new order can be made reduce-only") };
    Action::New(NewOrder { reduce_only: true, ..new })
}

fn amend(price: i64, qty: i64) -> Action {
    Action::Amend { price: Px(price), qty: Qty(qty) }
}

/// Kind, reason, quantity and price of the fill or of what was refused.
fn short(reports: &[Report]) -> Vec<(Kind, Why, i64, i64)> {
    reports.iter().map(|r| (r.kind, r.reason, r.last_qty.0, r.last_price.0)).collect()
}

const ACCEPTED: (Kind, Why, i64, i64) = (Kind::Accepted, Why::None, 0, 0);

fn part(qty: i64, price: i64) -> (Kind, Why, i64, i64) {
    (Kind::PartialFill, Why::None, qty, price)
}

fn whole(qty: i64, price: i64) -> (Kind, Why, i64, i64) {
    (Kind::Filled, Why::None, qty, price)
}

fn expired(why: Why) -> (Kind, Why, i64, i64) {
    (Kind::Expired, why, 0, 0)
}

#[test]
fn takers_walk_the_levels_within_their_limit() {
    let mut floor = Floor::new(config());
    floor.book(&[(99, 5)], &[(101, 3), (102, 4), (104, 9)]);
    let payer = floor.seq;
    let reports = floor.enter(1, buy(Tif::Ioc, 103, 10));
    let rest = expired(Why::ImmediateRest);
    assert_eq!(short(&reports), [ACCEPTED, part(3, 101), part(4, 102), rest]);
    assert!(reports[1..3].iter().all(|r| (r.payer, r.liquidity) == (payer, Liquidity::Taker)));
    assert_eq!(floor.position(), 7);
    // What was taken is gone; the book's next word on a level only brings what is more.
    assert_eq!(short(&floor.enter(2, buy(Tif::Ioc, 103, 1))), [ACCEPTED, rest]);
    floor.book(&[(99, 5)], &[(101, 5), (102, 4), (104, 9)]);
    let not = expired(Why::NotFillable);
    assert_eq!(short(&floor.enter(3, buy(Tif::Fok, 103, 3))), [ACCEPTED, not]);
    assert_eq!(short(&floor.enter(4, buy(Tif::Fok, 103, 2))), [ACCEPTED, whole(2, 101)]);
    let took = floor.enter(5, sell(Tif::Gtc, 99, 6));
    assert_eq!(short(&took), [ACCEPTED, part(5, 99)]);
    assert_eq!(floor.venue.open_orders(), 1);
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(6, sell(Tif::Gtx, 99, 1))), [ACCEPTED, would]);
    assert_eq!(short(&floor.enter(7, sell(Tif::Gtx, 100, 1))), [ACCEPTED]);
}

#[test]
fn a_newer_ticker_takes_levels_away_and_says_what_crosses() {
    let mut floor = Floor::new(config());
    floor.book(&[(99, 5)], &[(101, 3), (102, 4), (103, 2)]);
    floor.ticker((100, 1), (102, 1));
    // 101 is gone, 102 has one left; bids at 100 are not in the book.
    let reports = floor.enter(1, buy(Tif::Ioc, 103, 9));
    let rest = expired(Why::ImmediateRest);
    assert_eq!(short(&reports), [ACCEPTED, part(1, 102), part(2, 103), rest]);
    assert_eq!(short(&floor.enter(2, sell(Tif::Ioc, 100, 1))), [ACCEPTED, rest]);
    assert_eq!(short(&floor.enter(3, buy(Tif::Gtx, 101, 1))), [ACCEPTED]);
    floor.enter(3, Action::Cancel);
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(4, sell(Tif::Gtx, 100, 1))), [ACCEPTED, would]);
    // The book has caught up.
    floor.book(&[(99, 5)], &[(101, 3)]);
    let touch = Touch::default();
    floor.event(Body::Touch(TouchChange { touch, source: TouchSource::Book }));
    assert_eq!(short(&floor.enter(5, buy(Tif::Ioc, 101, 3))), [ACCEPTED, whole(3, 101)]);
    // A ticker does not outlive the book that it was ahead of.
    floor.ticker((101, 1), (103, 1));
    floor.event(Body::BookInvalid(Invalid::Gap));
    floor.book(&[(99, 5)], &[(102, 3)]);
    // One of them is spent: since then the book has not said anything about 102.
    assert_eq!(short(&floor.enter(6, buy(Tif::Ioc, 102, 2))), [ACCEPTED, whole(2, 102)]);
}

#[test]
fn without_a_valid_book_nothing_is_taken_and_no_queue_is_known() {
    for gap in [false, true] {
        let mut floor = Floor::new(config());
        floor.book(&[(99, 5)], &[(101, 3)]);
        if gap {
            floor.event_on(None, Body::Gap);
        } else {
            floor.event(Body::BookInvalid(Invalid::Crossed));
        }
        let rest = expired(Why::ImmediateRest);
        assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 101, 1))), [ACCEPTED, rest]);
        let not = expired(Why::NotFillable);
        assert_eq!(short(&floor.enter(2, buy(Tif::Fok, 101, 1))), [ACCEPTED, not]);
        // Far from where the book was: nobody can show that it would not take.
        let would = expired(Why::WouldTake);
        assert_eq!(short(&floor.enter(3, buy(Tif::Gtx, 1, 1))), [ACCEPTED, would]);
        assert_eq!(short(&floor.enter(4, buy(Tif::Gtc, 101, 1))), [ACCEPTED]);
        floor.trade(101, 1_000, Side::Sell);
        assert_eq!(floor.news(), []);
        floor.trade(100, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, 101)]);
    }
    // Nor before the first frame.
    let mut floor = Floor::new(config());
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtx, 1, 1))), [ACCEPTED, would]);
}

/// It may have crossed what nobody saw: then it would have taken.
#[test]
fn what_got_in_without_a_valid_book_pays_as_a_taker_for_good() {
    let mut floor = Floor::new(config());
    let view = [(100, 5)];
    let fill = |floor: &mut Floor| {
        floor.trade(90, 1, Side::Sell);
        let news = floor.news();
        assert_eq!((news.len(), news[0].payer), (1, floor.seq), "a trade paid");
        news[0].liquidity
    };
    floor.enter(1, buy(Tif::Gtc, 99, 4));
    assert_eq!(fill(&mut floor), Liquidity::Taker);
    floor.book(&view, &[(103, 5)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker, "the book comes too late for it");
    // Who gets in anew beside a valid book is seen not to cross.
    floor.enter(1, amend(98, 4));
    assert_eq!(fill(&mut floor), Liquidity::Maker);
    floor.event(Body::BookInvalid(Invalid::Gap));
    assert_eq!(fill(&mut floor), Liquidity::Maker, "it rested before");
    floor.enter(2, buy(Tif::Gtc, 97, 9));
    floor.enter(2, amend(97, 8));
    floor.book(&view, &[(103, 5)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker);
    let stats = *floor.venue.stats();
    assert_eq!((stats.taker_fills, stats.maker_fills), (3, 2));
    // A resting order that is amended without a valid book, and a GTX one that can not be.
    floor.enter(2, Action::Cancel);
    for (id, tif) in [(3, Tif::Gtc), (4, Tif::Gtx)] {
        floor.enter(id, buy(tif, 99, 8));
    }
    floor.event(Body::BookInvalid(Invalid::Gap));
    floor.enter(3, amend(98, 8));
    let gone = floor.enter(4, amend(98, 8));
    assert_eq!(short(&gone), [(Kind::Canceled, Why::WouldTake, 0, 0)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker);
}

#[test]
fn trades_eat_the_queue_first() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 100, 4));
    floor.trade(100, 3, Side::Sell);
    // A buyer at this price trades with somebody's ask, not with the queue.
    floor.trade(100, 9, Side::Buy);
    assert_eq!(short(&floor.news()), []);
    floor.trade(100, 3, Side::Sell);
    assert_eq!(short(&floor.news()), [part(1, 100)]);
    floor.trade(99, 2, Side::Sell);
    let seq = floor.seq;
    let news = floor.news();
    assert_eq!(short(&news), [part(2, 100)]);
    assert_eq!((news[0].payer, news[0].liquidity), (seq, Liquidity::Maker));
    floor.trade(100, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(1, 100)]);
    // Inside the spread nobody stands before it; between known levels neither.
    for (id, price) in [(2, 101), (3, 99)] {
        floor.enter(id, buy(Tif::Gtc, price, 1));
        floor.trade(price, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, price)]);
    }
}

#[test]
fn behind_the_last_known_level_only_a_trade_through_pays() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 97, 4));
    floor.enter(2, sell(Tif::Gtc, 104, 4));
    floor.trade(97, 1_000, Side::Sell);
    floor.trade(104, 1_000, Side::Buy);
    assert_eq!(short(&floor.news()), []);
    floor.trade(96, 3, Side::Sell);
    floor.trade(105, 9, Side::Buy);
    assert_eq!(short(&floor.news()), [part(3, 97), whole(4, 104)]);
}

#[test]
fn the_longer_of_book_and_ticker_queue_counts() {
    for (shown, told) in [(2, 6), (6, 2)] {
        let mut floor = Floor::new(config());
        floor.book(&[(100, shown), (98, 1)], &[(103, 5)]);
        floor.ticker((100, told), (103, 5));
        floor.enter(1, buy(Tif::Gtc, 100, 1));
        floor.trade(100, 6, Side::Sell);
        assert_eq!(short(&floor.news()), []);
        floor.trade(100, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, 100)]);
    }
}

#[test]
fn own_orders_at_one_price_share_a_trade_in_time_order() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 100, 2));
    // People before the first order left; the second still stands behind the first.
    floor.book(&[(100, 1), (98, 1)], &[(103, 5)]);
    floor.enter(2, buy(Tif::Gtc, 100, 2));
    floor.enter(3, buy(Tif::Gtc, 101, 1));
    floor.trade(100, 9, Side::Sell);
    let news = floor.news();
    let ids: Vec<u64> = news.iter().map(|r| r.order.counter()).collect();
    // 1 through 101; 5 eaten; 2 and 1 of what is left.
    assert_eq!(ids, [3, 1, 2]);
    assert_eq!(short(&news), [whole(1, 101), whole(2, 100), part(1, 100)]);
}

#[test]
fn a_trade_at_the_time_of_arrival_does_not_pay() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.send(1, buy(Tif::Gtc, 101, 1));
    floor.ts += LATENCY;
    floor.trade_now(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    floor.trade(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(1, 101)]);
    // Without a wake it gets in at the trade itself, but it was there before.
    floor.send(2, buy(Tif::Gtc, 101, 1));
    floor.ts += LATENCY + 1;
    floor.trade_now(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [ACCEPTED, whole(1, 101)]);
}

/// What is due gets in before the frame of the same event changes the book.
#[test]
fn an_order_meets_the_book_of_its_arrival() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    let payer = floor.seq;
    floor.send(1, buy(Tif::Ioc, 103, 1));
    floor.ts += LATENCY;
    floor.book(&[(100, 5)], &[(104, 5)]);
    let news = floor.news();
    assert_eq!(short(&news), [ACCEPTED, whole(1, 103)]);
    assert_eq!(news[1].payer, payer);
}

#[test]
fn own_orders_that_would_be_met_expire() {
    let mut floor = Floor::new(config());
    floor.book(&[(98, 5)], &[(103, 5)]);
    floor.enter(1, sell(Tif::Gtc, 101, 1));
    floor.enter(2, sell(Tif::Gtc, 102, 1));
    floor.enter(3, sell(Tif::Gtc, 104, 1));
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(4, buy(Tif::Gtx, 102, 1))), [ACCEPTED, would]);
    let not = expired(Why::NotFillable);
    assert_eq!(short(&floor.enter(5, buy(Tif::Fok, 103, 9))), [ACCEPTED, not]);
    assert_eq!(floor.venue.open_orders(), 3);
    let own = expired(Why::SelfTrade);
    let news = floor.enter(6, buy(Tif::Gtc, 103, 7));
    assert_eq!(short(&news), [ACCEPTED, own, own, part(5, 103)]);
    assert_eq!(news[1..3].iter().map(|r| r.order.counter()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(floor.position(), 5);
}

/// The taker would trade at 101 and 102 only, but who has a limit of 103 meets them all.
#[test]
fn own_orders_expire_even_where_the_market_is_better() {
    let mut floor = Floor::new(config());
    floor.book(&[(98, 5)], &[(101, 3), (102, 3), (104, 3)]);
    floor.enter(1, sell(Tif::Gtc, 103, 1));
    floor.enter(2, sell(Tif::Gtc, 104, 1));
    let own = expired(Why::SelfTrade);
    let news = floor.enter(3, buy(Tif::Ioc, 103, 5));
    assert_eq!(short(&news), [ACCEPTED, own, part(3, 101), whole(2, 102)]);
    assert_eq!((news[1].order, floor.venue.open_orders()), (oid(1), 1));
}

#[test]
fn reduce_only_is_cut_to_the_position() {
    let mut floor = Floor::new(config());
    let asks = [(103, 50)];
    floor.book(&[(100, 50)], &asks);
    let useless = expired(Why::ReduceOnly);
    assert_eq!(short(&floor.enter(1, reduce(sell(Tif::Gtc, 110, 5)))), [ACCEPTED, useless]);
    floor.enter(2, buy(Tif::Ioc, 103, 10));
    assert_eq!(short(&floor.enter(3, reduce(buy(Tif::Ioc, 103, 5)))), [ACCEPTED, useless]);
    // Two rest, larger together than the position; the trade's rest pays nobody.
    floor.enter(4, reduce(sell(Tif::Gtc, 105, 8)));
    floor.enter(5, reduce(sell(Tif::Gtc, 106, 8)));
    floor.enter(6, reduce(sell(Tif::Gtc, 107, 8)));
    let cut = floor.enter(7, reduce(sell(Tif::Ioc, 100, 3)));
    assert_eq!(short(&cut), [ACCEPTED, whole(3, 100)]);
    floor.trade(120, 5, Side::Buy);
    assert_eq!(short(&floor.news()), [part(5, 105)]);
    floor.trade(120, 50, Side::Buy);
    let gone = [part(2, 105), useless, useless, useless];
    let news = floor.news();
    assert_eq!(news.len(), 4);
    assert!(short(&news).iter().all(|one| gone.contains(one)), "{news:?}");
    assert_eq!((floor.position(), floor.venue.open_orders()), (0, 0));
    // FOK is judged by what it may have.
    floor.enter(8, sell(Tif::Ioc, 100, 4));
    let all = floor.enter(9, reduce(buy(Tif::Fok, 103, 9)));
    assert_eq!(short(&all), [ACCEPTED, part(4, 103), useless]);
    assert_eq!(floor.position(), 0);
}

#[test]
fn amends_change_end_or_are_refused() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (90, 1)], &[(103, 5)]);
    let amended = (Kind::Amended, Why::None, 0, 0);
    floor.enter(1, buy(Tif::Gtc, 100, 4));
    floor.trade(100, 4, Side::Sell);
    let same = floor.enter(1, amend(100, 4));
    assert_eq!(short(&same), [(Kind::AmendRefused, Why::NoChange, 4, 100)]);
    // The place in the queue is lost: five before it again.
    let larger = floor.enter(1, amend(100, 6));
    assert_eq!(short(&larger), [amended]);
    assert_eq!((larger[0].price, larger[0].qty), (Px(100), Qty(6)));
    floor.trade(100, 7, Side::Sell);
    assert_eq!(short(&floor.news()), [part(2, 100)]);
    let off = floor.enter(1, amend(0, 6));
    assert_eq!(short(&off), [(Kind::AmendRefused, Why::Filter, 6, 0)]);
    let taking = floor.enter(1, amend(103, 4));
    assert_eq!(short(&taking), [amended, whole(2, 103)]);
    // The order filled while the amend was on its way: what is known of it comes along.
    let late = floor.enter(1, amend(99, 9));
    assert_eq!(short(&late), [(Kind::AmendRefused, Why::UnknownOrder, 9, 99)]);
    assert_eq!((late[0].cum_qty, late[0].price), (Qty(4), Px(103)));
    floor.enter(2, buy(Tif::Gtx, 101, 4));
    floor.trade(101, 3, Side::Sell);
    floor.news();
    let away = floor.enter(2, amend(101, 3));
    assert_eq!(short(&away), [(Kind::Canceled, Why::AmendedAway, 0, 0)]);
    assert_eq!(away[0].cum_qty, Qty(3));
    floor.enter(3, buy(Tif::Gtx, 101, 4));
    let taker = floor.enter(3, amend(103, 4));
    assert_eq!(short(&taker), [(Kind::Canceled, Why::WouldTake, 0, 0)]);
    assert_eq!(taker[0].price, Px(101));
    assert_eq!(floor.venue.open_orders(), 0);
    // The own account followed.
    assert_eq!((floor.position(), floor.venue.portfolio().orders().len()), (7, 0));
}

#[test]
fn an_amended_order_is_paid_by_later_trades_only() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 99, 4));
    floor.send(1, amend(102, 4));
    floor.ts += LATENCY;
    floor.trade_now(100, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [(Kind::Amended, Why::None, 0, 0)]);
}

/// A cancel that gets in first finds nothing, and says nothing of the order behind it.
#[test]
fn a_cancel_can_overtake_its_order() {
    let spread = PaperConfig { jitter: Nanos(1_000), ..config() };
    let arrival = |id: u64, number: u64| jitter::below(0, oid(id), number * 5, 1_000);
    let overtakes = |id: &u64| arrival(*id, 1) + 5 < arrival(*id, 0);
    let id = (1..100).find(overtakes).unwrap();
    let mut floor = Floor::new(spread);
    floor.book(&[(100, 5)], &[(103, 5)]);
    let start = floor.ts;
    floor.send(id, buy(Tif::Gtc, 99, 4));
    floor.send(id, Action::Cancel);
    floor.ts = start + LATENCY + arrival(id, 1);
    floor.event_on(None, Body::Wake);
    let first = floor.news();
    assert_eq!(short(&first), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!((first[0].qty, first[0].cum_qty), (Qty(0), Qty(0)));
    floor.ts = start + LATENCY + arrival(id, 0) - 1;
    floor.event_on(None, Body::Wake);
    assert_eq!(floor.news(), []);
    floor.ts += 1;
    floor.event_on(None, Body::Wake);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    assert_eq!(floor.venue.open_orders(), 1);
}

#[test]
fn queries_tell_open_closed_and_unknown_apart() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    assert_eq!(floor.query(1).state, OrderState::Unknown);
    floor.send(1, buy(Tif::Gtc, 103, 8));
    assert_eq!(floor.venue.open_orders(), 0);
    floor.wake();
    let open = floor.query(1);
    assert_eq!((open.state, open.qty, open.cum_qty), (OrderState::Open, Qty(8), Qty(5)));
    assert_eq!((open.side, open.price, open.at), (Side::Buy, Px(103), Nanos(floor.ts)));
    let cancel = floor.enter(1, Action::Cancel);
    assert_eq!(short(&cancel), [(Kind::Canceled, Why::None, 0, 0)]);
    let closed = floor.query(1);
    assert_eq!((closed.state, closed.cum_qty), (OrderState::Closed, Qty(5)));
    assert_eq!((closed.cum_quote, closed.cum_fee), (open.cum_quote, open.cum_fee));
    let again = floor.enter(1, Action::Cancel);
    assert_eq!(short(&again), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!(again[0].cum_qty, Qty(5));
    // Another symbol's order of that number is not this one.
    floor.enter(2, buy(Tif::Gtc, 90, 1));
    floor.send_on(OTHER, 2, Action::Cancel);
    floor.wake();
    assert_eq!(short(&floor.news()), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!(floor.venue.open_orders(), 1);
}

/// A report on the second one would end the first in everybody's eyes.
#[test]
fn nothing_is_said_of_an_id_that_comes_twice() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 99, 1));
    assert_eq!(floor.enter(1, buy(Tif::Gtc, 98, 7)), []);
    assert_eq!(floor.query(1).price, Px(99));
    floor.enter(1, Action::Cancel);
    assert_eq!(floor.enter(1, buy(Tif::Gtc, 98, 7)), []);
    assert_eq!((floor.venue.stats().duplicates, floor.venue.open_orders()), (2, 0));
}

#[test]
fn filters_are_checked_again() {
    let lot = LotSize { min: Qty(20), max: Qty(1_000), step: Qty(10) };
    let filtered = Instrument {
        tick: Some(Px(5)),
        lot,
        min_notional: Some(Usd(2)),
        max_orders: Some(2),
        ..instrument("A")
    };
    let closed = Instrument { trading: false, ..instrument("B") };
    let inverse = Instrument { market: Market::CoinM, ..instrument("C") };
    let mut floor = Floor::with(config(), 64, vec![filtered, closed, inverse]);
    let refused = (Kind::Refused, Why::Filter, 0, 0);
    // 2 at 1e-8 in quote are 2 * 10^8 as a raw product.
    let price = ONE / 10;
    let bad = [(price + 1, 20), (-5, 20), (0, 20), (price, 10), (price, 25), (price, 1_010)];
    for (number, (price, qty)) in (1..).zip(bad) {
        assert_eq!(short(&floor.enter(number, buy(Tif::Gtc, price, qty))), [refused], "{number}");
    }
    assert_eq!(short(&floor.enter(10, buy(Tif::Gtc, price - 5, 20))), [refused]);
    assert_eq!(short(&floor.enter(11, buy(Tif::Gtc, price, 20))), [ACCEPTED]);
    // The least notional is no hurdle for what reduces; there is nothing to reduce, though.
    let reducing = floor.enter(12, reduce(buy(Tif::Gtc, price - 5, 20)));
    assert_eq!(short(&reducing), [ACCEPTED, expired(Why::ReduceOnly)]);
    assert_eq!(short(&floor.enter(13, buy(Tif::Gtc, price, 20))), [ACCEPTED]);
    let full = floor.enter(14, buy(Tif::Gtc, price, 20));
    assert_eq!(short(&full), [(Kind::Refused, Why::TooManyOrders, 0, 0)]);
    for (number, id) in [(20, 1), (21, 2)] {
        floor.send_on(InstrumentId(id), number, buy(Tif::Gtc, price, 20));
        floor.wake();
        assert_eq!(short(&floor.news()), [refused]);
    }
    floor.send_on(InstrumentId(9), 30, buy(Tif::Gtc, price, 20));
    floor.wake();
    assert_eq!((floor.news(), floor.venue.stats().lost_requests), (vec![], 1));
    assert_eq!(floor.query(14).state, OrderState::Closed);
}

#[test]
fn amounts_are_rounded_against_the_account() {
    let fees = FeeSchedule { maker: Rate(-10_000_000_000), ..FeeSchedule::default() };
    let mut floor = Floor::new(PaperConfig { fees, ..config() });
    let (price, qty) = (ONE - 1, ONE + 1);
    floor.book(&[(price - 2, 5)], &[(price, qty)]);
    // Exactly 99999999.99999999, and half a thousandth of what that is rounded to.
    let bought = floor.enter(1, buy(Tif::Ioc, price, qty));
    assert_eq!((bought[1].cum_quote, bought[1].cum_fee), (Usd(ONE), Usd(50_000)));
    floor.enter(2, sell(Tif::Gtc, price, qty));
    floor.trade(price + 1, qty, Side::Buy);
    let sold = floor.news().pop().unwrap();
    // A rebate of a hundredth of what is surely there.
    assert_eq!((sold.cum_quote, sold.cum_fee), (Usd(ONE - 1), Usd(-999_999)));
    let stats = floor.venue.stats();
    assert_eq!((stats.taker_fees, stats.maker_fees), (UsdSum(50_000), UsdSum(-999_999)));
    assert_eq!((stats.taker_fills, stats.maker_fills, stats.fills()), (1, 1, 2));
    let one = i128::from(ONE);
    assert_eq!((stats.taker_quote, stats.maker_quote), (UsdSum(one), UsdSum(one - 1)));
}

/// Amounts beyond the range of an order: nothing fills, nothing stops.
#[test]
fn numbers_that_leave_their_range_do_not_fill() {
    let mut floor = Floor::new(config());
    floor.book(&[(ONE, i64::MAX), (ONE - 1, 100)], &[(2 * ONE, i64::MAX)]);
    let refused = (Kind::Refused, Why::Filter, 0, 0);
    assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 2 * ONE, i64::MAX))), [refused]);
    assert_eq!(short(&floor.enter(2, sell(Tif::Ioc, ONE, i64::MAX)))[1], whole(i64::MAX, ONE));
    // The position would go below what it can hold.
    let more = floor.enter(3, sell(Tif::Ioc, ONE / 2, 5));
    assert_eq!(short(&more), [ACCEPTED, expired(Why::ImmediateRest)]);
    // Better levels than the limit make a sale dearer than the limit says.
    floor.book(&[(i64::MAX, i64::MAX)], &[]);
    floor.enter(4, sell(Tif::Ioc, 1, i64::MAX / 2));
    assert_eq!(floor.position(), -i64::MAX);
}

#[test]
fn everything_is_late_by_what_the_configuration_says_and_in_order() {
    let (order_latency, response_latency, jitter) = (Nanos(100), Nanos(300), Nanos(50));
    let late = PaperConfig { order_latency, response_latency, jitter, seed: 7, ..config() };
    let mut floor = Floor::new(late);
    floor.book(&[(100, 5)], &[(103, 5)]);
    let mut spread = [u64::MAX, 0];
    let mut returns = [u64::MAX, 0];
    let mut last_due = Nanos(0);
    for id in 1..=200 {
        floor.ts += 400;
        let sent = floor.ts;
        floor.send(id, buy(Tif::Gtx, 99, 1));
        let wake = *floor.told.last().unwrap();
        assert_eq!((wake.body, wake.origin), (FeedbackBody::Wake, FeedbackOrigin::Venue));
        assert_eq!((wake.instrument, wake.cause_seq), (None, floor.seq));
        let way = wake.due.0 - sent;
        assert!((100..150).contains(&way), "{way}");
        spread = [spread[0].min(way), spread[1].max(way)];
        floor.ts = wake.due.0 - 1;
        floor.event_on(None, Body::Tick);
        assert_eq!(*floor.told.last().unwrap(), wake);
        floor.ts = wake.due.0;
        floor.event_on(None, Body::Wake);
        let answer = *floor.told.last().unwrap();
        let back = answer.due.0 - floor.ts;
        assert!((300..350).contains(&back), "{back}");
        returns = [returns[0].min(back), returns[1].max(back)];
        assert!(answer.due > last_due && answer.cause_seq == floor.seq);
        last_due = answer.due;
        // All at one time: the jitter can not change their order.
        floor.send(id, Action::Cancel);
        floor.ts += 149;
        floor.event_on(None, Body::Wake);
    }
    for seen in [spread, [returns[0] - 200, returns[1] - 200]] {
        assert!(seen[0] < 110 && seen[1] >= 140, "{seen:?}");
    }
    let dues: Vec<Nanos> = floor
        .told
        .iter()
        .filter(|feedback| feedback.body != FeedbackBody::Wake)
        .map(|feedback| feedback.due)
        .collect();
    assert!(dues.is_sorted() && dues.len() == 400);
    assert!(floor.told.iter().zip(0..).all(|(feedback, n)| feedback.n == n));
}

#[test]
fn reports_of_one_moment_keep_their_order() {
    let spread = PaperConfig { jitter: Nanos(1_000_000), ..config() };
    let mut floor = Floor::new(PaperConfig { order_latency: Nanos(1), ..spread });
    let asks: Vec<(i64, i64)> = (0..40).map(|n| (103 + n, 1)).collect();
    floor.book(&[(100, 5)], &asks);
    floor.send(1, buy(Tif::Ioc, 200, 50));
    floor.ts += 1_000_001;
    floor.event_on(None, Body::Wake);
    let told = &floor.told[1..];
    assert_eq!(told.len(), 42);
    assert!(told.iter().map(|feedback| feedback.due).is_sorted());
    assert!(told.iter().map(Feedback::key).is_sorted());
}

#[test]
fn at_level_three_everything_ends_and_nothing_sent_before_survives() {
    let spread = PaperConfig { jitter: Nanos(1_000), ..config() };
    let mut floor = Floor::new(spread);
    floor.book(&[(100, 5)], &[(103, 5)]);
    for id in 1..=20 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    floor.ts += 2_000;
    floor.event_on(None, Body::Wake);
    for id in 21..=40 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.drain();
    let wake = *floor.told.last().unwrap();
    assert_eq!(wake.body, FeedbackBody::Wake);
    floor.news();
    floor.ts = wake.due.0;
    floor.event_on(None, Body::Wake);
    let canceled = floor.news().iter().filter(|r| r.kind == Kind::Canceled).count();
    assert_eq!((canceled, floor.venue.open_orders()), (40, 0));
    assert_eq!(floor.enter(41, Action::Cancel).len(), 0);
}

#[test]
fn bounds_refuse() {
    let small = PaperConfig { orders_max: 2, requests_max: 3, closed_max: 3, ..config() };
    let mut floor = Floor::new(small);
    floor.book(&[(100, 5)], &[(103, 5)]);
    for id in 1..=4 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    // The fourth found no room on the way.
    let refused = (Kind::Refused, Why::TooManyOrders, 0, 0);
    assert_eq!(short(&floor.news()), [refused]);
    // Nor do these, and the answer does not end an order on its way.
    floor.send(1, buy(Tif::Gtc, 99, 1));
    floor.send(2, Action::Cancel);
    floor.send(2, amend(98, 1));
    floor.send(2, Action::Query);
    let cancel = (Kind::CancelRefused, Why::TooManyOrders, 0, 0);
    let change = (Kind::AmendRefused, Why::TooManyOrders, 1, 98);
    assert_eq!(short(&floor.news()), [cancel, change]);
    floor.wake();
    assert_eq!(short(&floor.news()), [ACCEPTED, ACCEPTED, refused]);
    let stats = *floor.venue.stats();
    assert_eq!((stats.duplicates, stats.lost_requests, stats.refused), (1, 1, 2));
    // Three finished orders are remembered.
    let (open, closed, unknown) = (OrderState::Open, OrderState::Closed, OrderState::Unknown);
    let states = [4, 3, 2, 1].map(|id| floor.query(id).state);
    assert_eq!(states, [closed, closed, open, open]);
    floor.enter(1, Action::Cancel);
    floor.enter(2, Action::Cancel);
    let states = [4, 3, 2, 1].map(|id| floor.query(id).state);
    assert_eq!(states, [unknown, closed, closed, closed]);
}

#[test]
fn a_request_that_gets_in_too_late_is_lost() {
    let mut floor = Floor::new(PaperConfig { arrival_max: Nanos(100), ..config() });
    floor.send(1, buy(Tif::Gtc, 99, 1));
    floor.ts += 100;
    floor.event_on(None, Body::Tick);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    floor.send(2, buy(Tif::Gtc, 99, 1));
    floor.ts += 101;
    floor.event_on(None, Body::Tick);
    assert_eq!((floor.news(), floor.venue.stats().lost_requests), (vec![], 1));
}

#[test]
fn a_full_ledger_offers_no_other_level() {
    let mut floor = Floor::new(PaperConfig { consumed_levels_max: 2, ..config() });
    floor.book(&[(100, 5)], &[(103, 5), (104, 5), (105, 5)]);
    let rest = expired(Why::ImmediateRest);
    let first = floor.enter(1, buy(Tif::Ioc, 105, 15));
    assert_eq!(short(&first), [ACCEPTED, part(5, 103), part(5, 104), rest]);
    floor.book(&[(100, 5)], &[(103, 6), (105, 5)]);
    let second = floor.enter(2, buy(Tif::Ioc, 105, 15));
    assert_eq!(short(&second), [ACCEPTED, part(1, 103), part(5, 105), rest]);
    assert_eq!(short(&floor.enter(3, sell(Tif::Ioc, 100, 1))), [ACCEPTED, rest]);
}

/// A taker takes no more than it can tell of; its end and those of the own orders that it meets are told.
#[test]
fn answers_have_room_or_work_is_left() {
    let faults = ReportFaults { repeat_ppm: 1_000_000, ..ReportFaults::default() };
    let asks: Vec<(i64, i64)> = (0..20).map(|n| (103 + n, 1)).collect();
    let mut floor = Floor::with_room(PaperConfig { faults, ..config() }, 16);
    floor.book(&[(90, 5)], &asks);
    let rest = expired(Why::ImmediateRest);
    // Sixteen messages: accepted, six fills and the end, each twice.
    let kinds = |reports: &[Report]| -> Vec<_> {
        assert!(reports.chunks(2).all(|pair| pair[0] == pair[1]));
        short(reports).into_iter().step_by(2).collect()
    };
    let fills: Vec<_> = (0..6).map(|n| part(1, 103 + n)).collect();
    let expected = [&[ACCEPTED][..], &fills, &[rest]].concat();
    assert_eq!(kinds(&floor.enter(1, buy(Tif::Ioc, 200, 20))), expected);
    assert_eq!(kinds(&floor.enter(2, sell(Tif::Gtc, 101, 1))), [ACCEPTED]);
    assert_eq!(kinds(&floor.enter(3, sell(Tif::Gtc, 102, 1))), [ACCEPTED]);
    // All or nothing: seven levels can not be told.
    let not = expired(Why::NotFillable);
    assert_eq!(kinds(&floor.enter(4, buy(Tif::Fok, 200, 7))), [ACCEPTED, not]);
    let own = expired(Why::SelfTrade);
    let fills: Vec<_> = (6..10).map(|n| part(1, 103 + n)).collect();
    let expected = [&[ACCEPTED, own, own][..], &fills, &[rest]].concat();
    assert_eq!(kinds(&floor.enter(5, buy(Tif::Ioc, 200, 20))), expected);
    // A trade pays seven orders; for an eighth there is no room to tell all that may become of it.
    for id in 11..=20 {
        floor.enter(id, buy(Tif::Gtc, 100, 1));
    }
    floor.trade(99, 10, Side::Sell);
    assert_eq!(kinds(&floor.news()), [whole(1, 100); 7]);
    floor.trade(99, 10, Side::Sell);
    assert_eq!(kinds(&floor.news()), [whole(1, 100); 3]);
    // Seven of ten orders end at once, beside the wake for it; the others with the next event.
    for id in 31..=40 {
        floor.enter(id, buy(Tif::Gtc, 91, 1));
    }
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.wake();
    assert_eq!((floor.news().len(), floor.venue.open_orders()), (14, 3));
    floor.wake();
    assert_eq!((floor.news().len(), floor.venue.open_orders()), (6, 0));
    // Three requests at once: the third waits for the next event.
    for id in 21..=23 {
        floor.send(id, buy(Tif::Ioc, 108 + id.cast_signed(), 2));
    }
    floor.ts += LATENCY;
    let put_off = floor.venue.stats().put_off;
    let mut told = 0;
    while told < 3 {
        floor.event_on(None, Body::Tick);
        told += floor.news().iter().filter(|r| r.kind.is_terminal()).count() / 2;
    }
    let stats = floor.venue.stats();
    assert!(stats.put_off > put_off && stats.overflowed == 0, "{stats:?}");
}

#[test]
fn symbols_do_not_mix() {
    let mut floor = Floor::new(config());
    let view = BookInput::Partial { bids: 1, asks: 1 };
    floor.frame_on(ID, view, [&[(100, 5)], &[(103, 5)]]);
    floor.frame_on(OTHER, view, [&[(50, 5)], &[(53, 5)]]);
    let other = floor.seq;
    floor.send_on(OTHER, 1, buy(Tif::Gtc, 51, 4));
    floor.send_on(ID, 2, sell(Tif::Gtc, 102, 4));
    floor.wake();
    floor.news();
    floor.trade(40, 9, Side::Sell);
    assert_eq!(floor.news(), []);
    floor.send_on(OTHER, 3, buy(Tif::Ioc, 53, 5));
    floor.wake();
    let news = floor.news();
    assert_eq!(short(&news), [ACCEPTED, whole(5, 53)]);
    assert_eq!(news[1].payer, other);
    floor.enter(2, Action::Cancel);
    floor.event_on(Some(OTHER), Body::BookInvalid(Invalid::Gap));
    assert_eq!(short(&floor.enter(4, buy(Tif::Ioc, 103, 5)))[1], whole(5, 103));
    assert_eq!(floor.position(), 5);
    assert_eq!(floor.venue.portfolio().position(OTHER).qty, Qty(5));
}

/// Faults on the way back: what is lost, repeated or late is so in the measure asked for, the account and
/// the answers to queries stay true, and a fold that hears of them late comes to the same position.
#[test]
fn faults_change_the_messages_and_not_the_truth() {
    let faults = ReportFaults {
        lose_ppm: 200_000,
        repeat_ppm: 300_000,
        delay_ppm: 100_000,
        delay: Nanos(5_000),
    };
    let mut floor = Floor::new(PaperConfig { faults, closed_max: 4_096, ..config() });
    let mut calm = Floor::new(PaperConfig { closed_max: 4_096, ..config() });
    let mut fold = Portfolio::new(PortfolioConfig {
        instruments: 2,
        strategies: vec![StrategyId(0)],
        orders_max: 4_096,
        closed_max: 4_096,
        arrival_max: Nanos(5 * Nanos::SECOND),
    });
    for id in 1..=2_000 {
        for floor in [&mut floor, &mut calm] {
            floor.book(&[(100, 5)], &[(103, 2)]);
            floor.send(id, buy(Tif::Ioc, 103, 3));
            floor.wake();
            floor.book(&[(100, 5)], &[(104, 5)]);
        }
        let action = buy(Tif::Ioc, 103, 3);
        let intent = Intent { order: oid(id), instrument: ID, source: Source::Alpha, action };
        fold.track(&intent, Nanos(floor.ts)).unwrap();
    }
    assert_eq!(floor.venue.portfolio().position(ID), calm.venue.portfolio().position(ID));
    let stats = *floor.venue.stats();
    assert_eq!(stats.messages, 6_000);
    let near = |count: u64, share: u64| count.abs_diff(share) < share / 10;
    assert!(near(stats.lost, 1_200), "{stats:?}");
    assert!(near(stats.repeated, 1_440) && near(stats.delayed, 480), "{stats:?}");
    let is_report = |feedback: &&Feedback| feedback.body != FeedbackBody::Wake;
    let told: Vec<Feedback> = floor.told.iter().filter(is_report).copied().collect();
    assert_eq!(told.len() as u64, 6_000 - stats.lost + stats.repeated);
    assert!(!told.iter().map(|feedback| feedback.due).is_sorted());
    let mut by_due = told;
    by_due.sort_by_key(Feedback::key);
    for feedback in &by_due {
        if let FeedbackBody::Report(report) = &feedback.body {
            fold.report(ID, report, feedback.due);
        }
    }
    // What was lost is learned by asking.
    let silent: Vec<OrderId> = fold.orders().iter().map(|order| order.id).collect();
    assert!(!silent.is_empty());
    for id in silent {
        while fold.order(id).is_some() {
            let before = floor.told.len();
            floor.send(id.counter(), Action::Query);
            floor.wake();
            for feedback in &floor.told[before..] {
                if let FeedbackBody::Status(status) = &feedback.body {
                    assert_eq!((status.state, status.cum_qty), (OrderState::Closed, Qty(2)));
                    fold.status(status, feedback.due);
                    assert_eq!(fold.order(id), None);
                }
            }
        }
    }
    let mine = fold.position(ID);
    let truth = floor.venue.portfolio().position(ID);
    assert_eq!((mine.qty, mine.fees), (truth.qty, truth.fees));
    assert_eq!(mine.qty, Qty(4_000));
}

/// Each answer on an order has a draw of its own, whatever kind it is of and whether the order is open.
#[test]
fn no_two_messages_of_an_order_share_their_luck() {
    let faults = ReportFaults { lose_ppm: 500_000, ..ReportFaults::default() };
    let mut floor = Floor::new(PaperConfig { faults, ..config() });
    floor.send(1, buy(Tif::Gtc, 99, 3));
    floor.wake();
    for asks in [Action::Query, Action::Cancel, Action::Query, Action::Cancel] {
        let before = floor.venue.stats().lost;
        for _ in 0..40 {
            floor.send(1, asks);
            floor.wake();
        }
        let lost = floor.venue.stats().lost - before;
        assert!((8..33).contains(&lost), "{lost} of 40 {asks:?}");
    }
}

#[test]
fn every_message_can_be_lost_or_doubled() {
    for (lose_ppm, repeat_ppm, copies) in [(1_000_000, 0, 0), (0, 1_000_000, 2), (0, 0, 1)] {
        let faults = ReportFaults { lose_ppm, repeat_ppm, ..ReportFaults::default() };
        let mut floor = Floor::new(PaperConfig { faults, ..config() });
        floor.send(1, buy(Tif::Gtc, 99, 3));
        floor.send(1, Action::Query);
        floor.wake();
        let answers = floor.told.iter().filter(|f| f.body != FeedbackBody::Wake).count();
        assert_eq!(answers, 2 * copies);
        assert_eq!(floor.venue.open_orders(), 1);
    }
}

const TICK: i64 = 7;
const STEP: i64 = 33_333_333;

fn price(k: i64) -> i64 {
    TICK * (1_428_571_429 + k)
}

/// What happens next in a random session.
#[derive(Clone, Debug)]
enum Act {
    Book(Vec<(i64, i64)>, Vec<(i64, i64)>),
    Ticker(i64, i64, i64, i64),
    Trade(i64, i64, bool),
    Invalid,
    New(bool, Tif, bool, i64, i64),
    Amend(usize, i64, i64),
    Cancel(usize),
    /// Everything on its way gets in.
    Wake,
}

fn side() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0_i64..8, 0_i64..6), 0..5)
}

fn act() -> impl Strategy<Value = Act> {
    let tif = prop::sample::select(vec![Tif::Gtc, Tif::Gtc, Tif::Ioc, Tif::Fok, Tif::Gtx]);
    let new = (any::<bool>(), tif, prop::bool::weighted(0.25), -8_i64..9, 1_i64..8);
    prop_oneof![
        4 => (side(), side()).prop_map(|(bids, asks)| Act::Book(bids, asks)),
        2 => (-6_i64..6, 1_i64..4, 1_i64..5, 1_i64..5).prop_map(|(a, b, c, d)| Act::Ticker(a, b, c, d)),
        6 => (-8_i64..9, 1_i64..9, any::<bool>()).prop_map(|(p, q, s)| Act::Trade(p, q, s)),
        1 => Just(Act::Invalid),
        6 => new.prop_map(|(b, t, r, p, q)| Act::New(b, t, r, p, q)),
        2 => (0_usize..6, -8_i64..9, 1_i64..8).prop_map(|(back, p, q)| Act::Amend(back, p, q)),
        1 => (0_usize..6).prop_map(Act::Cancel),
        6 => Just(Act::Wake),
    ]
}

/// Both venues, fed with the same.
struct Pair {
    floor: Floor,
    naive: Naive,
    view: View,
    on_the_way: Vec<(u64, u64, Ask)>,
    ids: u64,
    told: Option<Touch>,
    /// The last view of the book.
    shown: [Vec<(i64, i64)>; 2],
}

impl Pair {
    fn new(view: View) -> Self {
        let exact = Instrument {
            tick: Some(Px(TICK)),
            lot: LotSize { min: Qty(STEP), max: Qty(100 * STEP), step: Qty(STEP) },
            ..instrument("A")
        };
        let config = config();
        let rates = [config.fees.maker, config.fees.taker].map(|rate| i128::from(rate.0));
        let mut naive = Naive::default();
        naive.rates = rates;
        let floor = Floor::with(config, 1_024, vec![exact]);
        Self {
            floor,
            naive,
            view,
            on_the_way: Vec::new(),
            ids: 0,
            told: None,
            shown: Default::default(),
        }
    }

    /// Requests that are due get in at the next event.
    fn admit(&mut self) {
        let now = self.floor.ts;
        for (due, id, ask) in std::mem::take(&mut self.on_the_way) {
            if due <= now {
                self.naive.enter(due, id, ask);
            } else {
                self.on_the_way.push((due, id, ask));
            }
        }
    }

    fn send(&mut self, id: u64, ask: Ask) {
        let action = match ask {
            Ask::New { buy, tif, reduce, price, qty } => Action::New(NewOrder {
                side: if buy { Side::Buy } else { Side::Sell },
                price: Px(price),
                qty: Qty(qty),
                tif,
                reduce_only: reduce,
            }),
            Ask::Amend { price, qty } => amend(price, qty),
            Ask::Cancel => Action::Cancel,
        };
        self.floor.send(id, action);
        self.on_the_way.push((self.floor.ts + LATENCY, id, ask));
    }

    fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        // Kept apart, so that the book is never crossed: bids below 0, asks from 0 on.
        let mut sides = [
            bids.iter().map(|&(k, q)| (price(-1 - k), q * STEP)).collect::<Vec<_>>(),
            asks.iter().map(|&(k, q)| (price(k), q * STEP)).collect(),
        ];
        for side in &mut sides {
            side.sort_unstable();
            side.dedup_by_key(|level| level.0);
        }
        match self.view {
            View::Whole => self.floor.book(&sides[0], &sides[1]),
            View::Changes => self.floor.diff(&sides[0], &sides[1]),
        }
        self.naive.frame(self.floor.seq, self.view, [&sides[0], &sides[1]]);
        self.shown.clone_from(&sides);
        let [bid, ask] = self.naive.touch().map(|level| level.map(|l| levels(&[l])[0]));
        let touch = Touch { bid, ask };
        if self.told != Some(touch) {
            self.told = Some(touch);
            self.naive.ticker(None);
            self.floor.event(Body::Touch(TouchChange { touch, source: TouchSource::Book }));
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Book(bids, asks) => {
                self.admit();
                self.book(bids, asks);
            }
            Act::Ticker(low, width, bids, asks) => {
                if self.told.is_some() {
                    self.admit();
                    let bid = (price(*low), bids * STEP);
                    let ask = (price(low + width), asks * STEP);
                    self.naive.ticker(Some([bid, ask]));
                    let [bid_level, ask_level] = [bid, ask].map(|level| Some(levels(&[level])[0]));
                    self.told = Some(Touch { bid: bid_level, ask: ask_level });
                    self.floor.ticker(bid, ask);
                }
            }
            Act::Trade(at, qty, sell) => {
                self.floor.ts += 1;
                self.admit();
                let aggressor = if *sell { Side::Sell } else { Side::Buy };
                self.floor.trade_now(price(*at), qty * STEP, aggressor);
                let ts = self.floor.ts;
                self.naive.trade(self.floor.seq, ts, (price(*at), qty * STEP), *sell);
            }
            Act::Invalid => {
                self.admit();
                self.floor.event(Body::BookInvalid(Invalid::Malformed));
                self.naive.invalid();
                self.told = None;
            }
            Act::New(buy, tif, reduce, at, qty) => {
                self.ids += 1;
                let (price, qty) = (price(*at), qty * STEP);
                let ask = Ask::New { buy: *buy, tif: *tif, reduce: *reduce, price, qty };
                self.send(self.ids, ask);
            }
            Act::Amend(back, at, qty) => {
                if let Some(id) = self.ids.checked_sub(*back as u64).filter(|id| *id > 0) {
                    self.send(id, Ask::Amend { price: price(*at), qty: qty * STEP });
                }
            }
            Act::Cancel(back) => {
                if let Some(id) = self.ids.checked_sub(*back as u64).filter(|id| *id > 0) {
                    self.send(id, Ask::Cancel);
                }
            }
            Act::Wake => {
                self.floor.ts += LATENCY;
                self.admit();
                self.floor.event_on(None, Body::Wake);
            }
        }
    }
}

fn said(report: &Report) -> Said {
    Said {
        id: report.order.counter(),
        kind: report.kind,
        why: report.reason,
        cum: [report.cum_qty.0, report.cum_quote.0, report.cum_fee.0],
        last: (report.last_qty.0, report.last_price.0),
        payer: report.payer,
        maker: report.kind.is_fill() && report.liquidity == Liquidity::Maker,
    }
}

/// Runs a session on both; returns how many fills there were.
fn session(view: View, acts: &[Act]) -> (u64, u64) {
    let mut pair = Pair::new(view);
    for act in acts {
        // A book of diffs would need a new snapshot.
        if view == View::Changes && matches!(act, Act::Invalid) {
            continue;
        }
        pair.act(act);
        let found: Vec<Said> = pair.floor.news().iter().map(said).collect();
        assert_eq!(found, std::mem::take(&mut pair.naive.said), "{act:?}");
    }
    let account = pair.floor.venue.portfolio().position(ID);
    assert_eq!(i128::from(account.qty.0), pair.naive.position);
    assert_eq!(account.realized.0 - account.cost.0, pair.naive.cash);
    assert_eq!(account.fees.0, pair.naive.fees);
    assert_eq!(pair.floor.venue.open_orders(), pair.naive.open.len());
    let open: Vec<u64> =
        pair.floor.venue.portfolio().orders().iter().map(|order| order.id.counter()).collect();
    let mut expected: Vec<u64> = pair.naive.open.iter().map(|order| order.id).collect();
    expected.sort_unstable();
    assert_eq!(open, expected);
    let stats = pair.floor.venue.stats();
    assert_eq!((stats.put_off, stats.overflowed), (0, 0));
    (stats.maker_fills, stats.taker_fills)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    /// Every report of every order is the one that the plain rules give, with partial views and with diffs.
    #[test]
    fn a_session_is_what_the_plain_rules_say(acts in prop::collection::vec(act(), 1..120)) {
        session(View::Whole, &acts);
        session(View::Changes, &acts);
    }

    /// DESIGN 5: no level pays twice, one trade never pays more than its quantity, and the fills add up to
    /// the account. Judged by the reports alone.
    #[test]
    fn nothing_pays_twice(acts in prop::collection::vec(act(), 1..120)) {
        let mut pair = Pair::new(View::Whole);
        // What each trade has left, and what is spent of each price; a price has one side here.
        let mut trades = BTreeMap::new();
        let mut spent = BTreeMap::<i64, i64>::new();
        let (mut position, mut cash, mut fees) = (0_i128, 0_i128, 0_i128);
        let mut orders = BTreeMap::<OrderId, [i64; 3]>::new();
        for act in &acts {
            // What is due gets in before a new view.
            let shown = pair.shown.clone();
            pair.act(act);
            if let Act::Trade(_, qty, _) = act {
                trades.insert(pair.floor.seq, qty * STEP);
            }
            for report in pair.floor.news() {
                let known = orders.entry(report.order).or_default();
                let now = [report.cum_qty.0, report.cum_quote.0, report.cum_fee.0];
                let sign = if report.side == Side::Buy { 1 } else { -1 };
                position += sign * i128::from(now[0] - known[0]);
                cash -= sign * i128::from(now[1] - known[1]);
                fees += i128::from(now[2] - known[2]);
                let last = if report.kind.is_fill() { report.last_qty.0 } else { 0 };
                prop_assert_eq!(now[0] - known[0], last);
                prop_assert!(now[0] <= report.qty.0 || report.kind == Kind::AmendRefused);
                *known = now;
                if !report.kind.is_fill() {
                    continue;
                }
                prop_assert!(report.payer > 0 && report.payer <= pair.floor.seq);
                // A trade also pays who got in without a valid book, for whom it is no maker's fill.
                match (trades.get_mut(&report.payer), report.liquidity) {
                    (Some(left), _) => {
                        *left -= report.last_qty.0;
                        prop_assert!(*left >= 0, "a trade paid more than its quantity");
                    }
                    (None, Liquidity::Maker) => prop_assert!(false, "a maker without a trade"),
                    (None, Liquidity::Taker) => {
                        let price = report.last_price.0;
                        let spent = spent.entry(price).or_default();
                        *spent += report.last_qty.0;
                        let level = shown.iter().flatten().find(|level| level.0 == price);
                        prop_assert!(*spent <= level.unwrap().1, "a level paid twice");
                    }
                }
            }
            limit_spent(&mut spent, &pair.shown);
        }
        let account = pair.floor.venue.portfolio().position(ID);
        prop_assert_eq!(i128::from(account.qty.0), position);
        prop_assert_eq!((account.realized.0 - account.cost.0, account.fees.0), (cash, fees));
        prop_assert_eq!(account.bought.0 - account.sold.0, position);
    }

    /// Little room for answers, tiny tables, faults: things are put off or refused, and nothing stops.
    #[test]
    fn no_bound_stops_it(acts in prop::collection::vec(act(), 1..300), seed: u64) {
        let faults = ReportFaults {
            lose_ppm: 100_000,
            repeat_ppm: 500_000,
            delay_ppm: 100_000,
            delay: Nanos(100),
        };
        let tiny = PaperConfig {
            orders_max: 5,
            requests_max: 4,
            closed_max: 4,
            consumed_levels_max: 2,
            jitter: Nanos(15),
            seed,
            faults,
            ..config()
        };
        let mut pair = Pair::new(View::Whole);
        let universe = vec![Instrument { tick: Some(Px(TICK)), ..instrument("A") }];
        pair.floor = Floor::with(tiny, 16, universe);
        for act in &acts {
            pair.act(act);
            prop_assert!(pair.floor.venue.open_orders() <= 5);
            prop_assert_eq!(
                pair.floor.venue.portfolio().orders().len(),
                pair.floor.venue.open_orders()
            );
        }
        prop_assert_eq!(pair.floor.venue.stats().overflowed, 0);
    }
}

/// A new view of the book: no more is spent of a level than it shows. Behind the last level nobody knows.
fn limit_spent(spent: &mut BTreeMap<i64, i64>, shown: &[Vec<(i64, i64)>; 2]) {
    for (price, spent) in spent.iter_mut() {
        let side = &shown[usize::from(*price >= self::price(0))];
        let qty = side.iter().find(|level| level.0 == *price).map_or(0, |level| level.1);
        let held = || side.iter().filter(|level| level.1 > 0).map(|level| level.0);
        let known = if *price < self::price(0) {
            held().min().is_some_and(|worst| worst <= *price)
        } else {
            held().max().is_some_and(|worst| worst >= *price)
        };
        if known {
            *spent = qty.min(*spent);
        }
    }
}
