//! Candles: of the exchange's own files, and of tables with a symbol a row.
//!
//! How long a bar is, is read from the data, and whatever else says a length must agree (X18): rows that were called
//! five seconds and stood a minute apart once made a back-test that never was. A bar is known when it is over.

use std::collections::BTreeMap;

use fusewire_core::market::{Body, Kline, Mark, Span, Times};
use fusewire_core::units::{Nanos, ONE, QtySum, Round, UsdSum, div_round};

use super::error::ImportError;
use super::facts::Gap;
use super::length::{Steps, length};
use super::repair::Keys;
use super::sink::{Order, Sink};
use super::table::{Columns, Table, may, needs};
use super::time::interval_name;
use super::whose::{BASE, MARKET, SYMBOL, VENUE, Whose};
use super::{FileJob, Prices};

pub(super) const OPEN_TIME: usize = 0;
const OPEN: usize = 1;
const HIGH: usize = 2;
const LOW: usize = 3;
const CLOSE: usize = 4;
const VOLUME: usize = 5;
pub(super) const CLOSE_TIME: usize = 6;
const QUOTE_VOLUME: usize = 7;
const TRADES: usize = 8;
const TAKER_VOLUME: usize = 9;
const TAKER_QUOTE: usize = 10;
pub(super) const WHOSE: usize = 11;

/// The places are those of the exchange's files (`data/…/klines`).
const COLUMNS: Columns = &[
    needs(&["open_time", "open_time_ms", "timestamp", "time_ms"], Some(0)),
    needs(&["open", "o"], Some(1)),
    needs(&["high", "h"], Some(2)),
    needs(&["low", "l"], Some(3)),
    needs(&["close", "c"], Some(4)),
    may(&["volume", "v"], Some(5)),
    may(&["close_time"], Some(6)),
    may(&["quote_volume", "quote_asset_volume"], Some(7)),
    may(&["count", "trades", "number_of_trades"], Some(8)),
    may(&["taker_buy_volume", "taker_buy_base_asset_volume"], Some(9)),
    may(&["taker_buy_quote_volume", "taker_buy_quote_asset_volume"], Some(10)),
    SYMBOL,
    BASE,
    MARKET,
    VENUE,
];
/// Fields of a row of the exchange's files.
const WIDTHS: &[usize] = &[12];

const KEYS: Keys = Keys { time: &[OPEN_TIME], id: None, whose: WHOSE };

/// Opens a file of candles at its first row.
pub(super) fn open(job: &FileJob<'_>) -> Result<Table, ImportError> {
    let table = job.open(COLUMNS, WIDTHS, KEYS)?;
    if job.prices == Prices::Traded && !table.has(VOLUME) && !table.has(QUOTE_VOLUME) {
        return Err(table.error("column volume is missing, and there is no quote_volume either"));
    }
    Ok(table)
}

