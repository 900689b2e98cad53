//! The risk stage: events pass through, every intent gets exactly one verdict, and what risk itself
//! wants (halt, queries) goes through the same gate.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use fusewire_core::alert::{Alert, AlertKind};
use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::{Keep, LaneWriter, Record};
use fusewire_core::latency::{Probe, Stamp};
use fusewire_core::message::{AlphaOut, IntentMessage, RiskOut, VerdictMessage};
use fusewire_core::order::{
    Action, ApprovalKey, Approved, Check, Class, Intent, OrderId, RejectedBy, Rejection, Source,
    StrategyId, Verdict,
};
use fusewire_core::portfolio::{Portfolio, PortfolioConfig, TrackError};
use fusewire_core::ring::{Consumer, Producer, pop_in_place};
use fusewire_core::stage::{Outbox, Stage};
use fusewire_core::units::{Nanos, Px};

use crate::checks::Fail;
use crate::gate::{Gate, State};
use crate::halt::Halt;
use crate::ledger::{Ledger, LedgerConfig, ReconcileOutcome};
use crate::limits::RiskConfig;
use crate::market::Market;
use crate::queries::Queries;
use crate::witness::{CheckLine, Subject, Watched};

mod counts;
#[cfg(test)]
mod tests;

pub use counts::RiskCounts;

/// The rings of the stage.
#[derive(Debug)]
pub struct Ports {
    /// From alpha.
    pub input: Consumer<AlphaOut>,
    /// To the gateway.
    pub output: Producer<RiskOut>,
}

/// Pre-trade risk.
pub struct RiskStage {
    input: Consumer<AlphaOut>,
    desk: Desk,
}

/// What messages are shown to, where they lie on the ring.
struct Desk {
    output: Producer<RiskOut>,
    outbox: Outbox<RiskOut>,
    lane: LaneWriter,
    counts: RiskCounts,
    key: ApprovalKey,
    kill: KillSwitch,
    gate: Gate,
    portfolio: Portfolio,
    ledger: Ledger,
    /// Where people are told; none in a run that is repeated.
    alerts: Option<Arc<ArrayQueue<Alert>>>,
    /// Of the event that is being handled.
    alert: Option<Alert>,
    market: Market,
    halt: Halt,
    queries: Queries,
    own: Vec<Intent>,
    own_max: usize,
    level: Level,
    /// Time and number of the event that is being handled, and verdicts given in it.
    now: Nanos,
    seq: u64,
    index: u32,
    /// When the bar closed that is being handled; none of any other event.
    bar_close: Option<Nanos>,
    /// Faults of the folds, the ledger's among them, that the kill switch was raised for.
    faults: u64,
    /// Orders whose verdicts are explained; none unless somebody asks why.
    watch: Vec<OrderId>,
    watched: Vec<Watched>,
    probe: Probe,
    /// Of the event that is being handled, as it came.
    stamp: Stamp,
}

impl RiskStage {
    /// A stage without orders or positions. All memory is taken here.
    ///
    /// # Panics
    /// When the configuration is not valid for this universe, see `RiskConfig::validate_for`, or a symbol
    /// is not of it: whoever composes the stages checks that at start.
    #[must_use]
    pub fn new(
        config: &RiskConfig,
        universe: &Universe,
        tradable: &[InstrumentId],
        strategies: &[StrategyId],
        kill: KillSwitch,
        ports: Ports,
        keep: Keep,
    ) -> Self {
        assert_eq!(config.validate_for(universe.len()), Ok(()), "the configuration of risk");
        let inside = tradable.iter().all(|id| id.index() < universe.len());
        assert!(inside, "tradable symbols are of the universe");
        let gate = Gate::new(config, universe, tradable, strategies);
        let mut seats = strategies.to_vec();
        seats.push(StrategyId::RISK);
        let ledger = Ledger::new(&LedgerConfig {
            instruments: universe.len(),
            strategies: strategies.to_vec(),
            opening: config.balance,
            orders_max: gate.orders_max(),
            closed_max: config.closed_max,
            arrival_max: config.arrival_max,
            drift_alert: config.limits.drift_alert,
            drift_block: config.limits.drift_block,
        });
        let Ports { input, output } = ports;
        let desk = Desk {
            output,
            // The cause and what the stage itself may add to it.
            outbox: Outbox::new(1 + config.halt_max),
            lane: LaneWriter::new(keep),
            counts: RiskCounts::default(),
            key: ApprovalKey::new(),
            portfolio: Portfolio::new(PortfolioConfig {
                instruments: universe.len(),
                strategies: seats,
                orders_max: gate.orders_max(),
                closed_max: config.closed_max,
                arrival_max: config.arrival_max,
            }),
            ledger,
            alerts: None,
            alert: None,
            market: Market::new(universe.len()),
            halt: Halt::new(config),
            queries: Queries::new(config),
            own: Vec::with_capacity(config.halt_max),
            own_max: config.halt_max,
            level: Level::Run,
            now: Nanos(0),
            seq: 0,
            index: 0,
            bar_close: None,
            faults: 0,
            watch: Vec::new(),
            watched: Vec::new(),
            probe: Probe::default(),
            stamp: Stamp::default(),
            gate,
            kill,
        };
        Self { input, desk }
    }

