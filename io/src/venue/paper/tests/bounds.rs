//! Time, bounds and faults of the messages.

use super::*;

#[test]
fn everything_is_late_by_what_the_configuration_says_and_in_order() {
    let (order_latency, response_latency, jitter) = (Nanos(100), Nanos(300), Nanos(50));
    let late = PaperConfig { order_latency, response_latency, jitter, seed: 7, ..config() };
    let mut floor = Floor::new(late);
    floor.book(&[(100, 5)], &[(103, 5)]);
    let mut spread = [u64::MAX, 0];
    let mut returns = [u64::MAX, 0];
    let mut last_due = Nanos(0);
    for id in 1..=200 {
        floor.ts += 400;
        let sent = floor.ts;
        floor.send(id, buy(Tif::Gtx, 99, 1));
        let wake = *floor.told.last().unwrap();
        assert_eq!((wake.body, wake.origin), (FeedbackBody::Wake, FeedbackOrigin::Venue));
        assert_eq!((wake.instrument, wake.cause_seq), (None, floor.seq));
        let way = wake.due.0 - sent;
        assert!((100..150).contains(&way), "{way}");
        spread = [spread[0].min(way), spread[1].max(way)];
        floor.ts = wake.due.0 - 1;
        floor.event_on(None, Body::Tick);
        assert_eq!(*floor.told.last().unwrap(), wake);
        floor.ts = wake.due.0;
        floor.event_on(None, Body::Wake);
        let answer = *floor.told.last().unwrap();
        let back = answer.due.0 - floor.ts;
        assert!((300..350).contains(&back), "{back}");
        returns = [returns[0].min(back), returns[1].max(back)];
        assert!(answer.due > last_due && answer.cause_seq == floor.seq);
        last_due = answer.due;
        // All at one time: the jitter can not change their order.
        floor.send(id, Action::Cancel);
        floor.ts += 149;
        floor.event_on(None, Body::Wake);
    }
    for seen in [spread, [returns[0] - 200, returns[1] - 200]] {
        assert!(seen[0] < 110 && seen[1] >= 140, "{seen:?}");
    }
    let dues: Vec<Nanos> = floor
        .told
        .iter()
        .filter(|feedback| feedback.body != FeedbackBody::Wake)
        .map(|feedback| feedback.due)
        .collect();
    assert!(dues.is_sorted() && dues.len() == 400);
    assert!(floor.told.iter().zip(0..).all(|(feedback, n)| feedback.n == n));
}

#[test]
fn reports_of_one_moment_keep_their_order() {
    let spread = PaperConfig { jitter: Nanos(1_000_000), ..config() };
    let mut floor = Floor::new(PaperConfig { order_latency: Nanos(1), ..spread });
    let asks: Vec<(i64, i64)> = (0..40).map(|n| (103 + n, 1)).collect();
    floor.book(&[(100, 5)], &asks);
    floor.send(1, buy(Tif::Ioc, 200, 50));
    floor.ts += 1_000_001;
    floor.event_on(None, Body::Wake);
    let told = &floor.told[1..];
    assert_eq!(told.len(), 42);
    assert!(told.iter().map(|feedback| feedback.due).is_sorted());
    assert!(told.iter().map(Feedback::key).is_sorted());
}

#[test]
fn at_level_three_everything_ends_and_nothing_sent_before_survives() {
    let spread = PaperConfig { jitter: Nanos(1_000), ..config() };
    let mut floor = Floor::new(spread);
    floor.book(&[(100, 5)], &[(103, 5)]);
    for id in 1..=20 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    floor.ts += 2_000;
    floor.event_on(None, Body::Wake);
    for id in 21..=40 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.drain();
    let wake = *floor.told.last().unwrap();
    assert_eq!(wake.body, FeedbackBody::Wake);
    floor.news();
    floor.ts = wake.due.0;
    floor.event_on(None, Body::Wake);
    let canceled = floor.news().iter().filter(|r| r.kind == Kind::Canceled).count();
    assert_eq!((canceled, floor.venue.open_orders()), (40, 0));
    assert_eq!(floor.enter(41, Action::Cancel).len(), 0);
}

