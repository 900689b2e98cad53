//! Headers there and back, beside each other, and broken.

use std::fs;
use std::path::PathBuf;

use fusewire_core::instrument::{ContractType, LotSize, Market, PercentPrice, common};
use fusewire_core::units::{ONE, Px, Qty, Rate};
use fusewire_io::capture::{Format, Merge, OpenOptions, Unit};
use fusewire_io::manifest::{self, ManifestOptions};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::sources::SAMPLE_NAME;

/// 2023-11-14T22:13:20Z, in ns.
const START: u64 = 1_700_000_000_000_000_000;
const FRAME: &str = "{\"e\":\"x\"}";

/// The inputs of a run over two files and the sample.
struct Given {
    folder: TempDir,
    config: Config,
    strategies: Vec<AnyStrategy>,
    universe: Universe,
    sources: Vec<Source>,
    readers: Vec<Reader>,
    recordings: Vec<Recording>,
}

fn given() -> Given {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Source::File(path)
    };
    let sources = vec![
        write("spot_b.us", &format!("{} {FRAME}\n", START / 1_000)),
        write("usdm_a", &format!("1700000000.5: {FRAME}\n")),
        Source::Sample,
    ];
    let open = |source: &Source| source.open(&OpenOptions::default()).unwrap();
    let readers: Vec<Reader> = sources.iter().map(open).collect();
    let recording = |(reader, only, ids): (&Reader, Option<&str>, &[u16])| Recording {
        path: reader.name().to_owned(),
        market: reader.market().unwrap(),
        only_symbol: only.map(str::to_owned),
        instruments: ids.iter().copied().map(InstrumentId).collect(),
    };
    let known = [(Some("ETHUSDT"), &[2][..]), (None, &[]), (None, &[1, 0])];
    let recordings =
        readers.iter().zip(known).map(|(reader, (only, ids))| recording((reader, only, ids)));
    let mut config = Config::default();
    config.run.strategy = "taker, quoter".to_owned();
    config.run.seed = u64::MAX;
    config.risk.profile = ProfileName::Bench;
    let strategies = config.strategies(&config.run.strategy).unwrap();
    let listed = [(Market::UsdM, "ETHUSDT"), (Market::UsdM, "BTCUSDT"), (Market::Spot, "ETHUSDT")];
    let instruments = listed.map(|(market, symbol)| common(market, symbol).unwrap());
    Given {
        recordings: recordings.collect(),
        folder,
        strategies: strategies.into_iter().map(|(_, strategy)| strategy).collect(),
        config,
        universe: Universe::new(instruments.into()).unwrap(),
        sources,
        readers,
    }
}

impl Given {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            created: Nanos(START + 7),
            config: &self.config,
            strategies: &self.strategies,
            universe: &self.universe,
            tradable: &[InstrumentId(0), InstrumentId(1)],
            sources: &self.sources,
            readers: &self.readers,
            recordings: &self.recordings,
            first_recv: Nanos(START),
            frames: Frames::Reference,
            allow_broken: false,
        }
    }

    fn header(&self) -> Header {
        Header::new(&self.inputs()).unwrap()
    }
}

fn back(header: &Header) -> Header {
    Header::from_json(&header.to_json()).unwrap()
}

fn document(header: &Header) -> Value {
    serde_json::from_slice(&header.to_json()).unwrap()
}

fn read(document: &Value) -> Result<Header, String> {
    Header::from_json(&serde_json::to_vec(document).unwrap())
}

