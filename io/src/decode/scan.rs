//! A strict single-pass JSON scanner for the shapes that the exchange sends.
//!
//! It accepts nothing that the JSON grammar refuses. What it does not want to handle (escaped keys,
//! deep nesting) it calls `Odd`, and the reference decoder takes the frame. Faults are kept in the
//! scanner and not in the results, so that results stay in registers.

use fusewire_core::market::Span;

use super::{DecodeError, DecodeErrorKind};

mod number;

/// Why the scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The frame is malformed; the scanner keeps the fault.
    Bad,
    /// The frame is unusual: the reference decoder decides.
    Odd,
}

/// Result of a scanning step.
pub(super) type Step<T> = Result<T, Stop>;

/// Nesting of values that are skipped before the frame counts as odd. Market frames nest to 4.
const SKIP_DEPTH_MAX: u32 = 16;

/// Position in a frame.
pub(super) struct Scan<'f> {
    bytes: &'f [u8],
    at: usize,
    /// A byte beyond ASCII stood in a string: the frame must be checked for valid UTF-8.
    wide: bool,
    fault: DecodeError,
}

impl<'f> Scan<'f> {
    pub(super) fn new(bytes: &'f [u8]) -> Self {
        let fault = DecodeErrorKind::Truncated.at(bytes.len());
        Self { bytes, at: 0, wide: false, fault }
    }

    pub(super) fn fault(&self) -> DecodeError {
        self.fault
    }

    pub(super) fn rest(&self) -> &'f [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    pub(super) fn bytes_of(&self, span: Span) -> &'f [u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or(&[])
    }

    /// Stops with a fault at the present position.
    #[cold]
    pub(super) fn bad<T>(&mut self, kind: DecodeErrorKind) -> Step<T> {
        self.bad_at(kind, self.at)
    }

    #[cold]
    fn bad_at<T>(&mut self, kind: DecodeErrorKind, at: usize) -> Step<T> {
        let ended = kind == DecodeErrorKind::Syntax && at >= self.bytes.len();
        self.fault = if ended { DecodeErrorKind::Truncated } else { kind }.at(at);
        Err(Stop::Bad)
    }

