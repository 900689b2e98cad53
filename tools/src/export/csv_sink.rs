//! Rows as CSV: a header, `\n` after each line, quotes where they are needed, and the shortest exact text
//! of each number.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::ExportError;
use super::table::{Column, ColumnKind, Decimal, Sink, Value, assert_fits};

/// A CSV file that is being written. Null is an empty field, and so is an empty text.
pub struct CsvSink<W: Write> {
    path: String,
    out: csv::Writer<W>,
    columns: &'static [Column],
    /// The text of the value at hand, kept for its memory.
    field: String,
}

impl<W: Write> CsvSink<W> {
    /// Begins a file with its header. Errors call it `path`.
    ///
    /// # Errors
    /// It can not be written.
    pub fn new(path: &str, out: W, columns: &'static [Column]) -> Result<Self, ExportError> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(columns.iter().map(|column| column.name))
            .map_err(|error| ExportError::write(path, io_error(error)))?;
        Ok(Self { path: path.to_owned(), out, columns, field: String::new() })
    }

    fn fields(&mut self, row: &[Value<'_>]) -> csv::Result<()> {
        for (column, value) in self.columns.iter().zip(row) {
            self.field.clear();
            put(&mut self.field, column.kind, value);
            self.out.write_field(&self.field)?;
        }
        self.out.write_record(None::<&[u8]>)
    }
}

impl<W: Write> Sink for CsvSink<W> {
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), ExportError> {
        assert_fits(self.columns, row);
        self.fields(row).map_err(|error| ExportError::write(&self.path, io_error(error)))
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.out.flush().map_err(|error| ExportError::write(&self.path, error))
    }
}

fn put(field: &mut String, kind: ColumnKind, value: &Value<'_>) {
    let written = match value {
        Value::Null => Ok(()),
        Value::U64(number) => write!(field, "{number}"),
        Value::I64(number) => write!(field, "{number}"),
        Value::Bool(truth) => write!(field, "{truth}"),
        Value::Text(text) => field.write_str(text),
        Value::Decimal(raw) => write!(field, "{}", Decimal { raw: *raw, scale: scale_of(kind) }),
    };
    written.expect("a string takes any text");
}

fn scale_of(kind: ColumnKind) -> u32 {
    match kind {
        ColumnKind::Decimal { scale } => scale,
        ColumnKind::U64
        | ColumnKind::I64
        | ColumnKind::U32
        | ColumnKind::Bool
        | ColumnKind::Text => 0,
    }
}

/// What the system said, so that the caller can tell a reader that went away.
fn io_error(error: csv::Error) -> io::Error {
    let shown = error.to_string();
    if let csv::ErrorKind::Io(error) = error.into_kind() {
        return error;
    }
    io::Error::other(shown)
}
