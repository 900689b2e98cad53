//! The message contract over the whole pipeline: real stages, a hostile strategy, a venue whose messages
//! are lost, repeated and late.
//!
//! - `rig`, `walk`, `rogue`, `watch`: the pipeline, its market, the strategy, and what sees every event
//! - `order`: digests, due times, bounds of what is unanswered, rings of one message
//! - `exposure`: what risk believes covers what is true
//! - `money`: every fill is paid for once and booked once
//! - `halt`: the kill levels
//! - `recorded`: the same run with a journal, on a disk that keeps up and on one that does not
//! - `rerun`: the same run again, from what it left behind

mod exposure;
mod halt;
mod money;
mod order;
pub(crate) mod recorded;
mod rerun;
pub(crate) mod rig;
mod rogue;
pub(crate) mod walk;
mod watch;
