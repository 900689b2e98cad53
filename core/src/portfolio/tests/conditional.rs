//! Conditional orders: what they count for while they wait, and what ends the waiting.

use super::*;

/// Long 10, with a protective sell of 10 that waits, under id 2.
fn protected() -> Portfolio {
    let mut fold = with_order();
    fold.report(BTC, &filled(id(1), ReportKind::Filled, 10), at(2));
    let sell = NewOrder { reduce_only: true, ..limit(Side::Sell, 90, 10) };
    assert_eq!(fold.track(&intent(id(2), stop(sell, 95)), at(3)), Ok(()));
    fold.report(BTC, &told(2, ReportKind::Accepted, 4), at(4));
    fold
}

/// What the venue says of a reduce-only sell of 10 at 90.
fn told(counter: u64, kind: ReportKind, second: u64) -> Report {
    let (side, price, reduce_only) = (Side::Sell, px(90), true);
    Report { side, price, reduce_only, at: at(second), ..report(id(counter), kind) }
}

fn waits(fold: &Portfolio, counter: u64) -> Option<bool> {
    fold.order(id(counter)).map(|order| order.trigger.is_some())
}

#[test]
fn what_waits_to_reduce_counts_for_nothing_and_leaves_room_for_more() {
    let mut fold = protected();
    assert_eq!((fold.waiting(), fold.open(BTC, Side::Sell).qty), (1, QtySum::ZERO));
    assert_eq!(fold.reducible(BTC, Side::Sell), qty_sum(10));
    assert_eq!(fold.worst_case(BTC, Side::Sell), QtySum::ZERO);
    let sell = NewOrder { reduce_only: true, ..limit(Side::Sell, 110, 10) };
    assert_eq!(fold.track(&intent(id(3), stop(sell, 105)), at(5)), Ok(()));
    assert_eq!((fold.waiting(), fold.reducible(BTC, Side::Sell)), (2, qty_sum(10)));
    // Should both have traded unheard, the position is short by no more than one of them.
    assert_eq!(fold.worst_case(BTC, Side::Sell), qty_sum(10));
    assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
    // Once in the market it counts like any other.
    fold.report(BTC, &told(2, ReportKind::Triggered, 6), at(6));
    assert_eq!((waits(&fold, 2), fold.waiting()), (Some(false), 1));
    assert_eq!(fold.open(BTC, Side::Sell).reduce_only, qty_sum(10));
    assert_eq!(fold.reducible(BTC, Side::Sell), QtySum::ZERO);
    fold.report(BTC, &told(3, ReportKind::Canceled, 7), at(7));
    assert_eq!(fold.waiting(), 0);
}

#[test]
fn what_waits_to_open_counts_whole() {
    let mut fold = portfolio();
    assert_eq!(fold.track(&intent(id(1), stop(limit(Side::Buy, 100, 7), 99)), at(1)), Ok(()));
    assert_eq!((fold.waiting(), fold.worst_case(BTC, Side::Buy)), (1, qty_sum(7)));
    fold.reject(&rejection(id(1), stop(limit(Side::Buy, 100, 7), 99)));
    assert_eq!((fold.waiting(), fold.worst_case(BTC, Side::Buy)), (0, QtySum::ZERO));
}

/// The report of the trigger may be lost.
#[test]
fn a_fill_or_an_open_order_says_that_it_was_triggered() {
    let mut fold = protected();
    let fill =
        Report { cum_qty: qty(1), cum_quote: usd(90), ..told(2, ReportKind::PartialFill, 6) };
    fold.report(BTC, &fill, at(6));
    assert_eq!(waits(&fold, 2), Some(false));
    for (answer, expected) in [(OrderState::Waiting, true), (OrderState::Open, false)] {
        let mut fold = protected();
        let look = status(id(2), answer, at(6));
        fold.status(&Status { side: Side::Sell, reduce_only: true, price: px(90), ..look }, at(6));
        assert_eq!(waits(&fold, 2), Some(expected));
    }
    let mut fold = protected();
    fold.report(BTC, &told(2, ReportKind::Accepted, 6), at(6));
    assert_eq!(waits(&fold, 2), Some(true));
}

/// One that closes a position takes what is there, and says how much that is.
#[test]
fn the_trigger_tells_price_and_quantity() {
    let mut fold = protected();
    let triggered = Report { qty: qty(4), ..told(2, ReportKind::Triggered, 6) };
    fold.report(BTC, &triggered, at(6));
    assert_eq!(fold.order(id(2)).map(|order| order.qty), Some(qty(4)));
    // A report from before that comes late changes nothing.
    fold.report(BTC, &told(2, ReportKind::Triggered, 5), at(7));
    assert_eq!(fold.order(id(2)).map(|order| order.qty), Some(qty(4)));
}
