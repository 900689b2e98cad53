//! The fold from intents and reports to orders, positions and money.
//!
//! Alpha, risk and paper venue each own an instance of it; nothing is shared. Positions move only by the
//! *increase* of an order's cumulative quantity, so that repeated, late and lost reports do no harm; a
//! terminal report releases the rest, and nothing that comes later for that order changes anything.

mod booking;
mod closed;
mod order;
mod position;
#[cfg(test)]
mod tests;
mod types;

pub use order::{Order, PendingAmend, Phase};
pub use position::{Execution, Position};
pub use types::{Change, Faults, OpenSide, PortfolioConfig, TrackError};

use closed::Closed;

use crate::event::{Body, Event};
use crate::instrument::InstrumentId;
use crate::market::Side;
use crate::order::{
    Action, Intent, NewOrder, OrderId, OrderState, Rejection, Report, ReportKind, Status,
    StrategyId, TimeInForce, Trigger,
};
use crate::units::{Nanos, Px, Qty, QtySum, UsdSum};

/// Orders, positions and money.
#[derive(Clone, Debug)]
pub struct Portfolio {
    config: PortfolioConfig,
    /// By id.
    orders: Vec<Order>,
    closed: Closed,
    open: Vec<[OpenSide; 2]>,
    account: Vec<Position>,
    /// By strategy, then by symbol.
    by_strategy: Vec<Position>,
    unresolved: Vec<u32>,
    /// Conditional orders that wait.
    waiting: usize,
    executions: u64,
    /// Over all symbols: realised profit before fees, and fees.
    totals: (UsdSum, UsdSum),
    faults: Faults,
}

impl Portfolio {
    /// No orders, no positions.
    ///
    /// # Panics
    /// When `closed_max` is 0.
    #[must_use]
    pub fn new(mut config: PortfolioConfig) -> Self {
        // What the venue closed before it was heard of who held it has to stand somewhere.
        if !config.strategies.contains(&StrategyId::VENUE) {
            config.strategies.push(StrategyId::VENUE);
        }
        let (instruments, strategies) = (config.instruments, config.strategies.len());
        Self {
            orders: Vec::with_capacity(config.orders_max),
            closed: Closed::new(&config.strategies, config.closed_max),
            open: vec![[OpenSide::default(); 2]; instruments],
            account: vec![Position::default(); instruments],
            by_strategy: vec![Position::default(); instruments * strategies],
            unresolved: vec![0; strategies],
            waiting: 0,
            executions: 0,
            totals: (UsdSum::ZERO, UsdSum::ZERO),
            faults: Faults::default(),
            config,
        }
    }

    /// Tracks an intent that leaves now.
    ///
    /// # Errors
    /// It can not be tracked, and then must not leave.
    pub fn track(&mut self, intent: &Intent, now: Nanos) -> Result<(), TrackError> {
        match intent.action {
            Action::New(new) => self.track_new(intent, &new, None, now),
            Action::Conditional(conditional) => {
                self.track_new(intent, &conditional.order, Some(conditional.trigger), now)
            }
            Action::Amend { price, qty } => {
                let index = self.find_idle(intent.order)?;
                let amend = Some(PendingAmend { price, qty, since: now });
                self.update(index, |order| order.amend = amend);
                Ok(())
            }
            Action::Cancel => {
                let index = self.index_of(intent.order).ok_or(TrackError::NotOpen)?;
                if self.orders[index].cancel_since.is_some() {
                    return Err(TrackError::Busy);
                }
                self.update(index, |order| order.cancel_since = Some(now));
                Ok(())
            }
            Action::Query => {
                let index = self.index_of(intent.order).ok_or(TrackError::NotOpen)?;
                self.update(index, |order| order.query_since = Some(now));
                Ok(())
            }
        }
    }

