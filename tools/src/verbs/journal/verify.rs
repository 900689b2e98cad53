//! `journal verify`: does the run come out again, byte for byte?

use std::path::PathBuf;

use fusewire_core::journal::{State, View};
use fusewire_core::lane::{Digest, Lane};
use fusewire_core::sequencer::Rerun as Scope;
use serde_json::{Value, json};

use super::Dir;
use crate::config::{Config, Difference};
use crate::export::lanes::Names;
use crate::journal::divergence::Divergence;
use crate::journal::groups::Groups;
use crate::journal::header::{Build, Header};
use crate::journal::reading;
use crate::journal::rerun::{Counts, Rerun};
use crate::outcome::{Done, Failure, Outcome, print};
use crate::progress;

/// Events between two looks of the progress bar.
const SHOW_EVERY: u64 = 4_096;

/// Run a journal again and compare everything, byte for byte.
///
/// The recorded events drive strategies, risk and gateway: intents, verdicts and orders must come out as
/// they were recorded. The frames must give the same market events, the paper venue the same reports. The
/// first thing that differs is named, with the builds that recorded and verified.
///
/// Exit 0: all is as recorded; 1: something differs, or the journal is damaged.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  fusewire journal verify runs/a\n  \
                  fusewire journal verify runs/a --decisions-only\n  \
                  fusewire journal verify runs/a --config changed.toml   # what would have been decided otherwise?")]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    /// Verify intents, verdicts and orders alone, without frames and venue: the recordings that the journal
    /// refers to need not be there.
    #[arg(long)]
    decisions_only: bool,
    /// Run again under another configuration than the recorded one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Default)]
struct Found {
    counts: Counts,
    divergence: Option<Box<Divergence>>,
    /// What the configuration of the rerun differs in.
    changed: Vec<Difference>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let document = reading::document(&view)?;
    let seal = sealed(&view, &document)?;
    let header = match Header::from_json(&document) {
        Ok(header) => Some(header),
        // It was changed since it was sealed: that is the answer, and not what is wrong with it.
        Err(_) if seal.is_some() => None,
        Err(what) => return Err(Failure::line(format!("{}: {what}", view.dir.display()))),
    };
    let found = match (seal, &header) {
        (None, Some(header)) => rerun(args, &view, header, &document)?,
        (seal, _) => Found { divergence: seal.map(Box::new), ..Found::default() },
    };
    let names = header.as_ref().map(Header::names).unwrap_or_default();
    let recorded = header.map_or_else(|| "unknown".to_owned(), |header| build(&header.build));
    if args.json {
        print(&format!("{:#}\n", json_of(args, &view, &recorded, &found, &names)))?;
    } else {
        print(&render(args, &view, &recorded, &found, &names))?;
    }
    let sound = reading::verdict(&view);
    Ok(if found.divergence.is_none() { sound } else { Done::No })
}

/// What is wrong with the seals that the closing records put on the header. A rerun under another header
/// than the recorded one would only say what follows from it.
fn sealed(view: &View, document: &[u8]) -> Result<Option<Divergence>, Failure> {
    let digest = Digest::of(document);
    let mut broken = Vec::new();
    let mut closed = 0;
    for lane in Lane::ALL {
        let Some(close) = reading::close(view, lane)? else { continue };
        closed += 1;
        if Digest::from_bytes(close.header) != digest {
            broken.push(lane);
        }
    }
    Ok(match broken.first() {
        Some(_) if broken.len() == closed => Some(Divergence::Header),
        first => first.copied().map(Divergence::HeaderOf),
    })
}

fn rerun(args: &Args, view: &View, header: &Header, document: &[u8]) -> Result<Found, Failure> {
    let recorded = header.config();
    let (config, changed) = match &args.config {
        None => (recorded?, Vec::new()),
        Some(path) => {
            let config = Config::load(Some(path))?;
            let changed = recorded.map(|recorded| recorded.differences(&config))?;
            (config, changed)
        }
    };
    let scope = if args.decisions_only { Scope::Gateway } else { Scope::Venue };
    let rerun = Rerun::new(view, header, &config, scope)?;
    let (counts, divergence) = verify(view, document, rerun)?;
    let divergence = match divergence {
        None => last(view)?.map(Box::new),
        found => found,
    };
    Ok(Found { counts, divergence, changed })
}

