//! A risk stage in the middle of a trading day: a fresh book and mark of every symbol, a position, orders
//! that rest. Intents are put to its checks one by one, or come out of it approved.
//!
//! What is in the time of `Checks`: `RiskStage::judge`, which is every check of a new order from the kill
//! level to the leverage, and nothing of what follows a verdict (tracking, lane, ring).

use std::hint::black_box;

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Depth, Event, Mark, Origin, TouchChange, TouchSource};
use fusewire_core::instrument::{InstrumentId, Market, Universe, common};
use fusewire_core::kill::KillSwitch;
use fusewire_core::lane::Keep;
use fusewire_core::latency::Stamp;
use fusewire_core::market::Level;
use fusewire_core::message::{AlphaOut, IntentMessage, RiskOut};
use fusewire_core::order::{
    Action, Approved, Intent, Liquidity, NewOrder, OrderId, Report, ReportKind, Side, Source,
    StrategyId, TimeInForce, VenueReason, Verdict,
};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::Stage;
use fusewire_core::units::{Nanos, ONE, Px, Qty, Round, Usd};
use fusewire_risk::{Limits, Ports, Profile, RiskConfig, RiskStage};

use crate::measure::Subject;

/// Intents in a pass of `Checks`: as many as frames in the set that they are compared with.
pub const INTENTS: usize = 512;
/// Orders that rest on each symbol.
const RESTING: i64 = 4;
/// Far before and far behind everything else that happens.
const NOW: Nanos = Nanos(1_000 * Nanos::SECOND);
const LATER: Nanos = Nanos(u64::MAX);

/// The stage with a hand on both of its rings.
pub struct Desk {
    risk: RiskStage,
    input: Producer<AlphaOut>,
    output: Consumer<RiskOut>,
    /// Mark and tick of each symbol.
    marks: Vec<(Px, Px)>,
    seq: u64,
    orders: u64,
}

impl Desk {
    /// Under the limits of the profile `bench`, with these marks in the order of the symbols.
    ///
    /// # Panics
    /// When a mark is missing, or risk refuses what the desk begins with.
    #[must_use]
    pub fn new(universe: &Universe, marks: &[Px]) -> Self {
        let ticks = universe.iter().filter_map(|(_, instrument)| instrument.tick);
        let marks: Vec<(Px, Px)> = marks.iter().copied().zip(ticks).collect();
        assert_eq!(marks.len(), universe.len(), "each symbol has a mark and a tick");
        let (to_risk, input) = RingBuffer::new(64);
        let (output, from_risk) = RingBuffer::new(64);
        let all: Vec<InstrumentId> = universe.iter().map(|(id, _)| id).collect();
        let limits = Limits::profile(Profile::Bench);
        let config = RiskConfig { profile: Profile::Bench, limits, ..RiskConfig::default() };
        let (kill, ports) = (KillSwitch::new(), Ports { input, output });
        let risk =
            RiskStage::new(&config, universe, &all, &[StrategyId(0)], kill, ports, Keep::Digest);
        let mut desk = Self { risk, input: to_risk, output: from_risk, marks, seq: 0, orders: 0 };
        all.into_iter().for_each(|id| desk.open(id));
        desk
    }

    /// Market data, resting orders, and one that was filled.
    fn open(&mut self, id: InstrumentId) {
        let (price, tick) = self.marks[id.index()];
        let level = |ticks: i64| Some(Level { price: Px(price.0 + ticks * tick.0), qty: QTY });
        let touch = Touch { bid: level(-1), ask: level(1) };
        let origin = Origin::Real;
        let mark = Mark { price, index: None, funding_rate: None, next_funding: None, origin };
        self.event(Some(id), Body::Depth(Depth::default()));
        self.event(Some(id), Body::Touch(TouchChange { touch, source: TouchSource::Book }));
        self.event(Some(id), Body::Mark(mark));
        for distance in 1..=RESTING {
            let new = self.new_order(id, Side::Buy, 100 + distance);
            let approved = self.approve(id, new);
            self.report(id, approved.intent().order, &new, ReportKind::Accepted);
        }
        let new = self.new_order(id, Side::Buy, 1);
        let approved = self.approve(id, new);
        self.report(id, approved.intent().order, &new, ReportKind::Filled);
    }

    /// A small order that rests so many ticks from the mark.
    #[must_use]
    pub fn new_order(&self, id: InstrumentId, side: Side, distance_ticks: i64) -> NewOrder {
        let (mark, tick) = self.marks[id.index()];
        let away = distance_ticks * tick.0;
        let price = match side {
            Side::Buy => Px(mark.0 - away),
            Side::Sell => Px(mark.0 + away),
        };
        NewOrder { side, price, qty: QTY, tif: TimeInForce::Gtx, reduce_only: false }
    }

