//! The story of one order: from the frame that gave rise to it to what it did to the position.
//!
//! The lanes tell what was asked, decided, sent and answered. What each check measured is in no lane: the
//! decisions are run again up to the order, which gives the same verdicts, with somebody looking on.

use std::collections::{BTreeMap, BTreeSet};

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::journal::View;
use fusewire_core::lane::{Decided, Decoded, Lane};
use fusewire_core::order::{OrderId, ReportKind, Source};
use fusewire_core::portfolio::Position;
use fusewire_core::sequencer::Rerun as Scope;
use fusewire_risk::{CheckLine, Watched};
use serde::Serialize;

use super::groups::Groups;
use super::header::Header;
use super::rerun::Rerun;
use super::walk::{Item, Walk};
use super::{frames, text};
use crate::export::lanes::Names;
use crate::outcome::Failure;

/// The story of one order.
#[derive(Debug, Serialize)]
pub struct Story {
    /// Its id.
    pub order_id: String,
    /// Whose it is.
    pub strategy: String,
    /// Its symbol.
    pub symbol: String,
    /// What was asked for, in order: the order itself, its amends, cancels, queries.
    pub steps: Vec<Step>,
    /// What was heard of it, in order.
    pub reports: Vec<Heard>,
    /// What was still on its way when the run ended.
    pub pending: Vec<String>,
    /// Why the checks are missing, when they could not be made again.
    pub checks_missing: Option<String>,
}

/// One thing that was asked for.
#[derive(Debug, Serialize)]
pub struct Step {
    /// The event that gave rise to it.
    pub seq: u64,
    /// Its time.
    pub ts: String,
    /// What it said.
    pub event: String,
    /// The frame that it came from; none for an event of the clock or of the venue.
    pub frame: Option<FrameText>,
    /// Who asked: the strategy, or risk itself.
    pub from: &'static str,
    /// What was asked for.
    pub action: String,
    /// What risk said.
    pub verdict: String,
    /// Each check in the order made.
    pub checks: Vec<CheckText>,
    /// What the gateway did; none when risk refused.
    pub gateway: Option<String>,
}

