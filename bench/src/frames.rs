//! Made-up frames in the combined envelope, shaped as the exchange sends them in 2026.
//!
//! No number here is from a recording. Digits vary from frame to frame, so that branch predictors can
//! not learn one text by heart.

use std::fmt::Write as _;

use fusewire_core::market::{Kind, Level};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::inputs::{DepthStream, Diff, FrameSet};

/// Frames of each kind.
const FRAMES: usize = 512;
/// Exchange time of the first frame, in ms.
const START_MS: u64 = 1_790_000_000_000;

/// One set for every kind that the decoder is quick on.
#[must_use]
pub fn sets(depth: &DepthStream) -> Vec<FrameSet> {
    let make = |kind, frame: fn(&mut Maker) -> String| {
        let mut maker = Maker { rng: ChaCha8Rng::seed_from_u64(7), ms: START_MS };
        let frames = (0..FRAMES).map(|_| frame(&mut maker).into_bytes()).collect();
        FrameSet { label: "made up", kind, frames }
    };
    let depth = FrameSet { label: "made up", kind: Kind::Depth, frames: depth.frames.clone() };
    vec![
        make(Kind::BookTicker, Maker::book_ticker),
        make(Kind::Trade, Maker::trade),
        make(Kind::AggTrade, Maker::agg_trade),
        make(Kind::Mark, Maker::mark),
        depth,
        make(Kind::Liquidation, Maker::liquidation),
        make(Kind::Kline, Maker::kline),
    ]
}

/// The text of a diff.
#[must_use]
pub fn depth(number: usize, diff: &Diff) -> Vec<u8> {
    let ms = START_MS + number as u64 * 100;
    let ids = diff.ids;
    let mut text = format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"T":{},"s":"BTCUSDT","ps":"BTCUSDT","U":{},"u":{},"pu":{},"b":["#,
        ms - 2,
        ids.first,
        ids.last,
        ids.prev.unwrap_or(-1),
    );
    write_levels(&mut text, &diff.bids);
    text.push_str(r#"],"a":["#);
    write_levels(&mut text, &diff.asks);
    text.push_str(r#"],"st":1}}"#);
    text.into_bytes()
}

fn write_levels(text: &mut String, levels: &[Level]) {
    for (n, level) in levels.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let (price, qty) = (level.price.with_places(2), level.qty.with_places(3));
        write!(text, r#"{comma}["{price}","{qty}"]"#).expect("a string takes any text");
    }
}

/// Makes up one frame after the other.
struct Maker {
    rng: ChaCha8Rng,
    ms: u64,
}

impl Maker {
    fn below(&mut self, end: u64) -> u64 {
        self.rng.next_u64() % end
    }

    /// Event time, rising, in ms.
    fn time(&mut self) -> u64 {
        self.ms += 1 + self.below(40);
        self.ms
    }

    fn price(&mut self) -> String {
        format!("{}.{}0", 59_000 + self.below(2_000), self.below(10))
    }

    /// A price that is no multiple of a tick, as averages and marks are.
    fn fine_price(&mut self) -> String {
        format!("{}.{:08}", 59_000 + self.below(2_000), self.below(100_000_000))
    }

    fn qty(&mut self) -> String {
        let whole = if self.below(3) == 0 { self.below(200) } else { 0 };
        format!("{whole}.{:03}", 1 + self.below(999))
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    fn book_ticker(&mut self) -> String {
        let (ms, id) = (self.time(), 9_000_000_000_000 + self.below(1_000_000_000));
        let (bid, bid_qty, ask, ask_qty) = (self.price(), self.qty(), self.price(), self.qty());
        format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{id},"s":"BTCUSDT","ps":"BTCUSDT","b":"{bid}","B":"{bid_qty}","a":"{ask}","A":"{ask_qty}","T":{},"E":{ms},"st":1}}}}"#,
            ms - 1
        )
    }

    fn trade(&mut self) -> String {
        let (ms, id) = (self.time(), 8_000_000_000 + self.below(1_000_000_000));
        let (price, qty, maker) = (self.price(), self.qty(), self.flag());
        format!(
            r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms},"T":{},"s":"BTCUSDT","t":{id},"p":"{price}","q":"{qty}","X":"MARKET","m":{maker},"st":1}}}}"#,
            ms - 1
        )
    }

    fn agg_trade(&mut self) -> String {
        let (ms, id) = (self.time(), 3_000_000_000 + self.below(1_000_000_000));
        let (price, qty, maker) = (self.price(), self.qty(), self.flag());
        let first = 8_000_000_000 + self.below(1_000_000_000);
        let last = first + self.below(9);
        format!(
            r#"{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{ms},"a":{id},"s":"BTCUSDT","p":"{price}","q":"{qty}","nq":"{qty}","f":{first},"l":{last},"T":{},"m":{maker},"st":1}}}}"#,
            ms - 150
        )
    }

    fn mark(&mut self) -> String {
        let (ms, next) = (self.time(), START_MS + 28_800_000);
        let (price, settle, index) = (self.fine_price(), self.fine_price(), self.fine_price());
        let (sign, rate) = (if self.flag() { "" } else { "-" }, self.below(40_000));
        format!(
            r#"{{"stream":"btcusdt@markPrice@1s","data":{{"e":"markPriceUpdate","E":{ms},"s":"BTCUSDT","p":"{price}","ap":"{price}","P":"{settle}","i":"{index}","r":"{sign}0.{rate:08}","T":{next},"st":1}}}}"#
        )
    }

    fn liquidation(&mut self) -> String {
        let ms = self.time();
        let (price, average, qty, last) = (self.price(), self.price(), self.qty(), self.qty());
        let side = if self.flag() { "SELL" } else { "BUY" };
        format!(
            r#"{{"stream":"!forceOrder@arr","data":{{"e":"forceOrder","E":{ms},"o":{{"s":"BTCUSDT","S":"{side}","o":"LIMIT","f":"IOC","q":"{qty}","p":"{price}","ap":"{average}","X":"FILLED","l":"{last}","z":"{qty}","T":{},"ps":"BTCUSDT","st":1}}}}}}"#,
            ms - 900
        )
    }

    fn kline(&mut self) -> String {
        let ms = self.time();
        let open_ms = ms / 60_000 * 60_000;
        let close_ms = open_ms + 59_999;
        let first = 8_000_000_000 + self.below(1_000_000_000);
        let trades = 1 + self.below(5_000);
        let last = first + trades - 1;
        let prices = [self.price(), self.price(), self.price(), self.price()];
        let [open, close, high, low] = prices;
        let (volume, taker) = (self.qty(), self.qty());
        let quote = format!("{}.{:05}", self.below(9_000_000), self.below(100_000));
        let taker_quote = format!("{}.{:05}", self.below(9_000_000), self.below(100_000));
        let closed = self.below(20) == 0;
        // The exchange sends these inner commas with a space.
        format!(
            r#"{{"stream":"btcusdt@kline_1m","data":{{"e":"kline","E":{ms},"s":"BTCUSDT","k":{{"t":{open_ms}, "T":{close_ms}, "s":"BTCUSDT", "i":"1m", "f":{first}, "L":{last}, "o":"{open}", "c":"{close}", "h":"{high}", "l":"{low}", "v":"{volume}", "n":{trades}, "x":{closed}, "q":"{quote}", "V":"{taker}", "Q":"{taker_quote}", "B":"0"}}}}}}"#
        )
    }
}
