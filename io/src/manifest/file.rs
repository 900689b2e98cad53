//! One recording of a capture.

use std::collections::BTreeSet;

use fusewire_core::instrument::Market;
use fusewire_core::units::Nanos;
use serde::Serialize;

use super::offset::{OffsetSummary, Offsets};
use super::time::{millis, utc};
use crate::capture::{Format, JournalPart, Reader, Record};

/// What one recording holds.
#[derive(Clone, Debug, Serialize)]
pub struct FileSummary {
    /// Path as given.
    pub path: String,
    /// Layout of its lines.
    pub format: &'static str,
    /// Market of its frames.
    pub market: &'static str,
    /// Frames, REST answers included.
    pub frames: u64,
    /// Depth snapshots.
    pub snapshots: u64,
    /// First receive time, UTC.
    pub first: String,
    /// Last receive time, UTC.
    pub last: String,
    /// Frames with a receive time before their predecessor's.
    pub out_of_order: u64,
    /// How far the worst of them lay back, in ms.
    pub out_of_order_worst_ms: u64,
    /// Receive time minus event time, in ms.
    pub clock_offset_ms: Option<OffsetSummary>,
    /// Symbols with streams of their own in it.
    pub symbols: Vec<String>,
    /// The symbol of its bare snapshots: the only one with depth frames, or the only one at all.
    pub only_symbol: Option<String>,
}

/// The same, while it is being counted.
pub(super) struct FileScan {
    path: String,
    format: Format,
    pub(super) market: Market,
    frames: u64,
    first: Option<Nanos>,
    last: Nanos,
    out_of_order: u64,
    worst: u64,
    pub(super) offsets: Offsets,
    pub(super) symbols: BTreeSet<String>,
    pub(super) depth_symbols: BTreeSet<String>,
    pub(super) snapshots: u64,
    /// Snapshots that name no symbol, and when the last one came.
    pub(super) bare: Option<Bare>,
    /// What a journal knows of it.
    recorded: Option<JournalPart>,
}

/// Snapshots without a symbol in one recording.
#[derive(Clone, Copy)]
pub(super) struct Bare {
    pub(super) count: u64,
    pub(super) line: u64,
    pub(super) last: Nanos,
}

impl FileScan {
    pub(super) fn new(reader: &Reader, market: Market) -> Self {
        Self {
            path: reader.name().to_owned(),
            format: reader.format(),
            market,
            frames: 0,
            first: None,
            last: Nanos(0),
            out_of_order: 0,
            worst: 0,
            offsets: Offsets::default(),
            symbols: BTreeSet::new(),
            depth_symbols: BTreeSet::new(),
            snapshots: 0,
            bare: None,
            recorded: reader.part().cloned(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn record(&mut self, record: &Record<'_>) {
        self.frames += 1;
        self.first.get_or_insert(record.recv);
        if record.recv < self.last {
            self.out_of_order += 1;
            self.worst = self.worst.max(self.last.0 - record.recv.0);
        }
        self.last = self.last.max(record.recv);
    }

    pub(super) fn bare_snapshot(&mut self, record: &Record<'_>) {
        let bare = self.bare.get_or_insert(Bare { count: 0, line: record.line, last: record.recv });
        bare.count += 1;
        bare.last = record.recv;
    }

    pub(super) fn out_of_order(&self) -> Option<(u64, u64)> {
        (self.out_of_order > 0).then_some((self.out_of_order, millis(self.worst)))
    }

    pub(super) fn only_symbol(&self) -> Option<&String> {
        if let Some(recorded) = &self.recorded {
            return recorded.only_symbol.as_ref();
        }
        let sole = |set: &BTreeSet<String>| set.len() == 1;
        let found = if sole(&self.depth_symbols) {
            &self.depth_symbols
        } else if self.depth_symbols.is_empty() && sole(&self.symbols) {
            &self.symbols
        } else {
            return None;
        };
        found.first()
    }

    pub(super) fn summary(&self) -> FileSummary {
        FileSummary {
            path: self.path.clone(),
            format: match self.format {
                Format::Collector => "collector",
                Format::CryptofeedJson => "cryptofeed-json",
                Format::CryptofeedText => "cryptofeed-text",
                Format::Journal => "journal",
                Format::Tape => "tape",
            },
            market: self.market.name(),
            frames: self.frames,
            snapshots: self.snapshots,
            first: self.first.map(utc).unwrap_or_default(),
            last: self.first.map(|_| utc(self.last)).unwrap_or_default(),
            out_of_order: self.out_of_order,
            out_of_order_worst_ms: millis(self.worst),
            clock_offset_ms: self.offsets.summary(),
            symbols: self.symbols.iter().cloned().collect(),
            only_symbol: self.only_symbol().cloned(),
        }
    }
}
