//! What the end-to-end tests share: the built program, and the folder of real captures.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

pub mod bar_crossing;
pub mod postgres;
pub mod tamper;

/// The folder of real captures and protocol fixtures, from `FUSEWIRE_SHARED`. A test that needs it says
/// loudly that it is skipped when the variable is not set.
#[must_use]
pub fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FUSEWIRE_SHARED").map(PathBuf::from);
    if folder.is_none() {
        say_loudly(&format!("SKIPPED {test}: set FUSEWIRE_SHARED to the folder of real captures"));
    }
    folder
}

/// A fixed sequence of places (xorshift, seeded) that nothing in a capture or journal favours.
#[derive(Clone, Debug)]
pub struct Places(pub u64);

impl Places {
    /// The next place below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Writes a line that the test harness does not swallow, as it does what a passing test prints.
pub fn say_loudly(line: &str) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Path of the `fusewire` program, built on first use.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "fusewire", "--bin", "fusewire"])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs: it runs this test");
        assert!(built.status.success(), "the program builds");
        let messages = String::from_utf8_lossy(&built.stdout);
        let path = messages.lines().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message.get("executable")?.as_str()?))
        });
        path.expect("cargo names the executable")
    })
}

/// A variable of the environment, and its value.
pub type Variable<'a> = (&'a str, &'a str);

/// Runs `fusewire` with more variables in its environment and waits for it.
#[must_use]
pub fn fusewire_with(variables: &[Variable<'_>], arguments: &[&str]) -> Output {
    start_with(variables, arguments).wait_with_output().expect("the built program runs")
}

/// Starts `fusewire` with more variables in its environment.
#[must_use]
pub fn start_with(variables: &[Variable<'_>], arguments: &[&str]) -> Child {
    Command::new(program())
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the built program runs")
}

/// Runs `fusewire` and waits for it.
#[must_use]
pub fn fusewire(arguments: &[&str]) -> Output {
    fusewire_in(Path::new("."), arguments)
}

/// Runs `fusewire` in a folder and waits for it.
#[must_use]
pub fn fusewire_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the built program runs")
}

/// Starts `fusewire` with both outputs on pipes, and does not wait for it.
#[must_use]
pub fn start(arguments: &[&str]) -> Child {
    start_onto(Stdio::piped(), arguments)
}

/// Starts `fusewire` with its standard output somewhere else.
#[must_use]
pub fn start_onto(stdout: Stdio, arguments: &[&str]) -> Child {
    Command::new(program())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the built program runs")
}

/// Runs `fusewire` with a file as its standard input.
#[must_use]
pub fn fusewire_with_input(input: &Path, arguments: &[&str]) -> Output {
    let input = std::fs::File::open(input).expect("the test wrote this file");
    Command::new(program()).args(arguments).stdin(input).output().expect("the built program runs")
}

/// Runs `fusewire`, expects exit 0 and one JSON document.
pub fn json(arguments: &[&str]) -> serde_json::Value {
    let output = fusewire(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    serde_json::from_slice(&output.stdout).expect("--json prints JSON")
}
