//! The frames as serde structs: what a careful user of a JSON crate would write.
//!
//! They name the same fields that our decoder reads; text is borrowed from the frame. `Wire::read` is the
//! second half of the work, which our decoder does on the way: text to fixed point, by the core's exact
//! parser. Peers are told the type of a frame, while our decoder has to find it out.

use fusewire_core::market::{
    AggTrade, Body, BookTicker, Decoded, Depth, DepthIds, Kind, Kline, KlineAt, Level, LevelRange,
    Liquidation, Mark, Side, Span, Times, Trade, TradeOrigin,
};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, Rate, UsdSum};
use serde::Deserialize;

/// The combined envelope.
#[derive(Deserialize)]
pub struct Envelope<'a, T> {
    /// Stream name.
    pub stream: &'a str,
    /// Payload.
    pub data: T,
}

/// One kind of frame.
pub trait Wire: 'static {
    /// Its kind.
    const KIND: Kind;
    /// The payload with numbers as text.
    type Text<'a>: Deserialize<'a>;
    /// The symbol text.
    fn symbol<'t>(text: &'t Self::Text<'_>) -> &'t str;
    /// The numbers; levels and candles go to `arena`, which is empty. `None` when something is no number.
    fn read(text: &Self::Text<'_>, arena: &mut Decoded) -> Option<Body>;
}

fn px(text: &str) -> Option<Px> {
    Px::parse(text.as_bytes()).ok()
}

fn qty(text: &str) -> Option<Qty> {
    Qty::parse(text.as_bytes()).ok()
}

fn times(event: i64, transaction: i64) -> Option<Times> {
    let (event, transaction) = (Nanos::from_millis(event)?, Nanos::from_millis(transaction)?);
    Some(Times { event: Some(event), transaction: Some(transaction) })
}

fn event_time(event: i64) -> Option<Times> {
    Some(Times { event: Some(Nanos::from_millis(event)?), transaction: None })
}

fn aggressor(buyer_is_maker: bool) -> Side {
    if buyer_is_maker { Side::Sell } else { Side::Buy }
}

/// `bookTicker`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct BookTickerText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub T: i64,
    pub u: i64,
    pub s: &'a str,
    pub b: &'a str,
    pub B: &'a str,
    pub a: &'a str,
    pub A: &'a str,
    pub st: Option<i64>,
}

/// `bookTicker`.
pub struct BookTickerWire;

impl Wire for BookTickerWire {
    const KIND: Kind = Kind::BookTicker;
    type Text<'a> = BookTickerText<'a>;

    fn symbol<'t>(text: &'t BookTickerText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &BookTickerText<'_>, _: &mut Decoded) -> Option<Body> {
        Some(Body::BookTicker(BookTicker {
            times: times(text.E, text.T)?,
            id: text.u,
            bid: Level { price: px(text.b)?, qty: qty(text.B)? },
            ask: Level { price: px(text.a)?, qty: qty(text.A)? },
        }))
    }
}

/// `trade`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct TradeText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub T: i64,
    pub s: &'a str,
    pub t: i64,
    pub p: &'a str,
    pub q: &'a str,
    pub X: Option<&'a str>,
    pub m: bool,
    pub st: Option<i64>,
}

/// `trade`.
pub struct TradeWire;

impl Wire for TradeWire {
    const KIND: Kind = Kind::Trade;
    type Text<'a> = TradeText<'a>;

    fn symbol<'t>(text: &'t TradeText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &TradeText<'_>, _: &mut Decoded) -> Option<Body> {
        let origin = match text.X {
            None | Some("MARKET") => TradeOrigin::Market,
            Some("INSURANCE_FUND") => TradeOrigin::InsuranceFund,
            Some("ADL") => TradeOrigin::Adl,
            Some(_) => return None,
        };
        Some(Body::Trade(Trade {
            times: times(text.E, text.T)?,
            id: text.t,
            price: px(text.p)?,
            qty: qty(text.q)?,
            aggressor: aggressor(text.m),
            origin,
        }))
    }
}

/// `aggTrade`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct AggTradeText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub T: i64,
    pub a: i64,
    pub s: &'a str,
    pub p: &'a str,
    pub q: &'a str,
    pub nq: Option<&'a str>,
    pub f: i64,
    pub l: i64,
    pub m: bool,
    pub st: Option<i64>,
}

/// `aggTrade`.
pub struct AggTradeWire;

impl Wire for AggTradeWire {
    const KIND: Kind = Kind::AggTrade;
    type Text<'a> = AggTradeText<'a>;

    fn symbol<'t>(text: &'t AggTradeText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &AggTradeText<'_>, _: &mut Decoded) -> Option<Body> {
        Some(Body::AggTrade(AggTrade {
            times: times(text.E, text.T)?,
            id: Some(text.a),
            price: px(text.p)?,
            qty: qty(text.q)?,
            normal_qty: qty(text.nq.unwrap_or(text.q))?,
            first_trade: text.f,
            last_trade: text.l,
            aggressor: aggressor(text.m),
        }))
    }
}

/// `markPriceUpdate`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct MarkText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub s: &'a str,
    pub p: &'a str,
    pub ap: Option<&'a str>,
    pub P: &'a str,
    pub i: &'a str,
    pub r: &'a str,
    pub T: i64,
    pub st: Option<i64>,
}

/// `markPriceUpdate`.
pub struct MarkWire;

impl Wire for MarkWire {
    const KIND: Kind = Kind::Mark;
    type Text<'a> = MarkText<'a>;

