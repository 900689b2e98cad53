//! The frames of a journal as a feed stage, in the order in which they were recorded.

use fusewire_core::instrument::Universe;
use fusewire_core::journal::View;
use fusewire_core::lane::Keep;
use fusewire_core::message::Input;
use fusewire_core::ring::LevelsProducer;
use fusewire_io::capture::{Merge, OpenOptions, Reader};
use fusewire_io::feed::{Feed, FeedStage, Recording};

use super::header::{Header, SourceRecord};
use crate::config::Config;
use crate::outcome::Failure;

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
    let readers = open(view, header, config)?;
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

fn open(view: &View, header: &Header, config: &Config) -> Result<Vec<Reader>, Failure> {
    let _ = view;
    let open = |record: &SourceRecord| {
        let limits = config.capture_limits();
        let options = OpenOptions { market: Some(record.market), unit: record.unit, limits };
        record.source().map_err(Failure::line)?.open(&options).map_err(Failure::line)
    };
    header.sources.iter().map(open).collect()
}
