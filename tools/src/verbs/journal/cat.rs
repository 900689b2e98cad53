//! `journal cat`: the records of a journal, filtered.

use fusewire_core::journal::View;

use super::show::{Printer, Reader};
use super::{Dir, filter};
use crate::journal::reading;
use crate::journal::walk::Walk;
use crate::outcome::{Done, Failure, Outcome};

/// Print records: each event after its frame, then what every stage made of it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  fusewire journal cat runs/a --seq 100..200\n  \
                  fusewire journal cat runs/a --order 1-0-17 --json\n  \
                  fusewire journal cat runs/a --stage risk --strategy quoter --symbol BTCUSDT\n  \
                  fusewire journal cat runs/a --kind Report --time 2026-01-05T00:01:00Z..2026-01-05T00:01:10Z")]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    filter: filter::Wanted,
    /// Print the gateway records that recoveries set aside, in the place of the lanes.
    #[arg(long)]
    orphans: bool,
    /// Print at most so many records.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let names = reading::names(&view)?;
    let filter = filter::Filter::new(&args.filter, &names)?;
    let mut printer = Printer::new(names, args.json);
    let mut walk = if args.orphans { Walk::orphans(&view.dir) } else { Walk::new(&view) };
    let mut past = filter.past();
    let mut left = args.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(item) = walk.next()? else { break };
        if filter.is_past(&item, &mut past) {
            break;
        }
        if !filter.takes(&item) {
            printer.pass(&item);
            continue;
        }
        left -= 1;
        if printer.item(&item)? == Reader::Gone {
            return Ok(Done::Yes);
        }
    }
    printer.flush()?;
    Ok(reading::verdict(&view))
}
