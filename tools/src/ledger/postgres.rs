//! The ledger in a PostgreSQL server: the schema `fusewire` of the database that `FUSEWIRE_LEDGER_URL` names.
//!
//! Prices, quantities and amounts are NUMERIC(38, 8). They go there and back as text, without a
//! floating-point number on the way.

use std::io::Write;

use fusewire_core::order::StrategyId;
use fusewire_core::units::{BPS_DECIMALS, Bps, DECIMALS, Nanos, Usd, UsdSum, parse_fixed};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, GenericClient, IsolationLevel, NoTls, Row, Transaction};

use super::store::{Batch, JournalEntry, Progress, Store, StoreError};
use super::table::{Cell, Column, Entry, Kind, Table};

/// The variable with the connection string, which may hold a password.
pub const URL: &str = "FUSEWIRE_LEDGER_URL";

/// How each version is made of the one before it. A step that was released is never changed.
pub const MIGRATIONS: [&str; 2] =
    [include_str!("sql/postgres/1.sql"), include_str!("sql/postgres/2.sql")];

/// Number of the lock that whoever migrates holds: "fusewire" in ASCII.
const LOCK: i64 = 0x6675_7365_7769_7265;

/// Digits of a NUMERIC(38, 8).
const DIGITS: u32 = 38;

/// The store.
pub struct Postgres {
    place: String,
    password: Option<String>,
    client: Client,
}

impl Postgres {
    /// Connects and brings the schema to the version of this program.
    ///
    /// # Errors
    /// The connection string is wrong, the server does not answer or refuses, or the schema is of a later
    /// version or holds something else.
    pub fn create(url: &str) -> Result<Self, StoreError> {
        let mut store = Self::connect(url)?;
        store.migrate(MIGRATIONS.len())?;
        Ok(store)
    }

    /// Connects to read. Nothing is changed.
    ///
    /// # Errors
    /// As of `create`; or there is no ledger.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let mut store = Self::connect(url)?;
        let hidden = hidden(&store);
        match version(&mut store.client).map_err(&hidden)? {
            Some(found) => check_version(&store.place, found).map(|_| ())?,
            None => return Err(StoreError::Empty { place: store.place }),
        }
        store.client.batch_execute("set search_path to fusewire").map_err(hidden)?;
        Ok(store)
    }

    fn connect(url: &str) -> Result<Self, StoreError> {
        // What the parser says may quote a part of the text, and with it of the password.
        let config: Config = url.parse().map_err(|_| {
            unusable("is no connection string, as in postgresql://user:password@host:5432/database")
        })?;
        let place = place(&config);
        let password = config.get_password().map(|word| String::from_utf8_lossy(word).into_owned());
        let client = config.connect(NoTls).map_err(|error| StoreError::Database {
            place: place.clone(),
            what: hide(&told(&error), password.as_deref()),
        })?;
        Ok(Self { place, password, client })
    }

    /// Brings the schema to a version, from whatever version it has, in one transaction.
    fn migrate(&mut self, to: usize) -> Result<(), StoreError> {
        let (hidden, place) = (hidden(self), self.place.clone());
        let mut transaction = self.client.transaction().map_err(&hidden)?;
        transaction.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).map_err(&hidden)?;
        let found = version(&mut transaction).map_err(&hidden)?;
        if found.is_none() {
            let count = "select count(*) from pg_tables where schemaname = 'fusewire'";
            let tables: i64 = transaction.query_one(count, &[]).map_err(&hidden)?.get(0);
            if tables > 0 {
                return Err(StoreError::Foreign { place });
            }
            // `if not exists` asks for the right to make one even where it exists.
            let there = "select to_regnamespace('fusewire') is not null";
            let is_there: bool = transaction.query_one(there, &[]).map_err(&hidden)?.get(0);
            if !is_there {
                transaction.batch_execute("create schema fusewire").map_err(&hidden)?;
            }
            let make = "create table fusewire.schema_version (version bigint not null);\
                        insert into fusewire.schema_version values (0)";
            transaction.batch_execute(make).map_err(&hidden)?;
        }
        let found = check_version(&place, found.unwrap_or_default())?;
        transaction.batch_execute("set search_path to fusewire").map_err(&hidden)?;
        for step in MIGRATIONS.iter().take(to).skip(found) {
            transaction.batch_execute(step).map_err(&hidden)?;
        }
        if found < to {
            let to = i64::try_from(to).expect("there are few versions");
            transaction
                .execute("update schema_version set version = $1", &[&to])
                .map_err(&hidden)?;
        }
        transaction.commit().map_err(hidden)
    }
}

