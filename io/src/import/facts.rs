//! What was found in one history file: its streams with their spans, and what was passed over.

use std::collections::BTreeMap;

use fusewire_core::units::Nanos;
use serde::{Deserialize, Serialize};

/// Gaps that are listed one by one.
pub(super) const GAPS_MAX: usize = 64;

/// One kind of message of one symbol in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// When its first message was known, in ns since 1970.
    pub first_ns: u64,
    /// When its last message was known.
    pub last_ns: u64,
    /// Messages.
    pub rows: u64,
}

/// Bars that are missing between two others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The symbol.
    pub symbol: String,
    /// Line of the bar behind it; 0 where that is the first of its symbol in the file.
    pub line: u64,
    /// How many bars are missing.
    pub bars: u64,
    /// The file in front of it, where it lies between two files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
}

/// What was found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Streams by `SYMBOL kind`.
    pub streams: BTreeMap<String, Stream>,
    /// Rows of other markets, venues or symbols than asked for.
    pub skipped: u64,
    /// Numbers with more places than there are here, which were rounded.
    pub rounded: u64,
    /// Forced orders without an average price, which count at their limit.
    pub averages_unknown: u64,
    /// Length of the bars in seconds, as read from the data.
    pub bar_s: Option<u64>,
    /// Gaps in bars: those that are listed.
    pub gaps: Vec<Gap>,
    /// Bars missing in all.
    pub bars_missing: u64,
    /// Ids missing between others, where the exchange numbers without holes: trades that are not in the file.
    pub ids_missing: u64,
    /// Rows that stood behind a later one of their symbol and were put in order.
    pub rows_moved: u64,
    /// Rows of a repaired file that are told later than their time, as their ids say that they came behind later ones.
    pub rows_raised: u64,
    /// Rows that stood there once more, with the same content, and were taken once.
    pub rows_repeated: u64,
}

impl Facts {
    /// Counts a message of a stream that was known at `at`.
    pub(super) fn count(&mut self, symbol: &str, kind: &str, at: Nanos) {
        let key = key(symbol, kind);
        let new = Stream { first_ns: at.0, last_ns: at.0, rows: 0 };
        let stream = self.streams.entry(key).or_insert(new);
        stream.rows += 1;
        stream.last_ns = stream.last_ns.max(at.0);
        stream.first_ns = stream.first_ns.min(at.0);
    }

    /// Counts bars that are missing.
    pub(super) fn gap(&mut self, gap: Gap) {
        self.bars_missing += gap.bars;
        if self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
        }
    }

    /// All rows that became messages.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.streams.values().map(|stream| stream.rows).sum()
    }
}

/// The name of a stream.
pub(super) fn key(symbol: &str, kind: &str) -> String {
    format!("{symbol} {kind}")
}
