//! The straight reader: the hot frames, with their keys in the very order in which the exchange sends
//! them.
//!
//! It looks for no key: it takes the text that has to come next, and reads the values between, most of
//! them eight bytes at a time. At the first byte that is not as expected it gives up, and the scanner
//! reads the frame from its start; so it accepts what the scanner accepts, less of it, and means the
//! same. The orders are those of real frames since 2019.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, Ignored, Message, Span};

use super::rows::is_other_market;
use super::scan::{Odd, Step};

mod cursor;
mod events;
mod levels;

use cursor::Cursor;

/// Reads a frame into `out`, which is empty. When the frame is odd, what `out` holds means nothing.
pub(super) fn read(frame: &[u8], market: Market, out: &mut Decoded) -> Step<()> {
    if frame.len() > levels::FRAME_BYTES_MAX {
        return Err(Odd);
    }
    let mut cursor = Cursor::new(frame, frame.len());
    if !cursor.has(b"{\"stream\":\"") {
        let hot = bare(frame)?;
        return Reader { market, out, length: frame.len(), symbol_length: 0, enveloped: false }
            .row(hot, frame);
    }
    let start = cursor.at();
    cursor.skip_stream_symbol()?;
    let symbol_length = (cursor.at() - start) as usize;
    cursor.take(b"@")?;
    let hot = channel(&mut cursor)?;
    out.stream = Span { start, end: cursor.at() };
    cursor.take(b"\",\"data\":")?;
    Reader { market, out, length: frame.len(), symbol_length, enveloped: true }
        .row(hot, cursor.rest())
}

/// The rows that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hot {
    BookTicker,
    Depth,
    PartialDepth,
    Trade,
    AggTrade,
    Mark,
}

/// The channel of a stream name, up to the closing quote.
#[inline(always)]
fn channel(cursor: &mut Cursor<'_>) -> Step<Hot> {
    const BOOK_TICKER: u64 = u64::from_le_bytes(*b"bookTick");
    const TRADE: u64 = u64::from_le_bytes(*b"trade\",\"");
    const AGG_TRADE: u64 = u64::from_le_bytes(*b"aggTrade");
    const MARK: u64 = u64::from_le_bytes(*b"markPric");
    match cursor.peek()? {
        BOOK_TICKER => cursor.take(b"bookTicker").map(|()| Hot::BookTicker),
        TRADE => cursor.take(b"trade").map(|()| Hot::Trade),
        AGG_TRADE => cursor.take(b"aggTrade").map(|()| Hot::AggTrade),
        MARK => {
            cursor.take(b"markPrice")?;
            cursor.has(b"@1s");
            Ok(Hot::Mark)
        }
        _ => depth_channel(cursor),
    }
}

/// `depth`, `depth@100ms`, `depth20@100ms`.
#[inline(always)]
fn depth_channel(cursor: &mut Cursor<'_>) -> Step<Hot> {
    cursor.take(b"depth")?;
    let partial = cursor.rest().first().is_some_and(u8::is_ascii_digit);
    if partial {
        cursor.skip_name()?;
    }
    if cursor.has(b"@") {
        cursor.skip_name()?;
    }
    Ok(if partial { Hot::PartialDepth } else { Hot::Depth })
}

/// What a row without an envelope is.
fn bare(row: &[u8]) -> Step<Hot> {
    let is = |text: &[u8]| row.starts_with(text);
    if is(b"{\"e\":\"bookTicker\"") || is(b"{\"u\":") {
        return Ok(Hot::BookTicker);
    }
    if is(b"{\"e\":\"depthUpdate\"") {
        return Ok(Hot::Depth);
    }
    if is(b"{\"e\":\"trade\"") {
        return Ok(Hot::Trade);
    }
    if is(b"{\"e\":\"aggTrade\"") {
        return Ok(Hot::AggTrade);
    }
    if is(b"{\"e\":\"markPriceUpdate\"") { Ok(Hot::Mark) } else { Err(Odd) }
}

/// What the readers of rows share.
struct Reader<'o> {
    market: Market,
    out: &'o mut Decoded,
    /// Bytes of the frame.
    length: usize,
    /// Bytes of the symbol in the stream's name, which most likely are as many in the row.
    symbol_length: usize,
    /// The row stands in an envelope, which ends with it.
    enveloped: bool,
}

impl Reader<'_> {
    #[inline(always)]
    fn row(self, hot: Hot, row: &[u8]) -> Step<()> {
        match hot {
            Hot::BookTicker => self.book_ticker(row),
            Hot::Depth => self.depth(row, Body::Depth),
            Hot::PartialDepth => self.depth(row, Body::PartialDepth),
            Hot::Trade => self.trade(row),
            Hot::AggTrade => self.agg_trade(row),
            Hot::Mark => self.mark(row),
        }
    }

    /// The end of the frame: the market family, if the row names one, and the braces. Then the message,
    /// unless the row belongs to another market.
    #[inline(always)]
    fn finish(self, mut cursor: Cursor<'_>, symbol: Span, body: Body) -> Step<()> {
        let family = cursor.family()?;
        if cursor.rest() != if self.enveloped { &b"}}"[..] } else { &b"}"[..] } {
            return Err(Odd);
        }
        if is_other_market(self.market, family) {
            self.out.levels.clear();
            self.out.ignored.push(Ignored::OtherMarket);
        } else {
            self.out.messages.push(Message { symbol, body });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
