//! Latencies by leg, and fees by volume.

use super::*;
use crate::venue::paper::{FeeTier, FeeTiers, Latencies, Latency, LatencyHistogram, QuantilePoint};

fn constant(ns: u64) -> Option<Latency> {
    Some(Latency::Constant(Nanos(ns)))
}

/// A new order of 1 that rests, and when it is known to: there, and back.
fn round_trip(floor: &mut Floor, id: u64, action: Action) -> (u64, u64) {
    let sent = floor.ts;
    floor.send(id, action);
    let due = floor.told.iter().rfind(|told| told.body == FeedbackBody::Wake).unwrap().due;
    floor.ts = due.0;
    floor.event_on(None, Body::Wake);
    let answer = floor.told.last().unwrap();
    (due.0 - sent, answer.due.0 - floor.ts)
}

/// S0-31: each leg takes its own time; one without falls back on its direction's.
#[test]
fn s0_31_legs_take_their_own_time() {
    let latencies = Latencies {
        new: constant(100),
        amend: constant(200),
        cancel: constant(300),
        ack: constant(400),
        fill: constant(500),
    };
    for (latencies, expected) in [
        (latencies, [(100, 400), (200, 400), (10, 400), (300, 400), (100, 500)]),
        (Latencies::default(), [(10, 20); 5]),
        (
            Latencies { cancel: None, ack: None, ..latencies },
            [(100, 20), (200, 20), (10, 20), (10, 20), (100, 500)],
        ),
    ] {
        let mut floor = Floor::new(PaperConfig { latencies, ..config() });
        floor.book(&[(99, 5)], &[(101, 5)]);
        let mut found = Vec::new();
        for action in [buy(Tif::Gtc, 98, 2), amend(97, 2), Action::Query, Action::Cancel] {
            found.push(round_trip(&mut floor, 1, action));
            // Long enough for nothing to be held up by an earlier answer.
            floor.ts += 1_000;
        }
        found.push(round_trip(&mut floor, 2, buy(Tif::Gtc, 101, 2)));
        assert_eq!(found, expected);
    }
}

#[test]
fn the_cancel_of_everything_takes_as_long_as_a_cancel() {
    let latencies = Latencies { cancel: constant(300), ..Latencies::default() };
    let mut floor = Floor::new(PaperConfig { latencies, ..config() });
    floor.venue.cancel_all(0, Nanos(floor.ts), &mut floor.out);
    floor.drain();
    assert_eq!(floor.told.last().unwrap().due, Nanos(floor.ts + 300));
}

/// It is one connection: a fast fill waits for the slow answer before it.
#[test]
fn nothing_overtakes_on_the_way_back() {
    let latencies = Latencies { ack: constant(400), fill: constant(5), ..Latencies::default() };
    let mut floor = Floor::new(PaperConfig { latencies, ..config() });
    floor.book(&[(99, 5)], &[(101, 5)]);
    let reports = floor.enter(1, buy(Tif::Gtc, 101, 2));
    assert_eq!(short(&reports), [ACCEPTED, whole(2, 101)]);
    let due: Vec<u64> = floor.told[floor.told.len() - 2..].iter().map(|told| told.due.0).collect();
    assert_eq!(due, [floor.ts + 400; 2]);
}

#[test]
fn a_histogram_is_drawn_anew_for_each_order() {
    let point = |share_ppb, span_us| QuantilePoint { share_ppb, span_us };
    let points = LatencyHistogram::new(&[point(0, 1), point(1_000_000_000, 100)]).unwrap();
    let latencies = Latencies { new: Some(Latency::Histogram(points)), ..Latencies::default() };
    let spans = |seed| {
        let mut floor = Floor::new(PaperConfig { latencies, seed, ..config() });
        floor.book(&[(99, 5)], &[(101, 5)]);
        let one = |id| round_trip(&mut floor, id, buy(Tif::Ioc, 98, 1)).0;
        (1..20).map(one).collect::<Vec<u64>>()
    };
    let found = spans(1);
    assert!(found.iter().all(|ns| (1_000..=100_000).contains(ns)), "{found:?}");
    assert!(found.windows(2).all(|pair| pair[0] != pair[1]), "{found:?}");
    assert_eq!(found, spans(1));
    assert_ne!(found, spans(2));
}

/// S2-15: a fill is charged by the tier of what was traded before it; a rebate is income.
#[test]
fn s2_15_fees_follow_the_traded_volume() {
    let tier = |volume, maker, taker| FeeTier {
        volume: Usd(volume),
        fees: FeeSchedule {
            maker: Rate::parse(maker).unwrap(),
            taker: Rate::parse(taker).unwrap(),
        },
    };
    let tiers = [tier(300 * ONE, b"0.0001", b"0.0004"), tier(500 * ONE, b"-0.0001", b"0.0003")];
    let fee_tiers = FeeTiers::new(&tiers, Usd(100 * ONE)).unwrap();
    let mut floor = Floor::new(PaperConfig { fee_tiers, ..config() });
    let price = 100 * ONE;
    floor.book(&[(price, 20 * ONE)], &[(price + 1, ONE)]);
    // Raw units: a fill of one coin at 100 is worth 100 USD.
    let take = |floor: &mut Floor, id, coins: i64| {
        let reports = floor.enter(id, sell(Tif::Ioc, price, coins * ONE));
        reports.last().unwrap().cum_fee.0
    };
    let of = |usd: i64, ppm: i64| usd * ONE / 1_000_000 * ppm;
    assert_eq!(take(&mut floor, 1, 1), of(100, 500), "100 before");
    assert_eq!(take(&mut floor, 2, 2), of(200, 500), "200 before: the fill itself does not count");
    assert_eq!(take(&mut floor, 3, 1), of(100, 400), "400 before");
    assert_eq!(take(&mut floor, 4, 1), of(100, 300), "500 before");
    floor.enter(5, sell(Tif::Gtc, price + 10, ONE));
    floor.trade(price + 20, ONE, Side::Buy);
    let paid = floor.news();
    assert_eq!(paid.last().unwrap().liquidity, Liquidity::Maker);
    // A rebate is rounded down: 100.0000001 USD.
    assert_eq!(paid.last().unwrap().cum_fee.0, -of(100, 100));
    assert_eq!(floor.venue.stats().maker_fees.0, i128::from(-of(100, 100)));
    let total = floor.venue.portfolio().position(ID).fees.0;
    assert_eq!(total, i128::from(of(300, 500) + of(100, 400) + of(100, 300) - of(100, 100)));
}
