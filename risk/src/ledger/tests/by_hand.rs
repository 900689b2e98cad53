//! Cases with numbers that can be checked in the head.

use super::*;

/// S0-01, S0-35: inventory that has no closing pair is on the books, and marked, from its first fill.
#[test]
fn s0_01_every_open_unit_is_marked_the_moment_that_it_exists() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (2, 100));
    assert_eq!(books.ledger().unrealized(), None, "without a mark nobody knows");
    books.mark(BTC, 95);
    assert_eq!(books.ledger().unrealized(), Some(sum(-10)));
    assert_eq!(books.ledger().wallet(), sum(9_999));
    let open: Vec<_> = books.ledger().open_positions().collect();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].qty, open[0].unrealized), (Qty(2 * ONE), Some(sum(-10))));
}

/// S0-37: every figure of a closed position.
#[test]
fn s0_37_a_closed_position_tells_its_whole_life() {
    let mut books = Books::new();
    books.touch(BTC, 99, 101);
    books.see(None, Body::Tick);
    books.trade(order(A, 1), BTC, Side::Buy, (2, 101));
    books.touch(BTC, 90, 92);
    books.see(None, Body::Tick);
    books.touch(BTC, 120, 122);
    let wallet = books.ledger().wallet().0 - sum(3).0;
    books.update(Some(BTC), AccountReason::Funding, -3, UsdSum(wallet));
    books.trade(order(A, 2), BTC, Side::Sell, (2, 111));
    let [closed] = books.closed()[..] else { panic!("one position was closed") };
    assert_eq!((closed.side, closed.exit), (Side::Buy, ExitPath::Managed));
    assert_eq!((closed.entry_tick, closed.exit_tick), (1, 2));
    assert_eq!((closed.entry_seq, closed.exit_seq), (3, 8));
    assert_eq!((closed.entry_price, closed.exit_price), (Px(101 * ONE), Px(111 * ONE)));
    assert_eq!((closed.realized, closed.fees, closed.funding), (sum(20), sum(2), sum(-3)));
    // 90 of 101 is -10.891089...%, rounded down; 120 is 18.811881...%.
    assert_eq!((closed.max_adverse, closed.max_favorable), (Bps(-10_891_090), Bps(18_811_881)));
    // Bought one above a mid of 100, sold ten below one of 121: 22 on 442, rounded up.
    assert_eq!(closed.slippage, Some(Bps(4_977_376)));
    assert!(!closed.incident);
}

/// S0-02: an exit that no strategy sent moves through the same books.
#[test]
fn s0_02_exits_by_the_venue_and_the_halt_have_moves_of_their_own() {
    let exits = [
        (StrategyId::RISK, VenueReason::None, ExitPath::Halt),
        (StrategyId::VENUE, VenueReason::Liquidation, ExitPath::Liquidation),
        (StrategyId::VENUE, VenueReason::Adl, ExitPath::Adl),
    ];
    for (who, reason, path) in exits {
        let mut books = Books::new();
        books.trade(order(A, 1), BTC, Side::Buy, (2, 100));
        books.trade(order(B, 1), BTC, Side::Buy, (1, 110));
        books.touch(BTC, 90, 92);
        books.touch(BTC, 130, 132);
        // One order closes both: its fee of 3 is shared by quantity.
        let exit = filled(order(who, 1), Side::Sell, (3, 95), 3);
        books.report(BTC, Report { reason, ..exit });
        let closed = books.closed();
        assert_eq!(closed.iter().map(|c| c.strategy).collect::<Vec<_>>(), [A, B]);
        for (closed, realized, fees) in [(&closed[0], -10, 3), (&closed[1], -15, 2)] {
            assert_eq!(closed.exit, path);
            assert_eq!((closed.realized, closed.fees), (sum(realized), sum(fees)));
            assert!(
                closed.max_adverse < Bps(0) && closed.max_favorable > Bps(0) && closed.incident
            );
        }
        // S3-14: the exit is an incident, the entries are not.
        assert_eq!(books.ledger().incident(), sum(-25 - 3));
        assert_eq!(books.ledger().position_of(who, BTC, Leg::Both).qty, Qty(0));
        assert_eq!(books.ledger().open_positions().count(), 0);
    }
}

