//! `cargo xtask golden`: records the journals of `tests/golden` again, on purpose.
//!
//! A journal that this build verifies, and would record again record by record, is left alone: so each is
//! as old as the last change of what it holds. What became of the others is printed before any is replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FOLDER: &str = "tests/golden";
/// The capture in the scratch folder. Journals keep the name as it is given, so that it is given bare.
const CAPTURE: &str = "usdm_btcusdt.ns";
/// What only a journal's writer needs.
const LOCK: &str = "LOCK";
/// One book ticker in so many is kept: they are most of a capture, and say little that the book does not.
const TICKERS_KEPT_ONE_IN: usize = 4;
/// How long the silence of a spoilt capture is: longer than `capture.gap_max_ms` of its configuration.
const SILENCE_NS: u64 = 3_000_000_000;

/// How a journal comes to be. `tests/golden/NAME.toml` is its configuration.
struct Recipe {
    name: &'static str,
    /// Scenario and seed of the synthetic minute.
    market: [&'static str; 2],
    /// Lines that are kept of it.
    lines: usize,
    state: State,
    /// History files that are imported beside it: format, name, and rows with their names.
    history: &'static [[&'static str; 3]],
    /// Of the replay, beside its configuration.
    arguments: &'static [&'static str],
}

/// What the capture of a recipe is like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    /// With a line that can not be read, and a silence behind it.
    Spoilt,
}

const RECIPES: [Recipe; 6] = [
    Recipe {
        name: "quoter-calm",
        market: ["calm", "2"],
        lines: 400,
        state: State::Sound,
        history: &[],
        arguments: &[],
    },
    Recipe {
        name: "both-burst",
        market: ["burst", "7"],
        lines: 380,
        state: State::Sound,
        history: &[],
        arguments: &[],
    },
    Recipe {
        name: "halt",
        market: ["burst", "2"],
        lines: 350,
        state: State::Sound,
        history: &[],
        arguments: &["--raise", "2@4", "--raise", "3@6"],
    },
    Recipe {
        name: "faulty-reports",
        market: ["burst", "4"],
        lines: 380,
        state: State::Spoilt,
        history: &[],
        arguments: &["--allow-broken"],
    },
    Recipe {
        name: "money",
        market: ["burst", "7"],
        lines: 380,
        state: State::Sound,
        history: &[],
        arguments: &[
            "--reconcile",
            "2",
            "--transfer",
            "250.5@3",
            "--reconcile",
            "4",
            "--reconcile",
            "6",
        ],
    },
    Recipe {
        name: "history",
        market: ["burst", "7"],
        lines: 260,
        state: State::Sound,
        history: &[
            [
                "funding",
                "usdm_funding.csv",
                "timestamp,symbol,funding_rate\n1767571203000,BTCUSDT,0.00025\n",
            ],
            [
                "open-interest",
                "usdm_open-interest.csv",
                "timestamp,symbol,sum_open_interest,sum_open_interest_value\n\
                 1767571202000,BTCUSDT,81234.5,6904932500.25\n",
            ],
            [
                "binance-vision",
                "usdm_bookDepth.csv",
                "timestamp,symbol,percentage,depth,notional\n\
                 2026-01-05 00:00:01,BTCUSDT,-1,120.5,10242500\n\
                 2026-01-05 00:00:01,BTCUSDT,1,99,8415000.75\n",
            ],
        ],
        arguments: &[],
    },
];

pub(crate) fn run(root: &Path) -> Result<(), String> {
    let fresh: Vec<PathBuf> =
        RECIPES.iter().map(|recipe| record(root, recipe)).collect::<Result<_, _>>()?;
    let mut changed = Vec::new();
    for (recipe, new) in RECIPES.iter().zip(fresh) {
        let old = format!("{FOLDER}/{}", recipe.name);
        if !root.join(&old).exists() || is_changed(root, &old, &new)? {
            changed.push((old, new));
        }
    }
    println!();
    for (old, new) in &changed {
        replace(&root.join(old), new)?;
        println!("replaced {old}");
    }
    println!("{} of {} journals replaced", changed.len(), RECIPES.len());
    Ok(())
}

