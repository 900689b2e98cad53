//! Which symbols may be traded, by whom, and that the halt leaves also what may not.

use fusewire_core::instrument::{Instrument, Universe};
use fusewire_core::kill::Level;
use fusewire_core::order::{Check, Class, NewOrder, OrderId, ReportKind, Side};

use super::{buy, sell};
use crate::testing::{
    A, BTC, Desk, ETH, SPOT, approved, config, mark, px, qty, reducing, refusal, touch, universe,
    usd,
};

/// Tells of a fill of a leftover order, whose id is not of the numbering that risk began with.
fn foreign_fill(desk: &mut Desk, new: NewOrder) {
    let order = OrderId::new(2, A, 1);
    desk.sent.insert(order, new);
    desk.report(ETH, ReportKind::Filled, order, new.qty);
    desk.next_id(A);
}

/// C12: a contract that is not on the list is only observed, whatever an order does to risk; the halt
/// asks for no list.
#[test]
fn c12_a_contract_that_is_not_on_the_list_is_left_by_the_halt_only() {
    let mut desk = Desk::trading(&config(|_| {}), &universe(), &[BTC]);
    desk.refresh();
    foreign_fill(&mut desk, buy("100", "1"));
    let check = |desk: &mut Desk, new| refusal(&desk.ask_new(ETH, new).1);
    assert_eq!(check(&mut desk, buy("100", "1")), Some(Check::Universe));
    assert_eq!(check(&mut desk, reducing(sell("100", "1"))), Some(Check::Universe));
    let verdicts = desk.level(Level::Halt);
    assert_eq!(verdicts.len(), 1);
    let (intent, class) = approved(&verdicts[0]);
    assert_eq!((intent.instrument, class), (ETH, Class::HaltReduce));
}

/// C12: the list can not make a spot pair or a contract that does not trade tradable.
#[test]
fn c12_the_list_is_not_enough() {
    let suspended = |(id, instrument): (_, &Instrument)| {
        let trading = id != ETH;
        Instrument { trading, ..instrument.clone() }
    };
    let universe = Universe::new(universe().iter().map(suspended).collect()).unwrap();
    let mut desk = Desk::trading(&config(|_| {}), &universe, &[BTC, ETH, SPOT]);
    desk.refresh();
    for body in [crate::testing::depth(), touch("999.9", "1000.1"), mark("1000")] {
        desk.tell(SPOT, body);
    }
    for (on, new, check) in [
        (SPOT, buy("1000", "0.1"), Some(Check::Universe)),
        (ETH, buy("100", "1"), Some(Check::Universe)),
        (BTC, buy("1000", "0.1"), None),
    ] {
        assert_eq!(refusal(&desk.ask_new(on, new).1), check, "{on:?}");
    }
}

/// C2: a sell below the mark is worth the mark.
#[test]
fn c2_an_order_is_worth_the_mark_when_that_is_dearer() {
    let mut desk = Desk::open(&config(|limits| limits.order_notional_max = usd("1490")));
    let sell = |price| NewOrder { side: Side::Sell, price: px(price), ..buy("1", "1.5") };
    let (_, verdict) = desk.ask_new(BTC, sell("991"));
    assert_eq!(refusal(&verdict), Some(Check::OrderNotional));
    let (_, verdict) = desk.ask_new(BTC, NewOrder { qty: qty("1.49"), ..sell("991") });
    assert_eq!(refusal(&verdict), None);
}

/// S0-07: a lower leverage than the ceiling is kept too.
#[test]
fn s0_07_the_configured_leverage_binds() {
    let mut config = config(|limits| limits.leverage_max = 2);
    config.balance = usd("500");
    let mut desk = Desk::open(&config);
    assert_eq!(refusal(&desk.ask_new(BTC, buy("1000", "1.001")).1), Some(Check::Leverage));
    assert_eq!(refusal(&desk.ask_new(BTC, buy("1000", "1")).1), None);
}
