//! Plain access to JSON text: members of an object in order, elements of an array, raw text of values.

use std::fmt;

use fusewire_core::market::Span;
use fusewire_core::units::{Nanos, NumberError, parse_fixed};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::{DecodeError, DecodeErrorKind};

/// A frame that is known to be UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Document<'f> {
    frame: &'f str,
}

impl<'f> Document<'f> {
    pub(super) fn new(frame: &'f str) -> Self {
        Self { frame }
    }

    /// The whole frame as one JSON value.
    pub(super) fn parse(self) -> Result<&'f str, DecodeError> {
        self.read::<&RawValue>(self.frame).map(RawValue::get)
    }

    /// Byte offset of a piece of the frame.
    pub(super) fn offset(self, piece: &'f str) -> usize {
        piece.as_ptr() as usize - self.frame.as_ptr() as usize
    }

    fn read<T: Deserialize<'f>>(self, text: &'f str) -> Result<T, DecodeError> {
        serde_json::from_str(text).map_err(|error| {
            if error.is_eof() {
                return DecodeErrorKind::Truncated.at(self.offset(text) + text.len());
            }
            let lines = text.split('\n').take(error.line() - 1);
            let before: usize = lines.map(|line| line.len() + 1).sum();
            // The column counts the bytes up to and including the one at fault.
            let at = self.offset(text) + before + error.column().saturating_sub(1);
            DecodeErrorKind::Syntax.at(at)
        })
    }

    /// The members of an object; `None` when the value is none.
    pub(super) fn object(self, text: &'f str) -> Result<Option<Object<'f>>, DecodeError> {
        if !text.starts_with('{') {
            return Ok(None);
        }
        let Members(members) = self.read(text)?;
        Ok(Some(Object { document: self, text, members }))
    }

    /// The elements of an array; `None` when the value is none.
    pub(super) fn array(self, text: &'f str) -> Result<Option<Vec<&'f str>>, DecodeError> {
        if !text.starts_with('[') {
            return Ok(None);
        }
        let elements: Vec<&RawValue> = self.read(text)?;
        Ok(Some(elements.into_iter().map(RawValue::get).collect()))
    }

    /// The inside of a string; `None` for any other value.
    pub(super) fn inner(self, value: &'f str) -> Option<Span> {
        let inside = value.strip_prefix('"')?.strip_suffix('"')?;
        Some(self.span(inside))
    }

    fn span(self, piece: &'f str) -> Span {
        let start = self.offset(piece);
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: narrow(start), end: narrow(start + piece.len()) }
    }

    /// The error `kind` at a value.
    pub(super) fn fault(self, value: &'f str, kind: DecodeErrorKind) -> DecodeError {
        kind.at(self.offset(value))
    }
}

/// All members of an object in order, repeated names included.
struct Members<'f>(Vec<(String, &'f RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// An object of a frame. Every field is looked up by name, and must not stand there twice.
pub(super) struct Object<'f> {
    document: Document<'f>,
    text: &'f str,
    members: Vec<(String, &'f RawValue)>,
}

impl<'f> Object<'f> {
    pub(super) fn frame(&self) -> &'f [u8] {
        self.document.frame.as_bytes()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    /// The raw text of a member.
    pub(super) fn get(&self, key: &'static str) -> Result<Option<&'f str>, DecodeError> {
        let mut found = self.members.iter().filter(|(name, _)| name == key);
        let first = found.next().map(|(_, value)| value.get());
        match found.next() {
            None => Ok(first),
            Some((_, again)) => {
                Err(self.document.fault(again.get(), DecodeErrorKind::Duplicate(key)))
            }
        }
    }

    /// A member that may be absent, `null` or `""`, all of which mean "not said".
    pub(super) fn said(&self, key: &'static str) -> Result<Option<&'f str>, DecodeError> {
        Ok(self.get(key)?.filter(|text| !matches!(*text, "null" | "\"\"")))
    }

    /// The error for a field that had to be there.
    pub(super) fn missing(&self, key: &'static str) -> DecodeError {
        self.fault_at_end(DecodeErrorKind::Missing(key))
    }

    /// The error `kind`, placed at the closing brace.
    pub(super) fn fault_at_end(&self, kind: DecodeErrorKind) -> DecodeError {
        let end = self.document.offset(self.text) + self.text.len();
        kind.at(end.saturating_sub(1))
    }

    /// The span of a string value.
    pub(super) fn text(&self, value: &'f str, key: &'static str) -> Result<Span, DecodeError> {
        self.document
            .inner(value)
            .ok_or_else(|| self.document.fault(value, DecodeErrorKind::WrongType(key)))
    }

    pub(super) fn object(&self, key: &'static str) -> Result<Option<Object<'f>>, DecodeError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let object = self.document.object(value)?;
        object.map(Some).ok_or_else(|| self.document.fault(value, DecodeErrorKind::WrongType(key)))
    }

    pub(super) fn array(&self, key: &'static str) -> Result<Option<Vec<&'f str>>, DecodeError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let array = self.document.array(value)?;
        array.map(Some).ok_or_else(|| self.document.fault(value, DecodeErrorKind::WrongType(key)))
    }

    pub(super) fn document(&self) -> Document<'f> {
        self.document
    }

    /// An integer: JSON number without fraction or exponent.
    pub(super) fn int(&self, value: &'f str, key: &'static str) -> Result<i64, DecodeError> {
        let wrong = |kind| self.document.fault(value, kind);
        let digits = value.strip_prefix('-').unwrap_or(value);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(DecodeErrorKind::WrongType(key)));
        }
        value.parse().map_err(|_| wrong(DecodeErrorKind::Number(key, NumberError::OutOfRange)))
    }

    /// A time in milliseconds.
    pub(super) fn time(&self, value: &'f str, key: &'static str) -> Result<Nanos, DecodeError> {
        Nanos::from_millis(self.int(value, key)?).ok_or_else(|| {
            self.document.fault(value, DecodeErrorKind::Number(key, NumberError::OutOfRange))
        })
    }

    pub(super) fn flag(&self, value: &'f str, key: &'static str) -> Result<bool, DecodeError> {
        match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.document.fault(value, DecodeErrorKind::WrongType(key))),
        }
    }

    /// A decimal string, scaled by 10^`decimals`.
    pub(super) fn decimal(
        &self,
        value: &'f str,
        key: &'static str,
        decimals: u32,
    ) -> Result<i128, DecodeError> {
        self.document.decimal(value, key, decimals)
    }
}

impl<'f> Document<'f> {
    /// A decimal string, scaled by 10^`decimals`.
    pub(super) fn decimal(
        self,
        value: &'f str,
        key: &'static str,
        decimals: u32,
    ) -> Result<i128, DecodeError> {
        let inside =
            self.inner(value).ok_or_else(|| self.fault(value, DecodeErrorKind::WrongType(key)))?;
        parse_fixed(inside.of(self.frame.as_bytes()), decimals)
            .map_err(|error| self.fault(value, DecodeErrorKind::Number(key, error)))
    }

    /// A JSON number or a decimal string, scaled by 10^`decimals`.
    pub(super) fn number(
        self,
        value: &'f str,
        key: &'static str,
        decimals: u32,
    ) -> Result<i128, DecodeError> {
        if value.starts_with('"') {
            return self.decimal(value, key, decimals);
        }
        parse_fixed(value.as_bytes(), decimals)
            .map_err(|error| self.fault(value, DecodeErrorKind::Number(key, error)))
    }
}
