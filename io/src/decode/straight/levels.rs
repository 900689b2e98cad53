//! Price levels of a depth frame, straight into the arena.
//!
//! The levels of a frame look alike: all prices have their dot at the same place, and all quantities
//! have the same number of decimals. So the first level is read as any two numbers are, and the others
//! by what it looked like, until one looks different.

use fusewire_core::market::Level;
use fusewire_core::units::{DECIMALS, Px, Qty};

use super::super::LEVELS_MAX;
use super::super::digits::{HIGHS, LOWEST, ONES, POWERS, ZEROS, above_nine, join};
use super::super::scan::{Odd, Step};
use super::cursor::Cursor;

/// The shortest level is `["1","1"],`.
const LEVEL_BYTES_MIN: usize = 10;
/// The longest frame that can not hold too many levels, whatever is in it. Longer ones are not hot.
pub(super) const FRAME_BYTES_MAX: usize = LEVELS_MAX * LEVEL_BYTES_MIN;

/// Reads `[["61659.70","0.1"],…]`; returns how many.
#[inline(always)]
pub(super) fn read_side(
    cursor: &mut Cursor<'_>,
    looks: &mut Looks,
    arena: &mut Vec<Level>,
) -> Step<u32> {
    let before = arena.len();
    if cursor.has(b"[]") {
        return Ok(0);
    }
    cursor.take(b"[[\"")?;
    loop {
        if looks.long {
            arena.push(any_level(cursor)?);
        } else {
            let rest = read_alike(cursor.rest(), looks, arena);
            cursor.go_to(rest);
            if !cursor.starts_with(b"\"]") {
                cursor.go_to(looks.learn(rest, arena)?);
            }
        }
        if !cursor.has(b"\"],[\"") {
            cursor.take(b"\"]]")?;
            return Ok((arena.len() - before) as u32);
        }
    }
}

/// Reads levels as long as they look alike. Returns what stands behind the quantity of the last one of
/// the side, or in front of the price of the first one that looks different, or nothing where there is none.
#[inline(never)]
fn read_alike<'f>(mut text: &'f [u8], looks: &Looks, arena: &mut Vec<Level>) -> &'f [u8] {
    const BETWEEN: u64 = u64::from_le_bytes(*b"\",\"\0\0\0\0\0");
    const BEHIND: u64 = u64::from_le_bytes(*b"\"],[\"\0\0\0");
    let Looks { price, qty, long: _ } = *looks;
    let between = price.length & 15;
    while let Some(near) = text.first_chunk::<40>() {
        let Some(price) = price.read(word(near, 0)) else { break };
        if (word(near, between) ^ BETWEEN) << 40 != 0 {
            break;
        }
        let Some((qty, length)) = qty.read(word(near, between + 3)) else { break };
        arena.push(Level { price: Px(price), qty: Qty(qty) });
        let behind = between + 3 + length;
        if (word(near, behind) ^ BEHIND) << 24 != 0 {
            return &text[behind..];
        }
        text = &text[behind + 5..];
    }
    // A quote here is that of an empty price: it must not pass for the one behind a quantity.
    if text.first() == Some(&b'"') { &[] } else { text }
}

/// What the last level looked like.
#[derive(Clone, Copy)]
pub(super) struct Looks {
    price: Price,
    qty: Quantity,
    /// One of the two did not fit a word: the others will not either.
    long: bool,
}

impl Looks {
    /// Like no level at all.
    pub(super) const fn unknown() -> Self {
        Self { price: Price::UNKNOWN, qty: Quantity::UNKNOWN, long: false }
    }

    /// Reads a level of any look, `61659.70","0.123`, and remembers how it looked. Returns what stands
    /// behind it.
    #[inline(never)]
    fn learn<'f>(&mut self, text: &'f [u8], arena: &mut Vec<Level>) -> Step<&'f [u8]> {
        let mut cursor = Cursor::new(text, text.len());
        arena.push(any_level(&mut cursor)?);
        let level = &text[..text.len() - cursor.rest().len()];
        let end = level.iter().position(|byte| *byte == b'"').ok_or(Odd)?;
        let (price, qty) = (&level[..end], &level[end + 3..]);
        self.long = price.len().max(qty.len()) > 8;
        if !self.long {
            (self.price, self.qty) = (Price::of(price), Quantity::of(qty));
        }
        Ok(cursor.rest())
    }
}

