//! The checks: each a pure function in its own file that says yes or no, what it measured and what it
//! allows. The gate decides who passes which, and in what order.
//!
//! All of them are made part of the gate: what a check says has more words than the check takes, and
//! before a witness that does not look none of them is then written down.

mod book_freshness;
mod collar;
mod divergence;
mod duplicate;
mod exposure;
mod gross;
mod kill_level;
mod ledger_drift;
mod leverage;
mod lot;
mod mark_freshness;
mod max_orders;
mod min_notional;
mod open_orders;
mod order_notional;
mod order_qty;
mod order_state;
mod percent_price;
mod reduce_only;
mod self_match;
mod tick;
mod trigger;
mod universe;

pub(crate) use book_freshness::book_freshness;
pub(crate) use collar::collar;
pub(crate) use divergence::divergence;
pub(crate) use duplicate::{Recent, Sent, duplicate};
pub(crate) use exposure::exposure;
pub(crate) use gross::{Added, gross, worst_gross};
pub(crate) use kill_level::kill_level;
pub(crate) use ledger_drift::ledger_drift;
pub(crate) use leverage::{equity, leverage};
pub(crate) use lot::lot;
pub(crate) use mark_freshness::mark_freshness;
pub(crate) use max_orders::max_orders;
pub(crate) use min_notional::min_notional;
pub(crate) use open_orders::{Table, open_orders};
pub(crate) use order_notional::order_notional;
pub(crate) use order_qty::order_qty;
pub(crate) use order_state::{amendable, cancellable, known};
pub(crate) use percent_price::percent_price;
pub(crate) use reduce_only::reduce_only;
pub(crate) use self_match::self_match;
pub(crate) use tick::tick;
pub(crate) use trigger::{callback, conditionals, terms, trigger_distance};
pub(crate) use universe::{contract, sender, symbol_of_order, tradable, tradable_at};

use fusewire_core::order::Check;
use fusewire_core::units::{Bps, ONE, Px, QtySum, Round, Usd, UsdSum, div_round};

/// Measured when there is nothing to measure: beyond every limit.
pub(crate) const UNKNOWN: i128 = i128::MAX;

/// Allowed when nothing limits it.
pub(crate) const UNLIMITED: i128 = i128::MAX;

/// Why an intent is refused. Units are those of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) check: Check,
    pub(crate) measured: i128,
    pub(crate) limit: i128,
}

/// A number of a check: it is at hand, or it is a quotient that is only worked out for who wants to see it.
/// To compare, products do, and a division takes as long as all else of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Known(i128),
    /// Numerator, denominator above zero, and the direction of rounding.
    Quotient(i128, i128, Round),
}

impl Number {
    #[inline(always)]
    pub(crate) fn get(self) -> i128 {
        match self {
            Self::Known(number) => number,
            Self::Quotient(numerator, denominator, round) => {
                quotient(numerator, denominator, round)
            }
        }
    }
}

#[cold]
fn quotient(numerator: i128, denominator: i128, round: Round) -> i128 {
    div_round(numerator, denominator, round).expect("the denominator is above zero")
}

impl From<i128> for Number {
    #[inline(always)]
    fn from(number: i128) -> Self {
        Self::Known(number)
    }
}

/// That a check lets an intent go on, and what was found on the way, if it is of use.
#[must_use = "a witness must see what was passed"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass<T = ()> {
    pub(crate) check: Check,
    pub(crate) measured: Number,
    pub(crate) limit: Number,
    pub(crate) value: T,
}

impl Pass {
    pub(crate) fn with<T>(self, value: T) -> Pass<T> {
        let Self { check, measured, limit, value: () } = self;
        Pass { check, measured, limit, value }
    }
}

/// What a check says.
pub(crate) type Outcome<T = ()> = Result<Pass<T>, Fail>;

/// What a check says when it `holds`, or does not.
#[inline(always)]
fn passes(
    holds: bool,
    check: Check,
    measured: impl Into<Number>,
    limit: impl Into<Number>,
) -> Outcome {
    let (measured, limit) = (measured.into(), limit.into());
    if holds {
        Ok(Pass { check, measured, limit, value: () })
    } else {
        Err(Fail { check, measured: measured.get(), limit: limit.get() })
    }
}

/// Refuses what is above a limit.
#[inline(always)]
fn at_most(check: Check, measured: i128, limit: i128) -> Outcome {
    passes(measured <= limit, check, measured, limit)
}

/// Refuses an amount above a limit. Rounded up, it is above it when the product of price and quantity is
/// above that of the limit.
#[inline(always)]
fn amount_at_most(check: Check, product: i128, limit: Usd) -> Outcome {
    let holds = product <= i128::from(limit.0) * i128::from(ONE);
    let amount = Number::Quotient(product, i128::from(ONE), Round::Up);
    passes(holds, check, amount, i128::from(limit.0))
}

/// Refuses when `apart` is more than so many basis points of `price`, rounded up, or nothing can be said.
/// `apart` and `price` are of one scale and no more than sums of two prices.
#[inline(always)]
fn share_at_most(check: Check, apart: i128, price: i128, limit: Bps) -> Outcome {
    in_range((price > 0).then_some(()))?;
    // Sums of two prices have 65 bits and `Bps::WHOLE` has 27, so that neither product wraps.
    let (part, limit) = (apart.wrapping_mul(Bps::WHOLE), i128::from(limit.0));
    let holds = part <= limit.wrapping_mul(price);
    passes(holds, check, Number::Quotient(part, price, Round::Up), limit)
}

/// A number left its range: nothing can be said, so that nothing is allowed.
#[inline(always)]
fn in_range<T>(number: Option<T>) -> Result<T, Fail> {
    number.ok_or(Fail { check: Check::Arithmetic, measured: UNKNOWN, limit: 0 })
}

/// Price times quantity.
#[inline(always)]
fn product(qty: QtySum, price: Px) -> Result<i128, Fail> {
    // A sum that fits a word can not leave the range, and takes no call to find out.
    let product = match i64::try_from(qty.0) {
        Ok(qty) => Some(i128::from(qty) * i128::from(price.0)),
        Err(_) => qty.0.checked_mul(i128::from(price.0)),
    };
    in_range(product)
}

/// What a quantity is worth at a price, rounded against the account.
#[inline(always)]
fn value(qty: QtySum, price: Px) -> Result<UsdSum, Fail> {
    product(qty, price).map(|product| UsdSum::of_product(product, Round::Up))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a passed check measured and allows.
    pub(super) fn numbers<T>(outcome: Outcome<T>) -> Option<[i128; 2]> {
        outcome.ok().map(|pass| [pass.measured.get(), pass.limit.get()])
    }

    #[test]
    fn a_number_out_of_range_refuses() {
        assert_eq!(value(QtySum(3), Px(ONE / 2)), Ok(UsdSum(2)));
        let fail = value(QtySum(i128::from(i64::MAX) * 3), Px(i64::MAX)).unwrap_err();
        assert_eq!((fail.check, fail.measured), (Check::Arithmetic, UNKNOWN));
    }
}
