//! Who fills, at what, and who paid for it: cases that have a name.

use super::*;

#[test]
fn takers_walk_the_levels_within_their_limit() {
    let mut floor = Floor::new(config());
    floor.book(&[(99, 5)], &[(101, 3), (102, 4), (104, 9)]);
    let payer = floor.seq;
    let reports = floor.enter(1, buy(Tif::Ioc, 103, 10));
    let rest = expired(Why::ImmediateRest);
    assert_eq!(short(&reports), [ACCEPTED, part(3, 101), part(4, 102), rest]);
    assert!(reports[1..3].iter().all(|r| (r.payer, r.liquidity) == (payer, Liquidity::Taker)));
    assert_eq!(floor.position(), 7);
    // What was taken is gone; the book's next word on a level only brings what is more.
    assert_eq!(short(&floor.enter(2, buy(Tif::Ioc, 103, 1))), [ACCEPTED, rest]);
    floor.book(&[(99, 5)], &[(101, 5), (102, 4), (104, 9)]);
    let not = expired(Why::NotFillable);
    assert_eq!(short(&floor.enter(3, buy(Tif::Fok, 103, 3))), [ACCEPTED, not]);
    assert_eq!(short(&floor.enter(4, buy(Tif::Fok, 103, 2))), [ACCEPTED, whole(2, 101)]);
    let took = floor.enter(5, sell(Tif::Gtc, 99, 6));
    assert_eq!(short(&took), [ACCEPTED, part(5, 99)]);
    assert_eq!(floor.venue.open_orders(), 1);
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(6, sell(Tif::Gtx, 99, 1))), [ACCEPTED, would]);
    assert_eq!(short(&floor.enter(7, sell(Tif::Gtx, 100, 1))), [ACCEPTED]);
}

#[test]
fn a_newer_ticker_takes_levels_away_and_says_what_crosses() {
    let mut floor = Floor::new(config());
    floor.book(&[(99, 5)], &[(101, 3), (102, 4), (103, 2)]);
    floor.ticker((100, 1), (102, 1));
    // 101 is gone, 102 has one left; bids at 100 are not in the book.
    let reports = floor.enter(1, buy(Tif::Ioc, 103, 9));
    let rest = expired(Why::ImmediateRest);
    assert_eq!(short(&reports), [ACCEPTED, part(1, 102), part(2, 103), rest]);
    assert_eq!(short(&floor.enter(2, sell(Tif::Ioc, 100, 1))), [ACCEPTED, rest]);
    assert_eq!(short(&floor.enter(3, buy(Tif::Gtx, 101, 1))), [ACCEPTED]);
    floor.enter(3, Action::Cancel);
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(4, sell(Tif::Gtx, 100, 1))), [ACCEPTED, would]);
    // The book has caught up.
    floor.book(&[(99, 5)], &[(101, 3)]);
    let touch = Touch::default();
    floor.event(Body::Touch(TouchChange { touch, source: TouchSource::Book }));
    assert_eq!(short(&floor.enter(5, buy(Tif::Ioc, 101, 3))), [ACCEPTED, whole(3, 101)]);
    // A ticker does not outlive the book that it was ahead of.
    floor.ticker((101, 1), (103, 1));
    floor.event(Body::BookInvalid(Invalid::Gap));
    floor.book(&[(99, 5)], &[(102, 3)]);
    // One of them is spent: since then the book has not said anything about 102.
    assert_eq!(short(&floor.enter(6, buy(Tif::Ioc, 102, 2))), [ACCEPTED, whole(2, 102)]);
}

#[test]
fn without_a_valid_book_nothing_is_taken_and_no_queue_is_known() {
    for gap in [false, true] {
        let mut floor = Floor::new(config());
        floor.book(&[(99, 5)], &[(101, 3)]);
        if gap {
            floor.event_on(None, Body::Gap);
        } else {
            floor.event(Body::BookInvalid(Invalid::Crossed));
        }
        let rest = expired(Why::ImmediateRest);
        assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 101, 1))), [ACCEPTED, rest]);
        let not = expired(Why::NotFillable);
        assert_eq!(short(&floor.enter(2, buy(Tif::Fok, 101, 1))), [ACCEPTED, not]);
        // Far from where the book was: nobody can show that it would not take.
        let would = expired(Why::WouldTake);
        assert_eq!(short(&floor.enter(3, buy(Tif::Gtx, 1, 1))), [ACCEPTED, would]);
        assert_eq!(short(&floor.enter(4, buy(Tif::Gtc, 101, 1))), [ACCEPTED]);
        floor.trade(101, 1_000, Side::Sell);
        assert_eq!(floor.news(), []);
        floor.trade(100, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, 101)]);
    }
    // Nor before the first frame.
    let mut floor = Floor::new(config());
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtx, 1, 1))), [ACCEPTED, would]);
}

