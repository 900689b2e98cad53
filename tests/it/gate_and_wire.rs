//! Between approval and wire: what a real risk stage approved, a kill word raised before the gateway looks,
//! and a venue that writes down what reaches it. Nothing but risk can make an `Approved`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use fusewire_core::book::Touch;
use fusewire_core::event::{Body, Depth, Event, Mark, Origin, TouchChange, TouchSource};
use fusewire_core::instrument::{InstrumentId, Market, Universe, common};
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::Keep;
use fusewire_core::market::Level as BookLevel;
use fusewire_core::message::{
    AlphaOut, Feedback, FeedbackBody, FeedbackOrigin, IntentMessage, RiskOut,
};
use fusewire_core::order::{
    Action, Approved, Check, Class, Intent, Liquidity, NewOrder, OrderId, RejectedBy, Report,
    ReportKind, Side, Source, StrategyId, TimeInForce, VenueReason, Verdict,
};
use fusewire_core::ring::{Consumer, Producer, RingBuffer};
use fusewire_core::stage::{DoneSeq, Stage};
use fusewire_core::units::{Nanos, ONE, Px, Qty, Usd};
use fusewire_io::gateway::wire::OrderEncoder;
use fusewire_io::gateway::{self, Feedbacks, GatewayConfig, GatewayStage, Venue};
use fusewire_risk::{self as risk, RiskConfig, RiskStage};

const BTC: InstrumentId = InstrumentId(0);
const MARK: Px = Px(60_000 * ONE);
const LOT: Qty = Qty(ONE / 1_000);

/// What reached the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Sent(u64, Class, OrderId, Action),
    CancelAll,
}

#[derive(Default)]
struct Recorder {
    reached: Vec<Reached>,
    events: u64,
    /// What to raise, and to which level, when an event comes.
    hook: Arc<OnceLock<(KillSwitch, Level)>>,
    /// Whether it fails over the next event.
    fails: Arc<AtomicBool>,
}

impl Venue for Recorder {
    fn on_event(&mut self, _event: &Event, _out: &mut Feedbacks) {
        assert!(!self.fails.swap(false, Ordering::Relaxed), "it was to fail");
        self.events += 1;
        if let Some((kill, level)) = self.hook.get() {
            kill.raise(*level);
        }
    }

    fn send(&mut self, seq: u64, _ts: Nanos, approved: &Approved, _out: &mut Feedbacks) {
        let intent = approved.intent();
        self.reached.push(Reached::Sent(seq, approved.class(), intent.order, intent.action));
    }

    fn cancel_all(&mut self, _seq: u64, _ts: Nanos, _out: &mut Feedbacks) {
        self.reached.push(Reached::CancelAll);
    }
}

/// Risk and gateway with a hand on each ring.
struct Bench {
    risk: RiskStage,
    gateway: GatewayStage<Recorder>,
    kill: KillSwitch,
    done: DoneSeq,
    to_risk: Producer<AlphaOut>,
    from_risk: Consumer<RiskOut>,
    to_gateway: Producer<RiskOut>,
    feedback: Consumer<Feedback>,
    hook: Arc<OnceLock<(KillSwitch, Level)>>,
    fails: Arc<AtomicBool>,
    seq: u64,
    now: Nanos,
}

impl Bench {
    /// A fresh book and mark, and a long position that can be reduced.
    fn new() -> Self {
        let universe = Universe::new(vec![common(Market::UsdM, "BTCUSDT").unwrap()]).unwrap();
        let (kill, done) = (KillSwitch::new(), DoneSeq::new());
        let (to_risk, input) = RingBuffer::new(64);
        let (output, from_risk) = RingBuffer::new(64);
        let (to_gateway, wire) = RingBuffer::new(64);
        let (back, feedback) = RingBuffer::new(64);
        let risk = RiskStage::new(
            &RiskConfig::default(),
            &universe,
            &[BTC],
            &[StrategyId(0)],
            kill.clone(),
            risk::Ports { input, output },
            Keep::Digest,
        );
        let venue = Recorder::default();
        let (hook, fails) = (Arc::clone(&venue.hook), Arc::clone(&venue.fails));
        let gateway = GatewayStage::new(
            GatewayConfig::default(),
            (OrderEncoder::new(&universe).unwrap(), venue),
            gateway::Ports { input: wire, feedback: back },
            kill.clone(),
            done.clone(),
            Keep::Digest,
        );
        let now = Nanos(Nanos::SECOND);
        let mut bench = Self {
            risk,
            gateway,
            kill,
            done,
            to_risk,
            from_risk,
            to_gateway,
            feedback,
            hook,
            fails,
            seq: 0,
            now,
        };
        bench.open();
        bench
    }

