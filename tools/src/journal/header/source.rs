//! A recording as a header names it: so exactly that its frames can be taken from it again.

use std::fs::File;
use std::io;
use std::path::Path;

use blake3::{Hash, Hasher};
use fusewire_core::instrument::{InstrumentId, Market};
use fusewire_io::capture::{Format, Reader, Unit};
use fusewire_io::feed::Recording;
use serde::{Deserialize, Serialize};

use super::Frames;
use super::named::{self, ids, optional, present};
use crate::outcome::Failure;
use crate::sources::{JournalSource, SAMPLE_NAME, Source};

/// One recording. The embedded sample is no file: its name tells it, and `path`, `bytes` and `blake3` are
/// not there. Of a journal that was replayed `path` is the folder, `in_journal` the number of the recording
/// in it, and the content that of its feed lane. Where frames are copied nobody has to find the recording
/// again, and `path` is not there: such a journal may go to machines where it would mean nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRecord {
    /// Name in reports and errors: the path as it was given.
    pub name: String,
    /// Canonical path; none where frames are copied.
    #[serde(deserialize_with = "present")]
    pub path: Option<String>,
    /// Number of the source in the journal at `path`; none when that is a file.
    #[serde(deserialize_with = "present")]
    pub in_journal: Option<u16>,
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
        frames: Frames,
    ) -> Result<Self, Failure> {
        let file = match source {
            Source::File(path) => Some(file(path)?),
            Source::Sample => None,
            Source::Journal(source) => Some(journal(source)?),
        };
        let (path, content) = file.unzip();
        Ok(Self {
            name: reader.name().to_owned(),
            path: path.filter(|_| frames == Frames::Reference),
            in_journal: match source {
                Source::Journal(source) => Some(source.number()),
                Source::File(_) | Source::Sample => None,
            },
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
    /// It is neither a file nor the embedded sample, its frames were copied, or its journal can not be read. A
    /// journal is looked at as a whole.
    pub fn source(&self) -> Result<Source, String> {
        match (&self.path, self.in_journal) {
            (Some(path), None) => Ok(Source::File(path.into())),
            (Some(path), Some(number)) => {
                JournalSource::of(Path::new(path), number).map(Source::Journal)
            }
            (None, None) if self.name == SAMPLE_NAME => Ok(Source::Sample),
            (None, _) => Err(format!("{}: neither a file nor the {SAMPLE_NAME}", self.name)),
        }
    }

    /// Whether the file still is what it was; reads all of it. The embedded sample is part of the build, and of
    /// a recording whose frames were copied nothing says where it is.
    ///
    /// # Errors
    /// It can not be read, or it is another one by now.
    pub fn unchanged(&self) -> Result<(), String> {
        let (Some(path), Some(bytes), Some(blake3)) = (&self.path, self.bytes, self.blake3) else {
            return Ok(());
        };
        let found = match self.in_journal {
            None => content_hash(Path::new(path)),
            Some(number) => JournalSource::of(Path::new(path), number)?.content(),
        };
        let found = found.map_err(|error| format!("{path}: {error}"))?;
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
    pub(super) fn check(&self, frames: Frames) -> Result<(), String> {
        if (self.format == Format::Journal) != self.in_journal.is_some() {
            return Err("in_journal goes with the format of a journal".to_owned());
        }
        match (&self.path, self.bytes, self.blake3) {
            (None, None, None) => self.source().map(drop),
            (None, Some(_), Some(_)) if frames == Frames::Copy => Ok(()),
            (Some(_), ..) if frames == Frames::Copy => {
                Err("there is a path, and frames are copies".to_owned())
            }
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
    Ok((text(&whole)?, content_hash(&whole).map_err(failed)?))
}

/// Canonical folder and content of a journal.
fn journal(source: &JournalSource) -> Result<(String, Content), Failure> {
    let path = source.path();
    let failed = |error: io::Error| Failure::line(format!("{}: {error}", path.display()));
    Ok((text(path)?, source.content().map_err(failed)?))
}

fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let shown = path.display();
        Failure::line(format!("{shown}: a journal can not name this path, which is no UTF-8"))
    })
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

    const ALL: [Format; 5] = [
        Format::Collector,
        Format::CryptofeedJson,
        Format::CryptofeedText,
        Format::Journal,
        Format::Tape,
    ];

    const fn name(format: Format) -> &'static str {
        match format {
            Format::Collector => "collector",
            Format::CryptofeedJson => "cryptofeed-json",
            Format::CryptofeedText => "cryptofeed-text",
            Format::Journal => "journal",
            Format::Tape => "tape",
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
