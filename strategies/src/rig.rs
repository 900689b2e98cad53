//! The fixture of the tests: strategies in their stage, with the events of a market and a venue by hand.

use std::sync::Arc;

use fusewire_core::book::{Invalid, Touch};
use fusewire_core::event::{Body, Depth, Event, Mark, Origin, TouchChange, TouchSource};
use fusewire_core::instrument::{InstrumentId, Market, Universe, common};
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::lane::Keep;
use fusewire_core::market::{Level, Side};
use fusewire_core::message::AlphaOut;
use fusewire_core::order::{
    Action, Check, Intent, Liquidity, NewOrder, OrderId, RejectedBy, Rejection, Report, ReportKind,
    TimeInForce, VenueReason,
};
use fusewire_core::portfolio::{Order, Position};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::Stage;
use fusewire_core::units::{Nanos, Px, Qty, Round, Usd};

use crate::stage::{AlphaConfig, AlphaStage, Ports};
use crate::strategy::{Orders, Strategy, View};

/// The tradable symbols of the fixture. `BNBUSDT`, number 2, is observed only.
pub(crate) const BTC: InstrumentId = InstrumentId(0);
pub(crate) const ETH: InstrumentId = InstrumentId(1);
pub(crate) const BNB: InstrumentId = InstrumentId(2);

pub(crate) fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

pub(crate) fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

pub(crate) fn usd(text: &str) -> Usd {
    Usd::parse(text.as_bytes()).unwrap()
}

pub(crate) fn mark(price: Px) -> Mark {
    Mark { price, index: None, funding_rate: None, next_funding: None, origin: Origin::Real }
}

pub(crate) fn universe() -> Arc<Universe> {
    let symbols = ["BTCUSDT", "ETHUSDT", "BNBUSDT"];
    let list = symbols.map(|symbol| common(Market::UsdM, symbol).unwrap());
    Arc::new(Universe::new(list.into()).unwrap())
}

type Script = Box<dyn FnMut(&Event, &View<'_>, &mut Orders<'_>) + Send>;

/// A strategy that does what the test says.
pub(crate) struct Scripted(Script);

impl Scripted {
    pub(crate) fn new(
        script: impl FnMut(&Event, &View<'_>, &mut Orders<'_>) + Send + 'static,
    ) -> Self {
        Self(Box::new(script))
    }
}

impl Strategy for Scripted {
    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        self.0(event, view, orders);
    }
}

/// A scripted strategy on one seat and the one under test on another.
pub(crate) enum Pair<S> {
    Other(Scripted),
    Own(Box<S>),
}

impl<S: Strategy> Strategy for Pair<S> {
    fn start(&mut self, view: &View<'_>) {
        match self {
            Self::Other(other) => other.start(view),
            Self::Own(own) => own.start(view),
        }
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        match self {
            Self::Other(other) => other.on_event(event, view, orders),
            Self::Own(own) => own.on_event(event, view, orders),
        }
    }
}

/// A small order to buy.
pub(crate) fn buy() -> NewOrder {
    let (price, qty) = (px("60000"), qty("0.003"));
    NewOrder { side: Side::Buy, price, qty, tif: TimeInForce::Gtc, reduce_only: false }
}

/// A stage with its rings' far ends.
pub(crate) struct Rig<S> {
    pub(crate) stage: AlphaStage<S>,
    pub(crate) input: Producer<Event>,
    pub(crate) output: Consumer<AlphaOut>,
    pub(crate) now: Nanos,
    seq: u64,
}

impl<S: Strategy> Rig<S> {
    pub(crate) fn new(strategies: Vec<S>) -> Self {
        Self::with(&AlphaConfig::default(), strategies, &[BTC, ETH], 64)
    }

    pub(crate) fn with(
        config: &AlphaConfig,
        strategies: Vec<S>,
        tradable: &[InstrumentId],
        ring: usize,
    ) -> Self {
        let (input, events) = RingBuffer::new(ring);
        let (out, output) = RingBuffer::new(ring);
        let ports = Ports { input: events, output: out };
        let stage =
            AlphaStage::new(config, strategies, universe(), tradable, ports, Keep::Prefixes);
        Self { stage, input, output, now: Nanos(1_000 * Nanos::SECOND), seq: 0 }
    }

    pub(crate) fn pass(&mut self, millis: u64) -> &mut Self {
        self.now = Nanos(self.now.0 + millis * Nanos::MILLI);
        self
    }

    /// The next event of the sequence.
    pub(crate) fn next(&mut self, instrument: Option<InstrumentId>, body: Body) -> Event {
        self.seq += 1;
        let (seq, ts) = (self.seq, self.now);
        Event {
            seq,
            ts,
            recv: ts,
            frame: 0,
            instrument,
            last: true,
            stamp: Default::default(),
            body,
        }
    }

    /// Lets an event through and checks how it comes out: first, with `last` once, on the final message.
    pub(crate) fn event(&mut self, instrument: Option<InstrumentId>, body: Body) -> Vec<Intent> {
        let event = self.next(instrument, body);
        self.input.push(event).unwrap();
        let mut out = Vec::new();
        while self.stage.poll() > 0 {
            while let Ok(message) = self.output.pop() {
                out.push(message);
            }
        }
        check(&event, &out);
        out.iter()
            .filter_map(|message| match message {
                AlphaOut::Event(_) => None,
                AlphaOut::Intent(message) => Some(message.intent),
            })
            .collect()
    }

    pub(crate) fn tick(&mut self) -> Vec<Intent> {
        self.event(None, Body::Tick)
    }

