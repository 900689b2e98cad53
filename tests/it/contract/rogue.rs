//! A strategy that means harm: every kind of intent at random, absurd ones among them, and an answer to
//! every answer.

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    Conditional, NewOrder, OrderId, ReportKind, Side, TimeInForce, Trigger, TriggerKind,
    TriggerPrice,
};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Rate};
use fusewire_strategies::strategy::{Amend, Orders, Strategy, View};

/// What it is after.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Acts on one event in this many, and answers half of all answers to its amends.
    Wild(u64),
    /// Sends an order that can only be refused, and another one on each refusal.
    Stubborn,
    /// Rests orders behind the touch, each at a price of its own, until it has sent this many.
    Wall(u64),
}

/// An order that it asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) ts: Nanos,
    pub(crate) order: OrderId,
}

/// The strategy.
#[derive(Debug)]
pub(crate) struct Rogue {
    manner: Manner,
    inflight_max: u32,
    /// From then on it only leaves its positions.
    leave_at: Nanos,
    /// From then on it does nothing.
    quiet_at: Nanos,
    /// Whether it changes orders.
    amends: bool,
    touches: Vec<Touch>,
    /// Draws on this event.
    drawn: u64,
    /// New orders.
    pub(crate) asked: Vec<Asked>,
    /// Most intents that were unanswered at a time.
    pub(crate) unresolved_most: u32,
}

impl Rogue {
    pub(crate) fn new(manner: Manner, inflight_max: u32) -> Self {
        Self {
            manner,
            inflight_max,
            leave_at: Nanos(u64::MAX),
            quiet_at: Nanos(u64::MAX),
            amends: true,
            touches: Vec::new(),
            drawn: 0,
            asked: Vec::new(),
            unresolved_most: 0,
        }
    }

    pub(crate) fn leaving_at(self, leave_at: Nanos) -> Self {
        Self { leave_at, ..self }
    }

    pub(crate) fn quiet_at(self, quiet_at: Nanos) -> Self {
        Self { quiet_at, ..self }
    }

    fn draw(&mut self, event: &Event, view: &View<'_>, bound: u64) -> u64 {
        self.drawn += 1;
        view.jitter(event.seq * 256 + self.drawn, bound)
    }

    /// A signed number in `-most..=most`.
    fn around(&mut self, event: &Event, view: &View<'_>, most: i64) -> i64 {
        let bound = u64::try_from(2 * most + 1).unwrap();
        i64::try_from(self.draw(event, view, bound)).unwrap() - most
    }

    fn send(&mut self, event: &Event, orders: &mut Orders<'_>, id: InstrumentId, new: NewOrder) {
        if let Ok(order) = orders.send(id, new) {
            self.asked.push(Asked { ts: event.ts, order });
        }
    }

    fn price(&mut self, event: &Event, view: &View<'_>, id: InstrumentId, side: Side) -> Px {
        let touch = self.touches[id.index()];
        let tick = view.instrument(id).tick.unwrap().0;
        let (bid, ask) = (touch.bid.unwrap().price.0, touch.ask.unwrap().price.0);
        let best = if side == Side::Buy { bid } else { ask };
        match self.draw(event, view, 24) {
            0 => Px(0),
            1 => Px(-tick),
            2 => Px(i64::MAX),
            3 => Px(best + tick / 3),
            4 => Px(best * 3),
            _ => Px(best + self.around(event, view, 8) * tick),
        }
    }

    fn qty(&mut self, event: &Event, view: &View<'_>, id: InstrumentId) -> Qty {
        let step = view.instrument(id).lot.step.0;
        let price = self.touches[id.index()].bid.unwrap().price.0;
        match self.draw(event, view, 24) {
            0 => Qty(0),
            1 => Qty(-step),
            2 => Qty(i64::MAX),
            3 => Qty(step / 2),
            4 => Qty(5_000 * step),
            _ => {
                let usd = i128::from(60 + self.draw(event, view, 2_000));
                let qty = usd * i128::from(ONE) * i128::from(ONE) / i128::from(price);
                Qty(i64::try_from(qty).unwrap() / step * step)
            }
        }
    }

