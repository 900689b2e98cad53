//! Alerts: what a stage wants people to know at once. They are journaled in its lane, and told on stderr by
//! whoever drives the run.

use crate::units::Wide;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AlertKind {
    /// The ledger's wallet and the venue's differ. Measured: ledger less venue; limit: the threshold that it
    /// passes. Both in 1e-8 USD.
    LedgerDrift,
    /// The same, by so much that new risk is refused.
    LedgerBlock,
}

impl AlertKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::LedgerDrift, Self::LedgerBlock];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LedgerDrift => "ledger_drift",
            Self::LedgerBlock => "ledger_block",
        }
    }
}

/// An alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The event at which it was raised.
    pub seq: u64,
    /// What it is about.
    pub kind: AlertKind,
    /// What was measured.
    pub measured: Wide,
    /// What would have been in order.
    pub limit: Wide,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_order() {
        assert_eq!(AlertKind::ALL.map(|kind| kind as u8), [0, 1]);
    }
}
