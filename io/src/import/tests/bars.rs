//! Candles: their length, their gaps, and when they are known.

use super::*;

const HEAD: &str = "open_time_ms,symbol,open,high,low,close,volume\n";

/// Bars of a symbol at these minutes after midnight.
fn rows(symbol: &str, minutes: &[u64]) -> String {
    minutes.iter().map(|minute| row(symbol, *minute)).collect()
}

fn row(symbol: &str, minute: u64) -> String {
    format!("{},{symbol},10,12,9,11,5.5\n", 1_746_316_800_000 + minute * 60_000)
}

fn table(rows: &[String]) -> String {
    HEAD.to_owned() + &rows.concat()
}

fn refused(text: &str, options: &Options) -> String {
    let folder = Folder::new();
    let file = folder.file("k.csv", text);
    folder.refused(Format::Klines, &[file], options)
}

#[test]
fn x18_a_bar_is_as_long_as_the_data_say_and_known_at_its_end() {
    let folder = Folder::new();
    let file = folder.file("k.csv", &table(&[rows("BTCUSDT", &[0, 5]), rows("ETHUSDT", &[0, 5])]));
    let told = folder.told(Format::Klines, &[file], &usdm());
    let bar = "bar 5m 10 12 9 11 v 5.5 q 0 n 1";
    assert_eq!(
        told,
        [
            format!("1746317100000 BTCUSDT {bar}"),
            format!("1746317100000 ETHUSDT {bar}"),
            format!("1746317400000 BTCUSDT {bar}"),
            format!("1746317400000 ETHUSDT {bar}"),
        ],
        "in the order of time, and of the file within it"
    );
}

#[test]
fn x18_another_length_than_declared_is_refused_with_its_line() {
    let two = table(&[rows("BTCUSDT", &[0, 1])]);
    let five = Options { interval: Some(interval("5s").unwrap()), ..usdm() };
    assert_eq!(
        refused(&two, &five),
        "k.csv: line 3: bars of 1m stand here, and --interval says 5s (X18)"
    );
    let folder = Folder::new();
    let file = folder.file("BTCUSDT-5m-2025-05-04.csv", &two);
    let error = folder.refused(Format::Klines, &[file], &usdm());
    assert!(error.contains("bars of 1m stand here, and the name of the file says 5m"), "{error}");
    // Of another length in the middle, and an end that is none.
    let text = table(&[rows("BTCUSDT", &[0, 2, 4, 5, 7])]);
    let error = refused(&text, &usdm());
    assert_eq!(
        error,
        "k.csv: line 3: 1 bars of BTCUSDT are missing in front of it: pass --allow-gaps to go on without"
    );
    let error = refused(&table(&[rows("BTCUSDT", &[0, 2, 5])]), &usdm());
    assert_eq!(
        error,
        "k.csv: line 4: open_time \"1746317100000\" lies 180 s behind the bar before it, and bars of BTCUSDT are 2m \
         long (X18)"
    );
    let named = Options { symbol: Some("BTCUSDT".to_owned()), ..usdm() };
    // Of five seconds, of the next bar, and a millisecond short.
    for end in ["1746316864999", "1746316920000", "1746316919998"] {
        let ends = format!(
            "open_time,open,high,low,close,volume,close_time\n\
             1746316800000,1,1,1,1,1,1746316859999\n1746316860000,1,1,1,1,1,{end}\n"
        );
        let error = refused(&ends, &named);
        let told =
            format!("k.csv: line 3: close_time \"{end}\" is not the end of a bar of 1m (X18)");
        assert_eq!(error, told);
    }
    let lone = table(&[rows("BTCUSDT", &[0])]);
    assert!(refused(&lone, &usdm()).contains("pass --interval"));
}

