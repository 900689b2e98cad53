//! What the paper venue counted.

use fusewire_core::order::{AccountReason, Liquidity, ReportKind, Side};
use fusewire_core::portfolio::Execution;
use fusewire_core::units::{Nanos, ONE, Round, UsdSum, div_round};

use super::desk::Seen;

/// Counters of the venue since construction: what it did, whatever became of the messages about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaperStats {
    /// Orders taken in.
    pub accepted: u64,
    /// Orders refused.
    pub refused: u64,
    /// Orders with an id that was used before; nothing is said of them.
    pub duplicates: u64,
    /// Requests lost because they got in too late, or because too many were on their way.
    pub lost_requests: u64,
    /// Fills that rested.
    pub maker_fills: u64,
    /// Fills that took, or that are charged so because the order got in without a valid book.
    pub taker_fills: u64,
    /// Quote amount of fills that rested.
    pub maker_quote: UsdSum,
    /// Quote amount of `taker_fills`.
    pub taker_quote: UsdSum,
    /// Fees on fills that rested.
    pub maker_fees: UsdSum,
    /// Fees on `taker_fills`.
    pub taker_fees: UsdSum,
    /// Fills that took what the market showed.
    pub crossed_fills: u64,
    /// Quote amount of them.
    pub crossed_quote: UsdSum,
    /// How much worse than the mid of that moment, or than the last price where there is no book, they were in all.
    pub crossed_beyond: UsdSum,
    /// Fills paid by a bar or trade that had opened before their order was in. Always 0: it is counted where fills are
    /// booked, whoever decided that they are fills (S0-03).
    pub paid_early: u64,
    /// Orders filled whole.
    pub filled: u64,
    /// Orders cancelled.
    pub canceled: u64,
    /// Orders that ended by their own terms.
    pub expired: u64,
    /// Amends done.
    pub amended: u64,
    /// Amends refused.
    pub amends_refused: u64,
    /// Cancels refused.
    pub cancels_refused: u64,
    /// Requests whose outcome was not told on purpose.
    pub unknown_outcomes: u64,
    /// Queries answered.
    pub statuses: u64,
    /// Reports and statuses sent, lost ones included; one that is kept for later counts again when it goes.
    pub messages: u64,
    /// Messages lost on purpose. Those that are kept for later are not lost.
    pub lost: u64,
    /// Messages sent twice on purpose.
    pub repeated: u64,
    /// Messages sent late on purpose.
    pub delayed: u64,
    /// Fills that were not told when they happened, on purpose.
    pub withheld: u64,
    /// Times that funding was settled on a position.
    pub fundings: u64,
    /// Boundaries at which a position was held and nothing could be charged: the mark or the rate was not known, or the
    /// amount left its range.
    pub funding_unknown: u64,
    /// Positions held at a boundary of the common funding grid, whatever marks say of theirs.
    pub boundaries_held: u64,
    /// Of those, the ones that were charged or paid.
    pub boundaries_charged: u64,
    /// Positions liquidated.
    pub liquidations: u64,
    /// Positions taken to cover somebody else's liquidation.
    pub deleveraged: u64,
    /// Amounts that left their range and were not booked.
    pub out_of_range: u64,
    /// Times that work was put off because its answers had no room.
    pub put_off: u64,
    /// Messages lost because they had no room.
    pub overflowed: u64,
    /// Conditional orders that got into the market.
    pub triggered: u64,
}

impl PaperStats {
    /// All fills.
    #[must_use]
    pub const fn fills(&self) -> u64 {
        self.maker_fills + self.taker_fills
    }

    /// Quote amount of all fills.
    #[must_use]
    pub const fn traded(&self) -> UsdSum {
        UsdSum(self.maker_quote.0.saturating_add(self.taker_quote.0))
    }

    pub(super) fn count(&mut self, kind: ReportKind) {
        *match kind {
            ReportKind::Accepted => &mut self.accepted,
            // Counted as a fill.
            ReportKind::PartialFill => return,
            ReportKind::Filled => &mut self.filled,
            ReportKind::Canceled => &mut self.canceled,
            ReportKind::Expired => &mut self.expired,
            ReportKind::Refused => &mut self.refused,
            ReportKind::Amended => &mut self.amended,
            ReportKind::AmendRefused => &mut self.amends_refused,
            ReportKind::CancelRefused => &mut self.cancels_refused,
            ReportKind::OutcomeUnknown => &mut self.unknown_outcomes,
            ReportKind::Triggered => &mut self.triggered,
        } += 1;
    }

