//! Conditional orders: by hand where a case has a name, then any prices against the rule as it is written.

use fusewire_core::event::{Mark, Origin};
use fusewire_core::order::{Conditional, Trigger, TriggerKind, TriggerPrice};

use super::*;

const MARK: TriggerPrice = TriggerPrice::Mark;
const LAST: TriggerPrice = TriggerPrice::Last;

/// A stop or take profit around a plain order.
fn waiting(kind: TriggerKind, by: TriggerPrice, at: i64, order: Action) -> Action {
    let trigger = Trigger { kind, by, price: Px(at), callback: Rate::ZERO, close_position: false };
    conditional(trigger, order)
}

fn stop(at: i64, order: Action) -> Action {
    waiting(TriggerKind::Stop, MARK, at, order)
}

fn conditional(trigger: Trigger, order: Action) -> Action {
    let Action::New(order) = order else { panic!("only a new order can wait") };
    Action::Conditional(Conditional { order, trigger })
}

/// The share is in percent.
fn trailing(by: TriggerPrice, at: i64, percent: i64, order: Action) -> Action {
    let callback = Rate(percent * 10_000_000_000);
    let kind = TriggerKind::Trailing;
    conditional(Trigger { kind, by, price: Px(at), callback, close_position: false }, order)
}

fn closing(action: Action) -> Action {
    let Action::Conditional(Conditional { order, trigger }) = action else { panic!("{action:?}") };
    Action::Conditional(Conditional { order, trigger: Trigger { close_position: true, ..trigger } })
}

fn triggered(why: Why, price: i64) -> (Kind, Why, i64, i64) {
    (Kind::Triggered, why, 0, price)
}

fn canceled() -> (Kind, Why, i64, i64) {
    (Kind::Canceled, Why::None, 0, 0)
}

fn refused(why: Why) -> (Kind, Why, i64, i64) {
    (Kind::Refused, why, 0, 0)
}

impl Floor {
    fn mark(&mut self, price: i64) {
        self.ts += 1;
        let (index, funding_rate, next_funding) = (None, None, None);
        let (price, origin) = (Px(price), Origin::Real);
        self.event(Body::Mark(Mark { price, index, funding_rate, next_funding, origin }));
    }

    fn state(&mut self, order: u64) -> OrderState {
        self.query(order).state
    }
}

/// Long 10 from 1000, with bids from 999 down and asks from 1001 up, and a mark of 1000.
fn long() -> Floor {
    let mut floor = Floor::new(config());
    floor.book(&[(999, 50), (990, 50), (980, 50)], &[(1_000, 10), (1_001, 50)]);
    floor.enter(1, buy(Tif::Ioc, 1_000, 10));
    floor.mark(1_000);
    floor.trade(1_000, 1, Side::Buy);
    assert_eq!(floor.position(), 10);
    floor.news();
    floor
}

fn exit(price: i64) -> Action {
    reduce(sell(Tif::Ioc, price, 10))
}

#[test]
fn a_stop_enters_as_a_limit_order_and_fills_at_what_the_book_offers() {
    let mut floor = long();
    assert_eq!(short(&floor.enter(2, stop(995, exit(980)))), [ACCEPTED]);
    floor.mark(996);
    floor.trade(900, 1, Side::Sell);
    assert_eq!(floor.news(), [], "it looks at the mark alone");
    floor.book(&[(993, 4), (992, 50)], &[(1_001, 50)]);
    let payer = floor.seq;
    floor.mark(994);
    let told = floor.news();
    let fills = [(Kind::PartialFill, Why::Stop, 4, 993), (Kind::Filled, Why::Stop, 6, 992)];
    assert_eq!(short(&told), [&[triggered(Why::Stop, 994)][..], &fills].concat());
    assert_eq!(told[0].payer, floor.seq, "the event that showed the price");
    assert!(told[1..].iter().all(|fill| fill.payer == payer), "the book paid");
    assert!(told[1..].iter().all(|fill| fill.liquidity == Liquidity::Taker));
    assert_eq!((floor.position(), floor.venue.waiting_orders()), (0, 0));
    assert_eq!((floor.venue.stats().triggered, floor.state(2)), (1, OrderState::Closed));
}

