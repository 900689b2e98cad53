//! Frames as the exchange writes them: key order, decimals and envelopes as of 2026-10.

use std::io::Write;

use fusewire_core::market::Side;
use fusewire_core::units::Px;

use super::book::{Book, DiffIds, TickLots, Touch};
use super::contract::Contract;

/// Funding is due at 00:00, 08:00 and 16:00 UTC.
const FUNDING_MS: u64 = 8 * 3_600_000;
/// Decimals of mark and index prices and of the funding rate, on every contract.
const MARK_PLACES: u32 = 8;

/// One aggregate trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    /// When it traded.
    pub(super) time_ms: u64,
    /// Price in ticks.
    pub(super) tick: i64,
    /// Lots taken from the book.
    pub(super) lots: i64,
    /// Lots taken from retail orders, which the book does not show.
    pub(super) retail_lots: i64,
    /// Number of fills in it.
    pub(super) fills: u64,
    /// Side of the taker.
    pub(super) aggressor: Side,
}

/// One liquidation order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forced {
    /// When it traded.
    pub(super) time_ms: u64,
    /// Side of the order.
    pub(super) side: Side,
    /// Limit price in ticks.
    pub(super) limit_tick: i64,
    /// Average price.
    pub(super) average: Px,
    /// Lots, all filled.
    pub(super) lots: i64,
    /// Lots of the last fill.
    pub(super) last_lots: i64,
}

/// Mark and index prices and the funding rate, all at 1e-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MarkState {
    pub(super) mark: i64,
    pub(super) average: i64,
    pub(super) index: i64,
    pub(super) settle: i64,
    pub(super) rate: i64,
}

/// Appends formatted text. A `Vec` takes every byte, so there is no error to report.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        let _ = write!($out, $($arg)*);
    };
}

/// Writes the frames of one contract.
pub(super) struct Wire {
    /// Whether snapshots need a name, because other symbols are in the same capture.
    pub(super) named_snapshots: bool,
}

