//! What a conditional order must pass. It leaves now and may trade much later, so that what changes with the
//! market is asked of its trigger: the trigger must lie near the mark, and the limit near the trigger. What
//! the exchange asks when the trigger comes (margin, its price band) is not asked here.

use fusewire_core::instrument::Instrument;
use fusewire_core::order::{Check, Class, Conditional, Intent};
use fusewire_core::units::{Px, QtySum};

use super::{Gate, Proposal, State, sent};
use crate::checks::{self, Fail};
use crate::witness::{Subject, Witness};

impl Gate {
    pub(super) fn conditional(
        &self,
        (intent, class, conditional): (&Intent, Class, &Conditional),
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let id = intent.instrument;
        let instrument = witness.see_of(Subject::Contract, self.contract(id))?;
        let found = match class {
            Class::NewRisk => checks::tradable_at(id, &self.tradable, (instrument, state.now)),
            Class::Reduce | Class::HaltReduce | Class::Cancel => {
                checks::tradable(id, &self.tradable)
            }
        };
        if class != Class::HaltReduce {
            witness.see_of(Subject::Tradable, found)?;
        }
        let new = &conditional.order;
        let (side, price, rest) = (new.side, new.price, new.qty);
        let proposal = Proposal { intent, class, side, price, rest, old: None };
        self.terms(conditional, instrument, witness)?;
        let mark = match class {
            Class::NewRisk => self.fresh_mark(&proposal, state, witness)?,
            Class::Reduce | Class::HaltReduce | Class::Cancel => {
                let symbol = state.market.symbol(id);
                let mark = symbol.price_to_reduce_by(state.now, self.limits.mark_age_max);
                let unknown = Fail { check: Check::Trigger, measured: checks::UNKNOWN, limit: 0 };
                mark.ok_or(unknown)?
            }
        };
        self.distances(conditional, mark, witness)?;
        if class == Class::NewRisk {
            self.amounts(&proposal, instrument, mark, state, witness)?;
        }
        witness.see(self.max_orders(&proposal, instrument, state))?;
        if class != Class::HaltReduce {
            self.rates.allow(proposal.charge(), state.now, witness)?;
        }
        self.room(class, state, witness)?;
        if class == Class::NewRisk {
            // Whole, as if it had triggered: it may at any time. At the worst price that it may have.
            let price = mark.max(conditional.trigger.price);
            self.worst_case(&proposal, price, state, witness)
        } else {
            // Several may protect one position, so that each is measured by the whole of it.
            let position = state.portfolio.position(id);
            let reduces = position.reducing_side() == Some(side);
            let left = if reduces { position.size() } else { QtySum::ZERO };
            witness.see(checks::reduce_only(rest, left))
        }
    }

    /// What the order says, by itself and by the filters of its contract.
    fn terms(
        &self,
        conditional: &Conditional,
        instrument: &Instrument,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let Conditional { order, trigger } = conditional;
        let limits = &self.limits;
        witness.see_of(Subject::Terms, checks::terms(conditional))?;
        witness.see(checks::tick(order.price, instrument.tick))?;
        if trigger.price != Px::ZERO {
            let on_grid = checks::tick(trigger.price, instrument.tick);
            witness.see_of(Subject::TriggerPrice, on_grid)?;
        }
        if trigger.callback.0 != 0 {
            let bounds = [limits.callback_min, limits.callback_max];
            witness.see_of(Subject::Callback, checks::callback(trigger.callback, bounds))?;
        }
        witness.see(checks::lot(order.qty, &instrument.lot))
    }

    /// The mark that new risk is measured by, while mark and book are fresh and agree.
    fn fresh_mark(
        &self,
        proposal: &Proposal<'_>,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<Px, Fail> {
        let limits = &self.limits;
        let symbol = state.market.symbol(proposal.intent.instrument);
        witness.see(checks::ledger_drift(state.drift, limits.drift_block))?;
        let fresh = checks::book_freshness(symbol, state.now, limits.book_age_max);
        let twice_mid = witness.see(fresh)?;
        let fresh = checks::mark_freshness(symbol.mark(), state.now, limits.mark_age_max);
        let mark = witness.see(fresh)?;
        let near = checks::divergence(twice_mid, mark, limits.reference_divergence);
        witness.see_of(Subject::MidToMark, near)?;
        Ok(mark)
    }

    /// The trigger near the mark, the limit near where the trigger lets it in.
    fn distances(
        &self,
        conditional: &Conditional,
        mark: Px,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let Conditional { order, trigger } = conditional;
        let limits = &self.limits;
        if trigger.price != Px::ZERO {
            let near = checks::trigger_distance(trigger.price, mark, limits.trigger_distance);
            witness.see_of(Subject::TriggerToMark, near)?;
        }
        let entry = trigger.enters_near(order.side, mark);
        let unknown = Fail { check: Check::Arithmetic, measured: checks::UNKNOWN, limit: 0 };
        let entry = entry.ok_or(unknown)?;
        let (near, far) = (limits.collar, limits.collar_passive);
        let collar = checks::collar(order.side, order.price, entry, near, far);
        witness.see_of(Subject::PriceToTrigger, collar)
    }

    /// What only new risk is asked.
    fn amounts(
        &self,
        proposal: &Proposal<'_>,
        instrument: &Instrument,
        mark: Px,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let limits = &self.limits;
        let (price, rest) = (proposal.price, proposal.rest);
        witness.see(checks::min_notional(price, rest, instrument.min_notional))?;
        if let Some(sent) = sent(proposal.intent) {
            let window = limits.duplicate_window;
            witness.see(checks::duplicate(&self.recent, &sent, state.now, window))?;
        }
        witness.see(checks::order_qty(rest, limits.order_qty_max))?;
        witness.see(checks::order_notional(price, mark, rest, limits.order_notional_max))
    }

    /// Room in the table of orders, and in the venue's table of conditional ones.
    fn room(
        &self,
        class: Class,
        state: &State<'_>,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        let open = state.portfolio.orders().len();
        witness.see(checks::open_orders(open, class, self.table))?;
        let (waiting, reserve) = (state.portfolio.waiting(), self.limits.reduce_reserve);
        witness.see(checks::conditionals(waiting, self.limits.conditional_max, class, reserve))
    }
}
