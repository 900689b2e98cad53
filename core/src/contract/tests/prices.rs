//! Liquidation prices against worked examples.

use super::*;

#[test]
fn x1_the_venues_own_examples() {
    let eth = cross("1535443.01", "71200.81144", "-56354.57");
    let found = liquidated("3683.979", "1456.84", &eth, &eth_2021());
    // The exchange prints 1153.26.
    assert_eq!(found, at("1153.25646470"));
    let btc = cross("1535443.01", "356512.508", "-448192.89");
    let found = liquidated("109.488", "32481.98", &btc, &btc_2021());
    // The exchange prints 26316.89.
    assert_eq!(found, at("26316.89330891"));
    let alone = isolated("1535443.01");
    assert_eq!(liquidated("3683.979", "1456.84", &alone, &eth_2021()), at("1114.78496375"));
    assert_eq!(liquidated("109.488", "32481.98", &alone, &btc_2021()), at("18778.72593218"));
}

#[test]
fn x1_the_seeds_formula_is_wrong() {
    // Entry 1, leverage 5, maintenance rate 0.5 %: entry * (1 - 1/5 + 0.005) / (1 - 0.005 * side).
    let (seed_long, seed_short) = ("0.80904523", "0.80099502");
    let (table, alone) = (flat("0.005"), isolated("0.2"));
    assert_eq!(liquidated("1", "1", &alone, &table), at("0.80402011"));
    assert_eq!(liquidated("-1", "1", &alone, &table), at("1.19402985"));
    // At 0.4 %.
    assert_eq!(liquidated("1", "1", &alone, &flat("0.004")), at("0.80321286"));
    // At the seed's long price the balance is twice the margin: nothing is liquidated there. At its
    // short price the short has won.
    let need = |price: &str| table.maintenance(px(price).notional(qty("1"), Round::Up)).unwrap();
    let balance = |price: &str| usd("0.2").0 + i128::from(px(price).0) - i128::from(ONE);
    assert!(balance(seed_long) > 2 * need(seed_long).0);
    assert_eq!(balance("0.80402011"), need("0.80402011").0);
    let short_balance = usd("0.2").0 + i128::from(ONE) - i128::from(px(seed_short).0);
    assert!(short_balance > 90 * need(seed_short).0);
}

#[test]
fn isolated_positions_by_hand() {
    let btc = assumed("BTCUSDT");
    // (40000 - 8000) / (1 - 0.004)
    assert_eq!(liquidated("1", "40000", &isolated("8000"), &btc), at("32128.51405623"));
    // (100000 - 20000 - 50) / (2 * 0.995)
    assert_eq!(liquidated("2", "50000", &isolated("20000"), &btc), at("40175.87939699"));
    // (100000 + 20000 + 50) / (2 * 1.005), rounded down.
    assert_eq!(liquidated("-2", "50000", &isolated("20000"), &btc), at("59726.36815920"));
}

#[test]
fn the_bracket_is_the_one_at_the_liquidation_price() {
    let btc = assumed("BTCUSDT");
    // Opened at 650,000 in the third bracket, which would give 40188.15; it falls into the second.
    let long = liquidated("13", "50000", &isolated("130000"), &btc);
    assert_eq!(long, at("40197.13954388"));
    // Opened at 500,000 in the second, which would give 69656.72; it rises into the third.
    let short = liquidated("-10", "50000", &isolated("200000"), &btc);
    assert_eq!(short, at("69642.32488822"));
}

#[test]
fn others_take_from_and_add_to_a_cross_position() {
    let table = flat("0.005");
    let price = |maintenance, unrealized| match liquidated(
        "1",
        "100",
        &cross("20", maintenance, unrealized),
        &table,
    ) {
        Ok(Liquidation::At(price)) => price,
        other => panic!("{other:?}"),
    };
    let alone = liquidated("1", "100", &isolated("20"), &table);
    assert_eq!(Ok(Liquidation::At(price("0", "0"))), alone);
    // 5 USD more or less move it by 5 / 0.995.
    assert_eq!(price("5", "0"), px("85.42713568"));
    assert_eq!(price("0", "-5"), px("85.42713568"));
    assert_eq!(price("0", "5"), px("75.37688443"));
}

#[test]
fn s0_04_never_is_not_a_price_of_zero() {
    let table = flat("0.005");
    let long = |margin| liquidated("1", "100", &isolated(margin), &table);
    assert_eq!(long("99.99999999"), at("0.00000002"));
    assert_eq!(long("100"), Ok(Liquidation::None));
    assert_eq!(long("250"), Ok(Liquidation::None));
    assert_eq!(liquidated("0", "100", &isolated("1"), &table), Ok(Liquidation::None));
    // A short is out of reach when a price can not hold what it would take.
    let short = |margin| liquidated("-0.001", "100", &isolated(margin), &table);
    assert!(matches!(short("90000000"), Ok(Liquidation::At(_))));
    assert_eq!(short("100000000"), Ok(Liquidation::None));
}

#[test]
fn a_lost_balance_is_liquidated_at_every_price() {
    let table = flat("0.005");
    let lost = cross("10", "0", "-110");
    assert_eq!(liquidated("-1", "100", &lost, &table), Ok(Liquidation::Always));
    // For a long it is a price far above.
    assert_eq!(liquidated("1", "100", &lost, &table), at("201.00502513"));
    let gone = cross("0", "200000000", "0");
    assert_eq!(liquidated("0.001", "100", &gone, &table), Ok(Liquidation::Always));
}

#[test]
fn out_of_range_is_an_error_and_no_price() {
    let table = flat("0.005");
    let huge = Collateral::Cross {
        wallet: Usd(1),
        other_maintenance: UsdSum(i128::MIN),
        other_unrealized: UsdSum::ZERO,
    };
    assert_eq!(liquidated("1", "100", &huge, &table), Err(OutOfRange));
    let holding = Holding { qty: Qty(1), cost: UsdSum(i128::MIN) };
    assert_eq!(liquidation(&holding, &isolated("1"), &table), Err(OutOfRange));
    let holding = Holding { qty: Qty(1), cost: UsdSum(i128::MAX / 2) };
    assert_eq!(liquidation(&holding, &isolated("1"), &table), Err(OutOfRange));
}

#[test]
fn all_that_an_account_can_hold_is_in_range() {
    // (180000000000 - 90000000000) / (1000000 * 0.995)
    let large = liquidated("1000000", "180000", &isolated("90000000000"), &flat("0.005"));
    assert_eq!(large, at("90452.26130654"));
}

#[test]
fn a_cost_is_rounded_against_the_position() {
    assert_eq!(Holding::at(px("0.5"), Qty(3)).cost, UsdSum(2));
    assert_eq!(Holding::at(px("0.5"), Qty(-3)).cost, UsdSum(-1));
}

#[test]
fn a_folded_position_has_the_price_of_its_entry() {
    let bought =
        Execution { side: Side::Sell, qty: qty("2"), quote: wallet("100000"), fee: Usd::ZERO };
    let position = Position::default().booked(&bought).unwrap();
    let holding = Holding::from(&position);
    assert_eq!(holding, Holding::at(px("50000"), qty("-2")));
    let found = liquidation(&holding, &isolated("20000"), &assumed("BTCUSDT"));
    assert_eq!(found, at("59726.36815920"));
}
