//! Which records of a journal are wanted.

use std::str::FromStr;

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::lane::{Decided, Decoded, Lane};
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
    /// Kinds of events (Touch, Trade, Report, ...) or of records (intent, verdict, sent, ...).
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
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let last = last.strip_prefix('=').unwrap_or(last);
        let first = if first.is_empty() { 0 } else { number(first)? };
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
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
    kinds: Vec<String>,
    strategies: Vec<StrategyId>,
    orders: Vec<OrderId>,
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
        let kinds = args.kind.iter().map(|kind| kind.to_lowercase());
        let orders = args.order.iter().map(|text| parse_order_id(text).map_err(Failure::line));
        Ok(Self {
            seq: args.seq,
            time: args.time,
            symbols: symbols.collect::<Result<_, _>>().map_err(Failure::line)?,
            stages: stages.collect(),
            kinds: kinds.collect(),
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
            && (self.kinds.is_empty() || self.kinds.contains(&facts.kind))
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

    /// Whether nothing behind this event can be wanted.
    pub(super) fn is_past(&self, item: &Item<'_>) -> bool {
        let past = |range: Option<Range>, number: u64| range.is_some_and(|r| number > r.last);
        item.lane != Lane::Feed && (past(self.seq, item.seq) || past(self.time, item.ts.0))
    }
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
    kind: String,
    symbol: Option<InstrumentId>,
    order: Option<OrderId>,
}

impl Facts {
    fn of(record: &Decoded<'_>) -> Self {
        let by_intent = |kind: &str, intent: &Intent| Self {
            kind: kind.to_owned(),
            symbol: Some(intent.instrument),
            order: Some(intent.order),
        };
        let bare = |kind: &str| Self { kind: kind.to_owned(), symbol: None, order: None };
        match record {
            Decoded::Frame(_) => bare("frame"),
            Decoded::FrameRef(_) => bare("frame_ref"),
            Decoded::Damaged(_) => bare("damaged"),
            Decoded::Header(_) => bare("header"),
            Decoded::CancelAll { .. } => bare("cancel_all"),
            Decoded::Close(_) => bare("close"),
            Decoded::Event(event) => Self {
                kind: event.body.kind().name().to_lowercase(),
                symbol: event.instrument,
                order: event.body.order(),
            },
            Decoded::Pending(feedback) => Self {
                kind: "pending".to_owned(),
                symbol: feedback.instrument,
                order: Body::from(feedback.body).order(),
            },
            Decoded::Intent(message) => by_intent("intent", &message.intent),
            Decoded::Sent(sent) => by_intent("sent", &sent.intent),
            Decoded::Verdict(verdict) => match &verdict.outcome {
                Decided::Approved { intent, .. } => by_intent("verdict", intent),
                Decided::Rejected(rejection) => Self {
                    kind: "verdict".to_owned(),
                    symbol: Some(rejection.instrument),
                    order: Some(rejection.order),
                },
            },
        }
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
        assert_eq!(
            range("1970-01-01T00:00:01Z..1970-01-01T00:00:02Z"),
            Ok((1_000_000_000, 2_000_000_000))
        );
        assert!(range("9..8").unwrap_err().contains("behind"));
        assert!(range("x").unwrap_err().contains("neither a number nor a time"));
    }
}
