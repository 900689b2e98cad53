//! What lies between the files of an import: times that two of them tell, and bars that none tells.

use fusewire_core::market::Kind;
use fusewire_core::units::Nanos;

use super::Options;
use super::error::ImportError;
use super::facts::Gap;
use super::staging::DoneFile;
use super::time::interval_name;

/// What one file tells of one stream.
struct Part {
    key: String,
    first: u64,
    last: u64,
    /// Number of the file.
    file: usize,
}

/// The parts of all files, those of one stream behind each other in the order of time.
fn parts(done: &[DoneFile]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (file, one) in done.iter().enumerate() {
        let streams = one.input.facts.streams.iter();
        parts.extend(streams.map(|(key, stream)| {
            let (first, last) = (stream.first_ns, stream.last_ns);
            Part { key: key.clone(), first, last, file }
        }));
    }
    parts.sort_unstable_by(|a, b| {
        (&a.key, a.first, a.last, a.file).cmp(&(&b.key, b.first, b.last, b.file))
    });
    parts
}

/// No two files may tell the same time of one stream: a day that is given twice would count double.
///
/// # Errors
/// Two do.
pub(super) fn refuse_overlaps(done: &[DoneFile]) -> Result<(), ImportError> {
    for pair in parts(done).windows(2) {
        let [before, part] = pair else { continue };
        let key = &part.key;
        let [one, two] = [before, part].map(|part| &done[part.file].input);
        // Bars of the mark price are told as marks.
        let are_bars = one.facts.bar_s.is_some() && two.facts.bar_s.is_some();
        // Where several may be equal, one file may end and the next begin in the same moment.
        let is_again = if is_rising(key) || are_bars {
            part.first <= before.last
        } else {
            part.first < before.last
        };
        if *key == before.key && is_again {
            let what = format!("holds {key} of times that {} holds too", one.file);
            return Err(ImportError::of_file(&two.file, what));
        }
    }
    Ok(())
}

/// Bars that are missing between two files are missing as those within one.
///
/// # Errors
/// Some are, and nobody allowed it, or the bars of two files do not lie on one grid.
pub(super) fn gaps(done: &mut [DoneFile], options: &Options) -> Result<(), ImportError> {
    for pair in parts(done).windows(2) {
        let [before, part] = pair else { continue };
        let [one, two] = [before, part].map(|part| &done[part.file].input);
        // Marks are told without their length: only those of one length follow each other.
        let Some(length) = two.facts.bar_s.filter(|s| Some(*s) == one.facts.bar_s) else {
            continue;
        };
        if part.key != before.key {
            continue;
        }
        let symbol = part.key.split(' ').next().unwrap_or_default().to_owned();
        let (apart, length) = (part.first - before.last, Nanos(length * Nanos::SECOND));
        if !apart.is_multiple_of(length.0) {
            let what = format!(
                "its bars of {symbol} do not lie a whole number of {} behind those of {} (X18)",
                interval_name(length),
                one.file
            );
            return Err(ImportError::of_file(&two.file, what));
        }
        let bars = (apart / length.0).saturating_sub(1);
        if bars == 0 {
            continue;
        }
        if !options.allow_gaps {
            let what = format!(
                "{bars} bars of {symbol} are missing between {} and it: pass --allow-gaps to go on without",
                one.file
            );
            return Err(ImportError::of_file(&two.file, what));
        }
        let gap = Gap { symbol, line: 0, bars, behind: Some(one.file.clone()) };
        done[part.file].input.facts.gap(gap);
    }
    Ok(())
}

/// True for streams of which no two messages, or no two looks at a book, have one time.
fn is_rising(stream: &str) -> bool {
    let kind = stream.rsplit(' ').next().unwrap_or_default();
    [Kind::Kline, Kind::Funding, Kind::OpenInterest, Kind::DepthBand]
        .iter()
        .any(|rising| kind.starts_with(rising.name()))
}
