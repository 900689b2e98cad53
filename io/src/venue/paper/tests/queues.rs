//! The queue before a resting order, by model.

use super::*;

const CAREFUL: QueueModel = QueueModel::RiskAverse;
/// With the power 1 every coin is as likely to leave as any other.
const CHANCE: QueueModel = QueueModel::Probabilistic(QueueFunction::Power(Rate(1_000_000_000_000)));
const MODELS: [QueueModel; 3] = [QueueModel::TradesOnly, CAREFUL, CHANCE];

/// A buy of 5 at 99 behind 100, in a book of diffs.
fn floor(queue: QueueModel) -> Floor {
    let mut floor = Floor::new(PaperConfig { queue, ..config() });
    floor.diff(&[(99, 100), (98, 7)], &[(101, 50)]);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtc, 99, 5))), [ACCEPTED]);
    floor
}

/// What must trade at the price until the order is paid: the queue, seen from outside.
fn queue(floor: &mut Floor) -> i64 {
    for eaten in 0..200 {
        floor.trade(99, 1, Side::Sell);
        if !floor.news().is_empty() {
            return eaten;
        }
    }
    panic!("never paid")
}

#[test]
fn trades_at_the_price_move_every_queue_and_other_prices_none() {
    for model in MODELS {
        let mut floor = floor(model);
        floor.trade(99, 30, Side::Sell);
        // An aggressor that buys at 99, or a trade elsewhere, takes nothing from those who bid there.
        floor.trade(99, 30, Side::Buy);
        floor.trade(101, 30, Side::Buy);
        assert_eq!(queue(&mut floor), 70, "{model:?}");
    }
}

/// S0-31: who left can not stand before anybody.
#[test]
fn s0_31_a_queue_is_never_longer_than_what_the_level_displays() {
    for (model, left) in [(QueueModel::TradesOnly, 100), (CAREFUL, 40), (CHANCE, 40)] {
        let mut floor = floor(model);
        floor.diff(&[(99, 40)], &[]);
        // Who comes afterwards stands behind it, and another level says nothing of this one.
        floor.diff(&[(99, 90)], &[]);
        floor.diff(&[(98, 0)], &[(99, 3)]);
        assert_eq!(queue(&mut floor), left, "{model:?}");
    }
    let mut floor = floor(CAREFUL);
    floor.diff(&[(99, 0)], &[]);
    assert_eq!(queue(&mut floor), 0);
}

#[test]
fn what_leaves_without_a_trade_is_shared_by_the_probability() {
    let mut floor = floor(CHANCE);
    // 100 join behind, then 50 leave: half of them stood before.
    floor.diff(&[(99, 200)], &[]);
    floor.diff(&[(99, 150)], &[]);
    assert_eq!(queue(&mut floor), 75);
    let mut floor = self::floor(CAREFUL);
    floor.diff(&[(99, 200)], &[]);
    floor.diff(&[(99, 150)], &[]);
    assert_eq!(queue(&mut floor), 100);
}

/// A trade and the frame that shows it come separately.
#[test]
fn a_trade_does_not_move_the_queue_once_more_when_the_book_shows_it() {
    for model in MODELS {
        let mut floor = floor(model);
        floor.diff(&[(99, 200)], &[]);
        floor.trade(99, 30, Side::Sell);
        floor.trade(99, 10, Side::Sell);
        // A frame in between that does not speak of the level.
        floor.diff(&[(98, 6)], &[]);
        floor.diff(&[(99, 160)], &[]);
        assert_eq!(queue(&mut floor), 60, "{model:?}");
    }
    // 40 traded, and 60 left besides: of 60 before and 100 behind.
    let mut floor = floor(CHANCE);
    floor.diff(&[(99, 200)], &[]);
    floor.trade(99, 40, Side::Sell);
    floor.diff(&[(99, 100)], &[]);
    // Before the change the level showed 200, 60 of them before it: 60 * 60 / 200.
    assert_eq!(queue(&mut floor), 60 - 18);
}

#[test]
fn a_trade_at_the_time_of_the_order_explains_a_decrease_too() {
    let mut floor = Floor::new(PaperConfig { queue: CHANCE, ..config() });
    floor.diff(&[(99, 100)], &[(101, 50)]);
    floor.enter(1, buy(Tif::Gtc, 99, 5));
    floor.diff(&[(99, 200)], &[]);
    // At the same instant: it does not move the queue, nor does the frame that shows it.
    floor.trade_now(99, 40, Side::Sell);
    floor.diff(&[(99, 160)], &[]);
    assert_eq!(queue(&mut floor), 100);
}

#[test]
fn a_whole_view_counts_within_its_last_level_only() {
    let mut floor = Floor::new(PaperConfig { queue: CAREFUL, ..config() });
    floor.book(&[(99, 100), (98, 7)], &[(101, 50)]);
    floor.enter(1, buy(Tif::Gtc, 99, 5));
    // 99 lies behind the last level of this view.
    floor.book(&[(100, 3)], &[(101, 50)]);
    assert_eq!(queue(&mut floor), 100);
    for (view, left) in [([(99, 40), (98, 7)], 40), ([(100, 1), (98, 7)], 0)] {
        let mut floor = Floor::new(PaperConfig { queue: CAREFUL, ..config() });
        floor.book(&[(99, 100), (98, 7)], &[(101, 50)]);
        floor.enter(1, buy(Tif::Gtc, 99, 5));
        floor.book(&view, &[(101, 50)]);
        assert_eq!(queue(&mut floor), left);
    }
}

#[test]
fn a_queue_that_nobody_knew_is_known_when_the_level_is_seen() {
    for (model, known) in [(QueueModel::TradesOnly, false), (CAREFUL, true), (CHANCE, true)] {
        let mut floor = Floor::new(PaperConfig { queue: model, ..config() });
        floor.book(&[(99, 100)], &[(101, 50)]);
        floor.enter(1, buy(Tif::Gtc, 98, 5));
        floor.trade(98, 1_000, Side::Sell);
        assert_eq!(floor.news(), [], "behind the last level nobody knows");
        floor.book(&[(99, 100), (98, 20)], &[(101, 50)]);
        floor.trade(98, 21, Side::Sell);
        let paid = floor.news();
        assert_eq!(short(&paid), if known { vec![part(1, 98)] } else { vec![] }, "{model:?}");
    }
}

#[test]
fn who_came_later_is_never_before_who_came_first() {
    for model in MODELS {
        let mut floor = floor(model);
        floor.diff(&[(99, 130)], &[]);
        floor.enter(2, buy(Tif::Gtc, 99, 5));
        for shown in [120, 60, 61, 7, 3] {
            floor.trade(99, 2, Side::Sell);
            floor.diff(&[(99, shown)], &[]);
        }
        floor.trade(99, 6, Side::Sell);
        floor.trade(99, 1_000, Side::Sell);
        let paid = floor.news();
        let firsts: Vec<u64> = paid.iter().map(|report| report.order.counter()).collect();
        assert!(firsts.is_sorted(), "{model:?}: {firsts:?}");
    }
}
