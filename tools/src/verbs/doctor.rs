//! `doctor`: is this Linux box tuned?

use std::path::PathBuf;

use crate::doctor::{Cores, Purpose, examine};
use crate::outcome::{Done, Failure, Outcome, print};

/// Look whether this Linux box is tuned for low latency.
///
/// It only reads /proc and /sys, and changes nothing. Limits are those of the user who runs it: run
/// it as the user who will run the stages.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire doctor\n  fusewire doctor --cores 2-5 --journal /data/runs\n\n\
                  How to tune a box, step by step: see docs/tuned-linux.md"
)]
pub struct Args {
    /// Cores that the stages will use, for example 2-5,8; without it all isolated ones.
    #[arg(long, value_name = "LIST")]
    cores: Option<Cores>,
    /// Folder that the journal will lie in; it need not exist yet.
    #[arg(long, value_name = "DIR", default_value = ".")]
    journal: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb. Findings are advice, so the exit code is 0 whatever it finds.
///
/// # Errors
/// Stdout can not be written.
pub fn run(args: &Args) -> Outcome {
    let report = examine(&Purpose { cores: args.cores.clone(), journal: args.journal.clone() });
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(Failure::line)? + "\n"
    } else {
        report.to_text()
    };
    print(&text)?;
    Ok(Done::Yes)
}
