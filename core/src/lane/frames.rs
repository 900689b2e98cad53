//! Records of the feed lane. A frame and what is said of damage are appended in parts, head first, so
//! that neither is copied.

use super::fields::FieldWriter;
use crate::instrument::Market;
use crate::units::Nanos;

/// Bytes of a frame record before the address.
pub const FRAME_HEAD_BYTES: usize = 30;
/// Bytes of a damage record before the text.
pub const DAMAGED_HEAD_BYTES: usize = 28;
/// Longest address in a frame record, in bytes: its length has two.
pub const ADDRESS_BYTES_MAX: usize = u16::MAX as usize;
/// Longest text in a damage record, in bytes.
pub const DAMAGED_TEXT_BYTES_MAX: usize = 512;

/// How a frame came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameOrigin {
    /// On a stream.
    Stream,
    /// As the answer to a REST request.
    Rest,
}

impl FrameOrigin {
    /// All origins, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Stream, Self::Rest];
}

/// What a frame record says before the frame itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead<'a> {
    /// Its number in the feed lane, from 1.
    pub frame: u64,
    /// When the recorder received it.
    pub recv: Nanos,
    /// Line of its file, from 1.
    pub line: u64,
    /// Number of its file in the list of sources.
    pub source: u16,
    /// Where it came from.
    pub market: Market,
    /// Address of the request that it answers; none for a frame of a stream.
    pub url: Option<&'a str>,
}

impl<'a> FrameHead<'a> {
    /// The first part of the record, before `address` and the frame. `None` when the address is longer
    /// than `ADDRESS_BYTES_MAX`: cut, it would name another request.
    #[must_use]
    pub fn encode(&self) -> Option<[u8; FRAME_HEAD_BYTES]> {
        let address_bytes = u16::try_from(self.address().len()).ok()?;
        let mut to = FieldWriter::new();
        to.u64(self.frame);
        to.nanos(self.recv);
        to.u64(self.line);
        to.u16(self.source);
        to.u8(self.market as u8);
        to.u8(self.origin() as u8);
        to.u16(address_bytes);
        Some(to.into_full())
    }

    /// The second part of the record; empty for a frame of a stream.
    #[must_use]
    pub fn address(&self) -> &'a [u8] {
        self.url.unwrap_or_default().as_bytes()
    }

    /// How it came.
    #[must_use]
    pub const fn origin(&self) -> FrameOrigin {
        match self.url {
            None => FrameOrigin::Stream,
            Some(_) => FrameOrigin::Rest,
        }
    }
}

/// A whole frame record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What is said of it.
    pub head: FrameHead<'a>,
    /// The frame as received.
    pub bytes: &'a [u8],
}

/// A frame that lies in a capture: enough to find it there, and to tell that it is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRef {
    /// Its number in the feed lane, from 1.
    pub frame: u64,
    /// When the recorder received it.
    pub recv: Nanos,
    /// Line of its file, from 1.
    pub line: u64,
    /// Number of its file in the list of sources.
    pub source: u16,
    /// Where it came from.
    pub market: Market,
    /// How it came.
    pub origin: FrameOrigin,
    /// Length of the frame, in bytes.
    pub bytes: u32,
    /// CRC32C of the frame.
    pub crc: u32,
}

/// A piece of a capture that could not be read. It has a number as a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged<'a> {
    /// Its number in the feed lane, from 1.
    pub frame: u64,
    /// The time that it counts as of: that of the frame before it.
    pub at: Nanos,
    /// Line of its file, from 1.
    pub line: u64,
    /// Number of its file in the list of sources.
    pub source: u16,
    /// What could not be read and why.
    pub text: &'a str,
}

impl<'a> Damaged<'a> {
    /// The first part of the record, before `kept_text`.
    #[must_use]
    pub fn encode(&self) -> [u8; DAMAGED_HEAD_BYTES] {
        let mut to = FieldWriter::new();
        to.u64(self.frame);
        to.nanos(self.at);
        to.u64(self.line);
        to.u16(self.source);
        let bytes = self.kept_text().len();
        to.u16(u16::try_from(bytes).expect("it is cut to DAMAGED_TEXT_BYTES_MAX"));
        to.into_full()
    }

    /// The second part of the record: as much of the text as there is room for, in whole letters.
    #[must_use]
    pub fn kept_text(&self) -> &'a [u8] {
        let end = self.text.floor_char_boundary(DAMAGED_TEXT_BYTES_MAX);
        &self.text.as_bytes()[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: FrameHead<'_> =
        FrameHead { frame: 1, recv: Nanos(2), line: 3, source: 4, market: Market::Spot, url: None };

    #[test]
    fn origins_are_listed_in_order() {
        for (index, origin) in FrameOrigin::ALL.into_iter().enumerate() {
            assert_eq!(origin as usize, index);
        }
    }

    #[test]
    fn the_head_of_a_frame_is_laid_out_as_the_format_says() {
        let mut expected = Vec::new();
        for number in [1_u64, 2, 3] {
            expected.extend(number.to_le_bytes());
        }
        expected.extend([4, 0, 2, 0, 0, 0]);
        assert_eq!(STREAM.encode().unwrap().to_vec(), expected);
        let rest = FrameHead { url: Some("https"), ..STREAM };
        expected[27..].copy_from_slice(&[1, 5, 0]);
        assert_eq!(rest.encode().unwrap().to_vec(), expected);
        assert_eq!((STREAM.address(), rest.address()), (&b""[..], &b"https"[..]));
    }

    #[test]
    fn an_address_that_does_not_fit_is_refused_and_not_cut() {
        let long = "a".repeat(ADDRESS_BYTES_MAX + 1);
        let head = |url| FrameHead { url: Some(url), ..STREAM }.encode();
        assert_eq!(head(&long), None);
        let longest = head(&long[1..]).unwrap();
        assert_eq!(longest[28..], [0xFF, 0xFF]);
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        let damaged = |text| Damaged { frame: 1, at: Nanos(2), line: 3, source: 4, text };
        // Each letter has two bytes, so that the limit lies within one.
        let text = format!("x{}", "ä".repeat(DAMAGED_TEXT_BYTES_MAX / 2));
        let cut = damaged(&text);
        assert_eq!(cut.kept_text(), &text.as_bytes()[..DAMAGED_TEXT_BYTES_MAX - 1]);
        assert_eq!(cut.encode()[24..], [4, 0, 0xFF, 1]);
        let exact = &text[..DAMAGED_TEXT_BYTES_MAX - 1];
        assert_eq!(damaged(exact).kept_text(), exact.as_bytes());
    }
}
