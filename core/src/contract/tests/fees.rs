//! Fees, rounded against the account.

use super::*;

#[test]
fn a_fee_is_its_share_of_the_notional() {
    let fees = FeeSchedule::default();
    assert_eq!(fees.fee(usd("10000"), Liquidity::Maker), Some(usd("2")));
    assert_eq!(fees.fee(usd("10000"), Liquidity::Taker), Some(usd("5")));
}

#[test]
fn a_fee_is_rounded_up_and_a_rebate_is_not_made_larger() {
    let fees = FeeSchedule { maker: rate("-0.0001"), taker: rate("0.0005") };
    assert_eq!(fees.fee(UsdSum(1), Liquidity::Taker), Some(UsdSum(1)));
    assert_eq!(fees.fee(UsdSum(2_001), Liquidity::Taker), Some(UsdSum(2)));
    assert_eq!(fees.fee(UsdSum(19_999), Liquidity::Maker), Some(UsdSum(-1)));
    assert_eq!(fees.fee(UsdSum(i128::MAX), Liquidity::Taker), None);
}

#[test]
fn a_fill_pays_on_what_it_costs_at_most_and_is_rebated_on_what_it_brings_at_least() {
    let fees = FeeSchedule { maker: rate("-0.01"), taker: rate("0.0005") };
    // Exactly 99999999.99999999 units.
    let (price, qty) = (Px(ONE - 1), Qty(ONE + 1));
    assert_eq!(fees.fill_fee(price, qty, Liquidity::Taker), Some(UsdSum(50_000)));
    assert_eq!(fees.fill_fee(price, qty, Liquidity::Maker), Some(UsdSum(-999_999)));
    // Less than a unit.
    assert_eq!(fees.fill_fee(Px(1), Qty(1), Liquidity::Taker), Some(UsdSum(1)));
    assert_eq!(fees.fill_fee(Px(1), Qty(1), Liquidity::Maker), Some(UsdSum::ZERO));
}

proptest! {
    /// Never cheaper than the exact share of the exact product, and less than two units dearer.
    #[test]
    fn a_fill_fee_is_no_less_than_the_exact_one(
        price in 1_i64..=i64::MAX >> 20, qty in 1_i64..=i64::MAX >> 20,
        raw_rate in -10_000_000_000_i64..=10_000_000_000,
    ) {
        let fees = FeeSchedule { maker: Rate(raw_rate), taker: Rate(raw_rate) };
        for liquidity in [Liquidity::Maker, Liquidity::Taker] {
            let fee = fees.fill_fee(Px(price), Qty(qty), liquidity).unwrap();
            let exact = BigInt::from(price) * qty * raw_rate;
            let unit = BigInt::from(10).pow(20);
            prop_assert!(exact <= BigInt::from(fee.0) * &unit);
            prop_assert!(exact > BigInt::from(fee.0 - 2) * &unit);
        }
    }
}

#[test]
fn schedules_are_checked_by_field() {
    let good = FeeSchedule::default();
    assert_eq!(good.validate(), Ok(()));
    assert_eq!(FeeSchedule { maker: rate("-0.01"), ..good }.validate(), Ok(()));
    for (bad, field) in [
        (FeeSchedule { maker: rate("0.011"), ..good }, "maker"),
        (FeeSchedule { maker: rate("-0.011"), ..good }, "maker"),
        (FeeSchedule { taker: rate("0.011"), ..good }, "taker"),
        (FeeSchedule { taker: rate("-0.0001"), ..good }, "taker"),
    ] {
        assert!(bad.validate().unwrap_err().starts_with(field));
    }
}

proptest! {
    #[test]
    fn fees_are_the_exact_ones_rounded_up(
        size in any_size(), raw_rate in -20_000_000_000_i64..20_000_000_000,
    ) {
        let fees = FeeSchedule { maker: Rate(raw_rate), taker: Rate(raw_rate) };
        let fee = fees.fee(UsdSum(i128::from(size)), Liquidity::Maker).unwrap();
        let (exact, unit) = (BigInt::from(size) * raw_rate, BigInt::from(10).pow(12));
        prop_assert!(exact <= BigInt::from(fee.0) * &unit);
        prop_assert!(exact > BigInt::from(fee.0 - 1) * &unit);
    }
}
