//! Lines of the cryptofeed recorder, in its two formats. Times are decimal seconds.

use std::borrow::Cow;

use fusewire_core::units::Nanos;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Fault;
use super::time::{is_digits, parse_seconds};

/// What one line of a recording says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A stream frame.
    Stream(Nanos, Frame),
    /// The answer to a REST request to this URL.
    Rest(Nanos, String, Frame),
    /// A connection to this address.
    Address(String),
    /// The recording is of this exchange.
    Exchange(String),
    /// Nothing that matters here: settings, or what the recorder sent.
    Nothing,
}

/// Where the bytes of a frame are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// In the line, from this offset to its end.
    Tail(usize),
    /// Here, because they stood escaped in the line.
    Own(Vec<u8>),
}

/// A line of a JSON recording. `ts` stays text: as a float it would lose its last digits.
#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(borrow)]
    t: Cow<'a, str>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    url: Option<String>,
    addr: Option<String>,
    exchange: Option<String>,
    data: Option<String>,
}

/// Whether this is the first line of a JSON recording.
pub(super) fn is_json_header(line: &[u8]) -> bool {
    line.starts_with(b"{") && parse_json_line(line).is_ok_and(|line| line.t == "header")
}

/// One line of a JSON recording.
///
/// # Errors
/// The line is not of the format, or its time is not plausible.
pub(super) fn parse_json(line: &[u8]) -> Result<Entry, Fault> {
    let line = parse_json_line(line)?;
    match &*line.t {
        "recv" => Ok(Entry::Stream(time(line.ts)?, own(line.data)?)),
        "http" => {
            let url = line.url.ok_or_else(|| shape("an http line without url"))?;
            Ok(Entry::Rest(time(line.ts)?, url, own(line.data)?))
        }
        "connect" => Ok(line.addr.map_or(Entry::Nothing, Entry::Address)),
        "header" => Ok(line.exchange.map_or(Entry::Nothing, Entry::Exchange)),
        "send" => Ok(Entry::Nothing),
        // It may carry frames: passing over it could lose some without a word.
        other => Err(Fault::Shape(format!("unknown record type '{}'", other.escape_debug()))),
    }
}

fn parse_json_line(line: &[u8]) -> Result<JsonLine<'_>, Fault> {
    serde_json::from_slice(line).map_err(|error| Fault::Shape(format!("no JSON record ({error})")))
}

fn time(ts: Option<&RawValue>) -> Result<Nanos, Fault> {
    parse_seconds(ts.ok_or_else(|| shape("a record without ts"))?.get().as_bytes())
}

fn own(data: Option<String>) -> Result<Frame, Fault> {
    let data = data.filter(|data| !data.is_empty());
    data.map(|data| Frame::Own(data.into_bytes())).ok_or_else(|| shape("a record without data"))
}

/// A line of a text recording, by its shape.
enum TextLine<'a> {
    Frame { seconds: &'a [u8], offset: usize },
    Answer { url: &'a [u8], seconds: &'a [u8], offset: usize },
    Connect { address: &'a [u8] },
    Nothing,
}

/// Whether this line can stand in a text recording.
pub(super) fn is_text(line: &[u8]) -> bool {
    text_line(line).is_some()
}

/// One line of a text recording.
///
/// # Errors
/// The line is not of the format, or its time is not plausible.
pub(super) fn parse_text(line: &[u8]) -> Result<Entry, Fault> {
    let entry = match text_line(line).ok_or_else(|| shape("no line of a cryptofeed recording"))? {
        TextLine::Frame { seconds, offset } => {
            Entry::Stream(parse_seconds(seconds)?, tail(line, offset)?)
        }
        TextLine::Answer { url, seconds, offset } => {
            Entry::Rest(parse_seconds(seconds)?, text(url)?, tail(line, offset)?)
        }
        TextLine::Connect { address } => Entry::Address(text(address)?),
        TextLine::Nothing => Entry::Nothing,
    };
    Ok(entry)
}

fn text_line(line: &[u8]) -> Option<TextLine<'_>> {
    if line.starts_with(b"configuration: ") {
        return Some(TextLine::Nothing);
    }
    let (first, tail) = split_at_space(line)?;
    if let Some(seconds) = first.strip_suffix(b":") {
        return is_decimal(seconds).then_some(TextLine::Frame { seconds, offset: first.len() + 1 });
    }
    memchr::memmem::find(first, b"://")?;
    let (arrow, tail) = split_at_space(tail)?;
    if arrow == b"<->" {
        return is_decimal(tail).then_some(TextLine::Connect { address: first });
    }
    let (seconds, body) = split_at_space(tail)?;
    let seconds = seconds.strip_suffix(b":").filter(|seconds| is_decimal(seconds))?;
    match arrow {
        b"->" => Some(TextLine::Answer { url: first, seconds, offset: line.len() - body.len() }),
        b"<-" => Some(TextLine::Nothing),
        _ => None,
    }
}

