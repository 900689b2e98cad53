//! Money beside fills: funding, liquidation, deleveraging, transfers; and what the venue does wrong on purpose.

use fusewire_core::event::{Control, Funding, Liquidation, Mark, Origin};
use fusewire_core::instrument::Life;
use fusewire_core::order::{AccountReason, AccountUpdate, ReportKind, VenueReason};
use fusewire_core::units::{Rate, UsdSum};

use super::*;
use crate::venue::paper::{Misbehaviour, Outage, OutageKind};

/// 100 USD at 1e-8.
const HUNDRED: i64 = 100 * ONE;

fn mark_of(price: i64, rate: i64, next: u64) -> Body {
    Body::Mark(Mark {
        price: Px(price),
        index: None,
        funding_rate: Some(Rate(rate)),
        next_funding: Some(Nanos(next)),
        origin: Origin::Real,
    })
}

fn updates(floor: &Floor) -> Vec<AccountUpdate> {
    let update = |feedback: &Feedback| match feedback.body {
        FeedbackBody::Account(update) => Some(update),
        FeedbackBody::Report(_)
        | FeedbackBody::Status(_)
        | FeedbackBody::Rejected(_)
        | FeedbackBody::Wake => None,
    };
    floor.told.iter().filter_map(update).collect()
}

/// A floor on which `qty` whole coins were bought (or sold) at 100 USD.
fn holding(config: PaperConfig, qty: i64) -> Floor {
    let mut floor = Floor::new(config);
    let deep = 1_000 * ONE;
    floor.book(&[(HUNDRED, deep)], &[(HUNDRED, deep)]);
    floor.book(&[(HUNDRED - ONE, deep)], &[(HUNDRED, deep)]);
    if qty > 0 {
        floor.enter(1, buy(Tif::Ioc, HUNDRED, qty * ONE));
    } else {
        floor.book(&[(HUNDRED, deep)], &[(HUNDRED + ONE, deep)]);
        floor.enter(1, sell(Tif::Ioc, HUNDRED, -qty * ONE));
    }
    assert_eq!(floor.position(), qty * ONE);
    floor
}

/// S0-35: 2 coins at a mark of 110 and 0.01 %: 0.022, at the boundary, once, however late the next event comes.
#[test]
fn s0_35_funding_settles_once_at_its_boundary() {
    for (qty, paid) in [(2, -2_200_000), (-2, 2_200_000)] {
        let mut floor = holding(config(), qty);
        let boundary = floor.ts + 500;
        floor.event(mark_of(110 * ONE, 100_000_000, boundary));
        floor.ts += 499;
        floor.event(Body::Tick);
        assert_eq!(updates(&floor), [], "not before");
        floor.ts += 7;
        floor.event(Body::Tick);
        // Marks go on naming the boundary that is over, and then the next.
        floor.event(mark_of(120 * ONE, 100_000_000, boundary));
        floor.event(mark_of(120 * ONE, 50_000_000, boundary + 1_000));
        let [update] = updates(&floor)[..] else { panic!("one update: {:?}", updates(&floor)) };
        assert_eq!(update.reason, AccountReason::Funding);
        assert_eq!((update.change, update.total), (Usd(paid), Usd(paid)));
        assert_eq!((update.qty, update.price), (Qty(qty * ONE), Px(110 * ONE)));
        assert_eq!((update.rate, update.at), (Rate(100_000_000), Nanos(boundary)));
        assert_eq!(i128::from(update.wallet.0), floor.venue.wallet().0);
        floor.ts += 1_000;
        floor.event(Body::Tick);
        // 2 coins at 120 and 0.005 %.
        let second = updates(&floor)[1];
        assert_eq!(second.change, Usd(paid.signum() * 1_200_000));
        assert_eq!((second.total, second.n), (Usd(paid + second.change.0), 2));
    }
}

