//! Budgets over an exact sliding window: each remembers when its last N messages left, and allows
//! another one when the oldest of the N lies at least a window back. Time is that of events.

use std::collections::VecDeque;

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Check, Class};
use fusewire_core::units::Nanos;

use crate::checks::{Fail, Pass};
use crate::limits::Limits;
use crate::witness::{CheckLine, Subject, Witness};

/// The last N of something, all memory taken at construction.
#[derive(Clone, Debug)]
pub(crate) struct LastN<T> {
    entries: VecDeque<T>,
    capacity: usize,
}

impl<T> LastN<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::with_capacity(capacity), capacity }
    }

    /// Adds an entry, which pushes the oldest one out when there are N.
    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        if self.capacity > 0 {
            self.entries.push_back(entry);
        }
    }

    /// The newest is the 1st.
    fn nth_newest(&self, n: usize) -> Option<&T> {
        self.entries.get(self.entries.len().checked_sub(n)?)
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().rev()
    }
}

/// One budget.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    check: Check,
    window: Nanos,
    sent: LastN<Nanos>,
}

impl Budget {
    fn new(check: Check, per_window: u32, window: Nanos) -> Self {
        Self { check, window, sent: LastN::new(per_window as usize) }
    }

    /// True when `more` messages can leave at `now` without breaking the budget.
    pub(crate) fn fits(&self, now: Nanos, more: usize) -> bool {
        // `more` fit N when fewer than N - more + 1 left within the window.
        let Some(spare) = self.sent.capacity.checked_sub(more) else { return false };
        self.sent
            .nth_newest(spare + 1)
            .is_none_or(|sent| now.since(*sent) >= i128::from(self.window.0))
    }

    /// Allows one more message at `now`. Measured and limit are messages in the window.
    #[inline(always)]
    pub(crate) fn allows(&self, now: Nanos) -> Result<(), Fail> {
        let limit = self.sent.capacity as i128;
        if self.fits(now, 1) {
            return Ok(());
        }
        Err(Fail { check: self.check, measured: limit + 1, limit })
    }

    /// The same before a witness, for whom alone they are counted.
    #[inline(always)]
    fn allows_before(&self, now: Nanos, witness: &mut impl Witness) -> Result<(), Fail> {
        let found = self.allows(now);
        witness.note(|| CheckLine::new(Subject::Intent, &found.map(|()| self.pass(now))));
        found
    }

    /// That one more fits, with how many there are then.
    fn pass(&self, now: Nanos) -> Pass {
        let within = |sent: &&Nanos| now.since(**sent) < i128::from(self.window.0);
        let measured = self.sent.newest_first().take_while(within).count() as i128 + 1;
        let limit = self.sent.capacity as i128;
        Pass { check: self.check, measured: measured.into(), limit: limit.into(), value: () }
    }

    /// Messages that the window holds.
    pub(crate) fn capacity(&self) -> usize {
        self.sent.capacity
    }

    fn note(&mut self, now: Nanos) {
        self.sent.push(now);
    }
}

/// What a message counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    /// A new order that may add risk.
    New(InstrumentId),
    /// An amend that may add risk.
    Amend,
    /// A reduce-only order, or an amend of one.
    Reduce,
    /// A cancel.
    Cancel,
    /// A query.
    Query,
}

impl Charge {
    /// What an order counts as: `new` names its symbol when it is new.
    pub(crate) fn of_order(class: Class, new: Option<InstrumentId>) -> Self {
        match (class, new) {
            (Class::NewRisk, Some(instrument)) => Self::New(instrument),
            (Class::NewRisk, None) => Self::Amend,
            (Class::Reduce | Class::HaltReduce | Class::Cancel, _) => Self::Reduce,
        }
    }
}

/// All budgets (C5, X7: one for each class, so that none can starve another).
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    new: Budget,
    symbols: Vec<Budget>,
    amend: Budget,
    reduce: Budget,
    cancel: Budget,
    query: Budget,
}

impl Rates {
    /// Budgets for symbols `0..tradable.len()`; one that is not tradable gets none.
    pub(crate) fn new(limits: &Limits, tradable: impl Iterator<Item = bool>) -> Self {
        let budget = |check, count| Budget::new(check, count, limits.rate_window);
        let symbol =
            |tradable| budget(Check::RateSymbol, if tradable { limits.rate_symbol } else { 0 });
        Self {
            new: budget(Check::RateNew, limits.rate_new),
            symbols: tradable.map(symbol).collect(),
            amend: budget(Check::RateAmend, limits.rate_amend),
            reduce: budget(Check::RateReduce, limits.rate_reduce),
            cancel: budget(Check::RateCancel, limits.rate_cancel),
            query: budget(Check::RateQuery, limits.rate_query),
        }
    }

    /// Whether a message may leave at `now`. C18: the halt's reduces and cancels are not asked, since
    /// a kill can not be blocked by a check of its own; they are counted all the same.
    pub(crate) fn allow(
        &self,
        charge: Charge,
        now: Nanos,
        witness: &mut impl Witness,
    ) -> Result<(), Fail> {
        match charge {
            Charge::New(instrument) => {
                self.new.allows_before(now, witness)?;
                self.symbols[instrument.index()].allows_before(now, witness)
            }
            Charge::Amend => self.amend.allows_before(now, witness),
            Charge::Reduce => self.reduce.allows_before(now, witness),
            Charge::Cancel => self.cancel.allows_before(now, witness),
            Charge::Query => self.query.allows_before(now, witness),
        }
    }

