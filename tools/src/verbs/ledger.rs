//! `ledger`: where every cent came from, from a journal or a database.

use clap::Subcommand;

use crate::outcome::Outcome;

mod show;
mod sync;

/// Write the ledger of a journal to SQLite or PostgreSQL; show positions, trades, PnL and reconciliations.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire replay --journal runs/a\n  fusewire ledger show runs/a\n  \
                  fusewire ledger sync runs/a\n  fusewire ledger show --from runs/a/ledger.sqlite\n\n\
                  docs/ledger.md lists the tables and says why each row is there once."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Sync(sync::Args),
    Show(show::Args),
}

/// Runs the verb.
///
/// # Errors
/// There is no journal or database, or it can not be read or written.
pub fn run(args: &Args) -> Outcome {
    match &args.verb {
        Verb::Sync(args) => sync::run(args),
        Verb::Show(args) => show::run(args),
    }
}