/// S0-32: a rate that is assumed to be zero charges nobody, and is not counted as a charge; a real one of zero is.
#[test]
fn s0_32_an_assumed_rate_of_zero_is_no_charge() {
    for (origin, charged) in [(Origin::Assumed, 0), (Origin::Real, 1)] {
        let mut floor = holding(config(), 2);
        let boundary = 8 * 3_600 * Nanos::SECOND;
        let Body::Mark(mark) = mark_of(110 * ONE, 0, boundary) else { panic!("a mark") };
        floor.event(Body::Mark(Mark { origin, ..mark }));
        floor.ts = boundary;
        floor.event(Body::Tick);
        let counts = |floor: &Floor| {
            let stats = floor.venue.stats();
            (stats.boundaries_held, stats.boundaries_charged)
        };
        // Data that end with the boundary may lack the charge, which the exchange tells a little later.
        assert_eq!(counts(&floor), (charged, charged), "{origin:?}");
        floor.ts += 61 * Nanos::SECOND;
        floor.event(Body::Tick);
        assert_eq!(counts(&floor), (1, charged), "{origin:?}");
    }
}

/// S0-31: funding as it was charged is charged at once, whatever marks said of it, and no boundary twice.
#[test]
fn s0_31_funding_as_charged_takes_the_place_of_what_marks_say() {
    let mut floor = holding(config(), 2);
    let boundary = floor.ts + 500;
    floor.event(mark_of(110 * ONE, 100_000_000, boundary));
    floor.ts += 500;
    // The tick of the boundary comes first: what the mark said is settled, and what was charged is the same.
    floor.event(Body::Tick);
    let charged = |at, rate| Body::Funding(Funding { at: Nanos(at), rate: Rate(rate) });
    floor.event(charged(boundary + 7_000_000, 300_000_000));
    let again = updates(&floor)[1];
    // The same boundary, told 7 ms late: 0.02 % of 2 coins at 110 more.
    assert_eq!((again.change, again.total), (Usd(-4_400_000), Usd(-6_600_000)));
    floor.event(charged(boundary + 7_000_000, 300_000_000));
    assert_eq!(updates(&floor).len(), 2, "put right once");
    // An hour on: 2 coins at 110 and 0.03 %, and the next boundary of the mark no longer counts.
    let hour = 3_600 * Nanos::SECOND;
    floor.event(mark_of(110 * ONE, 100_000_000, boundary + hour));
    floor.ts += hour - 1;
    floor.event(charged(floor.ts, 300_000_000));
    floor.ts += 10;
    floor.event(Body::Tick);
    let changes: Vec<_> = updates(&floor).iter().map(|update| update.change).collect();
    assert_eq!(changes, [Usd(-2_200_000), Usd(-4_400_000), Usd(-6_600_000)]);
    assert_eq!(updates(&floor)[2].at, Nanos(boundary + hour - 1));
    // Marks go on naming boundaries, and nobody is charged for what they say.
    floor.event(mark_of(110 * ONE, 100_000_000, boundary + 2 * hour));
    floor.ts += 2 * hour;
    floor.event(Body::Tick);
    assert_eq!(updates(&floor).iter().filter(|one| one.change != Usd::ZERO).count(), 3);
}

/// S0-36: a boundary at which nothing is held tells the balance all the same.
#[test]
fn s0_36_a_flat_account_is_told_its_balance_at_the_boundary() {
    let mut floor = Floor::new(config());
    let boundary = floor.ts + 10;
    floor.event(mark_of(HUNDRED, 1, boundary));
    floor.event_on(Some(OTHER), mark_of(HUNDRED, 1, boundary));
    floor.ts += 20;
    floor.event(Body::Tick);
    let [update] = updates(&floor)[..] else { panic!("one for both: {:?}", updates(&floor)) };
    assert_eq!((update.reason, update.change), (AccountReason::Snapshot, Usd(0)));
    assert_eq!((update.wallet, update.at), (Usd(10_000 * ONE), Nanos(boundary)));
}

#[test]
fn transfers_and_looks_are_answered_with_the_balance() {
    let mut floor = Floor::new(config());
    floor.event_on(None, Body::Control(Control::Transfer(Usd(-250 * ONE))));
    floor.event_on(None, Body::Control(Control::Reconcile));
    let told: Vec<_> = updates(&floor).iter().map(|u| (u.reason, u.change, u.wallet)).collect();
    assert_eq!(
        told,
        [
            (AccountReason::Transfer, Usd(-250 * ONE), Usd(9_750 * ONE)),
            (AccountReason::Transfer, Usd(0), Usd(9_750 * ONE)),
            (AccountReason::Snapshot, Usd(0), Usd(9_750 * ONE)),
        ]
    );
    assert_eq!(updates(&floor)[1].total, Usd(-250 * ONE), "told again: it may have been lost");
    let repeats: Vec<_> = updates(&floor).iter().map(AccountUpdate::is_repeat).collect();
    assert_eq!(repeats, [false, true, false]);
}

