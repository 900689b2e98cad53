//! Symbols without a book: who fills there, at what, and what never does. Half the assumed spread is one.

use fusewire_core::event::{Bar, DepthBand};
use fusewire_core::order::{Conditional, Trigger, TriggerKind, TriggerPrice};

use super::super::SparseConfig;
use super::*;

/// A twentieth is one.
const VOLUME: i64 = 20;

impl Floor {
    /// A floor on which the touch is assumed around 100.
    fn sparse() -> Self {
        let mut floor = Self::new(config());
        floor.assume();
        floor
    }

    fn assume(&mut self) {
        let level = |price| Some(Level { price: Px(price), qty: Qty(1) });
        let touch = Touch { bid: level(99), ask: level(101) };
        self.event(Body::Depth(Depth::default()));
        self.event(Body::Touch(TouchChange { touch, source: TouchSource::Assumed }));
    }

    /// A bar that opens after all that was so far.
    fn bar(&mut self, prices: [i64; 4], volume: i64) {
        let open_time = self.ts + 1;
        self.ts += 60;
        self.bar_of(open_time, 60, prices, volume);
    }

    fn bar_of(&mut self, open_time: u64, interval_s: u32, prices: [i64; 4], volume: i64) {
        let [open, high, low, close] = prices.map(Px);
        let (volume, open_time) = (i128::from(volume).into(), Nanos(open_time));
        let quote_volume = 0.into();
        let bar =
            Bar { open_time, interval_s, trades: 1, open, high, low, close, volume, quote_volume };
        self.event(Body::Bar(bar));
    }

    fn payers(&self, reports: &[Report]) -> Vec<u64> {
        reports.iter().filter(|r| r.kind.is_fill()).map(|r| r.payer).collect()
    }
}

fn waiting(kind: TriggerKind, price: i64, order: Action) -> Action {
    let Action::New(order) = order else { panic!("only a new order can wait") };
    let (price, callback) = (Px(price), Rate::ZERO);
    let trigger = Trigger { kind, by: TriggerPrice::Last, price, callback, close_position: false };
    Action::Conditional(Conditional { order, trigger })
}

#[test]
fn a_taker_fills_at_the_next_trade_and_half_a_spread_beyond_it() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 103, 5))), [ACCEPTED], "not at what was before");
    floor.trade(102, 3, Side::Sell);
    let reports = floor.news();
    assert_eq!(short(&reports), [part(3, 103), expired(Why::ImmediateRest)]);
    assert_eq!(floor.payers(&reports), [floor.seq]);
    assert_eq!(reports[0].liquidity, Liquidity::Taker);
    // The trade is used up, and the order is over.
    floor.trade(100, 9, Side::Sell);
    assert_eq!(short(&floor.news()), []);
}

#[test]
fn a_taker_whose_limit_is_left_behind_gets_nothing() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    let rest = expired(Why::ImmediateRest);
    assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 100, 5))), [ACCEPTED, rest], "the ask is 101");
    floor.enter(2, buy(Tif::Ioc, 101, 5));
    floor.enter(3, buy(Tif::Fok, 103, 5));
    floor.enter(4, buy(Tif::Gtc, 101, 5));
    floor.trade(102, 4, Side::Buy);
    let not = expired(Why::NotFillable);
    assert_eq!(short(&floor.news()), [rest, not], "103 is beyond 101, and 4 are not 5");
    assert_eq!(floor.venue.open_orders(), 1, "the one that may rest rests");
    floor.trade(100, 2, Side::Sell);
    let reports = floor.news();
    assert_eq!(short(&reports), [part(2, 101)]);
    assert_eq!(reports[0].liquidity, Liquidity::Taker, "it may have taken what nobody saw");
}

#[test]
fn one_order_takes_no_more_than_the_depth_that_is_assumed() {
    let book = fusewire_core::assumed::AssumedBook { depth_notional: Usd(1), ..Default::default() };
    let sparse = SparseConfig { book, ..SparseConfig::default() };
    let mut floor = Floor::new(PaperConfig { sparse, ..config() });
    floor.assume();
    floor.trade(100, 9, Side::Buy);
    floor.enter(1, buy(Tif::Ioc, 101, 2_000_000));
    floor.trade(100, 2_000_000, Side::Buy);
    assert_eq!(short(&floor.news())[0], part(990_099, 101));
}

