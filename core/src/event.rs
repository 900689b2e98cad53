//! The sequenced stream: one total order of everything that happened, which is all that the stages
//! behind the sequencer ever see.

use crate::book::{BookSide, Invalid, Touch};
use crate::instrument::InstrumentId;
use crate::kill::Level as KillLevel;
use crate::latency::{Span, Stamp};
use crate::market::{Level, Side};
use crate::order::{AccountUpdate, OrderId, Rejection, Report, Status};
use crate::units::{Bps, Nanos, Px, Qty, Rate, Usd, Wide};

/// One message of the sequenced stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number, from 1, without holes.
    pub seq: u64,
    /// Logical time in ns since 1970: never falls.
    pub ts: Nanos,
    /// Receive time of its frame; `ts` for an event without one.
    pub recv: Nanos,
    /// Number of its frame in the feed lane, from 1; 0 for an event without one.
    pub frame: u64,
    /// The symbol; none when it is about no single one.
    pub instrument: Option<InstrumentId>,
    /// True when no message with this `seq` follows on the same ring.
    pub last: bool,
    /// When it passed the stages, as measured: never in a record's payload, and no part of what is equal.
    pub stamp: Stamp,
    /// What happened.
    pub body: Body,
}

// Two cache lines and three words: the report's venue time, without which a late answer to one amend could be
// taken for the answer to the next, and two stamps.
const _: () = assert!(size_of::<Event>() <= 152);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Best bid and ask changed.
    Touch(TouchChange),
    /// A book frame was applied and the book is valid.
    Depth(Depth),
    /// Some of the top levels, for a strategy that asked for them.
    Levels(Levels),
    /// A trade.
    Trade(Trade),
    /// Mark price and funding.
    Mark(Mark),
    /// A forced order (at most one a second and symbol is told, X4).
    Liquidation(Liquidation),
    /// A closed candle: made of trades, or the exchange's own where there are none.
    Bar(Bar),
    /// A book frame came, or was lost, and the book is not valid.
    BookInvalid(Invalid),
    /// The clock.
    Tick,
    /// No frame came for `capture.gap_max`: all books are invalid.
    Gap,
    /// The venue asked to be called at this time.
    Wake,
    /// The venue on an order.
    Report(Report),
    /// The venue's answer to a query.
    Status(Status),
    /// Risk or gateway refused an intent.
    Rejected(Rejection),
    /// A command from outside.
    Control(Control),
    /// The kill level rose to this, or a resume lowered it.
    KillLevel(KillLevel),
    /// The venue on the account's money.
    Account(AccountUpdate),
    /// Funding as it was charged to all.
    Funding(Funding),
    /// Open interest.
    OpenInterest(OpenInterest),
    /// What stood within a distance of the mid.
    DepthBand(DepthBand),
}

/// Where a touch came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TouchSource {
    /// The folded book.
    Book,
    /// A book ticker that is newer than the folded book.
    Ticker,
    /// The assumption set: half a spread around the last price, because no book was ever seen.
    Assumed,
}

impl TouchSource {
    /// All sources, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Book, Self::Ticker, Self::Assumed];
}

/// A new touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TouchChange {
    /// Best bid and ask; a side may be empty.
    pub touch: Touch,
    /// Where it came from.
    pub source: TouchSource,
}

/// Number of bands around the mid in a `Depth`.
pub const BANDS: usize = 2;

/// The shape of a valid book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// (bid - ask) / (bid + ask) of the quantities at the touch, in millionths; 0 without both sides.
    pub imbalance_ppm: i32,
    /// The touch weighted by the quantity of the other side, rounded down; none without both sides.
    pub microprice: Option<Px>,
    /// Bid quantity within each band of the mid, `QtySum`.
    pub bids: [Wide; BANDS],
    /// Ask quantity within each band of the mid, `QtySum`.
    pub asks: [Wide; BANDS],
}

