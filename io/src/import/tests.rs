//! Imports of small files by hand: what comes out, and what is refused, with its line.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded};
use fusewire_core::units::Nanos;

use super::*;
use crate::capture::{CaptureLimits, Reader};
use crate::decode::Decoder;
use crate::manifest::ManifestOptions;

mod bars;
mod depth;
mod repaired;
mod resumed;
mod sources;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A zip archive with these files.
    fn zip(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.path(name);
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, text) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    fn import(
        &self,
        format: Format,
        files: &[PathBuf],
        options: &Options,
    ) -> Result<Imported, ImportError> {
        import_to(&self.path("out"), format, files, options)
    }

    /// What comes out, or panics.
    fn told(&self, format: Format, files: &[PathBuf], options: &Options) -> Vec<String> {
        let imported = self.import(format, files, options).unwrap();
        assert!(self.path("out/import.manifest.json").exists());
        assert!(!self.path("out.partial").exists());
        imported.tapes.iter().flat_map(|tape| told(&self.path("out").join(&tape.file))).collect()
    }

    /// The error that an import ends with; nothing is left of it.
    fn refused(&self, format: Format, files: &[PathBuf], options: &Options) -> String {
        let error = self.import(format, files, options).unwrap_err().to_string();
        assert!(!self.path("out").exists() && !self.path("out.partial").exists(), "{error}");
        error.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn import_to(
    out: &Path,
    format: Format,
    files: &[PathBuf],
    options: &Options,
) -> Result<Imported, ImportError> {
    let scan = ManifestOptions {
        gap_max: Nanos(10 * Nanos::SECOND),
        clock_offset_note: Nanos(Nanos::SECOND),
    };
    let limits = CaptureLimits::default();
    import(&Import { format, files, out, options, scan, limits }, &mut |_| {})
}

fn usdm() -> Options {
    Options { market: Some(Market::UsdM), ..Options::default() }
}

/// What the frames of a tape say: time in ms, symbol, body.
fn told(path: &Path) -> Vec<String> {
    let mut reader = Reader::open(path, &Default::default()).unwrap();
    let (mut decoder, mut decoded) = (Decoder::new(Market::UsdM), Decoded::default());
    let mut all = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        decoder.decode(record.bytes, &mut decoded).unwrap();
        for message in &decoded.messages {
            let symbol = std::str::from_utf8(message.symbol.of(record.bytes)).unwrap();
            let body = match &message.body {
                Body::Kline(at) => kline(decoded.kline(at), record.bytes),
                Body::Mark(mark) => format!("mark {} {:?}", mark.price, mark.funding_rate),
                Body::Funding(funding) => format!("funding {}", funding.rate),
                Body::OpenInterest(interest) => {
                    let text = |sum: Option<String>| sum.unwrap_or_else(|| "-".to_owned());
                    let (qty, usd) = (
                        interest.qty.map(|q| q.to_string()),
                        interest.notional.map(|n| n.to_string()),
                    );
                    format!("open {} {}", text(qty), text(usd))
                }
                Body::Liquidation(order) => {
                    format!("forced {:?} {} @ {}", order.side, order.filled_qty, order.average)
                }
                Body::AggTrade(trade) => format!(
                    "agg {:?} {} @ {} {}..{}",
                    trade.aggressor, trade.qty, trade.price, trade.first_trade, trade.last_trade
                ),
                Body::Trade(trade) => format!(
                    "trade {} {:?} {} @ {}",
                    trade.id, trade.aggressor, trade.qty, trade.price
                ),
                Body::BookTicker(ticker) => {
                    format!("ticker {} {} {}", ticker.id, ticker.bid.price, ticker.ask.price)
                }
                Body::Depth(depth) => {
                    let levels =
                        (decoded.bids(depth.levels).len(), decoded.asks(depth.levels).len());
                    format!(
                        "depth {:?} {levels:?}",
                        (depth.ids.first, depth.ids.last, depth.ids.prev)
                    )
                }
                Body::PartialDepth(depth) => {
                    format!(
                        "top {:?} {:?}",
                        decoded.bids(depth.levels),
                        decoded.asks(depth.levels).len()
                    )
                }
                Body::Snapshot(snapshot) => {
                    let levels = snapshot.levels;
                    format!("snapshot {} {} {}", snapshot.last_id, levels.bids, levels.asks)
                }
                Body::DepthBand(band) => {
                    format!("band {} bp {} {}", band.distance, band.qty, band.notional)
                }
                Body::ContractInfo(_) => "contract".to_owned(),
            };
            all.push(format!("{} {symbol} {body}", record.recv.0 / Nanos::MILLI));
        }
    }
    all
}

fn kline(kline: &fusewire_core::market::Kline, frame: &[u8]) -> String {
    let interval = String::from_utf8_lossy(kline.interval.of(frame)).into_owned();
    let prices = [kline.open, kline.high, kline.low, kline.close].map(|price| price.to_string());
    format!(
        "bar {interval} {} v {} q {} n {}",
        prices.join(" "),
        kline.volume,
        kline.quote_volume,
        kline.trades
    )
}
