//! Records for people: one line each.

use std::fmt::Write;

use fusewire_core::alert::{Alert, AlertKind};
use fusewire_core::event::{
    Body, Control, DepthBand, Event, GateBreach, OpenInterest, Origin, TouchSource,
};
use fusewire_core::kill::Level as KillLevel;
use fusewire_core::lane::{Decided, Decoded, Lane, SentRecord, VerdictRecord};
use fusewire_core::market::{Level, Side};
use fusewire_core::message::Feedback;
use fusewire_core::order::{
    AccountReason, AccountUpdate, Action, Class, Conditional, Intent, NewOrder, Rejection, Report,
    ReportKind, Status, Trigger,
};
use fusewire_core::units::{Nanos, QtySum, UsdSum, Wide};
use humantime::format_rfc3339_nanos;

use super::walk::Item;
use crate::export::lanes::Names;

/// The time in UTC.
#[must_use]
pub fn utc(at: Nanos) -> String {
    let since = std::time::Duration::from_nanos(at.0);
    format_rfc3339_nanos(std::time::SystemTime::UNIX_EPOCH + since).to_string()
}

/// One record: time, number, lane, and what it says.
#[must_use]
pub fn line(item: &Item<'_>, names: &Names) -> String {
    let ts = if item.ts == Nanos(0) { "-".to_owned() } else { utc(item.ts) };
    let (seq, lane) = (item.seq, item.lane.name());
    let number = if item.lane == Lane::Feed { format!("f{seq}") } else { seq.to_string() };
    format!("{ts} {number:>9} {lane:<7} {}", plain(&what(&item.record, names)))
}

/// What a record says.
#[must_use]
pub fn what(record: &Decoded<'_>, names: &Names) -> String {
    match record {
        Decoded::Frame(frame) => {
            let (source, line) = (names.source_text(frame.head.source), frame.head.line);
            let (bytes, market) = (frame.bytes.len(), frame.head.market);
            let url = frame.head.url.map(|url| format!(" {url}")).unwrap_or_default();
            format!("frame {source}:{line} {market}{url}, {bytes} bytes")
        }
        Decoded::FrameRef(frame) => {
            let source = names.source_text(frame.source);
            format!("frame_ref {source}:{} {}, {} bytes", frame.line, frame.market, frame.bytes)
        }
        Decoded::Damaged(damaged) => format!("damaged {}", damaged.text),
        Decoded::Header(json) => format!("header {} bytes", json.len()),
        Decoded::Event(event) => event_text(event, names),
        Decoded::Pending(pending) => format!("pending {}", feedback(pending, names)),
        Decoded::Intent(message) => format!("intent {}", intent(&message.intent, names)),
        Decoded::Verdict(verdict) => verdict_text(verdict, names),
        Decoded::Sent(sent) => sent_text(sent, names),
        Decoded::Alert(alert) => alert_text(alert),
        Decoded::CancelAll { .. } => "cancel_all at kill level 3".to_owned(),
        Decoded::Close(close) => {
            format!("close {} records, last {}", close.records, close.last)
        }
    }
}

/// An alert: what it is about, what was measured and the limit.
#[must_use]
pub fn alert_text(alert: &Alert) -> String {
    let usd = |amount: Wide| UsdSum(amount.get());
    let (name, seq) = (alert.kind.name(), alert.seq);
    let (measured, limit) = (usd(alert.measured), usd(alert.limit));
    match alert.kind {
        AlertKind::LedgerDrift => format!(
            "alert {name}: at event {seq} the ledger's wallet is {measured} USD off the venue's, limit {limit}"
        ),
        AlertKind::LedgerBlock => format!(
            "alert {name}: at event {seq} the ledger's wallet is {measured} USD off the venue's, limit {limit}: \
             new risk is refused"
        ),
    }
}

/// On one line and without what a terminal would take for a command: names, addresses and errors come from
/// outside.
fn plain(text: &str) -> String {
    let show = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.trim_end().chars().map(show).collect()
}

/// An event with its time.
#[must_use]
pub fn timed_event(event: &Event, names: &Names) -> String {
    format!("{} {}", utc(event.ts), event_text(event, names))
}

/// What an event says.
#[must_use]
pub fn event_text(event: &Event, names: &Names) -> String {
    let kind = event.body.kind().name();
    let symbol = event.instrument.map(|id| format!(" {}", names.symbol_text(id)));
    let frame = if event.frame == 0 { String::new() } else { format!("  (f{})", event.frame) };
    let body = body_text(&event.body);
    let gap = if body.is_empty() { "" } else { " " };
    format!("{kind}{}{gap}{body}{frame}", symbol.unwrap_or_default())
}

