//! The ledger in an SQLite file.
//!
//! Prices, quantities and amounts are INTEGER columns in units of 1e-8: sums of them are exact, and SQLite
//! refuses a sum that overflows. An amount beyond 92 billion does not fit and is refused, not rounded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fusewire_core::order::StrategyId;
use fusewire_core::units::{Nanos, Usd, UsdSum};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use super::store::{Batch, JournalEntry, Progress, Store, StoreError};
use super::table::{Cell, Column, Entry, Kind, Table};

/// How each version is made of the one before it. A step that was released is never changed.
pub const MIGRATIONS: [&str; 2] =
    [include_str!("sql/sqlite/1.sql"), include_str!("sql/sqlite/2.sql")];

/// How long a process waits for another one that reads or writes.
const BUSY: Duration = Duration::from_secs(10);

/// The store.
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens or makes a file, and brings it to the version of this program.
    ///
    /// # Errors
    /// It can not be opened, is of a later version, or holds something else.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(failed(path))?;
        let mut store = Self { path: path.to_owned(), connection };
        store.prepare()?;
        store.migrate(MIGRATIONS.len())?;
        Ok(store)
    }

    /// Opens a file to read from. Nothing in it is changed.
    ///
    /// # Errors
    /// It is not there, is of a later version, or holds no ledger.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // With the right to write where there is one: what a killed writer left has to be taken in.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed(path))?;
        let mut store = Self { path: path.to_owned(), connection };
        store.prepare()?;
        store.connection.pragma_update(None, "query_only", true).map_err(failed(path))?;
        match version(&store.connection).map_err(failed(path))? {
            Some(found) => store.check_version(found).map(|_| ())?,
            None => return Err(StoreError::Empty { place: store.place() }),
        }
        Ok(store)
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        self.connection.busy_timeout(BUSY).map_err(failed(&self.path))
    }

    /// Brings the file to a version, from whatever version it has, in one transaction.
    fn migrate(&mut self, to: usize) -> Result<(), StoreError> {
        let failed = failed(&self.path);
        let place = self.place();
        let transaction = immediate(&mut self.connection).map_err(&failed)?;
        let found = version(&transaction).map_err(&failed)?;
        if found.is_none() {
            let tables = "select count(*) from sqlite_schema where type = 'table'";
            let tables: i64 =
                transaction.query_row(tables, [], |row| row.get(0)).map_err(&failed)?;
            if tables > 0 {
                return Err(StoreError::Foreign { place });
            }
            let make = "create table schema_version (version integer not null) strict;\
                        insert into schema_version values (0)";
            transaction.execute_batch(make).map_err(&failed)?;
        }
        let found = check_version(&place, found.unwrap_or_default())?;
        for step in MIGRATIONS.iter().take(to).skip(found) {
            transaction.execute_batch(step).map_err(&failed)?;
        }
        if found < to {
            let to = i64::try_from(to).expect("there are few versions");
            transaction.execute("update schema_version set version = ?1", [to]).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)?;
        // Only now: a file of somebody else keeps its mode. Readers do not wait for the writer in this one.
        self.connection.pragma_update(None, "journal_mode", "wal").map_err(&failed)?;
        // A power cut may take back the last transactions, each with its watermark: they are written again.
        self.connection.pragma_update(None, "synchronous", "normal").map_err(failed)
    }

    fn check_version(&self, found: i64) -> Result<usize, StoreError> {
        check_version(&self.place(), found)
    }
}

fn check_version(place: &str, found: i64) -> Result<usize, StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few versions");
    let newer = || StoreError::Newer { place: place.to_owned(), found, known };
    if found > known { Err(newer()) } else { usize::try_from(found).map_err(|_| newer()) }
}

/// The version of the schema; none when there is no ledger.
fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let is_there = connection.table_exists(None, "schema_version")?;
    let read = || connection.query_row("select version from schema_version", [], |row| row.get(0));
    is_there.then(read).transpose()
}

fn immediate(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
    let place = path.display().to_string();
    move |error| StoreError::Database { place: place.clone(), what: error.to_string() }
}