/// A frame.
#[derive(Clone, Debug, Serialize)]
pub struct FrameText {
    /// Its number in the feed lane.
    pub frame: u64,
    /// Recording and line.
    pub place: String,
    /// When it was received.
    pub recv: String,
    /// The frame as received, or why it can not be shown.
    pub text: String,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckText {
    /// Its name.
    pub check: &'static str,
    /// Which question of it, when it asks several.
    pub subject: &'static str,
    /// What it measured.
    pub measured: String,
    /// What it allows.
    pub limit: String,
    /// Whether it passed.
    pub passed: bool,
}

/// Something that was heard of the order.
#[derive(Debug, Serialize)]
pub struct Heard {
    /// The event.
    pub seq: u64,
    /// Its time.
    pub ts: String,
    /// What it said.
    pub text: String,
    /// What paid for a fill: the event that it names.
    pub paid_by: Option<String>,
    /// What let a conditional order into the market: the event that it names.
    pub triggered_by: Option<String>,
    /// The account's position in the symbol before and after, when it moved.
    pub position: Option<[PositionText; 2]>,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionText {
    /// Quantity, below zero when short.
    pub qty: String,
    /// Average entry price.
    pub average_price: Option<String>,
    /// Realised profit before fees.
    pub realized: String,
    /// Fees so far.
    pub fees: String,
}

/// What the lanes say of an order.
#[derive(Default)]
struct Trail {
    steps: BTreeMap<(u64, u32), Part>,
    heard: Vec<Event>,
    pending: Vec<String>,
    instrument: Option<InstrumentId>,
    /// Intents, verdicts and outcomes of one event, counted apart.
    counts: BTreeMap<(u64, u8), u32>,
}

/// A step as the lanes tell it.
#[derive(Default)]
struct Part {
    action: String,
    from: &'static str,
    verdict: String,
    gateway: Option<String>,
}

/// Tells the story of an order.
///
/// # Errors
/// No record of the journal is about it, or the journal can not be read.
pub fn tell(view: &View, header: &Header, order: OrderId) -> Result<Story, Failure> {
    let names = header.names();
    let trail = Trail::follow(view, order, &names)?;
    let Some(instrument) = trail.instrument else {
        return Err(Failure::line(format!(
            "{}: no record is about order {order}",
            view.dir.display()
        )));
    };
    let mut events: BTreeSet<u64> = trail.steps.keys().map(|(seq, _)| *seq).collect();
    events.extend(trail.heard.iter().filter_map(|event| payer(event).or(shower(event))));
    let causes = causes(view, &events)?;
    let frames = frames::texts(view, header, causes.values().map(|event| event.frame))?;
    let again = again(view, header, order, instrument, &trail);
    let (watched, moves, checks_missing) = match again {
        Ok((watched, moves)) => (watched, moves, None),
        Err(Failure(lines)) => (Vec::new(), BTreeMap::new(), Some(lines.join("; "))),
    };
    let shown = |seq: u64| causes.get(&seq).map(|event| text::event_text(event, &names));
    let step = |((seq, _), part): ((u64, u32), Part)| {
        let event = causes.get(&seq);
        let checks =
            watched.iter().find(|w| w.seq == seq && text::action(&w.action) == part.action);
        Step {
            seq,
            ts: event.map(|event| text::utc(event.ts)).unwrap_or_default(),
            event: shown(seq).unwrap_or_else(|| "the event is not in the journal".to_owned()),
            frame: event.and_then(|event| frames.get(&event.frame).cloned()),
            from: part.from,
            action: part.action,
            verdict: part.verdict,
            checks: checks.map(|w| w.lines.iter().map(check_text).collect()).unwrap_or_default(),
            gateway: part.gateway,
        }
    };
    let named = |seq: u64| {
        format!("event {seq}: {}", shown(seq).unwrap_or_else(|| "not in the journal".to_owned()))
    };
    let heard = |event: &Event| Heard {
        seq: event.seq,
        ts: text::utc(event.ts),
        text: text::body_text(&event.body),
        paid_by: payer(event).map(named),
        triggered_by: shower(event).map(named),
        position: moves.get(&event.seq).cloned(),
    };
    Ok(Story {
        order_id: order.to_string(),
        strategy: names.strategy_text(order.strategy()),
        symbol: names.symbol_text(instrument),
        reports: trail.heard.iter().map(heard).collect(),
        steps: trail.steps.into_iter().map(step).collect(),
        pending: trail.pending,
        checks_missing,
    })
}

impl Trail {
    fn follow(view: &View, order: OrderId, names: &Names) -> Result<Self, Failure> {
        let mut trail = Self::default();
        let mut walk = Walk::without_frames(view);
        while let Some(item) = walk.next()? {
            trail.take(&item, order, names);
        }
        Ok(trail)
    }

    /// The next part of this event of which this piece is not known yet.
    fn part(&mut self, seq: u64, piece: u8) -> &mut Part {
        let count = self.counts.entry((seq, piece)).or_default();
        *count += 1;
        self.steps.entry((seq, *count)).or_default()
    }

