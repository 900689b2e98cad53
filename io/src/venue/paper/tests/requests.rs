//! Amends, cancels, queries, filters and amounts: cases that have a name.

use super::*;

#[test]
fn amends_change_end_or_are_refused() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (90, 1)], &[(103, 5)]);
    let amended = (Kind::Amended, Why::None, 0, 0);
    floor.enter(1, buy(Tif::Gtc, 100, 4));
    floor.trade(100, 4, Side::Sell);
    let same = floor.enter(1, amend(100, 4));
    assert_eq!(short(&same), [(Kind::AmendRefused, Why::NoChange, 0, 0)]);
    // The place in the queue is lost: five before it again.
    let larger = floor.enter(1, amend(100, 6));
    assert_eq!(short(&larger), [amended]);
    assert_eq!((larger[0].price, larger[0].qty), (Px(100), Qty(6)));
    floor.trade(100, 7, Side::Sell);
    assert_eq!(short(&floor.news()), [part(2, 100)]);
    let off = floor.enter(1, amend(0, 6));
    assert_eq!(short(&off), [(Kind::AmendRefused, Why::Filter, 0, 0)]);
    let taking = floor.enter(1, amend(103, 4));
    assert_eq!(short(&taking), [amended, whole(2, 103)]);
    // The order filled while the amend was on its way: what is known of it comes along.
    let late = floor.enter(1, amend(99, 9));
    assert_eq!(short(&late), [(Kind::AmendRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!((late[0].cum_qty, late[0].price), (Qty(4), Px(103)));
    floor.enter(2, buy(Tif::Gtx, 101, 4));
    floor.trade(101, 3, Side::Sell);
    floor.news();
    let away = floor.enter(2, amend(101, 3));
    assert_eq!(short(&away), [(Kind::Canceled, Why::AmendedAway, 0, 0)]);
    assert_eq!(away[0].cum_qty, Qty(3));
    floor.enter(3, buy(Tif::Gtx, 101, 4));
    let taker = floor.enter(3, amend(103, 4));
    assert_eq!(short(&taker), [(Kind::Canceled, Why::WouldTake, 0, 0)]);
    assert_eq!(taker[0].price, Px(101));
    assert_eq!(floor.venue.open_orders(), 0);
    // The own account followed.
    assert_eq!((floor.position(), floor.venue.portfolio().orders().len()), (7, 0));
}

#[test]
fn an_amended_order_is_paid_by_later_trades_only() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 99, 4));
    floor.send(1, amend(102, 4));
    floor.ts += LATENCY;
    floor.trade_now(100, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [(Kind::Amended, Why::None, 0, 0)]);
}

/// A cancel that gets in first finds nothing, and says nothing of the order behind it.
#[test]
fn a_cancel_can_overtake_its_order() {
    let spread = PaperConfig { jitter: Nanos(1_000), ..config() };
    let arrival = |id: u64, number: u64| jitter::below(0, oid(id), number * 5, 1_000);
    let overtakes = |id: &u64| arrival(*id, 1) + 5 < arrival(*id, 0);
    let id = (1..100).find(overtakes).unwrap();
    let mut floor = Floor::new(spread);
    floor.book(&[(100, 5)], &[(103, 5)]);
    let start = floor.ts;
    floor.send(id, buy(Tif::Gtc, 99, 4));
    floor.send(id, Action::Cancel);
    floor.ts = start + LATENCY + arrival(id, 1);
    floor.event_on(None, Body::Wake);
    let first = floor.news();
    assert_eq!(short(&first), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!((first[0].qty, first[0].cum_qty), (Qty(0), Qty(0)));
    floor.ts = start + LATENCY + arrival(id, 0) - 1;
    floor.event_on(None, Body::Wake);
    assert_eq!(floor.news(), []);
    floor.ts += 1;
    floor.event_on(None, Body::Wake);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    assert_eq!(floor.venue.open_orders(), 1);
}

#[test]
fn queries_tell_open_closed_and_unknown_apart() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    assert_eq!(floor.query(1).state, OrderState::Unknown);
    floor.send(1, buy(Tif::Gtc, 103, 8));
    assert_eq!(floor.venue.open_orders(), 0);
    floor.wake();
    let open = floor.query(1);
    assert_eq!((open.state, open.qty, open.cum_qty), (OrderState::Open, Qty(8), Qty(5)));
    assert_eq!((open.side, open.price, open.at), (Side::Buy, Px(103), Nanos(floor.ts)));
    let cancel = floor.enter(1, Action::Cancel);
    assert_eq!(short(&cancel), [(Kind::Canceled, Why::None, 0, 0)]);
    let closed = floor.query(1);
    assert_eq!((closed.state, closed.cum_qty), (OrderState::Closed, Qty(5)));
    assert_eq!((closed.cum_quote, closed.cum_fee), (open.cum_quote, open.cum_fee));
    let again = floor.enter(1, Action::Cancel);
    assert_eq!(short(&again), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!(again[0].cum_qty, Qty(5));
    // Another symbol's order of that number is not this one.
    floor.enter(2, buy(Tif::Gtc, 90, 1));
    floor.send_on(OTHER, 2, Action::Cancel);
    floor.wake();
    assert_eq!(short(&floor.news()), [(Kind::CancelRefused, Why::UnknownOrder, 0, 0)]);
    assert_eq!(floor.venue.open_orders(), 1);
}

/// A report on the second one would end the first in everybody's eyes.
#[test]
fn nothing_is_said_of_an_id_that_comes_twice() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 99, 1));
    assert_eq!(floor.enter(1, buy(Tif::Gtc, 98, 7)), []);
    assert_eq!(floor.query(1).price, Px(99));
    floor.enter(1, Action::Cancel);
    assert_eq!(floor.enter(1, buy(Tif::Gtc, 98, 7)), []);
    assert_eq!((floor.venue.stats().duplicates, floor.venue.open_orders()), (2, 0));
}

