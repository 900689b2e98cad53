//! Books over real captures.

use std::collections::BTreeMap;
use std::path::Path;

use fusewire_core::book::{Book, BookConfig, Buffering, Invalid, SyncRule};
use fusewire_core::market::{Body, Decoded};
use fusewire_io::capture::{OpenOptions, Reader};
use fusewire_io::decode::Decoder;
use fusewire_tests::{json, shared};
use serde_json::Value;

fn touch(report: &Value, key: &str) -> (String, String) {
    let book = &report["books"][key];
    assert_eq!(book["synced"], true, "{key}: {book}");
    assert_eq!((&book["gaps"], &book["crossed"]), (&0.into(), &0.into()), "{key}: {book}");
    (book["bid"].as_str().unwrap().to_owned(), book["ask"].as_str().unwrap().to_owned())
}

fn replay(folder: &Path, patterns: &[&str]) -> Value {
    let paths: Vec<_> =
        patterns.iter().map(|name| folder.join(name).display().to_string()).collect();
    let mut arguments = vec!["replay", "--strategy", "noop", "--json"];
    arguments.extend(paths.iter().map(String::as_str));
    json(&arguments)
}

fn expect(report: &Value, touches: &[(&str, &str, &str)]) {
    assert_eq!(report["books"].as_object().unwrap().len(), touches.len());
    for (key, bid, ask) in touches {
        assert_eq!(touch(report, key), ((*bid).to_owned(), (*ask).to_owned()), "{key}");
    }
    assert_eq!(report["manifest"]["complete"], true);
    assert_eq!(report["malformed"], 0);
}

#[test]
fn usdm_2024_ends_at_the_recorded_touch() {
    let Some(shared) = shared("usdm_2024_ends_at_the_recorded_touch") else { return };
    let folder = shared.join("captures/ws_raw/2024-08-08");
    let files = ["usdm_btcusdt_20240808.ns.gz", "usdm_ethusdt_20240808.ns.gz"];
    let report = replay(&folder, &files);
    expect(&report, &[("BTCUSDT", "61659.7", "61659.8"), ("ETHUSDT", "2681.38", "2681.39")]);
    assert_eq!(report["frames"], 93_954 + 74_655);
    assert_eq!(report["messages"]["depthUpdate"], 6_551 + 6_586);
    assert_eq!(report["messages"]["bookTicker"], 66_089 + 53_992);
    assert_eq!(report["messages"]["trade"], 21_313 + 14_076);
    assert_eq!(report["messages"]["depthSnapshot"], 2);
    // The recorder's clock stood 1.27 s behind the exchange.
    let offset = &report["manifest"]["files"][0]["clock_offset_ms"];
    assert_eq!(offset["median"], -1_270);
}

#[test]
fn every_market_of_2024_together() {
    let Some(shared) = shared("every_market_of_2024_together") else { return };
    let folder = shared.join("captures/ws_raw");
    let report = replay(&folder, &["2024-08-08"]);
    expect(
        &report,
        &[
            ("BTCUSDT", "61659.7", "61659.8"),
            ("BTCUSD_PERP", "61668.6", "61668.7"),
            ("ETHUSDT", "2681.38", "2681.39"),
            ("ETHUSD_PERP", "2682.01", "2682.02"),
            ("SPOT:BTCUSDT", "61685.99", "61686"),
            ("SPOT:ETHUSDT", "2682.5", "2682.51"),
        ],
    );
    assert_eq!(report["frames"], 332_200);
}

#[test]
fn two_files_of_2023_are_one_stream() {
    let Some(shared) = shared("two_files_of_2023_are_one_stream") else { return };
    let folder = shared.join("captures/ws_raw/2023-04-05");
    // The order on the command line does not matter.
    let files = ["usdm_btcusdt_20230405.us.gz", "usdm_btcusdt_20230404.us.gz"];
    let report = replay(&folder, &files);
    expect(&report, &[("BTCUSDT", "28140.1", "28140.2")]);
    assert_eq!(report["messages"]["markPriceUpdate"], 99 + 415);
}

#[test]
fn recordings_of_several_symbols_on_one_connection() {
    let Some(shared) = shared("recordings_of_several_symbols_on_one_connection") else { return };
    let folder = shared.join("captures/ws_cryptofeed");
    let four = replay(&folder, &["binance_futures_20210722_SUSHI_AKRO_KEEP_CTK.jsonl.zst"]);
    assert_eq!(four["books"].as_object().unwrap().len(), 4);
    for key in ["AKROUSDT", "CTKUSDT", "KEEPUSDT", "SUSHIUSDT"] {
        touch(&four, key);
    }
    assert_eq!(four["messages"]["kline"], 67);
    let five = replay(&folder, &["binance_futures_2021_SAND_CHR_NEO_CTK_BAT.txt.zst"]);
    assert_eq!(five["books"].as_object().unwrap().len(), 5);
    for key in ["BATUSDT", "CHRUSDT", "CTKUSDT", "NEOUSDT", "SANDUSDT"] {
        touch(&five, key);
    }
    assert_eq!(five["messages"]["depthUpdate"], 4_423);
}

