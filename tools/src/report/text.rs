//! The report as text.

use std::fmt::Write;

use fusewire_io::manifest::{Manifest, Severity};

use super::{BookReport, Report};

/// Streams listed one by one; the JSON has all.
const STREAMS_SHOWN: usize = 12;
/// Books listed one by one; the JSON has all.
const BOOKS_SHOWN: usize = 40;

/// Writing to a `String` can not fail, so results of `write!` are dropped here.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    manifest(&mut out, &report.manifest);
    events(&mut out, report);
    books(&mut out, report);
    let frames = report.frames;
    let _ = writeln!(
        out,
        "\nstrategy {} saw {} messages and sent nothing; {frames} frames in {:.2} s",
        report.strategy, report.strategy_saw, report.wall_s
    );
    out
}

fn manifest(out: &mut String, manifest: &Manifest) {
    let state = if manifest.complete { "complete" } else { "BROKEN" };
    let _ = writeln!(
        out,
        "capture  {} .. {}  {:.3} s  {state}",
        manifest.first, manifest.last, manifest.span_s
    );
    for file in &manifest.files {
        let offset = file.clock_offset_ms.map(|o| format!("  clock {:+} ms", o.median));
        let _ = writeln!(
            out,
            "  {}  {} {}  {} frames  {} snapshots{}",
            file.path,
            file.market,
            file.format,
            file.frames,
            file.snapshots,
            offset.unwrap_or_default()
        );
    }
    let _ = writeln!(out, "streams");
    for (name, count) in manifest.streams.iter().take(STREAMS_SHOWN) {
        let _ = writeln!(out, "  {count:>10}  {name}");
    }
    if manifest.streams.len() > STREAMS_SHOWN {
        let _ = writeln!(out, "  and {} more", manifest.streams.len() - STREAMS_SHOWN);
    }
    for problem in &manifest.problems {
        let label = match problem.severity {
            Severity::Broken => "BROKEN",
            Severity::Note => "note",
        };
        let _ = writeln!(out, "{label:7}  {problem}");
    }
}

fn events(out: &mut String, report: &Report) {
    let _ = writeln!(out, "events");
    for (kind, count) in &report.events {
        let _ = writeln!(out, "  {count:>10}  {kind}");
    }
    let ignored = &report.ignored;
    let left_out = [
        (ignored.control, "control answers"),
        (ignored.unknown, "event types that are not read"),
        (ignored.other_market, "rows of another market"),
        (ignored.placeholder, "trade placeholders"),
        (ignored.unknown_value, "unknown values"),
        (report.outside_universe, "of symbols outside the universe"),
        (report.malformed, "MALFORMED"),
        (report.damaged, "UNREADABLE lines or tails"),
    ];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(out, "  {count:>10}  left out: {what}");
    }
}

fn books(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "books    {:<16} {:>24} {:>24} {:>7} {:>5} {:>7}  state",
        "symbol", "bid (qty)", "ask (qty)", "levels", "gaps", "crossed"
    );
    for (key, book) in report.books.iter().take(BOOKS_SHOWN) {
        let _ = writeln!(
            out,
            "         {key:<16} {:>24} {:>24} {:>7} {:>5} {:>7}  {}",
            side(book.bid.as_ref(), book.bid_qty.as_ref()),
            side(book.ask.as_ref(), book.ask_qty.as_ref()),
            book.levels,
            book.gaps,
            book.crossed,
            state(book)
        );
    }
    if report.books.len() > BOOKS_SHOWN {
        let _ = writeln!(out, "         and {} more", report.books.len() - BOOKS_SHOWN);
    }
}

fn side(price: Option<&String>, qty: Option<&String>) -> String {
    match (price, qty) {
        (Some(price), Some(qty)) => format!("{price} ({qty})"),
        _ => "-".to_owned(),
    }
}

fn state(book: &BookReport) -> String {
    if book.synced { "synced".to_owned() } else { format!("INVALID: {}", book.state) }
}