    fn take(&mut self, item: &Item<'_>, order: OrderId, names: &Names) {
        match &item.record {
            Decoded::Verdict(verdict) => {
                let (of, instrument, action, source, said) = match &verdict.outcome {
                    Decided::Approved { intent, class } => {
                        let said = format!("approved as {}", text::class_name(*class));
                        (intent.order, intent.instrument, &intent.action, Some(intent.source), said)
                    }
                    Decided::Rejected(refused) => {
                        let said = text::rejection_text(refused);
                        (refused.order, refused.instrument, &refused.action, None, said)
                    }
                };
                if of != order {
                    return;
                }
                self.instrument = Some(instrument);
                let part = self.part(item.seq, 0);
                part.action = text::action(action);
                part.verdict = said;
                part.from = match source {
                    Some(Source::Risk) => "risk",
                    Some(Source::Alpha) | None => "strategy",
                };
            }
            Decoded::Sent(sent) if sent.intent.order == order => {
                let said = text::outcome(sent);
                self.part(item.seq, 1).gateway = Some(said);
            }
            Decoded::Event(event) if event.body.order() == Some(order) => {
                self.instrument = self.instrument.or(event.instrument);
                self.heard.push(*event);
            }
            Decoded::Pending(feedback) if Body::from(feedback.body).order() == Some(order) => {
                self.pending.push(text::what(&item.record, names));
            }
            Decoded::Frame(_)
            | Decoded::Alert(_)
            | Decoded::FrameRef(_)
            | Decoded::Damaged(_)
            | Decoded::Header(_)
            | Decoded::Event(_)
            | Decoded::Pending(_)
            | Decoded::Intent(_)
            | Decoded::Sent(_)
            | Decoded::CancelAll { .. }
            | Decoded::Close(_) => {}
        }
    }
}

/// The event that paid for a fill.
fn payer(event: &Event) -> Option<u64> {
    let Body::Report(report) = &event.body else { return None };
    Some(report.payer).filter(|payer| report.kind.is_fill() && *payer > 0)
}

/// The event that showed the price which triggered a conditional order.
fn shower(event: &Event) -> Option<u64> {
    let Body::Report(report) = &event.body else { return None };
    Some(report.payer).filter(|seq| report.kind == ReportKind::Triggered && *seq > 0)
}

/// The events with these numbers.
fn causes(view: &View, wanted: &BTreeSet<u64>) -> Result<BTreeMap<u64, Event>, Failure> {
    let mut walk = Walk::without_frames(view);
    let mut found = BTreeMap::new();
    while found.len() < wanted.len() {
        let Some(item) = walk.next()? else { break };
        if let Decoded::Event(event) = item.record
            && item.lane == Lane::Event
            && wanted.contains(&event.seq)
        {
            found.insert(event.seq, event);
        }
    }
    Ok(found)
}

type Moves = BTreeMap<u64, [PositionText; 2]>;

/// Runs the decisions again up to the last record of the order: its checks, and what it did to the position.
fn again(
    view: &View,
    header: &Header,
    order: OrderId,
    instrument: InstrumentId,
    trail: &Trail,
) -> Result<(Vec<Watched>, Moves), Failure> {
    let config = header.config()?;
    let mut rerun = Rerun::new(view, header, &config, Scope::Gateway)?;
    rerun.risk_mut().watch(order);
    let last =
        trail.steps.keys().map(|(seq, _)| *seq).chain(trail.heard.iter().map(|e| e.seq)).max();
    let heard: BTreeSet<u64> = trail.heard.iter().map(|event| event.seq).collect();
    let mut moves = Moves::new();
    let mut groups = Groups::new(view);
    while let Some(group) = groups.next()? {
        if last.is_none_or(|last| group.seq() > last) {
            break;
        }
        let before = *rerun.risk().portfolio().position(instrument);
        rerun.step(&group).map_err(|divergence| {
            let lines = divergence.lines(&header.names());
            Failure::line(format!("this build decides otherwise: {}", lines.join("; ")))
        })?;
        let after = *rerun.risk().portfolio().position(instrument);
        if heard.contains(&group.seq()) && before != after {
            moves.insert(group.seq(), [before, after].map(|position| position_text(&position)));
        }
    }
    Ok((rerun.risk().watched().to_vec(), moves))
}

fn position_text(position: &Position) -> PositionText {
    PositionText {
        qty: position.qty.to_string(),
        average_price: position.average_price().map(|price| price.to_string()),
        realized: position.realized.to_string(),
        fees: position.fees.to_string(),
    }
}

fn check_text(line: &CheckLine) -> CheckText {
    CheckText {
        check: line.check.name(),
        subject: line.subject.name(),
        measured: line.measured_text(),
        limit: line.limit_text(),
        passed: line.passed,
    }
}