#[test]
fn gaps_repetitions_and_days_given_twice_are_refused() {
    let gap = table(&[rows("BTCUSDT", &[0, 1, 4])]);
    let error = refused(&gap, &usdm());
    assert_eq!(
        error,
        "k.csv: line 4: 2 bars of BTCUSDT are missing in front of it: pass --allow-gaps to go on without"
    );
    let folder = Folder::new();
    let file = folder.file("k.csv", &gap);
    let allowed = Options { allow_gaps: true, ..usdm() };
    let imported = folder.import(Format::Klines, &[file], &allowed).unwrap();
    let facts = &imported.inputs[0].facts;
    assert_eq!((facts.bars_missing, facts.gaps.len(), facts.bar_s), (2, 1, Some(60)));

    let again = table(&[rows("BTCUSDT", &[0, 1, 1])]);
    assert_eq!(
        refused(&again, &usdm()),
        "k.csv: line 4: BTCUSDT: the same again as in line 3, or older; --repair puts rows in order and takes equal ones once"
    );
    let twice = table(&[rows("BTCUSDT", &[0, 1, 2]), rows("BTCUSDT", &[0, 1, 2])]);
    let error = refused(&twice, &usdm());
    assert_eq!(
        error,
        "k.csv: line 5: BTCUSDT goes back in time: line 4 is later (a day that stands there twice?); --repair puts rows in order and takes equal ones once"
    );
    let folder = Folder::new();
    let files = [
        folder.file("a.csv", &table(&[rows("BTCUSDT", &[0, 1, 2])])),
        folder.file("b.csv", &table(&[rows("BTCUSDT", &[2, 3])])),
    ];
    let error = folder.refused(Format::Klines, &files, &usdm());
    assert_eq!(error, "b.csv: holds BTCUSDT kline_1m of times that a.csv holds too");
    let same = [files[0].clone(), folder.file("c.csv", &fs::read_to_string(&files[0]).unwrap())];
    let error = folder.refused(Format::Klines, &same, &usdm());
    assert_eq!(error, "c.csv: holds BTCUSDT kline_1m of times that a.csv holds too");
    // Bars of two lengths are two streams.
    let hours = folder.file("BTCUSDT-1h-x.csv", &table(&[rows("BTCUSDT", &[0, 60])]));
    let minutes = folder.file("BTCUSDT-1m-x.csv", &table(&[rows("BTCUSDT", &[0, 1])]));
    assert_eq!(folder.told(Format::Klines, &[hours, minutes], &usdm()).len(), 4);
}

/// Bars of five minutes that are told as those of one are told four minutes before they are over.
#[test]
fn x18_bars_of_another_length_are_refused_where_gaps_are_allowed_too() {
    let allowed = Options { allow_gaps: true, ..usdm() };
    let fives: Vec<u64> = (0..6).map(|n| n * 5).collect();
    let of_two = table(&[rows("BTCUSDT", &[0, 1, 2]), rows("ETHUSDT", &fives)]);
    for options in [&allowed, &usdm()] {
        assert_eq!(
            refused(&of_two, options),
            "k.csv: line 6: bars of ETHUSDT stand 5m apart or more, and those of BTCUSDT 1m: one length a file (X18)"
        );
    }
    let turned = table(&[rows("BTCUSDT", &[0, 1, 2, 3, 8, 13, 18, 23, 28])]);
    assert_eq!(
        refused(&turned, &allowed),
        "k.csv: line 6: 5 bars of BTCUSDT in a row stand 5m apart from here on, and the file has bars of 1m (X18)"
    );
    let twos: Vec<u64> = (0..2).chain((0..21).map(|n| 3 + n * 2)).collect();
    let error = refused(&table(&[rows("BTCUSDT", &twos)]), &allowed);
    assert!(
        error.starts_with("k.csv: line 4: 20 bars of BTCUSDT in a row stand 2m apart"),
        "{error}"
    );
    // As many are missing, and irregularly; and the same distance now and then.
    for minutes in
        [&[0, 1, 6, 11, 16, 21, 27, 32, 37][..], &[0, 1, 3, 5, 7, 9, 11, 13, 15], &[0, 1, 90, 180]]
    {
        let folder = Folder::new();
        let file = folder.file("k.csv", &table(&[rows("BTCUSDT", minutes)]));
        assert_eq!(folder.told(Format::Klines, &[file], &allowed).len(), minutes.len());
    }
}

