//! `[[universe.life]]`: from when until when a symbol existed.

use std::time::UNIX_EPOCH;

use fusewire_core::instrument::Life;
use fusewire_core::units::Nanos;
use serde::{Deserialize, Serialize};

/// One symbol. What is not said is what the instrument's source says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LifeEntry {
    /// Report key.
    pub key: String,
    /// When it was listed, as `2020-09-10T07:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<String>,
    /// When it was delisted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delisted: Option<String>,
}

impl LifeEntry {
    /// What the section says over what is known already.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn over(&self, known: Life) -> Result<Life, String> {
        let listed = time("listed", self.listed.as_ref())?.or(known.listed);
        let delisted = time("delisted", self.delisted.as_ref())?.or(known.delisted);
        let holds = listed.zip(delisted).is_none_or(|(listed, delisted)| listed < delisted);
        if !holds {
            return Err(format!("delisted: {} ends before it begins", self.key));
        }
        Ok(Life { listed, delisted })
    }
}

fn time(field: &str, text: Option<&String>) -> Result<Option<Nanos>, String> {
    let Some(text) = text else { return Ok(None) };
    let nanos = humantime::parse_rfc3339(text)
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| u64::try_from(since.as_nanos()).ok());
    let wrong = || format!("{field}: '{text}' is no time, as 2020-09-10T07:00:00Z");
    nanos.map(|nanos| Some(Nanos(nanos))).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s0_31_a_life_is_read_over_what_is_known() {
        let entry = |listed: Option<&str>, delisted: Option<&str>| LifeEntry {
            key: "LUNAUSDT".to_owned(),
            listed: listed.map(str::to_owned),
            delisted: delisted.map(str::to_owned),
        };
        let known = Life { listed: Some(Nanos(7)), delisted: None };
        let end = "2022-05-13T00:00:00Z";
        let at = Nanos(1_652_400_000 * Nanos::SECOND);
        let read = entry(None, Some(end)).over(known).unwrap();
        assert_eq!(read, Life { listed: Some(Nanos(7)), delisted: Some(at) });
        assert_eq!(entry(None, None).over(known), Ok(known));
        let odd = entry(Some("yesterday"), None).over(known).unwrap_err();
        assert_eq!(odd, "listed: 'yesterday' is no time, as 2020-09-10T07:00:00Z");
        let turned = entry(Some(end), Some("2021-01-01T00:00:00Z")).over(known).unwrap_err();
        assert_eq!(turned, "delisted: LUNAUSDT ends before it begins");
    }
}
