//! Tables for other programs: rows of a journal's lanes as CSV or Parquet.
//!
//! `table` knows columns, values and where rows go, whatever they are about; `lanes` knows what the lanes
//! of a journal say. Between the two goes one row at a time, so that memory does not grow with a journal.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

mod csv_sink;
pub mod lanes;
#[cfg(feature = "parquet")]
mod parquet_sink;
pub mod table;

pub use csv_sink::CsvSink;
#[cfg(feature = "parquet")]
pub use parquet_sink::ParquetSink;
use table::{Column, Sink};
use thiserror::Error;

/// The format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text, one line a row, with a header line.
    Csv,
    /// Columns with types, for data tools.
    Parquet,
}

/// Why there is no table, or not the whole of it.
#[derive(Debug, Error)]
pub enum ExportError {
    /// It can not be written.
    #[error("{path}: {error}")]
    Write {
        /// Where it was to go.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The program was built without the feature.
    #[error("this build has no Parquet: build with --features parquet")]
    NoParquet,
}

impl ExportError {
    fn write(path: &str, error: io::Error) -> Self {
        Self::Write { path: path.to_owned(), error }
    }
}

/// A table that goes into a new file; one that is there is overwritten.
///
/// # Errors
/// The file can not be made, or the build lacks the format: then there is no file.
pub fn create(
    format: Format,
    path: &Path,
    columns: &'static [Column],
) -> Result<Box<dyn Sink>, ExportError> {
    is_built_in(format)?;
    let name = path.display().to_string();
    let file = File::create(path).map_err(|error| ExportError::write(&name, error))?;
    open(format, &name, file, columns)
}

/// A table that goes to `out`, which errors call `path`.
///
/// # Errors
/// The first bytes can not be written, or the build lacks the format.
pub fn open<'a>(
    format: Format,
    path: &str,
    out: impl Write + Send + 'a,
    columns: &'static [Column],
) -> Result<Box<dyn Sink + 'a>, ExportError> {
    match format {
        Format::Csv => Ok(Box::new(CsvSink::new(path, out, columns)?)),
        #[cfg(feature = "parquet")]
        Format::Parquet => Ok(Box::new(ParquetSink::new(path, out, columns)?)),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(ExportError::NoParquet),
    }
}

/// Whether this build can write a format.
///
/// # Errors
/// It was built without it.
pub fn is_built_in(format: Format) -> Result<(), ExportError> {
    match format {
        Format::Parquet if !cfg!(feature = "parquet") => Err(ExportError::NoParquet),
        Format::Csv | Format::Parquet => Ok(()),
    }
}

#[cfg(test)]
mod tests;
