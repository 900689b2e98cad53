//! The position in a frame, and the values that are read at it.
//!
//! Each step splits the rest of the frame once, by a length that is known or bounded, so that the
//! compiler needs one check for it. Decimals end before their closing quote, which the next text takes.

use fusewire_core::market::Span;
use fusewire_core::units::{DECIMALS, Nanos, Px, Qty, RATE_DECIMALS, Rate};

use super::super::digits::{
    DIGITS_MAX, HIGHS, LOWEST, ONES, POWERS, ZEROS, above_nine, bytes_below, join,
};
use super::super::scan::{Odd, Step, decimal, digits};

/// What is left of a frame.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'f> {
    rest: &'f [u8],
    /// Bytes of the whole frame.
    length: usize,
}

/// Where a decimal of at most eight bytes has its dot and its end.
#[derive(Clone, Copy)]
pub(super) struct Look {
    dot: usize,
    end: usize,
    /// The bytes before the dot, and those behind it.
    whole: u64,
    places: u64,
    scale: i64,
}

impl Look {
    /// Like no decimal at all.
    const NONE: Self = Self { dot: 0, end: 0, whole: 0, places: 0, scale: 0 };

    /// The number at 1e-8. The digits before the dot move over it, so that a zero comes first: the word
    /// then spells the number times ten to the power of the bytes that are left over.
    #[inline(always)]
    fn value(&self, values: u64) -> i64 {
        let digits = ((values & self.whole) << 8) | (values & self.places);
        join(digits).cast_signed().wrapping_mul(self.scale)
    }
}

/// A time as it is read.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// Values of the first eight digits.
    head: u64,
    /// What the first five of them mean, in ms.
    base: u64,
    /// Values of the last eight digits.
    tail: u64,
}

impl Clock {
    #[inline(always)]
    pub(super) fn time(&self) -> Nanos {
        // Thirteen digits of ms are below 2^64 ns.
        Nanos(self.base.wrapping_add(join(self.tail)).wrapping_mul(Nanos::MILLI))
    }
}

impl<'f> Cursor<'f> {
    #[inline(always)]
    pub(super) fn new(rest: &'f [u8], length: usize) -> Self {
        Self { rest, length }
    }