#[test]
fn bars_that_are_missing_between_files_are_missing() {
    let folder = Folder::new();
    let file = |name: &str, minutes: &[u64]| {
        let both = [rows("BTCUSDT", minutes), rows("ETHUSDT", &[minutes[0], minutes[0] + 1])];
        folder.file(name, &table(&both))
    };
    // By name the later one comes first.
    let files = [file("b.csv", &[0, 1]), file("c.csv", &[2, 3]), file("a.csv", &[1_444, 1_445])];
    let error = folder.refused(Format::Klines, &files, &usdm());
    assert_eq!(
        error,
        "a.csv: 1440 bars of BTCUSDT are missing between c.csv and it: pass --allow-gaps to go on without"
    );
    let allowed = Options { allow_gaps: true, ..usdm() };
    let imported = folder.import(Format::Klines, &files, &allowed).unwrap();
    let counted: Vec<_> =
        imported.inputs.iter().map(|input| (&*input.file, input.facts.bars_missing)).collect();
    assert_eq!(counted, [("a.csv", 2_880), ("b.csv", 0), ("c.csv", 0)]);
    let gap = |symbol: &str| Gap {
        symbol: symbol.to_owned(),
        line: 0,
        bars: 1_440,
        behind: Some("c.csv".to_owned()),
    };
    assert_eq!(imported.inputs[0].facts.gaps, [gap("BTCUSDT"), gap("ETHUSDT")]);
    fs::remove_dir_all(folder.path("out")).unwrap();
    folder.import(Format::Klines, &files[..2], &usdm()).unwrap();
    // Half a minute beside the grid of the file before it.
    let beside = table(&[rows("BTCUSDT", &[4, 5])]).replace("0000,BTC", "1000,BTC");
    let odd = [files[1].clone(), folder.file("d.csv", &beside)];
    let error = Folder::new().refused(Format::Klines, &odd, &allowed);
    assert!(
        error.ends_with(
            "d.csv: its bars of BTCUSDT do not lie a whole number of 1m behind those of c.csv (X18)"
        ),
        "{error}"
    );
}

#[test]
fn marks_that_are_missing_between_files_are_missing() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("futures/um/markPriceKlines")).unwrap();
    let minute = |day: u64, n: u64| 1_746_316_800_000 + day * 120_000 + n * 60_000;
    let file = |day: u64| {
        let open = minute(day, 0);
        let row = |open: u64| format!("{open},10,12,9,11,0,{},0,60,0,0,0\n", open + 59_999);
        let name = format!("futures/um/markPriceKlines/BTCUSDT-1m-2025-05-0{day}.csv");
        folder.file(&name, &(row(open) + &row(open + 60_000)))
    };
    let files = [file(4), file(5), file(7)];
    let error = folder.refused(Format::BinanceVision, &files, &Options::default());
    assert!(
        error.contains("2 bars of BTCUSDT are missing between BTCUSDT-1m-2025-05-05.csv and it"),
        "{error}"
    );
    assert_eq!(folder.told(Format::BinanceVision, &files[..2], &Options::default()).len(), 4);
    // The last minute of one and the first of the other are the same.
    fs::remove_dir_all(folder.path("out")).unwrap();
    let again = format!("{},10,12,9,11,0,{},0,60,0,0,0\n", minute(5, 1), minute(5, 1) + 59_999);
    let again = folder.file("futures/um/markPriceKlines/BTCUSDT-1m-2025-05-06.csv", &again);
    let error =
        folder.refused(Format::BinanceVision, &[files[1].clone(), again], &Options::default());
    assert!(error.contains("of times that BTCUSDT-1m-2025-05-05.csv holds too"), "{error}");
}

#[test]
fn rows_that_make_no_sense_are_refused_with_line_and_field() {
    let good = rows("BTCUSDT", &[0, 1]);
    let with = |row: &str| table(&[good.clone(), format!("{row}\n")]);
    for (row, error) in [
        ("1746316920000,BTCUSDT,NaN,12,9,11,5", "line 4: open \"NaN\" is no number"),
        (
            "1746316920000,BTCUSDT,10,12,0,11,5",
            "line 4: low \"0\" is no price: it must be above zero",
        ),
        ("1746316920000,BTCUSDT,10,12,9,11,-5", "line 4: volume \"-5\" is below zero"),
        (
            "1746316920000,BTCUSDT,13,12,9,11,5",
            "line 4: open, high, low and close contradict each other",
        ),
        (
            "1746316920000000,BTCUSDT,10,12,9,11,5",
            "line 4: open_time \"1746316920000000\" is a time in us, and the file began with times in ms",
        ),
        ("1746316920000,BTCUSDT,10,12,9,11", "line 4: 6 fields, and the line before had 7"),
        ("1746316920000,bot BTCUSDT,10,12,9,11,5", "line 4: symbol \"bot BTCUSDT\" is no symbol"),
        ("5,BTCUSDT,10,12,9,11,5", "line 4: open_time \"5\" is no time between 2009 and 2100"),
    ] {
        assert_eq!(refused(&with(row), &usdm()), format!("k.csv: {error}"));
    }
    let error = refused("open_time_ms,symbol,open,high,low,volume\n", &usdm());
    assert_eq!(
        error,
        "k.csv: line 1: column close is missing (there are: open_time_ms, symbol, open, high, low, volume)"
    );
    assert_eq!(refused("", &usdm()), "k.csv: the file is empty");
    assert_eq!(
        refused(&table(&[good]), &Options::default()),
        "k.csv: market unknown: pass --market usdm|coinm|spot, or name the file usdm_…"
    );
}

