//! `cargo xtask check`: everything that a commit must pass, in one command and cheap steps first.
//!
//! Each step is also a command of its own. The steps that look at text (`tidy`, `edges`) are pure
//! functions over `files::File` and `workspace::Member`, so that each rule has a test that breaks it.

#![expect(clippy::print_stdout, reason = "a command line tool talks on stdout")]
#![expect(clippy::print_stderr, reason = "and complains on stderr")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

mod code;
mod edges;
mod files;
mod fuzz;
mod golden;
mod miri;
mod parquet;
mod readme;
mod research;
mod tidy;
mod workspace;

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Path) -> Result<(), String>,
}

/// In the order of `check`: what fails fastest comes first.
const STEPS: [Step; 13] = [
    Step { name: "fmt", what: "formatting, by rustfmt alone", run: fmt },
    Step { name: "tidy", what: "headers, sizes, left-overs, white space, paths", run: tidy_step },
    Step { name: "edges", what: "which crate may name which, and what", run: edges_step },
    Step { name: "licences", what: "licences, bans and sources of all crates", run: licences },
    Step { name: "clippy", what: "lints of all targets, warnings are errors", run: clippy },
    Step { name: "docs", what: "documentation builds without warnings", run: docs },
    Step { name: "test", what: "the test command that stands in README.md", run: test },
    Step {
        name: "miri",
        what: "memory of journal and rings, watched access by access",
        run: miri::run,
    },
    Step { name: "fuzz", what: "a bounded run of every fuzz target", run: fuzz::run },
    Step { name: "profiles", what: "a debug and a release build run alike", run: profiles },
    Step { name: "parquet", what: "exports, read by a reader that is not ours", run: parquet::run },
    Step {
        name: "research",
        what: "the Python session of docs/research.md, as it is shown",
        run: research::run,
    },
    Step { name: "gates", what: "ratios beside the peers, release build", run: gates },
];

/// What is done on purpose only, and changes the clone.
const ASIDE: [Step; 2] = [
    Step {
        name: "golden",
        what: "records tests/golden again, and shows what changed",
        run: golden::run,
    },
    Step {
        name: "exhibits",
        what: "runs the exhibits of docs/exhibits again, and writes their figures",
        run: exhibits,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let chosen: Vec<&Step> = match names.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{}", help());
            return ExitCode::SUCCESS;
        }
        ["check"] => STEPS.iter().collect(),
        [name] => STEPS.iter().chain(&ASIDE).filter(|step| step.name == *name).collect(),
        _ => Vec::new(),
    };
    if chosen.is_empty() {
        eprintln!("xtask: unknown command '{}'\n\n{}", names.join(" "), help());
        return ExitCode::from(2);
    }
    match root().and_then(|root| run_all(&chosen, &root)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: FAILED: {message}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = String::from(
        "Automation of the Fusewire workspace.\n\n\
         Usage: cargo xtask check     all steps in this order, stops at the first failure\n       \
         cargo xtask STEP      one step\n\nSteps:\n",
    );
    for step in &STEPS {
        text += &format!("  {:<10}{}\n", step.name, step.what);
    }
    text += "\nNot part of check:\n";
    for step in &ASIDE {
        text += &format!("  {:<10}{}\n", step.name, step.what);
    }
    text += "\nEnvironment: FUSEWIRE_FUZZ_SECONDS (per fuzz target, default 20).\n\
             Example: cargo xtask tidy\n";
    text
}

/// The workspace root, from where cargo found this package. Asked at run time: a path that was
/// compiled in would be another clone's when two clones share a target folder.
fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run it as `cargo xtask`")?;
    let root = Path::new(&package).ancestors().nth(2).ok_or("tools/xtask has no workspace root")?;
    Ok(root.to_path_buf())
}

fn run_all(steps: &[&Step], root: &Path) -> Result<(), String> {
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.what);
        let start = Instant::now();
        let outcome = (step.run)(root);
        let elapsed = start.elapsed();
        outcome.map_err(|message| {
            format!("step '{}' after {:.1} s: {message}", step.name, elapsed.as_secs_f64())
        })?;
        println!("== {}: ok in {:.1} s", step.name, elapsed.as_secs_f64());
        times.push((step.name, elapsed));
    }
    if times.len() > 1 {
        let total: Duration = times.iter().map(|(_, time)| *time).sum();
        println!("\nxtask: all {} steps passed in {:.1} s", times.len(), total.as_secs_f64());
    }
    Ok(())
}

fn fmt(root: &Path) -> Result<(), String> {
    run(cargo(root, &["fmt", "--all", "--check"]))?;
    // The fuzz package is no member, so `--all` does not reach it.
    run(cargo(root, &["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"]))
}

fn tidy_step(root: &Path) -> Result<(), String> {
    let files = files::read_all(root)?;
    println!("{} files", files.len());
    report(&tidy::check(&files))
}

