//! `journal verify`.
use super::Dir;
use crate::outcome::{Failure, Outcome};
/// x
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire journal verify runs/a")]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
}
pub(super) fn run(args: &Args) -> Outcome {
    Err(Failure::line(args.dir.dir.display()))
}
