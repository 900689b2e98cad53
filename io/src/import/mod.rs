//! Importers: public history files become tapes.
//!
//! ```text
//!  files ─► table (csv, gzip, zstd, zip) ─► klines | history | depth | trades | tardis ─► sink ─► sort ─► tape
//!  recordings ──────────────────────────────────────────────────────► recorded ───────────────► tape
//! ```
//!
//! Nothing is known before it could be: a bar at its end, a charge when it was charged. A row that is wrong ends the
//! import with its line; nothing half-made is left.

use std::cell::OnceCell;
use std::path::Path;

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;

mod between;
mod charges;
mod depth;
mod error;
mod facts;
mod history;
mod job;
mod kind;
mod klines;
mod length;
mod manifest;
mod number;
mod recorded;
mod repair;
mod rows;
mod sink;
mod sort;
mod staging;
mod table;
mod tardis;
#[cfg(test)]
mod tests;
mod time;
mod trades;
mod unpack;
mod whose;

pub use error::ImportError;
pub use facts::{Facts, Gap, Stream};
pub use job::{Import, import};
pub use kind::DataType;
pub use manifest::{Imported, Input, MANIFEST_NAME, Tape};
pub use time::interval;

use repair::Repaired;

/// Where history files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The exchange's own public files.
    BinanceVision,
    /// The CSV files of Tardis.
    Tardis,
    /// Recordings of frames.
    Collector,
    /// Tables of candles.
    Klines,
    /// Tables of funding charges.
    Funding,
    /// Tables of open interest.
    OpenInterest,
    /// Tables of forced orders.
    Liquidations,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::BinanceVision,
        Self::Tardis,
        Self::Collector,
        Self::Klines,
        Self::Funding,
        Self::OpenInterest,
        Self::Liquidations,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BinanceVision => "binance-vision",
            Self::Tardis => "tardis",
            Self::Collector => "collector",
            Self::Klines => "klines",
            Self::Funding => "funding",
            Self::OpenInterest => "open-interest",
            Self::Liquidations => "liquidations",
        }
    }
}

/// What the caller knows of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Market of the symbols.
    pub market: Option<Market>,
    /// The symbol: of a file that names none, or the only one that is wanted.
    pub symbol: Option<String>,
    /// The venue that is wanted of several.
    pub venue: Option<String>,
    /// What the files hold, by the name of the format.
    pub data_type: Option<String>,
    /// Length of the bars, to be compared with the data.
    pub interval: Option<Nanos>,
    /// Go on when bars are missing.
    pub allow_gaps: bool,
    /// Put rows in the order of time, and take those that stand there twice once.
    pub repair: bool,
    /// Added to each time, in ns: minus the offset of the files' time zone.
    pub shift_ns: i64,
}

/// Which prices candles are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prices {
    Traded,
    Mark,
}

/// One file that is to be read.
struct FileJob<'a> {
    path: &'a Path,
    market: Market,
    prices: Prices,
    options: &'a Options,
    /// Where an import puts what it needs meanwhile.
    folder: &'a Path,
    /// The file with its rows in order, once it was asked for.
    repaired: OnceCell<Repaired>,
}