/// A share of the band, by the distance: half a spread is 1 bp. What is assumed is 5,000 USD.
#[test]
fn an_order_takes_what_the_innermost_band_leaves_of_the_depth() {
    let mut floor = Floor::sparse();
    let band = |floor: &mut Floor, percent: i64, raw: i128| {
        let (at, distance) = (Nanos(floor.ts), Bps(percent * 1_000_000));
        floor.event(Body::DepthBand(DepthBand {
            at,
            distance,
            qty: 0.into(),
            notional: raw.into(),
        }));
    };
    // The price is 1.0 and a coin is worth a dollar: 1 bp of 1 % is a hundredth of 2 USD.
    let one = ONE;
    let take = |floor: &mut Floor, n: u64, side: fn(Tif, i64, i64) -> Action, limit: i64, tif| {
        floor.trade(one, one, Side::Buy);
        floor.enter(n, side(tif, limit, 10 * one));
        floor.trade(one, 20 * one, Side::Buy);
        short(&floor.news())
    };
    let (high, low) = (one + one / 100, one - one / 100);
    let rest = expired(Why::ImmediateRest);
    band(&mut floor, 1, 2 * i128::from(one));
    let found = take(&mut floor, 1, buy, high, Tif::Ioc);
    // 0.02 USD at 1.0001.
    assert_eq!(found, [part(1_999_800, one + 10_000), rest]);
    let not = expired(Why::NotFillable);
    assert_eq!(take(&mut floor, 2, buy, high, Tif::Fok), [not]);
    assert_eq!(take(&mut floor, 3, sell, low, Tif::Ioc), [whole(10 * one, one - 10_000)]);
    // Nothing stood there: nothing is taken, and who may rest rests.
    band(&mut floor, -1, 0);
    assert_eq!(take(&mut floor, 4, sell, low, Tif::Ioc), [rest]);
    // A band that is older than two minutes says nothing any more.
    floor.ts += 120 * Nanos::SECOND;
    assert_eq!(take(&mut floor, 5, buy, high, Tif::Ioc), [whole(10 * one, one + 10_000)]);
    band(&mut floor, -1, 0);
    assert_eq!(take(&mut floor, 6, sell, low, Tif::Gtc), []);
    assert_eq!(floor.venue.open_orders(), 1);
}

#[test]
fn an_order_at_rest_fills_when_a_trade_goes_through_by_a_tick_and_never_by_a_touch() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtx, 99, 5))), [ACCEPTED]);
    for aggressor in Side::ALL {
        floor.trade(99, 1_000, aggressor);
    }
    assert_eq!(short(&floor.news()), [], "it was touched, and nobody knows the queue");
    floor.trade(98, 3, Side::Buy);
    let reports = floor.news();
    assert_eq!(short(&reports), [part(3, 99)]);
    assert_eq!((reports[0].payer, reports[0].liquidity), (floor.seq, Liquidity::Maker));
    let would = expired(Why::WouldTake);
    for price in [98_i64, 99] {
        let told = floor.enter(1 + price.unsigned_abs(), buy(Tif::Gtx, price, 5));
        assert_eq!(short(&told), [ACCEPTED, would], "at the last price it may take");
    }
}

#[test]
fn a_trade_at_the_time_of_arrival_pays_nothing() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    floor.send(1, buy(Tif::Gtx, 99, 5));
    floor.send(2, buy(Tif::Ioc, 105, 5));
    floor.wake();
    floor.trade_now(90, 50, Side::Sell);
    assert_eq!(short(&floor.news()), [ACCEPTED; 2]);
    floor.trade(97, 50, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(5, 98), whole(5, 99)]);
}

#[test]
fn a_bar_pays_who_got_in_before_it_opened_from_a_share_of_its_volume() {
    let mut floor = Floor::sparse();
    floor.bar([100, 100, 100, 100], VOLUME);
    floor.enter(1, buy(Tif::Ioc, 103, 5));
    floor.enter(2, sell(Tif::Gtx, 104, 5));
    let before = floor.ts - 30;
    floor.bar_of(before, 60, [100, 200, 50, 101], 10 * VOLUME);
    assert_eq!(short(&floor.news()), [], "it opened before");
    floor.bar([102, 105, 101, 103], 6 * VOLUME);
    let reports = floor.news();
    // Five at the open and half a spread, the sixth to the order that was gone through.
    assert_eq!(short(&reports), [whole(5, 103), part(1, 104)]);
    assert_eq!(floor.payers(&reports), [floor.seq; 2]);
}

#[test]
fn a_bar_that_only_touches_never_fills() {
    let mut floor = Floor::sparse();
    floor.bar([100, 100, 100, 100], VOLUME);
    floor.enter(1, buy(Tif::Gtx, 95, 5));
    floor.enter(2, sell(Tif::Gtx, 105, 5));
    floor.bar([100, 105, 95, 100], 1_000 * VOLUME);
    assert_eq!(short(&floor.news()), []);
    floor.bar([100, 106, 94, 100], 1_000 * VOLUME);
    assert_eq!(short(&floor.news()), [whole(5, 95), whole(5, 105)]);
}

