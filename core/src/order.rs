//! Orders from intent to report: what a strategy asks for, what risk decides, what the venue answers.
//!
//! ```text
//!  Intent ─► Verdict (Approved | Rejected) ─► venue ─► Report, Status
//! ```
//!
//! Every order is a limit order: a marketable one is priced through the touch, so that the collar bounds
//! what it can cost. The limit of a conditional one is given with it: `Conditional` waits at the venue, and
//! is that limit order from its trigger on, under the same id.

use std::fmt;

pub use crate::market::Side;

mod account;
mod check;
mod intent;
mod report;
mod trigger;

pub use account::{AccountReason, AccountUpdate};
pub use check::{Check, CheckUnit, RejectedBy, Rejection};
pub use intent::{
    Action, ApprovalKey, Approved, Class, Intent, Leg, NewOrder, Source, TimeInForce, Verdict,
};
pub use report::{Liquidity, OrderState, Report, ReportKind, Status, VenueReason};
pub use trigger::{Conditional, Trigger, TriggerKind, TriggerPrice};

/// Who an order belongs to: a strategy by its seat, or the risk stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrategyId(pub u8);

impl StrategyId {
    /// Orders that the risk stage sends on its own account (the halt's reduces).
    pub const RISK: Self = Self(u8::MAX);
    /// Orders that the venue sends on the account's behalf: liquidations and auto-deleveraging. Nobody else
    /// may use it.
    pub const VENUE: Self = Self(u8::MAX - 1);

    /// True for who closes what others hold: risk and the venue.
    #[must_use]
    pub const fn acts_for_holders(self) -> bool {
        self.0 == Self::RISK.0 || self.0 == Self::VENUE.0
    }
}

impl fmt::Display for StrategyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RISK => f.write_str("risk"),
            Self::VENUE => f.write_str("venue"),
            Self(seat) => write!(f, "{seat}"),
        }
    }
}

/// `session:16 | strategy:8 | counter:40`. The session is 1 in a replay; counters start at 1 and rise
/// by one for each strategy, so that the order of ids is the order of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u64);

impl OrderId {
    /// Bits of the counter.
    const COUNTER_BITS: u32 = 40;
    /// Largest counter: at a million orders a second it lasts twelve days.
    pub const COUNTER_MAX: u64 = (1 << Self::COUNTER_BITS) - 1;

    /// Puts an id together.
    ///
    /// # Panics
    /// When the counter is zero or above `COUNTER_MAX`.
    #[must_use]
    pub fn new(session: u16, strategy: StrategyId, counter: u64) -> Self {
        assert!((1..=Self::COUNTER_MAX).contains(&counter), "an order counter is 1 to 2^40 - 1");
        let head = u64::from(session) << 8 | u64::from(strategy.0);
        Self(head << Self::COUNTER_BITS | counter)
    }

    /// The session that made it.
    #[must_use]
    pub const fn session(self) -> u16 {
        (self.0 >> (Self::COUNTER_BITS + 8)) as u16
    }

    /// Who it belongs to.
    #[must_use]
    pub const fn strategy(self) -> StrategyId {
        StrategyId((self.0 >> Self::COUNTER_BITS) as u8)
    }

    /// Its number within session and strategy, from 1.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0 & Self::COUNTER_MAX
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.session(), self.strategy(), self.counter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_apart_as_it_was_put_together() {
        for (session, strategy, counter) in
            [(1, 0, 1), (u16::MAX, u8::MAX, OrderId::COUNTER_MAX), (7, 3, 4_711)]
        {
            let id = OrderId::new(session, StrategyId(strategy), counter);
            assert_eq!((id.session(), id.strategy().0, id.counter()), (session, strategy, counter));
        }
        assert_eq!(OrderId::new(1, StrategyId::RISK, 2).to_string(), "1-risk-2");
    }
}
