//! Venues: what stands behind the gateway's port.

pub mod null;
pub mod paper;

pub use null::NullVenue;
pub use paper::{
    FeeTier, FeeTiers, Latencies, Latency, LatencyHistogram, PaperConfig, PaperStats, PaperVenue,
    QuantilePoint, QueueFunction, QueueModel, ReportFaults, SelfTrade,
};
