//! Which orders are known to be over.

use super::*;

#[test]
fn finished_orders_are_remembered_back_to_the_window() {
    let mut fold = portfolio();
    let end = |fold: &mut Portfolio, counter| {
        fold.report(BTC, &filled(id(counter), ReportKind::Filled, 10), at(1))
    };
    for counter in 1..=20 {
        assert!(matches!(end(&mut fold, counter), Change::Executed(_)));
    }
    // Those of the window by what is remembered, older ones because they are old.
    for counter in 1..=20 {
        assert!(fold.is_known(id(counter)));
        assert_eq!(end(&mut fold, counter), Change::Nothing);
    }
    // A gap in the window is not finished; one behind it is taken as finished.
    assert!(matches!(end(&mut fold, 30), Change::Executed(_)));
    assert_eq!(end(&mut fold, 21), Change::Nothing);
    assert!(!fold.is_known(id(23)) && fold.is_known(id(22)));
    assert!(matches!(end(&mut fold, 23), Change::Executed(_)));
    assert_eq!(end(&mut fold, 23), Change::Nothing);
}

/// An old order that ends must not be taken for a newer one in the same cell, nor wipe it out.
#[test]
fn an_order_older_than_the_window_ends_like_any_other() {
    let mut fold = with_order();
    for counter in 2..=9 {
        let _ = fold.report(BTC, &filled(id(counter), ReportKind::Filled, 10), at(1));
    }
    assert!(fold.order(id(1)).is_some());
    assert!(matches!(
        fold.report(BTC, &filled(id(1), ReportKind::Filled, 10), at(2)),
        Change::Executed(_)
    ));
    let before = state(&fold);
    for counter in 1..=9 {
        let _ = fold.report(BTC, &filled(id(counter), ReportKind::Filled, 10), at(3));
    }
    assert_eq!(state(&fold), before);
}

/// One memory for all strategies forgot the orders of those that trade rarely.
#[test]
fn a_busy_strategy_does_not_make_a_quiet_ones_duplicate_count() {
    let mut fold = with_order();
    let last = filled(id(1), ReportKind::Filled, 10);
    let _ = fold.report(BTC, &last, at(2));
    for counter in 1..=100 {
        let busy = OrderId::new(1, StrategyId(1), counter);
        let _ = fold.report(ETH, &report(busy, ReportKind::Canceled), at(3));
    }
    assert_eq!(fold.report(BTC, &last, at(4)), Change::Nothing);
    assert_eq!(fold.position(BTC).qty, qty(10));
}

#[test]
fn orders_of_strategies_without_a_seat_are_remembered_too() {
    let mut fold = portfolio();
    let end = |fold: &mut Portfolio, strategy| {
        let order = OrderId::new(1, StrategyId(strategy), 1);
        fold.report(BTC, &filled(order, ReportKind::Filled, 10), at(1))
    };
    for strategy in 100..112 {
        assert!(matches!(end(&mut fold, strategy), Change::Executed(_)));
    }
    // The last eight.
    for strategy in 104..112 {
        assert_eq!(end(&mut fold, strategy), Change::Nothing);
    }
    assert!(!fold.is_known(OrderId::new(1, StrategyId(103), 1)));
}
