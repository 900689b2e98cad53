//! A desk with a tiny venue that loses, repeats, delays and reorders what it says but keeps cumulative
//! truth. It judges each approval by that truth and by the list of approvals, never by the fold.

use std::collections::BTreeMap;

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{
    Action, Check, Class, Intent, NewOrder, OrderId, OrderState, RejectedBy, Rejection, Report,
    ReportKind, Side, Source, Status, StrategyId, VenueReason, Verdict,
};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Round, Usd};

use super::{BTC, Desk, ETH, depth};
use crate::limits::RiskConfig;
use crate::testing::report;

/// How far an order really came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On its way to the venue.
    Sent,
    Open,
    /// Over, or never arrived and never will.
    Over,
}

/// An order as it really is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Real {
    pub(crate) on: InstrumentId,
    pub(crate) side: Side,
    pub(crate) reduce_only: bool,
    pub(crate) place: Place,
    /// It was sent with a trigger.
    conditional: bool,
    /// It was not triggered so far.
    waits: bool,
    /// False when it never arrived.
    seen: bool,
    price: Px,
    total: Qty,
    cum: Qty,
    quote: Usd,
    fee: Usd,
}

/// What the stream said of an order's fills: quantity, quote, fee.
type Told = (Qty, Usd, Usd);

pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) config: RiskConfig,
    pub(crate) orders: BTreeMap<OrderId, Real>,
    /// On their way to the venue, with the time that they left.
    pub(crate) requests: Vec<(Nanos, Intent)>,
    /// On their way back.
    pub(crate) reports: Vec<(InstrumentId, Body)>,
    told: BTreeMap<OrderId, Told>,
    /// Everything that was approved.
    approvals: Vec<(Nanos, Intent, Class)>,
    pub(crate) marks: [Px; 2],
    pub(crate) refused: BTreeMap<Check, u32>,
}

fn signed(side: Side, amount: i128) -> i128 {
    match side {
        Side::Buy => amount,
        Side::Sell => -amount,
    }
}

impl World {
    pub(crate) fn new(config: RiskConfig) -> Self {
        let mut world = Self {
            desk: Desk::new(&config),
            config,
            orders: BTreeMap::new(),
            requests: Vec::new(),
            reports: Vec::new(),
            told: BTreeMap::new(),
            approvals: Vec::new(),
            marks: [Px(1_000 * ONE), Px(100 * ONE)],
            refused: BTreeMap::new(),
        };
        world.market();
        world
    }

    pub(crate) fn mark(&self, on: InstrumentId) -> Px {
        self.marks[on.index()]
    }

    /// Tells book and mark of both symbols.
    pub(crate) fn market(&mut self) {
        for (on, tick) in [(BTC, ONE / 10), (ETH, ONE / 100)] {
            let price = self.mark(on);
            let text = |px: Px| px.to_string();
            let (bid, ask) = (Px(price.0 - tick), Px(price.0 + tick));
            for body in [depth(), super::touch(&text(bid), &text(ask)), super::mark(&text(price))] {
                self.run(Some(on), body, &[]);
            }
        }
    }

    /// Drives one event and its intents through the stage and judges what leaves.
    pub(crate) fn run(
        &mut self,
        on: Option<InstrumentId>,
        body: Body,
        intents: &[Intent],
    ) -> Vec<Verdict> {
        let (own, asked) = self.desk.run(on, body, intents);
        for verdict in own.iter().chain(&asked) {
            match verdict {
                Verdict::Approved(approved) => self.leaves(*approved.intent(), approved.class()),
                Verdict::Rejected(rejection) => {
                    *self.refused.entry(rejection.check).or_default() += 1;
                }
            }
        }
        asked
    }

    fn leaves(&mut self, intent: Intent, class: Class) {
        let now = self.desk.now;
        self.approvals.push((now, intent, class));
        if let Some(new) = intent.action.order() {
            let conditional = matches!(intent.action, Action::Conditional(_));
            let real = Real {
                on: intent.instrument,
                side: new.side,
                reduce_only: new.reduce_only,
                place: Place::Sent,
                conditional,
                waits: conditional,
                seen: false,
                price: new.price,
                total: new.qty,
                cum: Qty::ZERO,
                quote: Usd::ZERO,
                fee: Usd::ZERO,
            };
            assert!(self.orders.insert(intent.order, real).is_none(), "an id is used once");
        }
        self.requests.push((now, intent));
        self.judge_rates(&intent, class);
        self.judge_orders(class);
        if class == Class::NewRisk {
            self.judge_exposure(&intent);
            self.judge_self_match(&intent);
        }
    }

