//! One small file of each format and data type.

use super::*;

fn vision(name: &str, text: &str) -> Vec<String> {
    let folder = Folder::new();
    let file = folder.file(name, text);
    folder.told(Format::BinanceVision, &[file], &usdm())
}

fn tardis(name: &str, text: &str) -> Vec<String> {
    let folder = Folder::new();
    let file = folder.file(name, text);
    folder.told(Format::Tardis, &[file], &Options::default())
}

#[test]
fn trades_with_and_without_a_line_of_names() {
    let rows = "5,100.5,0.2,7,9,1746316800000,true\n6,100.6,0.3,10,10,1746316800000,false\n";
    let expected = [
        "1746316800000 BTCUSDT agg Sell 0.2 @ 100.5 7..9",
        "1746316800000 BTCUSDT agg Buy 0.3 @ 100.6 10..10",
    ];
    assert_eq!(vision("BTCUSDT-aggTrades-2025-05-04.csv", rows), expected);
    let names =
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n";
    assert_eq!(vision("BTCUSDT-aggTrades-2025-05-04.csv", &(names.to_owned() + rows)), expected);

    let trades =
        "id,price,qty,quote_qty,time,is_buyer_maker\n7,100.5,0.2,20.1,1746316800000,false\n";
    assert_eq!(
        vision("BTCUSDT-trades-2025-05-04.csv", trades),
        ["1746316800000 BTCUSDT trade 7 Buy 0.2 @ 100.5"]
    );
    let tickers =
        "7,100,1,101,2,1746316800000,1746316800003\n8,100,1,0,0,1746316800000,1746316800003\n";
    assert_eq!(
        vision("BTCUSDT-bookTicker-2025-05-04.csv", tickers),
        ["1746316800003 BTCUSDT ticker 7 100 101", "1746316800003 BTCUSDT ticker 8 100 0"]
    );
}

/// The exchange numbers trades without holes, and the updates of a book with them.
#[test]
fn ids_that_are_missing_are_counted() {
    let agg = |id: u64| format!("{id},100,1,7,9,1746316800000,true\n");
    let trade = |id: u64| format!("{id},100,1,100,1746316800000,true\n");
    let ticker = |id: u64| format!("{id},100,1,101,2,1746316800000,1746316800003\n");
    let ids = [5, 6, 9, 10, 20];
    for (name, text, missing) in [
        ("BTCUSDT-aggTrades-x.csv", ids.map(agg).concat(), 11),
        ("BTCUSDT-trades-x.csv", ids.map(trade).concat(), 11),
        ("BTCUSDT-bookTicker-x.csv", ids.map(ticker).concat(), 0),
        ("BTCUSDT-trades-x.csv", [5, 6, 7].map(trade).concat(), 0),
    ] {
        let folder = Folder::new();
        let file = folder.file(name, &text);
        let imported = folder.import(Format::BinanceVision, &[file], &usdm()).unwrap();
        assert_eq!(imported.inputs[0].facts.ids_missing, missing, "{name}");
    }
}

#[test]
fn funding_open_interest_and_forced_orders() {
    let funding = "calc_time,funding_interval_hours,last_funding_rate\n1746316800007,8,-0.0001\n";
    assert_eq!(
        vision("BTCUSDT-fundingRate-2025-05.csv", funding),
        ["1746316800007 BTCUSDT funding -0.0001"]
    );
    let metrics = "create_time,symbol,sum_open_interest,sum_open_interest_value,count_long_short_ratio\n\
                   2025-05-04 00:05:00,BTCUSDT,10.5,1000000,1.2\n";
    assert_eq!(
        vision("BTCUSDT-metrics-2025-05-04.csv", metrics),
        ["1746317100000 BTCUSDT open 10.5 1000000"]
    );
    let forced = "1746316800000,SELL,LIMIT,IOC,3,99,98.5,FILLED,1,3\n1746316800000,BUY,LIMIT,IOC,1,99,None,FILLED,1,1\n";
    assert_eq!(
        vision("BTCUSDT-liquidationSnapshot-2025-05-04.csv", forced),
        ["1746316800000 BTCUSDT forced Sell 3 @ 98.5", "1746316800000 BTCUSDT forced Buy 1 @ 99"]
    );
}

#[test]
fn times_of_another_time_zone_are_found_and_put_right() {
    let folder = Folder::new();
    let text = "Symbol,Date,Funding Rate\nBTC-USDT,2025-05-04 03:00:00.000,0.0001\nBTC-USDT,2025-05-04 11:00:00.000,1e-05\n";
    let file = folder.file("f.csv", text);
    let error = folder.refused(Format::Funding, std::slice::from_ref(&file), &usdm());
    assert!(
        error.contains("line 2: BTCUSDT is charged every 8 h, and this is 3 h beside"),
        "{error}"
    );
    let options = Options { shift_ns: -3 * 3_600_000_000_000, ..usdm() };
    let told = folder.told(Format::Funding, &[file], &options);
    assert_eq!(
        told,
        ["1746316800000 BTCUSDT funding 0.0001", "1746345600000 BTCUSDT funding 0.00001"]
    );
}

