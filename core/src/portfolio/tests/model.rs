//! Random lives: sums against their definition, delivery against a clean run, reservations against a
//! small venue.

use proptest::collection::vec;
use proptest::sample::{Index, select};

use super::*;

/// Anything that can happen to a fold, likely or not.
#[derive(Clone, Debug)]
enum Step {
    Track(u8, u64, u8, Action),
    Report(u8, u64, u8, Report),
    Status(u8, u64, Status),
    Reject(u8, u64, Action),
}

fn any_step() -> impl Strategy<Value = Step> {
    // Mostly small numbers, so that steps meet; some at the end of the range.
    let amount = || prop_oneof![9 => (0_i64..12).prop_map(|n| n * ONE), 1 => any::<i64>()];
    let amounts = (1_i64..5, 1_i64..20, amount(), amount(), -3_i64..9);
    let news = (select(&ReportKind::ALL[..]), select(&SIDES[..]), any::<bool>(), amounts.clone());
    let report =
        news.prop_map(|(kind, side, reduce_only, (price, size, cum, quote, fee))| Report {
            side,
            reduce_only,
            price: px(price),
            qty: qty(size),
            cum_qty: Qty(cum),
            cum_quote: Usd(quote),
            cum_fee: Usd(fee),
            ..report(id(1), kind)
        });
    let looks = (select(&OrderState::ALL[..]), 0_u64..40, amounts);
    let status = looks.prop_map(|(answer, second, (price, size, cum, quote, fee))| Status {
        price: px(price),
        qty: qty(size),
        cum_qty: Qty(cum),
        cum_quote: Usd(quote),
        cum_fee: Usd(fee),
        ..status(id(1), answer, at(second))
    });
    let (who, counter, place) = (0_u8..5, 1_u64..14, 0_u8..2);
    prop_oneof![
        4 => (who.clone(), counter.clone(), place.clone(), any_action())
            .prop_map(|(who, counter, place, action)| Step::Track(who, counter, place, action)),
        4 => (who.clone(), counter.clone(), place, report)
            .prop_map(|(who, counter, place, report)| Step::Report(who, counter, place, report)),
        2 => (who.clone(), counter.clone(), status)
            .prop_map(|(who, counter, status)| Step::Status(who, counter, status)),
        1 => (who, counter, any_action())
            .prop_map(|(who, counter, action)| Step::Reject(who, counter, action)),
    ]
}

