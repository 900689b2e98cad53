//! A frame of a tape back into messages. Strict: what is accepted is written to the same bytes again, and no byte
//! is left over.

use fusewire_core::market::{
    AggTrade, Body, BookTicker, Decoded, Depth, DepthBand, DepthIds, Funding, Kind, Kline, KlineAt,
    Level, LevelRange, Liquidation, Mark, Message, OpenInterest, Side, Snapshot, Span, Times,
    Trade, TradeOrigin,
};
use fusewire_core::units::{Bps, Nanos, Px, Qty, QtySum, Rate, UsdSum};

use super::frame::{FRAME_HEAD_BYTES, FRAME_VERSION, TAG, flag};
use crate::decode::{DecodeError, DecodeErrorKind, LEVELS_MAX, ROWS_MAX};

/// Bytes in front of the numbers of a message.
pub(super) const MESSAGE_HEAD_BYTES: usize = 24;

/// True for a frame of a tape: no other frame begins so.
#[must_use]
pub fn is_tape(frame: &[u8]) -> bool {
    frame.first() == Some(&TAG)
}

/// Reads a frame into `out`, which is cleared first.
///
/// # Errors
/// The frame is none that `FrameEncoder` writes; `out` then holds no messages.
pub(crate) fn read(frame: &[u8], out: &mut Decoded) -> Result<(), DecodeError> {
    out.clear();
    let mut from = Cursor { frame, at: 0 };
    let result = from.messages(out);
    if let Err(kind) = result {
        out.clear();
        return Err(DecodeError { kind, offset: u32::try_from(from.at).unwrap_or(u32::MAX) });
    }
    Ok(())
}

type Step<T> = Result<T, DecodeErrorKind>;

struct Cursor<'f> {
    frame: &'f [u8],
    at: usize,
}

/// What stands in front of the numbers of a message.
struct Head {
    kind: Kind,
    flags: u8,
    symbol: u8,
    text: u8,
    bids: u16,
    asks: u16,
    times: Times,
}

impl Head {
    /// Takes a flag, so that none is left that means nothing.
    fn take(&mut self, bit: u8) -> bool {
        let is_set = self.flags & bit != 0;
        self.flags &= !bit;
        is_set
    }
}