/// S0-36: who asks is told of funding and of transfers again, each once.
#[test]
fn s0_36_all_that_was_charged_is_told_again() {
    let mut floor = holding(config(), 2);
    let boundary = floor.ts + 10;
    floor.event(mark_of(110 * ONE, 100_000_000, boundary));
    floor.ts += 20;
    floor.event(Body::Tick);
    floor.event_on(None, Body::Control(Control::Transfer(Usd(50 * ONE))));
    // What came back to nothing may have been lost half way.
    floor.event_on(None, Body::Control(Control::Transfer(Usd(-50 * ONE))));
    let before = updates(&floor).len();
    floor.event_on(None, Body::Control(Control::Reconcile));
    let told: Vec<_> =
        updates(&floor)[before..].iter().map(|u| (u.reason, u.change, u.total)).collect();
    assert_eq!(
        told,
        [
            (AccountReason::Funding, Usd(0), Usd(-2_200_000)),
            (AccountReason::Transfer, Usd(0), Usd(0)),
            (AccountReason::Snapshot, Usd(0), Usd(0)),
        ]
    );
    assert_eq!(floor.venue.stats().fundings, 1, "what is told again is not charged again");
    floor.event(Body::Tick);
    assert_eq!(updates(&floor).len(), before + 3, "once");
}

/// 50 coins at 100 USD with 1,000 USD behind them, by the scale assumed for small symbols: up to 5,000 USD of notional
/// 3 % are asked for. Long, the balance falls to that at 100 - (1,000 - 2.5 - maintenance) / 50.
#[test]
fn x1_what_has_lost_its_margin_is_liquidated_with_a_fee() {
    let small = PaperConfig { balance: Usd(1_000 * ONE), ..config() };
    for side in [1, -1] {
        let mut floor = holding(small, side * 50);
        floor.enter(
            9,
            if side > 0 { buy(Tif::Gtc, 50 * ONE, ONE) } else { sell(Tif::Gtc, 150 * ONE, ONE) },
        );
        let fee = i128::from(25 * ONE / 10);
        let before = floor.venue.wallet().0;
        assert_eq!(before, i128::from(1_000 * ONE) - fee, "a taker's fee of 5 bp");
        // Just above the margin: nothing happens.
        let near = HUNDRED - side * 16 * ONE;
        floor.event(mark_of(near, 0, u64::MAX));
        assert_eq!(floor.venue.stats().liquidations, 0);
        // Gone. The book shows one coin at a better price than the bankruptcy price.
        let gone = HUNDRED - side * 18 * ONE;
        let better = gone;
        if side > 0 {
            floor.book(&[(better, ONE)], &[(better + ONE, ONE)]);
        } else {
            floor.book(&[(better - ONE, ONE)], &[(better, ONE)]);
        }
        floor.seen = floor.told.len();
        floor.event(mark_of(gone, 0, u64::MAX));
        assert_eq!((floor.position(), floor.venue.stats().liquidations), (0, 1));
        let reports = floor.news();
        assert!(reports.iter().all(|report| report.reason == Why::Liquidation), "{reports:?}");
        assert_eq!(reports[0].kind, Kind::Canceled, "the open order goes first");
        let fills: Vec<_> = reports.iter().filter(|report| report.kind.is_fill()).collect();
        assert!(fills.iter().all(|f| f.order.strategy() == StrategyId::VENUE));
        assert_eq!((fills[0].last_qty, fills[0].last_price), (Qty(ONE), Px(better)));
        // The rest at the price at which nothing is left, paid by the mark.
        assert_eq!((fills[1].last_qty, fills[1].payer), (Qty(49 * ONE), floor.seq));
        let told = updates(&floor);
        let fee = told.iter().find(|u| u.reason == AccountReason::LiquidationFee).unwrap();
        let quote: i64 = fills.last().unwrap().cum_quote.0;
        // 1.25 % of all that was closed.
        assert_eq!(
            -fee.change.0,
            i64::try_from((i128::from(quote) * 125 + 9_999) / 10_000).unwrap()
        );
        let place = |is: &dyn Fn(&FeedbackBody) -> bool| {
            floor.told.iter().position(|feedback| is(&feedback.body)).unwrap()
        };
        let charged = place(
            &|body| matches!(body, FeedbackBody::Account(u) if u.reason == AccountReason::LiquidationFee),
        );
        let closed = place(
            &|body| matches!(body, FeedbackBody::Report(r) if r.reason == Why::Liquidation && r.kind.is_fill()),
        );
        assert!(charged < closed, "while somebody holds it");
        let insured = told.iter().find(|u| u.reason == AccountReason::Insurance).unwrap();
        assert!(insured.change > Usd(0), "the fee was more than what was left");
        assert_eq!((floor.venue.wallet(), insured.wallet), (UsdSum(0), Usd(0)));
    }
}

