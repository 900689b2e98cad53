//! Benchmarks of Fusewire's data-in layer and journal, side by side with peers.
//!
//! ```text
//!  walk (seeded depth stream) ─► frames (made up) ─┐
//!  real (captures, if there)  ─────────────────────┴► Input ─► decode, book (subjects) ─► measure
//!                                                                  journal ─┘
//! ```
//!
//! A subject is one implementation doing one piece of work over one input. The criterion benches show
//! subjects one by one; the `gates` binary compares two of them in the same run.

pub mod book;
pub mod decode;
pub mod frames;
pub mod inputs;
pub mod journal;
pub mod measure;
pub mod peers;
pub mod real;
pub mod walk;
pub mod wire;
