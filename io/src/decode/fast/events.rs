//! One reader an event. Each follows the order that `reference::events` states: every field well-formed,
//! then rows that are left out, then fields that are missing.

use fusewire_core::market::{
    AggTrade, Body, BookTicker, Decoded, Depth, DepthIds, Ignored, Level, Mark, Snapshot, Span,
    Times, Trade, TradeOrigin,
};
use fusewire_core::units::{Nanos, Px, Qty, Rate};

use super::super::DecodeErrorKind;
use super::super::rows::{Event, Reading, TradeMark, aggressor, side};
use super::super::scan::{Scan, Step, Stop};
use super::field::{Field, Name};
use super::levels::Sides;
use super::nested::{Candle, Order};
use super::{Pass, Place};

/// Symbol and body of a row.
type Row = Reading<(Span, Body)>;

impl Pass<'_> {
    pub(super) fn depth(&mut self, event: Event, place: Place, out: &mut Decoded) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family) = (Field::default(), Field::default());
        let (mut from, mut to, mut prev) = (Field::default(), Field::default(), Field::default());
        let mut sides = Sides::at(out);
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"depthUpdate")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"T" => acted.read(scan, "T", Scan::time)?,
                b"s" => symbol.read(scan, "s", Scan::word)?,
                b"U" => from.read(scan, "U", Scan::int)?,
                b"u" => to.read(scan, "u", Scan::int)?,
                b"pu" => prev.read(scan, "pu", Scan::int)?,
                b"b" => sides.bids(scan, "b", out)?,
                b"a" => sides.asks(scan, "a", out)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                _ => self.unknown(key, place)?,
            }
        }
        if self.other_market(family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let depth = Depth {
            times: Times { event: Some(sent.require(scan, "E")?), transaction: acted.value },
            ids: DepthIds {
                first: from.require(scan, "U")?,
                last: to.require(scan, "u")?,
                prev: prev.value,
            },
            levels: sides.range(scan, ["b", "a"])?,
        };
        let symbol = symbol.require(scan, "s")?;
        let partial = event == Event::PartialDepth;
        Ok(Ok((symbol, if partial { Body::PartialDepth(depth) } else { Body::Depth(depth) })))
    }

    pub(super) fn snapshot(&mut self, event: Event, place: Place, out: &mut Decoded) -> Step<Row> {
        let mut first = true;
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut last) = (Field::default(), Field::default());
        let mut sides = Sides::at(out);
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                // With an event type it would be another row.
                b"e" => return Err(Stop::Odd),
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"T" => acted.read(scan, "T", Scan::time)?,
                b"symbol" => symbol.read(scan, "symbol", Scan::word)?,
                b"lastUpdateId" => last.read(scan, "lastUpdateId", Scan::int)?,
                b"bids" => sides.bids(scan, "bids", out)?,
                b"asks" => sides.asks(scan, "asks", out)?,
                _ => self.unknown(key, place)?,
            }
        }
        let scan = &mut self.scan;
        let times = Times { event: sent.value, transaction: acted.value };
        let last_id = last.require(scan, "lastUpdateId")?;
        let levels = sides.range(scan, ["bids", "asks"])?;
        let ids = DepthIds { first: last_id, last: last_id, prev: None };
        let partial = event == Event::PartialSnapshot;
        Ok(Ok((
            symbol.value.unwrap_or(Span::NONE),
            if partial {
                Body::PartialDepth(Depth { times, ids, levels })
            } else {
                Body::Snapshot(Snapshot { times, last_id, levels })
            },
        )))
    }

    pub(super) fn book_ticker(&mut self, place: Place) -> Step<Row> {
        let mut fields = Ticker::default();
        let read = self.ticker_fields(&mut fields, place);
        // Without an event type only the complete shape makes the row a ticker, so that a fault
        // means something else there than here.
        if !fields.name.seen && (read.is_err() || !fields.complete()) {
            return Err(Stop::Odd);
        }
        read?;
        if self.other_market(fields.family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let ticker = BookTicker {
            times: Times { event: fields.sent.value, transaction: fields.acted.value },
            id: fields.id.require(scan, "u")?,
            bid: Level {
                price: fields.bid.require(scan, "b")?,
                qty: fields.bid_qty.require(scan, "B")?,
            },
            ask: Level {
                price: fields.ask.require(scan, "a")?,
                qty: fields.ask_qty.require(scan, "A")?,
            },
        };
        Ok(Ok((fields.symbol.require(scan, "s")?, Body::BookTicker(ticker))))
    }

    fn ticker_fields(&mut self, fields: &mut Ticker, place: Place) -> Step<()> {
        let mut first = true;
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => fields.name.read(scan, b"bookTicker")?,
                b"E" => fields.sent.read(scan, "E", Scan::time)?,
                b"T" => fields.acted.read(scan, "T", Scan::time)?,
                b"u" => fields.id.read(scan, "u", Scan::int)?,
                b"s" => fields.symbol.read(scan, "s", Scan::word)?,
                b"b" => fields.bid.read(scan, "b", Scan::price)?,
                b"B" => fields.bid_qty.read(scan, "B", Scan::qty)?,
                b"a" => fields.ask.read(scan, "a", Scan::price)?,
                b"A" => fields.ask_qty.read(scan, "A", Scan::qty)?,
                b"st" => fields.family.read(scan, "st", Scan::int)?,
                b"lastUpdateId" => return Err(Stop::Odd),
                _ => self.unknown(key, place)?,
            }
        }
        Ok(())
    }

    pub(super) fn trade(&mut self, place: Place) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family, mut id) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut qty) = (Field::default(), Field::default());
        let (mut maker, mut origin) = (Field::default(), Field::default());
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"trade")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"T" => acted.read(scan, "T", Scan::time)?,
                b"s" => symbol.read(scan, "s", Scan::word)?,
                b"t" => id.read(scan, "t", Scan::int)?,
                b"p" => price.read(scan, "p", Scan::price)?,
                b"q" => qty.read(scan, "q", Scan::qty)?,
                b"X" => origin.read(scan, "X", Scan::word)?,
                b"m" => maker.read(scan, "m", Scan::flag)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                _ => self.unknown(key, place)?,
            }
        }
        if self.other_market(family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let origin = match self.origin(origin.value) {
            Ok(origin) => origin,
            Err(ignored) => return Ok(Err(ignored)),
        };
        let scan = &mut self.scan;
        let (event, transaction) = (sent.require(scan, "E")?, acted.require(scan, "T")?);
        let trade = Trade {
            times: Times { event: Some(event), transaction: Some(transaction) },
            id: id.require(scan, "t")?,
            price: positive(scan, price, "p")?,
            qty: qty.require(scan, "q")?,
            aggressor: aggressor(maker.require(scan, "m")?),
            origin,
        };
        Ok(Ok((symbol.require(scan, "s")?, Body::Trade(trade))))
    }

    fn origin(&self, word: Option<Span>) -> Reading<TradeOrigin> {
        let Some(span) = word else { return Ok(TradeOrigin::Market) };
        match TradeMark::of(self.scan.bytes_of(span)) {
            TradeMark::Origin(origin) => Ok(origin),
            TradeMark::Placeholder => Err(Ignored::Placeholder),
            TradeMark::Unknown => Err(Ignored::UnknownValue(span)),
        }
    }

    pub(super) fn agg_trade(&mut self, place: Place) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family, mut id) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut qty, mut normal) =
            (Field::default(), Field::default(), Field::default());
        let (mut from, mut to, mut maker) = (Field::default(), Field::default(), Field::default());
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"aggTrade")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"T" => acted.read(scan, "T", Scan::time)?,
                b"s" => symbol.read(scan, "s", Scan::word)?,
                b"a" => id.read(scan, "a", Scan::int)?,
                b"p" => price.read(scan, "p", Scan::price)?,
                b"q" => qty.read(scan, "q", Scan::qty)?,
                b"nq" => normal.read(scan, "nq", Scan::qty)?,
                b"f" => from.read(scan, "f", Scan::int)?,
                b"l" => to.read(scan, "l", Scan::int)?,
                b"m" => maker.read(scan, "m", Scan::flag)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                _ => self.unknown(key, place)?,
            }
        }
        if self.other_market(family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let (event, transaction) = (sent.require(scan, "E")?, acted.require(scan, "T")?);
        let qty: Qty = qty.require(scan, "q")?;
        let trade = AggTrade {
            times: Times { event: Some(event), transaction: Some(transaction) },
            id: id.value,
            price: positive(scan, price, "p")?,
            qty,
            normal_qty: normal.value.unwrap_or(qty),
            first_trade: from.require(scan, "f")?,
            last_trade: to.require(scan, "l")?,
            aggressor: aggressor(maker.require(scan, "m")?),
        };
        Ok(Ok((symbol.require(scan, "s")?, Body::AggTrade(trade))))
    }

    pub(super) fn mark(&mut self, place: Place) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut symbol, mut family) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut average) = (Field::default(), Field::default());
        let (mut index, mut settle) = (Field::default(), Field::default());
        let mut rate: Field<Rate> = Field::default();
        let mut next: Field<Nanos> = Field::default();
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"markPriceUpdate")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"T" => next.read(scan, "T", Scan::time)?,
                b"s" => symbol.read(scan, "s", Scan::word)?,
                b"p" => price.read(scan, "p", Scan::price)?,
                b"ap" => average.read(scan, "ap", Scan::price)?,
                b"i" => index.read(scan, "i", Scan::price)?,
                b"P" => settle.read(scan, "P", Scan::price)?,
                b"r" => rate.read(scan, "r", Scan::rate)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                _ => self.unknown(key, place)?,
            }
        }
        if self.other_market(family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let mark = Mark {
            times: Times { event: Some(sent.require(scan, "E")?), transaction: None },
            price: price.require(scan, "p")?,
            average: average.value,
            index: index.value,
            settle: settle.value,
            funding_rate: rate.value,
            next_funding: next.value.filter(|&time| time > Nanos(0)),
        };
        Ok(Ok((symbol.require(scan, "s")?, Body::Mark(mark))))
    }

    pub(super) fn liquidation(&mut self, place: Place) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut family) = (Field::default(), Field::default());
        let mut order: Option<Order> = None;
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"forceOrder")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                b"o" if order.is_some() => return scan.bad(DecodeErrorKind::Duplicate("o")),
                b"o" => order = Some(Order::read(scan)?),
                _ => self.unknown(key, place)?,
            }
        }
        let Some(order) = order else { return self.scan.bad(DecodeErrorKind::Missing("o")) };
        if self.other_market(family.value) || self.other_market(order.family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let word = order.side.require(scan, "S")?;
        let Some(side) = side(scan.bytes_of(word)) else {
            return Ok(Err(Ignored::UnknownValue(word)));
        };
        let sent = sent.require(scan, "E")?;
        let (symbol, liquidation) = order.finish(scan, sent, side)?;
        Ok(Ok((symbol, Body::Liquidation(liquidation))))
    }

    pub(super) fn kline(&mut self, place: Place) -> Step<Row> {
        let (mut name, mut first) = (Name::default(), true);
        let (mut sent, mut symbol, mut family) =
            (Field::default(), Field::default(), Field::default());
        let mut candle: Option<Candle> = None;
        while let Some(key) = self.scan.key(&mut first)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"kline")?,
                b"E" => sent.read(scan, "E", Scan::time)?,
                b"s" => symbol.read(scan, "s", Scan::word)?,
                b"st" => family.read(scan, "st", Scan::int)?,
                b"k" if candle.is_some() => return scan.bad(DecodeErrorKind::Duplicate("k")),
                b"k" => candle = Some(Candle::read(scan)?),
                _ => self.unknown(key, place)?,
            }
        }
        let Some(candle) = candle else { return self.scan.bad(DecodeErrorKind::Missing("k")) };
        if self.other_market(family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &mut self.scan;
        let sent = sent.require(scan, "E")?;
        let kline = candle.finish(scan, sent)?;
        Ok(Ok((symbol.require(scan, "s")?, Body::Kline(kline))))
    }
}

/// The fields of a book ticker.
#[derive(Default)]
struct Ticker {
    name: Name,
    sent: Field<Nanos>,
    acted: Field<Nanos>,
    family: Field<i64>,
    symbol: Field<Span>,
    id: Field<i64>,
    bid: Field<Px>,
    bid_qty: Field<Qty>,
    ask: Field<Px>,
    ask_qty: Field<Qty>,
}

impl Ticker {
    /// Every key that makes the shape is there.
    fn complete(&self) -> bool {
        let prices = self.bid.seen && self.bid_qty.seen && self.ask.seen && self.ask_qty.seen;
        self.id.seen && self.symbol.seen && prices
    }
}

fn positive(scan: &mut Scan<'_>, price: Field<Px>, key: &'static str) -> Step<Px> {
    match price.require(scan, key)? {
        Px::ZERO => scan.bad(DecodeErrorKind::NotPositive(key)),
        price => Ok(price),
    }
}