#[test]
fn a_header_says_what_ran_and_reads_back_whole() {
    let given = given();
    let header = given.header();
    assert_eq!(header.to_json(), given.header().to_json());
    let found = back(&header);
    assert_eq!(found, header);
    assert_eq!(found.to_json(), header.to_json());
    assert_eq!(found.config(), Ok(given.config.clone()));
    let listed = |universe: &Universe| universe.iter().map(|(_, i)| i.clone()).collect::<Vec<_>>();
    assert_eq!(listed(&found.universe().unwrap()), listed(&given.universe));
    assert_eq!((found.session, found.seed, found.profile), (1, u64::MAX, ProfileName::Bench));
    assert_eq!(found.strategies, ["taker", "quoter"]);
    assert_eq!(found.account.balance, Usd(10_000 * ONE));
    let Build { version, commit } = &found.build;
    assert_eq!(format!("{version} ({commit})"), crate::cli::VERSION);
}

#[test]
fn sources_stand_in_merge_order_with_all_that_finds_them_again() {
    let given = given();
    let header = given.header();
    let [spot, usdm, sample] = &header.sources[..] else { panic!("three were given") };
    let Source::File(path) = &given.sources[0] else { panic!("the first is a file") };
    let expected = SourceRecord {
        name: path.display().to_string(),
        path: Some(path.canonicalize().unwrap().to_str().unwrap().to_owned()),
        in_journal: None,
        market: Market::Spot,
        format: Format::Collector,
        unit: Some(Unit::Micros),
        only_symbol: Some("ETHUSDT".to_owned()),
        instruments: vec![InstrumentId(2)],
        bytes: Some(27),
        blake3: Some(blake3::hash(&fs::read(path).unwrap())),
    };
    assert_eq!(*spot, expected);
    assert_eq!((usdm.market, usdm.format, usdm.unit), (Market::UsdM, Format::CryptofeedText, None));
    assert_eq!((sample.name.as_str(), &sample.path), (SAMPLE_NAME, &None));
    assert_eq!((sample.bytes, sample.blake3), (None, None));
    assert_eq!(sample.instruments, [InstrumentId(1), InstrumentId(0)]);
    let sources: Vec<Source> = header.sources.iter().map(|s| s.source().unwrap()).collect();
    assert_eq!(sources, given.sources);
    for source in &header.sources {
        assert_eq!(source.unchanged(), Ok(()));
    }
}

#[test]
fn a_recording_that_is_another_one_by_now_is_found_out() {
    let given = given();
    let header = given.header();
    let source = &header.sources[0];
    let path = source.path.as_deref().unwrap();
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replace('x', "y")).unwrap();
    assert_eq!(
        source.unchanged(),
        Err(format!("{path}: changed since the run, its content is another one"))
    );
    fs::write(path, "").unwrap();
    let length = format!("{path}: changed since the run, 27 bytes then, 0 now");
    assert_eq!(source.unchanged(), Err(length));
    fs::remove_file(path).unwrap();
    assert!(source.unchanged().is_err_and(|error| error.starts_with(&format!("{path}: "))));
    assert!(Header::new(&given.inputs()).is_err());
}

#[test]
fn where_frames_are_copied_nothing_says_where_a_recording_was() {
    let given = given();
    let header = Header::new(&Inputs { frames: Frames::Copy, ..given.inputs() }).unwrap();
    let referring = given.header();
    for (source, referred) in header.sources.iter().zip(&referring.sources) {
        assert_eq!(source, &SourceRecord { path: None, ..referred.clone() });
        assert_eq!(source.unchanged(), Ok(()));
    }
    assert!(header.sources[0].source().is_err());
    assert_eq!(header.sources[2].source(), Ok(Source::Sample));
    assert_eq!(back(&header), header);
    let mut placed = document(&header);
    placed["sources"][0]["path"] = json!("/a");
    let error = read(&placed).unwrap_err();
    assert!(error.ends_with("there is a path, and frames are copies"), "{error}");
    assert!(header.differences(&referring).iter().all(|difference| !difference.decides));
}

#[test]
fn content_is_length_and_blake3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, "abc").unwrap();
    let found = content_hash(&path).unwrap();
    let known = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    assert_eq!((found.bytes, found.blake3.to_string().as_str()), (3, known));
    assert!(content_hash(&folder.path().join("y")).is_err());
}