/// `61659.70","0.123`.
#[inline(always)]
fn any_level(cursor: &mut Cursor<'_>) -> Step<Level> {
    let price = cursor.price()?;
    cursor.take(b"\",\"")?;
    let qty = cursor.qty()?;
    if price == Px::ZERO { Err(Odd) } else { Ok(Level { price, qty }) }
}

/// A price whose dot stands where that of the price before stood: of at most eight bytes.
#[derive(Clone, Copy)]
struct Price {
    /// Its bytes with all digits zero.
    zeros: u64,
    /// What brings each byte that does not fit, and no other, to its high bit.
    limits: u64,
    /// The high bits of its bytes.
    bytes: u64,
    /// The bytes before the dot.
    whole: u64,
    length: usize,
    /// Bits of the word behind it.
    shift: u32,
    scale: i64,
}

impl Price {
    const UNKNOWN: Self =
        Self { zeros: u64::MAX, limits: 0, bytes: HIGHS, whole: 0, length: 8, shift: 0, scale: 0 };

    fn of(text: &[u8]) -> Self {
        let Some(places) = places(text) else { return Self::UNKNOWN };
        let dot = text.len() - 1 - places;
        let here = 0xFF << (8 * dot);
        let bytes = LOWEST[text.len()];
        let dot_byte = u64::from(b'.') << (8 * dot);
        Self {
            zeros: (ZEROS & bytes & !here) | dot_byte,
            limits: ((ONES * 0x76) & bytes & !here) | ((ONES * 0x7F) & here),
            bytes: HIGHS & bytes,
            whole: LOWEST[dot],
            length: text.len(),
            shift: 64 - 8 * text.len() as u32,
            scale: POWERS[DECIMALS as usize - places],
        }
    }

    #[inline(always)]
    fn read(&self, text: u64) -> Option<i64> {
        let values = text ^ self.zeros;
        if (values.wrapping_add(self.limits) | values) & self.bytes != 0 {
            return None;
        }
        // The digits before the dot move over it, and all of them to the end of the word.
        let whole = values & self.whole;
        let digits = ((whole << 8) | (values ^ whole)) << (self.shift & 63);
        let price = join(digits).cast_signed().wrapping_mul(self.scale);
        // A price of zero is no price.
        (price != 0).then_some(price)
    }
}

/// A quantity with as many decimals as the one before, of any length up to eight bytes.
#[derive(Clone, Copy)]
struct Quantity {
    /// The dot's value, where it stands when the last digit stands at the end of a word.
    dot: u64,
    /// The bytes before it, and those behind it.
    whole: u64,
    places: u64,
    /// Length of the shortest one.
    length_min: usize,
    scale: i64,
}

impl Quantity {
    const UNKNOWN: Self = Self { dot: u64::MAX, whole: 0, places: 0, length_min: 9, scale: 0 };

    fn of(text: &[u8]) -> Self {
        let Some(places) = places(text) else { return Self::UNKNOWN };
        let at = 7 - places;
        Self {
            dot: u64::from(b'.' ^ b'0') << (8 * at),
            whole: LOWEST[at],
            places: !LOWEST[at + 1],
            length_min: places + 2,
            scale: POWERS[DECIMALS as usize - places],
        }
    }

    /// The quantity and its length.
    #[inline(always)]
    fn read(&self, text: u64) -> Option<(i64, usize)> {
        let values = text ^ ZEROS;
        let marks = above_nine(values) >> 7;
        // The second byte that is no digit ends it, or else the word does.
        let bits = (marks & marks.wrapping_sub(1)).trailing_zeros();
        let length = (bits / 8) as usize;
        let values = values << (bits.wrapping_neg() & 63);
        if values & !(self.whole | self.places) != self.dot || length < self.length_min {
            return None;
        }
        let digits = ((values & self.whole) << 8) | (values & self.places);
        Some((join(digits).cast_signed().wrapping_mul(self.scale), length))
    }
}

/// Decimals of a number with a dot.
fn places(text: &[u8]) -> Option<usize> {
    let dot = text.iter().position(|byte| *byte == b'.')?;
    Some(text.len() - 1 - dot)
}

#[inline(always)]
fn word(text: &[u8; 40], at: usize) -> u64 {
    text[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
