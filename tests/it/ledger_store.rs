//! The ledger in databases, from the command line.
//!
//! - `killed`: killed at any moment, each row is there once in the end
//! - `live`: a journal that is being written
//! - `refused`: what is not written to and not read from
//! - `shown`: a journal and its databases tell the same figures

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};

use fusewire_tests::postgres::Cluster;
use fusewire_tests::{Places, fusewire_with, json, start_with};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::journal::interrupted::wait_until;
use crate::journal::{arg, config, said, synth};

mod killed;
mod live;
mod refused;
mod shown;

/// The tables, each with the order of its key.
const TABLES: [(&str, &str); 9] = [
    ("journals", "id"),
    ("strategies", "journal, id"),
    ("symbols", "journal, id"),
    ("progress", "journal"),
    ("trades", "journal, session, seq, idx"),
    ("postings", "journal, session, seq, idx"),
    ("positions", "journal, session, seq, idx"),
    ("reconciliations", "journal, session, seq, idx"),
    ("open_positions", "journal, session, seq, idx"),
];
/// The tables whose rows the watermark counts.
const ROWS: [&str; 4] = ["trades", "postings", "positions", "reconciliations"];

/// A journal of two strategies in small segments.
struct Recorded {
    folder: TempDir,
    capture: PathBuf,
    dir: PathBuf,
}

impl Recorded {
    fn new(minutes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let capture = synth(folder.path(), "burst", minutes);
        let recorded = Self { dir: folder.path().join("j"), capture, folder };
        json(&recorded.replay(&recorded.dir));
        recorded
    }

    /// Arguments of the run.
    fn replay<'a>(&'a self, dir: &'a Path) -> Vec<&'a str> {
        let text = "[journal]\nsegment_mb = 1\n[capture]\nline_bytes_max = 65_536\n";
        let small = self.folder.path().join("small.toml");
        if !small.exists() {
            config(self.folder.path(), "small.toml", text);
        }
        let small: &'static str = Box::leak(arg(&small).to_owned().into_boxed_str());
        let journal = ["replay", "--json", arg(&self.capture), "--journal", arg(dir)];
        [&journal[..], &["--strategy", "quoter,taker", "--config", small]].concat()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A database in a file that is not there yet.
    fn file(&self, name: &str) -> Db {
        Db::Sqlite(self.path(name))
    }
}

/// A database.
#[derive(Clone, Debug)]
enum Db {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Db {
    /// The options that make `sync` write to it.
    fn to(&self) -> Vec<&str> {
        match self {
            Self::Sqlite(path) => vec!["--to", arg(path)],
            Self::Postgres(_) => vec!["--postgres"],
        }
    }

    /// The options that make `show` read it.
    fn from(&self) -> Vec<&str> {
        match self {
            Self::Sqlite(path) => vec!["--from", arg(path)],
            Self::Postgres(_) => vec!["--postgres"],
        }
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(url) => vec![("FUSEWIRE_LEDGER_URL", url)],
        }
    }

    fn start(&self, dir: &Path, more: &[&str]) -> Child {
        let sync = ["ledger", "sync", arg(dir), "--json"];
        start_with(&self.variables(), &[&sync[..], &self.to(), more].concat())
    }

    fn sync(&self, dir: &Path, more: &[&str]) -> Output {
        self.start(dir, more).wait_with_output().unwrap()
    }

    /// What a sync reports that does all that it should.
    fn synced(&self, dir: &Path, more: &[&str]) -> Value {
        let (stdout, stderr) = said(&self.sync(dir, more), 0);
        assert_eq!(stderr, "");
        serde_json::from_str(&stdout).unwrap()
    }

    fn show(&self, more: &[&str]) -> Output {
        fusewire_with(&self.variables(), &[&["ledger", "show"], &self.from()[..], more].concat())
    }

    /// Rows of a query as texts; none when the tables are not there yet.
    fn query(&self, sql: &str) -> Option<Vec<String>> {
        match self {
            Self::Sqlite(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
                let connection = Connection::open_with_flags(path, flags).ok()?;
                connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                let mut statement = connection.prepare(sql).ok()?;
                let columns = statement.column_count();
                let text = |row: &rusqlite::Row<'_>| {
                    let cells = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
                    Ok(cells.collect::<Vec<_>>().join(","))
                };
                let rows = statement.query_map([], text).unwrap();
                Some(rows.collect::<Result<_, _>>().unwrap())
            }
            Self::Postgres(url) => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                client.batch_execute("set search_path to fusewire").unwrap();
                let rows = client.query(&format!("select t::text from ({sql}) t"), &[]).ok()?;
                Some(rows.iter().map(|row| row.get(0)).collect())
            }
        }
    }

    fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Self::Postgres(url) => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                let sql = format!("set search_path to fusewire; {sql}");
                client.batch_execute(&sql).unwrap();
            }
        }
    }

    /// Everything in it, table by table.
    fn dump(&self) -> Vec<String> {
        let mut dump = Vec::new();
        for (table, key) in TABLES {
            dump.push(format!("table {table}"));
            let rows = self.query(&format!("select * from {table} order by {key}"));
            dump.extend(rows.expect("the table is there"));
        }
        dump
    }

    /// One number of a query.
    fn number(&self, sql: &str) -> Option<u64> {
        let text = self.query(sql)?.first()?.clone();
        text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok()
    }

    /// The watermark; 0 when there is none.
    fn seq(&self) -> u64 {
        self.number("select coalesce(max(seq), 0) from progress").unwrap_or_default()
    }

    /// Waits until a server has ended what a process that was killed had asked for.
    fn settle(&self) {
        if let Self::Postgres(url) = self {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            let others = "select count(*) from pg_stat_activity \
                          where datname = current_database() and pid <> pg_backend_pid()";
            wait_until("the server", || {
                client.query_one(others, &[]).unwrap().get::<_, i64>(0) == 0
            });
        }
    }

    /// Whatever moment it is: the rows are those up to the watermark, no more and no less.
    fn is_whole(&self) {
        let counts: Vec<String> =
            ROWS.iter().map(|table| format!("(select count(*) from {table})")).collect();
        let all = counts.join(" + ");
        let (Some(count), known) = (
            self.number(&format!("select {all} as n")),
            "select coalesce(sum(row_count), 0) from progress",
        ) else {
            return;
        };
        assert_eq!(self.number(known), Some(count), "the rows are those that the watermark counts");
        for table in ROWS {
            let beyond =
                format!("select count(*) from {table} where seq > (select max(seq) from progress)");
            assert_eq!(self.number(&beyond), Some(0), "{table}: nothing is beyond the watermark");
        }
    }
}

fn first_difference(one: &[String], other: &[String]) -> String {
    let mut pairs = one.iter().zip(other);
    let counts = format!("{} and {} lines", one.len(), other.len());
    pairs.find(|(one, other)| one != other).map_or(counts, |(one, other)| format!("{one}\n{other}"))
}

fn assert_same(one: &Db, other: &Db) {
    let (one, other) = (one.dump(), other.dump());
    assert!(one == other, "{}", first_difference(&one, &other));
}
