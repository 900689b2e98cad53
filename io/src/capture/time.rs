//! Receive times: their units, and the check that each one lies in a year when there was something to
//! record. A time read in the wrong unit is off by a factor of a thousand; no capture survives that.

use std::fmt;
use std::str::FromStr;

use fusewire_core::units::Nanos;

use super::error::Fault;
use super::file_name;

/// 2009-01-01 UTC, in seconds since 1970.
const EARLIEST_S: u64 = 1_230_768_000;
/// 2100-01-01 UTC, in seconds since 1970.
const LATEST_S: u64 = 4_102_444_800;
/// Decimals of a second that a `Nanos` holds.
const SECOND_PLACES: usize = 9;

/// Unit of a collector's receive times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds since 1970-01-01 UTC: `ns`.
    Nanos,
    /// Microseconds since 1970-01-01 UTC: `us`.
    Micros,
}

impl Unit {
    const ALL: [Self; 2] = [Self::Nanos, Self::Micros];

    /// The name on the command line, in sidecars and in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nanos => "ns",
            Self::Micros => "us",
        }
    }

    /// A time in this unit; `None` when it is not plausible.
    fn time(self, value: u64) -> Option<Nanos> {
        let nanos = match self {
            Self::Nanos => value,
            Self::Micros => value.checked_mul(Nanos::MICRO)?,
        };
        plausible(Nanos(nanos))
    }

    /// The unit in which this value is a plausible time. The ranges of the two do not touch.
    fn of_magnitude(value: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.time(value).is_some())
    }

    /// The unit that a file name tells: `btcusdt.ns.gz`, `btcusdt.us`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let mut parts = file_name(name).split('.').skip(1);
        parts.find_map(|part| part.parse().ok())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|unit| unit.name() == text)
            .ok_or_else(|| format!("unknown unit '{text}' (ns or us)"))
    }
}

/// Who said in which unit a collector's times are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitSource {
    Caller,
    Sidecar,
    FileName,
    FirstLine,
}

/// A unit and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) unit: Unit,
    pub(super) source: UnitSource,
}

impl Clock {
    /// The clock of a recording of which nobody told the unit.
    ///
    /// # Errors
    /// The first time is plausible in no unit.
    pub(super) fn of_first(digits: &[u8]) -> Result<Self, Fault> {
        let value = parse_digits(digits)?;
        let unit = Unit::of_magnitude(value).ok_or_else(|| {
            Fault::Time(format!(
                "receive time {value} is no time between 2009 and 2100 in ns or us{}",
                other_magnitude(value)
            ))
        })?;
        Ok(Self { unit, source: UnitSource::FirstLine })
    }

    /// One receive time.
    ///
    /// # Errors
    /// It does not fit, or is not plausible in this unit.
    pub(super) fn time(self, digits: &[u8]) -> Result<Nanos, Fault> {
        let value = parse_digits(digits)?;
        self.unit.time(value).ok_or_else(|| self.implausible(value))
    }

    #[cold]
    fn implausible(self, value: u64) -> Fault {
        let unit = self.unit;
        let hint = match Unit::of_magnitude(value) {
            None => other_magnitude(value).to_owned(),
            Some(other) => match self.source {
                UnitSource::Caller => {
                    format!(
                        "; it looks like {other}, but the caller says {unit}: pass --unit {other}"
                    )
                }
                UnitSource::Sidecar => {
                    format!(
                        "; it looks like {other}, but the sidecar says {unit}: pass --unit {other}"
                    )
                }
                UnitSource::FileName => {
                    format!(
                        "; it looks like {other}, but the file name says {unit}: pass --unit {other}"
                    )
                }
                UnitSource::FirstLine => {
                    format!(
                        "; it looks like {other}, but the first line is in {unit}: units are mixed"
                    )
                }
            },
        };
        Fault::Time(format!(
            "receive time {value} is no time between 2009 and 2100 in {unit}{hint}"
        ))
    }
}

/// Decimal seconds, exact to the nanosecond; further decimals are cut.
///
/// # Errors
/// Text that is not `digits[.digits]`, or a time that is not plausible.
pub(super) fn parse_seconds(text: &[u8]) -> Result<Nanos, Fault> {
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        None => (text, &b"0"[..]),
        Some(dot) => (&text[..dot], &text[dot + 1..]),
    };
    let kept = fraction.get(..SECOND_PLACES).unwrap_or(fraction);
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(not_a_time(text));
    }
    let seconds = parse_digits(whole)?;
    let missing_places = (SECOND_PLACES - kept.len()) as u32;
    let nanos = parse_digits(kept)? * 10_u64.pow(missing_places);
    let time = seconds.checked_mul(Nanos::SECOND).and_then(|whole| whole.checked_add(nanos));
    time.map(Nanos).and_then(plausible).ok_or_else(|| {
        Fault::Time(format!(
            "receive time {} is no time between 2009 and 2100 in seconds",
            text.escape_ascii()
        ))
    })
}

/// Whether the text is digits and nothing else.
pub(super) fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn plausible(time: Nanos) -> Option<Nanos> {
    let range = EARLIEST_S * Nanos::SECOND..LATEST_S * Nanos::SECOND;
    range.contains(&time.0).then_some(time)
}

fn parse_digits(text: &[u8]) -> Result<u64, Fault> {
    value_of_digits(text).ok_or_else(|| not_a_time(text))
}

/// The number that digits stand for; `None` for any other text and for what does not fit.
fn value_of_digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let (rest, chunks) = text.as_rchunks();
    let mut value = 0_u64;
    for byte in rest {
        // At most seven digits.
        value = value * 10 + byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
    }
    for chunk in chunks {
        value = value.checked_mul(100_000_000)?.checked_add(eight_digits(*chunk)?)?;
    }
    Some(value)
}