impl Store for Sqlite {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn progress(&mut self, journal: &str) -> Result<Option<Progress>, StoreError> {
        progress(&self.connection, journal).map_err(failed(&self.path))
    }

    fn write(
        &mut self,
        journal: &JournalEntry,
        from: Option<&Progress>,
        batch: &Batch<'_>,
    ) -> Result<(), StoreError> {
        let (failed, place) = (failed(&self.path), self.place());
        let transaction = immediate(&mut self.connection).map_err(&failed)?;
        // The lock is held: what is read here is still so when it is overwritten.
        if progress(&transaction, &journal.id).map_err(&failed)?.as_ref() != from {
            return Err(StoreError::Moved { place, journal: journal.id.clone() });
        }
        if from.is_none() {
            insert_journal(&transaction, journal).map_err(&failed)?;
        }
        let gone = "delete from open_positions where journal = ?1";
        transaction.execute(gone, [&journal.id]).map_err(&failed)?;
        for entry in batch.rows.iter().chain(batch.open) {
            insert(&transaction, journal, entry, &place)?;
        }
        set_progress(&transaction, journal, batch.progress, &place)?;
        transaction.commit().map_err(failed)
    }

    fn journals(&mut self) -> Result<Vec<JournalEntry>, StoreError> {
        let transaction = self.connection.transaction().map_err(failed(&self.path))?;
        journals(&transaction).map_err(failed(&self.path))
    }

    fn read(
        &mut self,
        journal: &JournalEntry,
        take: &mut dyn FnMut(&Entry) -> Result<(), String>,
    ) -> Result<Progress, StoreError> {
        let (failed, place) = (failed(&self.path), self.place());
        let transaction = self.connection.transaction().map_err(&failed)?;
        let progress = progress(&transaction, &journal.id).map_err(&failed)?;
        let Some(progress) = progress else { return Err(StoreError::Empty { place }) };
        for table in Table::ALL {
            let mut statement = transaction.prepare(&select(table)).map_err(&failed)?;
            let mut rows = statement.query([&journal.id]).map_err(&failed)?;
            while let Some(row) = rows.next().map_err(&failed)? {
                let entry = entry(table, row).map_err(&failed)?;
                take(&entry).map_err(|what| StoreError::Database { place: place.clone(), what })?;
            }
        }
        Ok(progress)
    }
}

/// SQLite has no unsigned numbers. Those of a journal count its events and its time: they never come near
/// 2^63, and one that did would come back as another, which the digest tells.
const fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn progress(connection: &Connection, journal: &str) -> rusqlite::Result<Option<Progress>> {
    let select = "select seq, ts, row_count, row_digest, wallet, unrealized from progress \
                  where journal = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Progress {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            ts: Nanos(row.get::<_, i64>(1)?.cast_unsigned()),
            rows: row.get::<_, i64>(2)?.cast_unsigned(),
            digest: row.get(3)?,
            wallet: UsdSum(row.get::<_, i64>(4)?.into()),
            unrealized: row.get::<_, Option<i64>>(5)?.map(|raw| UsdSum(raw.into())),
        })
    };
    connection.query_row(select, [journal], read).optional()
}

fn set_progress(
    transaction: &Transaction<'_>,
    journal: &JournalEntry,
    progress: &Progress,
    place: &str,
) -> Result<(), StoreError> {
    let fits = |column, amount: UsdSum| {
        i64::try_from(amount.0).map_err(|_| StoreError::DoesNotFit {
            place: place.to_owned(),
            table: "progress",
            seq: progress.seq,
            index: 0,
            column,
            value: amount.0,
        })
    };
    let wallet = fits("wallet", progress.wallet)?;
    let unrealized = progress.unrealized.map(|amount| fits("unrealized", amount)).transpose()?;
    let Progress { seq, ts, rows, digest, .. } = progress;
    let (seq, ts, rows) = (signed(*seq), signed(ts.0), signed(*rows));
    let set = "insert or replace into progress values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![journal.id, journal.session, seq, ts, rows, digest, wallet, unrealized];
    transaction
        .execute(set, values)
        .map(|_| ())
        .map_err(|error| StoreError::Database { place: place.to_owned(), what: error.to_string() })
}

