//! One open order as the fold knows it.

use crate::instrument::InstrumentId;
use crate::market::Side;
use crate::order::{
    NewOrder, OrderId, OrderState, Report, ReportKind, Status, StrategyId, Trigger, VenueReason,
};
use crate::units::{Nanos, Px, Qty, QtySum, Usd};

/// How far an order is known to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On its way: the venue has not answered.
    Pending,
    /// The venue has it.
    Open,
    /// The venue did not say in time what became of it: it may be open, filled, refused or lost. It counts
    /// as if all of it were open until a report or an answer says more.
    Unknown,
    /// The venue says that it was filled, and not by how much and at what price (S3-22). Its fills are still
    /// to come, so that it counts as if what is missing were open: no position is made up, and none is
    /// taken for flat.
    Settling,
}

/// An amend on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingAmend {
    /// New price.
    pub price: Px,
    /// New total quantity.
    pub qty: Qty,
    /// When it left.
    pub since: Nanos,
}

/// An order that is not known to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its symbol.
    pub instrument: InstrumentId,
    /// Buys or sells.
    pub side: Side,
    /// May only reduce.
    pub reduce_only: bool,
    /// Limit price as last confirmed, or as sent.
    pub price: Px,
    /// Total quantity as last confirmed, or as sent.
    pub qty: Qty,
    /// Filled so far.
    pub cum_qty: Qty,
    /// Price times quantity of what is filled.
    pub cum_quote: Usd,
    /// Fees on what is filled.
    pub cum_fee: Usd,
    /// How far it has come.
    pub phase: Phase,
    /// When it left.
    pub sent_at: Nanos,
    /// When the venue was last heard of it; `sent_at` before that.
    pub heard_at: Nanos,
    /// Up to when price and quantity are known: an amend was confirmed then, or the venue looked.
    pub amended_at: Nanos,
    /// An amend on its way.
    pub amend: Option<PendingAmend>,
    /// When a cancel left that is not answered.
    pub cancel_since: Option<Nanos>,
    /// When a query left that is not answered.
    pub query_since: Option<Nanos>,
    /// The venue said that it does not know the order, so that a report must have been lost, or told of
    /// an amend that is not expected. An answer to a query ends the doubt.
    pub in_doubt: bool,
    /// What it waits for; none once it is in the market.
    pub trigger: Option<Trigger>,
}

impl Order {
    pub(super) fn sent(id: OrderId, instrument: InstrumentId, new: &NewOrder, at: Nanos) -> Self {
        Self {
            id,
            instrument,
            side: new.side,
            reduce_only: new.reduce_only,
            price: new.price,
            qty: new.qty,
            cum_qty: Qty::ZERO,
            cum_quote: Usd::ZERO,
            cum_fee: Usd::ZERO,
            phase: Phase::Pending,
            sent_at: at,
            heard_at: at,
            amended_at: Nanos(0),
            amend: None,
            cancel_since: None,
            query_since: None,
            in_doubt: false,
            trigger: None,
        }
    }

    /// An order that somebody else sent, met by the venue's first word of it.
    pub(super) fn met(id: OrderId, instrument: InstrumentId, new: &NewOrder, at: Nanos) -> Self {
        Self { phase: Phase::Open, ..Self::sent(id, instrument, new, at) }
    }

    /// Takes what a report that does not end the order says of it.
    pub(super) fn note(&mut self, report: &Report, now: Nanos) {
        self.heard_at = now;
        match report.kind {
            ReportKind::Accepted => self.opened(),
            // What trades was triggered, whatever became of the report that said so.
            ReportKind::PartialFill | ReportKind::Triggered => {
                self.opened();
                self.triggered((report.price, report.qty), report.at, now);
            }
            ReportKind::Amended => self.amended(report, now),
            ReportKind::AmendRefused => {
                // A late refusal is of an amend before.
                self.amend = self.amend.filter(|a| report.at < a.since);
            }
            ReportKind::CancelRefused => {
                self.cancel_since = self.cancel_since.filter(|since| report.at < *since);
            }
            // It only gets here when fills are missing.
            ReportKind::Filled => self.phase = Phase::Settling,
            ReportKind::OutcomeUnknown => {
                self.in_doubt = true;
                if self.phase == Phase::Pending {
                    self.phase = Phase::Unknown;
                }
            }
            ReportKind::Canceled | ReportKind::Expired | ReportKind::Refused => {}
        }
        if report.reason == VenueReason::UnknownOrder {
            self.in_doubt = true;
        }
    }

    /// The venue has it. One that is said to be over does not open again.
    fn opened(&mut self) {
        if self.phase != Phase::Settling {
            self.phase = Phase::Open;
        }
    }

