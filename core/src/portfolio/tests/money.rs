//! Positions and money by hand, and against exact fractions.

use num_bigint::BigInt;

use super::*;

fn trade(side: Side, size: i64, price: i64) -> Execution {
    Execution { side, qty: qty(size), quote: usd(size * price), fee: usd(1) }
}

/// (quantity, cost, realised), in whole units, after each trade.
fn run(trades: &[(Side, i64, i64)]) -> Vec<(i64, i64, i64)> {
    let whole = |raw: i128| i64::try_from(raw / i128::from(ONE)).unwrap();
    let mut position = Position::default();
    let mut steps = Vec::new();
    for (number, &(side, size, price)) in (1..).zip(trades) {
        position = position.booked(&trade(side, size, price)).unwrap();
        assert_eq!(position.fees, sum(number));
        steps.push((position.qty.0 / ONE, whole(position.cost.0), whole(position.realized.0)));
    }
    steps
}

#[test]
fn a_long_by_hand() {
    use Side::{Buy, Sell};
    let steps = run(&[(Buy, 2, 100), (Buy, 1, 130), (Sell, 1, 150), (Sell, 2, 90)]);
    // Average 110: the first sale makes 40, the second loses 40.
    assert_eq!(steps, [(2, 200, 0), (3, 330, 0), (2, 220, 40), (0, 0, 0)]);
}

#[test]
fn a_short_by_hand() {
    use Side::{Buy, Sell};
    let steps = run(&[(Sell, 2, 100), (Sell, 1, 130), (Buy, 1, 80), (Buy, 2, 120)]);
    // Average 110: 30 made, then 20 lost.
    assert_eq!(steps, [(-2, -200, 0), (-3, -330, 0), (-2, -220, 30), (0, 0, 10)]);
}

#[test]
fn through_zero_and_back_by_hand() {
    use Side::{Buy, Sell};
    let steps = run(&[(Buy, 1, 100), (Sell, 3, 120), (Buy, 5, 110)]);
    // 20 made on the long; the short of 2 opens at 120 and makes 20; the long of 3 opens at 110.
    assert_eq!(steps, [(1, 100, 0), (-2, -240, 20), (3, 330, 40)]);
}

#[test]
fn unrealised_profit_and_average_price_by_hand() {
    let long = Position::default().booked(&trade(Side::Buy, 3, 100)).unwrap();
    assert_eq!(long.average_price(), Some(px(100)));
    assert_eq!((long.unrealized(px(110)), long.unrealized(px(90))), (sum(30), sum(-30)));
    assert_eq!((long.reducing_side(), long.size()), (Some(Side::Sell), qty_sum(3)));
    let short = Position::default().booked(&trade(Side::Sell, 3, 100)).unwrap();
    assert_eq!(short.average_price(), Some(px(100)));
    assert_eq!((short.unrealized(px(110)), short.unrealized(px(90))), (sum(-30), sum(30)));
    assert_eq!((short.reducing_side(), short.size()), (Some(Side::Buy), qty_sum(3)));
    let flat = Position::default();
    assert_eq!((flat.average_price(), flat.reducing_side()), (None, None));
    assert_eq!((flat.unrealized(px(1)), flat.size()), (UsdSum::ZERO, QtySum::ZERO));
    // 10 USD for 3: nearest, and what brings less is rounded down.
    let odd = Execution { side: Side::Buy, qty: qty(3), quote: usd(10), fee: Usd::ZERO };
    let odd = Position::default().booked(&odd).unwrap();
    assert_eq!(odd.average_price(), Some(Px(333_333_333)));
    let dust = Position { qty: Qty(1), ..Position::default() };
    assert_eq!(dust.unrealized(Px(ONE / 2)), UsdSum(0));
    let dust = Position { qty: Qty(-1), ..Position::default() };
    assert_eq!(dust.unrealized(Px(ONE / 2)), UsdSum(-1));
}

#[test]
fn what_was_bought_and_sold_adds_up() {
    let position = [trade(Side::Buy, 3, 1), trade(Side::Sell, 5, 1), trade(Side::Buy, 4, 1)]
        .iter()
        .fold(Position::default(), |position, trade| position.booked(trade).unwrap());
    assert_eq!((position.bought, position.sold), (qty_sum(7), qty_sum(5)));
}

#[test]
fn rounding_never_flatters_what_is_realised() {
    let raw = |side, size: i64, quote: i64| Execution {
        side,
        qty: Qty(size),
        quote: Usd(quote),
        fee: Usd::ZERO,
    };
    let realized = |first, second| {
        let position = Position::default().booked(&first).unwrap().booked(&second).unwrap();
        position.realized.0
    };
    // A third of 10 is 3.33: a sale for 4 makes less than 0.67, a purchase for 3 less than 0.33.
    assert_eq!(realized(raw(Side::Buy, 3, 10), raw(Side::Sell, 1, 4)), 0);
    assert_eq!(realized(raw(Side::Sell, 3, 10), raw(Side::Buy, 1, 3)), 0);
    // A flip that pays 101 for 2: half of it closes the short of 60, which makes 9.5, not 10.
    assert_eq!(realized(raw(Side::Sell, 1, 60), raw(Side::Buy, 2, 101)), 9);
    assert_eq!(realized(raw(Side::Buy, 1, 40), raw(Side::Sell, 2, 101)), 10);
}