impl Cursor<'_> {
    fn messages(&mut self, out: &mut Decoded) -> Step<()> {
        let [tag, version, low, high, stream] = self.array()?;
        if (tag, version) != (TAG, FRAME_VERSION) {
            return Err(DecodeErrorKind::NotAFrame);
        }
        debug_assert_eq!(self.at, FRAME_HEAD_BYTES);
        out.stream = self.span(usize::from(stream))?;
        let count = u16::from_le_bytes([low, high]);
        if usize::from(count) > ROWS_MAX {
            return Err(DecodeErrorKind::TooMany("messages"));
        }
        for _ in 0..count {
            let message = self.message(out)?;
            out.messages.push(message);
        }
        if self.at == self.frame.len() { Ok(()) } else { Err(DecodeErrorKind::Syntax) }
    }

    fn message(&mut self, out: &mut Decoded) -> Step<Message> {
        let mut head = self.head()?;
        let (symbol, text) = (usize::from(head.symbol), usize::from(head.text));
        let mut body = self.body(&mut head, out)?;
        if head.flags != 0 {
            return Err(DecodeErrorKind::Syntax);
        }
        let levels = self.levels(&head, out)?;
        match &mut body {
            Body::Depth(depth) | Body::PartialDepth(depth) => depth.levels = levels,
            Body::Snapshot(snapshot) => snapshot.levels = levels,
            Body::BookTicker(_)
            | Body::Trade(_)
            | Body::AggTrade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Kline(_)
            | Body::ContractInfo(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_) => {
                if levels.bids + levels.asks > 0 {
                    return Err(DecodeErrorKind::TooMany("levels"));
                }
            }
        }
        let symbol = self.span(symbol)?;
        let text = self.span(text)?;
        if let Body::Kline(at) = &body {
            out.klines[at.index as usize].interval = text;
        } else if !text.is_none() {
            return Err(DecodeErrorKind::Syntax);
        }
        Ok(Message { symbol, body })
    }

    fn head(&mut self) -> Step<Head> {
        let [kind, flags, symbol, text] = self.array()?;
        let [bids, asks] =
            [self.array().map(u16::from_le_bytes)?, self.array().map(u16::from_le_bytes)?];
        let kind = Kind::ALL
            .get(usize::from(kind))
            .copied()
            .filter(|kind| *kind != Kind::ContractInfo)
            .ok_or(DecodeErrorKind::Missing("kind"))?;
        if symbol == 0 {
            return Err(DecodeErrorKind::Missing("symbol"));
        }
        let mut head = Head { kind, flags, symbol, text, bids, asks, times: Times::default() };
        for (bit, which) in [(flag::EVENT, 0), (flag::TRANSACTION, 1)] {
            let time = self.time()?;
            let known = head.take(bit);
            if !known && time != Nanos(0) {
                return Err(DecodeErrorKind::Syntax);
            }
            let time = known.then_some(time);
            match which {
                0 => head.times.event = time,
                _ => head.times.transaction = time,
            }
        }
        Ok(head)
    }

    fn body(&mut self, head: &mut Head, out: &mut Decoded) -> Step<Body> {
        let times = head.times;
        Ok(match head.kind {
            Kind::Depth => Body::Depth(self.depth(head)?),
            Kind::PartialDepth => Body::PartialDepth(self.depth(head)?),
            Kind::Snapshot => {
                let (last_id, levels) = (self.i64()?, LevelRange::default());
                Body::Snapshot(Snapshot { times, last_id, levels })
            }
            Kind::BookTicker => {
                let (id, bid, ask) = (self.i64()?, self.level()?, self.level()?);
                for level in [bid, ask] {
                    if level.price < Px::ZERO {
                        return Err(DecodeErrorKind::NotPositive("price"));
                    }
                }
                Body::BookTicker(BookTicker { times, id, bid, ask })
            }
            Kind::Trade => {
                let [id, price, qty] = self.all()?;
                let (aggressor, origin) = (side(head), origin(head)?);
                let (price, qty) = (Px(price), Qty(qty));
                Body::Trade(Trade { times, id, price, qty, aggressor, origin })
            }
            Kind::AggTrade => self.agg_trade(head)?,
            Kind::Mark => self.mark(head)?,
            Kind::Liquidation => {
                let [price, average, qty, last, filled] = self.all()?;
                Body::Liquidation(Liquidation {
                    times,
                    side: side(head),
                    price: Px(price),
                    average: Px(average),
                    qty: Qty(qty),
                    last_qty: Qty(last),
                    filled_qty: Qty(filled),
                })
            }
            Kind::Kline => {
                let kline = self.kline(head)?;
                let index = u32::try_from(out.klines.len()).unwrap_or(u32::MAX);
                out.klines.push(kline);
                only_event(times)?;
                Body::Kline(KlineAt { times, index })
            }
            Kind::ContractInfo => return Err(DecodeErrorKind::Missing("kind")),
            Kind::Funding => {
                let rate = Rate(self.i64()?);
                Body::Funding(Funding { at: only_event(times)?, rate })
            }
            Kind::OpenInterest => {
                let (qty, notional) =
                    (self.wide_some(head, flag::A)?, self.wide_some(head, flag::B)?);
                let (qty, notional) = (qty.map(QtySum), notional.map(UsdSum));
                Body::OpenInterest(OpenInterest { at: only_event(times)?, qty, notional })
            }
            Kind::DepthBand => {
                let (at, distance) = (only_event(times)?, Bps(self.i64()?));
                let (qty, notional) = (QtySum(self.wide()?), UsdSum(self.wide()?));
                Body::DepthBand(DepthBand { at, distance, qty, notional })
            }
        })
    }

    fn depth(&mut self, head: &mut Head) -> Step<Depth> {
        let [first, last] = self.all()?;
        let prev = self.some(head, flag::A)?;
        let (ids, levels) = (DepthIds { first, last, prev }, LevelRange::default());
        Ok(Depth { times: head.times, ids, levels })
    }

    fn agg_trade(&mut self, head: &mut Head) -> Step<Body> {
        let id = self.some(head, flag::B)?;
        let [price, qty, normal_qty, first_trade, last_trade] = self.all()?;
        Ok(Body::AggTrade(AggTrade {
            times: head.times,
            id,
            price: Px(price),
            qty: Qty(qty),
            normal_qty: Qty(normal_qty),
            first_trade,
            last_trade,
            aggressor: side(head),
        }))
    }

    fn mark(&mut self, head: &mut Head) -> Step<Body> {
        let price = Px(self.i64()?);
        let average = self.some(head, flag::A)?.map(Px);
        let index = self.some(head, flag::B)?.map(Px);
        let settle = self.some(head, flag::C)?.map(Px);
        let funding_rate = self.some(head, flag::D)?.map(Rate);
        let next = self.some(head, flag::E)?;
        let next_funding = next.map(|at| time_of(at.cast_unsigned())).transpose()?;
        let times = head.times;
        Ok(Body::Mark(Mark { times, price, average, index, settle, funding_rate, next_funding }))
    }

    fn kline(&mut self, head: &mut Head) -> Step<Kline> {
        let (open_time, close_time) = (self.time()?, self.time()?);
        let first_trade = self.some(head, flag::A)?;
        let last_trade = self.some(head, flag::B)?;
        let [open, high, low, close] = self.all()?.map(Px);
        let (volume, quote_volume) = (QtySum(self.wide()?), UsdSum(self.wide()?));
        let (taker_volume, taker_quote_volume) = (QtySum(self.wide()?), UsdSum(self.wide()?));
        let (trades, closed) = (self.i64()?, head.take(flag::C));
        Ok(Kline {
            open_time,
            close_time,
            interval: Span::NONE,
            first_trade,
            last_trade,
            open,
            high,
            low,
            close,
            volume,
            quote_volume,
            taker_volume,
            taker_quote_volume,
            trades,
            closed,
        })
    }

    fn levels(&mut self, head: &Head, out: &mut Decoded) -> Step<LevelRange> {
        let (bids, asks) = (u32::from(head.bids), u32::from(head.asks));
        let count = usize::from(head.bids) + usize::from(head.asks);
        if count > LEVELS_MAX {
            return Err(DecodeErrorKind::TooMany("levels"));
        }
        let start = u32::try_from(out.levels.len()).unwrap_or(u32::MAX);
        let end = self.at + 16 * count;
        let bytes = self.frame.get(self.at..end).ok_or(DecodeErrorKind::Truncated)?;
        for level in bytes.as_chunks::<16>().0 {
            let level = level_of(level);
            if level.price <= Px::ZERO {
                return Err(DecodeErrorKind::NotPositive("price"));
            }
            if level.qty < Qty::ZERO {
                return Err(DecodeErrorKind::NotPositive("qty"));
            }
            out.levels.push(level);
        }
        self.at = end;
        Ok(LevelRange { start, bids, asks })
    }

    fn span(&mut self, bytes: usize) -> Step<Span> {
        let (start, end) = (self.at, self.at + bytes);
        if end > self.frame.len() {
            return Err(DecodeErrorKind::Truncated);
        }
        self.at = end;
        if bytes == 0 {
            return Ok(Span::NONE);
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Span { start: place(start), end: place(end) })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let bytes = self.frame.get(self.at..).and_then(|rest| rest.first_chunk());
        self.at += N;
        bytes.copied().ok_or(DecodeErrorKind::Truncated)
    }

    fn i64(&mut self) -> Step<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn all<const N: usize>(&mut self) -> Step<[i64; N]> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.i64()?;
        }
        Ok(numbers)
    }

    fn wide(&mut self) -> Step<i128> {
        self.array().map(i128::from_le_bytes)
    }

    fn time(&mut self) -> Step<Nanos> {
        time_of(self.array().map(u64::from_le_bytes)?)
    }

    fn level(&mut self) -> Step<Level> {
        self.array().map(|bytes| level_of(&bytes))
    }

    /// A number with a flag; one that is absent is zero.
    fn some(&mut self, head: &mut Head, bit: u8) -> Step<Option<i64>> {
        let number = self.i64()?;
        present(head.take(bit), number, number == 0)
    }

    fn wide_some(&mut self, head: &mut Head, bit: u8) -> Step<Option<i128>> {
        let number = self.wide()?;
        present(head.take(bit), number, number == 0)
    }
}

