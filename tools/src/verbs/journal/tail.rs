//! `journal tail`: the last records, and what comes while the journal is written.

use std::time::Duration;

use fusewire_core::journal::{State, View, is_open};
use fusewire_core::lane::{Decoded, Lane};

use super::show::{Printer, Reader};
use super::{Dir, filter};
use crate::journal::reading;
use crate::journal::walk::{Item, Walk};
use crate::outcome::{Done, Failure, Outcome};
use crate::verbs::Lines;

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

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let names = reading::names(&view)?;
    let filter = filter::Filter::new(&args.filter, &names)?;
    let mut tail = Tail { filter, printer: Printer::new(names, args.json), skip: 0 };
    if args.follow { tail.follow(&view, args.lines) } else { tail.last(&view, args.lines) }
}

/// What prints the wanted records behind the first few.
struct Tail {
    filter: filter::Filter,
    printer: Printer,
    /// Wanted records that are passed over.
    skip: u64,
}

impl Tail {
    /// The last records of what is there.
    fn last(&mut self, view: &View, lines: Lines) -> Outcome {
        self.skip = self.beyond(Walk::new(view), lines)?;
        let mut walk = Walk::new(view);
        while let Some(item) = walk.next()? {
            if self.take(&item)? == Reader::Gone {
                return Ok(Done::Yes);
            }
        }
        self.printer.flush()?;
        Ok(reading::verdict(view))
    }

    /// The last records of what is there, and all that come until the journal is closed.
    fn follow(&mut self, view: &View, lines: Lines) -> Outcome {
        let dir = view.dir.as_path();
        let live = |limit| {
            let mut walk = Walk::live(dir, view.lanes.each_ref().map(|lane| lane.first));
            walk.set_limit(limit);
            walk
        };
        let mut open = view.state == State::Open;
        let mut limit = reading::limit(dir)?;
        // In the order in which they are going to come: that of a journal that has ended is another.
        self.skip = self.beyond(live(limit), lines)?;
        let (mut walk, mut closed) = (live(limit), 0);
        loop {
            let was_open = open;
            walk.set_limit(limit);
            while let Some(item) = walk.next()? {
                closed += usize::from(matches!(item.record, Decoded::Close(_)));
                if self.take(&item)? == Reader::Gone {
                    return Ok(Done::Yes);
                }
            }
            if self.printer.flush()? == Reader::Gone || closed == Lane::ALL.len() {
                return Ok(Done::Yes);
            }
            if !was_open {
                // The writer was gone before this look: nothing more comes.
                return reading::ended_early(dir);
            }
            std::thread::park_timeout(LOOK);
            open = is_open(dir);
            limit = reading::limit(dir)?;
        }
    }

    /// How many wanted records come before the last ones.
    fn beyond(&self, mut walk: Walk, lines: Lines) -> Result<u64, Failure> {
        let Lines::Last(last) = lines else { return Ok(0) };
        let mut count = 0_u64;
        while let Some(item) = walk.next()? {
            count += u64::from(self.filter.takes(&item));
        }
        Ok(count.saturating_sub(last as u64))
    }

    fn take(&mut self, item: &Item<'_>) -> Result<Reader, Failure> {
        let wanted = self.filter.takes(item);
        if wanted && self.skip == 0 {
            return self.printer.item(item);
        }
        self.skip -= u64::from(wanted);
        self.printer.pass(item);
        Ok(Reader::There)
    }
}