    fn open(&mut self) {
        let level = |price: i64| Some(BookLevel { price: Px(price), qty: Qty(ONE) });
        let touch = Touch { bid: level(MARK.0 - ONE), ask: level(MARK.0 + ONE) };
        let mark = Mark {
            price: MARK,
            index: None,
            funding_rate: None,
            next_funding: None,
            origin: Origin::Real,
        };
        let bought = new_order(1, Side::Buy, MARK, false);
        for body in [
            Body::Depth(Depth::default()),
            Body::Touch(TouchChange { touch, source: TouchSource::Book }),
            Body::Mark(mark),
        ] {
            self.through(body, &[]);
        }
        // 1 rests, 2 is filled: something to cancel and something to reduce.
        self.through(Body::Wake, &[bought, new_order(2, Side::Buy, Px(MARK.0 - ONE), false)]);
        self.through(report(1, ReportKind::Accepted, Qty::ZERO), &[]);
        self.through(report(2, ReportKind::Filled, Qty(10 * LOT.0)), &[]);
    }

    /// An event with its intents as far as risk's output.
    fn judge(&mut self, body: Body, intents: &[Intent]) -> Vec<RiskOut> {
        self.seq += 1;
        let about = !matches!(body, Body::Wake | Body::KillLevel(_));
        let event = Event {
            seq: self.seq,
            ts: self.now,
            recv: self.now,
            frame: 0,
            instrument: about.then_some(BTC),
            last: intents.is_empty(),
            stamp: Default::default(),
            body,
        };
        self.to_risk.push(AlphaOut::Event(event)).unwrap();
        for (index, intent) in intents.iter().enumerate() {
            let last = index + 1 == intents.len();
            let message = IntentMessage { seq: self.seq, last, intent: *intent };
            self.to_risk.push(AlphaOut::Intent(message)).unwrap();
        }
        while self.risk.poll() > 0 {}
        std::iter::from_fn(|| self.from_risk.pop().ok()).collect()
    }

    /// Lets the gateway have what risk said, one message a poll; returns what came back.
    fn wire(&mut self, messages: &[RiskOut]) -> Vec<Feedback> {
        for message in messages {
            self.to_gateway.push(*message).unwrap();
        }
        while self.gateway.poll() > 0 {}
        assert_eq!(self.done.get(), self.seq, "the event is done");
        std::iter::from_fn(|| self.feedback.pop().ok()).collect()
    }

    fn through(&mut self, body: Body, intents: &[Intent]) {
        let messages = self.judge(body, intents);
        assert_eq!(self.wire(&messages), []);
    }

    fn reached(&self) -> &[Reached] {
        &self.gateway.venue().reached
    }
}

fn new_order(counter: u64, side: Side, price: Px, reduce_only: bool) -> Intent {
    // Ten lots of a long position are reduced by one at a time.
    let qty = if reduce_only { LOT } else { Qty(10 * LOT.0) };
    let action = Action::New(NewOrder { side, price, qty, tif: TimeInForce::Gtc, reduce_only });
    intent(counter, action)
}

fn intent(counter: u64, action: Action) -> Intent {
    let order = OrderId::new(1, StrategyId(0), counter);
    Intent { order, instrument: BTC, source: Source::Alpha, action }
}

fn report(counter: u64, kind: ReportKind, cum_qty: Qty) -> Body {
    Body::Report(Report {
        order: OrderId::new(1, StrategyId(0), counter),
        kind,
        reason: VenueReason::None,
        side: Side::Buy,
        reduce_only: false,
        leg: fusewire_core::order::Leg::Both,
        liquidity: Liquidity::Maker,
        price: MARK,
        qty: Qty(10 * LOT.0),
        cum_qty,
        cum_quote: Usd(600 * ONE * cum_qty.0 / (10 * LOT.0)),
        cum_fee: Usd::ZERO,
        last_qty: cum_qty,
        last_price: MARK,
        payer: 0,
        // Later than anything that it may answer.
        at: Nanos(u64::MAX),
    })
}