    pub(super) fn rest(&self) -> &'f [u8] {
        self.rest
    }

    /// Goes on at `rest`, a later part of the frame.
    #[inline(always)]
    pub(super) fn go_to(&mut self, rest: &'f [u8]) {
        self.rest = rest;
    }

    /// Byte offset of the position. Hot frames are far below 4 GiB.
    #[inline(always)]
    pub(super) fn at(&self) -> u32 {
        self.length.wrapping_sub(self.rest.len()) as u32
    }

    /// Takes `text` if it stands here.
    #[inline(always)]
    pub(super) fn has<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        let same = if N < 8 {
            // One comparison of a whole word: an odd number of bytes takes several.
            match self.rest.first_chunk::<8>() {
                Some(found) => (u64::from_le_bytes(*found) ^ padded(text)) << (64 - 8 * N) == 0,
                None => self.rest.starts_with(text),
            }
        } else {
            self.rest.first_chunk::<N>().is_some_and(|found| same(found, text))
        };
        if same {
            self.rest = self.rest.get(N..).unwrap_or_default();
        }
        same
    }

    /// Takes `text`, which has to stand here.
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self, text: &[u8; N]) -> Step<()> {
        if self.has(text) { Ok(()) } else { Err(Odd) }
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.rest.starts_with(text)
    }

    /// The next eight bytes, the first one lowest.
    #[inline(always)]
    pub(super) fn peek(&self) -> Step<u64> {
        self.rest.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).ok_or(Odd)
    }

    /// Checks that the frame ends here.
    #[inline(always)]
    pub(super) fn end(&self) -> Step<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Odd) }
    }

    /// Steps over letters, digits and the like: nothing that ends or escapes a string.
    #[inline(always)]
    pub(super) fn skip_name(&mut self) -> Step<()> {
        self.skip_while(|word| no_name_bytes(word))
    }

    /// Steps over a name that most likely is as long as another one, of less than eight bytes.
    // A length that is known beforehand lets the processor go on behind the name before it has seen it.
    #[inline(always)]
    pub(super) fn skip_name_like(&mut self, length: usize) -> Step<()> {
        let length = length & 7;
        let text = self.rest.first_chunk::<8>().ok_or(Odd)?;
        let others = no_name_bytes(u64::from_le_bytes(*text)) & LOWEST[length];
        if others == 0 && text[length] == b'"' {
            self.rest = &self.rest[length..];
            return Ok(());
        }
        self.skip_name()
    }

    /// Steps over the symbol of a stream name, up to its `@`.
    #[inline(always)]
    pub(super) fn skip_stream_symbol(&mut self) -> Step<()> {
        // Bytes beyond ASCII may get a mark too many behind them, but then they have one themselves.
        self.skip_while(|word| no_name_bytes(word) | zero_bytes(word ^ (ONES * u64::from(b'@'))))
    }

    /// Steps over the bytes before the first mark. Names of more than 24 bytes are not hot.
    #[inline(always)]
    fn skip_while(&mut self, marks: impl Fn(u64) -> u64) -> Step<()> {
        for _ in 0..3 {
            let (text, rest) = self.rest.split_first_chunk::<8>().ok_or(Odd)?;
            let marks = marks(u64::from_le_bytes(*text));
            if marks != 0 {
                self.rest = &self.rest[bytes_below(marks)..];
                return Ok(());
            }
            self.rest = rest;
        }
        Err(Odd)
    }

    /// A symbol up to its closing quote, most likely as long as the one of the stream. An empty one is
    /// for the scanner.
    #[inline(always)]
    pub(super) fn symbol(&mut self, length: usize) -> Step<Span> {
        let start = self.at();
        self.skip_name_like(length)?;
        let end = self.at();
        if start == end { Err(Odd) } else { Ok(Span { start, end }) }
    }

    /// A time in ms of thirteen digits, as all of them are from 2001 to 2286.
    #[inline(always)]
    pub(super) fn time(&mut self) -> Step<Nanos> {
        self.clock().map(|clock| clock.time())
    }

    /// As `time`, in the form that makes the next one cheaper.
    #[inline(always)]
    pub(super) fn clock(&mut self) -> Step<Clock> {
        let (head, tail) = self.clock_digits()?;
        if above_nine(head) != 0 || head & 0xFF == 0 {
            return Err(Odd);
        }
        // The first five digits; the other three of the word are in the tail as well.
        let base = join(head << 24).wrapping_mul(100_000_000);
        Ok(Clock { head, base, tail })
    }

    /// A time that most likely lies in the same 100 s as the one before.
    #[inline(always)]
    pub(super) fn time_near(&mut self, other: &Clock) -> Step<Nanos> {
        let before = *self;
        let (head, tail) = self.clock_digits()?;
        if head == other.head {
            return Ok(Clock { tail, ..*other }.time());
        }
        *self = before;
        self.time()
    }

    /// The values of the first eight of thirteen digits, not checked, and of the last eight.
    #[inline(always)]
    fn clock_digits(&mut self) -> Step<(u64, u64)> {
        let (text, rest) = self.rest.split_first_chunk::<13>().ok_or(Odd)?;
        self.rest = rest;
        let (head, tail) = (word::<0, 13>(text) ^ ZEROS, word::<5, 13>(text) ^ ZEROS);
        if above_nine(tail) == 0 { Ok((head, tail)) } else { Err(Odd) }
    }

    /// An id that most likely has so many digits: nine to sixteen.
    #[inline(always)]
    pub(super) fn id_of<const DIGITS: usize>(&mut self) -> Step<i64> {
        if let Some((text, rest)) = self.rest.split_first_chunk::<DIGITS>()
            && let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
            && rest.first() == Some(&b',')
        {
            let head = u64::from_le_bytes(*head) ^ ZEROS;
            let tail = u64::from_le_bytes(*tail) ^ ZEROS;
            if above_nine(head) | above_nine(tail) == 0 && head & 0xFF != 0 {
                self.rest = rest;
                let first = join(head << (8 * (16 - DIGITS))).wrapping_mul(100_000_000);
                return Ok(first.wrapping_add(join(tail)).cast_signed());
            }
        }
        self.id()
    }

    /// An id: an integer of zero or more.
    #[inline(always)]
    pub(super) fn id(&mut self) -> Step<i64> {
        let Some(text) = self.rest.first_chunk::<16>() else { return self.any_id() };
        let (head, tail) = (word::<0, 16>(text) ^ ZEROS, word::<8, 16>(text) ^ ZEROS);
        let end = above_nine(tail);
        // Eight to fifteen digits.
        if above_nine(head) != 0 || end == 0 || text[0] == b'0' {
            return self.any_id();
        }
        let count = bytes_below(end);
        let last = join((tail << (56 - 8 * count)) << 8);
        self.rest = &self.rest[8 + count..];
        Ok((join(head).cast_signed().wrapping_mul(POWERS[count])).wrapping_add(last.cast_signed()))
    }

    #[inline(always)]
    fn any_id(&mut self) -> Step<i64> {
        let (value, rest) = any_id(self.rest)?;
        self.rest = rest;
        Ok(value)
    }

    #[inline(always)]
    pub(super) fn price(&mut self) -> Step<Px> {
        self.decimal().map(|(value, _)| Px(value))
    }

    #[inline(always)]
    pub(super) fn qty(&mut self) -> Step<Qty> {
        self.decimal().map(|(value, _)| Qty(value))
    }

    /// A decimal of zero or more at 1e-8, up to the byte behind it, which has to be a quote.
    #[inline(always)]
    pub(super) fn decimal(&mut self) -> Step<(i64, Look)> {
        let Some(text) = self.rest.first_chunk::<16>() else { return self.any_decimal() };
        let values = word::<0, 16>(text) ^ ZEROS;
        let marks = above_nine(values);
        if marks == 0 {
            return self.any_decimal();
        }
        let dot = bytes_below(marks);
        if text[dot] != b'.' {
            return self.whole(values, dot);
        }
        let ends = marks & marks.wrapping_sub(1);
        if ends == 0 && text[8] != b'"' {
            let (value, rest) = long_decimal(self.rest, values, dot)?;
            self.rest = rest;
            return Ok((value, Look::NONE));
        }
        let end = bytes_below(ends);
        // At least one digit before the dot, and one behind it.
        if dot.wrapping_sub(1) >= end.wrapping_sub(2) {
            return Err(Odd);
        }
        self.rest = &self.rest[end..];
        let places = LOWEST[end] ^ LOWEST[dot + 1];
        let look = Look { dot, end, whole: LOWEST[dot], places, scale: POWERS[dot + 1] };
        Ok((look.value(values), look))
    }

    /// A price that most likely has its dot and its end where another one had them.
    #[inline(always)]
    pub(super) fn price_like(&mut self, look: &Look) -> Step<Px> {
        let Some(text) = self.rest.first_chunk::<16>() else { return self.price() };
        let values = word::<0, 16>(text) ^ ZEROS;
        let digits = above_nine(values) & (look.whole | look.places) == 0;
        if digits && text[look.dot & 7] == b'.' && text[look.end & 15] == b'"' && look.end != 0 {
            self.rest = &self.rest[look.end & 15..];
            return Ok(Px(look.value(values)));
        }
        self.price()
    }

    /// A price that most likely has eight decimals.
    #[inline(always)]
    pub(super) fn fine_price(&mut self) -> Step<Px> {
        self.fine_decimal().map(Px)
    }

    #[inline(always)]
    fn fine_decimal(&mut self) -> Step<i64> {
        if let Some(text) = self.rest.first_chunk::<16>() {
            let values = word::<0, 16>(text) ^ ZEROS;
            let dot = bytes_below(above_nine(values));
            if let 1..=6 = dot
                && text[dot] == b'.'
                && let Some(places) = text[dot + 1..].first_chunk::<8>()
            {
                let places = u64::from_le_bytes(*places) ^ ZEROS;
                if above_nine(places) == 0 && text[dot + 9] == b'"' {
                    self.rest = &self.rest[dot + 9..];
                    let whole = join(values << (64 - 8 * dot)).wrapping_mul(100_000_000);
                    return Ok(whole.wrapping_add(join(places)).cast_signed());
                }
            }
        }
        self.decimal().map(|(value, _)| value)
    }

    /// A decimal without a dot, of up to seven digits.
    #[inline(always)]
    fn whole(&mut self, values: u64, count: usize) -> Step<(i64, Look)> {
        if count == 0 {
            return Err(Odd);
        }
        self.rest = &self.rest[count..];
        let value = join(values & LOWEST[count]).cast_signed().wrapping_mul(POWERS[count]);
        Ok((value, Look::NONE))
    }

    #[inline(always)]
    fn any_decimal(&mut self) -> Step<(i64, Look)> {
        let (value, rest) = any_decimal(self.rest)?;
        self.rest = rest;
        Ok((value, Look::NONE))
    }

    #[inline(always)]
    pub(super) fn rate(&mut self) -> Step<Rate> {
        // A rate changes its sign at any time: no branch may depend on it.
        let (first, _) = self.rest.split_first().ok_or(Odd)?;
        let negative = *first == b'-';
        self.rest = &self.rest[usize::from(negative)..];
        let value = self.fine_decimal()?;
        let value = value.checked_mul(POWERS[(RATE_DECIMALS - DECIMALS) as usize]).ok_or(Odd)?;
        Ok(Rate(if negative { -value } else { value }))
    }

    /// `true` or `false`, and the comma or brace behind it stays.
    #[inline(always)]
    pub(super) fn flag(&mut self) -> Step<bool> {
        let text = self.rest.first_chunk::<5>().ok_or(Odd)?;
        // One is as common as the other: no branch may depend on which it is.
        let [.., last] = *text;
        let word = u32::from_le_bytes([text[0], text[1], text[2], text[3]]);
        let yes = word == u32::from_le_bytes(*b"true");
        let no = (word == u32::from_le_bytes(*b"fals")) & (last == b'e');
        if !(yes | no) {
            return Err(Odd);
        }
        self.rest = &self.rest[4 + usize::from(no)..];
        Ok(yes)
    }

    /// `,"st":1` if it stands here.
    #[inline(always)]
    pub(super) fn family(&mut self) -> Step<Option<i64>> {
        match self.rest {
            // Nearly always.
            [b'}', ..] => Ok(None),
            [b',', b'"', b's', b't', b'"', b':', digit @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                Ok(Some(i64::from(digit - b'0')))
            }
            _ => Err(Odd),
        }
    }
}

