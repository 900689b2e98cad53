//! The composition root: it joins captures, decoder, books and strategy, and reads like the picture.
//!
//! ```text
//!  captures ─► manifest ─► universe
//!  captures ─► merge ─► feed ─► books ─► strategy
//! ```

use std::collections::BTreeMap;

use fusewire_core::book::Invalid;
use fusewire_core::books::Books;
use fusewire_core::instrument::{InstrumentId, Market, Universe};
use fusewire_io::capture::{CaptureError, Merge, OpenOptions, Reader, Record};
use fusewire_io::feed::{Context, Doubt, Feed, Malformed};
use fusewire_io::manifest::{self, FileSummary, Scanned};
use fusewire_strategies::registry::AnyStrategy;

use crate::config::Config;
use crate::outcome::Failure;
use crate::sources::Source;

pub mod universe;

/// A run that is ready to start: inputs scanned, instruments known.
pub struct Plan {
    sources: Vec<Source>,
    options: OpenOptions,
    /// What the inputs hold.
    pub scanned: Scanned,
}

/// Everything that a run leaves behind.
pub struct Run {
    /// Decoders and counts.
    pub feed: Feed,
    /// The books at the end.
    pub books: Books,
    /// The strategy at the end.
    pub strategy: AnyStrategy,
    /// Malformed frames by stream; empty name for frames that name none.
    pub stale_streams: BTreeMap<String, u64>,
    /// Lines and tails that could not be read and were passed over.
    pub damaged: u64,
}

/// Called now and then with the bytes read so far.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// Opens and scans the inputs.
///
/// # Errors
/// One line for what can not be read.
pub fn prepare(
    sources: Vec<Source>,
    options: OpenOptions,
    config: &Config,
    progress: Progress<'_>,
) -> Result<Plan, Failure> {
    // By path, so that the manifest does not depend on the command line either.
    let mut sources = sources;
    sources.sort();
    let merge = Merge::new(open(&sources, &options)?).map_err(Failure::line)?;
    let scanned =
        manifest::scan(merge, &config.manifest_options(), progress).map_err(Failure::line)?;
    let sources = in_merge_order(sources, &scanned.manifest.files);
    Ok(Plan { sources, options, scanned })
}

/// Runs the pipeline over the inputs, on this thread, each frame to its end before the next.
///
/// # Errors
/// An input changed since it was scanned and can no longer be read.
pub fn run(
    plan: &Plan,
    universe: Universe,
    config: &Config,
    mut strategy: AnyStrategy,
    progress: Progress<'_>,
) -> Result<Run, Failure> {
    let mut merge = Merge::new(open(&plan.sources, &plan.options)?).map_err(Failure::line)?;
    let files = origins(merge.readers(), plan, &universe)?;
    let mut books = Books::new(&universe, &config.books());
    let mut feed = Feed::new(universe);
    let mut stale_streams = BTreeMap::new();
    let mut damaged = 0;
    loop {
        match merge.next() {
            Ok(Some(record)) => {
                let file = &files[record.source];
                let result =
                    feed.take(record.bytes, &file.context(&record), |id, message, decoded| {
                        books.apply(id, message, decoded);
                        strategy.on_message(message);
                    });
                if let Err(malformed) = result {
                    doubt(&mut books, file, &malformed);
                    count_stale(&mut stale_streams, malformed.stream);
                }
            }
            Ok(None) => break,
            Err(error) if error.is_damage() => {
                damaged += 1;
                damage(&mut books, &files, &error);
            }
            Err(error) => return Err(Failure::line(error)),
        }
        if feed.counts().frames.is_multiple_of(PROGRESS_EVERY) {
            progress(merge.readers().iter().map(Reader::bytes_read).sum());
        }
    }
    Ok(Run { feed, books, strategy, stale_streams, damaged })
}

/// Streams that are listed as stale one by one; the rest share one entry.
const STALE_STREAMS_MAX: usize = 1_024;

fn count_stale(streams: &mut BTreeMap<String, u64>, stream: String) {
    let room = streams.len() < STALE_STREAMS_MAX || streams.contains_key(&stream);
    *streams.entry(if room { stream } else { "(other)".to_owned() }).or_default() += 1;
}

/// Frames between two progress reports.
const PROGRESS_EVERY: u64 = 4_096;

fn open(sources: &[Source], options: &OpenOptions) -> Result<Vec<Reader>, Failure> {
    sources
        .iter()
        .map(|source| source.open(options))
        .collect::<Result<_, _>>()
        .map_err(Failure::line)
}

/// Sources ordered by (market, symbol, file name), so that equal times do not depend on the command line.
fn in_merge_order(sources: Vec<Source>, files: &[FileSummary]) -> Vec<Source> {
    let key = |file: &FileSummary| {
        let name = std::path::Path::new(&file.path).file_name().map(|n| n.to_owned());
        (file.market, file.only_symbol.clone(), name, file.path.clone())
    };
    let mut paired: Vec<_> = files.iter().map(key).zip(sources).collect();
    paired.sort_by(|(a, _), (b, _)| a.cmp(b));
    paired.into_iter().map(|(_, source)| source).collect()
}

/// What an open recording says about its frames.
struct File {
    path: String,
    market: Market,
    only_symbol: Option<String>,
    /// The instruments that it feeds.
    instruments: Vec<InstrumentId>,
}

fn origins(readers: &[Reader], plan: &Plan, universe: &Universe) -> Result<Vec<File>, Failure> {
    let file = |reader: &Reader| {
        let path = reader.name().to_owned();
        let summary = plan.scanned.manifest.files.iter().find(|file| file.path == path);
        let (Some(market), Some(summary)) = (reader.market(), summary) else {
            return Err(Failure::line(format!("{path}: changed since it was scanned")));
        };
        let find = |symbol: &String| universe.find(market, symbol.as_bytes());
        let instruments = summary.symbols.iter().filter_map(find).collect();
        Ok(File { path, market, only_symbol: summary.only_symbol.clone(), instruments })
    };
    readers.iter().map(file).collect()
}

impl File {
    fn context<'a>(&'a self, record: &Record<'a>) -> Context<'a> {
        let only_symbol = self.only_symbol.as_deref();
        Context { market: self.market, origin: record.origin, only_symbol }
    }
}

/// A malformed frame may have been a change of a book: unknown is unsafe.
#[cold]
fn doubt(books: &mut Books, file: &File, malformed: &Malformed) {
    tracing::debug!(stream = malformed.stream, error = %malformed.error, "malformed frame");
    match malformed.doubt {
        Doubt::None => {}
        Doubt::One(id) => books.invalidate(id, Invalid::Malformed),
        Doubt::All => invalidate_all(books, file),
    }
}

/// A line that can not be read may have been any frame of its recording.
#[cold]
fn damage(books: &mut Books, files: &[File], error: &CaptureError) {
    tracing::debug!(%error, "damaged capture");
    for file in files.iter().filter(|file| error.file() == Some(&file.path)) {
        invalidate_all(books, file);
    }
}

fn invalidate_all(books: &mut Books, file: &File) {
    for &id in &file.instruments {
        books.invalidate(id, Invalid::Malformed);
    }
}
