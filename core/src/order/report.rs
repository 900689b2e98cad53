//! What the venue says of an order.

use super::{Leg, OrderId, Side};
use crate::units::{Nanos, Px, Qty, Usd};

/// What happened to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReportKind {
    /// It stands in the book, or is about to trade (`NEW`).
    Accepted,
    /// Part of it traded (`PARTIALLY_FILLED`).
    PartialFill,
    /// All of it traded. Terminal.
    Filled,
    /// Cancelled on request, or by an amend to no more than what was filled. Terminal.
    Canceled,
    /// Ended by its own terms: IOC rest, FOK or GTX that could not be, reduce-only with nothing to
    /// reduce, self-trade prevention. Terminal.
    Expired,
    /// Never accepted. Terminal.
    Refused,
    /// Price and quantity were changed; the report carries the new ones.
    Amended,
    /// The amend failed; the order stands as it was.
    AmendRefused,
    /// The cancel failed because no such order was open *at that moment*. Says nothing about an order
    /// that is still on its way.
    CancelRefused,
    /// A conditional order got into the market as the limit order that it carries. `payer` is the event that
    /// showed the price, `last_price` that price; price and quantity are those that it has from here on.
    Triggered,
    /// The venue did not say in time what became of a request (-1007, or a 503 of that meaning). It may have
    /// been done or not: neither refused nor accepted may be inferred.
    OutcomeUnknown,
}

impl ReportKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::PartialFill,
        Self::Filled,
        Self::Canceled,
        Self::Expired,
        Self::Refused,
        Self::Amended,
        Self::AmendRefused,
        Self::CancelRefused,
        Self::Triggered,
        Self::OutcomeUnknown,
    ];

    /// True when the order is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Filled | Self::Canceled | Self::Expired | Self::Refused => true,
            Self::Accepted
            | Self::PartialFill
            | Self::Amended
            | Self::AmendRefused
            | Self::CancelRefused
            | Self::Triggered
            | Self::OutcomeUnknown => false,
        }
    }

    /// True when this report tells of a new execution.
    #[must_use]
    pub const fn is_fill(self) -> bool {
        matches!(self, Self::PartialFill | Self::Filled)
    }
}

/// Whether a fill made or took liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Liquidity {
    /// Rested.
    Maker,
    /// Took.
    Taker,
}

impl Liquidity {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Maker, Self::Taker];
}

/// Why the venue ended, refused or did not change an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VenueReason {
    /// Nothing to explain.
    None,
    /// The rest of an IOC order (`er` 2).
    ImmediateRest,
    /// A FOK order that could not fill whole (-5021).
    NotFillable,
    /// A GTX order that would have taken (-5022). The paper venue also says so of one that gets in, or is
    /// amended, while it has no valid book: it can not be shown that it would not take.
    WouldTake,
    /// A reduce-only order with nothing to reduce (-2022), or what was cut from it.
    ReduceOnly,
    /// It met an own order (`er` 1). The paper venue ends all own orders within the taker's limit, also
    /// those that it would not get to because better levels of the market fill it.
    SelfTrade,
    /// The venue's table of orders is full (-2025).
    TooManyOrders,
    /// Price, quantity or id break a filter of the venue (-4xxx).
    Filter,
    /// No such order is open (-2011, -2013).
    UnknownOrder,
    /// An amend that changes nothing (-5027).
    NoChange,
    /// An amend to no more than what is filled cancels the order.
    AmendedAway,
    /// The id was used before (-4116).
    DuplicateId,
    /// The order got into the market by its stop: on its trigger, its fills, and the end that needs no other
    /// explanation.
    Stop,
    /// Likewise by its take profit.
    TakeProfit,
    /// Likewise by its trailing stop.
    Trailing,
    /// A conditional order that would trigger at once (-2021).
    WouldTrigger,
    /// The trigger came, but the order could not get in: no margin, or no room for one more (`REJECTED`, `rm`).
    TriggerReject,
    /// The venue's table of conditional orders is full (-4045).
    TooManyConditional,
    /// No answer in time (-1007): the outcome is not known.
    Timeout,
    /// The service did not answer (503): the outcome is not known.
    Unavailable,
    /// Throttled, and not done (-1008, -1015).
    Throttled,
    /// The margin balance does not carry it (-2019).
    Margin,
    /// The venue closed the position because its margin was gone.
    Liquidation,
    /// The venue closed the position against somebody else's liquidation.
    Adl,
    /// The contract is no longer listed: its orders are ended, and what is held is settled.
    Delisted,
}

