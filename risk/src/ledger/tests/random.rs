//! Anything in any order, beside an account that keeps nothing but cash and units.

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Who (0, 1: strategies; 2: risk; 3: venue), symbol, leg, side, quantity, price, fee, and whether reports
    /// come twice or only by an answer.
    Fill(usize, InstrumentId, Leg, Side, i64, i64, i64, Delivery),
    /// Symbol, leg, amount.
    Funding(InstrumentId, Leg, i64),
    Fee(InstrumentId, i64),
    Insurance(i64),
    Transfer(i64),
    /// Symbol, bid.
    Touch(InstrumentId, i64),
    Mark(InstrumentId, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Once,
    Twice,
    /// Half of it first.
    Halves,
    /// The status, and then the fills.
    Settled,
}

impl Step {
    /// The same on an account without legs.
    fn one_way(mut self) -> Self {
        if let Self::Fill(_, _, leg, ..) | Self::Funding(_, leg, _) = &mut self {
            *leg = Leg::Both;
        }
        self
    }
}

fn step() -> impl Strategy<Value = Step> {
    let id = select(vec![BTC, ETH]);
    let side = select(vec![Side::Buy, Side::Sell]);
    let leg = select(Leg::ALL.to_vec());
    let delivery =
        select(vec![Delivery::Once, Delivery::Twice, Delivery::Halves, Delivery::Settled]);
    let qty = (1_i64..900_000_000, 1_i64..50_000_000_000, -5_000_000_i64..90_000_000);
    let fill = (0_usize..4, id.clone(), leg.clone(), side, qty, delivery);
    let amount = -5_000_000_000_i64..5_000_000_000;
    prop_oneof![
        8 => fill.prop_map(|(who, id, leg, side, (qty, price, fee), delivery)| {
            Step::Fill(who, id, leg, side, qty, price, fee, delivery)
        }),
        2 => (id.clone(), leg, amount.clone()).prop_map(|(id, leg, n)| Step::Funding(id, leg, n)),
        1 => (id.clone(), amount.clone()).prop_map(|(id, n)| Step::Fee(id, n)),
        1 => amount.clone().prop_map(Step::Insurance),
        1 => amount.prop_map(Step::Transfer),
        2 => (id.clone(), 1_i64..500).prop_map(|(id, bid)| Step::Touch(id, bid)),
        2 => (id, 1_i64..500).prop_map(|(id, mark)| Step::Mark(id, mark)),
    ]
}

/// Cash and units, and no idea of profit.
#[derive(Default)]
struct Naive {
    cash: i128,
    charges: i128,
    units: [[i128; 3]; 2],
    marks: [Option<Px>; 2],
}