/// The bar behind which the first touch is assumed comes before it.
#[test]
fn a_bar_before_the_first_touch_says_where_the_market_is() {
    let mut floor = Floor::new(config());
    floor.bar([100, 100, 100, 100], VOLUME);
    floor.assume();
    assert_eq!(short(&floor.enter(1, buy(Tif::Gtx, 99, 5))), [ACCEPTED]);
}

#[test]
fn bars_made_of_trades_and_longer_bars_pay_nothing() {
    let mut floor = Floor::sparse();
    floor.bar([100, 100, 100, 100], VOLUME);
    floor.enter(1, buy(Tif::Gtx, 95, 5));
    let open_time = floor.ts + 1;
    floor.ts += 300;
    floor.bar_of(open_time, 300, [100, 106, 94, 100], 1_000 * VOLUME);
    assert_eq!(short(&floor.news()), [], "five minutes hold the minutes once more");
    floor.trade(100, 1, Side::Buy);
    floor.bar([100, 106, 94, 100], 1_000 * VOLUME);
    assert_eq!(short(&floor.news()), [], "there are trades");
}

/// In one bar a stop and an order that rests on the same side: the worse one is taken.
#[test]
fn a_stop_in_a_bar_goes_before_an_order_that_rests_on_its_side() {
    for has_stop in [false, true] {
        let mut floor = Floor::sparse();
        floor.bar([100, 100, 100, 100], VOLUME);
        floor.enter(1, buy(Tif::Ioc, 103, 1));
        floor.bar([100, 100, 100, 100], VOLUME);
        assert_eq!(floor.position(), 1);
        floor.enter(2, reduce(sell(Tif::Gtx, 110, 1)));
        if has_stop {
            floor.enter(3, waiting(TriggerKind::Stop, 95, reduce(sell(Tif::Ioc, 80, 1))));
        }
        floor.news();
        // Through both: whichever came first, nobody knows.
        floor.bar([100, 112, 90, 100], 1_000 * VOLUME);
        let reports = floor.news();
        if !has_stop {
            assert_eq!(short(&reports), [whole(1, 110)]);
            continue;
        }
        assert_eq!(short(&reports), [(Kind::Triggered, Why::Stop, 0, 90)]);
        floor.bar([97, 97, 97, 97], 1_000 * VOLUME);
        let reports = floor.news();
        let stopped = (Kind::Filled, Why::Stop, 1, 96);
        assert_eq!(short(&reports), [stopped, expired(Why::ReduceOnly)], "at the next open");
        assert_eq!(floor.position(), 0);
    }
}

#[test]
fn an_order_that_waits_can_be_cancelled_asked_for_and_amended() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    floor.enter(1, buy(Tif::Gtc, 103, 5));
    assert_eq!(floor.query(1).state, OrderState::Open);
    assert_eq!(floor.venue.open_orders(), 1);
    let amended = (Kind::Amended, Why::None, 0, 0);
    assert_eq!(short(&floor.enter(1, amend(98, 5))), [amended], "it rests now");
    floor.trade(99, 9, Side::Sell);
    assert_eq!(short(&floor.news()), []);
    floor.enter(2, buy(Tif::Ioc, 103, 5));
    assert_eq!(short(&floor.enter(2, Action::Cancel)), [(Kind::Canceled, Why::None, 0, 0)]);
}

#[test]
fn behind_a_gap_an_order_waits_to_see_where_the_market_is() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    floor.event_on(None, Body::Gap);
    assert_eq!(short(&floor.enter(1, buy(Tif::Ioc, 99, 5))), [ACCEPTED]);
    let would = expired(Why::WouldTake);
    assert_eq!(short(&floor.enter(2, buy(Tif::Gtx, 10, 5))), [ACCEPTED, would]);
    floor.trade(97, 9, Side::Buy);
    assert_eq!(short(&floor.news()), [whole(5, 98)]);
}

#[test]
fn a_book_that_turns_up_is_taken_from_at_once() {
    let mut floor = Floor::sparse();
    floor.trade(100, 9, Side::Buy);
    floor.enter(1, buy(Tif::Ioc, 103, 5));
    floor.book(&[(99, 5)], &[(102, 2)]);
    let reports = floor.news();
    assert_eq!(short(&reports), [part(2, 102), expired(Why::ImmediateRest)]);
    assert_eq!(floor.payers(&reports), [floor.seq]);
    // From now on a trade at the price pays behind the queue, as with any book.
    floor.enter(2, buy(Tif::Gtx, 99, 1));
    floor.trade(99, 6, Side::Sell);
    assert_eq!(short(&floor.news()), [whole(1, 99)]);
}

