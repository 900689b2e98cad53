//! Contract arithmetic against worked examples, and against its definition in big integers.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::market::Bracket;
use crate::market::Side;
use crate::portfolio::{Execution, Position};
use crate::units::Usd;

fn usd(text: &str) -> UsdSum {
    UsdSum::parse(text.as_bytes()).unwrap()
}

fn wallet(text: &str) -> Usd {
    Usd::parse(text.as_bytes()).unwrap()
}

fn px(text: &str) -> Px {
    Px::parse(text.as_bytes()).unwrap()
}

fn qty(text: &str) -> Qty {
    Qty::parse(text.as_bytes()).unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::parse(text.as_bytes()).unwrap()
}

/// Rows of (cap, rate, auxiliary, leverage) as the exchange prints them.
fn rows(table: &[(&str, &str, &str, i64)]) -> Vec<Bracket> {
    let mut floor = UsdSum::ZERO;
    let mut rows = Vec::new();
    for (number, &(cap, mmr, auxiliary, leverage_max)) in (1..).zip(table) {
        rows.push(Bracket {
            number,
            notional_floor: floor,
            notional_cap: usd(cap),
            maintenance_rate: rate(mmr),
            auxiliary: usd(auxiliary),
            leverage_min: 1,
            leverage_max,
        });
        floor = usd(cap);
    }
    rows
}

fn brackets(table: &[(&str, &str, &str, i64)]) -> Brackets {
    Brackets::new(&rows(table)).unwrap()
}

/// One bracket that holds everything.
fn flat(mmr: &str) -> Brackets {
    brackets(&[("1000000000000", mmr, "0", 20)])
}

/// BTCUSDT as in the exchange's example of its liquidation formula (2021).
fn btc_2021() -> Brackets {
    brackets(&[
        ("50000", "0.004", "0", 125),
        ("250000", "0.005", "50", 100),
        ("1000000", "0.01", "1300", 50),
        ("10000000", "0.025", "16300", 20),
        ("20000000", "0.05", "266300", 10),
    ])
}

/// ETHUSDT as in the same example.
fn eth_2021() -> Brackets {
    brackets(&[
        ("10000", "0.005", "0", 100),
        ("100000", "0.0065", "15", 75),
        ("500000", "0.01", "365", 50),
        ("1000000", "0.02", "5365", 25),
        ("2000000", "0.05", "35365", 10),
        ("5000000", "0.1", "135365", 5),
        ("10000000", "0.125", "260365", 4),
    ])
}

fn isolated(text: &str) -> Collateral {
    Collateral::Isolated { wallet: wallet(text) }
}

fn cross(balance: &str, maintenance: &str, unrealized: &str) -> Collateral {
    Collateral::Cross {
        wallet: wallet(balance),
        other_maintenance: usd(maintenance),
        other_unrealized: usd(unrealized),
    }
}

fn liquidated(
    size: &str,
    entry: &str,
    collateral: &Collateral,
    brackets: &Brackets,
) -> Result<Liquidation, OutOfRange> {
    liquidation(&Holding::at(px(entry), qty(size)), collateral, brackets)
}

fn at(text: &str) -> Result<Liquidation, OutOfRange> {
    Ok(Liquidation::At(px(text)))
}

/// Numbers of all lengths, so that some products fit and some do not.
fn any_size() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
}

mod fees_and_funding {
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

    #[test]
    fn at_a_positive_rate_longs_pay_shorts() {
        let pays = |size, rate_text| funding_payment(qty(size), px("50000"), rate(rate_text));
        assert_eq!(pays("2", "0.0001"), Some(usd("10")));
        assert_eq!(pays("-2", "0.0001"), Some(usd("-10")));
        assert_eq!(pays("2", "-0.0001"), Some(usd("-10")));
        assert_eq!(pays("-2", "-0.0001"), Some(usd("10")));
        assert_eq!(pays("0", "0.0001"), Some(UsdSum::ZERO));
    }

