//! `journal ls`: which journals there are, and how each ended.

use std::path::{Path, PathBuf};

use fusewire_core::journal::View;
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
#[derive(Serialize)]
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
    let mut journals = Vec::new();
    for dir in &args.dirs {
        journals.extend(find(dir)?);
    }
    let listed: Vec<Listed> = journals.iter().map(list).collect::<Result<_, _>>()?;
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
fn find(dir: &Path) -> Result<Vec<View>, Failure> {
    match View::open(dir) {
        Ok(view) => return Ok(vec![view]),
        Err(fusewire_core::journal::JournalError::NoJournal { .. }) => {}
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
    let views: Vec<View> = paths.iter().filter_map(|path| View::open(path).ok()).collect();
    if views.is_empty() {
        return Err(Failure::line(format!("{}: there is no journal here", dir.display())));
    }
    Ok(views)
}

fn list(view: &View) -> Result<Listed, Failure> {
    let header: Option<Header> = reading::header(view).ok().map(|(header, _)| header);
    Ok(Listed {
        dir: view.dir.display().to_string(),
        state: view.state.name(),
        created: header.as_ref().map(|header| text::utc(header.created)),
        build: header.as_ref().map(|h| format!("{} ({})", h.build.version, h.build.commit)),
        strategies: header.map(|header| header.strategies).unwrap_or_default(),
        frames: view.lane(Lane::Feed).last,
        events: view.lane(Lane::Event).last,
        bytes: view.lanes.iter().map(|lane| lane.bytes).sum(),
        digest: digest(view)?,
        damage: view.damage.iter().map(ToString::to_string).collect(),
    })
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
    let strategies = journal.strategies.join(",");
    let digest = journal.digest.as_deref().map_or("-", |digest| &digest[..16]);
    let mut text = format!(
        "{dir}  {state}  {created}  {strategies}  {frames} frames  {events} events  {bytes} bytes  digest {digest}\n"
    );
    for damage in &journal.damage {
        text += &format!("  damaged: {damage}\n");
    }
    text
}
