//! `journal diff`: where two runs part.

use std::path::{Path, PathBuf};

use fusewire_core::journal::{View, crc32c};
use fusewire_core::lane::{CloseRecord, Decoded};
use fusewire_core::units::Nanos;
use serde_json::json;

use crate::config::Difference;
use crate::export::lanes::Names;
use crate::journal::header::Header;
use crate::journal::walk::{Item, Walk};
use crate::journal::{reading, text};
use crate::outcome::{Done, Failure, Outcome, print};

/// Show where two journals part: what their headers differ in, and the first record that differs, with
/// what came before it and what comes after.
///
/// Exit 0: the same records; 1: they differ.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  fusewire journal diff runs/a runs/b --context 5")]
pub(super) struct Args {
    /// Folder of a journal.
    #[arg(value_name = "A")]
    left: PathBuf,
    /// Folder of another.
    #[arg(value_name = "B")]
    right: PathBuf,
    /// Records that are shown before and behind.
    #[arg(long, value_name = "N", default_value_t = 3)]
    context: u64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// A journal to compare.
struct Side {
    view: View,
    header: Header,
    names: Names,
}

impl Side {
    fn open(dir: &Path) -> Result<Self, Failure> {
        let view = View::open(dir).map_err(Failure::line)?;
        let (header, _) = reading::header(&view)?;
        let names = header.names();
        Ok(Self { view, header, names })
    }
}

/// What is shown where two journals part.
struct Parting {
    /// Records of both that are the same.
    same: u64,
    before: Vec<String>,
    left: Vec<String>,
    right: Vec<String>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (left, right) = (Side::open(&args.left)?, Side::open(&args.right)?);
    let differences = left.header.differences(&right.header);
    let parting = part(&left, &right, args.context)?;
    if args.json {
        print(&(document(args, &differences, parting.as_ref()) + "\n"))?;
    } else {
        print(&render(args, &differences, parting.as_ref()))?;
    }
    let sound = [&left, &right].map(|side| reading::verdict(&side.view));
    let same = parting.is_none() && sound == [Done::Yes; 2];
    Ok(if same { Done::Yes } else { Done::No })
}

/// The first record that differs, if there is one.
fn part(left: &Side, right: &Side, context: u64) -> Result<Option<Parting>, Failure> {
    let (mut a, mut b) = (Walk::new(&left.view), Walk::new(&right.view));
    let mut same = 0_u64;
    loop {
        let (one, other) = (next(&mut a)?, next(&mut b)?);
        match (&one, &other) {
            (None, None) => return Ok(None),
            (Some(one), Some(other)) if are_same(one, other) => same += 1,
            _ => break,
        }
    }
    let before = same.saturating_sub(context);
    Ok(Some(Parting {
        same,
        before: lines(left, before, same - before)?,
        left: lines(left, same, context + 1)?,
        right: lines(right, same, context + 1)?,
    }))
}

/// The next record of a run; headers are compared by their keys.
fn next<'a>(walk: &'a mut Walk) -> Result<Option<Item<'a>>, Failure> {
    while walk.peek_is_header()? {
        walk.next()?;
    }
    walk.next()
}

/// So many records from a place on, as text.
fn lines(side: &Side, from: u64, count: u64) -> Result<Vec<String>, Failure> {
    let mut walk = Walk::new(&side.view);
    let mut lines = Vec::new();
    for index in 0..from + count {
        let Some(item) = next(&mut walk)? else { break };
        if index >= from {
            lines.push(text::line(&item, &side.names));
        }
    }
    Ok(lines)
}

/// Whether two records say the same. Frames may be copied on one side and referred to on the other, and
/// the digest of a header says when the journal was made, which no header is compared by.
fn are_same(left: &Item<'_>, right: &Item<'_>) -> bool {
    if let (Decoded::Close(one), Decoded::Close(other)) = (&left.record, &right.record) {
        let other = CloseRecord { header: one.header, ..*other };
        return left.lane == right.lane && *one == other;
    }
    match (frame(&left.record), frame(&right.record)) {
        (Some(left), Some(right)) => left == right,
        (None, None) => {
            left.lane == right.lane && without_header(&left.record) == without_header(&right.record)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A closing record without the digest of the header, which says when the journal was made: headers are
/// compared key by key. Other records as they are.
fn without_header<'a>(record: &Decoded<'a>) -> Decoded<'a> {
    match record {
        Decoded::Close(close) => Decoded::Close(CloseRecord { header: [0; 32], ..*close }),
        Decoded::Frame(_)
        | Decoded::FrameRef(_)
        | Decoded::Damaged(_)
        | Decoded::Header(_)
        | Decoded::Event(_)
        | Decoded::Pending(_)
        | Decoded::Intent(_)
        | Decoded::Verdict(_)
        | Decoded::Sent(_)
        | Decoded::Alert(_)
        | Decoded::CancelAll { .. } => *record,
    }
}

/// Number, receive time, length and checksum of a frame.
fn frame(record: &Decoded<'_>) -> Option<(u64, Nanos, usize, u32)> {
    match record {
        Decoded::Frame(frame) => {
            Some((frame.head.frame, frame.head.recv, frame.bytes.len(), crc32c(frame.bytes)))
        }
        Decoded::FrameRef(frame) => {
            Some((frame.frame, frame.recv, frame.bytes as usize, frame.crc))
        }
        Decoded::Damaged(_)
        | Decoded::Header(_)
        | Decoded::Event(_)
        | Decoded::Pending(_)
        | Decoded::Intent(_)
        | Decoded::Verdict(_)
        | Decoded::Sent(_)
        | Decoded::Alert(_)
        | Decoded::CancelAll { .. }
        | Decoded::Close(_) => None,
    }
}

fn document(args: &Args, differences: &[Difference], parting: Option<&Parting>) -> String {
    let differences: Vec<_> = differences
        .iter()
        .map(|d| json!({"key": d.key, "a": d.left, "b": d.right, "decides": d.decides}))
        .collect();
    let parting = parting.map(|parting| {
        json!({
            "same": parting.same,
            "before": parting.before,
            "a": parting.left,
            "b": parting.right,
        })
    });
    let document = json!({
        "a": args.left,
        "b": args.right,
        "header": differences,
        "first_difference": parting,
    });
    format!("{document:#}")
}

fn render(args: &Args, differences: &[Difference], parting: Option<&Parting>) -> String {
    let mut text = format!("A  {}\nB  {}\n", args.left.display(), args.right.display());
    for difference in differences {
        text += &format!("header: {difference}\n");
    }
    let Some(parting) = parting else { return text + "the same records\n" };
    text += &format!("the first {} records are the same, then they part:\n", parting.same);
    let put = |text: &mut String, mark: &str, lines: &[String]| {
        for line in lines {
            *text += &format!("{mark} {line}\n");
        }
        if lines.is_empty() {
            *text += &format!("{mark} (ends here)\n");
        }
    };
    if !parting.before.is_empty() {
        put(&mut text, " ", &parting.before);
    }
    put(&mut text, "A", &parting.left);
    put(&mut text, "B", &parting.right);
    text
}