    /// C5: counts every message of the same budget in the window that ends now.
    fn judge_rates(&self, intent: &Intent, class: Class) {
        let limits = &self.config.limits;
        let kind = |action: Action, class| match (action, class) {
            (Action::Query, _) => 0,
            (Action::Cancel, _) => 1,
            (_, Class::Reduce | Class::HaltReduce) => 2,
            (Action::Amend { .. }, _) => 3,
            (Action::New(_) | Action::Conditional(_), _) => 4,
        };
        let own = kind(intent.action, class);
        let limit = [
            limits.rate_query,
            limits.rate_cancel,
            limits.rate_reduce,
            limits.rate_amend,
            limits.rate_new,
        ][own];
        let halts = class == Class::HaltReduce
            || (intent.action == Action::Cancel && intent.source == Source::Risk);
        let window = i128::from(limits.rate_window.0);
        let now = self.desk.now;
        let recent = self
            .approvals
            .iter()
            .filter(|(at, i, c)| now.since(*at) < window && kind(i.action, *c) == own);
        let all = recent.clone().count();
        assert!(halts || all <= limit as usize, "{all} messages of {intent:?}");
        let symbol = recent.filter(|(_, i, _)| i.instrument == intent.instrument).count();
        assert!(own != 4 || symbol <= limits.rate_symbol as usize);
    }

    /// C10: everything that is not really over.
    fn judge_orders(&self, class: Class) {
        let limits = &self.config.limits;
        let live = self.orders.values().filter(|real| real.place != Place::Over).count();
        let limit = match class {
            Class::NewRisk => limits.open_max - limits.reduce_reserve,
            Class::Reduce => limits.open_max,
            Class::HaltReduce | Class::Cancel => limits.open_max + 4,
        };
        // Amends and cancels add no order.
        let last = self.approvals.last().map(|(_, intent, _)| intent.action);
        let added = last.is_some_and(|action| action.order().is_some());
        assert!(!added || live <= limit as usize, "{live} orders at {class:?}");
    }

    /// C1, C11, S0-07: what would be held if everything that may fill did.
    fn judge_exposure(&self, intent: &Intent) {
        let limits = &self.config.limits;
        let on = intent.instrument;
        let worst = |on, side| {
            // What may only reduce opens nothing, whether or not anybody knows that it was triggered.
            let protects = |id: &OrderId| {
                let real = &self.orders[id];
                real.conditional && real.reduce_only
            };
            let live = self.live(on, side).filter(|(id, ..)| !protects(id));
            signed(side, self.position(on)).max(0) + live.map(|(_, _, rest)| rest).sum::<i128>()
        };
        let value = |on, qty| qty * i128::from(self.mark(on).0) / i128::from(ONE);
        let side = self.orders[&intent.order].side;
        let held = value(on, worst(on, side));
        assert!(held <= i128::from(limits.position_notional_max.0), "{held} in {on:?}");
        let gross = [BTC, ETH]
            .map(|on| value(on, worst(on, Side::Buy).max(worst(on, Side::Sell))))
            .iter()
            .sum::<i128>();
        assert!(gross <= i128::from(limits.gross_notional_max.0), "{gross} in all");
        let carried = self.equity() * i128::from(limits.leverage_max);
        assert!(gross <= carried, "{gross} on {carried}");
    }

    /// C9: at no price that it or an own order may have do they meet.
    fn judge_self_match(&self, intent: &Intent) {
        let (Action::New(NewOrder { price, .. }) | Action::Amend { price, .. }) = intent.action
        else {
            return;
        };
        let side = self.orders[&intent.order].side;
        let in_book = |id: &OrderId| !self.orders[id].conditional;
        let others = self.live(intent.instrument, side.opposite());
        for (id, prices, _) in others.filter(|(id, ..)| in_book(id)) {
            for other in prices {
                let meets = signed(side, i128::from(price.0) - i128::from(other.0)) >= 0;
                assert!(!meets, "{intent:?} meets {id}");
            }
        }
    }

