//! Random sessions: against the plain rules, and against what nobody may be paid twice for.

use super::*;

const TICK: i64 = 7;
const STEP: i64 = 33_333_333;

fn price(k: i64) -> i64 {
    TICK * (1_428_571_429 + k)
}

/// What happens next in a random session.
#[derive(Clone, Debug)]
enum Act {
    Book(Vec<(i64, i64)>, Vec<(i64, i64)>),
    Ticker(i64, i64, i64, i64),
    Trade(i64, i64, bool),
    Invalid,
    New(bool, Tif, bool, i64, i64),
    Amend(usize, i64, i64),
    Cancel(usize),
    /// Everything on its way gets in.
    Wake,
}

fn side() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0_i64..8, 0_i64..6), 0..5)
}

fn act() -> impl Strategy<Value = Act> {
    let tif = prop::sample::select(vec![Tif::Gtc, Tif::Gtc, Tif::Ioc, Tif::Fok, Tif::Gtx]);
    let new = (any::<bool>(), tif, prop::bool::weighted(0.25), -8_i64..9, 1_i64..8);
    prop_oneof![
        4 => (side(), side()).prop_map(|(bids, asks)| Act::Book(bids, asks)),
        2 => (-6_i64..6, 1_i64..4, 1_i64..5, 1_i64..5).prop_map(|(a, b, c, d)| Act::Ticker(a, b, c, d)),
        6 => (-8_i64..9, 1_i64..9, any::<bool>()).prop_map(|(p, q, s)| Act::Trade(p, q, s)),
        1 => Just(Act::Invalid),
        6 => new.prop_map(|(b, t, r, p, q)| Act::New(b, t, r, p, q)),
        2 => (0_usize..6, -8_i64..9, 1_i64..8).prop_map(|(back, p, q)| Act::Amend(back, p, q)),
        1 => (0_usize..6).prop_map(Act::Cancel),
        6 => Just(Act::Wake),
    ]
}

/// Both venues, fed with the same.
struct Pair {
    floor: Floor,
    naive: Naive,
    view: View,
    on_the_way: Vec<(u64, u64, Ask)>,
    ids: u64,
    told: Option<Touch>,
    /// The last view of the book.
    shown: [Vec<(i64, i64)>; 2],
}

impl Pair {
    fn new(view: View) -> Self {
        Self::with(view, QueueModel::RiskAverse)
    }

    fn with(view: View, queue: QueueModel) -> Self {
        let exact = Instrument {
            tick: Some(Px(TICK)),
            lot: LotSize { min: Qty(STEP), max: Qty(100 * STEP), step: Qty(STEP) },
            ..instrument("A")
        };
        let config = PaperConfig { queue, ..config() };
        let rates = [config.fees.maker, config.fees.taker].map(|rate| i128::from(rate.0));
        let mut naive = Naive::default();
        naive.rates = rates;
        naive.cap = queue == QueueModel::RiskAverse;
        let floor = Floor::with(config, 1_024, vec![exact]);
        Self {
            floor,
            naive,
            view,
            on_the_way: Vec::new(),
            ids: 0,
            told: None,
            shown: Default::default(),
        }
    }

    /// Requests that are due get in at the next event.
    fn admit(&mut self) {
        let now = self.floor.ts;
        for (due, id, ask) in std::mem::take(&mut self.on_the_way) {
            if due <= now {
                self.naive.enter(due, id, ask);
            } else {
                self.on_the_way.push((due, id, ask));
            }
        }
    }

    fn send(&mut self, id: u64, ask: Ask) {
        let action = match ask {
            Ask::New { buy, tif, reduce, price, qty } => Action::New(NewOrder {
                side: if buy { Side::Buy } else { Side::Sell },
                price: Px(price),
                qty: Qty(qty),
                tif,
                reduce_only: reduce,
            }),
            Ask::Amend { price, qty } => amend(price, qty),
            Ask::Cancel => Action::Cancel,
        };
        self.floor.send(id, action);
        self.on_the_way.push((self.floor.ts + LATENCY, id, ask));
    }

    fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        // Kept apart, so that the book is never crossed: bids below 0, asks from 0 on.
        let mut sides = [
            bids.iter().map(|&(k, q)| (price(-1 - k), q * STEP)).collect::<Vec<_>>(),
            asks.iter().map(|&(k, q)| (price(k), q * STEP)).collect(),
        ];
        for side in &mut sides {
            side.sort_unstable();
            side.dedup_by_key(|level| level.0);
        }
        match self.view {
            View::Whole => self.floor.book(&sides[0], &sides[1]),
            View::Changes => self.floor.diff(&sides[0], &sides[1]),
        }
        self.naive.frame(self.floor.seq, self.view, [&sides[0], &sides[1]]);
        self.shown.clone_from(&sides);
        let [bid, ask] = self.naive.touch().map(|level| level.map(|l| levels(&[l])[0]));
        let touch = Touch { bid, ask };
        if self.told != Some(touch) {
            self.told = Some(touch);
            self.naive.ticker(None);
            self.floor.event(Body::Touch(TouchChange { touch, source: TouchSource::Book }));
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Book(bids, asks) => {
                self.admit();
                self.book(bids, asks);
            }
            Act::Ticker(low, width, bids, asks) => {
                if self.told.is_some() {
                    self.admit();
                    let bid = (price(*low), bids * STEP);
                    let ask = (price(low + width), asks * STEP);
                    self.naive.ticker(Some([bid, ask]));
                    let [bid_level, ask_level] = [bid, ask].map(|level| Some(levels(&[level])[0]));
                    self.told = Some(Touch { bid: bid_level, ask: ask_level });
                    self.floor.ticker(bid, ask);
                }
            }
            Act::Trade(at, qty, sell) => {
                self.floor.ts += 1;
                self.admit();
                let aggressor = if *sell { Side::Sell } else { Side::Buy };
                self.floor.trade_now(price(*at), qty * STEP, aggressor);
                let ts = self.floor.ts;
                self.naive.trade(self.floor.seq, ts, (price(*at), qty * STEP), *sell);
            }
            Act::Invalid => {
                self.admit();
                self.floor.event(Body::BookInvalid(Invalid::Malformed));
                self.naive.invalid();
                self.told = None;
            }
            Act::New(buy, tif, reduce, at, qty) => {
                self.ids += 1;
                let (price, qty) = (price(*at), qty * STEP);
                let ask = Ask::New { buy: *buy, tif: *tif, reduce: *reduce, price, qty };
                self.send(self.ids, ask);
            }
            Act::Amend(back, at, qty) => {
                if let Some(id) = self.ids.checked_sub(*back as u64).filter(|id| *id > 0) {
                    self.send(id, Ask::Amend { price: price(*at), qty: qty * STEP });
                }
            }
            Act::Cancel(back) => {
                if let Some(id) = self.ids.checked_sub(*back as u64).filter(|id| *id > 0) {
                    self.send(id, Ask::Cancel);
                }
            }
            Act::Wake => {
                self.floor.ts += LATENCY;
                self.admit();
                self.floor.event_on(None, Body::Wake);
            }
        }
    }
}

fn said(report: &Report) -> Said {
    Said {
        id: report.order.counter(),
        kind: report.kind,
        why: report.reason,
        cum: [report.cum_qty.0, report.cum_quote.0, report.cum_fee.0],
        last: (report.last_qty.0, report.last_price.0),
        payer: report.payer,
        maker: report.kind.is_fill() && report.liquidity == Liquidity::Maker,
    }
}

