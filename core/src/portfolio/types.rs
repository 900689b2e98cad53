//! Bounds, errors and answers of the fold.

use thiserror::Error;

use super::Execution;
use crate::order::StrategyId;
use crate::units::{Nanos, QtySum};

/// Bounds of a fold. All memory is taken at construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortfolioConfig {
    /// Symbols of the universe.
    pub instruments: usize,
    /// Who has orders: positions are kept for each and for the account.
    pub strategies: Vec<StrategyId>,
    /// Open and in-flight orders.
    pub orders_max: usize,
    /// Counters of each strategy, back from its newest, whose finished orders are remembered, so that
    /// what comes late is known for it. Older ids that are not open count as finished too. At least 1.
    pub closed_max: usize,
    /// How long after it left an intent may still reach the venue.
    pub arrival_max: Nanos,
}

/// Why an intent can not be tracked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TrackError {
    /// The table of orders is full.
    #[error("the table of orders is full")]
    Full,
    /// The id is in use or was used before.
    #[error("the order id is not new")]
    NotNew,
    /// No such order is open.
    #[error("no such order is open")]
    NotOpen,
    /// An amend or cancel of the order is already on its way.
    #[error("an amend or cancel of the order is on its way")]
    Busy,
}

/// What a report did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The order was already over, or its amounts could not be booked; see `Faults`.
    Nothing,
    /// Something was learned without an execution.
    Noted,
    /// Quantity was executed.
    Executed(Execution),
}

/// What went in that should not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Reports on orders that are over, and fills with no more than what was known.
    pub duplicates: u64,
    /// Reports that could not be booked because a number left its range. They changed nothing, so that
    /// what they should have released still counts.
    pub range: u64,
    /// Reports on orders that did not fit the table.
    pub overflow: u64,
}

/// Open and in-flight orders of one symbol and side, at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenSide {
    /// Number of orders, conditional ones that wait included: each of them may need a place in the book.
    pub orders: u32,
    /// Quantity that may still fill. A conditional order that waits counts when it may open a position, and
    /// not when it may only reduce.
    pub qty: QtySum,
    /// The part of it that is reduce-only.
    pub reduce_only: QtySum,
    /// What conditional orders that wait may take from the position, before anybody hears of it.
    pub waiting: QtySum,
}