#[test]
fn bounds_refuse() {
    let small = PaperConfig { orders_max: 2, requests_max: 3, closed_max: 3, ..config() };
    let mut floor = Floor::new(small);
    floor.book(&[(100, 5)], &[(103, 5)]);
    for id in 1..=4 {
        floor.send(id, buy(Tif::Gtc, 99, 1));
    }
    // The fourth found no room on the way.
    let refused = (Kind::Refused, Why::TooManyOrders, 0, 0);
    assert_eq!(short(&floor.news()), [refused]);
    // Nor do these, and the answer does not end an order on its way.
    floor.send(1, buy(Tif::Gtc, 99, 1));
    floor.send(2, Action::Cancel);
    floor.send(2, amend(98, 1));
    floor.send(2, Action::Query);
    let cancel = (Kind::CancelRefused, Why::TooManyOrders, 0, 0);
    let change = (Kind::AmendRefused, Why::TooManyOrders, 0, 0);
    assert_eq!(short(&floor.news()), [cancel, change]);
    floor.wake();
    assert_eq!(short(&floor.news()), [ACCEPTED, ACCEPTED, refused]);
    let stats = *floor.venue.stats();
    assert_eq!((stats.duplicates, stats.lost_requests, stats.refused), (1, 1, 2));
    // Three finished orders are remembered.
    let (open, closed, unknown) = (OrderState::Open, OrderState::Closed, OrderState::Unknown);
    let states = [4, 3, 2, 1].map(|id| floor.query(id).state);
    assert_eq!(states, [closed, closed, open, open]);
    floor.enter(1, Action::Cancel);
    floor.enter(2, Action::Cancel);
    let states = [4, 3, 2, 1].map(|id| floor.query(id).state);
    assert_eq!(states, [unknown, closed, closed, closed]);
}

#[test]
fn a_request_that_gets_in_too_late_is_lost() {
    let mut floor = Floor::new(PaperConfig { arrival_max: Nanos(100), ..config() });
    floor.send(1, buy(Tif::Gtc, 99, 1));
    floor.ts += 100;
    floor.event_on(None, Body::Tick);
    assert_eq!(short(&floor.news()), [ACCEPTED]);
    floor.send(2, buy(Tif::Gtc, 99, 1));
    floor.ts += 101;
    floor.event_on(None, Body::Tick);
    assert_eq!((floor.news(), floor.venue.stats().lost_requests), (vec![], 1));
}

#[test]
fn a_full_ledger_offers_no_other_level() {
    let mut floor = Floor::new(PaperConfig { consumed_levels_max: 2, ..config() });
    floor.book(&[(100, 5)], &[(103, 5), (104, 5), (105, 5)]);
    let rest = expired(Why::ImmediateRest);
    let first = floor.enter(1, buy(Tif::Ioc, 105, 15));
    assert_eq!(short(&first), [ACCEPTED, part(5, 103), part(5, 104), rest]);
    floor.book(&[(100, 5)], &[(103, 6), (105, 5)]);
    let second = floor.enter(2, buy(Tif::Ioc, 105, 15));
    assert_eq!(short(&second), [ACCEPTED, part(1, 103), part(5, 105), rest]);
    assert_eq!(short(&floor.enter(3, sell(Tif::Ioc, 100, 1))), [ACCEPTED, rest]);
}