#[test]
fn a_take_profit_looks_at_trades_when_told_to_and_is_not_paid_by_its_own() {
    let mut floor = long();
    let profit = waiting(TriggerKind::TakeProfit, LAST, 1_005, reduce(sell(Tif::Gtc, 1_004, 10)));
    assert_eq!(short(&floor.enter(2, profit)), [ACCEPTED]);
    floor.mark(2_000);
    floor.trade(1_004, 5, Side::Buy);
    assert_eq!(floor.news(), []);
    floor.trade(1_005, 50, Side::Buy);
    assert_eq!(short(&floor.news()), [triggered(Why::TakeProfit, 1_005)]);
    // The book has no bid for it: it rests, as its term says.
    assert_eq!((floor.venue.open_orders(), floor.venue.waiting_orders()), (1, 0));
    floor.trade(1_006, 4, Side::Buy);
    assert_eq!(short(&floor.news()), [(Kind::PartialFill, Why::TakeProfit, 4, 1_004)]);
    let mut end = canceled();
    end.1 = Why::TakeProfit;
    assert_eq!(short(&floor.enter(2, Action::Cancel)), [end]);
}

#[test]
fn a_market_that_jumps_beyond_the_limit_leaves_it_unfilled() {
    for (tif, rests) in [(Tif::Ioc, false), (Tif::Fok, false), (Tif::Gtc, true), (Tif::Gtx, true)] {
        let mut floor = long();
        floor.enter(2, stop(995, reduce(sell(tif, 994, 10))));
        floor.book(&[(900, 50)], &[(1_001, 50)]);
        floor.mark(905);
        let told = short(&floor.news());
        assert_eq!(told[0], triggered(Why::Stop, 905), "{tif:?}");
        let end = match tif {
            Tif::Ioc => Some(expired(Why::ImmediateRest)),
            Tif::Fok => Some(expired(Why::NotFillable)),
            Tif::Gtc | Tif::Gtx => None,
        };
        assert_eq!(told.get(1), end.as_ref(), "{tif:?}");
        assert_eq!((floor.venue.open_orders() == 1, floor.position()), (rests, 10), "{tif:?}");
    }
}

#[test]
fn without_a_valid_book_it_is_triggered_and_takes_nothing() {
    let mut floor = long();
    floor.enter(2, stop(995, exit(900)));
    floor.event(Body::BookInvalid(Invalid::Gap));
    floor.mark(990);
    let told = short(&floor.news());
    assert_eq!(told, [triggered(Why::Stop, 990), expired(Why::ImmediateRest)]);
}

#[test]
fn what_would_trigger_at_once_or_reduces_nothing_is_refused() {
    let mut floor = long();
    let would = [refused(Why::WouldTrigger)];
    assert_eq!(short(&floor.enter(2, stop(1_000, exit(980)))), would);
    let profit = waiting(TriggerKind::TakeProfit, LAST, 999, exit(980));
    assert_eq!(short(&floor.enter(3, profit)), would);
    assert_eq!(short(&floor.enter(4, stop(999, buy(Tif::Ioc, 1_010, 1)))), would);
    // A trailing one must have its start before it.
    assert_eq!(short(&floor.enter(5, trailing(MARK, 999, 1, exit(980)))), would);
    let other_way = reduce(buy(Tif::Ioc, 1_010, 1));
    assert_eq!(short(&floor.enter(6, stop(1_005, other_way))), [refused(Why::ReduceOnly)]);
    for broken in [
        stop(0, exit(980)),
        stop(-1, exit(980)),
        trailing(MARK, 0, 0, exit(980)),
        closing(stop(995, sell(Tif::Ioc, 980, 10))),
        closing(trailing(MARK, 0, 1, exit(980))),
        stop(995, reduce(sell(Tif::Ioc, 0, 10))),
    ] {
        floor.seq += 100;
        let id = floor.seq;
        assert_eq!(short(&floor.enter(id, broken)), [refused(Why::Filter)], "{broken:?}");
    }
    assert_eq!(floor.venue.waiting_orders(), 0);
    assert_eq!(short(&floor.enter(5_000, stop(999, exit(980)))), [ACCEPTED]);
    assert_eq!(floor.enter(5_000, stop(999, exit(980))), [], "the id is in use");
}

