//! Candles of the exchange's own stream.

use super::{Span, Times};
use crate::units::{Nanos, Px, QtySum, UsdSum};

/// A candle in `Decoded::klines`. It is by far the largest message, so that it lies apart: messages are
/// copied on the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KlineAt {
    /// Exchange times; `transaction` is never set here.
    pub times: Times,
    /// Index in `Decoded::klines`.
    pub index: u32,
}

/// Candle of a fixed interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kline {
    /// Open time.
    pub open_time: Nanos,
    /// Close time, inclusive, on the millisecond.
    pub close_time: Nanos,
    /// Interval text, for example `1m`.
    pub interval: Span,
    /// First trade id, none without trades.
    pub first_trade: Option<i64>,
    /// Last trade id, none without trades.
    pub last_trade: Option<i64>,
    /// Open price.
    pub open: Px,
    /// Highest price.
    pub high: Px,
    /// Lowest price.
    pub low: Px,
    /// Close price.
    pub close: Px,
    /// Base volume.
    pub volume: QtySum,
    /// Quote volume.
    pub quote_volume: UsdSum,
    /// Base volume bought by takers.
    pub taker_volume: QtySum,
    /// Quote volume bought by takers.
    pub taker_quote_volume: UsdSum,
    /// Number of trades.
    pub trades: i64,
    /// Only a closed candle is final.
    pub closed: bool,
}