/// Feeds one real file into one book and calls `each` after every depth update with its number.
fn fold(path: &Path, book: &mut Book, mut each: impl FnMut(u64, &Book)) {
    let mut reader = Reader::open(path, &OpenOptions::default()).unwrap();
    let mut decoder = Decoder::new(reader.market().unwrap());
    let mut decoded = Decoded::default();
    let mut updates = 0;
    while let Some(record) = reader.next().unwrap() {
        decoder.decode(record.bytes, &mut decoded).unwrap();
        match decoded.messages[0].body {
            Body::Depth(depth) => {
                book.on_diff(depth.ids, decoded.bids(depth.levels), decoded.asks(depth.levels));
                updates += 1;
                each(updates, book);
            }
            Body::Snapshot(s) => {
                book.on_snapshot(s.last_id, decoded.bids(s.levels), decoded.asks(s.levels));
            }
            _ => {}
        }
    }
}

fn prices(book: &Book) -> Option<(String, String)> {
    let touch = book.touch().ok()?;
    Some((touch.bid?.price.to_string(), touch.ask?.price.to_string()))
}

/// Best bid and ask at the last of every 25 depth updates, as an independent builder found them.
const CHECKPOINTS: [(&str, SyncRule, &str, &str); 6] = [
    ("usdm_btcusdt_20240808.ns.gz", SyncRule::Futures, "61659.7", "61659.8"),
    ("usdm_ethusdt_20240808.ns.gz", SyncRule::Futures, "2681.59", "2681.6"),
    ("coinm_btcusd_perp_20240808.ns.gz", SyncRule::Futures, "61668.6", "61668.7"),
    ("coinm_ethusd_perp_20240808.ns.gz", SyncRule::Futures, "2682.01", "2682.02"),
    ("spot_btcusdt_20240808.ns.gz", SyncRule::Spot, "61688.05", "61688.06"),
    ("spot_ethusdt_20240808.ns.gz", SyncRule::Spot, "2682.5", "2682.51"),
];

#[test]
fn the_last_checkpoint_of_every_file_agrees_with_an_independent_builder() {
    let Some(shared) = shared("the_last_checkpoint_of_every_file") else { return };
    for (name, rule, bid, ask) in CHECKPOINTS {
        let path = shared.join("captures/ws_raw/2024-08-08").join(name);
        let mut book = Book::new(rule, None, &BookConfig::default());
        // Counted as that builder did: updates that were applied, from the snapshot on.
        let mut last = None;
        fold(&path, &mut book, |_, book| {
            let applied = book.stats().applied;
            if applied > 0 && applied.is_multiple_of(25) {
                last = prices(book);
            }
        });
        assert_eq!(last, Some((bid.to_owned(), ask.to_owned())), "{name}");
    }
}

/// A fast book with a window of 64 ticks holds the same prices as one with the default window.
#[test]
fn the_window_does_not_change_a_book() {
    let Some(shared) = shared("the_window_does_not_change_a_book") else { return };
    let path = shared.join("captures/ws_raw/2024-08-08/usdm_btcusdt_20240808.ns.gz");
    let tiny = BookConfig { window_ticks: 64, ..BookConfig::default() };
    let mut small = Book::new(SyncRule::Futures, None, &tiny);
    let mut touches = BTreeMap::new();
    fold(&path, &mut small, |number, book| drop(touches.insert(number, prices(book))));
    let mut wide = Book::new(SyncRule::Futures, None, &BookConfig::default());
    fold(&path, &mut wide, |number, book| assert_eq!(prices(book), touches[&number], "{number}"));
    assert_eq!(small.levels(), wide.levels());
    assert_eq!(wide.stats().levels_dropped, 0);
}

/// The classic mistake: throw away what came before the snapshot, and do not check the ids.
#[test]
fn without_buffering_the_spot_book_crosses_and_the_detector_fires() {
    let Some(shared) = shared("without_buffering_the_spot_book_crosses") else { return };
    let folder = shared.join("captures/ws_raw/2024-08-08");
    let mut crossed = 0;
    for name in ["spot_btcusdt_20240808.ns.gz", "spot_ethusdt_20240808.ns.gz"] {
        let book = Book::new(SyncRule::Spot, None, &BookConfig::default());
        let mut book = book.with_buffering(Buffering::OffForTests);
        fold(&folder.join(name), &mut book, |_, _| {});
        crossed += u64::from(book.state() == Err(Invalid::Crossed));
        assert_eq!(book.stats().crossed, u64::from(book.state().is_err()), "{name}");
        assert!(book.touch().is_ok() || prices(&book).is_none());
    }
    assert!(crossed > 0, "no spot book crossed");
}
