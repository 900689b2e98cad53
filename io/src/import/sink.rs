//! Where rows go: checked for order and repetition, encoded, and handed to the sorter.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::market::{
    Body, Decoded, Kline, KlineAt, Level, LevelRange, Message, Span, Times,
};
use fusewire_core::units::Nanos;

use super::error::ImportError;
use super::facts::{Facts, key};
use super::sort::Sorter;
use super::table::{Repair, Table};
use super::whose::check_count;
use crate::tape::FrameEncoder;

/// How much later than its time a row may be told because its id says that it came behind a later one. The exchange's
/// stamps lie some milliseconds beside its ids; what lies a minute beside them is wrong.
const RAISED_MAX: Nanos = Nanos(60 * Nanos::SECOND);

/// What says that a row is not a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Its time rises from row to row of the same stream.
    Rising,
    /// This number rises, and its time does not fall.
    Id(i64),
    /// The same of numbers without holes: those that are missing are counted.
    Numbered(i64),
    /// Its time does not fall: several may be equal.
    NotFalling,
}

/// The last row of a stream.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Nanos,
    /// Its id, which is the greatest.
    id: i64,
    line: u64,
}

/// Takes the messages of one file.
pub(super) struct Sink<'a> {
    sorter: &'a mut Sorter,
    /// What was found so far.
    pub(super) facts: Facts,
    last: BTreeMap<String, Last>,
    symbols: BTreeSet<String>,
    encoder: FrameEncoder,
    decoded: Decoded,
}

impl<'a> Sink<'a> {
    pub(super) fn new(sorter: &'a mut Sorter) -> Self {
        Self {
            sorter,
            facts: Facts::default(),
            last: BTreeMap::new(),
            symbols: BTreeSet::new(),
            encoder: FrameEncoder::default(),
            decoded: Decoded::default(),
        }
    }

    /// Takes a message that was known at `recv`.
    pub(super) fn tell(
        &mut self,
        table: &Table,
        symbol: &str,
        (recv, order): (Nanos, Order),
        body: Body,
    ) -> Result<(), ImportError> {
        self.decoded.clear();
        self.take(table, symbol, (recv, order), body)
    }

    /// Takes a book, or changes of one.
    pub(super) fn tell_levels(
        &mut self,
        table: &Table,
        symbol: &str,
        recv: Nanos,
        [bids, asks]: [&[Level]; 2],
        body: impl FnOnce(LevelRange) -> Body,
    ) -> Result<(), ImportError> {
        self.decoded.clear();
        self.decoded.levels.extend(bids.iter().chain(asks));
        let count = |side: &[Level]| u32::try_from(side.len()).unwrap_or(u32::MAX);
        let range = LevelRange { start: 0, bids: count(bids), asks: count(asks) };
        self.take(table, symbol, (recv, Order::NotFalling), body(range))
    }

    /// Takes a closed candle under the name of its length.
    pub(super) fn tell_kline(
        &mut self,
        table: &Table,
        symbol: &str,
        recv: Nanos,
        (mut kline, interval): (Kline, &str),
    ) -> Result<(), ImportError> {
        self.decoded.clear();
        kline.interval = Span { start: 0, end: u32::try_from(interval.len()).unwrap_or(0) };
        self.decoded.klines.push(kline);
        let times = Times { event: Some(recv), transaction: None };
        let body = Body::Kline(KlineAt { times, index: 0 });
        let kind = format!("{}_{interval}", body.kind().name());
        let recv = self.check(table, symbol, (recv, Order::Rising), &kind)?;
        self.encode(table, symbol, recv, body, interval.as_bytes())
    }

    fn take(
        &mut self,
        table: &Table,
        symbol: &str,
        (recv, order): (Nanos, Order),
        body: Body,
    ) -> Result<(), ImportError> {
        let recv = self.check(table, symbol, (recv, order), body.kind().name())?;
        self.encode(table, symbol, recv, body, &[])
    }

    /// Refuses what repeats or goes back, and says when the row is told: at its time, but for one that a repaired file
    /// has behind a later one.
    fn check(
        &mut self,
        table: &Table,
        symbol: &str,
        (mut recv, order): (Nanos, Order),
        kind: &str,
    ) -> Result<Nanos, ImportError> {
        let id = match order {
            Order::Id(id) | Order::Numbered(id) => Some(id),
            Order::Rising | Order::NotFalling => None,
        };
        let stream = key(symbol, kind);
        let last = self.last.get(&stream).copied();
        let is_by_id = id.is_some() && table.repair() == Repair::Done;
        let behind = last.map_or(Nanos(0), |last| Nanos(last.at.0.saturating_sub(recv.0)));
        if is_by_id && behind > Nanos(0) && behind <= RAISED_MAX {
            recv = recv.after(behind);
            self.facts.rows_raised += 1;
        }
        let id = id.unwrap_or(0);
        self.last.insert(stream, Last { at: recv, id, line: table.line() });
        self.facts.count(symbol, kind, recv);
        let Some(last) = last else {
            self.symbols.insert(symbol.to_owned());
            return check_count(table, self.symbols.len()).map(|()| recv);
        };
        let (line, way_out) = (last.line, table.way_out());
        if recv < last.at && is_by_id {
            return Err(table.error(format!(
                "{symbol}: its id says that it came behind line {line}, and its time more than {} s before",
                RAISED_MAX.0 / Nanos::SECOND
            )));
        }
        if recv < last.at {
            return Err(table.error(format!(
                "{symbol} goes back in time: line {line} is later (a day that stands there twice?){way_out}"
            )));
        }
        let is_again = match order {
            Order::Rising => recv == last.at,
            Order::Id(id) | Order::Numbered(id) => id <= last.id,
            Order::NotFalling => false,
        };
        if is_again {
            return Err(table.error(match table.repair() {
                Repair::Done => format!("{symbol}: line {line} is of the same time and differs"),
                Repair::None | Repair::Offered => {
                    format!("{symbol}: the same again as in line {line}, or older{way_out}")
                }
            }));
        }
        if let Order::Numbered(id) = order {
            self.facts.ids_missing += id.abs_diff(last.id) - 1;
        }
        Ok(recv)
    }

    fn encode(
        &mut self,
        table: &Table,
        symbol: &str,
        recv: Nanos,
        body: Body,
        text: &[u8],
    ) -> Result<(), ImportError> {
        self.encoder.begin(&[]);
        let message = Message { symbol: Span::NONE, body };
        let added = self.encoder.add(symbol, &message, &self.decoded, text);
        added.map_err(|what| table.error(what))?;
        self.sorter
            .add(recv, self.encoder.bytes())
            .map_err(|error| ImportError::of_file(table.name(), error))
    }
}
