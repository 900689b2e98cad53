//! `journal ls`: which journals there are, and how each ended.

use std::path::{Path, PathBuf};

use fusewire_core::journal::{JournalError, View};
use fusewire_core::lane::{Digest, Lane};
use serde::Serialize;

use crate::journal::header::Header;
use crate::journal::{reading, text};
use crate::outcome::{Done, Failure, Outcome, print};

/// List journals: a folder that is one, or the journals in a folder.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire journal ls runs/")]
pub(super) struct Args {
    /// Journals, or folders of them.
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// One journal.
#[derive(Default, Serialize)]
struct Listed {
    dir: String,
    state: &'static str,
    created: Option<String>,
    build: Option<String>,
    strategies: Vec<String>,
    frames: u64,
    events: u64,
    bytes: u64,
    /// Digest over all lanes; only of a closed journal.
    digest: Option<String>,
    /// What is wrong with it.
    damage: Vec<String>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let mut listed = Vec::new();
    for dir in &args.dirs {
        listed.extend(find(dir)?);
    }
    let text = if args.json {
        serde_json::to_string_pretty(&listed).map_err(Failure::line)? + "\n"
    } else {
        listed.iter().map(line).collect()
    };
    print(&text)?;
    let sound = listed.iter().all(|journal| journal.damage.is_empty());
    Ok(if sound { Done::Yes } else { Done::No })
}

/// The folder itself, or the journals in it.
fn find(dir: &Path) -> Result<Vec<Listed>, Failure> {
    match View::open(dir) {
        Ok(view) => return Ok(vec![list(&view)]),
        Err(JournalError::NoJournal { .. }) => {}
        Err(error) => return Err(Failure::line(error)),
    }
    let failed = |error: std::io::Error| Failure::line(format!("{}: {error}", dir.display()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    let listed: Vec<Listed> = paths.iter().filter_map(|path| list_inner(path)).collect();
    if listed.is_empty() {
        return Err(Failure::line(format!("{}: there is no journal here", dir.display())));
    }
    Ok(listed)
}

/// A journal among others: one that can not be read must not hide the rest.
fn list_inner(path: &Path) -> Option<Listed> {
    match View::open(path) {
        Ok(view) => Some(list(&view)),
        Err(JournalError::NoJournal { .. }) => None,
        Err(error) => Some(Listed {
            dir: path.display().to_string(),
            state: "unreadable",
            damage: vec![error.to_string()],
            ..Listed::default()
        }),
    }
}

fn list(view: &View) -> Listed {
    let mut damage: Vec<String> = view.damage.iter().map(ToString::to_string).collect();
    let mut noted = |Failure(lines): Failure| damage.extend(lines);
    // A journal that has just begun, or lost its beginning to retention, has no header.
    let bare = view.is_headless() || view.lane(Lane::Event).records == 0;
    let header: Option<Header> = match reading::header(view) {
        Ok((header, _)) => Some(header),
        Err(_) if bare => None,
        Err(failure) => {
            noted(failure);
            None
        }
    };
    let digest = digest(view).unwrap_or_else(|failure| {
        noted(failure);
        None
    });
    Listed {
        dir: view.dir.display().to_string(),
        state: view.state.name(),
        created: header.as_ref().map(|header| text::utc(header.created)),
        build: header.as_ref().map(|h| format!("{} ({})", h.build.version, h.build.commit)),
        strategies: header.map(|header| header.strategies).unwrap_or_default(),
        frames: view.lane(Lane::Feed).last,
        events: view.lane(Lane::Event).last,
        bytes: view.lanes.iter().map(|lane| lane.bytes).sum(),
        digest,
        damage,
    }
}

/// The digest over all lanes, from their closing records.
fn digest(view: &View) -> Result<Option<String>, Failure> {
    let mut digests = Vec::with_capacity(Lane::ALL.len());
    for lane in Lane::ALL {
        if let Some(close) = reading::close(view, lane)? {
            digests.push(Digest::from_bytes(close.digest));
        }
    }
    let all = <[Digest; Lane::ALL.len()]>::try_from(digests).ok();
    Ok(all.map(|lanes| Digest::of_all(&lanes).to_string()))
}

fn line(journal: &Listed) -> String {
    let Listed { dir, state, frames, events, bytes, .. } = journal;
    let created = journal.created.as_deref().unwrap_or("-");
    let strategies = match &journal.strategies[..] {
        [] => "-".to_owned(),
        names => names.join(","),
    };
    let digest = journal.digest.as_deref().map_or("-", |digest| &digest[..16]);
    let mut text = format!(
        "{dir}  {state}  {created}  {strategies}  {frames} frames  {events} events  {bytes} bytes  digest {digest}\n"
    );
    for damage in &journal.damage {
        text += &format!("  damaged: {damage}\n");
    }
    text
}