/// A forced order on the tape takes the opposite position in profit, by a hash.
#[test]
fn a_position_in_profit_covers_a_liquidation_when_it_is_asked_to() {
    let forced =
        |side, price| Body::Liquidation(Liquidation { side, price: Px(price), qty: Qty(2 * ONE) });
    let all = PaperConfig { adl_ppm: 1_000_000, ..config() };
    // A short of 3 in profit, and a long that is liquidated: it sells at 90.
    let mut floor = holding(all, -3);
    floor.event(forced(Side::Sell, 90 * ONE));
    assert_eq!((floor.position(), floor.venue.stats().deleveraged), (-ONE, 1));
    let fill = *floor.news().iter().rev().find(|report| report.kind.is_fill()).unwrap();
    assert_eq!((fill.reason, fill.last_price, fill.payer), (Why::Adl, Px(90 * ONE), floor.seq));
    for (each, qty, side, price) in [
        (all, -3, Side::Sell, 110 * ONE),
        (all, -3, Side::Buy, 90 * ONE),
        (all, 3, Side::Sell, 90 * ONE),
        (config(), -3, Side::Sell, 90 * ONE),
    ] {
        let mut floor = holding(each, qty);
        floor.event(forced(side, price));
        assert_eq!(
            floor.position(),
            qty * ONE,
            "at a loss, or on the same side, or not configured"
        );
    }
}

/// -2019: no order beyond what the balance carries at the exchange's leverage.
#[test]
fn an_order_beyond_the_margin_is_refused() {
    let small = PaperConfig { balance: Usd(1_000 * ONE), leverage: 5, ..config() };
    let mut floor = Floor::new(small);
    floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, ONE)]);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtc, HUNDRED, 50 * ONE))), [ACCEPTED]);
    let refused = (Kind::Refused, Why::Margin, 0, 0);
    assert_eq!(short(&floor.enter(2, buy(Tif::Gtc, HUNDRED, 50 * ONE + 1))), [refused]);
    // Nor by an amend; one that asks for less is not looked at.
    let amended = |price, qty| Action::Amend { price: Px(price), qty: Qty(qty) };
    let no = (Kind::AmendRefused, Why::Margin, 0, 0);
    assert_eq!(short(&floor.enter(1, amended(HUNDRED, 50 * ONE + 1))), [no]);
    floor.event_on(None, Body::Control(Control::Transfer(Usd(-HUNDRED))));
    assert_eq!(short(&floor.enter(1, amended(HUNDRED - 1, 50 * ONE)))[0].0, Kind::Amended);
}

/// The leverage is what the account chose, or what the bracket of the position allows if that is less: of this symbol 8
/// up to 5,000 USD.
#[test]
fn a_bracket_allows_no_more_than_its_leverage() {
    let wide = PaperConfig { balance: Usd(500 * ONE), leverage: 20, ..config() };
    let mut floor = Floor::new(wide);
    floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, ONE)]);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtc, HUNDRED, 40 * ONE))), [ACCEPTED]);
    let refused = (Kind::Refused, Why::Margin, 0, 0);
    assert_eq!(short(&floor.enter(2, buy(Tif::Gtc, HUNDRED, 40 * ONE + 1))), [refused]);
}