/// What the body of an event says.
#[must_use]
pub fn body_text(body: &Body) -> String {
    match body {
        Body::Touch(change) => {
            let source = match change.source {
                TouchSource::Book => "book",
                TouchSource::Ticker => "ticker",
                TouchSource::Assumed => "assumed",
            };
            let [bid, ask] =
                [change.touch.bid, change.touch.ask].map(|l| l.map_or("-".into(), level));
            format!("{bid} / {ask} {source}")
        }
        Body::Depth(depth) => {
            let micro = depth.microprice.map_or_else(|| "-".to_owned(), |price| price.to_string());
            format!("imbalance {} ppm, microprice {micro}", depth.imbalance_ppm)
        }
        Body::Levels(levels) => {
            let shown = levels.levels.iter().take(usize::from(levels.count)).copied().map(level);
            let shown = if levels.count == 0 { "none".to_owned() } else { join(shown) };
            format!("{:?} from {}: {shown}", levels.side, levels.first)
        }
        Body::Trade(trade) => {
            format!("{} {} @ {} id {}", side(trade.aggressor), trade.qty, trade.price, trade.id)
        }
        Body::Mark(mark) => {
            let assumed = match mark.origin {
                Origin::Real => "",
                Origin::Assumed => " assumed",
            };
            let funding = mark.funding_rate.map(|rate| format!(", funding {rate}"));
            format!("{}{}{assumed}", mark.price, funding.unwrap_or_default())
        }
        Body::Liquidation(forced) => {
            format!("{} {} @ {}", side(forced.side), forced.qty, forced.price)
        }
        Body::Funding(funding) => format!("{} charged", funding.rate),
        Body::OpenInterest(OpenInterest { qty, notional, .. }) => {
            let qty = qty.map(|sum| QtySum(sum.get()).to_string());
            let notional = notional.map(|sum| format!("{} USD", UsdSum(sum.get())));
            join(qty.into_iter().chain(notional))
        }
        Body::DepthBand(DepthBand { distance, qty, notional, .. }) => {
            let (qty, notional) = (QtySum(qty.get()), UsdSum(notional.get()));
            format!("{qty} and {notional} USD within {distance} bp")
        }
        Body::Bar(bar) => format!(
            "{} s: {} {} {} {}, {} trades",
            bar.interval_s, bar.open, bar.high, bar.low, bar.close, bar.trades
        ),
        Body::BookInvalid(why) => why.name().to_owned(),
        Body::Tick | Body::Gap | Body::Wake => String::new(),
        Body::Report(report) => report_text(report),
        Body::Status(status) => status_text(status),
        Body::Rejected(rejection) => rejection_text(rejection),
        Body::Control(Control::Raise(level)) => format!("raise {}", kill(*level)),
        Body::Control(Control::GateBreach(GateBreach { span, measured, budget })) => {
            format!("gate {}: {} ns, budget {} ns", span.name(), measured.0, budget.0)
        }
        Body::Control(Control::Reconcile) => "reconcile".to_owned(),
        Body::Control(Control::Transfer(amount)) => format!("transfer {amount}"),
        Body::KillLevel(level) => kill(*level),
        Body::Account(update) => account_text(update),
    }
}

/// What the venue says of the account.
#[must_use]
pub fn account_text(update: &AccountUpdate) -> String {
    let AccountUpdate { reason, total, change, wallet, qty, price, rate, .. } = update;
    if update.is_repeat() {
        return format!("{} so far {total}, wallet {wallet}", reason.name());
    }
    let on = match reason {
        AccountReason::Funding => format!(" on {qty} @ {price} at {rate}"),
        AccountReason::LiquidationFee => format!(" on {qty} @ {price}"),
        AccountReason::Insurance | AccountReason::Transfer | AccountReason::Snapshot => {
            String::new()
        }
    };
    format!("{} {change}{on}, wallet {wallet}", reason.name())
}

/// What the venue says of an order.
#[must_use]
pub fn report_text(report: &Report) -> String {
    let mut text = format!("{} {:?} {}", report.order, report.kind, side(report.side));
    // Writing to a text can not fail.
    let _ = write!(text, " {} @ {}, filled {}", report.qty, report.price, report.cum_qty);
    if report.kind.is_fill() {
        let (qty, price, payer) = (report.last_qty, report.last_price, report.payer);
        let _ = write!(text, ": {qty} @ {price} {:?}, paid by event {payer}", report.liquidity);
        let _ = write!(text, ", fees so far {}", report.cum_fee);
    }
    if report.kind == ReportKind::Triggered {
        let (price, event) = (report.last_price, report.payer);
        let _ = write!(text, ", {price} shown by event {event}");
    }
    if report.reason != fusewire_core::order::VenueReason::None {
        let _ = write!(text, " ({:?})", report.reason);
    }
    text
}

