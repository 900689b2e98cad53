//! The report as text.

use std::fmt::Write;

use fusewire_io::manifest::{Manifest, Severity};

use super::{Attribution, BookReport, ClosedReport, LedgerReport, Pnl, Report, data, kpi};
use crate::credibility::Credibility;
use crate::latency;

/// Streams listed one by one; the JSON has all.
const STREAMS_SHOWN: usize = 12;
/// Books listed one by one; the JSON has all.
const BOOKS_SHOWN: usize = 40;

/// Writing to a `String` can not fail, so results of `write!` are dropped here.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    credibility(&mut out, &report.credibility);
    manifest(&mut out, &report.manifest);
    events(&mut out, report);
    books(&mut out, report);
    latencies(&mut out, report);
    trading(&mut out, report);
    out
}

/// What is not to be believed comes first, and what nobody could tell is not passed over.
fn credibility(out: &mut String, credibility: &Credibility) {
    for stamp in credibility.stamps() {
        let _ = writeln!(out, "{stamp}");
    }
    if !credibility.credible {
        return;
    }
    let count = |outcome| credibility.count(outcome);
    let _ = write!(
        out,
        "credible {} checks passed, {} had nothing to look at, {} could not be made",
        count("passed"),
        count("idle"),
        count("unknown")
    );
    let unknown = credibility.checks.iter().filter(|(_, check)| check.outcome == "unknown");
    let names: Vec<&str> = unknown.map(|(name, _)| *name).collect();
    if !names.is_empty() {
        let _ = write!(out, " ({})", names.join(", "));
    }
    let note = credibility.note.as_deref().map(|note| format!("; {note}"));
    let _ = writeln!(out, "{}", note.unwrap_or_default());
}

