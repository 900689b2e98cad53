//! `ledger sync`: the rows of a journal in a database, each once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fusewire_core::journal::{State, View, is_open};
use fusewire_core::lane::{Decoded, Lane};
use serde::Serialize;

use crate::journal::reading;
use crate::journal::text::utc;
use crate::journal::walk::Walk;
use crate::ledger::fold::{self, Fold};
use crate::ledger::postgres::{self, Postgres};
use crate::ledger::sqlite::Sqlite;
use crate::ledger::store::{JournalEntry, Store};
use crate::ledger::sync::{Stop, Sync, Written};
use crate::outcome::{Done, Failure, Outcome, print};
use crate::signals;

/// Between two looks at a journal that has nothing new.
const LOOK: Duration = Duration::from_millis(10);
/// How long marks and watermark of a store may lie behind when no row comes.
const QUIET: Duration = Duration::from_secs(1);

/// Write the ledger of a journal to a database: SQLite, PostgreSQL or both.
///
/// Each row is written once, whenever the process ends and however often it is started again. It only reads
/// the journal, also while that is being written. Exit 1: the database holds something else than this journal
/// gives, or the journal is damaged.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire ledger sync runs/a\n  fusewire ledger sync runs/a --follow --to all.sqlite\n  \
                  FUSEWIRE_LEDGER_URL=postgresql://me@localhost/trading fusewire ledger sync runs/a --postgres"
)]
pub(super) struct Args {
    /// Folder of the journal.
    #[arg(value_name = "JOURNAL")]
    dir: PathBuf,
    /// SQLite file; without it and without --postgres, ledger.sqlite in the folder of the journal.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Write to the PostgreSQL server that FUSEWIRE_LEDGER_URL names.
    #[arg(long)]
    postgres: bool,
    /// Go on until the journal is closed or its writer is gone; Ctrl-C and SIGTERM end it in order.
    #[arg(short, long)]
    follow: bool,
    /// Rows in a transaction, about.
    #[arg(long, value_name = "ROWS", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Serialize)]
struct Report {
    /// Id of the journal.
    journal: String,
    /// Its state at the end: open, closed or interrupted.
    state: &'static str,
    /// The last event that was taken.
    seq: u64,
    /// Its time.
    ts: String,
    /// Rows up to it.
    rows: u64,
    /// Digest of these rows.
    digest: String,
    /// What became of each store.
    stores: Vec<Written>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir).map_err(Failure::line)?;
    fold::refuse_beheaded(&view)?;
    let (header, document) = reading::header(&view)?;
    let config = header.config()?;
    let journal = JournalEntry::new(&header, &document);
    let fold = Fold::new(&view.dir.display().to_string(), &header, &config)?;
    let stop = Arc::new(AtomicBool::new(false));
    signals::stop(&stop)?;
    let sync = Sync::new(journal.clone(), fold, stores(args)?, args.batch as usize);
    let done = sync.and_then(|sync| Run { dir: &view.dir, sync, stop }.run(&view, args.follow));
    match done {
        Ok((outcome, progress, stores)) => {
            let report = Report {
                journal: journal.id,
                state: View::open(&args.dir).map_err(Failure::line)?.state.name(),
                seq: progress.seq,
                ts: utc(progress.ts),
                rows: progress.rows,
                digest: progress.digest,
                stores,
            };
            print(&render(&report, args.json)?)?;
            Ok(outcome)
        }
        Err(Stop::Mismatch(what)) => {
            tracing::error!("{what}");
            Ok(Done::No)
        }
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

fn stores(args: &Args) -> Result<Vec<Box<dyn Store>>, Failure> {
    let mut stores: Vec<Box<dyn Store>> = Vec::new();
    let own = (!args.postgres).then(|| args.dir.join("ledger.sqlite"));
    if let Some(path) = args.to.clone().or(own) {
        stores.push(Box::new(Sqlite::create(&path).map_err(Failure::line)?));
    }
    if args.postgres {
        stores.push(Box::new(
            postgres::url().and_then(|url| Postgres::create(&url)).map_err(Failure::line)?,
        ));
    }
    Ok(stores)
}

/// A sync at work.
struct Run<'a> {
    dir: &'a Path,
    sync: Sync,
    stop: Arc<AtomicBool>,
}

type Ended = (Done, crate::ledger::store::Progress, Vec<Written>);

impl Run<'_> {
    fn run(mut self, view: &View, follow: bool) -> Result<Ended, Stop> {
        let outcome = if follow { self.follow(view)? } else { self.what_is_there(view)? };
        // Whoever was stopped early has not seen the end of the journal.
        let is_whole = !self.is_stopped();
        let (progress, written) = self.sync.finish(is_whole)?;
        Ok((outcome, progress, written))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn what_is_there(&mut self, view: &View) -> Result<Done, Stop> {
        let mut walk = Walk::without_frames(view);
        while !self.is_stopped()
            && let Some(item) = walk.next()?
        {
            self.sync.take(&item)?;
        }
        Ok(reading::verdict(view))
    }

    fn follow(&mut self, view: &View) -> Result<Done, Stop> {
        let mut walk = Walk::live(self.dir, view.lanes.each_ref().map(|lane| lane.first));
        walk.leave_out_frames();
        let (mut open, mut closed) = (view.state == State::Open, 0);
        let mut committed = (self.sync.seq(), Instant::now());
        loop {
            let was_open = open;
            walk.set_limit(reading::limit(self.dir)?);
            while !self.is_stopped()
                && let Some(item) = walk.next()?
            {
                closed += usize::from(matches!(item.record, Decoded::Close(_)));
                self.sync.take(&item)?;
            }
            if self.is_stopped() {
                return Ok(Done::Yes);
            }
            if closed == Lane::ALL.len() - 1 {
                // All is written; the writer has yet to let go of the journal.
                while is_open(self.dir) && !self.is_stopped() {
                    std::thread::park_timeout(LOOK);
                }
                return Ok(Done::Yes);
            }
            if !was_open {
                // The writer was gone before this look: nothing more comes.
                return Ok(reading::ended_early(self.dir)?);
            }
            let is_late = committed.1.elapsed() >= QUIET && committed.0 < self.sync.seq();
            if self.sync.has_pending() || is_late {
                self.sync.commit()?;
                committed = (self.sync.seq(), Instant::now());
            }
            std::thread::park_timeout(LOOK);
            open = is_open(self.dir);
        }
    }
}

fn render(report: &Report, json: bool) -> Result<String, Failure> {
    if json {
        return Ok(serde_json::to_string_pretty(report).map_err(Failure::line)? + "\n");
    }
    let Report { journal, state, seq, ts, rows, .. } = report;
    let mut text = format!("journal {journal}  {state}, up to event {seq} at {ts}: {rows} rows\n");
    for Written { store, resumed_from, rows_written, transactions } in &report.stores {
        text += &format!(
            "{store}: {rows_written} rows in {transactions} transactions, from event {resumed_from} on\n"
        );
    }
    Ok(text)
}