#[test]
fn layouts_have_the_names_that_manifests_use() {
    let header = r#"{"t":"header","format":2,"exchange":"BINANCE_FUTURES"}"#;
    let texts =
        [format!("{START} {FRAME}\n"), format!("{header}\n"), format!("1700000000.5: {FRAME}\n")];
    let market = Some(Market::UsdM);
    let options = OpenOptions { market, ..OpenOptions::default() };
    let open = |text: &String| {
        let bytes = std::io::Cursor::new(text.clone().into_bytes());
        Reader::from_read("x", Box::new(bytes), &options).unwrap()
    };
    let mut record = given().header().sources.remove(2);
    let limits = ManifestOptions { gap_max: Nanos(1), clock_offset_note: Nanos(1) };
    let mut names = Vec::new();
    for text in &texts {
        record.format = open(text).format();
        let merge = Merge::new(vec![open(text)]).unwrap();
        let scanned = manifest::scan(merge, &limits, &mut |_| {}).unwrap();
        let name = scanned.manifest.files[0].format;
        let value = serde_json::to_value(&record).unwrap();
        assert_eq!(value["format"], name);
        assert_eq!(serde_json::from_value::<SourceRecord>(value).unwrap(), record);
        names.push(name);
    }
    assert_eq!(names, ["collector", "cryptofeed-json", "cryptofeed-text"]);
}

/// The layout, to be seen when it changes: that is another format.
#[test]
fn the_document_has_this_layout() {
    let mut header = given().header();
    header.build = Build { version: "1.2.3".to_owned(), commit: "abc".to_owned() };
    header.config = "[a]\n".to_owned();
    header.sources.drain(..2);
    header.instruments.truncate(2);
    header.instruments[1].tick = None;
    header.instruments[1].min_notional = None;
    header.instruments[1].percent_price = None;
    header.instruments[1].max_orders = None;
    header.instruments[1].trading = false;
    let expected = concat!(
        r#"{"format":1,"build":{"version":"1.2.3","commit":"abc"},"#,
        r#""created":{"ns":"1700000000000000007","utc":"2023-11-14T22:13:20.000000007Z"},"#,
        r#""session":1,"seed":18446744073709551615,"profile":"bench","#,
        r#""strategies":["taker","quoter"],"config":"[a]\n","instruments":["#,
        r#"{"market":"usdm","symbol":"ETHUSDT","contract_type":"perpetual","trading":true,"#,
        r#""tick":"0.01","lot":{"min":"0.001","max":"10000","step":"0.001"},"#,
        r#""market_lot":{"min":"0.001","max":"2000","step":"0.001"},"min_notional":"20","#,
        r#""percent_price":{"up":"1.05","down":"0.95"},"max_orders":200,"contract_size":"1","#,
        r#""price_places":2,"qty_places":3},"#,
        r#"{"market":"usdm","symbol":"BTCUSDT","contract_type":"perpetual","trading":false,"#,
        r#""tick":null,"lot":{"min":"0.001","max":"1000","step":"0.001"},"#,
        r#""market_lot":{"min":"0.001","max":"120","step":"0.001"},"min_notional":null,"#,
        r#""percent_price":null,"max_orders":null,"contract_size":"1","#,
        r#""price_places":2,"qty_places":3}],"#,
        r#""tradable":[0,1],"account":{"balance":"10000","positions":[]},"venue":"paper","#,
        r#""frames":"reference","sources":[{"name":"embedded sample","path":null,"in_journal":null,"#,
        r#""market":"usdm","format":"collector","unit":"ns","only_symbol":null,"#,
        r#""instruments":[1,0],"bytes":null,"blake3":null}],"allow_broken":false,"#,
        r#""first_recv":{"ns":"1700000000000000000","utc":"2023-11-14T22:13:20.000000000Z"}}"#,
    );
    assert_eq!(String::from_utf8(header.to_json()).unwrap(), expected);
    assert_eq!(back(&header), header);
}

