//! One field of a row: read at most once, asked for at the end.

use super::super::DecodeErrorKind;
use super::super::scan::{Scan, Step, Stop};

/// A field, not seen yet, seen without a value (`null`, `""`), or seen with one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<T> {
    pub(super) seen: bool,
    pub(super) value: Option<T>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { seen: false, value: None }
    }
}

impl<T: Copy> Field<T> {
    /// Reads the value that the scanner stands on.
    pub(super) fn read<'f>(
        &mut self,
        scan: &mut Scan<'f>,
        key: &'static str,
        read: fn(&mut Scan<'f>, &'static str) -> Step<Option<T>>,
    ) -> Step<()> {
        if self.seen {
            return scan.bad(DecodeErrorKind::Duplicate(key));
        }
        self.seen = true;
        self.value = read(scan, key)?;
        Ok(())
    }

    /// The value, or the fault that it is missing.
    pub(super) fn require(&self, scan: &mut Scan<'_>, key: &'static str) -> Step<T> {
        match self.value {
            Some(value) => Ok(value),
            None => scan.bad(DecodeErrorKind::Missing(key)),
        }
    }
}

/// The `e` of a row, which must be what was guessed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Name {
    pub(super) seen: bool,
}

impl Name {
    pub(super) fn read(&mut self, scan: &mut Scan<'_>, expected: &[u8]) -> Step<()> {
        if self.seen {
            return scan.bad(DecodeErrorKind::Duplicate("e"));
        }
        self.seen = true;
        match scan.text("e")? {
            Some(span) if scan.bytes_of(span) == expected => Ok(()),
            _ => Err(Stop::Odd),
        }
    }
}