    fn new_order(&mut self, event: &Event, view: &View<'_>, id: InstrumentId) -> NewOrder {
        let mut side = if self.draw(event, view, 2) == 0 { Side::Buy } else { Side::Sell };
        let reduce_only = self.draw(event, view, 4) == 0;
        if reduce_only && let Some(reducing) = view.account_position(id).reducing_side() {
            side = reducing;
        }
        let tifs = [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::Gtx];
        let tif = tifs[usize::try_from(self.draw(event, view, 6)).unwrap() % 4];
        let price = self.price(event, view, id, side);
        NewOrder { side, price, qty: self.qty(event, view, id), tif, reduce_only }
    }

    /// The same order with a trigger near the market, or anywhere.
    fn conditional(
        &mut self,
        event: &Event,
        view: &View<'_>,
        id: InstrumentId,
        new: NewOrder,
    ) -> Conditional {
        let kind = TriggerKind::ALL[usize::try_from(self.draw(event, view, 3)).unwrap()];
        let by = TriggerPrice::ALL[usize::try_from(self.draw(event, view, 2)).unwrap()];
        let trails = kind == TriggerKind::Trailing;
        let price = self.price(event, view, id, new.side);
        let price = if trails && self.draw(event, view, 2) == 0 { Px::ZERO } else { price };
        // 0 to 0.3 %: the least that is taken is 0.1 %.
        let callback = i64::try_from(self.draw(event, view, 4)).unwrap() * 1_000_000_000;
        let callback = if trails { Rate(callback) } else { Rate::ZERO };
        let trigger = Trigger { kind, by, price, callback, close_position: false };
        // A limit that lies on the grid near where it gets in, most of the time.
        let tick = view.instrument(id).tick.unwrap().0;
        let best = self.touches[id.index()].bid.unwrap().price;
        let near = trigger.enters_near(new.side, best).unwrap_or(best).0 / tick * tick;
        Conditional { order: NewOrder { price: Px(near), ..new }, trigger }
    }

    fn wild(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let symbols = self.touches.len() as u64;
        let id = InstrumentId(u16::try_from(self.draw(event, view, symbols)).unwrap());
        let two_sided = |touch: &Touch| touch.bid.is_some() && touch.ask.is_some();
        if !self.touches.iter().all(two_sided) {
            return;
        }
        let own = view.orders().count() as u64;
        let some = self.draw(event, view, own.max(1));
        let target =
            view.orders().nth(usize::try_from(some).unwrap()).map(|o| (o.id, o.instrument));
        match (self.draw(event, view, 10), target) {
            (7 | 8, Some((order, on))) => self.amend(event, view, orders, (order, on)),
            // An error is an answer that it does not care for.
            (9, Some((order, _))) => {
                let _ = orders.cancel(order);
            }
            _ => {
                let new = self.new_order(event, view, id);
                if self.draw(event, view, 5) == 0 {
                    let waits = self.conditional(event, view, id, new);
                    if let Ok(order) = orders.send_conditional(id, waits) {
                        self.asked.push(Asked { ts: event.ts, order });
                    }
                } else {
                    self.send(event, orders, id, new);
                }
            }
        }
    }

    fn amend(
        &mut self,
        event: &Event,
        view: &View<'_>,
        orders: &mut Orders<'_>,
        (id, on): (OrderId, InstrumentId),
    ) {
        let Some(order) = view.order(id).filter(|_| self.amends) else { return };
        let to = match self.draw(event, view, 4) {
            // Nothing to change: the venue refuses.
            0 => Amend { price: order.price, qty: order.qty },
            1 => Amend { price: order.price, qty: self.qty(event, view, on) },
            _ => {
                let price = self.price(event, view, on, order.side);
                Amend { price, qty: self.qty(event, view, on) }
            }
        };
        let _ = orders.amend(id, to);
    }

    /// Answers an answer at once, while copies of it may still be on their way.
    fn answer(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        let Body::Report(report) = event.body else { return };
        let changed = matches!(
            report.kind,
            ReportKind::AmendRefused | ReportKind::CancelRefused | ReportKind::Amended
        );
        let on = event.instrument;
        if let Some(on) = on.filter(|_| changed && view.is_own(report.order))
            && self.draw(event, view, 2) == 0
        {
            self.amend(event, view, orders, (report.order, on));
        }
    }