/// The connection string of the environment.
///
/// # Errors
/// The variable is not set.
pub fn url() -> Result<String, StoreError> {
    std::env::var(URL).map_err(|_| {
        unusable("is not set: it names the server, as in postgresql://user@host/database")
    })
}

fn unusable(what: &str) -> StoreError {
    StoreError::Database { place: URL.to_owned(), what: what.to_owned() }
}

/// Host and database, without user and password.
fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(postgres::config::Host::Tcp(host)) => host.clone(),
        Some(postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => "?".to_owned(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("PostgreSQL {host}/{database}")
}

/// What an error says: its own text is only "db error".
fn told(error: &postgres::Error) -> String {
    use std::error::Error;
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail}", said.message());
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn hide(text: &str, password: Option<&str>) -> String {
    match password {
        Some(word) if !word.is_empty() => text.replace(word, "***"),
        Some(_) | None => text.to_owned(),
    }
}

/// Makes an error of what the server says, without the password in it.
fn hidden(store: &Postgres) -> impl Fn(postgres::Error) -> StoreError + use<> {
    let (place, password) = (store.place.clone(), store.password.clone());
    move |error| StoreError::Database {
        place: place.clone(),
        what: hide(&told(&error), password.as_deref()),
    }
}

fn check_version(place: &str, found: i64) -> Result<usize, StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few versions");
    let newer = || StoreError::Newer { place: place.to_owned(), found, known };
    if found > known { Err(newer()) } else { usize::try_from(found).map_err(|_| newer()) }
}

/// The version of the schema; none when there is no ledger.
fn version(client: &mut impl GenericClient) -> Result<Option<i64>, postgres::Error> {
    let there = "select to_regclass('fusewire.schema_version') is not null";
    if !client.query_one(there, &[])?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_one("select version from fusewire.schema_version", &[])?;
    Ok(Some(row.get(0)))
}

impl Store for Postgres {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn progress(&mut self, journal: &str) -> Result<Option<Progress>, StoreError> {
        progress(&mut self.client, journal, "").map_err(hidden(self))
    }

    fn write(
        &mut self,
        journal: &JournalEntry,
        from: Option<&Progress>,
        batch: &Batch<'_>,
    ) -> Result<(), StoreError> {
        let (hidden, place) = (hidden(self), self.place.clone());
        let mut transaction = self.client.transaction().map_err(&hidden)?;
        // Held until the end. Of a journal that is new, the key of `journals` lets one writer in.
        let found = progress(&mut transaction, &journal.id, "for update").map_err(&hidden)?;
        if found.as_ref() != from {
            return Err(StoreError::Moved { place, journal: journal.id.clone() });
        }
        if from.is_none() {
            insert_journal(&mut transaction, journal).map_err(&hidden)?;
        }
        let gone = "delete from open_positions where journal = $1";
        transaction.execute(gone, &[&journal.id]).map_err(&hidden)?;
        for table in Table::ALL {
            let rows = batch.rows.iter().chain(batch.open).filter(|entry| entry.table == table);
            copy(&mut transaction, journal, table, rows, &place, &hidden)?;
        }
        set_progress(&mut transaction, journal, batch.progress).map_err(&hidden)?;
        transaction.commit().map_err(hidden)
    }

    fn journals(&mut self) -> Result<Vec<JournalEntry>, StoreError> {
        let hidden = hidden(self);
        let mut transaction = snapshot(&mut self.client).map_err(&hidden)?;
        journals(&mut transaction).map_err(hidden)
    }

    fn read(
        &mut self,
        journal: &JournalEntry,
        take: &mut dyn FnMut(&Entry) -> Result<(), String>,
    ) -> Result<Progress, StoreError> {
        let (hidden, place) = (hidden(self), self.place.clone());
        let wrong = |what| StoreError::Database { place: place.clone(), what };
        let mut transaction = snapshot(&mut self.client).map_err(&hidden)?;
        let progress = progress(&mut transaction, &journal.id, "").map_err(&hidden)?;
        let Some(progress) = progress else { return Err(StoreError::Empty { place }) };
        for table in Table::ALL {
            let mut rows = transaction.query_raw(&select(table), [&journal.id]).map_err(&hidden)?;
            while let Some(row) = rows.next().map_err(&hidden)? {
                take(&entry(table, &row).map_err(wrong)?).map_err(wrong)?;
            }
        }
        Ok(progress)
    }
}

