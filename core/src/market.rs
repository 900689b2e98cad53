//! Market messages as the wire decoder hands them on: exact numbers, exchange times, no text.
//!
//! A message names its symbol by a `Span` of the frame, because resolving it is the feed's business;
//! depth levels and brackets lie in the arenas of `Decoded`, so that decoding allocates nothing once
//! the arenas have grown to the largest frame.

mod candle;
mod history;
mod side;

pub use candle::{Kline, KlineAt};
pub use history::{DepthBand, Funding, OpenInterest};
pub use side::Side;

use crate::units::{Nanos, Px, Qty, Rate, UsdSum};

/// A piece of a frame, as byte offsets. The text behind it is raw JSON and may hold escapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// No text: the message does not carry that field.
    pub const NONE: Self = Self { start: 0, end: 0 };

    /// The bytes of the span; empty when the span does not lie in `frame`.
    #[must_use]
    pub fn of(self, frame: &[u8]) -> &[u8] {
        frame.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }

    /// True when there is no text.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.start == self.end
    }
}

/// One price level. A quantity of zero removes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Price; above zero in a book, zero in a ticker's side without orders.
    pub price: Px,
    /// Absolute quantity at that price, zero or above.
    pub qty: Qty,
}

/// The levels of one message in `Decoded::levels`: bids first, asks behind them, in wire order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelRange {
    /// Index of the first bid.
    pub start: u32,
    /// Number of bids.
    pub bids: u32,
    /// Number of asks.
    pub asks: u32,
}

/// Times that the exchange put on a message. Spot messages lack some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// `E`: when the message was made.
    pub event: Option<Nanos>,
    /// `T`: when the matching engine acted.
    pub transaction: Option<Nanos>,
}

/// Update ids of a depth frame: `U`, `u` and, on futures, `pu`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthIds {
    /// `U`: first update id in the frame.
    pub first: i64,
    /// `u`: last update id in the frame.
    pub last: i64,
    /// `pu`: `u` of the frame before it on this stream. Spot frames have none.
    pub prev: Option<i64>,
}

/// A diff or partial depth frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Exchange times.
    pub times: Times,
    /// Update ids.
    pub ids: DepthIds,
    /// Where the levels are.
    pub levels: LevelRange,
}

/// A REST depth snapshot, or a spot partial depth frame, which has the same shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Exchange times; spot snapshots have none.
    pub times: Times,
    /// `lastUpdateId`.
    pub last_id: i64,
    /// Where the levels are.
    pub levels: LevelRange,
}

/// Best bid and ask. A side without orders has price and quantity zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookTicker {
    /// Exchange times.
    pub times: Times,
    /// Order book update id.
    pub id: i64,
    /// Best bid.
    pub bid: Level,
    /// Best ask.
    pub ask: Level,
}

/// What made a trade. Only `Market` trades are order flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeOrigin {
    /// A trade of the order book (`X` is `MARKET`, or absent as on spot and on old frames).
    Market,
    /// The insurance fund took a position over.
    InsuranceFund,
    /// Auto-deleveraging.
    Adl,
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Exchange times.
    pub times: Times,
    /// Trade id.
    pub id: i64,
    /// Price.
    pub price: Px,
    /// Quantity.
    pub qty: Qty,
    /// Side of the aggressor: `m` true means that the buyer was the maker, so the aggressor sold.
    pub aggressor: Side,
    /// What made it.
    pub origin: TradeOrigin,
}

/// The fills of one taker order at one price within 100 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggTrade {
    /// Exchange times.
    pub times: Times,
    /// Aggregate id, rising by one per symbol. The earliest USD-M frames had none.
    pub id: Option<i64>,
    /// Price.
    pub price: Px,
    /// Quantity, including fills against retail-price-improvement orders.
    pub qty: Qty,
    /// Quantity without those; equals `qty` on frames from before 2025-12-31.
    pub normal_qty: Qty,
    /// First trade id.
    pub first_trade: i64,
    /// Last trade id.
    pub last_trade: i64,
    /// Side of the aggressor.
    pub aggressor: Side,
}

