//! The gate: which checks an intent must pass, cheap ones first. It decides by sequenced state alone and
//! changes nothing; what leaves is noted afterwards.

use fusewire_core::instrument::{Instrument, InstrumentId, Universe};
use fusewire_core::kill::Level;
use fusewire_core::order::{Action, Check, Class, Intent, Side, Source, StrategyId};
use fusewire_core::portfolio::{Order, Portfolio};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, UsdSum};

use crate::checks::{self, Added, Fail, Outcome, Recent, Sent, Table};
use crate::limits::{Limits, RiskConfig};
use crate::market::Market;
use crate::rates::{Budget, Charge, Rates};
use crate::witness::{CheckLine, Nobody, Subject, Witness};

mod conditional;

/// What the stream says so far.
pub(crate) struct State<'a> {
    pub(crate) portfolio: &'a Portfolio,
    pub(crate) market: &'a Market,
    pub(crate) level: Level,
    pub(crate) now: Nanos,
    /// What the ledger says of the balance, unrealised profit left out.
    pub(crate) wallet: UsdSum,
    /// How far ledger and venue were apart when they were last compared, without sign.
    pub(crate) drift: UsdSum,
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
        self.check(intent, from, state, &mut Nobody)
    }

    /// What `judge` checks, in that order, up to and with the check that refuses.
    pub(crate) fn explain(
        &self,
        intent: &Intent,
        from: Source,
        state: &State<'_>,
    ) -> Vec<CheckLine> {
        let mut lines = Vec::new();
        if let Err(fail) = self.check(intent, from, state, &mut lines)
            // What a check needs can be missing before it is made.
            && lines.last().is_none_or(|line| line.passed)
        {
            lines.push(CheckLine::refusal(Subject::Intent, fail));
        }
        lines
    }

    fn check(
        &self,
        intent: &Intent,
        from: Source,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<Class, Fail> {
        let class = class_of(intent, from, state.portfolio);
        witness.see(checks::kill_level(state.level, class))?;
        if from == Source::Alpha {
            witness.see_of(Subject::Sender, checks::sender(intent, &self.strategies))?;
        }
        let order = state.portfolio.order(intent.order);
        match intent.action {
            Action::New(new) => {
                let (side, price, rest) = (new.side, new.price, new.qty);
                let proposal = Proposal { intent, class, side, price, rest, old: None };
                self.order(&proposal, state, witness)?;
            }
            Action::Conditional(conditional) => {
                self.conditional((intent, class, &conditional), state, witness)?;
            }
            Action::Amend { price, qty } => {
                let old = witness.see(checks::amendable(order, price, qty))?;
                // Not below zero as far as risk is concerned: the lot check refuses that.
                let rest = Qty(qty.0.saturating_sub(old.cum_qty.0));
                self.same_symbol(intent, old, witness)?;
                let lot = &self.instrument(intent.instrument)?.lot;
                witness.see_of(Subject::TotalQuantity, checks::lot(qty, lot))?;
                let (side, old) = (old.side, Some(old));
                let proposal = Proposal { intent, class, side, price, rest, old };
                self.order(&proposal, state, witness)?;
            }
            Action::Cancel => {
                let order = witness.see(checks::cancellable(order))?;
                self.same_symbol(intent, order, witness)?;
                // C18: what the stage sends on its own account is bounded elsewhere and never refused for
                // its rate.
                if from == Source::Alpha {
                    self.rates.allow(Charge::Cancel, state.now, witness)?;
                }
            }
            Action::Query => {
                let order = witness.see(checks::known(order))?;
                self.same_symbol(intent, order, witness)?;
                self.rates.allow(Charge::Query, state.now, witness)?;
            }
        }
        Ok(class)
    }

    /// Counts an intent that leaves now.
    pub(crate) fn note(&mut self, intent: &Intent, class: Class, now: Nanos) {
        let charge = match intent.action {
            Action::New(_) | Action::Conditional(_) => {
                Charge::of_order(class, Some(intent.instrument))
            }
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

    /// A contract behind a number that came from outside.
    fn contract(&self, id: InstrumentId) -> Outcome<&Instrument> {
        let instrument = self.instrument(id)?;
        Ok(checks::contract(id, instrument)?.with(instrument))
    }

    fn same_symbol(
        &self,
        intent: &Intent,
        order: &Order,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let found = checks::symbol_of_order(intent.instrument, order.instrument);
        witness.see_of(Subject::OrderSymbol, found)
    }

    fn order(
        &self,
        proposal: &Proposal<'_>,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let id = proposal.intent.instrument;
        let instrument = witness.see_of(Subject::Contract, self.contract(id))?;
        if proposal.class == Class::NewRisk {
            let exists = (instrument, state.now);
            let found = checks::tradable_at(id, &self.tradable, exists);
            witness.see_of(Subject::Tradable, found)?;
            self.new_risk(proposal, instrument, state, witness)
        } else {
            if proposal.class == Class::Reduce {
                witness.see_of(Subject::Tradable, checks::tradable(id, &self.tradable))?;
            }
            self.reducing(proposal, instrument, state, witness)
        }
    }

    /// Everything that an order which may add risk must pass.
    fn new_risk(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let limits = &self.limits;
        let Proposal { intent, class, side, price, rest, .. } = *proposal;
        let symbol = state.market.symbol(intent.instrument);
        witness.see(checks::ledger_drift(state.drift, limits.drift_block))?;
        let fresh = checks::book_freshness(symbol, state.now, limits.book_age_max);
        let twice_mid = witness.see(fresh)?;
        let fresh = checks::mark_freshness(symbol.mark(), state.now, limits.mark_age_max);
        let mark = witness.see(fresh)?;
        witness.see(checks::tick(price, instrument.tick))?;
        witness.see(checks::lot(rest, &instrument.lot))?;
        witness.see(checks::min_notional(price, rest, instrument.min_notional))?;
        witness.see(checks::percent_price(side, price, mark, instrument.percent_price))?;
        if proposal.is_new() {
            witness.see(self.max_orders(proposal, instrument, state))?;
        }
        if let Some(sent) = sent(intent) {
            let window = limits.duplicate_window;
            witness.see(checks::duplicate(&self.recent, &sent, state.now, window))?;
        }
        let near = checks::divergence(twice_mid, mark, limits.reference_divergence);
        witness.see_of(Subject::MidToMark, near)?;
        let near = checks::collar(side, price, mark, limits.collar, limits.collar_passive);
        witness.see_of(Subject::PriceToMark, near)?;
        witness.see(checks::order_qty(rest, limits.order_qty_max))?;
        witness.see(checks::order_notional(price, mark, rest, limits.order_notional_max))?;
        self.rates.allow(proposal.charge(), state.now, witness)?;
        if proposal.is_new() {
            let open = state.portfolio.orders().len();
            witness.see(checks::open_orders(open, class, self.table))?;
        }
        // What waits for its trigger stands in no book.
        let own = state.portfolio.orders_of(intent.instrument).filter(|o| o.trigger.is_none());
        witness.see(checks::self_match(side, price, own))?;
        self.worst_case(proposal, mark, state, witness)
    }

    /// C1, C11, S0-07: what the account could come to hold.
    fn worst_case(
        &self,
        proposal: &Proposal<'_>,
        mark: Px,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let limits = &self.limits;
        let (instrument, side) = (proposal.intent.instrument, proposal.side);
        let (qty, price) = (proposal.added(), proposal.worst_price(mark));
        let worst = QtySum(state.portfolio.worst_case(instrument, side).0 + qty.0);
        witness.see(checks::exposure(worst, price, limits.position_notional_max))?;
        let symbols = u16::try_from(self.instruments.len()).expect("a universe is bounded");
        let added = Added { instrument, side, qty, price };
        let fresh_mark = |id| {
            let mark = state.market.symbol(id).mark();
            checks::mark_freshness(mark, state.now, limits.mark_age_max)
        };
        let gross = checks::worst_gross(state.portfolio, symbols, &added, |id| {
            witness.see_of(Subject::Held(id), fresh_mark(id))
        })?;
        witness.see(checks::gross(gross, limits.gross_notional_max))?;
        let known_mark = |id| fresh_mark(id).ok().map(|pass| pass.value);
        let equity = checks::equity(state.wallet, state.portfolio, known_mark)?;
        witness.see(checks::leverage(gross, equity, limits.leverage_max))
    }

    /// What a reduce must pass: never a check of exposure, and never one that fails because data does.
    fn reducing(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let limits = &self.limits;
        let Proposal { intent, class, side, price, rest, old } = *proposal;
        witness.see(checks::tick(price, instrument.tick))?;
        witness.see(checks::lot(rest, &instrument.lot))?;
        let symbol = state.market.symbol(intent.instrument);
        let reference = symbol.price_to_reduce_by(state.now, limits.mark_age_max);
        let unknown = Fail { check: Check::Collar, measured: checks::UNKNOWN, limit: 0 };
        let reference = reference.ok_or(unknown)?;
        witness.see(checks::percent_price(side, price, reference, instrument.percent_price))?;
        if proposal.is_new() {
            witness.see(self.max_orders(proposal, instrument, state))?;
        }
        let ages = [limits.mark_age_max, limits.book_age_max];
        let near = symbol.price_to_leave_by(side, state.now, ages).ok_or(unknown)?;
        // Within the collar of either is near enough.
        let collar = |by| checks::collar(side, price, by, limits.collar, limits.collar_passive);
        witness
            .see_of(Subject::PriceToMark, collar(reference))
            .or_else(|_| witness.see_of(Subject::PriceToMarkOrMid, collar(near)))?;
        if class != Class::HaltReduce {
            self.rates.allow(proposal.charge(), state.now, witness)?;
        }
        if proposal.is_new() {
            let open = state.portfolio.orders().len();
            witness.see(checks::open_orders(open, class, self.table))?;
        }
        let left = left_to_reduce(state.portfolio, intent.instrument, side, old);
        witness.see(checks::reduce_only(rest, left))
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
        Action::Conditional(conditional) => conditional.order.reduce_only,
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
    let new = intent.action.order()?;
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