/// One intent of each class that a strategy has, two of them refused by risk, in mixed order.
fn each_class() -> [Intent; 7] {
    let (bid, ask) = (Px(MARK.0 - 2 * ONE), Px(MARK.0 + 2 * ONE));
    [
        new_order(3, Side::Sell, ask, true),
        new_order(4, Side::Buy, bid, false),
        // Off the tick grid.
        new_order(5, Side::Buy, Px(bid.0 + 1), false),
        intent(1, Action::Amend { price: bid, qty: Qty(9 * LOT.0) }),
        new_order(6, Side::Sell, Px(ask.0 + ONE), true),
        // No such order.
        intent(99, Action::Cancel),
        intent(1, Action::Cancel),
    ]
}

/// What was encoded last, as JSON.
fn request(bench: &Bench) -> serde_json::Value {
    serde_json::from_slice(bench.gateway.request().as_bytes()).unwrap()
}

/// What a venue makes of an event, a paper venue of its whole book, keeps the first order of the event from
/// nothing; but no order and no cancel-all reaches it before the event.
#[test]
fn the_venue_is_told_of_an_event_when_its_first_order_is_encoded() {
    for raised_after in [None, Some(1)] {
        let mut bench = Bench::new();
        let (bid, ask) = (Px(MARK.0 - 2 * ONE), Px(MARK.0 + 2 * ONE));
        let both = [new_order(3, Side::Buy, bid, false), new_order(4, Side::Sell, ask, true)];
        let messages = bench.judge(Body::Wake, &both);
        let (events, reached) = (bench.gateway.venue().events, bench.reached().len());
        for (taken, message) in (1..).zip(&messages) {
            bench.to_gateway.push(*message).unwrap();
            while bench.gateway.poll() > 0 {}
            let told = bench.gateway.venue().events - events;
            assert_eq!(told, u64::from(taken > 1), "after message {taken}");
            if raised_after == Some(taken) {
                bench.kill.raise(Level::Dead);
                while bench.gateway.poll() > 0 {}
                assert_eq!(bench.gateway.venue().events, events + 1);
            }
        }
        let orders = bench.reached()[reached..].iter().map(|reached| match reached {
            Reached::Sent(_, _, order, _) => Some(*order),
            Reached::CancelAll => None,
        });
        let [buy, sell] = both.map(|intent| Some(intent.order));
        let expected = if raised_after.is_none() { vec![buy, sell] } else { vec![None] };
        assert_eq!(orders.collect::<Vec<_>>(), expected);
    }
}

/// The word counts that is read when the order leaves, not the one before it was encoded.
#[test]
fn a_word_that_rises_while_the_venue_is_told_stops_the_order() {
    for (level, cancelled) in [(Level::NoNewRisk, false), (Level::Dead, true)] {
        let mut bench = Bench::new();
        let order = new_order(3, Side::Buy, Px(MARK.0 - 2 * ONE), false);
        let messages = bench.judge(Body::Wake, &[order]);
        assert_eq!(approved(&messages).len(), 1);
        let (reached, counts) = (bench.reached().len(), *bench.gateway.counts());
        bench.hook.set((bench.kill.clone(), level)).ok().unwrap();
        let told = bench.wire(&messages);
        assert_eq!(bench.reached().len() - reached, usize::from(cancelled), "{level:?}");
        let after = bench.gateway.counts();
        assert_eq!((after.blocked - counts.blocked, after.wire_bytes), (1, counts.wire_bytes));
        assert!(
            told.iter().any(|feedback| matches!(feedback.body, FeedbackBody::Rejected(_))),
            "{told:?}"
        );
    }
}

/// A venue that fails over an event is still told to cancel everything.
#[test]
fn a_venue_that_panics_before_a_cancel_all_gets_it_afterwards() {
    let mut bench = Bench::new();
    let order = new_order(3, Side::Buy, Px(MARK.0 - 2 * ONE), false);
    let messages = bench.judge(Body::Wake, &[order]);
    bench.to_gateway.push(messages[0]).unwrap();
    while bench.gateway.poll() > 0 {}
    let reached = bench.reached().len();
    bench.fails.store(true, Ordering::Relaxed);
    bench.kill.raise(Level::Dead);
    let poll = std::panic::AssertUnwindSafe(|| bench.gateway.poll());
    assert!(std::panic::catch_unwind(poll).is_err());
    assert_eq!(bench.reached().len(), reached);
    bench.gateway.poll();
    assert_eq!(bench.reached()[reached..], [Reached::CancelAll]);
    assert_eq!(bench.gateway.counts().cancel_alls, 1);
}

