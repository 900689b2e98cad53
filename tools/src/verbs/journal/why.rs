//! `journal why`: why was this order sent, and what became of it?

use fusewire_core::journal::View;

use super::Dir;
use crate::journal::header::Build;
use crate::journal::order_id::parse_order_id;
use crate::journal::reading;
use crate::journal::story::{CheckText, FrameText, Heard, Step, Story, tell};
use crate::outcome::{Failure, Outcome, print};

/// Steps behind the first that are shown without `--all`.
const STEPS_SHOWN: usize = 4;
/// Reports that are shown without `--all`: the first and the last ones.
const REPORTS_SHOWN: usize = 8;
/// Letters of a frame that are shown without `--all`.
const FRAME_SHOWN: usize = 160;

/// Why an order was sent: frame, event, intent, each check with what it measured and its limit, what the
/// gateway did, the reports, and what they did to the position.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  fusewire journal why runs/a 1-0-17\n  fusewire journal why runs/a 1-risk-2 --all\n\n\
                  An order id is SESSION-SEAT-COUNTER, as it is printed everywhere, or the whole id as one number."
)]
pub(super) struct Args {
    #[command(flatten)]
    dir: Dir,
    /// The order: 1-0-17, 1-risk-2, or one number.
    #[arg(value_name = "ORDER_ID")]
    order: String,
    /// Show every amend and cancel with its checks, every report, and frames whole.
    #[arg(long)]
    all: bool,
    /// Print one JSON document: everything.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let order = parse_order_id(&args.order).map_err(Failure::line)?;
    let view = View::open(&args.dir.dir).map_err(Failure::line)?;
    let (header, _) = reading::header(&view)?;
    let story = tell(&view, &header, order)?;
    if args.json {
        print(&(serde_json::to_string_pretty(&story).map_err(Failure::line)? + "\n"))?;
    } else {
        let Build { version, commit } = &header.build;
        let head =
            format!("{}, seed {}, build {version} ({commit})", header.profile_name(), header.seed);
        print(&render(&story, &head, args.all))?;
    }
    Ok(reading::verdict(&view))
}

fn render(story: &Story, head: &str, all: bool) -> String {
    let Story { order_id, strategy, symbol, .. } = story;
    let mut text = format!("order {order_id}  {strategy}  {symbol}  ({head})\n");
    if let Some(why) = &story.checks_missing {
        text += &format!("checks can not be made again: {why}\n");
    }
    for (index, step) in story.steps.iter().enumerate() {
        let shown = if all { usize::MAX } else { STEPS_SHOWN };
        let from_end = story.steps.len() - index;
        if index == 0 || all {
            text += &whole_step(step, all);
        } else if index <= shown.div_ceil(2) || from_end <= shown / 2 {
            text += &short_step(step);
        } else if index == shown.div_ceil(2) + 1 {
            let left = story.steps.len() - 1 - shown;
            text += &format!("...       {left} more amends, cancels and queries (--all)\n");
        }
    }
    text + &reports(&story.reports, all) + &pending(story)
}

/// A step with everything.
fn whole_step(step: &Step, all: bool) -> String {
    let mut text = match &step.frame {
        Some(frame) => frame_text(frame, all),
        None => {
            "frame     none: the event is one of the clock, the venue or a command\n".to_owned()
        }
    };
    text += &format!("event     {} {} {}\n", step.ts, step.seq, step.event);
    text += &format!("intent    {} {}\n", step.from, step.action);
    for check in &step.checks {
        text += &check_text(check);
    }
    text += &format!("verdict   {}\n", step.verdict);
    text += &format!("gateway   {}\n", step.gateway.as_deref().unwrap_or("never saw it"));
    text
}

fn frame_text(frame: &FrameText, all: bool) -> String {
    let cut = if all { None } else { frame.text.char_indices().nth(FRAME_SHOWN) };
    let shown =
        cut.map_or_else(|| frame.text.clone(), |(at, _)| frame.text[..at].to_owned() + "...");
    format!("frame     {} f{} {}\n          {shown}\n", frame.recv, frame.frame, frame.place)
}

fn check_text(check: &CheckText) -> String {
    let CheckText { check: name, subject, measured, limit, passed } = check;
    let name = if subject.is_empty() { (*name).to_owned() } else { format!("{name} ({subject})") };
    let passed = if *passed { "ok" } else { "NO" };
    format!("  check   {passed} {name:<36} measured {measured:<20} limit {limit}\n")
}

/// A later step, in one line.
fn short_step(step: &Step) -> String {
    let Step { ts, seq, action, verdict, .. } = step;
    let gateway = step.gateway.as_deref().unwrap_or("not sent");
    let checks = step.checks.len();
    format!("then      {ts} {seq} {action}: {checks} checks, {verdict}, {gateway}\n")
}

fn reports(reports: &[Heard], all: bool) -> String {
    let mut text = String::new();
    let half = REPORTS_SHOWN / 2;
    for (index, heard) in reports.iter().enumerate() {
        let shown = all || index < half || index + half >= reports.len();
        // What moved the position is never left out.
        if !shown && heard.position.is_none() {
            if index == half {
                text += "...       more reports (--all)\n";
            }
            continue;
        }
        text += &format!("report    {} {} {}\n", heard.ts, heard.seq, heard.text);
        if let Some(payer) = &heard.paid_by {
            text += &format!("  paid by {payer}\n");
        }
        if let Some(event) = &heard.triggered_by {
            text += &format!("  triggered by {event}\n");
        }
        if let Some([before, after]) = &heard.position {
            let average = after.average_price.as_deref().unwrap_or("-");
            text += &format!(
                "position  {} -> {} at {average}, realized {} -> {}, fees {} -> {}\n",
                before.qty, after.qty, before.realized, after.realized, before.fees, after.fees
            );
        }
    }
    if reports.is_empty() {
        text += "report    none\n";
    }
    text
}

fn pending(story: &Story) -> String {
    story.pending.iter().map(|line| format!("pending   {line}\n")).collect()
}