fn insert_journal(transaction: &Transaction<'_>, journal: &JournalEntry) -> rusqlite::Result<()> {
    let into = "insert into journals values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        journal.id,
        journal.session,
        signed(journal.created.0),
        journal.config_digest,
        journal.seed.to_string(),
        journal.profile,
        journal.opening.0,
        journal.build_version,
        journal.build_commit,
    ];
    transaction.execute(into, values)?;
    for (id, name, version) in journal.seats() {
        let into = "insert into strategies values (?1, ?2, ?3, ?4)";
        transaction.execute(into, params![journal.id, id, name, version])?;
    }
    for (id, name) in (0_i64..).zip(&journal.symbols) {
        let into = "insert into symbols values (?1, ?2, ?3)";
        transaction.execute(into, params![journal.id, id, name])?;
    }
    Ok(())
}

fn journals(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<JournalEntry>> {
    let select = "select id, session, created_ts, config_digest, seed, profile, opening, \
                  build_version, build_commit from journals order by created_ts, id";
    let mut statement = transaction.prepare(select)?;
    let mut found = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let own = i64::from(StrategyId::VENUE.0);
        let strategies = "select name from strategies where journal = ?1 and id < ?2 order by id";
        let symbols = "select name from symbols where journal = ?1 and id < ?2 order by id";
        let seed: String = row.get(4)?;
        found.push(JournalEntry {
            session: row.get(1)?,
            created: Nanos(row.get::<_, i64>(2)?.cast_unsigned()),
            config_digest: row.get(3)?,
            seed: seed.parse().unwrap_or_default(),
            profile: row.get(5)?,
            opening: Usd(row.get(6)?),
            build_version: row.get(7)?,
            build_commit: row.get(8)?,
            strategies: names(transaction, strategies, &id, own)?,
            symbols: names(transaction, symbols, &id, i64::MAX)?,
            id,
        });
    }
    Ok(found)
}

fn names(
    transaction: &Transaction<'_>,
    select: &str,
    journal: &str,
    below: i64,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = transaction.prepare(select)?;
    statement.query_map(params![journal, below], |row| row.get(0))?.collect()
}

fn insert(
    transaction: &Transaction<'_>,
    journal: &JournalEntry,
    entry: &Entry,
    place: &str,
) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::Database {
        place: place.to_owned(),
        what: error.to_string(),
    };
    let columns = entry.table.columns();
    let marks: String = (1..=columns.len() + 4).map(|n| format!("?{n},")).collect();
    let into =
        format!("insert into {} values ({})", entry.table.name(), marks.trim_end_matches(','));
    let mut statement = transaction.prepare_cached(&into).map_err(failed)?;
    let key: [&dyn rusqlite::ToSql; 4] =
        [&journal.id, &journal.session, &signed(entry.seq), &entry.index];
    for (value, number) in key.into_iter().zip(1..) {
        statement.raw_bind_parameter(number, value).map_err(failed)?;
    }
    for ((column, cell), number) in columns.iter().zip(&entry.cells).zip(5..) {
        let value = value(entry, column, cell, place)?;
        statement.raw_bind_parameter(number, value).map_err(failed)?;
    }
    statement.raw_execute().map(|_| ()).map_err(failed)
}

fn value<'a>(
    entry: &Entry,
    column: &Column,
    cell: &'a Cell,
    place: &str,
) -> Result<ToSqlOutput<'a>, StoreError> {
    Ok(match cell {
        Cell::Null => ToSqlOutput::Owned(Value::Null),
        Cell::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
        Cell::Flag(flag) => ToSqlOutput::Owned(Value::Integer(i64::from(*flag))),
        Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Cell::Fixed(value) => {
            let fits = i64::try_from(*value).map_err(|_| StoreError::DoesNotFit {
                place: place.to_owned(),
                table: entry.table.name(),
                seq: entry.seq,
                index: entry.index,
                column: column.name,
                value: *value,
            })?;
            ToSqlOutput::Owned(Value::Integer(fits))
        }
    })
}

