//! `journal export`: a lane as a table.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use fusewire_core::journal::View;
use fusewire_core::lane::Decoded;
use fusewire_risk::ledger::Row;

use super::Dir;
use crate::export::lanes::{ExportLane, Rows, columns};
use crate::export::table::Sink;
use crate::export::{self, ExportError, Format};
use crate::journal::reading;
use crate::journal::rows::row;
use crate::journal::walk::Walk;
use crate::ledger::fold::{self, Fold};
use crate::outcome::{Failure, Outcome};

/// Write a lane as CSV or Parquet.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire journal export runs/a --lane gateway --format csv\n  \
                  fusewire journal export runs/a --lane report --format parquet --out reports.parquet\n  \
                  fusewire journal export runs/a --lane trades --format parquet --out trades.parquet\n\n\
                  docs/journal-export.md lists the columns of each lane."
)]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    /// The lane.
    #[arg(long)]
    lane: ExportLane,
    /// The format.
    #[arg(long)]
    format: Format,
    /// Where it goes; standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let rows = Rows::new(reading::names(&view)?);
    let table = columns(args.lane);
    let sink = match &args.out {
        Some(path) => {
            refuse_inside(path, &args.dir.dir)?;
            export::create(args.format, path, table)
        }
        None => export::open(args.format, "stdout", BufWriter::new(Stdout), table),
    };
    match sink.and_then(|sink| write(&view, args.lane, rows, sink)) {
        Ok(outcome) => outcome?,
        // A reader that has seen enough (`| head`) is no failure.
        Err(ExportError::Write { error, .. }) if error.kind() == std::io::ErrorKind::BrokenPipe => {
        }
        Err(error) => return Err(Failure::line(error)),
    }
    Ok(reading::verdict(&view))
}

/// A table in the folder of a journal would replace one of its files, or stand among them.
fn refuse_inside(path: &Path, dir: &Path) -> Result<(), Failure> {
    let named = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let named = named.unwrap_or(Path::new(".")).canonicalize();
    // A link may lead there. What is not there is named when the file is made.
    let real = path.canonicalize().map(|path| path.parent().map(Path::to_owned));
    let folders = [named.ok(), real.ok().flatten()];
    let inside = dir.canonicalize().is_ok_and(|dir| folders.contains(&Some(dir)));
    let line = || format!("{}: lies in the folder of the journal: choose another", path.display());
    if inside { Err(Failure::line(line())) } else { Ok(()) }
}

/// Standard output, locked for each write: a lock can not be handed to another thread.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        std::io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().lock().flush()
    }
}

/// Writes all rows. The outer result is about the table, the inner one about the journal.
fn write(
    view: &View,
    lane: ExportLane,
    mut rows: Rows,
    mut sink: Box<dyn Sink + '_>,
) -> Result<Result<(), Failure>, ExportError> {
    if matches!(lane, ExportLane::Fills | ExportLane::Trades) {
        return write_ledger(view, lane, &rows, sink);
    }
    let mut walk = Walk::new(view);
    loop {
        let item = match walk.next() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(failure) => return Ok(Err(failure)),
        };
        if lane == ExportLane::Report {
            if let Decoded::Event(event) = &item.record
                && let Some(report) = rows.report(event)
            {
                sink.row(&report)?;
            }
            continue;
        }
        if let Some(row) = row(&mut rows, &item).filter(|row| row.lane == lane) {
            sink.row(&row.values)?;
        }
    }
    sink.finish().map(Ok)
}

/// Writes what the ledger makes of the stream, which takes the journal from its first event on.
fn write_ledger(
    view: &View,
    lane: ExportLane,
    rows: &Rows,
    mut sink: Box<dyn Sink + '_>,
) -> Result<Result<(), Failure>, ExportError> {
    let mut fold = match fold_of(view) {
        Ok(fold) => fold,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut walk = Walk::without_frames(view);
    loop {
        let item = match walk.next() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(failure) => return Ok(Err(failure)),
        };
        if let Err(failure) = fold.step(&item) {
            return Ok(Err(failure));
        }
        for row in fold.rows() {
            match (row, lane) {
                (Row::Trade(fill), ExportLane::Fills) => {
                    sink.row(&rows.fill(fill, fold.arrival_twice_mid()))?;
                }
                (Row::Closed(closed), ExportLane::Trades) => sink.row(&rows.trade(closed))?,
                (Row::Trade(_) | Row::Closed(_) | Row::Posting(_) | Row::Reconciliation(_), _) => {}
            }
        }
    }
    sink.finish().map(Ok)
}

fn fold_of(view: &View) -> Result<Fold, Failure> {
    fold::refuse_beheaded(view)?;
    let (header, _) = reading::header(view)?;
    Fold::new(&view.dir.display().to_string(), &header, &header.config()?)
}
