//! Orders that are filled without fills, outcomes that nobody knows, and exits by somebody else.

use super::*;

/// S3-22 and the incident of March 2026: statuses came and fills did not. Nothing is taken for flat, nothing
/// is made up, all of it stays reserved, and fills that come late are booked once.
#[test]
fn s3_22_a_filled_order_without_its_fills_settles() {
    let by_report = |fold: &mut Portfolio| {
        assert_eq!(fold.report(BTC, &filled(id(1), ReportKind::Filled, 0), at(2)), Change::Noted);
    };
    let by_answer = |fold: &mut Portfolio| {
        let told = status(id(1), OrderState::Settling, at(2));
        assert_eq!(fold.status(&told, at(2)), Change::Noted);
    };
    let tell: [&dyn Fn(&mut Portfolio); 2] = [&by_report, &by_answer];
    for tell in tell {
        let mut fold = with_order();
        tell(&mut fold);
        let order = *fold.order(id(1)).unwrap();
        assert_eq!((order.phase, order.unresolved()), (Phase::Settling, 1));
        assert_eq!(order.unanswered_since(), Some(at(2)), "queries go out");
        assert_eq!(fold.position(BTC).qty, Qty::ZERO);
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
        // Late news that it was accepted does not open it again, nor does an old answer.
        let _ = fold.report(BTC, &report(id(1), ReportKind::Accepted), at(3));
        let _ = fold.status(&status(id(1), OrderState::Open, at(1)), at(3));
        assert_eq!(fold.order(id(1)).unwrap().phase, Phase::Settling);
        // The fills, the first of them twice.
        for _ in 0..2 {
            let _ = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 4), at(4));
        }
        assert_eq!(fold.position(BTC).qty, qty(4));
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
        let _ = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 10), at(5));
        assert_eq!((fold.position(BTC).qty, fold.order(id(1))), (qty(10), None));
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
    }
}

/// Row 7, -1007: an outcome that is not known is neither a refusal nor an acceptance. Only the venue's word or
/// proof of absence ends it.
#[test]
fn row_7_an_unknown_outcome_stays_reserved_until_the_venue_says_more() {
    let unknown = report(id(1), ReportKind::OutcomeUnknown);
    let with_unknown = || {
        let mut fold = with_order();
        assert_eq!(fold.report(BTC, &unknown, at(2)), Change::Noted);
        let order = *fold.order(id(1)).unwrap();
        assert_eq!((order.phase, order.in_doubt, order.unresolved()), (Phase::Unknown, true, 1));
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
        fold
    };
    // It was done.
    let mut fold = with_unknown();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::Filled, 10), at(3));
    assert_eq!((fold.position(BTC).qty, fold.order(id(1))), (qty(10), None));
    // The venue does not know it yet: it may still arrive. Then it is too late for that.
    let mut fold = with_unknown();
    let _ = fold.status(&status(id(1), OrderState::Unknown, at(3)), at(3));
    assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
    let late = at(60);
    let _ = fold.status(&status(id(1), OrderState::Unknown, late), late);
    assert_eq!((fold.worst_case(BTC, Side::Buy), fold.order(id(1))), (QtySum::ZERO, None));
    // Of a cancel: the order stands, and is asked about.
    let mut fold = with_order();
    let _ = fold.report(BTC, &report(id(1), ReportKind::Accepted), at(2));
    fold.track(&intent(id(1), Action::Cancel), at(3)).unwrap();
    let _ = fold.report(BTC, &unknown, at(4));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.phase, order.in_doubt), (Phase::Open, true));
    assert_eq!(order.cancel_since, Some(at(3)));
}

/// An exit by the halt, a liquidation or deleveraging is one of who held the position: its strategy hears of it, and
/// does not go on to close what is gone.
#[test]
fn exits_by_risk_and_venue_are_those_of_the_holders() {
    for sender in [StrategyId::RISK, StrategyId::VENUE] {
        let mut fold = portfolio();
        let order = |strategy, counter| OrderId::new(1, strategy, counter);
        let told =
            |order, side, kind, size| Report { side, qty: qty(size), ..filled(order, kind, size) };
        for (strategy, side, size) in [
            (StrategyId(0), Side::Buy, 5),
            (StrategyId(1), Side::Buy, 3),
            (StrategyId(9), Side::Buy, 1),
        ] {
            let _ =
                fold.report(BTC, &told(order(strategy, 1), side, ReportKind::Filled, size), at(1));
        }
        // 7 of 9: all of the first, 2 of the second, each with its part of the fee of 7.
        let exit = told(order(sender, 1), Side::Sell, ReportKind::Filled, 7);
        assert!(matches!(fold.report(BTC, &exit, at(2)), Change::Executed(_)));
        let of = |strategy| fold.position_of(StrategyId(strategy), BTC);
        assert_eq!((of(0).qty, of(0).fees), (Qty::ZERO, sum(5 + 5)));
        assert_eq!((of(1).qty, of(1).fees), (qty(1), sum(3 + 2)));
        assert_eq!(fold.position(BTC).qty, qty(2));
        // What nobody holds is the sender's.
        let more = told(order(sender, 2), Side::Sell, ReportKind::Filled, 4);
        let _ = fold.report(BTC, &more, at(3));
        assert_eq!(fold.position_of(StrategyId(1), BTC).qty, Qty::ZERO);
        assert_eq!(fold.position_of(sender, BTC).qty, qty(-3));
        assert_eq!(fold.position(BTC).qty, qty(-2));
        // The fill that it closed comes late, and more with it: that alone is held.
        let late = told(order(StrategyId(0), 2), Side::Buy, ReportKind::Filled, 5);
        let _ = fold.report(BTC, &late, at(4));
        let of = |strategy| fold.position_of(strategy, BTC).qty;
        assert_eq!((of(sender), of(StrategyId(0))), (Qty::ZERO, qty(2)));
        // A strategy's own order is no other strategy's.
        let own = told(order(StrategyId(1), 2), Side::Sell, ReportKind::Filled, 2);
        let _ = fold.report(BTC, &own, at(5));
        let of = |strategy| fold.position_of(StrategyId(strategy), BTC).qty;
        assert_eq!((of(0), of(1)), (qty(2), qty(-2)));
    }
}