#[test]
fn the_table_is_bounded() {
    let mut floor = long();
    floor.venue = {
        let config = PaperConfig { conditional_max: 1, ..config() };
        Floor::new(config).venue
    };
    assert_eq!(short(&floor.enter(2, stop(1_100, buy(Tif::Ioc, 1_110, 1)))), [ACCEPTED]);
    let full = [refused(Why::TooManyConditional)];
    assert_eq!(short(&floor.enter(3, stop(1_100, buy(Tif::Ioc, 1_110, 1)))), full);
}

#[test]
fn those_that_protect_end_with_the_position() {
    let mut floor = long();
    floor.enter(2, stop(995, exit(980)));
    floor.enter(3, waiting(TriggerKind::TakeProfit, MARK, 1_010, exit(1_000)));
    floor.enter(4, stop(900, sell(Tif::Ioc, 890, 10)));
    assert_eq!((floor.venue.waiting_orders(), floor.state(2)), (3, OrderState::Waiting));
    floor.news();
    floor.mark(994);
    let told = floor.news();
    let of = |counter| told.iter().filter(move |report| report.order == oid(counter)).copied();
    let (first, second): (Vec<_>, Vec<_>) = (of(2).collect(), of(3).collect());
    assert_eq!(first.last().map(|r| r.kind), Some(Kind::Filled));
    assert_eq!(short(&second), [expired(Why::ReduceOnly)]);
    // What may open a position stays.
    assert_eq!((floor.position(), floor.venue.waiting_orders()), (0, 1));
    floor.mark(890);
    assert_eq!(floor.news()[0].kind, Kind::Triggered);
}

/// A plain exit ends them as well.
#[test]
fn a_plain_exit_ends_what_protects() {
    let mut floor = long();
    floor.enter(2, stop(995, exit(980)));
    let told = floor.enter(3, exit(999));
    assert_eq!(short(&told), [ACCEPTED, whole(10, 999), expired(Why::ReduceOnly)]);
    assert_eq!((told[2].order, floor.venue.waiting_orders()), (oid(2), 0));
}

#[test]
fn one_that_closes_the_position_takes_what_is_there() {
    let mut floor = long();
    floor.enter(2, closing(stop(995, reduce(sell(Tif::Ioc, 980, 3)))));
    floor.enter(3, buy(Tif::Ioc, 1_001, 5));
    assert_eq!(floor.position(), 15);
    floor.news();
    floor.mark(995);
    let told = floor.news();
    let fill = (Kind::Filled, Why::Stop, 15, 999);
    assert_eq!(short(&told), [triggered(Why::Stop, 995), fill]);
    assert_eq!((told[0].qty, floor.position()), (Qty(15), 0));
    // One that only reduces is cut to what is there.
    let mut floor = long();
    floor.enter(2, stop(995, reduce(sell(Tif::Ioc, 980, 30))));
    floor.news();
    floor.mark(995);
    let part = (Kind::PartialFill, Why::Stop, 10, 999);
    let rest = expired(Why::ReduceOnly);
    assert_eq!(short(&floor.news()), [triggered(Why::Stop, 995), part, rest]);
}

#[test]
fn what_waits_is_cancelled_and_queried_like_any_other_but_not_amended() {
    let mut floor = long();
    floor.enter(2, stop(995, exit(980)));
    let (state, price) = (floor.state(2), floor.query(2).price);
    assert_eq!((state, price), (OrderState::Waiting, Px(980)));
    let no = (Kind::AmendRefused, Why::UnknownOrder, 0, 0);
    assert_eq!(short(&floor.enter(2, amend(981, 10))), [no]);
    assert_eq!(short(&floor.enter(2, Action::Cancel)), [canceled()]);
    let gone = (Kind::CancelRefused, Why::UnknownOrder, 0, 0);
    assert_eq!(short(&floor.enter(2, Action::Cancel)), [gone]);
    floor.enter(3, stop(995, exit(980)));
    floor.enter(4, reduce(sell(Tif::Gtc, 1_050, 1)));
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.wake();
    let told = floor.news();
    assert_eq!(short(&told), [canceled(), canceled()]);
    assert_eq!((floor.venue.open_orders(), floor.venue.waiting_orders()), (0, 0));
}

