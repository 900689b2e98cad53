//! `doctor`: is this Linux box tuned?

use crate::doctor::examine;
use crate::outcome::{Done, Failure, Outcome, print};

/// Look whether this Linux box is tuned for low latency.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire doctor")]
pub struct Args {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the verb. Findings are advice, so the exit code is 0 whatever it finds.
///
/// # Errors
/// Stdout can not be written.
pub fn run(args: &Args) -> Outcome {
    let report = examine();
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(Failure::line)? + "\n"
    } else {
        report.to_text()
    };
    print(&text)?;
    Ok(Done::Yes)
}
