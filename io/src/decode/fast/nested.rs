//! Rows within rows: the `o` of a forced order and the `k` of a kline.

use fusewire_core::market::{Kline, Liquidation, Side, Span, Times};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, UsdSum};

use super::super::DecodeErrorKind;
use super::super::scan::{Scan, Step};
use super::field::Field;

/// The `o` of a forced order.
#[derive(Default)]
pub(super) struct Order {
    pub(super) family: Field<i64>,
    pub(super) side: Field<Span>,
    symbol: Field<Span>,
    acted: Field<Nanos>,
    price: Field<Px>,
    average: Field<Px>,
    qty: Field<Qty>,
    last: Field<Qty>,
    filled: Field<Qty>,
}

impl Order {
    pub(super) fn read(scan: &mut Scan<'_>) -> Step<Self> {
        let mut order = Self::default();
        open_object(scan, "o")?;
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            match key {
                b"s" => order.symbol.read(scan, "s", Scan::word)?,
                b"S" => order.side.read(scan, "S", Scan::word)?,
                b"T" => order.acted.read(scan, "T", Scan::time)?,
                b"p" => order.price.read(scan, "p", Scan::price)?,
                b"ap" => order.average.read(scan, "ap", Scan::price)?,
                b"q" => order.qty.read(scan, "q", Scan::qty)?,
                b"l" => order.last.read(scan, "l", Scan::qty)?,
                b"z" => order.filled.read(scan, "z", Scan::qty)?,
                b"st" => order.family.read(scan, "st", Scan::int)?,
                _ => scan.skip()?,
            }
        }
        Ok(order)
    }

    pub(super) fn finish(
        &self,
        scan: &mut Scan<'_>,
        sent: Nanos,
        side: Side,
    ) -> Step<(Span, Liquidation)> {
        let acted = self.acted.require(scan, "T")?;
        let liquidation = Liquidation {
            times: Times { event: Some(sent), transaction: Some(acted) },
            side,
            price: self.price.require(scan, "p")?,
            average: self.average.require(scan, "ap")?,
            qty: self.qty.require(scan, "q")?,
            last_qty: self.last.require(scan, "l")?,
            filled_qty: self.filled.require(scan, "z")?,
        };
        Ok((self.symbol.require(scan, "s")?, liquidation))
    }
}

/// The `k` of a kline.
#[derive(Default)]
pub(super) struct Candle {
    open_time: Field<Nanos>,
    close_time: Field<Nanos>,
    interval: Field<Span>,
    first: Field<i64>,
    last: Field<i64>,
    trades: Field<i64>,
    closed: Field<bool>,
    open: Field<Px>,
    high: Field<Px>,
    low: Field<Px>,
    close: Field<Px>,
    volume: Field<i128>,
    quote_volume: Field<i128>,
    taker_volume: Field<i128>,
    taker_quote_volume: Field<i128>,
}

impl Candle {
    pub(super) fn read(scan: &mut Scan<'_>) -> Step<Self> {
        let mut candle = Self::default();
        open_object(scan, "k")?;
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            match key {
                b"t" => candle.open_time.read(scan, "t", Scan::time)?,
                b"T" => candle.close_time.read(scan, "T", Scan::time)?,
                b"i" => candle.interval.read(scan, "i", Scan::word)?,
                b"f" => candle.first.read(scan, "f", Scan::int)?,
                b"L" => candle.last.read(scan, "L", Scan::int)?,
                b"n" => candle.trades.read(scan, "n", Scan::int)?,
                b"x" => candle.closed.read(scan, "x", Scan::flag)?,
                b"o" => candle.open.read(scan, "o", Scan::price)?,
                b"h" => candle.high.read(scan, "h", Scan::price)?,
                b"l" => candle.low.read(scan, "l", Scan::price)?,
                b"c" => candle.close.read(scan, "c", Scan::price)?,
                b"v" => candle.volume.read(scan, "v", Scan::sum)?,
                b"q" => candle.quote_volume.read(scan, "q", Scan::sum)?,
                b"V" => candle.taker_volume.read(scan, "V", Scan::sum)?,
                b"Q" => candle.taker_quote_volume.read(scan, "Q", Scan::sum)?,
                _ => scan.skip()?,
            }
        }
        Ok(candle)
    }

    pub(super) fn finish(&self, scan: &mut Scan<'_>, sent: Nanos) -> Step<Kline> {
        Ok(Kline {
            times: Times { event: Some(sent), transaction: None },
            open_time: self.open_time.require(scan, "t")?,
            close_time: self.close_time.require(scan, "T")?,
            interval: self.interval.require(scan, "i")?,
            first_trade: Some(self.first.require(scan, "f")?).filter(|&id| id >= 0),
            last_trade: Some(self.last.require(scan, "L")?).filter(|&id| id >= 0),
            open: self.open.require(scan, "o")?,
            high: self.high.require(scan, "h")?,
            low: self.low.require(scan, "l")?,
            close: self.close.require(scan, "c")?,
            volume: QtySum(self.volume.require(scan, "v")?),
            quote_volume: UsdSum(self.quote_volume.require(scan, "q")?),
            taker_volume: QtySum(self.taker_volume.require(scan, "V")?),
            taker_quote_volume: UsdSum(self.taker_quote_volume.require(scan, "Q")?),
            trades: self.trades.require(scan, "n")?,
            closed: self.closed.require(scan, "x")?,
        })
    }
}

fn open_object(scan: &mut Scan<'_>, key: &'static str) -> Step<()> {
    if scan.peek() == b'{' { scan.expect(b'{') } else { scan.bad(DecodeErrorKind::WrongType(key)) }
}
