//! The words by which columns call what the core holds as enums: lower case, parts joined by `_`.

use fusewire_core::book::BookSide;
use fusewire_core::event::{Origin, TouchSource};
use fusewire_core::market::Side;
use fusewire_core::order::{
    Action, Class, Liquidity, OrderState, RejectedBy, ReportKind, TimeInForce, VenueReason,
};

use super::Sending;

/// A value with a word of its own.
pub(super) trait Word {
    fn word(&self) -> &'static str;
}

impl Word for Side {
    fn word(&self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

impl Word for BookSide {
    fn word(&self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }
}

impl Word for TouchSource {
    fn word(&self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Ticker => "ticker",
            Self::Assumed => "assumed",
        }
    }
}

impl Word for Origin {
    fn word(&self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Assumed => "assumed",
        }
    }
}

impl Word for Action {
    fn word(&self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Amend { .. } => "amend",
            Self::Cancel => "cancel",
            Self::Query => "query",
            Self::Conditional(_) => "conditional",
        }
    }
}

impl Word for TimeInForce {
    fn word(&self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
            Self::Gtx => "gtx",
        }
    }
}

impl Word for Class {
    fn word(&self) -> &'static str {
        match self {
            Self::NewRisk => "new_risk",
            Self::Reduce => "reduce",
            Self::HaltReduce => "halt_reduce",
            Self::Cancel => "cancel",
        }
    }
}

impl Word for RejectedBy {
    fn word(&self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Gateway => "gateway",
        }
    }
}

impl Word for Sending {
    fn word(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Blocked => "blocked",
        }
    }
}

impl Word for ReportKind {
    fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::PartialFill => "partial_fill",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Amended => "amended",
            Self::AmendRefused => "amend_refused",
            Self::CancelRefused => "cancel_refused",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Triggered => "triggered",
        }
    }
}

impl Word for Liquidity {
    fn word(&self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
        }
    }
}

impl Word for OrderState {
    fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
            Self::Settling => "settling",
            Self::Waiting => "waiting",
        }
    }
}

/// None where there is nothing to explain.
pub(super) const fn reason(reason: VenueReason) -> Option<&'static str> {
    match reason {
        VenueReason::None => None,
        VenueReason::ImmediateRest => Some("immediate_rest"),
        VenueReason::NotFillable => Some("not_fillable"),
        VenueReason::WouldTake => Some("would_take"),
        VenueReason::ReduceOnly => Some("reduce_only"),
        VenueReason::SelfTrade => Some("self_trade"),
        VenueReason::TooManyOrders => Some("too_many_orders"),
        VenueReason::Filter => Some("filter"),
        VenueReason::UnknownOrder => Some("unknown_order"),
        VenueReason::NoChange => Some("no_change"),
        VenueReason::AmendedAway => Some("amended_away"),
        VenueReason::DuplicateId => Some("duplicate_id"),
        VenueReason::Timeout => Some("timeout"),
        VenueReason::Unavailable => Some("unavailable"),
        VenueReason::Throttled => Some("throttled"),
        VenueReason::Margin => Some("margin"),
        VenueReason::Liquidation => Some("liquidation"),
        VenueReason::Adl => Some("adl"),
        VenueReason::Delisted => Some("delisted"),
        VenueReason::Stop => Some("stop"),
        VenueReason::TakeProfit => Some("take_profit"),
        VenueReason::Trailing => Some("trailing"),
        VenueReason::WouldTrigger => Some("would_trigger"),
        VenueReason::TriggerReject => Some("trigger_reject"),
        VenueReason::TooManyConditional => Some("too_many_conditional"),
    }
}
