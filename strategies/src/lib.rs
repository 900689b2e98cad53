//! Strategies: what one sees and may do, the stage that runs them, the strategies, and their registry.
//!
//! `docs/add-a-strategy.md` walks through adding one.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod strategy;

pub mod stage;

mod checks;
pub mod market;
pub mod pacing;
pub mod sizing;
pub mod traded;

mod leaving;
mod protect;

pub mod grid;
pub mod noop;
pub mod quoter;
pub mod smart_trend;
pub mod taker;

pub mod registry;

#[cfg(test)]
mod rig;

/// Compiles and runs the example of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../docs/add-a-strategy.md")]
pub struct AddAStrategy;
