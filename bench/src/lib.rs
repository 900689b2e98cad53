//! Benchmarks of Fusewire, side by side with peers and with a bare program that does the same in a row.
//!
//! ```text
//!  walk (seeded depth stream) ─► frames (made up) ─┐
//!  real (captures, if there)  ─────────────────────┴► Inputs ─► decode, book, desk, journal ─┐
//!  whole recordings ─► tape ─► floor, pipeline ──────────────────────────────────────────────┴► measure
//! ```
//!
//! A subject is one implementation doing one piece of work over one input. The criterion benches show
//! subjects one by one; the `gates` binary compares two of them in the same run.

#[cfg(feature = "peers")]
pub mod backtest;
pub mod book;
pub mod decode;
pub mod desk;
pub mod floor;
pub mod frames;
pub mod gates;
pub mod growth;
pub mod head;
pub mod hop;
pub mod inputs;
pub mod journal;
pub mod measure;
pub mod memory;
pub mod order;
pub mod peers;
pub mod pipeline;
pub mod real;
pub mod spread;
pub mod tape;
pub mod walk;
pub mod wire;
