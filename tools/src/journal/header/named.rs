//! How values of other crates stand in a header: by their name, as a number, as a time.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A key that must be there, be it `null`: left alone, a missing optional key would read as `null`.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// A value by its name.
pub(super) fn serialize<T: Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// The value of a name.
pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// A value by its name, or `null`.
pub(super) mod optional {
    use super::{Deserializer, Display, Error, FromStr, Serialize, Serializer, present};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let name: Option<String> = present(deserializer)?;
        name.map(|name| name.parse().map_err(D::Error::custom)).transpose()
    }
}

/// A list of instruments by their numbers.
pub(super) mod ids {
    use fusewire_core::instrument::InstrumentId;

    use super::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        ids: &[InstrumentId],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(|id| id.0))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<InstrumentId>, D::Error> {
        let numbers: Vec<u16> = Vec::deserialize(deserializer)?;
        Ok(numbers.into_iter().map(InstrumentId).collect())
    }
}

/// A time: exactly, as a text since common readers of JSON round such numbers, and for people.
pub(super) mod time {
    use fusewire_core::units::Nanos;
    use fusewire_io::manifest::utc;

    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Time {
        ns: String,
        utc: String,
    }

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Nanos,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Time { ns: time.0.to_string(), utc: utc(*time) }.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Nanos, D::Error> {
        let Time { ns, utc: shown } = Time::deserialize(deserializer)?;
        let time = ns.parse().map(Nanos).map_err(|error| {
            D::Error::custom(format!("\"{ns}\" are no nanoseconds since 1970: {error}"))
        })?;
        if utc(time) == shown {
            Ok(time)
        } else {
            Err(D::Error::custom(format!("{ns} ns are {}, not \"{shown}\"", utc(time))))
        }
    }
}
