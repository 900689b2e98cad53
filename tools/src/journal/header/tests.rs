//! Headers there and back, beside each other, and broken.

mod any;
mod differences;
mod hostile;

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