    /// The byte at the position; zero, which JSON never allows, at the end.
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Step<()> {
        if self.peek() != byte {
            return self.bad(DecodeErrorKind::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Checks that nothing but space follows, and that the text was UTF-8.
    pub(super) fn finish(&mut self) -> Step<()> {
        self.space();
        if self.at != self.bytes.len() {
            return self.bad(DecodeErrorKind::Syntax);
        }
        if !self.wide {
            return Ok(());
        }
        match std::str::from_utf8(self.bytes) {
            Ok(_) => Ok(()),
            Err(error) => self.bad_at(DecodeErrorKind::Utf8, error.valid_up_to()),
        }
    }

    /// Steps to the next key of an object whose `{` was taken; `None` at its end. Stands on the value.
    pub(super) fn key(&mut self, first: &mut bool) -> Step<Option<&'f [u8]>> {
        self.space();
        match self.peek() {
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !*first => {
                self.at += 1;
                self.space();
            }
            _ if *first => {}
            _ => return self.bad(DecodeErrorKind::Syntax),
        }
        *first = false;
        self.expect(b'"')?;
        let start = self.at;
        self.string_body()?;
        let key = &self.bytes[start..self.at - 1];
        if key.contains(&b'\\') {
            return Err(Stop::Odd);
        }
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(Some(key))
    }

    /// Steps to the next element of an array whose `[` was taken; false at its end.
    pub(super) fn element(&mut self, first: &mut bool) -> Step<bool> {
        self.space();
        match self.peek() {
            b']' => {
                self.at += 1;
                return Ok(false);
            }
            b',' if !*first => {
                self.at += 1;
                self.space();
                // `[1,]` is no JSON; the value behind the comma is checked by who reads it, but an
                // empty array's end must not pass for one.
                if self.peek() == b']' {
                    return self.bad(DecodeErrorKind::Syntax);
                }
            }
            _ if *first => {}
            _ => return self.bad(DecodeErrorKind::Syntax),
        }
        *first = false;
        Ok(true)
    }

    /// The rest of a string behind its opening quote; stands behind the closing one.
    fn string_body(&mut self) -> Step<()> {
        loop {
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                byte if byte < 0x20 => return self.bad(DecodeErrorKind::Syntax),
                byte => {
                    self.wide |= byte >= 0x80;
                    self.at += 1;
                }
            }
        }
    }

    #[cold]
    fn escape(&mut self) -> Step<()> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek().is_ascii_hexdigit() {
                        return self.bad(DecodeErrorKind::Syntax);
                    }
                }
                self.at += 1;
            }
            _ => return self.bad(DecodeErrorKind::Syntax),
        }
        Ok(())
    }

    /// Takes `null` or `""`, both of which mean "not said".
    fn unsaid(&mut self) -> bool {
        let rest = self.rest();
        let length = match rest {
            [b'"', b'"', ..] => 2,
            [b'n', b'u', b'l', b'l', ..] => 4,
            _ => return false,
        };
        self.at += length;
        true
    }

    fn span_from(&self, start: usize, end: usize) -> Span {
        // Frames are bounded far below 4 GiB by whoever reads them.
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: narrow(start), end: narrow(end) }
    }

    /// A string that may be empty, as raw text.
    pub(super) fn text(&mut self, key: &'static str) -> Step<Option<Span>> {
        if self.peek() != b'"' {
            return if self.unsaid() {
                Ok(None)
            } else {
                self.bad(DecodeErrorKind::WrongType(key))
            };
        }
        self.at += 1;
        let start = self.at;
        self.string_body()?;
        Ok(Some(self.span_from(start, self.at - 1)))
    }

    /// A string that says something, as raw text.
    pub(super) fn word(&mut self, key: &'static str) -> Step<Option<Span>> {
        Ok(self.text(key)?.filter(|span| !span.is_none()))
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Step<Option<bool>> {
        let rest = self.rest();
        if rest.starts_with(b"true") {
            self.at += 4;
            return Ok(Some(true));
        }
        if rest.starts_with(b"false") {
            self.at += 5;
            return Ok(Some(false));
        }
        if self.unsaid() { Ok(None) } else { self.bad(DecodeErrorKind::WrongType(key)) }
    }

    /// Skips any value, checking that it is valid JSON.
    pub(super) fn skip(&mut self) -> Step<()> {
        self.skip_value(SKIP_DEPTH_MAX)
    }

    fn skip_value(&mut self, depth: u32) -> Step<()> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.string_body()
            }
            b'{' | b'[' if depth == 0 => Err(Stop::Odd),
            b'{' => self.skip_object(depth - 1),
            b'[' => self.skip_array(depth - 1),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.skip_number(),
        }
    }

    fn skip_object(&mut self, depth: u32) -> Step<()> {
        self.at += 1;
        let mut first = true;
        while self.key(&mut first)?.is_some() {
            self.skip_value(depth)?;
        }
        Ok(())
    }

    fn skip_array(&mut self, depth: u32) -> Step<()> {
        self.at += 1;
        let mut first = true;
        while self.element(&mut first)? {
            self.skip_value(depth)?;
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Step<()> {
        if !self.rest().starts_with(word) {
            return self.bad(DecodeErrorKind::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_number(&mut self) -> Step<()> {
        self.at += usize::from(self.peek() == b'-');
        let zero = self.peek() == b'0';
        let whole = self.count_digits();
        if whole == 0 || (zero && whole > 1) {
            return self.bad(DecodeErrorKind::Syntax);
        }
        if self.peek() == b'.' {
            self.at += 1;
            if self.count_digits() == 0 {
                return self.bad(DecodeErrorKind::Syntax);
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            if self.count_digits() == 0 {
                return self.bad(DecodeErrorKind::Syntax);
            }
        }
        Ok(())
    }

    fn count_digits(&mut self) -> usize {
        let start = self.at;
        self.digits();
        self.at - start
    }
}
