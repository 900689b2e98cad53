//! Pre-trade risk and the kill switch.
//!
//! Empty until orders exist: the checks come with the paper pipeline, and nothing here pretends
//! otherwise. The crate stands in the workspace so that the dependency edges are checked from the start.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
