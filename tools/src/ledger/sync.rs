//! Writes the rows of a journal to stores, each row once.
//!
//! The fold always begins at the first event. What a store has already is not written again: its watermark
//! says up to which event, and its digest must be that of the rows up to there. Rows and watermark are
//! written in one transaction, so that whatever ends the process, both are there or neither.

use serde::Serialize;

use super::fold::Fold;
use super::store::{Batch, JournalEntry, Progress, Store, StoreError};
use super::table::Entry;
use crate::journal::walk::Item;
use crate::outcome::Failure;

/// Why a sync does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What a store has is not what the journal gives.
    Mismatch(String),
    /// Something can not be read or written.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::line(error))
    }
}

/// A store that is written to.
struct Target {
    store: Box<dyn Store>,
    /// What it has.
    stored: Option<Progress>,
    /// What it had at the start.
    resumed_from: u64,
    written: u64,
    batches: u64,
}

/// What became of a store.
#[derive(Debug, Serialize)]
pub struct Written {
    /// Which store.
    pub store: String,
    /// Its watermark at the start; 0 when it had nothing.
    pub resumed_from: u64,
    /// Rows that this process wrote.
    pub rows_written: u64,
    /// Transactions that it took.
    pub transactions: u64,
}

/// A sync.
pub struct Sync {
    journal: JournalEntry,
    fold: Fold,
    targets: Vec<Target>,
    /// Rows that some target does not have yet.
    pending: Vec<Entry>,
    batch_rows: usize,
}

impl Sync {
    /// Of a journal into stores, with about so many rows in a transaction.
    ///
    /// # Errors
    /// A store does not answer.
    pub fn new(
        journal: JournalEntry,
        fold: Fold,
        stores: Vec<Box<dyn Store>>,
        batch_rows: usize,
    ) -> Result<Self, Stop> {
        let target = |mut store: Box<dyn Store>| {
            let stored = store.progress(&journal.id)?;
            let resumed_from = stored.as_ref().map_or(0, |stored| stored.seq);
            Ok(Target { store, stored, resumed_from, written: 0, batches: 0 })
        };
        let targets = stores.into_iter().map(target).collect::<Result<_, StoreError>>()?;
        let mut sync = Self { journal, fold, targets, pending: Vec::new(), batch_rows };
        sync.compare()?;
        Ok(sync)
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The journal is not what a store was written from, or one of them fails.
    pub fn take(&mut self, item: &Item<'_>) -> Result<(), Stop> {
        if !self.fold.take(item, &mut self.pending)? {
            return Ok(());
        }
        self.compare()?;
        if self.pending.len() >= self.batch_rows { self.commit() } else { Ok(()) }
    }

    /// Whether rows wait for a transaction.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The last event that was taken.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.fold.seq()
    }

    /// Compares the digest of what a store has with that of the rows up to there.
    fn compare(&mut self) -> Result<(), Stop> {
        let seq = self.fold.seq();
        let here =
            |target: &&Target| target.stored.as_ref().is_some_and(|stored| stored.seq == seq);
        for target in self.targets.iter().filter(here) {
            let given = self.fold.progress();
            if target.stored.as_ref() == Some(&given) {
                continue;
            }
            let rows = target.stored.as_ref().map_or(0, |stored| stored.rows);
            return Err(Stop::Mismatch(format!(
                "{}: journal {}: up to event {seq} it has {rows} rows, and they are not the {} that this \
                 journal gives: the journal is another one, or this build folds otherwise; nothing was \
                 written to it",
                target.store.place(),
                self.journal.id,
                given.rows
            )));
        }
        Ok(())
    }

    /// Writes what waits to every store that does not have it, and moves their watermarks.
    ///
    /// # Errors
    /// A store fails. The others may have what it does not: the next sync goes on with each where it is.
    pub fn commit(&mut self) -> Result<(), Stop> {
        let progress = self.fold.progress();
        let mut open = Vec::new();
        for (position, index) in self.fold.open().iter().zip(0..) {
            open.push(Entry::of_open(position, progress.seq, index).map_err(Failure::line)?);
        }
        for target in &mut self.targets {
            let at = target.stored.as_ref().map(|stored| stored.seq);
            if at.is_some_and(|at| at >= progress.seq) {
                continue;
            }
            let first = self.pending.partition_point(|entry| Some(entry.seq) <= at);
            let rows = &self.pending[first..];
            let batch = Batch { rows, open: &open, progress: &progress };
            target.store.write(&self.journal, target.stored.as_ref(), &batch)?;
            target.stored = Some(progress.clone());
            target.written += rows.len() as u64;
            target.batches += 1;
        }
        self.pending.clear();
        Ok(())
    }

    /// Writes the rest. How far the journal is, and what became of each store.
    ///
    /// # Errors
    /// As of `commit`; or a store has more than the journal gives.
    pub fn finish(mut self, is_whole: bool) -> Result<(Progress, Vec<Written>), Stop> {
        self.commit()?;
        let seq = self.fold.seq();
        let ahead =
            |target: &&Target| target.stored.as_ref().is_some_and(|stored| stored.seq > seq);
        if let Some(target) = self.targets.iter().find(ahead).filter(|_| is_whole) {
            let stored = target.stored.as_ref().map_or(0, |stored| stored.seq);
            return Err(Stop::Mismatch(format!(
                "{}: journal {}: it has the rows up to event {stored}, and the journal ends at event {seq}: \
                 it lost its end, or is another one",
                target.store.place(),
                self.journal.id
            )));
        }
        let written = |target: &Target| Written {
            store: target.store.place(),
            resumed_from: target.resumed_from,
            rows_written: target.written,
            transactions: target.batches,
        };
        Ok((self.fold.progress(), self.targets.iter().map(written).collect()))
    }
}