#[test]
fn a_trailing_stop_follows_the_best_price() {
    let mut floor = long();
    // 1 % of 1000 is ten.
    assert_eq!(short(&floor.enter(2, trailing(MARK, 0, 1, exit(900)))), [ACCEPTED]);
    for mark in [995, 991, 1_100, 1_090, 1_200, 1_189] {
        floor.mark(mark);
        assert_eq!(floor.news(), [], "{mark}");
    }
    floor.mark(1_188);
    let told = short(&floor.news());
    assert_eq!(told, [triggered(Why::Trailing, 1_188), (Kind::Filled, Why::Trailing, 10, 999)]);
    // With a start, nothing counts before it.
    let mut floor = long();
    floor.enter(2, trailing(LAST, 1_010, 1, exit(900)));
    for price in [990, 1_009, 900, 1_010, 1_000] {
        floor.trade(price, 1, Side::Buy);
        assert_eq!(floor.news(), [], "{price}");
    }
    floor.trade(999, 1, Side::Buy);
    assert_eq!(floor.news()[0].kind, Kind::Triggered);
}

/// An order that the balance does not carry when its trigger comes ends; one that closes asks for nothing.
#[test]
fn a_trigger_without_margin_ends_the_order() {
    let config = PaperConfig { balance: Usd(100 * ONE), leverage: 1, ..config() };
    let mut floor = Floor::new(config);
    let (price, coin) = (100 * ONE, ONE);
    floor.book(&[(price - 2, 50 * coin)], &[(price, 50 * coin)]);
    floor.mark(price);
    assert_eq!(floor.enter(1, buy(Tif::Ioc, price, coin / 2)).len(), 2);
    floor.enter(2, stop(price + 5, buy(Tif::Ioc, price + 10, 2 * coin)));
    floor.enter(3, stop(price - 5, sell(Tif::Ioc, price - 10, coin / 2)));
    floor.news();
    floor.mark(price + 5);
    assert_eq!(short(&floor.news()), [expired(Why::TriggerReject)]);
    floor.mark(price - 5);
    assert_eq!(floor.news()[0].kind, Kind::Triggered);
    assert_eq!((floor.position(), floor.venue.waiting_orders()), (0, 0));
}

/// While the end of all orders has no room, what waits ends first and nothing is triggered any more.
#[test]
fn nothing_is_triggered_behind_a_cancel_all() {
    // Room for what one new order may come to, and not for seven ends.
    let mut floor = Floor::with_room(config(), 6);
    floor.book(&[(999, 50)], &[(1_001, 50)]);
    floor.mark(1_000);
    floor.enter(1, buy(Tif::Gtc, 900, 1));
    for id in 2..=7 {
        floor.enter(id, stop(1_005, buy(Tif::Ioc, 1_010, 1)));
    }
    assert_eq!((floor.venue.open_orders(), floor.venue.waiting_orders()), (1, 6));
    floor.news();
    floor.venue.cancel_all(floor.seq, Nanos(floor.ts), &mut floor.out);
    floor.ts += 1_000;
    floor.mark(1_005);
    assert!(floor.venue.waiting_orders() > 0, "the end takes more than one event");
    floor.mark(1_005);
    let told: Vec<_> = floor.news().iter().map(|report| (report.order, report.kind)).collect();
    assert_eq!(told, [2, 3, 4, 5, 6, 7, 1].map(|order| (oid(order), Kind::Canceled)));
}

#[test]
fn a_full_table_of_orders_rejects_at_the_trigger() {
    let mut floor = Floor::new(PaperConfig { orders_max: 1, ..config() });
    floor.book(&[(999, 50)], &[(1_001, 50)]);
    floor.mark(1_000);
    floor.enter(1, buy(Tif::Gtc, 900, 1));
    floor.enter(2, stop(995, sell(Tif::Gtc, 980, 1)));
    floor.news();
    floor.mark(994);
    assert_eq!(short(&floor.news()), [expired(Why::TriggerReject)]);
}

