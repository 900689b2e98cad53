//! The downloadable CSV files of Tardis: books, trades, tickers of derivatives, liquidations. Times are in
//! microseconds, and the second one of each row is when its recorder received it.

use fusewire_core::instrument::Market;
use fusewire_core::market::{
    Body, Depth, DepthIds, Level, LevelRange, Liquidation, Mark, OpenInterest, Snapshot, Times,
    Trade, TradeOrigin,
};
use fusewire_core::units::{Nanos, Qty};

use super::FileJob;
use super::error::ImportError;
use super::history::side;
use super::sink::{Order, Sink};
use super::table::{Column, Table, needs};
use crate::decode::LEVELS_MAX;

/// Levels a side in the deepest of the snapshot files.
const SNAPSHOT_LEVELS_MAX: usize = 25;

const EXCHANGE: usize = 0;
const SYMBOL: usize = 1;
const TIME: usize = 2;
const LOCAL: usize = 3;

/// What all files begin with.
const fn head() -> [Column; 4] {
    [
        needs(&["exchange"], None),
        needs(&["symbol"], None),
        needs(&["timestamp"], None),
        needs(&["local_timestamp"], None),
    ]
}

/// What a row says before its own fields.
struct Row {
    symbol: String,
    recv: Nanos,
    at: Nanos,
}

impl Row {
    /// None when another symbol was asked for.
    fn of(job: &FileJob<'_>, table: &mut Table) -> Result<Option<Self>, ImportError> {
        let exchange = table.text(EXCHANGE).unwrap_or_default();
        let market = match exchange {
            "binance-futures" => Market::UsdM,
            "binance-delivery" => Market::CoinM,
            "binance" => Market::Spot,
            _ => return Err(table.field_error(EXCHANGE, "is no exchange that can be imported")),
        };
        if market != job.market {
            let what = format!("is {market}, and the import is of {}", job.market);
            return Err(table.field_error(EXCHANGE, what));
        }
        let symbol = table.text(SYMBOL).unwrap_or_default().to_ascii_uppercase();
        if job.options.symbol.as_ref().is_some_and(|wanted| *wanted != symbol) {
            return Ok(None);
        }
        let (at, recv) = (table.time(TIME)?, table.time(LOCAL)?);
        Ok(Some(Self { symbol, recv, at }))
    }

    const fn times(&self) -> Times {
        Times { event: Some(self.at), transaction: None }
    }
}

/// Market of a file by the exchange in its first row.
pub(super) fn market_of(path: &std::path::Path) -> Result<Option<Market>, ImportError> {
    const COLUMNS: [Column; 4] = head();
    let mut table = Table::open(path, &COLUMNS, &[], 0)?;
    if !table.next()? {
        return Ok(None);
    }
    Ok(match table.text(EXCHANGE).unwrap_or_default() {
        "binance-futures" => Some(Market::UsdM),
        "binance-delivery" => Some(Market::CoinM),
        "binance" => Some(Market::Spot),
        _ => None,
    })
}