#[test]
fn what_runs_must_be_what_is_configured() {
    let mut given = given();
    given.strategies.pop();
    let Failure(lines) = Header::new(&given.inputs()).unwrap_err();
    assert_eq!(lines, ["journal header: strategies and the configuration disagree"]);
}

#[test]
fn a_header_that_contradicts_its_configuration_gives_none() {
    let fault = |change: fn(&mut Header)| {
        let mut header = given().header();
        change(&mut header);
        back(&header).config().unwrap_err()
    };
    let disagree =
        |key: &str| vec![format!("journal header: {key} and the configuration disagree")];
    assert_eq!(fault(|header| header.seed = 0), disagree("seed"));
    assert_eq!(fault(|header| header.profile = ProfileName::Default), disagree("profile"));
    assert_eq!(fault(|header| header.strategies.reverse()), disagree("strategies"));
    assert_eq!(fault(|header| header.session = 2), disagree("session"));
    assert_eq!(fault(|header| header.account.balance = Usd(1)), disagree("account.balance"));
    let faults = fault(|header| header.config = header.config.replace("tick_ms", "tock_ms"));
    let at = header_line("tick_ms");
    assert_eq!(
        faults,
        [
            format!(
                "journal header, config:{at}: unknown key 'clock.tock_ms', did you mean 'tick_ms'?"
            ),
            "journal header, config: key 'clock.tick_ms' is missing".to_owned(),
        ]
    );
}

fn header_line(key: &str) -> usize {
    let config = given().header().config;
    config.lines().position(|line| line.starts_with(key)).unwrap() + 1
}

/// The differences as lines, between a header and one that was changed.
fn differences(change: impl FnOnce(&mut Header)) -> Vec<String> {
    let header = given().header();
    let mut other = header.clone();
    change(&mut other);
    header.differences(&other).iter().map(ToString::to_string).collect()
}

#[test]
fn runs_are_told_apart_by_key() {
    assert!(differences(|_| {}).is_empty());
    assert!(differences(|other| other.created = Nanos(0)).is_empty());
    let replaced = |other: &mut Header, from: &str, to: &str| {
        assert!(other.config.contains(from), "{from}");
        other.config = other.config.replacen(from, to, 1);
    };
    let found = differences(|other| {
        other.build.commit = "f00".to_owned();
        other.seed = 5;
        other.strategies.remove(0);
        other.tradable.remove(0);
        other.first_recv = Nanos(START + 1);
        replaced(other, "collar_bp = \"100\"", "collar_bp = \"200\"");
        replaced(other, "sync_ms = 1000", "sync_ms = 10");
        replaced(other, "[clock]", "[clock]\nnew_key = true");
    });
    let commit = Build::this().commit;
    assert_eq!(
        found,
        [
            format!("build.commit: {commit} | f00"),
            "clock.new_key: - | true".to_owned(),
            "first_recv: 2023-11-14T22:13:20.000000000Z | 2023-11-14T22:13:20.000000001Z"
                .to_owned(),
            "journal.sync_ms: 1000 | 10 (decides nothing)".to_owned(),
            "limits_default.collar_bp: 100 | 200".to_owned(),
            "seed: 18446744073709551615 | 5".to_owned(),
            "strategies: [\"taker\",\"quoter\"] | [\"quoter\"]".to_owned(),
            "tradable: [0,1] | [1]".to_owned(),
        ]
    );
}

