//! What a sweep is: inputs, configuration and what is varied. Its folder keeps it, so that nobody goes on with another
//! one by mistake.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::VERSION;
use crate::config::Config;
use crate::config::difference::{Facts, compare, gather};
use crate::config::{decides, effective};
use crate::journal::header::content_hash;
use crate::outcome::Failure;
use crate::sources::{SAMPLE_NAME, Source};

use super::axis::{Axis, Range};

/// The guard's section: it decides nothing in a run, and what is said of its result.
const GUARD: &str = "credibility.";

/// A recording by its content, wherever it lies.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct CaptureId {
    /// Name of the file or of the journal's folder, without the folders above it.
    pub name: String,
    /// Length; none of the embedded sample, which belongs to the build.
    pub bytes: Option<u64>,
    /// BLAKE3 of the content, likewise.
    pub blake3: Option<String>,
}

impl CaptureId {
    /// Reads the whole recording for its hash.
    ///
    /// # Errors
    /// It can not be read.
    pub fn of(source: &Source) -> Result<Self, Failure> {
        let (path, number, content) = match source {
            Source::Sample => {
                let name = SAMPLE_NAME.to_owned();
                return Ok(Self { name, bytes: None, blake3: None });
            }
            Source::File(path) => (path.as_path(), None, content_hash(path)),
            Source::Journal(journal) => (journal.path(), Some(journal.number()), journal.content()),
        };
        let content =
            content.map_err(|error| Failure::line(format!("{}: {error}", path.display())))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let name = number.map_or_else(|| name.to_string(), |number| format!("{name}#{number}"));
        let blake3 = content.blake3.to_hex().to_string();
        Ok(Self { name, bytes: Some(content.bytes), blake3: Some(blake3) })
    }
}

/// Everything that decides what a sweep's results are. How many jobs work on it and how its table is written decide
/// nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Version and commit of the program: results of two builds do not belong into one table.
    pub build: String,
    /// The recordings in merge order.
    pub captures: Vec<CaptureId>,
    /// Unit of receive times, as the command line says; none when the recordings say it themselves.
    pub unit: Option<String>,
    /// Report keys of the symbols.
    pub symbols: Vec<String>,
    /// BLAKE3 of all fields of their instruments.
    pub instruments: String,
    /// The configuration that trials change, by key, as far as it can change a decision or the guard's verdict.
    pub config: BTreeMap<String, String>,
    /// The grid.
    pub grid: Vec<Axis>,
    /// Ranges that values are drawn from.
    pub random: Vec<Range>,
    /// Draws.
    pub draws: u64,
    /// Seed of the draws.
    pub seed: u64,
    /// Period of returns, in seconds of event time.
    pub period_s: u32,
}

impl Definition {
    /// What of the configuration can change a row of the table.
    #[must_use]
    pub fn config_of(config: &Config) -> BTreeMap<String, String> {
        let value = serde_json::to_value(config);
        let value = value.expect("sections of numbers, texts and lists, a test writes every key");
        let shows = |key: &str| decides(key) || key.starts_with(GUARD);
        effective::facts(value).into_iter().filter(|(key, _)| shows(key)).collect()
    }

    /// The build of this program.
    #[must_use]
    pub fn this_build() -> String {
        VERSION.to_owned()
    }

    /// A hash that tells sweeps apart in a registry.
    #[must_use]
    pub fn id(&self) -> String {
        blake3::hash(self.json().as_bytes()).to_hex().to_string()
    }

    /// A hash that tells inputs apart.
    #[must_use]
    pub fn captures_id(&self) -> String {
        captures_id(&self.captures, self.unit.as_deref(), &self.symbols, &self.instruments)
    }

