//! The capture itself: the lines of all symbols in order of arrival.

use std::io::{self, Read, Write};

use fusewire_core::market::{Kind, Level};

use super::market::Market;
use super::{Options, SynthError};

/// A synthetic capture, made line by line. Memory does not grow with its length.
pub struct Synth {
    markets: Vec<Market>,
}

/// What the generator itself holds of an instrument. A correct client has the same book once it has
/// read the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Best bid.
    pub bid: Level,
    /// Best ask.
    pub ask: Level,
    /// Number of bid levels.
    pub bid_levels: usize,
    /// Number of ask levels.
    pub ask_levels: usize,
    /// Frames by kind, indexed by `Kind as usize`.
    pub frames: [u64; Kind::ALL.len()],
}

impl Synth {
    /// Prepares a capture.
    ///
    /// # Errors
    /// Options out of bounds.
    pub fn new(options: &Options) -> Result<Self, SynthError> {
        options.validate().map_err(SynthError::Options)?;
        let market = |instrument| {
            Market::new(options, instrument)
                .ok_or_else(|| SynthError::Options(format!("{}: no tick size", instrument.symbol)))
        };
        let markets = options.instruments.iter().map(market).collect::<Result<_, _>>()?;
        Ok(Self { markets })
    }

    /// Appends one line, `<receive time in ns> <frame>\n`; false at the end, with nothing appended.
    pub fn next_line(&mut self, out: &mut Vec<u8>) -> bool {
        let mut first = None;
        for (index, market) in self.markets.iter_mut().enumerate() {
            if let Some(receive) = market.next() {
                first = first.into_iter().chain([(receive, index)]).min();
            }
        }
        let line = first.and_then(|(_, index)| self.markets[index].take_line());
        let Some(arrival) = line else { return false };
        // A `Vec` takes every byte: there is no error to report.
        let _ = write!(out, "{} ", arrival.receive.0);
        out.extend_from_slice(&arrival.frame);
        out.push(b'\n');
        true
    }

    /// The truth about an instrument, by its place in the options. It is ahead of the lines taken so
    /// far; read it after the last one.
    ///
    /// # Panics
    /// When the options had no such instrument.
    #[must_use]
    pub fn truth(&self, index: usize) -> Truth {
        self.markets[index].truth()
    }

    #[cfg(test)]
    pub(super) fn market(&self, index: usize) -> &Market {
        &self.markets[index]
    }
}

/// A synthetic capture as a stream of bytes.
pub struct SynthReader {
    synth: Synth,
    line: Vec<u8>,
    read: usize,
}

impl SynthReader {
    /// Reads all lines that are left.
    #[must_use]
    pub const fn new(synth: Synth) -> Self {
        Self { synth, line: Vec::new(), read: 0 }
    }
}

impl Read for SynthReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.line.len() {
            self.line.clear();
            self.read = 0;
            self.synth.next_line(&mut self.line);
        }
        let count = (&self.line[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}