    pub(super) fn count_seen(&mut self, execution: &Execution, seen: &Seen, since: Nanos) {
        self.paid_early += u64::from(seen.opened.is_some_and(|opened| since >= opened));
        let Some((bid, ask)) = seen.touch else { return };
        let twice_mid = i128::from(bid.0) + i128::from(ask.0);
        // Both sides of the difference at 1e-16, twice.
        let mid = twice_mid.saturating_mul(i128::from(execution.qty.0));
        let paid = i128::from(execution.quote.0) * 2 * i128::from(ONE);
        let beyond = match execution.side {
            Side::Buy => paid.saturating_sub(mid),
            Side::Sell => mid.saturating_sub(paid),
        };
        let beyond = div_round(beyond, 2 * i128::from(ONE), Round::Down).unwrap_or(0);
        self.crossed_fills += 1;
        let quote = &mut self.crossed_quote.0;
        *quote = quote.saturating_add(i128::from(execution.quote.0));
        self.crossed_beyond.0 = self.crossed_beyond.0.saturating_add(beyond);
    }

    pub(super) fn count_charge(&mut self, reason: AccountReason) {
        self.fundings += u64::from(reason == AccountReason::Funding);
    }

    pub(super) fn count_fill(&mut self, liquidity: Liquidity, execution: &Execution) {
        let (fills, quote, fees) = match liquidity {
            Liquidity::Maker => {
                (&mut self.maker_fills, &mut self.maker_quote, &mut self.maker_fees)
            }
            Liquidity::Taker => {
                (&mut self.taker_fills, &mut self.taker_quote, &mut self.taker_fees)
            }
        };
        *fills += 1;
        quote.0 = quote.0.saturating_add(i128::from(execution.quote.0));
        fees.0 = fees.0.saturating_add(i128::from(execution.fee.0));
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::units::{Px, Qty, Usd};

    use super::*;

    /// S0-03: the count does not ask whoever decided that it was a fill.
    #[test]
    fn s0_03_a_print_from_before_its_order_shows_in_the_count() {
        let bought = Execution { side: Side::Buy, qty: Qty(ONE), quote: Usd(ONE), fee: Usd::ZERO };
        let seen = |opened| Seen { touch: None, opened };
        let mut stats = PaperStats::default();
        stats.count_seen(&bought, &seen(Some(Nanos(11))), Nanos(10));
        stats.count_seen(&bought, &seen(None), Nanos(10));
        assert_eq!(stats.paid_early, 0);
        stats.count_seen(&bought, &seen(Some(Nanos(10))), Nanos(10));
        stats.count_seen(&bought, &seen(Some(Nanos(9))), Nanos(10));
        assert_eq!((stats.paid_early, stats.crossed_fills), (2, 0));
    }

    /// Two at 100.5 where bid and ask were 100 and 101: nothing beyond the mid; two at 101: one. Sold at the ask it is a
    /// gain.
    #[test]
    fn s0_32_what_was_paid_beyond_the_mid_by_hand() {
        let touch = Some((Px(100 * ONE), Px(101 * ONE)));
        let seen = Seen { touch, opened: None };
        let mut stats = PaperStats::default();
        let mut cross = |side, quote: i64| {
            let (qty, quote) = (Qty(2 * ONE), Usd(quote * ONE));
            stats.count_seen(&Execution { side, qty, quote, fee: Usd::ZERO }, &seen, Nanos(0));
            stats.crossed_beyond.0
        };
        assert_eq!(cross(Side::Buy, 201), 0);
        assert_eq!(cross(Side::Buy, 202), i128::from(ONE));
        assert_eq!(cross(Side::Sell, 202), 0);
        assert_eq!((stats.crossed_fills, stats.crossed_quote), (3, UsdSum(605 * i128::from(ONE))));
    }
}
