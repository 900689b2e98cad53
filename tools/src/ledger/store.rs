//! What a store of the ledger does, whichever it is.

use fusewire_core::units::{Nanos, Usd, UsdSum};
use thiserror::Error;

use super::table::Entry;
use crate::cli;
use crate::export::lanes::Names;
use crate::journal::header::Header;
use fusewire_core::order::StrategyId;

/// A journal as a store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Half of the BLAKE3 digest of its header, in hex: the same wherever a copy of it lies.
    pub id: String,
    /// What the ids of its orders begin with.
    pub session: u16,
    /// When it was made, in ns since 1970.
    pub created: Nanos,
    /// BLAKE3 of the effective configuration, in hex.
    pub config_digest: String,
    /// Seed of all jitter.
    pub seed: u64,
    /// Name of the limits in force.
    pub profile: String,
    /// Balance at the start.
    pub opening: Usd,
    /// Version of the program that wrote it.
    pub build_version: String,
    /// Its commit.
    pub build_commit: String,
    /// Strategies by seat.
    pub strategies: Vec<String>,
    /// Symbols by number.
    pub symbols: Vec<String>,
}

/// Hex digits of a journal's id.
const ID_DIGITS: usize = 32;

impl JournalEntry {
    /// What a header and the document that it was read from say.
    #[must_use]
    pub fn new(header: &Header, document: &[u8]) -> Self {
        let Names { strategies, symbols, .. } = header.names();
        let mut id = blake3::hash(document).to_hex().to_string();
        id.truncate(ID_DIGITS);
        Self {
            id,
            session: header.session,
            created: header.created,
            config_digest: blake3::hash(header.config.as_bytes()).to_hex().to_string(),
            seed: header.seed,
            profile: header.profile_name().to_owned(),
            opening: header.account.balance,
            build_version: header.build.version.clone(),
            build_commit: header.build.commit.clone(),
            strategies,
            symbols,
        }
    }

    /// Strategies with their numbers and versions; behind them the seats of venue and risk. Strategies are
    /// compiled in: their version is that of the program.
    pub fn seats(&self) -> impl Iterator<Item = (i64, &str, String)> {
        let version = format!("{} ({})", self.build_version, self.build_commit);
        let own = [StrategyId::VENUE, StrategyId::RISK];
        let own = own.into_iter().zip(["venue", "risk"]);
        let own = own.map(|(seat, name)| (i64::from(seat.0), name));
        let named = self.strategies.iter().map(String::as_str);
        (0..).zip(named).chain(own).map(move |(id, name)| (id, name, version.clone()))
    }

    /// The names behind the numbers in rows.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            strategies: self.strategies.clone(),
            symbols: self.symbols.clone(),
            sources: Vec::new(),
        }
    }
}

/// How far a journal is written, and what was written so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last event whose rows are all there.
    pub seq: u64,
    /// Logical time of that event.
    pub ts: Nanos,
    /// How many rows there are up to it.
    pub rows: u64,
    /// BLAKE3 over these rows in order, in hex.
    pub digest: String,
    /// The balance without unrealised profit.
    pub wallet: UsdSum,
    /// Unrealised profit of the account as the venue nets it; none when a mark is missing.
    pub unrealized: Option<UsdSum>,
}

/// What is written at once.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The rows behind the watermark, in order.
    pub rows: &'a [Entry],
    /// All positions that are open at the new watermark.
    pub open: &'a [Entry],
    /// The new watermark.
    pub progress: &'a Progress,
}

/// A database with the ledgers of journals.
pub trait Store {
    /// What and where it is, for people; no secret is in it.
    fn place(&self) -> String;

    /// How far this journal is written; none when nothing of it is there.
    ///
    /// # Errors
    /// The database does not answer, or says what it should not.
    fn progress(&mut self, journal: &str) -> Result<Option<Progress>, StoreError>;

    /// Writes a batch and moves the watermark from where it is known to be, in one transaction.
    ///
    /// # Errors
    /// A value does not fit, the watermark lies elsewhere, or the database refuses. Nothing is written then.
    fn write(
        &mut self,
        journal: &JournalEntry,
        from: Option<&Progress>,
        batch: &Batch<'_>,
    ) -> Result<(), StoreError>;

    /// The journals that are in it, oldest first.
    ///
    /// # Errors
    /// As of `progress`.
    fn journals(&mut self) -> Result<Vec<JournalEntry>, StoreError>;

    /// Hands over all rows of a journal, each table in order, as they are at one moment.
    ///
    /// # Errors
    /// As of `progress`; or what `take` says.
    fn read(
        &mut self,
        journal: &JournalEntry,
        take: &mut dyn FnMut(&Entry) -> Result<(), String>,
    ) -> Result<Progress, StoreError>;
}

/// Why a store does not do what it should.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database says no.
    #[error("{place}: {what}")]
    Database {
        /// Which.
        place: String,
        /// What it says.
        what: String,
    },
    /// An amount that the column can not hold.
    #[error(
        "{place}: {table}, event {seq}, row {index}: {column} = {value} does not fit its column"
    )]
    DoesNotFit {
        /// Which database.
        place: String,
        /// Table.
        table: &'static str,
        /// Event.
        seq: u64,
        /// Place among the rows of the event.
        index: u32,
        /// Column.
        column: &'static str,
        /// What does not fit, in units of the last place.
        value: i128,
    },
    /// It was written by a later program.
    #[error("{place}: has schema version {found}, {} knows up to {known}", cli::VERSION)]
    Newer {
        /// Which database.
        place: String,
        /// Its version.
        found: i64,
        /// The last that is known here.
        known: i64,
    },
    /// It holds something else.
    #[error("{place}: is no ledger: it has tables, and no schema_version among them")]
    Foreign {
        /// Which database.
        place: String,
    },
    /// There is no ledger in it.
    #[error("{place}: holds no ledger: `fusewire ledger sync` writes one")]
    Empty {
        /// Which database.
        place: String,
    },
    /// The watermark is not where this process left it.
    #[error("{place}: journal {journal}: somebody else has written since: run one sync at a time")]
    Moved {
        /// Which database.
        place: String,
        /// Id of the journal.
        journal: String,
    },
}