/// Mark price, index price and funding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Exchange times; `transaction` is never set here.
    pub times: Times,
    /// Mark price.
    pub price: Px,
    /// Moving average of the mark price (since 2026-03-16).
    pub average: Option<Px>,
    /// Index price; COIN-M frames have none.
    pub index: Option<Px>,
    /// Estimated settlement price, useful only in the last hour before settlement.
    pub settle: Option<Px>,
    /// Funding rate that would be charged at `next_funding`, as it stands now. Positive: longs pay.
    pub funding_rate: Option<Rate>,
    /// Next funding time; none on dated contracts.
    pub next_funding: Option<Nanos>,
}

/// A forced order. The stream shows at most one per symbol and second, so sums are lower bounds (X4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Exchange times: `E` of the message, `T` of the order.
    pub times: Times,
    /// Side of the liquidation *order*: `Sell` means that a long was liquidated.
    pub side: Side,
    /// Limit price of the order.
    pub price: Px,
    /// Average fill price.
    pub average: Px,
    /// Original quantity.
    pub qty: Qty,
    /// Quantity of the last fill.
    pub last_qty: Qty,
    /// Accumulated filled quantity: notional is this times `average`.
    pub filled_qty: Qty,
}

/// A change of a contract: status, delivery, brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractInfo {
    /// Exchange times; `transaction` is never set here.
    pub times: Times,
    /// Contract type text; may be empty.
    pub contract_type: Span,
    /// Status text. Anything but `TRADING` means no new orders.
    pub status: Span,
    /// Delivery time.
    pub delivery: Option<Nanos>,
    /// Listing time.
    pub onboard: Option<Nanos>,
    /// Index of the first bracket in `Decoded::brackets`.
    pub brackets_start: u32,
    /// Number of brackets; zero when they did not change.
    pub brackets: u32,
}

/// One leverage bracket of a `ContractInfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bracket {
    /// Bracket number, from 1.
    pub number: i64,
    /// Notional from which the bracket holds.
    pub notional_floor: UsdSum,
    /// Notional up to which it holds.
    pub notional_cap: UsdSum,
    /// Maintenance margin rate.
    pub maintenance_rate: Rate,
    /// Auxiliary amount for the maintenance margin.
    pub auxiliary: UsdSum,
    /// Lowest leverage of the bracket.
    pub leverage_min: i64,
    /// Highest leverage of the bracket.
    pub leverage_max: i64,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Diff depth.
    Depth(Depth),
    /// The complete top N levels; replaces the whole view.
    PartialDepth(Depth),
    /// REST snapshot.
    Snapshot(Snapshot),
    /// Best bid and ask.
    BookTicker(BookTicker),
    /// Trade.
    Trade(Trade),
    /// Aggregate trade.
    AggTrade(AggTrade),
    /// Mark price and funding.
    Mark(Mark),
    /// Forced order.
    Liquidation(Liquidation),
    /// Candle.
    Kline(KlineAt),
    /// Contract change.
    ContractInfo(ContractInfo),
    /// Funding as it was charged.
    Funding(Funding),
    /// Open interest.
    OpenInterest(OpenInterest),
    /// What stood within a distance of the mid.
    DepthBand(DepthBand),
}

/// The kinds of `Body`, for counting. Event types have the wire's own names, because people search
/// captures by them; partial depth and snapshots, which have none there, are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// `Body::Depth`.
    Depth,
    /// `Body::PartialDepth`.
    PartialDepth,
    /// `Body::Snapshot`.
    Snapshot,
    /// `Body::BookTicker`.
    BookTicker,
    /// `Body::Trade`.
    Trade,
    /// `Body::AggTrade`.
    AggTrade,
    /// `Body::Mark`.
    Mark,
    /// `Body::Liquidation`.
    Liquidation,
    /// `Body::Kline`.
    Kline,
    /// `Body::ContractInfo`.
    ContractInfo,
    /// `Body::Funding`.
    Funding,
    /// `Body::OpenInterest`.
    OpenInterest,
    /// `Body::DepthBand`.
    DepthBand,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Depth,
        Self::PartialDepth,
        Self::Snapshot,
        Self::BookTicker,
        Self::Trade,
        Self::AggTrade,
        Self::Mark,
        Self::Liquidation,
        Self::Kline,
        Self::ContractInfo,
        Self::Funding,
        Self::OpenInterest,
        Self::DepthBand,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depth => "depthUpdate",
            Self::PartialDepth => "partialDepth",
            Self::Snapshot => "depthSnapshot",
            Self::BookTicker => "bookTicker",
            Self::Trade => "trade",
            Self::AggTrade => "aggTrade",
            Self::Mark => "markPriceUpdate",
            Self::Liquidation => "forceOrder",
            Self::Kline => "kline",
            Self::ContractInfo => "contractInfo",
            Self::Funding => "fundingRate",
            Self::OpenInterest => "openInterest",
            Self::DepthBand => "bookDepth",
        }
    }
}

