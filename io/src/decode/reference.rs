//! The reference decoder: slow, obvious, the definition of what a frame means.
//!
//! It parses the whole frame with `serde_json` into lists of members, looks each field up by name, and
//! parses numbers with the core's exact parser. Speed does not matter here; being readable does.

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, Ignored, Message, Span};

use super::rows::{Reading, RowKind};
use super::stream::StreamKind;
use super::{DecodeError, DecodeErrorKind, ROWS_MAX};
use crate::tape;

mod events;
mod json;

use json::Object;

/// Decodes one frame into `out`, which is cleared first.
///
/// # Errors
/// A typed error with byte offset when the frame is malformed; `out` then holds no messages.
pub fn decode(frame: &[u8], market: Market, out: &mut Decoded) -> Result<(), DecodeError> {
    // Numbers instead of text: there is one way to read them.
    if tape::is_tape(frame) {
        return tape::read(frame, out);
    }
    out.clear();
    let result = decode_frame(frame, market, out);
    if result.is_err() {
        let stream = out.stream;
        out.clear();
        out.stream = stream;
    }
    result
}

fn decode_frame(frame: &[u8], market: Market, out: &mut Decoded) -> Result<(), DecodeError> {
    let text = std::str::from_utf8(frame)
        .map_err(|error| DecodeErrorKind::Utf8.at(error.valid_up_to()))?;
    let document = json::Document::new(text);
    let whole = document.parse()?;
    let Some(object) = document.object(whole)? else {
        return decode_payload(&document, whole, StreamKind::Other, market, out);
    };
    let Some(stream) = object.get("stream")? else {
        return decode_payload(&document, whole, StreamKind::Other, market, out);
    };
    out.stream = object.text(stream, "stream")?;
    let data = object.get("data")?.ok_or(DecodeErrorKind::Missing("data").at(frame.len()))?;
    let kind = StreamKind::of(out.stream.of(frame));
    decode_payload(&document, data, kind, market, out)
}

fn decode_payload<'f>(
    document: &json::Document<'f>,
    payload: &'f str,
    stream: StreamKind,
    market: Market,
    out: &mut Decoded,
) -> Result<(), DecodeError> {
    let Some(rows) = document.array(payload)? else {
        return decode_row(document, payload, stream, market, out);
    };
    if rows.len() > ROWS_MAX {
        return Err(DecodeErrorKind::TooMany("data").at(document.offset(payload)));
    }
    rows.into_iter().try_for_each(|row| decode_row(document, row, stream, market, out))
}

fn decode_row<'f>(
    document: &json::Document<'f>,
    row: &'f str,
    stream: StreamKind,
    market: Market,
    out: &mut Decoded,
) -> Result<(), DecodeError> {
    let object =
        document.object(row)?.ok_or(DecodeErrorKind::NotAFrame.at(document.offset(row)))?;
    if stream == StreamKind::RpiDepth {
        out.ignored.push(Ignored::OtherBook);
        return Ok(());
    }
    let reading = match event_of(&object, stream)? {
        Ok(event) => events::read(&object, event, market, out)?,
        Err(ignored) => Err(ignored),
    };
    push(reading, out);
    Ok(())
}

fn push(reading: Reading<(Span, Body)>, out: &mut Decoded) {
    match reading {
        Ok((symbol, body)) => out.messages.push(Message { symbol, body }),
        Err(ignored) => out.ignored.push(ignored),
    }
}

/// Which event a row is: by its `e`, or by its shape where the exchange sends none.
fn event_of(object: &Object<'_>, stream: StreamKind) -> Result<Reading<RowKind>, DecodeError> {
    if let Some(e) = object.get("e")? {
        let name = object.text(e, "e")?;
        let event = RowKind::named(name.of(object.frame()), stream);
        return Ok(event.ok_or(Ignored::UnknownEvent(name)));
    }
    if object.has("lastUpdateId") {
        let partial = stream == StreamKind::PartialDepth;
        return Ok(Ok(if partial { RowKind::PartialSnapshot } else { RowKind::Snapshot }));
    }
    if ["u", "s", "b", "B", "a", "A"].into_iter().all(|key| object.has(key)) {
        return Ok(Ok(RowKind::BookTicker));
    }
    let control = ["result", "error", "code", "method"].into_iter().any(|key| object.has(key));
    Ok(Err(if control { Ignored::ControlAnswer } else { Ignored::NoEventType }))
}