/// A recorder that lost a charge and stamped one at odd hours does not make another time zone that of UTC.
#[test]
fn most_charges_tell_the_time_zone() {
    let rows = |hours: &[u64]| {
        let row = |hour: &u64| format!("{},BTCUSDT,0.0001\n", 1_746_316_800_000 + hour * 3_600_000);
        format!("timestamp,symbol,funding_rate\n{}", hours.iter().map(row).collect::<String>())
    };
    let import = |hours: &[u64]| {
        let folder = Folder::new();
        let file = folder.file("f.csv", &rows(hours));
        folder.import(Format::Funding, &[file], &usdm()).map_err(|error| error.what)
    };
    for east in [&[3, 11, 13, 19, 27, 35, 43][..], &[0, 3, 11, 19, 27, 35, 51, 59, 67]] {
        let error = import(east).unwrap_err();
        assert!(error.contains("this is 3 h beside"), "{error}");
    }
    // Single ones beside it, and those of every four hours, of which half lie there.
    let fours: Vec<u64> = (0..12).map(|n| n * 4).collect();
    for sound in [&[0, 8, 11, 16, 24, 32, 40][..], &fours] {
        assert!(import(sound).is_ok(), "{sound:?}");
    }
}

#[test]
fn charges_lie_as_far_apart_as_they_tell() {
    let import = |rows: &[(u64, &str)]| {
        let row = |(hour, told): &(u64, &str)| {
            format!("{},{told},0.0001\n", 1_746_316_800_000 + hour * 3_600_000 + hour % 3)
        };
        let head = "calc_time,funding_interval_hours,last_funding_rate\n".to_owned();
        let text = head + &rows.iter().map(row).collect::<String>();
        let folder = Folder::new();
        let file = folder.file("BTCUSDT-fundingRate-2025-05.csv", &text);
        let imported = folder.import(Format::BinanceVision, &[file], &usdm());
        imported.map_err(|error| error.to_string().rsplit('/').next().unwrap().to_owned())
    };
    for (rows, error) in [
        (&[(0, "8"), (8, "0")][..], "line 3: funding_interval_hours \"0\" is no interval"),
        (
            &[(0, "4"), (8, "4"), (16, "4")],
            "line 3: funding_interval_hours 4 contradicts the times: charged 8 h behind line 2",
        ),
        (
            &[(0, "8"), (8, "8"), (16, "8"), (20, "8"), (28, "8")],
            "line 5: funding_interval_hours 8 contradicts the times: charged 4 h behind line 4",
        ),
        (
            &[(0, "8"), (8, "8"), (12, "8")],
            "line 4: funding_interval_hours 8 contradicts the times: charged 4 h behind line 3",
        ),
    ] {
        let expected = format!("BTCUSDT-fundingRate-2025-05.csv: {error}");
        assert_eq!(import(rows).unwrap_err(), expected);
    }
    // Nothing but one that is missing says nothing.
    assert!(import(&[(0, "8"), (16, "8")]).is_ok());
    // Charges that are missing, an interval that changes and is told at once or a row later, and none that is a number.
    for rows in [
        &[(0, "8"), (8, "8"), (32, "8"), (40, "8")][..],
        &[(0, "8"), (8, "8"), (12, "4"), (16, "4"), (24, "8")],
        &[(0, "8"), (8, "8"), (12, "8"), (16, "4"), (20, "4")],
        &[(0, ""), (3, "8h"), (5, "-")],
    ] {
        import(rows).unwrap();
    }
}

const BOOK: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n\
    binance-futures,BTCUSDT,1746316800000000,1746316800000100,true,bid,99,1\n\
    binance-futures,BTCUSDT,1746316800000000,1746316800000100,true,ask,101,2\n\
    binance-futures,BTCUSDT,1746316800100000,1746316800100200,false,bid,99,0\n\
    binance-futures,BTCUSDT,1746316800100000,1746316800100200,false,bid,98,3\n\
    binance-futures,BTCUSDT,1746316800200000,1746316800200200,false,ask,101,1\n";

#[test]
fn rows_of_a_book_that_came_together_are_one_message() {
    assert_eq!(
        tardis("binance-futures_incremental_book_L2_2025-05-04_BTCUSDT.csv", BOOK),
        [
            "1746316800000 BTCUSDT snapshot 1746316800000100000 1 1",
            "1746316800100 BTCUSDT depth (1746316800000100000, 1746316800100200000, Some(1746316800000100000)) (2, 0)",
            "1746316800200 BTCUSDT depth (1746316800100200000, 1746316800200200000, Some(1746316800100200000)) (0, 1)",
        ]
    );
}

