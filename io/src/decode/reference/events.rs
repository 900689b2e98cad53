//! One function an event: every field looked up, converted, then required.
//!
//! The order is the same everywhere, because it decides between error and "ignored": rows of other
//! markets are left out whatever is in them, then every field that is there must be well-formed, then
//! values that mean "no message" are left out, then fields that are missing are an error.

use fusewire_core::instrument::Market;
use fusewire_core::market::{
    AggTrade, Body, BookTicker, Bracket, ContractInfo, Decoded, Depth, DepthIds, Ignored, Kline,
    KlineAt, Level, LevelRange, Liquidation, Mark, Snapshot, Span, Times, Trade, TradeOrigin,
};
use fusewire_core::units::{
    DECIMALS, Nanos, NumberError, Px, Qty, QtySum, RATE_DECIMALS, Rate, UsdSum,
};

use super::super::rows::{Reading, RowKind, TradeMark, aggressor, is_other_market, side};
use super::super::{BRACKETS_MAX, DecodeError, DecodeErrorKind, LEVELS_MAX};
use super::json::Object;

type Key = &'static str;

/// Symbol and body of a row.
pub(super) fn read(
    row: &Object<'_>,
    kind: RowKind,
    market: Market,
    out: &mut Decoded,
) -> Result<Reading<(Span, Body)>, DecodeError> {
    // Snapshots name no family: they are answers to a question about one symbol.
    let asked = matches!(kind, RowKind::Snapshot | RowKind::PartialSnapshot);
    if !asked && other_market(row, market)? {
        return Ok(Err(Ignored::OtherMarket));
    }
    match kind {
        RowKind::Depth | RowKind::PartialDepth => depth(row, kind, out),
        RowKind::Snapshot | RowKind::PartialSnapshot => snapshot(row, kind, out),
        RowKind::BookTicker => book_ticker(row),
        RowKind::Trade => trade(row),
        RowKind::AggTrade => agg_trade(row),
        RowKind::Mark => mark(row),
        RowKind::Liquidation => liquidation(row, market),
        RowKind::Kline => kline(row, out),
        RowKind::ContractInfo => contract_info(row, out),
    }
}

fn depth(
    row: &Object<'_>,
    kind: RowKind,
    out: &mut Decoded,
) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: time(row, "T")? };
    let symbol = symbol(row, "s")?;
    let (first, last, prev) = (int(row, "U")?, int(row, "u")?, int(row, "pu")?);
    let (bids, asks) = (levels(row, "b")?, levels(row, "a")?);
    require(row, times.event, "E")?;
    let ids = DepthIds { first: require(row, first, "U")?, last: require(row, last, "u")?, prev };
    let symbol = require(row, symbol, "s")?;
    let levels = store(row, bids, asks, ["b", "a"], out)?;
    let depth = Depth { times, ids, levels };
    let partial = kind == RowKind::PartialDepth;
    Ok(Ok((symbol, if partial { Body::PartialDepth(depth) } else { Body::Depth(depth) })))
}

fn snapshot(
    row: &Object<'_>,
    kind: RowKind,
    out: &mut Decoded,
) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: time(row, "T")? };
    let symbol = symbol(row, "symbol")?.unwrap_or(Span::NONE);
    let last = int(row, "lastUpdateId")?;
    let (bids, asks) = (levels(row, "bids")?, levels(row, "asks")?);
    let last_id = require(row, last, "lastUpdateId")?;
    let levels = store(row, bids, asks, ["bids", "asks"], out)?;
    let ids = DepthIds { first: last_id, last: last_id, prev: None };
    let partial = kind == RowKind::PartialSnapshot;
    Ok(Ok((
        symbol,
        if partial {
            Body::PartialDepth(Depth { times, ids, levels })
        } else {
            Body::Snapshot(Snapshot { times, last_id, levels })
        },
    )))
}

fn book_ticker(row: &Object<'_>) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: time(row, "T")? };
    let (id, symbol) = (int(row, "u")?, symbol(row, "s")?);
    let (bid, bid_qty) = (price(row, "b")?, qty(row, "B")?);
    let (ask, ask_qty) = (price(row, "a")?, qty(row, "A")?);
    let ticker = BookTicker {
        times,
        id: require(row, id, "u")?,
        bid: Level { price: require(row, bid, "b")?, qty: require(row, bid_qty, "B")? },
        ask: Level { price: require(row, ask, "a")?, qty: require(row, ask_qty, "A")? },
    };
    Ok(Ok((require(row, symbol, "s")?, Body::BookTicker(ticker))))
}

