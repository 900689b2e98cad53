//! Lines of a collector: `<receive time> <frame>`.

use fusewire_core::units::Nanos;

use super::error::Fault;
use super::time::{Clock, is_digits};

/// The digits of the receive time, if the line begins like a collector's: a number, a space and JSON.
pub(super) fn receive_digits(line: &[u8]) -> Option<&[u8]> {
    let space = memchr::memchr(b' ', line)?;
    let (digits, frame) = (&line[..space], &line[space + 1..]);
    (is_digits(digits) && matches!(frame.first(), Some(b'{' | b'['))).then_some(digits)
}

/// The receive time and where the frame begins.
///
/// # Errors
/// The line has no time or no frame, or the time is not plausible.
pub(super) fn parse(line: &[u8], clock: Clock) -> Result<(Nanos, usize), Fault> {
    let space =
        memchr::memchr(b' ', line).ok_or_else(|| shape("no space behind a receive time"))?;
    let (digits, frame) = (&line[..space], &line[space + 1..]);
    match clock.time(digits) {
        Ok(recv) if !frame.is_empty() => Ok((recv, space + 1)),
        Ok(_) => Err(no_frame()),
        Err(fault) => Err(refused(digits, frame, fault)),
    }
}

/// Why a line is refused: its shape goes before its time.
#[cold]
fn refused(digits: &[u8], frame: &[u8], fault: Fault) -> Fault {
    match (is_digits(digits), frame.is_empty()) {
        (false, _) => shape("no receive time"),
        (true, true) => no_frame(),
        (true, false) => fault,
    }
}

#[cold]
fn no_frame() -> Fault {
    shape("no frame behind the receive time")
}

#[cold]
fn shape(reason: &str) -> Fault {
    Fault::Shape(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::time::{Unit, UnitSource};

    const CLOCK: Clock = Clock { unit: Unit::Micros, source: UnitSource::FileName };

    #[test]
    fn a_line_is_a_time_and_a_frame() {
        let (recv, frame) = parse(b"1680652700423000 {\"e\": 1}", CLOCK).unwrap();
        assert_eq!((recv, frame), (Nanos(1_680_652_700_423_000_000), 17));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["1680652700423000", "1680652700423000 ", "{\"e\": 1}", "x {}", " {}"] {
            assert!(matches!(parse(line.as_bytes(), CLOCK), Err(Fault::Shape(_))), "{line}");
        }
        assert!(matches!(parse(b"168065270042300 {}", CLOCK), Err(Fault::Time(_))));
    }

    #[test]
    fn only_json_behind_a_number_looks_like_a_collector() {
        assert_eq!(receive_digits(b"12 {\"a\":1}"), Some(&b"12"[..]));
        assert_eq!(receive_digits(b"12 [1]"), Some(&b"12"[..]));
        for line in ["12 abc", "12  {}", "12.5 {}", "12: {}", "-1 {}", "12 ", ""] {
            assert_eq!(receive_digits(line.as_bytes()), None, "{line}");
        }
    }
}