fn split_at_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', line)?;
    Some((&line[..space], &line[space + 1..]))
}

fn is_decimal(text: &[u8]) -> bool {
    match memchr::memchr(b'.', text) {
        None => is_digits(text),
        Some(dot) => is_digits(&text[..dot]) && is_digits(&text[dot + 1..]),
    }
}

fn tail(line: &[u8], offset: usize) -> Result<Frame, Fault> {
    if offset >= line.len() {
        return Err(shape("no frame behind the receive time"));
    }
    Ok(Frame::Tail(offset))
}

fn text(bytes: &[u8]) -> Result<String, Fault> {
    String::from_utf8(bytes.to_vec()).map_err(|_| shape("an address that is not UTF-8"))
}

#[cold]
fn shape(reason: &str) -> Fault {
    Fault::Shape(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Nanos = Nanos(1_626_992_741_062_170_000);

    fn json(line: &str) -> Result<Entry, Fault> {
        parse_json(line.as_bytes())
    }

    #[test]
    fn json_lines() {
        let frame = Frame::Own(br#"{"s":"A"}"#.to_vec());
        let line = r#"{"t":"recv","conn":"x","ts":1626992741.06217,"data":"{\"s\":\"A\"}"}"#;
        assert_eq!(json(line), Ok(Entry::Stream(T, frame)));
        let line = r#"{"t":"http","ts":1626992741.06217,"url":"https://a/b","data":"[]"}"#;
        let answer = Entry::Rest(T, "https://a/b".to_owned(), Frame::Own(b"[]".to_vec()));
        assert_eq!(json(line), Ok(answer));
        let line = r#"{"t":"connect","conn":"x","ts":1626992741.06217,"addr":"wss://a"}"#;
        assert_eq!(json(line), Ok(Entry::Address("wss://a".to_owned())));
        let line = r#"{"t":"header","format":2,"exchange":"BYBIT","config":{"a":[1]}}"#;
        assert_eq!(json(line), Ok(Entry::Exchange("BYBIT".to_owned())));
        assert_eq!(json(r#"{"t":"send","ts":1.5,"data":"{}"}"#), Ok(Entry::Nothing));
    }

    #[test]
    fn json_lines_that_carry_no_record_are_refused() {
        for line in [
            r#"{"t":"recv","ts":1626992741.06217,"data":"{}""#,
            r#"{"t":"recv","ts":1626992741.06217}"#,
            r#"{"t":"recv","ts":1626992741.06217,"data":""}"#,
            r#"{"t":"recv","ts":1626992741.06217,"data":{"s":1}}"#,
            r#"{"t":"recv","data":"{}"}"#,
            r#"{"t":"http","ts":1626992741.06217,"data":"{}"}"#,
            r#"{"t":"close","ts":1626992741.06217}"#,
            r#"{"ts":1626992741.06217,"data":"{}"}"#,
            "[]",
        ] {
            assert!(matches!(json(line), Err(Fault::Shape(_))), "{line}");
        }
        for ts in ["1626992741062.17", "\"1626992741.06217\"", "1.62e9", "-1626992741.06217"] {
            let line = format!(r#"{{"t":"recv","ts":{ts},"data":"{{}}"}}"#);
            assert!(matches!(json(&line), Err(Fault::Time(_))), "{line}");
        }
    }

    #[test]
    fn text_lines() {
        let line = b"1626992741.06217: {\"s\": \"A\"}";
        assert_eq!(parse_text(line), Ok(Entry::Stream(T, Frame::Tail(18))));
        let line = b"https://a/b?c=d&e -> 1626992741.06217: {\"s\": \"A -> B\"}";
        let answer = Entry::Rest(T, "https://a/b?c=d&e".to_owned(), Frame::Tail(39));
        assert_eq!(parse_text(line), Ok(answer));
        let line = b"wss://a/ws <-> 1626992741.06217";
        assert_eq!(parse_text(line), Ok(Entry::Address("wss://a/ws".to_owned())));
        assert_eq!(parse_text(b"wss://a/ws <- 1626992741.06217: {}"), Ok(Entry::Nothing));
        assert_eq!(parse_text(b"configuration: {\"a\": 1}"), Ok(Entry::Nothing));
    }

    #[test]
    fn text_lines_of_another_shape_are_refused() {
        for line in [
            "1626992741.06217:",
            "1626992741.06217: ",
            "1626992741.06217 {}",
            "1626992741.: {}",
            "wss://a <-> ",
            "wss://a <-> 1626992741.06217: {}",
            "https://a -> 1626992741.06217: ",
            "https://a -> {}",
            "https://a => 1626992741.06217: {}",
            "a/b -> 1626992741.06217: {}",
            "{\"s\": 1}",
        ] {
            assert!(matches!(parse_text(line.as_bytes()), Err(Fault::Shape(_))), "{line}");
        }
        assert!(matches!(parse_text(b"1626992741062: {}"), Err(Fault::Time(_))));
    }
}
