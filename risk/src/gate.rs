//! The gate: which checks an intent must pass, cheap ones first. It decides by sequenced state alone and
//! changes nothing; what leaves is noted afterwards.

use fusewire_core::instrument::{Instrument, InstrumentId, Universe};
use fusewire_core::kill::Level;
use fusewire_core::order::{Action, Check, Class, Intent, Side, Source, StrategyId};
use fusewire_core::portfolio::{Order, Portfolio};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, Usd};

use crate::checks::{self, Added, Fail, Outcome, Recent, Sent, Table};
use crate::limits::{Limits, RiskConfig};
use crate::market::Market;
use crate::rates::{Budget, Charge, Rates};

/// What the stream says so far.
pub(crate) struct State<'a> {
    pub(crate) portfolio: &'a Portfolio,
    pub(crate) market: &'a Market,
    pub(crate) level: Level,
    pub(crate) now: Nanos,
}

/// An order as an intent would have it.
struct Proposal<'a> {
    intent: &'a Intent,
    class: Class,
    side: Side,
    price: Px,
    /// What would be open of it.
    rest: Qty,
    /// The order that is amended; none for a new one.
    old: Option<&'a Order>,
}

impl Proposal<'_> {
    fn is_new(&self) -> bool {
        self.old.is_none()
    }

    /// What it counts as.
    fn charge(&self) -> Charge {
        Charge::of_order(self.class, self.is_new().then_some(self.intent.instrument))
    }

    /// Quantity beyond what is open already: an amend may hold, or may not.
    fn added(&self) -> QtySum {
        let open = self.old.map_or(QtySum::ZERO, Order::remaining);
        QtySum((i128::from(self.rest.0) - open.0).max(0))
    }

    /// The price at which its symbol is valued: the worst of all that may hold.
    fn worst_price(&self, mark: Px) -> Px {
        let old = self.old.map_or(Px::ZERO, |order| order.price);
        self.price.max(old).max(mark)
    }
}

/// All checks with what they remember.
pub(crate) struct Gate {
    limits: Limits,
    balance: Usd,
    instruments: Vec<Instrument>,
    tradable: Vec<bool>,
    strategies: Vec<StrategyId>,
    table: Table,
    rates: Rates,
    recent: Recent,
}

impl Gate {
    pub(crate) fn new(
        config: &RiskConfig,
        universe: &Universe,
        tradable: &[InstrumentId],
        strategies: &[StrategyId],
    ) -> Self {
        let limits = config.limits.clone();
        let tradable: Vec<bool> = universe.iter().map(|(id, _)| tradable.contains(&id)).collect();
        let table = Table {
            open_max: limits.open_max,
            reduce_reserve: limits.reduce_reserve,
            total: limits.open_max as usize + universe.len(),
        };
        Self {
            rates: Rates::new(&limits, tradable.iter().copied()),
            recent: Recent::new(limits.rate_new as usize),
            balance: config.balance,
            instruments: universe.iter().map(|(_, instrument)| instrument.clone()).collect(),
            strategies: strategies.to_vec(),
            table,
            tradable,
            limits,
        }
    }

    /// What an intent may leave as, or the first check that refuses it. `from` is who really sent it.
    pub(crate) fn judge(
        &self,
        intent: &Intent,
        from: Source,
        state: &State<'_>,
    ) -> Result<Class, Fail> {
        let class = class_of(intent, from, state.portfolio);
        checks::kill_level(state.level, class)?;
        if from == Source::Alpha {
            checks::sender(intent, &self.strategies)?;
        }
        let order = state.portfolio.order(intent.order);
        match intent.action {
            Action::New(new) => {
                let (side, price, rest) = (new.side, new.price, new.qty);
                self.order(&Proposal { intent, class, side, price, rest, old: None }, state)?;
            }
            Action::Amend { price, qty } => {
                let old = checks::amendable(order, price, qty)?;
                // Not below zero as far as risk is concerned: the lot check refuses that.
                let rest = Qty(qty.0.saturating_sub(old.cum_qty.0));
                checks::symbol_of_order(intent.instrument, old.instrument)?;
                checks::lot(qty, &self.instrument(intent.instrument)?.lot)?;
                let (side, old) = (old.side, Some(old));
                self.order(&Proposal { intent, class, side, price, rest, old }, state)?;
            }
            Action::Cancel => {
                let order = checks::cancellable(order)?;
                checks::symbol_of_order(intent.instrument, order.instrument)?;
                self.rate(Charge::Cancel, from, state.now)?;
            }
            Action::Query => {
                let order = checks::known(order)?;
                checks::symbol_of_order(intent.instrument, order.instrument)?;
                self.rates.allow(Charge::Query, state.now)?;
            }
        }
        Ok(class)
    }

