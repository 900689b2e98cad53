//! From one frame to messages with their instruments: decoder, symbol and counts.
//!
//! A message names its symbol in its own text, in its stream name, in the URL of a REST answer, or not
//! at all: a bare snapshot belongs to the only symbol of its file. What can not be attributed is an
//! error and not a guess.

use std::borrow::Cow;

use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_core::market::{Decoded, Ignored, Kind, Message};

mod early;
mod pace;
mod stage;

pub use pace::{Pace, Pacer};
pub use stage::{Faults, FeedStage, FrameStore, Recording};

use crate::capture::Origin;
use crate::decode::{DecodeError, Decoder, symbol_of_stream, unescape};

/// Where a frame came from, as far as the frame does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Market of the recording.
    pub market: Market,
    /// Stream frame or REST answer.
    pub origin: Origin<'a>,
    /// The only symbol of the recording, if it has one.
    pub only_symbol: Option<&'a str>,
}

/// The symbol of a message in exchange spelling; `None` when nothing names it.
#[must_use]
pub fn symbol_of<'a>(
    frame: &'a [u8],
    decoded: &Decoded,
    message: &Message,
    context: &Context<'a>,
) -> Option<Cow<'a, str>> {
    if !message.symbol.is_none() {
        return unescape(message.symbol.of(frame));
    }
    if !decoded.stream.is_none() {
        return symbol_of_stream(decoded.stream.of(frame)).map(Cow::Owned);
    }
    match context.origin {
        Origin::Rest { url } => symbol_of_url(url).map(Cow::Owned),
        Origin::Stream => context.only_symbol.map(Cow::Borrowed),
    }
}

/// The `symbol` parameter of a REST address.
fn symbol_of_url(url: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let symbol = query.split('&').find_map(|pair| pair.strip_prefix("symbol="))?;
    percent_decoded(symbol).filter(|symbol| !symbol.is_empty())
}

/// The text behind `%e5%b8%81`; `None` when an escape is no two hex digits or the result no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let ([high, low], behind) = rest.split_first_chunk()?;
        decoded.push(digit(high)? * 16 + digit(low)?);
        rest = behind;
    }
    String::from_utf8(decoded).ok()
}

/// True when a REST answer is the `exchangeInfo` of its market and no market message.
#[must_use]
pub fn is_exchange_info(url: &str) -> bool {
    path_of_url(url).ends_with("/exchangeInfo")
}

/// True when a REST answer is a book snapshot, the only answer that is decoded as a message.
#[must_use]
pub fn is_depth(url: &str) -> bool {
    path_of_url(url).ends_with("/depth")
}

fn path_of_url(url: &str) -> &str {
    url.split_once('?').map_or(url, |(path, _)| path)
}

/// What was counted on the way in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames taken, REST answers included.
    pub frames: u64,
    /// Messages by kind, in the order of `Kind::ALL`.
    pub messages: [u64; Kind::ALL.len()],
    /// Malformed frames.
    pub malformed: u64,
    /// Messages of symbols outside the universe.
    pub outside: u64,
    /// Messages that nothing attributes to a symbol.
    pub unattributed: u64,
    /// Rows that were understood and left out.
    pub ignored: IgnoredCounts,
    /// REST answers that are no market messages.
    pub other_rest: u64,
}

/// Rows left out, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IgnoredCounts {
    /// Answers of the control protocol.
    pub control: u64,
    /// Event types that Fusewire does not read, objects of unknown shape, other books.
    pub unknown: u64,
    /// Rows of another market.
    pub other_market: u64,
    /// Trade placeholders.
    pub placeholder: u64,
    /// Enum values that Fusewire does not know.
    pub unknown_value: u64,
}

