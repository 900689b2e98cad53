//! A recording as a header names it: so exactly that its frames can be taken from it again.

use std::fs::File;
use std::io;
use std::path::Path;

use blake3::{Hash, Hasher};
use fusewire_core::instrument::{InstrumentId, Market};
use fusewire_io::capture::{Format, Reader, Unit};
use fusewire_io::feed::Recording;
use serde::{Deserialize, Serialize};

use super::named::{self, ids, optional, present};
use crate::outcome::Failure;
use crate::sources::{SAMPLE_NAME, Source};

/// One recording. The embedded sample is no file: its name tells it, and `path`, `bytes` and `blake3` are
/// not there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRecord {
    /// Name in reports and errors: the path as it was given.
    pub name: String,
    /// Canonical path.
    #[serde(deserialize_with = "present")]
    pub path: Option<String>,
    /// Market of its frames.
    #[serde(with = "named")]
    pub market: Market,
    /// How it is laid out.
    #[serde(with = "layout")]
    pub format: Format,
    /// Unit of a collector's receive times.
    #[serde(with = "optional")]
    pub unit: Option<Unit>,
    /// The only symbol, which its bare snapshots are of.
    #[serde(deserialize_with = "present")]
    pub only_symbol: Option<String>,
    /// The instruments that it feeds.
    #[serde(with = "ids")]
    pub instruments: Vec<InstrumentId>,
    /// Length of the file as it is, compressed or not.
    #[serde(deserialize_with = "present")]
    pub bytes: Option<u64>,
    /// BLAKE3 of these bytes.
    #[serde(with = "optional")]
    pub blake3: Option<Hash>,
}

impl SourceRecord {
    /// A source, opened, with what its manifest says.
    ///
    /// # Errors
    /// The file can not be read, or its path is no text.
    pub(super) fn new(
        source: &Source,
        reader: &Reader,
        recording: &Recording,
    ) -> Result<Self, Failure> {
        let file = match source {
            Source::File(path) => Some(file(path)?),
            Source::Sample => None,
        };
        let (path, content) = file.unzip();
        Ok(Self {
            name: reader.name().to_owned(),
            path,
            market: recording.market,
            format: reader.format(),
            unit: reader.unit(),
            only_symbol: recording.only_symbol.clone(),
            instruments: recording.instruments.clone(),
            bytes: content.map(|content| content.bytes),
            blake3: content.map(|content| content.blake3),
        })
    }

    /// What to open to read the recording again.
    ///
    /// # Errors
    /// It is neither a file nor the embedded sample.
    pub fn source(&self) -> Result<Source, String> {
        match &self.path {
            Some(path) => Ok(Source::File(path.into())),
            None if self.name == SAMPLE_NAME => Ok(Source::Sample),
            None => Err(format!("{}: neither a file nor the {SAMPLE_NAME}", self.name)),
        }
    }

    /// Whether the file still is what it was; reads all of it. The embedded sample is part of the build.
    ///
    /// # Errors
    /// It can not be read, or it is another one by now.
    pub fn unchanged(&self) -> Result<(), String> {
        let (Some(path), Some(bytes), Some(blake3)) = (&self.path, self.bytes, self.blake3) else {
            return Ok(());
        };
        let found = content_hash(Path::new(path)).map_err(|error| format!("{path}: {error}"))?;
        if found.bytes != bytes {
            let length = found.bytes;
            return Err(format!("{path}: changed since the run, {bytes} bytes then, {length} now"));
        }
        if found.blake3 != blake3 {
            return Err(format!("{path}: changed since the run, its content is another one"));
        }
        Ok(())
    }

    /// What the types can not say.
    pub(super) fn check(&self) -> Result<(), String> {
        match (&self.path, self.bytes, self.blake3) {
            (None, None, None) => self.source().map(drop),
            (Some(path), Some(_), Some(_)) if Path::new(path).is_absolute() => Ok(()),
            (Some(path), Some(_), Some(_)) => Err(format!("path \"{path}\" is not absolute")),
            _ => Err("path, bytes and blake3 go together".to_owned()),
        }
    }
}

/// Canonical path and content of a recording.
fn file(path: &Path) -> Result<(String, Content), Failure> {
    let failed = |error: io::Error| Failure::line(format!("{}: {error}", path.display()));
    let whole = path.canonicalize().map_err(failed)?;
    let Some(text) = whole.to_str() else {
        let shown = path.display();
        return Err(Failure::line(format!(
            "{shown}: a journal can not name this path, which is no UTF-8"
        )));
    };
    Ok((text.to_owned(), content_hash(&whole).map_err(failed)?))
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Length.
    pub bytes: u64,
    /// Hash of all of it.
    pub blake3: Hash,
}

/// Length and hash of a file, as it is on disk.
///
/// # Errors
/// It can not be read.
pub fn content_hash(path: &Path) -> io::Result<Content> {
    let mut hasher = Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(Content { bytes: hasher.count(), blake3: hasher.finalize() })
}

/// Layouts by the names that manifests use.
mod layout {
    use fusewire_io::capture::Format;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const ALL: [Format; 3] = [Format::Collector, Format::CryptofeedJson, Format::CryptofeedText];

    const fn name(format: Format) -> &'static str {
        match format {
            Format::Collector => "collector",
            Format::CryptofeedJson => "cryptofeed-json",
            Format::CryptofeedText => "cryptofeed-text",
        }
    }

    pub(super) fn serialize<S: Serializer>(
        format: &Format,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name(*format))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Format, D::Error> {
        let given = String::deserialize(deserializer)?;
        let found = ALL.into_iter().find(|format| name(*format) == given);
        found.ok_or_else(|| D::Error::custom(format!("unknown format of recordings '{given}'")))
    }
}