fn trade(row: &Object<'_>) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: time(row, "T")? };
    let (id, symbol) = (int(row, "t")?, symbol(row, "s")?);
    let (price, qty) = (price(row, "p")?, qty(row, "q")?);
    let (maker, origin) = (flag(row, "m")?, word(row, "X")?);
    let origin = match origin.map(|span| (span, TradeMark::of(span.of(row.frame())))) {
        None => TradeOrigin::Market,
        Some((_, TradeMark::Origin(origin))) => origin,
        Some((_, TradeMark::Placeholder)) => return Ok(Err(Ignored::Placeholder)),
        Some((span, TradeMark::Unknown)) => return Ok(Err(Ignored::UnknownValue(span))),
    };
    require(row, times.event, "E")?;
    require(row, times.transaction, "T")?;
    let trade = Trade {
        times,
        id: require(row, id, "t")?,
        price: positive(row, require(row, price, "p")?, "p")?,
        qty: require(row, qty, "q")?,
        aggressor: aggressor(require(row, maker, "m")?),
        origin,
    };
    Ok(Ok((require(row, symbol, "s")?, Body::Trade(trade))))
}

fn agg_trade(row: &Object<'_>) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: time(row, "T")? };
    let (id, symbol) = (int(row, "a")?, symbol(row, "s")?);
    let (price, quantity, normal) = (price(row, "p")?, qty(row, "q")?, qty(row, "nq")?);
    let (first, last, maker) = (int(row, "f")?, int(row, "l")?, flag(row, "m")?);
    require(row, times.event, "E")?;
    require(row, times.transaction, "T")?;
    let quantity = require(row, quantity, "q")?;
    let trade = AggTrade {
        times,
        id,
        price: positive(row, require(row, price, "p")?, "p")?,
        qty: quantity,
        normal_qty: normal.unwrap_or(quantity),
        first_trade: require(row, first, "f")?,
        last_trade: require(row, last, "l")?,
        aggressor: aggressor(require(row, maker, "m")?),
    };
    Ok(Ok((require(row, symbol, "s")?, Body::AggTrade(trade))))
}

fn mark(row: &Object<'_>) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: None };
    let (symbol, price_now) = (symbol(row, "s")?, price(row, "p")?);
    let (average, index, settle) = (price(row, "ap")?, price(row, "i")?, price(row, "P")?);
    let (funding_rate, next_funding) = (rate(row, "r")?, time(row, "T")?);
    // A dated contract says time 0: it has no funding, whatever the rate says.
    let no_funding = next_funding == Some(Nanos(0));
    let funding_rate = funding_rate.filter(|_| !no_funding);
    let next_funding = next_funding.filter(|_| !no_funding);
    require(row, times.event, "E")?;
    let price = require(row, price_now, "p")?;
    let mark = Mark { times, price, average, index, settle, funding_rate, next_funding };
    Ok(Ok((require(row, symbol, "s")?, Body::Mark(mark))))
}

fn liquidation(row: &Object<'_>, market: Market) -> Result<Reading<(Span, Body)>, DecodeError> {
    let event = time(row, "E")?;
    let order = row.object("o")?;
    let order = require(row, order, "o")?;
    // `st` stands inside `o` on the wire, outside in a published sample.
    if other_market(&order, market)? {
        return Ok(Err(Ignored::OtherMarket));
    }
    let times = Times { event, transaction: time(&order, "T")? };
    let (symbol, side_word) = (symbol(&order, "s")?, word(&order, "S")?);
    let (limit, average) = (price(&order, "p")?, price(&order, "ap")?);
    let (original, last, filled) = (qty(&order, "q")?, qty(&order, "l")?, qty(&order, "z")?);
    let side_word = require(&order, side_word, "S")?;
    let Some(side) = side(side_word.of(row.frame())) else {
        return Ok(Err(Ignored::UnknownValue(side_word)));
    };
    require(row, times.event, "E")?;
    require(&order, times.transaction, "T")?;
    let liquidation = Liquidation {
        times,
        side,
        price: require(&order, limit, "p")?,
        average: require(&order, average, "ap")?,
        qty: require(&order, original, "q")?,
        last_qty: require(&order, last, "l")?,
        filled_qty: require(&order, filled, "z")?,
    };
    Ok(Ok((require(&order, symbol, "s")?, Body::Liquidation(liquidation))))
}