    /// Takes the answer that it was filled, without the fills.
    pub(super) fn settle(&mut self, now: Nanos) {
        self.phase = Phase::Settling;
        self.heard_at = now;
        self.query_since = None;
    }

    /// It is in the market from here on, with what the venue says of price and quantity: the quantity of one
    /// that closes a position is that of the position.
    fn triggered(&mut self, told: (Px, Qty), at: Nanos, now: Nanos) {
        // What came since the trigger may have come first.
        if self.trigger.take().is_some() && at >= self.amended_at {
            (self.price, self.qty) = told;
            self.amended_at = at.min(now);
        }
    }

    /// Takes news of an amend that was done.
    fn amended(&mut self, report: &Report, now: Nanos) {
        self.opened();
        // What waits can not be amended.
        self.trigger = None;
        let told = (report.price, report.qty);
        let is_repeated = report.at == self.amended_at && (self.price, self.qty) == told;
        if report.at < self.amended_at || is_repeated {
            return;
        }
        let is_it = |a: &PendingAmend| report.at >= a.since && (a.price, a.qty) == told;
        match self.amend {
            Some(amend) if is_it(&amend) => self.amend = None,
            None => {}
            Some(_) => {
                // Not the one that is on its way. Only the venue knows; until it says, the worse holds.
                self.in_doubt = true;
                self.price = worse(self.side, self.price, report.price);
                self.qty = self.qty.max(report.qty);
                return;
            }
        }
        self.amended_at = report.at.min(now);
        (self.price, self.qty) = told;
    }

    /// Takes the answer to a query that found the order open. `too_late` tells whether what left then
    /// could no longer arrive after the venue looked.
    pub(super) fn confirm(
        &mut self,
        status: &Status,
        now: Nanos,
        too_late: impl Fn(Nanos) -> bool,
    ) {
        self.opened();
        self.heard_at = now;
        self.query_since = None;
        self.in_doubt = false;
        if self.cancel_since.is_some_and(&too_late) {
            self.cancel_since = None;
        }
        let told = (status.price, status.qty);
        // An answer from before it was triggered says that it waits, and changes nothing.
        if status.state == OrderState::Open {
            self.triggered(told, status.at, now);
        }
        // An answer from before the amend left may show the same numbers by chance.
        let arrived = |a: &PendingAmend| status.at > a.since && (a.price, a.qty) == told;
        if self.amend.is_some_and(|a| arrived(&a) || too_late(a.since)) {
            self.amend = None;
        }
        // An older answer must not undo an amend that was confirmed since.
        if status.at > self.amended_at {
            self.amended_at = status.at;
            (self.price, self.qty) = told;
        }
    }

    /// Who it belongs to.
    #[must_use]
    pub const fn strategy(&self) -> StrategyId {
        self.id.strategy()
    }

    /// Quantity that may still fill, at worst: an amend on its way may already hold, or may not.
    #[must_use]
    pub fn remaining(&self) -> QtySum {
        let qty = self.amend.map_or(self.qty, |amend| amend.qty.max(self.qty));
        QtySum((i128::from(qty.0) - i128::from(self.cum_qty.0)).max(0))
    }

    /// Quantity that counts as open: what may still fill. A conditional order that waits and may only reduce
    /// does not: the venue clips it when it gets in, so that it opens no position, and several may protect
    /// the same one.
    #[must_use]
    pub fn counted(&self) -> QtySum {
        if self.reduce_only && self.trigger.is_some() { QtySum::ZERO } else { self.remaining() }
    }

    /// The price at which it may meet the other side, at worst.
    #[must_use]
    pub fn most_aggressive_price(&self) -> Px {
        self.amend.map_or(self.price, |amend| worse(self.side, amend.price, self.price))
    }

    /// Intents on it that have no answer yet, queries aside.
    #[must_use]
    pub fn unresolved(&self) -> usize {
        usize::from(self.phase != Phase::Open)
            + usize::from(self.amend.is_some())
            + usize::from(self.cancel_since.is_some())
    }

    /// Since when the oldest unanswered intent waits; none when nothing does.
    #[must_use]
    pub fn unanswered_since(&self) -> Option<Nanos> {
        let new = match self.phase {
            Phase::Open => None,
            Phase::Pending | Phase::Unknown => Some(self.sent_at),
            Phase::Settling => Some(self.heard_at),
        };
        let amend = self.amend.map(|amend| amend.since);
        [new, amend, self.cancel_since].into_iter().flatten().min()
    }
}

/// The more aggressive of two prices.
fn worse(side: Side, one: Px, other: Px) -> Px {
    match side {
        Side::Buy => one.max(other),
        Side::Sell => one.min(other),
    }
}