fn present<T>(is_set: bool, number: T, is_zero: bool) -> Step<Option<T>> {
    if is_set || is_zero { Ok(is_set.then_some(number)) } else { Err(DecodeErrorKind::Syntax) }
}

fn level_of(bytes: &[u8; 16]) -> Level {
    let [mut price, mut qty] = [[0; 8]; 2];
    price.copy_from_slice(&bytes[..8]);
    qty.copy_from_slice(&bytes[8..]);
    Level { price: Px(i64::from_le_bytes(price)), qty: Qty(i64::from_le_bytes(qty)) }
}

/// Times end where a signed number of nanoseconds does, in the year 2262.
fn time_of(nanos: u64) -> Step<Nanos> {
    if i64::try_from(nanos).is_ok() { Ok(Nanos(nanos)) } else { Err(DecodeErrorKind::Syntax) }
}

/// The time of a kind that has one and no other.
fn only_event(times: Times) -> Step<Nanos> {
    match times {
        Times { event: Some(at), transaction: None } => Ok(at),
        Times { event: _, transaction: _ } => Err(DecodeErrorKind::Missing("event time")),
    }
}

fn side(head: &mut Head) -> Side {
    if head.take(flag::A) { Side::Sell } else { Side::Buy }
}

fn origin(head: &mut Head) -> Step<TradeOrigin> {
    match (head.take(flag::B), head.take(flag::C)) {
        (false, false) => Ok(TradeOrigin::Market),
        (true, false) => Ok(TradeOrigin::InsuranceFund),
        (false, true) => Ok(TradeOrigin::Adl),
        (true, true) => Err(DecodeErrorKind::Syntax),
    }
}
