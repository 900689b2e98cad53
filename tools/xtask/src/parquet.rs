//! Exports of the embedded sample, CSV against Parquet, read by a reader that had no part in writing them.
//!
//! The reader comes from the Python package index, pinned, into a folder of its own below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One wheel without dependencies, half as large as any other that reads Parquet.
const READER: &str = "duckdb";
const READER_VERSION: &str = "2.0.1";
const SCRIPT: &str = "tools/xtask/compare_tables.py";
/// The page that names the lanes, and for each its columns. A test compares it with the code.
const PAGE: &str = "docs/journal-export.md";
const FORMATS: [&str; 2] = ["csv", "parquet"];

pub(crate) fn run(root: &Path) -> Result<(), String> {
    let page = fs::read_to_string(root.join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let lanes = lanes(&page)?;
    let folder = target_folder(root);
    let python = match reader(&folder.join("python")) {
        Ok(python) => python,
        Err(message) => return without_reader(std::env::var("CI").ok().as_deref(), &message),
    };
    let (journal, tables) = (folder.join("journal"), folder.join("tables"));
    for old in [&journal, &tables] {
        remove(old)?;
    }
    fs::create_dir_all(&tables).map_err(|error| format!("{}: {error}", tables.display()))?;
    write_journal(root, &journal)?;
    for lane in &lanes {
        export(root, &journal, &tables, lane)?;
    }
    let mut compare = Command::new(python);
    compare.arg(SCRIPT).arg(PAGE).arg(&tables).args(&lanes).current_dir(root);
    super::run(compare)
}

/// The lanes that the page has a section on.
fn lanes(page: &str) -> Result<Vec<&str>, String> {
    let sections = page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let lanes: Vec<_> = sections.collect();
    if lanes.is_empty() { Err(format!("{PAGE} has no section on a lane")) } else { Ok(lanes) }
}

pub(super) fn target_folder(root: &Path) -> PathBuf {
    let shared = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(shared).join("parquet")
}

/// A Python that has the reader, made in `folder` when it is not there yet.
pub(super) fn reader(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    let is_there = format!("import {READER}; assert {READER}.__version__ == '{READER_VERSION}'");
    let mut ask = Command::new(&python);
    ask.args(["-c", &is_there]);
    if super::succeeds(ask) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(folder);
    super::run(make)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--no-deps", "--only-binary", ":all:"]);
    install.arg(format!("{READER}=={READER_VERSION}"));
    super::run(install)?;
    Ok(python)
}

pub(super) fn without_reader(ci: Option<&str>, why: &str) -> Result<(), String> {
    let message = format!(
        "there is no reader of Parquet ({why}); it takes python3 with venv and pip, and the network once"
    );
    if ci == Some("true") {
        return Err(message);
    }
    eprintln!("\n!!!! NO EXPORT WAS COMPARED: {message} !!!!\n");
    Ok(())
}

pub(super) fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The program with its arguments; the first call builds it.
fn fusewire(root: &Path, arguments: &[&str]) -> Command {
    let build = ["run", "--quiet", "--release", "-p", "fusewire", "--bin", "fusewire", "--"];
    super::cargo(root, &[&build[..], arguments].concat())
}

fn write_journal(root: &Path, journal: &Path) -> Result<(), String> {
    let mut replay = fusewire(root, &["replay", "--json", "--journal"]);
    replay.arg(journal);
    super::printed(replay).map(|_| ())
}

fn export(root: &Path, journal: &Path, tables: &Path, lane: &str) -> Result<(), String> {
    for format in FORMATS {
        let mut export = fusewire(root, &["journal", "export"]);
        export.arg(journal).args(["--lane", lane, "--format", format, "--out"]);
        export.arg(tables.join(format!("{lane}.{format}")));
        super::run(export)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_the_sections_in_code_type() {
        let page = "# A\n\n## Types\n\n## `feed`\n\n| `seq` |\n\n### `no`\n\n## `event`\n";
        assert_eq!(lanes(page).unwrap(), ["feed", "event"]);
        assert!(lanes("# A\n## Types\n").is_err());
    }

    #[test]
    fn the_page_has_lanes() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
        let page = fs::read_to_string(page).unwrap();
        let expected = ["feed", "event", "alpha", "risk", "gateway", "report", "fills", "trades"];
        assert_eq!(lanes(&page).unwrap(), expected);
    }

    #[test]
    fn a_missing_reader_fails_only_in_ci() {
        let error = without_reader(Some("true"), "no python3").unwrap_err();
        assert!(error.contains("(no python3)"), "{error}");
        assert!(without_reader(Some("false"), "no python3").is_ok());
        assert!(without_reader(None, "no python3").is_ok());
    }

    #[test]
    fn old_folders_go_and_missing_ones_are_fine() {
        let folder = std::env::temp_dir().join(format!("fusewire-xtask-{}", std::process::id()));
        fs::create_dir_all(folder.join("old")).unwrap();
        assert_eq!(remove(&folder), Ok(()));
        assert!(!folder.exists());
        assert_eq!(remove(&folder), Ok(()));
    }
}