#[test]
fn filters_are_checked_again() {
    let lot = LotSize { min: Qty(20), max: Qty(1_000), step: Qty(10) };
    let filtered = Instrument {
        tick: Some(Px(5)),
        lot,
        min_notional: Some(Usd(2)),
        max_orders: Some(2),
        ..instrument("A")
    };
    let closed = Instrument { trading: false, ..instrument("B") };
    let inverse = Instrument { market: Market::CoinM, ..instrument("C") };
    let mut floor = Floor::with(config(), 64, vec![filtered, closed, inverse]);
    let refused = (Kind::Refused, Why::Filter, 0, 0);
    // 2 at 1e-8 in quote are 2 * 10^8 as a raw product.
    let price = ONE / 10;
    let bad = [(price + 1, 20), (-5, 20), (0, 20), (price, 10), (price, 25), (price, 1_010)];
    for (number, (price, qty)) in (1..).zip(bad) {
        assert_eq!(short(&floor.enter(number, buy(Tif::Gtc, price, qty))), [refused], "{number}");
    }
    assert_eq!(short(&floor.enter(10, buy(Tif::Gtc, price - 5, 20))), [refused]);
    assert_eq!(short(&floor.enter(11, buy(Tif::Gtc, price, 20))), [ACCEPTED]);
    // The least notional is no hurdle for what reduces; there is nothing to reduce, though.
    let reducing = floor.enter(12, reduce(buy(Tif::Gtc, price - 5, 20)));
    assert_eq!(short(&reducing), [ACCEPTED, expired(Why::ReduceOnly)]);
    assert_eq!(short(&floor.enter(13, buy(Tif::Gtc, price, 20))), [ACCEPTED]);
    let full = floor.enter(14, buy(Tif::Gtc, price, 20));
    assert_eq!(short(&full), [(Kind::Refused, Why::TooManyOrders, 0, 0)]);
    for (number, id) in [(20, 1), (21, 2)] {
        floor.send_on(InstrumentId(id), number, buy(Tif::Gtc, price, 20));
        floor.wake();
        assert_eq!(short(&floor.news()), [refused]);
    }
    floor.send_on(InstrumentId(9), 30, buy(Tif::Gtc, price, 20));
    floor.wake();
    assert_eq!((floor.news(), floor.venue.stats().lost_requests), (vec![], 1));
    assert_eq!(floor.query(14).state, OrderState::Closed);
}

#[test]
fn amounts_are_rounded_against_the_account() {
    let fees = FeeSchedule { maker: Rate(-10_000_000_000), ..FeeSchedule::default() };
    let mut floor = Floor::new(PaperConfig { fees, ..config() });
    let (price, qty) = (ONE - 1, ONE + 1);
    floor.book(&[(price - 2, 5)], &[(price, qty)]);
    // Exactly 99999999.99999999, and half a thousandth of what that is rounded to.
    let bought = floor.enter(1, buy(Tif::Ioc, price, qty));
    assert_eq!((bought[1].cum_quote, bought[1].cum_fee), (Usd(ONE), Usd(50_000)));
    floor.enter(2, sell(Tif::Gtc, price, qty));
    floor.trade(price + 1, qty, Side::Buy);
    let sold = floor.news().pop().unwrap();
    // A rebate of a hundredth of what is surely there.
    assert_eq!((sold.cum_quote, sold.cum_fee), (Usd(ONE - 1), Usd(-999_999)));
    let stats = floor.venue.stats();
    assert_eq!((stats.taker_fees, stats.maker_fees), (UsdSum(50_000), UsdSum(-999_999)));
    assert_eq!((stats.taker_fills, stats.maker_fills, stats.fills()), (1, 1, 2));
    let one = i128::from(ONE);
    assert_eq!((stats.taker_quote, stats.maker_quote), (UsdSum(one), UsdSum(one - 1)));
}

/// Amounts beyond the range of an order: nothing fills, nothing stops.
#[test]
fn numbers_that_leave_their_range_do_not_fill() {
    let mut floor = Floor::new(PaperConfig { balance: Usd(i64::MAX), leverage: 125, ..config() });
    floor.book(&[(ONE, i64::MAX), (ONE - 1, 100)], &[(2 * ONE, i64::MAX)]);
    let refused = (Kind::Refused, Why::Filter, 0, 0);
    assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 2 * ONE, i64::MAX))), [refused]);
    // While a position has no mark nobody can tell what the account carries: no bracket allows so much.
    let margin = (Kind::Refused, Why::Margin, 0, 0);
    assert_eq!(short(&floor.enter(5, sell(Tif::Ioc, ONE, i64::MAX))), [margin]);
    assert_eq!(short(&floor.enter(6, sell(Tif::Ioc, ONE, 1)))[1], whole(1, ONE));
    let rest = i64::MAX - 1;
    assert_eq!(short(&floor.enter(2, sell(Tif::Ioc, ONE, rest)))[1], whole(rest, ONE));
    // The position would go below what it can hold.
    let more = floor.enter(3, sell(Tif::Ioc, ONE / 2, 5));
    assert_eq!(short(&more), [ACCEPTED, expired(Why::ImmediateRest)]);
    // Better levels than the limit make a sale dearer than the limit says.
    floor.book(&[(i64::MAX, i64::MAX)], &[]);
    floor.enter(4, sell(Tif::Ioc, 1, i64::MAX / 2));
    assert_eq!(floor.position(), -i64::MAX);
}
