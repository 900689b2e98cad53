//! What the lanes of a journal say, as rows. A row is a function of one message and of what the rows
//! before it told of its order.

use std::collections::BTreeMap;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Market};
use fusewire_core::order::{
    Action, Class, Conditional, Intent, NewOrder, OrderId, Rejection, Report, ReportKind,
    StrategyId, Trigger, TriggerKind,
};
use fusewire_core::units::{Nanos, Px, Qty, Usd};
use fusewire_io::capture::Origin;

use super::table::{Column, Value};

mod account;
mod body;
mod columns;
mod measure;
#[cfg(test)]
mod tests;
mod words;

use columns::{ALPHA, EVENT, FEED, FILLS, GATEWAY, REPORT, RISK, TRADES};
use measure::Measured;
use words::Word;

/// What can be exported: the lanes of a journal, `report`, which is a view of the event lane, and what the ledger makes
/// of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportLane {
    /// Frames, without their bytes.
    Feed,
    /// The sequenced stream.
    Event,
    /// Intents of strategies.
    Alpha,
    /// Verdicts.
    Risk,
    /// Orders sent or blocked.
    Gateway,
    /// What the venue said of orders.
    Report,
    /// Executions as the ledger booked them.
    Fills,
    /// Positions that were closed.
    Trades,
}

impl ExportLane {
    /// All of them, in pipeline order.
    pub const ALL: [Self; 8] = [
        Self::Feed,
        Self::Event,
        Self::Alpha,
        Self::Risk,
        Self::Gateway,
        Self::Report,
        Self::Fills,
        Self::Trades,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Event => "event",
            Self::Alpha => "alpha",
            Self::Risk => "risk",
            Self::Gateway => "gateway",
            Self::Report => "report",
            Self::Fills => "fills",
            Self::Trades => "trades",
        }
    }
}

/// The columns of a lane's table, in order.
#[must_use]
pub const fn columns(lane: ExportLane) -> &'static [Column] {
    match lane {
        ExportLane::Feed => &FEED,
        ExportLane::Event => &EVENT,
        ExportLane::Alpha => &ALPHA,
        ExportLane::Risk => &RISK,
        ExportLane::Gateway => &GATEWAY,
        ExportLane::Report => &REPORT,
        ExportLane::Fills => &FILLS,
        ExportLane::Trades => &TRADES,
    }
}

/// What stands behind the numbers in records. A number without a name is written as it is.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Strategies by seat.
    pub strategies: Vec<String>,
    /// Report keys of symbols by number.
    pub symbols: Vec<String>,
    /// Recordings by the number of their source.
    pub sources: Vec<String>,
}

impl Names {
    /// The name of a strategy; `risk` for the risk stage.
    #[must_use]
    pub fn strategy_text(&self, id: StrategyId) -> String {
        self.strategies.get(usize::from(id.0)).cloned().unwrap_or_else(|| id.to_string())
    }

    /// The report key of a symbol.
    #[must_use]
    pub fn symbol_text(&self, id: InstrumentId) -> String {
        self.symbols.get(id.index()).cloned().unwrap_or_else(|| id.0.to_string())
    }

    /// The name of a recording.
    #[must_use]
    pub fn source_text(&self, number: u16) -> String {
        self.sources.get(usize::from(number)).cloned().unwrap_or_else(|| number.to_string())
    }

    fn strategy(&self, id: StrategyId) -> Value<'_> {
        // The risk stage has no seat, and its id is beyond all of them.
        named(&self.strategies, id.0.into()).unwrap_or_else(|| id.to_string().into())
    }

    fn symbol(&self, id: InstrumentId) -> Value<'_> {
        named(&self.symbols, id.index()).unwrap_or_else(|| id.0.to_string().into())
    }

    fn source(&self, number: u16) -> Value<'_> {
        named(&self.sources, number.into()).unwrap_or_else(|| number.to_string().into())
    }
}

fn named(names: &[String], index: usize) -> Option<Value<'_>> {
    names.get(index).map(|name| name.as_str().into())
}

/// A record of the feed lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedRecord<'a> {
    /// Number in the lane, from 1.
    pub frame: u64,
    /// When it was received; of what could not be read, the time that it counts as of.
    pub recv: Nanos,
    /// Number of its recording.
    pub source: u16,
    /// Line of the recording, from 1.
    pub line: u64,
    /// What it holds.
    pub body: FeedBody<'a>,
}

/// What a record of the feed lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedBody<'a> {
    /// A frame, copied or referred to.
    Frame {
        /// The market of its recording.
        market: Market,
        /// Stream or REST.
        origin: Origin<'a>,
        /// Bytes of the frame.
        bytes: u64,
    },
    /// A line that could not be read, and why.
    Damaged(&'a str),
}

/// The event that caused a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its number.
    pub seq: u64,
    /// Its time; none when the event itself is no longer in the journal.
    pub ts: Option<Nanos>,
}

