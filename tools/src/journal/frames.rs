//! The frames of a journal as a feed stage, in the order in which they were recorded.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::instrument::Universe;
use fusewire_core::journal::{View, crc32c};
use fusewire_core::lane::{Decoded, FrameRef, Keep, Lane, RecordKind, decode};
use fusewire_core::message::Input;
use fusewire_core::ring::LevelsProducer;
use fusewire_io::capture::{Merge, OpenOptions, Reader};
use fusewire_io::feed::{Feed, FeedStage, Recording};

use super::header::{Header, SourceRecord};
use super::story::FrameText;
use super::text;
use crate::config::Config;
use crate::outcome::Failure;
use crate::sources::Source;

/// The feed stage over the frames of a journal: copied, or taken from the recordings that it refers to.
///
/// # Errors
/// A recording is missing or changed since, or the header does not fit it.
pub fn stage(
    view: &View,
    header: &Header,
    config: &Config,
    universe: &Universe,
    output: LevelsProducer<Input>,
) -> Result<FeedStage, Failure> {
    let readers = open(view, config)?;
    let recording = |(source, reader): (&SourceRecord, &Reader)| Recording {
        path: reader.name().to_owned(),
        market: source.market,
        only_symbol: source.only_symbol.clone(),
        instruments: source.instruments.clone(),
    };
    let recordings = header.sources.iter().zip(&readers).map(recording).collect();
    let merge = Merge::new(readers).map_err(Failure::line)?;
    let feed = Feed::new(universe.clone());
    Ok(FeedStage::new(merge, recordings, feed, output, Keep::Digest))
}

/// The recordings of a journal, in the order of their numbers.
fn open(view: &View, config: &Config) -> Result<Vec<Reader>, Failure> {
    let limits = config.capture_limits();
    let options = OpenOptions { market: None, unit: None, limits };
    let sources = Source::expand(std::slice::from_ref(&view.dir))?;
    let open = |source: &Source| source.open(&options).map_err(Failure::line);
    sources.iter().map(open).collect()
}

/// Frames with these numbers, as people read them. A recording that is gone or changed is said in the
/// place of the text.
///
/// # Errors
/// The feed lane can not be read.
pub fn texts(
    view: &View,
    header: &Header,
    wanted: impl Iterator<Item = u64>,
) -> Result<BTreeMap<u64, FrameText>, Failure> {
    let wanted: BTreeSet<u64> = wanted.filter(|frame| *frame > 0).collect();
    let names = header.names();
    let mut found = BTreeMap::new();
    let mut references = Vec::new();
    let mut reader = view.reader(Lane::Feed);
    let failed = |what: String| Failure::line(format!("{}: lane feed: {what}", view.dir.display()));
    while found.len() < wanted.len() {
        let Ok(record) = reader.next().map_err(|error| failed(error.to_string()))? else { break };
        let Some(kind) = RecordKind::from_number(record.kind) else { continue };
        let record = decode::decode(kind, record.payload);
        let (frame, recv, source, line, text) = match record.map_err(|e| failed(e.to_string()))? {
            Decoded::Frame(frame) => {
                let text = String::from_utf8_lossy(frame.bytes).into_owned();
                (frame.head.frame, frame.head.recv, frame.head.source, frame.head.line, text)
            }
            Decoded::FrameRef(frame) => {
                if wanted.contains(&frame.frame) {
                    references.push(frame);
                }
                (frame.frame, frame.recv, frame.source, frame.line, String::new())
            }
            Decoded::Damaged(d) => (d.frame, d.at, d.source, d.line, d.text.to_owned()),
            Decoded::Header(_)
            | Decoded::Event(_)
            | Decoded::Pending(_)
            | Decoded::Intent(_)
            | Decoded::Verdict(_)
            | Decoded::Sent(_)
            | Decoded::Alert(_)
            | Decoded::CancelAll { .. }
            | Decoded::Close(_) => continue,
        };
        if wanted.contains(&frame) {
            let place = format!("{}:{line}", names.source_text(source));
            found.insert(frame, FrameText { frame, place, recv: text::utc(recv), text });
        }
    }
    for reference in references {
        let text = look_up(header, &reference).unwrap_or_else(|why| format!("({why})"));
        if let Some(frame) = found.get_mut(&reference.frame) {
            frame.text = text;
        }
    }
    Ok(found)
}

/// The text of a frame in the recording that it lies in.
fn look_up(header: &Header, reference: &FrameRef) -> Result<String, String> {
    let source = header.sources.get(usize::from(reference.source)).ok_or("no such recording")?;
    let options =
        OpenOptions { market: Some(source.market), unit: source.unit, ..Default::default() };
    let mut reader = source.source()?.open(&options).map_err(|error| error.to_string())?;
    loop {
        match reader.next() {
            Ok(Some(record)) if record.line == reference.line && record.recv == reference.recv => {
                if crc32c(record.bytes) == reference.crc {
                    return Ok(String::from_utf8_lossy(record.bytes).into_owned());
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return Err(format!("{}: changed since it was recorded", source.name)),
            Err(error) if error.is_damage() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
