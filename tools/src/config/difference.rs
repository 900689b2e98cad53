//! What differs between two documents, key by key, and whether it can have changed a decision.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// One key with two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key with its sections: `limits_default.collar_bp`.
    pub key: String,
    /// The value on one side, `-` where there is none.
    pub left: String,
    /// The value on the other side, likewise.
    pub right: String,
    /// Decisions can depend on it. Where a journal lies and how large its files are changes none.
    pub decides: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, left, right, decides } = self;
        let note = if *decides { "" } else { " (decides nothing)" };
        write!(f, "{key}: {left} | {right}{note}")
    }
}

/// What stands for no value.
const ABSENT: &str = "-";

/// The values of a document by their keys.
pub(crate) type Facts = BTreeMap<String, String>;

/// Adds all values of a document, whose keys begin with `prefix`.
pub(crate) fn gather(prefix: &str, value: &Value, facts: &mut Facts) {
    let mut put = |text: String| {
        facts.insert(prefix.to_owned(), text);
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if prefix.is_empty() { "" } else { "." };
                gather(&format!("{prefix}{dot}{name}"), value, facts);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            for (index, value) in entries.iter().enumerate() {
                gather(&format!("{prefix}[{index}]"), value, facts);
            }
        }
        Value::Null => put(ABSENT.to_owned()),
        Value::String(text) => put(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => put(value.to_string()),
    }
}

/// Names the entries of a list by market and symbol, so that one more or less does not shift the others.
pub(crate) fn by_symbol(list: Option<&mut Value>) {
    let Some(list) = list else { return };
    let Value::Array(entries) = list else { return };
    if !entries.iter().all(Value::is_object) {
        return;
    }
    let text = |entry: &Value, key: &str| {
        entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let named = |entry: &mut Value| {
        (format!("{}:{}", text(entry, "market"), text(entry, "symbol")), entry.take())
    };
    *list = Value::Object(entries.iter_mut().map(named).collect());
}

/// What differs, by key.
pub(crate) fn compare(
    left: &Facts,
    right: &Facts,
    decides: impl Fn(&str) -> bool,
) -> Vec<Difference> {
    let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
    keys.sort();
    keys.dedup();
    let text = |facts: &Facts, key: &str| facts.get(key).map_or(ABSENT, String::as_str).to_owned();
    let difference = |key: &String| {
        let (left, right) = (text(left, key), text(right, key));
        (left != right).then(|| Difference { key: key.clone(), left, right, decides: decides(key) })
    };
    keys.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(mut left: Value, mut right: Value) -> Vec<String> {
        let facts = |value: &mut Value| {
            let mut facts = Facts::new();
            by_symbol(value.get_mut("list"));
            gather("", value, &mut facts);
            facts
        };
        let found = compare(&facts(&mut left), &facts(&mut right), |key| key != "a.idle");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_key_that_differs_is_named_with_both_values() {
        let left =
            json!({"a": {"b": "1", "same": 2, "idle": [1]}, "rows": [{"x": null}, {"x": true}]});
        let right = json!({"a": {"b": "2", "same": 2, "idle": []}, "rows": [{"x": 1.5}]});
        assert_eq!(
            differences(left.clone(), right),
            [
                "a.b: 1 | 2",
                "a.idle: [1] | [] (decides nothing)",
                "rows[0].x: - | 1.5",
                "rows[1].x: true | -",
            ]
        );
        assert!(differences(left.clone(), left).is_empty());
    }

    #[test]
    fn entries_are_compared_by_their_symbol_whatever_their_place() {
        let entry = |market: &str, symbol: &str, tick: &str| json!({"market": market, "symbol": symbol, "tick": tick});
        let left = json!({"list": [entry("usdm", "A", "1"), entry("spot", "A", "2")]});
        let right = json!({"list": [entry("spot", "A", "3"), entry("usdm", "A", "1")]});
        assert_eq!(differences(left, right), ["list.spot:A.tick: 2 | 3"]);
    }

    #[test]
    fn what_is_no_list_of_entries_is_compared_as_it_is() {
        assert_eq!(differences(json!({"list": 1}), json!({"list": [7]})).len(), 1);
    }
}
