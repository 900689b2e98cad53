//! Tables: their columns are the documented ones, their rows say what the journal and the report say, and
//! what must add up adds up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::tamper::Scene;
use super::*;

const TABLES: [&str; 8] =
    ["feed", "event", "alpha", "risk", "gateway", "report", "fills", "trades"];
/// Those of them that are no lane, and that `cat` does not show.
const VIEWS: [&str; 3] = ["report", "fills", "trades"];

/// A table as the CSV of it says: names of its columns, and rows by name. Null is left out.
struct Table {
    columns: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
}

impl Table {
    fn of(dir: &Path, lane: &str) -> Self {
        let csv = text("export", dir, &["--lane", lane, "--format", "csv"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let row = |row: Result<csv::StringRecord, csv::Error>| {
            let row = row.unwrap();
            let fields = columns.iter().zip(row.iter()).filter(|(_, field)| !field.is_empty());
            fields.map(|(name, field)| (name.clone(), field.to_owned())).collect()
        };
        let rows = reader.records().map(row).collect();
        Self { columns, rows }
    }

    /// Rows that have this value in this column.
    fn with<'a>(&'a self, column: &'a str, value: &'a str) -> impl Iterator<Item = &'a Row> + 'a {
        self.rows.iter().filter(move |row| row.get(column).is_some_and(|field| field == value))
    }
}

type Row = BTreeMap<String, String>;

fn seq(row: &Row) -> u64 {
    row["seq"].parse().unwrap()
}

/// A decimal at 1e-8, exactly.
fn raw(text: &str) -> i128 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<8}").parse().unwrap()
}