#[test]
fn instruments_and_recordings_are_told_apart() {
    let found = differences(|other| {
        other.instruments.swap(0, 1);
        other.instruments[2].tick = None;
        other.instruments[2].lot.max = Qty(ONE);
    });
    assert_eq!(
        found,
        [
            "instruments.spot:ETHUSDT.lot.max: 9000 | 1",
            "instruments.spot:ETHUSDT.tick: 0.01 | -",
            "instruments.usdm:BTCUSDT.number: 1 | 0",
            "instruments.usdm:ETHUSDT.number: 0 | 1",
        ]
    );
    let found = differences(|other| {
        other.frames = Frames::Copy;
        other.allow_broken = true;
        let source = &mut other.sources[0];
        source.name = "n".to_owned();
        source.path = Some("/p".to_owned());
        source.bytes = Some(9);
        source.only_symbol = None;
    });
    let keys: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
    let decided: Vec<bool> =
        found.iter().map(|line| !line.ends_with("(decides nothing)")).collect();
    assert_eq!(
        keys,
        [
            "allow_broken",
            "frames",
            "sources[0].bytes",
            "sources[0].name",
            "sources[0].only_symbol",
            "sources[0].path",
        ]
    );
    assert_eq!(decided, [false, false, true, false, true, false]);
}

#[test]
fn a_configuration_that_is_none_is_compared_as_text() {
    let found = differences(|other| other.config = "= nothing".to_owned());
    assert!(found.contains(&"config: - | = nothing".to_owned()), "{found:?}");
    assert!(found.contains(&"clock.tick_ms: 100 | -".to_owned()), "{found:?}");
}

#[test]
fn another_format_is_refused_by_its_number() {
    let mut document = document(&given().header());
    for format in [0, 2, 4_294_967_297_u64] {
        document["format"] = json!(format);
        let error = format!("journal header: format {format} is not known, this build reads 1");
        assert_eq!(read(&document), Err(error));
    }
    let newer = br#"{"format":2,"something":"else"}"#;
    assert!(Header::from_json(newer).is_err_and(|error| error.contains("format 2 is not known")));
}

#[test]
fn what_is_no_header_is_a_line() {
    let json = given().header().to_json();
    for end in [0, 1, json.len() / 2, json.len() - 1] {
        let error = Header::from_json(&json[..end]).unwrap_err();
        assert!(error.starts_with("journal header: EOF"), "{error}");
    }
    let doubled = [&json[..], b"{}"].concat();
    assert!(Header::from_json(&doubled).is_err_and(|error| error.contains("trailing characters")));
    assert!(Header::from_json(b"\xff\xfe").is_err());
    let deep = "[".repeat(100_000);
    assert!(Header::from_json(format!("{{\"format\":1,\"build\":{deep}").as_bytes()).is_err());
}

