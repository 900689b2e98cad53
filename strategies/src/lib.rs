//! Strategies and their registry: a closed set, chosen by name.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod noop;
pub mod registry;
