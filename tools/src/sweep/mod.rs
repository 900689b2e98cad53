//! Parameter sweeps: many runs over the same captures, each with another configuration, each of them counted.
//!
//! ```text
//!  recordings ─► decoded (tapes, once) ─┐
//!  --grid, --random ─► trials ─► workers (one run each) ─► registry: started, done, failed
//!                                                              └─► results table, in the order of trials
//! ```
//!
//! Who tries a hundred settings finds a good one by luck. So every run is written down before it begins, also the one
//! that is killed, fails or is repeated: the count is what a deflated Sharpe ratio takes (requirement X12).

mod axis;
mod counted;
mod decoded;
mod definition;
mod draw;
mod fixed;
mod registry;
mod results;
mod table;
mod text;
mod trials;
mod work;

pub use axis::{Axis, Range};
pub use counted::Counted;
pub use decoded::{Decoded, Missing};
pub(crate) use definition::instruments_hash;
pub use definition::{CaptureId, Definition, captures_id};
pub use fixed::Fixed;
pub use registry::{Count, Registry};
pub use results::Results;
pub use table::write as write_table;
pub use text::{Stamped, Summary, render, stamped};
pub use trials::{Trial, trials};
pub use work::{Ended, Shared, Sweep, check, work};
