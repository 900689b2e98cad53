//! The unit tests of the journal's memory and of the rings under Miri, which watches every access to it.
//!
//! Miri comes with nightly compilers only. Where there is none nothing is watched, and that is said.

use std::path::Path;
use std::process::Command;

/// Tests over memory on the heap: Miri knows no mapped files.
const TESTS: [&str; 4] = [
    "journal::memory",
    "journal::segment",
    "journal::control::tests::a_page_is_shared",
    "ring::tests::what_is_made_in_place",
];
const INSTALL: &str = "rustup toolchain install nightly --component miri,rust-src";

pub(crate) fn run(root: &Path) -> Result<(), String> {
    if !super::succeeds(nightly(root, &["miri", "--version"])) {
        eprintln!("\n!!!! MIRI WATCHED NOTHING: it is missing; install it with `{INSTALL}` !!!!\n");
        return Ok(());
    }
    let mut command = nightly(root, &["miri", "test", "-p", "fusewire-core", "--lib", "--"]);
    // The tests open a file that stands in for a segment's.
    command.args(TESTS).env("MIRIFLAGS", "-Zmiri-disable-isolation");
    // Its own, because Miri builds with flags that would throw away everything else that was built.
    let shared = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    command.env("CARGO_TARGET_DIR", root.join(shared).join("miri"));
    let output = super::printed(command)?;
    print!("{output}");
    watched(&output)
}

/// Each test is there: one that was renamed would silently be left out.
fn watched(output: &str) -> Result<(), String> {
    let ran = |name: &str| output.lines().any(|line| line.starts_with(&format!("test {name}")));
    match TESTS.into_iter().find(|name| !ran(name)) {
        None => Ok(()),
        Some(name) => Err(format!("there is no test `{name}` any more")),
    }
}

fn nightly(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(arguments).current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_gone_is_named() {
        let lines = TESTS.map(|name| format!("test {name}::it_works ... ok"));
        assert_eq!(watched(&lines.join("\n")), Ok(()));
        assert!(watched(&lines[1..].join("\n")).unwrap_err().contains(TESTS[0]));
    }
}
