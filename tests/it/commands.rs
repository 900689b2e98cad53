//! Every verb from the command line.

use std::fs;
use std::io::Write;

use fusewire_tests::{fusewire, fusewire_in, json};
use serde_json::{Value, json as value};

fn text_of(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn replay_without_arguments_runs_the_embedded_sample() {
    let report = json(&["replay", "--json"]);
    for key in ["frames", "events", "books", "manifest", "wall_s"] {
        assert!(!report[key].is_null(), "{key}");
    }
    assert_eq!(report["strategy"], "quoter");
    assert_eq!(report["books"].as_object().unwrap().len(), 2);
    for (key, book) in report["books"].as_object().unwrap() {
        assert_eq!((&book["synced"], &book["gaps"]), (&true.into(), &0.into()), "{key}");
        assert!(book["bid"].is_string() && book["ask_qty"].is_string(), "{key}");
    }
    let shown = text_of(&fusewire(&["replay"]));
    for part in ["embedded sample", "complete", "BTCUSDT", "synced", "bookTicker", "digest"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}

/// All that a report says except how long it took.
fn timeless(mut report: Value) -> Value {
    for key in ["wall_s", "memory_peak_bytes", "latency_ns", "measuring", "gates"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

#[test]
fn the_same_input_gives_the_same_report_whatever_the_order_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("{}/", folder.path().display());
    let symbols = "BTCUSDT,ETHUSDT,XRPUSDT";
    json(&["synth", "burst", "--minutes", "1", "--json", "--symbols", symbols, "--out", &out]);
    let file = |symbol: &str| format!("{out}usdm_{symbol}_burst.ns.gz");
    let [a, b, c] = ["btcusdt", "ethusdt", "xrpusdt"].map(file);
    let first = timeless(json(&["replay", "--json", &a, &b, &c]));
    let shuffled = timeless(json(&["replay", "--json", &c, &a, &b]));
    assert_eq!(first["books"].as_object().unwrap().len(), 3);
    assert_eq!(first, shuffled);
    assert_eq!(first, timeless(json(&["replay", "--json", &a, &b, &c])));
    let whole = timeless(json(&["replay", "--json", folder.path().to_str().unwrap()]));
    assert_eq!(whole["books"], first["books"]);
}

#[test]
fn symbols_choose_and_the_rest_is_counted() {
    let report = json(&["replay", "--json", "--symbols", "ETHUSDT"]);
    assert_eq!(report["books"].as_object().unwrap().keys().collect::<Vec<_>>(), ["ETHUSDT"]);
    let outside = report["outside_universe"].as_u64().unwrap();
    assert_eq!(
        outside
            + report["messages"]
                .as_object()
                .unwrap()
                .values()
                .filter_map(Value::as_u64)
                .sum::<u64>(),
        report["frames"].as_u64().unwrap()
    );
}

fn decode(folder: &std::path::Path, lines: &[&str], arguments: &[&str]) -> Vec<Value> {
    let path = folder.join("frames.txt");
    let mut file = fs::File::create(&path).unwrap();
    lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
    let mut all = vec!["decode", path.to_str().unwrap()];
    all.extend(arguments);
    text_of(&fusewire(&all)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn decode_prints_one_json_line_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let frames = [
        r#"1700000000000000000 {"e":"trade","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","t":7,"p":"5.00001E4","q":"0.0020","X":"MARKET","m":true}"#,
        r#"{"stream":"ethusdt@depth20","data":{"lastUpdateId":105,"bids":[["2000.10","4"]],"asks":[]}}"#,
        r#"{"result":null,"id":1}"#,
        r#"{"e":"trade","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","t":7,"p":"x","q":"1","m":true}"#,
        r#"{"e":"aggTrade","E":1,"s":"BTCUSD_PERP","a":1,"p":"1","q":"1","f":1,"l":1,"T":1,"m":true,"st":2}"#,
        r#"[{"e":"markPriceUpdate","E":1,"s":"A","p":"1","st":1},{"e":"markPriceUpdate","E":1,"s":"B","p":"2"},{"e":"markPriceUpdate","E":1,"s":"C","p":"2","st":2}]"#,
    ];
    let rows = decode(folder.path(), &frames, &[]);
    assert_eq!(rows.len(), frames.len());
    let trade = value!({
        "ok": true, "kind": "trade", "symbol": "BTCUSDT", "event_time_ms": 1_700_000_000_002_u64,
        "transaction_time_ms": 1_700_000_000_001_u64, "id": 7, "price": "50000.1", "qty": "0.002",
        "aggressor": "sell", "origin": "market",
    });
    assert_eq!(rows[0], trade);
    assert_eq!((&rows[1]["kind"], &rows[1]["symbol"]), (&"partialDepth".into(), &"ETHUSDT".into()));
    assert_eq!(rows[1]["bids"], value!([["2000.1", "4"]]));
    assert_eq!(rows[2], value!({"ok": true, "kind": "ignored", "why": "control answer"}));
    let fault = frames[3].find("\"x\"").unwrap();
    assert_eq!((&rows[3]["ok"], &rows[3]["offset"]), (&false.into(), &fault.into()));
    assert!(rows[3]["error"].as_str().unwrap().contains("\"p\""));
    assert_eq!(rows[4]["kind"], "ignored");
    assert_eq!(rows[5]["items"].as_array().unwrap().len(), 2);
    assert_eq!(rows[5]["ignored"].as_array().unwrap().len(), 1);
    // The reference decoder says the same, and comparing finds no difference.
    let errors = |rows: &[Value]| rows.iter().map(|row| row["ok"] == false).collect::<Vec<_>>();
    let reference = decode(folder.path(), &frames, &["--reference"]);
    assert_eq!(errors(&reference), errors(&rows));
    assert_eq!([&reference[..3], &reference[4..]], [&rows[..3], &rows[4..]]);
    let compared = decode(folder.path(), &frames, &["--compare"]);
    assert!(compared.iter().all(|row| row.get("mismatch").is_none()));
}

#[test]
fn config_prints_defaults_that_it_accepts_itself() {
    let folder = tempfile::tempdir().unwrap();
    let defaults = text_of(&fusewire(&["config"]));
    fs::write(folder.path().join("f.toml"), &defaults).unwrap();
    assert_eq!(text_of(&fusewire_in(folder.path(), &["config", "f.toml"])), "f.toml: valid\n");
    let report =
        json(&["replay", "--json", "--config", folder.path().join("f.toml").to_str().unwrap()]);
    assert_eq!(timeless(report), timeless(json(&["replay", "--json"])));
}

#[test]
fn configured_symbols_number_the_universe_and_instruments_win() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[universe]\nsymbols = [\"ETHUSDT\", \"BTCUSDT\"]\n[[instrument]]\nmarket = \"usdm\"\n\
                symbol = \"ETHUSDT\"\ncontract = \"perpetual\"\ntick = \"0.05\"\nlot_step = \"1\"\nlot_max = \"9\"\n";
    fs::write(folder.path().join("f.toml"), text).unwrap();
    let config = folder.path().join("f.toml");
    let report = json(&["replay", "--json", "--config", config.to_str().unwrap()]);
    // A tick that does not fit the prices costs a finer grid and nothing else.
    let plain = json(&["replay", "--json"]);
    assert!(report["books"]["ETHUSDT"]["regrids"].as_u64().unwrap() > 0);
    assert_eq!(report["books"]["ETHUSDT"]["bid"], plain["books"]["ETHUSDT"]["bid"]);
    assert_eq!(report["books"]["BTCUSDT"], plain["books"]["BTCUSDT"]);
}

#[test]
fn completions_and_version() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(text_of(&fusewire(&["completions", shell])).contains("fusewire"), "{shell}");
    }
    let version = text_of(&fusewire(&["--version"]));
    assert!(version.starts_with("fusewire 0.") && version.contains('('), "{version}");
}

#[test]
fn doctor_has_stable_keys_whatever_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs/not/made/yet");
    let report = json(&["doctor", "--json", "--cores", "0", "--journal", runs.to_str().unwrap()]);
    let checks = report["checks"].as_array().unwrap();
    let (verdicts, costs) =
        (["ok", "warn", "unknown"], ["run", "milliseconds", "microseconds", "nanoseconds"]);
    for check in checks {
        assert!(check["name"].is_string() && check["measured"].is_string(), "{check}");
        assert!(verdicts.iter().any(|verdict| check["verdict"] == *verdict), "{check}");
        assert!(costs.iter().any(|cost| check["cost"] == *cost), "{check}");
        assert_eq!(check["remedy"] == "", check["verdict"] == "ok", "{check}");
    }
    for key in ["name", "measured"] {
        assert!(
            report["notes"].as_array().unwrap().iter().all(|note| note[key].is_string()),
            "{key}"
        );
    }
    let ok = checks.iter().filter(|check| check["verdict"] == "ok").count();
    assert_eq!(
        (&report["score"]["ok"], &report["score"]["total"]),
        (&ok.into(), &checks.len().into())
    );
    assert!(report["score"]["points"].as_u64() <= report["score"]["points_total"].as_u64());
    let found = |name| checks.iter().find(|check| check["name"] == name).unwrap();
    // Core 0 is never one for a stage; the folder above the missing ones has a file system.
    assert_ne!(found("stage_cores")["verdict"], "ok");
    assert_ne!(found("journal_space")["verdict"], "unknown");
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    let shown = text_of(&fusewire(&["doctor"]));
    for name in ["cpu_count", "clock_source", "swap", "journal_file_system"] {
        assert!(names.contains(&name) && shown.contains(name), "{name}");
    }
    assert!(!folder.path().join("runs").exists(), "doctor only looks");
}

#[test]
fn doctor_refuses_what_is_no_list_of_cores() {
    for bad in ["", "two", "5-2"] {
        let output = fusewire(&["doctor", "--cores", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("2-5"), "{bad}");
    }
    assert!(text_of(&fusewire(&["doctor", "--help"])).contains("docs/tuned-linux.md"));
}

#[test]
fn an_instrument_file_describes_what_the_table_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("usdm_btcusdt.ns");
    json(&["synth", "calm", "--minutes", "1", "--json", "--out", out.to_str().unwrap()]);
    let renamed = fs::read_to_string(&out).unwrap().replace("BTCUSDT", "NEWUSDT");
    let renamed = renamed.replace("btcusdt", "newusdt");
    let capture = folder.path().join("usdm_newusdt.ns");
    fs::write(&capture, renamed).unwrap();
    let info = folder.path().join("info.json");
    let filters = r#"[{"filterType":"PRICE_FILTER","tickSize":"0.10"},{"filterType":"LOT_SIZE","minQty":"1","maxQty":"2","stepSize":"1"}]"#;
    let body =
        format!(r#"{{"symbols":[{{"symbol":"NEWUSDT","status":"TRADING","filters":{filters}}}]}}"#);
    fs::write(&info, body).unwrap();
    let paths = [capture.to_str().unwrap(), info.to_str().unwrap()];
    let report = json(&["replay", "--json", paths[0], "--exchange-info", paths[1]]);
    assert_eq!(report["books"]["NEWUSDT"]["synced"], true);
}

/// A recording on standard input, packed or not, decodes as the file does.
#[test]
fn decode_reads_standard_input_as_it_reads_files() {
    let folder = tempfile::tempdir().unwrap();
    let frame = r#"{"e":"trade","E":1,"T":1,"s":"A","t":1,"p":"1","q":"1","m":true}"#;
    let text = format!("configuration: {{}}\n1617647797.5: {frame}\n1617647797.6: {frame}\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    for (name, bytes) in [("plain.txt", text.into_bytes()), ("packed.gz", packed.finish().unwrap())]
    {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let from_file = fusewire(&["decode", path.to_str().unwrap()]);
        let from_stdin = fusewire_tests::fusewire_with_input(&path, &["decode", "-"]);
        let shown = text_of(&from_file);
        assert_eq!(shown, text_of(&from_stdin), "{name}");
        assert_eq!(shown.matches("\"kind\":\"trade\"").count(), 2, "{name}: {shown}");
    }
}