/// Records the journal of a recipe in a scratch folder.
fn record(root: &Path, recipe: &Recipe) -> Result<PathBuf, String> {
    println!("-- {}", recipe.name);
    let folder = target_folder(root).join("golden").join(recipe.name);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    let [scenario, seed] = recipe.market;
    let minute = ["synth", scenario, "--minutes", "1", "--seed", seed, "--out", CAPTURE];
    super::printed(fusewire(root, &folder, &minute))?;
    // The sidecar tells a length that the cut capture has not.
    fs::remove_file(folder.join(format!("{CAPTURE}.manifest.json"))).map_err(failed)?;
    let text = fs::read_to_string(folder.join(CAPTURE)).map_err(failed)?;
    fs::write(folder.join(CAPTURE), cut(&text, recipe.lines, recipe.state)?).map_err(failed)?;
    let config = root.join(FOLDER).join(format!("{}.toml", recipe.name));
    let mut replay = fusewire(root, &folder, &["replay", CAPTURE, "--json"]);
    for [format, file, rows] in recipe.history {
        fs::write(folder.join(file), rows).map_err(failed)?;
        let out = format!("history-{format}");
        super::printed(fusewire(root, &folder, &["import", format, file, "--out", &out]))?;
        replay.arg(out);
    }
    replay.args(["--journal", "journal", "--journal-frames", "copy"]).args(recipe.arguments);
    replay.arg("--config").arg(config);
    super::printed(replay)?;
    Ok(folder.join("journal"))
}

/// The first lines of a capture without most of its book tickers.
fn cut(text: &str, lines: usize, state: State) -> Result<String, String> {
    let mut tickers = 0;
    let kept = text.lines().filter(|line| {
        let ticker = line.contains("@bookTicker");
        tickers += usize::from(ticker);
        !ticker || tickers % TICKERS_KEPT_ONE_IN == 0
    });
    let mut kept: Vec<String> = kept.map(str::to_owned).collect();
    match state {
        State::Sound => {}
        State::Spoilt => spoil(&mut kept, lines * 4 / 5)?,
    }
    if kept.len() < lines {
        return Err(format!("the minute has {} lines of {lines}", kept.len()));
    }
    kept.truncate(lines);
    Ok(kept.join("\n") + "\n")
}

/// Makes a line unreadable, and lets a silence follow.
fn spoil(lines: &mut Vec<String>, at: usize) -> Result<(), String> {
    let spoilt = lines.get_mut(at).ok_or("the minute ends before the line to spoil")?;
    let until = received(spoilt)? + SILENCE_NS;
    spoilt.insert(0, 'x');
    let mut behind = lines.split_off(at + 1);
    let times: Vec<u64> = behind.iter().map(|line| received(line)).collect::<Result<_, _>>()?;
    let silent = times.iter().filter(|time| **time < until).count();
    lines.extend(behind.drain(silent..));
    Ok(())
}

/// Receive time of a line, in ns.
fn received(line: &str) -> Result<u64, String> {
    let time = line.split(' ').next().and_then(|time| time.parse().ok());
    time.ok_or_else(|| format!("no receive time: {line}"))
}

/// True when this build does not verify the old journal, or records it otherwise. Prints how.
fn is_changed(root: &Path, old: &str, new: &Path) -> Result<bool, String> {
    if !root.join(old).exists() {
        println!("\n{old}: new");
        return Ok(true);
    }
    let verify = asked(fusewire(root, root, &["journal", "verify", old]))?;
    let mut diff = fusewire(root, root, &["journal", "diff", old]);
    diff.arg(new);
    let diff = asked(diff)?;
    let changed = [&verify, &diff].into_iter().any(|output| !output.status.success());
    println!("\n{old}: {}", if changed { "changed" } else { "the same" });
    if changed {
        for output in [verify, diff] {
            let printed = [output.stdout, output.stderr].concat();
            print!("{}", String::from_utf8_lossy(&printed));
        }
    }
    Ok(changed)
}

