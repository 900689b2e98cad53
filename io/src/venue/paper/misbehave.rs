//! Misbehaviour of the venue, on purpose: what exchanges did when it hurt most. It is part of the venue, decided by
//! hashes and by the configured times, so that a run with it can be repeated and verified like any other.
//!
//! A request whose outcome is not told was done or was lost, and a hash decides which; the acknowledgement does not
//! come then, only a query or a fill tells. While statuses come without fills (the incident of March 2026), a fill
//! moves the true account at once, the account's owner hears that the order is filled and no amounts, a query says
//! that it is being settled, and the fills come when the outage is over.

use fusewire_core::instrument::InstrumentId;
use fusewire_core::jitter;
use fusewire_core::message::FeedbackBody;
use fusewire_core::order::{
    Action, Intent, Leg, Liquidity, OrderId, OrderState, Report, ReportKind, Side, Status,
    VenueReason,
};
use fusewire_core::units::{Nanos, Px, Qty, Usd};

use super::config::PPM;
use super::desk::{At, Desk};
use super::requests::Request;
use super::{COPIES, PaperVenue};
use crate::gateway::Feedbacks;

/// What an outage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutageKind {
    /// New orders, amends and conditional orders are refused as throttled (-1008). Cancels and what may only reduce
    /// get through, as at the exchange.
    #[default]
    RejectStorm,
    /// Nothing gets through in either direction, as at the exchange's disconnect every 24 hours.
    Disconnect,
    /// New orders, amends and conditional orders are lost, and their outcome is told as unknown (-1007). Cancels and
    /// queries work.
    Partial,
    /// Every request but a query is answered by a 503 that says nothing of the outcome.
    Unavailable,
    /// Statuses arrive, fills do not, until it is over.
    NoFills,
}

impl OutageKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::RejectStorm, Self::Disconnect, Self::Partial, Self::Unavailable, Self::NoFills];

    /// The name in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RejectStorm => "reject-storm",
            Self::Disconnect => "disconnect",
            Self::Partial => "partial",
            Self::Unavailable => "unavailable",
            Self::NoFills => "no-fills",
        }
    }
}

/// An outage of the venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outage {
    /// What it is.
    pub kind: OutageKind,
    /// When it begins, after the first event, in ns.
    pub after: Nanos,
    /// How long it lasts, in ns; above zero.
    pub span: Nanos,
}

/// What the venue does wrong on purpose. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Share of requests whose outcome is told as unknown, in millionths.
    pub unknown_ppm: u32,
    /// Share of acknowledgements that come behind the first fills, in millionths.
    pub ack_late_ppm: u32,
    /// The first `len` count.
    outages: [Outage; Self::OUTAGES_MAX],
    len: usize,
}

impl Misbehaviour {
    /// Most outages.
    pub const OUTAGES_MAX: usize = 16;

    /// Misbehaviour with these outages.
    ///
    /// # Errors
    /// A text that begins with the name of the field.
    pub fn new(unknown_ppm: u32, ack_late_ppm: u32, outages: &[Outage]) -> Result<Self, String> {
        for (name, ppm) in [("unknown_ppm", unknown_ppm), ("ack_late_ppm", ack_late_ppm)] {
            if ppm > PPM {
                return Err(format!("{name} = {ppm} is above {PPM}"));
            }
        }
        if outages.len() > Self::OUTAGES_MAX {
            return Err(format!(
                "outage: {} of them, at most {}",
                outages.len(),
                Self::OUTAGES_MAX
            ));
        }
        if let Some(bad) = outages.iter().find(|outage| outage.span == Nanos(0)) {
            return Err(format!("outage: {} lasts no time", bad.kind.name()));
        }
        let mut all = [Outage::default(); Self::OUTAGES_MAX];
        all[..outages.len()].copy_from_slice(outages);
        Ok(Self { unknown_ppm, ack_late_ppm, outages: all, len: outages.len() })
    }

    /// True when there is any.
    pub(super) fn is_any(&self) -> bool {
        self.len > 0 || self.unknown_ppm > 0 || self.ack_late_ppm > 0
    }

    /// What is out at a time after the first event.
    fn weather(&self, since: Nanos) -> Weather {
        let mut weather = Weather::default();
        for outage in &self.outages[..self.len] {
            let end = outage.after.0.saturating_add(outage.span.0);
            if (outage.after.0..end).contains(&since.0) {
                *weather.flag(outage.kind) = true;
            }
        }
        weather
    }
}

/// What is out now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weather {
    storm: bool,
    disconnected: bool,
    partial: bool,
    unavailable: bool,
    no_fills: bool,
}

impl Weather {
    fn flag(&mut self, kind: OutageKind) -> &mut bool {
        match kind {
            OutageKind::RejectStorm => &mut self.storm,
            OutageKind::Disconnect => &mut self.disconnected,
            OutageKind::Partial => &mut self.partial,
            OutageKind::Unavailable => &mut self.unavailable,
            OutageKind::NoFills => &mut self.no_fills,
        }
    }
}

/// Amounts of an order: filled so far, in quantity, quote and fee.
pub(super) type Amounts = (Qty, Usd, Usd);

