//! A history file as rows with named fields, with or without a line of names.

use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use fusewire_core::units::{
    BPS_DECIMALS, Bps, DECIMALS, Nanos, Px, Qty, QtySum, RATE_DECIMALS, Rate, UsdSum,
};

use super::error::ImportError;
use super::number::fixed;
use super::time::TimeUnit;
use super::unpack;

/// Longest line, in bytes: rows of numbers have some hundred.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Characters of a field that an error shows.
const SHOWN_CHARS: usize = 64;

/// One column that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its names in lines of names. The first is the one that errors say.
    pub(super) names: &'static [&'static str],
    /// Where it stands in a file without such a line, from 0; none when such files do not have it.
    pub(super) place: Option<usize>,
    /// Whether a file must have it.
    pub(super) needed: bool,
}

/// Columns by the number under which they are asked for.
pub(super) type Columns = &'static [Column];

/// A column that must be there.
pub(super) const fn needs(names: &'static [&'static str], place: Option<usize>) -> Column {
    Column { names, place, needed: true }
}

/// A column that may be there.
pub(super) const fn may(names: &'static [&'static str], place: Option<usize>) -> Column {
    Column { names, place, needed: false }
}

/// A file that is read row by row.
pub(super) struct Table {
    name: String,
    /// By which name errors call each column.
    names: Vec<String>,
    /// The line of names; empty in a file without one.
    header: StringRecord,
    rows: csv::Reader<Box<dyn Read + Send>>,
    row: StringRecord,
    /// Where each column stands.
    places: Vec<Option<usize>>,
    /// The first row is none of names and was not given out.
    waits: bool,
    unit: Option<TimeUnit>,
    /// Numbers that had more places than there are here.
    rounded: u64,
    /// What is added to each time.
    shift_ns: i64,
}

impl Table {
    /// Opens a file at its first row. `widths` are how many fields a row of a file without names may have; none when such a
    /// file can not be understood. `shift_ns` is added to each time.
    ///
    /// # Errors
    /// It can not be read, is empty, or lacks a column.
    pub(super) fn open(
        path: &Path,
        columns: Columns,
        widths: &[usize],
        shift_ns: i64,
    ) -> Result<Self, ImportError> {
        let name = path.display().to_string();
        let rows = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // No field holds what would need quotes, and a stray one would swallow the rest of the file.
            .quoting(false)
            .from_reader(Box::new(Lines::new(unpack::open(path)?)) as Box<dyn Read + Send>);
        let mut table = Self {
            name,
            names: columns.iter().map(|column| column.names[0].to_owned()).collect(),
            header: StringRecord::new(),
            rows,
            row: StringRecord::new(),
            places: Vec::new(),
            waits: false,
            unit: None,
            rounded: 0,
            shift_ns,
        };
        if !table.advance()? {
            return Err(ImportError::of_file(&table.name, "the file is empty"));
        }
        table.find_columns(columns, widths)?;
        Ok(table)
    }

    /// Path of the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Numbers that were rounded so far.
    pub(super) fn rounded(&self) -> u64 {
        self.rounded
    }

    /// Line of the current row, from 1.
    pub(super) fn line(&self) -> u64 {
        self.row.position().map_or(0, csv::Position::line)
    }

    /// True when the file has a column.
    pub(super) fn has(&self, column: usize) -> bool {
        self.places[column].is_some()
    }

    /// The number of one more column, if the line of names has it.
    pub(super) fn column(&mut self, name: String) -> Option<usize> {
        let place = self.header.iter().position(|field| field.trim() == name)?;
        self.names.push(name);
        self.places.push(Some(place));
        Some(self.places.len() - 1)
    }

    /// True when a field is empty.
    pub(super) fn is_empty(&self, column: usize) -> bool {
        self.text(column).is_none_or(|text| text.trim().is_empty())
    }

    /// Moves to the next row; false at the end.
    ///
    /// # Errors
    /// The row can not be read, or has another number of fields than the first.
    pub(super) fn next(&mut self) -> Result<bool, ImportError> {
        if std::mem::take(&mut self.waits) {
            return Ok(true);
        }
        self.advance()
    }

    fn advance(&mut self) -> Result<bool, ImportError> {
        let width = self.row.len();
        let read = self.rows.read_record(&mut self.row);
        let more = read.map_err(|error| {
            let line = error.position().map(csv::Position::line);
            ImportError { file: self.name.clone(), line, what: error.to_string() }
        })?;
        if more && width > 0 && self.row.len() != width {
            let fields = self.row.len();
            return Err(self.error(format!("{fields} fields, and the line before had {width}")));
        }
        Ok(more)
    }

    /// About the current row.
    pub(super) fn error(&self, what: impl std::fmt::Display) -> ImportError {
        ImportError::at(&self.name, self.line(), what)
    }

    /// About one field of it.
    pub(super) fn field_error(&self, column: usize, what: impl std::fmt::Display) -> ImportError {
        let text = self.text(column).unwrap_or_default();
        let text: String = text.chars().take(SHOWN_CHARS).collect();
        let name = &self.names[column];
        self.error(format!("{name} \"{}\" {what}", text.escape_debug()))
    }

    /// A field as it stands there; none when the file has no such column.
    pub(super) fn text(&self, column: usize) -> Option<&str> {
        self.row.get(self.places[column]?)
    }

