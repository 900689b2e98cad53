//! The session of `docs/research.md`: its commands, its Python, and what it prints, so that the page can not rot.
//!
//! With FUSEWIRE_RESEARCH=write the page gets what was printed instead.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::parquet::{reader, remove, target_folder, without_reader};

const PAGE: &str = "docs/research.md";
const SCRIPT: &str = "tools/xtask/run_page.py";

pub(crate) fn run(root: &Path) -> Result<(), String> {
    let page = fs::read_to_string(root.join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let commands = commands(&page)?;
    let folder = target_folder(root);
    let python = match reader(&folder.join("python")) {
        Ok(python) => python,
        Err(message) => return without_reader(std::env::var("CI").ok().as_deref(), &message),
    };
    let session = folder.join("research");
    remove(&session)?;
    fs::create_dir_all(&session).map_err(|error| format!("{}: {error}", session.display()))?;
    for arguments in commands {
        let mut command = fusewire(root, &arguments);
        command.env("CARGO_TARGET_DIR", folder.parent().unwrap_or(&folder));
        command.current_dir(&session);
        super::printed(command)?;
    }
    let mut session_of_page = Command::new(python);
    session_of_page.arg(root.join(SCRIPT)).arg(root.join(PAGE)).current_dir(&session);
    if std::env::var("FUSEWIRE_RESEARCH").is_ok_and(|what| what == "write") {
        session_of_page.arg("--write");
    }
    super::run(session_of_page)
}

/// The program, wherever it runs; the first call builds it.
fn fusewire(root: &Path, arguments: &[&str]) -> Command {
    let mut command = super::cargo(root, &["run", "--quiet", "--release", "--manifest-path"]);
    command.arg(root.join("Cargo.toml"));
    command.args(["-p", "fusewire", "--bin", "fusewire", "--"]).args(arguments);
    command
}

/// The arguments of each `fusewire` command in the page's shell blocks.
fn commands(page: &str) -> Result<Vec<Vec<&str>>, String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let lines = blocks.flat_map(str::lines);
    let found: Vec<Vec<&str>> = lines
        .map(|line| {
            let command = line.strip_prefix("fusewire ");
            let words = command.map(|command| command.split_whitespace().collect());
            words.ok_or_else(|| format!("{PAGE}: '{line}' is no fusewire command"))
        })
        .collect::<Result<_, _>>()?;
    if found.is_empty() { Err(format!("{PAGE} has no commands")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_shell_block_is_a_command() {
        let page =
            "# A\n```sh\nfusewire replay --json\nfusewire config\n```\n```python\nx = 1\n```\n";
        assert_eq!(commands(page).unwrap(), [vec!["replay", "--json"], vec!["config"]]);
        assert!(commands("# A\n").is_err());
        assert!(commands("```sh\nrm -r x\n```\n").is_err());
    }

    #[test]
    fn the_page_records_a_run_and_a_sweep() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
        let page = fs::read_to_string(page).unwrap();
        let found = commands(&page).unwrap();
        let verbs: Vec<&str> = found.iter().map(|arguments| arguments[0]).collect();
        assert!(verbs.contains(&"replay") && verbs.contains(&"sweep"), "{verbs:?}");
    }
}
