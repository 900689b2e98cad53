//! What history files tell and no websocket frame does: funding as it was charged, open interest, and sums of depth.

use super::Times;
use crate::units::{Bps, Nanos, QtySum, Rate, UsdSum};

/// Funding as it was charged. It is known when it is charged and not before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funding {
    /// When it was charged.
    pub at: Nanos,
    /// The rate. Positive: longs paid.
    pub rate: Rate,
}

impl Funding {
    /// It has one time, which is the exchange's.
    #[must_use]
    pub const fn times(&self) -> Times {
        Times { event: Some(self.at), transaction: None }
    }
}

/// Open interest at one time. At least one of its two figures is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenInterest {
    /// When it was so.
    pub at: Nanos,
    /// Open contracts, in coins.
    pub qty: Option<QtySum>,
    /// The same in USD.
    pub notional: Option<UsdSum>,
}

impl OpenInterest {
    /// It has one time, which is the exchange's.
    #[must_use]
    pub const fn times(&self) -> Times {
        Times { event: Some(self.at), transaction: None }
    }
}

/// What stood on one side of the book, from the mid to a distance of it. Bands of one time are told by their distance,
/// the nearest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthBand {
    /// When it was so.
    pub at: Nanos,
    /// From the mid, as a share of it: bids below zero, asks above.
    pub distance: Bps,
    /// Coins that stood there.
    pub qty: QtySum,
    /// The same in USD.
    pub notional: UsdSum,
}

impl DepthBand {
    /// It has one time, which is the exchange's.
    #[must_use]
    pub const fn times(&self) -> Times {
        Times { event: Some(self.at), transaction: None }
    }
}
