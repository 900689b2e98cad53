//! What the ledger says: postings, trades, positions that were closed, and how it compares with the venue.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::order::{Leg, Liquidity, OrderId, Side, StrategyId};
use fusewire_core::units::{Bps, Nanos, Px, Qty, Usd, UsdSum};

/// What a posting is for. The postings of one event and the change of the wallet that they cause add up to
/// zero: that of the wallet is their sum with the other sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PostingKind {
    /// The wallet's own side: it rose by so much when above zero.
    Wallet,
    /// Profit realised by closing, before fees.
    Realized,
    /// The account nets what its strategies hold against each other: what it realised by that beyond what
    /// they did. Over the life of the positions these sum up to zero.
    Netting,
    /// Fees on fills that rested; below zero is a rebate.
    FeeMaker,
    /// Fees on fills that took, or of which it is not known.
    FeeTaker,
    /// Funding.
    Funding,
    /// The venue's fee for a liquidation.
    LiquidationFee,
    /// What the venue's insurance fund took over of a balance below zero.
    Insurance,
    /// Money put in or taken out.
    Transfer,
}

impl PostingKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Wallet,
        Self::Realized,
        Self::Netting,
        Self::FeeMaker,
        Self::FeeTaker,
        Self::Funding,
        Self::LiquidationFee,
        Self::Insurance,
        Self::Transfer,
    ];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Realized => "realized",
            Self::Netting => "netting",
            Self::FeeMaker => "fee_maker",
            Self::FeeTaker => "fee_taker",
            Self::Funding => "funding",
            Self::LiquidationFee => "liquidation_fee",
            Self::Insurance => "insurance",
            Self::Transfer => "transfer",
        }
    }
}

/// One line of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The event that caused it.
    pub seq: u64,
    /// Its number among the postings of this event, from 0.
    pub line: u16,
    /// Logical time of the event.
    pub ts: Nanos,
    /// What it is for.
    pub kind: PostingKind,
    /// Whose it is; none for what is the account's as a whole.
    pub strategy: Option<StrategyId>,
    /// The symbol; none for transfers.
    pub instrument: Option<InstrumentId>,
    /// The leg of the position.
    pub leg: Leg,
    /// The order; none for what no order caused.
    pub order: Option<OrderId>,
    /// How much, as the wallet feels it: above zero is income. Of a `Wallet` posting: minus its change, so that the postings of
    /// an event add up to zero.
    pub amount: UsdSum,
    /// It stems from an incident and not from trading as intended, see `Incident`.
    pub incident: bool,
}

/// An execution as the ledger booked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// The event that told of it.
    pub seq: u64,
    /// Logical time of that event.
    pub ts: Nanos,
    /// When it happened at the venue.
    pub at: Nanos,
    /// The order.
    pub order: OrderId,
    /// Whose it is: an exit by risk or venue belongs to the strategies whose position it closed, each with a row.
    pub strategy: StrategyId,
    /// The symbol.
    pub instrument: InstrumentId,
    /// The leg.
    pub leg: Leg,
    /// Buys or sells.
    pub side: Side,
    /// Quantity.
    pub qty: Qty,
    /// Price times quantity.
    pub quote: Usd,
    /// Fee; above zero is a cost.
    pub fee: Usd,
    /// Maker or taker; a fill that only a query told of counts as taken.
    pub liquidity: Liquidity,
    /// `seq` of the tape event that paid for it; 0 when it is not known.
    pub payer: u64,
    /// Profit that it realised for its strategy, before fees.
    pub realized: UsdSum,
    /// See `Posting::incident`.
    pub incident: bool,
}

/// What ended a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitPath {
    /// An order of the strategy itself.
    Managed,
    /// A stop order.
    Stop,
    /// A take-profit order.
    TakeProfit,
    /// A trailing stop.
    Trailing,
    /// The venue liquidated it.
    Liquidation,
    /// The venue took it to cover somebody else's liquidation.
    Adl,
    /// The halt, or what else risk sends on its own account.
    Halt,
    /// The contract was delisted.
    Delisted,
}

impl ExitPath {
    /// All paths, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Managed,
        Self::Stop,
        Self::TakeProfit,
        Self::Trailing,
        Self::Liquidation,
        Self::Adl,
        Self::Halt,
        Self::Delisted,
    ];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Stop => "stop",
            Self::TakeProfit => "take_profit",
            Self::Trailing => "trailing",
            Self::Liquidation => "liquidation",
            Self::Adl => "adl",
            Self::Halt => "halt",
            Self::Delisted => "delisted",
        }
    }
}