/// Two days, each with a snapshot of its own: the second is no break.
#[test]
fn a_day_of_a_book_follows_another() {
    let folder = Folder::new();
    let name = |day: &str| format!("binance-futures_incremental_book_L2_{day}_BTCUSDT.csv");
    let next = BOOK.replace("1746316800", "1746403200");
    let files = [folder.file(&name("2025-05-04"), BOOK), folder.file(&name("2025-05-05"), &next)];
    folder.import(Format::Tardis, &files, &Options::default()).unwrap();
    let tape = Reader::open(&folder.path("out/usdm_tardis.tape"), &Default::default()).unwrap();
    let options = ManifestOptions { gap_max: Nanos(u64::MAX), clock_offset_note: Nanos(u64::MAX) };
    let merge = crate::capture::Merge::new(vec![tape]).unwrap();
    let found = crate::manifest::scan(merge, &options, &mut |_| {}).unwrap().manifest;
    assert!(found.complete, "{:?}", found.problems);
    let book = &found.symbols["BTCUSDT"];
    assert_eq!((book.snapshots, book.depth_gaps), (2, 0));
}

#[test]
fn the_other_files_of_tardis() {
    let head = "exchange,symbol,timestamp,local_timestamp";
    let row = "binance-futures,BTCUSDT,1746316800000000,1746316800000100";
    let trades = format!("{head},id,side,price,amount\n{row},7,sell,100,0.5\n");
    assert_eq!(tardis("x_trades_y.csv", &trades), ["1746316800000 BTCUSDT trade 7 Sell 0.5 @ 100"]);
    let forced = format!("{head},id,side,price,amount\n{row},,buy,100,0.5\n");
    assert_eq!(
        tardis("x_liquidations_y.csv", &forced),
        ["1746316800000 BTCUSDT forced Buy 0.5 @ 100"]
    );
    let ticker = format!(
        "{head},funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price\n\
         {row},1746345600000000,0.0001,,12.5,100,101,102\n{row},1746345600000000,0.0001,,12.5,100,101,103\n{row},,,,13,,,\n"
    );
    assert_eq!(
        tardis("x_derivative_ticker_y.csv", &ticker),
        [
            "1746316800000 BTCUSDT mark 102 Some(Rate(100000000))",
            "1746316800000 BTCUSDT open 12.5 -",
            "1746316800000 BTCUSDT mark 103 Some(Rate(100000000))",
            "1746316800000 BTCUSDT open 13 -",
        ]
    );
    let top = format!(
        "{head},asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n{row},101,1,99,2\n{row},101,1,,\n"
    );
    let told = tardis("x_book_snapshot_5_y.csv", &top);
    assert_eq!(told.len(), 2);
    assert!(
        told[0].ends_with("top [Level { price: Px(9900000000), qty: Qty(200000000) }] 1"),
        "{told:?}"
    );
    let other = format!(
        "{head},id,side,price,amount\nbybit,BTCUSDT,1746316800000000,1746316800000100,7,sell,100,0.5\n"
    );
    let folder = Folder::new();
    let error = folder.refused(Format::Tardis, &[folder.file("x_trades_y.csv", &other)], &usdm());
    assert_eq!(
        error,
        "x_trades_y.csv: line 2: exchange \"bybit\" is no exchange that can be imported"
    );
}