#[test]
fn values_out_of_their_bounds_are_named() {
    let header = document(&given().header());
    let fault = |pointer: &str, value: Value| {
        let mut document = header.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        read(&document).unwrap_err()
    };
    let huge = "9".repeat(40);
    for (pointer, value, part) in [
        ("/tradable", json!([1, 0]), "tradable: not rising numbers of 3 instruments"),
        ("/tradable", json!([0, 0]), "tradable: not rising"),
        ("/tradable/1", json!(3), "tradable: not rising"),
        ("/tradable/1", json!(65_536), "65536"),
        ("/sources/0/instruments/0", json!(3), "sources[0] ("),
        ("/sources/0/path", json!("a/b"), "path \"a/b\" is not absolute"),
        ("/sources/0/path", Value::Null, "path, bytes and blake3 go together"),
        ("/sources/0/bytes", Value::Null, "path, bytes and blake3 go together"),
        ("/sources/2/blake3", json!("0".repeat(64)), "path, bytes and blake3 go together"),
        ("/sources/2/name", json!("other"), "other: neither a file nor the embedded sample"),
        ("/sources/0/blake3", json!("00"), "hex"),
        ("/sources/0/market", json!("USDM"), "unknown market 'USDM'"),
        ("/sources/0/unit", json!("s"), "unknown unit 's'"),
        ("/sources/0/in_journal", json!(0), "in_journal goes with the format of a journal"),
        ("/sources/2/format", json!("journal"), "in_journal goes with the format of a journal"),
        ("/sources/0/format", json!("csv"), "unknown format of recordings 'csv'"),
        ("/account/positions", json!([1]), "trailing characters"),
        ("/account/balance", json!(huge), "is no decimal"),
        ("/venue", json!("live"), "unknown variant `live`"),
        ("/frames", json!("both"), "unknown variant `both`"),
        ("/profile", json!("bold"), "unknown variant `bold`"),
        ("/created/ns", json!("x"), "\"x\" are no nanoseconds since 1970"),
        ("/created/ns", json!(huge), "no nanoseconds since 1970: number too large"),
        ("/created/ns", json!("0"), "0 ns are 1970-01-01T00:00:00.000000000Z, not \"2023-"),
        ("/seed", json!(-1), "invalid value: integer `-1`"),
        ("/session", json!(65_536), "65536"),
        ("/instruments/2/symbol", json!(""), "instruments[2] (): symbol is empty"),
        ("/instruments/0/symbol", json!("BTCUSDT"), "BTCUSDT is listed twice"),
        ("/instruments/0/market", json!("nowhere"), "unknown market 'nowhere'"),
        ("/instruments/0/contract_type", json!("swap"), "unknown contract_type 'swap'"),
        ("/instruments/0/tick", json!("0"), "instruments[0] (ETHUSDT): tick must be above zero"),
        ("/instruments/0/tick", json!("1e-9"), "tick = \"1e-9\": more decimal places"),
        ("/instruments/0/lot/step", json!("0"), "lot.step must be above zero"),
        ("/instruments/0/market_lot/step", json!("-1"), "market_lot.step must be above zero"),
        ("/instruments/0/lot/min", json!("-1"), "lot.min must not be negative"),
        ("/instruments/0/market_lot/max", json!("0"), "market_lot.max not below it"),
        ("/instruments/0/lot/max", json!(huge), "out of range"),
        ("/instruments/0/min_notional", json!("-1"), "min_notional must not be negative"),
        ("/instruments/0/percent_price/down", json!("-1"), "percent_price.down must not"),
        ("/instruments/0/percent_price/up", json!("0.9"), "percent_price.up not below it"),
        ("/instruments/0/max_orders", json!(0), "max_orders must be above zero"),
        ("/instruments/0/contract_size", json!("0"), "contract_size must be above zero"),
        ("/instruments/0/price_places", json!(9), "price_places and qty_places are at most 8"),
        ("/instruments/0/qty_places", json!(4_000_000_000_u32), "are at most 8"),
    ] {
        let error = fault(pointer, value.clone());
        assert!(error.starts_with("journal header: "), "{error}");
        assert!(error.contains(part), "{pointer} = {value}: {error} should say {part}");
    }
    let many = vec![header["sources"][2].clone(); SOURCES_MAX + 1];
    assert!(fault("/sources", json!(many)).contains("sources: 257, the limit is 256"));
}

