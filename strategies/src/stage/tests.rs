//! The harness: order of messages, bounds, attribution, the lane.

use std::sync::mpsc;

use fusewire_core::event::Control;
use fusewire_core::order::{
    Action, Check, Intent, OrderId, RejectedBy, Rejection, ReportKind, Source, StrategyId,
};

use super::*;
use crate::noop::Noop;
use crate::rig::{BTC, ETH, Rig, Scripted, buy, px, qty};
use crate::strategy::Amend;

/// Sends as many orders on each tick.
fn sender(count: usize) -> Scripted {
    Scripted::new(move |event, _, orders| {
        if event.body == Body::Tick {
            for _ in 0..count {
                let _ = orders.send(BTC, buy());
            }
        }
    })
}

fn ids(intents: &[Intent]) -> Vec<(u8, u64)> {
    intents.iter().map(|i| (i.order.strategy().0, i.order.counter())).collect()
}

#[test]
fn noop_sees_everything_and_sends_nothing() {
    let mut rig = Rig::new(vec![Noop, Noop]);
    assert!(rig.market(BTC, "60000", "60000.1").is_empty());
    assert!(rig.kill(KillLevel::Halt).is_empty());
    assert_eq!(*rig.stage.counts(), AlphaCounts { events: 4, ..AlphaCounts::default() });
    assert_eq!(rig.stage.lane().records(), 0);
    assert_eq!((rig.stage.name(), rig.stage.strategies().len()), ("alpha", 2));
}

#[test]
fn ids_rise_by_one_and_carry_session_and_seat() {
    let config = AlphaConfig { session: 7, ..AlphaConfig::default() };
    let mut rig = Rig::with(&config, vec![sender(2), sender(1)], &[BTC], 64);
    // The rig checks that the event comes first, and `last` once, on the final message.
    assert_eq!(ids(&rig.tick()), [(0, 1), (0, 2), (1, 1)]);
    let second = rig.tick();
    assert_eq!(ids(&second), [(0, 3), (0, 4), (1, 2)]);
    assert!(second.iter().all(|i| i.order.session() == 7 && i.source == Source::Alpha));
    assert_eq!((rig.stage.counts().events, rig.stage.counts().intents), (2, 6));
}

#[test]
fn last_is_set_here_whatever_came_in() {
    let mut rig = Rig::new(vec![Noop]);
    let event = Event { last: false, ..rig.next(None, Body::Tick) };
    rig.input.push(event).unwrap();
    rig.stage.poll();
    assert_eq!(rig.output.pop(), Ok(AlphaOut::Event(Event { last: true, ..event })));
}

#[test]
fn intents_have_a_bound_on_each_event_and_strategy() {
    let config = AlphaConfig { intents_max: 3, ..AlphaConfig::default() };
    let mut rig = Rig::with(&config, vec![sender(5), sender(4)], &[BTC], 64);
    let expected = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)];
    assert_eq!(ids(&rig.tick()), expected);
    assert_eq!(rig.stage.counts().refused[Refused::IntentsMax as usize], 3);
    // Refusals use up no ids.
    assert_eq!(ids(&rig.tick())[0], (0, 4));
}

#[test]
fn unanswered_intents_have_a_bound_and_answers_make_room() {
    let config = AlphaConfig { inflight_max: 3, ..AlphaConfig::default() };
    let mut rig = Rig::with(&config, vec![sender(2), sender(1)], &[BTC], 64);
    let first = rig.tick();
    assert_eq!(ids(&rig.tick()), [(0, 3), (1, 2)]);
    // Without answers the first strategy stands still; the second has its own bound.
    assert_eq!(ids(&rig.tick()), [(1, 3)]);
    assert_eq!(ids(&rig.tick()), []);
    assert_eq!(rig.stage.counts().refused[Refused::InflightMax as usize], 1 + 2 + 3);
    // A rejection of either origin answers, and so does a report.
    rig.reject(&first[0]);
    assert_eq!(ids(&rig.tick()), [(0, 4)]);
    let blocked = Rejection::new(&first[1], RejectedBy::Gateway, Check::KillLevel, 1, 0);
    rig.event(Some(BTC), Body::Rejected(blocked));
    assert_eq!(ids(&rig.tick()), [(0, 5)]);
    rig.report(OrderId::new(1, StrategyId(0), 3), ReportKind::Accepted);
    assert_eq!(ids(&rig.tick()), [(0, 6)]);
    assert_eq!(ids(&rig.tick()), []);
}

