//! Fixed-point units. One newtype per kind of number, so that a price can not be added to a quantity.
//!
//! `Px`, `Qty` and `Usd` are `i64` at 1e-8 and hold *one* order, level, fill or account (up to about
//! 92 billion). Sums over orders or levels are `QtySum` and `UsdSum`, `i128` at 1e-8. `Rate` is `i64` at
//! 1e-12, `Bps` is `i64` at 1e-4 basis points. Parsing is exact or it is an error; arithmetic is
//! checked; rounding has a direction at every call.

use std::fmt;

mod fixed;

pub use fixed::{NumberError, parse_fixed};

/// Decimal places of `Px`, `Qty`, `Usd` and their sums.
pub const DECIMALS: u32 = 8;
/// Decimal places of `Rate`.
pub const RATE_DECIMALS: u32 = 12;
/// Decimal places of `Bps`.
pub const BPS_DECIMALS: u32 = 4;
/// One whole coin, contract or dollar in raw units.
pub const ONE: i64 = 10_i64.pow(DECIMALS);

/// Which way a result that does not fit the grid goes. There is no default: money is rounded on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
    /// Towards zero.
    Truncate,
    /// To the nearest, ties to the even neighbour.
    HalfEven,
}

/// `numerator / denominator`, rounded. `None` when the denominator is zero or the quotient overflows.
pub fn div_round(numerator: i128, denominator: i128, round: Round) -> Option<i128> {
    let divided = div_rem_euclid(numerator, denominator)?;
    rounded(divided, (numerator < 0, denominator), round)
}

/// The quotient of a Euclidean division as rounding has it. That leaves a remainder >= 0: the exact value
/// lies between `quotient` and its neighbour on the side of the denominator's sign.
fn rounded(
    (quotient, remainder): (i128, i128),
    (numerator_is_negative, denominator): (bool, i128),
    round: Round,
) -> Option<i128> {
    if remainder == 0 {
        return Some(quotient);
    }
    let (floor, ceil) = if denominator > 0 {
        (quotient, quotient.checked_add(1)?)
    } else {
        (quotient.checked_sub(1)?, quotient)
    };
    let negative = numerator_is_negative != (denominator < 0);
    match round {
        Round::Down => Some(floor),
        Round::Up => Some(ceil),
        Round::Truncate => Some(if negative { ceil } else { floor }),
        Round::HalfEven => {
            let from_floor = if denominator > 0 {
                remainder.unsigned_abs()
            } else {
                denominator.unsigned_abs() - remainder.unsigned_abs()
            };
            let to_ceil = denominator.unsigned_abs() - from_floor;
            let even_floor = floor.rem_euclid(2) == 0;
            let take_floor = from_floor < to_ceil || (from_floor == to_ceil && even_floor);
            Some(if take_floor { floor } else { ceil })
        }
    }
}

/// Quotient and remainder, which is never below zero. `None` when the denominator is zero or the quotient
/// overflows.
///
/// Nearly all amounts of one order fit a machine word, which the hardware divides at once; an `i128` takes
/// a call for each of quotient and remainder, so that the remainder is made of the quotient.
fn div_rem_euclid(numerator: i128, denominator: i128) -> Option<(i128, i128)> {
    if let (Ok(numerator), Ok(denominator)) = (i64::try_from(numerator), i64::try_from(denominator))
        && denominator > 0
    {
        let quotient = numerator.div_euclid(denominator);
        return Some((quotient.into(), numerator.rem_euclid(denominator).into()));
    }
    let quotient = numerator.checked_div(denominator)?;
    // The product lies between zero and the numerator, so that nothing wraps here or below: a remainder
    // means that the quotient is at most half of the range.
    let remainder = numerator.wrapping_sub(quotient.wrapping_mul(denominator));
    Some(match (remainder < 0, denominator > 0) {
        (false, _) => (quotient, remainder),
        (true, true) => (quotient - 1, remainder + denominator),
        (true, false) => (quotient + 1, remainder - denominator),
    })
}

/// Quotient and remainder of a product of price and quantity by `ONE`, as `div_rem_euclid` has them.
///
/// `ONE` is an odd number times 2^8. What is left of a product after a shift by 8 fits a word up to 47
/// trillion dollars, and a word is divided by a constant without a division.
fn div_rem_one(product: i128) -> (i128, i128) {
    const SHIFT: u32 = ONE.trailing_zeros();
    const ODD: u64 = (ONE >> SHIFT) as u64;
    let magnitude = product.unsigned_abs();
    let Ok(shifted) = u64::try_from(magnitude >> SHIFT) else {
        return div_rem_euclid(product, ONE.into()).expect("the divisor is a constant above 1");
    };
    let quotient = shifted / ODD;
    // The remainder is below `ONE`, so that the low words tell it.
    let remainder = (magnitude as u64).wrapping_sub(quotient.wrapping_mul(ONE as u64));
    match (product < 0, remainder) {
        (false, _) => (quotient.into(), remainder.into()),
        (true, 0) => (-i128::from(quotient), 0),
        (true, _) => (-i128::from(quotient) - 1, i128::from(ONE) - i128::from(remainder)),
    }
}

