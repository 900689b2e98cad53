//! What a run is to read: recordings, scanned and in order, and the tapes that stand in for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fusewire_core::units::Nanos;
use fusewire_io::capture::{CaptureError, Merge, OpenOptions, Reader};
use fusewire_io::manifest::{self, FileSummary, Scanned};

use super::Progress;
use crate::config::Config;
use crate::outcome::Failure;
use crate::sources::Source;

/// A run that is ready to start: inputs scanned, instruments known.
pub struct Plan {
    planned: Vec<Planned>,
    pub(super) options: OpenOptions,
    /// What the inputs hold.
    pub scanned: Scanned,
    /// Set to end the run between two frames, in order.
    pub stop: Arc<AtomicBool>,
    /// Take no frame received later than this, as if the capture ended before it.
    pub until: Option<Nanos>,
    /// Have all frames in memory before the first one goes, whatever the runner: no reading in a run's time.
    pub in_memory: bool,
}

/// A recording of a plan.
pub struct Planned {
    source: Source,
    /// What the scan calls it.
    name: String,
    /// Where its frames are read instead, decoded.
    tape: Option<PathBuf>,
}

impl Planned {
    /// The recording itself.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the scan calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its frames, from wherever they are read.
    pub(super) fn open(&self, options: &OpenOptions) -> Result<Reader, CaptureError> {
        match &self.tape {
            Some(tape) => Reader::open_in_place_of(self.name.clone(), tape),
            None => self.source.open(options),
        }
    }
}

impl Plan {
    /// The inputs in merge order.
    #[must_use]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    /// The recordings in merge order.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.planned.iter().map(Planned::source)
    }

    /// Opens a recording itself, as it was scanned.
    ///
    /// # Errors
    /// As of [`Source::open`].
    pub fn open_recording(&self, planned: &Planned) -> Result<Reader, CaptureError> {
        planned.source.open(&self.options)
    }

    /// What the scan found in a recording.
    #[must_use]
    pub fn summary(&self, planned: &Planned) -> Option<&FileSummary> {
        self.scanned.manifest.files.iter().find(|file| file.path == planned.name)
    }

    /// Reads a recording from its tape from here on: by its place in merge order. Such a run keeps no journal, which
    /// would name lines that are none of the recording.
    ///
    /// # Panics
    /// There is no such recording.
    pub fn read_from(&mut self, place: usize, tape: &Path) {
        self.planned[place].tape = Some(tape.to_owned());
    }

    /// True when a tape stands in for any of the recordings.
    pub(super) fn has_tapes(&self) -> bool {
        self.planned.iter().any(|planned| planned.tape.is_some())
    }
}

/// Recordings for each core up to which every one is unpacked by a thread of its own: of more of them, as of days that
/// follow each other, few are read at a time, and the others' threads and buffers would wait for their day.
const AHEAD_PER_CORE: usize = 4;

/// Opens and scans the inputs, on this thread alone.
///
/// # Errors
/// One line for what can not be read.
pub fn prepare(
    sources: Vec<Source>,
    options: OpenOptions,
    config: &Config,
    progress: Progress<'_>,
) -> Result<Plan, Failure> {
    prepare_on(1, sources, options, config, progress)
}

/// The same where `cores` may be used: with more than one, recordings are unpacked by threads of their own if they are few.
///
/// # Errors
/// As of `prepare`.
pub fn prepare_on(
    cores: usize,
    sources: Vec<Source>,
    options: OpenOptions,
    config: &Config,
    progress: Progress<'_>,
) -> Result<Plan, Failure> {
    // By path, so that the manifest does not depend on the command line either.
    let mut sources = sources;
    sources.sort();
    let is_ahead = cores > 1 && sources.len() <= cores.saturating_mul(AHEAD_PER_CORE);
    let open = |source: &Source| {
        let reader = source.open(&options)?;
        if is_ahead { reader.unpacking_ahead() } else { Ok(reader) }
    };
    let readers = sources.iter().map(open).collect::<Result<_, _>>();
    let merge = Merge::new(readers.map_err(Failure::line)?).map_err(Failure::line)?;
    let scanned =
        manifest::scan(merge, &config.manifest_options(), progress).map_err(Failure::line)?;
    let planned = in_merge_order(sources, &scanned.manifest.files);
    Ok(Plan { planned, options, scanned, stop: Arc::default(), until: None, in_memory: false })
}

/// Sources ordered by (market, symbol, file name), so that equal times do not depend on the command line.
fn in_merge_order(sources: Vec<Source>, files: &[FileSummary]) -> Vec<Planned> {
    let key = |file: &FileSummary| {
        let name = Path::new(&file.path).file_name().map(|n| n.to_owned());
        (file.market, file.only_symbol.clone(), name, file.path.clone())
    };
    let mut paired: Vec<_> = files.iter().map(key).zip(sources).collect();
    paired.sort_by(|(a, _), (b, _)| a.cmp(b));
    let planned =
        paired.into_iter().map(|((.., name), source)| Planned { source, name, tape: None });
    planned.collect()
}