    /// Orders that may still fill: id, prices that they may have, and what may fill at most.
    fn live(&self, on: InstrumentId, side: Side) -> impl Iterator<Item = (OrderId, Vec<Px>, i128)> {
        let real = self.orders.iter().filter(move |(_, real)| {
            real.on == on && real.side == side && real.place != Place::Over
        });
        real.map(|(id, real)| {
            let (mut prices, mut total) = (vec![real.price], real.total);
            for (_, request) in &self.requests {
                if let Action::Amend { price, qty } = request.action
                    && request.order == *id
                {
                    prices.push(price);
                    total = total.max(qty);
                }
            }
            (*id, prices, i128::from(total.0) - i128::from(real.cum.0))
        })
    }

    /// What is really held.
    pub(crate) fn position(&self, on: InstrumentId) -> i128 {
        let filled = |real: &Real| signed(real.side, i128::from(real.cum.0));
        self.orders.values().filter(|real| real.on == on).map(filled).sum()
    }

    /// Balance plus cash flows plus what is held at the mark, all as far as it was told.
    fn equity(&self) -> i128 {
        let mut equity = i128::from(self.config.balance.0);
        let mut held = [0_i128; 2];
        for (id, (qty, quote, fee)) in &self.told {
            let real = &self.orders[id];
            equity -= signed(real.side, i128::from(quote.0)) + i128::from(fee.0);
            held[real.on.index()] += signed(real.side, i128::from(qty.0));
        }
        for (qty, mark) in held.iter().zip(self.marks) {
            equity += (qty * i128::from(mark.0)).div_euclid(i128::from(ONE));
        }
        equity
    }

    /// Messages of a kind that leave within the window that ends now.
    pub(crate) fn recent_reduces(&self) -> usize {
        let window = i128::from(self.config.limits.rate_window.0);
        let reduces = |class: &Class| matches!(class, Class::Reduce | Class::HaltReduce);
        let recent = self.approvals.iter().filter(|(at, intent, class)| {
            let amends = matches!(intent.action, Action::Amend { .. });
            let order = amends || intent.action.order().is_some();
            order && reduces(class) && self.desk.now.since(*at) < window
        });
        recent.count()
    }

    /// A request reaches the venue, which takes time; what it answers goes into `reports`.
    pub(crate) fn arrive(&mut self, index: usize) {
        self.desk.wait(Nanos(1));
        let (_, intent) = self.requests.remove(index);
        let real = self.orders.get_mut(&intent.order).expect("requests are of known orders");
        let fresh = !real.seen;
        let open = real.place == Place::Open;
        match intent.action {
            Action::New(_) | Action::Conditional(_) => {
                (real.place, real.seen) = (Place::Open, true);
                self.say(intent.order, ReportKind::Accepted, VenueReason::None);
            }
            Action::Amend { .. } if !open || real.waits => {
                self.say(intent.order, ReportKind::AmendRefused, VenueReason::UnknownOrder);
            }
            Action::Amend { qty, .. } if qty <= real.cum => {
                real.place = Place::Over;
                self.say(intent.order, ReportKind::Canceled, VenueReason::AmendedAway);
            }
            Action::Amend { price, qty } => {
                (real.price, real.total) = (price, qty);
                self.say(intent.order, ReportKind::Amended, VenueReason::None);
            }
            Action::Cancel if open => {
                real.place = Place::Over;
                self.say(intent.order, ReportKind::Canceled, VenueReason::None);
            }
            Action::Cancel => {
                self.say(intent.order, ReportKind::CancelRefused, VenueReason::UnknownOrder);
            }
            Action::Query => {
                let state = match (fresh, real.place) {
                    (true, _) => OrderState::Unknown,
                    (false, Place::Open) if real.waits => OrderState::Waiting,
                    (false, Place::Open) => OrderState::Open,
                    (false, Place::Over | Place::Sent) => OrderState::Closed,
                };
                self.answer(intent.order, state);
            }
        }
    }

    /// A request is lost on its way and will never arrive.
    pub(crate) fn lose_request(&mut self, index: usize) {
        let (_, intent) = self.requests.remove(index);
        if intent.action.order().is_some() {
            self.orders.get_mut(&intent.order).expect("it was sent").place = Place::Over;
        }
    }

