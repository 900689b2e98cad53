//! One reader an event. Rows of other markets are left out, rows that are not complete are odd.

use fusewire_core::market::{
    AggTrade, Body, BookTicker, Decoded, Depth, DepthIds, Ignored, KlineAt, Level, Mark, Snapshot,
    Span, Times, Trade, TradeOrigin,
};
use fusewire_core::units::{Nanos, Px, Qty, Rate};

use super::super::rows::{Reading, RowKind, TradeMark, aggressor, is_other_market, side};
use super::super::scan::{Odd, Scan, Step};
use super::field::{Field, Name};
use super::levels::Sides;
use super::nested::{Candle, Order};
use super::{Pass, Position};

/// Symbol and body of a row.
type Row = Reading<(Span, Body)>;

impl Pass<'_> {
    pub(super) fn depth(
        &mut self,
        kind: RowKind,
        position: Position,
        out: &mut Decoded,
    ) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family) = (Field::default(), Field::default());
        let (mut from, mut to, mut prev) = (Field::default(), Field::default(), Field::default());
        let mut sides = Sides::at(out);
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"depthUpdate")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"T" => acted.read(scan, Scan::time)?,
                b"s" => symbol.read(scan, Scan::word)?,
                b"U" => from.read(scan, Scan::int)?,
                b"u" => to.read(scan, Scan::int)?,
                b"pu" => prev.read(scan, Scan::int)?,
                b"b" => sides.bids(scan, out)?,
                b"a" => sides.asks(scan, out)?,
                b"st" => family.read(scan, Scan::int)?,
                _ => self.unknown(key, position)?,
            }
        }
        if is_other_market(self.market, family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let depth = Depth {
            times: Times { event: Some(sent.require()?), transaction: acted.value },
            ids: DepthIds { first: from.require()?, last: to.require()?, prev: prev.value },
            levels: sides.range()?,
        };
        let symbol = symbol.require()?;
        let partial = kind == RowKind::PartialDepth;
        Ok(Ok((symbol, if partial { Body::PartialDepth(depth) } else { Body::Depth(depth) })))
    }

    pub(super) fn snapshot(
        &mut self,
        kind: RowKind,
        position: Position,
        out: &mut Decoded,
    ) -> Step<Row> {
        let mut lead = b'{';
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut last) = (Field::default(), Field::default());
        let mut sides = Sides::at(out);
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                // With an event type it would be another row.
                b"e" => return Err(Odd),
                b"E" => sent.read(scan, Scan::time)?,
                b"T" => acted.read(scan, Scan::time)?,
                b"symbol" => symbol.read(scan, Scan::word)?,
                b"lastUpdateId" => last.read(scan, Scan::int)?,
                b"bids" => sides.bids(scan, out)?,
                b"asks" => sides.asks(scan, out)?,
                _ => self.unknown(key, position)?,
            }
        }
        let times = Times { event: sent.value, transaction: acted.value };
        let last_id = last.require()?;
        let levels = sides.range()?;
        let ids = DepthIds { first: last_id, last: last_id, prev: None };
        let partial = kind == RowKind::PartialSnapshot;
        Ok(Ok((
            symbol.value.unwrap_or(Span::NONE),
            if partial {
                Body::PartialDepth(Depth { times, ids, levels })
            } else {
                Body::Snapshot(Snapshot { times, last_id, levels })
            },
        )))
    }

    pub(super) fn book_ticker(&mut self, position: Position) -> Step<Row> {
        let mut fields = Ticker::default();
        self.ticker_fields(&mut fields, position)?;
        // Without an event type only the complete shape makes the row a ticker.
        if !fields.name.seen && !fields.complete() {
            return Err(Odd);
        }
        if is_other_market(self.market, fields.family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let ticker = BookTicker {
            times: Times { event: fields.sent.value, transaction: fields.acted.value },
            id: fields.id.require()?,
            bid: Level { price: fields.bid.require()?, qty: fields.bid_qty.require()? },
            ask: Level { price: fields.ask.require()?, qty: fields.ask_qty.require()? },
        };
        Ok(Ok((fields.symbol.require()?, Body::BookTicker(ticker))))
    }

    fn ticker_fields(&mut self, fields: &mut Ticker, position: Position) -> Step<()> {
        let mut lead = b'{';
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => fields.name.read(scan, b"bookTicker")?,
                b"E" => fields.sent.read(scan, Scan::time)?,
                b"T" => fields.acted.read(scan, Scan::time)?,
                b"u" => fields.id.read(scan, Scan::int)?,
                b"s" => fields.symbol.read(scan, Scan::word)?,
                b"b" => fields.bid.read(scan, Scan::price)?,
                b"B" => fields.bid_qty.read(scan, Scan::qty)?,
                b"a" => fields.ask.read(scan, Scan::price)?,
                b"A" => fields.ask_qty.read(scan, Scan::qty)?,
                b"st" => fields.family.read(scan, Scan::int)?,
                b"lastUpdateId" => return Err(Odd),
                _ => self.unknown(key, position)?,
            }
        }
        Ok(())
    }

    pub(super) fn trade(&mut self, position: Position) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family, mut id) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut qty) = (Field::default(), Field::default());
        let (mut maker, mut origin) = (Field::default(), Field::default());
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"trade")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"T" => acted.read(scan, Scan::time)?,
                b"s" => symbol.read(scan, Scan::word)?,
                b"t" => id.read(scan, Scan::int)?,
                b"p" => price.read(scan, Scan::price)?,
                b"q" => qty.read(scan, Scan::qty)?,
                b"X" => origin.read(scan, Scan::word)?,
                b"m" => maker.read(scan, Scan::flag)?,
                b"st" => family.read(scan, Scan::int)?,
                _ => self.unknown(key, position)?,
            }
        }
        if is_other_market(self.market, family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let origin = match self.origin(origin.value) {
            Ok(origin) => origin,
            Err(ignored) => return Ok(Err(ignored)),
        };
        let (event, transaction) = (sent.require()?, acted.require()?);
        let trade = Trade {
            times: Times { event: Some(event), transaction: Some(transaction) },
            id: id.require()?,
            price: positive(price)?,
            qty: qty.require()?,
            aggressor: aggressor(maker.require()?),
            origin,
        };
        Ok(Ok((symbol.require()?, Body::Trade(trade))))
    }

    fn origin(&self, word: Option<Span>) -> Reading<TradeOrigin> {
        let Some(span) = word else { return Ok(TradeOrigin::Market) };
        match TradeMark::of(self.scan.bytes_of(span)) {
            TradeMark::Origin(origin) => Ok(origin),
            TradeMark::Placeholder => Err(Ignored::Placeholder),
            TradeMark::Unknown => Err(Ignored::UnknownValue(span)),
        }
    }

    pub(super) fn agg_trade(&mut self, position: Position) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut acted) = (Field::default(), Field::default());
        let (mut symbol, mut family, mut id) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut qty, mut normal) =
            (Field::default(), Field::default(), Field::default());
        let (mut from, mut to, mut maker) = (Field::default(), Field::default(), Field::default());
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"aggTrade")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"T" => acted.read(scan, Scan::time)?,
                b"s" => symbol.read(scan, Scan::word)?,
                b"a" => id.read(scan, Scan::int)?,
                b"p" => price.read(scan, Scan::price)?,
                b"q" => qty.read(scan, Scan::qty)?,
                b"nq" => normal.read(scan, Scan::qty)?,
                b"f" => from.read(scan, Scan::int)?,
                b"l" => to.read(scan, Scan::int)?,
                b"m" => maker.read(scan, Scan::flag)?,
                b"st" => family.read(scan, Scan::int)?,
                _ => self.unknown(key, position)?,
            }
        }
        if is_other_market(self.market, family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let (event, transaction) = (sent.require()?, acted.require()?);
        let qty: Qty = qty.require()?;
        let trade = AggTrade {
            times: Times { event: Some(event), transaction: Some(transaction) },
            id: id.value,
            price: positive(price)?,
            qty,
            normal_qty: normal.value.unwrap_or(qty),
            first_trade: from.require()?,
            last_trade: to.require()?,
            aggressor: aggressor(maker.require()?),
        };
        Ok(Ok((symbol.require()?, Body::AggTrade(trade))))
    }

    pub(super) fn mark(&mut self, position: Position) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut symbol, mut family) =
            (Field::default(), Field::default(), Field::default());
        let (mut price, mut average) = (Field::default(), Field::default());
        let (mut index, mut settle) = (Field::default(), Field::default());
        let mut rate: Field<Rate> = Field::default();
        let mut next: Field<Nanos> = Field::default();
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"markPriceUpdate")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"T" => next.read(scan, Scan::time)?,
                b"s" => symbol.read(scan, Scan::word)?,
                b"p" => price.read(scan, Scan::price)?,
                b"ap" => average.read(scan, Scan::price)?,
                b"i" => index.read(scan, Scan::price)?,
                b"P" => settle.read(scan, Scan::price)?,
                b"r" => rate.read(scan, Scan::rate)?,
                b"st" => family.read(scan, Scan::int)?,
                _ => self.unknown(key, position)?,
            }
        }
        if is_other_market(self.market, family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        // A dated contract says time 0: it has no funding, whatever the rate says.
        let no_funding = next.value == Some(Nanos(0));
        let mark = Mark {
            times: Times { event: Some(sent.require()?), transaction: None },
            price: price.require()?,
            average: average.value,
            index: index.value,
            settle: settle.value,
            funding_rate: rate.value.filter(|_| !no_funding),
            next_funding: next.value.filter(|_| !no_funding),
        };
        Ok(Ok((symbol.require()?, Body::Mark(mark))))
    }

    pub(super) fn liquidation(&mut self, position: Position) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut family) = (Field::default(), Field::default());
        let mut order: Option<Order> = None;
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"forceOrder")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"st" => family.read(scan, Scan::int)?,
                b"o" if order.is_some() => return Err(Odd),
                b"o" => order = Some(Order::read(scan)?),
                _ => self.unknown(key, position)?,
            }
        }
        let order = order.ok_or(Odd)?;
        if is_other_market(self.market, family.value)
            || is_other_market(self.market, order.family.value)
        {
            return Ok(Err(Ignored::OtherMarket));
        }
        let scan = &self.scan;
        let word = order.side.require()?;
        let Some(side) = side(scan.bytes_of(word)) else {
            return Ok(Err(Ignored::UnknownValue(word)));
        };
        let (symbol, liquidation) = order.finish(sent.require()?, side)?;
        Ok(Ok((symbol, Body::Liquidation(liquidation))))
    }

    pub(super) fn kline(&mut self, position: Position, out: &mut Decoded) -> Step<Row> {
        let (mut name, mut lead) = (Name::default(), b'{');
        let (mut sent, mut symbol, mut family) =
            (Field::default(), Field::default(), Field::default());
        let mut candle: Option<Candle> = None;
        while let Some(key) = self.scan.key(&mut lead)? {
            let scan = &mut self.scan;
            match key {
                b"e" => name.read(scan, b"kline")?,
                b"E" => sent.read(scan, Scan::time)?,
                b"s" => symbol.read(scan, Scan::word)?,
                b"st" => family.read(scan, Scan::int)?,
                b"k" if candle.is_some() => return Err(Odd),
                b"k" => candle = Some(Candle::read(scan)?),
                _ => self.unknown(key, position)?,
            }
        }
        let candle = candle.ok_or(Odd)?;
        if is_other_market(self.market, family.value) {
            return Ok(Err(Ignored::OtherMarket));
        }
        let (kline, symbol) = (candle.finish()?, symbol.require()?);
        let times = Times { event: Some(sent.require()?), transaction: None };
        let index = u32::try_from(out.klines.len()).map_err(|_| Odd)?;
        out.klines.push(kline);
        Ok(Ok((symbol, Body::Kline(KlineAt { times, index }))))
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

/// A price of zero trades nowhere.
fn positive(price: Field<Px>) -> Step<Px> {
    price.require().and_then(|price| if price > Px::ZERO { Ok(price) } else { Err(Odd) })
}
