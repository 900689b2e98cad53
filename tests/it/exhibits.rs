//! The pages in `docs/exhibits`: what they say was seen in a run, and comes out again.
//!
//! Each page has a block that is made from a real run. `cargo xtask exhibits` writes it, and these tests
//! find it up to date. What the pages warn of is written down here, by its name, and nowhere in the product:
//!
//! - `books`: a recorded run as the ledger has it
//! - `crossing`: a bar that holds the price of an order fills it
//! - `money`: amounts as the pages show them
//! - `page`: the block of a page
//! - `pair_only`: only closed pairs are counted
//! - `unsimulated_edge`: refunds and an edge that nothing simulated are credited at random

mod books;
mod crossing;
mod grid_ping_pong;
mod money;
pub(crate) mod page;
mod pair_only;
mod smart_trend;
mod unsimulated_edge;
mod unsimulated_edge_page;