/// A transaction that sees the database as it is at one moment.
fn snapshot(client: &mut Client) -> Result<Transaction<'_>, postgres::Error> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
}

/// PostgreSQL has no unsigned numbers, see `sqlite::signed`.
const fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn progress(
    client: &mut impl GenericClient,
    journal: &str,
    lock: &str,
) -> Result<Option<Progress>, postgres::Error> {
    let select = format!(
        "select seq, ts, row_count, row_digest, wallet::text, unrealized::text from progress \
         where journal = $1 {lock}"
    );
    let row = client.query_opt(&select, &[&journal])?;
    // A NUMERIC that is no amount, such as NaN, was not written by this program: it fits no progress.
    let amount = |text: String| UsdSum::parse(text.as_bytes()).unwrap_or(UsdSum(i128::MIN));
    Ok(row.map(|row| Progress {
        seq: row.get::<_, i64>(0).cast_unsigned(),
        ts: Nanos(row.get::<_, i64>(1).cast_unsigned()),
        rows: row.get::<_, i64>(2).cast_unsigned(),
        digest: row.get(3),
        wallet: amount(row.get(4)),
        unrealized: row.get::<_, Option<String>>(5).map(amount),
    }))
}

fn set_progress(
    transaction: &mut Transaction<'_>,
    journal: &JournalEntry,
    progress: &Progress,
) -> Result<(), postgres::Error> {
    transaction.execute("delete from progress where journal = $1", &[&journal.id])?;
    let into = "insert into progress values \
                ($1, $2, $3, $4, $5, $6, $7::text::numeric, $8::text::numeric)";
    let [seq, ts, rows] = [progress.seq, progress.ts.0, progress.rows].map(signed);
    let (session, digest) = (i64::from(journal.session), &progress.digest);
    let wallet = progress.wallet.to_string();
    let unrealized = progress.unrealized.map(|amount| amount.to_string());
    transaction
        .execute(into, &[&journal.id, &session, &seq, &ts, &rows, digest, &wallet, &unrealized])?;
    Ok(())
}

fn insert_journal(
    transaction: &mut Transaction<'_>,
    journal: &JournalEntry,
) -> Result<(), postgres::Error> {
    let into = "insert into journals values ($1, $2, $3, $4, $5, $6, $7::text::numeric, $8, $9)";
    transaction.execute(
        into,
        &[
            &journal.id,
            &i64::from(journal.session),
            &signed(journal.created.0),
            &journal.config_digest,
            &journal.seed.to_string(),
            &journal.profile,
            &journal.opening.to_string(),
            &journal.build_version,
            &journal.build_commit,
        ],
    )?;
    for (id, name, version) in journal.seats() {
        let into = "insert into strategies values ($1, $2, $3, $4)";
        transaction.execute(into, &[&journal.id, &id, &name, &version])?;
    }
    for (id, name) in (0_i64..).zip(&journal.symbols) {
        let into = "insert into symbols values ($1, $2, $3)";
        transaction.execute(into, &[&journal.id, &id, name])?;
    }
    Ok(())
}

fn journals(transaction: &mut Transaction<'_>) -> Result<Vec<JournalEntry>, postgres::Error> {
    let select = "select id, session, created_ts, config_digest, seed, profile, opening::text, \
                  build_version, build_commit from journals order by created_ts, id";
    let mut found = Vec::new();
    for row in transaction.query(select, &[])? {
        let id: String = row.get(0);
        let own = i64::from(StrategyId::VENUE.0);
        let strategies = "select name from strategies where journal = $1 and id < $2 order by id";
        let symbols = "select name from symbols where journal = $1 and id < $2 order by id";
        let mut names = |select: &str, below: i64| {
            let rows = transaction.query(select, &[&id, &below])?;
            Ok::<_, postgres::Error>(rows.iter().map(|row| row.get(0)).collect())
        };
        found.push(JournalEntry {
            session: u16::try_from(row.get::<_, i64>(1)).unwrap_or_default(),
            created: Nanos(row.get::<_, i64>(2).cast_unsigned()),
            config_digest: row.get(3),
            seed: row.get::<_, String>(4).parse().unwrap_or_default(),
            profile: row.get(5),
            opening: Usd::parse(row.get::<_, String>(6).as_bytes()).unwrap_or_default(),
            build_version: row.get(7),
            build_commit: row.get(8),
            strategies: names(strategies, own)?,
            symbols: names(symbols, i64::MAX)?,
            id,
        });
    }
    Ok(found)
}