#[test]
fn open_orders_have_a_bound_over_all_strategies() {
    let config = AlphaConfig { orders_max: 3, ..AlphaConfig::default() };
    let mut rig = Rig::with(&config, vec![sender(2), sender(2)], &[BTC], 64);
    assert_eq!(ids(&rig.tick()), [(0, 1), (0, 2), (1, 1)]);
    assert_eq!(rig.stage.counts().refused[Refused::OrdersMax as usize], 1);
}

#[test]
fn strategies_see_the_event_folded() {
    let (tell, seen) = mpsc::channel();
    let strategy = Scripted::new(move |event, view, orders| {
        tell.send((view.unresolved(), view.position_of(BTC).qty)).unwrap();
        if event.seq == 1 {
            orders.send(BTC, buy()).unwrap();
            orders.send(BTC, buy()).unwrap();
            // Tracked as formed, but the view is that of the event.
            assert_eq!(view.unresolved(), 0);
        }
    });
    let mut rig = Rig::new(vec![strategy]);
    let sent = rig.tick();
    rig.fill(sent[0].order, "0.001");
    rig.reject(&sent[1]);
    let expected = [(0, qty("0")), (1, qty("0.001")), (0, qty("0.001"))];
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_never_tracked_here_is_not_taken_back() {
    let mut rig = Rig::new(vec![sender(1)]);
    let own = rig.tick();
    let risk =
        Intent { order: OrderId::new(1, StrategyId::RISK, 1), source: Source::Risk, ..own[0] };
    // An order of risk's own that the venue reported stays, whatever became of the next intent on it.
    let mut report = rig.report_on(own[0].order, ReportKind::Accepted);
    report.order = risk.order;
    rig.event(Some(BTC), Body::Report(report));
    rig.reject(&risk);
    assert!(rig.stage.portfolio().order(risk.order).is_some());
    rig.reject(&own[0]);
    assert!(rig.stage.portfolio().order(own[0].order).is_none());
}

#[test]
fn two_strategies_keep_their_attribution() {
    let mut rig = Rig::new(vec![sender(1), sender(1)]);
    let sent = rig.tick();
    rig.fill(sent[0].order, "0.003");
    rig.fill(sent[1].order, "0.001");
    let own = [0, 1].map(|seat| rig.stage.portfolio().position_of(StrategyId(seat), BTC).qty);
    assert_eq!(own, [qty("0.003"), qty("0.001")]);
    assert_eq!(rig.position(BTC).qty, qty("0.004"));
    assert_eq!(rig.position(ETH).qty, qty("0"));
}

#[test]
fn an_order_may_be_sent_amended_and_taken_back_on_one_event() {
    let strategy = Scripted::new(|event, _, orders| {
        if event.seq == 1 {
            let id = orders.send(BTC, buy()).unwrap();
            let to = Amend { price: px("59000"), qty: qty("0.002") };
            orders.amend(id, to).unwrap();
            assert_eq!(orders.amend(id, to), Err(Refused::Busy));
            orders.cancel(id).unwrap();
            assert_eq!(orders.cancel(id), Err(Refused::Busy));
        }
    });
    let mut rig = Rig::new(vec![strategy]);
    let sent = rig.tick();
    let amend = Action::Amend { price: px("59000"), qty: qty("0.002") };
    let actions: Vec<Action> = sent.iter().map(|intent| intent.action).collect();
    assert_eq!(actions, [Action::New(buy()), amend, Action::Cancel]);
    let order = rig.order(sent[0].order);
    assert_eq!(order.unresolved(), 3);
    assert_eq!(order.sent_at, rig.now);
}

#[test]
fn nothing_is_lost_on_a_ring_of_one() {
    let mut rig = Rig::with(&AlphaConfig::default(), vec![sender(3)], &[BTC], 1);
    let mut out = Vec::new();
    for _ in 0..3 {
        let event = rig.next(None, Body::Tick);
        rig.input.push(event).unwrap();
        // The event fits, the intents wait: no further input is taken.
        assert!(rig.stage.poll() > 0);
        let next = rig.next(None, Body::Control(Control::Raise(KillLevel::Halt)));
        rig.input.push(next).unwrap();
        assert_eq!(rig.stage.poll(), 0, "a full ring gives no work");
        while let Ok(message) = rig.output.pop() {
            out.push(message);
            rig.stage.poll();
        }
    }
    let seqs: Vec<(u64, bool)> = out
        .iter()
        .map(|message| match message {
            AlphaOut::Event(event) => (event.seq, event.last),
            AlphaOut::Intent(message) => (message.seq, message.last),
        })
        .collect();
    let one = |seq| [(seq, false), (seq, false), (seq, false), (seq, true), (seq + 1, true)];
    assert_eq!(seqs, [one(1), one(3), one(5)].concat());
    assert_eq!(rig.stage.poll(), 0);
}

#[test]
fn the_lane_holds_every_intent_in_the_order_in_which_it_left() {
    let mut rig = Rig::new(vec![sender(2), sender(1)]);
    let mut expected = LaneWriter::new(Keep::Prefixes);
    for seq in 1..=3 {
        for intent in rig.tick() {
            expected.append(&Record::intent(&IntentMessage { seq, last: false, intent }));
        }
    }
    let lane = rig.stage.lane();
    assert_eq!((lane.records(), lane.prefixes()), (9, expected.prefixes()));
    assert_eq!(lane.digest(), expected.digest());
}

/// X20: during the warm-up everything is seen and nothing is sent, by the time of events alone; ids begin with the
/// first order that is taken.
#[test]
fn x20_a_warm_up_shows_everything_and_takes_nothing() {
    let run = |seconds| {
        let config =
            AlphaConfig { warm_up: Nanos(seconds * Nanos::SECOND), ..AlphaConfig::default() };
        let mut rig = Rig::with(&config, vec![sender(1)], &[BTC], 64);
        let sent: Vec<_> = (0..4).map(|_| rig.pass(1_000).tick()).collect();
        let refused = rig.stage.counts().refused[Refused::WarmUp as usize];
        (sent, refused, rig.stage.counts().events)
    };
    let (all, refused, _) = run(0);
    assert_eq!((all.iter().map(Vec::len).collect::<Vec<_>>(), refused), (vec![1; 4], 0));
    let (late, refused, events) = run(2);
    assert_eq!((late.iter().map(Vec::len).collect::<Vec<_>>(), refused), (vec![0, 0, 1, 1], 2));
    assert_eq!(events, 4);
    assert_eq!(late[2][0].order, all[0][0].order);
}

#[test]
fn bounds_are_checked_by_name() {
    assert_eq!(AlphaConfig::default().validate(), Ok(()));
    type Spoil = fn(&mut AlphaConfig);
    let bad: [(&str, Spoil); 5] = [
        ("intents_max", |c| c.intents_max = 0),
        ("inflight_max", |c| c.inflight_max = 0),
        ("orders_max", |c| c.orders_max = COUNT_MAX + 1),
        ("closed_max", |c| c.closed_max = 0),
        ("arrival_max", |c| c.arrival_max = Nanos(0)),
    ];
    for (name, spoil) in bad {
        let mut config = AlphaConfig::default();
        spoil(&mut config);
        let error = config.validate().unwrap_err();
        assert!(error.starts_with(name), "{error}");
    }
}