    /// Keeps the definition in a file; of a file that is there it must be the same one.
    ///
    /// # Errors
    /// The file holds another definition, one line for each difference, or none; or it can not be written.
    pub fn keep(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::line(format!("{}: {error}", path.display()));
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.write(path).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        };
        let found: Self = serde_json::from_slice(&text).map_err(|error| {
            Failure::line(format!("{}: no definition of a sweep: {error}", path.display()))
        })?;
        if found == *self {
            return Ok(());
        }
        let head = format!("{}: another sweep: choose another --out", path.display());
        let differences = compare(&found.facts(), &self.facts(), |_| true);
        let lines = differences.iter().map(|d| format!("{} was {}, is {}", d.key, d.left, d.right));
        Err(Failure([head].into_iter().chain(lines).collect()))
    }

    /// Whole or not at all.
    fn write(&self, path: &Path) -> io::Result<()> {
        let partial = path.with_extension("partial");
        let mut file = fs::File::create(&partial)?;
        file.write_all(self.json().as_bytes())?;
        file.sync_all()?;
        fs::rename(partial, path)
    }

    fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers") + "\n"
    }

    fn facts(&self) -> Facts {
        let mut value = serde_json::to_value(self).expect("texts and numbers");
        // A key of the configuration has a dot of its own.
        let config = value["config"].take();
        let mut facts = Facts::new();
        gather("", &value, &mut facts);
        facts.remove("config");
        for (key, value) in config.as_object().into_iter().flatten() {
            facts.insert(
                key.clone(),
                value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            );
        }
        facts
    }
}

/// A hash that tells inputs apart: recordings, unit of receive times, symbols and their instruments, see [`Definition`].
#[must_use]
pub fn captures_id(
    captures: &[CaptureId],
    unit: Option<&str>,
    symbols: &[String],
    instruments: &str,
) -> String {
    let inputs = serde_json::to_vec(&(captures, unit, symbols, instruments));
    blake3::hash(&inputs.expect("texts and numbers")).to_hex().to_string()
}

/// BLAKE3 of instruments, all fields.
#[must_use]
pub(crate) fn instruments_hash(instruments: &[fusewire_core::instrument::Instrument]) -> String {
    let fields: Vec<Value> =
        instruments.iter().map(|one| Value::from(format!("{one:?}"))).collect();
    blake3::hash(Value::from(fields).to_string().as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition {
            build: "0.1.0 (abc)".to_owned(),
            captures: vec![CaptureId::of(&Source::Sample).unwrap()],
            unit: None,
            symbols: vec!["BTCUSDT".to_owned()],
            instruments: instruments_hash(&[]),
            config: Definition::config_of(&Config::default()),
            grid: vec!["quoter.half_spread_bp=1,2".parse().unwrap()],
            random: vec!["quoter.skew_bp=log:1..4".parse().unwrap()],
            draws: 3,
            seed: 1,
            period_s: 60,
        }
    }

    #[test]
    fn the_same_definition_goes_on_and_another_one_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.json");
        assert_eq!(definition().keep(&path), Ok(()));
        assert_eq!(definition().keep(&path), Ok(()));
        let mut other = definition();
        other.draws = 4;
        other.grid[0].values.push("3".to_owned());
        other.config.insert("run.seed".to_owned(), "43".to_owned());
        let mut config = Config::default();
        config.credibility.wins_only_min = 31;
        other.config.extend(
            Definition::config_of(&config).into_iter().filter(|(key, _)| key.starts_with(GUARD)),
        );
        let Failure(lines) = other.keep(&path).unwrap_err();
        assert!(lines[0].ends_with("another sweep: choose another --out"), "{lines:?}");
        assert_eq!(
            lines[1..],
            [
                "credibility.wins_only_min was 30, is 31",
                "draws was 3, is 4",
                r#"grid[0].values was ["1","2"], is ["1","2","3"]"#,
                "run.seed was 42, is 43",
            ]
        );
        assert_ne!(other.id(), definition().id());
        assert_eq!(other.captures_id(), definition().captures_id());
        other.unit = Some("us".to_owned());
        assert_ne!(other.captures_id(), definition().captures_id(), "other times are other inputs");
    }

    #[test]
    fn a_file_that_is_no_definition_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.json");
        fs::write(&path, "{}").unwrap();
        let Failure(lines) = definition().keep(&path).unwrap_err();
        assert!(lines[0].contains("no definition of a sweep"), "{lines:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn a_recording_is_known_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            CaptureId::of(&Source::File(path)).unwrap()
        };
        let first = of("a", "x");
        assert_eq!((first.name.as_str(), first.bytes), ("a", Some(1)));
        assert_ne!(of("a", "y").blake3, first.blake3);
        assert!(CaptureId::of(&Source::File(folder.path().join("gone"))).is_err());
    }
}
