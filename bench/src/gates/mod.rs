//! The comparisons that a build is held to: what is asked, how it is judged, and the rows themselves.

mod report;
mod rows;
mod table;
mod whole;

pub use report::{Key, Report, Row, Verdict};
pub use rows::run;
pub use table::{Better, GATES, Gate, gate_of};