/// An integer of any length that fits, and what stands behind it.
#[cold]
fn any_id(text: &[u8]) -> Step<(i64, &[u8])> {
    let (value, count) = digits(text);
    let leading_zero = count > 1 && text[0] == b'0';
    if count == 0 || count > DIGITS_MAX || leading_zero {
        return Err(Odd);
    }
    Ok((value, &text[count..]))
}

/// A decimal of any length that fits, and its closing quote.
#[cold]
fn any_decimal(text: &[u8]) -> Step<(i64, &[u8])> {
    let (value, behind) = decimal(text, DECIMALS)?;
    Ok((value, &text[text.len() - behind.len() - 1..]))
}

/// A decimal of more than eight bytes, with its dot among the first eight, and what stands behind it.
fn long_decimal(text: &[u8], values: u64, dot: usize) -> Step<(i64, &[u8])> {
    let (1.., Some(places)) = (dot, text.get(dot + 1..).and_then(|text| text.first_chunk::<8>()))
    else {
        return Err(Odd);
    };
    let places = u64::from_le_bytes(*places) ^ ZEROS;
    let count = bytes_below(above_nine(places));
    if count == 0 {
        return Err(Odd);
    }
    let whole = join(values << (64 - 8 * dot)).cast_signed();
    let places = join(places & LOWEST[count]).cast_signed();
    let value = whole.wrapping_mul(POWERS[DECIMALS as usize]).wrapping_add(places);
    Ok((value, &text[dot + 1 + count..]))
}

