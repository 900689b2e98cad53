//! What the stage counts.

use fusewire_core::order::Check;

/// What the stage has decided so far. Each intent is approved or rejected:
/// `intents + own = approved + rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskCounts {
    /// Intents of strategies.
    pub intents: u64,
    /// Intents of the stage itself.
    pub own: u64,
    /// Queries among the stage's own.
    pub queries: u64,
    /// Approved intents.
    pub approved: u64,
    /// Rejected intents by check, in the order of `Check::ALL`.
    pub rejected: [u64; Check::ALL.len()],
    /// Alerts raised.
    pub alerts: u64,
}
