//! The frames of whole recordings in memory, in the order in which a run takes them.

use std::ops::Range;
use std::path::PathBuf;

use fusewire::config::Config;
use fusewire::sources::Source;
use fusewire_core::units::Nanos;
use fusewire_io::capture::{Merge, OpenOptions, Record};

use crate::real;

/// What a replay is measured on.
#[derive(Clone, Debug)]
pub struct Recordings {
    /// Which input it is, for the tables.
    pub label: &'static str,
    /// The recordings, in the order of their symbols.
    pub sources: Vec<Source>,
}

impl Recordings {
    /// Two made-up minutes of BTCUSDT and ETHUSDT, with bursts: the sample that the program carries along.
    ///
    /// # Panics
    /// Never: the sample is part of the program.
    #[must_use]
    pub fn sample() -> Self {
        let sources = Source::expand(&[]).expect("the sample needs no file");
        Self { label: "made up", sources }
    }

    /// The USD-M recordings of BTC and ETH of one day.
    ///
    /// # Errors
    /// Why they are not there.
    pub fn real() -> Result<Self, String> {
        let paths: Vec<PathBuf> = real::recordings()?;
        let sources = Source::expand(&paths).map_err(|failure| failure.0.join(", "))?;
        Ok(Self { label: "real", sources })
    }
}

/// The frames, one after the other.
pub struct Tape {
    bytes: Vec<u8>,
    frames: Vec<Placed>,
}

struct Placed {
    recv: Nanos,
    source: usize,
    bytes: Range<usize>,
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was received.
    pub recv: Nanos,
    /// Which recording it is of.
    pub source: usize,
    /// The frame.
    pub bytes: &'a [u8],
}

impl Tape {
    /// Reads and unpacks recordings.
    ///
    /// # Errors
    /// One of them can not be read.
    pub fn load(recordings: &Recordings) -> Result<Self, String> {
        let limits = Config::default().capture_limits();
        let options = OpenOptions { limits, ..OpenOptions::default() };
        let open = |source: &Source| source.open(&options).map_err(|error| error.to_string());
        let readers = recordings.sources.iter().map(open).collect::<Result<_, _>>()?;
        let mut merge = Merge::new(readers).map_err(|error| error.to_string())?;
        let mut tape = Self { bytes: Vec::new(), frames: Vec::new() };
        while let Some(record) = merge.next().map_err(|error| error.to_string())? {
            tape.push(&record);
        }
        Ok(tape)
    }

    fn push(&mut self, record: &Record<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record.bytes);
        let bytes = start..self.bytes.len();
        self.frames.push(Placed { recv: record.recv, source: record.source, bytes });
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True without frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frames in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.iter().map(|Placed { recv, source, bytes }| {
            let bytes = &self.bytes[bytes.clone()];
            Frame { recv: *recv, source: *source, bytes }
        })
    }
}
