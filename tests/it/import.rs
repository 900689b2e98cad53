//! `import` from the command line: the real history files, recordings against their tapes, and kills.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use fusewire_tests::{Places, fusewire, json, shared, start};
use serde_json::Value;

use crate::journal::{arg, config};

/// What one-minute bars need: nothing is fresher than the last one.
const PATIENT: &str = "[capture]\ngap_max_ms = 130000\n[assume]\nmark_age_max_ms = 130000\n\
    [limits_default]\nbook_age_max_ms = 130000\nmark_age_max_ms = 130000\n\
    [quoter]\nmark_age_max_ms = 130000\n";

fn import(format: &str, files: &[PathBuf], out: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["import", format, "--json", "--out", arg(out)];
    arguments.extend(files.iter().map(|file| arg(file)));
    arguments.extend(more);
    json(&arguments)
}

fn rows(imported: &Value) -> u64 {
    let inputs = imported["inputs"].as_array().unwrap().iter();
    let streams = inputs.flat_map(|input| input["facts"]["streams"].as_object().unwrap().values());
    streams.map(|stream| stream["rows"].as_u64().unwrap()).sum()
}

/// The counts are those of the folder's own description of its files.
#[test]
fn s0_31_real_history_files_import_whole() {
    let Some(shared) = shared("s0_31_real_history_files_import_whole") else { return };
    let folder = tempfile::tempdir().unwrap();
    let usdm = ["--market", "usdm"];
    let binance = ["--market", "usdm", "--venue", "binance"];
    let west = ["--market", "usdm", "--utc-offset", "3"];
    let trades = ["--market", "usdm", "--data-type", "aggTrades"];
    for (n, (format, file, more, count)) in [
        ("klines", "klines_1m/usdm_16sym_1m_20250504_20250524", &usdm[..], 438_479),
        ("klines", "klines_1m/usdm_80sym_1m_20250616T2100_20250620T2100", &usdm, 460_800),
        ("klines", "klines_1h_continuous/multivenue_5coin_1h_before_20251201", &binance, 30_304),
        ("funding", "funding/usdm_funding_20250306_20250615_freqtrade", &usdm, 5_476),
        ("funding", "funding/usdm_funding_2026q1", &usdm, 71_951),
        ("funding", "funding/BTC-USDT_binance_2020-01-01_2024-01-01_funding_history", &west, 4_383),
        ("open-interest", "open_interest/usdm_oi_4h_2026q1", &usdm, 60_490),
        ("liquidations", "liquidations/forceorder_all_20250126_20250127", &usdm, 3_510),
        ("binance-vision", "liquidations/large_aggtrades_20250126_20250206", &trades, 16_440),
    ]
    .into_iter()
    .enumerate()
    {
        let path = shared.join(format!("captures/{file}.csv.zst"));
        let imported = import(format, &[path], &folder.path().join(n.to_string()), more);
        assert_eq!(rows(&imported), count, "{file}");
        assert_eq!(imported["tapes"][0]["records"], count, "{file}");
    }
}

