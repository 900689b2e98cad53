//! Which records of a journal are wanted.

use std::str::FromStr;

use fusewire_core::event::{Body, EventKind};
use fusewire_core::instrument::InstrumentId;
use fusewire_core::lane::{Decided, Decoded, Lane, RecordKind};
use fusewire_core::order::{Intent, OrderId, StrategyId};

use crate::export::lanes::Names;
use crate::journal::order_id::parse_order_id;
use crate::journal::walk::Item;
use crate::outcome::Failure;

/// Which records.
#[derive(clap::Args, Default)]
pub(super) struct Wanted {
    /// Events from FIRST to LAST, both included: `100..200`, `100..`, `..200` or `150`. With `--stage feed`:
    /// frames.
    #[arg(long, value_name = "FIRST..LAST")]
    seq: Option<Range>,
    /// Times from FROM to TO, both included, in UTC or in ns since 1970:
    /// `2026-01-05T00:00:10Z..2026-01-05T00:00:20Z`.
    #[arg(long, value_name = "FROM..TO")]
    time: Option<Range>,
    /// Report keys of symbols.
    #[arg(long, value_name = "KEY,..", value_delimiter = ',')]
    symbol: Vec<String>,
    /// Stages: feed, event, alpha, risk, gateway.
    #[arg(long, value_name = "STAGE,..", value_delimiter = ',')]
    stage: Vec<String>,
    /// Kinds of events (Touch, Trade, Report, ...) or of records (event, intent, verdict, sent, ...).
    #[arg(long, value_name = "KIND,..", value_delimiter = ',')]
    kind: Vec<String>,
    /// Names of strategies, or `risk`.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    strategy: Vec<String>,
    /// Order ids, as they are printed (1-0-17) or as a number.
    #[arg(long, value_name = "ID,..", value_delimiter = ',')]
    order: Vec<String>,
}

/// A range of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
}

impl Range {
    fn contains(self, number: u64) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => {
                let last = last.strip_prefix('=').unwrap_or(last);
                let first = if first.is_empty() { 0 } else { number(first)? };
                (first, if last.is_empty() { u64::MAX } else { number(last)? })
            }
            None => (number(text)?, number(text)?),
        };
        if first > last {
            return Err(format!("{first} is behind {last}"));
        }
        Ok(Self { first, last })
    }
}

/// A plain number, or a time as ns since 1970.
fn number(text: &str) -> Result<u64, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let at = humantime::parse_rfc3339_weak(text).map_err(|_| {
        format!("'{text}' is neither a number nor a time like 2026-01-05T00:00:10Z")
    })?;
    let since = at.duration_since(std::time::SystemTime::UNIX_EPOCH).map_err(|e| e.to_string())?;
    u64::try_from(since.as_nanos()).map_err(|error| error.to_string())
}

/// What was asked for, in numbers.
pub(super) struct Filter {
    seq: Option<Range>,
    time: Option<Range>,
    symbols: Vec<InstrumentId>,
    stages: Vec<Lane>,
    kinds: Vec<Kind>,
    strategies: Vec<StrategyId>,
    orders: Vec<OrderId>,
}

/// A kind that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Event(EventKind),
    Record(RecordKind),
}

impl Kind {
    /// All of them. Their names differ, whatever their case.
    fn all() -> impl Iterator<Item = Self> {
        let records = RecordKind::ALL.into_iter().map(Self::Record);
        EventKind::ALL.into_iter().map(Self::Event).chain(records)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Record(kind) => kind.name(),
        }
    }

    /// Reads a name in any case.
    fn look_up(name: &str) -> Result<Self, Failure> {
        Self::all().find(|kind| kind.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::name).collect();
            Failure::line(format!("unknown kind '{name}': there are {}", known.join(", ")))
        })
    }
}

