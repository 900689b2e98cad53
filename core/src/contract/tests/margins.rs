//! Margins, leverage and brackets, by hand and against the exchange.

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

/// X8: the leverage of an account is what its notional and equity make it, whatever any weights add up to.
#[test]
fn x8_ratios_are_rounded_up_and_need_a_positive_whole() {
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
