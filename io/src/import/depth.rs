//! The depth of a book as sums over bands of percents (`bookDepth`). Each row tells what stood between the mid and a
//! percentage away from it, bids below zero; the rows of one time are one look at the book.

use std::collections::BTreeMap;

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, DepthBand};
use fusewire_core::units::{Bps, Nanos};

use super::FileJob;
use super::error::ImportError;
use super::repair::Keys;
use super::sink::{Order, Sink};
use super::table::{Columns, Table, needs};
use super::whose::{BASE, MARKET, SYMBOL, VENUE, Whose, check_count};

/// Times are whole seconds, and the look was somewhere within. So it was known when the second was over, in ns.
const KNOWN_AFTER_NS: u64 = Nanos::SECOND;
/// Bands of one symbol and time: files have ten to twelve.
const BANDS_MAX: usize = 64;

const TIME: usize = 0;
const PERCENTAGE: usize = 1;
const DEPTH: usize = 2;
const NOTIONAL: usize = 3;
const WHOSE: usize = 4;
const COLUMNS: Columns = &[
    needs(&["timestamp"], Some(0)),
    needs(&["percentage"], Some(1)),
    needs(&["depth"], Some(2)),
    needs(&["notional"], Some(3)),
    SYMBOL,
    BASE,
    MARKET,
    VENUE,
];
const WIDTHS: &[usize] = &[4];
const KEYS: Keys = Keys { time: &[TIME], id: None, whose: WHOSE };

/// One look at a book: the bands of one time so far, and their lines.
#[derive(Debug, Default)]
struct Look {
    at: Nanos,
    bands: Vec<(DepthBand, u64)>,
}

/// Reads a file of depth bands.
pub(super) fn read(job: &FileJob<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut table = job.open(COLUMNS, WIDTHS, KEYS)?;
    if job.market != Market::UsdM {
        let what = "bookDepth is read of usdm alone: elsewhere it counts in other units";
        return Err(ImportError::of_file(table.name(), what));
    }
    let (whose, only) = Whose::new(&table, WHOSE, (job.market, job.options))?;
    let mut looks: BTreeMap<String, Look> = BTreeMap::new();
    while table.next()? {
        let Some(symbol) = whose.symbol(&table, only.as_ref())? else {
            sink.facts.skipped += 1;
            continue;
        };
        let band = band(&mut table)?;
        if !looks.contains_key(&symbol) {
            check_count(&table, looks.len() + 1)?;
        }
        let look = looks.entry(symbol.clone()).or_default();
        if band.at != look.at {
            look.follow(&table, &symbol, band.at)?;
            look.tell(&table, &symbol, sink)?;
            look.at = band.at;
        }
        look.add(&table, band)?;
    }
    for (symbol, look) in &mut looks {
        look.tell(&table, symbol, sink)?;
    }
    sink.facts.rounded += table.rounded();
    Ok(())
}

fn band(table: &mut Table) -> Result<DepthBand, ImportError> {
    let (at, distance) = (table.time(TIME)?, table.percent(PERCENTAGE)?);
    if distance == Bps::ZERO {
        return Err(table.field_error(PERCENTAGE, "is no distance: it is neither bids nor asks"));
    }
    if i128::from(distance.0.unsigned_abs()) > Bps::WHOLE {
        return Err(table.field_error(PERCENTAGE, "is not within the price"));
    }
    Ok(DepthBand { at, distance, qty: table.volume(DEPTH)?, notional: table.quote(NOTIONAL)? })
}

impl Look {
    /// A later look follows this one.
    fn follow(&self, table: &Table, symbol: &str, at: Nanos) -> Result<(), ImportError> {
        match self.bands.last() {
            Some((_, line)) if at < self.at => Err(table.error(format!(
                "{symbol} goes back in time: line {line} is later (a day that stands there twice?){}",
                table.way_out()
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a band. Further away there is at least as much as nearer, or it is no sum.
    fn add(&mut self, table: &Table, band: DepthBand) -> Result<(), ImportError> {
        let width = |band: &DepthBand| band.distance.0.unsigned_abs();
        let is_same_side =
            |other: &DepthBand| other.distance.0.signum() == band.distance.0.signum();
        for (other, line) in self.bands.iter().filter(|(other, _)| is_same_side(other)) {
            if width(other) == width(&band) {
                let way_out = table.way_out();
                let what = format!("stands in line {line} of the same time already{way_out}");
                return Err(table.field_error(PERCENTAGE, what));
            }
            let (near, far) =
                if width(other) < width(&band) { (other, &band) } else { (&band, other) };
            for (column, shrinks) in
                [(DEPTH, far.qty.0 < near.qty.0), (NOTIONAL, far.notional.0 < near.notional.0)]
            {
                if shrinks {
                    let what = format!("contradicts line {line}: further away there is less");
                    return Err(table.field_error(column, what));
                }
            }
        }
        if self.bands.len() == BANDS_MAX {
            return Err(table.error(format!("more than {BANDS_MAX} bands of one time")));
        }
        self.bands.push((band, table.line()));
        Ok(())
    }

    /// Hands the look on, the nearest bands first, and is empty.
    fn tell(
        &mut self,
        table: &Table,
        symbol: &str,
        sink: &mut Sink<'_>,
    ) -> Result<(), ImportError> {
        self.bands.sort_by_key(|(band, _)| (band.distance.0.unsigned_abs(), band.distance));
        let known = (self.at.after(Nanos(KNOWN_AFTER_NS)), Order::NotFalling);
        for (band, _) in self.bands.drain(..) {
            sink.tell(table, symbol, known, Body::DepthBand(band))?;
        }
        Ok(())
    }
}
