//! The deterministic heart of Fusewire: units, instruments, market messages and books.
//!
//! ```text
//!  frames ─► decode (io) ─► market::Message ─► book::Book, one per symbol ─► touch, depth
//! ```
//!
//! Nothing here reads a clock, the network, a file, ambient randomness or the order of a hash map.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod book;
pub mod books;
pub mod instrument;
pub mod market;
pub mod units;