fn kline(row: &Object<'_>, out: &mut Decoded) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: None };
    let symbol = symbol(row, "s")?;
    let k = row.object("k")?;
    let k = require(row, k, "k")?;
    let (open_time, close_time) = (time(&k, "t")?, time(&k, "T")?);
    let (interval, trades, closed) = (word(&k, "i")?, int(&k, "n")?, flag(&k, "x")?);
    let (first, last) = (int(&k, "f")?, int(&k, "L")?);
    let (open, high, low, close) =
        (price(&k, "o")?, price(&k, "h")?, price(&k, "l")?, price(&k, "c")?);
    let sums = [sum(&k, "v")?, sum(&k, "q")?, sum(&k, "V")?, sum(&k, "Q")?];
    require(row, times.event, "E")?;
    let kline = Kline {
        open_time: require(&k, open_time, "t")?,
        close_time: require(&k, close_time, "T")?,
        interval: require(&k, interval, "i")?,
        first_trade: Some(require(&k, first, "f")?).filter(|&id| id >= 0),
        last_trade: Some(require(&k, last, "L")?).filter(|&id| id >= 0),
        open: require(&k, open, "o")?,
        high: require(&k, high, "h")?,
        low: require(&k, low, "l")?,
        close: require(&k, close, "c")?,
        volume: QtySum(require(&k, sums[0], "v")?),
        quote_volume: UsdSum(require(&k, sums[1], "q")?),
        taker_volume: QtySum(require(&k, sums[2], "V")?),
        taker_quote_volume: UsdSum(require(&k, sums[3], "Q")?),
        trades: require(&k, trades, "n")?,
        closed: require(&k, closed, "x")?,
    };
    let symbol = require(row, symbol, "s")?;
    let at = KlineAt { times, index: index(out.klines.len()) };
    out.klines.push(kline);
    Ok(Ok((symbol, Body::Kline(at))))
}

fn contract_info(
    row: &Object<'_>,
    out: &mut Decoded,
) -> Result<Reading<(Span, Body)>, DecodeError> {
    let times = Times { event: time(row, "E")?, transaction: None };
    let (symbol, contract_type) = (symbol(row, "s")?, text(row, "ct")?);
    let (status, delivery, onboard) = (word(row, "cs")?, time(row, "dt")?, time(row, "ot")?);
    let brackets = brackets(row)?;
    require(row, times.event, "E")?;
    let info = ContractInfo {
        times,
        contract_type: require(row, contract_type, "ct")?,
        status: require(row, status, "cs")?,
        delivery,
        onboard,
        brackets_start: index(out.brackets.len()),
        brackets: index(brackets.len()),
    };
    let symbol = require(row, symbol, "s")?;
    out.brackets.extend(brackets);
    Ok(Ok((symbol, Body::ContractInfo(info))))
}

fn brackets(row: &Object<'_>) -> Result<Vec<Bracket>, DecodeError> {
    if row.said("bks")?.is_none() {
        return Ok(Vec::new());
    }
    let rows = row.array("bks")?.unwrap_or_default();
    if rows.len() > BRACKETS_MAX {
        return Err(row.document().fault(rows[BRACKETS_MAX], DecodeErrorKind::TooMany("bks")));
    }
    rows.into_iter().map(|text| bracket(row, text)).collect()
}

fn bracket<'f>(row: &Object<'f>, text: &'f str) -> Result<Bracket, DecodeError> {
    let wrong = || row.document().fault(text, DecodeErrorKind::WrongType("bks"));
    let object = row.document().object(text)?.ok_or_else(wrong)?;
    let number = |key: Key, decimals: u32| {
        let value = object.said(key)?.ok_or_else(|| object.missing(key))?;
        object.document().number(value, key, decimals)
    };
    let whole = |key: Key| require(&object, int(&object, key)?, key);
    let rate = i64::try_from(number("mmr", RATE_DECIMALS)?)
        .map_err(|_| DecodeErrorKind::Number("mmr", NumberError::OutOfRange))
        .map_err(|kind| object.document().fault(text, kind))?;
    Ok(Bracket {
        number: whole("bs")?,
        notional_floor: UsdSum(number("bnf", DECIMALS)?),
        notional_cap: UsdSum(number("bnc", DECIMALS)?),
        maintenance_rate: Rate(rate),
        auxiliary: UsdSum(number("cf", DECIMALS)?),
        leverage_min: whole("mi")?,
        leverage_max: whole("ma")?,
    })
}

fn other_market(row: &Object<'_>, market: Market) -> Result<bool, DecodeError> {
    Ok(is_other_market(market, int(row, "st")?))
}

fn require<T>(row: &Object<'_>, value: Option<T>, key: Key) -> Result<T, DecodeError> {
    value.ok_or_else(|| row.missing(key))
}

fn positive(row: &Object<'_>, price: Px, key: Key) -> Result<Px, DecodeError> {
    if price > Px::ZERO {
        return Ok(price);
    }
    let at = row.get(key)?.map_or(0, |value| row.document().offset(value));
    Err(DecodeErrorKind::NotPositive(key).at(at))
}

fn int(row: &Object<'_>, key: Key) -> Result<Option<i64>, DecodeError> {
    row.said(key)?.map(|value| row.int(value, key)).transpose()
}

