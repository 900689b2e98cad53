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

/// The last row of a stream, and the ids that it has had.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Nanos,
    id_min: i64,
    id_max: i64,
    line: u64,
}

impl Last {
    /// Ids that are missing between the least and the greatest, now that there is one more.
    fn missing_with(&self, missing: u64, id: i64) -> u64 {
        let beyond = if id > self.id_max { self.id_max } else { self.id_min };
        if (self.id_min..=self.id_max).contains(&id) {
            return missing.saturating_sub(1);
        }
        missing.saturating_add(id.abs_diff(beyond) - 1)
    }
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
        self.check(table, symbol, (recv, Order::Rising), &kind)?;
        self.encode(table, symbol, recv, body, interval.as_bytes())
    }

    fn take(
        &mut self,
        table: &Table,
        symbol: &str,
        (recv, order): (Nanos, Order),
        body: Body,
    ) -> Result<(), ImportError> {
        self.check(table, symbol, (recv, order), body.kind().name())?;
        self.encode(table, symbol, recv, body, &[])
    }

    fn check(
        &mut self,
        table: &Table,
        symbol: &str,
        (recv, order): (Nanos, Order),
        kind: &str,
    ) -> Result<(), ImportError> {
        let id = match order {
            Order::Id(id) | Order::Numbered(id) => id,
            Order::Rising | Order::NotFalling => 0,
        };
        let now = Last { at: recv, id_min: id, id_max: id, line: table.line() };
        let stream = key(symbol, kind);
        let last = self.last.get(&stream).copied();
        let range = last.map_or(now, |last| Last {
            id_min: last.id_min.min(id),
            id_max: last.id_max.max(id),
            ..now
        });
        self.last.insert(stream, range);
        self.facts.count(symbol, kind, recv);
        let Some(last) = last else {
            self.symbols.insert(symbol.to_owned());
            return check_count(table, self.symbols.len());
        };
        let (line, way_out) = (last.line, table.way_out());
        if recv < last.at {
            return Err(table.error(format!(
                "{symbol} goes back in time: line {line} is later (a day that stands there twice?){way_out}"
            )));
        }
        let is_again = match order {
            Order::Rising => recv == last.at,
            // Where rows were put in the order of time it was found before that no two have one id.
            Order::Id(id) | Order::Numbered(id) => {
                id <= last.id_max && table.repair() != Repair::Done
            }
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
            self.facts.ids_missing = last.missing_with(self.facts.ids_missing, id);
        }
        Ok(())
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