/// Latencies of the stages, and the budgets that were not kept.
fn latencies(out: &mut String, report: &Report) {
    out.push_str(&latency::table(&report.latency_ns));
    for (stage, gate) in report.gates.iter().filter(|(_, gate)| gate.breaches > 0) {
        let _ = writeln!(
            out,
            "gate     {stage}: p99 above its budget of {} ns in {} windows",
            gate.budget_ns, gate.breaches
        );
    }
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
    for (kind, count) in &report.trading.events {
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
        (report.oversized, "with more levels than ring.levels"),
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

fn trading(out: &mut String, report: &Report) {
    let t = &report.trading;
    let _ = writeln!(out, "assumed");
    for (what, text) in &t.assumptions {
        let _ = writeln!(out, "  {what:>10}  {text}");
    }
    data::text(out, &t.data);
    let _ = writeln!(
        out,
        "orders   {} intents ({} of risk itself), {} approved under profile '{}', {} orders sent \
         ({} bytes encoded), {} fills, {} open, {} reports pending, kill level {}",
        t.intents,
        t.intents_of_risk,
        t.approved,
        t.profile,
        t.orders,
        t.wire_bytes,
        t.fills,
        t.open_orders,
        t.pending,
        t.kill_level
    );
    if t.warm_up_s > 0 {
        let _ = writeln!(out, "  warm-up: nothing was sent in the first {} s", t.warm_up_s);
    }
    for (name, count) in &t.foreign_bars {
        let _ =
            writeln!(out, "  {count:>10}  bars of another length than {name} follows, passed over");
    }
    for (why, count) in &t.refused {
        let _ = writeln!(out, "  {count:>10}  not taken: {why}");
    }
    for (check, count) in &t.rejected {
        let _ = writeln!(out, "  {count:>10}  rejected by {check}");
    }
    let _ = writeln!(
        out,
        "profit   {:<16} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}  position",
        "", "realized", "unrealized", "fees", "funding", "total", "slippage"
    );
    for (key, position) in &t.positions {
        let average = position.average_price.as_deref().unwrap_or("-");
        let held = format!("{} at {average}", position.qty);
        pnl(out, key, &position.pnl, &held);
    }
    for (name, part) in t.by_strategy.iter().filter(|_| t.by_strategy.len() > 2) {
        pnl(out, name, part, "");
    }
    pnl(out, "account", &t.pnl, "");
    let known = |number: &Option<String>| number.clone().unwrap_or_else(|| "unknown".to_owned());
    let _ = writeln!(
        out,
        "account  equity {}, notional {}, leverage {}, margin ratio {}",
        known(&t.account.equity),
        known(&t.account.notional),
        known(&t.account.leverage),
        known(&t.account.margin_ratio)
    );
    attribution(out, &t.attribution);
    ledger(out, &t.ledger);
    kpi::text(out, &report.kpi);
    let all = t.digest.get("all").map_or("-", String::as_str);
    let _ = writeln!(
        out,
        "\nstrategy {}, seed {}: {} frames, {} events in {:.2} s, digest {all}",
        report.strategy, report.seed, report.frames, t.events_total, report.wall_s
    );
}

/// Where the profit came from, and what trading cost.
fn attribution(out: &mut String, a: &Attribution) {
    let alpha = a.alpha.as_deref().map_or_else(|| "unknown".to_owned(), cents);
    let _ = write!(
        out,
        "causes   at the mids of decisions {alpha}, slippage of makers {}, of takers {}",
        cents(&a.slippage_maker),
        cents(&a.slippage_taker)
    );
    if a.mids_unknown > 0 {
        let _ = write!(out, " ({} fills without a mid)", a.mids_unknown);
    }
    let _ = write!(out, "; turnover {} ({} x balance)", cents(&a.turnover), a.turnover_of_balance);
    let share = a.fees_of_gross.as_ref().map(|share| format!(", fees {share} of gross profit"));
    let _ = writeln!(out, "{}", share.unwrap_or_default());
}

/// The books: lines that are not in the table above, exits, and whether the venue agrees.
fn ledger(out: &mut String, ledger: &LedgerReport) {
    let LedgerReport { wallet, venue_wallet, incident, alerts, .. } = ledger;
    let _ = write!(out, "ledger   wallet {}, venue {}", cents(wallet), cents(venue_wallet));
    if incident != "0" {
        let _ = write!(out, ", of incidents {}", cents(incident));
    }
    for (name, sum) in &ledger.postings {
        let _ = write!(out, ", {name} {}", cents(sum));
    }
    let _ = writeln!(out);
    if let Some(rate) = &ledger.closed.win_rate {
        let ClosedReport { count, wins, .. } = &ledger.closed;
        let _ = writeln!(out, "         {wins} of {count} closed positions won: {rate}");
    }
    for (path, exits) in &ledger.exits {
        let _ = writeln!(
            out,
            "         {} closed by {path}: {} won, realized {}, MAE {} bp, MFE {} bp on average",
            exits.count,
            exits.wins,
            cents(&exits.realized),
            exits.mae_bp,
            exits.mfe_bp
        );
    }
    if let Some(drift) = &ledger.drift {
        let counts = ledger.reconciled.iter().map(|(outcome, n)| format!("{n} {outcome}"));
        let counts: Vec<_> = counts.collect();
        let _ = writeln!(
            out,
            "         compared with the venue: {}, last {} apart, {alerts} alerts",
            counts.join(", "),
            cents(drift)
        );
    }
}

fn pnl(out: &mut String, name: &str, pnl: &Pnl, held: &str) {
    let unknown = || "unknown".to_owned();
    let line = format!(
        "         {name:<16} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}  {held}",
        cents(&pnl.realized),
        pnl.unrealized.as_deref().map_or_else(unknown, cents),
        cents(&pnl.fees),
        cents(&pnl.funding),
        pnl.total.as_deref().map_or_else(unknown, cents),
        cents(&pnl.slippage),
    );
    let _ = writeln!(out, "{}", line.trim_end());
}

/// An amount cut to four decimals for the eye; the JSON has all of them.
pub(super) fn cents(amount: &str) -> String {
    match amount.split_once('.') {
        Some((whole, places)) => format!("{whole}.{places:0<4.4}"),
        None => format!("{amount}.0000"),
    }
}