/// The fifth has no seat.
fn order_of(who: u8, counter: u64) -> OrderId {
    let strategy = STRATEGIES.get(usize::from(who)).copied().unwrap_or(StrategyId(9));
    OrderId::new(1, strategy, counter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever comes, the sums are those of the orders, cash is conserved, strategies add up to the
    /// account, and nothing panics.
    #[test]
    fn sums_follow_from_the_orders_after_anything(steps in vec(any_step(), 1..120)) {
        let mut fold = portfolio();
        let mut cash = [0_i128; INSTRUMENTS.len()];
        let mut strangers = [0_i128; INSTRUMENTS.len()];
        for (second, step) in (0..).zip(steps) {
            let mut place_of = INSTRUMENTS[0];
            let mut stranger = false;
            let leftovers = INSTRUMENTS.map(|instrument| leftover(&fold, instrument));
            let change = match step {
                Step::Track(who, counter, place, action) => {
                    let instrument = INSTRUMENTS[usize::from(place)];
                    let order = order_of(who, counter);
                    let before = state(&fold);
                    let sent = Intent { instrument, ..intent(order, action) };
                    let tracked = fold.track(&sent, at(second));
                    prop_assert!(tracked.is_ok() || state(&fold) == before);
                    Change::Nothing
                }
                Step::Report(who, counter, place, report) => {
                    let order = order_of(who, counter);
                    let known = fold.order(order).map(|order| order.instrument);
                    place_of = known.unwrap_or(INSTRUMENTS[usize::from(place)]);
                    stranger = who == 4;
                    fold.report(place_of, &Report { order, ..report }, at(second))
                }
                Step::Status(who, counter, status) => {
                    let order = order_of(who, counter);
                    if let Some(known) = fold.order(order) {
                        place_of = known.instrument;
                    }
                    stranger = who == 4;
                    fold.status(&Status { order, ..status }, at(second))
                }
                Step::Reject(who, counter, action) => {
                    fold.reject(&rejection(order_of(who, counter), action));
                    Change::Nothing
                }
            };
            if let Change::Executed(execution) = change {
                prop_assert!(execution.qty > Qty::ZERO);
                let sign = if execution.side == Side::Buy { 1 } else { -1 };
                cash[place_of.index()] -= sign * i128::from(execution.quote.0);
                if stranger {
                    // As of any sender, what it executed may close a leftover, and be of that.
                    let closed = leftover(&fold, place_of) - leftovers[place_of.index()];
                    strangers[place_of.index()] += sign * i128::from(execution.qty.0) - closed;
                }
            }
            check_sums(&fold)?;
            for instrument in INSTRUMENTS {
                let (account, index) = (fold.position(instrument), instrument.index());
                prop_assert_eq!(account.realized.0 - account.cost.0, cash[index]);
                prop_assert_eq!(account.bought.0 - account.sold.0, i128::from(account.qty.0));
                let qty_of = |seat| i128::from(fold.position_of(seat, instrument).qty.0);
                let own: i128 = STRATEGIES.map(qty_of).iter().sum();
                prop_assert_eq!(own + strangers[index], i128::from(account.qty.0));
                check_leftovers(&fold, instrument)?;
            }
        }
    }
}

/// What the venue says of one order over its life: cumulative, the last report terminal.
#[derive(Clone, Debug)]
struct Life {
    instrument: InstrumentId,
    order: OrderId,
    reports: Vec<Report>,
}

fn any_lives() -> impl Strategy<Value = Vec<Life>> {
    let fills = vec((1_i64..9, 1_i64..200, -2_i64..5), 0..5);
    let ends = [ReportKind::Canceled, ReportKind::Expired, ReportKind::Filled];
    let life = (select(&SIDES[..]), 0_usize..4, 0_usize..2, fills, select(ends.to_vec()));
    vec(life, 1..6).prop_map(|lives| {
        let lives = (1..).zip(lives);
        lives
            .map(|(counter, (side, who, place, fills, end))| {
                let order = OrderId::new(1, STRATEGIES[who], counter);
                // Filled without all of its fills is another story.
                let total = fills.iter().map(|fill| fill.0).sum::<i64>();
                let end = if total == 0 { ReportKind::Canceled } else { end };
                let more = i64::from(end != ReportKind::Filled);
                let mut last =
                    Report { side, qty: qty(total + more), ..report(order, ReportKind::Accepted) };
                let mut reports = vec![last];
                for (size, price, fee) in fills {
                    last.kind = ReportKind::PartialFill;
                    last.cum_qty = last.cum_qty.checked_add(qty(size)).unwrap();
                    last.cum_quote = last.cum_quote.checked_add(usd(size * price)).unwrap();
                    last.cum_fee = last.cum_fee.checked_add(usd(fee)).unwrap();
                    reports.push(last);
                }
                reports.push(Report { kind: end, ..last });
                Life { instrument: INSTRUMENTS[place], order, reports }
            })
            .collect()
    })
}

/// Quantity, cash, fees, bought and sold: what does not depend on the order of executions.
fn totals(position: &Position) -> [i128; 5] {
    let cash = position.realized.0 - position.cost.0;
    [i128::from(position.qty.0), cash, position.fees.0, position.bought.0, position.sold.0]
}

/// All totals, of the account and of each strategy.
fn books(fold: &Portfolio) -> Vec<[i128; 5]> {
    let mut books = Vec::new();
    for instrument in INSTRUMENTS {
        books.push(totals(fold.position(instrument)));
        books.extend(STRATEGIES.map(|strategy| totals(&fold.position_of(strategy, instrument))));
    }
    books
}

/// What they must be: each life's last report, and nothing else.
fn naive_books(lives: &[Life]) -> Vec<[i128; 5]> {
    let sum = |instrument: InstrumentId, strategy: Option<StrategyId>| {
        let mut sum = [0_i128; 5];
        for life in lives {
            let counts = strategy.is_none_or(|strategy| life.order.strategy() == strategy);
            let Some(last) = life.reports.last() else { continue };
            if life.instrument != instrument || !counts {
                continue;
            }
            let (size, quote) = (i128::from(last.cum_qty.0), i128::from(last.cum_quote.0));
            let buys = last.side == Side::Buy;
            sum[0] += if buys { size } else { -size };
            sum[1] += if buys { -quote } else { quote };
            sum[2] += i128::from(last.cum_fee.0);
            sum[if buys { 3 } else { 4 }] += size;
        }
        sum
    };
    let mut books = Vec::new();
    for instrument in INSTRUMENTS {
        books.push(sum(instrument, None));
        books.extend(STRATEGIES.map(|strategy| sum(instrument, Some(strategy))));
    }
    books
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Reports come twice, late, in any order, or never, but the last one of each order comes.
    #[test]
    fn the_network_does_not_move_positions(
        lives in any_lives(),
        tracked in any::<bool>(),
        deliveries in vec((any::<Index>(), any::<Index>()), 0..60),
        ends in vec(any::<Index>(), 6),
    ) {
        let mut fold = portfolio();
        for life in lives.iter().filter(|_| tracked) {
            let first = &life.reports[0];
            let new = Action::New(NewOrder {
                qty: first.qty,
                ..limit(first.side, 100, 1)
            });
            let sent = Intent { instrument: life.instrument, ..intent(life.order, new) };
            prop_assert_eq!(fold.track(&sent, at(0)), Ok(()));
        }
        // Any reports in any order, with the last ones put in at any place.
        let mut news: Vec<(InstrumentId, Report)> = deliveries
            .iter()
            .map(|(life, report)| {
                let life = life.get(&lives);
                (life.instrument, *report.get(&life.reports))
            })
            .collect();
        for (life, place) in lives.iter().zip(&ends) {
            let last = *life.reports.last().unwrap();
            news.insert(place.index(news.len() + 1), (life.instrument, last));
        }
        for (second, (instrument, report)) in (1..).zip(&news) {
            let _ = fold.report(*instrument, report, at(second));
            check_sums(&fold)?;
            check_leftovers(&fold, *instrument)?;
        }
        let (told, naive) = (books(&fold), naive_books(&lives));
        // What risk sends closes what strategies hold at that moment: then only the account is a matter of sums.
        let is_shared = lives.iter().any(|life| life.order.strategy().acts_for_holders());
        for (index, (told, naive)) in told.iter().zip(&naive).enumerate() {
            let is_account = index % (1 + STRATEGIES.len()) == 0;
            prop_assert!(told == naive || (is_shared && !is_account), "{told:?}, {naive:?}");
        }
        prop_assert!(fold.orders().is_empty());
        prop_assert_eq!((fold.faults().overflow, fold.faults().range), (0, 0));
        // And all of it once more.
        let before = state(&fold);
        for (instrument, report) in &news {
            prop_assert_eq!(fold.report(*instrument, report, at(99)), Change::Nothing);
        }
        prop_assert_eq!(state(&fold), before);
    }
}

/// A request on its way to the venue.
#[derive(Clone, Copy, Debug)]
struct Request {
    action: Action,
    sent: Nanos,
}

/// An exchange with one order.
#[derive(Debug, Default)]
struct Venue {
    now: Nanos,
    order: Option<Report>,
    is_open: bool,
    /// It has the order, which has not triggered.
    waits: bool,
    requests: Vec<Request>,
    reports: Vec<Report>,
    answers: Vec<Status>,
}

impl Venue {
    /// Takes one of the requests; what is older than `ARRIVAL_MAX` is turned away unseen.
    fn take(&mut self, which: Index, refuses: bool) {
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests.remove(which.index(self.requests.len()));
        if self.now.since(request.sent) > i128::from(ARRIVAL_MAX.0) {
            return;
        }
        match (request.action, self.order) {
            (action @ (Action::New(_) | Action::Conditional(_)), None) => {
                let new = action.order().expect("both send one");
                self.waits = matches!(action, Action::Conditional(_));
                let order = Report {
                    price: new.price,
                    qty: new.qty,
                    ..report(id(1), ReportKind::Accepted)
                };
                self.is_open = true;
                self.tell(order);
            }
            (Action::Amend { price, qty }, Some(order))
                if self.is_open && !self.waits && !refuses =>
            {
                if qty <= order.cum_qty {
                    self.is_open = false;
                    self.tell(Report { kind: ReportKind::Canceled, ..order });
                } else {
                    self.tell(Report { kind: ReportKind::Amended, price, qty, ..order });
                }
            }
            (Action::Amend { .. }, order) => {
                let known = order.unwrap_or(report(id(1), ReportKind::AmendRefused));
                let (kind, at) = (ReportKind::AmendRefused, self.now);
                self.reports.push(Report { kind, at, ..known });
            }
            (Action::Cancel, Some(order)) if self.is_open => {
                self.is_open = false;
                self.tell(Report { kind: ReportKind::Canceled, ..order });
            }
            (Action::Cancel, order) => {
                let known = order.unwrap_or(report(id(1), ReportKind::CancelRefused));
                let reason = VenueReason::UnknownOrder;
                let (kind, at) = (ReportKind::CancelRefused, self.now);
                self.reports.push(Report { kind, reason, at, ..known });
            }
            (Action::Query, order) => {
                let answer = match (order, self.is_open) {
                    (None, _) => OrderState::Unknown,
                    (Some(_), true) if self.waits => OrderState::Waiting,
                    (Some(_), true) => OrderState::Open,
                    (Some(_), false) => OrderState::Closed,
                };
                let known = order.unwrap_or(report(id(1), ReportKind::Accepted));
                self.answers.push(Status {
                    price: known.price,
                    qty: known.qty,
                    cum_qty: known.cum_qty,
                    cum_quote: known.cum_quote,
                    cum_fee: known.cum_fee,
                    ..status(id(1), answer, self.now)
                });
            }
            (Action::New(_) | Action::Conditional(_), Some(_)) => {}
        }
    }

    fn fill(&mut self, size: i64) {
        let Some(order) = self.order.filter(|_| self.is_open) else { return };
        if std::mem::take(&mut self.waits) {
            self.tell(Report { kind: ReportKind::Triggered, ..order });
        }
        let size = (size * ONE).min(order.qty.0 - order.cum_qty.0);
        let cum_qty = Qty(order.cum_qty.0 + size);
        self.is_open = cum_qty < order.qty;
        self.tell(Report {
            kind: if self.is_open { ReportKind::PartialFill } else { ReportKind::Filled },
            cum_qty,
            cum_quote: Usd(cum_qty.0 * 100),
            ..order
        });
    }

    fn tell(&mut self, report: Report) {
        let report = Report { at: self.now, ..report };
        self.order = Some(report);
        self.reports.push(report);
    }

    /// The most that the order may come to hold, filled and open, by what the venue has and what may
    /// still arrive.
    fn total_max(&self) -> Qty {
        let arrives =
            |request: &&Request| self.now.since(request.sent) <= i128::from(ARRIVAL_MAX.0);
        let coming = self.requests.iter().filter(arrives).map(|request| match request.action {
            Action::New(new) if self.order.is_none() => new.qty,
            Action::Conditional(conditional) if self.order.is_none() => conditional.order.qty,
            Action::Amend { qty, .. } if self.is_open => qty,
            Action::New(_)
            | Action::Conditional(_)
            | Action::Amend { .. }
            | Action::Cancel
            | Action::Query => Qty::ZERO,
        });
        let open = self.order.filter(|_| self.is_open).map(|order| order.qty);
        coming.chain(open).max().unwrap_or(Qty::ZERO)
    }
}

#[derive(Clone, Debug)]
enum Turn {
    Wait(u64),
    Amend(i64),
    Cancel,
    Query,
    Arrive(Index, bool),
    LoseRequest(Index),
    Fill(i64),
    Hear(Index),
    HearAgain(Index),
    LoseReport(Index),
    Answer(Index),
}

fn any_turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => (1_u64..3_000).prop_map(Turn::Wait),
        4 => (8_i64..14).prop_map(Turn::Amend),
        1 => Just(Turn::Cancel),
        2 => Just(Turn::Query),
        6 => (any::<Index>(), prop::bool::weighted(0.2)).prop_map(|(at, no)| Turn::Arrive(at, no)),
        1 => any::<Index>().prop_map(Turn::LoseRequest),
        2 => (1_i64..4).prop_map(Turn::Fill),
        4 => any::<Index>().prop_map(Turn::Hear),
        2 => any::<Index>().prop_map(Turn::HearAgain),
        1 => any::<Index>().prop_map(Turn::LoseReport),
        4 => any::<Index>().prop_map(Turn::Answer),
    ]
}

