//! The pass itself: one record after another into files, symbols and findings.

use std::collections::BTreeMap;

use fusewire_core::instrument::{Market, report_key};
use fusewire_core::market::{Body, Decoded, Message};
use fusewire_core::units::Nanos;

use super::file::FileScan;
use super::joints::Joints;
use super::problem::Problem;
use super::symbol::SymbolScan;
use super::time::{millis, utc};
use super::{Manifest, ManifestOptions, Scanned, Silence, Silences};
use crate::capture::{CaptureError, Origin, Reader, Record};
use crate::decode::Decoder;
use crate::exchange_info::ExchangeInfo;
use crate::feed::{Context, IgnoredCounts, is_depth, is_exchange_info, symbol_of};

/// Stream names that are counted apart; the rest share one entry.
const STREAMS_MAX: usize = 8_192;
/// Symbols that are counted; more of them are a finding.
const SYMBOLS_MAX: usize = 4_096;
/// Silences and malformed frames that are listed one by one.
const LISTED_MAX: usize = 20;

/// A scan under way.
pub(super) struct Scan {
    options: ManifestOptions,
    files: Vec<FileScan>,
    symbols: BTreeMap<(Market, String), SymbolScan>,
    joints: BTreeMap<(Market, String), Joints>,
    streams: BTreeMap<String, u64>,
    decoders: [Decoder; 3],
    decoded: Decoded,
    frames: u64,
    span: Option<(Nanos, Nanos)>,
    silences: Silences,
    ignored: IgnoredCounts,
    malformed: u64,
    damaged: u64,
    exchange_info: BTreeMap<Market, ExchangeInfo>,
    problems: Vec<Problem>,
    symbols_left_out: u64,
}

impl Scan {
    pub(super) fn new(readers: &[Reader], options: ManifestOptions) -> Result<Self, CaptureError> {
        let file = |reader: &Reader| {
            let market = reader
                .market()
                .ok_or_else(|| CaptureError::NoMarket { file: reader.name().to_owned() })?;
            Ok(FileScan::new(reader, market))
        };
        Ok(Self {
            options,
            files: readers.iter().map(file).collect::<Result<_, _>>()?,
            symbols: BTreeMap::new(),
            joints: BTreeMap::new(),
            streams: BTreeMap::new(),
            decoders: [Market::UsdM, Market::CoinM, Market::Spot].map(Decoder::new),
            decoded: Decoded::default(),
            frames: 0,
            span: None,
            silences: Silences::default(),
            ignored: IgnoredCounts::default(),
            malformed: 0,
            damaged: 0,
            exchange_info: BTreeMap::new(),
            problems: Vec::new(),
            symbols_left_out: 0,
        })
    }