/// It may have crossed what nobody saw: then it would have taken.
#[test]
fn what_got_in_without_a_valid_book_pays_as_a_taker_for_good() {
    let mut floor = Floor::new(config());
    let view = [(100, 5)];
    let fill = |floor: &mut Floor| {
        floor.trade(90, 1, Side::Sell);
        let news = floor.news();
        assert_eq!((news.len(), news[0].payer), (1, floor.seq), "a trade paid");
        news[0].liquidity
    };
    floor.enter(1, buy(Tif::Gtc, 99, 4));
    assert_eq!(fill(&mut floor), Liquidity::Taker);
    floor.book(&view, &[(103, 5)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker, "the book comes too late for it");
    // Who gets in anew beside a valid book is seen not to cross.
    floor.enter(1, amend(98, 4));
    assert_eq!(fill(&mut floor), Liquidity::Maker);
    floor.event(Body::BookInvalid(Invalid::Gap));
    assert_eq!(fill(&mut floor), Liquidity::Maker, "it rested before");
    floor.enter(2, buy(Tif::Gtc, 97, 9));
    floor.enter(2, amend(97, 8));
    floor.book(&view, &[(103, 5)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker);
    let stats = *floor.venue.stats();
    assert_eq!((stats.taker_fills, stats.maker_fills), (3, 2));
    // A resting order that is amended without a valid book, and a GTX one that can not be.
    floor.enter(2, Action::Cancel);
    for (id, tif) in [(3, Tif::Gtc), (4, Tif::Gtx)] {
        floor.enter(id, buy(tif, 99, 8));
    }
    floor.event(Body::BookInvalid(Invalid::Gap));
    floor.enter(3, amend(98, 8));
    let gone = floor.enter(4, amend(98, 8));
    assert_eq!(short(&gone), [(Kind::Canceled, Why::WouldTake, 0, 0)]);
    assert_eq!(fill(&mut floor), Liquidity::Taker);
}

#[test]
fn trades_eat_the_queue_first() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 100, 4));
    floor.trade(100, 3, Side::Sell);
    // A buyer at this price trades with somebody's ask, not with the queue.
    floor.trade(100, 9, Side::Buy);
    assert_eq!(short(&floor.news()), []);
    floor.trade(100, 3, Side::Sell);
    assert_eq!(short(&floor.news()), [part(1, 100)]);
    floor.trade(99, 2, Side::Sell);
    let seq = floor.seq;
    let news = floor.news();
    assert_eq!(short(&news), [part(2, 100)]);
    assert_eq!((news[0].payer, news[0].liquidity), (seq, Liquidity::Maker));
    floor.trade(100, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(1, 100)]);
    // Inside the spread nobody stands before it; between known levels neither.
    for (id, price) in [(2, 101), (3, 99)] {
        floor.enter(id, buy(Tif::Gtc, price, 1));
        floor.trade(price, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, price)]);
    }
}

#[test]
fn behind_the_last_known_level_only_a_trade_through_pays() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
    floor.enter(1, buy(Tif::Gtc, 97, 4));
    floor.enter(2, sell(Tif::Gtc, 104, 4));
    floor.trade(97, 1_000, Side::Sell);
    floor.trade(104, 1_000, Side::Buy);
    assert_eq!(short(&floor.news()), []);
    floor.trade(96, 3, Side::Sell);
    floor.trade(105, 9, Side::Buy);
    assert_eq!(short(&floor.news()), [part(3, 97), whole(4, 104)]);
}

#[test]
fn the_longer_of_book_and_ticker_queue_counts() {
    for (shown, told) in [(2, 6), (6, 2)] {
        let mut floor = Floor::new(config());
        floor.book(&[(100, shown), (98, 1)], &[(103, 5)]);
        floor.ticker((100, told), (103, 5));
        floor.enter(1, buy(Tif::Gtc, 100, 1));
        floor.trade(100, 6, Side::Sell);
        assert_eq!(short(&floor.news()), []);
        floor.trade(100, 1, Side::Sell);
        assert_eq!(short(&floor.news()), [whole(1, 100)]);
    }
}

#[test]
fn own_orders_at_one_price_share_a_trade_in_time_order() {
    // 1 through 101; 5 or 1 eaten; 2 of what is left, then the rest of it.
    for (queue, last) in
        [(QueueModel::TradesOnly, part(1, 100)), (QueueModel::RiskAverse, whole(2, 100))]
    {
        let mut floor = Floor::new(PaperConfig { queue, ..config() });
        floor.book(&[(100, 5), (98, 1)], &[(103, 5)]);
        floor.enter(1, buy(Tif::Gtc, 100, 2));
        // People before the first order left; the second still stands behind the first.
        floor.book(&[(100, 1), (98, 1)], &[(103, 5)]);
        floor.enter(2, buy(Tif::Gtc, 100, 2));
        floor.enter(3, buy(Tif::Gtc, 101, 1));
        floor.trade(100, 9, Side::Sell);
        let news = floor.news();
        let ids: Vec<u64> = news.iter().map(|r| r.order.counter()).collect();
        assert_eq!(ids, [3, 1, 2]);
        assert_eq!(short(&news), [whole(1, 101), whole(2, 100), last], "{queue:?}");
    }
}