/// A position of a strategy from its first unit to its last (S0-37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedPosition {
    /// Its number among those closed so far, from 1.
    pub n: u64,
    /// Whose it was.
    pub strategy: StrategyId,
    /// The symbol.
    pub instrument: InstrumentId,
    /// The leg.
    pub leg: Leg,
    /// `Buy` for a long.
    pub side: Side,
    /// Most units that were open at a time.
    pub qty_max: Qty,
    /// Units that were opened in all.
    pub qty: Qty,
    /// The event that opened it.
    pub entry_seq: u64,
    /// The event that closed it.
    pub exit_seq: u64,
    /// When it was opened.
    pub entry_ts: Nanos,
    /// When it was closed.
    pub exit_ts: Nanos,
    /// Clock ticks sequenced before it was opened.
    pub entry_tick: u64,
    /// Clock ticks sequenced before it was closed.
    pub exit_tick: u64,
    /// Average price of what opened it.
    pub entry_price: Px,
    /// Average price of what closed it.
    pub exit_price: Px,
    /// How it ended.
    pub exit: ExitPath,
    /// Profit before fees and funding.
    pub realized: UsdSum,
    /// Fees paid, those of a liquidation included; below zero when rebates prevail.
    pub fees: UsdSum,
    /// Funding: above zero was received.
    pub funding: UsdSum,
    /// Worst move against it at any time, entries and exits included: at most 0, of the average entry price.
    pub max_adverse: Bps,
    /// Best move for it, as above: at least 0.
    pub max_favorable: Bps,
    /// What fills cost beyond the mid at the time of each decision, weighted by quantity; above zero is a
    /// cost. None when no mid was known.
    pub slippage: Option<Bps>,
    /// Part of it was an incident.
    pub incident: bool,
}

impl ClosedPosition {
    /// True when it earned more than its fees and what it paid in funding.
    #[must_use]
    pub const fn won(&self) -> bool {
        self.realized.0 - self.fees.0 + self.funding.0 > 0
    }
}

/// A position of a strategy that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPosition {
    /// Whose it is.
    pub strategy: StrategyId,
    /// The symbol.
    pub instrument: InstrumentId,
    /// The leg.
    pub leg: Leg,
    /// Above zero long, below zero short.
    pub qty: Qty,
    /// What the open quantity cost, with the sign of the quantity.
    pub cost: UsdSum,
    /// The last mark price; none when there was none.
    pub mark: Option<Px>,
    /// What it would bring at the mark beyond its cost; none without a mark.
    pub unrealized: Option<UsdSum>,
    /// The event that opened it.
    pub entry_seq: u64,
    /// When it was opened.
    pub entry_ts: Nanos,
    /// Worst move against it so far, of the average entry price; at most 0.
    pub max_adverse: Bps,
    /// Best move for it so far; at least 0.
    pub max_favorable: Bps,
}

/// The ledger's wallet beside the venue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The event that brought the venue's figure.
    pub seq: u64,
    /// Logical time of that event.
    pub ts: Nanos,
    /// When the venue looked.
    pub at: Nanos,
    /// What the ledger says.
    pub ledger: UsdSum,
    /// What the venue says.
    pub venue: UsdSum,
    /// How it came out.
    pub outcome: ReconcileOutcome,
}

impl Reconciliation {
    /// Ledger less venue.
    #[must_use]
    pub fn drift(&self) -> UsdSum {
        UsdSum(self.ledger.0.saturating_sub(self.venue.0))
    }
}

/// How ledger and venue compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ReconcileOutcome {
    /// They agree to within the alert threshold.
    Agrees,
    /// They differ by more: an alert.
    Drifts,
    /// They differ by so much that new risk is refused.
    Blocks,
    /// The venue looked before something that the ledger has booked since: not comparable.
    Late,
}

impl ReconcileOutcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Agrees, Self::Drifts, Self::Blocks, Self::Late];

    /// The name in reports, exports and databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Drifts => "drifts",
            Self::Blocks => "blocks",
            Self::Late => "late",
        }
    }
}

/// Everything that the ledger tells besides its balances, in the order in which it happened. (`seq`, place
/// within it) is the same however often a journal is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// An execution.
    Trade(TradeRow),
    /// A line of the ledger.
    Posting(Posting),
    /// A position that was closed.
    Closed(ClosedPosition),
    /// A comparison with the venue.
    Reconciliation(Reconciliation),
}