#[test]
fn an_archive_holds_one_file_and_its_checksum_fits() {
    let rows = "5,100.5,0.2,7,9,1746316800000,true\n";
    let folder = Folder::new();
    let one = folder
        .zip("BTCUSDT-aggTrades-2025-05-04.zip", &[("BTCUSDT-aggTrades-2025-05-04.csv", rows)]);
    assert_eq!(folder.told(Format::BinanceVision, std::slice::from_ref(&one), &usdm()).len(), 1);
    fs::remove_dir_all(folder.path("out")).unwrap();
    let two = folder.zip("BTCUSDT-aggTrades-2025-05-05.zip", &[("a.csv", rows), ("b.csv", rows)]);
    let error = folder.refused(Format::BinanceVision, &[two], &usdm());
    assert_eq!(
        error,
        "BTCUSDT-aggTrades-2025-05-05.zip: the archive holds 2 files: unpack it and give those that are to be imported"
    );
    // One digit of a price is another one: only the checksum shows it.
    let mut bytes = fs::read(&one).unwrap();
    let stored = folder.path("stored.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&stored).unwrap());
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("x.csv", plain).unwrap();
    archive.write_all(rows.as_bytes()).unwrap();
    archive.finish().unwrap();
    bytes.clear();
    bytes.extend(fs::read(&stored).unwrap());
    let at = bytes.windows(5).position(|window| window == b"100.5").unwrap();
    bytes[at] = b'2';
    let changed = folder.path("BTCUSDT-aggTrades-2025-05-06.zip");
    fs::write(&changed, bytes).unwrap();
    let error = folder.refused(Format::BinanceVision, &[changed], &usdm());
    assert!(error.contains("the checksum of the archive does not fit"), "{error}");
}

#[test]
fn an_archive_is_called_as_what_it_holds() {
    let rows = "5,100.5,0.2,7,9,1746316800000,true\n";
    for (inner, says) in [
        ("ETHUSDT-aggTrades-2025-05-04.csv", Some(("BTCUSDT", "ETHUSDT"))),
        ("x/BTCUSDT-trades-2025-05-04.csv", Some(("aggTrades", "trades"))),
        ("BTCUSDT-1m-2025-05-04.csv", Some(("aggTrades", "klines"))),
        ("x/BTCUSDT-aggTrades-2025-05-04.csv", None),
        ("trade.csv", None),
    ] {
        let folder = Folder::new();
        let zip = folder.zip("BTCUSDT-aggTrades-2025-05-04.zip", &[(inner, rows)]);
        let Some((outside, inside)) = says else {
            assert_eq!(folder.told(Format::BinanceVision, &[zip], &usdm()).len(), 1);
            continue;
        };
        let called = inner.rsplit('/').next().unwrap();
        assert_eq!(
            folder.refused(Format::BinanceVision, &[zip], &usdm()),
            format!(
                "BTCUSDT-aggTrades-2025-05-04.zip: its name says {outside}, and what it holds is called {called}, which is \
                 {inside}"
            )
        );
    }
}

#[test]
fn a_file_that_is_cut_is_told_of_its_last_whole_line() {
    // Rows that can not be packed well, so that much of them stands in front of the cut.
    let row = |n: u64| {
        let price = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000_000 + 1;
        format!("{n},{price},0.2,{n},{n},{},true\n", 1_746_316_800_000 + n)
    };
    let text: String = (1..20_000).map(row).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed =
        [("gz", gzip.finish().unwrap()), ("zst", zstd::encode_all(text.as_bytes(), 3).unwrap())];
    for (ending, bytes) in packed {
        let folder = Folder::new();
        let path = folder.path(&format!("BTCUSDT-aggTrades-2025-05-04.csv.{ending}"));
        fs::write(&path, &bytes[..bytes.len() * 3 / 4]).unwrap();
        let error = folder.import(Format::BinanceVision, &[path], &usdm()).unwrap_err();
        let line = error.line.unwrap();
        assert!((5_000..20_000).contains(&line), "{error}");
        assert!(error.what.starts_with("is the last whole line: behind it, "), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_to_be_none() {
    let folder = Folder::new();
    let path = folder.path("usdm_pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let pipe = "is no file: it is read more than once, so a pipe has to be saved first";
    let (here, folder_said) = (folder.path("."), "is a folder: give the files in it");
    for (path, name, said) in [(path, "usdm_pipe.csv", pipe), (here, ".", folder_said)] {
        let error = folder.refused(Format::Klines, &[path], &usdm());
        assert_eq!(error, format!("{name}: {said}"));
    }
}

#[test]
fn what_a_format_does_not_ask_for_is_refused() {
    let folder = Folder::new();
    let file = folder.file("usdm_x.csv", "x");
    let named = Options { symbol: Some("BTCUSDT".to_owned()), ..usdm() };
    let shifted = Options { shift_ns: 1, ..usdm() };
    let typed = Options { data_type: Some("trades".to_owned()), ..usdm() };
    let gaps = Options { allow_gaps: true, ..usdm() };
    let repair = Options { repair: true, ..usdm() };
    for (format, options, error) in [
        (Format::Collector, &named, "collector: --symbol does not apply to this format"),
        (Format::Tardis, &shifted, "tardis: --utc-offset does not apply to this format"),
        (Format::Funding, &typed, "funding: --data-type does not apply to this format"),
        (Format::Collector, &repair, "collector: --repair does not apply to this format"),
        (Format::OpenInterest, &gaps, "open-interest: --allow-gaps does not apply to this format"),
    ] {
        assert_eq!(folder.refused(format, std::slice::from_ref(&file), options), error);
    }
}

/// What the bar that ends at a boundary filled was held when it was charged.
#[test]
fn s0_31_funding_is_told_behind_the_bar_that_ends_with_it() {
    let folder = Folder::new();
    let text = "symbol,timestamp,funding_rate\nBTCUSDT,1746316800000,0.0001\n";
    let file = folder.file("f.csv", text);
    let imported = folder.import(Format::Funding, &[file], &usdm()).unwrap();
    assert_eq!(imported.tapes[0].first_ns, 1_746_316_800_000_000_001);
}