#[test]
fn a_position_out_of_range_is_not_booked() {
    let most = Execution { side: Side::Buy, qty: Qty(i64::MAX), quote: Usd(1), fee: Usd::ZERO };
    let full = Position::default().booked(&most).unwrap();
    let one = Execution { qty: Qty(1), ..most };
    assert_eq!(full.booked(&one), None);
    assert!(full.booked(&Execution { side: Side::Sell, ..one }).is_some());
    let full = Position { cost: UsdSum(i128::MAX), qty: Qty(1), ..Position::default() };
    assert_eq!(full.booked(&one), None);
    let full = Position { fees: UsdSum(i128::MAX), ..Position::default() };
    assert_eq!(full.booked(&Execution { fee: Usd(1), ..one }), None);
    let full = Position { bought: QtySum(i128::MAX), ..Position::default() };
    assert_eq!(full.booked(&one), None);
    let wide = Position { cost: UsdSum(i128::MAX), qty: Qty(5), ..Position::default() };
    assert_eq!(wide.average_price(), None);
}

#[test]
fn the_account_is_marked_only_when_every_position_has_a_mark() {
    let mut fold = portfolio();
    let _ = fold.report(BTC, &filled(id(1), ReportKind::Filled, 10), at(1));
    let marks = |btc: Option<Px>| move |of: InstrumentId| if of == BTC { btc } else { None };
    assert_eq!(unrealized(&fold, marks(Some(px(105)))), Some(sum(50)));
    assert_eq!(unrealized(&fold, marks(None)), None);
    let sold = Report { side: Side::Sell, ..filled(id(2), ReportKind::Filled, 10) };
    let _ = fold.report(ETH, &sold, at(1));
    assert_eq!(unrealized(&fold, marks(Some(px(105)))), None);
    let both = |of: InstrumentId| Some(if of == BTC { px(105) } else { px(103) });
    assert_eq!(unrealized(&fold, both), Some(sum(20)));
    assert_eq!(fold.totals(), (UsdSum::ZERO, sum(20)));
    let _ = fold.report(BTC, &Report { cum_quote: usd(1_200), ..sold_at(3) }, at(2));
    assert_eq!(fold.totals(), (sum(200), sum(30)));
}

fn sold_at(counter: u64) -> Report {
    Report { side: Side::Sell, ..filled(id(counter), ReportKind::Filled, 10) }
}

/// A fraction that is never reduced.
#[derive(Clone, Debug)]
struct Exact {
    top: BigInt,
    bottom: BigInt,
}

impl Exact {
    fn whole(number: i128) -> Self {
        Self { top: number.into(), bottom: 1.into() }
    }

    fn plus(&self, number: i128) -> Self {
        Self { top: &self.top + &self.bottom * number, bottom: self.bottom.clone() }
    }

    /// Times the size of a fraction.
    fn times(&self, top: i64, bottom: i64) -> Self {
        Self { top: &self.top * top.abs(), bottom: &self.bottom * bottom.abs() }
    }

    /// How far `number` lies below this, and true when that is no more than `most`.
    fn is_above_by_at_most(&self, number: i128, most: usize) -> bool {
        let below = &self.top - &self.bottom * number;
        below >= BigInt::ZERO && below <= &self.bottom * most
    }
}

/// The average-cost method in fractions: (quantity, cost, cash).
fn naive(executions: &[Execution]) -> (i64, Exact, i128) {
    let (mut held, mut cost, mut cash) = (0_i64, Exact::whole(0), 0_i128);
    for execution in executions {
        let quote = i128::from(execution.quote.0);
        let (signed, paid) = match execution.side {
            Side::Buy => (execution.qty.0, quote),
            Side::Sell => (-execution.qty.0, -quote),
        };
        let after = held + signed;
        cost = if held == 0 || (held > 0) == (signed > 0) {
            cost.plus(paid)
        } else if after == 0 {
            Exact::whole(0)
        } else if (after > 0) == (held > 0) {
            cost.times(after, held)
        } else {
            Exact::whole(paid).times(after, signed)
        };
        (held, cash) = (after, cash - paid);
    }
    (held, cost, cash)
}

fn any_execution() -> impl Strategy<Value = Execution> {
    (select(&SIDES[..]), 0_u32..40, 1_i64..1_000, 0_u32..50, -5_i64..50).prop_map(
        |(side, zeros, size, price_bits, fee)| {
            let size = (size << zeros >> 20).max(1);
            let quote = i128::from(size) * ((1_i128 << price_bits) + 7) / (1 << 25);
            let quote = i64::try_from(quote.min(1 << 60)).unwrap();
            Execution { side, qty: Qty(size), quote: Usd(quote), fee: Usd(fee) }
        },
    )
}

proptest! {
    /// Cost and realised profit are the exact ones less the rounding, and cash is never lost.
    #[test]
    fn positions_are_the_exact_ones_but_for_rounding(
        executions in prop::collection::vec(any_execution(), 1..60),
    ) {
        let mut position = Position::default();
        for (count, execution) in (1..).zip(&executions) {
            position = position.booked(execution).unwrap();
            let (held, cost, cash) = naive(&executions[..count]);
            prop_assert_eq!(position.qty, Qty(held));
            prop_assert_eq!(position.realized.0 - position.cost.0, cash);
            prop_assert!(cost.is_above_by_at_most(position.cost.0, count));
            // Realised is cash plus cost, so that it is no more than the exact one either.
            prop_assert!(cost.plus(cash).is_above_by_at_most(position.realized.0, count));
            prop_assert_eq!(position.bought.0 - position.sold.0, i128::from(held));
        }
        let fees: i64 = executions.iter().map(|execution| execution.fee.0).sum();
        prop_assert_eq!(position.fees, UsdSum(i128::from(fees)));
    }
}
