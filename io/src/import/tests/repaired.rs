//! Files whose rows are out of order or stand there twice.

use super::resumed::killed_with;
use super::*;

const AGG: &str =
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n";

fn repair() -> Options {
    Options { repair: true, ..usdm() }
}

fn agg(id: u64, ms: u64, price: &str) -> String {
    format!("{id},{price},1,{id},{id},{},true\n", 1_746_316_800_000 + ms)
}

/// What comes out of a file of the exchange, and how many rows it was said to have moved, left out and raised, and to lack.
fn repaired(name: &str, text: &str) -> (Vec<String>, [u64; 4]) {
    let folder = Folder::new();
    let file = folder.file(name, text);
    let imported =
        folder.import(Format::BinanceVision, std::slice::from_ref(&file), &repair()).unwrap();
    let facts = &imported.inputs[0].facts;
    let counted = [facts.rows_moved, facts.rows_repeated, facts.rows_raised, facts.ids_missing];
    assert_eq!(fs::read_dir(folder.path("out")).unwrap().count(), 2, "nothing else is left");
    (told(&folder.path("out").join(&imported.tapes[0].file)), counted)
}

fn refused(name: &str, text: &str, options: &Options) -> String {
    let folder = Folder::new();
    let file = folder.file(name, text);
    folder.refused(Format::BinanceVision, &[file], options)
}

#[test]
fn rows_are_put_in_order_and_taken_once_and_both_are_counted() {
    // A trade of the end of the file in front, one twice, and two of one moment: replays drop an id that goes back.
    let rows = [agg(5, 0, "100"), agg(9, 900, "109"), agg(6, 1, "101"), agg(8, 2, "\"102\"")];
    let again = [agg(6, 1, "101"), agg(7, 2, "103")];
    let text = [&[AGG.to_owned()], &rows[..], &again[..]].concat().concat();
    let (told, counted) = repaired("BTCUSDT-aggTrades-2025-05.csv", &text);
    assert_eq!(
        told,
        [
            "1746316800000 BTCUSDT agg Sell 1 @ 100 5..5",
            "1746316800001 BTCUSDT agg Sell 1 @ 101 6..6",
            "1746316800002 BTCUSDT agg Sell 1 @ 103 7..7",
            "1746316800002 BTCUSDT agg Sell 1 @ 102 8..8",
            "1746316800900 BTCUSDT agg Sell 1 @ 109 9..9",
        ]
    );
    assert_eq!(counted, [4, 1, 0, 0], "all behind 9, which came too early");
    // A ticker whose event was stamped before the one in front of it.
    let ticker = |id: u64, event: u64| {
        format!("{id},100,1,101,2,1746316800000,{}\n", 1_746_316_800_000 + event)
    };
    let text = [ticker(1, 5), ticker(2, 4), ticker(3, 4)].concat();
    let (told, counted) = repaired("BTCUSDT-bookTicker-x.csv", &text);
    let ids = ["5 BTCUSDT ticker 1", "5 BTCUSDT ticker 2", "5 BTCUSDT ticker 3"];
    assert!(told.iter().zip(ids).all(|(told, id)| told[12..].starts_with(id)), "{told:?}");
    assert_eq!((told.len(), counted), (3, [0, 0, 2, 0]));
    // An id in front of all that its time puts last.
    let rows = [agg(1, 60_002, "100"), agg(2, 1, "101")];
    assert_eq!(
        refused("BTCUSDT-aggTrades-x.csv", &(AGG.to_owned() + &rows.concat()), &repair()),
        "BTCUSDT-aggTrades-x.csv: line 3: BTCUSDT: its id says that it came behind line 2, and its time more than 60 s before"
    );
    let metrics = "create_time,symbol,sum_open_interest,sum_open_interest_value\n";
    let row = "2025-05-04 00:05:00,BTCUSDT,10.5,1000000\n";
    let (told, counted) = repaired("BTCUSDT-metrics-x.csv", &[metrics, row, row, row].concat());
    assert_eq!(
        (told, counted),
        (vec!["1746317100000 BTCUSDT open 10.5 1000000".to_owned()], [0, 2, 0, 0])
    );
}

#[test]
fn without_the_option_they_are_refused_and_it_is_named() {
    let back = [AGG, &agg(5, 9, "100"), &agg(6, 1, "101")].concat();
    let name = "BTCUSDT-aggTrades-x.csv";
    let way_out = "; --repair puts rows in order and takes equal ones once";
    let error = refused(name, &back, &usdm());
    assert!(
        error.contains("line 3: BTCUSDT goes back in time") && error.ends_with(way_out),
        "{error}"
    );
    let twice = [AGG, &agg(5, 9, "100"), &agg(5, 9, "100")].concat();
    let error = refused(name, &twice, &usdm());
    assert!(
        error.contains("line 3: BTCUSDT: the same again") && error.ends_with(way_out),
        "{error}"
    );
    let folder = Folder::new();
    let head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
    let row = |ms: u64| {
        format!("binance-futures,BTCUSDT,1746316800000000,17463168000{ms}000,7,buy,1,1\n")
    };
    let file = folder.file("x_trades_y.csv", &[head, &row(20), &row(10)].concat());
    let error = folder.refused(Format::Tardis, std::slice::from_ref(&file), &usdm());
    assert!(error.ends_with("(a day that stands there twice?)"), "{error}");
    let error = folder.refused(Format::Tardis, &[file], &repair());
    assert_eq!(error, "tardis: --repair does not apply to this format");
}

