//! A configuration with single keys changed from outside a file, as a sweep does: through the checks that a file goes
//! through.

use toml::{Table, Value};

use super::{Config, check, decides};

/// What a key of the configuration holds, as far as a single text can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A whole number.
    Integer,
    /// A text, which may hold a decimal.
    Text,
    /// A list, which no single value stands for.
    List,
    /// None of the defaults has it: it is optional, or there is no such key.
    Other,
}

/// A configuration that others are made of.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    table: Table,
}

impl Base {
    pub(crate) fn new(config: &Config) -> Self {
        let table = config.to_toml().parse().expect("what was just written is TOML");
        Self { table }
    }

    /// What the key `section.key` holds.
    pub(crate) fn kind(&self, path: &str) -> KeyKind {
        let found =
            path.split_once('.').and_then(|(section, key)| self.table.get(section)?.get(key));
        match found {
            Some(Value::Integer(_)) => KeyKind::Integer,
            Some(Value::String(_)) => KeyKind::Text,
            Some(Value::Array(_)) => KeyKind::List,
            Some(Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_))
            | None => KeyKind::Other,
        }
    }

    /// The configuration with these keys changed. `name` stands in the faults, which are those of a file.
    ///
    /// # Errors
    /// Every fault, one line each: `NAME: what`.
    pub(crate) fn with(&self, name: &str, values: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let mut given = Table::new();
        for (path, text) in values {
            let Some((section, key)) = path.split_once('.') else {
                return Err(vec![format!("{name}: '{path}' is no key: write section.key")]);
            };
            let keys = given.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(keys) = keys {
                keys.insert(key.to_owned(), self.value(path, text));
            }
        }
        let found = check::over(&self.table, name, &given.to_string());
        found.map_err(|faults| faults.iter().map(|fault| without_line(name, fault)).collect())
    }

    /// The text as the key holds it. What does not fit is for the checks to refuse.
    fn value(&self, path: &str, text: &str) -> Value {
        let whole = || text.parse::<i64>().map(Value::Integer).ok();
        let number = match self.kind(path) {
            KeyKind::Integer | KeyKind::Other => whole(),
            KeyKind::Text | KeyKind::List => None,
        };
        number.unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

/// A fault names the line of a file, and there is none.
fn without_line(name: &str, fault: &str) -> String {
    let rest = fault.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).unwrap_or(fault);
    let (line, what) = rest.split_once(':').unwrap_or(("", rest));
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    format!("{name}: {}", if is_line { what } else { rest }.trim_start())
}

impl Config {
    /// A hash of everything that can change a decision: two runs over the same captures with the same hash are one
    /// run made twice.
    #[must_use]
    pub(crate) fn decisive_hash(&self) -> blake3::Hash {
        let value = serde_json::to_value(self);
        let value = value.expect("sections of numbers, texts and lists, a test writes every key");
        let mut hasher = blake3::Hasher::new();
        for (key, value) in super::effective::facts(value).iter().filter(|(key, _)| decides(key)) {
            hasher.update(key.as_bytes()).update(b"=").update(value.as_bytes()).update(b"\n");
        }
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        Base::new(&Config::default()).with("--grid k=v", values)
    }

    #[test]
    fn numbers_and_decimals_are_put_in_as_a_file_would() {
        let config = with(&[("quoter.half_spread_bp", "1.5"), ("clock.tick_ms", "50")]).unwrap();
        let found = Config::default().differences(&config);
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["clock.tick_ms: 100 | 50", "quoter.half_spread_bp: 1 | 1.5"]);
        // An optional key, which the defaults have only as a comment.
        assert!(with(&[("latency.new_us", "7")]).is_ok());
        assert!(with(&[("run.seed", "18446744073709551615")]).is_ok());
    }

    #[test]
    fn what_a_file_could_not_say_is_refused_under_the_given_name() {
        for (path, value, expected) in [
            (
                "quoter.half_spred_bp",
                "1",
                "--grid k=v: unknown key 'quoter.half_spred_bp', did you mean 'half_spread_bp'?",
            ),
            (
                "quotr.half_spread_bp",
                "1",
                "--grid k=v: unknown key 'quotr', did you mean 'quoter'?",
            ),
            ("seed", "1", "--grid k=v: 'seed' is no key: write section.key"),
            ("clock.tick_ms", "0", "--grid k=v: [clock] tick = 0"),
            ("clock.tick_ms", "fast", "--grid k=v: clock.tick_ms: "),
            ("quoter.half_spread_bp", "1:2", "--grid k=v: quoter.half_spread_bp: \"1:2\" is no"),
        ] {
            let faults = with(&[(path, value)]).unwrap_err();
            assert!(faults[0].starts_with(expected), "{faults:?} should start with {expected}");
        }
    }

    #[test]
    fn only_what_decides_is_in_the_hash() {
        let base = Config::default();
        let same = with(&[("journal.segment_mb", "16"), ("runner.idle", "backoff")]).unwrap();
        assert_eq!(base.decisive_hash(), same.decisive_hash());
        let other = with(&[("quoter.half_spread_bp", "1.5")]).unwrap();
        assert_ne!(base.decisive_hash(), other.decisive_hash());
    }
}
