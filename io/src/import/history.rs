//! Funding as it was charged, open interest, and forced orders.

use std::collections::BTreeMap;

use fusewire_core::market::{Body, Funding, Liquidation, OpenInterest, Side, Times};
use fusewire_core::units::{Nanos, Qty};

use super::FileJob;
use super::charges::Charges;
use super::error::ImportError;
use super::repair::Keys;
use super::sink::{Order, Sink};
use super::table::{Columns, Table, may, needs};
use super::whose::{BASE, MARKET, SYMBOL, VENUE, Whose};

mod funding {
    use super::{BASE, Columns, Keys, MARKET, SYMBOL, VENUE, may, needs};

    pub(super) const TIME: usize = 0;
    pub(super) const RATE: usize = 1;
    pub(super) const WHOSE: usize = 2;
    pub(super) const INTERVAL: usize = 6;
    /// The places are those of the exchange's files (`fundingRate`).
    pub(super) const COLUMNS: Columns = &[
        needs(
            &["calc_time", "funding_time_ms", "fundingTime", "timestamp", "time_ms", "Date"],
            Some(0),
        ),
        needs(&["last_funding_rate", "funding_rate", "fundingRate", "Funding Rate"], Some(2)),
        SYMBOL,
        BASE,
        MARKET,
        VENUE,
        may(&["funding_interval_hours"], Some(1)),
    ];
    pub(super) const WIDTHS: &[usize] = &[3];
    pub(super) const KEYS: Keys = Keys { time: &[TIME], id: None, whose: WHOSE };
}

/// Reads a file of funding charges.
pub(super) fn read_funding(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let shift = job.options.shift_ns;
    let mut table = job.open(funding::COLUMNS, funding::WIDTHS, funding::KEYS)?;
    let (whose, only) = Whose::new(&table, funding::WHOSE, (job.market, job.options))?;
    let mut charges: BTreeMap<String, Charges> = BTreeMap::new();
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let (at, rate) = (table.time(funding::TIME)?, table.rate(funding::RATE)?);
        let told = told_hours(&table)?;
        charges.entry(symbol.clone()).or_default().add(&table, at, told)?;
        // Behind the bar that ends at this moment: what it filled was held when this was charged.
        let known = (Nanos(at.0 + 1), Order::Rising);
        sink.tell(&table, &symbol, known, Body::Funding(Funding { at, rate }))?;
    }
    for (symbol, seen) in &charges {
        seen.judge(&table, symbol, shift != 0)?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

/// The hours of the interval that a row tells, where they are a whole number.
fn told_hours(table: &Table) -> Result<Option<u64>, ImportError> {
    let text = table.text(funding::INTERVAL).unwrap_or_default();
    match text.trim().parse() {
        Ok(0) => Err(table.field_error(funding::INTERVAL, "is no interval")),
        Ok(hours) => Ok(Some(hours)),
        Err(_) => Ok(None),
    }
}

mod interest {
    use super::{BASE, Columns, Keys, MARKET, SYMBOL, VENUE, may, needs};

    pub(super) const TIME: usize = 0;
    pub(super) const QTY: usize = 1;
    pub(super) const NOTIONAL: usize = 2;
    pub(super) const WHOSE: usize = 3;
    /// The places are those of the exchange's files (`metrics`), which always have names.
    pub(super) const COLUMNS: Columns = &[
        needs(&["create_time", "timestamp", "time_ms"], None),
        may(&["sum_open_interest", "open_interest"], None),
        may(&["sum_open_interest_value", "oi_usd"], None),
        SYMBOL,
        BASE,
        MARKET,
        VENUE,
    ];
    pub(super) const KEYS: Keys = Keys { time: &[TIME], id: None, whose: WHOSE };
}

/// Reads a file of open interest.
pub(super) fn read_interest(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut table = job.open(interest::COLUMNS, &[], interest::KEYS)?;
    let (qty, notional) = (table.has(interest::QTY), table.has(interest::NOTIONAL));
    if !qty && !notional {
        return Err(table.error("column sum_open_interest is missing, and its value too"));
    }
    let (whose, only) = Whose::new(&table, interest::WHOSE, (job.market, job.options))?;
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let at = table.time(interest::TIME)?;
        let qty = if qty { Some(table.volume(interest::QTY)?) } else { None };
        let notional = if notional { Some(table.quote(interest::NOTIONAL)?) } else { None };
        let body = Body::OpenInterest(OpenInterest { at, qty, notional });
        sink.tell(&table, &symbol, (at, Order::Rising), body)?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

mod forced {
    use super::{BASE, Columns, Keys, MARKET, SYMBOL, VENUE, needs};

    pub(super) const TIME: usize = 0;
    pub(super) const SIDE: usize = 1;
    pub(super) const QTY: usize = 2;
    pub(super) const PRICE: usize = 3;
    pub(super) const AVERAGE: usize = 4;
    pub(super) const LAST_QTY: usize = 5;
    pub(super) const FILLED: usize = 6;
    pub(super) const WHOSE: usize = 7;
    /// The places are those of the exchange's files (`liquidationSnapshot`).
    pub(super) const COLUMNS: Columns = &[
        needs(&["time", "trade_time_ms"], Some(0)),
        needs(&["side"], Some(1)),
        needs(&["original_quantity", "orig_qty"], Some(4)),
        needs(&["price"], Some(5)),
        needs(&["average_price", "avg_price"], Some(6)),
        needs(&["last_fill_quantity", "last_filled_qty"], Some(8)),
        needs(&["accumulated_fill_quantity", "accumulated_filled_qty"], Some(9)),
        SYMBOL,
        BASE,
        MARKET,
        VENUE,
    ];
    pub(super) const WIDTHS: &[usize] = &[10];
    pub(super) const KEYS: Keys = Keys { time: &[TIME], id: None, whose: WHOSE };
}

/// Reads a file of forced orders.
pub(super) fn read_liquidations(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut table = job.open(forced::COLUMNS, forced::WIDTHS, forced::KEYS)?;
    let (whose, only) = Whose::new(&table, forced::WHOSE, (job.market, job.options))?;
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let at = table.time(forced::TIME)?;
        let order = forced_order(&mut table, at, sink)?;
        sink.tell(&table, &symbol, (at, Order::NotFalling), Body::Liquidation(order))?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

fn forced_order(
    table: &mut Table,
    at: Nanos,
    sink: &mut Sink<'_>,
) -> Result<Liquidation, ImportError> {
    let price = table.price(forced::PRICE)?;
    let average = match table.text(forced::AVERAGE) {
        // Some recorders lost it.
        Some("" | "None") => {
            sink.facts.averages_unknown += 1;
            price
        }
        _ => table.price(forced::AVERAGE)?,
    };
    let filled_qty = table.qty(forced::FILLED)?;
    if filled_qty == Qty::ZERO {
        return Err(table.field_error(forced::FILLED, "nothing was filled"));
    }
    Ok(Liquidation {
        times: Times { event: Some(at), transaction: Some(at) },
        side: side(table, forced::SIDE)?,
        price,
        average,
        qty: table.qty(forced::QTY)?,
        last_qty: table.qty(forced::LAST_QTY)?,
        filled_qty,
    })
}

/// `BUY` or `SELL`, in any case.
pub(super) fn side(table: &Table, column: usize) -> Result<Side, ImportError> {
    match table.text(column).unwrap_or_default().to_ascii_lowercase().as_str() {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(table.field_error(column, "is neither buy nor sell")),
    }
}