fn take<T>(list: &mut Vec<T>, which: Index) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(which.index(list.len())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Requests get lost or arrive in any order within `arrival_max`; reports and answers get lost, come
    /// twice and in any order. What the fold reserves is never less than what the venue may still fill.
    /// Amends go back and forth between the same few prices and sizes. A conditional order counts as if it
    /// had triggered, whoever knows whether it did.
    #[test]
    fn what_may_still_fill_is_always_reserved(
        turns in vec(any_turn(), 1..120),
        conditional in any::<bool>(),
    ) {
        let (mut fold, mut venue) = (portfolio(), Venue { now: at(10), ..Venue::default() });
        let send = |fold: &mut Portfolio, venue: &mut Venue, action: Action| {
            if fold.track(&intent(id(1), action), venue.now).is_ok() {
                venue.requests.push(Request { action, sent: venue.now });
            }
        };
        let new = limit(Side::Buy, 100, 10);
        let first = if conditional { stop(new, 99) } else { Action::New(new) };
        send(&mut fold, &mut venue, first);
        for turn in turns {
            // Requests take time: nothing arrives in the nanosecond in which it leaves.
            venue.now.0 += 1;
            match turn {
                Turn::Wait(millis) => venue.now.0 += millis * Nanos::MILLI,
                Turn::Amend(size) => {
                    let action = amend(100 + size % 2, size);
                    // Risk refuses an amend that changes nothing.
                    let changes = fold.order(id(1)).is_some_and(|order| {
                        action != Action::Amend { price: order.price, qty: order.qty }
                    });
                    if changes {
                        send(&mut fold, &mut venue, action);
                    }
                }
                Turn::Cancel => send(&mut fold, &mut venue, Action::Cancel),
                Turn::Query => send(&mut fold, &mut venue, Action::Query),
                Turn::Arrive(which, refuses) => venue.take(which, refuses),
                Turn::LoseRequest(which) => drop(take(&mut venue.requests, which)),
                Turn::Fill(size) => venue.fill(size),
                Turn::Hear(which) => {
                    if let Some(report) = take(&mut venue.reports, which) {
                        let _ = fold.report(BTC, &report, venue.now);
                    }
                }
                Turn::HearAgain(which) => {
                    if !venue.reports.is_empty() {
                        let _ = fold.report(BTC, which.get(&venue.reports), venue.now);
                    }
                }
                Turn::LoseReport(which) => drop(take(&mut venue.reports, which)),
                Turn::Answer(which) => {
                    if let Some(answer) = take(&mut venue.answers, which) {
                        let _ = fold.status(&answer, venue.now);
                    }
                }
            }
            check_sums(&fold)?;
            let done = fold.position(BTC).qty.0;
            let filled = venue.order.map_or(0, |order| order.cum_qty.0);
            prop_assert!(done <= filled);
            let worst = fold.worst_case(BTC, Side::Buy).0;
            let most = venue.total_max();
            prop_assert!(worst >= i128::from(most.0), "{worst} reserved, {most} possible");
        }
    }
}