    /// Counts an intent that leaves now.
    pub(crate) fn note(&mut self, intent: &Intent, class: Class, now: Nanos) {
        let charge = match intent.action {
            Action::New(_) => Charge::of_order(class, Some(intent.instrument)),
            Action::Amend { .. } => Charge::of_order(class, None),
            Action::Cancel => Charge::Cancel,
            Action::Query => Charge::Query,
        };
        self.rates.note(charge, now);
        if class == Class::NewRisk
            && let Some(sent) = sent(intent)
        {
            self.recent.push((sent, now));
        }
    }

    pub(crate) fn queries(&self) -> &Budget {
        self.rates.query()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Orders that the table holds, those of the halt included.
    pub(crate) fn orders_max(&self) -> usize {
        self.table.total
    }

    pub(crate) fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The instrument behind a number that came from outside.
    fn instrument(&self, id: InstrumentId) -> Result<&Instrument, Fail> {
        let unknown = Fail { check: Check::Universe, measured: i128::from(id.0), limit: 0 };
        self.instruments.get(id.index()).ok_or(unknown)
    }

    /// C18: what the stage sends on its own account is bounded elsewhere and never refused for its rate.
    fn rate(&self, charge: Charge, from: Source, now: Nanos) -> Outcome {
        match from {
            Source::Alpha => self.rates.allow(charge, now),
            Source::Risk => Ok(()),
        }
    }

    fn order(&self, proposal: &Proposal<'_>, state: &State<'_>) -> Outcome {
        let id = proposal.intent.instrument;
        let instrument = self.instrument(id)?;
        checks::contract(id, instrument)?;
        if proposal.class == Class::NewRisk {
            checks::tradable(id, &self.tradable)?;
            self.new_risk(proposal, instrument, state)
        } else {
            if proposal.class == Class::Reduce {
                checks::tradable(id, &self.tradable)?;
            }
            self.reducing(proposal, instrument, state)
        }
    }

    /// Everything that an order which may add risk must pass.
    fn new_risk(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        state: &State<'_>,
    ) -> Outcome {
        let limits = &self.limits;
        let Proposal { intent, class, side, price, rest, .. } = *proposal;
        let symbol = state.market.symbol(intent.instrument);
        let twice_mid = checks::book_freshness(symbol, state.now, limits.book_age_max)?;
        let mark = checks::mark_freshness(symbol.mark(), state.now, limits.mark_age_max)?;
        checks::tick(price, instrument.tick)?;
        checks::lot(rest, &instrument.lot)?;
        checks::min_notional(price, rest, instrument.min_notional)?;
        checks::percent_price(side, price, mark, instrument.percent_price)?;
        if proposal.is_new() {
            self.max_orders(proposal, instrument, state)?;
        }
        if let Some(sent) = sent(intent) {
            checks::duplicate(&self.recent, &sent, state.now, limits.duplicate_window)?;
        }
        checks::divergence(twice_mid, mark, limits.reference_divergence)?;
        checks::collar(side, price, mark, limits.collar, limits.collar_passive)?;
        checks::order_qty(rest, limits.order_qty_max)?;
        checks::order_notional(price, mark, rest, limits.order_notional_max)?;
        self.rates.allow(proposal.charge(), state.now)?;
        if proposal.is_new() {
            checks::open_orders(state.portfolio.orders().len(), class, self.table)?;
        }
        checks::self_match(side, price, state.portfolio.orders_of(intent.instrument))?;
        self.worst_case(proposal, mark, state)
    }

    /// C1, C11, S0-07: what the account could come to hold.
    fn worst_case(&self, proposal: &Proposal<'_>, mark: Px, state: &State<'_>) -> Outcome {
        let limits = &self.limits;
        let (instrument, side) = (proposal.intent.instrument, proposal.side);
        let (qty, price) = (proposal.added(), proposal.worst_price(mark));
        let worst = QtySum(state.portfolio.worst_case(instrument, side).0 + qty.0);
        checks::exposure(worst, price, limits.position_notional_max)?;
        let symbols = u16::try_from(self.instruments.len()).expect("a universe is bounded");
        let times = (state.now, limits.mark_age_max);
        let added = Added { instrument, side, qty, price };
        let gross = checks::worst_gross(state.portfolio, state.market, symbols, &added, times)?;
        checks::gross(gross, limits.gross_notional_max)?;
        let fresh_mark = |id| {
            let mark = state.market.symbol(id).mark();
            checks::mark_freshness(mark, state.now, limits.mark_age_max).ok()
        };
        let equity = checks::equity(self.balance, state.portfolio, fresh_mark)?;
        checks::leverage(gross, equity, limits.leverage_max)
    }

    /// What a reduce must pass: never a check of exposure, and never one that fails because data does.
    fn reducing(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        state: &State<'_>,
    ) -> Outcome {
        let limits = &self.limits;
        let Proposal { intent, class, side, price, rest, old } = *proposal;
        checks::tick(price, instrument.tick)?;
        checks::lot(rest, &instrument.lot)?;
        let symbol = state.market.symbol(intent.instrument);
        let reference = symbol.price_to_reduce_by(state.now, limits.mark_age_max);
        let unknown = Fail { check: Check::Collar, measured: checks::UNKNOWN, limit: 0 };
        let reference = reference.ok_or(unknown)?;
        checks::percent_price(side, price, reference, instrument.percent_price)?;
        if proposal.is_new() {
            self.max_orders(proposal, instrument, state)?;
        }
        let ages = [limits.mark_age_max, limits.book_age_max];
        let near = symbol.price_to_leave_by(side, state.now, ages).ok_or(unknown)?;
        // Within the collar of either is near enough.
        checks::collar(side, price, reference, limits.collar, limits.collar_passive)
            .or_else(|_| checks::collar(side, price, near, limits.collar, limits.collar_passive))?;
        if class != Class::HaltReduce {
            self.rates.allow(proposal.charge(), state.now)?;
        }
        if proposal.is_new() {
            checks::open_orders(state.portfolio.orders().len(), class, self.table)?;
        }
        checks::reduce_only(rest, left_to_reduce(state.portfolio, intent.instrument, side, old))
    }

    fn max_orders(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        state: &State<'_>,
    ) -> Outcome {
        let open = |side| state.portfolio.open(proposal.intent.instrument, side).orders;
        let both = open(Side::Buy) + open(Side::Sell);
        let reserve = self.limits.reduce_reserve;
        checks::max_orders(both, instrument.max_orders, proposal.class, reserve)
    }
}

/// What an intent does to risk. Of an order that nobody knows, the worst is assumed.
fn class_of(intent: &Intent, from: Source, portfolio: &Portfolio) -> Class {
    let reduces = match intent.action {
        Action::New(new) => new.reduce_only,
        Action::Amend { .. } => portfolio.order(intent.order).is_some_and(|o| o.reduce_only),
        Action::Cancel | Action::Query => return Class::Cancel,
    };
    match (reduces, from) {
        (false, _) => Class::NewRisk,
        (true, Source::Alpha) => Class::Reduce,
        (true, Source::Risk) => Class::HaltReduce,
    }
}

/// A new order as it is compared with others; none for any other intent.
fn sent(intent: &Intent) -> Option<Sent> {
    let Action::New(new) = intent.action else { return None };
    Some(Sent {
        strategy: intent.order.strategy(),
        instrument: intent.instrument,
        side: new.side,
        price: new.price,
        qty: new.qty,
    })
}

/// What the position leaves to a reduce, besides the order that it amends.
fn left_to_reduce(
    portfolio: &Portfolio,
    instrument: InstrumentId,
    side: Side,
    old: Option<&Order>,
) -> QtySum {
    let position = portfolio.position(instrument);
    if position.reducing_side() != Some(side) {
        return QtySum::ZERO;
    }
    let own = old.map_or(QtySum::ZERO, Order::remaining);
    let others = portfolio.open(instrument, side).reduce_only.0 - own.0;
    QtySum((position.size().0 - others).max(0))
}