/// Levels in one `Levels` message.
pub const LEVELS_PER_MESSAGE: usize = 4;

/// A piece of the top of one side, best first. A view begins with the bids at `first` 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Which side.
    pub side: BookSide,
    /// Place of `levels[0]` from the touch, from 0.
    pub first: u8,
    /// Levels used.
    pub count: u8,
    /// The levels.
    pub levels: [Level; LEVELS_PER_MESSAGE],
}

/// A trade of the order book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Id of the (last) trade.
    pub id: i64,
    /// Price.
    pub price: Px,
    /// Quantity.
    pub qty: Qty,
    /// Who crossed the spread.
    pub aggressor: Side,
}

/// Whether a fact was recorded or comes from the assumption set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Origin {
    /// From a frame.
    Real,
    /// From the assumption set, because no stream of that kind has been seen so far.
    Assumed,
}

impl Origin {
    /// All origins, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Real, Self::Assumed];
}

/// Mark price and funding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Mark price.
    pub price: Px,
    /// Index price.
    pub index: Option<Px>,
    /// Funding rate of the current interval as it stands. Positive: longs pay.
    pub funding_rate: Option<Rate>,
    /// When it is charged.
    pub next_funding: Option<Nanos>,
    /// Recorded or assumed.
    pub origin: Origin,
}

/// Funding as it was charged to all who held the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// When.
    pub at: Nanos,
    /// At which rate of the notional. Positive: longs paid.
    pub rate: Rate,
}

/// Open interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInterest {
    /// When it was so.
    pub at: Nanos,
    /// In coins, `QtySum`.
    pub qty: Option<Wide>,
    /// In USD, `UsdSum`.
    pub notional: Option<Wide>,
}

/// What stood on one side of the book, from the mid to a distance of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthBand {
    /// When it was so.
    pub at: Nanos,
    /// From the mid, as a share of it: bids below zero, asks above.
    pub distance: Bps,
    /// In coins, `QtySum`.
    pub qty: Wide,
    /// In USD, `UsdSum`.
    pub notional: Wide,
}

/// A forced order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Side of the order: `Sell` means that a long was liquidated.
    pub side: Side,
    /// Average fill price.
    pub price: Px,
    /// Filled quantity.
    pub qty: Qty,
}

/// A closed candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Open time.
    pub open_time: Nanos,
    /// Length in seconds (X18: the length is data).
    pub interval_s: u32,
    /// Trades in it.
    pub trades: u32,
    /// First price.
    pub open: Px,
    /// Highest price.
    pub high: Px,
    /// Lowest price.
    pub low: Px,
    /// Last price.
    pub close: Px,
    /// Base volume, `QtySum`.
    pub volume: Wide,
    /// Quote volume, `UsdSum`.
    pub quote_volume: Wide,
}

/// A command from outside the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Raise the kill level to this.
    Raise(KillLevel),
    /// A latency budget was not kept.
    GateBreach(GateBreach),
    /// Ask the venue for the account, to compare the ledger with it.
    Reconcile,
    /// Money is put in, or taken out when below zero. The paper venue books it at this moment.
    Transfer(Usd),
}

/// A span that took longer than its budget. In pinned runs alone a measurement becomes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateBreach {
    /// What was measured.
    pub span: Span,
    /// What the configured quantile of the latencies in the last window was.
    pub measured: Nanos,
    /// The budget for it.
    pub budget: Nanos,
}

/// The kinds of `Body`, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EventKind {
    /// `Body::Touch`.
    Touch,
    /// `Body::Depth`.
    Depth,
    /// `Body::Levels`.
    Levels,
    /// `Body::Trade`.
    Trade,
    /// `Body::Mark`.
    Mark,
    /// `Body::Liquidation`.
    Liquidation,
    /// `Body::Bar`.
    Bar,
    /// `Body::BookInvalid`.
    BookInvalid,
    /// `Body::Tick`.
    Tick,
    /// `Body::Gap`.
    Gap,
    /// `Body::Wake`.
    Wake,
    /// `Body::Report`.
    Report,
    /// `Body::Status`.
    Status,
    /// `Body::Rejected`.
    Rejected,
    /// `Body::Control`.
    Control,
    /// `Body::KillLevel`.
    KillLevel,
    /// `Body::Account`.
    Account,
    /// `Body::Funding`.
    Funding,
    /// `Body::OpenInterest`.
    OpenInterest,
    /// `Body::DepthBand`.
    DepthBand,
}