#[test]
fn a_trade_at_the_time_of_arrival_does_not_pay() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    floor.send(1, buy(Tif::Gtc, 101, 1));
    floor.ts += LATENCY;
    floor.trade_now(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    floor.trade(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(1, 101)]);
    // Without a wake it gets in at the trade itself, but it was there before.
    floor.send(2, buy(Tif::Gtc, 101, 1));
    floor.ts += LATENCY + 1;
    floor.trade_now(90, 9, Side::Sell);
    assert_eq!(short(&floor.news()), [ACCEPTED, whole(1, 101)]);
}

/// What is due gets in before the frame of the same event changes the book.
#[test]
fn an_order_meets_the_book_of_its_arrival() {
    let mut floor = Floor::new(config());
    floor.book(&[(100, 5)], &[(103, 5)]);
    let payer = floor.seq;
    floor.send(1, buy(Tif::Ioc, 103, 1));
    floor.ts += LATENCY;
    floor.book(&[(100, 5)], &[(104, 5)]);
    let news = floor.news();
    assert_eq!(short(&news), [ACCEPTED, whole(1, 103)]);
    assert_eq!(news[1].payer, payer);
}

#[test]
fn own_orders_that_would_be_met_expire() {
    let mut floor = Floor::new(config());
    floor.book(&[(98, 5)], &[(103, 5)]);
    floor.enter(1, sell(Tif::Gtc, 101, 1));
    floor.enter(2, sell(Tif::Gtc, 102, 1));
    floor.enter(3, sell(Tif::Gtc, 104, 1));
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(4, buy(Tif::Gtx, 102, 1))), [ACCEPTED, would]);
    let not = expired(Why::NotFillable);
    assert_eq!(short(&floor.enter(5, buy(Tif::Fok, 103, 9))), [ACCEPTED, not]);
    assert_eq!(floor.venue.open_orders(), 3);
    let own = expired(Why::SelfTrade);
    let news = floor.enter(6, buy(Tif::Gtc, 103, 7));
    assert_eq!(short(&news), [ACCEPTED, own, own, part(5, 103)]);
    assert_eq!(news[1..3].iter().map(|r| r.order.counter()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(floor.position(), 5);
}

/// The taker would trade at 101 and 102 only, but who has a limit of 103 meets them all.
#[test]
fn own_orders_expire_even_where_the_market_is_better() {
    let mut floor = Floor::new(config());
    floor.book(&[(98, 5)], &[(101, 3), (102, 3), (104, 3)]);
    floor.enter(1, sell(Tif::Gtc, 103, 1));
    floor.enter(2, sell(Tif::Gtc, 104, 1));
    let own = expired(Why::SelfTrade);
    let news = floor.enter(3, buy(Tif::Ioc, 103, 5));
    assert_eq!(short(&news), [ACCEPTED, own, part(3, 101), whole(2, 102)]);
    assert_eq!((news[1].order, floor.venue.open_orders()), (oid(1), 1));
}

#[test]
fn reduce_only_is_cut_to_the_position() {
    let mut floor = Floor::new(config());
    let asks = [(103, 50)];
    floor.book(&[(100, 50)], &asks);
    let useless = expired(Why::ReduceOnly);
    assert_eq!(short(&floor.enter(1, reduce(sell(Tif::Gtc, 110, 5)))), [ACCEPTED, useless]);
    floor.enter(2, buy(Tif::Ioc, 103, 10));
    assert_eq!(short(&floor.enter(3, reduce(buy(Tif::Ioc, 103, 5)))), [ACCEPTED, useless]);
    // Two rest, larger together than the position; the trade's rest pays nobody.
    floor.enter(4, reduce(sell(Tif::Gtc, 105, 8)));
    floor.enter(5, reduce(sell(Tif::Gtc, 106, 8)));
    floor.enter(6, reduce(sell(Tif::Gtc, 107, 8)));
    let cut = floor.enter(7, reduce(sell(Tif::Ioc, 100, 3)));
    assert_eq!(short(&cut), [ACCEPTED, whole(3, 100)]);
    floor.trade(120, 5, Side::Buy);
    assert_eq!(short(&floor.news()), [part(5, 105)]);
    floor.trade(120, 50, Side::Buy);
    let gone = [part(2, 105), useless, useless, useless];
    let news = floor.news();
    assert_eq!(news.len(), 4);
    assert!(short(&news).iter().all(|one| gone.contains(one)), "{news:?}");
    assert_eq!((floor.position(), floor.venue.open_orders()), (0, 0));
    // FOK is judged by what it may have.
    floor.enter(8, sell(Tif::Ioc, 100, 4));
    let all = floor.enter(9, reduce(buy(Tif::Fok, 103, 9)));
    assert_eq!(short(&all), [ACCEPTED, part(4, 103), useless]);
    assert_eq!(floor.position(), 0);
}