macro_rules! fixed_unit {
    ($(#[$doc:meta])* $name:ident, $raw:ty, $decimals:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub $raw);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// Reads a JSON-style decimal (`-1.5`, `1.2E-7`) exactly.
            ///
            /// # Errors
            /// Text that is no decimal, has more places than the unit keeps, or lies out of range.
            pub fn parse(text: &[u8]) -> Result<Self, NumberError> {
                let raw = parse_fixed(text, $decimals)?;
                <$raw>::try_from(raw).map(Self).map_err(|_| NumberError::OutOfRange)
            }

            /// The sum; `None` when it leaves the range.
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// The difference; `None` when it leaves the range.
            #[must_use]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// The text with exactly `places` decimals, as an exchange prints it; digits beyond are cut.
            #[must_use]
            pub fn with_places(self, places: u32) -> WithPlaces {
                WithPlaces { raw: i128::from(self.0), decimals: $decimals, places }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fixed::write_minimal(f, i128::from(self.0), $decimals)
            }
        }
    };
}

fixed_unit! {
    /// A price in quote currency per unit, at 1e-8.
    Px, i64, DECIMALS
}
fixed_unit! {
    /// A quantity at 1e-8: coins on USD-M and spot, contracts on COIN-M.
    Qty, i64, DECIMALS
}
fixed_unit! {
    /// An amount of quote currency at 1e-8: one order, fill or account.
    Usd, i64, DECIMALS
}
fixed_unit! {
    /// A sum of quantities (volume, open interest, depth) at 1e-8.
    QtySum, i128, DECIMALS
}
fixed_unit! {
    /// A sum of amounts, or a product of price and quantity, at 1e-8.
    UsdSum, i128, DECIMALS
}
fixed_unit! {
    /// A ratio (funding rate, fee rate, filter multiplier) at 1e-12.
    Rate, i64, RATE_DECIMALS
}
fixed_unit! {
    /// Basis points at 1e-4 bp, so that 3.14 bp is exact (X17: a rate is not a number of basis points).
    Bps, i64, BPS_DECIMALS
}

impl Px {
    /// Price times quantity, rounded to 1e-8. `i64 * i64` always fits `i128`, so this can not overflow.
    #[must_use]
    pub fn notional(self, qty: Qty, round: Round) -> UsdSum {
        UsdSum::of_product(i128::from(self.0) * i128::from(qty.0), round)
    }
}

impl UsdSum {
    /// The amount that a price times a quantity, each in raw units, comes to, rounded to 1e-8.
    #[must_use]
    pub fn of_product(product: i128, round: Round) -> Self {
        let amount = rounded(div_rem_one(product), (product < 0, ONE.into()), round);
        Self(amount.expect("a quotient by a constant above 1 has neighbours on both sides"))
    }

    /// This amount times a rate, rounded to 1e-8; `None` when the product leaves `i128`.
    #[must_use]
    pub fn times(self, rate: Rate, round: Round) -> Option<Self> {
        let product = self.0.checked_mul(i128::from(rate.0))?;
        div_round(product, 10_i128.pow(RATE_DECIMALS), round).map(Self)
    }

    /// As the amount of one account; `None` when it does not fit.
    #[must_use]
    pub fn narrow(self) -> Option<Usd> {
        i64::try_from(self.0).ok().map(Usd)
    }
}

impl TryFrom<Bps> for Rate {
    type Error = NumberError;

    /// 1 bp is a rate of 1e-4, so that 1e-4 bp at 1e-8 becomes 1e-12 by a factor of 1e4.
    fn try_from(bps: Bps) -> Result<Self, NumberError> {
        let factor = 10_i64.pow(RATE_DECIMALS - 2 * BPS_DECIMALS);
        bps.0.checked_mul(factor).map(Self).ok_or(NumberError::OutOfRange)
    }
}

/// An `i128` that is aligned like an `i64`, for messages that travel on rings: a sixteen-byte alignment
/// would cost each of them a cache line.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Wide([u64; 2]);

impl Wide {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i128 {
        ((self.0[1] as i128) << 64) | self.0[0] as i128
    }
}

impl From<i128> for Wide {
    fn from(number: i128) -> Self {
        Self([number as u64, (number >> 64) as u64])
    }
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// Nanoseconds since 1970-01-01 UTC, or a span of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nanoseconds in a second.
    pub const SECOND: u64 = 1_000_000_000;
    /// Nanoseconds in a millisecond.
    pub const MILLI: u64 = 1_000_000;
    /// Nanoseconds in a microsecond.
    pub const MICRO: u64 = 1_000;

