//! The command line.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tracing_subscriber::EnvFilter;

use crate::outcome::{Done, Failure, Outcome, exit_code, print};
use crate::verbs;

/// Version and commit.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FUSEWIRE_COMMIT"), ")");

/// Fusewire: a low-latency trading core for crypto perpetual futures with an inline kill switch.
///
/// Results go to stdout, logs and progress to stderr. Exit 0: done; 1: it ran and the answer is "no";
/// 2: bad usage or unreadable input. FUSEWIRE_LOG=info shows more of what happens.
#[derive(Parser)]
#[command(name = "fusewire", version = VERSION, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Replay(verbs::replay::Args),
    Sweep(verbs::sweep::Args),
    Decode(verbs::decode::Args),
    Synth(verbs::synth::Args),
    Import(verbs::import::Args),
    Journal(verbs::journal::Args),
    Ledger(verbs::ledger::Args),
    Config(verbs::config::Args),
    Doctor(verbs::doctor::Args),
    /// Print shell completions.
    #[command(
        after_help = "Example:\n  fusewire completions bash > ~/.local/share/bash-completion/completions/fusewire"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Parses the command line, runs the verb, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("FUSEWIRE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A full or closed stderr must not end the run: nobody is left to tell.
        .log_internal_errors(false)
        .init();
    exit_code(match cli.verb {
        Verb::Replay(args) => verbs::replay::run(&args),
        Verb::Sweep(args) => verbs::sweep::run(&args),
        Verb::Decode(args) => verbs::decode::run(&args),
        Verb::Synth(args) => verbs::synth::run(&args),
        Verb::Import(args) => verbs::import::run(&args),
        Verb::Journal(args) => verbs::journal::run(&args),
        Verb::Ledger(args) => verbs::ledger::run(&args),
        Verb::Config(args) => verbs::config::run(&args),
        Verb::Doctor(args) => verbs::doctor::run(&args),
        Verb::Completions { shell } => completions(shell),
    })
}

fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fusewire", &mut script);
    print(&String::from_utf8(script).map_err(Failure::line)?)?;
    Ok(Done::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_verb_has_an_example() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        for verb in command.get_subcommands_mut() {
            let below: Vec<_> = verb.get_subcommands().cloned().collect();
            for mut command in below.into_iter().chain([verb.clone()]) {
                let help = command.render_help().to_string();
                assert!(help.contains("Example"), "{}: {help}", command.get_name());
            }
        }
    }
}