/// What happens next in a session of conditional orders.
#[derive(Clone, Copy, Debug)]
enum Act {
    Mark(i64),
    Trade(i64),
    Wait { kind: TriggerKind, by: TriggerPrice, sells: bool, at: i64, percent: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let price = || 980_i64..1_021;
    let order = (
        prop::sample::select(&TriggerKind::ALL[..]),
        prop::sample::select(&TriggerPrice::ALL[..]),
        any::<bool>(),
        prop_oneof![4 => price(), 1 => Just(0)],
        1_i64..3,
    );
    prop_oneof![
        4 => price().prop_map(Act::Mark),
        4 => price().prop_map(Act::Trade),
        2 => order.prop_map(|(kind, by, sells, at, percent)| {
            Act::Wait { kind, by, sells, at, percent }
        }),
    ]
}

/// The rule as it is written: when does an order trigger that sees these prices, one after the other? A
/// trailing one that is active at once begins with the price before them, if there is one.
fn rule(order: (TriggerKind, bool, i64, i64), before: Option<i64>, seen: &[i64]) -> Option<usize> {
    let (kind, sells, at, percent) = order;
    let rises = match kind {
        TriggerKind::Stop => !sells,
        TriggerKind::TakeProfit => sells,
        TriggerKind::Trailing => {
            let start = if at == 0 { before } else { None };
            let all: Vec<i64> = start.into_iter().chain(seen.iter().copied()).collect();
            let skipped = all.len() - seen.len();
            let begins = |price: &i64| at == 0 || if sells { *price >= at } else { *price <= at };
            let first = all.iter().position(begins)?;
            return (first + 1..all.len()).find_map(|now| {
                let past = &all[first..=now];
                let back = if sells {
                    let best = past.iter().max().unwrap();
                    100 * all[now] <= best * (100 - percent)
                } else {
                    let best = past.iter().min().unwrap();
                    100 * all[now] >= best * (100 + percent)
                };
                back.then(|| now - skipped)
            });
        }
    };
    seen.iter().position(|price| if rises { *price >= at } else { *price <= at })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Each order triggers at the first price that the rule names and at no other, whatever else happens, and
    /// says which event that was.
    #[test]
    fn an_order_triggers_when_the_rule_says_so(acts in prop::collection::vec(act(), 1..80)) {
        let mut floor = Floor::new(config());
        floor.book(&[(900, 1_000_000)], &[(1_100, 1_000_000)]);
        // Prices with their events, and for each order how many there were when it got in.
        let mut prices: [Vec<(u64, i64)>; 2] = Default::default();
        let mut orders = Vec::new();
        let mut found = BTreeMap::new();
        for (act, id) in acts.iter().zip(1..) {
            match *act {
                Act::Mark(price) => {
                    floor.mark(price);
                    prices[0].push((floor.seq, price));
                }
                Act::Trade(price) => {
                    floor.trade(price, 1, Side::Buy);
                    prices[1].push((floor.seq, price));
                }
                Act::Wait { kind, by, sells, at, percent } => {
                    // Far from the book, so that it fills nothing.
                    let order = if sells { sell(Tif::Ioc, 1_099, 1) } else { buy(Tif::Ioc, 901, 1) };
                    let action = match kind {
                        TriggerKind::Trailing => trailing(by, at, percent, order),
                        TriggerKind::Stop | TriggerKind::TakeProfit => waiting(kind, by, at, order),
                    };
                    let told = floor.enter(id, action);
                    let last = prices[by as usize].last().map(|(_, price)| *price);
                    let order = (kind, sells, at, percent);
                    let refused = if kind == TriggerKind::Trailing {
                        let begun = |price| if sells { price >= at } else { price <= at };
                        at != 0 && last.is_some_and(begun)
                    } else {
                        at == 0 || last.is_some_and(|last| rule(order, None, &[last]) == Some(0))
                    };
                    prop_assert_eq!(told[0].kind == Kind::Refused, refused, "{:?}", told);
                    if !refused {
                        orders.push((id, by, order, last, prices[by as usize].len()));
                    }
                    continue;
                }
            }
            for report in floor.news() {
                if report.kind == Kind::Triggered {
                    prop_assert_eq!(report.payer, floor.seq);
                    found.insert(report.order.counter(), (report.payer, report.last_price.0));
                }
            }
        }
        for (id, by, order, before, from) in orders {
            let seen = &prices[by as usize][from..];
            let plain: Vec<i64> = seen.iter().map(|(_, price)| *price).collect();
            let expected = rule(order, before, &plain).map(|index| seen[index]);
            prop_assert_eq!(found.remove(&id), expected, "{:?} after {:?}: {:?}", order, before, plain);
        }
        prop_assert_eq!(found, BTreeMap::new());
    }
}
