//! `journal`: inspect a journal, also while it is being written.

use std::path::PathBuf;

use clap::Subcommand;

use crate::outcome::Outcome;

mod cat;
mod diff;
mod export;
mod filter;
mod ls;
mod recover;
mod show;
mod stat;
mod tail;
mod verify;
mod why;

/// Inspect a journal, verify that the run comes out again byte for byte, and ask why an order was sent.
///
/// `fusewire replay --journal DIR` writes one. Everything here only reads, except `recover`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire replay --journal runs/a\n  fusewire journal verify runs/a\n  \
                  fusewire journal why runs/a 1-0-17\n  fusewire journal tail runs/a -f\n\n\
                  docs/journal.md is the format and what it promises."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Ls(ls::Args),
    Stat(stat::Args),
    Cat(cat::Args),
    Tail(tail::Args),
    Verify(verify::Args),
    Diff(diff::Args),
    Why(why::Args),
    Export(export::Args),
    Recover(recover::Args),
}

/// The journal that a verb is about.
#[derive(clap::Args)]
struct Dir {
    /// Folder of the journal.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// There is no journal, or it can not be read.
pub fn run(args: &Args) -> Outcome {
    match &args.verb {
        Verb::Ls(args) => ls::run(args),
        Verb::Stat(args) => stat::run(args),
        Verb::Cat(args) => cat::run(args),
        Verb::Tail(args) => tail::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Why(args) => why::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Recover(args) => recover::run(args),
    }
}
