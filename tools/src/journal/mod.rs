//! The journal of a run, as the program writes and reads it: `docs/journal.md`.

pub mod divergence;
pub mod frames;
pub mod groups;
pub mod header;
pub mod order_id;
pub mod reading;
pub mod rerun;
pub mod rows;
pub mod story;
pub mod text;
pub mod walk;
pub mod writing;