    pub(crate) fn gap(&mut self) -> Vec<Intent> {
        self.event(None, Body::Gap)
    }

    pub(crate) fn kill(&mut self, level: KillLevel) -> Vec<Intent> {
        self.event(None, Body::KillLevel(level))
    }

    pub(crate) fn invalid(&mut self, id: InstrumentId) -> Vec<Intent> {
        self.event(Some(id), Body::BookInvalid(Invalid::Gap))
    }

    pub(crate) fn depth(&mut self, id: InstrumentId) -> Vec<Intent> {
        self.event(Some(id), Body::Depth(Depth::default()))
    }

    pub(crate) fn mark(&mut self, id: InstrumentId, price: &str) -> Vec<Intent> {
        self.event(Some(id), Body::Mark(mark(px(price))))
    }

    pub(crate) fn touch(&mut self, id: InstrumentId, bid: &str, ask: &str) -> Vec<Intent> {
        let level = |price| Some(Level { price: px(price), qty: qty("5") });
        let touch = Touch { bid: level(bid), ask: level(ask) };
        self.event(Some(id), Body::Touch(TouchChange { touch, source: TouchSource::Book }))
    }

    /// A valid book with a mark at the bid; returns what the touch gave rise to.
    pub(crate) fn market(&mut self, id: InstrumentId, bid: &str, ask: &str) -> Vec<Intent> {
        self.mark(id, bid);
        self.depth(id);
        self.touch(id, bid, ask)
    }

    pub(crate) fn order(&self, id: OrderId) -> Order {
        *self.stage.portfolio().order(id).expect("the order is open")
    }

    pub(crate) fn position(&self, id: InstrumentId) -> Position {
        *self.stage.portfolio().position(id)
    }

    /// A report on an order as the fold knows it.
    pub(crate) fn report_on(&self, id: OrderId, kind: ReportKind) -> Report {
        report_of(&self.order(id), kind)
    }

    /// Lets such a report through.
    pub(crate) fn report(&mut self, id: OrderId, kind: ReportKind) -> Vec<Intent> {
        let instrument = self.order(id).instrument;
        self.event(Some(instrument), Body::Report(self.report_on(id, kind)))
    }

    /// The venue takes each new order and does what it is asked with the others.
    pub(crate) fn answer(&mut self, intents: &[Intent]) -> Vec<Intent> {
        let mut more = Vec::new();
        for intent in intents {
            let kind = match intent.action {
                Action::New(_) | Action::Conditional(_) => ReportKind::Accepted,
                Action::Amend { .. } => ReportKind::Amended,
                Action::Cancel => ReportKind::Canceled,
                Action::Query => unreachable!("strategies do not query"),
            };
            more.extend(self.report(intent.order, kind));
        }
        more
    }

    /// An order executes so much more, at its own price.
    pub(crate) fn fill(&mut self, id: OrderId, more: &str) -> Vec<Intent> {
        let order = self.order(id);
        let mut report = report_of(&order, ReportKind::PartialFill);
        report.last_qty = qty(more);
        report.last_price = order.price;
        report.cum_qty = order.cum_qty.checked_add(report.last_qty).unwrap();
        let quote = order.price.notional(report.last_qty, Round::HalfEven).narrow().unwrap();
        report.cum_quote = order.cum_quote.checked_add(quote).unwrap();
        if report.cum_qty == order.qty {
            report.kind = ReportKind::Filled;
        }
        self.event(Some(order.instrument), Body::Report(report))
    }

    /// An order executes whole.
    pub(crate) fn fill_all(&mut self, id: OrderId) -> Vec<Intent> {
        let rest = Qty(i64::try_from(self.order(id).remaining().0).unwrap());
        self.fill(id, &rest.to_string())
    }

    /// Risk refuses an intent.
    pub(crate) fn reject(&mut self, intent: &Intent) -> Vec<Intent> {
        let rejection = Rejection::new(intent, RejectedBy::Risk, Check::RateNew, 61, 60);
        self.event(Some(intent.instrument), Body::Rejected(rejection))
    }
}

fn report_of(order: &Order, kind: ReportKind) -> Report {
    let (mut price, mut total) = (order.price, order.qty);
    if let (ReportKind::Amended, Some(amend)) = (kind, order.amend) {
        (price, total) = (amend.price, amend.qty);
    }
    Report {
        order: order.id,
        kind,
        reason: VenueReason::None,
        side: order.side,
        reduce_only: order.reduce_only,
        leg: fusewire_core::order::Leg::Both,
        liquidity: Liquidity::Maker,
        price,
        qty: total,
        cum_qty: order.cum_qty,
        cum_quote: order.cum_quote,
        cum_fee: order.cum_fee,
        last_qty: Qty::ZERO,
        last_price: Px::ZERO,
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    }
}

fn check(event: &Event, out: &[AlphaOut]) {
    let (first, rest) = out.split_first().expect("the event comes out");
    assert_eq!(*first, AlphaOut::Event(Event { last: rest.is_empty(), ..*event }));
    for (index, message) in rest.iter().enumerate() {
        let AlphaOut::Intent(intent) = message else { unreachable!("one event goes in at a time") };
        assert_eq!((intent.seq, intent.last), (event.seq, index + 1 == rest.len()));
    }
}

/// The new order that an intent sends.
pub(crate) fn new_order(intent: &Intent) -> NewOrder {
    match intent.action {
        Action::New(new) => new,
        Action::Conditional(_) | Action::Amend { .. } | Action::Cancel | Action::Query => {
            unreachable!("a new order was expected: {intent:?}")
        }
    }
}
