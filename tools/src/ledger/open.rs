//! A position that is open, as stores and reports keep it.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, StrategyId};
use fusewire_core::units::{Bps, Nanos, Px, Qty, UsdSum};

use super::book::OpenPosition;

/// An open position of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRow {
    /// Whose it is.
    pub strategy: StrategyId,
    /// The symbol.
    pub instrument: InstrumentId,
    /// The leg.
    pub leg: Leg,
    /// Quantity, below zero when short.
    pub qty: Qty,
    /// What its units cost.
    pub cost: UsdSum,
    /// Mark price; none when it is not known.
    pub mark: Option<Px>,
    /// Profit at the mark, before fees.
    pub unrealized: Option<UsdSum>,
    /// The event that opened it.
    pub entry_seq: u64,
    /// When it was opened.
    pub entry_ts: Nanos,
    /// Worst move against it so far: at most 0.
    pub max_adverse: Bps,
    /// Best move for it so far: at least 0.
    pub max_favorable: Bps,
}

impl From<OpenPosition> for OpenRow {
    fn from(open: OpenPosition) -> Self {
        Self {
            strategy: open.strategy,
            instrument: open.instrument,
            leg: open.leg,
            qty: open.qty,
            cost: open.cost,
            mark: open.mark,
            unrealized: open.unrealized,
            entry_seq: open.entry_seq,
            entry_ts: open.entry_ts,
            max_adverse: open.max_adverse,
            max_favorable: open.max_favorable,
        }
    }
}
