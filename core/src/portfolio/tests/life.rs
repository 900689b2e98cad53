//! The life of orders: what is reserved, what is released, and what late or repeated news may change.

use super::*;

#[test]
fn an_order_is_reserved_when_it_leaves_and_released_when_it_ends() {
    for kind in [ReportKind::Canceled, ReportKind::Expired, ReportKind::Refused] {
        let mut fold = with_order();
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
        assert_eq!(fold.worst_case(BTC, Side::Sell), QtySum::ZERO);
        assert_eq!(
            (fold.unresolved(StrategyId(0)), fold.order(id(1)).unwrap().phase),
            (1, Phase::Pending)
        );
        assert_eq!(fold.report(BTC, &report(id(1), ReportKind::Accepted), at(2)), Change::Noted);
        assert_eq!(
            (fold.unresolved(StrategyId(0)), fold.order(id(1)).unwrap().phase),
            (0, Phase::Open)
        );
        assert_eq!(fold.order(id(1)).unwrap().heard_at, at(2));
        let change = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 4), at(3));
        let execution = Execution { side: Side::Buy, qty: qty(4), quote: usd(400), fee: usd(4) };
        assert_eq!(change, Change::Executed(execution));
        assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(6));
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
        // The terminal report carries a fill that was lost.
        let _ = fold.report(BTC, &filled(id(1), kind, 7), at(4));
        assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(7));
        assert_eq!(*fold.open(BTC, Side::Buy), OpenSide::default());
        assert_eq!(fold.position(BTC).qty, qty(7));
        assert_eq!(fold.position_of(StrategyId(0), BTC).fees, sum(7));
        assert_eq!(fold.position_of(StrategyId(1), BTC), Position::default());
        assert_eq!(fold.order(id(1)), None);
    }
}

#[test]
fn nothing_that_comes_after_the_end_changes_anything() {
    let mut fold = with_order();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::Canceled, 3), at(2));
    let before = state(&fold);
    for kind in ReportKind::ALL {
        assert_eq!(fold.report(BTC, &filled(id(1), kind, 9), at(3)), Change::Nothing);
    }
    for answer in OrderState::ALL {
        assert_eq!(fold.status(&status(id(1), answer, at(9)), at(9)), Change::Nothing);
    }
    fold.reject(&rejection(id(1), Action::Cancel));
    for action in [amend(1, 1), Action::Cancel, Action::Query] {
        assert_eq!(fold.track(&intent(id(1), action), at(3)), Err(TrackError::NotOpen));
    }
    let again = intent(id(1), Action::New(limit(Side::Buy, 1, 1)));
    assert_eq!(fold.track(&again, at(3)), Err(TrackError::NotNew));
    assert_eq!(state(&fold), before);
    assert_eq!(fold.faults().duplicates, ReportKind::ALL.len() as u64);
}

#[test]
fn a_fill_of_no_more_than_what_is_known_is_a_duplicate() {
    let mut fold = with_order();
    let part = filled(id(1), ReportKind::PartialFill, 4);
    assert!(matches!(fold.report(BTC, &part, at(2)), Change::Executed(_)));
    assert_eq!(fold.report(BTC, &part, at(3)), Change::Noted);
    let older = filled(id(1), ReportKind::PartialFill, 3);
    assert_eq!(fold.report(BTC, &older, at(3)), Change::Noted);
    assert_eq!(fold.position(BTC).qty, qty(4));
    assert_eq!(fold.faults().duplicates, 2);
}

#[test]
fn an_id_is_used_once() {
    let mut fold = with_order();
    let again = intent(id(1), Action::New(limit(Side::Sell, 1, 1)));
    assert_eq!(fold.track(&again, at(2)), Err(TrackError::NotNew));
    assert!(fold.is_known(id(1)) && !fold.is_known(id(2)));
}

