//! The columns of each lane. `docs/journal-export.md` says the same, and a test compares the two.

use fusewire_core::units::DECIMALS;

use super::super::table::{Column, ColumnKind};

/// Prices, quantities and money.
const AMOUNT: ColumnKind = ColumnKind::Decimal { scale: DECIMALS };

const fn column(name: &'static str, kind: ColumnKind, about: &'static str) -> Column {
    Column { name, kind, about }
}

const fn u64(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::U64, about)
}

const fn u32(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::U32, about)
}

const fn text(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Text, about)
}

const fn bool(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Bool, about)
}

const fn amount(name: &'static str, about: &'static str) -> Column {
    column(name, AMOUNT, about)
}

const fn points(name: &'static str, about: &'static str) -> Column {
    column(name, ColumnKind::Decimal { scale: 4 }, about)
}

const SEQ: Column = u64("seq", "number of the event that caused it");
const TS: Column =
    u64("ts_ns", "time of that event, ns since 1970; null when the event was dropped");
const STRATEGY: Column = text("strategy", "whose order it is: a strategy by name, or `risk`");
const ORDER_ID: Column =
    text("order_id", "the order, as `session-seat-counter`: `1-0-17`, `1-risk-2`");
const SYMBOL: Column = text("symbol", "`BTCUSDT`, `BTCUSD_PERP`, `SPOT:BTCUSDT`");
const ACTION: Column = text("action", "`new`, `amend`, `cancel`, `query`, `conditional`");
const SIDE: Column = text("side", "`buy`, `sell`: as the order's `new` said");
const PRICE: Column =
    amount("price", "limit price of a `new`, `conditional` or `amend`, else null");
const QTY: Column = amount("qty", "total quantity of a `new`, `conditional` or `amend`, else null");
const TIF: Column =
    text("tif", "`gtc`, `ioc`, `fok`, `gtx` (post only): as the order's `new` said");
const REDUCE_ONLY: Column =
    bool("reduce_only", "may only make the position smaller: as the order's `new` said");

pub(super) const FEED: [Column; 9] = [
    u64("frame", "number of the record in the lane, from 1"),
    u64("recv_ns", "when it was received, ns since 1970"),
    text("source", "the recording that it lies in"),
    u64("line", "its line there, from 1"),
    text("market", "`usdm`, `coinm`, `spot`; null for a damaged line"),
    text("origin", "`stream`, `rest`; null for a damaged line"),
    u64("bytes", "length of the frame; null for a damaged line"),
    text("url", "address that a REST answer came from, else null"),
    text("damage", "what could not be read and why; null for a frame"),
];

pub(super) const EVENT: [Column; 30] = [
    u64("seq", "number of the event, from 1 without holes"),
    u64("ts_ns", "logical time, ns since 1970; never falls"),
    u64("recv_ns", "receive time of its frame; `ts_ns` without one"),
    u64("frame", "number of its frame in the feed lane, null without one"),
    text("symbol", "the symbol; null when it is about no single one"),
    text("kind", "its kind, by name"),
    text("source", "of a touch `book`, `ticker`, `assumed`; of a mark `real`, `assumed`"),
    text(
        "side",
        "`buy`, `sell`: of an order, of a forced order, or of who crossed the spread in a trade",
    ),
    amount("price", "of a trade, a mark, a forced order; the limit price of an order"),
    amount("qty", "of a trade, a forced order; the total quantity of an order"),
    amount("bid_price", "best bid of a touch, null when that side is empty"),
    amount("bid_qty", "quantity there"),
    amount("ask_price", "best ask of a touch, null when that side is empty"),
    amount("ask_qty", "quantity there"),
    column("trade_id", ColumnKind::I64, "the exchange's id of a trade"),
    text("order_id", "the order of a report, a status or a rejection"),
    text(
        "status",
        "of a report as in lane `report`; of a status `open`, `closed`, `unknown`, `waiting`, `settling`",
    ),
    text("reason", "why: the venue's reason, what is wrong with a book, the check that refused"),
    bool("reduce_only", "of the order"),
    text("liquidity", "`maker`, `taker`: of a fill"),
    amount("last_qty", "quantity of a fill"),
    amount("last_price", "price of a fill, or the one that triggered a conditional order"),
    amount("cum_qty", "filled so far"),
    amount("cum_quote", "price times quantity over all fills so far"),
    amount("cum_fee", "fees over all fills so far; positive is a cost"),
    u64("paid_by_seq", "event whose trade or level paid for a fill, or whose price triggered"),
    u64("venue_ns", "when the venue did or looked, ns since 1970"),
    u32("kill_level", "0 to 3: the level now, or the level that a control asks for"),
    text("tif", "of a refused `new`"),
    text("body", "what has no column, as JSON; null when nothing is left"),
];

pub(super) const ALPHA: [Column; 16] = [
    SEQ,
    TS,
    STRATEGY,
    SYMBOL,
    ACTION,
    ORDER_ID,
    SIDE,
    PRICE,
    QTY,
    TIF,
    REDUCE_ONLY,
    text("trigger", "of a `conditional` `stop`, `take_profit`, `trailing`, else null"),
    text("trigger_by", "which price triggers it: `mark`, `last`"),
    amount(
        "trigger_price",
        "the price that triggers; of a trailing one where it begins, 0 for at once",
    ),
    amount("callback_bp", "how far the price must come back, in basis points; 0 unless trailing"),
    bool("close_position", "takes the whole position that is there when it triggers"),
];