fn asked(mut command: Command) -> Result<Output, String> {
    let shown = super::shown(&command);
    command.output().map_err(|error| format!("`{shown}`: {error}"))
}

/// Puts the files of a journal in the place of another.
fn replace(old: &Path, new: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", old.display());
    if old.exists() {
        fs::remove_dir_all(old).map_err(failed)?;
    }
    fs::create_dir_all(old).map_err(failed)?;
    for entry in fs::read_dir(new).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != LOCK {
            fs::copy(entry.path(), old.join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(())
}

/// The program in a folder; the first call builds it.
fn fusewire(root: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let run = ["run", "--quiet", "-p", "fusewire", "--bin", "fusewire", "--manifest-path"];
    let mut command = super::cargo(root, &run);
    command.arg(root.join("Cargo.toml")).arg("--").args(arguments);
    // The folder may be one from which a relative target folder is another one.
    command.current_dir(folder).env("CARGO_TARGET_DIR", target_folder(root));
    command
}

fn target_folder(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER)
    }

    #[test]
    fn each_recipe_has_its_journal_and_configuration_and_nothing_else_is_there() {
        let mut expected = vec![".gitattributes".to_owned(), "README.md".to_owned()];
        for recipe in &RECIPES {
            expected.extend([recipe.name.to_owned(), format!("{}.toml", recipe.name)]);
        }
        let entries = fs::read_dir(folder()).unwrap();
        let mut found: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        let page = fs::read_to_string(folder().join("README.md")).unwrap();
        for recipe in &RECIPES {
            assert!(page.contains(&format!("`{}`", recipe.name)), "{}", recipe.name);
        }
    }

    #[test]
    fn a_capture_is_cut_to_its_first_lines_and_a_quarter_of_its_tickers() {
        let text: String = (0..40)
            .map(|n| format!("{n} {}\n", if n % 2 == 0 { "x@bookTicker" } else { "y" }))
            .collect();
        let found = cut(&text, 6, State::Sound).unwrap();
        assert_eq!(found, "1 y\n3 y\n5 y\n6 x@bookTicker\n7 y\n9 y\n");
        assert!(cut(&text, 26, State::Sound).unwrap_err().contains("25 lines of 26"));
    }

    #[test]
    fn a_spoilt_capture_has_a_bad_line_and_a_silence() {
        let text: String = (1..=20).map(|n| format!("{n}000000000 y\n")).collect();
        let found = cut(&text, 10, State::Spoilt).unwrap();
        let lines: Vec<&str> =
            found.lines().map(|line| line.split("000000000").next().unwrap()).collect();
        assert_eq!(lines, ["1", "2", "3", "4", "5", "6", "7", "8", "x9", "12"]);
        assert!(cut(&text, 19, State::Spoilt).unwrap_err().contains("18 lines of 19"));
        assert!(cut("y\n", 1, State::Spoilt).unwrap_err().starts_with("no receive time"));
    }

    #[test]
    fn a_journal_is_replaced_whole_and_without_its_lock() {
        let folder = std::env::temp_dir().join(format!("fusewire-golden-{}", std::process::id()));
        let (old, new) = (folder.join("old"), folder.join("new"));
        fs::create_dir_all(&old).unwrap();
        fs::create_dir_all(&new).unwrap();
        fs::write(old.join("event-000002.seg"), "old").unwrap();
        for name in ["event-000001.seg", LOCK] {
            fs::write(new.join(name), "new").unwrap();
        }
        replace(&old, &new).unwrap();
        let names: Vec<_> =
            fs::read_dir(&old).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["event-000001.seg"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
