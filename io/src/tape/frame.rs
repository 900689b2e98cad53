//! A frame of a tape: messages as numbers. What is written here `read` reads.
//!
//! ```text
//!  frame   0xF5 | version u8 | messages u16 | stream bytes u8 | stream
//!  message kind u8 | flags u8 | symbol bytes u8 | text bytes u8 | bids u16 | asks u16 | event ns u64 |
//!          transaction ns u64 | numbers of the kind | levels (price i64, qty i64) | symbol | text
//! ```
//!
//! The first byte begins no JSON and no UTF-8. Contract notices are left out: nothing behind the decoder reads them.

use fusewire_core::market::Side;
use fusewire_core::market::{Body, Decoded, Kline, Level, LevelRange, Message, TradeOrigin};
use fusewire_core::message::InputBody;
use fusewire_core::units::Nanos;

/// First byte of a frame.
pub const TAG: u8 = 0xF5;
/// Layout of a frame.
pub const FRAME_VERSION: u8 = 1;
/// Bytes in front of the name of the stream.
pub const FRAME_HEAD_BYTES: usize = 5;

/// Flags of a message. The meaning of those from `A` on depends on its kind.
pub(super) mod flag {
    pub(in crate::tape) const EVENT: u8 = 1;
    pub(in crate::tape) const TRANSACTION: u8 = 2;
    pub(in crate::tape) const A: u8 = 4;
    pub(in crate::tape) const B: u8 = 8;
    pub(in crate::tape) const C: u8 = 16;
    pub(in crate::tape) const D: u8 = 32;
    pub(in crate::tape) const E: u8 = 64;
}

/// Writes frames. It keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct FrameEncoder {
    bytes: Vec<u8>,
    messages: u16,
}

impl FrameEncoder {
    /// Begins a frame without messages, which only moves time on. `stream` is the name of its stream as it stood in the
    /// recording; empty when there was none. One of more than 255 bytes is left out.
    pub fn begin(&mut self, stream: &[u8]) {
        self.bytes.clear();
        let (bytes, stream) = u8::try_from(stream.len()).map_or((0, &[][..]), |n| (n, stream));
        self.bytes.extend([TAG, FRAME_VERSION, 0, 0, bytes]);
        self.bytes.extend_from_slice(stream);
        self.messages = 0;
    }

    /// Adds a message of `decoded` under its symbol. `text` is the frame that its spans lie in. False when it is of a
    /// kind that tapes leave out.
    ///
    /// # Errors
    /// It does not fit: no symbol, a symbol or an interval of more than 255 bytes, more than 65,535 levels a side or messages.
    pub fn add(
        &mut self,
        symbol: &str,
        message: &Message,
        decoded: &Decoded,
        text: &[u8],
    ) -> Result<bool, String> {
        if matches!(message.body, Body::ContractInfo(_)) {
            return Ok(false);
        }
        let count = self.messages.checked_add(1).ok_or("more than 65,535 messages in a frame")?;
        let label = if let Body::Kline(at) = &message.body {
            decoded.kline(at).interval.of(text)
        } else {
            &[]
        };
        let levels = InputBody::levels_of(&message.body);
        self.head(symbol, message, label, levels)?;
        self.numbers(message, decoded);
        for level in decoded.bids(levels).iter().chain(decoded.asks(levels)) {
            self.level(*level);
        }
        self.bytes.extend_from_slice(symbol.as_bytes());
        self.bytes.extend_from_slice(label);
        self.messages = count;
        self.bytes[2..4].copy_from_slice(&count.to_le_bytes());
        Ok(true)
    }