/// Fills of one order that were not told.
#[derive(Clone, Copy, Debug)]
struct Withheld {
    instrument: Option<InstrumentId>,
    /// What the owner knows.
    told: Amounts,
    /// The last of them.
    last: Report,
    number: u32,
}

/// What hashes are drawn for, kept apart from those of the desk by the seed.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Draw {
    Unknown = 0x6e6b_6e55,
    Done = 0x656e_6f44,
    AckLate = 0x6b63_4165,
    Deleverage = 0x6c64_4141,
}

/// The state of it.
#[derive(Debug)]
pub(super) struct Mood {
    began: Option<Nanos>,
    weather: Weather,
    /// The acknowledgement of the request that is being done is not sent.
    mute: bool,
    /// By order of their first fill. Bounded by the table of orders.
    withheld: Vec<Withheld>,
    withheld_max: usize,
}

impl Mood {
    /// Nothing is wrong. Room is taken for so many fills to keep back, if that can happen.
    pub(super) fn new(misbehaviour: &Misbehaviour, withheld_max: usize) -> Self {
        let room = if misbehaviour.is_any() { withheld_max } else { 0 };
        Self {
            began: None,
            weather: Weather::default(),
            mute: false,
            withheld: Vec::with_capacity(room),
            withheld_max: room,
        }
    }

    fn find(&self, id: OrderId) -> Option<&Withheld> {
        self.withheld.iter().find(|one| one.last.order == id)
    }
}

/// What becomes of a message on its way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// It goes as it is.
    Told(FeedbackBody),
    /// The same, behind what comes after it.
    Late(FeedbackBody),
    /// It never goes.
    Lost,
    /// It is kept, and goes when it may again.
    Kept,
}

impl Desk {
    fn draws(&self, draw: Draw, id: OrderId, number: u32, ppm: u32) -> bool {
        let seed = self.config.seed ^ draw as u64;
        ppm > 0 && jitter::below(seed, id, u64::from(number), u64::from(PPM)) < u64::from(ppm)
    }

    /// Room that a request may need beyond its own answers.
    pub(super) fn more_room(&self) -> usize {
        if self.config.misbehaviour.is_any() { COPIES } else { 0 }
    }

    /// True when the venue takes a position to cover the forced order of this event: each is drawn by itself.
    pub(super) fn deleverages(&self, seq: u64) -> bool {
        self.draws(Draw::Deleverage, OrderId(seq), 0, self.config.adl_ppm)
    }

    /// What becomes of a message.
    pub(super) fn fate(
        &mut self,
        body: FeedbackBody,
        number: u32,
        instrument: Option<InstrumentId>,
    ) -> Fate {
        if !self.config.misbehaviour.is_any() {
            return Fate::Told(body);
        }
        if self.mood.weather.disconnected {
            return Fate::Lost;
        }
        match body {
            FeedbackBody::Report(report) if report.kind.is_fill() && self.mood.weather.no_fills => {
                self.withhold(&report, number, instrument)
            }
            FeedbackBody::Report(report) if is_acknowledgement(report.kind) => {
                let late = self.config.misbehaviour.ack_late_ppm;
                if self.mood.mute {
                    Fate::Lost
                } else if self.draws(Draw::AckLate, report.order, number, late) {
                    Fate::Late(body)
                } else {
                    Fate::Told(body)
                }
            }
            FeedbackBody::Status(status) => Fate::Told(FeedbackBody::Status(self.as_told(&status))),
            FeedbackBody::Report(_)
            | FeedbackBody::Rejected(_)
            | FeedbackBody::Wake
            | FeedbackBody::Account(_) => Fate::Told(body),
        }
    }

    /// Keeps a fill back. That an order is filled is told, without amounts.
    fn withhold(&mut self, report: &Report, number: u32, instrument: Option<InstrumentId>) -> Fate {
        let before = self.before;
        let Mood { withheld, withheld_max, .. } = &mut self.mood;
        let told = match withheld.iter().position(|one| one.last.order == report.order) {
            Some(index) => {
                let one = &mut withheld[index];
                (one.last, one.number) = (*report, number);
                one.told
            }
            None if withheld.len() < *withheld_max => {
                withheld.push(Withheld { instrument, told: before, last: *report, number });
                before
            }
            // No room to send it later: it goes now.
            None => return Fate::Told(FeedbackBody::Report(*report)),
        };
        self.stats.withheld += 1;
        if report.kind != ReportKind::Filled {
            return Fate::Kept;
        }
        let (cum_qty, cum_quote, cum_fee) = told;
        let (last_qty, last_price, payer) = (Qty::ZERO, Px::ZERO, 0);
        let bare = Report { cum_qty, cum_quote, cum_fee, last_qty, last_price, payer, ..*report };
        Fate::Told(FeedbackBody::Report(bare))
    }