fn select(table: Table) -> String {
    let columns: String =
        table.columns().iter().map(|column| format!(", {}", column.name)).collect();
    format!("select seq, idx{columns} from {} where journal = ?1 order by seq, idx", table.name())
}

fn entry(table: Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let cell = |(column, at): (&Column, usize)| {
        Ok(match column.kind {
            Kind::Int => row.get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Int),
            Kind::Amount | Kind::Bps => {
                row.get::<_, Option<i64>>(at)?.map_or(Cell::Null, |raw| Cell::Fixed(raw.into()))
            }
            Kind::Text => row.get::<_, Option<String>>(at)?.map_or(Cell::Null, Cell::Text),
            Kind::Flag => row.get::<_, Option<bool>>(at)?.map_or(Cell::Null, Cell::Flag),
        })
    };
    let cells = table.columns().iter().zip(2..).map(cell).collect::<rusqlite::Result<_>>()?;
    Ok(Entry { table, seq: row.get::<_, i64>(0)?.cast_unsigned(), index: row.get(1)?, cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{journal, posting, progress};

    #[test]
    fn every_version_leads_to_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let schema = |path: &Path| {
            let connection = Connection::open(path).unwrap();
            let sql = "select coalesce(sql, name) from sqlite_schema order by name";
            let mut statement = connection.prepare(sql).unwrap();
            let found: rusqlite::Result<Vec<String>> =
                statement.query_map([], |row| row.get(0)).unwrap().collect();
            (version(&connection).unwrap(), found.unwrap())
        };
        let last = folder.path().join("last");
        Sqlite::create(&last).unwrap();
        for from in 0..=MIGRATIONS.len() {
            let path = folder.path().join(from.to_string());
            let connection = Connection::open(&path).unwrap();
            let mut store = Sqlite { path: path.clone(), connection };
            store.migrate(from).unwrap();
            assert_eq!(version(&store.connection).unwrap(), Some(i64::try_from(from).unwrap()));
            drop(store);
            Sqlite::create(&path).unwrap();
            assert_eq!(schema(&path), schema(&last), "from version {from}");
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_is_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::create(&folder.path().join("x.sqlite")).unwrap();
        let (journal, to) = (journal(), progress(9));
        let rows = [posting(9, 0, 1), posting(9, 1, i128::from(i64::MAX) + 1)];
        let batch = Batch { rows: &rows, open: &[], progress: &to };
        let error = store.write(&journal, None, &batch).unwrap_err().to_string();
        assert!(
            error.contains("postings, event 9, row 1: amount = 9223372036854775808"),
            "{error}"
        );
        assert_eq!(store.progress(&journal.id).unwrap(), None);
        assert_eq!(store.journals().unwrap(), []);
        let rows = [posting(9, 0, i64::MAX.into()), posting(9, 1, i64::MIN.into())];
        store.write(&journal, None, &Batch { rows: &rows, ..batch }).unwrap();
        assert_eq!(store.journals().unwrap(), std::slice::from_ref(&journal));
        let mut read = Vec::new();
        let found = store.read(&journal, &mut |entry| {
            read.push(entry.clone());
            Ok(())
        });
        assert_eq!((found.unwrap(), read), (to, rows.to_vec()));
    }

    #[test]
    fn a_watermark_that_somebody_else_moved_and_a_row_twice_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        let (journal, to, later) = (journal(), progress(9), progress(10));
        let rows = [posting(9, 0, 1)];
        let batch = Batch { rows: &rows, open: &[], progress: &to };
        let [mut one, mut other] = [&path, &path].map(|path| Sqlite::create(path).unwrap());
        one.write(&journal, None, &batch).unwrap();
        let error = other.write(&journal, None, &batch).unwrap_err().to_string();
        assert!(error.contains("somebody else has written"), "{error}");
        let error = one.write(&journal, Some(&to), &Batch { progress: &later, ..batch });
        assert!(error.unwrap_err().to_string().contains("UNIQUE"), "the key holds, too");
        assert_eq!(other.progress(&journal.id).unwrap(), Some(to));
    }
}