impl IgnoredCounts {
    /// Counts one row.
    pub fn add(&mut self, why: Ignored) {
        let counter = match why {
            Ignored::ControlAnswer => &mut self.control,
            Ignored::UnknownEvent(_) | Ignored::NoEventType | Ignored::OtherBook => {
                &mut self.unknown
            }
            Ignored::OtherMarket => &mut self.other_market,
            Ignored::Placeholder => &mut self.placeholder,
            Ignored::UnknownValue(_) => &mut self.unknown_value,
        };
        *counter += 1;
    }
}

/// Decoders and counts of one run.
#[derive(Debug)]
pub struct Feed {
    universe: Universe,
    decoders: [Decoder; 3],
    decoded: Decoded,
    counts: Counts,
}

/// A malformed frame, and what it leaves in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What was wrong.
    pub error: DecodeError,
    /// The stream that is stale now; empty when the frame does not even tell that.
    pub stream: String,
    /// Which books may have missed a change.
    pub doubt: Doubt,
}

/// Which books a malformed frame may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// None: its stream carries no book.
    None,
    /// The book of one symbol.
    One(InstrumentId),
    /// Every book that the recording feeds.
    All,
}

impl Feed {
    /// A feed for the symbols of `universe`.
    #[must_use]
    pub fn new(universe: Universe) -> Self {
        let decoders = [Market::UsdM, Market::CoinM, Market::Spot].map(Decoder::new);
        Self { universe, decoders, decoded: Decoded::default(), counts: Counts::default() }
    }

    /// The instruments.
    #[must_use]
    pub fn universe(&self) -> &Universe {
        &self.universe
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Frames that the fast decoder handed to the reference decoder.
    #[must_use]
    pub fn handed_over(&self) -> u64 {
        self.decoders.iter().map(Decoder::handed_over).sum()
    }

    /// Decodes one frame and calls `sink` for each message of a symbol in the universe.
    ///
    /// # Errors
    /// The frame is malformed; nothing of it was used.
    pub fn take(
        &mut self,
        frame: &[u8],
        context: &Context<'_>,
        mut sink: impl FnMut(InstrumentId, &Message, &Decoded),
    ) -> Result<(), Malformed> {
        self.counts.frames += 1;
        if let Origin::Rest { url } = context.origin
            && !is_depth(url)
        {
            self.counts.other_rest += 1;
            return Ok(());
        }
        let decoder = &mut self.decoders[context.market as usize];
        if let Err(error) = decoder.decode(frame, &mut self.decoded) {
            return Err(self.malformed(frame, context, error));
        }
        for why in &self.decoded.ignored {
            self.counts.ignored.add(*why);
        }
        for message in &self.decoded.messages {
            match find(&self.universe, frame, &self.decoded, message, context) {
                Found::Instrument(id) => {
                    self.counts.messages[message.body.kind() as usize] += 1;
                    sink(id, message, &self.decoded);
                }
                Found::Outside => self.counts.outside += 1,
                Found::Unattributed => self.counts.unattributed += 1,
            }
        }
        Ok(())
    }

    #[cold]
    fn malformed(&mut self, frame: &[u8], context: &Context<'_>, error: DecodeError) -> Malformed {
        self.counts.malformed += 1;
        let raw = self.decoded.stream.of(frame);
        let doubt = match context.origin {
            // No chain of diffs runs through an answer: without it a book is what it was before.
            Origin::Rest { .. } => Doubt::None,
            Origin::Stream => self.doubt(raw, context),
        };
        let name = unescape(raw).unwrap_or_else(|| String::from_utf8_lossy(raw));
        Malformed { error, stream: name.into_owned(), doubt }
    }

    /// What a malformed frame of a stream leaves in doubt, by the stream's raw name; empty for none.
    fn doubt(&self, stream: &[u8], context: &Context<'_>) -> Doubt {
        let Some(name) = unescape(stream) else { return Doubt::All };
        if !carries_book(&name) {
            return Doubt::None;
        }
        match symbol_of_stream(stream).or_else(|| context.only_symbol.map(str::to_owned)) {
            None => Doubt::All,
            Some(symbol) => self
                .universe
                .find(context.market, symbol.as_bytes())
                .map_or(Doubt::None, Doubt::One),
        }
    }
}

/// True when frames of a stream change a book; without a name any frame may.
fn carries_book(stream: &str) -> bool {
    match stream.split_once('@') {
        Some((_, channel)) => channel.starts_with("depth"),
        None => stream.is_empty(),
    }
}

enum Found {
    Instrument(InstrumentId),
    Outside,
    Unattributed,
}

/// The instrument of a message. The common case looks the raw text up and copies nothing.
fn find(
    universe: &Universe,
    frame: &[u8],
    decoded: &Decoded,
    message: &Message,
    context: &Context<'_>,
) -> Found {
    let raw = message.symbol.of(frame);
    if !raw.is_empty()
        && let Some(id) = universe.find(context.market, raw)
    {
        return Found::Instrument(id);
    }
    match symbol_of(frame, decoded, message, context) {
        None => Found::Unattributed,
        Some(symbol) => universe
            .find(context.market, symbol.as_bytes())
            .map_or(Found::Outside, Found::Instrument),
    }
}

#[cfg(test)]
mod tests {
    use fusewire_core::instrument::common;

