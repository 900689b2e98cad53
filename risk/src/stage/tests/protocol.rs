//! One verdict for each intent, `last` once and on the final message, whatever the rings hold. The desk
//! checks that at every event; here are the cases.

use fusewire_core::event::Body;
use fusewire_core::instrument::InstrumentId;
use fusewire_core::kill::{KillSwitch, Level};
use fusewire_core::lane::Keep;
use fusewire_core::message::{AlphaOut, RiskOut};
use fusewire_core::order::Action;
use fusewire_core::ring::RingBuffer;
use fusewire_core::stage::Stage;
use fusewire_core::units::Nanos;

use super::{buy, desk};
use crate::limits::RiskConfig;
use crate::stage::{Ports, RiskStage};
use crate::testing::{A, B, BTC, ETH, depth, event, intent, universe};

#[test]
fn verdicts_follow_their_cause_in_order() {
    let mut desk = desk(|_| {});
    let orders = [(A, BTC, "1000"), (B, ETH, "100"), (A, BTC, "1000.05")];
    let intents = orders.map(|(strategy, on, price)| {
        intent(desk.next_id(strategy), on, Action::New(buy(price, "1")))
    });
    let (own, asked) = desk.run(Some(BTC), depth(), &intents);
    assert_eq!((own.len(), asked.len()), (0, 3));
    assert_eq!(desk.stage.counts().approved, 2);
    assert_eq!(desk.stage.counts().intents, 3);
}

/// The stage's own verdicts come before those on what alpha wants, and `last` moves behind them.
#[test]
fn own_verdicts_come_first() {
    let mut desk = desk(|_| {});
    let order = desk.send(BTC, buy("1000", "1"));
    desk.wait_seconds(1);
    let cancel = intent(order, BTC, Action::Cancel);
    let (own, asked) = desk.run(None, Body::Tick, &[cancel]);
    assert_eq!((own.len(), asked.len()), (1, 1), "a query, then the cancel");
    desk.wait_seconds(1);
    let (own, _) = desk.run(None, Body::KillLevel(Level::Halt), &[]);
    assert_eq!(own.len(), 0, "the cancel is on its way");
    let counts = desk.stage.counts();
    assert_eq!((counts.own, counts.queries, counts.intents), (1, 1, 2));
}

#[test]
fn input_waits_while_output_does() {
    let (mut input, alpha) = RingBuffer::new(8);
    let (gateway, mut output) = RingBuffer::new(1);
    let ports = Ports { input: alpha, output: gateway };
    let (config, universe) = (RiskConfig::default(), universe());
    let mut stage =
        RiskStage::new(&config, &universe, &[BTC], &[A], KillSwitch::new(), ports, Keep::Digest);
    assert_eq!((stage.name(), stage.poll()), ("risk", 0));
    for seq in 1..=3 {
        input.push(AlphaOut::Event(event(seq, Nanos(seq), None, Body::Tick))).unwrap();
    }
    assert!(stage.poll() > 0);
    assert!(stage.poll() > 0, "taking input is work, even when nothing gets out");
    for _ in 0..3 {
        assert_eq!(stage.poll(), 0, "the ring is full");
    }
    assert_eq!(input.slots(), 7, "one is on the ring, one waits, one was not taken");
    for seq in 1..=3 {
        let Ok(RiskOut::Event(event)) = output.pop() else { panic!("nothing is lost") };
        assert_eq!(event.seq, seq);
        stage.poll();
    }
}

fn refused(change: impl FnOnce(&mut RiskConfig), tradable: &[InstrumentId]) -> bool {
    let mut config = RiskConfig::default();
    change(&mut config);
    let (_input, alpha) = RingBuffer::new(1);
    let (gateway, _output) = RingBuffer::new(1);
    let ports = Ports { input: alpha, output: gateway };
    let build = std::panic::AssertUnwindSafe(|| {
        RiskStage::new(&config, &universe(), tradable, &[A], KillSwitch::new(), ports, Keep::Digest)
    });
    std::panic::catch_unwind(build).is_err()
}

#[test]
fn a_stage_that_could_not_halt_at_once_does_not_start() {
    assert!(!refused(|config| config.halt_max = 204, &[BTC]));
    assert!(refused(|config| config.halt_max = 203, &[BTC]), "200 orders and 4 symbols");
    assert!(refused(|config| config.limits.leverage_max = 6, &[BTC]));
    assert!(refused(|_| {}, &[InstrumentId(4)]));
}