/// What closes a position asks for no margin, reduce-only or not; what it opens beyond that does.
#[test]
fn an_order_that_closes_asks_for_no_margin() {
    let small = PaperConfig { balance: Usd(1_000 * ONE), leverage: 5, ..config() };
    let mut floor = holding(small, 45);
    floor.event(mark_of(HUNDRED, 0, u64::MAX));
    let refused = (Kind::Refused, Why::Margin, 0, 0);
    assert_eq!(short(&floor.enter(2, buy(Tif::Gtc, HUNDRED, 10 * ONE))), [refused]);
    assert_eq!(short(&floor.enter(3, sell(Tif::Gtc, HUNDRED, 55 * ONE))), [refused]);
    assert_eq!(short(&floor.enter(4, sell(Tif::Gtc, HUNDRED + ONE, 45 * ONE))), [ACCEPTED]);
}

fn misbehaving(kind: OutageKind) -> PaperConfig {
    let outage = Outage { kind, after: Nanos(0), span: Nanos(1_000) };
    PaperConfig { misbehaviour: Misbehaviour::new(0, 0, &[outage]).unwrap(), ..config() }
}

/// The incident of March 2026 at the venue: the account moves, its owner hears of an order that is filled and of no
/// amounts, a query says that it is being settled, and the fills come when it is over.
#[test]
fn s3_22_statuses_without_fills() {
    let mut floor = Floor::new(misbehaving(OutageKind::NoFills));
    floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, 5 * ONE)]);
    let reports = floor.enter(1, buy(Tif::Ioc, HUNDRED + ONE, 2 * ONE));
    let kinds: Vec<_> = reports.iter().map(|r| (r.kind, r.cum_qty, r.last_qty)).collect();
    assert_eq!(kinds, [(Kind::Accepted, Qty(0), Qty(0)), (Kind::Filled, Qty(0), Qty(0))]);
    assert_eq!(floor.position(), 2 * ONE, "it was filled");
    floor.enter(1, Action::Query);
    let FeedbackBody::Status(status) = floor.told.last().unwrap().body else { panic!("status") };
    assert_eq!(
        (status.state, status.cum_qty, status.qty),
        (OrderState::Settling, Qty(0), Qty(2 * ONE))
    );
    floor.ts += 2_000;
    floor.event(Body::Tick);
    let [late] = floor.news()[..] else { panic!("the fill") };
    assert_eq!(
        (late.kind, late.cum_qty, late.last_qty),
        (Kind::Filled, Qty(2 * ONE), Qty(2 * ONE))
    );
    assert!(late.payer > 0);
    floor.enter(1, Action::Query);
    let FeedbackBody::Status(status) = floor.told.last().unwrap().body else { panic!("status") };
    assert_eq!((status.state, status.cum_qty), (OrderState::Closed, Qty(2 * ONE)));
}

/// Rows 7: an outcome that is not told was done or lost, which only a query says.
#[test]
fn row_7_unknown_outcomes_are_done_or_lost_and_not_told() {
    let misbehaviour = Misbehaviour::new(1_000_000, 0, &[]).unwrap();
    let mut floor = Floor::new(PaperConfig { misbehaviour, ..config() });
    floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, ONE)]);
    let mut states = [0; 2];
    for order in 1..=40 {
        let told = floor.enter(order, buy(Tif::Gtc, 50 * ONE, ONE));
        let [unknown] = told[..] else { panic!("no acknowledgement: {told:?}") };
        assert_eq!((unknown.kind, unknown.reason), (Kind::OutcomeUnknown, Why::Timeout));
        floor.enter(order, Action::Query);
        let FeedbackBody::Status(status) = floor.told.last().unwrap().body else {
            panic!("status")
        };
        match status.state {
            OrderState::Open => states[0] += 1,
            OrderState::Unknown => states[1] += 1,
            OrderState::Closed | OrderState::Waiting | OrderState::Settling => {
                panic!("{status:?}")
            }
        }
    }
    assert!(states[0] > 5 && states[1] > 5, "{states:?}");
    assert_eq!(floor.venue.open_orders(), states[0]);
}