    /// From milliseconds; `None` when negative or past the year 2554.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        u64::try_from(millis).ok()?.checked_mul(Self::MILLI).map(Self)
    }

    /// The span from `earlier` to `self`, negative when `self` is the earlier one, in ns.
    #[must_use]
    pub fn since(self, earlier: Self) -> i128 {
        i128::from(self.0) - i128::from(earlier.0)
    }

    /// The time when `span` has gone by, or the end of time.
    #[must_use]
    pub const fn after(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Bps {
    /// 100 % in raw units.
    pub const WHOLE: i128 = 10_000 * 10_i128.pow(BPS_DECIMALS);
}

/// A value printed with a fixed number of decimals; see `with_places`.
#[derive(Clone, Copy, Debug)]
pub struct WithPlaces {
    raw: i128,
    decimals: u32,
    places: u32,
}

impl fmt::Display for WithPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fixed::write_places(f, self.raw, self.decimals, self.places)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of every length, so that some fit a word and others do not.
    fn number() -> impl Strategy<Value = i128> {
        let edges = [0, 1, -1, i128::MIN, i128::MAX, i64::MIN.into(), i64::MAX.into()];
        let cut = (any::<i128>(), 0_u32..128).prop_map(|(number, shift)| number >> shift);
        prop_oneof![4 => cut, 1 => prop::sample::select(edges.to_vec())]
    }

    proptest! {
        #[test]
        fn words_and_wide_numbers_divide_alike(numerator in number(), denominator in number()) {
            let expected = numerator
                .checked_div_euclid(denominator)
                .zip(numerator.checked_rem_euclid(denominator));
            prop_assert_eq!(div_rem_euclid(numerator, denominator), expected);
        }

        #[test]
        fn amounts_of_products_are_quotients(product in number()) {
            prop_assert_eq!(Some(div_rem_one(product)), div_rem_euclid(product, ONE.into()));
            for round in ROUNDS {
                let expected = div_round(product, ONE.into(), round).map(UsdSum);
                prop_assert_eq!(Some(UsdSum::of_product(product, round)), expected);
            }
        }
    }

    #[test]
    fn a_wide_number_is_the_number() {
        for number in [0, 1, -1, i128::MAX, i128::MIN, i128::from(u64::MAX), -(1 << 64)] {
            assert_eq!(Wide::from(number).get(), number);
        }
    }

    const ROUNDS: [Round; 4] = [Round::Down, Round::Up, Round::Truncate, Round::HalfEven];

    #[test]
    fn every_direction_on_both_sides_of_zero() {
        for (numerator, denominator, expected) in [
            (7, 2, [3, 4, 3, 4]),
            (5, 2, [2, 3, 2, 2]),
            (-5, 2, [-3, -2, -2, -2]),
            (5, -2, [-3, -2, -2, -2]),
            (-5, -2, [2, 3, 2, 2]),
            (7, 3, [2, 3, 2, 2]),
            (8, 3, [2, 3, 2, 3]),
            (-7, 3, [-3, -2, -2, -2]),
            (8, -3, [-3, -2, -2, -3]),
            (-8, -3, [2, 3, 2, 3]),
            (6, -3, [-2, -2, -2, -2]),
        ] {
            let found = ROUNDS.map(|round| div_round(numerator, denominator, round).unwrap());
            assert_eq!(found, expected, "{numerator} / {denominator}");
        }
    }

    #[test]
    fn quotients_that_do_not_exist_are_none() {
        for round in ROUNDS {
            assert_eq!(div_round(1, 0, round), None);
            assert_eq!(div_round(i128::MIN, -1, round), None);
        }
    }

    #[test]
    fn sums_and_differences_stop_at_the_range() {
        assert_eq!(Px(5).checked_add(Px(3)), Some(Px(8)));
        assert_eq!(Px(5).checked_sub(Px(3)), Some(Px(2)));
        assert_eq!(Px(i64::MAX).checked_add(Px(1)), None);
        assert_eq!(Px(i64::MIN).checked_sub(Px(1)), None);
    }

    #[test]
    fn amounts_leave_and_enter_the_range_of_an_account() {
        assert_eq!(UsdSum(i128::from(i64::MAX)).narrow(), Some(Usd(i64::MAX)));
        assert_eq!(UsdSum(i128::from(i64::MAX) + 1).narrow(), None);
        assert_eq!(UsdSum(i128::MAX).times(Rate(2), Round::Down), None);
    }

    #[test]
    fn decimals_are_cut_or_filled_up() {
        let price = Px(-123_456_789);
        let places = [0, 2, 8, 10].map(|places| price.with_places(places).to_string());
        assert_eq!(places, ["-1", "-1.23", "-1.23456789", "-1.2345678900"]);
    }

    #[test]
    fn milliseconds_become_times() {
        assert_eq!(Nanos::from_millis(1_500), Some(Nanos(1_500_000_000)));
        assert_eq!(Nanos::from_millis(-1), None);
        assert_eq!(Nanos::from_millis(i64::MAX), None);
    }

    #[test]
    fn a_span_has_a_direction() {
        assert_eq!(Nanos(7).since(Nanos(5)), 2);
        assert_eq!(Nanos(5).since(Nanos(7)), -2);
    }
}
