//! Recorded one-minute candles as a capture: frames of a `kline` stream, each told at its close.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const MINUTE_MS: u64 = 60_000;
/// How long after its end a candle is told.
const TOLD_MS: u64 = 50;

/// Writes a capture of the rows `open_time_ms,symbol,open,high,low,close,volume` of a file; returns its path, how many
/// candles it has, and of how many symbols.
pub(super) fn capture(folder: &Path, rows: &Path) -> (PathBuf, usize, usize) {
    let csv = zstd::decode_all(fs::File::open(rows).unwrap()).unwrap();
    let (csv, mut lines) = (String::from_utf8(csv).unwrap(), String::new());
    let (mut count, mut symbols) = (0, std::collections::BTreeSet::new());
    for row in csv.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [open, symbol, o, h, l, c, volume] = fields[..] else { panic!("seven fields: {row}") };
        lines += &frame(open.parse().unwrap(), symbol, [o, h, l, c, volume]);
        count += 1;
        symbols.insert(symbol);
    }
    let (path, symbols) = (folder.join("usdm_minutes.ns"), symbols.len());
    fs::write(&path, lines).unwrap();
    (path, count, symbols)
}

/// A line of a capture: the closed candle of the minute that begins at `open`, in ms, told a little after its end. Its
/// trades and what they came to in quote are not known, and read by nobody here.
pub(crate) fn frame(open: u64, symbol: &str, [o, h, l, c, volume]: [&str; 5]) -> String {
    let (end, stream) = (open + MINUTE_MS - 1, symbol.to_lowercase());
    let told = end + 1 + TOLD_MS;
    format!(
        "{told}000000 {{\"stream\":\"{stream}@kline_1m\",\"data\":{{\"e\":\"kline\",\"E\":{told},\
         \"s\":\"{symbol}\",\"k\":{{\"t\":{open},\"T\":{end},\"s\":\"{symbol}\",\"i\":\"1m\",\
         \"f\":1,\"L\":1,\"o\":\"{o}\",\"c\":\"{c}\",\"h\":\"{h}\",\"l\":\"{l}\",\"v\":\"{volume}\",\
         \"n\":1,\"x\":true,\"q\":\"0\",\"V\":\"0\",\"Q\":\"0\",\"B\":\"0\"}}}}}}\n"
    )
}