#[test]
fn a_full_table_takes_no_order_and_counts_what_it_can_not_meet() {
    let mut fold = portfolio();
    let new = |counter| intent(id(counter), Action::New(limit(Side::Buy, 100, 1)));
    for counter in 1..=ORDERS_MAX as u64 {
        assert_eq!(fold.track(&new(counter), at(1)), Ok(()));
    }
    let before = state(&fold);
    assert_eq!(fold.track(&new(99), at(1)), Err(TrackError::Full));
    assert_eq!(fold.report(BTC, &filled(id(99), ReportKind::Filled, 1), at(1)), Change::Nothing);
    assert_eq!(state(&fold), before);
    assert_eq!(fold.faults().overflow, 1);
    let _ = fold.report(BTC, &report(id(1), ReportKind::Canceled), at(2));
    assert_eq!(fold.track(&new(99), at(2)), Ok(()));
}

#[test]
fn orders_of_others_are_met_by_their_reports() {
    let mut fold = portfolio();
    for (order, own) in
        [(OrderId::new(1, StrategyId::RISK, 1), 4), (OrderId::new(1, StrategyId(77), 1), 0)]
    {
        let before = fold.position(ETH).qty;
        let part = Report {
            side: Side::Sell,
            reduce_only: true,
            ..filled(order, ReportKind::PartialFill, 4)
        };
        assert!(matches!(fold.report(ETH, &part, at(2)), Change::Executed(_)));
        let met = fold.order(order).unwrap();
        assert_eq!((met.instrument, met.side, met.reduce_only), (ETH, Side::Sell, true));
        assert_eq!((met.price, met.qty, met.phase), (px(100), qty(10), Phase::Open));
        assert_eq!(fold.open(ETH, Side::Sell).reduce_only, qty_sum(6));
        assert_eq!(fold.position(ETH).qty.0, before.0 - qty(4).0);
        assert_eq!(fold.position_of(order.strategy(), ETH).qty, qty(-own));
        assert_eq!(fold.unresolved(order.strategy()), 0);
        let _ = fold.report(ETH, &Report { kind: ReportKind::Canceled, ..part }, at(3));
        assert_eq!(*fold.open(ETH, Side::Sell), OpenSide::default());
        // It is remembered as any other.
        assert_eq!(fold.report(ETH, &part, at(4)), Change::Nothing);
        assert_eq!(fold.position(ETH).qty.0, before.0 - qty(4).0);
    }
}

#[test]
fn an_order_that_ends_with_its_first_report_leaves_nothing_open() {
    let mut fold = portfolio();
    let whole = filled(id(5), ReportKind::Filled, 10);
    assert!(matches!(fold.report(BTC, &whole, at(1)), Change::Executed(_)));
    assert_eq!(fold.report(BTC, &whole, at(1)), Change::Nothing);
    assert_eq!((fold.position(BTC).qty, fold.orders().len()), (qty(10), 0));
}

#[test]
fn an_amend_counts_the_larger_quantity_until_it_is_answered() {
    for (size, pending, after) in [(15, 15, 15), (6, 10, 6)] {
        let mut fold = with_order();
        let _ = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 2), at(2));
        assert_eq!(fold.track(&intent(id(1), amend(101, size)), at(3)), Ok(()));
        assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(pending - 2));
        assert_eq!(fold.unresolved(StrategyId(0)), 1);
        assert_eq!(fold.order(id(1)).unwrap().most_aggressive_price(), px(101));
        assert_eq!(fold.order(id(1)).unwrap().unanswered_since(), Some(at(3)));
        let done =
            Report { price: px(101), qty: qty(size), ..filled(id(1), ReportKind::Amended, 2) };
        assert_eq!(fold.report(BTC, &done, at(4)), Change::Noted);
        let order = fold.order(id(1)).unwrap();
        assert_eq!((order.price, order.qty, order.amend), (px(101), qty(size), None));
        assert_eq!((order.amended_at, order.in_doubt), (at(4), false));
        assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(after - 2));
        assert_eq!(fold.unresolved(StrategyId(0)), 0);
    }
}