#[test]
fn outages_refuse_lose_or_say_nothing_and_then_it_is_over() {
    let new = buy(Tif::Gtc, 50 * ONE, ONE);
    let Action::New(order) = sell(Tif::Gtc, HUNDRED + ONE, ONE) else { panic!("new") };
    let reduce = Action::New(NewOrder { reduce_only: true, ..order });
    for (kind, expected) in [
        (OutageKind::RejectStorm, Some((Kind::Refused, Why::Throttled))),
        (OutageKind::Partial, Some((Kind::OutcomeUnknown, Why::Timeout))),
        (OutageKind::Disconnect, None),
    ] {
        let mut floor = Floor::new(misbehaving(kind));
        floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, ONE)]);
        let told = floor.enter(1, new);
        assert_eq!(told.first().map(|r| (r.kind, r.reason)), expected, "{kind:?}");
        assert_eq!(floor.venue.open_orders(), 0);
        // What may only reduce gets through but for a connection that is gone.
        let told = floor.enter(2, reduce);
        assert_eq!(told.is_empty(), kind == OutageKind::Disconnect, "{kind:?}");
        floor.ts += 2_000;
        floor.event(Body::Tick);
        assert_eq!(floor.enter(3, new)[0].kind, Kind::Accepted, "{kind:?} is over");
    }
}

/// Acknowledgements may come behind the fills.
#[test]
fn a_fill_may_come_before_its_acknowledgement() {
    let misbehaviour = Misbehaviour::new(0, 1_000_000, &[]).unwrap();
    let mut floor = Floor::new(PaperConfig { misbehaviour, ..config() });
    floor.book(&[(HUNDRED, ONE)], &[(HUNDRED + ONE, ONE)]);
    floor.enter(1, buy(Tif::Ioc, HUNDRED + ONE, ONE));
    let mut told: Vec<_> =
        floor.told.iter().filter(|f| matches!(f.body, FeedbackBody::Report(_))).collect();
    told.sort_by_key(|feedback| feedback.key());
    let kinds: Vec<_> = told
        .iter()
        .filter_map(|f| {
            if let FeedbackBody::Report(report) = f.body { Some(report.kind) } else { None }
        })
        .collect();
    assert_eq!(kinds, [Kind::Filled, Kind::Accepted]);
}

/// S0-31: at its end a contract's orders end, what is held is settled at the last mark, and nothing gets in any more.
#[test]
fn s0_31_a_delisted_contract_is_settled_and_takes_no_orders() {
    let end = 1_000 * Nanos::SECOND;
    let life = Life { listed: Some(Nanos(1)), delisted: Some(Nanos(end)) };
    let ending = Instrument { life, ..instrument("A") };
    let mut floor = Floor::with(config(), 1_024, vec![ending, instrument("B")]);
    let deep = 1_000 * ONE;
    floor.book(&[(HUNDRED, deep)], &[(HUNDRED, deep)]);
    floor.book(&[(HUNDRED - ONE, deep)], &[(HUNDRED, deep)]);
    floor.enter(1, buy(Tif::Ioc, HUNDRED, 2 * ONE));
    floor.enter(2, buy(Tif::Gtc, HUNDRED - 5 * ONE, ONE));
    floor.event(mark_of(110 * ONE, 0, u64::MAX >> 1));
    floor.ts = end - 1;
    floor.event(Body::Tick);
    assert_eq!(floor.position(), 2 * ONE);
    assert_eq!(floor.news().len(), 0);
    floor.ts = end;
    floor.event(Body::Tick);
    assert_eq!(floor.position(), 0);
    let told = |floor: &mut Floor| {
        let of = |report: &Report| (report.kind, report.reason, report.last_price, report.last_qty);
        floor.news().iter().map(of).collect::<Vec<_>>()
    };
    let (zero, none) = (Px(0), Qty(0));
    assert_eq!(
        told(&mut floor),
        [
            (ReportKind::Expired, VenueReason::Delisted, zero, none),
            (ReportKind::Accepted, VenueReason::Delisted, zero, none),
            (ReportKind::Filled, VenueReason::Delisted, Px(110 * ONE), Qty(2 * ONE)),
        ]
    );
    let refused = floor.enter(3, buy(Tif::Gtc, HUNDRED - 5 * ONE, ONE));
    assert_eq!((refused[0].kind, refused[0].reason), (ReportKind::Refused, VenueReason::Filter));
}