    #[test]
    fn funding_is_rounded_against_whoever_pays_and_whoever_receives() {
        // 1e-8 coins at 1.5 USD times 0.1 are 1.5e-9 USD.
        let (small, mark) = (Qty(1), px("1.5"));
        assert_eq!(funding_payment(small, mark, rate("0.1")), Some(UsdSum(1)));
        assert_eq!(funding_payment(small, mark, rate("-0.1")), Some(UsdSum(0)));
        assert_eq!(funding_payment(Qty(-1), mark, rate("0.1")), Some(UsdSum(0)));
        assert_eq!(funding_payment(Qty(-1), mark, rate("-0.1")), Some(UsdSum(1)));
    }

    #[test]
    fn funding_out_of_range_is_none() {
        assert_eq!(funding_payment(Qty(i64::MAX), Px(i64::MAX), Rate(i64::MAX)), None);
        assert_eq!(funding_payment(Qty(i64::MIN), Px(i64::MIN), Rate(i64::MIN)), None);
        // A hundred billion USD at 3 % still works.
        let paid = funding_payment(qty("1000000"), px("100000"), rate("0.03"));
        assert_eq!(paid, Some(usd("3000000000")));
    }

    proptest! {
        #[test]
        fn amounts_are_the_exact_ones_rounded_up(
            size in any_size(), mark in any_size(), raw_rate in -20_000_000_000_i64..20_000_000_000,
        ) {
            let exact = BigInt::from(size) * mark * raw_rate;
            let paid = funding_payment(Qty(size), Px(mark), Rate(raw_rate));
            if let Some(paid) = paid {
                let unit = BigInt::from(10).pow(20);
                prop_assert!(exact <= BigInt::from(paid.0) * &unit);
                prop_assert!(exact > BigInt::from(paid.0 - 1) * &unit);
            } else {
                prop_assert!(exact.magnitude() > BigInt::from(i128::MAX).magnitude());
            }
            let fees = FeeSchedule { maker: Rate(raw_rate), taker: Rate(raw_rate) };
            let fee = fees.fee(UsdSum(i128::from(size)), Liquidity::Maker).unwrap();
            let (exact, unit) = (BigInt::from(size) * raw_rate, BigInt::from(10).pow(12));
            prop_assert!(exact <= BigInt::from(fee.0) * &unit);
            prop_assert!(exact > BigInt::from(fee.0 - 1) * &unit);
        }
    }
}

mod margins {
    use super::*;

    #[test]
    fn initial_margin_is_a_share_of_the_size() {
        assert_eq!(initial_margin(usd("100000"), 20), Some(usd("5000")));
        assert_eq!(initial_margin(usd("-100000"), 20), Some(usd("5000")));
        assert_eq!(initial_margin(UsdSum(10), 3), Some(UsdSum(4)));
        assert_eq!(initial_margin(UsdSum(-10), 3), Some(UsdSum(4)));
        assert_eq!(initial_margin(UsdSum(1), 0), None);
        assert_eq!(initial_margin(UsdSum(i128::MIN), 1), None);
    }

    #[test]
    fn ratios_are_rounded_up_and_need_a_positive_whole() {
        assert_eq!(leverage(usd("-50000"), usd("10000")), Some(rate("5")));
        assert_eq!(leverage(usd("1"), usd("3")), Some(Rate(333_333_333_334)));
        assert_eq!(margin_ratio(usd("40"), usd("50")), Some(rate("0.8")));
        assert_eq!(margin_ratio(UsdSum(1), UsdSum(3)), Some(Rate(333_333_333_334)));
        for none in [UsdSum::ZERO, UsdSum(-1)] {
            assert_eq!(leverage(usd("1"), none), None);
            assert_eq!(margin_ratio(usd("1"), none), None);
        }
        assert_eq!(leverage(usd("10000000"), usd("1")), None);
        assert_eq!(leverage(UsdSum(i128::MIN), usd("1")), None);
        assert_eq!(margin_ratio(UsdSum(i128::MAX), usd("1")), None);
    }

    #[test]
    fn maintenance_goes_by_the_bracket_that_holds_the_notional() {
        // The maintenance margins of the exchange's example.
        let found = eth_2021().maintenance(usd("4918775.081"));
        assert_eq!(found, Some(usd("356512.5081")));
        assert_eq!(btc_2021().maintenance(usd("3500032.458")), Some(usd("71200.81145")));
        assert_eq!(btc_2021().maintenance(usd("-3500032.458")), Some(usd("71200.81145")));
        assert_eq!(btc_2021().maintenance(UsdSum::ZERO), Some(UsdSum::ZERO));
        // 1e-8 USD at 0.4 %: rounded up.
        assert_eq!(btc_2021().maintenance(UsdSum(1)), Some(UsdSum(1)));
        // The highest bracket reaches on.
        assert_eq!(btc_2021().maintenance(usd("30000000")), Some(usd("1233700")));
        assert_eq!(btc_2021().maintenance(UsdSum(i128::MAX)), None);
        assert_eq!(btc_2021().maintenance(UsdSum(i128::MIN)), None);
    }

