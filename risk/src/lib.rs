//! Pre-trade risk: the stage that gives every intent exactly one verdict.
//!
//! ```text
//!  alpha ─Event─┬─► market view ─► portfolio fold ─┬─► halt, queries ─own intents─┐
//!               └──────────────────────────────────┼──────────────────────────────┼─Event─► gateway
//!  alpha ─Intent──────────────────────────────────►gate (checks in order)◄────────┘
//!                                                  └─► track ─► lane ─Verdict─────────────► gateway
//! ```
//!
//! Unknown is unsafe: what can not be measured is refused. Nothing here knows replay from live. The lane
//! keeps the check that refused; a run that is repeated with an order watched tells all of them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod checks;
mod gate;
mod halt;
pub mod ledger;
mod limits;
mod market;
mod queries;
mod rates;
mod stage;
#[cfg(test)]
mod testing;
mod witness;

pub use limits::{LEVERAGE_CEILING, Limits, Profile, RiskConfig};
pub use stage::{Ports, RiskCounts, RiskStage};
pub use witness::{CheckLine, Subject, Watched};