/// A recorder's banner in front of a symbol, a time without a date, hours that are those of another time zone.
#[test]
fn real_files_that_are_damaged_are_refused_with_their_line() {
    let Some(shared) = shared("real_files_that_are_damaged") else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for (format, file, expected) in [
        ("liquidations", "liquidations/forceorder_all_20250623_a", "line 2: symbol_without_usdt"),
        (
            "binance-vision",
            "liquidations/large_aggtrades_20240815_20240816",
            "line 7243: transact_time \"15:40:27\"",
        ),
        ("funding", "funding/BTC-USDT_bybit_2021-01-01_2024-01-01_funding_history", "--utc-offset"),
        // Some charges of it came at odd hours.
        ("funding", "funding/BTC-USDT_htx_2021-01-01_2024-01-01_funding_history", "--utc-offset"),
    ] {
        let path = shared.join(format!("captures/{file}.csv.zst"));
        let mut arguments =
            vec!["import", format, arg(&path), "--market", "usdm", "--out", arg(&out)];
        if format == "binance-vision" {
            arguments.extend(["--data-type", "aggTrades"]);
        }
        let output = fusewire(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected) && stderr.trim().lines().count() == 1, "{stderr}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }
}

/// The tape of a recording gives the recording's events, intents, verdicts and orders, from the map and out of a journal
/// that kept its frames.
#[test]
fn a_tape_of_a_recording_is_the_recording() {
    let Some(shared) = shared("a_tape_of_a_recording_is_the_recording") else { return };
    let folder = tempfile::tempdir().unwrap();
    for file in ["2023-04-05/usdm_btcusdt_20230404.us.gz", "2024-08-08/usdm_ethusdt_20240808.ns.gz"]
    {
        let path = shared.join("captures/ws_raw").join(file);
        let out = folder.path().join(file.replace('/', "_"));
        import("collector", std::slice::from_ref(&path), &out, &[]);
        let (raw, journal) =
            (json(&["replay", "--json", arg(&path)]), out.with_extension("journal"));
        let copied = ["--journal", arg(&journal), "--journal-frames", "copy"];
        let tape = json(&[&["replay", "--json", arg(&out)][..], &copied].concat());
        assert!(raw["fills"].as_u64() > Some(0));
        let again = json(&["replay", "--json", arg(&journal)]);
        for lane in ["event", "alpha", "risk", "gateway", "decided"] {
            assert_eq!(tape["digest"][lane], raw["digest"][lane], "{lane} of {file}");
            assert_eq!(again["digest"][lane], raw["digest"][lane], "{lane} of {file}, journal");
        }
        assert_ne!(tape["digest"]["feed"], raw["digest"]["feed"], "the frames are others");
        assert_eq!(again["digest"]["all"], tape["digest"]["all"]);
        assert_eq!(crate::journal::document("verify", &journal, &[])["same"], true);
        assert_eq!(tape["messages"], raw["messages"]);
        assert_eq!(tape["manifest"]["files"][0]["format"], "tape");
    }
}

/// A recording that was cut in two has its snapshot in the first half: both are judged together, as by `replay`.
#[test]
fn recordings_that_belong_together_are_judged_together() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("usdm_whole.ns");
    json(&["synth", "calm", "--minutes", "1", "--json", "--out", arg(&whole)]);
    let text = fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (halves, out) = (folder.path().join("halves"), folder.path().join("out"));
    fs::create_dir(&halves).unwrap();
    let files = ["usdm_1.ns", "usdm_2.ns"].map(|name| halves.join(name));
    for (file, half) in files.iter().zip(lines.chunks(lines.len().div_ceil(2))) {
        fs::write(file, half.join("\n") + "\n").unwrap();
    }
    let second = fusewire(&["import", "collector", "--out", arg(&out), arg(&files[1])]);
    assert_eq!(second.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert!(
        stderr.contains("usdm_2.ns: broken capture") && stderr.contains("snapshot"),
        "{stderr}"
    );
    import("collector", &files, &out, &[]);
    let [raw, tapes] = [&halves, &out].map(|input| json(&["replay", "--json", arg(input)]));
    assert!(raw["intents"].as_u64() > Some(0));
    assert_eq!(tapes["digest"]["decided"], raw["digest"]["decided"]);
}

/// The sequencer takes no trade whose id goes back, so that a repair that left one there would lose it without a word.
#[test]
fn what_was_repaired_is_replayed_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("BTCUSDT-aggTrades-2025-05.csv");
    let row =
        |(id, ms): (u64, u64)| format!("{id},85000,1,{id},{id},{},true\n", 1_746_316_800_000 + ms);
    let rows = [(9, 5), (5, 1), (8, 3), (7, 3), (6, 4)].map(row).concat();
    let names =
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n";
    fs::write(&file, names.to_owned() + &rows).unwrap();
    let out = folder.path().join("out");
    let imported = import(
        "binance-vision",
        std::slice::from_ref(&file),
        &out,
        &["--market", "usdm", "--repair"],
    );
    assert_eq!(imported["inputs"][0]["facts"]["rows_moved"], 4);
    let report = json(&["replay", "--json", arg(&out), "--strategy", "noop"]);
    assert_eq!((self::rows(&imported), report["events"]["Trade"].as_u64()), (5, Some(5)));
}