/// What the risk stage made of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided<'a> {
    /// It went to the gateway.
    Approved {
        /// The intent.
        intent: &'a Intent,
        /// As what it was approved.
        class: Class,
    },
    /// It came back.
    Rejected(&'a Rejection),
}

/// Whether an approved intent left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It left.
    Sent,
    /// The kill level had risen in between.
    Blocked,
}

/// What the gateway did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayRecord<'a> {
    /// It took an approved intent.
    Intent(&'a Intent, Sending),
    /// It cancelled everything by itself.
    CancelAll,
}

/// Makes rows of the messages of one lane, in the lane's order.
///
/// It remembers a few bytes of each order, for as long as the export runs: an amend, a cancel or a query
/// names nothing but the order, and a fee is told as a sum.
#[derive(Clone, Debug)]
pub struct Rows {
    names: Names,
    orders: BTreeMap<OrderId, NewOrder>,
    /// Of conditional orders alone.
    triggers: BTreeMap<OrderId, TriggerKind>,
    filled: BTreeMap<OrderId, (Qty, Usd)>,
}

impl Rows {
    /// No row was made yet.
    #[must_use]
    pub fn new(names: Names) -> Self {
        let triggers = BTreeMap::new();
        Self { names, orders: BTreeMap::new(), triggers, filled: BTreeMap::new() }
    }

    /// The row of a record of the feed lane.
    #[must_use]
    pub fn feed<'a>(&'a self, record: &FeedRecord<'a>) -> [Value<'a>; FEED.len()] {
        let [market, origin, bytes, url, damage] = match record.body {
            FeedBody::Frame { market, origin, bytes } => {
                let (origin, url) = match origin {
                    Origin::Stream => ("stream", None),
                    Origin::Rest { url } => ("rest", Some(url).filter(|url| !url.is_empty())),
                };
                [market.name().into(), origin.into(), bytes.into(), url.into(), Value::Null]
            }
            FeedBody::Damaged(why) => {
                [Value::Null, Value::Null, Value::Null, Value::Null, why.into()]
            }
        };
        [
            record.frame.into(),
            record.recv.into(),
            self.names.source(record.source),
            record.line.into(),
            market,
            origin,
            bytes,
            url,
            damage,
        ]
    }

    /// The row of an event.
    #[must_use]
    pub fn event(&self, event: &Event) -> [Value<'_>; EVENT.len()] {
        body::row(&self.names, event)
    }

    /// The row of a strategy's intent.
    pub fn alpha(&mut self, cause: Cause, intent: &Intent) -> [Value<'_>; ALPHA.len()] {
        let order = self.order_of(intent);
        let (price, qty) = terms(&intent.action);
        let trigger = trigger_of(&intent.action);
        [
            cause.seq.into(),
            cause.ts.into(),
            self.names.strategy(intent.order.strategy()),
            self.names.symbol(intent.instrument),
            intent.action.word().into(),
            intent.order.into(),
            order.map(|order| order.side.word()).into(),
            price.into(),
            qty.into(),
            order.map(|order| order.tif.word()).into(),
            order.map(|order| order.reduce_only).into(),
            trigger.map(|trigger| trigger.kind.name()).into(),
            trigger.map(|trigger| trigger.by.name()).into(),
            trigger.map(|trigger| trigger.price).into(),
            // A share at 1e-12 is as many basis points at 1e-8.
            trigger.map_or(Value::Null, |trigger| Value::Decimal(trigger.callback.0.into())),
            trigger.map(|trigger| trigger.close_position).into(),
        ]
    }

    /// The row of a verdict, `index` among those of its event.
    pub fn risk(
        &mut self,
        cause: Cause,
        index: u32,
        decided: Decided<'_>,
    ) -> [Value<'_>; RISK.len()] {
        let (order, instrument, action, new) = match decided {
            Decided::Approved { intent, .. } => {
                (intent.order, intent.instrument, &intent.action, self.order_of(intent))
            }
            // An order whose `New` was refused never was, so that it need not be remembered.
            Decided::Rejected(refused) => {
                let known = self.orders.get(&refused.order).copied();
                (refused.order, refused.instrument, &refused.action, new_of(&refused.action, known))
            }
        };
        let (price, qty) = terms(action);
        let (verdict, class, why) = match decided {
            Decided::Approved { class, .. } => ("approved", Some(class.word()), None),
            Decided::Rejected(refused) => ("rejected", None, Some(Measured::of(refused))),
        };
        [
            cause.seq.into(),
            cause.ts.into(),
            index.into(),
            self.names.strategy(order.strategy()),
            self.names.symbol(instrument),
            action.word().into(),
            order.into(),
            new.map(|new| new.side.word()).into(),
            price.into(),
            qty.into(),
            verdict.into(),
            class.into(),
            why.map(|why| why.check).into(),
            why.and_then(|why| why.measured).map_or(Value::Null, Value::Decimal),
            why.and_then(|why| why.limit).map_or(Value::Null, Value::Decimal),
            why.and_then(|why| why.unit).into(),
        ]
    }

    /// The row of what the gateway did.
    pub fn gateway(&mut self, cause: Cause, done: GatewayRecord<'_>) -> [Value<'_>; GATEWAY.len()] {
        match done {
            GatewayRecord::Intent(intent, sending) => self.gateway_intent(cause, intent, sending),
            GatewayRecord::CancelAll => {
                let nothing = || Value::Null;
                [
                    cause.seq.into(),
                    cause.ts.into(),
                    Action::Cancel.word().into(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                    Sending::Sent.word().into(),
                ]
            }
        }
    }

    fn gateway_intent(
        &mut self,
        cause: Cause,
        intent: &Intent,
        sending: Sending,
    ) -> [Value<'_>; GATEWAY.len()] {
        let order = self.order_of(intent);
        let (price, qty) = terms(&intent.action);
        let class = match intent.action {
            Action::New(new) if new.reduce_only => "reduce",
            Action::New(_)
            | Action::Amend { .. }
            | Action::Cancel
            | Action::Query
            | Action::Conditional(_) => intent.action.word(),
        };
        let kind = self.triggers.get(&intent.order).map_or("limit", |kind| kind.name());
        [
            cause.seq.into(),
            cause.ts.into(),
            class.into(),
            self.names.strategy(intent.order.strategy()),
            self.names.symbol(intent.instrument),
            order.map(|order| order.side.word()).into(),
            intent.order.into(),
            kind.into(),
            order.map(|order| order.tif.word()).into(),
            price.into(),
            qty.into(),
            order.map(|order| order.reduce_only).into(),
            sending.word().into(),
        ]
    }

    /// The row of a report; none for an event of another kind.
    pub fn report(&mut self, event: &Event) -> Option<[Value<'static>; REPORT.len()]> {
        let Body::Report(report) = &event.body else { return None };
        let fee = self.fee(report);
        let shows = report.kind.is_fill() || report.kind == ReportKind::Triggered;
        Some([
            event.seq.into(),
            event.ts.into(),
            report.order.into(),
            report.kind.word().into(),
            report.last_qty.into(),
            shows.then_some(report.last_price).into(),
            report.cum_qty.into(),
            Value::Decimal(fee),
            Some(report.payer).filter(|payer| shows && *payer != 0).into(),
        ])
    }

    /// What a report adds to the fees of its order. As in the account, a report that tells of no more
    /// than was known adds nothing; a fee may fall, since makers may be paid.
    fn fee(&mut self, report: &Report) -> i128 {
        let known = self.filled.entry(report.order).or_default();
        if report.cum_qty <= known.0 {
            return 0;
        }
        let more = i128::from(report.cum_fee.0) - i128::from(known.1.0);
        *known = (report.cum_qty, report.cum_fee);
        more
    }

    /// The order of an intent as it was first sent, remembered from then on.
    fn order_of(&mut self, intent: &Intent) -> Option<NewOrder> {
        let order = new_of(&intent.action, self.orders.get(&intent.order).copied());
        if let Some(new) = intent.action.order() {
            self.orders.insert(intent.order, *new);
        }
        if let Some(trigger) = trigger_of(&intent.action) {
            self.triggers.insert(intent.order, trigger.kind);
        }
        order
    }
}