#[test]
fn a_refused_amend_leaves_the_order_as_it_was() {
    let mut fold = with_order();
    let _ = fold.report(BTC, &report(id(1), ReportKind::Accepted), at(2));
    let before = state(&fold);
    let _ = fold.track(&intent(id(1), amend(90, 15)), at(3));
    assert_eq!(fold.order(id(1)).unwrap().most_aggressive_price(), px(100));
    let _ = fold.report(BTC, &report(id(1), ReportKind::AmendRefused), at(2));
    assert_eq!(state(&fold), before);
    let _ = fold.track(&intent(id(1), amend(90, 15)), at(3));
    fold.reject(&rejection(id(1), amend(90, 15)));
    assert_eq!(state(&fold), before);
    // The rejection of another amend says nothing of this one.
    let _ = fold.track(&intent(id(1), amend(90, 15)), at(3));
    fold.reject(&rejection(id(1), amend(90, 14)));
    assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(15));
}

#[test]
fn the_more_aggressive_price_depends_on_the_side() {
    let mut fold = portfolio();
    let sell = intent(id(1), Action::New(limit(Side::Sell, 100, 10)));
    let _ = fold.track(&sell, at(1));
    let _ = fold.track(&intent(id(1), amend(90, 10)), at(1));
    assert_eq!(fold.order(id(1)).unwrap().most_aggressive_price(), px(90));
    fold.reject(&rejection(id(1), amend(90, 10)));
    let _ = fold.track(&intent(id(1), amend(110, 10)), at(1));
    assert_eq!(fold.order(id(1)).unwrap().most_aggressive_price(), px(100));
}

/// The report of an amend at `price` to `size` that was done at a second.
fn amended(price: i64, size: i64, second: u64) -> Report {
    let at = at(second);
    Report { price: px(price), qty: qty(size), at, ..report(id(1), ReportKind::Amended) }
}

/// A fold whose order was amended twice: to 8 at 101, then to 12 at 102, at second 5.
fn amended_twice() -> Portfolio {
    let mut fold = with_order();
    let _ = fold.report(BTC, &report(id(1), ReportKind::Accepted), at(2));
    for (second, price, size) in [(3, 101, 8), (5, 102, 12)] {
        assert_eq!(fold.track(&intent(id(1), amend(price, size)), at(second - 1)), Ok(()));
        let _ = fold.report(BTC, &amended(price, size, second), at(second));
    }
    fold
}

#[test]
fn a_stale_amend_does_not_undo_a_newer_one() {
    let mut fold = amended_twice();
    let _ = fold.report(BTC, &amended(101, 8, 3), at(6));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.price, order.qty), (px(102), qty(12)));
    // Nor does it answer one that is on its way.
    let _ = fold.track(&intent(id(1), amend(103, 14)), at(7));
    let _ = fold.report(BTC, &amended(101, 8, 3), at(8));
    assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(14));
    assert_eq!(fold.unresolved(StrategyId(0)), 1);
    // Not even when it says the same: what was done before it left is another one.
    let _ = fold.report(BTC, &amended(103, 14, 6), at(8));
    assert_eq!(fold.unresolved(StrategyId(0)), 1);
    let _ = fold.report(BTC, &amended(103, 14, 8), at(9));
    assert_eq!(fold.unresolved(StrategyId(0)), 0);
}

/// An amend that was taken for lost was done after all: what the venue did last holds.
#[test]
fn an_amend_that_nobody_waits_for_counts_when_it_is_the_latest() {
    let mut fold = amended_twice();
    let _ = fold.report(BTC, &amended(104, 20, 6), at(6));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.price, order.qty, order.in_doubt), (px(104), qty(20), false));
    // Beside one that is on its way only the venue knows; the worse of both holds.
    let _ = fold.track(&intent(id(1), amend(103, 5)), at(7));
    let _ = fold.report(BTC, &amended(105, 30, 8), at(8));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.qty, order.in_doubt, order.amend.is_some()), (qty(30), true, true));
}