/// The columns that the page lists for a lane.
fn documented(lane: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/journal-export.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(&format!("\n## `{lane}`\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let named = section.lines().filter_map(|line| line.strip_prefix("| `"));
    named.map(|line| line.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn columns_are_the_documented_ones_and_rows_say_what_cat_says() {
    let scene = Scene::eventful(&["--journal-frames", "copy"]);
    for lane in TABLES {
        let table = Table::of(&scene.dir, lane);
        assert_eq!(table.columns, documented(lane), "{lane}");
        // The halt comes so early that its positions are still open.
        assert!(!table.rows.is_empty() || lane == "trades", "{lane}");
        if VIEWS.contains(&lane) {
            continue;
        }
        let shown = rows(&text("cat", &scene.dir, &["--json", "--stage", lane]));
        let framing = ["header", "pending", "close"];
        let shown: Vec<Row> = shown
            .iter()
            .filter(|row| !framing.contains(&word(row, "record")))
            .map(|row| {
                let fields = row.as_object().unwrap().iter();
                let fields = fields
                    .filter(|(key, _)| !["stage", "record", "stamp_ns"].contains(&key.as_str()));
                let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
                fields.map(|(key, value)| (key.clone(), text(value))).collect()
            })
            .collect();
        assert_eq!(table.rows.len(), shown.len(), "{lane}");
        for (row, shown) in table.rows.iter().zip(&shown) {
            assert_eq!(row, shown, "{lane}");
        }
    }
}

/// Row counts and sums against the report of the run.
#[test]
fn orders_fills_and_fees_are_those_of_the_report() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "3");
    for (name, raise) in [("a", &[][..]), ("b", &["--raise", "2@100"])] {
        let dir = folder.path().join(name);
        let report = record(&capture, &dir, &[&BOTH[..], raise].concat());
        let gateway = Table::of(&dir, "gateway");
        let sent = gateway.with("outcome", "sent");
        let orders = sent.filter(|row| ["new", "reduce"].contains(&row["class"].as_str()));
        assert_eq!(orders.count() as u64, number(&report, "orders"));
        let reports = Table::of(&dir, "report");
        assert_eq!(reports.rows.len() as u64, number(&report["events"], "Report"));
        let fills = reports.rows.iter().filter(|row| raw(&row["last_qty"]) > 0).count() as u64;
        assert!(fills > 10);
        assert_eq!(fills, number(&report, "fills"));
        let fees: i128 = reports.rows.iter().map(|row| raw(&row["fee"])).sum();
        assert_eq!(fees, raw(word(&report["pnl"], "fees")));
        let risk = Table::of(&dir, "risk");
        assert_eq!(risk.rows.len() as u64, number(&report, "intents"));
        assert_eq!(risk.with("verdict", "approved").count() as u64, number(&report, "approved"));
        for (check, count) in report["rejected"].as_object().unwrap() {
            assert_eq!(risk.with("check", check).count() as u64, count.as_u64().unwrap());
        }
        // Risk also cancels and asks about orders of strategies.
        let of_strategies = Table::of(&dir, "alpha").rows.len() as u64;
        let of_risk = number(&report, "intents_of_risk");
        assert_eq!(of_strategies + of_risk, number(&report, "intents"));
        assert!(risk.with("strategy", "risk").count() as u64 <= of_risk);
        let feed = Table::of(&dir, "feed");
        assert_eq!(feed.rows.len() as u64, number(&report, "frames"));
        let events = Table::of(&dir, "event");
        assert_eq!(events.rows.len() as u64, number(&report, "events_total"));
        for (kind, count) in report["events"].as_object().unwrap() {
            assert_eq!(events.with("kind", kind).count() as u64, count.as_u64().unwrap(), "{kind}");
        }
        positions(&report, &events);
        fills_are_paid_for(&events, &reports);
        joins(&events, &[&gateway, &risk, &reports]);
    }
}

/// What was bought and sold, by symbol, adds up to the positions of the report.
fn positions(report: &Value, events: &Table) {
    let mut held: BTreeMap<&str, i128> = BTreeMap::new();
    for row in events.with("kind", "Report").filter(|row| row.contains_key("last_qty")) {
        let qty = raw(&row["last_qty"]);
        *held.entry(&row["symbol"]).or_default() += if row["side"] == "buy" { qty } else { -qty };
    }
    for (symbol, qty) in held {
        assert_eq!(qty, raw(word(&report["positions"][symbol], "qty")), "{symbol}");
    }
}

/// Each fill names the trade or level that paid for it, which came before it and is about its symbol.
fn fills_are_paid_for(events: &Table, reports: &Table) {
    let by_seq: BTreeMap<u64, &Row> = events.rows.iter().map(|row| (seq(row), row)).collect();
    let mut kinds = BTreeSet::new();
    for fill in reports.rows.iter().filter(|row| raw(&row["last_qty"]) > 0) {
        let payer = by_seq[&fill["paid_by_seq"].parse::<u64>().unwrap()];
        assert!(seq(payer) < seq(fill), "{fill:?}");
        assert_eq!(payer["symbol"], by_seq[&seq(fill)]["symbol"], "{fill:?}");
        assert!(["Trade", "Depth", "Touch"].contains(&payer["kind"].as_str()), "{payer:?}");
        kinds.insert(payer["kind"].clone());
    }
    assert!(kinds.contains("Trade"), "{kinds:?}");
    for other in reports.rows.iter().filter(|row| raw(&row["last_qty"]) == 0) {
        let empty = ["last_price", "paid_by_seq"].iter().all(|column| !other.contains_key(*column));
        assert!(empty, "{other:?}");
    }
}

/// Every row that was caused joins an event, and has its time.
fn joins(events: &Table, tables: &[&Table]) {
    let times: BTreeMap<u64, &str> =
        events.rows.iter().map(|row| (seq(row), row["ts_ns"].as_str())).collect();
    assert!(times.keys().copied().eq(1..=events.rows.len() as u64), "numbers without holes");
    for row in tables.iter().flat_map(|table| &table.rows) {
        assert_eq!(times.get(&seq(row)), Some(&row["ts_ns"].as_str()), "{row:?}");
    }
}

/// Fills and closed positions against the report of the run, whose ledger the risk stage kept.
#[test]
fn fills_and_trades_are_those_of_the_ledger() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "3");
    let mut flat = 0;
    for name in ["together", "halted", "alone"] {
        let dir = folder.path().join(name);
        let report = match name {
            // The sample, at whose end `quoter` holds nothing.
            "alone" => json(&["replay", "--json", "--journal", arg(&dir)]),
            "halted" => record(&capture, &dir, &[&BOTH[..], &["--raise", "2@100"]].concat()),
            _ => record(&capture, &dir, &BOTH),
        };
        let (fills, trades) = (Table::of(&dir, "fills"), Table::of(&dir, "trades"));
        let sum = |table: &Table, column: &str| -> i128 {
            table.rows.iter().map(|row| raw(&row[column])).sum()
        };
        let posted = |kind: &str| report["ledger"]["postings"][kind].as_str().map_or(0, raw);
        assert_eq!(sum(&fills, "fee"), raw(word(&report["pnl"], "fees")));
        assert_eq!(sum(&fills, "realized"), posted("realized"));
        // What no strategy holds any more is in the trades with every cent.
        let shown = json(&["ledger", "show", arg(&dir), "--json"]);
        if shown["open"].as_array().unwrap().is_empty() {
            flat += 1;
            assert_eq!(sum(&trades, "fees"), sum(&fills, "fee"));
            assert_eq!(sum(&trades, "realized"), posted("realized"));
        }
        let exits = report["ledger"]["exits"].as_object().unwrap();
        assert!(!exits.is_empty());
        let mut wins = 0;
        for (path, exit) in exits {
            let rows: Vec<&Row> = trades.with("exit_path", path).collect();
            assert_eq!(rows.len() as u64, number(exit, "count"), "{path}");
            let realized: i128 = rows.iter().map(|row| raw(&row["realized"])).sum();
            assert_eq!(realized, raw(word(exit, "realized")), "{path}");
            wins += number(exit, "wins");
        }
        let won = trades.rows.iter().filter(|row| raw(&row["net"]) > 0).count() as u64;
        assert_eq!(won, wins);
        each_fill_is_a_report(&fills, &Table::of(&dir, "report"), name != "halted");
        slippage_is_that_of_the_mid(&fills, &Table::of(&dir, "event"));
        assert_eq!(exits.contains_key("halt"), name == "halted");
        assert_eq!(fills.with("incident", "true").count() > 0, name == "halted");
    }
    assert!(flat > 0, "of some run all money is in its trades");
}

/// Where nobody shares an exit, a fill is what its report says.
fn each_fill_is_a_report(fills: &Table, reports: &Table, is_alone: bool) {
    let told: BTreeMap<u64, &Row> = reports.rows.iter().map(|row| (seq(row), row)).collect();
    for fill in &fills.rows {
        let report = told[&seq(fill)];
        assert_eq!(report["order_id"], fill["order_id"]);
        assert_eq!(report["last_price"], fill["price"]);
        if is_alone {
            assert_eq!((&report["last_qty"], &report["fee"]), (&fill["qty"], &fill["fee"]));
            assert_eq!(report.get("paid_by_seq"), fill.get("paid_by_seq"));
        }
    }
}

/// The mid of a decision is one that the touch showed, and the slippage is the way from there to the price.
fn slippage_is_that_of_the_mid(fills: &Table, events: &Table) {
    let mut mids: BTreeSet<(&str, i128)> = BTreeSet::new();
    for row in events.with("kind", "Touch") {
        if let (Some(bid), Some(ask)) = (row.get("bid_price"), row.get("ask_price")) {
            mids.insert((row["symbol"].as_str(), (raw(bid) + raw(ask)) / 2));
        }
    }
    let mut known = 0;
    for fill in fills.rows.iter().filter(|fill| fill.contains_key("decision_mid")) {
        known += 1;
        let (mid, price) = (raw(&fill["decision_mid"]), raw(&fill["price"]));
        assert!(mids.contains(&(fill["symbol"].as_str(), mid)), "{fill:?}");
        let beyond = if fill["side"] == "buy" { price - mid } else { mid - price };
        let found = raw(&fill["slippage_bp"]);
        // Both at 1e-8; the column has four places.
        let expected = beyond * 10_000 * 100_000_000 / mid;
        assert!((found - expected).abs() <= 10_000, "{found} {expected} {fill:?}");
    }
    assert!(known > 10, "{known}");
}

/// Lost, repeated and late reports change no sum: what the account holds is in the tables.
#[test]
fn fees_add_up_although_reports_are_repeated_and_late() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "3");
    let text = "[paper]\nrepeat_ppm = 300000\ndelay_ppm = 300000\ndelay_ms = 300\n";
    let faulty = config(folder.path(), "faulty.toml", text);
    let dir = folder.path().join("j");
    let report = record(&capture, &dir, &[&BOTH[..], &["--config", arg(&faulty)]].concat());
    let reports = Table::of(&dir, "report");
    let fees: i128 = reports.rows.iter().map(|row| raw(&row["fee"])).sum();
    assert_eq!(fees, raw(word(&report["pnl"], "fees")));
    let told = reports.rows.iter().filter(|row| raw(&row["last_qty"]) > 0).count() as u64;
    assert!(told > number(&report, "fills"), "some were told twice");
}

/// A kill level shows in the tables: what was sent before, what after, and what the gateway did by itself.
#[test]
fn what_is_sent_behind_a_kill_level_is_what_the_level_allows() {
    let folder = scratch();
    let capture = synth(folder.path(), "burst", "2");
    for level in ["1", "2", "3"] {
        let dir = folder.path().join(level);
        let raise = format!("{level}@60");
        record(&capture, &dir, &[&BOTH[..], &["--raise", &raise]].concat());
        let events = Table::of(&dir, "event");
        let raised = seq(events.with("kind", "KillLevel").next().unwrap());
        let gateway = Table::of(&dir, "gateway");
        let (before, after): (Vec<&Row>, Vec<&Row>) =
            gateway.rows.iter().partition(|row| seq(row) < raised);
        assert!(before.iter().any(|row| row["class"] == "new" && row["outcome"] == "sent"));
        let sent = after.iter().filter(|row| row["outcome"] == "sent");
        let new: Vec<_> = sent.clone().filter(|row| row["class"] == "new").collect();
        assert_eq!(new.len(), 0, "level {level}: {new:?}");
        let of_risk = |row: &&&Row| row.get("strategy").is_some_and(|name| name == "risk");
        match level {
            "1" => assert!(sent.clone().any(|row| !of_risk(&row)), "cancels and reduces go on"),
            "2" => assert!(sent.clone().any(|row| of_risk(&row)), "risk halts"),
            _ => {}
        }
        let by_itself = gateway.rows.iter().filter(|row| !row.contains_key("order_id"));
        let by_itself: Vec<&Row> = by_itself.collect();
        assert_eq!(by_itself.len(), usize::from(level == "3"), "level {level}");
        for row in by_itself {
            assert_eq!((row["class"].as_str(), row["outcome"].as_str()), ("cancel", "sent"));
            assert_eq!(row.len(), 4, "nothing but seq, time, class and outcome: {row:?}");
        }
        let blocked = gateway.with("outcome", "blocked").count();
        let shown = text("cat", &dir, &["--kind", "sent"]);
        assert_eq!(blocked, shown.matches(" blocked at kill level ").count());
    }
}

#[test]
fn a_file_and_standard_output_get_the_same_bytes() {
    let scene = Scene::eventful(&[]);
    let folder = scratch();
    for lane in TABLES {
        for format in ["csv", "parquet"] {
            let options = ["--lane", lane, "--format", format];
            let output = on("export", &scene.dir, &options);
            assert_eq!(output.status.code(), Some(0), "{lane}, {format}");
            let path = folder.path().join("table");
            fs::write(&path, "what was there before").unwrap();
            let out = [&options[..], &["--out", arg(&path)]].concat();
            assert!(text("export", &scene.dir, &out).is_empty());
            assert!(fs::read(&path).unwrap() == output.stdout, "{lane}, {format}");
            if format == "parquet" {
                whole_parquet(&path, &Table::of(&scene.dir, lane));
            }
        }
    }
}

fn whole_parquet(path: &Path, table: &Table) {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = schema.columns().iter().map(|column| column.name().to_owned());
    assert_eq!(columns.collect::<Vec<_>>(), table.columns);
    assert_eq!(reader.get_row_iter(None).unwrap().map(Result::unwrap).count(), table.rows.len());
}

#[test]
fn a_table_that_can_not_be_written_is_a_line() {
    let scene = Scene::cut_short();
    let before = interrupted::contents(&scene.dir);
    let export = |out: &Path, format: &str| {
        let options = ["--lane", "event", "--format", format, "--out", arg(out)];
        on("export", &scene.dir, &options)
    };
    let folder = scratch();
    for format in ["csv", "parquet"] {
        refused(&export(&folder.path().join("no/where"), format), &["no/where"]);
        refused(&export(folder.path(), format), &["directory"]);
        refused(&export(Path::new("/dev/full"), format), &["/dev/full", "No space left"]);
        for name in ["event-000001.seg", "control", "table.csv"] {
            let inside = scene.dir.join(name);
            refused(&export(&inside, format), &["lies in the folder of the journal"]);
        }
        let link = folder.path().join("link");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(scene.dir.join("control"), &link).unwrap();
        refused(&export(&link, format), &["lies in the folder of the journal"]);
    }
    assert_eq!(interrupted::contents(&scene.dir), before);
    for wrong in [&["--lane", "pnl", "--format", "csv"][..], &["--lane", "risk", "--format", "xls"]]
    {
        let (_, stderr) = said(&on("export", &scene.dir, wrong), 2);
        assert!(stderr.contains(wrong[1]) || stderr.contains(wrong[3]), "{stderr}");
    }
}

/// The report of the command line has the keys that its page lists, with a journal as without.
#[test]
fn the_report_has_its_documented_keys() {
    let folder = scratch();
    let capture = synth(folder.path(), "calm", "1");
    let report = record(&capture, &folder.path().join("j"), &[]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.md");
    let page = fs::read_to_string(page).unwrap();
    let (table, _) = page.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let named =
        rows.flat_map(|line| line[1..].split('|').next().unwrap().split('`').skip(1).step_by(2));
    let named: BTreeSet<&str> = named.collect();
    let keys: BTreeSet<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, named);
    let lanes: Vec<_> = report["digest"].as_object().unwrap().keys().collect();
    assert_eq!(lanes, ["all", "alpha", "decided", "event", "feed", "gateway", "risk"]);
}