impl VenueReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 25] = [
        Self::None,
        Self::ImmediateRest,
        Self::NotFillable,
        Self::WouldTake,
        Self::ReduceOnly,
        Self::SelfTrade,
        Self::TooManyOrders,
        Self::Filter,
        Self::UnknownOrder,
        Self::NoChange,
        Self::AmendedAway,
        Self::DuplicateId,
        Self::Stop,
        Self::TakeProfit,
        Self::Trailing,
        Self::WouldTrigger,
        Self::TriggerReject,
        Self::TooManyConditional,
        Self::Timeout,
        Self::Unavailable,
        Self::Throttled,
        Self::Margin,
        Self::Liquidation,
        Self::Adl,
        Self::Delisted,
    ];
}

/// A report on an order. It carries cumulative amounts, so that a lost or repeated one does no harm:
/// the fold books the *increase* over what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The order.
    pub order: OrderId,
    /// What happened.
    pub kind: ReportKind,
    /// Why.
    pub reason: VenueReason,
    /// Buys or sells.
    pub side: Side,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// The position that it belongs to.
    pub leg: Leg,
    /// Maker or taker; of meaning on fills only.
    pub liquidity: Liquidity,
    /// Limit price as it now stands.
    pub price: Px,
    /// Total quantity as it now stands.
    pub qty: Qty,
    /// Quantity filled so far.
    pub cum_qty: Qty,
    /// Price times quantity over all fills so far, each rounded against the account.
    pub cum_quote: Usd,
    /// Fees over all fills so far; positive is a cost.
    pub cum_fee: Usd,
    /// Quantity of this fill, zero when it is none.
    pub last_qty: Qty,
    /// Price of this fill, or the one that triggered.
    pub last_price: Px,
    /// `seq` of the event whose trade or book level paid for this fill, or that triggered a conditional order;
    /// 0 otherwise.
    pub payer: u64,
    /// When it happened at the venue. Messages may come late; this tells which amend or cancel of an
    /// order a report can be about.
    pub at: Nanos,
}

/// What the venue knows of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderState {
    /// It is open, with these amounts.
    Open,
    /// It is over, with these amounts.
    Closed,
    /// The venue has never seen it. That is not "closed": it may still arrive.
    Unknown,
    /// It is a conditional order that waits for its trigger.
    Waiting,
    /// It is over and was filled, but the venue can not say yet how much and at what price.
    Settling,
}

impl OrderState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Closed, Self::Unknown, Self::Waiting, Self::Settling];
}

/// The answer to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The order.
    pub order: OrderId,
    /// What the venue knows.
    pub state: OrderState,
    /// Buys or sells.
    pub side: Side,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Limit price; zero when unknown.
    pub price: Px,
    /// Total quantity; zero when unknown.
    pub qty: Qty,
    /// Quantity filled so far.
    pub cum_qty: Qty,
    /// As in a report.
    pub cum_quote: Usd,
    /// As in a report.
    pub cum_fee: Usd,
    /// When the venue looked.
    pub at: Nanos,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_reasons_and_states_are_listed_in_order() {
        for (index, kind) in ReportKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        for (index, reason) in VenueReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
        assert_eq!(Liquidity::ALL.map(|liquidity| liquidity as u8), [0, 1]);
        assert_eq!(OrderState::ALL.map(|state| state as u8), [0, 1, 2, 3, 4]);
    }
}