    /// The lane of verdicts.
    #[must_use]
    pub fn lane(&self) -> &LaneWriter {
        &self.desk.lane
    }

    /// The same lane, to begin and to end a journal.
    pub fn lane_mut(&mut self) -> &mut LaneWriter {
        &mut self.desk.lane
    }

    /// Measures with this from here on.
    pub fn measure(&mut self, probe: Probe) {
        self.desk.probe = probe;
    }

    /// What was decided so far.
    #[must_use]
    pub fn counts(&self) -> &RiskCounts {
        &self.desk.counts
    }

    /// Orders and positions as risk sees them.
    #[must_use]
    pub fn portfolio(&self) -> &Portfolio {
        &self.desk.portfolio
    }

    /// The books of the account.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.desk.ledger
    }

    /// Tells alerts here too, besides the lane. What does not fit is only in the lane.
    pub fn tell(&mut self, alerts: Arc<ArrayQueue<Alert>>) {
        self.desk.alerts = Some(alerts);
    }

    /// The last mark price of a symbol of the universe, however old.
    #[must_use]
    pub fn mark(&self, instrument: InstrumentId) -> Option<Px> {
        self.desk.market.symbol(instrument).mark().map(|mark| mark.price)
    }

    /// Logical time of the last event that was handled; zero before the first.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.desk.now
    }

    /// When the bar closed that was the last event, and so the cause of the intents behind it; none of any other event.
    #[must_use]
    pub fn bar_close(&self) -> Option<Nanos> {
        self.desk.bar_close
    }

    /// The sequenced kill level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.desk.level
    }

    /// Puts an intent of a strategy to every check as things stand. Nothing is reserved, counted or written.
    ///
    /// # Errors
    /// The first check that refuses it.
    pub fn judge(&self, intent: &Intent) -> Result<Class, Rejection> {
        let judged = self.desk.gate.judge(intent, Source::Alpha, &self.desk.state());
        judged.map_err(|fail| rejection(intent, fail))
    }

    /// Explains every verdict on this order from now on, whoever asked for it, besides those that are
    /// watched already. This takes memory as it goes, and is for a run that is repeated to ask why.
    pub fn watch(&mut self, order: OrderId) {
        self.desk.watch.push(order);
    }

    /// The verdicts on watched orders so far, in the order given.
    #[must_use]
    pub fn watched(&self) -> &[Watched] {
        &self.desk.watched
    }
}

impl Desk {
    fn handle(&mut self, message: &AlphaOut) {
        match message {
            AlphaOut::Event(event) => self.handle_event(event),
            AlphaOut::Intent(message) => self.handle_intent(message),
        }
    }

    fn handle_event(&mut self, event: &Event) {
        (self.now, self.seq, self.index) = (event.ts, event.seq, 0);
        self.bar_close = None;
        self.market.apply(event);
        self.fold(event);
        self.form(event);
        let own = self.own.len();
        let (last, mut stamp) = (event.last && own == 0, event.stamp);
        self.stamp = stamp;
        self.lane.stamp(self.probe.at(stamp));
        if let Some(alert) = self.alert.take() {
            self.raise(alert);
        }
        self.probe.pass(&mut stamp);
        if last {
            self.lane.done(event.seq);
        }
        let pass = || RiskOut::Event(Event { stamp, last, ..*event });
        self.outbox.send(&mut self.output, pass);
        if own > 0 {
            self.decide_own(event.last);
        }
    }