fn new_of(action: &Action, known: Option<NewOrder>) -> Option<NewOrder> {
    action.order().copied().or(known)
}

/// What a conditional order waits for.
const fn trigger_of(action: &Action) -> Option<&Trigger> {
    match action {
        Action::Conditional(conditional) => Some(&conditional.trigger),
        Action::New(_) | Action::Amend { .. } | Action::Cancel | Action::Query => None,
    }
}

/// The price and the quantity that an intent itself names.
fn terms(action: &Action) -> (Option<Px>, Option<Qty>) {
    match action {
        Action::New(NewOrder { price, qty, .. })
        | Action::Conditional(Conditional { order: NewOrder { price, qty, .. }, .. })
        | Action::Amend { price, qty } => (Some(*price), Some(*qty)),
        Action::Cancel | Action::Query => (None, None),
    }
}

impl From<Nanos> for Value<'_> {
    fn from(time: Nanos) -> Self {
        Self::U64(time.0)
    }
}

impl From<Px> for Value<'_> {
    fn from(price: Px) -> Self {
        Self::Decimal(price.0.into())
    }
}

impl From<Qty> for Value<'_> {
    fn from(qty: Qty) -> Self {
        Self::Decimal(qty.0.into())
    }
}

impl From<Usd> for Value<'_> {
    fn from(amount: Usd) -> Self {
        Self::Decimal(amount.0.into())
    }
}

impl From<OrderId> for Value<'_> {
    fn from(order: OrderId) -> Self {
        order.to_string().into()
    }
}
