//! `ledger show`: positions, trades, PnL and reconciliations.

use std::path::PathBuf;

use fusewire_core::journal::View;
use fusewire_risk::ledger::{Ledger, PostingKind};

use crate::journal::reading;
use crate::journal::walk::Walk;
use crate::ledger::figures::{Figures, Summing};
use crate::ledger::fold::{self, Fold};
use crate::ledger::postgres::{self, Postgres};
use crate::ledger::sqlite::Sqlite;
use crate::ledger::store::{JournalEntry, Store};
use crate::ledger::table::Entry;
use crate::ledger::text;
use crate::outcome::{Done, Failure, Outcome, print};
use crate::verbs::Lines;

/// Print positions, trades, PnL by strategy and symbol, and reconciliations.
///
/// The figures of a journal and of a database that was written from it are the same.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire ledger show runs/a\n  fusewire ledger show --from runs/a/ledger.sqlite --json\n  \
                  fusewire ledger show --postgres --journal 3f2a -n all"
)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["dir", "from", "postgres"])))]
pub(super) struct Args {
    /// Folder of a journal, which may be at work.
    #[arg(value_name = "JOURNAL")]
    dir: Option<PathBuf>,
    /// An SQLite file that `ledger sync` wrote.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The PostgreSQL server that FUSEWIRE_LEDGER_URL names.
    #[arg(long)]
    postgres: bool,
    /// Which journal of a database: the beginning of its id. Needed when there are several.
    #[arg(long, value_name = "ID", conflicts_with = "dir")]
    journal: Option<String>,
    /// How many of the last trades, closed positions and reconciliations: a number, or all.
    #[arg(short = 'n', long, value_name = "N", default_value = "10")]
    lines: Lines,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let lines = match args.lines {
        Lines::All => usize::MAX,
        Lines::Last(count) => count,
    };
    let (figures, done) = match (&args.dir, &args.from) {
        (Some(dir), _) => of_journal(&View::open(dir).map_err(Failure::line)?, lines)?,
        (None, Some(path)) => {
            let mut store = Sqlite::open(path).map_err(Failure::line)?;
            (of_store(&mut store, args.journal.as_deref(), lines)?, Done::Yes)
        }
        (None, None) => {
            let mut store =
                postgres::url().and_then(|url| Postgres::open(&url)).map_err(Failure::line)?;
            (of_store(&mut store, args.journal.as_deref(), lines)?, Done::Yes)
        }
    };
    let text = if args.json {
        serde_json::to_string_pretty(&figures).map_err(Failure::line)? + "\n"
    } else {
        text::render(&figures)
    };
    print(&text)?;
    Ok(done)
}

/// Folds a journal as far as it goes.
fn of_journal(view: &View, lines: usize) -> Result<(Figures, Done), Failure> {
    fold::refuse_beheaded(view)?;
    let (header, document) = reading::header(view)?;
    let config = header.config()?;
    let name = view.dir.display().to_string();
    let failed = |what: String| Failure::line(format!("{name}: {what}"));
    let mut fold = Fold::new(&name, &header, &config)?;
    let mut summing = Summing::new(&JournalEntry::new(&header, &document), lines);
    let mut rows = Vec::new();
    let mut walk = Walk::without_frames(view);
    while let Some(item) = walk.next()? {
        fold.take(&item, &mut rows)?;
        rows.drain(..).try_for_each(|entry| summing.take(&entry)).map_err(failed)?;
    }
    let progress = fold.progress();
    for (open, index) in fold.open().iter().zip(0..) {
        let entry = Entry::of_open(open, progress.seq, index).map_err(failed)?;
        summing.take(&entry).map_err(failed)?;
    }
    let figures = summing.figures(&progress).map_err(failed)?;
    check_against(fold.ledger(), &figures).map_err(failed)?;
    Ok((figures, reading::verdict(view)))
}

/// The ledger keeps its own sums: they must be those of the rows.
fn check_against(ledger: &Ledger, figures: &Figures) -> Result<(), String> {
    for kind in PostingKind::ALL.into_iter().filter(|kind| *kind != PostingKind::Wallet) {
        let (summed, own) = (&figures.pnl[kind.name()], ledger.total(kind).to_string());
        if *summed != own {
            return Err(format!(
                "the rows sum up to {} {summed}, the ledger has {own}",
                kind.name()
            ));
        }
    }
    Ok(())
}

fn of_store(store: &mut dyn Store, wanted: Option<&str>, lines: usize) -> Result<Figures, Failure> {
    let journals = store.journals().map_err(Failure::line)?;
    let journal = choose(&store.place(), &journals, wanted)?;
    let mut summing = Summing::new(journal, lines);
    let progress = store.read(journal, &mut |entry| summing.take(entry)).map_err(Failure::line)?;
    summing
        .figures(&progress)
        .map_err(|what| Failure::line(format!("{}: journal {}: {what}", store.place(), journal.id)))
}

fn choose<'a>(
    place: &str,
    journals: &'a [JournalEntry],
    wanted: Option<&str>,
) -> Result<&'a JournalEntry, Failure> {
    let fits = |journal: &&JournalEntry| wanted.is_none_or(|id| journal.id.starts_with(id));
    let ids: Vec<&str> = journals.iter().map(|journal| journal.id.as_str()).collect();
    let mut fitting = journals.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(journal), None) => Ok(journal),
        (None, _) if ids.is_empty() => Err(Failure::line(format!("{place}: holds no journal"))),
        (None, _) => {
            let wanted = wanted.unwrap_or_default();
            Err(Failure::line(format!("{place}: no journal {wanted} among {}", ids.join(", "))))
        }
        (Some(_), Some(_)) => Err(Failure::line(format!(
            "{place}: holds several journals, choose one with --journal: {}",
            ids.join(", ")
        ))),
    }
}
