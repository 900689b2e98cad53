//! What travels on the rings, and back.
//!
//! ```text
//!  feed ─Input─► sequencer ─Event─► alpha ─AlphaOut─► risk ─RiskOut─► gateway ─Feedback─► sequencer
//!                    └──────────────Tap (paper only)──────────────────►│
//! ```
//!
//! Behind the sequencer every message carries the `seq` of its event and a `last` flag: the cause comes
//! first, then what was derived from it, `last` on the final one.

use crate::book::Invalid;
use crate::event::{Bar, Body, Event};
use crate::instrument::InstrumentId;
use crate::latency::Stamp;
use crate::market::{
    self, AggTrade, BookTicker, Decoded, DepthBand, DepthIds, Funding, LevelRange, Liquidation,
    Mark, OpenInterest, Trade,
};
use crate::order::{AccountUpdate, Intent, Rejection, Report, Status, Verdict};
use crate::sequencer::bar_of;
use crate::units::Nanos;

/// One decoded message on its way to the sequencer. Levels follow it on the ring's second lane: bids
/// first, asks behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Receive time.
    pub recv: Nanos,
    /// Number of its frame in the feed lane, from 1.
    pub frame: u64,
    /// The symbol.
    pub instrument: InstrumentId,
    /// When it passed the stages, as measured.
    pub stamp: Stamp,
    /// What it says.
    pub body: InputBody,
}

/// What an input says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputBody {
    /// About the book.
    Book(BookInput),
    /// Best bid and ask.
    Ticker(BookTicker),
    /// A trade.
    Trade(Trade),
    /// Trades of one taker order.
    AggTrade(AggTrade),
    /// Mark price.
    Mark(Mark),
    /// A forced order.
    Liquidation(Liquidation),
    /// A closed candle of the exchange.
    Candle(Bar),
    /// Funding as it was charged.
    Funding(Funding),
    /// Open interest.
    OpenInterest(OpenInterest),
    /// What stood within a distance of the mid.
    DepthBand(DepthBand),
    /// A frame that says nothing for the stream (an open candle, a contract notice, a control answer): it only
    /// moves time on. Its instrument has no meaning.
    Nothing,
}

impl InputBody {
    /// What a message of a decoded frame says for the stream. Its levels follow it, see `levels_of`.
    #[must_use]
    pub fn of(message: &market::Body, decoded: &Decoded) -> Self {
        match message {
            market::Body::Depth(depth) => {
                let LevelRange { bids, asks, .. } = depth.levels;
                Self::Book(BookInput::Diff { ids: depth.ids, bids, asks })
            }
            market::Body::PartialDepth(depth) => {
                let LevelRange { bids, asks, .. } = depth.levels;
                Self::Book(BookInput::Partial { bids, asks })
            }
            market::Body::Snapshot(snapshot) => {
                let (last_id, LevelRange { bids, asks, .. }) = (snapshot.last_id, snapshot.levels);
                Self::Book(BookInput::Snapshot { last_id, bids, asks })
            }
            market::Body::BookTicker(ticker) => Self::Ticker(*ticker),
            market::Body::Trade(trade) => Self::Trade(*trade),
            market::Body::AggTrade(trade) => Self::AggTrade(*trade),
            market::Body::Mark(mark) => Self::Mark(*mark),
            market::Body::Liquidation(liquidation) => Self::Liquidation(*liquidation),
            market::Body::Kline(at) => {
                bar_of(decoded.kline(at)).map_or(Self::Nothing, Self::Candle)
            }
            market::Body::ContractInfo(_) => Self::Nothing,
            market::Body::Funding(funding) => Self::Funding(*funding),
            market::Body::OpenInterest(interest) => Self::OpenInterest(*interest),
            market::Body::DepthBand(band) => Self::DepthBand(*band),
        }
    }

    /// The levels that follow what a decoded message says; none for most.
    #[must_use]
    pub const fn levels_of(message: &market::Body) -> LevelRange {
        match message {
            market::Body::Depth(depth) => depth.levels,
            market::Body::PartialDepth(depth) => depth.levels,
            market::Body::Snapshot(snapshot) => snapshot.levels,
            market::Body::BookTicker(_)
            | market::Body::Trade(_)
            | market::Body::AggTrade(_)
            | market::Body::Mark(_)
            | market::Body::Liquidation(_)
            | market::Body::Kline(_)
            | market::Body::ContractInfo(_)
            | market::Body::Funding(_)
            | market::Body::OpenInterest(_)
            | market::Body::DepthBand(_) => LevelRange { start: 0, bids: 0, asks: 0 },
        }
    }
}

