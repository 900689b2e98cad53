//! Why a frame is malformed, and where.

use fusewire_core::units::NumberError;
use thiserror::Error;

/// A malformed frame. Nothing of it was used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{kind} at byte {offset}")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Byte offset in the frame where it was noticed.
    pub offset: u32,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// The frame ends inside a value.
    #[error("frame ends too early")]
    Truncated,
    /// A byte that JSON does not allow there.
    #[error("invalid JSON")]
    Syntax,
    /// Bytes that are no UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// JSON, but neither an object nor an array of objects.
    #[error("neither an object nor an array of objects")]
    NotAFrame,
    /// A field that this event type always has is not there.
    #[error("field \"{0}\" is missing")]
    Missing(&'static str),
    /// A field of another JSON type than it should be.
    #[error("field \"{0}\" has the wrong type")]
    WrongType(&'static str),
    /// A field that stands there twice: which one holds is anybody's guess.
    #[error("field \"{0}\" stands there twice")]
    Duplicate(&'static str),
    /// A number that is none, has too many decimals or lies out of range.
    #[error("field \"{0}\": {1}")]
    Number(&'static str, NumberError),
    /// A price of zero where only a real price makes sense.
    #[error("field \"{0}\" must be above zero")]
    NotPositive(&'static str),
    /// More levels, rows or brackets than the bounds allow.
    #[error("too many entries in \"{0}\"")]
    TooMany(&'static str),
}

impl DecodeErrorKind {
    /// Short name for counting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Syntax => "syntax",
            Self::Utf8 => "utf8",
            Self::NotAFrame => "not-a-frame",
            Self::Missing(_) => "missing-field",
            Self::WrongType(_) => "wrong-type",
            Self::Duplicate(_) => "duplicate-field",
            Self::Number(..) => "number",
            Self::NotPositive(_) => "not-positive",
            Self::TooMany(_) => "too-many",
        }
    }

    /// The error with its place. Frames are bounded far below 4 GiB, so the offset fits.
    pub(super) fn at(self, offset: usize) -> DecodeError {
        DecodeError { kind: self, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }
}
