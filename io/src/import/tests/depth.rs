//! Sums of a book's depth over bands of percents: what comes out, and what is refused.

use super::*;
use crate::import::whose::SYMBOLS_MAX;

const NAME: &str = "BTCUSDT-bookDepth-2023-01-01.csv";
const NAMES: &str = "timestamp,percentage,depth,notional\n";

/// Two looks as the exchange's files have them, and the inner bands of newer ones.
const ROWS: &str = "2023-01-01 00:00:10,-1,200.5,3300000\n\
    2023-01-01 00:00:10,-0.20,20,331000.25\n\
    2023-01-01 00:00:10,0.20,21.00000000,347000.00000000\n\
    2023-01-01 00:00:10,1.00,150,2480000\n\
    2023-01-01 00:00:40,-1,0,0\n\
    2023-01-01 00:00:40,1,1e2,1650000.123456789\n";

fn refused(rows: &str) -> String {
    let folder = Folder::new();
    let file = folder.file(NAME, &(NAMES.to_owned() + rows));
    let error = folder.refused(Format::BinanceVision, &[file], &usdm());
    error.strip_prefix(&format!("{NAME}: ")).unwrap().to_owned()
}

/// Behind the second that a time names, the nearest band first. With names and without, zipped and not.
#[test]
fn a_look_is_told_when_its_second_is_over_and_from_the_inside() {
    let expected = [
        "1672531211000 BTCUSDT band -20 bp 20 331000.25",
        "1672531211000 BTCUSDT band 20 bp 21 347000",
        "1672531211000 BTCUSDT band -100 bp 200.5 3300000",
        "1672531211000 BTCUSDT band 100 bp 150 2480000",
        "1672531241000 BTCUSDT band -100 bp 0 0",
        "1672531241000 BTCUSDT band 100 bp 100 1650000.12345679",
    ];
    let named = NAMES.to_owned() + ROWS;
    let moved = ROWS.lines().rev().skip(2).map(|line| format!("{line}\n"));
    let moved: String = moved.chain(ROWS.lines().skip(4).map(|line| format!("{line}\n"))).collect();
    let columns = "notional,timestamp,depth,percentage\n331000.25,2023-01-01 00:00:10,20,-0.2\n";
    for (text, count) in [(ROWS, 6), (&named, 6), (&moved, 6), (columns, 1)] {
        let folder = Folder::new();
        let file = folder.file(NAME, text);
        let told = folder.told(Format::BinanceVision, &[file], &usdm());
        assert_eq!(told, expected[..count], "{text}");
    }
    let folder = Folder::new();
    let file = folder.zip("BTCUSDT-bookDepth-2023-01-01.zip", &[(NAME, &named)]);
    let imported = folder.import(Format::BinanceVision, &[file], &usdm()).unwrap();
    assert_eq!(told(&folder.path("out/usdm_binance-vision.tape")), expected);
    let facts = &imported.inputs[0].facts;
    assert_eq!((facts.rows(), facts.rounded), (6, 1));
    assert_eq!(facts.streams["BTCUSDT bookDepth"].first_ns, 1_672_531_211_000_000_000);
}

