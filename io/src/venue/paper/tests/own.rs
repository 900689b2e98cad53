//! Who ends before an account trades with itself.

use super::*;
use crate::venue::paper::SelfTrade;

const MAKER: SelfTrade = SelfTrade::ExpireMaker;
const TAKER: SelfTrade = SelfTrade::ExpireTaker;
const BOTH: SelfTrade = SelfTrade::ExpireBoth;

/// Own sells 1 and 2 at 103, 3 at 105; the market offers at 102, 103 and 104.
fn floor(self_trade: SelfTrade) -> Floor {
    let mut floor = Floor::new(PaperConfig { self_trade, ..config() });
    floor.book(&[(99, 5)], &[(102, 3), (103, 4), (104, 6)]);
    for (id, price) in [(1, 103), (2, 103), (3, 105)] {
        assert_eq!(short(&floor.enter(id, sell(Tif::Gtc, price, 2))), [ACCEPTED]);
    }
    floor
}

fn told(reports: &[Report]) -> Vec<(u64, (Kind, Why, i64, i64))> {
    reports.iter().map(|r| r.order.counter()).zip(short(reports)).collect()
}

const SELF: (Kind, Why, i64, i64) = (Kind::Expired, Why::SelfTrade, 0, 0);

#[test]
fn makers_end_and_the_taker_goes_on() {
    let mut floor = floor(MAKER);
    let reports = floor.enter(9, buy(Tif::Ioc, 104, 9));
    let fills = [(9, part(3, 102)), (9, part(4, 103)), (9, whole(2, 104))];
    assert_eq!(told(&reports), [&[(9, ACCEPTED), (1, SELF), (2, SELF)][..], &fills].concat());
    assert_eq!(floor.venue.open_orders(), 1);
}

#[test]
fn the_taker_takes_what_is_better_than_its_own_and_ends() {
    for tif in [Tif::Ioc, Tif::Gtc] {
        let mut floor = floor(TAKER);
        let reports = floor.enter(9, buy(tif, 104, 9));
        assert_eq!(told(&reports), [(9, ACCEPTED), (9, part(3, 102)), (9, SELF)]);
        assert_eq!((floor.venue.open_orders(), floor.position()), (3, 3));
        // Nothing better is left, and nothing is left of it.
        assert_eq!(told(&floor.enter(10, buy(tif, 103, 1))), [(10, ACCEPTED), (10, SELF)]);
    }
}

#[test]
fn both_end_but_no_third() {
    let mut floor = floor(BOTH);
    let reports = floor.enter(9, buy(Tif::Gtc, 105, 9));
    assert_eq!(told(&reports), [(9, ACCEPTED), (9, part(3, 102)), (1, SELF), (9, SELF)]);
    assert_eq!(floor.venue.open_orders(), 2);
    assert_eq!(floor.query(2).state, OrderState::Open);
}

#[test]
fn who_is_filled_before_it_gets_there_meets_nobody() {
    for mode in [TAKER, BOTH] {
        let mut floor = floor(mode);
        let reports = floor.enter(9, buy(Tif::Fok, 104, 3));
        assert_eq!(told(&reports), [(9, ACCEPTED), (9, whole(3, 102))]);
        assert_eq!(floor.venue.open_orders(), 3);
        // FOK must be whole without what stands at its own order and behind it.
        floor.book(&[(99, 5)], &[(102, 6), (103, 4), (104, 6)]);
        let reports = floor.enter(10, buy(Tif::Fok, 104, 4));
        assert_eq!(told(&reports), [(10, ACCEPTED), (10, expired(Why::NotFillable))]);
    }
}

#[test]
fn an_order_that_may_have_no_more_does_not_end_its_own() {
    let mut floor = floor(BOTH);
    floor.enter(8, sell(Tif::Ioc, 99, 2));
    let reports = floor.enter(9, reduce(buy(Tif::Gtc, 104, 9)));
    let useless = expired(Why::ReduceOnly);
    assert_eq!(told(&reports), [(9, ACCEPTED), (9, part(2, 102)), (9, useless)]);
    assert_eq!(floor.venue.open_orders(), 3);
}

/// An amend gets in anew: it can meet an own order as a new one does.
#[test]
fn amends_and_sells_are_held_to_it_too() {
    for (mode, open) in [(MAKER, 3), (TAKER, 3), (BOTH, 2)] {
        let mut floor = floor(mode);
        floor.enter(4, buy(Tif::Gtc, 100, 1));
        let reports = floor.enter(1, amend(100, 2));
        assert_eq!(reports[0].kind, Kind::Amended);
        let ended: Vec<u64> = reports
            .iter()
            .filter(|r| r.reason == Why::SelfTrade)
            .map(|r| r.order.counter())
            .collect();
        let expected: &[u64] = match mode {
            MAKER => &[4],
            TAKER => &[1],
            BOTH => &[4, 1],
        };
        assert_eq!(ended, expected, "{mode:?}");
        assert_eq!(floor.venue.open_orders(), open, "{mode:?}");
    }
}