#[test]
fn what_a_file_lacks_is_taken_on_the_safe_side() {
    let folder = Folder::new();
    let text = "open_time_ms,symbol,open,high,low,close,quote_volume,market,venue\n\
                1746316800000,BTC-USDT,10,12,9,11,240,usdm,binance\n\
                1746316800000,BTC-USDT,10,12,9,11,240,spot,binance\n\
                1746316800000,BTC-USDT,10,12,9,11,240,usdm,other\n\
                1746316860000,BTC-USDT,10,12,9,11,0.00000001,usdm,binance\n";
    let file = folder.file("k.csv", text);
    let options = Options { venue: Some("binance".to_owned()), ..usdm() };
    let told = folder.told(Format::Klines, std::slice::from_ref(&file), &options);
    assert_eq!(
        told,
        [
            "1746316860000 BTCUSDT bar 1m 10 12 9 11 v 20 q 240 n 1",
            "1746316920000 BTCUSDT bar 1m 10 12 9 11 v 0 q 0.00000001 n 0",
        ],
        "as much as 240 buys at the highest price"
    );
    let error = Folder::new().refused(Format::Klines, &[file], &usdm());
    assert!(
        error.ends_with("venue \"binance\" is one venue of several: choose with --venue"),
        "{error}"
    );
}

#[test]
fn candles_of_the_mark_price_are_marks() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("futures/um/markPriceKlines")).unwrap();
    let row = |minute: u64| {
        let open = 1_746_316_800_000 + minute * 60_000;
        format!("{open},10,12,9,11,0,{},0,60,0,0,0\n", open + 59_999)
    };
    let file =
        folder.file("futures/um/markPriceKlines/BTCUSDT-1m-2025-05-04.csv", &(row(0) + &row(1)));
    let told = folder.told(Format::BinanceVision, &[file], &Options::default());
    assert_eq!(told, ["1746316860000 BTCUSDT mark 11 None", "1746316920000 BTCUSDT mark 11 None"]);
}

/// A quote that is never closed, or no end of a line, must not take all of a file into memory.
#[test]
fn a_line_without_end_is_refused() {
    let endless = table(&[rows("BTCUSDT", &[0, 1]), "9".repeat(3 << 20)]);
    let error = refused(&endless, &usdm());
    assert_eq!(
        error,
        "k.csv: line 3: is the last whole line: behind it, a line of more than 1048576 bytes"
    );
    let quoted =
        table(&[rows("BTCUSDT", &[0, 1]), "\"1746316920000,BTCUSDT,10,12,9,11,5\n".to_owned()]);
    let error = refused(&quoted, &usdm());
    assert_eq!(error, "k.csv: line 4: a quote is not closed in its line");
}

/// Rows that tell their ends are as long as they say, however many are missing between them.
#[test]
fn x18_bars_that_tell_their_ends_may_be_missing_regularly() {
    let row = |symbol: &str, minute: u64| {
        let open = 1_746_316_800_000 + minute * 60_000;
        format!("{open},{symbol},10,12,9,11,5,{}\n", open + 59_999)
    };
    let head = "open_time_ms,symbol,open,high,low,close,volume,close_time\n".to_owned();
    let full: String = (0..60).map(|minute| row("BTCUSDT", minute)).collect();
    let sparse: String = (0..8).map(|n| row("ETHUSDT", n * 7)).collect();
    let folder = Folder::new();
    let file = folder.file("usdm_k.csv", &(head + &full + &sparse));
    let options = Options { allow_gaps: true, ..usdm() };
    let imported = folder.import(Format::Klines, &[file], &options).unwrap();
    assert_eq!(imported.inputs[0].facts.bars_missing, 7 * 6);
}
