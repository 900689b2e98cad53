//! A risk stage between two rings, driven event by event, which checks what every answer must keep.

use std::collections::BTreeMap;

use fusewire_core::event::{Body, Event};
use fusewire_core::instrument::{InstrumentId, Universe};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::Keep;
use fusewire_core::message::{AlphaOut, IntentMessage, RiskOut, VerdictMessage};
use fusewire_core::order::{
    Action, Check, Class, Intent, NewOrder, OrderId, Rejection, ReportKind, StrategyId, Verdict,
};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::Stage;
use fusewire_core::units::{Nanos, Qty};

use super::{A, B, BTC, ETH, depth, event, intent, mark, report, touch, universe};
use crate::limits::{Limits, RiskConfig};
use crate::stage::{Ports, RiskStage};

/// The default configuration with some limits changed.
pub(crate) fn config(change: impl FnOnce(&mut Limits)) -> RiskConfig {
    let mut config = RiskConfig::default();
    change(&mut config.limits);
    config
}

pub(crate) struct Desk {
    pub(crate) stage: RiskStage,
    pub(crate) kill: KillSwitch,
    pub(crate) now: Nanos,
    input: Producer<AlphaOut>,
    output: Consumer<RiskOut>,
    seq: u64,
    counters: BTreeMap<StrategyId, u64>,
    /// Every verdict so far.
    pub(crate) verdicts: Vec<VerdictMessage>,
    /// What was sent under each id.
    pub(crate) sent: BTreeMap<OrderId, NewOrder>,
}

impl Desk {
    /// A desk at rest, with an output ring of one message.
    pub(crate) fn new(config: &RiskConfig) -> Self {
        Self::trading(config, &universe(), &[BTC, ETH])
    }