/// What the venue has is taken, whatever else is on its way.
#[test]
fn an_answer_counts_beside_an_amend_that_is_not_answered() {
    let mut fold = amended_twice();
    let _ = fold.track(&intent(id(1), amend(105, 5)), at(7));
    let look = Status { price: px(104), qty: qty(20), ..status(id(1), OrderState::Open, at(8)) };
    let _ = fold.status(&look, at(9));
    assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(20));
    assert_eq!(fold.unresolved(StrategyId(0)), 1);
}

#[test]
fn an_older_status_does_not_undo_a_newer_amend() {
    let mut fold = amended_twice();
    let look = |second| Status {
        price: px(101),
        qty: qty(8),
        ..status(id(1), OrderState::Open, at(second))
    };
    let _ = fold.status(&look(4), at(6));
    let _ = fold.status(&look(5), at(6));
    assert_eq!(fold.order(id(1)).unwrap().qty, qty(12));
    let _ = fold.status(&look(6), at(7));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.price, order.qty), (px(101), qty(8)));
}

#[test]
fn an_older_status_does_not_undo_a_newer_one() {
    let mut fold = with_order();
    let _ = fold.track(&intent(id(1), amend(101, 15)), at(3));
    let look = |second, size| Status {
        price: if size == 15 { px(101) } else { px(100) },
        qty: qty(size),
        ..status(id(1), OrderState::Open, at(second))
    };
    // The amend's own report is lost, and an answer from before it comes behind one that shows it.
    let _ = fold.status(&look(5, 15), at(6));
    assert_eq!(fold.order(id(1)).unwrap().amend, None);
    let _ = fold.status(&look(2, 10), at(7));
    assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(15));
}

#[test]
fn an_answer_from_before_an_amend_left_does_not_confirm_it() {
    let mut fold = amended_twice();
    // Down to 3, and on its way back to the 10 at 100 that it once was.
    let _ = fold.track(&intent(id(1), amend(101, 3)), at(6));
    let _ = fold.report(BTC, &amended(101, 3, 7), at(7));
    let _ = fold.track(&intent(id(1), amend(100, 10)), at(8));
    let _ = fold.status(&status(id(1), OrderState::Open, at(2)), at(9));
    assert_eq!(fold.open(BTC, Side::Buy).qty, qty_sum(10));
    let _ = fold.report(BTC, &amended(100, 10, 10), at(10));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.price, order.qty, order.amend), (px(100), qty(10), None));
}

#[test]
fn only_one_change_is_on_its_way() {
    let mut fold = with_order();
    let track = |fold: &mut Portfolio, action| fold.track(&intent(id(1), action), at(2));
    assert_eq!(track(&mut fold, amend(101, 5)), Ok(()));
    assert_eq!(track(&mut fold, amend(102, 5)), Err(TrackError::Busy));
    // A cancel overtakes an amend, but not another cancel.
    assert_eq!(track(&mut fold, Action::Cancel), Ok(()));
    assert_eq!(track(&mut fold, Action::Cancel), Err(TrackError::Busy));
    assert_eq!(fold.unresolved(StrategyId(0)), 3);
    let _ = fold.report(BTC, &report(id(1), ReportKind::AmendRefused), at(3));
    assert_eq!(track(&mut fold, amend(102, 5)), Err(TrackError::Busy));
    let _ = fold.report(BTC, &report(id(1), ReportKind::CancelRefused), at(3));
    assert_eq!(track(&mut fold, amend(102, 5)), Ok(()));
    // Queries do no harm, and do not count.
    assert_eq!(track(&mut fold, Action::Query), Ok(()));
    assert_eq!(track(&mut fold, Action::Query), Ok(()));
    assert_eq!(fold.order(id(1)).unwrap().query_since, Some(at(2)));
    for action in [amend(1, 1), Action::Cancel, Action::Query] {
        assert_eq!(fold.track(&intent(id(9), action), at(2)), Err(TrackError::NotOpen));
    }
}

