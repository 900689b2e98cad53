//! The ledger of a journal as tables in a database, and its figures: `docs/ledger.md`.

pub mod book;
mod cells;
pub mod figures;
pub mod fold;
pub mod open;
pub mod postgres;
pub mod sqlite;
pub mod store;
pub mod sync;
pub mod table;
pub mod text;

#[cfg(test)]
mod testing;
