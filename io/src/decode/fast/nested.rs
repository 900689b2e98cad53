//! Rows within rows: the `o` of a forced order and the `k` of a kline.

use fusewire_core::market::{Kline, Liquidation, Side, Span, Times};
use fusewire_core::units::{Nanos, Px, Qty, QtySum, UsdSum};

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
        let mut lead = b'{';
        while let Some(key) = scan.key(&mut lead)? {
            match key {
                b"s" => order.symbol.read(scan, Scan::word)?,
                b"S" => order.side.read(scan, Scan::word)?,
                b"T" => order.acted.read(scan, Scan::time)?,
                b"p" => order.price.read(scan, Scan::price)?,
                b"ap" => order.average.read(scan, Scan::price)?,
                b"q" => order.qty.read(scan, Scan::qty)?,
                b"l" => order.last.read(scan, Scan::qty)?,
                b"z" => order.filled.read(scan, Scan::qty)?,
                b"st" => order.family.read(scan, Scan::int)?,
                _ => scan.skip()?,
            }
        }
        Ok(order)
    }

    pub(super) fn finish(&self, sent: Nanos, side: Side) -> Step<(Span, Liquidation)> {
        let acted = self.acted.require()?;
        let liquidation = Liquidation {
            times: Times { event: Some(sent), transaction: Some(acted) },
            side,
            price: self.price.require()?,
            average: self.average.require()?,
            qty: self.qty.require()?,
            last_qty: self.last.require()?,
            filled_qty: self.filled.require()?,
        };
        Ok((self.symbol.require()?, liquidation))
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
        let mut lead = b'{';
        while let Some(key) = scan.key(&mut lead)? {
            match key {
                b"t" => candle.open_time.read(scan, Scan::time)?,
                b"T" => candle.close_time.read(scan, Scan::time)?,
                b"i" => candle.interval.read(scan, Scan::word)?,
                b"f" => candle.first.read(scan, Scan::int)?,
                b"L" => candle.last.read(scan, Scan::int)?,
                b"n" => candle.trades.read(scan, Scan::int)?,
                b"x" => candle.closed.read(scan, Scan::flag)?,
                b"o" => candle.open.read(scan, Scan::price)?,
                b"h" => candle.high.read(scan, Scan::price)?,
                b"l" => candle.low.read(scan, Scan::price)?,
                b"c" => candle.close.read(scan, Scan::price)?,
                b"v" => candle.volume.read(scan, Scan::sum)?,
                b"q" => candle.quote_volume.read(scan, Scan::sum)?,
                b"V" => candle.taker_volume.read(scan, Scan::sum)?,
                b"Q" => candle.taker_quote_volume.read(scan, Scan::sum)?,
                _ => scan.skip()?,
            }
        }
        Ok(candle)
    }

    pub(super) fn finish(&self) -> Step<Kline> {
        Ok(Kline {
            open_time: self.open_time.require()?,
            close_time: self.close_time.require()?,
            interval: self.interval.require()?,
            first_trade: Some(self.first.require()?).filter(|&id| id >= 0),
            last_trade: Some(self.last.require()?).filter(|&id| id >= 0),
            open: self.open.require()?,
            high: self.high.require()?,
            low: self.low.require()?,
            close: self.close.require()?,
            volume: QtySum(self.volume.require()?),
            quote_volume: UsdSum(self.quote_volume.require()?),
            taker_volume: QtySum(self.taker_volume.require()?),
            taker_quote_volume: UsdSum(self.taker_quote_volume.require()?),
            trades: self.trades.require()?,
            closed: self.closed.require()?,
        })
    }
}
