//! The deterministic heart of Fusewire: units, instruments, books, the sequenced stream, and the fold
//! from reports to positions.
//!
//! ```text
//!  frames ─► feed ─Input─► sequencer + book ─Event─► alpha ─► risk ─► gateway ─► venue
//!                              ▲    └ ─ ─ ─ ─ ─ ─ ─ tap (paper only) ─ ─ ─ ┤
//!                              └──────────────── Feedback ◄────────────────┘
//! ```
//!
//! Nothing here reads a clock (latencies are measured with one that is handed in), the network, ambient randomness or
//! the order of a hash map; of files, only the journal and the count arrays beside it know.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod alert;
pub mod assumed;
pub mod book;
pub mod books;
pub mod contract;
pub mod event;
pub mod instrument;
pub mod jitter;
pub mod journal;
pub mod kill;
pub mod lane;
pub mod latency;
pub mod map;
pub mod market;
pub mod message;
pub mod order;
pub mod portfolio;
pub mod ring;
pub mod runner;
pub mod sequencer;
pub mod stage;
pub mod units;