#[test]
fn a_fill_through_zero_ends_one_position_and_begins_another() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (2, 100));
    books.send(order(A, 2), BTC, Side::Sell, 3);
    books.report(BTC, filled(order(A, 2), Side::Sell, (3, 110), 3));
    let [closed] = books.closed()[..] else { panic!("one position was closed") };
    assert_eq!((closed.realized, closed.fees, closed.qty), (sum(20), sum(3), Qty(2 * ONE)));
    let open: Vec<_> = books.ledger().open_positions().collect();
    assert_eq!((open.len(), open[0].qty, open[0].cost), (1, Qty(-ONE), sum(-110)));
    books.trade(order(A, 3), BTC, Side::Buy, (1, 105));
    let last = books.closed()[1];
    assert_eq!((last.side, last.realized, last.fees), (Side::Sell, sum(5), sum(2)));
}

/// The venue nets what strategies hold against each other; the ledger says by how much.
#[test]
fn what_the_account_nets_is_a_line_of_its_own() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (1, 100));
    books.trade(order(B, 1), BTC, Side::Sell, (1, 110));
    let ledger = books.ledger();
    assert_eq!(ledger.total(PostingKind::Realized), sum(0));
    assert_eq!(ledger.total(PostingKind::Netting), sum(10));
    assert_eq!((ledger.wallet(), ledger.unrealized()), (sum(10_008), Some(sum(0))));
    books.trade(order(A, 2), BTC, Side::Sell, (1, 120));
    books.trade(order(B, 2), BTC, Side::Buy, (1, 115));
    let ledger = books.ledger();
    assert_eq!(ledger.total_of(A, BTC, PostingKind::Realized), sum(20));
    assert_eq!(ledger.total_of(B, BTC, PostingKind::Realized), sum(-5));
    assert_eq!(ledger.total(PostingKind::Netting), sum(0), "over their lives it comes to nothing");
    assert_eq!(ledger.wallet(), sum(10_000 + 15 - 4));
}

/// S0-36: 10 cents off is an alert, a dollar blocks.
#[test]
fn s0_36_ledger_and_venue_are_compared() {
    let mut books = Books::new();
    let at = |cents: i128| UsdSum(sum(10_000).0 + cents * i128::from(ONE) / 100);
    for (cents, outcome) in [
        (0, ReconcileOutcome::Agrees),
        (-10, ReconcileOutcome::Agrees),
        (11, ReconcileOutcome::Drifts),
        (-100, ReconcileOutcome::Drifts),
        (101, ReconcileOutcome::Blocks),
    ] {
        books.update(None, AccountReason::Snapshot, 0, at(cents));
        assert_eq!(books.outcomes().last(), Some(&outcome), "{cents}");
    }
    // One from before the last fill says nothing.
    books.trade(order(A, 1), BTC, Side::Buy, (1, 100));
    let old = AccountUpdate { at: Nanos(1), ..update(AccountReason::Snapshot, 99, 0, at(0)) };
    books.see(None, Body::Account(old));
    assert_eq!(books.outcomes().last(), Some(&ReconcileOutcome::Late));
    assert_eq!(books.ledger().reconciled().last.unwrap().outcome, ReconcileOutcome::Blocks);
}

/// A fill from before the last comparison makes up for the drift that it left; one from behind it does not.
#[test]
fn s0_36_a_late_fill_makes_up_for_the_drift() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (1, 100));
    books.send(order(A, 2), BTC, Side::Sell, 1);
    // The venue has sold at 90, for a fee of one.
    books.update(None, AccountReason::Snapshot, 0, sum(9_999 - 11));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Blocks]);
    assert_eq!(books.ledger().drift(), sum(11));
    let looked_at = books.ledger().reconciled().last.unwrap().at;
    let late = Report { at: Nanos(looked_at.0 - 1), ..filled(order(A, 2), Side::Sell, (1, 90), 1) };
    books.see(Some(BTC), Body::Report(late));
    assert_eq!(books.ledger().drift(), sum(0));
    books.trade(order(A, 3), BTC, Side::Buy, (1, 100));
    books.trade(order(A, 4), BTC, Side::Sell, (1, 50));
    assert_eq!(books.ledger().drift(), sum(0), "what comes after it is no drift");
}