impl Filter {
    /// Looks the names up.
    ///
    /// # Errors
    /// A name that this journal does not have, with those that it has.
    pub(super) fn new(args: &Wanted, names: &Names) -> Result<Self, Failure> {
        let symbols = look_up("symbol", &args.symbol, &names.symbols)?;
        let symbols = symbols.into_iter().map(|at| u16::try_from(at).map(InstrumentId));
        let mut known = names.strategies.clone();
        known.push("risk".to_owned());
        let strategies = look_up("strategy", &args.strategy, &known)?.into_iter().map(|at| {
            let seat = u8::try_from(at).ok().filter(|_| at < names.strategies.len());
            seat.map_or(StrategyId::RISK, StrategyId)
        });
        let stages = Lane::ALL.map(|lane| lane.name().to_owned());
        let stages = look_up("stage", &args.stage, &stages)?.into_iter().map(|at| Lane::ALL[at]);
        let kinds = args.kind.iter().map(|kind| Kind::look_up(kind));
        let orders = args.order.iter().map(|text| parse_order_id(text).map_err(Failure::line));
        Ok(Self {
            seq: args.seq,
            time: args.time,
            symbols: symbols.collect::<Result<_, _>>().map_err(Failure::line)?,
            stages: stages.collect(),
            kinds: kinds.collect::<Result<_, _>>()?,
            strategies: strategies.collect(),
            orders: orders.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a record is wanted.
    pub(super) fn takes(&self, item: &Item<'_>) -> bool {
        let facts = Facts::of(&item.record);
        let any = |wanted: &[OrderId]| facts.order.is_some_and(|order| wanted.contains(&order));
        self.takes_place(item)
            && self.time.is_none_or(|range| range.contains(item.ts.0))
            && (self.symbols.is_empty() || facts.symbol.is_some_and(|s| self.symbols.contains(&s)))
            && (self.kinds.is_empty() || facts.is_of(&self.kinds))
            && (self.strategies.is_empty()
                || facts.order.is_some_and(|order| self.strategies.contains(&order.strategy())))
            && (self.orders.is_empty() || any(&self.orders))
    }

    /// Stage and number. Frames have numbers of their own: a range of events leaves them out.
    fn takes_place(&self, item: &Item<'_>) -> bool {
        let by_stage = self.stages.contains(&item.lane);
        let stage = self.stages.is_empty() || by_stage;
        let counted = item.lane != Lane::Feed || by_stage;
        stage && self.seq.is_none_or(|range| counted && range.contains(item.seq))
    }

    /// What tells that nothing more can be wanted.
    pub(super) fn past(&self) -> Past {
        // Frames and events are numbered apart, and a frame that gave no event comes late.
        let frames =
            self.stages.contains(&Lane::Feed) || (self.stages.is_empty() && self.seq.is_none());
        Past { frames: !frames, events: false }
    }

    /// Whether neither this record nor any behind it is wanted.
    pub(super) fn is_past(&self, item: &Item<'_>, past: &mut Past) -> bool {
        let beyond = |range: Option<Range>, number: u64| range.is_some_and(|r| number > r.last);
        let by_seq = beyond(self.seq, item.seq);
        match item.lane {
            // Clocks of recorders step back, so that the time of a frame says nothing of those behind it.
            Lane::Feed => past.frames |= by_seq,
            Lane::Event | Lane::Alpha | Lane::Risk | Lane::Gateway => {
                past.events |= by_seq || beyond(self.time, item.ts.0);
            }
        }
        past.frames && past.events
    }
}

/// Of what a record beyond all ranges was seen.
pub(super) struct Past {
    frames: bool,
    events: bool,
}

fn look_up(what: &str, asked: &[String], known: &[String]) -> Result<Vec<usize>, Failure> {
    let find = |name: &String| {
        known.iter().position(|known| known == name).ok_or_else(|| {
            Failure::line(format!("unknown {what} '{name}': there are {}", known.join(", ")))
        })
    };
    asked.iter().map(find).collect()
}

/// What a record is about.
struct Facts {
    kind: RecordKind,
    event: Option<EventKind>,
    symbol: Option<InstrumentId>,
    order: Option<OrderId>,
}

impl Facts {
    fn of(record: &Decoded<'_>) -> Self {
        let kind = kind_of(record);
        let bare = Self { kind, event: None, symbol: None, order: None };
        let about = |symbol, order| Self { kind, event: None, symbol, order };
        let by_intent = |intent: &Intent| about(Some(intent.instrument), Some(intent.order));
        match record {
            Decoded::Frame(_)
            | Decoded::FrameRef(_)
            | Decoded::Damaged(_)
            | Decoded::Header(_)
            | Decoded::CancelAll { .. }
            | Decoded::Alert(_)
            | Decoded::Close(_) => bare,
            Decoded::Event(event) => Self {
                event: Some(event.body.kind()),
                ..about(event.instrument, event.body.order())
            },
            Decoded::Pending(feedback) => {
                about(feedback.instrument, Body::from(feedback.body).order())
            }
            Decoded::Intent(message) => by_intent(&message.intent),
            Decoded::Sent(sent) => by_intent(&sent.intent),
            Decoded::Verdict(verdict) => match &verdict.outcome {
                Decided::Approved { intent, .. } => by_intent(intent),
                Decided::Rejected(refused) => about(Some(refused.instrument), Some(refused.order)),
            },
        }
    }

    fn is_of(&self, kinds: &[Kind]) -> bool {
        let event = self.event.is_some_and(|kind| kinds.contains(&Kind::Event(kind)));
        event || kinds.contains(&Kind::Record(self.kind))
    }
}

/// The kind of a record.
pub(super) const fn kind_of(record: &Decoded<'_>) -> RecordKind {
    match record {
        Decoded::Frame(_) => RecordKind::Frame,
        Decoded::FrameRef(_) => RecordKind::FrameRef,
        Decoded::Damaged(_) => RecordKind::Damaged,
        Decoded::Header(_) => RecordKind::Header,
        Decoded::Event(_) => RecordKind::Event,
        Decoded::Pending(_) => RecordKind::Pending,
        Decoded::Intent(_) => RecordKind::Intent,
        Decoded::Verdict(_) => RecordKind::Verdict,
        Decoded::Alert(_) => RecordKind::Alert,
        Decoded::Sent(_) => RecordKind::Sent,
        Decoded::CancelAll { .. } => RecordKind::CancelAll,
        Decoded::Close(_) => RecordKind::Close,
    }
}

/// A time of a journal as it may be asked for.
#[cfg(test)]
fn range(text: &str) -> Result<(u64, u64), String> {
    text.parse::<Range>().map(|range| (range.first, range.last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_two_ends_that_are_included() {
        assert_eq!(range("100..200"), Ok((100, 200)));
        assert_eq!(range("100..=200"), Ok((100, 200)));
        assert_eq!(range("100.."), Ok((100, u64::MAX)));
        assert_eq!(range("..7"), Ok((0, 7)));
        assert_eq!(range("7"), Ok((7, 7)));
        assert_eq!(range(".."), Ok((0, u64::MAX)));
        assert_eq!(
            range("1970-01-01T00:00:01Z..1970-01-01T00:00:02Z"),
            Ok((1_000_000_000, 2_000_000_000))
        );
        assert!(range("9..8").unwrap_err().contains("behind"));
        assert!(range("").unwrap_err().contains("neither a number nor a time"));
        assert!(range("x").unwrap_err().contains("neither a number nor a time"));
    }

    #[test]
    fn kinds_have_names_of_their_own_in_any_case() {
        let mut names: Vec<String> = Kind::all().map(|kind| kind.name().to_lowercase()).collect();
        for (name, kind) in names.iter().zip(Kind::all()) {
            assert_eq!(Kind::look_up(name), Ok(kind));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::all().count());
        let Failure(lines) = Kind::look_up("order").unwrap_err();
        assert!(lines[0].starts_with("unknown kind 'order': there are Touch, "), "{lines:?}");
    }
}