fn status_text(status: &Status) -> String {
    let Status { order, state, qty, cum_qty, .. } = status;
    format!("{order} {state:?}, {qty}, filled {cum_qty}")
}

/// A refusal: by whom, which check, what it measured and what it allows.
#[must_use]
pub fn rejection_text(rejection: &Rejection) -> String {
    let unit = rejection.unit();
    let [measured, limit] = [rejection.measured, rejection.limit].map(|n| unit.show(n.get()));
    format!(
        "{} {} refused by {:?}: {} measured {measured}, limit {limit}",
        rejection.order,
        action(&rejection.action),
        rejection.by,
        rejection.check.name()
    )
}

fn verdict_text(verdict: &VerdictRecord, names: &Names) -> String {
    match &verdict.outcome {
        Decided::Approved { intent: approved, class } => {
            format!("approved {} as {}", intent(approved, names), class_name(*class))
        }
        Decided::Rejected(rejection) => format!("rejected {}", rejection_text(rejection)),
    }
}

fn sent_text(sent: &SentRecord, names: &Names) -> String {
    format!("{} {}", outcome(sent), intent(&sent.intent, names))
}

/// What the gateway did with an approved intent.
#[must_use]
pub fn outcome(sent: &SentRecord) -> String {
    match sent.blocked_at {
        None => "sent".to_owned(),
        Some(level) => format!("blocked at {}", kill(level)),
    }
}

/// Feedback, and when it is due.
#[must_use]
pub fn feedback(feedback: &Feedback, names: &Names) -> String {
    let body = Body::from(feedback.body);
    let symbol = feedback.instrument.map(|id| format!(" {}", names.symbol_text(id)));
    let (kind, due) = (body.kind().name(), utc(feedback.due));
    let shown = body_text(&body);
    let gap = if shown.is_empty() { "" } else { " " };
    format!("{kind}{}{gap}{shown}, due {due}", symbol.unwrap_or_default())
}

/// An intent: whose, which order, and what to do.
#[must_use]
pub fn intent(intent: &Intent, names: &Names) -> String {
    let (strategy, symbol) =
        (names.strategy_text(intent.order.strategy()), names.symbol_text(intent.instrument));
    format!("{} {strategy} {symbol} {}", intent.order, action(&intent.action))
}

/// What an intent wants done.
#[must_use]
pub fn action(action: &Action) -> String {
    match action {
        Action::New(new) => format!("new {}", new_order(new)),
        Action::Conditional(Conditional { order, trigger }) => {
            format!("conditional {} {}", new_order(order), trigger_text(trigger))
        }
        Action::Amend { price, qty } => format!("amend to {qty} @ {price}"),
        Action::Cancel => "cancel".to_owned(),
        Action::Query => "query".to_owned(),
    }
}

fn new_order(new: &NewOrder) -> String {
    let NewOrder { side: way, price, qty, tif, reduce_only } = new;
    let reduce = if *reduce_only { " reduce-only" } else { "" };
    let tif = format!("{tif:?}").to_lowercase();
    format!("{} {qty} @ {price} {tif}{reduce}", side(*way))
}

fn trigger_text(trigger: &Trigger) -> String {
    let Trigger { kind, by, price, callback, close_position } = trigger;
    let close = if *close_position { " closing the position" } else { "" };
    let (kind, by) = (kind.name().replace('_', " "), by.name());
    if callback.0 == 0 {
        return format!("{kind} at {by} {price}{close}");
    }
    let from = if price.0 == 0 { "now".to_owned() } else { format!("{by} {price}") };
    format!("{kind} {callback} of {by} from {from}{close}")
}

/// The name of a class.
#[must_use]
pub const fn class_name(class: Class) -> &'static str {
    match class {
        Class::NewRisk => "new risk",
        Class::Reduce => "reduce",
        Class::HaltReduce => "reduce of the halt",
        Class::Cancel => "cancel",
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn kill(level: KillLevel) -> String {
    let name = match level {
        KillLevel::Run => "run",
        KillLevel::NoNewRisk => "no new risk",
        KillLevel::Halt => "halt",
        KillLevel::Dead => "dead",
    };
    format!("kill level {} ({name})", level as u8)
}

fn level(level: Level) -> String {
    format!("{} x {}", level.price, level.qty)
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_it_quotes() {
        assert_eq!(plain("a\tb\u{1b}[2J 币 \n c \n "), "a\\tb\\u{1b}[2J 币 \\n c");
    }
}
