//! Venues: what stands behind the gateway's port.

pub mod null;
pub mod paper;

pub use null::NullVenue;
pub use paper::{PaperConfig, PaperStats, PaperVenue, QueueFunction, QueueModel, ReportFaults};
