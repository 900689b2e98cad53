//! Amounts as the pages show them: rounded to the nearest, with a sign.

use fusewire_core::units::{Bps, ONE, Rate, Round, UsdSum, div_round};

/// One hundredth of a USDT in raw units.
pub(super) const CENT: i128 = ONE as i128 / 100;
/// One basis point in raw `Bps`.
const BP: i128 = 10_000;

/// With two decimals and a sign.
pub(super) fn cents(amount: UsdSum) -> String {
    hundredths(div_round(amount.0, CENT, Round::HalfEven).unwrap())
}

/// An amount as a part of another, in basis points with two decimals and a sign.
pub(super) fn bp_of(amount: UsdSum, whole: UsdSum) -> String {
    hundredths(div_round(amount.0 * BP * 100, whole.0, Round::HalfEven).unwrap())
}

fn hundredths(amount: i128) -> String {
    let sign = match amount {
        0 => "",
        _ if amount < 0 => "-",
        _ => "+",
    };
    let size = amount.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// A part of an amount, rounded to the nearest.
pub(super) fn part(amount: UsdSum, bps: Bps) -> UsdSum {
    amount.times(Rate::try_from(bps).unwrap(), Round::HalfEven).unwrap()
}

#[test]
fn amounts_are_rounded_and_signed() {
    let shown = |raw: i128| cents(UsdSum(raw));
    let found = [0, 400_000, -15_960_000, 948_400_000, -948_600_000].map(shown);
    assert_eq!(found, ["0.00", "0.00", "-0.16", "+9.48", "-9.49"]);
    assert_eq!(bp_of(UsdSum(-50), UsdSum(100_000)), "-5.00");
    assert_eq!(part(UsdSum(1_000_000), Bps(31_400)), UsdSum(314));
}