    /// Gives what the stage itself wants its verdicts.
    fn decide_own(&mut self, last: bool) {
        let own = self.own.len();
        for index in 0..own {
            let intent = self.own[index];
            self.counts.own += 1;
            self.counts.queries += u64::from(intent.action == Action::Query);
            self.decide(&intent, Source::Risk, last && index + 1 == own);
        }
        self.own.clear();
    }

    fn handle_intent(&mut self, message: &IntentMessage) {
        assert_eq!(message.seq, self.seq, "an intent comes behind its cause");
        self.counts.intents += 1;
        self.decide(&message.intent, Source::Alpha, message.last);
    }

    fn fold(&mut self, event: &Event) {
        self.ledger.apply(event, &mut self.portfolio, &mut |_| {});
        match &event.body {
            // What risk itself refused was never tracked.
            Body::Rejected(rejection) if rejection.by == RejectedBy::Gateway => {
                self.portfolio.reject(rejection);
            }
            Body::KillLevel(level) => self.level = *level,
            Body::Account(_) => self.watch_money(event.seq),
            Body::Bar(bar) => {
                let length = Nanos(u64::from(bar.interval_s) * Nanos::SECOND);
                self.bar_close = Some(bar.open_time.after(length));
            }
            Body::Report(_)
            | Body::Status(_)
            | Body::Rejected(_)
            | Body::Touch(_)
            | Body::Depth(_)
            | Body::Levels(_)
            | Body::Trade(_)
            | Body::Mark(_)
            | Body::Liquidation(_)
            | Body::Funding(_)
            | Body::OpenInterest(_)
            | Body::DepthBand(_)
            | Body::BookInvalid(_)
            | Body::Tick
            | Body::Gap
            | Body::Wake
            | Body::Control(_) => {}
        }
        // At every event: what was tracked or taken back since the last one can have faults too.
        self.watch_faults();
    }

    /// Raises the kill switch when something was filled that the position does not show. Unknown is unsafe.
    fn watch_faults(&mut self) {
        let faults = self.portfolio.faults();
        let faults = faults.range + faults.overflow + self.ledger.faults();
        if faults > self.faults {
            self.faults = faults;
            self.kill.raise(Level::NoNewRisk);
        }
    }

    /// Looks at how ledger and venue compare, if they were compared just now.
    fn watch_money(&mut self, seq: u64) {
        let compared = self.ledger.reconciled().last.filter(|last| last.seq == seq);
        let Some(compared) = compared else { return };
        let limits = self.gate.limits();
        let (kind, limit) = match compared.outcome {
            ReconcileOutcome::Agrees | ReconcileOutcome::Late => return,
            ReconcileOutcome::Drifts => (AlertKind::LedgerDrift, limits.drift_alert),
            ReconcileOutcome::Blocks => (AlertKind::LedgerBlock, limits.drift_block),
        };
        let (measured, limit) = (compared.drift().0.into(), i128::from(limit.0).into());
        self.alert = Some(Alert { seq, kind, measured, limit });
    }

    /// Journals an alert, and tells it.
    #[cold]
    fn raise(&mut self, alert: Alert) {
        self.counts.alerts += 1;
        self.lane.append(&Record::alert(&alert));
        if let Some(alerts) = &self.alerts {
            // Nobody reads any more, or nobody reads yet: the lane has it.
            let _ = alerts.push(alert);
        }
    }

    /// What risk itself wants done at this event.
    fn form(&mut self, event: &Event) {
        let Self { portfolio, market, gate, own, .. } = self;
        if self.halt.is_due(event, self.level) {
            self.halt.form((portfolio, market, gate), self.now, (self.own_max, own));
        }
        if matches!(event.body, Body::Tick) && self.level < Level::Dead {
            let room = self.own_max - own.len();
            self.queries.form(portfolio, gate.queries(), self.now, (room, own));
        }
    }