    /// Counts a message that leaves at `now`.
    pub(crate) fn note(&mut self, charge: Charge, now: Nanos) {
        match charge {
            Charge::New(instrument) => {
                self.new.note(now);
                self.symbols[instrument.index()].note(now);
            }
            Charge::Amend => self.amend.note(now),
            Charge::Reduce => self.reduce.note(now),
            Charge::Cancel => self.cancel.note(now),
            Charge::Query => self.query.note(now),
        }
    }

    /// The budget of queries.
    pub(crate) fn query(&self) -> &Budget {
        &self.query
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::witness::Nobody;

    fn budget(count: u32) -> Budget {
        Budget::new(Check::RateNew, count, Nanos(60))
    }

    #[test]
    fn the_window_slides_and_ends_exactly() {
        let mut budget = budget(2);
        budget.note(Nanos(100));
        assert_eq!(budget.allows(Nanos(100)), Ok(()));
        budget.note(Nanos(130));
        let full = Err(Fail { check: Check::RateNew, measured: 3, limit: 2 });
        assert_eq!(budget.allows(Nanos(159)), full);
        assert_eq!(budget.allows(Nanos(160)), Ok(()));
        budget.note(Nanos(160));
        assert_eq!(budget.allows(Nanos(189)), full);
        assert_eq!(budget.allows(Nanos(190)), Ok(()));
    }

    #[test]
    fn what_leaves_beyond_the_budget_counts_too() {
        let mut budget = budget(2);
        for at in [0, 10, 50] {
            budget.note(Nanos(at));
        }
        assert!(budget.allows(Nanos(69)).is_err());
        assert_eq!(budget.allows(Nanos(70)), Ok(()));
    }

    #[test]
    fn an_empty_budget_allows_nothing() {
        let mut budget = budget(0);
        assert!(budget.allows(Nanos(0)).is_err());
        budget.note(Nanos(0));
        assert!(budget.allows(Nanos(u64::MAX)).is_err());
        assert_eq!(budget.sent.newest_first().count(), 0, "and remembers nothing");
    }

    #[test]
    fn a_new_order_needs_both_of_its_budgets_and_no_other_class_pays() {
        let limits = Limits { rate_new: 3, rate_symbol: 2, ..Limits::default() };
        let mut rates = Rates::new(&limits, [true, true, false].into_iter());
        let new = |n| Charge::New(InstrumentId(n));
        let refused = |rates: &Rates, charge| {
            let found = rates.allow(charge, Nanos(0), &mut Nobody);
            found.err().map(|fail| (fail.check, fail.limit))
        };
        rates.note(new(0), Nanos(0));
        rates.note(new(0), Nanos(0));
        assert_eq!(refused(&rates, new(0)), Some((Check::RateSymbol, 2)));
        assert_eq!(refused(&rates, new(1)), None);
        assert_eq!(refused(&rates, new(2)), Some((Check::RateSymbol, 0)));
        rates.note(new(1), Nanos(0));
        assert_eq!(refused(&rates, new(1)), Some((Check::RateNew, 3)));
        for charge in [Charge::Amend, Charge::Reduce, Charge::Cancel, Charge::Query] {
            assert_eq!(refused(&rates, charge), None, "{charge:?}");
        }
    }

    #[test]
    fn each_class_has_a_budget_of_its_own() {
        let limits = Limits {
            rate_amend: 1,
            rate_reduce: 1,
            rate_cancel: 1,
            rate_query: 1,
            ..Limits::default()
        };
        let charges = [
            (Charge::Amend, Check::RateAmend),
            (Charge::Reduce, Check::RateReduce),
            (Charge::Cancel, Check::RateCancel),
            (Charge::Query, Check::RateQuery),
        ];
        for (charge, check) in charges {
            let mut rates = Rates::new(&limits, [true].into_iter());
            rates.note(charge, Nanos(0));
            for (other, _) in charges {
                let found = rates.allow(other, Nanos(1), &mut Nobody);
                assert_eq!(found.err().map(|fail| fail.check), (other == charge).then_some(check));
            }
        }
    }

    proptest! {
        /// C5: the ring of the last N agrees with counting everything in the window.
        #[test]
        fn the_ring_counts_like_the_full_list(
            gaps in prop::collection::vec((0_u64..20, any::<bool>()), 1..200),
            count in 1_u32..6,
        ) {
            let mut budget = budget(count);
            let (mut now, mut all) = (1_000, Vec::new());
            for (gap, forced) in gaps {
                now += gap;
                let used = all.iter().filter(|&&sent| now - sent < 60).count();
                let expected = used.min(count as usize) as i128 + 1;
                prop_assert_eq!(budget.pass(Nanos(now)).measured.get(), expected);
                for more in 0..8 {
                    let fits = used.min(count as usize) + more <= count as usize;
                    prop_assert_eq!(budget.fits(Nanos(now), more), fits);
                }
                if budget.allows(Nanos(now)).is_ok() || forced {
                    budget.note(Nanos(now));
                    all.push(now);
                }
            }
        }
    }
}
