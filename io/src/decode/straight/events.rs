//! One reader an event: the text that comes next, the values between, and the keys that may be missing.

use fusewire_core::market::{
    AggTrade, Body, BookTicker, Depth, DepthIds, Level, LevelRange, Mark, Times, Trade, TradeOrigin,
};
use fusewire_core::units::{Nanos, Px};

use super::super::rows::aggressor;
use super::super::scan::{Odd, Step};
use super::Reader;
use super::cursor::{Clock, Cursor};
use super::levels::{Looks, read_side};

impl Reader<'_> {
    /// USD-M names the event first, COIN-M the id, and spot neither event nor times.
    pub(super) fn book_ticker(self, row: &[u8]) -> Step<()> {
        let mut cursor = Cursor::new(row, self.length);
        let event_first = cursor.has(b"{\"e\":\"bookTicker\",\"u\":");
        if !event_first {
            cursor.take(b"{\"u\":")?;
        }
        let id = cursor.id_of::<13>()?;
        if !event_first {
            cursor.has(b",\"e\":\"bookTicker\"");
        }
        cursor.take(b",\"s\":\"")?;
        let symbol = cursor.symbol(self.symbol_length)?;
        if cursor.has(b"\",\"ps\":\"") {
            cursor.skip_name_like(self.symbol_length)?;
        }
        cursor.take(b"\",\"b\":\"")?;
        let (price, look) = cursor.decimal()?;
        cursor.take(b"\",\"B\":\"")?;
        let bid = Level { price: Px(price), qty: cursor.qty()? };
        cursor.take(b"\",\"a\":\"")?;
        let price = cursor.price_like(&look)?;
        cursor.take(b"\",\"A\":\"")?;
        let ask = Level { price, qty: cursor.qty()? };
        let mut times = Times::default();
        if cursor.has(b"\",\"T\":") {
            let acted = cursor.clock()?;
            times.transaction = Some(acted.time());
            cursor.take(b",\"E\":")?;
            times.event = Some(cursor.time_near(&acted)?);
        } else {
            cursor.take(b"\"")?;
        }
        self.finish(cursor, symbol, Body::BookTicker(BookTicker { times, id, bid, ask }))
    }

    /// Spot has no `T` and no `pu`; `ps` stands in the middle or at the end.
    pub(super) fn depth(self, row: &[u8], body: fn(Depth) -> Body) -> Step<()> {
        let mut cursor = Cursor::new(row, self.length);
        cursor.take(b"{\"e\":\"depthUpdate\",\"E\":")?;
        let sent = cursor.clock()?;
        let mut times = Times { event: Some(sent.time()), transaction: None };
        if cursor.has(b",\"T\":") {
            times.transaction = Some(cursor.time_near(&sent)?);
        }
        cursor.take(b",\"s\":\"")?;
        let symbol = cursor.symbol(self.symbol_length)?;
        if cursor.has(b"\",\"ps\":\"") {
            cursor.skip_name_like(self.symbol_length)?;
        }
        cursor.take(b"\",\"U\":")?;
        let mut ids = DepthIds { first: cursor.id_of::<13>()?, last: 0, prev: None };
        cursor.take(b",\"u\":")?;
        ids.last = cursor.id_of::<13>()?;
        if cursor.has(b",\"pu\":") {
            ids.prev = Some(cursor.id_of::<13>()?);
        }
        cursor.take(b",\"b\":")?;
        let mut looks = Looks::unknown();
        let bids = read_side(&mut cursor, &mut looks, &mut self.out.levels)?;
        cursor.take(b",\"a\":")?;
        let asks = read_side(&mut cursor, &mut looks, &mut self.out.levels)?;
        if cursor.has(b",\"ps\":\"") {
            cursor.skip_name()?;
            cursor.take(b"\"")?;
        }
        let levels = LevelRange { start: 0, bids, asks };
        self.finish(cursor, symbol, body(Depth { times, ids, levels }))
    }

    /// Spot has its `T` behind the quantity, buyer and seller before that in old frames, and no `X`.
    pub(super) fn trade(self, row: &[u8]) -> Step<()> {
        let mut cursor = Cursor::new(row, self.length);
        cursor.take(b"{\"e\":\"trade\",\"E\":")?;
        let sent = cursor.clock()?;
        let mut transaction = None;
        if cursor.has(b",\"T\":") {
            transaction = Some(cursor.time_near(&sent)?);
        }
        cursor.take(b",\"s\":\"")?;
        let symbol = cursor.symbol(self.symbol_length)?;
        cursor.take(b"\",\"t\":")?;
        let id = cursor.id_of::<10>()?;
        cursor.take(b",\"p\":\"")?;
        let price = positive(cursor.price()?)?;
        cursor.take(b"\",\"q\":\"")?;
        let qty = cursor.qty()?;
        if transaction.is_some() {
            // Any other origin, and the rows that are no trade, are for the scanner.
            if !cursor.has(b"\",\"X\":\"MARKET\",\"m\":") {
                cursor.take(b"\",\"m\":")?;
            }
        } else {
            transaction = Some(spot_time(&mut cursor, &sent)?);
        }
        let aggressor = aggressor(cursor.flag()?);
        if cursor.has(b",\"M\":") {
            cursor.flag()?;
        }
        let times = Times { event: Some(sent.time()), transaction };
        let origin = TradeOrigin::Market;
        let body = Body::Trade(Trade { times, id, price, qty, aggressor, origin });
        self.finish(cursor, symbol, body)
    }

    /// Spot has the id behind the symbol; the earliest frames had none.
    pub(super) fn agg_trade(self, row: &[u8]) -> Step<()> {
        let mut cursor = Cursor::new(row, self.length);
        cursor.take(b"{\"e\":\"aggTrade\",\"E\":")?;
        let sent = cursor.clock()?;
        let mut id = None;
        if cursor.has(b",\"a\":") {
            id = Some(cursor.id_of::<10>()?);
        }
        cursor.take(b",\"s\":\"")?;
        let symbol = cursor.symbol(self.symbol_length)?;
        if id.is_none() && cursor.has(b"\",\"a\":") {
            id = Some(cursor.id_of::<10>()?);
            cursor.take(b",\"p\":\"")?;
        } else {
            cursor.take(b"\",\"p\":\"")?;
        }
        let price = positive(cursor.price()?)?;
        cursor.take(b"\",\"q\":\"")?;
        let qty = cursor.qty()?;
        let mut normal_qty = qty;
        if cursor.has(b"\",\"nq\":\"") {
            normal_qty = cursor.qty()?;
        }
        cursor.take(b"\",\"f\":")?;
        let first_trade = cursor.id_of::<10>()?;
        cursor.take(b",\"l\":")?;
        let last_trade = cursor.id_of::<10>()?;
        cursor.take(b",\"T\":")?;
        let acted = cursor.time_near(&sent)?;
        let times = Times { event: Some(sent.time()), transaction: Some(acted) };
        cursor.take(b",\"m\":")?;
        let aggressor = aggressor(cursor.flag()?);
        if cursor.has(b",\"M\":") {
            cursor.flag()?;
        }
        let trade =
            AggTrade { times, id, price, qty, normal_qty, first_trade, last_trade, aggressor };
        self.finish(cursor, symbol, Body::AggTrade(trade))
    }

    /// `ap`, `P` and `i` came one after the other over the years, and COIN-M has no `i`.
    pub(super) fn mark(self, row: &[u8]) -> Step<()> {
        let mut cursor = Cursor::new(row, self.length);
        cursor.take(b"{\"e\":\"markPriceUpdate\",\"E\":")?;
        let times = Times { event: Some(cursor.time()?), transaction: None };
        cursor.take(b",\"s\":\"")?;
        let symbol = cursor.symbol(self.symbol_length)?;
        cursor.take(b"\",\"p\":\"")?;
        let price = cursor.fine_price()?;
        let (mut average, mut settle, mut index) = (None, None, None);
        if cursor.has(b"\",\"ap\":\"") {
            average = Some(cursor.fine_price()?);
        }
        if cursor.has(b"\",\"P\":\"") {
            settle = Some(cursor.fine_price()?);
        }
        if cursor.has(b"\",\"i\":\"") {
            index = Some(cursor.fine_price()?);
        }
        cursor.take(b"\",\"r\":\"")?;
        let funding_rate = Some(cursor.rate()?);
        cursor.take(b"\",\"T\":")?;
        // A dated contract says 0 here, which is no time of thirteen digits.
        let next_funding = Some(cursor.time()?);
        let mark = Mark { times, price, average, index, settle, funding_rate, next_funding };
        self.finish(cursor, symbol, Body::Mark(mark))
    }
}

/// The `T` of a spot trade, with what stands around it.
#[inline(always)]
fn spot_time(cursor: &mut Cursor<'_>, sent: &Clock) -> Step<Nanos> {
    if cursor.has(b"\",\"b\":") {
        cursor.id_of::<10>()?;
        cursor.take(b",\"a\":")?;
        cursor.id_of::<10>()?;
    } else {
        cursor.take(b"\"")?;
    }
    cursor.take(b",\"T\":")?;
    let time = cursor.time_near(sent)?;
    cursor.take(b",\"m\":")?;
    Ok(time)
}

/// A price of zero trades nowhere.
#[inline(always)]
fn positive(price: Px) -> Step<Px> {
    if price > Px::ZERO { Ok(price) } else { Err(Odd) }
}
