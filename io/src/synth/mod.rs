//! Deterministic synthetic captures in the wire format of Binance USD-M, for people without a recording.
//!
//! ```text
//!  Options ─► Market, one per symbol ─► Outbox (receive times) ─► Synth (merge) ─► lines
//!             latent price, book, orders
//! ```
//!
//! Integer arithmetic and one seeded ChaCha stream per symbol: the same options give the same bytes on
//! every machine, and a symbol's lines do not depend on its neighbours. The market is simple on purpose:
//! it exercises clients, it predicts nothing.

mod book;
mod contract;
mod drift;
mod latent;
mod market;
mod options;
mod outbox;
mod random;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

pub use options::{Options, Scenario, SynthError};
pub use stream::{Synth, SynthReader, Truth};
