//! Figures on the page: every value of the JSON report by its pointer, and nothing else.

use std::fmt::Write;

use serde_json::Value;

use super::escape;

/// Shown for a value that is not known.
const UNKNOWN: &str = "–";

/// The report's values.
pub(super) struct Figures {
    value: Value,
}

impl Figures {
    pub(super) fn new(value: Value) -> Self {
        Self { value }
    }

    /// The value at a pointer, as an element that names the pointer.
    pub(super) fn at(&self, pointer: &str) -> String {
        let value = self.value.pointer(pointer).unwrap_or(&Value::Null);
        element(pointer, value)
    }

    /// The keys of an object, in their order; none of anything else.
    pub(super) fn keys(&self, pointer: &str) -> Vec<&str> {
        let object = self.value.pointer(pointer).and_then(Value::as_object);
        object.map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// How many entries a list has.
    pub(super) fn len(&self, pointer: &str) -> usize {
        self.value.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// A table with a row for each key of an object and a column for each field of its values.
    pub(super) fn table(&self, pointer: &str, first: &str, fields: &[&str]) -> String {
        let mut out = head(&[&[first], fields].concat());
        for key in self.keys(pointer) {
            let row = format!("{pointer}/{}", token(key));
            self.row(&mut out, &escape(key), &row, fields);
        }
        out + "</tbody></table>\n"
    }

    /// One row of a table: a name, then these fields of the object at a pointer.
    pub(super) fn row(&self, out: &mut String, name: &str, pointer: &str, fields: &[&str]) {
        let _ = write!(out, "<tr><th>{name}</th>");
        for field in fields {
            let _ = write!(out, "<td>{}</td>", self.at(&format!("{pointer}/{field}")));
        }
        out.push_str("</tr>\n");
    }

    /// Every value of the report, in the order of its pointers.
    pub(super) fn all(&self) -> String {
        let mut out = head(&["value", ""]);
        leaves("", &self.value, &mut |pointer, value| {
            let name = escape(pointer.trim_start_matches('/'));
            let _ = writeln!(out, "<tr><th>{name}</th><td>{}</td></tr>", element(pointer, value));
        });
        out + "</tbody></table>\n"
    }
}

/// The head of a table.
pub(super) fn head(columns: &[&str]) -> String {
    let mut out = "<table><thead><tr>".to_owned();
    for column in columns {
        let _ = write!(out, "<th>{}</th>", escape(&column.replace('_', " ")));
    }
    out + "</tr></thead><tbody>\n"
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(super) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn element(pointer: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => UNKNOWN.to_owned(),
        Value::String(text) => escape(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        // An empty list or object is a value as well.
        Value::Array(_) | Value::Object(_) => escape(&value.to_string()),
    };
    format!("<data data-key=\"{}\">{text}</data>", escape(pointer))
}

fn leaves(pointer: &str, value: &Value, take: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                leaves(&format!("{pointer}/{}", token(key)), value, take);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (at, value) in list.iter().enumerate() {
                leaves(&format!("{pointer}/{at}"), value, take);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => take(pointer, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_leaf_has_its_pointer_and_nothing_is_markup() {
        let figures = Figures::new(json!({"a": {"b/c": 1.5}, "d": [null, "<x>"], "e": {}}));
        let all = figures.all();
        for element in [
            "<data data-key=\"/a/b~1c\">1.5</data>",
            "<data data-key=\"/d/0\">–</data>",
            "<data data-key=\"/d/1\">&lt;x&gt;</data>",
            "<data data-key=\"/e\">{}</data>",
        ] {
            assert!(all.contains(element), "{element} in {all}");
        }
        assert_eq!(all.matches("<data").count(), 4);
        assert_eq!(figures.at("/nothing"), "<data data-key=\"/nothing\">–</data>");
        assert_eq!((figures.keys("/a"), figures.len("/d"), figures.len("/a")), (vec!["b/c"], 2, 0));
    }
}
