//! The figures of a ledger for people.

use fusewire_risk::ledger::PostingKind;

use super::figures::{
    ClosedFigures, Figures, OpenFigures, Part, ReconciliationFigures, TradeFigures,
};

/// The whole report.
#[must_use]
pub fn render(figures: &Figures) -> String {
    let Figures { journal, watermark, account, .. } = figures;
    let none = || "not known: a mark is missing".to_owned();
    let mut text = format!(
        "journal {}  session {}  {}  {}, build {}\n",
        journal.id,
        journal.session,
        journal.strategies.join(","),
        journal.profile,
        journal.build
    );
    text +=
        &format!("up to event {} at {}, {} rows\n\n", watermark.seq, watermark.ts, watermark.rows);
    text += &format!("opening balance  {:>18} USDT\n", account.opening);
    text += &format!("wallet           {:>18}\n", account.wallet);
    let unrealized = account.unrealized.clone().unwrap_or_else(none);
    text += &format!("unrealized       {unrealized:>18}\n");
    text += &format!("equity           {:>18}\n\n", account.equity.clone().unwrap_or_else(none));
    text += "where it came from             amount    of it incident\n";
    for name in kinds() {
        let (all, incident) = (&figures.pnl[name], &figures.incident[name]);
        text += &format!("{name:<18} {all:>18} {incident:>17}\n");
    }
    text += &parts(&figures.by);
    text += &open(&figures.open);
    text += &listed("closed positions", &figures.closed, closed);
    if let Some(rate) = &figures.win_rate {
        text += &format!("{} of {} won: {rate}\n", figures.wins, figures.closed.count);
    }
    text += &listed("trades", &figures.trades, trade);
    text += &format!("volume {} USDT\n", figures.volume);
    text += &listed("reconciliations", &figures.reconciliations, reconciliation);
    for (outcome, count) in &figures.outcomes {
        text += &format!("{outcome} {count}\n");
    }
    text
}

/// The kinds of a split in the order in which people read them.
fn kinds() -> impl Iterator<Item = &'static str> {
    let kinds = PostingKind::ALL.into_iter().filter(|kind| *kind != PostingKind::Wallet);
    kinds.map(PostingKind::name).chain(["net"])
}

fn parts(parts: &[Part]) -> String {
    let mut text = "\nby strategy, symbol and leg\n".to_owned();
    for part in parts {
        let strategy = part.strategy.as_deref().unwrap_or("account");
        let symbol = part.symbol.as_deref().unwrap_or("-");
        text += &format!("{strategy} {symbol} {}:", part.leg);
        // What is zero says nothing.
        for name in kinds().filter(|name| part.pnl[name] != "0" || *name == "net") {
            text += &format!(" {name} {}", part.pnl[name]);
        }
        if part.incident != "0" {
            text += &format!(" (incident {})", part.incident);
        }
        text.push('\n');
    }
    text
}

fn open(open: &[OpenFigures]) -> String {
    let mut text = format!("\nopen positions: {}\n", open.len());
    for one in open {
        let unknown = || "?".to_owned();
        text += &format!(
            "{} {} {}: {} for {}, mark {}, unrealized {}, since {} (event {}), worst {} bp, best {} bp\n",
            one.strategy,
            one.symbol,
            one.leg,
            one.qty,
            one.cost,
            one.mark.clone().unwrap_or_else(unknown),
            one.unrealized.clone().unwrap_or_else(unknown),
            one.entry,
            one.entry_seq,
            one.max_adverse_bps,
            one.max_favorable_bps
        );
    }
    text
}

fn listed<T>(
    what: &str,
    listed: &super::figures::Listed<T>,
    line: impl Fn(&T) -> String,
) -> String {
    let shown = listed.last.len();
    let mut text = format!("\n{what}: {}", listed.count);
    if u64::try_from(shown).is_ok_and(|shown| shown < listed.count) {
        text += &format!(", the last {shown} (-n all shows more)");
    }
    text.push('\n');
    text.extend(listed.last.iter().map(|one| line(one) + "\n"));
    text
}

fn incident(is_one: bool) -> &'static str {
    if is_one { ", incident" } else { "" }
}

fn closed(one: &ClosedFigures) -> String {
    let slippage = one.slippage_bps.as_deref().unwrap_or("?");
    format!(
        "{:>5} {} {} {} {} {} of {} at {} -> {} at {}, {}: realized {}, fees {}, funding {}, worst {} bp, \
         best {} bp, slippage {slippage} bp{}",
        one.n,
        one.strategy,
        one.symbol,
        one.leg,
        one.side,
        one.qty,
        one.entry,
        one.entry_price,
        one.exit,
        one.exit_price,
        one.exit_path,
        one.realized,
        one.fees,
        one.funding,
        one.max_adverse_bps,
        one.max_favorable_bps,
        incident(one.incident)
    )
}

fn trade(one: &TradeFigures) -> String {
    format!(
        "{} {:>9} {} {} {} {} {} {} for {}, fee {} ({}), realized {}, paid by {}{}",
        one.ts,
        one.seq,
        one.order_id,
        one.strategy,
        one.symbol,
        one.leg,
        one.side,
        one.qty,
        one.quote,
        one.fee,
        one.liquidity,
        one.realized,
        one.payer_seq,
        incident(one.incident)
    )
}

fn reconciliation(one: &ReconciliationFigures) -> String {
    format!(
        "{} {:>9} ledger {} venue {} drift {}: {}",
        one.ts, one.seq, one.ledger, one.venue, one.drift, one.outcome
    )
}
