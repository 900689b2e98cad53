//! The reader over real recordings, which lie outside the repository: `FUSEWIRE_SHARED` names the folder.
//! Expected counts are those that the folder's README states.

use std::path::{Path, PathBuf};

use fusewire_core::instrument::Market;

use super::testing::{Owned, drain};
use super::{Format, Merge, OpenOptions, Reader, Unit};

/// The recordings, or `None`, said aloud, where they are not at hand.
fn captures() -> Option<PathBuf> {
    let Some(shared) = std::env::var_os("FUSEWIRE_SHARED") else {
        // Not by a macro: the harness swallows what a passing test prints with those.
        let line = b"SKIPPED real captures: set FUSEWIRE_SHARED to the folder with the captures\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
        return None;
    };
    Some(Path::new(&shared).join("captures"))
}

fn open(path: &Path) -> Reader {
    Reader::open(path, &OpenOptions::default()).unwrap()
}

fn read(reader: &mut Reader) -> Vec<Owned> {
    let (records, error) = drain(reader);
    assert!(error.is_none(), "{error:?}");
    assert!(records.is_sorted_by_key(|record| record.0), "times step back in {}", reader.name());
    assert_eq!(Some(reader.bytes_read()), reader.bytes_total());
    records
}

#[test]
fn collector_files_have_every_frame_of_the_table() {
    let Some(captures) = captures() else { return };
    for (file, market, unit, frames, with_snapshot) in [
        ("2024-08-08/usdm_btcusdt_20240808.ns.gz", Market::UsdM, Unit::Nanos, 93_954, true),
        ("2024-08-08/usdm_ethusdt_20240808.ns.gz", Market::UsdM, Unit::Nanos, 74_655, true),
        ("2024-08-08/coinm_btcusd_perp_20240808.ns.gz", Market::CoinM, Unit::Nanos, 48_270, true),
        ("2024-08-08/spot_btcusdt_20240808.ns.gz", Market::Spot, Unit::Nanos, 41_249, true),
        ("2023-04-05/usdm_btcusdt_20230404.us.gz", Market::UsdM, Unit::Micros, 13_384, true),
        ("2023-04-05/usdm_btcusdt_20230405.us.gz", Market::UsdM, Unit::Micros, 60_381, false),
        ("2023-04-05/spot_btcusdt_20230405.us.gz", Market::Spot, Unit::Micros, 15_088, false),
    ] {
        let mut reader = open(&captures.join("ws_raw").join(file));
        assert_eq!((reader.market(), reader.unit()), (Some(market), Some(unit)), "{file}");
        assert_eq!(reader.format(), Format::Collector);
        let records = read(&mut reader);
        assert_eq!(records.len(), frames, "{file}");
        let snapshots = records.iter().filter(|r| r.3.starts_with("{\"lastUpdateId\":")).count();
        assert_eq!(snapshots, usize::from(with_snapshot), "{file}");
        assert!(records.iter().all(|r| r.2.is_none() && r.3.ends_with('}')), "{file}");
    }
}

#[test]
fn cryptofeed_recordings_give_frames_and_answers_in_order_of_time() {
    let Some(captures) = captures() else { return };
    for (file, format, frames) in [
        ("binance_futures_20210722_SUSHI_AKRO_KEEP_CTK.jsonl.zst", Format::CryptofeedJson, 1_535),
        ("binance_futures_2021_SAND_CHR_NEO_CTK_BAT.txt.zst", Format::CryptofeedText, 8_421),
    ] {
        let mut reader = open(&captures.join("ws_cryptofeed").join(file));
        let facts = (reader.format(), reader.market(), reader.unit());
        assert_eq!(facts, (format, Some(Market::UsdM), None), "{file}");
        // Sorted by time (see `read`), so each answer stands before the frame that follows it.
        let records = read(&mut reader);
        let answers = records.iter().filter(|record| record.2.is_some());
        assert_eq!(answers.clone().count(), 5, "{file}");
        assert_eq!(records.len(), frames + 5, "{file}");
        let depth = |r: &&Owned| r.2.as_ref().is_some_and(|url| url.contains("/fapi/v1/depth?"));
        let snapshots: Vec<_> = records.iter().filter(depth).collect();
        assert!(snapshots.iter().all(|r| r.3.starts_with("{\"lastUpdateId\":")), "{file}");
        assert!(snapshots.len() >= 4, "{file}");
    }
}

#[test]
fn answers_of_the_json_recording_stand_among_its_frames() {
    let Some(captures) = captures() else { return };
    let file = "ws_cryptofeed/binance_futures_20210722_SUSHI_AKRO_KEEP_CTK.jsonl.zst";
    let records = read(&mut open(&captures.join(file)));
    let brief: Vec<_> = records[..5].iter().map(|r| (r.0, r.1, r.2.is_some())).collect();
    assert_eq!(
        brief,
        vec![
            (1_626_992_740_175_661_000, 2, true),
            (1_626_992_741_062_170_000, 8, false),
            (1_626_992_741_081_672_000, 9, false),
            (1_626_992_741_301_402_000, 3, true),
            (1_626_992_741_310_512_800, 10, false),
        ]
    );
}

#[test]
fn recordings_of_other_venues_are_read_but_have_no_market() {
    let Some(captures) = captures() else { return };
    for (file, frames, answers) in [
        ("ws_cryptofeed/bybit_linear_BTC_ETH_SOL_DOGE.jsonl.zst", 3_227, 2),
        // The README's 135 leaves out the answer to the subscription.
        ("ws_cryptofeed/deribit_20210722_options_ws.txt.zst", 136, 0),
        ("ws_cryptofeed/deribit_20210722_instruments_rest.txt.zst", 0, 4),
        ("ws_raw/other_venues/hyperliquid_btc_20250126.ns.gz", 55, 0),
    ] {
        let mut reader = open(&captures.join(file));
        assert_eq!(reader.market(), None, "{file}");
        let (records, error) = drain(&mut reader);
        assert!(error.is_none(), "{error:?}");
        let found = records.iter().filter(|record| record.2.is_some()).count();
        assert_eq!((records.len() - found, found), (frames, answers), "{file}");
    }
    let zip = captures.join("ws_raw/other_venues/bybit_xrpusdt_ob500.data.zip");
    let error = Reader::open(&zip, &OpenOptions::default()).err().unwrap();
    assert!(error.to_string().ends_with("zip archive: unpack it and pass the file inside"));
}

#[test]
fn a_merge_of_a_recorded_day_is_in_order_and_complete() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("ws_raw/2024-08-08");
    let files = ["usdm_btcusdt", "usdm_ethusdt", "spot_ethusdt"];
    let open_day = |name: &&str| open(&folder.join(format!("{name}_20240808.ns.gz")));
    let mut merge = Merge::new(files.iter().map(open_day).collect()).unwrap();
    let mut counts = [0_u64; 3];
    let mut last = (0, 0);
    while let Some(record) = merge.next().unwrap() {
        let place = (record.recv.0, record.source);
        assert!(place >= last, "{place:?} after {last:?}");
        last = place;
        counts[record.source] += 1;
        assert_eq!(record.line, counts[record.source]);
    }
    assert_eq!(counts, [93_954, 74_655, 33_618]);
}
