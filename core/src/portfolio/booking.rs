//! Executions: on the account, and on those whose they are.
//!
//! What risk and the venue send closes what strategies hold, so that it is theirs: each hears of it in its own
//! position. What nobody held stays with the sender, until the fill is heard of that it closed.

use super::{Execution, Portfolio};
use crate::instrument::InstrumentId;
use crate::order::StrategyId;
use crate::units::{Qty, Usd};

/// Amounts that could not be booked.
pub(super) struct RangeFault;

impl Portfolio {
    /// Whether an execution can be booked: on the account, and on each of those whose it is.
    #[must_use]
    pub fn fits(
        &self,
        sender: StrategyId,
        instrument: InstrumentId,
        execution: &Execution,
    ) -> bool {
        let mut left = *execution;
        let mut turns = 0..=self.config.strategies.len();
        self.account[instrument.index()].booked(execution).is_some()
            && turns.all(|turn| {
                let part = self.part(turn, sender, instrument, &mut left);
                part.is_none_or(|(cell, part)| self.by_strategy[cell].booked(&part).is_some())
            })
    }

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
            let fits = self.fits(order.strategy(), order.instrument, &execution);
            fits.then_some((account, totals, execution))
        });
        let Some((account, totals, execution)) = booked else {
            self.faults.range += 1;
            return Err(RangeFault);
        };
        self.executions += 1;
        self.account[order.instrument.index()] = account;
        self.totals = totals;
        self.book_owners(order.strategy(), order.instrument, execution);
        self.update(index, |order| {
            (order.cum_qty, order.cum_quote, order.cum_fee) = (qty, quote, fee);
        });
        Ok(Some(execution))
    }

    /// Books the parts of those whose an execution is. All of them fit.
    fn book_owners(&mut self, sender: StrategyId, instrument: InstrumentId, execution: Execution) {
        let mut left = execution;
        for turn in 0..=self.config.strategies.len() {
            if let Some((cell, part)) = self.part(turn, sender, instrument, &mut left)
                && let Some(position) = self.by_strategy[cell].booked(&part)
            {
                self.by_strategy[cell] = position;
            }
        }
    }

    /// Takes the part of one seat off, with its cell; behind the seats what is left for the sender itself.
    fn part(
        &self,
        turn: usize,
        sender: StrategyId,
        instrument: InstrumentId,
        left: &mut Execution,
    ) -> Option<(usize, Execution)> {
        if let Some(seat) = self.config.strategies.get(turn) {
            let cell = self.cell(turn, instrument);
            let part = left.take_of(sender, (*seat, &self.by_strategy[cell]))?;
            return Some((cell, part));
        }
        let own = self.seat(sender).filter(|_| left.qty > Qty::ZERO)?;
        Some((self.cell(own, instrument), *left))
    }
}