/// Runs a session on both; returns how many fills there were.
fn session(view: View, queue: QueueModel, acts: &[Act]) -> (u64, u64) {
    let mut pair = Pair::with(view, queue);
    for act in acts {
        // A book of diffs would need a new snapshot.
        if view == View::Changes && matches!(act, Act::Invalid) {
            continue;
        }
        pair.act(act);
        let found: Vec<Said> = pair.floor.news().iter().map(said).collect();
        assert_eq!(found, std::mem::take(&mut pair.naive.said), "{act:?}");
    }
    let account = pair.floor.venue.portfolio().position(ID);
    assert_eq!(i128::from(account.qty.0), pair.naive.position);
    assert_eq!(account.realized.0 - account.cost.0, pair.naive.cash);
    assert_eq!(account.fees.0, pair.naive.fees);
    assert_eq!(pair.floor.venue.open_orders(), pair.naive.open.len());
    let open: Vec<u64> =
        pair.floor.venue.portfolio().orders().iter().map(|order| order.id.counter()).collect();
    let mut expected: Vec<u64> = pair.naive.open.iter().map(|order| order.id).collect();
    expected.sort_unstable();
    assert_eq!(open, expected);
    let stats = pair.floor.venue.stats();
    assert_eq!((stats.put_off, stats.overflowed), (0, 0));
    (stats.maker_fills, stats.taker_fills)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    /// Every report of every order is the one that the plain rules give, with partial views and with diffs.
    #[test]
    fn a_session_is_what_the_plain_rules_say(acts in prop::collection::vec(act(), 1..120)) {
        for view in [View::Whole, View::Changes] {
            for queue in [QueueModel::RiskAverse, QueueModel::TradesOnly] {
                session(view, queue, &acts);
            }
        }
    }

    /// DESIGN 5: no level pays twice, one trade never pays more than its quantity, and the fills add up to
    /// the account. Judged by the reports alone.
    #[test]
    fn nothing_pays_twice(acts in prop::collection::vec(act(), 1..120)) {
        let mut pair = Pair::new(View::Whole);
        // What each trade has left, and what is spent of each price; a price has one side here.
        let mut trades = BTreeMap::new();
        let mut spent = BTreeMap::<i64, i64>::new();
        let (mut position, mut cash, mut fees) = (0_i128, 0_i128, 0_i128);
        let mut orders = BTreeMap::<OrderId, [i64; 3]>::new();
        for act in &acts {
            // What is due gets in before a new view.
            let shown = pair.shown.clone();
            pair.act(act);
            if let Act::Trade(_, qty, _) = act {
                trades.insert(pair.floor.seq, qty * STEP);
            }
            for report in pair.floor.news() {
                let known = orders.entry(report.order).or_default();
                let now = [report.cum_qty.0, report.cum_quote.0, report.cum_fee.0];
                let sign = if report.side == Side::Buy { 1 } else { -1 };
                position += sign * i128::from(now[0] - known[0]);
                cash -= sign * i128::from(now[1] - known[1]);
                fees += i128::from(now[2] - known[2]);
                let last = if report.kind.is_fill() { report.last_qty.0 } else { 0 };
                prop_assert_eq!(now[0] - known[0], last);
                prop_assert!(now[0] <= report.qty.0 || report.kind == Kind::AmendRefused);
                *known = now;
                if !report.kind.is_fill() {
                    continue;
                }
                prop_assert!(report.payer > 0 && report.payer <= pair.floor.seq);
                // A trade also pays who got in without a valid book, for whom it is no maker's fill.
                match (trades.get_mut(&report.payer), report.liquidity) {
                    (Some(left), _) => {
                        *left -= report.last_qty.0;
                        prop_assert!(*left >= 0, "a trade paid more than its quantity");
                    }
                    (None, Liquidity::Maker) => prop_assert!(false, "a maker without a trade"),
                    (None, Liquidity::Taker) => {
                        let price = report.last_price.0;
                        let spent = spent.entry(price).or_default();
                        *spent += report.last_qty.0;
                        let level = shown.iter().flatten().find(|level| level.0 == price);
                        prop_assert!(*spent <= level.unwrap().1, "a level paid twice");
                    }
                }
            }
            limit_spent(&mut spent, &pair.shown);
        }
        let account = pair.floor.venue.portfolio().position(ID);
        prop_assert_eq!(i128::from(account.qty.0), position);
        prop_assert_eq!((account.realized.0 - account.cost.0, account.fees.0), (cash, fees));
        prop_assert_eq!(account.bought.0 - account.sold.0, position);
    }

    /// Little room for answers, tiny tables, faults: things are put off or refused, and nothing stops.
    #[test]
    fn no_bound_stops_it(acts in prop::collection::vec(act(), 1..300), seed: u64) {
        let faults = ReportFaults {
            lose_ppm: 100_000,
            repeat_ppm: 500_000,
            delay_ppm: 100_000,
            delay: Nanos(100),
        };
        let tiny = PaperConfig {
            orders_max: 5,
            requests_max: 4,
            closed_max: 4,
            consumed_levels_max: 2,
            jitter: Nanos(15),
            seed,
            faults,
            ..config()
        };
        let mut pair = Pair::new(View::Whole);
        let universe = vec![Instrument { tick: Some(Px(TICK)), ..instrument("A") }];
        pair.floor = Floor::with(tiny, 16, universe);
        for act in &acts {
            pair.act(act);
            prop_assert!(pair.floor.venue.open_orders() <= 5);
            prop_assert_eq!(
                pair.floor.venue.portfolio().orders().len(),
                pair.floor.venue.open_orders()
            );
        }
        prop_assert_eq!(pair.floor.venue.stats().overflowed, 0);
    }
}

/// A new view of the book: no more is spent of a level than it shows. Behind the last level nobody knows.
fn limit_spent(spent: &mut BTreeMap<i64, i64>, shown: &[Vec<(i64, i64)>; 2]) {
    for (price, spent) in spent.iter_mut() {
        let side = &shown[usize::from(*price >= self::price(0))];
        let qty = side.iter().find(|level| level.0 == *price).map_or(0, |level| level.1);
        let held = || side.iter().filter(|level| level.1 > 0).map(|level| level.0);
        let known = if *price < self::price(0) {
            held().min().is_some_and(|worst| worst <= *price)
        } else {
            held().max().is_some_and(|worst| worst >= *price)
        };
        if known {
            *spent = qty.min(*spent);
        }
    }
}
