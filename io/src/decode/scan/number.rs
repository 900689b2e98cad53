//! Numbers of the scanner: plain decimals in one loop, every other form through the core's parser.

use fusewire_core::units::{
    DECIMALS, Nanos, NumberError, Px, Qty, RATE_DECIMALS, Rate, parse_fixed,
};

use super::super::DecodeErrorKind;
use super::{Scan, Step};

/// Digits that always fit `u64`, whatever they are.
const DIGITS_FAST: usize = 18;
const POWERS: [i64; 13] = powers();

const fn powers() -> [i64; 13] {
    let mut table = [1; 13];
    let mut i = 1;
    while i < table.len() {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
}

impl Scan<'_> {
    /// An integer without fraction or exponent.
    pub(in crate::decode) fn int(&mut self, key: &'static str) -> Step<Option<i64>> {
        let start = self.at;
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let digits = self.digits();
        let count = self.at - start - usize::from(negative);
        if count == 0 {
            self.at = start;
            return if self.unsaid() {
                Ok(None)
            } else {
                self.bad(DecodeErrorKind::WrongType(key))
            };
        }
        let leading_zero = count > 1 && self.bytes[self.at - count] == b'0';
        if leading_zero || matches!(self.peek(), b'.' | b'e' | b'E') {
            return self.bad_at(DecodeErrorKind::WrongType(key), start);
        }
        if count > DIGITS_FAST {
            return self.long_int(start, key).map(Some);
        }
        let value = digits.cast_signed();
        Ok(Some(if negative { -value } else { value }))
    }

    #[cold]
    fn long_int(&mut self, start: usize, key: &'static str) -> Step<i64> {
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or("");
        match text.parse() {
            Ok(value) => Ok(value),
            Err(_) => self.bad_at(DecodeErrorKind::Number(key, NumberError::OutOfRange), start),
        }
    }

    /// Takes digits; their value is right for up to `DIGITS_FAST` of them.
    pub(in crate::decode) fn digits(&mut self) -> u64 {
        let mut value = 0_u64;
        loop {
            let digit = self.peek().wrapping_sub(b'0');
            if digit > 9 {
                return value;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
    }

    /// A time in milliseconds.
    pub(in crate::decode) fn time(&mut self, key: &'static str) -> Step<Option<Nanos>> {
        let start = self.at;
        let Some(millis) = self.int(key)? else { return Ok(None) };
        match Nanos::from_millis(millis) {
            Some(time) => Ok(Some(time)),
            None => self.bad_at(DecodeErrorKind::Number(key, NumberError::OutOfRange), start),
        }
    }

    /// A plain decimal string `"123.45"` of at most 18 digits, scaled; `None`, with the position
    /// unmoved, for every other text.
    fn plain_decimal(&mut self, decimals: u32) -> Option<i64> {
        let start = self.at;
        self.at += 1;
        let mut value = self.digits();
        let whole = self.at - start - 1;
        let mut places = 0;
        if self.peek() == b'.' {
            self.at += 1;
            let point = self.at;
            while let digit @ 0..=9 = self.peek().wrapping_sub(b'0') {
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
                self.at += 1;
            }
            places = self.at - point;
            if places == 0 {
                self.at = start;
                return None;
            }
        }
        let plain = whole > 0
            && whole + places <= DIGITS_FAST
            && places <= decimals as usize
            && self.peek() == b'"';
        let scaled = if plain {
            value.cast_signed().checked_mul(POWERS[decimals as usize - places])
        } else {
            None
        };
        self.at = if scaled.is_some() { self.at + 1 } else { start };
        scaled
    }

    /// A decimal string of any form, scaled; `None` when not said.
    #[cold]
    fn any_decimal(&mut self, key: &'static str, decimals: u32) -> Step<Option<i128>> {
        let start = self.at;
        let Some(span) = self.word(key)? else { return Ok(None) };
        match parse_fixed(self.bytes_of(span), decimals) {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.bad_at(DecodeErrorKind::Number(key, error), start),
        }
    }

    #[cold]
    fn out_of_range<T>(&mut self, key: &'static str, start: usize) -> Step<T> {
        self.bad_at(DecodeErrorKind::Number(key, NumberError::OutOfRange), start)
    }

    fn unsigned(&mut self, key: &'static str) -> Step<Option<i64>> {
        let start = self.at;
        if self.peek() == b'"'
            && let Some(value) = self.plain_decimal(DECIMALS)
        {
            return Ok(Some(value));
        }
        match self.any_decimal(key, DECIMALS)? {
            None => Ok(None),
            Some(value) => match i64::try_from(value) {
                Ok(value) if value >= 0 => Ok(Some(value)),
                _ => self.out_of_range(key, start),
            },
        }
    }

    pub(in crate::decode) fn price(&mut self, key: &'static str) -> Step<Option<Px>> {
        Ok(self.unsigned(key)?.map(Px))
    }

    pub(in crate::decode) fn qty(&mut self, key: &'static str) -> Step<Option<Qty>> {
        Ok(self.unsigned(key)?.map(Qty))
    }

    /// An amount of zero or more that may exceed one order's range.
    pub(in crate::decode) fn sum(&mut self, key: &'static str) -> Step<Option<i128>> {
        let start = self.at;
        if self.peek() == b'"'
            && let Some(value) = self.plain_decimal(DECIMALS)
        {
            return Ok(Some(i128::from(value)));
        }
        match self.any_decimal(key, DECIMALS)? {
            Some(value) if value < 0 => self.out_of_range(key, start),
            value => Ok(value),
        }
    }

    pub(in crate::decode) fn rate(&mut self, key: &'static str) -> Step<Option<Rate>> {
        let start = self.at;
        if self.peek() == b'"'
            && let Some(value) = self.plain_decimal(RATE_DECIMALS)
        {
            return Ok(Some(Rate(value)));
        }
        match self.any_decimal(key, RATE_DECIMALS)? {
            None => Ok(None),
            Some(value) => match i64::try_from(value) {
                Ok(value) => Ok(Some(Rate(value))),
                Err(_) => self.out_of_range(key, start),
            },
        }
    }

    /// The number of a level: said or an error.
    pub(in crate::decode) fn level_number(&mut self, key: &'static str) -> Step<i64> {
        if self.peek() == b'"'
            && let Some(value) = self.plain_decimal(DECIMALS)
        {
            return Ok(value);
        }
        match self.unsigned(key)? {
            Some(value) => Ok(value),
            None => self.bad(DecodeErrorKind::WrongType(key)),
        }
    }
}
