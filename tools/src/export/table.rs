//! Columns, values, and where rows go.

use std::borrow::Cow;
use std::fmt;

use super::ExportError;

/// Digits of a decimal that every reader knows. A value with more of them is written as it is, and it is
/// for the reader to say what that means to it.
pub const DECIMAL_DIGITS: u32 = 38;

/// What a column holds. Each may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A count, an id, or ns since 1970.
    U64,
    /// A signed number.
    I64,
    /// A small count.
    U32,
    /// True or false.
    Bool,
    /// UTF-8.
    Text,
    /// A number with so many decimal places, exactly.
    Decimal {
        /// Places behind the point.
        scale: u32,
    },
}

impl ColumnKind {
    /// True when the value may stand in such a column.
    #[must_use]
    pub fn takes(self, value: &Value<'_>) -> bool {
        match value {
            Value::Null => true,
            Value::U64(number) => match self {
                Self::U64 => true,
                Self::U32 => u32::try_from(*number).is_ok(),
                Self::I64 | Self::Bool | Self::Text | Self::Decimal { .. } => false,
            },
            Value::I64(_) => self == Self::I64,
            Value::Bool(_) => self == Self::Bool,
            Value::Text(_) => self == Self::Text,
            Value::Decimal(_) => matches!(self, Self::Decimal { .. }),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U64 => f.write_str("u64"),
            Self::I64 => f.write_str("i64"),
            Self::U32 => f.write_str("u32"),
            Self::Bool => f.write_str("bool"),
            Self::Text => f.write_str("text"),
            Self::Decimal { scale } => write!(f, "decimal({DECIMAL_DIGITS},{scale})"),
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, in snake case.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// What that means, and when it is null.
    pub about: &'static str,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// For a `U64` column, or a `U32` column when it fits.
    U64(u64),
    /// For an `I64` column.
    I64(i64),
    /// For a `Bool` column.
    Bool(bool),
    /// For a `Text` column.
    Text(Cow<'a, str>),
    /// For a `Decimal` column: the number times 10 to the power of its scale.
    Decimal(i128),
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::U64(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::U64(number.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Where rows go.
pub trait Sink {
    /// Adds a row, one value for each column.
    ///
    /// # Errors
    /// It can not be written. What is there by then is no whole table, and more rows do not mend it.
    ///
    /// # Panics
    /// When the row does not fit the columns, which is a fault of the program.
    fn row(&mut self, row: &[Value<'_>]) -> Result<(), ExportError>;

    /// Writes what is still held back. A table without this is not whole.
    ///
    /// # Errors
    /// It can not be written.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}

/// Both sinks refuse the same rows, so that a fault shows whatever the format.
pub(super) fn assert_fits(columns: &[Column], row: &[Value<'_>]) {
    assert_eq!(columns.len(), row.len(), "a row has one value for each column");
    for (column, value) in columns.iter().zip(row) {
        let Column { name, kind, .. } = column;
        assert!(kind.takes(value), "column `{name}` holds {kind}, not {value:?}");
    }
}

/// A decimal without needless zeros: `61659.7`, `-0.00000001`, `3`.
pub(crate) struct Decimal {
    pub(crate) raw: i128,
    pub(crate) scale: u32,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.raw < 0 { "-" } else { "" };
        let digits = self.raw.unsigned_abs().to_string();
        let places = self.scale as usize;
        // At least one digit stays before the point.
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}