#[test]
fn a_row_that_can_not_be_is_refused_with_its_line_and_field() {
    let at = "2023-01-01 00:00:10";
    for (rows, expected) in [
        ("{at},0,1,1", "line 2: percentage \"0\" is no distance: it is neither bids nor asks"),
        ("{at},-0.00,1,1", "line 2: percentage \"-0.00\" is no distance"),
        ("{at},100.1,1,1", "line 2: percentage \"100.1\" is not within the price"),
        ("{at},NaN,1,1", "line 2: percentage \"NaN\" is no number"),
        ("{at},1,NaN,1", "line 2: depth \"NaN\" is no number"),
        ("{at},1,1,", "line 2: notional \"\" is no number"),
        ("{at},1,-1,1", "line 2: depth \"-1\" is below zero"),
        ("{at},1,1,-1", "line 2: notional \"-1\" is below zero"),
        ("{at},1,1", "line 2: 3 fields, and the line before had 4"),
        ("yesterday,1,1,1", "line 2: timestamp \"yesterday\" is no time"),
        ("{at},1,5,5\n{at},2,4,9", "line 3: depth \"4\" contradicts line 2: further away there"),
        ("{at},1,5,5\n{at},2,6,4", "line 3: notional \"4\" contradicts line 2"),
        ("{at},-5,5,5\n{at},-1,1,6", "line 3: notional \"6\" contradicts line 2"),
        ("{at},1,5,5\n{at},-1,1,1\n{at},1.0,5,5", "line 4: percentage \"1.0\" stands in line 2"),
        ("{at},1,5,5\n2023-01-01 00:00:09,1,5,5", "line 3: BTCUSDT goes back in time: line 2 is"),
    ] {
        let rows = rows.replace("{at}", at);
        let error = refused(&rows);
        assert!(error.starts_with(expected), "{rows}: {error}");
    }
    let many: String = (1..=65).map(|n| format!("{at},{n},1,1\n")).collect();
    assert_eq!(refused(&many), "line 66: more than 64 bands of one time");
}

#[test]
fn two_files_that_tell_the_same_look_are_refused() {
    let folder = Folder::new();
    let files = ["BTCUSDT-bookDepth-2023-01-01.csv", "BTCUSDT-bookDepth-2023-01-02.csv"];
    let last = "2023-01-01 00:00:40,1,1,1\n";
    let files = [folder.file(files[0], ROWS), folder.file(files[1], last)];
    let error = folder.refused(Format::BinanceVision, &files, &usdm());
    assert_eq!(
        error,
        "BTCUSDT-bookDepth-2023-01-02.csv: holds BTCUSDT bookDepth of times that \
         BTCUSDT-bookDepth-2023-01-01.csv holds too"
    );
}

#[test]
fn other_markets_and_other_tables_of_columns_are_refused() {
    let folder = Folder::new();
    let file = folder.file(NAME, ROWS);
    let coin = Options { market: Some(Market::CoinM), ..Options::default() };
    let error = folder.refused(Format::BinanceVision, &[file], &coin);
    assert!(error.contains("bookDepth is read of usdm alone"), "{error}");
    let file = folder.file(NAME, "timestamp,percentage,depth\n2023-01-01 00:00:10,1,1\n");
    let error = folder.refused(Format::BinanceVision, &[file], &usdm());
    assert!(error.contains("line 1: column notional is missing"), "{error}");
    let file = folder.file(NAME, "2023-01-01 00:00:10,1,1\n");
    let error = folder.refused(Format::BinanceVision, &[file], &usdm());
    assert!(error.contains("line 1: 3 fields without names: expected 4"), "{error}");
}

/// A symbol a row, so that memory would grow with the file: of each table, and of each pass over it.
#[test]
fn more_symbols_than_there_can_be_are_refused() {
    let at = "2023-01-01 00:00:10";
    let rows = |row: &dyn Fn(usize) -> String| (0..=SYMBOLS_MAX).map(row).collect::<String>();
    for (format, name, columns, row) in [
        (
            Format::BinanceVision,
            "bookDepth.csv",
            "symbol,timestamp,percentage,depth,notional\n",
            &|n: usize| format!("S{n},{at},1,1,1\n") as String,
        ),
        (Format::Funding, "f.csv", "symbol,timestamp,funding_rate\n", &|n: usize| {
            format!("S{n},{at},0.1\n")
        }),
        (Format::Klines, "k.csv", "symbol,open_time,open,high,low,close,volume\n", &|n: usize| {
            format!("S{n},{at},1,1,1,1,1\n")
        }),
    ] as [(Format, &str, &str, &dyn Fn(usize) -> String); 3]
    {
        let folder = Folder::new();
        let file = folder.file(name, &(columns.to_owned() + &rows(row)));
        let error = folder.refused(format, &[file], &usdm());
        let line = SYMBOLS_MAX + 2;
        assert_eq!(error, format!("{name}: line {line}: more than 16384 symbols in one file"));
    }
}
