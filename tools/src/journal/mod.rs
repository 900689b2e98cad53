//! The journal of a run, as the program writes and reads it: `docs/journal.md`.

pub mod header;
pub mod reading;
pub mod writing;