    /// Gives an intent its verdict.
    fn decide(&mut self, intent: &Intent, from: Source, last: bool) {
        let admitted = if self.watch.contains(&intent.order) {
            self.admit_watched(intent, from)
        } else {
            self.admit(intent, from)
        };
        let verdict = match admitted {
            Ok(class) => {
                self.gate.note(intent, class, self.now);
                if intent.action == Action::Query {
                    self.queries.note(intent.order, self.now);
                }
                self.counts.approved += 1;
                Verdict::Approved(self.stamp(intent, class))
            }
            Err(fail) => {
                self.counts.rejected[fail.check as usize] += 1;
                Verdict::Rejected(rejection(intent, fail))
            }
        };
        let message = VerdictMessage { seq: self.seq, last, index: self.index, verdict };
        self.index += 1;
        // An intent came with its event.
        self.probe.pass(&mut { self.stamp });
        // In the lane before it is on the ring.
        self.lane.append(&Record::verdict(&message));
        if last {
            self.lane.done(self.seq);
        }
        self.outbox.send(&mut self.output, || RiskOut::Verdict(message));
    }

    /// Stamps an admitted intent.
    fn stamp(&self, intent: &Intent, class: Class) -> Approved {
        if let Some(new) = intent.action.order() {
            return Approved::new(&self.key, *intent, class, new.side);
        }
        let order = self.portfolio.order(intent.order);
        let order = order.expect("what is not tracked is not admitted");
        if order.trigger.is_some() {
            Approved::on_waiting(&self.key, *intent, class, order.side)
        } else {
            Approved::new(&self.key, *intent, class, order.side)
        }
    }

    /// Passes an intent through the gate and reserves what it may cost.
    fn admit(&mut self, intent: &Intent, from: Source) -> Result<Class, Fail> {
        let class = self.gate.judge(intent, from, &self.state())?;
        self.portfolio.track(intent, self.now).map_err(|error| untracked(error, intent))?;
        self.ledger.approved(intent);
        Ok(class)
    }

    /// The same, with what led to it.
    #[cold]
    fn admit_watched(&mut self, intent: &Intent, from: Source) -> Result<Class, Fail> {
        // Before anything is reserved, which the checks would count.
        let mut lines = self.gate.explain(intent, from, &self.state());
        let admitted = self.admit(intent, from);
        if let Err(fail) = admitted
            && lines.last().is_none_or(|line| line.passed)
        {
            lines.push(CheckLine::refusal(Subject::Table, fail));
        }
        self.watched.push(Watched {
            order: intent.order,
            seq: self.seq,
            index: self.index,
            action: intent.action,
            from,
            class: admitted.ok(),
            lines,
        });
        admitted
    }

    fn state(&self) -> State<'_> {
        State {
            portfolio: &self.portfolio,
            market: &self.market,
            level: self.level,
            now: self.now,
            wallet: self.ledger.wallet(),
            drift: self.ledger.drift(),
        }
    }
}

fn rejection(intent: &Intent, Fail { check, measured, limit }: Fail) -> Rejection {
    Rejection::new(intent, RejectedBy::Risk, check, measured, limit)
}

/// What can not be tracked must not leave.
fn untracked(error: TrackError, intent: &Intent) -> Fail {
    let check = match error {
        TrackError::Full => Check::OpenOrders,
        TrackError::NotNew => Check::Duplicate,
        TrackError::NotOpen | TrackError::Busy => Check::OrderState,
    };
    Fail { check, measured: i128::from(intent.order.counter()), limit: 0 }
}

impl Stage for RiskStage {
    fn name(&self) -> &'static str {
        "risk"
    }

    fn poll(&mut self) -> usize {
        let Self { input, desk } = self;
        let work = desk.outbox.flush(&mut desk.output);
        if !desk.outbox.is_empty() || !desk.lane.ready() {
            return work;
        }
        let handled = pop_in_place(input, |message| desk.handle(message));
        work + usize::from(handled.is_some())
    }

    fn rest(&mut self) -> usize {
        self.desk.lane.rest()
    }
}
