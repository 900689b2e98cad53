//! One field of a row: read at most once, asked for at the end.

use super::super::scan::{Odd, Scan, Step};

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
    /// Reads the value that the scanner stands on. A field that stands there twice is odd.
    // In line with its callers, so that `read` is a direct call; see `Scan::key`.
    #[inline(always)]
    pub(super) fn read<'f>(
        &mut self,
        scan: &mut Scan<'f>,
        read: fn(&mut Scan<'f>) -> Step<Option<T>>,
    ) -> Step<()> {
        if self.seen {
            return Err(Odd);
        }
        self.seen = true;
        self.value = read(scan)?;
        Ok(())
    }

    /// The value of a field that the event always has.
    pub(super) fn require(&self) -> Step<T> {
        self.value.ok_or(Odd)
    }
}

/// The `e` of a row, which must be what was guessed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Name {
    pub(super) seen: bool,
}

impl Name {
    pub(super) fn read(&mut self, scan: &mut Scan<'_>, expected: &[u8]) -> Step<()> {
        if std::mem::replace(&mut self.seen, true) {
            return Err(Odd);
        }
        match scan.word()? {
            Some(span) if scan.bytes_of(span) == expected => Ok(()),
            Some(_) | None => Err(Odd),
        }
    }
}
