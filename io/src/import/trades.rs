//! Trades, aggregate trades and book tickers of the exchange's files.
//!
//! The files tell when something happened and not when anybody received it: that is taken for the receive time.

use fusewire_core::market::{AggTrade, Body, BookTicker, Level, Side, Times, Trade, TradeOrigin};
use fusewire_core::units::{Nanos, Px, Qty};

use super::FileJob;
use super::error::ImportError;
use super::repair::Keys;
use super::sink::{Order, Sink};
use super::table::{Column, Columns, Table, may, needs};
use super::whose::{BASE, MARKET, SYMBOL, VENUE, Whose};

/// Of who crossed the spread.
const MAKER: Column = needs(&["is_buyer_maker", "buyer_is_maker"], None);

const fn at(column: Column, place: usize) -> Column {
    Column { place: Some(place), ..column }
}

/// When a row was known, what tells it from a repetition, and what it says.
type Told = (Nanos, Order, Body);

/// What an importer of rows needs: its columns, the widths of rows without names, and what a row says.
struct Kind {
    columns: Columns,
    widths: &'static [usize],
    keys: Keys,
    read: fn(&mut Table) -> Result<Told, ImportError>,
}

fn run(job: &FileJob<'_>, sink: &mut Sink<'_>, kind: &Kind) -> Result<(), ImportError> {
    let mut table = job.open(kind.columns, kind.widths, kind.keys)?;
    let (whose, only) = Whose::new(&table, kind.keys.whose, (job.market, job.options))?;
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let (recv, order, body) = (kind.read)(&mut table)?;
        sink.tell(&table, &symbol, (recv, order), body)?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

fn aggressor(table: &Table, column: usize) -> Result<Side, ImportError> {
    Ok(if table.flag(column)? { Side::Sell } else { Side::Buy })
}

/// A quantity above zero.
fn some_qty(table: &mut Table, column: usize) -> Result<Qty, ImportError> {
    let qty = table.qty(column)?;
    if qty == Qty::ZERO {
        return Err(table.field_error(column, "is no quantity of a trade"));
    }
    Ok(qty)
}

/// Reads a file of aggregate trades (`aggTrades`). Without the ids of its trades an aggregate counts as one.
pub(super) fn read_agg_trades(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const KIND: Kind = Kind {
        columns: &[
            needs(&["agg_trade_id", "aggregate_trade_id"], Some(0)),
            needs(&["price"], Some(1)),
            needs(&["quantity", "qty"], Some(2)),
            may(&["first_trade_id"], Some(3)),
            may(&["last_trade_id"], Some(4)),
            needs(&["transact_time", "trade_time_ms", "timestamp"], Some(5)),
            at(MAKER, 6),
            may(&["recv_time_ms"], None),
            SYMBOL,
            BASE,
            MARKET,
            VENUE,
        ],
        widths: &[7, 8],
        keys: Keys { time: &[7, 5], id: Some(0), whose: 8 },
        read: |table| {
            let (id, price) = (table.int(0)?, table.price(1)?);
            let (qty, at) = (some_qty(table, 2)?, table.time(5)?);
            let recv = if table.has(7) { table.time(7)? } else { at };
            let (first_trade, last_trade) = if table.has(3) && table.has(4) {
                (table.int(3)?, table.int(4)?)
            } else {
                (id, id)
            };
            let body = AggTrade {
                times: Times { event: Some(at), transaction: Some(at) },
                id: Some(id),
                price,
                qty,
                normal_qty: qty,
                first_trade,
                last_trade,
                aggressor: aggressor(table, 6)?,
            };
            Ok((recv, Order::Numbered(id), Body::AggTrade(body)))
        },
    };
    run(job, sink, &KIND)
}

/// Reads a file of trades (`trades`).
pub(super) fn read_trades(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const KIND: Kind = Kind {
        columns: &[
            needs(&["id", "trade_id"], Some(0)),
            needs(&["price"], Some(1)),
            needs(&["qty", "quantity"], Some(2)),
            needs(&["time", "timestamp"], Some(4)),
            at(MAKER, 5),
            SYMBOL,
            BASE,
            MARKET,
            VENUE,
        ],
        widths: &[6, 7],
        keys: Keys { time: &[3], id: Some(0), whose: 5 },
        read: |table| {
            let (id, price) = (table.int(0)?, table.price(1)?);
            let (qty, at) = (some_qty(table, 2)?, table.time(3)?);
            let body = Trade {
                times: Times { event: Some(at), transaction: Some(at) },
                id,
                price,
                qty,
                aggressor: aggressor(table, 4)?,
                origin: TradeOrigin::Market,
            };
            Ok((at, Order::Numbered(id), Body::Trade(body)))
        },
    };
    run(job, sink, &KIND)
}

/// Reads a file of book tickers (`bookTicker`).
pub(super) fn read_tickers(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const KIND: Kind = Kind {
        columns: &[
            needs(&["update_id"], Some(0)),
            needs(&["best_bid_price"], Some(1)),
            needs(&["best_bid_qty"], Some(2)),
            needs(&["best_ask_price"], Some(3)),
            needs(&["best_ask_qty"], Some(4)),
            needs(&["transaction_time"], Some(5)),
            needs(&["event_time"], Some(6)),
            SYMBOL,
            BASE,
            MARKET,
            VENUE,
        ],
        widths: &[7],
        keys: Keys { time: &[6], id: Some(0), whose: 7 },
        read: |table| {
            let id = table.int(0)?;
            let (bid, ask) = (level(table, 1)?, level(table, 3)?);
            let (transaction, event) = (table.time(5)?, table.time(6)?);
            let times = Times { event: Some(event), transaction: Some(transaction) };
            let body = Body::BookTicker(BookTicker { times, id, bid, ask });
            Ok((event, Order::Id(id), body))
        },
    };
    run(job, sink, &KIND)
}

/// Price and quantity; a side without orders has neither.
fn level(table: &mut Table, column: usize) -> Result<Level, ImportError> {
    let qty = table.qty(column + 1)?;
    let price = if qty == Qty::ZERO { Px::ZERO } else { table.price(column)? };
    Ok(Level { price, qty })
}