    use super::*;

    fn feed() -> Feed {
        let btc = common(Market::UsdM, "BTCUSDT").unwrap();
        let spot = common(Market::Spot, "BTCUSDT").unwrap();
        Feed::new(Universe::new(vec![btc, spot]).unwrap())
    }

    fn stream(market: Market, only_symbol: Option<&str>) -> Context<'_> {
        Context { market, origin: Origin::Stream, only_symbol }
    }

    fn ids(feed: &mut Feed, frame: &str, context: &Context<'_>) -> Vec<u16> {
        let mut found = Vec::new();
        feed.take(frame.as_bytes(), context, |id, _, _| found.push(id.0)).unwrap();
        found
    }

    const SNAPSHOT: &str = r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#;

    #[test]
    fn the_market_is_the_recordings() {
        let mut feed = feed();
        let frame = r#"{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
        assert_eq!(ids(&mut feed, frame, &stream(Market::UsdM, None)), [0]);
        assert_eq!(ids(&mut feed, frame, &stream(Market::Spot, None)), [1]);
        assert_eq!(ids(&mut feed, frame, &stream(Market::CoinM, None)), [0; 0]);
        assert_eq!(feed.counts().outside, 1);
    }

    #[test]
    fn a_bare_snapshot_is_attributed_or_refused() {
        let mut feed = feed();
        let url = "https://example.test/fapi/v1/depth?limit=1000&symbol=BTCUSDT";
        assert_eq!(ids(&mut feed, SNAPSHOT, &rest(url)), [0]);
        assert_eq!(ids(&mut feed, SNAPSHOT, &stream(Market::UsdM, Some("BTCUSDT"))), [0]);
        let wrapped = format!(r#"{{"stream":"btcusdt@depthSnapshot","data":{SNAPSHOT}}}"#);
        assert_eq!(ids(&mut feed, &wrapped, &stream(Market::UsdM, None)), [0]);
        assert_eq!(ids(&mut feed, SNAPSHOT, &stream(Market::UsdM, None)), [0; 0]);
        assert_eq!(feed.counts().unattributed, 1);
    }

    #[test]
    fn a_malformed_frame_names_the_stale_symbol_if_it_can() {
        let mut feed = feed();
        let known = r#"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":"#;
        let fault = feed.take(known.as_bytes(), &stream(Market::UsdM, None), |_, _, _| {});
        let fault = fault.unwrap_err();
        assert_eq!(
            (fault.stream.as_str(), fault.doubt),
            ("btcusdt@depth", Doubt::One(InstrumentId(0)))
        );
        let unknown = feed.take(b"{", &stream(Market::UsdM, None), |_, _, _| {});
        assert_eq!(unknown.unwrap_err().doubt, Doubt::All);
        let alone = feed.take(b"{", &stream(Market::UsdM, Some("BTCUSDT")), |_, _, _| {});
        assert_eq!(alone.unwrap_err().doubt, Doubt::One(InstrumentId(0)));
        let trade = r#"{"stream":"btcusdt@trade","data":{"e":"#;
        let trade = feed.take(trade.as_bytes(), &stream(Market::UsdM, None), |_, _, _| {});
        assert_eq!(trade.unwrap_err().doubt, Doubt::None);
        assert_eq!((feed.counts().malformed, feed.counts().frames), (4, 4));
    }

    fn doubt(frame: &[u8], context: &Context<'_>) -> Doubt {
        feed().take(frame, context, |_, _, _| {}).unwrap_err().doubt
    }

    #[test]
    fn an_escaped_stream_name_is_read_or_puts_all_books_in_doubt() {
        let context = stream(Market::UsdM, None);
        for (name, expected) in [
            // A cut frame's escaped name is not read: whatever it was, all books may have missed it.
            (r"btcusd\u0074@depth", Doubt::All),
            (r"btcusdt@\ud800", Doubt::All),
            (r"\ud800usdt@depth", Doubt::All),
        ] {
            let frame = format!(r#"{{"stream":"{name}","data":{{"e":"#);
            assert_eq!(doubt(frame.as_bytes(), &context), expected, "{name}");
        }
        assert_eq!(doubt(b"{\"stream\":\"\xff@trade\",\"data\":{", &context), Doubt::All);
        let wrapped = format!(r#"{{"stream":"\u0062tcusdt@depthSnapshot","data":{SNAPSHOT}}}"#);
        assert_eq!(ids(&mut feed(), &wrapped, &context), [0]);
    }

    fn rest(url: &str) -> Context<'_> {
        Context { market: Market::UsdM, origin: Origin::Rest { url }, only_symbol: None }
    }

    #[test]
    fn a_malformed_answer_puts_no_book_in_doubt() {
        let mut context = rest("https://example.test/fapi/v1/depth?symbol=BTCUSDT");
        assert_eq!(doubt(b"<html>", &context), Doubt::None);
        context.only_symbol = Some("BTCUSDT");
        assert_eq!(doubt(br#"{"lastUpdateId":1,"bids":[["#, &context), Doubt::None);
    }

    #[test]
    fn only_depth_answers_are_decoded() {
        let mut feed = feed();
        let trade = r#"{"e":"trade","s":"BTCUSDT","#;
        for (path, answer) in [
            ("exchangeInfo", "{}"),
            ("ticker/bookTicker", r#"{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#),
            ("trades?symbol=BTCUSDT&from=/depth", trade),
            ("depth/x", "<html>"),
            ("openInterest", "<html>"),
        ] {
            let url = format!("https://example.test/fapi/v1/{path}");
            assert_eq!(ids(&mut feed, answer, &rest(&url)), [0; 0], "{path}");
        }
        assert_eq!((feed.counts().other_rest, feed.counts().malformed), (5, 0));
    }

    #[test]
    fn the_symbol_of_an_address_is_percent_decoded() {
        for (query, symbol) in [
            ("?symbol=BTCUSDT", Some("BTCUSDT")),
            ("?limit=5&symbol=%E5%b8%81USDT", Some("\u{5e01}USDT")),
            ("?symbol=BTC%55SDT&x=%", Some("BTCUSDT")),
            ("?symbol=BTC%5", None),
            ("?symbol=BTC%", None),
            ("?symbol=BTC%+5SDT", None),
            ("?symbol=%ff", None),
            ("?symbol=", None),
            ("?limit=5", None),
            ("", None),
        ] {
            let url = format!("https://example.test/fapi/v1/depth{query}");
            assert_eq!(symbol_of_url(&url).as_deref(), symbol, "{query}");
        }
        let url = "https://example.test/fapi/v1/depth?symbol=%42TCUSDT";
        assert_eq!(ids(&mut feed(), SNAPSHOT, &rest(url)), [0]);
    }

    #[test]
    fn messages_and_rows_left_out_are_counted() {
        let mut feed = feed();
        let trade = |symbol: &str, origin: &str| {
            format!(
                r#"{{"e":"trade","E":1,"T":1,"s":"{symbol}","t":1,"p":"1","q":"1","m":true,"X":"{origin}"}}"#
            )
        };
        let context = stream(Market::UsdM, None);
        for origin in ["MARKET", "ADL", "NA", "LATER"] {
            ids(&mut feed, &trade("BTCUSDT", origin), &context);
        }
        let ticker = r#"{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
        ids(&mut feed, ticker, &context);
        ids(&mut feed, &trade("ETHUSDT", "MARKET"), &context);
        ids(&mut feed, &trade("ETHUSDT", "MARKET"), &context);
        ids(&mut feed, SNAPSHOT, &context);
        ids(&mut feed, SNAPSHOT, &context);
        let mut expected = Counts { frames: 9, outside: 2, unattributed: 2, ..Counts::default() };
        expected.messages[Kind::Trade as usize] = 2;
        expected.messages[Kind::BookTicker as usize] = 1;
        expected.ignored =
            IgnoredCounts { placeholder: 1, unknown_value: 1, ..IgnoredCounts::default() };
        assert_eq!(*feed.counts(), expected);
    }

    #[test]
    fn odd_frames_of_all_markets_are_counted_together() {
        let mut feed = feed();
        assert_eq!(feed.universe().len(), 2);
        assert_eq!(feed.handed_over(), 0);
        for market in [Market::UsdM, Market::Spot] {
            ids(&mut feed, r#"{"result":null,"id":1}"#, &stream(market, None));
        }
        assert_eq!(feed.handed_over(), 2);
    }

    #[test]
    fn an_escaped_symbol_is_the_symbol() {
        let mut feed = feed();
        let frame = r#"{"u":1,"s":"\u0042TCUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
        assert_eq!(ids(&mut feed, frame, &stream(Market::UsdM, None)), [0]);
    }

    #[test]
    fn a_url_names_a_symbol_or_none() {
        for (url, symbol) in [
            ("https://x.test/depth?symbol=BTCUSDT", Some("BTCUSDT")),
            ("https://x.test/depth?limit=5&symbol=BTCUSDT&x=1", Some("BTCUSDT")),
            ("https://x.test/depth?symbol=", None),
            ("https://x.test/depth?symbols=BTCUSDT", None),
            ("https://x.test/symbol=BTCUSDT", None),
        ] {
            assert_eq!(symbol_of_url(url).as_deref(), symbol, "{url}");
        }
    }

    #[test]
    fn only_the_path_makes_an_exchange_info() {
        assert!(is_exchange_info("https://x.test/fapi/v1/exchangeInfo?x=1"));
        assert!(!is_exchange_info("https://x.test/fapi/v1/depth?from=/exchangeInfo"));
    }

    #[test]
    fn depth_streams_and_frames_without_a_name_carry_books() {
        for name in ["btcusdt@depth@100ms", "btcusdt@depth5", "btcusdt@depthSnapshot", ""] {
            assert!(carries_book(name), "{name}");
        }
        for name in ["btcusdt@trade", "!forceOrder@arr", "depth", "btcusdt@rpiDepth"] {
            assert!(!carries_book(name), "{name}");
        }
    }

    #[test]
    fn a_malformed_frame_of_a_symbol_outside_touches_no_book() {
        let mut feed = feed();
        let other = r#"{"stream":"ethusdt@depth","data":{"e":"#;
        let fault = feed.take(other.as_bytes(), &stream(Market::UsdM, None), |_, _, _| {});
        assert_eq!(fault.unwrap_err().doubt, Doubt::None);
    }
}