impl EventKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Touch,
        Self::Depth,
        Self::Levels,
        Self::Trade,
        Self::Mark,
        Self::Liquidation,
        Self::Bar,
        Self::BookInvalid,
        Self::Tick,
        Self::Gap,
        Self::Wake,
        Self::Report,
        Self::Status,
        Self::Rejected,
        Self::Control,
        Self::KillLevel,
        Self::Account,
        Self::Funding,
        Self::OpenInterest,
        Self::DepthBand,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Touch => "Touch",
            Self::Depth => "Depth",
            Self::Levels => "Levels",
            Self::Trade => "Trade",
            Self::Mark => "Mark",
            Self::Liquidation => "Liquidation",
            Self::Bar => "Bar",
            Self::BookInvalid => "BookInvalid",
            Self::Tick => "Tick",
            Self::Gap => "Gap",
            Self::Wake => "Wake",
            Self::Report => "Report",
            Self::Status => "Status",
            Self::Rejected => "Rejected",
            Self::Control => "Control",
            Self::KillLevel => "KillLevel",
            Self::Account => "Account",
            Self::Funding => "Funding",
            Self::OpenInterest => "OpenInterest",
            Self::DepthBand => "DepthBand",
        }
    }
}

impl Body {
    /// The order that it is about; none for what is about no order.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Report(report) => Some(report.order),
            Self::Status(status) => Some(status.order),
            Self::Rejected(rejection) => Some(rejection.order),
            Self::Touch(_)
            | Self::Depth(_)
            | Self::Levels(_)
            | Self::Trade(_)
            | Self::Mark(_)
            | Self::Liquidation(_)
            | Self::Bar(_)
            | Self::BookInvalid(_)
            | Self::Tick
            | Self::Gap
            | Self::Wake
            | Self::Control(_)
            | Self::KillLevel(_)
            | Self::Account(_)
            | Self::Funding(_)
            | Self::OpenInterest(_)
            | Self::DepthBand(_) => None,
        }
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Touch(_) => EventKind::Touch,
            Self::Depth(_) => EventKind::Depth,
            Self::Levels(_) => EventKind::Levels,
            Self::Trade(_) => EventKind::Trade,
            Self::Mark(_) => EventKind::Mark,
            Self::Liquidation(_) => EventKind::Liquidation,
            Self::Bar(_) => EventKind::Bar,
            Self::BookInvalid(_) => EventKind::BookInvalid,
            Self::Tick => EventKind::Tick,
            Self::Gap => EventKind::Gap,
            Self::Wake => EventKind::Wake,
            Self::Report(_) => EventKind::Report,
            Self::Status(_) => EventKind::Status,
            Self::Rejected(_) => EventKind::Rejected,
            Self::Control(_) => EventKind::Control,
            Self::KillLevel(_) => EventKind::KillLevel,
            Self::Account(_) => EventKind::Account,
            Self::Funding(_) => EventKind::Funding,
            Self::OpenInterest(_) => EventKind::OpenInterest,
            Self::DepthBand(_) => EventKind::DepthBand,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_order() {
        for (index, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        assert_eq!(Body::Tick.kind().name(), "Tick");
    }

    #[test]
    fn sources_and_origins_are_listed_in_order() {
        assert_eq!(TouchSource::ALL.map(|source| source as u8), [0, 1, 2]);
        assert_eq!(Origin::ALL.map(|origin| origin as u8), [0, 1]);
    }
}
