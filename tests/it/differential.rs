//! The fast decoder equals the reference on everything real.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;
use fusewire_core::market::{Body, Decoded, TradeOrigin};
use fusewire_io::capture::{OpenOptions, Reader};
use fusewire_io::decode::{Decoder, differential};
use fusewire_tests::shared;
use serde_json::Value;

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Frames that all three markets were asked about.
fn check_all_markets(frame: &[u8]) {
    for market in [Market::UsdM, Market::CoinM, Market::Spot] {
        differential(frame, market).unwrap_or_else(|difference| panic!("{market}: {difference}"));
    }
}

#[test]
fn every_recorded_frame_of_every_venue() {
    let Some(shared) = shared("every_recorded_frame_of_every_venue") else { return };
    let mut frames = 0_u64;
    let mut recordings = files(&shared.join("captures/ws_raw"), ".gz");
    recordings.extend(files(&shared.join("captures/ws_cryptofeed"), ".zst"));
    for path in recordings {
        let mut reader = Reader::open(&path, &OpenOptions::default()).unwrap();
        let market = reader.market().unwrap_or(Market::UsdM);
        while let Some(record) = reader.next().unwrap() {
            differential(record.bytes, market).unwrap();
            frames += 1;
        }
    }
    assert!(frames > 430_000, "only {frames} frames");
}

/// All but the snapshots, and the one trade in 420,000 frames that did not come from the book.
#[test]
fn recorded_binance_frames_are_read_straight() {
    let Some(shared) = shared("recorded_binance_frames_are_read_straight") else { return };
    let mut recordings = files(&shared.join("captures/ws_raw/2023-04-05"), ".gz");
    recordings.extend(files(&shared.join("captures/ws_raw/2024-08-08"), ".gz"));
    assert_eq!(recordings.len(), 9);
    for path in recordings {
        let mut reader = Reader::open(&path, &OpenOptions::default()).unwrap();
        let mut decoder = Decoder::new(reader.market().unwrap());
        let mut decoded = Decoded::default();
        let mut rare = 0;
        while let Some(record) = reader.next().unwrap() {
            decoder.decode(record.bytes, &mut decoded).unwrap();
            rare += u64::from(match decoded.messages[0].body {
                Body::Snapshot(_) => true,
                Body::Trade(trade) => trade.origin != TradeOrigin::Market,
                Body::Depth(_)
                | Body::PartialDepth(_)
                | Body::BookTicker(_)
                | Body::AggTrade(_)
                | Body::Mark(_)
                | Body::Liquidation(_)
                | Body::Funding(_)
                | Body::OpenInterest(_)
                | Body::DepthBand(_)
                | Body::Kline(_)
                | Body::ContractInfo(_) => false,
            });
        }
        let others = decoder.scanned() + decoder.handed_over();
        assert_eq!(others, rare, "{}", path.display());
        assert!(rare <= 1, "{}", path.display());
    }
}

/// Lines `{…,"msg":…}` of single frames; `msg` is the frame's text, or the frame itself.
#[test]
fn single_real_messages_of_nearly_every_type() {
    let Some(shared) = shared("single_real_messages_of_nearly_every_type") else { return };
    let mut frames = 0;
    for path in files(&shared.join("captures/messages"), "") {
        let mut text = String::new();
        let file = fs::File::open(&path).unwrap();
        if path.extension().is_some_and(|ending| ending == "zst") {
            zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap();
        } else {
            { file }.read_to_string(&mut text).unwrap();
        }
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let frame = row["msg"].as_str().map_or_else(|| row["msg"].to_string(), str::to_owned);
            check_all_markets(frame.as_bytes());
            frames += 1;
        }
    }
    assert!(frames >= 125, "only {frames} messages");
}

#[test]
fn every_protocol_fixture() {
    let Some(shared) = shared("every_protocol_fixture") else { return };
    let mut cases = 0;
    for path in files(&shared.join("protocol/fixtures"), ".json") {
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            check_all_markets(text.as_bytes());
            for cut in (0..text.len()).step_by(7) {
                check_all_markets(&text.as_bytes()[..cut]);
            }
            cases += 1;
        }
    }
    assert!(cases >= 217, "only {cases} cases");
}

/// Every market case that is a single message decodes to what its file says it is.
#[test]
fn market_fixtures_decode_to_their_kind() {
    let Some(shared) = shared("market_fixtures_decode_to_their_kind") else { return };
    let kinds = [
        ("agg_trade", "aggTrade"),
        ("book_ticker", "bookTicker"),
        ("contract_info", "contractInfo"),
        ("depth_snapshot", "depthSnapshot"),
        ("depth_update", "depthUpdate"),
        ("force_order", "forceOrder"),
        ("mark_price", "markPriceUpdate"),
    ];
    for (file, kind) in kinds {
        let path = shared.join("protocol/fixtures").join(file).with_extension("json");
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let frame = case["text"].as_str().unwrap();
            let mut decoded = Decoded::default();
            Decoder::new(Market::UsdM).decode(frame.as_bytes(), &mut decoded).unwrap();
            assert_eq!(decoded.messages.len(), 1, "{}", case["name"]);
            assert_eq!(decoded.messages[0].body.kind().name(), kind, "{}", case["name"]);
        }
    }
}