/// The pointers of all values in a document.
fn pointers(value: &Value, prefix: &str, found: &mut Vec<String>) {
    found.push(prefix.to_owned());
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| pointers(value, &format!("{prefix}/{key}"), found)),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .for_each(|(index, value)| pointers(value, &format!("{prefix}/{index}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_value_may_be_hostile() {
    let header = given().header();
    let whole = document(&header);
    let mut all = Vec::new();
    pointers(&whole, "", &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let nested: Value = serde_json::from_str(&("[".repeat(100) + &"]".repeat(100))).unwrap();
    let hostile = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("-"),
        json!("1e999999999999"),
        json!("9".repeat(1_000)),
        json!("\u{0}\u{7f}币"),
        json!([]),
        json!([[]]),
        json!([{}, 1]),
        json!({}),
        nested,
    ];
    let mut read_all_the_same = 0;
    for pointer in &all {
        for value in &hostile {
            let mut document = whole.clone();
            *document.pointer_mut(pointer).unwrap() = value.clone();
            let Ok(found) = read(&document) else { continue };
            // What is read can be used, whatever it says.
            assert!(found.universe().is_ok(), "{pointer} = {value}");
            let _ = found.config();
            let _ = header.differences(&found);
            assert_eq!(back(&found), found, "{pointer} = {value}");
            read_all_the_same += 1;
        }
    }
    assert!(read_all_the_same > 0);
}

#[test]
fn every_key_must_be_there_and_no_other() {
    let whole = document(&given().header());
    let mut all = Vec::new();
    pointers(&whole, "", &mut all);
    for pointer in &all {
        let mut document = whole.clone();
        if let Value::Object(fields) = document.pointer_mut(pointer).unwrap() {
            fields.insert("extra".to_owned(), Value::Null);
            let error = read(&document).unwrap_err();
            assert!(error.contains("unknown field `extra`"), "{pointer}: {error}");
        }
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        let mut document = whole.clone();
        if let Value::Object(fields) = document.pointer_mut(parent).unwrap() {
            fields.remove(key).unwrap();
            let error = read(&document).unwrap_err();
            assert!(error.contains(&format!("missing field `{key}`")), "{pointer}: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_a_line() {
    use std::os::unix::ffi::OsStringExt;

    let mut given = given();
    let name = std::ffi::OsString::from_vec(b"usdm_\xff".to_vec());
    let path: PathBuf = given.folder.path().join(name);
    fs::write(&path, format!("{START} {FRAME}\n")).unwrap();
    given.sources[1] = Source::File(path);
    let Failure(lines) = Header::new(&given.inputs()).unwrap_err();
    assert!(lines[0].ends_with("a journal can not name this path, which is no UTF-8"), "{lines:?}");
}

fn lots() -> impl Strategy<Value = LotSize> {
    (0..=i64::MAX, 0..=i64::MAX, 1..=i64::MAX).prop_map(|(a, b, step)| LotSize {
        min: Qty(a.min(b)),
        max: Qty(a.max(b)),
        step: Qty(step),
    })
}

prop_compose! {
    fn filters()(
        tick in proptest::option::of((1..=i64::MAX).prop_map(Px)),
        lot in lots(),
        market_lot in lots(),
        min_notional in proptest::option::of((0..=i64::MAX).prop_map(Usd)),
        percent_price in proptest::option::of((0..=i64::MAX, 0..=i64::MAX)),
        max_orders in proptest::option::of(1..=u32::MAX),
        contract_size in (1..=i64::MAX).prop_map(Usd),
    ) -> Instrument {
        let band = |(a, b): (i64, i64)| PercentPrice { up: Rate(a.max(b)), down: Rate(a.min(b)) };
        let percent_price = percent_price.map(band);
        let base = common(Market::UsdM, "BTCUSDT").unwrap();
        Instrument { tick, lot, market_lot, min_notional, percent_price, max_orders, contract_size, ..base }
    }
}

prop_compose! {
    fn instruments()(
        filters in filters(),
        market in prop_oneof![Just(Market::UsdM), Just(Market::CoinM), Just(Market::Spot)],
        symbol in "\\PC{1,12}",
        contract_type in prop_oneof![
            Just(ContractType::Perpetual),
            Just(ContractType::Dated),
            Just(ContractType::TradFiPerpetual),
            Just(ContractType::Spot),
            Just(ContractType::Unknown),
        ],
        trading in any::<bool>(),
        price_places in 0..=8_u32,
        qty_places in 0..=8_u32,
    ) -> Instrument {
        Instrument { market, symbol, contract_type, trading, price_places, qty_places, ..filters }
    }
}

/// A list alone, as it stands in a header.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct List(#[serde(with = "instrument")] Vec<Instrument>);

proptest! {
    #[test]
    fn instruments_read_back_whole(list in proptest::collection::vec(instruments(), 0..4)) {
        let list = List(list);
        let json = serde_json::to_vec(&list).unwrap();
        prop_assert_eq!(serde_json::from_slice::<List>(&json).unwrap(), list);
    }

    #[test]
    fn any_bytes_are_a_header_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Header::from_json(&bytes).is_err());
    }
}