/// A taker takes no more than it can tell of; its end and those of the own orders that it meets are told.
#[test]
fn answers_have_room_or_work_is_left() {
    let faults = ReportFaults { repeat_ppm: 1_000_000, ..ReportFaults::default() };
    let asks: Vec<(i64, i64)> = (0..20).map(|n| (103 + n, 1)).collect();
    let mut floor = Floor::with_room(PaperConfig { faults, ..config() }, 16);
    floor.book(&[(90, 5)], &asks);
    let rest = expired(Why::ImmediateRest);
    // Sixteen messages: accepted, six fills and the end, each twice.
    let kinds = |reports: &[Report]| -> Vec<_> {
        assert!(reports.chunks(2).all(|pair| pair[0] == pair[1]));
        short(reports).into_iter().step_by(2).collect()
    };
    let fills: Vec<_> = (0..6).map(|n| part(1, 103 + n)).collect();
    let expected = [&[ACCEPTED][..], &fills, &[rest]].concat();
    assert_eq!(kinds(&floor.enter(1, buy(Tif::Ioc, 200, 20))), expected);
    assert_eq!(kinds(&floor.enter(2, sell(Tif::Gtc, 101, 1))), [ACCEPTED]);
    assert_eq!(kinds(&floor.enter(3, sell(Tif::Gtc, 102, 1))), [ACCEPTED]);
    // All or nothing: seven levels can not be told.
    let not = expired(Why::NotFillable);
    assert_eq!(kinds(&floor.enter(4, buy(Tif::Fok, 200, 7))), [ACCEPTED, not]);
    let own = expired(Why::SelfTrade);
    let fills: Vec<_> = (6..10).map(|n| part(1, 103 + n)).collect();
    let expected = [&[ACCEPTED, own, own][..], &fills, &[rest]].concat();
    assert_eq!(kinds(&floor.enter(5, buy(Tif::Ioc, 200, 20))), expected);
    // A trade pays seven orders; for an eighth there is no room to tell all that may become of it.
    for id in 11..=20 {
        floor.enter(id, buy(Tif::Gtc, 100, 1));
    }
    floor.trade(99, 10, Side::Sell);
    assert_eq!(kinds(&floor.news()), [whole(1, 100); 7]);
    floor.trade(99, 10, Side::Sell);
    assert_eq!(kinds(&floor.news()), [whole(1, 100); 3]);
    // Seven of ten orders end at once, beside the wake for it; the others with the next event.
    for id in 31..=40 {
        floor.enter(id, buy(Tif::Gtc, 91, 1));
    }
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.wake();
    assert_eq!((floor.news().len(), floor.venue.open_orders()), (14, 3));
    floor.wake();
    assert_eq!((floor.news().len(), floor.venue.open_orders()), (6, 0));
    // Three requests at once: the third waits for the next event.
    for id in 21..=23 {
        floor.send(id, buy(Tif::Ioc, 108 + id.cast_signed(), 2));
    }
    floor.ts += LATENCY;
    let put_off = floor.venue.stats().put_off;
    let mut told = 0;
    while told < 3 {
        floor.event_on(None, Body::Tick);
        told += floor.news().iter().filter(|r| r.kind.is_terminal()).count() / 2;
    }
    let stats = floor.venue.stats();
    assert!(stats.put_off > put_off && stats.overflowed == 0, "{stats:?}");
}

#[test]
fn symbols_do_not_mix() {
    let mut floor = Floor::new(config());
    let view = BookInput::Partial { bids: 1, asks: 1 };
    floor.frame_on(ID, view, [&[(100, 5)], &[(103, 5)]]);
    floor.frame_on(OTHER, view, [&[(50, 5)], &[(53, 5)]]);
    let other = floor.seq;
    floor.send_on(OTHER, 1, buy(Tif::Gtc, 51, 4));
    floor.send_on(ID, 2, sell(Tif::Gtc, 102, 4));
    floor.wake();
    floor.news();
    floor.trade(40, 9, Side::Sell);
    assert_eq!(floor.news(), []);
    floor.send_on(OTHER, 3, buy(Tif::Ioc, 53, 5));
    floor.wake();
    let news = floor.news();
    assert_eq!(short(&news), [ACCEPTED, whole(5, 53)]);
    assert_eq!(news[1].payer, other);
    floor.enter(2, Action::Cancel);
    floor.event_on(Some(OTHER), Body::BookInvalid(Invalid::Gap));
    assert_eq!(short(&floor.enter(4, buy(Tif::Ioc, 103, 5)))[1], whole(5, 103));
    assert_eq!(floor.position(), 5);
    assert_eq!(floor.venue.portfolio().position(OTHER).qty, Qty(5));
}