fn edges_step(root: &Path) -> Result<(), String> {
    let members = workspace::members(root)?;
    let files = files::read_all(root)?;
    println!("{} members, {} files", members.len(), files.len());
    let mut findings = edges::check_members(&members);
    findings.extend(edges::check_files(&files));
    report(&findings)
}

fn licences(root: &Path) -> Result<(), String> {
    if !succeeds(cargo(root, &["deny", "--version"])) {
        return Err("cargo-deny is missing; install it with \
             `cargo install --locked --version 0.20.2 --debug cargo-deny`"
            .to_owned());
    }
    // cargo-deny reads the crates of every platform; a build has only downloaded its own.
    run(cargo(root, &["fetch", "--locked"]))?;
    run(cargo(root, &["deny", "--offline", "check", "licenses", "bans", "sources"]))
}

fn clippy(root: &Path) -> Result<(), String> {
    let all = ["clippy", "--workspace", "--all-targets", "--features", "fusewire-bench/peers"];
    run(cargo(root, &[&all[..], &["--", "-D", "warnings"]].concat()))
}

fn docs(root: &Path) -> Result<(), String> {
    let mut command = cargo(root, &["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-Dwarnings");
    run(command)
}

fn test(root: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(root.join("README.md"))
        .map_err(|error| format!("README.md: {error}"))?;
    let line = readme::test_command(&text)?;
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(root);
    run(command)
}

/// The embedded sample has the same digests whatever the optimiser did.
fn profiles(root: &Path) -> Result<(), String> {
    let digest = |profile: &[&str]| {
        let run = ["run", "--quiet", "-p", "fusewire", "--bin", "fusewire"];
        let arguments = [&run[..], profile, &["--", "replay", "--json"]].concat();
        let output = printed(cargo(root, &arguments))?;
        digest_of(&output).ok_or_else(|| "the report has no digest.all".to_owned())
    };
    let (debug, release) = (digest(&[])?, digest(&["--release"])?);
    println!("debug   {debug}\nrelease {release}");
    if debug == release { Ok(()) } else { Err("the two digests differ".to_owned()) }
}

/// The value of `"all"` in a report: xtask has no JSON parser and needs none for one line.
fn digest_of(report: &str) -> Option<String> {
    let line = report.lines().find(|line| line.trim_start().starts_with("\"all\":"))?;
    line.split('"').nth(3).map(str::to_owned)
}

/// The tests of the exhibits write what they otherwise compare with.
fn exhibits(root: &Path) -> Result<(), String> {
    let tests = ["test", "-p", "fusewire-tests", "--test", "it", "exhibits::"];
    let mut command = cargo(root, &tests);
    command.env("FUSEWIRE_EXHIBITS", "write");
    run(command)
}

fn gates(root: &Path) -> Result<(), String> {
    let peers = ["--features", "peers"];
    let run_gates = ["run", "--release", "-p", "fusewire-bench", "--bin", "gates"];
    run(cargo(root, &[&run_gates[..], &peers].concat()))
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root);
    command
}

/// Shows the command, runs it, and makes a failure of a bad exit.
fn run(mut command: Command) -> Result<(), String> {
    let shown = shown(&command);
    println!("$ {shown}");
    let status = command.status().map_err(|error| format!("`{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Shows the command, runs it, and returns what it printed.
fn printed(mut command: Command) -> Result<String, String> {
    let shown = shown(&command);
    println!("$ {shown}");
    let output = command.output().map_err(|error| format!("`{shown}`: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` ended with {}: {stderr}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the command runs and ends well; it shows nothing.
fn succeeds(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn report(findings: &[files::Finding]) -> Result<(), String> {
    for finding in findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err("1 finding, see above".to_owned()),
        count => Err(format!("{count} findings, see above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_step() {
        for step in STEPS.iter().chain(&ASIDE) {
            assert!(help().contains(step.name), "{}", step.name);
        }
    }

    #[test]
    fn the_digest_is_read_from_a_report() {
        let report = "{\n  \"digest\": {\n    \"all\": \"0aff\",\n    \"alpha\": \"1\"\n  }\n}";
        assert_eq!(digest_of(report).as_deref(), Some("0aff"));
        assert_eq!(digest_of("{}"), None);
    }

    #[test]
    fn a_failing_step_stops_the_rest_and_is_named() {
        let bad = Step { name: "bad", what: "", run: |_| Err("broken".to_owned()) };
        let never = Step { name: "never", what: "", run: |_| unreachable!("it must not run") };
        let error = run_all(&[&bad, &never], Path::new(".")).unwrap_err();
        assert!(error.contains("'bad'") && error.ends_with("broken"), "{error}");
    }

    #[test]
    fn a_bad_exit_and_a_missing_program_are_failures() {
        let mut exits = Command::new("sh");
        exits.args(["-c", "exit 3"]);
        assert!(run(exits).unwrap_err().contains('3'));
        assert!(run(Command::new("no-such-program-anywhere")).is_err());
    }
}