impl Naive {
    /// What the account is worth; every position's value is rounded down, as the ledger does.
    fn equity(&self) -> Option<i128> {
        let mut worth = self.cash + self.charges;
        for (units, mark) in self.units.iter().zip(self.marks) {
            for units in units.iter().filter(|units| **units != 0) {
                let qty = Qty(i64::try_from(*units).unwrap());
                worth += mark?.notional(qty, Round::Down).0;
            }
        }
        Some(worth)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Conservation: whatever happens, the postings of each event add up to zero, the wallet is what they say, and
    /// wallet plus unrealised profit is what cash and units are worth. Moves are never of the wrong sign.
    #[test]
    fn nothing_is_lost_and_nothing_appears(steps in vec(step(), 1..80), hedged in any::<bool>()) {
        let mut books = Books::new();
        let mut naive = Naive { cash: sum(10_000).0, ..Naive::default() };
        let mut totals = std::collections::BTreeMap::<(AccountReason, Option<InstrumentId>, Leg), i64>::new();
        let mut counter = 0;
        for step in steps {
            let step = if hedged { step } else { step.one_way() };
            match step {
                Step::Fill(..) => {
                    counter += 1;
                    fill(&mut books, &mut naive, counter, &step);
                }
                Step::Funding(id, leg, amount) => {
                    charge(&mut books, &mut totals, (AccountReason::Funding, Some(id), leg), amount);
                    naive.charges += i128::from(amount);
                }
                Step::Fee(id, amount) => {
                    let key = (AccountReason::LiquidationFee, Some(id), Leg::Both);
                    charge(&mut books, &mut totals, key, amount);
                    naive.charges += i128::from(amount);
                }
                Step::Insurance(amount) => {
                    charge(&mut books, &mut totals, (AccountReason::Insurance, None, Leg::Both), amount);
                    naive.charges += i128::from(amount);
                }
                Step::Transfer(amount) => {
                    charge(&mut books, &mut totals, (AccountReason::Transfer, None, Leg::Both), amount);
                    naive.charges += i128::from(amount);
                }
                Step::Touch(id, bid) => books.touch(id, bid, bid + 1),
                Step::Mark(id, mark) => {
                    books.mark(id, mark);
                    naive.marks[id.index()] = Some(Px(mark * ONE));
                }
            }
            check(&books, &naive)?;
            if !hedged {
                check_folds(&books)?;
            }
        }
    }
}

/// Delivers a fill in its way.
fn fill(books: &mut Books, naive: &mut Naive, counter: u64, step: &Step) {
    let Step::Fill(who, id, leg, side, qty, price, fee, delivery) = *step else { return };
    let who = [A, B, StrategyId::RISK, StrategyId::VENUE][who];
    let quote = Px(price).notional(Qty(qty), Round::Up).narrow().unwrap();
    let whole = Report {
        leg,
        side,
        qty: Qty(qty),
        cum_qty: Qty(qty),
        cum_quote: quote,
        cum_fee: Usd(fee),
        ..filled(order(who, counter), side, (1, 1), 0)
    };
    match delivery {
        Delivery::Once | Delivery::Twice => {}
        Delivery::Halves => {
            let half = |n: i64| n / 2;
            books.report(
                id,
                Report {
                    kind: ReportKind::PartialFill,
                    cum_qty: Qty(half(qty)),
                    cum_quote: Usd(half(quote.0)),
                    cum_fee: Usd(half(fee)),
                    ..whole
                },
            );
        }
        Delivery::Settled => {
            let (cum_qty, cum_quote, cum_fee) = (Qty(0), usd(0), usd(0));
            books.report(id, Report { cum_qty, cum_quote, cum_fee, ..whole });
        }
    }
    books.report(id, whole);
    if delivery == Delivery::Twice {
        books.report(id, whole);
    }
    let sign = if side == Side::Buy { 1 } else { -1 };
    naive.cash -= sign * i128::from(quote.0) + i128::from(fee);
    naive.units[id.index()][leg as usize] += sign * i128::from(qty);
}

/// Charges, with the figures that the venue would give.
fn charge(
    books: &mut Books,
    totals: &mut std::collections::BTreeMap<(AccountReason, Option<InstrumentId>, Leg), i64>,
    key: (AccountReason, Option<InstrumentId>, Leg),
    amount: i64,
) {
    let total = totals.entry(key).or_default();
    *total += amount;
    let wallet = UsdSum(books.ledger().wallet().0 + i128::from(amount));
    books.n += 1;
    let (reason, instrument, leg) = key;
    let at = Nanos(books.ts + Nanos::SECOND);
    let told = AccountUpdate {
        leg,
        total: Usd(*total),
        change: Usd(amount),
        at,
        ..update(reason, books.n, 0, wallet)
    };
    books.see(instrument, Body::Account(told));
}

fn check(books: &Books, naive: &Naive) -> Result<(), TestCaseError> {
    let ledger = books.ledger();
    // Line by line, event by event.
    let mut by_event = std::collections::BTreeMap::<u64, i128>::new();
    let mut income = 0;
    for posting in books.postings() {
        *by_event.entry(posting.seq).or_default() += posting.amount.0;
        income += if posting.kind == PostingKind::Wallet { 0 } else { posting.amount.0 };
    }
    prop_assert!(by_event.values().all(|sum| *sum == 0), "postings of an event add up to zero");
    prop_assert_eq!(ledger.wallet().0, sum(10_000).0 + income);
    if let (Some(unrealized), Some(equity)) = (ledger.unrealized(), naive.equity()) {
        prop_assert_eq!(ledger.wallet().0 + unrealized.0, equity);
    }
    // Seats add up to the account.
    for (id, leg) in [BTC, ETH].into_iter().flat_map(|id| Leg::ALL.map(|leg| (id, leg))) {
        let seats = ledger.seats().iter();
        let held: i128 =
            seats.map(|seat| i128::from(ledger.position_of(*seat, id, leg).qty.0)).sum();
        prop_assert_eq!(held, i128::from(ledger.account_position(id, leg).qty.0));
        prop_assert_eq!(held, naive.units[id.index()][leg as usize]);
    }
    let open = ledger.open_positions().count();
    let flat = |seat: &StrategyId, id, leg| ledger.position_of(*seat, id, leg).qty == Qty::ZERO;
    let places = || [BTC, ETH].into_iter().flat_map(|id| Leg::ALL.map(|leg| (id, leg)));
    let held: usize = ledger
        .seats()
        .iter()
        .map(|seat| places().filter(|(id, leg)| !flat(seat, *id, *leg)).count())
        .sum();
    prop_assert_eq!(open, held, "a position has a life, and the flat have none");
    for closed in books.closed() {
        prop_assert!(closed.max_adverse <= Bps(0) && closed.max_favorable >= Bps(0));
        // Where it was left is one of the prices at which it could be left.
        let moved = closed.exit_price.0 - closed.entry_price.0;
        let moved = if closed.side == Side::Buy { moved } else { -moved };
        if moved.abs() > closed.entry_price.0 / 1_000 && closed.qty == closed.qty_max {
            prop_assert!(moved > 0 || closed.max_adverse < Bps(0), "{closed:?}");
            prop_assert!(moved < 0 || closed.max_favorable > Bps(0), "{closed:?}");
        }
    }
    prop_assert!(books.outcomes().iter().all(|outcome| *outcome == ReconcileOutcome::Agrees));
    Ok(())
}

/// The fold that strategies see and the ledger agree on who holds what, and what risk or the venue closed stands
/// against nobody who holds a position.
fn check_folds(books: &Books) -> Result<(), TestCaseError> {
    let ledger = books.ledger();
    for id in [BTC, ETH] {
        let mut held = [[false; 2]; 2];
        for &seat in ledger.seats() {
            let told = ledger.position_of(seat, id, Leg::Both);
            prop_assert_eq!(books.keeper.portfolio().position_of(seat, id), told);
            for (index, sign) in [1, -1].into_iter().enumerate() {
                held[usize::from(seat.acts_for_holders())][index] |= told.qty.0.signum() == sign;
            }
        }
        let [strategies, others] = held;
        for (one, other) in [(0, 1), (1, 0)] {
            prop_assert!(!(strategies[one] && others[other]), "{id:?}: {held:?}");
        }
    }
    Ok(())
}