impl Wire {
    /// `bookTicker`.
    pub(super) fn book_ticker(c: &Contract, time_ms: u64, id: u64, touch: Touch) -> Vec<u8> {
        let mut out = envelope(c, "bookTicker");
        put!(out, r#""e":"bookTicker","u":{id},"s":"{}","#, c.symbol);
        let (bid, ask) = touch;
        put!(out, r#""b":"{}","B":"{}","#, price(c, bid.0), qty(c, bid.1));
        put!(out, r#""a":"{}","A":"{}","#, price(c, ask.0), qty(c, ask.1));
        put!(out, r#""T":{time_ms},"E":{time_ms},"ps":"{}","st":1}}}}"#, c.pair);
        out
    }

    /// `aggTrade` with its ids: `a`, `f` and `l`.
    pub(super) fn agg_trade(c: &Contract, event_ms: u64, ids: [u64; 3], p: &Print) -> Vec<u8> {
        let mut out = envelope(c, "aggTrade");
        let [id, first, last] = ids;
        put!(out, r#""e":"aggTrade","E":{event_ms},"a":{id},"s":"{}","#, c.symbol);
        put!(out, r#""p":"{}","q":"{}","#, price(c, p.tick), qty(c, p.lots + p.retail_lots));
        let maker_buys = p.aggressor == Side::Sell;
        put!(out, r#""nq":"{}","f":{first},"l":{last},"T":{},"#, qty(c, p.lots), p.time_ms);
        put!(out, r#""m":{maker_buys},"st":1}}}}"#);
        out
    }

    /// `depthUpdate` with all changes since the last one.
    pub(super) fn depth(
        c: &Contract,
        event_ms: u64,
        time_ms: u64,
        ids: DiffIds,
        book: &Book,
    ) -> Vec<u8> {
        let mut out = envelope(c, "depth@100ms");
        put!(out, r#""e":"depthUpdate","E":{event_ms},"T":{time_ms},"s":"{}","#, c.symbol);
        put!(out, r#""ps":"{}","U":{},"u":{},"pu":{},"b":"#, c.pair, ids.first, ids.last, ids.prev);
        let now = |side| book.changed(side).map(move |tick| (tick, book.at(side, tick)));
        levels(&mut out, c, now(Side::Buy));
        put!(out, r#","a":"#);
        levels(&mut out, c, now(Side::Sell));
        put!(out, "}}}}");
        out
    }

    /// The answer of `GET /fapi/v1/depth`, at most `limit` levels a side.
    pub(super) fn snapshot(
        &self,
        c: &Contract,
        event_ms: u64,
        time_ms: u64,
        book: &Book,
        limit: usize,
    ) -> Vec<u8> {
        let mut out =
            if self.named_snapshots { envelope(c, "depthSnapshot") } else { b"{".to_vec() };
        put!(out, r#""lastUpdateId":{},"E":{event_ms},"T":{time_ms},"bids":"#, book.id());
        levels(&mut out, c, book.levels(Side::Buy).take(limit));
        put!(out, r#","asks":"#);
        levels(&mut out, c, book.levels(Side::Sell).take(limit));
        out.extend_from_slice(if self.named_snapshots { b"}}" } else { b"}" });
        out
    }

    /// `markPriceUpdate`.
    pub(super) fn mark(c: &Contract, event_ms: u64, state: &MarkState) -> Vec<u8> {
        let mut out = envelope(c, "markPrice@1s");
        let fixed = |raw| Px(raw).with_places(MARK_PLACES);
        let next_funding_ms = (event_ms / FUNDING_MS + 1) * FUNDING_MS;
        put!(out, r#""e":"markPriceUpdate","E":{event_ms},"s":"{}","#, c.symbol);
        put!(out, r#""p":"{}","ap":"{}","#, fixed(state.mark), fixed(state.average));
        put!(out, r#""P":"{}","i":"{}","#, fixed(state.settle), fixed(state.index));
        put!(out, r#""r":"{}","T":{next_funding_ms},"st":1}}}}"#, fixed(state.rate));
        out
    }

    /// `forceOrder`. `ps` and `st` lie inside the order, as on the wire.
    pub(super) fn force_order(c: &Contract, event_ms: u64, f: &Forced) -> Vec<u8> {
        let mut out = envelope(c, "forceOrder");
        let side = match f.side {
            Side::Buy => "BUY",
            Side::Sell => "SELL",
        };
        let (limit, lots) = (price(c, f.limit_tick), qty(c, f.lots));
        let average = f.average.with_places(c.price_places);
        put!(out, r#""e":"forceOrder","E":{event_ms},"o":{{"s":"{}","S":"{side}","#, c.symbol);
        put!(out, r#""o":"LIMIT","f":"IOC","q":"{lots}","p":"{limit}","ap":"{average}","#);
        put!(out, r#""X":"FILLED","l":"{}","z":"{lots}","#, qty(c, f.last_lots));
        put!(out, r#""T":{},"ps":"{}","st":1}}}}}}"#, f.time_ms, c.pair);
        out
    }
}

/// Opens the combined envelope and its data.
fn envelope(c: &Contract, stream: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    put!(out, r#"{{"stream":"{}@{stream}","data":{{"#, c.stream);
    out
}

fn levels(out: &mut Vec<u8>, c: &Contract, levels: impl Iterator<Item = TickLots>) {
    let mut separator = "[";
    for (tick, lots) in levels {
        put!(out, r#"{separator}["{}","{}"]"#, price(c, tick), qty(c, lots));
        separator = ",";
    }
    out.extend_from_slice(if separator == "[" { b"[]" } else { b"]" });
}

fn price(c: &Contract, tick: i64) -> impl std::fmt::Display {
    c.price(tick).with_places(c.price_places)
}

fn qty(c: &Contract, lots: i64) -> impl std::fmt::Display {
    c.qty(lots).with_places(c.qty_places)
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::{Market, common};

    use super::*;

    fn btc() -> Contract {
        Contract::new(&common(Market::UsdM, "BTCUSDT").unwrap()).unwrap()
    }

    fn text(frame: Vec<u8>) -> String {
        String::from_utf8(frame).unwrap()
    }

    /// Shapes follow live frames of 2026-10; the numbers are made up.
    #[test]
    fn trades_and_liquidations_are_written_as_on_the_wire() {
        let print = Print {
            time_ms: 1_800_000_000_000,
            tick: 834_344,
            lots: 16,
            retail_lots: 1,
            fills: 5,
            aggressor: Side::Sell,
        };
        assert_eq!(
            text(Wire::agg_trade(&btc(), 1_800_000_000_150, [7, 11, 15], &print)),
            r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1800000000150,"a":7,"s":"BTCUSDT","p":"83434.40","q":"0.017","nq":"0.016","f":11,"l":15,"T":1800000000000,"m":true,"st":1}}"#
        );
        let forced = Forced {
            time_ms: 1_800_000_000_120,
            side: Side::Buy,
            limit_tick: 823_383,
            average: Px::parse(b"82651.987").unwrap(),
            lots: 190,
            last_lots: 155,
        };
        assert_eq!(
            text(Wire::force_order(&btc(), 1_800_000_001_000, &forced)),
            r#"{"stream":"btcusdt@forceOrder","data":{"e":"forceOrder","E":1800000001000,"o":{"s":"BTCUSDT","S":"BUY","o":"LIMIT","f":"IOC","q":"0.190","p":"82338.30","ap":"82651.98","X":"FILLED","l":"0.155","z":"0.190","T":1800000000120,"ps":"BTCUSDT","st":1}}}"#
        );
    }

    #[test]
    fn books_and_marks_are_written_as_on_the_wire() {
        let mut book = Book::new(100);
        book.set(Side::Buy, 833_731, 2_082);
        book.set(Side::Sell, 834_020, 3_480);
        book.forget_changes();
        book.set(Side::Buy, 833_731, 0);
        let ids = DiffIds { first: 7, last: 9, prev: 5 };
        assert_eq!(
            text(Wire::depth(&btc(), 1_800_000_000_005, 1_800_000_000_001, ids, &book)),
            r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1800000000005,"T":1800000000001,"s":"BTCUSDT","ps":"BTCUSDT","U":7,"u":9,"pu":5,"b":[["83373.10","0.000"]],"a":[]}}"#
        );
        let body = format!(
            r#""lastUpdateId":{},"E":2,"T":1,"bids":[],"asks":[["83402.00","3.480"]]"#,
            book.id()
        );
        let snapshot =
            |named| text(Wire { named_snapshots: named }.snapshot(&btc(), 2, 1, &book, 1_000));
        assert_eq!(snapshot(false), format!("{{{body}}}"));
        assert_eq!(
            snapshot(true),
            format!(r#"{{"stream":"btcusdt@depthSnapshot","data":{{{body}}}}}"#)
        );
        assert_eq!(
            text(Wire::book_ticker(&btc(), 1_800_000_000_001, 12, ((833_731, 5), (834_020, 7)))),
            r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":12,"s":"BTCUSDT","b":"83373.10","B":"0.005","a":"83402.00","A":"0.007","T":1800000000001,"E":1800000000001,"ps":"BTCUSDT","st":1}}"#
        );
        let state = MarkState { mark: 150_000_001, average: 2, index: 3, settle: 4, rate: -523 };
        assert_eq!(
            text(Wire::mark(&btc(), 1_767_571_200_000, &state)),
            r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1767571200000,"s":"BTCUSDT","p":"1.50000001","ap":"0.00000002","P":"0.00000004","i":"0.00000003","r":"-0.00000523","T":1767600000000,"st":1}}"#
        );
    }
}
