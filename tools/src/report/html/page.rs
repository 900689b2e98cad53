//! The page, section by section.

use std::fmt::Write;

use super::figures::{Figures, head, token};
use super::{charts, escape};
use crate::report::{Report, Series};

/// Fields of profit, as the JSON names them.
const PNL: [&str; 6] = ["realized", "unrealized", "fees", "funding", "total", "slippage"];
/// Fields of positions that ended in one way.
const EXITS: [&str; 8] = [
    "count",
    "wins",
    "win_rate/share",
    "win_rate/low",
    "win_rate/high",
    "realized",
    "mae_bp",
    "mfe_bp",
];
/// Fields of a latency.
const LATENCY: [&str; 6] = ["p50", "p90", "p99", "p99.9", "max", "count"];

/// The whole document.
pub(super) fn page(report: &Report, figures: &Figures, series: &Series, config: &str) -> String {
    let mut out =
        String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
    // Without an icon of its own a browser would ask for one.
    out.push_str("<link rel=\"icon\" href=\"data:,\">\n");
    let _ = writeln!(out, "<title>Fusewire: {}</title>", escape(&report.strategy));
    let _ = writeln!(out, "<style>\n{}</style></head><body>", include_str!("style.css"));
    headline(&mut out, report, figures);
    tiles(&mut out, figures);
    section(&mut out, "Equity", &charts::equity(series));
    let _ = write!(out, "<h3>Drawdown</h3>\n{}", charts::drawdown(series));
    curves(&mut out, report, figures);
    profit(&mut out, figures);
    closed(&mut out, figures, series);
    fills(&mut out, series);
    checks(&mut out, figures);
    key_figures(&mut out, figures);
    orders(&mut out, figures);
    kill_log(&mut out, figures);
    section(&mut out, "Latency, ns", &figures.table("/latency_ns", "stage", &LATENCY));
    let assumed = figures.keys("/assumptions");
    section(&mut out, "Assumed", &rows(figures, "/assumptions", &assumed));
    let all = format!("<div class=\"box wide\">{}</div>\n", figures.all());
    section(&mut out, "All figures, as in the JSON report", &all);
    let config = format!("<div class=\"box\"><pre>{}</pre></div>\n", escape(config));
    section(&mut out, "Configuration", &config);
    out + "</body></html>\n"
}

fn section(out: &mut String, title: &str, body: &str) {
    let _ = write!(out, "<h2>{}</h2>\n{body}", escape(title));
}

/// A table of names and values.
fn rows(figures: &Figures, pointer: &str, keys: &[&str]) -> String {
    let mut out = "<table class=\"wide\"><tbody>\n".to_owned();
    for key in keys {
        let value = figures.at(&format!("{pointer}/{}", token(key)));
        let _ =
            writeln!(out, "<tr><th>{}</th><td>{value}</td></tr>", escape(&key.replace('_', " ")));
    }
    out + "</tbody></table>\n"
}

fn headline(out: &mut String, report: &Report, figures: &Figures) {
    let _ = writeln!(
        out,
        "<h1>{}, seed {}: {} to {}</h1>",
        figures.at("/strategy"),
        figures.at("/seed"),
        figures.at("/manifest/first"),
        figures.at("/manifest/last")
    );
    let verdict = &report.credibility;
    if verdict.credible {
        let count = |outcome| verdict.count(outcome);
        let _ = writeln!(
            out,
            "<div class=\"verdict yes\">Credible: {} checks passed, {} had nothing to look at, {} could not be made</div>",
            count("passed"),
            count("idle"),
            count("unknown")
        );
    } else {
        let stamps: Vec<String> = verdict.stamps().map(|stamp| escape(&stamp)).collect();
        let _ = writeln!(out, "<div class=\"verdict no\">{}</div>", stamps.join("<br>\n"));
    }
    if let Some(note) = &verdict.note {
        let _ = writeln!(out, "<p>{}</p>", escape(note));
    }
}

/// The figures that people look for first.
fn tiles(out: &mut String, figures: &Figures) {
    out.push_str("<div class=\"tiles\">\n");
    for (name, pointer) in [
        ("net profit, USDT", "/pnl/total"),
        ("equity, USDT", "/account/equity"),
        ("deepest drawdown, USDT", "/curves/drawdown_max"),
        ("turnover, USDT", "/attribution/turnover"),
        ("closed positions", "/ledger/closed/count"),
        ("win rate", "/ledger/closed/win_rate/share"),
        ("its 95 % interval, from", "/ledger/closed/win_rate/low"),
        ("to", "/ledger/closed/win_rate/high"),
    ] {
        let _ = writeln!(out, "<div class=\"tile\"><b>{name}</b>{}</div>", figures.at(pointer));
    }
    out.push_str("</div>\n");
}

fn curves(out: &mut String, report: &Report, figures: &Figures) {
    let _ = writeln!(
        out,
        "<p>Looked at {} times, at each mark and whenever money moved: lowest {}, highest {}, last {} USDT. Deepest \
         drawdown {} USDT, {} of the highest value before it, at {}. Each span of a curve keeps its lowest and \
         highest value.</p>",
        figures.at("/curves/looks"),
        figures.at("/curves/equity_low"),
        figures.at("/curves/equity_high"),
        figures.at("/curves/equity_last"),
        figures.at("/curves/drawdown_max"),
        figures.at("/curves/drawdown_max_share"),
        figures.at("/curves/drawdown_at")
    );
    if report.curves.as_ref().is_some_and(|curves| curves.transfers > 0) {
        let _ = writeln!(
            out,
            "<p>Money that was put in or taken out is left out of both curves and of these figures, as it is no gain and \
             no fall: {} times, {} USDT in all.</p>",
            figures.at("/curves/transfers"),
            figures.at("/curves/transferred")
        );
    }
}