/// Faults on the way back: what is lost, repeated or late is so in the measure asked for, the account and
/// the answers to queries stay true, and a fold that hears of them late comes to the same position.
#[test]
fn faults_change_the_messages_and_not_the_truth() {
    let faults = ReportFaults {
        lose_ppm: 200_000,
        repeat_ppm: 300_000,
        delay_ppm: 100_000,
        delay: Nanos(5_000),
    };
    let mut floor = Floor::new(PaperConfig { faults, closed_max: 4_096, ..config() });
    let mut calm = Floor::new(PaperConfig { closed_max: 4_096, ..config() });
    let mut fold = Portfolio::new(PortfolioConfig {
        instruments: 2,
        strategies: vec![StrategyId(0)],
        orders_max: 4_096,
        closed_max: 4_096,
        arrival_max: Nanos(5 * Nanos::SECOND),
    });
    for id in 1..=2_000 {
        for floor in [&mut floor, &mut calm] {
            floor.book(&[(100, 5)], &[(103, 2)]);
            floor.send(id, buy(Tif::Ioc, 103, 3));
            floor.wake();
            floor.book(&[(100, 5)], &[(104, 5)]);
        }
        let action = buy(Tif::Ioc, 103, 3);
        let intent = Intent { order: oid(id), instrument: ID, source: Source::Alpha, action };
        fold.track(&intent, Nanos(floor.ts)).unwrap();
    }
    assert_eq!(floor.venue.portfolio().position(ID), calm.venue.portfolio().position(ID));
    let stats = *floor.venue.stats();
    assert_eq!(stats.messages, 6_000);
    let near = |count: u64, share: u64| count.abs_diff(share) < share / 10;
    assert!(near(stats.lost, 1_200), "{stats:?}");
    assert!(near(stats.repeated, 1_440) && near(stats.delayed, 480), "{stats:?}");
    let is_report = |feedback: &&Feedback| feedback.body != FeedbackBody::Wake;
    let told: Vec<Feedback> = floor.told.iter().filter(is_report).copied().collect();
    assert_eq!(told.len() as u64, 6_000 - stats.lost + stats.repeated);
    assert!(!told.iter().map(|feedback| feedback.due).is_sorted());
    let mut by_due = told;
    by_due.sort_by_key(Feedback::key);
    for feedback in &by_due {
        if let FeedbackBody::Report(report) = &feedback.body {
            fold.report(ID, report, feedback.due);
        }
    }
    // What was lost is learned by asking.
    let silent: Vec<OrderId> = fold.orders().iter().map(|order| order.id).collect();
    assert!(!silent.is_empty());
    for id in silent {
        while fold.order(id).is_some() {
            let before = floor.told.len();
            floor.send(id.counter(), Action::Query);
            floor.wake();
            for feedback in &floor.told[before..] {
                if let FeedbackBody::Status(status) = &feedback.body {
                    assert_eq!((status.state, status.cum_qty), (OrderState::Closed, Qty(2)));
                    fold.status(status, feedback.due);
                    assert_eq!(fold.order(id), None);
                }
            }
        }
    }
    let mine = fold.position(ID);
    let truth = floor.venue.portfolio().position(ID);
    assert_eq!((mine.qty, mine.fees), (truth.qty, truth.fees));
    assert_eq!(mine.qty, Qty(4_000));
}

/// Each answer on an order has a draw of its own, whatever kind it is of and whether the order is open.
#[test]
fn no_two_messages_of_an_order_share_their_luck() {
    let faults = ReportFaults { lose_ppm: 500_000, ..ReportFaults::default() };
    let mut floor = Floor::new(PaperConfig { faults, ..config() });
    floor.send(1, buy(Tif::Gtc, 99, 3));
    floor.wake();
    for asks in [Action::Query, Action::Cancel, Action::Query, Action::Cancel] {
        let before = floor.venue.stats().lost;
        for _ in 0..40 {
            floor.send(1, asks);
            floor.wake();
        }
        let lost = floor.venue.stats().lost - before;
        assert!((8..33).contains(&lost), "{lost} of 40 {asks:?}");
    }
}

#[test]
fn every_message_can_be_lost_or_doubled() {
    for (lose_ppm, repeat_ppm, copies) in [(1_000_000, 0, 0), (0, 1_000_000, 2), (0, 0, 1)] {
        let faults = ReportFaults { lose_ppm, repeat_ppm, ..ReportFaults::default() };
        let mut floor = Floor::new(PaperConfig { faults, ..config() });
        floor.send(1, buy(Tif::Gtc, 99, 3));
        floor.send(1, Action::Query);
        floor.wake();
        let answers = floor.told.iter().filter(|f| f.body != FeedbackBody::Wake).count();
        assert_eq!(answers, 2 * copies);
        assert_eq!(floor.venue.open_orders(), 1);
    }
}