#[test]
fn what_is_sent_is_encoded_and_what_is_blocked_is_not() {
    let mut bench = Bench::new();
    let before = bench.gateway.counts().wire_bytes;
    let first = bench.gateway.request().as_bytes().len() as u64;
    let bid = Px(MARK.0 - 2 * ONE);
    // The amend names no side: it is that of the order, which risk knows.
    let amend = intent(1, Action::Amend { price: bid, qty: Qty(9 * LOT.0) });
    let messages = bench.judge(Body::Wake, &[amend]);
    assert_eq!(approved(&messages).len(), 1);
    bench.wire(&messages);
    let amended = request(&bench);
    assert_eq!(
        (&amended["method"], &amended["params"]["side"]),
        (&"order.modify".into(), &"BUY".into())
    );
    assert_eq!(amended["id"], format!("{}.0", bench.seq));
    let bytes = bench.gateway.request().as_bytes().len() as u64;
    assert_eq!(bench.gateway.counts().wire_bytes, before + bytes);
    assert!(before >= 2 * first, "the two orders that the bench begins with were encoded");
    // Approved, and then the word rises.
    let messages =
        bench.judge(Body::Wake, &[new_order(7, Side::Sell, Px(MARK.0 + 2 * ONE), false)]);
    assert_eq!(approved(&messages).len(), 1);
    bench.kill.raise(Level::NoNewRisk);
    bench.wire(&messages);
    assert_eq!(bench.gateway.counts().blocked, 1);
    assert_eq!((request(&bench), bench.gateway.counts().wire_bytes), (amended, before + bytes));
}

fn approved(messages: &[RiskOut]) -> Vec<(u32, Approved)> {
    let verdicts = messages.iter().filter_map(|message| match message {
        RiskOut::Verdict(message) => Some(message),
        RiskOut::Event(_) => None,
    });
    let approved = verdicts.filter_map(|message| match message.verdict {
        Verdict::Approved(approved) => Some((message.index, approved)),
        Verdict::Rejected(_) => None,
    });
    approved.collect()
}

/// At each level: what the word forbids comes back as the gateway's own rejection with the verdict's
/// index, what it allows is sent in order, and risk's rejections are passed on all the same.
#[test]
fn a_word_raised_after_approval_stops_what_it_forbids_and_nothing_else() {
    for level in Level::ALL {
        let mut bench = Bench::new();
        let before = bench.reached().len();
        let (lane, counts) = (bench.gateway.lane().records(), *bench.gateway.counts());
        let messages = bench.judge(Body::Wake, &each_class());
        let passed = approved(&messages);
        let classes: Vec<(u32, Class)> = passed.iter().map(|(n, a)| (*n, a.class())).collect();
        let expected =
            [(0, Class::Reduce), (1, Class::NewRisk), (3, Class::NewRisk), (4, Class::Reduce)];
        assert_eq!(classes[..4], expected);
        assert_eq!(classes[4..], [(6, Class::Cancel)]);
        bench.kill.raise(level);
        let back = bench.wire(&messages);

        let (allowed, blocked): (Vec<_>, Vec<_>) =
            passed.into_iter().partition(|(_, approved)| level.allows(approved.class()));
        let mut sent: Vec<Reached> = allowed
            .iter()
            .map(|(_, a)| Reached::Sent(bench.seq, a.class(), a.intent().order, a.intent().action))
            .collect();
        if level == Level::Dead {
            sent.insert(0, Reached::CancelAll);
        }
        assert_eq!(bench.reached()[before..], sent, "{level:?}");

        for feedback in &back {
            assert_eq!(feedback.due, Nanos(bench.now.0 + Nanos::MILLI));
            assert_eq!((feedback.cause_seq, feedback.origin), (bench.seq, FeedbackOrigin::Gateway));
        }
        assert!(back.is_sorted_by_key(|feedback| feedback.n), "in the order of verdicts");
        assert_eq!(back.len(), blocked.len() + 2, "{level:?}");
        for (n, approved) in &blocked {
            let told = back.iter().find(|feedback| feedback.n == u64::from(*n)).unwrap();
            let FeedbackBody::Rejected(rejection) = told.body else { panic!("{told:?}") };
            assert_eq!(told.instrument, Some(BTC));
            assert_eq!((rejection.by, rejection.check), (RejectedBy::Gateway, Check::KillLevel));
            assert_eq!(rejection.measured.get(), level as i128);
            let limit = Level::highest_for(approved.class()) as i128;
            assert_eq!(rejection.limit.get(), limit);
            assert_eq!(rejection.order, approved.intent().order);
            assert_eq!(rejection.action, approved.intent().action);
        }
        for (n, check) in [(2, Check::Tick), (5, Check::OrderState)] {
            let told = back.iter().find(|feedback| feedback.n == n).unwrap();
            let FeedbackBody::Rejected(rejection) = told.body else { panic!("{told:?}") };
            assert_eq!((rejection.by, rejection.check), (RejectedBy::Risk, check));
        }

        let after = *bench.gateway.counts();
        let count =
            |class: Class| allowed.iter().filter(|(_, a)| a.class() == class).count() as u64;
        assert_eq!(after.blocked, blocked.len() as u64);
        assert_eq!(after.rejected - counts.rejected, 2);
        assert_eq!(after.amends, count(Class::NewRisk) / 2);
        assert_eq!(after.new - counts.new, count(Class::NewRisk) / 2 + count(Class::Reduce));
        assert_eq!(after.cancels, count(Class::Cancel));
        let cancel_all = u64::from(level == Level::Dead);
        assert_eq!(after.cancel_alls, cancel_all);
        // Sent or blocked, each approved intent has one record.
        assert_eq!(bench.gateway.lane().records() - lane, 5 + cancel_all);
    }
}

