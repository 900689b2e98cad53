//! The paper venue against its rules: by hand where a case has a name, against `naive` where it has none.

mod account;
mod bounds;
mod conditional;
mod legs;
mod matching;
mod own;
mod peer;
mod queues;
mod requests;
mod sessions;
mod sparse;

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
use fusewire_core::units::{Bps, Nanos, ONE, Px, Qty, Rate, Usd, UsdSum};
use proptest::prelude::*;

use super::desk::At;
use super::naive::{Ask, Naive, Said, View};
use super::{PaperConfig, PaperVenue, QueueFunction, QueueModel, ReportFaults};
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
        let event = Event {
            seq,
            ts,
            recv: ts,
            frame: 0,
            instrument,
            last: true,
            stamp: Default::default(),
            body,
        };
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
            FeedbackBody::Status(_)
            | FeedbackBody::Rejected(_)
            | FeedbackBody::Wake
            | FeedbackBody::Account(_) => None,
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
