//! Venues: what stands behind the gateway's port.

pub mod paper;

pub use paper::{PaperConfig, PaperStats, PaperVenue, ReportFaults};