    pub(super) fn record(&mut self, record: &Record<'_>) {
        self.frames += 1;
        self.files[record.source].record(record);
        self.clock(record.recv);
        let market = self.files[record.source].market;
        if let Origin::Rest { url } = record.origin {
            self.count_stream("(rest)");
            if is_exchange_info(url) {
                return self.instruments(record, market);
            }
            if !is_depth(url) {
                return;
            }
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        let result = self.decoders[market as usize].decode(record.bytes, &mut decoded);
        if record.origin == Origin::Stream {
            let stream = decoded.stream.of(record.bytes);
            self.count_stream(if stream.is_empty() {
                "(raw)"
            } else {
                std::str::from_utf8(stream).unwrap_or("(not UTF-8)")
            });
        }
        match result {
            Ok(()) => self.messages(record, market, &decoded),
            Err(error) => {
                self.fault(
                    format!("{}:{}", self.files[record.source].path(), record.line),
                    &error.to_string(),
                );
            }
        }
        self.decoded = decoded;
    }

    /// A recording that is cut short or corrupt, or a line that is no record.
    pub(super) fn damage(&mut self, error: &CaptureError) {
        self.damaged += 1;
        if self.damaged > LISTED_MAX as u64 {
            return;
        }
        self.problems.push(Problem::broken(
            if matches!(error, CaptureError::Truncated { .. }) { "truncated" } else { "damaged" },
            "capture",
            error.to_string(),
            "fetch or record it again, or pass --allow-broken to use what can be read",
        ));
    }

    fn fault(&mut self, place: String, error: &str) {
        self.malformed += 1;
        if self.malformed <= LISTED_MAX as u64 {
            self.problems.push(Problem::broken(
                "malformed",
                place,
                format!("malformed frame: {error}"),
                "record it again, or pass --allow-broken: the frame is skipped and the book that it \
                 may have changed waits for its next snapshot",
            ));
        }
    }

    fn clock(&mut self, received: Nanos) {
        let Some((_, last)) = self.span.as_mut() else {
            self.span = Some((received, received));
            return;
        };
        let silence = received.0.saturating_sub(last.0);
        let before = *last;
        *last = received.max(before);
        self.silences.longest_ms = self.silences.longest_ms.max(millis(silence));
        if silence > self.options.gap_max.0 {
            self.silences.count += 1;
            if self.silences.list.len() < LISTED_MAX {
                self.silences.list.push(Silence { after: utc(before), ms: millis(silence) });
            }
        }
    }

    fn count_stream(&mut self, name: &str) {
        if let Some(count) = self.streams.get_mut(name) {
            *count += 1;
            return;
        }
        let name = if self.streams.len() < STREAMS_MAX { name } else { "(other)" };
        *self.streams.entry(name.to_owned()).or_default() += 1;
    }

    fn instruments(&mut self, record: &Record<'_>, market: Market) {
        match ExchangeInfo::parse(&mut record.bytes.to_vec(), market) {
            Ok(info) => drop(self.exchange_info.insert(market, info)),
            Err(error) => self.problems.push(Problem::note(
                "exchange-info",
                format!("{}:{}", self.files[record.source].path(), record.line),
                error.to_string(),
                "instruments come from the other sources",
            )),
        }
    }

    fn messages(&mut self, record: &Record<'_>, market: Market, decoded: &Decoded) {
        for why in &decoded.ignored {
            self.ignored.add(*why);
        }
        let all_market = decoded.stream.of(record.bytes).starts_with(b"!");
        for message in &decoded.messages {
            let file = &mut self.files[record.source];
            if let Some(event) = message.body.times().event
                && record.origin == Origin::Stream
                && !matches!(message.body, Body::Snapshot(_))
            {
                file.offsets.add(record.recv, event);
            }
            let context = Context { market, origin: record.origin, only_symbol: None };
            match symbol_of(record.bytes, decoded, message, &context) {
                Some(symbol) => self.message(record, message, market, &symbol, all_market),
                None if matches!(message.body, Body::Snapshot(_)) => file.bare_snapshot(record),
                None => {
                    let place = format!("{}:{}", file.path(), record.line);
                    self.fault(place, "nothing names its symbol");
                }
            }
        }
    }

    fn message(
        &mut self,
        record: &Record<'_>,
        message: &Message,
        market: Market,
        symbol: &str,
        all_market: bool,
    ) {
        let file = &mut self.files[record.source];
        file.snapshots += u64::from(matches!(message.body, Body::Snapshot(_)));
        let known = self.symbols.contains_key(&(market, symbol.to_owned()));
        if !known && self.symbols.len() >= SYMBOLS_MAX {
            self.symbols_left_out += 1;
            return;
        }
        if !all_market && !file.symbols.contains(symbol) {
            file.symbols.insert(symbol.to_owned());
        }
        if matches!(message.body, Body::Depth(_)) && !file.depth_symbols.contains(symbol) {
            file.depth_symbols.insert(symbol.to_owned());
        }
        let entry = self
            .symbols
            .entry((market, symbol.to_owned()))
            .or_insert_with(|| SymbolScan::new(market, symbol.to_owned()));
        entry.own_streams |= !all_market;
        if matches!(message.body, Body::Depth(_) | Body::Snapshot(_)) {
            let joints = self.joints.entry((market, symbol.to_owned())).or_default();
            entry.message(&joints.chained(market, message), record.recv);
        } else {
            entry.message(message, record.recv);
        }
    }

    pub(super) fn finish(mut self) -> Scanned {
        self.attribute_bare_snapshots();
        self.findings();
        let (first, last) = self.span.unwrap_or_default();
        let mut files: Vec<_> = self.files.iter().map(FileScan::summary).collect();
        for (file, scan) in files.iter_mut().zip(&self.files) {
            file.snapshots += scan.bare.map_or(0, |bare| bare.count);
        }
        let symbols = self.symbols.iter();
        let manifest = Manifest {
            complete: !self.problems.iter().any(|p| p.severity == super::Severity::Broken),
            frames: self.frames,
            first: utc(first),
            first_recv: first,
            last: utc(last),
            last_recv: last,
            span_s: millis(last.0 - first.0) as f64 / 1e3,
            files,
            streams: self.streams,
            symbols: symbols
                .map(|((market, symbol), scan)| (report_key(*market, symbol), scan.summary()))
                .collect(),
            silences: self.silences,
            malformed: self.malformed,
            ignored: self.ignored.into(),
            problems: self.problems,
        };
        Scanned { manifest, exchange_info: self.exchange_info }
    }

    /// A bare snapshot belongs to the only symbol of its file, which is known at the file's end.
    fn attribute_bare_snapshots(&mut self) {
        for file in &self.files {
            let Some(bare) = file.bare else { continue };
            let only = file.only_symbol().cloned();
            if let Some(scan) = only.and_then(|symbol| self.symbols.get_mut(&(file.market, symbol)))
            {
                scan.bare_snapshots(bare.count, bare.last);
                continue;
            }
            self.problems.push(Problem::broken(
                "mixed-symbols",
                format!("{}:{}", file.path(), bare.line),
                format!(
                    "a snapshot names no symbol, and the file holds {} symbols with depth frames",
                    file.depth_symbols.len()
                ),
                "keep one symbol a file, or wrap snapshots as {\"stream\":\"<symbol>@depthSnapshot\",\
                 \"data\":…}",
            ));
        }
    }

    fn findings(&mut self) {
        if self.symbols.is_empty() {
            self.problems.push(Problem::broken(
                "nothing",
                "capture",
                format!(
                    "none of its {} frames is a market message that Fusewire reads",
                    self.frames
                ),
                "give a recording of Binance market streams",
            ));
        }
        for ((market, symbol), scan) in &self.symbols {
            self.problems.extend(scan.problems(&report_key(*market, symbol)));
        }
        for file in &self.files {
            self.problems.extend(file_findings(file, &self.options));
        }
        for (code, count, what) in [
            ("malformed", self.malformed, "malformed frames"),
            ("damaged", self.damaged, "unreadable lines and tails"),
        ] {
            if count > LISTED_MAX as u64 {
                let message = format!("{count} {what} in all, the first {LISTED_MAX} are listed");
                self.problems.push(Problem::broken(code, "capture", message, "record it again"));
            }
        }
        if self.symbols_left_out > 0 {
            self.problems.push(Problem::broken(
                "too-many-symbols",
                "capture",
                format!("more than {SYMBOLS_MAX} symbols"),
                "split the capture",
            ));
        }
        if self.silences.count > 0 {
            self.problems.push(Problem::note(
                "silence",
                "capture",
                format!(
                    "{} silences, the longest {} ms",
                    self.silences.count, self.silences.longest_ms
                ),
                "look whether the recorder stopped there; what the ids show of it is a depth-gap of its own",
            ));
        }
    }
}

fn file_findings(file: &FileScan, options: &ManifestOptions) -> Vec<Problem> {
    let mut found = Vec::new();
    let out_of_order = file.out_of_order();
    let jumped = out_of_order.filter(|(_, worst)| *worst > millis(options.gap_max.0));
    if let Some((_, worst)) = jumped {
        // Logical time never falls: after a time from the future nothing would ever be due again.
        found.push(Problem::broken(
            "clock-jump",
            file.path(),
            format!("receive times step back by {worst} ms, so that one before lies in the future"),
            "cut the lines with wrong times out, or pass --allow-broken: time stands still after them",
        ));
    } else if let Some((count, worst)) = out_of_order {
        found.push(Problem::note(
            "out-of-order",
            file.path(),
            format!("{count} receive times before their predecessor's, the worst by {worst} ms"),
            "the file's order is kept and time stands still meanwhile",
        ));
    }
    if let Some(offset) = file.offsets.summary()
        && offset.median.unsigned_abs() > millis(options.clock_offset_note.0)
    {
        let side = if offset.median < 0 { "behind" } else { "ahead of" };
        found.push(Problem::note(
            "clock-offset",
            file.path(),
            format!(
                "the recorder's clock is {} ms {side} the exchange's (median; {} to {} ms)",
                offset.median.unsigned_abs(),
                offset.min,
                offset.max
            ),
            "receive time minus event time is no latency here",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::capture::{Merge, OpenOptions};

    /// The manifest of a recording with one REST answer.
    fn scanned(path: &str, answer: &str) -> Manifest {
        let recording = format!(
            "configuration: {{}}\nhttps://fapi.binance.com/fapi/v1/{path} -> 1617647797.5: {answer}\n"
        );
        let input = Box::new(Cursor::new(recording.into_bytes()));
        let reader = Reader::from_read("usdm_x", input, &OpenOptions::default()).unwrap();
        let options = ManifestOptions { gap_max: Nanos(1), clock_offset_note: Nanos(1) };
        let merge = Merge::new(vec![reader]).unwrap();
        super::super::scan(merge, &options, &mut |_| {}).unwrap().manifest
    }

    #[test]
    fn only_depth_answers_are_decoded() {
        let trade = r#"{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
        for (path, answer) in [("openInterest", "<html>"), ("ticker/bookTicker", trade)] {
            let manifest = scanned(path, answer);
            assert_eq!((manifest.malformed, manifest.symbols.len()), (0, 0), "{path}");
            assert_eq!(manifest.streams["(rest)"], 1);
        }
        let snapshot = r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#;
        assert_eq!(scanned("depth?symbol=BTCUSDT", snapshot).symbols["BTCUSDT"].snapshots, 1);
        let cut = scanned("depth?symbol=BTCUSDT", "<html>");
        assert_eq!(cut.malformed, 1);
        assert!(cut.broken().any(|problem| problem.code == "malformed"));
    }
}
