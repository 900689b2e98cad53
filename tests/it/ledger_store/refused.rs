//! What a sync does not write to, and a show does not read.

use fusewire::ledger::postgres::Postgres;
use fusewire::ledger::store::{Batch, JournalEntry, Progress, Store};
use fusewire::ledger::table::{Cell, Entry, Table};
use fusewire_core::event::Body;
use fusewire_core::lane::{Record, RecordKind, decode};
use fusewire_core::units::{Nanos, Usd, UsdSum};
use fusewire_tests::start;
use fusewire_tests::tamper::records;

use super::*;
use crate::journal::interrupted::done;
use crate::journal::refused;

/// The version of the schema that this program writes.
const VERSION: u64 = 2;

/// A database in a file, and one in a server when there is one.
fn stores(cluster: Option<&Cluster>, recorded: &Recorded, name: &str) -> Vec<Db> {
    let server = cluster.map(|cluster| Db::Postgres(cluster.database(name)));
    [Some(recorded.file(&format!("{name}.sqlite"))), server].into_iter().flatten().collect()
}

/// A sync that says no and leaves the database as it is.
fn is_a_no(db: &Db, dir: &Path, part: &str) {
    let before = db.dump();
    let (stdout, stderr) = said(&db.sync(dir, &[]), 1);
    assert!(stdout.is_empty(), "{stdout}");
    assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    assert_eq!(db.dump(), before);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn a_journal_that_gives_other_rows_is_refused() {
    let cluster = Cluster::start("a_journal_that_gives_other_rows_is_refused");
    let recorded = Recorded::new("1");
    let other = recorded.path("other");
    copy(&recorded.dir, &other);
    // A fill that somebody made dearer by 1e-8.
    let event = |place: &fusewire_tests::tamper::Place| decode::event(&place.payload).unwrap();
    let fill = records(&other, "event")
        .into_iter()
        .filter(|place| place.kind == RecordKind::Event as u8)
        .find(|place| matches!(event(place).body, Body::Report(report) if report.kind.is_fill()));
    let fill = fill.expect("something was filled");
    let mut changed = event(&fill);
    if let Body::Report(report) = &mut changed.body {
        report.cum_fee.0 += 1;
    }
    fill.rewrite(Record::event(&changed).bytes());
    for db in stores(cluster.as_ref(), &recorded, "other") {
        db.synced(&recorded.dir, &[]);
        is_a_no(&db, &other, "are not the");
        // The right one still goes on.
        db.synced(&recorded.dir, &[]);
    }
}

#[test]
fn a_journal_that_lost_its_end_is_refused() {
    let cluster = Cluster::start("a_journal_that_lost_its_end_is_refused");
    let recorded = Recorded::new("3");
    let (dir, short) = (recorded.path("long"), recorded.path("short"));
    let mut child = start(&recorded.replay(&dir));
    wait_until("some events", || done(&dir) > 3_000);
    child.kill().unwrap();
    child.wait().unwrap();
    copy(&dir, &short);
    json(&[&recorded.replay(&dir)[..], &["--resume"]].concat());
    for db in stores(cluster.as_ref(), &recorded, "ended") {
        // What is there of an interrupted journal is written, and what a resumed run adds comes behind it.
        let first = db.synced(&short, &[]);
        let second = db.synced(&dir, &[]);
        assert_eq!(second["stores"][0]["resumed_from"], first["seq"]);
        assert_eq!(second["journal"], first["journal"]);
        is_a_no(&db, &short, "the journal ends at event");
    }
}

#[test]
fn every_version_is_brought_up_to_date_and_a_later_one_is_refused() {
    let cluster = Cluster::start("every_version_is_brought_up_to_date");
    let recorded = Recorded::new("1");
    let dir = recorded.dir.as_path();
    for db in stores(cluster.as_ref(), &recorded, "versions") {
        let first = db.synced(dir, &[]);
        let whole = db.dump();
        let pnl = || db.number("select count(*) as n from pnl");
        assert!(pnl().is_some_and(|rows| rows > 0));
        db.execute(
            "drop view pnl; drop index trades_ts; drop index positions_exit_ts; update schema_version set version = 1",
        );
        // Version 1 is read as it is, and nothing is changed by that.
        said(&db.show(&[]), 0);
        assert_eq!(db.number("select version from schema_version"), Some(1));
        let again = db.synced(dir, &[]);
        assert_eq!(again["stores"][0]["rows_written"], 0);
        assert_eq!(again["digest"], first["digest"]);
        assert_eq!(db.number("select version from schema_version"), Some(VERSION));
        assert!(pnl().is_some_and(|rows| rows > 0));
        assert_eq!(db.dump(), whole);
        db.execute("update schema_version set version = 3");
        let parts = ["has schema version 3", "knows up to 2"];
        refused(&db.sync(dir, &[]), &parts);
        refused(&db.show(&[]), &parts);
        assert_eq!(db.dump(), whole);
    }
}

#[test]
fn what_is_no_ledger_is_neither_written_nor_read() {
    let recorded = Recorded::new("1");
    let dir = recorded.dir.as_path();
    let other = recorded.file("other.sqlite");
    other.execute("create table trades (mine text)");
    refused(&other.sync(dir, &[]), &["other.sqlite", "is no ledger"]);
    refused(&other.show(&[]), &["other.sqlite", "holds no ledger"]);
    assert_eq!(other.query("select mine from trades"), Some(vec![]));
    let text = recorded.file("text.sqlite");
    fs::write(recorded.path("text.sqlite"), "nothing of the kind, but long enough to look at")
        .unwrap();
    refused(&text.sync(dir, &[]), &["text.sqlite", "not a database"]);
    refused(&text.show(&[]), &["text.sqlite", "not a database"]);
    refused(&recorded.file("nowhere/x.sqlite").sync(dir, &[]), &["nowhere/x.sqlite"]);
    refused(&recorded.file("missing.sqlite").show(&[]), &["missing.sqlite"]);
    assert!(!recorded.path("missing.sqlite").exists());
    let (_, stderr) = said(&fusewire_with(&[], &["ledger", "show"]), 2);
    assert!(stderr.contains("JOURNAL"), "{stderr}");
    refused(&fusewire_with(&[], &["ledger", "sync", arg(&recorded.path("none"))]), &["none"]);
}

/// What retention dropped, a ledger can not do without.
#[test]
fn a_journal_without_its_beginning_is_refused() {
    let recorded = Recorded::new("5");
    let text = "[journal]\nsegment_mb = 1\ndisk_max_mb = 12\nretention = \"drop-oldest\"\n\
                [capture]\nline_bytes_max = 65_536\n";
    let bounded = config(recorded.folder.path(), "bounded.toml", text);
    let dir = recorded.path("bounded");
    let options = ["--strategy", "quoter,taker", "--config", arg(&bounded)];
    let journal = ["replay", "--json", arg(&recorded.capture), "--journal", arg(&dir)];
    json(&[&journal[..], &options].concat());
    let parts = ["lane event", "retention dropped its beginning"];
    refused(&recorded.file("x.sqlite").sync(&dir, &[]), &parts);
    assert!(!recorded.path("x.sqlite").exists());
    refused(&fusewire_with(&[], &["ledger", "show", arg(&dir)]), &parts);
}

fn posting(index: u32, amount: i128) -> Entry {
    let text = |text: &str| Cell::Text(text.to_owned());
    let cells = vec![
        Cell::Int(0),
        Cell::Int(1),
        text("funding"),
        Cell::Null,
        Cell::Int(0),
        text("both"),
        text("back\\slash\ttab"),
        Cell::Fixed(amount),
        Cell::Flag(true),
    ];
    Entry { table: Table::Postings, seq: 9, index, cells }
}

#[test]
fn amounts_of_38_digits_come_back_from_postgresql_and_larger_ones_are_refused() {
    let Some(cluster) = Cluster::start("amounts_of_38_digits_come_back") else { return };
    let mut store = Postgres::create(&cluster.database("amounts")).unwrap();
    let journal = JournalEntry {
        id: "a".repeat(32),
        session: u16::MAX,
        created: Nanos(5),
        config_digest: "c".to_owned(),
        seed: u64::MAX,
        profile: "default".to_owned(),
        opening: Usd(i64::MIN),
        build_version: "1".to_owned(),
        build_commit: "2".to_owned(),
        strategies: vec!["it's a \\ \"quoter\"".to_owned()],
        symbols: vec!["BTCUSDT".to_owned()],
    };
    let most = 10_i128.pow(38) - 1;
    let to = Progress {
        seq: 9,
        ts: Nanos(1),
        rows: 3,
        digest: "d".to_owned(),
        wallet: UsdSum(-most),
        unrealized: None,
    };
    let rows = [posting(0, 1), posting(1, most + 1)];
    let batch = Batch { rows: &rows, open: &[], progress: &to };
    let error = store.write(&journal, None, &batch).unwrap_err().to_string();
    assert!(error.contains("postings, event 9, row 1: amount = 1000"), "{error}");
    assert_eq!(store.progress(&journal.id).unwrap(), None);
    assert_eq!(store.journals().unwrap(), []);
    let rows = [posting(0, most), posting(1, -most), posting(2, -1)];
    store.write(&journal, None, &Batch { rows: &rows, ..batch }).unwrap();
    assert_eq!(store.journals().unwrap(), std::slice::from_ref(&journal));
    let mut read = Vec::new();
    let found = store.read(&journal, &mut |entry| {
        read.push(entry.clone());
        Ok(())
    });
    assert_eq!((found.unwrap(), read), (to.clone(), rows.to_vec()));
    // Somebody else may not begin where this one has gone on, and no row is there twice.
    let error = store.write(&journal, None, &batch).unwrap_err().to_string();
    assert!(error.contains("somebody else has written"), "{error}");
    let later = Progress { seq: 10, ..to.clone() };
    let twice = Batch { rows: &rows, open: &[], progress: &later };
    let error = store.write(&journal, Some(&to), &twice).unwrap_err().to_string();
    assert!(error.contains("duplicate key"), "{error}");
    assert_eq!(store.progress(&journal.id).unwrap(), Some(to));
}

#[test]
fn a_password_is_never_printed() {
    let recorded = Recorded::new("1");
    let urls = [
        "host=/nowhere user=me password=geheim dbname=x",
        "postgresql://me:geheim@localhost:1/x",
        "postgresql://me:geheim@/x?host=%2Fnowhere",
        "postgresql://me:geheim@localhost:port/x",
        "host=/nowhere user=me password=two geheim",
        "host=/nowhere user=me password='geheim",
        "geheim",
    ];
    for url in urls {
        let db = Db::Postgres(url.to_owned());
        for output in [db.sync(&recorded.dir, &[]), db.show(&[])] {
            let (stdout, stderr) = said(&output, 2);
            assert!(stdout.is_empty() && stderr.starts_with("fusewire: "), "{stderr}");
            assert!(!stderr.contains("geheim"), "{stderr}");
        }
    }
    let unset = fusewire_with(&[("FUSEWIRE_LEDGER_URL", "")], &["ledger", "show", "--postgres"]);
    said(&unset, 2);
}