    /// A desk at rest in a universe of its own, with what may be traded of it.
    pub(crate) fn trading(
        config: &RiskConfig,
        universe: &Universe,
        tradable: &[InstrumentId],
    ) -> Self {
        let (input, alpha) = RingBuffer::new(64);
        let (gateway, output) = RingBuffer::new(1);
        let kill = KillSwitch::new();
        let ports = Ports { input: alpha, output: gateway };
        let stage = RiskStage::new(
            config,
            universe,
            tradable,
            &[A, B],
            kill.clone(),
            ports,
            Keep::Prefixes,
        );
        Self {
            stage,
            kill,
            now: Nanos(Nanos::SECOND),
            input,
            output,
            seq: 0,
            counters: BTreeMap::new(),
            verdicts: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    /// A desk with valid books and fresh marks: BTC at 1000, ETH at 100.
    pub(crate) fn open(config: &RiskConfig) -> Self {
        let mut desk = Self::new(config);
        desk.refresh();
        desk
    }

    /// Tells books and marks again.
    pub(crate) fn refresh(&mut self) {
        for (on, price, [bid, ask]) in
            [(BTC, "1000", ["999.9", "1000.1"]), (ETH, "100", ["99.99", "100.01"])]
        {
            for body in [depth(), touch(bid, ask), mark(price)] {
                assert_eq!(self.tell(on, body), [], "market data gives rise to nothing");
            }
        }
    }

    pub(crate) fn wait(&mut self, span: Nanos) {
        self.now = Nanos(self.now.0 + span.0);
    }

    pub(crate) fn wait_seconds(&mut self, seconds: u64) {
        self.wait(Nanos(seconds * Nanos::SECOND));
    }

    /// Sends an event alone.
    pub(crate) fn tell(&mut self, on: InstrumentId, body: Body) -> Vec<Verdict> {
        self.run(Some(on), body, &[]).0
    }

    pub(crate) fn tick(&mut self) -> Vec<Verdict> {
        self.run(None, Body::Tick, &[]).0
    }

    pub(crate) fn level(&mut self, level: Level) -> Vec<Verdict> {
        self.run(None, Body::KillLevel(level), &[]).0
    }

    /// Sends an event with an intent behind it.
    pub(crate) fn ask(&mut self, intent: Intent) -> Verdict {
        self.run(None, Body::Wake, &[intent]).1[0]
    }

    pub(crate) fn ask_new(&mut self, on: InstrumentId, new: NewOrder) -> (OrderId, Verdict) {
        self.ask_new_of(A, on, new)
    }

    pub(crate) fn ask_new_of(
        &mut self,
        strategy: StrategyId,
        on: InstrumentId,
        new: NewOrder,
    ) -> (OrderId, Verdict) {
        let order = self.next_id(strategy);
        (order, self.ask(intent(order, on, Action::New(new))))
    }

    pub(crate) fn next_id(&mut self, strategy: StrategyId) -> OrderId {
        let counter = self.counters.entry(strategy).or_default();
        *counter += 1;
        OrderId::new(1, strategy, *counter)
    }

    /// Sends an order that must be approved.
    pub(crate) fn send(&mut self, on: InstrumentId, new: NewOrder) -> OrderId {
        let (order, verdict) = self.ask_new(on, new);
        assert_eq!(refusal(&verdict), None, "{new:?}");
        order
    }

    /// Sends an order, which the venue accepts.
    pub(crate) fn rest(&mut self, on: InstrumentId, new: NewOrder) -> OrderId {
        let order = self.send(on, new);
        self.report(on, ReportKind::Accepted, order, Qty::ZERO);
        order
    }

    /// Sends an order, which fills.
    pub(crate) fn fill(&mut self, on: InstrumentId, new: NewOrder) {
        let order = self.send(on, new);
        self.report(on, ReportKind::Filled, order, new.qty);
    }

    pub(crate) fn report(&mut self, on: InstrumentId, kind: ReportKind, order: OrderId, cum: Qty) {
        let new = self.sent[&order];
        self.tell(on, Body::Report(report(kind, order, &new, cum)));
    }

    /// Drives one event with its intents through the stage: the stage's own verdicts and those on the
    /// intents.
    pub(crate) fn run(
        &mut self,
        on: Option<InstrumentId>,
        body: Body,
        intents: &[Intent],
    ) -> (Vec<Verdict>, Vec<Verdict>) {
        self.seq += 1;
        let cause = Event { last: intents.is_empty(), ..event(self.seq, self.now, on, body) };
        self.input.push(AlphaOut::Event(cause)).unwrap();
        for (index, intent) in intents.iter().enumerate() {
            let last = index + 1 == intents.len();
            let message = IntentMessage { seq: self.seq, last, intent: *intent };
            self.input.push(AlphaOut::Intent(message)).unwrap();
        }
        let mut out = Vec::new();
        while self.stage.poll() > 0 {
            while let Ok(message) = self.output.pop() {
                out.push(message);
            }
        }
        let mut own = self.check(cause, &out);
        let asked = own.split_off(own.len() - intents.len());
        for (intent, verdict) in intents.iter().zip(&asked) {
            let of = match verdict {
                Verdict::Approved(approved) => *approved.intent(),
                Verdict::Rejected(r) => Intent { order: r.order, action: r.action, ..*intent },
            };
            assert_eq!(of, *intent, "verdicts come in the order of their intents");
        }
        (own, asked)
    }

    /// The cause first, verdicts numbered behind it, `last` on the final message and nowhere else, all
    /// of them in the lane.
    fn check(&mut self, cause: Event, out: &[RiskOut]) -> Vec<Verdict> {
        let RiskOut::Event(event) = out[0] else { panic!("the cause comes first") };
        assert_eq!(event, Event { last: out.len() == 1, ..cause });
        let mut verdicts = Vec::new();
        for (index, message) in out[1..].iter().enumerate() {
            let RiskOut::Verdict(message) = message else { panic!("one cause") };
            assert_eq!((message.seq, message.index as usize), (self.seq, index));
            assert_eq!(message.last, index + 2 == out.len());
            if let Verdict::Approved(approved) = message.verdict
                && let Some(new) = approved.intent().action.order()
            {
                self.sent.insert(approved.intent().order, *new);
            }
            verdicts.push(message.verdict);
            self.verdicts.push(*message);
        }
        let all = self.verdicts.len() as u64;
        assert_eq!(self.stage.lane().records(), all);
        let counts = self.stage.counts();
        assert_eq!(counts.approved + counts.rejected.iter().sum::<u64>(), all);
        assert_eq!(counts.intents + counts.own, all);
        verdicts
    }
}

/// The check that refused, if one did.
pub(crate) fn refusal(verdict: &Verdict) -> Option<Check> {
    match verdict {
        Verdict::Approved(_) => None,
        Verdict::Rejected(Rejection { check, .. }) => Some(*check),
    }
}

/// What was approved, and as what.
pub(crate) fn approved(verdict: &Verdict) -> (Intent, Class) {
    match verdict {
        Verdict::Approved(approved) => (*approved.intent(), approved.class()),
        Verdict::Rejected(rejection) => panic!("{rejection:?}"),
    }
}

/// The same order as a reduce.
pub(crate) fn reducing(new: NewOrder) -> NewOrder {
    NewOrder { reduce_only: true, ..new }
}
