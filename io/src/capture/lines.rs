//! Lines over one buffer that is reused: nothing is allocated per line, and the buffer never grows past
//! the longest line allowed.

use std::io::{self, Read};
use std::ops::Range;

use super::ahead::Ahead;

/// First size of the buffer, and what it may hold beyond the longest line.
const CHUNK_BYTES: usize = 128 * 1024;

/// Why there is no next line.
#[derive(Debug)]
pub(super) enum LineError {
    /// It is longer than allowed.
    TooLong,
    /// The input failed.
    Read(io::Error),
}

/// A cursor over the lines of an input. Blank lines are counted and passed over.
pub(super) struct Lines {
    input: Box<dyn Read + Send>,
    limit: usize,
    buffer: Vec<u8>,
    /// Part of the buffer that is read but not yet handed out.
    unread: Range<usize>,
    line: Range<usize>,
    number: u64,
    at_end: bool,
}

impl Lines {
    /// Over `input`, with lines of at most `limit` bytes (line end not counted).
    pub(super) fn new(input: Box<dyn Read + Send>, limit: usize) -> Self {
        let buffer = vec![0; CHUNK_BYTES];
        Self { input, limit, buffer, unread: 0..0, line: 0..0, number: 0, at_end: false }
    }

    /// Has the rest of the input read by another thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn read_ahead(&mut self) -> io::Result<()> {
        let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
        self.input = Box::new(Ahead::new(input)?);
        Ok(())
    }

    /// Moves to the next line that is not blank; `false` at the end. A last line without line end counts.
    ///
    /// # Errors
    /// The line is too long, or the input failed.
    pub(super) fn advance(&mut self) -> Result<bool, LineError> {
        while self.advance_any()? {
            if !self.line().trim_ascii().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The current line without its line end (LF or CR LF).
    pub(super) fn line(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Number of the current line, from 1; the number of lines read when there is none.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Longest line allowed, in bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn advance_any(&mut self) -> Result<bool, LineError> {
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.unread.clone()];
            if let Some(at) = memchr::memchr(b'\n', &unread[searched..]) {
                let length = searched + at;
                return self.take(length, length + 1);
            }
            searched = unread.len();
            if searched > self.limit.saturating_add(1) {
                return Err(LineError::TooLong);
            }
            if self.at_end {
                return if searched == 0 { Ok(false) } else { self.take(searched, searched) };
            }
            self.refill().map_err(LineError::Read)?;
        }
    }

    /// Makes the next `length` bytes the current line and steps over `step`.
    fn take(&mut self, length: usize, step: usize) -> Result<bool, LineError> {
        let start = self.unread.start;
        self.line = start..start + length;
        if self.line().last() == Some(&b'\r') {
            self.line.end -= 1;
        }
        if self.line.len() > self.limit {
            return Err(LineError::TooLong);
        }
        self.unread.start += step;
        self.number += 1;
        Ok(true)
    }

    fn refill(&mut self) -> io::Result<()> {
        self.make_room();
        let count = loop {
            match self.input.read(&mut self.buffer[self.unread.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.unread.end += count;
        self.at_end = count == 0;
        Ok(())
    }

    /// Room behind the unread bytes: first by moving them to the front, then by growing.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        self.line = 0..0;
        if self.unread.end == self.buffer.len() {
            let bound = self.limit.saturating_add(CHUNK_BYTES);
            let length = self.buffer.len().saturating_mul(2).min(bound);
            self.buffer.resize(length, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Gives at most `step` bytes a time, and an interruption before each.
    struct Slow(Cursor<Vec<u8>>, usize, bool);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn lines(text: &[u8], step: usize, limit: usize) -> Lines {
        Lines::new(Box::new(Slow(Cursor::new(text.to_vec()), step, false)), limit)
    }

    fn all(mut lines: Lines) -> Vec<(u64, Vec<u8>)> {
        let mut found = Vec::new();
        while lines.advance().unwrap() {
            found.push((lines.number(), lines.line().to_vec()));
        }
        found
    }

    #[test]
    fn blank_lines_are_counted_and_passed_over() {
        let text = b"\n\r\na\r\n  \nb\r\r\nc";
        for step in [1, 2, 3, 100] {
            let expected = vec![(3, b"a".to_vec()), (5, b"b\r".to_vec()), (6, b"c".to_vec())];
            assert_eq!(all(lines(text, step, 10)), expected);
        }
        assert_eq!(all(lines(b"", 1, 10)), vec![]);
    }

    #[test]
    fn lines_longer_than_the_first_buffer_arrive_whole() {
        let long = vec![b'x'; 3 * CHUNK_BYTES];
        let text = [&b"a\n"[..], &long, b"\nb\n"].concat();
        let expected = vec![(1, b"a".to_vec()), (2, long.clone()), (3, b"b".to_vec())];
        assert_eq!(all(lines(&text, 100_000, long.len())), expected);
    }

    #[test]
    fn the_limit_holds_with_and_without_a_line_end() {
        for text in [&b"a\n1234\n"[..], b"a\n1234", b"a\n1234\r\n"] {
            assert_eq!(all(lines(text, 1, 4)).len(), 2);
            let mut short = lines(text, 1, 3);
            assert!(short.advance().unwrap());
            assert!(matches!(short.advance(), Err(LineError::TooLong)));
            assert_eq!(short.number(), 1);
        }
    }

    #[test]
    fn an_endless_line_is_not_buffered() {
        let mut endless = Lines::new(Box::new(io::repeat(b'x')), 1 << 20);
        assert!(matches!(endless.advance(), Err(LineError::TooLong)));
        assert!(endless.buffer.len() <= (1 << 20) + CHUNK_BYTES);
    }
}