/// Writes rows of one table. Nothing is skipped: a row that is there already ends the transaction.
fn copy<'a>(
    transaction: &mut Transaction<'_>,
    journal: &JournalEntry,
    table: Table,
    rows: impl Iterator<Item = &'a Entry>,
    place: &str,
    hidden: &impl Fn(postgres::Error) -> StoreError,
) -> Result<(), StoreError> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut lines = String::new();
    for entry in rows {
        line(&mut lines, journal, entry, place)?;
    }
    let copy = format!("copy {} from stdin", table.name());
    let mut writer = transaction.copy_in(&copy).map_err(hidden)?;
    let written = writer.write_all(lines.as_bytes());
    written.map_err(|error| StoreError::Database {
        place: place.to_owned(),
        what: error.to_string(),
    })?;
    writer.finish().map(|_| ()).map_err(hidden)
}

/// A row as the text format of `copy` has it.
fn line(
    to: &mut String,
    journal: &JournalEntry,
    entry: &Entry,
    place: &str,
) -> Result<(), StoreError> {
    *to += &format!("{}\t{}\t{}\t{}", journal.id, journal.session, entry.seq, entry.index);
    for (column, cell) in entry.table.columns().iter().zip(&entry.cells) {
        to.push('\t');
        match cell {
            Cell::Null => to.push_str("\\N"),
            Cell::Int(value) => *to += &value.to_string(),
            Cell::Flag(flag) => to.push(if *flag { 't' } else { 'f' }),
            Cell::Text(text) => *to += &escaped(text),
            Cell::Fixed(value) => {
                let text = decimal(column.kind, *value).ok_or_else(|| StoreError::DoesNotFit {
                    place: place.to_owned(),
                    table: entry.table.name(),
                    seq: entry.seq,
                    index: entry.index,
                    column: column.name,
                    value: *value,
                })?;
                *to += &text;
            }
        }
    }
    to.push('\n');
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// A decimal as text; none when its column does not hold it.
fn decimal(kind: Kind, value: i128) -> Option<String> {
    if value.unsigned_abs() >= 10_u128.pow(DIGITS) {
        return None;
    }
    Some(match kind {
        Kind::Bps => Bps(i64::try_from(value).ok()?).to_string(),
        Kind::Amount | Kind::Int | Kind::Text | Kind::Flag => UsdSum(value).to_string(),
    })
}

fn select(table: Table) -> String {
    let column = |column: &Column| match column.kind {
        Kind::Amount | Kind::Bps => format!(", {}::text", column.name),
        Kind::Int | Kind::Text | Kind::Flag => format!(", {}", column.name),
    };
    let columns: String = table.columns().iter().map(column).collect();
    format!("select seq, idx{columns} from {} where journal = $1 order by seq, idx", table.name())
}

fn entry(table: Table, row: &Row) -> Result<Entry, String> {
    let cell = |(column, at): (&Column, usize)| {
        let places = if column.kind == Kind::Bps { BPS_DECIMALS } else { DECIMALS };
        Ok(match column.kind {
            Kind::Int => row.get::<_, Option<i64>>(at).map_or(Cell::Null, Cell::Int),
            Kind::Text => row.get::<_, Option<String>>(at).map_or(Cell::Null, Cell::Text),
            Kind::Flag => row.get::<_, Option<bool>>(at).map_or(Cell::Null, Cell::Flag),
            Kind::Amount | Kind::Bps => match row.get::<_, Option<String>>(at) {
                None => Cell::Null,
                Some(text) => {
                    Cell::Fixed(parse_fixed(text.as_bytes(), places).map_err(|error| {
                        format!("{}, {} = {text}: {error}", table.name(), column.name)
                    })?)
                }
            },
        })
    };
    let cells = table.columns().iter().zip(2..).map(cell).collect::<Result<_, String>>()?;
    let index = u32::try_from(row.get::<_, i64>(1)).map_err(|error| error.to_string())?;
    Ok(Entry { table, seq: row.get::<_, i64>(0).cast_unsigned(), index, cells })
}
