//! How a verb ends.

use std::io::{self, Write};
use std::process::ExitCode;

/// A verb that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Exit 0.
    Yes,
    /// It ran and the answer is "no" (a mismatch, a failed gate): exit 1.
    No,
}

/// A verb that could not run: bad usage or unreadable input, exit 2. One line per fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub Vec<String>);

impl Failure {
    /// A failure with one line.
    pub fn line(text: impl ToString) -> Self {
        Self(vec![text.to_string()])
    }
}

impl From<Vec<String>> for Failure {
    fn from(lines: Vec<String>) -> Self {
        Self(lines)
    }
}

/// The outcome of a verb.
pub type Outcome = Result<Done, Failure>;

/// The exit code, with the lines of a failure on stderr.
#[must_use]
pub fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Done::Yes) => ExitCode::SUCCESS,
        Ok(Done::No) => ExitCode::from(1),
        Err(Failure(lines)) => {
            let mut stderr = io::stderr().lock();
            for line in lines {
                // Nobody is left to tell when stderr is gone.
                let _ = writeln!(stderr, "fusewire: {line}");
            }
            ExitCode::from(2)
        }
    }
}

/// Writes to stdout. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// Stdout can not be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::line(format!("stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