    /// The frame.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn head(
        &mut self,
        symbol: &str,
        message: &Message,
        label: &[u8],
        levels: LevelRange,
    ) -> Result<(), String> {
        let short = |bytes: usize, what: &str| {
            u8::try_from(bytes).map_err(|_| format!("{what} of {bytes} bytes"))
        };
        let side = |count: u32| u16::try_from(count).map_err(|_| format!("{count} levels a side"));
        if symbol.is_empty() {
            return Err("a message of no symbol".to_owned());
        }
        let (symbol, label) = (short(symbol.len(), "a symbol")?, short(label.len(), "a text")?);
        let (bids, asks) = (side(levels.bids)?, side(levels.asks)?);
        let times = message.body.times();
        let known = |time: Option<Nanos>, bit| if time.is_some() { bit } else { 0 };
        let flags = known(times.event, flag::EVENT) | known(times.transaction, flag::TRANSACTION);
        self.bytes.extend([message.body.kind() as u8, flags, symbol, label]);
        self.bytes.extend_from_slice(&bids.to_le_bytes());
        self.bytes.extend_from_slice(&asks.to_le_bytes());
        for time in [times.event, times.transaction] {
            self.u64(time.unwrap_or_default().0);
        }
        Ok(())
    }

    /// What is peculiar to a kind. Its flags are put into the head that was just written.
    fn numbers(&mut self, message: &Message, decoded: &Decoded) {
        let flags_at = self.bytes.len() - super::read::MESSAGE_HEAD_BYTES + 1;
        let flags = match &message.body {
            Body::Depth(depth) | Body::PartialDepth(depth) => {
                self.i64(depth.ids.first);
                self.i64(depth.ids.last);
                self.some(depth.ids.prev, flag::A)
            }
            Body::Snapshot(snapshot) => {
                self.i64(snapshot.last_id);
                0
            }
            Body::BookTicker(ticker) => {
                self.i64(ticker.id);
                self.level(ticker.bid);
                self.level(ticker.ask);
                0
            }
            Body::Trade(trade) => {
                self.all([trade.id, trade.price.0, trade.qty.0]);
                sells(trade.aggressor) | origin(trade.origin)
            }
            Body::AggTrade(trade) => {
                let id = self.some(trade.id, flag::B);
                self.all([trade.price.0, trade.qty.0, trade.normal_qty.0]);
                self.all([trade.first_trade, trade.last_trade]);
                sells(trade.aggressor) | id
            }
            Body::Mark(mark) => {
                self.i64(mark.price.0);
                let next = mark.next_funding.map(|at| at.0.cast_signed());
                self.some(mark.average.map(|price| price.0), flag::A)
                    | self.some(mark.index.map(|price| price.0), flag::B)
                    | self.some(mark.settle.map(|price| price.0), flag::C)
                    | self.some(mark.funding_rate.map(|rate| rate.0), flag::D)
                    | self.some(next, flag::E)
            }
            Body::Liquidation(order) => {
                self.all([order.price.0, order.average.0, order.qty.0]);
                self.all([order.last_qty.0, order.filled_qty.0]);
                sells(order.side)
            }
            Body::Kline(at) => self.kline(decoded.kline(at)),
            Body::Funding(funding) => {
                self.i64(funding.rate.0);
                0
            }
            Body::OpenInterest(interest) => {
                self.wide_some(interest.qty.map(|sum| sum.0), flag::A)
                    | self.wide_some(interest.notional.map(|sum| sum.0), flag::B)
            }
            Body::DepthBand(band) => {
                self.i64(band.distance.0);
                for sum in [band.qty.0, band.notional.0] {
                    self.bytes.extend_from_slice(&sum.to_le_bytes());
                }
                0
            }
            Body::ContractInfo(_) => 0,
        };
        self.bytes[flags_at] |= flags;
    }

    fn kline(&mut self, kline: &Kline) -> u8 {
        self.u64(kline.open_time.0);
        self.u64(kline.close_time.0);
        let trades = self.some(kline.first_trade, flag::A) | self.some(kline.last_trade, flag::B);
        self.all([kline.open, kline.high, kline.low, kline.close].map(|price| price.0));
        for sum in
            [kline.volume.0, kline.quote_volume.0, kline.taker_volume.0, kline.taker_quote_volume.0]
        {
            self.bytes.extend_from_slice(&sum.to_le_bytes());
        }
        self.i64(kline.trades);
        trades | if kline.closed { flag::C } else { 0 }
    }

    fn u64(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn all<const N: usize>(&mut self, numbers: [i64; N]) {
        numbers.into_iter().for_each(|number| self.i64(number));
    }

    fn level(&mut self, level: Level) {
        self.all([level.price.0, level.qty.0]);
    }

    /// A number that may be absent, and its flag.
    fn some(&mut self, number: Option<i64>, bit: u8) -> u8 {
        self.i64(number.unwrap_or_default());
        if number.is_some() { bit } else { 0 }
    }

    fn wide_some(&mut self, number: Option<i128>, bit: u8) -> u8 {
        self.bytes.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
        if number.is_some() { bit } else { 0 }
    }
}

fn sells(side: Side) -> u8 {
    match side {
        Side::Buy => 0,
        Side::Sell => flag::A,
    }
}

fn origin(origin: TradeOrigin) -> u8 {
    match origin {
        TradeOrigin::Market => 0,
        TradeOrigin::InsuranceFund => flag::B,
        TradeOrigin::Adl => flag::C,
    }
}