/// A change of a book. It travels to the sequencer, and on the tap to the paper venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookInput {
    /// Diff frame with `bids` and `asks` levels behind it.
    Diff {
        /// Update ids.
        ids: DepthIds,
        /// Number of bids.
        bids: u32,
        /// Number of asks.
        asks: u32,
    },
    /// Snapshot.
    Snapshot {
        /// `lastUpdateId`.
        last_id: i64,
        /// Number of bids.
        bids: u32,
        /// Number of asks.
        asks: u32,
    },
    /// Complete view of the top.
    Partial {
        /// Number of bids.
        bids: u32,
        /// Number of asks.
        asks: u32,
    },
    /// The book can no longer be trusted.
    Invalidate(Invalid),
}

impl BookInput {
    /// Bids and asks that follow.
    #[must_use]
    pub const fn levels(&self) -> (usize, usize) {
        match *self {
            Self::Diff { bids, asks, .. }
            | Self::Snapshot { bids, asks, .. }
            | Self::Partial { bids, asks } => (bids as usize, asks as usize),
            Self::Invalidate(_) => (0, 0),
        }
    }
}

/// What the paper venue sees beside the events: book changes with all their levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// The event that it comes before.
    pub seq: u64,
    /// The symbol.
    pub instrument: InstrumentId,
    /// The change.
    pub body: BookInput,
}

/// From alpha to risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlphaOut {
    /// The cause.
    Event(Event),
    /// What a strategy made of it.
    Intent(IntentMessage),
}

/// An intent with its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntentMessage {
    /// `seq` of the event that caused it.
    pub seq: u64,
    /// No message with this `seq` follows.
    pub last: bool,
    /// The intent.
    pub intent: Intent,
}

/// From risk to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskOut {
    /// The cause.
    Event(Event),
    /// The answer to an intent.
    Verdict(VerdictMessage),
}

/// A verdict with its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictMessage {
    /// `seq` of the event that caused the intent.
    pub seq: u64,
    /// No message with this `seq` follows.
    pub last: bool,
    /// Its place among the verdicts of this `seq`, from 0.
    pub index: u32,
    /// The verdict.
    pub verdict: Verdict,
}

/// Where feedback comes from; earlier ones go first at equal `due` and `cause_seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum FeedbackOrigin {
    /// The gateway: `n` is the verdict's index.
    Gateway,
    /// The venue: `n` is its own count.
    Venue,
}

impl FeedbackOrigin {
    /// All origins, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Venue];
}

/// What comes back from the far end. The sequencer keeps it until it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// When it is to be sequenced: after its cause.
    pub due: Nanos,
    /// The event that caused it.
    pub cause_seq: u64,
    /// Who says it.
    pub origin: FeedbackOrigin,
    /// Its number within the origin.
    pub n: u64,
    /// The symbol; none for a wake.
    pub instrument: Option<InstrumentId>,
    /// What it says.
    pub body: FeedbackBody,
}

impl Feedback {
    /// The order in which feedback is sequenced.
    #[must_use]
    pub const fn key(&self) -> (Nanos, u64, FeedbackOrigin, u64) {
        (self.due, self.cause_seq, self.origin, self.n)
    }
}

/// What feedback says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackBody {
    /// On an order.
    Report(Report),
    /// Answer to a query.
    Status(Status),
    /// Risk or the gateway itself refused.
    Rejected(Rejection),
    /// Call me at this time.
    Wake,
    /// On the account's money.
    Account(AccountUpdate),
}

impl From<FeedbackBody> for Body {
    /// What it becomes in the sequenced stream.
    fn from(body: FeedbackBody) -> Self {
        match body {
            FeedbackBody::Report(report) => Self::Report(report),
            FeedbackBody::Status(status) => Self::Status(status),
            FeedbackBody::Rejected(rejection) => Self::Rejected(rejection),
            FeedbackBody::Wake => Self::Wake,
            FeedbackBody::Account(update) => Self::Account(update),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_listed_in_order() {
        assert_eq!(FeedbackOrigin::ALL.map(|origin| origin as u8), [0, 1]);
    }
}