    /// A time. The first one tells the unit of the file.
    pub(super) fn time(&mut self, column: usize) -> Result<Nanos, ImportError> {
        let text = self.text(column).unwrap_or_default();
        let unit = self.unit.or_else(|| TimeUnit::of(text));
        let time = unit.map_or_else(
            || Err("is no time between 2009 and 2100 in s, ms, us or ns".to_owned()),
            |unit| unit.parse(text),
        );
        let time = time.map_err(|what| self.field_error(column, what))?;
        self.unit = unit;
        Ok(Nanos(time.0.saturating_add_signed(self.shift_ns)))
    }

    fn number(&mut self, column: usize, places: u32) -> Result<i128, ImportError> {
        let text = self.text(column).unwrap_or_default();
        let (raw, rounded) = fixed(text, places).map_err(|what| self.field_error(column, what))?;
        self.rounded += u64::from(rounded);
        Ok(raw)
    }

    fn small(&mut self, column: usize) -> Result<i64, ImportError> {
        let raw = self.number(column, DECIMALS)?;
        i64::try_from(raw).map_err(|_| self.field_error(column, "is out of range"))
    }

    /// A price, above zero.
    pub(super) fn price(&mut self, column: usize) -> Result<Px, ImportError> {
        let raw = self.small(column)?;
        if raw <= 0 {
            return Err(self.field_error(column, "is no price: it must be above zero"));
        }
        Ok(Px(raw))
    }

    /// A quantity, zero or above.
    pub(super) fn qty(&mut self, column: usize) -> Result<Qty, ImportError> {
        let raw = self.small(column)?;
        if raw < 0 {
            return Err(self.field_error(column, "is below zero"));
        }
        Ok(Qty(raw))
    }

    /// A sum of quantities, zero or above.
    pub(super) fn volume(&mut self, column: usize) -> Result<QtySum, ImportError> {
        self.sum(column).map(QtySum)
    }

    /// A sum of money, zero or above.
    pub(super) fn quote(&mut self, column: usize) -> Result<UsdSum, ImportError> {
        self.sum(column).map(UsdSum)
    }

    fn sum(&mut self, column: usize) -> Result<i128, ImportError> {
        let raw = self.number(column, DECIMALS)?;
        if raw < 0 {
            return Err(self.field_error(column, "is below zero"));
        }
        Ok(raw)
    }

    /// A funding rate.
    pub(super) fn rate(&mut self, column: usize) -> Result<Rate, ImportError> {
        let raw = self.number(column, RATE_DECIMALS)?;
        i64::try_from(raw).map(Rate).map_err(|_| self.field_error(column, "is out of range"))
    }

    /// A percentage.
    pub(super) fn percent(&mut self, column: usize) -> Result<Bps, ImportError> {
        // A percent is a hundred basis points.
        let raw = self.number(column, BPS_DECIMALS + 2)?;
        i64::try_from(raw).map(Bps).map_err(|_| self.field_error(column, "is out of range"))
    }

    /// A whole number.
    pub(super) fn int(&self, column: usize) -> Result<i64, ImportError> {
        let text = self.text(column).unwrap_or_default();
        text.trim().parse().map_err(|_| self.field_error(column, "is no whole number"))
    }

    /// `true` or `false`, in any case.
    pub(super) fn flag(&self, column: usize) -> Result<bool, ImportError> {
        match self.text(column).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.field_error(column, "is neither true nor false")),
        }
    }

    /// A line of names has no digit in front of any field.
    fn find_columns(&mut self, columns: Columns, widths: &[usize]) -> Result<(), ImportError> {
        let is_data =
            |text: &str| text.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let has_names = !self.row.iter().any(is_data);
        if has_names {
            self.places = columns.iter().map(|column| self.find(column.names)).collect();
            self.header.clone_from(&self.row);
        } else if widths.contains(&self.row.len()) {
            self.places = columns.iter().map(|column| column.place).collect();
            self.waits = true;
        } else {
            let fields = self.row.len();
            let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
            let expected = match &widths[..] {
                [] => "a first line with the names of the columns".to_owned(),
                some => format!("{}, or a first line with their names", some.join(" or ")),
            };
            return Err(self.error(format!("{fields} fields without names: expected {expected}")));
        }
        let missing = columns.iter().zip(&self.places);
        let missing = missing.filter(|(column, place)| column.needed && place.is_none());
        let missing: Vec<&str> = missing.map(|(column, _)| column.names[0]).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let there: Vec<&str> = self.row.iter().collect();
        Err(self.error(format!(
            "column {} is missing (there are: {})",
            missing.join(", "),
            there.join(", ").escape_debug()
        )))
    }

    fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| {
            self.row.iter().position(|field| field.trim().trim_start_matches('\u{feff}') == *name)
        })
    }
}

/// Bytes that are refused where a line is too long to be one, so that memory does not grow with it.
struct Lines<R> {
    bytes: R,
    /// Bytes since the last end of a line.
    open: usize,
}

impl<R> Lines<R> {
    fn new(bytes: R) -> Self {
        Self { bytes, open: 0 }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.open = match memchr::memrchr(b'\n', &buffer[..count]) {
            Some(at) => count - at - 1,
            None => self.open + count,
        };
        if self.open > LINE_BYTES_MAX {
            return Err(std::io::Error::other(format!(
                "a line of more than {LINE_BYTES_MAX} bytes"
            )));
        }
        Ok(count)
    }
}