impl Body {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Depth(_) => Kind::Depth,
            Self::PartialDepth(_) => Kind::PartialDepth,
            Self::Snapshot(_) => Kind::Snapshot,
            Self::BookTicker(_) => Kind::BookTicker,
            Self::Trade(_) => Kind::Trade,
            Self::AggTrade(_) => Kind::AggTrade,
            Self::Mark(_) => Kind::Mark,
            Self::Liquidation(_) => Kind::Liquidation,
            Self::Kline(_) => Kind::Kline,
            Self::ContractInfo(_) => Kind::ContractInfo,
            Self::Funding(_) => Kind::Funding,
            Self::OpenInterest(_) => Kind::OpenInterest,
            Self::DepthBand(_) => Kind::DepthBand,
        }
    }

    /// The exchange times of the message.
    #[must_use]
    pub const fn times(&self) -> Times {
        match self {
            Self::Depth(m) | Self::PartialDepth(m) => m.times,
            Self::Snapshot(m) => m.times,
            Self::BookTicker(m) => m.times,
            Self::Trade(m) => m.times,
            Self::AggTrade(m) => m.times,
            Self::Mark(m) => m.times,
            Self::Liquidation(m) => m.times,
            Self::Kline(m) => m.times,
            Self::ContractInfo(m) => m.times,
            Self::Funding(m) => m.times(),
            Self::OpenInterest(m) => m.times(),
            Self::DepthBand(m) => m.times(),
        }
    }
}

/// One decoded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Symbol text in the frame; `Span::NONE` on a bare snapshot, whose symbol its capture knows.
    pub symbol: Span,
    /// What it says.
    pub body: Body,
}

/// Why a well-formed row of a frame carries no message for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Answer to a subscription or an error of the control protocol.
    ControlAnswer,
    /// An event type that Fusewire does not read; the span is its name.
    UnknownEvent(Span),
    /// An object without event type or known shape.
    NoEventType,
    /// A row of another market family (`st`): COIN-M quantities are contracts, not coins.
    OtherMarket,
    /// A trade row with `X` = `NA` and zero price, which is a placeholder and no trade.
    Placeholder,
    /// An enum value that Fusewire does not know, which must not be mapped to one that trades.
    UnknownValue(Span),
    /// A stream that is a different book (`@rpiDepth`): mixing it in would corrupt ours.
    OtherBook,
}

/// Everything that one frame said. Reused from frame to frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Stream name of the combined envelope, if there was one.
    pub stream: Span,
    /// Messages in wire order; more than one only for array frames.
    pub messages: Vec<Message>,
    /// Rows that were understood and left out.
    pub ignored: Vec<Ignored>,
    /// Arena of levels.
    pub levels: Vec<Level>,
    /// Arena of brackets.
    pub brackets: Vec<Bracket>,
    /// Arena of candles.
    pub klines: Vec<Kline>,
}

impl Decoded {
    /// Empties it and keeps the memory.
    pub fn clear(&mut self) {
        self.stream = Span::NONE;
        self.messages.clear();
        self.ignored.clear();
        self.levels.clear();
        self.brackets.clear();
        self.klines.clear();
    }

    /// Bids of a message.
    #[must_use]
    pub fn bids(&self, range: LevelRange) -> &[Level] {
        let start = range.start as usize;
        &self.levels[start..start + range.bids as usize]
    }

    /// Asks of a message.
    #[must_use]
    pub fn asks(&self, range: LevelRange) -> &[Level] {
        let start = range.start as usize + range.bids as usize;
        &self.levels[start..start + range.asks as usize]
    }

    /// The candle of a message.
    #[must_use]
    pub fn kline(&self, at: &KlineAt) -> &Kline {
        &self.klines[at.index as usize]
    }

    /// Brackets of a contract change.
    #[must_use]
    pub fn brackets(&self, info: &ContractInfo) -> &[Bracket] {
        let start = info.brackets_start as usize;
        &self.brackets[start..start + info.brackets as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_listed_in_order() {
        assert_eq!(Side::ALL.map(|side| side as u8), [0, 1]);
    }
}
