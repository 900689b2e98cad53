//! The vocabulary that both decoders share: event names and enum values of the wire.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Ignored, Side, TradeOrigin};

use super::stream::StreamKind;

/// A row that was understood: either a message or the reason why it is left out.
pub(super) type Reading<T> = Result<T, Ignored>;

/// The rows that Fusewire reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Depth,
    PartialDepth,
    /// Spot's partial depth, which looks like a snapshot.
    PartialSnapshot,
    Snapshot,
    BookTicker,
    Trade,
    AggTrade,
    Mark,
    Liquidation,
    Kline,
    ContractInfo,
}

impl RowKind {
    /// The event of an `e` field; `None` for one that Fusewire does not read. The exchange never
    /// escapes its own names, so raw text is compared.
    pub(super) fn named(name: &[u8], stream: StreamKind) -> Option<Self> {
        Some(match name {
            b"depthUpdate" if stream == StreamKind::PartialDepth => Self::PartialDepth,
            b"depthUpdate" => Self::Depth,
            b"bookTicker" => Self::BookTicker,
            b"trade" => Self::Trade,
            b"aggTrade" => Self::AggTrade,
            b"markPriceUpdate" => Self::Mark,
            b"forceOrder" => Self::Liquidation,
            b"kline" => Self::Kline,
            b"contractInfo" => Self::ContractInfo,
            _ => return None,
        })
    }
}

/// `S` of a forced order.
pub(super) fn side(text: &[u8]) -> Option<Side> {
    match text {
        b"BUY" => Some(Side::Buy),
        b"SELL" => Some(Side::Sell),
        _ => None,
    }
}

/// `m` of a trade: true means that the buyer was the maker, so the aggressor sold.
pub(super) fn aggressor(buyer_is_maker: bool) -> Side {
    if buyer_is_maker { Side::Sell } else { Side::Buy }
}

/// `X` of a trade.
pub(super) enum TradeMark {
    Origin(TradeOrigin),
    Placeholder,
    Unknown,
}

impl TradeMark {
    pub(super) fn of(text: &[u8]) -> Self {
        match text {
            b"MARKET" => Self::Origin(TradeOrigin::Market),
            b"INSURANCE_FUND" => Self::Origin(TradeOrigin::InsuranceFund),
            b"ADL" => Self::Origin(TradeOrigin::Adl),
            b"NA" => Self::Placeholder,
            _ => Self::Unknown,
        }
    }
}

/// True when `st` names another market family. Spot frames have none; absent means ours.
pub(super) fn is_other_market(market: Market, family: Option<i64>) -> bool {
    match market {
        Market::UsdM => family.is_some_and(|family| family != 1),
        Market::CoinM => family.is_some_and(|family| family != 2),
        Market::Spot => false,
    }
}
