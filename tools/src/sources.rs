//! What a replay reads: files, folders and journals as given, or the embedded sample.

use std::path::{Path, PathBuf};

use fusewire_core::instrument::{Market, common};
use fusewire_io::capture::{CaptureError, OpenOptions, Reader};
use fusewire_io::synth::{Options, Scenario, Synth, SynthReader};

use crate::outcome::Failure;

mod journal;

pub use journal::JournalSource;

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The synthetic capture that the program carries along.
    Sample,
    /// What a run was given by one of its recordings.
    Journal(JournalSource),
}

/// Name of the embedded sample in reports.
pub const SAMPLE_NAME: &str = "embedded sample";

impl Source {
    /// The sources of a command line: the folder of a journal stands for its sources, another folder for the
    /// files in it, nothing for the sample.
    ///
    /// # Errors
    /// A path that is neither a file, nor a folder of files, nor a journal that can be read.
    pub fn expand(paths: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        if paths.is_empty() {
            return Ok(vec![Self::Sample]);
        }
        let mut sources = Vec::new();
        for path in paths {
            let failed = |error| Failure::line(format!("{}: {error}", path.display()));
            let kind = std::fs::metadata(path).map_err(failed)?.file_type();
            if kind.is_dir() {
                sources.extend(Self::of_folder(path)?);
            } else if kind.is_file() {
                sources.push(Self::File(path.clone()));
            } else {
                return Err(Failure::line(format!(
                    "{}: not a regular file: a replay reads its captures twice, so save it first",
                    path.display()
                )));
            }
        }
        Ok(sources)
    }

    /// Opens the recording at its start. Market and unit of a journal are those that it recorded.
    ///
    /// # Errors
    /// As of [`Reader::open`].
    pub fn open(&self, options: &OpenOptions) -> Result<Reader, CaptureError> {
        self.open_within(options, 0)
    }

    /// The same, for a journal that is `depth` journals away from what was given.
    fn open_within(&self, options: &OpenOptions, depth: usize) -> Result<Reader, CaptureError> {
        match self {
            Self::Journal(source) => source.open(options, depth),
            Self::File(path) => Reader::open(path, options),
            Self::Sample => {
                let synth = Synth::new(&sample_options())
                    .expect("the sample's options are constants, a test runs them");
                let sample = SynthReader::new(synth);
                let options = OpenOptions { market: Some(Market::UsdM), ..*options };
                Reader::from_read(SAMPLE_NAME, Box::new(sample), &options)
            }
        }
    }

    /// Bytes on disk, for the progress bar.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
            Self::Sample => 0,
            Self::Journal(source) => source.bytes(),
        }
    }

    fn of_folder(folder: &Path) -> Result<Vec<Self>, Failure> {
        match JournalSource::all(folder)? {
            Some(sources) => Ok(sources.into_iter().map(Self::Journal).collect()),
            None => Ok(files_of(folder)?.into_iter().map(Self::File).collect()),
        }
    }
}

/// The embedded sample: what `fusewire synth burst --symbols BTCUSDT,ETHUSDT` writes.
fn sample_options() -> Options {
    let instruments = ["BTCUSDT", "ETHUSDT"].into_iter();
    Options {
        scenario: Scenario::Burst,
        instruments: instruments.filter_map(|symbol| common(Market::UsdM, symbol)).collect(),
        ..Options::default()
    }
}

/// The captures in a folder, by name. Sidecars, hidden and half-written files are none.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::line(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let skipped = name.is_none_or(|n| {
            n.starts_with('.') || n.ends_with(".manifest.json") || n.ends_with(".partial")
        });
        if path.is_file() && !skipped {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::line(format!("{}: the folder holds no files", folder.display())));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_path_means_the_sample() {
        assert_eq!(Source::expand(&[]).unwrap(), [Source::Sample]);
        assert_eq!(Source::Sample.size(), 0);
        let reader = Source::Sample.open(&OpenOptions::default()).unwrap();
        assert_eq!((reader.name(), reader.market()), (SAMPLE_NAME, Some(Market::UsdM)));
    }

    #[test]
    fn a_folder_stands_for_its_captures_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b", "a", ".hidden", "a.manifest.json"] {
            fs::write(path(name), "12345").unwrap();
        }
        fs::create_dir(path("c")).unwrap();
        let given = [path("b"), folder.path().to_owned()];
        let expected = ["b", "a", "b"].map(|name| Source::File(path(name)));
        assert_eq!(Source::expand(&given).unwrap(), expected);
        assert_eq!((expected[0].size(), Source::File(path("gone")).size()), (5, 0));
    }

    #[test]
    fn what_holds_no_captures_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: PathBuf| format!("{:?}", Source::expand(&[path]).unwrap_err());
        let empty = error(folder.path().to_owned());
        assert!(empty.contains("the folder holds no files"), "{empty}");
        let gone = error(folder.path().join("gone"));
        assert!(gone.contains("gone: "), "{gone}");
        let device = error("/dev/null".into());
        assert!(device.contains("/dev/null: not a regular file"), "{device}");
    }
}