/// Reads a file of candles.
pub(super) fn read(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let length = length(job)?;
    let name = interval_name(length);
    let mut table = open(job)?;
    let (whose, only) = Whose::new(&table, WHOSE, (job.market, job.options))?;
    let mut last: BTreeMap<String, Steps> = BTreeMap::new();
    sink.facts.bar_s = Some(length.0 / Nanos::SECOND);
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let at = table.time(OPEN_TIME)?;
        check_end(&mut table, at, length)?;
        match last.get_mut(&symbol) {
            Some(steps) => {
                follow(job, &table, sink, (&symbol, steps.at, at, length))?;
                // Where rows tell their ends, these were checked.
                if table.has(CLOSE_TIME) {
                    *steps = Steps::new(at);
                } else {
                    steps.step(&table, &symbol, at, length)?;
                }
            }
            None => drop(last.insert(symbol.clone(), Steps::new(at))),
        }
        let kline = kline(job, &mut table, at, length)?;
        let known = at.after(length);
        match job.prices {
            Prices::Traded => sink.tell_kline(&table, &symbol, known, (kline, &name))?,
            Prices::Mark => {
                let times = Times { event: Some(known), transaction: None };
                let mark = Mark { times, price: kline.close, ..Mark::default() };
                sink.tell(&table, &symbol, (known, Order::Rising), Body::Mark(mark))?;
            }
        }
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// An end that the file tells must be that of a bar of this length: on the last millisecond, or on the last
/// microsecond where the file counts those.
fn check_end(table: &mut Table, at: Nanos, length: Nanos) -> Result<(), ImportError> {
    if !table.has(CLOSE_TIME) {
        return Ok(());
    }
    let end = table.time(CLOSE_TIME)?;
    let expected = at.after(length);
    let behind = expected.since(end);
    if !(1..=i128::from(Nanos::MILLI)).contains(&behind) {
        return Err(table.field_error(
            CLOSE_TIME,
            format!("is not the end of a bar of {} (X18)", interval_name(length)),
        ));
    }
    Ok(())
}

/// A bar follows another at a whole number of lengths; more than one is a gap.
fn follow(
    job: &FileJob<'_>,
    table: &Table,
    sink: &mut Sink<'_>,
    (symbol, before, at, length): (&str, Nanos, Nanos, Nanos),
) -> Result<(), ImportError> {
    // What goes back or stands still is for the sink to refuse.
    let Some(apart) = at.0.checked_sub(before.0).filter(|ns| *ns > 0) else { return Ok(()) };
    if apart % length.0 != 0 {
        return Err(table.field_error(
            OPEN_TIME,
            format!(
                "lies {} s behind the bar before it, and bars of {symbol} are {} long (X18)",
                apart / Nanos::SECOND,
                interval_name(length)
            ),
        ));
    }
    let missing = apart / length.0 - 1;
    if missing == 0 {
        return Ok(());
    }
    if !job.options.allow_gaps {
        return Err(table.error(format!(
            "{missing} bars of {symbol} are missing in front of it: pass --allow-gaps to go on without"
        )));
    }
    let gap = Gap { symbol: symbol.to_owned(), line: table.line(), bars: missing, behind: None };
    sink.facts.gap(gap);
    Ok(())
}

fn kline(
    job: &FileJob<'_>,
    table: &mut Table,
    open_time: Nanos,
    length: Nanos,
) -> Result<Kline, ImportError> {
    let prices = [table.price(OPEN)?, table.price(HIGH)?, table.price(LOW)?, table.price(CLOSE)?];
    let [open, high, low, close] = prices;
    if prices.iter().any(|price| *price < low || high < *price) {
        return Err(table.error("open, high, low and close contradict each other"));
    }
    let mut kline = Kline {
        open_time,
        close_time: Nanos(open_time.after(length).0 - Nanos::MILLI),
        interval: Span::NONE,
        first_trade: None,
        last_trade: None,
        open,
        high,
        low,
        close,
        volume: QtySum(0),
        quote_volume: UsdSum(0),
        taker_volume: QtySum(0),
        taker_quote_volume: UsdSum(0),
        trades: 0,
        closed: true,
    };
    if job.prices == Prices::Mark {
        return Ok(kline);
    }
    if table.has(QUOTE_VOLUME) {
        kline.quote_volume = table.quote(QUOTE_VOLUME)?;
    }
    kline.volume = if table.has(VOLUME) {
        table.volume(VOLUME)?
    } else {
        // As much must have traded, had all of it traded at the highest price.
        let least = kline.quote_volume.0.checked_mul(i128::from(ONE));
        let least = least.and_then(|quote| div_round(quote, high.0.into(), Round::Down));
        QtySum(least.ok_or_else(|| table.field_error(QUOTE_VOLUME, "is out of range"))?)
    };
    if table.has(TAKER_VOLUME) {
        kline.taker_volume = table.volume(TAKER_VOLUME)?;
    }
    if table.has(TAKER_QUOTE) {
        kline.taker_quote_volume = table.quote(TAKER_QUOTE)?;
    }
    // Where trades were not counted, a bar with a volume had at least one.
    kline.trades =
        if table.has(TRADES) { table.int(TRADES)? } else { i64::from(kline.volume.0 > 0) };
    if kline.trades < 0 {
        return Err(table.field_error(TRADES, "is below zero"));
    }
    Ok(kline)
}
