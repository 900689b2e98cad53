//! Times of history files: one unit a file, told by the size of the first, or dates as text.

use fusewire_core::units::Nanos;
use humantime::parse_rfc3339_weak;

/// 2009-01-01 UTC: before that there was nothing to record.
const EARLIEST: Nanos = Nanos(1_230_768_000 * Nanos::SECOND);
/// 2100-01-01 UTC.
const LATEST: Nanos = Nanos(4_102_444_800 * Nanos::SECOND);

/// How the times of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// `2021-12-31 23:01:00`, with or without a fraction.
    Text,
}

impl TimeUnit {
    const NUMBERS: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
            Self::Text => "text",
        }
    }

    /// The unit in which a text is a time between 2009 and 2100; the ranges of the units do not touch.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.contains('-') {
            return date(text).ok().map(|_| Self::Text);
        }
        Self::NUMBERS.into_iter().find(|unit| unit.number(text).is_some())
    }

    /// A time in this unit.
    ///
    /// # Errors
    /// What the text is instead.
    pub(super) fn parse(self, text: &str) -> Result<Nanos, String> {
        if self == Self::Text {
            return date(text);
        }
        self.number(text).ok_or_else(|| match Self::of(text) {
            Some(other) => format!(
                "is a time in {}, and the file began with times in {}",
                other.name(),
                self.name()
            ),
            None => "is no time between 2009 and 2100".to_owned(),
        })
    }

    /// The time that a number of this unit is; none when it is not plausible.
    fn number(self, text: &str) -> Option<Nanos> {
        let factor = match self {
            Self::Seconds => Nanos::SECOND,
            Self::Millis => Nanos::MILLI,
            Self::Micros => Nanos::MICRO,
            Self::Nanos => 1,
            Self::Text => return None,
        };
        let nanos = text.trim().parse::<u64>().ok()?.checked_mul(factor).map(Nanos)?;
        (EARLIEST..LATEST).contains(&nanos).then_some(nanos)
    }
}

fn date(text: &str) -> Result<Nanos, String> {
    let no_date = || "is no date, as 2021-12-31 23:01:00".to_owned();
    let time = parse_rfc3339_weak(text.trim()).map_err(|_| no_date())?;
    let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| no_date())?;
    let nanos = u64::try_from(since.as_nanos()).map(Nanos).map_err(|_| no_date())?;
    let plausible = (EARLIEST..LATEST).contains(&nanos);
    plausible.then_some(nanos).ok_or_else(|| "is no time between 2009 and 2100".to_owned())
}

/// The length that `1m`, `4h`, `1d` or `30s` stands for.
///
/// # Errors
/// It is none of them.
pub fn interval(text: &str) -> Result<Nanos, String> {
    let wrong = || format!("'{text}' is no length of a bar, as 1s, 5m, 4h, 1d or 1w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let nanos = count.checked_mul(seconds * Nanos::SECOND).filter(|nanos| *nanos > 0);
    nanos.map(Nanos).ok_or_else(wrong)
}

/// `60 s` as the exchange would call it.
pub(super) fn interval_name(length: Nanos) -> String {
    let seconds = length.0 / Nanos::SECOND;
    let units = [(7 * 86_400, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let whole = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_told_by_the_size() {
        for (text, unit) in [
            ("1746372780", TimeUnit::Seconds),
            ("1746372780000", TimeUnit::Millis),
            ("1746372780000000", TimeUnit::Micros),
            ("1746372780000000000", TimeUnit::Nanos),
            ("2025-05-04 15:33:00", TimeUnit::Text),
            ("2025-05-04 15:33:00.000000", TimeUnit::Text),
            ("2025-05-04T15:33:00Z", TimeUnit::Text),
        ] {
            assert_eq!(TimeUnit::of(text), Some(unit), "{text}");
            assert_eq!(unit.parse(text).unwrap().0, 1_746_372_780 * Nanos::SECOND, "{text}");
        }
        for text in ["", "-1", "12", "17463727800000000000000", "2025-13-01 00:00:00", "1990-01-01"]
        {
            assert_eq!(TimeUnit::of(text), None, "{text}");
        }
    }

    #[test]
    fn another_unit_is_named() {
        let error = TimeUnit::Millis.parse("1746372780000000").unwrap_err();
        assert_eq!(error, "is a time in us, and the file began with times in ms");
        assert_eq!(TimeUnit::Millis.parse("x").unwrap_err(), "is no time between 2009 and 2100");
    }

    #[test]
    fn intervals_are_read_and_named() {
        for (text, seconds) in
            [("1s", 1), ("30s", 30), ("1m", 60), ("90s", 90), ("4h", 14_400), ("1w", 604_800)]
        {
            let length = interval(text).unwrap();
            assert_eq!(
                (length.0 / Nanos::SECOND, interval_name(length)),
                (seconds, text.to_owned())
            );
        }
        for text in ["", "m", "0m", "1M", "-1m", "1.5h", "1é"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
