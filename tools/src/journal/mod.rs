//! The journal of a run, as the program writes and reads it: `docs/journal.md`.

pub mod header;
pub mod order_id;
pub mod reading;
pub mod rows;
pub mod text;
pub mod walk;
pub mod writing;