#[test]
fn an_unknown_order_is_released_only_when_it_can_no_longer_arrive() {
    let mut fold = with_order();
    let _ = fold.track(&intent(id(1), Action::Query), at(2));
    // Sent at second 1, and five seconds may pass, whatever else is heard of it meanwhile.
    let _ = fold.report(BTC, &report(id(1), ReportKind::CancelRefused), at(4));
    assert_eq!(fold.status(&status(id(1), OrderState::Unknown, at(6)), at(9)), Change::Noted);
    assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.phase, order.query_since), (Phase::Pending, None));
    let late = Nanos(at(6).0 + 1);
    assert_eq!(fold.status(&status(id(1), OrderState::Unknown, late), at(9)), Change::Noted);
    assert_eq!(fold.worst_case(BTC, Side::Buy), QtySum::ZERO);
    assert_eq!(fold.order(id(1)), None);
}

#[test]
fn an_open_order_has_lost_its_cancel_only_when_that_can_no_longer_arrive() {
    let mut fold = with_order();
    let _ = fold.track(&intent(id(1), amend(101, 15)), at(2));
    let _ = fold.track(&intent(id(1), Action::Cancel), at(3));
    let _ = fold.track(&intent(id(1), Action::Query), at(4));
    let waits = |fold: &Portfolio| {
        let order = fold.order(id(1)).unwrap();
        (order.amend.is_some(), order.cancel_since.is_some(), fold.open(BTC, Side::Buy).qty)
    };
    let _ = fold.status(&status(id(1), OrderState::Open, at(7)), at(7));
    assert_eq!(waits(&fold), (true, true, qty_sum(15)));
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.phase, order.query_since, order.heard_at), (Phase::Open, None, at(7)));
    let _ = fold.status(&status(id(1), OrderState::Open, Nanos(at(7).0 + 1)), at(8));
    assert_eq!(waits(&fold), (false, true, qty_sum(10)));
    let _ = fold.status(&status(id(1), OrderState::Open, Nanos(at(8).0 + 1)), at(9));
    assert_eq!(waits(&fold), (false, false, qty_sum(10)));
}

#[test]
fn an_answer_brings_fills_that_were_lost() {
    let mut fold = with_order();
    let look = |answer, cum| Status {
        cum_qty: qty(cum),
        cum_quote: usd(100 * cum),
        cum_fee: usd(cum),
        ..status(id(1), answer, at(2))
    };
    assert!(matches!(fold.status(&look(OrderState::Open, 3), at(3)), Change::Executed(_)));
    assert_eq!(fold.status(&look(OrderState::Open, 2), at(3)), Change::Noted);
    assert_eq!((fold.position(BTC).qty, fold.open(BTC, Side::Buy).qty), (qty(3), qty_sum(7)));
    let change = fold.status(&look(OrderState::Closed, 5), at(3));
    let execution = Execution { side: Side::Buy, qty: qty(2), quote: usd(200), fee: usd(2) };
    assert_eq!(change, Change::Executed(execution));
    assert_eq!((fold.position(BTC).qty, fold.orders().len()), (qty(5), 0));
}

#[test]
fn a_rejection_takes_back_what_it_refused_and_no_more() {
    let mut fold = with_order();
    let before = state(&fold);
    let _ = fold.track(&intent(id(1), Action::Cancel), at(2));
    let _ = fold.track(&intent(id(1), Action::Query), at(2));
    fold.reject(&rejection(id(1), Action::Cancel));
    assert_eq!(fold.unresolved(StrategyId(0)), 1);
    fold.reject(&rejection(id(1), Action::Query));
    assert_eq!(state(&fold), before);
    fold.reject(&rejection(id(9), Action::New(limit(Side::Buy, 1, 1))));
    assert_eq!(state(&fold), before);
    fold.reject(&rejection(id(1), Action::New(limit(Side::Buy, 100, 10))));
    assert_eq!(fold.orders().len(), 0);
    assert!(fold.is_known(id(1)));
}

