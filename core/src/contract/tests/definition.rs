//! The definition, in big integers: a position is liquidated where its margin balance is below its
//! maintenance margin.

use super::*;

/// Margin balance less maintenance margin at a mark, at 1e-28, by the bracket that holds the
/// notional there.
fn excess(price: i128, holding: &Holding, free: i128, table: &[Bracket]) -> BigInt {
    let (coin, one) = (BigInt::from(ONE), BigInt::from(RATE_ONE));
    let value = BigInt::from(price) * holding.qty.0;
    let size = BigInt::from(value.magnitude().clone());
    let mut row = &table[0];
    for next in &table[1..] {
        if size > BigInt::from(next.notional_floor.0) * &coin {
            row = next;
        }
    }
    let balance = (BigInt::from(free) - holding.cost.0) * &coin + value;
    let margin = size * row.maintenance_rate.0 - BigInt::from(row.auxiliary.0) * &coin * &one;
    balance * one - margin
}

/// Brackets with caps in whole dollars and rates in whole 0.0001 %, so that auxiliary amounts are
/// exact.
fn any_brackets() -> impl Strategy<Value = Brackets> {
    let row = (1_i64..10_000_000, 0_i64..100_000);
    (1_i64..10_000, prop::collection::vec(row, 1..10)).prop_map(|(first, steps)| {
        let (mut list, mut below) = (Vec::new(), Bracket::default());
        let mut millionths = first;
        for (number, (width, step)) in (1..).zip(steps) {
            let width = i128::from(width) * i128::from(ONE);
            let floor = below.notional_cap.0;
            let rise = i128::from(millionths) - i128::from(below.maintenance_rate.0 / 1_000_000);
            below = Bracket {
                number,
                notional_floor: UsdSum(floor),
                notional_cap: UsdSum(floor + width),
                maintenance_rate: Rate(millionths * 1_000_000),
                auxiliary: UsdSum(below.auxiliary.0 + floor * rise / 1_000_000),
                leverage_min: 1,
                leverage_max: 10,
            };
            list.push(below);
            millionths += step;
        }
        Brackets::new(&list).unwrap()
    })
}

fn check(
    holding: &Holding,
    free: i128,
    table: &Brackets,
    found: Liquidation,
) -> Result<(), TestCaseError> {
    let excess = |price: i128| excess(price, holding, free, table.rows());
    let (zero, above) = (BigInt::ZERO, i128::from(i64::MAX) + 1);
    let long = holding.qty > Qty::ZERO;
    match found {
        Liquidation::At(Px(price)) => {
            prop_assert!(price > 0);
            // Safe at the price itself, and no longer one step beyond it.
            let beyond = i128::from(price) + if long { -1 } else { 1 };
            prop_assert!(excess(i128::from(price)) >= zero);
            prop_assert!(excess(beyond) < zero);
        }
        Liquidation::None if long => prop_assert!(excess(0) >= zero),
        Liquidation::None => prop_assert!(excess(above) >= zero),
        Liquidation::Always if long => prop_assert!(excess(above - 1) < zero),
        Liquidation::Always => prop_assert!(excess(1) < zero),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Sizes, prices and margins as they occur, over all brackets.
    #[test]
    fn at_the_liquidation_price_balance_and_maintenance_meet(
        table in any_brackets(),
        sign in prop::sample::select(&[1_i64, -1][..]),
        entry in 1_i64..10_000_000_000_000,
        value in 1_i64..50_000_000_000,
        margin in 0.001_f64..3.0,
        others in (0_i64..1_000_000_000_000, -1_000_000_000_000_i64..1_000_000_000_000),
        is_cross in any::<bool>(),
    ) {
        // A notional of up to 50 million USD, in thousandths, at any price.
        let size = i128::from(value) * 100_000 * i128::from(ONE) / i128::from(entry);
        let size = i64::try_from(size.clamp(1, i128::from(i64::MAX))).unwrap();
        let holding = Holding::at(Px(entry), Qty(sign * size));
        let wallet = Usd((holding.cost.0.unsigned_abs() as f64 * margin) as i64);
        let (collateral, free) = if is_cross {
            let (other_maintenance, other_unrealized) =
                (UsdSum(i128::from(others.0)), UsdSum(i128::from(others.1)));
            let free = i128::from(wallet.0) - other_maintenance.0 + other_unrealized.0;
            (Collateral::Cross { wallet, other_maintenance, other_unrealized }, free)
        } else {
            (Collateral::Isolated { wallet }, i128::from(wallet.0))
        };
        let found = liquidation(&holding, &collateral, &table);
        prop_assert!(found.is_ok());
        check(&holding, free, &table, found.unwrap())?;
    }

    /// Whatever comes in is an answer by the definition, or an error; never a panic.
    #[test]
    fn any_numbers_are_right_or_refused(
        table in any_brackets(),
        size in any_size().prop_filter("a position", |size| *size != 0),
        entry in any_size(),
        wallet in any_size(),
    ) {
        let holding = Holding::at(Px(entry), Qty(size));
        let collateral = Collateral::Isolated { wallet: Usd(wallet) };
        if let Ok(found) = liquidation(&holding, &collateral, &table) {
            check(&holding, i128::from(wallet), &table, found)?;
        }
    }

    #[test]
    fn maintenance_is_the_exact_amount_rounded_up(
        table in any_brackets(),
        notional in -10_000_000_000_000_000_i128..10_000_000_000_000_000,
    ) {
        let found = table.maintenance(UsdSum(notional)).unwrap();
        let holding = Holding { qty: Qty(1), cost: UsdSum::ZERO };
        // A price of the notional times 1e8 for 1e-8 coins: the excess is value less margin.
        let size = i128::try_from(notional.unsigned_abs()).unwrap();
        let price = size * i128::from(ONE);
        let margin = BigInt::from(price) * RATE_ONE - excess(price, &holding, 0, table.rows());
        let unit = BigInt::from(10).pow(20);
        prop_assert!(BigInt::from(found.0) * &unit >= margin);
        prop_assert!(BigInt::from(found.0 - 1) * &unit < margin);
    }
}
