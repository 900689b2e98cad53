//! A journal as a capture: each recording of the run that it holds is a source again.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use blake3::Hasher;
use fusewire_core::journal::{JournalError, Strand, View, segment_name};
use fusewire_core::lane::Lane;
use fusewire_io::capture::{CaptureError, JournalPart, KeptFrames, OpenOptions, Reader};

use crate::journal::header::{Content, Frames, Header, SourceRecord};
use crate::journal::reading;
use crate::outcome::Failure;

/// Journals that may stand between a source and its frames. Nobody needs many, and journals that refer to
/// each other would never end.
const NESTED_MAX: usize = 8;

/// One source of a journal, as far as the journal went when it was looked at.
#[derive(Clone, Debug)]
pub struct JournalSource {
    journal: Arc<Seen>,
    number: u16,
}

/// A journal that was looked at.
#[derive(Debug)]
struct Seen {
    /// The folder as it was given.
    dir: PathBuf,
    /// The same, canonical.
    path: PathBuf,
    view: View,
    header: Header,
    /// What the feed lane holds, once it was asked for.
    content: OnceLock<Content>,
}

impl JournalSource {
    /// The sources of the journal in a folder, in their order; `None` when the folder holds no journal.
    ///
    /// # Errors
    /// The journal can not be read, has no header, or lacks its first frames.
    pub fn all(dir: &Path) -> Result<Option<Vec<Self>>, Failure> {
        let Some(journal) = Seen::look(dir)? else { return Ok(None) };
        let journal = Arc::new(journal);
        let sources = (0..journal.header.sources.len()).map(|number| Self {
            journal: Arc::clone(&journal),
            number: u16::try_from(number).expect("a header with more than SOURCES_MAX is none"),
        });
        let sources: Vec<Self> = sources.collect();
        if sources.is_empty() {
            return Err(Failure::line(format!("{}: the journal has no sources", dir.display())));
        }
        Ok(Some(sources))
    }

    /// The source of that number of the journal in a folder.
    ///
    /// # Errors
    /// There is no such journal or source, or as of `all`.
    pub fn of(dir: &Path, number: u16) -> Result<Self, String> {
        let journal = Seen::look(dir).map_err(|Failure(lines)| lines.join("; "))?;
        let journal = journal.ok_or_else(|| format!("{}: no journal", dir.display()))?;
        let count = journal.header.sources.len();
        if usize::from(number) >= count {
            return Err(format!("{}: source {number} of {count}", dir.display()));
        }
        Ok(Self { journal: Arc::new(journal), number })
    }

    /// Its number in the journal.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The canonical folder of the journal.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.journal.path
    }

    /// Bytes of the feed lane.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.journal.view.lane(Lane::Feed).bytes
    }

    /// Opens it at its first frame. `depth` counts the journals that refer to it.
    ///
    /// # Errors
    /// The recording that the journal refers to can not be opened.
    pub(super) fn open(&self, options: &OpenOptions, depth: usize) -> Result<Reader, CaptureError> {
        let frames = match self.journal.header.frames {
            Frames::Copy => KeptFrames::Copied,
            Frames::Reference => KeptFrames::Referred(Box::new(self.original(options, depth)?)),
        };
        let lane = self.journal.view.reader(Lane::Feed);
        Ok(Reader::from_journal(self.part(), lane, frames, options.limits))
    }

    /// Length and hash of the feed lane: its segments one behind the other, up to the last record.
    ///
    /// # Errors
    /// A segment can not be read.
    pub fn content(&self) -> io::Result<Content> {
        if let Some(known) = self.journal.content.get() {
            return Ok(*known);
        }
        let found = self.journal.read_content()?;
        Ok(*self.journal.content.get_or_init(|| found))
    }

    fn record(&self) -> &SourceRecord {
        &self.journal.header.sources[usize::from(self.number)]
    }

    /// The folder and the name that the recording had: its last part is that of the recording, so that
    /// sources sort as they did.
    fn name(&self) -> String {
        format!("{}/{}", self.journal.dir.display(), self.record().name)
    }

    fn part(&self) -> JournalPart {
        let Seen { path, view, header, .. } = &*self.journal;
        let record = self.record();
        let damage: Vec<String> = view.damage.iter().map(ToString::to_string).collect();
        JournalPart {
            dir: path.clone(),
            source: self.number,
            sources: header.sources.len(),
            name: self.name(),
            market: record.market,
            only_symbol: record.only_symbol.clone(),
            bytes: self.bytes(),
            damage: (!damage.is_empty()).then(|| damage.join("; ")),
        }
    }

    /// The recording that the journal refers to, opened as it was then.
    fn original(&self, options: &OpenOptions, depth: usize) -> Result<Reader, CaptureError> {
        let record = self.record();
        let failed = |reason| CaptureError::Journal { file: self.name(), reason };
        if depth >= NESTED_MAX {
            return Err(failed(format!("more than {NESTED_MAX} journals refer to each other")));
        }
        let source = record.source().map_err(failed)?;
        let options =
            OpenOptions { market: Some(record.market), unit: record.unit, limits: options.limits };
        source
            .open_within(&options, depth + 1)
            .map_err(|error| CaptureError::Original { file: self.name(), error: Box::new(error) })
    }
}

impl Seen {
    fn look(dir: &Path) -> Result<Option<Self>, Failure> {
        let view = match View::open(dir) {
            Ok(view) => view,
            Err(JournalError::NoJournal { .. }) => return Ok(None),
            Err(error) => return Err(Failure::line(error)),
        };
        let line = |what: &str| Failure::line(format!("{}: {what}", dir.display()));
        let header = reading::header(&view).map_err(|failure| match view.damage.first() {
            // It says more than that there is no header.
            Some(damage) => line(&damage.to_string()),
            None => failure,
        });
        let (header, _) = header?;
        if view.lane(Lane::Feed).first > 1 {
            return Err(line("retention dropped the first frames, a replay needs them all"));
        }
        let path = dir.canonicalize().map_err(|error| line(&error.to_string()))?;
        let dir = dir.components().collect();
        Ok(Some(Self { dir, path, view, header, content: OnceLock::new() }))
    }

    fn read_content(&self) -> io::Result<Content> {
        let lane = self.view.lane(Lane::Feed);
        let mut hasher = Hasher::new();
        for index in lane.first..=lane.end.segment() {
            let file = File::open(self.path.join(segment_name(Strand::Lane(Lane::Feed), index)))?;
            let used =
                if index == lane.end.segment() { u64::from(lane.end.offset()) } else { u64::MAX };
            hasher.update_reader(file.take(used))?;
        }
        Ok(Content { bytes: hasher.count(), blake3: hasher.finalize() })
    }
}

/// By journal and number.
impl Ord for JournalSource {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path().cmp(other.path()).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for JournalSource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for JournalSource {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for JournalSource {}