/// X1: the fee of a liquidation comes while the position is there, and is of who holds it.
#[test]
fn x1_a_liquidation_fee_is_a_fee_of_the_position() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (3, 100));
    books.trade(order(B, 1), BTC, Side::Buy, (1, 100));
    let wallet = UsdSum(books.ledger().wallet().0 - sum(8).0);
    books.update(Some(BTC), AccountReason::LiquidationFee, -8, wallet);
    let exit = filled(order(StrategyId::VENUE, 1), Side::Sell, (4, 90), 4);
    books.report(BTC, Report { reason: VenueReason::Liquidation, ..exit });
    let fees: Vec<_> = books.closed().iter().map(|closed| closed.fees).collect();
    assert_eq!(fees, [sum(1 + 6 + 3), sum(1 + 2 + 1)]);
    assert_eq!(books.ledger().total_of(A, BTC, PostingKind::LiquidationFee), sum(-6));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Agrees]);
}

/// Of who stands against the position nothing is closed, and the fee is none of theirs.
#[test]
fn x1_a_liquidation_fee_is_shared_as_the_exit_is() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Sell, (9, 100));
    books.trade(order(B, 1), BTC, Side::Buy, (10, 100));
    let wallet = UsdSum(books.ledger().wallet().0 - sum(8).0);
    books.update(Some(BTC), AccountReason::LiquidationFee, -8, wallet);
    assert_eq!(books.ledger().total_of(B, BTC, PostingKind::LiquidationFee), sum(-8));
    assert_eq!(books.ledger().total_of(A, BTC, PostingKind::LiquidationFee), sum(0));
    let exit = filled(order(StrategyId::VENUE, 1), Side::Sell, (1, 90), 1);
    books.report(BTC, Report { reason: VenueReason::Liquidation, ..exit });
    let held = |who| books.ledger().position_of(who, BTC, Leg::Both).qty;
    assert_eq!((held(A), held(B)), (Qty(-9 * ONE), Qty(9 * ONE)));
    // One that is told behind the fills, of the same moment, is of the balance before them.
    let executed = books.ts;
    let behind = update(AccountReason::LiquidationFee, 50, -16, sum(1));
    books.see(Some(BTC), Body::Account(AccountUpdate { at: Nanos(executed), ..behind }));
    assert_eq!(books.outcomes().last(), Some(&ReconcileOutcome::Late));
}

/// The fill that an exit by the venue closed is heard of behind it: no strategy holds it, and it is an incident.
#[test]
fn s3_14_a_fill_behind_the_exit_that_closed_it_is_of_that_exit() {
    let mut books = Books::new();
    books.send(order(A, 1), BTC, Side::Buy, 3);
    let exit = filled(order(StrategyId::VENUE, 1), Side::Sell, (2, 90), 2);
    books.report(BTC, Report { reason: VenueReason::Liquidation, ..exit });
    let held = |books: &Books, who| books.ledger().position_of(who, BTC, Leg::Both).qty;
    assert_eq!(held(&books, StrategyId::VENUE), Qty(-2 * ONE));
    books.report(BTC, filled(order(A, 1), Side::Buy, (3, 100), 3));
    assert_eq!((held(&books, StrategyId::VENUE), held(&books, A)), (Qty(0), Qty(ONE)));
    let [closed] = books.closed()[..] else { panic!("the exit alone is over") };
    assert_eq!((closed.strategy, closed.exit), (StrategyId::VENUE, ExitPath::Liquidation));
    assert_eq!((closed.realized, closed.incident), (sum(-20), true));
    assert_eq!(books.ledger().incident(), sum(-20 - 2 - 2));
}

/// Of a charge that comes late the balance that was compared knew already.
#[test]
fn s0_36_a_late_charge_makes_up_for_the_drift() {
    let mut books = Books::new();
    let charge = |n, total, wallet| {
        let at = Nanos(u64::MAX);
        Body::Account(AccountUpdate {
            at,
            ..update(AccountReason::Transfer, n, total, sum(wallet))
        })
    };
    books.see(None, Body::Account(update(AccountReason::Snapshot, 2, 0, sum(10_007))));
    assert_eq!(books.ledger().drift(), sum(7));
    books.see(None, charge(1, 7, 10_007));
    assert_eq!((books.ledger().drift(), books.ledger().wallet()), (sum(0), sum(10_007)));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Blocks, ReconcileOutcome::Late]);
}