/// What happens in a session without a book.
#[derive(Clone, Copy, Debug)]
enum Act {
    Trade(i64, i64, Side),
    Bar([i64; 2], i64),
    Send(Side, Tif, i64, i64),
    Cancel(u64),
}

fn act(bars: bool) -> impl Strategy<Value = Act> {
    let side = || prop::sample::select(&Side::ALL[..]);
    let tif = prop::sample::select(&[Tif::Gtc, Tif::Gtx, Tif::Ioc, Tif::Fok][..]);
    let print = match bars {
        false => (95_i64..106, 1_i64..8, side()).prop_map(|(p, q, s)| Act::Trade(p, q, s)).boxed(),
        true => {
            let of = |(a, b, volume)| Act::Bar([a, b], volume);
            (95_i64..106, 95_i64..106, 20_i64..200).prop_map(of).boxed()
        }
    };
    let send = (side(), tif, 94_i64..107, 1_i64..9);
    prop_oneof![
        3 => print,
        3 => send.prop_map(|(s, t, p, q)| Act::Send(s, t, p, q)),
        1 => (1_u64..30).prop_map(Act::Cancel),
    ]
}

/// What a print may pay, and what it paid.
struct Seen {
    opened: u64,
    low: i64,
    high: i64,
    open: i64,
    left: i64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// S0-03, S0-31: a fill names a print that came, or opened, after its order got in. It is a tick through the
    /// order, or half a spread against it; no print pays more than it has, whatever the session.
    #[test]
    fn every_fill_is_paid_by_a_later_print_that_went_through(
        bars in any::<bool>().prop_flat_map(|bars| prop::collection::vec(act(bars), 1..80)),
    ) {
        let mut floor = Floor::sparse();
        let (mut prints, mut sent) = (BTreeMap::<u64, Seen>::new(), BTreeMap::new());
        for (act, id) in bars.iter().zip(1..) {
            match *act {
                Act::Trade(price, qty, aggressor) => {
                    floor.trade(price, qty, aggressor);
                    let [low, high, open] = [price; 3];
                    prints.insert(floor.seq, Seen { opened: floor.ts, low, high, open, left: qty });
                }
                Act::Bar([open, close], volume) => {
                    let (low, high) = (open.min(close), open.max(close));
                    let opened = floor.ts + 1;
                    floor.bar([open, high, low, close], volume);
                    prints.insert(floor.seq, Seen { opened, low, high, open, left: volume / 20 });
                }
                Act::Send(side, tif, price, qty) => {
                    sent.insert(oid(id), (floor.ts + LATENCY, tif));
                    floor.send(id, order(side, tif, price, qty));
                    floor.wake();
                }
                Act::Cancel(order) => {
                    floor.send(order, Action::Cancel);
                    floor.wake();
                }
            }
            for fill in floor.news().into_iter().filter(|report| report.kind.is_fill()) {
                let (got_in, tif) = sent[&fill.order];
                let print = prints.get_mut(&fill.payer).expect("a print paid");
                prop_assert_eq!(fill.payer, floor.seq, "the newest one");
                prop_assert!(got_in < print.opened, "{:?} {:?}", fill, got_in);
                let (price, limit) = (fill.last_price.0, fill.price.0);
                let (within, through, taken) = match fill.side {
                    Side::Buy => (price <= limit, print.low < limit, print.open + 1),
                    Side::Sell => (price >= limit, print.high > limit, print.open - 1),
                };
                prop_assert!(within);
                let rests = price == limit && through && matches!(tif, Tif::Gtc | Tif::Gtx);
                prop_assert!(rests || price == taken, "{:?}", fill);
                print.left -= fill.last_qty.0;
                prop_assert!(print.left >= 0, "{:?}", fill);
            }
        }
    }

    /// S0-03: a bar whose extremes are the prices of the orders fills none of them.
    #[test]
    fn a_touch_never_fills(
        below in 1_i64..50, above in 1_i64..50, volume in 1_i64..1_000_000, bars in 1_usize..5,
    ) {
        let mut floor = Floor::sparse();
        floor.bar([100; 4], VOLUME);
        floor.enter(1, buy(Tif::Gtx, 100 - below, 5));
        floor.enter(2, sell(Tif::Gtx, 100 + above, 5));
        for _ in 0..bars {
            floor.bar([100, 100 + above, 100 - below, 100], volume);
        }
        prop_assert_eq!(floor.venue.stats().fills(), 0);
        prop_assert_eq!(floor.venue.open_orders(), 2);
    }
}
