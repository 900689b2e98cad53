//! The fields of a record one by one, out and back in: little endian, of fixed width, no padding.

use thiserror::Error;

use crate::instrument::InstrumentId;
use crate::market::Level;
use crate::units::{Nanos, Px, Qty, Usd, Wide};

/// An absent symbol.
const NO_INSTRUMENT: u16 = u16::MAX;

/// Fields on their way out, in memory of their own. The encoders in `record` and `frames` build on it.
#[derive(Clone, Debug)]
pub(super) struct FieldWriter<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> FieldWriter<N> {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// What was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The whole memory, once it is full.
    pub(super) fn into_full(self) -> [u8; N] {
        assert_eq!(self.len, N, "a head of fixed size has all its fields");
        self.bytes
    }

    /// Inlined, as all that ends here: who encodes a record then knows where each field goes, and what is left
    /// of this is one store. An array is assigned, because `copy_from_slice` looks for overlaps, which costs
    /// seven instructions a field where assertions are on.
    #[inline(always)]
    pub(super) fn put<const M: usize>(&mut self, bytes: &[u8; M]) {
        let place = self.bytes[self.len..].first_chunk_mut();
        *place.expect("a record has room for its fields") = *bytes;
        self.len += M;
    }

    #[inline(always)]
    pub(super) fn u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    #[inline(always)]
    pub(super) fn u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn i64(&mut self, number: i64) {
        self.put(&number.to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn wide(&mut self, number: Wide) {
        self.put(&number.get().to_le_bytes());
    }

    #[inline(always)]
    pub(super) fn nanos(&mut self, nanos: Nanos) {
        self.u64(nanos.0);
    }

    #[inline(always)]
    pub(super) fn instrument(&mut self, id: Option<InstrumentId>) {
        self.u16(id.map_or(NO_INSTRUMENT, |id| id.0));
    }

    #[inline(always)]
    pub(super) fn some(&mut self, number: Option<i64>) {
        self.u8(u8::from(number.is_some()));
        self.i64(number.unwrap_or_default());
    }

    #[inline(always)]
    pub(super) fn level(&mut self, level: Level) {
        self.i64(level.price.0);
        self.i64(level.qty.0);
    }
}

/// Why a payload is no record of its kind.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{field} at byte {offset}: {fault}")]
pub struct DecodeError {
    /// The field, in the words of the format.
    pub field: &'static str,
    /// Where in the payload it begins, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: DecodeFault,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeFault {
    /// The payload ends before the field does.
    #[error("the record is too short")]
    Short,
    /// There are bytes behind the last field.
    #[error("the record is too long")]
    Long,
    /// A number that stands for nothing here. A flag is 0 or 1.
    #[error("{0} has no meaning")]
    Unknown(u8),
    /// It is said to be absent, but it is there.
    #[error("absent, but not zero")]
    NotZero,
    /// A length or count beyond what the record has room for.
    #[error("beyond its limit")]
    TooLarge,
    /// A text that is not UTF-8.
    #[error("not UTF-8")]
    NotText,
}

/// How a field is read.
type Read<'a, T> = fn(&mut FieldReader<'a>, &'static str) -> Result<T, DecodeError>;

/// Fields on their way in: what `FieldWriter` wrote, or an error. The decoders in `decode` build on it.
#[derive(Debug)]
pub(super) struct FieldReader<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> FieldReader<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self { payload, at: 0 }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), DecodeError> {
        let ended = self.at == self.payload.len();
        if ended { Ok(()) } else { Err(self.error("end", DecodeFault::Long)) }
    }

    /// The fault of a field that begins where the reader is.
    pub(super) const fn error(&self, field: &'static str, fault: DecodeFault) -> DecodeError {
        DecodeError { field, offset: self.at, fault }
    }

    /// The fault of a number that is the byte just read.
    pub(super) const fn unknown(&self, field: &'static str, number: u8) -> DecodeError {
        DecodeError { field, offset: self.at - 1, fault: DecodeFault::Unknown(number) }
    }

    pub(super) fn take(
        &mut self,
        field: &'static str,
        length: usize,
    ) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let (taken, _) =
            rest.split_at_checked(length).ok_or(self.error(field, DecodeFault::Short))?;
        self.at += length;
        Ok(taken)
    }

    /// What is left.
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.payload.len();
        rest
    }

    fn rest(&self) -> &'a [u8] {
        &self.payload[self.at..]
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let array = self.rest().first_chunk().ok_or(self.error(field, DecodeFault::Short))?;
        self.at += N;
        Ok(*array)
    }

    pub(super) fn text(
        &mut self,
        field: &'static str,
        length: usize,
    ) -> Result<&'a str, DecodeError> {
        let wrong = self.error(field, DecodeFault::NotText);
        str::from_utf8(self.take(field, length)?).map_err(|_| wrong)
    }

    /// One of `all` by its number, which is its place there.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        field: &'static str,
        all: &[T],
    ) -> Result<T, DecodeError> {
        let number = self.u8(field)?;
        all.get(usize::from(number)).copied().ok_or(self.unknown(field, number))
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        self.one_of(field, &[false, true])
    }

    /// A value with a flag in front of it; one that is absent is all zeros.
    pub(super) fn optional<T: Default + PartialEq>(
        &mut self,
        field: &'static str,
        read: Read<'a, T>,
    ) -> Result<Option<T>, DecodeError> {
        let present = self.flag(field)?;
        let residue = self.error(field, DecodeFault::NotZero);
        let value = read(self, field)?;
        if present {
            return Ok(Some(value));
        }
        if value == T::default() { Ok(None) } else { Err(residue) }
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_le_bytes)
    }

    pub(super) fn wide(&mut self, field: &'static str) -> Result<Wide, DecodeError> {
        self.array(field).map(|bytes| i128::from_le_bytes(bytes).into())
    }

    pub(super) fn nanos(&mut self, field: &'static str) -> Result<Nanos, DecodeError> {
        self.u64(field).map(Nanos)
    }

    pub(super) fn px(&mut self, field: &'static str) -> Result<Px, DecodeError> {
        self.i64(field).map(Px)
    }

    pub(super) fn qty(&mut self, field: &'static str) -> Result<Qty, DecodeError> {
        self.i64(field).map(Qty)
    }

    pub(super) fn usd(&mut self, field: &'static str) -> Result<Usd, DecodeError> {
        self.i64(field).map(Usd)
    }

    pub(super) fn instrument(
        &mut self,
        field: &'static str,
    ) -> Result<Option<InstrumentId>, DecodeError> {
        let number = self.u16(field)?;
        Ok((number != NO_INSTRUMENT).then_some(InstrumentId(number)))
    }

    pub(super) fn level(&mut self, field: &'static str) -> Result<Level, DecodeError> {
        Ok(Level { price: self.px(field)?, qty: self.qty(field)? })
    }
}