    /// Whether it acts without having been answered. If every answer had it act twice, the run would be
    /// made of nothing else.
    fn acts(&mut self, event: &Event, view: &View<'_>, one_in: u64) -> bool {
        let one_in = match event.body {
            Body::Wake => return false,
            Body::Rejected(_) | Body::Report(_) | Body::Status(_) => one_in.max(8),
            _ => one_in,
        };
        self.draw(event, view, one_in) == 0
    }

    /// Cancels what rests and reduces what is left, on each tick.
    fn leave(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        if event.body != Body::Tick {
            return;
        }
        for order in view.orders().filter(|order| order.cancel_since.is_none()) {
            let _ = orders.cancel(order.id);
        }
        for (id, instrument) in view.universe().iter() {
            let Some(side) = view.account_position(id).reducing_side() else { continue };
            let Ok(left) = i64::try_from(view.reducible(id, side).0) else { continue };
            let touch = self.touches[id.index()];
            let (Some(bid), Some(ask)) = (touch.bid, touch.ask) else { continue };
            let far = 50 * instrument.tick.unwrap().0;
            let price = match side {
                Side::Buy => Px(ask.price.0 + far),
                Side::Sell => Px(bid.price.0 - far),
            };
            if left > 0 {
                let (qty, tif) = (Qty(left), TimeInForce::Ioc);
                self.send(event, orders, id, NewOrder { side, price, qty, tif, reduce_only: true });
            }
        }
    }

    fn wall(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>, most: u64) {
        let id = InstrumentId(0);
        let (Some(bid), instrument) = (self.touches[0].bid, view.instrument(id)) else { return };
        while (self.asked.len() as u64) < most {
            let away = 400 + self.asked.len() as i64;
            let new = NewOrder {
                side: Side::Buy,
                price: Px(bid.price.0 - away * instrument.tick.unwrap().0),
                qty: instrument.lot.min,
                tif: TimeInForce::Gtx,
                reduce_only: false,
            };
            let before = self.asked.len();
            self.send(event, orders, id, new);
            if self.asked.len() == before {
                return;
            }
        }
    }
}

/// Beyond every filter: off the tick grid.
fn refused_order(number: u64) -> NewOrder {
    let (price, qty) = (Px(60_000 * ONE + 1), Qty(100_000 * (1 + i64::try_from(number).unwrap())));
    NewOrder { side: Side::Buy, price, qty, tif: TimeInForce::Gtc, reduce_only: false }
}

impl Strategy for Rogue {
    fn start(&mut self, view: &View<'_>) {
        self.touches = vec![Touch::default(); view.universe().len()];
    }

    fn on_event(&mut self, event: &Event, view: &View<'_>, orders: &mut Orders<'_>) {
        self.drawn = 0;
        self.unresolved_most = self.unresolved_most.max(view.unresolved());
        assert!(view.unresolved() <= self.inflight_max, "more than inflight_max unanswered");
        if let (Body::Touch(change), Some(id)) = (&event.body, event.instrument) {
            self.touches[id.index()] = change.touch;
        }
        if event.ts >= self.quiet_at {
            return;
        }
        if event.ts >= self.leave_at {
            return self.leave(event, view, orders);
        }
        match self.manner {
            Manner::Wild(one_in) => {
                self.answer(event, view, orders);
                if self.acts(event, view, one_in) {
                    self.wild(event, view, orders);
                    self.wild(event, view, orders);
                }
            }
            Manner::Stubborn => {
                let refused = matches!(&event.body, Body::Rejected(r) if view.is_own(r.order));
                // As many as the harness takes, at once.
                while refused || self.asked.is_empty() {
                    let (before, number) = (self.asked.len(), self.asked.len() as u64);
                    self.send(event, orders, InstrumentId(0), refused_order(number));
                    if self.asked.len() == before {
                        break;
                    }
                }
            }
            Manner::Wall(most) => self.wall(event, view, orders, most),
        }
    }
}