#[test]
fn rows_of_one_identity_that_differ_are_refused_with_both_lines() {
    // Far from each other, and of other times.
    let rows = [agg(5, 0, "100"), agg(6, 1, "101"), agg(9, 5, "101"), agg(6, 900, "101")];
    assert_eq!(
        refused("BTCUSDT-aggTrades-x.csv", &(AGG.to_owned() + &rows.concat()), &repair()),
        "BTCUSDT-aggTrades-x.csv: line 5: agg_trade_id 6 stands in line 3 with other content"
    );
    let metrics = "create_time,symbol,sum_open_interest,sum_open_interest_value\n\
                   2025-05-04 00:10:00,BTCUSDT,11,1\n2025-05-04 00:05:00,BTCUSDT,12,1\n2025-05-04 00:10:00,BTCUSDT,13,1\n";
    assert_eq!(
        refused("BTCUSDT-metrics-x.csv", metrics, &repair()),
        "BTCUSDT-metrics-x.csv: line 4: BTCUSDT: line 2 is of the same time and differs"
    );
    // Errors tell the line that a row had.
    let rows = [agg(6, 1, "NaN"), agg(5, 0, "100")];
    assert_eq!(
        refused("BTCUSDT-aggTrades-x.csv", &rows.concat(), &repair()),
        "BTCUSDT-aggTrades-x.csv: line 1: price \"NaN\" is no number"
    );
}

fn bars(day: u64, minutes: &[u64]) -> String {
    let row = |symbol: &str, minute: u64| {
        format!("{},{symbol},10,12,9,11,5\n", 1_746_316_800_000 + day * 180_000 + minute * 60_000)
    };
    let of = |symbol: &str| minutes.iter().map(|minute| row(symbol, *minute)).collect::<String>();
    "open_time_ms,symbol,open,high,low,close,volume\n".to_owned() + &of("BTCUSDT") + &of("ETHUSDT")
}

/// Bars are judged for length and gaps when they are in order; a file that needs nothing stays what it is.
#[test]
fn what_is_in_order_stays_as_it_is() {
    let import = |text: &str, options: &Options| {
        let folder = Folder::new();
        let file = folder.file("usdm_k.csv", text);
        let imported = folder.import(Format::Klines, &[file], options).unwrap();
        let tape = fs::read(folder.path("out/usdm_klines.tape")).unwrap();
        (tape, imported.inputs[0].facts.clone())
    };
    let plain = import(&bars(0, &[0, 1, 2]), &usdm());
    assert_eq!(plain.1.rows_moved, 0);
    assert_eq!(import(&bars(0, &[0, 1, 2]), &repair()), plain);
    let (tape, facts) = import(&bars(0, &[0, 2, 1, 1]), &repair());
    assert_eq!(tape, plain.0);
    assert_eq!((facts.rows_moved, facts.rows_repeated, facts.bar_s), (4, 2, Some(60)));
    // Rows of other symbols are none that are repaired.
    let only = Options { symbol: Some("ETHUSDT".to_owned()), ..repair() };
    let (_, facts) = import(&bars(0, &[0, 2, 1, 1]), &only);
    assert_eq!((facts.rows_moved, facts.rows_repeated, facts.skipped, facts.rows()), (2, 1, 4, 3));
}

#[test]
fn a_repair_that_was_killed_gives_the_same_bytes() {
    let folder = Folder::new();
    let files: Vec<_> = (0..3)
        .map(|day| folder.file(&format!("day{day}.csv"), &bars(day, &[0, 2, 1, 1])))
        .collect();
    let expected = Folder::new();
    let whole = expected.import(Format::Klines, &files, &repair()).unwrap();
    let bytes = |folder: &Folder| fs::read(folder.path("out/usdm_klines.tape")).unwrap();
    for done in 0..=3 {
        killed_with(&folder, &files, done, &repair());
        let half = folder.path("out.partial/repair/rows");
        fs::create_dir_all(&half).unwrap();
        fs::write(half.join("run-000000.tape"), "half").unwrap();
        assert_eq!(folder.import(Format::Klines, &files, &repair()).unwrap(), whole, "{done} done");
        assert_eq!(bytes(&folder), bytes(&expected));
        assert!(!folder.path("out.partial").exists());
        fs::remove_dir_all(folder.path("out")).unwrap();
    }
}
