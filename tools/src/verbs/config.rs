//! `config`: print the commented defaults, or check a file.

use std::path::PathBuf;

use crate::config::{Config, DEFAULTS};
use crate::outcome::{Done, Outcome, print};

/// Print the commented defaults, or check a file.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire config > fusewire.toml\n  fusewire config fusewire.toml"
)]
pub struct Args {
    /// File to check. Without one the defaults are printed.
    file: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// Every fault of the file.
pub fn run(args: &Args) -> Outcome {
    let Some(file) = &args.file else {
        print(DEFAULTS)?;
        return Ok(Done::Yes);
    };
    Config::load(Some(file))?;
    print(&format!("{}: valid\n", file.display()))?;
    Ok(Done::Yes)
}