    fn track_new(
        &mut self,
        intent: &Intent,
        new: &NewOrder,
        trigger: Option<Trigger>,
        now: Nanos,
    ) -> Result<(), TrackError> {
        if self.orders.len() == self.config.orders_max {
            return Err(TrackError::Full);
        }
        if self.is_known(intent.order) {
            return Err(TrackError::NotNew);
        }
        self.insert(Order { trigger, ..Order::sent(intent.order, intent.instrument, new, now) });
        Ok(())
    }

    /// Takes what a sequenced event says of orders. `Rejected` is not taken here: whose rejections
    /// count depends on who owns the fold; see `reject`.
    pub fn apply(&mut self, event: &Event) -> Change {
        match (&event.body, event.instrument) {
            (Body::Report(report), Some(instrument)) => self.report(instrument, report, event.ts),
            (Body::Status(status), Some(instrument)) => {
                self.meet_by_status(instrument, status, event.ts);
                self.status(status, event.ts)
            }
            _ => Change::Nothing,
        }
    }

    /// Takes a report at `now`.
    pub fn report(&mut self, instrument: InstrumentId, report: &Report, now: Nanos) -> Change {
        let Some(index) = self.index_or_meet(instrument, report, now) else {
            return Change::Nothing;
        };
        let amounts = (report.cum_qty, report.cum_quote, report.cum_fee);
        let Ok(executed) = self.book(index, amounts) else { return Change::Nothing };
        if report.kind.is_fill() && executed.is_none() {
            self.faults.duplicates += 1;
        }
        if report.kind.is_terminal() && !lacks_fills(report) {
            self.close(index);
        } else {
            self.update(index, |order| order.note(report, now));
            // The last of the fills that were missing.
            let order = &self.orders[index];
            if order.phase == Phase::Settling && order.cum_qty >= order.qty {
                self.close(index);
            }
        }
        executed.map_or(Change::Noted, Change::Executed)
    }

    /// Takes the answer to a query at `now`.
    pub fn status(&mut self, status: &Status, now: Nanos) -> Change {
        let Some(index) = self.index_of(status.order) else { return Change::Nothing };
        let amounts = (status.cum_qty, status.cum_quote, status.cum_fee);
        let arrival_max = self.config.arrival_max;
        let too_late = |since: Nanos| status.at.since(since) > i128::from(arrival_max.0);
        match status.state {
            OrderState::Unknown => {
                let order = &self.orders[index];
                let arrived = matches!(order.phase, Phase::Open | Phase::Settling);
                if arrived || order.cum_qty > Qty::ZERO {
                    // It did arrive. How it ended is what the venue has forgotten, and nobody knows.
                    self.update(index, |order| {
                        order.query_since = None;
                        // An answer from before it was last heard of is merely old.
                        order.in_doubt |= status.at > order.heard_at;
                    });
                } else if too_late(order.sent_at) {
                    // It might still have arrived. What left too long ago can not.
                    self.close(index);
                } else {
                    self.update(index, |order| order.query_since = None);
                }
                Change::Noted
            }
            OrderState::Closed => {
                let Ok(executed) = self.book(index, amounts) else { return Change::Nothing };
                self.close(index);
                executed.map_or(Change::Noted, Change::Executed)
            }
            OrderState::Settling => {
                let Ok(executed) = self.book(index, amounts) else { return Change::Nothing };
                self.update(index, |order| order.settle(now));
                executed.map_or(Change::Noted, Change::Executed)
            }
            OrderState::Open | OrderState::Waiting => {
                let Ok(executed) = self.book(index, amounts) else { return Change::Nothing };
                self.update(index, |order| order.confirm(status, now, too_late));
                executed.map_or(Change::Noted, Change::Executed)
            }
        }
    }

    /// Takes back what a refused intent had tracked.
    pub fn reject(&mut self, rejection: &Rejection) {
        let Some(index) = self.index_of(rejection.order) else { return };
        match rejection.action {
            Action::New(_) | Action::Conditional(_) => self.close(index),
            Action::Amend { price, qty } => self.update(index, |order| {
                if order.amend.is_some_and(|a| (a.price, a.qty) == (price, qty)) {
                    order.amend = None;
                }
            }),
            Action::Cancel => self.update(index, |order| order.cancel_since = None),
            Action::Query => self.update(index, |order| order.query_since = None),
        }
    }