    #[test]
    fn a_cap_belongs_to_its_bracket_and_a_floor_does_not() {
        let table = btc_2021();
        let number = |text| table.holding(usd(text)).number;
        assert_eq!(number("0"), 1);
        assert_eq!(number("50000"), 1);
        assert_eq!(number("-50000"), 1);
        assert_eq!(number("50000.00000001"), 2);
        assert_eq!(number("-50000.00000001"), 2);
        assert_eq!(number("20000000"), 5);
        assert_eq!(number("20000001"), 5);
        let highest = |text| table.leverage_max(usd(text));
        assert_eq!(highest("50000"), Some(125));
        assert_eq!(highest("-50001"), Some(100));
        assert_eq!(highest("20000000"), Some(10));
        assert_eq!(highest("20000000.00000001"), None);
    }

    #[test]
    fn the_margin_does_not_jump_between_brackets() {
        for table in [btc_2021(), eth_2021(), assumed("BTCUSDT"), assumed("XYZ")] {
            for pair in table.rows().windows(2) {
                let below = table.maintenance(pair[0].notional_cap).unwrap();
                let above = table.maintenance(UsdSum(pair[0].notional_cap.0 + 1)).unwrap();
                assert!(above >= below && above.0 - below.0 <= 1, "{below} {above}");
            }
        }
    }

    fn fault_of(change: impl Fn(&mut Vec<Bracket>)) -> (usize, BracketFault) {
        let mut list = btc_2021().rows().to_vec();
        change(&mut list);
        let error = Brackets::new(&list).unwrap_err();
        (error.place, error.fault)
    }

    #[test]
    fn a_broken_scale_is_refused_and_the_bracket_named() {
        use BracketFault as F;
        assert_eq!(fault_of(Vec::clear), (1, F::Missing));
        assert_eq!(fault_of(|l| l[0].notional_floor = UsdSum(1)), (1, F::Floor));
        assert_eq!(fault_of(|l| l[2].notional_floor.0 += 1), (3, F::Floor));
        assert_eq!(fault_of(|l| l[1].notional_cap.0 -= 1), (3, F::Floor));
        assert_eq!(fault_of(|l| l.retain(|row| row.number != 2)), (2, F::Number));
        assert_eq!(fault_of(|l| l.swap(0, 1)), (1, F::Number));
        assert_eq!(fault_of(|l| l[1].notional_cap = l[1].notional_floor), (2, F::Cap));
        assert_eq!(fault_of(|l| l[3].maintenance_rate = rate("0.009")), (4, F::Rate));
        assert_eq!(fault_of(|l| l[0].maintenance_rate = Rate::ZERO), (1, F::Rate));
        assert_eq!(fault_of(|l| l[4].maintenance_rate = rate("1")), (5, F::Rate));
        assert_eq!(fault_of(|l| l[0].auxiliary = usd("0.02")), (1, F::Auxiliary));
        assert_eq!(fault_of(|l| l[1].auxiliary = usd("50.010001")), (2, F::Auxiliary));
        assert_eq!(fault_of(|l| l[1].auxiliary = usd("49.98")), (2, F::Auxiliary));
        assert_eq!(fault_of(|l| l[1].auxiliary = UsdSum(i128::MIN)), (2, F::Range));
        assert_eq!(fault_of(|l| l[4].leverage_max = 0), (5, F::Leverage));
        let last = |l: &mut Vec<Bracket>| {
            l[3].notional_cap = UsdSum(i128::MAX / 2);
            l[4].notional_floor = l[3].notional_cap;
            l[4].notional_cap = UsdSum(i128::MAX);
        };
        assert_eq!(fault_of(last), (5, F::Range));
        let text = Brackets::new(&[]).unwrap_err().to_string();
        assert_eq!(text, "bracket 1: there must be at least one");
    }

