//! `journal recover`: cut an interrupted journal to what every stage had handled.

use fusewire_core::journal::{RealDisk, Recovery, recover};
use fusewire_core::lane::Lane;
use serde_json::{Value, json};

use super::Dir;
use crate::journal::writing::fresh_session;
use crate::outcome::{Done, Failure, Outcome, print};

/// Cut an interrupted journal to the last event that every stage had handled.
///
/// Gateway records beyond it may be on the wire: they are set aside. What is damaged goes into quarantine,
/// and then the answer is "no" (exit 1). A journal that is complete is left alone.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire journal recover runs/a")]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let dir = &args.dir.dir;
    let recovery = recover(dir, &mut RealDisk, fresh_session()).map_err(Failure::line)?;
    if args.json {
        let document = recovery.as_ref().map_or_else(|| json!({"complete": true}), document);
        print(&(serde_json::to_string_pretty(&document).map_err(Failure::line)? + "\n"))?;
    } else {
        let text = recovery.as_ref().map_or_else(|| "complete: nothing to do\n".to_owned(), text);
        print(&format!("{}: {text}", dir.display()))?;
    }
    let damaged = recovery.is_some_and(|recovery| !recovery.damage.is_empty());
    Ok(if damaged { Done::No } else { Done::Yes })
}

fn document(recovery: &Recovery) -> Value {
    let removed = Lane::ALL.into_iter().zip(recovery.removed);
    let removed: serde_json::Map<String, Value> =
        removed.map(|(lane, count)| (lane.name().to_owned(), count.into())).collect();
    let damage: Vec<String> = recovery.damage.iter().map(ToString::to_string).collect();
    json!({
        "complete": false,
        "cut": recovery.cut,
        "removed": removed,
        "orphans": recovery.orphans,
        "damage": damage,
        "quarantined": recovery.quarantined,
    })
}

fn text(recovery: &Recovery) -> String {
    let mut text = format!("kept up to event {}\n", recovery.cut);
    for (lane, count) in Lane::ALL.into_iter().zip(recovery.removed).filter(|(_, n)| *n > 0) {
        text += &format!("  {count} records of lane {} removed: beyond it\n", lane.name());
    }
    if recovery.orphans > 0 {
        text += &format!(
            "  {} gateway records set aside as orphans: their orders may be on the wire\n",
            recovery.orphans
        );
    }
    for damage in &recovery.damage {
        text += &format!("  damaged: {damage}\n");
    }
    for name in &recovery.quarantined {
        text += &format!("  what stood behind the damage is in {name}\n");
    }
    text
}
