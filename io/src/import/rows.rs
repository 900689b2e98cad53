//! The lines of a history file as fields between commas, plain or in quotes. A line is looked at by itself: a quote that
//! is never closed, or a line without an end, must not take the rest of the file into memory.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use csv::StringRecord;

/// Longest line, in bytes: rows of numbers have some hundred.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Why a line is none: the line it is told of, and what is wrong.
pub(super) type Fault = (Option<u64>, String);

/// Reads line by line.
pub(super) struct Rows {
    bytes: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    /// Line of the last row, from 1.
    number: u64,
    /// The last line ended with a return, whose line feed is still to come if there is one.
    returned: bool,
}

impl Rows {
    pub(super) fn new(bytes: Box<dyn Read + Send>) -> Self {
        Self { bytes: BufReader::new(bytes), line: Vec::new(), number: 0, returned: false }
    }

    /// Line of the row that was read last, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.number
    }

    /// Reads the next row; false at the end. Empty lines are none.
    ///
    /// # Errors
    /// The bytes can not be read, told of the last line that is whole, or the line is none of fields.
    pub(super) fn next(&mut self, row: &mut StringRecord) -> Result<bool, Fault> {
        loop {
            let is_line = self.read_line().map_err(|error| match self.number {
                0 => (None, format!("has no whole line: {error}")),
                last => (Some(last), format!("is the last whole line: behind it, {error}")),
            })?;
            if !is_line {
                return Ok(false);
            }
            self.number += 1;
            if !self.line.is_empty() {
                break;
            }
        }
        let text = std::str::from_utf8(&self.line);
        let text = text.map_err(|_| (Some(self.number), "is not UTF-8".to_owned()))?;
        // Some programs begin a file of UTF-8 with a mark that says so.
        let text = if self.number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        split(text, row).map_err(|what| (Some(self.number), what.to_owned()))?;
        Ok(true)
    }

    /// Reads a line without its end; false behind the last.
    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        loop {
            let bytes = match self.bytes.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if std::mem::take(&mut self.returned) && bytes.first() == Some(&b'\n') {
                self.bytes.consume(1);
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() > LINE_BYTES_MAX {
                let what = format!("a line of more than {LINE_BYTES_MAX} bytes");
                return Err(io::Error::other(what));
            }
            self.line.extend_from_slice(part);
            let taken = part.len();
            let Some(end) = end else {
                if taken == 0 {
                    return Ok(!self.line.is_empty());
                }
                self.bytes.consume(taken);
                continue;
            };
            self.returned = bytes[end] == b'\r';
            self.bytes.consume(taken + 1);
            return Ok(true);
        }
    }
}

/// Splits a line into its fields.
fn split(line: &str, row: &mut StringRecord) -> Result<(), &'static str> {
    row.clear();
    if !line.contains('"') {
        line.split(',').for_each(|field| row.push_field(field));
        return Ok(());
    }
    let mut rest = line;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => match rest.split_once(',') {
                Some((field, behind)) => (Cow::Borrowed(field), Some(behind)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        row.push_field(&field);
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(()),
        }
    }
}

/// A field up to the quote that closes it, and what stands behind its comma. Two quotes are one within.
fn unquoted(text: &str) -> Result<(Cow<'_, str>, Option<&str>), &'static str> {
    let mut from = 0;
    loop {
        let end = from + text[from..].find('"').ok_or("a quote is not closed in its line")?;
        let behind = &text[end + 1..];
        if behind.starts_with('"') {
            from = end + 2;
            continue;
        }
        let field = &text[..end];
        let field =
            if from == 0 { Cow::Borrowed(field) } else { field.replace("\"\"", "\"").into() };
        return match behind.strip_prefix(',') {
            Some(behind) => Ok((field, Some(behind))),
            None if behind.is_empty() => Ok((field, None)),
            None => Err("something stands between a quote and the next comma"),
        };
    }
}

/// Appends a row as a line that `split` reads back.
pub(super) fn join<'a>(fields: impl Iterator<Item = &'a str>, line: &mut Vec<u8>) {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            line.push(b',');
        }
        if field.contains(['"', ',']) {
            line.push(b'"');
            line.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        } else {
            line.extend_from_slice(field.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The rows of a text with their lines, and the fault that ends them.
    fn rows(text: &[u8]) -> (Vec<(u64, Vec<String>)>, Option<Fault>) {
        let mut rows = Rows::new(Box::new(Cursor::new(text.to_vec())));
        let (mut row, mut found) = (StringRecord::new(), Vec::new());
        loop {
            match rows.next(&mut row) {
                Ok(true) => found.push((rows.line(), row.iter().map(str::to_owned).collect())),
                Ok(false) => return (found, None),
                Err(fault) => return (found, Some(fault)),
            }
        }
    }

    fn fields(line: &str) -> Vec<String> {
        let (mut rows, fault) = rows(line.as_bytes());
        assert_eq!((rows.len(), fault), (1, None), "{line}");
        rows.remove(0).1
    }

    #[test]
    fn lines_end_in_any_way_and_are_counted() {
        for text in ["a,b\n\nc\n", "a,b\r\n\r\nc\r\n", "a,b\r\rc", "a,b\n\nc"] {
            let (found, fault) = rows(text.as_bytes());
            let found: Vec<_> = found.iter().map(|(line, row)| (*line, row.join("|"))).collect();
            assert_eq!(found, [(1, "a|b".to_owned()), (3, "c".to_owned())], "{text:?}");
            assert_eq!(fault, None);
        }
        // The mark of UTF-8 is no part of the first field.
        assert_eq!(rows("\u{feff}1,2\n".as_bytes()).0, [(1, vec!["1".to_owned(), "2".to_owned()])]);
    }

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(fields(r#""95000",1"#), ["95000", "1"]);
        assert_eq!(fields(r#"1,"a,b","c""d""""#), ["1", "a,b", r#"c"d""#]);
        assert_eq!(fields(r#""",x"y,"#), ["", r#"x"y"#, ""]);
        for (line, what) in [
            (r#"1,"2"#, "a quote is not closed in its line"),
            (r#""1"2,3"#, "something stands between a quote and the next comma"),
        ] {
            let fault = Some((Some(2), what.to_owned()));
            assert_eq!(rows(format!("x\n{line}\nz\"\n").as_bytes()).1, fault);
        }
        let odd = ["plain", r#"q"uo"te"#, "com,ma", "", r#"""#];
        let mut line = Vec::new();
        join(odd.into_iter(), &mut line);
        assert_eq!(fields(std::str::from_utf8(&line).unwrap()), odd);
    }

    #[test]
    fn what_can_not_be_read_is_told_of_the_last_whole_line() {
        let long = format!("a\nb\n{}", "9".repeat(2 << 20));
        let what = "is the last whole line: behind it, a line of more than 1048576 bytes";
        assert_eq!(rows(long.as_bytes()).1, Some((Some(2), what.to_owned())));
        let endless = "9".repeat(2 << 20);
        let what = "has no whole line: a line of more than 1048576 bytes";
        assert_eq!(rows(endless.as_bytes()).1, Some((None, what.to_owned())));
        assert_eq!(rows(b"a\n\xff\xfe\n").1, Some((Some(2), "is not UTF-8".to_owned())));
    }
}
