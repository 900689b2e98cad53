//! Records of a journal as rows of the export tables, and rows as JSON.

use fusewire_core::lane::{Decided, Decoded, FrameOrigin};
use fusewire_io::capture::Origin;
use serde_json::Value as Json;

use super::walk::Item;
use crate::export::lanes::{
    Cause, Decided as RowDecided, ExportLane, FeedBody, FeedRecord, GatewayRecord, Rows, Sending,
    columns,
};
use crate::export::table::{Column, ColumnKind, Decimal, Value};

/// A row and the table that it belongs to.
pub struct Row<'a> {
    /// The table.
    pub lane: ExportLane,
    /// One value a column.
    pub values: Vec<Value<'a>>,
}

/// The row of a record; none for one that frames a journal (header, pending, close), or
/// that is no row of a lane (an alert).
pub fn row<'a>(rows: &'a mut Rows, item: &'a Item<'a>) -> Option<Row<'a>> {
    let cause = Cause { seq: item.seq, ts: Some(item.ts) };
    let (lane, values) = match &item.record {
        Decoded::Header(_) | Decoded::Pending(_) | Decoded::Alert(_) | Decoded::Close(_) => {
            return None;
        }
        Decoded::Frame(_) | Decoded::FrameRef(_) | Decoded::Damaged(_) => {
            (ExportLane::Feed, rows.feed(&feed_record(&item.record)?).to_vec())
        }
        Decoded::Event(event) => (ExportLane::Event, rows.event(event).to_vec()),
        Decoded::Intent(message) => {
            (ExportLane::Alpha, rows.alpha(cause, &message.intent).to_vec())
        }
        Decoded::Verdict(verdict) => {
            let decided = match &verdict.outcome {
                Decided::Approved { intent, class } => {
                    RowDecided::Approved { intent, class: *class }
                }
                Decided::Rejected(rejection) => RowDecided::Rejected(rejection),
            };
            let cause = Cause { seq: verdict.seq, ..cause };
            (ExportLane::Risk, rows.risk(cause, verdict.index, decided).to_vec())
        }
        Decoded::Sent(sent) => {
            let sending = if sent.blocked_at.is_some() { Sending::Blocked } else { Sending::Sent };
            let done = GatewayRecord::Intent(&sent.intent, sending);
            (ExportLane::Gateway, rows.gateway(cause, done).to_vec())
        }
        Decoded::CancelAll { seq } => {
            let cause = Cause { seq: *seq, ..cause };
            (ExportLane::Gateway, rows.gateway(cause, GatewayRecord::CancelAll).to_vec())
        }
    };
    Some(Row { lane, values })
}

fn feed_record<'a>(record: &Decoded<'a>) -> Option<FeedRecord<'a>> {
    match record {
        Decoded::Frame(frame) => {
            let head = frame.head;
            let origin = head.url.map_or(Origin::Stream, |url| Origin::Rest { url });
            let bytes = frame.bytes.len() as u64;
            let body = FeedBody::Frame { market: head.market, origin, bytes };
            let (frame, recv, source, line) = (head.frame, head.recv, head.source, head.line);
            Some(FeedRecord { frame, recv, source, line, body })
        }
        Decoded::FrameRef(head) => {
            let origin = match head.origin {
                FrameOrigin::Stream => Origin::Stream,
                // The address stands in the capture.
                FrameOrigin::Rest => Origin::Rest { url: "" },
            };
            let body = FeedBody::Frame { market: head.market, origin, bytes: head.bytes.into() };
            let (frame, recv, source, line) = (head.frame, head.recv, head.source, head.line);
            Some(FeedRecord { frame, recv, source, line, body })
        }
        Decoded::Damaged(damaged) => Some(FeedRecord {
            frame: damaged.frame,
            recv: damaged.at,
            source: damaged.source,
            line: damaged.line,
            body: FeedBody::Damaged(damaged.text),
        }),
        Decoded::Header(_)
        | Decoded::Event(_)
        | Decoded::Pending(_)
        | Decoded::Intent(_)
        | Decoded::Verdict(_)
        | Decoded::Sent(_)
        | Decoded::Alert(_)
        | Decoded::CancelAll { .. }
        | Decoded::Close(_) => None,
    }
}

/// A row as a JSON object, nulls left out; decimals are texts, so that they stay exact.
#[must_use]
pub fn json_of(row: &Row<'_>) -> Json {
    let fields = columns(row.lane).iter().zip(&row.values);
    let fields = fields.filter(|(_, value)| **value != Value::Null);
    Json::Object(
        fields.map(|(column, value)| (column.name.to_owned(), json(column, value))).collect(),
    )
}

fn json(column: &Column, value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::U64(number) => (*number).into(),
        Value::I64(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Text(text) => text.as_ref().into(),
        Value::Decimal(raw) => match column.kind {
            ColumnKind::Decimal { scale } => Decimal { raw: *raw, scale }.to_string().into(),
            ColumnKind::U64
            | ColumnKind::I64
            | ColumnKind::U32
            | ColumnKind::Bool
            | ColumnKind::Text => raw.to_string().into(),
        },
    }
}