    /// A new order as risk lets it through.
    ///
    /// # Panics
    /// When risk does not.
    pub fn approve(&mut self, id: InstrumentId, new: NewOrder) -> Approved {
        let intent = self.intent(id, new);
        let cause = self.cause(None, Body::Wake, false);
        let message = IntentMessage { seq: self.seq, last: true, intent };
        let answers = self.put([cause, AlphaOut::Intent(message)]);
        let approved = answers.iter().find_map(|answer| match answer {
            RiskOut::Verdict(message) => Some(message.verdict),
            RiskOut::Event(_) => None,
        });
        match approved {
            Some(Verdict::Approved(approved)) => approved,
            other => panic!("{new:?}: {other:?}"),
        }
    }

    /// The next order of the strategy.
    fn intent(&mut self, instrument: InstrumentId, new: NewOrder) -> Intent {
        self.orders += 1;
        let order = OrderId::new(1, StrategyId(0), self.orders);
        Intent { order, instrument, source: Source::Alpha, action: Action::New(new) }
    }

    fn event(&mut self, instrument: Option<InstrumentId>, body: Body) {
        let message = self.cause(instrument, body, true);
        self.put([message]);
    }

    fn cause(&mut self, instrument: Option<InstrumentId>, body: Body, last: bool) -> AlphaOut {
        self.seq += 1;
        let (seq, ts, recv) = (self.seq, NOW, NOW);
        let stamp = Stamp::default();
        AlphaOut::Event(Event { seq, ts, recv, frame: 0, instrument, last, stamp, body })
    }

    fn put<const N: usize>(&mut self, messages: [AlphaOut; N]) -> Vec<RiskOut> {
        for message in messages {
            assert!(self.input.push(message).is_ok(), "the ring is empty between two events");
        }
        while self.risk.poll() > 0 {}
        std::iter::from_fn(|| self.output.pop().ok()).collect()
    }

    /// The venue's word on an order.
    fn report(&mut self, id: InstrumentId, order: OrderId, new: &NewOrder, kind: ReportKind) {
        let filled = if kind.is_fill() { new.qty } else { Qty::ZERO };
        let quote = new.price.notional(filled, Round::Down).narrow();
        let report = Report {
            order,
            kind,
            reason: VenueReason::None,
            side: new.side,
            reduce_only: false,
            leg: fusewire_core::order::Leg::Both,
            liquidity: Liquidity::Maker,
            price: new.price,
            qty: new.qty,
            cum_qty: filled,
            cum_quote: quote.expect("a small order"),
            cum_fee: Usd::ZERO,
            last_qty: filled,
            last_price: new.price,
            payer: 0,
            at: LATER,
        };
        self.event(Some(id), Body::Report(report));
    }
}

/// Quantity of every order here: 0.01.
const QTY: Qty = Qty(ONE / 100);

/// Each intent through all checks.
pub struct Checks {
    desk: Desk,
    intents: Vec<Intent>,
}

impl Checks {
    /// New orders on both sides of BTCUSDT and ETHUSDT, all of which pass.
    ///
    /// # Panics
    /// When one of them does not.
    #[must_use]
    pub fn new() -> Self {
        let mut desk = Desk::new(&two_symbols(), &[Px(60_000 * ONE), Px(2_500 * ONE)]);
        let intent = |n: usize| {
            let id = InstrumentId((n % 2) as u16);
            let side = if n % 4 < 2 { Side::Buy } else { Side::Sell };
            let new = desk.new_order(id, side, 2 + (n % 64) as i64);
            desk.intent(id, new)
        };
        let intents: Vec<Intent> = (0..INTENTS).map(intent).collect();
        let refused = intents.iter().find_map(|intent| desk.risk.judge(intent).err());
        assert_eq!(refused, None, "a refused order has not met all checks");
        Self { desk, intents }
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self::new()
    }
}

impl Subject for Checks {
    fn units(&self) -> u64 {
        INTENTS as u64
    }

    fn pass(&mut self) {
        for intent in &self.intents {
            black_box(self.desk.risk.judge(black_box(intent)).is_ok());
        }
    }
}

/// BTCUSDT and ETHUSDT.
pub(crate) fn two_symbols() -> Universe {
    let known = ["BTCUSDT", "ETHUSDT"].into_iter().filter_map(|name| common(Market::UsdM, name));
    Universe::new(known.collect()).expect("two different symbols")
}

#[cfg(test)]
mod tests {
    use fusewire_core::order::Check;

    use super::*;

    #[test]
    fn every_check_of_a_new_order_is_met() {
        let mut checks = Checks::new();
        checks.pass();
        // One tick off the grid is seen, so that the checks are not passed by.
        let mut intent = checks.intents[0];
        let Action::New(new) = &mut intent.action else { panic!("{intent:?}") };
        new.price.0 += 1;
        let refused = checks.desk.risk.judge(&intent).unwrap_err();
        assert_eq!(refused.check, Check::Tick);
    }

    #[test]
    fn a_judged_order_reserves_nothing() {
        let mut checks = Checks::new();
        let (before, counts) = (checks.desk.risk.portfolio().orders().len(), 2 * RESTING as usize);
        (0..3).for_each(|_| checks.pass());
        assert_eq!((before, checks.desk.risk.portfolio().orders().len()), (counts, counts));
    }
}