    /// The gateway stops a request, which is sequenced.
    pub(crate) fn block(&mut self, index: usize) {
        let (_, intent) = self.requests[index];
        self.lose_request(index);
        let rejection = Rejection::new(&intent, RejectedBy::Gateway, Check::KillLevel, 1, 0);
        self.run(Some(intent.instrument), Body::Rejected(rejection), &[]);
    }

    /// An open order fills, a reduce-only one at most what is really held. One that waits is triggered first.
    pub(crate) fn fill(&mut self, order: OrderId, part: Qty) {
        let real = self.orders[&order];
        if real.place != Place::Open {
            return;
        }
        if real.waits {
            self.orders.get_mut(&order).expect("it was just read").waits = false;
            self.say(order, ReportKind::Triggered, VenueReason::Stop);
        }
        let rest = i128::from(real.total.0) - i128::from(real.cum.0);
        let held = signed(real.side.opposite(), self.position(real.on)).max(0);
        let most = if real.reduce_only { rest.min(held) } else { rest };
        let amount = Qty(i64::try_from(most).unwrap().min(part.0));
        let real = self.orders.get_mut(&order).expect("it was just read");
        if amount <= Qty::ZERO {
            real.place = Place::Over;
            self.say(order, ReportKind::Expired, VenueReason::ReduceOnly);
            return;
        }
        let add = |sum: Usd, more: i64| Usd(sum.0 + more);
        real.cum = Qty(real.cum.0 + amount.0);
        let round = if real.side == Side::Buy { Round::Up } else { Round::Down };
        let quote = real.price.notional(amount, round).narrow().unwrap();
        real.quote = add(real.quote, quote.0);
        real.fee = add(real.fee, quote.0 / 2_000);
        let over = real.cum == real.total;
        real.place = if over { Place::Over } else { Place::Open };
        let kind = if over { ReportKind::Filled } else { ReportKind::PartialFill };
        self.say(order, kind, VenueReason::None);
    }

    pub(crate) fn expire(&mut self, order: OrderId) {
        if self.orders[&order].place == Place::Open {
            self.orders.get_mut(&order).expect("it was just read").place = Place::Over;
            self.say(order, ReportKind::Expired, VenueReason::ImmediateRest);
        }
    }

    fn say(&mut self, order: OrderId, kind: ReportKind, reason: VenueReason) {
        let real = &self.orders[&order];
        let like = NewOrder {
            reduce_only: real.reduce_only,
            price: real.price,
            qty: real.total,
            ..self.desk.sent[&order]
        };
        let told = Report {
            reason,
            cum_quote: real.quote,
            cum_fee: real.fee,
            at: self.desk.now,
            ..report(kind, order, &like, real.cum)
        };
        self.reports.push((real.on, Body::Report(told)));
    }

    fn answer(&mut self, order: OrderId, state: OrderState) {
        let real = &self.orders[&order];
        let status = Status {
            order,
            state,
            side: real.side,
            reduce_only: real.reduce_only,
            price: real.price,
            qty: real.total,
            cum_qty: real.cum,
            cum_quote: real.quote,
            cum_fee: real.fee,
            at: self.desk.now,
        };
        self.reports.push((real.on, Body::Status(status)));
    }

    /// The stream hears what the venue said, which takes time too.
    pub(crate) fn hear(&mut self, (on, body): (InstrumentId, Body)) {
        self.desk.wait(Nanos(1));
        let mut note = |order, amounts: Told| {
            let known = self.told.entry(order).or_default();
            *known = (*known).max(amounts);
        };
        if let Body::Report(r) = &body {
            note(r.order, (r.cum_qty, r.cum_quote, r.cum_fee));
        }
        if let Body::Status(s) = &body
            && s.state != OrderState::Unknown
        {
            note(s.order, (s.cum_qty, s.cum_quote, s.cum_fee));
        }
        self.run(Some(on), body, &[]);
    }

    /// Orders that are really open.
    pub(crate) fn open(&self) -> Vec<OrderId> {
        let open = self.orders.iter().filter(|(_, real)| real.place == Place::Open);
        open.map(|(id, _)| *id).collect()
    }

    pub(crate) fn is_own(order: OrderId) -> bool {
        order.strategy() == StrategyId::RISK
    }
}