/// The halt's own reduces and cancels leave at level 2 and not at 3, though risk approved them at 2.
#[test]
fn the_halt_passes_at_two_and_not_at_three() {
    for (raised, passes) in [(Level::Halt, true), (Level::Dead, false)] {
        let mut bench = Bench::new();
        let before = bench.reached().len();
        bench.kill.raise(Level::Halt);
        let messages = bench.judge(Body::KillLevel(Level::Halt), &[]);
        let classes: Vec<Class> = approved(&messages).iter().map(|(_, a)| a.class()).collect();
        assert_eq!(classes, [Class::Cancel, Class::HaltReduce]);
        bench.kill.raise(raised);
        let back = bench.wire(&messages);
        let reached = &bench.reached()[before..];
        if passes {
            assert_eq!((reached.len(), back.len()), (2, 0));
            assert!(!reached.contains(&Reached::CancelAll));
        } else {
            assert_eq!((reached, back.len()), (&[Reached::CancelAll][..], 2));
        }
    }
}

/// What the gateway blocked frees what risk had reserved for it, once it is sequenced, and not before.
#[test]
fn a_blocked_order_gives_its_reservation_back() {
    let mut bench = Bench::new();
    let free = bench.risk.portfolio().worst_case(BTC, Side::Buy);
    let order = new_order(3, Side::Buy, Px(MARK.0 - 5 * ONE), false);
    let messages = bench.judge(Body::Wake, &[order]);
    bench.kill.raise(Level::NoNewRisk);
    let back = bench.wire(&messages);
    let reserved = bench.risk.portfolio().worst_case(BTC, Side::Buy);
    assert_eq!(reserved.0 - free.0, i128::from(10 * LOT.0));
    let FeedbackBody::Rejected(rejection) = back[0].body else { panic!("{back:?}") };
    bench.now = back[0].due;
    bench.through(Body::Rejected(rejection), &[]);
    assert_eq!(bench.risk.portfolio().worst_case(BTC, Side::Buy), free);
    assert!(bench.risk.portfolio().order(order.order).is_none());
}

/// A word raised between two verdicts of one event: the first has left, the second is stopped. The venue
/// sees every event, whatever is blocked.
#[test]
fn the_word_is_read_for_each_order() {
    let mut bench = Bench::new();
    let (before, events) = (bench.reached().len(), bench.gateway.venue().events);
    let orders = [3, 4].map(|n| new_order(n, Side::Buy, Px(MARK.0 - n.cast_signed() * ONE), false));
    let messages = bench.judge(Body::Wake, &orders);
    for message in &messages {
        bench.to_gateway.push(*message).unwrap();
    }
    assert!(bench.gateway.poll() > 0 && bench.gateway.poll() > 0);
    bench.kill.raise(Level::NoNewRisk);
    let back = bench.wire(&[]);
    let sent = Reached::Sent(bench.seq, Class::NewRisk, orders[0].order, orders[0].action);
    assert_eq!(bench.reached()[before..], [sent]);
    assert_eq!((back.len(), back[0].n), (1, 1));
    assert_eq!(bench.gateway.venue().events - events, 1);
}