#[test]
fn an_unknown_order_of_the_venue_is_in_doubt_until_it_answers() {
    let mut fold = with_order();
    let refused =
        Report { reason: VenueReason::UnknownOrder, ..report(id(1), ReportKind::CancelRefused) };
    let _ = fold.report(BTC, &refused, at(2));
    // It says nothing of an order that is on its way: that stays reserved.
    let order = fold.order(id(1)).unwrap();
    assert_eq!((order.in_doubt, order.phase), (true, Phase::Pending));
    assert_eq!(fold.worst_case(BTC, Side::Buy), qty_sum(10));
    let _ = fold.status(&status(id(1), OrderState::Open, at(3)), at(3));
    assert!(!fold.order(id(1)).unwrap().in_doubt);
}

#[test]
fn a_position_nets_against_no_order_and_bounds_what_may_reduce_it() {
    let mut fold = portfolio();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::Filled, 10), at(1));
    let mut send = |counter, side, size, reduce_only| {
        let new = NewOrder { reduce_only, ..limit(side, 100, size) };
        fold.track(&intent(id(counter), Action::New(new)), at(1)).unwrap();
        let worst = SIDES.map(|side| fold.worst_case(BTC, side));
        (worst, SIDES.map(|side| fold.reducible(BTC, side)))
    };
    let of = |whole: [i64; 2]| whole.map(qty_sum);
    assert_eq!(send(2, Side::Sell, 4, true), (of([10, 4]), of([0, 6])));
    assert_eq!(send(3, Side::Sell, 3, false), (of([10, 7]), of([0, 6])));
    assert_eq!(send(4, Side::Buy, 5, false), (of([15, 7]), of([0, 6])));
    assert_eq!(send(5, Side::Sell, 20, true), (of([15, 27]), of([0, 0])));
}

#[test]
fn a_report_out_of_range_changes_nothing_and_releases_nothing() {
    let mut fold = with_order();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 4), at(2));
    let near = Position { qty: Qty(i64::MAX), ..*fold.position(BTC) };
    fold.account[BTC.index()] = near;
    let before = state(&fold);
    for kind in [ReportKind::PartialFill, ReportKind::Filled, ReportKind::Canceled] {
        assert_eq!(fold.report(BTC, &filled(id(1), kind, 5), at(3)), Change::Nothing);
    }
    for answer in [OrderState::Open, OrderState::Closed] {
        let look = Status { cum_qty: qty(5), ..status(id(1), answer, at(3)) };
        assert_eq!(fold.status(&look, at(4)), Change::Nothing);
    }
    assert_eq!(state(&fold), before);
    assert_eq!(*fold.faults(), Faults { range: 5, ..Faults::default() });
}

#[test]
fn amounts_that_differ_by_more_than_an_account_holds_are_out_of_range() {
    let mut fold = with_order();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::PartialFill, 4), at(2));
    let before = state(&fold);
    let next = filled(id(1), ReportKind::Filled, 10);
    for bad in
        [Report { cum_quote: Usd(i64::MIN), ..next }, Report { cum_fee: Usd(i64::MIN), ..next }]
    {
        assert_eq!(fold.report(BTC, &bad, at(3)), Change::Nothing);
    }
    assert_eq!((state(&fold), fold.faults().range), (before, 2));
}

#[test]
fn events_are_taken_at_their_time_and_rejections_are_left_to_the_owner() {
    let mut fold = with_order();
    let accepted = Body::Report(report(id(1), ReportKind::Accepted));
    let before = state(&fold);
    assert_eq!(fold.apply(&event(at(3), None, accepted)), Change::Nothing);
    let new = Action::New(limit(Side::Buy, 100, 10));
    for other in
        [Body::Rejected(rejection(id(1), new)), Body::Tick, Body::BookInvalid(Invalid::Gap)]
    {
        assert_eq!(fold.apply(&event(at(3), Some(BTC), other)), Change::Nothing);
    }
    assert_eq!(state(&fold), before);
    assert_eq!(fold.apply(&event(at(3), Some(BTC), accepted)), Change::Noted);
    assert_eq!(fold.order(id(1)).unwrap().heard_at, at(3));
    let open = Body::Status(status(id(1), OrderState::Closed, at(3)));
    assert_eq!(fold.apply(&event(at(4), Some(BTC), open)), Change::Noted);
    assert_eq!(fold.orders().len(), 0);
}