fn time(row: &Object<'_>, key: Key) -> Result<Option<Nanos>, DecodeError> {
    row.said(key)?.map(|value| row.time(value, key)).transpose()
}

fn flag(row: &Object<'_>, key: Key) -> Result<Option<bool>, DecodeError> {
    row.said(key)?.map(|value| row.flag(value, key)).transpose()
}

/// A string that may be empty.
fn text(row: &Object<'_>, key: Key) -> Result<Option<Span>, DecodeError> {
    let said = row.get(key)?.filter(|text| *text != "null");
    said.map(|value| row.text(value, key)).transpose()
}

/// A string that says something.
fn word(row: &Object<'_>, key: Key) -> Result<Option<Span>, DecodeError> {
    row.said(key)?.map(|value| row.text(value, key)).transpose()
}

fn symbol(row: &Object<'_>, key: Key) -> Result<Option<Span>, DecodeError> {
    word(row, key)
}

fn price(row: &Object<'_>, key: Key) -> Result<Option<Px>, DecodeError> {
    Ok(unsigned(row, key)?.map(Px))
}

fn qty(row: &Object<'_>, key: Key) -> Result<Option<Qty>, DecodeError> {
    Ok(unsigned(row, key)?.map(Qty))
}

fn unsigned(row: &Object<'_>, key: Key) -> Result<Option<i64>, DecodeError> {
    let Some(value) = row.said(key)? else { return Ok(None) };
    let raw = sum(row, key)?.unwrap_or_default();
    let narrow = i64::try_from(raw).ok();
    narrow.map(Some).ok_or_else(|| {
        row.document().fault(value, DecodeErrorKind::Number(key, NumberError::OutOfRange))
    })
}

/// An amount of zero or more that may exceed one order's range.
fn sum(row: &Object<'_>, key: Key) -> Result<Option<i128>, DecodeError> {
    let Some(value) = row.said(key)? else { return Ok(None) };
    match row.decimal(value, key, DECIMALS)? {
        raw if raw < 0 => {
            Err(row.document().fault(value, DecodeErrorKind::Number(key, NumberError::OutOfRange)))
        }
        raw => Ok(Some(raw)),
    }
}

fn rate(row: &Object<'_>, key: Key) -> Result<Option<Rate>, DecodeError> {
    let Some(value) = row.said(key)? else { return Ok(None) };
    let raw = i64::try_from(row.decimal(value, key, RATE_DECIMALS)?);
    raw.map(|raw| Some(Rate(raw))).map_err(|_| {
        row.document().fault(value, DecodeErrorKind::Number(key, NumberError::OutOfRange))
    })
}

fn levels(row: &Object<'_>, key: Key) -> Result<Option<Vec<Level>>, DecodeError> {
    let Some(entries) = row.array(key)? else { return Ok(None) };
    entries.into_iter().map(|entry| level(row, entry, key)).collect::<Result<_, _>>().map(Some)
}

/// `[price, quantity]`; anything behind the two (old frames had an empty list) is not looked at.
fn level<'f>(row: &Object<'f>, entry: &'f str, key: Key) -> Result<Level, DecodeError> {
    let document = row.document();
    let wrong = || document.fault(entry, DecodeErrorKind::WrongType(key));
    let pair = document.array(entry)?.ok_or_else(wrong)?;
    let [price_text, qty_text, ..] = pair[..] else { return Err(wrong()) };
    let number = |text| -> Result<i64, DecodeError> {
        let raw = i64::try_from(document.decimal(text, key, DECIMALS)?).ok();
        raw.filter(|&raw| raw >= 0).ok_or_else(|| {
            document.fault(text, DecodeErrorKind::Number(key, NumberError::OutOfRange))
        })
    };
    let price = Px(number(price_text)?);
    if price == Px::ZERO {
        return Err(document.fault(price_text, DecodeErrorKind::NotPositive(key)));
    }
    Ok(Level { price, qty: Qty(number(qty_text)?) })
}

/// Both sides into the arena; `keys` are the names of bids and asks.
fn store(
    row: &Object<'_>,
    bids: Option<Vec<Level>>,
    asks: Option<Vec<Level>>,
    keys: [Key; 2],
    out: &mut Decoded,
) -> Result<LevelRange, DecodeError> {
    let (bids, asks) = (require(row, bids, keys[0])?, require(row, asks, keys[1])?);
    if out.levels.len() + bids.len() + asks.len() > LEVELS_MAX {
        return Err(row.fault_at_end(DecodeErrorKind::TooMany(keys[0])));
    }
    let range = LevelRange {
        start: index(out.levels.len()),
        bids: index(bids.len()),
        asks: index(asks.len()),
    };
    out.levels.extend(bids);
    out.levels.extend(asks);
    Ok(range)
}

/// Arena positions are bounded far below `u32::MAX`.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
