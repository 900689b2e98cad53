//! Where rows go: checked for order and repetition, encoded, and handed to the sorter.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::market::{
    Body, Decoded, Kline, KlineAt, Level, LevelRange, Message, Span, Times,
};
use fusewire_core::units::Nanos;

use super::error::ImportError;
use super::facts::{Facts, key};
use super::sort::Sorter;
use super::table::Table;
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

/// The last row of a stream.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Nanos,
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
        let now = Last { at: recv, id, line: table.line() };
        let last = self.last.insert(key(symbol, kind), now);
        self.facts.count(symbol, kind, recv);
        let Some(last) = last else {
            self.symbols.insert(symbol.to_owned());
            return check_count(table, self.symbols.len());
        };
        let line = last.line;
        if recv < last.at {
            return Err(table.error(format!(
                "{symbol} goes back in time: line {line} is later (a day that stands there twice?)"
            )));
        }
        let is_again = match order {
            Order::Rising => recv == last.at,
            Order::Id(id) | Order::Numbered(id) => id <= last.id,
            Order::NotFalling => false,
        };
        if is_again {
            return Err(
                table.error(format!("{symbol}: the same again as in line {line}, or older"))
            );
        }
        if let Order::Numbered(id) = order {
            let missing = id.abs_diff(last.id) - 1;
            self.facts.ids_missing = self.facts.ids_missing.saturating_add(missing);
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