pub(super) const RISK: [Column; 16] = [
    SEQ,
    TS,
    u32("index", "its place among the verdicts of that event, from 0"),
    STRATEGY,
    SYMBOL,
    ACTION,
    ORDER_ID,
    SIDE,
    PRICE,
    QTY,
    text("verdict", "`approved`, `rejected`"),
    text(
        "class",
        "as what it was approved: `new_risk`, `reduce`, `halt_reduce`, `cancel`; null when rejected",
    ),
    text("check", "the check that refused; null when approved"),
    amount("measured", "what it measured, in `unit`; null when there was nothing to measure"),
    amount("limit", "what it allows, in `unit`"),
    text(
        "unit",
        "`price`, `qty`, `usd`, `bp`, `ns`, `orders`, `messages`, `level`, `id`; null when the check measures nothing",
    ),
];

pub(super) const GATEWAY: [Column; 13] = [
    SEQ,
    TS,
    text(
        "class",
        "`new`, `reduce` (a new order that is reduce-only), `amend`, `cancel`, `query`, `conditional`",
    ),
    STRATEGY,
    SYMBOL,
    SIDE,
    ORDER_ID,
    text("type", "`limit`; of a `conditional` `stop`, `take_profit`, `trailing`"),
    TIF,
    PRICE,
    QTY,
    REDUCE_ONLY,
    text("outcome", "`sent`, `blocked` (the kill level had risen in between)"),
];

pub(super) const REPORT: [Column; 9] = [
    u64("seq", "number of the event that told of it"),
    u64("ts_ns", "time of that event, ns since 1970"),
    ORDER_ID,
    text(
        "status",
        "`accepted`, `partial_fill`, `filled`, `canceled`, `expired`, `refused`, `amended`, `amend_refused`, `cancel_refused`, `triggered`, `outcome_unknown`",
    ),
    amount("last_qty", "quantity of this fill, 0 when it is none; a repeated report repeats it"),
    amount("last_price", "price of this fill, or the one that triggered; else null"),
    amount("cum_qty", "filled so far"),
    amount(
        "fee",
        "what this report adds to the fees of its order, 0 when it tells nothing new; adds up over the column",
    ),
    u64(
        "paid_by_seq",
        "event whose trade or level paid for this fill, or whose price triggered; else null",
    ),
];

const HOLDER: Column = text(
    "strategy",
    "whose it is: an exit by risk or venue belongs to the strategies that held the position",
);
const LEG: Column = text("leg", "`both`, `long`, `short`: leg of the position");
const INCIDENT: Column = bool(
    "incident",
    "part of it came of a halt, a liquidation or an order whose outcome was not known",
);

pub(super) const FILLS: [Column; 18] = [
    u64("seq", "number of the event that told of it"),
    u64("ts_ns", "time of that event, ns since 1970"),
    u64("venue_ns", "when it happened at the venue, ns since 1970"),
    ORDER_ID,
    HOLDER,
    SYMBOL,
    LEG,
    text("side", "`buy`, `sell`"),
    amount("qty", "quantity"),
    amount("price", "average price of this quantity, to the nearest of 8 places"),
    amount("quote", "price times quantity, exactly"),
    amount("fee", "fee; positive is a cost; adds up over the column"),
    text("liquidity", "`maker`, `taker`; `taker` too when only a query told of it"),
    u64("paid_by_seq", "event whose trade or level paid for it; null when it is not known"),
    amount(
        "decision_mid",
        "mid when its order was decided, of a conditional one when it triggered; null when there was none",
    ),
    points("slippage_bp", "what it cost beyond that mid, in basis points; above zero is a cost"),
    amount("realized", "profit that it realised for its strategy, before fees"),
    INCIDENT,
];

pub(super) const TRADES: [Column; 22] = [
    u64("n", "its number among those closed, from 1"),
    HOLDER,
    SYMBOL,
    LEG,
    text("side", "`buy` for a long, `sell` for a short"),
    amount("qty_max", "most units that were open at a time"),
    amount("qty", "units that were opened in all"),
    u64("entry_seq", "number of the event that opened it"),
    u64("exit_seq", "number of the event that closed it"),
    u64("entry_ns", "time of the event that opened it, ns since 1970"),
    u64("exit_ns", "time of the event that closed it, ns since 1970"),
    amount("entry_price", "average price of what opened it"),
    amount("exit_price", "average price of what closed it"),
    text(
        "exit_path",
        "what ended it: `managed`, `stop`, `take_profit`, `trailing`, `liquidation`, `adl`, `halt`, `delisted`",
    ),
    amount("realized", "profit before fees and funding"),
    amount("fees", "fees, those of a liquidation included; positive is a cost"),
    amount("funding", "funding; above zero was received"),
    amount("net", "`realized - fees + funding`"),
    points(
        "mae_bp",
        "worst move against it at any moment, in basis points of the average entry price; at most 0",
    ),
    points("mfe_bp", "best move for it, likewise; at least 0"),
    points(
        "slippage_bp",
        "what its fills cost beyond the mid at their decisions; null when no mid was known",
    ),
    INCIDENT,
];