/// Amounts are cumulative: a lost update is made up for, one that comes twice or late changes nothing.
#[test]
fn charges_are_booked_once_however_they_arrive() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (1, 100));
    let funding = |n, total, wallet| update(AccountReason::Funding, n, total, sum(wallet));
    // The first, -2, is lost.
    for update in [funding(2, -5, 9_994), funding(2, -5, 9_994), funding(1, -2, 9_997)] {
        books.see(Some(BTC), Body::Account(AccountUpdate { at: Nanos(u64::MAX), ..update }));
    }
    assert_eq!(books.ledger().total(PostingKind::Funding), sum(-5));
    assert_eq!(books.ledger().total_of(A, BTC, PostingKind::Funding), sum(-5));
    assert_eq!(books.ledger().wallet(), sum(9_994));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Agrees]);
}

/// S0-36: who asks for the balance is told all sums again: what was lost is booked, and then the wallets are compared.
#[test]
fn s0_36_what_was_lost_is_made_up_for_when_it_is_told_again() {
    let mut books = Books::new();
    // Deposits of 35, and 5 of funding, of which no news came.
    books.update(None, AccountReason::Snapshot, 0, sum(10_030));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Blocks]);
    let again = |reason, n, total| {
        let update = update(reason, n, total, sum(10_030));
        AccountUpdate { change: Usd::ZERO, at: Nanos(u64::MAX), ..update }
    };
    books.see(None, Body::Account(again(AccountReason::Transfer, 8, 35)));
    books.see(Some(BTC), Body::Account(again(AccountReason::Funding, 9, -5)));
    assert_eq!(books.outcomes().len(), 1, "half of it is not compared");
    books.see(None, Body::Account(again(AccountReason::Snapshot, 10, 0)));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Blocks, ReconcileOutcome::Agrees]);
    assert_eq!(books.ledger().total(PostingKind::Transfer), sum(35));
    assert_eq!(books.ledger().total(PostingKind::Funding), sum(-5));
    assert_eq!(books.ledger().drift(), sum(0));
}

/// Funding on a netted account is shared by what each holds: the long pays, the short receives.
#[test]
fn funding_is_shared_by_holdings() {
    let mut books = Books::new();
    books.trade(order(A, 1), BTC, Side::Buy, (3, 100));
    books.trade(order(B, 1), BTC, Side::Sell, (1, 100));
    let wallet = UsdSum(books.ledger().wallet().0 - sum(8).0);
    books.update(Some(BTC), AccountReason::Funding, -8, wallet);
    assert_eq!(books.ledger().total_of(A, BTC, PostingKind::Funding), sum(-12));
    assert_eq!(books.ledger().total_of(B, BTC, PostingKind::Funding), sum(4));
    assert_eq!(books.outcomes(), [ReconcileOutcome::Agrees]);
}

/// In hedge mode the legs do not net.
#[test]
fn legs_are_kept_apart() {
    let mut books = Books::new();
    let leg = |leg, side, counter, fill| Report { leg, ..filled(order(A, counter), side, fill, 0) };
    books.report(BTC, leg(Leg::Long, Side::Buy, 1, (1, 100)));
    books.report(BTC, leg(Leg::Short, Side::Sell, 2, (1, 110)));
    books.mark(BTC, 120);
    let ledger = books.ledger();
    assert_eq!(ledger.position_of(A, BTC, Leg::Long).qty, Qty(ONE));
    assert_eq!(ledger.position_of(A, BTC, Leg::Short).qty, Qty(-ONE));
    assert_eq!((ledger.total(PostingKind::Realized), ledger.unrealized()), (sum(0), Some(sum(10))));
    assert_eq!(ledger.open_positions().count(), 2);
}