/// The closing record that names another last event, or frame, than its journal.
fn last(view: &View) -> Result<Option<Divergence>, Failure> {
    for lane in Lane::ALL {
        let made = if lane == Lane::Feed { view.lane(lane).last } else { view.cut };
        if let Some(recorded) = reading::close(view, lane)?.map(|close| close.last)
            && recorded != made
        {
            return Ok(Some(Divergence::Last { lane, recorded, made }));
        }
    }
    Ok(None)
}

/// Goes through the whole journal, up to the first divergence.
fn verify(
    view: &View,
    document: &[u8],
    mut rerun: Rerun,
) -> Result<(Counts, Option<Box<Divergence>>), Failure> {
    let bar = progress::events(view.cut, "verify");
    let mut groups = Groups::new(view);
    let divergence = loop {
        let group = match groups.next() {
            Ok(Some(group)) => group,
            Ok(None) => break rerun.finish(view, document)?.err(),
            Err(Failure(lines)) => break Some(Box::new(Divergence::Unreadable(lines.join("; ")))),
        };
        if let Err(divergence) = rerun.step(&group) {
            break Some(divergence);
        }
        if group.seq().is_multiple_of(SHOW_EVERY) {
            bar.set_position(group.seq());
        }
    };
    bar.finish_and_clear();
    Ok((rerun.counts(), divergence))
}

fn build(build: &Build) -> String {
    format!("{} ({})", build.version, build.commit)
}

fn json_of(args: &Args, view: &View, recorded: &str, found: &Found, names: &Names) -> Value {
    let counts = found.counts;
    let changed: Vec<Value> = found
        .changed
        .iter()
        .map(|d| json!({"key": d.key, "recorded": d.left, "here": d.right, "decides": d.decides}))
        .collect();
    let divergence = found.divergence.as_ref().map(|divergence| {
        json!({
            "lane": divergence.lane().map(|lane| lane.name()),
            "seq": divergence.seq(),
            "text": divergence.lines(names),
        })
    });
    json!({
        "dir": view.dir,
        "state": view.state.name(),
        "same": found.divergence.is_none(),
        "cut": view.cut,
        "verified": if args.decisions_only { "decisions" } else { "all" },
        "build_recorded": recorded,
        "build_here": build(&Build::this()),
        "events": counts.events,
        "intents": counts.derived[0],
        "verdicts": counts.derived[1],
        "orders": counts.derived[2],
        "feedback": counts.feedback,
        "frames": counts.frames,
        "config": changed,
        "first_divergence": divergence,
        "damage": view.damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn render(args: &Args, view: &View, recorded: &str, found: &Found, names: &Names) -> String {
    let here = build(&Build::this());
    let mut text = format!("{}  recorded by {recorded}, verified by {here}\n", view.dir.display());
    for difference in &found.changed {
        text += &format!("config: {difference}\n");
    }
    let Counts { events, derived: [intents, verdicts, orders], feedback, frames } = found.counts;
    let what = format!("{events} events, {intents} intents, {verdicts} verdicts, {orders} orders");
    let rest = if args.decisions_only {
        String::new()
    } else {
        format!(", {frames} frames, {feedback} reports, rejections and wakes")
    };
    match &found.divergence {
        None => {
            let same = if found.changed.is_empty() { "" } else { "no decision changes: " };
            text += &format!("{same}the same, byte for byte: {what}{rest}\n");
            if view.state != State::Closed {
                text += &format!(
                    "the journal is {}: verified up to event {}\n",
                    view.state.name(),
                    view.cut
                );
            }
        }
        Some(divergence) => {
            text += "DIVERGES\n";
            for line in divergence.lines(names) {
                text += &format!("{line}\n");
            }
            text += &format!("as recorded up to there: {what}{rest}\n");
        }
    }
    for damage in &view.damage {
        text += &format!("damaged: {damage}\n");
    }
    text
}
