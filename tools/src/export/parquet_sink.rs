//! Rows as Parquet: every column optional, dictionaries where they pay, packed with zstd.
//!
//! A row group is held in memory until it is full, because Parquet stores it column by column.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::ExportError;
use super::table::{Column, ColumnKind, DECIMAL_DIGITS, Sink, Value, assert_fits};

/// Rows of a row group: enough that dictionaries and statistics pay, little enough to hold.
const ROWS_PER_GROUP: usize = 64 << 10;
/// Bytes of text in a row group after which it ends early: a single text may have 64 KB.
const TEXT_BYTES_PER_GROUP: usize = 32 << 20;
/// Bytes of a decimal: those of an `i128`.
const DECIMAL_BYTES: i32 = size_of::<i128>() as i32;

/// A Parquet file that is being written.
pub struct ParquetSink<W: Write + Send> {
    path: String,
    out: SerializedFileWriter<W>,
    columns: &'static [Column],
    chunks: Vec<Chunk>,
    rows: usize,
    text_bytes: usize,
}

impl<W: Write + Send> ParquetSink<W> {
    /// Begins a file. Errors call it `path`.
    ///
    /// # Errors
    /// It can not be written.
    pub fn new(path: &str, out: W, columns: &'static [Column]) -> Result<Self, ExportError> {
        let properties = WriterProperties::builder()
            .set_created_by(format!(
                "fusewire version {} (build {})",
                env!("CARGO_PKG_VERSION"),
                env!("FUSEWIRE_COMMIT")
            ))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let out = schema(columns)
            .and_then(|schema| SerializedFileWriter::new(out, schema, Arc::new(properties)))
            .map_err(|error| ExportError::write(path, io_error(error)))?;
        let chunks = columns.iter().map(|column| Chunk::new(column.kind)).collect();
        Ok(Self { path: path.to_owned(), out, columns, chunks, rows: 0, text_bytes: 0 })
    }

    /// Writes the rows that are held back, if there are any, as a group.
    fn write_group(&mut self) -> Result<(), ExportError> {
        if self.rows == 0 {
            return Ok(());
        }
        (self.rows, self.text_bytes) = (0, 0);
        self.write_chunks().map_err(|error| ExportError::write(&self.path, io_error(error)))
    }

    fn write_chunks(&mut self) -> Result<()> {
        let mut group = self.out.next_row_group()?;
        for chunk in &mut self.chunks {
            let mut writer = group.next_column()?.expect("a chunk for each column of the schema");
            chunk.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Sink for ParquetSink<W> {
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), ExportError> {
        assert_fits(self.columns, row);
        for (chunk, value) in self.chunks.iter_mut().zip(row) {
            chunk.push(value);
            if let Value::Text(text) = value {
                self.text_bytes += text.len();
            }
        }
        self.rows += 1;
        if self.rows == ROWS_PER_GROUP || self.text_bytes >= TEXT_BYTES_PER_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.write_group()?;
        let Self { path, out, .. } = *self;
        let finished = out.close().map(|_| ());
        finished.map_err(|error| ExportError::write(&path, io_error(error)))
    }
}

/// What a column holds in the group at hand: a level for each row, a value for each that is not null.
struct Chunk {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Long(Vec<i64>),
    Int(Vec<i32>),
    Bool(Vec<bool>),
    Text(Vec<ByteArray>),
    Decimal(Vec<FixedLenByteArray>),
}

impl Chunk {
    fn new(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::U64 | ColumnKind::I64 => Values::Long(Vec::new()),
            ColumnKind::U32 => Values::Int(Vec::new()),
            ColumnKind::Bool => Values::Bool(Vec::new()),
            ColumnKind::Text => Values::Text(Vec::new()),
            ColumnKind::Decimal { .. } => Values::Decimal(Vec::new()),
        };
        Self { levels: Vec::new(), values }
    }

    fn push(&mut self, value: &Value<'_>) {
        self.levels.push(i16::from(*value != Value::Null));
        match (&mut self.values, value) {
            (_, Value::Null) => {}
            // An unsigned number has the bits of a signed one; the schema says how to read them.
            (Values::Long(all), Value::U64(number)) => all.push(number.cast_signed()),
            (Values::Long(all), Value::I64(number)) => all.push(*number),
            (Values::Int(all), Value::U64(number)) => {
                let number = u32::try_from(*number).expect("the row fits the columns");
                all.push(number.cast_signed());
            }
            (Values::Bool(all), Value::Bool(truth)) => all.push(*truth),
            (Values::Text(all), Value::Text(text)) => all.push(text.as_bytes().to_vec().into()),
            (Values::Decimal(all), Value::Decimal(raw)) => {
                all.push(raw.to_be_bytes().to_vec().into());
            }
            (_, other) => unreachable!("the row fits the columns, but {other:?} came"),
        }
    }

    /// Writes the chunk and empties it.
    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        match &mut self.values {
            Values::Long(all) => write::<Int64Type>(writer, all, &self.levels)?,
            Values::Int(all) => write::<Int32Type>(writer, all, &self.levels)?,
            Values::Bool(all) => write::<BoolType>(writer, all, &self.levels)?,
            Values::Text(all) => write::<ByteArrayType>(writer, all, &self.levels)?,
            Values::Decimal(all) => write::<FixedLenByteArrayType>(writer, all, &self.levels)?,
        }
        self.levels.clear();
        Ok(())
    }
}

fn write<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<()> {
    writer.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

fn schema(columns: &[Column]) -> Result<TypePtr> {
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let fields = fields.collect::<Result<_>>()?;
    Type::group_type_builder("fusewire").with_fields(fields).build().map(Arc::new)
}

fn field(column: &Column) -> Result<Type> {
    let (physical, logical) = match column.kind {
        ColumnKind::U64 => (PhysicalType::INT64, Some(LogicalType::integer(64, false))),
        ColumnKind::I64 => (PhysicalType::INT64, Some(LogicalType::integer(64, true))),
        ColumnKind::U32 => (PhysicalType::INT32, Some(LogicalType::integer(32, false))),
        ColumnKind::Bool => (PhysicalType::BOOLEAN, None),
        ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Decimal { scale } => return decimal(column.name, scale.cast_signed()),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// Big endian, two's complement: the widest decimal that Parquet's readers share.
fn decimal(name: &str, scale: i32) -> Result<Type> {
    let precision = DECIMAL_DIGITS.cast_signed();
    Type::primitive_type_builder(name, PhysicalType::FIXED_LEN_BYTE_ARRAY)
        .with_repetition(Repetition::OPTIONAL)
        .with_length(DECIMAL_BYTES)
        .with_logical_type(Some(LogicalType::decimal(scale, precision)))
        .with_precision(precision)
        .with_scale(scale)
        .build()
}

/// What the system said, so that the caller can tell a reader that went away.
fn io_error(error: ParquetError) -> io::Error {
    let shown = error.to_string();
    if let ParquetError::External(inner) = error
        && let Ok(error) = inner.downcast::<io::Error>()
    {
        return *error;
    }
    io::Error::other(shown)
}