/// Eight digits at once: neighbours are joined to pairs, pairs to fours, fours to the number, each with
/// one multiplication for all of them.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    // Above `9` adding this sets the highest bit, below `0` subtracting the zeros does.
    const BEYOND_NINE: u64 = u64::from_ne_bytes([0x7f - b'9'; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_le_bytes(text);
    let digits = word.wrapping_sub(ZEROS);
    if (word | digits | word.wrapping_add(BEYOND_NINE)) & HIGHEST != 0 {
        return None;
    }
    // The first digit lies in the lowest byte: it counts ten times its neighbour above.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours & 0xffff) * 10_000 + (fours >> 32))
}

#[cold]
fn not_a_time(text: &[u8]) -> Fault {
    let shown = super::error::excerpt(text);
    Fault::Time(format!("'{shown}' is no receive time"))
}

/// What a value that is no time in ns or µs may be instead.
fn other_magnitude(value: u64) -> &'static str {
    if (EARLIEST_S..LATEST_S).contains(&value) {
        "; it looks like seconds"
    } else if (EARLIEST_S * 1_000..LATEST_S * 1_000).contains(&value) {
        "; it looks like milliseconds"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_read_as_the_library_does(number in any::<u64>(), zeros in 0_usize..20) {
            let text = format!("{}{number}", "0".repeat(zeros));
            prop_assert_eq!(value_of_digits(text.as_bytes()), Some(number));
        }

        #[test]
        fn one_byte_that_is_no_digit_spoils_them(
            mut text in prop::collection::vec(b'0'..=b'9', 1..19),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let at = at.index(text.len());
            text[at] = byte;
            prop_assert_eq!(value_of_digits(&text).is_some(), byte.is_ascii_digit());
        }
    }

    fn seconds(text: &str) -> Nanos {
        parse_seconds(text.as_bytes()).unwrap()
    }

    fn clock(unit: Unit) -> Clock {
        Clock { unit, source: UnitSource::FileName }
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!(seconds("1626992741.06217"), Nanos(1_626_992_741_062_170_000));
        assert_eq!(seconds("1626992741.3105128"), Nanos(1_626_992_741_310_512_800));
        assert_eq!(seconds("1626992741"), Nanos(1_626_992_741_000_000_000));
        assert_eq!(seconds("1626992741.000000001"), Nanos(1_626_992_741_000_000_001));
        assert_eq!(seconds("1626992741.9999999999999"), Nanos(1_626_992_741_999_999_999));
    }

    #[test]
    fn what_is_no_time_in_seconds_is_refused() {
        for text in ["", ".", "1626992741.", ".5", "16269927e2", "-1626992741", "1626992741.0.1"] {
            assert!(parse_seconds(text.as_bytes()).is_err(), "{text}");
        }
        for text in
            ["0", "1230767999.999999999", "4102444800", "1626992741000", "99999999999999999999"]
        {
            assert!(parse_seconds(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(seconds("1230768000").0, EARLIEST_S * Nanos::SECOND);
        assert_eq!(seconds("4102444799.999999999").0, LATEST_S * Nanos::SECOND - 1);
    }

    #[test]
    fn units_differ_by_a_thousand() {
        let micros = clock(Unit::Micros).time(b"1680652700423000").unwrap();
        let nanos = clock(Unit::Nanos).time(b"1680652700423000000").unwrap();
        assert_eq!(micros, nanos);
    }

    #[test]
    fn a_time_in_the_other_unit_says_what_to_pass() {
        let Err(Fault::Time(text)) = clock(Unit::Nanos).time(b"1680652700423000") else { panic!() };
        assert!(
            text.ends_with("looks like us, but the file name says ns: pass --unit us"),
            "{text}"
        );
        let Err(Fault::Time(text)) = clock(Unit::Micros).time(b"1680652700423000000") else {
            panic!()
        };
        assert!(
            text.ends_with("looks like ns, but the file name says us: pass --unit ns"),
            "{text}"
        );
        let Err(Fault::Time(text)) = clock(Unit::Nanos).time(b"1680652700423") else { panic!() };
        assert!(text.ends_with("it looks like milliseconds"), "{text}");
    }

    #[test]
    fn digits_that_do_not_fit_are_an_error() {
        for digits in ["", "18446744073709551616", "99999999999999999999999999", "1x"] {
            assert!(clock(Unit::Nanos).time(digits.as_bytes()).is_err(), "{digits}");
        }
    }

    #[test]
    fn the_first_time_tells_the_unit() {
        assert_eq!(Clock::of_first(b"1680652700423000").unwrap().unit, Unit::Micros);
        assert_eq!(Clock::of_first(b"1680652700423000000").unwrap().unit, Unit::Nanos);
        assert!(Clock::of_first(b"1680652700").is_err());
    }

    #[test]
    fn the_file_name_tells_the_unit() {
        assert_eq!(Unit::of_name("/a.us/usdm_btcusdt.ns.gz"), Some(Unit::Nanos));
        assert_eq!(Unit::of_name("btcusdt.us"), Some(Unit::Micros));
        assert_eq!(Unit::of_name("btcusdt_ns.gz"), None);
        assert_eq!(Unit::of_name("ns"), None);
    }

    #[test]
    fn unit_names_round_trip() {
        for unit in Unit::ALL {
            assert_eq!(unit.to_string().parse(), Ok(unit));
        }
        assert!("ms".parse::<Unit>().is_err());
    }
}