/// A week of bars and what was charged meanwhile: it is paid at the real rates, and by nothing that is assumed.
#[test]
fn s0_31_bars_and_funding_of_a_week_replay_together() {
    let Some(shared) = shared("s0_31_bars_and_funding_of_a_week") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (bars, funding) = (folder.path().join("bars"), folder.path().join("funding"));
    let kline = shared.join("captures/klines_1m/usdm_16sym_1m_20250504_20250524.csv.zst");
    let charged = shared.join("captures/funding/usdm_funding_20250306_20250615_freqtrade.csv.zst");
    let only = ["--market", "usdm", "--symbol", "ETHUSDT"];
    import("klines", &[kline], &bars, &only);
    import("funding", &[charged], &funding, &only);
    let patient = config(folder.path(), "bars.toml", PATIENT);
    let report = json(&["replay", "--json", "--config", arg(&patient), arg(&bars), arg(&funding)]);
    // 5 to 24 May: 8 h apart.
    assert!(report["events"]["Funding"].as_u64() > Some(50), "{}", report["events"]);
    assert!(report["fills"].as_u64() > Some(100));
    assert_ne!(report["pnl"]["funding"], "0");
    assert_eq!(report["data"]["ETHUSDT"]["model"], "bars");
}

/// `decode` prints what a tape holds, a line a frame, and knows what it can not do with one.
#[test]
fn decode_prints_the_frames_of_a_tape() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    import("klines", &[day(folder.path(), 0)], &out, &[]);
    let tape = out.join("usdm_klines.tape");
    let decode = |more: &[&str]| fusewire(&[&["decode", arg(&tape)], more].concat());
    let output = decode(&[]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1_440);
    for line in &lines {
        assert_eq!((&line["ok"], &line["kind"]), (&Value::Bool(true), &"kline".into()), "{line}");
        assert_eq!((&line["symbol"], &line["close"]), (&"BTCUSDT".into(), &"11".into()), "{line}");
    }
    for (more, said) in [
        (&["--compare"][..], "is a tape, which was decoded already"),
        (&["--reference"], "is a tape, which was decoded already"),
        (&["--market", "spot"], "it holds usdm, and --market says spot"),
    ] {
        let output = decode(more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{stderr}");
    }
    let piped = fusewire_tests::fusewire_with_input(&tape, &["decode", "-"]);
    let stderr = String::from_utf8_lossy(&piped.stderr);
    assert!(piped.status.code() == Some(2) && stderr.contains("is read from its file"), "{stderr}");
}

const DAYS: u64 = 24;

/// A day of one-minute bars.
fn day(folder: &Path, day: u64) -> PathBuf {
    let row = |minute: u64| {
        let at = 1_746_316_800_000 + day * 86_400_000 + minute * 60_000;
        format!("{at},BTCUSDT,10,12,9,11,5\n")
    };
    let text: String = (0..1_440).map(row).collect();
    let path = folder.join(format!("usdm_day{day:02}.csv"));
    fs::write(&path, format!("open_time_ms,symbol,open,high,low,close,volume\n{text}")).unwrap();
    path
}

/// Lines of the list of files that are done.
fn done(out: &Path) -> u64 {
    let mut text = String::new();
    let list = out.with_extension("partial").join("done.jsonl");
    let read = fs::File::open(list).and_then(|mut list| list.read_to_string(&mut text));
    read.map_or(0, |_| text.lines().count() as u64)
}

/// Killed again and again, at other places each time, and let go to its end at last.
#[test]
fn an_import_that_is_killed_leaves_nothing_half_made_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..DAYS).map(|n| day(folder.path(), n)).collect();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let expected = import("klines", &files, &whole, &[]);
    let (mut places, mut hits, mut resumed) = (Places(0x5eed), 0, 0);
    for _ in 0..12 {
        let mut arguments = vec!["import", "klines", "--json", "--out", arg(&killed)];
        arguments.extend(files.iter().map(|file| arg(file)));
        let before = done(&killed);
        let wanted = before + 1 + places.below(3);
        let mut child = start(&arguments);
        while child.try_wait().unwrap().is_none() && done(&killed) < wanted {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        if child.wait().unwrap().code().is_some() {
            break;
        }
        hits += 1;
        resumed += u64::from(before > 0);
        assert!(!killed.exists(), "nothing under its name");
        assert!(done(&killed) >= before, "what is done stays done");
        let refused = fusewire(&["replay", arg(&killed.with_extension("partial"))]);
        assert_eq!(refused.status.code(), Some(2), "no replay takes the half of it");
    }
    assert!(
        hits > 1 && resumed > 0,
        "{hits} kills hit it at work, {resumed} of them behind another"
    );
    if !killed.exists() {
        assert_eq!(import("klines", &files, &killed, &[]), expected);
    }
    let bytes = |out: &Path| fs::read(out.join("usdm_klines.tape")).unwrap();
    assert_eq!(bytes(&killed), bytes(&whole));
    assert!(!killed.with_extension("partial").exists());
}

