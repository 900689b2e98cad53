//! A bounded run of every target in `tests/fuzz`, each from its seeds.
//!
//! Stable Rust can fuzz without a sanitizer, and safe code needs none. Corpus and build live in the
//! target folder; only an input that broke something is left in `tests/fuzz/artifacts`.

use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = "tests/fuzz";
const SECONDS: &str = "FUSEWIRE_FUZZ_SECONDS";
const SECONDS_DEFAULT: u32 = 20;
const INSTALL: &str = "cargo install --locked --version 0.13.2 --debug cargo-fuzz";

pub(crate) fn run(root: &Path) -> Result<(), String> {
    let seconds = seconds(std::env::var(SECONDS).ok().as_deref())?;
    check_lock(root)?;
    if !super::succeeds(super::cargo(root, &["fuzz", "--version"])) {
        return without_tool(std::env::var("CI").ok().as_deref());
    }
    let targets = names(&root.join(FOLDER).join("fuzz_targets"))?;
    if targets.is_empty() {
        return Err(format!("no targets in {FOLDER}/fuzz_targets"));
    }
    let built = target_folder(root);
    for target in &targets {
        println!("-- {target}, {seconds} s");
        let outcome = run_target(root, &built, target, seconds);
        // cargo-fuzz makes the folder for what it finds beforehand; a clean run leaves none.
        let artifacts = root.join(FOLDER).join("artifacts");
        let _ = fs::remove_dir(artifacts.join(target));
        let _ = fs::remove_dir(artifacts);
        outcome?;
    }
    Ok(())
}

fn seconds(text: Option<&str>) -> Result<u32, String> {
    let Some(text) = text else { return Ok(SECONDS_DEFAULT) };
    // libFuzzer reads zero as "for ever".
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(format!("{SECONDS} is '{text}', not a number of seconds above 0")),
    }
}

/// The fuzz package has a lock of its own, which cargo-fuzz would silently rewrite.
fn check_lock(root: &Path) -> Result<(), String> {
    let manifest = format!("{FOLDER}/Cargo.toml");
    let output = super::cargo(
        root,
        &["metadata", "--locked", "--format-version", "1", "--manifest-path", &manifest],
    )
    .output()
    .map_err(|error| format!("cargo metadata: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n{FOLDER}/Cargo.lock is out of date? Then commit it after `cargo metadata \
         --format-version 1 --manifest-path {manifest} >/dev/null`",
        String::from_utf8_lossy(&output.stderr).trim_end()
    ))
}

fn without_tool(ci: Option<&str>) -> Result<(), String> {
    let message = format!("cargo-fuzz is missing; install it with `{INSTALL}`");
    if ci == Some("true") {
        return Err(message);
    }
    eprintln!("\n!!!! NOTHING WAS FUZZED: {message} !!!!\n");
    Ok(())
}

/// Names of the `.rs` files in a folder, without the ending, sorted.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Its own, because fuzzing builds with flags that would throw away everything else that was built.
fn target_folder(root: &Path) -> PathBuf {
    let shared = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(shared).join("fuzz")
}

fn run_target(root: &Path, built: &Path, target: &str, seconds: u32) -> Result<(), String> {
    let corpus = built.join("corpus").join(target);
    seed(&root.join(FOLDER).join("seeds").join(target), &corpus)?;
    let mut command = super::cargo(root, &["fuzz", "run", "-s", "none", "--fuzz-dir", FOLDER]);
    command.arg("--target-dir").arg(built).arg(target).arg(&corpus);
    command.arg("--").arg(format!("-max_total_time={seconds}"));
    // The totals are enough for a log; a line for every new input is not for people.
    command.args(["-verbosity=0", "-print_final_stats=1"]);
    let dictionary = root.join(FOLDER).join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    super::run(command)
}

/// Copies the seeds of a target, if it has any, into its corpus, which keeps what earlier runs found.
fn seed(seeds: &Path, corpus: &Path) -> Result<(), String> {
    let failed = |path: &Path, error| format!("{}: {error}", path.display());
    fs::create_dir_all(corpus).map_err(|e| failed(corpus, e))?;
    if !seeds.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(seeds).map_err(|e| failed(seeds, e))? {
        let entry = entry.map_err(|e| failed(seeds, e))?;
        fs::copy(entry.path(), corpus.join(entry.file_name()))
            .map_err(|e| failed(&entry.path(), e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_bounded() {
        assert_eq!(seconds(None), Ok(SECONDS_DEFAULT));
        assert_eq!(seconds(Some("3")), Ok(3));
        for bad in ["", "0", "-1", "ten", "1.5"] {
            assert!(seconds(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_missing_tool_fails_only_in_ci() {
        assert!(without_tool(Some("true")).unwrap_err().contains(INSTALL));
        assert!(without_tool(Some("false")).is_ok());
        assert!(without_tool(None).is_ok());
    }

    #[test]
    fn targets_are_the_rust_files() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let found = names(&sources).unwrap();
        assert!(found.contains(&"fuzz".to_owned()) && found.is_sorted());
        assert!(names(&sources.join("nowhere")).is_err());
    }
}
