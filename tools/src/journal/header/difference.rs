//! What two runs differ in before their first event.

use fusewire_io::manifest::utc;
use serde_json::Value;

use super::Header;
use crate::config::Difference;
use crate::config::difference::{Facts, by_symbol, compare, gather};
use crate::config::effective;

/// Keys of the document that are not compared: those that every header has of its own, and those that its
/// configuration says once more.
const NOT_COMPARED: [&str; 5] = ["format", "created", "config", "profile", "account"];
/// Keys of the configuration that the header says better: by seat, and without the blanks of a list.
const SAID_ABOVE: [&str; 2] = ["run.seed", "run.strategy"];
/// Keys of the document that no decision depends on.
const IDLE_KEYS: [&str; 2] = ["frames", "allow_broken"];

impl Header {
    /// What differs from the header of another run: program, seed, strategies, recordings, instruments and
    /// every key of the configuration. When it was made does not count.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        compare(&self.facts(), &other.facts(), decides)
    }

    fn facts(&self) -> Facts {
        let mut facts = self.config_facts();
        let mut document =
            serde_json::to_value(self).expect("keys are texts and every number is whole");
        if let Value::Object(fields) = &mut document {
            fields.retain(|key, _| !NOT_COMPARED.contains(&key.as_str()));
            fields.insert("first_recv".to_owned(), Value::String(utc(self.first_recv)));
            number(fields.get_mut("instruments"));
            by_symbol(fields.get_mut("instruments"));
        }
        gather("", &document, &mut facts);
        facts
    }

    /// Whatever the configuration says: another build may have had other keys.
    fn config_facts(&self) -> Facts {
        match toml::from_str::<Value>(&self.config) {
            Ok(config) => {
                let mut facts = effective::facts(config);
                facts.retain(|key, _| !SAID_ABOVE.contains(&key.as_str()));
                facts
            }
            Err(_) => Facts::from([("config".to_owned(), self.config.clone())]),
        }
    }
}

/// Says at each instrument which one it is: its place is its number.
fn number(instruments: Option<&mut Value>) {
    let entries = instruments.and_then(Value::as_array_mut).into_iter().flatten();
    for (number, entry) in entries.enumerate() {
        if let Value::Object(fields) = entry {
            fields.insert("number".to_owned(), number.into());
        }
    }
}

/// Whether decisions can depend on a key. Where a recording lies does not matter when its content is the same.
fn decides(key: &str) -> bool {
    let place = key.starts_with("sources[") && (key.ends_with(".name") || key.ends_with(".path"));
    !place && !IDLE_KEYS.contains(&key) && effective::decides(key)
}