/// S0-31, X20: the same week with the future cut off has the same past, and a symbol is traded from its listing to its end.
#[test]
fn s0_31_a_week_has_the_same_past_without_its_future_and_symbols_live_as_long_as_they_did() {
    let Some(shared) = shared("s0_31_a_week_has_the_same_past") else { return };
    let folder = tempfile::tempdir().unwrap();
    let kline = shared.join("captures/klines_1m/usdm_16sym_1m_20250504_20250524.csv.zst");
    let week = week_of(folder.path(), &kline);
    let bars = folder.path().join("bars");
    import("klines", &[week], &bars, &["--market", "usdm"]);
    // First without an end, to find a position that is held for a while.
    let life = "[[universe.life]]\nkey = \"ETHUSDT\"\nlisted = \"2025-05-11T00:00:00Z\"\n";
    let run = |name: &str, life: &str, more: &[&str]| {
        // A tick a second is enough for bars of a minute.
        let text = format!("[clock]\ntick_ms = 1000\n{PATIENT}{life}");
        let file = config(folder.path(), &format!("{name}.toml"), &text);
        let journal = folder.path().join(name);
        let fixed = ["replay", "--json", "--config", arg(&file), "--strategy", "smart-trend"];
        let report = json(&[&fixed[..], more, &["--journal", arg(&journal), arg(&bars)]].concat());
        (report, journal)
    };
    let (_, endless) = run("endless", life, &[]);
    let held = eth(&endless, "trades", &["entry_ns", "exit_ns"]);
    let long = held.iter().filter(|held| held[1] - held[0] > 1_200_000_000_000).nth(5).unwrap();
    let end_s = u64::midpoint(long[0], long[1]) / 1_000_000_000;
    let (day, s) = ((end_s - LISTED_S) / 86_400 + 11, (end_s - LISTED_S) % 86_400);
    let end = format!("2025-05-{day}T{:02}:{:02}:{:02}Z", s / 3_600, s / 60 % 60, s % 60);
    let (report, journal) =
        run("ended", &format!("{life}delisted = \"{end}\"\n"), &["--check-past=3"]);
    assert_eq!(
        report["credibility"]["checks"]["look-ahead"]["outcome"], "passed",
        "{}",
        report["credibility"]
    );
    assert!(report["fills"].as_u64() > Some(200), "{}", report["fills"]);
    // What was held at the end of ETHUSDT was settled then, and nothing is left of it.
    assert!(report["positions"]["ETHUSDT"]["qty"] == "0", "{}", report["positions"]);
    assert!(
        report["ledger"]["exits"]["delisted"]["count"].as_u64() > Some(0),
        "{}",
        report["ledger"]
    );
    assert!(report["rejected"]["universe"].as_u64() > Some(0));
    assert_eq!(crate::journal::document("verify", &journal, &[])["same"], true);
    let fills = eth(&journal, "fills", &["ts_ns"]);
    // The settlement is told some milliseconds behind the end.
    let life = LISTED_S * 1_000_000_000..(end_s + 1) * 1_000_000_000;
    assert!(fills.len() > 10 && fills.iter().all(|fill| life.contains(&fill[0])));
}

/// 2025-05-11 00:00:00 UTC.
const LISTED_S: u64 = 1_746_921_600;

/// Numbers of the rows of ETHUSDT in a lane.
fn eth(journal: &Path, lane: &str, columns: &[&str]) -> Vec<Vec<u64>> {
    let text = crate::journal::text("export", journal, &["--lane", lane, "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let names = rows.headers().unwrap().clone();
    let at = |name: &str| names.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let of_eth = rows.iter().filter(|row| &row[at("symbol")] == "ETHUSDT");
    of_eth.map(|row| columns.iter().map(|name| row[at(name)].parse().unwrap()).collect()).collect()
}

/// A week of three symbols.
fn week_of(folder: &Path, kline: &Path) -> PathBuf {
    let text = zstd::decode_all(fs::File::open(kline).unwrap()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let is_wanted = |line: &&str| {
        let mut fields = line.split(',');
        let at: u64 = fields.next().unwrap().parse().unwrap_or(0);
        let symbol = fields.next().unwrap();
        at == 0
            || (1_746_835_200_000..1_747_440_000_000).contains(&at)
                && ["BTCUSDT", "ETHUSDT", "SOLUSDT"].contains(&symbol)
    };
    let week: String = text.split_inclusive('\n').filter(is_wanted).collect();
    let path = folder.join("week.csv");
    fs::write(&path, week).unwrap();
    path
}