/// Whether two texts of eight to sixteen bytes are the same, by their first and their last eight.
#[inline(always)]
fn same<const N: usize>(left: &[u8; N], right: &[u8; N]) -> bool {
    if N > 16 {
        return left == right;
    }
    let words = |text: &[u8; N]| {
        let (head, tail) = (text.first_chunk::<8>(), text.last_chunk::<8>());
        (head.map(|head| u64::from_le_bytes(*head)), tail.map(|tail| u64::from_le_bytes(*tail)))
    };
    words(left) == words(right)
}

/// A text of less than eight bytes as a word.
#[inline(always)]
fn padded<const N: usize>(text: &[u8; N]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(text) {
        *to = *from;
    }
    u64::from_le_bytes(bytes)
}

/// The eight bytes from `AT` on.
#[inline(always)]
fn word<const AT: usize, const N: usize>(text: &[u8; N]) -> u64 {
    const { assert!(AT + 8 <= N, "the word lies in the text") };
    text[AT..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Marks the high bit of every byte below `0` or beyond ASCII, and of backslashes.
#[inline(always)]
fn no_name_bytes(word: u64) -> u64 {
    let below_zero = !(word | HIGHS).wrapping_sub(ZEROS);
    (below_zero | zero_bytes(word ^ (ONES * u64::from(b'\\'))) | word) & HIGHS
}

/// Marks the high bit of every byte that is zero, and maybe of those behind one beyond ASCII.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    HIGHS.wrapping_sub(word) & HIGHS
}
