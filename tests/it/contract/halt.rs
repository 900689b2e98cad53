//! The kill levels: what may leave, and that a halt ends flat.

use fusewire_core::event::{Body, Control};
use fusewire_core::kill::Level;
use fusewire_core::order::{Action, Class};
use fusewire_core::sequencer::ControlInput;
use fusewire_core::units::Nanos;
use proptest::prelude::*;

use super::money::check_counts;
use super::order::{Whole, faults, wall, wall_setup, whole, wild};
use super::rig::Setup;
use super::walk::{Pace, START};

/// Nothing that the level forbids left from event `seq` on.
fn check_sent(rig: &Whole, seq: u64, level: Level) {
    for sent in rig.gateway.venue().sent.iter().filter(|sent| sent.seq >= seq) {
        assert!(level.allows(sent.class), "event {}: {sent:?} at {level:?}", sent.seq);
        assert_eq!(
            sent.class == Class::Cancel,
            matches!(sent.intent.action, Action::Cancel | Action::Query)
        );
    }
}

/// The event of the command.
fn raised_at(rig: &Whole) -> u64 {
    let events = &rig.gateway.venue().events;
    events.iter().find(|event| matches!(event.body, Body::Control(_))).unwrap().seq
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// C17, C18: a level raised by a command. At 1 nothing adds risk; at 2 all is cancelled and left,
    /// however many reports are lost; at 3 the gateway cancels alone.
    #[test]
    fn a_raised_level_holds(
        seed in any::<u64>(), symbols in 1_usize..3, faults in faults(),
        level in 1_u8..4, millis in 5_000_u64..20_000,
    ) {
        let level = Level::from_number(level).unwrap();
        let mut setup = Setup::new(symbols, seed);
        setup.paper.faults = faults;
        let at = Nanos(START.0 + millis * Nanos::MILLI);
        setup.controls = vec![ControlInput { at, control: Control::Raise(level) }];
        let mut rig = whole(&setup, (Pace::Fast, 800, 30), wild(&setup, 3));
        let mut at_raise = None;
        rig.watched(|rig| {
            if at_raise.is_none() && rig.kill.level() == level {
                let truth = rig.gateway.venue().paper.portfolio();
                at_raise = Some(truth.orders().len());
            }
        });
        check_counts(&rig);
        prop_assert!(at_raise.is_some());
        let seq = raised_at(&rig);
        check_sent(&rig, seq, level);
        prop_assert_eq!(rig.risk.level(), level);
        let (counts, truth) = (rig.gateway.counts(), rig.gateway.venue().paper.portfolio());
        prop_assert_eq!(counts.cancel_alls, u64::from(level == Level::Dead));
        match level {
            Level::Run | Level::NoNewRisk => {}
            Level::Halt => {
                prop_assert_eq!(truth.orders(), &[]);
                prop_assert_eq!(rig.gateway.venue().paper.open_orders(), 0);
                for id in setup.ids() {
                    prop_assert_eq!(truth.position(id).qty.0, 0);
                    prop_assert_eq!(rig.risk.portfolio().position(id).qty.0, 0);
                }
                prop_assert_eq!(rig.risk.portfolio().orders(), &[]);
            }
            Level::Dead => {
                prop_assert_eq!(rig.gateway.venue().paper.open_orders(), 0);
                let later = rig.gateway.venue().sent.iter().filter(|sent| sent.seq >= seq).count();
                prop_assert_eq!(later, 0, "nothing leaves at all");
            }
        }
    }

    /// The word raised from outside the stream, between any two events: the gateway stops at once, before
    /// anybody downstream is told.
    #[test]
    fn a_word_raised_from_outside_holds_at_once(
        seed in any::<u64>(), level in 1_u8..4, event in 200_u64..3_000,
    ) {
        let level = Level::from_number(level).unwrap();
        let setup = Setup::new(2, seed).tiny();
        let mut rig = whole(&setup, (Pace::Fast, 1_000, 5), wild(&setup, 2));
        rig.watched(|rig| {
            if rig.head.seq() == event {
                rig.kill.raise(level);
            }
        });
        check_sent(&rig, event + 1, level);
        let told = rig.gateway.venue().events.iter().find(|told| told.body == Body::KillLevel(level));
        prop_assert_eq!(told.unwrap().seq, event + 1, "it is the next that is sequenced");
        if level >= Level::Halt {
            prop_assert_eq!(rig.gateway.venue().paper.open_orders(), 0);
        }
    }
}

/// Over a thousand resting orders are cancelled by what risk forms at one event.
#[test]
fn c18_a_halt_of_many_orders_fits_one_event() {
    let orders = 1_500;
    let mut setup = wall_setup(3, orders);
    (setup.risk.limits.open_max, setup.risk.limits.reduce_reserve) = (2_000, 200);
    let at = Nanos(START.0 + 2 * Nanos::SECOND);
    setup.controls = vec![ControlInput { at, control: Control::Raise(Level::Halt) }];
    let mut rig = whole(&setup, (Pace::Fast, 100, 3), wall(&setup, orders as u64));
    let mut most = 0;
    rig.watched(|rig| most = most.max(rig.gateway.venue().paper.open_orders()));
    assert_eq!(most, orders);
    check_counts(&rig);
    let told = raised_at(&rig) + 1;
    let sent = rig.gateway.venue().sent.iter();
    let cancels = sent.filter(|sent| sent.seq == told && sent.intent.action == Action::Cancel);
    assert_eq!(cancels.count(), orders, "all at the event that tells of the level");
    assert_eq!(rig.gateway.venue().paper.open_orders(), 0);
    assert!(rig.risk.portfolio().orders().is_empty());
    assert_eq!(rig.gateway.venue().paper.stats().overflowed, 0);
}