    #[test]
    fn cents_of_the_auxiliary_amount_are_not_looked_at() {
        let mut list = btc_2021().rows().to_vec();
        list[4].auxiliary = usd("266300.01");
        let table = Brackets::new(&list).unwrap();
        assert_eq!(table.rows(), list);
        list[0].auxiliary = usd("0.005");
        let table = Brackets::new(&list[..1]).unwrap();
        assert_eq!(table.maintenance(usd("1")), Some(UsdSum::ZERO));
    }

    #[test]
    fn sixteen_brackets_fit_and_seventeen_do_not() {
        let row = |number: i64| Bracket {
            number,
            notional_floor: UsdSum(i128::from(number - 1)),
            notional_cap: UsdSum(i128::from(number)),
            maintenance_rate: rate("0.01"),
            auxiliary: UsdSum::ZERO,
            leverage_min: 1,
            leverage_max: 50,
        };
        let list: Vec<_> = (1..=17).map(row).collect();
        assert_eq!(Brackets::new(&list[..16]).unwrap().rows(), &list[..16]);
        let error = Brackets::new(&list).unwrap_err();
        assert_eq!((error.place, error.fault), (17, BracketFault::TooMany));
    }

    #[test]
    fn the_assumed_brackets_are_those_of_the_day() {
        // Auxiliary amounts as the exchange printed them on 2024-10-24.
        let btc = [
            "0",
            "50",
            "950",
            "11450",
            "131450",
            "481450",
            "2981450",
            "14481450",
            "26481450",
            "41481450",
            "121481450",
            "421481450",
        ];
        let eth = [
            "0",
            "50",
            "950",
            "11450",
            "131450",
            "381450",
            "2006450",
            "9506450",
            "17506450",
            "27506450",
            "80506450",
            "280506450",
        ];
        for (symbol, expected) in [("BTCUSDT", btc), ("ETHUSDT", eth)] {
            let found: Vec<_> = assumed(symbol).rows().iter().map(|row| row.auxiliary).collect();
            assert_eq!(found, expected.map(usd), "{symbol}");
        }
        let btc = assumed("BTCUSDT");
        assert_eq!(btc.maintenance(usd("1000000")), Some(usd("5550")));
        assert_eq!(btc.leverage_max(usd("1000000")), Some(75));
        assert_eq!(assumed("ETHUSDT").maintenance(usd("60000000")), Some(usd("1118550")));
    }

    #[test]
    fn other_symbols_are_assumed_harder_than_the_hardest_of_the_day() {
        // FTTUSDT and REEFUSDT, 2024-10-24: between them the highest margins above 60,000 USD, and the
        // lowest leverage.
        let ftt = brackets(&[
            ("15000", "0.025", "0", 8),
            ("50000", "0.05", "375", 6),
            ("200000", "0.1", "2875", 5),
            ("800000", "0.125", "7875", 2),
            ("1500000", "0.5", "307875", 1),
        ]);
        let reef = brackets(&[
            ("20000", "0.02", "0", 10),
            ("25000", "0.025", "100", 8),
            ("200000", "0.05", "725", 6),
            ("400000", "0.1", "10725", 5),
            ("500000", "0.125", "20725", 4),
            ("1000000", "0.25", "83225", 2),
            ("1500000", "0.5", "333225", 1),
        ]);
        let default = assumed("FTTUSDT");
        for thousand in 1..=1_500 {
            let notional = UsdSum(thousand * 1_000 * i128::from(ONE));
            for real in [ftt, reef, assumed("BTCUSDT"), assumed("ETHUSDT")] {
                assert!(default.maintenance(notional) >= real.maintenance(notional), "{notional}");
                assert!(default.leverage_max(notional) <= real.leverage_max(notional));
            }
        }
        assert_eq!(default.leverage_max(usd("1500001")), None);
    }
}

mod prices {
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
        let need =
            |price: &str| table.maintenance(px(price).notional(qty("1"), Round::Up)).unwrap();
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
}

/// The definition: a position is liquidated where its margin balance is below its maintenance margin.
mod definition {
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
                let rise =
                    i128::from(millionths) - i128::from(below.maintenance_rate.0 / 1_000_000);
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
}
