//! A history file as rows with named fields, with or without a line of names.

use std::path::Path;

use csv::StringRecord;
use fusewire_core::units::{
    BPS_DECIMALS, Bps, DECIMALS, Nanos, Px, Qty, QtySum, RATE_DECIMALS, Rate, UsdSum,
};

use super::error::ImportError;
use super::number::fixed;
use super::rows::Rows;
use super::time::TimeUnit;
use super::unpack;

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

/// Whether the rows of a file were put in order before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// They can not be: they stand in the order in which a recorder received them.
    None,
    /// Nobody asked for it.
    Offered,
    /// They were, and each of them stands once. The last field of each is the line where it stood.
    Done,
}

/// A file that is read row by row.
pub(super) struct Table {
    name: String,
    /// By which name errors call each column.
    names: Vec<String>,
    /// The line of names; empty in a file without one.
    header: StringRecord,
    rows: Rows,
    row: StringRecord,
    /// Line of the row.
    line: u64,
    repair: Repair,
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
        Self::open_as(path, path, (columns, widths), (shift_ns, Repair::None))
    }

    /// The same of a file that was put in order, under the name that it had before.
    pub(super) fn open_repaired(
        path: &Path,
        named: &Path,
        (columns, widths): (Columns, &[usize]),
        shift_ns: i64,
    ) -> Result<Self, ImportError> {
        Self::open_as(path, named, (columns, widths), (shift_ns, Repair::Done))
    }

    fn open_as(
        path: &Path,
        named: &Path,
        (columns, widths): (Columns, &[usize]),
        (shift_ns, repair): (i64, Repair),
    ) -> Result<Self, ImportError> {
        let mut table = Self {
            name: named.display().to_string(),
            names: columns.iter().map(|column| column.names[0].to_owned()).collect(),
            header: StringRecord::new(),
            rows: Rows::new(unpack::open(path)?),
            row: StringRecord::new(),
            line: 0,
            repair,
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

    /// The same table, of which this is said.
    pub(super) fn with(self, repair: Repair) -> Self {
        Self { repair, ..self }
    }

    /// Whether its rows were put in order before.
    pub(super) const fn repair(&self) -> Repair {
        self.repair
    }

    /// What the error of a row that is out of order says of a way out.
    pub(super) const fn way_out(&self) -> &'static str {
        match self.repair {
            Repair::None | Repair::Done => "",
            Repair::Offered => "; --repair puts rows in order and takes equal ones once",
        }
    }

    /// The line of names, if the file has one.
    pub(super) fn names(&self) -> Option<impl Iterator<Item = &str>> {
        (!self.header.is_empty()).then(|| self.header.iter())
    }

    /// The fields of the current row.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.row.iter()
    }

    /// By which name errors call a column.
    pub(super) fn column_name(&self, column: usize) -> &str {
        &self.names[column]
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
    pub(super) const fn line(&self) -> u64 {
        self.line
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
        let more = self.rows.next(&mut self.row).map_err(|(line, what)| {
            let file = self.name.clone();
            ImportError { file, line, what }
        })?;
        self.line = self.rows.line();
        if more && self.repair == Repair::Done {
            let told = self.row.iter().next_back().and_then(|field| field.parse().ok());
            self.line = told.unwrap_or(self.line);
            self.row.truncate(self.row.len().saturating_sub(1));
        }
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
        names.iter().find_map(|name| self.row.iter().position(|field| field.trim() == *name))
    }
}
