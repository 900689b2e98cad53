//! Executions: on the account, and on those whose they are.
//!
//! What risk and the venue send closes what strategies hold, so that it is theirs: each hears of it in its own
//! position. What nobody held stays with the sender, until the fill is heard of that it closed.

use super::{Execution, Order, Portfolio};
use crate::units::{Qty, Usd};

/// Amounts that could not be booked.
pub(super) struct RangeFault;

/// Whether positions are changed or only looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Try,
    Do,
}

impl Portfolio {
    /// Books the increase of an order's cumulative amounts, if there is one. An error changes nothing.
    pub(super) fn book(
        &mut self,
        index: usize,
        (qty, quote, fee): (Qty, Usd, Usd),
    ) -> Result<Option<Execution>, RangeFault> {
        let order = self.orders[index];
        if qty <= order.cum_qty {
            return Ok(None);
        }
        let execution = (|| {
            Some(Execution {
                side: order.side,
                qty: qty.checked_sub(order.cum_qty)?,
                quote: quote.checked_sub(order.cum_quote)?,
                fee: fee.checked_sub(order.cum_fee)?,
            })
        })();
        let booked = execution.and_then(|execution| {
            let before = &self.account[order.instrument.index()];
            let account = before.booked(&execution)?;
            let (realized, fees) = self.totals;
            let totals = (
                realized.checked_add(account.realized.checked_sub(before.realized)?)?,
                fees.checked_add(account.fees.checked_sub(before.fees)?)?,
            );
            // Everything must fit before anything is booked.
            let fits = self.book_owners(&order, execution, Step::Try);
            fits.then_some((account, totals, execution))
        });
        let Some((account, totals, execution)) = booked else {
            self.faults.range += 1;
            return Err(RangeFault);
        };
        self.executions += 1;
        self.account[order.instrument.index()] = account;
        self.totals = totals;
        self.book_owners(&order, execution, Step::Do);
        self.update(index, |order| {
            (order.cum_qty, order.cum_quote, order.cum_fee) = (qty, quote, fee);
        });
        Ok(Some(execution))
    }

    /// Books the parts of those whose an execution is; false when one does not fit.
    fn book_owners(&mut self, order: &Order, execution: Execution, step: Step) -> bool {
        let mut left = execution;
        for seat in 0..self.config.strategies.len() {
            let cell = self.cell(seat, order.instrument);
            let other = (self.config.strategies[seat], &self.by_strategy[cell]);
            let part = left.take_of(order.strategy(), other);
            if part.is_some_and(|part| !self.book_cell(cell, &part, step)) {
                return false;
            }
        }
        let own = self.seat(order.strategy()).filter(|_| left.qty > Qty::ZERO);
        own.is_none_or(|seat| self.book_cell(self.cell(seat, order.instrument), &left, step))
    }

    fn book_cell(&mut self, cell: usize, part: &Execution, step: Step) -> bool {
        let Some(position) = self.by_strategy[cell].booked(part) else { return false };
        if step == Step::Do {
            self.by_strategy[cell] = position;
        }
        true
    }
}
