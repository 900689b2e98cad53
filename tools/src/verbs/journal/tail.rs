//! `journal tail`: the last records, and what comes while the journal is written.

use std::time::Duration;

use fusewire_core::journal::{ControlPage, State, View};
use fusewire_core::lane::Decoded;

use super::show::{Printer, Reader};
use super::{Dir, filter};
use crate::journal::reading;
use crate::journal::walk::{Item, Walk, limit_of};
use crate::outcome::{Done, Failure, Outcome};

/// Between two looks at a journal that has nothing new.
const LOOK: Duration = Duration::from_millis(10);

/// Print the last records; with -f everything that comes, until the journal is closed.
///
/// An event is shown when every stage has handled it, so that all records come once and in order, also
/// while another process writes at full speed.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire journal tail runs/a\n  fusewire journal tail runs/a -f --stage gateway\n  \
                  fusewire journal tail runs/a -f --lines all --json"
)]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    filter: filter::Wanted,
    /// Go on until the journal is closed or its writer is gone.
    #[arg(short, long)]
    follow: bool,
    /// How many of the records that are there come first: a number, or all.
    #[arg(short = 'n', long, value_name = "N", default_value = "10")]
    lines: Lines,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// How many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    All,
    Last(usize),
}

impl std::str::FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::Last).map_err(|error| format!("'{text}': {error}"))
    }
}

pub(super) fn run(args: &Args) -> Outcome {
    let dir = &args.dir.dir;
    let view = View::open(dir).map_err(Failure::line)?;
    let names = reading::names(&view)?;
    let filter = filter::Filter::new(&args.filter, &names)?;
    let mut printer = Printer::new(names, args.json);
    if !args.follow {
        let skipped = skipped(&view, &filter, args.lines)?;
        let mut walk = Walk::new(&view);
        let mut seen = 0;
        while let Some(item) = walk.next()? {
            if !filter.takes(&item) || seen < skipped {
                seen += u64::from(filter.takes(&item));
                printer.pass(&item);
            } else if printer.item(&item)? == Reader::Gone {
                return Ok(Done::Yes);
            }
        }
        printer.flush()?;
        return Ok(reading::verdict(&view));
    }
    let mut skip = skipped(&view, &filter, args.lines)?;
    let first = view.lanes.each_ref().map(|lane| lane.first);
    let mut walk = Walk::live(dir, first);
    let mut takes = |item: &Item<'_>| {
        let wanted = filter.takes(item);
        let skipped = wanted && skip > 0;
        skip -= u64::from(skipped);
        wanted && !skipped
    };
    let mut open = view.state == State::Open;
    loop {
        let was_open = open;
        let page = ControlPage::read(dir).map_err(|error| failed(args, &error.to_string()))?;
        let page = page.map_err(|fault| failed(args, &fault.to_string()))?;
        walk.set_limit(limit_of(&page));
        let ended = follow(&mut walk, &mut takes, &mut printer)?;
        if ended.is_some_and(|reader| reader == Reader::Gone) {
            return Ok(Done::Yes);
        }
        if ended.is_some() {
            break;
        }
        if !was_open {
            // The writer was gone before this look: nothing more comes.
            tracing::error!("the writer ended without closing the journal");
            return Ok(Done::No);
        }
        if printer.flush()? == Reader::Gone {
            return Ok(Done::Yes);
        }
        std::thread::park_timeout(LOOK);
        open = fusewire_core::journal::is_open(dir);
    }
    printer.flush()?;
    Ok(Done::Yes)
}

fn failed(args: &Args, what: &str) -> Failure {
    Failure::line(format!("{}: {what}", args.dir.dir.display()))
}

/// Records that are there and not wanted, so that the last ones are left.
fn skipped(view: &View, filter: &filter::Filter, lines: Lines) -> Result<u64, Failure> {
    let Lines::Last(last) = lines else { return Ok(0) };
    let mut walk = Walk::new(view);
    let mut count = 0_u64;
    while let Some(item) = walk.next()? {
        count += u64::from(filter.takes(&item));
    }
    Ok(count.saturating_sub(last as u64))
}

/// Prints what is there; some when the journal is closed or nobody reads.
fn follow(
    walk: &mut Walk,
    takes: &mut impl FnMut(&Item<'_>) -> bool,
    printer: &mut Printer,
) -> Result<Option<Reader>, Failure> {
    let mut closed = 0;
    loop {
        let Some(item) = walk.next()? else {
            return Ok((closed == fusewire_core::lane::Lane::ALL.len()).then_some(Reader::There));
        };
        closed += usize::from(matches!(item.record, Decoded::Close(_)));
        if !takes(&item) {
            printer.pass(&item);
        } else if printer.item(&item)? == Reader::Gone {
            return Ok(Some(Reader::Gone));
        }
    }
}