    /// The account's position in a symbol.
    #[must_use]
    pub fn position(&self, instrument: InstrumentId) -> &Position {
        &self.account[instrument.index()]
    }

    /// A strategy's own part of the position; flat for a strategy without a seat.
    #[must_use]
    pub fn position_of(&self, strategy: StrategyId, instrument: InstrumentId) -> Position {
        let seat = self.seat(strategy);
        seat.map_or_else(Position::default, |seat| self.by_strategy[self.cell(seat, instrument)])
    }

    /// Orders that are not known to be over, by id.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// An order that is not known to be over.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.index_of(id).map(|index| &self.orders[index])
    }

    /// Orders of one symbol.
    pub fn orders_of(&self, instrument: InstrumentId) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.instrument == instrument)
    }

    /// Open and in-flight orders of one symbol and side.
    #[must_use]
    pub fn open(&self, instrument: InstrumentId, side: Side) -> &OpenSide {
        &self.open[instrument.index()][side_index(side)]
    }

    /// Quantity that the position could reach in the direction of `side`, at worst: a position never
    /// nets against an order, because another one may take it away first. What waits to reduce it may have
    /// done so already, unheard: then there is less of it than is known.
    #[must_use]
    pub fn worst_case(&self, instrument: InstrumentId, side: Side) -> QtySum {
        let position = i128::from(self.position(instrument).qty.0);
        let open = self.open(instrument, side);
        let held = match side {
            Side::Buy => position,
            Side::Sell => -position,
        };
        QtySum((held + open.waiting.0).max(0) + open.qty.0)
    }

    /// Quantity that a further reduce-only order may have: the position less the reduce-only orders
    /// already on their way. Zero when `side` does not reduce.
    #[must_use]
    pub fn reducible(&self, instrument: InstrumentId, side: Side) -> QtySum {
        let position = self.position(instrument);
        if position.reducing_side() != Some(side) {
            return QtySum::ZERO;
        }
        let free = position.size().0 - self.open(instrument, side).reduce_only.0;
        QtySum(free.max(0))
    }

    /// Conditional orders that wait, or are on their way to it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Intents of a strategy that have no answer yet.
    #[must_use]
    pub fn unresolved(&self, strategy: StrategyId) -> u32 {
        self.seat(strategy).map_or(0, |seat| self.unresolved[seat])
    }

    /// Realised profit before fees, and fees, over all symbols.
    #[must_use]
    pub fn totals(&self) -> (UsdSum, UsdSum) {
        self.totals
    }

    /// Executions booked so far. A lost report and the one that makes up for it count as one.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.executions
    }

    /// What went in that should not have.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// True for an order that is or was in the table.
    #[must_use]
    pub fn is_known(&self, id: OrderId) -> bool {
        self.index_of(id).is_some() || self.closed.contains(id)
    }

    fn index_of(&self, id: OrderId) -> Option<usize> {
        self.orders.binary_search_by_key(&id, |order| order.id).ok()
    }

    /// An order that no amend or cancel is on its way for.
    fn find_idle(&self, id: OrderId) -> Result<usize, TrackError> {
        let index = self.index_of(id).ok_or(TrackError::NotOpen)?;
        let order = &self.orders[index];
        let busy = order.amend.is_some() || order.cancel_since.is_some();
        if busy { Err(TrackError::Busy) } else { Ok(index) }
    }

    /// The order of a report; one that somebody else sent is entered.
    fn index_or_meet(
        &mut self,
        instrument: InstrumentId,
        report: &Report,
        now: Nanos,
    ) -> Option<usize> {
        if let Some(index) = self.index_of(report.order) {
            return Some(index);
        }
        if self.closed.contains(report.order) {
            self.faults.duplicates += 1;
            return None;
        }
        if report.qty.max(report.cum_qty) <= Qty::ZERO {
            // The refusal of a change of an order that the venue has not seen: there is none to enter.
            return None;
        }
        let Report { side, price, qty, reduce_only, .. } = *report;
        let new = NewOrder { side, price, qty, tif: TimeInForce::Gtc, reduce_only };
        self.enter(Order::met(report.order, instrument, &new, now))
    }

    /// Enters an order that somebody else sent and that an answer tells of: the reports may all be lost.
    fn meet_by_status(&mut self, instrument: InstrumentId, status: &Status, now: Nanos) {
        if status.state != OrderState::Unknown && !self.is_known(status.order) {
            let Status { side, price, qty, reduce_only, .. } = *status;
            let new = NewOrder { side, price, qty, tif: TimeInForce::Gtc, reduce_only };
            let _ = self.enter(Order::met(status.order, instrument, &new, now));
        }
    }

    /// Enters an order of somebody else, if there is room.
    fn enter(&mut self, order: Order) -> Option<usize> {
        if self.orders.len() == self.config.orders_max {
            self.faults.overflow += 1;
            return None;
        }
        Some(self.insert(order))
    }

    fn insert(&mut self, order: Order) -> usize {
        self.closed.open(order.id);
        let at = self.orders.partition_point(|other| other.id < order.id);
        self.orders.insert(at, order);
        self.count(&order, 1);
        at
    }

    fn close(&mut self, index: usize) {
        let order = self.orders.remove(index);
        self.count(&order, -1);
        self.closed.insert(order.id);
    }

    /// Changes an order and keeps the sums in step.
    fn update(&mut self, index: usize, change: impl FnOnce(&mut Order)) {
        let before = self.orders[index];
        let mut after = before;
        change(&mut after);
        self.orders[index] = after;
        self.count(&before, -1);
        self.count(&after, 1);
    }

    /// Adds (1) or removes (-1) an order's part of the sums.
    fn count(&mut self, order: &Order, sign: i32) {
        let side = &mut self.open[order.instrument.index()][side_index(order.side)];
        side.orders = side.orders.wrapping_add_signed(sign);
        let counted = order.counted().0 * i128::from(sign);
        side.qty.0 += counted;
        if order.reduce_only {
            side.reduce_only.0 += counted;
        }
        side.waiting.0 += (order.remaining().0 - order.counted().0) * i128::from(sign);
        if order.trigger.is_some() {
            self.waiting = if sign > 0 { self.waiting + 1 } else { self.waiting - 1 };
        }
        let unresolved = u32::try_from(order.unresolved()).expect("at most three");
        if let Some(seat) = self.seat(order.strategy()) {
            let sum = &mut self.unresolved[seat];
            *sum = if sign > 0 { *sum + unresolved } else { *sum - unresolved };
        }
    }

    fn seat(&self, strategy: StrategyId) -> Option<usize> {
        self.config.strategies.iter().position(|id| *id == strategy)
    }

    fn cell(&self, seat: usize, instrument: InstrumentId) -> usize {
        seat * self.config.instruments + instrument.index()
    }
}

/// True for the news that an order was filled without all of its fills: a status came and they did not.
fn lacks_fills(report: &Report) -> bool {
    report.kind == ReportKind::Filled && report.cum_qty < report.qty
}

/// Index of a side in tables of two.
#[must_use]
pub const fn side_index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// Unrealised profit of all positions at `mark`; none when a position has no mark.
#[must_use]
pub fn unrealized(
    positions: &Portfolio,
    mark: impl Fn(InstrumentId) -> Option<Px>,
) -> Option<UsdSum> {
    let mut sum = UsdSum::ZERO;
    for (index, position) in positions.account.iter().enumerate() {
        if position.qty != Qty::ZERO {
            let id = InstrumentId(u16::try_from(index).ok()?);
            sum = sum.checked_add(position.unrealized(mark(id)?))?;
        }
    }
    Some(sum)
}
