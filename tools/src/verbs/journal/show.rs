//! Prints records, for people or one JSON object a line.

use std::io::{self, BufWriter, StdoutLock, Write};

use fusewire_core::event::Body;
use fusewire_core::lane::Decoded;
use serde_json::{Value, json};

use super::filter::kind_of;
use crate::export::lanes::{Names, Rows};
use crate::journal::rows::{json_of, row};
use crate::journal::text;
use crate::journal::walk::Item;
use crate::outcome::Failure;

/// What prints.
pub(super) struct Printer {
    names: Names,
    rows: Option<Rows>,
    out: BufWriter<StdoutLock<'static>>,
}

/// Whether somebody still reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Yes.
    There,
    /// It has seen enough (`| head`).
    Gone,
}

impl Printer {
    pub(super) fn new(names: Names, json: bool) -> Self {
        let rows = json.then(|| Rows::new(names.clone()));
        Self { names, rows, out: BufWriter::new(io::stdout().lock()) }
    }

    pub(super) fn item(&mut self, item: &Item<'_>) -> Result<Reader, Failure> {
        let line = match &mut self.rows {
            None => text::line(item, &self.names),
            Some(rows) => object(rows, item, &self.names).to_string(),
        };
        self.line(&line)
    }

    /// A record that is left out: what rows say of orders depends on those before them.
    pub(super) fn pass(&mut self, item: &Item<'_>) {
        if let Some(rows) = &mut self.rows {
            // Only what it remembers is wanted.
            let _ = row(rows, item);
        }
    }

    pub(super) fn line(&mut self, line: &str) -> Result<Reader, Failure> {
        reader(writeln!(self.out, "{line}"))
    }

    pub(super) fn flush(&mut self) -> Result<Reader, Failure> {
        reader(self.out.flush())
    }
}

fn reader(written: io::Result<()>) -> Result<Reader, Failure> {
    match written {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::line(format!("stdout: {error}"))),
    }
}

/// A record as one JSON object: `stage` and `record` say what it is, then come the columns of its table.
fn object(rows: &mut Rows, item: &Item<'_>, names: &Names) -> Value {
    let mut object = json!({ "stage": item.lane.name(), "record": kind_of(&item.record).name() });
    let fields = match row(rows, item) {
        Some(row) => json_of(&row),
        None => framing(item, names),
    };
    if let (Value::Object(all), Value::Object(fields)) = (&mut object, fields) {
        all.extend(fields);
        if let Some(stamp) = item.stamp_ns {
            all.insert("stamp_ns".to_owned(), stamp.into());
        }
    }
    object
}

fn framing(item: &Item<'_>, names: &Names) -> Value {
    match &item.record {
        Decoded::Header(document) => {
            let document: Value = serde_json::from_slice(document).unwrap_or(Value::Null);
            json!({ "header": document })
        }
        Decoded::Close(close) => json!({
            "records": close.records,
            "last": close.last,
            "digest": fusewire_core::lane::Digest::from_bytes(close.digest).to_string(),
        }),
        Decoded::Pending(feedback) => {
            let body = Body::from(feedback.body);
            let mut fields = json!({
                "kind": body.kind().name(),
                "due_ns": feedback.due.0,
                "cause_seq": feedback.cause_seq,
                "text": text::what(&item.record, names),
            });
            if let Some(symbol) = feedback.instrument {
                fields["symbol"] = names.symbol_text(symbol).into();
            }
            if let Some(order) = body.order() {
                fields["order_id"] = order.to_string().into();
            }
            fields
        }
        Decoded::Frame(_)
        | Decoded::FrameRef(_)
        | Decoded::Damaged(_)
        | Decoded::Event(_)
        | Decoded::Intent(_)
        | Decoded::Verdict(_)
        | Decoded::Sent(_)
        | Decoded::Alert(_)
        | Decoded::CancelAll { .. } => json!({}),
    }
}
