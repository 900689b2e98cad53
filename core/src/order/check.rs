//! The checks that can refuse an intent, and what a refusal says.

use super::{Action, Intent, OrderId};
use crate::instrument::InstrumentId;
use crate::units::Wide;

/// Everything that can refuse an intent before it reaches the venue, cheap to expensive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Check {
    /// The kill level forbids this class. Measured: the level; limit: the highest that allows the class.
    KillLevel,
    /// The symbol is observed only, not trading, or unknown; or the number of the symbol and that of
    /// the order differ.
    Universe,
    /// No valid book, or one that was silent for too long, in ns.
    BookFreshness,
    /// No mark price, or one that is too old, in ns.
    MarkFreshness,
    /// An amend, cancel or query of an order that is not open, or one that is already being changed.
    OrderState,
    /// Price is not on the tick grid, or not positive.
    Tick,
    /// Quantity is not on the lot grid, or outside its bounds.
    Lot,
    /// Notional is below the venue's least.
    MinNotional,
    /// Price is outside the venue's band around the mark.
    PercentPrice,
    /// The venue's open orders per symbol.
    MaxOrders,
    /// The same order again within the window, or an id that is not new.
    Duplicate,
    /// Price is too far from the reference, or the references disagree, in `Bps`.
    Collar,
    /// Quantity of one order.
    OrderQty,
    /// Notional of one order.
    OrderNotional,
    /// New orders in the window, all symbols.
    RateNew,
    /// New orders in the window, this symbol.
    RateSymbol,
    /// Amends in the window.
    RateAmend,
    /// Cancels in the window.
    RateCancel,
    /// Reducing orders in the window.
    RateReduce,
    /// Queries in the window.
    RateQuery,
    /// Open and in-flight orders of the account.
    OpenOrders,
    /// It would trade against an own order.
    SelfMatch,
    /// A reduce-only order that is not opposite to the position, or larger than what is left of it.
    ReduceOnly,
    /// Worst-case position of the symbol in this direction, as notional.
    Exposure,
    /// Worst-case notional of the account.
    GrossExposure,
    /// Worst-case notional over equity.
    Leverage,
    /// A number left its range.
    Arithmetic,
}

impl Check {
    /// All checks in order.
    pub const ALL: [Self; 27] = [
        Self::KillLevel,
        Self::Universe,
        Self::BookFreshness,
        Self::MarkFreshness,
        Self::OrderState,
        Self::Tick,
        Self::Lot,
        Self::MinNotional,
        Self::PercentPrice,
        Self::MaxOrders,
        Self::Duplicate,
        Self::Collar,
        Self::OrderQty,
        Self::OrderNotional,
        Self::RateNew,
        Self::RateSymbol,
        Self::RateAmend,
        Self::RateCancel,
        Self::RateReduce,
        Self::RateQuery,
        Self::OpenOrders,
        Self::SelfMatch,
        Self::ReduceOnly,
        Self::Exposure,
        Self::GrossExposure,
        Self::Leverage,
        Self::Arithmetic,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillLevel => "kill_level",
            Self::Universe => "universe",
            Self::BookFreshness => "book_freshness",
            Self::MarkFreshness => "mark_freshness",
            Self::OrderState => "order_state",
            Self::Tick => "tick",
            Self::Lot => "lot",
            Self::MinNotional => "min_notional",
            Self::PercentPrice => "percent_price",
            Self::MaxOrders => "max_orders",
            Self::Duplicate => "duplicate",
            Self::Collar => "collar",
            Self::OrderQty => "order_qty",
            Self::OrderNotional => "order_notional",
            Self::RateNew => "rate_new",
            Self::RateSymbol => "rate_symbol",
            Self::RateAmend => "rate_amend",
            Self::RateCancel => "rate_cancel",
            Self::RateReduce => "rate_reduce",
            Self::RateQuery => "rate_query",
            Self::OpenOrders => "open_orders",
            Self::SelfMatch => "self_match",
            Self::ReduceOnly => "reduce_only",
            Self::Exposure => "exposure",
            Self::GrossExposure => "gross_exposure",
            Self::Leverage => "leverage",
            Self::Arithmetic => "arithmetic",
        }
    }
}

/// Who refused an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectedBy {
    /// The risk stage, before anything was reserved.
    Risk,
    /// The gateway, after approval: the kill level rose in between.
    Gateway,
}

impl RejectedBy {
    /// All stages that refuse, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Risk, Self::Gateway];
}

/// A refused intent: which check, what it measured, what it allows. Units are those of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The order.
    pub order: OrderId,
    /// Its symbol as the intent named it.
    pub instrument: InstrumentId,
    /// What was refused. Refusing a `New` ends the order; any other leaves it as it is.
    pub action: Action,
    /// Who refused.
    pub by: RejectedBy,
    /// The check.
    pub check: Check,
    /// What it measured.
    pub measured: Wide,
    /// What it allows.
    pub limit: Wide,
}

impl Rejection {
    /// Refuses `intent`.
    #[must_use]
    pub fn new(intent: &Intent, by: RejectedBy, check: Check, measured: i128, limit: i128) -> Self {
        Self {
            order: intent.order,
            instrument: intent.instrument,
            action: intent.action,
            by,
            check,
            measured: measured.into(),
            limit: limit.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_listed_in_order_with_names_of_their_own() {
        for (index, check) in Check::ALL.into_iter().enumerate() {
            assert_eq!(check as usize, index);
        }
        let mut names = Check::ALL.map(Check::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }

    #[test]
    fn who_refuses_is_listed_in_order() {
        assert_eq!(RejectedBy::ALL.map(|by| by as u8), [0, 1]);
    }
}
