//! The ledger of a journal as tables in a database, and its figures: `docs/ledger.md`.

mod cells;
pub mod figures;
pub mod fold;
pub mod postgres;
pub mod sqlite;
pub mod store;
pub mod sync;
pub mod table;
pub mod text;

#[cfg(test)]
mod testing;