/// S3-14: what came of an order of which nobody knew what had become of it is an incident.
#[test]
fn s3_14_fills_of_uncertain_orders_are_incidents() {
    for kind in [ReportKind::OutcomeUnknown, ReportKind::Filled] {
        let mut books = Books::new();
        books.trade(order(A, 1), BTC, Side::Buy, (1, 100));
        books.send(order(A, 2), BTC, Side::Sell, 1);
        let whole = filled(order(A, 2), Side::Sell, (1, 90), 2);
        let (cum_qty, cum_quote, cum_fee) = (Qty(0), usd(0), usd(0));
        books.report(BTC, Report { kind, cum_qty, cum_quote, cum_fee, ..whole });
        assert_eq!(books.ledger().total(PostingKind::Realized), sum(0));
        books.report(BTC, whole);
        books.report(BTC, whole);
        assert_eq!(books.ledger().total(PostingKind::Realized), sum(-10), "{kind:?}");
        assert_eq!(books.ledger().incident(), sum(-12));
        assert!(books.closed()[0].incident);
    }
}

/// What a query brings is booked like a fill, as taken.
#[test]
fn an_answer_brings_what_a_lost_report_did_not() {
    let mut books = Books::new();
    books.send(order(A, 1), BTC, Side::Buy, 2);
    let status = Status {
        order: order(A, 1),
        state: OrderState::Closed,
        side: Side::Buy,
        reduce_only: false,
        price: Px(100 * ONE),
        qty: Qty(2 * ONE),
        cum_qty: Qty(2 * ONE),
        cum_quote: usd(200),
        cum_fee: usd(1),
        at: Nanos(1),
    };
    books.see(Some(BTC), Body::Status(status));
    assert_eq!(books.ledger().total(PostingKind::FeeTaker), sum(-1));
    assert_eq!(books.ledger().position_of(A, BTC, Leg::Both).qty, Qty(2 * ONE));
}

/// S0-37: of a symbol that has nothing but bars the worst and the best move are those within them, too, but for what may
/// have been before the entry or behind the exit.
#[test]
fn s0_37_moves_within_bars_are_moves() {
    let mut books = Books::new();
    let assumed = |books: &mut Books, price: i64| {
        let level = |price: i64| Some(Level { price: Px(price * ONE), qty: Qty(ONE) });
        let touch = Touch { bid: level(price - 1), ask: level(price + 1) };
        books.see(Some(BTC), Body::Touch(TouchChange { touch, source: TouchSource::Assumed }));
    };
    let mut minutes = 0;
    let mut bar = |books: &mut Books, [low, high, close]: [i64; 3]| {
        // Told a second after its end, and an hour beside it that says nothing new.
        let open_time = Nanos(minutes * 60 * Nanos::SECOND);
        minutes += 1;
        books.ts = minutes * 60 * Nanos::SECOND;
        let minute = books.seq + 1;
        books.bar(BTC, 60, open_time, [low, high].map(|price| Px(price * ONE)));
        books.bar(BTC, 3_600, open_time, [1, 999].map(|price| Px(price * ONE)));
        assumed(books, close);
        minute
    };
    assumed(&mut books, 100);
    // Bought at 100 within a bar from 90 to 120: the low came behind it, of the high nobody knows.
    let entry = bar(&mut books, [90, 120, 100]);
    books.trade_paid_by(entry, order(A, 1), BTC, Side::Buy, (1, 100));
    bar(&mut books, [95, 130, 105]);
    // Sold at 110 within a bar that went to 80 and 150.
    let exit = bar(&mut books, [80, 150, 100]);
    books.trade_paid_by(exit, order(A, 2), BTC, Side::Sell, (1, 110));
    let [closed] = books.closed()[..] else { panic!("one position was closed") };
    assert_eq!((closed.max_adverse, closed.max_favorable), (Bps(-10_000_000), Bps(30_000_000)));
    // Left by what another bar pays, it lived through the whole one before.
    books.trade_paid_by(exit, order(A, 3), BTC, Side::Buy, (1, 100));
    bar(&mut books, [70, 101, 100]);
    books.trade_paid_by(0, order(A, 4), BTC, Side::Sell, (1, 100));
    assert_eq!(books.closed()[1].max_adverse, Bps(-30_000_000));
}