/// Reads a file of trades.
pub(super) fn read_trades(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const COLUMNS: [Column; 8] = with4([
        needs(&["id"], None),
        needs(&["side"], None),
        needs(&["price"], None),
        needs(&["amount"], None),
    ]);
    let mut table = Table::open(job.path, &COLUMNS, &[], 0)?;
    while table.next()? {
        let Some(row) = Row::of(job, &mut table)? else {
            sink.facts.skipped += 1;
            continue;
        };
        let id = table.int(4)?;
        let trade = Trade {
            times: row.times(),
            id,
            price: table.price(6)?,
            qty: table.qty(7)?,
            aggressor: side(&table, 5)?,
            origin: TradeOrigin::Market,
        };
        sink.tell(&table, &row.symbol, (row.recv, Order::Id(id)), Body::Trade(trade))?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// Reads a file of liquidations. The side is that of the forced order, as on the exchange's own stream.
pub(super) fn read_liquidations(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const COLUMNS: [Column; 7] =
        with3([needs(&["side"], None), needs(&["price"], None), needs(&["amount"], None)]);
    let mut table = Table::open(job.path, &COLUMNS, &[], 0)?;
    while table.next()? {
        let Some(row) = Row::of(job, &mut table)? else {
            sink.facts.skipped += 1;
            continue;
        };
        let (price, qty) = (table.price(5)?, table.qty(6)?);
        let order = Liquidation {
            times: row.times(),
            side: side(&table, 4)?,
            price,
            average: price,
            qty,
            last_qty: qty,
            filled_qty: qty,
        };
        let known = (row.recv, Order::NotFalling);
        sink.tell(&table, &row.symbol, known, Body::Liquidation(order))?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// Reads a file of tickers of derivatives: mark, index and funding, and open interest where it changed. Fields may be
/// empty where the recorder did not know them yet.
pub(super) fn read_ticker(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const COLUMNS: [Column; 9] = with5([
        needs(&["funding_timestamp"], None),
        needs(&["funding_rate"], None),
        needs(&["open_interest"], None),
        needs(&["index_price"], None),
        needs(&["mark_price"], None),
    ]);
    let mut table = Table::open(job.path, &COLUMNS, &[], 0)?;
    let mut told = std::collections::BTreeMap::new();
    while table.next()? {
        let Some(row) = Row::of(job, &mut table)? else {
            sink.facts.skipped += 1;
            continue;
        };
        let is_empty = [4, 5, 6, 7, 8].map(|column| table.is_empty(column));
        if !is_empty[4] {
            let mark = Mark {
                times: row.times(),
                price: table.price(8)?,
                index: if is_empty[3] { None } else { Some(table.price(7)?) },
                funding_rate: if is_empty[1] { None } else { Some(table.rate(5)?) },
                next_funding: if is_empty[0] { None } else { Some(table.time(4)?) },
                ..Mark::default()
            };
            sink.tell(&table, &row.symbol, (row.recv, Order::NotFalling), Body::Mark(mark))?;
        }
        if !is_empty[2] {
            let qty = table.volume(6)?;
            if told.insert(row.symbol.clone(), qty) != Some(qty) {
                let interest = OpenInterest { at: row.at, qty: Some(qty), notional: None };
                let known = (row.recv, Order::NotFalling);
                sink.tell(&table, &row.symbol, known, Body::OpenInterest(interest))?;
            }
        }
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// Reads a file of snapshots of the top of the book (`book_snapshot_5`, `book_snapshot_25`).
pub(super) fn read_snapshots(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const COLUMNS: [Column; 4] = head();
    let mut table = Table::open(job.path, &COLUMNS, &[], 0)?;
    let mut places = [Vec::new(), Vec::new()];
    for (side, places) in ["bids", "asks"].into_iter().zip(&mut places) {
        for n in 0..SNAPSHOT_LEVELS_MAX {
            let mut field = |what: &str| table.column(format!("{side}[{n}].{what}"));
            let Some(price) = field("price") else { break };
            let Some(amount) = field("amount") else { break };
            places.push((price, amount));
        }
        if places.is_empty() {
            return Err(ImportError::of_file(
                table.name(),
                format!("column {side}[0].price is missing"),
            ));
        }
    }
    let mut sides = [Vec::new(), Vec::new()];
    while table.next()? {
        let Some(row) = Row::of(job, &mut table)? else {
            sink.facts.skipped += 1;
            continue;
        };
        for (places, levels) in places.iter().zip(&mut sides) {
            levels.clear();
            for &(price, amount) in places {
                // A book may be shorter than the file has columns.
                if !table.is_empty(price) {
                    let (price, qty) = (table.price(price)?, table.qty(amount)?);
                    levels.push(Level { price, qty });
                }
            }
        }
        let depth = |levels| {
            let (times, ids) = (row.times(), DepthIds::default());
            Body::PartialDepth(Depth { times, ids, levels })
        };
        sink.tell_levels(&table, &row.symbol, row.recv, [&sides[0], &sides[1]], depth)?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// Rows of one message of a book: equal in symbol, times and kind.
#[derive(Default)]
struct Group {
    row: Option<Row>,
    is_snapshot: bool,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Reads a file of changes of the book (`incremental_book_L2`). The rows that were received together are one message.
/// They carry no update ids: the messages of a symbol are numbered by their times.
pub(super) fn read_book(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    const COLUMNS: [Column; 8] = with4([
        needs(&["is_snapshot"], None),
        needs(&["side"], None),
        needs(&["price"], None),
        needs(&["amount"], None),
    ]);
    let mut table = Table::open(job.path, &COLUMNS, &[], 0)?;
    let (mut group, mut numbers) = (Group::default(), std::collections::BTreeMap::new());
    while table.next()? {
        let Some(row) = Row::of(job, &mut table)? else {
            sink.facts.skipped += 1;
            continue;
        };
        let is_snapshot = table.flag(4)?;
        let is_same = group.row.as_ref().is_some_and(|first| {
            (first.recv, &first.symbol, group.is_snapshot) == (row.recv, &row.symbol, is_snapshot)
        });
        if !is_same {
            group.tell(job, &table, sink, &mut numbers)?;
            group.is_snapshot = is_snapshot;
            group.row = Some(row);
        }
        let level = Level { price: table.price(6)?, qty: table.qty(7)? };
        match table.text(5).unwrap_or_default() {
            "bid" => group.bids.push(level),
            "ask" => group.asks.push(level),
            _ => return Err(table.field_error(5, "is neither bid nor ask")),
        }
        if group.bids.len() + group.asks.len() > LEVELS_MAX {
            return Err(table.error(format!("more than {LEVELS_MAX} levels were received at once")));
        }
    }
    group.tell(job, &table, sink, &mut numbers)?;
    sink.facts.rounded += table.rounded();
    Ok(())
}

impl Group {
    fn tell(
        &mut self,
        job: &FileJob<'_>,
        table: &Table,
        sink: &mut Sink<'_>,
        numbers: &mut std::collections::BTreeMap<String, i64>,
    ) -> Result<(), ImportError> {
        let Some(row) = self.row.take() else { return Ok(()) };
        let number = numbers.entry(row.symbol.clone()).or_default();
        let before = *number;
        // By time, so that the numbers of the next day are above those of this one.
        *number = row.recv.0.cast_signed().max(before + 1);
        let (last, is_snapshot) = (*number, self.is_snapshot);
        let body = |levels: LevelRange| {
            if is_snapshot {
                return Body::Snapshot(Snapshot { times: row.times(), last_id: last, levels });
            }
            // As the exchange numbers them: the first that a snapshot is followed by holds the snapshot's id.
            let ids = match job.market {
                Market::Spot => DepthIds { first: before + 1, last, prev: None },
                Market::UsdM | Market::CoinM => {
                    DepthIds { first: before, last, prev: Some(before) }
                }
            };
            Body::Depth(Depth { times: row.times(), ids, levels })
        };
        // In a snapshot nothing is taken away.
        if is_snapshot {
            self.bids.retain(|level| level.qty > Qty::ZERO);
            self.asks.retain(|level| level.qty > Qty::ZERO);
        }
        sink.tell_levels(table, &row.symbol, row.recv, [&self.bids, &self.asks], body)?;
        self.bids.clear();
        self.asks.clear();
        Ok(())
    }
}

const fn with3([a, b, c]: [Column; 3]) -> [Column; 7] {
    let [x, y, z, w] = head();
    [x, y, z, w, a, b, c]
}

const fn with4([a, b, c, d]: [Column; 4]) -> [Column; 8] {
    let [x, y, z, w] = head();
    [x, y, z, w, a, b, c, d]
}

const fn with5([a, b, c, d, e]: [Column; 5]) -> [Column; 9] {
    let [x, y, z, w] = head();
    [x, y, z, w, a, b, c, d, e]
}
