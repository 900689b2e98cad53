//! Fixtures: one constructor for each thing that tests need, so that they state only what matters.

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Depth, Event, Mark, Origin, TouchChange, TouchSource};
use fusewire_core::instrument::{Instrument, InstrumentId, Market as Where, Universe, common};
use fusewire_core::market::Level;
use fusewire_core::order::{
    Action, Intent, Leg, Liquidity, NewOrder, OrderId, Report, ReportKind, Side, Source,
    StrategyId, TimeInForce, VenueReason,
};
use fusewire_core::portfolio::{Order, Portfolio, PortfolioConfig};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, Round, Usd};

use crate::market::{Market, Symbol};

mod desk;
mod world;

pub(crate) use desk::{Desk, approved, config, reducing, refusal};
pub(crate) use world::{Place, World};

/// `BTCUSDT`, tick 0.1, lot 0.001.
pub(crate) const BTC: InstrumentId = InstrumentId(0);
/// `ETHUSDT`, tick 0.01, lot 0.001.
pub(crate) const ETH: InstrumentId = InstrumentId(1);
/// `SPOT:BTCUSDT`: on the list of tradable symbols by mistake.
pub(crate) const SPOT: InstrumentId = InstrumentId(2);
/// `BNBUSDT`: a contract that is observed only.
pub(crate) const BNB: InstrumentId = InstrumentId(3);
/// The first strategy.
pub(crate) const A: StrategyId = StrategyId(0);
/// The second one.
pub(crate) const B: StrategyId = StrategyId(1);

pub(crate) fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

pub(crate) fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

pub(crate) fn sum(text: &str) -> QtySum {
    QtySum(qty(text).0.into())
}

pub(crate) fn usd(text: &str) -> Usd {
    Usd::parse(text.as_bytes()).unwrap()
}

pub(crate) fn btc() -> Instrument {
    common(Where::UsdM, "BTCUSDT").unwrap()
}

pub(crate) fn universe() -> Universe {
    let eth = common(Where::UsdM, "ETHUSDT").unwrap();
    let spot = common(Where::Spot, "BTCUSDT").unwrap();
    let bnb = common(Where::UsdM, "BNBUSDT").unwrap();
    Universe::new(vec![btc(), eth, spot, bnb]).unwrap()
}

pub(crate) fn event(seq: u64, ts: Nanos, instrument: Option<InstrumentId>, body: Body) -> Event {
    Event { seq, ts, recv: ts, frame: 0, instrument, last: true, stamp: Default::default(), body }
}

pub(crate) fn depth() -> Body {
    Body::Depth(Depth::default())
}

fn told(bid: &str, ask: &str, source: TouchSource) -> Body {
    let level = |text: &str| (!text.is_empty()).then(|| Level { price: px(text), qty: qty("1") });
    Body::Touch(TouchChange { touch: Touch { bid: level(bid), ask: level(ask) }, source })
}

/// A touch of the book; an empty text is an empty side.
pub(crate) fn touch(bid: &str, ask: &str) -> Body {
    told(bid, ask, TouchSource::Book)
}

pub(crate) fn ticker(bid: &str, ask: &str) -> Body {
    told(bid, ask, TouchSource::Ticker)
}

pub(crate) fn mark(price: &str) -> Body {
    Body::Mark(Mark {
        price: px(price),
        index: None,
        funding_rate: None,
        next_funding: None,
        origin: Origin::Real,
    })
}

/// A symbol that heard all this at one time.
pub(crate) fn symbol(at: Nanos, bodies: &[Body]) -> Symbol {
    let mut market = Market::new(1);
    for body in bodies {
        market.apply(&event(1, at, Some(BTC), *body));
    }
    *market.symbol(BTC)
}

pub(crate) fn id(counter: u64) -> OrderId {
    OrderId::new(1, A, counter)
}

pub(crate) fn new_order(side: Side, price: &str, amount: &str) -> NewOrder {
    NewOrder { side, price: px(price), qty: qty(amount), tif: TimeInForce::Gtc, reduce_only: false }
}

pub(crate) fn intent(order: OrderId, instrument: InstrumentId, action: Action) -> Intent {
    Intent { order, instrument, source: Source::Alpha, action }
}

/// A fold for the universe above.
pub(crate) fn portfolio() -> Portfolio {
    Portfolio::new(PortfolioConfig {
        instruments: 4,
        strategies: vec![A, B, StrategyId::RISK],
        orders_max: 32,
        closed_max: 32,
        arrival_max: Nanos(5 * Nanos::SECOND),
    })
}

/// Sends an order of strategy `A` at time 0.
pub(crate) fn track(portfolio: &mut Portfolio, counter: u64, on: InstrumentId, new: NewOrder) {
    portfolio.track(&intent(id(counter), on, Action::New(new)), Nanos(0)).unwrap();
}

/// A report on an order of one USD in fees, with everything filled at one price.
pub(crate) fn report(kind: ReportKind, order: OrderId, new: &NewOrder, cum: Qty) -> Report {
    let some = cum > Qty::ZERO;
    Report {
        order,
        kind,
        reason: VenueReason::None,
        side: new.side,
        reduce_only: new.reduce_only,
        leg: Leg::Both,
        liquidity: Liquidity::Taker,
        price: new.price,
        qty: new.qty,
        cum_qty: cum,
        cum_quote: new.price.notional(cum, Round::Up).narrow().unwrap(),
        cum_fee: if some { usd("1") } else { Usd::ZERO },
        last_qty: cum,
        last_price: new.price,
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    }
}

/// Fills an order of strategy `A` at once.
pub(crate) fn filled(
    portfolio: &mut Portfolio,
    counter: u64,
    on: InstrumentId,
    side: Side,
    price: &str,
    amount: &str,
) {
    let new = new_order(side, price, amount);
    portfolio.report(on, &report(ReportKind::Filled, id(counter), &new, new.qty), Nanos(0));
}

/// An order that the venue has confirmed: buy 1 BTC at 100.
pub(crate) fn open_order() -> Order {
    let mut portfolio = portfolio();
    let new = new_order(Side::Buy, "100", "1");
    track(&mut portfolio, 1, BTC, new);
    portfolio.report(BTC, &report(ReportKind::Accepted, id(1), &new, Qty::ZERO), Nanos(1));
    *portfolio.order(id(1)).unwrap()
}