    /// An answer with no more than what was told.
    fn as_told(&self, status: &Status) -> Status {
        let Some(one) = self.mood.find(status.order) else { return *status };
        let (cum_qty, cum_quote, cum_fee) = one.told;
        let state = match status.state {
            OrderState::Closed => OrderState::Settling,
            OrderState::Open => OrderState::Open,
            OrderState::Unknown => OrderState::Unknown,
            OrderState::Waiting => OrderState::Waiting,
            OrderState::Settling => OrderState::Settling,
        };
        Status { state, cum_qty, cum_quote, cum_fee, ..*status }
    }

    /// Tells that the outcome of a request is not known.
    fn tell_unknown(
        &mut self,
        at: At,
        request: &Request,
        reason: VenueReason,
        out: &mut Feedbacks,
    ) {
        self.stats.unknown_outcomes += 1;
        let intent = &request.intent;
        let (side, price, qty, reduce_only) = terms(intent);
        let report = Report {
            order: intent.order,
            kind: ReportKind::OutcomeUnknown,
            reason,
            side,
            reduce_only,
            leg: Leg::Both,
            liquidity: Liquidity::Maker,
            price,
            qty,
            cum_qty: Qty::ZERO,
            cum_quote: Usd::ZERO,
            cum_fee: Usd::ZERO,
            last_qty: Qty::ZERO,
            last_price: Px::ZERO,
            payer: 0,
            at: at.ts,
        };
        // A number that no report on the order has: its hashes are its own.
        let number = request.number | 1 << 31;
        let body = FeedbackBody::Report(report);
        self.send(at, intent.instrument, intent.order, number, body, out);
    }
}

impl PaperVenue {
    /// Looks at what is out, and sends what was kept back when it may go.
    pub(super) fn look_at_the_weather(&mut self, at: At, out: &mut Feedbacks) {
        let Desk { config, mood, .. } = &mut self.desk;
        if !config.misbehaviour.is_any() {
            return;
        }
        let began = *mood.began.get_or_insert(at.ts);
        let since = u64::try_from(at.ts.since(began)).unwrap_or(0);
        mood.weather = config.misbehaviour.weather(Nanos(since));
        let Weather { no_fills, disconnected, .. } = self.desk.mood.weather;
        while !no_fills && !disconnected && !self.desk.mood.withheld.is_empty() {
            if out.room() < COPIES {
                self.desk.stats.put_off += 1;
                return;
            }
            let Withheld { instrument, last, number, .. } = self.desk.mood.withheld.remove(0);
            let body = FeedbackBody::Report(last);
            self.desk.send(at, instrument, last.order, number, body, out);
        }
    }

    /// True when a request does not get through as it should. What was to be said of it is said.
    pub(super) fn mishandles(&mut self, at: At, request: &Request, out: &mut Feedbacks) -> bool {
        if !self.desk.config.misbehaviour.is_any() {
            return false;
        }
        let (weather, intent) = (self.desk.mood.weather, &request.intent);
        if weather.disconnected {
            self.desk.stats.lost_requests += 1;
            return true;
        }
        if intent.action == Action::Query {
            return false;
        }
        let adds = adds(&intent.action);
        if weather.storm && adds {
            self.turn_away(at, intent, request.number, VenueReason::Throttled, out);
            return true;
        }
        if weather.partial && adds {
            self.desk.tell_unknown(at, request, VenueReason::Timeout, out);
            return true;
        }
        let ppm = self.desk.config.misbehaviour.unknown_ppm;
        let hit = self.desk.draws(Draw::Unknown, intent.order, request.number, ppm);
        if !hit && !weather.unavailable {
            return false;
        }
        let reason =
            if weather.unavailable { VenueReason::Unavailable } else { VenueReason::Timeout };
        self.desk.tell_unknown(at, request, reason, out);
        let done = self.desk.draws(Draw::Done, intent.order, request.number, PPM / 2);
        self.desk.mood.mute = done;
        !done
    }

    /// The request that was being done is done.
    pub(super) fn speak_again(&mut self) {
        self.desk.mood.mute = false;
    }
}

/// What only says that a request was done.
fn is_acknowledgement(kind: ReportKind) -> bool {
    match kind {
        ReportKind::Accepted | ReportKind::Amended | ReportKind::Canceled => true,
        ReportKind::PartialFill
        | ReportKind::Filled
        | ReportKind::Expired
        | ReportKind::Refused
        | ReportKind::AmendRefused
        | ReportKind::CancelRefused
        | ReportKind::Triggered
        | ReportKind::OutcomeUnknown => false,
    }
}

/// True for what may add an order that does more than reduce.
fn adds(action: &Action) -> bool {
    match action {
        Action::New(new) => !new.reduce_only,
        Action::Conditional(new) => !new.order.reduce_only,
        Action::Amend { .. } => true,
        Action::Cancel | Action::Query => false,
    }
}

fn terms(intent: &Intent) -> (Side, Px, Qty, bool) {
    match intent.action {
        Action::New(new) => (new.side, new.price, new.qty, new.reduce_only),
        Action::Conditional(new) => {
            (new.order.side, new.order.price, new.order.qty, new.order.reduce_only)
        }
        Action::Amend { price, qty } => (Side::Buy, price, qty, false),
        Action::Cancel | Action::Query => (Side::Buy, Px::ZERO, Qty::ZERO, false),
    }
}