    fn symbol<'t>(text: &'t MarkText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &MarkText<'_>, _: &mut Decoded) -> Option<Body> {
        let average = match text.ap {
            Some(average) => Some(px(average)?),
            None => None,
        };
        Some(Body::Mark(Mark {
            times: event_time(text.E)?,
            price: px(text.p)?,
            average,
            index: Some(px(text.i)?),
            settle: Some(px(text.P)?),
            funding_rate: Some(Rate::parse(text.r.as_bytes()).ok()?),
            next_funding: Some(Nanos::from_millis(text.T)?),
        }))
    }
}

/// `depthUpdate`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct DepthText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub T: i64,
    pub s: &'a str,
    pub U: i64,
    pub u: i64,
    pub pu: i64,
    #[serde(borrow)]
    pub b: Vec<[&'a str; 2]>,
    #[serde(borrow)]
    pub a: Vec<[&'a str; 2]>,
    pub st: Option<i64>,
}

/// `depthUpdate`.
pub struct DepthWire;

impl DepthWire {
    /// One level; `None` when it is none.
    #[must_use]
    pub fn level([price, quantity]: &[&str; 2]) -> Option<Level> {
        Some(Level { price: px(price)?, qty: qty(quantity)? })
    }
}

impl Wire for DepthWire {
    const KIND: Kind = Kind::Depth;
    type Text<'a> = DepthText<'a>;

    fn symbol<'t>(text: &'t DepthText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &DepthText<'_>, arena: &mut Decoded) -> Option<Body> {
        for level in text.b.iter().chain(&text.a) {
            arena.levels.push(Self::level(level)?);
        }
        let narrow = |n: usize| u32::try_from(n).ok();
        Some(Body::Depth(Depth {
            times: times(text.E, text.T)?,
            ids: DepthIds { first: text.U, last: text.u, prev: Some(text.pu) },
            levels: LevelRange {
                start: 0,
                bids: narrow(text.b.len())?,
                asks: narrow(text.a.len())?,
            },
        }))
    }
}

/// `forceOrder`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct LiquidationText<'a> {
    pub e: &'a str,
    pub E: i64,
    #[serde(borrow)]
    pub o: OrderText<'a>,
}

/// The `o` of a `forceOrder`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct OrderText<'a> {
    pub s: &'a str,
    pub S: &'a str,
    pub q: &'a str,
    pub p: &'a str,
    pub ap: &'a str,
    pub l: &'a str,
    pub z: &'a str,
    pub T: i64,
    pub st: Option<i64>,
}

/// `forceOrder`.
pub struct LiquidationWire;

impl Wire for LiquidationWire {
    const KIND: Kind = Kind::Liquidation;
    type Text<'a> = LiquidationText<'a>;

    fn symbol<'t>(text: &'t LiquidationText<'_>) -> &'t str {
        text.o.s
    }

    fn read(text: &LiquidationText<'_>, _: &mut Decoded) -> Option<Body> {
        let order = &text.o;
        let side = match order.S {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return None,
        };
        Some(Body::Liquidation(Liquidation {
            times: times(text.E, order.T)?,
            side,
            price: px(order.p)?,
            average: px(order.ap)?,
            qty: qty(order.q)?,
            last_qty: qty(order.l)?,
            filled_qty: qty(order.z)?,
        }))
    }
}

/// `kline`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct KlineText<'a> {
    pub e: &'a str,
    pub E: i64,
    pub s: &'a str,
    #[serde(borrow)]
    pub k: CandleText<'a>,
    pub st: Option<i64>,
}

/// The `k` of a `kline`.
#[derive(Deserialize)]
#[allow(non_snake_case, missing_docs)] // The wire's own names.
pub struct CandleText<'a> {
    pub t: i64,
    pub T: i64,
    pub i: &'a str,
    pub f: i64,
    pub L: i64,
    pub o: &'a str,
    pub c: &'a str,
    pub h: &'a str,
    pub l: &'a str,
    pub v: &'a str,
    pub n: i64,
    pub x: bool,
    pub q: &'a str,
    pub V: &'a str,
    pub Q: &'a str,
}

/// `kline`. Its interval stays text on both sides and is left out of the comparison.
pub struct KlineWire;

impl Wire for KlineWire {
    const KIND: Kind = Kind::Kline;
    type Text<'a> = KlineText<'a>;

    fn symbol<'t>(text: &'t KlineText<'_>) -> &'t str {
        text.s
    }

    fn read(text: &KlineText<'_>, arena: &mut Decoded) -> Option<Body> {
        let candle = &text.k;
        let volume = |text: &str| QtySum::parse(text.as_bytes()).ok();
        let amount = |text: &str| UsdSum::parse(text.as_bytes()).ok();
        arena.klines.push(Kline {
            open_time: Nanos::from_millis(candle.t)?,
            close_time: Nanos::from_millis(candle.T)?,
            interval: Span::NONE,
            first_trade: Some(candle.f).filter(|&id| id >= 0),
            last_trade: Some(candle.L).filter(|&id| id >= 0),
            open: px(candle.o)?,
            high: px(candle.h)?,
            low: px(candle.l)?,
            close: px(candle.c)?,
            volume: volume(candle.v)?,
            quote_volume: amount(candle.q)?,
            taker_volume: volume(candle.V)?,
            taker_quote_volume: amount(candle.Q)?,
            trades: candle.n,
            closed: candle.x,
        });
        Some(Body::Kline(KlineAt { times: event_time(text.E)?, index: 0 }))
    }
}