fn profit(out: &mut String, figures: &Figures) {
    section(out, "Profit by cause, USDT", "");
    let mut table = head(&[&[""], &PNL[..]].concat());
    figures.row(&mut table, "account", "/pnl", &PNL);
    for (part, below) in [("/by_strategy", ""), ("/positions", "/pnl")] {
        for key in figures.keys(part) {
            figures.row(&mut table, &escape(key), &format!("{part}/{}{below}", token(key)), &PNL);
        }
    }
    let _ = writeln!(out, "{table}</tbody></table>");
    let keys = figures.keys("/attribution");
    out.push_str(&rows(figures, "/attribution", &keys));
    out.push_str(
        "<p>total = realized + unrealized + funding - fees. Slippage is a part of realized and unrealized: what fills \
         cost beyond the mid at which their order was decided. alpha is what they would have made at those mids.</p>\n",
    );
}

fn closed(out: &mut String, figures: &Figures, series: &Series) {
    section(out, "Closed positions", "");
    let mut table = head(&[&["ended by"], &EXITS[..]].concat());
    figures.row(&mut table, "all", "/ledger/closed", &EXITS[..5]);
    for key in figures.keys("/ledger/exits") {
        figures.row(&mut table, &escape(key), &format!("/ledger/exits/{key}"), &EXITS);
    }
    let _ = write!(out, "{table}</tbody></table>\n{}", charts::excursions(series));
    shown(out, series.closed.kept().len(), series.closed.count(), "closed positions");
}

fn fills(out: &mut String, series: &Series) {
    section(out, "Fills", "");
    for (number, symbol) in series.symbols.iter().enumerate() {
        let _ = writeln!(out, "<h3>{}</h3>", escape(&symbol.key));
        out.push_str(&charts::prices(number, symbol, series.span));
        shown(out, symbol.fills.kept().len(), symbol.fills.count(), "fills");
    }
    if series.symbols.is_empty() {
        out.push_str("<p>No fills.</p>\n");
    }
}

fn shown(out: &mut String, shown: usize, all: u64, what: &str) {
    let _ = writeln!(out, "<p>{shown} of {all} {what} shown.</p>");
}

fn checks(out: &mut String, figures: &Figures) {
    section(out, "Is it to be believed?", "<table class=\"wide\"><tbody>\n");
    for key in figures.keys("/credibility/checks") {
        let of = |field| figures.at(&format!("/credibility/checks/{key}/{field}"));
        let (outcome, note) = (of("outcome"), of("note"));
        let _ = writeln!(out, "<tr><th>{}</th><td>{outcome}</td><td>{note}</td></tr>", escape(key));
    }
    out.push_str("</tbody></table>\n");
}

fn key_figures(out: &mut String, figures: &Figures) {
    section(out, "Key figures", "<table class=\"wide\"><tbody>\n");
    for (name, pointer) in [
        ("Sharpe ratio of the last 30 whole days", "/kpi/sharpe_30d/last"),
        ("its lowest", "/kpi/sharpe_30d/low"),
        ("its highest", "/kpi/sharpe_30d/high"),
        ("whole days so far, of 30 that it takes", "/kpi/sharpe_30d/days"),
        ("largest drawdown, USDT", "/kpi/drawdown_max"),
        ("as a share of its peak", "/kpi/drawdown_max_share"),
        ("share of verdicts that rejected", "/kpi/veto_rate"),
        ("total if taking had cost 1 bp more, USDT", "/kpi/slippage_sensitivity/total/1"),
        ("2 bp more", "/kpi/slippage_sensitivity/total/2"),
        ("5 bp more", "/kpi/slippage_sensitivity/total/5"),
        ("bp more that bring it to zero", "/kpi/slippage_sensitivity/break_even_bp"),
        ("share of the time in which new risk was allowed", "/kpi/uptime"),
        ("share of the capture outside of gaps", "/kpi/data_completeness"),
        ("intents on bars", "/kpi/bar_close_to_decision_ms/count"),
        ("half of them so late behind the close, ms", "/kpi/bar_close_to_decision_ms/p50"),
        ("the latest, ms", "/kpi/bar_close_to_decision_ms/max"),
    ] {
        let _ = writeln!(out, "<tr><th>{name}</th><td>{}</td></tr>", figures.at(pointer));
    }
    out.push_str("</tbody></table>\n");
}

fn orders(out: &mut String, figures: &Figures) {
    let keys = ["intents", "approved", "orders", "fills", "open_orders", "pending", "kill_level"];
    section(out, "Orders", &rows(figures, "", &keys));
    let rejected = figures.keys("/rejected");
    if !rejected.is_empty() {
        let _ =
            write!(out, "<p>Rejected, by check:</p>\n{}", rows(figures, "/rejected", &rejected));
    }
}

fn kill_log(out: &mut String, figures: &Figures) {
    section(out, "Kill switch", "");
    let count = figures.len("/curves/kill_log");
    if count == 0 {
        out.push_str("<p>It was never raised.</p>\n");
        return;
    }
    out.push_str("<table class=\"wide\"><tbody>\n");
    for entry in 0..count {
        let of = |field| figures.at(&format!("/curves/kill_log/{entry}/{field}"));
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            of("at"),
            of("seq"),
            of("what")
        );
    }
    out.push_str("</tbody></table>\n");
}
